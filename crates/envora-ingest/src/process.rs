//! Process: stored rows to calculated cells, one step after another, each in one transaction.
//!
//! What a row comes to is a pure function of the row, of the facilities and sources as of a place in
//! the log, and of the run. So a step that is lost in a crash is simply done again, and what a row
//! came to before can be taken out to the last digit by working it out again.

pub(crate) mod block;
pub(crate) mod choices;
pub(crate) mod decide;
mod events;
pub(crate) mod groups;
pub(crate) mod records;
pub mod recount;
pub(crate) mod runs;
pub(crate) mod scan;
pub mod standing;
pub(crate) mod step;
pub(crate) mod sums;
pub mod sweep;

use std::sync::{Arc, Mutex, PoisonError};

use envora_domain::time::Timestamp;
use envora_store::runs::run_current;

pub use crate::process::records::{
    examine as examine_blocks, gather as gather_sums, split as split_blocks,
};
use crate::process::runs::{Engine, Engines};
use crate::tenant::TenantParts;

/// Rows that one step takes on, unless a single segment has more.
pub const STEP_ROWS: u64 = 50_000;

/// How far the calculation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Everything below this seq is calculated.
    pub calculated_to: u64,
    /// How many entries the log has.
    pub head: u64,
    /// Rows that this step decided.
    pub rows: u64,
    /// Whether nothing is left to do at present.
    pub caught_up: bool,
    /// When the step was committed.
    pub at: Timestamp,
}

/// Works out the next step of the run that readers see, as [`Processor::step`] would, and writes
/// nothing: whether the calculation can go on. Blocks.
///
/// # Errors
/// What the step would fail with; [`OtherRules`](crate::tenant::OtherRules) inside when another program
/// made the run.
pub fn rehearse(parts: &TenantParts) -> anyhow::Result<()> {
    let grant = parts.own.read_results;
    let Some(current) = parts.read(move |rd| run_current(rd, &grant))? else { return Ok(()) };
    let engine = Engine::of_run(parts, current.id)?;
    engine.map_or(Ok(()), |mut engine| step::rehearse(parts, &mut engine))
}

/// Calculates a tenant's rows. There is one per tenant; steps never overlap.
pub struct Processor {
    parts: Arc<TenantParts>,
    engines: Mutex<Option<Engines>>,
}

impl Processor {
    /// A processor that has yet to look at the tenant.
    #[must_use]
    pub fn new(parts: Arc<TenantParts>) -> Self {
        Self { parts, engines: Mutex::new(None) }
    }

    /// Calculates what was committed since the last step, up to about [`STEP_ROWS`] rows. Blocks.
    ///
    /// When packs or policy have changed, a new run begins at the first row, beside the one that
    /// readers see, which goes on; in the transaction that reaches the head it takes its place.
    ///
    /// # Errors
    /// The database's, or [`Damaged`](crate::tenant::Damaged) inside; nothing was changed then, and
    /// the next step begins where this one did.
    pub fn step(&self) -> anyhow::Result<Progress> {
        let mut slot = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut engines = match slot.take() {
            Some(engines) => engines.renewed(&self.parts)?,
            None => Engines::open(&self.parts)?,
        };
        // Engines that failed are forgotten: the next step reads anew what is stored. What readers see
        // goes first: its successor takes over where it stands, never behind.
        let seen = engines.seen.as_mut().map(|seen| step::step(&self.parts, seen)).transpose()?;
        let progress = step::step(&self.parts, &mut engines.wanted)?;
        *slot = Some(engines);
        let rows = progress.rows + seen.map_or(0, |seen| seen.rows);
        Ok(Progress { rows, ..progress })
    }

    /// Steps until nothing is left to do. Blocks.
    ///
    /// # Errors
    /// As [`Processor::step`].
    pub fn catch_up(&self) -> anyhow::Result<Progress> {
        loop {
            let progress = self.step()?;
            if progress.caught_up {
                return Ok(progress);
            }
        }
    }
}
