//! Activities read back: what became of each, and lists of them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::house::{Answer, BOLT, House};
use crate::imports::{HEADER, activities, counted, import, line, row, with_facility};

fn at(mut row: Value, facility: &str, month: &str) -> Value {
    row["facility_code"] = facility.into();
    row["start"] = format!("2022-{month}-01T00:00:00Z").into();
    row["end"] = format!("2022-{month}-01T01:00:00Z").into();
    row
}

fn told(row: Value, name: &str, value: Value) -> Value {
    let mut row = row;
    row[name] = value;
    row
}

/// A house with rows in every state: `a1` superseded, `a2` unresolved, `a3` and `a4` counted, `a5`
/// voided by `a6`.
pub(crate) async fn lived_in() -> House {
    let house = with_facility().await;
    let first = json!({"mode": "partial", "activities": [
        row("a1", "1"), at(row("a2", "2"), "b99", "01"), at(row("a4", "4"), "b24", "02"), row("a5", "5"),
    ]});
    let sent = house.send(activities(&house, "", ("", &first))).await;
    assert_eq!(sent.status, 207, "{}", sent.json());
    let void = told(row("a6", "0"), "supersedes", "ext:a5".into());
    let second = json!({"activities": [
        told(row("a3", "3"), "supersedes", "ext:a1".into()), told(void, "void", true.into()),
    ]});
    let sent = house.send(activities(&house, "", ("", &second))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(&house).await;
    house
}

/// The external ids of a list, with their states.
#[track_caller]
fn listed(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let data = answer.json()["data"].as_array().unwrap().clone();
    let word = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    data.iter().map(|one| format!("{} {}", word(one, "external_id"), word(one, "state"))).collect()
}

#[tokio::test]
async fn a_list_says_what_became_of_each_row() {
    let house = lived_in().await;
    let all = house.get("/activities").await;
    let want =
        ["a1 superseded", "a2 unresolved", "a4 counted", "a5 voided", "a3 counted", "a6 voided"];
    assert_eq!(listed(&all), want);
    assert_eq!(all.json()["data"][1]["code"], "unknown_facility");
    for one in all.json()["data"].as_array().unwrap() {
        let alone = house.get(&format!("/activities/{}", one["id"].as_str().unwrap())).await;
        assert_eq!(&alone.json(), one, "alone and in a list it is the same");
    }
    let body = json!({"activities": [row("a7", "7")]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    assert_eq!(listed(&house.get("/activities?state=pending").await), ["a7 pending"]);
    // What a row waits for comes: the list knows at once.
    let facility = json!({"code": "b99", "name": "The annex", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    counted(&house).await;
    let state = house.get("/activities?facility_id=b99").await;
    assert_eq!(listed(&state), ["a2 counted"]);
}

#[tokio::test]
async fn a_list_is_narrowed_by_what_rows_say() {
    let house = lived_in().await;
    let file = format!("{HEADER}\n{}\n", line("b1", "8"));
    let sent = house.send(import(&house, "", ("import-key-1", file))).await.json();
    counted(&house).await;
    let id = house.get("/facilities/b24").await.json()["id"].as_str().unwrap().to_owned();
    let idle = json!({"code": "m1", "name": "Not read yet", "type": "electricity.purchased"});
    assert_eq!(house.post("/sources", &idle).await.status, 201);
    counted(&house).await;
    let import = sent["id"].as_str().unwrap();
    for (query, want) in [
        ("state=unresolved".to_owned(), vec!["a2 unresolved"]),
        (
            "state=superseded&state=voided".to_owned(),
            vec!["a1 superseded", "a5 voided", "a6 voided"],
        ),
        ("facility_id=b99".to_owned(), vec!["a2 unresolved"]),
        (format!("facility_id={id}&state=counted"), vec!["a4 counted", "a3 counted", "b1 counted"]),
        (format!("import_id={import}"), vec!["b1 counted"]),
        ("from=2022-02-01".to_owned(), vec!["a4 counted"]),
        ("to=2022-02-01&state=counted".to_owned(), vec!["a3 counted", "b1 counted"]),
        ("from=2022-01-02&to=2022-02-01".to_owned(), vec![]),
        ("type=fuel.combusted.stationary".to_owned(), vec![]),
        ("type=electricity.purchased&from=2022-02-01&source_id=m1".to_owned(), vec![]),
        (
            "type=electricity.purchased&type=heat.purchased&from=2022-02-01".to_owned(),
            vec!["a4 counted"],
        ),
    ] {
        assert_eq!(listed(&house.get(&format!("/activities?{query}")).await), want, "{query}");
    }
    let before = sent["watermark"]["seq"].as_u64().unwrap() - 1;
    for (seq, want) in [(before, vec!["b1 counted"]), (before + 1, vec![]), (u64::MAX, vec![])] {
        let new = house.get(&format!("/activities?after_seq={seq}")).await;
        assert_eq!(listed(&new), want, "after {seq}");
    }
    let cut = house.get("/activities?fields=external_id,state&state=unresolved").await.json();
    assert_eq!(cut["data"], json!([{"external_id": "a2", "state": "unresolved"}]));
    for (query, parameter) in [
        ("state=done", "state"),
        ("type=electricity.purchase", "type"),
        ("from=2022-02-01&to=2022-02-01", "to"),
        ("from=january", "from"),
        ("import_id=act_1", "import_id"),
        ("segment_id=act_1", "segment_id"),
        ("after_seq=-1", "after_seq"),
        ("facility=b24", "facility"),
    ] {
        let answer = house.get(&format!("/activities?{query}")).await;
        let problem = answer.is_problem(400, "unknown_parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_leads_on_only_where_it_was_made() {
    let house = lived_in().await;
    let mut found = Vec::new();
    let mut path = "/activities?limit=1&state=counted&state=voided".to_owned();
    let mut cursors = Vec::new();
    loop {
        let page = house.get(&path).await;
        found.extend(listed(&page));
        let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        assert!(page.header("link").contains("state=voided"), "{}", page.header("link"));
        path = format!("/activities?limit=1&state=counted&state=voided&cursor={cursor}");
        cursors.push(cursor);
    }
    assert_eq!(found, ["a4 counted", "a5 voided", "a3 counted", "a6 voided"]);
    let cursor = &cursors[0];
    let other = house.get(&format!("/activities?limit=1&state=counted&cursor={cursor}")).await;
    other.is_problem(400, "cursor_filter_mismatch");
    let mut bent = cursor.clone().into_bytes();
    bent[20] = if bent[20] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).unwrap();
    for bent in [bent.as_str(), "x", "", &cursor[..cursor.len() - 4]] {
        let path = format!("/activities?limit=1&state=counted&state=voided&cursor={bent}");
        house.get(&path).await.is_problem(400, "invalid_cursor");
    }
    house.get(&format!("/imports?cursor={cursor}")).await.is_problem(400, "invalid_cursor");
    let elsewhere = Request::builder()
        .uri(format!(
            "/v2/organizations/{BOLT}/activities?limit=1&state=counted&state=voided&cursor={cursor}"
        ))
        .header("host", "bolt.localhost:8080")
        .header("authorization", format!("Bearer {}", house.other_token))
        .body(Body::empty());
    house.send(elsewhere.unwrap()).await.is_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_page_is_filled_however_far_apart_its_rows_lie() {
    let house = with_facility().await;
    let post = async |row: Value| {
        let body = json!({"mode": "partial", "activities": [row]});
        let sent = house.send(activities(&house, "", ("", &body))).await;
        assert_eq!(sent.status, 207, "{}", sent.json());
    };
    // A segment for each row: what is asked for lies in the last of many.
    for number in 0..40 {
        post(row(&format!("r{number}"), "1")).await;
    }
    post(at(row("lost", "2"), "b99", "01")).await;
    let mut fuel = row("fuel", "10");
    fuel["type"] = "fuel.combusted.stationary".into();
    fuel["unit"] = "L".into();
    fuel["qualifiers"] = json!({"fuel": "diesel"});
    post(fuel).await;
    counted(&house).await;
    post(row("new", "1")).await;
    for (query, due) in [
        ("state=unresolved", "lost"),
        ("state=pending", "new"),
        ("facility_id=b99", "lost"),
        ("type=fuel.combusted.stationary", "fuel"),
        ("facility_id=b99&state=unresolved", "lost"),
    ] {
        let page = house.get(&format!("/activities?{query}&limit=1")).await.json();
        let ids: Vec<&Value> =
            page["data"].as_array().unwrap().iter().map(|one| &one["external_id"]).collect();
        assert_eq!(ids, [due], "{query}: {page}");
        assert_eq!(page["next_cursor"], Value::Null, "{query}: there is no other");
    }
    let first = house.get("/activities?state=counted&limit=30").await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 30);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = house.get(&format!("/activities?state=counted&limit=30&cursor={cursor}")).await;
    let rest = rest.json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (11, &Value::Null));
    let file = house.get("/activities/export?facility_id=b99&format=ndjson").await;
    let lines: Vec<&str> = core::str::from_utf8(&file.body).unwrap().lines().collect();
    assert!(lines.len() == 1 && lines[0].contains("\"lost\""), "{lines:?}");
}

#[tokio::test]
async fn a_row_of_many_years_is_found_in_each_of_them() {
    let house = with_facility().await;
    let mut long = row("long", "1000");
    long["start"] = "2016-01-01T00:00:00Z".into();
    long["end"] = "2025-01-01T00:00:00Z".into();
    let body = json!({"activities": [long]});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(&house).await;
    let period = "from=2024-01-01&to=2025-01-01";
    let listed = house.get(&format!("/activities?{period}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let total = house.get(&format!("/carbon-footprint?{period}")).await.json();
    let total = &total["totals"]["total_location_based"];
    assert_ne!(total["value"], "0");
    let figure = total["figure_id"].as_str().unwrap();
    let trace = house.get(&format!("/figures/{figure}/trace")).await.json();
    assert_eq!(trace["replay"], "equal", "{trace}");
}
