//! P01 at an orderly end: a server that is told to end answers what it began, or says that it stored
//! nothing of it; what was not calculated yet is calculated after the next start.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use envora_server::folder::doctor::{Health, doctor};
use envora_testkit::scratch::scratch_folder;
use envora_testkit::wait::wait_for;
use serde_json::Value;

use crate::fire::{Answered, Served, alone, ask, ask_within, new_folder, read_back, world};
use crate::memory::segment_files;

/// Six segments, which is more than one step of the calculation takes.
const ROWS: u64 = 60_000;
const MAPPING: &str = r#"{"mapping":"minutes","format":"csv",
    "const":{"type":"electricity.purchased","unit":"kW.h","time_zone":"UTC","facility_code":"b1"},
    "activity":[{"period":{"start":"t","format":"YYYY-MM-DD hh:mm","length":"PT1M"},
    "quantity":{"column":"q"}}]}"#;
const BUG: &str = "half_an_import";

fn file() -> String {
    let mut text = String::from("t,q\n");
    for row in 0..ROWS {
        let (minute, hour, day) = (row % 60, row / 60 % 24, row / 1_440);
        let (day, month) = (1 + day % 28, 1 + day / 28);
        writeln!(text, "2022-{month:02}-{day:02} {hour:02}:{minute:02},{}.125", row % 97).unwrap();
    }
    text
}

fn post(port: u16, token: &str, (path, kind): (&str, &str), (key, body): (&str, &str)) -> Sent {
    let head = format!(
        "POST /v2/organizations/acme/{path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {kind}\r\nX-Idempotency-Key: key-of-{key}"
    );
    ask_within(Duration::from_secs(300), port, &head, body)
}

type Sent = std::io::Result<Answered>;

fn import(port: u16, token: &str, key: &str) -> Sent {
    post(port, token, ("imports?mapping=minutes", "text/csv"), (key, &file()))
}

/// What became of the rows: accepted, and known before.
fn counts(sent: &Answered) -> [u64; 2] {
    assert_eq!(sent.status, 201, "{}", sent.body);
    let answer: Value = serde_json::from_str(&sent.body).unwrap();
    ["accepted", "duplicate"].map(|fate| answer["counts"][fate].as_u64().unwrap())
}

/// A folder with the mapping; requests have so long to end, or as long as usual.
struct Place {
    home: tempfile::TempDir,
    token: String,
}

impl Place {
    fn new(grace_seconds: Option<u64>) -> Self {
        let home = scratch_folder();
        let folder = home.path().join("data");
        let token = new_folder(&folder);
        if let Some(seconds) = grace_seconds {
            let settings = format!("grace_seconds = {seconds}\n");
            std::fs::write(folder.join("envora.toml"), settings).unwrap();
        }
        let place = Self { home, token };
        let mut server = place.serve(None);
        let kind = ("import-mappings", "application/json");
        let saved = post(server.port, &place.token, kind, ("mapping", MAPPING)).unwrap();
        assert_eq!(saved.status, 201, "{}", saved.body);
        server.end();
        place
    }

    fn folder(&self) -> std::path::PathBuf {
        self.home.path().join("data")
    }

    fn serve(&self, bug: Option<&str>) -> Served {
        Served::start(&self.folder(), &[], bug)
    }

    /// The totals, once everything is calculated.
    fn totals(&self, server: &Served) -> String {
        let head = format!(
            "GET /v2/organizations/acme/carbon-footprint?from=2022-01-01&to=2023-01-01 HTTP/1.1\r\n\
             Authorization: Bearer {}",
            self.token
        );
        wait_for("the calculation", || {
            let answer = ask(server.port, &head, "").unwrap();
            let footprint: Value = serde_json::from_str(&answer.body).unwrap();
            (footprint["status"] == "current").then(|| {
                let totals = footprint["totals"].as_object().unwrap();
                let digits = |(name, number): (&String, &Value)| {
                    format!("{name} {}", number["value"].as_str().unwrap_or_default())
                };
                totals.iter().map(digits).collect::<Vec<_>>().join(", ")
            })
        })
    }

    /// Whether something of what is stored waits to be calculated.
    fn is_behind(&self) -> bool {
        let checks = doctor(&self.folder(), &world(), None);
        let calculation = checks.iter().find(|check| check.name.starts_with("calculation of "));
        calculation.unwrap().health == Health::Note
    }
}

/// The totals of a run that nobody disturbed.
fn undisturbed() -> &'static str {
    static TOTALS: OnceLock<String> = OnceLock::new();
    TOTALS.get_or_init(|| {
        let place = Place::new(None);
        let mut server = place.serve(None);
        assert_eq!(counts(&import(server.port, &place.token, "a").unwrap()), [ROWS, 0]);
        let totals = place.totals(&server);
        server.end();
        assert!(totals.contains("scope2_location ") && !totals.contains("scope2_location 0,"));
        totals
    })
}

fn term(server: &Served) {
    let pid = server.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

fn ended(server: &mut Served) {
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
}

/// Nobody new is let in any more.
fn closed(port: u16) {
    wait_for("the listener to close", || TcpStream::connect(("127.0.0.1", port)).err().map(drop));
}

/// Tells the server to end in the middle of an import; gives what the sender was told.
fn told_to_end(place: &Place, server: &mut Served, between: impl FnOnce(u16)) -> Sent {
    let port = server.port;
    std::thread::scope(|scope| {
        let sent: ScopedJoinHandle<'_, Sent> = scope.spawn(move || import(port, &place.token, "a"));
        wait_for("a segment", || (segment_files(&place.folder()) >= 1).then_some(()));
        term(server);
        between(port);
        ended(server);
        sent.join().unwrap()
    })
}

/// Sends the file again after a start: it must come to what nobody disturbed comes to.
fn again(place: &Place, (key, due): (&str, [u64; 2])) {
    let mut server = place.serve(None);
    assert_eq!(counts(&import(server.port, &place.token, key).unwrap()), due, "{key}");
    assert_eq!(place.totals(&server), undisturbed());
    server.end();
    assert_eq!(read_back(&place.folder()).unwrap().len() as u64, ROWS);
}

#[test]
fn p01_an_import_under_way_is_finished_and_nobody_new_is_let_in() {
    let _alone = alone();
    let place = Place::new(Some(600));
    let mut server = place.serve(None);
    // Half a request before the end, and its other half after it.
    let mut half = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    half.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(half, "GET /v2/organizations/acme HTTP/1.1\r\nHost: acme.localhost\r\n").unwrap();
    let sent = told_to_end(&place, &mut server, |port| {
        closed(port);
        write!(half, "Authorization: Bearer {}\r\n\r\n", place.token).unwrap();
        let mut answer = String::new();
        half.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("\"code\":\"draining\""), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("retry-after: 1"), "{answer}");
    });
    let sent = sent.unwrap();
    assert_eq!(counts(&sent), [ROWS, 0]);
    let mut server = place.serve(None);
    let replayed = import(server.port, &place.token, "a").unwrap();
    assert_eq!(replayed.body, sent.body, "the same request has the same answer");
    server.end();
    again(&place, ("b", [0, ROWS]));
}

/// An import that has no time left; the sender's answer, and what is left in the folder.
fn given_up(place: &Place, bug: Option<&str>) -> Answered {
    let mut server = place.serve(bug);
    told_to_end(place, &mut server, closed).unwrap()
}

#[test]
fn p01_an_import_without_time_is_given_up_whole() {
    let _alone = alone();
    let place = Place::new(Some(0));
    let answer = given_up(&place, None);
    assert_eq!(answer.status, 503, "{}", answer.body);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["code"], "draining", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Nothing of it was stored"), "{problem}");
    assert_eq!(segment_files(&place.folder()), 0, "what was staged is gone");
    assert_eq!(read_back(&place.folder()).unwrap().len(), 0);
    again(&place, ("a", [ROWS, 0]));
}

#[test]
fn p01_catches_half_an_import() {
    let _alone = alone();
    let place = Place::new(Some(0));
    let answer = given_up(&place, Some(BUG));
    let stored = read_back(&place.folder()).unwrap().len() as u64;
    assert!(answer.status != 503 || stored != 0, "the planted bug was not seen");
    assert!(stored > 0 && stored < ROWS, "{stored} rows");
}

#[test]
fn p01_what_was_not_calculated_is_calculated_after_the_next_start() {
    let _alone = alone();
    for killed in [false, true] {
        let place = Place::new(None);
        let mut server = place.serve(None);
        assert_eq!(counts(&import(server.port, &place.token, "a").unwrap()), [ROWS, 0]);
        if killed {
            server.kill();
        } else {
            server.end();
        }
        assert!(place.is_behind(), "there was nothing left to do");
        let mut server = place.serve(None);
        assert_eq!(place.totals(&server), undisturbed(), "killed: {killed}");
        server.end();
        assert!(!place.is_behind());
        assert_eq!(read_back(&place.folder()).unwrap().len() as u64, ROWS);
    }
}
