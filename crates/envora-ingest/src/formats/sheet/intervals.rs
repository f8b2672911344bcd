//! The columns of a wide table that are a row each.

use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::time::{Day, LocalTime, Span, Timestamp, WallClock, Zone};

use super::super::FileProblem;
use super::{PeriodKind, Point, listed};
use crate::mapping::unpivot::{Label, Unpivot, expression};

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;
/// Minutes of a day.
const DAY_MINUTES: i64 = 1440;

/// A column that is a row.
#[derive(Clone, Debug)]
pub(in super::super) struct Interval {
    /// Where it is in the record.
    pub(super) place: usize,
    /// Its name.
    pub(in super::super) name: String,
    /// When it is, where it is an interval of a day.
    pub(super) slot: Option<Slot>,
}

/// When an interval is, on a day that the row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    at: At,
    length: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// So many minutes after midnight it starts.
    Starts(i64),
    /// So many minutes after midnight it ends.
    Ends(i64),
    /// The how manieth it is, from 0.
    Nth(i64),
}

/// Finds the columns in a header.
pub(super) fn find(
    unpivot: &Unpivot,
    header: &[String],
) -> Result<Vec<Interval>, Vec<FileProblem>> {
    let wrong = |detail: String| FileProblem::new("validation_failed", detail).line(1);
    let Ok(expression) = expression(&unpivot.columns) else {
        return Err(vec![wrong(format!("{:?} is no regular expression", unpivot.columns))]);
    };
    let mut intervals = Vec::new();
    let mut problems = Vec::new();
    for (place, name) in header.iter().enumerate().filter(|(_, name)| expression.is_match(name)) {
        match slot(&unpivot.label, name) {
            Ok(slot) => intervals.push(Interval { place, name: name.clone(), slot }),
            Err(hint) => problems.push(
                wrong(format!("the column {name:?} does not say which interval it is"))
                    .column(name)
                    .hint(hint),
            ),
        }
    }
    if intervals.is_empty() && problems.is_empty() {
        let detail = format!("no column's name is like {:?}", unpivot.columns);
        problems.push(wrong(detail).hint(format!("the columns are {}", listed(header))));
    }
    if problems.is_empty() { Ok(intervals) } else { Err(problems) }
}

fn slot(label: &Label, name: &str) -> Result<Option<Slot>, &'static str> {
    let clock = "a time of day such as 00:30, in brackets or not, or a range of them";
    let (at, length) = match label {
        Label::Name(_) => return Ok(None),
        Label::Start(length) => (At::Starts(minutes(name).ok_or(clock)?.0), *length),
        Label::End(length) => {
            let (first, last) = minutes(name).ok_or(clock)?;
            let end = last.unwrap_or(first);
            // The last one of a day may be called by the next day's first minute.
            (At::Ends(if end == 0 { DAY_MINUTES } else { end }), *length)
        }
        Label::Index(length) => {
            let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
            let number = name.get(digits..).and_then(|text| text.parse::<i64>().ok());
            let number = number.filter(|number| (1..=1500).contains(number));
            (At::Nth(number.ok_or("a number from 1 at its end")? - 1), *length)
        }
    };
    Ok(Some(Slot { at, length }))
}

/// The minute of a day that a name says, and that which a range ends with.
fn minutes(name: &str) -> Option<(i64, Option<i64>)> {
    let bare = name.trim_matches(['[', ']', '(', ')', ' ']);
    match bare.split_once(['-', '–']) {
        None => Some((minute(bare)?, None)),
        Some((first, last)) => Some((minute(first)?, Some(minute(last)?))),
    }
}

fn minute(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':');
    let mut number = || {
        let part = parts.next()?;
        let digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number()?, number()?);
    let second = number().unwrap_or(0);
    let all = hour * 60 + minute;
    (minute < 60 && second == 0 && all <= DAY_MINUTES).then_some(all)
}

impl Slot {
    /// How its time makes a period.
    pub(super) const fn kind(&self) -> PeriodKind {
        match self.at {
            At::Ends(_) => PeriodKind::To(self.length),
            At::Starts(_) | At::Nth(_) => PeriodKind::From(self.length),
        }
    }

    /// Its time on the wall, where it has one.
    pub(super) fn wall(&self, day: Day) -> Option<WallClock> {
        match self.at {
            At::Starts(minutes) | At::Ends(minutes) => Some(WallClock::of(day, minutes * MINUTE)),
            At::Nth(_) => None,
        }
    }

    /// When it starts, counted from the day's midnight.
    pub(super) fn counted(&self, day: Day, zone: Option<&Zone>) -> Result<Point, RowProblem> {
        let At::Nth(number) = self.at else { return Ok(Point::Day(day)) };
        let refused = |detail: String, hint: &str| {
            Err(RowProblem::new(RowCode::LocalTimeMissing, "/start", detail).hint(hint))
        };
        let Some(zone) = zone else {
            let hint = "say time_zone in the mapping: a day has 23, 24 or 25 hours";
            return refused(
                "intervals are counted from midnight, and the zone is not said".to_owned(),
                hint,
            );
        };
        let midnight = |day: Day| match zone.resolve(WallClock::of(day, 0)) {
            LocalTime::Once(at) | LocalTime::Twice(at, _) => Some(at),
            LocalTime::Never => None,
        };
        let (Some(from), Some(to)) = (midnight(day), midnight(day.plus(1))) else {
            return refused(
                format!("{day} has no midnight in {}", zone.name()),
                "say when each interval starts",
            );
        };
        let start = from.as_micros() + number * self.length.as_micros();
        if start >= to.as_micros() {
            let count = (to.as_micros() - from.as_micros()) / self.length.as_micros();
            let detail = format!(
                "{day} has {count} such intervals in {}, and this is one more",
                zone.name()
            );
            return refused(detail, "leave the cell blank on this day");
        }
        Ok(Point::At(Timestamp::from_micros(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_intervals_are_read() {
        for (name, want) in [
            ("00:00", Some((0, None))),
            ("[00:30]", Some((30, None))),
            ("[24:00]", Some((1440, None))),
            ("7:05:00", Some((425, None))),
            ("00:00-00:15", Some((0, Some(15)))),
            ("23:45 – 00:00", Some((1425, Some(0)))),
            ("24:30", None),
            ("00:60", None),
            ("kWh_1", None),
        ] {
            assert_eq!(minutes(name), want, "{name}");
        }
    }

    #[test]
    fn a_long_day_has_more_and_a_short_one_fewer() {
        let zone = Zone::named("Europe/London").expect("a zone");
        let length = Span::from_secs(1800);
        let last = |day: &str, number: i64| {
            let slot = Slot { at: At::Nth(number - 1), length };
            slot.counted(Day::parse(day).expect("a day"), Some(&zone)).is_ok()
        };
        assert!(last("2022-03-27", 46) && !last("2022-03-27", 47));
        assert!(last("2022-06-01", 48) && !last("2022-06-01", 49));
        assert!(last("2022-10-30", 50) && !last("2022-10-30", 51));
    }
}
