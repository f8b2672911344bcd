//! The edge: what every request passes on its way in and every answer on its way out.
//!
//! Request id and span, the one place that turns problems into bodies, panics into 500, and what the
//! framework refuses by itself into problems; security headers; one line in the log per request.

use core::time::Duration;
use std::any::Any;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, RETRY_AFTER,
    TRANSFER_ENCODING, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use envora_api::codes::Code;
use envora_api::media;
use envora_api::problems::Problem;
use envora_domain::base32;
use envora_domain::planted::planted;
use tracing::Instrument as _;

use crate::app::App;
use crate::decoding::{self, Encoding};
use crate::gate;
use crate::lingering::lingering;
use crate::metrics::Answered;
use crate::pages;
use crate::refusals::{self, Refusal};
use crate::routes;
use crate::serving::LAST_WORDS;

/// How long a request may take in all.
const PATIENCE: Duration = Duration::from_secs(300);

/// The id of a request, echoed or made.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Which type the answer goes out in; absent where a route has types of its own.
#[derive(Clone, Copy, Debug)]
pub struct AnswerType(pub &'static str);

/// The outermost layer.
pub async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = app.clock().monotonic_us();
    let id = request_id(&app, request.headers());
    let path = printable(request.uri().path());
    let wants_page = wants_page(request.headers(), &path);
    let method = method_name(request.method());
    let is_packed_badly = Encoding::of(request.headers()).is_err();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (parts, body) = request.into_parts();
    // Beside it a Content-Length is taken off before anybody here sees it: such a connection is not used
    // again, so that nobody's idea of where the request ends can reach the next one.
    let is_chunked = parts.headers.contains_key(TRANSFER_ENCODING);
    let body = lingering(body, &parts.headers, &app);
    let request = Request::from_parts(parts, body);
    let span = tracing::info_span!("request", request.id = %id, tenant.id = tracing::field::Empty);
    let outcome = async {
        if planted("address_in_log") {
            tracing::info!(address = %request.uri(), "a request came");
        }
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .and_then(|path| app.route_template(path.as_str()))
            .unwrap_or("unmatched");
        let response = answer(&app, request, next).await;
        if let Some(refusal) = response.extensions().get::<Refusal>()
            && let Some(code) = Code::ALL.iter().find(|known| known.as_str() == refusal.code())
        {
            app.metrics().problem(code.as_str());
        }
        let takes = if is_packed_badly {
            Some((ACCEPT_ENCODING, decoding::TAKEN))
        } else {
            routes::taken(route, method).map(|types| (ACCEPT, types))
        };
        let mut response = finish(response, &Ending { id: &id, path: &path, wants_page, takes });
        if is_chunked {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let micros = app.clock().monotonic_us().saturating_sub(started);
        let status = response.status().as_u16();
        app.metrics().answered(Answered { method, route, status, micros });
        tracing::info!(method, route, status, duration_us = micros, "answered a request");
        response
    };
    outcome.instrument(span).await
}

/// The answer, within the time that a request may take and that the server has.
async fn answer(app: &App, request: Request, next: Next) -> Response {
    if app.stop().is_cancelled() {
        let detail =
            "The server is shutting down and begins nothing new. Send it again in a moment.";
        return Refusal::from(Problem::draining(detail)).into_response();
    }
    if let Err(problem) = gate::said_once(request.headers()) {
        return Refusal::from(problem).into_response();
    }
    let given_up = async {
        app.late().cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    let problem = tokio::select! {
        response = next.run(request) => return response,
        () = tokio::time::sleep(PATIENCE) => Problem::gateway_timeout(
            "The request took longer than five minutes. Ask for less at once.",
        ),
        () = given_up => Problem::draining(
            "The server is shutting down and had no time left for this. Whether it was stored is not known, so send it again with the same idempotency key.",
        ),
    };
    Refusal::from(problem).into_response()
}

/// What the end of a request needs to know of its beginning.
struct Ending<'a> {
    id: &'a str,
    path: &'a str,
    wants_page: bool,
    /// What a body may be that is not as this one is.
    takes: Option<(HeaderName, &'static str)>,
}

fn finish(mut response: Response, ending: &Ending<'_>) -> Response {
    let refusal = response.extensions_mut().remove::<Refusal>();
    let own_words = is_own_words(&response);
    if let Some(Refusal(problem)) = refusal {
        response = render(*problem, response, ending);
    } else if (response.status().is_client_error() || response.status().is_server_error())
        && !own_words
    {
        response = render(refusals::of_status(response.status()), response, ending);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
        .entry("content-security-policy")
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(VARY).or_insert(HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Ok(id) = HeaderValue::from_str(ending.id) {
        headers.insert(HeaderName::from_static(media::REQUEST_ID), id);
    }
    response
}

/// Whether an error is already in words of ours: a page, or a problem.
fn is_own_words(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html") || kind == media::PROBLEM)
}

fn render(mut problem: Problem, before: Response, ending: &Ending<'_>) -> Response {
    ending.id.clone_into(&mut problem.request_id);
    ending.path.clone_into(&mut problem.instance);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if ending.wants_page {
        pages::problem_page(&problem)
    } else {
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media::PROBLEM));
        response
    };
    *response.status_mut() = status;
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE
        && let Some((name, taken)) = &ending.takes
    {
        response.headers_mut().insert(name, HeaderValue::from_static(taken));
    }
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // What the refusal said in headers (Allow, Accept, WWW-Authenticate) stays.
    for (name, value) in before.headers() {
        if !matches!(name.as_str(), "content-type" | "content-length") {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The id a client sent, if it is one of ours to repeat; else a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let sent = headers.get(media::REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    sent.filter(is_plain).map_or_else(
        || {
            let mut random = [0_u8; 16];
            app.entropy().fill(&mut random);
            base32::encode(random)
        },
        str::to_owned,
    )
}

/// A browser asks for a page; API paths answer programs, whoever asks.
fn wants_page(headers: &HeaderMap, path: &str) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    !path.starts_with("/v2/") && accept.contains("text/html")
}

/// A path as it may stand in a log and an answer.
fn printable(path: &str) -> String {
    path.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

fn method_name(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// Turns a panic of a handler into a 500. What it said may hold data, so it is not repeated.
pub fn panicked(
    app: App,
) -> impl Fn(Box<dyn Any + Send + 'static>) -> Response + Clone + Send + Sync + 'static {
    move |_| {
        app.metrics().panicked();
        tracing::error!("a handler panicked; the request got 500");
        Refusal::from(refusals::internal()).into_response()
    }
}
