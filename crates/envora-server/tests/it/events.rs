//! CloudEvents over HTTP: structured, in batches and binary; source and id are the row's identity.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{row, with_facility};

const ONE: &str = "application/cloudevents+json";
const MANY: &str = "application/cloudevents-batch+json";

fn event(id: &str, quantity: &str) -> Value {
    let mut data = row("x", quantity);
    data.as_object_mut().unwrap().remove("external_id");
    json!({
        "specversion": "1.0", "type": "envora.activity.v1", "source": "/meters/b24", "id": id,
        "time": "1999-01-01T00:00:00Z", "datacontenttype": "application/json", "data": data,
    })
}

async fn send(
    house: &House,
    (kind, query): (&str, &str),
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut ask = house.ask("POST", &format!("/activities{query}")).header("content-type", kind);
    for (name, value) in headers {
        ask = ask.header(*name, *value);
    }
    house.send(ask.body(Body::from(body.to_string())).unwrap()).await
}

fn told(mut event: Value, name: &str, value: Value) -> Value {
    event[name] = value;
    event
}

#[tokio::test]
async fn the_same_event_is_the_same_row_whichever_way_it_comes() {
    let house = with_facility().await;
    let first = send(&house, (ONE, ""), &[], &event("e-1", "10")).await;
    assert_eq!(first.status, 201, "{}", first.json());
    assert_eq!(first.json()["counts"]["accepted"], 1);
    let id = first.json()["results"][0]["external_id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("ce1_"), "{id}");

    let batch = json!([event("e-1", "10"), event("e-2", "20")]);
    let second = send(&house, (MANY, ""), &[], &batch).await;
    assert_eq!(second.status, 201, "{}", second.json());
    assert_eq!(
        (&second.json()["counts"]["duplicate"], &second.json()["counts"]["accepted"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(second.json()["results"][0]["external_id"], id.as_str());

    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", "envora.activity.v1"),
        ("ce-source", "/meters/b%324"),
        ("ce-id", "e-2"),
    ];
    let data = event("e-2", "20")["data"].clone();
    let third = send(&house, ("application/json", ""), &headers, &data).await;
    assert_eq!(third.status, 201, "{}", third.json());
    assert_eq!(third.json()["counts"]["duplicate"], 1, "{}", third.json());
    let other = [headers[0], headers[1], ("ce-source", "/meters/b25"), headers[3]];
    let fourth = send(&house, ("application/json", ""), &other, &data).await;
    assert_eq!(fourth.json()["counts"]["accepted"], 1, "{}", fourth.json());
    // A key that is used again for another event is refused, although the body is the same.
    let keyed = |id: &'static str| {
        [("x-idempotency-key", "event-key-1"), headers[0], headers[1], headers[2], ("ce-id", id)]
    };
    assert_eq!(send(&house, ("application/json", ""), &keyed("e-7"), &data).await.status, 201);
    let again = send(&house, ("application/json", ""), &keyed("e-8"), &data).await;
    again.is_problem(422, "idempotency_key_reused");

    let changed = send(&house, (ONE, ""), &[], &event("e-1", "11")).await;
    let problem = changed.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["code"], "external_id_conflict", "{problem}");
    let listed = house.get("/activities").await.json();
    let starts: Vec<&Value> =
        listed["data"].as_array().unwrap().iter().map(|own| &own["start"]).collect();
    assert!(starts.iter().all(|start| start.as_str().unwrap().starts_with("2022")), "{listed}");
}

#[tokio::test]
async fn an_event_that_is_none_is_refused_by_what_is_wrong_with_it() {
    let house = with_facility().await;
    let good = event("e-1", "10");
    for (bad, pointer, words) in [
        (told(good.clone(), "specversion", "0.3".into()), "#/specversion", "1.0 is read"),
        (told(good.clone(), "specversion", Value::Null), "#/specversion", "missing"),
        (told(good.clone(), "type", "com.example".into()), "#/type", "envora.activity.v1 is read"),
        (told(good.clone(), "id", "".into()), "#/id", "missing"),
        (told(good.clone(), "source", 5.into()), "#/source", "is a text"),
        (
            told(good.clone(), "datacontenttype", "text/csv".into()),
            "#/datacontenttype",
            "read as JSON",
        ),
        (told(good.clone(), "data_base64", "e30=".into()), "#/data_base64", "not read"),
        (told(good.clone(), "data", json!({"type": "x"})), "#/data/quantity", "missing"),
        (
            told(good.clone(), "data", row("own-id", "1")),
            "#/data/external_id",
            "are the row's identity",
        ),
    ] {
        let answer = send(&house, (ONE, ""), &[], &bad).await;
        let problem = answer.is_problem(422, "validation_failed").to_string();
        assert!(
            problem.contains(&format!("\"{pointer}\"")) && problem.contains(words),
            "{pointer}: {problem}"
        );
    }
    let mut bare = good.clone();
    bare.as_object_mut().unwrap().remove("data");
    let batch = json!([good, bare, "no event"]);
    let answer = send(&house, (MANY, "?mode=partial"), &[], &batch).await;
    assert_eq!(answer.status, 207, "{}", answer.json());
    let results = answer.json()["results"].clone();
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&json!("accepted"), &json!("rejected"))
    );
    assert_eq!(results[1]["errors"][0]["pointer"], "#/1/data", "{results}");
    assert_eq!(results[2]["errors"][0]["code"], "malformed_row", "{results}");
    for (kind, body) in [(MANY, json!([])), (MANY, json!({})), (ONE, json!("text"))] {
        let answer = send(&house, (kind, ""), &[], &body).await;
        assert!([400, 422].contains(&answer.status), "{}", answer.json());
    }
    // Attributes in headers: each is asked for, and the data is JSON.
    let data = event("e-9", "1")["data"].clone();
    let half = [("ce-specversion", "1.0"), ("ce-type", "envora.activity.v1"), ("ce-source", "s")];
    let answer = send(&house, ("application/json", ""), &half, &data).await;
    let problem = answer.is_problem(422, "validation_failed").to_string();
    assert!(problem.contains("the header ce-id is missing"), "{problem}");
    let answer = send(&house, ("text/csv", ""), &half, &data).await;
    answer.is_problem(415, "unsupported_media_type");
}
