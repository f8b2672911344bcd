//! Numbers as they travel: exact decimal texts, each with the id that opens its trace.

use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number of the footprint: a mass of gas, or of CO2 equivalent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amount {
    /// Exact: no exponent, no trailing zeros.
    #[schema(example = "72.014712")]
    pub value: String,
    /// Always `kg`; people are shown tonnes.
    #[schema(example = "kg")]
    pub unit: String,
    /// Opens the trace: `GET …/figures/{figure_id}/trace`.
    #[schema(example = "fig_iQEA")]
    pub figure_id: String,
}

/// How far the log, or the calculation, has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watermark {
    /// The sequence number of the newest entry that is in.
    pub seq: u64,
    /// When that entry was committed; absent while there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub committed_at: Option<Timestamp>,
    /// How old the oldest entry is that is not in yet; 0 when all are.
    pub lag_ms: u64,
}
