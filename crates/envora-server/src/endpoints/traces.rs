//! `…/figures/{id}/trace` and `…/activities/{id}/trace`: from a number to bytes, factor and proof.

use axum::extract::{Path, State};
use envora_api::problems::Problem;
use envora_api::traces::{ActivityFigures, ActivityTrace, FactorFigures, Trace, Unresolved};
use envora_domain::access::actions::ReadResults;
use envora_domain::factors::FactorId;
use envora_domain::figures::Figure;
use envora_domain::gwp::GwpSet;
use envora_domain::id::ActivityId;
use envora_ingest::trace::touched::{Within, touched, touched_by_factor, years_with_rows};
use envora_ingest::trace::{LinePage, trace_activity, trace_figure};

use super::footprints::{blocking, query};
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::cursors::{self, Place, Walk};
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const FIGURE: &str = "/v2/organizations/{org_id}/figures/{figure_id}/trace";
const ACTIVITY: &str = "/v2/organizations/{org_id}/activities/{activity_id}/trace";
const FIGURES: &str = "/v2/organizations/{org_id}/activities/{activity_id}/figures";
const FACTOR: &str = "/v2/organizations/{org_id}/factors/{id}/figures";
/// Lines of a page when nothing is said: each brings its own proofs.
const LINES_DEFAULT: usize = 20;
/// Lines that a page may have.
const LINES_MAX: usize = 1_000;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadResults, _, _>(FIGURE, figure)
            .says("Works a figure out again from the stored rows and tells its lines.")
            .asks(&[
                ("limit", "How many lines, 1 to 1000; 20 when absent."),
                ("cursor", "The page to continue from."),
            ])
            .gives(200, Shape::one::<Trace>()),
        Route::get::<ReadResults, _, _>(ACTIVITY, activity)
            .says("Tells what became of one activity, with all its lines.")
            .asks(&[("gwp_set", "The GWP set of CO2e; `published` when absent.")])
            .gives(200, Shape::one::<ActivityTrace>()),
        Route::get::<ReadResults, _, _>(FIGURES, figures)
            .says("Tells the figures that an activity is part of, and what it adds to each.")
            .asks(&[
                ("from", "The first day; 1 January of the activity's first year when absent."),
                ("to", "The day after the last; the end of the activity's last year when absent."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
            ])
            .gives(200, Shape::one::<ActivityFigures>()),
        Route::get::<ReadResults, _, _>(FACTOR, factor)
            .says(
                "Tells the figures of a period that a factor is part of, and what it adds to each.",
            )
            .asks(&[
                (
                    "from",
                    "The first day; 1 January of the year of `to` when absent. Without both, all years in which something counts.",
                ),
                ("to", "The day after the last; a year after `from` when absent."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
            ])
            .gives(200, Shape::one::<FactorFigures>()),
    ]
}

async fn figure(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["limit", "cursor"])?;
    let figure = Figure::parse(&id).map_err(|_| nothing_here())?;
    let limit = params.read("limit", "1 to 1000", |text| {
        text.parse::<usize>().ok().filter(|limit| (1..=LINES_MAX).contains(limit))
    })?;
    let limit = limit.unwrap_or(LINES_DEFAULT) as u64;
    let (parts, grant, now) = (allowed.tenant.parts().clone(), allowed.grant, app.clock().now());
    let walk = Walk { route: FIGURE, params: &params };
    let after = match cursors::decode(&parts.keys, walk, now)? {
        Some(place) if place.seq != figure.seq => {
            return Err(Problem::cursor_filter_mismatch(
                "The cursor belongs to another figure. Start again without one.",
            )
            .into());
        }
        Some(place) => place.after.parse().map_err(|_| {
            Problem::invalid_cursor("This is no cursor of a trace. Start again without one.")
        })?,
        None => 0,
    };
    let asked = parts.clone();
    let seq = figure.seq;
    let mut trace =
        blocking(&app, move || trace_figure(&asked, &grant, &figure, LinePage { after, limit }))
            .await?;
    trace.lines.next_cursor = trace
        .lines
        .next_cursor
        .map(|after| cursors::encode(&parts.keys, walk, Place { after, seq }, now));
    let path = allowed.tenant.path(FIGURE).replace("{figure_id}", &id);
    let next = trace.lines.next_cursor.as_ref();
    let next = next.map(|cursor| cursors::next_path(&path, &params, cursor));
    Ok(Reply::ok(&trace)?.next(next.as_deref()))
}

async fn activity(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["gwp_set"])?;
    let id = ActivityId::parse(&id).map_err(|_| nothing_here())?;
    let set = params.read("gwp_set", "a GWP set such as ar5", GwpSet::parse)?;
    let (parts, grant) = (allowed.tenant.parts().clone(), allowed.grant);
    let set = set.unwrap_or(GwpSet::Published);
    let found = blocking(&app, move || trace_activity(&parts, &grant, id, set)).await?;
    Reply::ok(&ActivityTrace {
        activity: id,
        state: found.state.to_owned(),
        unresolved: found.unresolved.map(|(code, remedy)| Unresolved { code, remedy }),
        nothing: found.nothing,
        lines: found.lines,
    })
}

pub(crate) async fn figures(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["from", "to", "gwp_set"])?;
    let id = ActivityId::parse(&id).map_err(|_| nothing_here())?;
    let within = Within {
        from: params.day("from")?,
        to: params.day("to")?,
        gwp_set: params.one("gwp_set")?.map(str::to_owned),
    };
    let (parts, grant) = (allowed.tenant.parts().clone(), allowed.grant);
    Reply::ok(&blocking(&app, move || touched(&parts, &grant, (id, &within))).await?)
}

pub(crate) async fn factor(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["from", "to", "gwp_set"])?;
    let (parts, grant) = (allowed.tenant.parts().clone(), allowed.grant);
    let id = FactorId::parse(&id).ok_or_else(nothing_here)?;
    let known = parts.clone();
    blocking(&app, move || known.factor(&id).map_err(Into::into))
        .await?
        .ok_or_else(nothing_here)?;
    let mut query = query(&params, app.clock().now().utc_day())?;
    let says_when = params.one("from")?.is_some() || params.one("to")?.is_some();
    let ask = move || {
        if !says_when && let Some(all) = years_with_rows(&parts, grant)? {
            (query.from, query.to) = (all.from, all.to);
        }
        touched_by_factor(&parts, &grant, (id, &query))
    };
    Reply::ok(&blocking(&app, ask).await?)
}
