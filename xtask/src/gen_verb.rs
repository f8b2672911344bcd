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
        [] => Ok(()),
        _ => bail!("usage: cargo xtask gen factors --from DIR [--check]"),
    }
}
