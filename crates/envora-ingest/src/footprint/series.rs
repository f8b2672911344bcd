//! Series: the CO2e of a period, step by step. Each number is a figure of its own days.

use envora_api::footprints::{Period, Point, Series};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::catalogue::Market;
use envora_domain::figures::Figure;
use envora_domain::time::Day;

use super::asked::Asked;
use super::figures::{add_up, column, months};
use super::rollups::{Detail, Time};
use super::totals::amount;
use super::{AskError, FootprintQuery, status, watermark};
use crate::tenant::TenantParts;

/// The most points of one answer.
pub const POINTS_MAX: usize = 1_000;
/// Figures of a point.
const FIGURES: usize = 6;

/// How long a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// A day of the rows' own zones.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Interval {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Day, Self::Month, Self::Year].into_iter().find(|one| one.as_str() == text)
    }

    /// The steps of a period, each as first day and day after the last, cut to the period; at most one
    /// more than an answer may have.
    fn steps(self, from: Day, to: Day) -> Vec<(Day, Day)> {
        let next = |day: Day| match self {
            Self::Day => day.plus(1),
            Self::Month => months(day, day.plus(32)).first().map_or(day.plus(31), |(_, end)| *end),
            Self::Year => {
                let (year, ..) = day.ymd();
                Day::from_ymd(year.saturating_add(1), 1, 1).unwrap_or_else(|| day.plus(366))
            }
        };
        let mut steps = Vec::new();
        let mut start = from;
        while start < to && steps.len() <= POINTS_MAX {
            let end = next(start).min(to);
            steps.push((start, end));
            start = end;
        }
        steps
    }
}

/// Answers with the totals of each step. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn series(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    query: &FootprintQuery,
    interval: Interval,
) -> Result<Series, AskError> {
    let steps = interval.steps(query.from, query.to);
    if steps.len() > POINTS_MAX {
        return Err(AskError::TooManyPoints);
    }
    let time = if interval == Interval::Day { Time::Day } else { Time::Month };
    let asked = Asked::settle(parts, *grant, (query, Detail { time, ..Detail::NONE }))?;
    let base = asked.base();
    let figures: Vec<Figure> = steps.iter().flat_map(|step| of_step(&base, *step)).collect();
    let columns = asked.policy.columns();
    let values = if column(&columns, asked.set).is_some() {
        // Only the cells of a step's own days can be part of its figures.
        let mut values = Vec::with_capacity(figures.len());
        for of_step in figures.chunks(FIGURES) {
            let Some(first) = of_step.first() else { continue };
            values.extend(add_up(of_step, &columns, asked.on(first.from, first.to))?);
        }
        values
    } else {
        asked.values(parts, &vec![(figures.clone(), Vec::new())])?.concat()
    };
    let amounts = figures.iter().zip(&values).map(|(figure, value)| amount(figure, *value));
    let amounts: Vec<_> = amounts.collect();
    let points = steps.iter().zip(amounts.chunks(FIGURES)).filter_map(|((from, to), amounts)| {
        let [scope1, location, market, scope3, total_location, total_market] = amounts else {
            return None;
        };
        Some(Point {
            period: Period { from: *from, to: *to },
            scope1: scope1.clone(),
            scope2_location: location.clone(),
            scope2_market: market.clone(),
            scope3: scope3.clone(),
            total_location_based: total_location.clone(),
            total_market_based: total_market.clone(),
        })
    });
    Ok(Series {
        period: Period { from: query.from, to: query.to },
        interval: interval.as_str().to_owned(),
        gwp_set: asked.set.as_str().to_owned(),
        run: asked.run.id,
        status: status(parts, &asked).to_owned(),
        watermark: watermark(parts, &asked),
        points: points.collect(),
    })
}

fn of_step(base: &Figure, (from, to): (Day, Day)) -> [Figure; FIGURES] {
    let step = Figure { from, to, ..base.clone() };
    let scope = |scope: u8, market| Figure { scope: Some(scope), market, ..step.clone() };
    [
        scope(1, Market::None),
        scope(2, Market::Location),
        scope(2, Market::Market),
        scope(3, Market::None),
        step.clone(),
        Figure { market: Market::Market, ..step.clone() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_cut_to_the_period() {
        let day = |text: &str| Day::parse(text).expect("a day");
        let steps = |interval: Interval, from, to| -> Vec<String> {
            let steps = interval.steps(day(from), day(to));
            steps.iter().map(|(from, to)| format!("{from}/{to}")).collect()
        };
        assert_eq!(
            steps(Interval::Month, "2022-01-31", "2022-03-02"),
            ["2022-01-31/2022-02-01", "2022-02-01/2022-03-01", "2022-03-01/2022-03-02"]
        );
        assert_eq!(
            steps(Interval::Year, "2021-07-01", "2022-01-02"),
            ["2021-07-01/2022-01-01", "2022-01-01/2022-01-02"]
        );
        assert_eq!(steps(Interval::Day, "2022-02-28", "2022-03-02").len(), 2);
        let endless = Interval::Day.steps(day("0001-01-01"), day("9999-01-01"));
        assert_eq!(endless.len(), POINTS_MAX + 1);
    }
}
