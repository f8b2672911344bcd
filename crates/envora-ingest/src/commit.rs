//! Commit: parsed rows become sealed segments, durable before the answer.
//!
//! A batch of any length is worked off a cut at a time (at most [`SEGMENT_ROWS`] rows): each cut is
//! judged, sealed and made durable, and forgotten; one transaction then writes the manifest of all of
//! them, so that a batch is stored whole or not at all. The words of a batch and of its answer are
//! here; how one becomes the other is in the modules below. Nothing in here knows HTTP: a caller brings rows and, when it has one, the key that makes a
//! retry one effect.

pub mod answers;
mod claims;
mod cuts;
mod fates;
pub mod intake;
mod judgement;
mod life;
mod likeness;
mod listing;
mod notes;
mod seal;
mod staging;
mod storing;
mod targets;
mod verdicts;

use std::sync::Arc;

use envora_api::writes::SkippedRows;
use envora_domain::activities::problems::{Flags, Outcome, RowProblem};
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::time::Timestamp;
use envora_lake::sources::PackedSource;
use envora_store::imports::{Counts, Mode};
use envora_store::likenesses::Alike;
use envora_store::parts::Part;
use envora_store::writer::WriteError;

pub use self::storing::keep_part;
use crate::formats::left::LeftOut;
use crate::parted::Progress;
use crate::rows::{ParsedRow, Rows};

/// The most rows of one segment.
pub const SEGMENT_ROWS: usize = 10_000;
/// How many results an answer lists: all rows, or of more those rejected, then others not accepted.
pub const RESULTS_MAX: usize = 1_000;
/// How many problems of its rows an import keeps; the counts know of all.
pub const PROBLEMS_KEPT_MAX: u64 = 250_000;

/// What to do about rows that look like stored ones.
pub const ALIKE_REMEDY: &str = "if they are the same, void those that came later, by rows with `supersedes` and `void`; if they are not, leave them";

/// Rows to be stored together.
pub struct Batch {
    /// The rows, in the order of the file or body.
    pub rows: Rows,
    /// What a row that cannot be stored does to the others.
    pub mode: Mode,
    /// Records that gave no row; where the rows are read on the way, [`Rows::left_out`] tells of more.
    pub left: LeftOut,
    /// What makes a retry one effect.
    pub idempotency: Option<Idempotency>,
    /// The file that they came in, if it is to be kept.
    pub import: Option<ImportDraft>,
}

impl Batch {
    /// Rows of a request body, without a key.
    #[must_use]
    pub fn new(rows: Vec<ParsedRow>, mode: Mode) -> Self {
        Self { rows: rows.into(), mode, left: LeftOut::default(), idempotency: None, import: None }
    }
}

/// The bytes of a file that rows came in.
pub enum Source {
    /// All of them, packed: they are kept by the commit.
    Whole(PackedSource),
    /// In parts that are kept already.
    Parts {
        /// SHA-256 of all of them.
        digest: Digest,
        /// How many bytes there are.
        length: u64,
        /// The parts that were read, by number.
        parts: Vec<Part>,
        /// How far reading them is.
        progress: Arc<Progress>,
    },
}

impl From<PackedSource> for Source {
    fn from(source: PackedSource) -> Self {
        Self::Whole(source)
    }
}

impl Source {
    const fn digest(&self) -> Digest {
        match self {
            Self::Whole(source) => source.digest,
            Self::Parts { digest, .. } => *digest,
        }
    }

    const fn length(&self) -> u64 {
        match self {
            Self::Whole(source) => source.length,
            Self::Parts { length, .. } => *length,
        }
    }

    const fn progress(&self) -> Option<&Arc<Progress>> {
        match self {
            Self::Whole(_) => None,
            Self::Parts { progress, .. } => Some(progress),
        }
    }
}

/// A file that rows came in: it is kept, sealed, under its SHA-256.
pub struct ImportDraft {
    /// Its id, which the rows' origins name.
    pub id: ImportId,
    /// The bytes as received.
    pub source: Source,
    /// The name it was sent with.
    pub file_name: String,
    /// The media type it was sent with.
    pub media_type: String,
    /// The mapping's name, or empty.
    pub mapping: String,
    /// The mapping's version.
    pub mapping_digest: Option<Digest>,
    /// Until when it is kept.
    pub source_until: Timestamp,
}

/// An answer kept so that a retry gets the very same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub media_type: String,
    /// The body, as sent.
    pub body: Vec<u8>,
}

/// Renders an answer inside the transaction of its effect.
pub type Render = Box<dyn FnOnce(&Accepted) -> StoredAnswer + Send>;

/// The key and the fingerprint of a request that is to have one effect, however often it is sent.
pub struct Idempotency {
    /// The hash of credential owner and key.
    pub key: Digest,
    /// What else must be equal: method, path, query, media type, body.
    pub fingerprint: Digest,
    /// Renders the answer, so that it is stored with the effect.
    pub render: Render,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// The record, from 1.
    pub row: u64,
    /// The physical line, from 1.
    pub line: u64,
    /// The row's id, sent or derived.
    pub external_id: Option<String>,
    /// Its outcome, final.
    pub outcome: Outcome,
    /// The activity: the new one, or the one that was there.
    pub id: Option<ActivityId>,
    /// Why it is not accepted.
    pub problems: Vec<RowProblem>,
    /// What was noticed without refusing it.
    pub flags: Flags,
    /// The stored activity, of another id, that says the same.
    pub like: Option<ActivityId>,
    /// What it names that is archived, in words.
    pub archived: Option<String>,
    /// Whose days it lies outside of, in words.
    pub outside: Option<String>,
    /// Of a duplicate, whether what is stored was voided, so that it counts nowhere.
    pub voided: Option<Voided>,
}

/// A row that is stored and voided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voided {
    /// The stored activity.
    pub id: ActivityId,
    /// The import that it came with, if it came with one.
    pub import: Option<ImportId>,
}

/// What was stored, and what was not.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// As asked for.
    pub mode: Mode,
    /// Rows by outcome.
    pub counts: Counts,
    /// The segments that hold the rows, in order.
    pub segments: Vec<SegmentId>,
    /// Every row up to [`RESULTS_MAX`] of them; of more, the first that were rejected, and with room
    /// left the first of the others that were not accepted.
    pub results: Vec<RowResult>,
    /// Records that gave no row, like ones together.
    pub skipped: Vec<SkippedRows>,
    /// The rows that look like rows that were stored before.
    pub alike: Option<Alike>,
    /// How many stored rows name what is archived, and the first such words.
    pub archived: Option<(u64, String)>,
    /// How many stored rows lie outside of their facility's days, and the first such facility, in words.
    pub outside: Option<(u64, String)>,
    /// How many stored rows are of the source and interval of a row before them in the file, and the line of
    /// the first.
    pub repeated: Option<(u64, u64)>,
    /// Where the last row of a table is the sum of those before it, its line and how many they are.
    pub sums_up: Option<(u64, u64)>,
    /// How many rows are stored before and voided, and the first of them.
    pub voided: Option<(u64, Voided)>,
    /// The import that they came with.
    pub import: Option<ImportId>,
    /// The sequence number to wait for: of the last segment, or of the log's last entry when no row
    /// was stored.
    pub watermark: u64,
    /// When it was committed.
    pub committed_at: Timestamp,
}

/// What submitting a batch led to.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// A new effect, and the answer that was stored with it, if a key asked for one.
    Stored(Box<Accepted>, Option<StoredAnswer>),
    /// The effect of an earlier request with this key; its answer, to the byte.
    Replayed(StoredAnswer),
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// `atomic`, and rows of it cannot be stored: they are listed, nothing was stored.
    #[error("{} of the rows cannot be stored, so none was", .0.counts.rejected)]
    Refused(Box<Accepted>),
    /// The key was used with other content before.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// A request with this key is still running.
    #[error("a request with this idempotency key is still running")]
    InFlight,
    /// More waits than may wait.
    #[error("more requests wait than may wait; try again shortly")]
    Overloaded,
    /// The tenant takes no writes: its disk is full or its keys are away.
    #[error("this tenant takes no writes at present")]
    ReadOnly,
    /// The database is damaged: this tenant takes no writes, others are not touched.
    #[error("the tenant's database is damaged")]
    DataIntegrity,
    /// A sync failed: this process must end and recover from disk.
    #[error("the storage failed; the process stops and recovers from disk")]
    Stopped,
    /// The process is about to end: the batch was given up between two cuts, and none of it is stored.
    #[error("the process ends before the rows were stored; none of them is")]
    Ending,
    /// Anything else.
    #[error("the rows could not be stored")]
    Unexpected(#[from] anyhow::Error),
}

impl From<WriteError> for SubmitError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Overloaded => Self::Overloaded,
            WriteError::ReadOnly => Self::ReadOnly,
            WriteError::DataIntegrity => Self::DataIntegrity,
            WriteError::Stopped => Self::Stopped,
            WriteError::Unexpected(error) => Self::Unexpected(error),
        }
    }
}
