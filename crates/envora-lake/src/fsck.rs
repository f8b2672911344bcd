//! Re-reading and re-hashing what the manifest says is there.
//!
//! A flipped bit is found here and when a segment is opened, not years later by an auditor.

use envora_crypto::envelope::OpenError;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::activities::canonical::{rows, rows_root};
use envora_domain::hash::Digest;
use envora_domain::id::SegmentId;
use envora_domain::ports::Place;

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
        let sealed = self.read(&manifest.place, manifest.inline.as_deref())?;
        let stream = keys.open_object(&Object::segment(manifest.segment), &sealed)?;
        let rows = rows(&stream).map_err(|_| Fault::OtherRows)?;
        if rows.len() as u64 != manifest.rows {
            return Err(Fault::OtherRows);
        }
        if rows_root(&rows) != manifest.root {
            return Err(Fault::OtherRoot);
        }
        Ok(stream)
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
