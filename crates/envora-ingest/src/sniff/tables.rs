//! Looking at tables that are no text: a sheet of a workbook, whose cells say whether they are numbers or
//! times, and the columns of a Parquet file, which say what they hold.

use std::io::Read;

use super::columns::Holds;
use super::frame::{Frame, Row, WEIGHED_MAX};
use super::{Header, Look, LookError, Looking, NO_RECORD, Rival, SheetChoice};
use crate::formats::records::{Dialect, Records};
use crate::formats::xlsx::{self, Sheet, Wanted};
use crate::formats::{Format, parquet};

/// How many sheets of a workbook are looked at.
const SHEETS_MAX: usize = 12;
/// How many names of columns are told of a sheet.
const NAMES_TOLD: usize = 5;

/// Looks at the sheet of this name; else at all, and chooses the one that holds a table. Where several do,
/// the longest is looked at, and the others are named.
pub(super) fn workbook(input: impl Read, wanted: Option<&str>) -> Result<Look, LookError> {
    let (names, bytes) = xlsx::sheets(input)?;
    let of = names.len();
    if let Some(name) = wanted {
        let mut found = sheet(&bytes, name)?;
        let rivals = Vec::new();
        found.sheet = Some(SheetChoice { name: name.to_owned(), named: true, of, rivals });
        return Ok(found);
    }
    if of > SHEETS_MAX {
        let why = format!("the workbook has {of} sheets, and at most {SHEETS_MAX} are looked at");
        return Err(LookError::NoTable { why, remedy: NAME_ONE.to_owned() });
    }
    let [only] = names.as_slice() else { return longest(&bytes, &names) };
    let mut found = sheet(&bytes, only)?;
    let (named, rivals) = (false, Vec::new());
    found.sheet = Some(SheetChoice { name: only.clone(), named, of, rivals });
    Ok(found)
}

const NAME_ONE: &str = "name the sheet that is meant (--sheet NAME)";

fn longest(bytes: &[u8], names: &[String]) -> Result<Look, LookError> {
    let mut tables = Vec::new();
    for name in names {
        match sheet(bytes, name) {
            Ok(found) if is_table(&found) => tables.push((name, found)),
            // A sheet of notes is none that can be meant, nor is one that cannot be read.
            Ok(_) | Err(LookError::NoTable { .. }) => {}
            Err(error @ LookError::Io(_)) => return Err(error),
        }
    }
    tables.sort_by_key(|(_, found)| core::cmp::Reverse(found.records));
    let mut tables = tables.into_iter();
    let Some((name, mut found)) = tables.next() else {
        let listed: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let listed = listed.join(", ");
        let why = if names.is_empty() {
            "the workbook has no visible sheet".to_owned()
        } else {
            format!("no sheet holds a table with a header: {listed}")
        };
        return Err(LookError::NoTable { why, remedy: NAME_ONE.to_owned() });
    };
    let rival = |(name, found): (&String, Look)| Rival {
        name: name.clone(),
        rows: found.records,
        columns: found.columns.iter().take(NAMES_TOLD).map(|own| own.name.clone()).collect(),
    };
    let (name, of, rivals) = (name.clone(), names.len(), tables.map(rival).collect());
    found.sheet = Some(SheetChoice { name, named: false, of, rivals });
    Ok(found)
}

/// Whether a sheet is one of rows, and not of notes: its columns have names, and one holds numbers or times.
fn is_table(found: &Look) -> bool {
    let typed = |holds: Holds| match holds {
        Holds::Numbers(_) | Holds::Times(_) | Holds::Clock(_) => true,
        Holds::Nothing | Holds::Digits | Holds::Words => false,
    };
    found.header == Header::Named && found.columns.iter().any(|column| typed(column.holds()))
}

/// Looks at a sheet, from its first row to its last.
fn sheet(bytes: &[u8], name: &str) -> Result<Look, LookError> {
    let wanted = |skip_rows| Wanted { sheet: Some(name), skip_rows };
    let sheet = xlsx::sheet_of(bytes, wanted(0))?;
    let frame = Frame::of_rows(&first_rows(&sheet)?);
    if frame.columns == 0 {
        return Err(LookError::no_table(NO_RECORD));
    }
    let columns = frame.columns;
    let mut looking = Looking::new(frame, Format::Xlsx);
    let skipped = looking.look.skip_lines;
    // As it is read for good: rows that are stepped over are blank lines, whatever was in them.
    let sheet = if skipped > 0 { xlsx::sheet_of(bytes, wanted(skipped))? } else { sheet };
    let notes = sheet.notes();
    let mut records = Records::new(sheet.text(), Dialect::default());
    records.count_records();
    for _ in 0..skipped {
        records.skip_line_whole()?;
    }
    looking.names(&mut records)?;
    let mut hidden = 0_u64;
    while let Some(record) = records.read()? {
        if notes.hides(record.line).is_some() {
            hidden += 1;
            continue;
        }
        let mut cells = cells(&record);
        // A sheet has no cells after the last that is filled in.
        cells.resize(columns.max(cells.len()), String::new());
        let texts: Vec<_> = cells.iter().map(|cell| cell.as_str().into()).collect();
        looking.record(record.line, &cells, &notes.of(record.line, &texts));
    }
    let mut found = looking.end()?;
    if hidden > 0 {
        let why = "each will be refused: show them, or delete them if they are not meant";
        found.unread.push((format!("{hidden} hidden rows"), why.to_owned()));
    }
    let flawed = |column: &super::Column| match &column.flaws {
        (0, _) => None,
        (count, first) => Some((format!("{count} cells of {:?}", column.name), first.clone())),
    };
    let flawed: Vec<_> = found.columns.iter().filter_map(flawed).collect();
    found.unread.extend(flawed);
    Ok(found)
}

fn first_rows(sheet: &Sheet) -> Result<Vec<Row>, LookError> {
    let mut records = Records::new(sheet.text(), Dialect::default());
    records.count_records();
    let mut rows = Vec::new();
    while rows.len() < WEIGHED_MAX
        && let Some(record) = records.read()?
    {
        let cells = cells(&record);
        let texts: Vec<_> = cells.iter().map(|cell| cell.as_str().into()).collect();
        let told = sheet.notes().of(record.line, &texts);
        rows.push(Row::told(record.line, cells, |place| told.kind(place)));
    }
    Ok(rows)
}

fn cells(record: &crate::formats::records::Record<'_>) -> Vec<String> {
    let cell = |place| {
        let bytes = record.cell(place).unwrap_or_default();
        super::frame::decode(bytes, crate::mapping::Encoding::Utf8)
    };
    (0..record.len()).map(cell).collect()
}

/// Looks at the columns of a Parquet file, from the first row to the last.
pub(super) fn columns(input: impl Read) -> Result<Look, LookError> {
    let mut table = parquet::read(input)?;
    let mut looking = Looking::new(Frame::of_columns(table.header()), Format::Parquet);
    let unread = table.unread().map(|(name, what, remedy)| {
        (format!("the column {name:?} {what}"), format!("it is not read; {remedy}"))
    });
    looking.look.unread = unread.collect();
    table.select_all()?;
    while let Some((number, cells)) = table.next()? {
        let texts: Vec<String> = cells.texts.iter().map(|cell| cell.trim().to_owned()).collect();
        looking.record(number, &texts, &cells.told);
    }
    looking.end()
}

#[cfg(test)]
mod tests {
    use super::super::look_at;
    use super::*;

    #[test]
    fn a_sheet_is_named_of_workbooks_alone() {
        let error = look_at(b"site,kWh\nA,1\n".as_slice(), Some("2024")).unwrap_err();
        assert!(error.to_string().contains("no workbook"), "{error}");
        let error = columns(b"PAR1".as_slice()).unwrap_err();
        assert!(matches!(error, LookError::NoTable { .. }), "{error}");
    }
}
