//! An organization's own factors, from a table to a figure that is traced to its document.

use axum::body::Body;
use axum::http::Request;
use envora_domain::time::Span;
use serde_json::{Value, json};

use crate::house::{Answer, House, new_key};
use crate::imports::counted;

const SUPPLIERS: &str = include_str!("../../../../examples/own-factors/factors.csv");
const CORRECTED: &str = include_str!("../../../../examples/own-factors/factors-corrected.csv");
const BOUGHT: &str = include_str!("../../../../examples/own-factors/bought.csv");
const GOLDEN: &str = include_str!("../../../../tests/golden/own.json");
const YEAR: &str = "/carbon-footprint?from=2025-01-01&to=2026-01-01";

async fn table(house: &House, path: &str, name: &str, text: &str) -> Answer {
    let request = house
        .ask("POST", path)
        .header("content-type", "text/csv")
        .header("content-disposition", format!("attachment; filename=\"{name}\""))
        .header("x-idempotency-key", new_key());
    house.send(request.body(Body::from(text.to_owned())).unwrap()).await
}

async fn bring(house: &House, text: &str) -> Answer {
    table(house, "/factor-packs?pack=suppliers", "suppliers.csv", text).await
}

async fn activate(house: &House, query: &str) -> Value {
    let answer = house.post(&format!("/factor-packs/suppliers/activate{query}"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// A facility, the suppliers that the table names, and the rows of who bought from them, counted.
async fn with_rows() -> House {
    let house = House::new();
    let works =
        json!({"code": "works-1", "name": "Works", "country": "GB", "time_zone": "Europe/London"});
    assert_eq!(house.post("/facilities", &works).await.status, 201);
    for code in ["acme-steel", "volt", "works", "haul-away"] {
        let answer = house.post("/suppliers", &json!({"code": code, "name": code})).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
    let sent = table(&house, "/imports", "bought.csv", BOUGHT).await;
    assert_eq!(sent.json()["counts"]["accepted"], 6, "{}", sent.json());
    counted(&house).await;
    house
}

fn golden(file: &str) -> Value {
    serde_json::from_str::<Value>(GOLDEN).unwrap()[file].clone()
}

/// What the sums of a file come to: the market's side, and two categories of scope 3.
async fn sums(house: &House, more: &str) -> Value {
    let of = |answer: Value, total: &str| answer["totals"][total]["value"].clone();
    let all = house.get(&format!("{YEAR}{more}")).await.json();
    let one = house.get(&format!("{YEAR}&scope=3&category=1{more}")).await.json();
    let five = house.get(&format!("{YEAR}&scope=3&category=5{more}")).await.json();
    json!({
        "scope2_market": of(all, "scope2_market"),
        "category_1": of(one, "scope3"),
        "category_5": of(five, "scope3"),
    })
}

async fn activity(house: &House, id: &str) -> Value {
    let found = house.get("/activities").await.json();
    let mut rows = found["data"].as_array().unwrap().iter();
    let row = rows.find(|row| row["external_id"] == id);
    let id = row.and_then(|row| row["id"].as_str()).unwrap_or_else(|| unreachable!("{found}"));
    house.get(&format!("/activities/{id}/trace")).await.json()
}

#[tokio::test]
async fn what_suppliers_state_is_counted_once_it_is_active() {
    let house = with_rows().await;
    let before = house.get(YEAR).await.json();
    assert_eq!(before["unresolved"][0]["code"], "factor_missing", "{before}");
    let remedy = before["unresolved"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("envora factors import"), "{remedy}");
    let brought = bring(&house, SUPPLIERS).await;
    let told = brought.json();
    assert_eq!((brought.status, &told["id"]), (201, &json!("suppliers")), "{told}");
    assert_eq!((&told["origin"], &told["active"]), (&json!("organization"), &json!(false)));
    assert_eq!(told["file_name"], "suppliers.csv");
    let again = bring(&house, SUPPLIERS).await;
    assert_eq!((again.status, again.json()["sha256"].clone()), (200, told["sha256"].clone()));
    counted(&house).await;
    let still = house.get(YEAR).await.json();
    let total = |answer: &Value| answer["totals"]["total_market_based"]["value"].clone();
    assert_eq!(total(&still), total(&before), "not active: nothing moves");
    let active = activate(&house, "").await;
    assert_eq!((&active["active"], &active["version"]), (&json!(true), &told["version"]));
    counted(&house).await;
    let now = house.get(YEAR).await.json();
    assert_eq!(now["unresolved"], json!([]), "{now}");
    let codes: Vec<&Value> =
        now["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert!(!codes.contains(&&json!("no_residual_mix")), "{codes:?}");
    assert!(codes.contains(&&json!("unverified")), "{codes:?}");
    assert_eq!(sums(&house, "").await, golden("factors.csv")["sums"]);
    for (row, due) in golden("factors.csv")["rows"].as_object().unwrap() {
        let trace = activity(&house, row).await;
        let key = format!("own/suppliers/{}", due["factor"].as_str().unwrap());
        let lines = trace["lines"].as_array().unwrap().iter();
        let mut own =
            lines.filter(|line| line["factor"]["origin"].as_str().unwrap().contains(&key));
        let line = own.next().unwrap_or_else(|| unreachable!("{row} {key}: {trace:#}"));
        assert_eq!(line["co2e"], due["co2e"], "{row}");
        assert_eq!(
            line["factor"]["pack"],
            format!("suppliers@{}", told["version"].as_str().unwrap())
        );
    }
    let steel = activity(&house, "po-1").await;
    let factor = &steel["lines"][0]["factor"];
    assert_eq!((&factor["value"], &factor["unit"]), (&json!("1.85"), &json!("kg per kg")));
    let origin = factor["origin"].as_str().unwrap();
    assert!(origin.starts_with("Product carbon footprint S235.pdf, page 2; as own/"), "{origin}");
}

#[tokio::test]
async fn a_corrected_pack_is_calculated_anew_and_the_old_total_is_still_told() {
    let house = with_rows().await;
    let first = bring(&house, SUPPLIERS).await.json();
    activate(&house, "").await;
    counted(&house).await;
    let steel = house.get("/factors?q=steel-sheet").await.json()["data"][0]["id"].clone();
    let then = house.clock_now();
    house.clock.advance(Span::from_secs(60));
    let second = bring(&house, CORRECTED).await.json();
    let diff = house.get("/factor-packs/suppliers/diff").await.json();
    assert_eq!(
        (&diff["version"], &diff["against"]),
        (&second["version"], &first["version"]),
        "{diff}"
    );
    assert_eq!(diff["counts"], json!({"added": 0, "removed": 0, "changed": 1, "reworded": 0}));
    let change = &diff["changes"][0];
    assert_eq!(
        (&change["before"]["value"], &change["after"]["value"]),
        (&json!("1.85"), &json!("1.70"))
    );
    activate(&house, "").await;
    counted(&house).await;
    assert_eq!(sums(&house, "").await, golden("factors-corrected.csv")["sums"]);
    let past = format!("&as_of={then}");
    assert_eq!(sums(&house, &past).await, golden("factors.csv")["sums"], "as it was told then");
    // The factor of the old edition is still to be had, and so is the trace of the old figure.
    let old = house.get(&format!("/factors/{}", steel.as_str().unwrap())).await.json();
    assert_eq!(old["total"]["value"], "1.85", "{old}");
    let figure = house.get(&format!("{YEAR}&scope=3&category=1{past}")).await.json();
    let figure = figure["totals"]["scope3"]["figure_id"].as_str().unwrap().to_owned();
    let trace = house.get(&format!("/figures/{figure}/trace")).await.json();
    assert_eq!(trace["replay"], "equal", "{:#}", trace["replay"]);
    // Back to the first edition by its version.
    let version = first["version"].as_str().unwrap();
    activate(&house, &format!("?version={version}")).await;
    counted(&house).await;
    assert_eq!(sums(&house, "").await, golden("factors.csv")["sums"]);
    let pack = house.get("/factor-packs/suppliers").await.json();
    let editions: Vec<(&Value, &Value)> = pack["editions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["version"], &one["active"]))
        .collect();
    assert_eq!(editions, [(&second["version"], &json!(false)), (&first["version"], &json!(true))]);
    house.get("/factor-packs/suppliers?version=nope").await.is_problem(404, "not_found");
    house.get("/factor-packs/suppliers/diff?against=nope").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn packs_are_there_again_after_a_restart() {
    let house = with_rows().await;
    bring(&house, SUPPLIERS).await;
    activate(&house, "").await;
    counted(&house).await;
    let before = sums(&house, "").await;
    let House { app, router, token, other_token, clock, folder } = house;
    drop(router);
    envora_server::serving::close(&app).await.unwrap();
    drop(app);
    let app = crate::house::opened(&folder.path().join("data")).unwrap();
    let router = envora_server::routes::router(&app);
    let house = House { app, router, token, other_token, clock, folder };
    assert_eq!(sums(&house, "").await, before);
    let more = BOUGHT.replace("po-1", "po-9").lines().take(2).collect::<Vec<_>>().join("\n");
    let sent = table(&house, "/imports", "more.csv", &more).await;
    assert_eq!(sent.json()["counts"]["accepted"], 1, "{}", sent.json());
    counted(&house).await;
    let trace = activity(&house, "po-9").await;
    assert_eq!(trace["lines"][0]["co2e"], "23125", "{trace}");
}

#[tokio::test]
async fn no_other_organization_sees_a_pack() {
    let house = with_rows().await;
    let told = bring(&house, SUPPLIERS).await.json();
    activate(&house, "").await;
    let factor = house.get("/factors?q=steel-sheet").await.json()["data"][0]["id"].clone();
    let ask = |path: &str| {
        Request::builder()
            .uri(format!("/v2/organizations/bolt{path}"))
            .header("host", "bolt.localhost:8080")
            .header("authorization", format!("Bearer {}", house.other_token))
            .body(Body::empty())
            .unwrap()
    };
    let packs = house.send(ask("/factor-packs")).await;
    assert_eq!(packs.status, 200, "{}", packs.json());
    let text = packs.json().to_string();
    for word in ["suppliers", "Acme Steel", told["version"].as_str().unwrap()] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let found = house.send(ask("/factors?q=steel-sheet")).await.json();
    assert_eq!(found["data"], json!([]));
    for path in [
        "/factor-packs/suppliers".to_owned(),
        "/factor-packs/suppliers/diff".to_owned(),
        format!("/factors/{}", factor.as_str().unwrap()),
        format!("/factors/{}/figures", factor.as_str().unwrap()),
    ] {
        house.send(ask(&path)).await.is_problem(404, "not_found");
    }
    // Its own supplier of the same code takes nothing from the other's pack.
    let methods = house.send(ask("/methods")).await.json();
    let specific = |methods: &Value| {
        let mut all = methods["data"].as_array().unwrap().iter();
        all.find(|one| one["id"] == "supplier.specific@1").unwrap()["status"].clone()
    };
    assert_eq!(specific(&methods), "waiting");
    assert_eq!(specific(&house.get("/methods").await.json()), "usable");
}

#[tokio::test]
async fn a_table_that_cannot_be_taken_says_all_that_is_wrong() {
    let house = with_rows().await;
    let refused = |answer: Answer| answer.is_problem(422, "validation_failed")["errors"].clone();
    let wrong = SUPPLIERS.replace("acme-steel", "acme-stel");
    let errors = refused(bring(&house, &wrong).await);
    assert_eq!(errors[0]["code"], "unknown_supplier", "{errors}");
    assert_eq!(errors[0]["row"], json!({"record": 1, "line": 2}));
    assert_eq!(errors[0]["column"], "supplier_code");
    let hint = errors[0]["hint"].as_str().unwrap();
    assert!(hint.contains("did you mean acme-steel?"), "{hint}");
    let wrong =
        SUPPLIERS.replace(",1.85,ar6", ",-1.85,").replace("kWh,g,57.25", "therm,g,\"57,25\"");
    let errors = refused(bring(&house, &wrong).await);
    let told: Vec<(&Value, &Value)> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["code"], &error["row"]["line"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("missing_field"), &json!(2)),
            (&json!("negative_not_allowed"), &json!(2)),
            (&json!("not_a_number"), &json!(3)),
            (&json!("unit_ambiguous"), &json!(3)),
        ]
    );
    assert!(errors.as_array().unwrap().iter().all(|error| error["hint"].is_string()), "{errors}");
    let unnamed = table(&house, "/factor-packs", "x.csv", SUPPLIERS).await;
    assert!(refused(unnamed)[0]["hint"].as_str().unwrap().contains("suppliers-2026"));
    let taken = table(&house, "/factor-packs?pack=desnz-2025", "x.csv", SUPPLIERS).await;
    refused(taken);
    refused(bring(&house, "").await);
    let json = house.post("/factor-packs?pack=suppliers", &json!({})).await;
    json.is_problem(415, "unsupported_media_type");
    table(&house, "/factor-packs?pck=suppliers", "x.csv", SUPPLIERS)
        .await
        .is_problem(400, "unknown_parameter");
    let large = format!("{SUPPLIERS}#{}", "x".repeat(4 << 20));
    bring(&house, &large).await.is_problem(413, "payload_too_large");
    house.get("/factor-packs/suppliers").await.is_problem(404, "not_found");
    let nowhere = house.post("/factor-packs/suppliers/activate", &json!({})).await;
    nowhere.is_problem(404, "not_found");
    let packs = house.get("/factor-packs").await.json().to_string();
    assert!(!packs.contains("\"organization\""), "nothing was stored: {packs}");
}

#[tokio::test]
async fn a_supplier_of_a_new_code_keeps_its_factors() {
    let house = with_rows().await;
    bring(&house, SUPPLIERS).await;
    activate(&house, "").await;
    counted(&house).await;
    let supplier = house.get("/suppliers/acme-steel").await;
    let version = supplier.header("etag").to_owned();
    let other = json!({"code": "acme-metals"});
    let refused = house.patch("/suppliers/acme-steel", &version, &other).await;
    refused.is_problem(409, "conflict");
    let changed = house.patch("/suppliers/acme-steel?rows=wait", &version, &other).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    counted(&house).await;
    // Rows name it by the old code, which is nobody's now: they wait for a word, as they always did.
    let now = house.get(YEAR).await.json();
    assert_eq!(now["unresolved"][0]["code"], "unknown_supplier", "{now}");
    let more = BOUGHT.replace("po-1", "po-9").replace("acme-steel", "acme-metals");
    let more = more.lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(table(&house, "/imports", "more.csv", &more).await.status, 201);
    counted(&house).await;
    let trace = activity(&house, "po-9").await;
    assert_eq!(trace["lines"][0]["co2e"], "23125", "{trace}");
}

#[tokio::test]
async fn figures_of_before_say_that_others_are_on_their_way() {
    let house = with_rows().await;
    bring(&house, SUPPLIERS).await;
    let told = async |more: &str| {
        let answer = house.get(&format!("{YEAR}{more}")).await.json();
        let warnings = answer["warnings"].as_array().unwrap_or_else(|| unreachable!("{answer}"));
        let of = warnings.iter().find(|warning| warning["code"] == "recalculating").cloned();
        (of.map(|warning| warning["detail"].as_str().unwrap().to_owned()), answer)
    };
    let (quiet, before) = told("").await;
    assert_eq!(quiet, None, "what is brought in counts for nothing");
    activate(&house, "").await;
    let (warned, shown) = told("").await;
    let warned = warned.unwrap_or_else(|| unreachable!("{shown}"));
    assert!(warned.contains(", 0 of ") && warned.contains("takes their place"), "{warned}");
    assert_eq!(shown["run"], before["run"], "they are still those of before");
    let run = format!("&run={}", before["run"].as_str().unwrap());
    assert_eq!(told(&run).await.0, None, "who asks for a run is shown that run");
    counted(&house).await;
    let (over, after) = told("").await;
    assert_eq!(over, None, "{after}");
    assert_ne!(after["run"], before["run"]);
}

#[tokio::test]
async fn a_factor_without_its_co2_says_what_it_lacks() {
    let house = House::new();
    let garage = json!({"code": "g1", "name": "Garage", "country": "FR", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &garage).await.status, 201);
    let head = "key,name,type,boundary,qualifiers.fuel,region,per,unit,gas.CO2,gas.CH4,gas.N2O,basis,valid_from,valid_through,publisher,document,licence";
    // The CO2 alone stands beside it, but for the year before.
    let of = "Naphtha,fuel.combusted.mobile,combustion,naphtha,FR,L,kg";
    let row = format!(
        "cars,{of},,0.001,0.002,ar6,2025-01-01,2025-12-31,Works,a.pdf,own\nco2,{of},3.1,,,ar6,2024-01-01,2024-12-31,Works,a.pdf,own"
    );
    let brought = bring(&house, &format!("{head}\n{row}\n")).await;
    assert_eq!(brought.status, 201, "{}", brought.json());
    activate(&house, "").await;
    let rows = "external_id,type,quantity,unit,facility_code,start_date,end_date,qualifiers.fuel\na,fuel.combusted.mobile,10,L,g1,2025-03-01,2025-03-02,naphtha\n";
    let sent = table(&house, "/imports", "fuel.csv", rows).await;
    assert_eq!(sent.json()["counts"]["accepted"], 1, "{}", sent.json());
    counted(&house).await;
    let asked = house.get(YEAR).await.json();
    let remedy = asked["unresolved"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("own/suppliers/cars adds to"), "{remedy}");
    assert!(remedy.contains("import its pack again with gas.CO2 in that row"), "{remedy}");
    assert!(!remedy.contains("country"), "{remedy}");
}
