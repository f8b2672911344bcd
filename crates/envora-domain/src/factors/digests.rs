//! SHA-256 of the packs that come with Envora. Written by `cargo xtask gen factors`.

pub(super) const DESNZ_2022: &str =
    "1b17582b4267d2c7a377b2a6fd82b1f1dab244ccd2b78ca8d436e0544ab8324c";
