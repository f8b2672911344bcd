//! Trace: any figure, and any activity, back to bytes, factor and proof.
//!
//! A figure is worked out again from the stored rows, whole, and held against what the cells say;
//! the lines that are told are a page of those that it is made of.

pub mod emissions;
mod line;
mod parts;
pub(crate) mod replay;
pub mod touched;

use anyhow::Context as _;
use envora_api::listing::Page;
use envora_api::traces::{FigureQuery, Part, Trace, TraceLine};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::activities::Activity;
use envora_domain::catalogue::Market;
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::GwpSet;
use envora_domain::hash::Digest;
use envora_domain::id::ActivityId;
use envora_store::runs::run_current;
use envora_store::segments::{Segment, segment_by_id};

use self::line::{Teller, Told};
pub use self::line::{as_sent, prove_segment};
use self::replay::Rows;
use crate::footprint::asked::Asked;
use crate::footprint::figures::{Columns, ENTITY, add_up, column, is_computed};
use crate::footprint::rollups::Detail;
use crate::footprint::totals::amount;
use crate::footprint::{AskError, FootprintQuery};
use crate::process::block::Recorded;
use crate::process::decide::{Decider, Decision, State};
use crate::process::records::Records;
use crate::process::runs::Engine;
use crate::process::scan::Loaded;
use crate::registry::Registry;
use crate::tenant::{Damaged, TenantParts};

/// Which lines of a figure to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinePage {
    /// How many to leave out.
    pub after: u64,
    /// How many to tell.
    pub limit: u64,
}

impl LinePage {
    /// Those of a row's lines that are on the page, when so many lines came before.
    fn of(&self, before: u64, lines: &[usize]) -> Vec<usize> {
        let on =
            |number: u64| number >= self.after && number < self.after.saturating_add(self.limit);
        let numbered = lines.iter().zip(before..);
        numbered.filter(|(_, number)| on(*number)).map(|(line, _)| *line).collect()
    }
}

/// Traces a figure. The cursor of the next page is the number of lines told so far. Blocks.
///
/// # Errors
/// [`AskError`]; [`Damaged`](crate::tenant::Damaged) inside when stored bytes are not as stored.
pub fn trace_figure(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    figure: &Figure,
    page: LinePage,
) -> Result<Trace, AskError> {
    if !is_computed(figure) {
        return Err(AskError::NoFigure);
    }
    let query = FootprintQuery {
        from: figure.from,
        to: figure.to,
        group_by: None,
        filters: figure.filters.clone(),
        gwp_set: figure.gwp_set.map(|set| set.as_str().to_owned()),
        run: Some(figure.run),
        as_of: None,
    };
    // Cells know no entities: of those, rows are held against what was recorded of each.
    let of_entity = figure.filters.contains_key(ENTITY);
    let asked = if of_entity {
        Asked::without_cells(parts, *grant, &query)?
    } else {
        Asked::settle(parts, *grant, (&query, Detail::MONTHS))?
    };
    if figure.seq > asked.seq() {
        return Err(AskError::NoFigure);
    }
    let set = figure.gwp_set.unwrap_or(GwpSet::Published);
    let mut teller = Teller::new(parts, set, Some((figure.from, figure.to)));
    let (mut seen, mut lines) = (0_u64, Vec::new());
    let replayed = replay::walk(parts, (figure, Rows::OfDays), |decider, found| {
        let wanted = page.of(seen, found.lines);
        seen += found.lines.len() as u64;
        if wanted.is_empty() {
            return Ok(());
        }
        let row = u32::try_from(found.row).context("number the row")?;
        let zone = decider.zone_of(found.activity, figure.seq);
        let choices = decider.choices();
        let chosen = choices.get(found.why).context("find the choice")?;
        let told = Told {
            segment: &found.loaded.segment,
            row,
            activity: found.activity,
            why: &chosen.why,
            why_digest: Digest::of(chosen.json.as_bytes()),
            library: choices.library(),
            days: &found.decision.days,
            zone,
        };
        lines.extend(teller.tell(&told, &wanted)?);
        Ok(())
    })?;
    let divided = parts::parts(figure, &replayed.cells, &asked.registry)?;
    let mut figures = vec![figure.clone()];
    figures.extend(divided.iter().map(|(_, part)| part.clone()));
    let values = add_up(&figures, &replayed.columns, &replayed.cells)?;
    let (value, rest) = values.split_first().map_or((Mass::ZERO, &[][..]), |(v, r)| (*v, r));
    let whole: Mass = rest.iter().copied().sum();
    let adds_up = rest.is_empty() || whole == value;
    let kept = figure.gwp_set.is_none_or(|set| column(&asked.policy.columns(), set).is_some());
    // Cells know the head alone; what a figure of the past was, only the rows can tell.
    let held = of_entity
        || figure.seq != asked.seq()
        || !kept
        || add_up(&figures, &asked.policy.columns(), &asked.cells)? == values;
    let equal = held && adds_up && replayed.as_recorded;
    let parts = divided.iter().zip(rest).map(|((label, part), value)| Part {
        label: label.clone(),
        value: value.kg(),
        figure_id: Some(part.encode()),
    });
    let next = page.after.saturating_add(page.limit);
    Ok(Trace {
        figure: amount(figure, value),
        query: described(figure),
        parts: parts.collect(),
        lines: Page { data: lines, next_cursor: (next < seen).then(|| next.to_string()) },
        replay: if equal { "equal" } else { "differs" }.to_owned(),
    })
}

fn described(figure: &Figure) -> FigureQuery {
    let measure = match figure.measure {
        Measure::Co2e => "co2e",
        Measure::Mass => "mass",
        Measure::Count => "count",
    };
    FigureQuery {
        measure: measure.to_owned(),
        from: figure.from,
        to: figure.to,
        scope: figure.scope,
        category: figure.category,
        market: (figure.market != Market::None).then(|| figure.market.as_str().to_owned()),
        gas: figure.gas.map(|gas| gas.as_str().to_owned()),
        bucket: figure.bucket.as_str().to_owned(),
        filters: figure.filters.clone(),
        gwp_set: figure.gwp_set.map(|set| set.as_str().to_owned()),
        run: figure.run,
        seq: figure.seq,
    }
}

/// What became of one activity, as known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityTrace {
    /// `counted`, `unresolved`, `superseded`, `voided`, or `pending` until it is calculated.
    pub state: &'static str,
    /// Why it is unresolved, and what would help.
    pub unresolved: Option<(String, String)>,
    /// Why it counts and has no lines.
    pub nothing: Option<String>,
    /// All its lines.
    pub lines: Vec<TraceLine>,
}

/// A row, worked out again.
pub(crate) struct Row<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) activity: &'a Activity,
    pub(crate) decision: &'a Decision,
    /// As of which seq.
    pub(crate) seq: u64,
}

/// Works one row out again, in the current run; nothing while it is not calculated.
fn one_row<T>(
    parts: &TenantParts,
    id: ActivityId,
    look: impl FnOnce(&mut Decider<'_>, Columns, &Row<'_>) -> Result<T, AskError>,
) -> Result<Option<T>, AskError> {
    let (segment, row) = id.place();
    let grant = parts.own.read_activities;
    let segment = parts.read(move |rd| segment_by_id(rd, &grant, segment))?;
    let segment = segment.filter(|segment| row < segment.rows).ok_or(AskError::NoActivity)?;
    let own = parts.own;
    let run = parts.read(move |rd| run_current(rd, &own.read_results))?.ok_or(AskError::NoRun)?;
    if segment.seq >= run.calculated_to {
        return Ok(None);
    }
    let seq = run.calculated_to.saturating_sub(1);
    let mut engine = Engine::of_run(parts, run.id)?.ok_or(AskError::NoRun)?;
    let columns = engine.policy.columns();
    let registry = parts.read(move |rd| Registry::load(rd, &own, u64::MAX))?;
    let mut decider = Decider::new(&registry, &mut engine.choices);
    let recorded = Records::new(parts, run.id, seq)?.of(&segment)?;
    let place = usize::try_from(row).context("number the row")?;
    let loaded = Loaded::read_one(parts, segment, row)?;
    let decision = loaded.decide(&mut decider, place, seq).ok_or(AskError::NoActivity)?;
    if recorded.get(place) != Some(&Recorded::of(&decision)) {
        let what = format!("what {id} came to");
        let damaged = Damaged::new(what, "worked out again, it is not what was recorded");
        return Err(AskError::Unexpected(damaged.into()));
    }
    let activity = loaded.row(place).ok_or(AskError::NoActivity)?;
    let row = Row { segment: &loaded.segment, activity, decision: &decision, seq };
    look(&mut decider, columns, &row).map(Some)
}

/// Traces one activity through all its slots, in one GWP set. Blocks.
///
/// # Errors
/// [`AskError`]; [`AskError::NoActivity`] when nothing is stored under the id.
pub fn trace_activity(
    parts: &TenantParts,
    _grant: &Grant<ReadResults>,
    id: ActivityId,
    set: GwpSet,
) -> Result<ActivityTrace, AskError> {
    let state = |state| ActivityTrace { state, unresolved: None, nothing: None, lines: Vec::new() };
    let told = one_row(parts, id, |decider, _, row| {
        Ok(match &row.decision.state {
            State::Superseded => state("superseded"),
            State::Voided => state("voided"),
            State::Unresolved(reason) => ActivityTrace {
                unresolved: Some((reason.code.as_str().to_owned(), reason.remedy.clone())),
                ..state("unresolved")
            },
            State::Counted(why) => {
                let zone = decider.zone_of(row.activity, row.seq);
                let choices = decider.choices();
                let chosen = choices.get(*why).context("find the choice")?;
                let told = Told {
                    segment: row.segment,
                    row: id.place().1,
                    activity: row.activity,
                    why: &chosen.why,
                    why_digest: Digest::of(chosen.json.as_bytes()),
                    library: choices.library(),
                    days: &row.decision.days,
                    zone,
                };
                let all: Vec<usize> = (0..64).collect();
                let lines = Teller::new(parts, set, None).tell(&told, &all)?;
                let over = chosen.why.passed_over.iter();
                let mut over = over.filter(|over| lines.is_empty() && over.rule == "nothing");
                let nothing = over.next().map(|over| over.detail.clone());
                ActivityTrace { lines, nothing, ..state("counted") }
            }
        })
    })?;
    Ok(told.unwrap_or_else(|| state("pending")))
}
