//! Rows decided anew: they are kept by the segment that they are of, those of folders of before are
//! split, and whoever reads one segment opens nothing of another.

use std::collections::BTreeMap;

use envora_crypto::aad::Purpose;
use envora_crypto::tenant::Object;
use envora_domain::activities::Activity;
use envora_domain::cbor::Value;
use envora_domain::figures::Figure;
use envora_domain::gwp::GwpSet;
use envora_domain::id::{ActivityId, RunId};
use envora_ingest::footprint::footprint;
use envora_ingest::process::{examine_blocks, split_blocks};
use envora_ingest::trace::{LinePage, trace_activity, trace_figure};
use envora_store::blocks::{
    Block, BlockKind, BlockPlace, BlockSlice, Delta, block_add, blocks_from, deltas_after,
};
use envora_store::runs::run_current;

use crate::estate::year;
use crate::house::{House, electricity, grant};

/// A house with rows in three segments that waited for their facility, one of which was corrected.
fn house() -> (House, Vec<ActivityId>) {
    let house = House::new();
    let mut ids = Vec::new();
    for month in ["01", "02", "03"] {
        let row = |day: u32| electricity(&format!("{month}-{day}"), "5", &start(month, day));
        let rows: Vec<Activity> = (1..=4).map(row).collect();
        let accepted = house.submit(rows);
        ids.extend(accepted.results.iter().filter_map(|result| result.id));
    }
    house.catch_up();
    house.facility("b24", |_| {});
    house.catch_up();
    let mut correction = electricity("better", "6", &start("02", 2));
    correction.supersedes = Some("ext:02-2".to_owned());
    house.submit(vec![correction]);
    house.catch_up();
    assert_eq!(ids.len(), 12);
    (house, ids)
}

fn start(month: &str, day: u32) -> String {
    format!("2022-{month}-0{day}T00:00:00Z")
}

fn run(house: &House) -> RunId {
    house.parts.db.read_blocking(move |rd| run_current(rd, &grant())).unwrap().unwrap().id
}

fn deltas(house: &House) -> Vec<Delta> {
    let run = run(house);
    house.parts.db.read_blocking(move |rd| deltas_after(rd, &grant(), run, (None, 100))).unwrap()
}

/// The blocks that name rows of several segments.
fn whole(house: &House) -> Vec<Block> {
    let run = run(house);
    let slice = BlockSlice { kind: BlockKind::Delta, from: 0, limit: 100 };
    house.parts.db.read_blocking(move |rd| blocks_from(rd, &grant(), run, slice)).unwrap()
}

/// What became of each row, or the word that it is refused with.
fn states(house: &House, ids: &[ActivityId]) -> Vec<&'static str> {
    let state = |id: &ActivityId| {
        let found = trace_activity(&house.parts, &grant(), *id, GwpSet::Published);
        found.map_or("refused", |found| found.state)
    };
    ids.iter().map(state).collect()
}

/// What a trace of the year's figure says.
fn replay(house: &House) -> String {
    let found = footprint(&house.parts, &grant(), &year()).unwrap();
    let figure = Figure::parse(&found.totals.scope2_location.figure_id).unwrap();
    let page = LinePage { after: 0, limit: 20 };
    let trace = trace_figure(&house.parts, &grant(), &figure, page);
    trace.map_or_else(|_| "refused".to_owned(), |trace| trace.replay)
}

/// Lays the deltas out as programs of before did: one block for each cause, of whichever segments.
fn as_before(house: &House) {
    let (parts, run) = (&house.parts, run(house));
    let mut causes: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for delta in deltas(house) {
        let BlockPlace::Inline(sealed) = &delta.place else { panic!("it is short") };
        let object = Object::calc_delta(run, delta.seq, delta.segment);
        let bytes = parts.keys.open_object(&object, sealed).unwrap();
        let body = Value::decode(&bytes).unwrap();
        for of in body.as_array().unwrap()[2].as_array().unwrap() {
            let [first, count, values @ ..] = of.as_array().unwrap() else { panic!("a run") };
            for row in 0..count.as_uint().unwrap() {
                let row = Value::Uint(first.as_uint().unwrap() + row);
                let mut values = values.to_vec();
                values.splice(0..0, [Value::Uint(delta.segment), row]);
                causes.entry(delta.seq).or_default().push(Value::Array(values));
            }
        }
    }
    house.by_hand("DELETE FROM calc_delta");
    let (_, key_version) = parts.keys.dek(Purpose::Segment);
    for (seq, rows) in causes {
        let bytes = Value::Array(vec![Value::Uint(1), Value::Uint(1), Value::Array(rows)]).encode();
        let sealed = parts.keys.seal(&Object::calc_block(run, seq), &bytes);
        let path = format!("blocks/{}-{seq:016x}-delta.blk", run.hex());
        std::fs::write(house.folder.join("tenant").join(&path), &sealed).unwrap();
        let place = BlockPlace::Object { path, length: sealed.len() as u64 };
        let block = Block { seq, kind: BlockKind::Delta, place, key_version };
        parts.db.write_blocking(move |tx| block_add(tx, &grant(), run, &block)).unwrap();
    }
}

fn files(house: &House) -> usize {
    std::fs::read_dir(house.folder.join("tenant").join("blocks")).unwrap().count()
}

#[test]
fn reading_a_segment_opens_nothing_of_another() {
    let (house, ids) = house();
    let named: Vec<u64> = deltas(&house).iter().map(|delta| delta.segment).collect();
    assert_eq!(named.len(), 4, "one for each segment that a cause names: {named:?}");
    assert_eq!(replay(&house), "equal");
    house.by_hand(&format!(
        "UPDATE calc_delta SET sealed = randomblob(60) WHERE segment_seq <> {}",
        named[0]
    ));
    let told = states(&house, &ids);
    assert_eq!(told[..4], ["counted"; 4], "what is wrong with others is nothing to it");
    assert_eq!(told[4..], ["refused"; 8]);
    assert_eq!(replay(&house), "refused");
    let (count, faults) = examine_blocks(&house.parts).unwrap();
    assert_eq!((count, faults.len()), (8, 3), "{faults:?}");
}

#[test]
fn a_delta_of_another_segment_is_noticed() {
    let (house, ids) = house();
    let named: Vec<u64> = deltas(&house).iter().map(|delta| delta.segment).collect();
    house.by_hand(&format!(
        "UPDATE calc_delta SET sealed = (SELECT sealed FROM calc_delta WHERE segment_seq = {})
            WHERE segment_seq = {}",
        named[0],
        named.last().unwrap()
    ));
    assert_eq!(states(&house, &ids)[8..], ["refused"; 4]);
}

#[test]
fn blocks_of_before_are_read_and_split() {
    let (house, ids) = house();
    let told = states(&house, &ids);
    assert_eq!(told.iter().filter(|state| **state == "superseded").count(), 1);
    let laid = deltas(&house).len();
    as_before(&house);
    assert_eq!((whole(&house).len(), deltas(&house).len(), files(&house)), (2, 0, 2));
    assert_eq!((states(&house, &ids), replay(&house)), (told.clone(), "equal".to_owned()));

    // What is decided anew meanwhile comes after what was.
    let mut correction = electricity("best", "7", &start("01", 1));
    correction.supersedes = Some("ext:01-1".to_owned());
    house.submit(vec![correction]);
    house.catch_up();
    let mut told = told;
    told[0] = "superseded";
    assert_eq!((states(&house, &ids), replay(&house)), (told.clone(), "equal".to_owned()));

    assert_eq!(split_blocks(&house.parts).unwrap(), 2);
    assert_eq!((whole(&house).len(), deltas(&house).len(), files(&house)), (0, laid + 1, 0));
    assert_eq!((states(&house, &ids), replay(&house)), (told, "equal".to_owned()));
    assert_eq!(examine_blocks(&house.parts).unwrap().1, Vec::<String>::new());
    assert_eq!(split_blocks(&house.parts).unwrap(), 0);
}

#[test]
fn a_damaged_block_of_before_stays_and_is_told() {
    let (house, ids) = house();
    as_before(&house);
    let first = whole(&house).remove(0);
    let BlockPlace::Object { path, .. } = first.place else { panic!("it is a file") };
    std::fs::remove_file(house.folder.join("tenant").join(path)).unwrap();
    assert!(split_blocks(&house.parts).is_err());
    assert_eq!(whole(&house).len(), 2, "those after it stay, too: their order tells");
    assert_eq!(states(&house, &ids), ["refused"; 12]);
    let faults = examine_blocks(&house.parts).unwrap().1;
    assert_eq!(faults.len(), 1, "{faults:?}");
}
