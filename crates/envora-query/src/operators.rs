//! Operators of the language that mean something else here than the engine would have them mean.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::functions::concat;

/// The engine's planners of expressions, and ours before them.
pub(crate) fn planners(others: Vec<Arc<dyn ExprPlanner>>) -> Vec<Arc<dyn ExprPlanner>> {
    let own: Arc<dyn ExprPlanner> = Arc::new(Joining { concat: concat() });
    core::iter::once(own).chain(others).collect()
}

/// `a || b` becomes our `concat`, which has a bound.
#[derive(Debug)]
struct Joining {
    concat: Arc<ScalarUDF>,
}

impl ExprPlanner for Joining {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        _schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expr));
        }
        let joined = ScalarFunction::new_udf(Arc::clone(&self.concat), vec![expr.left, expr.right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(joined)))
    }
}
