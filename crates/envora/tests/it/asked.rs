//! `envora query` over files: every format says the same, to the digit, and what a push would say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use envora_domain::rational::Rational;

use crate::bench_rows::{flawed, flawed_read};
use crate::house::{Ended, House};

fn ask(house: &House, sql: &str, more: &[&str]) -> Ended {
    house.run(&[&["query", sql], more].concat())
}

/// The rows of an answer as JSON.
#[track_caller]
fn rows(ended: &Ended) -> Vec<serde_json::Value> {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.json()["data"].as_array().unwrap().clone()
}

/// Rows by unit: how many, and their sum; as the reader gives them, each id once.
fn expected() -> (BTreeMap<String, (u64, Rational)>, u64) {
    let (mut by_unit, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut refused = 0;
    for row in flawed_read() {
        let Ok(activity) = row.activity else {
            refused += 1;
            continue;
        };
        if !seen.insert(activity.external_id.clone()) {
            continue;
        }
        let (count, sum) = by_unit.entry(activity.unit.clone()).or_insert((0_u64, Rational::ZERO));
        (*count, *sum) = (*count + 1, sum.plus(&Rational::from(activity.quantity)));
    }
    (by_unit, refused)
}

#[test]
fn every_format_gives_the_same_sums_to_the_digit() {
    let house = House::new();
    let (expected, refused) = expected();
    assert!(refused > 0 && expected.len() > 1, "{expected:?}");
    let sql = "SELECT unit, count(*) AS n, sum(quantity) AS s FROM activities GROUP BY unit ORDER BY unit";
    for format in ["csv", "ndjson", "json", "xml"] {
        let name = format!("rows.{format}");
        fs::write(house.path().join(&name), flawed(format)).unwrap();
        let found = rows(&ask(&house, sql, &[&name, "--json"]));
        let found: BTreeMap<String, (u64, Rational)> = found
            .iter()
            .map(|row| {
                let sum = Rational::parse(row["s"].as_str().unwrap()).unwrap();
                (row["unit"].as_str().unwrap().to_owned(), (row["n"].as_u64().unwrap(), sum))
            })
            .collect();
        assert_eq!(found, expected, "{format}");
        let counts =
            "SELECT count(DISTINCT line) AS n FROM rejected WHERE code <> 'external_id_conflict'";
        let found = rows(&ask(&house, counts, &[&name, "--json"]));
        assert_eq!(found[0]["n"], refused, "{format}");
    }
    // The same rows in two files are there once.
    let both = rows(&ask(&house, sql, &["rows.csv", "rows.ndjson", "--json"]));
    let counted: u64 = both.iter().map(|row| row["n"].as_u64().unwrap()).sum();
    assert_eq!(counted, expected.values().map(|(count, _)| count).sum::<u64>());
}

const HOURS: &[u8] = include_bytes!("../../../envora-ingest/tests/it/files/hours.parquet");

const METERS: &str = r#"
mapping = "meters"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "Europe/London"
facility_code = "b1"
[[activity]]
period = { start = "from", length = "PT1H" }
quantity = { column = "load" }
"#;

const WIDE: &str = r#"
mapping = "wide"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "Europe/London"
[[activity]]
period = { day = "day", format = "DD/MM/YYYY" }
facility_code = { column = "site" }
[unpivot]
columns = '^kWh_\d+$'
label = "index"
length = "PT30M"
"#;

#[test]
fn tables_are_asked_through_their_mappings() {
    let house = House::new();
    let write = |name: &str, text: &str| fs::write(house.path().join(name), text).unwrap();
    write("meters.toml", METERS);
    write(
        "meters.csv",
        "from,load\n2022-01-01T00:00,372.40\n2022-01-01T01:00,0.1\n2022-01-01T02:00,no\n",
    );
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in
        [["from", "load"], ["2022-01-01T00:00", "372.40"], ["2022-01-01T01:00", "0.1"]]
            .iter()
            .enumerate()
    {
        for (column, cell) in cells.iter().enumerate() {
            let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            sheet.write(row, column, *cell).unwrap();
        }
    }
    workbook.save(house.path().join("meters.xlsx")).unwrap();
    let sql = "SELECT sum(quantity) AS s, min(starts_at) AS a, max(ends_at) AS b, min(quantity_sent) AS q,
        min(facility) AS f, max(external_id) LIKE 'd1_%' AS d FROM activities";
    for file in ["meters.csv", "meters.xlsx"] {
        let row = &rows(&ask(&house, sql, &[file, "-m", "meters.toml", "--json"]))[0];
        assert_eq!((&row["s"], &row["f"]), (&"372.5".into(), &"b1".into()), "{file}");
        assert_eq!(
            (&row["a"], &row["b"]),
            (&"2022-01-01T00:00:00Z".into(), &"2022-01-01T02:00:00Z".into())
        );
        assert_eq!((&row["q"], &row["d"]), (&"0.1".into(), &true.into()), "{file}");
    }
    let refused = "SELECT file, line, code, column_name, value FROM rejected";
    let row = ask(&house, refused, &["meters.csv", "-m", "meters.toml", "--csv"]);
    assert_eq!(row.out, "file,line,code,column_name,value\nmeters.csv,4,not_a_number,load,no\n");

    write("wide.toml", WIDE);
    let names: Vec<String> = (1..=50).map(|place| format!("kWh_{place}")).collect();
    let cells: Vec<&str> = (1..=50).map(|place| if place <= 46 { "1.5" } else { "" }).collect();
    write("wide.csv", &format!("site,day,{}\nA,27/03/2022,{}\n", names.join(","), cells.join(",")));
    let sql =
        "SELECT count(*) AS n, sum(quantity) AS s, count(DISTINCT first_day) AS d FROM activities";
    let row = &rows(&ask(&house, sql, &["wide.csv", "-m", "wide.toml", "--json"]))[0];
    assert_eq!((&row["n"], &row["s"], &row["d"]), (&46.into(), &"69".into(), &1.into()));

    // Parquet, whose columns are read by name.
    fs::write(house.path().join("hours.parquet"), HOURS).unwrap();
    write("hours.toml", &METERS.replace("time_zone = \"Europe/London\"\n", ""));
    let counted = ask(
        &house,
        "SELECT count(*) AS n FROM activities",
        &["hours.parquet", "-m", "hours.toml", "--json"],
    );
    let checked = house.run(&["data", "check", "hours.parquet", "-m", "hours.toml", "--json"]);
    let checked_json: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    let good = &checked_json["files"][0]["counts"]["accepted"];
    assert_eq!((&rows(&counted)[0]["n"], good.as_u64().unwrap() > 0), (good, true), "{checked:?}");
}

#[test]
fn answers_are_tables_and_say_what_was_left_off() {
    let house = House::new();
    fs::write(house.path().join("rows.ndjson"), flawed("ndjson")).unwrap();
    let ended = ask(
        &house,
        "SELECT line, unit FROM activities",
        &["rows.ndjson", "--limit", "2", "--plain"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.out.lines().count(), 3, "{ended:?}");
    assert!(ended.err.contains("These are the first 2 rows; more were left off."), "{ended:?}");
    let wrong = ask(&house, "SELECT quantty FROM activities", &["rows.ndjson"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    for words in
        ["query_invalid", "there is no column quantty (line 1, column 8)", "did you mean quantity?"]
    {
        assert!(wrong.err.contains(words), "{words}: {wrong:?}");
    }
    let missing = ask(&house, "SELECT 1 AS a FROM activities", &["no-such.csv"]);
    assert!(missing.code == Some(1) && missing.err.contains("no-such.csv"), "{missing:?}");
    let nobody = ask(&house, "SELECT 1 AS a", &[]);
    assert!(nobody.code == Some(2) && nobody.err.contains("no server is named"), "{nobody:?}");
    let lost = ask(&house, "SELECT 1 AS a", &["--mapping", "m.toml"]);
    assert!(lost.code == Some(2) && lost.err.contains("no file is named"), "{lost:?}");
}

const BACK: &str = r#"
mapping = "back"
[const]
type = "electricity.purchased"
unit = "kW.h"
facility_code = "b1"
[[activity]]
period = { start = "starts_at", length = "PT1H" }
quantity = { column = "quantity" }
"#;

#[test]
fn an_answer_is_written_to_a_file_that_is_read_back_to_the_digit() {
    let house = House::new();
    let write = |name: &str, text: &str| fs::write(house.path().join(name), text).unwrap();
    write("meters.toml", METERS);
    write(
        "meters.csv",
        "from,load\n2022-01-01T00:00,372.400000000000000001\n2022-07-01T01:00,0.1\n",
    );
    write("back.toml", BACK);
    let sql = "SELECT starts_at, quantity FROM activities";
    let wanted = rows(&ask(&house, sql, &["meters.csv", "-m", "meters.toml", "--json"]));
    for name in ["out.parquet", "out.csv", "out.ndjson"] {
        let ended = ask(&house, sql, &["meters.csv", "-m", "meters.toml", "--out", name]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:?}");
        assert!(ended.err.contains(&format!("2 rows in {name}")), "{ended:?}");
        if name != "out.ndjson" {
            let found = rows(&ask(&house, sql, &[name, "-m", "back.toml", "--json"]));
            assert_eq!(found, wanted, "{name}");
        }
    }
    let again = ask(&house, sql, &["meters.csv", "-m", "meters.toml", "--out", "out.csv"]);
    assert!(again.code == Some(1) && again.err.contains("--force"), "{again:?}");
    let cut = ["meters.csv", "-m", "meters.toml", "-o", "out.csv", "--force", "--limit", "1"];
    let cut = ask(&house, sql, &cut);
    assert!(cut.code == Some(0) && cut.err.contains("More rows were left off"), "{cut:?}");
    let wrong = ask(
        &house,
        "SELECT quantty FROM activities",
        &["meters.csv", "-m", "meters.toml", "-o", "no.parquet"],
    );
    assert!(wrong.code == Some(2) && wrong.err.contains("did you mean quantity?"), "{wrong:?}");
    assert!(
        !house.path().join("no.parquet").exists() && !house.path().join("no.parquet.part").exists()
    );
    let odd = ask(&house, sql, &["meters.csv", "-m", "meters.toml", "-o", "out.xlsx"]);
    assert!(odd.code == Some(2) && odd.err.contains(".parquet, .csv or .ndjson"), "{odd:?}");
}
