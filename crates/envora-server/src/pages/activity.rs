//! The page of one activity: the row as it was sent, what became of it, and its lines.

use askama::Template;
use envora_api::activities::{Activity, HistoryStep};
use envora_api::organizations::Organization;
use envora_api::problems::Problem;
use envora_api::traces::TraceLine;
use envora_domain::decimal::group_thousands;

use super::lines::{self, Command, Followed, LineRow};
use super::shell::Shell;
use super::words;
use crate::params::Params;

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose it is.
    pub(super) organization: &'a Organization,
    /// Where the dashboard is, as the browser calls it.
    pub(super) host: &'a str,
    /// The row.
    pub(super) activity: &'a Activity,
    /// What would make it count.
    pub(super) remedy: Option<&'a str>,
    /// Why it counts and has no lines.
    pub(super) nothing: Option<&'a str>,
    /// The steps of its life.
    pub(super) history: &'a [HistoryStep],
    /// Its lines.
    pub(super) lines: &'a [TraceLine],
    /// Which line is followed, from 1.
    pub(super) line: usize,
    /// A correction that was not taken in, and what it said.
    pub(super) refused: Option<(&'a Problem, &'a Params)>,
}

/// What went wrong with a correction.
struct Trouble {
    title: String,
    detail: String,
    errors: Vec<String>,
}

struct Todo {
    label: String,
    remedy: String,
}

struct Fact {
    label: String,
    text: String,
}

/// One step of its life.
struct Step {
    event: String,
    when: String,
    entry: u64,
    seq: String,
    by: Option<String>,
    reason: String,
}

/// The page.
#[derive(Template)]
#[template(path = "activity.html")]
pub(super) struct ActivityPage {
    shell: Shell,
    quantity: String,
    unit: String,
    standfirst: String,
    tone: &'static str,
    state: String,
    nothing: Option<String>,
    todo: Option<Todo>,
    facts: Vec<Fact>,
    id: String,
    origin: String,
    history: Vec<Step>,
    before: Option<String>,
    lines: Vec<LineRow>,
    followed: Option<Followed>,
    commands: Vec<Command>,
    trouble: Option<Trouble>,
    may_change: bool,
    new_quantity: String,
    reason: String,
}

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> ActivityPage {
    let Sheet { organization, host, activity, remedy, nothing, history, lines, line, refused } =
        sheet;
    let said = |name: &str| {
        let word = refused.and_then(|(_, fields)| fields.many(name).next().map(str::to_owned));
        word.unwrap_or_default()
    };
    let id = activity.id.to_string();
    let word = |name: &str| activity.fields.get(name).map(text).unwrap_or_default();
    let followed = lines::chosen(lines, line);
    let path = |place: usize| format!("/activities/{id}?line={place}");
    ActivityPage {
        shell: Shell::of("Activity", organization),
        quantity: group_thousands(&word("quantity")),
        unit: word("unit"),
        standfirst: format!(
            "{} · committed {} · row {} of {}",
            word("type"),
            words::instant(activity.committed_at),
            group_thousands(&activity.row.to_string()),
            activity.segment
        ),
        tone: if activity.state == "counted" { "good" } else { "warn" },
        state: words::code(&activity.state),
        todo: activity.code.as_deref().map(|code| Todo {
            label: words::code(code),
            remedy: remedy.map(words::prose).unwrap_or_default(),
        }),
        nothing: nothing.map(words::prose),
        facts: facts(activity),
        origin: word("origin"),
        history: history.iter().map(step).collect(),
        before: Some(word("supersedes")).filter(|before| !before.is_empty()),
        lines: lines::list(lines, line, &path),
        commands: lines::commands((&id, &words::asks(host, &organization.slug)), followed),
        followed: followed.map(lines::followed),
        trouble: refused.map(|(problem, _)| trouble(problem)),
        may_change: matches!(activity.state.as_str(), "counted" | "unresolved" | "pending"),
        new_quantity: said("quantity"),
        reason: said("reason"),
        id,
    }
}

fn trouble(problem: &Problem) -> Trouble {
    let text = |error: &envora_api::problems::RowError| match &error.hint {
        Some(hint) => format!("{} {}", words::prose(&error.detail), words::prose(hint)),
        None => words::prose(&error.detail),
    };
    Trouble {
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        errors: problem.errors.iter().map(text).collect(),
    }
}

fn step(step: &HistoryStep) -> Step {
    Step {
        event: words::code(&step.event),
        when: words::instant(step.at),
        entry: step.seq,
        seq: group_thousands(&step.seq.to_string()),
        by: step.by.map(|by| format!("/activities/{by}")),
        reason: step.reason.clone().unwrap_or_default(),
    }
}

fn facts(activity: &Activity) -> Vec<Fact> {
    let fact = |label: &str, text: String| Fact { label: words::code(label), text };
    let told_above = |name: &str| matches!(name, "quantity" | "unit" | "type" | "origin");
    let mut facts: Vec<Fact> = activity
        .fields
        .iter()
        .filter(|(name, _)| !told_above(name))
        .map(|(name, value)| fact(name, text(value)))
        .collect();
    facts.sort_by_key(|fact| place(&fact.label));
    if !activity.flags.is_empty() {
        let flags: Vec<String> = activity.flags.iter().map(|flag| words::code(flag)).collect();
        facts.push(fact("noticed", flags.join(", ")));
    }
    facts
}

/// When it was stands first, its beginning before its end; then the rest, by name.
fn place(label: &str) -> usize {
    let first = ["Occurred at", "Start", "Start date", "End", "End date", "Time zone"];
    first.iter().position(|known| *known == label).unwrap_or(first.len())
}

/// A value of the wire as a reader's text.
fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{}: {}", words::code(name).to_lowercase(), text(value)))
            .collect::<Vec<_>>()
            .join("; "),
        serde_json::Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
    }
}
