//! Facilities: each change is a version with its own seq, so that old results stay what they were.

use envora_domain::access::{
    Grant,
    actions::{EditFacilities, ReadFacilities},
};
use envora_domain::id::FacilityId;
use envora_domain::time::{Day, Timestamp};

use crate::audit::{LeafDraft, audit_append, version_digest};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    FACILITY_HEAD_PUT = "INSERT INTO facility (facility_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (facility_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    FACILITY_VERSION_ADD = "INSERT INTO facility_version (facility_id, version, seq, code, name,
            country, region, time_zone, grid, opened_day, closed_day, at, actor)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    FACILITY_BY_ID = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone, v.grid,
            v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        WHERE f.facility_id = ?1";
    FACILITY_BY_CODE = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone,
            v.grid, v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        WHERE f.code = ?1";
    FACILITIES = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone, v.grid,
            v.opened_day, v.closed_day, v.version, v.seq, v.at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        ORDER BY v.code";
    FACILITY_VERSIONS = "SELECT facility_id, code, name, country, region, time_zone, grid,
            opened_day, closed_day, version, seq, at
        FROM facility_version WHERE seq <= ?1 ORDER BY seq";
}

/// What is said about a facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilityFields {
    /// Its id.
    pub id: FacilityId,
    /// The customer's own code, unique.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// ISO 3166-2 subdivision, or empty.
    pub region: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its electricity grid, or empty.
    pub grid: String,
    /// The first day of its life, if known.
    pub opened: Option<Day>,
    /// The day after its last, if it closed.
    pub closed: Option<Day>,
}

/// A facility's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facility {
    /// What is said about it.
    pub fields: FacilityFields,
    /// Counted from 1.
    pub version: u64,
    /// The seq from which calculation sees it.
    pub seq: u64,
    /// When it was saved.
    pub at: Timestamp,
}

/// What came of saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saving<T> {
    /// A new version.
    Saved(T),
    /// Nothing changed: the version that says the same.
    Unchanged(T),
    /// Another one has this code.
    CodeTaken,
}

/// Adds a facility, or a version of one, with its leaf. What says the same adds nothing.
///
/// # Errors
/// The database's.
pub fn facility_put(
    tx: &mut TenantTx,
    grant: &Grant<EditFacilities>,
    fields: &FacilityFields,
    now: Timestamp,
) -> anyhow::Result<Saving<Facility>> {
    tx.allow(grant)?;
    let holder = tx.first(FACILITY_BY_CODE, &[(&fields.code).into()], facility)?;
    if holder.is_some_and(|holder| holder.fields.id != fields.id) {
        return Ok(Saving::CodeTaken);
    }
    let before = tx.first(FACILITY_BY_ID, &[fields.id.into()], facility)?;
    if let Some(same) = before.as_ref().filter(|before| before.fields == *fields) {
        return Ok(Saving::Unchanged(same.clone()));
    }
    let version = before.map_or(1, |before| before.version + 1);
    let draft = LeafDraft::config(fields.id.bytes(), digest(fields), grant.actor());
    let seq = audit_append(tx, &draft, now)?;
    tx.execute_one(FACILITY_HEAD_PUT, &[fields.id.into(), (&fields.code).into(), version.into()])?;
    tx.execute_one(
        FACILITY_VERSION_ADD,
        &[
            fields.id.into(),
            version.into(),
            seq.into(),
            (&fields.code).into(),
            (&fields.name).into(),
            (&fields.country).into(),
            (&fields.region).into(),
            (&fields.time_zone).into(),
            (&fields.grid).into(),
            fields.opened.into(),
            fields.closed.into(),
            now.into(),
            grant.actor().into(),
        ],
    )?;
    Ok(Saving::Saved(Facility { fields: fields.clone(), version, seq, at: now }))
}

fn digest(fields: &FacilityFields) -> envora_domain::hash::Digest {
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    version_digest(
        "facility",
        &[
            &fields.code,
            &fields.name,
            &fields.country,
            &fields.region,
            &fields.time_zone,
            &fields.grid,
            &day(fields.opened),
            &day(fields.closed),
        ],
    )
}

fn facility(row: &mut Row<'_>) -> anyhow::Result<Facility> {
    Ok(Facility {
        fields: FacilityFields {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            country: row.text()?,
            region: row.text()?,
            time_zone: row.text()?,
            grid: row.text()?,
            opened: row.day_maybe()?,
            closed: row.day_maybe()?,
        },
        version: row.count()?,
        seq: row.count()?,
        at: row.timestamp()?,
    })
}

/// The facility of this id, as it is now.
///
/// # Errors
/// The database's.
pub fn facility_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadFacilities>,
    id: FacilityId,
) -> anyhow::Result<Option<Facility>> {
    rd.allow(grant)?;
    rd.first(FACILITY_BY_ID, &[id.into()], facility)
}

/// The facility that has this code now.
///
/// # Errors
/// The database's.
pub fn facility_by_code(
    rd: &mut TenantReader,
    grant: &Grant<ReadFacilities>,
    code: &str,
) -> anyhow::Result<Option<Facility>> {
    rd.allow(grant)?;
    rd.first(FACILITY_BY_CODE, &[code.into()], facility)
}

/// All facilities as they are now, by code.
///
/// # Errors
/// The database's.
pub fn facilities_all(
    rd: &mut TenantReader,
    grant: &Grant<ReadFacilities>,
) -> anyhow::Result<Vec<Facility>> {
    rd.allow(grant)?;
    rd.all(FACILITIES, &[], facility)
}

/// All versions up to this seq, in its order: what calculation resolves words with.
///
/// # Errors
/// The database's.
pub fn facility_versions(
    rd: &mut TenantReader,
    grant: &Grant<ReadFacilities>,
    seq: u64,
) -> anyhow::Result<Vec<Facility>> {
    rd.allow(grant)?;
    rd.all(FACILITY_VERSIONS, &[seq.into()], facility)
}
