//! Mutated bytes of rows get the verdict that `serde_json` and the JSON Schema give together, and are read
//! alike in the short way and the long one: nobody reads JSON more loosely here than the standard says.

use core::fmt;

use envora_ingest::formats::Format;
use envora_ingest::formats::json::row::RowReader;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::schema::{self, DECIMALS};
use crate::tiers::{self, Dice};

/// How many mutated rows are judged.
const MUTANTS: usize = 150_000;

/// The deepest that a row may go.
const DEPTH_MAX: usize = 32;

/// The members of an object in their order, a name that comes twice included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(All).map(Self)
    }
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = seq.next_element()? {
                    all.push(item);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(All).map(Self)
    }
}

/// The value of a text, with decimals as they are written; nothing of a text that is no JSON, names a
/// member twice or goes too deep.
fn value(name: &str, text: &str, depth: usize) -> Option<Value> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if depth > DEPTH_MAX {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' => {
            let mut members = serde_json::Map::new();
            for (name, raw) in serde_json::from_str::<Members<'_>>(text).ok()?.0 {
                let value = value(&name, raw.get(), depth + 1)?;
                if members.insert(name, value).is_some() {
                    return None;
                }
            }
            Some(Value::Object(members))
        }
        b'[' => {
            let items = serde_json::from_str::<Items<'_>>(text).ok()?.0;
            items
                .into_iter()
                .map(|raw| value("", raw.get(), depth + 1))
                .collect::<Option<_>>()
                .map(Value::Array)
        }
        b'-' | b'0'..=b'9' if DECIMALS.contains(&name) => serde_json::from_str::<&RawValue>(text)
            .ok()
            .map(|raw| Value::String(raw.get().to_owned())),
        _ => serde_json::from_str(text).ok(),
    }
}

#[test]
fn mutated_bytes_get_the_verdict_of_json_and_the_schema() {
    let oracle = schema::oracle();
    let seeds: Vec<Vec<u8>> =
        schema::seeds().iter().map(|seed| seed.to_string().into_bytes()).collect();
    let mut dice = Dice(20_261_122);
    let (mut good, mut bad) = (0, 0);
    let mut apart = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..MUTANTS {
        let mut row = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(2) {
            tiers::mutate(&mut row, &mut dice);
        }
        // A line is the unit of NDJSON: what follows a newline is another row.
        let row = row.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
        let Ok(text) = core::str::from_utf8(&row) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        let hand = RowReader::new(Vec::new()).draft(text).finish(schema::origin());
        let told = value("", text, 0);
        let valid = told.as_ref().is_some_and(|row| oracle.is_valid(row));
        *(if valid { &mut good } else { &mut bad }) += 1;
        if hand.is_ok() != valid {
            let hand = hand.err().map(|own| own.problems().to_vec());
            apart.push(format!("{text}\n  hand {hand:?}\n  json {}", told.is_some()));
        }
        lines.push(row);
        if lines.len() == tiers::BATCH {
            tiers::check(Format::Ndjson, &tiers::body(Format::Ndjson, &lines));
            lines.clear();
        }
    }
    assert!(apart.is_empty(), "{} apart:\n{}", apart.len(), apart[..apart.len().min(8)].join("\n"));
    // A test that meets one side only proves nothing.
    assert!(good > MUTANTS / 20 && bad > MUTANTS / 4, "{good} good, {bad} bad");
}
