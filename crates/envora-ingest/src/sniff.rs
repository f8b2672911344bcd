//! Looking at a table that nobody has described: how it is written, what its columns hold, and what cannot
//! be told without asking. The table is text, a sheet of a workbook, or the columns of a Parquet file.
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
mod tables;
mod times;
mod wide;

use std::io::{self, Read};

pub use columns::{Column, Holds};
pub use numbers::{Reading, STYLES, Witness};
pub use propose::propose;

use frame::Frame;

use crate::formats::records::{Dialect, Mark, Records};
use crate::formats::totals::is_total;
use crate::formats::xlsx::Told;
use crate::formats::{FileProblem, Format, OpenError, utf16};
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
    /// What it is: CSV, XLSX or Parquet.
    pub format: Format,
    /// The sheet that was looked at, of a workbook.
    pub sheet: Option<SheetChoice>,
    /// What of it is not read, and why.
    pub unread: Vec<(String, String)>,
    /// Whether its mark says that it is UTF-16.
    pub utf16: bool,
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

/// The sheet of a workbook that was looked at, and those beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetChoice {
    /// Its name.
    pub name: String,
    /// Whether somebody named it.
    pub named: bool,
    /// How many visible sheets there are.
    pub of: usize,
    /// The others that hold tables of numbers or times: any of them may be meant.
    pub rivals: Vec<Rival>,
}

/// Another sheet that holds a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// What its columns are called.
    pub columns: Vec<String>,
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
    /// It is no table.
    #[error("{why}")]
    NoTable {
        /// What it is instead.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// Its bytes could not be read.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
}

impl LookError {
    fn no_table((why, remedy): (&str, &str)) -> Self {
        Self::NoTable { why: why.to_owned(), remedy: remedy.to_owned() }
    }
}

impl From<FileProblem> for LookError {
    fn from(problem: FileProblem) -> Self {
        Self::NoTable { why: problem.detail, remedy: problem.hint }
    }
}

impl From<OpenError> for LookError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::Io(error),
            OpenError::File(problems) => match problems.into_iter().next() {
                Some(problem) => problem.into(),
                None => Self::no_table(NO_ROWS),
            },
        }
    }
}

const NO_ROWS: (&str, &str) =
    ("the file has no row under its header", "send a file with a header and rows");
const NO_RECORD: (&str, &str) = ("the file holds no record", "send a file with a header and rows");

/// Looks at a file, from its first byte to its last; of a workbook, at the sheet that holds a table.
///
/// # Errors
/// [`LookError`] when it is empty, no table, or cannot be read.
pub fn look(input: impl Read) -> Result<Look, LookError> {
    look_at(input, None)
}

/// Looks at a file, from its first byte to its last; of a workbook, at the sheet of this name.
///
/// # Errors
/// As [`look`]; a sheet that is not there, or is named of what has none.
pub fn look_at(mut input: impl Read, sheet: Option<&str>) -> Result<Look, LookError> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0") {
        return tables::workbook(io::Cursor::new(head).chain(input), sheet);
    }
    if sheet.is_some() {
        let why = ("a sheet is named, and the file is no workbook", "leave the sheet out");
        return Err(LookError::no_table(why));
    }
    if head.starts_with(b"PAR1") {
        return tables::columns(io::Cursor::new(head).chain(input));
    }
    refuse(&head)?;
    text(head, input)
}

/// Looks at a table of text that begins so.
fn text(head: Vec<u8>, input: impl Read) -> Result<Look, LookError> {
    let whole = head.len() < HEAD_BYTES;
    if let Some(decoded) = utf16::decoded(&head) {
        // What a cut head ends in is half a line, as below.
        let cut = memchr::memrchr(b'\n', &decoded).filter(|_| !whole);
        let cut = cut.map_or(decoded.len(), |end| end + 1);
        let frame = Frame::find(decoded.get(..cut).unwrap_or_default(), Encoding::Utf8);
        if frame.columns == 0 {
            return Err(LookError::no_table(NO_RECORD));
        }
        return Looking::new(frame, Format::Csv).text(io::Cursor::new(head).chain(input));
    }
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
        return Err(LookError::no_table(NO_RECORD));
    }
    let body = io::Cursor::new(body.to_vec());
    Looking::new(frame, Format::Csv).text(body.chain(input))
}

/// How packed files begin: gzip, xz, Zstandard, bzip2, 7z.
const PACKED: [&[u8]; 5] =
    [&[0x1f, 0x8b], b"\xfd7zXZ\0", &[0x28, 0xb5, 0x2f, 0xfd], b"BZh", b"7z\xbc\xaf\x27\x1c"];

fn refuse(head: &[u8]) -> Result<(), LookError> {
    let export = "export it as CSV in UTF-8";
    let begins = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head).trim_ascii_start();
    let why = if head.is_empty() {
        ("the file is empty", "send a file with a header and rows")
    } else if utf16::is_unmarked(head) {
        (
            "the file is UTF-16 without the mark that says so",
            "save it as UTF-8 (\"CSV UTF-8\" in a spreadsheet)",
        )
    } else if PACKED.iter().any(|start| head.starts_with(start)) {
        ("the file is compressed", "unpack it")
    } else if head.starts_with("\u{fffd}\u{fffd}".as_bytes()) && head.contains(&0) {
        (
            "the file was UTF-16, and has been saved since by a program that took it for UTF-8",
            "ask for the file as it was first written, or save that as UTF-8",
        )
    } else if begins.starts_with(b"<") {
        (
            "the file is XML, whose elements say what they are: no mapping reads it",
            "send it as it is, if it is Green Button or of Envora's own elements; else export a table",
        )
    } else if begins.starts_with(b"{") || begins.starts_with(b"[{") {
        (
            "the file is JSON, whose members say what they are: no mapping reads it",
            "name the members like the fields of an activity and send it as it is; else export a table",
        )
    } else if utf16::Order::of_mark(head).is_none() && memchr::memchr(0, head).is_some() {
        ("the file is no text: it has NUL bytes", export)
    } else {
        return Ok(());
    };
    Err(LookError::no_table(why))
}

/// A look while the file is read.
struct Looking {
    frame: Frame,
    look: Look,
}

impl Looking {
    fn new(frame: Frame, format: Format) -> Self {
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
            format,
            sheet: None,
            unread: Vec::new(),
            utf16: false,
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

    /// Reads a table of text.
    fn text(mut self, input: impl Read) -> Result<Look, LookError> {
        let dialect = Dialect { delimiter: self.frame.delimiter, quote: b'"' };
        let mut records = Records::new(input, dialect);
        self.look.utf16 = records.mark()? == Mark::Utf16;
        let before = self.look.skip_lines + u64::from(self.frame.declared);
        for _ in 0..before {
            records.skip_line_whole()?;
        }
        self.names(&mut records)?;
        while let Some(record) = records.read()? {
            if record.fault.is_some() {
                self.misshapen(record.line);
                continue;
            }
            let utf8 = simdutf8::basic::from_utf8(record.raw).is_ok();
            if !utf8 && !self.look.utf16 && self.look.not_utf8 == 0 {
                self.look.not_utf8 = record.line;
                self.look.encoding = Encoding::Windows1252;
            }
            let encoding =
                if utf8 || self.look.utf16 { Encoding::Utf8 } else { Encoding::Windows1252 };
            let cell = |place| frame::decode(record.cell(place).unwrap_or_default(), encoding);
            let cells: Vec<String> = (0..record.len()).map(cell).collect();
            self.record(record.line, &cells, &Told::default());
        }
        self.end()
    }

    /// Steps over the header and the row of units.
    fn names<R: Read>(&self, records: &mut Records<R>) -> io::Result<()> {
        for _ in 0..usize::from(self.frame.header.is_some()) + usize::from(self.look.units_row) {
            records.read()?;
        }
        Ok(())
    }

    fn end(self) -> Result<Look, LookError> {
        let look = self.look;
        if look.records + look.misshapen.0 == 0 && look.totals.is_empty() {
            return Err(LookError::no_table(NO_ROWS));
        }
        Ok(look)
    }

    fn record(&mut self, line: u64, cells: &[String], told: &Told) {
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
        for (place, (column, cell)) in look.columns.iter_mut().zip(cells).enumerate() {
            match told.flaw(place) {
                None => column.take(line, cell, told.kind(place)),
                Some(flaw) => column.flawed(&flaw.detail),
            }
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
