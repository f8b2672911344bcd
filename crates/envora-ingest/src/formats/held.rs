//! Rows that cannot be judged alone: a local time that the clocks showed twice needs its twin, a run
//! of zeros its length. Rows leave in the order in which they came.

use std::collections::{HashMap, VecDeque};

use envora_domain::activities::local::{self, Local};
use envora_domain::time::{Day, Span};

/// How many rows are held back at most; the oldest is then decided with what is known.
pub(super) const HELD_ROWS_MAX: usize = 20_000;

/// How much of a day clocks show twice, in microseconds.
const REPEATED: u64 = 3_600_000_000;

/// One series of readings: block and a hash of what its rows have in common.
pub(super) type Series = (usize, u64);

/// Which of a row's two times is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Start,
    End,
}

/// Which of the two instants a repeated local time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Not known: it came alone.
    #[default]
    Alone,
    /// The first time round.
    Earlier,
    /// The second.
    Later,
}

/// What a zero is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Zeros {
    /// A measurement.
    #[default]
    Measured,
    /// Part of a run too long to be one.
    Gap,
}

/// What was found out about a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) start: Turn,
    pub(super) end: Turn,
    pub(super) zeros: Zeros,
}

impl Findings {
    /// What is to be noted of times on the wall with what was found out of them: the start is that of the
    /// first time that the row says.
    pub(super) fn noted(self, local: Local) -> Local {
        let first = match local.is_said(local::Side::Start) {
            true => local::Side::Start,
            false => local::Side::End,
        };
        let turned = |local: Local, side, turn| match turn {
            Turn::Alone => local,
            Turn::Earlier => local.turned(side, local::Turn::Earlier),
            Turn::Later => local.turned(side, local::Turn::Later),
        };
        turned(turned(local, first, self.start), local::Side::End, self.end)
    }

    fn set(&mut self, side: Side, turn: Turn) {
        match side {
            Side::Start => self.start = turn,
            Side::End => self.end = turn,
        }
    }
}

/// Whose the local times are that a row brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Of {
    /// Of a clock that is known, which showed them twice.
    #[default]
    Clock,
    /// Of a place that is not known yet: it may turn out that they were shown twice.
    Nobody,
}

/// What a row brings to the queue.
pub(super) struct Arrival {
    pub(super) series: Series,
    /// Local times that happened, or may have happened, twice: which side, wall-clock microseconds.
    pub(super) twice: Vec<(Side, i64)>,
    pub(super) of: Of,
    /// Of an interval in a line of a wide table, the line's day: its twin is in another line of that day.
    pub(super) day: Option<Day>,
    /// Where runs of zeros are watched: this row's length when it is zero, and the limit.
    pub(super) zero: Option<(Option<Span>, Span)>,
}

struct Slot<T> {
    item: T,
    findings: Findings,
    waits: u8,
}

#[derive(Default)]
struct Run {
    micros: i64,
    waiting: Vec<u64>,
}

type Fold = (Series, Side, i64);

/// The queue of held rows.
pub(super) struct Held<T> {
    queue: VecDeque<Slot<T>>,
    first: u64,
    folds: HashMap<Fold, (u64, Option<Day>)>,
    open: HashMap<Series, Vec<Fold>>,
    runs: HashMap<Series, Run>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            first: 0,
            folds: HashMap::new(),
            open: HashMap::new(),
            runs: HashMap::new(),
        }
    }
}

impl<T> Held<T> {
    /// Takes a row in; one without an arrival waits only for those before it.
    pub(super) fn push(&mut self, item: T, arrival: Option<Arrival>) {
        let number = self.first + self.queue.len() as u64;
        self.queue.push_back(Slot { item, findings: Findings::default(), waits: 0 });
        let Some(arrival) = arrival else { return };
        match arrival.of {
            Of::Clock if arrival.twice.is_empty() => self.close_folds(arrival.series, arrival.day),
            Of::Clock => {}
            Of::Nobody => self.close_far(arrival.series, &arrival.twice),
        }
        for (side, wall) in &arrival.twice {
            self.meet((number, arrival.day), (arrival.series, *side, *wall));
        }
        if let Some((length, limit)) = arrival.zero {
            self.count_zeros(number, arrival.series, length, limit);
        }
    }

    /// Whether it waits for the next row of any series.
    pub(super) fn is_watching(&self) -> bool {
        !(self.queue.is_empty() && self.open.is_empty() && self.runs.is_empty())
    }

    /// The next row that waits for nothing.
    pub(super) fn pop(&mut self) -> Option<(T, Findings)> {
        let ready = self.queue.front().is_some_and(|slot| slot.waits == 0);
        let full = self.queue.len() > HELD_ROWS_MAX;
        if !ready && !full {
            return None;
        }
        self.first += 1;
        self.queue.pop_front().map(|slot| (slot.item, slot.findings))
    }

    /// No more rows will come: what is not known now stays unknown.
    pub(super) fn end(&mut self) {
        for slot in &mut self.queue {
            slot.waits = 0;
        }
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot<T>> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.queue.get_mut(place)
    }

    fn meet(&mut self, (number, day): (u64, Option<Day>), fold: Fold) {
        let (series, side, _) = fold;
        if let Some((twin, _)) = self.folds.remove(&fold) {
            if let Some(slot) = self.slot(twin) {
                slot.findings.set(side, Turn::Earlier);
                slot.waits = slot.waits.saturating_sub(1);
            }
            if let Some(slot) = self.slot(number) {
                slot.findings.set(side, Turn::Later);
            }
            return;
        }
        self.folds.insert(fold, (number, day));
        self.open.entry(series).or_default().push(fold);
        if let Some(slot) = self.slot(number) {
            slot.waits += 1;
        }
    }

    /// The series goes on outside of the repeated hour: what has no twin by now has none.
    fn close_folds(&mut self, series: Series, day: Option<Day>) {
        let waits = |fold: &Fold| {
            let (_, own) = self.folds.get(fold)?;
            own.filter(|own| Some(*own) == day)
        };
        let open = self.open.remove(&series).unwrap_or_default();
        let (open, done): (Vec<Fold>, Vec<Fold>) =
            open.into_iter().partition(|fold| waits(fold).is_some());
        self.leave_open(series, open);
        self.close(done);
    }

    fn leave_open(&mut self, series: Series, folds: Vec<Fold>) {
        if !folds.is_empty() {
            self.open.insert(series, folds);
        }
    }

    fn close(&mut self, folds: Vec<Fold>) {
        for fold in folds {
            if let Some((number, _)) = self.folds.remove(&fold)
                && let Some(slot) = self.slot(number)
            {
                slot.waits = slot.waits.saturating_sub(1);
            }
        }
    }

    /// The series goes on, and nobody knows where its repeated hour is: what is an hour away has no twin.
    fn close_far(&mut self, series: Series, now: &[(Side, i64)]) {
        let far = |(_, side, wall): &Fold| {
            let away = |(own, at): &(Side, i64)| own == side && at.abs_diff(*wall) >= REPEATED;
            now.iter().any(away)
        };
        let open = self.open.remove(&series).unwrap_or_default();
        let (far, near): (Vec<Fold>, Vec<Fold>) = open.into_iter().partition(far);
        self.leave_open(series, near);
        self.close(far);
    }

    fn count_zeros(&mut self, number: u64, series: Series, length: Option<Span>, limit: Span) {
        let mut run = self.runs.remove(&series).unwrap_or_default();
        let Some(length) = length else {
            for waiting in run.waiting {
                self.release(waiting, Zeros::Measured);
            }
            return;
        };
        run.micros = run.micros.saturating_add(length.as_micros());
        run.waiting.push(number);
        if let Some(slot) = self.slot(number) {
            slot.waits += 1;
        }
        if run.micros > limit.as_micros() {
            for waiting in core::mem::take(&mut run.waiting) {
                self.release(waiting, Zeros::Gap);
            }
        }
        self.runs.insert(series, run);
    }

    fn release(&mut self, number: u64, zeros: Zeros) {
        if let Some(slot) = self.slot(number) {
            slot.findings.zeros = zeros;
            slot.waits = slot.waits.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::from_secs(3600);

    fn run(arrivals: Vec<Option<Arrival>>) -> Vec<(usize, Findings)> {
        let mut held = Held::default();
        let mut seen = Vec::new();
        for (number, arrival) in arrivals.into_iter().enumerate() {
            held.push(number, arrival);
            seen.extend(core::iter::from_fn(|| held.pop()));
        }
        held.end();
        seen.extend(core::iter::from_fn(|| held.pop()));
        seen
    }

    fn at(walls: &[i64]) -> Option<Arrival> {
        let twice = walls.iter().map(|wall| (Side::Start, *wall)).collect();
        Some(Arrival { series: (0, 0), twice, of: Of::Clock, day: None, zero: None })
    }

    fn of_nobody(minute: i64) -> Option<Arrival> {
        let twice = vec![(Side::Start, minute * 60_000_000)];
        Some(Arrival { series: (0, 0), twice, of: Of::Nobody, day: None, zero: None })
    }

    fn zero(length: Option<Span>) -> Option<Arrival> {
        let zero = Some((length, Span::from_secs(2 * 3600)));
        Some(Arrival { series: (0, 0), twice: Vec::new(), of: Of::Clock, day: None, zero })
    }

    #[test]
    fn file_order_decides_a_repeated_hour() {
        let rows = vec![at(&[]), at(&[1]), at(&[2]), at(&[1]), at(&[2]), at(&[])];
        let turns: Vec<Turn> = run(rows).iter().map(|(_, found)| found.start).collect();
        let (alone, earlier, later) = (Turn::Alone, Turn::Earlier, Turn::Later);
        assert_eq!(turns, [alone, earlier, earlier, later, later, alone]);
    }

    #[test]
    fn an_hour_that_repeats_is_seen_where_no_clock_is_known() {
        let turns = |minutes: &[i64]| -> Vec<Turn> {
            let rows = minutes.iter().map(|minute| of_nobody(*minute)).collect();
            run(rows).iter().map(|(_, found)| found.start).collect()
        };
        let (alone, earlier, later) = (Turn::Alone, Turn::Earlier, Turn::Later);
        let halves = turns(&[30, 60, 90, 60, 90, 120]);
        assert_eq!(halves, [alone, earlier, earlier, later, later, alone]);
        assert_eq!(turns(&[0, 60, 60, 120]), [alone, earlier, later, alone]);
        // An hour later the same time is a row that was forgotten, or one that comes again.
        assert_eq!(turns(&[60, 90, 120, 60]), [alone; 4]);
        let mut held = Held::default();
        for minute in 0..10_000 {
            held.push(minute, of_nobody(minute));
            while held.pop().is_some() {}
        }
        assert!(held.queue.len() <= 60 && held.folds.len() <= 60 && held.open[&(0, 0)].len() <= 60);
    }

    #[test]
    fn the_twin_of_an_interval_is_in_another_line_of_its_day() {
        let day = |number: i32| Some(Day::from_number(number));
        let of_day = |walls: &[i64], number| {
            Some(Arrival { day: day(number), ..at(walls).unwrap_or_else(|| unreachable!()) })
        };
        let line = |number| [of_day(&[], number), of_day(&[1], number), of_day(&[], number)];
        let turns = |lines: [i32; 2]| -> Vec<Turn> {
            run(lines.into_iter().flat_map(line).collect())
                .iter()
                .map(|(_, own)| own.start)
                .collect()
        };
        let (alone, earlier, later) = (Turn::Alone, Turn::Earlier, Turn::Later);
        assert_eq!(turns([7, 7]), [alone, earlier, alone, alone, later, alone]);
        assert_eq!(turns([7, 8]), [alone; 6]);
    }

    #[test]
    fn a_lone_one_stays_alone() {
        let turns: Vec<Turn> =
            run(vec![at(&[1]), at(&[]), at(&[1])]).iter().map(|(_, found)| found.start).collect();
        assert_eq!(turns, [Turn::Alone; 3]);
    }

    #[test]
    fn a_run_of_zeros_is_known_by_its_length_and_order_is_kept() {
        let z = || zero(Some(HOUR));
        let rows = vec![z(), None, zero(None), z(), z(), z(), z(), zero(None), z()];
        let seen = run(rows);
        let flagged: Vec<bool> = seen.iter().map(|(_, found)| found.zeros == Zeros::Gap).collect();
        assert_eq!(flagged, [false, false, false, true, true, true, true, false, false]);
        assert!(seen.iter().map(|(number, _)| *number).eq(0..9));
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut held = Held::default();
        for number in 0..HELD_ROWS_MAX + 5 {
            let wall = i64::try_from(number).expect("small");
            held.push(number, at(&[wall]));
        }
        let mut left = 0;
        while held.pop().is_some() {
            left += 1;
        }
        assert_eq!(left, 5);
    }
}
