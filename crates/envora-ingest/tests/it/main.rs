//! Intake, calculation, footprint and trace, end to end: real keys, real files, a real database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![expect(clippy::panic, reason = "a test that cannot go on ends")]

mod allocations;
mod anew;
mod columns;
mod commits;
mod estate;
mod examples;
mod guards;
mod house;
mod likeness;
mod mutants;
mod p01;
mod p05;
mod p07;
mod processing;
mod proposing;
mod rollups;
mod schema;
mod sheets;
mod sniffing;
mod switching;
mod tables;
mod tiers;
mod tracing;
mod wide;
mod workbook;
mod xml;
