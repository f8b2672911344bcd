//! Rows on the wire: what became of each, why, and where it stood.

use envora_api::amounts::Watermark;
use envora_api::codes::Code;
use envora_api::footprints::Warning;
use envora_api::problems::{Problem, RowError, RowPlace};
use envora_api::writes::{
    Counts, Mode, Outcome, RowResult, SkippedRows, VOIDED_BEFORE, WriteAnswer, nearly_taken,
    no_rows, repeated, sums_up,
};
use envora_domain::activities::problems::{Flag, Outcome as Fate, RowCode, RowProblem};
use envora_ingest::commit::{self, ALIKE_REMEDY, Accepted, SubmitError, Voided};
use envora_ingest::formats::{FileProblem, Format, OpenError};
use envora_store::imports::{Counts as Counted, Mode as Chosen};
use envora_store::likenesses::Alike;
use envora_store::writer::WriteError;

use crate::idempotency;
use crate::metrics::Metrics;
use crate::refusals::Refusal;

/// What the acknowledgement stands for: durable on this machine's disk.
pub const ACK: &str = "local";

/// The answer to a write in this format.
#[must_use]
pub fn write_answer(accepted: &Accepted, format: Format) -> WriteAnswer {
    WriteAnswer {
        ack: ACK.to_owned(),
        mode: mode(accepted.mode),
        counts: counts(&accepted.counts),
        segments: accepted.segments.clone(),
        results: results(&accepted.results, format),
        skipped: accepted.skipped.clone(),
        warnings: warnings_of(accepted),
        watermark: watermark(accepted),
    }
}

/// What is odd about rows that were just stored.
#[must_use]
pub fn warnings_of(accepted: &Accepted) -> Vec<Warning> {
    let mut all = warnings(accepted.alike, (&accepted.skipped, &counts(&accepted.counts)));
    all.extend(accepted.archived.as_ref().map(|(rows, first)| {
        let words = if *rows == 1 { "1 row names" } else { &format!("{rows} rows name") };
        Warning {
            code: Flag::NamesArchived.as_str().to_owned(),
            detail: format!(
                "{words} what is archived, such as the {first}: they count all the same; correct the code if another was meant, or bring it back"
            ),
            activities: *rows,
        }
    }));
    all.extend(accepted.outside.as_ref().map(outside));
    all.extend(accepted.repeated.map(repeated));
    all.extend(accepted.sums_up.map(sums_up));
    all.extend(accepted.voided.map(voided));
    all
}

/// The warning of rows outside of the days of their facility: they are stored, and count nowhere.
#[must_use]
pub fn outside((rows, first): &(u64, String)) -> Warning {
    let words = match rows {
        1 => "1 row lies outside of the days of its facility and counts",
        _ => &format!("{rows} rows lie outside of the days of their facilities and count"),
    };
    let detail = format!(
        "{words} in no figure, such as at {first}: correct the day of the facility, or the row"
    );
    Warning { code: RowCode::OutsideFacilityLife.as_str().to_owned(), detail, activities: *rows }
}

/// The warning of rows that are stored already and were voided: sent again, they count nowhere.
fn voided((rows, first): (u64, Voided)) -> Warning {
    let words = match rows {
        1 => "1 row is stored already and was voided, so it counts nowhere",
        _ => &format!("{rows} rows are stored already and were voided, so they count nowhere"),
    };
    let remedy = match first.import {
        Some(import) => format!(
            "to bring back all voided rows of the file they came with: envora data supersede --import {import} --restore; or one:"
        ),
        None => "to bring one back:".to_owned(),
    };
    let detail = format!("{words}; {remedy} envora data supersede --id {} --restore", first.id);
    Warning { code: VOIDED_BEFORE.to_owned(), detail, activities: rows }
}

/// What is odd about rows that are stored, and about those that were skipped.
#[must_use]
pub fn warnings(
    alike: Option<Alike>,
    (skipped, counts): (&[SkippedRows], &Counts),
) -> Vec<Warning> {
    let warning = |alike: Alike| {
        let Alike { rows, new, known } = alike;
        let words = if rows == 1 { "1 row looks" } else { &format!("{rows} rows look") };
        Warning {
            code: Flag::PossibleDuplicate.as_str().to_owned(),
            detail: format!(
                "{words} like what was stored before under another id, such as {new} like {known}: {ALIKE_REMEDY}"
            ),
            activities: rows,
        }
    };
    alike.map(warning).into_iter().chain(nearly_taken(skipped)).chain(no_rows(counts)).collect()
}

/// The commit, as the place to wait for.
#[must_use]
pub fn watermark(accepted: &Accepted) -> Watermark {
    Watermark { seq: accepted.watermark, committed_at: Some(accepted.committed_at), lag_ms: 0 }
}

/// The mode.
#[must_use]
pub const fn mode(mode: Chosen) -> Mode {
    match mode {
        Chosen::Atomic => Mode::Atomic,
        Chosen::Partial => Mode::Partial,
    }
}

/// Rows by outcome.
#[must_use]
pub const fn counts(counts: &Counted) -> Counts {
    let Counted { accepted, duplicate, quarantined, rejected, skipped } = *counts;
    Counts { accepted, duplicate, quarantined, rejected, skipped }
}

/// Counts the rows for the metrics.
pub fn measure(metrics: &Metrics, counts: &Counted) {
    for (outcome, rows) in [
        ("accepted", counts.accepted),
        ("duplicate", counts.duplicate),
        ("quarantined", counts.quarantined),
        ("rejected", counts.rejected),
        ("skipped", counts.skipped),
    ] {
        metrics.rows(outcome, rows);
    }
}

/// The rows that an answer lists.
#[must_use]
pub fn results(results: &[commit::RowResult], format: Format) -> Vec<RowResult> {
    results
        .iter()
        .map(|result| RowResult {
            row: result.row,
            external_id: result.external_id.clone(),
            status: match result.outcome {
                Fate::Accepted => Outcome::Accepted,
                Fate::Duplicate => Outcome::Duplicate,
                Fate::Quarantined => Outcome::Quarantined,
                Fate::Rejected => Outcome::Rejected,
            },
            id: result.id,
            errors: result.problems.iter().map(|problem| error(problem, format)).collect(),
            looks_like: result.like,
            flags: result.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
        })
        .collect()
}

/// What is wrong with a row. In a table that is a column; in JSON a pointer: in the body, or in the
/// line of NDJSON that `row` names.
#[must_use]
pub fn error(problem: &RowProblem, format: Format) -> RowError {
    RowError {
        code: problem.code.as_str().to_owned(),
        pointer: pointer(format, problem.row, &problem.field),
        row: Some(RowPlace { record: problem.row, line: problem.line }),
        column: problem.column.clone(),
        parameter: None,
        sheet: None,
        value: problem.value.clone(),
        detail: problem.detail.clone(),
        hint: problem.hint.clone(),
    }
}

/// The pointer of a field of a row; a table has none.
#[must_use]
pub fn pointer(format: Format, row: u64, field: &str) -> Option<String> {
    match format {
        Format::Csv | Format::Parquet | Format::Xlsx => None,
        Format::CloudEvent | Format::Ndjson | Format::Xml => Some(format!("#{field}")),
        Format::CloudEvents => Some(format!("#/{}{field}", row.saturating_sub(1))),
        Format::Json => Some(format!("#/activities/{}{field}", row.saturating_sub(1))),
    }
}

/// Why a batch of this format was not taken.
#[must_use]
pub fn refused(error: SubmitError, format: Format) -> Refusal {
    match error {
        SubmitError::Refused(accepted) => all_refused(&accepted, format).into(),
        SubmitError::KeyReused => idempotency::reused().into(),
        SubmitError::InFlight => Problem::idempotency_in_flight(
            "A request with this idempotency key is still running. Wait, then send it again.",
        )
        .into(),
        SubmitError::Overloaded => WriteError::Overloaded.into(),
        SubmitError::ReadOnly => WriteError::ReadOnly.into(),
        SubmitError::Stopped => WriteError::Stopped.into(),
        SubmitError::Ending => Problem::draining(
            "The server is shutting down and had no time left for all of this. Nothing of it was stored; send it again with the same idempotency key.",
        )
        .into(),
        SubmitError::DataIntegrity => WriteError::DataIntegrity.into(),
        SubmitError::Unexpected(error) => error.into(),
    }
}

/// `atomic`, and some rows cannot be stored: which, and that nothing was.
fn all_refused(accepted: &Accepted, format: Format) -> Problem {
    let rejected = accepted.counts.rejected;
    let words =
        if rejected == 1 { "One row cannot".to_owned() } else { format!("{rejected} rows cannot") };
    let errors: Vec<RowError> = accepted
        .results
        .iter()
        .filter(|result| result.outcome == Fate::Rejected)
        .flat_map(|result| &result.problems)
        .map(|problem| error(problem, format))
        .collect();
    Problem::validation_failed(format!(
        "{words} be stored, so nothing was (mode=atomic). Correct what errors lists, or send mode=partial."
    ))
    .with_errors(errors)
}

/// Why a file or body as a whole cannot be read.
#[must_use]
pub fn unreadable(error: OpenError) -> Refusal {
    let problems = match error {
        OpenError::File(problems) => problems,
        OpenError::Io(error) => return anyhow::Error::from(error).into(),
    };
    let code = problems.first().map_or("malformed_body", |problem| problem.code);
    let code = Code::ALL.iter().find(|known| known.as_str() == code).copied();
    let detail = match problems.as_slice() {
        [only] => sentence(only),
        more => format!("{} things are wrong with the file. Nothing was stored.", more.len()),
    };
    let errors = problems.iter().map(file_error).collect();
    Problem::new(code.unwrap_or(Code::malformed_body), detail).with_errors(errors).into()
}

fn sentence(problem: &FileProblem) -> String {
    let hint = if problem.hint.is_empty() { String::new() } else { format!(": {}", problem.hint) };
    format!("{}{hint}. Nothing was stored.", capital(&problem.detail))
}

/// The same text beginning with a capital.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn file_error(problem: &FileProblem) -> RowError {
    RowError {
        code: problem.code.to_owned(),
        pointer: (!problem.field.is_empty()).then(|| format!("#{}", problem.field)),
        row: (problem.line > 0).then_some(RowPlace { record: 0, line: problem.line }),
        column: (!problem.column.is_empty()).then(|| problem.column.clone()),
        detail: problem.detail.clone(),
        hint: (!problem.hint.is_empty()).then(|| problem.hint.clone()),
        ..RowError::default()
    }
}
