//! `/metrics`: each line is one that Prometheus reads, names are by the rules, and values move.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use envora_server::processing::calculate_once;
use serde_json::json;

use crate::calculation::{acme, admin, row};
use crate::house::{ACME, House};

/// The labels that there may be: none of them names a tenant, a person or a thing.
const LABELS: [&str; 10] =
    ["class", "code", "le", "method", "outcome", "part", "route", "state", "tier", "version"];

/// One metric as it is exposed.
#[derive(Default)]
struct Family {
    kind: String,
    samples: BTreeMap<String, f64>,
}

/// Reads the text form as strictly as it is specified.
#[track_caller]
fn parsed(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut described = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(words.len() > 8 && words.ends_with('.') || words.contains(": "), "{line}");
            assert!(!families.contains_key(name), "{name} is described twice");
            described = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, described, "HELP comes first");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let family = Family { kind: kind.to_owned(), ..Family::default() };
            families.insert(name.to_owned(), family);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let family = families.get_mut(&described).unwrap();
            let name = series.split('{').next().unwrap();
            let rest =
                name.strip_prefix(&described).unwrap_or_else(|| unreachable!("{line}: in order"));
            let parts: &[&str] =
                if family.kind == "histogram" { &["_bucket", "_count", "_sum"] } else { &[""] };
            assert!(parts.contains(&rest), "{line}");
            labels(series);
            let value: f64 = value.parse().unwrap();
            assert!(value >= 0.0, "{line}");
            let before = family.samples.insert(series.to_owned(), value);
            assert!(before.is_none(), "{line}: twice");
        }
    }
    families
}

/// The labels of a series are of the list, and their values are words.
#[track_caller]
fn labels(series: &str) {
    let Some((_, inner)) = series.split_once('{') else { return };
    let mut rest = inner.strip_suffix('}').unwrap();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").unwrap();
        let (value, after) = after.split_once('"').unwrap();
        assert!(LABELS.contains(&label), "{series}");
        assert!(!value.is_empty() && !value.contains(ACME) && !value.contains("ten_"), "{series}");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

/// The sum of a metric's samples whose series holds this text.
fn total(families: &BTreeMap<String, Family>, name: &str, holds: &str) -> f64 {
    let family = families.get(name).unwrap_or_else(|| unreachable!("no {name}"));
    family.samples.iter().filter(|(series, _)| series.contains(holds)).map(|(_, it)| it).sum()
}

#[tokio::test]
async fn every_line_is_by_the_rules_and_values_move() {
    let house = House::new();
    let facility =
        json!({"code": "b24", "name": "The library", "country": "GB", "time_zone": "UTC"});
    house.post("/facilities", &facility).await;
    for tenant in house.app.tenants().all() {
        calculate_once(&house.app, &tenant).await;
    }
    let look = async || parsed(&admin(&house, "/metrics").await.1);
    let before = look().await;

    row(&house, "row-1", "372.4").await;
    let bad = json!({"mode": "partial", "activities": [{"external_id": "row-2", "type": "x"}]});
    house.post("/activities", &bad).await;
    let stranger = Request::builder()
        .uri(format!("/v2/organizations/{ACME}/facilities"))
        .header("host", "acme.localhost:8080")
        .header("authorization", "Bearer envora_live_nobody")
        .body(Body::empty());
    house.send(stranger.unwrap()).await.is_problem(401, "unauthenticated");
    let waiting = look().await;
    assert!(total(&waiting, "envora_calculation_waiting_entries", "") >= 1.0, "it waits");
    calculate_once(&house.app, &acme(&house)).await;
    let after = look().await;

    for (name, family) in &after {
        assert!(name.starts_with("envora_"), "{name}");
        assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'), "{name}");
        assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name} {}", family.kind);
        if family.kind == "histogram" {
            assert!(name.ends_with("_seconds"), "{name}: with its unit");
        }
        assert!(!name.ends_with("_ms") && !name.ends_with("_us"), "{name}: in base units");
    }
    let moved = |name: &str, holds: &str, by: f64| {
        let (was, is) = (total(&before, name, holds), total(&after, name, holds));
        assert_eq!(is - was, by, "{name} with {holds:?}: {was}, then {is}");
    };
    moved("envora_rows_total", "accepted", 1.0);
    moved("envora_rows_total", "rejected", 1.0);
    moved("envora_rows_read_total", "tier=\"typed\"", 1.0);
    moved("envora_rows_read_total", "tier=\"explained\"", 1.0);
    moved("envora_rows_read_total", "tier=\"fast\"", 0.0);
    moved("envora_calculated_rows_total", "", 1.0);
    moved("envora_sign_ins_refused_total", "", 1.0);
    moved("envora_problems_total", "unauthenticated", 1.0);
    moved("envora_requests_total", "class=\"4xx\"", 1.0);
    moved(
        "envora_requests_total",
        "route=\"/v2/organizations/{org_id}/activities\",class=\"2xx\"",
        2.0,
    );
    moved(
        "envora_request_seconds",
        "_count{method=\"POST\",route=\"/v2/organizations/{org_id}/activities\"}",
        2.0,
    );
    moved("envora_panics_total", "", 0.0);
    let commits = |families| total(families, "envora_commit_seconds", "_count");
    assert!(commits(&after) > commits(&waiting) && commits(&waiting) > commits(&before));
    assert_eq!(total(&after, "envora_calculation_lag_seconds", ""), 0.0);
    assert_eq!(total(&after, "envora_write_queue_jobs", ""), 0.0);
    assert_eq!(total(&after, "envora_tenants", "state=\"open\""), 3.0);
    assert_eq!(total(&after, "envora_build_info", "version="), 1.0);
    assert!(total(&after, "envora_store_bytes", "database") > 4_096.0);
    let buckets: BTreeSet<&str> = after["envora_request_seconds"]
        .samples
        .keys()
        .filter_map(|series| series.split_once("le=\"")?.1.strip_suffix("\"}"))
        .collect();
    assert!(buckets.contains("+Inf") && buckets.len() > 5, "{buckets:?}");
}
