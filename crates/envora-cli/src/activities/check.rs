//! `envora data check`: the server's own validator, here.
//!
//! A file is read row by row, in bounded memory; a sheet of a workbook, and a Parquet file as it is
//! packed, is held whole. Which facilities and sources there are, and what the
//! stored rows make of the new ones, is asked of the server where one is named; without one that stays
//! open, and is said to be open: a file that names facilities or sources is never called fine.

use std::sync::Arc;

use anyhow::Context as _;
use envora_api::footprints::Warning;
use envora_api::problems::{RowError, RowPlace};
use envora_api::writes::{Counts, nearly_taken, no_rows, repeated, sums_up};
use envora_domain::activities::problems::RowProblem;
use envora_domain::decimal::{count_of, group_thousands};
use envora_ingest::check::{self, Group, Known, Report};
use envora_ingest::clocks::{Clocks, Listed, Place};
use envora_ingest::formats::{Format, utf16};
use envora_ingest::registry::Wanted;
use serde::Deserialize;

use crate::activities::reading::{Reading, Shown, mapping};
use crate::arguments::CheckArguments;
use crate::client::Client;
use crate::configuration::Whom;
use crate::failures::{Exit, Failure, row_error_view};
use crate::imports::{ROWS_SHOWN, print_skipped, print_warning};
use crate::inputs::{Input, Telling};
use crate::refusals::as_it_stands;
use crate::session::{Printed, Session};
use crate::tables::Table;

mod answer;
pub(super) mod stored;

/// How many bytes of a bad line are shown at most.
const LINE_BYTES_SHOWN: u64 = 4_096;
/// How many letters of a bad row of a sheet.
const LINE_CHARS_SHOWN: usize = 4_096;

/// How many kinds of problems of a file are shown.
const KINDS_SHOWN: usize = 50;

/// Checks files.
///
/// # Errors
/// A file or mapping that cannot be read; rows that would be refused or wait, or checks that are left
/// for the server.
pub(super) async fn run(arguments: &CheckArguments, session: &mut Session) -> Result<(), Failure> {
    let client = asked(session, arguments.offline.into())?;
    let mapping = match &arguments.mapping {
        Some(named) => Some(mapping(named, client.as_ref().ok()).await?),
        None => None,
    };
    let mut reading = Reading::new(mapping, &arguments.set)?;
    let (known, why) = match &client {
        Ok(client) => match known(client).await {
            Ok((known, clocks)) => {
                reading = reading.by(clocks);
                (Some(known), None)
            }
            Err(failure) => (None, Some(not_asked(failure)?)),
        },
        Err(why) => (None, Some(why.clone())),
    };
    let mut checked = Vec::new();
    let telling = Telling { format: arguments.format, mapping: arguments.mapping.as_deref() };
    for input in Input::all(&arguments.files, telling)? {
        let mut report = check_file(&input, &reading, known.as_ref())?;
        let warnings = match (&client, &known) {
            (Ok(client), Some(_)) => stored::compare(client, &input, &reading, &mut report).await?,
            _ => Vec::new(),
        };
        let lines = report.groups.iter().map(|group| group.first.line).collect();
        let bad = !report.groups.is_empty();
        let shown = if bad { reading.shown(&input, &lines)? } else { Shown::Lines };
        checked.push(Checked { input, report, shown, warnings });
    }
    let left = known.is_none() && checked.iter().any(Checked::names_words);
    let open = |one: &Checked| one.report.rejected + one.report.quarantined > 0;
    let ended =
        if left || checked.iter().any(open) { Err(Failure::Said(Exit::Partial)) } else { Ok(()) };
    let why = why.filter(|_| left);
    if session.print_json(&answer::answer(&checked, why.as_deref())?)? == Printed::AsJson {
        return ended;
    }
    for one in &checked {
        one.print_problems(session)?;
    }
    table(&checked).print(&mut session.terminal.data);
    for one in checked.iter().filter(|_| left) {
        one.print_open(session);
    }
    if let Some(why) = why {
        session
            .terminal
            .words
            .line(format!("Left for the server ({why}): whether these are known."));
    }
    ended
}

/// Whether a server is asked, where one is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Yes,
    No,
}

impl From<bool> for Asking {
    fn from(offline: bool) -> Self {
        if offline { Self::No } else { Self::Yes }
    }
}

/// The server that is asked, or why none is.
///
/// # Errors
/// A server that is named in vain.
pub(super) fn asked(
    session: &mut Session,
    asking: Asking,
) -> Result<Result<Client, String>, Failure> {
    if asking == Asking::No {
        return Ok(Err("--offline".to_owned()));
    }
    let why = match &session.whom {
        Whom::Server(_) => None,
        Whom::Nobody(unnamed) => Some(unnamed.what.clone()),
    };
    why.map_or_else(|| session.client().map(Ok), |why| Ok(Err(why)))
}

/// A file and what was found in it.
struct Checked {
    input: Input,
    report: Report,
    /// How its bad rows are shown.
    shown: Shown,
    /// What the server says of the rows that it would store.
    warnings: Vec<Warning>,
}

/// Asks which facilities, sources, entities and suppliers there are, and whose clocks show what.
pub(super) async fn known(client: &Client) -> Result<(Known, Clocks), Failure> {
    let (mut known, mut listed) = (Known::new(), Listed::default());
    for wanted in Wanted::ALL {
        let path = match wanted {
            Wanted::Facility => "/facilities",
            Wanted::Source => "/sources",
            Wanted::Entity => "/entities",
            Wanted::Supplier => "/suppliers",
        };
        let all: Vec<Item> = client.all(path, &[("state", "any")]).await?;
        for item in &all {
            item.list(wanted, &mut listed);
        }
        let words = all.into_iter().flat_map(|item| [item.code, item.id]);
        known.insert(wanted, words.collect());
    }
    Ok((known, Clocks::Listed(Arc::new(listed))))
}

/// What all four have, and what facilities and sources have besides.
#[derive(Deserialize)]
struct Item {
    id: String,
    code: String,
    time_zone: Option<String>,
    facility_id: Option<String>,
}

impl Item {
    /// Lists whose clock it is.
    fn list(&self, wanted: Wanted, listed: &mut Listed) {
        let time_zone = self.time_zone.clone().unwrap_or_default();
        let place = Place { code: self.code.clone(), time_zone };
        for word in [&self.code, &self.id] {
            match wanted {
                Wanted::Facility => {
                    listed.facilities.insert(word.clone(), place.clone());
                }
                Wanted::Source => {
                    let own = (place.clone(), self.facility_id.clone());
                    listed.sources.insert(word.clone(), own);
                }
                Wanted::Entity | Wanted::Supplier => {}
            }
        }
    }
}

/// Why the server was not asked, when that is no reason to end: nobody is there, or signed in.
pub(super) fn not_asked(failure: Failure) -> Result<String, Failure> {
    match failure.exit() {
        Exit::Unavailable | Exit::SignIn => Ok(failure.to_string()),
        Exit::Done
        | Exit::Error
        | Exit::Usage
        | Exit::Partial
        | Exit::Verification
        | Exit::Interrupted => Err(failure),
    }
}

fn check_file(input: &Input, reading: &Reading, known: Option<&Known>) -> Result<Report, Failure> {
    let reader = reading.open(input)?;
    let report = match known {
        Some(known) => check::check_before_asking(reader, known),
        None => check::check(reader, None),
    };
    Ok(report.with_context(|| format!("check {}", input.name()))?)
}

fn table(checked: &[Checked]) -> Table {
    let mut table = Table::new(&[
        "file",
        ">good",
        ">duplicate",
        ">would wait",
        ">would be refused",
        ">left out",
    ]);
    for Checked { input, report, .. } in checked {
        let rows = [
            report.accepted,
            report.duplicate,
            report.quarantined,
            report.rejected,
            report.left.rows,
        ];
        let rows = rows.map(|rows| group_thousands(&rows.to_string()));
        table.row(core::iter::once(input.name()).chain(rows));
    }
    table
}

impl Checked {
    fn format(&self) -> Format {
        self.input.format().unwrap_or(Format::Csv)
    }

    fn counts(&self) -> Counts {
        Counts {
            accepted: self.report.accepted,
            duplicate: self.report.duplicate,
            quarantined: self.report.quarantined,
            rejected: self.report.rejected,
            skipped: self.report.left.rows,
        }
    }

    /// Whether rows that would be stored name what only the organization's tables know.
    fn names_words(&self) -> bool {
        !self.report.named.is_empty() || self.report.walled.is_some()
    }

    /// Prints each kind of problem once, on the first line that has it.
    fn print_problems(&self, session: &mut Session) -> Result<(), Failure> {
        let report = &self.report;
        let words = &mut session.terminal.words;
        for group in report.groups.iter().take(KINDS_SHOWN) {
            let text = self.line(group)?;
            let place = format!("{}:{}", self.input.name(), group.first.line);
            let error = row_error(&group.first, self.format());
            words.error(row_error_view(words.paint, &place, &error, &text, &others(group)));
        }
        let shown: u64 = report.groups.iter().take(KINDS_SHOWN).map(|group| group.problems).sum();
        let more = report.codes.values().sum::<u64>().saturating_sub(shown);
        if more > 0 {
            let more = count_of(more, "more problem", "more problems");
            words.line(format!("  … and {more} of other kinds: --json counts them"));
        }
        if report.ids_not_compared > 0 {
            words.line(format!(
                "  {}: ids not compared with those before, which are too many to keep here",
                count_of(report.ids_not_compared, "row", "rows")
            ));
        }
        let (name, left) = (self.input.name(), &report.left);
        print_skipped((&name, left.rows), &left.groups, words);
        for warning in self.all_warnings() {
            print_warning(&name, &warning, words);
        }
        Ok(())
    }

    /// What is odd about the file, by itself and beside what is stored.
    fn all_warnings(&self) -> impl Iterator<Item = Warning> {
        let report = &self.report;
        let own = nearly_taken(&report.left.groups).into_iter().chain(no_rows(&self.counts()));
        let repeated = report.repeated.map(|naming| repeated((naming.rows, naming.line)));
        let own = own.chain(repeated).chain(report.sums_up.map(sums_up));
        own.chain(self.warnings.iter().cloned())
    }

    /// Lists what the server has to say.
    fn print_open(&self, session: &mut Session) {
        if let Some(walled) = self.report.walled {
            session.terminal.words.line(format!(
                "  {}:{}: times without an offset, {}: whether the clock of their place showed each, and once",
                self.input.name(),
                walled.line,
                count_of(walled.rows, "row", "rows")
            ));
        }
        for (wanted, named) in &self.report.named {
            let noun = wanted.as_str();
            for (word, naming) in named.words.iter().take(ROWS_SHOWN) {
                session.terminal.words.line(format!(
                    "  {}:{}: {noun} {word}, {}",
                    self.input.name(),
                    naming.line,
                    count_of(naming.rows, "row", "rows")
                ));
            }
            let more = named.words.len().saturating_sub(ROWS_SHOWN);
            if more > 0 || named.more_rows > 0 {
                session.terminal.words.line(format!("  … and {more} more of kind {noun}"));
            }
        }
    }

    /// The line of the file on which a group's first problem is, as it stands there.
    fn line(&self, group: &Group) -> Result<String, Failure> {
        let line = group.first.line;
        let row = match &self.shown {
            Shown::Lines => None,
            Shown::Sheet(sheet) => Some(sheet.row(line).unwrap_or_default()),
            Shown::Rows(rows) => Some(rows.get(&line).cloned().unwrap_or_default()),
        };
        if let Some(row) = row {
            return Ok(as_it_stands(
                row.chars().take(LINE_CHARS_SHOWN).collect::<String>().as_bytes(),
            ));
        }
        let length = u64::from(group.length).min(LINE_BYTES_SHOWN);
        let (start, line) = (self.input.part(0, 4)?, self.input.part(group.offset, length)?);
        Ok(match utf16::shown(&start, &line) {
            Some(text) => as_it_stands(text.as_bytes()),
            None => as_it_stands(&line),
        })
    }
}

/// On which other lines the same problem is: nothing when on none.
fn others(group: &Group) -> String {
    if group.problems < 2 {
        return String::new();
    }
    let lines: Vec<String> = group.lines.iter().map(ToString::to_string).collect();
    let listed = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let more = if listed < group.problems { ", …" } else { "" };
    let count = group_thousands(&group.problems.to_string());
    format!("{count} times, on lines {}{more}", lines.join(", "))
}

fn row_error(problem: &RowProblem, format: Format) -> RowError {
    RowError {
        code: problem.code.as_str().to_owned(),
        pointer: (!format.is_table()).then(|| format!("#{}", problem.field)),
        row: Some(RowPlace { record: problem.row, line: problem.line }),
        column: problem.column.clone(),
        parameter: None,
        sheet: None,
        value: problem.value.clone(),
        detail: problem.detail.clone(),
        hint: problem.hint.clone(),
    }
}
