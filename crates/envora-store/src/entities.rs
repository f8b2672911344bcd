//! Entities: the legal entities of an organization, and what of each it owns and controls.

use envora_domain::access::actions::{EditEntities, ReadEntities};
use envora_domain::id::{self, EntityId, Id};

use crate::nouns::{Noun, Statements, Version};
use crate::row::Row;
use crate::statement::statements;
use crate::value::Value;

statements! {
    ENTITY_HEAD_PUT = "INSERT INTO entity (entity_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (entity_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    ENTITY_VERSION_ADD = "INSERT INTO entity_version (entity_id, version, seq, code, name,
            country, lei, share, control, at, actor, archived_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    ENTITY_BY_ID = "SELECT v.entity_id, v.code, v.name, v.country, v.lei, v.share, v.control,
            v.version, v.seq, v.at, v.archived_at
        FROM entity_version v JOIN entity f
            ON f.entity_id = v.entity_id AND f.version = v.version
        WHERE f.entity_id = ?1";
    ENTITY_BY_CODE = "SELECT v.entity_id, v.code, v.name, v.country, v.lei, v.share, v.control,
            v.version, v.seq, v.at, v.archived_at
        FROM entity_version v JOIN entity f
            ON f.entity_id = v.entity_id AND f.version = v.version
        WHERE f.code = ?1";
    ENTITIES = "SELECT v.entity_id, v.code, v.name, v.country, v.lei, v.share, v.control,
            v.version, v.seq, v.at, v.archived_at
        FROM entity_version v JOIN entity f
            ON f.entity_id = v.entity_id AND f.version = v.version
        ORDER BY v.code";
    ENTITY_LAST = "SELECT COALESCE(max(seq), -1) FROM entity_version";
    ENTITY_VERSIONS = "SELECT entity_id, code, name, country, lei, share, control, version, seq, at,
            archived_at
        FROM entity_version WHERE seq <= ?1 ORDER BY seq";
}

/// What is said about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityFields {
    /// Its id.
    pub id: EntityId,
    /// The customer's own code, unique.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// Its legal entity identifier (ISO 17442), or empty.
    pub lei: String,
    /// The equity share that the organization holds: a decimal from 0 to 1, as sent.
    pub share: String,
    /// What the organization controls of it: `operational`, `financial`, `both` or `none`.
    pub control: String,
}

/// An entity's version.
pub type Entity = Version<EntityFields>;

impl Noun for EntityFields {
    type Kind = id::Entity;
    type Read = ReadEntities;
    type Edit = EditEntities;
    const NAME: &'static str = "entity";
    const STATEMENTS: Statements = Statements {
        head_put: ENTITY_HEAD_PUT,
        version_add: ENTITY_VERSION_ADD,
        by_id: ENTITY_BY_ID,
        by_code: ENTITY_BY_CODE,
        all: ENTITIES,
        versions: ENTITY_VERSIONS,
        last: ENTITY_LAST,
    };

    fn id(&self) -> Id<id::Entity> {
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
            (&self.lei).into(),
            (&self.share).into(),
            (&self.control).into(),
        ]
    }

    fn words(&self) -> Vec<String> {
        vec![
            self.code.clone(),
            self.name.clone(),
            self.country.clone(),
            self.lei.clone(),
            self.share.clone(),
            self.control.clone(),
        ]
    }

    fn read(row: &mut Row<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            country: row.text()?,
            lei: row.text()?,
            share: row.text()?,
            control: row.text()?,
        })
    }
}
