//! `…/emissions`: the lines that the figures of a period are sums of.

use axum::extract::State;
use envora_api::emissions::{Emission, Emissions};
use envora_api::problems::Problem;
use envora_domain::access::actions::ReadResults;
use envora_domain::id::RunId;
use envora_ingest::trace::emissions::{LinePlace, emissions};

use super::footprints::{blocking, query};
use crate::access::Allowed;
use crate::answers::Answer;
use crate::app::App;
use crate::cursors::{self, Place, Walk};
use crate::listing::Cut;
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const EMISSIONS: &str = "/v2/organizations/{org_id}/emissions";
const KNOWN: &[&str] = &[
    "from",
    "to",
    "gwp_set",
    "run",
    "as_of",
    "scope",
    "category",
    "facility_id",
    "entity_id",
    "source_id",
    "type",
    "fields",
    "limit",
    "cursor",
];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadResults, _, _>(EMISSIONS, list)
            .says("Lists the lines that a period's figures are sums of, oldest commit first.")
            .asks(&[
                (
                    "from",
                    "The first day; 1 January of the year of `to`, or of this year, when absent.",
                ),
                ("to", "The day after the last; a year after `from` when absent."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
                ("run", "The run; the current one when absent."),
                (
                    "as_of",
                    "An instant: the answer as it was known then, by the run that was current.",
                ),
                ("scope", "1, 2 or 3; may be repeated."),
                ("category", "A category of scope 3; may be repeated."),
                ("facility_id", "A facility's id or code; may be repeated."),
                (
                    "entity_id",
                    "A legal entity's id or code: its rows are those that name it, and those that name none at its facilities; may be repeated.",
                ),
                ("source_id", "A source's id or code; may be repeated."),
                ("type", "An activity type; may be repeated."),
                ("fields", "Only these fields of each, separated by commas."),
                ("limit", "How many lines at most, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
            ])
            .gives(200, Shape::one::<Emissions>()),
    ]
}

async fn list(State(app): State<App>, allowed: Allowed<ReadResults>, params: Params) -> Answer {
    params.only(KNOWN)?;
    let cut = Cut::of::<Emission>(&params)?;
    let (parts, grant, now) = (allowed.tenant.parts().clone(), allowed.grant, app.clock().now());
    let walk = Walk { route: EMISSIONS, params: &params };
    let invalid =
        || Problem::invalid_cursor("This is no cursor of emissions. Start again without one.");
    let from = cursors::decode(&parts.keys, walk, now)?
        .map(|place| parse(&place).ok_or_else(invalid))
        .transpose()?;
    let (query, limit) = (query(&params, now.utc_day())?, params.limit()?);
    let asked = parts.clone();
    let (mut told, next) =
        blocking(&app, move || emissions(&asked, &grant, &query, (from, limit))).await?;
    told.next_cursor = next.map(|next| cursors::encode(&parts.keys, walk, place(&next), now));
    let next = told.next_cursor.as_ref();
    let next =
        next.map(|cursor| cursors::next_path(&allowed.tenant.path(EMISSIONS), &params, cursor));
    Ok(cut.page_counted(&told, None)?.next(next.as_deref()))
}

/// Where the next page begins, as its cursor says it.
fn place(line: &LinePlace) -> Place {
    let after = format!("{} {} {} {}", line.run, line.segment, line.row, line.line);
    Place { after, seq: line.seq }
}

fn parse(place: &Place) -> Option<LinePlace> {
    let mut words = place.after.split(' ');
    Some(LinePlace {
        run: RunId::parse(words.next()?).ok()?,
        seq: place.seq,
        segment: words.next()?.parse().ok()?,
        row: words.next()?.parse().ok()?,
        line: words.next()?.parse().ok()?,
    })
}
