//! The head of a CSV file: byte order mark, preamble, delimiter, header and units row.

use std::io::Read;

use super::super::records::{Dialect, Mark, Records};
use super::super::utf16;
use super::super::{FileProblem, Format, OpenError, Opening};
use super::kept::KINDS;
use super::{OURS, text};
use crate::fields::{Field, NAMES};
use crate::mapping::values::Rule;
use crate::mapping::{Block, Encoding, FileStyle, Mapping, UnitsRow};

/// What the head says.
pub(super) struct Head {
    pub(super) mapping: Mapping,
    pub(super) header: Vec<String>,
    pub(super) units: Vec<String>,
}

/// Signs between cells that are tried where the mapping names none.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where the head's parts are.
pub(super) struct Frame {
    pub(super) header: Vec<String>,
    pub(super) units: Vec<String>,
    /// Where the header's line starts in the file.
    pub(super) header_at: u64,
    pub(super) dialect: Dialect,
    /// How its bytes are text: as the file's own mark says, else as the mapping does.
    pub(super) encoding: Encoding,
}

/// Steps over the head and finds its parts; `wanted` are the columns that help to find the delimiter.
pub(super) fn frame<R: Read>(
    records: &mut Records<R>,
    style: &FileStyle,
    wanted: &[&str],
) -> Result<Frame, OpenError> {
    let encoding = match marks(records)? {
        Mark::Utf16 => Encoding::Utf8,
        Mark::Absent | Mark::Utf8 => style.encoding,
    };
    for _ in 0..style.skip_lines {
        records.skip_line_whole().map_err(OpenError::Io)?;
    }
    let hinted = hint_line(records)?;
    let header_at = records.offset();
    let line = records.peek_line().map_err(OpenError::Io)?.to_vec();
    let delimiter = style.delimiter.or(hinted);
    let delimiter = delimiter.unwrap_or_else(|| sniff(&line, wanted, (style.quote, encoding)));
    let dialect = Dialect { delimiter, quote: style.quote };
    records.set_dialect(dialect);
    let header = names(records, encoding)?.ok_or_else(empty)?;
    let units = if style.units_row == UnitsRow::Present {
        names(records, encoding)?.unwrap_or_default()
    } else {
        Vec::new()
    };
    Ok(Frame { header, units, header_at, dialect, encoding })
}

/// Reads the head.
pub(super) fn read<R: Read>(
    records: &mut Records<R>,
    opening: &Opening,
    format: Format,
) -> Result<Head, OpenError> {
    let style = opening.mapping.as_ref().map_or_else(FileStyle::default, |own| own.file.clone());
    let mended = format == Format::Csv && is_mended(records)?;
    let style = match format {
        Format::Xlsx => of_sheet(style),
        _ if mended => of_mended(style),
        _ => style,
    };
    if !mended {
        declared(opening.mapping.as_deref(), format)?;
    }
    let wanted = wanted(opening.mapping.as_deref());
    let Frame { header, units, encoding, .. } = frame(records, &style, &wanted)?;
    over((header, units), FileStyle { encoding, ..style }, opening)
}

/// Reads the head of a Parquet file: the names of its columns.
pub(super) fn of_columns(header: Vec<String>, opening: &Opening) -> Result<Head, OpenError> {
    let style = opening.mapping.as_ref().map_or_else(FileStyle::default, |own| own.file.clone());
    declared(opening.mapping.as_deref(), Format::Parquet)?;
    over((header, Vec::new()), style, opening)
}

/// Finds the mapping of a header, with the constants that are set beside the file.
fn over(
    (header, units): (Vec<String>, Vec<String>),
    style: FileStyle,
    opening: &Opening,
) -> Result<Head, OpenError> {
    let mapping = match &opening.mapping {
        Some(mapping) => mapping.as_ref().clone(),
        None => {
            let set: Vec<Field> =
                opening.set.keys().filter_map(|name| Field::parse(name)).collect();
            plain(&header, &set).map_err(OpenError::File)?
        }
    };
    let mapping = mapping.with_constants(&opening.set).map_err(|error| {
        let problem = |problem: &crate::mapping::MappingProblem| {
            FileProblem::new(problem.code, format!("{}: {}", problem.at, problem.detail))
                .hint(problem.hint.clone().unwrap_or_default())
        };
        OpenError::File(error.problems.iter().map(problem).collect())
    })?;
    let mapping = Mapping { file: style, ..mapping };
    Ok(Head { mapping, header, units })
}

/// How the text of a sheet is written, whatever a mapping says that reads CSV as well.
pub(super) fn of_sheet(style: FileStyle) -> FileStyle {
    let Dialect { delimiter, quote } = Dialect::default();
    FileStyle { encoding: Encoding::Utf8, delimiter: Some(delimiter), quote, ..style }
}

/// Whether it is an error file of ours with rows of a Parquet file, whose first line is its header.
fn is_mended<R: Read>(records: &mut Records<R>) -> Result<bool, OpenError> {
    let line = records.peek_line().map_err(OpenError::Io)?;
    Ok(memchr::memmem::find(line, KINDS.as_bytes()).is_some())
}

/// How such an error file is written, whatever a mapping says that reads CSV as well. A spreadsheet may have
/// put other signs between its cells since.
fn of_mended(style: FileStyle) -> FileStyle {
    let delimiter = None;
    let (skip_lines, units_row) = (0, UnitsRow::Absent);
    FileStyle { delimiter, skip_lines, units_row, ..of_sheet(style) }
}

/// A mapping that says what it reads, reads nothing else.
fn declared(mapping: Option<&Mapping>, format: Format) -> Result<(), OpenError> {
    let Some(says) = mapping.and_then(|own| own.format).filter(|says| *says != format) else {
        return Ok(());
    };
    let (says, is) = (says.word(), format.word());
    let detail = format!("the mapping says format = {says:?}, and the file is {is}");
    let hint = "leave format out of the mapping, and it reads all of csv, xlsx and parquet";
    Err(FileProblem::new("validation_failed", detail).hint(hint).into())
}

/// The columns that a file should have.
pub(super) fn wanted(mapping: Option<&Mapping>) -> Vec<&str> {
    mapping.map_or_else(|| NAMES.to_vec(), Mapping::columns)
}

fn empty() -> OpenError {
    FileProblem::new("malformed_body", "the file is empty: it has no header")
        .hint("send a file whose first line names its columns")
        .into()
}

/// Steps over a byte order mark; refuses what is no text file.
fn marks<R: Read>(records: &mut Records<R>) -> Result<Mark, OpenError> {
    let start = records.peek(4).map_err(OpenError::Io)?;
    let refusal = if utf16::is_unmarked(start) {
        Some((
            "the file is UTF-16 without the mark that says so",
            "save it as UTF-8 (\"CSV UTF-8\" in a spreadsheet)",
        ))
    } else if start.starts_with(b"PK\x03\x04") {
        Some((
            "the file is a spreadsheet or an archive, not CSV",
            "name it .xlsx if it is a workbook, or export the sheet as CSV",
        ))
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Some(("the file is compressed", "unpack it, or say Content-Encoding: gzip"))
    } else {
        None
    };
    if let Some((detail, hint)) = refusal {
        return Err(FileProblem::new("malformed_body", detail).hint(hint).line(1).into());
    }
    records.mark().map_err(OpenError::Io)
}

/// Excel's own first line, `sep=;`: taken as what it is.
fn hint_line<R: Read>(records: &mut Records<R>) -> Result<Option<u8>, OpenError> {
    let line = records.peek_line().map_err(OpenError::Io)?;
    let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign] = *line else { return Ok(None) };
    records.skip_line_whole().map_err(OpenError::Io)?;
    Ok(Some(sign))
}

/// The delimiter that finds most of the wanted columns in the header.
fn sniff(line: &[u8], wanted: &[&str], (quote, encoding): (u8, Encoding)) -> u8 {
    let found = |delimiter: u8| {
        let mut records = Records::new(line, Dialect { delimiter, quote });
        let header = names(&mut records, encoding).ok().flatten().unwrap_or_default();
        header.iter().filter(|name| wanted.contains(&name.as_str())).count()
    };
    let mut best = (0, b',');
    for delimiter in DELIMITERS {
        let count = found(delimiter);
        if count > best.0 {
            best = (count, delimiter);
        }
    }
    if best.0 > 0 {
        return best.1;
    }
    // Nothing is found either way: the sign that is there most makes the clearer error.
    let count = |delimiter: &u8| memchr::memchr_iter(*delimiter, line).count();
    let mut most = (0, b',');
    for delimiter in &DELIMITERS {
        if count(delimiter) > most.0 {
            most = (count(delimiter), *delimiter);
        }
    }
    most.1
}

/// The names in the next record.
fn names<R: Read>(
    records: &mut Records<R>,
    encoding: Encoding,
) -> Result<Option<Vec<String>>, OpenError> {
    let Some(record) = records.read().map_err(OpenError::Io)? else { return Ok(None) };
    let broken = || {
        FileProblem::new("malformed_body", "the header cannot be read as text")
            .hint("save the file as UTF-8, or say encoding = \"windows-1252\" in the mapping")
            .line(record.line)
    };
    if record.fault.is_some() {
        return Err(broken().into());
    }
    let mut names = Vec::new();
    for place in 0..record.len() {
        let bytes = record.cell(place).unwrap_or_default();
        let name = match encoding {
            Encoding::Utf8 => text::utf8(bytes),
            Encoding::Windows1252 => text::windows_1252(bytes),
        };
        names.push(name.ok_or_else(broken)?.trim().to_owned());
    }
    Ok(Some(names))
}

/// The mapping of a file whose header names schema fields.
fn plain(header: &[String], set: &[Field]) -> Result<Mapping, Vec<FileProblem>> {
    let mut problems = Vec::new();
    let mut fields: Vec<(Field, Rule)> = Vec::new();
    for name in header.iter().filter(|name| !name.starts_with(OURS)) {
        match Field::parse(name) {
            Some(field) => fields.push((field, Rule::column(name))),
            None => {
                let near = Field::nearest(name).map(|near| format!("did you mean {near:?}?"));
                let hint = near.unwrap_or_else(|| {
                    "name the columns like the schema's fields, or send a mapping: `envora data map propose FILE` writes one".to_owned()
                });
                problems.push(
                    FileProblem::new(
                        "validation_failed",
                        format!("the column {name:?} is no field of an activity"),
                    )
                    .column(name)
                    .hint(hint)
                    .line(1),
                );
            }
        }
    }
    for field in [Field::Type, Field::Quantity, Field::Unit] {
        if !fields.iter().any(|(own, _)| *own == field) && !set.contains(&field) {
            let name = field.name().into_owned();
            problems.push(
                FileProblem::new("validation_failed", format!("the column {name:?} is missing"))
                    .column(name)
                    .hint("add the column, or send a mapping that gives it as a constant")
                    .line(1),
            );
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let block = Block {
        key: "1".to_owned(),
        when: None,
        period: None,
        fields,
        natural: None,
        zero_run_missing: None,
    };
    Ok(Mapping {
        name: String::new(),
        format: None,
        version: envora_domain::hash::Digest::of(b""),
        text: String::new(),
        file: FileStyle::default(),
        blocks: vec![block],
        skip_if: Vec::new(),
        unpivot: None,
    })
}
