//! The same input on both engines: the same figure ids, the same digits, the same trace.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::Request;
use envora_lake::os_disk::OsDisk;
use envora_server::folder::FolderError;
use envora_server::folder::doctor::{Check, Health, doctor};
use envora_server::folder::init::{Environment, init};
use envora_server::{admin, routes, serving};
use envora_testkit::postgres::{Server, server};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::house::{ACME, Answer, House, apart, opened, organization, world};

fn examples() -> PathBuf {
    PathBuf::from("../../examples/university-estate")
}

/// What `envora.toml` says to have the databases on a server, with a password that must not be seen.
pub(crate) fn on_server(server: &Server) -> String {
    let url = server.url("postgres");
    format!("[store]\nengine = \"postgres\"\nurl = \"{url} password=hush-hush\"\n")
}

/// Two meters' year, in through the doors.
async fn fed(house: &House) {
    for code in ["b2", "b24"] {
        let facility =
            json!({"code": code, "name": code, "country": "GB", "time_zone": "Europe/London"});
        assert_eq!(house.post("/facilities", &facility).await.status, 201);
    }
    for (file, mapping, facility) in [
        ("b2_electricity_2022.csv", "estate-electricity", "b2"),
        ("b24_gas_2022.csv", "estate-gas", "b24"),
    ] {
        let tree = std::fs::read(examples().join(mapping).with_extension("toml")).unwrap();
        let request = house.ask("POST", "/import-mappings");
        let request = request.header("content-type", "application/toml").body(Body::from(tree));
        let saved = house.send(request.unwrap()).await;
        assert!(saved.status < 300, "{}", saved.json());
        let query = format!("?mapping={mapping}&set=facility_code={facility}");
        let request = house
            .ask("POST", &format!("/imports{query}"))
            .header("content-type", "text/csv")
            .header("content-disposition", format!("attachment; filename=\"{file}\""))
            .header("x-idempotency-key", format!("key-of-{file}"))
            .body(Body::from(std::fs::read(examples().join(file)).unwrap()));
        let stored = house.send(request.unwrap()).await;
        assert_eq!(stored.status, 201, "{}", stored.json());
    }
    let tenants: Vec<_> = house.app.tenants().all().collect();
    apart(|| {
        for tenant in &tenants {
            tenant.processor().catch_up().unwrap();
        }
    });
}

/// The year's footprint, and the trace of a figure of it.
async fn told(house: &House) -> [Value; 2] {
    let path = "/carbon-footprint?from=2022-01-01&to=2023-01-01&group_by=month";
    let footprint = house.get(path).await.json();
    let figure = footprint["totals"]["scope2_location"]["figure_id"].as_str();
    let Some(figure) = figure else { unreachable!("no footprint: {footprint}") };
    let trace = house.get(&format!("/figures/{figure}/trace?limit=3")).await.json();
    assert_eq!(trace["replay"], "equal", "{trace}");
    [footprint, trace]
}

/// Closes the house and opens its folder again.
async fn again(house: House) -> House {
    let House { app, router, token, other_token, clock, folder } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    let app = opened(&folder.path().join("data")).unwrap();
    let router = routes::router(&app);
    House { app, router, token, other_token, clock, folder }
}

#[tokio::test]
async fn both_engines_give_the_same_figures_and_digits() {
    if server().is_none() {
        return;
    }
    // A server of its own: the seed gives tenants of all tests the same ids.
    let server = Server::start("both");
    let files = House::new();
    fed(&files).await;
    let due = told(&files).await;
    assert_ne!(due[0]["totals"]["scope1"]["value"], "0");
    let house = House::with(std::sync::Arc::new(OsDisk), &on_server(&server));
    let tenant = house.app.tenants().all().next().unwrap().id();
    let database = house.folder.path().join("data/tenants").join(tenant.hex()).join("tenant.db");
    assert!(!database.exists(), "what is on a server is not in the folder");
    fed(&house).await;
    assert_eq!(told(&house).await, due);
    let house = again(house).await;
    assert_eq!(told(&house).await, due, "and after a restart");
}

/// What the admin listener says.
async fn ready(house: &House) -> (u16, Value) {
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let response = admin::router(&house.app).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
    (answer.status, answer.json())
}

#[track_caller]
fn found<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name.starts_with(name)).unwrap()
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be_gone() {
    if server().is_none() {
        return;
    }
    let mut server = Server::start("gone");
    let house = House::with(std::sync::Arc::new(OsDisk), &on_server(&server));
    assert_eq!(ready(&house).await.0, 200);
    server.kill();
    let (status, body) = ready(&house).await;
    assert_eq!((status, &body["checks"]["database"]), (503, &json!("unreachable")), "{body}");
    server.restart();
    assert_eq!(ready(&house).await.0, 200, "readers find it again");

    let data = house.folder.path().join("data");
    let House { app, router, folder, .. } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    let checks = apart(|| doctor(&data, &world().0, None));
    assert!(checks.iter().all(|check| check.health != Health::Bad), "{checks:#?}");
    assert!(found(&checks, "engine").detail.starts_with("PostgreSQL 15"), "{checks:#?}");
    assert_eq!(found(&checks, "encryption").health, Health::Note);
    server.kill();
    let checks = apart(|| doctor(&data, &world().0, None));
    let engine = found(&checks, "engine");
    assert_eq!(engine.health, Health::Bad);
    assert!(engine.remedy.as_ref().unwrap().contains("start PostgreSQL"), "{engine:?}");
    let Err(error) = opened(&data) else { unreachable!("it opened without its databases") };
    assert!(error.remedy().contains("start PostgreSQL"), "{error:?}");
    let fresh = folder.path().join("fresh");
    std::fs::create_dir(&fresh).unwrap();
    std::fs::write(fresh.join("envora.toml"), on_server(&server)).unwrap();
    let Err(error) = init(&fresh, &organization(ACME, Environment::Live), &world().0) else {
        unreachable!("it was made without its databases")
    };
    assert!(matches!(error, FolderError::Server(_)), "{error:?}");
    assert!(!fresh.join("keys").exists(), "nothing was made");
    assert!(!format!("{error:?}{checks:?}").contains("hush"), "{error:?}");
}

#[tokio::test]
async fn a_second_process_is_told_about_the_first() {
    if server().is_none() {
        return;
    }
    let server = Server::start("second");
    let house = House::with(std::sync::Arc::new(OsDisk), &on_server(&server));
    let (data, copy) = (house.folder.path().join("data"), house.folder.path().join("copy"));
    envora_testkit::scratch::copy_folder(&data, &copy);
    // The lock of the folder is not in the way of a copy; the one of its databases is.
    let Err(error) = opened(&copy) else { unreachable!("two wrote to one database") };
    assert!(error.is_in_use(), "{error:?}");
    let said = said(&error);
    assert!(said.contains(&format!("envora {}", std::process::id())), "{said}");
    drop(house);
}

fn said(error: &FolderError) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
