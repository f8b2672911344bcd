//! Factors, packs, GWP sets, methods, units.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A factor: its record as its digest covers it, with where it is packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Factor {
    /// `sha256:` and the digest of the record's RFC 8785 JSON.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// The record's own fields.
    #[serde(flatten)]
    pub record: BTreeMap<String, serde_json::Value>,
}

/// A set of factors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorPack {
    /// Its name.
    #[schema(example = "desnz-2022")]
    pub id: String,
    /// Its version.
    pub version: String,
    /// Whose factors.
    pub publisher: String,
    /// Which edition.
    pub edition: String,
    /// SHA-256 of its text, hex.
    pub sha256: String,
    /// How many factors.
    pub factors: u64,
    /// The licence of its factors.
    pub licence: String,
    /// What the licence asks to be printed where its numbers are.
    #[serde(default)]
    pub attribution: String,
    /// How a period finds its edition among those of the series.
    #[schema(example = "majority")]
    #[serde(default)]
    pub period_rule: String,
    /// Where its factors hold.
    #[schema(example = "own")]
    #[serde(default)]
    pub region_rule: String,
    /// Whether one activity takes all its factors from one edition.
    #[schema(example = "same_edition")]
    #[serde(default)]
    pub family_rule: String,
    /// Whether calculation uses it.
    pub active: bool,
    /// The log entry of its activation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
}

/// Global warming potentials of one assessment report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GwpSet {
    /// Its id.
    #[schema(example = "ar5")]
    pub id: String,
    /// What it is, in words.
    pub name: String,
    /// GWP100 by gas; empty for `published`, which follows each publisher.
    pub values: BTreeMap<String, String>,
}

/// A method of calculation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Method {
    /// `family.variant@version`.
    #[schema(example = "electricity.grid@1")]
    pub id: String,
    /// What it multiplies.
    pub formula: String,
    /// `usable`, or `waiting` for what `lacks` says.
    #[schema(example = "usable")]
    pub status: String,
    /// What this edition of the program lacks for it; absent when it can be used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lacks: Option<String>,
    /// The activity types that use it.
    pub types: Vec<String>,
    /// The slots it fills.
    pub slots: Vec<String>,
}

/// A quantity to convert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// Exact decimal.
    #[schema(example = "1.5")]
    pub quantity: String,
    /// From this unit.
    #[schema(example = "MW.h")]
    pub from: String,
    /// To this unit.
    #[schema(example = "kW.h")]
    pub to: String,
}

impl Conversion {
    /// The fields it may have.
    pub const FIELDS: &[&str] = &["quantity", "from", "to"];
}

/// A quantity converted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Converted {
    /// Exact decimal, or a fraction `a/b` where no decimal is exact.
    #[schema(example = "1500")]
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Each step, exact.
    pub path: Vec<String>,
}
