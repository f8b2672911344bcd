//! Looking at a table of text that nobody has described: how it is written, what its columns hold, and
//! what cannot be told without asking.
//!
//! Everything is found from reading the file, to its end and in bounded memory; nothing from a locale,
//! and nothing cell by cell. Where two readings fit, both are shown and a question is asked.

mod cells;
mod columns;
mod frame;
mod numbers;
mod propose;
mod roles;
mod steps;
mod times;
mod wide;

use std::io::{self, Read};

pub use columns::{Column, Holds};
pub use numbers::{Reading, STYLES, Witness};
pub use propose::propose;

use frame::Frame;

use crate::formats::csv::is_total;
use crate::formats::records::{Dialect, Records};
use crate::mapping::Encoding;

/// How many bytes the frame is found from.
const HEAD_BYTES: usize = 256 * 1024;
/// How many lines of a kind are named.
const LINES_MAX: usize = 5;
/// How many cells of the first rows are kept.
const FIRST_CELLS_MAX: usize = 20_000;
/// How many columns are looked at.
const COLUMNS_MAX: usize = 4096;

/// What a file is, as far as reading it tells.
#[derive(Clone, Debug)]
pub struct Look {
    /// How its bytes are text.
    pub encoding: Encoding,
    /// The first line that is not UTF-8, 0 where all are.
    pub not_utf8: u64,
    /// Between cells.
    pub delimiter: u8,
    /// Another sign that makes nearly as good a table.
    pub delimiter_rival: Option<u8>,
    /// Whether its first line names the sign.
    pub delimiter_declared: bool,
    /// Lines before the header.
    pub skip_lines: u64,
    /// Whether its first full record names the columns.
    pub header: Header,
    /// Whether a row of units follows the header.
    pub units_row: bool,
    /// Records after the header.
    pub records: u64,
    /// Lines that sum others up, and their first cell.
    pub totals: Vec<Witness>,
    /// Records of one cell in a table of three columns and more: how many, and the first of them.
    pub remarks: (u64, Vec<Witness>),
    /// Records with another number of cells: how many, and the first lines.
    pub misshapen: (u64, Vec<u64>),
    /// Its columns.
    pub columns: Vec<Column>,
    /// The first rows, as they stand in the file.
    pub first: Vec<Vec<String>>,
    /// The last row.
    pub last: Vec<String>,
}

/// Whether the columns have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// They have.
    Named,
    /// The first record is a row already.
    Absent,
}

/// Why a file cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It is no table of text.
    #[error("{why}")]
    NoTable {
        /// What it is instead.
        why: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Its bytes could not be read.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
}

/// Looks at a file, from its first byte to its last.
///
/// # Errors
/// [`LookError`] when it is empty, no text, or cannot be read.
pub fn look(mut input: impl Read) -> Result<Look, LookError> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let whole = head.len() < HEAD_BYTES;
    refuse(&head)?;
    let marked = head.starts_with(&[0xef, 0xbb, 0xbf]);
    let body = head.get(if marked { 3 } else { 0 }..).unwrap_or_default();
    // The last line of a cut head may be half a line, and half a letter.
    let cut = memchr::memrchr(b'\n', body).filter(|_| !whole).map_or(body.len(), |end| end + 1);
    let sample = body.get(..cut).unwrap_or_default();
    let guess = if simdutf8::basic::from_utf8(sample).is_ok() {
        Encoding::Utf8
    } else {
        Encoding::Windows1252
    };
    let frame = Frame::find(sample, guess);
    if frame.columns == 0 {
        let (why, remedy) = ("the file holds no record", "send a file with a header and rows");
        return Err(LookError::NoTable { why, remedy });
    }
    let body = io::Cursor::new(body.to_vec());
    Looking::new(frame).read(body.chain(input))
}

fn refuse(head: &[u8]) -> Result<(), LookError> {
    let text = "export it as CSV in UTF-8";
    let (why, remedy) = if head.is_empty() {
        ("the file is empty", "send a file with a header and rows")
    } else if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        ("the file is UTF-16", "save it as UTF-8 (\"CSV UTF-8\" in a spreadsheet)")
    } else if head.starts_with(b"PK\x03\x04") {
        (
            "the file is a spreadsheet or an archive",
            "export the sheet as CSV to have it looked at; its rows are read through a mapping as they are",
        )
    } else if head.starts_with(&[0x1f, 0x8b]) {
        ("the file is compressed", "unpack it")
    } else if memchr::memchr(0, head).is_some() {
        ("the file is no text: it has NUL bytes", text)
    } else {
        return Ok(());
    };
    Err(LookError::NoTable { why, remedy })
}

/// A look while the file is read.
struct Looking {
    frame: Frame,
    look: Look,
}

impl Looking {
    fn new(frame: Frame) -> Self {
        let count = frame.columns.min(COLUMNS_MAX);
        let name = |place: usize| match &frame.header {
            Some(header) => header.get(place).cloned().unwrap_or_default(),
            None => format!("column {}", place + 1),
        };
        let unit = |place: usize| {
            let units = frame.units.as_ref();
            units.and_then(|units| units.get(place)).cloned().unwrap_or_default()
        };
        let columns = (0..count).map(|place| Column::new(&name(place), &unit(place))).collect();
        let look = Look {
            encoding: Encoding::Utf8,
            not_utf8: 0,
            delimiter: frame.delimiter,
            delimiter_rival: frame.rival,
            delimiter_declared: frame.declared,
            skip_lines: frame.skip_lines,
            header: if frame.header.is_some() { Header::Named } else { Header::Absent },
            units_row: frame.units.is_some(),
            records: 0,
            totals: Vec::new(),
            remarks: (0, Vec::new()),
            misshapen: (0, Vec::new()),
            columns,
            first: Vec::new(),
            last: Vec::new(),
        };
        Self { frame, look }
    }

    fn read(mut self, input: impl Read) -> Result<Look, LookError> {
        let dialect = Dialect { delimiter: self.frame.delimiter, quote: b'"' };
        let mut records = Records::new(input, dialect);
        let before = self.look.skip_lines + u64::from(self.frame.declared);
        for _ in 0..before {
            records.skip_line_whole()?;
        }
        for _ in 0..usize::from(self.frame.header.is_some()) + usize::from(self.look.units_row) {
            records.read()?;
        }
        while let Some(record) = records.read()? {
            if record.fault.is_some() {
                self.misshapen(record.line);
                continue;
            }
            let utf8 = simdutf8::basic::from_utf8(record.raw).is_ok();
            if !utf8 && self.look.not_utf8 == 0 {
                self.look.not_utf8 = record.line;
                self.look.encoding = Encoding::Windows1252;
            }
            let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Windows1252 };
            let cell = |place| frame::decode(record.cell(place).unwrap_or_default(), encoding);
            let cells: Vec<String> = (0..record.len()).map(cell).collect();
            self.record(record.line, &cells);
        }
        if self.look.records + self.look.misshapen.0 == 0 && self.look.totals.is_empty() {
            let (why, remedy) =
                ("the file has no row under its header", "send a file with a header and rows");
            return Err(LookError::NoTable { why, remedy });
        }
        Ok(self.look)
    }

    fn record(&mut self, line: u64, cells: &[String]) {
        let look = &mut self.look;
        let first = cells.iter().find(|cell| !cell.is_empty()).map_or("", String::as_str);
        if is_total(first) {
            if look.totals.len() < LINES_MAX {
                look.totals.push(Witness::new(line, first));
            }
            return;
        }
        let surplus = cells.get(self.frame.columns..).unwrap_or_default();
        let fits = cells.len() >= self.frame.columns && surplus.iter().all(String::is_empty);
        if !fits {
            self.misshapen(line);
            return;
        }
        look.records += 1;
        if self.frame.columns > 2 && cells.iter().filter(|cell| !cell.is_empty()).count() < 2 {
            let (count, shown) = &mut look.remarks;
            *count += 1;
            if shown.len() < LINES_MAX {
                shown.push(Witness::new(line, first));
            }
            return;
        }
        if (look.first.len() + 1) * cells.len() <= FIRST_CELLS_MAX {
            look.first.push(cells.to_vec());
        }
        look.last = cells.to_vec();
        for (column, cell) in look.columns.iter_mut().zip(cells) {
            column.take(line, cell);
        }
    }

    fn misshapen(&mut self, line: u64) {
        let (count, lines) = &mut self.look.misshapen;
        *count += 1;
        if lines.len() < LINES_MAX {
            lines.push(line);
        }
    }
}
