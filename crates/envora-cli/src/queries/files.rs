//! Files as tables: each time a table is read its files are, row by row, through the validator that a
//! push goes through.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use envora_domain::activities::Activity;
use envora_domain::activities::problems::RowProblem;
use envora_domain::time::{Day, Zone};
use envora_ingest::check::{Earlier, Ids, conflict};
use envora_ingest::formats::Reader;
use envora_ingest::rows::ParsedRow;
use envora_ingest::stored::days;
use envora_query::columns::{Batch, Batches, Column, Columns as _};
use envora_query::table::{Reading as Read, Table, Wanted};
use envora_query::tables::activities::{self, ActivityColumn, ActivityRow, Place};
use envora_query::tables::rejected::{self, Rejected, RejectedColumn};

use crate::activities::reading::Reading;
use crate::inputs::Input;

/// The tables of these files.
pub(super) fn tables(inputs: Vec<Input>, reading: Reading) -> Vec<Arc<dyn Table>> {
    let files = Arc::new(Files { inputs, reading });
    vec![Arc::new(Accepted(Arc::clone(&files))), Arc::new(Refused(files))]
}

struct Files {
    inputs: Vec<Input>,
    reading: Reading,
}

/// The rows that would be stored.
struct Accepted(Arc<Files>);

/// What is wrong with the others.
struct Refused(Arc<Files>);

impl Table for Accepted {
    fn name(&self) -> &'static str {
        activities::NAME
    }

    fn columns(&self) -> Vec<Column> {
        ActivityColumn::list()
    }

    fn read(&self, wanted: Wanted) -> anyhow::Result<Read> {
        let mut walk = Walk::of(&self.0);
        let mut batches = Batches::<ActivityColumn>::of(&wanted.places);
        let mut zones = Zones::default();
        Ok(Box::new(core::iter::from_fn(move || {
            filled(&mut batches, &wanted, |batches| {
                let Some((file, row)) = walk.next()? else { return Ok(false) };
                if let Fate::Stored(activity) = walk.fate(&row) {
                    let waits = row.quarantine.first().filter(|_| !activity.void);
                    let row = ActivityRow {
                        activity,
                        days: zones.days(activity),
                        state: if waits.is_some() { "quarantined" } else { "accepted" },
                        code: waits.map(|problem| problem.code.as_str()),
                        line: Some(row.line),
                        place: Place::File(&file),
                    };
                    batches.push(|column| row.cell(column));
                }
                Ok(true)
            })
        })))
    }
}

impl Table for Refused {
    fn name(&self) -> &'static str {
        rejected::NAME
    }

    fn columns(&self) -> Vec<Column> {
        RejectedColumn::list()
    }

    fn read(&self, wanted: Wanted) -> anyhow::Result<Read> {
        let mut walk = Walk::of(&self.0);
        let mut batches = Batches::<RejectedColumn>::of(&wanted.places);
        Ok(Box::new(core::iter::from_fn(move || {
            filled(&mut batches, &wanted, |batches| {
                let Some((file, row)) = walk.next()? else { return Ok(false) };
                let problems = match walk.fate(&row) {
                    Fate::Rejected(problems) => problems,
                    Fate::Stored(_) | Fate::Duplicate => return Ok(true),
                };
                for problem in &problems {
                    let external_id = match &row.activity {
                        Ok(activity) => activity.external_id.as_deref(),
                        Err(_) => row.external_id.as_deref(),
                    };
                    let rejected = Rejected {
                        file: &file,
                        line: row.line,
                        record: row.row,
                        external_id,
                        problem,
                    };
                    batches.push(|column| rejected.cell(column));
                }
                Ok(true)
            })
        })))
    }
}

/// A batch of as many rows as one has; nothing at the end.
fn filled<C: envora_query::columns::Columns>(
    batches: &mut Batches<C>,
    wanted: &Wanted,
    mut step: impl FnMut(&mut Batches<C>) -> anyhow::Result<bool>,
) -> Option<anyhow::Result<Batch>> {
    while !batches.is_full(wanted.batch_rows) {
        match step(batches) {
            Ok(true) => {}
            Ok(false) if batches.rows() == 0 => return None,
            Ok(false) => break,
            Err(error) => return Some(Err(error)),
        }
    }
    Some(batches.take())
}

/// What becomes of a row, as far as the files tell.
enum Fate<'a> {
    Stored(&'a Activity),
    /// An earlier row says the same under the same id.
    Duplicate,
    Rejected(Vec<RowProblem>),
}

/// The rows of the files, one after the other.
struct Walk {
    files: Arc<Files>,
    /// The next file.
    at: usize,
    open: Option<(Arc<str>, Reader<'static>)>,
    ids: Ids,
}

impl Walk {
    fn of(files: &Arc<Files>) -> Self {
        Self { files: Arc::clone(files), at: 0, open: None, ids: Ids::default() }
    }

    fn next(&mut self) -> anyhow::Result<Option<(Arc<str>, ParsedRow)>> {
        loop {
            if let Some((name, reader)) = &mut self.open {
                if let Some(row) = reader.next() {
                    let row = row.with_context(|| format!("read {name}"))?;
                    return Ok(Some((Arc::clone(name), row)));
                }
                self.open = None;
            }
            let Some(input) = self.files.inputs.get(self.at) else { return Ok(None) };
            self.at += 1;
            self.open = Some((input.name().into(), self.files.reading.open(input)?));
        }
    }

    fn fate<'a>(&mut self, row: &'a ParsedRow) -> Fate<'a> {
        let activity = match &row.activity {
            Ok(activity) => activity,
            Err(problems) => return Fate::Rejected(problems.clone()),
        };
        match self.ids.earlier(activity) {
            Earlier::None => Fate::Stored(activity),
            Earlier::Same => Fate::Duplicate,
            Earlier::Otherwise => {
                let id = activity.external_id.as_deref().unwrap_or_default();
                let problem = conflict(id).at(row.row, row.line);
                let named = row.columns.as_deref().map(|columns| columns.name(problem.clone()));
                Fate::Rejected(vec![named.unwrap_or(problem)])
            }
        }
    }
}

/// The days of rows, each in its row's own zone.
#[derive(Default)]
struct Zones(HashMap<String, Zone>);

impl Zones {
    fn days(&mut self, activity: &Activity) -> (Day, Day) {
        let Some(name) = &activity.time_zone else { return days(&activity.period, &Zone::utc()) };
        if !self.0.contains_key(name) {
            let zone = Zone::named(name).unwrap_or_else(|_| Zone::utc());
            self.0.insert(name.clone(), zone);
        }
        match self.0.get(name) {
            Some(zone) => days(&activity.period, zone),
            None => days(&activity.period, &Zone::utc()),
        }
    }
}
