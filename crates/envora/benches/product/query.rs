//! Questions over what was loaded, each over HTTP on a warm server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Map, json};

use crate::http::Connection;
use crate::machine::{Watch, at, processor_of, void};
use crate::report::{Line, Report, Sense, short_count};
use crate::served::Served;

/// How often a question is asked, unless that takes too long.
const TIMES: usize = 31;
/// How long one question is asked at most.
const WITHIN: Duration = Duration::from_secs(12);

/// A question, what it stands for, and its floor and aim in milliseconds.
struct Question {
    name: &'static str,
    path: String,
    floor: f64,
    aim: f64,
}

/// The questions of the design: each by the call of the product that answers it.
fn questions(activity: &str) -> Vec<Question> {
    let year = "from=2026-01-01&to=2027-01-01";
    let question = |name, path: String, floor, aim| Question { name, path, floor, aim };
    vec![
        question(
            "Q1 total per scope and month",
            format!("/carbon-footprint/series?{year}&interval=month"),
            60.0,
            30.0,
        ),
        question(
            "Q2 ten largest places (all are given)",
            format!("/carbon-footprint?{year}&group_by=facility"),
            25.0,
            12.0,
        ),
        question(
            "Q3 one place, 30 days (by day: hours are not offered)",
            "/carbon-footprint/series?from=2026-06-01&to=2026-07-01&interval=day&facility_id=f-017"
                .to_owned(),
            6.0,
            3.0,
        ),
        question("Q4 one activity by its id", format!("/activities/{activity}"), 2.0, 1.0),
        question("rollup: footprint of the year", format!("/carbon-footprint?{year}"), 4.0, 2.0),
    ]
}

fn timed(connection: &mut Connection, path: &str) -> Result<Vec<Duration>> {
    connection.read(path)?;
    let (mut took, begun) = (Vec::new(), Instant::now());
    while took.is_empty() || took.len() < TIMES && begun.elapsed() < WITHIN {
        let asked = Instant::now();
        connection.read(path)?;
        took.push(asked.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

/// Asks them all.
pub(crate) fn query(report: &mut Report, served: &Served, rows: u64) -> Result<()> {
    let own = || served.processor() + processor_of("self");
    let mut connection = served.connect()?;
    let page = connection.read("/activities?limit=1")?;
    let activity = page["data"][0]["id"].as_str();
    let mut found = Map::new();
    for question in questions(activity.context("no activity is listed")?) {
        let watch = Watch::start(own());
        let took = timed(&mut connection, &question.path)?;
        let others = watch.others_percent(own());
        let ms = |thousandths| at(&took, thousandths).as_secs_f64() * 1e3;
        found.insert(
            question.name.to_owned(),
            json!({
                "path": question.path,
                "median_ms": ms(500),
                "least_ms": ms(0),
                "most_ms": ms(1_000),
                "samples": took.len(),
                "others_percent": others,
            }),
        );
        let what = format!("{}, {} rows", question.name, short_count(rows));
        let marks = (Sense::AtMost, question.floor, question.aim);
        report.lines.push(Line::new(what, (ms(500), "ms"), marks).beside(void(others)));
    }
    report.part("query", found.into());
    Ok(())
}
