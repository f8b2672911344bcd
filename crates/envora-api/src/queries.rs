//! Questions in SQL and their answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Rows of an answer, where the question names no number.
pub const ROWS_USUAL: u32 = 1_000;
/// The most rows of an answer.
pub const ROWS_MAX: u32 = 10_000;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Query {
    /// One SELECT, or EXPLAIN of one, SHOW TABLES, DESCRIBE of a table; at most 16 KiB.
    #[schema(example = "SHOW TABLES", max_length = 16384)]
    pub sql: String,
    /// Rows of the answer, 1 to 10000; 1000 when absent. Those after them are left off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(minimum = 1, maximum = 10000)]
    pub limit: Option<u32>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryAnswer {
    /// Its columns, in the order in which they were asked for.
    pub columns: Vec<QueryColumn>,
    /// Its rows, each a value by column. Decimals are text, exact, without zeros at their end.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Map<String, Value>>,
    /// Whether there are more rows, which were left off.
    pub truncated: bool,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL calls it.
    #[serde(rename = "type")]
    #[schema(example = "DECIMAL(38,18)")]
    pub kind: String,
}
