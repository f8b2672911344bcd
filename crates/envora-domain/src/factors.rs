//! Emission factors: the record with its provenance, packs of them, and the library of active packs.

mod digests;
pub mod pack;
pub mod publishers;
mod record;
mod rows;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use crate::hash::Digest;
pub use pack::{Pack, PackError};
pub use record::{
    Body, Boundary, Denominator, Factor, FactorId, FactorKind, GasValue, Provenance, Region, Repr,
    Rights, Total,
};

/// All factors that calculation may choose from: those of the active packs.
#[derive(Debug)]
pub struct Library {
    packs: Vec<Pack>,
    by_id: HashMap<FactorId, (usize, usize)>,
    by_kind: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Library {
    /// The library of the packs that come with Envora, each trusted by its compiled-in SHA-256.
    ///
    /// # Errors
    /// [`PackError`] when a pack is not what was compiled in.
    pub fn starter() -> Result<Arc<Self>, PackError> {
        static STARTER: OnceLock<Result<Arc<Library>, PackError>> = OnceLock::new();
        STARTER.get_or_init(|| Ok(Arc::new(Self::new(vec![pack::starter()?])))).clone()
    }

    /// The library of these packs.
    #[must_use]
    pub fn new(packs: Vec<Pack>) -> Self {
        let mut by_id = HashMap::new();
        let mut by_kind: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (shelf, pack) in packs.iter().enumerate() {
            for (place, factor) in pack.factors.iter().enumerate() {
                by_id.entry(factor.id).or_insert((shelf, place));
                by_kind.entry(factor.activity_type.clone()).or_default().push((shelf, place));
            }
        }
        Self { packs, by_id, by_kind }
    }

    /// The active packs.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The digests of the active packs, sorted: part of a run's identity.
    #[must_use]
    pub fn pack_digests(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = self.packs.iter().map(|pack| pack.digest).collect();
        digests.sort_unstable();
        digests
    }

    fn at(&self, (shelf, place): (usize, usize)) -> Option<&Factor> {
        self.packs.get(shelf)?.factors.get(place)
    }

    /// The factor of this id.
    #[must_use]
    pub fn get(&self, id: &FactorId) -> Option<&Factor> {
        self.at(*self.by_id.get(id)?)
    }

    /// The pack that a factor came in.
    #[must_use]
    pub fn pack_of(&self, id: &FactorId) -> Option<&Pack> {
        self.packs.get(self.by_id.get(id)?.0)
    }

    /// All factors for activities of this type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Factor> {
        self.by_kind.get(kind).into_iter().flatten().filter_map(|place| self.at(*place))
    }

    /// All factors.
    pub fn factors(&self) -> impl Iterator<Item = &Factor> {
        self.packs.iter().flat_map(|pack| &pack.factors)
    }
}
