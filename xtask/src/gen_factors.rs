//! `cargo xtask gen factors`: renews the starter packs, their digests and the GWP table from the
//! publishers' files, or with `--check` says which are stale.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use envora_domain::factors::pack;
use envora_domain::factors::publishers::{Imported, desnz, epa, ipcc};
use envora_domain::hash::Digest;

use crate::run::root;

const IPCC: &str = "ipcc_gwp_sar_tar_ar4_ar5_ar6.csv";

/// Whether generated files are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write what differs.
    Write,
    /// Fail on what differs.
    Check,
}

/// Renews the starter packs and the GWP table from the publishers' files in a folder.
///
/// # Errors
/// When a file cannot be read or imported, or with [`Mode::Check`] when a committed file is stale.
pub(crate) fn factors(from: &Path, mode: Mode) -> anyhow::Result<()> {
    let domain = root().join("crates/envora-domain");
    let read = |name: &str| {
        let path = from.join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let table = read(IPCC)?;
    let sha256 = Digest::of(table.as_bytes()).hex();
    let table = ipcc::import(&table, IPCC, &sha256).context("import the potentials")?;
    put(domain.join("packs/ipcc-gwp.tsv"), &table, mode)?;
    let mut digests = String::from(
        "//! The packs that come with Envora and the SHA-256 of each. Written by `cargo xtask gen factors`.\n\n\
         pub(super) const STARTER: &[(&str, &str)] = &[\n",
    );
    for edition in 2021..=2025 {
        let name = format!("uk_desnz_ghg_conversion_factors_{edition}.csv");
        let imported = desnz::import(&read(&name)?, &name, edition);
        let imported = imported.with_context(|| format!("import {name}"))?;
        put_pack(&domain, &imported, mode, &mut digests)?;
    }
    for edition in 2023..=2025 {
        let name = format!("epa_ghg_emission_factors_hub_{edition}.csv");
        let imported = epa::import(&read(&name)?, &name, edition);
        let imported = imported.with_context(|| format!("import {name}"))?;
        put_pack(&domain, &imported, mode, &mut digests)?;
    }
    digests.push_str("];\n");
    put(domain.join("src/factors/digests.rs"), &digests, mode)
}

/// Renews one pack, notes its digest, and says what of its file was left out.
fn put_pack(
    domain: &Path,
    imported: &Imported,
    mode: Mode,
    digests: &mut String,
) -> anyhow::Result<()> {
    let id = &imported.recipe.id;
    let text = pack::write(&imported.recipe, &imported.factors);
    digests.push_str(&format!(
        "    (\n        include_str!(\"../../packs/{id}.tsv\"),\n        \"{}\",\n    ),\n",
        Digest::of(text.as_bytes())
    ));
    if mode == Mode::Write {
        println!("{id}: {} factors, {} bytes", imported.factors.len(), text.len());
        for ((table, reason), rows) in &imported.left_out {
            println!("  left out: {rows} rows of {table}: {reason}");
        }
    }
    put(domain.join(format!("packs/{id}.tsv")), &text, mode)
}

fn put(path: PathBuf, text: &str, mode: Mode) -> anyhow::Result<()> {
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if mode == Mode::Check {
        bail!("{} is stale: run `cargo xtask gen factors --from DIR`", path.display());
    }
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}
