//! Source files: the bytes as received, packed and sealed, named by their SHA-256.
//!
//! A figure walks back to a line of such a file, so it is written before the import's commit, and
//! hashed again whenever it is read.

use std::io::{self, Read as _};
use std::sync::PoisonError;

use envora_crypto::envelope::OpenError;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::hash::Digest;
use envora_domain::ports::replace_durably;

use crate::segments::{Lake, SOURCES};

/// The most that a source file may unpack to: what was taken in is at most 64 MiB.
pub const SOURCE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Fast and good enough: meter files shrink tenfold.
const LEVEL: i32 = 3;

/// Why a source file is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not there: never taken in, or erased.
    #[error("the source file is not there")]
    NotFound,
    /// It does not open with these keys, or was changed.
    #[error("the source file does not open: {0}")]
    Sealed(#[from] OpenError),
    /// Its bytes are not the ones that its name promises.
    #[error("the source file is not the one that was taken in")]
    OtherBytes,
    /// The disk says no.
    #[error("the source file cannot be reached: {0}")]
    Io(#[from] io::Error),
}

impl Lake {
    /// Keeps a source file, durably, and returns its name. One that is there and whole stays as it is.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_source(&self, keys: &TenantKeys, bytes: &[u8]) -> Result<Digest, SourceError> {
        let digest = Digest::of(bytes);
        // One that another request is just writing is not durable yet: what is found has to be whole.
        let _putting = self.putting.lock().unwrap_or_else(PoisonError::into_inner);
        match self.read_source(keys, &digest) {
            Ok(_) => return Ok(digest),
            Err(SourceError::Io(error)) => return Err(error.into()),
            // Missing or spoiled: these bytes are the right ones, so they take the place.
            Err(SourceError::NotFound | SourceError::Sealed(_) | SourceError::OtherBytes) => {}
        }
        let packed = zstd::bulk::compress(bytes, LEVEL)?;
        let sealed = keys.seal(&Object::source_file(&digest), &packed);
        replace_durably(self.disk(), &self.source_path(&digest), &sealed)?;
        Ok(digest)
    }

    /// The bytes of a source file, as they were received.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn read_source(&self, keys: &TenantKeys, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        let sealed = self.disk().read(&self.source_path(digest)).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                SourceError::NotFound
            } else {
                SourceError::Io(error)
            }
        })?;
        let packed = keys.open_object(&Object::source_file(digest), &sealed)?;
        let mut bytes = Vec::new();
        zstd::stream::read::Decoder::new(packed.as_slice())?
            .take(SOURCE_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|_| SourceError::OtherBytes)?;
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(SourceError::OtherBytes) }
    }

    /// Removes a source file: its retention is over.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove_source(&self, digest: &Digest) -> io::Result<()> {
        self.disk().remove(&self.source_path(digest))?;
        self.disk().sync_dir(&self.path(SOURCES))
    }

    fn source_path(&self, digest: &Digest) -> std::path::PathBuf {
        self.path(&format!("{SOURCES}/{}", digest.hex()))
    }
}
