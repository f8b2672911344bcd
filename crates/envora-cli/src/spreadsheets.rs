//! Small CSV files with the API's field names as headers: facilities, sources.

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

/// The records of a CSV file whose headers are these fields.
///
/// # Errors
/// A header that is no field, a record with too many cells, text that is not UTF-8.
pub fn records(file: &str, bytes: &[u8], fields: &[&str]) -> Result<Vec<Record>, Failure> {
    let mut lines = Lines { reader: csv_core::Reader::new(), all: bytes, rest: bytes };
    let headers = lines.next_record(file)?.map(|(_, cells)| cells).unwrap_or_default();
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
    while let Some((line, cells)) = lines.next_record(file)? {
        if cells.len() != headers.len() {
            let what =
                format!("{file}:{line} has {} cells under {} headers", cells.len(), headers.len());
            return Err(Failure::usage(
                what,
                "write a cell per header, empty where there is nothing to say",
            ));
        }
        let filled = headers.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        let body = filled.map(|(header, cell)| (header.clone(), Value::String(cell))).collect();
        records.push(Record { line, body });
    }
    Ok(records)
}

struct Lines<'a> {
    reader: csv_core::Reader,
    all: &'a [u8],
    rest: &'a [u8],
}

impl Lines<'_> {
    /// Goes to the next record and gives the physical line it starts on, from 1.
    fn skip_blank_lines(&mut self) -> u64 {
        self.rest = self.rest.trim_ascii_start();
        let passed = self.all.len() - self.rest.len();
        let ends = self.all.iter().take(passed).filter(|byte| **byte == b'\n').count();
        u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn next_record(&mut self, file: &str) -> Result<Option<(u64, Vec<String>)>, Failure> {
        let line = self.skip_blank_lines();
        let mut output = vec![0; self.rest.len().max(1)];
        let mut ends = vec![0; self.rest.len() + 1];
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, more) = self.reader.read_record(
                self.rest,
                output.get_mut(written..).unwrap_or_default(),
                ends.get_mut(ended..).unwrap_or_default(),
            );
            self.rest = self.rest.get(read..).unwrap_or_default();
            (written, ended) = (written + wrote, ended + more);
            match result {
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record => break,
                csv_core::ReadRecordResult::End => return Ok(None),
                csv_core::ReadRecordResult::OutputFull
                | csv_core::ReadRecordResult::OutputEndsFull => {
                    return Err(Failure::usage(format!("{file}:{line} is too long"), ""));
                }
            }
        }
        let mut from = 0;
        let mut cells = Vec::new();
        for end in ends.iter().take(ended) {
            let cell = output.get(from..*end).unwrap_or_default();
            let cell = core::str::from_utf8(cell).map_err(|_| {
                Failure::usage(format!("{file}:{line} is not UTF-8"), "save the file as UTF-8")
            })?;
            cells.push(cell.trim_start_matches('\u{feff}').trim().to_owned());
            from = *end;
        }
        Ok(Some((line, cells)))
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
            .iter()
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
        let view = |bytes: &[u8]| {
            records("f.csv", bytes, &["code", "country"])
                .err()
                .map(|failure| failure.view(Paint::Plain))
        };
        assert!(view(b"code,contry\n").is_some_and(|text| text.contains("did you mean country?")));
        assert!(
            view(b"code,country\nb2\n").is_some_and(|text| text.contains("f.csv:2 has 1 cells"))
        );
        assert!(view(b"code\n\xff\n").is_some_and(|text| text.contains("f.csv:2 is not UTF-8")));
        assert_eq!(view(b""), None);
    }
}
