//! SQL over what is stored: it says what lists and footprints say, reads nothing else, and has its limits.

use std::process::Command;

use envora_domain::decimal::Mass;
use envora_domain::planted;
use serde_json::{Value, json};

use crate::emissions::mass;
use crate::house::{ACME, Answer, BOLT, House};
use crate::imports::{activities, counted, row, with_facility};

async fn ask(house: &House, sql: &str) -> Answer {
    let request = house
        .ask("POST", "/query")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(json!({ "sql": sql }).to_string()));
    house.send(request.unwrap()).await
}

async fn rows(house: &House, sql: &str) -> Vec<Value> {
    let answer = ask(house, sql).await;
    assert_eq!(answer.status, 200, "{sql}: {}", answer.json());
    answer.json()["data"].as_array().unwrap().clone()
}

/// What a question for one value gives, as text.
async fn one(house: &House, sql: &str) -> String {
    let rows = rows(house, sql).await;
    let values: Vec<&Value> =
        rows.iter().flat_map(|row| row.as_object().unwrap().values()).collect();
    let [value] = values.as_slice() else { unreachable!("{sql}: {rows:?}") };
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Electricity of two days and two sources of units, fuel, a row that was corrected, one that was voided,
/// one that waits for a facility.
async fn with_rows() -> House {
    let house = with_facility().await;
    let mut later = row("a2", "0.0007");
    later["unit"] = "MW.h".into();
    (later["start"], later["end"]) = ("2022-03-01T00:00:00Z".into(), "2022-03-02T00:00:00Z".into());
    let mut fuel = row("g1", "333.333");
    fuel["type"] = "fuel.combusted.stationary".into();
    fuel["unit"] = "L".into();
    fuel["qualifiers"] = json!({"fuel": "diesel"});
    fuel["tags"] = json!({"cost_centre": "4711"});
    let mut wrong = row("w1", "5");
    wrong["facility_code"] = "b99".into();
    send(&house, json!([row("a1", "372.4"), later, fuel])).await;
    send(&house, json!([row("old", "1000000"), row("void", "2000000"), wrong])).await;
    let mut right = row("new", "77.7");
    right["supersedes"] = "ext:old".into();
    right["supersede_reason"] = "a slip".into();
    let void = json!({"external_id": "v", "supersedes": "ext:void", "void": true,
        "supersede_reason": "sent twice"});
    send(&house, json!([right, void])).await;
    counted(&house).await;
    house
}

async fn send(house: &House, rows: Value) {
    let body = json!({ "activities": rows });
    let sent = house.send(activities(house, "?mode=partial", ("", &body))).await;
    assert!([201, 207].contains(&sent.status), "{}", sent.json());
}

#[tokio::test]
async fn rows_are_those_of_the_lists() {
    let house = with_rows().await;
    let listed = house.get("/activities?state=counted&state=unresolved").await.json();
    let mut wanted: Vec<Value> = listed["data"].as_array().unwrap().clone();
    wanted.retain(|row| row["void"] != true);
    let found = rows(
        &house,
        "SELECT id, external_id, type, quantity_sent, unit, facility, state, code, starts_at, tags, supersedes
         FROM activities",
    )
    .await;
    assert_eq!((found.len(), wanted.len()), (5, 5), "{found:?}");
    for (found, wanted) in found.iter().zip(&wanted) {
        for name in ["id", "external_id", "type", "unit", "state", "supersedes"] {
            assert_eq!(found[name], wanted.get(name).cloned().unwrap_or_default(), "{name}");
        }
        assert_eq!(found["quantity_sent"], wanted["quantity"]);
        assert_eq!(found["facility"], wanted["facility_code"]);
        assert_eq!(found["code"], wanted.get("code").cloned().unwrap_or_default());
        assert_eq!(found["starts_at"], wanted["start"]);
        let tags = found["tags"].as_str().map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(tags, wanted.get("tags").cloned());
    }
    let all = house.get("/activities").await.json()["data"].as_array().unwrap().len();
    assert_eq!(one(&house, "SELECT count(*) AS n FROM activities_all").await, all.to_string());
    let ended = "SELECT count(*) AS n FROM activities_all WHERE state IN ('superseded', 'voided')";
    assert_eq!(one(&house, ended).await, "3");
    let both = "SELECT count(*) AS n FROM (SELECT id FROM activities UNION ALL SELECT id FROM activities_all) x";
    assert_eq!(one(&house, both).await, (5 + all).to_string());
    let kwh =
        "SELECT sum(convert(quantity, unit, 'kW.h')) AS kwh FROM activities WHERE facility = 'b24'";
    assert_eq!(one(&house, kwh).await, "450.8");
    assert_eq!(
        one(
            &house,
            "SELECT field(tags, 'cost_centre') AS c FROM activities WHERE type LIKE 'fuel%'"
        )
        .await,
        "4711"
    );
}

#[tokio::test]
async fn conditions_give_the_same_rows_as_none() {
    let house = with_rows().await;
    for (condition, count) in [
        ("type = 'electricity.purchased'", 4),
        ("type IN ('fuel.combusted.stationary', 'no.such')", 1),
        ("facility = 'b24'", 4),
        ("facility = 'b99'", 1),
        ("first_day >= DATE '2022-03-01'", 1),
        ("last_day < DATE '2022-03-01'", 4),
        ("first_day = DATE '2022-01-01'", 4),
        ("starts_at >= TIMESTAMP '2022-03-01T00:00:00Z'", 1),
        ("starts_at > TIMESTAMP '2022-03-01T00:00:00Z'", 0),
        ("ends_at <= TIMESTAMP '2022-01-01T01:00:00Z'", 4),
        ("starts_at < TIMESTAMP '2022-01-01T00:00:00Z'", 0),
        (
            "facility = 'b24' AND type = 'electricity.purchased' AND first_day < DATE '2022-02-01'",
            2,
        ),
        ("source IS NULL", 5),
        ("code = 'unknown_facility'", 1),
    ] {
        let sql = format!("SELECT count(*) AS n FROM activities WHERE {condition}");
        assert_eq!(one(&house, &sql).await, count.to_string(), "{condition}");
        // The same, told in a way that nothing can be spared by.
        let other =
            format!("SELECT sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS n FROM activities");
        assert_eq!(one(&house, &other).await, count.to_string(), "{condition}");
    }
}

#[tokio::test]
async fn sums_are_those_of_the_footprint_to_the_digit() {
    let house = with_rows().await;
    for (set, column) in [("published", "co2e_published"), ("ar5", "co2e_ar5"), ("ar6", "co2e_ar6")]
    {
        let asked = format!("/carbon-footprint?from=2022-01-01&to=2023-01-01&gwp_set={set}");
        let totals = house.get(&asked).await.json()["totals"].clone();
        for (name, condition) in [
            ("scope1", "scope = 1"),
            ("scope2_location", "scope = 2 AND market = 'location'"),
            ("scope2_market", "scope = 2 AND market = 'market'"),
            ("scope3", "scope = 3"),
            ("total_location_based", "(market IS NULL OR market = 'location')"),
            ("total_market_based", "(market IS NULL OR market = 'market')"),
        ] {
            let sql = format!(
                "SELECT coalesce(sum({column}), 0) AS kg FROM emissions WHERE bucket = 'in_scope' AND {condition}
                 AND day >= DATE '2022-01-01' AND day < DATE '2023-01-01'"
            );
            let wanted = totals[name]["value"].as_str().map_or(Mass::ZERO, mass);
            assert_eq!(mass(&one(&house, &sql).await), wanted, "{set} {name}");
            assert!(name == "scope2_market" || wanted > Mass::ZERO, "{name}");
        }
    }
    let by_place = rows(
        &house,
        "SELECT facility, facility_id, count(*) AS n FROM emissions GROUP BY facility, facility_id",
    )
    .await;
    assert_eq!(by_place.len(), 1, "{by_place:?}");
    assert_eq!(by_place[0]["facility"], "b24");
}

#[tokio::test]
async fn before_the_first_figures_emissions_say_so_and_rows_are_there() {
    let house = with_facility().await;
    let body = json!({"activities": [row("a1", "1")]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    ask(&house, "SELECT count(*) AS n FROM emissions").await.is_problem(409, "not_calculated");
    assert_eq!(one(&house, "SELECT state FROM activities").await, "pending");
}

#[tokio::test]
async fn another_organization_is_out_of_reach() {
    let house = with_rows().await;
    let other = |sql: &str| {
        axum::http::Request::builder()
            .method("POST")
            .uri(format!("/v2/organizations/{BOLT}/query"))
            .header("host", "bolt.localhost:8080")
            .header("authorization", format!("Bearer {}", house.other_token))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(json!({ "sql": sql }).to_string()))
            .unwrap()
    };
    for table in ["activities", "activities_all"] {
        let answer = house.send(other(&format!("SELECT count(*) AS n FROM {table}"))).await;
        assert_eq!((answer.status, &answer.json()["data"][0]["n"]), (200, &json!(0)), "{table}");
    }
    for table in [format!("{ACME}.activities"), format!("{ACME}.public.activities")] {
        let answer = house.send(other(&format!("SELECT count(*) AS n FROM {table}"))).await;
        answer.is_problem(400, "query_invalid");
    }
    let tables = house.send(other(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
    ));
    assert_eq!(tables.await.json()["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_question_is_refused_with_its_place() {
    let house = with_facility().await;
    for (sql, detail) in [
        (
            "SELECT quantty FROM activities",
            "There is no column quantty (line 1, column 8). Did you mean quantity?",
        ),
        (
            "INSERT INTO activities VALUES (1)",
            "Only SELECT is answered here, and EXPLAIN of one: nothing is written, set or opened. Begin with SELECT; SHOW TABLES and DESCRIBE activities tell what there is.",
        ),
        (
            "SELECT * FROM '/etc/passwd'",
            "There is no table /etc/passwd. SHOW TABLES tells which there are.",
        ),
    ] {
        let problem = ask(&house, sql).await.is_problem(400, "query_invalid");
        assert_eq!(problem["detail"], detail);
        assert_eq!(problem["errors"][0]["pointer"], "#/sql");
    }
    for body in [
        json!({}),
        json!({"sql": 5}),
        json!({"sql": " "}),
        json!({"sql": "SELECT 1 AS a", "limit": 0}),
        json!({"sql": "SELECT 1 AS a", "limit": 10_001}),
        json!({"sql": "x".repeat(20_000)}),
        json!({"sql": "SELECT 1 AS a", "no": 1}),
    ] {
        house.post("/query", &body).await.is_problem(422, "validation_failed");
    }
    house
        .post("/query?limit=5", &json!({"sql": "SELECT 1 AS a"}))
        .await
        .is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn limits_end_a_question_with_a_word() {
    let house = with_rows().await;
    let few =
        house.post("/query", &json!({"sql": "SELECT id FROM activities", "limit": 2})).await.json();
    assert_eq!((few["data"].as_array().unwrap().len(), &few["truncated"]), (2, &json!(true)));
    assert_eq!(few["columns"], json!([{"name": "id", "type": "VARCHAR"}]));
    let all =
        house.post("/query", &json!({"sql": "SELECT id FROM activities", "limit": 5})).await.json();
    assert_eq!((all["data"].as_array().unwrap().len(), &all["truncated"]), (5, &json!(false)));
    // Nine rows eight times over themselves: time that is stood still does not end it, memory does.
    let many = "FROM activities_all a, activities_all b, activities_all c, activities_all d, activities_all e,
        activities_all f, activities_all g";
    let sorted =
        format!("SELECT a.id AS x, b.id AS y, c.id AS z {many} ORDER BY a.id || b.id || g.id");
    ask(&house, &sorted).await.is_problem(422, "query_too_large");
    // As many at once as there are turns; the others are told to come again.
    let turns: Vec<_> = core::iter::from_fn(|| house.app.query_turn().ok()).collect();
    assert_eq!(turns.len(), 2);
    ask(&house, "SELECT 1 AS a").await.is_problem(429, "overloaded");
    drop(turns);
    assert_eq!(one(&house, "SELECT 1 AS a").await, "1");
}

/// The clock of the house goes on while a question runs that would never end.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_is_ended_and_so_is_one_that_nobody_waits_for() {
    let house = with_rows().await;
    let endless = "SELECT count(*) AS n FROM activities_all a, activities_all b, activities_all c, activities_all d,
        activities_all e, activities_all f, activities_all g, activities_all h, activities_all i, activities_all j,
        activities_all k, activities_all l, activities_all m WHERE a.quantity + m.quantity < 0";
    let on = async {
        loop {
            house.clock.advance(envora_domain::time::Span::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! {
        answer = ask(&house, endless) => answer,
        () = on => unreachable!("the clock goes on for ever"),
    };
    answer.is_problem(422, "query_too_long");
    // Whoever gives up waiting gives the turn back: the question was ended.
    let gone =
        tokio::time::timeout(core::time::Duration::from_millis(200), ask(&house, endless)).await;
    assert!(gone.is_err(), "it ended by itself");
    envora_testkit::wait::wait_for("both turns", || {
        let (one, other) = (house.app.query_turn(), house.app.query_turn());
        (one.is_ok() && other.is_ok()).then_some(())
    });
}

/// The suite proves that it can fail: rows that were superseded and are answered all the same are found.
#[test]
fn superseded_rows_in_an_answer_are_caught() {
    const BUG: &str = "query_superseded";
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::args().any(|argument| argument == BUG) {
        planted::arm(BUG);
        runtime().block_on(async {
            let house = with_rows().await;
            let sum = "SELECT sum(quantity) AS kwh FROM activities WHERE unit = 'kW.h' AND facility = 'b24'";
            assert_eq!(one(&house, sum).await, "450.1");
        });
        return;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "queries::superseded_rows_in_an_answer_are_caught", BUG])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("running 1 test"), "{text}");
    assert!(
        !run.status.success() && text.contains("450.1"),
        "the planted bug was not seen: {text}"
    );
}

#[tokio::test]
async fn answers_come_as_files_where_they_are_asked_for() {
    let house = with_rows().await;
    let ask = async |accept: &str, sql: &str, limit: u32| {
        let request = house
            .ask("POST", "/query")
            .header("content-type", "application/json")
            .header("accept", accept)
            .body(axum::body::Body::from(json!({ "sql": sql, "limit": limit }).to_string()));
        house.send(request.unwrap()).await
    };
    let sql = "SELECT external_id, quantity FROM activities ORDER BY external_id";
    let parquet = ask("application/vnd.apache.parquet, application/problem+json", sql, 100).await;
    assert_eq!(parquet.status, 200);
    assert_eq!(parquet.header("content-type"), "application/vnd.apache.parquet");
    assert_eq!(parquet.header("envora-truncated"), "false");
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
    let csv = ask("text/csv", sql, 2).await;
    assert_eq!(csv.header("envora-truncated"), "true");
    assert_eq!(csv.body, b"external_id,quantity\na1,372.4\na2,0.0007\n");
    let lines = ask("application/x-ndjson", sql, 1).await;
    assert_eq!(lines.body, b"{\"external_id\":\"a1\",\"quantity\":\"372.4\"}\n");
    for accept in ["*/*", "application/json", "application/*"] {
        assert_eq!(ask(accept, sql, 1).await.json()["truncated"], true, "{accept}");
    }
    // A refusal is a problem whatever was asked for.
    let wrong = ask("application/vnd.apache.parquet", "SELECT quantty FROM activities", 1).await;
    assert_eq!((wrong.status, &wrong.json()["code"]), (400, &json!("query_invalid")));
    assert_eq!(ask("image/png", sql, 1).await.status, 406);
    let large = format!(
        "SELECT '{}' AS t FROM activities a, activities b, activities c, activities d",
        "x".repeat(15_000)
    );
    let large = ask("application/vnd.apache.parquet", &large, 10_000).await;
    assert_eq!((large.status, &large.json()["code"]), (422, &json!("query_too_large")));
}
