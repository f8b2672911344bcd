//! Rows of the engine as values that cross the wire: decimals as text, as long as they are and no longer.

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Schema, TimeUnit,
    TimestampMicrosecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use envora_domain::time::{Day, Timestamp};
use serde_json::Value;

use crate::answer::{Answer, AnswerColumn};
use crate::engine::Taking;
use crate::faults::QueryError;
use crate::limits::Limits;

/// The largest whole number that every reader of JSON keeps.
const WHOLE_MAX: u64 = 1 << 53;

/// An answer on its way.
pub(crate) struct Written {
    answer: Answer,
    limits: Limits,
    bytes: usize,
}

impl Written {
    pub(crate) fn of(limits: Limits) -> Self {
        Self { answer: Answer::default(), limits, bytes: 0 }
    }

    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }
}

impl Taking for Written {
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError> {
        let column = |field: &std::sync::Arc<arrow::datatypes::Field>| AnswerColumn {
            name: field.name().clone(),
            kind: kind(field.data_type()),
            is_number: field.data_type().is_numeric(),
        };
        self.answer.columns = schema.fields().iter().map(column).collect();
        Ok(())
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<bool, QueryError> {
        let room = self.limits.rows_max.saturating_sub(self.answer.rows.len());
        let taken = batch.slice(0, batch.num_rows().min(room));
        for row in rows(&taken)? {
            self.bytes += row.iter().map(bytes).sum::<usize>();
            if self.bytes > self.limits.answer_bytes_max {
                return Err(QueryError::Answer(self.limits.answer_bytes_max));
            }
            self.answer.rows.push(row);
        }
        self.answer.is_cut = batch.num_rows() > room;
        Ok(!self.answer.is_cut)
    }
}

/// Rows as they cross the wire.
pub(crate) fn rows(batch: &RecordBatch) -> anyhow::Result<impl Iterator<Item = Vec<Value>>> {
    let columns: Vec<Vec<Value>> =
        batch.columns().iter().map(values).collect::<anyhow::Result<_>>()?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let row = move |_| columns.iter_mut().filter_map(Iterator::next).collect();
    Ok((0..batch.num_rows()).map(row))
}

/// How long a value is as text, quotes and comma included.
fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 3,
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::Array(_) | Value::Object(_) => value.to_string().len() + 1,
    }
}

/// A type, as SQL calls it.
pub(crate) fn kind(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::UInt64 => "BIGINT UNSIGNED".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Float32 => "REAL".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale) => {
            format!("DECIMAL({digits},{scale})")
        }
        other => other.to_string().to_uppercase(),
    }
}

/// The values of a column.
fn values(column: &ArrayRef) -> anyhow::Result<Vec<Value>> {
    let rows = 0..column.len();
    Ok(match column.data_type() {
        DataType::Decimal128(_, scale) if *scale >= 0 => {
            let numbers = column.as_primitive::<Decimal128Type>();
            let scale = usize::from(scale.unsigned_abs());
            let value = |number: i128| Value::from(decimal(&number.to_string(), scale));
            numbers.iter().map(|number| number.map_or(Value::Null, value)).collect()
        }
        DataType::Decimal256(_, scale) if *scale >= 0 => {
            let numbers = column.as_primitive::<Decimal256Type>();
            let scale = usize::from(scale.unsigned_abs());
            let value =
                |number: arrow::datatypes::i256| Value::from(decimal(&number.to_string(), scale));
            numbers.iter().map(|number| number.map_or(Value::Null, value)).collect()
        }
        DataType::Timestamp(_, zone) => {
            let has_zone = zone.is_some();
            let micros = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            let value = |at: i64| {
                let text = Timestamp::from_micros(at).to_string();
                Value::from(if has_zone { text } else { text.trim_end_matches('Z').to_owned() })
            };
            micros.iter().map(|at| at.map_or(Value::Null, value)).collect()
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>();
            let value = |day: i32| Value::from(Day::from_number(day).to_string());
            days.iter().map(|day| day.map_or(Value::Null, value)).collect()
        }
        other => {
            let options = FormatOptions::default();
            let written = ArrayFormatter::try_new(column, &options)?;
            let is_number = other.is_numeric() || *other == DataType::Boolean;
            let value = |row: usize| {
                if column.is_null(row) {
                    return Value::Null;
                }
                let text = written.value(row).to_string();
                if is_number { number(text) } else { Value::from(text) }
            };
            rows.map(value).collect()
        }
    })
}

/// A number or a truth value as JSON has it; whole numbers that some readers would round stay text.
fn number(text: String) -> Value {
    let is_large = text.trim_start_matches('-').parse::<u64>().is_ok_and(|whole| whole > WHOLE_MAX);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if !is_large => value,
        _ => Value::from(text),
    }
}

/// The digits of a number of this scale, without zeros at its end.
fn decimal(units: &str, scale: usize) -> String {
    let (sign, digits) = units.strip_prefix('-').map_or(("", units), |digits| ("-", digits));
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    if whole == "0" && fraction.is_empty() {
        return "0".to_owned();
    }
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::{decimal, number};

    #[test]
    fn digits_are_kept_and_zeros_at_the_end_are_not() {
        for (units, scale, text) in [
            ("372400000000000000000", 18, "372.4"),
            ("-5", 3, "-0.005"),
            ("0", 18, "0"),
            ("-1200", 2, "-12"),
            ("100", 0, "100"),
        ] {
            assert_eq!(decimal(units, scale), text);
        }
    }

    #[test]
    fn a_number_that_a_reader_may_round_is_text() {
        assert_eq!(number("9007199254740992".to_owned()).to_string(), "9007199254740992");
        assert_eq!(number("9007199254740993".to_owned()).to_string(), "\"9007199254740993\"");
        assert_eq!(number("NaN".to_owned()).to_string(), "\"NaN\"");
        assert_eq!(number("true".to_owned()).to_string(), "true");
    }
}
