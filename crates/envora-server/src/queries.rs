//! What a tenant stores, as tables that a question in SQL may name.
//!
//! A table is made for one question, of one tenant, whose grants it holds: there is no name by which a
//! question could reach another one.

use core::ops::ControlFlow;
use std::collections::VecDeque;
use std::sync::Arc;

use envora_domain::access::Grant;
use envora_domain::access::actions::{ReadActivities, ReadResults};
use envora_domain::activities::Origin;
use envora_domain::planted::planted;
use envora_domain::time::Day;
use envora_ingest::footprint::days::cells_of_days;
use envora_ingest::stored::scan::{Scan, Scanned};
use envora_ingest::stored::{Moment, Question};
use envora_ingest::tenant::TenantParts;
use envora_query::columns::{Batch, Batches, Column, Columns as _};
use envora_query::table::{Bound, NoRoom, Reading, Table, Wanted};
use envora_query::tables::activities::{self, ActivityColumn, ActivityRow, Place};
use envora_query::tables::emissions::{self, Emission, EmissionColumn};

/// Days by which an instant's UTC day may lie beside that of the reporting zone.
const ZONE_DAYS: i32 = 2;
/// Rows that count, or may yet: what `activities` holds.
const STANDING: [&str; 3] = ["counted", "unresolved", "pending"];

/// The tables of a tenant, as of now. Blocks.
///
/// # Errors
/// The database's.
pub fn tables(
    parts: &Arc<TenantParts>,
    _activities: Grant<ReadActivities>,
    results: Grant<ReadResults>,
) -> anyhow::Result<Vec<Arc<dyn Table>>> {
    let moment = Moment::now(parts)?;
    let activities = |which| Activities { parts: Arc::clone(parts), moment: moment.clone(), which };
    Ok(vec![
        Arc::new(activities(Which::Standing)),
        Arc::new(activities(Which::All)),
        Arc::new(Emissions { parts: Arc::clone(parts), grant: results }),
    ])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Without what was superseded or voided, and what voids.
    Standing,
    All,
}

/// Stored rows.
struct Activities {
    parts: Arc<TenantParts>,
    moment: Moment,
    which: Which,
}

impl Table for Activities {
    fn name(&self) -> &'static str {
        match self.which {
            Which::Standing => activities::NAME,
            Which::All => activities::ALL_NAME,
        }
    }

    fn columns(&self) -> Vec<Column> {
        ActivityColumn::list()
    }

    fn read(&self, wanted: Wanted) -> anyhow::Result<Reading> {
        let mut question = question(&wanted.bounds);
        if self.which == Which::Standing && !planted("query_superseded") {
            question.states = STANDING.map(str::to_owned).to_vec();
        }
        let scan = Scan::begin(Arc::clone(&self.parts), question, &self.moment)?;
        let rows = StoredRows {
            scan,
            which: self.which,
            enough: wanted.rows_enough.unwrap_or(usize::MAX),
            batches: Batches::of(&wanted.places),
            waiting: VecDeque::new(),
            is_over: false,
            wanted,
        };
        Ok(Box::new(rows))
    }
}

/// What conditions say in the words of a list: each narrows to what may fulfil it, and no further.
fn question(bounds: &[Bound]) -> Question {
    let mut question = Question::default();
    let later = |day: &mut Option<Day>, other: Day| {
        *day = Some(day.map_or(other, |day| day.max(other)));
    };
    let earlier = |day: &mut Option<Day>, other: Day| {
        *day = Some(day.map_or(other, |day| day.min(other)));
    };
    for bound in bounds {
        match bound {
            Bound::OneOf("type", words) if question.kinds.is_empty() => {
                question.kinds.clone_from(words);
            }
            Bound::OneOf("facility", words) if question.facilities.is_empty() => {
                question.facilities.clone_from(words);
            }
            Bound::OneOf("source", words) if question.sources.is_empty() => {
                question.sources.clone_from(words);
            }
            Bound::OneOf(..) => {}
            Bound::FromDay("first_day" | "last_day" | "day", day) => {
                later(&mut question.from, *day)
            }
            Bound::ToDay("first_day" | "last_day" | "day", day) => {
                earlier(&mut question.to, day.plus(1))
            }
            Bound::FromInstant("starts_at" | "ends_at", at) => {
                later(&mut question.from, at.utc_day().plus(-ZONE_DAYS));
            }
            Bound::ToInstant("starts_at" | "ends_at", at) => {
                earlier(&mut question.to, at.utc_day().plus(ZONE_DAYS));
            }
            Bound::FromDay(..)
            | Bound::ToDay(..)
            | Bound::FromInstant(..)
            | Bound::ToInstant(..) => {}
        }
    }
    question
}

/// Stored rows on their way: those of some segments wait until they are asked for.
struct StoredRows {
    scan: Scan,
    which: Which,
    wanted: Wanted,
    enough: usize,
    batches: Batches<ActivityColumn>,
    waiting: VecDeque<Batch>,
    is_over: bool,
}

impl Iterator for StoredRows {
    type Item = anyhow::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.waiting.is_empty() && !self.is_over {
            if let Err(error) = self.step() {
                self.is_over = true;
                return Some(Err(error));
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}

impl StoredRows {
    fn step(&mut self) -> anyhow::Result<()> {
        let (batches, waiting, enough) = (&mut self.batches, &mut self.waiting, &mut self.enough);
        let (batch_rows, which) = (self.wanted.batch_rows, self.which);
        let mut fault = None;
        let more = self.scan.step(|row| {
            if which == Which::All || !row.activity.void {
                push(batches, row);
                *enough = enough.saturating_sub(1);
            }
            if batches.is_full(batch_rows) {
                match batches.take() {
                    Ok(batch) => waiting.push_back(batch),
                    Err(error) => fault = Some(error),
                }
            }
            match fault.is_some() || *enough == 0 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        if batches.rows() > 0 {
            waiting.push_back(batches.take()?);
        }
        self.is_over = !more;
        Ok(self.wanted.memory.holds(waiting.iter().map(Batch::bytes).sum())?)
    }
}

fn push(batches: &mut Batches<ActivityColumn>, row: Scanned<'_>) {
    let line = match &row.activity.origin {
        Origin::File { line, .. } => Some(*line),
        Origin::Request { .. } => None,
    };
    let row = ActivityRow {
        activity: row.activity,
        days: row.days,
        state: row.state.state,
        code: row.state.code.map(|code| code.as_str()),
        line,
        place: Place::Stored { id: row.id, committed_at: row.committed_at, import: row.import },
    };
    batches.push(|column| row.cell(column));
}

/// What the footprint is added up of.
struct Emissions {
    parts: Arc<TenantParts>,
    grant: Grant<ReadResults>,
}

impl Table for Emissions {
    fn name(&self) -> &'static str {
        emissions::NAME
    }

    fn columns(&self) -> Vec<Column> {
        EmissionColumn::list()
    }

    /// All cells of the days are of one moment, so they are put into batches at once.
    fn read(&self, wanted: Wanted) -> anyhow::Result<Reading> {
        let cells = Cells {
            batches: Batches::of(&wanted.places),
            done: VecDeque::new(),
            fault: None,
            wanted: wanted.clone(),
        };
        let put = |cells: &mut Cells, placed: envora_ingest::footprint::days::Placed<'_>| {
            let emission = Emission {
                key: placed.key,
                value: placed.value,
                facility: placed.facility,
                source: placed.source,
            };
            cells.batches.push(|column| emission.cell(column));
            cells.fault = cells.cut().err();
            match cells.fault {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        };
        let Question { from, to, .. } = question(&wanted.bounds);
        let mut cells = cells_of_days(&self.parts, &self.grant, (from, to), (cells, put))?;
        if let Some(fault) = cells.fault {
            return Err(fault);
        }
        if cells.batches.rows() > 0 {
            cells.done.push_back(cells.batches.take()?);
        }
        Ok(Box::new(cells.done.into_iter().map(Ok)))
    }
}

/// Cells on their way.
struct Cells {
    batches: Batches<EmissionColumn>,
    done: VecDeque<Batch>,
    fault: Option<anyhow::Error>,
    wanted: Wanted,
}

impl Cells {
    /// Puts a batch to the others when it is full.
    fn cut(&mut self) -> anyhow::Result<()> {
        if !self.batches.is_full(self.wanted.batch_rows) {
            return Ok(());
        }
        self.done.push_back(self.batches.take()?);
        let held = self.done.iter().map(Batch::bytes).sum();
        self.wanted.memory.holds(held).map_err(|error: NoRoom| error.into())
    }
}
