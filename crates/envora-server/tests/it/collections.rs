//! What every collection of nouns does, held against each of the four.

use axum::body::Body;
use envora_domain::time::Span;
use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

/// Each collection, with the least that one of it says.
fn collections() -> [(&'static str, Value); 4] {
    [
        ("/facilities", json!({"name": "One", "country": "GB"})),
        ("/sources", json!({"name": "One", "type": "electricity.purchased"})),
        ("/entities", json!({"name": "One"})),
        ("/suppliers", json!({"name": "One"})),
    ]
}

fn with(mut body: Value, name: &str, value: &str) -> Value {
    body[name] = value.into();
    body
}

#[tokio::test]
async fn a_key_makes_a_retry_one_effect() {
    let house = House::new();
    for (path, body) in collections() {
        let one = with(body.clone(), "code", "one");
        let first = house.post_as("a-key-of-mine", path, &one).await;
        assert_eq!(first.status, 201, "{path}: {}", first.json());
        let again = house.post_as("a-key-of-mine", path, &one).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"), "{path}");
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("etag"), "\"v1\"");
        let two = with(body.clone(), "code", "two");
        let other = house.post_as("a-key-of-mine", path, &two).await;
        other.is_problem(422, "idempotency_key_reused");
        // A refusal keeps nothing: the corrected request may use the key.
        let key = format!("another-key-of{path}").replace('/', "-");
        let bad = with(with(body, "code", "three"), "name", "");
        house.post_as(&key, path, &bad).await.is_problem(422, "validation_failed");
        let three = with(bad, "name", "Three");
        assert_eq!(house.post_as(&key, path, &three).await.status, 201);
        house.clock.advance(Span::from_secs(90_000));
    }
}

#[tokio::test]
async fn a_change_names_its_version_and_its_type() {
    let house = House::new();
    for (path, body) in collections() {
        let added = house.post(path, &with(body, "code", "one")).await;
        let place = format!("{path}/{}", added.json()["id"].as_str().unwrap());
        let patch = |kind: &'static str, version: &'static str| {
            let request = house.ask("PATCH", &place).header("content-type", kind);
            let request = request.header("if-match", version);
            house.send(request.body(Body::from(r#"{"name": "New"}"#)).unwrap())
        };
        patch("text/csv", "*").await.is_problem(415, "unsupported_media_type");
        patch("application/json", "\"v9\"").await.is_problem(412, "version_mismatch");
        assert_eq!(patch("application/json", "\"v1\"").await.status, 200, "{path}");
        let other = house.patch(&place, "*", &json!({"name": "Newer"})).await;
        assert_eq!((other.status, other.header("etag")), (200, "\"v3\""), "{path}");
        house.patch(&place, "\"v1\"", &json!({})).await.is_problem(412, "version_mismatch");
        let same = house.patch(&format!("{path}/one"), "\"v3\"", &json!({"name": "Newer"})).await;
        assert_eq!((same.status, same.header("etag")), (200, "\"v3\""), "nothing changed");
    }
}

#[tokio::test]
async fn putting_under_a_code_adds_or_replaces() {
    let house = House::new();
    for (path, body) in collections() {
        let place = format!("{path}/mine");
        let lost = house.put(&place, ("if-match", "*"), &body).await;
        lost.is_problem(412, "version_mismatch");
        let added = house.put(&place, ("if-none-match", "*"), &body).await;
        assert_eq!((added.status, &added.json()["code"]), (201, &json!("mine")), "{path}");
        house.put(&place, ("if-none-match", "*"), &body).await.is_problem(412, "version_mismatch");
        house.put(&place, ("", ""), &body).await.is_problem(428, "precondition_required");
        let renamed = with(body.clone(), "name", "Two");
        let replaced = house.put(&place, ("if-match", "\"v1\""), &renamed).await;
        assert_eq!((replaced.status, replaced.header("etag")), (200, "\"v2\""), "{path}");
        assert_eq!(replaced.json()["id"], added.json()["id"]);
        let stale = house.put(&place, ("if-match", "\"v1\""), &body).await;
        stale.is_problem(412, "version_mismatch");
    }
}

#[tokio::test]
async fn lists_are_cut_counted_and_asked_of_the_past() {
    let house = House::new();
    for (path, body) in collections() {
        for code in ["a", "b", "c"] {
            assert_eq!(house.post(path, &with(body.clone(), "code", code)).await.status, 201);
        }
        house.clock.advance(Span::from_secs(3600));
        assert_eq!(house.patch(&format!("{path}/b"), "*", &json!({"code": "z"})).await.status, 200);
        let codes = |answer: &Value| -> Vec<String> {
            let data = answer["data"].as_array().unwrap().iter();
            data.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
        };
        let page = house.get(&format!("{path}?limit=2&include=total&fields=code")).await.json();
        assert_eq!((codes(&page), &page["total"]), (vec!["a".into(), "c".into()], &json!(3)));
        assert_eq!(page["data"][0].as_object().unwrap().len(), 1, "{page}");
        let some = house.get(&format!("{path}?code=a&code=z")).await.json();
        assert_eq!((codes(&some).len(), some.get("total")), (2, None));
        let then = (house.clock_now() + Span::from_secs(-60)).to_string();
        let past = house.get(&format!("{path}?as_of={then}")).await.json();
        assert_eq!(codes(&past), ["a", "b", "c"], "{path}");
        let wrong =
            house.get(&format!("{path}?fields=nme")).await.is_problem(400, "unknown_parameter");
        assert_eq!(wrong["errors"][0]["parameter"], "fields");
        house.get(&format!("{path}?as_of=yesterday")).await.is_problem(400, "unknown_parameter");
        house.get(&format!("{path}?include=all")).await.is_problem(400, "unknown_parameter");
    }
    let named = json!({"code": "m", "name": "M", "type": "electricity.purchased", "facility": "a"});
    assert_eq!(house.post("/sources", &named).await.status, 201);
    let expanded = house.get("/sources?code=m&expand=facility").await.json();
    assert_eq!(expanded["data"][0]["facility"]["code"], "a", "{expanded}");
    house.get("/sources?expand=everything").await.is_problem(400, "unknown_parameter");
    house.get("/suppliers?expand=facility").await.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn an_entity_says_its_share_and_control() {
    let house = House::new();
    let entity = json!({"code": "uk", "name": "Acme UK"});
    let added = house.post("/entities", &entity).await.json();
    assert_eq!((&added["share"], &added["control"]), (&json!("1"), &json!("both")));
    let bad = json!({"code": "fr", "name": "Acme FR", "share": "1.01", "control": "finance", "lei": "5493001KJTIIGC8Y1R13"});
    let problem = house.post("/entities", &bad).await.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
    let fine = json!({"code": "fr", "name": "Acme FR", "share": "0.50", "control": "financial", "lei": "5493001KJTIIGC8Y1R12"});
    let added = house.post("/entities", &fine).await;
    assert_eq!((added.status, &added.json()["share"]), (201, &json!("0.50")), "{}", added.json());
}

#[tokio::test]
async fn a_code_that_rows_name_is_not_given_up_unawares() {
    let house = with_facility().await;
    let body = json!({"activities": [row("a1", "10")]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    counted(&house).await;
    let total = || async {
        counted(&house).await;
        let year = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
        year["totals"]["scope2_location"]["value"].clone()
    };
    let before = total().await;
    assert_ne!(before, "0");
    let renamed = json!({"code": "library"});
    let refused = house.patch("/facilities/b24", "*", &renamed).await;
    let detail = refused.is_problem(409, "conflict")["detail"].to_string();
    assert!(detail.contains("?rows=wait"), "{detail}");
    let whole =
        json!({"code": "library", "name": "The library", "country": "GB", "time_zone": "UTC"});
    house.put("/facilities/b24", ("if-match", "*"), &whole).await.is_problem(409, "conflict");
    assert_eq!(total().await, before);
    let name = house.patch("/facilities/b24", "*", &json!({"name": "Library"})).await;
    assert_eq!(name.status, 200, "{}", name.json());
    house
        .patch("/facilities/b24?rows=go", "*", &renamed)
        .await
        .is_problem(400, "unknown_parameter");
    let knowingly = house.patch("/facilities/b24?rows=wait", "*", &renamed).await;
    assert_eq!(knowingly.status, 200, "{}", knowingly.json());
    assert_eq!(total().await, "0", "they wait, as was said");
    assert_eq!(house.patch("/facilities/library", "*", &json!({"code": "b24"})).await.status, 200);
    assert_eq!(total().await, before, "and count again under the code that they name");
}
