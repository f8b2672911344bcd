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
    town.become_so(&import, [missing, "counted", twice, twice, twice]);
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
    town.become_so(&import, [missing, "counted", twice, twice, twice]);

    // It is mended by what it should have said, and a row of a table is corrected as any other.
    let list = town.run(&format!("data list --import {import} --json")).json();
    let id = |row: usize| list[row]["id"].as_str().unwrap().to_owned();
    let offset = "--set start=2022-10-30T01:00:00+01:00 --set end=2022-10-30T01:00:00Z";
    let mended = town.run(&format!("data supersede --id {} {offset}", id(4)));
    assert_eq!(mended.code, Some(0), "{mended:?}");
    let other = town.run(&format!("data supersede --id {} --quantity 2", id(1)));
    assert_eq!(other.code, Some(0), "{other:?}");
    assert_eq!(town.states(&import), [missing, "superseded", twice, twice, "superseded"]);
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
    let words = "2 rows lie outside of the days of their facilities and count in no figure, such as at facility lib, closed on 2022-02-01";
    let checked = town.run("data check late.csv");
    assert!(checked.err.contains(words) && checked.code == Some(0), "{checked:?}");
    let pushed = town.run("data push late.csv");
    assert!(
        pushed.err.contains(words) && pushed.err.contains("outside_facility_life"),
        "{pushed:?}"
    );
    town.server.end();
}
