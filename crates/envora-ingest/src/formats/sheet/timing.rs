//! What a row's times make: a period, once a repeated hour is decided.

use envora_domain::activities::Period;
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::time::{Span, Timestamp, WallClock};

use super::super::held::{Findings, Side, Turn};
use super::{PeriodKind, Point, Timing};
use crate::mapping::times::Moment;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

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

    /// How long it is, as far as that is known before a repeated hour is decided.
    pub(in super::super) fn length(&self) -> Span {
        let first = match self.first {
            Point::Twice(_, earlier, _) => Point::At(earlier),
            other @ (Point::Day(_) | Point::Wall(_) | Point::At(_)) => other,
        };
        let second = match self.second {
            Some(Point::Twice(_, earlier, _)) => Some(Point::At(earlier)),
            other => other,
        };
        let period = build(self.kind, first, second);
        period.map_or(Span::from_micros(0), |period| period.nominal_length())
    }

    /// The period, a repeated hour decided by what was found out.
    pub(in super::super) fn period(&self, found: Findings) -> Result<Period, RowProblem> {
        let (start, end) = match self.kind {
            PeriodKind::To(_) => ("/end", "/end"),
            PeriodKind::Day => ("/start_date", "/end_date"),
            PeriodKind::Occurred => ("/occurred_at", "/occurred_at"),
            PeriodKind::From(_) | PeriodKind::Both => ("/start", "/end"),
        };
        let first = self.decide(self.first, found.start, start)?;
        let second = self.second.map(|second| self.decide(second, found.end, end)).transpose()?;
        build(self.kind, first, second).ok_or_else(|| {
            let mut problem = RowProblem::new(
                RowCode::WrongType,
                start,
                "one time is a day and the other a time of day",
            )
            .hint("give both as days, or both with a time");
            problem.column.clone_from(&self.column);
            problem
        })
    }

    fn decide(&self, point: Point, turn: Turn, field: &str) -> Result<Point, RowProblem> {
        let Point::Twice(wall, earlier, later) = point else { return Ok(point) };
        match turn {
            Turn::Earlier => Ok(Point::At(earlier)),
            Turn::Later => Ok(Point::At(later)),
            Turn::Alone => {
                let shown = Timestamp::from_micros(wall.as_micros()).to_string();
                let mut problem = RowProblem::new(
                    RowCode::LocalTimeAmbiguous,
                    field,
                    format!(
                        "{} happened twice that night, and the file has it once",
                        shown.trim_end_matches('Z')
                    ),
                )
                .value(shown.trim_end_matches('Z'))
                .hint("send it with its offset (…+01:00), or both hours in file order");
                problem.column.clone_from(&self.column);
                Err(problem)
            }
        }
    }
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
        (PeriodKind::Both, Point::At(start), Some(Point::At(end))) => Period::Between(start, end),
        (PeriodKind::Both, Point::Wall(start), Some(Point::Wall(end))) => {
            Period::WallClock { start, end }
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
