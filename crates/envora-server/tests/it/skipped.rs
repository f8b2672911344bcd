//! Rows of a file that are no activities: told, by the answer, by the import and by its page.

use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{counts, import, with_facility};
use crate::pages::{open, signed_in};

const FILE: &str = "meter,time,load,kind\n\
    electricity,2022-01-01 00:00:00,1,A\n\
    Electricity,2022-01-01 01:00:00,2,A\n\
    electricty,2022-01-01 02:00:00,3,A\n\
    water,2022-01-01 03:00:00,4,A\n\
    water,2022-01-01 04:00:00,5,A\n\
    Electricity,2022-01-01 05:00:00,6,A\n\
    electricity,2022-01-01 05:00:00,6,Total\n";

async fn with_mapping() -> House {
    let house = with_facility().await;
    let tree = json!({
        "mapping": "meters", "format": "csv",
        "const": {
            "type": "electricity.purchased", "unit": "kW.h", "time_zone": "UTC",
            "facility_code": "b24",
        },
        "activity": [{
            "when": {"column": "meter", "in": ["electricity"]},
            "period": {"start": "time", "format": "YYYY-MM-DD hh:mm:ss", "length": "PT1H"},
            "quantity": {"column": "load"},
        }],
        "rows": {"skip_if": {"column": "kind", "equals": ["Total"]}},
    });
    assert_eq!(house.post("/import-mappings", &tree).await.status, 201);
    house
}

async fn pushed(house: &House, key: &str, file: &str) -> Answer {
    house.send(import(house, "?mapping=meters", (key, file.to_owned()))).await
}

fn codes(import: &Value) -> Vec<&str> {
    let warnings = import["warnings"].as_array();
    warnings.into_iter().flatten().filter_map(|warning| warning["code"].as_str()).collect()
}

#[tokio::test]
async fn rows_that_nothing_takes_are_told_from_those_that_are_left_out() {
    let house = with_mapping().await;
    let sent = pushed(&house, "skipped-rows-1", FILE).await;
    let import = sent.json();
    assert_eq!((counts(&sent), &import["counts"]["skipped"]), ([1, 0, 0, 0], &json!(6)));
    let group = |reason: &str, cell: (&str, &str), lines: &[u64], near: Option<&str>| {
        let cells = json!([{"column": cell.0, "value": cell.1}]);
        let mut group =
            json!({"reason": reason, "cells": cells, "rows": lines.len(), "lines": lines});
        if let Some(near) = near {
            group["did_you_mean"] = near.into();
        }
        group
    };
    let near = Some("electricity");
    let skipped = json!([
        group("not_taken", ("meter", "Electricity"), &[3, 7], near),
        group("not_taken", ("meter", "electricty"), &[4], near),
        group("not_taken", ("meter", "water"), &[5, 6], None),
        group("skip_if", ("kind", "Total"), &[8], None),
    ]);
    assert_eq!(import["skipped"], skipped);
    assert_eq!(codes(&import), ["nearly_taken"]);
    let warning = &import["warnings"][0];
    assert_eq!(warning["activities"], 3);
    let detail = warning["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("meter \"Electricity\" (2 rows, on lines 3, 7)"), "{detail}");

    let id = import["id"].as_str().unwrap_or_default();
    let read = house.get(&format!("/imports/{id}")).await.json();
    assert_eq!((&read["skipped"], &read["warnings"]), (&skipped, &import["warnings"]));
    let list = house.get("/imports").await.json();
    assert_eq!(list["data"][0].get("skipped"), None);

    let session = signed_in(&house).await;
    let page = open(&house, &format!("/imports/{id}"), &session).await;
    let page = String::from_utf8(page.body).unwrap();
    for words in ["Electricity", "may be meant", "by skip_if", "on lines 5, 6", "may be misspelt"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn a_write_of_rows_through_a_mapping_tells_them_too() {
    let house = with_mapping().await;
    let request = house
        .ask("POST", "/activities?mapping=meters")
        .header("content-type", "text/csv")
        .header("x-idempotency-key", "skipped-rows-2")
        .body(FILE.into());
    let sent = house.send(request.unwrap()).await.json();
    assert_eq!((&sent["counts"]["skipped"], codes(&sent)), (&json!(6), vec!["nearly_taken"]));
    assert_eq!(sent["skipped"].as_array().map(Vec::len), Some(4), "{sent}");
}

#[tokio::test]
async fn a_file_without_a_row_says_so_and_one_of_refused_rows_has_failed() {
    let house = with_mapping().await;
    let one = |content: &'static str, (key, file): (&'static str, &'static str)| {
        let request = house
            .ask("POST", "/imports")
            .header("content-type", content)
            .header("x-idempotency-key", key)
            .body(file.into());
        house.send(request.unwrap())
    };
    let empty = one("application/x-ndjson", ("no-rows-number-1", "")).await;
    assert_eq!((empty.status, &empty.json()["status"]), (201, &json!("succeeded")));
    assert_eq!(codes(&empty.json()), ["no_rows"]);
    let id = empty.json()["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(codes(&house.get(&format!("/imports/{id}")).await.json()), ["no_rows"]);
    let session = signed_in(&house).await;
    let page = String::from_utf8(open(&house, "/imports", &session).await.body).unwrap();
    assert!(page.contains("no rows"), "{page}");

    let header = pushed(&house, "no-rows-number-2", "meter,time,load,kind\n").await.json();
    assert_eq!(codes(&header), ["no_rows"]);
    let left = "meter,time,load,kind\nwater,2022-01-01 00:00:00,1,A\n";
    let left = pushed(&house, "no-rows-number-3", left).await.json();
    assert_eq!((&left["status"], codes(&left)), (&json!("succeeded"), vec!["no_rows"]));

    let bad = one("application/x-ndjson", ("no-rows-number-4", "{\"type\": 1}\n")).await;
    assert_eq!(bad.status, 201, "{}", bad.json());
    assert_eq!(bad.json()["status"], "failed", "{}", bad.json());
    assert_eq!((counts(&bad), codes(&bad.json())), ([0, 0, 0, 1], vec![]));
}

#[tokio::test]
async fn a_row_stored_before_is_not_counted_as_stored_again() {
    let house = with_mapping().await;
    for key in ["stored-before-1", "stored-before-2"] {
        assert_eq!(pushed(&house, key, FILE).await.status, 201);
    }
    let session = signed_in(&house).await;
    let page = String::from_utf8(open(&house, "/imports", &session).await.body).unwrap();
    assert!(page.contains("Stored before"), "{page}");
    let row = "<td class=\"num\">0</td><td class=\"num\">1</td>";
    assert_eq!(page.matches(row).count(), 1, "{page}");
}
