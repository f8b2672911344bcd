//! Rollups: stored sums are told apart as far as a question asks, come to the same whichever are read, and
//! runs that began before they were kept go on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use envora_api::footprints::{Footprint, Point};
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::decimal::Mass;
use envora_domain::figures::Figure;
use envora_domain::rollups::Pile;
use envora_domain::time::Day;
use envora_ingest::footprint::series::{Interval, series};
use envora_ingest::footprint::{FootprintQuery, GroupBy, footprint};
use envora_ingest::process::gather_sums;
use envora_ingest::trace::{LinePage, trace_figure};
use envora_store::rollups::{Grain, rollup_groups, rollups_between};
use envora_store::runs::run_current;
use envora_store::unresolved::DayRange;
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
        let last = format!("(SELECT max(month) FROM rollup_sheaf WHERE grain = {grain})");
        let other = format!("SELECT bytes FROM rollup_sheaf WHERE grain = {grain} AND month <");
        for change in [
            format!("UPDATE rollup_sheaf SET bytes = ({other} {last} LIMIT 1)"),
            "DELETE FROM rollup_sheaf".to_owned(),
        ] {
            let house = house();
            assert!(house.recount().differences.is_empty());
            house.by_hand(&format!("{change} WHERE grain = {grain} AND month = {last}"));
            let found = house.recount();
            assert!(!found.differences.is_empty(), "{change} of grain {grain}");
        }
    }
}

/// The sums of a grain, by day and group.
fn sums(house: &House, grain: Grain) -> Vec<(Day, u32, Pile)> {
    let read = grant();
    let found = house.parts.db.read_blocking(move |rd| {
        let run = run_current(rd, &read)?.unwrap().id;
        let mut found = Vec::new();
        rollups_between(rd, &read, run, (grain, DayRange::EVER), |day, group, pile| {
            found.push((day, group, pile.clone()));
            Ok(())
        })?;
        Ok(found)
    });
    found.unwrap()
}

/// Masses as they were kept when each sum had a row of its own.
fn one_by_one(masses: &[Mass]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mass in masses {
        let units = mass.units();
        let mut left = (units << 1 ^ units >> 127).cast_unsigned();
        while left >= 0x80 {
            bytes.push(left.to_le_bytes()[0] | 0x80);
            left >>= 7;
        }
        bytes.push(left.to_le_bytes()[0]);
    }
    bytes
}

#[test]
fn sums_that_lie_one_by_one_are_read_and_gathered() {
    let house = house();
    let (then, kept) = (asked(&house, &year()), cells(&house));
    let grains = [(0, Grain::Day), (1, Grain::Month), (2, Grain::Anywhere)];
    for (number, grain) in grains {
        for (day, group, pile) in sums(&house, grain) {
            house.by_hand(&format!(
                "INSERT INTO rollup SELECT run_id, {number}, {}, {group}, {}, {} FROM run WHERE state = 'current'",
                day.number(),
                pile.count,
                hex(&one_by_one(&pile.masses)),
            ));
        }
    }
    house.by_hand("DELETE FROM rollup_sheaf");
    let house = house.reopen();
    assert_eq!((asked(&house, &year()), cells(&house)), (then.clone(), kept.clone()));
    gather_sums(&house.parts).unwrap();
    assert_eq!((asked(&house, &year()), cells(&house)), (then, kept));
    assert!(house.recount().differences.is_empty());
    house.by_hand("UPDATE rollup_sheaf SET sums = sums");
    let left = house.count("SELECT count(*) FROM rollup");
    assert_eq!(left, 0, "none is left by itself");
    // Gone on from there, they are those of a house that never had them so.
    house.submit(vec![row("d", "2022-05-03T00:00:00Z", "one")]);
    house.catch_up();
    assert!(house.recount().differences.is_empty());
}

/// Puts everything that was calculated where it was before sums were kept by group.
fn as_before(house: House) -> House {
    let kept = cells(&house);
    for (key, value) in &kept {
        house.by_hand(&insert(key, value));
    }
    let read = grant();
    let groups = house.parts.db.read_blocking(move |rd| {
        let run = run_current(rd, &read)?.unwrap().id;
        rollup_groups(rd, &read, run)
    });
    let groups = groups.unwrap();
    let mut chosen: BTreeMap<_, i64> = BTreeMap::new();
    for (day, number, pile) in sums(&house, Grain::Day) {
        let place = groups[number as usize - 1].place();
        let key = (day, place.facility, place.source, groups[number as usize - 1].why);
        *chosen.entry(key).or_default() += pile.count;
    }
    for ((day, facility, source, why), count) in chosen.into_iter().filter(|(_, count)| *count > 0)
    {
        house.by_hand(&format!(
            "INSERT INTO chosen SELECT run_id, {}, {}, {}, {why}, {count} FROM run WHERE state = 'current'",
            day.number(),
            hex(&facility),
            hex(&source),
        ));
    }
    for table in ["rollup_sheaf", "rollup_group", "rollup_form"] {
        house.by_hand(&format!("DELETE FROM {table}"));
    }
    let house = house.reopen();
    assert_eq!(cells(&house), kept);
    house
}

/// Bytes as SQL writes them.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    format!("X'{digits}'")
}

fn insert(key: &CellKey, value: &CellValue) -> String {
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
