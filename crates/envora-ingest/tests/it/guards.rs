//! What a row takes from its bytes to its sums: instructions and allocations, counted and not timed, so that
//! neither can creep up. Speed itself is measured by `cargo xtask bench`.
//!
//! The whole of the way is in it: reading, verdicts, sealing, the commit, choices and sums, on the threads on
//! which they are. What a process takes before its first row falls out: of two runs the difference counts.

use std::process::Stdio;

use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_ingest::commit::Batch;
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_store::imports::Mode;
use envora_testkit::child::{command, task};
use envora_testkit::wait::skipped;

use crate::allocations::{counted, ndjson_of};
use crate::house::House;

/// Rows of the shorter and the longer run.
const ROWS: [usize; 2] = [1_000, 3_000];
/// Instructions of a row in an unoptimized build, by valgrind's count.
const INSTRUCTIONS: u64 = 320_000;
/// Allocations of ten thousand rows on the thread that takes them in and calculates.
const ALLOCATIONS: u64 = 91_000;
/// Counts differ by the seeds of hash tables and by what a processor can do; what is above is more work.
const MORE_MAX: f64 = 1.1;

fn house() -> House {
    let house = House::new();
    for number in 0..7 {
        house.facility(&format!("b{number}"), |_| {});
    }
    for meter in 0..97 {
        house.source(&format!("b-{meter}"), Some(&format!("b{}", meter % 7)));
    }
    house
}

/// Takes so many rows in and calculates them.
fn take(house: &House, bytes: &'static [u8], rows: u64) {
    let head = OriginHead::File { import: ImportId::from_bytes([3; 16]), file: Digest::of(bytes) };
    let opening = Opening {
        head,
        mapping: None,
        set: Default::default(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let mut batch = Batch::new(Vec::new(), Mode::Partial);
    batch.rows = open(Format::Ndjson, Box::new(bytes), &opening).unwrap().into();
    assert_eq!(house.submit_batch(batch).counts.accepted, rows);
    house.catch_up();
}

fn ndjson(rows: usize) -> &'static [u8] {
    ndjson_of(rows).leak()
}

#[test]
fn child_that_takes_rows_in() {
    let Some(task) = task() else { return };
    let rows: usize = task.parse().unwrap();
    take(&house(), ndjson(rows), rows as u64);
}

/// Instructions of a whole process that takes so many rows in; nothing where nobody counts them.
fn instructions(rows: usize) -> Option<u64> {
    let count =
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
    let child = command(&count, "guards::child_that_takes_rows_in", &rows.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}");
    let line = text.lines().find(|line| line.contains("I   refs:") || line.contains("I refs:"));
    let digits: String = line?.rsplit(':').next()?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "what was counted is told with --nocapture")]
fn is_no_more(what: &str, counted: u64, known: u64) {
    println!("{what}: {counted}, known are {known}");
    let most = known as f64 * MORE_MAX;
    assert!(
        counted as f64 <= most,
        "{what}: {counted}, a tenth more than the {known} of before. Find what it is, or say here why it is worth it"
    );
}

#[test]
fn a_row_takes_no_more_instructions_than_it_did() {
    let [few, many] = ROWS;
    let (Some(few_took), Some(many_took)) = (instructions(few), instructions(many)) else {
        return skipped("instructions of a row", "apt-get install valgrind");
    };
    is_no_more(
        "instructions of a row",
        many_took.saturating_sub(few_took) / (many - few) as u64,
        INSTRUCTIONS,
    );
}

#[test]
fn ten_thousand_rows_ask_for_memory_no_more_often_than_they_did() {
    let house = house();
    // What the first rows make once is not a row's.
    take(&house, ndjson(100), 100);
    let bytes = ndjson_of(10_100).leak();
    let rest = bytes.split_inclusive(|byte| *byte == b'\n').take(100).map(<[u8]>::len).sum();
    let (_, bytes) = bytes.split_at(rest);
    let took = counted(|| take(&house, bytes, 10_000));
    is_no_more("allocations of ten thousand rows", took, ALLOCATIONS);
}
