//! The admin listener: is the process alive, is it ready, what has it counted.

use core::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use envora_store::audit::audit_head;
use envora_store::readers::ReadError;
use envora_store::writer::WriterState;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::gauges;

/// How long a database has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The router of the admin listener.
pub fn router(app: &App) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(app.clone())
}

/// Touches nothing: a slow disk must not restart the process.
async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<App>) -> Response {
    let mut checks = Map::new();
    let mut writers = "ok";
    for tenant in app.tenants().all() {
        match tenant.parts().db.state() {
            WriterState::Open => {}
            WriterState::ReadOnly => writers = "read_only",
            WriterState::Damaged => writers = "data_integrity",
            WriterState::Stopped => writers = "stopped",
        }
    }
    checks.insert("writers".to_owned(), Value::from(writers));
    let database = database(&app).await;
    checks.insert("database".to_owned(), Value::from(database));
    let serving = if app.stop().is_cancelled() { "draining" } else { "ok" };
    checks.insert("serving".to_owned(), Value::from(serving));
    let (calculation, tenants) = calculation(&app).await;
    checks.insert("calculation".to_owned(), Value::from(calculation));
    // Reading and writing go on while figures fall behind, and another process would fail at the same
    // step: nobody is sent away for it.
    let ready = writers != "stopped" && database == "ok" && serving == "ok";
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": ready, "checks": checks, "tenants": tenants }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whether any tenant's database answers: what one tenant lacks is no reason to send all away, but a
/// server of databases that is gone is.
async fn database(app: &App) -> &'static str {
    let mut asked = false;
    for tenant in app.tenants().all() {
        asked = true;
        let answer = tenant.parts().db.read(audit_head);
        // One that is damaged or busy answers: it says so.
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Err(_) | Ok(Err(ReadError::Unexpected(_) | ReadError::Stopped)) => {}
            Ok(Ok(_) | Err(ReadError::Overloaded | ReadError::DataIntegrity(_))) => return "ok",
        }
    }
    if asked { "unreachable" } else { "ok" }
}

/// Whether figures keep up with what is stored, in a word and by tenant.
async fn calculation(app: &App) -> (&'static str, Vec<Value>) {
    let (mut word, mut tenants) = ("ok", Vec::new());
    for tenant in app.tenants().all() {
        let behind = gauges::behind(&tenant).await;
        let mut told = json!({ "tenant": tenant.id().to_string(), "calculation": "ok" });
        if let Some(behind) = behind {
            told["calculated_to"] = behind.calculated_to.into();
            told["head"] = behind.head.into();
            told["lag_ms"] = behind.lag_ms(app.clock().now()).into();
        }
        if let Some(stall) = tenant.parts().calculation.stall() {
            word = "degraded";
            told["calculation"] = "failing".into();
            told["since"] = stall.since.to_string().into();
            told["code"] = stall.code.as_str().into();
            told["failures"] = stall.failures.into();
            told["detail"] = stall.reason.into();
        }
        tenants.push(told);
    }
    (word, tenants)
}

async fn metrics(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], gauges::text(&app).await).into_response()
}
