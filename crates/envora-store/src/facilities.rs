//! Facilities: sites.

use envora_domain::access::actions::{EditFacilities, ReadFacilities};
use envora_domain::id::{self, EntityId, FacilityId, Id};
use envora_domain::time::Day;

use crate::nouns::{Noun, Statements, Version, day_word};
use crate::row::Row;
use crate::statement::statements;
use crate::value::Value;

statements! {
    FACILITY_HEAD_PUT = "INSERT INTO facility (facility_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (facility_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    FACILITY_VERSION_ADD = "INSERT INTO facility_version (facility_id, version, seq, code, name,
            country, region, time_zone, grid, entity_id,
            opened_day, closed_day, at, actor, archived_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    FACILITY_BY_ID = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone,
            v.grid, v.entity_id,
            v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        WHERE f.facility_id = ?1";
    FACILITY_BY_CODE = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone,
            v.grid, v.entity_id,
            v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        WHERE f.code = ?1";
    FACILITIES = "SELECT v.facility_id, v.code, v.name, v.country, v.region, v.time_zone, v.grid,
            v.entity_id, v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM facility_version v JOIN facility f
            ON f.facility_id = v.facility_id AND f.version = v.version
        ORDER BY v.code";
    FACILITY_LAST = "SELECT COALESCE(max(seq), -1) FROM facility_version";
    FACILITY_VERSIONS = "SELECT facility_id, code, name, country, region, time_zone, grid,
            entity_id, opened_day,
            closed_day, version, seq, at, archived_at
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
    /// The legal entity it belongs to, if it is said.
    pub entity: Option<EntityId>,
    /// The first day of its life, if known.
    pub opened: Option<Day>,
    /// The day after its last, if it closed.
    pub closed: Option<Day>,
}

/// A facility's version.
pub type Facility = Version<FacilityFields>;

impl Noun for FacilityFields {
    type Kind = id::Facility;
    type Read = ReadFacilities;
    type Edit = EditFacilities;
    const NAME: &'static str = "facility";
    const STATEMENTS: Statements = Statements {
        head_put: FACILITY_HEAD_PUT,
        version_add: FACILITY_VERSION_ADD,
        by_id: FACILITY_BY_ID,
        by_code: FACILITY_BY_CODE,
        all: FACILITIES,
        versions: FACILITY_VERSIONS,
        last: FACILITY_LAST,
    };

    fn id(&self) -> Id<id::Facility> {
        self.id
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn values(&self) -> Vec<Value<'_>> {
        vec![
            (&self.code).into(),
            (&self.name).into(),
            (&self.country).into(),
            (&self.region).into(),
            (&self.time_zone).into(),
            (&self.grid).into(),
            Value::id_or_empty(self.entity),
            self.opened.into(),
            self.closed.into(),
        ]
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec![
            self.code.clone(),
            self.name.clone(),
            self.country.clone(),
            self.region.clone(),
            self.time_zone.clone(),
            self.grid.clone(),
            day_word(self.opened),
            day_word(self.closed),
        ];
        // Said of some only: digests of versions without one are those of before.
        words.extend(self.entity.iter().flat_map(|id| ["entity".to_owned(), id.hex()]));
        words
    }

    fn read(row: &mut Row<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            country: row.text()?,
            region: row.text()?,
            time_zone: row.text()?,
            grid: row.text()?,
            entity: row.id_or_empty()?,
            opened: row.day_maybe()?,
            closed: row.day_maybe()?,
        })
    }
}
