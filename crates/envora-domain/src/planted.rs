//! Planted bugs: each reliability suite proves that it can fail.
//!
//! A debug build may be armed with the name of one bug, once, at start; a release build has none by
//! construction. `envora` arms it from `ENVORA_PLANTED_BUG`; tests arm it directly.

use std::sync::OnceLock;

static ARMED: OnceLock<String> = OnceLock::new();

/// Arms one bug by its name. The first call wins; later ones change nothing.
pub fn arm(name: &str) {
    if cfg!(debug_assertions) {
        ARMED.get_or_init(|| name.to_owned());
    }
}

/// Whether this bug is armed. Always false in a release build.
#[must_use]
pub fn planted(name: &str) -> bool {
    cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == name)
}
