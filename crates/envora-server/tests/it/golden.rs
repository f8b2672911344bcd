//! P23, old files open for ever: a folder that the first program wrote, opened by this one.
//!
//! Its schema is version 1, and its one factor pack is not in this program any more. The golden folder
//! is never changed; `tests/golden-folder/README.md` says how it was made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use envora_domain::ports::Clock as _;
use envora_domain::time::Span;
use envora_ingest::process::recount::recount;
use envora_server::app::App;
use envora_server::folder::doctor::{Health, doctor};
use envora_server::folder::open::open;
use envora_server::{routes, serving};
use envora_testkit::scratch::copy_folder;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::house::{apart, world};

fn golden() -> PathBuf {
    PathBuf::from("tests/golden-folder/schema-1")
}

/// What the program that wrote it answered.
fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(golden().join("expected.json")).unwrap()).unwrap()
}

/// The folder, open, and its operator.
struct Old {
    app: App,
    router: Router,
    token: String,
}

impl Old {
    /// Opened a month after it was written.
    fn open(data: &Path) -> Self {
        let (world, clock) = world();
        clock.advance(Span::from_secs(30 * 86_400));
        assert!(
            clock.now() > envora_domain::time::Timestamp::parse("2026-12-01T00:00:00Z").unwrap()
        );
        let app = apart(|| open(data, world, None)).unwrap();
        let router = routes::router(&app);
        Self { app, router, token: expected()["token"].as_str().unwrap().to_owned() }
    }

    async fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v2/organizations/acme{path}"))
            .header("host", "acme.localhost")
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-idempotency-key", "key-of-this-request");
        let request = request.body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn totals(&self) -> Value {
        let (status, footprint) =
            self.ask("GET", "/carbon-footprint?from=2022-01-01&to=2023-01-01").await;
        assert_eq!(status, 200, "{footprint}");
        footprint["totals"].clone()
    }

    fn step(&self) -> Result<(), String> {
        let tenants: Vec<_> = self.app.tenants().all().collect();
        let done = apart(|| tenants[0].processor().catch_up().map(drop));
        done.map_err(|error| format!("{error:#}"))
    }

    async fn close(self) {
        drop(self.router);
        serving::close(&self.app).await.unwrap();
    }
}

/// Every total that stood in the old answer stands in the new one, id and digits.
#[track_caller]
fn as_then(totals: &Value, due: &Value) {
    for (name, total) in due.as_object().unwrap() {
        assert_eq!(totals[name]["value"], total["value"], "{name}");
        assert_eq!(totals[name]["figure_id"], total["figure_id"], "{name}");
    }
}

#[tokio::test]
async fn p23_the_first_programs_folder_opens_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    copy_folder(&golden().join("data"), &data);
    let expected = expected();
    let due = &expected["totals"];

    let examined = apart(|| doctor(&data, &world().0, None));
    assert!(examined.iter().all(|check| check.health != Health::Bad), "{examined:?}");
    let packs = examined.iter().find(|check| check.name.starts_with("packs of ten_")).unwrap();
    assert!(packs.detail.contains("desnz-2022, version 1"), "{packs:?}");
    assert!(packs.remedy.as_ref().unwrap().contains("envora factors activate desnz-2022"));

    let old = Old::open(&data);
    let figure = due["scope1"]["figure_id"].as_str().unwrap().to_owned();
    // What was said then is said now; what it was made of is not here.
    as_then(&old.totals().await, due);
    let trace = format!("/figures/{figure}/trace");
    let (status, problem) = old.ask("GET", &trace).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("other_rules")), "{problem}");
    let stuck = old.step().unwrap_err();
    assert!(stuck.contains("envora factors activate desnz-2022"), "{stuck}");
    as_then(&old.totals().await, due);
    let (status, head) = old.ask("GET", "/audit/checkpoint").await;
    assert_eq!((status, &head["root"], &head["size"]), (200, &expected["root"], &expected["size"]));
    let (_, listed) = old.ask("GET", "/activities?limit=100").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 52, "every row that was acknowledged");

    // Its pack is taken up as this program has it: everything is worked out anew, beside the old.
    let (status, pack) = old.ask("POST", "/factor-packs/desnz-2022/activate").await;
    assert_eq!((status, &pack["active"]), (200, &Value::Bool(true)), "{pack}");
    old.step().unwrap();
    let now = old.totals().await;
    for (name, total) in due.as_object().unwrap() {
        assert_eq!(now[name]["value"], total["value"], "{name}: the edition is the same");
        assert_ne!(now[name]["figure_id"], total["figure_id"], "{name}: the run is another");
    }
    for name in ["scope1", "scope2_location", "scope2_market", "scope3"] {
        let id = now[name]["figure_id"].as_str().unwrap();
        let (status, trace) = old.ask("GET", &format!("/figures/{id}/trace")).await;
        assert_eq!((status, &trace["replay"]), (200, &Value::from("equal")), "{name}: {trace}");
    }
    let parts = Arc::clone(old.app.tenants().all().next().unwrap().parts());
    assert!(apart(|| recount(&parts)).unwrap().differences.is_empty());
    drop(parts);
    let (status, _) = old.ask("GET", &trace).await;
    assert_eq!(status, 409, "the old run is still of another program");
    old.close().await;

    let again = Old::open(&data);
    assert_eq!(again.totals().await, now);
    again.close().await;
}

#[test]
fn a_lost_source_file_is_missed() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    copy_folder(&golden().join("data"), &data);
    let sources = || {
        let checks = apart(|| doctor(&data, &world().0, None));
        checks.into_iter().find(|check| check.name.starts_with("source files")).unwrap()
    };
    assert_eq!(sources().health, Health::Good);
    let tenant = std::fs::read_dir(data.join("tenants")).unwrap().next().unwrap().unwrap().path();
    let source = std::fs::read_dir(tenant.join("sources")).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(source).unwrap();
    let found = sources();
    assert!(found.health == Health::Bad && found.remedy.is_some(), "{found:?}");
    assert!(found.detail.contains("not there"), "{found:?}");
}
