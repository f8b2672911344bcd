//! P21, no panics: whatever is sent, a panic costs at most its own request, and none is expected.

use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use envora_domain::planted;
use envora_server::routes;

use crate::house::House;

/// Bodies that break careless readers.
fn bodies() -> Vec<Vec<u8>> {
    let deep = "[".repeat(50_000);
    let long = format!("\"{}\"", "x".repeat(300_000));
    vec![
        Vec::new(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"a\":1e999}".to_vec(),
        b"{\"code\":1e400,\"name\":[],\"country\":{}}".to_vec(),
        "{\"code\":\"\u{202e}\u{0}\",\"name\":\"\\ud800\"}".as_bytes().to_vec(),
        deep.into_bytes(),
        long.into_bytes(),
        b"a,b\n1,2,3\n\"".to_vec(),
        b"{\"quantity\":\"99999999999999999999999999999999999999\",\"from\":\"kg\",\"to\":\"kg\"}"
            .to_vec(),
    ]
}

const QUERIES: &[&str] = &[
    "",
    "?limit=99999999999999999999",
    "?limit=-1",
    "?cursor=%00",
    "?cursor=AAAA",
    "?from=9999-99-99",
    "?from=-9999-01-01&to=9999-12-31",
    "?index=18446744073709551615",
    "?first=18446744073709551615&second=0",
    "?index=0&size=18446744073709551615",
    "?mapping=%f0%9f%92%a9",
    "?from=2022-01-01&to=2023-01-01&gwp_set=x",
];

const IDS: &[&str] = &[
    "x",
    "fac_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "act_7zzzzzzzzzzzzzzzzzzzzzzzzz",
    "sha256:",
    "fig_",
    "fig_AAAA",
    "%00",
    "..%2f..",
    "fig_iQEAGkow",
];

async fn storm() -> House {
    let house = House::new();
    for route in routes::list() {
        for (turn, query) in QUERIES.iter().enumerate() {
            let id = IDS[turn % IDS.len()];
            let path: Vec<&str> = route
                .path
                .split('/')
                .map(|part| match part {
                    "{org_id}" => "acme",
                    part if part.starts_with('{') => id,
                    part => part,
                })
                .collect();
            for body in bodies() {
                let request = Request::builder()
                    .method(route.method.as_str())
                    .uri(format!("{}{query}", path.join("/")))
                    .header("host", "acme.localhost")
                    .header("authorization", format!("Bearer {}", house.token))
                    .header(
                        "content-type",
                        if turn % 3 == 2 { "text/csv" } else { "application/json" },
                    )
                    .header("x-idempotency-key", "storm-key-1")
                    .header("if-match", "\"v1\"")
                    .body(Body::from(body));
                let answer = house.send(request.unwrap()).await;
                assert!(answer.status != 500, "{} {}: {}", route.path, query, answer.json());
                if route.takes.is_empty() {
                    break;
                }
            }
        }
    }
    house
}

#[tokio::test]
async fn p21_no_panics() {
    let house = storm().await;
    assert_eq!(house.app.metrics().panics(), 0);
    assert_eq!(house.get("").await.status, 200);
}

/// The suite proves that it can fail: a handler that panics answers 500, the next request works, and
/// the suite above is red.
#[test]
fn p21_a_panic_in_a_handler_costs_one_request() {
    const BUG: &str = "panic_in_handler";
    if std::env::args().any(|argument| argument == BUG) {
        planted::arm(BUG);
        one_request_is_lost();
        p21_no_panics();
        return;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "p21::p21_a_panic_in_a_handler_costs_one_request", "--nocapture", BUG])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("running 1 test"), "the armed run found its test: {text}");
    assert!(text.contains("one request was lost"), "the next request worked: {text}");
    assert!(!run.status.success(), "a panic in a handler passed the suite");
}

#[tokio::main(flavor = "current_thread")]
async fn one_request_is_lost() {
    let house = House::new();
    let lost = Request::builder().uri("/version").header("host", "localhost").body(Body::empty());
    house.send(lost.unwrap()).await.is_problem(500, "internal_error");
    assert_eq!(house.get("").await.status, 200);
    assert_eq!(house.app.metrics().panics(), 1);
    let line = "one request was lost\n";
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
}
