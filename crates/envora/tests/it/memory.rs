//! An import takes little memory however many rows its file has, and is stored whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use envora_testkit::counts::{counted, is_slow};
use envora_testkit::scratch::scratch_folder;
use envora_testkit::wait::wait_for;

use crate::fire::{Answered, Served, alone, ask_within, new_folder, read_back, world};

const MAPPING: &str = r#"{"mapping":"tiny","format":"csv",
    "const":{"type":"electricity.purchased","unit":"kW.h","time_zone":"UTC","facility_code":"b1"},
    "activity":[{"period":{"start":"t","format":"YYYY-MM-DD hh:mm","length":"PT1M"},
    "quantity":{"column":"q"}}]}"#;

/// The most memory that a process has held so far.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

fn head(token: &str, path: &str, kind: &str) -> String {
    let noun = path.split('?').next().unwrap_or_default();
    format!(
        "POST /v2/organizations/acme/{path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {kind}\r\nX-Idempotency-Key: a-key-of-this-test-for-{noun}"
    )
}

fn post(port: u16, token: &str, path: &str, (kind, body): (&str, &str)) -> Answered {
    ask_within(Duration::from_secs(600), port, &head(token, path, kind), body).unwrap()
}

/// A file of so many minutes; of every ten rows one has no number.
fn minutes(rows: u64) -> String {
    let mut text = String::from("t,q\n");
    for row in 0..rows {
        let (minute, hour, day) = (row % 60, row / 60 % 24, row / 1_440);
        let (day, month, year) = (1 + day % 28, 1 + day / 28 % 12, 1 + day / 336);
        let quantity = if row % 10 == 0 { "x" } else { "1" };
        text.push_str(&format!(
            "{:04}-{month:02}-{day:02} {hour:02}:{minute:02},{quantity}\n",
            1_990 + year
        ));
    }
    text
}

/// How many segment files the folder's one tenant has.
pub(crate) fn segment_files(folder: &Path) -> usize {
    let tenants = std::fs::read_dir(folder.join("tenants")).unwrap();
    let segments = tenants.map(|tenant| tenant.unwrap().path().join("segments"));
    segments.map(|segments| std::fs::read_dir(segments).unwrap().count()).sum()
}

#[test]
fn an_import_that_was_cut_leaves_nothing_and_is_stored_once_when_sent_again() {
    let _alone = alone();
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let saved = post(server.port, &token, "import-mappings", ("application/json", MAPPING));
    assert_eq!(saved.status, 201, "{}", saved.body);
    let rows = 60_000;
    let file = minutes(rows);
    std::thread::scope(|scope| {
        let (port, token, file) = (server.port, &token, &file);
        let cut = scope.spawn(move || {
            let head = head(token, "imports?mapping=tiny", "text/csv");
            ask_within(Duration::from_secs(60), port, &head, file)
        });
        wait_for("two segments", || (segment_files(&folder) >= 2).then_some(()));
        server.kill();
        assert!(cut.join().unwrap().is_err(), "it was answered before it was cut");
    });
    assert!(segment_files(&folder) >= 2);
    assert_eq!(read_back(&folder).unwrap().len(), 0, "nothing names what is there");
    assert_eq!(segment_files(&folder), 0, "and it is swept");
    let mut server = Served::start(&folder, &[], None);
    let sent = post(server.port, &token, "imports?mapping=tiny", ("text/csv", &file));
    let answer: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(answer["counts"]["accepted"], rows - rows / 10, "{}", answer["counts"]);
    server.end();
    assert_eq!(read_back(&folder).unwrap().len() as u64, rows - rows / 10);
}

#[test]
fn an_import_of_many_tiny_rows_is_bounded() {
    let _alone = alone();
    let home = scratch_folder();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let saved = post(server.port, &token, "import-mappings", ("application/json", MAPPING));
    assert_eq!(saved.status, 201, "{}", saved.body);
    // Taken in at once, each thousand rows would be 3 MiB more.
    let rows = counted(120_000, 300_000, 3_000_000);
    let file = minutes(rows);
    let before = peak(server.child.id());
    let clock = world().clock;
    let started = clock.now();
    let sent = post(server.port, &token, "imports?mapping=tiny", ("text/csv", &file));
    let after = peak(server.child.id());
    assert_eq!(sent.status, 201, "{}", sent.body);
    let answer: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    let bad = rows.div_ceil(10);
    assert_eq!(answer["counts"]["accepted"], rows - bad, "{}", answer["counts"]);
    assert_eq!(answer["counts"]["rejected"], bad);
    assert_eq!(answer["results"].as_array().unwrap().len(), 1_000);
    let grown = after.saturating_sub(before);
    println!(
        "{rows} rows of {} MiB in {} ms: {} MiB before, {} MiB more at the most, {} bytes a row",
        file.len() >> 20,
        (clock.now() - started).as_micros() / 1_000,
        before >> 20,
        grown >> 20,
        grown / rows
    );
    // What is held of one cut, and of each row its key and its claim; it differs by 15 MiB from run to run,
    // by what the process held before.
    let most = (112 << 20) + rows * 120;
    assert!(grown < most, "{grown} bytes more for {rows} rows, at most {most}");
    server.end();
    if !is_slow() {
        let found: BTreeMap<String, u32> = read_back(&folder).unwrap();
        assert_eq!(found.len() as u64, rows - bad);
    }
}
