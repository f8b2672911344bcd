//! How far apart the times of a table are, and whether they name the start or the end of an interval.

use std::collections::{BTreeMap, BTreeSet};

use crate::mapping::times::{Format, Moment, read_iso};

/// What consecutive times say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    /// The usual distance, in minutes.
    pub(super) minutes: i64,
    /// How many of a hundred steps are that.
    pub(super) share: usize,
    /// The first time's minute of its day.
    pub(super) first: i64,
    /// The last time's.
    pub(super) last: i64,
}

const DAY: i64 = 1440;

/// The steps between the first times of a file that are written in one format, blank for ISO 8601, and
/// where its last time stands.
pub(super) fn steps(times: &[String], last: Option<&String>, format: &str) -> Option<Steps> {
    let format = if format.is_empty() { None } else { Some(Format::parse(format).ok()?) };
    let minute = |text: &String| {
        let moment = match &format {
            Some(format) => format.read(text)?,
            None => read_iso(text)?,
        };
        let micros = match moment {
            Moment::Day(day) => envora_domain::time::WallClock::of(day, 0).as_micros(),
            Moment::Wall(wall) => wall.as_micros(),
            Moment::Instant(at) => at.as_micros(),
        };
        Some(micros / 60_000_000)
    };
    let minutes: Vec<i64> = times.iter().filter_map(minute).collect();
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    let pairs = minutes.iter().zip(minutes.iter().skip(1));
    for step in pairs.map(|(one, next)| (next - one).abs()).filter(|step| *step > 0) {
        *counts.entry(step).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let (usual, count) = counts.into_iter().max_by_key(|(step, count)| (*count, -step))?;
    let last = last.and_then(minute).or_else(|| minutes.last().copied())?.rem_euclid(DAY);
    let first = minutes.first()?.rem_euclid(DAY);
    Some(Steps { minutes: usual, share: count * 100 / all.max(1), first, last })
}

/// Whether rows from one day to another mostly end on a day on which the next of their group starts: a
/// group is of one meter, and its last row has none after it. Where none has, all rows are one group.
pub(super) fn ends_meet(rows: &[(Vec<&str>, [&str; 2])]) -> bool {
    let mut groups: BTreeMap<&[&str], BTreeSet<[&str; 2]>> = BTreeMap::new();
    for (group, days) in rows {
        groups.entry(group).or_default().insert(*days);
    }
    let (mut met, mut due) = (0, 0);
    for days in groups.values() {
        let starts: BTreeSet<&str> = days.iter().map(|[start, _]| *start).collect();
        met += days.iter().filter(|[start, end]| start != end && starts.contains(end)).count();
        due += starts.len() - 1;
    }
    if due == 0 && groups.len() > 1 {
        let all: Vec<_> = rows.iter().map(|(_, days)| (Vec::new(), *days)).collect();
        return ends_meet(&all);
    }
    met > 0 && met * 2 >= due
}

/// A length as ISO 8601 writes it.
pub(super) fn length(minutes: i64) -> String {
    match minutes {
        whole if whole % DAY == 0 => format!("P{}D", whole / DAY),
        whole if whole % 60 == 0 => format!("PT{}H", whole / 60),
        other => format!("PT{other}M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_step_is_found() {
        let times =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let half = times(&["26 Aug 2019 00:30:00", "26 Aug 2019 01:00:00", "26 Aug 2019 01:30:00"]);
        let found = steps(&half, None, "DD MMM YYYY hh:mm:ss").expect("steps");
        assert_eq!((found.minutes, found.first, found.share), (30, 30, 100));
        let days = times(&["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]);
        assert_eq!(steps(&days, None, "").map(|found| found.minutes), Some(1440));
        assert_eq!(steps(&times(&["2024-01-01"]), None, ""), None);
        assert_eq!(
            (length(30), length(60), length(1440)),
            ("PT30M".into(), "PT1H".into(), "P1D".into())
        );
    }
}
