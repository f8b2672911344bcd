//! Re-reading and re-hashing what the manifest says is there.
//!
//! A flipped bit is found here and when a segment is opened, not years later by an auditor.

use envora_crypto::envelope::OpenError;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::activities::canonical::{RUN_ROWS, rows, rows_root};
use envora_domain::hash::{Digest, leaf_hash, tree_root};
use envora_domain::id::SegmentId;
use envora_domain::ports::Place;

use crate::packed::{NotPacked, Runs};
use crate::segments::Lake;

/// What the database says of a segment.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Which segment.
    pub segment: SegmentId,
    /// How many rows.
    pub rows: u64,
    /// The root over them.
    pub root: Digest,
    /// Where its sealed bytes lie.
    pub place: Place,
    /// The sealed bytes themselves, when they lie in the row.
    pub inline: Option<Vec<u8>>,
}

/// What is wrong with a segment.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Its bytes cannot be read.
    #[error("the segment cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Its bytes do not open.
    #[error("the segment does not open: {0}")]
    Sealed(#[from] OpenError),
    /// Its rows do not unpack.
    #[error(transparent)]
    Packed(#[from] NotPacked),
    /// It does not hold canonical rows, or not as many as the database says.
    #[error("the segment holds other rows than the database says")]
    OtherRows,
    /// The rows have another root.
    #[error("the rows of the segment have another root")]
    OtherRoot,
}

impl Lake {
    /// The canonical rows of a segment, one after the other: read, opened, counted and hashed.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read_segment(&self, keys: &TenantKeys, manifest: &Manifest) -> Result<Vec<u8>, Fault> {
        let stream = self.runs(keys, manifest)?.whole()?;
        let rows = rows(&stream).map_err(|_| Fault::OtherRows)?;
        if rows.len() as u64 != manifest.rows {
            return Err(Fault::OtherRows);
        }
        if rows_root(&rows) != manifest.root {
            return Err(Fault::OtherRoot);
        }
        Ok(stream)
    }

    /// A segment whose rows are read run by run: read and opened, and its leaves are under its root.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn open_segment(&self, keys: &TenantKeys, manifest: &Manifest) -> Result<Opened, Fault> {
        let runs = self.runs(keys, manifest)?;
        let leaves = runs.leaves()?;
        if tree_root(&leaves) != manifest.root {
            return Err(Fault::OtherRoot);
        }
        if leaves.len() as u64 != manifest.rows.div_ceil(RUN_ROWS as u64) {
            return Err(Fault::OtherRows);
        }
        Ok(Opened { runs, leaves, rows: manifest.rows })
    }

    fn runs(&self, keys: &TenantKeys, manifest: &Manifest) -> Result<Runs, Fault> {
        let sealed = self.read(&manifest.place, manifest.inline.as_deref())?;
        let bytes = keys.open_object(&Object::segment(manifest.segment), &sealed)?;
        Ok(Runs::of(bytes)?)
    }

    /// Checks these segments and returns the faulty ones.
    pub fn fsck(
        &self,
        keys: &TenantKeys,
        manifests: impl IntoIterator<Item = Manifest>,
    ) -> Vec<(SegmentId, Fault)> {
        let check = |manifest: Manifest| {
            let fault = self.read_segment(keys, &manifest).err()?;
            Some((manifest.segment, fault))
        };
        manifests.into_iter().filter_map(check).collect()
    }
}

/// A segment that was opened, and not unpacked yet.
pub struct Opened {
    runs: Runs,
    leaves: Vec<Digest>,
    rows: u64,
}

impl Opened {
    /// The leaves of all runs, under the segment's root.
    #[must_use]
    pub fn leaves(&self) -> &[Digest] {
        &self.leaves
    }

    /// The canonical rows of a run, from 0, one after the other: unpacked, counted, and under their leaf.
    ///
    /// # Errors
    /// [`Fault`], also of a run that there is not.
    pub fn run(&self, run: usize) -> Result<Vec<u8>, Fault> {
        let found = self.runs.run(run)?;
        if self.leaves.get(run) != Some(&leaf_hash(&found)) {
            return Err(Fault::OtherRoot);
        }
        let before = (run as u64).saturating_mul(RUN_ROWS as u64);
        let due = self.rows.saturating_sub(before).min(RUN_ROWS as u64);
        let count = rows(&found).map_err(|_| Fault::OtherRows)?.len() as u64;
        if count == due { Ok(found) } else { Err(Fault::OtherRows) }
    }
}
