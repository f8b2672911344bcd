//! `envora data supersede`: one stored activity replaced by another, or voided. Nothing is edited: the
//! old one stays in the log, and the two are linked. One that was voided comes back by a row that takes the
//! place of the voiding one.

use std::collections::BTreeMap;

use envora_api::activities::{Activity, HistoryStep};
use envora_api::writes::{Outcome, WriteAnswer};
use envora_domain::decimal::Decimal;
use envora_domain::id::{ActivityId, ImportId};
use serde_json::{Map, Value, json};

use super::{restoring, voiding, wait_until_counted};
use crate::arguments::SupersedeArguments;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::imports::print_warning;
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
    if let Some(import) = &arguments.import {
        import_id(import)?;
    }
    if let (Some(import), None, true) = (&arguments.import, arguments.line, arguments.void) {
        return voiding::run(import, arguments.reason.as_deref(), session).await;
    }
    let changes = changes(arguments)?;
    if let (Some(import), None, true) = (&arguments.import, arguments.line, arguments.restore) {
        return restoring::run(import, (arguments, &changes), session).await;
    }
    let client = session.client_to_change()?;
    let old = named(&client, arguments).await?;
    let place = place(&client, &old).await?;
    if arguments.restore && place == old.id {
        return Err(stands(&old));
    }
    if !arguments.void && place == old.id && changes.iter().all(|change| is_so(&old, change)) {
        return Err(nothing_changes(&old, &changes));
    }
    let mut new = if arguments.void {
        if place != old.id {
            let what = format!("{} is voided already", old.id);
            return Err(Failure::known((Exit::Error, "already_superseded"), what, RESTORE));
        }
        session.confirm(&format!("Void {}?", described(&old)))?;
        Map::from_iter([("void".to_owned(), true.into())])
    } else {
        instead(old.fields.clone(), &changes)
    };
    link(&mut new, &place.to_string(), arguments.reason.as_deref());
    let body = json!({"mode": "atomic", "activities": [new]});
    let answer: WriteAnswer = client.post_asking(CORRECTING, &body).await?;
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
    match (arguments.void, place == old.id) {
        (true, _) => words.line(format!("{} is voided by {id}: it counts no more", old.id)),
        (false, true) => words.line(format!("{} is superseded by {id}", old.id)),
        (false, false) => words.line(format!("{} was voided; {id} stands in its place", old.id)),
    }
    for warning in &answer.warnings {
        print_warning(&id, warning, words);
    }
    words.help(format!("envora trace {id}"));
    Ok(())
}

/// Where corrections go: a row that was read off a table may have times without an offset.
pub(super) const CORRECTING: (&str, &[(&str, &str)]) = ("/activities", &[("local_times", "zone")]);

pub(super) type Changes = Vec<(String, Value)>;

/// What brings back a voided activity.
const RESTORE: &str =
    "to bring it back: --restore, or say what is right: --quantity, --unit, --set";

/// The fields of an activity for the row that takes its place.
pub(super) fn instead(fields: BTreeMap<String, Value>, changes: &Changes) -> Map<String, Value> {
    let mut new: Map<String, Value> = fields.into_iter().collect();
    new.retain(|name, _| !OWN.contains(&name.as_str()));
    for (name, value) in changes {
        put(&mut new, name, value.clone());
    }
    new
}

/// Names the row whose place a new one takes.
pub(super) fn link(new: &mut Map<String, Value>, place: &str, reason: Option<&str>) {
    new.insert("supersedes".to_owned(), place.into());
    // An activity has one successor at most: its id is enough for a name that comes again.
    new.insert("external_id".to_owned(), format!("instead-of-{place}").into());
    if let Some(reason) = reason {
        new.insert("supersede_reason".to_owned(), reason.into());
    }
}

/// The row that a correction of this activity is to name: itself, or the row that voids it.
async fn place(client: &Client, old: &Activity) -> Result<ActivityId, Failure> {
    if old.fields.get("void") == Some(&true.into()) {
        let voided = cell(old.fields.get("supersedes"));
        return Err(Failure::known(
            (Exit::Error, "already_superseded"),
            format!("{} is the row that voids {voided}", old.id),
            "to bring that one back: envora data supersede --id act_… --restore",
        ));
    }
    let Some(next) = successor(client, old.id).await? else { return Ok(old.id) };
    let (mut before, (mut last, mut fate)) = (old.id, next);
    while let Some(next) = successor(client, last).await? {
        (before, (last, fate)) = (last, next);
    }
    let (what, help) = match (fate.as_str(), before == old.id) {
        (VOIDED, true) => return Ok(last),
        (VOIDED, false) => (
            format!("{} was {}, and {before}, which took its place, is voided", old.id, old.state),
            format!(
                "what took its place comes back by: envora data supersede --id {before} --restore"
            ),
        ),
        _ => (
            format!("{} was {}, and {last} stands in its place", old.id, old.state),
            format!(
                "correct or void what took its place: envora data supersede --id {last}, with what is right"
            ),
        ),
    };
    Err(Failure::known((Exit::Error, "already_superseded"), what, help))
}

/// What an activity's history calls one that was voided.
pub(super) const VOIDED: &str = "voided";

/// What ended an activity, and how.
async fn successor(
    client: &Client,
    id: ActivityId,
) -> Result<Option<(ActivityId, String)>, Failure> {
    let steps: Vec<HistoryStep> = client.all(&format!("/activities/{id}/history"), &[]).await?;
    Ok(steps.into_iter().find_map(|step| Some((step.by?, step.event))))
}

/// Whether the activity says already what a change says.
fn is_so(old: &Activity, (name, value): &(String, Value)) -> bool {
    let (was, is) = (cell(field(old, name)), cell(Some(value)));
    let number = |text: &str| Decimal::parse(text).ok().map(Decimal::normalized);
    was == is || name == "quantity" && number(&was).is_some_and(|was| Some(was) == number(&is))
}

/// A field of an activity; one with dots is a part of an object.
fn field<'a>(activity: &'a Activity, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        None => activity.fields.get(name),
        Some((object, rest)) => activity.fields.get(object).and_then(|inner| inner.get(rest)),
    }
}

fn nothing_changes(old: &Activity, changes: &Changes) -> Failure {
    let said = |(name, value): &(String, Value)| format!("{name} {}", cell(Some(value)));
    let said: Vec<String> = changes.iter().map(said).collect();
    Failure::known(
        (Exit::Usage, "nothing_changes"),
        format!("nothing would change: {} has {} already", old.id, said.join(", ")),
        "say what is right where it differs; `envora data show act_…` prints what is stored",
    )
}

fn stands(old: &Activity) -> Failure {
    Failure::known(
        (Exit::Error, "not_voided"),
        format!("{} is not voided: there is nothing to bring back", old.id),
        "to correct it, say what is right: --quantity, --unit, --set",
    )
}

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
        let timed = || whole_time(name, value).into();
        changes.push((name.to_owned(), parsed.unwrap_or_else(timed)));
    }
    if changes.is_empty() && !arguments.void && !arguments.restore {
        return Err(Failure::usage(
            "what is right?",
            "say --quantity 12.5, --set FIELD=VALUE, or --void if it should not be there at all",
        ));
    }
    Ok(changes)
}

/// A time with its seconds, where it stops at the minute: what a table may leave out.
fn whole_time(name: &str, value: &str) -> String {
    let minute = |text: &str| text.len() == 16 && text.as_bytes().get(13) == Some(&b':');
    let cut = value.get(..16).filter(|text| TIMES.contains(&name) && minute(text));
    match cut.zip(value.get(16..)) {
        Some((text, rest)) if !rest.starts_with(':') => format!("{text}:00{rest}"),
        Some(_) | None => value.to_owned(),
    }
}

/// Fields that are instants.
const TIMES: [&str; 3] = ["start", "end", "occurred_at"];

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
        let id = activity_id(id)?;
        return client.get(&format!("/activities/{id}"), &[]).await;
    }
    let (Some(import), Some(line)) = (&arguments.import, arguments.line) else {
        return Err(Failure::usage(
            "which activity?",
            "say --id act_…, or --import imp_… --line N for the line of a file; --import imp_… with --void or --restore alone is all of it",
        ));
    };
    let number = line.to_string();
    let query = [("import_id", import.as_str()), ("line", &number), ("limit", "100")];
    let found: Vec<Activity> = client.all("/activities", &query).await?;
    let open = |one: &&Activity| !matches!(one.state.as_str(), "superseded" | "voided");
    let open: Vec<&Activity> = found.iter().filter(open).collect();
    match (open.as_slice(), found.as_slice()) {
        ([one], _) => Ok((*one).clone()),
        // What stands for the line by now is meant, or stood for it last: nothing else can be corrected.
        ([], [one]) => match stood_last(one) {
            Some(last) => client.get(&format!("/activities/{last}"), &[]).await,
            None => Ok(one.clone()),
        },
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

/// What stands for an activity by now, or stood for it last; nothing where that is itself.
fn stood_last(one: &Activity) -> Option<ActivityId> {
    let end = one.chain_end.as_ref()?;
    let last = if end.event == VOIDED { end.of } else { end.id };
    (last != one.id).then_some(last)
}

/// The id of an activity, refused by its form before the server is asked.
fn activity_id(text: &str) -> Result<ActivityId, Failure> {
    ActivityId::parse(text).map_err(|_| {
        Failure::usage(
            format!("{text:?} is the id of no activity"),
            "an id is act_ and 26 characters, as `envora data list` prints it",
        )
    })
}

/// The same of an import.
pub(super) fn import_id(text: &str) -> Result<ImportId, Failure> {
    ImportId::parse(text).map_err(|_| {
        Failure::usage(
            format!("{text:?} is the id of no import"),
            "an id is imp_ and 26 characters, as `envora data push` prints it",
        )
    })
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
        table.row([name.clone(), cell(field(old, name)), cell(Some(value))]);
    }
    table.print(&mut session.terminal.data);
}

#[cfg(test)]
mod tests {
    use super::whole_time;

    #[test]
    fn a_time_may_stop_at_the_minute() {
        for (sent, want) in [
            ("2022-10-30T01:00+01:00", "2022-10-30T01:00:00+01:00"),
            ("2022-10-30T01:00Z", "2022-10-30T01:00:00Z"),
            ("2022-10-30 01:00", "2022-10-30 01:00:00"),
            ("2022-10-30T01:00:00Z", "2022-10-30T01:00:00Z"),
            ("2022-10-30", "2022-10-30"),
        ] {
            assert_eq!(whole_time("start", sent), want);
        }
        assert_eq!(whole_time("note", "2022-10-30T01:00Z"), "2022-10-30T01:00Z");
    }
}
