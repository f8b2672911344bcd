//! Events of imports: the present state at once, each change after it, and an end.

use core::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Response;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::house::{House, Served, apart};
use crate::imports::{HEADER, import, line, with_facility};
use crate::pages::{signed_in, visit};
use crate::parts::{commit, opened, send, settled};

/// No event is waited for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stream of events, as a client reads it.
struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn of(house: &House, request: axum::http::request::Builder) -> Self {
        let request = request.header("accept", "text/event-stream").body(Body::empty()).unwrap();
        let response: Response<Body> = house.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn on(house: &House, id: &str) -> Self {
        Self::of(house, house.ask("GET", &format!("/imports/{id}/events"))).await
    }

    /// The name and the data of the next event; none at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|line| line.split_once(": "));
                    lines.filter(|(field, _)| *field == name).map(|(_, text)| text).next()
                };
                let told = field("event").zip(field("data"));
                let told = told.map(|(name, data)| {
                    assert!(field("id").is_some() && field("retry").is_some(), "{event}");
                    (name.to_owned(), serde_json::from_str(data).unwrap())
                });
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let part = tokio::time::timeout(PATIENCE, self.body.next()).await.unwrap()?;
            self.text.push_str(core::str::from_utf8(&part.unwrap()).unwrap());
        }
    }

    /// The next event of this status; those before it are passed over.
    async fn until(&mut self, status: &str) -> Value {
        loop {
            let (_, event) = self.next().await.unwrap();
            if event["status"] == status {
                return event;
            }
        }
    }

    /// All events up to the end.
    async fn rest(mut self) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

/// So many rows, more than are judged at once, and one that is none.
fn long_file() -> String {
    let rows: Vec<String> = (0..12_000).map(|row| line(&format!("r{row}"), "1")).collect();
    format!("{HEADER}\n{}\n{}\n", line("bad", "many"), rows.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_watched_from_its_first_part_to_its_end() {
    let house = with_facility().await;
    let text = long_file();
    let id = opened(&house, &text).await;
    let mut stream = Stream::on(&house, &id).await;
    let (name, first) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &first["status"]), ("import.progress", &json!("open")));
    assert_eq!((&first["bytes"], &first["bytes_arrived"]), (&json!(text.len()), &json!(0)));
    send(&house, &id, 1, &text).await;
    let (_, arrived) = stream.next().await.unwrap();
    assert_eq!(arrived["bytes_arrived"], text.len());
    assert_eq!(commit(&house, &id).await.status, 202);
    let all = stream.rest().await;
    let (last_name, last) = all.last().unwrap();
    assert_eq!((last_name.as_str(), &last["status"]), ("import.finished", &json!("partial")));
    assert_eq!(last["counts"]["accepted"], 12_000, "{last}");
    assert_eq!((&last["rows"], &last["bytes_done"]), (&json!(12_001), &json!(text.len())));
    let running: Vec<&Value> = all[..all.len() - 1].iter().map(|(_, event)| event).collect();
    assert!(!running.is_empty(), "it was seen on its way");
    for pair in running.windows(2) {
        assert!(pair[0]["bytes_done"].as_u64() <= pair[1]["bytes_done"].as_u64(), "{pair:?}");
        assert!(pair[0]["rows"].as_u64() <= pair[1]["rows"].as_u64(), "{pair:?}");
        assert_ne!(pair[0], pair[1], "what did not change is not told again");
    }
    for event in running {
        assert_eq!(event["status"], "running", "{event}");
    }
    // Who comes back is told the end, whatever they heard last.
    let back = house.ask("GET", &format!("/imports/{id}/events")).header("last-event-id", "open-0");
    let again = Stream::of(&house, back).await.rest().await;
    assert_eq!(again.len(), 1);
    assert_eq!(&again[0].1, last);
    // So is an import that came whole.
    let whole = house.send(import(&house, "", ("whole-1234", format!("{HEADER}\n")))).await;
    let whole = whole.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(Stream::on(&house, &whole).await.rest().await[0].0, "import.finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_or_refused_while_somebody_watches_ends_the_stream() {
    let house = with_facility().await;
    let text = long_file();
    let id = opened(&house, &text).await;
    send(&house, &id, 1, &text).await;
    let mut stream = Stream::on(&house, &id).await;
    assert_eq!(commit(&house, &id).await.status, 202);
    stream.until("running").await;
    let given_up = house.ask("DELETE", &format!("/imports/{id}")).body(Body::empty()).unwrap();
    assert_eq!(house.send(given_up).await.json()["status"], "canceled");
    let rest = stream.rest().await;
    let (name, last) = rest.last().unwrap();
    assert_eq!((name.as_str(), &last["status"]), ("import.finished", &json!("canceled")));
    house.get(&format!("/imports/{id}/events")).await.is_problem(404, "not_found");

    let id = opened(&house, "nothing,known\n1,2\n").await;
    send(&house, &id, 1, "nothing,known\n1,2\n").await;
    let stream = Stream::on(&house, &id).await;
    assert_eq!(commit(&house, &id).await.status, 202);
    let rest = stream.rest().await;
    let (name, last) = rest.last().unwrap();
    assert_eq!((name.as_str(), &last["status"]), ("import.finished", &json!("refused")));
    assert_eq!(last["problem"], settled(&house, &id).await["problem"]);
    assert!(last["problem"]["detail"].is_string(), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_end_with_their_session_and_with_the_server() {
    let house = with_facility().await;
    let id = opened(&house, "a").await;
    let path = format!("/imports/{id}/events");
    let mut streams = Vec::new();
    for _ in 0..19 {
        streams.push(Stream::on(&house, &id).await);
    }
    let session = signed_in(&house).await;
    let page = visit("GET", &path).header("cookie", &session);
    let mut of_page = Stream::of(&house, page).await;
    house.get(&path).await.is_problem(429, "overloaded");
    assert_eq!(of_page.next().await.unwrap().1["status"], "open");
    let out = visit("POST", "/sign-out").header("cookie", &session).body(Body::empty()).unwrap();
    assert_eq!(house.send(out).await.status, 303);
    assert!(of_page.next().await.is_none(), "the session ended");
    // A place is free again as soon as one of them is gone.
    let back = Stream::on(&house, &id).await;
    drop((back, of_page));
    for stream in &mut streams {
        stream.next().await.unwrap();
    }
    house.app.stop().cancel();
    for mut stream in streams {
        assert!(stream.next().await.is_none(), "the server ends");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_waits_for_no_stream() {
    let house = with_facility().await;
    let id = opened(&house, "a").await;
    let served = Served::of(&house).await;
    let head = format!(
        "GET /v2/organizations/acme/imports/{id}/events HTTP/1.1\r\nhost: acme.localhost\r\nauthorization: Bearer {}\r\naccept: text/event-stream\r\n\r\n",
        house.token
    );
    let mut connection = std::net::TcpStream::connect(served.address).unwrap();
    apart(|| {
        use std::io::{Read as _, Write as _};
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(head.as_bytes()).unwrap();
        let (mut text, mut block) = (String::new(), [0; 4096]);
        while !text.contains("import.progress") {
            let read = connection.read(&mut block).unwrap();
            assert_ne!(read, 0, "{text}");
            text.push_str(core::str::from_utf8(&block[..read]).unwrap());
        }
    });
    tokio::time::timeout(Duration::from_secs(10), served.end()).await.unwrap();
}
