//! Entities: the legal entities of an organization.

use envora_domain::id::EntityId;
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A legal entity, and what of it the organization owns and controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entity {
    /// Its id.
    #[schema(value_type = String)]
    pub id: EntityId,
    /// The organization's own word for it, unique.
    #[schema(example = "acme-uk")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// ISO 3166-1 alpha-2, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "GB")]
    pub country: Option<String>,
    /// Its legal entity identifier (ISO 17442), when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lei: Option<String>,
    /// The equity share that the organization holds, from 0 to 1.
    #[schema(example = "0.75")]
    pub share: String,
    /// What the organization controls of it: `operational`, `financial`, `both` or `none`.
    #[schema(example = "both")]
    pub control: String,
    /// Counts its changes; goes into `If-Match` as `"v1"`.
    pub version: u64,
    /// Since when it is archived: left out of lists, and known to rows as before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Timestamp>,
}

/// A legal entity to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntity {
    /// The organization's own word for it, unique.
    #[schema(example = "acme-uk")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "GB")]
    pub country: Option<String>,
    /// Its legal entity identifier (ISO 17442): 20 letters and digits with their two check digits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lei: Option<String>,
    /// The equity share that the organization holds: a decimal as a string, from 0 to 1; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "0.75")]
    pub share: Option<String>,
    /// What the organization controls of it: `operational`, `financial`, `both` or `none`; `both` when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "both")]
    pub control: Option<String>,
}

impl NewEntity {
    /// The fields it may have: the list behind did-you-mean.
    pub const FIELDS: &[&str] = &["code", "name", "country", "lei", "share", "control"];
    /// The words of `control`.
    pub const CONTROLS: &[&str] = &["operational", "financial", "both", "none"];
}
