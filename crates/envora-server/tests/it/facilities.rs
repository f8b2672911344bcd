//! Organization, facilities and sources: versions, conditions, pages.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::House;

fn facility(code: &str) -> Value {
    json!({"code": code, "name": format!("Building {code}"), "country": "GB"})
}

#[tokio::test]
async fn a_facility_is_added_once_and_changed_by_version() {
    let house = House::new();
    let added = house.post("/facilities", &facility("b24")).await;
    assert_eq!(added.status, 201, "{}", added.json());
    assert_eq!(added.header("etag"), "\"v1\"");
    assert_eq!(added.json()["time_zone"], "Europe/London");
    let place = added.header("location").to_owned();
    assert!(place.starts_with("/v2/organizations/acme/facilities/fac_"), "{place}");
    let again = house.post("/facilities", &facility("b24")).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &added.json()["id"]));
    let other = json!({"code": "b24", "name": "Another", "country": "GB"});
    house.post("/facilities", &other).await.is_problem(409, "conflict");

    let path = place.strip_prefix("/v2/organizations/acme").unwrap();
    assert_eq!(house.get(path).await.json()["code"], "b24");
    assert_eq!(house.get("/facilities/b24").await.status, 200);
    let known = house.ask("GET", path).header("if-none-match", "\"v1\"").body(Body::empty());
    assert_eq!(house.send(known.unwrap()).await.status, 304);

    let unnamed = house
        .ask("PATCH", path)
        .header("content-type", "application/merge-patch+json")
        .body(Body::from("{}"));
    house.send(unnamed.unwrap()).await.is_problem(428, "precondition_required");
    house.patch(path, "\"v9\"", &json!({})).await.is_problem(412, "version_mismatch");
    house.patch(path, "W/\"v1\"", &json!({})).await.is_problem(412, "version_mismatch");
    let changed = house
        .patch(path, "\"v1\"", &json!({"name": "The library", "grid": "10YGB----------A"}))
        .await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"v2\""), "{}", changed.json());
    let emptied = house.patch(path, "\"v2\"", &json!({"grid": null})).await;
    assert_eq!(emptied.json()["grid"], Value::Null);
    let nameless = house.patch(path, "\"v3\"", &json!({"name": null})).await;
    nameless.is_problem(422, "validation_failed");
    let reversed = json!({"opened": "2022-05-01", "closed": "2022-04-01"});
    house.patch(path, "\"v3\"", &reversed).await.is_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_country_is_one_of_the_list() {
    let house = House::new();
    for (country, hint) in
        [("UK", "Did you mean GB"), ("ZZ", "ISO 3166-1"), ("gb", "Did you mean GB")]
    {
        let mut sent = facility("b24");
        sent["country"] = json!(country);
        let refused = house.post("/facilities", &sent).await;
        refused.is_problem(422, "validation_failed");
        let errors = refused.json()["errors"].clone();
        assert_eq!(errors[0]["pointer"], "#/country", "{errors}");
        assert!(errors[0]["hint"].as_str().unwrap().contains(hint), "{errors}");
    }
}

#[tokio::test]
async fn pages_lead_on_and_cursors_cannot_be_bent() {
    let house = House::new();
    for code in ["a", "b", "c", "d", "e"] {
        assert_eq!(house.post("/facilities", &facility(code)).await.status, 201);
    }
    let first = house.get("/facilities?limit=2").await;
    assert!(first.header("link").contains("rel=\"next\""));
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let mut seen: Vec<String> = Vec::new();
    let mut page = first;
    loop {
        let body = page.json();
        let codes = body["data"].as_array().unwrap();
        seen.extend(codes.iter().map(|one| one["code"].as_str().unwrap().to_owned()));
        let Some(next) = body["next_cursor"].as_str() else { break };
        page = house.get(&format!("/facilities?limit=2&cursor={next}")).await;
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    let other = house.get(&format!("/facilities?code=a&cursor={cursor}")).await;
    other.is_problem(400, "cursor_filter_mismatch");
    house.get(&format!("/sources?cursor={cursor}")).await.is_problem(400, "invalid_cursor");
    let bent = format!("{}A", &cursor[..cursor.len() - 1]);
    house.get(&format!("/facilities?cursor={bent}")).await.is_problem(400, "invalid_cursor");
    house.clock.advance(envora_domain::time::Span::from_secs(90_000));
    house
        .get(&format!("/facilities?limit=2&cursor={cursor}"))
        .await
        .is_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_source_belongs_to_a_facility_and_measures_a_type() {
    let house = House::new();
    assert_eq!(house.post("/facilities", &facility("b24")).await.status, 201);
    let source = json!({"code": "b24-electricity", "name": "Electricity of B24", "facility": "b24", "type": "electricity.purchased"});
    let added = house.post("/sources", &source).await;
    assert_eq!(added.status, 201, "{}", added.json());
    assert!(added.json()["facility_id"].as_str().unwrap().starts_with("fac_"));
    assert_eq!(house.post("/sources", &source).await.status, 200);
    let lost = json!({"code": "x", "name": "X", "facility": "b99", "type": "electricity.purchasd"});
    let problem = house.post("/sources", &lost).await.is_problem(422, "validation_failed");
    let codes: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"unknown_facility") && codes.contains(&"unknown_type"), "{problem}");
    assert_eq!(house.get("/sources").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn settings_change_by_version() {
    let house = House::new();
    let before = house.get("").await;
    assert_eq!(before.json()["default_gwp_set"], "published");
    let version = before.header("etag").to_owned();
    let changed = house.patch("", &version, &json!({"default_gwp_set": "ar5"})).await;
    assert_eq!(changed.json()["default_gwp_set"], "ar5", "{}", changed.json());
    house.patch("", &version, &json!({"name": "New"})).await.is_problem(412, "version_mismatch");
    let version = changed.header("etag").to_owned();
    house.patch("", &version, &json!({"slug": "else"})).await.is_problem(422, "validation_failed");
    house
        .patch("", &version, &json!({"default_gwp_set": "ar9"}))
        .await
        .is_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_log_proves_what_it_holds() {
    let house = House::new();
    assert_eq!(house.post("/facilities", &facility("b24")).await.status, 201);
    let checkpoint = house.get("/audit/checkpoint").await.json();
    let size = checkpoint["size"].as_u64().unwrap();
    assert!(size >= 3, "settings, pack and facility: {checkpoint}");
    let entries = house.get("/audit/entries").await.json();
    assert_eq!(entries["data"].as_array().unwrap().len() as u64, size);
    for index in 0..size {
        let proof = house.get(&format!("/audit/proofs/inclusion?index={index}")).await;
        assert_eq!(proof.status, 200, "{}", proof.json());
        assert_eq!(proof.json()["root"], checkpoint["root"]);
        assert_eq!(
            proof.json()["leaf_hash"],
            entries["data"][usize::try_from(index).unwrap()]["leaf_hash"]
        );
    }
    let grown = house.get("/audit/proofs/consistency?first=1").await.json();
    assert_eq!(grown["second_root"], checkpoint["root"]);
    house.get("/audit/proofs/inclusion?index=999").await.is_problem(400, "unknown_parameter");
    house.get("/audit/proofs/inclusion").await.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn factors_are_found_by_the_publishers_words_and_by_ours() {
    let house = House::new();
    let keys = async |query: &str| -> Vec<(String, String)> {
        let page = house.get(&format!("/factors?{query}")).await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        data.iter().map(|factor| (text(&factor["pack"]), text(&factor["key"]))).collect()
    };
    let diesel = keys("q=Average%20car%20diesel&boundary=combustion&publisher=desnz").await;
    let packs: Vec<&str> = diesel.iter().map(|(pack, _)| pack.as_str()).collect();
    let editions = ["desnz-2025", "desnz-2024", "desnz-2023", "desnz-2022", "desnz-2021"];
    assert_eq!(packs, editions, "one series, the latest edition first");
    assert!(diesel.iter().all(|(_, key)| key.ends_with("cars-by-size/average-car/diesel/km")));
    let grid = keys("region=CAMX&edition=2025&q=total%20output").await;
    assert_eq!(grid.len(), 1, "{grid:?}");
    assert_eq!(keys("pack=epa-hub-2024&q=short-ton%20mixed_msw%20landfilled").await.len(), 1);
    assert_eq!(keys("q=phlogiston").await, []);
    // One gas, however its hyphen is written and whoever prints it.
    let blend = keys("q=R410A&limit=1000").await;
    let of = |publisher: &str| blend.iter().filter(|(pack, _)| pack.starts_with(publisher)).count();
    assert!(of("desnz") > 0 && of("epa") > 0, "{blend:?}");
    for written in ["R-410A", "r-410a", "r_410a", "R%20410A"] {
        assert_eq!(keys(&format!("q={written}&limit=1000")).await, blend, "{written}");
    }
    let page = house.get("/factors?q=hotel&limit=7").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = house.get(&format!("/factors?q=hotel&limit=7&cursor={cursor}")).await.json();
    let key = |page: &Value, at: usize| page["data"][at]["key"].to_string();
    assert!(key(&page, 6) <= key(&next, 0), "pages go on where the last ended");
}

#[tokio::test]
async fn a_search_begins_with_whole_words_and_the_latest_edition() {
    let house = House::new();
    let all = async |query: &str| -> Vec<Value> {
        let page = house.get(&format!("/factors?q=diesel&limit=1000{query}")).await.json();
        page["data"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
    };
    let whole = |factor: &Value| {
        let provenance = &factor["provenance"];
        let parts =
            [&factor["key"], &factor["qualifiers"], &provenance["words"], &provenance["sheet"]];
        let text = parts.map(Value::to_string).join(" ").to_lowercase();
        text.match_indices("diesel").any(|(at, word)| {
            let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            !is_word(before.chars().next_back()) && !is_word(after.chars().next())
        })
    };
    for pack in ["desnz-2022", "epa-hub-2024"] {
        let ranks: Vec<bool> = all(&format!("&pack={pack}")).await.iter().map(whole).collect();
        let first_part = ranks.iter().position(|whole| !whole).expect("some biodiesel");
        assert!(first_part > 2, "{pack}: {first_part}");
        assert!(!ranks[first_part..].contains(&true), "{pack}: a whole word after a part of one");
    }
    let data = all("").await;
    let editions: Vec<&str> = data
        .iter()
        .take_while(|factor| whole(factor))
        .map(|factor| factor["edition"].as_str().unwrap())
        .collect();
    assert!(editions.len() > 100 && editions[0] == "2025", "{}", editions.len());
    assert!(editions.is_sorted_by(|one, next| one >= next), "{editions:?}");
    // Page by page it is the same walk.
    let first = house.get("/factors?q=diesel&limit=20").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = house.get(&format!("/factors?q=diesel&limit=20&cursor={cursor}")).await.json();
    assert_eq!(next["data"][0]["id"], data[20]["id"]);
}

#[tokio::test]
async fn factors_and_what_goes_with_them_are_listed() {
    let house = House::new();
    let factors = house.get("/factors?type=electricity.purchased&limit=5").await.json();
    let id = factors["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("sha256:"));
    assert_eq!(house.get(&format!("/factors/{id}")).await.json(), factors["data"][0]);
    let begin = house.get(&format!("/factors/{}", &id[..15])).await.json();
    assert_eq!(begin["id"], factors["data"][0]["id"], "eight digits name it");
    house.get("/factors/sha256:00").await.is_problem(404, "not_found");
    let packs = house.get("/factor-packs").await.json();
    assert_eq!(packs["data"][0]["active"], true, "{packs}");
    let sets = house.get("/gwp-sets").await.json();
    assert_eq!(sets["data"].as_array().unwrap().len(), 9);
    assert!(house.get("/methods").await.json()["data"].as_array().unwrap().len() > 4);
    let convert = |from: &str, to: &str| json!({"quantity": "1.5", "from": from, "to": to});
    let answer = house.post("/units/convert", &convert("MW.h", "kW.h")).await;
    assert_eq!(answer.json()["quantity"], "1500", "{}", answer.json());
    house.post("/units/convert", &convert("kW.h", "kg")).await.is_problem(422, "unit_mismatch");
    house
        .post("/units/convert", &convert("kWatts", "kg"))
        .await
        .is_problem(422, "validation_failed");
}
