//! `PostgreSQL`: a session with its own small runtime, so that a unit of work stays a plain closure.

use std::collections::HashMap;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use super::address::Address;
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
    address: Address,
}

pub(super) fn unexpected(error: impl Into<anyhow::Error>) -> OpenError {
    OpenError::Unexpected(error.into())
}

/// Who holds the writer's lock of this database, as the server sees it.
const HOLDER: &str = "SELECT concat(a.application_name, ' at ' || host(a.client_addr),
        ', connected since ' || date_trunc('second', a.backend_start))
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    LIMIT 1";

impl Session {
    /// Connects, and looks whether what durability needs is on.
    pub(super) fn connect(address: &Address) -> Result<Self, OpenError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(unexpected)?;
        let connect = address.config().connect(NoTls);
        let (client, connection) =
            runtime.block_on(connect).map_err(|error| address.judged(error))?;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        let address = address.clone();
        let session = Self { client, prepared: HashMap::new(), runtime, address };
        for (setting, due) in DUE {
            session.due(setting, due)?;
        }
        Ok(session)
    }

    pub(crate) fn open(address: &Address, purpose: Purpose) -> Result<Self, OpenError> {
        let session = Self::connect(address)?;
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

    /// Runs words outside any transaction.
    pub(super) fn words(&self, words: &str) -> Result<(), OpenError> {
        let done = self.runtime.block_on(self.client.batch_execute(words));
        done.map_err(|error| self.address.judged(error))
    }

    fn text(&self, query: &str) -> Result<Option<String>, OpenError> {
        let row = self.runtime.block_on(self.client.query_opt(query, &[]));
        Ok(row.map_err(|error| self.address.judged(error))?.map(|row| row.get(0)))
    }

    /// The server's version.
    pub(super) fn version(&self) -> Result<String, OpenError> {
        Ok(self.text("SHOW server_version")?.unwrap_or_default())
    }

    fn due(&self, setting: &'static str, due: &'static str) -> Result<(), OpenError> {
        let found = self.text(&format!("SHOW {setting}"))?.unwrap_or_default();
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
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => self.busy(),
            _ => self.address.judged(error),
        })
    }

    fn busy(&self) -> OpenError {
        let by = self.text(HOLDER).ok().flatten();
        OpenError::Busy { by: by.unwrap_or_else(|| "which has just ended".to_owned()) }
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
