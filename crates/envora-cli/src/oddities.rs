//! What is odd in a series of readings: seen, said, and not judged.
//!
//! Nothing here mends, drops or converts a reading. Each finding is computed from the file's own
//! bytes and names the line to look at. All arithmetic is on integers.

use envora_domain::decimal::{Decimal, group_thousands};

use crate::tables::Table;

/// A run of zeros is worth a word from so many readings on.
pub const ZERO_RUN: usize = 24;
/// A jump after zeros is looked at when so many readings were 0 before it.
const GAP: usize = 6;
/// How many readings on each side are the neighbourhood of a jump: a week of hours.
const WEEK: usize = 168;
/// How many times the usual a jump is.
const JUMP: i128 = 3;
/// One and the same value other than 0, so many times in a row, is worth a word.
const FLAT_RUN: usize = 48;

/// One reading of a series.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The physical line, from 1.
    pub line: u64,
    /// Its time, as written; seconds that are none left out.
    pub at: String,
    /// Its value.
    pub value: Decimal,
}

/// What kind of oddity it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Zeros that may mean "not read".
    Zeros,
    /// A jump right after zeros, as when a meter catches up.
    CatchUp,
    /// Whole numbers in an estate that has decimals: another unit?
    WholeNumbers,
    /// The same value again and again: a stuck meter?
    Flat,
}

impl Kind {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Zeros => "zeros for a day or longer",
            Self::CatchUp => "a jump right after zeros",
            Self::WholeNumbers => "whole numbers only",
            Self::Flat => "one value for two days",
        }
    }

    /// What it may mean.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Zeros => "not read, or truly nothing?",
            Self::CatchUp => "a meter catching up?",
            Self::WholeNumbers => "m³ under a heading that says kWh?",
            Self::Flat => "a stuck meter?",
        }
    }
}

/// Something odd in one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What kind.
    pub kind: Kind,
    /// The series.
    pub series: String,
    /// How often.
    pub times: usize,
    /// The most striking one, with its line.
    pub example: String,
}

/// The readings of a file of two columns, time and value, under one header line. Lines that are no
/// such thing are left out: they are the import's business.
#[must_use]
pub fn readings(bytes: &[u8]) -> Vec<Reading> {
    let text = String::from_utf8_lossy(bytes);
    let reading = |(place, line): (usize, &str)| {
        let (at, value) = line.trim_end_matches('\r').split_once(',')?;
        let value = Decimal::parse(value).ok()?;
        let at = at.strip_suffix(":00").filter(|at| at.contains(':')).unwrap_or(at);
        Some(Reading { line: u64::try_from(place).ok()? + 1, at: at.to_owned(), value })
    };
    text.lines().enumerate().skip(1).filter_map(reading).collect()
}

/// What is odd in these series, by kind.
#[must_use]
pub fn find(all: &[(String, Vec<Reading>)]) -> Vec<Oddity> {
    let fraction = |readings: &[Reading]| readings.iter().any(|reading| !is_whole(reading.value));
    let others_have_decimals =
        all.iter().filter(|(_, readings)| fraction(readings)).count() * 2 > all.len();
    let mut found = Vec::new();
    for (series, readings) in all {
        let values: Vec<i128> = readings.iter().map(|reading| millionths(reading.value)).collect();
        let mut add = |kind, hits: Vec<(usize, String)>| {
            if let Some((_, example)) = hits.iter().max_by_key(|(weight, _)| *weight) {
                let (times, example) = (hits.len(), example.clone());
                found.push(Oddity { kind, series: series.clone(), times, example });
            }
        };
        add(Kind::Zeros, zeros(readings, &values));
        add(Kind::CatchUp, catch_ups(readings, &values));
        add(Kind::Flat, flats(readings, &values));
        if others_have_decimals && readings.len() > 1 && !fraction(readings) {
            add(Kind::WholeNumbers, vec![(0, whole(readings))]);
        }
    }
    found.sort_by_key(|oddity| oddity.kind);
    found
}

/// The findings as a table.
#[must_use]
pub fn table(found: &[Oddity]) -> Table {
    let mut table = Table::new(&["seen", ">times", "source", "most striking", "question"]);
    for oddity in found {
        let (times, kind) = (oddity.times.to_string(), oddity.kind);
        table.row([kind.text(), &times, &oddity.series, &oddity.example, kind.question()]);
    }
    table
}

fn is_whole(value: Decimal) -> bool {
    value.normalized().scale() == 0
}

/// A value in a unit small enough for whole numbers: millionths. What is finer is cut, for comparing only.
fn millionths(value: Decimal) -> i128 {
    let scale = i32::from(value.scale()) - 6;
    let power = 10_i128.checked_pow(scale.unsigned_abs()).unwrap_or(i128::MAX);
    if scale > 0 { value.mantissa() / power } else { value.mantissa().saturating_mul(power) }
}

/// The runs of equal values: where each begins, how long it is.
fn runs(values: &[i128]) -> impl Iterator<Item = (usize, usize, i128)> + '_ {
    let mut from = 0;
    values.chunk_by(|a, b| a == b).map(move |run| {
        let began = from;
        from += run.len();
        (began, run.len(), run.first().copied().unwrap_or(0))
    })
}

fn zeros(readings: &[Reading], values: &[i128]) -> Vec<(usize, String)> {
    let long = runs(values).filter(|(_, length, value)| *value == 0 && *length >= ZERO_RUN);
    long.filter_map(|(began, length, _)| {
        let first = readings.get(began)?;
        Some((length, format!("{length} from {} (line {})", first.at, first.line)))
    })
    .collect()
}

fn flats(readings: &[Reading], values: &[i128]) -> Vec<(usize, String)> {
    let long = runs(values).filter(|(_, length, value)| *value != 0 && *length >= FLAT_RUN);
    long.filter_map(|(began, length, _)| {
        let first = readings.get(began)?;
        let text = format!("{} × {length} from {} (line {})", first.value, first.at, first.line);
        Some((length, text))
    })
    .collect()
}

fn catch_ups(readings: &[Reading], values: &[i128]) -> Vec<(usize, String)> {
    let gaps = runs(values).filter(|(_, length, value)| *value == 0 && *length >= GAP);
    gaps.filter_map(|(began, length, _)| {
        let place = began + length;
        let (jump, value) = (readings.get(place)?, values.get(place)?);
        let before = values.get(began.saturating_sub(WEEK)..began).unwrap_or_default();
        let after = values.get(place + 1..(place + 1 + WEEK).min(values.len())).unwrap_or_default();
        let mut near: Vec<i128> =
            before.iter().chain(after).copied().filter(|value| *value != 0).collect();
        near.sort_unstable();
        let (usual, highest) = (*near.get(near.len() / 2)?, *near.last()?);
        let odd = *value >= usual.saturating_mul(JUMP) && *value > highest;
        let times = usize::try_from(value / usual.max(1)).unwrap_or(usize::MAX);
        let text = format!(
            "{} at {} (line {}), {} × the usual",
            jump.value,
            jump.at,
            jump.line,
            ratio(*value, usual)
        );
        odd.then_some((times, text))
    })
    .collect()
}

/// `a / b` with one digit after the point, cut.
fn ratio(a: i128, b: i128) -> String {
    let tenths = a.saturating_mul(10) / b.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn whole(readings: &[Reading]) -> String {
    let sum: i128 = readings.iter().map(|reading| millionths(reading.value)).sum();
    let sum = Decimal::new(sum, 6).map(|sum| sum.normalized().to_string()).unwrap_or_default();
    let sum = group_thousands(&sum);
    format!("all {} readings; {sum} in sum", group_thousands(&readings.len().to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Kind, find, readings};

    fn series(name: &str, values: impl Iterator<Item = String>) -> (String, Vec<super::Reading>) {
        let lines: String =
            values.enumerate().map(|(hour, value)| format!("h{hour},{value}\n")).collect();
        (name.to_owned(), readings(format!("time,value\n{lines}").as_bytes()))
    }

    #[test]
    fn odd_stretches_are_named_with_their_lines() {
        let usual = || (0..300).map(|hour| format!("10.{}", hour % 7));
        let gap = || (0..24).map(|_| "0.0".to_owned());
        let odd = usual().chain(gap()).chain(["99.5".to_owned()]).chain(usual());
        let flat = (0..50).map(|_| "7.5".to_owned()).chain(usual());
        let whole = (0..100).map(|hour| format!("{}.0", hour % 5 + 1));
        let found = find(&[
            series("odd", odd),
            series("flat", flat),
            series("whole", whole),
            series("plain", usual()),
        ]);
        let short: Vec<(Kind, &str, &str)> = found
            .iter()
            .map(|oddity| (oddity.kind, oddity.series.as_str(), oddity.example.as_str()))
            .collect();
        assert_eq!(
            short,
            [
                (Kind::Zeros, "odd", "24 from h300 (line 302)"),
                (Kind::CatchUp, "odd", "99.5 at h324 (line 326), 9.6 × the usual"),
                (Kind::WholeNumbers, "whole", "all 100 readings; 300 in sum"),
                (Kind::Flat, "flat", "7.5 × 50 from h0 (line 2)"),
            ]
        );
    }

    #[test]
    fn a_plain_series_has_nothing_odd() {
        let plain = (0..500).map(|hour| format!("{}.{}", hour % 24, hour % 10));
        assert_eq!(find(&[series("plain", plain)]), []);
    }
}
