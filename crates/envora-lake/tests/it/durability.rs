//! What the lake has said is durable is there after a power cut, and a lake that leaves a sync out is
//! caught.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use envora_domain::planted;
use envora_domain::ports::Place;
use envora_lake::segments::{Known, Orphans};
use envora_testkit::disk::MemoryDisk;

use crate::world::{frame, keys, lake, put, segment};

#[test]
fn p02_a_group_survives_a_power_cut() {
    let disk = Arc::new(MemoryDisk::default());
    let lake = lake(disk.clone());
    let group = [frame(1, 40_000), frame(2, 100), frame(3, 3_000_000)];
    let places = lake.append_and_sync(&group).unwrap();
    disk.crash();
    for (frame, place) in group.iter().zip(&places) {
        let inline = matches!(place, Place::Inline).then_some(frame.sealed.as_slice());
        assert_eq!(lake.read(place, inline).unwrap(), frame.sealed);
    }
}

#[test]
fn p02_a_source_file_and_a_block_survive_a_power_cut() {
    let disk = Arc::new(MemoryDisk::default());
    let (lake, keys) = (lake(disk.clone()), keys());
    let digest = put(&lake, &keys, b"datetime,kWh\n");
    let run = envora_domain::id::RunId::from_bytes([4; 16]);
    let place = lake.put_block(run, 7, &vec![1; 50_000]).unwrap();
    disk.crash();
    assert_eq!(lake.read_source(&keys, &digest).unwrap(), b"datetime,kWh\n");
    assert_eq!(lake.read(&place, None).unwrap(), vec![1; 50_000]);
}

#[test]
fn p02_a_long_answer_survives_a_power_cut_and_no_other_bytes_pass_for_it() {
    let disk = Arc::new(MemoryDisk::default());
    let lake = lake(disk.clone());
    let (one, two) = (vec![1; 70_000], vec![2; 70_000]);
    let (first, second) = (lake.put_answer(&one).unwrap(), lake.put_answer(&two).unwrap());
    disk.crash();
    assert_eq!((lake.read_answer(&first).unwrap(), lake.read_answer(&second).unwrap()), (one, two));
    disk.flip(&Path::new("tenant").join(&first), 69_999);
    let invalid = |path: &str| lake.read_answer(path).unwrap_err().kind();
    assert_eq!(invalid(&first), ErrorKind::InvalidData);
    for odd in ["answers/../../keys/seal", "sources/ab", "answers/ab.ans", "answers/", ""] {
        assert_eq!(invalid(odd), ErrorKind::InvalidData, "{odd}");
    }
    lake.remove_answers(&[first.clone(), second.clone()]).unwrap();
    lake.remove_answers(&[first, second.clone()]).unwrap();
    assert_eq!(invalid(&second), ErrorKind::NotFound);
}

#[test]
fn what_a_crash_left_half_written_is_swept() {
    let disk = Arc::new(MemoryDisk::default());
    let lake = lake(disk.clone());
    lake.append_and_sync(&[frame(1, 40_000), frame(2, 40_000)]).unwrap();
    for staged in ["tenant/sources/ab.new", "tenant/tmp/upload"] {
        envora_domain::ports::Disk::create(&*disk, staged.as_ref(), b"half").unwrap();
    }
    let (kept, lost) = (lake.put_answer(b"kept").unwrap(), lake.put_answer(b"lost").unwrap());
    let known = Known { segment: &|id| id == segment(1), answer: &|path| path == kept };
    let orphan = format!("segments/{}.seg", segment(2).hex());
    let swept = lake.sweep(known, Orphans::Keep).unwrap();
    assert_eq!(swept.staging, ["sources/ab.new", "tmp/upload"]);
    assert_eq!(swept.orphans, [orphan.clone(), lost.clone()]);
    let swept = lake.sweep(known, Orphans::Remove).unwrap();
    assert_eq!((swept.staging, swept.orphans), (vec![], vec![orphan, lost]));
    let swept = lake.sweep(known, Orphans::Keep).unwrap();
    assert!(swept.orphans.is_empty());
    assert_eq!(disk.paths().len(), 2, "the known segment and the known answer stay");
}

/// The suite proves that it can fail: without a sync the first test must not pass. Each bug is armed
/// in a process of its own.
#[test]
fn p02_a_lake_that_skips_a_sync_is_caught() {
    let me = "durability::p02_a_lake_that_skips_a_sync_is_caught";
    let bugs = ["skip_fsync", "skip_dir_fsync"];
    if let Some(bug) = std::env::args().find(|argument| bugs.contains(&argument.as_str())) {
        planted::arm(&bug);
        p02_a_group_survives_a_power_cut();
        return;
    }
    for bug in bugs {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", me, bug])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(text.contains("running 1 test"), "the armed run found its test: {text}");
        assert!(!run.status.success(), "{bug} passed the suite");
    }
}
