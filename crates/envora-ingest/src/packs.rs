//! The factors at hand: those that come with the program, and those that the organization brought in.
//!
//! An own pack's canonical text lies sealed among the source files, under its digest. What is active
//! and the newest edition of each pack are kept in memory; the others are read when an old figure is
//! worked out again, and forgotten.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use envora_domain::access::{Grant, actions::ActivatePack};
use envora_domain::factors::own::{self, OwnPack};
use envora_domain::factors::{Factor, FactorId, Library, Pack};
use envora_domain::hash::Digest;
use envora_lake::sources::{PackedSource, SourceError};
use envora_store::packs::{
    NewOwnPack, NewPack, PackAdded, StoredPack, pack_add, packs_active, packs_stored,
};
use envora_store::transaction::TenantTx;

use crate::tenant::{Damaged, TenantParts};

/// The packs at hand: those of the program, and what [`TenantParts::load_packs`] found.
#[derive(Debug)]
pub struct PackShelf {
    program: Arc<Library>,
    held: RwLock<Arc<Library>>,
}

impl PackShelf {
    /// With the packs of the program alone.
    #[must_use]
    pub fn of(program: Arc<Library>) -> Self {
        Self { held: RwLock::new(Arc::clone(&program)), program }
    }

    fn held(&self) -> Arc<Library> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An own pack whose texts are durable, ready to be recorded.
#[derive(Clone, Debug)]
pub struct Kept {
    new: NewOwnPack,
}

impl Kept {
    /// Records it with its leaf, in the transaction of the request that brought it.
    ///
    /// # Errors
    /// The database's.
    pub fn record(
        &self,
        tx: &mut TenantTx,
        grant: &Grant<ActivatePack>,
        now: envora_domain::time::Timestamp,
    ) -> anyhow::Result<PackAdded> {
        pack_add(tx, grant, &self.new, now)
    }
}

impl TenantParts {
    /// The factors at hand: the program's, and of own packs the active and the newest edition of each.
    #[must_use]
    pub fn library(&self) -> Arc<Library> {
        self.shelf.held()
    }

    /// The packs that count now, and no others. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn library_active(&self) -> anyhow::Result<Arc<Library>> {
        let grant = self.own.read_factors;
        let active = self.read(move |rd| packs_active(rd, &grant, u64::MAX))?;
        let held = self.library();
        let here = held.packs().iter().map(|pack| pack.digest);
        let active: Vec<Digest> =
            here.filter(|one| active.iter().any(|active| active.pack.digest == *one)).collect();
        Ok(held.only(&active).unwrap_or(held))
    }

    /// Reads the own packs that are to be at hand. One that is damaged is left out, which everything
    /// that needs it says. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn load_packs(&self) -> anyhow::Result<()> {
        let own = self.own.read_factors;
        let (stored, active) =
            self.read(move |rd| Ok((packs_stored(rd, &own)?, packs_active(rd, &own, u64::MAX)?)))?;
        let before = self.library();
        let mut more = Vec::new();
        for (place, pack) in stored.iter().enumerate() {
            let newest = stored.get(place + 1).is_none_or(|next| name(next) != name(pack));
            let digest = pack.new.pack.digest;
            if !newest && !active.iter().any(|active| active.pack.digest == digest) {
                continue;
            }
            let here = before.packs().iter().find(|held| held.is_own && held.digest == digest);
            match here.cloned().map_or_else(|| self.own_pack(pack), Ok) {
                Ok(pack) => more.push(pack),
                Err(error) => {
                    tracing::warn!(pack = name(pack), error = %format!("{error:#}"), "an own pack of factors cannot be read");
                }
            }
        }
        let held = Arc::new(self.shelf.program.with(more));
        *self.shelf.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    /// The library of the packs with these digests alone, whichever edition of an own pack that is;
    /// `None` when one of them is not here. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`] inside.
    pub(crate) fn library_of(&self, digests: &[Digest]) -> anyhow::Result<Option<Arc<Library>>> {
        let held = self.library();
        if let Some(library) = held.only(digests) {
            return Ok(Some(library));
        }
        let missing = |digest: &&Digest| !held.packs().iter().any(|pack| pack.digest == **digest);
        let mut more = Vec::new();
        let stored = self.packs_stored()?;
        for digest in digests.iter().filter(missing) {
            let Some(pack) = stored.iter().find(|pack| pack.new.pack.digest == *digest) else {
                return Ok(None);
            };
            more.push(self.own_pack(pack)?);
        }
        Ok(Arc::new(held.with(more)).only(digests))
    }

    /// A factor, also one of an edition that counts no longer. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`] inside.
    pub fn factor(&self, id: &FactorId) -> anyhow::Result<Option<Factor>> {
        let held = self.library();
        if let Some(factor) = held.get(id) {
            return Ok(Some(factor.clone()));
        }
        for stored in self.packs_stored()?.iter().rev() {
            if held.packs().iter().any(|pack| pack.digest == stored.new.pack.digest) {
                continue;
            }
            let pack = self.own_pack(stored)?;
            if let Some(factor) = pack.factors().find(|factor| factor.id == *id) {
                return Ok(Some(factor.clone()));
            }
        }
        Ok(None)
    }

    /// All editions of own packs, by name, the newest of each last. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn packs_stored(&self) -> anyhow::Result<Vec<StoredPack>> {
        let grant = self.own.read_factors;
        self.read(move |rd| packs_stored(rd, &grant))
    }

    /// An edition of an own pack, read from its sealed text and held against its digest. Blocks.
    ///
    /// # Errors
    /// [`Damaged`] inside when the text is not the one that was stored.
    pub fn own_pack(&self, stored: &StoredPack) -> anyhow::Result<Pack> {
        let NewPack { pack, version, digest } = &stored.new.pack;
        let damaged = |why: String| Damaged::new(format!("the pack {pack}@{version}"), why);
        let text = self.source_file(digest).map_err(|error| damaged(error.to_string()))?;
        let read = own::read_stored(&text).map_err(|faults| {
            damaged(faults.first().map(ToString::to_string).unwrap_or_default())
        })?;
        if read.pack.digest == *digest {
            Ok(read.pack)
        } else {
            Err(damaged("its text has another digest".to_owned()).into())
        }
    }

    /// Makes an own pack durable: its canonical text, and the file as it was sent. It counts for nothing
    /// until it is recorded and activated. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep_pack(&self, read: &OwnPack, (name, sent): (&str, &[u8])) -> anyhow::Result<Kept> {
        let keep = |bytes: &[u8]| -> Result<Digest, SourceError> {
            let packed = PackedSource::of(bytes)?;
            self.lake.put_source(&self.keys, &packed)?;
            Ok(packed.digest)
        };
        let digest = keep(read.pack.text().as_bytes()).context("keep the pack")?;
        let file = keep(sent).context("keep the file of the pack")?;
        let recipe = &read.pack.recipe;
        let pack = NewPack { pack: recipe.id.clone(), version: recipe.version.clone(), digest };
        let factors = read.pack.count() as u64;
        Ok(Kept { new: NewOwnPack { pack, factors, file_name: name.to_owned(), file } })
    }
}

fn name(stored: &StoredPack) -> &str {
    &stored.new.pack.pack
}
