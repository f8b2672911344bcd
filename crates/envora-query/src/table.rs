//! The port to whoever has the rows: the files of a command line, or a tenant's segments.

use std::sync::Arc;

use envora_domain::time::{Day, Timestamp};

use crate::columns::{Batch, Column};

/// A table that a question may name.
///
/// A question may read a table several times, at once or after one another; each reading gives all rows
/// of the moment for which the table was made, so that both sides of a join agree.
pub trait Table: Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its columns, in order.
    fn columns(&self) -> Vec<Column>;

    /// Begins to read. What takes long is done as batches are asked for.
    ///
    /// # Errors
    /// What reading says.
    fn read(&self, wanted: Wanted) -> anyhow::Result<Reading>;
}

/// Batches of rows, each read when it is asked for, on a thread that may block.
pub type Reading = Box<dyn Iterator<Item = anyhow::Result<Batch>> + Send>;

/// What is wanted of a table.
#[derive(Clone)]
pub struct Wanted {
    /// Only these columns, by their places, in this order.
    pub places: Vec<usize>,
    /// What each wanted row fulfils. Others may be given too: they are left out again.
    pub bounds: Vec<Bound>,
    /// How many rows are enough.
    pub rows_enough: Option<usize>,
    /// How many rows a batch has at most.
    pub batch_rows: usize,
    /// Told how many bytes are held beside the batches.
    pub memory: Memory,
}

/// A condition on a column that all wanted rows fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It holds one of these words.
    OneOf(&'static str, Vec<String>),
    /// It holds this day or a later one.
    FromDay(&'static str, Day),
    /// It holds this day or an earlier one.
    ToDay(&'static str, Day),
    /// It holds this instant or a later one.
    FromInstant(&'static str, Timestamp),
    /// It holds this instant or an earlier one.
    ToInstant(&'static str, Timestamp),
}

/// Counts what a reading holds against what the question may use.
#[derive(Clone)]
pub struct Memory(pub(crate) Arc<dyn Fn(usize) -> Result<(), NoRoom> + Send + Sync>);

/// The question would hold more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading would hold more memory than one question may")]
pub struct NoRoom;

impl Memory {
    /// Says how many bytes are held from now on.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn holds(&self, bytes: usize) -> Result<(), NoRoom> {
        (self.0)(bytes)
    }
}
