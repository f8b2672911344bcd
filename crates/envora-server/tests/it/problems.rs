//! Every refusal is a problem with a code, whatever part of the machinery refuses.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn what_the_framework_refuses_is_a_problem_too() {
    let house = House::new();
    let plain = |method: &str, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "acme.localhost")
            .body(Body::empty())
            .unwrap()
    };
    house.send(plain("GET", "/no/such/path")).await.is_problem(404, "not_found");
    house.send(plain("GET", "/v2/organizations/acme/no-such")).await.is_problem(404, "not_found");
    let wrong = house.send(plain("DELETE", "/version")).await;
    wrong.is_problem(405, "method_not_allowed");
    assert!(wrong.header("allow").contains("GET"), "{:?}", wrong.headers);
    house.get("/facilities?limt=5").await.is_problem(400, "unknown_parameter");
    house.get("/facilities?limit=0").await.is_problem(400, "unknown_parameter");
    house.get("/facilities?limit=%ff").await.is_problem(400, "unknown_parameter");
    house.get("/facilities?cursor=bent").await.is_problem(400, "invalid_cursor");
    house.get("/facilities/fac_none").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn bodies_pass_the_type_gate_before_anyone_reads_them() {
    let house = House::new();
    let post = |kind: Option<&str>, body: Vec<u8>| {
        let mut request = house.ask("POST", "/facilities");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        request.body(Body::from(body)).unwrap()
    };
    let fine = br#"{"code":"b1","name":"One","country":"GB"}"#.to_vec();
    let missing = house.send(post(None, fine.clone())).await;
    missing.is_problem(415, "unsupported_media_type");
    let check = [
        ("text/plain", "unsupported_media_type"),
        ("application/problem+json", "unsupported_media_type"),
        ("application/vnd.env.v3+json", "unsupported_media_version"),
        ("application/json; charset=latin1", "unsupported_encoding"),
    ];
    for (kind, code) in check {
        house.send(post(Some(kind), fine.clone())).await.is_problem(415, code);
    }
    let json = Some("application/json");
    for body in [&b"{"[..], b"", b"{\"a\":1,\"a\":2}", b"{\"code\":\"\xff\"}", b"nonsense"] {
        house.send(post(json, body.to_vec())).await.is_problem(400, "malformed_body");
    }
    house.send(post(json, vec![b' '; (16 << 20) + 1])).await.is_problem(413, "payload_too_large");
    house.send(post(json, b"[]".to_vec())).await.is_problem(422, "validation_failed");
    let accept = house.ask("GET", "/facilities").header("accept", "text/html").body(Body::empty());
    house.send(accept.unwrap()).await.is_problem(406, "not_acceptable");
    let fine = house.send(post(Some("application/vnd.env.v2+json; charset=UTF-8"), fine)).await;
    assert_eq!(fine.status, 201, "{}", fine.json());
}

#[tokio::test]
async fn a_wrong_field_is_named_with_the_right_one() {
    let house = House::new();
    let body = json!({"code": "b1", "nane": "One", "country": "gb"});
    let problem = house.post("/facilities", &body).await.is_problem(422, "validation_failed");
    let errors = problem["errors"].as_array().unwrap();
    let unknown = errors.iter().find(|error| error["code"] == "unknown_field").unwrap();
    assert_eq!(unknown["pointer"], "#/nane");
    assert_eq!(unknown["hint"], "Did you mean name?");
    assert!(errors.iter().any(|error| error["pointer"] == "#/country"));
    assert!(
        errors.iter().any(|error| error["code"] == "missing_field" && error["pointer"] == "#/name")
    );
}

#[tokio::test]
async fn requests_are_named_and_answers_are_guarded() {
    let house = House::new();
    let named = house.ask("GET", "").header("x-request-id", "my-request-1").body(Body::empty());
    assert_eq!(house.send(named.unwrap()).await.header("x-request-id"), "my-request-1");
    let bent = house.ask("GET", "").header("x-request-id", "two words").body(Body::empty());
    let answer = house.send(bent.unwrap()).await;
    assert_eq!(answer.header("x-request-id").len(), 26);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/vnd.env.v2+json");
    let plain = house.ask("GET", "").header("accept", "application/json").body(Body::empty());
    assert_eq!(house.send(plain.unwrap()).await.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_header_that_decides_something_is_sent_once() {
    let house = House::new();
    let ask = |name: &'static str, value: &str| {
        // Each is there once already, as it should be.
        house
            .ask("POST", "/facilities")
            .header("content-type", "application/json")
            .header("content-encoding", "identity")
            .header("idempotency-key", "12345678")
            .header("if-match", "\"v1\"")
            .header("content-length", "2")
            .header("content-disposition", "attachment")
            .header("origin", "null")
            .header("sec-fetch-site", "none")
            .header(name, value)
            .body(Body::from("{}"))
            .unwrap()
    };
    for (name, value) in [
        ("authorization", format!("Bearer {}", house.token)),
        ("authorization", "Bearer of-another".to_owned()),
        ("host", "acme.localhost:8080".to_owned()),
        ("if-match", "\"v1\"".to_owned()),
        ("content-length", "2".to_owned()),
        ("content-disposition", "attachment".to_owned()),
        ("origin", "null".to_owned()),
        ("sec-fetch-site", "none".to_owned()),
    ] {
        let refused = house.send(ask(name, &value)).await.is_problem(400, "repeated_header");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("2 headers {name}")), "{detail}");
    }
    // The token decides as little when the one that is right stands first.
    let read = house.ask("GET", "/facilities").header("authorization", "Bearer of-another");
    house.send(read.body(Body::empty()).unwrap()).await.is_problem(400, "repeated_header");
    let others = [
        ("idempotency-key", "12345678", 400, "idempotency_key_invalid"),
        ("x-idempotency-key", "87654321", 400, "idempotency_key_invalid"),
        ("content-type", "application/json", 415, "unsupported_media_type"),
        ("content-encoding", "identity", 415, "unsupported_encoding"),
    ];
    for (name, value, status, code) in others {
        house.send(ask(name, value)).await.is_problem(status, code);
    }
}
