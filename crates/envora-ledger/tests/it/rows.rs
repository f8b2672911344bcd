//! The vectors of `docs/formats/row.md` and `figure-id.md`, recomputed.

use std::collections::BTreeMap;

use envora_domain::activities::canonical::rows_root;
use envora_domain::activities::{Activity, Input, Origin, Period, Ref};
use envora_domain::catalogue::{Bucket, Market};
use envora_domain::decimal::Decimal;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::GwpSet;
use envora_domain::hash::{Digest, hex};
use envora_domain::id::{ImportId, RunId};
use envora_domain::time::{Day, Timestamp};

use crate::vectors::{page, prints};

/// The first hour of 2022 of a building's electricity meter, as a mapping reads it.
fn hour(record: u64) -> Activity {
    let start = 1_640_995_200_000_000 + i64::try_from(record).unwrap() * 3_600_000_000;
    let period = Period::Between(
        Timestamp::from_micros(start),
        Timestamp::from_micros(start + 3_600_000_000),
    );
    let amount = Input { quantity: Decimal::parse("372.40").unwrap(), unit: "kW.h".to_owned() };
    let origin = Origin::File {
        import: ImportId::from_bytes([0x11; 16]),
        file: Digest([0x22; 32]),
        row: record + 1,
        line: record + 2,
        offset: 30 + record * 26,
        length: 25,
        mapping: Some(Digest([0x33; 32])),
        parser: "csv/1".into(),
    };
    let mut activity = Activity::new("electricity.purchased", amount, period, origin);
    activity.time_zone = Some("UTC".to_owned());
    activity.facility = Some(Ref::Code("b24".to_owned()));
    activity.source = Some(Ref::Code("b24-electricity".to_owned()));
    activity.tags = BTreeMap::from([("meter".to_owned(), "main".to_owned())]);
    activity
}

#[test]
fn the_row_page_prints_our_bytes() {
    let page = page("row.md");
    let row = hour(0).canonical();
    prints(&page, &hex(&row));
    prints(&page, &hour(0).content_hash().hex());
    prints(&page, &rows_root(&[row]).hex());
    let rows: Vec<Vec<u8>> = (0..600).map(|record| hour(record).canonical()).collect();
    prints(&page, &rows_root(&rows).hex());
}

#[test]
fn the_figure_page_prints_our_id() {
    let figure = Figure {
        measure: Measure::Co2e,
        from: Day::from_number(18_993),
        to: Day::from_number(19_358),
        scope: Some(2),
        category: None,
        market: Market::Location,
        gas: None,
        bucket: Bucket::InScope,
        filters: BTreeMap::from([("facility".to_owned(), vec!["b24".to_owned()])]),
        gwp_set: Some(GwpSet::Published),
        run: RunId::from_bytes([7; 16]),
        seq: 42,
    };
    prints(&page("figure-id.md"), &figure.encode());
}
