//! `envora data list`, `envora data show`: stored activities.

use envora_api::activities::Activity;

use crate::arguments::ActivitiesArguments;
use crate::failures::Failure;
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
    let headers = ["activity", "state", "type", ">quantity", "unit", "facility", "source"];
    let mut table = Table::new(&headers);
    all.iter().for_each(|activity| table.row(cells(activity)));
    table.print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    if all.is_empty() {
        words.line("no activity is stored that this asks for");
    } else if all.len() == arguments.limit {
        words.line(format!("the first {}; --limit shows more", all.len()));
    }
    Ok(())
}

/// Id, state, type, quantity, unit, facility, source.
pub(super) fn cells(activity: &Activity) -> [String; 7] {
    let one = |names: &[&str]| json::cell(names.iter().find_map(|name| activity.fields.get(*name)));
    [
        activity.id.to_string(),
        activity.state.clone(),
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
    let activity: Activity = session.client()?.get(&format!("/activities/{activity}"), &[]).await?;
    if session.print_json(&activity)? == Printed::AsJson {
        return Ok(());
    }
    let mut table = Table::new(&["field", "value"]);
    table.row(["id".to_owned(), activity.id.to_string()]);
    table.row(["state".to_owned(), activity.state]);
    table.row(["committed_at".to_owned(), activity.committed_at.to_string()]);
    table.row(["segment".to_owned(), format!("{} row {}", activity.segment, activity.row)]);
    for (name, value) in &activity.fields {
        table.row([name.clone(), json::cell(Some(value))]);
    }
    table.print(&mut session.terminal.data);
    Ok(())
}
