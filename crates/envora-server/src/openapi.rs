//! The description of the interface, OpenAPI 3.1, made of the route list and the wire types.

pub mod older;
mod parameters;

use std::collections::BTreeMap;

use envora_api::media;
use envora_api::problems::Problem;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::gate;
use crate::routes::{self, Method, Route};

/// What a body or an answer is.
#[derive(Clone, Copy)]
pub enum Shape {
    /// One object of a wire type.
    One(fn(&mut Schemas) -> Value),
    /// A page of objects of a wire type.
    Page(fn(&mut Schemas) -> Value),
    /// Events as they happen, in words; the data of each is of a wire type.
    Stream(&'static str, fn(&mut Schemas) -> Value),
    /// Something described in words: a file, a document.
    Free(&'static str),
}

impl Shape {
    /// One object of this type.
    #[must_use]
    pub const fn one<T: ToSchema>() -> Self {
        Self::One(reference::<T>)
    }

    /// A page of this type.
    #[must_use]
    pub const fn page<T: ToSchema>() -> Self {
        Self::Page(reference::<T>)
    }

    /// Events whose data is of this type.
    #[must_use]
    pub const fn stream<T: ToSchema>(words: &'static str) -> Self {
        Self::Stream(words, reference::<T>)
    }
}

/// The schemas that were named so far.
#[derive(Default)]
pub struct Schemas {
    named: BTreeMap<String, RefOr<Schema>>,
}

fn reference<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let name = T::name().into_owned();
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    schemas.named.extend(inner);
    let link = json!({ "$ref": format!("#/components/schemas/{name}") });
    schemas.named.insert(name, <T as PartialSchema>::schema());
    link
}

/// What a merge patch of this shape may say: any of its fields, none of them due.
fn change_of(path: &str, shape: Shape, schemas: &mut Schemas) -> Value {
    let whole = schema_of(shape, schemas);
    let named = whole.get("$ref").and_then(Value::as_str).and_then(|link| link.rsplit('/').next());
    let found = named.and_then(|name| Some((name, schemas.named.get(name)?.clone())));
    let Some((name, RefOr::T(Schema::Object(mut object)))) = found else { return whole };
    let name = format!("Change{}", name.trim_start_matches("New").trim_start_matches("Change"));
    object.required.clear();
    let archives = |route: &Route| route.method == Method::Delete && route.path == path;
    if routes::list().iter().any(archives) {
        let words = "false brings an archived one back, true archives it.";
        let archived = Object::builder().schema_type(Type::Boolean).description(Some(words));
        object.properties.insert("archived".to_owned(), archived.build().into());
    }
    object.description =
        Some("What is to be changed: the fields that are sent, and no other.".to_owned());
    let link = json!({ "$ref": format!("#/components/schemas/{name}") });
    schemas.named.insert(name, RefOr::T(Schema::Object(object)));
    link
}

fn schema_of(shape: Shape, schemas: &mut Schemas) -> Value {
    match shape {
        Shape::One(reference) => reference(schemas),
        Shape::Page(reference) => json!({
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {
                "data": { "type": "array", "items": reference(schemas) },
                "total": { "type": "integer", "description": "How many items all pages have; with include=total." },
                "total_is": { "type": "string", "enum": ["at_least"], "description": "There when counting ended before the last item." },
                "next_cursor": { "type": ["string", "null"], "description": "Opens the next page; null on the last." },
            },
        }),
        // The versions that we write have no word for what an event holds.
        Shape::Stream(_, reference) => {
            json!({
                "type": "object",
                "description": "An event of the stream; its data is JSON.",
                "properties": {
                    "event": { "type": "string" },
                    "id": { "type": "string" },
                    "retry": { "type": "integer" },
                    "data": { "type": "string", "x-event-data": reference(schemas) },
                },
                "required": ["data"],
            })
        }
        Shape::Free(_) => json!({}),
    }
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes::list() {
        let operation = operation(&route, &mut schemas);
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(route.path).or_default().insert(method, operation);
    }
    reference::<Problem>(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Envora",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Environmental accounting: activities in, a footprint out, every figure traceable to its source bytes, its factor and its proof.",
            "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{
            "url": "http://{organization}.localhost:{port}",
            "description": "An organization's own host; the host alone decides whose data it is.",
            "variables": {
                "organization": { "default": "acme", "description": "The organization's slug." },
                "port": { "default": "8080", "description": "The port that the server printed." },
            },
        }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "The operator token that was printed once when the folder was made.",
            } },
        },
    })
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [tag(route.path)],
        "parameters": parameters(route),
        "responses": responses(route, schemas),
    });
    let Some(object) = operation.as_object_mut() else { return operation };
    if let Some(shape) = route.body {
        let is_patch = route.method == Method::Patch;
        let schema = if is_patch {
            change_of(route.path, shape, schemas)
        } else {
            schema_of(shape, schemas)
        };
        let takes_files = route.takes.contains(&gate::Format::JsonFile);
        let content: Map<String, Value> = gate::types_of(route.takes)
            .into_iter()
            .map(|kind| {
                let is_json =
                    kind.ends_with("json") && kind != media::NDJSON && kind != "application/ndjson";
                let is_json = is_json && !(kind == media::JSON && takes_files);
                let schema = if is_json { schema.clone() } else { json!({ "type": "string" }) };
                (kind.to_owned(), json!({ "schema": schema }))
            })
            .collect();
        object.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    if route.action.is_none() {
        object.insert("security".to_owned(), json!([]));
    }
    if let Some(action) = route.action {
        object.insert("description".to_owned(), json!(format!("Needs the permission {action}.")));
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = path_names(route.path).map(|name| {
        json!({ "name": name, "in": "path", "required": true,
            "description": path_words(name), "schema": { "type": "string" } })
    });
    let in_query = route.query.iter().map(|(name, words)| {
        json!({ "name": name, "in": "query", "required": parameters::is_due(route.path, name),
            "description": words, "schema": parameters::schema(route.path, name, words) })
    });
    let mut all: Vec<Value> = in_path.chain(in_query).collect();
    if let Some(headers) = route.headers {
        all.extend(headers.iter().map(|said| {
            json!({ "name": said.name, "in": "header", "required": true, "description": said.words,
                "schema": { "type": "string", "pattern": said.pattern } })
        }));
        return all;
    }
    let has_effect = !["/validate", "/convert"].iter().any(|end| route.path.ends_with(end));
    if route.method == Method::Post && has_effect {
        all.push(json!({ "name": "X-Idempotency-Key", "in": "header", "required": false,
            "description": "8 to 255 visible ASCII characters, new for each intended effect: sending the request again then has no second effect.",
            "schema": { "type": "string", "minLength": 8, "maxLength": 255 } }));
    }
    if matches!(route.method, Method::Patch | Method::Delete) {
        all.push(json!({ "name": "If-Match", "in": "header", "required": true,
            "description": "The version that is changed, such as \"v7\"; `*` whichever there is.",
            "schema": { "type": "string" } }));
    }
    if route.method == Method::Put {
        all.push(json!({ "name": "If-Match", "in": "header", "required": false,
            "description": "The version that is replaced, such as \"v7\"; needed when there is one.",
            "schema": { "type": "string" } }));
        all.push(json!({ "name": "If-None-Match", "in": "header", "required": false,
            "description": "`*`: only when there is none yet.",
            "schema": { "type": "string" } }));
    }
    all
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let (status, shape) = route.gives;
    let words = match shape {
        Shape::Free(words) | Shape::Stream(words, _) => words,
        Shape::One(_) => "What was asked for.",
        Shape::Page(_) => "A page.",
    };
    let schema = schema_of(shape, schemas);
    let content = match shape {
        Shape::Free(_) | Shape::Stream(..) if !route.types.is_empty() => {
            let is_stream = matches!(shape, Shape::Stream(..));
            let schema = if is_stream { schema } else { json!({ "type": "string" }) };
            let text = json!({ "schema": schema });
            let types = route.types.iter().map(|kind| ((*kind).to_owned(), text.clone()));
            Value::Object(types.collect())
        }
        Shape::Free(_) | Shape::Stream(..) => json!({ "*/*": { "schema": schema } }),
        Shape::One(_) | Shape::Page(_) => {
            let json = json!({ "schema": schema });
            let own = route
                .types
                .iter()
                .map(|kind| (*kind, json!({ "schema": { "type": "string", "format": "binary" } })));
            let all = own.chain([(media::VENDOR, json.clone()), (media::JSON, json)]);
            Value::Object(all.map(|(kind, content)| (kind.to_owned(), content)).collect())
        }
    };
    let mut all = Map::new();
    all.insert(status.to_string(), json!({ "description": words, "content": content.clone() }));
    for (status, words) in route.also {
        let answer = if *status == 304 {
            json!({ "description": words })
        } else {
            json!({ "description": words, "content": content.clone() })
        };
        all.insert(status.to_string(), answer);
    }
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    all.insert(
        "default".to_owned(),
        json!({
            "description": "A problem; its code says which, and its page what to do.",
            "content": { media::PROBLEM: { "schema": problem } },
        }),
    );
    Value::Object(all)
}

/// The names between braces.
fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_words(name: &str) -> &'static str {
    match name {
        "org_id" => "The organization, by its id or its slug; it must be the one of the host.",
        "code" => "The code.",
        "number" => "The part's place, from 1.",
        _ => "The id.",
    }
}

/// `getCarbonFootprint` of `GET …/carbon-footprint`.
fn operation_id(route: &Route) -> String {
    let rest = route.path.strip_prefix(routes::ORGANIZATION).unwrap_or(route.path);
    let rest = if rest.is_empty() { "organization" } else { rest };
    let words =
        rest.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = route.method.as_str().to_ascii_lowercase();
    for word in words {
        let (first, others) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(others);
    }
    id
}

fn tag(path: &str) -> &str {
    let rest = path.strip_prefix(routes::ORGANIZATION).unwrap_or("meta");
    let first = rest.trim_start_matches('/').split('/').next().unwrap_or("");
    if first.is_empty() { "organization" } else { first }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::document;

    #[test]
    fn every_operation_is_named_once_and_every_response_described() {
        let document = document();
        let mut ids = BTreeSet::new();
        let paths = document["paths"].as_object().expect("paths");
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id.to_owned()), "{id} twice");
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    let words = response["description"].as_str().unwrap_or("");
                    assert!(!words.is_empty(), "{method} {path} {status}");
                }
            }
        }
        assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut links = Vec::new();
        collect(&document, &mut links);
        assert!(links.len() > 20);
        for link in links {
            let pointer = link.strip_prefix('#').expect("a local reference");
            assert!(document.pointer(pointer).is_some(), "{link} leads nowhere");
        }
    }

    fn collect(value: &Value, links: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(link)) = object.get("$ref") {
                    links.push(link.clone());
                }
                object.values().for_each(|inner| collect(inner, links));
            }
            Value::Array(list) => list.iter().for_each(|inner| collect(inner, links)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
