//! What only the stored rows can tell: whether an id is taken, what was superseded already, what a
//! source is for. The rows are shown to the server, which judges them as if they came, and stores none.

use anyhow::Context as _;
use bytes::Bytes;
use envora_api::activities::Validation;
use envora_api::footprints::Warning;
use envora_api::media;
use envora_api::problems::RowError;
use envora_api::writes::Outcome as Told;
use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Outcome, RowCode, RowProblem};
use envora_ingest::check::Report;
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
    let mut reader = reading.open(input)?;
    loop {
        let row = reader.next().transpose().with_context(|| format!("read {}", input.name()))?;
        let ended = row.is_none();
        if let Some(row) = row
            && let Ok(activity) = &row.activity
        {
            line(activity, &mut lines)?;
            rows.push(row);
        }
        let full = rows.len() == ROWS_AT_ONCE || lines.len() >= BYTES_AT_ONCE;
        if !rows.is_empty() && (ended || full) {
            let told = ask(client, core::mem::take(&mut lines).into()).await?;
            settle(report, &rows, (&told, before));
            warnings = join(warnings, told.warnings);
            before = Before::Some;
            rows.clear();
        }
        if ended {
            return Ok(warnings);
        }
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
fn line(activity: &Activity, lines: &mut Vec<u8>) -> Result<(), Failure> {
    let mut fields = words::fields(activity);
    fields.remove("origin");
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
        let names_own = row.activity.as_ref().is_ok_and(|activity| {
            activity.supersedes.as_ref().is_some_and(|old| old.starts_with("ext:"))
        });
        // A row that waits for a word is told to wait, unless it would not be stored, or is already.
        let unstored = matches!(result.status, Told::Rejected | Told::Duplicate);
        let other = unstored && report.waiting.contains(&row.row);
        let settled = report.settled.contains(&row.row) && !other;
        if settled || (names_own && before == Before::Some) {
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
        report.settle(row, outcome, &problems);
    }
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
