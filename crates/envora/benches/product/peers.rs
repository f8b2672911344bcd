//! Other systems on the same rows, by a script of Python: `xtask/bench_peers.py`.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::exact::{Factor, expected, text};
use crate::load::{self, BODY_ROWS, Loaded};
use crate::machine::{Watch, processor_of, void};
use crate::report::{Line, Peer, Report, Sense};
use crate::rows::{Rows, WORKS};
use crate::served::Scratch;
use crate::write;

/// How many bodies are sent as commits of their own.
const COMMITS: usize = 20;
/// How far the sums of a system that adds floats may be from ours.
const NEAR: f64 = 1e-9;

/// A floor and an aim.
type Marks = (f64, f64);

/// Those of bulk loads, and of commits of 10,000 rows where there are any.
const MARKS: [(&str, Marks, Option<Marks>); 5] = [
    ("chdb", (1.5, 2.0), Some((5.0, 6.0))),
    ("duckdb", (2.5, 3.0), Some((5.0, 7.0))),
    ("polars", (1.2, 1.5), None),
    ("datafusion", (1.2, 1.5), None),
    ("postgres", (10.0, 12.0), None),
];

/// The files that the script reads.
fn files(folder: &Path, (rows, factors): (Rows, &[[Factor; 2]])) -> Result<()> {
    for format in ["ndjson", "csv"] {
        let path = folder.join(format!("rows.{format}"));
        let mut file = BufWriter::new(File::create(&path).context("make a file")?);
        write::write(rows.all(), format, &mut file)?;
        file.flush()?;
    }
    let some = Rows { count: rows.count.min(BODY_ROWS * COMMITS as u64), ..rows };
    for (number, body) in load::bodies(some).iter().enumerate() {
        fs::write(folder.join(format!("chunk-{number:03}.ndjson")), body)?;
    }
    let mut table = String::from("type,unit,fuel,gas,laden,vehicle_class,scope1,scope2,scope3\n");
    for (work, pair) in WORKS.iter().zip(factors) {
        for (unit, factor) in [work.unit, work.other_unit].iter().zip(pair) {
            let word = |name: &str| {
                let found = work.qualifiers.iter().find(|(known, _)| *known == name);
                found.map_or("", |(_, word)| word)
            };
            let words = ["fuel", "gas", "laden", "vehicle_class"].map(word).join(",");
            table += &format!("{},{unit},{words},{}\n", work.kind, factor.texts.join(","));
        }
    }
    fs::write(folder.join("factors.csv"), table).context("write the factors")
}

/// Runs the script for one system.
fn ask(python: &Path, name: &str, folder: &Path) -> Result<Value> {
    let script = crate::root().join("xtask/bench_peers.py");
    let output = Command::new(python)
        .arg(script)
        .arg(name)
        .arg(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("start {}", python.display()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = said.lines().rev().find(|line| line.starts_with('{'));
    let Some(found) = last.filter(|_| output.status.success()) else {
        bail!("{name}: {said}{}", String::from_utf8_lossy(&output.stderr));
    };
    serde_json::from_str(found).with_context(|| format!("{name}: {found}"))
}

/// Whether a system's sums are ours.
fn agrees(found: &Value, due: [i128; 3]) -> bool {
    let told = found["totals"].as_array().map(Vec::as_slice).unwrap_or_default();
    told.len() == due.len()
        && told.iter().zip(due).all(|(told, due)| {
            let due: f64 = text(due).parse().unwrap_or(f64::NAN);
            told.as_f64().is_some_and(|told| (told - due).abs() <= NEAR * due.abs())
        })
}

/// Runs each system that was asked for, and holds ours against it.
pub(crate) fn peers(
    report: &mut Report,
    (python, names): (&Path, &[String]),
    (rows, factors, loaded): (Rows, &[[Factor; 2]], Loaded),
) -> Result<()> {
    let scratch = Scratch::new("peers")?;
    files(scratch.path(), (rows, factors))?;
    let due = expected(rows, factors)?;
    for name in names {
        let watch = Watch::start(processor_of("self"));
        let mut found = match ask(python, name, scratch.path()) {
            Ok(found) => found,
            Err(error) => json!({ "peer": name, "failed": format!("{error:#}") }),
        };
        let others = watch.others_percent(processor_of("self"));
        if let Some(why) = found["skipped"].as_str() {
            println!("{name}: SKIPPED, {why}");
            report.part(name, found);
            continue;
        }
        if found["totals"].is_array() {
            found["agrees_within_1e-9"] = agrees(&found, due).into();
        }
        found["others_percent"] = others.into();
        let mark = MARKS.iter().find(|(known, ..)| known == name);
        let (_, bulk, commits) = mark.with_context(|| format!("{name} is no peer"))?;
        let spoilt = loaded.void.max(void(others));
        let mut line = |what: String, key: &str, ours: f64, (floor, aim): Marks| {
            let Some(value) = found[key].as_f64() else { return };
            let peer = Some(Peer { name: name.clone(), value });
            let line = Line::new(what, (ours, "rows/s"), (Sense::AtLeast, floor, aim));
            report.lines.push(Line { peer, ..line }.beside(spoilt));
        };
        line(format!("bulk load, {name}"), "bulk_rows_per_second", loaded.acked, *bulk);
        if let Some(marks) = commits {
            let what = format!("durable commits of 10 k rows, {name}");
            line(what, "commit_10k_rows_per_second", loaded.acked, *marks);
        }
        let what = format!("bulk load to the figures, {name}");
        line(what, "bulk_rows_per_second", loaded.visible, *bulk);
        report.part(name, found);
    }
    Ok(())
}
