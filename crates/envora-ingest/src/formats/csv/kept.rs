//! Which of the rows with the same natural list a row was, in the file in which it was refused: its
//! error file says so, and a mended row gets the id that it has in that file (`docs/formats/row-id.md`).

use std::collections::BTreeMap;

use envora_domain::base32;

use super::super::sheet::{Cells, Mark};
use super::super::xlsx::{Kind, Told};
use super::OURS;

/// The name of the column, without what ours start with.
pub(super) const OCCURRENCE: &str = "occurrence";

/// Occurrences from here on are those of rows whose list could not be read when they were refused, or
/// is another now that they are mended: this, and the number of the row. No row of a file reaches it.
const UNLISTED: u64 = 1 << 32;

/// What stands before the mark of a list, so that no spreadsheet takes it for a number or a time.
const PREFIX: &str = "list_";

/// The name of the column that says what the cells of a row were in a Parquet file: a letter for each of the
/// columns that are not ours. Without it a number and a text of digits would look alike.
pub(super) const KINDS: &str = "_envora_kinds";

/// The letters of some kinds.
pub(super) fn letters(kinds: &[Kind]) -> String {
    let letter = |kind: &Kind| match kind {
        Kind::Text => 't',
        Kind::Number => 'n',
        Kind::Float => 'f',
        Kind::Time => 'd',
    };
    kinds.iter().map(letter).collect()
}

/// What the cell of that column says of the others.
pub(super) fn kinds(cells: &Cells<'_>, place: usize) -> Told {
    let kind = |letter: char| match letter {
        'n' => Kind::Number,
        'f' => Kind::Float,
        'd' => Kind::Time,
        _ => Kind::Text,
    };
    let text = cells.texts.get(place).map_or("", |cell| cell.as_ref());
    Told::of(text.chars().map(kind).collect(), Vec::new())
}

/// The cells of rows by their number.
pub(crate) type Places = BTreeMap<u64, Vec<String>>;

/// The cell of one activity of a row.
pub(super) fn place(mark: &Mark, occurrence: u64) -> String {
    format!("{PREFIX}{}:{occurrence}", base32::encode(*mark))
}

/// Where the columns are. Of an error file of an error file the first count: they are the first file's.
pub(super) struct Ours {
    row: usize,
    occurrence: usize,
}

impl Ours {
    /// The columns of this header, if it has both.
    pub(super) fn of(header: &[String]) -> Option<Self> {
        let place = |name: &str| {
            header.iter().position(|own| own.strip_prefix(OURS).is_some_and(|own| own == name))
        };
        Some(Self { row: place("row")?, occurrence: place(OCCURRENCE)? })
    }

    /// What a record says; nothing where it is not from an error file.
    pub(super) fn read(&self, cells: &Cells<'_>) -> Option<Kept> {
        let cell = |place: usize| cells.texts.get(place).map_or("", |cell| cell.as_ref());
        let row = cell(self.row).parse().ok()?;
        let place = |word: &str| {
            let (mark, occurrence) = word.strip_prefix(PREFIX)?.split_once(':')?;
            Some((base32::decode(mark)?, occurrence.parse().ok()?))
        };
        let places = cell(self.occurrence).split_whitespace().filter_map(place).collect();
        Some(Kept { row, places })
    }
}

/// What the error file says of a row.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    row: u32,
    places: Vec<(Mark, u32)>,
}

impl Kept {
    /// The occurrence of the activity whose natural cells have this mark.
    pub(super) fn occurrence(&self, mark: &Mark) -> u64 {
        let known = self.places.iter().find(|(own, _)| own == mark);
        known.map_or(UNLISTED + u64::from(self.row), |(_, occurrence)| u64::from(*occurrence))
    }
}
