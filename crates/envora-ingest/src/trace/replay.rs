//! Replay: rows worked out again, as of a place in the log.
//!
//! Nothing that was calculated is used: each row is opened, decided, multiplied and added anew, and
//! what it comes to is held against what was recorded of it then.

use core::ops::{ControlFlow, Range};
use std::collections::HashMap;

use anyhow::Context as _;
use envora_domain::activities::Activity;
use envora_domain::activities::canonical::period_of;
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::rollups::ChosenKey;
use envora_domain::time::{Day, Timestamp, Zone};
use envora_store::segments::Segment;
use envora_store::unresolved::Unresolved;

use crate::footprint::AskError;
use crate::footprint::figures::{Columns, Sieve, add_up, column, entities};
use crate::process::block::Recorded;
use crate::process::decide::{Decider, Decision};
use crate::process::records::Records;
use crate::process::recount::{ROW_DAYS_MAX, each_segment};
use crate::process::runs::Engine;
use crate::process::scan::Loaded;
use crate::process::step::Reasons;
use crate::process::sums::{Sign, Sums};
use crate::registry::Registry;
use crate::segments::cut;
use crate::stored::days;
use crate::tenant::TenantParts;

/// How long a day lasts where the clocks stay as they are.
const DAY_MICROS: i64 = 86_400_000_000;

/// A row that is part of a figure.
pub(crate) struct Found<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) row: usize,
    pub(crate) activity: &'a Activity,
    pub(crate) decision: &'a Decision,
    pub(crate) why: u32,
    /// Which of the row's lines are part of the figure.
    pub(crate) lines: &'a [usize],
}

/// What rows come to when they are worked out again.
pub(crate) struct Replayed {
    /// The sums of all rows on the figure's days, of those of its entities where it names some.
    pub(crate) cells: Vec<(CellKey, CellValue)>,
    /// Activities by choice and first day.
    pub(crate) chosen: Vec<(ChosenKey, i64)>,
    /// The sets of their columns.
    pub(crate) columns: Columns,
    /// Whether every row came to what was recorded of it.
    pub(crate) as_recorded: bool,
    /// What does not count, segment by segment.
    pub(crate) unresolved: Vec<Unresolved>,
}

/// The values of figures, all of one run, seq and set, from the rows.
pub(crate) fn values(parts: &TenantParts, figures: &[Figure]) -> Result<Vec<Mass>, AskError> {
    let Some(first) = figures.iter().find(|figure| figure.measure == Measure::Co2e) else {
        return Ok(vec![Mass::ZERO; figures.len()]);
    };
    let days = figures.iter().map(|figure| figure.from).min();
    let days = days.zip(figures.iter().map(|figure| figure.to).max());
    let (from, to) = days.unwrap_or((first.from, first.to));
    let replayed =
        walk(parts, (&Figure { from, to, ..first.clone() }, Rows::OfDays), |_, _| Ok(()))?;
    add_up(figures, &replayed.columns, &replayed.cells)
}

/// Which rows of a segment are worked out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Those alone that may fall on the days asked for, in any zone; others are not even read.
    OfDays,
    /// All of a segment that has such rows: what does not count is told by segment.
    OfSegments,
}

/// A run, opened to work rows out again as of a figure's place in the log.
pub(crate) struct Replay<'a> {
    parts: &'a TenantParts,
    figure: &'a Figure,
    engine: Engine,
    registry: Registry,
    records: Records<'a>,
    rows: Rows,
    /// The sets of the columns of its lines.
    pub(crate) columns: Columns,
}

impl<'a> Replay<'a> {
    pub(crate) fn open(
        parts: &'a TenantParts,
        figure: &'a Figure,
        rows: Rows,
    ) -> Result<Self, AskError> {
        let mut engine = Engine::of_run(parts, figure.run)?.ok_or(AskError::NoRun)?;
        let own = parts.own;
        let registry = parts
            .read(move |rd| Registry::load(rd, &own, u64::MAX))
            .context("read the registry")?;
        let mut columns = engine.policy.columns();
        if let Some(set) = figure.gwp_set.filter(|set| column(&columns, *set).is_none()) {
            engine.choices.carry(set);
            columns = [Some(set), None, None, None];
        }
        let records = Records::new(parts, figure.run, figure.seq)?;
        Ok(Self { parts, figure, engine, registry, records, rows, columns })
    }

    /// Shows each segment from a seq on that may hold rows on the figure's days, in the order of the
    /// log, with what is recorded of its rows, until told to stop.
    pub(crate) fn segments<T>(
        &mut self,
        from: u64,
        mut look: impl FnMut(&mut Decider<'_>, &Loaded, &[Recorded]) -> Result<ControlFlow<T>, AskError>,
    ) -> Result<Option<T>, AskError> {
        let (parts, figure) = (self.parts, self.figure);
        let mut decider = Decider::new(&self.registry, &mut self.engine.choices);
        let end = figure.seq.saturating_add(1).min(self.engine.run.calculated_to);
        let records = &self.records;
        each_segment(parts, (from..end, starts((figure.from, figure.to))), |segment| {
            if !lasts_until(parts, &segment, figure.from)? {
                return Ok(ControlFlow::Continue(()));
            }
            let recorded = records.of(&segment)?;
            let loaded = match self.rows {
                Rows::OfSegments => Loaded::read(parts, segment)?,
                Rows::OfDays => Loaded::read_some(parts, segment, |_, row| {
                    let (first, last) = (figure.from.plus(-2), figure.to.plus(2));
                    period_of(row).is_none_or(|period| {
                        let (begins, ends) = period.rough_days();
                        begins < last && ends >= first
                    })
                })?,
            };
            look(&mut decider, &loaded, &recorded)
        })
    }
}

/// Works out again every row that may fall on a figure's days, in the order of the log; each one that
/// is part of the figure is shown to `look`.
pub(crate) fn walk(
    parts: &TenantParts,
    (figure, rows): (&Figure, Rows),
    mut look: impl FnMut(&mut Decider<'_>, &Found<'_>) -> Result<(), AskError>,
) -> Result<Replayed, AskError> {
    let mut replay = Replay::open(parts, figure, rows)?;
    let mut sums = Sums::exact();
    let mut members = Members { sieve: Sieve::of(figure)?, known: HashMap::new() };
    let owners = entities(figure)?;
    let (mut as_recorded, mut unresolved) = (true, Vec::new());
    replay.segments(0, |decider, loaded, recorded| {
        let mut reasons = Reasons::default();
        for (row, activity) in loaded.numbered() {
            let Some(decision) = loaded.decide(decider, row, figure.seq) else { continue };
            reasons.note(loaded, row, &decision);
            as_recorded &= recorded.get(row) == Some(&Recorded::of(&decision));
            let is_theirs = |owners: &Vec<_>| owners.contains(&decider.owner(activity, figure.seq));
            if !owners.as_ref().is_none_or(is_theirs) {
                continue;
            }
            let added = sums.add(decider.choices(), (activity, &decision), Sign::In);
            let Some(group) = added.map_err(|_| AskError::TooLarge)? else { continue };
            let lines = members.of(&sums, group, &decision);
            if !lines.is_empty() {
                let why = decision.why();
                let decision = &decision;
                look(decider, &Found { loaded, row, activity, decision, why, lines: &lines })?;
            }
        }
        unresolved.extend(reasons.into_rows(loaded.segment.seq));
        Ok(ControlFlow::<()>::Continue(()))
    })?;
    let chosen = sums.chosen().into_iter().collect();
    let cells = sums.into_cells().map_err(|_| AskError::TooLarge)?.into_iter().collect();
    Ok(Replayed { cells, chosen, columns: replay.columns, as_recorded, unresolved })
}

/// When rows start that can fall on these days: a row may lie in any zone.
fn starts((from, to): (Day, Day)) -> Range<Timestamp> {
    let midnight =
        |day: Day| Timestamp::from_micros(i64::from(day.number()).saturating_mul(DAY_MICROS));
    midnight(from.plus(-ROW_DAYS_MAX))..midnight(to.plus(2))
}

/// Whether a row of a segment may last until a day, in any zone. Few last a year, so that of segments that
/// begin long before it is looked up, without reading their rows.
pub(crate) fn lasts_until(
    parts: &TenantParts,
    segment: &Segment,
    day: Day,
) -> anyhow::Result<bool> {
    if segment.start_max.utc_day().plus(400) >= day {
        return Ok(true);
    }
    let stream = parts.segment_stream(segment)?;
    let lasts = |row: &&[u8]| {
        period_of(row).is_none_or(|period| days(&period, &Zone::utc()).1.plus(2) >= day)
    };
    Ok(cut(segment, &stream)?.iter().any(lasts))
}

/// Which lines of a row are part of the figure: rows of one group and day have the same.
struct Members<'a> {
    sieve: Sieve<'a>,
    known: HashMap<(usize, Day), Vec<usize>>,
}

impl Members<'_> {
    fn of(&mut self, sums: &Sums, group: usize, decision: &Decision) -> Vec<usize> {
        let mut lines: Vec<usize> = Vec::new();
        for (day, _) in decision.days.days() {
            let sieve = &self.sieve;
            let known = self.known.entry((group, *day)).or_insert_with(|| {
                let keys = sums.keys(group, *day).into_iter().enumerate();
                keys.filter(|(_, key)| sieve.holds(key)).map(|(line, _)| line).collect()
            });
            lines.extend_from_slice(known);
        }
        if decision.days.days().len() > 1 {
            lines.sort_unstable();
            lines.dedup();
        }
        lines
    }
}
