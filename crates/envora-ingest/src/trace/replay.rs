//! Replay: figures worked out again from stored rows, as of their place in the log.
//!
//! Nothing that was calculated is used: each row is opened, decided, multiplied and added anew.

use anyhow::Context as _;
use envora_domain::activities::Activity;
use envora_domain::cells::{CellKey, CellValue, RowPlace};
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::GwpSet;
use envora_domain::lines::{Line, co2e_in_set};
use envora_domain::time::Day;
use envora_store::segments::Segment;

use crate::footprint::AskError;
use crate::footprint::figures::{Columns, Sieve, column, worth};
use crate::process::decide::{Decider, Decision, State};
use crate::process::recount::segments_below;
use crate::process::runs::Engine;
use crate::process::scan::Loaded;
use crate::registry::Registry;
use crate::tenant::TenantParts;

/// A row that is part of a figure.
pub(crate) struct Found<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) row: usize,
    pub(crate) activity: &'a Activity,
    pub(crate) why: u32,
    /// Which of the row's lines are part of the first figure.
    pub(crate) lines: Vec<usize>,
}

/// The values of figures, all of one run and seq, from the rows.
pub(crate) fn values(parts: &TenantParts, figures: &[Figure]) -> Result<Vec<Mass>, AskError> {
    walk(parts, figures, |_, _| Ok(()))
}

/// As [`values`]; each row that is part of the first figure is shown to `look` in the order of the
/// log.
pub(crate) fn walk(
    parts: &TenantParts,
    figures: &[Figure],
    mut look: impl FnMut(&mut Decider<'_>, &Found<'_>) -> Result<(), AskError>,
) -> Result<Vec<Mass>, AskError> {
    let Some(first) = figures.first() else { return Ok(Vec::new()) };
    let mut engine = Engine::open(parts)?;
    if engine.run.id != first.run {
        return Err(AskError::NoRun);
    }
    let own = parts.own;
    let registry =
        parts.read(move |rd| Registry::load(rd, &own, u64::MAX)).context("read the registry")?;
    let columns = engine.policy.columns();
    let mut decider = Decider::new(&registry, &mut engine.choices);
    let mut sums = Sums::of(figures, columns)?;
    let days =
        figures.iter().map(|figure| figure.from).min().zip(figures.iter().map(|f| f.to).max());
    for segment in segments_below(parts, first.seq.saturating_add(1))? {
        if days.is_some_and(|days| outside(&segment, days)) {
            continue;
        }
        let loaded = Loaded::read(parts, segment)?;
        for (row, activity) in loaded.rows.iter().enumerate() {
            let Some(decision) = loaded.decide(&mut decider, row, first.seq) else { continue };
            let State::Counted(why) = decision.state else { continue };
            let lines = sums.add(&mut decider, (activity, &decision), why)?;
            if !lines.is_empty() {
                look(&mut decider, &Found { loaded: &loaded, row, activity, why, lines })?;
            }
        }
    }
    Ok(sums.values)
}

/// Whether no row of a segment can fall on these days. A row may last a year and lie in any zone.
fn outside(segment: &Segment, (from, to): (Day, Day)) -> bool {
    let (first, last) = (segment.start_min.utc_day(), segment.start_max.utc_day());
    last.plus(400) < from || first.plus(-2) >= to
}

struct Sums<'a> {
    figures: Vec<(&'a Figure, Sieve<'a>, Option<usize>)>,
    values: Vec<Mass>,
    /// The set of the figures, when cells do not keep it.
    other: Option<GwpSet>,
}

impl<'a> Sums<'a> {
    fn of(figures: &'a [Figure], columns: Columns) -> Result<Self, AskError> {
        let mut other = None;
        let mut ready = Vec::with_capacity(figures.len());
        for figure in figures {
            let place = figure.gwp_set.and_then(|set| column(&columns, set));
            if figure.measure == Measure::Co2e && place.is_none() {
                other = figure.gwp_set;
            }
            ready.push((figure, Sieve::of(figure)?, place));
        }
        Ok(Self { figures: ready, values: vec![Mass::ZERO; figures.len()], other })
    }

    /// Adds a row's lines to every figure; says which of them are part of the first.
    fn add(
        &mut self,
        decider: &mut Decider<'_>,
        (activity, decision): (&Activity, &Decision),
        why: u32,
    ) -> Result<Vec<usize>, AskError> {
        let lines =
            decider.choices().lines(why, activity.quantity).map_err(|_| AskError::TooLarge)?;
        let other = match self.other {
            None => Vec::new(),
            Some(set) => {
                let choices = decider.choices();
                let chosen = choices.get(why).context("find a choice")?;
                co2e_in_set(activity.quantity, &chosen.why, choices.library(), set)
                    .map_err(|_| AskError::TooLarge)?
            }
        };
        let place = place(activity, decision);
        let mut of_first = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let mut value = line.value();
            if self.other.is_some() {
                value.co2e = [other.get(number).copied().flatten(), None, None, None];
            }
            if self.line((line, &place), decision, &value)? {
                of_first.push(number);
            }
        }
        Ok(of_first)
    }

    fn line(
        &mut self,
        (line, place): (&Line, &RowPlace),
        decision: &Decision,
        value: &CellValue,
    ) -> Result<bool, AskError> {
        let mut in_first = false;
        for (day, part) in decision.days.split_value(value) {
            let key = CellKey::of(line, place, day);
            for (number, (figure, sieve, column)) in self.figures.iter().enumerate() {
                if !sieve.holds(&key) {
                    continue;
                }
                in_first |= number == 0;
                let column = column.or(self.other.map(|_| 0));
                if let Some(worth) = worth(figure, &part, column)
                    && let Some(sum) = self.values.get_mut(number)
                {
                    *sum = sum.checked_add(worth).ok_or(AskError::TooLarge)?;
                }
            }
        }
        Ok(in_first)
    }
}

fn place(activity: &Activity, decision: &Decision) -> RowPlace {
    RowPlace {
        facility: decision.facility.map(|id| id.bytes().to_vec()).unwrap_or_default(),
        source: decision.source.map(|id| id.bytes().to_vec()).unwrap_or_default(),
        kind: activity.kind.clone(),
        data_kind: activity.data_kind.clone().unwrap_or_default(),
        primary: activity.primary,
    }
}
