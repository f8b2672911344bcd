//! `cargo xtask reliability`: the promises' suites alone, with their counts printed.

use anyhow::{Result, bail};

use crate::run::command;

/// `[--long] [P07]`: one suite or all, at the counts of each change; `--long` runs those of a release.
pub(crate) fn reliability(arguments: &[&str]) -> Result<()> {
    let long = arguments.contains(&"--long");
    let suites: Vec<String> = arguments
        .iter()
        .filter(|word| **word != "--long")
        .map(|word| word.to_ascii_lowercase())
        .collect();
    let is_suite = |word: &String| {
        word.len() == 3 && word.starts_with('p') && word[1..].bytes().all(|b| b.is_ascii_digit())
    };
    if !suites.iter().all(is_suite) {
        bail!("usage: cargo xtask reliability [--long] [P01 …]");
    }
    let all = ["p01", "p02", "p03", "p05", "p07", "p09", "p16", "p17", "p18", "p20", "p21"]
        .map(str::to_owned)
        .to_vec();
    for suite in if suites.is_empty() { all } else { suites } {
        let filter = format!("{suite}_");
        let mut tests = command("cargo", &["test", "--workspace", &filter, "--", "--nocapture"]);
        tests.env(if long { "LONG" } else { "SLOW" }, "1");
        if !tests.status()?.success() {
            bail!("{suite} does not hold");
        }
    }
    Ok(())
}
