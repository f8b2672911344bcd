//! Small CSV files with the API's field names as headers: facilities, sources.

use envora_api::problems::{RowError, RowPlace};
use envora_api::spelling::did_you_mean;
use serde_json::{Map, Value};

use crate::failures::Failure;

/// One record: the physical line it starts on, and its fields as a request body. Empty cells are left out.
pub struct Record {
    /// From 1.
    pub line: u64,
    /// Field by field.
    pub body: Map<String, Value>,
}

/// The records of a CSV file whose headers are these fields; of a bad line, what is wrong with it.
///
/// # Errors
/// A header that is no field or no text.
pub fn records(
    file: &str,
    bytes: &[u8],
    fields: &[&str],
) -> Result<Vec<Result<Record, RowError>>, Failure> {
    let mut lines = Lines::of(bytes);
    let headers = match lines.next_record() {
        None => Vec::new(),
        Some((_, Ok(cells))) => cells,
        Some((line, Err(error))) => {
            let what = format!("{file}:{line}: {}", error.detail);
            return Err(Failure::usage(what, error.hint.unwrap_or_default()));
        }
    };
    for header in &headers {
        if !fields.contains(&header.as_str()) {
            let help = match did_you_mean(header, fields) {
                Some(word) => format!("did you mean {word}?"),
                None => format!("the headers may be: {}", fields.join(", ")),
            };
            return Err(Failure::usage(format!("{file}:1 has an unknown header {header:?}"), help));
        }
    }
    let mut records = Vec::new();
    while let Some((line, cells)) = lines.next_record() {
        let cells = match cells {
            Ok(cells) if cells.len() == headers.len() => cells,
            Ok(cells) => {
                let detail =
                    format!("the row has {} cells, the header has {}", cells.len(), headers.len());
                let hint = "write a cell per header, empty where there is nothing to say";
                records.push(Err(wrong(line, ("malformed_row", &detail), hint)));
                continue;
            }
            Err(error) => {
                records.push(Err(error));
                continue;
            }
        };
        let filled = headers.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        let body = filled.map(|(header, cell)| (header.clone(), Value::String(cell))).collect();
        records.push(Ok(Record { line, body }));
    }
    Ok(records)
}

fn wrong(line: u64, (code, detail): (&str, &str), hint: &str) -> RowError {
    RowError {
        code: code.to_owned(),
        row: Some(RowPlace { record: line, line }),
        detail: detail.to_owned(),
        hint: Some(hint.to_owned()),
        ..RowError::default()
    }
}

struct Lines<'a> {
    reader: csv_core::Reader,
    rest: &'a [u8],
    /// The physical line that the rest begins on, from 1.
    line: u64,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let (output, ends) = (vec![0; 4_096], vec![0; 64]);
        Self { reader: csv_core::Reader::new(), rest: bytes, line: 1, output, ends }
    }

    /// Leaves so many bytes behind.
    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX));
        self.rest = rest;
    }

    fn next_record(&mut self) -> Option<(u64, Result<Vec<String>, RowError>)> {
        self.pass(self.rest.len() - self.rest.trim_ascii_start().len());
        let line = self.line;
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, more) = self.reader.read_record(
                self.rest,
                self.output.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            self.pass(read);
            (written, ended) = (written + wrote, ended + more);
            match result {
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record => break,
                csv_core::ReadRecordResult::End => return None,
                csv_core::ReadRecordResult::OutputFull => {
                    self.output.resize(self.output.len() * 2, 0);
                }
                csv_core::ReadRecordResult::OutputEndsFull => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
            }
        }
        let mut from = 0;
        let mut cells = Vec::new();
        for end in self.ends.iter().take(ended) {
            let cell = self.output.get(from..*end).unwrap_or_default();
            let Ok(cell) = core::str::from_utf8(cell) else {
                let what = ("invalid_utf8", "the line is not UTF-8");
                return Some((line, Err(wrong(line, what, "save the file as UTF-8"))));
            };
            cells.push(cell.trim_start_matches('\u{feff}').trim().to_owned());
            from = *end;
        }
        Some((line, Ok(cells)))
    }
}

#[cfg(test)]
mod tests {
    use super::records;
    use crate::paint::Paint;

    #[test]
    fn a_small_spreadsheet_becomes_request_bodies() {
        let bytes = b"\xef\xbb\xbfcode,name,country\r\nb2,\"University, b2\",GB\r\nb24,,GB\n";
        let records = records("f.csv", bytes, &["code", "name", "country"]).expect("records");
        let bodies: Vec<_> = records
            .into_iter()
            .map(|record| record.expect("a good line"))
            .map(|record| (record.line, serde_json::to_string(&record.body).expect("json")))
            .collect();
        assert_eq!(
            bodies[0],
            (2, r#"{"code":"b2","country":"GB","name":"University, b2"}"#.to_owned())
        );
        assert_eq!(bodies[1], (3, r#"{"code":"b24","country":"GB"}"#.to_owned()));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        let read = |bytes: &[u8]| records("f.csv", bytes, &["code", "country"]);
        let failure = read(b"code,contry\n").err().map(|failure| failure.view(Paint::Plain));
        assert!(failure.is_some_and(|text| text.contains("did you mean country?")));
        let all = read(b"code,country\nb2\n\xff,GB\nb3,GB\n").expect("a header that fits");
        let told = all.iter().map(|one| match one {
            Ok(record) => (record.line, "good"),
            Err(error) => (error.row.map_or(0, |row| row.line), error.code.as_str()),
        });
        assert!(told.eq([(2, "malformed_row"), (3, "invalid_utf8"), (4, "good")]));
        assert!(read(b"").is_ok_and(|all| all.is_empty()));
        let long = format!("code,country\n\"{}\n\",GB\n\nb2,GB\n", "x".repeat(9_000));
        let all = read(long.as_bytes()).expect("a header that fits");
        let lines = all.iter().map(|one| one.as_ref().map_or(0, |record| record.line));
        assert!(lines.eq([2, 5]), "a long cell, a line end in it, a blank line");
    }
}
