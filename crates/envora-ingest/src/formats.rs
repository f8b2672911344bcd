//! Readers: bytes of a file or body in, [`ParsedRow`]s out, one at a time, in bounded memory.
//!
//! A reader refuses a whole file only for what concerns the whole file (no header, a column that the
//! mapping names is not there); everything else is one row's own problem, and the next row starts
//! clean.

pub mod csv;
pub mod events;
mod held;
pub mod json;
mod known;
pub mod left;
pub mod mend;
pub mod ndjson;
pub mod parquet;
pub mod records;
mod sheet;
pub(crate) mod totals;
pub mod utf16;
pub mod xlsx;
pub mod xml;

use core::hash::{BuildHasher as _, Hasher as _};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::RandomState;
use std::io::{self, Read};
use std::sync::Arc;

use envora_domain::activities::problems::{Flag, PROBLEMS_MAX, RowCode};
use envora_domain::activities::validate::{
    hash_words, is_negative_balance, rejects, same_words, validate_amounts, validate_words,
};
use envora_domain::activities::{Activity, Origin};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;

pub use self::known::{Tally, Tiers};
use self::left::LeftOut;
use crate::clocks::Clocks;
use crate::fields::{Draft, Field, Given};
use crate::mapping::Mapping;
use crate::rows::ParsedRow;

/// Longest line, or record, that is read.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A CloudEvent with an activity in its data.
    CloudEvent,
    /// An array of such events.
    CloudEvents,
    /// Comma-separated values, through a mapping or with schema field names as header.
    Csv,
    /// One object `{"mode", "activities": […]}`.
    Json,
    /// One activity in each line.
    Ndjson,
    /// Columns of exact values, read by name as those of CSV are.
    Parquet,
    /// A sheet of a workbook, read as CSV is.
    Xlsx,
    /// Elements: activities of our own namespace, or Green Button.
    Xml,
}

impl Format {
    /// The format that a file name's ending says.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "parquet" | "parq" | "pqt" => Some(Self::Parquet),
            // The older kind is told from the newer by its first bytes, and refused in words.
            "xlsx" | "xlsm" | "xls" => Some(Self::Xlsx),
            "xml" => Some(Self::Xml),
            _ => None,
        }
    }

    /// Whether it is a table, which a mapping reads and whose places are columns.
    #[must_use]
    pub const fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Parquet | Self::Xlsx)
    }

    /// The word by which a mapping names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CloudEvent | Self::CloudEvents => "cloudevents",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Xlsx => "xlsx",
            Self::Xml => "xml",
        }
    }

    /// The name and version of its parser, as origins keep it.
    #[must_use]
    pub const fn parser(self) -> &'static str {
        match self {
            Self::CloudEvent | Self::CloudEvents => "cloudevents/1",
            Self::Csv => "csv/1",
            Self::Json => "json/1",
            Self::Ndjson => "ndjson/1",
            Self::Parquet => "parquet/1",
            Self::Xlsx => "xlsx/1",
            Self::Xml => "xml/1",
        }
    }
}

/// What all rows of one file or body have in common about where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginHead {
    /// An imported file.
    File {
        /// The import.
        import: ImportId,
        /// SHA-256 of the file's bytes as received.
        file: Digest,
    },
    /// A request body.
    Request {
        /// The request.
        request_id: Arc<str>,
        /// BLAKE3 of the decoded body.
        body: [u8; 32],
    },
}

/// Where one row's bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowPlace {
    /// The record, from 1, header not counted.
    pub row: u64,
    /// The physical line on which it starts, from 1.
    pub line: u64,
    /// Where its bytes start.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u32,
}

impl OriginHead {
    fn origin(&self, place: RowPlace, mapping: Option<Digest>, format: Format) -> Origin {
        let RowPlace { row, line, offset, length } = place;
        let parser = Cow::Borrowed(format.parser());
        match self {
            Self::File { import, file } => {
                let (import, file) = (*import, *file);
                Origin::File { import, file, row, line, offset, length, mapping, parser }
            }
            Self::Request { request_id, body } => {
                let (request_id, body) = (Arc::clone(request_id), *body);
                Origin::Request { request_id, body, row, offset, length, parser }
            }
        }
    }
}

/// How a file is to be read.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Where its rows come from.
    pub head: OriginHead,
    /// The mapping that a table goes through.
    pub mapping: Option<Arc<Mapping>>,
    /// Further constants by dotted field name, such as `facility_code` or `scope`.
    pub set: BTreeMap<String, String>,
    /// What becomes of times without an offset in rows of JSON.
    pub local_times: LocalTimes,
    /// Whose the times without an offset are in rows of a table that name no zone.
    pub clocks: Clocks,
}

/// What becomes of `start` and `end` without an offset in rows of JSON. A table has a zone for them, the
/// row's facility or source; of JSON it is asked that it says which instant is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalTimes {
    /// They are refused.
    #[default]
    Refused,
    /// They are those of the row's facility or source, as in a table: the rows were read off one.
    OfTheZone,
}

/// Why a file as a whole cannot be read; nothing of it is stored then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FileProblem {
    /// A code of the API: `malformed_body`, `validation_failed`, `ambiguous_format`,
    /// `feature_not_built`.
    pub code: &'static str,
    /// JSON pointer in a body that it is about; else empty.
    pub field: String,
    /// The column of a table that it is about; else empty.
    pub column: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// The physical line, 0 where it is none.
    pub line: u64,
}

impl FileProblem {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let (field, column, hint) = Default::default();
        Self { code, field, column, detail: detail.into(), hint, line: 0 }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    pub(crate) fn column(mut self, column: impl Into<String>) -> Self {
        self.column = column.into();
        self
    }

    pub(crate) const fn line(mut self, line: u64) -> Self {
        self.line = line;
        self
    }
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is wrong with the file, for whoever sent it; several columns may be missing at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    File(Vec<FileProblem>),
    /// The bytes could not be read.
    #[error("the file could not be read")]
    Io(#[source] io::Error),
}

impl From<FileProblem> for OpenError {
    fn from(problem: FileProblem) -> Self {
        Self::File(vec![problem])
    }
}

/// Who gives a row its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Derives {
    /// The mapping.
    Yes,
    /// The sender, or nobody.
    #[default]
    No,
}

/// A row that was read.
pub(crate) enum Step {
    /// Its words were known: it is in this place.
    Known(usize),
    /// A row of its own.
    Read(Box<ParsedRow>),
}

/// A reader of any format.
pub enum Reader<'a> {
    /// CloudEvents.
    Events(Box<events::Events>),
    /// CSV, a sheet of a workbook, or the columns of a Parquet file.
    Csv(Box<csv::CsvReader<Box<dyn Read + Send + 'a>>>),
    /// JSON.
    Json(Box<json::Body>),
    /// NDJSON.
    Ndjson(Box<ndjson::NdjsonReader<Box<dyn Read + Send + 'a>>>),
    /// XML.
    Xml(Box<xml::XmlReader>),
}

/// Opens a file or body.
///
/// # Errors
/// [`OpenError::File`] for what concerns the whole file, before any row is given.
pub fn open<'a>(
    format: Format,
    mut input: Box<dyn Read + Send + 'a>,
    opening: &Opening,
) -> Result<Reader<'a>, OpenError> {
    if format == Format::Csv {
        return Ok(Reader::Csv(Box::new(csv::CsvReader::open(input, opening)?)));
    }
    if format == Format::Xlsx {
        let sheet = xlsx::read(input, wanted(opening.mapping.as_deref()))?;
        return Ok(Reader::Csv(Box::new(csv::CsvReader::of_sheet(sheet, opening)?)));
    }
    if format == Format::Parquet {
        let table = parquet::read(input)?;
        return Ok(Reader::Csv(Box::new(csv::CsvReader::of_columns(table, opening)?)));
    }
    if opening.mapping.is_some() {
        let problem =
            "a mapping reads CSV, XLSX and Parquet; rows of JSON and XML are activities already";
        return Err(FileProblem::new("validation_failed", problem)
            .hint("leave the mapping out, or send the file as what it is: text/csv, .xlsx or .parquet")
            .into());
    }
    if format == Format::Ndjson {
        return Ok(Reader::Ndjson(Box::new(ndjson::NdjsonReader::open(input, opening)?)));
    }
    if format == Format::Xml {
        return Ok(Reader::Xml(Box::new(xml::open(input, opening)?)));
    }
    let mut body = Vec::new();
    input.read_to_end(&mut body).map_err(OpenError::Io)?;
    if matches!(format, Format::CloudEvent | Format::CloudEvents) {
        return Ok(Reader::Events(Box::new(events::open(body.into(), format, opening)?)));
    }
    Ok(Reader::Json(Box::new(json::read(body, opening)?)))
}

/// Which sheet of a workbook a mapping reads.
pub(crate) fn wanted(mapping: Option<&Mapping>) -> xlsx::Wanted<'_> {
    let file = mapping.map(|mapping| &mapping.file);
    xlsx::Wanted {
        sheet: file.and_then(|file| file.sheet.as_deref()),
        skip_rows: file.map_or(0, |file| file.skip_lines),
    }
}

impl Reader<'_> {
    /// Whether the mapping gives every row its id.
    #[must_use]
    pub fn derives(&self) -> Derives {
        match self {
            Self::Csv(reader) => reader.derives(),
            Self::Events(_) | Self::Json(_) | Self::Ndjson(_) | Self::Xml(_) => Derives::No,
        }
    }

    /// The same reader, leaving rows without the ids that the mapping would derive: for looking at a
    /// file, not for storing it.
    #[must_use]
    pub fn without_derived_ids(mut self) -> Self {
        if let Self::Csv(reader) = &mut self {
            reader.leave_ids_out();
        }
        self
    }

    /// The same reader, reading each row as if it were the first of its kind: what all others are held
    /// against.
    #[must_use]
    pub fn with_all_care(mut self) -> Self {
        match &mut self {
            Self::Csv(reader) => reader.take_all_care(),
            Self::Json(body) => body.fast.rest(),
            Self::Ndjson(reader) => reader.fast.rest(),
            Self::Events(_) | Self::Xml(_) => {}
        }
        self
    }

    /// Records that gave no activity: the mapping leaves them out, or nothing in it takes them.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        match self {
            Self::Csv(reader) => reader.left_out().clone(),
            Self::Events(_) | Self::Json(_) | Self::Ndjson(_) | Self::Xml(_) => LeftOut::default(),
        }
    }
}

impl Reader<'_> {
    /// How the rows were read so far.
    #[must_use]
    pub fn tiers(&self) -> Tiers {
        match self {
            Self::Csv(reader) => reader.tiers(),
            Self::Json(body) => body.fast.tiers,
            Self::Ndjson(reader) => reader.fast.tiers,
            Self::Events(_) | Self::Xml(_) => Tiers::default(),
        }
    }

    /// Gives each row to be looked at, to the end. Nothing is copied for rows like those before.
    ///
    /// # Errors
    /// What the input says.
    pub fn each(&mut self, mut look: impl FnMut(&ParsedRow)) -> io::Result<()> {
        while let Some(step) = self.step() {
            match step? {
                Step::Read(row) => look(&row),
                Step::Known(slot) => {
                    if let Some(row) = self.known(slot) {
                        look(row);
                    }
                }
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Option<io::Result<Step>> {
        match self {
            Self::Csv(reader) => reader.step(),
            Self::Json(body) => body.step().map(Ok),
            Self::Ndjson(reader) => reader.step(),
            Self::Events(events) => events.next().map(|row| Ok(Step::Read(Box::new(row)))),
            Self::Xml(reader) => reader.next().map(|row| row.map(|row| Step::Read(Box::new(row)))),
        }
    }

    fn known(&self, slot: usize) -> Option<&ParsedRow> {
        match self {
            Self::Csv(reader) => reader.known(slot),
            Self::Json(body) => body.fast.row(slot),
            Self::Ndjson(reader) => reader.fast.row(slot),
            Self::Events(_) | Self::Xml(_) => None,
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step()? {
            Ok(Step::Read(row)) => Some(Ok(*row)),
            Ok(Step::Known(slot)) => self.known(slot).cloned().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Constants of a request for formats without a mapping: fields that a row leaves out.
pub(crate) fn defaults(set: &BTreeMap<String, String>) -> Result<Vec<(Field, String)>, OpenError> {
    let mut fields = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in set {
        let Some(field) = Field::parse(name) else {
            let detail = format!("{name} is no field of an activity");
            let hint = Field::nearest(name).map(|near| format!("did you mean {near}?"));
            problems.push(
                FileProblem::new("validation_failed", detail)
                    .hint(hint.unwrap_or_else(|| "see the activity schema".to_owned())),
            );
            continue;
        };
        let mut draft = Draft::default();
        match draft.try_set(&field, Given::Cell(value)) {
            Ok(()) => fields.push((field, value.clone())),
            Err(problem) => problems.push(
                FileProblem::new("validation_failed", format!("{name}: {}", problem.detail))
                    .hint(problem.hint.unwrap_or_default()),
            ),
        }
    }
    if problems.is_empty() { Ok(fields) } else { Err(OpenError::File(problems)) }
}

/// Turns drafts into rows; remembers good words, which other rows mostly share.
#[derive(Default)]
pub(crate) struct Judge {
    /// A row of each, by the hash of its words.
    good: HashMap<u64, Activity>,
    state: RandomState,
}

/// How many different good words are remembered.
const GOOD_MAX: usize = 1_024;

impl Judge {
    /// Whether a row's words are good, and their hash.
    fn known(&self, activity: &Activity) -> (bool, u64) {
        let mut hasher = self.state.build_hasher();
        hash_words(activity, &mut hasher);
        let hash = hasher.finish();
        (self.good.get(&hash).is_some_and(|good| same_words(good, activity)), hash)
    }

    /// The row of a finished draft, judged by the schema's rules and the domain's.
    pub(crate) fn row(&mut self, draft: Draft, origin: Origin, place: RowPlace) -> ParsedRow {
        self.row_and_rest(draft, origin, place).0
    }

    /// The row, and of one that is rejected what could be read of it.
    pub(crate) fn row_and_rest(
        &mut self,
        draft: Draft,
        origin: Origin,
        place: RowPlace,
    ) -> (ParsedRow, Option<Activity>) {
        let mut parsed = parsed(place);
        parsed.external_id = draft.external_id().map(str::to_owned);
        parsed.ours = draft.ours;
        let rest = match draft.finish(origin.clone()) {
            Err(unfinished) => {
                parsed.activity = Err(located(unfinished.problems().to_vec(), place));
                Some(unfinished.read(origin))
            }
            Ok(activity) => self.judge(activity, &mut parsed, place),
        };
        (parsed, rest)
    }

    fn judge(
        &mut self,
        mut activity: Activity,
        parsed: &mut ParsedRow,
        place: RowPlace,
    ) -> Option<Activity> {
        // A row that takes another back may leave its words out: it has them from that one.
        let (good, words) = self.known(&activity);
        let known = good || activity.void && (activity.kind.is_empty() || activity.unit.is_empty());
        let mut problems = if known { Vec::new() } else { validate_words(&activity) };
        if !known && problems.is_empty() {
            if self.good.len() >= GOOD_MAX {
                self.good.clear();
            }
            self.good.insert(words, activity.clone());
        }
        problems.append(&mut validate_amounts(&activity));
        problems.truncate(PROBLEMS_MAX);
        if activity.void {
            // Nor need it say the rest of what a row of its type has to say.
            problems.retain(|problem| problem.code != RowCode::MissingField);
        }
        if rejects(&problems) {
            parsed.activity = Err(located(problems, place));
            return Some(activity);
        }
        if activity.external_id.is_none() {
            activity.flags.insert(Flag::NoExternalId);
        }
        if activity.data_kind.as_deref() == Some("estimated") {
            activity.flags.insert(Flag::Estimate);
        }
        if is_negative_balance(&activity) {
            activity.flags.insert(Flag::NegativeBalance);
        }
        parsed.quarantine = located(problems, place);
        parsed.activity = Ok(activity);
        None
    }
}

/// A row without content yet.
pub(crate) fn parsed(place: RowPlace) -> ParsedRow {
    let RowPlace { row, line, offset, length } = place;
    let (activity, quarantine) = (Err(Vec::new()), Vec::new());
    let (unclear, ours, external_id, columns) = (None, None, None, None);
    ParsedRow {
        activity,
        unclear,
        quarantine,
        ours,
        external_id,
        row,
        line,
        offset,
        length,
        columns,
    }
}

/// A row rejected for one reason.
pub(crate) fn rejected(
    problem: envora_domain::activities::problems::RowProblem,
    place: RowPlace,
) -> ParsedRow {
    let mut row = parsed(place);
    row.activity = Err(located(vec![problem], place));
    row
}

fn located(
    problems: Vec<envora_domain::activities::problems::RowProblem>,
    place: RowPlace,
) -> Vec<envora_domain::activities::problems::RowProblem> {
    problems.into_iter().map(|problem| problem.at(place.row, place.line)).collect()
}
