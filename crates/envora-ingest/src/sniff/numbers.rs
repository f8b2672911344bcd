//! Which way of writing numbers a column keeps to, found from all of its cells.

use envora_domain::decimal::Decimal;

use crate::mapping::numbers::NumberStyle;

/// The ways that are told apart, plainest first.
pub const STYLES: [NumberStyle; 8] = [
    NumberStyle { decimal: '.', group: None },
    NumberStyle { decimal: ',', group: None },
    NumberStyle { decimal: '.', group: Some(',') },
    NumberStyle { decimal: ',', group: Some('.') },
    NumberStyle { decimal: '.', group: Some(' ') },
    NumberStyle { decimal: ',', group: Some(' ') },
    NumberStyle { decimal: '.', group: Some('\'') },
    NumberStyle { decimal: ',', group: Some('\'') },
];

/// A cell that shows something, and the line it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The physical line, from 1.
    pub line: u64,
    /// The cell.
    pub text: String,
}

impl Witness {
    pub(super) fn new(line: u64, text: &str) -> Self {
        Self { line, text: text.chars().take(60).collect() }
    }
}

/// Two ways that read a cell differently: how often, and where first.
#[derive(Clone, Debug)]
struct Apart {
    one: usize,
    other: usize,
    cells: u64,
    first: Witness,
}

/// What the cells of a column say about the way they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Cells that some way reads.
    pub(super) cells: u64,
    reads: [u64; STYLES.len()],
    misfits: [Option<Witness>; STYLES.len()],
    apart: Vec<Apart>,
    /// Whether a cell has a fraction in some reading.
    pub(super) fractions: u64,
    pub(super) longest: usize,
}

/// What a column's way of writing numbers is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// One way reads every cell, and no other reads one differently.
    One(T),
    /// Several ways read every cell, and not the same: the first such cell.
    Several(Vec<T>, Witness),
    /// No way reads every cell: the best one, and the first cell that it does not read.
    None(T, Witness),
}

impl<T> Reading<T> {
    /// The way that is likeliest.
    pub fn likeliest(&self) -> Option<&T> {
        match self {
            Self::One(way) | Self::None(way, _) => Some(way),
            Self::Several(ways, _) => ways.first(),
        }
    }
}

/// Whether evidence against a rival is too thin: one mistyped cell must not decide how a thousand are
/// read.
pub(super) const fn thin(against: u64, apart: u64) -> bool {
    apart > 0 && (against == 0 || (against == 1 && apart > 1) || against * 20 < apart)
}

/// The number that a cell is in one way of writing.
pub(super) fn read(style: NumberStyle, text: &str) -> Option<Decimal> {
    let first = text.bytes().find(|byte| !matches!(byte, b'-' | b'+'))?;
    if !first.is_ascii_digit() {
        return None;
    }
    let grouped_zero = style.group.is_some() && {
        let integer = text.split(style.decimal).next().unwrap_or_default();
        let integer = integer.trim_start_matches('-');
        integer.len() > 1
            && integer.starts_with('0')
            && !integer.bytes().all(|b| b.is_ascii_digit())
    };
    if grouped_zero {
        return None;
    }
    Decimal::parse(&style.plain(text).ok()?).ok()
}

impl Numbers {
    /// Takes a cell in; whether it is a number in some way.
    pub(super) fn take(&mut self, line: u64, text: &str) -> bool {
        if text.len() > 48 || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        // Digits alone say the same in every way.
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.cells += 1;
            self.longest = self.longest.max(text.len());
            for reads in &mut self.reads {
                *reads += 1;
            }
            return true;
        }
        let readings: Vec<Option<Decimal>> =
            STYLES.iter().map(|style| read(*style, text)).collect();
        if readings.iter().all(Option::is_none) {
            return false;
        }
        self.cells += 1;
        self.longest = self.longest.max(text.len());
        self.fractions += u64::from(readings.iter().flatten().any(|value| value.scale() > 0));
        for (place, reading) in readings.iter().enumerate() {
            match reading {
                Some(_) => {
                    if let Some(reads) = self.reads.get_mut(place) {
                        *reads += 1;
                    }
                }
                None => {
                    if let Some(misfit) = self.misfits.get_mut(place) {
                        misfit.get_or_insert_with(|| Witness::new(line, text));
                    }
                }
            }
        }
        for (one, reading) in readings.iter().enumerate() {
            for (other, rival) in readings.iter().enumerate().skip(one + 1) {
                if let (Some(value), Some(rival)) = (reading, rival)
                    && value != rival
                {
                    self.note(one, other, line, text);
                }
            }
        }
        true
    }

    /// Takes a number in that is one whatever signs are meant; whether it can be a quantity.
    pub(super) fn known(&mut self, text: &str) -> bool {
        if Decimal::parse(text).is_err() {
            return false;
        }
        self.cells += 1;
        self.longest = self.longest.max(text.len());
        self.fractions += u64::from(text.contains('.'));
        for reads in &mut self.reads {
            *reads += 1;
        }
        true
    }

    fn note(&mut self, one: usize, other: usize, line: u64, text: &str) {
        let known = self.apart.iter_mut().find(|apart| (apart.one, apart.other) == (one, other));
        match known {
            Some(apart) => apart.cells += 1,
            None => {
                let first = Witness::new(line, text);
                self.apart.push(Apart { one, other, cells: 1, first });
            }
        }
    }

    /// Takes in what the cells of another column say, which are written by the same hand.
    pub(super) fn join(&mut self, other: &Self) {
        self.cells += other.cells;
        self.fractions += other.fractions;
        self.longest = self.longest.max(other.longest);
        for (own, more) in self.reads.iter_mut().zip(other.reads) {
            *own += more;
        }
        for (own, more) in self.misfits.iter_mut().zip(&other.misfits) {
            if own.is_none() {
                own.clone_from(more);
            }
        }
        for apart in &other.apart {
            let same = |own: &&mut Apart| (own.one, own.other) == (apart.one, apart.other);
            match self.apart.iter_mut().find(same) {
                Some(own) => own.cells += apart.cells,
                None => self.apart.push(apart.clone()),
            }
        }
    }

    fn reads(&self, place: usize) -> u64 {
        self.reads.get(place).copied().unwrap_or(0)
    }

    /// What the way of the whole column is.
    pub(super) fn reading(&self) -> Reading<NumberStyle> {
        let style = |place: usize| STYLES.get(place).copied().unwrap_or_default();
        let all = (0..STYLES.len()).find(|place| self.reads(*place) == self.cells);
        let Some(best) = all else {
            let best = (0..STYLES.len()).rev().max_by_key(|place| self.reads(*place)).unwrap_or(0);
            let misfit = self.misfits.get(best).cloned().flatten();
            return Reading::None(style(best), misfit.unwrap_or_else(|| Witness::new(0, "")));
        };
        let rival = self.apart.iter().filter_map(|apart| {
            let rival = match (apart.one == best, apart.other == best) {
                (true, _) => apart.other,
                (_, true) => apart.one,
                _ => return None,
            };
            let against = self.cells - self.reads(rival);
            thin(against, apart.cells).then_some((rival, apart))
        });
        let mut rivals: Vec<(usize, &Apart)> = rival.collect();
        rivals.sort_by_key(|(rival, _)| *rival);
        match rivals.first() {
            None => Reading::One(style(best)),
            Some((rival, apart)) => {
                Reading::Several(vec![style(best), style(*rival)], apart.first.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cells: &[&str]) -> Reading<NumberStyle> {
        let mut numbers = Numbers::default();
        for (place, cell) in cells.iter().enumerate() {
            numbers.take(place as u64 + 1, cell);
        }
        numbers.reading()
    }

    #[track_caller]
    fn is(cells: &[&str], decimal: char, group: Option<char>) {
        assert_eq!(reading(cells), Reading::One(NumberStyle { decimal, group }), "{cells:?}");
    }

    #[track_caller]
    fn asks(cells: &[&str], line: u64) {
        match reading(cells) {
            Reading::Several(_, witness) => assert_eq!(witness.line, line, "{cells:?}"),
            other @ (Reading::One(_) | Reading::None(..)) => panic!("{cells:?}: {other:?}"),
        }
    }

    #[test]
    fn a_column_keeps_to_one_way() {
        is(&["1", "22", "333"], '.', None);
        is(&["14.4", "15", "15.1"], '.', None);
        is(&["0,00000", "12,5"], ',', None);
        is(&["1.234,5", "12,50", "3"], ',', Some('.'));
        is(&["1,234.5", "12.50", "1,000,000.00"], '.', Some(','));
        is(&["1\u{a0}234,5", "1\u{202f}234\u{202f}567,1"], ',', Some(' '));
        is(&["1'234.50", "99.1"], '.', Some('\''));
        is(&["1.234", "0.125", "0.500"], '.', None);
        is(&["-1.5", "2.25"], '.', None);
    }

    #[test]
    fn two_readings_are_a_question() {
        asks(&["12", "1.234"], 2);
        asks(&["1,234", "2,345", "3"], 1);
        // One cell of many is more likely a slip than the rule.
        asks(&["1,234", "2,345", "12.5"], 1);
        let mut many = vec!["4,321"; 100];
        many.extend(["12.5", "13.5", "14.5"]);
        asks(&many, 1);
    }

    #[test]
    fn what_no_way_reads_is_said() {
        match reading(&["1,5", "2.5", "3,25"]) {
            Reading::None(style, witness) => {
                assert_eq!((style.decimal, witness.line), (',', 2));
            }
            other @ (Reading::One(_) | Reading::Several(..)) => panic!("{other:?}"),
        }
    }
}
