//! How much a suite does: little while one works, more before each change, all before a release.

#[expect(clippy::disallowed_methods, reason = "tests may ask how much they are to do")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// Whether the counts run that are for each change (`SLOW`) or for a release (`LONG`).
#[must_use]
pub fn is_slow() -> bool {
    is_set("SLOW") || is_long()
}

/// Whether the counts run that the promises ask for before a release (`LONG`).
#[must_use]
pub fn is_long() -> bool {
    is_set("LONG")
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
