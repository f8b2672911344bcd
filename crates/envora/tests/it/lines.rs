//! What `envora trace` checks by itself: whatever part of an answer is changed, it is not believed.

use envora_api::traces::{Trace, TraceLine};
use envora_cli::proofs::{check_row, check_sum, key};
use envora_cli::traces::{period, rows};
use serde_json::Value;

use crate::documents::{Reader, words};

/// The footprint of a year in which 31 of a row's 43 days are, and its trace.
fn partly(reader: &Reader) -> (String, Value) {
    let said = |command: &str| {
        let output = reader.run(&words(command)[1..]);
        let (out, err) = (&output.stdout, &output.stderr);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(err));
        String::from_utf8_lossy(out).into_owned()
    };
    let places = "code,name,country\nsplit,Split,GB\n";
    std::fs::write(reader.path().join("places.csv"), places).unwrap();
    let head = "external_id,type,quantity,unit,start_date,end_date,facility_code,time_zone";
    let row = "a,electricity.purchased,7.777777,kW.h,2022-12-20,2023-01-31,split,Europe/London";
    std::fs::write(reader.path().join("rows.csv"), format!("{head}\n{row}\n")).unwrap();
    said("envora facilities push places.csv");
    said("envora data push rows.csv");
    let year = said("envora footprint --year 2023 --json");
    let year: Value = serde_json::from_str(&year).unwrap();
    let figure = &year["totals"]["scope2_location"];
    assert_eq!(figure["value"], "1.161114111884");
    let figure = figure["figure_id"].as_str().unwrap();
    let told = said(&format!("envora trace {figure}"));
    for want in [
        "31 of 43 days (Europe/London), by length, largest remainder: 1.1492587998 kg CO2e",
        "1.161114111884 kg CO2e, 31 of its 43 days",
        "31 of 43 days (Europe/London): split again, the same digits",
        "its 4 lines add up to 1.161114111884 kg, the figure, to the last digit",
        "time_zone: Europe/London",
    ] {
        assert!(told.contains(want), "{want} is not in\n{told}");
    }
    let trace = said(&format!("envora trace {figure} --json"));
    let head = said("envora audit checkpoint --json");
    let head: Value = serde_json::from_str(&head).unwrap();
    (head["vkey"].as_str().unwrap().to_owned(), serde_json::from_str(&trace).unwrap())
}

/// Every way to change one word or number of an answer, with the name of its place.
fn changed(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::String(text) => {
            let other = match text.chars().last() {
                Some('1') => format!("{}2", text.get(..text.len() - 1).unwrap()),
                Some('0'..='9') => format!("{}1", text.get(..text.len() - 1).unwrap()),
                _ => format!("{text}x"),
            };
            vec![(String::new(), other.into())]
        }
        Value::Number(number) => vec![(String::new(), (number.as_u64().unwrap() + 1).into())],
        Value::Array(items) => {
            let each = items.iter().enumerate();
            let each = each.flat_map(|(place, item)| {
                changed(item).into_iter().map(move |(name, item)| {
                    let mut all = items.clone();
                    all[place] = item;
                    (format!(".{place}{name}"), all.into())
                })
            });
            each.collect()
        }
        Value::Object(fields) => {
            let each = fields.iter().flat_map(|(field, item)| {
                changed(item).into_iter().map(move |(name, item)| {
                    let mut all = fields.clone();
                    all.insert(field.clone(), item);
                    (format!(".{field}{name}"), all.into())
                })
            });
            each.collect()
        }
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

#[test]
fn whatever_a_trace_says_of_row_and_share_is_checked() {
    let mut reader = Reader::new();
    reader.does("envora init --org acme --name \"Acme Ltd\" --data acme-data");
    reader.does("envora serve --data acme-data");
    let (vkey, answer) = partly(&reader);
    reader.end();
    let key = key(&vkey).unwrap();
    let trace: Trace = serde_json::from_value(answer.clone()).unwrap();
    let days = Some(period(&trace));
    let lines = rows(&trace.lines.data).remove(0).to_vec();
    assert!(check_row(&lines, days, &key).is_ok());
    assert_eq!(check_sum(&trace).unwrap(), Some(4));
    let mut noticed = 0;
    for (place, line) in lines.iter().enumerate() {
        for (name, other) in changed(&serde_json::to_value(line).unwrap()) {
            let is_checked = ["as_sent", "days", "time_zone", "kg_in", "co2e_in"]
                .iter()
                .any(|part| name.starts_with(&format!(".{part}")));
            let is_first = place == 0
                && [".segment", ".leaf", ".origin.sha256", ".origin.line", ".origin.byte_range"]
                    .iter()
                    .any(|part| name.starts_with(part));
            if !is_checked && !is_first {
                continue;
            }
            let mut lines: Vec<TraceLine> = lines.clone();
            let Ok(line) = serde_json::from_value(other) else { continue };
            lines[place] = line;
            assert!(check_row(&lines, days, &key).is_err(), "nobody noticed {name}");
            noticed += 1;
        }
    }
    assert!(noticed > 60, "{noticed}");
    // A share that is told otherwise in every place that tells it is still not the figure's.
    let mut other = trace.clone();
    let line = &mut other.lines.data[0];
    (line.co2e_in_period, line.kg_in_period) = (line.co2e.clone(), line.kg.clone());
    assert!(check_sum(&other).is_err());
    let asked = days.map(|(from, to)| (from.plus(1), to));
    assert!(check_row(&lines, asked, &key).is_err(), "another period has another share");
}
