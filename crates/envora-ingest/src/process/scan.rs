//! Scan: the rows of a segment with what became of them, as of a place in the log.

use std::collections::HashMap;

use envora_domain::activities::Activity;
use envora_domain::activities::problems::Flag;
use envora_domain::id::{ActivityId, SEGMENT_ROWS_MAX};
use envora_domain::ports::Place;
use envora_store::segments::{Segment, segment_inline};
use envora_store::supersessions::{
    ActivityRange, Fate, Supersession, supersessions_between, supersessions_of_seq,
};

use super::decide::{Decider, Decision, State};
use crate::segments;
use crate::tenant::TenantParts;

/// The flags of rows that a footprint warns of.
pub(crate) const NOTICED: [Flag; 2] = [Flag::PossibleDuplicate, Flag::NegativeBalance];

/// A segment's rows, decoded.
pub(crate) struct Loaded {
    pub(crate) segment: Segment,
    pub(crate) rows: Vec<Activity>,
    /// Their numbers in the segment, where some were passed over.
    numbers: Option<Vec<usize>>,
    /// What other rows made of these, by row: all that is known today.
    fates: HashMap<u32, Supersession>,
    /// The rows that rows of this segment took the place of.
    pub(crate) corrects: Vec<ActivityId>,
}

impl Loaded {
    pub(crate) fn read(parts: &TenantParts, segment: Segment) -> anyhow::Result<Self> {
        let all = Self::read_some(parts, segment, |_, _| true)?;
        Ok(Self { numbers: None, ..all })
    }

    /// The same of a segment that is to be calculated for the first time: its rows may be at hand yet.
    pub(crate) fn read_new(parts: &TenantParts, segment: Segment) -> anyhow::Result<Self> {
        let Some(rows) = parts.fresh.take(segment.id, segment.rows) else {
            return Self::read(parts, segment);
        };
        let (fates, corrects) = changed(parts, &segment)?;
        Ok(Self { segment, rows, numbers: None, fates, corrects })
    }

    /// The same of those rows alone whose number and bytes `keep` wants.
    pub(crate) fn read_some(
        parts: &TenantParts,
        segment: Segment,
        keep: impl Fn(usize, &[u8]) -> bool,
    ) -> anyhow::Result<Self> {
        let (grant, seq) = (parts.own.read_activities, segment.seq);
        let is_inline = segment.place == Place::Inline;
        let range = range(&segment);
        // One snapshot, one question: of small segments there are many.
        let (inline, found, corrects) = parts.read(move |rd| {
            let inline = if is_inline { segment_inline(rd, &grant, seq)? } else { None };
            let found = supersessions_between(rd, &grant, range, i64::MAX.unsigned_abs())?;
            Ok((inline, found, supersessions_of_seq(rd, &grant, seq)?))
        })?;
        let stream = parts.opened_stream(&segment, inline)?;
        let cut = segments::cut(&segment, &stream)?;
        let kept: Vec<(usize, &[u8])> =
            cut.into_iter().enumerate().filter(|(number, row)| keep(*number, row)).collect();
        let (mut rows, mut numbers) = (Vec::with_capacity(kept.len()), Vec::new());
        let mut decoder = segments::Rows::default();
        for (number, row) in kept {
            rows.push(decoder.decode(segment.id, row)?);
            numbers.push(number);
        }
        let (fates, corrects) = (fates(found), olds(corrects));
        Ok(Self { segment, rows, numbers: Some(numbers), fates, corrects })
    }

    /// The same of one row, which is read without its neighbours.
    pub(crate) fn read_one(
        parts: &TenantParts,
        segment: Segment,
        row: u32,
    ) -> anyhow::Result<Self> {
        let (fates, corrects) = changed(parts, &segment)?;
        let rows: Vec<Activity> = parts.opened_segment(&segment)?.row(row)?.into_iter().collect();
        let numbers = Some(vec![usize::try_from(row)?; rows.len()]);
        Ok(Self { segment, rows, numbers, fates, corrects })
    }

    /// Each row that was read, with its number in the segment.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Activity)> {
        let number = |at: usize| match &self.numbers {
            None => at,
            Some(numbers) => numbers.get(at).copied().unwrap_or(usize::MAX),
        };
        self.rows.iter().enumerate().map(move |(at, row)| (number(at), row))
    }

    /// The row of a number, if it was read.
    pub(crate) fn row(&self, number: usize) -> Option<&Activity> {
        match &self.numbers {
            None => self.rows.get(number),
            Some(numbers) => self.rows.get(numbers.binary_search(&number).ok()?),
        }
    }

    /// The id of a row.
    pub(crate) fn id(&self, row: usize) -> Option<ActivityId> {
        self.segment.id.activity(u32::try_from(row).ok()?)
    }

    /// The flag of a row that a footprint warns of by the row: it may have come before under another
    /// id, or is a balance below zero.
    pub(crate) fn noticed(&self, row: usize) -> Option<Flag> {
        let flags = &self.row(row)?.flags;
        NOTICED.iter().copied().find(|flag| flags.contains(*flag))
    }

    /// What a row comes to as of a seq.
    pub(crate) fn decide(
        &self,
        decider: &mut Decider<'_>,
        row: usize,
        seq: u64,
    ) -> Option<Decision> {
        let mut decision = decider.decide(self.row(row)?, seq);
        let fate = u32::try_from(row).ok().and_then(|row| self.fates.get(&row));
        if let Some(fate) = fate.filter(|fate| fate.seq <= seq) {
            decision.state = match fate.fate {
                Fate::Replaced => State::Superseded,
                Fate::Voided => State::Voided,
            };
        }
        Some(decision)
    }
}

/// What became of a segment's rows, by row, and what they took the place of.
fn changed(
    parts: &TenantParts,
    segment: &Segment,
) -> anyhow::Result<(HashMap<u32, Supersession>, Vec<ActivityId>)> {
    let (range, seq) = (range(segment), segment.seq);
    let grant = parts.own.read_activities;
    let (found, corrects) = parts.read(move |rd| {
        let found = supersessions_between(rd, &grant, range, i64::MAX.unsigned_abs())?;
        Ok((found, supersessions_of_seq(rd, &grant, seq)?))
    })?;
    Ok((fates(found), olds(corrects)))
}

fn fates(found: Vec<Supersession>) -> HashMap<u32, Supersession> {
    found.into_iter().map(|fate| (fate.old.place().1, fate)).collect()
}

fn olds(corrects: Vec<Supersession>) -> Vec<ActivityId> {
    corrects.into_iter().map(|correction| correction.old).collect()
}

fn range(segment: &Segment) -> ActivityRange {
    let first = ActivityId::from_bytes(segment.id.bytes());
    let last = segment.id.activity(SEGMENT_ROWS_MAX - 1).unwrap_or(first);
    ActivityRange { first, last }
}
