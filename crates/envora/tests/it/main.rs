//! The program as people and machines meet it: its binary, started, asked, killed and examined.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that uses it")]
#![expect(clippy::print_stdout, reason = "each run says what it reached")]

mod asked;
mod backups;
mod beginnings;
mod bench_rows;
mod demo;
mod documents;
mod ending;
mod fire;
mod first_steps;
mod folders;
mod hostile;
mod house;
mod lines;
mod local_times;
mod memory;
mod mending;
mod p01;
mod p02;
mod p03;
mod p16;
mod p17;
mod p18;
mod postgres;
mod pushes;
mod sign_in;
mod terminals;
mod transcripts;
mod voided;
mod words;
