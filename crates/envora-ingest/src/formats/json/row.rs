//! One activity in JSON, read into a draft: every problem of the row, each with its pointer.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use envora_domain::activities::local::Local;
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::id::ActivityId;
use envora_domain::words::did_you_mean;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::LocalTimes;
use super::super::csv::{ID, LOCAL, OURS};
use crate::fields::{Draft, Field, Given, NAMES, QUALITIES, is_key};

/// How deep a row may nest.
pub const DEPTH_MAX: usize = 32;

/// The members of a JSON object in the order they came, repeated keys included.
pub(in crate::formats) struct Members<'a>(pub(in crate::formats) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(12);
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    members.push((key.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A value of which only arrays and objects are left to be read.
enum Read<'a> {
    Text(Cow<'a, str>),
    Other(Given<'a>),
    Broken(String),
}

impl Read<'_> {
    fn given(&self) -> Given<'_> {
        match self {
            Self::Text(text) => Given::Text(text),
            Self::Other(given) => *given,
            Self::Broken(_) => Given::Null,
        }
    }
}

fn read(raw: &RawValue) -> Read<'_> {
    let text = raw.get();
    match text.bytes().next() {
        Some(b'"') => match serde_json::from_str::<Key<'_>>(text) {
            Ok(key) => Read::Text(key.0),
            Err(error) => Read::Broken(error.to_string()),
        },
        Some(b't') => Read::Other(Given::Bool(true)),
        Some(b'f') => Read::Other(Given::Bool(false)),
        Some(b'n') => Read::Other(Given::Null),
        Some(b'[') => Read::Other(Given::Array),
        Some(b'{') => Read::Other(Given::Object),
        _ => Read::Other(Given::Number(text)),
    }
}

/// Reads rows; knows the constants of the request.
pub struct RowReader {
    defaults: Vec<(Field, String)>,
    local_times: LocalTimes,
}

impl RowReader {
    /// A reader that gives rows these values where they have none of their own.
    #[must_use]
    pub const fn new(defaults: Vec<(Field, String)>) -> Self {
        Self { defaults, local_times: LocalTimes::Refused }
    }

    /// The same, with what becomes of times without an offset.
    #[must_use]
    pub fn with_times(self, local_times: LocalTimes) -> Self {
        Self { local_times, ..self }
    }

    /// The draft of one row's text; what is wrong with the text is in it.
    #[must_use]
    pub fn draft(&mut self, text: &str) -> Draft {
        let mut draft = Draft::default();
        if depth(text) > DEPTH_MAX {
            draft.report(
                RowProblem::new(
                    RowCode::MalformedRow,
                    "",
                    format!("the row nests deeper than {DEPTH_MAX}"),
                )
                .hint("send the fields of the schema, nothing around them"),
            );
            return draft;
        }
        match serde_json::from_str::<Members<'_>>(text) {
            Ok(members) => {
                fill(&mut draft, &members, self.local_times);
                for (field, value) in &self.defaults {
                    if !draft.has(field) {
                        draft.set(field, Given::Cell(value));
                    }
                }
            }
            Err(error) => draft.report(malformed(text, &error)),
        }
        draft
    }
}

fn malformed(text: &str, error: &serde_json::Error) -> RowProblem {
    let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let (code, detail) = if json && !text.trim_start().starts_with('{') {
        (RowCode::WrongType, "an activity is a JSON object".to_owned())
    } else {
        (RowCode::MalformedRow, format!("no JSON object: {error}"))
    };
    RowProblem::new(code, "", detail)
        .value(text)
        .hint("send one object in { } with the fields of the schema")
}

/// The deepest nesting of brackets outside of strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn fill(draft: &mut Draft, members: &Members<'_>, times: LocalTimes) {
    draft.ours = members.0.iter().find_map(|(name, raw)| {
        (name == ID).then(|| ActivityId::parse(raw.get().trim_matches('"')).ok())?
    });
    draft.times.told = members.0.iter().find_map(|(name, raw)| {
        let number = (name == LOCAL).then(|| raw.get().trim_matches('"').parse().ok())?;
        number.and_then(Local::from_number)
    });
    let times = if draft.times.told.is_some() { LocalTimes::OfTheZone } else { times };
    let local =
        |draft: &mut Draft, name: &str, raw: &RawValue| match (read(raw), Field::parse(name)) {
            (Read::Text(text), Some(field)) => draft.set_local(&field, &text),
            _ => false,
        };
    each(draft, "", members, |draft, name, raw| match name {
        "start" | "end" if times == LocalTimes::OfTheZone && local(draft, name, raw) => {}
        "price" | "reading" | "quality" => known_object(draft, name, raw),
        "qualifiers" | "tags" => open_object(draft, name, raw),
        "inputs" => inputs(draft, raw),
        "instruments" | "evidence" => list(draft, name, raw),
        _ if name.starts_with(OURS) => {}
        _ => match Field::parse(name).filter(|_| !name.contains('.')) {
            Some(field) => set(draft, &field, raw),
            None => unknown(draft, "", name, NAMES),
        },
    });
}

/// Calls back for each member, keys that come twice refused.
fn each(
    draft: &mut Draft,
    pointer: &str,
    members: &Members<'_>,
    mut member: impl FnMut(&mut Draft, &str, &RawValue),
) {
    let mut seen = BTreeSet::new();
    for (name, raw) in &members.0 {
        if seen.insert(name.as_ref()) {
            member(draft, name, raw);
        } else {
            let shown: String = name.chars().take(40).collect();
            draft.report(
                RowProblem::new(
                    RowCode::DuplicateKey,
                    &format!("{pointer}/{}", escaped(name)),
                    format!("the key {shown:?} is there twice"),
                )
                .value(raw.get())
                .hint("keep one of the two"),
            );
        }
    }
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    let cut: String = name.chars().take(80).collect();
    cut.replace('~', "~0").replace('/', "~1")
}

fn unknown(draft: &mut Draft, pointer: &str, name: &str, known: &[&str]) {
    if draft.is_full() {
        return;
    }
    let shown: String = name.chars().take(40).collect();
    let top = known.iter().map(|name| name.split_once('.').map_or(*name, |(head, _)| head));
    let near = if pointer.is_empty() { Field::nearest(name) } else { None };
    let near = near.or_else(|| did_you_mean(name, top).map(Cow::Borrowed));
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None if pointer.is_empty() => "put your own labels under tags".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    draft.report(
        RowProblem::new(
            RowCode::UnknownField,
            &format!("{pointer}/{}", escaped(name)),
            format!("unknown field {shown:?}"),
        )
        .hint(hint),
    );
}

fn set(draft: &mut Draft, field: &Field, raw: &RawValue) {
    match read(raw) {
        Read::Broken(error) => {
            draft.mark(field);
            broken(draft, &field.pointer(), raw, &error);
        }
        value @ (Read::Text(_) | Read::Other(_)) => draft.set(field, value.given()),
    }
}

fn broken(draft: &mut Draft, pointer: &str, raw: &RawValue, error: &str) {
    draft.report(
        RowProblem::new(
            RowCode::MalformedRow,
            pointer,
            format!("the string cannot be read: {error}"),
        )
        .value(raw.get())
        .hint("escape control characters, and write surrogates in pairs"),
    );
}

/// The members of a nested object, or a problem.
fn object<'a>(draft: &mut Draft, pointer: &str, raw: &'a RawValue) -> Option<Members<'a>> {
    let value = read(raw);
    if !matches!(value, Read::Other(Given::Object)) {
        draft.report(
            RowProblem::new(
                RowCode::WrongType,
                pointer,
                format!("an object is due here, not {}", value.given().what()),
            )
            .value(raw.get())
            .hint("send an object in { }"),
        );
        return None;
    }
    match serde_json::from_str(raw.get()) {
        Ok(members) => Some(members),
        Err(error) => {
            broken(draft, pointer, raw, &error.to_string());
            None
        }
    }
}

fn known_object(draft: &mut Draft, name: &str, raw: &RawValue) {
    draft.mark_object(name);
    let pointer = format!("/{name}");
    let Some(members) = object(draft, &pointer, raw) else { return };
    let prefix = format!("{name}.");
    let known: Vec<&str> = match name {
        "quality" => QUALITIES.to_vec(),
        _ => NAMES.iter().filter_map(|own| own.strip_prefix(&prefix)).collect(),
    };
    each(draft, &pointer, &members, |draft, own, raw| {
        match Field::parse(&format!("{name}.{own}")).filter(|_| !own.contains('.')) {
            Some(field) => set(draft, &field, raw),
            None => unknown(draft, &pointer, own, &known),
        }
    });
}

fn open_object(draft: &mut Draft, name: &str, raw: &RawValue) {
    let pointer = format!("/{name}");
    let Some(members) = object(draft, &pointer, raw) else { return };
    each(draft, &pointer, &members, |draft, own, raw| {
        match Field::parse(&format!("{name}.{own}")) {
            Some(field) => set(draft, &field, raw),
            None => bad_key(draft, &pointer, own),
        }
    });
}

fn bad_key(draft: &mut Draft, pointer: &str, name: &str) {
    let shown: String = name.chars().take(40).collect();
    draft.report(
        RowProblem::new(
            RowCode::UnknownField,
            &format!("{pointer}/{}", escaped(name)),
            format!("{shown:?} is no key: a-z, then a-z 0-9 _"),
        )
        .hint("write it in snake_case"),
    );
}

fn inputs(draft: &mut Draft, raw: &RawValue) {
    let Some(members) = object(draft, "/inputs", raw) else { return };
    each(draft, "/inputs", &members, |draft, name, raw| {
        if !is_key(name, 31) {
            bad_key(draft, "/inputs", name);
            return;
        }
        let pointer = format!("/inputs/{name}");
        draft.mark_input(name);
        let Some(members) = object(draft, &pointer, raw) else { return };
        each(draft, &pointer, &members, |draft, own, raw| match own {
            "quantity" => set(draft, &Field::InputQuantity(name.to_owned()), raw),
            "unit" => set(draft, &Field::InputUnit(name.to_owned()), raw),
            _ => unknown(draft, &pointer, own, &["quantity", "unit"]),
        });
    });
}

fn list(draft: &mut Draft, name: &str, raw: &RawValue) {
    let Some(field) = Field::parse(name) else { return };
    if !matches!(read(raw), Read::Other(Given::Array)) {
        return set(draft, &field, raw);
    }
    let items: Vec<&RawValue> = match serde_json::from_str(raw.get()) {
        Ok(items) => items,
        Err(error) => return broken(draft, &field.pointer(), raw, &error.to_string()),
    };
    let items: Vec<Read<'_>> = items.into_iter().map(read).collect();
    let given: Vec<Given<'_>> = items.iter().map(Read::given).collect();
    draft.set_list(&field, &given);
}
