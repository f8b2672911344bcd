//! Pulse: what the writer has done and what waits for it, as numbers that only grow or are read now.

use std::sync::atomic::{AtomicU64, Ordering};

/// The upper bounds of the commit histogram, in microseconds.
pub const BOUNDS_US: [u64; 9] =
    [500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

/// What the writer counts.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    jobs_waiting: AtomicU64,
    groups: AtomicU64,
    failed: AtomicU64,
    sum_us: AtomicU64,
    within: [AtomicU64; BOUNDS_US.len()],
}

/// The same, read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Jobs that wait for the writer.
    pub jobs_waiting: u64,
    /// Sealed bytes that wait for the writer.
    pub bytes_waiting: u64,
    /// Groups that were committed.
    pub groups: u64,
    /// Groups that were refused.
    pub failed: u64,
    /// How long committed groups took from their sync to the end of their commit, in all.
    pub sum_us: u64,
    /// How many of them took at most so long, by [`BOUNDS_US`].
    pub within: [u64; BOUNDS_US.len()],
}

impl Pulse {
    pub(crate) fn queued(&self) {
        self.jobs_waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self, jobs: usize) {
        self.jobs_waiting.fetch_sub(u64::try_from(jobs).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn committed(&self, micros: u64) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
        for (count, bound) in self.within.iter().zip(BOUNDS_US) {
            count.fetch_add(u64::from(micros <= bound), Ordering::Relaxed);
        }
    }

    pub(crate) fn beat(&self, bytes_waiting: usize) -> Beat {
        let mut within = [0; BOUNDS_US.len()];
        for (read, count) in within.iter_mut().zip(&self.within) {
            *read = count.load(Ordering::Relaxed);
        }
        Beat {
            jobs_waiting: self.jobs_waiting.load(Ordering::Relaxed),
            bytes_waiting: u64::try_from(bytes_waiting).unwrap_or(u64::MAX),
            groups: self.groups.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            sum_us: self.sum_us.load(Ordering::Relaxed),
            within,
        }
    }
}
