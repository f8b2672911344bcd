//! Recount: every cell worked out again from the stored rows, and compared with what is stored.

use core::ops::{ControlFlow, Range};
use std::collections::BTreeMap;

use anyhow::Context as _;
use envora_domain::cells::{CellKey, CellValue, SPREAD_DAYS_MAX};
use envora_domain::decimal::Mass;
use envora_domain::id::RunId;
use envora_domain::time::Timestamp;
use envora_store::runs::run_current;
use envora_store::segments::{Segment, Within, segments_within};
use envora_store::unresolved::DayRange;

use super::decide::Decider;
use super::runs::Engine;
use super::scan::Loaded;
use super::sums::{Sign, Sums, is_nothing};
use crate::footprint::rollups::{self, Detail, KeptGroups};
use crate::registry::Registry;
use crate::tenant::TenantParts;

/// What counting again has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// As of which seq, exclusive.
    pub calculated_to: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Cells that were compared.
    pub cells: u64,
    /// Cells that are not what their rows add up to, and those of months that are not what their days do.
    pub differences: Vec<Difference>,
}

/// A cell that is not the sum of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub key: CellKey,
    /// What is stored; nothing when the cell is missing.
    pub stored: CellValue,
    /// What the rows add up to.
    pub counted: CellValue,
}

/// How many days after its start a stored row may last, and a day for its zone: more than ten years are
/// refused, but were not always.
pub(crate) const ROW_DAYS_MAX: i32 = SPREAD_DAYS_MAX + 1;
/// How many segments are listed at once.
const SEGMENTS_AT_ONCE: u32 = 1_000;

/// Shows the segments of some places in the log with rows that start in some time, in the order of the
/// log, until told to stop. However many there are, a thousand at a time are held.
pub(crate) fn each_segment<E: From<anyhow::Error>, T>(
    parts: &TenantParts,
    (mut seqs, starts): (Range<u64>, Range<Timestamp>),
    mut look: impl FnMut(Segment) -> Result<ControlFlow<T>, E>,
) -> Result<Option<T>, E> {
    let grant = parts.own.read_activities;
    loop {
        let wanted = Within { seqs: seqs.clone(), starts: starts.clone(), limit: SEGMENTS_AT_ONCE };
        let found = parts.read(move |rd| segments_within(rd, &grant, &wanted))?;
        let Some(last) = found.last() else { return Ok(None) };
        seqs.start = last.seq + 1;
        for segment in found {
            if let ControlFlow::Break(found) = look(segment)? {
                return Ok(Some(found));
            }
        }
    }
}

/// Counts the current run again, from the rows alone. Nothing that was calculated is used, and
/// nothing is changed.
///
/// # Errors
/// The database's, or [`Damaged`](crate::tenant::Damaged) inside.
pub fn recount(parts: &TenantParts) -> anyhow::Result<Recount> {
    let own = parts.own;
    let current = parts.read(move |rd| run_current(rd, &own.read_results))?;
    let current = current.context("find the current run")?;
    let mut engine = Engine::of_run(parts, current.id)?.context("find the current run")?;
    let (to, run) = (engine.run.calculated_to, engine.run.id);
    let stored = stored_cells(parts, run)?;
    let apart = parts.read(move |rd| rollups::months_apart(rd, &own.read_results, run));
    let apart = apart.context("read the sums by month")?;
    let registry = parts.read(move |rd| Registry::load(rd, &own, u64::MAX))?;
    let mut decider = Decider::new(&registry, &mut engine.choices);
    let mut sums = Sums::exact();
    let mut rows = 0;
    let ever = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
    let counted = |segment: Segment| -> anyhow::Result<ControlFlow<()>> {
        let loaded = Loaded::read(parts, segment)?;
        for (row, activity) in loaded.rows.iter().enumerate() {
            if let Some(decision) = loaded.decide(&mut decider, row, to.saturating_sub(1)) {
                sums.add(decider.choices(), (activity, &decision), Sign::In)?;
            }
        }
        rows += loaded.rows.len() as u64;
        Ok(ControlFlow::Continue(()))
    };
    each_segment(parts, (0..to, ever), counted)?;
    let counted = sums.into_cells()?;
    let mut found = compare(stored, counted, (to, rows));
    let apart =
        apart.into_iter().map(|(key, [stored, counted])| Difference { key, stored, counted });
    found.differences.extend(apart.filter(|one| !same(&one.stored, &one.counted)));
    Ok(found)
}

/// The cells of a run, of all days, as they are stored.
///
/// # Errors
/// The database's.
pub fn stored_cells(parts: &TenantParts, run: RunId) -> anyhow::Result<Vec<(CellKey, CellValue)>> {
    let grant = parts.own.read_results;
    // Read anew: what was changed behind the store's back is to be noticed.
    let anew = KeptGroups::default();
    let sums =
        parts.read(move |rd| rollups::read(rd, &grant, run, (&anew, DayRange::EVER, Detail::DAYS)));
    Ok(sums.context("read the sums")?.cells)
}

fn compare(
    stored: Vec<(CellKey, CellValue)>,
    mut counted: BTreeMap<CellKey, CellValue>,
    (calculated_to, rows): (u64, u64),
) -> Recount {
    let mut cells = 0;
    let mut differences = Vec::new();
    for (key, stored) in stored {
        cells += 1;
        let counted = counted.remove(&key).unwrap_or_default();
        if !same(&stored, &counted) {
            differences.push(Difference { key, stored, counted });
        }
    }
    for (key, counted) in counted {
        cells += 1;
        if !is_nothing(&counted) {
            differences.push(Difference { key, stored: CellValue::default(), counted });
        }
    }
    Recount { calculated_to, rows, cells, differences }
}

/// Equal sums; a column without any value is a sum of nothing.
fn same(a: &CellValue, b: &CellValue) -> bool {
    let sums = |value: &CellValue| value.co2e.map(Option::<Mass>::unwrap_or_default);
    a.kg == b.kg && a.count == b.count && sums(a) == sums(b)
}
