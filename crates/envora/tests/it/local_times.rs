//! Times without an offset, of rows that name no zone: those of a facility, known before or after.

use std::fs;

use envora_testkit::wait::wait_for;

use crate::fire::{Served, new_folder};
use crate::house::{Ended, House};

/// A server, and a folder of files beside it.
struct Town {
    house: House,
    server: Served,
    token: String,
}

impl Town {
    fn new() -> Self {
        let house = House::new();
        let folder = house.path().join("acme-data");
        let token = new_folder(&folder);
        let server = Served::start(&folder, &[], None);
        Self { house, server, token }
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.house.path().join(name), text).unwrap();
    }

    fn run(&self, line: &str) -> Ended {
        let mut command = self.house.command(&line.split(' ').collect::<Vec<_>>());
        command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", self.server.port));
        Ended::of(&command.env("ENVORA_TOKEN", &self.token).output().unwrap())
    }

    fn place(&self, code: &str, zone: &str) {
        let list = format!("code,name,country,time_zone\n{code},{code},GB,{zone}\n");
        self.file("place.csv", &list);
        assert_eq!(self.run("facilities push place.csv").code, Some(0));
    }

    /// What a push that may be refused rows says of its file.
    fn pushed(&self, file: &str) -> (Ended, serde_json::Value) {
        let ended = self.run(&format!("data push {file} --mapping hours.toml --json"));
        let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        (ended, told[0].clone())
    }

    /// The states of an import's rows, with why they do not count.
    fn states(&self, import: &str) -> Vec<String> {
        let list = self.run(&format!("data list --import {import} --json")).json();
        let one = |row: &serde_json::Value| {
            let (state, code) = (row["state"].as_str(), row["code"].as_str());
            format!("{} {}", state.unwrap(), code.unwrap_or_default()).trim_end().to_owned()
        };
        list.as_array().unwrap().iter().map(one).collect()
    }
}

impl Town {
    /// Waits until the rows of an import are in these states.
    fn become_so(&self, import: &str, wanted: [&str; 5]) {
        wait_for("the calculation to come past it", || {
            (self.states(import) == wanted).then_some(())
        });
    }
}

/// Spring, autumn, the repeated hour in full, and an hour of summer.
const HOURS: [(&str, &str); 5] = [
    ("2022-03-27T01:00", "2022-03-27T02:00"),
    ("2022-06-30T01:00", "2022-06-30T02:00"),
    ("2021-10-31T01:00", "2021-10-31T02:00"),
    ("2021-10-31T01:00", "2021-10-31T02:00"),
    ("2022-10-30T01:00", "2022-10-30T02:00"),
];

fn rows(facility: &str) -> String {
    let row = |(start, end): &(&str, &str)| {
        format!("electricity.purchased,1,kW.h,{facility},{start},{end}\n")
    };
    let mapping = "type,quantity,unit,facility_code,start,end\n".to_owned();
    mapping + &HOURS.iter().map(row).collect::<String>()
}

const MAPPING: &str = r#"
mapping = "hours"
[[activity]]
type = { column = "type" }
quantity = { column = "quantity" }
unit = { column = "unit" }
facility_code = { column = "facility_code" }
period = { start = "start", length = "PT1H" }
"#;

#[test]
fn a_local_time_that_never_was_or_was_twice_is_never_counted_silently() {
    let mut town = Town::new();
    town.file("hours.toml", MAPPING);
    town.place("lib", "Europe/London");
    town.file("lib.csv", &rows("lib"));
    let checked = town.run("data check lib.csv --mapping hours.toml");
    assert!(checked.out.contains("lib.csv\t3\t0\t0\t2\t0"), "{checked:?}");
    let (pushed, told) = town.pushed("lib.csv");
    for words in ["lib.csv:2:start", "local_time_missing", "the zone of facility lib"] {
        assert!(checked.err.contains(words) && pushed.err.contains(words), "{words}: {pushed:?}");
    }
    assert!(pushed.err.contains("local_time_ambiguous"), "{pushed:?}");
    let counts = &told["counts"];
    assert_eq!((&counts["accepted"], &counts["rejected"]), (&3.into(), &2.into()), "{counts}");
    let (_, again) = town.pushed("lib.csv");
    assert_eq!(again["counts"]["duplicate"], 3, "{again}");

    // A facility that is defined later says no less: the rows are told, and count in no figure.
    town.file("hall.csv", &rows("hall"));
    let (_, waits) = town.pushed("hall.csv");
    let import = waits["id"].as_str().unwrap().to_owned();
    assert_eq!(waits["counts"]["quarantined"], 5, "{waits}");
    town.place("hall", "Europe/London");
    let (missing, twice) = ("unresolved local_time_missing", "unresolved local_time_ambiguous");
    // The hour that is there in full is decided by the order of the file, as where the zone is known at once.
    town.become_so(&import, [missing, "counted", "counted", "counted", twice]);
    let footprint = town.run("footprint --year 2022");
    assert!(footprint.err.contains("the zone of facility hall"), "{footprint:?}");
    let errors = town.run(&format!("data errors {import}"));
    assert!(errors.err.contains("5 rows were waiting for words that are known"), "{errors:?}");
    assert!(errors.err.contains("some rows of this import count in no figure still"), "{errors:?}");
    let shown = errors.err.split("envora data show ").nth(1).unwrap();
    let id = shown.split_whitespace().next().unwrap();
    let shown = town.run(&format!("data show {id}"));
    assert!(shown.out.contains("local_time_missing"), "{shown:?}");
    assert!(shown.out.contains("the zone of facility hall"), "{shown:?}");
    assert!(!errors.out.contains("unknown_facility"), "{errors:?}");
    // Neither does one whose zone becomes another.
    town.place("hall", "Etc/GMT");
    town.become_so(&import, ["counted"; 5]);
    town.place("hall", "Europe/London");
    town.become_so(&import, [missing, "counted", "counted", "counted", twice]);

    // It is mended by what it should have said, and a row of a table is corrected as any other.
    let list = town.run(&format!("data list --import {import} --json")).json();
    let id = |row: usize| list[row]["id"].as_str().unwrap().to_owned();
    let offset = "--set start=2022-10-30T01:00:00+01:00 --set end=2022-10-30T01:00:00Z";
    let mended = town.run(&format!("data supersede --id {} {offset}", id(4)));
    assert_eq!(mended.code, Some(0), "{mended:?}");
    let other = town.run(&format!("data supersede --id {} --quantity 2", id(1)));
    assert_eq!(other.code, Some(0), "{other:?}");
    let states = [missing, "superseded", "counted", "counted", "superseded"];
    assert_eq!(town.states(&import), states);
    let listed = town.run("data list --facility hall --limit 7 --json=state,code,start").json();
    let last: Vec<_> = listed.as_array().unwrap().iter().skip(5).collect();
    assert!(last.iter().all(|row| row["state"] == "counted"), "{listed}");
    town.server.end();
}

#[test]
fn the_same_file_by_another_clock_is_told_as_what_may_count_twice() {
    let mut town = Town::new();
    town.file("hours.toml", MAPPING);
    town.place("lib", "Europe/London");
    let row = "type,quantity,unit,facility_code,start,end\nelectricity.purchased,7,kW.h,lib,2022-01-30T01:00,2022-01-30T02:00\n";
    town.file("winter.csv", row);
    let (_, first) = town.pushed("winter.csv");
    assert_eq!(first["counts"]["accepted"], 1, "{first}");
    // In winter London has the time of Greenwich: it is the same hour, under an id of its own.
    let zone = "[[activity]]\ntime_zone = \"Etc/GMT\"\n";
    town.file("hours.toml", &MAPPING.replace("[[activity]]\n", zone));
    let (_, again) = town.pushed("winter.csv");
    assert_eq!(again["counts"]["accepted"], 1, "{again}");
    assert_eq!(again["warnings"][0]["code"], "possible_duplicate", "{again}");
    town.server.end();
}

/// The half hours around both changes of the clock: ends that are reckoned, and the hour that came twice.
const HALVES: [&str; 9] = [
    "2022-03-27T00:30",
    "2022-03-27T02:00",
    "2022-10-30T00:30",
    "2022-10-30T01:00",
    "2022-10-30T01:30",
    "2022-10-30T01:00",
    "2022-10-30T01:30",
    "2022-10-30T02:00",
    "2022-06-01T12:00",
];

#[test]
fn what_is_exported_is_the_same_again_here_and_elsewhere() {
    let mut town = Town::new();
    town.file("hours.toml", &MAPPING.replace("PT1H", "PT30M"));
    town.place("lib", "Europe/London");
    let row = |start: &&str| format!("electricity.purchased,7,kW.h,lib,{start}\n");
    let rows: String = HALVES.iter().map(row).collect();
    town.file("halves.csv", &format!("type,quantity,unit,facility_code,start\n{rows}"));
    let (_, pushed) = town.pushed("halves.csv");
    assert_eq!(pushed["counts"]["accepted"], 9, "{pushed}");
    let year = "footprint --from 2022-01-01 --to 2023-01-01 --csv";
    let counted = |town: &Town| {
        wait_for("the calculation to come past it", || {
            let all = town.run("data list --state counted --json").json();
            (all.as_array().unwrap().len() == 9).then_some(())
        });
        let told = town.run(year).out;
        // Ids of figures are those of the run.
        told.lines()
            .filter_map(|line| line.rsplit_once(','))
            .map(|(told, _)| told.to_owned())
            .collect::<Vec<_>>()
    };
    let bare = |town: &Town, file: &str| {
        let text = fs::read_to_string(town.house.path().join(file)).unwrap();
        let rows =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|mut row| {
            row.as_object_mut().unwrap().remove("_envora_id");
            row
        })
        .collect::<Vec<_>>()
    };
    let footprint = counted(&town);
    for (file, form) in [("all.ndjson", "--ndjson"), ("all.csv", "--csv")] {
        assert_eq!(town.run(&format!("data export {form} --out {file}")).code, Some(0));
        let text = fs::read_to_string(town.house.path().join(file)).unwrap();
        let again = town.run(&format!("data push {file} --json"));
        let told: serde_json::Value = serde_json::from_str(&again.out).unwrap();
        assert_eq!(told[0]["counts"]["duplicate"], 9, "{file}: {again:?}");
        let mut fresh = Town::new();
        fresh.place("lib", "Europe/London");
        fresh.file(file, &text);
        let there = fresh.run(&format!("data push {file} --json"));
        let told: serde_json::Value = serde_json::from_str(&there.out).unwrap();
        assert_eq!(told[0]["counts"]["accepted"], 9, "{file}: {there:?}");
        assert_eq!(counted(&fresh), footprint, "{file}");
        assert_eq!(fresh.run("data export --out back.ndjson").code, Some(0));
        assert_eq!(bare(&fresh, "back.ndjson"), bare(&town, "all.ndjson"), "{file}");
        fresh.server.end();
    }
    town.server.end();
}

#[test]
fn the_advice_at_a_time_that_never_was_stores_what_was_refused_and_nothing_else() {
    for mapped in [true, false] {
        let mut town = Town::new();
        town.file("hours.toml", MAPPING);
        town.place("lib", "Europe/London");
        let hours = ["2022-03-27T00:00", "2022-03-27T01:00", "2022-03-27T02:00"];
        let row = |start: &&str| {
            let end = start.replace("2:00", "3:00").replace("1:00", "2:00").replace("T00", "T01");
            format!("electricity.purchased,7,kW.h,lib,{start},{end}\n")
        };
        let rows: String = hours.iter().map(row).collect();
        town.file("night.csv", &format!("type,quantity,unit,facility_code,start,end\n{rows}"));
        let with = if mapped { " --mapping hours.toml" } else { "" };
        let push = |file: &str| {
            let ended = town.run(&format!("data push {file}{with} --json"));
            let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
            (ended, told[0].clone())
        };
        let (ended, told) = push("night.csv");
        assert!(ended.err.contains("data errors imp_… --fix FILE"), "{ended:?}");
        let refused = told["counts"]["rejected"].as_u64().unwrap();
        assert!(refused > 0, "{told}");
        town.place("lib", "Etc/GMT");
        let import = told["id"].as_str().unwrap();
        assert_eq!(town.run(&format!("data errors {import} --fix mend.csv")).code, Some(0));
        let (_, mended) = push("mend.csv");
        assert_eq!(mended["counts"]["accepted"].as_u64(), Some(refused), "{mended}");
        assert!(mended["warnings"].is_null(), "{mended}");
        wait_for("the calculation to come past it", || {
            let all = town.run("data list --state counted --json").json();
            (all.as_array().unwrap().len() == 3).then_some(())
        });
        town.server.end();
    }
}

#[test]
fn what_a_clock_decides_is_left_open_until_it_is_known() {
    let mut town = Town::new();
    let head = "type,quantity,unit,facility_code,start,end\n";
    let back = "electricity.purchased,7,kW.h,lib,2022-10-30T01:30,2022-10-30T01:00\n";
    town.file("back.csv", &format!("{head}{back}"));
    let offline = town.run("data check back.csv --offline");
    assert!(offline.out.contains("back.csv\t1\t0\t0\t0\t0"), "{offline:?}");
    assert!(offline.err.contains("back.csv:2: times without an offset, 1 row"), "{offline:?}");
    let waits = town.run("data push back.csv --json");
    let told: serde_json::Value = serde_json::from_str(&waits.out).unwrap();
    assert_eq!(told[0]["counts"]["quarantined"], 1, "{waits:?}");
    // By a clock that did not go back that night it is no period, and never counts.
    town.place("lib", "Etc/GMT");
    let import = told[0]["id"].as_str().unwrap();
    wait_for("the calculation to come past it", || {
        (town.states(import) == ["unresolved period_reversed"]).then_some(())
    });
    let known = town.run("data check back.csv");
    assert!(known.err.contains("period_reversed"), "{known:?}");
    town.server.end();
}

#[test]
fn sites_and_sources_go_out_as_files_that_come_in() {
    let mut town = Town::new();
    let places = "code,name,country,region,time_zone,grid,entity,opened,closed\nlib,\"Library, old\",GB,,Europe/London,,,2001-01-01,2022-02-01\n";
    let meters = "code,name,facility,type,unit,time_zone,opened,closed\nm1,Main,lib,electricity.purchased,,,,\n";
    for (noun, text) in [("facilities", places), ("sources", meters)] {
        let file = format!("{noun}.csv");
        town.file(&file, text);
        assert_eq!(town.run(&format!("{noun} push {file}")).code, Some(0));
        let listed = town.run(&format!("{noun} list --csv"));
        assert!(listed.out.starts_with(text.lines().next().unwrap()), "{listed:?}");
        assert!(listed.out.contains(text.lines().nth(1).unwrap()), "{listed:?}");
        town.file(&file, &listed.out);
        let again = town.run(&format!("{noun} push {file}"));
        assert!(again.code == Some(0) && !again.err.contains("changed 1"), "{again:?}");
    }
    town.server.end();
}

#[test]
fn rows_outside_of_the_days_of_their_facility_are_told_at_once() {
    let mut town = Town::new();
    town.file(
        "places.csv",
        "code,name,country,time_zone,closed\nlib,Library,GB,Europe/London,2022-02-01\n",
    );
    assert_eq!(town.run("facilities push places.csv").code, Some(0));
    let row = |id: &str, day: &str| format!("{id},electricity.purchased,7,kW.h,lib,{day},{day}\n");
    let rows = [row("a", "2022-01-31"), row("b", "2022-02-01"), row("c", "2022-03-01")].concat();
    let head = "external_id,type,quantity,unit,facility_code,start_date,end_date\n";
    town.file("late.csv", &format!("{head}{rows}"));
    let words = "2 rows lie outside of the days of their facilities and count in no figure, such as at facility lib, closed from 2022-02-01 on";
    let checked = town.run("data check late.csv");
    assert!(checked.err.contains(words) && checked.code == Some(0), "{checked:?}");
    let pushed = town.run("data push late.csv");
    assert!(
        pushed.err.contains(words) && pushed.err.contains("outside_facility_life"),
        "{pushed:?}"
    );
    town.server.end();
}

/// Half hours of a meter; its facility is not known when they first come.
const ELECTRIC: &str = r#"
mapping = "electric"
[const]
type = "electricity.purchased"
unit = "kW.h"
[[activity]]
period = { start = "datetime", format = "YYYY-MM-DD hh:mm", length = "PT30M" }
quantity = { column = "kwh" }
facility_code = { column = "fac" }
"#;

/// The two odd nights, with the repeated hour by half or in full.
const ALONE: [&str; 4] =
    ["2023-06-01 01:30", "2023-03-26 01:30", "2023-10-29 01:00", "2023-10-29 01:30"];
const IN_FULL: [&str; 6] = [
    "2023-06-01 01:30",
    "2023-03-26 00:30",
    "2023-10-29 01:00",
    "2023-10-29 01:30",
    "2023-10-29 01:00",
    "2023-10-29 01:30",
];

/// Whose ids the rows have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    Derived,
    Senders,
}

impl Town {
    fn electric(&self, times: &[&str], ids: Ids) {
        let (head, mapping) = match ids {
            Ids::Derived => ("datetime,fac,kwh", ELECTRIC.to_owned()),
            Ids::Senders => (
                "datetime,fac,kwh,id",
                format!("{ELECTRIC}external_id = {{ columns = [\"id\"] }}\n"),
            ),
        };
        self.file("hours.toml", &mapping);
        let row = |(time, number): (&&str, u32)| match ids {
            Ids::Derived => format!("{time},lib,{number}\n"),
            Ids::Senders => format!("{time},lib,{number},r{number}\n"),
        };
        let rows: String = times.iter().zip(1..).map(row).collect();
        self.file("night.csv", &format!("{head}\n{rows}"));
    }

    /// The counts of a push: accepted, duplicate, quarantined, rejected.
    fn came_to(told: &serde_json::Value) -> [u64; 4] {
        let count = |name: &str| told["counts"][name].as_u64().unwrap();
        ["accepted", "duplicate", "quarantined", "rejected"].map(count)
    }

    fn wait_counted(&self, rows: usize) {
        wait_for("so many rows to count", || {
            let all = self.run("data list --state counted --json").json();
            (all.as_array().unwrap().len() == rows).then_some(())
        });
    }
}

#[test]
fn a_row_that_is_stored_is_a_duplicate_before_its_clock_is_judged() {
    for ids in [Ids::Derived, Ids::Senders] {
        let mut town = Town::new();
        town.electric(&ALONE, ids);
        let (_, waits) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&waits), [0, 0, 4, 0], "{waits}");
        town.place("lib", "Europe/London");
        let import = waits["id"].as_str().unwrap();
        let (missing, twice) = ("unresolved local_time_missing", "unresolved local_time_ambiguous");
        wait_for("the calculation to come past it", || {
            (town.states(import) == ["counted", missing, twice, twice]).then_some(())
        });
        let checked = town.run("data check night.csv --mapping hours.toml");
        assert!(checked.out.contains("night.csv\t0\t4\t0\t0\t0"), "{checked:?}");
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let seen = town.run("data preview night.csv --mapping hours.toml --json").json();
        assert!(seen.as_array().unwrap().iter().all(|row| row["outcome"] == "duplicate"), "{seen}");
        let (ended, again) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&again), [0, 4, 0, 0], "{ended:?}");
        let exported = town.run("data export --out night.ndjson");
        assert_eq!(exported.code, Some(0), "{exported:?}");
        let lines = town.run("data push night.ndjson --json");
        let told: serde_json::Value = serde_json::from_str(&lines.out).unwrap();
        assert_eq!(Town::came_to(&told[0]), [0, 4, 0, 0], "{lines:?}");

        // What is printed at such a row makes it count, and once.
        let list = town.run(&format!("data list --import {import} --json")).json();
        for (row, start, end) in [
            (1, "2023-03-26T01:30Z", "2023-03-26T02:00Z"),
            (2, "2023-10-29T01:00+01:00", "2023-10-29T01:30+01:00"),
            (3, "2023-10-29T01:30+01:00", "2023-10-29T01:00Z"),
        ] {
            let id = list[row]["id"].as_str().unwrap();
            let shown = town.run(&format!("data show {id}"));
            assert!(shown.out.contains("envora data supersede --id"), "{shown:?}");
            let set = format!("data supersede --id {id} --set start={start} --set end={end}");
            let mended = town.run(&set);
            assert_eq!(mended.code, Some(0), "{mended:?}");
        }
        town.wait_counted(4);
        let (_, again) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&again), [0, 4, 0, 0], "{again}");
        assert_eq!(town.run("data list --state unresolved --json").json(), serde_json::json!([]));
        // One that is new is refused by its clock, as ever, and what else the file holds is not.
        town.electric(&[&ALONE[..], &["2022-03-27 01:30"]].concat(), ids);
        let (_, new) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&new), [0, 4, 0, 1], "{new}");
        let checked = town.run("data check night.csv --mapping hours.toml");
        assert!(checked.out.contains("night.csv\t0\t4\t0\t1\t0"), "{checked:?}");
        assert!(checked.err.contains("local_time_missing"), "{checked:?}");
        let seen = town.run("data preview night.csv --mapping hours.toml --json").json();
        assert_eq!(seen[4]["outcome"], "would be refused", "{seen}");
        town.server.end();
    }
}

#[test]
fn an_hour_that_is_sent_again_with_its_offset_and_mended_where_it_waits_is_told_as_there_twice() {
    let mend = |town: &Town| {
        let again = town.run("data push mend.csv --json");
        let told: serde_json::Value = serde_json::from_str(&again.out).unwrap();
        assert_eq!(Town::came_to(&told[0]), [1, 0, 0, 0], "{again:?}");
        told[0]["warnings"][0]["code"] == "possible_duplicate"
    };
    let (start, end) = ("2023-10-29T01:00+01:00", "2023-10-29T01:30+01:00");
    for sent_first in [true, false] {
        let mut town = Town::new();
        town.electric(&["2023-10-29 01:00"], Ids::Derived);
        let (_, waits) = town.pushed("night.csv");
        town.place("lib", "Europe/London");
        let import = waits["id"].as_str().unwrap();
        wait_for("the calculation to come past it", || {
            (town.states(import) == ["unresolved local_time_ambiguous"]).then_some(())
        });
        let head = "type,quantity,unit,facility_code,start,end\n";
        let row = format!("electricity.purchased,1,kW.h,lib,{start},{end}\n");
        town.file("mend.csv", &format!("{head}{row}"));
        if sent_first {
            mend(&town);
        }
        let list = town.run(&format!("data list --import {import} --json")).json();
        let id = list[0]["id"].as_str().unwrap();
        let set = format!("data supersede --id {id} --set start={start} --set end={end}");
        let mended = town.run(&set);
        assert_eq!(mended.code, Some(0), "{mended:?}");
        assert_eq!(mended.err.contains("possible_duplicate"), sent_first, "{mended:?}");
        if !sent_first {
            assert!(mend(&town), "sent last");
        }
        town.wait_counted(2);
        let footprint = town.run("footprint --year 2023");
        assert!(footprint.err.contains("possible_duplicate"), "{footprint:?}");
        town.server.end();
    }
}

#[test]
fn a_row_that_is_stored_and_waits_is_a_duplicate_before_its_words_are_looked_up() {
    for ids in [Ids::Derived, Ids::Senders] {
        let mut town = Town::new();
        town.electric(&["2023-06-01 01:30", "2023-06-01 02:00"], ids);
        let check = || town.run("data check night.csv --mapping hours.toml");
        let waits = check();
        assert!(waits.out.contains("night.csv\t0\t0\t2\t0\t0"), "{waits:?}");
        assert!(waits.err.contains("unknown_facility"), "{waits:?}");
        assert_eq!(Town::came_to(&town.pushed("night.csv").1), [0, 0, 2, 0]);
        let known = check();
        assert!(known.out.contains("night.csv\t0\t2\t0\t0\t0"), "{known:?}");
        assert!(!known.err.contains("unknown_facility"), "nothing new waits: {known:?}");
        assert_eq!(known.code, Some(0), "{known:?}");
        town.server.end();
    }
}

/// A night in half hours, of which one ends before it starts on the wall.
const BACK: [(&str, &str); 5] = [
    ("2023-10-29T00:30", "2023-10-29T01:00"),
    ("2023-10-29T01:00", "2023-10-29T01:30"),
    ("2023-10-29T01:30", "2023-10-29T01:00"),
    ("2023-10-29T01:00", "2023-10-29T01:30"),
    ("2023-10-29T01:30", "2023-10-29T02:00"),
];

#[test]
fn a_half_hour_that_goes_back_on_the_wall_is_stored_once_before_and_after_its_place_is_known() {
    for ids in [Ids::Derived, Ids::Senders] {
        let mut town = Town::new();
        let mapping = MAPPING.replace("length = \"PT1H\"", "end = \"end\"");
        let by_sender = "external_id = { columns = [\"id\"] }\n";
        let mapping = if ids == Ids::Senders { mapping + by_sender } else { mapping };
        town.file("hours.toml", &mapping);
        let row = |((start, end), number): (&(&str, &str), u32)| {
            format!("electricity.purchased,{number},kW.h,lib,{start},{end},r{number}\n")
        };
        let rows: String = BACK.iter().zip(1..).map(row).collect();
        town.file("night.csv", &format!("type,quantity,unit,facility_code,start,end,id\n{rows}"));
        let (_, waits) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&waits), [0, 0, 5, 0], "{waits}");
        town.place("lib", "Europe/London");
        town.wait_counted(5);
        let checked = town.run("data check night.csv --mapping hours.toml");
        assert!(checked.out.contains("night.csv\t0\t5\t0\t0\t0"), "{checked:?}");
        let seen = town.run("data preview night.csv --mapping hours.toml --json").json();
        assert!(seen.as_array().unwrap().iter().all(|row| row["outcome"] == "duplicate"), "{seen}");
        let (ended, again) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&again), [0, 5, 0, 0], "{ended:?}");
        // Ids of figures are those of the run.
        let sums = |town: &Town| -> Vec<String> {
            let lines = town.run("footprint --year 2023 --csv").out;
            lines.lines().filter_map(|line| Some(line.rsplit_once(',')?.0.to_owned())).collect()
        };
        let here = sums(&town);
        // By a clock that did not go back that night it is no period any more, and by this one again.
        let import = waits["id"].as_str().unwrap();
        let back = |town: &Town| town.states(import)[2].clone();
        for (zone, state) in
            [("Etc/GMT", "unresolved period_reversed"), ("Europe/London", "counted")]
        {
            town.place("lib", zone);
            wait_for("the calculation to come past it", || (back(&town) == state).then_some(()));
        }
        // Where the place is known from the beginning, nothing is unclear.
        let mut fresh = Town::new();
        fresh.place("lib", "Europe/London");
        fresh.file("hours.toml", &mapping);
        let night = fs::read_to_string(town.house.path().join("night.csv")).unwrap();
        fresh.file("night.csv", &night);
        for due in [[5, 0, 0, 0], [0, 5, 0, 0]] {
            assert_eq!(Town::came_to(&fresh.pushed("night.csv").1), due);
        }
        fresh.wait_counted(5);
        assert_eq!(here, sums(&fresh), "the same, whenever its place is known");
        fresh.server.end();
        town.server.end();
    }
}

#[test]
fn a_repeated_hour_in_full_counts_once_each_when_its_place_becomes_known() {
    for ids in [Ids::Derived, Ids::Senders] {
        let mut town = Town::new();
        town.electric(&IN_FULL, ids);
        let (_, waits) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&waits), [0, 0, 6, 0], "{waits}");
        town.place("lib", "Europe/London");
        town.wait_counted(6);
        let (_, again) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&again), [0, 6, 0, 0], "{again}");
        // Elsewhere, where the place is known from the beginning, it is the same.
        let mut fresh = Town::new();
        fresh.place("lib", "Europe/London");
        fresh.electric(&IN_FULL, ids);
        let (_, first) = fresh.pushed("night.csv");
        assert_eq!(Town::came_to(&first), [6, 0, 0, 0], "{first}");
        let told = |town: &Town, file: &str| {
            assert_eq!(town.run(&format!("data export --out {file}")).code, Some(0));
            let text = fs::read_to_string(town.house.path().join(file)).unwrap();
            let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
            rows.map(|mut row: serde_json::Value| {
                row.as_object_mut().unwrap().remove("_envora_id");
                row
            })
            .collect::<Vec<_>>()
        };
        fresh.wait_counted(6);
        assert_eq!(told(&town, "here.ndjson"), told(&fresh, "there.ndjson"));
        fresh.server.end();
        town.server.end();
    }
}

const WIDE: &str = r#"
mapping = "wide"
format = "csv"
[const]
type = "electricity.purchased"
unit = "kW.h"
[[activity]]
period = { day = "day", format = "DD/MM/YYYY" }
facility_code = { column = "fac" }
[unpivot]
columns = '^\d\d:\d\d$'
label = "start"
length = "PT30M"
"#;

#[test]
fn a_line_of_half_hours_that_lacks_the_repeated_hour_is_mended_by_a_second_line() {
    for zone in ["", "time_zone = \"Europe/London\"\n"] {
        let mut town = Town::new();
        town.place("lib", "Europe/London");
        town.file("hours.toml", &WIDE.replace("unit =", &format!("{zone}unit =")));
        let day = |day: &str| format!("{day}/10/2022,lib,1,2,3,4\n");
        let lines = ["29", "30", "31"].map(day).concat();
        town.file("wide.csv", &format!("day,fac,00:30,01:00,01:30,02:00\n{lines}"));
        let (ended, told) = town.pushed("wide.csv");
        assert_eq!(Town::came_to(&told), [10, 0, 0, 2], "{ended:?}");
        assert!(ended.err.contains("put a second line for this day below this one"), "{ended:?}");
        let import = told["id"].as_str().unwrap();
        assert_eq!(town.run(&format!("data errors {import} --fix mend.csv")).code, Some(0));
        let path = town.house.path().join("mend.csv");
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().find(|line| line.starts_with("30/10/2022,lib,1,2,3,4,")).unwrap();
        let second = line.replace("lib,1,2,3,4,", "lib,,5,6,,");
        fs::write(&path, format!("{text}{second}\n")).unwrap();
        let (ended, mended) = town.pushed("mend.csv");
        assert_eq!(Town::came_to(&mended), [4, 2, 0, 0], "{ended:?}");
        town.wait_counted(14);
        let list = town.run("data list --json --limit 100").json();
        let of_night = list.as_array().unwrap().iter().map(|row| row["quantity"].as_str().unwrap());
        let mut of_night: Vec<&str> = of_night.collect();
        of_night.sort_unstable();
        assert_eq!(of_night.concat(), "11122233344456");
        let (_, again) = town.pushed("mend.csv");
        assert_eq!(Town::came_to(&again), [0, 6, 0, 0], "{again}");
        town.server.end();
    }
}

#[test]
fn a_time_that_was_mended_with_its_offset_is_taken_as_it_is_written() {
    for mapped in [true, false] {
        let mut town = Town::new();
        town.place("lib", "Europe/London");
        let mapping = MAPPING.replace(
            "period = { start = \"start\", length = \"PT1H\" }",
            concat!(
                "period = { start = { column = \"start\", format = \"YYYY-MM-DDThh:mm\" }, ",
                "end = { column = \"end\", format = \"YYYY-MM-DDThh:mm\" } }"
            ),
        );
        town.file("hours.toml", &mapping);
        let head = "type,quantity,unit,facility_code,start,end\n";
        let row = "electricity.purchased,7,kW.h,lib,2022-10-30T00:30,2022-10-30T01:00\n";
        town.file("night.csv", &format!("{head}{row}"));
        let with = if mapped { " --mapping hours.toml" } else { "" };
        let push = |file: &str| {
            let ended = town.run(&format!("data push {file}{with} --json"));
            let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
            (ended, told[0].clone())
        };
        let (ended, told) = push("night.csv");
        assert!(ended.err.contains("night.csv:2:end"), "the end came twice: {ended:?}");
        assert!(ended.err.contains("2022-10-30T01:00:00 happened twice"), "{ended:?}");
        let import = told["id"].as_str().unwrap();
        assert_eq!(town.run(&format!("data errors {import} --fix mend.csv")).code, Some(0));
        let text = fs::read_to_string(town.house.path().join("mend.csv")).unwrap();
        // One time with its offset is enough where the other is told by the clock.
        town.file("mend.csv", &text.replacen(",2022-10-30T01:00,", ",2022-10-30T01:00Z,", 1));
        let (ended, mended) = push("mend.csv");
        assert_eq!(Town::came_to(&mended), [1, 0, 0, 0], "{ended:?}");
        town.wait_counted(1);
        let list = town.run("data list --json").json();
        assert_eq!(list[0]["start"], "2022-10-29T23:30:00Z", "{list}");
        assert_eq!(list[0]["end"], "2022-10-30T01:00:00Z", "{list}");
        town.server.end();
    }
}

#[test]
fn an_export_of_rows_without_ids_is_the_same_again_at_home() {
    let mut town = Town::new();
    town.place("lib", "Europe/London");
    let row =
        |day: u32| format!("electricity.purchased,{day},kW.h,lib,2022-03-0{day},2022-03-0{day}\n");
    let rows: String = (1..4).map(row).collect();
    let head = "type,quantity,unit,facility_code,start_date,end_date\n";
    town.file("plain.csv", &format!("{head}{rows}"));
    assert_eq!(town.run("data push plain.csv").code, Some(0));
    town.wait_counted(3);
    for (file, form) in [("all.ndjson", "--ndjson"), ("all.csv", "--csv")] {
        assert_eq!(town.run(&format!("data export {form} --out {file}")).code, Some(0));
        let checked = town.run(&format!("data check {file}"));
        assert!(checked.out.contains(&format!("{file}\t0\t3\t0\t0\t0")), "{checked:?}");
        let again = town.run(&format!("data push {file} --json"));
        let told: serde_json::Value = serde_json::from_str(&again.out).unwrap();
        assert_eq!(Town::came_to(&told[0]), [0, 3, 0, 0], "{again:?}");
    }
    // What says the same and is not known by an id is told, before and after it is sent.
    town.file("plain.csv", &format!("{head}{}", row(2)));
    let checked = town.run("data check plain.csv");
    assert!(checked.err.contains("possible_duplicate"), "{checked:?}");
    let pushed = town.run("data push plain.csv");
    assert!(pushed.err.contains("possible_duplicate"), "{pushed:?}");
    town.server.end();
}

#[test]
fn a_reading_that_is_sent_with_its_offset_while_its_hour_waits_is_told_as_there_twice() {
    // As a file says it: by its start, or by its end.
    for (word, start, end) in [("start", "01:30", "02:00"), ("end", "01:00", "01:30")] {
        let (start, end) = (format!("2023-10-29T{start}+01:00"), format!("2023-10-29T{end}+01:00"));
        let mut town = Town::new();
        town.file("hours.toml", &ELECTRIC.replace("start =", &format!("{word} =")));
        town.file("night.csv", "datetime,fac,kwh\n2023-10-29 01:30,lib,1\n");
        let (_, waits) = town.pushed("night.csv");
        assert_eq!(Town::came_to(&waits), [0, 0, 1, 0], "{waits}");
        town.place("lib", "Europe/London");
        let import = waits["id"].as_str().unwrap();
        wait_for("the calculation to come past it", || {
            (town.states(import) == ["unresolved local_time_ambiguous"]).then_some(())
        });
        let head = "type,quantity,unit,facility_code,start,end\n";
        let sent = |quantity: u32| {
            let row = format!("electricity.purchased,{quantity},kW.h,lib,{start},{end}\n");
            town.file("again.csv", &format!("{head}{row}"));
            let pushed = town.run("data push again.csv --json");
            let told: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
            assert_eq!(Town::came_to(&told[0]), [1, 0, 0, 0], "{pushed:?}");
            told[0]["warnings"][0]["code"].clone()
        };
        assert_eq!(sent(1), "possible_duplicate");
        assert_ne!(sent(2), "possible_duplicate", "another amount");
        // By a clock that never goes back the row that waited counts by itself.
        town.place("lib", "Etc/GMT");
        town.wait_counted(3);
        let footprint = town.run("footprint --year 2023");
        assert!(footprint.err.contains("possible_duplicate"), "{footprint:?}");
        town.server.end();
    }
}

#[test]
fn of_two_equal_hours_that_the_file_told_apart_the_one_that_is_sent_again_is_told() {
    let mut town = Town::new();
    town.electric(&IN_FULL, Ids::Derived);
    let hour = fs::read_to_string(town.house.path().join("night.csv")).unwrap();
    // All of one amount: only the hour tells which row is meant.
    let same: String = hour
        .lines()
        .skip(1)
        .map(|row| row.rsplit_once(',').unwrap().0.to_owned() + ",1\n")
        .collect();
    town.file("night.csv", &format!("datetime,fac,kwh\n{same}"));
    let (_, waits) = town.pushed("night.csv");
    town.place("lib", "Europe/London");
    town.wait_counted(IN_FULL.len());
    let import = waits["id"].as_str().unwrap();
    let list = town.run(&format!("data list --import {import} --json")).json();
    let head = "type,quantity,unit,facility_code,start,end\n";
    for offset in ["+01:00", "Z"] {
        let (start, end) =
            (format!("2023-10-29T01:00{offset}"), format!("2023-10-29T01:30{offset}"));
        let row = format!("electricity.purchased,1,kW.h,lib,{start},{end}\n");
        town.file("again.csv", &format!("{head}{row}"));
        let pushed = town.run("data push again.csv --json");
        let told: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
        assert_eq!(told[0]["warnings"][0]["code"], "possible_duplicate", "{pushed:?} {list}");
    }
    town.server.end();
}
