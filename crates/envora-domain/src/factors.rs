//! Emission factors: the record with its provenance, packs of them, and the library of active packs.

mod digests;
pub mod own;
pub mod pack;
pub mod publishers;
mod record;
mod rows;
pub mod substances;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use crate::hash::Digest;
use crate::time::Day;
pub use pack::{Pack, PackError, Recipe, Rules};
pub use record::{
    Body, Boundary, Denominator, Factor, FactorId, FactorKind, GasValue, Provenance, Region, Repr,
    Rights, Total,
};

/// Factors of packs: those that come with the program, or those that a calculation may choose from.
#[derive(Debug)]
pub struct Library {
    packs: Vec<Pack>,
    /// Where factors are by id, of the packs and types that were asked for so far.
    indices: BTreeMap<(usize, String), OnceLock<HashMap<FactorId, usize>>>,
}

impl Library {
    /// The library of the packs that come with Envora, each trusted by its compiled-in SHA-256.
    ///
    /// # Errors
    /// [`PackError`] when a pack is not what was compiled in.
    pub fn starter() -> Result<Arc<Self>, PackError> {
        static STARTER: OnceLock<Result<Arc<Library>, PackError>> = OnceLock::new();
        STARTER.get_or_init(|| Ok(Arc::new(Self::new(pack::starter()?)))).clone()
    }

    /// The library of these packs.
    #[must_use]
    pub fn new(packs: Vec<Pack>) -> Self {
        let places = packs.iter().enumerate().flat_map(|(place, pack)| {
            pack.kinds().map(move |kind| ((place, kind.to_owned()), OnceLock::new()))
        });
        let indices = places.collect();
        Self { packs, indices }
    }

    /// Its packs.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of this id.
    #[must_use]
    pub fn pack(&self, id: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.recipe.id == id)
    }

    /// The digests of its packs, sorted: part of a run's identity.
    #[must_use]
    pub fn pack_digests(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = self.packs.iter().map(|pack| pack.digest).collect();
        digests.sort_unstable();
        digests
    }

    /// The library of those packs alone that have these digests; `None` when one of them is not here.
    #[must_use]
    pub fn only(self: &Arc<Self>, digests: &[Digest]) -> Option<Arc<Self>> {
        if self.packs.len() == digests.len() && self.has_all(digests) {
            return Some(Arc::clone(self));
        }
        let packs = self.packs.iter().filter(|pack| digests.contains(&pack.digest));
        self.has_all(digests).then(|| Arc::new(Self::new(packs.cloned().collect())))
    }

    /// Whether the packs of all these digests are here.
    #[must_use]
    pub fn has_all(&self, digests: &[Digest]) -> bool {
        digests.iter().all(|digest| self.packs.iter().any(|pack| pack.digest == *digest))
    }

    /// The first days of editions and the days after their last, ascending: between two of them
    /// every day has the same factors.
    #[must_use]
    pub fn borders(&self) -> Vec<Day> {
        let recipes = self.packs.iter().map(|pack| &pack.recipe);
        let mut days: Vec<Day> =
            recipes.flat_map(|recipe| [recipe.valid_from, recipe.valid_to]).collect();
        // Own factors hold each for days of its own.
        let own = self.packs.iter().filter(|pack| pack.is_own).flat_map(Pack::factors);
        days.extend(own.flat_map(|factor| [factor.valid_from, factor.valid_to]));
        days.sort_unstable();
        days.dedup();
        days
    }

    /// The factor of this id, and its pack. Where it likely is comes first: in the type that is
    /// meant, then in those that were read; the rest is read only for an id that is in neither.
    fn find(&self, likely: Option<&str>, id: &FactorId) -> Option<(&Pack, &Factor)> {
        let mut shelves: Vec<_> = self.indices.iter().collect();
        shelves.sort_by_key(|((place, kind), _)| {
            let read = self.packs.get(*place).is_some_and(|pack| pack.is_read(kind));
            (likely != Some(kind.as_str()), !read)
        });
        shelves.into_iter().find_map(|((place, kind), index)| {
            let pack = self.packs.get(*place)?;
            let factors = pack.of_kind(kind);
            let index = index.get_or_init(|| {
                let ids = factors.iter().enumerate();
                ids.map(|(place, factor)| (factor.id, place)).collect()
            });
            Some((pack, factors.get(*index.get(id)?)?))
        })
    }

    /// The factor of this id.
    #[must_use]
    pub fn get(&self, id: &FactorId) -> Option<&Factor> {
        substances::get(id).or_else(|| self.find(None, id).map(|(_, factor)| factor))
    }

    /// The factor of this id, which most likely is for activities of this type.
    #[must_use]
    pub fn get_for(&self, kind: &str, id: &FactorId) -> Option<&Factor> {
        substances::get(id).or_else(|| self.find(Some(kind), id).map(|(_, factor)| factor))
    }

    /// The pack that a factor came in.
    #[must_use]
    pub fn pack_of(&self, id: &FactorId) -> Option<&Pack> {
        if substances::get(id).is_some() {
            return None;
        }
        self.find(None, id).map(|(pack, _)| pack)
    }

    /// The series that a factor is an edition of, how its factors are chosen, and whether they are
    /// the organization's own, where each key is a series.
    #[must_use]
    pub fn series_of<'a>(&'a self, factor: &'a Factor) -> (&'a str, Rules, bool) {
        match self.pack(&factor.pack) {
            Some(pack) if pack.is_own => (&factor.key, pack.recipe.rules, true),
            Some(pack) => (&pack.recipe.prefix, pack.recipe.rules, false),
            None => (substances::ID, substances::RULES, false),
        }
    }

    /// The library with these packs besides.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = Pack>) -> Self {
        Self::new(self.packs.iter().cloned().chain(more).collect())
    }

    /// All factors for activities of this type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Factor> {
        let packs = self.packs.iter().flat_map(move |pack| pack.of_kind(kind));
        packs.chain(substances::of_kind(kind))
    }

    /// All factors, by pack, type and key.
    pub fn factors(&self) -> impl Iterator<Item = &Factor> {
        self.packs.iter().flat_map(Pack::factors)
    }
}
