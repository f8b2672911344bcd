//! `cargo xtask bench`: what the product comes to on this machine, in a build made for speed.
//!
//! Stages of the load are a bench of envora-ingest; all else is one of envora, which starts the program
//! itself. Both are built with the profile `bench`, which nothing else uses.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{cache, run};

/// What the bench of the product can do.
const VERBS: [&str; 9] =
    ["gen", "load", "single", "visible", "query", "tenants", "formats", "estate", "all"];
/// Options whose value is a file or folder: the bench runs in a folder of its own.
const PLACES: [&str; 4] = ["--out", "--json", "--baseline", "--estate"];

/// Builds with the profile `bench` and measures what is asked for: the stages where nothing is.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] | ["stages"] => stages(),
        [verb, rest @ ..] if VERBS.contains(verb) => {
            if *verb == "all" {
                stages()?;
            }
            let here = std::env::current_dir().context("find this folder")?;
            let python = cache().join("bench/venv/bin/python");
            let mut words: Vec<String> = vec![(*verb).to_owned()];
            words.extend(placed(rest, &here));
            if python.exists() {
                words.extend(["--python".to_owned(), python.to_string_lossy().into_owned()]);
            }
            let cargo = ["bench", "--quiet", "--package", "envora", "--bench", "product", "--"];
            let words = cargo.into_iter().chain(words.iter().map(String::as_str));
            run("cargo", &words.collect::<Vec<_>>())
        }
        [other, ..] => bail!("bench {other}: it is one of stages, {}", VERBS.join(", ")),
    }
}

fn stages() -> Result<()> {
    run("cargo", &["bench", "--quiet", "--package", "envora-ingest", "--bench", "load"])
}

/// The same words, with places as they are meant where the caller stands.
fn placed(words: &[&str], here: &Path) -> Vec<String> {
    let mut is_place = false;
    let place = |word: &str| {
        let path: PathBuf = here.join(word);
        path.to_string_lossy().into_owned()
    };
    words
        .iter()
        .map(|word| {
            let own = if is_place { place(word) } else { (*word).to_owned() };
            is_place = PLACES.contains(word);
            match word.split_once('=') {
                Some((name, value)) if PLACES.contains(&name) => {
                    format!("{name}={}", place(value))
                }
                _ => own,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{bench, placed};

    #[test]
    fn places_are_meant_where_the_caller_stands() {
        let here = Path::new("/here");
        let words = placed(&["--rows", "7", "--json", "a.json", "--out=b", "--peers=x"], here);
        assert_eq!(words, ["--rows", "7", "--json", "/here/a.json", "--out=/here/b", "--peers=x"]);
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        let said = bench(&["everything"]).expect_err("refused").to_string();
        assert!(said.contains("stages, gen"), "{said}");
    }
}
