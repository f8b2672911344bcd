//! Emissions: the lines of a period, page by page, worked out again from the rows.
//!
//! A page begins at a line of a row of a segment, so pages take no memory of those before; all are of
//! one run at one place in the log, so their sum is that of one footprint.

use core::ops::ControlFlow;

use anyhow::Context as _;
use envora_api::emissions::{Emission, Emissions};
use envora_api::footprints::Period;
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::activities::Activity;
use envora_domain::catalogue::Market;
use envora_domain::cells::{CellKey, CellValue};
use envora_domain::figures::Figure;
use envora_domain::id::{ActivityId, RunId};

use super::replay::{Replay, Rows};
use crate::footprint::asked::Asked;
use crate::footprint::figures::{Sieve, column, entities};
use crate::footprint::{AskError, FootprintQuery};
use crate::process::block::Recorded;
use crate::process::decide::{Decider, Decision, State};
use crate::process::sums::place_of;
use crate::tenant::{Damaged, TenantParts};

/// Segments that one page looks into before it may be short and still lead on.
const SEGMENTS_A_PAGE: usize = 16;
/// Rows that a page without any line looks at: until then it goes on.
const LOOKED_AT_MAX: usize = 100_000;

/// Where a page begins, and of what all pages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinePlace {
    /// The run.
    pub run: RunId,
    /// Up to which seq rows are in.
    pub seq: u64,
    /// The seq of the segment.
    pub segment: u64,
    /// The row in it.
    pub row: usize,
    /// The line of the row.
    pub line: usize,
}

/// Tells lines of a period from a place on, and where the next page begins. Blocks.
///
/// # Errors
/// [`AskError`]; [`Damaged`] inside when a row is not what was recorded of it.
pub fn emissions(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    query: &FootprintQuery,
    (from, limit): (Option<LinePlace>, usize),
) -> Result<(Emissions, Option<LinePlace>), AskError> {
    let query = match from {
        Some(place) => FootprintQuery { run: Some(place.run), as_of: None, ..query.clone() },
        None => query.clone(),
    };
    let asked = Asked::without_cells(parts, *grant, &query)?;
    let seq = from.map_or(asked.seq(), |place| place.seq);
    let first = LinePlace { run: asked.run.id, seq, segment: 0, row: 0, line: 0 };
    let from = from.unwrap_or(first);
    let figure = Figure { seq, ..asked.base() };
    let mut page = Page { figure: &figure, sieve: Sieve::of(&figure)?, limit, data: Vec::new() };
    let mut replay = Replay::open(parts, &figure, Rows::OfDays)?;
    let column = column(&replay.columns, asked.set).context("find the set's column")?;
    let owners = entities(&figure)?;
    let (mut looked_into, mut looked_at) = (0, 0);
    let next = replay.segments(from.segment, |decider, loaded, recorded| {
        let segment = loaded.segment.seq;
        let (row, line) = if segment == from.segment { (from.row, from.line) } else { (0, 0) };
        let rows = loaded.numbered().skip_while(|(number, _)| *number < row);
        for (number, activity) in rows {
            let Some(decision) = loaded.decide(decider, number, seq) else { continue };
            let id = loaded.id(number).context("name the activity")?;
            if recorded.get(number) != Some(&Recorded::of(&decision)) {
                let what = format!("what {id} came to");
                let told = "worked out again, it is not what was recorded";
                return Err(AskError::Unexpected(Damaged::new(what, told).into()));
            }
            let is_theirs = |owners: &Vec<_>| owners.contains(&decider.owner(activity, seq));
            if !owners.as_ref().is_none_or(is_theirs) {
                continue;
            }
            let begin = if number == row { line } else { 0 };
            let told = page.tell(decider, (id, activity, &decision), (begin, column))?;
            if let ControlFlow::Break(line) = told {
                return Ok(ControlFlow::Break(LinePlace { segment, row: number, line, ..first }));
            }
        }
        looked_into += 1;
        looked_at += usize::try_from(loaded.segment.rows).unwrap_or(usize::MAX);
        let has_had_its_share = !page.data.is_empty() || looked_at >= LOOKED_AT_MAX;
        Ok(if looked_into >= SEGMENTS_A_PAGE && has_had_its_share {
            ControlFlow::Break(LinePlace { segment: segment.saturating_add(1), ..first })
        } else {
            ControlFlow::Continue(())
        })
    })?;
    let told = Emissions {
        period: Period { from: figure.from, to: figure.to },
        gwp_set: asked.set.as_str().to_owned(),
        run: asked.run.id,
        seq,
        data: page.data,
        next_cursor: None,
    };
    Ok((told, next))
}

/// A page on its way.
struct Page<'a> {
    figure: &'a Figure,
    sieve: Sieve<'a>,
    limit: usize,
    data: Vec<Emission>,
}

impl Page<'_> {
    /// Tells a row's lines from one on; breaks with the first that the page has no room for.
    fn tell(
        &mut self,
        decider: &mut Decider<'_>,
        (id, activity, decision): (ActivityId, &Activity, &Decision),
        (begin, column): (usize, usize),
    ) -> Result<ControlFlow<usize>, AskError> {
        let State::Counted(why) = decision.state else { return Ok(ControlFlow::Continue(())) };
        let asked = |day| day >= self.figure.from && day < self.figure.to;
        let mut days = decision.days.days().iter().map(|(day, _)| *day).filter(|day| asked(*day));
        let Some(first) = days.next() else { return Ok(ControlFlow::Continue(())) };
        let last = days.next_back().unwrap_or(first);
        let period = Period { from: first, to: last.plus(1) };
        let choices = decider.choices();
        let lines = choices.lines(why, activity).map_err(|_| AskError::TooLarge)?;
        let chosen = choices.get(why).context("find the choice")?;
        let row = place_of(activity, decision);
        for (number, line) in lines.iter().enumerate().skip(begin) {
            if !self.sieve.holds_in_any_book(&CellKey::of(line, &row, first)) {
                continue;
            }
            if self.data.len() == self.limit {
                return Ok(ControlFlow::Break(number));
            }
            let mut value = CellValue::default();
            for (_, part) in
                decision.days.split_value(&line.value()).iter().filter(|(day, _)| asked(*day))
            {
                value.add(part).map_err(|_| AskError::TooLarge)?;
            }
            let choice = chosen.why.slot(line.slot).context("find the slot's choice")?;
            let co2e = value.co2e.get(column).copied().flatten();
            self.data.push(Emission {
                activity: id,
                period,
                kind: activity.kind.clone(),
                facility_id: decision.facility,
                source_id: decision.source,
                kg: value.kg.kg(),
                co2e: co2e.map(|co2e| co2e.kg()),
                method: choice.method.clone(),
                slot: line.slot.as_str().to_owned(),
                scope: line.scope,
                category: (line.category > 0).then_some(line.category),
                market: (line.market != Market::None).then(|| line.market.as_str().to_owned()),
                bucket: line.bucket.as_str().to_owned(),
                gas: line.gas.as_str().to_owned(),
                carbon: line.carbon.as_str().to_owned(),
                basis: line.basis.as_str().to_owned(),
                factor: line.factor.to_string(),
                tier: line.tier,
            });
        }
        Ok(ControlFlow::Continue(()))
    }
}
