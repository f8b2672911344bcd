//! Rows that say what stored rows say, under other ids: flagged, told, and gone once one of them is.

use envora_api::footprints::{Footprint, Warning};
use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Flag, Flags, Outcome};
use envora_domain::id::ActivityId;
use envora_ingest::commit::Accepted;
use envora_ingest::footprint::footprint;
use envora_ingest::segments::activities;
use envora_store::engine::Engine;
use envora_testkit::postgres;

use crate::estate::year;
use crate::house::{House, electricity, grant};

const AT: &str = "2022-01-01T00:00:00Z";
const FILE: &[u8] =
    b"time,kwh\n2022-01-01 00:00:00,10\n2022-01-01 01:00:00,20\n2022-01-01 02:00:00,30\n";

/// The same file, read by a mapping of this name.
fn push(house: &House, name: &str) -> Accepted {
    let mapping = format!(
        "mapping = \"{name}\"\nformat = \"csv\"\n[const]\ntype = \"electricity.purchased\"\n\
         unit = \"kW.h\"\ntime_zone = \"UTC\"\nfacility_code = \"b24\"\n[[activity]]\n\
         period = {{ start = \"time\", format = \"YYYY-MM-DD hh:mm:ss\", length = \"PT1H\" }}\n\
         quantity = {{ column = \"kwh\" }}\n"
    );
    house.import("meter.csv", FILE, &mapping)
}

fn asked(house: &House) -> Footprint {
    house.catch_up();
    footprint(&house.parts, &grant(), &year()).unwrap()
}

fn warning(footprint: &Footprint) -> Option<&Warning> {
    footprint.warnings.iter().find(|warning| warning.code == "possible_duplicate")
}

/// What the rows of an answer look like.
fn like(accepted: &Accepted) -> Vec<Option<ActivityId>> {
    let flagged = |flags: &Flags| flags.contains(Flag::PossibleDuplicate);
    assert!(accepted.results.iter().all(|row| flagged(&row.flags) == row.like.is_some()));
    accepted.results.iter().map(|row| row.like).collect()
}

fn void(id: &str, of: ActivityId) -> Activity {
    let mut row = electricity(id, "0", AT);
    row.supersedes = Some(of.to_string());
    row.void = true;
    row
}

fn seen(engine: Option<Engine>) {
    let house = House::on(engine);
    house.facility("b24", |_| {});
    let first = push(&house, "meters");
    assert_eq!((first.counts.accepted, first.alike), (3, None));
    let before = asked(&house);
    assert_eq!(warning(&before), None);

    let again = push(&house, "meters");
    assert_eq!((again.counts.duplicate, again.alike), (3, None), "the same ids: nothing is added");

    // It has to be known after a restart, too.
    let house = house.reopen();
    let other = push(&house, "other-name");
    assert_eq!(other.counts.accepted, 3, "flagged, not dropped");
    let known: Vec<_> = first.results.iter().map(|row| row.id).collect();
    assert_eq!(like(&other), known);
    let ids: Vec<ActivityId> = other.results.iter().filter_map(|row| row.id).collect();
    let alike = other.alike.unwrap();
    assert_eq!(
        (alike.rows, Some(alike.new), Some(alike.known)),
        (3, ids.first().copied(), known[0])
    );
    let stored = activities(&house.parts, ids.iter().copied()).unwrap();
    assert!(stored.values().all(|row| row.flags.contains(Flag::PossibleDuplicate)));
    let double = asked(&house);
    let told = warning(&double).unwrap();
    assert_eq!(told.activities, 3);
    assert!(told.detail.contains(&ids[0].to_string()) && told.detail.contains("void"), "{told:?}");
    assert!(double.unresolved.is_empty(), "they count: {:?}", double.unresolved);
    assert_ne!(double.totals.scope2_location.value, before.totals.scope2_location.value);

    house.submit(vec![void("void-1", ids[0])]);
    assert_eq!(warning(&asked(&house)).unwrap().activities, 2);
    house.submit(vec![void("void-2", ids[1]), void("void-3", ids[2])]);
    let mended = asked(&house);
    assert_eq!(warning(&mended), None);
    assert_eq!(mended.totals.scope2_location.value, before.totals.scope2_location.value);
    assert!(house.recount().differences.is_empty(), "cells are what the rows come to");
}

#[test]
fn a_file_through_two_mappings_is_flagged() {
    seen(None);
}

#[test]
fn a_file_through_two_mappings_is_flagged_on_postgres() {
    let Some(server) = postgres::server() else { return };
    seen(Some(server.engine()));
}

#[test]
fn what_is_no_second_row_is_not_flagged() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.facility("b25", |_| {});
    let twice = house.submit(vec![electricity("a", "50", AT), electricity("b", "50", AT)]);
    assert_eq!(like(&twice), [None, None], "two of one file are two");
    let mut elsewhere = electricity("c", "50", AT);
    elsewhere.facility = Some(envora_domain::activities::Ref::Code("b25".to_owned()));
    let others =
        vec![elsewhere, electricity("d", "51", AT), electricity("e", "50", "2022-01-01T01:00:00Z")];
    assert_eq!(like(&house.submit(others)), [None; 3], "another place, amount or time");

    let mut correction = electricity("a2", "50", AT);
    correction.supersedes = Some("ext:a".to_owned());
    let corrected = house.submit(vec![correction]);
    assert_eq!(corrected.results[0].outcome, Outcome::Accepted);
    assert_eq!(like(&corrected), [None], "a correction takes a row's place");
    let mut moved = electricity("h", "50", "2022-01-01T02:00:00Z");
    let (h, mut later) = (house.submit(vec![moved.clone()]), electricity("i", "50", AT));
    moved.external_id = Some("j".to_owned());
    later.supersedes = Some("ext:h".to_owned());
    let later = house.submit(vec![later]);
    assert_eq!(like(&later), [twice.results[1].id], "at another time it may be there already");
    let (h, at) = (h.results[0].id.unwrap(), later.results[0].id.unwrap());
    moved.supersedes = Some(at.to_string());
    assert_eq!(like(&house.submit(vec![moved])), [None], "{h} is superseded");

    let (b, new) = (twice.results[1].id.unwrap(), corrected.results[0].id.unwrap());
    house.submit(vec![void("b-void", b), void("a-void", new)]);
    assert_eq!(like(&house.submit(vec![electricity("f", "50", AT)])), [None], "none of them lives");
    let digits = house.submit(vec![electricity("g", "50.0", AT)]);
    assert!(like(&digits)[0].is_some(), "digits that say the same, and no id to go by");
}
