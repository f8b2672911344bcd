//! Another pack: a run that begins at the first row beside the one that readers see, and takes its
//! place in one transaction. What was figured before keeps its digits.

use std::sync::Arc;

use envora_api::footprints::Footprint;
use envora_domain::factors::{Factor, Library, Pack, pack};
use envora_domain::figures::Figure;
use envora_domain::hash::Digest;
use envora_domain::time::{Span, Timestamp};
use envora_ingest::footprint::footprint;
use envora_ingest::process::sweep::{KEPT, SUMS_AT_A_TIME, sweep};
use envora_ingest::trace::{LinePage, trace_figure};
use envora_store::engine::Engine;
use envora_store::runs::{Run, RunState, run_current, runs_all};
use envora_testkit::postgres;

use crate::estate::year;
use crate::house::{House, electricity, grant};
use crate::processing::cells;

/// The edition of the year that is figured here.
const EDITION: &str = "desnz-2022";

/// The starter's packs, then one that is the edition with another number for the grid; and the
/// places of the two.
fn shelf() -> (Arc<Library>, usize, usize) {
    let starter = Library::starter().unwrap();
    let mut packs: Vec<Pack> = starter.packs().to_vec();
    let place = packs.iter().position(|pack| pack.recipe.id == EDITION).unwrap();
    let first = &packs[place];
    let mut recipe = first.recipe.clone();
    recipe.version.push_str("-test");
    let factors: Vec<Factor> = first.factors().cloned().collect();
    let text = pack::write(&recipe, &factors).replace("0.19338", "0.29338");
    let other = pack::read(&text, &Digest::of(text.as_bytes()).hex()).unwrap();
    assert!(!other.factors().eq(&factors));
    packs.push(other);
    let last = packs.len() - 1;
    (Arc::new(Library::new(packs)), place, last)
}

const PAGE: LinePage = LinePage { after: 0, limit: 3 };

fn asked(house: &House) -> Footprint {
    footprint(&house.parts, &grant(), &year()).unwrap()
}

/// All runs in the order of their starts.
fn runs(house: &House) -> Vec<Run> {
    let mut runs = house.parts.db.read_blocking(|rd| runs_all(rd, &grant())).unwrap();
    runs.sort_unstable_by_key(|run| run.started_seq);
    runs
}

fn states(house: &House) -> Vec<RunState> {
    runs(house).iter().map(|run| run.state).collect()
}

/// One row in a segment of its own, an hour after the last.
fn row(house: &House, number: i64) {
    let start = Timestamp::parse("2022-01-01T00:00:00Z").unwrap() + Span::from_secs(number * 3_600);
    house.submit(vec![electricity(&format!("row-{number}"), "372.4", &start.to_string())]);
}

/// As many segments as three steps look at, and some.
const ROWS: i64 = 200;
const BEFORE: &str = "14402.9424";
const AFTER: &str = "21850.9424";

fn switched(engine: Option<Engine>) {
    let (shelf, _, other) = shelf();
    let house = House::with(engine, shelf);
    house.facility("b24", |_| {});
    for number in 0..ROWS {
        row(&house, number);
    }
    house.catch_up();
    let old = asked(&house);
    assert_eq!(old.totals.scope2_location.value, BEFORE);

    house.activate(other);
    let mut steps = 0;
    loop {
        let progress = house.processor.step().unwrap();
        steps += 1;
        let current =
            house.parts.db.read_blocking(|rd| run_current(rd, &grant())).unwrap().unwrap();
        let now = asked(&house);
        // All or nothing of each run, at every step.
        let due = if current.id == old.run { BEFORE } else { AFTER };
        assert_eq!((now.run, now.totals.scope2_location.value.as_str()), (current.id, due));
        if progress.caught_up {
            break;
        }
        assert!(steps < 20, "it never arrives");
    }
    assert!(steps > 3, "it arrived at once, and nothing was seen of the way: {steps}");
    assert_eq!(states(&house), [RunState::Retired, RunState::Current]);
    let new = asked(&house);
    assert_eq!(new.totals.scope2_location.value, AFTER);
    assert!(house.recount().differences.is_empty());

    let house = house.reopen();
    keeps_its_digits(&house, &old, BEFORE);
    keeps_its_digits(&house, &new, AFTER);
    house.clock.advance(KEPT);
    house.clock.advance(Span::from_secs(-3_600));
    assert_eq!(sweep(&house.parts).unwrap().sums, 0, "thirty days have not gone by");
    house.clock.advance(Span::from_secs(7_200));
    let kept = cells(&house);
    let swept = sweep(&house.parts).unwrap();
    assert!(swept.sums > 0 && swept.sums <= u64::from(SUMS_AT_A_TIME), "{swept:?}");
    assert_eq!(cells(&house), kept, "what is current stays");
    keeps_its_digits(&house, &old, BEFORE);
    keeps_its_digits(&house, &new, AFTER);
}

/// A figure of a footprint that was read is what it was, and its rows still come to it.
#[track_caller]
fn keeps_its_digits(house: &House, then: &Footprint, due: &str) {
    let figure = Figure::parse(&then.totals.scope2_location.figure_id).unwrap();
    let trace = trace_figure(&house.parts, &grant(), &figure, PAGE).unwrap();
    assert_eq!((trace.figure.value.as_str(), trace.replay.as_str()), (due, "equal"));
    assert_eq!(trace.figure, then.totals.scope2_location);
}

#[test]
fn a_new_pack_takes_over_whole_and_old_figures_keep_their_digits() {
    switched(None);
}

#[test]
fn a_new_pack_takes_over_whole_on_postgres() {
    let Some(server) = postgres::server() else { return };
    switched(Some(server.engine()));
}

#[test]
fn what_arrives_meanwhile_counts_in_both_and_a_change_of_mind_gives_the_new_run_up() {
    let (shelf, first, other) = shelf();
    let house = House::with(None, shelf);
    house.facility("b24", |_| {});
    for number in 0..ROWS {
        row(&house, number);
    }
    house.catch_up();
    house.activate(other);
    house.processor.step().unwrap();
    assert_eq!(states(&house), [RunState::Current, RunState::CatchingUp]);
    row(&house, ROWS);
    house.processor.step().unwrap();
    let now = asked(&house);
    assert_eq!(states(&house), [RunState::Current, RunState::CatchingUp]);
    assert_eq!(now.totals.scope2_location.value, "14474.957112", "readers see new rows meanwhile");

    // The process ends on the way, and goes on where it was.
    let house = house.reopen();
    house.processor.step().unwrap();
    assert_eq!(runs(&house).len(), 2, "no third run");
    house.activate(first);
    house.catch_up();
    assert_eq!(states(&house), [RunState::Current, RunState::Retired]);
    assert_eq!(asked(&house).totals.scope2_location.value, "14474.957112");
    assert!(sweep(&house.parts).unwrap().sums > 0, "nobody has seen those");
    house.activate(other);
    house.catch_up();
    assert_eq!(states(&house), [RunState::Retired, RunState::Retired, RunState::Current]);
    assert!(house.recount().differences.is_empty());
}
