//! `cargo xtask dev`: the quick loop while working.

use anyhow::Result;

use crate::run::run;
use crate::tidy;

/// Formats, tidies, lints, runs the unit tests.
pub(crate) fn dev() -> Result<()> {
    run("cargo", &["fmt", "--all"])?;
    tidy::tidy()?;
    run(
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "clippy::all"],
    )?;
    run("cargo", &["test", "--workspace", "--lib", "--quiet"])
}
