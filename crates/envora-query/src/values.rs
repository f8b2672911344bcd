//! Values that an expression cannot work with, in words for whoever wrote it: what came up, and what helps.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use crate::aggregates::DIGITS_MAX;
use crate::checked::TooLarge;
use crate::faults::QueryError;

/// What the engine says of a value, where this is what it says.
pub(crate) fn refused(error: &DataFusionError) -> Option<QueryError> {
    match error {
        DataFusionError::External(inner) => {
            inner.downcast_ref::<TooLarge>().map(|large| too_large(*large))
        }
        DataFusionError::ArrowError(inner, _) => Some(of_a_value(inner)),
        DataFusionError::Plan(text) if text.contains("would exceed max scale") => {
            Some(too_large(TooLarge::Decimal))
        }
        DataFusionError::Execution(text) => Some(of_an_average(text)),
        _ => None,
    }
}

fn too_large(large: TooLarge) -> QueryError {
    told(large.to_string(), large.remedy())
}

fn of_a_value(error: &ArrowError) -> QueryError {
    let text = error.to_string();
    match error {
        ArrowError::DivideByZero => told(
            "a number is divided by zero",
            "NULLIF(b, 0) makes the answer null there: a / NULLIF(b, 0)",
        ),
        ArrowError::ArithmeticOverflow(_) => too_large(TooLarge::Decimal),
        _ if text.contains("overflow on abs") => too_large(TooLarge::Whole(64)),
        _ if text.contains("Date arithmetic overflow") => too_large(TooLarge::Time),
        _ if text.contains("is too large to store in a Decimal")
            || text.contains("Overflowing on ") =>
        {
            digits(&text)
        }
        _ => {
            let said = text.trim_start_matches("Cast error: ");
            told(said.trim_start_matches("Invalid argument error: "), "")
        }
    }
}

/// `… is too large to store in a Decimal128 of precision 5. Max is 99999`: the number stands there without
/// its point, which helps nobody. Of a cast `Cannot cast to Decimal128(5, 2). Overflowing on …`.
fn digits(text: &str) -> QueryError {
    let digits: Option<u8> = text
        .rsplit_once("of precision ")
        .or_else(|| text.split_once("to Decimal128("))
        .or_else(|| text.split_once("to Decimal256("))
        .and_then(|(_, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        });
    match digits {
        Some(DIGITS_MAX) => told(
            format!(
                "a number has more than the {DIGITS_MAX} digits that are added up, before and after the point together"
            ),
            "take digits off after the point before: sum(CAST(quantity AS DECIMAL(38,6)) * quantity)",
        ),
        Some(digits) => told(
            format!(
                "a number came up that has more digits than a DECIMAL({digits},…) holds, before and after the point together"
            ),
            "CAST it to a wider one, such as DECIMAL(38,6), or with fewer digits after the point",
        ),
        None => too_large(TooLarge::Decimal),
    }
}

fn of_an_average(text: &str) -> QueryError {
    if text.contains("Overflow") {
        return too_large(TooLarge::Decimal);
    }
    told(text, "")
}

fn told(what: impl Into<String>, hint: &str) -> QueryError {
    QueryError::Value { what: what.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) }
}
