//! What is refused because taking it would give an answer that looks right and is none.

use serde_json::{Value, json};

use crate::activities::lived_in;
use crate::house::House;
use crate::imports::{activities, row, with_facility};

/// The field, code and hint of each error of a refusal.
fn errors(problem: &Value) -> Vec<(String, String, String)> {
    let word = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let told = problem["errors"].as_array().expect("errors");
    let told = told.iter();
    told.map(|one| (word(one, "pointer"), word(one, "code"), word(one, "hint"))).collect()
}

#[tokio::test]
async fn a_code_is_never_an_id() {
    let house = House::new();
    let facility = json!({"code": "b24", "name": "One", "country": "GB"});
    let id = house.post("/facilities", &facility).await.json()["id"].as_str().unwrap().to_owned();
    for (path, body) in [
        ("/facilities", json!({"name": "One", "country": "GB"})),
        ("/sources", json!({"name": "One", "type": "electricity.purchased"})),
        ("/entities", json!({"name": "One"})),
        ("/suppliers", json!({"name": "One"})),
    ] {
        for code in [&id, "src_01arz3ndektsv4rrffq69g5fav", "run_00000000000000000000000000"] {
            let mut body = body.clone();
            body["code"] = code.into();
            let problem = house.post(path, &body).await.is_problem(422, "validation_failed");
            let told = errors(&problem);
            assert_eq!(
                (told[0].0.as_str(), told[0].1.as_str()),
                ("#/code", "wrong_type"),
                "{code}"
            );
            assert!(told[0].2.contains("a word of your own"), "{problem}");
        }
    }
    assert_eq!(house.get(&format!("/facilities/{id}")).await.json()["code"], "b24");
}

#[tokio::test]
async fn each_refusal_of_a_noun_says_what_to_do() {
    let house = House::new();
    for body in [
        json!([]),
        json!({"name": "One", "country": "GB"}),
        json!({"code": " ", "name": "One", "country": "GB"}),
        json!({"code": "a\u{7}b", "name": "One", "country": "GB"}),
        json!({"code": "a b", "name": "x".repeat(201), "country": "GB"}),
        json!({"code": 5, "name": "One", "country": "GB", "opened": "2022-02-02", "closed": "2022-02-01"}),
    ] {
        let problem = house.post("/facilities", &body).await.is_problem(422, "validation_failed");
        let told = errors(&problem);
        assert!(!told.is_empty() && told.iter().all(|one| !one.2.is_empty()), "{problem}");
    }
    // One fault of a text is told once.
    let body = json!({"code": "a\u{7}b", "name": "One", "country": "GB"});
    let problem = house.post("/facilities", &body).await.is_problem(422, "validation_failed");
    assert_eq!(errors(&problem).len(), 1, "{problem}");
}

#[tokio::test]
async fn a_second_of_60_is_refused_wherever_an_instant_is_due() {
    let house = with_facility().await;
    let mut bad = row("a1", "1");
    bad["start"] = "2022-01-01T00:00:60Z".into();
    let sent = house.send(activities(&house, "", ("", &json!({"activities": [bad]})))).await;
    let problem = sent.is_problem(422, "validation_failed");
    let told = errors(&problem);
    assert_eq!(told[0].1, "wrong_type", "{problem}");
    for path in [
        "/facilities?as_of=2022-01-01T00:00:60Z",
        "/carbon-footprint?as_of=2022-01-01T00:00:60Z",
        "/audit/entries?since=2022-01-01T00:00:60Z",
    ] {
        house.get(path).await.is_problem(400, "unknown_parameter");
    }
}

#[tokio::test]
async fn a_list_of_what_is_nowhere_is_refused() {
    let house = lived_in().await;
    for path in
        ["/activities?", "/activities/export?", "/segments?", "/carbon-footprint?", "/emissions?"]
    {
        for (name, word) in [
            ("facility_id", "nope"),
            ("facility_id", "fac_nope"),
            ("source_id", "zz"),
            ("entity_id", "nobody"),
        ] {
            let answer =
                house.get(&format!("{path}from=2022-01-01&to=2023-01-01&{name}={word}")).await;
            let problem = answer.is_problem(400, "unknown_parameter");
            assert_eq!(problem["errors"][0]["parameter"], name, "{path} {problem}");
        }
    }
    // Rows wait for b99: a list of them is no mistake.
    let waiting = house.get("/activities?facility_id=b99").await.json();
    assert_eq!(waiting["data"].as_array().unwrap().len(), 1, "{waiting}");
}

#[tokio::test]
async fn no_list_knows_a_field_that_is_none() {
    let house = lived_in().await;
    let one = house.get("/activities").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/activities",
        "/emissions",
        "/segments",
        "/imports",
        "/import-mappings",
        "/audit/entries",
        "/factors",
        "/factor-packs",
        "/gwp-sets",
        "/methods",
        "/facilities",
        "/sources",
        "/entities",
        "/suppliers",
        "/facilities/b24",
        &format!("/activities/{one}/history"),
    ] {
        let problem = house.get(&format!("{path}?fields=bogus")).await;
        let problem = problem.is_problem(400, "unknown_parameter");
        assert_eq!(problem["errors"][0]["parameter"], "fields", "{path} {problem}");
    }
    let near = house.get("/activities?fields=quantty").await.is_problem(400, "unknown_parameter");
    assert!(near["detail"].as_str().unwrap().contains("Did you mean quantity?"), "{near}");
    let cut = house.get("/activities?fields=quantity,tags,origin,facility_code&limit=1").await;
    assert_eq!(cut.status, 200, "{}", cut.json());
}

#[tokio::test]
async fn a_word_that_can_never_be_a_code_is_refused_with_a_way_out() {
    let house = with_facility().await;
    let long = "x".repeat(65);
    for field in ["facility_code", "source_code", "supplier_code", "entity_code"] {
        for word in ["Main Building", "=\"123\"", long.as_str(), "imp_01arz3ndektsv4rrffq69g5fav"] {
            let mut bad = row("a1", "1");
            bad[field] = word.into();
            let body = json!({"mode": "partial", "activities": [bad]});
            let sent = house.send(activities(&house, "", ("", &body))).await;
            let result = &sent.json()["results"][0];
            assert_eq!(result["status"], "rejected", "{field} {word}: {result}");
            assert_eq!(result["errors"][0]["code"], "wrong_type", "{field} {word}: {result}");
            let hint = result["errors"][0]["hint"].as_str().unwrap_or_default();
            assert!(hint.contains("code of"), "{field} {word}: {result}");
        }
    }
    let mut bad = row("a1", "1");
    bad["uncertainty_pct"] = "-5".into();
    let body = json!({"activities": [bad]});
    let sent = house.send(activities(&house, "", ("", &body))).await;
    let problem = sent.is_problem(422, "validation_failed");
    assert_eq!(errors(&problem)[0].1, "wrong_type", "{problem}");
}
