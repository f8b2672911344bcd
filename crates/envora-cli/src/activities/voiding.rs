//! `envora data supersede --import imp_… --void`: a wrong file went in, and none of it should be there.
//! Each row is voided by one of its own, so many at a time; what was replaced before stays as it is.

use envora_api::imports::Import;
use envora_api::writes::{Outcome, WriteAnswer};
use envora_domain::decimal::group_thousands;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wait_until_counted;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::refusals::Refusals;
use crate::session::{Printed, Session};

/// How many rows one request voids.
const AT_ONCE: usize = 10_000;
/// The code of a row that was replaced meanwhile.
const REPLACED: &str = "already_superseded";

/// A row, by its id.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// What became of the rows of an import.
#[derive(Default, Serialize)]
struct Voided {
    import: String,
    /// Voided now.
    voided: u64,
    /// Superseded or voided before.
    before: u64,
    /// Not voided.
    refused: u64,
}

/// Voids all rows of an import that still stand.
///
/// # Errors
/// No such import, a no to the question, the server's problem.
pub(super) async fn run(
    import: &str,
    reason: Option<&str>,
    session: &mut Session,
) -> Result<(), Failure> {
    let client = session.client_to_change()?;
    let found: Import = client.get(&format!("/imports/{import}"), &[]).await?;
    let standing = rows(&client, import, &["counted", "unresolved", "pending"]).await?;
    let before = rows(&client, import, &["superseded", "voided"]).await?.len();
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    let mut told = Voided { import: import.to_owned(), before, ..Voided::default() };
    if !standing.is_empty() {
        let number = group_thousands(&standing.len().to_string());
        session.confirm(&format!("Void {number} rows of {} ({import})?", found.file_name))?;
    }
    let mut refusals = Refusals::default();
    let mut last = None;
    for some in standing.chunks(AT_ONCE) {
        let answer = void(&client, some, reason).await?;
        told.voided += answer.counts.accepted + answer.counts.quarantined + answer.counts.duplicate;
        for row in answer.results.iter().filter(|row| row.status == Outcome::Rejected) {
            match row.errors.iter().any(|error| error.code == REPLACED) {
                true => told.before += 1,
                false => {
                    told.refused += 1;
                    row.errors.iter().for_each(|error| refusals.add(error, || None));
                }
            }
        }
        last = Some(answer.watermark.seq);
    }
    if let Some(seq) = last {
        wait_until_counted(&client, seq).await?;
    }
    refusals.print("", &mut session.terminal.words);
    if session.print_json(&told)? == Printed::NotYet {
        say(&told, session);
    }
    if told.refused > 0 { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

/// The rows of an import in one of these states.
async fn rows(client: &Client, import: &str, states: &[&str]) -> Result<Vec<Named>, Failure> {
    let all = [("import_id", import), ("limit", "1000"), ("fields", "id")];
    let states = states.iter().map(|state| ("state", *state));
    let query: Vec<(&str, &str)> = all.into_iter().chain(states).collect();
    client.all("/activities", &query).await
}

async fn void(
    client: &Client,
    rows: &[Named],
    reason: Option<&str>,
) -> Result<WriteAnswer, Failure> {
    let row = |named: &Named| -> Value {
        let id = &named.id;
        let mut row =
            json!({"void": true, "supersedes": id, "external_id": format!("instead-of-{id}")});
        if let (Some(reason), Some(object)) = (reason, row.as_object_mut()) {
            object.insert("supersede_reason".to_owned(), reason.into());
        }
        row
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    client.post("/activities", &json!({"mode": "partial", "activities": rows})).await
}

fn say(told: &Voided, session: &mut Session) {
    let number = |number: u64| group_thousands(&number.to_string());
    let words = &mut session.terminal.words;
    match (told.voided, told.before) {
        (0, 0) => words.line(format!("no row of {} is stored", told.import)),
        (0, before) => words.line(format!(
            "nothing of {} stands: {} rows were superseded or voided before",
            told.import,
            number(before)
        )),
        (voided, before) => {
            words.line(format!(
                "{} rows of {} are voided: they count no more",
                number(voided),
                told.import
            ));
            if before > 0 {
                words.line(format!(
                    "{} were superseded or voided before; what took their place stands",
                    number(before)
                ));
            }
        }
    }
    if told.refused > 0 {
        words.line(format!("{} were refused and still stand", number(told.refused)));
    }
}
