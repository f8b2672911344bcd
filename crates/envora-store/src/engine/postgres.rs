//! `PostgreSQL`: a session with its own small runtime, so that a unit of work stays a plain closure.

use std::collections::HashMap;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use super::{OpenError, Purpose};
use crate::row::Row;
use crate::statement::{Statement, for_postgres};
use crate::value::Value;

/// The writer of a database holds this advisory lock: two processes cannot both append to one log.
const WRITER_LOCK: i64 = 0x656e_766f_7261;

/// What must hold on each connection: role, database and session can each weaken it.
const DUE: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("data_sync_retry", "off"),
    ("server_encoding", "UTF8"),
];

/// One connection. It is made and dropped on the thread that uses it.
pub(crate) struct Session {
    client: Client,
    prepared: HashMap<&'static str, tokio_postgres::Statement>,
    runtime: Runtime,
}

fn unexpected(error: impl Into<anyhow::Error>) -> OpenError {
    OpenError::Unexpected(error.into())
}

impl Session {
    pub(crate) fn open(url: &str, purpose: Purpose) -> Result<Self, OpenError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(unexpected)?;
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(url, NoTls)).map_err(missing_or_unexpected)?;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        let session = Self { client, prepared: HashMap::new(), runtime };
        for (setting, due) in DUE {
            session.due(setting, due)?;
        }
        match purpose {
            Purpose::Create | Purpose::Write => session.lock()?,
            Purpose::Read => {
                session.batch("SET default_transaction_read_only = on").map_err(unexpected)?;
            }
        }
        if purpose == Purpose::Create && session.has_schema()? {
            return Err(OpenError::AlreadyExists);
        }
        if purpose != Purpose::Create && !session.has_schema()? {
            return Err(OpenError::Missing);
        }
        Ok(session)
    }

    fn due(&self, setting: &'static str, due: &'static str) -> Result<(), OpenError> {
        let show = format!("SHOW {setting}");
        let row = self.runtime.block_on(self.client.query_one(&show, &[])).map_err(unexpected)?;
        let found: String = row.get(0);
        if found == due { Ok(()) } else { Err(OpenError::Unsafe { setting, found, due }) }
    }

    /// Waits a moment: the connection of a writer that was just closed may still be going away.
    fn lock(&self) -> Result<(), OpenError> {
        let take = async {
            self.client.batch_execute("SET lock_timeout = 2000").await?;
            self.client.execute("SELECT pg_advisory_lock($1)", &[&WRITER_LOCK]).await?;
            self.client.batch_execute("SET lock_timeout = 0").await
        };
        self.runtime.block_on(take).map_err(|error| match error.code() {
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => OpenError::Busy,
            _ => unexpected(error),
        })
    }

    pub(crate) fn has_schema(&self) -> Result<bool, OpenError> {
        let look = "SELECT to_regclass('schema_version') IS NOT NULL";
        let row = self.runtime.block_on(self.client.query_one(look, &[])).map_err(unexpected)?;
        Ok(row.get(0))
    }

    pub(crate) fn prepared(
        &mut self,
        statement: &'static Statement,
    ) -> anyhow::Result<tokio_postgres::Statement> {
        if let Some(prepared) = self.prepared.get(statement.name) {
            return Ok(prepared.clone());
        }
        let sql = for_postgres(statement.sql);
        let prepared = self.runtime.block_on(self.client.prepare(&sql))?;
        self.prepared.insert(statement.name, prepared.clone());
        Ok(prepared)
    }

    pub(crate) fn query(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&mut Row<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let prepared = self.prepared(statement)?;
        let rows = self.runtime.block_on(self.client.query(&prepared, &borrowed(values)))?;
        rows.iter().try_for_each(|row| each(&mut Row::postgres(row)))
    }

    pub(crate) fn execute(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> anyhow::Result<u64> {
        let prepared = self.prepared(statement)?;
        Ok(self.runtime.block_on(self.client.execute(&prepared, &borrowed(values)))?)
    }

    pub(crate) fn batch(&self, sql: &str) -> anyhow::Result<()> {
        self.runtime.block_on(self.client.batch_execute(sql)).context("run a batch")
    }
}

impl Drop for Session {
    /// The server gives the lock back when it sees the connection gone; saying so is sooner.
    fn drop(&mut self) {
        let unlock = self.client.batch_execute("SELECT pg_advisory_unlock_all()");
        if let Err(error) = self.runtime.block_on(unlock) {
            tracing::debug!(%error, "the writer's lock was not given back");
        }
    }
}

fn borrowed<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn missing_or_unexpected(error: tokio_postgres::Error) -> OpenError {
    match error.code() {
        Some(state) if *state == SqlState::UNDEFINED_DATABASE => OpenError::Missing,
        Some(state) if *state == SqlState::INVALID_PASSWORD => OpenError::KeyUnavailable,
        _ => unexpected(error),
    }
}
