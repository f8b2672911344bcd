//! The ledger as its readers meet it: foreign vectors, and the proofs under attack.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on ends")]

mod log;
mod notes;
mod p09;
mod rows;
mod slices;
mod strangers;
mod vectors;
