//! Processing: what rows come to, and that every sum is the sum of its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use envora_domain::activities::{Activity, Input, Period, Price, Ref};
use envora_domain::catalogue::Slot;
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::time::Day;
use envora_ingest::process::recount::stored_cells;
use envora_store::audit::audit_head;
use envora_store::runs::run_current;
use envora_store::unresolved::{DayRange, Unresolved, unresolved_between};

use crate::house::{House, electricity, grant};

const AT: &str = "2022-01-01T00:00:00Z";

pub(crate) fn cells(house: &House) -> Vec<(CellKey, CellValue)> {
    house.catch_up();
    let run = house.parts.db.read_blocking(|rd| Ok(run_current(rd, &grant())?.unwrap().id));
    stored_cells(&house.parts, run.unwrap()).unwrap()
}

pub(crate) fn unresolved(house: &House) -> Vec<Unresolved> {
    house.catch_up();
    house
        .parts
        .db
        .read_blocking(|rd| {
            let run = run_current(rd, &grant())?.unwrap();
            unresolved_between(rd, &grant(), run.id, DayRange::EVER)
        })
        .unwrap()
}

/// Published CO2e and ar5 of each slot.
fn by_slot(house: &House) -> BTreeMap<Slot, [String; 2]> {
    let mut sums: BTreeMap<Slot, [Mass; 2]> = BTreeMap::new();
    for (key, value) in cells(house) {
        let sum = sums.entry(key.slot).or_default();
        sum[0] += value.co2e[0].unwrap();
        sum[1] += value.co2e[1].unwrap();
    }
    sums.into_iter().map(|(slot, sum)| (slot, sum.map(Mass::kg))).collect()
}

#[test]
fn the_row_by_hand_comes_to_its_digits() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.submit(vec![electricity("a", "372.4", AT)]);
    let sums = by_slot(&house);
    let slot = |name: &str| {
        sums.get(&Slot::parse(name).unwrap()).map(|sum| sum.each_ref().map(String::as_str))
    };
    assert_eq!(slot("s2_lb"), Some(["72.014712", "71.993965071141"]));
    assert_eq!(slot("s2_mb"), Some(["72.014712", "71.993965071141"]));
    assert_eq!(slot("c3_tnd"), Some(["6.587756", "6.585935488859"]));
    assert_eq!(slot("c3_wtt"), Some(["17.2235", "17.2235"]));
    assert_eq!(slot("c3_wtt_tnd"), Some(["1.575252", "1.575252"]));
    assert!(house.recount().differences.is_empty());
}

#[test]
fn a_quarantined_row_counts_once_its_word_is_known() {
    let house = House::new();
    house.submit(vec![electricity("a", "1", AT), electricity("b", "1", AT)]);
    let waiting = unresolved(&house);
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].code.as_str(), waiting[0].activities), ("unknown_facility", 2));
    assert!(cells(&house).is_empty());
    house.facility("b24", |_| {});
    let recount = house.recount();
    assert!(recount.cells > 0 && recount.differences.is_empty(), "{recount:?}");
    assert!(unresolved(&house).is_empty());
    house.facility("b24", |fields| fields.closed = Day::parse("2021-01-01").ok());
    assert!(cells(&house).is_empty(), "what no longer counts is taken out to the last digit");
    assert_eq!(unresolved(&house)[0].code, "outside_facility_life");
}

/// A row of freight by road with named inputs.
fn freight(id: &str, (quantity, unit): (&str, &str), inputs: &[(&str, &str, &str)]) -> Activity {
    let mut row = electricity(id, quantity, AT);
    (row.kind, row.unit) = ("freight.moved".to_owned(), unit.to_owned());
    let words = [("mode", "road"), ("vehicle_class", "hgv_average"), ("fuel", "diesel")];
    row.qualifiers =
        words.into_iter().map(|(name, word)| (name.to_owned(), word.to_owned())).collect();
    for (name, quantity, unit) in inputs {
        let quantity = Decimal::parse(quantity).unwrap();
        row.inputs.insert((*name).to_owned(), Input { quantity, unit: (*unit).to_owned() });
    }
    row
}

#[test]
fn rows_of_one_quantity_and_other_inputs_are_not_taken_for_each_other() {
    let sums = |rows: Vec<Activity>| {
        let house = House::new();
        house.facility("b24", |_| {});
        house.submit(rows);
        assert!(unresolved(&house).is_empty());
        assert!(house.recount().differences.is_empty());
        // As published: in other sets each line rounds by itself.
        by_slot(&house).remove(&Slot::S3).unwrap()[0].clone()
    };
    let leg = |id: &str, distance: &str| freight(id, ("1", "t"), &[("distance", distance, "km")]);
    let apart = sums(vec![leg("a", "300"), leg("b", "100"), leg("c", "300")]);
    assert_eq!(apart, sums(vec![leg("a", "700")]));
    let burnt = |id: &str, litres: &str, share: &str| {
        freight(id, ("5000", "t.km"), &[("fuel", litres, "L"), ("own_share", share, "%")])
    };
    let apart = sums(vec![burnt("a", "100", "50"), burnt("b", "50", "100")]);
    assert_eq!(apart, sums(vec![burnt("a", "100", "100")]));
    // 100 L of 2.55784 kg.
    assert_eq!(apart, "255.784");
}

#[test]
fn spend_waits_for_what_is_missing_first_by_currency_and_year() {
    let house = House::new();
    house.facility("b24", |_| {});
    let spend = |id: &str, unit: &str, year: Option<i32>| {
        let mut row = electricity(id, "12.5", AT);
        (row.kind, row.unit) = ("spend.purchased".to_owned(), unit.to_owned());
        let of = |year| Price { year, basis: None, tax_included: None, margins_included: None };
        row.price = year.map(of);
        row
    };
    house.submit(vec![
        spend("a", "GBP", None),
        spend("b", "USD", None),
        spend("c", "USD", Some(2021)),
        spend("d", "USD", Some(2020)),
    ]);
    let waiting = unresolved(&house);
    let mut codes: Vec<(&str, u64)> =
        waiting.iter().map(|row| (row.code.as_str(), row.activities)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [("factor_missing", 1), ("fx_missing", 1), ("price_year_mismatch", 2)]);
    assert!(cells(&house).is_empty());
}

#[test]
fn what_is_beyond_the_world_waits_and_the_rest_counts() {
    let house = House::new();
    house.facility("b24", |_| {});
    let most = "99999999999999999999.999999999999999999";
    let mut rows: Vec<_> = (0..12).map(|row| electricity(&format!("w{row}"), most, AT)).collect();
    for row in &mut rows {
        "TW.h".clone_into(&mut row.unit);
    }
    rows.push(electricity("a", "372.4", AT));
    house.submit(rows);
    let recount = house.recount();
    assert!(recount.cells > 0 && recount.differences.is_empty(), "{recount:?}");
    let waiting = unresolved(&house);
    assert_eq!((waiting[0].code.as_str(), waiting[0].activities), ("outlier", 12));
    assert!(waiting[0].remedy.contains("unit"), "{waiting:?}");
    let mut right = electricity("right", "1", AT);
    right.supersedes = Some("ext:w0".to_owned());
    house.submit(vec![right]);
    house.recount();
    assert_eq!(unresolved(&house)[0].activities, 11);
}

#[test]
fn a_stored_row_without_end_waits_and_holds_nothing_up() {
    let house = House::new();
    house.facility("b24", |_| {});
    let day = |text: &str| Day::parse(text).unwrap();
    let mut endless = electricity("endless", "1", AT);
    endless.period = Period::Days { first: day("0001-01-01"), last: day("9999-12-31") };
    let mut early = electricity("early", "1", AT);
    early.period = Period::Days { first: day("2022-01-01"), last: day("9999-12-31") };
    house.submit(vec![endless, early, electricity("a", "1", AT)]);
    let recount = house.recount();
    assert!(recount.cells > 0 && recount.differences.is_empty(), "{recount:?}");
    let waiting = unresolved(&house);
    assert_eq!((waiting[0].code.as_str(), waiting[0].activities), ("outlier", 2));
    assert!(waiting[0].remedy.contains("correct the end"), "{waiting:?}");
    assert!(cells(&house).iter().all(|(key, _)| key.day == day("2022-01-01")));
    let mut right = electricity("right", "1", AT);
    right.supersedes = Some("ext:endless".to_owned());
    house.submit(vec![right]);
    assert!(house.recount().differences.is_empty());
    assert_eq!(unresolved(&house)[0].activities, 1);
}

#[test]
fn a_source_brings_its_facility() {
    let house = House::new();
    let row = || {
        let mut row = electricity("a", "1", AT);
        row.facility = None;
        row.source = Some(Ref::Code("m1".to_owned()));
        row
    };
    house.submit(vec![row()]);
    assert_eq!(unresolved(&house)[0].code, "unknown_source");
    house.facility("b24", |_| {});
    house.source("m1", Some("b24"));
    assert!(!cells(&house).is_empty());
    assert!(cells(&house).iter().all(|(key, _)| key.facility == crate::house::id_of("b24")));
    house.facility("b24", |fields| fields.country = "DE".to_owned());
    assert_eq!(unresolved(&house)[0].code, "factor_missing", "the facility of its source moved");
    assert!(house.recount().differences.is_empty());
}

#[test]
fn corrections_subtract_to_the_last_digit() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.submit(vec![electricity("a", "372.4", AT), electricity("b", "0.1", AT)]);
    let with_both = cells(&house);
    let mut correction = electricity("a2", "372.4", AT);
    correction.supersedes = Some("ext:a".to_owned());
    house.submit(vec![correction]);
    assert_eq!(cells(&house), with_both, "the same row in its place changes no digit");
    let mut void = electricity("a3", "0", AT);
    void.supersedes = Some("ext:a2".to_owned());
    void.void = true;
    house.submit(vec![void]);
    let alone = House::new();
    alone.facility("b24", |_| {});
    alone.submit(vec![electricity("b", "0.1", AT)]);
    assert_eq!(cells(&house), cells(&alone));
    assert!(house.recount().differences.is_empty());
}

#[test]
fn a_correction_in_the_same_batch_counts_once() {
    let house = House::new();
    house.facility("b24", |_| {});
    let mut correction = electricity("a2", "5", AT);
    correction.supersedes = Some("ext:a".to_owned());
    house.submit(vec![electricity("a", "372.4", AT), correction]);
    let alone = House::new();
    alone.facility("b24", |_| {});
    alone.submit(vec![electricity("a2", "5", AT)]);
    assert_eq!(cells(&house), cells(&alone));
}

#[test]
fn a_crash_between_commit_and_step_changes_nothing() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.submit(vec![electricity("a", "372.4", AT)]);
    let house = house.reopen();
    let calculated = cells(&house);
    assert!(!calculated.is_empty());
    let house = house.reopen();
    assert_eq!(cells(&house), calculated, "what is calculated is not calculated again");
    assert!(house.recount().differences.is_empty());
}

#[test]
fn a_row_waits_for_the_entity_and_the_supplier_that_it_names() {
    let house = House::new();
    house.facility("b24", |_| {});
    let mut row = electricity("a", "372.4", AT);
    row.entity = Some("acme".to_owned());
    row.supplier = Some("acme".to_owned());
    let accepted = house.submit(vec![row]);
    assert_eq!(accepted.counts.quarantined, 1);
    let codes: Vec<&str> =
        accepted.results[0].problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["unknown_entity", "unknown_supplier"]);
    assert_eq!(unresolved(&house)[0].code, "unknown_entity");
    assert!(cells(&house).is_empty());
    house.parties("acme");
    assert_eq!(unresolved(&house), []);
    let slot = Slot::parse("s2_lb").unwrap();
    assert_eq!(by_slot(&house)[&slot][0], "72.014712");
    assert!(house.recount().differences.is_empty());
    // Neighbours that differ in nothing else: each one's word is found when it is defined.
    let named = |id: &str, word: &str| {
        let mut row = electricity(id, "1", AT);
        row.entity = Some(word.to_owned());
        row
    };
    let accepted = house.submit(vec![named("b", "acme"), named("c", "later")]);
    assert_eq!(accepted.counts.quarantined, 1);
    assert_eq!(unresolved(&house).len(), 1);
    house.parties("later");
    assert_eq!(unresolved(&house), []);
}

#[test]
fn the_registry_is_read_again_once_a_noun_changes_and_only_then() {
    let house = House::new();
    let now = || house.parts.registry.now(&house.parts).unwrap();
    let code = |code: &str| Ref::Code(code.to_owned());
    house.facility("b1", |_| {});
    let first = now();
    assert!(Arc::ptr_eq(&first, &now()));
    assert!(first.facility(&code("b1"), u64::MAX).is_some());
    let before = house.parts.db.read_blocking(audit_head).unwrap().size - 1;
    house.facility("b2", |_| {});
    let second = now();
    assert!(first.facility(&code("b2"), u64::MAX).is_none());
    assert!(second.facility(&code("b2"), u64::MAX).is_some());
    // As of an earlier place in the log it is what it was then, and what is kept stays.
    let (kept, own) = (house.parts.registry.clone(), house.parts.own);
    let then = house.parts.db.read_blocking(move |rd| kept.up_to(rd, &own, before)).unwrap();
    assert!(then.facility(&code("b1"), u64::MAX).is_some());
    assert!(then.facility(&code("b2"), u64::MAX).is_none());
    assert!(Arc::ptr_eq(&second, &now()));
}
