//! Times on the wall of a row that names no zone of its own: what intake noted of them, beside the
//! content, so that they can be judged by whichever zone turns out to be theirs.
//!
//! The content holds a start and an end, of which a file may have said one alone, the other being
//! reckoned from it. Only what was said can be a time that never was; and which of two equal hours is
//! meant, only the order of the file tells.

use super::Period;
use super::problems::RowCode;
use crate::time::{LocalTime, Timestamp, WallClock, Zone};

/// One of the two times of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first.
    Start,
    /// The one that it ends before.
    End,
}

/// Which of two equal local times is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The one before the clocks went back.
    Earlier,
    /// The one after.
    Later,
}

/// What was noted of a row's times on the wall. Of rows from before such notes were made there is none:
/// they are taken as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Local(u8);

/// A time on the wall that is no one instant in the zone that is its.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// `local_time_missing` or `local_time_ambiguous`.
    pub code: RowCode,
    /// Which of the two times.
    pub side: Side,
    /// What the clock showed.
    pub wall: WallClock,
}

impl Local {
    const ALL: u8 = 0x3f;

    const fn said_bit(side: Side) -> u8 {
        match side {
            Side::Start => 1,
            Side::End => 2,
        }
    }

    const fn turn_bit(side: Side, turn: Turn) -> u8 {
        match (side, turn) {
            (Side::Start, Turn::Earlier) => 4,
            (Side::Start, Turn::Later) => 8,
            (Side::End, Turn::Earlier) => 16,
            (Side::End, Turn::Later) => 32,
        }
    }

    /// The same, and that this time was said.
    #[must_use]
    pub const fn said(self, side: Side) -> Self {
        Self(self.0 | Self::said_bit(side))
    }

    /// The same, and which of two equal times this one is.
    #[must_use]
    pub const fn turned(self, side: Side, turn: Turn) -> Self {
        Self(self.0 | Self::turn_bit(side, turn))
    }

    /// Whether nothing was noted.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this time was said, and not reckoned from the other.
    #[must_use]
    pub const fn is_said(self, side: Side) -> bool {
        self.0 & Self::said_bit(side) != 0
    }

    /// Which of two equal times this one is, where that was found out.
    #[must_use]
    pub const fn turn(self, side: Side) -> Option<Turn> {
        if self.0 & Self::turn_bit(side, Turn::Earlier) != 0 {
            Some(Turn::Earlier)
        } else if self.0 & Self::turn_bit(side, Turn::Later) != 0 {
            Some(Turn::Later)
        } else {
            None
        }
    }

    /// As a number: 1 the start was said, 2 the end; 4, 8 the start is the earlier, the later of two;
    /// 16, 32 the end is.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// From a number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number & !Self::ALL == 0 { Some(Self(number)) } else { None }
    }

    /// What of the times that were said is no one instant in this zone.
    ///
    /// # Errors
    /// The first that is none.
    pub fn judge(self, period: &Period, zone: &Zone) -> Result<(), Unclear> {
        let Period::WallClock { start, end } = period else { return Ok(()) };
        for (side, wall) in [(Side::Start, *start), (Side::End, *end)] {
            if !self.is_said(side) {
                continue;
            }
            let code = match zone.resolve(wall) {
                LocalTime::Once(_) => continue,
                LocalTime::Twice(..) if self.turn(side).is_some() => continue,
                LocalTime::Twice(..) => RowCode::LocalTimeAmbiguous,
                LocalTime::Never => RowCode::LocalTimeMissing,
            };
            return Err(Unclear { code, side, wall });
        }
        Ok(())
    }

    /// Whether a period ends before it starts, times on the wall by the instants that they are in this zone.
    #[must_use]
    pub fn is_reversed(self, period: &Period, zone: &Zone) -> bool {
        let Period::WallClock { start, end } = period else { return period.is_reversed() };
        // Where nothing was found out of its hours, it is what the wall shows.
        let turned = self.turn(Side::Start).and(self.turn(Side::End)).is_some();
        if !period.is_reversed() || !turned {
            return period.is_reversed();
        }
        self.instant(Side::End, *end, zone) < self.instant(Side::Start, *start, zone)
    }

    /// The instant that one of the times is taken for in this zone.
    #[must_use]
    pub fn instant(self, side: Side, wall: WallClock, zone: &Zone) -> Timestamp {
        match (self.turn(side), zone.resolve(wall)) {
            (Some(Turn::Later), LocalTime::Twice(_, later)) => later,
            _ => zone.instant(wall),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> WallClock {
        WallClock::from_micros(Timestamp::parse(text).expect("a time").as_micros())
    }

    fn period(start: &str, end: &str) -> Period {
        Period::WallClock { start: wall(start), end: wall(end) }
    }

    #[track_caller]
    fn check(local: Local, (start, end): (&str, &str), want: Option<(RowCode, Side)>) {
        let zone = Zone::named("Europe/London").expect("a zone");
        let found = local.judge(&period(start, end), &zone).err();
        assert_eq!(found.map(|unclear| (unclear.code, unclear.side)), want, "{start} {end}");
    }

    #[test]
    fn what_was_said_is_judged_and_what_was_reckoned_is_not() {
        let (start, end) = (Local::default().said(Side::Start), Local::default().said(Side::End));
        let both = start.said(Side::End);
        let (missing, twice) = (RowCode::LocalTimeMissing, RowCode::LocalTimeAmbiguous);
        let spring = ("2022-03-27T00:30:00Z", "2022-03-27T01:00:00Z");
        check(start, spring, None);
        check(both, spring, Some((missing, Side::End)));
        check(end, ("2022-03-27T01:30:00Z", "2022-03-27T02:00:00Z"), None);
        check(
            start,
            ("2022-03-27T01:30:00Z", "2022-03-27T02:00:00Z"),
            Some((missing, Side::Start)),
        );
        let autumn = ("2022-10-30T01:30:00Z", "2022-10-30T02:00:00Z");
        check(start, autumn, Some((twice, Side::Start)));
        check(start.turned(Side::Start, Turn::Later), autumn, None);
        check(start.turned(Side::End, Turn::Later), autumn, Some((twice, Side::Start)));
        check(both, ("2022-06-01T01:30:00Z", "2022-06-01T02:00:00Z"), None);
        check(Local::default(), autumn, None);
    }

    #[test]
    fn from_the_first_time_round_into_the_second_the_wall_goes_back() {
        let both = Local::default().turned(Side::Start, Turn::Earlier);
        let both = both.turned(Side::End, Turn::Later);
        let back = period("2022-10-30T01:30:00Z", "2022-10-30T01:00:00Z");
        let zone = |name: &str| Zone::named(name).expect("a zone");
        assert!(!both.is_reversed(&back, &zone("Europe/London")));
        assert!(both.is_reversed(&back, &zone("Etc/GMT")), "no hour came twice there");
        assert!(Local::default().is_reversed(&back, &zone("Europe/London")), "nothing tells it");
    }

    #[test]
    fn of_two_equal_times_the_noted_one_is_taken() {
        let zone = Zone::named("Europe/London").expect("a zone");
        let at = |local: Local| {
            local.instant(Side::Start, wall("2022-10-30T01:30:00Z"), &zone).to_string()
        };
        assert_eq!(at(Local::default()), "2022-10-30T00:30:00Z");
        assert_eq!(at(Local::default().turned(Side::Start, Turn::Later)), "2022-10-30T01:30:00Z");
    }

    #[test]
    fn numbers_are_read_back() {
        for number in 0..=u8::MAX {
            let read = Local::from_number(number).map(Local::number);
            assert_eq!(read, (number < 64).then_some(number));
        }
    }
}
