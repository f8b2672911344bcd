//! What a unit of work is given: a reader over one snapshot, or a transaction that also writes.
//!
//! Both are plain and synchronous: nothing can wait in them but the database. A [`TenantTx`] stands
//! where a [`TenantReader`] is due, so that each look-up is written once.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use envora_domain::access::{Action, Grant};
use envora_domain::id::TenantId;

use crate::engine::Connection;
use crate::fault::{Fault, fault_of};
use crate::idempotency::Remembered;
use crate::many::Many;
use crate::observer::{EngineKind, Observer};
use crate::row::Row;
use crate::statement::Statement;
use crate::value::Value;

/// Reads of one tenant's database.
pub struct TenantReader {
    pub(crate) connection: Connection,
    pub(crate) tenant: TenantId,
    pub(crate) remembered: Arc<Remembered>,
    pub(crate) fault: Option<Fault>,
    observer: Option<Arc<dyn Observer>>,
}

/// A write transaction of one tenant's database: a savepoint within the writer's group.
pub struct TenantTx {
    reader: TenantReader,
}

impl TenantReader {
    pub(crate) const fn new(
        connection: Connection,
        tenant: TenantId,
        remembered: Arc<Remembered>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self { connection, tenant, remembered, fault: None, observer }
    }

    /// Which engine this is.
    #[must_use]
    pub const fn engine(&self) -> EngineKind {
        self.connection.kind()
    }

    /// The tenant whose database this is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Refuses a grant that was given for another tenant.
    pub(crate) fn allow<A: Action>(&self, grant: &Grant<A>) -> anyhow::Result<()> {
        ensure!(grant.tenant() == self.tenant, "a grant of another tenant reached this database");
        Ok(())
    }

    fn observe(&self, statement: &Statement) {
        if let Some(observer) = &self.observer {
            observer.ran(self.engine(), statement.name);
        }
    }

    /// Remembers what kind of failure an error is, so that a job cannot swallow a broken disk.
    pub(crate) fn judged<T>(
        &mut self,
        statement: &Statement,
        outcome: anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        outcome.map_err(|error| {
            self.fault = self.fault.max(fault_of(&error));
            error.context(statement.name)
        })
    }

    /// Runs a statement and hands each row to `each`.
    pub(crate) fn each(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut each: impl FnMut(&mut Row<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.observe(statement);
        let outcome = self.connection.query(statement, values, &mut each);
        self.judged(statement, outcome)
    }

    /// All rows of an answer.
    pub(crate) fn all<T>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<Vec<T>> {
        let mut rows = Vec::new();
        self.each(statement, values, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The row of an answer that has one or none.
    pub(crate) fn first<T>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        Ok(self.all(statement, values, read)?.into_iter().next())
    }

    /// The row of an answer that always has one.
    pub(crate) fn one<T>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.first(statement, values, read)?.context(statement.name).context("a row is missing")
    }

    /// Runs words that are no statement: BEGIN, SAVEPOINT, COMMIT.
    pub(crate) fn control(&mut self, words: &str) -> anyhow::Result<()> {
        self.connection.batch(words).map_err(|error| {
            self.fault = self.fault.max(fault_of(&error));
            error.context(words.to_owned())
        })
    }
}

impl TenantTx {
    pub(crate) const fn new(reader: TenantReader) -> Self {
        Self { reader }
    }

    /// Runs a statement that changes rows; says how many.
    pub(crate) fn execute(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> anyhow::Result<u64> {
        self.reader.observe(statement);
        let outcome = self.reader.connection.execute(statement, values);
        self.reader.judged(statement, outcome)
    }

    /// Runs statements of a list many times over, each looked up once.
    pub(crate) fn many<T>(
        &mut self,
        statements: &[&'static Statement],
        work: impl FnOnce(&mut Many<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let TenantReader { connection, observer, .. } = &mut self.reader;
        let outcome = Many::new(connection, statements, observer.as_deref())
            .and_then(|mut many| work(&mut many));
        outcome.inspect_err(|error| {
            self.reader.fault = self.reader.fault.max(fault_of(error));
        })
    }

    /// Runs a statement that must change exactly one row: its guard is in its WHERE.
    pub(crate) fn execute_one(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> anyhow::Result<()> {
        let changed = self.execute(statement, values)?;
        ensure!(changed == 1, "{} changed {changed} rows, not one", statement.name);
        Ok(())
    }
}

impl Deref for TenantTx {
    type Target = TenantReader;

    fn deref(&self) -> &TenantReader {
        &self.reader
    }
}

impl DerefMut for TenantTx {
    fn deref_mut(&mut self) -> &mut TenantReader {
        &mut self.reader
    }
}
