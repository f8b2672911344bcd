//! What every list does in the same way, held against each list of the route list.

use axum::body::Body;
use axum::http::Request;
use envora_server::routes::{self, Method, ORGANIZATION, Route};
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{HEADER, activities, counted, import, line, row, with_facility};

/// The lists that are told page by page.
fn lists() -> Vec<Route> {
    let paged = |route: &Route| route.query.iter().any(|(name, _)| *name == "limit");
    routes::list().into_iter().filter(|route| route.method == Method::Get && paged(route)).collect()
}

fn takes(route: &Route, name: &str) -> bool {
    route.query.iter().any(|(known, _)| *known == name)
}

/// A house in which every list has two items or more, and where each list is in it.
async fn filled() -> (House, Vec<(Route, String)>) {
    let house = with_facility().await;
    for code in ["x1", "x2"] {
        let facility = json!({"code": code, "name": "X", "country": "GB"});
        assert_eq!(house.post("/facilities", &facility).await.status, 201);
        let source = json!({"code": code, "name": "X", "type": "electricity.purchased"});
        assert_eq!(house.post("/sources", &source).await.status, 201);
        for path in ["/entities", "/suppliers"] {
            assert_eq!(house.post(path, &json!({"code": code, "name": "X"})).await.status, 201);
        }
        let bad = format!("{HEADER}\n{}\n{}\n", line(code, "many"), line("other", "few"));
        assert_eq!(
            house.send(import(&house, "", (&format!("key-of-{code}"), bad))).await.status,
            201
        );
    }
    for (id, quantity) in [("r1", "1"), ("r2", "2")] {
        let rows = json!({"activities": [row(id, quantity)]});
        assert_eq!(house.send(activities(&house, "", ("", &rows))).await.status, 201);
    }
    counted(&house).await;
    let import = house.get("/imports?limit=1").await.json()["data"][0]["id"].clone();
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let figure = footprint["totals"]["total_location_based"]["figure_id"].clone();
    let of = |id: &Value| id.as_str().unwrap().to_owned();
    let place = |route: &Route| {
        let path = route.path.strip_prefix(ORGANIZATION).unwrap();
        path.replace("{id}", &of(&import)).replace("{figure_id}", &of(&figure))
    };
    let all = lists().into_iter().map(|route| {
        let path = place(&route);
        (route, path)
    });
    let all = all.collect();
    (house, all)
}

fn cursor(page: &Answer) -> Option<String> {
    let page = page.json();
    let of_trace = page.pointer("/lines/next_cursor");
    of_trace.or_else(|| page.get("next_cursor")).and_then(Value::as_str).map(str::to_owned)
}

#[tokio::test]
async fn every_list_refuses_the_same_things_in_the_same_way() {
    let (house, lists) = filled().await;
    assert!(lists.len() >= 9, "{}", lists.len());
    for (route, path) in &lists {
        for limit in ["0", "1001", "-1", "x", ""] {
            let refused = house.get(&format!("{path}?limit={limit}")).await;
            let problem = refused.is_problem(400, "unknown_parameter");
            assert_eq!(problem["errors"][0]["parameter"], "limit", "{path} {limit}");
        }
        for limit in ["1", "1000"] {
            assert_eq!(house.get(&format!("{path}?limit={limit}")).await.status, 200, "{path}");
        }
        let unknown =
            house.get(&format!("{path}?limt=5")).await.is_problem(400, "unknown_parameter");
        assert!(unknown["detail"].as_str().unwrap().contains("Did you mean limit?"), "{path}");
        house.get(&format!("{path}?limit=1&limit=2")).await.is_problem(400, "unknown_parameter");
        house.get(&format!("{path}?cursor=bent")).await.is_problem(400, "invalid_cursor");
        for (name, value) in [("fields", "nonsense"), ("include", "all"), ("as_of", "then")] {
            if !takes(route, name) {
                house
                    .get(&format!("{path}?{name}={value}"))
                    .await
                    .is_problem(400, "unknown_parameter");
            }
        }
        for (name, value) in [("include", "all"), ("as_of", "then")] {
            if takes(route, name) {
                let refused = house.get(&format!("{path}?{name}={value}")).await;
                let problem = refused.is_problem(400, "unknown_parameter");
                assert_eq!(problem["errors"][0]["parameter"], name, "{path}");
            }
        }
        let wrong = house.send(house.ask("DELETE", path).body(Body::empty()).unwrap()).await;
        wrong.is_problem(405, "method_not_allowed");
        assert!(wrong.header("allow").contains("GET"), "{path}");
        let head = house.send(house.ask("HEAD", path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_filters_and_organization_alone() {
    let (house, lists) = filled().await;
    let mut walked = Vec::new();
    for (route, path) in &lists {
        let Some(first) = cursor(&house.get(&format!("{path}?limit=1")).await) else { continue };
        walked.push(path.clone());
        let next = house.get(&format!("{path}?limit=1&cursor={first}")).await;
        assert_eq!(next.status, 200, "{path}: {}", next.json());
        if takes(route, "fields") {
            let other = house.get(&format!("{path}?limit=1&cursor={first}&fields=id")).await;
            assert_eq!(other.status, 400, "{path}: {}", other.json());
        }
        let bent: String = first.chars().rev().collect();
        house.get(&format!("{path}?cursor={bent}")).await.is_problem(400, "invalid_cursor");
        for (_, elsewhere) in lists.iter().filter(|(_, other)| other != path) {
            house
                .get(&format!("{elsewhere}?cursor={first}"))
                .await
                .is_problem(400, "invalid_cursor");
        }
        // The other organization has none of our imports and figures; its lists know no cursor of ours.
        let request = Request::builder()
            .uri(format!("/v2/organizations/bolt{path}?cursor={first}"))
            .header("host", "bolt.localhost")
            .header("authorization", format!("Bearer {}", house.other_token));
        let there = house.send(request.body(Body::empty()).unwrap()).await;
        let code = there.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(code.as_str(), "invalid_cursor" | "not_found"), "{path}: {code}");
    }
    for path in [
        "/facilities",
        "/sources",
        "/entities",
        "/suppliers",
        "/imports",
        "/activities",
        "/segments",
        "/factors",
        "/audit/entries",
    ] {
        assert!(walked.iter().any(|one| one == path), "{path} was not walked, only {walked:?}");
        let first = cursor(&house.get(&format!("{path}?limit=1")).await).unwrap();
        let field = if path == "/audit/entries" { "seq" } else { "id" };
        let other = house.get(&format!("{path}?limit=1&fields={field}&cursor={first}")).await;
        other.is_problem(400, "cursor_filter_mismatch");
    }
}

#[tokio::test]
async fn every_version_is_known_again_and_every_change_names_one() {
    let (house, _) = filled().await;
    // A mapping's version is a digest; what it does instead is in a test of its own.
    let versioned =
        |route: &Route| route.method == Method::Patch && !route.path.ends_with("{name}");
    let changes = routes::list().into_iter().filter(versioned);
    let paths: Vec<String> = changes
        .map(|route| route.path.strip_prefix(ORGANIZATION).unwrap().replace("{id}", "x1"))
        .collect();
    assert_eq!(paths.len(), 5, "{paths:?}");
    for path in paths {
        let read = house.get(&path).await;
        let tag = read.header("etag").to_owned();
        assert_eq!(tag, format!("\"v{}\"", read.json()["version"]), "{path}");
        let again = house.ask("GET", &path).header("if-none-match", &tag).body(Body::empty());
        let again = house.send(again.unwrap()).await;
        assert_eq!(
            (again.status, again.body.len(), again.header("etag")),
            (304, 0, &*tag),
            "{path}"
        );
        let patch = |version: Option<&'static str>| {
            let mut request = house.ask("PATCH", &path).header("content-type", "application/json");
            if let Some(version) = version {
                request = request.header("if-match", version);
            }
            house.send(request.body(Body::from(r#"{"name": "New"}"#)).unwrap())
        };
        patch(None).await.is_problem(428, "precondition_required");
        patch(Some("\"v999\"")).await.is_problem(412, "version_mismatch");
        assert_eq!(house.get(&path).await.header("etag"), tag, "{path}: a refusal changed nothing");
        assert_eq!(patch(Some("*")).await.status, 200, "{path}");
        assert_ne!(house.get(&path).await.header("etag"), tag, "{path}");
    }
}
