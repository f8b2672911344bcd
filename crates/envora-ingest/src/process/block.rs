//! Blocks: what each row of a segment came to, and what a later cause made of rows again.
//!
//! Deterministic CBOR: `[1, 0, [[count, state, why, code], …]]` for the rows of a segment in runs of
//! equal ones, `[1, 1, [[seq, row, state, why, code, state, why, code], …]]` for rows decided anew,
//! before and after. A code is the row code of an unresolved row, else null.

use envora_domain::activities::problems::RowCode;
use envora_domain::cbor::Value;

use super::decide::{Decision, State};

const VERSION: u64 = 1;
const SEGMENT: u64 = 0;
const DELTA: u64 = 1;

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

/// A row decided anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    /// The seq of its segment.
    pub(crate) seq: u64,
    pub(crate) row: u32,
    pub(crate) before: Recorded,
    pub(crate) after: Recorded,
}

/// The rows of a segment, in order.
pub(crate) fn encode_segment(rows: &[Recorded]) -> Vec<u8> {
    let runs = rows.chunk_by(PartialEq::eq).filter_map(|run| {
        let mut values = vec![Value::Uint(run.len() as u64)];
        values.extend(run.first()?.values());
        Some(Value::Array(values))
    });
    let runs = Value::Array(runs.collect());
    Value::Array(vec![Value::Uint(VERSION), Value::Uint(SEGMENT), runs]).encode()
}

/// Rows decided anew.
pub(crate) fn encode_delta(rows: &[Again]) -> Vec<u8> {
    let row = |again: &Again| {
        let mut values = vec![Value::Uint(again.seq), Value::Uint(again.row.into())];
        values.extend(again.before.values());
        values.extend(again.after.values());
        Value::Array(values)
    };
    let rows = Value::Array(rows.iter().map(row).collect());
    Value::Array(vec![Value::Uint(VERSION), Value::Uint(DELTA), rows]).encode()
}

fn body(bytes: &[u8], kind: u64) -> Option<Vec<Value>> {
    let Value::Array(parts) = Value::decode(bytes).ok()? else { return None };
    let [version, of, Value::Array(rows)] = parts.as_slice() else { return None };
    (version.as_uint()? == VERSION && of.as_uint()? == kind).then(|| rows.clone())
}

/// Reads [`encode_segment`]; a segment of other length is none.
pub(crate) fn decode_segment(bytes: &[u8], rows: usize) -> Option<Vec<Recorded>> {
    let mut recorded = Vec::new();
    for run in body(bytes, SEGMENT)? {
        let (count, values) = run.as_array()?.split_first()?;
        let count = usize::try_from(count.as_uint()?).ok()?;
        let total = recorded.len().checked_add(count).filter(|total| *total <= rows)?;
        recorded.resize(total, Recorded::read(values)?);
    }
    (recorded.len() == rows).then_some(recorded)
}

/// Whether this is what [`encode_segment`] writes, of however many rows.
pub(crate) fn counts_rows(bytes: &[u8]) -> bool {
    let run = |run: &Value| {
        let (count, values) = run.as_array()?.split_first()?;
        count.as_uint().and(Recorded::read(values))
    };
    body(bytes, SEGMENT).is_some_and(|runs| runs.iter().all(|of| run(of).is_some()))
}

/// Reads [`encode_delta`].
pub(crate) fn decode_delta(bytes: &[u8]) -> Option<Vec<Again>> {
    let again = |row: &Value| {
        let [seq, row, values @ ..] = row.as_array()? else { return None };
        let (before, after) = values.split_at_checked(3)?;
        Some(Again {
            seq: seq.as_uint()?,
            row: u32::try_from(row.as_uint()?).ok()?,
            before: Recorded::read(before)?,
            after: Recorded::read(after)?,
        })
    };
    body(bytes, DELTA)?.iter().map(again).collect()
}

#[cfg(test)]
mod tests {
    use envora_domain::hash::hex;

    use super::*;

    #[test]
    fn a_block_is_read_back() {
        let unresolved = Recorded::Unresolved(RowCode::UnknownFacility);
        let rows = [Recorded::Counted(1), Recorded::Counted(1), unresolved, Recorded::Voided];
        let bytes = encode_segment(&rows);
        assert_eq!(decode_segment(&bytes, 4), Some(rows.to_vec()));
        assert_eq!(decode_segment(&bytes, 3), None);
        assert_eq!(decode_segment(&bytes, 5), None);
        assert_eq!(decode_delta(&bytes), None, "a block of the other kind is none of this one");
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
        let again = Again { seq: 9, row: 300, before: waiting, after: Recorded::Counted(2) };
        let delta = "83010181880919012c030070756e6b6e6f776e5f666163696c6974790002f6";
        assert_eq!(hex(&encode_delta(&[again])), delta);
    }

    #[test]
    fn a_delta_is_read_back() {
        let again = Again {
            seq: 9,
            row: 3,
            before: Recorded::Unresolved(RowCode::UnknownFacility),
            after: Recorded::Counted(2),
        };
        assert_eq!(decode_delta(&encode_delta(&[again])), Some(vec![again]));
        assert_eq!(decode_delta(b"\x00"), None);
    }
}
