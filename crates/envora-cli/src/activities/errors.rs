//! `envora data errors`: the rows of an import that were not accepted, to look at or to mend.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use envora_api::activities::Activity;
use envora_api::imports::{Import, RejectedRow};
use envora_api::problems::RowError;
use envora_domain::decimal::count_of;

use super::files::{Overwriting, may_write};
use crate::arguments::ErrorsArguments;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::refusals::{Refusals, as_it_stands};
use crate::session::{Printed, Session};

/// Prints the rows, or writes the refused ones to a file that can be pushed again.
///
/// # Errors
/// The server's problem, or a file that cannot be written.
pub(super) async fn run(arguments: &ErrorsArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    if let Some(path) = &arguments.fix {
        let overwriting = if arguments.force { Overwriting::Allowed } else { Overwriting::Refused };
        may_write(path, overwriting)?;
        return fix(&client, &arguments.import, path, session).await;
    }
    let path = format!("/imports/{}/errors", arguments.import);
    let rows: Vec<RejectedRow> = client.all(&path, &[("limit", "1000")]).await?;
    if session.print_json(&rows)? == Printed::AsJson {
        return Ok(());
    }
    let (let_in, rows): (Vec<RejectedRow>, Vec<RejectedRow>) =
        rows.into_iter().partition(|row| row.let_in);
    let mut refusals = Refusals::default();
    for row in &rows {
        for error in &row.errors {
            refusals.add(error, || row.text.as_deref().map(|text| as_it_stands(text.as_bytes())));
        }
    }
    refusals.print("", &mut session.terminal.data);
    let still = match let_in.is_empty() {
        true => Vec::new(),
        false => still_unresolved(&client, &arguments.import).await?,
    };
    let words = &mut session.terminal.words;
    if !rows.is_empty() || let_in.is_empty() {
        words.line(format!("{} not accepted as they stand", rows_were(&rows)));
    }
    if !let_in.is_empty() {
        words.line(format!("{} waiting for words that are known by now", rows_were(&let_in)));
    }
    if let Some(row) = still.first() {
        words.line("some rows of this import count in no figure still, for another reason");
        words.help(format!(
            "envora data list --import {} --state unresolved lists them, envora data show {} says why",
            arguments.import, row.id
        ));
    }
    if rows.iter().any(|row| row.outcome == "rejected") {
        words.help(format!(
            "envora data errors {} --fix FILE writes the refused ones to a file to mend",
            arguments.import
        ));
    }
    Ok(())
}

/// One of the rows of an import that are stored and count in no figure.
async fn still_unresolved(client: &Client, import: &str) -> Result<Vec<Activity>, Failure> {
    let query = [("import_id", import), ("state", "unresolved"), ("limit", "1")];
    client.first("/activities", &query, 1).await
}

fn rows_were(rows: &[RejectedRow]) -> String {
    count_of(u64::try_from(rows.len()).unwrap_or(u64::MAX), "row was", "rows were")
}

async fn fix(
    client: &Client,
    import: &str,
    path: &Path,
    session: &mut Session,
) -> Result<(), Failure> {
    let about: Import = client.get(&format!("/imports/{import}"), &[]).await?;
    if about.counts.rejected == 0 {
        session.terminal.words.line("no row of this import was refused: there is nothing to mend");
        return Ok(());
    }
    let rows: Vec<RejectedRow> =
        client.all(&format!("/imports/{import}/errors"), &[("limit", "1000")]).await?;
    let lost: Vec<u64> = rows.iter().filter(|row| is_lost(row)).map(|row| row.line).collect();
    if u64::try_from(lost.len()).is_ok_and(|lost| lost == about.counts.rejected) {
        return Err(Failure::known(
            (Exit::Error, "line_too_long"),
            format!("no refused row of {} can be written: {}", about.file_name, told(&lost)),
            "mend them in the file they came in, and push that",
        ));
    }
    let bytes = client.bytes(&format!("/imports/{import}/error-file")).await?;
    let place = path.display();
    let mut file = File::create(path).with_context(|| format!("write {place}"))?;
    file.write_all(&bytes).with_context(|| format!("write {place}"))?;
    let words = &mut session.terminal.words;
    words.line(format!(
        "{place}: the refused rows of {}, each with what is wrong and what to do",
        about.file_name
    ));
    if !lost.is_empty() {
        words.line(format!("left out: {}; mend them in {}", told(&lost), about.file_name));
    }
    if about.counts.quarantined > 0 {
        words.line(format!(
            "not in it: {}: each is stored, and counts once its word is defined, or once a row with the right one supersedes it; envora data errors {} lists them",
            count_of(about.counts.quarantined, "row that waits", "rows that wait"),
            about.id
        ));
    }
    let mapping = about.mapping.map(|name| format!(" --mapping {name}")).unwrap_or_default();
    words.help(format!(
        "mend them, then: envora data push {place}{mapping}, with the same --set as before"
    ));
    Ok(())
}

/// Whether a refused row is not in the file to mend: too long to keep, or without an end that is known.
fn is_lost(row: &RejectedRow) -> bool {
    let endless = |error: &RowError| {
        error.code == "line_too_long"
            || (error.code == "malformed_row" && error.detail.starts_with("a quote opens"))
    };
    row.outcome == "rejected" && row.errors.iter().any(endless)
}

fn told(lines: &[u64]) -> String {
    let first: Vec<String> = lines.iter().take(5).map(ToString::to_string).collect();
    let more = if lines.len() > first.len() { ", …" } else { "" };
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    format!("{noun} {}{more}, longer than the 1 MiB that is kept of a line", first.join(", "))
}
