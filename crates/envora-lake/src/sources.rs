//! Source files: the bytes as received, packed and sealed, named by their SHA-256.
//!
//! A figure walks back to a line of such a file, so it is written before the import's commit, and
//! hashed again whenever it is read.

use std::io::{self, Cursor, Read, Write as _};
use std::sync::{Arc, PoisonError};

use envora_crypto::envelope::OpenError;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::hash::{Digest, Hasher};
use envora_domain::ports::replace_durably;

use crate::segments::{Lake, SOURCES};

/// The most that a source file may unpack to: what was taken in is at most 64 MiB.
pub const SOURCE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Fast and good enough: meter files shrink tenfold.
const LEVEL: i32 = 3;
/// How much is unpacked at a time.
const BLOCK: usize = 64 * 1024;

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

/// A source file on its way in: packed and hashed as its bytes arrive, so that it is never held whole.
pub struct SourcePacker {
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    hasher: Hasher,
    length: u64,
}

impl SourcePacker {
    /// With nothing in it.
    ///
    /// # Errors
    /// None but the packer's own.
    pub fn new() -> io::Result<Self> {
        let encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
        Ok(Self { encoder, hasher: Hasher::default(), length: 0 })
    }

    /// Takes the next bytes in.
    ///
    /// # Errors
    /// None but the packer's own.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.encoder.write_all(bytes)
    }

    /// The whole file.
    ///
    /// # Errors
    /// None but the packer's own.
    pub fn finish(self) -> io::Result<PackedSource> {
        let packed = self.encoder.finish()?.into();
        Ok(PackedSource { digest: self.hasher.finish(), length: self.length, packed })
    }
}

/// A source file that has arrived, packed.
#[derive(Clone, Debug)]
pub struct PackedSource {
    /// SHA-256 of the bytes as received.
    pub digest: Digest,
    /// How many bytes that are.
    pub length: u64,
    packed: Arc<[u8]>,
}

impl PackedSource {
    /// The file of these bytes.
    ///
    /// # Errors
    /// None but the packer's own.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let mut packer = SourcePacker::new()?;
        packer.add(bytes)?;
        packer.finish()
    }

    /// The bytes as received, block by block.
    ///
    /// # Errors
    /// None but the packer's own.
    pub fn reader(&self) -> io::Result<impl Read + Send + use<>> {
        zstd::stream::read::Decoder::new(Cursor::new(Arc::clone(&self.packed)))
    }
}

impl Lake {
    /// Keeps a source file, durably. One that is there and whole stays as it is.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_source(&self, keys: &TenantKeys, source: &PackedSource) -> Result<(), SourceError> {
        let digest = &source.digest;
        // One that another request is just writing is not durable yet: what is found has to be whole.
        let _putting = self.putting.lock().unwrap_or_else(PoisonError::into_inner);
        match self.open_source(keys, digest, &mut io::sink()) {
            Ok(()) => return Ok(()),
            Err(SourceError::Io(error)) => return Err(error.into()),
            // Missing or spoiled: these bytes are the right ones, so they take the place.
            Err(SourceError::NotFound | SourceError::Sealed(_) | SourceError::OtherBytes) => {}
        }
        self.write_sealed(keys, digest, source)?;
        Ok(())
    }

    /// Keeps a part of a file under a name of its own, durably; one that is there is replaced.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_part(
        &self,
        keys: &TenantKeys,
        name: &Digest,
        part: &PackedSource,
    ) -> io::Result<()> {
        let _putting = self.putting.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_sealed(keys, name, part)
    }

    fn write_sealed(
        &self,
        keys: &TenantKeys,
        name: &Digest,
        part: &PackedSource,
    ) -> io::Result<()> {
        let sealed = keys.seal(&Object::source_file(name), &part.packed);
        replace_durably(self.disk(), &self.source_path(name), &sealed)
    }

    /// The bytes of a part, unpacked as they are read. That they are those which were sent is for the
    /// reader to say: it knows their hash.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn part_reader(
        &self,
        keys: &TenantKeys,
        name: &Digest,
    ) -> Result<impl Read + Send + use<>, SourceError> {
        let sealed = self.disk().read(&self.source_path(name)).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                SourceError::NotFound
            } else {
                SourceError::Io(error)
            }
        })?;
        let packed = keys.open_object(&Object::source_file(name), &sealed)?;
        drop(sealed);
        Ok(zstd::stream::read::Decoder::new(Cursor::new(packed))?.take(SOURCE_BYTES_MAX))
    }

    /// The bytes of a source file, as they were received.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn read_source(&self, keys: &TenantKeys, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        self.open_source(keys, digest, &mut bytes)?;
        Ok(bytes)
    }

    /// Unpacks a source file into `out`; what came out is to be trusted once this says so.
    fn open_source(
        &self,
        keys: &TenantKeys,
        digest: &Digest,
        out: &mut dyn io::Write,
    ) -> Result<(), SourceError> {
        let mut bytes = self.part_reader(keys, digest)?;
        let (mut hasher, mut block) = (Hasher::default(), vec![0; BLOCK]);
        loop {
            let read = bytes.read(&mut block).map_err(|_| SourceError::OtherBytes)?;
            let block = block.get(..read).unwrap_or_default();
            if block.is_empty() {
                break;
            }
            hasher.update(block);
            out.write_all(block)?;
        }
        if hasher.finish() == *digest { Ok(()) } else { Err(SourceError::OtherBytes) }
    }

    /// Removes a source file or a part of one: its retention is over, or it was given up. One that is gone
    /// is no error.
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
