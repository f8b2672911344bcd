//! `…/data-quality`: how much of what was to be expected is there, and what it stands on.

use axum::extract::State;
use envora_api::quality::DataQuality;
use envora_domain::access::actions::ReadResults;
use envora_ingest::footprint::quality::{SourcePage, quality};

use super::footprints::{blocking, query};
use crate::access::Allowed;
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::cursors::{self, Place, Walk};
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const QUALITY: &str = "/v2/organizations/{org_id}/data-quality";
const KNOWN: &[&str] =
    &["from", "to", "gwp_set", "run", "facility_id", "entity_id", "source_id", "limit", "cursor"];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadResults, _, _>(QUALITY, read)
            .says("The quality of a period's data: each source month by month, shares of the CO2e, flags, what does not count.")
            .asks(&[
                ("from", "The first day; 1 January of the year of `to`, or of this year, when absent."),
                ("to", "The day after the last; a year after `from` when absent."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
                ("run", "The run; the current one when absent."),
                ("facility_id", "A facility's id or code; may be repeated."),
                ("entity_id", "A legal entity's id or code: its rows are those that name it, and those that name none at its facilities; may be repeated."),
                ("source_id", "A source's id or code; may be repeated."),
                ("limit", "How many sources, 1 to 1000; 100 when absent."),
                ("cursor", "The page of sources to continue from."),
            ])
            .gives(200, Shape::one::<DataQuality>()),
    ]
}

pub(crate) async fn read(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    params: Params,
) -> Answer {
    params.only(KNOWN)?;
    let (parts, grant, now) = (allowed.tenant.parts().clone(), allowed.grant, app.clock().now());
    let walk = Walk { route: QUALITY, params: &params };
    let place = cursors::decode(&parts.keys, walk, now)?;
    let after = place.map(|place| place.after).unwrap_or_default();
    let page = SourcePage { after, limit: params.limit()? };
    let query = query(&params, now.utc_day())?;
    let asked = parts.clone();
    let mut found = blocking(&app, move || quality(&asked, &grant, (&query, &page))).await?;
    found.next_cursor = found
        .next_cursor
        .map(|after| cursors::encode(&parts.keys, walk, Place { after, seq: 0 }, now));
    let next = found.next_cursor.as_ref();
    let next =
        next.map(|cursor| cursors::next_path(&allowed.tenant.path(QUALITY), &params, cursor));
    Ok(Reply::ok(&found)?.next(next.as_deref()))
}
