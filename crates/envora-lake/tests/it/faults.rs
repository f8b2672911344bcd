//! What the disk says is handed on, and what it changed is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use envora_domain::hash::Digest;
use envora_domain::ports::{Disk, Place};
use envora_lake::fsck::{Fault, Manifest};
use envora_lake::segments::Lake;
use envora_lake::sources::SourceError;
use envora_testkit::disk::{Call, FaultyDisk, MemoryDisk};

use crate::world::{frame, keys, lake, put, sealed, segment};

#[test]
fn p03_an_error_of_the_disk_passes_through_once() {
    // EIO and a full disk alike: the lake neither hides nor repeats what failed.
    for kind in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
        for call in [Call::Create, Call::Sync, Call::SyncDir] {
            for after in 0..2 {
                if call == Call::SyncDir && after > 0 {
                    continue;
                }
                let disk = Arc::new(FaultyDisk::new(MemoryDisk::default()));
                let lake = lake(disk.clone());
                disk.fail(call, after, kind);
                let failed = lake.append_and_sync(&[frame(1, 40_000), frame(2, 40_000)]);
                assert_eq!(failed.unwrap_err().kind(), kind, "{call:?} after {after}");
            }
        }
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let disk = Arc::new(FaultyDisk::new(MemoryDisk::default()));
    let lake = lake(disk.clone());
    lake.append_and_sync(&[frame(1, 40_000)]).unwrap();
    disk.fail(Call::Create, 2, io::ErrorKind::StorageFull);
    let group = [frame(1, 40_000), frame(2, 40_000), frame(3, 40_000)];
    let failed = lake.append_and_sync(&group).unwrap_err();
    assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.disk().paths().len(), 1, "only what was there before");
    assert_eq!(lake.append_and_sync(&group).unwrap().len(), 3, "and it goes on");
}

#[test]
fn short_frames_touch_no_disk() {
    let disk = Arc::new(FaultyDisk::new(MemoryDisk::default()));
    let lake = lake(disk.clone());
    for call in [Call::Create, Call::Sync, Call::SyncDir] {
        disk.fail(call, 0, io::ErrorKind::Other);
    }
    let places = lake.append_and_sync(&[frame(1, 32 * 1024), frame(2, 0)]).unwrap();
    assert_eq!(places, [Place::Inline, Place::Inline]);
}

#[test]
fn a_file_that_is_there_counts_only_when_it_is_the_same() {
    let disk = Arc::new(MemoryDisk::default());
    let lake = lake(disk.clone());
    let first = lake.append_and_sync(&[frame(1, 40_000)]).unwrap();
    assert_eq!(lake.append_and_sync(&[frame(1, 40_000)]).unwrap(), first);
    let other = envora_domain::ports::Frame { segment: segment(1), sealed: vec![9; 40_000] };
    let refused = lake.append_and_sync(&[other]).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn places_that_are_not_ours_are_refused() {
    let lake = lake(Arc::new(MemoryDisk::default()));
    for path in [
        "../keys/seal",
        "segments/../../keys/seal",
        "/etc/passwd",
        "segments/x.seg",
        "segments/.seg",
        "sources/ab",
        "segments",
        "",
    ] {
        let place = Place::File { path: path.to_owned(), length: 1 };
        let refused = lake.read(&place, None).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{path}");
    }
    let refused = lake.read(&Place::Inline, None).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
}

fn stored(disk: &Arc<MemoryDisk>) -> (Lake, envora_crypto::tenant::TenantKeys, Manifest, PathBuf) {
    let (lake, keys) = (lake(disk.clone()), keys());
    let (frame, mut manifest) = sealed(&keys, 5, 2_000);
    manifest.place = lake.append_and_sync(&[frame]).unwrap().remove(0);
    let path = Path::new("tenant/segments").join(format!("{}.seg", segment(5).hex()));
    (lake, keys, manifest, path)
}

#[test]
fn p09_a_flipped_bit_anywhere_in_a_segment_is_found() {
    let disk = Arc::new(MemoryDisk::default());
    let (lake, keys, manifest, path) = stored(&disk);
    assert!(lake.fsck(&keys, [manifest.clone()]).is_empty());
    let length = disk.read(&path).unwrap().len();
    for byte in (0..length).step_by(997).chain([0, 4, 8, 40, 72, length - 1]) {
        disk.flip(&path, byte);
        let faults = lake.fsck(&keys, [manifest.clone()]);
        assert!(matches!(faults.as_slice(), [(_, Fault::Sealed(_))]), "byte {byte}: {faults:?}");
        disk.flip(&path, byte);
    }
    assert!(lake.fsck(&keys, [manifest]).is_empty());
}

#[test]
fn a_cut_a_missing_and_a_foreign_segment_are_told_apart() {
    let disk = Arc::new(MemoryDisk::default());
    let (lake, keys, manifest, path) = stored(&disk);
    let fault = |manifest: &Manifest| lake.read_segment(&keys, manifest).unwrap_err();

    let root = Manifest { root: Digest([0; 32]), ..manifest.clone() };
    assert!(matches!(fault(&root), Fault::OtherRoot));
    let rows = Manifest { rows: 1_999, ..manifest.clone() };
    assert!(matches!(fault(&rows), Fault::OtherRows));
    let other = Manifest { segment: segment(6), ..manifest.clone() };
    assert!(matches!(fault(&other), Fault::Sealed(_)));

    let bytes = disk.read(&path).unwrap();
    disk.remove(&path).unwrap();
    let Fault::Unreadable(error) = fault(&manifest) else { panic!("a missing file") };
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    disk.create(&path, &bytes[..bytes.len() - 1]).unwrap();
    let Fault::Unreadable(error) = fault(&manifest) else { panic!("a cut file") };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_changed_source_file_is_refused_and_mended_by_the_right_bytes() {
    let disk = Arc::new(MemoryDisk::default());
    let (lake, keys) = (lake(disk.clone()), keys());
    let bytes = b"datetime,kWh\n2022-01-01 00:00:00,372.4\n".repeat(500);
    let digest = put(&lake, &keys, &bytes);
    let path = Path::new("tenant/sources").join(digest.hex());
    assert!(disk.read(&path).unwrap().len() < bytes.len() / 10, "it is packed");
    disk.flip(&path, 90);
    let refused = lake.read_source(&keys, &digest);
    assert!(matches!(refused, Err(SourceError::Sealed(_))), "{refused:?}");
    put(&lake, &keys, &bytes);
    assert_eq!(lake.read_source(&keys, &digest).unwrap(), bytes);
    lake.remove_source(&digest).unwrap();
    assert!(matches!(lake.read_source(&keys, &digest), Err(SourceError::NotFound)));
}
