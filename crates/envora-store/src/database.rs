//! A tenant's database, open: one writer thread, a few readers, and the queues in front of them.

use std::num::NonZeroUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use anyhow::anyhow;
use envora_domain::id::TenantId;
use envora_domain::ports::{Clock, Frame};

use crate::engine::{Connection, Engine, OpenError, Purpose};
use crate::idempotency::Remembered;
use crate::migrations;
use crate::observer::{EngineKind, Observer};
use crate::pulse::Beat;
use crate::readers::{self, ReadError, Reading};
use crate::transaction::{TenantReader, TenantTx};
use crate::writer::{Landed, Queue, Queued, Shared, Sync, WriteError, Writer, WriterState};

/// How a tenant's database is opened.
pub struct Options {
    /// Whose it is: grants of others are refused, and so is another tenant's file.
    pub tenant: TenantId,
    /// Where it is.
    pub engine: Engine,
    /// The lake's append and sync, called once per group before BEGIN.
    pub sync: Sync,
    /// Told of every statement; tests only.
    pub observer: Option<Arc<dyn Observer>>,
    /// Measures how long commits take; without one they all take no time.
    pub clock: Option<Arc<dyn Clock>>,
    /// Reader threads, 1 to 4.
    pub readers: NonZeroUsize,
    /// Jobs that may wait for the writer.
    pub queue_jobs_max: NonZeroUsize,
    /// Sealed bytes that may wait for the writer.
    pub queue_bytes_max: usize,
}

const READERS_MAX: usize = 4;
const READS_WAITING_MAX: usize = 1_024;

impl Options {
    /// The defaults: two readers, 1,024 jobs or 64 MiB waiting, no observer.
    #[must_use]
    pub fn new(tenant: TenantId, engine: Engine, sync: Sync) -> Self {
        Self {
            tenant,
            engine,
            sync,
            observer: None,
            clock: None,
            readers: NonZeroUsize::MIN.saturating_add(1),
            queue_jobs_max: NonZeroUsize::MIN.saturating_add(1_023),
            queue_bytes_max: 64 << 20,
        }
    }
}

/// An open database. Clones share it; when the last one goes, the queues are worked off and the
/// threads end.
#[derive(Clone)]
pub struct TenantDb {
    inner: Arc<Inner>,
}

struct Inner {
    ends: Mutex<Option<Ends>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    shared: Arc<Shared>,
    tenant: TenantId,
    kind: EngineKind,
    epoch: u64,
}

/// The callers' ends of the queues; dropping them ends the threads.
#[derive(Clone)]
struct Ends {
    writes: Queue,
    reads: SyncSender<Reading>,
}

/// What each thread needs to open its connection.
#[derive(Clone)]
struct Blueprint {
    tenant: TenantId,
    engine: Engine,
    remembered: Arc<Remembered>,
    observer: Option<Arc<dyn Observer>>,
}

impl Blueprint {
    fn connect(&self, purpose: Purpose) -> Result<TenantReader, OpenError> {
        let connection = Connection::open(&self.engine, purpose)?;
        let remembered = Arc::clone(&self.remembered);
        Ok(TenantReader::new(connection, self.tenant, remembered, self.observer.clone()))
    }

    fn reader(&self) -> Result<TenantReader, OpenError> {
        let mut reader = self.connect(Purpose::Read)?;
        reader.connection.guard().map_err(OpenError::Unexpected)?;
        Ok(reader)
    }

    fn writer(&self, purpose: Purpose) -> Result<(TenantTx, u64), OpenError> {
        let mut tx = TenantTx::new(self.connect(purpose)?);
        if purpose == Purpose::Create {
            migrations::create(&mut tx, self.tenant)?;
        }
        migrations::check_and_migrate(&mut tx, self.tenant)?;
        tx.connection.guard().map_err(OpenError::Unexpected)?;
        migrations::check_statements(&mut tx)?;
        let epoch = migrations::epoch(&mut tx).map_err(migrations::judged)?;
        crate::idempotency::load(&mut tx).map_err(migrations::judged)?;
        Ok((tx, epoch))
    }
}

impl TenantDb {
    /// Makes a new database and opens it. One that is there already is left alone.
    ///
    /// Blocks for some milliseconds; in asynchronous code, call it from a blocking task.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn create(options: Options) -> Result<Self, OpenError> {
        Self::start(options, Purpose::Create)
    }

    /// Opens a database that is there.
    ///
    /// Blocks for some milliseconds; in asynchronous code, call it from a blocking task.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::start(options, Purpose::Write)
    }

    fn start(options: Options, purpose: Purpose) -> Result<Self, OpenError> {
        let Options { tenant, engine, sync, observer, clock, .. } = options;
        let Options { readers, queue_jobs_max, queue_bytes_max, .. } = options;
        let blueprint = Blueprint { tenant, engine, remembered: Arc::default(), observer };
        let shared = Arc::new(Shared::default());
        let (write_sender, write_receiver) = sync_channel::<Queued>(queue_jobs_max.get());
        let mut threads = Vec::new();

        let (plan, state) = (blueprint.clone(), Arc::clone(&shared));
        let (epoch, thread) = started("writer", move |ready| match plan.writer(purpose) {
            Ok((tx, epoch)) => {
                ready(Ok(epoch));
                Writer { tx, sync, shared: state, clock }.run(&write_receiver);
            }
            Err(error) => ready(Err(error)),
        })?;
        threads.push(thread);

        let (reads, read_receiver) = sync_channel::<Reading>(READS_WAITING_MAX);
        let readings = Arc::new(Mutex::new(read_receiver));
        for _ in 0..readers.get().min(READERS_MAX) {
            let (plan, readings) = (blueprint.clone(), Arc::clone(&readings));
            let ((), thread) = started("reader", move |ready| match plan.reader() {
                Ok(reader) => {
                    ready(Ok(()));
                    readers::serve(reader, &readings, &|| plan.reader());
                }
                Err(error) => ready(Err(error)),
            })?;
            threads.push(thread);
        }

        let writes = Queue::new(write_sender, Arc::clone(&shared), queue_bytes_max);
        let kind = match blueprint.engine {
            Engine::Sqlite { .. } => EngineKind::Sqlite,
            Engine::Postgres { .. } => EngineKind::Postgres,
        };
        let inner = Inner {
            ends: Mutex::new(Some(Ends { writes, reads })),
            threads: Mutex::new(threads),
            shared,
            tenant,
            kind,
            epoch,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The tenant whose database this is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.inner.tenant
    }

    /// Which engine this is.
    #[must_use]
    pub fn engine(&self) -> EngineKind {
        self.inner.kind
    }

    /// The database's epoch: it rises with each restore and stands in leaves and manifest rows.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.inner.epoch
    }

    /// What the writer does with work. `Stopped`: the process has to end and recover from the disk.
    #[must_use]
    pub fn state(&self) -> WriterState {
        self.inner.shared.state()
    }

    /// What waits for the writer, and what it has done.
    #[must_use]
    pub fn beat(&self) -> Beat {
        self.inner.shared.beat()
    }

    /// The disk has room again: a read-only writer takes work; one that stopped stays stopped.
    pub fn resume(&self) {
        self.inner.shared.resume();
    }

    /// The disk has no room for what is written beside the database: no work is taken until there is.
    pub fn read_only(&self) {
        self.inner.shared.become_(WriterState::ReadOnly);
    }

    /// A sync beside the database failed: nothing more is acknowledged, the process has to end.
    pub fn stop(&self) {
        self.inner.shared.become_(WriterState::Stopped);
    }

    /// Works off the queues and ends the threads; later calls are refused.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Runs a unit of work in a savepoint of the writer's next group; answers after its commit.
    ///
    /// # Errors
    /// [`WriteError`]; the job's own error is in `Unexpected`, and then it changed nothing.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut TenantTx) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WriteError> {
        self.write_frames(Vec::new(), move |tx, _| job(tx)).await
    }

    /// Like [`TenantDb::write`], after making these frames durable; the job gets them back with their places.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn write_frames<T: Send + 'static>(
        &self,
        frames: Vec<Frame>,
        job: impl FnOnce(&mut TenantTx, &[Landed]) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WriteError> {
        let answer = self.inner.ends().ok_or(WriteError::Stopped)?.writes.push(frames, job)?;
        answer.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// [`TenantDb::write_frames`] for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_frames_blocking<T: Send + 'static>(
        &self,
        frames: Vec<Frame>,
        job: impl FnOnce(&mut TenantTx, &[Landed]) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WriteError> {
        let answer = self.inner.ends().ok_or(WriteError::Stopped)?.writes.push(frames, job)?;
        answer.blocking_recv().unwrap_or(Err(WriteError::Stopped))
    }

    /// [`TenantDb::write`] for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut TenantTx) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WriteError> {
        self.write_frames_blocking(Vec::new(), move |tx, _| job(tx))
    }

    /// Runs a read over one snapshot.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut TenantReader) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let answer = readers::push(&self.inner.ends().ok_or(ReadError::Stopped)?.reads, read)?;
        answer.await.unwrap_or(Err(ReadError::Stopped))
    }

    /// [`TenantDb::read`] for a thread that may block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut TenantReader) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let answer = readers::push(&self.inner.ends().ok_or(ReadError::Stopped)?.reads, read)?;
        answer.blocking_recv().unwrap_or(Err(ReadError::Stopped))
    }
}

impl Inner {
    fn ends(&self) -> Option<Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn close(&self) {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (writes, reads) = ends.map(|ends| (ends.writes, ends.reads)).unzip();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let here = std::thread::current().id();
        let threads = threads.into_iter().filter(|thread| thread.thread().id() != here);
        let is_writer = |thread: &JoinHandle<()>| thread.thread().name() == Some("store-writer");
        let (writer, readers): (Vec<_>, Vec<_>) = threads.partition(is_writer);
        let join = |thread: JoinHandle<()>| {
            if thread.join().is_err() {
                tracing::error!("a database thread panicked");
            }
        };
        // The last connection to close writes the log back into the file, and only the writer may:
        // whoever copies the folder then finds everything in one file.
        drop(reads);
        readers.into_iter().for_each(join);
        drop(writes);
        writer.into_iter().for_each(join);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Starts a thread and waits for its first word. A connection lives on the thread that opened it.
fn started<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce(&dyn Fn(Result<T, OpenError>)) + Send + 'static,
) -> Result<(T, JoinHandle<()>), OpenError> {
    let (sender, receiver) = sync_channel(1);
    let thread = Builder::new()
        .name(format!("store-{name}"))
        .spawn(move || {
            body(&|word| {
                // Whoever started the thread waits for this word.
                drop(sender.send(word));
            });
        })
        .map_err(|error| OpenError::Unexpected(error.into()))?;
    match receiver.recv() {
        Ok(Ok(value)) => Ok((value, thread)),
        Ok(Err(error)) => {
            drop(thread.join());
            Err(error)
        }
        Err(_) => Err(OpenError::Unexpected(anyhow!("the {name} thread ended before it began"))),
    }
}
