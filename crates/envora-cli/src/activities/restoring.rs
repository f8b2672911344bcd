//! `envora data supersede --import imp_… --restore`: the rows of a file that were voided count again, as
//! they were or corrected. Each comes back by a row that takes the place of the one that voids it; one that
//! was replaced before it was voided comes back as what stood last.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Context as _;

use envora_api::activities::Activity;
use envora_api::imports::Import;
use envora_api::writes::{Outcome, WriteAnswer};
use envora_domain::decimal::count_of;
use envora_domain::id::{ActivityId, SegmentId};
use serde::Serialize;
use serde_json::{Value, json};

use super::supersede::{CORRECTING, Changes, VOIDED, instead, link};
use super::wait_until_counted;
use crate::arguments::SupersedeArguments;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::progress::Going;
use crate::refusals::Refusals;
use crate::session::{Printed, Session};

/// How many rows one request brings back.
const AT_ONCE: usize = 1_000;

/// Of a segment, as many rows are asked for by their ids.
const SINGLY_MAX: usize = 1;

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
    let mut told = Restored { import: import.to_owned(), ..Restored::default() };
    let going = Going::new(session.terminal.words.audience);
    let rows = rows(&client, (&found, &going), (arguments, changes), &mut told).await;
    going.clear();
    let rows = rows?;
    if !rows.is_empty() {
        let number = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let voided = count_of(number, "voided row", "voided rows");
        let question = format!("Bring back {voided} of {} ({import})?", found.file_name);
        session.confirm(&question)?;
    }
    send(&client, &rows, &mut told, session).await?;
    if session.print_json(&told)? == Printed::NotYet {
        say(&told, session);
    }
    if told.refused > 0 { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

/// The rows that are to take the place of those that void.
async fn rows(
    client: &Client,
    (import, going): (&Import, &Going),
    (arguments, changes): (&SupersedeArguments, &Changes),
    told: &mut Restored,
) -> Result<Vec<Value>, Failure> {
    let stored = import.counts.accepted + import.counts.quarantined;
    going.begin("reading", usize::try_from(stored).unwrap_or(usize::MAX));
    let id = import.id.to_string();
    let states = [("state", "voided"), ("state", "superseded")];
    let query = [&[("import_id", id.as_str()), ("limit", "1000")], &states[..]].concat();
    let ended: Vec<Activity> =
        client.all_told("/activities", &query, |count| going.at(count)).await?;
    let (mut open, mut seen) = (Vec::new(), HashSet::new());
    for row in ended {
        let is_voided = row.state == VOIDED && row.fields.get("void") != Some(&true.into());
        let Some(end) = row.chain_end else { continue };
        if end.event != VOIDED {
            told.before += u64::from(is_voided);
            continue;
        }
        // Several rows of a file may have ended in one.
        if !seen.insert(end.id) {
            continue;
        }
        let own = (end.of == row.id).then_some(row.fields);
        open.push((end.id, end.of, own));
    }
    let others = open.iter().filter(|(.., own)| own.is_none()).map(|(_, of, _)| *of).collect();
    let mut others = others_by_id(client, others, going).await?;
    let mut rows = Vec::new();
    for (void, of, own) in open {
        let fields = own.or_else(|| others.remove(&of));
        let mut new = instead(fields.with_context(|| format!("read {of}"))?, changes);
        link(&mut new, &void.to_string(), arguments.reason.as_deref());
        rows.push(Value::Object(new));
    }
    Ok(rows)
}

/// What these activities say. Those of one segment are read together, where that takes fewer requests.
async fn others_by_id(
    client: &Client,
    ids: BTreeSet<ActivityId>,
    going: &Going,
) -> Result<HashMap<ActivityId, BTreeMap<String, Value>>, Failure> {
    going.begin("reading what was voided", ids.len());
    let mut by_segment: BTreeMap<SegmentId, Vec<ActivityId>> = BTreeMap::new();
    for id in ids {
        by_segment.entry(id.place().0).or_default().push(id);
    }
    let mut found = HashMap::new();
    for (segment, ids) in by_segment {
        if ids.len() <= SINGLY_MAX {
            for id in ids {
                let one: Activity = client.get(&format!("/activities/{id}"), &[]).await?;
                found.insert(id, one.fields);
            }
        } else {
            let query = [("segment_id", &*segment.to_string()), ("limit", "1000")];
            let all: Vec<Activity> = client.all("/activities", &query).await?;
            let wanted: HashSet<ActivityId> = ids.into_iter().collect();
            let wanted = all.into_iter().filter(|row| wanted.contains(&row.id));
            found.extend(wanted.map(|row| (row.id, row.fields)));
        }
        going.at(found.len());
    }
    Ok(found)
}

async fn send(
    client: &Client,
    rows: &[Value],
    told: &mut Restored,
    session: &mut Session,
) -> Result<(), Failure> {
    let (mut refusals, mut last) = (Refusals::default(), None);
    let going = Going::new(session.terminal.words.audience);
    going.begin("bringing back", rows.len());
    for (number, some) in rows.chunks(AT_ONCE).enumerate() {
        let body = json!({"mode": "partial", "activities": some});
        let answer: WriteAnswer = client.post_asking(CORRECTING, &body).await?;
        going.at(number * AT_ONCE + some.len());
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
    going.clear();
    if let Some(seq) = last {
        wait_until_counted(client, seq).await?;
    }
    refusals.print("", &mut session.terminal.words);
    Ok(())
}

fn say(told: &Restored, session: &mut Session) {
    let words = &mut session.terminal.words;
    match told.restored {
        0 if told.refused == 0 => {
            words.line(format!("no row of {} is voided and open", told.import));
        }
        restored => {
            let are = if restored == 1 { "is" } else { "are" };
            let rows = count_of(restored, "row", "rows");
            words.line(format!("{rows} of {} {are} brought back", told.import));
        }
    }
    if told.before > 0 {
        words.line(count_of(told.before, "was brought back before", "were brought back before"));
    }
    if told.refused > 0 {
        words.line(count_of(
            told.refused,
            "was refused and stays voided",
            "were refused and stay voided",
        ));
    }
}
