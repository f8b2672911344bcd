//! Both engines for one test: written once, run on `SQLCipher` and on `PostgreSQL`.

use std::io;
use std::sync::{Arc, OnceLock};

use envora_domain::access::{Action, Grant};
use envora_domain::id::TenantId;
use envora_domain::ports::{Frame, Place};
use envora_store::database::{Options, TenantDb};
use envora_store::engine::{DbKey, Engine, OpenError};
use envora_store::observer::{EngineKind, Recorder};
use envora_store::writer::Sync;

use crate::postgres;
use crate::scratch::scratch_folder;

/// What ran in this test process, by engine.
pub fn recorder() -> &'static Arc<Recorder> {
    static RECORDER: OnceLock<Arc<Recorder>> = OnceLock::new();
    RECORDER.get_or_init(Arc::default)
}

/// A tenant's database of one test, and how to open it once more.
pub struct TestDb {
    /// The open database.
    pub db: TenantDb,
    /// The tenant.
    pub tenant: TenantId,
    engine: Engine,
    folder: Option<tempfile::TempDir>,
}

/// The tenant of all tests.
pub const TENANT: TenantId = TenantId::from_bytes(*b"tenant-of-tests!");

/// The key of all tests.
#[must_use]
pub fn test_key() -> DbKey {
    DbKey::new(&[7; 32])
}

/// A `sync` that leaves every frame in its manifest row.
#[must_use]
pub fn all_inline() -> Sync {
    Box::new(|frames: &[Frame]| -> io::Result<Vec<Place>> {
        Ok(frames.iter().map(|_| Place::Inline).collect())
    })
}

impl TestDb {
    /// A new database on `SQLCipher`, in a folder of its own.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_with(all_inline())
    }

    /// A new database on `SQLCipher` with this `sync`.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn sqlite_with(sync: Sync) -> Self {
        let folder = scratch_folder();
        let engine = Engine::Sqlite { path: folder.path().join("tenant.db"), key: test_key() };
        Self::made(engine, sync, Some(folder))
    }

    /// A new database on `PostgreSQL`, where it is installed.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn postgres() -> Option<Self> {
        Self::postgres_with(all_inline())
    }

    /// A new database on `PostgreSQL` with this `sync`, where it is installed.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn postgres_with(sync: Sync) -> Option<Self> {
        let server = postgres::server()?;
        Some(Self::made(server.engine(), sync, None))
    }

    fn made(engine: Engine, sync: Sync, folder: Option<tempfile::TempDir>) -> Self {
        let options = options(engine.clone(), sync);
        let db = TenantDb::create(options).unwrap();
        Self { db, tenant: TENANT, engine, folder }
    }

    /// Which engine this is.
    #[must_use]
    pub fn kind(&self) -> EngineKind {
        self.db.engine()
    }

    /// How its engine is reached.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The folder of its file; on `PostgreSQL`, none.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }

    /// Closes it and opens it again.
    ///
    /// # Panics
    /// When it does not open.
    pub fn reopen(&mut self) {
        self.try_reopen().unwrap();
    }

    /// Closes it and tries to open it again.
    ///
    /// # Errors
    /// [`OpenError`]; it then stays closed.
    pub fn try_reopen(&mut self) -> Result<(), OpenError> {
        self.db.close();
        self.db = TenantDb::open(options(self.engine.clone(), all_inline()))?;
        Ok(())
    }

    /// A grant of this tenant, as its operator's.
    #[must_use]
    pub fn grant<A: Action>(&self) -> Grant<A> {
        grant()
    }
}

/// A grant of the tenant of all tests.
#[must_use]
pub fn grant<A: Action>() -> Grant<A> {
    Grant::mint(TENANT, *b"actor-of-a-test!")
}

/// How tests open a database: observed.
#[must_use]
pub fn options(engine: Engine, sync: Sync) -> Options {
    let mut options = Options::new(TENANT, engine, sync);
    options.observer = Some(Arc::clone(recorder()) as _);
    options
}

/// Runs a test on both engines, each with a new database. Without `PostgreSQL` it says so and runs
/// on one.
pub fn on_both_engines(test: impl Fn(&mut TestDb)) {
    test(&mut TestDb::sqlite());
    if let Some(mut db) = TestDb::postgres() {
        test(&mut db);
    }
}
