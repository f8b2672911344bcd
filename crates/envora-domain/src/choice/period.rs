//! Which edition of a factor a period takes: the one with most of its days, ties to the later.

use crate::time::Day;

use super::ChoiceFlag;

/// The rule of packs whose editions are of calendar years.
pub(super) const MAJORITY: &str = "majority";

/// An edition's validity: first day, and the day after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Validity {
    pub(super) from: Day,
    pub(super) to: Day,
}

/// The edition that the period `[first, last]` takes, and what to flag about it.
///
/// Days before the first edition count as an edition of their own, and so do those after the last:
/// a period that lies mostly there takes the nearest edition and says so.
pub(super) fn majority(
    editions: &[Validity],
    first: Day,
    last: Day,
) -> Option<(Validity, Option<ChoiceFlag>)> {
    let start = i64::from(first.number());
    let end = i64::from(last.max(first).number()) + 1;
    let days = |from: i64, to: i64| (end.min(to) - start.max(from)).max(0);
    let number = |day: Day| i64::from(day.number());
    let earliest = editions.iter().min()?;
    let latest = editions.iter().max_by_key(|edition| (edition.to, edition.from))?;
    let inside = editions
        .iter()
        .max_by_key(|edition| (days(number(edition.from), number(edition.to)), **edition))?;
    let most = days(number(inside.from), number(inside.to));
    if days(number(latest.to), i64::MAX) >= most.max(1) {
        return Some((*latest, Some(ChoiceFlag::StaleFactor)));
    }
    let before = days(i64::MIN, number(earliest.from));
    if before > most {
        return Some((*earliest, Some(ChoiceFlag::PeriodFallback)));
    }
    // In a gap between editions: the later one is no worse a guess than the earlier, and is flagged.
    let flag = (most == 0).then_some(ChoiceFlag::PeriodFallback);
    Some((*inside, flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(editions: &[i16], period: [&str; 2], want: (i16, Option<ChoiceFlag>)) {
        let year = |year: i16| Day::from_ymd(year, 1, 1).expect("a day");
        let validity = |of: i16| Validity { from: year(of), to: year(of + 1) };
        let editions: Vec<Validity> = editions.iter().map(|of| validity(*of)).collect();
        let [first, last] = period.map(|day| Day::parse(day).expect("a day"));
        let got = majority(&editions, first, last);
        assert_eq!(got, Some((validity(want.0), want.1)), "{period:?}");
    }

    #[test]
    fn the_edition_with_most_days_wins() {
        let both = &[2021, 2022];
        check(both, ["2022-03-01", "2022-03-01"], (2022, None));
        check(both, ["2021-12-01", "2022-01-05"], (2021, None));
        check(both, ["2021-12-25", "2022-01-20"], (2022, None));
        check(both, ["2021-12-31", "2022-01-01"], (2022, None));
        check(both, ["2021-01-01", "2022-12-31"], (2022, None));
    }

    #[test]
    fn periods_outside_take_the_nearest_and_say_so() {
        let (stale, early) = (Some(ChoiceFlag::StaleFactor), Some(ChoiceFlag::PeriodFallback));
        check(&[2022], ["2023-05-01", "2023-05-31"], (2022, stale));
        check(&[2022], ["2019-05-01", "2019-05-31"], (2022, early));
        check(&[2022], ["2022-12-31", "2023-01-01"], (2022, stale));
        check(&[2022], ["2021-12-31", "2022-01-01"], (2022, None));
        check(&[2022], ["2021-12-30", "2022-01-01"], (2022, early));
        check(&[2020, 2022], ["2021-05-01", "2021-05-31"], (2022, early));
    }
}
