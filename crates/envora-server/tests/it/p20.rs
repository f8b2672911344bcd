//! P20, clean logs: no secret and no reading in a log line or an answer, every line one JSON object.

mod surface;

use std::io;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use envora_domain::planted;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::house::House;

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What must never be seen again: a token, a session, a reading, a name.
const TOKEN: &str = "env_live_canary0token0canary0token0canary0token0canary0token0";
const COOKIE: &str = "canary0session0canary0session";
const READING: &str = "73190.448812";
/// What would break a line, or a reader of lines.
const EVIL: &str = "canary-name\r\n{\"level\":\"ERROR\"}\u{1b}[31m${jndi:x}";

async fn provoke(house: &House) -> Vec<u8> {
    let mut answers = Vec::new();
    for (path, body) in [
        ("/facilities", json!({"code": EVIL, "name": EVIL, "country": EVIL, EVIL: READING})),
        ("/sources", json!({"code": READING, "name": EVIL, "facility": EVIL, "type": EVIL})),
        ("/units/convert", json!({"quantity": READING, "from": EVIL, "to": "kg"})),
    ] {
        answers.push(house.post(path, &body).await);
    }
    for authorization in [format!("Bearer {TOKEN}"), format!("Basic {TOKEN}"), TOKEN.to_owned()] {
        let request = Request::builder()
            .uri("/v2/organizations/acme/facilities")
            .header("host", "acme.localhost")
            .header("authorization", authorization)
            .header("cookie", format!("envora={COOKIE}"))
            .header("x-request-id", "bad id with blanks");
        answers.push(house.send(request.body(Body::empty()).unwrap()).await);
    }
    for path in [
        "/%0d%0aevil%1b",
        "/v2/organizations/%0aacme",
        "/v2/openapi.json?a%0ab=c",
        "/docs/errors/%1b",
    ] {
        let request = Request::builder()
            .uri(path)
            .header("host", "acme.localhost")
            .header("authorization", format!("Bearer {}", house.token));
        answers.push(house.send(request.body(Body::empty()).unwrap()).await);
    }
    let metrics = envora_server::gauges::text(&house.app).await.into_bytes();
    let mut all: Vec<u8> = answers.into_iter().flat_map(|answer| answer.body).collect();
    all.extend(metrics);
    all
}

/// In a process of its own: whether a line is logged at all is decided once per process.
#[test]
fn p20_clean_logs() {
    const ALONE: &str = "alone";
    if std::env::args().any(|argument| argument == ALONE) {
        logs_are_clean();
        return;
    }
    let run = again("p20::p20_clean_logs", ALONE);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

/// The suite proves that it can fail: an error that repeats the token is found.
#[test]
fn p20_a_token_in_an_error_is_caught() {
    const BUG: &str = "token_in_error";
    if std::env::args().any(|argument| argument == BUG) {
        planted::arm(BUG);
        logs_are_clean();
        return;
    }
    let run = again("p20::p20_a_token_in_an_error_is_caught", BUG);
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains(TOKEN), "the token was found, and nothing else was wrong: {text}");
    assert!(!run.status.success(), "a token in an error passed the suite");
}

/// A log that repeats addresses is found: they hold what people ask for.
#[test]
fn p20_an_address_in_the_log_is_caught() {
    const BUG: &str = "address_in_log";
    if std::env::args().any(|argument| argument == BUG) {
        planted::arm(BUG);
        logs_are_clean();
        return;
    }
    let run = again("p20::p20_an_address_in_the_log_is_caught", BUG);
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("is in the log"), "an address was found: {text}");
    assert!(!run.status.success(), "an address in the log passed the suite");
}

/// Runs one test of this program again, with a word of its own.
fn again(test: &str, word: &str) -> Output {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, word])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("running 1 test"), "the run found its test: {text}");
    run
}

#[tokio::main(flavor = "current_thread")]
async fn logs_are_clean() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let house = House::new();
    let mut answers = provoke(&house).await;
    let surface = surface::provoke(&house).await;
    answers.extend(surface.answers);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.matches("answered a request").count() >= 10 + surface.requests,
        "they were logged"
    );
    eprintln!("p20: {} requests, {} lines", 10 + surface.requests, text.lines().count());
    for line in text.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap();
        assert!(parsed.is_object(), "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    let session = surface.session.as_str();
    for canary in [TOKEN, COOKIE, READING, "canary-name", session, &house.token, &house.other_token]
    {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in the log");
    }
    let answers = String::from_utf8(answers).unwrap();
    let pages = String::from_utf8(surface.pages).unwrap();
    for canary in [TOKEN, COOKIE, session, &house.token, &house.other_token] {
        let line = answers.lines().chain(pages.lines()).find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in an answer");
    }
    // Lines of CSV end so.
    let answers = answers.replace("\r\n", "\n");
    let line = answers.lines().find(|line| line.contains(['\u{1b}', '\r']));
    assert_eq!(line, None, "a control character is in an answer");
}
