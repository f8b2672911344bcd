//! Sources (meters, vehicles, assets): each change is a version with its own seq, so that old results
//! stay what they were.

use envora_domain::access::{
    Grant,
    actions::{EditSources, ReadSources},
};
use envora_domain::id::{FacilityId, SourceId};
use envora_domain::time::{Day, Timestamp};

use crate::audit::{LeafDraft, audit_append, version_digest};
use crate::facilities::Saving;
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;

statements! {
    SOURCE_HEAD_PUT = "INSERT INTO source (source_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (source_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    SOURCE_VERSION_ADD = "INSERT INTO source_version (source_id, version, seq, code, name,
            facility_id, kind, unit, time_zone, opened_day, closed_day, at, actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    SOURCE_BY_ID = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit, v.time_zone,
            v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        WHERE f.source_id = ?1";
    SOURCE_BY_CODE = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit,
            v.time_zone, v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        WHERE f.code = ?1";
    SOURCES = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit, v.time_zone,
            v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        ORDER BY v.code";
    SOURCE_VERSIONS = "SELECT source_id, code, name, facility_id, kind, unit, time_zone,
            opened_day, closed_day, version, seq, at
        FROM source_version WHERE seq <= ?1 ORDER BY seq";
}

/// What is said about a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFields {
    /// Its id.
    pub id: SourceId,
    /// The customer's own code, unique.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// Where it stands, if anywhere.
    pub facility: Option<FacilityId>,
    /// The activity type that it usually sends, or empty.
    pub kind: String,
    /// The unit that it usually sends, or empty.
    pub unit: String,
    /// Its IANA time zone; empty: the facility's.
    pub time_zone: String,
    /// The first day of its life, if known.
    pub opened: Option<Day>,
    /// The day after its last, if it closed.
    pub closed: Option<Day>,
}

/// A source's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What is said about it.
    pub fields: SourceFields,
    /// Counted from 1.
    pub version: u64,
    /// The seq from which calculation sees it.
    pub seq: u64,
    /// When it was saved.
    pub at: Timestamp,
}

/// Adds a source, or a version of one, with its leaf. What says the same adds nothing.
///
/// # Errors
/// The database's.
pub fn source_put(
    tx: &mut TenantTx,
    grant: &Grant<EditSources>,
    fields: &SourceFields,
    now: Timestamp,
) -> anyhow::Result<Saving<Source>> {
    tx.allow(grant)?;
    let holder = tx.first(SOURCE_BY_CODE, &[(&fields.code).into()], source)?;
    if holder.is_some_and(|holder| holder.fields.id != fields.id) {
        return Ok(Saving::CodeTaken);
    }
    let before = tx.first(SOURCE_BY_ID, &[fields.id.into()], source)?;
    if let Some(same) = before.as_ref().filter(|before| before.fields == *fields) {
        return Ok(Saving::Unchanged(same.clone()));
    }
    let version = before.map_or(1, |before| before.version + 1);
    let draft = LeafDraft::config(fields.id.bytes(), digest(fields), grant.actor());
    let seq = audit_append(tx, &draft, now)?;
    tx.execute_one(SOURCE_HEAD_PUT, &[fields.id.into(), (&fields.code).into(), version.into()])?;
    tx.execute_one(
        SOURCE_VERSION_ADD,
        &[
            fields.id.into(),
            version.into(),
            seq.into(),
            (&fields.code).into(),
            (&fields.name).into(),
            Value::id_or_empty(fields.facility),
            (&fields.kind).into(),
            (&fields.unit).into(),
            (&fields.time_zone).into(),
            fields.opened.into(),
            fields.closed.into(),
            now.into(),
            grant.actor().into(),
        ],
    )?;
    Ok(Saving::Saved(Source { fields: fields.clone(), version, seq, at: now }))
}

fn digest(fields: &SourceFields) -> envora_domain::hash::Digest {
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    version_digest(
        "source",
        &[
            &fields.code,
            &fields.name,
            &fields.facility.map(|id| id.hex()).unwrap_or_default(),
            &fields.kind,
            &fields.unit,
            &fields.time_zone,
            &day(fields.opened),
            &day(fields.closed),
        ],
    )
}

fn source(row: &mut Row<'_>) -> anyhow::Result<Source> {
    Ok(Source {
        fields: SourceFields {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            facility: row.id_or_empty()?,
            kind: row.text()?,
            unit: row.text()?,
            time_zone: row.text()?,
            opened: row.day_maybe()?,
            closed: row.day_maybe()?,
        },
        version: row.count()?,
        seq: row.count()?,
        at: row.timestamp()?,
    })
}

/// The source of this id, as it is now.
///
/// # Errors
/// The database's.
pub fn source_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadSources>,
    id: SourceId,
) -> anyhow::Result<Option<Source>> {
    rd.allow(grant)?;
    rd.first(SOURCE_BY_ID, &[id.into()], source)
}

/// The source that has this code now.
///
/// # Errors
/// The database's.
pub fn source_by_code(
    rd: &mut TenantReader,
    grant: &Grant<ReadSources>,
    code: &str,
) -> anyhow::Result<Option<Source>> {
    rd.allow(grant)?;
    rd.first(SOURCE_BY_CODE, &[code.into()], source)
}

/// All sources as they are now, by code.
///
/// # Errors
/// The database's.
pub fn sources_all(
    rd: &mut TenantReader,
    grant: &Grant<ReadSources>,
) -> anyhow::Result<Vec<Source>> {
    rd.allow(grant)?;
    rd.all(SOURCES, &[], source)
}

/// All versions up to this seq, in its order: what calculation resolves words with.
///
/// # Errors
/// The database's.
pub fn source_versions(
    rd: &mut TenantReader,
    grant: &Grant<ReadSources>,
    seq: u64,
) -> anyhow::Result<Vec<Source>> {
    rd.allow(grant)?;
    rd.all(SOURCE_VERSIONS, &[seq.into()], source)
}
