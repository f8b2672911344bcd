//! `cargo xtask gen`: renews what is generated and committed; `--check` compares only.

use std::path::Path;

use anyhow::{Result, bail};

use crate::gen_factors::{self, Mode};

/// Renews, or with `--check` compares, all that is generated.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mode = if arguments.contains(&"--check") { Mode::Check } else { Mode::Write };
    let words: Vec<&str> = arguments.iter().copied().filter(|word| *word != "--check").collect();
    match words.as_slice() {
        ["factors", "--from", from] => gen_factors::factors(Path::new(from), mode),
        [] => beside(mode),
        _ => bail!("usage: cargo xtask gen factors --from DIR [--check]"),
    }
}

/// Everything, from the publishers' files beside the repository where they are.
fn beside(mode: Mode) -> Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.is_dir() {
        eprintln!("SKIPPED starter pack: ../shared/data is absent");
        return Ok(());
    }
    gen_factors::factors(&data, mode)
}
