//! Rows that last for years, asked for long after they began: in lists, files, traces and quality.

use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};

/// Ten years of a meter in one row, estimated and flagged, and nothing else in them; before and after, in
/// segments of their own, rows of an hour.
async fn with_a_decade() -> House {
    let house = with_facility().await;
    let meter = json!({"code": "m1", "name": "Meter", "type": "electricity.purchased",
        "facility": "b24"});
    assert_eq!(house.post("/sources", &meter).await.status, 201);
    let hour = |id: &str, year: u16| {
        let mut row = row(id, "1");
        row["start"] = format!("{year}-06-01T00:00:00Z").into();
        row["end"] = format!("{year}-06-01T01:00:00Z").into();
        row
    };
    let mut decade = row("decade", "3652");
    decade["start"] = "2012-01-02T00:00:00Z".into();
    decade["end"] = "2022-01-01T00:00:00Z".into();
    decade["source_code"] = "m1".into();
    decade["data_kind"] = "estimated".into();
    for rows in [json!([hour("before", 2011)]), json!([decade]), json!([hour("after", 2023)])] {
        let sent = house.send(activities(&house, "", ("", &json!({"activities": rows})))).await;
        assert_eq!(sent.status, 201, "{}", sent.json());
    }
    counted(&house).await;
    house
}

fn ids(page: &Value) -> Vec<&str> {
    let rows = page["data"].as_array().unwrap_or_else(|| unreachable!("{page}"));
    rows.iter().map(|row| row["external_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_row_of_ten_years_is_there_in_its_ninth() {
    let house = with_a_decade().await;
    let period = "from=2020-01-01&to=2021-01-01";
    for narrowed in ["", "&sort=start", "&sort=-start", "&source_id=m1", "&state=counted"] {
        let page = house.get(&format!("/activities?{period}{narrowed}&include=total")).await.json();
        assert_eq!(ids(&page), ["decade"], "{narrowed}");
        assert_eq!((&page["total"], &page["total_is"]), (&json!(1), &Value::Null), "{narrowed}");
    }
    for (format, lines) in [("csv", 2), ("ndjson", 1)] {
        let file = house.get(&format!("/activities/export?{period}&format={format}")).await;
        let file = String::from_utf8(file.body).unwrap();
        assert_eq!(file.lines().count(), lines, "{file}");
        assert!(file.contains("decade"), "{file}");
    }
    let segments = house.get(&format!("/segments?{period}&include=total")).await.json();
    assert_eq!(segments["total"], 1, "that of the row alone: {segments}");
    // 366 of 3652 days, 366 kWh.
    let footprint = house.get(&format!("/carbon-footprint?{period}")).await.json();
    let figure = &footprint["totals"]["scope2_location"];
    assert_ne!(figure["value"], "0", "{footprint}");
    let path = format!("/figures/{}/trace", figure["figure_id"].as_str().unwrap());
    let trace = house.get(&path).await.json();
    assert_eq!((&trace["replay"], &trace["figure"]), (&json!("equal"), figure));
    assert!(!trace["lines"]["data"].as_array().unwrap().is_empty(), "{trace}");
    let lines = house.get(&format!("/emissions?{period}&limit=1000")).await.json();
    let lines = lines["data"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["period"]["from"] == "2020-01-01"));
    let then = house.clock_now();
    house.clock.advance(envora_domain::time::Span::from_secs(60));
    assert_eq!(
        house.post("/facilities", &json!({"code": "x", "name": "x", "country": "GB"})).await.status,
        201
    );
    counted(&house).await;
    let past = house.get(&format!("/carbon-footprint?{period}&as_of={then}")).await.json();
    assert_eq!(past["totals"], footprint["totals"]);
}

#[tokio::test]
async fn the_quality_of_a_ninth_year_knows_the_row_that_it_stands_on() {
    let house = with_a_decade().await;
    let quality = house.get("/data-quality?from=2020-01-01&to=2021-01-01").await.json();
    let months = quality["sources"][0]["months"].as_array().unwrap();
    assert_eq!(months.len(), 12);
    for month in months {
        assert_eq!(
            (&month["state"], &month["flagged"]),
            (&json!("estimated"), &json!(1)),
            "{month}"
        );
    }
    assert_eq!(quality["coverage"]["present"], 12, "{}", quality["coverage"]);
    let flags = quality["flags"].as_array().unwrap().iter();
    let flags: Vec<(&str, u64)> = flags
        .map(|flag| (flag["code"].as_str().unwrap(), flag["activities"].as_u64().unwrap()))
        .collect();
    assert!(flags.contains(&("estimate", 1)), "{flags:?}");
}
