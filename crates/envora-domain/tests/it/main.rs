//! The domain against the publishers' whole files and a real year of meters.

mod golden;
mod methods;
mod publishers;
mod types;

use std::path::PathBuf;

/// The folder of the repository.
fn repository() -> PathBuf {
    std::fs::canonicalize("../..").expect("the repository")
}

/// The publishers' files beside the repository, or `None` where they are not.
fn shared_data(test: &str) -> Option<PathBuf> {
    let data = repository().join("../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("SKIPPED {test}: ../shared/data is absent");
    None
}
