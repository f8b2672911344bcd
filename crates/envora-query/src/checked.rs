//! Arithmetic that never wraps around: the engine's own `+`, `-` and `*` take up again from below where a
//! number grows too large, so they are put in place of by functions that refuse.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::kernels::numeric::neg;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};

/// A number came up that is too large for its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooLarge {
    /// Of a whole number of so many bits.
    #[error("a whole number came up that has more than {0} bits")]
    Whole(usize),
    /// Of a decimal.
    #[error(
        "a decimal came up that has more digits than a decimal may have, before and after the point together"
    )]
    Decimal,
    /// Of a day, an instant or a span of time.
    #[error("a time came up that is too far away")]
    Time,
}

impl TooLarge {
    /// What came up where a value of this type was due.
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Decimal128(..) | DataType::Decimal256(..) => Self::Decimal,
            whole if whole.is_integer() => Self::Whole(whole.primitive_width().unwrap_or(8) * 8),
            _ => Self::Time,
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Whole(_) => "make a decimal of it first: CAST(line AS DECIMAL(38,0)) * 1000",
            Self::Decimal => {
                "take digits off after the point before, which a product adds up: CAST(quantity AS DECIMAL(38,6)) * quantity"
            }
            Self::Time => "use a shorter time",
        }
    }

    pub(crate) fn error(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }
}

/// Puts the functions of this file in the place of the signs, once it is known of what type both sides are.
#[derive(Debug)]
pub(crate) struct Checked;

impl AnalyzerRule for Checked {
    fn name(&self) -> &str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let checked = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            let checked = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(expr.transform_up(in_place)?.update_data(|expr| name.restore(expr)))
            })?;
            checked.map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(checked.data)
    }
}

fn in_place(expr: Expr) -> Result<Transformed<Expr>> {
    let (sign, args) = match expr {
        Expr::BinaryExpr(one) => match one.op {
            Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide => {
                (Sign::Between(one.op), vec![*one.left, *one.right])
            }
            _ => return Ok(Transformed::no(Expr::BinaryExpr(one))),
        },
        Expr::Negative(one) => (Sign::Before, vec![*one]),
        other => return Ok(Transformed::no(other)),
    };
    let function = Arc::new(ScalarUDF::new_from_impl(Signed::of(sign)));
    Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, args))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sign {
    /// `+`, `-`, `*` or `/`.
    Between(Operator),
    /// `-` before a number.
    Before,
}

/// An operation that refuses what does not fit.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Signed {
    sign: Sign,
    signature: Signature,
}

impl Signed {
    fn of(sign: Sign) -> Self {
        let values = match sign {
            Sign::Between(_) => 2,
            Sign::Before => 1,
        };
        Self { sign, signature: Signature::any(values, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Signed {
    fn name(&self) -> &str {
        match self.sign {
            Sign::Between(Operator::Plus) => "plus",
            Sign::Between(Operator::Multiply) => "times",
            Sign::Between(Operator::Divide) => "divide",
            Sign::Between(_) => "minus",
            Sign::Before => "negative",
        }
    }

    /// As the sign would be called, so that nobody's columns have other names.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(match (self.sign, args) {
            (Sign::Between(op), [left, right]) => {
                format!("{} {op} {}", left.schema_name(), right.schema_name())
            }
            (_, args) => {
                let args: Vec<String> = args.iter().map(|a| a.schema_name().to_string()).collect();
                format!("(- {})", args.join(", "))
            }
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match (self.sign, args) {
            (Sign::Between(op), [left, right]) => {
                BinaryTypeCoercer::new(left, &op, right).get_result_type()
            }
            (Sign::Before, [one]) => Ok(one.clone()),
            _ => internal_err!("a sign has one side too many"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let due = args.return_field.data_type().clone();
        let worked_out = match (self.sign, args.args.as_slice()) {
            (Sign::Between(op), [_, _]) => between(op, args),
            (_, [ColumnarValue::Array(one)]) => {
                neg(one).map(ColumnarValue::Array).map_err(DataFusionError::from)
            }
            (_, [ColumnarValue::Scalar(one)]) => {
                let negative = neg(&one.to_array()?).map_err(DataFusionError::from);
                negative.map(ColumnarValue::Array)
            }
            _ => internal_err!("a sign has one side too many"),
        };
        worked_out.map_err(|error| match &error {
            DataFusionError::ArrowError(inner, _)
                if matches!(**inner, ArrowError::ArithmeticOverflow(_)) =>
            {
                TooLarge::of(&due).error()
            }
            _ => error,
        })
    }
}

/// What the engine makes of a sign, with its own check for what does not fit.
fn between(op: Operator, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let mut sides = Vec::new();
    for (value, field) in args.args.into_iter().zip(&args.arg_fields) {
        let side: Arc<dyn PhysicalExpr> = match value {
            ColumnarValue::Scalar(value) => Arc::new(Literal::new(value)),
            ColumnarValue::Array(values) => {
                let side = Column::new(field.name(), columns.len());
                fields.push(
                    field
                        .as_ref()
                        .clone()
                        .with_data_type(values.data_type().clone())
                        .with_nullable(true),
                );
                columns.push(values);
                Arc::new(side)
            }
        };
        sides.push(side);
    }
    let Ok([left, right]) = <[_; 2]>::try_from(sides) else {
        return internal_err!("a sign has two sides");
    };
    let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
    BinaryExpr::new(left, op, right).with_fail_on_overflow(true).evaluate(&rows)
}
