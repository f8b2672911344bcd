//! Commits: what becomes of rows, once and again.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use envora_domain::activities::problems::{Outcome, RowCode, RowProblem};
use envora_domain::activities::{Activity, Ref};
use envora_domain::decimal::Decimal;
use envora_ingest::commit::{Accepted, Batch, SubmitError};
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_ingest::rows::ParsedRow;
use envora_ingest::segments::activities;
use envora_store::imports::{Counts, Mode};

use crate::house::{House, electricity, parsed};

const AT: &str = "2022-01-01T00:00:00Z";

fn outcomes(accepted: &Accepted) -> Vec<Outcome> {
    accepted.results.iter().map(|result| result.outcome).collect()
}

fn codes(accepted: &Accepted) -> Vec<RowCode> {
    let problems = accepted.results.iter().flat_map(|result| &result.problems);
    problems.map(|problem| problem.code).collect()
}

#[test]
fn a_row_is_stored_once() {
    let house = House::new();
    house.facility("b24", |_| {});
    let rows = || vec![electricity("a", "372.4", AT), electricity("b", "1", AT)];
    let first = house.submit(rows());
    assert_eq!(outcomes(&first), [Outcome::Accepted, Outcome::Accepted]);
    assert_eq!((first.segments.len(), first.counts.accepted), (1, 2));
    let again = house.submit(rows());
    assert_eq!(outcomes(&again), [Outcome::Duplicate, Outcome::Duplicate]);
    assert!(again.segments.is_empty());
    let ids = |answer: &Accepted| answer.results.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&again), "a duplicate names the activity that is there");
    let house = house.reopen();
    let third = house.submit(rows());
    assert_eq!(outcomes(&third), [Outcome::Duplicate, Outcome::Duplicate], "after a restart too");
    assert_eq!(third.watermark, again.watermark);
}

#[test]
fn digits_that_say_the_same_are_the_same_row() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.submit(vec![electricity("a", "372.4", AT)]);
    let again = house.submit(vec![electricity("a", "372.400", AT)]);
    assert_eq!(outcomes(&again), [Outcome::Duplicate]);
    let other = house.submit(vec![electricity("a", "372.5", AT)]);
    assert_eq!(codes(&other), [RowCode::ExternalIdConflict]);
}

#[test]
fn rows_of_one_batch_are_held_against_each_other() {
    let house = House::new();
    house.facility("b24", |_| {});
    let rows = vec![
        electricity("a", "1", AT),
        electricity("a", "1.0", AT),
        electricity("a", "2", AT),
        electricity("b", "2", AT),
    ];
    let answer = house.submit(rows);
    let due = [Outcome::Accepted, Outcome::Duplicate, Outcome::Rejected, Outcome::Accepted];
    assert_eq!(outcomes(&answer), due);
    assert_eq!(answer.results[0].id, answer.results[1].id);
    assert_eq!(codes(&answer), [RowCode::ExternalIdConflict]);
}

#[test]
fn atomic_stores_all_or_nothing() {
    let house = House::new();
    house.facility("b24", |_| {});
    let mut rows = parsed(vec![electricity("a", "1", AT), electricity("b", "1", AT)]);
    rows[1].activity =
        Err(vec![RowProblem::new(RowCode::NotANumber, "/quantity", "no number").at(2, 2)]);
    let refused = house.try_submit(Batch::new(rows.clone(), Mode::Atomic));
    let Err(SubmitError::Refused(answer)) = refused else { panic!("it was stored: {refused:?}") };
    assert_eq!((answer.counts.accepted, answer.counts.rejected), (1, 1));
    let answer = house.submit_batch(Batch::new(rows, Mode::Partial));
    assert_eq!(outcomes(&answer), [Outcome::Accepted, Outcome::Rejected], "nothing was kept of it");
}

#[test]
fn unknown_words_wait() {
    let house = House::new();
    let answer = house.submit(vec![electricity("a", "1", AT)]);
    assert_eq!(outcomes(&answer), [Outcome::Quarantined]);
    assert_eq!(codes(&answer), [RowCode::UnknownFacility]);
    assert_eq!(answer.segments.len(), 1, "it is stored as received");
    let again = house.submit(vec![electricity("a", "1", AT)]);
    assert_eq!(outcomes(&again), [Outcome::Duplicate]);
}

#[test]
fn a_row_has_one_successor() {
    let house = House::new();
    house.facility("b24", |_| {});
    let first = house.submit(vec![electricity("a", "1", AT), electricity("b", "1", AT)]);
    let correction = |id: &str, of: &str| {
        let mut row = electricity(id, "2", AT);
        row.supersedes = Some(of.to_owned());
        row
    };
    let by_id = first.results[0].id.unwrap().to_string();
    let rows = vec![
        correction("a2", &by_id),
        correction("a3", "ext:a"),
        correction("b2", "ext:b"),
        correction("b3", "ext:b2"),
        correction("c", "ext:nobody"),
        correction("d", "nonsense"),
        correction("e", "ext:e"),
    ];
    let answer = house.submit(rows);
    let due = [
        RowCode::AlreadySuperseded,
        RowCode::MalformedRow,
        RowCode::MalformedRow,
        RowCode::MalformedRow,
    ];
    assert_eq!(codes(&answer), due);
    assert_eq!(answer.counts.accepted, 3);
    let late = house.submit(vec![correction("b4", "ext:b")]);
    assert_eq!(codes(&late), [RowCode::AlreadySuperseded]);
    assert_eq!(house.submit(vec![correction("b5", "ext:b3")]).counts.accepted, 1);
}

#[test]
fn a_row_of_a_source_that_stands_elsewhere_or_measures_something_else_is_refused() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.facility("b62", |_| {});
    house.source_for("m1", Some("b24"), "electricity.purchased");
    let of = |id: &str, source: &str, facility: &str, kind: &str| {
        let mut row = electricity(id, "1", AT);
        row.source = Some(Ref::Code(source.to_owned()));
        row.facility = Some(Ref::Code(facility.to_owned()));
        row.kind = kind.to_owned();
        row
    };
    let bought = "electricity.purchased";
    let answer = house.submit(vec![
        of("a", "m1", "b24", bought),
        of("b", "m1", "b62", bought),
        of("c", "m1", "b24", "fuel.combusted.stationary"),
        of("d", "m1", "b24", "electricity.exported"),
        of("e", "m1", "nowhere", bought),
    ]);
    let (accepted, rejected) = (Outcome::Accepted, Outcome::Rejected);
    assert_eq!(outcomes(&answer), [accepted, rejected, rejected, accepted, Outcome::Quarantined]);
    let of_row = |row: usize| answer.results[row].problems[0].clone();
    assert_eq!((of_row(1).code, of_row(1).field), (RowCode::SourceMismatch, "/source_code".into()));
    assert!(of_row(1).detail.contains("stands at b24, not at b62"), "{:?}", of_row(1));
    assert_eq!((of_row(2).code, of_row(2).field), (RowCode::SourceMismatch, "/type".into()));
    // The meter moves: what is stored stays what it is, and is known again.
    house.source_for("m1", Some("b62"), "electricity.purchased");
    let again = house.submit(vec![of("a", "m1", "b24", bought), of("b", "m1", "b62", bought)]);
    assert_eq!(outcomes(&again), [Outcome::Duplicate, accepted]);
}

#[test]
fn a_row_that_voids_another_has_from_it_what_it_leaves_out() {
    let house = House::new();
    house.facility("b24", |_| {});
    let first = house.submit(vec![electricity("a", "5", AT), electricity("b", "7", AT)]);
    let by_id = first.results[0].id.unwrap();
    let rows = || {
        let body = format!(
            r#"{{"activities":[{{"external_id":"va","supersedes":"{by_id}","void":true}},
            {{"external_id":"vb","supersedes":"ext:b","void":true}},
            {{"external_id":"vc","supersedes":"ext:c","void":true}}]}}"#
        );
        let head = OriginHead::Request { request_id: "r".into(), body: [0; 32] };
        let opening = Opening {
            head,
            mapping: None,
            set: BTreeMap::new(),
            local_times: Default::default(),
            clocks: Default::default(),
        };
        let input = std::io::Cursor::new(body.into_bytes());
        let mut batch = Batch::new(Vec::new(), Mode::Partial);
        batch.rows = open(Format::Json, Box::new(input), &opening).unwrap().into();
        batch
    };
    let answer = house.submit_batch(rows());
    let (accepted, rejected) = (Outcome::Accepted, Outcome::Rejected);
    assert_eq!(outcomes(&answer), [accepted, accepted, rejected], "{:?}", codes(&answer));
    let stored = answer.results[0].id.unwrap();
    let found = activities(&house.parts, [stored, by_id]).unwrap();
    let (void, voided) = (&found[&stored], &found[&by_id]);
    assert_eq!((&void.kind, &void.unit, void.period), (&voided.kind, &voided.unit, voided.period));
    assert_eq!((&void.facility, void.quantity.is_zero()), (&voided.facility, true));
    let again = house.submit_batch(rows());
    assert_eq!(outcomes(&again), [Outcome::Duplicate, Outcome::Duplicate, rejected]);
    let recount = house.recount();
    assert!(recount.differences.is_empty(), "{:?}", recount.differences);
}

#[test]
fn many_rows_are_several_segments() {
    let house = House::new();
    house.facility("b24", |_| {});
    let rows = (0..10_001).map(|row| electricity(&format!("r{row}"), "1", AT)).collect();
    let answer = house.submit(rows);
    assert_eq!(answer.segments.len(), 2);
    assert_eq!(answer.counts, Counts { accepted: 10_001, ..Counts::default() });
    assert!(answer.results.is_empty(), "of many rows, only those not accepted are listed");
}

type Change = fn(&mut Activity);

/// Rows of ids `r0` to `r<count>`, more than one cut; these changes to some of them.
fn many(count: usize, changes: &[(usize, Change)]) -> Vec<ParsedRow> {
    let mut rows: Vec<Activity> =
        (0..count).map(|row| electricity(&format!("r{row}"), "1", AT)).collect();
    for (row, change) in changes {
        change(&mut rows[*row]);
    }
    parsed(rows)
}

fn segment_files(house: &House) -> usize {
    std::fs::read_dir(house.folder.join("tenant").join("segments")).unwrap().count()
}

#[test]
fn rows_far_apart_in_one_file_are_held_against_each_other() {
    let house = House::new();
    house.facility("b24", |_| {});
    let rows = many(
        20_005,
        &[
            (10_100, |row| row.external_id = Some("r5".to_owned())),
            (10_101, |row| {
                row.external_id = Some("r6".to_owned());
                row.quantity = Decimal::parse("2").unwrap();
            }),
            (10_102, |row| row.supersedes = Some("ext:r7".to_owned())),
            (20_001, |row| row.supersedes = Some("ext:r7".to_owned())),
            (20_002, |row| row.supersedes = Some("ext:r10102".to_owned())),
            (20_003, |row| row.supersedes = Some("ext:nobody".to_owned())),
        ],
    );
    let answer = house.submit_batch(Batch::new(rows.clone(), Mode::Partial));
    let listed: Vec<(u64, Outcome)> =
        answer.results.iter().map(|row| (row.row, row.outcome)).collect();
    let (duplicate, rejected) = (Outcome::Duplicate, Outcome::Rejected);
    let due = [(10_101, duplicate), (10_102, rejected), (20_002, rejected), (20_004, rejected)];
    assert_eq!(listed, due);
    let due = [RowCode::ExternalIdConflict, RowCode::AlreadySuperseded, RowCode::MalformedRow];
    assert_eq!(codes(&answer), due);
    assert_eq!((answer.counts.accepted, answer.segments.len()), (20_001, 3));
    assert!(answer.results[0].id.is_some(), "a duplicate names the row that is there");
    let again = house.submit_batch(Batch::new(rows, Mode::Partial));
    assert_eq!((again.counts.accepted, again.segments.len()), (0, 0), "{:?}", again.counts);
    assert_eq!(again.counts.duplicate, 20_002);
    assert_eq!(house.recount().rows, 20_001);
}

#[test]
fn a_long_atomic_batch_with_one_bad_row_leaves_nothing() {
    let house = House::new();
    house.facility("b24", |_| {});
    let mut rows = many(20_005, &[]);
    rows[20_004].activity = Err(vec![RowProblem::new(RowCode::NotANumber, "/quantity", "bad")]);
    let refused = house.try_submit(Batch::new(rows, Mode::Atomic));
    let Err(SubmitError::Refused(answer)) = refused else { panic!("it was stored: {refused:?}") };
    assert_eq!((answer.counts.accepted, answer.counts.rejected), (20_004, 1));
    assert_eq!(answer.results.iter().map(|row| row.row).collect::<Vec<_>>(), [20_005]);
    assert_eq!(segment_files(&house), 0, "what was made durable on the way is gone");
    let answer = house.submit_batch(Batch::new(many(20_005, &[]), Mode::Atomic));
    assert_eq!(answer.counts.accepted, 20_005, "nothing of it counts as stored");
    assert_eq!(house.recount().rows, 20_005);
}

#[test]
fn a_long_batch_on_a_full_disk_leaves_nothing() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.full.store(true, Ordering::SeqCst);
    let refused = house.try_submit(Batch::new(many(10_001, &[]), Mode::Partial));
    assert!(matches!(refused, Err(SubmitError::ReadOnly)), "{refused:?}");
    house.full.store(false, Ordering::SeqCst);
    house.parts.db.resume();
    let house = house.reopen();
    assert_eq!(house.recount().rows, 0);
    let answer = house.submit_batch(Batch::new(many(10_001, &[]), Mode::Partial));
    assert_eq!(answer.counts.accepted, 10_001);
}

#[test]
fn long_batches_of_the_same_rows_are_stored_once() {
    let house = House::new();
    house.facility("b24", |_| {});
    let accepted: u64 = std::thread::scope(|scope| {
        let house = &house;
        let submit = move |turned: bool| {
            let mut rows = many(12_000, &[]);
            if turned {
                rows.reverse();
            }
            house.submit_batch(Batch::new(rows, Mode::Partial)).counts.accepted
        };
        let threads = [false, true, false].map(|turned| scope.spawn(move || submit(turned)));
        let short = house.submit(vec![electricity("r11999", "1", AT)]).counts.accepted;
        short + threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
    });
    assert_eq!(accepted, 12_000);
    assert_eq!(house.recount().rows, 12_000);
}

#[test]
fn what_a_full_disk_refused_is_no_duplicate() {
    let house = House::new();
    house.facility("b24", |_| {});
    let batch = || Batch::new(parsed(vec![electricity("a", "1", AT)]), Mode::Partial);
    house.full.store(true, Ordering::SeqCst);
    let refused = house.try_submit(batch());
    assert!(matches!(refused, Err(SubmitError::ReadOnly)), "{refused:?}");
    house.full.store(false, Ordering::SeqCst);
    house.parts.db.resume();
    assert_eq!(outcomes(&house.submit_batch(batch())), [Outcome::Accepted]);
    assert_eq!(house.recount().rows, 1);
}
