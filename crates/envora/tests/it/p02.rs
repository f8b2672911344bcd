//! P02: an acknowledged activity survives a power cut: any subset of what was not synced may be gone.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use envora_testkit::counts::counted;
use envora_testkit::power_loss::{Cut, Replay, SYSCALLS};
use envora_testkit::scratch::scratch_folder;

use crate::fire::{Served, alone, breaches, new_folder, post, read_back, skip};

/// Rows of each request: few rows travel in the database, many in a file of their own.
const REQUESTS: &[usize] = &[1, 1, 3, 250, 1, 2, 200, 1, 300, 1, 1, 5, 220, 1, 2, 1, 260, 1, 1, 1];
/// Images that are looked at at the same time.
const EYES: usize = 2;

struct Outcome {
    images: u64,
    kinds: [u64; 4],
    breaches: Vec<String>,
}

fn ids(request: usize, rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("r{request:04}-{row:04}")).collect()
}

fn was_sent(id: &str) -> bool {
    let parts = id.strip_prefix('r').and_then(|rest| rest.split_once('-'));
    let numbers = parts.and_then(|(request, row)| {
        Some((request.parse::<usize>().ok()?, row.parse::<usize>().ok()?))
    });
    numbers.is_some_and(|(request, row)| REQUESTS.get(request).is_some_and(|rows| row < *rows))
}

/// What the program did on the disk while it answered all requests.
fn traced(folder: &Path, token: &str, bug: Option<&str>) -> String {
    let trace = folder.with_extension("trace");
    let filter = format!("trace={}", SYSCALLS.replace(char::is_whitespace, ""));
    let place = trace.to_str().unwrap();
    let follow = ["strace", "-f", "-qq", "-y", "-xx", "-s", "2000000", "-e", "signal=none"];
    let strace = [&follow[..], &["-e", &filter, "-o", place]].concat();
    let mut server = Served::start(folder, &strace, bug);
    for (number, rows) in REQUESTS.iter().enumerate() {
        assert!(post(server.port, token, &ids(number, *rows)), "request {number} is answered");
    }
    server.kill();
    std::fs::read_to_string(&trace).unwrap()
}

/// Traces the server through a few requests, then cuts the power at so many moments.
fn cut(images: u64, bug: Option<&str>) -> Outcome {
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut replay = Replay::from_folder(&folder).unwrap();
    let trace = traced(&folder, &token, bug);
    let mut steps = 0_u64;
    let mut counting = replay.clone();
    let count = |_: &Replay| {
        steps += 1;
        Ok(())
    };
    counting.run(&trace, count).unwrap();
    assert_eq!(counting.acks(), REQUESTS.len() as u64, "the trace shows every answer");
    let every = (steps / images.max(1)).max(1);
    // Where more images are due than there are moments, each has several.
    let each = images.div_ceil(steps.max(1)).max(1);
    let breaches = Mutex::new(Vec::new());
    let looked = AtomicU64::new(0);
    let (give, take) = sync_channel::<(Replay, Cut, u64)>(EYES);
    let take = Mutex::new(take);
    let mut kinds = [0; 4];
    std::thread::scope(|scope| {
        for eye in 0..EYES {
            let image = home.path().join(format!("image-{eye}"));
            let (take, breaches, looked) = (&take, &breaches, &looked);
            scope.spawn(move || {
                loop {
                    let Ok((now, cut, step)) = take.lock().unwrap().recv() else { return };
                    let found = look(&now, cut, &image);
                    looked.fetch_add(1, Ordering::Relaxed);
                    let at = format!("{cut:?} at step {step}, after {} answers", now.acks());
                    let found = found.into_iter().map(|breach| format!("{at}: {breach}"));
                    breaches.lock().unwrap().extend(found);
                }
            });
        }
        let (mut step, mut given) = (0, 0);
        let look = |now: &Replay| {
            step += 1;
            if step % every != 0 || !breaches.lock().unwrap().is_empty() {
                return Ok(());
            }
            for further in 0..each {
                given += 1;
                // With all and with nothing of what was unsynced there is one image of a moment.
                let kind = if further == 0 { given % 4 } else { 1 + given % 2 };
                let kind = usize::try_from(kind)?;
                let cut = [Cut::None, Cut::Some(given), Cut::Torn(given), Cut::All][kind];
                kinds[kind] += 1;
                give.send((now.clone(), cut, step))?;
            }
            Ok(())
        };
        replay.run(&trace, look).unwrap();
        drop(give);
    });
    Outcome { images: looked.into_inner(), kinds, breaches: breaches.into_inner().unwrap() }
}

fn look(now: &Replay, cut: Cut, image: &Path) -> Vec<String> {
    let _gone = std::fs::remove_dir_all(image);
    now.image(cut, image).unwrap();
    let answered = usize::try_from(now.acks()).unwrap();
    let acked = REQUESTS.iter().take(answered).enumerate().flat_map(|(n, rows)| ids(n, *rows));
    match read_back(image) {
        Ok(found) => breaches(&found, acked, was_sent),
        Err(error) => vec![error],
    }
}

fn strace_missing() -> bool {
    let there = Command::new("strace").arg("--version").output().is_ok();
    if !there {
        skip("p02", "apt-get install strace");
    }
    !there
}

#[test]
fn p02_acked_survives_power_loss() {
    let _alone = alone();
    if strace_missing() {
        return;
    }
    let images = counted(40, 1_000, 5_000);
    let outcome = cut(images, None);
    let [none, some, torn, all] = outcome.kinds;
    println!(
        "p02: {} images: {none} without what was unsynced, {some} with some of it, {torn} torn, {all} with all",
        outcome.images
    );
    assert_eq!(outcome.breaches, Vec::<String>::new());
    assert!(outcome.images >= images, "{} images", outcome.images);
}

#[track_caller]
fn catches(bug: &str) {
    let _alone = alone();
    if strace_missing() {
        return;
    }
    let outcome = cut(400, Some(bug));
    println!("p02: {bug} caught after {} images: {:?}", outcome.images, outcome.breaches.first());
    assert!(!outcome.breaches.is_empty(), "{} images did not show {bug}", outcome.images);
}

#[test]
fn p02_catches_skip_fsync() {
    catches("skip_fsync");
}

#[test]
fn p02_catches_skip_dir_fsync() {
    catches("skip_dir_fsync");
}

#[test]
fn p02_catches_sync_normal() {
    catches("sync_normal");
}
