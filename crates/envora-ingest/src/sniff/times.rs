//! Which way of writing days and times a column keeps to, found from all of its cells.

use std::collections::BTreeSet;

use super::numbers::{Reading, Witness, thin};
use crate::mapping::times::{Format, Moment, read_iso};

/// How many different shapes of a column are followed; more are no one way of writing.
const SHAPES_MAX: usize = 6;
/// How many different years a first number of two digits may be before it is rather a day.
const YEARS_MAX: usize = 4;

/// What the cells of a column say about the way their times are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// Cells that some way reads.
    pub(super) cells: u64,
    /// Cells that ISO 8601 reads.
    iso: u64,
    shapes: Vec<Shape>,
    /// Where another shape than the first came up.
    other: Option<Witness>,
}

/// Cells of one shape: the same signs between parts of the same kinds.
#[derive(Clone, Debug)]
struct Shape {
    key: String,
    cells: u64,
    ways: Vec<Way>,
    apart: Vec<(usize, usize, u64, Witness)>,
    /// Whether a day, month or hour has one digit somewhere.
    loose: [bool; 3],
    firsts: BTreeSet<String>,
}

/// One way of reading a shape.
#[derive(Clone, Debug)]
struct Way {
    text: String,
    format: Format,
    year_first: bool,
    reads: u64,
    misfit: Option<Witness>,
}

/// A cell taken apart: its shape, and the ways in which that can be read.
struct Taken {
    key: String,
    ways: Vec<(String, bool)>,
    loose: [bool; 3],
    first: String,
}

impl Times {
    /// Takes a cell in; whether it is a day or a time in some way.
    pub(super) fn take(&mut self, line: u64, text: &str) -> bool {
        if text.len() > 40 || text.len() < 6 || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let iso = read_iso(text).is_some();
        let Some(taken) = taken(text) else {
            self.iso += u64::from(iso);
            self.cells += u64::from(iso);
            return iso;
        };
        let place = self.shapes.iter().position(|shape| shape.key == taken.key);
        let place = place.or_else(|| {
            let shape = Shape::new(&taken)?;
            (self.shapes.len() < SHAPES_MAX).then(|| {
                self.shapes.push(shape);
                self.shapes.len() - 1
            })
        });
        let Some(shape) = place.and_then(|place| self.shapes.get_mut(place)) else {
            return false;
        };
        if !shape.take(line, text, &taken) {
            return false;
        }
        self.cells += 1;
        self.iso += u64::from(iso);
        if place != Some(0) {
            self.other.get_or_insert_with(|| Witness::new(line, text));
        }
        true
    }

    /// Takes a time in that is one whatever way is meant.
    pub(super) fn known(&mut self, text: &str) -> bool {
        let iso = read_iso(text).is_some();
        self.cells += u64::from(iso);
        self.iso += u64::from(iso);
        iso
    }

    /// The way of the whole column; an empty text is ISO 8601.
    pub(super) fn reading(&self) -> Option<Reading<String>> {
        if self.iso == self.cells && self.cells > 0 {
            return Some(Reading::One(String::new()));
        }
        let most = self.shapes.iter().max_by_key(|shape| shape.cells)?;
        let reading = most.reading()?;
        match &self.other {
            Some(witness) if self.shapes.len() > 1 => {
                let likeliest = reading.likeliest().cloned().unwrap_or_default();
                Some(Reading::None(likeliest, witness.clone()))
            }
            _ => Some(reading),
        }
    }
}

impl Shape {
    fn new(taken: &Taken) -> Option<Self> {
        let way = |(text, year_first): &(String, bool)| {
            let format = Format::parse(text).ok()?;
            let (text, year_first) = (text.clone(), *year_first);
            Some(Way { text, format, year_first, reads: 0, misfit: None })
        };
        let ways: Vec<Way> = taken.ways.iter().filter_map(way).collect();
        let (key, firsts) = (taken.key.clone(), BTreeSet::new());
        let (cells, loose, apart) = (0, [false; 3], Vec::new());
        (!ways.is_empty()).then_some(Self { key, cells, ways, apart, loose, firsts })
    }

    fn take(&mut self, line: u64, text: &str, taken: &Taken) -> bool {
        let readings: Vec<Option<Moment>> =
            self.ways.iter().map(|way| way.format.read(text)).collect();
        if readings.iter().all(Option::is_none) {
            return false;
        }
        self.cells += 1;
        for (own, new) in self.loose.iter_mut().zip(taken.loose) {
            *own |= new;
        }
        if self.firsts.len() <= YEARS_MAX {
            self.firsts.insert(taken.first.clone());
        }
        for (way, reading) in self.ways.iter_mut().zip(&readings) {
            match reading {
                Some(_) => way.reads += 1,
                None => {
                    way.misfit.get_or_insert_with(|| Witness::new(line, text));
                }
            }
        }
        for (one, reading) in readings.iter().enumerate() {
            for (other, rival) in readings.iter().enumerate().skip(one + 1) {
                if reading.is_none() || rival.is_none() || reading == rival {
                    continue;
                }
                match self.apart.iter_mut().find(|(a, b, ..)| (*a, *b) == (one, other)) {
                    Some((_, _, cells, _)) => *cells += 1,
                    None => self.apart.push((one, other, 1, Witness::new(line, text))),
                }
            }
        }
        true
    }

    fn reading(&self) -> Option<Reading<String>> {
        let firsts = self.firsts.len();
        let counts = |way: &Way| !way.year_first || firsts <= YEARS_MAX;
        let all = |way: &Way| way.reads == self.cells && counts(way);
        let said = |way: &Way| self.fixed(&way.text);
        let Some(best) = self.ways.iter().position(all) else {
            let best = self.ways.iter().rev().max_by_key(|way| way.reads)?;
            let misfit = best.misfit.clone().unwrap_or_else(|| Witness::new(0, ""));
            return Some(Reading::None(said(best), misfit));
        };
        for (one, other, cells, first) in &self.apart {
            let rival = match (*one == best, *other == best) {
                (true, _) => *other,
                (_, true) => *one,
                _ => continue,
            };
            let Some(way) = self.ways.get(rival).filter(|way| counts(way)) else { continue };
            if thin(self.cells - way.reads, *cells) {
                let own = self.ways.get(best).map(said).unwrap_or_default();
                return Some(Reading::Several(vec![own, said(way)], first.clone()));
            }
        }
        self.ways.get(best).map(|way| Reading::One(said(way)))
    }

    /// The format with two digits where every cell has two.
    fn fixed(&self, text: &str) -> String {
        let [day, month, hour] = self.loose;
        let mut text = text.to_owned();
        for (loose, one, two) in [(day, "D", "DD"), (hour, "h", "hh")] {
            if !loose {
                text = text.replacen(one, two, 1);
            }
        }
        // `MMM` names a month; `M` stands for its number.
        if !month && !text.contains("MMM") {
            text = text.replacen('M', "MM", 1);
        }
        text
    }
}

/// The parts of a cell that may be a time.
fn taken(text: &str) -> Option<Taken> {
    let (first, rest) = part(text)?;
    let mut loose = [false; 3];
    if first.len() == 8 && first.bytes().all(|byte| byte.is_ascii_digit()) {
        let (key, time) = clock(rest, &mut loose)?;
        let ways = vec![(format!("YYYYMMDD{time}"), false)];
        return Some(Taken { key: format!("8{key}"), ways, loose: [true; 3], first: first.into() });
    }
    let (sign, rest) = between(rest)?;
    let (second, rest) = part(rest)?;
    let (other, rest) = between(rest)?;
    let (third, rest) = part(rest)?;
    let (key, time) = clock(rest, &mut loose)?;
    let (kinds, ways) = orders([first, second, third], sign, other, &time, &mut loose)?;
    Some(Taken { key: format!("{kinds}{sign}{other}{key}"), ways, loose, first: first.to_owned() })
}

/// Digits or letters at the start.
fn part(text: &str) -> Option<(&str, &str)> {
    let first = text.bytes().next()?;
    let same = |byte: &u8| {
        if first.is_ascii_digit() { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() }
    };
    let count = text.bytes().take_while(same).count();
    (count > 0).then(|| text.split_at_checked(count)).flatten()
}

/// The sign between two parts of a day: one of a few, and a blank after a comma.
fn between(text: &str) -> Option<(&str, &str)> {
    let length = if text.starts_with(", ") || text.starts_with(". ") { 2 } else { 1 };
    let (sign, rest) = text.split_at_checked(length)?;
    matches!(sign, "/" | "-" | "." | " " | ", " | ". ").then_some((sign, rest))
}

/// The orders in which three parts can be a day.
fn orders(
    parts: [&str; 3],
    sign: &str,
    other: &str,
    time: &str,
    loose: &mut [bool; 3],
) -> Option<(String, Vec<(String, bool)>)> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let [first, second, third] = parts;
    let short = |text: &str| matches!(text.len(), 1 | 2) && digits(text);
    let year = |text: &str| if text.len() == 4 { "YYYY" } else { "YY" };
    let is_year = |text: &str| digits(text) && matches!(text.len(), 2 | 4);
    let one = |text: &str| text.len() == 1;
    let way = |text: String| vec![(text, false)];
    if short(first) && !digits(second) && is_year(third) {
        *loose = [one(first), true, loose[2]];
        let text = format!("D{sign}MMM{other}{}{time}", year(third));
        return Some((format!("dA{}", third.len()), way(text)));
    }
    if !digits(first) && short(second) && is_year(third) {
        *loose = [one(second), true, loose[2]];
        let text = format!("MMM{sign}D{other}{}{time}", year(third));
        return Some((format!("Ad{}", third.len()), way(text)));
    }
    if !(digits(first) && digits(second) && digits(third)) {
        return None;
    }
    if first.len() == 4 && short(second) && short(third) {
        *loose = [one(third), one(second), loose[2]];
        return Some(("4dd".to_owned(), way(format!("YYYY{sign}M{other}D{time}"))));
    }
    if !(short(first) && short(second) && is_year(third)) {
        return None;
    }
    let single = one(first) || one(second);
    *loose = [single, single, loose[2]];
    let last = year(third);
    let mut ways = vec![
        (format!("D{sign}M{other}{last}{time}"), false),
        (format!("M{sign}D{other}{last}{time}"), false),
    ];
    if last == "YY" && first.len() == 2 {
        ways.push((format!("YY{sign}M{other}D{time}"), true));
    }
    Some((format!("dd{}", third.len()), ways))
}

/// The time of day at the end: its shape and its format, both empty where there is none.
fn clock(text: &str, loose: &mut [bool; 3]) -> Option<(String, String)> {
    if text.is_empty() {
        return Some((String::new(), String::new()));
    }
    let (gap, rest) =
        [" ", "T", ", "].iter().find_map(|gap| Some((*gap, text.strip_prefix(gap)?)))?;
    let time = time_of_day(rest, loose)?;
    Some((format!("{gap}{time}"), format!("{gap}{time}")))
}

/// The format of a time of day, its hour loose.
pub(super) fn time_of_day(text: &str, loose: &mut [bool; 3]) -> Option<String> {
    let (hour, rest) = part(text)?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(two(hour) || (hour.len() == 1 && hour.bytes().all(|byte| byte.is_ascii_digit()))) {
        return None;
    }
    loose[2] |= hour.len() == 1;
    let sign = rest.chars().next().filter(|sign| matches!(sign, ':' | '.'))?;
    let (minute, mut rest) = part(rest.get(1..)?)?;
    if !two(minute) {
        return None;
    }
    let mut format = format!("h{sign}mm");
    if let Some((second, after)) = rest.strip_prefix(sign).and_then(part)
        && two(second)
    {
        (format, rest) = (format!("{format}{sign}ss"), after);
        if let Some((fraction, after)) = rest.strip_prefix('.').and_then(part)
            && fraction.bytes().all(|byte| byte.is_ascii_digit())
        {
            (format, rest) = (format!("{format}.fff"), after);
        }
    }
    let half = rest.strip_prefix(' ').unwrap_or(rest);
    if half.eq_ignore_ascii_case("am") || half.eq_ignore_ascii_case("pm") {
        let blank = if half.len() == rest.len() { "" } else { " " };
        return Some(format!("{format}{blank}A"));
    }
    let offset = rest == "Z" || (rest.len() >= 5 && rest.starts_with(['+', '-']));
    match rest {
        "" => Some(format),
        _ if offset => Some(format!("{format}Z")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cells: &[String]) -> Option<Reading<String>> {
        let mut times = Times::default();
        for (place, cell) in cells.iter().enumerate() {
            times.take(place as u64 + 1, cell);
        }
        times.reading()
    }

    #[track_caller]
    fn is(cells: &[&str], want: &str) {
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        assert_eq!(reading(&cells), Some(Reading::One(want.to_owned())), "{cells:?}");
        let format = Format::parse(want);
        for cell in cells.iter().filter(|_| !want.is_empty()) {
            assert!(format.as_ref().is_ok_and(|format| format.read(cell).is_some()), "{cell}");
        }
    }

    #[track_caller]
    fn asks(cells: &[&str], line: u64) {
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        match reading(&cells) {
            Some(Reading::Several(_, witness)) => assert_eq!(witness.line, line, "{cells:?}"),
            other => panic!("{cells:?}: {other:?}"),
        }
    }

    #[test]
    fn a_column_keeps_to_one_way() {
        is(&["2022-01-01 00:00:00", "2022-01-01 01:00:00"], "");
        is(&["26 Aug 2019 00:30:00", "27 Aug 2019 00:00:00"], "DD MMM YYYY hh:mm:ss");
        is(&["Nov 13 2019 12:00AM"], "MMM DD YYYY hh:mmA");
        is(&["12-10-2021", "13-10-2021", "14-10-2021"], "DD-MM-YYYY");
        is(&["29.10.22", "21.12.22", "31.12.22", "13.01.23", "14.02.23"], "DD.MM.YY");
        is(&["20231019", "20231020"], "YYYYMMDD");
        is(&["1/31/2022 1:05 PM", "12/1/2022 11:05 AM", "1/22/2022 1:00 PM"], "M/D/YYYY h:mm A");
        is(&["2022/3/1", "2022/12/31"], "YYYY/M/D");
        is(&["31.12.2022 24:00", "30.12.2022 00:15"], "DD.MM.YYYY hh:mm");
    }

    #[test]
    fn day_first_or_month_first_is_a_question() {
        asks(&["03/04/2026", "05/06/2026"], 1);
        asks(&["13/04/2026", "05/06/2026", "07/06/2026"], 2);
        // Three equal years or days: nobody can tell.
        asks(&["19-03-05", "19-03-06", "19-03-07"], 1);
    }

    #[test]
    fn a_column_that_changes_its_order_late_is_seen() {
        let month_first =
            (0..9000).map(|place| format!("{:02}/{:02}/2026", place % 12 + 1, place % 28 + 1));
        let cells: Vec<String> = month_first.chain(["25/03/2026".to_owned()]).collect();
        match reading(&cells) {
            Some(Reading::None(way, witness)) => {
                assert_eq!((way.as_str(), witness.line), ("MM/DD/YYYY", 9001));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_shapes_in_one_column_are_seen() {
        let cells = ["13.04.2026", "14.04.2026", "2026-04-15"].map(str::to_owned);
        match reading(&cells) {
            Some(Reading::None(way, witness)) => {
                assert_eq!((way.as_str(), witness.line), ("DD.MM.YYYY", 3));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["12.5", "1-2", "AB-12-2022x", "2200013680374", "00:30", "2022-13-45", "kWh_1"]
        {
            assert!(!Times::default().take(1, text), "{text}");
        }
    }
}
