//! `cargo xtask gen`: renews generated files, or with `--check` says which are stale.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use envora_domain::factors::pack;
use envora_domain::factors::publishers::{desnz, ipcc};
use envora_domain::hash::Digest;

const DESNZ_2022: &str = "uk_desnz_ghg_conversion_factors_2022.csv";
const IPCC: &str = "ipcc_gwp_sar_tar_ar4_ar5_ar6.csv";

/// Whether generated files are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write what differs.
    Write,
    /// Fail on what differs.
    Check,
}

/// Renews the starter pack and the GWP table from the publishers' files in a folder.
///
/// # Errors
/// When a file cannot be read or imported, or with [`Mode::Check`] when a committed file is stale.
pub(crate) fn factors(from: &Path, mode: Mode) -> anyhow::Result<()> {
    let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/envora-domain");
    let read = |name: &str| {
        let path = from.join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let flat = read(DESNZ_2022)?;
    let (recipe, factors) = desnz::import(&flat, DESNZ_2022, 2022).context("import the factors")?;
    let text = pack::write(&recipe, &factors);
    let table = read(IPCC)?;
    let sha256 = Digest::of(table.as_bytes()).hex();
    let table = ipcc::import(&table, IPCC, &sha256).context("import the potentials")?;
    let digests = format!(
        "//! SHA-256 of the packs that come with Envora. Written by `cargo xtask gen factors`.\n\n\
         pub(super) const DESNZ_2022: &str =\n    \"{}\";\n",
        Digest::of(text.as_bytes())
    );
    put(domain.join("packs/ipcc-gwp.tsv"), &table, mode)?;
    put(domain.join("packs/desnz-2022.tsv"), &text, mode)?;
    put(domain.join("src/factors/digests.rs"), &digests, mode)
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
