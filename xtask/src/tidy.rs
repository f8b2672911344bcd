//! `cargo xtask tidy`: the house rules that a machine can check.
//!
//! Each rule names what it found and what to do instead. The list of exceptions to the size rules is
//! a ratchet (`xtask/tidy.toml`): an entry may shrink or go, never grow.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{read, root};

/// Which crates each crate may use; anything else is an edge to argue for.
const EDGES: &[(&str, &[&str])] = &[
    ("envora-domain", &[]),
    ("envora-ledger", &["envora-domain"]),
    ("envora-crypto", &["envora-domain"]),
    ("envora-api", &["envora-domain"]),
    ("envora-store", &["envora-domain", "envora-ledger", "envora-crypto", "envora-api"]),
    ("envora-lake", &["envora-domain", "envora-ledger", "envora-crypto", "envora-api"]),
    ("envora-query", &["envora-domain"]),
    ("envora-ingest", &[LOWER, "envora-store", "envora-lake"]),
    ("envora-identity", &[LOWER, "envora-store", "envora-lake"]),
    (
        "envora-server",
        &[LOWER, "envora-store", "envora-lake", "envora-query", "envora-ingest", "envora-identity"],
    ),
    (
        "envora-cli",
        &[LOWER, "envora-store", "envora-lake", "envora-query", "envora-ingest", "envora-identity"],
    ),
    ("xtask", &["envora-domain"]),
];

/// Stands in [`EDGES`] for the four lowest crates.
const LOWER: &str = "envora-{domain,ledger,crypto,api}";

/// Lines of a file above which it must say why, by being listed in the ratchet.
const FILE_LINES_MAX: usize = 800;

#[derive(Deserialize)]
struct Ratchet {
    /// File → lines it may have, where that is above the limit.
    #[serde(default)]
    file_lines: BTreeMap<String, usize>,
}

/// One breach: where, and what to do instead.
struct Breach(String);

/// Checks every rule.
pub(crate) fn tidy() -> Result<()> {
    let tracked = read("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let files: Vec<&str> = tracked.lines().filter(|file| root().join(file).is_file()).collect();
    let ratchet = fs::read_to_string(root().join("xtask/tidy.toml")).context("read tidy.toml")?;
    let ratchet: Ratchet = toml::from_str(&ratchet).context("parse tidy.toml")?;
    let mut breaches = Vec::new();
    for file in files {
        if file.ends_with("Cargo.toml") {
            edges(file, &mut breaches)?;
        }
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        if file.ends_with(".rs") {
            source(file, &text, &ratchet, &mut breaches);
        }
        words(file, &text, &mut breaches);
    }
    for Breach(text) in &breaches {
        eprintln!("tidy: {text}");
    }
    if breaches.is_empty() { Ok(()) } else { bail!("{} house rules are broken", breaches.len()) }
}

/// Crate edges: downwards only, as ARCHITECTURE.md lists them.
fn edges(file: &str, breaches: &mut Vec<Breach>) -> Result<()> {
    let text = fs::read_to_string(root().join(file)).with_context(|| format!("read {file}"))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("parse {file}"))?;
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    let Some((_, allowed)) = EDGES.iter().find(|(krate, _)| Some(*krate) == name) else {
        return Ok(());
    };
    let Some(used) = manifest.get("dependencies").and_then(|table| table.as_table()) else {
        return Ok(());
    };
    for krate in used.keys().filter(|krate| krate.starts_with("envora")) {
        let lower = ["envora-domain", "envora-ledger", "envora-crypto", "envora-api"];
        let permitted = allowed.contains(&krate.as_str())
            || (allowed.contains(&LOWER) && lower.contains(&krate.as_str()));
        if !permitted {
            breaches.push(Breach(format!(
                "{file}: {} may not use {krate}; edges go downwards only (ARCHITECTURE.md)",
                name.unwrap_or("it")
            )));
        }
    }
    Ok(())
}

/// Rules of Rust sources: SQL, environment, minting, tenant statics, sizes.
fn source(file: &str, text: &str, ratchet: &Ratchet, breaches: &mut Vec<Breach>) {
    let production = !file.contains("/tests/") && !file.starts_with("xtask/");
    let mut add = |line: usize, what: &str| {
        breaches.push(Breach(format!("{file}:{}: {what}", line + 1)));
    };
    let body = text.split("#[cfg(test)]").next().unwrap_or(text);
    for (place, line) in body.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") || !production {
            continue;
        }
        let sql =
            ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE FROM", "\"CREATE TABLE", "\"PRAGMA "];
        if sql.iter().any(|start| code.contains(start)) && !may_hold_sql(file) {
            add(place, "SQL lives in envora-store alone");
        }
        let reads = ["env::var(", "env::var_os(", "env::vars("];
        if reads.iter().any(|read| code.contains(read)) && !may_read_environment(file) {
            add(place, "only envora reads the environment; take it as a parameter");
        }
        let mints = code.contains("Grant::mint") || code.contains(">::mint(");
        if mints
            && !["crates/envora-identity/src/policy.rs", "crates/envora-testkit/src/databases.rs"]
                .contains(&file)
        {
            add(place, "grants are minted in envora-identity/src/policy.rs alone");
        }
        if code.starts_with("static ") && code.contains("Tenant") {
            add(place, "no static is keyed by tenant; state hangs on TenantCtx");
        }
        if code.contains("f64") && !file.starts_with("crates/envora-report/") && exact(file) {
            add(place, "no floating point on the way from quantity to tonne");
        }
    }
    let lines = text.lines().count();
    let most = ratchet.file_lines.get(file).copied().unwrap_or(FILE_LINES_MAX);
    if lines > most {
        breaches.push(Breach(format!("{file}: {lines} lines, at most {most}: split it by noun")));
    }
    if file.ends_with("/mod.rs") {
        breaches.push(Breach(format!("{file}: write foo.rs beside foo/, no mod.rs")));
    }
}

fn may_hold_sql(file: &str) -> bool {
    ["crates/envora-store/", "crates/envora-testkit/"].iter().any(|home| file.starts_with(home))
}

fn may_read_environment(file: &str) -> bool {
    ["crates/envora/", "crates/envora-testkit/"].iter().any(|home| file.starts_with(home))
}

fn exact(file: &str) -> bool {
    // A workbook's numbers come as floats, and are printed there and nowhere else.
    let printed = file == "crates/envora-ingest/src/formats/xlsx/numbers.rs";
    // A test writes workbooks, whose numbers are floats.
    let written = file == "crates/envora-ingest/tests/it/sheets.rs";
    !printed
        && !written
        && ["domain", "ledger", "store", "ingest", "lake"]
            .iter()
            .any(|krate| file.starts_with(&format!("crates/envora-{krate}/")))
}

/// Words that betray a machine, a registry or unfinished work.
fn words(file: &str, text: &str, breaches: &mut Vec<Breach>) {
    if file.ends_with("Cargo.lock") || file.starts_with("examples/") || file == "xtask/src/tidy.rs"
    {
        return;
    }
    let registries =
        [["npmjs", ".org"], ["crates", ".io/"], ["pypi", ".org"], ["deb.debian", ".org"]]
            .map(|parts| parts.concat());
    let homes = [["/ro", "ot/"], ["/wo", "rk/"], ["/ho", "me/"]].map(|parts| parts.concat());
    for (place, line) in text.lines().enumerate() {
        for word in registries.iter().chain(&homes) {
            if line.contains(word.as_str()) {
                breaches.push(Breach(format!("{file}:{}: names {word}", place + 1)));
            }
        }
        if file.ends_with(".rs") && (line.contains("// TODO") || line.contains("// FIXME")) {
            breaches.push(Breach(format!("{file}:{}: finish it, or file it", place + 1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> usize {
        let mut breaches = Vec::new();
        source(file, text, &Ratchet { file_lines: BTreeMap::new() }, &mut breaches);
        breaches.len()
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert_eq!(found("crates/envora-server/src/a.rs", "let s = \"SELECT 1\";"), 1);
        assert_eq!(found("crates/envora-store/src/a.rs", "let s = \"SELECT 1\";"), 0);
        assert_eq!(found("crates/envora-server/src/a.rs", "std::env::var(\"X\");"), 1);
        assert_eq!(found("crates/envora-server/src/a.rs", "let g = Grant::mint(t, a);"), 1);
        assert_eq!(found("crates/envora-domain/src/a.rs", "let x: f64 = 1.0;"), 1);
        assert_eq!(found("crates/envora-domain/src/a.rs", &"let x = 1;\n".repeat(801)), 1);
        assert_eq!(found("crates/envora-domain/src/a.rs", "// SELECT, f64: a comment"), 0);
    }

    #[test]
    fn every_crate_has_a_row_of_edges() {
        let crates = fs::read_dir(root().join("crates")).expect("crates/");
        for krate in crates.flatten() {
            let name = krate.file_name().to_string_lossy().into_owned();
            let top = ["envora", "envora-testkit"].contains(&name.as_str());
            assert!(top || EDGES.iter().any(|(known, _)| *known == name), "{name} has no row");
        }
    }
}
