//! Results of one legal entity: whose a row is, and that every figure of it can be traced.

use envora_domain::decimal::Mass;
use envora_domain::time::Span;
use serde_json::{Value, json};

use crate::emissions::mass;
use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

const PERIOD: &str = "from=2022-01-01&to=2023-01-01";

/// Two companies: `uk` with the facility b24, `fr` with b62; b63 is nobody's.
async fn with_entities() -> House {
    let house = with_facility().await;
    for code in ["uk", "fr", "idle"] {
        let entity = json!({"code": code, "name": format!("Company {code}"), "country": "GB"});
        let added = house.post("/entities", &entity).await;
        assert_eq!(added.status, 201, "{}", added.json());
    }
    for (code, entity) in [("b62", json!("fr")), ("b63", Value::Null)] {
        let facility = json!({"code": code, "name": code, "country": "GB", "entity": entity});
        let added = house.post("/facilities", &facility).await;
        assert_eq!(added.status, 201, "{}", added.json());
    }
    let version = house.get("/facilities/b24").await.header("etag").to_owned();
    let put = house.patch("/facilities/b24", &version, &json!({"entity": "uk"})).await;
    assert_eq!(put.status, 200, "{}", put.json());
    let meter = json!({"code": "m62", "name": "Meter", "type": "electricity.purchased",
        "facility": "b62"});
    assert_eq!(house.post("/sources", &meter).await.status, 201);
    house
}

/// A row of these places: facility, source, entity.
fn of(id: &str, quantity: &str, [facility, source, entity]: [&str; 3]) -> Value {
    let mut row = row(id, quantity);
    let fields = row.as_object_mut().unwrap();
    fields.remove("facility_code");
    fields.remove("source_code");
    let named = [("facility_code", facility), ("source_code", source), ("entity_code", entity)];
    for (name, word) in named.into_iter().filter(|(_, word)| !word.is_empty()) {
        fields.insert(name.to_owned(), word.into());
    }
    if facility.is_empty() && source.is_empty() {
        row["region"] = "GB".into();
    }
    row
}

/// Rows whose amounts tell them apart in a sum.
async fn send(house: &House) {
    let body = json!({"activities": [
        of("at-uk", "1", ["b24", "", ""]),
        of("uk-at-fr", "10", ["b62", "", "uk"]),
        of("by-meter-of-fr", "100", ["", "m62", ""]),
        of("uk-nowhere", "1000", ["", "", "uk"]),
        of("nobodys", "10000", ["b63", "", ""]),
        of("fr-at-nobodys", "100000", ["b63", "", "fr"]),
    ]});
    let sent = house.send(activities(house, "", ("", &body))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(house).await;
}

/// The kilowatt-hours behind an amount of scope 2.
fn amount(value: &Value) -> String {
    value["value"].as_str().unwrap_or_else(|| unreachable!("{value}")).to_owned()
}

async fn scope2(house: &House, query: &str) -> Value {
    let answer = house.get(&format!("/carbon-footprint?{PERIOD}{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.json());
    answer.json()["totals"]["scope2_location"].clone()
}

#[tokio::test]
async fn a_row_is_the_entitys_that_it_names_else_its_facilitys() {
    let house = with_entities().await;
    send(&house).await;
    // 0.19338 kg for each kWh.
    for (query, want) in [
        ("", "21485.0"),
        ("&entity_id=uk", "195.50718"),
        ("&entity_id=fr", "19357.338"),
        ("&entity_id=uk&entity_id=fr", "19552.84518"),
        ("&entity_id=", "1933.8"),
        ("&entity_id=idle", "0"),
        // A row of one entity at a facility of another one is never the other's.
        ("&entity_id=fr&facility_id=b62", "19.338"),
        ("&entity_id=uk&facility_id=b62", "1.9338"),
        ("&entity_id=uk&facility_id=b24", "0.19338"),
        ("&entity_id=uk&gwp_set=ar6-table", ""),
        ("&entity_id=fr&source_id=m62", "19.338"),
    ] {
        let figure = scope2(&house, query).await;
        if query.is_empty() {
            assert_eq!(amount(&figure), "21486.64518");
        } else if !want.is_empty() {
            assert_eq!(amount(&figure), want, "{query}");
        }
        let id = figure["figure_id"].as_str().unwrap();
        let trace = house.get(&format!("/figures/{id}/trace")).await.json();
        assert_eq!(trace["replay"], "equal", "{query}");
        assert_eq!(trace["figure"], figure, "{query}");
    }
    let unknown = house.get(&format!("/carbon-footprint?{PERIOD}&entity_id=nobody")).await;
    unknown.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn all_results_of_an_entity_are_of_the_same_rows() {
    let house = with_entities().await;
    send(&house).await;
    let total = |answer: &Value| amount(&answer["totals"]["total_location_based"]);
    for (entity, ids, expected) in [
        ("uk", vec!["at-uk", "uk-at-fr", "uk-nowhere"], 0),
        ("fr", vec!["by-meter-of-fr", "fr-at-nobodys"], 12),
        ("idle", vec![], 0),
    ] {
        let only = format!("entity_id={entity}");
        let footprint =
            house.get(&format!("/carbon-footprint?{PERIOD}&{only}&group_by=facility")).await.json();
        let series = format!("/carbon-footprint/series?{PERIOD}&{only}&interval=year");
        let series = house.get(&series).await.json();
        let point = &series["points"][0];
        assert_eq!(point["total_location_based"], footprint["totals"]["total_location_based"]);
        let lines = house.get(&format!("/emissions?{PERIOD}&{only}&limit=1000")).await.json();
        let lines = lines["data"].as_array().unwrap();
        assert_eq!(lines.is_empty(), ids.is_empty(), "{entity}");
        let quality = house.get(&format!("/data-quality?{PERIOD}&{only}")).await.json();
        assert_eq!(quality["coverage"]["expected"], expected, "{entity}: {}", quality["coverage"]);
        assert_eq!(quality["coverage"], footprint["coverage"], "{entity}");
        let shares = quality["tiers"].as_array().unwrap().iter();
        let shares: Mass = shares.map(|share| mass(share["co2e"].as_str().unwrap())).sum();
        assert_eq!(shares, mass(&total(&footprint)), "{entity}");
        let listed = house.get(&format!("/activities?{only}&include=total")).await.json();
        let told: Vec<&str> = listed["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["external_id"].as_str().unwrap())
            .collect();
        assert_eq!(told, ids, "{entity}");
        assert_eq!(listed["total"], ids.len(), "{entity}");
        let export = house.get(&format!("/activities/export?{only}&format=csv")).await;
        let export = String::from_utf8(export.body).unwrap();
        assert_eq!(export.lines().count(), ids.len() + 1, "{export}");
        let by_line: std::collections::BTreeSet<&str> =
            lines.iter().map(|line| line["activity"].as_str().unwrap()).collect();
        let by_list = listed["data"].as_array().unwrap().iter();
        assert_eq!(by_line, by_list.map(|row| row["id"].as_str().unwrap()).collect());
    }
}

#[tokio::test]
async fn a_figure_of_an_entity_stays_when_a_facility_changes_hands() {
    let house = with_entities().await;
    send(&house).await;
    let before = scope2(&house, "&entity_id=uk").await;
    let then = house.clock_now();
    house.clock.advance(Span::from_secs(3600));
    let version = house.get("/facilities/b24").await.header("etag").to_owned();
    let moved = house.patch("/facilities/b24", &version, &json!({"entity": "fr"})).await;
    assert_eq!(moved.status, 200, "{}", moved.json());
    let fr = house.get("/entities/fr").await.json()["id"].clone();
    assert_eq!(moved.json()["entity_id"], fr);
    counted(&house).await;
    assert_eq!(amount(&scope2(&house, "&entity_id=uk").await), "195.3138");
    assert_eq!(amount(&scope2(&house, "&entity_id=fr").await), "19357.53138");
    assert_eq!(scope2(&house, &format!("&entity_id=uk&as_of={then}")).await, before);
    let id = before["figure_id"].as_str().unwrap();
    let trace = house.get(&format!("/figures/{id}/trace")).await.json();
    assert_eq!((&trace["figure"], &trace["replay"]), (&before, &json!("equal")));
    // What is not said any more leaves its rows to nobody.
    let version = moved.header("etag").to_owned();
    let emptied = house.patch("/facilities/b24", &version, &json!({"entity": null})).await;
    assert_eq!(emptied.json()["entity_id"], Value::Null);
    counted(&house).await;
    assert_eq!(amount(&scope2(&house, "&entity_id=").await), "1933.99338");
}

#[tokio::test]
async fn an_entity_that_nobody_added_is_refused_of_a_facility() {
    let house = with_entities().await;
    let facility = json!({"code": "b99", "name": "b99", "country": "GB", "entity": "acme-xx"});
    let refused = house.post("/facilities", &facility).await.is_problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["code"], "unknown_entity", "{refused}");
    assert_eq!(refused["errors"][0]["pointer"], "#/entity", "{refused}");
}
