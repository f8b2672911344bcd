//! Files and bodies on their way in: outcomes, idempotency, what is refused and what stays.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::house::{Answer, House, apart};

pub(crate) const HEADER: &str = "external_id,type,quantity,unit,start,end,facility_code";

pub(crate) fn line(id: &str, quantity: &str) -> String {
    format!(
        "{id},electricity.purchased,{quantity},kW.h,2022-01-01T00:00:00Z,2022-01-01T01:00:00Z,b24"
    )
}

pub(crate) async fn with_facility() -> House {
    let house = House::new();
    let facility =
        json!({"code": "b24", "name": "The library", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    house
}

pub(crate) fn import(house: &House, query: &str, (key, body): (&str, String)) -> Request<Body> {
    house
        .ask("POST", &format!("/imports{query}"))
        .header("content-type", "text/csv")
        .header("content-disposition", "attachment; filename=\"meters.csv\"")
        .header("x-idempotency-key", key)
        .body(Body::from(body))
        .unwrap()
}

/// An import under a key of its own.
fn import_of(house: &House, file: String) -> Request<Body> {
    import(house, "", ("another-import", file))
}

pub(crate) fn activities(house: &House, query: &str, (key, body): (&str, &Value)) -> Request<Body> {
    let mut request = house
        .ask("POST", &format!("/activities{query}"))
        .header("content-type", "application/json");
    if !key.is_empty() {
        request = request.header("x-idempotency-key", key);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn row(id: &str, quantity: &str) -> Value {
    json!({
        "external_id": id, "type": "electricity.purchased", "quantity": quantity, "unit": "kW.h",
        "start": "2022-01-01T00:00:00Z", "end": "2022-01-01T01:00:00Z", "facility_code": "b24",
    })
}

pub(crate) async fn counted(house: &House) {
    let tenants: Vec<_> = house.app.tenants().all().collect();
    apart(|| {
        for tenant in &tenants {
            tenant.processor().catch_up().unwrap();
        }
    });
}

#[track_caller]
pub(crate) fn counts(answer: &Answer) -> [u64; 4] {
    let body = answer.json();
    ["accepted", "duplicate", "quarantined", "rejected"]
        .map(|outcome| body["counts"][outcome].as_u64().unwrap_or_else(|| unreachable!("{body}")))
}

#[tokio::test]
async fn a_file_becomes_a_footprint_that_traces_back() {
    let house = with_facility().await;
    let file = format!(
        "{HEADER}\n{}\n{}\n{}\n",
        line("a1", "372.4"),
        line("a2", "1e3"),
        line("a3", "10").replace("b24", "b99")
    );
    let sent = house.send(import(&house, "?mode=partial", ("import-key-1", file.clone()))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    assert_eq!(counts(&sent), [1, 0, 1, 1], "{}", sent.json());
    let body = sent.json();
    assert_eq!((&body["file_name"], &body["status"]), (&json!("meters.csv"), &json!("partial")));
    let refused =
        body["results"].as_array().unwrap().iter().find(|row| row["status"] == "rejected").unwrap();
    assert_eq!(refused["errors"][0]["code"], "not_a_number");
    assert_eq!(refused["errors"][0]["row"], json!({"record": 2, "line": 3}));
    assert_eq!(refused["errors"][0]["column"], "quantity", "a row of a table names its column");
    assert_eq!(refused["errors"][0]["pointer"], Value::Null, "and no pointer: {refused}");

    counted(&house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let total = &footprint["totals"]["scope2_location"];
    assert_eq!(total["value"], "72.014712", "{footprint}");
    assert_eq!(footprint["unresolved"][0]["code"], "unknown_facility");
    let figure = total["figure_id"].as_str().unwrap();
    let trace = house.get(&format!("/figures/{figure}/trace")).await;
    assert_eq!(trace.status, 200, "{}", trace.json());
    assert_eq!(trace.json()["replay"], "equal");
    let first = &trace.json()["lines"]["data"][0];
    assert_eq!(first["origin"]["sha256"], body["sha256"]);
    assert_eq!(first["origin"]["text"], line("a1", "372.4"));

    let import = body["id"].as_str().unwrap();
    assert_eq!(house.get(&format!("/imports/{import}")).await.json()["counts"], body["counts"]);
    assert_eq!(house.get("/imports").await.json()["data"][0]["id"], body["id"]);
    let errors = house.get(&format!("/imports/{import}/errors")).await.json();
    assert_eq!(errors["data"].as_array().unwrap().len(), 2, "{errors}");
    let kept: Vec<&Value> = errors["data"].as_array().unwrap().iter().collect();
    assert_eq!(kept[1]["errors"][0]["column"], "facility_code", "{errors}");
    assert_eq!(kept[1]["errors"][0]["pointer"], Value::Null);
    let read = house.get(&format!("/imports/{import}")).await.json();
    assert_eq!(read["segments"].as_array().map(Vec::len), Some(1), "{read}");
    assert_eq!(read["segments"], body["segments"]);
    // A page of one import's errors leads to no page of another's.
    let other = format!("{HEADER}\n{}\n", line("a4", "x"));
    let other = house.send(import_of(&house, other)).await.json();
    let page = house.get(&format!("/imports/{import}/errors?limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let path = format!("/imports/{}/errors?limit=1&cursor={cursor}", other["id"].as_str().unwrap());
    house.get(&path).await.is_problem(400, "cursor_filter_mismatch");
}

#[tokio::test]
async fn a_request_sent_again_has_one_effect_and_the_same_bytes() {
    let house = with_facility().await;
    let file = format!("{HEADER}\n{}\n", line("a1", "1"));
    let first = house.send(import(&house, "", ("import-key-1", file.clone()))).await;
    let again = house.send(import(&house, "", ("import-key-1", file.clone()))).await;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.json());
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    let other = format!("{HEADER}\n{}\n", line("a1", "2"));
    let reused = house.send(import(&house, "", ("import-key-1", other))).await;
    reused.is_problem(422, "idempotency_key_reused");
    let new_key = house.send(import(&house, "", ("import-key-2", file))).await;
    assert_eq!(counts(&new_key), [0, 1, 0, 0]);

    let mut keyless = import(&house, "", ("import-key-3", HEADER.to_owned()));
    keyless.headers_mut().remove("x-idempotency-key");
    house.send(keyless).await.is_problem(400, "idempotency_key_missing");
    let mut short = import(&house, "", ("import-key-3", HEADER.to_owned()));
    short.headers_mut().insert("x-idempotency-key", "short".parse().unwrap());
    house.send(short).await.is_problem(400, "idempotency_key_invalid");
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_and_truly_runs_again() {
    let house = with_facility().await;
    let bad = json!({"activities": [row("a1", "1"), row("a2", "one")]});
    let refused = house.send(activities(&house, "", ("activities-1", &bad))).await;
    let problem = refused.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/activities/1/quantity", "{problem}");
    assert_eq!(house.get("/activities").await.json()["data"], json!([]));
    let good = json!({"activities": [row("a1", "1"), row("a2", "2")]});
    let stored = house.send(activities(&house, "", ("activities-1", &good))).await;
    assert_eq!((stored.status, counts(&stored)), (201, [2, 0, 0, 0]), "{}", stored.json());
    assert_eq!(stored.json()["ack"], "local");
    let listed = house.get("/activities").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert_eq!(listed["data"][0]["quantity"], "1");

    let conflict =
        json!({"mode": "partial", "activities": [row("a1", "7"), row("a2", "2"), row("a3", "3")]});
    let mixed = house.send(activities(&house, "", ("", &conflict))).await;
    assert_eq!((mixed.status, counts(&mixed)), (207, [1, 1, 0, 1]), "{}", mixed.json());
    let codes = mixed.json()["results"][0]["errors"][0]["code"].clone();
    assert_eq!(codes, "external_id_conflict");
    let error = &mixed.json()["results"][0]["errors"][0];
    let known = listed["data"][0]["id"].as_str().unwrap();
    assert!(error["detail"].as_str().unwrap().starts_with(known), "{error}");
    for remedy in ["`supersedes` = \"ext:a1\"", "an external_id of its own"] {
        assert!(error["hint"].as_str().unwrap().contains(remedy), "{remedy}: {error}");
    }

    let mut nameless = row("x", "1");
    nameless.as_object_mut().unwrap().remove("external_id");
    let nameless = json!({"activities": [nameless]});
    let missing = house.send(activities(&house, "", ("", &nameless))).await;
    missing.is_problem(400, "idempotency_key_missing");
}

#[tokio::test]
async fn a_body_says_how_many_rows_it_may_have() {
    let house = with_facility().await;
    let empty = house.send(activities(&house, "", ("", &json!({"activities": []})))).await;
    let problem = empty.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/activities", "{problem}");
    let lines = |kind: &'static str, key: &'static str, body: String| {
        let request = house
            .ask("POST", "/activities")
            .header("content-type", kind)
            .header("x-idempotency-key", key)
            .body(Body::from(body));
        house.send(request.unwrap())
    };
    let many = lines("application/x-ndjson", "many-rows-1", "0\n".repeat(100_001)).await;
    let problem = many.is_problem(413, "too_many_rows");
    assert!(problem["detail"].as_str().unwrap().contains("100000"), "{problem}");
    let bad = lines("application/x-ndjson", "bad-row-1", format!("{}\n", row("a", "x"))).await;
    let problem = bad.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/quantity", "of the line that row names");
    let table = format!("{HEADER}\n{}\n", line("a", "x"));
    let problem = lines("text/csv", "bad-row-2", table).await.is_problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["column"], "quantity", "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], Value::Null);
}

#[tokio::test]
async fn an_activity_is_read_back_in_its_own_words() {
    let house = with_facility().await;
    let body = json!({"activities": [row("a1", "372.40")]});
    let stored = house.send(activities(&house, "", ("", &body))).await.json();
    let id = stored["results"][0]["id"].as_str().unwrap().to_owned();
    let pending = house.get(&format!("/activities/{id}")).await;
    assert_eq!(pending.status, 200, "{}", pending.json());
    counted(&house).await;
    let read = house.get(&format!("/activities/{id}")).await.json();
    assert_eq!(
        (&read["state"], &read["quantity"]),
        (&json!("counted"), &json!("372.40")),
        "{read}"
    );
    assert_eq!(read["facility_code"], "b24");
    let history = house.get(&format!("/activities/{id}/history")).await.json();
    assert_eq!(history["data"][0]["event"], "committed");
    let trace = house.get(&format!("/activities/{id}/trace")).await.json();
    assert!(trace["lines"].as_array().is_some_and(|lines| lines.len() > 2), "{trace}");
    house.get("/activities/act_00000000000000000000000000").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn trying_out_stores_nothing() {
    let house = with_facility().await;
    let body = json!({"activities": [row("a1", "1"), row("a2", "one")]});
    let request = activities(&house, "/validate", ("", &body));
    let tried = house.send(request).await;
    assert_eq!((tried.status, counts(&tried)), (200, [1, 0, 0, 1]), "{}", tried.json());
    assert_eq!(house.get("/activities").await.json()["data"], json!([]));
}

#[tokio::test]
async fn bad_files_are_answered_with_field_row_and_remedy() {
    let house = with_facility().await;
    let refuse = |query: &'static str, body: &str| {
        house.send(import(&house, query, ("bad-file-1", body.to_owned())))
    };
    refuse("?mapping=none", "a,b\n1,2\n").await.is_problem(400, "unknown_parameter");
    refuse("?mode=some", "a,b\n").await.is_problem(400, "unknown_parameter");
    refuse("?scope=4", "a,b\n").await.is_problem(400, "unknown_parameter");
    refuse("?set=x", "a,b\n").await.is_problem(400, "unknown_parameter");
    let empty = refuse("", "").await;
    assert!((400..=422).contains(&empty.status), "{}", empty.json());
    let strange = refuse("", "colour,size\nred,1\n").await;
    assert!((400..=422).contains(&strange.status), "{}", strange.json());

    let large = house
        .ask("POST", "/imports")
        .header("content-type", "text/csv")
        .header("x-idempotency-key", "bad-file-3")
        .header("content-length", (65_u64 << 20).to_string())
        .body(Body::empty());
    house.send(large.unwrap()).await.is_problem(413, "payload_too_large");
    assert_eq!(house.get("/imports").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_mapping_is_saved_once_and_its_faults_are_named() {
    let house = with_facility().await;
    let mapping = json!({
        "mapping": "estate", "format": "csv",
        "const": {"type": "electricity.purchased", "unit": "kW.h", "time_zone": "UTC"},
        "activity": [{
            "period": {"start": "datetime", "format": "YYYY-MM-DD hh:mm:ss", "length": "PT1H"},
            "quantity": {"column": "load"},
        }],
    });
    let saved = house.post("/import-mappings", &mapping).await;
    assert_eq!(saved.status, 201, "{}", saved.json());
    let again = house.post("/import-mappings", &mapping).await.json();
    assert_eq!(again["seq"], saved.json()["seq"]);
    assert_eq!(house.get("/import-mappings/estate").await.json()["tree"]["mapping"], "estate");
    let file = "datetime,load\n2022-01-01 00:00:00,372.4\n".to_owned();
    let query = "?mapping=estate&set=facility_code=b24";
    let sent = house.send(import(&house, query, ("mapped-file-1", file.clone()))).await;
    assert_eq!(counts(&sent), [1, 0, 0, 0], "{}", sent.json());
    let again = house.send(import(&house, query, ("mapped-file-2", file))).await;
    assert_eq!(counts(&again), [0, 1, 0, 0], "derived ids make a second push add nothing");

    let mut bent = mapping;
    bent["activty"] = json!([]);
    let problem = house.post("/import-mappings", &bent).await.is_problem(422, "validation_failed");
    assert!(problem["errors"][0]["pointer"].as_str().unwrap().contains("activty"), "{problem}");
}

#[tokio::test]
async fn rows_that_look_like_stored_ones_are_said_wherever_one_looks() {
    let house = with_facility().await;
    let file = |prefix: &str| {
        let rows = [1, 2].map(|row| line(&format!("{prefix}-{row}"), &format!("37{row}")));
        format!("{HEADER}\n{}\n", rows.join("\n"))
    };
    let first = house.send(import(&house, "", ("key-of-one", file("a")))).await.json();
    assert_eq!(first["warnings"], Value::Null, "{first}");
    let again = house.send(import(&house, "", ("key-of-two", file("b")))).await;
    let body = again.json();
    assert_eq!(counts(&again), [2, 0, 0, 0], "flagged, not dropped");
    let warning = &body["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["activities"]),
        (&json!("possible_duplicate"), &json!(2))
    );
    let row = &body["results"][0];
    assert_eq!(row["flags"], json!(["possible_duplicate"]));
    assert_eq!(row["looks_like"], first["results"][0]["id"]);
    let id = row["id"].as_str().unwrap();
    let detail = warning["detail"].as_str().unwrap();
    assert!(detail.contains(id) && detail.contains("void"), "{detail}");
    let replayed = house.send(import(&house, "", ("key-of-two", file("b")))).await;
    assert_eq!(replayed.body, again.body);
    let later = house.get(&format!("/imports/{}", body["id"].as_str().unwrap())).await.json();
    assert_eq!(later["warnings"], body["warnings"], "not only in the answer itself");
    let activity = house.get(&format!("/activities/{id}")).await.json();
    assert_eq!(activity["flags"], json!(["possible_duplicate"]), "{activity}");
    counted(&house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let told = footprint["warnings"].as_array().unwrap();
    let told = told.iter().find(|one| one["code"] == "possible_duplicate").unwrap();
    assert_eq!(told["activities"], 2, "{footprint}");
}

#[tokio::test]
async fn a_rejected_row_keeps_its_id_in_the_answer() {
    let house = with_facility().await;
    let ids = |answer: &Answer| -> Vec<Value> {
        let body = answer.json();
        let results = body["results"].as_array().unwrap_or_else(|| unreachable!("{body}"));
        results.iter().map(|row| row["external_id"].clone()).collect()
    };
    let mut bad = row("bad-1", "x");
    bad["unit"] = json!("parsecs");
    let unreadable = json!({"external_id": 7});
    let rows = [row("good", "1"), bad.clone(), unreadable];
    let all = json!({"mode": "partial", "activities": rows});
    let answer = house.send(activities(&house, "", ("key-of-json", &all))).await;
    assert_eq!(ids(&answer), [json!("good"), json!("bad-1"), Value::Null], "{}", answer.json());
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let request = house
        .ask("POST", "/imports")
        .header("content-type", "application/x-ndjson")
        .header("x-idempotency-key", "key-of-ndjson");
    let answer = house.send(request.body(Body::from(lines)).unwrap()).await;
    assert_eq!(ids(&answer), [json!("good"), json!("bad-1"), Value::Null], "{}", answer.json());
    let file = format!("{HEADER}\n{}\n{}\n", line("csv-good", "1"), line("csv-bad", "1,5"));
    let answer = house.send(import(&house, "", ("key-of-csv", file))).await;
    assert_eq!(ids(&answer)[0], json!("csv-good"));
    let file = format!("{HEADER}\n{}\n", line("csv-bad", "x"));
    let answer = house.send(import(&house, "", ("key-of-bad", file))).await;
    assert_eq!(ids(&answer), [json!("csv-bad")], "{}", answer.json());
}

#[tokio::test]
async fn a_file_of_which_nothing_is_stored_has_failed() {
    let house = with_facility().await;
    for (name, quantities, status) in [
        ("import-all-bad", ["x", "y"], "failed"),
        ("import-half-bad", ["x", "2"], "partial"),
        ("import-good", ["1", "2"], "succeeded"),
    ] {
        let lines = quantities.map(|quantity| line(&format!("{name}-{quantity}"), quantity));
        let file = format!("{HEADER}\n{}\n", lines.join("\n"));
        let sent = house.send(import(&house, "?mode=partial", (name, file))).await;
        assert_eq!(sent.json()["status"], status, "{name}: {}", sent.json());
    }
}
