//! A year divided: what it is made of, by type and category, and the ranking by whatever is asked for.

use std::collections::BTreeMap;

use envora_api::amounts::Amount;
use envora_api::footprints::{Footprint, Group, Totals};
use envora_domain::decimal::Mass;
use envora_ingest::footprint::GroupBy;

use super::charts::{self, Caption, Part, Tone};
use super::footprint::{Asked, numbers, parts, strip_words};
use super::words::{self, Number};

/// How many bars a ranking has; the others are in its CSV.
const BARS_MAX: usize = 40;

/// What the totals are made of.
pub(super) struct Makeup {
    pub(super) sentence: String,
    pub(super) bars: Vec<Bar>,
}

/// One part of the totals.
pub(super) struct Bar {
    pub(super) scope: &'static str,
    pub(super) swatch: String,
    pub(super) label: String,
    pub(super) number: Number,
    pub(super) share: Option<String>,
    pub(super) strip: String,
    /// The rows behind it, where a type names them.
    pub(super) rows: Option<String>,
}

/// Bars by something, the largest first.
pub(super) struct Ranking {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) column: &'static str,
    pub(super) csv: String,
    pub(super) choices: Vec<Choice>,
    pub(super) groups: Vec<Ranked>,
    pub(super) more: Option<String>,
}

/// A way to divide.
pub(super) struct Choice {
    pub(super) label: &'static str,
    pub(super) href: String,
    pub(super) current: bool,
}

/// One group of a ranking.
pub(super) struct Ranked {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) share: Option<String>,
    pub(super) total: Number,
    pub(super) numbers: [Number; 6],
    pub(super) strip: String,
    pub(super) rows: Option<String>,
}

/// The ways, in the order in which they are offered: word, label, what a name does.
const WAYS: [(GroupBy, &str, &str, &str); 6] = [
    (GroupBy::Facility, "Facility", "By facility", "A name shows its facility alone"),
    (GroupBy::Source, "Source", "By source", "A name opens the trace of its total"),
    (GroupBy::Type, "Activity type", "By activity type", "A name opens the trace of its total"),
    (GroupBy::Category, "Category", "By scope 3 category", "A name opens the trace of its total"),
    (GroupBy::Scope, "Scope", "By scope", "A name opens the trace of its total"),
    (GroupBy::Month, "Month", "By month", "A name opens the trace of its total"),
];

/// Scopes 1 and 2 by activity type, scope 3 by category: each tonne once.
pub(super) fn makeup(
    (types, categories): (&Footprint, &Footprint),
    asked: &Asked,
) -> Option<Makeup> {
    let whole = Number::of(&types.totals.total_location_based).mass;
    let mut found: Vec<(Tone, &'static str, String, &Amount, Option<String>)> = Vec::new();
    for group in &types.groups {
        let kind = group.key.get("type").cloned().unwrap_or_default();
        let rows = rows(types, asked, &format!("type={kind}"));
        let label = words::kind(&kind);
        let Totals { scope1, scope2_location, .. } = &group.totals;
        found.push((Tone::Scope1, "Scope 1", label.clone(), scope1, Some(rows.clone())));
        found.push((Tone::Scope2, "Scope 2", label, scope2_location, Some(rows)));
    }
    for group in &categories.groups {
        let number = group.key.get("category").map_or("", String::as_str);
        found.push((Tone::Scope3, "Scope 3", words::category(number), &group.totals.scope3, None));
    }
    let masses = found
        .into_iter()
        .map(|(tone, scope, label, amount, rows)| (tone, scope, label, Number::of(amount), rows));
    let mut found: Vec<_> = masses.filter(|(.., number, _)| number.mass != Mass::ZERO).collect();
    found.sort_by_key(|(.., number, _)| core::cmp::Reverse(number.mass));
    let (_, _, first, most, _) = found.first()?;
    let sentence = match words::share(most.mass, whole) {
        Some(share) => format!("Location-based. The largest part: {first}, {share}."),
        None => "Location-based.".to_owned(),
    };
    let widest = most.mass;
    let bars = found.into_iter().enumerate().map(|(at, (tone, scope, label, number, rows))| {
        let id = format!("part-{}", at + 1);
        let description = format!("{scope}, {} t", number.tonnes);
        let caption = Caption { id: &id, title: &label, description: &description };
        let part = Part { tone, mass: number.mass };
        Bar {
            scope,
            swatch: charts::swatch(tone),
            strip: charts::strip(caption, &[part], widest),
            share: words::share(number.mass, whole),
            label,
            number,
            rows,
        }
    });
    Some(Makeup { sentence, bars: bars.collect() })
}

/// The groups of a year, the largest first.
pub(super) fn ranking(
    (groups, by): (&Footprint, GroupBy),
    (asked, names): (&Asked, &BTreeMap<String, String>),
) -> Ranking {
    let whole = Number::of(&groups.totals.total_location_based).mass;
    let (_, column, title, about) =
        WAYS.into_iter().find(|(way, ..)| *way == by).unwrap_or(WAYS[0]);
    let mut found: Vec<(&Group, Number)> = groups
        .groups
        .iter()
        .map(|group| (group, Number::of(&group.totals.total_location_based)))
        .collect();
    if by != GroupBy::Month {
        found.sort_by_key(|(_, total)| core::cmp::Reverse(total.mass));
    }
    let left = found.len().saturating_sub(BARS_MAX);
    let widest = found.iter().map(|(_, total)| total.mass).max().unwrap_or(Mass::ZERO);
    let row = |(place, (group, total)): (usize, (&Group, Number))| {
        let parts = parts(&group.totals, &Number::of(&group.totals.scope2_location));
        let (name, alone, filter) = told(by, group, (asked, names));
        let (id, description) = (format!("group-{}", place + 1), strip_words(&parts, total.mass));
        let caption = Caption { id: &id, title: &name, description: &description };
        Ranked {
            strip: charts::strip(caption, &parts, widest),
            href: alone.unwrap_or_else(|| total.href.clone()),
            share: words::share(total.mass, whole),
            numbers: numbers(&group.totals),
            rows: filter.map(|filter| rows(groups, asked, &filter)),
            name,
            total,
        }
    };
    Ranking {
        title,
        about,
        column,
        csv: asked.with(&format!("by={}", by.as_str())),
        choices: WAYS
            .iter()
            .map(|(way, label, ..)| Choice {
                label,
                href: format!("/{}#groups", asked.query(Some(*way))),
                current: *way == by,
            })
            .collect(),
        groups: found.into_iter().take(BARS_MAX).enumerate().map(row).collect(),
        more: (left > 0).then(|| format!("and {left} smaller ones, all of them in the CSV")),
    }
}

/// A group's name, the page of it alone, and what narrows activities to it.
fn told(
    by: GroupBy,
    group: &Group,
    (asked, names): (&Asked, &BTreeMap<String, String>),
) -> (String, Option<String>, Option<String>) {
    let word = |name: &str| group.key.get(name).map_or("", String::as_str);
    match by {
        GroupBy::Facility => {
            let id = word("facility_id");
            let name = match named(id) {
                Some(id) => names.get(id).map_or(id, String::as_str),
                None => "No facility named",
            };
            let alone = named(id).map(|id| format!("/?year={}&facility={id}", asked.year));
            (name.to_owned(), alone, named(id).map(|id| format!("facility_id={id}")))
        }
        GroupBy::Source => {
            let name = named(word("source_code")).unwrap_or("No source named");
            (name.to_owned(), None, named(word("source_id")).map(|id| format!("source_id={id}")))
        }
        GroupBy::Type => {
            let kind = word("type");
            (words::kind(kind), None, Some(format!("type={kind}")))
        }
        GroupBy::Category => (words::category(word("category")), None, None),
        GroupBy::Scope => (format!("Scope {}", word("scope")), None, None),
        GroupBy::Month => {
            let month = words::year_month(word("month"));
            let name = month.map_or("", |(_, month)| words::month_name(month));
            let (year, next) = month.map_or((asked.year, 1), |(year, month)| {
                if month == 12 { (year.saturating_add(1), 1) } else { (year, month + 1) }
            });
            let days = format!("from={}-01&to={year:04}-{next:02}-01", word("month"));
            (name.to_owned(), None, Some(days))
        }
    }
}

fn named(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The rows of the year, or of the facility asked for, narrowed.
fn rows(year: &Footprint, asked: &Asked, filter: &str) -> String {
    let only = asked.facility.iter().filter(|_| !filter.starts_with("facility_id"));
    let only: String = only.map(|id| format!("&facility_id={id}")).collect();
    if filter.starts_with("from=") {
        return format!("/activities?{filter}{only}");
    }
    format!("/activities?{filter}&from={}&to={}{only}", year.period.from, year.period.to)
}
