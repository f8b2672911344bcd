//! `envora data list`, `envora data show`: stored activities.

use envora_api::activities::Activity;
use envora_api::imports::Import;
use envora_api::traces::ActivityTrace;
use envora_domain::decimal::group_thousands;
use envora_domain::id::{ActivityId, ImportId};

use super::supersede::VOIDED;
use crate::arguments::ActivitiesArguments;
use crate::failures::Failure;
use crate::imports::counts_text;
use crate::json;
use crate::session::{Printed, Session};
use crate::tables::Table;

/// Lists stored activities, oldest first, page by page.
///
/// # Errors
/// The server's problem.
pub(super) async fn list(
    arguments: &ActivitiesArguments,
    session: &mut Session,
) -> Result<(), Failure> {
    let narrowing = arguments.narrowing.query();
    let limit = arguments.limit.clamp(1, 1_000).to_string();
    let mut query: Vec<(&str, &str)> =
        narrowing.iter().map(|(name, value)| (*name, value.as_str())).collect();
    query.push(("limit", &limit));
    let client = session.client()?;
    let all: Vec<Activity> = client.first("/activities", &query, arguments.limit).await?;
    if session.print_json(&all)? == Printed::AsJson {
        return Ok(());
    }
    table(&all).print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    if all.is_empty() {
        words.line("no activity is stored that this asks for");
    } else if all.len() == arguments.limit {
        words.line(format!("the first {}; --limit shows more", all.len()));
    }
    Ok(())
}

/// The activities, and what stands in the place of those that another took the place of.
fn table(all: &[Activity]) -> Table {
    let mut headers = vec!["activity", "state", "type", ">quantity", "unit", "facility", "source"];
    let any = all.iter().any(|activity| stands(activity).is_some());
    if any {
        headers.push("now");
    }
    let mut table = Table::new(&headers);
    for activity in all {
        let now = stands(activity).map(|id| id.to_string()).unwrap_or_default();
        table.row(cells(activity).into_iter().chain(any.then_some(now)));
    }
    table
}

/// What stands in the place of an activity by now; nothing of one that stands itself, or was voided, or
/// does nothing but void another.
fn stands(activity: &Activity) -> Option<ActivityId> {
    let end = activity.chain_end.as_ref().filter(|_| !voids(activity))?;
    (end.event != VOIDED).then_some(end.id)
}

/// Whether it does nothing but void another.
fn voids(activity: &Activity) -> bool {
    activity.fields.get("void") == Some(&true.into())
}

/// What became of an activity, to the end: one that was voided and brought back is restored, and one whose
/// successor was voided is voided.
fn became(activity: &Activity) -> &str {
    match (&activity.chain_end, activity.state.as_str()) {
        (Some(_), _) if voids(activity) => &activity.state,
        (Some(end), VOIDED) if end.event != VOIDED => "restored",
        (Some(end), "superseded") if end.event == VOIDED => "superseded, then voided",
        (_, state) => state,
    }
}

/// Id, what became of it, type, quantity, unit, facility, source.
pub(super) fn cells(activity: &Activity) -> [String; 7] {
    let one = |names: &[&str]| json::cell(names.iter().find_map(|name| activity.fields.get(*name)));
    [
        activity.id.to_string(),
        became(activity).to_owned(),
        one(&["type"]),
        one(&["quantity"]),
        one(&["unit"]),
        one(&["facility_code", "facility_id"]),
        one(&["source_code", "source_id"]),
    ]
}

/// Shows one, field by field.
///
/// # Errors
/// The server's problem.
pub(super) async fn show(activity: &str, session: &mut Session) -> Result<(), Failure> {
    if let Ok(import) = ImportId::parse(activity) {
        return show_import(import, session).await;
    }
    if ActivityId::parse(activity).is_err() {
        return Err(Failure::usage(
            format!("{activity:?} is the id of no activity and of no import"),
            "an id is act_ or imp_ and 26 characters, as `envora data list` and `envora data push` print it",
        ));
    }
    let client = session.client()?;
    let activity: Activity = client.get(&format!("/activities/{activity}"), &[]).await?;
    if session.print_json(&activity)? == Printed::AsJson {
        return Ok(());
    }
    let mut table = Table::new(&["field", "value"]);
    table.row(["id".to_owned(), activity.id.to_string()]);
    table.row(["state".to_owned(), became(&activity).to_owned()]);
    if activity.code.is_some() {
        let trace: ActivityTrace =
            client.get(&format!("/activities/{}/trace", activity.id), &[]).await?;
        if let Some(why) = trace.unresolved {
            table.row(["code".to_owned(), why.code]);
            table.row(["remedy".to_owned(), why.remedy]);
        }
    }
    if let Some(by) = activity.superseded_by {
        table.row(["superseded_by".to_owned(), by.to_string()]);
    }
    if let Some(end) = &activity.chain_end {
        let what = if end.event == VOIDED {
            format!("{} voids {}: nothing stands", end.id, end.of)
        } else {
            format!("{} stands in its place", end.id)
        };
        table.row(["chain_end".to_owned(), what]);
    }
    table.row(["committed_at".to_owned(), activity.committed_at.to_string()]);
    table.row(["segment".to_owned(), format!("{} row {}", activity.segment, activity.row)]);
    for (name, value) in &activity.fields {
        table.row([name.clone(), json::cell(Some(value))]);
    }
    table.print(&mut session.terminal.data);
    Ok(())
}

/// Shows an import: its file, how it was read, and what became of its rows.
async fn show_import(id: ImportId, session: &mut Session) -> Result<(), Failure> {
    let import: Import = session.client()?.get(&format!("/imports/{id}"), &[]).await?;
    if session.print_json(&import)? == Printed::AsJson {
        return Ok(());
    }
    let mut table = Table::new(&["field", "value"]);
    let rows = [
        ("id", id.to_string()),
        ("file", import.file_name),
        ("status", import.status),
        ("rows", counts_text(&import.counts)),
        ("mapping", import.mapping.unwrap_or_default()),
        ("sha256", import.sha256),
        ("bytes", group_thousands(&import.bytes.to_string())),
        ("created_at", import.created_at.to_string()),
    ];
    for (name, value) in rows {
        table.row([name.to_owned(), value]);
    }
    table.print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    words.help(format!("envora data list --import {id} lists what is stored of it"));
    if import.counts.rejected + import.counts.quarantined > 0 {
        words.help(format!("envora data errors {id} says what was refused or waits, and why"));
    }
    Ok(())
}
