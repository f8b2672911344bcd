//! Why a row waits, and what is odd about one that counts: as the API, the activity and the footprint tell it.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{activities, counted, counts, import, with_facility};
use crate::pages::{open, signed_in, text};

/// A house with a library in Great Britain, `b24`, and a plant in the United States, `us1`.
async fn two_countries() -> House {
    let house = with_facility().await;
    let plant = json!({"code": "us1", "name": "The plant", "country": "US", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &plant).await.status, 201);
    house
}

fn row(facility: &str, kind: &str, (quantity, unit): (&str, &str), words: &Value) -> Value {
    json!({
        "external_id": format!("{facility}-{kind}"), "type": kind, "quantity": quantity,
        "unit": unit, "start_date": "2023-03-01", "end_date": "2023-03-31",
        "facility_code": facility, "qualifiers": words,
    })
}

async fn year(house: &House) -> Value {
    counted(house).await;
    house.get("/carbon-footprint?from=2023-01-01&to=2024-01-01").await.json()
}

/// A row that waits: its code, and words of the remedy, in the footprint and on the activity.
async fn waits(row: Value, (code, words): (&str, &[&str])) {
    let house = two_countries().await;
    let sent = house.send(activities(&house, "", ("", &json!({"activities": [row]})))).await;
    assert_eq!((sent.status, counts(&sent)), (201, [1, 0, 0, 0]), "{}", sent.json());
    let footprint = year(&house).await;
    let unresolved = footprint["unresolved"].as_array().unwrap();
    assert_eq!((unresolved.len(), &unresolved[0]["code"]), (1, &json!(code)), "{footprint}");
    let id = sent.json()["results"][0]["id"].as_str().unwrap().to_owned();
    let activity = house.get(&format!("/activities/{id}/trace")).await.json();
    for told in [&unresolved[0], &activity["unresolved"]] {
        assert_eq!(told["code"], code, "{activity}");
        let remedy = told["remedy"].as_str().unwrap_or_default();
        for word in words {
            assert!(remedy.contains(word), "{word:?} is not in {remedy:?}");
        }
        assert!(!remedy.contains("activate a pack"), "{remedy}");
    }
}

#[tokio::test]
async fn heat_without_its_network_asks_for_the_network() {
    let heat = row("b24", "heat.purchased", ("1000", "kW.h"), &json!({"medium": "heat"}));
    waits(heat, ("factor_missing", &["say network = "])).await;
}

#[tokio::test]
async fn a_fuel_that_is_called_otherwise_there_is_told_its_words() {
    let fuel = row("us1", "fuel.combusted.mobile", ("100", "L"), &json!({"fuel": "diesel"}));
    waits(fuel, ("factor_missing", &["there are factors for fuel = diesel"])).await;
}

#[tokio::test]
async fn a_flight_with_what_no_table_of_the_place_has_is_told_what_it_has() {
    let words = json!({"mode": "air", "haul": "short", "rf": "with"});
    let flight = row("us1", "travel.moved", ("1000", "x:pax.km"), &words);
    waits(flight, ("factor_missing", &["there are factors for ", "rf = without"])).await;
}

#[tokio::test]
async fn gas_at_other_conditions_is_told_the_units_of_the_factors() {
    let gas = json!({"fuel": "natural_gas"});
    let gas = row("b24", "fuel.combusted.stationary", ("100", "x:Nm3_0C"), &gas);
    let words = ["send it in a unit that factors are per there: ", "kW.h.x:gross"];
    waits(gas, ("factor_missing", &words)).await;
}

fn flags(result: &Value) -> Vec<&str> {
    result["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn a_balance_below_nothing_counts_and_says_so() {
    let house = with_facility().await;
    let header = "external_id,type,quantity,unit,start_date,end_date,facility_code,qualifiers.gas,\
        inputs.stock_begin.quantity,inputs.stock_begin.unit,inputs.stock_end.quantity,\
        inputs.stock_end.unit";
    let line = |id: &str, end: &str| {
        format!("{id},refrigerant.balance,1,kg,2023-01-01,2023-12-31,b24,r134a,5,kg,{end},kg")
    };
    let file = format!("{header}\n{}\n{}\n", line("a1", "8"), line("a2", "4"));
    let sent = house.send(import(&house, "", ("balance-import-1", file))).await;
    assert_eq!(counts(&sent), [2, 0, 0, 0], "{}", sent.json());
    let results = sent.json()["results"].clone();
    assert_eq!(flags(&results[0]), ["negative_balance"], "1 + 5 - 8 = -2 kg");
    assert!(flags(&results[1]).is_empty(), "{results}");

    let footprint = year(&house).await;
    assert_eq!(footprint["unresolved"], json!([]), "{footprint}");
    let odd = footprint["warnings"].as_array().unwrap().iter();
    let odd: Vec<&Value> = odd.filter(|odd| odd["code"] == "negative_balance").collect();
    assert_eq!((odd.len(), &odd[0]["activities"]), (1, &json!(1)), "{footprint}");
    let flagged = house.get("/activities?flag=negative_balance").await.json();
    assert_eq!(flagged["data"][0]["external_id"], "a1", "{flagged}");
    assert_eq!(flagged["data"].as_array().map(Vec::len), Some(1));
    // The two balances cancel each other: -2 kg and 2 kg.
    assert_eq!(footprint["totals"]["scope1"]["value"], "0", "{footprint}");
}

/// What is said of a grid that nobody knows: the place, and what was meant.
fn asks_back(error: &Value, place: (&str, &str)) {
    assert_eq!(error[place.0], place.1, "{error}");
    let hint = error["hint"].as_str().unwrap_or_default().to_lowercase();
    assert!(hint.contains("did you mean egrid:camx?"), "{error}");
    assert!(error["detail"].as_str().unwrap_or_default().contains("no grid that is known"));
}

const ELSEWHERE: &str = "is a subregion of eGRID, which lies in US, not in GB";

#[tokio::test]
async fn a_grid_of_another_country_is_refused_on_a_facility() {
    let house = two_countries().await;
    let check = |answer: Answer| {
        answer.is_problem(422, "validation_failed");
        let error = answer.json()["errors"][0].clone();
        assert_eq!(error["pointer"], "#/grid", "{error}");
        assert!(error["detail"].as_str().unwrap_or_default().contains(ELSEWHERE), "{error}");
        assert!(error["hint"].as_str().unwrap_or_default().contains("leave the grid out"));
    };
    check(house.patch("/facilities/b24", "*", &json!({"grid": "CAMX"})).await);
    let mill = json!({"code": "m1", "name": "X", "country": "GB", "grid": "egrid:CAMX"});
    check(house.post("/facilities", &mill).await);
    let placed = house.patch("/facilities/us1", "*", &json!({"grid": "egrid:CAMX"})).await;
    assert_eq!(placed.status, 200, "{}", placed.json());
    check(house.patch("/facilities/us1", "*", &json!({"country": "GB"})).await);
    let both = json!({"country": "GB", "grid": null});
    assert_eq!(house.patch("/facilities/us1", "*", &both).await.status, 200);
}

#[tokio::test]
async fn a_row_of_a_grid_of_another_country_waits() {
    let house = two_countries().await;
    let mut power = row("b24", "electricity.purchased", ("1000", "kW.h"), &json!({}));
    power["grid"] = json!("CAMX");
    let mut said = power.clone();
    (said["external_id"], said["region"]) = (json!("said"), json!("GB"));
    let mut there = power.clone();
    (there["external_id"], there["region"]) = (json!("there"), json!("US-CA"));
    let body = json!({"activities": [power, said, there]});
    let sent = house.send(activities(&house, "?mode=partial", ("", &body))).await;
    assert_eq!(counts(&sent), [1, 0, 2, 0], "{}", sent.json());
    let results = sent.json()["results"].clone();
    for place in [0, 1] {
        let error = &results[place]["errors"][0];
        assert_eq!(error["code"], "unknown_item", "{error}");
        assert!(error["detail"].as_str().unwrap_or_default().contains(ELSEWHERE), "{error}");
    }
    let footprint = year(&house).await;
    let unresolved = footprint["unresolved"].as_array().unwrap();
    let rows: u64 = unresolved.iter().filter_map(|group| group["activities"].as_u64()).sum();
    assert_eq!(rows, 2, "{footprint}");
    for group in unresolved {
        assert_eq!(group["code"], "unknown_item", "{group}");
        assert!(group["remedy"].as_str().unwrap_or_default().contains(ELSEWHERE), "{group}");
    }
}

#[tokio::test]
async fn own_power_waits_for_its_certificates_and_says_why_it_is_nothing() {
    let kind = "electricity.generated";
    let unsaid = row("b24", kind, ("100", "kW.h"), &json!({"technology": "solar"}));
    waits(unsaid, ("factor_missing", &["say qualifiers.certificates_kept = yes"])).await;
    let house = two_countries().await;
    let kept = row("b24", kind, ("100", "kW.h"), &json!({"certificates_kept": "yes"}));
    let sent = house.send(activities(&house, "", ("", &json!({"activities": [kept]})))).await;
    let id = sent.json()["results"][0]["id"].as_str().unwrap().to_owned();
    counted(&house).await;
    let trace = house.get(&format!("/activities/{id}/trace")).await.json();
    assert_eq!((&trace["state"], &trace["lines"]), (&json!("counted"), &json!([])), "{trace}");
    assert_eq!(trace["nothing"], "own generation emits through its fuel alone", "{trace}");
    let session = signed_in(&house).await;
    let page = text(open(&house, &format!("/activities/{id}"), &session).await);
    assert!(page.contains("It has no lines: "), "{page}");
}

#[tokio::test]
async fn what_rows_lack_for_want_of_a_factor_is_told_by_type() {
    let house = two_countries().await;
    let power = row("us1", "electricity.purchased", ("1000", "kW.h"), &json!({}));
    let gas = json!({"fuel": "natural_gas"});
    let gas = row("us1", "fuel.combusted.stationary", ("10", "x:scf_60F"), &gas);
    let whole = row("b24", "electricity.purchased", ("1000", "kW.h"), &json!({}));
    let body = json!({"activities": [power, gas, whole]});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(counts(&sent), [3, 0, 0, 0], "{}", sent.json());
    let footprint = year(&house).await;
    let first = &footprint["warnings"][0];
    assert_eq!(first["code"], "derived_factor_missing", "{footprint}");
    assert_eq!(first["activities"], 2, "{footprint}");
    let detail = first["detail"].as_str().unwrap_or_default();
    for words in [
        "not whole",
        "scope 3.3, losses in the grid (c3_tnd) of 1 × electricity.purchased;",
        "scope 3.3, upstream of fuel and power (c3_wtt) of 1 × fuel.combusted.stationary",
    ] {
        assert!(detail.contains(words), "{words:?} is not in {detail:?}");
    }
    let session = signed_in(&house).await;
    let page = text(open(&house, "/?year=2023", &session).await);
    let (_, tile) = page.split_once("<h3>").expect("tiles");
    let (_, tile) = tile.split_once("Scope 3</h3>").expect("the tile of scope 3");
    let (tile, _) = tile.split_once("</div>").expect("its end");
    assert!(tile.contains("<strong>Not whole.</strong>"), "{tile}");
    assert!(tile.contains("Scope 3.3, losses in the grid"), "{tile}");
    let page = house.get("/carbon-footprint?from=2023-01-01&to=2024-01-01&facility_id=b24").await;
    assert!(!page.json().to_string().contains("derived_factor_missing"), "b24 lacks nothing");
}

#[tokio::test]
async fn a_row_of_a_grid_that_nobody_knows_waits() {
    let house = two_countries().await;
    let mut power = row("us1", "electricity.purchased", ("1", "kW.h"), &json!({}));
    power["grid"] = json!("egrid:CAMXX");
    let body = json!({"activities": [power]});
    let refused = house.send(activities(&house, "?mode=partial", ("", &body))).await;
    // It is stored and waits, and counts with no grid that was not meant.
    assert_eq!(counts(&refused), [0, 0, 1, 0], "{}", refused.json());
    let error = &refused.json()["results"][0]["errors"][0];
    assert_eq!(error["code"], "unknown_item", "{error}");
    asks_back(error, ("pointer", "#/activities/0/grid"));

    let line = "a1,electricity.purchased,1,kW.h,2023-03-01,2023-03-31,us1,egrid:CAMXX";
    let header = "external_id,type,quantity,unit,start_date,end_date,facility_code,grid";
    let file = format!("{header}\n{line}\n{}\n", line.replace("CAMXX", "CAMX").replace("a1", "a2"));
    let sent = house.send(import(&house, "", ("grid-import-1", file))).await;
    assert_eq!(counts(&sent), [1, 0, 1, 0], "{}", sent.json());
    asks_back(&sent.json()["results"][0]["errors"][0], ("column", "grid"));
    let unresolved = year(&house).await["unresolved"].clone();
    assert_eq!(
        (&unresolved[0]["code"], &unresolved[0]["activities"]),
        (&json!("unknown_item"), &json!(2))
    );
    let counted = house.get("/activities?state=counted").await.json();
    assert_eq!(counted["data"].as_array().map(Vec::len), Some(1), "{counted}");
}

#[tokio::test]
async fn a_grid_that_nobody_knows_is_refused_on_a_facility() {
    let house = two_countries().await;
    let refused = |answer: Answer| {
        let problem = answer.is_problem(422, "validation_failed");
        asks_back(&problem["errors"][0], ("pointer", "#/grid"));
    };
    let plant = |code: &str, grid: &str| json!({"code": code, "name": "X", "country": "US", "time_zone": "UTC", "grid": grid});
    refused(house.post("/facilities", &plant("us2", "egrid:CAMXX")).await);
    refused(
        house.put("/facilities/us2", ("if-none-match", "*"), &plant("us2", "egrid:CAMXX")).await,
    );
    let missing = house.ask("GET", "/facilities/us2").body(Body::empty()).unwrap();
    assert_eq!(house.send(missing).await.status, 404, "nothing was stored");
    refused(house.patch("/facilities/us1", "*", &json!({"grid": "egrid:CAMXX"})).await);
    let far = house.patch("/facilities/us1", "*", &json!({"grid": "egrid:ZZZZ"})).await;
    let far = far.is_problem(422, "validation_failed");
    let hint = far["errors"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("such as egrid:CAMX"), "{far}");
    assert_eq!(
        house.patch("/facilities/us1", "*", &json!({"grid": "egrid:CAMX"})).await.status,
        200
    );
}
