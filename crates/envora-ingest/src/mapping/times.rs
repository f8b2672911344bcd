//! Times as a file writes them: formats that are declared, and the rules that make periods of them.

use envora_domain::time::{Day, Span, Timestamp, WallClock};

use super::values::Rule;

/// A part of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A fixed number of digits.
    Digits(Unit, u8),
    /// One or two digits.
    Loose(Unit),
    /// `Jan`, `January`.
    MonthName,
    /// `AM` or `PM`.
    HalfDay,
    /// `Z`, `+01:00`, `+0100`.
    Offset,
    /// A fraction of a second.
    Fraction,
    /// This very character.
    Literal(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Year,
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A declared format, such as `DD.MM.YYYY hh:mm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    text: String,
    parts: Vec<Part>,
}

/// What a text says about a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A day.
    Day(Day),
    /// A time on the wall.
    Wall(WallClock),
    /// An instant: the text names its offset.
    Instant(Timestamp),
}

/// Tokens of a format, longest first.
const TOKENS: &[(&str, Part)] = &[
    ("YYYY", Part::Digits(Unit::Year, 4)),
    ("YY", Part::Digits(Unit::ShortYear, 2)),
    ("MMM", Part::MonthName),
    ("MM", Part::Digits(Unit::Month, 2)),
    ("M", Part::Loose(Unit::Month)),
    ("DD", Part::Digits(Unit::Day, 2)),
    ("D", Part::Loose(Unit::Day)),
    ("hh", Part::Digits(Unit::Hour, 2)),
    ("h", Part::Loose(Unit::Hour)),
    ("mm", Part::Digits(Unit::Minute, 2)),
    ("ss", Part::Digits(Unit::Second, 2)),
    ("fff", Part::Fraction),
    ("A", Part::HalfDay),
    ("Z", Part::Offset),
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
pub(crate) const MONTHS_LONG: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl Format {
    /// Compiles a format.
    ///
    /// # Errors
    /// A sentence, when letters are no token or the day is not said whole.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let token =
                TOKENS.iter().find_map(|(token, part)| Some((rest.strip_prefix(token)?, *part)));
            if let Some((after, part)) = token {
                parts.push(part);
                rest = after;
            } else if first.is_ascii_alphabetic() && first != 'T' {
                return Err(format!(
                    "{first:?} is no token of a format; there are YYYY YY MMM MM M DD D hh h mm ss fff A Z"
                ));
            } else {
                parts.push(Part::Literal(first));
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        let format = Self { text: text.to_owned(), parts };
        let has = |units: &[Unit]| format.has(units);
        if has(&[Unit::Minute]) && !has(&[Unit::Hour]) {
            return Err("a format with minutes needs hours (months are MM, minutes mm)".to_owned());
        }
        let month = has(&[Unit::Month]) || format.parts.contains(&Part::MonthName);
        if !(has(&[Unit::Year, Unit::ShortYear]) && month && has(&[Unit::Day])) {
            return Err("a format names year, month and day, such as DD.MM.YYYY hh:mm".to_owned());
        }
        Ok(format)
    }

    fn has(&self, units: &[Unit]) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Digits(unit, _) | Part::Loose(unit) => units.contains(unit),
            Part::MonthName | Part::HalfDay | Part::Offset | Part::Fraction | Part::Literal(_) => {
                false
            }
        })
    }

    /// The format as declared.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names days without a time.
    #[must_use]
    pub fn is_days(&self) -> bool {
        !self.has(&[Unit::Hour])
    }

    fn grain(&self) -> Grain {
        if self.is_days() { Grain::Days } else { Grain::Times }
    }

    /// What a text in this format says; nothing when it is not in this format.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Moment> {
        if let Some(moment) = self.read_digits(text.as_bytes()) {
            return Some(moment);
        }
        let mut clock = Clock::default();
        let mut rest = text;
        for part in &self.parts {
            rest = clock.take(*part, rest)?;
        }
        if rest.is_empty() { clock.moment(self.grain()) } else { None }
    }
}

impl Format {
    /// What a text says in a format of nothing but digits and signs between them; nothing for all else.
    fn read_digits(&self, text: &[u8]) -> Option<Moment> {
        let mut clock = Clock::default();
        let mut rest = text;
        for part in &self.parts {
            let (head, tail) = match part {
                Part::Digits(_, count) => rest.split_at_checked(usize::from(*count))?,
                Part::Literal(sign) if sign.is_ascii() => rest.split_at_checked(1)?,
                _ => return None,
            };
            match part {
                Part::Digits(unit, _) => {
                    let mut value = 0_i64;
                    for byte in head {
                        value = value * 10 + i64::from(byte.wrapping_sub(b'0'));
                        byte.is_ascii_digit().then_some(())?;
                    }
                    clock.put(*unit, value)?;
                }
                _ if head.first().map(|byte| char::from(*byte)) != part.literal() => return None,
                _ => {}
            }
            rest = tail;
        }
        if rest.is_empty() { clock.moment(self.grain()) } else { None }
    }
}

impl Part {
    const fn literal(self) -> Option<char> {
        if let Self::Literal(sign) = self { Some(sign) } else { None }
    }
}

/// How fine a format is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grain {
    Days,
    Times,
}

/// The parts of a time, as they are read.
#[derive(Default)]
struct Clock {
    year: i16,
    month: i8,
    day: i8,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    afternoon: Option<bool>,
    offset_minutes: Option<i64>,
}

impl Clock {
    fn take<'a>(&mut self, part: Part, text: &'a str) -> Option<&'a str> {
        match part {
            Part::Literal(sign) => text.strip_prefix(sign),
            Part::Digits(unit, count) => {
                let (digits, rest) = text.split_at_checked(usize::from(count))?;
                self.set(unit, digits)?;
                Some(rest)
            }
            Part::Loose(unit) => {
                let count = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
                let (digits, rest) = text.split_at_checked(count)?;
                self.set(unit, digits)?;
                Some(rest)
            }
            Part::MonthName => {
                let count = text.bytes().take_while(u8::is_ascii_alphabetic).count();
                let (name, rest) = text.split_at_checked(count)?;
                let name = name.to_ascii_lowercase();
                let is = |months: &[&str; 12]| months.iter().position(|month| *month == name);
                let place = is(&MONTHS).or_else(|| is(&MONTHS_LONG))?;
                self.month = i8::try_from(place + 1).ok()?;
                Some(rest)
            }
            Part::HalfDay => {
                let (half, rest) = text.split_at_checked(2)?;
                self.afternoon = Some(half.eq_ignore_ascii_case("PM"));
                (half.eq_ignore_ascii_case("AM") || self.afternoon == Some(true)).then_some(rest)
            }
            Part::Fraction => {
                let count = text.bytes().take_while(u8::is_ascii_digit).count();
                let (digits, rest) = text.split_at_checked(count)?;
                let fits = (1..=6).contains(&count);
                self.micros = format!("{digits:0<6}").parse().ok().filter(|_| fits)?;
                Some(rest)
            }
            Part::Offset => self.take_offset(text),
        }
    }

    fn take_offset<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix('Z') {
            self.offset_minutes = Some(0);
            return Some(rest);
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let (hours, rest) = text.get(1..)?.split_at_checked(2)?;
        let (minutes, rest) = rest.strip_prefix(':').unwrap_or(rest).split_at_checked(2)?;
        let minutes = number(hours)? * 60 + number(minutes)?;
        self.offset_minutes = Some(sign * minutes).filter(|_| minutes < 24 * 60);
        self.offset_minutes.map(|_| rest)
    }

    fn set(&mut self, unit: Unit, digits: &str) -> Option<()> {
        self.put(unit, number(digits)?)
    }

    fn put(&mut self, unit: Unit, value: i64) -> Option<()> {
        match unit {
            Unit::Year => self.year = i16::try_from(value).ok()?,
            // As POSIX has it, but for a few years that are long over: 70 to 99 are of the last century.
            Unit::ShortYear => {
                let century = if value < 70 { 2000 } else { 1900 };
                self.year = i16::try_from(century + value).ok()?;
            }
            Unit::Month => self.month = i8::try_from(value).ok()?,
            Unit::Day => self.day = i8::try_from(value).ok()?,
            Unit::Hour => self.hour = value,
            Unit::Minute => self.minute = value,
            Unit::Second => self.second = value,
        }
        Some(())
    }

    fn moment(&self, grain: Grain) -> Option<Moment> {
        let day = Day::from_ymd(self.year, self.month, self.day)?;
        if grain == Grain::Days {
            return Some(Moment::Day(day));
        }
        let hour = match self.afternoon {
            None => self.hour,
            Some(afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
        };
        let in_day = hour < 24 || (hour == 24 && self.minute == 0 && self.second == 0);
        if !in_day || self.minute > 59 || self.second > 59 {
            return None;
        }
        let micros = ((hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros;
        let wall = WallClock::of(day, micros);
        Some(match self.offset_minutes {
            None => Moment::Wall(wall),
            Some(offset) => {
                Moment::Instant(Timestamp::from_micros(wall.as_micros() - offset * 60_000_000))
            }
        })
    }
}

fn number(digits: &str) -> Option<i64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().ok()).flatten()
}

/// The instant that a text says with its offset, seconds or not: however a column is written, it can be
/// read in no other way.
#[must_use]
pub fn read_offset(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = Timestamp::parse(text) {
        return Some(instant);
    }
    let (minute, offset) = text.split_at_checked(16)?;
    if !offset.starts_with(['Z', 'z', '+', '-']) {
        return None;
    }
    Timestamp::parse(&format!("{minute}:00{offset}")).ok()
}

/// What a text without a declared format says: ISO 8601 only, for which there is one reading.
#[must_use]
pub fn read_iso(text: &str) -> Option<Moment> {
    if let Ok(day) = Day::parse(text) {
        return Some(Moment::Day(day));
    }
    if let Some(instant) = read_offset(text) {
        return Some(Moment::Instant(instant));
    }
    let (date, time) = text.split_at_checked(10)?;
    let day = Day::parse(date).ok()?;
    let time = time.strip_prefix(['T', ' '])?;
    let mut clock = Clock::default();
    let mut rest = clock.take(Part::Digits(Unit::Hour, 2), time)?.strip_prefix(':')?;
    rest = clock.take(Part::Digits(Unit::Minute, 2), rest)?;
    if let Some(seconds) = rest.strip_prefix(':') {
        rest = clock.take(Part::Digits(Unit::Second, 2), seconds)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = clock.take(Part::Fraction, fraction)?;
        }
    }
    let (year, month, date) = day.ymd();
    (clock.year, clock.month, clock.day) = (year, month, date);
    rest.is_empty().then(|| clock.moment(Grain::Times)).flatten()
}

/// How a period is made of a row's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodRule {
    /// From this time on, so long.
    From {
        /// The time it starts.
        start: Rule,
        /// How long it is.
        length: Span,
    },
    /// Up to this time, so long.
    To {
        /// The time it ends.
        end: Rule,
        /// How long it is.
        length: Span,
    },
    /// From one time to another; both days included where the format names days.
    Both {
        /// The time it starts.
        start: Rule,
        /// The time it ends.
        end: Rule,
    },
    /// From one time up to another; where the format names days, the second is the one after the last.
    Until {
        /// The time it starts.
        start: Rule,
        /// The time it ends before.
        until: Rule,
    },
    /// One local day.
    Day(
        /// The day.
        Rule,
    ),
}

impl PeriodRule {
    /// The columns it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::From { start: rule, .. } | Self::To { end: rule, .. } | Self::Day(rule) => {
                (rule, None)
            }
            Self::Both { start, end } | Self::Until { start, until: end } => (start, Some(end)),
        };
        first.columns().chain(second.into_iter().flat_map(Rule::columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, text: &str, want: Option<&str>) {
        let format = Format::parse(format).expect("a format");
        let shown = format.read(text).map(show);
        assert_eq!(shown.as_deref(), want, "{text:?} as {}", format.text());
    }

    fn show(moment: Moment) -> String {
        match moment {
            Moment::Day(day) => day.to_string(),
            Moment::Wall(wall) => {
                Timestamp::from_micros(wall.as_micros()).to_string().replace('Z', " wall")
            }
            Moment::Instant(instant) => instant.to_string(),
        }
    }

    #[test]
    fn formats_read_what_they_say_and_nothing_else() {
        check("YYYY-MM-DD hh:mm:ss", "2022-01-01 00:30:00", Some("2022-01-01T00:30:00 wall"));
        check("DD.MM.YYYY hh:mm", "31.12.2022 24:00", Some("2023-01-01T00:00:00 wall"));
        check("DD.MM.YYYY hh:mm", "31.12.2022 24:01", None);
        check("DD/MM/YY", "05/03/19", Some("2019-03-05"));
        check("DD/MM/YY", "01/02/69", Some("2069-02-01"));
        check("DD/MM/YY", "01/02/99", Some("1999-02-01"));
        check("D/M/YYYY", "5/3/2019", Some("2019-03-05"));
        check("MMM DD YYYY hh:mmA", "Nov 13 2019 12:00AM", Some("2019-11-13T00:00:00 wall"));
        check("DD MMM YYYY hh:mm:ss", "26 August 2019 00:30:00", Some("2019-08-26T00:30:00 wall"));
        check("MMM D YYYY h:mm A", "Nov 3 2019 1:05 PM", Some("2019-11-03T13:05:00 wall"));
        check("YYYY-MM-DDThh:mm:ssZ", "2022-01-01T01:00:00+01:00", Some("2022-01-01T00:00:00Z"));
        check("YYYY-MM-DD", "2022-02-30", None);
        check("YYYY-MM-DD", "2022-02-03 ", None);
        check("YYYY-MM-DD hh:mm", "2022-02-03", None);
        check("DD.MM.YYYY", "3.2.2022", None);
        check(
            "YYYY-MM-DD hh:mm:ss.fff",
            "2022-01-01 00:00:00.25",
            Some("2022-01-01T00:00:00.25 wall"),
        );
    }

    #[test]
    fn a_format_must_make_sense() {
        for text in ["YYYY-mm-dd", "hh:mm", "YYYY-MM-DD mm:ss", "", "DD.MM.YYYY quarter"] {
            assert!(Format::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_a_format_only_iso_is_read() {
        let read = |text: &str| read_iso(text).map(show);
        assert_eq!(read("2022-01-31").as_deref(), Some("2022-01-31"));
        assert_eq!(read("2022-01-31T10:00").as_deref(), Some("2022-01-31T10:00:00 wall"));
        assert_eq!(read("2022-01-31 10:00:05").as_deref(), Some("2022-01-31T10:00:05 wall"));
        assert_eq!(read("2022-01-31T10:00:00+01:00").as_deref(), Some("2022-01-31T09:00:00Z"));
        for text in [
            "31.01.2022",
            "01/02/2022",
            "2022-01-31 25:00",
            "10:00",
            "2022-01-31T10:00:60Z",
            "2022-01-31 10:00:60",
            "2022-01-31x10:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
