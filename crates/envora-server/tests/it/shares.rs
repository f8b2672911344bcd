//! Rows of which only some days are in the period asked for: the lines of a trace tell that part, and
//! add up to the figure.

use std::collections::BTreeSet;

use envora_domain::decimal::Mass;
use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

/// Rows that cross the end of 2022: whole days at a place whose clocks change, hours, one of many
/// years, and one of a fuel with a memo of its own.
async fn over_new_year() -> House {
    let house = with_facility().await;
    let place =
        json!({"code": "split", "name": "Split", "country": "GB", "time_zone": "Europe/London"});
    assert_eq!(house.post("/facilities", &place).await.status, 201);
    let days = |id: &str, quantity: &str, (first, last): (&str, &str)| {
        json!({"external_id": id, "type": "electricity.purchased", "quantity": quantity,
            "unit": "kW.h", "start_date": first, "end_date": last, "facility_code": "split"})
    };
    let mut hours = row("hours", "1.000001");
    hours["start"] = "2022-12-31T17:20:00Z".into();
    hours["end"] = "2023-01-01T09:00:00Z".into();
    let mut wood = days("wood", "3.33", ("2022-10-01", "2023-02-03"));
    wood["type"] = "fuel.combusted.stationary".into();
    wood["unit"] = "t".into();
    wood["qualifiers"] = json!({"fuel": "wood_pellets"});
    let rows = json!([
        hours,
        wood,
        days("years", "12345.678901", ("2021-07-01", "2024-03-31")),
        days("inside", "5", ("2023-05-01", "2023-05-31")),
    ]);
    let alone = json!([days("alone", "7.777777", ("2022-12-20", "2023-01-31"))]);
    for rows in [alone, rows] {
        let sent = house.send(activities(&house, "", ("", &json!({"activities": rows})))).await;
        assert_eq!(sent.status, 201, "{}", sent.json());
    }
    counted(&house).await;
    house
}

async fn traced(house: &House, figure: &Value) -> Value {
    let id = figure["figure_id"].as_str().unwrap_or_else(|| unreachable!("{figure}"));
    let trace = house.get(&format!("/figures/{id}/trace?limit=1000")).await.json();
    assert_eq!((&trace["replay"], &trace["figure"]), (&json!("equal"), figure));
    trace
}

/// What the lines of a trace add to its figure.
fn together(trace: &Value) -> String {
    let name = match trace["query"]["measure"].as_str() {
        Some("mass") => "kg_in_period",
        _ => "co2e_in_period",
    };
    let lines = trace["lines"]["data"].as_array().unwrap();
    let parts = lines.iter().filter_map(|line| line[name].as_str());
    parts.map(|part| Mass::parse_kg(part).unwrap()).sum::<Mass>().kg()
}

#[tokio::test]
async fn the_lines_of_every_figure_add_up_to_it() {
    let house = over_new_year().await;
    let mut partly = 0;
    for period in [
        "from=2022-01-01&to=2023-01-01",
        "from=2023-01-01&to=2024-01-01",
        "from=2022-12-31&to=2023-01-01",
        "from=2021-01-01&to=2025-01-01",
    ] {
        let footprint = house.get(&format!("/carbon-footprint?{period}")).await.json();
        let totals = footprint["totals"].as_object().unwrap();
        let mut figures: Vec<Value> =
            totals.values().filter(|total| total["figure_id"].is_string()).cloned().collect();
        assert!(figures.len() >= 7, "{footprint}");
        while let Some(figure) = figures.pop() {
            let trace = traced(&house, &figure).await;
            assert_eq!(together(&trace), figure["value"], "{period} {}", trace["query"]);
            let lines = trace["lines"]["data"].as_array().unwrap();
            partly += lines.iter().filter(|l| l["days_in_period"] != l["days"]).count();
            // Of the totals, their parts too: scopes, months, places.
            if trace["query"]["filters"] == json!({}) && trace["query"]["scope"].is_null() {
                let parts = trace["parts"].as_array().unwrap().iter();
                let part = |part: &Value| json!({"value": part["value"], "unit": "kg", "figure_id": part["figure_id"]});
                figures.extend(parts.map(part));
            }
        }
    }
    assert!(partly > 50, "{partly}");
}

#[tokio::test]
async fn a_line_tells_the_part_that_is_in_the_period() {
    let house = over_new_year().await;
    let path = "/carbon-footprint?from=2023-01-01&to=2024-01-01&facility_id=split";
    let footprint = house.get(path).await.json();
    let trace = traced(&house, &footprint["totals"]["scope2_location"]).await;
    let lines = trace["lines"]["data"].as_array().unwrap();
    let alone = |line: &&Value| line["as_sent"]["external_id"] == "alone";
    let co2 = lines.iter().filter(alone).find(|line| line["gwp"]["gas"] == "CO2").unwrap();
    assert_eq!(
        [&co2["days"], &co2["days_in_period"], &co2["time_zone"]],
        [&json!(43), &json!(31), &json!("Europe/London")]
    );
    assert_eq!(co2["co2e"], "1.59413317392");
    assert_eq!(co2["co2e_in_period"], "1.1492587998");
    assert_eq!(co2["kg_in_period"], "1.1492587998");
    let steps = co2["exact"].as_array().unwrap();
    assert_eq!(
        steps.last().unwrap(),
        "31 of 43 days (Europe/London), by length, largest remainder: 1.1492587998 kg CO2e"
    );
    let sum: Mass = lines
        .iter()
        .filter(alone)
        .map(|line| Mass::parse_kg(line["co2e_in_period"].as_str().unwrap()).unwrap())
        .sum();
    assert_eq!(sum.kg(), "1.161114111884");
    let inside = lines.iter().find(|line| line["as_sent"]["external_id"] == "inside").unwrap();
    assert_eq!((&inside["days"], &inside["days_in_period"]), (&json!(31), &json!(31)));
    assert_eq!(inside["co2e_in_period"], inside["co2e"]);
    // Where no period is asked for, a line is whole.
    let id = co2["activity"].as_str().unwrap();
    let whole = house.get(&format!("/activities/{id}/trace")).await.json();
    for line in whole["lines"].as_array().unwrap() {
        assert_eq!((&line["days"], &line["days_in_period"]), (&json!(43), &json!(43)));
        assert_eq!(line["co2e_in_period"], line["co2e"]);
        assert_eq!(line["kg_in_period"], line["kg"]);
    }
}

#[tokio::test]
async fn a_trace_shows_all_that_was_sent() {
    let house = with_facility().await;
    let mut sent = row("all", "3.5");
    sent["type"] = "fuel.combusted.stationary".into();
    sent["unit"] = "t".into();
    sent["qualifiers"] = json!({"fuel": "wood_pellets"});
    sent["region"] = "GB".into();
    sent["data_kind"] = "invoiced".into();
    sent["note"] = "a delivery".into();
    sent["tags"] = json!({"cost_centre": "12"});
    sent["evidence"] = json!([format!("sha256:{}", "7".repeat(64))]);
    let body = json!({"activities": [sent]});
    let answer = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    counted(&house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let trace = traced(&house, &footprint["totals"]["total_location_based"]).await;
    for line in trace["lines"]["data"].as_array().unwrap() {
        assert_eq!(line["as_sent"]["fields"], sent);
        // No reason stands there twice.
        let over = line["why"]["passed_over"].as_array().unwrap();
        let once: BTreeSet<&str> = over.iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(once.len(), over.len(), "{over:?}");
    }
}
