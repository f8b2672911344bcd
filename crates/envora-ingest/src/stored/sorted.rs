//! Stored rows in the order of their start: a merge of the segments that a page can be in.
//!
//! Rows lie in segments in the order in which they came. The manifest knows the earliest and the latest
//! start of each, indexed; a page opens segments in that order and ends at the first that cannot hold
//! one of its rows any more. The walk sees the segments there were when it began, so that what is
//! committed meanwhile neither shifts nor repeats a row.

use core::ops::{ControlFlow, Range};
use std::collections::BTreeMap;

use envora_domain::activities::{Activity, Period};
use envora_domain::id::ActivityId;
use envora_domain::time::{Timestamp, WallClock};
use envora_store::segments::{ByStart, Order, Segment, segments_by_start};

use super::{Narrowed, RowState};

/// Segments that are asked for at a time.
const SEGMENTS_AT_A_TIME: u32 = 64;

/// Where a row stands in the walk: its start and its id.
pub type Place = (Timestamp, ActivityId);

/// A page of a walk.
#[derive(Clone, Debug)]
pub struct Walk {
    /// In which order.
    pub order: Order,
    /// Beyond this row.
    pub after: Option<Place>,
    /// Segments of these places in the log.
    pub seqs: Range<u64>,
    /// How many rows.
    pub limit: usize,
}

/// Where a period starts, as the manifest keeps it: of local times, the time on the wall taken as UTC,
/// which is right within a day.
#[must_use]
pub fn start(period: &Period) -> Timestamp {
    match period {
        Period::Instant(at) | Period::Between(at, _) => *at,
        Period::Days { first, .. } => Timestamp::from_micros(WallClock::of(*first, 0).as_micros()),
        Period::WallClock { start, .. } => Timestamp::from_micros(start.as_micros()),
    }
}

/// Sorts as the walk goes.
type Rank = (i64, [u8; 16]);

fn rank(order: Order, (start, id): Place) -> Rank {
    match order {
        Order::Earliest => (start.as_micros(), id.bytes()),
        Order::Latest => (start.as_micros().saturating_neg(), id.bytes().map(|byte| !byte)),
    }
}

impl Narrowed<'_> {
    /// The rows of a page in their order, each as `show` makes it, and where the last one stands when
    /// there are more. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn page_by_start<T>(
        &self,
        walk: &Walk,
        show: impl Fn(&Segment, ActivityId, (&Activity, RowState)) -> T,
    ) -> anyhow::Result<(Vec<T>, Option<Place>)> {
        let after = walk.after.map(|after| rank(walk.order, after));
        let mut page: BTreeMap<Rank, (Place, T)> = BTreeMap::new();
        let mut beyond = None;
        'walk: loop {
            let found = self.next_by_start(walk, beyond)?;
            for segment in &found {
                let first = match walk.order {
                    Order::Earliest => segment.start_min.as_micros(),
                    Order::Latest => segment.start_max.as_micros().saturating_neg(),
                };
                let last = page.last_key_value().filter(|_| page.len() > walk.limit);
                if last.is_some_and(|(last, _)| last.0 < first) {
                    break 'walk;
                }
                let walked = self.rows(segment, 0, |id, activity, state| {
                    let place = (start(&activity.period), id);
                    let rank = rank(walk.order, place);
                    let is_full = page.len() > walk.limit;
                    let too_late = page.last_key_value().is_some_and(|(last, _)| *last < rank);
                    if after.is_none_or(|after| rank > after) && !(is_full && too_late) {
                        page.insert(rank, (place, show(segment, id, (activity, state))));
                        if is_full {
                            page.pop_last();
                        }
                    }
                    Ok(ControlFlow::Continue(()))
                })?;
                debug_assert!(walked.is_continue(), "nothing ends a segment");
                beyond = Some(match walk.order {
                    Order::Earliest => (segment.start_min, segment.seq),
                    Order::Latest => (segment.start_max, segment.seq),
                });
            }
            if found.is_empty() {
                break;
            }
        }
        let more = page.len() > walk.limit;
        let mut rows: Vec<(Place, T)> = page.into_values().collect();
        rows.truncate(walk.limit);
        let next = rows.last().filter(|_| more).map(|(place, _)| *place);
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }

    fn next_by_start(
        &self,
        walk: &Walk,
        beyond: Option<(Timestamp, u64)>,
    ) -> anyhow::Result<Vec<Segment>> {
        let grant = self.parts.own.read_activities;
        let wanted = ByStart {
            order: walk.order,
            seqs: walk.seqs.clone(),
            reach: walk.after.map(|(start, _)| start),
            beyond,
            limit: SEGMENTS_AT_A_TIME,
        };
        self.parts.read(move |rd| segments_by_start(rd, &grant, &wanted))
    }
}
