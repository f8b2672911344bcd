//! Back and forth: from a line of a file, a factor, a facility to the rows and figures they touch.

use envora_domain::decimal::{Decimal, Mass};
use serde_json::{Value, json};

use crate::activities::lived_in;
use crate::house::House;
use crate::imports::{HEADER, activities, counted, import, line, row, with_facility};

/// The external ids of a list.
async fn ids(house: &House, query: &str) -> Vec<String> {
    let answer = house.get(&format!("/activities?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let data = answer.json()["data"].as_array().unwrap().clone();
    data.iter().map(|one| one["external_id"].as_str().unwrap().to_owned()).collect()
}

async fn id_of(house: &House, query: &str) -> String {
    let answer = house.get(&format!("/activities?{query}")).await.json();
    answer["data"][0]["id"].as_str().unwrap_or_else(|| unreachable!("{answer}")).to_owned()
}

/// Exact kilograms.
fn mass(value: &Value) -> Mass {
    let decimal = Decimal::parse(value.as_str().unwrap()).unwrap();
    Mass::from_units(decimal.mantissa() * 10_i128.pow(12 - u32::from(decimal.scale())))
}

/// A figure of an answer by its label.
fn figure<'a>(answer: &'a Value, label: &str) -> &'a Value {
    let figures = answer["figures"].as_array().unwrap_or_else(|| unreachable!("{answer}"));
    let found = figures.iter().find(|figure| figure["label"] == label);
    found.unwrap_or_else(|| unreachable!("no {label}: {answer}"))
}

#[tokio::test]
async fn a_line_of_a_file_leads_to_the_figures_it_is_part_of() {
    let house = with_facility().await;
    let file = format!("{HEADER}\n{}\n{}\n", line("a1", "372.4"), line("a2", "10"));
    let sent = house.send(import(&house, "", ("the-file", file))).await.json();
    let import = sent["id"].as_str().unwrap();
    counted(&house).await;
    assert_eq!(ids(&house, &format!("import_id={import}&line=2")).await, ["a1"]);
    assert_eq!(ids(&house, &format!("import_id={import}&line=3")).await, ["a2"]);
    assert_eq!(ids(&house, &format!("import_id={import}&line=4")).await, [""; 0]);
    house.get("/activities?line=2").await.is_problem(400, "unknown_parameter");

    let id = id_of(&house, &format!("import_id={import}&line=2")).await;
    let answer = house.get(&format!("/activities/{id}/figures")).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let answer = answer.json();
    assert_eq!(answer["state"], "counted");
    assert_eq!(answer["period"], json!({"from": "2022-01-01", "to": "2023-01-01"}));
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let totals = &footprint["totals"];
    for (label, name) in [
        ("Total (location-based)", "total_location_based"),
        ("Total (market-based)", "total_market_based"),
        ("Scope 2 (location-based)", "scope2_location"),
        ("Scope 2 (market-based)", "scope2_market"),
        ("Scope 3", "scope3"),
    ] {
        assert_eq!(figure(&answer, label)["figure"], totals[name], "{label}");
    }
    assert_eq!(figure(&answer, "Scope 2 (location-based)")["part"], "72.014712");
    let labels = answer["figures"].as_array().unwrap().iter().map(|one| &one["label"]);
    assert!(labels.clone().all(|label| label != "s2_lb"), "scope 2 is told once: {answer}");
    let months = house.get("/carbon-footprint/series?from=2022-01-01&to=2022-02-01").await.json();
    assert_eq!(figure(&answer, "2022-01")["figure"], months["points"][0]["total_location_based"]);
    // Each of them opens, is the same worked out again, and tells a line of this activity.
    for touched in answer["figures"].as_array().unwrap() {
        let figure = touched["figure"]["figure_id"].as_str().unwrap();
        let trace = house.get(&format!("/figures/{figure}/trace?limit=1000")).await.json();
        assert_eq!(trace["replay"], "equal", "{touched}");
        let lines = trace["lines"]["data"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["activity"] == id.as_str()), "{touched}");
    }
    // In a set that no cell keeps, in another period, and of nothing.
    let other = house.get(&format!("/activities/{id}/figures?gwp_set=ar6-table")).await.json();
    let whole = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01&gwp_set=ar6-table");
    let whole = whole.await.json();
    let scope2 = figure(&other, "Scope 2 (location-based)");
    assert_eq!(scope2["figure"], whole["totals"]["scope2_location"]);
    let later = format!("/activities/{id}/figures?from=2023-01-01&to=2024-01-01");
    assert_eq!(house.get(&later).await.json()["figures"], json!([]));
    let bad = house.get(&format!("/activities/{id}/figures?gwp_set=ar7")).await;
    bad.is_problem(400, "unknown_parameter");
    house
        .get("/activities/act_00000000000000000000000000/figures")
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn a_factor_leads_to_the_rows_that_it_is_in() {
    let house = with_facility().await;
    let mut fuel = row("f1", "10");
    fuel["type"] = "fuel.combusted.stationary".into();
    fuel["unit"] = "L".into();
    fuel["qualifiers"] = json!({"fuel": "diesel"});
    let body = json!({"mode": "partial", "activities": [row("a1", "1"), fuel, row("a2", "2")]});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(sent.status, 207, "{}", sent.json());
    counted(&house).await;
    for (first, want) in [("a1", vec!["a1", "a2"]), ("f1", vec!["f1"])] {
        let kind =
            if first == "f1" { "fuel.combusted.stationary" } else { "electricity.purchased" };
        let id = id_of(&house, &format!("type={kind}")).await;
        let trace = house.get(&format!("/activities/{id}/trace")).await.json();
        let factor = trace["lines"][0]["factor"]["id"].as_str().unwrap().to_owned();
        assert_eq!(ids(&house, &format!("factor={factor}")).await, want, "{trace}");
        let period = "from=2022-01-01&to=2023-01-01";
        let figures = house.get(&format!("/factors/{factor}/figures?{period}")).await.json();
        assert_eq!(figures["activities"], want.len(), "{figures}");
        // What a factor adds to the total is what its lines in the total's trace come to.
        let total = figure(&figures, "Total (location-based)");
        let place = total["figure"]["figure_id"].as_str().unwrap();
        let whole = house.get(&format!("/figures/{place}/trace?limit=1000")).await.json();
        assert_eq!(whole["replay"], "equal");
        let lines = whole["lines"]["data"].as_array().unwrap().iter();
        let mut own = lines.filter(|line| line["factor"]["id"] == factor.as_str());
        let sum: Mass = own.by_ref().map(|line| mass(&line["co2e"])).sum();
        assert_eq!(mass(&total["part"]), sum, "{total}");
        let footprint = house.get(&format!("/carbon-footprint?{period}")).await.json();
        assert_eq!(total["figure"], footprint["totals"]["total_location_based"]);
        // Without a period: all years in which something counts, not the one that happens to be now.
        let whole = house.get(&format!("/factors/{factor}/figures")).await.json();
        assert_eq!(whole["period"], json!({"from": "2022-01-01", "to": "2023-01-01"}));
        assert_eq!(whole, figures, "there is no other year");
        let other = house.get(&format!("/factors/{factor}/figures?from=2023-01-01")).await.json();
        assert_eq!((&other["activities"], &other["figures"]), (&json!(0), &json!([])));
    }
    let unused = format!("factor=sha256:{}", "0".repeat(64));
    assert_eq!(ids(&house, &unused).await, [""; 0]);
    let unused = format!("/factors/sha256:{}/figures", "0".repeat(64));
    house.get(&unused).await.is_problem(404, "not_found");
    house.get("/activities?factor=grid").await.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn what_does_not_count_is_in_no_figure() {
    let house = lived_in().await;
    for (query, state) in [
        ("state=unresolved", "unresolved"),
        ("state=superseded", "superseded"),
        ("state=voided", "voided"),
    ] {
        let id = id_of(&house, query).await;
        let answer = house.get(&format!("/activities/{id}/figures")).await.json();
        assert_eq!((&answer["state"], &answer["figures"]), (&json!(state), &json!([])), "{answer}");
    }
    let body = json!({"activities": [row("late", "1")]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    let id = id_of(&house, "state=pending").await;
    let waiting = house.get(&format!("/activities/{id}/figures")).await;
    waiting.is_problem(409, "not_calculated");
}

/// Sends one row to a facility in the United States; the lines of its trace.
async fn traced_in_the_us(house: &House, kind: &str, fields: &Value) -> Vec<Value> {
    let us =
        json!({"code": "us1", "name": "Mill", "country": "US", "time_zone": "America/New_York"});
    assert_eq!(house.post("/facilities", &us).await.status, 201);
    let mut one = json!({"external_id": "p1", "type": kind, "facility_code": "us1",
        "start_date": "2025-03-01", "end_date": "2025-03-31"});
    one.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let sent = house.send(activities(house, "", ("", &json!({"activities": [one]})))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(house).await;
    let id = id_of(house, &format!("type={kind}")).await;
    let trace = house.get(&format!("/activities/{id}/trace")).await.json();
    trace["lines"].as_array().unwrap_or_else(|| unreachable!("{trace}")).clone()
}

/// The property of each line of a slot is told with its place, and leads back to these lines alone.
async fn leads_back(house: &House, lines: &[Value], (slot, name): (&str, &str)) {
    let of_slot: Vec<&Value> = lines.iter().filter(|line| line["slot"] == slot).collect();
    assert!(!of_slot.is_empty(), "{lines:?}");
    let first = of_slot[0]["properties"][0].clone();
    for line in lines {
        let due = if line["slot"] == slot { json!([first]) } else { Value::Null };
        assert_eq!(line["properties"], due, "{line}");
    }
    assert_eq!((&first["property"], &first["edition"]), (&json!(name), &json!("2025")), "{first}");
    let origin = first["origin"].as_str().unwrap();
    assert!(origin.starts_with("epa_ghg_emission_factors_hub_2025.csv, line "), "{origin}");
    let step = of_slot[0]["exact"][0].as_str().unwrap();
    let printed = format!("{} ({name})", first["value"].as_str().unwrap());
    assert!(step.contains(&printed), "{step}: {first}");
    let factor = first["id"].as_str().unwrap();
    assert_eq!(ids(house, &format!("factor={factor}")).await, ["p1"]);
    let figures = house.get(&format!("/factors/{factor}/figures")).await.json();
    assert_eq!(figures["activities"], 1, "{figures}");
    let sum: Mass = of_slot.iter().map(|line| mass(&line["co2e"])).sum();
    let total = figure(&figures, "Total (location-based)");
    assert_eq!(mass(&total["part"]), sum, "of this slot alone: {figures}");
}

#[tokio::test]
async fn the_loss_rate_of_a_grid_is_traced_both_ways() {
    let house = with_facility().await;
    let power = json!({"quantity": "98765.4", "unit": "kW.h", "grid": "CAMX"});
    let lines = traced_in_the_us(&house, "electricity.purchased", &power).await;
    leads_back(&house, &lines, ("c3_tnd", "loss rate")).await;
}
