//! The JSON Schema of an activity (draft 2020-12), as committed and as served.

/// The schema's text; `crates/envora-domain/schema/activity.schema.json` in the repository.
pub const ACTIVITY: &str = include_str!("../../schema/activity.schema.json");
