//! What the verbs say, word for word: each file of `transcripts` is a story, played anew.
//!
//! `$ ` starts a command; below it stand what it printed, `! ` what it said beside that, and
//! `[exit N]` where that is not 0. Ids, hashes, times, tokens and ports differ each time and are
//! written as `act_…`, `HASH`, `TIME`, `TOKEN`, `PORT`; in a command, `act_LAST` is the first such id
//! of the last answer that had one. `$ replace FILE OLD NEW` mends a file as a person would.

use std::collections::BTreeMap;
use std::fs;

use crate::documents::{Reader, words};
use crate::house::repository;

/// The kinds of ids that are told apart.
const KINDS: [&str; 7] = ["act_", "imp_", "fac_", "src_", "seg_", "run_", "fig_"];

/// Plays a story and compares; the one that came is left beside it as `.new` when it differs.
#[track_caller]
fn check(name: &str, reader: &Reader) {
    let path = repository().join("crates/envora/tests/it/transcripts").join(name);
    let want = fs::read_to_string(&path).unwrap_or_default();
    let mut last: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut came = String::new();
    for line in want.lines() {
        if line.starts_with('#') {
            came.push_str(&format!("{line}\n"));
        }
        let Some(command) = line.strip_prefix("$ ") else { continue };
        came.push_str(&format!("\n$ {command}\n"));
        let mut command = command.to_owned();
        for (kind, id) in &last {
            command = command.replace(&format!("{kind}LAST"), id);
        }
        came.push_str(&answer(&words(&command), reader, &mut last));
    }
    if came != want {
        fs::write(path.with_extension("txt.new"), &came).unwrap();
    }
    assert_eq!(came, want, "{name}");
}

fn answer(words: &[String], reader: &Reader, last: &mut BTreeMap<&'static str, String>) -> String {
    if let [verb, file, old, new] = words
        && verb == "replace"
    {
        let path = reader.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old.as_str()), "{old} is not in\n{text}");
        fs::write(&path, text.replace(old.as_str(), new)).unwrap();
        return String::new();
    }
    if let [verb, file] = words
        && verb == "show"
    {
        return plain(&fs::read_to_string(reader.path().join(file)).unwrap(), reader);
    }
    let output = reader.run(&words[1..]);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    for kind in KINDS {
        let is_id = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if let Some(at) = out.find(kind) {
            let id: String = out[at..].chars().take_while(|letter| is_id(*letter)).collect();
            last.insert(kind, id);
        }
    }
    let mut text = plain(&out, reader);
    for line in plain(&err, reader).lines() {
        text.push_str(&format!("! {line}\n"));
    }
    match output.status.code() {
        Some(0) => {}
        code => text.push_str(&format!("[exit {}]\n", code.unwrap_or(-1))),
    }
    text
}

/// The same text without what differs each time.
fn plain(text: &str, reader: &Reader) -> String {
    let home = reader.path().to_string_lossy().into_owned();
    let mut text = text.replace(&home, "HOME");
    if let Some(port) = reader.port() {
        text = text.replace(&port.to_string(), "PORT");
    }
    text.lines().map(|line| format!("{}\n", plain_line(line))).collect()
}

fn plain_line(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let inside = |letter: char| letter.is_ascii_alphanumeric() || "-_:.+/=".contains(letter);
        let end = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
        plain.push_str(&plain_word(&rest[..end]));
        rest = &rest[end..];
    }
    plain.push_str(rest);
    plain
}

fn plain_word(word: &str) -> String {
    let is_id = |part: &str| part.len() > 12 && KINDS.iter().any(|kind| part.starts_with(kind));
    if word.split('/').any(is_id) {
        let kind = |part: &str| KINDS.iter().find(|kind| part.starts_with(**kind)).copied();
        let plain = |part: &str| match kind(part).filter(|_| is_id(part)) {
            Some(kind) => format!("{kind}…"),
            None => part.to_owned(),
        };
        return word.split('/').map(plain).collect::<Vec<_>>().join("/");
    }
    let is_hex = |part: &str| {
        let hex = part.len() >= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    // What the readings say is the same each time.
    if word.starts_with("2022-") {
        return word.to_owned();
    }
    if word.len() >= 20 && word.ends_with('Z') && word.starts_with("20") && word.contains('T') {
        return "TIME".to_owned();
    }
    if word.starts_with("env_") {
        return "TOKEN".to_owned();
    }
    let parts: Vec<&str> = word.split([':', '/', '@', '+']).collect();
    if parts.iter().any(|part| is_hex(part)) {
        let keep: Vec<&str> = parts.iter().copied().take_while(|part| !is_hex(part)).collect();
        let after = word.split_once('@').map_or("", |_| "@");
        return match (after, keep.as_slice()) {
            ("@", [name, ..]) => format!("{name}@HASH"),
            (_, [name, ..]) => format!("{name} HASH"),
            _ => "HASH".to_owned(),
        };
    }
    // Ids of requests; signatures, keys and proofs in base64.
    let digits = word.bytes().any(|byte| byte.is_ascii_digit());
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if word.len() == 26 && digits && word.bytes().all(small) {
        return "REQUEST".to_owned();
    }
    let long = word.len() >= 40 && !word.contains('.') && digits;
    let letters = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    if long && letters { "BASE64".to_owned() } else { word.to_owned() }
}

/// Facilities that are new, changed, the same, and wrong in several ways.
const MIXED: &str = "code,name,country,time_zone
b24,University building b24,GB,Europe/London
b62,West building,GB,Europe/London
hq,Head office,GB,Europe/London
x1,One,GB,Europe/Londn
x2,Two,GB
x3,Three,GB,Europe/Londn
hq,Head office again,GB,Europe/London
";

/// The reader's own files and the example's bad rows.
fn reader() -> Reader {
    let reader = Reader::new();
    let estate = repository().join("examples/university-estate");
    for name in ["every-bad-row.csv", "every-bad-row.toml", "every-bad-row.ndjson"] {
        fs::copy(estate.join(name), reader.path().join(name)).unwrap();
    }
    let own = repository().join("examples/own-factors/factors.csv");
    fs::copy(own, reader.path().join("factors.csv")).unwrap();
    let january = fs::read_to_string(reader.path().join("january.csv")).unwrap();
    let lines: Vec<&str> = january.lines().take(5).collect();
    let day = |text: &str| format!("{text}\n");
    let mut few: String = lines.iter().copied().map(day).collect();
    few = few.replace("2022-01-01 01:00:00,", "2022-01-01 01:00:00,about ");
    few = few.replace("2022-01-01 03:00:00,", "2022-01-01 03:00:00,-");
    fs::write(reader.path().join("few.csv"), few).unwrap();
    fs::write(reader.path().join("mixed.csv"), MIXED).unwrap();
    reader
}

#[test]
fn what_needs_no_server() {
    check("alone.txt", &reader());
}

#[test]
fn what_is_asked_of_a_server() {
    let mut reader = reader();
    reader.does("envora init --org acme --name \"Acme Ltd\" --data acme-data");
    reader.does("envora serve --data acme-data");
    check("served.txt", &reader);
}

/// Where factors are shown, so is what their licences ask for and how they are chosen.
fn licences_and_rules_are_printed(reader: &mut Reader) {
    let told = |reader: &Reader, command: &str| {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let output = reader.run(&words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    let (british, american) =
        ("Open Government Licence v3.0", "U.S. EPA, GHG Emission Factors Hub, 2025");
    let listed = told(reader, "factors list");
    assert!(listed.contains(british) && listed.contains(american), "{listed}");
    let found = told(reader, "factors search electricity --pack epa-hub-2025 --json=id");
    let id = found.split('"').find(|word| word.starts_with("sha256:")).expect("a factor");
    let shown = told(reader, &format!("factors show {id}"));
    for words in [american, "period_rule", "majority", "subregion_then_country", "same_edition"] {
        assert!(shown.contains(words), "{words:?} is missing in\n{shown}");
    }
    let found = told(reader, "factors search electricity --pack desnz-2022");
    assert!(found.contains(british) && !found.contains(american), "{found}");
}

#[test]
fn figures_factors_and_the_log_are_told_by_a_real_server() {
    let mut reader = reader();
    reader.does("envora init --org acme --name \"Acme Ltd\" --data acme-data");
    reader.does("envora serve --data acme-data");
    for command in ["facilities push facilities.csv", "sources push sources.csv"] {
        reader.does(&format!("envora {command}"));
    }
    reader.does("envora data push january.csv --mapping meters.toml");
    let listed = reader.does("envora data list --limit 1 --json=id");
    let id = listed.split('"').find(|word| word.starts_with("act_")).expect("an activity");
    licences_and_rules_are_printed(&mut reader);
    for (command, all) in [
        (format!("trace {id}"), ["counted", "january.csv, line 2", "signed (Ed25519)"]),
        ("audit verify".to_owned(), ["✓", "entries hash to the signed root", "envora.localhost/"]),
        ("audit checkpoint".to_owned(), ["envora.localhost/", "\n—", " "]),
        ("audit proof 0".to_owned(), ["entry 0 of", "root", "the head is signed"]),
        ("factors list".to_owned(), ["pack", "desnz-2022", "yes"]),
        ("factors search electricity".to_owned(), ["kg CO2e", "electricity", "sha256:"]),
        ("methods list".to_owned(), ["electricity.grid@1", "yes", "not yet"]),
        (
            "methods show electricity.grid@1".to_owned(),
            ["formula", "s2_lb", "electricity.purchased"],
        ),
        (
            "footprint --year 2022 --group-by facility".to_owned(),
            ["b24", "scope2_location", "fig_"],
        ),
        ("data map show estate-electricity".to_owned(), ["[[activity]]", "PT168H", "[const]"]),
    ] {
        let printed = reader.does(&format!("envora {command}"));
        for words in all {
            assert!(printed.contains(words), "{command}: {words:?} is missing in\n{printed}");
        }
    }
}
