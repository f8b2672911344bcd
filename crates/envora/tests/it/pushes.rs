//! Lists of places that are pushed, and what is said when that ends before its time.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use envora_domain::hash::Digest;
use envora_identity::policy::own_work;
use envora_server::folder::open::open;
use envora_store::packs::{NewPack, pack_activate, packs_active};
use envora_testkit::wait::wait_for;
use serde_json::json;

use crate::fire::{Served, new_folder, world};
use crate::house::{Ended, House};

/// More than can go in before somebody pulls the plug.
const FACILITIES: usize = 20_000;

#[test]
fn a_push_that_is_cut_short_says_how_far_it_came() {
    let house = House::new();
    let folder = house.path().join("acme-data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let address = format!("http://acme.localhost:{}", server.port);
    let line = |number: usize| format!("f{number},Facility {number},GB,UTC\n");
    let lines: String = (0..FACILITIES).map(line).collect();
    fs::write(house.path().join("f.csv"), format!("code,name,country,time_zone\n{lines}")).unwrap();

    let command = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("ENVORA_SERVER", &address).env("ENVORA_TOKEN", &token);
        command
    };
    let mut push = command(&["facilities", "push", "f.csv", "--json"]);
    let push = push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("some of them to be there", || {
        let list = command(&["facilities", "list", "--limit", "5", "--ndjson=code"]);
        let list = Ended::of(&{ list }.output().unwrap());
        (list.out.lines().count() == 5).then_some(())
    });
    server.end();
    let ended = Ended::of(&push.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.err.contains("it stopped half way"), "{ended:?}");
    let counts: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let added = counts["added"].as_u64().unwrap();
    assert!(added >= 4 && added < FACILITIES as u64, "{counts}");
    assert_eq!(counts["refused"], 0, "{counts}");

    let mut server = Served::start(&folder, &[], None);
    let address = format!("http://acme.localhost:{}", server.port);
    let mut list = house.command(&["facilities", "list", "--ndjson=code"]);
    list.env("ENVORA_SERVER", &address).env("ENVORA_TOKEN", &token);
    let there = Ended::of(&list.output().unwrap()).out.lines().count() as u64;
    // One more than was counted may be there: its answer was cut off. And the folder had one before.
    assert!((added + 1..=added + 2).contains(&there), "{there} are there, {added} were counted");
    server.end();
}

/// Makes a pack active that is not at hand: nothing can be calculated with it.
pub(crate) fn with_a_pack_of_another_program(folder: &Path) {
    let app = open(folder, world(), None).unwrap();
    for tenant in app.tenants().all() {
        let (id, now, db) = (tenant.id(), app.clock().now(), &tenant.parts().db);
        let active = db.read_blocking(move |rd| packs_active(rd, &own_work(id), u64::MAX)).unwrap();
        let ours = active.into_iter().find(|it| it.pack.pack == "desnz-2022").unwrap().pack;
        let (version, digest) = ("of another program".to_owned(), Digest::of(b"not at hand"));
        let theirs = NewPack { version, digest, ..ours };
        db.write_blocking(move |tx| pack_activate(tx, &own_work(id), &theirs, now).map(drop))
            .unwrap();
        db.close();
    }
}

#[test]
fn a_push_says_that_the_calculation_fails_and_waits_no_longer() {
    for first in [true, false] {
        let house = House::new();
        let folder = house.path().join("acme-data");
        let token = new_folder(&folder);
        let row = "{\"external_id\":\"a-1\",\"type\":\"electricity.purchased\",\"quantity\":\"372.4\",\"unit\":\"kW.h\",\"start\":\"2022-01-01T00:00:00Z\",\"end\":\"2022-01-01T01:00:00Z\",\"facility_code\":\"b1\"}\n";
        fs::write(house.path().join("rows.ndjson"), row).unwrap();
        let run = |server: &Served, arguments: &[&str]| {
            let mut command = house.command(arguments);
            command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", server.port));
            Ended::of(&command.env("ENVORA_TOKEN", &token).output().unwrap())
        };
        if !first {
            // A calculation that has ended before is told as it stands, and as failing.
            let mut server = Served::start(&folder, &[], None);
            let footprint = ["footprint", "--from", "2022-01-01", "--to", "2023-01-01"];
            assert_eq!(run(&server, &footprint).code, Some(0));
            server.end();
        }
        with_a_pack_of_another_program(&folder);
        let mut server = Served::start(&folder, &[], None);
        let pushed = run(&server, &["data", "push", "rows.ndjson", "--json"]);
        assert_eq!(pushed.code, Some(6), "first: {first}: {pushed:?}");
        for words in [
            "not_counted",
            "are stored and not counted",
            "pack_missing",
            "nothing needs to be sent again",
        ] {
            assert!(pushed.err.contains(words), "first: {first}: {words}: {pushed:?}");
        }
        let imports: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
        assert_eq!(imports[0]["counts"]["accepted"], 1, "what was stored is told: {imports}");
        let mended = run(&server, &["factors", "activate", "desnz-2022"]);
        assert_eq!(mended.code, Some(0), "first: {first}: {mended:?}");
        // The next command prints the figures that the activation led to.
        let year = ["footprint", "--from", "2022-01-01", "--to", "2023-01-01", "--json"];
        let shown = run(&server, &year).json();
        assert_eq!(shown["status"], "current", "first: {first}: {shown}");
        let codes: Vec<_> =
            shown["warnings"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
        assert!(!codes.iter().any(|code| **code == "recalculating"), "first: {first}: {codes:?}");
        let again = wait_for("the calculation to go on", || {
            let again = run(&server, &["data", "push", "rows.ndjson", "--json"]);
            (again.code == Some(0)).then_some(again)
        });
        assert_eq!(again.json()[0]["counts"]["duplicate"], 1, "first: {first}");
        server.end();
    }
}

/// A served folder, and the verbs that talk to it.
pub(crate) struct Push {
    house: House,
    pub(crate) server: Served,
    token: String,
}

impl Push {
    pub(crate) fn new() -> Self {
        let house = House::new();
        let folder = house.path().join("acme-data");
        let token = new_folder(&folder);
        let server = Served::start(&folder, &[], None);
        Self { house, server, token }
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        fs::write(self.house.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.house.command(arguments);
        command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", self.server.port));
        command.env("ENVORA_TOKEN", &self.token);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }
}

fn reading(id: &str, hour: u32) -> String {
    format!(
        "{{{id}\"type\":\"electricity.purchased\",\"quantity\":\"372.4\",\"unit\":\"kW.h\",\"start\":\"2022-01-01T{hour:02}:00:00Z\",\"end\":\"2022-01-01T{:02}:00:00Z\",\"facility_code\":\"b1\"}}\n",
        hour + 1
    )
}

#[test]
fn a_file_with_rows_that_no_id_protects_is_stored_once_as_a_whole() {
    let mut push = Push::new();
    let file = reading("\"external_id\":\"a\",", 0) + &reading("", 1);
    push.file("rows.ndjson", &file);
    let send = |set: &str| push.run(&["data", "push", "rows.ndjson", "--set", set, "--json"]);
    let first = send("note=x").json();
    assert_eq!(first[0]["counts"]["accepted"], 2, "{first}");
    assert_eq!(first[0]["warnings"], serde_json::Value::Null);
    let again = send("note=x");
    assert!(again.err.contains("sent_before"), "{again:?}");
    assert_eq!(again.json()[0]["id"], first[0]["id"], "nothing new was stored: {again:?}");
    // Another file, or the same with other constants, is another one: the row without an id is stored
    // again, and is said to look like the first.
    push.file("rows.ndjson", &format!("{file}{}", reading("", 2)));
    let other = push.run(&["data", "push", "rows.ndjson", "--set", "note=x", "--json"]);
    assert_eq!(other.json()[0]["counts"]["accepted"], 2, "{other:?}");
    assert!(other.err.contains("possible_duplicate"), "{other:?}");
    push.server.end();
}

pub(crate) const BILLS: &str = r#"
mapping = "bills"
[file]
delimiter = ";"
decimal = ","
[const]
facility_code = "b1"
type = "electricity.purchased"
unit = "kW.h"
[[activity]]
period = { day = "Day" }
quantity = { column = "Used" }
"#;

#[test]
fn a_corrected_cell_of_a_mapped_file_is_mended_as_its_refusal_says() {
    let mut push = Push::new();
    push.file("bills.toml", BILLS);
    push.file("bills.csv", "Day;Used\n2022-01-01;9310,2\n");
    let send = || push.run(&["data", "push", "bills.csv", "--mapping", "bills.toml"]);
    assert_eq!(send().code, Some(0));
    push.file("bills.csv", "Day;Used\n2022-01-01;9311,2\n");
    let refused = send();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(!refused.err.contains("external_id,"), "{refused:?}");
    let (_, remedy) = refused.err.split_once("to correct it: envora ").unwrap();
    let remedy: Vec<&str> = remedy.lines().next().unwrap().split(' ').collect();
    assert_eq!(remedy.last(), Some(&"9311.2"), "{refused:?}");
    let mended = push.run(&remedy);
    assert_eq!(mended.code, Some(0), "{mended:?}");
    let counted = push.run(&["data", "list", "--state", "counted", "--ndjson=quantity"]);
    assert_eq!(counted.out.trim(), "{\"quantity\":\"9311.2\"}", "{counted:?}");
    push.server.end();
}

const EACH_HOUR: &str = r#"
mapping = "meters"
[const]
facility_code = "b1"
type = "electricity.purchased"
unit = "kW.h"
[[activity]]
period = { start = "Start", length = "PT1H" }
quantity = { column = "Used" }
source_code = { column = "Meter" }
"#;

#[test]
fn what_a_file_says_twice_is_told_before_and_after_it_is_stored() {
    let mut push = Push::new();
    push.file("meters.toml", EACH_HOUR);
    let hour = |meter: &str, hour: u32, used: &str| {
        format!("2022-01-05T{hour:02}:00:00Z,{meter},{used}\n")
    };
    let hours: String = (0..4).map(|at| hour("m1", at, "2.5")).collect();
    // The hours once more, one of them with another amount, and two that another meter has as well.
    let again = hour("m1", 2, "2.5") + &hour("m1", 3, "7") + &hour("m2", 0, "2.5");
    push.file("twice.csv", &format!("Start,Meter,Used\n{hours}{again}"));
    push.file("total.csv", &format!("Start,Meter,Used\n{hours}{}", hour("all", 23, "10")));
    for (file, code, says, rows) in [
        ("twice.csv", "possible_duplicate", "2 rows are of the same source and period", 2),
        ("total.csv", "looks_like_total", "line 6, is the sum of the 4 rows before it", 1),
    ] {
        let checked = push.run(&["data", "check", file, "-m", "meters.toml", "--offline"]);
        assert!(checked.err.contains(says) || checked.out.contains(says), "{checked:?}");
        let told = push.run(&["data", "check", file, "-m", "meters.toml", "--offline", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        let warning = &told["files"][0]["warnings"][0];
        assert_eq!((&warning["code"], &warning["activities"]), (&json!(code), &json!(rows)));
    }
    for (file, says) in [("twice.csv", "the first on line 6"), ("total.csv", "line 6, is the sum")]
    {
        let sent = push.run(&["data", "push", file, "-m", "meters.toml"]);
        assert!(sent.err.contains(says), "{sent:?}");
        // Sent again they are duplicates, of which nothing is odd.
        let again = push.run(&["data", "push", file, "-m", "meters.toml", "--set", "note=again"]);
        assert!(!again.err.contains("possible_duplicate"), "{again:?}");
        let checked = push.run(&["data", "check", file, "-m", "meters.toml"]);
        assert!(!checked.err.contains(says), "{checked:?}");
    }
    let listed = push.run(&["data", "list", "--ndjson=quantity,flags"]);
    let flagged = listed.out.lines().filter(|line| line.contains("possible_duplicate"));
    assert_eq!(flagged.count(), 2, "{listed:?}");
    push.server.end();
}

#[test]
fn a_mended_row_is_no_second_one_of_itself() {
    let mut push = Push::new();
    push.file("meters.toml", EACH_HOUR);
    push.file(
        "bad.csv",
        "Start,Meter,Used\n2022-01-05T00:00:00Z,m1,1\n2022-01-05T01:00:00Z,m1,x\n",
    );
    let sent = push.run(&["data", "push", "bad.csv", "-m", "meters.toml", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&sent.out).unwrap();
    let import = told[0]["id"].as_str().unwrap();
    assert_eq!(push.run(&["data", "errors", import, "--fix", "mend.csv"]).code, Some(0));
    let text = fs::read_to_string(push.house.path().join("mend.csv")).unwrap();
    // Said otherwise, so that it is no longer what the file marks it as.
    push.file("mend.csv", &text.replace(",x", ",5").replace("01:00:00Z", "01:00:00+00:30"));
    let mended = push.run(&["data", "push", "mend.csv", "-m", "meters.toml", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&mended.out).unwrap();
    assert_eq!(told[0]["counts"]["quarantined"], 1, "{mended:?}");
    assert!(!mended.err.contains("possible_duplicate"), "{mended:?}");
    push.server.end();
}

#[test]
fn stdin_is_pushed_like_a_file() {
    let mut push = Push::new();
    push.file("bills.toml", BILLS);
    push.file("bills.csv", "Day;Used\n2022-01-01;9310,2\n");
    for counts in ["stdin.csv\t1\t0\t0\t0", "stdin.csv\t0\t1\t0\t0"] {
        let mut command = push.command(&["data", "push", "-", "--mapping", "bills.toml"]);
        command.stdin(fs::File::open(push.house.path().join("bills.csv")).unwrap());
        let sent = Ended::of(&command.output().unwrap());
        assert_eq!(sent.code, Some(0), "{sent:?}");
        assert!(sent.out.contains(counts), "{sent:?}");
    }
    push.server.end();
}

#[test]
fn a_file_to_mend_says_which_lines_are_too_long_for_it() {
    let mut push = Push::new();
    let long = format!("{{\"note\":\"{}\"}}\n", "x".repeat(1 << 20));
    push.file("long.ndjson", &(reading("\"external_id\":\"a\",", 0) + &long));
    let sent = push.run(&["data", "push", "long.ndjson", "--json"]);
    let import = |sent: &Ended| -> String {
        let answer: serde_json::Value = serde_json::from_str(&sent.out).unwrap();
        answer[0]["id"].as_str().unwrap().to_owned()
    };
    let alone = push.run(&["data", "errors", &import(&sent), "--fix", "mend.ndjson"]);
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(alone.err.contains("line 2, longer than the 1 MiB"), "{alone:?}");
    assert!(!push.house.path().join("mend.ndjson").exists());
    push.file("long.ndjson", &(long + "{\"type\":1}\n"));
    let sent = push.run(&["data", "push", "long.ndjson", "--json"]);
    let beside = push.run(&["data", "errors", &import(&sent), "--fix", "mend.ndjson"]);
    assert_eq!(beside.code, Some(0), "{beside:?}");
    assert!(beside.err.contains("left out: line 1, longer than the 1 MiB"), "{beside:?}");
    let mend = fs::read_to_string(push.house.path().join("mend.ndjson")).unwrap();
    assert_eq!(mend.lines().count(), 1, "{mend}");
    push.server.end();
}

#[test]
fn a_footprint_for_programs_says_beside_its_figures_what_is_not_in_them() {
    let mut push = Push::new();
    let nowhere = reading("\"external_id\":\"b\",", 1).replace("\"b1\"", "\"b9\"");
    push.file("rows.ndjson", &(reading("\"external_id\":\"a\",", 0) + &nowhere));
    let _sent = push.run(&["data", "push", "rows.ndjson"]);
    let told = push.run(&["footprint", "--year", "2022"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("scope2_location"), "{told:?}");
    assert!(told.err.contains("not in these figures: 1 × unknown_facility"), "{told:?}");
    assert!(!told.out.contains("not in these"), "the table stays one: {told:?}");
    push.server.end();
}

#[test]
fn a_check_beside_a_server_finds_what_only_stored_rows_can_tell() {
    let mut push = Push::new();
    push.file("bills.toml", BILLS);
    push.file("bills.csv", "Day;Used\n2022-01-01;9310,2\n2022-01-02;1\n");
    assert_eq!(push.run(&["data", "push", "bills.csv", "--mapping", "bills.toml"]).code, Some(0));
    push.file("bills.csv", "Day;Used\n2022-01-01;9310,2\n2022-01-02;2\n2022-01-03;3\n");
    let check = ["data", "check", "bills.csv", "--mapping", "bills.toml"];
    let told = push.run(&check);
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(told.out.contains("bills.csv\t1\t1\t0\t1\t0"), "{told:?}");
    for words in [
        "bills.csv:3",
        "external_id_conflict",
        "data supersede --id act_",
        "external_id of its own",
    ] {
        assert!(told.err.contains(words), "{words}: {told:?}");
    }
    let alone = push.run(&[check.as_slice(), &["--offline"]].concat());
    assert_eq!(alone.code, Some(3), "without the server that stays open: {alone:?}");
    push.file("next.csv", "Day;Used\n2022-02-01;5\n");
    let fine = push.run(&["data", "check", "next.csv", "--mapping", "bills.toml"]);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    push.server.end();
}

#[test]
fn a_check_beside_a_server_takes_local_times_as_a_push_does() {
    let mut push = Push::new();
    push.file("places.csv", "code,name,country,time_zone\nlib,Library,GB,Europe/London\n");
    assert_eq!(push.run(&["facilities", "push", "places.csv"]).code, Some(0));
    let rows = |id: &str, quantity: &str| {
        let head = "external_id,type,quantity,unit,facility_code,start,end";
        let row = format!("{id},electricity.purchased,{quantity},kW.h,lib");
        format!("{head}\n{row},2022-07-01T00:00,2022-07-01 01:00:00\n")
    };
    push.file("span.csv", &rows("a1", "1"));
    push.file(
        "once.csv",
        "external_id,type,quantity,unit,facility_code,occurred_at\n\
         o1,electricity.purchased,1,kW.h,lib,2022-07-01T00:00\n",
    );
    push.file("mapped.csv", "from,load,meter\n2022-07-01T05:00,3,m1\n");
    let mapping = METERS.replace("format = \"parquet\"\n", "").replace("\"b1\"", "\"lib\"");
    push.file("mapped.toml", &mapping);
    for (file, more) in [
        ("span.csv", ["--set", "data_kind=metered"]),
        ("once.csv", ["--set", "data_kind=metered"]),
        ("mapped.csv", ["--mapping", "mapped.toml"]),
    ] {
        let run = |verb: &str| push.run(&[&["data", verb, file], more.as_slice()].concat());
        let checked = run("check");
        assert_eq!(checked.code, Some(0), "{file}: {checked:?}");
        assert!(checked.out.contains(&format!("{file}\t1\t0\t0\t0\t0")), "{checked:?}");
        assert_eq!(run("push").code, Some(0), "{file}");
        let again = run("check");
        assert!(again.out.contains(&format!("{file}\t0\t1\t0\t0\t0")), "the same row: {again:?}");
    }
    push.file("span.csv", &rows("a1", "2"));
    let other = push.run(&["data", "check", "span.csv", "--set", "data_kind=metered"]);
    assert_eq!(other.code, Some(3), "{other:?}");
    assert!(other.err.contains("external_id_conflict") && !other.err.contains("wrong_type"));
    push.server.end();
}

#[test]
fn a_workbook_is_previewed_checked_pushed_and_traced_by_the_rows_of_its_sheet() {
    let mut push = Push::new();
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Bills").unwrap();
    let days = rust_xlsxwriter::Format::new().set_num_format("d mmmm yyyy");
    for (row, amount) in [(1, "9310.25"), (2, "#N/A")] {
        let row_date = rust_xlsxwriter::ExcelDateTime::from_ymd(2022, 1, 1).unwrap();
        sheet.write_with_format(row, 0, &row_date, &days).unwrap();
        match amount.parse::<f64>() {
            Ok(number) => sheet.write(row, 1, number).unwrap(),
            Err(_) => {
                let formula = rust_xlsxwriter::Formula::new("=NA()").set_result(amount);
                sheet.write_formula(row, 1, formula).unwrap()
            }
        };
    }
    sheet.write(0, 0, "Day").unwrap();
    sheet.write(0, 1, "Used").unwrap();
    workbook.save(push.house.path().join("bills.xlsx")).unwrap();
    push.file("bills.toml", &BILLS.replace("delimiter = \";\"\n", ""));

    let preview = push.run(&["data", "preview", "bills.xlsx", "--mapping", "bills.toml", "--json"]);
    assert_eq!(preview.json()[0]["quantity"], "9310.25", "{preview:?}");
    let check = push.run(&["data", "check", "bills.xlsx", "--mapping", "bills.toml"]);
    assert_eq!(check.code, Some(3), "{check:?}");
    for words in
        ["bills.xlsx:3", "2022-01-01,#N/A", "the cell B3 of the sheet \"Bills\" holds the error"]
    {
        assert!(check.err.contains(words), "{words}: {check:?}");
    }
    let pushed = push.run(&["data", "push", "bills.xlsx", "--mapping", "bills.toml"]);
    assert_eq!(pushed.code, Some(3), "{pushed:?}");
    assert!(pushed.err.contains("wrong_type") && pushed.err.contains("name the error under null"));
    let again = push.run(&["data", "push", "bills.xlsx", "--mapping", "bills.toml", "--json"]);
    let imports: serde_json::Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(imports[0]["counts"]["duplicate"], 1, "{again:?}");
    let import = imports[0]["id"].as_str().unwrap();
    let fix = push.run(&["data", "errors", import, "--fix", "mend.csv"]);
    assert_eq!(fix.code, Some(0), "{fix:?}");
    let mend = fs::read_to_string(push.house.path().join("mend.csv")).unwrap();
    assert!(mend.contains("\n2022-01-01,#N/A,2,wrong_type,"), "{mend}");

    let listed = push.run(&["data", "list", "--json"]).json();
    let activity = listed[0]["id"].as_str().unwrap();
    let trace = push.run(&["trace", activity, "--source", "bills.xlsx"]);
    assert_eq!(trace.code, Some(0), "{trace:?}");
    for words in
        ["bills.xlsx, sheet \"Bills\", row 2", "on this line: 2022-01-01,9310.25", "xlsx/1"]
    {
        assert!(trace.out.contains(words), "{words}: {trace:?}");
    }
    push.server.end();
}

#[test]
fn a_wrong_file_is_voided_whole_and_once() {
    let house = House::new();
    let folder = house.path().join("acme-data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let row = |number: u64| {
        format!(
            "{{\"external_id\":\"a-{number}\",\"type\":\"electricity.purchased\",\"quantity\":\"{number}\",\"unit\":\"kW.h\",\"start\":\"2022-01-01T0{number}:00:00Z\",\"end\":\"2022-01-01T0{number}:30:00Z\",\"facility_code\":\"b1\"}}\n"
        )
    };
    let rows: String = (1..=3).map(row).collect();
    fs::write(house.path().join("rows.ndjson"), rows).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", server.port));
        Ended::of(&command.env("ENVORA_TOKEN", &token).output().unwrap())
    };
    let pushed = run(&["data", "push", "rows.ndjson", "--json"]);
    let imports: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
    let import = imports[0]["id"].as_str().unwrap().to_owned();
    let void = ["data", "supersede", "--import", &import, "--void", "--reason", "the wrong file"];
    let asked = run(&void);
    assert!(asked.code == Some(2) && asked.err.contains("Void 3 rows of rows.ndjson"), "{asked:?}");
    for (voided, before) in [(3, 0), (0, 3)] {
        let ended = run(&[&void[..], &["--yes", "--json"]].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((&told["voided"], &told["before"]), (&voided.into(), &before.into()), "{told}");
    }
    server.end();
}

/// Three hours as another library writes them: the second has no load.
const HOURS: &[u8] = include_bytes!("../../../envora-ingest/tests/it/files/hours.parquet");

const METERS: &str = r#"
mapping = "meters"
format = "parquet"
[const]
type = "electricity.purchased"
unit = "kW.h"
facility_code = "b1"
[[activity]]
period = { start = "from", length = "PT1H" }
quantity = { column = "load" }
"#;

#[test]
fn columns_are_checked_pushed_mended_and_traced_by_their_rows() {
    let mut push = Push::new();
    fs::write(push.house.path().join("hours.parquet"), HOURS).unwrap();
    push.file("meters.toml", METERS);
    let check = push.run(&["data", "check", "hours.parquet", "--mapping", "meters.toml"]);
    assert_eq!(check.code, Some(3), "{check:?}");
    for words in ["hours.parquet:2", "the cell \"load\" is blank", "2022-01-01T01:30:00Z,,b24"] {
        assert!(check.err.contains(words), "{words}: {check:?}");
    }
    let pushed = push.run(&["data", "push", "hours.parquet", "--mapping", "meters.toml", "--json"]);
    assert_eq!(pushed.code, Some(3), "{pushed:?}");
    let imports: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
    assert_eq!(imports[0]["counts"]["accepted"], 2, "{pushed:?}");
    let import = imports[0]["id"].as_str().unwrap();
    let fix = push.run(&["data", "errors", import, "--fix", "mend.csv"]);
    assert_eq!(fix.code, Some(0), "{fix:?}");
    let mend = fs::read_to_string(push.house.path().join("mend.csv")).unwrap();
    let mended = mend.replace("T01:30:00Z,,", "T01:30:00Z,5.125,");
    assert_ne!(mend, mended);
    push.file("mended.csv", &mended);
    let again = push.run(&["data", "push", "mended.csv", "--mapping", "meters.toml"]);
    assert_eq!(again.code, Some(0), "{again:?}");

    let listed = push.run(&["data", "list", "--json"]).json();
    let amounts: Vec<&str> =
        listed.as_array().unwrap().iter().filter_map(|row| row["quantity"].as_str()).collect();
    assert_eq!(amounts, ["372.400", "1.250", "5.125"]);
    let activity = listed[1]["id"].as_str().unwrap();
    let trace = push.run(&["trace", activity, "--source", "hours.parquet"]);
    assert_eq!(trace.code, Some(0), "{trace:?}");
    for words in ["on this line: 2022-01-01T02:30:00Z,1.250,b24-electricity", "parquet/1"] {
        assert!(trace.out.contains(words), "{words}: {trace:?}");
    }
    push.server.end();
}

#[test]
fn readings_of_a_green_button_file_are_pushed_once_and_traced_to_their_lines() {
    let mut push = Push::new();
    let reading = |start: u32, value: &str| {
        format!(
            "  <IntervalReading>\n   <timePeriod><duration>3600</duration><start>{start}</start></timePeriod>\n   <value>{value}</value>\n  </IntervalReading>\n"
        )
    };
    let file = |readings: &str| {
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<entry><content><ReadingType xmlns=\"http://naesb.org/espi\"><flowDirection>1</flowDirection><powerOfTenMultiplier>3</powerOfTenMultiplier><uom>72</uom></ReadingType></content></entry>\n<entry><content><IntervalBlock xmlns=\"http://naesb.org/espi\">\n{readings}</IntervalBlock></content></entry>\n</feed>\n"
        )
    };
    let first = [reading(1_640_995_200, "12"), reading(1_640_998_800, "half")].concat();
    push.file("meter.xml", &file(&first));
    let set = ["--set", "facility_code=b1", "--set", "time_zone=UTC"];
    let run = |push: &Push, verb: &str, file: &str| {
        push.run(&[&["data", verb, file], set.as_slice()].concat())
    };
    let check = run(&push, "check", "meter.xml");
    assert_eq!(check.code, Some(3), "{check:?}");
    for words in
        ["meter.xml:8", "IntervalBlock 1, IntervalReading 2: <value> \"half\" is no whole number"]
    {
        assert!(check.err.contains(words), "{words}: {check:?}");
    }
    assert_eq!(run(&push, "push", "meter.xml").code, Some(3));
    let second = [reading(1_640_995_200, "12"), reading(1_640_998_800, "13")].concat();
    push.file("later.xml", &file(&second));
    let later = run(&push, "push", "later.xml");
    assert_eq!(later.code, Some(0), "{later:?}");
    let listed = push.run(&["data", "list", "--json"]).json();
    let amounts: Vec<&str> =
        listed.as_array().unwrap().iter().filter_map(|row| row["quantity"].as_str()).collect();
    assert_eq!(amounts, ["12000", "13000"]);
    let activity = listed[0]["id"].as_str().unwrap();
    let trace = push.run(&["trace", activity, "--source", "meter.xml"]);
    assert_eq!(trace.code, Some(0), "{trace:?}");
    for words in ["meter.xml", "<value>12</value>", "xml/1"] {
        assert!(trace.out.contains(words), "{words}: {trace:?}");
    }
    push.server.end();
}

/// More than one part of a file holds.
const PARTED_BYTES: usize = 17 << 20;

#[test]
fn a_file_in_parts_goes_on_where_it_stopped_and_is_taken_in_once() {
    let push = Push::new();
    let row = |number: usize| {
        format!(
            "{{\"external_id\":\"row-{number}\",\"type\":\"electricity.purchased\",\"quantity\":\"1\",\"unit\":\"kW.h\",\"start_date\":\"2022-01-01\",\"end_date\":\"2022-01-31\",\"time_zone\":\"UTC\",\"facility_code\":\"b1\",\"note\":\"{}\"}}\n",
            "n".repeat(1_900)
        )
    };
    let mut text = String::new();
    let mut rows = 0_u64;
    while text.len() <= PARTED_BYTES {
        text.push_str(&row(text.len()));
        rows += 1;
    }
    push.file("large.ndjson", &text);
    let pushed = push.run(&["data", "push", "large.ndjson", "--in-parts", "--json"]);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let import = &pushed.json()[0];
    assert_eq!(
        (&import["status"], &import["counts"]["accepted"]),
        (&"succeeded".into(), &rows.into())
    );
    assert_eq!(import["sha256"], Digest::of(text.as_bytes()).hex());
    let again = push.run(&["data", "push", "large.ndjson", "--in-parts", "--json"]);
    assert_eq!(again.json()[0]["warnings"][0]["code"], "sent_before", "{again:?}");
    assert_eq!(again.json()[0]["id"], import["id"]);

    // A file that was cut short on its way to the disk is told by its row, and stores the others.
    push.file("cut.ndjson", &text[..PARTED_BYTES - 100]);
    let cut = push.run(&["data", "push", "cut.ndjson", "--in-parts", "--json"]);
    assert_eq!(cut.code, Some(3), "{cut:?}");
    let told: serde_json::Value = serde_json::from_str(&cut.out).unwrap();
    assert_eq!(told[0]["counts"]["rejected"], 1, "{cut:?}");
    assert_eq!(told[0]["results"][0]["errors"][0]["code"], "malformed_row", "{cut:?}");
    assert!(cut.err.contains("malformed_row"), "{cut:?}");
    let workbook = push.run(&["data", "push", "x.xlsx", "--in-parts"]);
    assert_ne!(workbook.code, Some(0));
    push.file("b.json", "{\"activities\":[]}");
    let whole = push.run(&["data", "push", "b.json", "--in-parts"]);
    assert!(whole.err.contains("is sent whole"), "{whole:?}");
}

/// Stands before a server and hands everything on, but breaks off whoever asks for events. Gives its port
/// and how often that was.
fn without_events(port: u16) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let broken = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&broken);
    thread::spawn(move || {
        for near in listener.incoming() {
            let (mut near, mut far) =
                (near.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (mut back, mut to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            thread::spawn(move || drop(std::io::copy(&mut back, &mut to)));
            let told = Arc::clone(&told);
            thread::spawn(move || {
                let mut block = vec![0; 1 << 16];
                while let Ok(read @ 1..) = near.read(&mut block) {
                    let sent = &block[..read];
                    if sent.starts_with(b"GET ") && sent.windows(7).any(|part| part == b"/events") {
                        told.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    far.write_all(sent).unwrap();
                }
                for stream in [near, far] {
                    drop(stream.shutdown(Shutdown::Both));
                }
            });
        }
    });
    (own, broken)
}

#[test]
fn a_push_whose_events_break_off_asks_until_it_is_done() {
    let push = Push::new();
    let row = |number: usize| {
        format!(
            "{{\"external_id\":\"row-{number}\",\"type\":\"electricity.purchased\",\"quantity\":\"1\",\"unit\":\"kW.h\",\"start_date\":\"2022-01-01\",\"end_date\":\"2022-01-31\",\"time_zone\":\"UTC\",\"facility_code\":\"b1\"}}\n"
        )
    };
    push.file("rows.ndjson", &(0..11_000).map(row).collect::<String>());
    let (port, broken) = without_events(push.server.port);
    let mut command = push.command(&["data", "push", "rows.ndjson", "--in-parts", "--json"]);
    command.env("ENVORA_SERVER", format!("http://acme.localhost:{port}"));
    let pushed = Ended::of(&command.output().unwrap());
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    assert_eq!(pushed.json()[0]["counts"]["accepted"], 11_000, "{pushed:?}");
    assert_ne!(broken.load(Ordering::Relaxed), 0, "events were asked for first");
}
