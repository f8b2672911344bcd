//! Data quality: how much of what was to be expected is there, and what it stands on.

use envora_domain::id::{FacilityId, RunId, SourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::footprints::{Coverage, Period, UnresolvedGroup, Warning};

/// The quality of a period's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataQuality {
    /// Which days.
    pub period: Period,
    /// The zone in which a row's month is told.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// `current` when all that was committed is counted, else `catching_up`.
    #[schema(example = "current")]
    pub status: String,
    /// Source-months that are there among those to be expected, as the footprint tells them.
    pub coverage: Coverage,
    /// The share of CO2e from primary data, 0 to 1; absent when nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "0.75")]
    pub primary_data_share: Option<String>,
    /// The location-based CO2e by whether the rows say that they are primary: `yes`, `no`, `unsaid`.
    pub primary: Vec<QualityShare>,
    /// The location-based CO2e by kind of data as sent; `""` where none is said.
    pub data_kinds: Vec<QualityShare>,
    /// The location-based CO2e by tier of the method; 1 is the best.
    pub tiers: Vec<QualityShare>,
    /// What was noticed: flags of rows and of choices, each with how many activities it concerns.
    pub flags: Vec<Warning>,
    /// What is stored and does not count, and how to mend it.
    pub unresolved: Vec<UnresolvedGroup>,
    /// The months of the period, `2022-03`: the columns of the sources' months.
    pub months: Vec<String>,
    /// A page of the sources, by code.
    pub sources: Vec<SourceQuality>,
    /// How many sources there are in all.
    pub sources_total: u64,
    /// The page to continue from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// What part of the CO2e stands on one word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QualityShare {
    /// The word.
    #[schema(example = "measured")]
    pub word: String,
    /// Its CO2e in kg, exact.
    #[schema(example = "72.014712")]
    pub co2e: String,
    /// Its share of all, 0 to 1, to four digits; absent where all comes to nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "0.25")]
    pub share: Option<String>,
}

/// The months of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceQuality {
    /// The source.
    #[schema(value_type = String)]
    pub source_id: SourceId,
    /// Its code.
    #[schema(example = "b24-gas")]
    pub source_code: String,
    /// Its name, for people.
    pub source_name: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub facility_id: Option<FacilityId>,
    /// One for each month of the period.
    pub months: Vec<SourceMonth>,
}

/// One month of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceMonth {
    /// `2022-03`.
    #[schema(example = "2022-03")]
    pub month: String,
    /// `missing`, `zero_run` (seven days on end or more at nothing, or the whole month), `estimated`,
    /// `flagged`, `present`; or `closed`: the source was not open. Of several the first in this order.
    #[schema(example = "present")]
    pub state: String,
    /// Activities that count and begin in it.
    pub activities: u64,
    /// Of those, how many are estimates.
    pub estimated: u64,
    /// Rows that lie in it, if only in part, with a flag that is not of every row alike.
    pub flagged: u64,
    /// Days that came to nothing although activities are there.
    pub zero_days: u64,
}
