//! The refused rows of a file, in the file's own format, each with what is wrong and what to do; those of
//! a spreadsheet as CSV, to be mended in the workbook, and those of a Parquet file as CSV, to be sent so.
//!
//! Whoever mends them sends the file as it is: fields and columns named `_envora_…` are not read.

use std::collections::BTreeMap;

use super::csv::{OURS, mend as csv};
use super::json::envelope;
use super::records::{Dialect, Records};
use super::{Format, OpenError, wanted, xlsx, xml};
use crate::mapping::Mapping;

/// What is wrong with a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The codes of its problems.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// Refused rows by their number in the file, from 1.
pub type Rows = BTreeMap<u64, Refused>;

/// A file of refused rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Rows that cannot be put into it (a line without end, a quote that never closes): they are to
    /// be mended in the file they came in.
    pub left_out: Vec<u64>,
}

/// The names that are added, in order.
pub(super) const ADDED: [&str; 4] = ["row", "code", "message", "remedy"];

/// Takes the refused rows out of a file.
///
/// # Errors
/// When its head cannot be read, which it could when the rows were.
pub fn error_file(
    format: Format,
    bytes: &[u8],
    (mapping, refused): (Option<&Mapping>, &Rows),
) -> Result<ErrorFile, OpenError> {
    match format {
        Format::Csv => csv::error_file(bytes, mapping, refused),
        Format::Parquet => csv::columns_file(bytes, mapping, refused),
        Format::Xlsx => csv::sheet_file(&xlsx::read(bytes, wanted(mapping))?, mapping, refused),
        Format::Xml => xml::mend::error_file(bytes, refused),
        Format::Ndjson => lines(bytes, refused),
        // Events are rows of a request, of which no file is kept.
        Format::CloudEvent | Format::CloudEvents | Format::Json => object(bytes, refused),
    }
}

/// The cells, or values, that are added to a row.
pub(super) fn added(number: u64, refused: &Refused) -> [String; 4] {
    let Refused { code, message, remedy } = refused.clone();
    [number.to_string(), code, message, remedy]
}

fn lines(bytes: &[u8], refused: &Rows) -> Result<ErrorFile, OpenError> {
    let body = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let mut records = Records::new(body, Dialect::default());
    let mut file = ErrorFile::default();
    let mut number = 0;
    while let Some(line) = records.read_line().map_err(OpenError::Io)? {
        number += 1;
        let Some(why) = refused.get(&number) else { continue };
        if line.fault.is_some() {
            file.left_out.push(number);
            continue;
        }
        match core::str::from_utf8(line.raw).ok().and_then(|text| with_added(text, number, why)) {
            Some(text) => file.bytes.extend_from_slice(text.as_bytes()),
            None => file.bytes.extend_from_slice(line.raw),
        }
        file.bytes.push(b'\n');
    }
    Ok(file)
}

fn object(bytes: &[u8], refused: &Rows) -> Result<ErrorFile, OpenError> {
    let body = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = String::from_utf8_lossy(body);
    let (_, rows) = envelope(&text)?;
    let rows = rows.into_iter().zip(1_u64..).filter_map(|(raw, number)| {
        let why = refused.get(&number)?;
        Some(with_added(raw, number, why).unwrap_or_else(|| raw.to_owned()))
    });
    let rows: Vec<String> = rows.collect();
    let text = format!("{{\"activities\": [\n{}\n]}}\n", rows.join(",\n"));
    Ok(ErrorFile { bytes: text.into_bytes(), left_out: Vec::new() })
}

/// The text of an object with our members at its end; nothing when it is no object.
fn with_added(text: &str, number: u64, refused: &Refused) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let open = text.trim_end().strip_suffix('}')?.trim_end();
    let mut open = open.to_owned();
    for (place, (name, value)) in ADDED.iter().zip(added(number, refused)).enumerate() {
        if place > 0 || !object.is_empty() {
            open.push_str(", ");
        }
        open.push_str(&format!("\"{OURS}{name}\": {}", serde_json::Value::from(value)));
    }
    open.push('}');
    Some(open)
}

#[cfg(test)]
mod tests;
