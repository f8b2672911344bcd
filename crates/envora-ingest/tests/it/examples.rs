//! The example files, and the real ones that they are taken from, through their mappings.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_ingest::check::{Report, check};
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_ingest::mapping::Mapping;

fn estate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/university-estate")
}

fn report(file: &Path, mapping: &str, set: &[(&str, &str)]) -> Report {
    let text = std::fs::read_to_string(estate().join(mapping)).unwrap();
    let mapping = Mapping::from_toml(&text).unwrap_or_else(|error| panic!("{mapping:?}: {error}"));
    let head = OriginHead::File { import: ImportId::from_bytes([1; 16]), file: Digest([2; 32]) };
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let set: BTreeMap<String, String> = set.iter().map(pair).collect();
    let opening = Opening { head, mapping: Some(Arc::new(mapping)), set };
    let reader = open(Format::Csv, Box::new(File::open(file).unwrap()), &opening);
    check(reader.unwrap_or_else(|error| panic!("{file:?}: {error}"))).unwrap()
}

#[test]
fn every_kind_of_bad_row_is_told_by_its_code() {
    let report = report(&estate().join("every-bad-row.csv"), "every-bad-row.toml", &[]);
    let codes: Vec<(u64, &str)> =
        report.problems.iter().map(|problem| (problem.row, problem.code.as_str())).collect();
    // Rows 15 and 16 wait for a facility and a source, which only the tenant's own tables know.
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
            (17, "unknown_unit"),
            (19, "external_id_conflict"),
            (21, "invalid_utf8"),
            (22, "malformed_row"),
        ]
    );
    for problem in &report.problems {
        assert!(problem.hint.as_ref().is_some_and(|hint| hint.len() > 8), "{problem:?}");
        assert_eq!(problem.line, problem.row + 1, "{problem:?}");
    }
    assert_eq!((report.rows, report.accepted, report.quarantined), (22, 3, 1));
    assert_eq!((report.rejected, report.duplicate, report.skipped), (17, 1, 0));
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
        assert_eq!((report.quarantined, report.duplicate, report.skipped), (0, 0, 0));
    }
}

#[test]
fn the_real_estate_is_read_through_the_same_mappings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/real/cambridge-university-estates");
    if !folder.is_dir() {
        eprintln!("SKIPPED the real estate: ../shared/data is absent");
        return;
    }
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
