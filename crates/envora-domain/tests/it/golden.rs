//! Golden numbers: the estate's year, calculated here and by a script that shares no code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use envora_domain::cells::CellValue;
use envora_domain::choice::{Brings, Policy, Question, choose};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::factors::Library;
use envora_domain::lines::Calculator;
use envora_domain::time::Day;
use serde_json::{Value, json};

use crate::{repository, shared_data};

/// The estate's hourly files: those of the example, else the ones they were copied from.
fn readings() -> Option<PathBuf> {
    let example = repository().join("examples/university-estate");
    let source = repository().join("../shared/data/real/cambridge-university-estates");
    [example, source].into_iter().find(|folder| !files(folder).is_empty())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name.ends_with("_2022.csv")
            && (name.contains("_electricity_") || name.contains("_gas_"))
        {
            found.push(path);
        }
    }
    found.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    found
}

fn calculator(kind: &str) -> Calculator {
    let library = Library::starter().expect("the compiled-in pack");
    let (code, unit) = match kind {
        "electricity" => ("electricity.purchased", "kW.h"),
        _ => ("fuel.combusted.stationary", "kW.h.x:gross"),
    };
    let fuel = ("fuel".to_owned(), "natural_gas".to_owned());
    let qualifiers: BTreeMap<_, _> = [fuel].into_iter().filter(|_| kind == "gas").collect();
    let day = Day::parse("2022-07-01").expect("a day");
    let question = Question {
        kind: code,
        unit,
        qualifiers: &qualifiers,
        region: Some("GB"),
        first: day,
        last: day,
        scope: None,
        category: None,
        brings: Brings::default(),
    };
    let why = choose(&question, &library, &Policy::default()).expect("a choice");
    Calculator::new(&why, &library).expect("a calculator")
}

type Sums = BTreeMap<&'static str, BTreeMap<&'static str, CellValue>>;

fn add_file(path: &Path, calculator: &Calculator, sums: &mut Sums) -> (u64, i128) {
    let text = fs::read_to_string(path).expect("a file of readings");
    let (mut rows, mut tenths) = (0, 0);
    for row in text.lines().skip(1) {
        let (_, reading) = row.split_once(',').expect("two cells");
        let quantity = Decimal::parse(reading).expect("a decimal");
        assert!(quantity.scale() == 1, "{row}");
        (rows, tenths) = (rows + 1, tenths + quantity.mantissa());
        for line in calculator.lines(quantity).expect("lines") {
            let slot = sums.entry(line.slot.as_str()).or_default();
            slot.entry(line.gas.as_str()).or_default().add(&line.value()).expect("it fits");
        }
    }
    (rows, tenths)
}

fn report(folder: &Path) -> Value {
    let mut sums = Sums::new();
    let calculators = ["electricity", "gas"].map(|kind| (kind, calculator(kind)));
    let (mut names, mut total) = (BTreeMap::new(), 0);
    for path in files(folder) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let of = calculators.iter().find(|(kind, _)| name.contains(&format!("_{kind}_")));
        let (rows, tenths) = add_file(&path, &of.expect("a kind").1, &mut sums);
        let quantity = Decimal::new(tenths, 1).expect("a scale").normalized().to_string();
        names.insert(name, json!({ "rows": rows, "kWh": quantity }));
        total += rows;
    }
    let kg = |mass: Option<Mass>| mass.unwrap_or_default().kg();
    let slots: BTreeMap<&str, Value> = sums
        .iter()
        .map(|(slot, gases)| {
            let mut all = CellValue::default();
            gases.values().for_each(|value| all.add(value).expect("it fits"));
            let gases: BTreeMap<&str, Value> = gases
                .iter()
                .map(|(gas, value)| {
                    let [published, ar5, ar6, _] = value.co2e.map(kg);
                    let kg = value.kg.kg();
                    (*gas, json!({ "kg": kg, "published": published, "ar5": ar5, "ar6": ar6 }))
                })
                .collect();
            let [published, ar5, ar6, _] = all.co2e.map(kg);
            let total = json!({ "published": published, "ar5": ar5, "ar6": ar6 });
            (*slot, json!({ "gases": gases, "total": total }))
        })
        .collect();
    json!({ "files": names, "rows": total, "slots": slots })
}

#[test]
fn the_estates_year_equals_the_golden_numbers_to_the_last_digit() {
    let Some(folder) = readings() else {
        eprintln!("SKIPPED golden numbers: no readings of the estate");
        return;
    };
    let golden = fs::read_to_string(repository().join("tests/golden/estate-2022.json"));
    let golden: Value = serde_json::from_str(&golden.expect("the numbers")).expect("JSON");
    assert_eq!(report(&folder), golden);
}

#[test]
fn the_golden_numbers_are_what_the_script_recomputes() {
    let Some(data) = shared_data("golden script") else { return };
    let Some(folder) = readings() else { return };
    let script = repository().join("tests/golden/recompute.py");
    let run = Command::new("python3").arg(script).arg("--data").arg(data).arg(folder).output();
    let Ok(run) = run else {
        eprintln!("SKIPPED golden script: no python3");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let golden = fs::read(repository().join("tests/golden/estate-2022.json")).expect("the numbers");
    assert_eq!(String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&golden));
}

#[test]
fn golden_numbers_of_examples_are_what_their_scripts_recompute() {
    let Some(data) = shared_data("golden script") else { return };
    let golden = repository().join("tests/golden");
    for (script, numbers) in
        [("organization.py", "organization-2022.json"), ("schools.py", "schools-2019.json")]
    {
        let script = golden.join(script);
        let Ok(run) = Command::new("python3").arg(script).arg("--data").arg(&data).output() else {
            eprintln!("SKIPPED golden script: no python3");
            return;
        };
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let committed = fs::read(golden.join(numbers)).expect("the numbers");
        assert_eq!(String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&committed));
    }
}
