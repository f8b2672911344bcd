//! `…/imports/{id}/events`: how an import comes along, as it happens (server-sent events).
//!
//! The first event tells the present state, whatever was told before: who comes back after a break has
//! missed nothing that still matters. Then one follows whenever that changed, and the last one ends the
//! stream. What is told is what the import itself answers.

use core::convert::Infallible;
use core::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use envora_api::imports::ImportEvent;
use envora_api::media;
use envora_api::writes::Counts;
use envora_domain::access::actions::ReadActivities;
use envora_domain::id::ImportId;
use futures_util::stream::unfold;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::imports::found;
use crate::access::{Allowed, StillIn, nothing_here};
use crate::app::App;
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

const EVENTS: &str = "/v2/organizations/{org_id}/imports/{id}/events";

/// What an event is called while others are to follow, and what the last one is.
const PROGRESS: &str = "import.progress";
const FINISHED: &str = "import.finished";

/// How long there is between two events at least.
const PACE: Duration = Duration::from_millis(100);
/// How long nothing is heard before it is looked again: a lost signal costs this much. Who asks is
/// looked up as often.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// How long a stream lasts at most; who still wants to know opens it anew.
const STREAM_MAX: Duration = Duration::from_secs(3_600);
/// After how long a browser opens a stream again that broke off.
const COME_BACK: Duration = Duration::from_secs(2);

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(EVENTS, watch)
            .says("Tells how an import comes along, as server-sent events: its present state at once, then each change of its state and of how far it is. The last event ends the stream; after a break, ask again, and the present state comes anew.")
            .gives(200, Shape::stream::<ImportEvent>("Events `import.progress`, and as the last one `import.finished`; the data of each is an ImportEvent."))
            .as_types(&[media::EVENTS]),
    ]
}

async fn watch(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
) -> Result<Response, Refusal> {
    let who = StillIn::by_token(&headers);
    stream(app, (allowed, who), &id, &params).await
}

/// The events of an import, for as long as who asks may see them.
pub(crate) async fn stream(
    app: App,
    (allowed, who): (Allowed<ReadActivities>, StillIn),
    id: &str,
    params: &Params,
) -> Result<Response, Refusal> {
    params.only(&[])?;
    let id = ImportId::parse(id).map_err(|_| nothing_here())?;
    let changes = allowed.tenant.import_changes();
    let import = found(&allowed, id).await?.ok_or_else(nothing_here)?;
    let watching = Watching {
        _turn: allowed.tenant.stream_turn()?,
        until: Instant::now() + STREAM_MAX,
        first: Some(ImportEvent::of(&import)),
        told: None,
        app,
        allowed,
        who,
        changes,
    };
    let events = unfold(Some(watching), watching_on);
    let keep_alive = KeepAlive::new().interval(LOOK_AGAIN).text("nothing new");
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Somebody who watches an import.
struct Watching {
    app: App,
    allowed: Allowed<ReadActivities>,
    who: StillIn,
    changes: watch::Receiver<()>,
    /// What is told at once.
    first: Option<ImportEvent>,
    /// What was told last.
    told: Option<ImportEvent>,
    until: Instant,
    _turn: OwnedSemaphorePermit,
}

type Next = Option<(Result<Event, Infallible>, Option<Watching>)>;

async fn watching_on(watching: Option<Watching>) -> Next {
    let mut watching = watching?;
    let event = match watching.first.take() {
        Some(first) => first,
        None => watching.changed().await?,
    };
    let name = if event.is_last() { FINISHED } else { PROGRESS };
    let id = format!("{}-{}", event.status, event.bytes_done.max(event.bytes_arrived));
    let told = Event::default().event(name).id(id).retry(COME_BACK).json_data(&event).ok()?;
    let on = (!event.is_last()).then(|| {
        watching.told = Some(event);
        watching
    });
    Some((Ok(told), on))
}

impl Watching {
    /// What the import has come to since; nothing when the stream is over.
    async fn changed(&mut self) -> Option<ImportEvent> {
        let id = self.told.as_ref()?.id;
        let stop = self.app.stop().clone();
        let mut heard = tokio::time::sleep(PACE);
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = heard => {}
            }
            if Instant::now() >= self.until || !self.who.holds(&self.allowed, &self.app).await {
                return None;
            }
            self.changes.mark_unchanged();
            let mut moved = self.allowed.tenant.progress_of(id).map(|progress| progress.moved());
            // Who cannot be told is not left waiting: the stream ends, and they ask themselves.
            let event = match found(&self.allowed, id).await.ok()? {
                Some(import) => ImportEvent::of(&import),
                None => ImportEvent {
                    status: "canceled".to_owned(),
                    bytes_done: 0,
                    rows: 0,
                    counts: Counts::default(),
                    ..self.told.clone()?
                },
            };
            if self.told.as_ref() != Some(&event) {
                return Some(event);
            }
            let stepped = async {
                match &mut moved {
                    Some(moved) => drop(moved.changed().await),
                    None => core::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return None,
                _ = self.changes.changed() => {}
                () = stepped => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            heard = tokio::time::sleep(PACE);
        }
    }
}
