//! What the rules need of the world, as parameters: time, randomness and a disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::id::SegmentId;
use crate::time::Timestamp;

/// Tells the time. The one real clock is made in `envora`.
pub trait Clock: Send + Sync {
    /// The instant, UTC.
    fn now(&self) -> Timestamp;

    /// Microseconds that only grow, for measuring spans; their zero means nothing.
    fn monotonic_us(&self) -> u64;
}

/// Gives random bytes. The one real source is made in `envora`.
pub trait Entropy: Send + Sync {
    /// Fills the bytes with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// A disk, as far as the acknowledgement path uses one: segments, source files, key files.
///
/// Nothing is durable before its `sync`; an entry of a directory is durable only after that
/// directory's `sync_dir`. A failed sync is never to be tried again (the kernel may have dropped the
/// pages): the caller stops acknowledging.
pub trait Disk: Send + Sync {
    /// Makes the directory and its parents, readable by the owner alone.
    ///
    /// # Errors
    /// What the file system says.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Writes a file that must not exist yet. Not synced.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the file system says; half a file may then remain.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's bytes durable.
    ///
    /// # Errors
    /// What the file system says; a sync that failed as [`SyncFailed`].
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory's entries durable.
    ///
    /// # Errors
    /// What the file system says; a sync that failed as [`SyncFailed`].
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// `NotFound`, or what the file system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// `length` bytes from `offset`.
    ///
    /// # Errors
    /// `NotFound`, `UnexpectedEof` when the file is shorter, or what the file system says.
    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>>;

    /// Gives a file another name, replacing what has that name.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The files of a directory, sorted; of a directory that is not there, none.
    ///
    /// # Errors
    /// What the file system says.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
}

/// A sync failed: whether what it was to make durable is, nobody can know any more.
///
/// Never a full disk, whatever the system called it: room that comes back does not bring the pages back.
#[derive(Debug, thiserror::Error)]
#[error("a sync failed: {0}")]
pub struct SyncFailed(io::Error);

impl SyncFailed {
    /// The error of a sync, as callers are to see it.
    #[must_use]
    pub fn of(error: io::Error) -> io::Error {
        io::Error::other(Self(error))
    }

    /// Whether a failed sync is behind an error.
    #[must_use]
    pub fn is_behind(error: &(dyn core::error::Error + 'static)) -> bool {
        let mut chain = core::iter::successors(Some(error), |error| error.source());
        chain.any(|error| {
            let error = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            error.is_some_and(|inner| inner.is::<Self>())
        })
    }
}

/// Replaces a file so that after a crash either the old or the new bytes are there, whole.
///
/// # Errors
/// What the disk says; the old bytes are then still there.
pub fn replace_durably(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let staged = PathBuf::from(staged);
    disk.remove(&staged)?;
    disk.create(&staged, bytes)?;
    disk.sync(&staged)?;
    disk.rename(&staged, path)?;
    path.parent().map_or(Ok(()), |folder| disk.sync_dir(folder))
}

/// A sealed segment on its way to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which segment it is.
    pub segment: SegmentId,
    /// Its envelope, as stored.
    pub sealed: Vec<u8>,
}

/// Where a frame landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the manifest row itself.
    Inline,
    /// A file of its own below the tenant's folder.
    File {
        /// Path below the tenant's folder, with `/`.
        path: String,
        /// Bytes.
        length: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_is_known_through_what_is_told_of_it_and_is_no_full_disk() {
        #[derive(Debug, thiserror::Error)]
        #[error("the anchor")]
        struct Anchor(#[from] io::Error);
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let failed = SyncFailed::of(full());
        assert_ne!(failed.kind(), io::ErrorKind::StorageFull);
        assert!(SyncFailed::is_behind(&failed));
        assert!(SyncFailed::is_behind(&Anchor(failed)));
        assert!(!SyncFailed::is_behind(&Anchor(full())));
    }
}
