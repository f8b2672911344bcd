//! The organization and its settings.

use envora_domain::id::OrganizationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The organization, as one of its environments shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organization {
    /// Its id.
    #[schema(value_type = String)]
    pub id: OrganizationId,
    /// Its short name, part of its host.
    #[schema(example = "acme")]
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `live` or `test`.
    #[schema(example = "live")]
    pub environment: String,
    /// The reporting zone.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The GWP set that answers use when none is asked for.
    #[schema(example = "published")]
    pub default_gwp_set: String,
    /// How many days source files are kept.
    #[schema(example = 2557)]
    pub source_retention_days: u32,
    /// Part of the audit log's origin; fixed.
    #[schema(example = "envora.localhost")]
    pub domain: String,
    /// Counts its changes; goes into `If-Match` as `"v1"`.
    pub version: u64,
}

/// The settings that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrganization {
    /// Its name for people.
    #[schema(example = "Acme Ltd")]
    pub name: Option<String>,
    /// The reporting zone.
    #[schema(example = "Europe/London")]
    pub time_zone: Option<String>,
    /// The GWP set that answers use when none is asked for.
    #[schema(example = "published")]
    pub default_gwp_set: Option<String>,
    /// How many days source files are kept.
    #[schema(example = 2557)]
    pub source_retention_days: Option<u32>,
}
