//! What the demo's load costs, stage by stage: `cargo xtask bench`.
//!
//! Real keys, real files, a real database in a temporary folder; the twelve meter files of the
//! example. Prints rows per second and nanoseconds per row; compare within one run only.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(clippy::panic, reason = "a measurement that cannot go on ends")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

#[path = "../tests/it/house.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod house;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use envora_crypto::tenant::Object;
use envora_domain::activities::Period;
use envora_domain::activities::canonical::rows_root;
use envora_domain::factors::Library;
use envora_domain::hash::Digest;
use envora_domain::id::{ImportId, SegmentId};
use envora_domain::time::Day;
use envora_ingest::check::check;
use envora_ingest::commit::{Batch, ImportDraft};
use envora_ingest::footprint::{FootprintQuery, GroupBy, footprint};
use envora_ingest::formats::{Format, Opening, OriginHead, Reader, open};
use envora_ingest::mapping::Mapping;
use envora_ingest::rows::ParsedRow;
use envora_lake::sources::PackedSource;
use envora_store::imports::Mode;

use crate::house::{House, electricity, grant, parsed};

const BUILDINGS: [&str; 6] = ["b2", "b24", "b44", "b62", "b101", "b113"];
const CARRIERS: [&str; 2] = ["electricity", "gas"];

/// How long, and how much of it on a processor: neighbours take from the first, not from the second.
#[derive(Clone, Copy, Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

#[derive(Default)]
struct Stages {
    spent: Vec<(&'static str, Spent)>,
}

/// What all threads of this process have had of the processors; nothing where the system does not say.
fn processor() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let had = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    had.sum()
}

/// What a piece of work costs.
fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (start, before) = (Instant::now(), processor());
    let made = work();
    let processor = processor().saturating_sub(before);
    (made, Spent { wall: start.elapsed(), processor })
}

impl Stages {
    fn time<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let (made, took) = spent(work);
        match self.spent.iter_mut().find(|(known, _)| *known == stage) {
            Some((_, sum)) => {
                sum.wall += took.wall;
                sum.processor += took.processor;
            }
            None => self.spent.push((stage, took)),
        }
        made
    }
}

fn estate() -> PathBuf {
    PathBuf::from("../../examples/university-estate")
}

fn reader<'a>(bytes: &'a [u8], mapping: &Arc<Mapping>, set: &[(&str, String); 2]) -> Reader<'a> {
    let set: BTreeMap<String, String> =
        set.iter().map(|(field, word)| ((*field).to_owned(), word.clone())).collect();
    let head = OriginHead::File { import: ImportId::from_bytes([3; 16]), file: Digest::of(bytes) };
    let opening = Opening {
        head,
        mapping: Some(Arc::clone(mapping)),
        set,
        local_times: Default::default(),
        clocks: Default::default(),
    };
    open(Format::Csv, Box::new(bytes), &opening).unwrap()
}

fn read(bytes: &[u8], mapping: &Arc<Mapping>, set: &[(&str, String); 2]) -> Vec<ParsedRow> {
    reader(bytes, mapping, set).map(|row| row.unwrap()).collect()
}

/// Looks at each row as it goes by.
fn each(mut reader: Reader<'_>) -> usize {
    let mut accepted = 0;
    reader
        .each(|row| match &row.activity {
            Ok(_) => accepted += 1,
            Err(problems) => panic!("{problems:?}"),
        })
        .unwrap();
    let tiers = reader.tiers();
    assert_eq!(tiers.fast + tiers.typed + tiers.explained, accepted as u64);
    accepted
}

/// The same activities as lines of JSON, read in both ways.
fn lines(stages: &mut Stages, rows: &[ParsedRow]) {
    let mut text = String::new();
    for activity in rows.iter().filter_map(|row| row.activity.as_ref().ok()) {
        let Period::Between(start, end) = activity.period else { continue };
        let (facility, source) = (activity.facility.as_ref(), activity.source.as_ref());
        writeln!(
            text,
            "{{\"external_id\":\"{}\",\"type\":\"{}\",\"quantity\":\"{}\",\"unit\":\"{}\",\"start\":\"{start}\",\"end\":\"{end}\",\"facility_code\":\"{}\",\"source_code\":\"{}\",\"qualifiers\":{},\"tags\":{{\"meter\":\"main\"}}}}",
            activity.external_id.as_deref().unwrap(),
            activity.kind,
            activity.quantity,
            activity.unit,
            facility.unwrap(),
            source.unwrap(),
            serde_json::to_string(&activity.qualifiers).unwrap(),
        )
        .unwrap();
    }
    let head = || OriginHead::Request { request_id: "bench".into(), body: [7; 32] };
    let opening = Opening {
        head: head(),
        mapping: None,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let reader = || open(Format::Ndjson, Box::new(text.as_bytes()), &opening).unwrap();
    let fast = stages.time("NDJSON: read, validate", || each(reader()));
    let kept: Vec<ParsedRow> =
        stages.time("  the same, rows kept ", || reader().map(|row| row.unwrap()).collect());
    let careful = stages.time("  the same, with all care ", || each(reader().with_all_care()));
    assert_eq!((fast, careful), (kept.len(), kept.len()));
}

/// What opening the packs costs, the first question of a type, and reading all that is left.
fn packs() {
    let timed = |what: &str, work: &dyn Fn() -> usize| {
        let start = Instant::now();
        let count = work();
        println!("{what}: {count}, {} µs", start.elapsed().as_micros());
    };
    let library = || Library::starter().unwrap();
    timed("packs opened", &|| library().packs().len());
    timed("factors of electricity read", &|| library().of_kind("electricity.purchased").count());
    timed("factors of all types read", &|| library().factors().count());
}

fn main() {
    packs();
    let house = House::new();
    let mut stages = Stages::default();
    let mut rows_read = 0_usize;
    for building in BUILDINGS {
        house.facility(building, |_| {});
        for carrier in CARRIERS {
            house.source(&format!("{building}-{carrier}"), Some(building));
        }
    }
    for carrier in CARRIERS {
        let mapping = estate().join(format!("estate-{carrier}.toml"));
        let mapping = Mapping::from_toml(&std::fs::read_to_string(mapping).unwrap()).unwrap();
        let mapping = Arc::new(mapping);
        for building in BUILDINGS {
            let file = estate().join(format!("{building}_{carrier}_2022.csv"));
            let bytes = std::fs::read(&file).unwrap();
            let set = [
                ("facility_code", building.to_owned()),
                ("source_code", format!("{building}-{carrier}")),
            ];
            stages.time("data check", || check(reader(&bytes, &mapping, &set), None).unwrap());
            stages.time("CSV: read, map, validate, derive the id", || {
                each(reader(&bytes, &mapping, &set))
            });
            let rows = stages.time("  the same, rows kept", || read(&bytes, &mapping, &set));
            stages.time("  the same, with all care", || {
                each(reader(&bytes, &mapping, &set).with_all_care())
            });
            rows_read += rows.len();
            lines(&mut stages, &rows);
            prepare(&house, &mut stages, &rows);
            let draft = ImportDraft {
                id: ImportId::from_bytes([3; 16]),
                source: PackedSource::of(&bytes).unwrap().into(),
                file_name: format!("{building}_{carrier}_2022.csv"),
                media_type: "text/csv".to_owned(),
                mapping: String::new(),
                mapping_digest: None,
                source_until: house.parts.clock.now(),
            };
            let mut batch = Batch::new(rows, Mode::Partial);
            batch.import = Some(ImportDraft { id: unique(building, carrier), ..draft });
            stages.time("commit, durable (the three above included)", || house.submit_batch(batch));
        }
    }
    stages.time("calculate and add up", || house.catch_up());
    print(&stages, rows_read);
    ask(&house);
    singles(&house);
}

/// Rows that come one by one, from so many at once, each durable before its answer; no HTTP.
fn singles(house: &House) {
    const AT_ONCE: usize = 64;
    const EACH: usize = 50;
    house.facility("b24", |_| {});
    let (mut took, all) = spent(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|sender| {
                    scope.spawn(move || {
                        let one = |number: usize| {
                            let id = format!("single-{sender}-{number}");
                            let row = electricity(&id, "1.5", "2022-01-01T00:00:00Z");
                            let batch = Batch::new(parsed(vec![row]), Mode::Atomic);
                            let start = Instant::now();
                            house.try_submit(batch).unwrap();
                            start.elapsed()
                        };
                        (0..EACH).map(one).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
    });
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).map_or(0, Duration::as_micros);
    let per_second = took.len() as u128 * 1_000_000 / all.wall.as_micros().max(1);
    println!(
        "single rows, {AT_ONCE} at once, durable: {per_second}/s, p50 {} us, p95 {} us, p99 {} us",
        at(50),
        at(95),
        at(99)
    );
    let (_, all) = spent(|| house.catch_up());
    let each = |spent: Duration| spent.as_micros() / took.len() as u128;
    println!(
        "calculating them: {} us each, {} us of processor",
        each(all.wall),
        each(all.processor)
    );
}

fn unique(building: &str, carrier: &str) -> ImportId {
    let digest = Digest::of(format!("{building}-{carrier}").as_bytes());
    ImportId::from_slice(digest.0.get(..16).unwrap()).unwrap()
}

/// The parts of a commit that are pure, each on its own.
fn prepare(house: &House, stages: &mut Stages, rows: &[ParsedRow]) {
    let activities: Vec<_> = rows.iter().filter_map(|row| row.activity.as_ref().ok()).collect();
    let mut buffer = Vec::with_capacity(activities.len() * 400);
    stages.time("  canonical rows into one buffer", || {
        activities.iter().for_each(|activity| activity.canonical_onto(&mut buffer));
    });
    let canonical: Vec<Vec<u8>> = stages.time("  canonical rows, each its own", || {
        activities.iter().map(|activity| activity.canonical()).collect()
    });
    stages.time("  RFC 6962 root", || rows_root(&canonical));
    let stream = canonical.concat();
    let object = Object::segment(SegmentId::from_bytes([8; 16]));
    stages.time("  seal", || house.parts.keys.seal(&object, &stream));
}

fn print(stages: &Stages, rows: usize) {
    println!("{rows} rows of {} files", BUILDINGS.len() * CARRIERS.len());
    println!("{:<44} {:>12} {:>10} {:>14}", "stage", "rows/s", "ns/row", "processor ns");
    for (stage, spent) in &stages.spent {
        let nanos = spent.wall.as_nanos().max(1);
        let per_row = nanos / rows as u128;
        let per_second = rows as u128 * 1_000_000_000 / nanos;
        let processor = spent.processor.as_nanos() / rows as u128;
        println!("{stage:<44} {per_second:>12} {per_row:>10} {processor:>14}");
    }
}

fn ask(house: &House) {
    for group_by in [None, Some(GroupBy::Month), Some(GroupBy::Facility)] {
        let query = FootprintQuery {
            from: Day::from_ymd(2022, 1, 1).unwrap(),
            to: Day::from_ymd(2023, 1, 1).unwrap(),
            group_by,
            filters: BTreeMap::new(),
            gwp_set: None,
            run: None,
            as_of: None,
        };
        let start = Instant::now();
        let answer = footprint(&house.parts, &grant(), &query).unwrap();
        let by = group_by.map_or("nothing", GroupBy::as_str);
        let micros = start.elapsed().as_micros();
        println!("footprint by {by:<9} {micros:>8} us  scope 1 {} kg", answer.totals.scope1.value);
    }
}
