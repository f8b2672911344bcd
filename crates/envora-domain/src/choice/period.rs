//! Which edition of a series a period takes, by the rule of its packs.

use std::collections::BTreeMap;

use super::candidates::{Candidate, Notes, Search};
use super::{Asked, ChoiceFlag, Unresolved};
use crate::factors::pack::{FamilyRule, PeriodRule};
use crate::factors::{Body, Factor};
use crate::time::Day;

/// An edition's validity: first day, and the day after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Validity {
    pub(super) from: Day,
    pub(super) to: Day,
}

impl Validity {
    pub(super) fn of(factor: &Factor) -> Self {
        Self { from: factor.valid_from, to: factor.valid_to }
    }

    /// How many days lie between it and a period; 0 when they meet.
    fn distance(self, first: Day, last: Day) -> i32 {
        let before = self.from.number() - last.number();
        let after = first.number() + 1 - self.to.number();
        before.max(after).max(0)
    }
}

/// The edition that a series takes for a period, and what to flag about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edition {
    pub(super) validity: Validity,
    pub(super) flag: Option<ChoiceFlag>,
}

/// The edition that the period `[first, last]` takes by a rule.
fn edition(rule: PeriodRule, editions: &[Validity], first: Day, last: Day) -> Option<Edition> {
    match rule {
        PeriodRule::Majority => majority(editions, first, last),
        PeriodRule::Latest => {
            let validity = *editions.iter().max_by_key(|edition| (edition.to, edition.from))?;
            let flag = (first >= validity.to).then_some(ChoiceFlag::StaleFactor);
            Some(Edition { validity, flag })
        }
        PeriodRule::InForce => {
            majority(editions, first, last).filter(|edition| edition.flag.is_none())
        }
    }
}

/// Those that may be used for the period at all: of what holds only while it is in force, the factor
/// of each key with most days of it.
pub(super) fn in_force<'a>(
    candidates: Vec<Candidate<'a>>,
    (search, asked): (&Search<'_>, &Asked<'_>),
    notes: &mut Notes<'_>,
) -> Result<Vec<Candidate<'a>>, Unresolved> {
    let (first, last) = (asked.question.first, asked.question.last);
    let (bound, mut kept): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.rules.period == PeriodRule::InForce);
    let mut by_series: BTreeMap<&str, Vec<Candidate<'a>>> = BTreeMap::new();
    for candidate in bound {
        by_series.entry(candidate.series).or_default().push(candidate);
    }
    let mut over = None;
    for candidates in by_series.into_values() {
        let editions: Vec<_> = candidates.iter().map(|one| Validity::of(one.factor)).collect();
        let taken = edition(PeriodRule::InForce, &editions, first, last);
        for candidate in candidates {
            let Body { valid_from, valid_to, .. } = candidate.factor.body();
            if taken.is_some_and(|taken| taken.validity == Validity::of(candidate.factor)) {
                kept.push(candidate);
                continue;
            }
            let detail = if taken.is_some() {
                format!("it holds from {valid_from} to {valid_to}: another has more of the days")
            } else {
                over = Some(candidate.factor);
                format!("it holds from {valid_from} to {valid_to}, not on most days of the row")
            };
            notes.one("period", candidate.factor, detail);
        }
    }
    match over.filter(|_| kept.is_empty()) {
        None => Ok(kept),
        Some(factor) => Err(Unresolved::missing(
            format!(
                "{}, which would fill the slot {}, holds from {} to {} and not on most days of the \
                 row",
                factor.key, search.slot, factor.valid_from, factor.valid_to
            ),
            "bring in a factor for those days",
        )),
    }
}

/// The edition with most days of the period, ties to the later.
///
/// Days before the first edition count as an edition of their own, and so do those after the last:
/// a period that lies mostly there takes the nearest edition and says so.
fn majority(editions: &[Validity], first: Day, last: Day) -> Option<Edition> {
    let start = i64::from(first.number());
    let end = i64::from(last.max(first).number()) + 1;
    let days = |from: i64, to: i64| (end.min(to) - start.max(from)).max(0);
    let number = |day: Day| i64::from(day.number());
    let earliest = *editions.iter().min()?;
    let latest = *editions.iter().max_by_key(|edition| (edition.to, edition.from))?;
    let inside = *editions
        .iter()
        .max_by_key(|edition| (days(number(edition.from), number(edition.to)), **edition))?;
    let most = days(number(inside.from), number(inside.to));
    if days(number(latest.to), i64::MAX) >= most.max(1) {
        return Some(Edition { validity: latest, flag: Some(ChoiceFlag::StaleFactor) });
    }
    let before = days(i64::MIN, number(earliest.from));
    if before > most {
        return Some(Edition { validity: earliest, flag: Some(ChoiceFlag::PeriodFallback) });
    }
    // In a gap between editions: the later one is no worse a guess than the earlier, and is flagged.
    let flag = (most == 0).then_some(ChoiceFlag::PeriodFallback);
    Some(Edition { validity: inside, flag })
}

/// The candidates of the edition that each series takes, of the series that fit the period best.
///
/// A series has one rule: that of its newest edition. What the activity's other figures have taken
/// of a family is taken here too.
pub(super) fn in_period<'a>(
    candidates: Vec<Candidate<'a>>,
    (search, asked): (&Search<'_>, &Asked<'_>),
    notes: &mut Notes<'_>,
) -> Result<Vec<Candidate<'a>>, Unresolved> {
    let (first, last) = (asked.question.first, asked.question.last);
    let mut by_series: BTreeMap<&str, Vec<Candidate<'a>>> = BTreeMap::new();
    for candidate in candidates {
        by_series.entry(candidate.series).or_default().push(candidate);
    }
    let (mut dated, mut torn) = (Vec::new(), None);
    for (series, candidates) in by_series {
        let editions: Vec<_> = candidates.iter().map(|one| Validity::of(one.factor)).collect();
        let newest = candidates.iter().max_by_key(|one| Validity::of(one.factor));
        let rule = newest.map_or(PeriodRule::Majority, |newest| newest.rules.period);
        let Some(own) = edition(rule, &editions, first, last) else { continue };
        let beside = search.beside.iter().find(|(of, _)| of == series).map(|(_, edition)| edition);
        let family = beside.or(asked.family.get(series));
        let family = family.filter(|family| family.validity != own.validity);
        let taken = *family.unwrap_or(&own);
        let told = if family.is_some() { FamilyRule::SameEdition.as_str() } else { rule.as_str() };
        let (these, others): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .partition(|candidate| Validity::of(candidate.factor) == taken.validity);
        for other in others {
            let of = &other.factor.edition;
            let (rule, detail) = match (family, rule) {
                (Some(_), _) => {
                    torn = Some(other.factor);
                    ("family", format!("edition {of} is not that of the activity's other figures"))
                }
                (None, PeriodRule::Majority | PeriodRule::InForce) => {
                    ("period", format!("edition {of} has fewer days of the period"))
                }
                (None, PeriodRule::Latest) => {
                    ("period", format!("edition {of} is not the newest, which the pack asks for"))
                }
            };
            notes.one(rule, other.factor, detail);
        }
        let of = |one: Candidate<'a>| Candidate { edition: Some(taken), period_rule: told, ..one };
        dated.extend(these.into_iter().map(of));
    }
    if let (true, Some(factor)) = (dated.is_empty(), torn) {
        return Err(Unresolved::missing(
            format!(
                "{} has no factor for the slot {} in the edition of the activity's other figures",
                factor.dataset, search.slot
            ),
            "activate a pack that has one",
        ));
    }
    Ok(best_fit(dated, (first, last), notes))
}

/// Those of the series that fit the period best: within it before the nearest.
fn best_fit<'a>(
    candidates: Vec<Candidate<'a>>,
    (first, last): (Day, Day),
    notes: &mut Notes<'_>,
) -> Vec<Candidate<'a>> {
    let fit = |candidate: &Candidate<'_>| {
        let edition = candidate.edition?;
        Some((edition.flag.is_some(), edition.validity.distance(first, last)))
    };
    let best = candidates.iter().filter_map(fit).min();
    let (best, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| fit(candidate) == best);
    for other in others {
        let detail = "another series fits the period better".to_owned();
        notes.one("period", other.factor, detail);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn by(rule: PeriodRule, editions: &[i16], period: [&str; 2], want: (i16, Option<ChoiceFlag>)) {
        let year = |year: i16| Day::from_ymd(year, 1, 1).expect("a day");
        let validity = |of: i16| Validity { from: year(of), to: year(of + 1) };
        let editions: Vec<Validity> = editions.iter().map(|of| validity(*of)).collect();
        let [first, last] = period.map(|day| Day::parse(day).expect("a day"));
        let got = edition(rule, &editions, first, last);
        let want = Edition { validity: validity(want.0), flag: want.1 };
        assert_eq!(got, Some(want), "{period:?}");
    }

    #[track_caller]
    fn check(editions: &[i16], period: [&str; 2], want: (i16, Option<ChoiceFlag>)) {
        by(PeriodRule::Majority, editions, period, want);
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

    #[test]
    fn the_newest_edition_is_for_all_periods_where_a_pack_asks_for_it() {
        let latest = |period, want| by(PeriodRule::Latest, &[2021, 2023, 2022], period, want);
        latest(["2021-05-01", "2021-05-31"], (2023, None));
        latest(["2019-05-01", "2019-05-31"], (2023, None));
        latest(["2024-05-01", "2024-05-31"], (2023, Some(ChoiceFlag::StaleFactor)));
    }
}
