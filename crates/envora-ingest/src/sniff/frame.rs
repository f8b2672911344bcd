//! The frame of a table of text: encoding, the signs between and around cells, and which lines before
//! the first row are something else.

use std::collections::BTreeMap;

use envora_domain::units::{self, AliasSet};

use super::cells::{Look, clock, look};
use crate::formats::csv::text;
use crate::formats::records::{Dialect, Records};
use crate::formats::xlsx::Kind;
use crate::mapping::Encoding;

/// How many records of the head are weighed.
pub(super) const WEIGHED_MAX: usize = 200;
/// How many lines before the header are looked through.
pub(super) const PREAMBLE_MAX: usize = 20;
/// Signs that may stand between cells.
const DELIMITERS: [u8; 5] = [b',', b';', b'\t', b'|', b'$'];

/// A record of the head.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
    /// What each cell looks like.
    looks: Vec<Look>,
}

/// Where the parts of the head are.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) delimiter: u8,
    /// Another sign that makes nearly as good a table.
    pub(super) rival: Option<u8>,
    /// Excel's own first line, `sep=;`.
    pub(super) declared: bool,
    /// Physical lines before the header, blank ones too.
    pub(super) skip_lines: u64,
    /// Nothing where the first record is a row already.
    pub(super) header: Option<Vec<String>>,
    pub(super) units: Option<Vec<String>>,
    pub(super) columns: usize,
}

/// Text of a cell in an encoding, trimmed; what is no text in it stands as `?`.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> String {
    let decoded = match encoding {
        Encoding::Utf8 => text::utf8(bytes),
        Encoding::Windows1252 => text::windows_1252(bytes),
    };
    let decoded = decoded.unwrap_or_else(|| String::from_utf8_lossy(bytes));
    decoded.trim_matches([' ', '\t']).to_owned()
}

/// The head's records, read with one sign between cells.
fn rows(head: &[u8], delimiter: u8, encoding: Encoding) -> Vec<Row> {
    let mut records = Records::new(head, Dialect { delimiter, quote: b'"' });
    let mut rows = Vec::new();
    while let Ok(Some(record)) = records.read() {
        if record.fault.is_none() {
            let cell = |place| decode(record.cell(place).unwrap_or_default(), encoding);
            let cells: Vec<String> = (0..record.len()).map(cell).collect();
            let looks = cells.iter().map(|cell| look(cell)).collect();
            rows.push(Row { line: record.line, cells, looks });
        }
        if rows.len() == WEIGHED_MAX {
            break;
        }
    }
    rows
}

/// How good a table the records are, from 0 to 1,000,000: how alike their lengths are, times how many
/// of their cells look like one thing (G.J.J. van den Burg, 2019).
fn score(rows: &[Row]) -> u64 {
    let mut patterns: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut cells, mut clear) = (0_u64, 0_u64);
    for row in rows {
        *patterns.entry(row.cells.len()).or_default() += 1;
        for look in &row.looks {
            cells += 1;
            clear += u64::from(*look != Look::Joined);
        }
    }
    let weight =
        |(length, count): (&usize, &u64)| count * (*length as u64 - 1) * 1000 / *length as u64;
    let total: u64 = patterns.iter().map(weight).sum();
    let alike = total / (rows.len().max(1) * patterns.len().max(1)) as u64;
    alike * clear * 1000 / cells.max(1)
}

impl Row {
    /// A row of a sheet, of which more is known than its text.
    pub(super) fn told(line: u64, cells: Vec<String>, kind: impl Fn(usize) -> Kind) -> Self {
        let looks = cells.iter().enumerate().map(|(place, cell)| match kind(place) {
            _ if cell.is_empty() => Look::Blank,
            Kind::Number | Kind::Float => Look::Number,
            Kind::Time if clock(cell).is_some() => Look::Clock,
            Kind::Time => Look::Time,
            Kind::Text => look(cell),
        });
        let looks = looks.collect();
        Self { line, cells, looks }
    }
}

impl Frame {
    /// The frame of columns that are named and typed.
    pub(super) fn of_columns(header: Vec<String>) -> Self {
        let columns = header.len();
        Self { header: Some(header), columns, ..Self::of_rows(&[]) }
    }

    /// Where the parts of a sheet's head are, from its first rows.
    pub(super) fn of_rows(rows: &[Row]) -> Self {
        let (place, named) = header(rows, width(rows));
        let columns = rows.get(place).filter(|_| named).map_or(width(rows), |row| row.cells.len());
        let line = rows.get(place).map_or(1, |row| row.line);
        let skip_lines = if named { line - 1 } else { 0 };
        let cells = |place: usize| rows.get(place).map(|row| row.cells.clone());
        let header = if named { cells(place) } else { None };
        let units = cells(place + 1).filter(|_| named && is_units(rows, place + 1, columns));
        let (delimiter, rival, declared) = (b',', None, false);
        Self { delimiter, rival, declared, skip_lines, header, units, columns }
    }

    /// Finds the frame from the first bytes of a file, mark left off.
    pub(super) fn find(head: &[u8], encoding: Encoding) -> Self {
        let declared = match head {
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign, b'\r' | b'\n', ..] => Some(*sign),
            _ => None,
        };
        let after = memchr::memchr(b'\n', head).map_or(head.len(), |end| end + 1);
        let body = if declared.is_some() { head.get(after..).unwrap_or_default() } else { head };
        let mut tables: Vec<(u64, u8, Vec<Row>)> = DELIMITERS
            .iter()
            .filter(|sign| declared.is_none_or(|declared| declared == **sign))
            .map(|sign| (rows(body, *sign, encoding), *sign))
            .map(|(rows, sign)| (score(&rows), sign, rows))
            .collect();
        tables.sort_by_key(|(score, ..)| core::cmp::Reverse(*score));
        let rival = match tables.as_slice() {
            [(best, ..), (second, sign, _), ..] if *second * 10 >= *best * 9 && *best > 0 => {
                Some(*sign)
            }
            _ => None,
        };
        let best = tables.into_iter().next();
        let (_, delimiter, rows) = best.unwrap_or((0, declared.unwrap_or(b','), Vec::new()));
        Self { delimiter, rival, declared: declared.is_some(), ..Self::of_rows(&rows) }
    }
}

/// The number of cells that most records have; the larger of two that are as many.
fn width(rows: &[Row]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.cells.len()).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(length, count)| (*count, *length))
        .map_or(0, |(length, _)| length)
}

/// Where the header is among the first records, and whether there is one: the first full record that
/// has words over every column in which the rows below have numbers and times.
fn header(rows: &[Row], columns: usize) -> (usize, bool) {
    let full = |row: &Row| {
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        // The rows may end with a sign that the header leaves out.
        row.cells.len() + 1 >= columns && filled * 2 > columns
    };
    let places = rows.iter().take(PREAMBLE_MAX + 1).enumerate().filter(|(_, row)| full(row));
    let mut first = None;
    for (place, row) in places {
        first.get_or_insert(place);
        let below = typed(rows.get(place + 1..).unwrap_or_default(), columns);
        // Names of intervals look like times of day: a header may hold them.
        let names = |look: &Look| matches!(look, Look::Words | Look::Joined | Look::Clock);
        let over = row.looks.iter().zip(&below).filter(|(_, typed)| **typed);
        let (mut typed, mut named, mut values) = (0, 0, 0);
        for (look, _) in over {
            typed += 1;
            named += usize::from(names(look));
            values += usize::from(!names(look) && *look != Look::Blank);
        }
        let alone = rows.len() == place + 1;
        let words = row.looks.iter().all(|look| *look == Look::Blank || names(look));
        if (values == 0 && named * 2 > typed) || ((typed == 0 || alone) && words) {
            return (place, true);
        }
    }
    (first.unwrap_or(0), false)
}

/// Of each column, whether most of its cells are numbers or times.
fn typed(rows: &[Row], columns: usize) -> Vec<bool> {
    let column = |place: usize| {
        let (mut filled, mut typed) = (0, 0);
        for look in rows.iter().filter_map(|row| row.looks.get(place)) {
            filled += usize::from(!matches!(look, Look::Blank | Look::Null));
            typed += usize::from(matches!(look, Look::Number | Look::Time | Look::Clock));
        }
        typed * 2 > filled
    };
    (0..columns).map(column).collect()
}

/// Whether a record names units: no number in it, and a unit over a column of numbers.
fn is_units(rows: &[Row], place: usize, columns: usize) -> bool {
    let Some(row) = rows.get(place) else { return false };
    let below = typed(rows.get(place + 1..).unwrap_or_default(), columns);
    let plain = |look: &Look| matches!(look, Look::Words | Look::Joined | Look::Blank);
    let over = row.cells.iter().zip(below).filter(|(_, typed)| *typed);
    let units = over.filter(|(cell, _)| is_unit(cell.trim_matches(['[', ']', '(', ')']))).count();
    row.looks.iter().all(plain) && units > 0
}

/// Whether a word is a unit, or several.
pub(super) fn is_unit(word: &str) -> bool {
    use units::UnitError::Ambiguous;
    !word.is_empty() && matches!(units::lookup(word, AliasSet::None), Ok(_) | Err(Ambiguous { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Frame {
        Frame::find(text.as_bytes(), Encoding::Utf8)
    }

    #[test]
    fn the_sign_between_cells_is_found() {
        let sign = |text: &str| char::from(find(text).delimiter);
        assert_eq!(sign("a;b;c\n2013-01-01 00:00;0,00000;1,5\n2013-01-02 00:00;0,1;1,5\n"), ';');
        assert_eq!(sign("date,kWh\n2019-08-26,14.4\n2019-08-27,15\n"), ',');
        assert_eq!(sign("date\tnote\tkWh\n2019-08-26\ta, b\t14,4\n2019-08-27\tc, d\t15,1\n"), '\t');
        assert_eq!(sign("sep=;\r\nMPR;kWh\r\n1;2\r\n"), ';');
    }

    #[test]
    fn lines_before_the_header_are_stepped_over() {
        let frame = find(
            "Wasser;19.09.24;\n;;\nDatum;Zeit;Stand\n29.10.22;11:39;381,000\n21.12.22;16:55;389,000\n",
        );
        assert_eq!(frame.skip_lines, 2);
        assert_eq!(frame.header.expect("a header"), ["Datum", "Zeit", "Stand"]);
        let frame = find("Report of 2024\n\nmeter,kWh\nA,1\nB,2\nC,3\n");
        assert_eq!((frame.skip_lines, frame.columns), (2, 2));
    }

    #[test]
    fn a_row_of_units_is_found() {
        let frame = find("date,use,note\n,kWh,\n2024-01-01,1.5,x\n2024-01-02,2.5,y\n");
        assert_eq!(frame.units.expect("units"), ["", "kWh", ""]);
        assert_eq!(find("date,use\n2024-01-01,1.5\n2024-01-02,2.5\n").units, None);
    }

    #[test]
    fn a_table_without_a_header_is_told() {
        let frame = find("2200013680374,01/04/17,5.7,5.6\n2200013680374,02/04/17,5.4,5.8\n");
        assert_eq!(frame.header, None);
        let wide = find(
            "MPAN,Date,00:00,00:30\n2200013680374,01/04/17,5.7,5.6\n2200013680374,02/04/17,5.4,5.8\n",
        );
        assert!(wide.header.is_some());
    }
}
