//! The writer: one thread per tenant that commits what waits, as one group.
//!
//! A group is what waits, at most [`GROUP_JOBS_MAX`] jobs or [`GROUP_BYTES_MAX`]; there is no timer.
//! Order: `sync` of all frames, BEGIN, one savepoint per job, COMMIT, then the answers. A failed
//! sync or commit is never tried again: the group is refused and the writer stops for good.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use anyhow::anyhow;
use envora_domain::planted::planted;
use envora_domain::ports::{Clock, Frame, Place};
use tokio::sync::oneshot;

use crate::fault::{Fault, fault_of_sync};
use crate::pulse::{Beat, Pulse};
use crate::transaction::TenantTx;

/// The most jobs of one group.
pub const GROUP_JOBS_MAX: usize = 256;
/// The most sealed bytes of one group, unless one job alone has more.
pub const GROUP_BYTES_MAX: usize = 4 << 20;

/// Writes frames to the lake and makes them durable; says where each landed, in order.
///
/// Called once per group, before BEGIN. `StorageFull` means that nothing is to be trusted but that
/// room may come back; a failed sync must be reported as another kind, since it ends acknowledging.
pub type Sync = Box<dyn FnMut(&[Frame]) -> io::Result<Vec<Place>> + Send>;

/// A frame that is durable, and where it landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The sealed segment.
    pub frame: Frame,
    /// Where the lake put it; inline bytes are the manifest's to store.
    pub place: Place,
}

/// Why a write was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The queue is full: try again later.
    #[error("too many writes wait")]
    Overloaded,
    /// The disk is full: reads go on.
    #[error("the disk is full: the tenant is read-only")]
    ReadOnly,
    /// The database's bytes are not what was written: this tenant takes no writes any more. Others
    /// are not touched, and nothing is mended.
    #[error("the database is damaged")]
    DataIntegrity,
    /// A sync, a commit or the connection failed: the outcome is unknown and nothing is
    /// acknowledged any more. The process has to end and recover from the disk.
    #[error("writing has stopped after a failed sync or commit")]
    Stopped,
    /// The job's own error; it changed nothing.
    #[error("the write failed")]
    Unexpected(#[source] anyhow::Error),
}

/// What the writer does with work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterState {
    /// It commits.
    Open,
    /// The disk was full.
    ReadOnly,
    /// The database is damaged; the process may go on for other tenants.
    Damaged,
    /// It stopped for good.
    Stopped,
}

/// What the writer and its callers share.
#[derive(Default)]
pub(crate) struct Shared {
    state: AtomicU8,
    queued_bytes: AtomicUsize,
    pub(crate) pulse: Pulse,
}

impl Shared {
    pub(crate) fn state(&self) -> WriterState {
        match self.state.load(Ordering::Acquire) {
            0 => WriterState::Open,
            1 => WriterState::ReadOnly,
            2 => WriterState::Damaged,
            _ => WriterState::Stopped,
        }
    }

    /// What waits and what was done.
    pub(crate) fn beat(&self) -> Beat {
        self.pulse.beat(self.queued_bytes.load(Ordering::Acquire))
    }

    /// A stopped writer stays stopped.
    pub(crate) fn become_(&self, state: WriterState) {
        let code = match state {
            WriterState::Open => 0,
            WriterState::ReadOnly => 1,
            WriterState::Damaged => 2,
            WriterState::Stopped => 3,
        };
        self.state.fetch_max(code, Ordering::AcqRel);
    }

    pub(crate) fn resume(&self) {
        // Only from read-only: a stopped writer keeps its state, and so does an open one.
        if self.state.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            tracing::info!("the disk has room again: writes are taken");
        }
    }
}

/// Why a whole group was refused.
#[derive(Clone, Copy)]
enum Nack {
    Full,
    Damaged,
    Stopped,
}

impl From<Nack> for WriteError {
    fn from(nack: Nack) -> Self {
        match nack {
            Nack::Full => Self::ReadOnly,
            Nack::Damaged => Self::DataIntegrity,
            Nack::Stopped => Self::Stopped,
        }
    }
}

impl From<Fault> for Nack {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full => Self::Full,
            Fault::Corrupt => Self::Damaged,
            Fault::Broken => Self::Stopped,
        }
    }
}

/// A job whose result type the writer need not know.
trait Work: Send {
    /// Runs in the job's savepoint; true when the savepoint is to be kept.
    fn run(&mut self, tx: &mut TenantTx, landed: &[Landed]) -> bool;
    /// Tells the caller, after the commit or the refusal.
    fn answer(self: Box<Self>, outcome: Result<(), Nack>);
}

struct Job<T, F> {
    run: Option<F>,
    result: Option<anyhow::Result<T>>,
    reply: oneshot::Sender<Result<T, WriteError>>,
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnOnce(&mut TenantTx, &[Landed]) -> anyhow::Result<T> + Send,
{
    fn run(&mut self, tx: &mut TenantTx, landed: &[Landed]) -> bool {
        let Some(run) = self.run.take() else { return false };
        // One job that panics must not take the others of its group along.
        let result = catch_unwind(AssertUnwindSafe(|| run(tx, landed)))
            .unwrap_or_else(|_| Err(anyhow!("the job panicked")));
        let kept = result.is_ok();
        self.result = Some(result);
        kept
    }

    fn answer(self: Box<Self>, outcome: Result<(), Nack>) {
        let told = match (outcome, self.result) {
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), Some(Err(error))) => Err(WriteError::Unexpected(error)),
            (Ok(()), None) => Err(WriteError::Unexpected(anyhow!("the job did not run"))),
            (Err(nack), _) => Err(nack.into()),
        };
        // A caller that went away does not want to know.
        drop(self.reply.send(told));
    }
}

/// A job with its frames, on the queue.
pub(crate) struct Queued {
    frames: Vec<Frame>,
    bytes: usize,
    work: Box<dyn Work>,
}

/// The callers' end of the queue.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: SyncSender<Queued>,
    shared: Arc<Shared>,
    bytes_max: usize,
}

impl Queue {
    pub(crate) const fn new(
        sender: SyncSender<Queued>,
        shared: Arc<Shared>,
        bytes_max: usize,
    ) -> Self {
        Self { sender, shared, bytes_max }
    }

    /// Puts a job on the queue, or refuses at once.
    pub(crate) fn push<T: Send + 'static>(
        &self,
        frames: Vec<Frame>,
        run: impl FnOnce(&mut TenantTx, &[Landed]) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, WriteError>>, WriteError> {
        match self.shared.state() {
            WriterState::Open => {}
            WriterState::ReadOnly => return Err(WriteError::ReadOnly),
            WriterState::Damaged => return Err(WriteError::DataIntegrity),
            WriterState::Stopped => return Err(WriteError::Stopped),
        }
        let bytes = frames.iter().map(|frame| frame.sealed.len()).sum();
        let before = self.shared.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        if before > 0 && before.saturating_add(bytes) > self.bytes_max {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(WriteError::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Job { run: Some(run), result: None, reply });
        self.shared.pulse.queued();
        self.sender.try_send(Queued { frames, bytes, work }).map(|()| answer).map_err(|refused| {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            self.shared.pulse.taken(1);
            match refused {
                TrySendError::Full(_) => WriteError::Overloaded,
                TrySendError::Disconnected(_) => WriteError::Stopped,
            }
        })
    }
}

/// The writer's end: its transaction, the lake's `sync`, and the queue.
pub(crate) struct Writer {
    pub(crate) tx: TenantTx,
    pub(crate) sync: Sync,
    pub(crate) shared: Arc<Shared>,
    /// Measures how long commits take.
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

impl Writer {
    /// Commits groups until every caller is gone.
    pub(crate) fn run(mut self, queue: &Receiver<Queued>) {
        let mut carried = None;
        while let Some(first) = carried.take().or_else(|| queue.recv().ok()) {
            let (group, next) = gather(first, queue);
            carried = next;
            let bytes: usize = group.iter().map(|job| job.bytes).sum();
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            self.shared.pulse.taken(group.len());
            self.commit(group);
        }
    }

    fn commit(&mut self, mut group: Vec<Queued>) {
        let started = self.clock.as_ref().map_or(0, |clock| clock.monotonic_us());
        let outcome = match self.shared.state() {
            WriterState::Open => self.attempt(&mut group),
            WriterState::ReadOnly => Err(Nack::Full),
            WriterState::Damaged => Err(Nack::Damaged),
            WriterState::Stopped => Err(Nack::Stopped),
        };
        let now = self.clock.as_ref().map_or(0, |clock| clock.monotonic_us());
        match outcome {
            Ok(()) => self.shared.pulse.committed(now.saturating_sub(started)),
            Err(nack) => {
                self.shared.pulse.refused();
                self.refuse(nack);
            }
        }
        for job in group {
            job.work.answer(outcome);
        }
    }

    fn attempt(&mut self, group: &mut Vec<Queued>) -> Result<(), Nack> {
        let mut frames = Vec::new();
        let mut spans = Vec::with_capacity(group.len());
        for job in group.iter_mut() {
            let start = frames.len();
            frames.append(&mut job.frames);
            spans.push(start..frames.len());
        }
        let landed = self.synced(frames)?;
        self.step(self.tx.connection.begin_write())?;
        for (job, span) in group.iter_mut().zip(spans) {
            self.step("SAVEPOINT job")?;
            let kept = job.work.run(&mut self.tx, landed.get(span).unwrap_or_default());
            if let Some(fault) = self.tx.fault {
                return Err(fault.into());
            }
            self.step(if kept {
                "RELEASE SAVEPOINT job"
            } else {
                "ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job"
            })?;
        }
        if planted("ack_before_commit") {
            for job in group.drain(..) {
                job.work.answer(Ok(()));
            }
            // As a slow disk would have it: the answer is out well before the commit is down.
            std::thread::sleep(core::time::Duration::from_millis(5));
        }
        self.step("COMMIT")
    }

    fn synced(&mut self, frames: Vec<Frame>) -> Result<Vec<Landed>, Nack> {
        if frames.is_empty() {
            return Ok(Vec::new());
        }
        match (self.sync)(&frames) {
            Ok(places) if places.len() == frames.len() => Ok(frames
                .into_iter()
                .zip(places)
                .map(|(frame, place)| Landed { frame, place })
                .collect()),
            Ok(places) => {
                tracing::error!(due = frames.len(), found = places.len(), "the lake lost frames");
                Err(Nack::Stopped)
            }
            Err(error) => {
                tracing::error!(%error, "the lake did not take a group");
                Err(fault_of_sync(&error).into())
            }
        }
    }

    /// A word of the writer's own that fails is the database's failure, whatever the reason.
    fn step(&mut self, words: &'static str) -> Result<(), Nack> {
        self.tx.control(words).map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "a group did not commit");
            self.tx.fault.unwrap_or(Fault::Broken).into()
        })
    }

    /// Undoes the open transaction, if any, and takes no more work as long as the reason lasts.
    fn refuse(&mut self, nack: Nack) {
        let state = match nack {
            Nack::Full => WriterState::ReadOnly,
            Nack::Damaged => WriterState::Damaged,
            Nack::Stopped => WriterState::Stopped,
        };
        if let Err(error) = self.tx.control("ROLLBACK") {
            // Without an open transaction there is nothing to undo.
            tracing::debug!(error = format!("{error:#}"), "rolled back nothing");
        }
        self.tx.fault = None;
        self.shared.become_(state);
    }
}

/// All that waits, up to the limits; a job that would cross them is carried to the next group.
fn gather(first: Queued, queue: &Receiver<Queued>) -> (Vec<Queued>, Option<Queued>) {
    let mut bytes = first.bytes;
    let mut group = vec![first];
    while group.len() < GROUP_JOBS_MAX {
        let Ok(next) = queue.try_recv() else { break };
        if bytes.saturating_add(next.bytes) > GROUP_BYTES_MAX {
            return (group, Some(next));
        }
        bytes += next.bytes;
        group.push(next);
    }
    (group, None)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    struct Nothing;

    impl Work for Nothing {
        fn run(&mut self, _: &mut TenantTx, _: &[Landed]) -> bool {
            true
        }

        fn answer(self: Box<Self>, _: Result<(), Nack>) {}
    }

    /// The sizes of the groups in which jobs of these sizes, all waiting, are committed.
    fn groups(jobs: &[usize]) -> Vec<Vec<usize>> {
        let (sender, receiver) = sync_channel(jobs.len());
        for bytes in jobs {
            let job = Queued { frames: Vec::new(), bytes: *bytes, work: Box::new(Nothing) };
            assert!(sender.try_send(job).is_ok());
        }
        let (mut groups, mut carried) = (Vec::new(), None);
        while let Some(first) = carried.take().or_else(|| receiver.try_recv().ok()) {
            let (group, next) = gather(first, &receiver);
            carried = next;
            groups.push(group.iter().map(|job| job.bytes).collect());
        }
        groups
    }

    #[test]
    fn a_group_is_what_waits_up_to_its_limits() {
        assert_eq!(groups(&[1, 2, 3]), [vec![1, 2, 3]]);
        let many = groups(&[0; GROUP_JOBS_MAX + 1]);
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [GROUP_JOBS_MAX, 1]);
        let half = GROUP_BYTES_MAX / 2;
        assert_eq!(groups(&[half, half, 1, half]), [vec![half, half], vec![1, half]]);
        let huge = GROUP_BYTES_MAX * 2;
        assert_eq!(groups(&[1, huge, 1]), [vec![1], vec![huge], vec![1]], "alone, but not refused");
    }

    #[test]
    fn a_stopped_writer_stays_stopped() {
        let shared = Shared::default();
        shared.become_(WriterState::ReadOnly);
        shared.resume();
        assert_eq!(shared.state(), WriterState::Open);
        shared.become_(WriterState::Stopped);
        shared.become_(WriterState::ReadOnly);
        shared.resume();
        assert_eq!(shared.state(), WriterState::Stopped);
    }
}
