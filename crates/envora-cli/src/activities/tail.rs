//! `envora data tail`: what is stored from now on, as it comes.

use core::time::Duration;

use envora_api::activities::Activity;
use envora_api::imports::Import;
use envora_domain::id::ImportId;

use super::list::cells;
use crate::arguments::TailArguments;
use crate::audit;
use crate::client::Client;
use crate::failures::Failure;
use crate::imports::counts_text;
use crate::session::{Printed, Session};
use crate::tables::Table;
use crate::terminal::Audience;

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_secs(1);
/// How many activities are read at once.
const PAGE: usize = 1_000;

/// Follows what is stored, till Ctrl-C or as many as were asked for.
///
/// # Errors
/// The server's problem.
pub(super) async fn run(arguments: &TailArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    if arguments.imports {
        return imports(&client, &mut left, session).await;
    }
    let mut after = match arguments.after_seq {
        Some(seq) => Some(seq),
        None => audit::head(&client).await?.size.checked_sub(1),
    };
    let narrowing = arguments.narrowing.query();
    let mut heading = Heading::Due;
    session.terminal.words.line("waiting for activities; Ctrl-C ends it");
    while left > 0 {
        let seq = after.map(|seq| seq.to_string());
        let mut query: Vec<(&str, &str)> =
            narrowing.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("limit", "1000"));
        query.extend(seq.as_deref().map(|seq| ("after_seq", seq)));
        let new: Vec<Activity> = client.first("/activities", &query, usize::MAX).await?;
        for activity in new.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            one(activity, &mut heading, session)?;
            left -= 1;
        }
        after = new.last().map(|last| last.seq).or(after);
        if left > 0 && new.len() < PAGE {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Whether a program still has to be told what the columns are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Due,
    Done,
}

fn one(activity: &Activity, heading: &mut Heading, session: &mut Session) -> Result<(), Failure> {
    if session.print_json(activity)? == Printed::AsJson {
        return Ok(());
    }
    let data = &mut session.terminal.data;
    let [id, _, kind, quantity, unit, facility, source] = cells(activity);
    let at = activity.committed_at.to_string();
    if data.audience == Audience::People {
        let place = [facility, source].join("/");
        data.line(format!("{at}  {id}  {kind:<30} {quantity:>14} {unit:<8} {place}"));
        return Ok(());
    }
    let mut table =
        Table::new(&["committed_at", "activity", "type", "quantity", "unit", "facility", "source"]);
    table.row([at, id, kind, quantity, unit, facility, source]);
    match heading {
        Heading::Due => table.print(data),
        Heading::Done => table.print_rows(data),
    }
    *heading = Heading::Done;
    Ok(())
}

async fn imports(client: &Client, left: &mut u64, session: &mut Session) -> Result<(), Failure> {
    let mut heading = Heading::Due;
    let mut last = newest(client, None).await?.first().map(|import| import.id);
    session.terminal.words.line("waiting for imports; Ctrl-C ends it");
    while *left > 0 {
        let new = newest(client, last).await?;
        last = new.first().map(|import| import.id).or(last);
        for import in new.iter().rev().take(usize::try_from(*left).unwrap_or(usize::MAX)) {
            if session.print_json(import)? == Printed::NotYet {
                let mut table = Table::new(&["at", "import", "file", "rows"]);
                let cells = [import.created_at.to_string(), import.id.to_string()];
                let said = [import.file_name.clone(), counts_text(&import.counts)];
                table.row(cells.into_iter().chain(said));
                let data = &mut session.terminal.data;
                match heading {
                    Heading::Due => table.print(data),
                    Heading::Done => table.print_rows(data),
                }
                heading = Heading::Done;
            }
            *left -= 1;
        }
        if *left > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// The imports after this one, newest first; the newest alone when none is named.
async fn newest(client: &Client, last: Option<ImportId>) -> Result<Vec<Import>, Failure> {
    let mut new = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = client.page::<Import>("/imports", &[("limit", "20")], cursor.as_deref()).await?;
        for import in page.data {
            if last == Some(import.id) {
                return Ok(new);
            }
            new.push(import);
        }
        cursor = page.next_cursor;
        if cursor.is_none() || last.is_none() {
            return Ok(new);
        }
    }
}
