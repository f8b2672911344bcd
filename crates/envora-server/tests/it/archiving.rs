//! Archiving: out of the lists, and everywhere else as before.

use axum::body::Body;
use envora_domain::time::Span;
use envora_server::routes::{self, Method, ORGANIZATION};
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{HEADER, activities, counted, counts, import, line, row, with_facility};

/// What can be archived, with the least that one of it says.
fn nouns() -> [(&'static str, Value); 4] {
    [
        ("/facilities", json!({"code": "old", "name": "One", "country": "GB"})),
        ("/sources", json!({"code": "old", "name": "One", "type": "electricity.purchased"})),
        ("/entities", json!({"code": "old", "name": "One"})),
        ("/suppliers", json!({"code": "old", "name": "One"})),
    ]
}

async fn delete(house: &House, path: &str, version: Option<&str>) -> Answer {
    let mut request = house.ask("DELETE", path);
    if let Some(version) = version {
        request = request.header("if-match", version);
    }
    house.send(request.body(Body::empty()).unwrap()).await
}

async fn codes(house: &House, path: &str) -> Vec<String> {
    let list = house.get(path).await.json();
    let data = list["data"].as_array().unwrap_or_else(|| unreachable!("{path}: {list}")).iter();
    data.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

async fn entries(house: &House) -> Value {
    house.get("/audit/checkpoint").await.json()["size"].clone()
}

#[test]
fn every_archive_has_a_way_back() {
    let of = |method| {
        let routes = routes::list().into_iter().filter(move |route| route.method == method);
        routes.map(|route| route.path.strip_prefix(ORGANIZATION).unwrap()).collect::<Vec<_>>()
    };
    let mut deletes = of(Method::Delete);
    // An import that is still open is given up, or a part of it, and not archived: nothing of it counted.
    deletes.retain(|path| !path.starts_with("/imports/{id}"));
    assert_eq!(deletes.len(), 5, "{deletes:?}");
    let patches = of(Method::Patch);
    assert!(deletes.iter().all(|path| patches.contains(path)), "{deletes:?} {patches:?}");
}

#[tokio::test]
async fn what_is_archived_leaves_the_lists_and_comes_back() {
    let house = House::new();
    for (path, body) in nouns() {
        let one = format!("{path}/old");
        assert_eq!(house.post(path, &body).await.status, 201, "{path}");
        let before_it = house.clock_now().to_string();
        house.clock.advance(Span::from_secs(3600));
        delete(&house, &one, None).await.is_problem(428, "precondition_required");
        delete(&house, &one, Some("\"v9\"")).await.is_problem(412, "version_mismatch");
        delete(&house, &format!("{path}/none"), Some("*")).await.is_problem(404, "not_found");
        assert_eq!(codes(&house, path).await, ["old"], "{path}: a refusal changed nothing");

        let head = entries(&house).await;
        let archived = delete(&house, &one, Some("\"v1\"")).await;
        assert_eq!((archived.status, archived.header("etag")), (200, "\"v2\""), "{path}");
        let since = archived.json()["archived_at"].clone();
        assert_eq!(since, json!(house.clock_now().to_string()), "{path}");
        assert_ne!(entries(&house).await, head, "{path}: it has a leaf");

        // The answer may be lost: the same request again, and a later one, change nothing.
        let head = entries(&house).await;
        house.clock.advance(Span::from_secs(60));
        for version in ["\"v1\"", "\"v2\"", "*"] {
            let again = delete(&house, &one, Some(version)).await;
            assert_eq!((again.status, &again.body), (200, &archived.body), "{path} {version}");
        }
        delete(&house, &one, Some("\"v7\"")).await.is_problem(412, "version_mismatch");
        assert_eq!(entries(&house).await, head, "{path}");

        let read = house.get(&one).await;
        assert_eq!((read.status, &read.json()["archived_at"]), (200, &since), "{path}");
        assert_eq!(codes(&house, path).await, [""; 0], "{path}");
        assert_eq!(codes(&house, &format!("{path}?code=old")).await, [""; 0], "{path}");
        for state in ["archived", "any"] {
            assert_eq!(codes(&house, &format!("{path}?state={state}")).await, ["old"], "{path}");
        }
        let then = codes(&house, &format!("{path}?as_of={before_it}")).await;
        assert_eq!(then, ["old"], "{path}: it was not archived then");
        house.get(&format!("{path}?state=gone")).await.is_problem(400, "unknown_parameter");

        // Its code is taken; a change leaves it archived; the way back is said and works.
        let mut other = body.clone();
        other["name"] = json!("Two");
        let refused = house.post(path, &other).await.is_problem(409, "conflict");
        assert!(refused["detail"].as_str().unwrap().contains("archived on"), "{refused}");
        let changed = house.patch(&one, "\"v2\"", &json!({"name": "Two"})).await;
        assert_eq!(changed.json()["archived_at"], since, "{path}");
        let put = house.put(&one, ("if-match", "*"), &body).await;
        assert_eq!(put.json()["archived_at"], since, "{path}");
        let odd = house.patch(&one, "*", &json!({"archived": "no"})).await;
        odd.is_problem(422, "validation_failed");
        let back = house.patch(&one, "\"v4\"", &json!({"archived": false})).await;
        assert_eq!((back.status, back.json().get("archived_at")), (200, None), "{path}");
        assert_eq!(codes(&house, path).await, ["old"], "{path}");
        assert_eq!(codes(&house, &format!("{path}?state=archived")).await, [""; 0], "{path}");
    }
}

#[tokio::test]
async fn digits_stay_and_new_rows_count_and_say_so() {
    let house = with_facility().await;
    let all = "/carbon-footprint?from=2022-01-01&to=2023-01-01&group_by=facility";
    let file = format!("{HEADER}\n{}\n", line("a1", "372.4"));
    assert_eq!(counts(&house.send(import(&house, "", ("first-file", file))).await), [1, 0, 0, 0]);
    counted(&house).await;
    let before = house.get(all).await.json();
    let figure = before["totals"]["scope2_location"]["figure_id"].as_str().unwrap().to_owned();
    assert_eq!(delete(&house, "/facilities/b24", Some("*")).await.status, 200);
    counted(&house).await;
    let after = house.get(all).await.json();
    for part in ["/totals/scope2_location/value", "/totals/by_gas/0/co2e/value", "/groups/0/key"] {
        assert!(before.pointer(part).is_some(), "{part}: {before}");
        assert_eq!(before.pointer(part), after.pointer(part), "{part}");
    }
    assert_eq!(after["coverage"], before["coverage"]);
    let trace = house.get(&format!("/figures/{figure}/trace")).await.json();
    assert_eq!(trace["replay"], "equal", "{trace}");

    let late = json!({"activities": [row("late", "10"), row("void", "1")]});
    let late = house.send(activities(&house, "", ("a-late-bill", &late))).await;
    let body = late.json();
    assert_eq!(counts(&late), [2, 0, 0, 0], "nothing is lost: {body}");
    assert_eq!(body["results"][0]["flags"], json!(["names_archived"]), "{body}");
    let warning = &body["warnings"][0];
    assert_eq!(warning["code"], "names_archived");
    assert_eq!(warning["activities"], 2);
    let detail = warning["detail"].as_str().unwrap();
    assert!(detail.contains("facility b24, archived on 2026"), "{detail}");
    counted(&house).await;
    let with_late = house.get(all).await.json();
    assert_ne!(with_late["totals"], after["totals"], "they count");
    assert_eq!(with_late["unresolved"], json!([]));
    let found = house.get("/activities?flag=names_archived").await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 2, "{found}");
}

#[tokio::test]
async fn a_mapping_leaves_the_list_and_still_reads_files() {
    let house = with_facility().await;
    let tree = json!({
        "mapping": "estate", "format": "csv",
        "const": {"type": "electricity.purchased", "unit": "kW.h", "time_zone": "UTC"},
        "activity": [{
            "period": {"start": "datetime", "format": "YYYY-MM-DD hh:mm:ss", "length": "PT1H"},
            "quantity": {"column": "load"},
        }],
    });
    let saved = house.post("/import-mappings", &tree).await;
    assert_eq!(saved.status, 201, "{}", saved.json());
    let one = "/import-mappings/estate";
    let read = house.get(one).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(tag, format!("\"v{}\"", read.json()["seq"]));
    let again = house.ask("GET", one).header("if-none-match", &tag).body(Body::empty());
    assert_eq!(house.send(again.unwrap()).await.status, 304);
    delete(&house, one, None).await.is_problem(428, "precondition_required");
    delete(&house, one, Some("\"v999\"")).await.is_problem(412, "version_mismatch");
    delete(&house, "/import-mappings/none", Some("*")).await.is_problem(404, "not_found");
    let archived = delete(&house, one, Some(&tag)).await;
    assert_eq!(archived.status, 200, "{}", archived.json());
    assert!(archived.json()["archived_at"].is_string());
    let head = entries(&house).await;
    assert_eq!(delete(&house, one, Some(&tag)).await.body, archived.body, "sent again");
    assert_eq!(entries(&house).await, head);
    let names = |list: &Value| list["data"].as_array().unwrap().len();
    assert_eq!(names(&house.get("/import-mappings").await.json()), 0);
    assert_eq!(names(&house.get("/import-mappings?state=any").await.json()), 1);
    let file = "datetime,load\n2022-01-01 00:00:00,372.4\n".to_owned();
    let query = "?mapping=estate&set=facility_code=b24";
    let sent = house.send(import(&house, query, ("mapped-file-1", file))).await;
    assert_eq!(counts(&sent), [1, 0, 0, 0], "{}", sent.json());

    house.patch(one, "*", &json!({"name": "x"})).await.is_problem(422, "validation_failed");
    let back = house.patch(one, "*", &json!({"archived": false})).await;
    assert_eq!((back.status, back.json().get("archived_at")), (200, None));
    assert_eq!(names(&house.get("/import-mappings").await.json()), 1);
    // Saving the same tree again also brings it back.
    assert_eq!(delete(&house, one, Some("*")).await.status, 200);
    assert_eq!(house.post("/import-mappings", &tree).await.json().get("archived_at"), None);
    assert_eq!(names(&house.get("/import-mappings").await.json()), 1);
}
