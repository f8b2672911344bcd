//! Questions and answers, over tables that are made here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod exact;
mod files;
mod limits;
mod page;
mod reading;
mod refusals;
mod world;
