//! Problem details (RFC 9457): the one shape of every error.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::Code;

/// How many errors a problem lists.
pub const ERRORS_MAX: usize = 100;

/// An error, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The page of the code, on this very host.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors/not_found")]
    pub kind: String,
    /// The same for every occurrence of the code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, and what to do.
    pub detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub instance: String,
    /// Stable: branch on it.
    #[schema(example = "not_found")]
    pub code: String,
    /// Names the request in the server's log.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub request_id: String,
    /// The fields or rows that are wrong, at most 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<RowError>,
    /// How many errors there are in all, when they are more than are listed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub errors_total: Option<u64>,
    /// Seconds to wait; goes into Retry-After.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of this code. Each code has a constructor of its own name.
    #[must_use]
    pub fn new(code: Code, detail: String) -> Self {
        let wait = matches!(code.status(), 429 | 503)
            || matches!(code, Code::idempotency_in_flight | Code::not_calculated);
        Self {
            kind: format!("/docs/errors/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail,
            instance: String::new(),
            code: code.as_str().to_owned(),
            request_id: String::new(),
            errors: Vec::new(),
            errors_total: None,
            retry_after: wait.then_some(1),
        }
    }

    /// The same, listing what is wrong where: the first 100, and how many there are.
    #[must_use]
    pub fn with_errors(mut self, mut errors: Vec<RowError>) -> Self {
        if errors.len() > ERRORS_MAX {
            self.errors_total = u64::try_from(errors.len()).ok();
            errors.truncate(ERRORS_MAX);
        }
        self.errors = errors;
        self
    }
}

/// What is wrong with one field or row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowError {
    /// Stable: branch on it.
    #[schema(example = "not_a_number")]
    pub code: String,
    /// The query parameter, of an error in the query.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// Of an error in a body or row: JSON Pointer as a fragment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "#/activities/3/quantity")]
    pub pointer: Option<String>,
    /// Where the row stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<RowPlace>,
    /// The column's header.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<String>,
    /// The sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<String>,
    /// The cell, cut to 80 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

/// Where a row stands in what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowPlace {
    /// The record, from 1; a header is none.
    pub record: u64,
    /// The physical line, from 1.
    pub line: u64,
}

#[cfg(test)]
mod tests {
    use super::{Problem, RowError};

    #[test]
    fn a_problem_names_its_page_and_lists_at_most_a_hundred_errors() {
        let errors = vec![RowError { code: "not_a_number".to_owned(), ..RowError::default() }; 250];
        let problem = Problem::validation_failed("250 rows are wrong").with_errors(errors);
        assert_eq!(
            (problem.status, problem.errors.len(), problem.errors_total),
            (422, 100, Some(250))
        );
        assert_eq!(problem.kind, "/docs/errors/validation_failed");
        assert_eq!(Problem::overloaded("").retry_after, Some(1));
        assert_eq!(Problem::not_found("").retry_after, None);
    }
}
