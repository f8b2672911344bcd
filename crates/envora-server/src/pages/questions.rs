//! What the pages ask of the engine, in a visitor's name.

use std::collections::BTreeMap;
use std::sync::Arc;

use envora_api::activities::Activity;
use envora_api::footprints::Footprint;
use envora_api::problems::Problem;
use envora_api::traces::Trace;
use envora_domain::access::actions::{ReadActivities, ReadResults};
use envora_domain::figures::Figure;
use envora_domain::id::ActivityId;
use envora_domain::time::Day;
use envora_ingest::footprint::{self as engine, FootprintQuery, GroupBy};
use envora_ingest::trace::{ActivityTrace, LinePage, trace_figure};

use super::footprint::Asked;
use crate::access::{Visitor, nothing_here};
use crate::app::App;
use crate::endpoints::activities::told;
use crate::endpoints::footprints::blocking;
use crate::refusals::Refusal;

/// How many lines a trace shows at once.
const LINES: u64 = 12;

/// The footprint of a year, split in each of these ways, or by nothing.
pub(super) async fn footprints<const N: usize>(
    app: &App,
    visitor: &Visitor,
    asked: &Asked,
    ways: [Option<GroupBy>; N],
) -> Result<[Footprint; N], Refusal> {
    let first = |year| Day::from_ymd(year, 1, 1).ok_or_else(nothing_here);
    let facility = asked.facility.iter().map(|id| ("facility".to_owned(), vec![id.clone()]));
    let query = FootprintQuery {
        from: first(asked.year)?,
        to: first(asked.year.saturating_add(1))?,
        group_by: None,
        filters: facility.collect::<BTreeMap<_, _>>(),
        gwp_set: None,
        run: None,
        as_of: None,
    };
    let grant = visitor.grant::<ReadResults>()?;
    let parts = Arc::clone(visitor.tenant.parts());
    blocking(app, move || engine::footprints(&parts, &grant, &query, ways)).await
}

/// The trace of a figure, with one page of its lines.
pub(super) async fn trace(
    app: &App,
    visitor: &Visitor,
    figure: &str,
    cursor: Option<&str>,
) -> Result<Trace, Refusal> {
    let figure = Figure::parse(figure).map_err(|_| nothing_here())?;
    let after = match cursor {
        Some(text) => text.parse().map_err(|_| {
            Problem::invalid_cursor("This page of lines is not one that the trace gave.")
        })?,
        None => 0,
    };
    let grant = visitor.grant::<ReadResults>()?;
    let page = LinePage { after, limit: LINES };
    let parts = Arc::clone(visitor.tenant.parts());
    blocking(app, move || trace_figure(&parts, &grant, &figure, page)).await
}

/// An activity, and its trace once there is a run.
pub(super) async fn activity(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<(Activity, Option<ActivityTrace>), Refusal> {
    let id = ActivityId::parse(id).map_err(|_| nothing_here())?;
    let grants = (visitor.grant::<ReadActivities>()?, visitor.grant::<ReadResults>()?);
    let parts = Arc::clone(visitor.tenant.parts());
    blocking(app, move || told(&parts, grants, id)).await
}
