//! The checks written by hand and the JSON Schema give one verdict on mutated rows.

use envora_domain::activities::Origin;
use envora_domain::activities::schema::ACTIVITY;
use envora_ingest::formats::json::row::RowReader;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Rows that mutations start from: each field is in one of them.
pub(crate) fn seeds() -> Vec<Value> {
    let id = |prefix: &str| format!("{prefix}_{}", "0".repeat(26));
    vec![
        json!({"type": "electricity.purchased", "quantity": "12.5", "unit": "kWh",
            "start": "2022-01-01T00:00:00Z", "end": "2022-01-01T01:00:00+01:00",
            "facility_code": "b24", "source_code": "m", "external_id": "x", "scope": 2}),
        json!({"type": "fuel.combusted.stationary", "quantity": 7, "unit": "kg",
            "start_date": "2022-01-01", "end_date": "2022-01-31", "time_zone": "Europe/London",
            "facility_id": id("fac"), "scope": 3, "category": 3, "region": "GB-ENG",
            "qualifiers": {"fuel": "diesel"}, "tags": {"cost_centre": "47"}, "note": "n",
            "reading": {"start": "1", "end": 8.5, "multiplier": "1", "register": "T",
                "rollover_at": "99"}}),
        json!({"type": "spend.purchased", "quantity": -3.25, "unit": "GBP",
            "occurred_at": "2022-01-01T00:00:00.25Z", "entity_code": "e", "source_id": id("src"),
            "supplier_code": "s", "item": "i", "item_scheme": "cpc", "grid": "eic:X",
            "price": {"year": 2021, "basis": "basic", "tax_included": true,
                "margins_included": false},
            "instruments": [id("cert")], "data_kind": "measured", "primary": true,
            "uncertainty_pct": "5", "quality": {"time": 3, "geography": 5},
            "evidence": [id("ev"), format!("sha256:{}", "a".repeat(64))],
            "supersedes": "ext:y", "supersede_reason": "r", "void": false,
            "inputs": {"distance": {"quantity": "5", "unit": "km"}}}),
        json!({"supersedes": "ext:y", "void": true, "external_id": "v", "supersede_reason": "r"}),
    ]
}

/// Values that a mutation puts somewhere.
fn values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!([]),
        json!({}),
        json!({"a": "b"}),
        json!([1]),
        json!(["x", "x"]),
        json!({"quantity": "1", "unit": "kg"}),
        json!({"A": "b"}),
        json!(["ev_00000000000000000000000000", "ev_00000000000000000000000000"]),
    ];
    for number in [-1, 0, 1, 2, 3, 4, 5, 6, 15, 16, 1989, 1990, 9999, 10000] {
        values.push(json!(number));
        values.push(json!(number.to_string()));
    }
    for text in [
        "",
        " ",
        "1\n",
        "a\tb",
        "a\0b",
        "a\u{85}b",
        "a\u{7f}",
        "1e3",
        "01",
        "+1",
        "-0",
        ".5",
        "1.",
        "1.5",
        "NaN",
        "x",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "A.b",
        "GB",
        "gb",
        "GB-",
        "GB-ABCD",
        "US-CA",
        "2022-02-29",
        "2024-02-29",
        "2022-1-1",
        "2022-01-01T00:00:00",
        "2022-01-01 00:00:00Z",
        "2022-01-01t00:00:00z",
        "2022-01-01T00:00:00.1234567Z",
        "2022-01-01T00:00:00.1234560Z",
        "2022-01-01T24:00:00Z",
        "2022-01-01T00:00:60Z",
        "a b",
        "=\"123\"",
        "B-24/é:1",
        "-5",
        "ent_00000000000000000000000000",
        "sup_00000000000000000000000000",
        "2022-13-01T00:00:00Z",
        "2022-01-01T00:00:00+25:00",
        "é",
        "ev_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "fac_00000000000000000000000000",
        "src_00000000000000000000000000",
        "00000000000000000000",
        "99999999999999999999",
        "100000000000000000000",
        "0.123456789012345678",
        "0.1234567890123456789",
    ] {
        values.push(json!(text));
    }
    for count in [64, 65, 200, 201, 204, 205, 256, 257, 2000, 2001] {
        values.push(json!("é".repeat(count)));
    }
    values
}

/// Every name that a mutation may add.
const NAMES: &[&str] = &[
    "type",
    "quantity",
    "unit",
    "start",
    "end",
    "occurred_at",
    "start_date",
    "end_date",
    "facility_id",
    "facility_code",
    "source_id",
    "source_code",
    "entity_code",
    "category",
    "scope",
    "item_scheme",
    "void",
    "supersede_reason",
    "supersedes",
    "year",
    "a",
    "Bad",
    "technology",
    "mood",
    "unitt",
    "inputs",
    "tags",
    "qualifiers",
    "quality",
    "price",
    "reading",
    "evidence",
    "instruments",
    "note",
    "region",
    "time_zone",
];

#[derive(Clone, Debug)]
enum Change {
    Put(usize, usize),
    Remove(usize),
    Add(usize, usize, usize),
    Swap(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let any = 0..1000_usize;
    prop_oneof![
        4 => (any.clone(), any.clone()).prop_map(|(at, value)| Change::Put(at, value)),
        2 => any.clone().prop_map(Change::Remove),
        2 => (any.clone(), any.clone(), any.clone()).prop_map(|(at, name, v)| Change::Add(at, name, v)),
        1 => (any.clone(), any).prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

/// The places of all members, as pointers.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let at = format!("{at}/{name}");
            places.push(at.clone());
            self::places(value, &at, places);
        }
    }
}

fn apply(row: &mut Value, change: &Change, values: &[Value]) {
    let mut all = Vec::new();
    places(row, "", &mut all);
    let place = |number: usize| all.get(number % all.len().max(1)).cloned().unwrap_or_default();
    let value = |number: usize| values[number % values.len()].clone();
    match change {
        Change::Put(at, number) => {
            if let Some(own) = row.pointer_mut(&place(*at)) {
                *own = value(*number);
            }
        }
        Change::Remove(at) => {
            let place = place(*at);
            let (parent, name) = place.rsplit_once('/').unwrap_or(("", ""));
            let parent = row.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.map(|parent| parent.remove(name));
        }
        Change::Add(at, name, number) => {
            let name = NAMES[name % NAMES.len()].to_owned();
            let inner = if at % 3 == 0 { row.pointer_mut(&place(*at)) } else { None };
            let target = match inner {
                Some(Value::Object(members)) => Some(members),
                _ => row.as_object_mut(),
            };
            target.map(|members| members.insert(name, value(*number)));
        }
        Change::Swap(one, other) => {
            let (one, other) = (place(*one), place(*other));
            let values = (row.pointer(&one).cloned(), row.pointer(&other).cloned());
            if let (Some(first), Some(second)) = values {
                if let Some(own) = row.pointer_mut(&one) {
                    *own = second;
                }
                if let Some(own) = row.pointer_mut(&other) {
                    *own = first;
                }
            }
        }
    }
}

pub(crate) fn origin() -> Origin {
    Origin::Request {
        request_id: "r".into(),
        body: [0; 32],
        row: 1,
        offset: 0,
        length: 0,
        parser: "json/1".into(),
    }
}

/// The schema cannot see how a number is written; the oracle therefore gets decimals as their text.
fn as_text(row: &Value) -> Value {
    fn walk(name: &str, value: &Value) -> Value {
        if let Value::Object(members) = value {
            return Value::Object(members.iter().map(|(n, v)| (n.clone(), walk(n, v))).collect());
        }
        if value.is_number() && DECIMALS.contains(&name) {
            return json!(value.to_string());
        }
        value.clone()
    }
    walk("", row)
}

/// The fields that hold decimals, wherever they are.
pub(crate) const DECIMALS: &[&str] =
    &["quantity", "uncertainty_pct", "multiplier", "rollover_at", "start", "end"];

/// The published schema, as a stranger reads it.
pub(crate) fn oracle() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(ACTIVITY).expect("the schema is JSON");
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&schema)
        .expect("the schema is a schema")
}

/// How many mutated rows are judged.
const ROWS: usize = 10_000;

#[test]
fn the_hand_written_checks_and_the_schema_give_one_verdict() {
    let oracle = oracle();
    let (seeds, values) = (seeds(), values());
    for seed in &seeds {
        assert!(oracle.is_valid(seed), "{:?}", oracle.iter_errors(seed).collect::<Vec<_>>());
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let strategy = (0..seeds.len(), prop::collection::vec(change(), 0..4));
    let (mut good, mut bad) = (0, 0);
    let mut apart = Vec::new();
    for _ in 0..ROWS {
        let (seed, changes) = strategy.new_tree(&mut runner).unwrap().current();
        let mut row = seeds[seed].clone();
        for change in &changes {
            apply(&mut row, change, &values);
        }
        let text = row.to_string();
        let hand = RowReader::new(Vec::new())
            .draft(&text)
            .finish(origin())
            .map_err(|own| own.problems().to_vec());
        let valid = oracle.is_valid(&as_text(&row));
        *(if valid { &mut good } else { &mut bad }) += 1;
        if hand.is_ok() != valid {
            let errors: Vec<String> =
                oracle.iter_errors(&row).map(|error| error.to_string()).take(3).collect();
            apart.push(format!(
                "{changes:?}\n  {text}\n  hand {:?}\n  schema {errors:?}",
                hand.err()
            ));
        }
    }
    assert!(apart.is_empty(), "{} apart:\n{}", apart.len(), apart[..apart.len().min(8)].join("\n"));
    // A test that meets one side only proves nothing.
    assert!(good > ROWS / 10 && bad > ROWS / 10, "{good} good, {bad} bad");
}
