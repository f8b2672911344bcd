//! What only the stored rows can tell: whether an id is taken, what was superseded already, what a
//! source is for. The rows are shown to the server, which judges them as if they came, and stores none.

use std::collections::HashSet;

use anyhow::Context as _;
use bytes::Bytes;
use envora_api::activities::Validation;
use envora_api::footprints::Warning;
use envora_api::media;
use envora_api::problems::RowError;
use envora_api::writes::{Outcome as Told, RowResult};
use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Flag, Outcome, RowCode, RowProblem};
use envora_domain::id::ActivityId;
use envora_ingest::check::{Report, names_by_sender};
use envora_ingest::commit::RESULTS_MAX;
use envora_ingest::fields::UNSAID;
use envora_ingest::rows::ParsedRow;
use envora_ingest::words;

use crate::activities::reading::Reading;
use crate::client::{Body, Client};
use crate::failures::Failure;
use crate::inputs::Input;

/// How many rows are shown at once, all of whose outcomes are then told, and how many bytes of them.
const ROWS_AT_ONCE: usize = RESULTS_MAX;
const BYTES_AT_ONCE: usize = 8 << 20;

/// Has the server judge the rows that are good as far as the file tells.
///
/// # Errors
/// The server's problem, or a file that cannot be read again.
pub(super) async fn compare(
    client: &Client,
    input: &Input,
    reading: &Reading,
    report: &mut Report,
) -> Result<Vec<Warning>, Failure> {
    let mut warnings: Vec<Warning> = Vec::new();
    let (mut lines, mut rows, mut before) = (Vec::new(), Vec::new(), Before::None);
    let mut alike = Alike::default();
    let mut reader = reading.open(input)?;
    loop {
        let row = reader.next().transpose().with_context(|| format!("read {}", input.name()))?;
        let ended = row.is_none();
        if let Some(row) = row
            && let Some(activity) = said(&row)
        {
            line((activity, row.ours), &mut lines)?;
            rows.push(row);
        }
        let full = rows.len() == ROWS_AT_ONCE || lines.len() >= BYTES_AT_ONCE;
        if !rows.is_empty() && (ended || full) {
            let all: Vec<&ParsedRow> = rows.iter().collect();
            let told = ask_as_pushed(client, &all, core::mem::take(&mut lines)).await?;
            settle(report, &rows, (&told, before));
            alike.add(&rows, &told);
            warnings = join(warnings, told.warnings);
            before = Before::Some;
            rows.clear();
        }
        if ended {
            warnings.extend(alike.warning());
            return Ok(warnings);
        }
    }
}

/// Rows that say what is stored under another id: how many, and the first with what it looks like.
#[derive(Default)]
struct Alike {
    rows: u64,
    first: Option<(u64, ActivityId)>,
}

impl Alike {
    fn add(&mut self, rows: &[ParsedRow], told: &Validation) {
        for result in &told.results {
            let stored = matches!(result.status, Told::Accepted | Told::Quarantined);
            let place = usize::try_from(result.row).ok().and_then(|row| row.checked_sub(1));
            let row = place.and_then(|place| rows.get(place)).filter(|row| row.activity.is_ok());
            if let (Some(row), Some(known), true) = (row, result.looks_like, stored) {
                self.rows += 1;
                self.first.get_or_insert((row.line, known));
            }
        }
    }

    fn warning(&self) -> Option<Warning> {
        let (line, known) = self.first?;
        let words = match self.rows {
            1 => "1 row looks".to_owned(),
            rows => format!("{rows} rows look"),
        };
        let detail = format!(
            "{words} like what is stored under another id, such as line {line} like {known}: if they are the same, leave them out; if they are not, send them"
        );
        let code = Flag::PossibleDuplicate.as_str().to_owned();
        Some(Warning { code, detail, activities: self.rows })
    }
}

/// The warnings of both, like ones once: by the words of the first, with the rows of all.
fn join(mut all: Vec<Warning>, more: Vec<Warning>) -> Vec<Warning> {
    for warning in more {
        match all.iter_mut().find(|known| known.code == warning.code) {
            Some(known) => known.activities += warning.activities,
            None => all.push(warning),
        }
    }
    all
}

/// What the server makes of rows, in their order; nothing of those that are no activities. And its warnings.
///
/// # Errors
/// The server's problem.
pub(in crate::activities) async fn judge(
    client: &Client,
    rows: &[ParsedRow],
) -> Result<(Vec<Option<RowResult>>, Vec<Warning>), Failure> {
    let (mut all, mut warnings) = (Vec::with_capacity(rows.len()), Vec::new());
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let (mut lines, mut asked) = (Vec::new(), Vec::new());
        for row in rows {
            if let Some(activity) = said(row) {
                line((activity, row.ours), &mut lines)?;
                asked.push(row);
            }
        }
        if asked.is_empty() {
            all.extend(rows.iter().map(|_| None));
            continue;
        }
        let told = ask_as_pushed(client, &asked, lines).await?;
        warnings = join(warnings, told.warnings);
        let mut results = told.results.into_iter();
        all.extend(rows.iter().map(|row| said(row).and_then(|_| results.next())));
    }
    Ok((all, warnings))
}

/// What a row says, whatever the clock of its place says of that.
fn said(row: &ParsedRow) -> Option<&Activity> {
    row.activity.as_ref().ok().or(row.unclear.as_deref())
}

/// What a row was as long as the clock of its place was not known, where that reads it otherwise.
fn before(row: &ParsedRow) -> Option<&Activity> {
    row.activity.as_ref().ok().and(row.unclear.as_deref())
}

/// What the server makes of these rows, of which the lines are: a row that is stored as what it was before
/// its clock was known is that one.
async fn ask_as_pushed(
    client: &Client,
    rows: &[&ParsedRow],
    lines: Vec<u8>,
) -> Result<Validation, Failure> {
    let (mut then, mut asked) = (Vec::new(), Vec::new());
    for (place, row) in rows.iter().enumerate() {
        if let Some(activity) = before(row) {
            line((activity, row.ours), &mut then)?;
            asked.push(place);
        }
    }
    if asked.is_empty() {
        return ask(client, lines.into()).await;
    }
    let told = ask(client, then.into()).await?;
    let place = |result: &RowResult| {
        let asked = asked.get(usize::try_from(result.row).ok()?.checked_sub(1)?);
        asked.copied().filter(|_| is_stored(result))
    };
    let known: HashSet<usize> = told.results.iter().filter_map(place).collect();
    let mut lines = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let then = before(row).filter(|_| known.contains(&place));
        if let Some(activity) = then.or_else(|| said(row)) {
            line((activity, row.ours), &mut lines)?;
        }
    }
    ask(client, lines.into()).await
}

async fn ask(client: &Client, lines: Bytes) -> Result<Validation, Failure> {
    let body = || Body {
        media_type: media::NDJSON,
        length: u64::try_from(lines.len()).unwrap_or(u64::MAX),
        bytes: lines.clone().into(),
        headers: Vec::new(),
    };
    let (told, _) =
        client.send("/activities/validate", &[("local_times", "zone")], None, body).await?;
    Ok(told)
}

/// A row as it would be sent, in a line of its own.
fn line(
    (activity, ours): (&Activity, Option<ActivityId>),
    lines: &mut Vec<u8>,
) -> Result<(), Failure> {
    let mut fields = words::fields(activity);
    fields.remove("origin");
    // By this a row that was exported without an id of its sender's is known again.
    fields.extend(ours.map(|id| ("_envora_id".to_owned(), id.to_string().into())));
    // What a row that voids another does not say stays unsaid.
    if activity.period == UNSAID {
        fields.remove("occurred_at");
    }
    if activity.kind.is_empty() {
        fields.remove("type");
    }
    if activity.unit.is_empty() {
        fields.remove("unit");
        fields.remove("quantity");
    }
    serde_json::to_writer(&mut *lines, &fields).context("write a row")?;
    lines.push(b'\n');
    Ok(())
}

/// Whether rows of the file were shown before, which the server has not kept: a row that supersedes one of
/// them by the sender's id is not to be blamed for that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    None,
    Some,
}

fn settle(report: &mut Report, rows: &[ParsedRow], (told, before): (&Validation, Before)) {
    for result in &told.results {
        let place = usize::try_from(result.row).ok().and_then(|row| row.checked_sub(1));
        let Some(row) = place.and_then(|place| rows.get(place)) else { continue };
        let names_own = row.activity.as_ref().is_ok_and(names_by_sender);
        // A row that waits for a word is told to wait, unless it would not be stored, or is already.
        let unstored = matches!(result.status, Told::Rejected | Told::Duplicate);
        let other = unstored && report.waiting.contains(&row.row);
        let settled = report.settled.contains(&row.row) && !other;
        if settled || (names_own && before == Before::Some) {
            continue;
        }
        let refused = row.activity.is_err() && row.unclear.is_some();
        if refused && result.status != Told::Rejected && !is_stored(result) {
            report.settle(row, Outcome::Rejected, row.problems());
            continue;
        }
        let outcome = match result.status {
            Told::Accepted => Outcome::Accepted,
            Told::Duplicate => Outcome::Duplicate,
            Told::Quarantined => Outcome::Quarantined,
            Told::Rejected => Outcome::Rejected,
        };
        let problems: Vec<RowProblem> =
            result.errors.iter().filter_map(|error| problem(error, row)).collect();
        match outcome {
            // What keeps it waiting is in the row, and not in what the server was shown.
            Outcome::Accepted if row.outcome() == Outcome::Quarantined => {
                report.settle(row, Outcome::Quarantined, row.problems());
            }
            _ => report.settle(row, outcome, &problems),
        }
    }
}

/// Whether a row is one that is stored.
pub(in crate::activities) fn is_stored(result: &RowResult) -> bool {
    result.status == Told::Duplicate && result.id.is_some()
}

fn problem(error: &RowError, row: &ParsedRow) -> Option<RowProblem> {
    let code = RowCode::ALL.iter().find(|code| code.as_str() == error.code)?;
    let field = error.pointer.as_deref().unwrap_or_default().trim_start_matches('#');
    let mut problem = RowProblem::new(*code, field, error.detail.clone()).at(row.row, row.line);
    problem.value.clone_from(&error.value);
    problem.hint.clone_from(&error.hint);
    Some(match row.columns.as_deref() {
        Some(columns) => columns.name(problem),
        None => problem,
    })
}
