//! P01: an acknowledged activity survives the death of the process, once. What was not acknowledged
//! is sent again under the same key, and has one effect all the same.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use envora_testkit::counts::counted;
use envora_testkit::scratch::scratch_folder;

use crate::fire::{Served, alone, breaches, new_folder, post, read_back};

/// Writers that post at the same time.
const WRITERS: u64 = 4;
/// Kills between two looks at the folder.
const KILLS_A_LOOK: u64 = 25;

#[derive(Default)]
struct Outcome {
    kills: u64,
    acks: u64,
    again: u64,
    breaches: Vec<String>,
}

/// What was sent and what came of it.
#[derive(Default)]
struct Book {
    sent: AtomicU64,
    again: AtomicU64,
    acked: Mutex<BTreeSet<String>>,
    unanswered: Mutex<Vec<String>>,
}

impl Book {
    fn next(&self) -> String {
        if let Some(id) = self.unanswered.lock().unwrap().pop() {
            self.again.fetch_add(1, Ordering::Relaxed);
            return id;
        }
        format!("a{}", self.sent.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends until nobody answers any more; says each answer.
    fn write(&self, port: u16, token: &str, answered: &Sender<()>) {
        loop {
            let id = self.next();
            if !post(port, token, std::slice::from_ref(&id)) {
                self.unanswered.lock().unwrap().push(id);
                return;
            }
            let _alone = answered.send(());
            self.acked.lock().unwrap().insert(id);
        }
    }

    fn was_sent(&self, id: &str) -> bool {
        let highest = self.sent.load(Ordering::Relaxed);
        id.strip_prefix('a').and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n < highest)
    }
}

/// When the server is killed.
enum Moment {
    /// After so long.
    Any(Duration),
    /// At once after so many answers: what they promised must be true by then.
    AfterAnswers(u64),
}

impl Moment {
    fn of(dice: u64) -> Self {
        if dice.is_multiple_of(2) {
            Self::Any(Duration::from_millis(5 + (dice >> 1) % 200))
        } else {
            Self::AfterAnswers(1 + (dice >> 1) % 12)
        }
    }
}

/// Kills the server so often at random moments; looks at what is left every few kills.
fn fire(kills: u64, bug: Option<&str>) -> Outcome {
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let book = Book::default();
    let mut seed = 0x5eed_u64;
    let mut outcome = Outcome::default();
    while outcome.kills < kills && outcome.breaches.is_empty() {
        let mut server = Served::start(&folder, &[], bug);
        let port = server.port;
        let (answered, answers) = channel();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                let (answered, book, token) = (answered.clone(), &book, &token);
                scope.spawn(move || book.write(port, token, &answered));
            }
            match Moment::of(seed >> 33) {
                Moment::Any(wait) => {
                    // Nobody says anything here: the wait is the point.
                    let (_silent, alarm) = channel::<()>();
                    assert_eq!(alarm.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
                }
                Moment::AfterAnswers(count) => {
                    (0..count).for_each(|_| answers.recv_timeout(Duration::from_secs(60)).unwrap());
                }
            }
            server.kill();
        });
        outcome.kills += 1;
        if outcome.kills.is_multiple_of(KILLS_A_LOOK) || outcome.kills == kills {
            let acked = book.acked.lock().unwrap();
            outcome.acks = acked.len() as u64;
            outcome.again = book.again.load(Ordering::Relaxed);
            outcome.breaches = match read_back(&folder) {
                Ok(found) => breaches(&found, acked.iter().cloned(), |id| book.was_sent(id)),
                Err(error) => vec![error],
            };
        }
    }
    outcome
}

#[test]
fn p01_acked_survives_kill() {
    let _alone = alone();
    // With the thousand of the commit path alone (`envora-ingest`), 1,200 before each change.
    let kills = counted(20, 200, 1_200);
    let outcome = fire(kills, None);
    println!(
        "p01: {} kills, {} acknowledged activities, {} sent again",
        outcome.kills, outcome.acks, outcome.again
    );
    assert_eq!(outcome.breaches, Vec::<String>::new());
    assert_eq!(outcome.kills, kills);
    assert!(outcome.acks > kills, "too few answers to prove anything: {}", outcome.acks);
    assert!(outcome.again > kills / 4, "too few requests were cut: {}", outcome.again);
}

#[test]
fn p01_catches_ack_before_commit() {
    let _alone = alone();
    let outcome = fire(100, Some("ack_before_commit"));
    println!("p01: caught after {} kills: {:?}", outcome.kills, outcome.breaches.first());
    assert!(!outcome.breaches.is_empty(), "{} kills did not show the planted bug", outcome.kills);
}
