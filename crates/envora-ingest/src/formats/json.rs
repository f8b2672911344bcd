//! JSON: `{"mode": …, "activities": […]}`, each row judged by itself.
//!
//! Numbers are read from their text and never pass through floating point; a key that comes twice is
//! found at every depth.

pub(super) mod fast;
pub mod row;

use core::fmt;
use core::ops::Range;

use envora_domain::words::did_you_mean;
use envora_store::imports::Mode;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{FileProblem, Format, Judge, OpenError, Opening, OriginHead, RowPlace, Step};
use crate::rows::ParsedRow;
use fast::Fast;
use row::{Members, RowReader};

/// Rows that one body may hold: of any format as a request, of JSON as a file too.
pub const BODY_ROWS_MAX: usize = 100_000;

/// The problem of a body with more rows.
#[must_use]
pub fn too_many_rows() -> FileProblem {
    FileProblem::new("too_many_rows", format!("more than {BODY_ROWS_MAX} rows in one body"))
        .hint("send them in parts, or as an import of CSV or NDJSON, which has no limit of rows")
}

/// A body, its rows read as they are wanted.
pub struct Body {
    /// What the body says is to happen when some rows are rejected.
    pub mode: Option<Mode>,
    bytes: Vec<u8>,
    /// Where each row lies in the bytes.
    rows: std::vec::IntoIter<Range<usize>>,
    reader: RowReader,
    pub(super) fast: Fast,
    judge: Judge,
    head: OriginHead,
    row: u64,
    line: u64,
    seen: usize,
}

/// Reads a body.
///
/// # Errors
/// [`OpenError::File`] when it is no JSON object of this shape; nothing of it is stored then.
pub fn read(body: Vec<u8>, opening: &Opening) -> Result<Body, OpenError> {
    let defaults = super::defaults(&opening.set)?;
    let fast = Fast::new(&defaults);
    let reader = RowReader::new(defaults).with_times(opening.local_times);
    let text = body.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(&body);
    let skipped = body.len() - text.len();
    let text = simdutf8::compat::from_utf8(text).map_err(|error| {
        let line = line_of(text, error.valid_up_to());
        FileProblem::new("malformed_body", "the body is not UTF-8")
            .line(line)
            .hint("send UTF-8; in NDJSON a broken line rejects itself only")
    })?;
    let (mode, rows) = envelope(text)?;
    let place = |raw: &&str| {
        let start = offset_in(text, raw) + skipped;
        start..start + raw.len()
    };
    let rows: Vec<Range<usize>> = rows.iter().map(place).collect();
    let (judge, head) = (Judge::default(), opening.head.clone());
    let rows = rows.into_iter();
    Ok(Body { mode, bytes: body, rows, reader, fast, judge, head, row: 0, line: 1, seen: 0 })
}

impl Body {
    /// Reads the next row.
    pub(super) fn step(&mut self) -> Option<Step> {
        let range = self.rows.next()?;
        let between = self.bytes.get(self.seen..range.start).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count() as u64;
        self.seen = range.start;
        self.row += 1;
        let place = RowPlace {
            row: self.row,
            line: self.line,
            offset: range.start as u64,
            length: u32::try_from(range.len()).unwrap_or(u32::MAX),
        };
        let raw = self.bytes.get(range).unwrap_or_default();
        // The body was found to be UTF-8 as a whole, and rows are cut at its quotes and brackets.
        let raw = simdutf8::basic::from_utf8(raw).unwrap_or_default();
        if let Some(slot) = self.fast.read(raw, place) {
            return Some(Step::Known(slot));
        }
        let origin = self.head.origin(place, None, Format::Json);
        let row = self.judge.row(self.reader.draft(raw), origin, place);
        self.fast.learn(&row);
        Some(Step::Read(Box::new(row)))
    }
}

impl Iterator for Body {
    type Item = ParsedRow;

    fn next(&mut self) -> Option<ParsedRow> {
        match self.step()? {
            Step::Known(slot) => self.fast.row(slot).cloned(),
            Step::Read(row) => Some(*row),
        }
    }
}

/// Where a part of a text starts in it.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn line_of(text: &[u8], at: usize) -> u64 {
    let before = text.get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() as u64 + 1
}

/// The texts of an array's items, as long as they are not too many.
fn items(array: &str) -> Result<Vec<&str>, FileProblem> {
    let items: Items<'_> = serde_json::from_str(array).map_err(|_| {
        FileProblem::new("malformed_body", "activities is no array")
            .hint("send {\"mode\": \"atomic\", \"activities\": [ … ]}")
    })?;
    match items.0.len() {
        0 => Err(FileProblem::new(
            "validation_failed",
            "activities is empty: there is no row to store",
        )
        .hint("send at least one activity")),
        1..=BODY_ROWS_MAX => Ok(items.0),
        _ => Err(too_many_rows()),
    }
}

/// The items of an array; of too many, one more than may be.
struct Items<'a>(Vec<&'a str>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() <= BODY_ROWS_MAX {
            let Some(item) = given.next_element::<&'de RawValue>()? else {
                return Ok(Items(items));
            };
            items.push(item.get());
        }
        while given.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Items(items))
    }
}

/// The mode and the rows' texts.
pub(super) fn envelope(text: &str) -> Result<(Option<Mode>, Vec<&str>), OpenError> {
    let malformed = |detail: String, line: u64| {
        FileProblem::new("malformed_body", detail)
            .hint("send {\"mode\": \"atomic\", \"activities\": [ … ]}")
            .line(line)
    };
    let members: Members<'_> = serde_json::from_str(text).map_err(|error| {
        malformed(format!("the body is no JSON object: {error}"), error.line() as u64)
    })?;
    let mut mode = None;
    let mut rows = None;
    let mut seen: Vec<&str> = Vec::new();
    for (name, raw) in &members.0 {
        if seen.contains(&name.as_ref()) {
            return Err(malformed(format!("the key {name:?} is there twice"), 0)
                .field(format!("/{name}"))
                .into());
        }
        seen.push(name);
        match name.as_ref() {
            "mode" => {
                let text: Option<String> = serde_json::from_str(raw.get()).ok();
                mode = text.as_deref().and_then(Mode::parse);
                if mode.is_none() {
                    return Err(FileProblem::new("validation_failed", "mode is atomic or partial")
                        .field("/mode")
                        .hint("leave it out for atomic")
                        .into());
                }
            }
            "activities" => {
                rows = Some(items(raw.get()).map_err(|problem| problem.field("/activities"))?);
            }
            other => {
                let near = did_you_mean(other, ["mode", "activities"].into_iter());
                let hint = near.map_or_else(
                    || "a body has mode and activities".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                return Err(FileProblem::new(
                    "validation_failed",
                    format!("unknown field {other:?}"),
                )
                .field(format!("/{other}"))
                .hint(hint)
                .into());
            }
        }
    }
    let rows =
        rows.ok_or_else(|| malformed("activities is missing".to_owned(), 0).field("/activities"))?;
    Ok((mode, rows))
}

#[cfg(test)]
mod tests;
