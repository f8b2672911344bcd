//! P05: a request that is sent again is one effect. Same key and same body: the same bytes come back.
//! Same key and another body: refused. While the first is on its way: told so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use envora_domain::access::actions::ReadActivities;
use envora_domain::hash::Digest;
use envora_domain::planted;
use envora_domain::ports::Entropy as _;
use envora_domain::time::Span;
use envora_ingest::commit::answers::IDEMPOTENCY_KEPT;
use envora_ingest::commit::{Accepted, Batch, Idempotency, StoredAnswer, SubmitError, Submitted};
use envora_ingest::process::sweep::sweep_answers;
use envora_ingest::tenant::Damaged;
use envora_lake::segments::{Known, Orphans};
use envora_store::engine::Engine;
use envora_store::engine::address::Address;
use envora_store::idempotency::idempotency_objects;
use envora_store::imports::Mode;
use envora_testkit::counts::counted;
use envora_testkit::entropy::SeededEntropy;
use envora_testkit::postgres;

use crate::house::{House, electricity, grant, parsed};

const AT: &str = "2022-01-01T00:00:00Z";
const REQUESTS: u64 = 1_500;
const REQUESTS_SLOW: u64 = 6_000;
const REQUESTS_LONG: u64 = 5_000_000;

/// A request of one row: its key, which of the bodies it has, and who sends it.
fn request(sender: &str, key: u64, body: u64) -> Batch {
    let row = electricity(&format!("row-{key}-{body}"), "1", AT);
    let mut batch = Batch::new(parsed(vec![row]), Mode::Atomic);
    let sender = sender.to_owned();
    batch.idempotency = Some(Idempotency {
        key: Digest::of(format!("key {key}").as_bytes()),
        fingerprint: Digest::of(format!("body {body}").as_bytes()),
        render: Box::new(move |accepted| StoredAnswer {
            status: 201,
            media_type: "application/json".to_owned(),
            body: format!("{sender}: seq {}", accepted.watermark).into_bytes(),
        }),
    });
    batch
}

/// One sender, what it was answered under each key, and its organization's house.
struct Sender {
    name: String,
    house: House,
    answered: BTreeMap<u64, (u64, StoredAnswer)>,
    replayed: u64,
    refused: u64,
    in_flight: u64,
}

impl Sender {
    fn new(name: &str) -> Self {
        let house = House::new();
        house.facility("b24", |_| {});
        let name = name.to_owned();
        Self { name, house, answered: BTreeMap::new(), replayed: 0, refused: 0, in_flight: 0 }
    }

    /// Sends the same request so many times at once, and holds the answers against what is due.
    fn send(&mut self, key: u64, body: u64, times: u64) {
        let (name, house) = (&self.name, &self.house);
        let answers: Vec<Result<Submitted, SubmitError>> = std::thread::scope(|scope| {
            let submit = || house.try_submit(request(name, key, body));
            let threads: Vec<_> = (0..times).map(|_| scope.spawn(submit)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut stored = None;
        let mut again = Vec::new();
        for answer in answers {
            match answer {
                Ok(Submitted::Stored(accepted, Some(answer))) => {
                    assert_eq!(accepted.counts.accepted, 1);
                    assert!(stored.replace(answer).is_none(), "two effects of one key");
                }
                Ok(Submitted::Stored(_, None)) => panic!("an effect without its answer"),
                Ok(Submitted::Replayed(answer)) => again.push(answer),
                Err(SubmitError::KeyReused) => self.refused += 1,
                Err(SubmitError::InFlight) => self.in_flight += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        if let Some((sent, answer)) = self.answered.get(&key) {
            assert!(stored.is_none(), "a retry had an effect of its own");
            assert!(*sent == body || again.is_empty(), "another body was answered as the first");
            assert!(again.iter().all(|bytes| bytes == answer), "the same bytes");
        } else {
            let answer = stored.expect("the first request is an effect");
            assert!(answer.body.starts_with(self.name.as_bytes()), "somebody else's answer");
            assert!(again.iter().all(|bytes| *bytes == answer), "the same bytes");
            self.answered.insert(key, (body, answer));
        }
        self.replayed += u64::try_from(again.len()).unwrap();
    }

    fn restart(self) -> Self {
        Self { house: self.house.reopen(), ..self }
    }
}

/// Requests of two organizations under the same keys, one to five at once, with restarts.
#[expect(clippy::print_stdout, reason = "a suite says how much it reached")]
fn retries(requests: u64) {
    let dice = SeededEntropy::new(5);
    let mut senders = [Sender::new("acme"), Sender::new("globex")];
    let (mut sent, mut rounds) = (0, 0);
    while sent < requests {
        rounds += 1;
        let times = 1 + dice.next() % 5;
        let (key, body) = (dice.next() % (requests / 12), dice.next() % 3);
        let sender = &mut senders[usize::from(dice.next().is_multiple_of(2))];
        sender.send(key, body, times);
        sent += times;
        if rounds % 100 == 0 {
            senders = senders.map(Sender::restart);
        }
    }
    for sender in &senders {
        let effects = u64::try_from(sender.answered.len()).unwrap();
        assert_eq!(sender.house.recount().rows, effects, "effects are distinct keys");
        let hits = [effects, sender.replayed, sender.refused, sender.in_flight];
        assert!(hits.iter().all(|hits| *hits > 0), "a kind of answer never came: {hits:?}");
        println!(
            "p05: {}: {effects} effects, {} answered again, {} refused, {} in flight",
            sender.name, sender.replayed, sender.refused, sender.in_flight
        );
    }
}

#[test]
fn p05_retry_is_one_effect() {
    retries(counted(REQUESTS, REQUESTS_SLOW, REQUESTS_LONG));
}

/// The suite proves that it can fail: where bodies are not compared, it must not pass.
#[test]
fn p05_catches_body_not_compared() {
    let (me, bug) = ("p05::p05_catches_body_not_compared", "body_not_compared");
    if std::env::args().any(|argument| argument == bug) {
        planted::arm(bug);
        retries(REQUESTS);
        return;
    }
    let run =
        Command::new(std::env::current_exe().unwrap()).args(["--exact", me, bug]).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("running 1 test"), "the armed run found its test: {text}");
    assert!(!run.status.success(), "{bug} passed the suite");
    assert!(text.contains("another body was answered as the first"), "another reason: {text}");
}

/// A request whose answer is too long for its row, and packs badly.
fn long(key: u64) -> Batch {
    let mut batch = request("acme", key, 1);
    let mut entropy = [0; 100_000];
    SeededEntropy::new(key).fill(&mut entropy);
    let render = move |_: &Accepted| StoredAnswer {
        status: 201,
        media_type: "application/json".to_owned(),
        body: entropy.to_vec(),
    };
    if let Some(idempotency) = &mut batch.idempotency {
        idempotency.render = Box::new(render);
    }
    batch
}

/// The files of long answers.
fn objects(house: &House) -> Vec<PathBuf> {
    let folder = house.folder.join("tenant/answers");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn replayed(house: &House, key: u64) -> Result<StoredAnswer, SubmitError> {
    match house.try_submit(long(key))? {
        Submitted::Replayed(answer) => Ok(answer),
        Submitted::Stored(..) => panic!("a retry had an effect of its own"),
    }
}

fn long_answers(engine: Option<Engine>) {
    let house = House::on(engine);
    house.facility("b24", |_| {});
    let Ok(Submitted::Stored(_, Some(first))) = house.try_submit(long(1)) else {
        panic!("it is new")
    };
    assert_eq!(first.body.len(), 100_000);
    let [file] = objects(&house).try_into().expect("one object, and nothing of it in the row");
    assert!(matches!(house.try_submit(request("acme", 2, 1)), Ok(Submitted::Stored(..))));
    assert_eq!(objects(&house), std::slice::from_ref(&file), "a short answer lies in its row");
    let house = house.reopen();
    assert_eq!(replayed(&house, 1).unwrap(), first, "to the byte");
    // A flipped bit is told, and nothing is answered; nor is anything done twice.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[50_000] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let Err(SubmitError::Unexpected(error)) = replayed(&house, 1) else {
        panic!("a damaged answer was given")
    };
    assert!(error.chain().any(|cause| cause.is::<Damaged>()), "{error:?}");
    assert_eq!(house.recount().rows, 2);
    bytes[50_000] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(replayed(&house, 1).unwrap(), first);
    // After a day the key is free, and its object goes with its row.
    house.clock.advance(IDEMPOTENCY_KEPT);
    house.clock.advance(Span::from_secs(1));
    assert_eq!(sweep_answers(&house.parts).unwrap(), 2);
    assert_eq!(objects(&house), [] as [PathBuf; 0]);
    assert!(matches!(house.try_submit(long(1)), Ok(Submitted::Stored(..))), "it truly runs again");
    assert_eq!((objects(&house).len(), house.recount().rows), (1, 2), "and finds its row there");
}

#[test]
fn p05_a_long_answer_is_an_object_beside_its_row() {
    long_answers(None);
}

#[test]
fn p05_a_long_answer_is_an_object_beside_its_row_on_postgres() {
    if let Some(server) = postgres::server() {
        long_answers(Some(server.engine()));
    }
}

/// The engine of a connection string; without one, a file.
fn engine_of(database: &str) -> Option<Engine> {
    (!database.is_empty()).then(|| Engine::Postgres { address: Address::parse(database).unwrap() })
}

/// A process ends between the object and the commit: the request is not done, and sent again it is.
#[expect(clippy::disallowed_methods, reason = "the armed run is told its folder and its database")]
fn crashed_before_the_commit(me: &str, database: &dyn Fn() -> String) {
    let bug = "crash_after_answer";
    if std::env::args().any(|argument| argument == bug) {
        planted::arm(bug);
        let folder = std::env::var_os("P05_FOLDER").unwrap();
        let engine = engine_of(&std::env::var("P05_DATABASE").unwrap());
        let house = House::at_on(engine, Path::new(&folder), 8);
        drop(house.try_submit(long(1)));
        return;
    }
    let database = database();
    let house = House::on(engine_of(&database));
    house.facility("b24", |_| {});
    let (folder, kept) = (house.folder.clone(), house.close());
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", me, bug])
        .env("P05_FOLDER", &folder)
        .env("P05_DATABASE", &database)
        .output()
        .unwrap();
    assert!(!run.status.success(), "it came to its end");
    let house = House::at_on(engine_of(&database), &folder, 9);
    let [orphan] = objects(&house).try_into().expect("the object was durable");
    assert_eq!(house.recount().rows, 0, "and its effect was not");
    let named =
        house.parts.db.read_blocking(move |rd| idempotency_objects(rd, &grant::<ReadActivities>()));
    assert_eq!(named.unwrap(), []);
    let known = Known { segment: &|_| true, answer: &|_| false };
    let swept = house.parts.lake.sweep(known, Orphans::Remove).unwrap();
    assert_eq!(swept.orphans.len(), 1);
    assert!(!orphan.exists());
    assert!(matches!(house.try_submit(long(1)), Ok(Submitted::Stored(..))), "it truly runs again");
    assert!(replayed(&house, 1).is_ok());
    drop(kept);
}

#[test]
fn p05_an_answer_without_its_commit_was_never_given() {
    let me = "p05::p05_an_answer_without_its_commit_was_never_given";
    crashed_before_the_commit(me, &String::new);
}

#[test]
fn p05_an_answer_without_its_commit_was_never_given_on_postgres() {
    let me = "p05::p05_an_answer_without_its_commit_was_never_given_on_postgres";
    if let Some(server) = postgres::server() {
        crashed_before_the_commit(me, &|| server.database());
    }
}

#[test]
fn a_refusal_keeps_no_key() {
    let house = House::new();
    house.facility("b24", |_| {});
    house.submit(vec![electricity("row-2-1", "2", AT)]);
    let refused = house.try_submit(request("acme", 2, 1));
    assert!(matches!(refused, Err(SubmitError::Refused(_))), "the id is taken: {refused:?}");
    assert!(matches!(house.try_submit(request("acme", 2, 2)), Ok(Submitted::Stored(..))));
}
