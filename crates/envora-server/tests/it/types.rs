//! What bodies may be: held against each route of the route list that takes one.

use axum::body::Body;
use envora_server::gate::types_of;
use envora_server::routes::{self, ORGANIZATION, Route};
use serde_json::json;

use crate::house::{Answer, House, new_key};
use crate::imports::with_facility;

/// A house in which every path of [`bodies`] leads somewhere.
async fn filled() -> House {
    let house = with_facility().await;
    assert_eq!(
        house
            .post("/facilities", &json!({"code": "x1", "name": "X", "country": "GB"}))
            .await
            .status,
        201
    );
    let source = json!({"code": "x1", "name": "X", "type": "electricity.purchased"});
    assert_eq!(house.post("/sources", &source).await.status, 201);
    for path in ["/entities", "/suppliers"] {
        assert_eq!(house.post(path, &json!({"code": "x1", "name": "X"})).await.status, 201);
    }
    let mapping = json!({
        "mapping": "x1", "format": "csv", "const": {"type": "electricity.purchased", "unit": "kW.h"},
        "activity": [{"period": {"day": "d", "format": "YYYY-MM-DD"}, "quantity": {"column": "q"}}]
    });
    let saved = house.post("/import-mappings", &mapping).await;
    assert_eq!(saved.status, 201, "{}", saved.json());
    house
}

fn bodies() -> Vec<Route> {
    routes::list().into_iter().filter(|route| !route.takes.is_empty()).collect()
}

async fn send(house: &House, route: &Route, headers: &[(&str, &str)]) -> Answer {
    let path = route.path.strip_prefix(ORGANIZATION).unwrap();
    let address = path.replace("{id}", "x1").replace("{name}", "x1").replace("{number}", "1");
    assert!(!address.contains('{'), "{path} has another placeholder");
    let mut request = house.ask(route.method.as_str(), &address);
    request = request.header("x-idempotency-key", new_key());
    if address != path {
        request = request.header("if-match", "*");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_naming_what_is_taken() {
    let house = filled().await;
    let routes = bodies();
    assert!(routes.len() >= 18, "{}", routes.len());
    for route in &routes {
        let name = format!("{} {}", route.method.as_str(), route.path);
        let types = types_of(route.takes);
        let first = types[0];
        let charset = format!("{first}; charset=utf-16");
        for (sent, code) in [
            (None, "unsupported_media_type"),
            (Some("text/plain"), "unsupported_media_type"),
            (Some("application/problem+json"), "unsupported_media_type"),
            (Some("nonsense"), "unsupported_media_type"),
            (Some("application/vnd.env.v3+json"), "unsupported_media_version"),
            (Some(charset.as_str()), "unsupported_encoding"),
        ] {
            let headers: Vec<(&str, &str)> =
                sent.iter().map(|kind| ("content-type", *kind)).collect();
            let refused = send(&house, route, &headers).await;
            let problem = refused.is_problem(415, code);
            assert_eq!(refused.header("accept"), types.join(", "), "{name} {sent:?}");
            assert!(!refused.headers.contains_key("accept-encoding"), "{name} {sent:?}");
            if code == "unsupported_media_type" {
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.contains(&types.join(", ")), "{name}: {detail}");
            }
        }
        let twice = [("content-type", first), ("content-type", first)];
        send(&house, route, &twice).await.is_problem(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_packed_in_another_way_is_refused_naming_what_is_taken() {
    let house = filled().await;
    for route in bodies() {
        let first = types_of(route.takes)[0];
        for encoding in ["br", "deflate", "gzip, zstd", ""] {
            let headers = [("content-type", first), ("content-encoding", encoding)];
            let refused = send(&house, &route, &headers).await;
            refused.is_problem(415, "unsupported_encoding");
            assert_eq!(refused.header("accept-encoding"), "gzip, zstd", "{}", route.path);
            assert!(!refused.headers.contains_key("accept"), "{}", route.path);
        }
    }
}

#[tokio::test]
async fn every_type_that_is_named_is_taken() {
    let house = filled().await;
    for route in bodies() {
        for kind in types_of(route.takes) {
            let answer = send(&house, &route, &[("content-type", kind)]).await;
            assert_ne!(answer.status, 415, "{} {kind}: {}", route.path, answer.json());
            assert!(!answer.headers.contains_key("accept"), "{} {kind}", route.path);
        }
    }
}
