//! Files that are written for a person, who may have one of that name already.

use std::path::Path;

use crate::failures::{Exit, Failure};

/// Whether a file that is there may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwriting {
    /// `--force`.
    Allowed,
    /// By itself.
    Refused,
}

/// Says no where a file would be lost.
///
/// # Errors
/// `file_exists`.
pub(crate) fn may_write(path: &Path, overwriting: Overwriting) -> Result<(), Failure> {
    if overwriting == Overwriting::Allowed || !path.exists() {
        return Ok(());
    }
    Err(Failure::known(
        (Exit::Error, "file_exists"),
        format!("{} is there already: nothing was written", path.display()),
        "give another name, or write over it with --force",
    ))
}
