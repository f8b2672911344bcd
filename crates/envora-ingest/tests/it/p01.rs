//! P01: every acknowledged row is there after a kill, once, and what was calculated is what the rows
//! come to, wherever between commit, step and answer the process died. That a writer which answers
//! too early would be caught, the store's own tests show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use envora_domain::activities::problems::Outcome;
use envora_domain::activities::{Activity, canonical};
use envora_ingest::commit::{Batch, Submitted};
use envora_store::imports::Mode;
use envora_store::segments::segments_from;
use envora_testkit::child::{TestProcess, say, task};
use envora_testkit::counts::counted;
use envora_testkit::entropy::SeededEntropy;

use crate::house::{House, electricity, grant, parsed};

const KILLS: u64 = 12;
const KILLS_SLOW: u64 = 1_000;
const KILLS_LONG: u64 = 50_000;
const WRITERS: usize = 3;
/// Rows of one batch.
const ROWS: usize = 3;
const AT: &str = "2022-01-01T00:00:00Z";

/// A batch of a writer: its rows' ids begin with round, writer and number; the second row of a batch
/// takes the place of the first one of the batch before.
fn rows(round: &str, writer: usize, number: usize) -> Vec<Activity> {
    let id = |number: usize, row: usize| format!("{round}-{writer}-{number}-{row}");
    let mut rows: Vec<Activity> = (0..ROWS)
        .map(|row| electricity(&id(number, row), &format!("{}.{row}", number + 1), AT))
        .collect();
    if number > 0
        && let Some(second) = rows.get_mut(1)
    {
        second.supersedes = Some(format!("ext:{}", id(number - 1, 0)));
    }
    rows
}

/// The child: writes from several threads, calculates beside it, and says each batch that was
/// acknowledged, until it is killed.
#[test]
fn child_that_takes_rows_in_until_it_is_killed() {
    let Some(task) = task() else { return };
    let (round, folder) = task.split_once(' ').unwrap();
    let seed = round.bytes().fold(99, |seed: u64, byte| seed * 31 + u64::from(byte));
    let house = House::at(Path::new(folder), seed);
    std::thread::scope(|scope| {
        let house = &house;
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for number in 0..100_000 {
                    let batch = Batch::new(parsed(rows(round, writer, number)), Mode::Atomic);
                    match house.try_submit(batch).unwrap() {
                        Submitted::Stored(..) => say(&format!("{writer} {number}")),
                        Submitted::Replayed(_) => panic!("there is no key"),
                    }
                }
            });
        }
        scope.spawn(|| {
            loop {
                house.processor.step().unwrap();
            }
        });
    });
}

/// Which rows are stored, by their ids; none may be there twice.
fn stored(house: &House) -> BTreeSet<String> {
    let segments =
        house.parts.db.read_blocking(|rd| segments_from(rd, &grant(), 0, u32::MAX)).unwrap();
    let mut ids = BTreeSet::new();
    for segment in segments {
        let stream = house.parts.segment_stream(&segment).unwrap();
        for row in canonical::rows(&stream).unwrap() {
            let (activity, _) = Activity::decode(row).unwrap();
            assert!(ids.insert(activity.external_id.unwrap()), "a row is there twice");
        }
    }
    ids
}

/// Kills a child after some acknowledgements; returns how many acknowledged rows are gone.
fn lost_in_a_round(folder: &Path, round: &str, acks: u64) -> usize {
    let test = "p01::child_that_takes_rows_in_until_it_is_killed";
    let mut child = TestProcess::start(test, &format!("{round} {}", folder.display()));
    let mut acked: Vec<String> = (0..acks).map_while(|_| child.hear()).collect();
    assert_eq!(acked.len() as u64, acks, "the child ended by itself");
    acked.extend(child.kill());

    let seed = round.bytes().fold(7, |seed: u64, byte| seed * 37 + u64::from(byte));
    let house = House::at(folder, seed);
    let there = stored(&house);
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    let mut lost = 0;
    for ack in &acked {
        let (writer, number) = ack.split_once(' ').unwrap();
        let (writer, number): (usize, usize) = (writer.parse().unwrap(), number.parse().unwrap());
        let known = last.entry(writer).or_default();
        *known = number.max(*known);
        let ids = rows(round, writer, number).into_iter().filter_map(|row| row.external_id);
        lost += ids.filter(|id| !there.contains(id)).count();
    }
    // Sent but not acknowledged: at most the next batch of each writer, whole or not at all.
    let of_round = there.iter().filter(|id| id.starts_with(&format!("{round}-"))).count();
    let most: usize = (0..WRITERS).map(|writer| last.get(&writer).map_or(1, |n| n + 2)).sum();
    assert!(
        of_round <= most * ROWS && of_round % ROWS == 0,
        "a row that nobody sent, or half a batch"
    );
    if let Some((writer, number)) = last.first_key_value() {
        let batch = Batch::new(parsed(rows(round, *writer, *number)), Mode::Atomic);
        let again = house.submit_batch(batch);
        assert!(again.results.iter().all(|row| row.outcome == Outcome::Duplicate), "{again:?}");
    }
    let recount = house.recount();
    assert!(recount.differences.is_empty(), "cells are not their rows: {recount:?}");
    house.close();
    lost
}

fn made() -> tempfile::TempDir {
    let house = House::new();
    house.facility("b24", |_| {});
    house.close().unwrap()
}

#[test]
fn p01_acked_survives_kill() {
    let dice = SeededEntropy::new(1);
    let mut folder = made();
    for round in 0..counted(KILLS, KILLS_SLOW, KILLS_LONG) {
        if round % 20 == 19 {
            folder = made();
        }
        let lost = lost_in_a_round(folder.path(), &format!("a{round}"), 1 + dice.next() % 12);
        assert_eq!(lost, 0, "round {round}");
    }
}
