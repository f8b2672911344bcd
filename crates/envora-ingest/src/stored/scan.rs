//! Stored rows from the first to the last, some segments at a time, as of one moment.

use core::ops::{ControlFlow, Range};
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::id::{ActivityId, ImportId};
use envora_domain::time::{Day, Timestamp};
use envora_store::segments::{Segment, segments_from};

use super::{Moment, Narrowed, Question, RowState, days};
use crate::tenant::TenantParts;

/// Segments whose places are read at once.
const SEGMENTS_AT_ONCE: u32 = 64;
/// Rows of segments that one step looks at before it ends.
const ROWS_A_STEP: u64 = 10_000;

/// A row as a scan gives it.
#[derive(Clone, Copy, Debug)]
pub struct Scanned<'a> {
    /// Its id.
    pub id: ActivityId,
    /// What was sent.
    pub activity: &'a Activity,
    /// What it came to.
    pub state: RowState,
    /// Its first and its last day, in the reporting zone.
    pub days: (Day, Day),
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The import that it came with.
    pub import: Option<ImportId>,
}

/// A scan on its way. It holds no segment between its steps.
pub struct Scan {
    parts: Arc<TenantParts>,
    question: Question,
    moment: Moment,
    /// The seqs that are still to be looked at.
    left: Range<u64>,
}

impl Scan {
    /// Begins a scan as of a moment. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn begin(
        parts: Arc<TenantParts>,
        question: Question,
        moment: &Moment,
    ) -> anyhow::Result<Self> {
        let moment = moment.asking(&parts, question.clone())?;
        let left = 0..moment.head;
        Ok(Self { parts, question, moment, left })
    }

    /// Looks at the rows of the next segments, and says whether there may be more. Whoever looks may end
    /// it. Blocks.
    ///
    /// # Errors
    /// What `look` gives; the database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn step(
        &mut self,
        mut look: impl FnMut(Scanned<'_>) -> ControlFlow<()>,
    ) -> anyhow::Result<bool> {
        if self.left.is_empty() {
            return Ok(false);
        }
        let narrowed = Narrowed::at(&self.parts, self.question.clone(), &self.moment)?;
        let (mut looked_at, zone) = (0_u64, self.moment.zone.clone());
        while !self.left.is_empty() && looked_at < ROWS_A_STEP {
            let found = segments(&self.parts, self.left.clone())?;
            if found.is_empty() {
                self.left.start = self.left.end;
            }
            for segment in found {
                self.left.start = segment.seq + 1;
                if !narrowed.may_hold(&segment) {
                    continue;
                }
                looked_at += u64::from(segment.rows);
                let ended = narrowed.rows(&segment, 0, |id, activity, state| {
                    Ok(look(Scanned {
                        id,
                        activity,
                        state,
                        days: days(&activity.period, &zone),
                        committed_at: segment.committed_at,
                        import: segment.import,
                    }))
                })?;
                if ended.is_break() {
                    self.left.start = self.left.end;
                    return Ok(false);
                }
                if looked_at >= ROWS_A_STEP {
                    break;
                }
            }
        }
        Ok(!self.left.is_empty())
    }
}

fn segments(parts: &TenantParts, left: Range<u64>) -> anyhow::Result<Vec<Segment>> {
    let grant = parts.own.read_activities;
    let mut found =
        parts.read(move |rd| segments_from(rd, &grant, left.start, SEGMENTS_AT_ONCE))?;
    found.retain(|segment| segment.seq < left.end);
    Ok(found)
}
