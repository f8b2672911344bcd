//! Files on their way out: what they hold, in which form, and that they come back as nothing new.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::body::Body;
use envora_ingest::mapping::Mapping;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::activities::lived_in;
use crate::house::{Answer, House, new_key};
use crate::imports::{HEADER, activities, counted, counts, import, line, row, with_facility};

async fn taken(house: &House, query: &str, accept: &str) -> Answer {
    let request = house.ask("GET", &format!("/activities/export{query}")).header("accept", accept);
    house.send(request.body(Body::empty()).unwrap()).await
}

fn text(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.json());
    String::from_utf8(answer.body.clone()).unwrap()
}

#[tokio::test]
async fn lines_of_json_come_back_as_nothing_new() {
    let house = lived_in().await;
    let mut rich = row("r1", "12.50");
    rich["qualifiers"] = json!({});
    rich["tags"] = json!({"cost_centre": "=1+1", "floor": "2"});
    rich["note"] = "two\nlines, \"quoted\"".into();
    rich["quality"] = json!({"time": 2});
    let body = json!({"activities": [rich]});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(&house).await;
    let file = taken(&house, "", "*/*").await;
    assert_eq!(file.header("content-type"), "application/x-ndjson");
    let file = text(&file);
    let rows: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 7, "{file}");
    assert_eq!(rows[1]["_envora_state"], "unresolved");
    assert_eq!(rows[1]["_envora_code"], "unknown_facility");
    assert_eq!(rows[6]["quantity"], "12.50");
    let listed = house.get("/activities").await.json();
    assert_eq!(rows[6]["_envora_id"], listed["data"][6]["id"]);
    let again = house
        .ask("POST", "/activities?mode=partial")
        .header("content-type", "application/x-ndjson")
        .body(Body::from(file));
    let again = house.send(again.unwrap()).await;
    assert_eq!(counts(&again), [0, 7, 0, 0], "{}", again.json());

    // The same as a table: nothing in it is a formula, and it too comes back as nothing new.
    let table = taken(&house, "?format=csv", "*/*").await;
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"activities.csv\"");
    let table = text(&table);
    let header = table.lines().next().unwrap();
    assert_eq!(
        header,
        "external_id,type,quantity,unit,start,end,facility_code,supersedes,void,note,\
         quality.time,tags.cost_centre,tags.floor,_envora_id,_envora_state,_envora_code"
    );
    assert!(table.contains(",'=1+1,2,act_"), "{table}");
    let again = house.send(import(&house, "", ("the-table", table))).await;
    assert_eq!(counts(&again), [0, 7, 0, 0], "{}", again.json());
}

#[tokio::test]
async fn a_file_is_narrowed_and_has_the_form_that_is_asked_for() {
    let house = lived_in().await;
    let lines = |answer: &Answer| text(answer).lines().count();
    assert_eq!(lines(&taken(&house, "?state=counted", "*/*").await), 2);
    assert_eq!(lines(&taken(&house, "?facility_id=b99&format=csv", "*/*").await), 2);
    assert_eq!(lines(&taken(&house, "?from=2030-01-01&format=csv", "*/*").await), 1);
    assert_eq!(text(&taken(&house, "?from=2030-01-01", "*/*").await), "");
    let csv = taken(&house, "", "text/csv, application/problem+json").await;
    assert_eq!(csv.header("content-type"), "text/csv");
    let ndjson = taken(&house, "?format=ndjson", "text/csv").await;
    assert_eq!(ndjson.header("content-type"), "application/x-ndjson");
    taken(&house, "", "text/html").await.is_problem(406, "not_acceptable");
    taken(&house, "?format=xml", "*/*").await.is_problem(400, "unknown_parameter");
    taken(&house, "?state=done", "*/*").await.is_problem(400, "unknown_parameter");
    let wide = |place: usize| {
        let mut row = row(&format!("w{place}"), "1");
        let tags = (0..16).map(|tag| (format!("t{place}_{tag}"), Value::from("x")));
        row["tags"] = Value::Object(tags.collect());
        row
    };
    let body = json!({"activities": (0..33).map(wide).collect::<Vec<_>>()});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    let refused = taken(&house, "?format=csv", "*/*").await.is_problem(400, "unknown_parameter");
    assert!(refused["detail"].as_str().unwrap().contains("format=ndjson"), "{refused}");
    assert_eq!(lines(&taken(&house, "", "*/*").await), 39);
}

#[tokio::test]
async fn a_long_file_comes_in_parts_and_holds_what_was_there_when_it_began() {
    let house = with_facility().await;
    let mut file = format!("{HEADER}\n");
    for number in 0..25_000 {
        file.push_str(&line(&format!("a{number}"), "1"));
        file.push('\n');
    }
    assert_eq!(house.send(import(&house, "", ("a-long-file", file))).await.status, 201);
    let request = house.ask("GET", "/activities/export").body(Body::empty()).unwrap();
    let response = house.router.clone().oneshot(request).await.unwrap();
    let body = json!({"activities": [row("late", "1")]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    let (mut parts, mut lines, mut body) = (0, 0, response.into_body());
    while let Some(frame) = body.frame().await {
        let bytes = frame.unwrap().into_data().unwrap();
        let found = bytes.iter().filter(|byte| **byte == b'\n').count();
        assert!(found <= 10_000, "{found} rows at once");
        parts += 1;
        lines += found;
    }
    assert_eq!((parts, lines), (3, 25_000));
    // Each file that is being written has a turn, and gives it back when nobody reads on.
    let ask = || async {
        let request = house.ask("GET", "/activities/export").body(Body::empty()).unwrap();
        house.router.clone().oneshot(request).await.unwrap()
    };
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(ask().await);
    }
    let fifth = taken(&house, "", "*/*").await;
    fifth.is_problem(429, "overloaded");
    assert_eq!(fifth.header("retry-after"), "1");
    drop(open);
    assert_eq!(ask().await.status(), 200);
}

#[tokio::test]
async fn a_table_has_the_columns_of_its_rows_and_what_was_there_when_it_began() {
    let house = lived_in().await;
    let mut noted = row("noted", "1");
    noted["note"] = "of a row that counts".into();
    let mut lost = row("lost", "1");
    lost["facility_code"] = "b77".into();
    lost["tags"] = json!({"room": "9"});
    let body = json!({"activities": [noted, lost]});
    let sent = house.send(activities(&house, "?mode=partial", ("", &body))).await;
    assert_eq!(sent.status, 207, "{}", sent.json());
    counted(&house).await;
    let header = |file: &str| file.lines().next().unwrap().to_owned();
    let ask = async |query: &str| {
        let path = format!("/activities/export?format=csv&{query}");
        let request = house.ask("GET", &path).body(Body::empty()).unwrap();
        house.router.clone().oneshot(request).await.unwrap()
    };
    let begun = ask("state=unresolved").await;
    // What the rows wait for is added once the header is made: they are written as they were then.
    for code in ["b77", "b99"] {
        let facility = json!({"code": code, "name": code, "country": "GB"});
        assert_eq!(house.post("/facilities", &facility).await.status, 201);
    }
    counted(&house).await;
    let file = begun.into_body().collect().await.unwrap().to_bytes();
    let file = String::from_utf8(file.to_vec()).unwrap();
    assert!(header(&file).contains("tags.room"), "{file}");
    assert!(!header(&file).contains("note"), "{file}");
    assert_eq!(file.lines().count(), 3, "{file}");
    assert_eq!(file.matches(",unresolved,unknown_facility").count(), 2, "{file}");
    let now = ask("state=unresolved").await.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8(now.to_vec()).unwrap().lines().count(), 1);
}

/// A file of the examples, as text or as bytes.
fn example(name: &str) -> Vec<u8> {
    let examples = PathBuf::from("../../examples");
    std::fs::read(examples.join(name)).unwrap()
}

/// The cells of a line of a list, some of which are in quotes.
fn cells(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let marked = parts.map(|(place, part)| match place % 2 {
        0 => part.replace(',', "\n"),
        _ => part.to_owned(),
    });
    marked.collect::<String>().split('\n').map(str::to_owned).collect()
}

/// The organization of the examples: where it is and what it reads, without any activity.
async fn organization_of_the_examples() -> House {
    let house = House::new();
    for folder in ["organization-year", "university-estate"] {
        for (list, path) in [("facilities.csv", "/facilities"), ("sources.csv", "/sources")] {
            let text = String::from_utf8(example(&format!("{folder}/{list}"))).unwrap();
            let mut lines = text.lines().map(cells);
            let names = lines.next().unwrap();
            for line in lines {
                let filled = names.iter().zip(line).filter(|(_, cell)| !cell.is_empty());
                let body: BTreeMap<&String, String> = filled.collect();
                let sent = house.post(path, &json!(body)).await;
                assert_eq!(sent.status, 201, "{body:?}: {}", sent.json());
            }
        }
    }
    house
}

/// What the year comes to, in every total and group, without what is of one organization alone.
async fn year_of(house: &House) -> Value {
    counted(house).await;
    let mut told = Vec::new();
    for group in ["facility", "source", "type", "month"] {
        let path = format!("/carbon-footprint?from=2022-01-01&to=2023-01-01&group_by={group}");
        let mut answer = house.get(&path).await.json();
        strip(&mut answer);
        let kept = ["totals", "groups", "unresolved", "coverage"];
        told.push(kept.map(|name| answer[name].clone()));
    }
    json!(told)
}

/// Leaves ids out: they are of one organization.
fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.ends_with("_id") && name != "id" && name != "example");
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn what_is_exported_gives_another_organization_the_same_footprint() {
    let house = organization_of_the_examples().await;
    let year = "organization-year";
    let meters = "facility_code=b44&set=source_code=b44-gas";
    for (folder, file, mapping, set) in [
        (year, "fuel-cards", "fuel-cards", ""),
        (year, "oil-used", "oil-used", ""),
        (year, "refrigerant-log", "refrigerant-log", ""),
        (year, "water-bills", "water-bills", ""),
        (year, "purchased-goods", "purchased-goods", ""),
        (year, "freight-list", "freight-list", ""),
        (year, "waste-transfer-notes", "waste-transfer-notes", ""),
        (year, "business-travel", "business-travel", ""),
        (year, "commuting-survey", "commuting-survey", ""),
        (year, "homeworking", "homeworking", ""),
        (year, "council-ledger-2022-02", "council-ledger", ""),
        ("university-estate", "b44_gas_2022", "estate-gas", meters),
        ("university-estate", "every-bad-row", "every-bad-row", ""),
    ] {
        let rules = String::from_utf8(example(&format!("{folder}/{mapping}.toml"))).unwrap();
        let name = Mapping::from_toml(&rules).unwrap().name;
        let saved = house
            .ask("POST", "/import-mappings")
            .header("content-type", "application/toml")
            .header("x-idempotency-key", new_key())
            .body(Body::from(rules));
        let saved = house.send(saved.unwrap()).await;
        assert_eq!(saved.status, 201, "{mapping}: {}", saved.json());
        let set = if set.is_empty() { String::new() } else { format!("&set={set}") };
        let sent = house
            .ask("POST", &format!("/imports?mapping={name}{set}"))
            .header("content-type", "text/csv")
            .header("x-idempotency-key", new_key())
            .body(Body::from(example(&format!("{folder}/{file}.csv"))));
        let sent = house.send(sent.unwrap()).await;
        assert_eq!(sent.status, 201, "{file}: {}", sent.json());
    }
    let before = year_of(&house).await;
    for told in before.as_array().unwrap() {
        assert!(told[0]["total_location_based"]["value"].as_str().unwrap().len() > 6, "{told}");
        assert!(told[1].as_array().unwrap().len() > 1, "{told}");
    }
    let stored = text(&taken(&house, "", "*/*").await).lines().count();
    for (format, kind) in [("csv", "text/csv"), ("ndjson", "application/x-ndjson")] {
        let file = text(&taken(&house, &format!("?format={format}"), "*/*").await);
        let other = organization_of_the_examples().await;
        let sent = other
            .ask("POST", "/imports")
            .header("content-type", kind)
            .header("x-idempotency-key", new_key())
            .body(Body::from(file));
        let sent = other.send(sent.unwrap()).await;
        assert_eq!(sent.status, 201, "{format}: {}", sent.json());
        let [accepted, duplicate, quarantined, rejected] = counts(&sent);
        let results = sent.json()["results"].clone();
        assert_eq!((duplicate, rejected), (0, 0), "{format}: {results}");
        assert_eq!(usize::try_from(accepted + quarantined).unwrap(), stored, "{format}");
        assert_eq!(year_of(&other).await, before, "{format}");
    }
}

/// A row that takes another's place.
fn instead(id: Option<&str>, quantity: &str, of: &str) -> Value {
    let mut row = row("", quantity);
    row["supersedes"] = of.into();
    row["supersede_reason"] = "typing error".into();
    match id {
        Some(id) => row["external_id"] = id.into(),
        None => drop(row.as_object_mut().unwrap().remove("external_id")),
    }
    row
}

fn fuel(id: &str) -> Value {
    let mut row = row(id, "100");
    (row["type"], row["unit"]) = ("fuel.combusted.stationary".into(), "kW.h.x:gross".into());
    row["qualifiers"] = json!({"fuel": "natural_gas"});
    row
}

/// Sends rows one after the other; their ids.
async fn sent(house: &House, rows: Vec<Value>) -> Vec<String> {
    let key = new_key();
    let body = json!({ "activities": rows });
    let answer = house.send(activities(house, "", (&key, &body))).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let results = answer.json()["results"].as_array().unwrap().clone();
    results.iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect()
}

async fn total(house: &House) -> Value {
    counted(house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let totals = footprint["totals"].as_object().unwrap();
    totals.iter().map(|(name, total)| (name.clone(), total["value"].clone())).collect()
}

/// Corrects, voids and brings back, each as the command line does it: by ids of ours.
async fn corrected(house: &House) {
    let [a, gas, back]: [String; 3] =
        sent(house, vec![row("a", "1000"), fuel("gas"), row("back", "7")])
            .await
            .try_into()
            .unwrap();
    let void = |id: &str, of: &str| json!({"external_id": id, "supersedes": of, "void": true});
    let new = sent(
        house,
        vec![
            instead(Some("instead-of-a"), "1200", &a),
            void("no-gas", &gas),
            void("no-back", &back),
        ],
    );
    let [_, _, voiding]: [String; 3] = new.await.try_into().unwrap();
    sent(house, vec![instead(Some("back-again"), "7", &voiding)]).await;
}

#[tokio::test]
async fn corrections_give_the_same_footprint_elsewhere_and_are_nothing_new_here() {
    let (house, elsewhere) = (with_facility().await, with_facility().await);
    corrected(&house).await;
    let own = total(&house).await;
    assert_ne!(own["scope2_location"], Value::Null, "{own}");
    for query in ["", "?format=csv"] {
        let file = text(&taken(&house, query, "*/*").await);
        assert!(file.contains("ext:a") && file.contains("ext:no-back"), "{file}");
        let media = if query.is_empty() { "application/x-ndjson" } else { "text/csv" };
        for (to, want) in
            [(&elsewhere, [7, 0, 0, 0]), (&elsewhere, [0, 7, 0, 0]), (&house, [0, 7, 0, 0])]
        {
            let again = to
                .ask("POST", "/imports?mode=partial")
                .header("content-type", media)
                .header("content-disposition", "attachment; filename=\"rows\"")
                .header("x-idempotency-key", new_key());
            let again = to.send(again.body(Body::from(file.clone())).unwrap()).await;
            let want = if query.is_empty() { want } else { [0, 7, 0, 0] };
            assert_eq!(counts(&again), want, "{query}: {}", again.json());
            assert_eq!(total(to).await, own, "{query}");
        }
    }
}

#[tokio::test]
async fn rows_without_an_id_leave_their_corrections_as_rows_of_their_own() {
    let (house, elsewhere) = (with_facility().await, with_facility().await);
    let without = |mut row: Value| {
        row.as_object_mut().unwrap().remove("external_id");
        row
    };
    let ids =
        sent(&house, vec![without(row("", "1000")), without(fuel("")), without(row("", "5"))]);
    let [a, gas, back]: [String; 3] = ids.await.try_into().unwrap();
    let void = |id: &str, of: &str| json!({"external_id": id, "supersedes": of, "void": true});
    let new = sent(
        &house,
        vec![instead(Some("b"), "1200", &a), void("no-gas", &gas), void("no-back", &back)],
    );
    let [b, _, voiding]: [String; 3] = new.await.try_into().unwrap();
    sent(&house, vec![instead(Some("c"), "1300", &b), instead(Some("back"), "5", &voiding)]).await;
    let own = total(&house).await;
    let file = text(&taken(&house, "", "*/*").await);
    let rows: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |row: &Value| (row["external_id"].clone(), row["supersedes"].clone());
    let want = [("b", Value::Null), ("c", "ext:b".into()), ("back", Value::Null)];
    let want: Vec<_> = want.map(|(id, of)| (Value::from(id), of)).into();
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), want, "{file}");
    for (to, want) in
        [(&elsewhere, [3, 0, 0, 0]), (&elsewhere, [0, 3, 0, 0]), (&house, [0, 3, 0, 0])]
    {
        let again = to
            .ask("POST", "/activities?mode=partial")
            .header("content-type", "application/x-ndjson")
            .body(Body::from(file.clone()));
        let again = to.send(again.unwrap()).await;
        assert_eq!(counts(&again), want, "{}", again.json());
        assert_eq!(total(to).await, own);
    }
}
