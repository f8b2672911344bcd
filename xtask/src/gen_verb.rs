//! `cargo xtask gen`: renews what is generated and committed; `--check` compares only.

use std::path::Path;

use anyhow::{Result, bail};

use crate::gen_factors::{self, Mode};
use crate::run::run as run_program;

/// Renews, or with `--check` compares, all that is generated.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mode = if arguments.contains(&"--check") { Mode::Check } else { Mode::Write };
    let words: Vec<&str> = arguments.iter().copied().filter(|word| *word != "--check").collect();
    match words.as_slice() {
        ["factors", "--from", from] => gen_factors::factors(Path::new(from), mode),
        ["openapi"] => openapi(),
        [] => beside(mode),
        _ => bail!("usage: cargo xtask gen [factors --from DIR | openapi] [--check]"),
    }
}

/// Everything, from the publishers' files beside the repository where they are.
fn beside(mode: Mode) -> Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.is_dir() {
        eprintln!("SKIPPED starter pack: ../shared/data is absent");
    } else {
        gen_factors::factors(&data, mode)?;
    }
    match mode {
        Mode::Write => openapi(),
        // The server's own test holds the committed description against the routes.
        Mode::Check => Ok(()),
    }
}

/// Renews the description of the interface: the test that compares it also writes it.
fn openapi() -> Result<()> {
    let test = ["test", "--quiet", "--package", "envora-server", "--test", "it", "--"];
    run_program(
        "cargo",
        &[&test[..], &["the_committed_description_is_current", "write_openapi"]].concat(),
    )
}
