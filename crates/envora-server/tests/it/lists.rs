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
    let source = "/activities?source_id=none".to_owned();
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
