//! The program as people and machines meet it: its binary, started, asked, killed and examined.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that uses it")]
#![expect(clippy::print_stdout, reason = "each run says what it reached")]

mod documents;
mod fire;
mod folders;
mod p01;
mod p02;
