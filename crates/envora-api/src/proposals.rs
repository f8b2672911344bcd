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
    /// How sure the whole of it is: as its least sure reason, and open while there are questions.
    pub confidence: ProposalConfidence,
}

/// How sure something is that was found in a file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ProposalConfidence {
    /// The file says so, or every cell can be read in this one way.
    #[default]
    Certain,
    /// A name, the shape of the table or most cells say so: look at it before it is sent.
    Likely,
    /// The file does not tell.
    Open,
}

impl ProposalConfidence {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Open => "open",
        }
    }
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
    /// How sure it is.
    pub confidence: ProposalConfidence,
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
