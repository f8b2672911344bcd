//! What a row's times make: a period, once a repeated hour is decided.

use std::sync::Arc;

use envora_domain::activities::Period;
use envora_domain::activities::local::{self, Local};
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::time::{Day, Span, WallClock, Zone};

use super::super::held::{Findings, Side, Turn};
use super::{PeriodKind, Point};
use crate::clocks::Clock;
use crate::mapping::times::Moment;

/// What to do about one of two equal hours that comes alone. Rows that are stored are not to be sent again.
const ALONE: &str = "say which it is: mend the row in the file that envora data errors imp_… --fix FILE writes, \
    where times may say their offset, such as 2022-10-30T01:30+01:00, whatever the mapping's format, or put \
    the other hour beside it there, in order";

/// The same of an interval in a line of a wide table.
const ALONE_IN_LINE: &str = "the hour came twice and the line has it once: in the file that envora data errors imp_… --fix FILE \
    writes put a second line for this day below this one, the same in all that names meter and day, with what was \
    measured the second time round in these columns and all other intervals blank; a cell that holds both hours \
    together is split between the two";

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Where the times of a row are read that say no offset.
#[derive(Clone, Copy)]
pub(super) enum Hours<'a> {
    /// Nowhere yet: they stay times on the wall.
    Nowhere,
    /// In the row's own zone.
    Own(&'a Zone),
    /// By the clock of its source or facility: they stay times on the wall, of those that there are.
    At(&'a Arc<Clock>),
}

impl<'a> Hours<'a> {
    /// The row's own zone.
    pub(super) const fn own(self) -> Option<&'a Zone> {
        match self {
            Self::Own(zone) => Some(zone),
            Self::Nowhere | Self::At(_) => None,
        }
    }

    /// The clock of its place.
    pub(super) fn clock(self) -> Option<Arc<Clock>> {
        match self {
            Self::At(clock) => Some(Arc::clone(clock)),
            Self::Nowhere | Self::Own(_) => None,
        }
    }
}

/// The times of a row, not yet a period where a local time happened twice.
#[derive(Clone, Debug)]
pub(in super::super) struct Timing {
    pub(super) kind: PeriodKind,
    pub(super) first: Point,
    pub(super) second: Option<Point>,
    pub(super) column: Option<String>,
    /// That of its end, where it is another.
    pub(super) column_of_end: Option<String>,
    /// The day of the line, of an interval of a wide table.
    pub(in super::super) day: Option<Day>,
    /// The clock that its times on the wall are of, where that is not the row's own.
    pub(super) clock: Option<Arc<Clock>>,
    /// What an export says was noted of its times on the wall.
    pub(super) told: Option<Local>,
    /// Why it is none by that clock.
    pub(super) against: Option<RowProblem>,
}

/// When a row is.
#[derive(Clone, Debug)]
pub(in super::super) struct Timed {
    pub(in super::super) period: Period,
    /// What is to be noted of its times on the wall.
    pub(in super::super) local: Local,
    /// Why the clock of its place lets it be no period, or not surely one.
    pub(in super::super) against: Option<RowProblem>,
    /// What it was as long as that clock was not known, where it is other instants now.
    pub(in super::super) before: Option<Period>,
}

/// What a cell of an export says was noted of times on the wall.
pub(super) fn told(cell: &str) -> Option<Local> {
    cell.parse().ok().and_then(Local::from_number)
}

impl PeriodKind {
    /// Days become midnights where a part of a day is meant, and times days where a day is.
    pub(super) fn fit(self, moment: Moment) -> Moment {
        match (self, moment) {
            (Self::From(length), Moment::Day(day)) if length.as_micros() % DAY != 0 => {
                Moment::Wall(WallClock::of(day, 0))
            }
            (Self::To(_), Moment::Day(day)) => Moment::Wall(WallClock::of(day, 0)),
            (Self::Day, Moment::Wall(wall)) => Moment::Day(wall.day()),
            _ => moment,
        }
    }
}

impl Timing {
    /// Which of its times happened twice.
    pub(in super::super) fn twice(&self) -> Vec<(Side, i64)> {
        let side = |side: Side, point: Option<Point>| match point {
            Some(Point::Twice(wall, ..)) => Some((side, wall.as_micros())),
            Some(Point::Day(_) | Point::Wall(_) | Point::At(_)) | None => None,
        };
        let sides = [side(Side::Start, Some(self.first)), side(Side::End, self.second)];
        sides.into_iter().flatten().collect()
    }

    /// Its times on the wall, which may turn out to have happened twice.
    pub(in super::super) fn walls(&self) -> Vec<(Side, i64)> {
        let side = |side: Side, point: Option<Point>| match point {
            Some(Point::Wall(wall)) => Some((side, wall.as_micros())),
            Some(Point::Day(_) | Point::Twice(..) | Point::At(_)) | None => None,
        };
        let sides = [side(Side::Start, Some(self.first)), side(Side::End, self.second)];
        let open = self.clock.is_none() && self.told.is_none();
        sides.into_iter().flatten().filter(|_| open).collect()
    }

    /// How long it is, as far as that is known before a repeated hour is decided.
    pub(in super::super) fn length(&self) -> Span {
        let once = |point: Point| match point {
            Point::Twice(wall, ..) if self.clock.is_some() => Point::Wall(wall),
            Point::Twice(_, earlier, _) => Point::At(earlier),
            other @ (Point::Day(_) | Point::Wall(_) | Point::At(_)) => other,
        };
        let period = build(self.kind, once(self.first), self.second.map(once));
        period.map_or(Span::from_micros(0), |period| period.nominal_length())
    }

    /// Whether its times are those of another clock than the row's own.
    pub(in super::super) const fn is_elsewhere(&self) -> bool {
        self.clock.is_some()
    }

    /// The period, a repeated hour decided by what was found out. What the clock of its place says against it
    /// stands beside: the times on the wall are what they are, and may be stored.
    pub(in super::super) fn period(&self, found: Findings) -> Result<Timed, RowProblem> {
        let (start, end) = match self.kind {
            PeriodKind::To(_) => ("/end", "/end"),
            PeriodKind::Day => ("/start_date", "/end_date"),
            PeriodKind::Occurred => ("/occurred_at", "/occurred_at"),
            PeriodKind::From(_) | PeriodKind::Both | PeriodKind::Until => ("/start", "/end"),
        };
        let mut against = self.against.clone();
        let mut decide = |point, turn, field| match (self.decide(point, turn, field), point) {
            (Err(problem), Point::Twice(wall, ..)) if self.clock.is_some() => {
                against.get_or_insert(problem);
                Ok(Point::Wall(wall))
            }
            (decided, _) => decided,
        };
        let first = decide(self.first, found.start, start)?;
        let second = self.second.map(|second| decide(second, found.end, end)).transpose()?;
        let (first, second) = self.alike((first, second), found);
        let period = build(self.kind, first, second).ok_or_else(|| {
            let mut problem = against.take().unwrap_or_else(|| unlike((first, second), start));
            problem.column.clone_from(&self.column);
            problem
        })?;
        if !matches!(period, Period::WallClock { .. }) {
            let timed = Timed { period, local: Local::default(), against: None, before: None };
            return against.map_or(Ok(timed), Err);
        }
        let local = self.told.unwrap_or_else(|| self.noted(found));
        if !period.is_reversed() || against.is_some() {
            return Ok(Timed { period, local, against, before: None });
        }
        // From the first time round into the second the clock on the wall goes back.
        if let Some(instants) = self.instants((first, second), local) {
            let (local, before) = (Local::default(), Some(period));
            return Ok(Timed { period: instants, local, against, before });
        }
        if self.clock.is_some() {
            let detail = format!("the period ends before it starts{}", self.whose());
            let mut problem = RowProblem::new(RowCode::PeriodReversed, "/end", detail)
                .hint("give an end after the start; the end itself is not included");
            problem.column = self.column_of_end.clone().or_else(|| self.column.clone());
            against = Some(problem);
        }
        // Which of two hours it was is not told by what may be no period at all, unless both times tell that
        // it is the night in which the clock went back.
        let back = (local.turn(local::Side::Start), local.turn(local::Side::End));
        let local = match back {
            (Some(local::Turn::Earlier), Some(local::Turn::Later)) => local,
            _ => noted(self.kind, self.first, self.second),
        };
        Ok(Timed { period, local: self.told.unwrap_or(local), against, before: None })
    }

    /// Of two times of which one says its offset, the other by the clock of its place, where that is known.
    fn alike(&self, times: (Point, Option<Point>), found: Findings) -> (Point, Option<Point>) {
        let Some(clock) = self.clock.as_ref().filter(|_| self.against.is_none()) else {
            return times;
        };
        let local = self.noted(found);
        let at = |side, wall| Point::At(local.instant(side, wall, &clock.zone));
        match times {
            (Point::Wall(wall), Some(Point::At(end))) => {
                (at(local::Side::Start, wall), Some(Point::At(end)))
            }
            (Point::At(start), Some(Point::Wall(wall))) => {
                (Point::At(start), Some(at(local::Side::End, wall)))
            }
            same => same,
        }
    }

    /// What is to be noted of its times on the wall.
    fn noted(&self, found: Findings) -> Local {
        let local = noted(self.kind, self.first, self.second);
        let turned = |local: Local, side, point: Option<Point>, turn| match (point, turn) {
            (Some(Point::Twice(..) | Point::Wall(_)), Turn::Earlier) => {
                local.turned(side, local::Turn::Earlier)
            }
            (Some(Point::Twice(..) | Point::Wall(_)), Turn::Later) => {
                local.turned(side, local::Turn::Later)
            }
            _ => local,
        };
        let local = turned(local, side_of_first(self.kind), Some(self.first), found.start);
        turned(local, local::Side::End, self.second, found.end)
    }

    /// The instants of its times on the wall, where one of them came twice.
    fn instants(&self, (first, second): (Point, Option<Point>), local: Local) -> Option<Period> {
        let clock = self.clock.as_ref()?;
        let is_twice = |point: &Point| matches!(point, Point::Twice(..));
        if !is_twice(&self.first) && !self.second.as_ref().is_some_and(is_twice) {
            return None;
        }
        let at = |side, point: Point| match point {
            Point::Wall(wall) => Point::At(local.instant(side, wall, &clock.zone)),
            other @ (Point::Day(_) | Point::At(_) | Point::Twice(..)) => other,
        };
        let first = at(side_of_first(self.kind), first);
        build(self.kind, first, second.map(|second| at(local::Side::End, second)))
    }

    /// In whose zone, where that is not the row's own.
    fn whose(&self) -> String {
        let clock = self.clock.as_ref();
        clock.map_or_else(String::new, |clock| {
            format!(" in {}, the zone of {}", clock.zone.name(), clock.whose)
        })
    }

    fn decide(&self, point: Point, turn: Turn, field: &str) -> Result<Point, RowProblem> {
        let Point::Twice(wall, earlier, later) = point else { return Ok(point) };
        match turn {
            Turn::Earlier | Turn::Later if self.clock.is_some() => Ok(Point::Wall(wall)),
            Turn::Earlier => Ok(Point::At(earlier)),
            Turn::Later => Ok(Point::At(later)),
            Turn::Alone => {
                let (shown, whose) = (wall.to_string(), self.whose());
                let mut problem = RowProblem::new(
                    RowCode::LocalTimeAmbiguous,
                    field,
                    format!("{shown} happened twice that night{whose}, and the file has it once"),
                )
                .value(&shown)
                .hint(if self.day.is_some() { ALONE_IN_LINE } else { ALONE });
                let of_end = self.column_of_end.clone().filter(|_| field == "/end");
                problem.column = of_end.or_else(|| self.column.clone());
                Err(problem)
            }
        }
    }
}

/// What is wrong with two times that are not alike.
fn unlike(times: (Point, Option<Point>), field: &str) -> RowProblem {
    let is_day = |point: &Point| matches!(point, Point::Day(_));
    let (detail, hint) = match times {
        (first, Some(second)) if !is_day(&first) && !is_day(&second) => (
            "one time says its offset and the other does not",
            "give both with their offset, or both without",
        ),
        _ => (
            "one time is a day and the other a time of day",
            "give both as days, or both with a time",
        ),
    };
    RowProblem::new(RowCode::WrongType, field, detail).hint(hint)
}

/// Which of the two times the first is.
const fn side_of_first(kind: PeriodKind) -> local::Side {
    match kind {
        PeriodKind::To(_) => local::Side::End,
        PeriodKind::From(_)
        | PeriodKind::Both
        | PeriodKind::Until
        | PeriodKind::Day
        | PeriodKind::Occurred => local::Side::Start,
    }
}

/// Which of the times on the wall were said; the others are reckoned from these.
pub(super) fn noted(kind: PeriodKind, first: Point, second: Option<Point>) -> Local {
    let said = |local: Local, side, point: Option<Point>| match point {
        Some(Point::Wall(_) | Point::Twice(..)) => local.said(side),
        Some(Point::Day(_) | Point::At(_)) | None => local,
    };
    let local = said(Local::default(), side_of_first(kind), Some(first));
    said(local, local::Side::End, second)
}

pub(super) fn build(kind: PeriodKind, first: Point, second: Option<Point>) -> Option<Period> {
    let back = |span: Span| Span::from_micros(-span.as_micros());
    let wall_plus = |wall: WallClock, span: Span| {
        WallClock::from_micros(wall.as_micros().saturating_add(span.as_micros()))
    };
    Some(match (kind, first, second) {
        (PeriodKind::From(length), Point::At(at), _) => Period::Between(at, at + length),
        (PeriodKind::From(length), Point::Wall(start), _) => {
            Period::WallClock { start, end: wall_plus(start, length) }
        }
        (PeriodKind::From(length), Point::Day(first), _) => {
            let days = i32::try_from(length.as_micros() / DAY).unwrap_or(1);
            Period::Days { first, last: first.plus(days - 1) }
        }
        (PeriodKind::To(length), Point::At(at), _) => Period::Between(at + back(length), at),
        (PeriodKind::To(length), Point::Wall(end), _) => {
            Period::WallClock { start: wall_plus(end, back(length)), end }
        }
        (PeriodKind::Both | PeriodKind::Until, Point::At(start), Some(Point::At(end))) => {
            Period::Between(start, end)
        }
        (PeriodKind::Both | PeriodKind::Until, Point::Wall(start), Some(Point::Wall(end))) => {
            Period::WallClock { start, end }
        }
        (PeriodKind::Until, Point::Day(first), Some(Point::Day(after))) => {
            Period::Days { first, last: after.plus(-1) }
        }
        (PeriodKind::Both, Point::Day(first), Some(Point::Day(last))) => {
            Period::Days { first, last }
        }
        (PeriodKind::Day | PeriodKind::Occurred, Point::Day(first), _) => {
            Period::Days { first, last: first }
        }
        (PeriodKind::Day | PeriodKind::Occurred, Point::At(at), _) => Period::Instant(at),
        (PeriodKind::Occurred, Point::Wall(at), _) => Period::WallClock { start: at, end: at },
        _ => return None,
    })
}
