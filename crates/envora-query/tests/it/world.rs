//! A table of activities that are made as they are read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use envora_domain::activities::{Activity, Input, Origin, Period};
use envora_domain::decimal::Decimal;
use envora_domain::time::{Day, Timestamp};
use envora_query::answer::Answer;
use envora_query::columns::{Batches, Column, Columns as _};
use envora_query::limits::{Limits, Watch};
use envora_query::table::{Bound, Reading, Table, Wanted};
use envora_query::tables::activities::{ActivityColumn, ActivityRow, NAME, Place};
use envora_query::{QueryError, ask};

/// What most questions may use here.
pub(crate) const LIMITS: Limits =
    Limits { rows_max: 1_000, answer_bytes_max: 1 << 20, memory_bytes_max: 32 << 20 };

/// Rows of type, quantity and unit.
pub(crate) struct Rows {
    pub(crate) rows: Vec<Activity>,
    /// How often all of them are given.
    pub(crate) times: usize,
    pub(crate) seen: Arc<Seen>,
}

/// What the table was asked.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) bounds: Mutex<Vec<Bound>>,
    pub(crate) columns: Mutex<Vec<&'static str>>,
    pub(crate) batches: AtomicUsize,
}

pub(crate) fn row(kind: &str, quantity: &str, unit: &str, day: &str) -> Activity {
    let amount = Input { quantity: Decimal::parse(quantity).unwrap(), unit: unit.to_owned() };
    let day = Day::parse(day).unwrap();
    let at = Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap();
    let origin = Origin::Request {
        request_id: "r".into(),
        body: [0; 32],
        row: 1,
        offset: 0,
        length: 1,
        parser: "json/1".into(),
    };
    Activity::new(kind, amount, Period::Instant(at), origin)
}

pub(crate) fn rows(rows: Vec<Activity>) -> Rows {
    Rows { rows, times: 1, seen: Arc::default() }
}

impl Table for Rows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn columns(&self) -> Vec<Column> {
        ActivityColumn::list()
    }

    fn read(&self, wanted: Wanted) -> anyhow::Result<Reading> {
        *self.seen.bounds.lock().unwrap() = wanted.bounds.clone();
        let names = wanted.places.iter().map(|place| ActivityColumn::ALL[*place].1.name);
        *self.seen.columns.lock().unwrap() = names.collect();
        let all: Vec<Activity> = self.rows.clone();
        let (mut at, end, seen) = (0, all.len() * self.times, Arc::clone(&self.seen));
        let mut batches = Batches::<ActivityColumn>::of(&wanted.places);
        Ok(Box::new(core::iter::from_fn(move || {
            while at < end && !batches.is_full(wanted.batch_rows) {
                let activity = &all[at % all.len()];
                let (first, last) = activity.period.rough_days();
                let row = ActivityRow {
                    activity,
                    days: (first, last),
                    state: "accepted",
                    code: None,
                    line: Some(at as u64 + 1),
                    place: Place::File("made.csv"),
                };
                batches.push(|column| row.cell(column));
                at += 1;
            }
            seen.batches.fetch_add(1, Ordering::Relaxed);
            (batches.rows() > 0).then(|| batches.take())
        })))
    }
}

pub(crate) fn answer_of(sql: &str, table: Rows) -> Result<Answer, QueryError> {
    ask(sql, vec![Arc::new(table)], (LIMITS, Watch::never()))
}

/// The rows of an answer, a word for each value.
pub(crate) fn words(answer: &Answer) -> Vec<Vec<String>> {
    let word =
        |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    answer.rows.iter().map(|row| row.iter().map(word).collect()).collect()
}

/// Some rows of two types.
pub(crate) fn some() -> Rows {
    rows(vec![
        row("electricity.purchased", "372.4", "kW.h", "2022-01-01"),
        row("electricity.purchased", "0.1", "kW.h", "2022-01-02"),
        row("electricity.purchased", "1.5", "MW.h", "2022-02-01"),
        row("fuel.combusted.mobile", "10", "L", "2022-02-02"),
    ])
}
