//! `cargo xtask bench`: what the demo's load costs, stage by stage, in a build made for speed.

use anyhow::Result;

use crate::run::run;

/// Builds with the profile `bench` and prints rows per second and nanoseconds per row.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let mut words = vec!["bench", "--package", "envora-ingest", "--bench", "load", "--"];
    words.extend(arguments);
    run("cargo", &words)
}
