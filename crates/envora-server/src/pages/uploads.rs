//! What the script of the import pages asks: parts on their way in, and how an import comes along.
//!
//! A browser has a session and no token, so these stand beside the pages; each hands on to the handler of
//! the interface that does the same, and answers what that answers.

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;

use super::visits::{Shown, SignedIn, own_form};
use crate::access::StillIn;
use crate::app::App;
use crate::endpoints::{import_events, imports, parts};
use crate::params::Params;

/// `GET /imports/open`: the imports that are not taken in yet, with the parts that have arrived.
pub(super) async fn open_ones(
    state: State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&[])?;
    let asked = Params::of_pairs([("state", "open")]);
    Ok(imports::list(state, visitor.allowed()?, asked).await?.into_response())
}

/// `POST /imports/open`: opens an import.
pub(super) async fn open(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    OriginalUri(uri): OriginalUri,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Shown {
    own_form(&headers)?;
    let answer = parts::open(&app, visitor.allowed()?, (&uri, &params, &headers), body);
    Ok(answer.await?.into_response())
}

/// `PUT /imports/{id}/parts/{number}`: takes a part in.
pub(super) async fn part(
    state: State<App>,
    SignedIn(visitor): SignedIn,
    Path((id, number)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Shown {
    own_form(&headers)?;
    let path = Path((String::new(), id, number));
    let kept = parts::put(state, visitor.allowed()?, path, (params, headers), body).await?;
    Ok(kept.into_response())
}

/// `GET /imports/{id}/state`: an import as it is now, for who cannot be told.
pub(super) async fn state(
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    let path = Path((String::new(), id));
    Ok(imports::read(visitor.allowed()?, path, params).await?.into_response())
}

/// `GET /imports/{id}/events`: how an import comes along, as it happens.
pub(super) async fn events(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    let who = StillIn::Session(visitor.cookie.clone().unwrap_or_default());
    import_events::stream(app, (visitor.allowed()?, who), &id, &params).await
}
