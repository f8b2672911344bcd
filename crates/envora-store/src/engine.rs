//! The two engines. What truly differs between them lives below this module, in a pair of files.

use std::path::PathBuf;

use address::Address;
use zeroize::Zeroizing;

use crate::observer::EngineKind;
use crate::row::Row;
use crate::statement::Statement;
use crate::value::Value;

pub mod address;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Where a tenant's database is.
#[derive(Clone, Debug)]
pub enum Engine {
    /// An encrypted file; its folder exists.
    Sqlite {
        /// The file. Its name is made of hex ids, never of words.
        path: PathBuf,
        /// What opens it.
        key: DbKey,
    },
    /// A database of a server, one per tenant.
    Postgres {
        /// The server and the database's name.
        address: Address,
    },
}

impl Engine {
    /// Reads the whole file and lists what is damaged; nothing is mended. On a server, which checks
    /// its own pages, the list is empty.
    ///
    /// # Errors
    /// [`OpenError`] when not even a question can be asked.
    pub fn damage(&self) -> Result<Vec<String>, OpenError> {
        match self {
            Self::Sqlite { path, key } => sqlite::damage(path, key),
            Self::Postgres { .. } => Ok(Vec::new()),
        }
    }
}

/// The raw key of an encrypted file: 64 hex characters.
#[derive(Clone)]
pub struct DbKey(Zeroizing<String>);

impl DbKey {
    /// The key that these 32 bytes are.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(envora_domain::hash::hex(bytes)))
    }

    /// The key that 64 hex characters write, or `None` when the text is something else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let right = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        right.then(|| Self(Zeroizing::new(text.to_ascii_lowercase())))
    }

    pub(crate) fn hex(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for DbKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("***")
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The writer's, of a database that is being made.
    Create,
    /// The writer's.
    Write,
    /// A reader's: it can change nothing.
    Read,
}

/// Why a database does not open. Nothing is ever recreated, cut or repaired here.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no database at that place.
    #[error("there is no database here")]
    Missing,
    /// There is one already, and a new one was to be made.
    #[error("there is a database here already")]
    AlreadyExists,
    /// The key does not open the file.
    #[error("the key does not open the database")]
    KeyUnavailable,
    /// The bytes are not what was written.
    #[error("the database is damaged: {0}")]
    DataIntegrity(String),
    /// The file is not encrypted.
    #[error("the database is not encrypted")]
    Plaintext,
    /// The database belongs to another tenant.
    #[error("the database belongs to another tenant")]
    OtherTenant,
    /// A newer program has been here.
    #[error("the database has schema {found}, this program knows up to {known}")]
    UnknownSchema {
        /// What the database says.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// The linked library has a bug that corrupts databases.
    #[error("SQLite {0} may corrupt databases; 3.51.3 or later is needed")]
    TooOldSqlite(String),
    /// A setting that durability needs is off.
    #[error("{setting} is {found}, but must be {due}")]
    Unsafe {
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value it must have.
        due: &'static str,
    },
    /// The server does not answer.
    #[error("PostgreSQL at {at} does not answer: {why}")]
    Unreachable {
        /// Server and database.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// The server does not let this role in, or not do that.
    #[error("PostgreSQL at {at} refuses: {why}")]
    Refused {
        /// Server and database.
        at: String,
        /// What it said.
        why: String,
    },
    /// Another process writes to it.
    #[error("another process ({by}) has the database open for writing")]
    Busy {
        /// Which, as far as the engine knows.
        by: String,
    },
    /// Anything else.
    #[error("the database does not open")]
    Unexpected(#[source] anyhow::Error),
}

/// One connection to either engine.
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(postgres::Session),
}

impl Connection {
    pub(crate) fn open(engine: &Engine, purpose: Purpose) -> Result<Self, OpenError> {
        match engine {
            Engine::Sqlite { path, key } => sqlite::open(path, key, purpose).map(Self::Sqlite),
            Engine::Postgres { address } => {
                postgres::Session::open(address, purpose).map(Self::Postgres)
            }
        }
    }

    /// Whether there is a schema of ours at all.
    pub(crate) fn has_schema(&self) -> Result<bool, OpenError> {
        match self {
            Self::Sqlite(connection) => sqlite::has_schema(connection),
            Self::Postgres(session) => session.has_schema(),
        }
    }

    pub(crate) const fn kind(&self) -> EngineKind {
        match self {
            Self::Sqlite(_) => EngineKind::Sqlite,
            Self::Postgres(_) => EngineKind::Postgres,
        }
    }

    pub(crate) fn query(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&mut Row<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, statement, values, each),
            Self::Postgres(session) => session.query(statement, values, each),
        }
    }

    pub(crate) fn execute(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> anyhow::Result<u64> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, statement, values),
            Self::Postgres(session) => session.execute(statement, values),
        }
    }

    /// Prepares a statement, which checks it against the live schema.
    pub(crate) fn prepare(&mut self, statement: &'static Statement) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => {
                drop(connection.prepare_cached(statement.sql)?);
                Ok(())
            }
            Self::Postgres(session) => session.prepared(statement).map(drop),
        }
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&mut self, sql: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(session) => session.batch(sql),
        }
    }

    /// From here on no statement may change the schema, attach a file or touch a key.
    pub(crate) fn guard(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => sqlite::guard(connection),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// The words that open a reader's snapshot.
    pub(crate) const fn begin_read(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN",
            Self::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// The words that open the writer's transaction.
    pub(crate) const fn begin_write(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
        }
    }
}
