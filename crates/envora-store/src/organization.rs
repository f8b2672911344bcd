//! The organization and its settings: one row per change, since calculation reads them as of a seq.

use envora_domain::access::{
    Grant,
    actions::{EditOrganization, ReadOrganization},
};
use envora_domain::id::OrganizationId;
use envora_domain::time::Timestamp;

use crate::audit::{LeafDraft, audit_append, version_digest};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    ORGANIZATION_ADD = "INSERT INTO organization_version (seq, organization_id, slug, environment,
            name, time_zone, domain, default_gwp_set, source_retention_days, at, actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    ORGANIZATION_AS_OF = "SELECT organization_id, slug, environment, name, time_zone, domain,
            default_gwp_set, source_retention_days, seq, at
        FROM organization_version WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
}

/// What an organization is called and how it wants its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationSettings {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name, in host names.
    pub slug: String,
    /// `live` or `test`.
    pub environment: String,
    /// Its name, for people.
    pub name: String,
    /// The zone of list filters and display.
    pub time_zone: String,
    /// The domain of the log's origin; fixed when the folder was made.
    pub domain: String,
    /// The GWP set of figures when a question names none.
    pub default_gwp_set: String,
    /// How long source files are kept.
    pub source_retention_days: u32,
}

/// Settings with the seq from which they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The settings.
    pub settings: OrganizationSettings,
    /// The seq of their leaf.
    pub seq: u64,
    /// When they were set.
    pub at: Timestamp,
}

/// Sets the settings and appends the change's leaf.
///
/// # Errors
/// The database's.
pub fn organization_put(
    tx: &mut TenantTx,
    grant: &Grant<EditOrganization>,
    settings: &OrganizationSettings,
    now: Timestamp,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    let retention = settings.source_retention_days.to_string();
    let digest = version_digest(
        "organization",
        &[
            &settings.slug,
            &settings.environment,
            &settings.name,
            &settings.time_zone,
            &settings.domain,
            &settings.default_gwp_set,
            &retention,
        ],
    );
    let draft = LeafDraft::config(settings.id.bytes(), digest, grant.actor());
    let seq = audit_append(tx, &draft, now)?;
    tx.execute_one(
        ORGANIZATION_ADD,
        &[
            seq.into(),
            settings.id.into(),
            (&settings.slug).into(),
            (&settings.environment).into(),
            (&settings.name).into(),
            (&settings.time_zone).into(),
            (&settings.domain).into(),
            (&settings.default_gwp_set).into(),
            settings.source_retention_days.into(),
            now.into(),
            grant.actor().into(),
        ],
    )?;
    Ok(seq)
}

fn organization(row: &mut Row<'_>) -> anyhow::Result<Organization> {
    Ok(Organization {
        settings: OrganizationSettings {
            id: row.id()?,
            slug: row.text()?,
            environment: row.text()?,
            name: row.text()?,
            time_zone: row.text()?,
            domain: row.text()?,
            default_gwp_set: row.text()?,
            source_retention_days: row.small()?,
        },
        seq: row.count()?,
        at: row.timestamp()?,
    })
}

/// The settings now; `None` before the first.
///
/// # Errors
/// The database's.
pub fn organization_now(
    rd: &mut TenantReader,
    grant: &Grant<ReadOrganization>,
) -> anyhow::Result<Option<Organization>> {
    organization_as_of(rd, grant, u64::MAX)
}

/// The settings that hold at this seq.
///
/// # Errors
/// The database's.
pub fn organization_as_of(
    rd: &mut TenantReader,
    grant: &Grant<ReadOrganization>,
    seq: u64,
) -> anyhow::Result<Option<Organization>> {
    rd.allow(grant)?;
    rd.first(ORGANIZATION_AS_OF, &[seq.into()], organization)
}
