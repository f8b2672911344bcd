//! How much a suite does: little while one works, more before each change, all before a release.

use std::env::var_os;

/// Whether the counts run that are for each change (`SLOW`) or for a release (`LONG`).
#[must_use]
pub fn is_slow() -> bool {
    var_os("SLOW").is_some() || is_long()
}

/// Whether the counts run that the promises ask for before a release (`LONG`).
#[must_use]
pub fn is_long() -> bool {
    var_os("LONG").is_some()
}

/// How often: while one works, before each change, before a release.
#[must_use]
pub fn counted(few: u64, slow: u64, long: u64) -> u64 {
    if is_long() {
        long
    } else if is_slow() {
        slow
    } else {
        few
    }
}
