//! A tenant with keys and a lake on a disk of the test's choosing.

use std::path::PathBuf;
use std::sync::Arc;

use envora_crypto::aad::REGION_LOCAL;
use envora_crypto::keyring::LocalKeyring;
use envora_crypto::seal::{Method, Seal};
use envora_crypto::tenant::{KeyStore, Object, TenantKeys};
use envora_domain::hash::Digest;
use envora_domain::id::{SegmentId, TenantId};
use envora_domain::ports::{Disk, Frame, Place};
use envora_domain::time::Timestamp;
use envora_lake::fsck::Manifest;
use envora_lake::packed::pack;
use envora_lake::segments::Lake;
use envora_lake::sources::PackedSource;
use envora_testkit::disk::MemoryDisk;
use envora_testkit::entropy::SeededEntropy;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_650_000_000_000_000);

pub(crate) fn keys() -> TenantKeys {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::default());
    let entropy = Arc::new(SeededEntropy::new(3));
    let folder = PathBuf::from("keys");
    let seal = Seal::create(&*disk, &folder.join("seal"), &Method::File, &*entropy).unwrap();
    let keyring = LocalKeyring::new(folder.clone(), disk.clone(), entropy.clone(), seal);
    let store = KeyStore { keys: folder, disk, provider: Arc::new(keyring), entropy };
    TenantKeys::create(store, TenantId::from_bytes([1; 16]), REGION_LOCAL, NOW).unwrap()
}

pub(crate) fn lake(disk: Arc<dyn Disk>) -> Lake {
    Lake::open(PathBuf::from("tenant"), disk).unwrap()
}

pub(crate) fn segment(number: u8) -> SegmentId {
    SegmentId::from_bytes([number; 16])
}

pub(crate) fn frame(number: u8, length: usize) -> Frame {
    Frame { segment: segment(number), sealed: vec![number; length] }
}

/// A segment of so many rows, packed, and what the database would say of it.
pub(crate) fn packed(count: usize) -> (Vec<u8>, Manifest) {
    // Rows that no packing makes much shorter, so that segments of many are files.
    let row = |row: usize| {
        [vec![0, 0, 0, 40], Digest::of(&row.to_be_bytes()).0.to_vec(), vec![7; 8]].concat()
    };
    let stream: Vec<u8> = (0..count).flat_map(row).collect();
    let packed = pack(stream, &(1..=count).map(|rows| rows * 44).collect::<Vec<_>>());
    let manifest = Manifest {
        segment: segment(5),
        rows: u64::try_from(count).unwrap(),
        root: packed.root,
        place: Place::Inline,
        inline: None,
    };
    (packed.bytes, manifest)
}

/// The same, sealed.
pub(crate) fn sealed(keys: &TenantKeys, number: u8, count: usize) -> (Frame, Manifest) {
    let (bytes, manifest) = packed(count);
    let sealed = keys.seal(&Object::segment(segment(number)), &bytes);
    (Frame { segment: segment(number), sealed }, Manifest { segment: segment(number), ..manifest })
}

/// Keeps a source file; gives its name.
pub(crate) fn put(lake: &Lake, keys: &TenantKeys, bytes: &[u8]) -> Digest {
    let source = PackedSource::of(bytes).unwrap();
    lake.put_source(keys, &source).unwrap();
    assert_eq!((source.digest, source.length), (Digest::of(bytes), bytes.len() as u64));
    source.digest
}
