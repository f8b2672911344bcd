//! Fates: what took the place of stored activities, followed to the end of the chain.

use std::collections::{BTreeMap, HashMap, HashSet};

use envora_domain::id::{ActivityId, SEGMENT_ROWS_MAX, SegmentId};
use envora_store::supersessions::{
    ActivityRange, Fate, Supersession, supersession_of, supersessions_between,
};

use super::intake::Intake;

/// The end of an activity's chain of corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The row at the end: the one that a further correction is to name.
    pub(super) last: ActivityId,
    /// What it does.
    pub(super) fate: Fate,
}

impl End {
    /// The row that voids the activity, where nothing counts in its place.
    pub(super) fn void(self) -> Option<ActivityId> {
        (self.fate == Fate::Voided).then_some(self.last)
    }
}

impl Intake {
    /// The ends of those of these activities that were superseded or voided.
    pub(super) fn ends(
        &self,
        ids: impl Iterator<Item = ActivityId>,
    ) -> anyhow::Result<HashMap<ActivityId, End>> {
        let asked: HashSet<ActivityId> = ids.collect();
        let first = self.superseded(asked.iter().copied())?;
        if first.is_empty() {
            return Ok(HashMap::new());
        }
        let grant = self.parts.own.read_activities;
        self.parts.read(move |rd| {
            let mut ends = HashMap::new();
            for mut step in first.into_iter().filter(|step| asked.contains(&step.old)) {
                let old = step.old;
                // A row names what was there before it, so a chain ends.
                while let Some(next) = supersession_of(rd, &grant, step.new)? {
                    step = next;
                }
                ends.insert(old, End { last: step.new, fate: step.fate });
            }
            Ok(ends)
        })
    }

    /// What took the place of activities from the first to the last of each segment: one question per
    /// segment.
    pub(super) fn superseded(
        &self,
        ids: impl Iterator<Item = ActivityId>,
    ) -> anyhow::Result<Vec<Supersession>> {
        let mut ranges: BTreeMap<SegmentId, (ActivityId, ActivityId)> = BTreeMap::new();
        for id in ids {
            let (segment, row) = id.place();
            debug_assert!(row < SEGMENT_ROWS_MAX, "a row lies in its segment");
            let (first, last) = ranges.entry(segment).or_insert((id, id));
            *first = (*first).min(id);
            *last = (*last).max(id);
        }
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let grant = self.parts.own.read_activities;
        self.parts.read(move |rd| {
            let mut all = Vec::new();
            for (first, last) in ranges.into_values() {
                let range = ActivityRange { first, last };
                let now = i64::MAX.unsigned_abs();
                all.append(&mut supersessions_between(rd, &grant, range, now)?);
            }
            Ok(all)
        })
    }
}
