//! The pages people look at: sign-in, footprint, trace.
//!
//! Each page is made from wire types by one pure function and an askama template; nothing comes from
//! elsewhere, and the content policy says so. None needs a script, but for the upload of files in parts:
//! the pages of imports have one, and only they allow it. What is shown, the API answers too: a page
//! knows no SQL and no rule of accounting.

mod activities;
mod activity;
mod answers;
mod assets;
mod audit;
mod audit_entry;
mod charts;
mod checklist;
mod corrections;
mod divisions;
pub(crate) mod docs;
mod facilities;
mod factors;
mod footprint;
mod footprint_csv;
mod imports;
mod lines;
mod open_imports;
mod problem;
mod problems;
mod quality;
mod questions;
mod settings;
mod shell;
mod sign_in;
mod touched;
mod trace;
mod uploads;
mod visits;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod looks;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post, put};
use envora_api::problems::Problem;

use crate::app::App;

/// The paths of the pages, as the router knows them.
pub const PATHS: &[&str] = &[
    "/",
    "/.well-known/security.txt",
    "/activities",
    "/activities.csv",
    "/activities/{id}",
    "/activities/{id}/figures",
    "/audit",
    "/audit/{seq}",
    "/docs",
    "/docs/api",
    "/docs/api/{area}",
    "/docs/errors",
    "/docs/{document}",
    "/docs/{shelf}/{document}",
    "/facilities",
    "/factors",
    "/factors/{id}",
    "/factors/{id}/figures",
    "/figures/{id}",
    "/footprint.csv",
    "/imports",
    "/imports/{id}",
    "/imports/{id}/error-file",
    "/imports/{id}/cancel",
    "/imports/{id}/commit",
    "/imports/{id}/events",
    "/imports/{id}/mapping",
    "/imports/{id}/parts/{number}",
    "/imports/{id}/state",
    "/imports/open",
    "/imports/propose",
    "/quality",
    "/quality.csv",
    "/settings",
    "/sign-in",
    "/sign-out",
    "/static/{name}",
];

/// What a page may do in a browser: show itself with its own style, and send its own forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for a page with the one script that there is: it may run, and ask this very server.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The routes of the pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(visits::home))
        .route("/activities", get(activities::list))
        .route("/activities.csv", get(activities::csv))
        .route("/activities/{id}/figures", get(touched::activity))
        .route("/audit", get(audit::page_of))
        .route("/audit/{seq}", get(audit_entry::one))
        .route("/factors/{id}/figures", get(touched::factor))
        .route("/facilities", get(facilities::list).post(facilities::sent))
        .route("/factors", get(factors::list))
        .route("/factors/{id}", get(factors::one))
        .route("/footprint.csv", get(footprint_csv::csv))
        .route("/quality", get(quality::one))
        .route("/quality.csv", get(quality::csv))
        .route("/settings", get(settings::form).post(settings::sent))
        .route("/activities/{id}", get(visits::activity).post(corrections::sent))
        .route("/figures/{id}", get(visits::figure))
        .route("/imports", get(imports::list).post(imports::sent))
        .route("/imports/propose", post(imports::proposed))
        .route("/imports/open", get(uploads::open_ones).post(uploads::open))
        .route("/imports/{id}", get(imports::one))
        .route("/imports/{id}/cancel", post(open_imports::canceled))
        .route("/imports/{id}/commit", post(open_imports::committed))
        .route("/imports/{id}/mapping", post(open_imports::mapped))
        .route("/imports/{id}/parts/{number}", put(uploads::part))
        .route("/imports/{id}/state", get(uploads::state))
        .route("/imports/{id}/error-file", get(imports::error_file))
        .route("/imports/{id}/events", get(uploads::events))
        .route("/sign-in", get(visits::sign_in_form).post(visits::sign_in_sent))
        .route("/sign-out", post(visits::sign_out))
        .route("/static/{name}", get(assets::serve))
        .merge(docs::routes())
}

/// A problem as a page, with its status.
pub fn problem_page(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, show(&problem::page(problem))).into_response()
}

/// A page as an answer, with its content policy.
fn show(page: &impl Template) -> Response {
    shown_under(POLICY, page)
}

/// The same for a page with the script.
fn show_with_script(page: &impl Template) -> Response {
    shown_under(POLICY_WITH_SCRIPT, page)
}

fn shown_under(policy: &'static str, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let mut response = Html(text).into_response();
            let policy = HeaderValue::from_static(policy);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be laid out");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
