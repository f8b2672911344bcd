//! Footprints and series over the wire: before the first calculation, step by step, in any set.

use axum::body::Body;
use axum::http::Request;
use envora_domain::catalogue::{Bucket, Market};
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::Gas;
use envora_domain::time::{Day, Span};
use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

/// A row of one hour on a day.
fn on(id: &str, day: &str, quantity: &str) -> Value {
    let mut row = row(id, quantity);
    row["start"] = format!("{day}T00:00:00Z").into();
    row["end"] = format!("{day}T01:00:00Z").into();
    row
}

async fn with_rows() -> House {
    let house = with_facility().await;
    let body = json!({"activities": [
        on("a1", "2022-01-31", "100"), on("a2", "2022-02-01", "10"), on("a3", "2022-02-02", "1"),
        on("a4", "2023-01-01", "1000"),
    ]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    counted(&house).await;
    house
}

/// The location-based scope 2 of each point.
fn values(series: &Value) -> Vec<String> {
    let points = series["points"].as_array().unwrap_or_else(|| unreachable!("{series}"));
    points
        .iter()
        .map(|point| point["scope2_location"]["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn before_the_first_calculation_results_say_so() {
    let house = House::new();
    for path in ["/carbon-footprint", "/carbon-footprint/series"] {
        let answer = house.get(path).await;
        answer.is_problem(409, "not_calculated");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let gone = house.get("/carbon-footprint?run=run_00000000000000000000000000").await;
    gone.is_problem(404, "not_found");
    let form = Request::builder()
        .method("POST")
        .uri("/sign-in")
        .header("host", "acme.localhost:8080")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={}", house.token)));
    let signed = house.send(form.unwrap()).await;
    let cookie = signed.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = Request::builder()
        .uri("/")
        .header("host", "acme.localhost:8080")
        .header("accept", "text/html")
        .header("cookie", cookie)
        .body(Body::empty());
    let page = house.send(page.unwrap()).await;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    assert_eq!((page.status, page.header("retry-after")), (409, "1"));
    assert!(text.contains("The first calculation has not ended yet"), "{text}");
    counted(&house).await;
    assert_eq!(house.get("/carbon-footprint").await.json()["status"], "current");
}

#[tokio::test]
async fn a_series_has_a_point_for_each_step() {
    let house = with_rows().await;
    let months = house.get("/carbon-footprint/series?from=2022-01-15&to=2022-04-01").await;
    let months = months.json();
    assert_eq!(values(&months), ["19.338", "2.12718", "0"], "{months}");
    assert_eq!((&months["interval"], &months["status"]), (&json!("month"), &json!("current")));
    assert_eq!(months["points"][0]["period"], json!({"from": "2022-01-15", "to": "2022-02-01"}));
    for (query, want) in [
        ("from=2022-01-31&to=2022-02-03&interval=day", vec!["19.338", "1.9338", "0.19338"]),
        ("from=2022-01-01&to=2023-01-01&interval=year", vec!["21.46518"]),
        ("from=2022-01-31&to=2022-02-01&interval=day&gwp_set=ar5", vec!["19.33242885906"]),
        ("from=2022-01-31&to=2022-02-02&interval=day&facility_id=b24&scope=1", vec!["0", "0"]),
    ] {
        let series = house.get(&format!("/carbon-footprint/series?{query}")).await.json();
        let got = values(&series);
        assert_eq!(got.len(), want.len(), "{query}");
        for (got, want) in got.iter().zip(want) {
            assert!(got.starts_with(want), "{query}: {got}");
        }
    }
    // A set that the cells do not keep is worked out from the rows, to the same digits as the footprint.
    let period = "from=2022-02-01&to=2022-03-01&gwp_set=ar6-table";
    let series = house.get(&format!("/carbon-footprint/series?{period}")).await.json();
    let footprint = house.get(&format!("/carbon-footprint?{period}")).await.json();
    let point = &series["points"][0];
    for name in ["scope1", "scope2_location", "scope2_market", "scope3", "total_market_based"] {
        assert_eq!(point[name], footprint["totals"][name], "{name}");
    }
    let figure = point["scope3"]["figure_id"].as_str().unwrap();
    assert_eq!(house.get(&format!("/figures/{figure}/trace")).await.json()["replay"], "equal");
}

#[tokio::test]
async fn a_series_is_refused_when_it_cannot_be_answered() {
    let house = with_rows().await;
    for (query, words) in [
        ("from=2000-01-01&to=2010-01-01&interval=day", "ask for a shorter one"),
        ("from=2022-01-01&to=2022-01-01", "comes after"),
        ("interval=week", "day, month or year"),
        ("gwp_set=ar7", "no GWP set"),
        ("facility_id=nowhere", "There is no facility"),
        ("group_by=month", "no parameter"),
    ] {
        let answer = house.get(&format!("/carbon-footprint/series?{query}")).await;
        let problem = answer.is_problem(400, "unknown_parameter");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
}

#[tokio::test]
async fn a_word_that_nothing_has_is_refused_rather_than_zero() {
    let house = House::new();
    for path in ["/carbon-footprint", "/carbon-footprint/series"] {
        for query in
            ["scope=4", "scope=", "scope=01", "category=16", "category=x", "type=electricity"]
        {
            let name = query.split('=').next().unwrap();
            let problem = house.get(&format!("{path}?{query}")).await;
            let problem = problem.is_problem(400, "unknown_parameter");
            assert_eq!(problem["errors"][0]["parameter"], name, "{problem}");
        }
    }
}

#[tokio::test]
async fn the_past_keeps_its_digits_after_a_correction() {
    let house = with_rows().await;
    let path = "/carbon-footprint?from=2022-01-01&to=2023-01-01&group_by=month";
    let before = house.get(path).await.json();
    let then = house.clock_now();
    house.clock.advance(Span::from_secs(3600));
    // A row is corrected, another one names a facility that nobody knows.
    let mut corrected = on("a1-corrected", "2022-01-31", "900");
    corrected["supersedes"] = "ext:a1".into();
    let mut lost = on("a5", "2022-03-01", "5");
    lost["facility_code"] = "b99".into();
    let body = json!({"activities": [corrected, lost]});
    let sent = house.send(activities(&house, "?mode=partial", ("", &body))).await;
    assert_eq!(sent.json()["counts"]["accepted"], 1, "{}", sent.json());
    counted(&house).await;
    let now = house.get(path).await.json();
    assert_ne!(now["totals"], before["totals"]);
    assert_eq!(now["unresolved"][0]["code"], "unknown_facility", "{now}");
    for set in ["", "&gwp_set=ar6"] {
        let past = house.get(&format!("{path}&as_of={then}{set}")).await.json();
        let value = |of: &Value| of["totals"]["total_location_based"]["value"].clone();
        if set.is_empty() {
            assert_eq!(past["totals"], before["totals"], "figure ids and digits");
            for field in ["groups", "unresolved", "warnings", "coverage", "bases", "watermark"] {
                assert_eq!(past[field], before[field], "{field}");
            }
        }
        assert_ne!(value(&past), value(&house.get(&format!("{path}{set}")).await.json()));
        let figure = past["totals"]["total_location_based"]["figure_id"].as_str().unwrap();
        let trace = house.get(&format!("/figures/{figure}/trace")).await.json();
        assert_eq!((&trace["replay"], &trace["figure"]["value"]), (&json!("equal"), &value(&past)));
    }
    let series = "/carbon-footprint/series?from=2022-01-01&to=2022-04-01";
    let past = house.get(&format!("{series}&as_of={then}")).await.json();
    assert_ne!(values(&past), values(&house.get(series).await.json()));
    let later = (house.clock_now() + Span::from_secs(60)).to_string();
    assert_eq!(house.get(&format!("{path}&as_of={later}")).await.json()["totals"], now["totals"]);
    let early = house.get(&format!("{path}&as_of=2020-01-01T00:00:00Z")).await;
    assert_eq!(early.is_problem(400, "unknown_parameter")["errors"][0]["parameter"], "as_of");
    house.get(&format!("{path}&as_of=yesterday")).await.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn a_group_that_the_filter_leaves_out_is_none() {
    let house = with_facility().await;
    let other =
        json!({"code": "b62", "name": "B 62", "country": "GB", "time_zone": "Europe/London"});
    assert_eq!(house.post("/facilities", &other).await.status, 201);
    let mut there = on("a2", "2022-02-01", "10");
    there["facility_code"] = "b62".into();
    let body = json!({"activities": [on("a1", "2022-01-31", "100"), there]});
    assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
    counted(&house).await;
    for (query, want) in [
        ("group_by=facility", vec![("b24", "19.338"), ("b62", "1.9338")]),
        ("group_by=facility&facility_id=b62", vec![("b62", "1.9338")]),
        ("group_by=facility&facility_id=b62&gwp_set=sar", vec![("b62", "1.933071677852")]),
        ("group_by=scope&scope=2", vec![("2", "21.2718")]),
        ("group_by=month&facility_id=b62", vec![("2022-01", "0"), ("2022-02", "1.9338")]),
    ] {
        let path = format!("/carbon-footprint?from=2022-01-15&to=2022-02-10&{query}");
        let answer = house.get(&path).await.json();
        let group = |group: &Value| {
            let key = ["facility_code", "scope", "month"].map(|name| group["key"][name].as_str());
            let value = group["totals"]["scope2_location"]["value"].as_str();
            (key.into_iter().flatten().collect::<String>(), value.unwrap_or_default().to_owned())
        };
        let groups = answer["groups"].as_array().unwrap_or_else(|| unreachable!("{answer}"));
        let groups: Vec<(String, String)> = groups.iter().map(group).collect();
        let want: Vec<(String, String)> =
            want.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        assert_eq!(groups, want, "{query}");
    }
}

#[tokio::test]
async fn a_period_that_would_take_minutes_is_refused_at_once() {
    let house = with_rows().await;
    for path in ["/carbon-footprint", "/carbon-footprint/series", "/data-quality"] {
        let interval = if path.ends_with("series") { "&interval=year" } else { "" };
        let too_long = ["longer than 100 years", "more than 1000 steps"].as_slice();
        let no_year = ["a day of the years 1900 to 2199"].as_slice();
        for (period, refusal) in [
            ("from=2000-01-01&to=9999-12-31", no_year),
            ("from=0001-01-01&to=2023-01-01", no_year),
            ("from=1900-01-01&to=2200-01-01", too_long),
            ("from=1950-01-01&to=2050-01-02", too_long),
            ("from=1950-01-01&to=2050-01-01", &[]),
        ] {
            let answer = house.get(&format!("{path}?{period}{interval}")).await;
            if refusal.is_empty() {
                assert_eq!(answer.status, 200, "{path} {period}: {}", answer.json());
                continue;
            }
            let problem = answer.is_problem(400, "unknown_parameter");
            let detail = problem["detail"].as_str().unwrap();
            assert!(refusal.iter().any(|due| detail.contains(due)), "{path} {period}: {detail}");
        }
    }
}

/// Every field of a figure id, changed to what no footprint prints.
fn falsified(true_one: &Figure) -> Vec<(&'static str, Figure)> {
    let narrowed = |field: &str, words: &[&str]| {
        let mut figure = true_one.clone();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        figure.filters.insert(field.to_owned(), words);
        figure
    };
    let with = |change: fn(&mut Figure)| {
        let mut figure = true_one.clone();
        change(&mut figure);
        figure
    };
    vec![
        ("consolidation", narrowed("consolidation", &["equity_share"])),
        ("consolidation", narrowed("consolidation", &["operational_control", "nonsense"])),
        ("consolidation", with(|figure| figure.filters.clear())),
        ("filter", narrowed("owner", &["acme"])),
        ("facility", narrowed("facility", &["b24"])),
        ("source", narrowed("source", &["m1"])),
        ("scope filter", narrowed("scope", &["4"])),
        ("scope filter", narrowed("scope", &["02"])),
        ("category filter", narrowed("category", &["16"])),
        ("type", narrowed("type", &["electricity.dreamt"])),
        ("type", narrowed("type", &[])),
        ("slot", narrowed("slot", &["nonsense"])),
        ("carbon", narrowed("carbon", &["nonsense"])),
        ("basis", narrowed("basis", &["ar7"])),
        ("measure", with(|figure| figure.measure = Measure::Count)),
        ("measure", with(|figure| figure.measure = Measure::Mass)),
        ("set", with(|figure| figure.gwp_set = None)),
        ("bucket", with(|figure| figure.bucket = Bucket::BiogenicCo2)),
        ("bucket", with(|figure| figure.bucket = Bucket::Credit)),
        ("scope", with(|figure| figure.scope = Some(4))),
        ("scope", with(|figure| figure.scope = Some(1))),
        ("category", with(|figure| figure.category = Some(16))),
        ("market", with(|figure| figure.market = Market::None)),
        ("period", with(|figure| figure.to = figure.from)),
        ("seq", with(|figure| figure.seq += 1_000)),
        (
            "gas of a mass",
            with(|figure| {
                figure.measure = Measure::Mass;
                figure.gas = Some(Gas::CH4);
            }),
        ),
    ]
}

#[tokio::test]
async fn a_figure_id_with_a_false_label_is_no_figure() {
    let house = with_rows().await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let id = footprint["totals"]["total_location_based"]["figure_id"].as_str().unwrap();
    let figure = Figure::parse(id).unwrap();
    let trace = house.get(&format!("/figures/{id}/trace")).await;
    assert_eq!((trace.status, &trace.json()["replay"]), (200, &json!("equal")));
    for (field, false_one) in falsified(&figure) {
        let answer = house.get(&format!("/figures/{}/trace", false_one.encode())).await;
        assert_eq!(answer.status, 404, "{field}: {false_one:?}: {}", answer.json());
        answer.is_problem(404, "not_found");
    }
    let long = Figure { to: Day::parse("9999-01-01").unwrap(), ..figure };
    house
        .get(&format!("/figures/{}/trace", long.encode()))
        .await
        .is_problem(400, "unknown_parameter");
}
