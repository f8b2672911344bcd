//! The table as text: header, rows, cells; and its canonical form.

use super::columns::{COLUMNS, GAS, QUALIFIER, order};
use super::row::Row;
use super::{BYTES_MAX, FACTORS_MAX, Fault, FaultCode};
use crate::gwp::Gas;
use crate::words::did_you_mean;

/// A table of cells.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Record>,
}

/// A row: its cells, trimmed, as many as the header has.
pub(super) struct Record {
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

impl Table {
    /// The cell of a column; empty where the table has no such column.
    pub(super) fn cell<'a>(&self, record: &'a Record, name: &str) -> &'a str {
        let place = self.header.iter().position(|column| column == name);
        place.and_then(|place| record.cells.get(place)).map_or("", String::as_str)
    }
}

/// A fault of the table as a whole, or of a line before it can be told apart.
pub(super) fn whole(code: FaultCode, (row, line): (u64, u64), detail: String, hint: &str) -> Fault {
    let (column, value) = (None, None);
    Fault { code, row, line, column, value, detail, hint: hint.to_owned() }
}

pub(super) fn read(bytes: &[u8]) -> Result<Table, Vec<Fault>> {
    if bytes.len() > BYTES_MAX {
        let detail = format!("the table has more than {} MiB", BYTES_MAX >> 20);
        let hint = "split it into several packs";
        return Err(vec![whole(FaultCode::TooManyRows, (0, 0), detail, hint)]);
    }
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let detail = "the text is not UTF-8".to_owned();
        vec![whole(FaultCode::InvalidUtf8, (0, line), detail, "save the table as CSV UTF-8")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1_u64..).zip(text.lines());
    let mut lines = lines.by_ref().filter(|(_, line)| !is_blank(line));
    let Some((line, head)) = lines.next() else {
        let detail = "the table is empty".to_owned();
        let hint = "write a header and a row for each factor";
        return Err(vec![whole(FaultCode::MissingField, (0, 0), detail, hint)]);
    };
    let delimiter = delimiter(head);
    let header = cells(head, delimiter).unwrap_or_default();
    let mut faults = check_header(&header, line);
    let mut rows = Vec::new();
    for (number, (line, text)) in (1_u64..).zip(lines) {
        if rows.len() >= FACTORS_MAX {
            let detail = format!("a pack has at most {FACTORS_MAX} factors");
            let hint = "split it into several packs";
            faults.push(whole(FaultCode::TooManyRows, (number, line), detail, hint));
            break;
        }
        match cells(text, delimiter) {
            Some(cells) if cells.len() == header.len() => {
                rows.push(Record { row: number, line, cells });
            }
            Some(cells) => {
                let (has, due) = (cells.len(), header.len());
                let detail = format!("the row has {has} cells, the header {due}");
                let hint = "put texts that hold the delimiter in double quotes";
                faults.push(whole(FaultCode::MalformedRow, (number, line), detail, hint));
            }
            None => {
                let detail = "a double quote does not close on its line".to_owned();
                let hint = "close it, and write a quote inside a text twice";
                faults.push(whole(FaultCode::MalformedRow, (number, line), detail, hint));
            }
        }
    }
    if rows.is_empty() && faults.is_empty() {
        let detail = "the table has a header and no row".to_owned();
        faults.push(whole(FaultCode::MissingField, (0, 0), detail, "write a row for each factor"));
    }
    if faults.is_empty() { Ok(Table { header, rows }) } else { Err(faults) }
}

/// Lines of nothing but delimiters are what spreadsheets leave at the end; `#` begins a remark.
fn is_blank(line: &str) -> bool {
    let empty = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';');
    line.starts_with('#') || line.chars().all(empty)
}

/// What parts the cells: of comma, semicolon and tab, the one that the header has most of.
fn delimiter(head: &str) -> char {
    let count = |delimiter: &char| head.chars().filter(|letter| letter == delimiter).count();
    [';', '\t', ','].into_iter().max_by_key(count).unwrap_or(',')
}

/// The cells of a line, trimmed; `None` when a quote does not close on it.
fn cells(line: &str, delimiter: char) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cells.last_mut()?.push('"'),
            '"' => quoted = !quoted,
            letter if letter == delimiter && !quoted => cells.push(String::new()),
            _ => cells.last_mut()?.push(letter),
        }
    }
    let trimmed = cells.into_iter().map(|cell| cell.trim().to_owned()).collect();
    (!quoted).then_some(trimmed)
}

fn check_header(header: &[String], line: u64) -> Vec<Fault> {
    let fault = |code, column: &str, detail: String, hint: String| Fault {
        code,
        row: 0,
        line,
        column: Some(column.to_owned()),
        value: None,
        detail,
        hint,
    };
    let mut faults = Vec::new();
    for (place, name) in header.iter().enumerate() {
        if header.iter().take(place).any(|other| other == name) {
            let detail = format!("the column {name:?} is there twice");
            faults.push(fault(FaultCode::UnknownField, name, detail, "keep one".to_owned()));
        } else if let Some(hint) = unknown(name) {
            let detail = format!("there is no column {name:?}");
            faults.push(fault(FaultCode::UnknownField, name, detail, hint));
        }
    }
    for column in COLUMNS.iter().filter(|column| column.required) {
        if !header.iter().any(|name| name == column.name) {
            let detail = format!("the column {} is missing", column.name);
            let hint = format!("it says {}", column.says);
            faults.push(fault(FaultCode::MissingField, column.name, detail, hint));
        }
    }
    faults
}

/// What to do about a column that the format does not know.
fn unknown(name: &str) -> Option<String> {
    if let Some(gas) = name.strip_prefix(GAS) {
        let known = Gas::parse(gas).is_some_and(|gas| !gas.is_equivalent());
        let near = did_you_mean(gas, Gas::all().map(Gas::as_str));
        let hint = near.map_or_else(
            || "name a gas of the GWP tables, such as gas.CH4".to_owned(),
            |near| format!("did you mean {GAS}{near}?"),
        );
        return (!known).then_some(hint);
    }
    let of_qualifiers = name.strip_prefix(QUALIFIER).is_some_and(|rest| !rest.is_empty());
    if of_qualifiers || COLUMNS.iter().any(|column| column.name == name) {
        return None;
    }
    let near = did_you_mean(name, COLUMNS.iter().map(|column| column.name));
    Some(near.map_or_else(
        || "leave it out, or see the columns that a table of factors has".to_owned(),
        |near| format!("did you mean {near}?"),
    ))
}

/// The canonical text: only columns that are used, in their order; rows by key and first day; LF.
pub(super) fn canonical(table: &Table, name: &str, rows: &[Row]) -> String {
    let used = |column: &&String| {
        let place = table.header.iter().position(|other| other == *column);
        let filled = |record: &Record| {
            place.and_then(|place| record.cells.get(place)).is_some_and(|cell| !cell.is_empty())
        };
        !matches!(column.as_str(), "pack" | "valid_to" | "valid_through")
            && table.rows.iter().any(filled)
    };
    let mut columns: Vec<&str> = table.header.iter().filter(used).map(String::as_str).collect();
    columns.extend(["pack", "valid_to"]);
    columns.sort_by_key(|column| order(column));
    let mut text = columns.join(",");
    text.push('\n');
    for row in rows {
        let Some(record) = table.rows.iter().find(|record| record.row == row.row) else { continue };
        let cell = |column: &&str| match *column {
            "pack" => name.to_owned(),
            "valid_to" => row.body.valid_to.to_string(),
            column => quoted(table.cell(record, column)),
        };
        text.push_str(&columns.iter().map(cell).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', ';', '"', '\t']) || cell.starts_with('#') {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
