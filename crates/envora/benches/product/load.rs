//! Loading over HTTP: many rows in few requests, and many requests of one row.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::exact::{Factor, expected, text, told};
use crate::machine::{Watch, at, micros, processor_of, void};
use crate::report::{Line, Report, Sense};
use crate::rows::{Rows, facility_code};
use crate::served::Served;
use crate::write;

/// Rows of a body.
pub(crate) const BODY_ROWS: u64 = 10_000;
/// Connections that send at once.
const SENDERS: usize = 4;
/// Connections that send single rows at once.
const SINGLES: usize = 64;
/// How long single rows are sent.
const SINGLES_FOR: Duration = Duration::from_secs(10);
/// How often one row's way into the footprint is timed.
const PROBES: u64 = 200;
/// How long whoever is told to wait waits.
const WAIT: Duration = Duration::from_millis(20);

/// What a load took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    /// Rows per second until all were acknowledged, and until all were in the footprint.
    pub(crate) acked: f64,
    pub(crate) visible: f64,
    pub(crate) void: Option<u64>,
}

fn per_second(rows: u64, time: Duration) -> f64 {
    share(rows, 1) / time.as_secs_f64().max(1e-9)
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows and of their bytes are small")]
fn share(all: u64, rows: u64) -> f64 {
    all as f64 / rows as f64
}

/// Bodies of NDJSON.
pub(crate) fn bodies(rows: Rows) -> Vec<Vec<u8>> {
    let firsts = (0..rows.count).step_by(usize::try_from(BODY_ROWS).unwrap_or(1));
    let body = |first: u64| {
        let mut body = Vec::with_capacity(3 << 20);
        for number in first..(first + BODY_ROWS).min(rows.count) {
            write::ndjson(&rows.row(number), &mut body);
        }
        body
    };
    firsts.map(body).collect()
}

/// Posts all bodies from some connections; gives the time of each acknowledgement, sorted, and how often
/// the server asked to wait.
fn post_all(served: &Served, bodies: &[Vec<u8>]) -> Result<(Vec<Duration>, u64)> {
    let (next, waits) = (AtomicUsize::new(0), AtomicU64::new(0));
    let took = Mutex::new(Vec::with_capacity(bodies.len()));
    let send = || -> Result<()> {
        let mut connection = served.connect()?;
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun = Instant::now();
            loop {
                let path = "/activities?mode=partial";
                let answer = connection.post(path, "application/x-ndjson", body)?;
                match answer.status {
                    207 => break,
                    429 => drop(waits.fetch_add(1, Ordering::Relaxed)),
                    status => bail!("{status}: {}", String::from_utf8_lossy(&answer.body)),
                }
                std::thread::sleep(WAIT);
            }
            took.lock().map_err(|_| anyhow!("a sender panicked"))?.push(begun.elapsed());
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(send)).collect();
        senders
            .into_iter()
            .try_for_each(|sender| sender.join().map_err(|_| anyhow!("a sender panicked"))?)
    })?;
    let mut took = took.into_inner().context("a sender panicked")?;
    took.sort_unstable();
    Ok((took, waits.into_inner()))
}

/// Many rows in bodies of ten thousand, to the footprint that shows all of them.
pub(crate) fn load(
    report: &mut Report,
    served: &Served,
    (rows, factors): (Rows, &[[Factor; 2]]),
) -> Result<Loaded> {
    let bodies = bodies(rows);
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let own = || served.processor() + processor_of("self");
    let before_bytes = served.bytes();
    let (server, client, watch) = (served.processor(), processor_of("self"), Watch::start(own()));
    let begun = Instant::now();
    let (took, waits) = post_all(served, &bodies)?;
    let (acked, server_acked) = (begun.elapsed(), served.processor() - server);
    served.caught_up()?;
    let (visible, server_all) = (begun.elapsed(), served.processor() - server);
    let client = processor_of("self") - client;
    let others = watch.others_percent(own());
    let exact = compare(served, (rows, factors))?;
    let (database, lake) = served.bytes();
    let each = |time: Duration| time.as_nanos() / u128::from(rows.count);
    let void = void(others);
    report.part(
        "load",
        json!({
            "rows": rows.count,
            "bytes_per_row": bytes as u64 / rows.count,
            "body_rows": BODY_ROWS,
            "connections": SENDERS,
            "tls": false,
            "tenants": 1,
            "acked_seconds": acked.as_secs_f64(),
            "acked_rows_per_second": per_second(rows.count, acked).round(),
            "visible_seconds": visible.as_secs_f64(),
            "visible_rows_per_second": per_second(rows.count, visible).round(),
            "server_ns_per_row_to_ack_and_what_was_calculated_by_then": each(server_acked),
            "server_ns_per_row_in_all": each(server_all),
            "client_ns_per_row": each(client),
            "ack_ms": { "p50": micros(at(&took, 500)) / 1_000, "p99": micros(at(&took, 990)) / 1_000, "samples": took.len() },
            "asked_to_wait": waits,
            "others_percent": others,
            "void": void.is_some(),
            "exact": exact,
            "stored_bytes_per_row": {
                "lake": lake.saturating_sub(before_bytes.1) / rows.count,
                "database": database.saturating_sub(before_bytes.0) / rows.count,
            },
            "server_memory_mib": served.memory_mib(),
        }),
    );
    let stored = (lake + database).saturating_sub(before_bytes.0 + before_bytes.1);
    let rate = |time| per_second(rows.count, time);
    let least = |floor, aim| (Sense::AtLeast, floor, aim);
    // As if all of the work were spread evenly over 1.3 processors.
    let by_processor = rate(server_all.div_f64(1.3));
    for (what, value, marks) in [
        ("sustained, acknowledged and calculated", (rate(visible), "rows/s"), least(1e6, 1e6)),
        ("the same by processor time, on 1.3 cores", (by_processor, "rows/s"), least(1e6, 1e6)),
        ("burst, acknowledged", (rate(acked), "rows/s"), least(1.2e6, 2e6)),
        (
            "stored, rows and figures",
            (share(stored, rows.count), "B/row"),
            (Sense::AtMost, 40.0, 34.0),
        ),
    ] {
        report.lines.push(Line::new(what, value, marks).beside(void));
    }
    Ok(Loaded {
        acked: per_second(rows.count, acked),
        visible: per_second(rows.count, visible),
        void,
    })
}

/// Holds the footprint of the year against the rows' sums.
fn compare(served: &Served, (rows, factors): (Rows, &[[Factor; 2]])) -> Result<Value> {
    let year = "/carbon-footprint?from=2026-01-01&to=2027-01-01";
    let footprint = served.connect()?.read(year)?;
    let (due, told) = (expected(rows, factors)?, told(&footprint)?);
    if due != told {
        bail!(
            "the footprint is not what the rows come to: {:?} is due, {:?} is told; unresolved: {}",
            due.map(text),
            told.map(text),
            footprint["unresolved"]
        );
    }
    Ok(json!({ "scope1_2_location_3_kg": due.map(text), "to_the_digit": true }))
}

/// A row that came alone.
fn single(id: &str, facility: u32) -> String {
    format!(
        "{{\"mode\":\"atomic\",\"activities\":[{{\"external_id\":\"{id}\",\"type\":\"electricity.purchased\",\"quantity\":\"1.5\",\"unit\":\"kW.h\",\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-01T00:15:00Z\",\"facility_code\":\"{}\"}}]}}",
        facility_code(facility)
    )
}

/// Single rows from many connections, each durable before it is answered.
pub(crate) fn singles(report: &mut Report, served: &Served) -> Result<()> {
    let own = || served.processor() + processor_of("self");
    let (server, watch, begun) = (served.processor(), Watch::start(own()), Instant::now());
    let send = |sender: usize| -> Result<Vec<Duration>> {
        let (mut connection, mut took) = (served.connect()?, Vec::new());
        while begun.elapsed() < SINGLES_FOR {
            let body = single(&format!("single-{sender}-{}", took.len()), 0);
            let sent = Instant::now();
            let answer = connection.post("/activities", "application/json", body.as_bytes())?;
            match answer.status {
                201 => took.push(sent.elapsed()),
                429 => std::thread::sleep(WAIT),
                status => bail!("{status}: {}", String::from_utf8_lossy(&answer.body)),
            }
        }
        Ok(took)
    };
    let mut took = std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..SINGLES).map(|sender| scope.spawn(move || send(sender))).collect();
        senders.into_iter().try_fold(Vec::new(), |mut all, sender| -> Result<Vec<Duration>> {
            all.extend(sender.join().map_err(|_| anyhow!("a sender panicked"))??);
            Ok(all)
        })
    })?;
    let (all, server) = (begun.elapsed(), served.processor() - server);
    let others = watch.others_percent(own());
    took.sort_unstable();
    let count = u64::try_from(took.len())?;
    let rate = per_second(count, all);
    report.part(
        "single",
        json!({
            "connections": SINGLES,
            "per_second": rate.round(),
            "p50_us": micros(at(&took, 500)),
            "p95_us": micros(at(&took, 950)),
            "p99_us": micros(at(&took, 990)),
            "samples": count,
            "server_us_each": micros(server) / count.max(1),
            "others_percent": others,
            "void": void(others).is_some(),
        }),
    );
    let p95 = at(&took, 950).as_secs_f64() * 1e3;
    for (what, value, marks) in [
        ("single rows, 64 connections, durable", (rate, "rows/s"), (Sense::AtLeast, 2e4, 4e4)),
        ("the same, p95", (p95, "ms"), (Sense::AtMost, 10.0, 5.0)),
    ] {
        report.lines.push(Line::new(what, value, marks).beside(void(others)));
    }
    served.caught_up()
}

/// How long after its acknowledgement a row is in the footprint, one at a time on an idle server.
pub(crate) fn visible(report: &mut Report, served: &Served) -> Result<()> {
    let own = || served.processor() + processor_of("self");
    let (watch, mut connection) = (Watch::start(own()), served.connect()?);
    let day = "/carbon-footprint?from=2027-01-01&to=2027-01-02";
    let (mut lags, mut asks) = (Vec::new(), 0_u64);
    for probe in 0..PROBES {
        let body = single(&format!("probe-{probe}"), u32::try_from(probe)?);
        let answer = connection.post("/activities", "application/json", body.as_bytes())?;
        let acked = Instant::now();
        let seq = answer.json()?["watermark"]["seq"].as_u64().context("no watermark")?;
        loop {
            asks += 1;
            let answer = connection.read(&format!("{day}&facility_id=f-{probe:03}"))?;
            if answer["watermark"]["seq"].as_u64().is_some_and(|shown| shown >= seq) {
                break;
            }
        }
        lags.push(acked.elapsed());
    }
    let others = watch.others_percent(own());
    lags.sort_unstable();
    report.part(
        "visible",
        json!({
            "samples": PROBES,
            "p50_ms": lags_ms(&lags, 500),
            "p95_ms": lags_ms(&lags, 950),
            "p99_ms": lags_ms(&lags, 990),
            "asked_per_row": asks / PROBES,
            "others_percent": others,
            "void": void(others).is_some(),
        }),
    );
    let (what, value) = ("from the acknowledgement to the footprint, p99", lags_ms(&lags, 990));
    let line = Line::new(what, (value, "ms"), (Sense::AtMost, 1_000.0, 300.0));
    report.lines.push(line.beside(void(others)));
    Ok(())
}

fn lags_ms(lags: &[Duration], thousandths: usize) -> f64 {
    at(lags, thousandths).as_secs_f64() * 1e3
}
