//! Turns: how many bodies are held at once, and which need not wait.

use core::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

use crate::house::House;

fn sent(content_type: &str, length: &str, encoding: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
    headers.insert(CONTENT_LENGTH, length.parse().unwrap());
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
    }
    headers
}

#[tokio::test]
async fn a_few_rows_need_no_turn_and_what_unpacks_does() {
    let house = House::new();
    let large = sent("application/json", "9000000", None);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(house.app.turn(&large, Body::from("[]")).await.ok().unwrap());
    }
    let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (content_type, encoding, waits) in [
        ("application/json", None, false),
        ("text/csv", None, false),
        ("application/json", Some("identity"), false),
        ("application/json", Some("gzip"), true),
        ("application/json", Some("zstd"), true),
        ("application/vnd.apache.parquet", None, true),
        (xlsx, None, true),
    ] {
        let headers = sent(content_type, "2", encoding);
        let turn = house.app.turn(&headers, Body::from("[]"));
        let waited = tokio::time::timeout(Duration::from_millis(200), turn).await.is_err();
        assert_eq!(waited, waits, "{content_type} {encoding:?}");
    }
    drop(held);
    let headers = sent("application/json", "2", Some("gzip"));
    assert!(house.app.turn(&headers, Body::from("[]")).await.is_ok(), "once one has ended");
}
