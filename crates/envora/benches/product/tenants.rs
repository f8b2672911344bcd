//! Many organizations in one process, each with a database and keys of its own; then one of them is noisy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use envora_server::folder::init::{Environment, Loopback, NewOrganization, add, init};
use serde_json::json;

use crate::http::{Connection, Place};
use crate::load;
use crate::machine::{Watch, at, micros, processor_of, void};
use crate::report::{Line, Report, Sense};
use crate::rows::Rows;
use crate::served::{Scratch, Served};

/// How often each organization sends a row.
const EVERY: Duration = Duration::from_millis(500);
/// How long it does.
const FOR: Duration = Duration::from_secs(10);
/// Threads that send for all of them.
const SENDERS: usize = 16;

/// Rows of every organization, two a second each, timed from the instant they were due.
fn steady(places: &[Place], round: u32) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let send = |sender: usize| -> Result<Vec<Duration>> {
        let mut own: Vec<(usize, Connection)> = Vec::new();
        for (number, place) in places.iter().enumerate().skip(sender).step_by(SENDERS) {
            own.push((number, Connection::open(place)?));
        }
        let mut took = Vec::new();
        let ticks = u32::try_from(FOR.as_millis() / EVERY.as_millis())?;
        for tick in 0..ticks {
            for (number, connection) in &mut own {
                // Spread over the half second, so that they do not come all at once.
                let share = u32::try_from(*number)? * 500 / u32::try_from(places.len())?;
                let due = EVERY * tick + Duration::from_millis(share.into());
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
                let body = format!(
                    "{{\"activities\":[{{\"external_id\":\"t-{round}-{tick}\",\"type\":\"electricity.purchased\",\"quantity\":\"1.5\",\"unit\":\"kW.h\",\"start\":\"2026-06-01T00:00:00Z\",\"end\":\"2026-06-01T01:00:00Z\",\"facility_code\":\"b1\"}}]}}"
                );
                let answer = connection.post("/activities", "application/json", body.as_bytes())?;
                if answer.status != 201 {
                    bail!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
                took.push(begun.elapsed().saturating_sub(due));
            }
        }
        Ok(took)
    };
    let mut took = std::thread::scope(|scope| {
        let send = &send;
        let senders: Vec<_> =
            (0..SENDERS).map(|sender| scope.spawn(move || send(sender))).collect();
        senders.into_iter().try_fold(Vec::new(), |mut all, sender| -> Result<Vec<Duration>> {
            all.extend(sender.join().map_err(|_| anyhow!("a sender panicked"))??);
            Ok(all)
        })
    })?;
    took.sort_unstable();
    Ok(took)
}

/// One organization sends all it can, until it is told to stop; gives how many rows were taken.
fn noise(place: &Place, stop: &AtomicBool) -> Result<u64> {
    let (mut connection, mut rows) = (Connection::open(place)?, 0);
    for body in load::bodies(Rows::clean(400_000)) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let path = "/activities?mode=partial";
        if connection.post(path, "application/x-ndjson", &body)?.status == 207 {
            rows += load::BODY_ROWS;
        }
    }
    Ok(rows)
}

/// A folder with so many organizations, served.
fn hosted(scratch: &Scratch, count: u32) -> Result<(Served, Vec<Place>)> {
    let (data, world) = (scratch.path().join("data"), crate::served::world());
    let mut tokens = Vec::new();
    for number in 0..count {
        let organization = NewOrganization {
            slug: format!("t{number}"),
            name: format!("Organization {number}"),
            time_zone: "UTC".to_owned(),
            domain: "envora.test".to_owned(),
            environment: Environment::Live,
            loopback: Loopback::Unnamed,
        };
        let make = if number == 0 { init } else { add };
        let made = make(&data, &organization, &world).context("make an organization")?;
        tokens.push(made.operator_token.reveal().to_owned());
    }
    let served = Served::start(&data, tokens.first().context("no organization")?)?;
    let place = |(number, token): (usize, String)| Place {
        port: served.place.port,
        organization: format!("t{number}"),
        token,
    };
    let places: Vec<Place> = tokens.into_iter().enumerate().map(place).collect();
    for place in &places {
        let body = br#"{"code":"b1","name":"Place","country":"GB","time_zone":"UTC"}"#;
        let answer = Connection::open(place)?.post("/facilities", "application/json", body)?;
        if answer.status != 201 {
            bail!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
    }
    Ok((served, places))
}

/// So many organizations at two rows a second each; then the same beside one that sends all it can.
pub(crate) fn tenants(report: &mut Report, count: u32) -> Result<()> {
    let scratch = Scratch::new("tenants")?;
    let begun = Instant::now();
    let (served, places) = hosted(&scratch, count)?;
    let made = begun.elapsed();
    let (noisy, others) = places.split_first().context("no organization")?;
    let own = || served.processor() + processor_of("self");
    steady(others, 0)?;
    let (server, watch) = (served.processor(), Watch::start(own()));
    let calm = steady(others, 1)?;
    let (server, foreign) = (served.processor() - server, watch.others_percent(own()));
    let stop = AtomicBool::new(false);
    let (beside, rows) = std::thread::scope(|scope| {
        let noisy = scope.spawn(|| noise(noisy, &stop));
        let beside = steady(others, 2);
        stop.store(true, Ordering::Relaxed);
        let rows = noisy.join().map_err(|_| anyhow!("the noisy one panicked"))??;
        Ok::<_, anyhow::Error>((beside?, rows))
    })?;
    let cores = server.as_secs_f64() / FOR.as_secs_f64();
    let thousand = cores * 1_000.0 / f64::from(count - 1);
    report.part(
        "tenants",
        json!({
            "organizations": count,
            "made_and_opened_ms_each": micros(made) / 1_000 / u64::from(count),
            "posts_per_second": (count - 1) * 2,
            "server_cores": cores,
            "p50_us": micros(at(&calm, 500)),
            "p99_us": micros(at(&calm, 990)),
            "samples": calm.len(),
            "beside_a_noisy_one": {
                "p50_us": micros(at(&beside, 500)),
                "p99_us": micros(at(&beside, 990)),
                "rows_of_the_noisy_one": rows,
            },
            "server_memory_mib": served.memory_mib(),
            "others_percent": foreign,
        }),
    );
    let p99 = |took: &[Duration]| at(took, 990).as_secs_f64() * 1e3;
    let more = (p99(&beside) / p99(&calm) - 1.0) * 100.0;
    let others = count - 1;
    for (what, value, (floor, aim)) in [
        (
            format!("1,000 organizations, 2 rows/s each (by {others})"),
            (thousand, "cores"),
            (1.2, 0.7),
        ),
        (format!("{others} organizations, 2 rows/s each, p99"), (p99(&calm), "ms"), (50.0, 25.0)),
        ("p99 of others beside a noisy one, more by".to_owned(), (more, "%"), (50.0, 20.0)),
    ] {
        let line = Line::new(what, value, (Sense::AtMost, floor, aim));
        report.lines.push(line.beside(void(foreign)));
    }
    Ok(())
}
