//! Counters and gauges of the process, in the text form that Prometheus reads.
//!
//! No tenant and no path with ids stands in a label: metrics are read by more people than data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The upper bounds of the request histogram, in milliseconds.
const BOUNDS_MS: [u64; 9] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 30_000];

/// What the process counts.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), Histogram>>,
    rows: Mutex<BTreeMap<&'static str, u64>>,
    panics: AtomicU64,
    steps_failed: AtomicU64,
    anchors_written: AtomicU64,
    watermark_lag_ms: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    counts: [u64; BOUNDS_MS.len()],
    count: u64,
    sum_us: u64,
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
        let histogram = requests.entry((method, route, status)).or_default();
        histogram.count += 1;
        histogram.sum_us = histogram.sum_us.saturating_add(micros);
        for (count, bound) in histogram.counts.iter_mut().zip(BOUNDS_MS) {
            *count += u64::from(micros <= bound * 1_000);
        }
    }

    /// Counts rows by outcome.
    pub fn rows(&self, outcome: &'static str, rows: u64) {
        let mut counted = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counted.entry(outcome).or_default();
        *count = count.saturating_add(rows);
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

    /// Counts a failed step of calculation.
    pub fn step_failed(&self) {
        self.steps_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an anchor written.
    pub fn anchor_written(&self) {
        self.anchors_written.fetch_add(1, Ordering::Relaxed);
    }

    /// Says how far the calculation lags behind.
    pub fn watermark_lag_ms(&self, lag: u64) {
        self.watermark_lag_ms.store(lag, Ordering::Relaxed);
    }

    /// All of it, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        line(&mut text, "# HELP envora_request_seconds Time to answer, by route.");
        line(&mut text, "# TYPE envora_request_seconds histogram");
        for ((method, route, status), histogram) in &requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (count, bound) in histogram.counts.iter().zip(BOUNDS_MS) {
                let seconds = seconds(bound * 1_000);
                line(
                    &mut text,
                    &format!("envora_request_seconds_bucket{{{labels},le=\"{seconds}\"}} {count}"),
                );
            }
            let (count, sum) = (histogram.count, seconds(histogram.sum_us));
            line(
                &mut text,
                &format!("envora_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}"),
            );
            line(&mut text, &format!("envora_request_seconds_count{{{labels}}} {count}"));
            line(&mut text, &format!("envora_request_seconds_sum{{{labels}}} {sum}"));
        }
        line(&mut text, "# HELP envora_rows_total Rows taken in, by outcome.");
        line(&mut text, "# TYPE envora_rows_total counter");
        for (outcome, rows) in self.rows.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line(&mut text, &format!("envora_rows_total{{outcome=\"{outcome}\"}} {rows}"));
        }
        for (name, kind, help, value) in [
            ("envora_panics_total", "counter", "Panics caught.", &self.panics),
            (
                "envora_calculation_failures_total",
                "counter",
                "Failed steps of calculation.",
                &self.steps_failed,
            ),
            ("envora_anchors_total", "counter", "Anchors written.", &self.anchors_written),
            (
                "envora_watermark_lag_ms",
                "gauge",
                "Age of the oldest commit not calculated.",
                &self.watermark_lag_ms,
            ),
        ] {
            line(&mut text, &format!("# HELP {name} {help}"));
            line(&mut text, &format!("# TYPE {name} {kind}"));
            line(&mut text, &format!("{name} {}", value.load(Ordering::Relaxed)));
        }
        text
    }
}

fn line(text: &mut String, written: &str) {
    // Writing to a String cannot fail.
    writeln!(text, "{written}").unwrap_or(());
}

/// Microseconds as seconds, without a float.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Answered, Metrics};

    #[test]
    fn a_request_is_in_every_bucket_it_fits() {
        let metrics = Metrics::default();
        metrics.answered(Answered { method: "GET", route: "/version", status: 200, micros: 7_000 });
        let text = metrics.text();
        assert!(text.contains("le=\"0.005\"} 0\n"), "{text}");
        assert!(text.contains("le=\"0.01\"} 1\n"));
        assert!(text.contains(
            "envora_request_seconds_sum{method=\"GET\",route=\"/version\",status=\"200\"} 0.007\n"
        ));
    }
}
