//! Standing: whether the calculation goes on, how far it is behind, and what stands in its way.
//!
//! A step that fails is tried again for ever; this is where everybody who has to know of it looks.

use std::sync::{Mutex, PoisonError};

use envora_domain::access::{Grant, actions::ReadAudit};
use envora_domain::time::{Span, Timestamp};
use envora_store::audit::{audit_entries_from, audit_head};
use envora_store::readers::ReadError;
use envora_store::runs::run_current;
use envora_store::transaction::TenantReader;
use envora_store::writer::WriteError;

use crate::tenant::{Damaged, OwnGrants, PackMissing, TenantParts};

/// How long the log is silent after the first line about a failure; twice as long after each other.
const FIRST_PAUSE: Span = Span::from_secs(5);
/// How long at most.
const LAST_PAUSE: Span = Span::from_secs(600);

/// Why steps fail, as one word that does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallCode {
    /// Factors that are active are not in this program.
    PackMissing,
    /// Stored bytes are not what was stored.
    DataIntegrity,
    /// The disk is full.
    ReadOnly,
    /// Anything else: the log has the cause.
    InternalError,
}

impl StallCode {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PackMissing => "pack_missing",
            Self::DataIntegrity => "data_integrity",
            Self::ReadOnly => "read_only",
            Self::InternalError => "internal_error",
        }
    }
}

/// Why the calculation does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Since when no step has succeeded.
    pub since: Timestamp,
    /// Why, in a word.
    pub code: StallCode,
    /// Why and what to do, in a sentence that anyone who may read figures may read.
    pub reason: String,
    /// How many steps have failed since.
    pub failures: u64,
}

/// A failure, and when the log is next told of it.
struct Failing {
    stall: Stall,
    pause: Span,
    due_us: u64,
}

/// Whether a tenant's calculation goes on.
#[derive(Default)]
pub struct Standing {
    failing: Mutex<Option<Failing>>,
}

/// What is to be said of a step in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing: it was said a moment ago, or all is well as before.
    None,
    /// That it fails.
    Fails(Stall),
    /// That it goes on again, and what it was.
    GoesOn(Stall),
}

impl Standing {
    /// What stands in the way; nothing when the last step succeeded.
    #[must_use]
    pub fn stall(&self) -> Option<Stall> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.as_ref().map(|failing| failing.stall.clone())
    }

    /// A step succeeded.
    pub fn goes_on(&self) -> Line {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner).take();
        failing.map_or(Line::None, |failing| Line::GoesOn(failing.stall))
    }

    /// A step failed: `None` stands for a panic. The log is told at once, when the reason becomes
    /// another, and then after a pause that doubles.
    pub fn fails(&self, error: Option<&anyhow::Error>, now: Timestamp, monotonic_us: u64) -> Line {
        let (code, reason) = reason(error);
        let mut slot = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slot.take();
        let is_due = known
            .as_ref()
            .is_none_or(|known| known.stall.code != code || monotonic_us >= known.due_us);
        let (since, failures, pause, due_us) = match known {
            None => (now, 0, FIRST_PAUSE, 0),
            Some(known) if known.stall.code != code => {
                (known.stall.since, known.stall.failures, FIRST_PAUSE, 0)
            }
            Some(known) => (known.stall.since, known.stall.failures, known.pause, known.due_us),
        };
        let stall = Stall { since, code, reason, failures: failures + 1 };
        let next = if is_due {
            let doubled = Span::from_micros(pause.as_micros().saturating_mul(2)).min(LAST_PAUSE);
            let due_us = monotonic_us.saturating_add(pause.as_micros().unsigned_abs());
            Failing { stall: stall.clone(), pause: doubled, due_us }
        } else {
            Failing { stall: stall.clone(), pause, due_us }
        };
        *slot = Some(next);
        if is_due { Line::Fails(stall) } else { Line::None }
    }
}

/// The word and the sentence for an error.
fn reason(error: Option<&anyhow::Error>) -> (StallCode, String) {
    let known = error.into_iter().flat_map(anyhow::Error::chain).find_map(|cause| {
        if let Some(missing) = cause.downcast_ref::<PackMissing>() {
            return Some((StallCode::PackMissing, missing.to_string()));
        }
        if let Some(damaged) = cause.downcast_ref::<Damaged>() {
            return Some((StallCode::DataIntegrity, damaged_words(&damaged.to_string())));
        }
        match (cause.downcast_ref::<WriteError>(), cause.downcast_ref::<ReadError>()) {
            (Some(WriteError::ReadOnly), _) => Some((
                StallCode::ReadOnly,
                "the disk is full: make room, and the calculation goes on by itself".to_owned(),
            )),
            (Some(WriteError::DataIntegrity), _) | (_, Some(ReadError::DataIntegrity(_))) => {
                Some((StallCode::DataIntegrity, damaged_words("a page of the database is damaged")))
            }
            _ => None,
        }
    });
    known.unwrap_or_else(|| {
        let words = "a step of the calculation failed: the server's log names the cause";
        (StallCode::InternalError, words.to_owned())
    })
}

fn damaged_words(what: &str) -> String {
    format!("{what}: stop the server, run `envora doctor` and restore from a backup")
}

/// How far the figures that are shown are behind what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Everything below this seq is in the figures.
    pub calculated_to: u64,
    /// How many entries the log has.
    pub head: u64,
    /// When the oldest entry that waits was committed.
    pub waiting_since: Option<Timestamp>,
}

impl Behind {
    /// How many entries of the log wait.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.head.saturating_sub(self.calculated_to)
    }

    /// How long the oldest of them has waited.
    #[must_use]
    pub fn lag_ms(&self, now: Timestamp) -> u64 {
        let waited = self.waiting_since.map_or(0, |since| (now - since).as_micros() / 1_000);
        u64::try_from(waited).unwrap_or(0)
    }
}

/// How far the figures are behind, in a read that is open.
///
/// # Errors
/// The database's.
pub fn behind(rd: &mut TenantReader, own: &OwnGrants) -> anyhow::Result<Behind> {
    let run = run_current(rd, &own.read_results)?;
    let calculated_to = run.map_or(0, |run| run.calculated_to);
    let head = audit_head(rd)?.size;
    let waiting_since = oldest(rd, &own.read_audit, calculated_to)?;
    Ok(Behind { calculated_to, head, waiting_since })
}

fn oldest(
    rd: &mut TenantReader,
    grant: &Grant<ReadAudit>,
    from: u64,
) -> anyhow::Result<Option<Timestamp>> {
    let oldest = audit_entries_from(rd, grant, from, 1)?;
    Ok(oldest.first().map(|entry| Timestamp::from_micros(entry.at_ms.saturating_mul(1_000))))
}

impl TenantParts {
    /// How far its figures are behind what is stored. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn behind(&self) -> anyhow::Result<Behind> {
        let own = self.own;
        self.read(move |rd| behind(rd, &own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packs() -> anyhow::Error {
        let missing = PackMissing { pack: "p".to_owned(), version: "1".to_owned() };
        anyhow::Error::from(missing).context("a step")
    }

    #[test]
    fn the_log_is_told_ever_more_seldom_and_of_what_is_new() {
        let (standing, now) = (Standing::default(), Timestamp::from_micros(0));
        let at = |seconds: u64, error: &anyhow::Error| {
            standing.fails(Some(error), now, seconds * 1_000_000) != Line::None
        };
        let error = anyhow::anyhow!("x");
        let told: Vec<u64> = (0..4_000).filter(|second| at(*second, &error)).collect();
        assert_eq!(told, [0, 5, 15, 35, 75, 155, 315, 635, 1_235, 1_835, 2_435, 3_035, 3_635]);
        assert!(at(4_000, &packs()), "another reason is told at once");
        let stall = standing.stall().expect("it fails");
        assert_eq!((stall.code, stall.failures, stall.since), (StallCode::PackMissing, 4_001, now));
        assert!(matches!(standing.goes_on(), Line::GoesOn(_)));
        assert_eq!((standing.stall(), standing.goes_on()), (None, Line::None));
        assert!(at(4_001, &error), "a new failure is told at once");
    }
}
