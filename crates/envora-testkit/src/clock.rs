//! Clocks that tests hold the hands of.

use std::sync::atomic::{AtomicI64, Ordering};

use envora_domain::ports::Clock;
use envora_domain::time::{Span, Timestamp};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that stands at this instant.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// A clock that stands at this RFC 3339 instant.
    #[must_use]
    pub fn parse(now: &str) -> Self {
        Self::at(Timestamp::parse(now).unwrap())
    }

    /// Moves it forward.
    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn monotonic_us(&self) -> u64 {
        self.0.load(Ordering::SeqCst).unsigned_abs()
    }
}

/// A clock that moves by one step each time it is read.
#[derive(Debug)]
pub struct StepClock {
    now: AtomicI64,
    step: i64,
}

impl StepClock {
    /// A clock that starts at this instant.
    #[must_use]
    pub const fn new(start: Timestamp, step: Span) -> Self {
        Self { now: AtomicI64::new(start.as_micros()), step: step.as_micros() }
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.fetch_add(self.step, Ordering::SeqCst))
    }

    fn monotonic_us(&self) -> u64 {
        self.now.load(Ordering::SeqCst).unsigned_abs()
    }
}
