//! Which failures are the database's own, and what each means for acknowledging.

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// A failure that is not the job's. The larger, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The disk is full: nothing was stored, and room may come back.
    Full,
    /// The file's bytes are not what was written.
    Corrupt,
    /// I/O failed or the server is gone: what is on the disk is unknown.
    Broken,
}

/// The fault behind an error of an engine, or `None` when the statement or the data is to blame.
pub(crate) fn fault_of(error: &anyhow::Error) -> Option<Fault> {
    error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<rusqlite::Error>() {
            return fault_of_sqlite(error);
        }
        cause.downcast_ref::<tokio_postgres::Error>().and_then(fault_of_postgres)
    })
}

pub(crate) fn fault_of_sqlite(error: &rusqlite::Error) -> Option<Fault> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed is the statement's")]
    match error.sqlite_error_code()? {
        ErrorCode::DiskFull => Some(Fault::Full),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Fault::Corrupt),
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::ReadOnly => Some(Fault::Broken),
        _ => None,
    }
}

fn fault_of_postgres(error: &tokio_postgres::Error) -> Option<Fault> {
    let Some(state) = error.code() else {
        return error.is_closed().then_some(Fault::Broken);
    };
    if *state == SqlState::DISK_FULL {
        return Some(Fault::Full);
    }
    if *state == SqlState::DATA_CORRUPTED || *state == SqlState::INDEX_CORRUPTED {
        return Some(Fault::Corrupt);
    }
    // Classes 08 (connection), 57 (operator intervention) and 58 (system error).
    let class = state.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "57" | "58").then_some(Fault::Broken)
}

/// The fault behind a failed `sync`: a full disk may heal, everything else stops acknowledging.
pub(crate) fn fault_of_sync(error: &std::io::Error) -> Fault {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded) { Fault::Full } else { Fault::Broken }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[track_caller]
    fn check(code: i32, fault: Option<Fault>) {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let error = anyhow::Error::from(error).context("write a row").context("a job");
        assert_eq!(fault_of(&error), fault, "{error:#}");
    }

    #[test]
    fn a_full_disk_may_heal_and_a_failed_sync_does_not() {
        check(ffi::SQLITE_FULL, Some(Fault::Full));
        check(ffi::SQLITE_IOERR_FSYNC, Some(Fault::Broken));
        check(ffi::SQLITE_IOERR_WRITE, Some(Fault::Broken));
        check(ffi::SQLITE_CORRUPT, Some(Fault::Corrupt));
        check(ffi::SQLITE_NOTADB, Some(Fault::Corrupt));
        check(ffi::SQLITE_CONSTRAINT_UNIQUE, None);
        check(ffi::SQLITE_ERROR, None);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(fault_of_sync(&full), Fault::Full);
        assert_eq!(fault_of_sync(&std::io::Error::other("EIO")), Fault::Broken);
    }

    #[test]
    fn the_worse_fault_wins() {
        assert!(Some(Fault::Broken) > Some(Fault::Corrupt) && Some(Fault::Full) > None);
    }
}
