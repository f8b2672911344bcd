//! Why a question has no answer, in words for whoever asked.

use crate::limits::End;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is no SQL, or names what is not there.
    #[error("{what}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// Where, from 1: line and column, where that is known.
        place: Option<(u64, u64)>,
        /// What to do.
        hint: Option<String>,
    },
    /// A value came up that an expression cannot work with, such as a division by zero.
    #[error("{what}")]
    Value {
        /// What came up.
        what: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The answer has more bytes than one may have.
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    Answer(usize),
    /// Answering holds more than it may.
    #[error("answering needs more than {} MiB of memory", .0 >> 20)]
    Memory(usize),
    /// It ended before it was answered.
    #[error("the question was ended before it was answered")]
    Ended(End),
    /// Anything else.
    #[error("the question could not be answered")]
    Unexpected(#[from] anyhow::Error),
}

impl QueryError {
    pub(crate) fn invalid(what: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint: String = hint.into();
        Self::Invalid { what: what.into(), place: None, hint: (!hint.is_empty()).then_some(hint) }
    }
}
