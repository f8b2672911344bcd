//! Emissions: the lines that the figures of a period are sums of.

use envora_domain::id::{ActivityId, FacilityId, RunId, SourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::footprints::Period;

/// A page of the lines that a period's figures are sums of, all pages by one run at one place in the
/// log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Emissions {
    /// Which days.
    pub period: Period,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The last entry of the log that is in it.
    pub seq: u64,
    /// The lines, oldest commit first.
    pub data: Vec<Emission>,
    /// Opaque; goes into `cursor` with the same filters, within 24 hours.
    pub next_cursor: Option<String>,
}

/// What an activity comes to through one slot, factor and gas, on its days in the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Emission {
    /// The activity; its trace tells each step.
    #[schema(value_type = String)]
    pub activity: ActivityId,
    /// The days of the activity that lie in the period: kg and CO2e are those of these days.
    pub period: Period,
    /// The activity type.
    #[serde(rename = "type")]
    #[schema(example = "electricity.purchased")]
    pub kind: String,
    /// The facility; absent where the row names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub facility_id: Option<FacilityId>,
    /// The source; absent where the row names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub source_id: Option<SourceId>,
    /// The slot.
    #[schema(example = "s2_lb")]
    pub slot: String,
    /// The scope; 0 for what is reported outside of the scopes.
    pub scope: u8,
    /// The category of scope 3; absent of other scopes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub category: Option<u8>,
    /// `location` or `market` where a line is in one of the two totals of scope 2 alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub market: Option<String>,
    /// `in_scope`, or what is reported apart, such as `biogenic_co2`.
    #[schema(example = "in_scope")]
    pub bucket: String,
    /// The gas; `co2e` and `co2e_residue` where the publisher printed no split.
    #[schema(example = "CO2")]
    pub gas: String,
    /// Where its carbon comes from.
    #[schema(example = "fossil")]
    pub carbon: String,
    /// Mass of the gas, kg, exact.
    #[schema(example = "71.206604")]
    pub kg: String,
    /// CO2 equivalent, kg, exact; absent where the set has no value for the gas.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub co2e: Option<String>,
    /// The basis in which the factor is printed.
    #[schema(example = "ar4")]
    pub basis: String,
    /// `sha256:` and the digest of the factor's record.
    pub factor: String,
    /// The method, with its version.
    #[schema(example = "electricity.grid@1")]
    pub method: String,
    /// How good the method is: 1 is best.
    pub tier: u8,
}
