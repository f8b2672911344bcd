//! Data quality over the wire and as a page: what is there, what is not, what was noticed.

use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{activities, counted, row, with_facility};
use crate::pages::{open, signed_in, text};

/// A row of one day of a source.
fn on(source: &str, day: &str, quantity: &str) -> Value {
    let mut row = row(&format!("{source}-{day}"), quantity);
    row["start"] = format!("{day}T00:00:00Z").into();
    row["end"] = format!("{day}T01:00:00Z").into();
    row["source_code"] = source.into();
    row
}

/// A meter with a January of each state: as usual, estimated, a week of zeros; February is missing.
async fn with_meters() -> House {
    let house = with_facility().await;
    for (code, closed) in [("m-fine", None), ("m-old", Some("2022-02-01")), ("m-zero", None)] {
        let source = json!({"code": code, "name": code, "facility": "b24",
            "type": "electricity.purchased", "closed": closed});
        let answer = house.post("/sources", &source).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
    let mut rows: Vec<Value> =
        (1..=7).map(|day| on("m-zero", &format!("2022-01-{day:02}"), "0")).collect();
    let mut estimated = on("m-old", "2022-01-05", "10");
    estimated["data_kind"] = "estimated".into();
    estimated["primary"] = true.into();
    rows.extend([estimated, on("m-fine", "2022-01-31", "30"), on("m-fine", "2022-02-01", "1")]);
    let body = json!({ "activities": rows });
    let sent = house.send(activities(&house, "", ("", &body))).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(&house).await;
    house
}

fn states(answer: &Value) -> Vec<(String, String)> {
    let sources = answer["sources"].as_array().unwrap_or_else(|| unreachable!("{answer}"));
    let months = |source: &Value| {
        let months = source["months"].as_array().unwrap().iter();
        months.map(|month| month["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let one = |source: &Value| {
        (source["source_code"].as_str().unwrap().to_owned(), months(source).join(" "))
    };
    sources.iter().map(one).collect()
}

const SPRING: &str = "from=2022-01-01&to=2022-04-01";

#[tokio::test]
async fn each_month_of_each_source_has_its_state() {
    let house = with_meters().await;
    let answer = house.get(&format!("/data-quality?{SPRING}")).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let answer = answer.json();
    let want = [
        ("m-fine", "present present missing"),
        ("m-old", "estimated closed closed"),
        ("m-zero", "zero_run missing missing"),
    ];
    assert_eq!(states(&answer), want.map(|(code, states)| (code.into(), states.into())));
    assert_eq!(answer["sources"][0]["months"][0]["activities"], 1);
    assert_eq!(answer["sources"][2]["months"][0]["zero_days"], 7);
    let footprint = house.get(&format!("/carbon-footprint?{SPRING}")).await.json();
    for same in ["coverage", "primary_data_share", "unresolved"] {
        assert_eq!(answer[same], footprint[same], "{same}");
    }
    let words = |name: &str| -> Vec<String> {
        let shares = answer[name].as_array().unwrap().iter();
        shares.map(|one| format!("{} {}", one["word"].as_str().unwrap(), one["share"])).collect()
    };
    assert_eq!(words("data_kinds"), [" \"0.7561\"", "estimated \"0.2439\""]);
    assert_eq!(words("primary"), ["unsaid \"0.7561\"", "yes \"0.2439\""]);
    assert_eq!(answer["tiers"].as_array().unwrap().len(), 2, "{answer}");
    let flags = answer["flags"].as_array().unwrap();
    let flag = |code: &str| flags.iter().find(|flag| flag["code"] == code).cloned();
    assert_eq!(flag("estimate").unwrap()["activities"], 1, "{answer}");
    assert!(flag("no_residual_mix").is_some(), "{answer}");
}

#[tokio::test]
async fn sources_are_told_page_by_page_and_narrowed() {
    let house = with_meters().await;
    let first = house.get(&format!("/data-quality?{SPRING}&limit=2")).await.json();
    assert_eq!((states(&first).len(), &first["sources_total"]), (2, &json!(3)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = house.get(&format!("/data-quality?{SPRING}&limit=2&cursor={cursor}")).await.json();
    assert_eq!((states(&second).len(), &second["next_cursor"]), (1, &Value::Null));
    let one = house.get(&format!("/data-quality?{SPRING}&source_id=m-zero")).await.json();
    assert_eq!((states(&one).len(), &one["sources_total"]), (1, &json!(1)));
    let bad = house.get(&format!("/data-quality?{SPRING}&source_id=nobody")).await;
    bad.is_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn rows_are_found_by_what_was_noticed_in_them() {
    let house = with_meters().await;
    let found = async |flag: &str| {
        let answer = house.get(&format!("/activities?flag={flag}")).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["data"].as_array().unwrap().len()
    };
    assert_eq!(found("estimate").await, 1);
    // A flag of the choice, which all rows of the type share.
    assert_eq!(found("no_residual_mix").await, 10);
    assert_eq!(found("zero_run").await, 0);
    assert_eq!(found("zero_run&flag=estimate").await, 1);
    let unknown = house.get("/activities?flag=loud").await.is_problem(400, "unknown_parameter");
    assert!(unknown["detail"].as_str().unwrap().contains("estimate"), "{unknown}");
}

#[tokio::test]
async fn totals_are_grouped_by_type() {
    let house = with_meters().await;
    let answer = house.get(&format!("/carbon-footprint?{SPRING}&group_by=type")).await.json();
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{answer}");
    assert_eq!(groups[0]["key"], json!({"type": "electricity.purchased"}));
    let (part, whole) =
        (&groups[0]["totals"]["scope2_location"], &answer["totals"]["scope2_location"]);
    assert_eq!(part["value"], whole["value"]);
}

#[tokio::test]
async fn the_page_marks_the_months_and_gives_them_as_csv() {
    let house = with_meters().await;
    let session = signed_in(&house).await;
    let page = text(open(&house, "/quality?year=2022", &session).await).replace('\u{a0}', " ");
    for want in [
        "mark is-zero_run",
        "7 days at nothing of 7 activities",
        "mark is-estimated",
        ">missing</span>",
    ] {
        assert!(page.contains(want), "{want}: {page}");
    }
    let csv = text(open(&house, "/quality.csv?year=2022", &session).await);
    assert_eq!(csv.lines().count(), 1 + 3 * 12, "{csv}");
    assert!(csv.contains("m-old,m-old,2022-01,estimated,1,1,1,0\r\n"), "{csv}");
    assert!(csv.contains("m-old,m-old,2022-02,closed,0,0,0,0\r\n"), "{csv}");
    let rows = page.split("mark is-estimated\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let rows = text(open(&house, &rows.replace("&#38;", "&"), &session).await);
    assert_eq!(rows.matches("electricity.purchased</td>").count(), 1, "{rows}");
}
