//! P18: whatever is sent, it costs little and is answered: no crash, no memory without a bound, nothing
//! stored of what was refused.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_testkit::counts::counted;
use envora_testkit::scratch::scratch_folder;

use crate::fire::{Served, alone, new_folder, read_back};
use crate::hostile::{
    BOMB, CSV, Hostile, JSON, NDJSON, XML, corpus, good, gzip, sheet, texts, workbook,
};

const PARQUET: &[u8] = include_bytes!("../../../envora-ingest/tests/it/files/hours.parquet");
/// The most time of a processor that one file may take: one second, and what a build without
/// optimization takes for it.
const CPU_MS_MAX: u64 = 10_000;
/// The most memory that the server may come to hold on top of what it has at the start.
const MEMORY_MAX: u64 = 512 << 20;

/// How long a process has been on a processor, in milliseconds.
fn cpu(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<u64> = rest.split(' ').map(|word| word.parse().unwrap_or(0)).collect();
    // In hundredths of a second, as everywhere on Linux.
    (fields[11] + fields[12]) * 10
}

/// The most memory that a process has held so far.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// Sends a file; what was answered, even where not all of it was taken.
fn push(port: u16, token: &str, file: &Hostile, number: usize) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let encoding = match file.encoding {
        "" => String::new(),
        encoding => format!("Content-Encoding: {encoding}\r\n"),
    };
    let head = format!(
        "POST /v2/organizations/acme/{}?mode=atomic HTTP/1.1\r\nHost: acme.localhost:{port}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: {}\r\n{encoding}Content-Length: {}\r\n\
         X-Idempotency-Key: key-of-file-{number}\r\nConnection: close\r\n\r\n",
        file.way,
        file.kind,
        file.bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    let _as_far_as_taken = stream.write_all(&file.bytes);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

#[derive(Default)]
struct Outcome {
    files: usize,
    refused: usize,
    slowest: (u64, String),
    grown: u64,
    breaches: Vec<String>,
}

/// Sends them all to one server, and looks at what it holds in the end.
fn fire(files: &[Hostile], bug: Option<&str>) -> Outcome {
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], bug);
    let (port, process) = (server.port, server.child.id());
    let before = peak(process);
    let mut outcome = Outcome { files: files.len(), ..Outcome::default() };
    let mut taken = BTreeSet::new();
    for (number, file) in files.iter().enumerate() {
        let began = cpu(process);
        let answer = push(port, &token, file, number);
        if !matches!(server.child.try_wait(), Ok(None)) {
            outcome.breaches.push(format!("{}: the server is gone", file.name));
            return outcome;
        }
        let took = cpu(process).saturating_sub(began);
        if took > outcome.slowest.0 {
            outcome.slowest = (took, file.name.clone());
        }
        if took > CPU_MS_MAX {
            outcome.breaches.push(format!("{}: {took} ms of a processor", file.name));
        }
        match answer {
            Ok((200..300, _)) => drop(taken.insert(number)),
            Ok((400..500, body)) if is_problem(&body) => outcome.refused += 1,
            Ok((status, body)) => {
                let start: String = body.chars().take(300).collect();
                outcome.breaches.push(format!("{}: {status} {start}", file.name));
            }
            Err(error) => outcome.breaches.push(format!("{}: {error}", file.name)),
        }
    }
    outcome.grown = peak(process).saturating_sub(before);
    let log = std::fs::read_to_string(folder.with_extension("log")).unwrap_or_default();
    // Of the library that reads workbooks it is known: whoever calls it catches that, and refuses the file.
    let is_ours = |line: &&str| line.contains("a thread panicked") && !line.contains("/calamine-");
    let panics = log.lines().filter(is_ours);
    outcome.breaches.extend(panics.map(str::to_owned));
    server.end();
    outcome.breaches.extend(stored_of_refused(&folder, &taken));
    outcome
}

fn is_problem(body: &str) -> bool {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    problem["code"].is_string() && problem["detail"].is_string()
}

fn stored_of_refused(folder: &Path, taken: &BTreeSet<usize>) -> Vec<String> {
    let found = match read_back(folder) {
        Ok(found) => found,
        Err(error) => return vec![error],
    };
    let number = |id: &str| id.strip_prefix('h').and_then(|digits| digits.parse::<usize>().ok());
    let of_refused = |id: &&String| number(id).is_some_and(|number| !taken.contains(&number));
    let stored =
        found.keys().filter(of_refused).map(|id| format!("{id} is stored and was refused"));
    let mut breaches: Vec<String> = stored.collect();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_envora"));
    doctor.arg("doctor").arg("--data").arg(folder).env_remove("ENVORA_PLANTED_BUG");
    let said = doctor.stdin(Stdio::null()).output().unwrap();
    if !said.status.success() {
        breaches.push(format!("doctor: {}", String::from_utf8_lossy(&said.stdout)));
    }
    breaches
}

#[test]
fn p18_hostile_input() {
    let _alone = alone();
    let files = corpus(PARQUET);
    let outcome = fire(&files, None);
    println!(
        "p18: {} files, {} refused, at most {} ms of a processor ({}), {} MiB more memory",
        outcome.files,
        outcome.refused,
        outcome.slowest.0,
        outcome.slowest.1,
        outcome.grown >> 20
    );
    assert_eq!(outcome.breaches, Vec::<String>::new());
    assert!(outcome.files >= 300 && outcome.refused >= 200, "{}", outcome.refused);
    assert!(outcome.grown < MEMORY_MAX, "{} bytes", outcome.grown);
}

/// A bomb is refused by the cap that it breaks.
fn bomb(bug: Option<&str>) -> Vec<String> {
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let server = Served::start(&folder, &[], bug);
    let dense = gzip(&vec![b' '; BOMB]);
    // Within a hundred times what is sent, and above what a file may have.
    let mut state = 1_u32;
    let lines = core::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{state:08x}{}\n", "x".repeat(55))
    });
    let long = gzip(lines.take((80 << 20) / 64).collect::<String>().as_bytes());
    let mut found = Vec::new();
    for (number, (bytes, words)) in
        [(dense, "hundred times"), (long, "64 MiB")].into_iter().enumerate()
    {
        let name = words.to_owned();
        let file = Hostile { name, way: "imports", kind: CSV, encoding: "gzip", bytes };
        match push(server.port, &token, &file, number) {
            Ok((413, body)) if body.contains(words) => {}
            Ok((status, body)) => {
                let start: String = body.chars().take(200).collect();
                found.push(format!("{words}: {status} {start}"));
            }
            Err(error) => found.push(format!("{words}: {error}")),
        }
    }
    found
}

#[test]
fn p18_a_bomb_is_refused_by_the_cap_that_it_breaks() {
    let _alone = alone();
    assert_eq!(bomb(None), Vec::<String>::new());
}

#[test]
fn p18_catches_no_decode_cap() {
    let _alone = alone();
    let found = bomb(Some("no_decode_cap"));
    println!("p18: no_decode_cap caught: {:?}", found.first());
    assert!(!found.is_empty(), "the planted bug was not seen");
}

#[test]
fn p18_what_looks_like_a_formula_is_none_in_an_export() {
    let _alone = alone();
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let server = Served::start(&folder, &[], None);
    let starts = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1"];
    for (number, text) in starts.iter().enumerate() {
        let [(kind, file), ..] = texts(&good(text));
        let bytes =
            file.replacen("{\"external_id\"", "{\"note\":\"=HYPERLINK(1)\",\"external_id\"", 1);
        let file = Hostile {
            name: String::new(),
            way: "activities",
            kind,
            encoding: "",
            bytes: bytes.into(),
        };
        let (status, body) = push(server.port, &token, &file, number).unwrap();
        assert!(status < 300 || number == 4, "{text:?}: {status} {body}");
    }
    let head = format!(
        "GET /v2/organizations/acme/activities/export?format=csv HTTP/1.1\r\nAuthorization: Bearer {token}"
    );
    let body = whole(server.port, &head);
    assert!(body.starts_with("HTTP/1.1 200"), "{body}");
    assert!(body.contains("1+1") && body.contains("HYPERLINK"), "{body}");
    for line in body.lines().filter(|line| line.contains("1+1") || line.contains("HYPERLINK")) {
        let bad = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '@', '\t', '\r']);
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.iter().find(|cell| bad(cell)), None, "{line}");
        assert!(!cells.iter().any(|cell| cell.starts_with("-1+1")), "{line}");
    }
}

/// What is answered, in whatever pieces it comes.
fn whole(port: u16, head: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("{head}\r\nHost: acme.localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The same numbers in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap() % bound.max(1)
    }
}

/// What is put into files.
const SCRAPS: &[&[u8]] = &[
    b"\0",
    b"\xff\xff\xff\xff",
    b"\"",
    b"\n",
    b"\r",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"&",
    b"<![CDATA[",
    b"<!DOCTYPE",
    b"&#0;",
    b"NaN",
    b"-0",
    b"1e999",
    b"9999-12-31",
    b"0000-01-01",
    b"\\u0000",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"PK\x03\x04",
    b"PAR1",
    b"\x7f\xff\xff\xff",
];

/// A file like this one, but for a few places.
fn mutant(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(16)).min(bytes.len());
        match dice.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy.repeat(1 + dice.below(20)));
            }
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, SCRAPS[dice.below(SCRAPS.len())].iter().copied())),
        }
    }
    bytes
}

/// How long this thread has been on a processor, in milliseconds.
fn own_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000
}

#[test]
fn p18_mutants_are_read_or_refused() {
    let row = good("m1");
    let mut seeds: Vec<(Format, Vec<u8>)> = texts(&row)
        .into_iter()
        .map(|(kind, text)| {
            let format = match kind {
                JSON => Format::Json,
                NDJSON => Format::Ndjson,
                CSV => Format::Csv,
                XML => Format::Xml,
                _ => panic!("{kind}"),
            };
            (format, text.into_bytes())
        })
        .collect();
    let header = ["external_id", "type", "quantity", "unit", "start", "end", "facility_code"];
    let book = workbook(&sheet(&[header.map(str::to_owned).to_vec(), row.to_vec()]));
    seeds.extend([(Format::Parquet, PARQUET.to_vec()), (Format::Xlsx, book)]);
    let mut dice = Dice(0x5eed_5eed);
    let count = usize::try_from(counted(3_000, 20_000, 1_000_000)).unwrap();
    let (mut read, mut refused, mut slowest) = (0, 0, 0);
    for number in 0..count {
        let (format, seed) = &seeds[number % seeds.len()];
        let bytes = mutant(seed, &mut dice);
        let began = own_cpu();
        let kept = bytes.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let head = OriginHead::Request { request_id: "r".into(), body: [0; 32] };
            let opening = Opening {
                head,
                mapping: None,
                set: Default::default(),
                local_times: Default::default(),
                clocks: Default::default(),
            };
            let mut rows = 0_u64;
            open(*format, Box::new(Cursor::new(bytes)), &opening)
                .is_ok_and(|mut reader| reader.each(|_| rows += 1).is_ok())
        }));
        let took = own_cpu().saturating_sub(began);
        slowest = slowest.max(took);
        assert!(
            took < 5_000,
            "{format:?} number {number}: {took} ms: {:?}",
            String::from_utf8_lossy(&kept)
        );
        match outcome {
            Ok(true) => read += 1,
            Ok(false) => refused += 1,
            Err(_) => panic!("{format:?} number {number}: {:?}", String::from_utf8_lossy(&kept)),
        }
    }
    println!("p18: {count} mutants, {read} read, {refused} refused, at most {slowest} ms");
    assert!(read > count / 20 && refused > count / 20, "{read} read, {refused} refused");
}
