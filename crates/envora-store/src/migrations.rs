//! Migrations: paired files, forward only, one version per tenant.

use anyhow::Context as _;
use envora_domain::id::TenantId;

use crate::engine::OpenError;
use crate::observer::EngineKind;
use crate::statement::statements;
use crate::transaction::TenantTx;

statements! {
    SCHEMA_VERSION = "SELECT COALESCE(max(version), 0) FROM schema_version";
    SCHEMA_VERSION_ADD = "INSERT INTO schema_version (version) VALUES (?1)";
    TENANT_ADD = "INSERT INTO tenant (one, tenant_id, epoch) VALUES (1, ?1, 1)";
    TENANT_READ = "SELECT tenant_id, epoch FROM tenant WHERE one = 1";
}

/// One step of the schema, in both dialects.
pub(crate) struct Migration {
    pub(crate) version: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

/// All steps, oldest first.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sqlite: include_str!("../migrations/0001_first.sqlite.sql"),
        postgres: include_str!("../migrations/0001_first.postgres.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../migrations/0002_nouns.sqlite.sql"),
        postgres: include_str!("../migrations/0002_nouns.postgres.sql"),
    },
    Migration {
        version: 3,
        sqlite: include_str!("../migrations/0003_segments_of_import.sqlite.sql"),
        postgres: include_str!("../migrations/0003_segments_of_import.postgres.sql"),
    },
    Migration {
        version: 4,
        sqlite: include_str!("../migrations/0004_likeness.sqlite.sql"),
        postgres: include_str!("../migrations/0004_likeness.postgres.sql"),
    },
    Migration {
        version: 5,
        sqlite: include_str!("../migrations/0005_archived.sqlite.sql"),
        postgres: include_str!("../migrations/0005_archived.postgres.sql"),
    },
    Migration {
        version: 6,
        sqlite: include_str!("../migrations/0006_segments_by_start.sqlite.sql"),
        postgres: include_str!("../migrations/0006_segments_by_start.postgres.sql"),
    },
    Migration {
        version: 7,
        sqlite: include_str!("../migrations/0007_chosen.sqlite.sql"),
        postgres: include_str!("../migrations/0007_chosen.postgres.sql"),
    },
    Migration {
        version: 8,
        sqlite: include_str!("../migrations/0008_skipped_rows.sqlite.sql"),
        postgres: include_str!("../migrations/0008_skipped_rows.postgres.sql"),
    },
    Migration {
        version: 9,
        sqlite: include_str!("../migrations/0009_facility_entity.sqlite.sql"),
        postgres: include_str!("../migrations/0009_facility_entity.postgres.sql"),
    },
    Migration {
        version: 10,
        sqlite: include_str!("../migrations/0010_imports_in_parts.sqlite.sql"),
        postgres: include_str!("../migrations/0010_imports_in_parts.postgres.sql"),
    },
    Migration {
        version: 11,
        sqlite: include_str!("../migrations/0011_factor_pack.sqlite.sql"),
        postgres: include_str!("../migrations/0011_factor_pack.postgres.sql"),
    },
    Migration {
        version: 12,
        sqlite: include_str!("../migrations/0012_deltas_by_segment.sqlite.sql"),
        postgres: include_str!("../migrations/0012_deltas_by_segment.postgres.sql"),
    },
    Migration {
        version: 13,
        sqlite: include_str!("../migrations/0013_rollups.sqlite.sql"),
        postgres: include_str!("../migrations/0013_rollups.postgres.sql"),
    },
    Migration {
        version: 14,
        sqlite: include_str!("../migrations/0014_sheaves.sqlite.sql"),
        postgres: include_str!("../migrations/0014_sheaves.postgres.sql"),
    },
    Migration {
        version: 15,
        sqlite: include_str!("../migrations/0015_mentioned.sqlite.sql"),
        postgres: include_str!("../migrations/0015_mentioned.postgres.sql"),
    },
];

impl Migration {
    pub(crate) const fn sql(&self, engine: EngineKind) -> &'static str {
        match engine {
            EngineKind::Sqlite => self.sqlite,
            EngineKind::Postgres => self.postgres,
        }
    }
}

fn unexpected(error: anyhow::Error) -> OpenError {
    OpenError::Unexpected(error)
}

/// Makes the schema of an empty database and writes down whose it is, in one transaction.
pub(crate) fn create(tx: &mut TenantTx, tenant: TenantId) -> Result<(), OpenError> {
    let begin = tx.connection.begin_write();
    tx.control(begin).map_err(unexpected)?;
    migrate_from(tx, 0).context("make the schema").map_err(unexpected)?;
    tx.execute_one(TENANT_ADD, &[tenant.into()]).map_err(unexpected)?;
    tx.control("COMMIT").map_err(unexpected)
}

/// Checks whose database it is and brings its schema up to this program's.
pub(crate) fn check_and_migrate(tx: &mut TenantTx, tenant: TenantId) -> Result<(), OpenError> {
    if !tx.connection.has_schema()? {
        return Err(OpenError::DataIntegrity("it has no schema".to_owned()));
    }
    let found = tx.one(SCHEMA_VERSION, &[], |row| row.int()).map_err(judged)?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if found > known {
        return Err(OpenError::UnknownSchema { found, known });
    }
    let (owner, _) = tenant_row(tx).map_err(judged)?;
    if owner != tenant {
        return Err(OpenError::OtherTenant);
    }
    if found < known {
        let begin = tx.connection.begin_write();
        tx.control(begin).map_err(unexpected)?;
        migrate_from(tx, found).context("bring the schema up to date").map_err(unexpected)?;
        tx.control("COMMIT").map_err(unexpected)?;
    }
    Ok(())
}

fn tenant_row(tx: &mut TenantTx) -> anyhow::Result<(TenantId, u64)> {
    tx.one(TENANT_READ, &[], |row| Ok((row.id()?, row.count()?)))
}

fn migrate_from(tx: &mut TenantTx, version: i64) -> anyhow::Result<()> {
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > version) {
        let sql = migration.sql(tx.engine());
        tx.control(sql).with_context(|| format!("run migration {}", migration.version))?;
        tx.execute_one(SCHEMA_VERSION_ADD, &[migration.version.into()])?;
    }
    Ok(())
}

/// The epoch of this database; it rises with each restore.
pub(crate) fn epoch(tx: &mut TenantTx) -> anyhow::Result<u64> {
    tenant_row(tx).map(|(_, epoch)| epoch)
}

/// Prepares every statement: a text that the live schema does not bear stops the start, not a request.
pub(crate) fn check_statements(tx: &mut TenantTx) -> Result<(), OpenError> {
    for statement in crate::statement::all() {
        tx.connection
            .prepare(statement)
            .with_context(|| format!("prepare {}", statement.name))
            .map_err(judged)?;
    }
    Ok(())
}

/// What an error while opening means: damage is told apart from everything else.
pub(crate) fn judged(error: anyhow::Error) -> OpenError {
    match crate::fault::fault_of(&error) {
        Some(crate::fault::Fault::Corrupt | crate::fault::Fault::Broken) => {
            OpenError::DataIntegrity(format!("{error:#}"))
        }
        Some(crate::fault::Fault::Full) | None => OpenError::Unexpected(error),
    }
}
