//! Repeats: rows of one file that say again what rows before them said, one by one or as their sum.
//!
//! Files are put together by hand and by exports that overlap, and a meter is read once an interval. Two
//! refuels of one card on one day are two, so only rows of a source are compared: of an interval shorter than
//! a day whatever they come to, of days where they come to the same. They are stored and count, flagged
//! `possible_duplicate`: the file does not tell which is wrong.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use envora_domain::activities::local::Side;
use envora_domain::activities::{Activity, Common, Period};
use envora_domain::time::{LocalTime, WallClock, Zone};

use crate::check::IDS_REMEMBERED_MAX;

const HOUR: i64 = 3_600_000_000;

/// Whether a row is of a source and an interval shorter than a day, which is read once.
pub(crate) fn is_interval(activity: &Activity) -> bool {
    let micros = match activity.period {
        Period::Between(start, end) => (end - start).as_micros(),
        Period::WallClock { start, end } => end.as_micros().saturating_sub(start.as_micros()),
        Period::Instant(_) | Period::Days { .. } => return false,
    };
    micros > 0 && micros < 24 * HOUR && activity.source.is_some() && !activity.void
}

/// Whether a row is of a source and an interval that so many rows of its file were of before.
pub(crate) fn is_repeat(activity: &Activity, before: u64) -> bool {
    before > 0 && is_interval(activity) && (before > 1 || !may_come_twice(activity))
}

/// Whether it lies in an hour that comes twice where the clocks go back.
fn may_come_twice(activity: &Activity) -> bool {
    let Period::WallClock { start, end } = activity.period else { return false };
    let is_told = [Side::Start, Side::End].iter().any(|side| activity.local.turn(*side).is_some());
    is_told || [start, end].into_iter().any(comes_twice_somewhere)
}

/// Zones that put their clocks back on other nights, or at other hours, than the others.
static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let names = [
        "Europe/London",
        "Europe/Paris",
        "Europe/Athens",
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/Halifax",
        "America/Santiago",
        "Australia/Sydney",
        "Australia/Adelaide",
        "Pacific/Auckland",
        "Africa/Cairo",
        "Asia/Jerusalem",
        "Asia/Beirut",
    ];
    names.iter().filter_map(|name| Zone::named(name).ok()).collect()
});

fn comes_twice_somewhere(wall: WallClock) -> bool {
    let hour = wall.as_micros().rem_euclid(24 * HOUR);
    let is_by_day = (4 * HOUR..=23 * HOUR).contains(&hour);
    !is_by_day && ZONES.iter().any(|zone| matches!(zone.resolve(wall), LocalTime::Twice(..)))
}

/// How often each source and interval came, as many as ids are remembered.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    spread: RandomState,
    seen: HashMap<u64, u32>,
}

impl Repeats {
    /// Whether the next row of the file is a repeat.
    pub(crate) fn next(&mut self, activity: &Activity) -> bool {
        if activity.source.is_none() || activity.void || self.seen.len() >= IDS_REMEMBERED_MAX {
            return false;
        }
        let period = match activity.period {
            Period::Between(start, end) => (0, start.as_micros(), end.as_micros()),
            Period::WallClock { start, end } => (1, start.as_micros(), end.as_micros()),
            Period::Days { first, last } => (2, first.number().into(), last.number().into()),
            Period::Instant(_) => return false,
        };
        let Common { entity, facility, item, qualifiers, source, supplier, .. } = &*activity.common;
        let words = (entity, item, supplier, qualifiers, &activity.kind, &activity.unit);
        let of_days = !is_interval(activity);
        let amount = activity.quantity.normalized();
        // The low and the high tariff of one month are two rows.
        let amount = of_days.then(|| (amount.mantissa(), amount.scale()));
        let places =
            (source.as_ref().map(ToString::to_string), facility.as_ref().map(ToString::to_string));
        let print = self.spread.hash_one((period, places, words, amount));
        let seen = self.seen.entry(print).or_insert(0);
        *seen = seen.saturating_add(1);
        let before = u64::from(*seen - 1);
        if of_days { before > 0 } else { is_repeat(activity, before) }
    }
}

/// Digits after the point that sums are kept with: as many as a quantity may have.
const SCALE: u8 = 18;
/// Units that are summed up apart; of more, the others are not watched.
const UNITS_MAX: usize = 8;
/// Fewer rows than these come to the next by chance.
const ROWS_MIN: u64 = 3;

/// Watches whether the last row of a table is the sum of those before it, whatever its words say.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastRow {
    sums: Vec<Sum>,
    /// The last row, and of how many it is the sum.
    found: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
struct Sum {
    unit: String,
    rows: u64,
    /// Those of more or less than nothing.
    filled: u64,
    /// At [`SCALE`]; nothing where it would be too large.
    amount: Option<i128>,
}

impl LastRow {
    /// Takes in the next row.
    pub(crate) fn add(&mut self, line: u64, activity: &Activity) {
        self.found = None;
        let place = self.sums.iter().position(|sum| sum.unit == activity.unit);
        let place = match place {
            Some(place) => place,
            None if self.sums.len() == UNITS_MAX => return,
            None => {
                let unit = activity.unit.clone();
                self.sums.push(Sum { unit, rows: 0, filled: 0, amount: Some(0) });
                self.sums.len() - 1
            }
        };
        let Some(sum) = self.sums.get_mut(place) else { return };
        let (mantissa, scale) = (activity.quantity.mantissa(), activity.quantity.scale());
        let more = 10_i128.pow(u32::from(SCALE.saturating_sub(scale)));
        let amount = mantissa.checked_mul(more);
        if sum.filled >= ROWS_MIN && amount.is_some() && amount == sum.amount {
            self.found = Some((line, sum.rows));
        }
        sum.amount = sum.amount.zip(amount).and_then(|(sum, more)| sum.checked_add(more));
        sum.rows += 1;
        sum.filled += u64::from(mantissa != 0);
    }

    /// The line of the last row, and of how many rows before it it is the sum.
    pub(crate) const fn found(&self) -> Option<(u64, u64)> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use envora_domain::activities::{Input, Origin, Ref};
    use envora_domain::decimal::Decimal;
    use envora_domain::time::{Day, Timestamp};

    use super::*;

    fn row(amount: &str, period: Period) -> Activity {
        let origin = Origin::Request {
            request_id: "r".into(),
            body: [0; 32],
            row: 1,
            offset: 0,
            length: 0,
            parser: "csv/1".into(),
        };
        let quantity = Decimal::parse(amount).unwrap();
        let input = Input { quantity, unit: "kW.h".to_owned() };
        let mut row = Activity::new("electricity.purchased", input, period, origin);
        row.source = Some(Ref::Code("m1".to_owned()));
        row
    }

    fn hour(from: i64, hours: i64) -> Period {
        let at = |hours: i64| Timestamp::from_micros(hours * HOUR);
        Period::Between(at(from), at(from + hours))
    }

    fn on_the_wall(from: i64) -> Period {
        // The night of 30 October 2022.
        on_the_wall_of(19_295, from)
    }

    fn on_the_wall_of(day: i32, from: i64) -> Period {
        let at = |hours: i64| WallClock::of(Day::from_number(day), hours * HOUR);
        Period::WallClock { start: at(from), end: at(from + 1) }
    }

    #[test]
    fn a_meter_is_read_once_an_interval() {
        assert!(is_repeat(&row("1", hour(9, 1)), 1));
        assert!(!is_repeat(&row("1", hour(9, 1)), 0), "the first");
        assert!(!is_repeat(&row("1", hour(0, 24)), 1), "a day's two refuels are two");
        assert!(is_repeat(&row("1", on_the_wall(9)), 1));
        assert!(!is_repeat(&row("1", on_the_wall(1)), 1), "the hour that comes twice");
        assert!(is_repeat(&row("1", on_the_wall_of(19_294, 1)), 1), "another night");
        assert!(is_repeat(&row("1", on_the_wall(1)), 2), "no hour comes three times");
        let mut unnamed = row("1", hour(9, 1));
        unnamed.source = None;
        assert!(!is_repeat(&unnamed, 1), "of several meters, perhaps");
    }

    #[test]
    fn what_came_is_remembered_by_what_the_row_is_about() {
        let mut repeats = Repeats::default();
        let mut other = row("2", hour(9, 1));
        other.source = Some(Ref::Code("m2".to_owned()));
        let rows = [row("2", hour(9, 1)), other, row("2", hour(10, 1)), row("7", hour(9, 1))];
        assert_eq!(rows.map(|row| repeats.next(&row)), [false, false, false, true]);
        let day = Period::Days { first: Day::from_number(19_000), last: Day::from_number(19_030) };
        let bills = [row("2", day), row("3", day), row("2.0", day), row("9", day)];
        assert_eq!(bills.map(|row| repeats.next(&row)), [false, false, true, false]);
    }

    #[test]
    fn the_last_row_is_the_sum_of_those_before_it() {
        let found = |amounts: &[&str]| {
            let mut last = LastRow::default();
            for (amount, line) in amounts.iter().zip(2..) {
                last.add(line, &row(amount, hour(9, 1)));
            }
            last.found()
        };
        assert_eq!(found(&["1.5", "2", "3.25", "6.75"]), Some((5, 3)));
        assert_eq!(found(&["1.5", "2", "3.25", "6.750"]), Some((5, 3)), "the same number");
        assert_eq!(found(&["1", "2", "3"]), None, "too few to tell");
        assert_eq!(found(&["1", "2", "3", "6", "7"]), None, "rows came after it");
        assert_eq!(found(&["0", "0", "0", "0"]), None);
        assert_eq!(found(&["7", "0", "0", "7"]), None, "a reading that came again");
        assert_eq!(found(&["7", "0", "2", "1", "10"]), Some((6, 4)));
        let large = "99999999999999999999";
        assert_eq!(found(&[large; 5]), None);
    }
}
