//! JSON: `{"mode": …, "activities": […]}`, each row judged by itself.
//!
//! Numbers are read from their text and never pass through floating point; a key that comes twice is
//! found at every depth.

pub mod row;

use envora_domain::words::did_you_mean;
use envora_store::imports::Mode;

use super::{FileProblem, Format, Judge, OpenError, Opening, RowPlace};
use crate::rows::ParsedRow;
use row::{Members, RowReader};

/// Rows that one body may hold; more come as an import.
pub const BODY_ROWS_MAX: usize = 100_000;

/// A body that was read.
pub struct Body {
    /// What the body says is to happen when some rows are rejected.
    pub mode: Option<Mode>,
    /// Its rows.
    pub rows: std::vec::IntoIter<ParsedRow>,
}

/// Reads a body.
///
/// # Errors
/// [`OpenError::File`] when it is no JSON object of this shape; nothing of it is stored then.
pub fn read(body: &[u8], opening: &Opening) -> Result<Body, OpenError> {
    let mut reader = RowReader::new(super::defaults(&opening.set)?);
    let text = body.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(body);
    let skipped = body.len() - text.len();
    let text = simdutf8::compat::from_utf8(text).map_err(|error| {
        let line = line_of(text, error.valid_up_to());
        FileProblem::new("malformed_body", "the body is not UTF-8")
            .line(line)
            .hint("send UTF-8; in NDJSON a broken line rejects itself only")
    })?;
    let (mode, rows) = envelope(text)?;
    if rows.len() > BODY_ROWS_MAX {
        let detail = format!("{} rows, at most {BODY_ROWS_MAX} fit one body", rows.len());
        return Err(FileProblem::new("too_many_rows", detail)
            .field("/activities")
            .hint("send the rows as an import, which has no limit of rows")
            .into());
    }
    let mut judge = Judge::default();
    let mut line = 1;
    let mut seen = 0;
    let rows = rows.into_iter().zip(1_u64..).map(|(raw, row)| {
        let at = offset_in(text, raw);
        let between = text.as_bytes().get(seen..at).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', between).count() as u64;
        seen = at;
        let place = RowPlace {
            row,
            line,
            offset: (at + skipped) as u64,
            length: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        };
        let origin = opening.head.origin(place, None, Format::Json);
        let draft = reader.draft(raw);
        judge.row(draft, origin, place)
    });
    let rows: Vec<ParsedRow> = rows.collect();
    Ok(Body { mode, rows: rows.into_iter() })
}

/// Where a part of a text starts in it.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn line_of(text: &[u8], at: usize) -> u64 {
    let before = text.get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() as u64 + 1
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
                let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw.get())
                    .map_err(|_| {
                        malformed("activities is no array".to_owned(), 0).field("/activities")
                    })?;
                rows = Some(items.into_iter().map(serde_json::value::RawValue::get).collect());
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
