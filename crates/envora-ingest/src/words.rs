//! An activity in the words of `/v2/schemas/activity.json`: what was sent, as it was sent.

use std::collections::BTreeMap;

use envora_domain::activities::{Activity, Origin, Period, Ref};
use envora_domain::id::Kind;
use serde_json::{Map, Value, json};

use crate::fields::{NAMES, OPEN_NAMES};

/// The fields of an activity; what was not sent is not there.
#[must_use]
pub fn fields(activity: &Activity) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::from);
    put("external_id", text(&activity.external_id));
    put("type", Some(activity.kind.clone().into()));
    put("quantity", Some(activity.quantity.to_string().into()));
    put("unit", Some(activity.unit.clone().into()));
    for (name, value) in period(&activity.period) {
        put(name, Some(value));
    }
    put("time_zone", text(&activity.time_zone));
    let (facility, source) =
        (named("facility", &activity.facility), named("source", &activity.source));
    for (name, value) in facility.into_iter().chain(source) {
        put(&name, Some(value));
    }
    put("supplier_code", text(&activity.supplier));
    put("entity_code", text(&activity.entity));
    put("scope", activity.scope.map(Value::from));
    put("category", activity.category.map(Value::from));
    put("item", text(&activity.item));
    put("item_scheme", text(&activity.item_scheme));
    put("region", text(&activity.region));
    put("grid", text(&activity.grid));
    put("data_kind", text(&activity.data_kind));
    put("primary", activity.primary.map(Value::from));
    put("uncertainty_pct", activity.uncertainty_pct.map(|share| share.to_string().into()));
    put("supersedes", text(&activity.supersedes));
    put("supersede_reason", text(&activity.supersede_reason));
    put("void", activity.void.then_some(Value::Bool(true)));
    put("note", text(&activity.note));
    put("inputs", inputs(activity));
    put("price", price(activity));
    put("reading", reading(activity));
    put("instruments", list(&activity.instruments));
    put("evidence", list(&activity.evidence));
    put(
        "quality",
        object(activity.quality.iter().map(|(name, score)| (name, Value::from(*score)))),
    );
    put(
        "qualifiers",
        object(activity.qualifiers.iter().map(|(name, word)| (name, word.clone().into()))),
    );
    put("tags", object(activity.tags.iter().map(|(name, word)| (name, word.clone().into()))));
    put("origin", Some(origin(&activity.origin)));
    fields
}

/// The same without where the row came from: what the sender said.
#[must_use]
pub fn sent(activity: &Activity) -> BTreeMap<String, Value> {
    let mut fields = fields(activity);
    fields.remove("origin");
    fields
}

/// What was sent besides type, amount, time, facility and source, as a table has it, by name.
#[must_use]
pub fn besides(sent: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let told = |name: &str| {
        matches!(name, "type" | "quantity" | "unit" | "occurred_at" | "start" | "end")
            || matches!(name, "start_date" | "end_date" | "facility_id" | "facility_code")
            || matches!(name, "source_id" | "source_code")
    };
    let rest = sent.iter().filter(|(name, _)| !told(name));
    cells(rest.map(|(name, value)| (name.clone(), value.clone()))).into_iter().collect()
}

/// Fields as a table has them: objects by dotted names, lists in one cell.
#[must_use]
pub fn cells(fields: impl IntoIterator<Item = (String, Value)>) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    let mut left: Vec<(String, Value)> = fields.into_iter().collect();
    while let Some((name, value)) = left.pop() {
        let text = match value {
            Value::Object(members) => {
                left.extend(
                    members.into_iter().map(|(own, value)| (format!("{name}.{own}"), value)),
                );
                continue;
            }
            Value::Array(items) => {
                let texts: Vec<String> = items.iter().map(plain).collect();
                texts.join(";")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => plain(&value),
        };
        cells.push((name, text));
    }
    cells
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The names of all fields that [`fields`] may give.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let first = |name: &&'static str| name.split('.').next().unwrap_or(name);
    let mut names: Vec<&str> = NAMES.iter().map(first).collect();
    names.dedup();
    names.extend(OPEN_NAMES);
    names.push("origin");
    names
}

fn period(period: &Period) -> Vec<(&'static str, Value)> {
    match period {
        Period::Instant(at) => vec![("occurred_at", at.to_string().into())],
        Period::Between(start, end) => {
            vec![("start", start.to_string().into()), ("end", end.to_string().into())]
        }
        Period::Days { first, last } => {
            vec![("start_date", first.to_string().into()), ("end_date", last.to_string().into())]
        }
        Period::WallClock { start, end } => {
            // A time on the wall has no zone, and therefore no Z.
            let local = |wall: envora_domain::time::WallClock| {
                let text =
                    envora_domain::time::Timestamp::from_micros(wall.as_micros()).to_string();
                Value::from(text.trim_end_matches('Z'))
            };
            vec![("start", local(*start)), ("end", local(*end))]
        }
    }
}

fn named<K: Kind>(noun: &str, word: &Option<Ref<K>>) -> Option<(String, Value)> {
    match word.as_ref()? {
        Ref::Id(id) => Some((format!("{noun}_id"), id.to_string().into())),
        Ref::Code(code) => Some((format!("{noun}_code"), code.clone().into())),
    }
}

fn inputs(activity: &Activity) -> Option<Value> {
    object(activity.inputs.iter().map(|(name, input)| {
        (name, json!({ "quantity": input.quantity.to_string(), "unit": input.unit }))
    }))
}

fn price(activity: &Activity) -> Option<Value> {
    let price = activity.price.as_ref()?;
    let mut value = json!({ "year": price.year });
    let object = value.as_object_mut()?;
    let all = [
        ("basis", price.basis.clone().map(Value::from)),
        ("tax_included", price.tax_included.map(Value::from)),
        ("margins_included", price.margins_included.map(Value::from)),
    ];
    object.extend(all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Some(value)
}

fn reading(activity: &Activity) -> Option<Value> {
    let reading = activity.reading.as_ref()?;
    let mut value = json!({ "start": reading.start.to_string(), "end": reading.end.to_string() });
    let object = value.as_object_mut()?;
    let all = [
        ("multiplier", reading.multiplier.map(|number| Value::from(number.to_string()))),
        ("register", reading.register.clone().map(Value::from)),
        ("rollover_at", reading.rollover_at.map(|number| Value::from(number.to_string()))),
    ];
    object.extend(all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Some(value)
}

fn list(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.to_vec().into())
}

fn object<'a>(entries: impl Iterator<Item = (&'a String, Value)>) -> Option<Value> {
    let object: Map<String, Value> = entries.map(|(name, value)| (name.clone(), value)).collect();
    (!object.is_empty()).then_some(Value::Object(object))
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::File { import, file, row, line, .. } => json!({
            "import": import.to_string(), "file": file.hex(), "row": row, "line": line,
        }),
        Origin::Request { request_id, row, .. } => {
            json!({ "request_id": **request_id, "row": row })
        }
    }
}
