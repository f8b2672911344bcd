//! What a column holds, found from all of its cells.

use std::collections::BTreeMap;

use super::cells::{clock, is_null};
use super::numbers::{Numbers, Reading, Witness};
use super::times::Times;
use crate::formats::xlsx::Kind;
use crate::mapping::numbers::NumberStyle;

/// How many different texts of a column are kept.
const TEXTS_MAX: usize = 40;
/// How many cells a column shows.
const SHOWN_MAX: usize = 3;

/// How many numbers it takes to see that they only ever go one way.
const COUNTED_MIN: u64 = 24;
/// How many of them are larger, or smaller, than the one before at least: a few amounts may well rise.
const MOVES_MIN: u64 = 8;

/// Which way the numbers of a column go from row to row.
#[derive(Clone, Copy, Debug, Default)]
struct Trend {
    last: Option<i128>,
    cells: u64,
    rises: u64,
    falls: u64,
}

impl Trend {
    /// Takes a number in. Whether its last sign is that of a fraction makes no difference to what is larger
    /// in nearly all columns, and a question is all that comes of it.
    fn take(&mut self, cell: &str) {
        let Some(number) = comparable(cell) else { return };
        self.cells += 1;
        match self.last.replace(number) {
            Some(last) if number > last => self.rises += 1,
            Some(last) if number < last => self.falls += 1,
            _ => {}
        }
    }

    /// A counter may have been changed, or have begun anew, now and then.
    fn is_one_way(self) -> bool {
        let moves = self.rises + self.falls;
        let others = self.rises.min(self.falls);
        self.cells >= COUNTED_MIN && moves >= MOVES_MIN && others.saturating_mul(50) <= moves
    }
}

/// A number in millionths, as far as its digits go.
fn comparable(cell: &str) -> Option<i128> {
    let (sign, digits) = cell.strip_prefix('-').map_or((1, cell), |digits| (-1, digits));
    let (whole, fraction) = digits.rsplit_once(['.', ',']).unwrap_or((digits, ""));
    let whole = whole.bytes().filter(u8::is_ascii_digit);
    let fraction = fraction.bytes().filter(u8::is_ascii_digit).chain([b'0'; 6]).take(6);
    let mut number = None;
    for digit in whole.chain(fraction) {
        let before: i128 = number.unwrap_or_default();
        number = Some(before.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?);
    }
    number.map(|number| number * sign)
}

/// How the numbers of several columns are written together; nothing where they hold none.
pub(super) fn together<'a>(
    columns: impl Iterator<Item = &'a Column>,
) -> Option<Reading<NumberStyle>> {
    let mut all = Numbers::default();
    for column in columns {
        all.join(&column.numbers);
    }
    (all.cells > 0).then(|| all.reading())
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// No cell says anything.
    Nothing,
    /// Numbers, and how they are written.
    Numbers(Reading<NumberStyle>),
    /// Days, or days and times; the format, empty for ISO 8601.
    Times(Reading<String>),
    /// Times of day without a day, and their format.
    Clock(String),
    /// Digits that are a name: as long as each other, and longer than a reading.
    Digits,
    /// Words.
    Words,
}

impl Holds {
    /// How its numbers are written, where it holds numbers.
    #[must_use]
    pub const fn numbers(&self) -> Option<&Reading<NumberStyle>> {
        if let Self::Numbers(reading) = self { Some(reading) } else { None }
    }

    /// How its times are written, where it holds times.
    #[must_use]
    pub const fn times(&self) -> Option<&Reading<String>> {
        if let Self::Times(reading) = self { Some(reading) } else { None }
    }

    /// How its times of day are written, where it holds nothing else.
    #[must_use]
    pub fn clock(&self) -> Option<&str> {
        if let Self::Clock(format) = self { Some(format) } else { None }
    }
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Its cell in the row of units.
    pub unit: String,
    /// How many cells say something.
    pub filled: u64,
    /// How many are blank.
    pub blank: u64,
    /// Words for "no value", and how often.
    pub nulls: BTreeMap<String, u64>,
    /// The first cells.
    pub shown: Vec<String>,
    /// Different texts and how often, where they are few.
    pub texts: BTreeMap<String, u64>,
    /// Whether there are more texts than are kept.
    pub many: bool,
    /// How many cells are binary floats.
    pub floats: u64,
    /// How many cells are not to be taken at their word, and why the first is not.
    pub flaws: (u64, String),
    numbers: Numbers,
    times: Times,
    clocks: u64,
    clock: Option<(String, bool)>,
    shortest: usize,
    trend: Trend,
    odds: [Option<Witness>; 3],
}

impl Column {
    pub(super) fn new(name: &str, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            shortest: usize::MAX,
            ..Self::default()
        }
    }

    /// How many cells say nothing.
    pub(super) fn unsaid(&self) -> u64 {
        self.blank + self.nulls.values().sum::<u64>()
    }

    /// Takes a cell in.
    pub(super) fn take(&mut self, line: u64, cell: &str, kind: Kind) {
        if cell.is_empty() {
            self.blank += 1;
            return;
        }
        if is_null(cell) {
            *self.nulls.entry(cell.to_owned()).or_default() += 1;
            return;
        }
        self.filled += 1;
        self.shortest = self.shortest.min(cell.len());
        if self.shown.len() < SHOWN_MAX && self.shown.iter().all(|shown| shown != cell) {
            self.shown.push(cell.chars().take(60).collect());
        }
        self.keep(cell);
        self.floats += u64::from(kind == Kind::Float);
        let (number, time) = match kind {
            Kind::Text => (self.numbers.take(line, cell), self.times.take(line, cell)),
            Kind::Number | Kind::Float => (self.numbers.known(cell), false),
            Kind::Time => (false, self.times.known(cell)),
        };
        if number {
            self.trend.take(cell);
        }
        let clock = clock(cell).filter(|_| matches!(kind, Kind::Text | Kind::Time));
        let is_clock = clock.is_some();
        if let Some((format, loose)) = clock {
            self.clocks += 1;
            self.clock.get_or_insert((format, false)).1 |= loose;
        }
        for (odd, is) in self.odds.iter_mut().zip([number, time, is_clock]) {
            if !is {
                odd.get_or_insert_with(|| Witness::new(line, cell));
            }
        }
    }

    /// Takes note of a cell that is not to be taken at its word.
    pub(super) fn flawed(&mut self, why: &str) {
        let (count, first) = &mut self.flaws;
        if *count == 0 {
            why.clone_into(first);
        }
        *count += 1;
    }

    fn keep(&mut self, cell: &str) {
        if let Some(count) = self.texts.get_mut(cell) {
            *count += 1;
        } else if self.texts.len() < TEXTS_MAX && cell.len() <= 60 {
            self.texts.insert(cell.to_owned(), 1);
        } else {
            self.many = true;
        }
    }

    /// What the column holds: what four of five cells are.
    #[must_use]
    pub fn holds(&self) -> Holds {
        if self.filled == 0 {
            return Holds::Nothing;
        }
        let most = |count: u64| count * 5 >= self.filled * 4;
        if most(self.times.cells)
            && let Some(reading) = self.times.reading()
        {
            // Eight digits are a day only where all of them are.
            let digits = self.numbers.cells == self.filled;
            if !digits || self.times.cells == self.filled {
                return Holds::Times(reading);
            }
        }
        if most(self.clocks) {
            let (format, loose) = self.clock.clone().unwrap_or_default();
            return Holds::Clock(if loose { format } else { format.replacen('h', "hh", 1) });
        }
        if !most(self.numbers.cells) {
            return Holds::Words;
        }
        let even = self.shortest == self.numbers.longest;
        if even && self.numbers.longest >= 9 && self.numbers.fractions == 0 {
            return Holds::Digits;
        }
        Holds::Numbers(self.numbers.reading())
    }

    /// Whether nearly all its numbers rise from row to row, or nearly all fall: what a counter shows does.
    #[must_use]
    pub fn is_one_way(&self) -> bool {
        self.trend.is_one_way()
    }

    /// The first cell that is not of the kind that the column holds.
    #[must_use]
    pub fn odd(&self) -> Option<&Witness> {
        let [number, time, clock] = &self.odds;
        match self.holds() {
            Holds::Numbers(_) => number.as_ref(),
            Holds::Times(_) => time.as_ref(),
            Holds::Clock(_) => clock.as_ref(),
            Holds::Nothing | Holds::Digits | Holds::Words => None,
        }
    }
}
