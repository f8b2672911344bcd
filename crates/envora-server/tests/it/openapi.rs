//! The description of the interface is committed, current, and describes every route.

use axum::body::Body;
use axum::http::Request;
use envora_server::{openapi, routes};

use crate::house::House;

/// Where the committed files are, below the repository.
const COMMITTED: &str = "../../docs/api";

#[test]
fn the_committed_description_is_current() {
    for (name, document) in [
        ("openapi.json", openapi::document()),
        ("openapi-3.0.json", openapi::older::told(openapi::document())),
    ] {
        let mut text = serde_json::to_string_pretty(&document).unwrap();
        text.push('\n');
        let file = format!("{COMMITTED}/{name}");
        if std::env::args().any(|argument| argument == "write_openapi") {
            std::fs::write(&file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == text,
            "docs/api/{name} is not current: `cargo xtask gen openapi` writes it"
        );
    }
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
    let request = Request::builder()
        .uri("/v2/openapi-3.0.json")
        .header("host", "localhost")
        .body(Body::empty());
    let older = house.send(request.unwrap()).await;
    assert_eq!(older.header("content-type"), "application/json");
    assert_eq!(older.json(), openapi::older::told(document.clone()));
    assert_eq!(older.json()["openapi"], "3.0.3");
    for route in routes::list() {
        let method = route.method.as_str().to_lowercase();
        assert!(document["paths"][route.path][method].is_object(), "{}", route.path);
    }
}
