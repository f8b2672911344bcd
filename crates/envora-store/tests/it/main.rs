//! The store against real databases, both of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of tests fails the test that uses it"
)]

mod killing;
mod nouns;
mod opening;
mod schema;
mod writing;
