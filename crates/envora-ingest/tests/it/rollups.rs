//! Rollups: stored sums are told apart as far as a question asks, come to the same whichever are read, and
//! runs that began before they were kept go on.

use std::fmt::Write as _;

use envora_api::footprints::{Footprint, Point};
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::decimal::Mass;
use envora_domain::figures::Figure;
use envora_domain::time::Day;
use envora_ingest::footprint::series::{Interval, series};
use envora_ingest::footprint::{FootprintQuery, GroupBy, footprint};
use envora_ingest::trace::{LinePage, trace_figure};
use envora_store::value::exact_to_bytes;

use crate::estate::year;
use crate::house::{House, electricity, grant};
use crate::processing::cells;

fn row(id: &str, start: &str, source: &str) -> Activity {
    let mut row = electricity(id, "1000", start);
    // Its source says where it is.
    (row.facility, row.source) = (None, Some(Ref::Code(source.to_owned())));
    row
}

/// Rows of two places on a few days, one of them over the end of a month.
fn house() -> House {
    let house = House::new();
    house.facility("b24", |_| {});
    house.facility("b25", |_| {});
    house.source("one", Some("b24"));
    house.source("two", Some("b25"));
    let mut long = row("long", "2022-01-20T00:00:00Z", "one");
    long.period = Period::Days {
        first: Day::parse("2022-01-20").unwrap(),
        last: Day::parse("2022-03-11").unwrap(),
    };
    let mut fuel = row("fuel", "2022-02-01T00:00:00Z", "two");
    fuel.kind = "fuel.combusted.stationary".to_owned();
    fuel.unit = "kW.h.x:gross".to_owned();
    fuel.qualifiers.insert("fuel".to_owned(), "natural_gas".to_owned());
    house.submit(vec![
        long,
        fuel,
        row("a", "2022-01-03T00:00:00Z", "one"),
        row("b", "2022-02-03T00:00:00Z", "two"),
        row("c", "2022-02-03T04:00:00Z", "two"),
    ]);
    house.catch_up();
    house
}

fn asked(house: &House, query: &FootprintQuery) -> Footprint {
    footprint(&house.parts, &grant(), query).unwrap()
}

fn days(from: &str, to: &str) -> FootprintQuery {
    let day = |text: &str| Day::parse(text).unwrap();
    FootprintQuery { from: day(from), to: day(to), ..year() }
}

/// What a footprint says, however it is divided: everything but its groups.
fn undivided(found: Footprint) -> Footprint {
    Footprint { groups: Vec::new(), ..found }
}

#[test]
fn what_is_told_apart_changes_no_digit() {
    let house = house();
    for query in [year(), days("2022-01-21", "2022-03-02"), days("2022-02-03", "2022-02-04")] {
        let whole = asked(&house, &query);
        assert_ne!(whole.totals.total_location_based.value, "0");
        for by in GroupBy::ALL {
            let divided = asked(&house, &FootprintQuery { group_by: Some(by), ..query.clone() });
            assert!(!divided.groups.is_empty(), "{by:?}");
            assert_eq!(undivided(divided), whole, "{by:?}");
        }
        // The days of a period add up to it, by whichever sums they are read.
        let points = |interval| {
            let found = series(&house.parts, &grant(), &query, interval).unwrap();
            let kg = |point: &Point| Mass::parse_kg(&point.total_location_based.value).unwrap();
            found.points.iter().map(kg).sum::<Mass>()
        };
        let due = points(Interval::Day);
        assert_eq!((points(Interval::Month), points(Interval::Year)), (due, due));
        assert_eq!(due.kg(), whole.totals.total_location_based.value);
    }
}

#[test]
fn each_place_has_its_own_months() {
    let house = house();
    let of = |field: &str, word: &str| {
        let filters = [(field.to_owned(), vec![word.to_owned()])].into();
        asked(&house, &FootprintQuery { filters, ..year() }).totals.total_location_based.value
    };
    assert_eq!(of("source", "one"), of("facility", "b24"));
    assert_eq!(of("source", "two"), of("facility", "b25"));
    let whole = asked(&house, &year());
    assert_eq!(whole.coverage.present, 3 + 1, "{:?}", whole.coverage);
    let missing: Vec<&str> =
        whole.coverage.missing.iter().map(|missing| missing.month.as_str()).collect();
    assert_eq!(missing.len(), 24 - 4);
    let filters = [("type".to_owned(), vec!["fuel.combusted.stationary".to_owned()])].into();
    assert_eq!(asked(&house, &FootprintQuery { filters, ..year() }).coverage.present, 1);
}

#[test]
fn a_changed_sum_is_found_in_every_grain() {
    for grain in 0..3 {
        for change in ["UPDATE rollup SET masses = zeroblob(length(masses))", "DELETE FROM rollup"]
        {
            let house = house();
            assert!(house.recount().differences.is_empty());
            house.by_hand(&format!("{change} WHERE grain = {grain} AND number = (SELECT max(number) FROM rollup WHERE grain = {grain})"));
            let found = house.recount();
            assert!(!found.differences.is_empty(), "{change} of grain {grain}");
        }
    }
}

/// Puts everything that was calculated where it was before sums were kept by group.
fn as_before(house: House) -> House {
    let kept = cells(&house);
    for (key, value) in &kept {
        house.by_hand(&insert(key, value));
    }
    house.by_hand(
        "INSERT INTO chosen SELECT s.run_id, s.day, g.facility_id, g.source_id, g.why, sum(s.activities)
         FROM rollup s JOIN rollup_group g ON g.run_id = s.run_id AND g.number = s.number
         WHERE s.grain = 0 AND s.activities > 0
         GROUP BY s.run_id, s.day, g.facility_id, g.source_id, g.why",
    );
    for table in ["rollup", "rollup_group", "rollup_form"] {
        house.by_hand(&format!("DELETE FROM {table}"));
    }
    let house = house.reopen();
    assert_eq!(cells(&house), kept);
    house
}

fn insert(key: &CellKey, value: &CellValue) -> String {
    let hex = |bytes: &[u8]| {
        let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        });
        format!("X'{digits}'")
    };
    let exact = |units: i128| hex(&exact_to_bytes(units));
    let co2e = value.co2e.map(|co2e| co2e.map_or("NULL".to_owned(), |co2e| exact(co2e.units())));
    format!(
        "INSERT INTO cell SELECT run_id, {}, {}, {}, '{}', '{}', {}, {}, {}, '{}', '{}', '{}', '{}',
         {}, '{}', {}, {}, {}, {} FROM run WHERE state = 'current'",
        key.day.number(),
        hex(&key.facility),
        hex(&key.source),
        key.kind,
        key.slot,
        key.scope,
        key.category,
        key.market.number(),
        key.bucket,
        key.gas.as_str(),
        key.carbon,
        key.basis,
        key.tier,
        key.data_kind,
        key.primary.number(),
        exact(value.kg.units()),
        value.count,
        co2e.join(", "),
    )
}

#[test]
fn a_run_of_before_goes_on_to_the_digit() {
    let now = house();
    let then = as_before(house());
    let same = |of: &str| {
        for by in [None, Some(GroupBy::Month), Some(GroupBy::Source)] {
            let query = FootprintQuery { group_by: by, ..year() };
            let one = |house: &House| {
                let found = asked(house, &query);
                let groups = found.groups.into_iter().map(|group| group.totals.scope3.value);
                let groups: Vec<String> = groups.collect();
                let codes = found.warnings.into_iter().map(|found| (found.code, found.activities));
                let codes: Vec<(String, u64)> = codes.collect();
                (found.totals.total_location_based.value, groups, found.coverage, codes)
            };
            assert_eq!(one(&then).0, one(&now).0, "{of} {by:?}");
            assert_eq!(one(&then).1, one(&now).1, "{of} {by:?}");
            assert_eq!(one(&then).2.present, one(&now).2.present, "{of} {by:?}");
            assert_eq!(one(&then).3, one(&now).3, "{of} {by:?}");
        }
    };
    same("as it was");
    // A row of before is corrected, another comes: the old cells stay, and the sums take out and add.
    for house in [&now, &then] {
        let mut right = row("right", "2022-01-03T00:00:00Z", "one");
        right.supersedes = Some("ext:a".to_owned());
        house.submit(vec![right, row("d", "2022-05-03T00:00:00Z", "one")]);
        let mut elsewhere = row("elsewhere", "2022-06-03T00:00:00Z", "two");
        elsewhere.supersedes = Some("ext:c".to_owned());
        house.submit(vec![elsewhere]);
        house.catch_up();
        assert!(house.recount().differences.is_empty());
    }
    same("gone on");
    let figure = Figure::parse(&asked(&then, &year()).totals.scope2_location.figure_id).unwrap();
    let page = LinePage { after: 0, limit: 20 };
    assert_eq!(trace_figure(&then.parts, &grant(), &figure, page).unwrap().replay, "equal");
    assert_eq!(cells(&then), cells(&now));
}
