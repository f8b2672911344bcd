//! Spreadsheets (XLSX): one sheet of a workbook as a table of text, which then goes the way of CSV.
//!
//! The whole sheet is in memory, up to the caps of [`archive`]. What a text cannot say of a cell stands
//! beside it in [`Notes`]: whether it is a number or a time, and why it is not to be taken at its word.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use envora_domain::words::did_you_mean;

mod archive;
mod notes;
mod numbers;

use self::archive::Facts;
use self::notes::Flaw;
pub(crate) use self::notes::{Kind, Notes, Told};
use self::numbers::{Form, Unshown};
use super::csv::put_plain;
use super::records::{Dialect, Records};
use super::{FileProblem, OpenError};

/// The largest workbook that is read, in bytes as it stands on a disk.
pub const WORKBOOK_BYTES_MAX: u64 = 100 << 20;
/// How much text a sheet may come to: a text that many cells share is there once in the workbook, and as
/// often as it is shown in the table.
const TEXT_BYTES_MAX: usize = 256 << 20;
/// No sheet has more rows, and none more columns.
const ROWS_MAX: u32 = 1 << 20;
const COLUMNS_MAX: u32 = 1 << 14;

/// A sheet as a table of text: a line for each of its rows, blank ones too, commas between the cells.
pub struct Sheet {
    name: String,
    text: Vec<u8>,
    /// Where each row's line starts.
    starts: Vec<usize>,
    notes: Notes,
}

/// Which sheet is read, and how it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Its name; the only visible one when absent.
    pub sheet: Option<&'a str>,
    /// How many of its first rows are no part of the table.
    pub skip_rows: u64,
}

/// Reads a sheet of a workbook.
///
/// # Errors
/// [`OpenError::File`] when the bytes are no workbook, unpack to more than is taken, or leave open which
/// sheet is meant.
pub fn read(input: impl Read, wanted: Wanted<'_>) -> Result<Sheet, OpenError> {
    let mut bytes = Vec::new();
    input.take(WORKBOOK_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(OpenError::Io)?;
    sheet_of(&bytes, wanted).map_err(OpenError::from)
}

/// The names of a workbook's visible sheets, and the workbook for [`sheet_of`].
pub(crate) fn sheets(input: impl Read) -> Result<(Vec<String>, Vec<u8>), OpenError> {
    let mut bytes = Vec::new();
    input.take(WORKBOOK_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(OpenError::Io)?;
    let listed = || -> Result<Vec<String>, FileProblem> {
        recognise(&bytes)?;
        archive::inspect(&bytes)?;
        let workbook = Xlsx::new(Cursor::new(bytes.as_slice())).map_err(broken)?;
        Ok(visible(workbook.sheets_metadata()).map(str::to_owned).collect())
    };
    let names = catch_unwind(AssertUnwindSafe(listed));
    let names = names.unwrap_or_else(|_| Err(broken("its parts contradict each other")))?;
    Ok((names, bytes))
}

fn visible(found: &[calamine::Sheet]) -> impl Iterator<Item = &str> {
    let shown = found.iter().filter(|sheet| sheet.visible == SheetVisible::Visible);
    shown.filter(|sheet| sheet.typ == SheetType::WorkSheet).map(|sheet| sheet.name.as_str())
}

pub(crate) fn sheet_of(bytes: &[u8], wanted: Wanted<'_>) -> Result<Sheet, FileProblem> {
    recognise(bytes)?;
    let facts = archive::inspect(bytes)?;
    // The reader of workbooks counts on ranges that are in order; one that is not ends in a panic.
    let read = catch_unwind(AssertUnwindSafe(|| Reading::new(bytes, &facts, wanted)?.sheet()));
    read.unwrap_or_else(|_| Err(broken("its parts contradict each other")))
}

/// Refuses what is no XLSX workbook by its first bytes.
fn recognise(bytes: &[u8]) -> Result<(), FileProblem> {
    let refuse = |detail: &str, hint: &str| {
        Err(FileProblem::new("malformed_body", detail.to_owned()).hint(hint))
    };
    if bytes.len() as u64 > WORKBOOK_BYTES_MAX {
        let detail = "the workbook has more than 100 MiB";
        return refuse(detail, "export the sheet as CSV, which has no such limit");
    }
    if bytes.is_empty() {
        return refuse("the file is empty", "send the workbook as the spreadsheet saved it");
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return match Xlsx::new(Cursor::new(bytes)) {
            Err(XlsxError::Password) => refuse(
                "the workbook is encrypted with a password",
                "save it without a password, and send that",
            ),
            Ok(_) | Err(_) => refuse(
                "the file is a workbook of the old kind (.xls), which is not read",
                "save it as .xlsx, and send that",
            ),
        };
    }
    if !bytes.starts_with(b"PK") {
        return refuse(
            "the file is no XLSX workbook",
            "if it is a table of text, name it .csv, or send it as text/csv",
        );
    }
    Ok(())
}

/// A workbook whose parts cannot be read.
fn broken(why: impl core::fmt::Display) -> FileProblem {
    FileProblem::new("malformed_body", format!("the workbook cannot be read: {why}")).hint(
        "open it in a spreadsheet and save it again as .xlsx; if that fails, export it as CSV",
    )
}

/// A workbook that is above a limit.
fn too_much(what: impl core::fmt::Display) -> FileProblem {
    FileProblem::new("malformed_body", format!("the workbook is not read: {what}"))
        .hint("split it, or export the sheet as CSV, which has no such limit")
}

/// The only sheet that can be meant.
fn choose(found: &[calamine::Sheet], wanted: Option<&str>) -> Result<String, FileProblem> {
    let sheets = || found.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let listed = |names: Vec<&str>| {
        let shown: Vec<String> = names.iter().take(20).map(|name| format!("{name:?}")).collect();
        format!("{}{}", shown.join(", "), if names.len() > 20 { ", …" } else { "" })
    };
    if let Some(wanted) = wanted {
        if let Some(sheet) = sheets().find(|sheet| sheet.name == wanted) {
            return Ok(sheet.name.clone());
        }
        let names: Vec<&str> = sheets().map(|sheet| sheet.name.as_str()).collect();
        let hint = match did_you_mean(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("its sheets are {}", listed(names)),
        };
        let detail = format!("the mapping reads the sheet {wanted:?}, which is not there");
        return Err(FileProblem::new("validation_failed", detail).hint(hint));
    }
    let names: Vec<&str> = visible(found).collect();
    match names.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(FileProblem::new("malformed_body", "the workbook has no visible sheet")
            .hint("show the sheet that is meant, or name it in the mapping: [file] sheet = \"…\"")),
        [first, ..] => {
            let hint = format!("name one in the mapping, such as [file] sheet = {first:?}");
            let detail =
                format!("the workbook has {} sheets: {}", names.len(), listed(names.clone()));
            Err(FileProblem::new("ambiguous_format", detail).hint(hint))
        }
    }
}

/// A workbook while a sheet is taken out of it.
struct Reading<'a> {
    workbook: Xlsx<Cursor<&'a [u8]>>,
    part: &'a archive::Part,
    skip_rows: u64,
    name: String,
    text: Vec<u8>,
    starts: Vec<usize>,
    notes: Notes,
}

/// A cell on its way into a line.
struct Placed<'a> {
    column: u32,
    text: Cow<'a, str>,
}

impl<'a> Reading<'a> {
    fn new(bytes: &'a [u8], facts: &'a Facts, wanted: Wanted<'_>) -> Result<Self, FileProblem> {
        let workbook = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
        let name = choose(workbook.sheets_metadata(), wanted.sheet)?;
        let part = facts.part_of(&name).ok_or_else(|| broken("a sheet's part is not there"))?;
        let notes = Notes::new(&name, part);
        let (text, starts) = (Vec::new(), Vec::new());
        Ok(Self { workbook, part, skip_rows: wanted.skip_rows, name, text, starts, notes })
    }

    fn sheet(mut self) -> Result<Sheet, FileProblem> {
        let unknown = if self.part.formulas { self.without_values()? } else { Vec::new() };
        self.cells(&unknown)?;
        if self.part.merges > 0 {
            let regions = self.workbook.merge_cells_by_sheet_name(&self.name).map_err(broken)?;
            let rows = u32::try_from(self.starts.len()).unwrap_or(ROWS_MAX);
            for region in regions {
                self.notes.merge((region.start, region.end), rows)?;
            }
        }
        let Self { name, text, starts, notes, .. } = self;
        Ok(Sheet { name, text, starts, notes })
    }

    /// The places of formulas whose value the workbook does not hold, in the order of the cells.
    fn without_values(&mut self) -> Result<Vec<(u32, u32)>, FileProblem> {
        let mut cells = self.workbook.worksheet_cells_reader(&self.name).map_err(broken)?;
        let mut found = Vec::new();
        while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(broken)? {
            if cell.formula.is_some() && cell.value == DataRef::Empty {
                found.push(cell.pos);
            }
        }
        Ok(found)
    }

    fn cells(&mut self, unknown: &[(u32, u32)]) -> Result<(), FileProblem> {
        let epoch = numbers::Epoch::of(self.workbook.has_1904_epoch());
        let mut reader = self.workbook.worksheet_cells_reader(&self.name).map_err(broken)?;
        let forms: Vec<Form> = reader.styles().iter().map(Form::of).collect();
        let mut unknown = unknown.iter().peekable();
        let mut lines = Lines { text: &mut self.text, starts: &mut self.starts };
        let (mut row, mut placed) = (0, Vec::new());
        while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(broken)? {
            let (own, column) = cell.get_position();
            if own >= ROWS_MAX || column >= COLUMNS_MAX {
                return Err(broken("a cell lies beyond the last row or column"));
            }
            if own < row {
                return Err(broken("its rows are not in order"));
            }
            if own > row {
                lines.put(row, &mut placed)?;
                row = own;
            }
            if u64::from(own) < self.skip_rows {
                continue;
            }
            let line = own + 1;
            let form = forms.get(style).copied().unwrap_or_default();
            let text = match value(&cell, (form, epoch)) {
                Value::Cell(kind, text) => {
                    self.notes.kind((line, column), kind)?;
                    text
                }
                Value::Flawed(flaw, text) => {
                    self.notes.flaw((line, column), flaw)?;
                    text
                }
                Value::Blank if unknown.next_if(|at| **at == (own, column)).is_some() => {
                    self.notes.flaw((line, column), Flaw::NoValue)?;
                    Cow::Borrowed("")
                }
                Value::Blank => continue,
            };
            placed.push(Placed { column, text: text.into_owned().into() });
        }
        lines.put(row, &mut placed)
    }
}

/// What a cell comes to.
enum Value<'a> {
    Cell(Kind, Cow<'a, str>),
    Flawed(Flaw, Cow<'a, str>),
    Blank,
}

fn value<'a>(
    cell: &'a calamine::Cell<DataRef<'_>>,
    (form, epoch): (Form, numbers::Epoch),
) -> Value<'a> {
    let time = |shown: Result<String, Unshown>| match shown {
        Ok(text) => Value::Cell(Kind::Time, Cow::Owned(text)),
        Err(Unshown(text)) => Value::Flawed(Flaw::NoDay, Cow::Owned(text)),
    };
    match cell.get_value() {
        DataRef::Empty => Value::Blank,
        DataRef::Int(number) => {
            Value::Cell(Kind::Number, Cow::Owned(numbers::shown(*number, form)))
        }
        DataRef::Float(number) => {
            Value::Cell(Kind::Number, Cow::Owned(numbers::shown(*number, form)))
        }
        // A formula may come to no text at all, in a row that is blank for the eye.
        DataRef::String(text) if text.is_empty() => Value::Blank,
        DataRef::String(text) => Value::Cell(Kind::Text, Cow::Borrowed(text)),
        DataRef::SharedString(text) => Value::Cell(Kind::Text, Cow::Borrowed(text)),
        DataRef::Bool(true) => Value::Cell(Kind::Text, Cow::Borrowed("TRUE")),
        DataRef::Bool(false) => Value::Cell(Kind::Text, Cow::Borrowed("FALSE")),
        DataRef::DateTime(serial) => time(numbers::time(serial, (form, epoch))),
        DataRef::DateTimeIso(text) => Value::Cell(Kind::Time, Cow::Borrowed(text)),
        DataRef::DurationIso(text) => Value::Cell(Kind::Text, Cow::Borrowed(text)),
        DataRef::Error(error) => Value::Flawed(Flaw::Error, Cow::Owned(error.to_string())),
    }
}

/// The lines of a table, while they are written.
struct Lines<'a> {
    text: &'a mut Vec<u8>,
    starts: &'a mut Vec<usize>,
}

impl Lines<'_> {
    /// Writes the rows up to this one, which has these cells.
    fn put(&mut self, row: u32, cells: &mut Vec<Placed<'_>>) -> Result<(), FileProblem> {
        while self.starts.len() < row as usize {
            self.starts.push(self.text.len());
            self.text.push(b'\n');
        }
        self.starts.push(self.text.len());
        cells.sort_by_key(|cell| cell.column);
        let mut at = 0;
        for (place, cell) in cells.iter().enumerate() {
            while at < cell.column {
                self.text.push(b',');
                at += 1;
            }
            // A line that would be blank, or be taken for what it is not, is one of cells all the same.
            let sign = cell.text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
            if cell.text.is_empty() && cells.len() == 1 || place == 0 && sign {
                self.text.push(b'"');
                self.text.extend_from_slice(cell.text.replace('"', "\"\"").as_bytes());
                self.text.push(b'"');
            } else {
                put_plain(self.text, cell.text.as_bytes(), Dialect::default());
            }
        }
        self.text.push(b'\n');
        cells.clear();
        if self.text.len() > TEXT_BYTES_MAX {
            let what = format!("its sheet shows more than {} MiB of text", TEXT_BYTES_MAX >> 20);
            return Err(too_much(what));
        }
        Ok(())
    }
}

impl Sheet {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cells of a row, from 1, as they are read, with commas between them; nothing of a row that is
    /// not there.
    #[must_use]
    pub fn row(&self, row: u64) -> Option<String> {
        let place = usize::try_from(row.checked_sub(1)?).ok()?;
        let start = *self.starts.get(place)?;
        let end = self.starts.get(place + 1).copied().unwrap_or(self.text.len());
        let line = String::from_utf8_lossy(self.text.get(start..end)?);
        Some(line.trim_end_matches('\n').to_owned())
    }

    /// Its records, and what stands beside them.
    pub(super) fn into_records<'a>(self) -> (Records<Box<dyn Read + Send + 'a>>, Notes) {
        let input: Box<dyn Read + Send + 'a> = Box::new(Cursor::new(self.text));
        let mut records = Records::new(input, Dialect::default());
        records.count_records();
        (records, self.notes)
    }

    /// What stands beside its text.
    pub(crate) const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Its text, as one would export it.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }
}
