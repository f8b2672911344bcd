//! `envora data supersede`: one stored activity replaced by another, or voided. Nothing is edited: the
//! old one stays in the log, and the two are linked.

use envora_api::activities::Activity;
use envora_api::writes::{Outcome, WriteAnswer};
use serde_json::{Map, Value, json};

use super::{voiding, wait_until_counted};
use crate::arguments::SupersedeArguments;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::json::cell;
use crate::refusals::Refusals;
use crate::session::{Printed, Session};
use crate::tables::Table;

/// What is the old row's own and does not go into the new one.
const OWN: &[&str] = &["origin", "external_id", "supersedes", "supersede_reason", "void"];
/// Fields that are no texts.
const NUMBERS: &[&str] = &["scope", "primary"];

/// Sends the activity that takes the place of another.
///
/// # Errors
/// No or several activities that are named, nothing to change, the server's problem.
pub(super) async fn run(
    arguments: &SupersedeArguments,
    session: &mut Session,
) -> Result<(), Failure> {
    if let (Some(import), None, true) = (&arguments.import, arguments.line, arguments.void) {
        return voiding::run(import, arguments.reason.as_deref(), session).await;
    }
    let changes = changes(arguments)?;
    let client = session.client_to_change()?;
    let old = named(&client, arguments).await?;
    if matches!(old.state.as_str(), "superseded" | "voided") {
        return Err(Failure::known(
            (Exit::Error, "already_superseded"),
            format!("{} is {} already", old.id, old.state),
            "correct the activity that took its place: envora data list --state counted",
        ));
    }
    let mut new = Map::new();
    if arguments.void {
        session.confirm(&format!("Void {}?", described(&old)))?;
        new.insert("void".to_owned(), true.into());
    } else {
        new.extend(old.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        new.retain(|name, _| !OWN.contains(&name.as_str()));
        for (name, value) in &changes {
            put(&mut new, name, value.clone());
        }
    }
    new.insert("supersedes".to_owned(), old.id.to_string().into());
    // An activity has one successor at most: its id is enough for a name that comes again.
    new.insert("external_id".to_owned(), format!("instead-of-{}", old.id).into());
    if let Some(reason) = &arguments.reason {
        new.insert("supersede_reason".to_owned(), reason.clone().into());
    }
    let body = json!({"mode": "atomic", "activities": [new]});
    let answer: WriteAnswer = client.post("/activities", &body).await?;
    let row = answer.results.first();
    if let Some(row) = row.filter(|row| row.status == Outcome::Quarantined) {
        let mut waits = Refusals::default();
        row.errors.iter().for_each(|error| waits.add(error, || None));
        waits.print("", &mut session.terminal.words);
    }
    wait_until_counted(&client, answer.watermark.seq).await?;
    if session.print_json(&answer)? == Printed::AsJson {
        return Ok(());
    }
    let id = row.and_then(|row| row.id).map(|id| id.to_string()).unwrap_or_default();
    told(&old, &changes, session);
    let words = &mut session.terminal.words;
    match arguments.void {
        true => words.line(format!("{} is voided by {id}: it counts no more", old.id)),
        false => words.line(format!("{} is superseded by {id}", old.id)),
    }
    words.help(format!("envora trace {id}"));
    Ok(())
}

type Changes = Vec<(String, Value)>;

fn changes(arguments: &SupersedeArguments) -> Result<Changes, Failure> {
    let mut changes = Changes::new();
    let named = [("quantity", &arguments.quantity), ("unit", &arguments.unit)];
    for (name, value) in named {
        changes.extend(value.iter().map(|value| (name.to_owned(), value.clone().into())));
    }
    for pair in &arguments.set {
        let Some((name, value)) = pair.split_once('=') else {
            let what = format!("--set {pair:?} sets nothing");
            return Err(Failure::usage(what, "write it as --set facility_code=b24"));
        };
        let parsed = serde_json::from_str(value).ok().filter(|_| NUMBERS.contains(&name));
        changes.push((name.to_owned(), parsed.unwrap_or_else(|| value.into())));
    }
    if changes.is_empty() && !arguments.void {
        return Err(Failure::usage(
            "what is right?",
            "say --quantity 12.5, --set FIELD=VALUE, or --void if it should not be there at all",
        ));
    }
    Ok(changes)
}

/// Sets a field; one with dots is a part of an object: `tags.cost_centre`.
fn put(row: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(row.insert(name.to_owned(), value)),
        Some((object, rest)) => {
            let inner = row.entry(object).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The activity that is named by its id, or by the line of an import.
async fn named(client: &Client, arguments: &SupersedeArguments) -> Result<Activity, Failure> {
    if let Some(id) = &arguments.id {
        return client.get(&format!("/activities/{id}"), &[]).await;
    }
    let (Some(import), Some(line)) = (&arguments.import, arguments.line) else {
        return Err(Failure::usage(
            "which activity?",
            "say --id act_…, or --import imp_… --line N for the line of a file; --import imp_… --void alone is all of it",
        ));
    };
    let number = line.to_string();
    let query = [("import_id", import.as_str()), ("line", &number), ("limit", "100")];
    let found: Vec<Activity> = client.all("/activities", &query).await?;
    let open = |one: &&Activity| !matches!(one.state.as_str(), "superseded" | "voided");
    let open: Vec<&Activity> = found.iter().filter(open).collect();
    match (open.as_slice(), found.as_slice()) {
        ([one], _) => Ok((*one).clone()),
        ([], [one]) => Ok(one.clone()),
        ([], _) => Err(Failure::known(
            (Exit::Error, "not_found"),
            format!("no activity is stored from line {line} of {import}"),
            "lines count from 1, with the header; `envora data list --import imp_…` lists what is stored",
        )),
        (several, _) => {
            let all: Vec<String> = several.iter().map(|one| described(one)).collect();
            let what = format!("line {line} is several activities: {}", all.join("; "));
            Err(Failure::usage(what, "name one with --id"))
        }
    }
}

fn described(activity: &Activity) -> String {
    let one = |name: &str| cell(activity.fields.get(name));
    format!("{} ({}, {} {})", activity.id, one("type"), one("quantity"), one("unit"))
}

/// What was and what is.
fn told(old: &Activity, changes: &Changes, session: &mut Session) {
    if changes.is_empty() {
        return;
    }
    let mut table = Table::new(&["field", "was", "is"]);
    for (name, value) in changes {
        let was = match name.split_once('.') {
            None => old.fields.get(name),
            Some((object, rest)) => old.fields.get(object).and_then(|inner| inner.get(rest)),
        };
        table.row([name.clone(), cell(was), cell(Some(value))]);
    }
    table.print(&mut session.terminal.data);
}
