//! Sources: meters, vehicles, assets.

use envora_domain::access::actions::{EditSources, ReadSources};
use envora_domain::id::{self, FacilityId, Id, SourceId};
use envora_domain::time::Day;

use crate::nouns::{Noun, Statements, Version, day_word};
use crate::row::Row;
use crate::statement::statements;
use crate::value::Value;

statements! {
    SOURCE_HEAD_PUT = "INSERT INTO source (source_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (source_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    SOURCE_VERSION_ADD = "INSERT INTO source_version (source_id, version, seq, code, name,
            facility_id, kind, unit, time_zone,
            opened_day, closed_day, at, actor, archived_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    SOURCE_BY_ID = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit, v.time_zone,
            v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        WHERE f.source_id = ?1";
    SOURCE_BY_CODE = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit,
            v.time_zone,
            v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        WHERE f.code = ?1";
    SOURCES = "SELECT v.source_id, v.code, v.name, v.facility_id, v.kind, v.unit, v.time_zone,
            v.opened_day, v.closed_day, v.version, v.seq, v.at, v.archived_at
        FROM source_version v JOIN source f
            ON f.source_id = v.source_id AND f.version = v.version
        ORDER BY v.code";
    SOURCE_LAST = "SELECT COALESCE(max(seq), -1) FROM source_version";
    SOURCE_VERSIONS = "SELECT source_id, code, name, facility_id, kind, unit, time_zone, opened_day,
            closed_day, version, seq, at, archived_at
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
pub type Source = Version<SourceFields>;

impl Noun for SourceFields {
    type Kind = id::Source;
    type Read = ReadSources;
    type Edit = EditSources;
    const NAME: &'static str = "source";
    const STATEMENTS: Statements = Statements {
        head_put: SOURCE_HEAD_PUT,
        version_add: SOURCE_VERSION_ADD,
        by_id: SOURCE_BY_ID,
        by_code: SOURCE_BY_CODE,
        all: SOURCES,
        versions: SOURCE_VERSIONS,
        last: SOURCE_LAST,
    };

    fn id(&self) -> Id<id::Source> {
        self.id
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn values(&self) -> Vec<Value<'_>> {
        vec![
            (&self.code).into(),
            (&self.name).into(),
            Value::id_or_empty(self.facility),
            (&self.kind).into(),
            (&self.unit).into(),
            (&self.time_zone).into(),
            self.opened.into(),
            self.closed.into(),
        ]
    }

    fn words(&self) -> Vec<String> {
        vec![
            self.code.clone(),
            self.name.clone(),
            self.facility.map(|id| id.hex()).unwrap_or_default(),
            self.kind.clone(),
            self.unit.clone(),
            self.time_zone.clone(),
            day_word(self.opened),
            day_word(self.closed),
        ]
    }

    fn read(row: &mut Row<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            facility: row.id_or_empty()?,
            kind: row.text()?,
            unit: row.text()?,
            time_zone: row.text()?,
            opened: row.day_maybe()?,
            closed: row.day_maybe()?,
        })
    }
}
