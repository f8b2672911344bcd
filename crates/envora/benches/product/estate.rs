//! A real estate's year: every meter of it, through the command line, to the footprint.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::machine::{Watch, processor_of, void};
use crate::report::Report;
use crate::served::{Scratch, Served, make, program};

/// A meter's file.
struct Meter {
    building: String,
    carrier: String,
    name: String,
}

/// `b24_gas_2022.csv` says what it is.
fn meter(name: &str) -> Option<Meter> {
    let mut words = name.strip_suffix(".csv")?.split('_');
    let (building, carrier) = (words.next()?.to_owned(), words.next()?.to_owned());
    ["electricity", "gas"].contains(&carrier.as_str()).then(|| Meter {
        building,
        carrier,
        name: name.to_owned(),
    })
}

/// The tables of places and sources that the files need.
fn tables(meters: &[Meter]) -> (String, String) {
    let buildings: BTreeSet<&str> = meters.iter().map(|meter| meter.building.as_str()).collect();
    let place = |code: &&str| format!("{code},University building {code},GB,Europe/London\n");
    let facilities: String = buildings.iter().map(place).collect();
    let source = |meter: &Meter| {
        let Meter { building, carrier, .. } = meter;
        let kind =
            if carrier == "gas" { "fuel.combusted.stationary" } else { "electricity.purchased" };
        format!("{building}-{carrier},{building} {carrier} meter,{building},{kind},UTC\n")
    };
    let sources: String = meters.iter().map(source).collect();
    (
        format!("code,name,country,time_zone\n{facilities}"),
        format!("code,name,facility,type,time_zone\n{sources}"),
    )
}

/// Loads the archive's files, one `data push` for each.
pub(crate) fn estate(report: &mut Report, root: &Path, archive: &Path) -> Result<()> {
    if !archive.exists() {
        println!("estate: SKIPPED, there is no {}", archive.display());
        return Ok(());
    }
    let scratch = Scratch::new("estate")?;
    let files = scratch.path().join("files");
    fs::create_dir_all(&files)?;
    let taken = Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(&files).status();
    if !taken.context("start tar")?.success() {
        bail!("tar cannot read {}", archive.display());
    }
    let names = fs::read_dir(&files)?.flatten().map(|entry| entry.file_name());
    let mut meters: Vec<Meter> = names.filter_map(|name| meter(&name.to_string_lossy())).collect();
    meters.sort_by(|one, other| one.name.cmp(&other.name));
    let data = scratch.path().join("data");
    let served = Served::start(&data, &make(&data)?)?;
    let (facilities, sources) = tables(&meters);
    served.push("facilities", &scratch, &facilities)?;
    served.push("sources", &scratch, &sources)?;
    // The command line's own work is done beside the server's, by children of this process.
    let own = || served.processor() + processor_of("self");
    let (server, watch, begun) = (served.processor(), Watch::start(own()), Instant::now());
    for meter in &meters {
        let Meter { building, carrier, name } = meter;
        let mapping = root.join(format!("examples/university-estate/estate-{carrier}.toml"));
        let mut command = program(&["data", "push"]);
        command.arg(files.join(name)).arg("--mapping").arg(mapping);
        command.args(["--set", &format!("facility_code={building}")]);
        command.args(["--set", &format!("source_code={building}-{carrier}")]);
        served.says(&mut command)?;
    }
    let acked = begun.elapsed();
    served.caught_up()?;
    let (visible, server) = (begun.elapsed(), served.processor() - server);
    let others = watch.others_percent(own());
    let year = "/carbon-footprint?from=2021-12-31&to=2023-01-02";
    let footprint = served.connect()?.read(year)?;
    let rows = rows_in(&files, &meters)?;
    let (database, lake) = served.bytes();
    report.part(
        "estate",
        json!({
            "files": meters.len(),
            "lines": rows,
            "acked_seconds": acked.as_secs_f64(),
            "visible_seconds": visible.as_secs_f64(),
            "lines_per_second_visible": (u128::from(rows) * 1_000 / visible.as_millis().max(1)),
            "server_ns_per_line": server.as_nanos() / u128::from(rows),
            "scope1_kg": footprint["totals"]["scope1"]["value"],
            "scope2_location_kg": footprint["totals"]["scope2_location"]["value"],
            "scope3_kg": footprint["totals"]["scope3"]["value"],
            "unresolved": footprint["unresolved"],
            "stored_bytes_per_line": { "lake": lake / rows, "database": database / rows },
            "server_memory_mib": served.memory_mib(),
            "others_percent": others,
            "void": void(others).is_some(),
        }),
    );
    Ok(())
}

/// Lines below the headers.
fn rows_in(files: &Path, meters: &[Meter]) -> Result<u64> {
    let mut rows = 0;
    for meter in meters {
        let text = fs::read(files.join(&meter.name)).context("read a meter's file")?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        rows += u64::try_from(lines)?.saturating_sub(1);
    }
    Ok(rows)
}
