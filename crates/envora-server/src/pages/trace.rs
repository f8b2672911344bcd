//! The trace page: from a figure, step by step, down to bytes, factor and proof.

use std::collections::BTreeMap;

use askama::Template;
use envora_api::organizations::Organization;
use envora_api::traces::{FigureQuery, Trace, TraceLine, TracedLeaf, TracedOrigin};
use envora_domain::decimal::group_thousands;
use envora_domain::time::Timestamp;

use super::charts::{self, Caption, Side};
use super::shell::Shell;
use super::words;

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose it is.
    pub(super) organization: &'a Organization,
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

struct LineRow {
    place: usize,
    when: String,
    source: String,
    as_sent: String,
    gas: String,
    co2e: String,
    href: String,
    current: bool,
}

struct Followed {
    factor: envora_api::traces::TracedFactor,
    gwp: String,
    why: String,
    slot: String,
    method: String,
    tier: u8,
    flags: String,
    passed_over: Vec<String>,
    units: String,
    exact: Vec<String>,
    co2e: String,
    origin: Origin,
    activity: String,
    activity_href: String,
    segment: Segment,
    leaf: Leaf,
}

struct Origin {
    sentence: String,
    text: Option<String>,
    file_term: &'static str,
    file: String,
    line: String,
    record: String,
    bytes: String,
    parser: String,
    sha256: Option<String>,
}

struct Segment {
    id: String,
    row: String,
    root: String,
    slice: String,
}

struct Leaf {
    sentence: String,
    chart: String,
    proof: Vec<Sibling>,
    checkpoint: String,
}

struct Sibling {
    side: &'static str,
    text: String,
}

struct Command {
    about: &'static str,
    text: String,
    expect: Option<String>,
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
    let Sheet { organization, trace, names, asked } = sheet;
    let line = trace.lines.data.get(asked.line.saturating_sub(1)).or(trace.lines.data.first());
    let (unit, unit_spoken) = match trace.query.measure.as_str() {
        "co2e" => ("kg CO<sub>2</sub>e", "kilograms CO2e"),
        "mass" => ("kg", "kilograms"),
        _ => ("", ""),
    };
    let year = trace.query.from.ymd().0;
    TracePage {
        shell: Shell::of("Trace", organization),
        back: Link { label: format!("Footprint {year}"), href: format!("/?year={year}") },
        value: digits(&trace.figure.value),
        unit,
        unit_spoken,
        question: question(&trace.query, names),
        equal: trace.replay == "equal",
        parts: trace.parts.iter().map(part).collect(),
        parts_words: parts_words(trace.parts.len()),
        lines: lines(sheet),
        more: trace
            .lines
            .next_cursor
            .as_ref()
            .map(|cursor| format!("/figures/{}?cursor={cursor}", trace.figure.figure_id)),
        followed: line.map(followed),
        commands: commands(trace, line),
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
    if query.bucket != "inventory" && !query.bucket.is_empty() {
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

fn lines(sheet: Sheet<'_>) -> Vec<LineRow> {
    let figure = &sheet.trace.figure.figure_id;
    let chosen =
        if sheet.asked.line <= sheet.trace.lines.data.len() { sheet.asked.line.max(1) } else { 1 };
    let row = |(index, line): (usize, &TraceLine)| {
        let place = index + 1;
        let cursor = sheet
            .asked
            .cursor
            .as_ref()
            .map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        LineRow {
            place,
            when: when(&line.as_sent.period),
            source: line
                .as_sent
                .source
                .clone()
                .or_else(|| line.as_sent.facility.clone())
                .unwrap_or_else(|| "–".to_owned()),
            as_sent: format!(
                "{}\u{a0}{}",
                group_thousands(&line.as_sent.quantity),
                line.as_sent.unit
            ),
            gas: words::gas(&line.gwp.gas),
            co2e: line.co2e.as_deref().map_or_else(|| "–".to_owned(), group_thousands),
            href: format!("/figures/{figure}?line={place}{cursor}#factor"),
            current: place == chosen,
        }
    };
    sheet.trace.lines.data.iter().enumerate().map(row).collect()
}

/// `2022-01-01T00:00:00Z/2022-01-01T01:00:00Z` as its beginning, `2022-01-01 00:00`; other texts as they are.
fn when(period: &str) -> String {
    let start = period.split_once('/').map_or(period, |(start, _)| start);
    match (Timestamp::parse(start), start.get(..10), start.get(11..16)) {
        (Ok(_), Some(day), Some(time)) => format!("{day} {time}"),
        _ => period.to_owned(),
    }
}

fn followed(line: &TraceLine) -> Followed {
    Followed {
        factor: line.factor.clone(),
        gwp: gwp(line),
        why: if line.why.text.is_empty() {
            "The first method whose inputs are complete.".to_owned()
        } else {
            line.why.text.clone()
        },
        slot: words::slot(&line.slot),
        method: line.method.clone(),
        tier: line.why.tier,
        flags: line.why.flags.iter().map(|flag| words::code(flag)).collect::<Vec<_>>().join(", "),
        passed_over: line.why.passed_over.clone(),
        units: units(line),
        exact: line.exact.clone(),
        co2e: line.co2e.as_deref().map_or_else(|| "–".to_owned(), group_thousands),
        origin: origin(&line.origin),
        activity: line.activity.to_string(),
        activity_href: format!("/activities/{}", line.activity),
        segment: Segment {
            id: line.segment.id.to_string(),
            row: group_thousands(&line.segment.row.to_string()),
            root: line.segment.root.clone(),
            slice: format!(
                "The row lies in block {} of {} (256 rows each); {} lead from it to the root.",
                group_thousands(&(line.segment.slice.index + 1).to_string()),
                group_thousands(&line.segment.slice.size.to_string()),
                words::count(
                    u64::try_from(line.segment.slice.proof.len()).unwrap_or(0),
                    "hash",
                    "hashes"
                ),
            ),
        },
        leaf: leaf(&line.leaf),
    }
}

fn gwp(line: &TraceLine) -> String {
    let gas = words::gas(&line.gwp.gas);
    match &line.gwp.value {
        Some(value) => {
            format!("{value} kg CO\u{2082}e per kg {gas} ({})", words::gwp_set(&line.gwp.basis))
        }
        None => format!("{gas}, in {}", words::gwp_set(&line.gwp.basis)),
    }
}

fn units(line: &TraceLine) -> String {
    let sent = format!("{} {}", group_thousands(&line.as_sent.quantity), line.as_sent.unit);
    match line.unit_path.as_slice() {
        [] => {
            format!("{sent} as sent, already in the factor's unit. Nothing is rounded on the way.")
        }
        path => format!("{sent} as sent; {}. Nothing is rounded on the way.", path.join("; ")),
    }
}

fn origin(origin: &TracedOrigin) -> Origin {
    let [from, to] = origin.byte_range;
    let line = group_thousands(&origin.line.to_string());
    let inline = origin.import.is_none();
    let sentence = match (&origin.text, inline) {
        (Some(_), _) => format!("Line {line} of the file as it was received. The file itself is kept, sealed."),
        (None, true) => "The row came in the body of a request. Bodies are not kept; their hash and the byte range are.".to_owned(),
        (None, false) => format!("Line {line} of the file as it was received. The file's text is no longer kept; its hash is."),
    };
    Origin {
        sentence,
        text: origin.text.clone(),
        file_term: if inline { "Request" } else { "File" },
        file: origin.file.clone(),
        line,
        record: group_thousands(&origin.row.to_string()),
        bytes: format!(
            "{} to {} ({} bytes)",
            group_thousands(&from.to_string()),
            group_thousands(&to.saturating_sub(1).to_string()),
            to.saturating_sub(from)
        ),
        parser: origin.parser.clone(),
        sha256: origin.sha256.clone(),
    }
}

fn leaf(leaf: &TracedLeaf) -> Leaf {
    let size = checkpoint_size(&leaf.checkpoint);
    let sides = sides(leaf.index, size.unwrap_or(leaf.index + 1), leaf.proof.len());
    let steps = words::count(u64::try_from(leaf.proof.len()).unwrap_or(0), "hash", "hashes");
    let description = format!(
        "From entry {} at the bottom, {steps} lead to the signed root at the top.",
        leaf.index
    );
    let caption = Caption { id: "proof", title: "Inclusion proof", description: &description };
    let sentence = size.map_or_else(
        || format!("Entry {} of an append-only log. {steps} lead from it to a signed root.", leaf.index),
        |size| format!(
            "Entry {} of an append-only log of {}. {steps} lead from it to the signed root; nobody can take the entry out without changing that root.",
            leaf.index, group_thousands(&size.to_string())
        ),
    );
    let sibling = |(side, hash): (&Side, &String)| Sibling {
        side: match side {
            Side::Left => "left",
            Side::Right => "right",
        },
        text: hash.clone(),
    };
    let mut proof: Vec<Sibling> = sides.iter().zip(&leaf.proof).map(sibling).collect();
    proof.reverse();
    Leaf {
        sentence,
        chart: charts::proof_path(caption, &sides),
        proof,
        checkpoint: leaf.checkpoint.clone(),
    }
}

/// The second line of a checkpoint is the size of its tree.
fn checkpoint_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// On which side each hash of an inclusion proof stands, from the leaf up (RFC 9162, 2.1.3.2).
fn sides(index: u64, size: u64, hashes: usize) -> Vec<Side> {
    let (mut node, mut last) = (index, size.saturating_sub(1));
    let mut sides = Vec::with_capacity(hashes);
    for _ in 0..hashes.min(64) {
        if node & 1 == 1 || node == last {
            sides.push(Side::Left);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            sides.push(Side::Right);
        }
        node >>= 1;
        last >>= 1;
    }
    sides
}

fn commands(trace: &Trace, line: Option<&TraceLine>) -> Vec<Command> {
    let figure = &trace.figure.figure_id;
    let mut commands = vec![Command {
        about: "Calculate this figure again, and check the proof, with the command line:",
        text: format!("envora trace {figure}"),
        expect: None,
    }];
    let Some(line) = line else { return commands };
    let Some(sha256) = &line.origin.sha256 else { return commands };
    let file = quoted(&line.origin.file);
    let [from, to] = line.origin.byte_range;
    commands.push(Command {
        about: "Does your own copy of the file have these bytes? With Envora:",
        text: format!("envora trace {figure} --source {file}"),
        expect: None,
    });
    commands.push(Command {
        about: "The same with nothing but a shell: the file's hash,",
        text: format!("sha256sum {file}"),
        expect: Some(sha256.clone()),
    });
    commands.push(Command {
        about: "and the bytes of the row.",
        text: format!("tail -c +{} {file} | head -c {}", from + 1, to.saturating_sub(from)),
        expect: line.origin.text.clone(),
    });
    commands
}

/// The file's name, safe to paste into a shell.
fn quoted(name: &str) -> String {
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let name = name.replace('\'', r"'\''");
    if name.starts_with('-') { format!("'./{name}'") } else { format!("'{name}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_of_a_proof_follow_from_index_and_size() {
        use Side::{Left, Right};
        assert_eq!(sides(0, 8, 3), [Right, Right, Right]);
        assert_eq!(sides(5, 8, 3), [Left, Right, Left]);
        assert_eq!(sides(6, 7, 2), [Left, Left]);
        assert_eq!(sides(4, 7, 3), [Right, Right, Left]);
        assert_eq!(sides(0, 1, 0), []);
    }

    #[test]
    fn file_names_cannot_leave_the_shell_word() {
        assert_eq!(quoted("b24_electricity_2022.csv"), "b24_electricity_2022.csv");
        assert_eq!(quoted("my file.csv"), "'my file.csv'");
        assert_eq!(quoted("a'; rm -rf x"), r"'a'\''; rm -rf x'");
        assert_eq!(quoted("-rf"), "'./-rf'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }

    #[test]
    fn hours_are_shown_by_their_beginning() {
        assert_eq!(when("2022-01-01T00:00:00Z/2022-01-01T01:00:00Z"), "2022-01-01 00:00");
        assert_eq!(when("2022-01-01/2022-01-31"), "2022-01-01/2022-01-31");
    }
}
