//! What the pages ask of the engine, in a visitor's name.

use std::collections::BTreeMap;

use anyhow::Context as _;
use envora_api::footprints::Footprint;
use envora_api::problems::Problem;
use envora_api::traces::Trace;
use envora_domain::access::actions::ReadResults;
use envora_domain::figures::Figure;
use envora_domain::time::Day;
use envora_ingest::footprint::{self as engine, AskError, FootprintQuery, GroupBy};
use envora_ingest::tenant::TenantParts;
use envora_ingest::trace::{LinePage, trace_figure};

use super::footprint::Asked;
use crate::access::{Visitor, nothing_here};
use crate::app::App;
use crate::refusals::Refusal;

/// How many lines a trace shows at once.
const LINES: u64 = 12;

/// The footprint of a year, split by months, by facilities, or by nothing.
pub(super) async fn footprint(
    app: &App,
    visitor: &Visitor,
    asked: &Asked,
    group_by: Option<GroupBy>,
) -> Result<Footprint, Refusal> {
    let first = |year| Day::from_ymd(year, 1, 1).ok_or_else(nothing_here);
    let facility = asked.facility.iter().map(|id| ("facility".to_owned(), vec![id.clone()]));
    let query = FootprintQuery {
        from: first(asked.year)?,
        to: first(asked.year.saturating_add(1))?,
        group_by,
        filters: facility.collect::<BTreeMap<_, _>>(),
        gwp_set: None,
        run: None,
    };
    let grant = visitor.grant::<ReadResults>()?;
    blocking(app, visitor, move |parts| engine::footprint(parts, &grant, &query)).await
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
        Some(text) => text.parse().map_err(|_| refused(AskError::BadCursor))?,
        None => 0,
    };
    let grant = visitor.grant::<ReadResults>()?;
    let page = LinePage { after, limit: LINES };
    blocking(app, visitor, move |parts| trace_figure(parts, &grant, &figure, page)).await
}

/// Asks where waiting is allowed: the engine reads files and calculates.
async fn blocking<T: Send + 'static>(
    app: &App,
    visitor: &Visitor,
    ask: impl FnOnce(&TenantParts) -> Result<T, AskError> + Send + 'static,
) -> Result<T, Refusal> {
    let parts = visitor.tenant.parts().clone();
    let answer = app.tracker().spawn_blocking(move || ask(&parts)).await;
    answer.context("wait for the engine")?.map_err(refused)
}

fn refused(error: AskError) -> Refusal {
    match error {
        AskError::NoRun => {
            Problem::not_found("Nothing was calculated yet. Load the page again in a second.")
                .into()
        }
        AskError::BadCursor => Problem::invalid_cursor(error.to_string()).into(),
        AskError::PeriodReversed
        | AskError::UnknownGwpSet(_)
        | AskError::UnknownWord { .. }
        | AskError::NoActivity => nothing_here().into(),
        AskError::TooLarge | AskError::Unexpected(_) => anyhow::Error::from(error).into(),
    }
}
