//! SHA-256 of the packs that come with Envora. Written by `cargo xtask gen factors`.

pub(super) const DESNZ_2022: &str =
    "20ba667f5edf1e867fc8f5aad93396dabbdfbe17b2024aca9a3af9af899a9ac6";
