//! Many: a few statements run many times over, each looked up once, and only what changes bound anew.

use anyhow::Context as _;
use rusqlite::CachedStatement;

use crate::engine::{Connection, postgres};
use crate::observer::Observer;
use crate::statement::Statement;
use crate::value::Value;

/// Statements that are ready to run, by their place in a list.
pub(crate) struct Many<'c> {
    statements: &'c [&'static Statement],
    held: Held<'c>,
    observer: Option<&'c dyn Observer>,
}

enum Held<'c> {
    Sqlite(Vec<CachedStatement<'c>>),
    Postgres(&'c mut postgres::Session),
}

/// What a statement is run with.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'v> {
    /// How many of the first values are those of this statement's last run.
    pub(crate) kept: usize,
    /// All values.
    pub(crate) values: &'v [Value<'v>],
}

impl<'c> Many<'c> {
    /// Readies these statements.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn new(
        connection: &'c mut Connection,
        statements: &'c [&'static Statement],
        observer: Option<&'c dyn Observer>,
    ) -> anyhow::Result<Self> {
        let held = match connection {
            Connection::Sqlite(connection) => {
                let connection: &rusqlite::Connection = connection;
                let prepared = statements.iter().map(|statement| {
                    connection.prepare_cached(statement.sql).context(statement.name)
                });
                Held::Sqlite(prepared.collect::<anyhow::Result<_>>()?)
            }
            Connection::Postgres(session) => Held::Postgres(session),
        };
        Ok(Self { statements, held, observer })
    }

    fn observe(&self, statement: &Statement) {
        if let Some(observer) = self.observer {
            let engine = match self.held {
                Held::Sqlite(_) => crate::observer::EngineKind::Sqlite,
                Held::Postgres(_) => crate::observer::EngineKind::Postgres,
            };
            observer.ran(engine, statement.name);
        }
    }

    /// Runs a statement of the list that changes exactly one row.
    ///
    /// # Errors
    /// The database's, or that it changed none or several.
    pub(crate) fn execute_one(&mut self, place: usize, bound: Bound<'_>) -> anyhow::Result<()> {
        let statement = *self.statements.get(place).context("a statement of the list")?;
        self.observe(statement);
        let changed = match &mut self.held {
            Held::Sqlite(prepared) => {
                let prepared = prepared.get_mut(place).context("a statement of the list")?;
                bind(prepared, bound).context(statement.name)?;
                u64::try_from(prepared.raw_execute().context(statement.name)?)?
            }
            Held::Postgres(session) => {
                session.execute(statement, bound.values).context(statement.name)?
            }
        };
        anyhow::ensure!(changed == 1, "{} changed {changed} rows, not one", statement.name);
        Ok(())
    }
}

fn bind(statement: &mut CachedStatement<'_>, bound: Bound<'_>) -> rusqlite::Result<()> {
    for (place, value) in bound.values.iter().enumerate().skip(bound.kept) {
        statement.raw_bind_parameter(place + 1, value)?;
    }
    Ok(())
}
