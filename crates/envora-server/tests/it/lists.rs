//! What all lists take, and what a change under a key does once.

use envora_domain::time::Span;
use envora_ingest::process::sweep::sweep_answers;
use serde_json::{Value, json};

use crate::house::{House, apart};
use crate::imports::{HEADER, import, line, with_facility};

#[tokio::test]
async fn every_list_is_cut_and_counted() {
    let house = with_facility().await;
    for key in ["first-file", "second-file"] {
        let file = format!("{HEADER}\n{}\n", line(key, "1"));
        assert_eq!(house.send(import(&house, "", (key, file))).await.status, 201);
    }
    for (path, field) in [
        ("/factors?pack=desnz-2022&limit=2", "id"),
        ("/factor-packs?", "publisher"),
        ("/gwp-sets?", "name"),
        ("/methods?", "formula"),
        ("/imports?limit=1", "counts"),
        ("/audit/entries?limit=1", "seq"),
        ("/import-mappings?", "name"),
    ] {
        let plain = house.get(path).await.json();
        assert_eq!(plain.get("total"), None, "{path}");
        let cut = house.get(&format!("{path}&fields={field}&include=total")).await.json();
        let data = cut["data"].as_array().unwrap_or_else(|| unreachable!("{path}: {cut}"));
        let names = |one: &Value| one.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert!(data.iter().all(|one| names(one) == [field]), "{path}: {cut}");
        assert_eq!(data.len(), plain["data"].as_array().unwrap().len(), "{path}");
        let total = cut["total"].as_u64().unwrap_or_else(|| unreachable!("{path}: {cut}"));
        let more = usize::from(cut["next_cursor"].is_string());
        assert!(total >= (data.len() + more) as u64, "{path}: {cut}");
        let wrong = house.get(&format!("{path}&include=all")).await;
        wrong.is_problem(400, "unknown_parameter");
    }
    assert_eq!(house.get("/imports?include=total&limit=1").await.json()["total"], 2);
    let packs = house.get("/factor-packs?include=total").await.json();
    assert_eq!(packs["total"], packs["data"].as_array().unwrap().len());
    let wrong = house.get("/methods?fields=formulae").await.is_problem(400, "unknown_parameter");
    assert!(wrong["detail"].as_str().unwrap().contains("Did you mean formula?"), "{wrong}");
    // The total is of all pages, whichever page tells it.
    let first = house.get("/factors?pack=desnz-2022&limit=2&include=total").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = format!("/factors?pack=desnz-2022&limit=2&include=total&cursor={cursor}");
    assert_eq!(house.get(&second).await.json()["total"], first["total"]);
}

#[tokio::test]
async fn a_pack_is_activated_once_under_a_key() {
    let house = House::new();
    let packs = house.get("/factor-packs").await.json();
    let id = |place: usize| packs["data"][place]["id"].as_str().unwrap().to_owned();
    let path = format!("/factor-packs/{}/activate", id(0));
    let first = house.post_as("activate-it-once", &path, &json!({})).await;
    assert_eq!((first.status, &first.json()["active"]), (200, &json!(true)), "{}", first.json());
    let head = house.get("/audit/checkpoint").await.json()["size"].clone();
    let again = house.post_as("activate-it-once", &path, &json!({})).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(again.body, first.body);
    assert_eq!(house.get("/audit/checkpoint").await.json()["size"], head);
    let other = format!("/factor-packs/{}/activate", id(1));
    let other = house.post_as("activate-it-once", &other, &json!({})).await;
    other.is_problem(422, "idempotency_key_reused");
    let nowhere = "/factor-packs/none/activate";
    house.post_as("activate-nothing", nowhere, &json!({})).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn activities_and_problems_are_counted() {
    let house = with_facility().await;
    for key in ["first-file", "second-file"] {
        let good = [1, 2].map(|row| line(&format!("{key}-{row}"), &format!("37{row}"))).join("\n");
        let file = format!("{HEADER}\n{good}\n{}\n", line(&format!("{key}-bad"), "many"));
        assert_eq!(house.send(import(&house, "", (key, file))).await.status, 201);
    }
    let imports = house.get("/imports").await.json();
    let newest = imports["data"][0]["id"].as_str().unwrap();
    let first_seq = &imports["data"][1]["watermark"]["seq"];
    let found = house.get("/activities?limit=1").await.json();
    assert_eq!(found.get("total"), None, "it is not counted unless asked");
    let idle = json!({"code": "idle", "name": "Not used yet", "type": "electricity.purchased"});
    assert_eq!(house.post("/sources", &idle).await.status, 201);
    let annex = json!({"code": "x", "name": "The annex", "country": "GB"});
    assert_eq!(house.post("/facilities", &annex).await.status, 201);
    let source = "/activities?source_id=idle".to_owned();
    for (list, total) in [
        ("/activities?type=electricity.purchased".to_owned(), 4),
        ("/activities?state=counted".to_owned(), 0),
        (format!("/activities?import_id={newest}"), 2),
        (format!("/activities?after_seq={first_seq}"), 2),
        ("/activities?facility_id=b24&facility_id=x".to_owned(), 4),
        (source, 0),
        ("/activities?".to_owned(), 4),
    ] {
        let page = house.get(&format!("{list}&limit=1&include=total")).await.json();
        assert_eq!((&page["total"], page.get("total_is")), (&json!(total), None), "{list}");
        let Some(cursor) = page["next_cursor"].as_str() else { continue };
        let next = house.get(&format!("{list}&limit=1&include=total&cursor={cursor}")).await;
        assert_eq!(next.json()["total"], json!(total), "{list}: the same on each page");
    }
    let errors = house.get(&format!("/imports/{newest}/errors?include=total&limit=1")).await.json();
    assert_eq!(errors["total"], 1, "{errors}");
}

#[tokio::test]
async fn an_answer_for_retries_is_kept_for_a_day_and_then_erased() {
    let house = House::new();
    let facility = json!({"code": "b24", "name": "The library", "country": "GB"});
    let first = house.post_as("a-key-of-mine", "/facilities", &facility).await;
    let swept = || {
        let all: Vec<_> = house.app.tenants().all().collect();
        apart(|| all.iter().map(|one| sweep_answers(one.parts()).unwrap()).sum::<u64>())
    };
    house.clock.advance(Span::from_secs(24 * 3_600));
    assert_eq!(swept(), 0, "its day is not over");
    let again = house.post_as("a-key-of-mine", "/facilities", &facility).await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    house.clock.advance(Span::from_secs(1));
    assert_eq!((swept(), swept()), (1, 0));
    let other = json!({"code": "b25", "name": "The hall", "country": "GB"});
    assert_eq!(house.post_as("a-key-of-mine", "/facilities", &other).await.status, 201);
}

/// A row that starts on a day of 2022.
fn of_day(id: &str, day: u32) -> String {
    line(id, &format!("1{day}")).replace("2022-01-01", &format!("2022-01-{day:02}"))
}

#[tokio::test]
async fn activities_are_walked_by_their_start_whatever_is_written_meanwhile() {
    let house = with_facility().await;
    let send = async |key: &str, days: &[(&str, u32)]| {
        let rows: Vec<String> = days.iter().map(|(id, day)| of_day(id, *day)).collect();
        // Ids follow the time of their commit.
        house.clock.advance(Span::from_secs(1));
        let file = format!("{HEADER}\n{}\n", rows.join("\n"));
        let sent = house.send(import(&house, "", (key, file))).await;
        assert_eq!(sent.status, 201, "{}", sent.json());
    };
    // Segments that lie across each other, out of order, with equal starts.
    send("first-file", &[("a1", 9), ("a2", 3), ("a3", 20)]).await;
    send("second-file", &[("b1", 1), ("b2", 9), ("b3", 28)]).await;
    send("third-file", &[("c1", 9), ("c2", 2)]).await;
    let ids = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap_or_else(|| unreachable!("{page}")).iter();
        data.map(|one| one["external_id"].as_str().unwrap().to_owned()).collect()
    };
    let up = ["b1", "c2", "a2", "a1", "b2", "c1", "a3", "b3"].map(str::to_owned);
    let down: Vec<String> = up.iter().rev().cloned().collect();
    assert_eq!(ids(&house.get("/activities?sort=start").await.json()), up);
    assert_eq!(ids(&house.get("/activities?sort=-start").await.json()), down);
    for (sort, limit) in [("start", 1), ("start", 3), ("-start", 1), ("-start", 3)] {
        let path = format!("/activities?sort={sort}");
        let there = ids(&house.get(&format!("{path}&limit=1000")).await.json());
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = house.get(&format!("{path}&limit={limit}{cursor}")).await.json();
            walked.extend(ids(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            if walked.len() > 4 {
                continue;
            }
            let name = format!("{sort}{limit}{}", walked.len()).replace('-', "m");
            let (x, y, z) = (format!("x{name}"), format!("y{name}"), format!("z{name}"));
            send(&format!("key-of-{name}"), &[(&x, 1), (&y, 9), (&z, 28)]).await;
        }
        assert_eq!(walked, there, "{path}: what was there at the beginning, each once");
    }
    let narrowed = house.get("/activities?sort=-start&from=2022-01-03&to=2022-01-09&limit=1").await;
    let narrowed = narrowed.json();
    assert_eq!((ids(&narrowed), &narrowed["next_cursor"]), (vec!["a2".to_owned()], &Value::Null));
    let first = house.get("/activities?sort=-start&limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let other = house.get(&format!("/activities?sort=start&limit=1&cursor={cursor}")).await;
    other.is_problem(400, "cursor_filter_mismatch");
    house.get("/activities?sort=end").await.is_problem(400, "unknown_parameter");
}
