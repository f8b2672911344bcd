//! What a single cell looks like.

use super::numbers::STYLES;
use super::{numbers, times};
use crate::mapping::times::{Format, read_iso};

/// What a cell looks like by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Blank,
    /// A word that says "no value".
    Null,
    Number,
    /// A day, or a day and a time.
    Time,
    /// A time of day alone.
    Clock,
    Words,
    /// Words with a sign in them that often stands between cells.
    Joined,
}

/// Words that say "no value", as utilities and spreadsheets write it.
pub(super) const NULLS: [&str; 16] = [
    "n/a",
    "na",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "-",
    "--",
    "?",
    "not applicable",
    "not available",
    "no data",
    "missing",
    "k.a.",
    "n.v.t.",
];

/// What a cell looks like.
pub(super) fn look(cell: &str) -> Look {
    if cell.is_empty() {
        return Look::Blank;
    }
    if is_null(cell) {
        return Look::Null;
    }
    if STYLES.iter().any(|style| numbers::read(*style, cell).is_some()) {
        return Look::Number;
    }
    if clock(cell).is_some() {
        return Look::Clock;
    }
    if read_iso(cell).is_some() || times::Times::default().take(0, cell) {
        return Look::Time;
    }
    if cell.contains([',', ';', '\t', '|']) { Look::Joined } else { Look::Words }
}

/// Whether a cell says "no value".
pub(super) fn is_null(cell: &str) -> bool {
    NULLS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// The format of a cell that is a time of day alone, and whether its hour has one digit.
pub(super) fn clock(cell: &str) -> Option<(String, bool)> {
    // With points between, `29.10.22` would be one.
    let mut loose = [false; 3];
    let format = times::time_of_day(cell, &mut loose).filter(|_| cell.contains(':'))?;
    let whole = Format::parse(&format!("YYYY-MM-DD {format}")).ok()?;
    whole.read(&format!("2024-01-01 {cell}"))?;
    Some((format, loose[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart() {
        for (cell, want) in [
            ("", Look::Blank),
            ("N/A", Look::Null),
            ("-", Look::Null),
            ("1'234.5", Look::Number),
            ("-3", Look::Number),
            ("24:00", Look::Clock),
            ("7:05", Look::Clock),
            ("25:00", Look::Words),
            ("26 Aug 2019 00:30:00", Look::Time),
            ("31/12/2022", Look::Time),
            ("Depot Nord", Look::Words),
            ("00000;0", Look::Joined),
        ] {
            assert_eq!(look(cell), want, "{cell}");
        }
    }
}
