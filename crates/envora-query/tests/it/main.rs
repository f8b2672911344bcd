//! Questions and answers, over tables that are made here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod exact;
mod limits;
mod reading;
mod refusals;
mod world;
