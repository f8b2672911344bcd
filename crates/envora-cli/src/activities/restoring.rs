//! `envora data supersede --import imp_… --restore`: the rows of a file that were voided count again, as
//! they were or corrected. Each comes back by a row that takes the place of the one that voids it.

use std::collections::HashMap;

use envora_api::activities::Activity;
use envora_api::imports::Import;
use envora_api::writes::{Outcome, WriteAnswer};
use envora_domain::decimal::group_thousands;
use envora_domain::id::ActivityId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::supersede::{Changes, instead, link, successor};
use super::wait_until_counted;
use crate::arguments::SupersedeArguments;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::refusals::Refusals;
use crate::session::{Printed, Session};

/// How many rows one request brings back.
const AT_ONCE: usize = 1_000;

/// A row that voids another.
#[derive(Deserialize)]
struct Voiding {
    id: ActivityId,
    supersedes: Option<String>,
}

/// What became of the voided rows of an import.
#[derive(Default, Serialize)]
struct Restored {
    import: String,
    /// Brought back now; they count, or wait for a word.
    restored: u64,
    /// Brought back or replaced before.
    before: u64,
    /// Not brought back.
    refused: u64,
}

/// Brings back all rows of an import that were voided.
///
/// # Errors
/// No such import, a quantity for many rows, a no to the question, the server's problem.
pub(super) async fn run(
    import: &str,
    (arguments, changes): (&SupersedeArguments, &Changes),
    session: &mut Session,
) -> Result<(), Failure> {
    if arguments.quantity.is_some() {
        let help = "name one row: --id act_…, or --line N beside --import";
        return Err(Failure::usage("one quantity is not right for all rows of an import", help));
    }
    let client = session.client_to_change()?;
    let found: Import = client.get(&format!("/imports/{import}"), &[]).await?;
    let query = [("import_id", import), ("state", "voided"), ("limit", "1000")];
    let mut voided: Vec<Activity> = client.all("/activities", &query).await?;
    voided.retain(|row| row.fields.get("void") != Some(&true.into()));
    let mut told = Restored { import: import.to_owned(), ..Restored::default() };
    let mut rows = Vec::new();
    let by = voiding(&client, voided.is_empty()).await?;
    for row in voided {
        let place = match by.get(&row.id.to_string()) {
            Some(by) => Some(*by),
            None => open_end(&client, row.id).await?,
        };
        let Some(place) = place else {
            told.before += 1;
            continue;
        };
        let mut new = instead(row.fields, changes);
        link(&mut new, &place.to_string(), arguments.reason.as_deref());
        rows.push(Value::Object(new));
    }
    if !rows.is_empty() {
        let number = group_thousands(&rows.len().to_string());
        let question =
            format!("Bring back {number} voided rows of {} ({import})?", found.file_name);
        session.confirm(&question)?;
    }
    send(&client, &rows, &mut told, session).await?;
    if session.print_json(&told)? == Printed::NotYet {
        say(&told, session);
    }
    if told.refused > 0 { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

async fn send(
    client: &Client,
    rows: &[Value],
    told: &mut Restored,
    session: &mut Session,
) -> Result<(), Failure> {
    let (mut refusals, mut last) = (Refusals::default(), None);
    for some in rows.chunks(AT_ONCE) {
        let body = json!({"mode": "partial", "activities": some});
        let answer: WriteAnswer = client.post("/activities", &body).await?;
        told.restored += answer.counts.accepted + answer.counts.quarantined;
        told.before += answer.counts.duplicate;
        told.refused += answer.counts.rejected;
        for row in &answer.results {
            if matches!(row.status, Outcome::Rejected | Outcome::Quarantined) {
                row.errors.iter().for_each(|error| refusals.add(error, || None));
            }
        }
        last = Some(answer.watermark.seq);
    }
    if let Some(seq) = last {
        wait_until_counted(client, seq).await?;
    }
    refusals.print("", &mut session.terminal.words);
    Ok(())
}

/// The rows that void others and stand, by the ids of those.
async fn voiding(client: &Client, none: bool) -> Result<HashMap<String, ActivityId>, Failure> {
    if none {
        return Ok(HashMap::new());
    }
    let query = [("state", "voided"), ("limit", "1000"), ("fields", "id,supersedes")];
    let all: Vec<Voiding> = client.all("/activities", &query).await?;
    Ok(all.into_iter().filter_map(|row| Some((row.supersedes?, row.id))).collect())
}

/// The row that voids an activity, unless another took its place.
async fn open_end(client: &Client, id: ActivityId) -> Result<Option<ActivityId>, Failure> {
    let Some((by, _)) = successor(client, id).await? else { return Ok(None) };
    Ok(successor(client, by).await?.is_none().then_some(by))
}

fn say(told: &Restored, session: &mut Session) {
    let number = |number: u64| group_thousands(&number.to_string());
    let words = &mut session.terminal.words;
    match told.restored {
        0 if told.refused == 0 => {
            words.line(format!("no row of {} is voided and open", told.import));
        }
        restored => {
            words.line(format!("{} rows of {} are brought back", number(restored), told.import))
        }
    }
    if told.before > 0 {
        words.line(format!("{} were brought back before", number(told.before)));
    }
    if told.refused > 0 {
        words.line(format!("{} were refused and stay voided", number(told.refused)));
    }
}
