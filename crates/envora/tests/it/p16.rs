//! P16: five times what a server can do does not bring it down. What it cannot take it refuses at once
//! and says when to come again; what it takes is as much as ever; memory has a bound; then all is as before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use envora_domain::time::Timestamp;
use envora_testkit::counts::is_slow;
use envora_testkit::scratch::scratch_folder;
use envora_testkit::wait::{wait_for, within};

use crate::fire::{Served, alone, breaches, new_folder, read_back, send, world};

/// What the server may hold.
const MEMORY_MAX: u64 = 512 << 20;
/// Rows of each request.
const ROWS: u64 = 100;
/// Clients at a time: more than are worked on and wait.
const CLIENTS: usize = 96;
/// How many times what was measured is offered.
const TIMES: f64 = 5.0;

fn seconds_since(began: Timestamp) -> f64 {
    let micros = (world().clock.now() - began).as_micros();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default()).as_secs_f64()
}

/// A group of processes that together may hold so much memory; gone with this value.
struct Group(PathBuf);

impl Group {
    /// None where this user may not make one.
    fn new() -> Option<Self> {
        let name = format!("envora-p16-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/memory").join(&name);
        if std::fs::create_dir(&first).is_ok() {
            let group = Self(first);
            let limit = group.0.join("memory.limit_in_bytes");
            return std::fs::write(limit, MEMORY_MAX.to_string()).is_ok().then_some(group);
        }
        let second = Path::new("/sys/fs/cgroup").join(&name);
        std::fs::create_dir(&second).ok()?;
        let group = Self(second);
        std::fs::write(group.0.join("memory.max"), MEMORY_MAX.to_string()).is_ok().then_some(group)
    }

    fn take(&self, process: u32) {
        std::fs::write(self.0.join("cgroup.procs"), process.to_string()).unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _left = within(Duration::from_secs(2), || std::fs::remove_dir(&self.0).ok());
    }
}

fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// Seconds of processor that a process has used.
fn worked(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let ticks: u32 =
        rest.split_whitespace().skip(11).take(2).map(|n| n.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / 100.0
}

/// What all clients saw.
#[derive(Default)]
struct Book {
    sent: AtomicU64,
    acked: Mutex<BTreeSet<u64>>,
}

/// What came of some seconds of load.
#[derive(Default)]
struct Load {
    taken: u64,
    /// How long refusals took, in milliseconds, sorted.
    refused: Vec<f64>,
    odd: Vec<String>,
    seconds: f64,
    /// Seconds of processor that the server used.
    worked: f64,
}

impl Load {
    /// Requests taken for each second of processor.
    fn by_work(&self) -> f64 {
        f64::from(u32::try_from(self.taken).unwrap_or(u32::MAX)) / self.worked
    }

    fn a_second(&self) -> f64 {
        f64::from(u32::try_from(self.taken).unwrap_or(u32::MAX)) / self.seconds
    }
}

fn ids(number: u64) -> Vec<String> {
    (0..ROWS).map(|row| format!("p{number:06}-{row:03}")).collect()
}

fn was_sent(id: &str, book: &Book) -> bool {
    let number = id.strip_prefix('p').and_then(|rest| rest.split_once('-')?.0.parse::<u64>().ok());
    number.is_some_and(|number| number < book.sent.load(Ordering::Relaxed))
}

/// So many clients for some seconds; with a rate, each request at its own time, whatever came of others.
fn load(
    (server, token): (&Served, &str),
    book: &Book,
    clients: usize,
    how: (f64, Option<f64>),
) -> Load {
    let (seconds, rate) = how;
    let (port, process) = (server.port, server.child.id());
    let (began, worked_before) = (world().clock.now(), worked(process));
    let (tickets, load) = (AtomicU64::new(0), Mutex::new(Load::default()));
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                loop {
                    let ticket = tickets.fetch_add(1, Ordering::Relaxed);
                    let due =
                        rate.map_or(0.0, |rate| f64::from(u32::try_from(ticket).unwrap()) / rate);
                    let _due = within(Duration::from_secs(60), || {
                        (seconds_since(began) >= due.min(seconds)).then_some(())
                    });
                    if seconds_since(began) >= seconds {
                        return;
                    }
                    let number = book.sent.fetch_add(1, Ordering::Relaxed);
                    let ids = ids(number);
                    let asked = world().clock.now();
                    let answer = send(port, token, &ids);
                    let took = seconds_since(asked) * 1_000.0;
                    let mut load = load.lock().unwrap();
                    match answer {
                        Ok(answer) if (200..300).contains(&answer.status) => {
                            book.acked.lock().unwrap().insert(number);
                            load.taken += u64::from(seconds_since(began) < seconds);
                        }
                        Ok(answer) if matches!(answer.status, 429 | 503) => {
                            let head = answer.head.to_ascii_lowercase();
                            if !head.contains("\r\nretry-after: ") {
                                load.odd
                                    .push("a refusal does not say when to come again".to_owned());
                            }
                            load.refused.push(took);
                        }
                        Ok(answer) => load.odd.push(format!("{}: {}", answer.status, answer.body)),
                        Err(error) => load.odd.push(error.to_string()),
                    }
                }
            });
        }
    });
    let mut load = load.into_inner().unwrap();
    load.seconds = seconds;
    load.worked = worked(process) - worked_before;
    load.refused.sort_by(f64::total_cmp);
    load
}

fn of_hundred(sorted: &[f64], part: usize) -> f64 {
    sorted.get(sorted.len() * part / 100).copied().unwrap_or_default()
}

#[test]
fn p16_overload() {
    let _alone = alone();
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let group = Group::new();
    let mut server = Served::start(&folder, &[], None);
    if let Some(group) = &group {
        group.take(server.child.id());
    }
    let (to, book) = ((&server, token.as_str()), Book::default());
    let seconds = if is_slow() { 8.0 } else { 3.0 };
    load(to, &book, 4, (2.0, None));
    let before = load(to, &book, 4, (seconds, None));
    let over = load(to, &book, CLIENTS, (seconds, Some(before.a_second() * TIMES)));
    let calm = world().clock.now();
    wait_for("the server to be as before", || {
        let asked = world().clock.now();
        let number = book.sent.fetch_add(1, Ordering::Relaxed);
        let taken = send(server.port, &token, &ids(number)).is_ok_and(|answer| answer.status < 300);
        if taken {
            book.acked.lock().unwrap().insert(number);
        }
        (taken && seconds_since(asked) < 1.0).then_some(())
    });
    let calm = seconds_since(calm);
    let after = load(to, &book, 4, (seconds / 2.0, None));
    let held = peak(server.child.id());
    println!(
        "p16: {:.1} requests of {ROWS} rows a second before, {:.1} of them at {TIMES} times that, {:.1} after; {:.1}, {:.1} and {:.1} for each second of processor; {} refused, p50 and p99 {:.1} and {:.1} ms; normal after {calm:.1} s; {} MiB at most, {}",
        before.a_second(),
        over.a_second(),
        after.a_second(),
        before.by_work(),
        over.by_work(),
        after.by_work(),
        over.refused.len(),
        of_hundred(&over.refused, 50),
        of_hundred(&over.refused, 99),
        held >> 20,
        if group.is_some() { "as the system holds it to" } else { "held by nobody else" }
    );
    let odd: Vec<&String> = before.odd.iter().chain(&over.odd).chain(&after.odd).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(held < MEMORY_MAX, "{held} bytes");
    assert!(!over.refused.is_empty(), "nothing was refused: was it five times too much?");
    // The clients share the processors, so what is taken is held against what the server had of them;
    // and a build for tests is not optimized, so that a refusal costs a tenth of what it refuses.
    let least = before.by_work().min(after.by_work()) * 0.3;
    assert!(over.by_work() >= least, "{} of at least {least} a second of work", over.by_work());
    assert!(of_hundred(&over.refused, 50) < 2_000.0, "refusals take their time");
    assert!(calm < 10.0, "{calm} s");
    server.end();
    let acked = book.acked.lock().unwrap();
    let found = read_back(&folder).unwrap();
    let lost =
        breaches(&found, acked.iter().flat_map(|number| ids(*number)), |id| was_sent(id, &book));
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn p16_catches_unbounded_queue() {
    let _alone = alone();
    let refused = [None, Some("unbounded_queue")].map(|bug| {
        let home = scratch_folder();
        let folder = home.path().join("data");
        let token = new_folder(&folder);
        let server = Served::start(&folder, &[], bug);
        load((&server, &token), &Book::default(), CLIENTS, (1.0, None)).refused.len()
    });
    println!(
        "p16: unbounded_queue caught: {} refused without it, {} with it",
        refused[0], refused[1]
    );
    assert!(refused[0] > 0 && refused[1] == 0, "the planted bug was not seen: {refused:?}");
}
