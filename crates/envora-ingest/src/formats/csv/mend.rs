//! The refused rows of a CSV file: its own head, its own lines, four columns more.

use super::super::mend::{ADDED, ErrorFile, Refused, Rows, added};
use super::super::records::{Dialect, Fault, Record, Records};
use super::super::{FileProblem, OpenError};
use super::cells::{is_formula, put_cell};
use super::{OURS, head, text};
use crate::mapping::{Encoding, FileStyle, Mapping, UnitsRow};

/// Takes the refused rows out of a file.
pub(in crate::formats) fn error_file(
    bytes: &[u8],
    mapping: Option<&Mapping>,
    refused: &Rows,
) -> Result<ErrorFile, OpenError> {
    let style = mapping.map_or_else(FileStyle::default, |own| own.file.clone());
    let mut records = Records::new(bytes, Dialect::default());
    let frame = head::frame(&mut records, &style, &head::wanted(mapping))?;
    let mut file = Writer { bytes: Vec::new(), dialect: frame.dialect, encoding: style.encoding };
    let header_at = usize::try_from(frame.header_at).unwrap_or(usize::MAX);
    let rows_at = usize::try_from(records.offset()).unwrap_or(usize::MAX);
    file.head(bytes, (header_at, rows_at), style.units_row, frame.header.len());
    let (mut number, mut left_out) = (0, Vec::new());
    while let Some(record) = records.read().map_err(OpenError::Io)? {
        number += 1;
        let Some(why) = refused.get(&number) else { continue };
        match record.fault {
            // Put among others, it would take the next lines with it, or be no longer what it is.
            Some(Fault::TooLong | Fault::Unclosed) => left_out.push(number),
            None => file.row(&record, number, why),
        }
    }
    if number == 0 && !refused.is_empty() {
        return Err(FileProblem::new("malformed_body", "the file has no rows").into());
    }
    Ok(ErrorFile { bytes: file.bytes, left_out })
}

struct Writer {
    bytes: Vec<u8>,
    dialect: Dialect,
    encoding: Encoding,
}

impl Writer {
    /// What stands before the rows, with the names of the new columns.
    fn head(
        &mut self,
        bytes: &[u8],
        (header, rows): (usize, usize),
        units: UnitsRow,
        names: usize,
    ) {
        self.bytes.extend_from_slice(bytes.get(..header).unwrap_or_default());
        let mut records = Records::new(bytes.get(header..rows).unwrap_or_default(), self.dialect);
        let mut first = true;
        while let Ok(Some(record)) = records.read() {
            let ours = |name: &str| if first { format!("{OURS}{name}") } else { String::new() };
            let cells = ADDED.map(ours);
            // A units row may be shorter than the header.
            let missing = if first { 0 } else { names.saturating_sub(record.len()) };
            self.bytes.extend_from_slice(record.raw);
            self.bytes.extend(std::iter::repeat_n(self.dialect.delimiter, missing));
            self.end(&cells);
            if units == UnitsRow::Absent {
                break;
            }
            first = false;
        }
    }

    /// A row as it stands. Only what a spreadsheet would take for a formula gets an apostrophe, which
    /// comes off when the file is read again.
    fn row(&mut self, record: &Record<'_>, number: u64, why: &Refused) {
        let cells = (0..record.len()).map(|place| record.cell(place).unwrap_or_default());
        if cells.clone().any(is_formula) {
            for (place, cell) in cells.enumerate() {
                if place > 0 {
                    self.bytes.push(self.dialect.delimiter);
                }
                put_cell(&mut self.bytes, cell, self.dialect);
            }
        } else {
            self.bytes.extend_from_slice(record.raw);
        }
        self.end(&added(number, why));
    }

    /// Our own cells, and the end of the line.
    fn end(&mut self, cells: &[String]) {
        for cell in cells {
            self.bytes.push(self.dialect.delimiter);
            let bytes = match self.encoding {
                Encoding::Utf8 => cell.as_bytes().to_vec(),
                Encoding::Windows1252 => text::to_windows_1252(cell),
            };
            put_cell(&mut self.bytes, &bytes, self.dialect);
        }
        self.bytes.extend_from_slice(b"\n");
    }
}
