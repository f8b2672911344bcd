//! What a parameter may say: a name means the same on every route, but for `from` and `scope`.

use envora_domain::gwp::GwpSet;
use envora_ingest::footprint::GroupBy;
use envora_ingest::stored::STATES;
use serde_json::{Value, json};

use crate::params::LIMIT_MAX;

/// The parameters without which a route has no answer.
const DUE: &[(&str, &str)] = &[("/proofs/inclusion", "index"), ("/proofs/consistency", "first")];

/// Whether the route refuses to answer without it.
#[must_use]
pub(super) fn is_due(path: &str, name: &str) -> bool {
    DUE.iter().any(|(end, due)| path.ends_with(end) && *due == name)
}

/// The schema of a query parameter.
#[must_use]
pub(super) fn schema(path: &str, name: &str, words: &str) -> Value {
    let one = one(path, name);
    if words.contains("may be repeated") { json!({ "type": "array", "items": one }) } else { one }
}

fn one(path: &str, name: &str) -> Value {
    let place = json!({ "type": "integer", "minimum": 0 });
    match name {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX }),
        "from" if path.ends_with("/audit/entries") => place,
        "index" | "size" | "first" | "second" | "line" | "row" => place,
        "from" | "to" => json!({ "type": "string", "format": "date" }),
        "as_of" => json!({ "type": "string", "format": "date-time" }),
        "include" => json!({ "type": "string", "enum": ["total"] }),
        "expand" => json!({ "type": "string", "enum": ["facility"] }),
        "mode" => json!({ "type": "string", "enum": ["atomic", "partial"] }),
        "format" => json!({ "type": "string", "enum": ["csv", "ndjson"] }),
        "interval" => json!({ "type": "string", "enum": ["day", "month", "year"] }),
        "scope" => json!({ "type": "string", "enum": ["1", "2", "3"] }),
        "category" => json!({ "type": "string", "pattern": "^([1-9]|1[0-5])$" }),
        "state" if path.ends_with("/imports") => json!({ "type": "string", "enum": ["open"] }),
        "rows" if !path.ends_with("/preview") => json!({ "type": "string", "enum": ["wait"] }),
        "rows" => json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
        "state" if path.contains("/activities") => json!({ "type": "string", "enum": STATES }),
        "state" => json!({ "type": "string", "enum": ["active", "archived", "any"] }),
        "sort" => json!({ "type": "string", "enum": ["start", "-start"] }),
        "group_by" => {
            let words: Vec<String> = GroupBy::ALL
                .iter()
                .flat_map(|by| [by.as_str().to_owned(), format!("{}_id", by.as_str())])
                .collect();
            json!({ "type": "string", "enum": words })
        }
        "gwp_set" => {
            let sets: Vec<&str> = GwpSet::ALL.iter().map(|set| set.as_str()).collect();
            json!({ "type": "string", "enum": sets })
        }
        "set" => json!({ "type": "string", "pattern": "^[^=]+=" }),
        _ => json!({ "type": "string" }),
    }
}
