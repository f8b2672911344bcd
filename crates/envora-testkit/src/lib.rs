//! What tests of several crates share: both database engines, a clock that stands still, randomness
//! with a seed, disks in memory that crash and fail.
//!
//! Used from `tests/it/` only. It fakes the ends of the world and nothing of our own.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that uses it")]

pub mod browser;
pub mod child;
pub mod clock;
pub mod counts;
pub mod databases;
pub mod disk;
pub mod entropy;
pub mod postgres;
pub mod power_loss;
pub mod scratch;
pub mod wait;
