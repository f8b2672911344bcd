//! Activities as they are read back, and dry runs.

use std::collections::BTreeMap;

use envora_domain::id::{ActivityId, SegmentId};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::footprints::Warning;
use crate::writes::{Counts, RowResult};

/// A stored activity: its words as sent, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ActivityId,
    /// The segment that holds it.
    #[schema(value_type = String)]
    pub segment: SegmentId,
    /// Its row there, from 0.
    pub row: u32,
    /// When it was committed.
    #[schema(value_type = String, format = DateTime)]
    pub committed_at: Timestamp,
    /// The sequence number of its commit.
    pub seq: u64,
    /// `counted`, `unresolved`, `superseded`, `voided`, or `pending` until the calculation is there.
    #[schema(example = "counted")]
    pub state: String,
    /// Why it is unresolved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What was noticed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub flags: Vec<String>,
    /// Of one that is `superseded` or `voided`: the activity that took its place, or voids it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub superseded_by: Option<ActivityId>,
    /// Of the same: where that ends, when what took its place was superseded or voided in its turn, and so
    /// on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chain_end: Option<ChainEnd>,
    /// The fields as mapped, in the words of `/v2/schemas/activity.json`.
    #[serde(flatten)]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// The last of the activities that took the place of one, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainEnd {
    /// The activity that a new one is to name as `supersedes`: nothing took its place yet.
    #[schema(value_type = String)]
    pub id: ActivityId,
    /// `superseded` when it stands in the place of the others, `voided` when it voids and nothing stands.
    #[schema(example = "voided")]
    pub event: String,
    /// The activity whose place it took, or that it voids.
    #[schema(value_type = String)]
    pub of: ActivityId,
}

/// One step in the life of an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryStep {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The log entry.
    pub seq: u64,
    /// `committed`, `superseded`, `voided`.
    #[schema(example = "committed")]
    pub event: String,
    /// The other activity, of a supersession.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub by: Option<ActivityId>,
    /// The reason that was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// What a write would do, without doing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Validation {
    /// Rows by outcome.
    pub counts: Counts,
    /// The rows, as a write lists them.
    pub results: Vec<RowResult>,
    /// What would be stored and count nowhere all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}
