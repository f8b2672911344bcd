//! `envora data supersede --import imp_… --void`: a wrong file went in, and none of it should be there.
//! Each row is voided by one of its own, so many at a time; of a row that was replaced, or voided and
//! brought back, what stands in its place is voided.

use std::collections::HashSet;

use envora_api::activities::ChainEnd;
use envora_api::imports::Import;
use envora_api::writes::{Outcome, WriteAnswer};
use envora_domain::decimal::{count_of, group_thousands};
use envora_domain::id::ActivityId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::supersede::VOIDED;
use super::wait_until_counted;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::progress::Going;
use crate::refusals::Refusals;
use crate::session::{Printed, Session};

/// How many rows one request voids.
const AT_ONCE: usize = 10_000;
/// The code of a row that was replaced meanwhile.
const REPLACED: &str = "already_superseded";

/// A row, and where what took its place ends.
#[derive(Deserialize)]
struct Named {
    id: ActivityId,
    state: String,
    chain_end: Option<ChainEnd>,
}

impl Named {
    /// The row that stands, be it this one or what took its place; none when it is voided.
    fn standing(&self) -> Option<ActivityId> {
        match &self.chain_end {
            Some(end) => (end.event != VOIDED).then_some(end.id),
            None => (self.state != VOIDED).then_some(self.id),
        }
    }
}

/// What became of the rows of an import.
#[derive(Default, Serialize)]
struct Voided {
    import: String,
    /// Voided now.
    voided: u64,
    /// Voided before.
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
    let going = Going::new(session.terminal.words.audience);
    let stored = found.counts.accepted + found.counts.quarantined;
    going.begin("reading", usize::try_from(stored).unwrap_or(usize::MAX));
    let query = [("import_id", import), ("limit", "1000"), ("fields", "id,state,chain_end")];
    let rows: Result<Vec<Named>, Failure> =
        client.all_told("/activities", &query, |count| going.at(count)).await;
    going.clear();
    let rows = rows?;
    // One row may stand in the place of several.
    let mut seen = HashSet::new();
    let standing: Vec<ActivityId> =
        rows.iter().filter_map(Named::standing).filter(|id| seen.insert(*id)).collect();
    let before = rows.iter().filter(|row| row.standing().is_none()).count();
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    let mut told = Voided { import: import.to_owned(), before, ..Voided::default() };
    if !standing.is_empty() {
        let number = u64::try_from(standing.len()).unwrap_or(u64::MAX);
        let rows = count_of(number, "row", "rows");
        session.confirm(&format!("Void {rows} of {} ({import})?", found.file_name))?;
    }
    let mut refusals = Refusals::default();
    let mut last = None;
    let going = Going::new(session.terminal.words.audience);
    going.begin("voiding", standing.len());
    for (number, some) in standing.chunks(AT_ONCE).enumerate() {
        let answer = void(&client, some, reason).await?;
        going.at(number * AT_ONCE + some.len());
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
    going.clear();
    if let Some(seq) = last {
        wait_until_counted(&client, seq).await?;
    }
    refusals.print("", &mut session.terminal.words);
    if session.print_json(&told)? == Printed::NotYet {
        say(&told, session);
    }
    if told.refused > 0 { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

async fn void(
    client: &Client,
    rows: &[ActivityId],
    reason: Option<&str>,
) -> Result<WriteAnswer, Failure> {
    let row = |id: &ActivityId| -> Value {
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
            "nothing of {} stands: its {} voided before",
            told.import,
            count_of(before, "row was", "rows were")
        )),
        (voided, before) => {
            words.line(match voided {
                1 => format!("1 row of {} is voided: it counts no more", told.import),
                _ => format!(
                    "{} rows of {} are voided: they count no more",
                    number(voided),
                    told.import
                ),
            });
            if before > 0 {
                words.line(count_of(before, "was voided before", "were voided before"));
            }
        }
    }
    if told.refused > 0 {
        words.line(count_of(
            told.refused,
            "was refused and still stands",
            "were refused and still stand",
        ));
    }
}
