//! A real meter's year: from the file to the footprint, and one line back to its bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use envora_domain::activities::Ref;
use envora_domain::decimal::Mass;
use envora_domain::figures::Figure;
use envora_domain::hash::Digest;
use envora_domain::time::Day;
use envora_ingest::footprint::{FootprintQuery, GroupBy, footprint};
use envora_ingest::trace::{LinePage, trace_activity, trace_figure};

use crate::house::{House, electricity, grant};

pub(crate) const MAPPING: &str = r#"
mapping = "estate-electricity"
format = "csv"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "b24"
source_code = "b24-electricity"
[[activity]]
period = { start = "datetime", format = "YYYY-MM-DD hh:mm:ss", length = "PT1H" }
quantity = { column = "equipment load [kWh]" }
"#;

pub(crate) fn year() -> FootprintQuery {
    FootprintQuery {
        from: Day::parse("2022-01-01").unwrap(),
        to: Day::parse("2023-01-01").unwrap(),
        group_by: None,
        filters: BTreeMap::default(),
        gwp_set: None,
        run: None,
        as_of: None,
    }
}

pub(crate) fn estate() -> House {
    let house = House::new();
    house.facility("b24", |_| {});
    house.source("b24-electricity", Some("b24"));
    house
}

const PAGE: LinePage = LinePage { after: 0, limit: 20 };

#[test]
fn a_year_of_a_meter_is_its_footprint_and_back() {
    let folder = PathBuf::from("../../examples/university-estate");
    let file = std::fs::read(folder.join("b24_electricity_2022.csv")).unwrap();
    let house = estate();
    let first = house.import("b24_electricity_2022.csv", &file, MAPPING);
    assert_eq!(first.counts.accepted + first.counts.rejected, 8_760);
    let again = house.import("b24_electricity_2022.csv", &file, MAPPING);
    assert_eq!(again.counts.duplicate, first.counts.accepted, "a file sent again doubles nothing");
    house.catch_up();

    let months = FootprintQuery { group_by: Some(GroupBy::Month), ..year() };
    let found = footprint(&house.parts, &grant(), &months).unwrap();
    assert_eq!(found.status, "current");
    let mass = |value: &str| Mass::parse_kg(value).unwrap();
    let sum: Mass =
        found.groups.iter().map(|group| mass(&group.totals.scope2_location.value)).sum();
    assert_eq!(sum.kg(), found.totals.scope2_location.value, "months add up to the year");
    // The year's kilowatt-hours, added up in hundredths, times the printed 0.19338 kg.
    let text = String::from_utf8(file.clone()).unwrap();
    let tenths: i128 = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(',')?.1.trim().replace('.', "").parse::<i128>().ok())
        .sum();
    assert_eq!(mass(&found.totals.scope2_location.value).units(), tenths * 19_338 * 1_000_000);

    let figure = Figure::parse(&found.totals.scope2_location.figure_id).unwrap();
    let trace = trace_figure(&house.parts, &grant(), &figure, PAGE).unwrap();
    assert_eq!(trace.replay, "equal");
    assert_eq!(trace.figure, found.totals.scope2_location);
    let line = trace.lines.data.first().unwrap();
    let origin = &line.origin;
    assert_eq!(origin.sha256, Some(Digest::of(&file).hex()));
    assert_eq!((origin.line, origin.text.as_deref()), (2, Some("2022-01-01 00:00:00,9.7")));
    let [from, to] = origin.byte_range.map(|at| usize::try_from(at).unwrap());
    assert_eq!(file.get(from..to), Some(&b"2022-01-01 00:00:00,9.7"[..]));
    let next = trace.lines.next_cursor.unwrap();
    assert_eq!(next, "20");
    let page = LinePage { after: 20, limit: 20 };
    let second = trace_figure(&house.parts, &grant(), &figure, page).unwrap();
    assert_ne!(second.lines.data, trace.lines.data);
    let told =
        trace_activity(&house.parts, &grant(), line.activity, envora_domain::gwp::GwpSet::Ar5);
    assert_eq!(told.unwrap().state, "counted");
}

#[test]
fn a_figure_keeps_its_digits_after_new_data() {
    let house = estate();
    house.submit(vec![electricity("a", "372.4", "2022-01-01T00:00:00Z")]);
    house.catch_up();
    let before = footprint(&house.parts, &grant(), &year()).unwrap();
    assert_eq!(before.totals.scope2_location.value, "72.014712");
    let mut void = electricity("b", "0", "2022-01-01T00:00:00Z");
    void.supersedes = Some("ext:a".to_owned());
    void.void = true;
    house.submit(vec![void, electricity("c", "1", "2022-02-01T00:00:00Z")]);
    house.catch_up();
    let after = footprint(&house.parts, &grant(), &year()).unwrap();
    assert_eq!(after.totals.scope2_location.value, "0.19338");
    let figure = Figure::parse(&before.totals.total_location_based.figure_id).unwrap();
    let trace = trace_figure(&house.parts, &grant(), &figure, PAGE).unwrap();
    assert_eq!(trace.figure, before.totals.total_location_based);
    assert_eq!(trace.replay, "equal");
    let parts: Mass = trace.parts.iter().map(|part| Mass::parse_kg(&part.value).unwrap()).sum();
    assert_eq!(parts.kg(), trace.figure.value, "parts of the past add up too");
}

#[test]
fn a_set_that_cells_do_not_keep_is_worked_out_from_the_rows() {
    let house = estate();
    house.submit(vec![electricity("a", "372.4", "2022-01-01T00:00:00Z")]);
    house.catch_up();
    let in_set = |set: &str| {
        let query = FootprintQuery { gwp_set: Some(set.to_owned()), ..year() };
        let found = footprint(&house.parts, &grant(), &query).unwrap();
        let figure = Figure::parse(&found.totals.scope2_location.figure_id).unwrap();
        let trace = trace_figure(&house.parts, &grant(), &figure, PAGE).unwrap();
        assert_eq!(
            (trace.replay.as_str(), &trace.figure),
            ("equal", &found.totals.scope2_location)
        );
        found.totals.scope2_location.value
    };
    assert_eq!(in_set("published"), "72.014712");
    assert_eq!(in_set("ar4"), "72.014712");
    assert_eq!(in_set("ar5"), "71.993965071141");
}

#[test]
fn what_does_not_count_is_shown_with_its_remedy() {
    let house = estate();
    let mut elsewhere = electricity("b", "1", "2022-02-01T00:00:00Z");
    elsewhere.facility = Some(Ref::Code("nowhere".to_owned()));
    let mut unknown = electricity("c", "1", "2022-02-01T00:00:00Z");
    "furlong_hours".clone_into(&mut unknown.unit);
    let mut counted = electricity("a", "1", "2022-01-01T00:00:00Z");
    counted.source = Some(Ref::Code("b24-electricity".to_owned()));
    house.submit(vec![counted, elsewhere, unknown]);
    house.catch_up();
    let found = footprint(&house.parts, &grant(), &year()).unwrap();
    let codes: Vec<(&str, u64)> =
        found.unresolved.iter().map(|group| (group.code.as_str(), group.activities)).collect();
    assert_eq!(codes, [("unknown_facility", 1), ("unknown_unit", 1)]);
    assert!(found.unresolved.iter().all(|group| !group.remedy.is_empty()));
    assert_eq!((found.coverage.present, found.coverage.expected), (1, 12));
    assert_eq!(found.coverage.missing.len(), 11);
    let later = FootprintQuery {
        from: Day::parse("2023-01-01").unwrap(),
        to: Day::parse("2024-01-01").unwrap(),
        ..year()
    };
    let found = footprint(&house.parts, &grant(), &later).unwrap();
    assert!(found.unresolved.is_empty(), "they are of another year");
}

#[test]
fn a_warning_counts_activities_and_not_their_slots() {
    let house = House::new();
    house.facility("b24", |_| {});
    let at = ["2022-01-01T00:00:00Z", "2022-01-01T01:00:00Z"];
    house.submit(vec![electricity("a", "1", at[0]), electricity("b", "2", at[1])]);
    house.catch_up();
    let found = footprint(&house.parts, &grant(), &year()).unwrap();
    let counts: Vec<(&str, u64)> =
        found.warnings.iter().map(|warning| (warning.code.as_str(), warning.activities)).collect();
    assert_eq!(counts, [("native_gwp_basis", 2), ("no_residual_mix", 2)]);
}

#[test]
fn a_facility_whose_grid_is_of_another_country_has_its_rows_wait_until_it_is_mended() {
    // Such a facility was stored before it would have been refused.
    let house = House::new();
    house.facility("b24", |fields| fields.grid = "CAMX".to_owned());
    house.submit(vec![electricity("a", "1000", "2022-01-03T00:00:00Z")]);
    house.catch_up();
    let found = footprint(&house.parts, &grant(), &year()).unwrap();
    let [group] = found.unresolved.as_slice() else { panic!("{:?}", found.unresolved) };
    assert_eq!((group.code.as_str(), group.activities), ("unknown_item", 1));
    assert!(group.remedy.contains("lies in US, not in GB"), "{}", group.remedy);
    assert!(group.remedy.contains("the country of b24"), "{}", group.remedy);
    assert_eq!(found.totals.total_location_based.value, "0");
    house.facility("b24", |_| {});
    house.catch_up();
    let found = footprint(&house.parts, &grant(), &year()).unwrap();
    assert!(found.unresolved.is_empty(), "{:?}", found.unresolved);
    assert_ne!(found.totals.total_location_based.value, "0");
}

/// What a footprint says of its choices: what is flagged, of how many, and which derived slots lack.
fn told(house: &House, query: &FootprintQuery) -> (Vec<(String, u64)>, BTreeMap<String, u64>) {
    let found = footprint(&house.parts, &grant(), query).unwrap();
    let warnings = found.warnings.into_iter().map(|warning| (warning.code, warning.activities));
    (warnings.collect(), found.coverage.derived_factor_missing)
}

#[test]
fn warnings_are_of_the_rows_in_the_question_alone() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.facility("us", |fields| fields.country = "US".to_owned());
    house.submit(vec![electricity("a", "1000", "2022-01-03T00:00:00Z")]);
    house.catch_up();
    let alone = told(&house, &year());
    assert_eq!(alone.0, [("native_gwp_basis".to_owned(), 1), ("no_residual_mix".to_owned(), 1)]);
    let american = |id: &str, at: &str| {
        let mut row = electricity(id, "1000", at);
        row.facility = Some(Ref::Code("us".to_owned()));
        row
    };
    house.submit(vec![american("b", "2023-01-03T12:00:00Z")]);
    house.catch_up();
    assert_eq!(told(&house, &year()), alone, "a row of another year says nothing of this one");
    let later = FootprintQuery {
        from: Day::parse("2023-01-01").unwrap(),
        to: Day::parse("2024-01-01").unwrap(),
        ..year()
    };
    let (codes, lacking) = told(&house, &later);
    assert!(codes.contains(&("region_fallback".to_owned(), 1)), "{codes:?}");
    assert_eq!(lacking.get("c3_tnd"), Some(&1));
    // Of the same year, and of another facility than the one that is asked for.
    house.submit(vec![american("c", "2022-01-04T12:00:00Z")]);
    house.catch_up();
    let filters = BTreeMap::from([("facility".to_owned(), vec!["b24".to_owned()])]);
    assert_eq!(told(&house, &FootprintQuery { filters, ..year() }), alone);
    let both = told(&house, &year());
    assert!(both.0.contains(&("no_residual_mix".to_owned(), 2)), "{both:?}");
}
