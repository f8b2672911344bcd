//! The same description in the words of OpenAPI 3.0.3, for tools that know no later one.
//!
//! 3.0 has no lists of types, no schema beside a reference and no licence by identifier. Of several
//! types that a request may have it tells the first: generators make one function of each.

use serde_json::{Map, Value, json};

/// A document of 3.1, told in 3.0.3.
#[must_use]
pub fn told(mut document: Value) -> Value {
    if let Some(license) = document.pointer_mut("/info/license") {
        *license = json!({
            "name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0",
        });
    }
    document["openapi"] = json!("3.0.3");
    node(&mut document);
    document
}

fn node(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(content) =
                object.get_mut("requestBody").and_then(|body| body.get_mut("content"))
            {
                one_type(content);
            }
            schema(object);
            object.values_mut().for_each(node);
        }
        Value::Array(list) => list.iter_mut().for_each(node),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Of the types of a body, JSON as we name it, or else the first.
fn one_type(content: &mut Value) {
    let Some(types) = content.as_object_mut() else { return };
    let ours = types.keys().find(|kind| *kind == envora_api::media::VENDOR);
    let Some(kept) = ours.or_else(|| types.keys().next()).cloned() else { return };
    types.retain(|kind, _| *kind == kept);
}

fn schema(object: &mut Map<String, Value>) {
    // Beside a reference nothing is read; below `allOf` it is.
    if object.len() > 1
        && let Some(Value::String(link)) = object.get("$ref").cloned()
    {
        object.remove("$ref");
        object.insert("allOf".to_owned(), json!([{ "$ref": link }]));
    }
    if let Some(Value::Array(types)) = object.get("type") {
        let mut others = types.iter().filter(|kind| *kind != "null").cloned();
        let (first, is_nullable) = (others.next(), types.iter().any(|kind| kind == "null"));
        let several: Vec<Value> = others.map(|kind| json!({ "type": kind })).collect();
        object.remove("type");
        match first {
            Some(kind) if several.is_empty() => {
                object.insert("type".to_owned(), kind);
            }
            Some(kind) => {
                let all = std::iter::once(json!({ "type": kind })).chain(several).collect();
                object.insert("anyOf".to_owned(), Value::Array(all));
            }
            None => {}
        }
        if is_nullable {
            object.insert("nullable".to_owned(), json!(true));
        }
    }
    for several in ["oneOf", "anyOf"] {
        let Some(Value::Array(list)) = object.get_mut(several) else { continue };
        let before = list.len();
        list.retain(|one| one.get("type") != Some(&json!("null")));
        if list.len() < before {
            object.insert("nullable".to_owned(), json!(true));
        }
    }
    if let Some(only) = object.remove("const") {
        object.insert("enum".to_owned(), json!([only]));
    }
    if let Some(Value::Array(examples)) = object.get("examples").cloned() {
        object.remove("examples");
        if let Some(first) = examples.into_iter().next() {
            object.insert("example".to_owned(), first);
        }
    }
    for (bound, is_exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
    {
        if let Some(Value::Number(number)) = object.get(is_exclusive).cloned() {
            object.insert(bound.to_owned(), Value::Number(number));
            object.insert(is_exclusive.to_owned(), json!(true));
        }
    }
    object.remove("propertyNames");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::told;

    #[track_caller]
    fn check(schema: Value, want: Value) {
        let mut document = json!({ "info": {}, "components": { "schemas": { "A": null } } });
        document["components"]["schemas"]["A"] = schema;
        assert_eq!(told(document)["components"]["schemas"]["A"], want);
    }

    #[test]
    fn what_3_0_cannot_say_is_said_in_its_words() {
        check(json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true}));
        check(
            json!({"type": ["string", "integer"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        );
        check(
            json!({"oneOf": [{"type": "null"}, {"$ref": "#/x"}]}),
            json!({"oneOf": [{"$ref": "#/x"}], "nullable": true}),
        );
        check(
            json!({"$ref": "#/x", "description": "An x."}),
            json!({"allOf": [{"$ref": "#/x"}], "description": "An x."}),
        );
        check(json!({"const": 1}), json!({"enum": [1]}));
        check(json!({"examples": [1, 2]}), json!({"example": 1}));
        check(json!({"exclusiveMinimum": 0}), json!({"minimum": 0, "exclusiveMinimum": true}));
    }
}
