//! The made-up rows of the bench: the same on every machine, as the committed manifest says, and every one
//! of them a row of the product's own schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;
use envora_domain::hash::Digest;
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_ingest::rows::ParsedRow;

#[path = "../../benches/product/rows.rs"]
mod rows;
#[path = "../../benches/product/write.rs"]
mod write;

use rows::{Purity, Row, Rows};

/// How many rows are hashed, and of how many they are the first.
const FIRST: usize = 10_000;
/// How many of them are read in every format.
const SOME: usize = 2_000;
const ALL: u64 = 5_000_000;

fn first(purity: Purity) -> impl Iterator<Item = Row> {
    Rows { purity, ..Rows::clean(ALL) }.all().take(FIRST)
}

fn file(rows: impl Iterator<Item = Row>, format: &str) -> Vec<u8> {
    let mut file = Vec::new();
    write::write(rows, format, &mut file).unwrap();
    file
}

fn parsed(bytes: Vec<u8>, format: Format) -> Vec<ParsedRow> {
    let head = OriginHead::Request { request_id: "bench".into(), body: [7; 32] };
    let opening = Opening {
        head,
        mapping: None,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let input = Box::new(std::io::Cursor::new(Bytes::from(bytes)));
    open(format, input, &opening).unwrap().map(Result::unwrap).collect()
}

/// Rows with flaws in a format, for other tests.
pub(crate) fn flawed(format: &str) -> Vec<u8> {
    file(first(Purity::Dirty), format)
}

/// What the reader makes of them.
pub(crate) fn flawed_read() -> Vec<ParsedRow> {
    parsed(flawed("ndjson"), Format::Ndjson)
}

#[test]
fn the_first_rows_are_those_of_the_manifest() {
    let mut found = String::new();
    for (purity, name) in [(Purity::Clean, "clean"), (Purity::Dirty, "dirty")] {
        for format in write::FORMATS {
            let digest = Digest::of(&file(first(purity), format)).hex();
            writeln!(found, "{digest}  {name}.{format}").unwrap();
        }
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/product/first-10000.txt");
    let due = std::fs::read_to_string(&manifest).unwrap_or_default();
    if found != due {
        std::fs::write(manifest.with_extension("txt.new"), &found).unwrap();
    }
    assert_eq!(found, due, "beside it is what was made: first-10000.txt.new");
}

#[test]
fn all_formats_say_the_same_and_clean_rows_are_accepted() {
    let of = |format, name: &str| parsed(file(first(Purity::Clean).take(SOME), name), format);
    let lines = of(Format::Ndjson, "ndjson");
    assert_eq!(lines.len(), SOME);
    let ids = |rows: &[ParsedRow]| -> Vec<_> {
        let each = rows.iter().map(|row| row.activity.as_ref().unwrap());
        each.map(|row| (row.external_id.clone(), row.quantity, row.period, row.qualifiers.clone()))
            .collect()
    };
    let due = ids(&lines);
    let different: BTreeSet<_> = due.iter().map(|(id, ..)| id.clone()).collect();
    assert_eq!(different.len(), SOME);
    for (format, name) in [
        (Format::Json, "json"),
        (Format::Csv, "csv"),
        (Format::Xml, "xml"),
        (Format::Parquet, "parquet"),
    ] {
        assert!(ids(&of(format, name)) == due, "{name}");
    }
}

#[test]
fn dirty_rows_are_the_clean_ones_and_some_with_flaws() {
    let rows = parsed(file(first(Purity::Dirty), "ndjson"), Format::Ndjson);
    let refused = rows.iter().filter(|row| row.activity.is_err()).count();
    let accepted = || rows.iter().filter_map(|row| row.activity.as_ref().ok());
    let unknown = accepted().filter(|row| row.unit == "x:furlong").count();
    let ids: BTreeSet<_> = accepted().map(|row| row.external_id.clone()).collect();
    let twice = accepted().count() - ids.len();
    let clean: BTreeSet<u64> = first(Purity::Clean).map(|row| row.id).collect();
    assert!(first(Purity::Dirty).all(|row| clean.contains(&row.id)));
    // Of ten thousand: 0.1 %, 0.1 % and 0.5 %.
    assert!((5..20).contains(&refused), "{refused} are refused");
    assert!((5..20).contains(&unknown), "{unknown} have an unknown unit");
    assert!((30..70).contains(&twice), "{twice} stand twice");
}

#[test]
fn the_bench_has_the_shape_that_is_told_of_it() {
    let rows: Vec<Row> = first(Purity::Clean).collect();
    let share = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count() * 100 / FIRST;
    assert!((9..=11).contains(&share(&|row| row.slots == 4)), "an hour long");
    assert!((9..=11).contains(&share(&|row| row.is_other_unit)), "in the other unit");
    assert!((29..=31).contains(&share(&|row| row.region.is_none())), "without labels");
    assert!((1..=3).contains(&share(&|row| row.is_odd)), "in another order");
    // The first hundred of 20,000 sources have about a third of the rows.
    assert!((29..=35).contains(&share(&|row| row.source < 100)), "of few sources");
    let works: BTreeSet<usize> = rows.iter().map(|row| row.work).collect();
    assert_eq!(works.len(), rows::WORKS.len());
    assert_eq!(rows::facilities().lines().count(), 201);
    assert_eq!(rows::sources().lines().count(), 20_001);
}
