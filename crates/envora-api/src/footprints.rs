//! The footprint.

use std::collections::BTreeMap;

use envora_domain::id::{RunId, SourceId};
use envora_domain::time::Day;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::amounts::{Amount, Watermark};

/// The footprint of a period. There is no single total: scope 2 has two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Footprint {
    /// Which days.
    pub period: Period,
    /// The zone of filters and display; a row's day is that of its own zone.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// How entities are consolidated.
    #[schema(example = "operational_control")]
    pub consolidation: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// `current` when all that was committed is counted, else `catching_up`, or `failing` when the
    /// calculation does not go on: `warnings` then say why.
    #[schema(example = "current")]
    pub status: String,
    /// How far the calculation has come.
    pub watermark: Watermark,
    /// The totals of the period.
    pub totals: Totals,
    /// In the set `published`: the totals (location-based) by the basis their publishers printed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bases: Vec<BasisTotal>,
    /// In any other set: what could not be rebased, in the basis it was printed in.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub native_basis: Vec<BasisTotal>,
    /// The same totals by the words of `group_by`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<Group>,
    /// How much of what was to be expected is there.
    pub coverage: Coverage,
    /// The share of CO2e from primary data, 0 to 1; absent when nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "0.75")]
    pub primary_data_share: Option<String>,
    /// What is stored and does not count, and how to mend it. Never hidden.
    pub unresolved: Vec<UnresolvedGroup>,
    /// What a reader should know before using these numbers.
    pub warnings: Vec<Warning>,
}

/// The CO2e of a period, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// Which days.
    pub period: Period,
    /// `day`, `month` or `year`.
    #[schema(example = "month")]
    pub interval: String,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// `current` when all that was committed is counted, else `catching_up`, or `failing` when the
    /// calculation does not go on.
    #[schema(example = "current")]
    pub status: String,
    /// How far the calculation has come.
    pub watermark: Watermark,
    /// The steps, in order, also those without any activity.
    pub points: Vec<Point>,
}

/// One step of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// Its days, cut to the period that was asked for.
    pub period: Period,
    /// Scope 1.
    pub scope1: Amount,
    /// Scope 2, location-based.
    pub scope2_location: Amount,
    /// Scope 2, market-based.
    pub scope2_market: Amount,
    /// Scope 3.
    pub scope3: Amount,
    /// Scopes 1, 2 location-based, 3.
    pub total_location_based: Amount,
    /// Scopes 1, 2 market-based, 3.
    pub total_market_based: Amount,
}

/// A half-open range of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Period {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub from: Day,
    /// The first day after.
    #[schema(value_type = String, format = Date)]
    pub to: Day,
}

/// Totals, each with its figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Scope 1.
    pub scope1: Amount,
    /// Scope 2, location-based.
    pub scope2_location: Amount,
    /// Scope 2, market-based.
    pub scope2_market: Amount,
    /// Scope 3.
    pub scope3: Amount,
    /// Scopes 1, 2 location-based, 3.
    pub total_location_based: Amount,
    /// Scopes 1, 2 market-based, 3.
    pub total_market_based: Amount,
    /// CO2 of biogenic origin, reported apart.
    pub biogenic_co2: Amount,
    /// The location-based total by gas.
    pub by_gas: Vec<GasTotal>,
}

/// One gas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GasTotal {
    /// The gas; `co2e` and `co2e_residue` where a publisher prints no gases.
    #[schema(example = "ch4")]
    pub gas: String,
    /// `fossil`, `biogenic`, `mixed` or `unknown`.
    #[schema(example = "unknown")]
    pub carbon: String,
    /// Its mass.
    pub mass: Amount,
    /// Its CO2 equivalent.
    pub co2e: Amount,
}

/// A total in one GWP basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BasisTotal {
    /// The basis.
    #[schema(example = "ar4")]
    pub basis: String,
    /// The CO2e that stands on it.
    pub co2e: Amount,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// The words of `group_by` with this group's values; `""` stands for none.
    pub key: BTreeMap<String, String>,
    /// Its totals.
    pub totals: Totals,
}

/// Source-months with a counted activity among those in which the source was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Coverage {
    /// With at least one counted activity.
    pub present: u64,
    /// Open in the period.
    pub expected: u64,
    /// Always `source_month`.
    #[schema(example = "source_month")]
    pub unit: String,
    /// What is missing, at most 100 of them.
    pub missing: Vec<MissingMonth>,
    /// Activities that count without one of their derived slots, by slot.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub derived_factor_missing: BTreeMap<String, u64>,
}

/// A month without data of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingMonth {
    /// The source.
    #[schema(value_type = String)]
    pub source_id: SourceId,
    /// Its code.
    pub source_code: String,
    /// `2022-03`.
    #[schema(example = "2022-03")]
    pub month: String,
}

/// Activities that do not count for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnresolvedGroup {
    /// The reason.
    #[schema(example = "unknown_facility")]
    pub code: String,
    /// How many.
    pub activities: u64,
    /// One of them.
    #[schema(example = "act_01jmt8z0p0e3s9k4x6n2q5w7y1")]
    pub example: String,
    /// What to do.
    pub remedy: String,
}

/// The code of the warning that another calculation is under way, which will take the place of the one
/// that is shown.
pub const RECALCULATING: &str = "recalculating";

/// Something a reader should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Which.
    #[schema(example = "zero_run")]
    pub code: String,
    /// In words.
    pub detail: String,
    /// How many activities it concerns.
    pub activities: u64,
}
