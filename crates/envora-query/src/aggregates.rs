//! `sum`, `avg` and `median` as the engine has them, over numbers that are made wide enough first: none of
//! them wraps around, and none makes a float of a whole number.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
    Volatility,
};

use crate::checked::TooLarge;

/// Digits of the widest number that is added up: ten more are left for the sum of as many rows as there may be.
pub(crate) const DIGITS_MAX: u8 = 66;
/// The same where the engine keeps a sum in 128 bits.
const NARROW_DIGITS_MAX: u8 = 28;
/// Digits of a whole number of 64 bits.
const WHOLE_DIGITS: u8 = 20;

/// The engine's function with numbers made wide enough, where it is one of these.
pub(crate) fn widened(function: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    let what = match function.name() {
        "sum" => What::Sum,
        "avg" => What::Average,
        "median" => What::Median,
        _ => return function,
    };
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Widened { what, inner: function, signature }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Sum,
    Average,
    Median,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Widened {
    what: What,
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl Widened {
    /// The type in which nothing that is added up is cut or wraps around.
    fn wide(&self, data_type: &DataType) -> Result<DataType> {
        let name = self.inner.name();
        Ok(match (self.what, data_type) {
            // Half of an odd number has a digit after the point.
            (What::Median, whole) if whole.is_integer() => {
                DataType::Decimal128(WHOLE_DIGITS + 1, 1)
            }
            (What::Median, DataType::Decimal128(..) | DataType::Decimal256(..)) => {
                data_type.clone()
            }
            (_, whole) if whole.is_integer() || whole.is_null() => {
                DataType::Decimal128(WHOLE_DIGITS, 0)
            }
            (_, DataType::Decimal128(digits, scale)) if *digits > NARROW_DIGITS_MAX => {
                DataType::Decimal256(*digits, *scale)
            }
            (_, DataType::Decimal256(digits, scale)) if *digits > DIGITS_MAX => {
                if scale.cast_unsigned() > DIGITS_MAX {
                    return plan_err!(
                        "{name} takes numbers of at most {DIGITS_MAX} digits\nround them first: {name}(CAST(a AS DECIMAL({DIGITS_MAX},18)))"
                    );
                }
                DataType::Decimal256(DIGITS_MAX, *scale)
            }
            (_, DataType::Decimal128(..) | DataType::Decimal256(..)) => data_type.clone(),
            (_, float) if float.is_floating() => DataType::Float64,
            (What::Sum | What::Average, DataType::Duration(_)) => data_type.clone(),
            (_, other) => {
                return plan_err!(
                    "{name} takes numbers, and this is {}\nCAST it to a DECIMAL where it holds numbers",
                    crate::cells::kind(other)
                );
            }
        })
    }

    fn is_of_spans(&self, args: &AccumulatorArgs<'_>) -> bool {
        matches!(args.return_type(), DataType::Duration(_))
    }

    fn spans(&self, args: &AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return exec_err!(
                "{}(DISTINCT …) of spans of time is not answered here",
                self.inner.name()
            );
        }
        let is_average = self.what == What::Average;
        Ok(Box::new(Spans { is_average, due: args.return_type().clone(), sum: 0, count: 0 }))
    }
}

impl AggregateUDFImpl for Widened {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        match args {
            [one] => Ok(vec![self.wide(one)?]),
            _ => plan_err!("{} takes one value", self.inner.name()),
        }
    }
    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(args)
    }
    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if self.is_of_spans(&args) {
            return self.spans(&args);
        }
        self.inner.accumulator(args)
    }
    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        if self.is_of_spans(&args) {
            return self.spans(&args);
        }
        if args.is_distinct && self.what == What::Sum {
            return exec_err!("sum(DISTINCT …) over a window that moves is not answered here");
        }
        self.inner.create_sliding_accumulator(args)
    }
    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if matches!(args.return_type(), DataType::Duration(_)) {
            let field = |name, data_type| {
                let name = format_state_name(args.name, name);
                Arc::new(arrow::datatypes::Field::new(name, data_type, true))
            };
            return Ok(vec![field("sum", SPANS), field("count", DataType::Int64)]);
        }
        self.inner.state_fields(args)
    }
    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !self.is_of_spans(&args) && self.inner.groups_accumulator_supported(args)
    }
    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }
    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }
}

/// What spans of time are added up in.
const SPANS: DataType = DataType::Decimal128(38, 0);

/// Spans of time, added up in 128 bits: 64 hold 292,000 years of them.
#[derive(Debug)]
struct Spans {
    is_average: bool,
    due: DataType,
    sum: i128,
    count: i64,
}

impl Spans {
    fn of(values: &[ArrayRef]) -> Result<(i128, i64)> {
        let (mut sum, mut count) = (0, 0);
        for column in values {
            let ticks = cast(column, &DataType::Int64)?;
            let ticks = ticks.as_primitive::<Int64Type>();
            sum += ticks.iter().flatten().map(i128::from).sum::<i128>();
            count += i64::try_from(ticks.len() - ticks.null_count()).unwrap_or(i64::MAX);
        }
        Ok((sum, count))
    }
}

impl Accumulator for Spans {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (sum, count) = Self::of(values)?;
        (self.sum, self.count) = (self.sum + sum, self.count + count);
        Ok(())
    }
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (sum, count) = Self::of(values)?;
        (self.sum, self.count) = (self.sum - sum, self.count - count);
        Ok(())
    }
    fn supports_retract_batch(&self) -> bool {
        true
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return ScalarValue::try_from(&self.due);
        }
        let ticks = if self.is_average { self.sum / i128::from(self.count) } else { self.sum };
        let ticks = i64::try_from(ticks).map_err(|_| TooLarge::Time.error())?;
        ScalarValue::Int64(Some(ticks)).cast_to(&self.due)
    }
    fn size(&self) -> usize {
        size_of_val(self)
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = ScalarValue::Decimal128(Some(self.sum), 38, 0);
        Ok(vec![sum, ScalarValue::Int64(Some(self.count))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, counts] = states else { return exec_err!("a sum of spans has two parts") };
        let sums = sums.as_primitive::<Decimal128Type>();
        self.sum += sums.iter().flatten().sum::<i128>();
        self.count += counts.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        Ok(())
    }
}
