//! Mappings: which column of a file means what.

use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A saved mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportMapping {
    /// Its name: part of the ids derived for rows.
    #[schema(example = "estate-electricity")]
    pub name: String,
    /// SHA-256 of its tree, hex: which version this is.
    pub version: String,
    /// The log entry of its last change; goes into `If-Match` as `"v7"`.
    pub seq: u64,
    /// When this version was saved.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Since when it is archived: left out of the list, and as good as before for files that name it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Timestamp>,
    /// The tree, as `docs/how-to/write-a-mapping.md` describes it.
    #[schema(value_type = Object)]
    pub tree: serde_json::Value,
}

/// What may be changed of a saved mapping; its tree is saved anew instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeImportMapping {
    /// Whether it is archived.
    pub archived: bool,
}
