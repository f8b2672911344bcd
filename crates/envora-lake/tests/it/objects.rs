//! Where objects land, and that they come back.

use std::sync::Arc;

use envora_domain::id::RunId;
use envora_domain::ports::Place;
use envora_testkit::disk::MemoryDisk;

use crate::world::{frame, keys, lake, put, sealed};

#[test]
fn long_frames_get_a_file_of_their_own() {
    let lake = lake(Arc::new(MemoryDisk::default()));
    let places = lake.append_and_sync(&[frame(0xab, 32 * 1024 + 1), frame(2, 1)]).unwrap();
    let path = format!("segments/{}.seg", "ab".repeat(16));
    assert_eq!(places, [Place::File { path, length: 32 * 1024 + 1 }, Place::Inline]);
    assert!(lake.append_and_sync(&[]).unwrap().is_empty());
}

#[test]
fn a_block_calculated_again_replaces_its_file() {
    let lake = lake(Arc::new(MemoryDisk::default()));
    let run = RunId::from_bytes([4; 16]);
    assert_eq!(lake.put_block(run, 1, &[1; 100]).unwrap(), Place::Inline);
    lake.put_block(run, 2, &vec![1; 40_000]).unwrap();
    let place = lake.put_block(run, 2, &vec![2; 50_000]).unwrap();
    assert_eq!(lake.read(&place, None).unwrap(), vec![2; 50_000]);
}

#[test]
fn a_delta_is_a_file_of_its_cause_and_segment() {
    let disk = Arc::new(MemoryDisk::default());
    let lake = lake(disk.clone());
    let run = RunId::from_bytes([4; 16]);
    assert_eq!(lake.put_delta(run, (2, 1), &[1; 100]).unwrap(), Place::Inline);
    let first = lake.put_delta(run, (2, 1), &vec![1; 40_000]).unwrap();
    let other = lake.put_delta(run, (2, 0), &vec![2; 40_000]).unwrap();
    assert_eq!(lake.read(&first, None).unwrap(), vec![1; 40_000]);
    assert_eq!(lake.read(&other, None).unwrap(), vec![2; 40_000]);
    let Place::File { path, .. } = &other else { panic!("it is a file") };
    lake.remove_block(path).unwrap();
    assert!(lake.read(&other, None).is_err());
    assert!(lake.read(&first, None).is_ok());
    for stranger in ["segments/00.seg", "blocks/../segments/00.blk", "../00.blk", "blocks"] {
        assert!(lake.remove_block(stranger).is_err(), "{stranger}");
    }
}

#[test]
fn an_inline_segment_is_read_like_any_other() {
    let (lake, keys) = (lake(Arc::new(MemoryDisk::default())), keys());
    let (frame, mut manifest) = sealed(&keys, 5, 10);
    manifest.inline = Some(frame.sealed);
    assert_eq!(lake.read_segment(&keys, &manifest).unwrap().len(), 440);
}

#[test]
fn the_same_source_file_is_kept_once() {
    let disk = Arc::new(MemoryDisk::default());
    let (lake, keys) = (lake(disk.clone()), keys());
    let first = put(&lake, &keys, b"a,b\n");
    let files = disk.paths();
    assert_eq!(put(&lake, &keys, b"a,b\n"), first);
    assert_eq!(disk.paths(), files);
    let empty = put(&lake, &keys, b"");
    assert_eq!(lake.read_source(&keys, &empty).unwrap(), b"");
}
