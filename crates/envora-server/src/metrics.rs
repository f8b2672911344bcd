//! Counters of the process, in the text form that Prometheus reads.
//!
//! No tenant and no path with ids stands in a label: metrics are read by more people than data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use envora_ingest::formats::Tally;

/// The upper bounds of the request histogram, in microseconds.
const BOUNDS_US: [u64; 9] =
    [1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 30_000_000];

/// What the process counts.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str), Requests>>,
    problems: Counters,
    rows: Counters,
    rows_read: Arc<Tally>,
    steps_failed: Counters,
    rows_calculated: AtomicU64,
    panics: AtomicU64,
    sign_ins_refused: AtomicU64,
    anchors_written: AtomicU64,
}

/// The requests of one method and route.
#[derive(Clone, Debug, Default)]
struct Requests {
    within: [u64; BOUNDS_US.len()],
    count: u64,
    sum_us: u64,
    by_class: BTreeMap<&'static str, u64>,
}

/// One counter per word of a closed list.
#[derive(Debug, Default)]
struct Counters(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    fn add(&self, word: &'static str, count: u64) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(word).or_default();
        *counter = counter.saturating_add(count);
    }

    fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The method.
    pub method: &'static str,
    /// The route's template, never the path.
    pub route: &'static str,
    /// The status.
    pub status: u16,
    /// How long it took.
    pub micros: u64,
}

impl Metrics {
    /// Counts a request.
    pub fn answered(&self, answered: Answered) {
        let Answered { method, route, status, micros } = answered;
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = requests.entry((method, route)).or_default();
        requests.count += 1;
        requests.sum_us = requests.sum_us.saturating_add(micros);
        *requests.by_class.entry(class(status)).or_default() += 1;
        for (count, bound) in requests.within.iter_mut().zip(BOUNDS_US) {
            *count += u64::from(micros <= bound);
        }
    }

    /// Counts a problem that was answered, by its code.
    pub fn problem(&self, code: &'static str) {
        self.problems.add(code, 1);
    }

    /// Counts a token, code or form that signed nobody in.
    pub fn sign_in_refused(&self) {
        self.sign_ins_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts rows by outcome.
    pub fn rows(&self, outcome: &'static str, rows: u64) {
        self.rows.add(outcome, rows);
    }

    /// Where readers count how they read their rows.
    pub(crate) fn rows_read(&self) -> Arc<Tally> {
        Arc::clone(&self.rows_read)
    }

    /// Counts a panic.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// How many panics there were.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Counts the rows of a step of calculation.
    pub fn step_done(&self, rows: u64) {
        self.rows_calculated.fetch_add(rows, Ordering::Relaxed);
    }

    /// Counts a failed step of calculation.
    pub fn step_failed(&self, code: &'static str) {
        self.steps_failed.add(code, 1);
    }

    /// Counts an anchor written.
    pub fn anchor_written(&self) {
        self.anchors_written.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it, as text.
    pub(crate) fn write(&self, text: &mut Exposition) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        text.head(("envora_requests_total", "counter"), "Requests answered, by class of status.");
        for ((method, route), requests) in &requests {
            for (class, count) in &requests.by_class {
                let labels = [("method", *method), ("route", *route), ("class", *class)];
                text.sample("envora_requests_total", &labels, &count.to_string());
            }
        }
        text.head(("envora_request_seconds", "histogram"), "Time to answer a request.");
        for ((method, route), requests) in &requests {
            let labels = [("method", *method), ("route", *route)];
            let Requests { within, count, sum_us, .. } = requests;
            let buckets = BOUNDS_US.iter().copied().zip(within.iter().copied());
            text.histogram(("envora_request_seconds", &labels), buckets, (*count, *sum_us));
        }
        for (name, help, label, counters) in [
            ("envora_problems_total", "Errors answered, by code.", "code", &self.problems),
            ("envora_rows_total", "Rows taken in, by outcome.", "outcome", &self.rows),
            (
                "envora_calculation_failures_total",
                "Failed steps of calculation, by reason.",
                "code",
                &self.steps_failed,
            ),
        ] {
            text.head((name, "counter"), help);
            for (word, count) in counters.all() {
                text.sample(name, &[(label, word)], &count.to_string());
            }
        }
        let tiers = self.rows_read.tiers();
        let name = "envora_rows_read_total";
        text.head(
            (name, "counter"),
            "Rows read, by the way they took: known words, typed, explained.",
        );
        for (tier, rows) in
            [("fast", tiers.fast), ("typed", tiers.typed), ("explained", tiers.explained)]
        {
            text.sample(name, &[("tier", tier)], &rows.to_string());
        }
        for (name, help, counter) in [
            ("envora_calculated_rows_total", "Rows decided.", &self.rows_calculated),
            ("envora_sign_ins_refused_total", "Sign-ins refused.", &self.sign_ins_refused),
            ("envora_panics_total", "Panics caught.", &self.panics),
            ("envora_anchors_total", "Anchors written.", &self.anchors_written),
        ] {
            text.single((name, "counter"), help, counter.load(Ordering::Relaxed));
        }
    }
}

const fn class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// The text form, as it is written.
#[derive(Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// The two lines in front of a metric's samples.
    pub(crate) fn head(&mut self, (name, kind): (&str, &str), help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A metric without labels.
    pub(crate) fn single(&mut self, of: (&str, &str), help: &str, value: u64) {
        self.head(of, help);
        self.sample(of.0, &[], &value.to_string());
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        if labels.is_empty() {
            return self.line(format_args!("{name} {value}"));
        }
        let labels: Vec<String> =
            labels.iter().map(|(label, word)| format!("{label}=\"{word}\"")).collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    /// The samples of one histogram of times: how many took at most so many microseconds.
    pub(crate) fn histogram(
        &mut self,
        (name, labels): (&str, &[(&str, &str)]),
        buckets: impl Iterator<Item = (u64, u64)>,
        (count, sum_us): (u64, u64),
    ) {
        let bucket = format!("{name}_bucket");
        for (bound, within) in buckets {
            let bound = seconds(bound);
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.sample(&bucket, &labels, &within.to_string());
        }
        self.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), &count.to_string());
        self.sample(&format!("{name}_count"), labels, &count.to_string());
        self.sample(&format!("{name}_sum"), labels, &seconds(sum_us));
    }

    fn line(&mut self, written: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{written}").unwrap_or(());
    }
}

/// Microseconds as seconds, without a float.
pub(crate) fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Answered, Exposition, Metrics};

    #[test]
    fn a_request_is_in_every_bucket_it_fits() {
        let metrics = Metrics::default();
        metrics.answered(Answered { method: "GET", route: "/version", status: 200, micros: 7_000 });
        let mut text = Exposition::default();
        metrics.write(&mut text);
        let text = text.into_text();
        assert!(text.contains("le=\"0.005\"} 0\n"), "{text}");
        assert!(text.contains("le=\"0.01\"} 1\n"));
        assert!(
            text.contains("envora_request_seconds_sum{method=\"GET\",route=\"/version\"} 0.007\n")
        );
        assert!(text.contains("route=\"/version\",class=\"2xx\"} 1\n"));
    }
}
