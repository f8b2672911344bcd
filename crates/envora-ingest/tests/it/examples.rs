//! The example files, and the real ones that they are taken from, through their mappings.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use envora_domain::activities::problems::{Effect, RowCode};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_ingest::check::{Known, Report, check};
use envora_ingest::formats::{Format, LINE_BYTES_MAX, Opening, OriginHead, open};
use envora_ingest::mapping::Mapping;
use envora_ingest::registry::Wanted;

use crate::tables::real_files;

fn estate() -> PathBuf {
    PathBuf::from("../../examples/university-estate")
}

fn opening(mapping: Option<&str>, set: &[(&str, &str)]) -> Opening {
    let read = |name| std::fs::read_to_string(estate().join(name)).unwrap();
    let mapping = mapping.map(|name| {
        let mapping = Mapping::from_toml(&read(name));
        Arc::new(mapping.unwrap_or_else(|error| panic!("{name}: {error}")))
    });
    let head = OriginHead::File { import: ImportId::from_bytes([1; 16]), file: Digest([2; 32]) };
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Opening {
        head,
        mapping,
        set: set.iter().map(pair).collect(),
        local_times: Default::default(),
        clocks: Default::default(),
    }
}

fn report(file: &Path, mapping: &str, set: &[(&str, &str)]) -> Report {
    let input = Box::new(File::open(file).unwrap());
    let format = Format::of_name(&file.to_string_lossy()).unwrap();
    let reader = open(format, input, &opening(Some(mapping), set));
    check(reader.unwrap_or_else(|error| panic!("{file:?}: {error}")), None).unwrap()
}

/// The estate's own facilities and sources.
fn known() -> Known {
    let codes = |name: &str| {
        let text = std::fs::read_to_string(estate().join(name)).unwrap();
        let codes = text.lines().skip(1).filter_map(|line| line.split(',').next());
        codes.map(str::to_owned).collect()
    };
    Known::from([
        (Wanted::Facility, codes("facilities.csv")),
        (Wanted::Source, codes("sources.csv")),
    ])
}

#[test]
fn each_file_of_an_organizations_year_is_read_in_its_own_shape() {
    for (file, mapping, accepted, totals, left_out) in [
        ("fuel-cards.csv", "fuel-cards", 172, 1, 11),
        ("oil-used.csv", "oil-used", 24, 0, 0),
        ("refrigerant-log.csv", "refrigerant-log", 8, 0, 0),
        ("water-bills.csv", "water-bills", 16, 0, 0),
        ("purchased-goods.csv", "purchased-goods", 12, 0, 0),
        ("freight-list.csv", "freight-list", 10, 0, 0),
        ("waste-transfer-notes.csv", "waste-transfer-notes", 66, 5, 0),
        ("business-travel.csv", "business-travel", 106, 0, 1),
        ("commuting-survey.csv", "commuting-survey", 7, 0, 2),
        ("homeworking.csv", "homeworking", 12, 0, 0),
        ("council-ledger-2022-02.csv", "council-ledger", 1_356, 0, 0),
        ("taxi-account.xlsx", "taxi-account", 24, 1, 0),
    ] {
        let folder = estate().join("../organization-year");
        let mapping = format!("../organization-year/{mapping}.toml");
        let report = report(&folder.join(file), &mapping, &[]);
        let sums =
            report.problems.iter().all(|problem| problem.code.as_str() == "looks_like_total");
        assert!(sums, "{file}: {:?}", report.problems);
        assert_eq!((report.accepted, report.rejected), (accepted, totals), "{file}");
        assert_eq!((report.duplicate, report.quarantined), (0, 0), "{file}");
        assert_eq!(report.left.rows, left_out, "{file}");
    }
}

#[test]
fn each_half_hour_of_a_wide_table_is_a_row_and_its_total_is_none() {
    let folder = estate().join("../school-half-hours");
    let mapping = "../school-half-hours/school-half-hours.toml";
    let report = report(&folder.join("half-hours-2019-11-13.csv"), mapping, &[]);
    assert_eq!((report.accepted, report.rejected, report.left.rows), (240, 0, 0));
}

#[test]
fn every_kind_of_bad_row_is_told_by_its_code() {
    let file = estate().join("every-bad-row.csv");
    let input = Box::new(File::open(&file).unwrap());
    let reader = open(Format::Csv, input, &opening(Some("every-bad-row.toml"), &[])).unwrap();
    let report = check(reader, Some(&known())).unwrap();
    let codes: Vec<(u64, &str)> =
        report.problems.iter().map(|problem| (problem.row, problem.code.as_str())).collect();
    // Row 30 replaces what row 29 has replaced: only what is stored can tell.
    assert_eq!(
        codes,
        [
            (1, "not_a_number"),
            (2, "not_a_number"),
            (3, "missing_field"),
            (4, "not_a_number"),
            (5, "too_many_digits"),
            (6, "negative_not_allowed"),
            (7, "unit_mismatch"),
            (8, "unit_ambiguous"),
            (9, "unit_ambiguous"),
            (10, "unknown_type"),
            (11, "period_reversed"),
            (12, "local_time_missing"),
            (13, "local_time_ambiguous"),
            (14, "wrong_type"),
            (15, "unknown_facility"),
            (16, "unknown_source"),
            (17, "unknown_unit"),
            (19, "external_id_conflict"),
            (21, "invalid_utf8"),
            (22, "malformed_row"),
            (23, "scope_not_allowed"),
            (24, "looks_like_total"),
            (25, "unknown_field"),
            (26, "unknown_item"),
            (27, "unknown_currency"),
            (28, "reading_mismatch"),
            (31, "unknown_supplier"),
            (32, "unknown_entity"),
        ]
    );
    for problem in &report.problems {
        assert!(problem.hint.as_ref().is_some_and(|hint| hint.len() > 8), "{problem:?}");
        assert_eq!(problem.line, problem.row + 1, "{problem:?}");
    }
    assert_eq!((report.rows, report.accepted, report.quarantined), (33, 4, 7));
    assert_eq!((report.rejected, report.duplicate, report.left.rows), (21, 1, 0));
}

#[test]
fn every_code_that_can_occur_is_shown_by_an_example() {
    let mut shown = BTreeSet::new();
    let mut look = |format, mapping, bytes: Vec<u8>| {
        let reader = open(format, Box::new(bytes.as_slice()), &opening(mapping, &[])).unwrap();
        shown.extend(check(reader, Some(&known())).unwrap().codes.into_keys());
    };
    let csv = std::fs::read(estate().join("every-bad-row.csv")).unwrap();
    let ndjson = std::fs::read(estate().join("every-bad-row.ndjson")).unwrap();
    look(Format::Csv, Some("every-bad-row.toml"), csv);
    look(Format::Ndjson, None, ndjson);
    // A line of a mebibyte is not worth its place in the example.
    look(Format::Ndjson, None, vec![b'x'; LINE_BYTES_MAX + 1]);
    let stored = |code: &RowCode| code.effect() != Effect::Unresolve;
    let all: BTreeSet<RowCode> = RowCode::ALL.iter().copied().filter(stored).collect();
    let missing: Vec<&str> = all.difference(&shown).map(|code| code.as_str()).collect();
    // No row of the example has a share; what a source is for and what was replaced are the commit's
    // affair, and the example has both.
    let later = ["shares_not_100", "source_mismatch", "already_superseded"];
    assert_eq!(missing, later);
}

#[test]
fn like_problems_are_one_group_and_named_words_are_counted() {
    let file = "type,start,end,quantity,unit,facility_code,external_id\n";
    let row = |hour: u32, quantity: &str, place: &str| {
        let (from, to) = (hour % 23, hour % 23 + 1);
        format!(
            "electricity.purchased,2022-07-01T{from:02}:00:00Z,2022-07-01T{to:02}:00:00Z,{quantity},kW.h,{place},id-{hour}\n"
        )
    };
    let rows = (0..40).map(|hour| row(hour, if hour < 30 { "NaN" } else { "1" }, "b24"));
    let last = [row(40, "1e3", "b24"), row(41, "2", "nowhere")];
    let text: String = core::iter::once(file.to_owned()).chain(rows).chain(last).collect();
    let open = || open(Format::Csv, Box::new(text.as_bytes()), &opening(None, &[])).unwrap();
    let report = check(open(), Some(&known())).unwrap();
    let groups: Vec<(&str, u64, &[u64])> = report
        .groups
        .iter()
        .map(|group| (group.first.code.as_str(), group.problems, group.lines.as_slice()))
        .collect();
    assert_eq!(
        groups,
        [
            ("not_a_number", 30, [2, 3, 4, 5, 6].as_slice()),
            ("not_a_number", 1, &[42]),
            ("unknown_facility", 1, &[43]),
        ]
    );
    let first = report.groups.first().unwrap();
    let start = usize::try_from(first.offset).unwrap();
    let range = start..start + usize::try_from(first.length).unwrap();
    assert_eq!(&text[range], text.lines().nth(1).unwrap(), "the line as it stands");
    assert_eq!((report.accepted, report.quarantined, report.rejected), (10, 1, 31));
    let unasked = check(open(), None).unwrap();
    assert_eq!((unasked.accepted, unasked.quarantined), (11, 0));
    let named: Vec<(&str, u64, u64)> = unasked.named[&Wanted::Facility]
        .words
        .iter()
        .map(|(word, naming)| (word.as_str(), naming.rows, naming.line))
        .collect();
    assert_eq!(named, [("b24", 10, 32), ("nowhere", 1, 43)]);
}

#[test]
fn the_example_meters_are_read_without_a_loss() {
    for (carrier, mapping) in
        [("electricity", "estate-electricity.toml"), ("gas", "estate-gas.toml")]
    {
        let file = estate().join(format!("b44_{carrier}_2022.csv"));
        let source = format!("b44-{carrier}");
        let report = report(&file, mapping, &[("facility_code", "b44"), ("source_code", &source)]);
        assert_eq!((report.rows, report.accepted, report.rejected), (8_760, 8_760, 0));
        assert_eq!((report.quarantined, report.duplicate, report.left.rows), (0, 0, 0));
    }
}

#[test]
fn the_real_estate_is_read_through_the_same_mappings() {
    let Some(folder) = real_files() else { return };
    let folder = folder.join("cambridge-university-estates");
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mapping = match name.trim_end_matches(".csv").rsplit_once("_2022") {
            Some((start, "")) if start.ends_with("_electricity") => "estate-electricity.toml",
            Some((start, "")) if start.ends_with("_gas") => "estate-gas.toml",
            _ => continue,
        };
        let report = report(&path, mapping, &[("facility_code", "f"), ("source_code", "s")]);
        assert_eq!(report.rows, 8_760, "{name}");
        assert_eq!(report.rejected + report.quarantined, 0, "{name}: {:?}", report.problems);
        files += 1;
    }
    assert!(files >= 12, "{files} files");
}
