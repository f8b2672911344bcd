//! Readers: a few threads, each with a connection that can change nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use tokio::sync::oneshot;

use crate::engine::OpenError;
use crate::fault::Fault;
use crate::transaction::TenantReader;

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The queue is full: try again later.
    #[error("too many reads wait")]
    Overloaded,
    /// The database's bytes are not what was written.
    #[error("the database is damaged")]
    DataIntegrity(#[source] anyhow::Error),
    /// The database is closed.
    #[error("the database is closed")]
    Stopped,
    /// The closure's own error.
    #[error("the read failed")]
    Unexpected(#[source] anyhow::Error),
}

/// A read whose result type the reader need not know. It is given the open snapshot, or the reason why
/// there is none.
pub(crate) type Reading = Box<dyn FnOnce(anyhow::Result<&mut TenantReader>) + Send>;

/// The reader's end of the queue, shared by the reader threads.
pub(crate) type Readings = Arc<Mutex<Receiver<Reading>>>;

/// Puts a read on the queue.
pub(crate) fn push<T: Send + 'static>(
    sender: &SyncSender<Reading>,
    read: impl FnOnce(&mut TenantReader) -> anyhow::Result<T> + Send + 'static,
) -> Result<oneshot::Receiver<Result<T, ReadError>>, ReadError> {
    let (reply, answer) = oneshot::channel();
    let reading: Reading = Box::new(move |snapshot| {
        // A caller that went away does not want to know.
        drop(reply.send(answered(snapshot, read)));
    });
    sender.try_send(reading).map(|()| answer).map_err(|refused| match refused {
        TrySendError::Full(_) => ReadError::Overloaded,
        TrySendError::Disconnected(_) => ReadError::Stopped,
    })
}

fn answered<T>(
    snapshot: anyhow::Result<&mut TenantReader>,
    read: impl FnOnce(&mut TenantReader) -> anyhow::Result<T>,
) -> Result<T, ReadError> {
    let reader = snapshot.map_err(|error| match error.downcast_ref::<OpenError>() {
        Some(OpenError::DataIntegrity(_)) => ReadError::DataIntegrity(error),
        _ => ReadError::Unexpected(error),
    })?;
    let result = catch_unwind(AssertUnwindSafe(|| read(reader)))
        .unwrap_or_else(|_| Err(anyhow!("the read panicked")));
    result.map_err(|error| match reader.fault {
        Some(Fault::Corrupt) => ReadError::DataIntegrity(error),
        Some(Fault::Full | Fault::Broken) | None => ReadError::Unexpected(error),
    })
}

/// Serves reads until every caller is gone. A connection that broke is opened anew.
pub(crate) fn serve(
    mut reader: TenantReader,
    readings: &Readings,
    reopen: &dyn Fn() -> Result<TenantReader, OpenError>,
) {
    loop {
        let next = readings.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(reading) = next else { return };
        let begun = begin(&mut reader, reopen);
        let open = begun.is_ok();
        reading(begun.map(|()| &mut reader));
        // Nothing was changed: rolling back ends the snapshot, whatever happened in it.
        if open && let Err(error) = reader.control("ROLLBACK") {
            tracing::warn!(error = format!("{error:#}"), "a snapshot did not end");
        }
    }
}

/// Opens a snapshot; where the connection has broken since the last one, on a new connection.
fn begin(
    reader: &mut TenantReader,
    reopen: &dyn Fn() -> Result<TenantReader, OpenError>,
) -> anyhow::Result<()> {
    let words = reader.connection.begin_read();
    if reader.fault.is_none() {
        let begun = reader.control(words);
        if reader.fault.is_none() {
            return begun;
        }
    }
    *reader = reopen()?;
    reader.control(words)
}
