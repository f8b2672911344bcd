//! What all lists take, and what a change under a key does once.

use serde_json::{Value, json};

use crate::house::House;
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
