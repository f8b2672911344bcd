//! Emissions: the lines of a period, page by page, and that they add up to its footprint.

use std::collections::BTreeMap;

use envora_domain::decimal::{Decimal, Mass};
use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

/// Exact kilograms.
pub(crate) fn mass(text: &str) -> Mass {
    let decimal = Decimal::parse(text).unwrap();
    Mass::from_units(decimal.mantissa() * 10_i128.pow(12 - u32::from(decimal.scale())))
}

fn row_of(id: &str, quantity: &str, (start, end): (&str, &str)) -> Value {
    let mut row = row(id, quantity);
    row["start"] = format!("{start}T00:00:00Z").into();
    row["end"] = format!("{end}T00:00:00Z").into();
    row
}

/// Three requests: electricity by the day, a bill over two months, fuel.
async fn with_rows() -> House {
    let house = with_facility().await;
    let mut fuel = row_of("g1", "333.333", ("2022-01-20", "2022-02-20"));
    fuel["type"] = "fuel.combusted.stationary".into();
    fuel["unit"] = "L".into();
    fuel["qualifiers"] = json!({"fuel": "diesel"});
    for rows in [
        json!([
            row_of("a1", "372.4", ("2022-01-31", "2022-02-01")),
            row_of("a2", "0.0007", ("2022-02-28", "2022-03-01"))
        ]),
        json!([row_of("bill", "1234.567", ("2022-01-15", "2022-03-10")), fuel]),
        json!([
            row_of("a3", "77.7", ("2023-01-01", "2023-01-02")),
            row_of("a4", "5", ("2022-06-01", "2022-06-02"))
        ]),
    ] {
        let sent = house.send(activities(&house, "", ("", &json!({"activities": rows})))).await;
        assert_eq!(sent.status, 201, "{}", sent.json());
    }
    counted(&house).await;
    house
}

/// All lines of a question, by pages of so many.
async fn lines(house: &House, query: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/emissions?{query}&limit={limit}{cursor}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.json());
        let page = page.json();
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        all.extend(data.iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// What the lines come to under the names that a footprint has for its totals.
fn sums(lines: &[Value]) -> BTreeMap<String, Mass> {
    let mut sums: BTreeMap<String, Mass> = BTreeMap::new();
    let mut add = |name: &str, text: &Value| {
        let Some(text) = text.as_str() else { return };
        *sums.entry(name.to_owned()).or_default() += mass(text);
    };
    for line in lines {
        if line["bucket"] == "biogenic_co2" {
            add("biogenic_co2", &line["kg"]);
        }
        if line["bucket"] != "in_scope" {
            continue;
        }
        let market = line["market"].as_str().unwrap_or_default();
        let co2e = &line["co2e"];
        match (line["scope"].as_u64().unwrap(), market) {
            (1, _) => add("scope1", co2e),
            (2, "location") => add("scope2_location", co2e),
            (2, "market") => add("scope2_market", co2e),
            (3, _) => add("scope3", co2e),
            other => unreachable!("{other:?}"),
        }
        if market != "market" {
            add("total_location_based", co2e);
            let gas = format!("{} {}", line["gas"], line["carbon"]);
            add(&format!("{gas} co2e"), co2e);
            add(&format!("{gas} mass"), &line["kg"]);
        }
        if market != "location" {
            add("total_market_based", co2e);
        }
    }
    sums
}

/// What a footprint says, by the same names; nothing where it says zero.
fn told(footprint: &Value) -> BTreeMap<String, Mass> {
    let mut told = BTreeMap::new();
    for (name, total) in footprint["totals"].as_object().unwrap() {
        if let Some(value) = total["value"].as_str() {
            told.insert(name.clone(), mass(value));
        }
    }
    for gas in footprint["totals"]["by_gas"].as_array().unwrap() {
        let name = format!("{} {}", gas["gas"], gas["carbon"]);
        told.insert(format!("{name} co2e"), mass(gas["co2e"]["value"].as_str().unwrap()));
        told.insert(format!("{name} mass"), mass(gas["mass"]["value"].as_str().unwrap()));
    }
    told
}

fn without_zeros(mut sums: BTreeMap<String, Mass>) -> BTreeMap<String, Mass> {
    sums.retain(|_, sum| *sum != Mass::ZERO);
    sums
}

#[tokio::test]
async fn the_lines_of_all_pages_are_the_footprint_to_the_last_digit() {
    let house = with_rows().await;
    for query in [
        "from=2022-01-01&to=2023-01-01",
        "from=2022-02-01&to=2022-02-11",
        "from=2022-01-01&to=2024-01-01&gwp_set=ar5",
        "from=2022-01-01&to=2022-03-01&gwp_set=ar6-table",
        "from=2022-01-01&to=2023-01-01&scope=3&scope=1",
        "from=2022-01-01&to=2023-01-01&scope=3&category=3",
        "from=2022-01-01&to=2023-01-01&type=fuel.combusted.stationary",
        "from=2022-01-01&to=2023-01-01&facility_id=b24",
        "from=2019-01-01&to=2020-01-01",
    ] {
        let footprint = house.get(&format!("/carbon-footprint?{query}")).await.json();
        let all = lines(&house, query, 1_000).await;
        assert_eq!(all.is_empty(), query.contains("2019"), "{query}");
        assert_eq!(without_zeros(sums(&all)), without_zeros(told(&footprint)), "{query}");
        assert_eq!(lines(&house, query, 3).await, all, "{query}: by pages of three");
    }
    let parts = |lines: Vec<Value>| {
        let bill = lines.into_iter().filter(|line| line["slot"] == "s2_lb" && line["gas"] == "CO2");
        bill.map(|line| line["period"].clone()).collect::<Vec<_>>()
    };
    let february = lines(&house, "from=2022-02-01&to=2022-03-01", 100).await;
    let days = |from: &str, to: &str| json!({"from": from, "to": to});
    assert_eq!(
        parts(february),
        [days("2022-02-28", "2022-03-01"), days("2022-02-01", "2022-03-01")]
    );
}

#[tokio::test]
async fn a_line_says_what_it_is() {
    let house = with_rows().await;
    let page = house.get("/emissions?from=2022-01-31&to=2022-02-01&type=electricity.purchased");
    let page = page.await.json();
    assert_eq!(page["period"], json!({"from": "2022-01-31", "to": "2022-02-01"}));
    assert_eq!(page["gwp_set"], "published");
    let line = &page["data"][0];
    assert_eq!((&line["slot"], &line["gas"]), (&json!("s2_lb"), &json!("CO2")), "{line}");
    assert_eq!((&line["kg"], &line["market"]), (&json!("71.206604"), &json!("location")));
    assert_eq!((&line["scope"], line.get("category")), (&json!(2), None));
    let id = line["activity"].as_str().unwrap();
    let trace = house.get(&format!("/activities/{id}/trace")).await.json();
    let traced = &trace["lines"][0];
    assert_eq!((&traced["factor"]["id"], &traced["method"]), (&line["factor"], &line["method"]));
    assert_eq!((&traced["kg"], &traced["co2e"]), (&line["kg"], &line["co2e"]));
    let cut = house.get("/emissions?from=2022-01-01&to=2023-01-01&fields=kg,co2e&limit=1").await;
    assert_eq!(cut.json()["data"][0].as_object().unwrap().len(), 2, "{}", cut.json());
    for query in ["facility_id=nowhere", "gwp_set=ar7", "from=2022-01-01&to=2022-01-01", "scope=4"]
    {
        let refused = house.get(&format!("/emissions?{query}")).await;
        refused.is_problem(400, "unknown_parameter");
    }
}

#[tokio::test]
async fn writes_during_a_walk_change_nothing_of_it() {
    let house = with_rows().await;
    let query = "from=2022-01-01&to=2023-01-01";
    let before = house.get(&format!("/carbon-footprint?{query}")).await.json();
    let first = house.get(&format!("/emissions?{query}&limit=2")).await.json();
    let body = json!({"activities": [row_of("new", "9", ("2022-05-01", "2022-05-02"))]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    counted(&house).await;
    let after = house.get(&format!("/carbon-footprint?{query}")).await.json();
    assert_ne!(told(&before), told(&after));
    let cursor = first["next_cursor"].as_str().unwrap();
    let mut all = first["data"].as_array().unwrap().clone();
    let rest = house.get(&format!("/emissions?{query}&cursor={cursor}&limit=1000")).await.json();
    assert_eq!((&rest["seq"], &rest["next_cursor"]), (&first["seq"], &Value::Null));
    all.extend(rest["data"].as_array().unwrap().iter().cloned());
    assert_eq!(without_zeros(sums(&all)), without_zeros(told(&before)));
    assert_eq!(
        without_zeros(sums(&lines(&house, query, 1_000).await)),
        without_zeros(told(&after))
    );
}

#[tokio::test]
async fn a_page_without_a_line_goes_on() {
    let house = with_facility().await;
    let post = async |row: Value| {
        let body = json!({"activities": [row]});
        assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    };
    for number in 0..20 {
        post(row(&format!("r{number}"), "1")).await;
    }
    let mut fuel = row("fuel", "10");
    fuel["type"] = "fuel.combusted.stationary".into();
    fuel["unit"] = "L".into();
    fuel["qualifiers"] = json!({"fuel": "diesel"});
    post(fuel).await;
    counted(&house).await;
    let query = "from=2022-01-01&to=2023-01-01&type=fuel.combusted.stationary&limit=1";
    let page = house.get(&format!("/emissions?{query}")).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
}
