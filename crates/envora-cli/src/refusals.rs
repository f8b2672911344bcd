//! Rows that were not taken as they stand: like ones together, each kind shown once on its first line.

use std::collections::BTreeMap;

use envora_api::problems::RowError;
use envora_domain::decimal::group_thousands;

use crate::failures::row_error_view;
use crate::terminal::Channel;

/// How many kinds are shown.
const KINDS_SHOWN: usize = 50;
/// How many lines of a kind are named.
const LINES_LISTED_MAX: usize = 5;
/// How many of its columns.
const COLUMNS_LISTED_MAX: usize = 5;

/// What makes two errors alike: code, place within the row, detail where there is no remedy, remedy;
/// both without what is the row's own.
type Likeness = (String, String, String);

/// Like errors.
struct Kind {
    first: RowError,
    text: Option<String>,
    lines: Vec<u64>,
    /// Its columns, where it is of several.
    columns: Vec<String>,
    times: u64,
}

/// Errors of one file, gathered by kind in the order they come.
#[derive(Default)]
pub struct Refusals {
    places: BTreeMap<Likeness, usize>,
    kinds: Vec<Kind>,
}

impl Refusals {
    /// Adds an error; `text` gives the line it is on, and is called for the first of a kind.
    pub fn add(&mut self, error: &RowError, text: impl FnOnce() -> Option<String>) {
        let line = error.row.map(|row| row.line);
        let likeness = likeness(error);
        if let Some(kind) = self.places.get(&likeness).and_then(|at| self.kinds.get_mut(*at)) {
            kind.times += 1;
            if kind.lines.len() < LINES_LISTED_MAX && kind.lines.last() != line.as_ref() {
                kind.lines.extend(line);
            }
            if let Some(column) = &error.column
                && kind.columns.len() < COLUMNS_LISTED_MAX
                && !kind.columns.contains(column)
            {
                kind.columns.push(column.clone());
            }
            return;
        }
        self.places.insert(likeness, self.kinds.len());
        let (first, lines) = (error.clone(), line.into_iter().collect());
        let columns = error.column.iter().cloned().collect();
        self.kinds.push(Kind { first, text: text(), lines, columns, times: 1 });
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Shows each kind; `file` stands before the line.
    pub fn print(&self, file: &str, to: &mut Channel) {
        self.print_first(None, file, to);
    }

    /// The same of the first so many rows of more.
    pub fn print_first(&self, rows: Option<u64>, file: &str, to: &mut Channel) {
        for kind in self.kinds.iter().take(KINDS_SHOWN) {
            let place = match (file, kind.lines.first()) {
                ("", Some(line)) => format!("line {line}"),
                (file, Some(line)) => format!("{file}:{line}"),
                (file, None) => file.to_owned(),
            };
            let text = kind.text.as_deref().or(kind.first.value.as_deref()).unwrap_or_default();
            let view = row_error_view(to.paint, &place, &kind.first, text, &kind.others(rows));
            to.error(view);
        }
        let more = self.kinds.len().saturating_sub(KINDS_SHOWN);
        if more > 0 {
            to.error(format!("  … and {more} more kinds of problems\n"));
        }
    }
}

impl Kind {
    /// On which other lines the same is wrong: nothing when on none.
    fn others(&self, rows: Option<u64>) -> String {
        if self.times < 2 {
            return String::new();
        }
        let lines: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        let listed = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let more = if listed < self.times { ", …" } else { "" };
        let times = group_thousands(&self.times.to_string());
        let among = rows.map(|rows| {
            let rows = group_thousands(&rows.to_string());
            format!(" among the first {rows} rows that are told")
        });
        let among = among.unwrap_or_default();
        let columns = match self.columns.as_slice() {
            [] | [_] => String::new(),
            several => format!(" in columns such as {}", several.join(", ")),
        };
        format!("{times} times{among}{columns}, on lines {}{more}", lines.join(", "))
    }
}

fn likeness(error: &RowError) -> Likeness {
    let field = error.column.as_deref().or(error.pointer.as_deref()).unwrap_or_default();
    // A pointer into a list of rows names the row, too.
    let field: String = field.split('/').filter(|part| part.parse::<u64>().is_err()).collect();
    // Without a remedy the detail is all there is to tell two kinds apart.
    let remedy = error.hint.as_deref().unwrap_or(&error.detail);
    let remedy = match error.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => remedy.replace(value, "\u{0}"),
        None => remedy.to_owned(),
    };
    // `1e3 is 1000` and `2e5 is 200000` are one remedy.
    (error.code.clone(), field, remedy.replace(|letter: char| letter.is_ascii_digit(), ""))
}

/// Bytes as text; those that are none, and control characters, as escapes.
#[must_use]
pub fn as_it_stands(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            let _ok = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A line of a file, from 1, as it stands there.
#[must_use]
pub fn line_of(bytes: &[u8], line: u64) -> Option<String> {
    let place = usize::try_from(line.checked_sub(1)?).ok()?;
    let text = bytes.split(|byte| *byte == b'\n').nth(place)?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Some(as_it_stands(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use envora_api::problems::{RowError, RowPlace};

    use super::{Refusals, as_it_stands, line_of};

    #[test]
    fn a_line_is_shown_as_it_stands() {
        assert_eq!(as_it_stands(b"1,\"a\",caf\xe9\x07"), "1,\"a\",caf\\xe9\\u{7}");
        assert_eq!(as_it_stands("Zähler 2".as_bytes()), "Zähler 2");
        assert_eq!(line_of(b"a\r\n{\"b\":1}\n", 2).as_deref(), Some("{\"b\":1}"));
        assert_eq!(line_of(b"a\n", 9), None);
    }

    #[test]
    fn like_errors_are_one_kind() {
        let error = |line: u64, value: &str, hint: &str| RowError {
            code: "not_a_number".to_owned(),
            row: Some(RowPlace { record: line - 1, line }),
            column: Some("quantity".to_owned()),
            value: Some(value.to_owned()),
            hint: Some(hint.to_owned()),
            ..RowError::default()
        };
        let mut refusals = Refusals::default();
        refusals.add(&error(2, "1e3", "1e3 is 1000"), || None);
        refusals.add(&error(4, "2e5", "2e5 is 200000"), || None);
        refusals.add(&error(5, "x", "leave it out"), || None);
        assert_eq!(refusals.kinds.len(), 2);
        assert_eq!(refusals.kinds[0].others(None), "2 times, on lines 2, 4");
        assert_eq!(
            refusals.kinds[0].others(Some(1_000)),
            "2 times among the first 1,000 rows that are told, on lines 2, 4"
        );
        // Two faults of one cell without remedies are two kinds: each has its own text.
        let mut refusals = Refusals::default();
        for detail in ["it has control characters", "a code is 1 to 64 letters"] {
            let detail = detail.to_owned();
            refusals.add(&RowError { detail, hint: None, ..error(2, "a", "") }, || None);
        }
        assert_eq!(refusals.kinds.len(), 2);
    }
}
