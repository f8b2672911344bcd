//! P17: who is slow is cheap. Connections that send their head, their body or nothing, byte by byte, or
//! never read an answer, are cut off in time, cost little memory, and slow nobody else down.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use envora_domain::time::Timestamp;
use envora_testkit::counts::is_slow;
use envora_testkit::scratch::scratch_folder;
use envora_testkit::wait::within;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fire::{Served, alone, ask, new_folder, post, world};

/// How long a slow client is waited for.
const LIMIT: f64 = 10.0;
/// What comes on top of it on a machine that has other things to do.
const SLACK: f64 = 4.0;
/// The most memory that a connection may take.
const BYTES_A_SOCKET_MAX: u64 = 64 << 10;

/// How a client is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It sends a line of its head each second.
    Head,
    /// It sends nothing.
    Silent,
    /// It sends a long head and never its end.
    Flood,
    /// It sends a byte of its body each second.
    Body,
    /// It asks again and again and reads nothing.
    Reader,
}

impl Kind {
    /// Of four hundred sockets, which is what. Few ask for more than they read: each of those has the
    /// server fill the system's buffers first, which is work, not waiting.
    const fn of(number: usize) -> Self {
        match number % 400 {
            0 => Self::Reader,
            1..160 => Self::Head,
            160..240 => Self::Silent,
            240..360 => Self::Flood,
            _ => Self::Body,
        }
    }

    /// What it sends at once.
    fn opening(self, token: &str) -> String {
        let whom = format!("Host: acme.localhost\r\nAuthorization: Bearer {token}\r\n");
        match self {
            Self::Silent => String::new(),
            Self::Head => format!("GET /v2/organizations/acme HTTP/1.1\r\n{whom}"),
            Self::Flood => {
                let lines: String =
                    (0..60).map(|line| format!("x-{line}: {}\r\n", "y".repeat(400))).collect();
                format!("GET /v2/organizations/acme HTTP/1.1\r\n{whom}{lines}")
            }
            Self::Body => format!(
                "POST /v2/organizations/acme/activities HTTP/1.1\r\n{whom}\
                 Content-Type: application/json\r\nX-Idempotency-Key: slow-body\r\n\
                 Content-Length: 1000\r\n\r\n{{"
            ),
            Self::Reader => format!("GET /v2/openapi.json HTTP/1.1\r\n{whom}\r\n").repeat(40),
        }
    }
}

struct Client {
    kind: Kind,
    stream: TcpStream,
    began: Timestamp,
    /// How long it was kept, in seconds.
    kept: Option<f64>,
}

fn seconds_since(began: Timestamp) -> f64 {
    let micros = (world().clock.now() - began).as_micros();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default()).as_secs_f64()
}

impl Client {
    fn new(port: u16, kind: Kind, token: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let began = world().clock.now();
        // One that does not fit is sent as far as it goes.
        stream.set_nonblocking(true).unwrap();
        let _as_far = stream.write(kind.opening(token).as_bytes());
        Self { kind, stream, began, kept: None }
    }

    /// Looks whether it was cut off; sends the next byte when it is time for one.
    fn look(&mut self, sends: bool) {
        if self.kept.is_some() {
            return;
        }
        let gone = |error: &std::io::Error| error.kind() != ErrorKind::WouldBlock;
        let mut is_gone = matches!(self.stream.take_error(), Ok(Some(_)));
        if self.kind != Kind::Reader {
            let mut answer = [0; 4096];
            is_gone |= match self.stream.read(&mut answer) {
                Ok(bytes) => bytes == 0,
                Err(error) => gone(&error),
            };
        }
        if sends && !is_gone {
            let drop = match self.kind {
                Kind::Head => "x-slow: y\r\n",
                Kind::Body => " ",
                Kind::Silent | Kind::Flood | Kind::Reader => "",
            };
            is_gone |= !drop.is_empty()
                && self.stream.write_all(drop.as_bytes()).is_err_and(|error| gone(&error));
        }
        if is_gone {
            self.kept = Some(seconds_since(self.began));
        }
    }
}

/// How much memory a process holds.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// How many sockets a process has.
fn sockets(process: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Asks and writes until it is told to stop; gives how long each answer took, in milliseconds, sorted.
fn well_behaved(port: u16, token: &str, prefix: &str, goes_on: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut took = Vec::new();
    while goes_on(took.len()) {
        let began = world().clock.now();
        if took.len() % 10 == 9 {
            assert!(post(port, token, &[format!("{prefix}-{}", took.len())]));
        } else {
            let head =
                format!("GET /v2/organizations/acme HTTP/1.1\r\nAuthorization: Bearer {token}");
            assert_eq!(ask(port, &head, "").unwrap().status, 200);
        }
        took.push(seconds_since(began) * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    took
}

fn of_hundred(sorted: &[f64], part: usize) -> f64 {
    sorted.get(sorted.len() * part / 100).copied().unwrap_or_default()
}

/// Raises this test's own limit on open files; gives how many slow clients there can be.
fn room(wanted: usize) -> usize {
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.unwrap_or(1 << 20).min(1 << 14);
    let raised = Rlimit { current: Some(most), maximum: now.maximum };
    if now.current.is_some_and(|current| current < most) {
        setrlimit(Resource::Nofile, raised).unwrap();
    }
    wanted.min(usize::try_from(most).unwrap().saturating_sub(512))
}

struct Outcome {
    clients: Vec<Client>,
    bytes_a_socket: u64,
    left: usize,
    before: Vec<f64>,
    meanwhile: Vec<f64>,
}

/// So many slow clients at once, and a good one before and meanwhile.
fn crowd(count: usize, kind: impl Fn(usize) -> Kind, bug: Option<&str>) -> Outcome {
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], bug);
    let (port, process) = (server.port, server.child.id());
    let before = well_behaved(port, &token, "before", |answers| answers < 200);
    let (memory_before, sockets_before) = (memory(process), sockets(process));
    let ended = AtomicBool::new(false);
    let (clients, peak, meanwhile) = std::thread::scope(|scope| {
        let mut clients: Vec<Client> =
            (0..count).map(|number| Client::new(port, kind(number), &token)).collect();
        let good = scope
            .spawn(|| well_behaved(port, &token, "meanwhile", |_| !ended.load(Ordering::Relaxed)));
        let began = world().clock.now();
        let (mut peak, mut second) = (0, 0.0);
        let all = within(Duration::from_secs(60), || {
            let now = seconds_since(began);
            let sends = now >= second;
            if sends {
                second += 1.0;
                peak = peak.max(memory(process));
            }
            clients.iter_mut().for_each(|client| client.look(sends));
            let is_over = now > LIMIT + SLACK * 2.0;
            let is_done = |client: &Client| client.kept.is_some() || client.kind == Kind::Reader;
            (is_over || now > LIMIT && clients.iter().all(is_done)).then_some(())
        });
        ended.store(true, Ordering::Relaxed);
        assert_eq!(all, Some(()), "the clients were not looked at in time");
        (clients, peak, good.join().unwrap())
    });
    // Who reads nothing is not told that it was cut off: the server has let go of it all the same.
    let _all =
        within(Duration::from_secs(5), || (sockets(process) <= sockets_before).then_some(()));
    let left = sockets(process).saturating_sub(sockets_before);
    server.kill();
    let bytes_a_socket = peak.saturating_sub(memory_before) / count as u64;
    Outcome { clients, bytes_a_socket, left, before, meanwhile }
}

/// Those that were kept longer than they may be, by how they were slow.
fn kept_too_long(outcome: &Outcome) -> Vec<String> {
    let late = |client: &&Client| {
        client.kind != Kind::Reader && client.kept.is_none_or(|kept| kept > LIMIT + SLACK)
    };
    let late = outcome.clients.iter().filter(late);
    late.map(|client| format!("{:?} was kept for {:?} s", client.kind, client.kept)).collect()
}

#[test]
fn p17_slow_clients() {
    let _alone = alone();
    let count = room(if is_slow() { 2_000 } else { 400 });
    let outcome = crowd(count, Kind::of, None);
    let mut kept: Vec<f64> = outcome.clients.iter().filter_map(|client| client.kept).collect();
    kept.sort_by(f64::total_cmp);
    println!(
        "p17: {count} sockets, cut off after {:.1} s (half of them) to {:.1} s; {} KiB each; a good client's p50 and p99 {:.1} and {:.1} ms before, {:.1} and {:.1} ms meanwhile ({} answers)",
        of_hundred(&kept, 50),
        kept.last().copied().unwrap_or_default(),
        outcome.bytes_a_socket >> 10,
        of_hundred(&outcome.before, 50),
        of_hundred(&outcome.before, 99),
        of_hundred(&outcome.meanwhile, 50),
        of_hundred(&outcome.meanwhile, 99),
        outcome.meanwhile.len()
    );
    assert_eq!(kept_too_long(&outcome), Vec::<String>::new());
    assert!(outcome.left == 0, "{} sockets are still open", outcome.left);
    assert!(outcome.bytes_a_socket <= BYTES_A_SOCKET_MAX, "{} bytes", outcome.bytes_a_socket);
    // Twice as long, and what the clients themselves take from so small a machine.
    let most = of_hundred(&outcome.before, 99) * 2.0 + 500.0;
    assert!(of_hundred(&outcome.meanwhile, 99) <= most, "more than {most} ms");
    assert!(outcome.meanwhile.len() >= 50, "too few answers to prove anything");
}

#[test]
fn p17_catches_no_header_timeout() {
    let _alone = alone();
    let outcome = crowd(20, |_| Kind::Head, Some("no_header_timeout"));
    let found = kept_too_long(&outcome);
    println!("p17: no_header_timeout caught: {:?}", found.first());
    assert!(!found.is_empty(), "the planted bug was not seen");
}
