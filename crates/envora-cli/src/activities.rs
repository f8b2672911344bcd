//! `envora data`: sending, checking and looking at activity data.

use core::time::Duration;
use std::path::PathBuf;

use envora_api::amounts::Watermark;
use envora_api::footprints::{Footprint, RECALCULATING};
use envora_api::imports::Import;
use envora_domain::time::Day;

use crate::arguments::{DataVerb, PushArguments};
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::imports::{self, Cut, Outgoing};
use crate::inputs::{Input, Telling};
use crate::progress::Waiting;
use crate::session::{Printed, Session};
use crate::tables::Table;
use crate::terminal::Channel;

mod check;
mod errors;
mod export;
pub(crate) mod files;
mod list;
mod mappings;
mod preview;
mod propose;
pub(crate) mod reading;
mod restoring;
mod supersede;
mod tail;
mod voiding;

/// How often the watermark is looked at before giving up: five minutes.
const LOOKS_MAX: u32 = 3_000;
/// A look that is refused was sent again by the client, a second apart: so many looks' time.
const LOOKS_A_REFUSAL: u32 = 30;

/// Does what a data verb says.
///
/// # Errors
/// The server's problem, rows that were refused, a file that cannot be read.
pub async fn run(verb: DataVerb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        DataVerb::Push(arguments) => push(arguments, session).await,
        DataVerb::Check(arguments) => check::run(&arguments, session).await,
        DataVerb::Preview(arguments) => preview::run(&arguments, session).await,
        DataVerb::Map(verb) => mappings::run(verb, session).await,
        DataVerb::Errors(arguments) => errors::run(&arguments, session).await,
        DataVerb::List(arguments) => list::list(&arguments, session).await,
        DataVerb::Show { activity } => list::show(&activity, session).await,
        DataVerb::Supersede(arguments) => supersede::run(&arguments, session).await,
        DataVerb::Tail(arguments) => tail::run(&arguments, session).await,
        DataVerb::Export(arguments) => export::run(&arguments, session).await,
    }
}

async fn push(arguments: PushArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client_to_change()?;
    let query = push_query(&client, &arguments, &mut session.terminal.words).await?;
    let files: Vec<PathBuf> = [arguments.files, arguments.file].concat();
    let telling = Telling { format: arguments.format, mapping: arguments.mapping.as_deref() };
    let files = Input::all(&files, telling)?;
    let cut = if arguments.in_parts { Cut::Always } else { Cut::WhenDue };
    let files = files.iter().map(|input| Outgoing::read(input, (query.clone(), cut)));
    let files: Vec<Outgoing> = files.collect::<Result<_, _>>()?;
    let answers = imports::send(&client, session.terminal.words.audience, &files).await?;
    for (file, import) in files.iter().zip(&answers) {
        imports::print_refused(file, import, &mut session.terminal.words);
    }
    let counted = match answers.iter().map(|import| import.watermark.seq).max() {
        Some(seq) => wait_until_counted(&client, seq).await.map(drop),
        None => Ok(()),
    };
    let rejected = answers.iter().any(|import| import.counts.rejected > 0);
    if session.print_json(&answers)? == Printed::NotYet {
        imports_table(&answers).print(&mut session.terminal.data);
    }
    for import in &answers {
        let words = &mut session.terminal.words;
        let skipped = import.counts.skipped;
        imports::print_skipped((&import.file_name, skipped), &import.skipped, words);
        for warning in &import.warnings {
            imports::print_warning(&import.file_name, warning, words);
        }
    }
    counted?;
    if rejected { Err(Failure::Said(Exit::Partial)) } else { Ok(()) }
}

async fn push_query(
    client: &Client,
    arguments: &PushArguments,
    words: &mut Channel,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut query = vec![("mode", arguments.mode.as_str().to_owned())];
    if let Some(mapping) = &arguments.mapping {
        query.push(("mapping", imports::mapping_name(client, mapping, words).await?));
    }
    query.extend(arguments.scope.map(|scope| ("scope", scope.to_string())));
    for pair in &arguments.set {
        if !pair.contains('=') {
            let what = format!("--set {pair:?} sets nothing");
            return Err(Failure::usage(what, "write it as --set facility_code=b24"));
        }
        query.push(("set", pair.clone()));
    }
    Ok(query)
}

/// The outcome of each file.
#[must_use]
pub fn imports_table(imports: &[Import]) -> Table {
    let mut table = Table::new(&[
        "file",
        ">accepted",
        ">duplicate",
        ">quarantined",
        ">rejected",
        ">skipped",
        "import",
    ]);
    for import in imports {
        let counts = &import.counts;
        let numbers = [
            counts.accepted,
            counts.duplicate,
            counts.quarantined,
            counts.rejected,
            counts.skipped,
        ];
        let cells = numbers.map(|number| number.to_string());
        let cells = core::iter::once(import.file_name.clone()).chain(cells);
        table.row(cells.chain([import.id.to_string()]));
    }
    table
}

/// Waits until the calculation has passed a commit, and gives the watermark then.
///
/// # Errors
/// The server's problem, or that it does not come.
pub async fn wait_until_counted(client: &Client, seq: u64) -> Result<Watermark, Failure> {
    let day = Day::from_number(0);
    let (from, to) = (day.to_string(), day.plus(1).to_string());
    let mut looks = 0;
    while looks < LOOKS_MAX {
        looks += 1;
        let asked = client.get("/carbon-footprint", &[("from", &from), ("to", &to)]).await;
        let footprint: Footprint = match asked {
            Ok(footprint) => footprint,
            // The first calculation is under way as long as the server says when to ask again.
            Err(Failure::Problem(problem)) if problem.code == "not_calculated" => {
                if problem.retry_after.is_none() {
                    return Err(not_counted(&problem.detail));
                }
                looks += LOOKS_A_REFUSAL;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if footprint.watermark.seq >= seq {
            return Ok(footprint.watermark);
        }
        if footprint.status == "failing" {
            let why = footprint.warnings.into_iter().find(|it| it.code == "calculation_failing");
            return Err(not_counted(&why.map_or_else(String::new, |it| it.detail)));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::known(
        (Exit::Unavailable, "not_counted"),
        "the rows are stored, but the calculation has not come past them in five minutes",
        "`envora doctor` says what holds it up; nothing needs to be sent again",
    ))
}

/// How many looks in a row may find a calculation that fails: what was just changed may be what it
/// waited for.
const FAILING_LOOKS_MAX: u32 = 50;

/// Waits until the figures that are shown are by what is asked for since `seq`: nothing else is being
/// calculated beside them. Says on the way how far that is. However long it takes, it goes on by itself.
///
/// # Errors
/// The server's problem, or that the calculation fails.
pub async fn wait_until_recalculated(
    client: &Client,
    seq: u64,
    waiting: &Waiting,
) -> Result<(), Failure> {
    let day = Day::from_number(0);
    let (from, to) = (day.to_string(), day.plus(1).to_string());
    let mut failing = 0;
    loop {
        let asked = client.get("/carbon-footprint", &[("from", &from), ("to", &to)]).await;
        let why = match asked {
            Ok(footprint) => {
                let footprint: Footprint = footprint;
                let warned = |code: &str| footprint.warnings.iter().find(|it| it.code == code);
                let next = warned(RECALCULATING);
                if next.is_none() && footprint.watermark.seq >= seq {
                    return Ok(());
                }
                waiting.says(next.map_or_else(String::new, |it| it.detail.clone()));
                warned("calculation_failing").map(|it| it.detail.clone())
            }
            Err(Failure::Problem(problem)) if problem.code == "not_calculated" => {
                problem.retry_after.is_none().then(|| problem.detail.clone())
            }
            Err(failure) => return Err(failure),
        };
        failing = if why.is_some() { failing + 1 } else { 0 };
        if let Some(why) = why.filter(|_| failing >= FAILING_LOOKS_MAX) {
            return Err(Failure::known(
                (Exit::Unavailable, "not_calculated"),
                format!("it is active, and nothing is calculated by it: {why}"),
                "nothing needs to be activated again: it counts as soon as the calculation goes on",
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn not_counted(why: &str) -> Failure {
    Failure::known(
        (Exit::Unavailable, "not_counted"),
        format!("the rows are stored and not counted: {why}"),
        "nothing needs to be sent again: the rows count as soon as the calculation goes on",
    )
}
