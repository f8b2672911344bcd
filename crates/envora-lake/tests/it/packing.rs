//! Rows as they are sealed: packed by runs, and read by them.

use std::sync::Arc;

use envora_crypto::tenant::Object;
use envora_domain::activities::canonical::{RUN_ROWS, rows, rows_root, run_leaves};
use envora_domain::hash::{Digest, leaf_hash, unhex};
use envora_domain::ports::Place;
use envora_lake::fsck::{Fault, Manifest};
use envora_lake::packed::{NotPacked, Runs, pack};
use envora_testkit::disk::MemoryDisk;

use crate::world::{keys, lake, packed, segment};

/// Rows as alike as those of a file.
fn stream(count: usize) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut ends) = (Vec::new(), Vec::new());
    for row in 0..count {
        let text = format!("electricity.purchased of main-{} came to {row}.5", row % 7);
        stream.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        stream.extend_from_slice(text.as_bytes());
        ends.push(stream.len());
    }
    (stream, ends)
}

#[test]
fn rows_come_back_whole_and_run_by_run() {
    for count in [0, 1, 2, 255, 256, 257, 1_000] {
        let (plain, ends) = stream(count);
        let cut = rows(&plain).unwrap();
        let packed = pack(plain.clone(), &ends);
        assert_eq!(packed.root, rows_root(&cut), "{count} rows");
        assert!(packed.bytes.len() <= plain.len());
        assert!(count < 100 || packed.bytes.len() < plain.len() / 4, "{count} rows shrink");
        let runs = Runs::of(packed.bytes.clone()).unwrap();
        assert_eq!(runs.leaves().unwrap(), run_leaves(&cut));
        for (number, run) in cut.chunks(RUN_ROWS).enumerate() {
            assert_eq!(runs.run(number).unwrap(), run.concat());
        }
        assert_eq!(runs.run(cut.len().div_ceil(RUN_ROWS)), Err(NotPacked));
        assert_eq!(runs.whole().unwrap(), plain);
    }
}

#[test]
fn plain_rows_of_before_are_read_as_they_are() {
    let (plain, _) = stream(700);
    let cut = rows(&plain).unwrap();
    let runs = Runs::of(plain.clone()).unwrap();
    assert_eq!(runs.leaves().unwrap(), run_leaves(&cut));
    assert_eq!(runs.run(2).unwrap(), cut[512..].concat());
    assert_eq!(runs.whole().unwrap(), plain);
}

#[test]
fn the_vector_of_the_format_is_read() {
    let row = [vec![0, 0, 0, 40], vec![7; 40]].concat();
    let documented = include_str!("../../../../docs/formats/segment.md");
    let vector = documented.lines().rev().find(|line| !line.is_empty()).unwrap().trim();
    let runs = Runs::of(unhex(vector).unwrap()).unwrap();
    assert_eq!(runs.leaves().unwrap(), run_leaves(&[&row, &row]));
    assert_eq!(runs.whole().unwrap(), [row.clone(), row].concat());
}

#[test]
fn p18_spoiled_runs_are_refused_or_hash_to_something_else() {
    let (plain, ends) = stream(600);
    let packed = pack(plain.clone(), &ends);
    let leaves = run_leaves(&rows(&plain).unwrap());
    let (mut refused, mut others) = (0, 0);
    for byte in 0..packed.bytes.len() {
        for flip in [1, 0x40, 0x80, 0xff] {
            let mut bytes = packed.bytes.clone();
            bytes[byte] ^= flip;
            let Ok(runs) = Runs::of(bytes) else {
                refused += 1;
                continue;
            };
            // A flip in a frame is found by the leaf, one in a leaf by the root.
            let found: Vec<_> =
                (0..3).map(|run| runs.run(run).map(|rows| leaf_hash(&rows))).collect();
            let is_sound = found.iter().zip(&leaves).all(|(found, due)| found.as_ref() == Ok(due));
            if is_sound && runs.leaves().is_ok_and(|noted| noted == leaves) {
                assert_eq!(runs.whole().unwrap(), plain, "byte {byte}");
            } else {
                others += 1;
            }
        }
    }
    for length in 4..packed.bytes.len() {
        assert!(Runs::of(packed.bytes[..length].to_vec()).is_err(), "cut to {length}");
    }
    assert!(refused > 50 && others > 1_000, "{refused} refused, {others} others");
}

#[test]
fn a_run_is_read_only_under_the_segments_root() {
    let (lake, keys) = (lake(Arc::new(MemoryDisk::default())), keys());
    let (plain, ends) = stream(600);
    let packed_rows = pack(plain.clone(), &ends);
    let sealed = keys.seal(&Object::segment(segment(5)), &packed_rows.bytes);
    let manifest = Manifest {
        segment: segment(5),
        rows: 600,
        root: packed_rows.root,
        place: Place::Inline,
        inline: Some(sealed),
    };
    let opened = lake.open_segment(&keys, &manifest).unwrap();
    let cut = rows(&plain).unwrap();
    assert_eq!(opened.run(2).unwrap(), cut[512..].concat());
    assert!(opened.run(3).is_err());

    let other = Manifest { root: Digest([0; 32]), ..manifest.clone() };
    assert!(matches!(lake.open_segment(&keys, &other), Err(Fault::OtherRoot)));
    let fewer = Manifest { rows: 512, ..manifest.clone() };
    assert!(matches!(lake.open_segment(&keys, &fewer), Err(Fault::OtherRows)));
    let short = Manifest { rows: 599, ..manifest };
    let short = lake.open_segment(&keys, &short).unwrap();
    assert!(short.run(0).is_ok() && matches!(short.run(2), Err(Fault::OtherRows)));

    // A directory that names another leaf is not under the root; rows that are not under their leaf are
    // refused even when the directory is right.
    let (mut bytes, sound) = packed(600);
    bytes[16] ^= 1;
    let sealed = keys.seal(&Object::segment(segment(5)), &bytes);
    let lying = Manifest { inline: Some(sealed), ..sound };
    assert!(matches!(lake.open_segment(&keys, &lying), Err(Fault::OtherRoot)));
}
