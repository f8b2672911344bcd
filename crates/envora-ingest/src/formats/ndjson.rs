//! NDJSON: one activity in each line, read in constant memory; a broken line rejects itself.

use std::io::{self, Read};

use envora_domain::planted::planted;

use super::csv::{not_text, too_long};
use super::json::fast::Fast;
use super::json::row::RowReader;
use super::records::{Dialect, Fault, Records};
use super::{Format, Judge, OpenError, Opening, OriginHead, RowPlace, Step, rejected};
use crate::rows::ParsedRow;

/// Reads an NDJSON stream.
pub struct NdjsonReader<R> {
    records: Records<R>,
    reader: RowReader,
    pub(super) fast: Fast,
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
        let defaults = super::defaults(&opening.set)?;
        Ok(Self {
            records,
            fast: Fast::new(&defaults),
            reader: RowReader::new(defaults).with_times(opening.local_times),
            judge: Judge::default(),
            head: opening.head.clone(),
            row: 0,
            ended: false,
        })
    }
}

impl<R: Read> NdjsonReader<R> {
    /// Reads the next row.
    pub(super) fn step(&mut self) -> Option<io::Result<Step>> {
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
        let row = if line.fault == Some(Fault::TooLong) {
            self.fast.forget();
            rejected(too_long(line.length), place)
        } else if let Ok(text) = simdutf8::basic::from_utf8(line.raw) {
            if let Some(slot) = self.fast.read(text, place) {
                return Some(Ok(Step::Known(slot)));
            }
            if planted("newline_in_object") && !text.trim_end().ends_with('}') {
                let text = text.to_owned();
                return self.joined(text, place);
            }
            let origin = self.head.origin(place, None, Format::Ndjson);
            self.judge.row(self.reader.draft(text), origin, place)
        } else {
            self.fast.forget();
            rejected(not_text(line.raw), place)
        };
        self.fast.learn(&row);
        Some(Ok(Step::Read(Box::new(row))))
    }
}

impl<R: Read> NdjsonReader<R> {
    /// The planted bug: an object goes on in the next line.
    fn joined(&mut self, mut text: String, place: RowPlace) -> Option<io::Result<Step>> {
        if let Ok(Some(next)) = self.records.read_line() {
            text.push_str(&String::from_utf8_lossy(next.raw));
        }
        let slot = self.fast.read(&text, place);
        Some(Ok(slot.map_or_else(|| Step::Read(Box::new(super::parsed(place))), Step::Known)))
    }
}

impl<R: Read> Iterator for NdjsonReader<R> {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step()? {
            Ok(Step::Known(slot)) => self.fast.row(slot).cloned().map(Ok),
            Ok(Step::Read(row)) => Some(Ok(*row)),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests;
