//! Parquet: the columns that are asked for, a few hundred rows at a time, as a table of text that then goes
//! the way of CSV. A cell's text is its exact value, and [`Kind`] says what it is.
//!
//! The file is held whole, packed as it is, since its footer stands at its end. What it claims (rows, pages,
//! dictionaries, unpacked sizes, nesting) is held against limits before room is made for it, and all pages of
//! the columns that are asked for are unpacked and decoded once before the first row is given: a file that is
//! damaged anywhere in them is refused as a whole.

use std::borrow::Cow;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use envora_domain::activities::problems::{RowCode, RowProblem};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::Result as Decoded;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

mod compact;
mod footer;
mod pages;
mod shapes;

use self::pages::{Pages, Sort, unread};
use self::shapes::{NoText, Shape};
use super::csv::put_cell;
use super::records::Dialect;
use super::sheet::Cells;
use super::xlsx::{Kind, Told};
use super::{FileProblem, OpenError};

/// The largest file that is read, in bytes as it stands on a disk.
pub const FILE_BYTES_MAX: u64 = 128 << 20;
/// How much the pages of all columns that are read may unpack to.
const INFLATED_BYTES_MAX: u64 = 1 << 30;
/// How much the pages that are unpacked at one time may come to.
const AT_ONCE_BYTES_MAX: usize = 256 << 20;
/// How many rows are decoded at once.
const ROWS_AT_ONCE: usize = 256;
/// The longest text of a cell.
const CELL_BYTES_MAX: usize = 16 << 10;

/// A file that cannot be read.
fn broken(why: impl core::fmt::Display) -> FileProblem {
    FileProblem::new("malformed_body", format!("the Parquet file cannot be read: {why}"))
        .hint("write it again, or export the table as CSV")
}

/// A file that is above a limit.
fn too_much(what: impl core::fmt::Display) -> FileProblem {
    FileProblem::new("malformed_body", format!("the Parquet file is not read: {what}"))
        .hint("split it into files of fewer rows and columns, or export the table as CSV")
}

/// A column of the file.
struct Column {
    name: String,
    shape: Result<Shape, shapes::Unread>,
    /// The level of a value that is not null.
    highest: i16,
    /// Whether its values are read.
    wanted: bool,
}

/// A file whose footer was read.
pub struct Table {
    bytes: Bytes,
    metadata: ParquetMetaData,
    columns: Vec<Column>,
    /// The row group after the one that is being read.
    group: usize,
    /// Rows of the current group that were not decoded yet.
    left: u64,
    readers: Vec<Option<ColumnReader>>,
    texts: Vec<Texts>,
    /// The next row among those that are decoded, how many these are, and how many came before.
    at: usize,
    rows: usize,
    before: u64,
}

/// The cells of one column of the rows that are decoded.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
    /// Why a row's value is none.
    flaws: Vec<(usize, NoText)>,
}

/// Reads a file's footer.
///
/// # Errors
/// [`OpenError::File`] when the bytes are no Parquet file, or claim more than is read.
pub fn read(input: impl Read) -> Result<Table, OpenError> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(OpenError::Io)?;
    table(bytes.into()).map_err(OpenError::from)
}

fn table(bytes: Bytes) -> Result<Table, FileProblem> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(too_much(format!("it has more than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let metadata = footer::read(&bytes)?;
    let column = |column: &parquet::schema::types::ColumnDescPtr| Column {
        name: column.path().parts().join(".").trim().to_owned(),
        shape: shapes::shape(column),
        highest: column.max_def_level(),
        wanted: false,
    };
    let columns: Vec<Column> =
        metadata.file_metadata().schema_descr().columns().iter().map(column).collect();
    if columns.is_empty() {
        return Err(broken("it has no columns"));
    }
    let texts = columns.iter().map(|_| Texts::default()).collect();
    let (group, left, at, rows, before) = (0, 0, 0, 0, 0);
    let readers = Vec::new();
    Ok(Table { bytes, metadata, columns, group, left, readers, texts, at, rows, before })
}

/// Whether floats are taken for numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Floats {
    /// By their shortest text; rows that have one carry a flag.
    Allowed,
    /// No.
    #[default]
    Refused,
}

impl Table {
    /// The names of its columns; those inside of others have dots.
    pub(crate) fn header(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Asks for columns by name; of the others only a first one of texts is read, which may say that a row
    /// is the sum of others.
    pub(super) fn select(
        &mut self,
        names: &[&str],
        floats: Floats,
    ) -> Result<(), Vec<FileProblem>> {
        let mut problems = Vec::new();
        for column in self.columns.iter_mut().filter(|own| names.contains(&own.name.as_str())) {
            let (what, remedy) = match column.shape {
                Err(unread) => (unread.what, unread.remedy),
                Ok(Shape::Float) if floats == Floats::Refused => (
                    "holds binary floats (DOUBLE or FLOAT), which are not exact",
                    "write it as DECIMAL; or say [file] allow_float = true in a mapping, and the shortest text of each is taken and flagged float_artifact",
                ),
                Ok(_) => {
                    column.wanted = true;
                    continue;
                }
            };
            let detail = format!("the column {:?} {what}", column.name);
            let problem = FileProblem::new("validation_failed", detail);
            problems.push(problem.column(&column.name).hint(remedy));
        }
        if let Some(first) = self.columns.first_mut() {
            first.wanted |= first.shape == Ok(Shape::Text);
        }
        if problems.is_empty() {
            self.verify().map_err(|problem| vec![problem])
        } else {
            Err(problems)
        }
    }

    /// Asks for every column that has a text, floats too; their places, and what they hold.
    pub(crate) fn select_all(&mut self) -> Result<Vec<(usize, Kind)>, FileProblem> {
        for column in &mut self.columns {
            column.wanted = column.shape.is_ok();
        }
        self.verify()?;
        let shapes = self.columns.iter().map(|column| column.shape.ok());
        Ok(shapes.enumerate().filter_map(|(place, own)| Some((place, own?.kind()))).collect())
    }

    /// The columns whose values are not read, with what they hold and what to write instead.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (&str, &'static str, &'static str)> {
        let unread = |own: &Column| own.shape.err();
        let named =
            self.columns.iter().filter_map(move |own| Some((own.name.as_str(), unread(own)?)));
        named.map(|(name, why)| (name, why.what, why.remedy))
    }

    /// Unpacks and decodes everything that is asked for once, and keeps nothing of it.
    fn verify(&mut self) -> Result<(), FileProblem> {
        let mut inflated = 0;
        for group in 0..self.metadata.num_row_groups() {
            self.weigh(group, &mut inflated)?;
        }
        for place in 0..self.columns.len() {
            for group in 0..self.metadata.num_row_groups() {
                let Some(mut reader) = self.reader(group, place)? else { continue };
                let mut left = rows_of(&self.metadata, group);
                while left > 0 {
                    let rows = usize::try_from(left).unwrap_or(ROWS_AT_ONCE).min(ROWS_AT_ONCE);
                    self.decode(place, &mut reader, rows)
                        .map_err(|why| self.fault((group, place), &why))?;
                    left -= rows as u64;
                }
            }
            if let Some(texts) = self.texts.get_mut(place) {
                *texts = Texts::default();
            }
        }
        Ok(())
    }

    /// Adds up what the pages of a row group claim to unpack to.
    fn weigh(&self, group: usize, inflated: &mut u64) -> Result<(), FileProblem> {
        let mut at_once = 0_usize;
        for place in 0..self.columns.len() {
            let Some(mut pages) = self.pages(group, place)? else { continue };
            let (mut dictionary, mut page) = (0, 0);
            let fault = |error: parquet::errors::ParquetError| {
                self.fault((group, place), &plain(&error.to_string()))
            };
            while let Some((head, _)) = pages.head().map_err(fault)? {
                let most = if head.sort == Sort::Dictionary { &mut dictionary } else { &mut page };
                *most = head.inflated.max(*most);
                *inflated += head.inflated as u64;
                if *inflated > INFLATED_BYTES_MAX {
                    let most = INFLATED_BYTES_MAX >> 20;
                    return Err(too_much(format!("its pages unpack to more than {most} MiB")));
                }
            }
            at_once += dictionary + page;
        }
        if at_once > AT_ONCE_BYTES_MAX {
            let most = AT_ONCE_BYTES_MAX >> 20;
            let what = format!(
                "the pages of one row group that stand side by side unpack to more than {most} MiB"
            );
            return Err(too_much(what).hint("write smaller pages or row groups"));
        }
        Ok(())
    }

    fn fault(&self, (group, place): (usize, usize), why: &str) -> FileProblem {
        let name = self.columns.get(place).map_or("", |column| column.name.as_str());
        let why = format!("the column {name:?} in row group {}: {why}", group + 1);
        broken(why).column(name)
    }

    /// The pages of a column in a row group; nothing of one that is not asked for.
    fn pages(&self, group: usize, place: usize) -> Result<Option<Pages>, FileProblem> {
        if !self.columns.get(place).is_some_and(|column| column.wanted) {
            return Ok(None);
        }
        let (rows, about) = (rows_of(&self.metadata, group), &self.metadata);
        let about = about.row_groups().get(group).and_then(|group| group.columns().get(place));
        let fault = |why: &str| self.fault((group, place), why);
        let about = about.ok_or_else(|| fault("it is not there"))?;
        if about.file_path().is_some() {
            return Err(fault("it is kept in another file"));
        }
        if let Some(codec) = unread(about.compression()) {
            let hint = "write the file with Snappy, Zstandard, gzip or no compression";
            return Err(fault(&format!("it is packed with {codec}, which is not read")).hint(hint));
        }
        if u64::try_from(about.num_values()).ok() != Some(rows) {
            let claims = about.num_values();
            return Err(fault(&format!("it claims {claims} values for {rows} rows")));
        }
        let chunk = self.chunk(about).ok_or_else(|| fault("it would lie outside of the file"))?;
        Ok(Some(Pages::new(chunk, about, rows)))
    }

    /// The bytes of a column in a row group.
    fn chunk(&self, about: &ColumnChunkMetaData) -> Option<Bytes> {
        let data = about.data_page_offset();
        let first = about.dictionary_page_offset().filter(|at| *at > 0 && *at < data);
        let start = usize::try_from(first.unwrap_or(data)).ok()?;
        let length = usize::try_from(about.compressed_size()).ok()?;
        let end = start.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        Some(self.bytes.slice(start..end))
    }

    fn reader(&self, group: usize, place: usize) -> Result<Option<ColumnReader>, FileProblem> {
        let Some(pages) = self.pages(group, place)? else { return Ok(None) };
        let column = self.metadata.file_metadata().schema_descr().column(place);
        Ok(Some(get_column_reader(column, Box::new(pages))))
    }

    /// Decodes the next rows of a column into its texts.
    fn decode(
        &mut self,
        place: usize,
        reader: &mut ColumnReader,
        rows: usize,
    ) -> Result<(), String> {
        let shape = self.columns.get(place).and_then(|own| Some((own.shape.ok()?, own.highest)));
        let (Some(texts), Some(shape)) = (self.texts.get_mut(place), shape) else { return Ok(()) };
        // The decoders count on values that were encoded by the rules; what was not may end in a panic.
        let decoded = catch_unwind(AssertUnwindSafe(|| texts.fill(reader, shape, rows)));
        match decoded {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(plain(&error.to_string())),
            Err(_) => Err("its values are damaged".to_owned()),
        }
    }

    /// Decodes the next rows of all columns; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            if self.group >= self.metadata.num_row_groups() {
                return Ok(false);
            }
            let group = self.group;
            let readers = (0..self.columns.len()).map(|place| self.reader(group, place));
            self.readers = readers.collect::<Result<_, _>>().map_err(io::Error::other)?;
            self.left = rows_of(&self.metadata, group);
            self.group += 1;
        }
        let rows = usize::try_from(self.left).unwrap_or(ROWS_AT_ONCE).min(ROWS_AT_ONCE);
        let mut readers = core::mem::take(&mut self.readers);
        for (place, reader) in readers.iter_mut().enumerate() {
            let Some(reader) = reader else { continue };
            self.decode(place, reader, rows).map_err(io::Error::other)?;
        }
        self.readers = readers;
        self.before += self.rows as u64;
        (self.at, self.rows) = (0, rows);
        self.left -= rows as u64;
        Ok(true)
    }

    /// The next row: its number from 1, and its cells.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Cells<'_>)>> {
        if self.at == self.rows && !self.advance()? {
            return Ok(None);
        }
        let at = self.at;
        self.at += 1;
        let number = self.before + at as u64 + 1;
        let texts = self.texts.iter().map(|own| Cow::Borrowed(own.get(at))).collect();
        let flaws = self.columns.iter().zip(&self.texts).enumerate();
        let flaws = flaws.filter_map(|(place, (column, own))| {
            let (_, why) = own.flaws.iter().find(|(row, _)| *row == at)?;
            let detail = format!("the column {:?} {} in row {number}", column.name, why.what);
            let problem = RowProblem::new(RowCode::WrongType, "", detail);
            Some((place, problem.hint(why.remedy)))
        });
        let told = Told::of(self.kinds(), flaws.collect());
        Ok(Some((number, Cells { texts, told })))
    }

    /// What the cells of each column are.
    fn kinds(&self) -> Vec<Kind> {
        let kind = |column: &Column| match column.shape {
            Ok(shape) if column.wanted => shape.kind(),
            Ok(_) | Err(_) => Kind::Text,
        };
        self.columns.iter().map(kind).collect()
    }
}

/// A row as one would export it: its cells with commas between them.
///
/// # Errors
/// As [`read`]; nothing of a row that is not there.
pub fn row(input: impl Read, number: u64) -> Result<Option<String>, OpenError> {
    let mut table = read(input)?;
    table.select_all()?;
    while let Some((own, cells)) = table.next().map_err(OpenError::Io)? {
        if own == number {
            return Ok(Some(line(&cells)));
        }
    }
    Ok(None)
}

/// Some rows by their numbers, as one would export them.
///
/// # Errors
/// As [`read`].
pub fn rows(
    input: impl Read,
    wanted: &std::collections::BTreeSet<u64>,
) -> Result<std::collections::BTreeMap<u64, String>, OpenError> {
    let mut table = read(input)?;
    table.select_all()?;
    let mut found = std::collections::BTreeMap::new();
    while found.len() < wanted.len()
        && let Some((number, cells)) = table.next().map_err(OpenError::Io)?
    {
        if wanted.contains(&number) {
            found.insert(number, line(&cells));
        }
    }
    Ok(found)
}

fn line(cells: &Cells<'_>) -> String {
    let mut out = Vec::new();
    for (place, cell) in cells.texts.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        put_cell(&mut out, cell.as_bytes(), Dialect::default());
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A sentence of the library's, in one line without its own first word.
fn plain(text: &str) -> String {
    let text = text.strip_prefix("Parquet error: ").unwrap_or(text);
    text.chars().take(200).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn rows_of(metadata: &ParquetMetaData, group: usize) -> u64 {
    let group = metadata.row_groups().get(group);
    group.and_then(|group| u64::try_from(group.num_rows()).ok()).unwrap_or(0)
}

impl Texts {
    fn get(&self, row: usize) -> &str {
        let end = self.ends.get(row).copied();
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        end.and_then(|end| self.text.get(start.unwrap_or(0)..end)).unwrap_or_default()
    }

    /// Replaces its rows by the next ones of the reader.
    fn fill(
        &mut self,
        reader: &mut ColumnReader,
        (shape, highest): (Shape, i16),
        rows: usize,
    ) -> Decoded<()> {
        self.text.clear();
        self.ends.clear();
        self.flaws.clear();
        let (own, rows) = (self, (rows, highest));
        match reader {
            ColumnReader::BoolColumnReader(reader) => own.put(reader, rows, |out, value| {
                out.push_str(if *value { "true" } else { "false" });
                Ok(())
            }),
            ColumnReader::Int32ColumnReader(reader) => own.put(reader, rows, |out, value| {
                shapes::put_integer(out, shape, (i64::from(*value), 32))
            }),
            ColumnReader::Int64ColumnReader(reader) => {
                own.put(reader, rows, |out, value| shapes::put_integer(out, shape, (*value, 64)))
            }
            ColumnReader::FloatColumnReader(reader) => {
                own.put(reader, rows, |out, value| shapes::put_float(out, &value.to_string()))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                own.put(reader, rows, |out, value| shapes::put_float(out, &value.to_string()))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                own.put(reader, rows, |out, value| shapes::put_bytes(out, shape, value.data()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                own.put(reader, rows, |out, value| shapes::put_bytes(out, shape, value.data()))
            }
            ColumnReader::Int96ColumnReader(_) => Ok(()),
        }
    }

    fn put<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        (rows, highest): (usize, i16),
        write: impl Fn(&mut String, &T::T) -> Result<(), NoText>,
    ) -> Decoded<()> {
        let (mut levels, mut values) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut read = 0;
        while read < rows {
            let (more, _, _) =
                reader.read_records(rows - read, Some(&mut levels), None, &mut values)?;
            if more == 0 {
                let why = "its values end before their time".to_owned();
                return Err(parquet::errors::ParquetError::General(why));
            }
            read += more;
        }
        // Where no value may be null there are no levels, and a value for each row.
        let mut values = values.iter();
        for row in 0..rows {
            let null = levels.get(row).is_some_and(|level| *level < highest);
            let value = if null { None } else { values.next() };
            let from = self.text.len();
            let written = value.map_or(Ok(()), |value| write(&mut self.text, value));
            if self.text.len() - from > CELL_BYTES_MAX {
                let what = format!("holds a text of more than {CELL_BYTES_MAX} bytes");
                self.text.truncate(from);
                self.flaws.push((row, NoText { what, remedy: "shorten it" }));
            }
            if let Err(why) = written {
                self.text.truncate(from);
                self.flaws.push((row, why));
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}
