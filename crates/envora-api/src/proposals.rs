//! A mapping proposed for a file that nobody has described yet.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a file tells of itself, as a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MappingProposal {
    /// The mapping file, as TOML; what is asked stands in it as comments.
    pub mapping: String,
    /// Rows that were looked at.
    pub rows: u64,
    /// What was found, and from what.
    pub reasons: Vec<ProposalReason>,
    /// What the file does not tell; while there are some, the mapping is not whole.
    pub questions: Vec<ProposalQuestion>,
}

/// Something found, and from what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalReason {
    /// What.
    #[schema(example = "an interval is PT1H")]
    pub what: String,
    /// From what.
    #[schema(example = "99 of 100 steps are that long")]
    pub why: String,
}

/// What cannot be told from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalQuestion {
    /// `ambiguous_format` where two readings fit, `missing_field` where the file does not say a thing at
    /// all.
    #[schema(example = "ambiguous_format")]
    pub code: String,
    /// The column it is about; empty where it is about the whole file.
    pub column: String,
    /// The question.
    pub asks: String,
    /// The physical line on which it shows; 0 where it is about the whole file.
    pub line: u64,
    /// What can be answered.
    pub choices: Vec<ProposalChoice>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalChoice {
    /// What the mapping says then.
    pub says: String,
    /// What that means.
    pub means: String,
}
