//! Who wants to know which statement ran where: the tests that every one ran on both engines.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Which database is behind a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// `SQLCipher` in the data folder.
    Sqlite,
    /// A `PostgreSQL` server.
    Postgres,
}

impl core::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// Told of every statement that is run. Names only, never arguments.
pub trait Observer: Send + Sync {
    /// This statement runs on this engine.
    fn ran(&self, engine: EngineKind, name: &'static str);
}

/// Collects what ran.
#[derive(Default)]
pub struct Recorder {
    seen: Mutex<BTreeSet<(EngineKind, &'static str)>>,
}

impl Recorder {
    /// The names that ran on this engine.
    #[must_use]
    pub fn names(&self, engine: EngineKind) -> BTreeSet<&'static str> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(kind, _)| *kind == engine).map(|(_, name)| *name).collect()
    }
}

impl Observer for Recorder {
    fn ran(&self, engine: EngineKind, name: &'static str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert((engine, name));
    }
}
