//! The description of the interface is committed, current, and describes every route.

use axum::body::Body;
use axum::http::Request;
use envora_server::{openapi, routes};

use crate::house::House;

/// The committed file, below the repository.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/openapi.json");

#[test]
fn the_committed_description_is_current() {
    let mut text = serde_json::to_string_pretty(&openapi::document()).unwrap();
    text.push('\n');
    if std::env::args().any(|argument| argument == "write_openapi") {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        committed == text,
        "docs/api/openapi.json is not current: `cargo xtask gen openapi` writes it"
    );
}

#[tokio::test]
async fn the_served_description_is_the_same_and_holds_every_route() {
    let house = House::new();
    let request =
        Request::builder().uri("/v2/openapi.json").header("host", "localhost").body(Body::empty());
    let served = house.send(request.unwrap()).await;
    assert_eq!(served.header("content-type"), "application/json");
    let document = served.json();
    assert_eq!(document, openapi::document());
    for route in routes::list() {
        let method = route.method.as_str().to_lowercase();
        assert!(document["paths"][route.path][method].is_object(), "{}", route.path);
    }
}
