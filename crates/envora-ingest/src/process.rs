//! Process: stored rows to calculated cells, one step after another, each in one transaction.
//!
//! What a row comes to is a pure function of the row, of the facilities and sources as of a place in
//! the log, and of the run. So a step that is lost in a crash is simply done again, and what a row
//! came to before can be taken out to the last digit by working it out again.

pub(crate) mod block;
pub(crate) mod choices;
pub(crate) mod decide;
mod events;
pub(crate) mod records;
pub mod recount;
pub(crate) mod runs;
pub(crate) mod scan;
mod step;
pub(crate) mod sums;

use std::sync::{Arc, Mutex, PoisonError};

use envora_domain::time::Timestamp;

use crate::process::runs::Engine;
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

/// Calculates a tenant's rows. There is one per tenant; steps never overlap.
pub struct Processor {
    parts: Arc<TenantParts>,
    engine: Mutex<Option<Engine>>,
}

impl Processor {
    /// A processor that has yet to look at the tenant.
    #[must_use]
    pub fn new(parts: Arc<TenantParts>) -> Self {
        Self { parts, engine: Mutex::new(None) }
    }

    /// Calculates what was committed since the last step, up to about [`STEP_ROWS`] rows. Blocks.
    ///
    /// # Errors
    /// The database's, or [`Damaged`](crate::tenant::Damaged) inside; nothing was changed then, and
    /// the next step begins where this one did.
    pub fn step(&self) -> anyhow::Result<Progress> {
        let mut slot = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let mut engine = match slot.take() {
            Some(engine) => engine.renewed(&self.parts)?,
            None => Engine::open(&self.parts)?,
        };
        // An engine that failed is forgotten: the next step reads anew what is stored.
        let progress = step::step(&self.parts, &mut engine)?;
        *slot = Some(engine);
        Ok(progress)
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
