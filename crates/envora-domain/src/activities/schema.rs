//! The JSON Schema of an activity (draft 2020-12), as committed and as served.
//!
//! Readers check rows by hand, for speed and for better answers; a property test in the ingest crate
//! holds them and this text to one verdict.

/// The schema's text; `crates/envora-domain/schema/activity.schema.json` in the repository.
pub const ACTIVITY: &str = include_str!("../../schema/activity.schema.json");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::{FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX};

    #[test]
    fn its_limits_of_digits_are_the_domains() {
        let schema: serde_json::Value = serde_json::from_str(ACTIVITY).expect("JSON");
        let pattern = schema.pointer("/$defs/decimal/anyOf/1/pattern").expect("a pattern");
        let wanted = format!(
            "^-?(0|[1-9][0-9]{{0,{}}})(\\.[0-9]{{1,{FRACTION_DIGITS_MAX}}})?$",
            INTEGER_DIGITS_MAX - 1
        );
        assert_eq!(pattern.as_str(), Some(wanted.as_str()));
    }
}
