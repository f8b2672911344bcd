//! The functions of the language: those of the engine that are exact, bounded and the same each time,
//! and a few of ours.
//!
//! The list says what is there, not what is not: a new version of the engine brings no function in by
//! itself. What can make a text of any length, and what answers otherwise each time, is not on it.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Decimal256Builder, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal256Type, i256};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility, WindowUDF,
};
use envora_domain::decimal::Decimal;
use envora_domain::rational::Rational;
use envora_domain::units::{AliasSet, UnitPath, lookup, parse_code};

use crate::aggregates::widened;
use crate::columns::QUANTITY_SCALE;

/// The longest text that joining texts may give, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most bytes that the joined texts of a batch have.
const TEXTS_BYTES_MAX: usize = 1 << 20;

/// Of the engine's own, by name.
const SCALARS: &[&str] = &[
    "abs",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "date_bin",
    "date_part",
    "date_trunc",
    "ends_with",
    "floor",
    "greatest",
    "least",
    "left",
    "lower",
    "ltrim",
    "nullif",
    "nvl",
    "nvl2",
    "right",
    "round",
    "rtrim",
    "signum",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "to_date",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_seconds",
    "trunc",
    "upper",
    "contains",
    "arrow_typeof",
];
const AGGREGATES: &[&str] = &[
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "last_value",
    "max",
    "median",
    "min",
    "sum",
];
const WINDOWS: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// The functions of a value.
pub(crate) fn scalars() -> Vec<Arc<ScalarUDF>> {
    let all = SessionStateDefaults::default_scalar_functions();
    let mut kept: Vec<Arc<ScalarUDF>> =
        all.into_iter().filter(|function| SCALARS.contains(&function.name())).collect();
    kept.push(Arc::new(ScalarUDF::new_from_impl(Convert::new())));
    kept.push(Arc::new(ScalarUDF::new_from_impl(Field::new())));
    kept.push(concat());
    kept
}

/// The functions of many values.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let all = SessionStateDefaults::default_aggregate_functions();
    let kept = all.into_iter().filter(|function| AGGREGATES.contains(&function.name()));
    kept.map(widened).collect()
}

/// Every function's name, for whoever asks for one that is not there.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names = [SCALARS, AGGREGATES, WINDOWS, &["concat", "convert", "field"]].concat();
    names.sort_unstable();
    names.dedup();
    names
}

/// The functions of a value among its neighbours.
pub(crate) fn windows() -> Vec<Arc<WindowUDF>> {
    let all = SessionStateDefaults::default_window_functions();
    all.into_iter().filter(|function| WINDOWS.contains(&function.name())).collect()
}

/// The function that joins texts, also behind `||`.
pub(crate) fn concat() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Concat::new()))
}

fn columns_of(args: &ScalarFunctionArgs) -> Result<Vec<ArrayRef>> {
    args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect()
}

/// `convert(quantity, unit, 'kW.h')`: an amount in another unit of its kind, exact to 18 digits after the
/// point; null where the unit is not known or measures something else.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    signature: Signature,
}

impl Convert {
    fn new() -> Self {
        Self { signature: Signature::any(3, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &str {
        "convert"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(amount())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = columns_of(&args)?;
        let [amounts, from, to] = columns.as_slice() else {
            return exec_err!("convert takes an amount, its unit and the unit that is wanted");
        };
        let amounts = cast(amounts, &amount())?;
        let (from, to) = (cast(from, &DataType::Utf8)?, cast(to, &DataType::Utf8)?);
        let (amounts, from, to) =
            (amounts.as_primitive::<Decimal256Type>(), from.as_string::<i32>(), to.as_string());
        let mut converted = Decimal256Builder::new().with_data_type(amount());
        let mut last: Option<((String, String), Option<Rational>)> = None;
        let to: &arrow::array::StringArray = to;
        for ((amount, from), to) in amounts.iter().zip(from.iter()).zip(to.iter()) {
            let (Some(amount), Some(from), Some(to)) = (amount, from, to) else {
                converted.append_null();
                continue;
            };
            let known = last.as_ref().filter(|((a, b), _)| a == from && b == to);
            let rate = match known {
                Some((_, rate)) => rate.clone(),
                None => {
                    let rate = rate(from, to)?;
                    last = Some(((from.to_owned(), to.to_owned()), rate.clone()));
                    rate
                }
            };
            converted.append_option(rate.and_then(|rate| times(amount, &rate)));
        }
        Ok(ColumnarValue::Array(Arc::new(converted.finish())))
    }
}

fn amount() -> DataType {
    DataType::Decimal256(38, QUANTITY_SCALE.cast_signed())
}

/// How many of one unit another is; nothing where they measure different things. A target that is no unit
/// is the question's fault, and said.
fn rate(from: &str, to: &str) -> Result<Option<Rational>> {
    let target = parse_code(to);
    let target = target
        .map_err(|error| DataFusionError::Execution(format!("{error}: {}", error.remedy())))?;
    let unit = lookup(from, AliasSet::None).and_then(|code| parse_code(&code));
    let path = unit.and_then(|unit| UnitPath::between(&unit, &target));
    Ok(path.ok().and_then(|path| path.rational()))
}

fn times(amount: i256, rate: &Rational) -> Option<i256> {
    let amount = Decimal::new(amount.to_i128()?, QUANTITY_SCALE)?;
    Rational::from(amount).times(rate).round_half_even(QUANTITY_SCALE).map(i256::from_i128)
}

/// `field(tags, 'cost_centre')`: a member of what stands there as JSON.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Field {
    signature: Signature,
}

impl Field {
    fn new() -> Self {
        Self { signature: Signature::string(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Field {
    fn name(&self) -> &str {
        "field"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = columns_of(&args)?;
        let [texts, names] = columns.as_slice() else {
            return exec_err!("field takes a column of JSON and a name");
        };
        let (texts, names) = (cast(texts, &DataType::Utf8)?, cast(names, &DataType::Utf8)?);
        let mut found = StringBuilder::new();
        for (text, name) in texts.as_string::<i32>().iter().zip(names.as_string::<i32>().iter()) {
            found.append_option(text.zip(name).and_then(|(text, name)| member(text, name)));
        }
        Ok(ColumnarValue::Array(Arc::new(found.finish())))
    }
}

fn member(text: &str, name: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    match object.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// `concat(…)` and `||`, with a bound on what they give: joined to itself again and again, a text doubles.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Concat {
    signature: Signature,
}

impl Concat {
    fn new() -> Self {
        Self { signature: Signature::new(TypeSignature::VariadicAny, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Concat {
    fn name(&self) -> &str {
        "concat"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts: Vec<ArrayRef> = columns_of(&args)?
            .iter()
            .map(|column| cast(column, &DataType::Utf8).map_err(DataFusionError::from))
            .collect::<Result<_>>()?;
        let (mut joined, mut all) = (StringBuilder::new(), 0_usize);
        for row in 0..args.number_rows {
            let parts: Vec<Option<&str>> = texts
                .iter()
                .map(|column| {
                    let column = column.as_string::<i32>();
                    column.is_valid(row).then(|| column.value(row))
                })
                .collect();
            let bytes: usize = parts.iter().flatten().map(|part| part.len()).sum();
            all += bytes;
            if bytes > TEXT_BYTES_MAX || all > TEXTS_BYTES_MAX {
                return exec_err!("a text that is joined of others has more than 64 KiB");
            }
            // As SQL has it: what is joined with nothing is nothing.
            joined.append_option(
                parts.into_iter().collect::<Option<Vec<&str>>>().map(|p| p.concat()),
            );
        }
        Ok(ColumnarValue::Array(Arc::new(joined.finish())))
    }
}
