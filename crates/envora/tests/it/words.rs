//! What the command line says where no server is asked.

use std::fs;

use crate::house::{Ended, House, repository, text};

/// Compares with a committed text; the text that came is left beside it as `.new` when it differs.
#[track_caller]
fn check(name: &str, came: &str) {
    let path = repository().join("crates/envora/tests/it/words").join(name);
    let want = fs::read_to_string(&path).unwrap_or_default();
    if came != want {
        fs::write(path.with_extension("txt.new"), came).unwrap();
    }
    assert_eq!(came, want, "{name}");
}

#[test]
fn every_kind_of_bad_row_is_named_with_its_place_and_remedy() {
    let house = House::new();
    let examples = repository().join("examples/university-estate");
    for name in ["every-bad-row.csv", "every-bad-row.toml"] {
        fs::copy(examples.join(name), house.path().join(name)).unwrap();
    }
    let ended =
        house.run(&["data", "check", "every-bad-row.csv", "--mapping", "every-bad-row.toml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    check("data-check.txt", &ended.err);
}

#[test]
fn rows_that_nothing_takes_are_told() {
    let house = House::new();
    let mapping = "mapping = \"meters\"\n[const]\ntype = \"electricity.purchased\"\nunit = \"kW.h\"\n\
        facility_code = \"b24\"\n[[activity]]\nwhen = { column = \"meter\", in = [\"electricity\"] }\n\
        occurred_at = { column = \"time\" }\nquantity = { column = \"load\" }\n\
        [rows]\nskip_if = { column = \"meter\", equals = [\"Sum\"] }\n";
    fs::write(house.path().join("meters.toml"), mapping).unwrap();
    let row = |meter: &str| format!("{meter},2022-01-01T00:00:00Z,1\n");
    let rows: String =
        ["electricity", "Electricity", "water", "Sum", "Electricity"].map(row).concat();
    fs::write(house.path().join("m.csv"), format!("meter,time,load\n{rows}")).unwrap();
    let ended = house.run(&["data", "check", "m.csv", "--mapping", "meters.toml"]);
    assert!(ended.out.contains("\t1\t0\t0\t0\t4"), "{ended:?}");
    check("data-check-skipped.txt", &ended.err);
}

#[test]
fn stdin_is_checked_like_a_file() {
    let house = House::new();
    let check = |file: &str, arguments: &[&str]| {
        fs::write(house.path().join("piped"), file).unwrap();
        let mut command = house.command(&[&["data", "check", "-"], arguments].concat());
        command.stdin(fs::File::open(house.path().join("piped")).unwrap());
        Ended::of(&command.output().unwrap())
    };
    let row = r#"{"external_id":"a","type":"electricity.purchased","quantity":"1e3","unit":"kW.h","occurred_at":"2022-01-01T00:00:00Z","facility_code":"b24"}"#;
    let lines = check(&format!("{row}\n"), &[]);
    assert!(lines.err.contains("stdin.ndjson:1") && lines.err.contains("1e3 is 1000"), "{lines:?}");
    let body = check(&format!("{{\"activities\": [{row}]}}"), &[]);
    assert!(body.out.contains("stdin.json\t0\t0\t0\t1\t0"), "{body:?}");
    let table = "external_id,type,quantity,unit,occurred_at,facility_code\na,electricity.purchased,1e3,kW.h,2022-01-01T00:00:00Z,b24\n";
    let table = check(table, &[]);
    assert!(table.err.contains("| a,electricity.purchased,1e3"), "{table:?}");
    assert!(table.out.contains("stdin.csv\t0\t0\t0\t1\t0"), "{table:?}");
    let said = check(&format!("{row}\n"), &["--format", "csv"]);
    assert!(said.code == Some(1) && said.err.contains("stdin.csv"), "{said:?}");
    let twice = check(row, &["-"]);
    assert!(twice.code == Some(2) && twice.err.contains("stdin is named twice"), "{twice:?}");
}

#[test]
fn a_real_file_is_checked_without_a_server() {
    let house = House::new();
    let examples = repository().join("examples/university-estate");
    let (file, mapping) = (examples.join("b44_gas_2022.csv"), examples.join("estate-gas.toml"));
    let set = ["--set", "facility_code=b44", "--set", "source_code=b44-gas"];
    let check = ["data", "check", text(&file), "--mapping", text(&mapping)];
    let ended = house.run(&[check.as_slice(), &set].concat());
    assert_eq!(ended.code, Some(3), "which facilities there are, only a server knows: {ended:?}");
    assert!(ended.out.contains("\t8,760\t0\t0\t0\t0"), "{ended:?}");
    assert!(ended.err.contains("facility b44, 8,760 rows"), "{ended:?}");
}

#[test]
fn mistakes_on_the_command_line_say_what_was_meant() {
    let house = House::new();
    for (arguments, words) in [
        (["footprnt"].as_slice(), "'footprint'"),
        (&["footprint"], "no server is named"),
        (&["footprint", "--server", "http://example.org"], "not on this machine"),
        (&["footprint", "--server", "http://a.localhost:1", "--from", "2022-02-30"], "2022-02-30"),
        (&["footprint", "--server", "http://a.localhost:1", "--year", "22"], "from 1900 to 2199"),
        (&["footprint", "--server", "http://a.localhost:1", "--to", "0022-01-01"], "1900 to 2199"),
        (&["trace", "x", "--server", "http://a.localhost:1"], "neither a figure nor an activity"),
    ] {
        let ended = house.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(words), "{arguments:?}: {ended:?}");
        assert_eq!(ended.out, "", "words go to stderr");
    }
}

#[test]
fn completions_are_scripts() {
    let house = House::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ended = house.run(&["completions", shell]);
        assert!(ended.code == Some(0) && ended.out.contains("footprint"), "{shell}");
    }
}

#[test]
fn each_verb_has_a_manual_page() {
    let house = House::new();
    let ended = house.run(&["man", "--dir", "man"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (page, words) in [("envora", "footprint"), ("envora-data-check", "offline")] {
        let text = fs::read_to_string(house.path().join(format!("man/{page}.1"))).unwrap();
        assert!(text.contains(".TH") && text.contains(words), "{page}: {text}");
    }
    assert!(house.run(&["man"]).out.contains(".TH"));
}
