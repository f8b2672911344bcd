//! Rollup cells: the sums of lines that a footprint is read from.
//!
//! A cell is an integer sum, so adding and subtracting lines in any order gives the same digits.

use core::cmp::Reverse;

use ethnum::U256;

use crate::activities::Period;
use crate::activities::local::{Local, Side};
use crate::catalogue::{Bucket, Market, Slot};
use crate::decimal::Mass;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::lines::Line;
use crate::time::{Day, Timestamp, Zone};

/// How many CO2e columns a line and a cell have: published, ar5, ar6, the organization's own.
pub const CO2E_COLUMNS: usize = 4;

/// What a cell is the sum of, within one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The civil day in the row's own zone.
    pub day: Day,
    /// The facility's sixteen bytes; of none, empty.
    pub facility: Vec<u8>,
    /// The source's sixteen bytes; of none, empty.
    pub source: Vec<u8>,
    /// The activity type.
    pub kind: String,
    /// The slot of the type.
    pub slot: Slot,
    /// The scope; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0.
    pub category: u8,
    /// Location-based, market-based, or neither.
    pub market: Market,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// The gas.
    pub gas: Gas,
    /// Where its carbon comes from.
    pub carbon: Carbon,
    /// The GWP basis in which the publisher printed it.
    pub basis: GwpSet,
    /// The tier of the method.
    pub tier: u8,
    /// The kind of data, as sent; unsaid, empty.
    pub data_kind: String,
    /// Whether it is primary data.
    pub primary: Primary,
}

crate::words::words! {
    /// Whether an activity is primary data.
    pub enum Primary {
        /// The row does not say.
        Unsaid = "unsaid",
        /// It is not.
        No = "no",
        /// It is.
        Yes = "yes",
    }
}

impl From<Option<bool>> for Primary {
    fn from(said: Option<bool>) -> Self {
        match said {
            None => Self::Unsaid,
            Some(false) => Self::No,
            Some(true) => Self::Yes,
        }
    }
}

impl Primary {
    /// As a number column: 0 unsaid, 1 no, 2 yes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Unsaid => 0,
            Self::No => 1,
            Self::Yes => 2,
        }
    }

    /// From a number column.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Unsaid),
            1 => Some(Self::No),
            2 => Some(Self::Yes),
            _ => None,
        }
    }
}

/// What the row of a line says about its cell beyond the line itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPlace {
    /// The facility's sixteen bytes, or empty.
    pub facility: Vec<u8>,
    /// The source's sixteen bytes, or empty.
    pub source: Vec<u8>,
    /// The activity type.
    pub kind: String,
    /// The kind of data, or empty.
    pub data_kind: String,
    /// Whether it says that it is primary.
    pub primary: Option<bool>,
}

impl CellKey {
    /// The cell that a line of this row adds to on this day.
    #[must_use]
    pub fn of(line: &Line, row: &RowPlace, day: Day) -> Self {
        Self {
            day,
            facility: row.facility.clone(),
            source: row.source.clone(),
            kind: row.kind.clone(),
            slot: line.slot,
            scope: line.scope,
            category: line.category,
            market: line.market,
            bucket: line.bucket,
            gas: line.gas,
            carbon: line.carbon,
            basis: line.basis,
            tier: line.tier,
            data_kind: row.data_kind.clone(),
            primary: row.primary.into(),
        }
    }
}

/// The sums of a cell. A CO2e that is `None` in any line stays out of that column's sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellValue {
    /// Mass of the gas.
    pub kg: Mass,
    /// Lines in it.
    pub count: i64,
    /// CO2e: published, ar5, ar6, the organization's own set.
    pub co2e: [Option<Mass>; CO2E_COLUMNS],
}

/// A sum is above what is kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sum of masses is above 10^26 kg")]
pub struct TooLarge;

impl CellValue {
    /// Adds another value.
    ///
    /// # Errors
    /// [`TooLarge`]; nothing is changed then.
    pub fn add(&mut self, other: &Self) -> Result<(), TooLarge> {
        let mut sum = *self;
        sum.kg = self.kg.checked_add(other.kg).ok_or(TooLarge)?;
        sum.count = self.count.checked_add(other.count).ok_or(TooLarge)?;
        for (mine, theirs) in sum.co2e.iter_mut().zip(&other.co2e) {
            *mine = match (*mine, *theirs) {
                (Some(mine), Some(theirs)) => Some(mine.checked_add(theirs).ok_or(TooLarge)?),
                (mine, theirs) => mine.or(theirs),
            };
        }
        *self = sum;
        Ok(())
    }

    /// The value that takes this one out again.
    #[must_use]
    pub fn negated(&self) -> Self {
        let minus = |mass: Mass| Mass::from_units(mass.units().saturating_neg());
        Self {
            kg: minus(self.kg),
            count: self.count.saturating_neg(),
            co2e: self.co2e.map(|co2e| co2e.map(minus)),
        }
    }

    /// Takes a value out again.
    ///
    /// # Errors
    /// [`TooLarge`]; nothing is changed then.
    pub fn subtract(&mut self, other: &Self) -> Result<(), TooLarge> {
        self.add(&other.negated())
    }
}

/// The longest period that is spread over its days: a century. Rows above ten years are refused;
/// this is for what was stored before they were, and must not hold up all others.
pub const SPREAD_DAYS_MAX: i32 = 36_600;

/// Whether a period is too long to be one.
#[must_use]
pub fn is_endless(period: &Period) -> bool {
    let (first, last) = period.rough_days();
    last.number().saturating_sub(first.number()) >= SPREAD_DAYS_MAX
}

/// How a row's time falls on civil days: the weights by which each of its lines is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayShares(Shares);

/// Nearly all rows lie in one day.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shares {
    One([(Day, u64); 1]),
    Some(Vec<(Day, u64)>),
}

impl DayShares {
    /// The days of `[start, end)` in this zone, by duration. An instant is all on its day.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp, zone: &Zone) -> Self {
        let first = zone.day_of(start);
        let last =
            zone.day_of(Timestamp::from_micros(end.as_micros().saturating_sub(1))).max(first);
        if first == last || end <= start {
            return Self(Shares::One([(first, 1)]));
        }
        let mut shares = Vec::new();
        let (mut day, mut from) = (first, start);
        while day <= last && from < end {
            let to = zone.start_of(day.plus(1)).min(end);
            let length = (to - from).as_micros();
            if length > 0 {
                shares.push((day, length.unsigned_abs()));
                from = to;
            }
            day = day.plus(1);
        }
        Self(Shares::Some(shares))
    }

    /// The days of a row's period: whole days and times on the wall are this zone's, of two equal times
    /// the one that was noted. A period that is too long to be one is all on its first day.
    #[must_use]
    pub fn of(period: &Period, local: Local, zone: &Zone) -> Self {
        let (start, end) = match period {
            Period::Instant(at) => (*at, *at),
            Period::Between(start, end) => (*start, *end),
            Period::Days { first, last } => (zone.start_of(*first), zone.start_of(last.plus(1))),
            Period::WallClock { start, end } => {
                (local.instant(Side::Start, *start, zone), local.instant(Side::End, *end, zone))
            }
        };
        let end = if is_endless(period) { start } else { end };
        Self::new(start, end, zone)
    }

    /// How many of the days lie in `[from, to)`.
    #[must_use]
    pub fn count_within(&self, (from, to): (Day, Day)) -> usize {
        self.days().iter().filter(|(day, _)| *day >= from && *day < to).count()
    }

    /// What of an integer falls on the days in `[from, to)`, when it is [split](Self::split).
    #[must_use]
    pub fn within(&self, units: i128, (from, to): (Day, Day)) -> i128 {
        let parts = self.split(units).into_iter();
        parts.filter(|(day, _)| *day >= from && *day < to).map(|(_, part)| part).sum()
    }

    /// The days, with their durations in microseconds (of one day alone, any weight).
    #[must_use]
    pub fn days(&self) -> &[(Day, u64)] {
        match &self.0 {
            Shares::One(day) => day,
            Shares::Some(days) => days,
        }
    }

    /// Splits an integer: largest remainder, ties to the earlier day. The parts add up exactly, and
    /// the parts of `-n` are those of `n` negated.
    #[must_use]
    pub fn split(&self, units: i128) -> Vec<(Day, i128)> {
        if let [(day, _)] = self.days() {
            return vec![(*day, units)];
        }
        let total = self.days().iter().map(|(_, length)| U256::from(*length)).sum::<U256>();
        let size = U256::from(units.unsigned_abs());
        let mut parts: Vec<(Day, u128, U256)> = self
            .days()
            .iter()
            .map(|(day, length)| {
                let share = size * U256::from(*length);
                (*day, u128::try_from(share / total).unwrap_or(u128::MAX), share % total)
            })
            .collect();
        let given: u128 = parts.iter().map(|(_, part, _)| part).sum();
        let left = usize::try_from(units.unsigned_abs() - given).unwrap_or(0);
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|place| Reverse(parts[*place].2));
        for place in order.into_iter().take(left) {
            parts[place].1 += 1;
        }
        let signed = |size: u128| {
            if units < 0 {
                0_i128.saturating_sub_unsigned(size)
            } else {
                0_i128.saturating_add_unsigned(size)
            }
        };
        parts.into_iter().map(|(day, part, _)| (day, signed(part))).collect()
    }

    /// Splits a cell's worth of a line; the count goes to the first day.
    #[must_use]
    pub fn split_value(&self, value: &CellValue) -> Vec<(Day, CellValue)> {
        if let [(day, _)] = self.days() {
            return vec![(*day, *value)];
        }
        let mut parts: Vec<(Day, CellValue)> =
            self.days().iter().map(|(day, _)| (*day, CellValue::default())).collect();
        for ((_, part), (_, kg)) in parts.iter_mut().zip(self.split(value.kg.units())) {
            part.kg = Mass::from_units(kg);
        }
        for (column, co2e) in value.co2e.iter().enumerate() {
            let Some(co2e) = co2e else { continue };
            for ((_, part), (_, units)) in parts.iter_mut().zip(self.split(co2e.units())) {
                part.co2e[column] = Some(Mass::from_units(units));
            }
        }
        if let Some((_, first)) = parts.first_mut() {
            first.count = value.count;
        }
        parts
    }
}

/// Splits an integer over the civil days of `[start, end)` in a zone.
#[must_use]
pub fn split_by_day(
    units: i128,
    start: Timestamp,
    end: Timestamp,
    zone: &Zone,
) -> Vec<(Day, i128)> {
    DayShares::new(start, end, zone).split(units)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[track_caller]
    fn check(units: i128, period: [&str; 2], zone: &str, want: &[i128]) {
        let zone = Zone::named(zone).expect("a zone");
        let split = split_by_day(units, instant(period[0]), instant(period[1]), &zone);
        let parts: Vec<i128> = split.iter().map(|(_, part)| *part).collect();
        assert_eq!(parts, want);
        assert_eq!(split.first().map(|(day, _)| *day), Some(zone.day_of(instant(period[0]))));
    }

    #[test]
    fn a_row_is_split_by_duration() {
        let two_days = ["2022-01-01T00:00:00Z", "2022-01-03T00:00:00Z"];
        check(10, two_days, "UTC", &[5, 5]);
        check(11, two_days, "UTC", &[6, 5]);
        check(-11, two_days, "UTC", &[-6, -5]);
        check(0, two_days, "UTC", &[0, 0]);
        check(7, ["2022-01-01T23:00:00Z", "2022-01-02T00:00:00Z"], "UTC", &[7]);
        check(7, ["2022-01-01T00:00:00Z", "2022-01-01T00:00:00Z"], "UTC", &[7]);
        check(4, ["2022-01-01T23:00:00Z", "2022-01-02T03:00:00Z"], "UTC", &[1, 3]);
        check(100, ["2022-01-01T00:00:00Z", "2022-01-04T00:00:00Z"], "UTC", &[34, 33, 33]);
        let spring = ["2022-03-27T00:00:00Z", "2022-03-28T23:00:00Z"];
        check(47, spring, "Europe/London", &[23, 24]);
        check(i128::MAX, two_days, "UTC", &[i128::MAX / 2 + 1, i128::MAX / 2]);
    }

    proptest! {
        #[test]
        fn parts_add_up(units in any::<i128>(), start in 0_i64..4_000_000, length in 1_i64..4_000_000) {
            let zone = Zone::named("Europe/London").expect("a zone");
            let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
            let shares = DayShares::new(at(start), at(start + length), &zone);
            let parts = shares.split(units);
            prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<i128>(), units);
            prop_assume!(units != i128::MIN);
            let taken: Vec<_> = shares.split(units.saturating_neg()).iter().map(|(day, part)| (*day, -part)).collect();
            prop_assert_eq!(parts, taken);
        }
    }

    #[test]
    fn what_is_added_is_taken_out_again() {
        let kg = Mass::from_units(5);
        let value = CellValue { kg, count: 1, co2e: [Some(kg), None, Some(kg), None] };
        let mut sum = CellValue::default();
        sum.add(&value).expect("it fits");
        sum.add(&value).expect("it fits");
        assert_eq!(sum.co2e, [Some(Mass::from_units(10)), None, Some(Mass::from_units(10)), None]);
        sum.subtract(&value).expect("it fits");
        assert_eq!(sum, value);
        let most = CellValue { kg: Mass::from_units(i128::MAX), ..value };
        assert_eq!(sum.add(&most), Err(TooLarge));
        assert_eq!(sum, value);
    }

    #[test]
    fn a_value_is_split_whole() {
        let days = DayShares::new(
            instant("2022-01-01T00:00:00Z"),
            instant("2022-01-03T00:00:00Z"),
            &Zone::utc(),
        );
        let value = CellValue {
            kg: Mass::from_units(3),
            count: 1,
            co2e: [Some(Mass::from_units(5)), None, None, None],
        };
        let mut sum = CellValue::default();
        for (_, part) in days.split_value(&value) {
            sum.add(&part).expect("it fits");
        }
        assert_eq!(sum, value);
    }
}
