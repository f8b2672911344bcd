//! Blocks: what each row of a segment came to, and what a later cause made of rows again.
//!
//! Deterministic CBOR: `[1, 0, [[count, state, why, code], …]]` for the rows of a segment in runs of
//! equal ones, `[1, 2, [[row, count, state, why, code, state, why, code], …]]` for rows of a segment that
//! were decided anew, before and after, in runs of neighbours that fared alike. A code is the row code of
//! an unresolved row, else null. Folders of before have `[1, 1, …]` for rows of several segments at once.

use core::ops::Range;
use std::collections::BTreeMap;

use envora_domain::activities::problems::RowCode;
use envora_domain::cbor::{Reader, Value, Writer};

use super::decide::{Decision, State};

const VERSION: u64 = 1;
const SEGMENT: u64 = 0;
const WHOLE: u64 = 1;
const DELTA: u64 = 2;

/// What a row came to, as a block records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Counted(u32),
    Unresolved(RowCode),
    Superseded,
    Voided,
}

impl Recorded {
    pub(crate) fn of(decision: &Decision) -> Self {
        match &decision.state {
            State::Counted(why) => Self::Counted(*why),
            State::Unresolved(reason) => Self::Unresolved(reason.code),
            State::Superseded => Self::Superseded,
            State::Voided => Self::Voided,
        }
    }

    fn values(self) -> [Value; 3] {
        match self {
            Self::Counted(why) => [Value::Uint(0), Value::Uint(why.into()), Value::Null],
            Self::Superseded => [Value::Uint(1), Value::Uint(0), Value::Null],
            Self::Voided => [Value::Uint(2), Value::Uint(0), Value::Null],
            Self::Unresolved(code) => [Value::Uint(3), Value::Uint(0), code.as_str().into()],
        }
    }

    fn read(values: &[Value]) -> Option<Self> {
        let [state, why, code] = values else { return None };
        match (state.as_uint()?, why.as_uint()?, code.as_text()) {
            (0, why, None) => Some(Self::Counted(u32::try_from(why).ok()?)),
            (1, 0, None) => Some(Self::Superseded),
            (2, 0, None) => Some(Self::Voided),
            (3, 0, Some(code)) => Some(Self::Unresolved(RowCode::parse(code)?)),
            _ => None,
        }
    }
}

/// A row of a segment decided anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) row: u32,
    pub(crate) before: Recorded,
    pub(crate) after: Recorded,
}

impl Again {
    /// Whether the next one goes on with the run of this one.
    fn goes_on(&self, next: &Self) -> bool {
        self.row.checked_add(1) == Some(next.row)
            && (self.before, self.after) == (next.before, next.after)
    }
}

fn begin(kind: u64, items: usize) -> Writer {
    let mut writer = Writer::default();
    writer.array(3).uint(VERSION).uint(kind).array(items);
    writer
}

/// The rows of a segment, in order.
pub(crate) fn encode_segment(rows: &[Recorded]) -> Vec<u8> {
    let runs = || rows.chunk_by(PartialEq::eq);
    let mut writer = begin(SEGMENT, runs().count());
    for run in runs() {
        writer.array(4).uint(run.len() as u64);
        for value in run.first().into_iter().flat_map(|recorded| recorded.values()) {
            writer.value(&value);
        }
    }
    writer.finish()
}

/// Rows of a segment decided anew, in order.
pub(crate) fn encode_delta(rows: &[Again]) -> Vec<u8> {
    let runs = || rows.chunk_by(Again::goes_on);
    let mut writer = begin(DELTA, runs().count());
    for run in runs() {
        let Some(first) = run.first() else { continue };
        writer.array(8).uint(first.row.into()).uint(run.len() as u64);
        for value in first.before.values().into_iter().chain(first.after.values()) {
            writer.value(&value);
        }
    }
    writer.finish()
}

/// Shows each item of a block of this kind, one at a time, as long as it is as it should be.
fn each(bytes: &[u8], kind: u64, mut look: impl FnMut(&[Value]) -> Option<()>) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let uint = |reader: &mut Reader<'_>| reader.next_value().ok()?.as_uint();
    if reader.array() != Ok(3) || uint(&mut reader)? != VERSION || uint(&mut reader)? != kind {
        return None;
    }
    for _ in 0..reader.array().ok()? {
        look(reader.next_value().ok()?.as_array()?)?;
    }
    reader.is_at_end().then_some(())
}

/// Reads [`encode_segment`]; a segment of other length is none.
pub(crate) fn decode_segment(bytes: &[u8], rows: usize) -> Option<Vec<Recorded>> {
    let mut recorded = Vec::new();
    each(bytes, SEGMENT, |run| {
        let (count, values) = run.split_first()?;
        let count = usize::try_from(count.as_uint()?).ok()?;
        let total = recorded.len().checked_add(count).filter(|total| *total <= rows)?;
        recorded.resize(total, Recorded::read(values)?);
        Some(())
    })?;
    (recorded.len() == rows).then_some(recorded)
}

/// Whether this is what [`encode_segment`] writes, of however many rows.
pub(crate) fn counts_rows(bytes: &[u8]) -> bool {
    let run = |run: &[Value]| {
        let (count, values) = run.split_first()?;
        count.as_uint().and(Recorded::read(values)).map(|_| ())
    };
    each(bytes, SEGMENT, run).is_some()
}

/// Reads [`encode_delta`]: which rows came to what.
pub(crate) fn decode_delta(
    bytes: &[u8],
    mut look: impl FnMut(Range<u32>, Recorded) -> Option<()>,
) -> Option<()> {
    each(bytes, DELTA, |run| {
        let [row, count, values @ ..] = run else { return None };
        let (before, after) = values.split_at_checked(3)?;
        let row = u32::try_from(row.as_uint()?).ok()?;
        let end = row.checked_add(u32::try_from(count.as_uint()?).ok()?)?;
        Recorded::read(before)?;
        look(row..end, Recorded::read(after)?)
    })
}

/// Reads the block that folders of before have of a cause: rows, by the seq of their segment.
pub(crate) fn decode_whole(bytes: &[u8]) -> Option<BTreeMap<u64, Vec<Again>>> {
    let mut found: BTreeMap<u64, Vec<Again>> = BTreeMap::new();
    each(bytes, WHOLE, |row| {
        let [seq, row, values @ ..] = row else { return None };
        let (before, after) = values.split_at_checked(3)?;
        found.entry(seq.as_uint()?).or_default().push(Again {
            row: u32::try_from(row.as_uint()?).ok()?,
            before: Recorded::read(before)?,
            after: Recorded::read(after)?,
        });
        Some(())
    })?;
    found.values_mut().for_each(|rows| rows.sort_by_key(|again| again.row));
    Some(found)
}

#[cfg(test)]
mod tests {
    use envora_domain::hash::{hex, unhex};

    use super::*;

    #[test]
    fn a_block_is_read_back() {
        let unresolved = Recorded::Unresolved(RowCode::UnknownFacility);
        let rows = [Recorded::Counted(1), Recorded::Counted(1), unresolved, Recorded::Voided];
        let bytes = encode_segment(&rows);
        assert_eq!(decode_segment(&bytes, 4), Some(rows.to_vec()));
        assert_eq!(decode_segment(&bytes, 3), None);
        assert_eq!(decode_segment(&bytes, 5), None);
        assert_eq!(delta(&bytes), None, "a block of the other kind is none of this one");
        let many = encode_segment(&[Recorded::Counted(7); 10_000]);
        assert!(many.len() < 20, "equal rows are one run");
    }

    /// The vectors of `docs/formats/calc-block.md`.
    #[test]
    fn blocks_meet_their_vectors() {
        let waiting = Recorded::Unresolved(RowCode::UnknownFacility);
        let mut rows = vec![Recorded::Counted(1); 300];
        rows.extend([waiting, Recorded::Superseded, Recorded::Voided]);
        let segment = "830100848419012c0001f68401030070756e6b6e6f776e5f666163696c697479\
            84010100f684010200f6";
        assert_eq!(hex(&encode_segment(&rows)), segment);
        let again = |row| Again { row, before: waiting, after: Recorded::Counted(2) };
        let delta = "830102818819012c02030070756e6b6e6f776e5f666163696c6974790002f6";
        assert_eq!(hex(&encode_delta(&[again(300), again(301)])), delta);
        let whole = "83010181880919012c030070756e6b6e6f776e5f666163696c6974790002f6";
        let whole = decode_whole(&unhex(whole).expect("hex"));
        assert_eq!(whole, Some(BTreeMap::from([(9, vec![again(300)])])));
    }

    /// Each row of a delta, and what it came to.
    fn delta(bytes: &[u8]) -> Option<Vec<(u32, Recorded)>> {
        let mut rows = Vec::new();
        decode_delta(bytes, |run, after| {
            rows.extend(run.map(|row| (row, after)));
            Some(())
        })?;
        Some(rows)
    }

    #[test]
    fn a_delta_is_read_back() {
        let waiting = Recorded::Unresolved(RowCode::UnknownFacility);
        let again = |row, why| Again { row, before: waiting, after: Recorded::Counted(why) };
        let rows = [again(3, 2), again(4, 2), again(6, 2), again(7, 1)];
        let came = [3, 4, 6, 7].into_iter().zip([2, 2, 2, 1].map(Recorded::Counted));
        assert_eq!(delta(&encode_delta(&rows)), Some(came.collect()));
        let many: Vec<Again> = (0..10_000).map(|row| again(row, 7)).collect();
        assert!(encode_delta(&many).len() < 40, "neighbours that fared alike are one run");
        let beyond = [again(u32::MAX, 1)];
        assert_eq!(delta(&encode_delta(&beyond)), None, "no segment has so many rows");
        assert_eq!(delta(b"\x00"), None);
    }
}
