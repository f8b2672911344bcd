//! `SQLite` with `SQLCipher`: the one function that opens a connection, and the two that run statements.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use envora_domain::planted::planted;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use zeroize::Zeroizing;

use super::{DbKey, OpenError, Purpose};
use crate::row::Row;
use crate::statement::Statement;
use crate::value::Value;

/// Below this version, a reset of the write-ahead log may corrupt the database.
const LIBRARY_VERSION_MIN: i32 = 3_051_003;
const PLAINTEXT_HEADER: &[u8; 16] = b"SQLite format 3\0";
const STATEMENTS_CACHED: usize = 256;
/// How long a connection waits for another's lock: start and close of readers, nothing else.
const BUSY_MS: u64 = 5_000;

/// Opens a connection: key first, then a read that proves the key, then what durability needs.
pub(crate) fn open(path: &Path, key: &DbKey, purpose: Purpose) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < LIBRARY_VERSION_MIN {
        return Err(OpenError::TooOldSqlite(rusqlite::version().to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = match (purpose, path.exists()) {
        (Purpose::Create, true) => return Err(OpenError::AlreadyExists),
        (Purpose::Create, false) => flags | OpenFlags::SQLITE_OPEN_CREATE,
        (Purpose::Write | Purpose::Read, false) => return Err(OpenError::Missing),
        (Purpose::Write | Purpose::Read, true) => flags,
    };
    refuse_plaintext(path)?;
    if purpose == Purpose::Create {
        owners_alone(path)?;
    }
    awake()?;
    #[expect(clippy::disallowed_methods, reason = "the one place that opens a tenant's database")]
    let connection = Connection::open_with_flags(path, flags).map_err(judged)?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS)).map_err(judged)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    unlock(&connection, key)?;
    settle(&connection, purpose)?;
    if purpose == Purpose::Create {
        // The journal mode wrote the first page: a file that is not encrypted would show itself now.
        refuse_plaintext(path)?;
    }
    Ok(connection)
}

/// Starts the library, once and by one thread. It starts its cipher when it takes itself for started
/// already, so that whoever opens a second file in that moment is told that there is no key.
fn awake() -> Result<(), OpenError> {
    static AWAKE: Mutex<bool> = Mutex::new(false);
    let mut awake = AWAKE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*awake {
        Connection::open_in_memory().map_err(judged)?;
        *awake = true;
    }
    Ok(())
}

/// Makes the file, empty: the engine would let everybody read it, and its log takes the file's mode.
fn owners_alone(path: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| OpenError::Unexpected(error.into()))
}

/// A file opened without its key would silently be written in the clear.
fn refuse_plaintext(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header == *PLAINTEXT_HEADER => Err(OpenError::Plaintext),
        _ => Ok(()),
    }
}

fn unlock(connection: &Connection, key: &DbKey) -> Result<(), OpenError> {
    let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", key.hex()));
    connection.execute_batch("PRAGMA cipher_log_level = NONE").map_err(judged)?;
    connection.execute_batch(&pragma).map_err(judged)?;
    let tables = "SELECT count(*) FROM sqlite_master";
    connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(judged)?;
    Ok(())
}

fn settle(connection: &Connection, purpose: Purpose) -> Result<(), OpenError> {
    let synchronous = if planted("sync_normal") { "NORMAL" } else { "FULL" };
    let only_reads = if purpose == Purpose::Read { "ON" } else { "OFF" };
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA mmap_size = 0;
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = {only_reads}"
        ))
        .map_err(judged)?;
    due(connection, "journal_mode", "wal")?;
    due(connection, "synchronous", if planted("sync_normal") { "1" } else { "2" })?;
    due(connection, "mmap_size", "0")?;
    due(connection, "foreign_keys", "1")?;
    let temporary = "SELECT count(*) FROM pragma_compile_options
        WHERE compile_options IN ('TEMP_STORE=2', 'TEMP_STORE=3')";
    let in_memory: i64 = connection.query_row(temporary, [], |row| row.get(0)).map_err(judged)?;
    if in_memory != 1 {
        let found = "not in memory".to_owned();
        return Err(OpenError::Unsafe { setting: "TEMP_STORE", found, due: "2" });
    }
    Ok(())
}

fn due(connection: &Connection, setting: &'static str, due: &'static str) -> Result<(), OpenError> {
    let mut found = String::new();
    connection
        .pragma_query(None, setting, |row| {
            let value = row.get_ref(0)?;
            found = value.as_i64().map_or_else(
                |_| value.as_str().unwrap_or_default().to_owned(),
                |number| number.to_string(),
            );
            Ok(())
        })
        .map_err(judged)?;
    // With memory mapping compiled out the setting does not exist, which is as good as 0.
    if found == due || (found.is_empty() && setting == "mmap_size") {
        return Ok(());
    }
    Err(OpenError::Unsafe { setting, found, due })
}

/// What a failure to open means.
pub(crate) fn judged(error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::KeyUnavailable,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure) => {
            OpenError::DataIntegrity(error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::Busy { by: "of this machine".to_owned() }
        }
        _ => OpenError::Unexpected(error.into()),
    }
}

/// Whether there is a schema of ours at all.
pub(crate) fn has_schema(connection: &Connection) -> Result<bool, OpenError> {
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'";
    connection
        .query_row(tables, [], |row| row.get::<_, i64>(0))
        .map(|found| found == 1)
        .map_err(judged)
}

/// Reads every page and lists those whose bytes are not what was written.
pub(crate) fn damage(path: &Path, key: &DbKey) -> Result<Vec<String>, OpenError> {
    let connection = open(path, key, Purpose::Read)?;
    let mut found = Vec::new();
    for check in ["cipher_integrity_check", "quick_check"] {
        let row = |row: &rusqlite::Row<'_>| {
            found.extend(Some(row.get::<_, String>(0)?).filter(|line| line != "ok"));
            Ok(())
        };
        if let Err(error) = connection.pragma_query(None, check, row) {
            found.push(format!("{check}: {error}"));
        }
    }
    Ok(found)
}

/// Denies what could copy, unlock or reshape the database from a statement.
pub(crate) fn guard(connection: &mut Connection) -> anyhow::Result<()> {
    connection.authorizer(Some(authorize)).context("set the authorizer")
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    #[expect(clippy::wildcard_enum_match_arm, reason = "rows are read and written, nothing else")]
    match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if function_name != "load_extension" => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

pub(crate) fn query(
    connection: &Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&mut Row<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    let mut rows = prepared.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        each(&mut Row::sqlite(row))?;
    }
    Ok(())
}

pub(crate) fn execute(
    connection: &Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> anyhow::Result<u64> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    Ok(u64::try_from(prepared.execute(params_from_iter(values))?)?)
}
