//! Sources: meters, vehicles, assets.

use envora_domain::id::{FacilityId, SourceId};
use envora_domain::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A meter, vehicle or asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Its id.
    #[schema(value_type = String)]
    pub id: SourceId,
    /// The organization's own word for it, unique.
    #[schema(example = "b24-electricity")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// The facility it belongs to, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub facility_id: Option<FacilityId>,
    /// The activity type it measures.
    #[schema(example = "electricity.purchased")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The unit of its readings, when they come without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "kW.h")]
    pub unit: Option<String>,
    /// IANA name, where it is not the facility's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
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

/// A meter, vehicle or asset to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// The organization's own word for it, unique.
    #[schema(example = "b24-electricity")]
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// The facility, by its id or its code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "b24")]
    pub facility: Option<String>,
    /// The activity type it measures.
    #[schema(example = "electricity.purchased")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The unit of its readings, when they come without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "kW.h")]
    pub unit: Option<String>,
    /// IANA name, where it is not the facility's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
    /// First day of its life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub opened: Option<Day>,
    /// First day after its life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub closed: Option<Day>,
}

impl NewSource {
    /// The fields it may have: the list behind did-you-mean.
    pub const FIELDS: &[&str] =
        &["code", "name", "facility", "type", "unit", "time_zone", "opened", "closed"];
}
