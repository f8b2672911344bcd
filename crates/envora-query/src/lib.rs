//! Read-only SQL over rows that others hand in: DataFusion, kept apart from everything else.
//!
//! What a table's rows are is written down here once, with the type of each column; where they come
//! from, a file or a tenant's segments, is the business of whoever implements [`table::Table`]. Nothing
//! here opens a file, knows a tenant, or keeps anything from one question to the next.
//!
//! Numbers stay exact: quantities and masses are decimals, a literal with a point is one, and sums are
//! kept wide enough that no sum of rows is cut. A float comes up only where a question casts to one.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's own enums are wide and grow with it; what is not named is refused"
)]

mod aggregates;
pub mod answer;
mod cells;
mod checked;
pub mod columns;
mod engine;
mod faults;
pub mod files;
mod functions;
pub mod limits;
mod operators;
mod plans;
mod scans;
pub mod table;
pub mod tables;
mod values;

pub use engine::ask;
pub use faults::QueryError;
