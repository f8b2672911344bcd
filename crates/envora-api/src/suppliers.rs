//! Suppliers: who goods and energy are bought from.

use envora_domain::id::SupplierId;
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Supplier {
    /// Its id.
    #[schema(value_type = String)]
    pub id: SupplierId,
    /// The organization's own word for it, unique.
    #[schema(example = "northern-power")]
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
    /// Counts its changes; goes into `If-Match` as `"v1"`.
    pub version: u64,
    /// Since when it is archived: left out of lists, and known to rows as before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Timestamp>,
}

/// A supplier to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSupplier {
    /// The organization's own word for it, unique.
    #[schema(example = "northern-power")]
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
}

impl NewSupplier {
    /// The fields it may have: the list behind did-you-mean.
    pub const FIELDS: &[&str] = &["code", "name", "country", "lei"];
}
