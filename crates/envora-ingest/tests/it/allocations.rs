//! How often memory is asked for: what a row costs is counted, not timed, so that it cannot creep up.
#![expect(unsafe_code, reason = "a counting allocator can be written in no other way")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::Timestamp;
use envora_ingest::formats::{Format, Opening, OriginHead, Reader, open};
use envora_ingest::mapping::Mapping;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending counts no more.
    let _ended = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's own promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Rows of a measurement.
const ROWS: usize = 10_000;

/// How often this thread asks for memory meanwhile.
pub(crate) fn counted(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

/// Readings of 97 meters in seven buildings, a quarter of an hour each.
pub(crate) fn ndjson_of(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let start = Timestamp::from_micros(1_640_995_200_000_000 + 900_000_000 * (row as i64));
        let end = Timestamp::from_micros(start.as_micros() + 900_000_000);
        let (meter, unit) = (row % 97, if row % 10 == 0 { "MWh" } else { "kWh" });
        writeln!(
            text,
            r#"{{"external_id":"r-{row:07}","type":"electricity.purchased","quantity":"{}.{:03}","unit":"{unit}","start":"{start}","end":"{end}","facility_code":"b{}","source_code":"b-{meter}","tags":{{"cost_centre":"{}"}}}}"#,
            row % 500, row % 1000, meter % 7, meter % 5
        )
        .unwrap();
    }
    text.into_bytes()
}

fn csv() -> Vec<u8> {
    let mut text = "at,load\n".to_owned();
    for row in 0..ROWS {
        let start = Timestamp::from_micros(1_640_995_200_000_000 + 3_600_000_000 * (row as i64));
        let start = start.to_string().replace('T', " ").replace('Z', "");
        writeln!(text, "{start},{}.{}", row % 500 + 1, row % 10).unwrap();
    }
    text.into_bytes()
}

const HOURLY: &str = r#"
mapping = "hourly"
format = "csv"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "b24"
source_code = "b24-electricity"
[[activity]]
period = { start = "at", format = "YYYY-MM-DD hh:mm:ss", length = "PT1H" }
quantity = { column = "load" }
zero_run_missing = "PT168H"
"#;

fn reader<'a>(format: Format, bytes: &'a [u8]) -> Reader<'a> {
    let head = OriginHead::File { import: ImportId::from_bytes([3; 16]), file: Digest::of(bytes) };
    let mapping = Mapping::from_toml(HOURLY).unwrap();
    let mapping = (format == Format::Csv).then(|| Arc::new(mapping));
    open(
        format,
        Box::new(bytes),
        &Opening {
            head,
            mapping,
            set: BTreeMap::new(),
            local_times: Default::default(),
            clocks: Default::default(),
        },
    )
    .unwrap()
}

/// Counts what it takes to look at all rows, and to take all of them.
#[track_caller]
fn check(format: Format, bytes: &[u8], (look_max, take_max): (u64, u64)) {
    // Tables that the process makes once are not a row's.
    reader(format, bytes).each(|_| {}).unwrap();
    let mut looked = 0;
    let mut looking = reader(format, bytes);
    let look = counted(|| looking.each(|row| looked += usize::from(row.activity.is_ok())).unwrap());
    let mut taking = reader(format, bytes);
    let mut rows = Vec::with_capacity(ROWS);
    let take = counted(|| rows.extend(taking.by_ref().map(|row| row.unwrap())));
    assert_eq!((looked, rows.len()), (ROWS, ROWS));
    let tiers = looking.tiers();
    assert!(tiers.fast + 10 > ROWS as u64, "{tiers:?}");
    assert!(look <= look_max, "{look} allocations to look at {ROWS} rows, {look_max} at most");
    assert!(take <= take_max, "{take} allocations to take {ROWS} rows, {take_max} at most");
    let mut buffer = Vec::with_capacity(1 << 20);
    let encode = counted(|| {
        for row in &rows {
            buffer.clear();
            row.activity.as_ref().unwrap().canonical_onto(&mut buffer);
        }
    });
    assert_eq!(encode, 0, "canonical rows go into the buffer that is there");
}

#[test]
fn rows_with_known_words_ask_for_no_memory() {
    // What each of the 97 meters says alike is made once.
    check(Format::Ndjson, &ndjson_of(ROWS), (1_200, 101_000));
    check(Format::Csv, &csv(), (1_000, 71_000));
}
