//! NDJSON: one activity in each line, read in constant memory; a broken line rejects itself.

use std::io::{self, Read};

use super::csv::{not_text, too_long};
use super::json::row::RowReader;
use super::records::{Dialect, Fault, Records};
use super::{Format, Judge, OpenError, Opening, OriginHead, RowPlace, rejected};
use crate::rows::ParsedRow;

/// Reads an NDJSON stream.
pub struct NdjsonReader<R> {
    records: Records<R>,
    reader: RowReader,
    judge: Judge,
    head: OriginHead,
    row: u64,
    ended: bool,
}

impl<R: Read> NdjsonReader<R> {
    /// Steps over a byte order mark; the rest is rows.
    ///
    /// # Errors
    /// What the input says, or constants that are no fields.
    pub fn open(input: R, opening: &Opening) -> Result<Self, OpenError> {
        let mut records = Records::new(input, Dialect::default());
        if records.peek(3).map_err(OpenError::Io)?.starts_with(&[0xef, 0xbb, 0xbf]) {
            records.skip(3);
        }
        Ok(Self {
            records,
            reader: RowReader::new(super::defaults(&opening.set)?),
            judge: Judge::default(),
            head: opening.head.clone(),
            row: 0,
            ended: false,
        })
    }
}

impl<R: Read> Iterator for NdjsonReader<R> {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = match self.records.read_line() {
            Ok(Some(line)) => line,
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        self.row += 1;
        let place = RowPlace {
            row: self.row,
            line: line.line,
            offset: line.offset,
            length: u32::try_from(line.length).unwrap_or(u32::MAX),
        };
        if line.fault == Some(Fault::TooLong) {
            return Some(Ok(rejected(too_long(line.length), place)));
        }
        let Ok(text) = simdutf8::basic::from_utf8(line.raw) else {
            return Some(Ok(rejected(not_text(line.raw), place)));
        };
        let origin = self.head.origin(place, None, Format::Ndjson);
        Some(Ok(self.judge.row(self.reader.draft(text), origin, place)))
    }
}

#[cfg(test)]
mod tests;
