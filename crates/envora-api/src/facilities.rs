//! Facilities: sites.

use envora_domain::id::{EntityId, FacilityId};
use envora_domain::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facility {
    /// Its id.
    #[schema(value_type = String)]
    pub id: FacilityId,
    /// The organization's own word for it, unique.
    #[schema(example = "b24")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: String,
    /// ISO 3166-2 subdivision, where factors are told apart by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "GB-ENG")]
    pub region: Option<String>,
    /// IANA name.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The electricity grid, where it is not the country's one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grid: Option<String>,
    /// The legal entity it belongs to, if it is said: rows that name none themselves are that one's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub entity_id: Option<EntityId>,
    /// First day of its life, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub opened: Option<Day>,
    /// First day after its life, when it has ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub closed: Option<Day>,
    /// Counts its changes; goes into `If-Match` as `"v1"`.
    pub version: u64,
    /// Since when it is archived: left out of lists, and known to rows as before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Timestamp>,
}

/// A site to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFacility {
    /// The organization's own word for it, unique.
    #[schema(example = "b24")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: String,
    /// ISO 3166-2 subdivision, where factors are told apart by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
    /// IANA name; the organization's when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
    /// The electricity grid, where it is not the country's one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grid: Option<String>,
    /// The legal entity it belongs to, by its id or its code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "acme-uk")]
    pub entity: Option<String>,
    /// First day of its life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub opened: Option<Day>,
    /// First day after its life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub closed: Option<Day>,
}

impl NewFacility {
    /// The fields it may have: the list behind did-you-mean.
    pub const FIELDS: &[&str] =
        &["code", "name", "country", "region", "time_zone", "grid", "entity", "opened", "closed"];
}
