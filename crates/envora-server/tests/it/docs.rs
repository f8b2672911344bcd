//! The documentation that the server serves itself: whole, reachable, and true.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use envora_api::codes::{Code, ROW_CODES};
use envora_domain::activities::problems::{Flag, RowCode};
use envora_domain::factors::own::FaultCode;
use serde_json::Value;

use crate::house::{Answer, House};

async fn page(house: &House, path: &str, accept: &str) -> Answer {
    let request = Request::builder()
        .uri(path)
        .header("host", "acme.localhost:8080")
        .header("accept", accept)
        .body(Body::empty());
    house.send(request.unwrap()).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// What stands in all attributes of this name.
fn all<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Every page that one comes to from `/docs` without leaving the documentation.
async fn walked(house: &House) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut due = vec!["/docs".to_owned()];
    while let Some(path) = due.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        let answer = page(house, &path, "text/html").await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        let text = text(&answer);
        if path.starts_with("/docs") {
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"));
            let links = all(&text, "href").into_iter().filter(|link| link.starts_with('/'));
            due.extend(
                links
                    .filter(|link| *link != "/")
                    .map(|link| link.split('#').next().unwrap_or_default().to_owned()),
            );
        }
        pages.insert(path, text);
    }
    pages
}

#[tokio::test]
async fn every_page_is_reached_and_every_link_leads_somewhere() {
    let house = House::new();
    let pages = walked(&house).await;
    let docs = pages.iter().filter(|(path, _)| path.starts_with("/docs"));
    for (path, page) in docs.clone() {
        for banned in ["<script", " style=", " onclick", "src=\"http"] {
            assert!(!page.contains(banned), "{path} has {banned}");
        }
        let ids: Vec<&str> = all(page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path} has an id twice");
        for link in all(page, "href") {
            let (to, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if to.is_empty() { Some(page) } else { pages.get(to) };
            let is_ours = place.is_empty() || to.starts_with("http");
            let found = || all(target.unwrap(), "id").contains(&place);
            assert!(is_ours || found(), "{path}: {link} leads nowhere");
        }
    }
    for code in Code::ALL {
        assert!(pages.contains_key(&format!("/docs/errors/{}", code.as_str())));
    }
    for row in ROW_CODES {
        assert!(pages.contains_key(&format!("/docs/errors/{}", row.code)));
    }
    for known in ["/docs/quickstart", "/docs/data-model", "/docs/how-to/write-a-mapping"] {
        assert!(pages[known].contains("<article"), "{known}");
    }
    assert!(pages["/v2/openapi.json"].contains("\"openapi\":\"3.1.0\""));
    assert!(pages["/v2/schemas/activity.json"].contains("2020-12"));
    assert!(docs.count() > 100);
}

#[tokio::test]
async fn every_code_that_a_row_can_get_has_a_page() {
    let house = House::new();
    let faults = FaultCode::ALL.iter().map(|code| code.as_str());
    let rows = RowCode::ALL.iter().map(|code| code.as_str()).chain(faults);
    for code in rows.chain(Flag::ALL.iter().map(|flag| flag.as_str())) {
        let plain = page(&house, &format!("/docs/errors/{code}"), "*/*").await;
        assert_eq!(
            (plain.status, plain.header("content-type")),
            (200, "text/plain; charset=utf-8")
        );
        for part in ["How it comes about: ", "What to do: ", "Example: "] {
            assert!(text(&plain).contains(part), "{code} lacks {part}");
        }
    }
    let unknown = page(&house, "/docs/errors/not_fuond", "*/*").await;
    let problem = unknown.is_problem(404, "not_found");
    assert!(problem["detail"].as_str().unwrap().contains("Did you mean not_found?"), "{problem}");
    let shown = page(&house, "/docs/errors/unit_mismatch", "text/html").await;
    assert!(text(&shown).contains("Of a request") && text(&shown).contains("Of a row"));
    // What a problem calls its type is the page of its code.
    let refused = house.get("/facilities?limit=0").await.json();
    let kind = refused["type"].as_str().unwrap();
    assert_eq!(page(&house, kind, "text/html").await.status, 200);
}

/// The body of each example that sends JSON, with its method and path.
fn examples(page: &str) -> Vec<(String, String, Value)> {
    let plain = page.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#39;", "'");
    let curls = plain.split("<pre><code>curl ").skip(1);
    let read = |curl: &str| {
        let curl = curl.split("</code>").next()?;
        let url = curl.split('"').nth(1)?;
        let path = url.split_once("$ENVORA_ORG")?.1.to_owned();
        let method = curl.split("-X ").nth(1).map_or("GET", |rest| rest.split(' ').next().unwrap());
        let body = curl.split("--data-binary '").nth(1)?.split("' \\\n").next()?;
        let body = serde_json::from_str(body.trim_end().trim_end_matches('\'')).unwrap();
        Some((method.to_owned(), path, body))
    };
    curls.filter_map(read).collect()
}

#[tokio::test]
async fn the_examples_of_the_reference_run() {
    let house = House::new();
    let mut ran = Vec::new();
    for area in ["organization", "factors", "activities"] {
        let path = format!("/docs/api/{area}");
        let told = text(&page(&house, &path, "text/html").await);
        assert!(told.contains("http://acme.localhost:8080/v2/organizations/$ENVORA_ORG"), "{area}");
        for (method, path, body) in
            examples(&told).into_iter().filter(|(_, path, _)| !path.contains('$'))
        {
            if method == "POST" {
                let answer = house.post(&path, &body).await;
                assert!((200..300).contains(&answer.status), "{path} {body}: {}", answer.json());
                ran.push(path);
            }
        }
    }
    let want = [
        "/entities",
        "/facilities",
        "/sources",
        "/suppliers",
        "/units/convert",
        "/activities",
        "/activities/validate",
    ];
    for path in want {
        assert!(ran.iter().any(|one| one == path), "no example of {path} ran, but {ran:?}");
    }
}

#[tokio::test]
async fn a_weakness_can_be_reported() {
    let house = House::new();
    let answer = page(&house, "/.well-known/security.txt", "*/*").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let text = text(&answer);
    assert!(text.contains("Expires: 2027-05-19T09:00:00Z"), "{text}");
    let contact = text.lines().find_map(|line| line.strip_prefix("Contact: ")).unwrap();
    let path = contact.strip_prefix("http://acme.localhost:8080").unwrap();
    assert!(
        String::from_utf8_lossy(&page(&house, path, "text/html").await.body).contains("weakness")
    );
}
