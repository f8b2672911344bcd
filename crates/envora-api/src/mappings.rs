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
    /// The log entry of this version.
    pub seq: u64,
    /// When this version was saved.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The tree, as `docs/how-to/write-a-mapping.md` describes it.
    #[schema(value_type = Object)]
    pub tree: serde_json::Value,
}
