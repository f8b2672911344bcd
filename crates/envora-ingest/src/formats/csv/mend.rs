//! The refused rows of a CSV file: its own head, its own lines, and columns of ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::mend::{ADDED, ErrorFile, Rows, added};
use super::super::parquet;
use super::super::records::{Dialect, Fault, Record, Records};
use super::super::utf16;
use super::super::xlsx::Sheet;
use super::super::{FileProblem, OpenError, Opening, OriginHead};
use super::cells::{is_formula, put_cell};
use super::kept::{KINDS, OCCURRENCE, letters};
use super::{CsvReader, OURS, Places, head, text};
use crate::mapping::{Encoding, FileStyle, Mapping, UnitsRow};

/// Takes the refused rows out of a file.
pub(in crate::formats) fn error_file(
    bytes: &[u8],
    mapping: Option<&Mapping>,
    refused: &Rows,
) -> Result<ErrorFile, OpenError> {
    let style = mapping.map_or_else(FileStyle::default, |own| own.file.clone());
    let places = places(bytes, mapping, refused)?;
    // What is mended is written in the mapping's encoding: it has no mark that says another.
    let decoded = utf16::decoded(bytes).map(|text| match style.encoding {
        Encoding::Utf8 => text,
        Encoding::Windows1252 => text::to_windows_1252(&String::from_utf8_lossy(&text)),
    });
    let bytes = decoded.as_deref().unwrap_or(bytes);
    let records = Records::new(bytes, Dialect::default());
    written((bytes, records), (&style, mapping), (refused, places))
}

/// Takes the refused rows out of a sheet, as CSV. Which of several equal rows each was is not said: they
/// are mended in the workbook.
pub(in crate::formats) fn sheet_file(
    sheet: &Sheet,
    mapping: Option<&Mapping>,
    refused: &Rows,
) -> Result<ErrorFile, OpenError> {
    let style = mapping.map_or_else(FileStyle::default, |own| own.file.clone());
    let mut records = Records::new(sheet.text(), Dialect::default());
    records.count_records();
    written((sheet.text(), records), (&head::of_sheet(style), mapping), (refused, None))
}

/// Takes the refused rows out of a Parquet file, as CSV, with what their cells are: mended and sent through
/// the same mapping they are read as they would have been.
pub(in crate::formats) fn columns_file(
    bytes: &[u8],
    mapping: Option<&Mapping>,
    refused: &Rows,
) -> Result<ErrorFile, OpenError> {
    let places = match laid(mapping) {
        None => None,
        Some(opening) => {
            let reader = CsvReader::<&[u8]>::of_columns(parquet::read(bytes)?, &opening)?;
            reader.places(refused.keys().copied().collect()).map_err(OpenError::Io)?
        }
    };
    let mut table = parquet::read(bytes)?;
    let (header, shown) = (table.header(), table.select_all()?);
    let kinds = letters(&shown.iter().map(|(_, kind)| *kind).collect::<Vec<_>>());
    let ours = ADDED.iter().copied().chain(places.as_ref().map(|_| OCCURRENCE));
    let mut ours: Vec<String> = ours.map(|name| format!("{OURS}{name}")).collect();
    ours.push(KINDS.to_owned());
    let dialect = Dialect::default();
    let mut file = Writer { bytes: Vec::new(), dialect, encoding: Encoding::Utf8 };
    let names = shown.iter().filter_map(|(place, _)| header.get(*place));
    file.cells(names.map(String::as_bytes), &ours);
    while let Some((number, cells)) = table.next().map_err(OpenError::Io)? {
        let Some(why) = refused.get(&number) else { continue };
        let mut own = added(number, why).to_vec();
        let place =
            |places: &Places| places.get(&number).map_or_else(String::new, |own| own.join(" "));
        own.extend(places.as_ref().map(place));
        own.push(kinds.clone());
        let text =
            |(place, _): &(usize, _)| cells.texts.get(*place).map_or("", |cell| cell.as_ref());
        file.cells(shown.iter().map(text).map(str::as_bytes), &own);
    }
    Ok(ErrorFile { bytes: file.bytes, left_out: Vec::new() })
}

fn written(
    (bytes, mut records): (&[u8], Records<&[u8]>),
    (style, mapping): (&FileStyle, Option<&Mapping>),
    (refused, places): (&Rows, Option<Places>),
) -> Result<ErrorFile, OpenError> {
    let frame = head::frame(&mut records, style, &head::wanted(mapping))?;
    let mut file = Writer { bytes: Vec::new(), dialect: frame.dialect, encoding: style.encoding };
    let header_at = usize::try_from(frame.header_at).unwrap_or(usize::MAX);
    let rows_at = usize::try_from(records.offset()).unwrap_or(usize::MAX);
    let ours = ADDED.iter().copied().chain(places.as_ref().map(|_| OCCURRENCE));
    let ours: Vec<String> = ours.map(|name| format!("{OURS}{name}")).collect();
    file.head(bytes, (header_at, rows_at), style.units_row, (frame.header.len(), &ours));
    let (mut number, mut left_out) = (0, Vec::new());
    while let Some(record) = records.read().map_err(OpenError::Io)? {
        number += 1;
        let Some(why) = refused.get(&number) else { continue };
        match record.fault {
            // Put among others, it would take the next lines with it, or be no longer what it is.
            Some(Fault::TooLong | Fault::Unclosed) => left_out.push(number),
            None => {
                let mut cells = added(number, why).to_vec();
                let place = |places: &Places| {
                    places.get(&number).map_or_else(String::new, |own| own.join(" "))
                };
                cells.extend(places.as_ref().map(place));
                file.row(&record, &cells);
            }
        }
    }
    if number == 0 && !refused.is_empty() {
        return Err(FileProblem::new("malformed_body", "the file has no rows").into());
    }
    Ok(ErrorFile { bytes: file.bytes, left_out })
}

/// Of rows that a mapping gives their ids, which of the rows with the same natural list they are.
fn places(
    bytes: &[u8],
    mapping: Option<&Mapping>,
    refused: &Rows,
) -> Result<Option<Places>, OpenError> {
    let Some(opening) = laid(mapping) else { return Ok(None) };
    let reader = CsvReader::open(bytes, &opening)?;
    reader.places(refused.keys().copied().collect()).map_err(OpenError::Io)
}

/// How a file is opened again to see which of its rows are alike; not without a mapping.
fn laid(mapping: Option<&Mapping>) -> Option<Opening> {
    let head = OriginHead::Request { request_id: "".into(), body: [0; 32] };
    let mapping = Some(Arc::new(mapping?.clone()));
    Some(Opening {
        head,
        mapping,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    })
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
        (names, ours): (usize, &[String]),
    ) {
        self.bytes.extend_from_slice(bytes.get(..header).unwrap_or_default());
        let mut records = Records::new(bytes.get(header..rows).unwrap_or_default(), self.dialect);
        let mut first = true;
        while let Ok(Some(record)) = records.read() {
            let blank = vec![String::new(); ours.len()];
            let cells = if first { ours } else { blank.as_slice() };
            // A units row may be shorter than the header.
            let missing = if first { 0 } else { names.saturating_sub(record.len()) };
            self.bytes.extend_from_slice(record.raw);
            self.bytes.extend(std::iter::repeat_n(self.dialect.delimiter, missing));
            self.end(cells);
            if units == UnitsRow::Absent {
                break;
            }
            first = false;
        }
    }

    /// A row as it stands. Only what a spreadsheet would take for a formula gets an apostrophe, which
    /// comes off when the file is read again.
    fn row(&mut self, record: &Record<'_>, ours: &[String]) {
        let cells = (0..record.len()).map(|place| record.cell(place).unwrap_or_default());
        if cells.clone().any(is_formula) {
            self.cells(cells, ours);
        } else {
            self.bytes.extend_from_slice(record.raw);
            self.end(ours);
        }
    }

    /// Cells, each guarded where it must be.
    fn cells<'a>(&mut self, cells: impl Iterator<Item = &'a [u8]>, ours: &[String]) {
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                self.bytes.push(self.dialect.delimiter);
            }
            put_cell(&mut self.bytes, cell, self.dialect);
        }
        self.end(ours);
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
