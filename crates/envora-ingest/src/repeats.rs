//! Repeats: rows of one file that say again what rows before them said, one by one or as their sum.
//!
//! Files are put together by hand and by exports that overlap, and a meter is read once an hour. Two equal
//! refuels of one card on one day are two, so only rows of a source whose interval is shorter than a day are
//! compared. They are stored and count, flagged `possible_duplicate`: the file does not tell which is wrong.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use envora_domain::activities::local::Side;
use envora_domain::activities::{Activity, Common, Period};
use envora_domain::time::WallClock;

use crate::check::IDS_REMEMBERED_MAX;

const HOUR: i64 = 3_600_000_000;
/// Clocks go back before this hour of a day.
const CLOCKS_GO_BACK_BEFORE: i64 = 4 * HOUR;

/// Whether a row is of a meter and an interval that so many rows of its file were of before.
pub(crate) fn is_repeat(activity: &Activity, before: u64) -> bool {
    if before == 0 || activity.void || activity.source.is_none() {
        return false;
    }
    match activity.period {
        Period::Between(start, end) => is_short((end - start).as_micros()),
        Period::WallClock { start, end } => {
            let told = [Side::Start, Side::End].map(|side| activity.local.turn(side));
            // An hour after midnight comes twice when the clocks go back.
            let may_come_twice =
                told.iter().any(Option::is_some) || of_day(start) < CLOCKS_GO_BACK_BEFORE;
            is_short(end.as_micros().saturating_sub(start.as_micros()))
                && (before > 1 || !may_come_twice)
        }
        Period::Instant(_) | Period::Days { .. } => false,
    }
}

const fn is_short(micros: i64) -> bool {
    micros > 0 && micros < 24 * HOUR
}

fn of_day(wall: WallClock) -> i64 {
    wall.as_micros().rem_euclid(24 * HOUR)
}

/// How often each meter and interval came, where no id tells: as many as ids are remembered.
#[derive(Default)]
pub(crate) struct Repeats {
    spread: RandomState,
    seen: HashMap<u64, u32>,
}

impl Repeats {
    /// Whether the next row of the file is a repeat.
    pub(crate) fn next(&mut self, activity: &Activity) -> bool {
        // What could be no repeat after any number of rows need not be remembered.
        if !is_repeat(activity, u64::MAX) {
            return false;
        }
        let Common { entity, facility, item, qualifiers, source, supplier, .. } = &*activity.common;
        let period = match activity.period {
            Period::Between(start, end) => (start.as_micros(), end.as_micros()),
            Period::WallClock { start, end } => (start.as_micros(), end.as_micros()),
            Period::Instant(_) | Period::Days { .. } => return false,
        };
        let places =
            (source.as_ref().map(ToString::to_string), facility.as_ref().map(ToString::to_string));
        let words = (entity, item, supplier, qualifiers, &activity.kind);
        let print = self.spread.hash_one((period, places, words));
        if self.seen.len() >= IDS_REMEMBERED_MAX {
            return false;
        }
        let seen = self.seen.entry(print).or_insert(0);
        *seen = seen.saturating_add(1);
        is_repeat(activity, u64::from(*seen - 1))
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
                self.sums.push(Sum { unit, rows: 0, amount: Some(0) });
                self.sums.len() - 1
            }
        };
        let Some(sum) = self.sums.get_mut(place) else { return };
        let (mantissa, scale) = (activity.quantity.mantissa(), activity.quantity.scale());
        let more = 10_i128.pow(u32::from(SCALE.saturating_sub(scale)));
        let amount = mantissa.checked_mul(more);
        if sum.rows >= ROWS_MIN && amount != Some(0) && amount.is_some() && amount == sum.amount {
            self.found = Some((line, sum.rows));
        }
        sum.amount = sum.amount.zip(amount).and_then(|(sum, more)| sum.checked_add(more));
        sum.rows += 1;
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
        let at = |hours: i64| WallClock::of(Day::from_number(19_000), hours * HOUR);
        Period::WallClock { start: at(from), end: at(from + 1) }
    }

    #[test]
    fn a_meter_is_read_once_an_interval() {
        assert!(is_repeat(&row("1", hour(9, 1)), 1));
        assert!(!is_repeat(&row("1", hour(9, 1)), 0), "the first");
        assert!(!is_repeat(&row("1", hour(0, 24)), 1), "a day's two refuels are two");
        assert!(is_repeat(&row("1", on_the_wall(9)), 1));
        assert!(!is_repeat(&row("1", on_the_wall(1)), 1), "the hour that comes twice");
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
        let large = "99999999999999999999";
        assert_eq!(found(&[large; 5]), None);
    }
}
