//! The trace page: from a figure, step by step, down to bytes, factor and proof.

use std::collections::BTreeMap;

use askama::Template;
use envora_api::organizations::Organization;
use envora_api::traces::{FigureQuery, Trace};
use envora_domain::decimal::group_thousands;

use super::lines::{self, Command, Followed, LineRow};
use super::shell::Shell;
use super::words;

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose it is.
    pub(super) organization: &'a Organization,
    /// Where the dashboard is, as the browser calls it.
    pub(super) host: &'a str,
    /// The trace.
    pub(super) trace: &'a Trace,
    /// Names of facilities by id.
    pub(super) names: &'a BTreeMap<String, String>,
    /// What was asked for.
    pub(super) asked: &'a Asked,
}

/// What was asked for in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The page of lines.
    pub(super) cursor: Option<String>,
    /// Which line of the page is followed, from 1.
    pub(super) line: usize,
}

struct Link {
    label: String,
    href: String,
}

/// A number in two shades: what one reads, and the digits after it.
struct Digits {
    head: String,
    tail: String,
}

struct PartRow {
    label: String,
    value: String,
    href: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "trace.html")]
pub(super) struct TracePage {
    shell: Shell,
    back: Link,
    value: Digits,
    unit: &'static str,
    unit_spoken: &'static str,
    question: String,
    equal: bool,
    parts: Vec<PartRow>,
    parts_words: String,
    lines: Vec<LineRow>,
    more: Option<String>,
    followed: Option<Followed>,
    commands: Vec<Command>,
}

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> TracePage {
    let Sheet { organization, host, trace, names, asked } = sheet;
    let line = lines::chosen(&trace.lines.data, asked.line);
    let figure = &trace.figure.figure_id;
    let cursor =
        asked.cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    let path = |place: usize| format!("/figures/{figure}?line={place}{cursor}");
    let (unit, unit_spoken) = match trace.query.measure.as_str() {
        "co2e" => ("kg CO<sub>2</sub>e", "kilograms CO2e"),
        "mass" => ("kg", "kilograms"),
        _ => ("", ""),
    };
    let year = trace.query.from.ymd().0;
    let facility = trace.query.filters.iter().find(|(field, _)| *field == "facility");
    let only = facility.and_then(|(_, ids)| ids.first()).filter(|id| names.contains_key(*id));
    let (of, only) = only.map_or_else(Default::default, |id| {
        let name = names.get(id).map_or(id.as_str(), String::as_str);
        (format!(", {name}"), format!("&facility={id}"))
    });
    TracePage {
        shell: Shell::of("Trace", organization),
        back: Link { label: format!("Footprint {year}{of}"), href: format!("/?year={year}{only}") },
        value: digits(&trace.figure.value),
        unit,
        unit_spoken,
        question: question(&trace.query, names),
        equal: trace.replay == "equal",
        parts: trace.parts.iter().map(part).collect(),
        parts_words: parts_words(trace.parts.len()),
        lines: lines::list(&trace.lines.data, asked.line, &path),
        more: trace
            .lines
            .next_cursor
            .as_ref()
            .map(|cursor| format!("/figures/{}?cursor={cursor}", trace.figure.figure_id)),
        followed: line.map(lines::followed),
        commands: lines::commands((figure, &words::asks(host, &organization.slug)), line),
    }
}

fn digits(value: &str) -> Digits {
    let grouped = group_thousands(value);
    match grouped.split_once('.') {
        Some((whole, fraction)) => Digits { head: whole.to_owned(), tail: format!(".{fraction}") },
        None => Digits { head: grouped, tail: String::new() },
    }
}

fn question(query: &FigureQuery, names: &BTreeMap<String, String>) -> String {
    let mut words = Vec::new();
    match (query.scope, query.category) {
        (Some(scope), Some(category)) => words.push(format!("Scope {scope}.{category}")),
        (Some(scope), None) => words.push(format!("Scope {scope}")),
        (None, _) => words.push("All scopes".to_owned()),
    }
    if let Some(market) = &query.market {
        words.push(format!("{market}-based"));
    }
    if let Some(gas) = &query.gas {
        words.push(words::gas(gas));
    }
    if !matches!(query.bucket.as_str(), "in_scope" | "inventory" | "") {
        words.push(words::code(&query.bucket));
    }
    words.push(words::period(envora_api::footprints::Period { from: query.from, to: query.to }));
    for (field, values) in query.filters.iter().filter(|(field, _)| *field != "consolidation") {
        let shown = values.iter().map(|value| match field.as_str() {
            "facility" => names.get(value).unwrap_or(value).clone(),
            "slot" => words::slot(value),
            "source" | "scope" | "category" => {
                format!("{field} {}", if value.is_empty() { "none" } else { value })
            }
            _ => value.clone(),
        });
        words.extend(shown);
    }
    if let Some(set) = &query.gwp_set {
        words.push(format!("GWP {}", words::gwp_set(set)));
    }
    words.push(format!("pinned to entry {} of the log", query.seq));
    words.join(" · ")
}

fn part(part: &envora_api::traces::Part) -> PartRow {
    let label = words::part(&part.label);
    PartRow {
        label,
        value: group_thousands(&part.value),
        href: part.figure_id.as_ref().map(|id| format!("/figures/{id}")),
    }
}

fn parts_words(parts: usize) -> String {
    match parts {
        1 => "It has one part.".to_owned(),
        _ => format!(
            "{parts} parts, each an exact number of its own; their sum is the figure, to the last digit."
        ),
    }
}
