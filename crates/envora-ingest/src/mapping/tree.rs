//! Reads a tree key by key, so that what nobody asked for is found and named.

use std::collections::BTreeSet;

use envora_domain::words::did_you_mean;
use serde_json::{Map, Value};

use super::MappingProblem;

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<MappingProblem>);

impl Problems {
    pub(super) fn add(&mut self, at: &str, detail: impl Into<String>, hint: Option<String>) {
        let (at, detail) = (at.to_owned(), detail.into());
        self.0.push(MappingProblem { at, detail, hint, code: "validation_failed" });
    }
}

/// One table of the tree.
pub(super) struct Table<'a> {
    pub(super) path: String,
    map: &'a Map<String, Value>,
    asked: BTreeSet<&'static str>,
}

impl<'a> Table<'a> {
    pub(super) fn new(path: &str, value: &'a Value, problems: &mut Problems) -> Option<Self> {
        let map = value.as_object();
        if map.is_none() {
            problems.add(path, "a table is due here", None);
        }
        Some(Self { path: path.to_owned(), map: map?, asked: BTreeSet::new() })
    }

    /// The dotted place of a key.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.insert(key);
        self.map.get(key)
    }

    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let value = self.get(key)?;
        if value.as_str().is_none() {
            problems.add(&self.at(key), "a text in quotes is due here", None);
        }
        value.as_str()
    }

    pub(super) fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            problems.add(&self.at(key), "a list of texts in quotes is due here", None);
        }
        texts.unwrap_or_default()
    }

    /// A text of one character.
    pub(super) fn sign(&mut self, key: &'static str, problems: &mut Problems) -> Option<char> {
        let text = self.text(key, problems)?;
        let mut signs = text.chars();
        let (sign, more) = (signs.next(), signs.next());
        if sign.is_none() || more.is_some() {
            problems.add(&self.at(key), "one character is due here", None);
            return None;
        }
        sign
    }

    /// The keys that nobody asked for.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let asked = self.asked.clone();
        self.map.iter().filter(move |(key, _)| !asked.contains(key.as_str()))
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn close(&self, problems: &mut Problems) {
        for (key, _) in self.rest() {
            let near = did_you_mean(key, self.asked.iter().copied());
            let hint = near.map(|near| format!("did you mean {near}?"));
            problems.add(&self.at(key), format!("unknown key {key:?}"), hint);
        }
    }
}
