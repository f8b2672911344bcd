//! Corrections of an activity by form: another quantity in its place, or none at all, with a reason.

use axum::Extension;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use envora_api::activities::Activity;
use envora_api::media;
use envora_api::problems::Problem;
use envora_api::writes::WriteAnswer;
use envora_domain::access::actions::WriteActivities;
use envora_domain::hash::Digest;
use serde_json::{Map, Value, json};

use super::questions;
use super::visits::{Shown, activity_page, form, own_form, to};
use crate::access::Visitor;
use crate::app::App;
use crate::edge::RequestId;
use crate::endpoints::activities;
use crate::params::Params;
use crate::refusals::Refusal;

/// `POST /activities/{id}`: supersedes the activity, or voids it.
pub(super) async fn sent(
    State(app): State<App>,
    visitor: Visitor,
    (Extension(request), OriginalUri(uri)): (Extension<RequestId>, OriginalUri),
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    own_form(&headers)?;
    if visitor.actor.is_none() {
        return Ok(to("/sign-in"));
    }
    let fields = form(body).await?;
    fields.only(&["act", "quantity", "reason"])?;
    let (activity, _) = questions::activity(&app, &visitor, &id).await?;
    let written = match row(&activity, &fields) {
        Ok(row) => {
            let bytes = json!({ "activities": [row] }).to_string();
            let (headers, allowed) =
                (headers_of(&id, &bytes), visitor.allowed::<WriteActivities>()?);
            let sent = (Params::of_pairs([]), headers);
            let (state, uri) = (State(app.clone()), OriginalUri(uri));
            activities::add(state, allowed, Extension(request), uri, sent, Body::from(bytes)).await
        }
        Err(problem) => Err(problem.into()),
    };
    match written {
        Ok(reply) => {
            let answer: WriteAnswer = reply.read()?;
            let new = answer.results.first().and_then(|row| row.id);
            Ok(to(&new
                .map_or_else(|| format!("/activities/{id}"), |new| format!("/activities/{new}"))))
        }
        Err(Refusal(problem)) if problem.status < 500 => {
            activity_page(&app, &visitor, (&id, 1), Some((&problem, &fields))).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// The row that takes the activity's place.
fn row(activity: &Activity, fields: &Params) -> Result<Map<String, Value>, Problem> {
    let reason = fields.one("reason")?.map_or("", str::trim);
    if reason.is_empty() {
        return Err(Problem::malformed_body(
            "Say why, in a few words: the reason stays with the row.",
        ));
    }
    let mut row = Map::new();
    match fields.one("act")? {
        Some("void") => {
            row.insert("void".to_owned(), true.into());
        }
        Some("supersede") => {
            // The same row with another quantity. Its own id stays with the old one.
            let own = |name: &str| {
                matches!(
                    name,
                    "origin" | "external_id" | "supersedes" | "supersede_reason" | "void"
                )
            };
            row.extend(activity.fields.clone().into_iter().filter(|(name, _)| !own(name)));
            let quantity = fields.one("quantity")?.map_or("", str::trim);
            if quantity.is_empty() {
                return Err(Problem::malformed_body("Write the quantity that is right."));
            }
            row.insert("quantity".to_owned(), quantity.into());
        }
        Some(_) | None => return Err(Problem::malformed_body("act is supersede or void.")),
    }
    row.insert("supersedes".to_owned(), activity.id.to_string().into());
    row.insert("supersede_reason".to_owned(), reason.into());
    Ok(row)
}

/// The headers of the write. The key is made of what is sent: the same form twice is one correction.
fn headers_of(id: &str, bytes: &str) -> HeaderMap {
    let key = Digest::of(format!("{id} {bytes}").as_bytes()).hex();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::JSON));
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert(HeaderName::from_static(media::IDEMPOTENCY_KEY_X), key);
    }
    headers
}
