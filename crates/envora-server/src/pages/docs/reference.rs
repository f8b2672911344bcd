//! The reference of the API, read off its own description: what is shown is what programs are told.

use std::collections::BTreeSet;

use envora_api::media;
use serde_json::{Map, Value, json};

use crate::openapi;
use crate::routes::ORGANIZATION;

/// An area: its name in addresses, its title, what it is about, the tags it holds.
pub(super) type Area = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// The areas, in the order of use.
pub(super) const AREAS: &[Area] = &[
    (
        "organization",
        "Organization",
        "The organization, and what it defines by codes of its own: facilities, sources, entities, suppliers.",
        &["organization", "facilities", "sources", "entities", "suppliers"],
    ),
    (
        "imports",
        "Imports",
        "Files taken in, what became of their rows, and the mappings that say which column is what.",
        &["imports", "import-mappings"],
    ),
    (
        "activities",
        "Activities",
        "Rows sent, tried out, listed, written out, and followed to what they became.",
        &["activities", "segments"],
    ),
    (
        "results",
        "Results",
        "Footprints, their course in time, how good the data is, the trace of each figure, and questions in SQL.",
        &["carbon-footprint", "emissions", "data-quality", "figures", "query"],
    ),
    (
        "factors",
        "Factors",
        "Factors and their packs, sets of global warming potentials, methods, conversion of units.",
        &["factors", "factor-packs", "gwp-sets", "methods", "units"],
    ),
    (
        "audit",
        "Audit",
        "The log, its signed head, and the proofs that an entry is in it and that it only grew.",
        &["audit"],
    ),
    ("meta", "About the interface", "What everyone may read without a token.", &["meta"]),
];

/// A route, told.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) needs: String,
    pub(super) parameters: Vec<Told>,
    pub(super) body: Option<Told>,
    pub(super) answers: Vec<Told>,
    pub(super) example: String,
}

/// A parameter, a field, a body or an answer: its name, what it is, what it means.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) before: String,
    pub(super) link: String,
    pub(super) words: String,
}

/// A type, told.
pub(super) struct Type {
    pub(super) name: String,
    pub(super) words: String,
    pub(super) fields: Vec<Told>,
}

/// An area, told.
pub(super) struct Reference {
    pub(super) operations: Vec<Operation>,
    pub(super) types: Vec<Type>,
}

/// The routes of an area and the types they speak of; `base` is the address that one asks.
pub(super) fn area(tags: &[&str], base: &str) -> Reference {
    let document = openapi::document();
    let empty = Map::new();
    let named = document.pointer("/components/schemas").and_then(Value::as_object);
    let schemas = Schemas { named: named.unwrap_or(&empty) };
    let mut operations = Vec::new();
    let mut spoken = BTreeSet::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
            if tags.contains(&tag) {
                let place = Place { method, path, base };
                operations.push(told(&schemas, &place, operation, &mut spoken));
            }
        }
    }
    let rank =
        |method: &str| ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().position(|m| *m == method);
    operations.sort_by(|a, b| (&a.path, rank(&a.method)).cmp(&(&b.path, rank(&b.method))));
    let types = schemas.types(spoken);
    Reference { operations, types }
}

/// Where a route is.
struct Place<'a> {
    method: &'a str,
    path: &'a str,
    base: &'a str,
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn told(
    schemas: &Schemas<'_>,
    place: &Place<'_>,
    operation: &Value,
    spoken: &mut BTreeSet<String>,
) -> Operation {
    let all = operation.get("parameters").and_then(Value::as_array);
    let parameters: Vec<Told> =
        all.into_iter().flatten().map(|one| parameter(schemas, one)).collect();
    let mut content = |name: String, about: String, holder: &Value| {
        let kinds = holder.get("content").and_then(Value::as_object);
        let types: Vec<&str> = kinds.into_iter().flatten().map(|(kind, _)| kind.as_str()).collect();
        let schema =
            kinds.and_then(|kinds| kinds.values().next()).and_then(|one| one.get("schema"));
        let mut told = schema.map(|schema| schemas.kind(schema)).unwrap_or_default();
        if let Some(schema) = schema {
            schemas.names(schema, spoken);
        }
        told.name = name;
        told.words = about;
        told.about = types.join(", ");
        told
    };
    let body = operation.get("requestBody");
    let body = body.map(|body| content(String::new(), String::new(), body));
    let answers = operation.get("responses").and_then(Value::as_object);
    let answers = answers.into_iter().flatten().map(|(status, answer)| {
        let name = if status == "default" { "else".to_owned() } else { status.clone() };
        content(name, text(answer, "description"), answer)
    });
    Operation {
        answers: answers.collect(),
        id: text(operation, "operationId"),
        method: place.method.to_uppercase(),
        path: place.path.replace(ORGANIZATION, "$O"),
        summary: text(operation, "summary"),
        needs: text(operation, "description"),
        example: curl(schemas, place, operation),
        parameters,
        body,
    }
}

fn parameter(schemas: &Schemas<'_>, one: &Value) -> Told {
    let is_due = one.get("required").and_then(Value::as_bool).unwrap_or(false);
    let place = text(one, "in");
    let kind = one.get("schema").map(|schema| schemas.kind(schema)).unwrap_or_default();
    Told {
        name: text(one, "name"),
        about: if is_due { format!("{place}, required") } else { place },
        words: text(one, "description"),
        ..kind
    }
}

/// The named schemas of the description.
struct Schemas<'a> {
    named: &'a Map<String, Value>,
}

impl Schemas<'_> {
    /// What kind of value a schema allows: words, then the type it links to.
    fn kind(&self, schema: &Value) -> Told {
        if let Some(link) = schema.get("$ref").and_then(Value::as_str) {
            let name = link.rsplit('/').next().unwrap_or_default().to_owned();
            return Told { link: name, ..Told::default() };
        }
        let either =
            ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema.get(word)?.as_array());
        if let Some(either) = either {
            let some = either.iter().find(|one| one.get("type") != Some(&json!("null")));
            return some.map(|one| self.kind(one)).unwrap_or_default();
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return Told { before: words.join(", "), ..Told::default() };
        }
        let kind = kind_of(schema);
        if let (Some("array"), Some(items)) = (kind, schema.get("items")) {
            let inner = self.kind(items);
            return Told { before: format!("list of {}", inner.before), ..inner };
        }
        if let Some(data) =
            schema.pointer("/properties/data").filter(|_| schema.get("description").is_none())
        {
            let inner = self.kind(data);
            return Told { before: format!("page, data: {}", inner.before), ..inner };
        }
        let format = schema.get("format").and_then(Value::as_str);
        let words = match (kind, format) {
            (Some("string"), Some("date")) => "day",
            (Some("string"), Some("date-time")) => "instant",
            (Some("string"), _) => "text",
            (Some("integer"), _) => "integer",
            (Some("boolean"), _) => "true or false",
            (Some("object"), _) => "object",
            (Some(other), _) => other,
            (None, _) => "",
        };
        Told { before: words.to_owned(), ..Told::default() }
    }

    /// The types that a schema names.
    fn names(&self, schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::String(link)) = object.get("$ref") {
                    let name = link.rsplit('/').next().unwrap_or_default().to_owned();
                    let inner = self.named.get(&name);
                    if let (true, Some(inner)) = (found.insert(name), inner) {
                        self.names(inner, found);
                    }
                }
                object.values().for_each(|inner| self.names(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| self.names(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn types(&self, names: BTreeSet<String>) -> Vec<Type> {
        let told = |name: String| {
            let schema = self.named.get(&name)?;
            let due = schema.get("required").and_then(Value::as_array);
            let is_due = |name: &str| due.is_some_and(|due| due.iter().any(|one| one == name));
            let fields = schema.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flatten().map(|(field, inner)| Told {
                name: field.clone(),
                about: if is_due(field) { "always" } else { "may be absent" }.to_owned(),
                words: text(inner, "description"),
                ..self.kind(inner)
            });
            let mut words = text(schema, "description");
            if let Some(either) = schema.get("enum").and_then(Value::as_array) {
                let either: Vec<&str> = either.iter().filter_map(Value::as_str).collect();
                words = format!("{words} One of {}.", either.join(", "));
            }
            Some(Type { words, fields: fields.collect(), name })
        };
        names.into_iter().filter_map(told).collect()
    }

    /// A value that fits: what the schema gives as its example, else the least that it allows.
    fn example(&self, schema: &Value) -> Value {
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        if let Some(link) = schema.get("$ref").and_then(Value::as_str) {
            let name = link.rsplit('/').next().unwrap_or_default();
            return self.named.get(name).map(|inner| self.example(inner)).unwrap_or_default();
        }
        if let Some(first) = schema.pointer("/enum/0") {
            return first.clone();
        }
        match (kind_of(schema), schema.get("format").and_then(Value::as_str)) {
            (Some("string"), Some("date")) => json!("2022-01-01"),
            (Some("string"), Some("date-time")) => json!("2022-01-01T00:00:00Z"),
            (Some("string"), _) => json!("example"),
            (Some("integer"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([]),
            (Some("object"), _) => {
                let due = schema.get("required").and_then(Value::as_array);
                let due = due.into_iter().flatten().filter_map(Value::as_str);
                let field = |name: &str| {
                    let inner = schema.get("properties")?.get(name)?;
                    Some((name.to_owned(), self.example(inner)))
                };
                Value::Object(due.filter_map(field).collect())
            }
            _ => Value::Null,
        }
    }
}

fn kind_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// What to type to ask it of this host.
fn curl(schemas: &Schemas<'_>, place: &Place<'_>, operation: &Value) -> String {
    let parts: Vec<String> = place.path.split('/').map(shell_part).collect();
    let due = operation.get("parameters").and_then(Value::as_array);
    let query: Vec<String> = due
        .into_iter()
        .flatten()
        .filter(|one| {
            one.get("in") == Some(&json!("query")) && one.get("required") == Some(&json!(true))
        })
        .map(|one| format!("{}=0", text(one, "name")))
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut lines = vec![format!("curl \"{}{}{query}\"", place.base, parts.join("/"))];
    if place.method != "get" {
        lines.push(format!("-X {}", place.method.to_uppercase()));
    }
    if place.path.starts_with(ORGANIZATION) {
        lines.push("-H \"Authorization: Bearer $ENVORA_TOKEN\"".to_owned());
    }
    if matches!(place.method, "patch" | "put" | "delete") {
        lines.push("-H 'If-Match: \"v1\"'".to_owned());
    }
    if place.method == "post"
        && !place.path.ends_with("/validate")
        && !place.path.ends_with("/convert")
    {
        lines.push("-H \"X-Idempotency-Key: $(uuidgen)\"".to_owned());
    }
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    if let Some(content) = content {
        let (kind, body) = body(schemas, place, content);
        lines.push(format!("-H \"Content-Type: {kind}\""));
        lines.push(format!("--data-binary {body}"));
    }
    lines.join(" \\\n  ")
}

/// A part of a path as a shell takes it: what one has to say oneself is a variable.
fn shell_part(part: &str) -> String {
    let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    match name {
        Some("org_id") => "$ENVORA_ORG".to_owned(),
        Some(name) => format!("${}", name.to_uppercase()),
        None => part.to_owned(),
    }
}

fn body(
    schemas: &Schemas<'_>,
    place: &Place<'_>,
    content: &Map<String, Value>,
) -> (&'static str, String) {
    let end = place.path.rsplit('/').next().unwrap_or_default();
    let quoted = |value: &Value| format!("'{value}'");
    match (place.method, end) {
        ("post", "imports") => (media::CSV, "@january.csv".to_owned()),
        ("post", "factor-packs") => (media::CSV, "@factors.csv".to_owned()),
        ("post", "import-mappings") => ("application/toml", "@meters.toml".to_owned()),
        ("post", "activities" | "validate") => (media::JSON, quoted(&rows())),
        ("patch", "{name}") => (media::MERGE_PATCH, quoted(&json!({ "archived": false }))),
        ("patch", _) => (media::MERGE_PATCH, quoted(&json!({ "name": "A new name" }))),
        _ => {
            let schema = content.get(media::JSON).and_then(|one| one.get("schema"));
            (media::JSON, quoted(&schema.map(|schema| schemas.example(schema)).unwrap_or_default()))
        }
    }
}

/// A row as a program sends it.
pub(super) fn rows() -> Value {
    json!({ "activities": [{
        "external_id": "b24-2022-01",
        "type": "electricity.purchased",
        "facility_code": "b24",
        "start_date": "2022-01-01",
        "end_date": "2022-01-31",
        "quantity": "16554.5",
        "unit": "kW.h",
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_stands_in_one_area() {
        let document = openapi::document();
        let paths = document["paths"].as_object().expect("paths");
        for operation in
            paths.values().flat_map(|methods| methods.as_object().expect("methods").values())
        {
            let tag = operation["tags"][0].as_str().expect("a tag");
            let areas = AREAS.iter().filter(|(_, _, _, tags)| tags.contains(&tag)).count();
            assert_eq!(areas, 1, "{tag} stands in {areas} areas");
        }
        let all: usize = AREAS.iter().map(|(_, _, _, tags)| area(tags, "").operations.len()).sum();
        assert_eq!(all, crate::routes::list().len());
    }

    #[test]
    fn every_type_that_is_linked_is_told_on_the_same_page() {
        for (slug, _, _, tags) in AREAS {
            let told = area(tags, "http://acme.localhost:8080");
            let names: BTreeSet<&str> = told.types.iter().map(|one| one.name.as_str()).collect();
            let of_types = told.types.iter().flat_map(|one| &one.fields);
            let of_routes =
                told.operations.iter().flat_map(|one| one.answers.iter().chain(&one.body));
            for field in of_types.chain(of_routes).filter(|one| !one.link.is_empty()) {
                assert!(names.contains(field.link.as_str()), "{slug}: {} is not told", field.link);
            }
        }
    }
}
