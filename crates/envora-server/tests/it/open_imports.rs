//! The page of an import that is not taken in yet, as a browser's requests meet it, without a script.

use axum::body::Body;
use serde_json::json;

use crate::house::{Answer, House, new_key};
use crate::imports::with_facility;
use crate::pages::{open, signed_in, text, visit};
use crate::parts::{digest_of, opened, send, settled};

/// Its times name starts or ends of hours, and nothing tells which; one amount is below zero.
const OPEN: &str =
    "when,strom [kWh]\n2022-06-01 07:00,5.5\n2022-06-01 08:00,-6.5\n2022-06-01 09:00,7.5\n";

/// A form of ours, from there.
async fn post(house: &House, (session, site): (&str, &str), path: &str, form: &str) -> Answer {
    let request = visit("POST", path)
        .header("cookie", session)
        .header("sec-fetch-site", site)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    house.send(request.unwrap()).await
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What stands in the field of the mapping.
fn toml(page: &str) -> String {
    let area = page.split("<textarea id=\"toml\"").nth(1).unwrap();
    let inner = area.split_once('>').unwrap().1.split_once("</textarea>").unwrap().0;
    inner
        .replace("&#34;", "\"")
        .replace("&#62;", ">")
        .replace("&#60;", "<")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_tells_what_it_is_its_question_is_answered_and_its_rows_are_seen() {
    let house = with_facility().await;
    let session = signed_in(&house).await;
    let own = (session.as_str(), "same-origin");
    let id = opened(&house, OPEN).await;
    let path = format!("/imports/{id}");
    let page = text(open(&house, &path, &session).await);
    assert!(page.contains("0\u{a0}bytes of") && !page.contains("Take the file in"), "{page}");
    assert!(text(open(&house, "/imports", &session).await).contains("not all here"));

    send(&house, &id, 1, OPEN).await;
    let page = text(open(&house, &path, &session).await);
    for want in ["What the file tells", "start of its interval, or the end?", "name=\"answer-0\""] {
        assert!(page.contains(want), "{want}: {page}");
    }
    assert!(!page.contains("role=\"alert\"") && !page.contains("Take the file in"), "{page}");
    let proposed = toml(&page);
    let fields =
        format!("mapping=&mode=partial&set=facility_code%3Db24&toml={}", encoded(&proposed));
    let unanswered = post(&house, own, &format!("{path}/mapping"), &fields).await;
    assert_eq!(unanswered.status, 422, "what is open is not guessed");
    assert!(text(unanswered).contains("role=\"alert\""));
    let wrong =
        post(&house, own, &format!("{path}/mapping"), &format!("{fields}&answer-0=x")).await;
    assert_eq!(wrong.status, 400);
    let answered = format!("{fields}&answer-0=1");
    for site in ["cross-site", "same-site"] {
        let foreign = (session.as_str(), site);
        for deed in ["mapping", "commit", "cancel"] {
            let form = if deed == "mapping" { answered.as_str() } else { "" };
            let refused = post(&house, foreign, &format!("{path}/{deed}"), form).await;
            assert_eq!(refused.status, 403, "{deed} from {site}");
        }
    }
    let looked = post(&house, own, &format!("{path}/mapping"), &answered).await;
    assert_eq!((looked.status, looked.header("location")), (303, path.as_str()));
    let page = text(open(&house, &path, &session).await);
    for want in [
        "As it would be stored",
        "all that there are",
        "tag bad\">refused",
        "Take the file in",
        "facility_code=b24",
    ] {
        assert!(page.contains(want), "{want}: {page}");
    }
    let saved = house.get("/import-mappings").await.json();
    let tree = saved["data"][0]["tree"].to_string();
    assert!(tree.contains("\"end\"") && !tree.contains("unanswered"), "{tree}");
    assert!(
        text(open(&house, &format!("{path}?edit=meters"), &session).await).contains("strom [kWh]")
    );
    assert_eq!(open(&house, &format!("{path}?edit=none"), &session).await.status, 404);

    let taken = post(&house, own, &format!("{path}/commit"), "").await;
    assert_eq!((taken.status, taken.header("location")), (303, path.as_str()));
    assert_eq!(settled(&house, &id).await["status"], "partial");
    let page = text(open(&house, &path, &session).await);
    assert!(page.contains("What became of its rows") && page.contains("error-file"), "{page}");
    // What is taken in is neither read in another way nor given up.
    for deed in ["mapping", "cancel"] {
        let late = post(&house, own, &format!("{path}/{deed}"), "").await;
        assert_eq!((late.status, late.header("location")), (303, path.as_str()), "{deed}");
    }
    assert_eq!(house.get(&path).await.json()["status"], "partial");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_stands_on_the_page_and_what_is_given_up_is_gone() {
    let house = with_facility().await;
    let session = signed_in(&house).await;
    let own = (session.as_str(), "same-origin");
    let id = opened(&house, OPEN).await;
    let path = format!("/imports/{id}");
    let early = post(&house, own, &format!("{path}/commit"), "").await;
    assert_eq!(early.status, 409);
    assert!(text(early).contains("No part has arrived yet"));
    let bad = post(&house, own, &format!("{path}/mapping"), "set=nonsense").await;
    assert_eq!(bad.status, 400);
    let page = text(bad);
    assert!(page.contains("nonsense") && page.contains("role=\"alert\""), "{page}");
    let gone = post(&house, own, &format!("{path}/cancel"), "").await;
    assert_eq!((gone.status, gone.header("location")), (303, "/imports"));
    assert_eq!(open(&house, &path, &session).await.status, 404);
    assert_eq!(post(&house, own, &format!("{path}/cancel"), "").await.status, 404);
    let nobody = ("envora=x", "same-origin");
    for deed in ["mapping", "commit", "cancel"] {
        let sent = post(&house, nobody, &format!("{path}/{deed}"), "").await;
        assert_eq!((sent.status, sent.header("location")), (303, "/sign-in"), "{deed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_gets_in_by_the_session_and_from_these_pages_alone() {
    let house = with_facility().await;
    let session = signed_in(&house).await;
    let announced = async |cookie: &str, site: &str| {
        let body = json!({"file_name": "a.csv", "media_type": "text/csv", "bytes": OPEN.len()});
        let request = visit("POST", "/imports/open")
            .header("cookie", cookie)
            .header("sec-fetch-site", site)
            .header("content-type", "application/vnd.env.v2+json")
            .header("x-idempotency-key", new_key())
            .body(Body::from(body.to_string()));
        house.send(request.unwrap()).await
    };
    assert_eq!(announced(&session, "cross-site").await.status, 403);
    assert_eq!(announced("envora=x", "same-origin").await.status, 303);
    let open_one = announced(&session, "same-origin").await;
    assert_eq!(open_one.status, 201, "{}", open_one.json());
    let id = open_one.json()["id"].as_str().unwrap().to_owned();
    let part = async |cookie: &str, site: &str| {
        let request = visit("PUT", &format!("/imports/{id}/parts/1"))
            .header("cookie", cookie)
            .header("sec-fetch-site", site)
            .header("content-type", "application/octet-stream")
            .header("content-digest", digest_of(OPEN.as_bytes()))
            .body(Body::from(OPEN));
        house.send(request.unwrap()).await
    };
    assert_eq!(part(&session, "cross-site").await.status, 403);
    assert_eq!(part("envora=x", "same-origin").await.status, 303);
    assert_eq!(part(&session, "same-origin").await.status, 200);
    let listed = open(&house, "/imports/open", &session).await.json();
    assert_eq!(listed["data"][0]["parts"][0]["bytes"], OPEN.len(), "{listed}");
    let state = open(&house, &format!("/imports/{id}/state"), &session).await.json();
    assert_eq!((&state["id"], &state["status"]), (&json!(id), &json!("open")));
    let proposal = house.get(&format!("/imports/{id}/proposal")).await.json();
    assert_eq!(proposal["questions"].as_array().map(Vec::len), Some(1), "{proposal}");

    // A script may run on the pages of imports, and nowhere else.
    for (path, runs) in [("/imports", true), (&format!("/imports/{id}"), true), ("/", false)] {
        let page = open(&house, path, &session).await;
        let policy = page.header("content-security-policy").to_owned();
        assert_eq!(policy.contains("script-src 'self'"), runs, "{path}: {policy}");
        assert_eq!(policy.contains("connect-src 'self'"), runs, "{path}: {policy}");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let page = text(page);
        let script =
            page.split("<script src=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        assert_eq!(script.is_some(), runs, "{path}");
        if let Some(script) = script {
            let script = open(&house, script, "").await;
            assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
        }
    }
}
