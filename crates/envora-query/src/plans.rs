//! From text to a plan that may run: one question, which reads and does nothing else.

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use envora_domain::words::did_you_mean;

use crate::faults::QueryError;
use crate::limits::SQL_BYTES_MAX;
use crate::{functions, values};

/// Words, numbers and signs that a question may have: each may nest what stands before it.
const TOKENS_MAX: usize = 4_000;
/// Signs and words of these that join two values to one: each makes what is planned deeper.
const OPERATORS_MAX: usize = 500;
/// How often texts may be joined in one question.
const JOINS_OF_TEXT_MAX: usize = 32;
/// Columns of an answer.
const COLUMNS_MAX: usize = 200;

/// Reads a question.
///
/// # Errors
/// [`QueryError::Invalid`].
pub(crate) fn statement(sql: &str) -> Result<Statement, QueryError> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(QueryError::invalid(
            format!("the question has more than {} KiB", SQL_BYTES_MAX >> 10),
            "ask in several",
        ));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize();
    let tokens = tokens.map_err(|error| {
        let place = Some((error.location.line, error.location.column));
        QueryError::Invalid { what: error.message, place, hint: None }
    })?;
    if tokens.len() > TOKENS_MAX {
        return Err(QueryError::invalid(
            format!("the question has more than {TOKENS_MAX} words and signs"),
            "ask in several, or join with a table instead of listing words",
        ));
    }
    if let Some(word) = tokens.iter().find_map(multiplies) {
        return Err(QueryError::invalid(
            format!("{word} is not answered here"),
            "ask for each grouping by itself, or join them with UNION ALL",
        ));
    }
    if tokens.iter().filter(|token| joins_values(token)).count() > OPERATORS_MAX {
        return Err(QueryError::invalid(
            format!("the question has more than {OPERATORS_MAX} signs such as +, = and AND"),
            "ask in several, or write a list with IN (…)",
        ));
    }
    let mut statements =
        DFParser::parse_sql_with_dialect(sql, &PostgreSqlDialect {}).map_err(fault)?;
    let (Some(statement), None) = (statements.pop_front(), statements.pop_front()) else {
        return Err(QueryError::invalid("one question is due", "send one SELECT"));
    };
    reads_only(&statement)?;
    Ok(statement)
}

/// A word that makes many groupings of one question: what they are is worked out before anything is watched,
/// and there are two to the power of the columns of a cube.
fn multiplies(token: &Token) -> Option<&'static str> {
    let Token::Word(word) = token else { return None };
    match word.keyword {
        _ if word.quote_style.is_some() => None,
        Keyword::CUBE => Some("CUBE"),
        Keyword::ROLLUP => Some("ROLLUP"),
        Keyword::SETS => Some("GROUPING SETS"),
        Keyword::TABLESAMPLE => Some("TABLESAMPLE"),
        _ => None,
    }
}

fn joins_values(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::CASE | Keyword::WHEN
        ),
        other => matches!(
            other,
            Token::Plus
                | Token::Minus
                | Token::Mul
                | Token::Div
                | Token::Mod
                | Token::StringConcat
                | Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::Gt
                | Token::LtEq
                | Token::GtEq
        ),
    }
}

fn reads_only(statement: &Statement) -> Result<(), QueryError> {
    let reads = match statement {
        Statement::Statement(statement) => reads(statement),
        Statement::Explain(explain) => {
            if explain.options.analyze {
                return Err(QueryError::invalid(
                    "EXPLAIN tells a plan and does not run it",
                    "leave ANALYZE out",
                ));
            }
            return reads_only(&explain.statement);
        }
        _ => false,
    };
    if reads {
        return Ok(());
    }
    Err(QueryError::invalid(
        "only SELECT is answered here, and EXPLAIN of one: nothing is written, set or opened",
        "begin with SELECT; SHOW TABLES and DESCRIBE activities tell what there is",
    ))
}

fn reads(statement: &ast::Statement) -> bool {
    matches!(
        statement,
        ast::Statement::Query(_)
            | ast::Statement::ShowTables { .. }
            | ast::Statement::ShowColumns { .. }
            | ast::Statement::ExplainTable { .. }
            | ast::Statement::Explain { .. }
    )
}

/// What a question asks of these tables.
///
/// # Errors
/// [`QueryError::Invalid`].
pub(crate) async fn plan(
    state: &SessionState,
    statement: Statement,
) -> Result<LogicalPlan, QueryError> {
    let plan = state.statement_to_plan(statement).await.map_err(fault)?;
    let only =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only.verify_plan(&plan).map_err(fault)?;
    let names = plan.schema().fields();
    if names.len() > COLUMNS_MAX {
        return Err(QueryError::invalid(
            format!("the answer would have more than {COLUMNS_MAX} columns"),
            "name those that are wanted",
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = names.iter().find(|field| !seen.insert(field.name())) {
        return Err(QueryError::invalid(
            format!("the answer would have two columns {}", twice.name()),
            "give one another name with AS",
        ));
    }
    let mut joins = 0;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|one| {
                if let Expr::ScalarFunction(function) = one {
                    joins += usize::from(function.func.name() == "concat");
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .map_err(fault)?;
    if joins > JOINS_OF_TEXT_MAX {
        return Err(QueryError::invalid(
            format!("texts are joined more than {JOINS_OF_TEXT_MAX} times"),
            "join fewer, or put them together where the answer is read",
        ));
    }
    Ok(plan)
}

/// A refusal of the engine before anything ran, in our words where there are any.
pub(crate) fn fault(error: DataFusionError) -> QueryError {
    let (error, place) = placed(error);
    // Values are worked out here as well: an expression of constants has its value when it is planned.
    if let Some(refused) = values::refused(&error) {
        return refused;
    }
    match error {
        DataFusionError::SQL(error, _) => {
            let text = error.to_string();
            let text = text.trim_start_matches("sql parser error: ");
            let (what, place) = located(text);
            QueryError::Invalid { what, place, hint: None }
        }
        DataFusionError::SchemaError(error, _) => {
            let (what, hint) = of_schema(&error);
            QueryError::Invalid { what, place, hint }
        }
        DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) => {
            let (what, hint) = worded(&text);
            QueryError::Invalid { what, place, hint }
        }
        DataFusionError::Internal(text) => unanswerable(&text, place),
        other => QueryError::Unexpected(anyhow::Error::from(other).context("plan a question")),
    }
}

/// What the engine cannot do with a question, as far as its first line tells.
fn unanswerable(text: &str, place: Option<(u64, u64)>) -> QueryError {
    let what = text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    // A sign of the language, such as ^, that stands for a function.
    let named = what.strip_prefix("Unable to find expected '");
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('\'')) {
        let (what, hint) = no_function(name);
        return QueryError::Invalid { what, place, hint };
    }
    QueryError::Invalid { what, place, hint: None }
}

/// What an error is at heart, and where it stands in the question where the engine knows that.
fn placed(error: DataFusionError) -> (DataFusionError, Option<(u64, u64)>) {
    match error {
        DataFusionError::Diagnostic(told, inner) => {
            let span = told.span.map(|span| (span.start.line, span.start.column));
            let (error, deeper) = placed(*inner);
            (error, deeper.or(span))
        }
        DataFusionError::Context(_, inner) => placed(*inner),
        DataFusionError::Collection(mut all) if !all.is_empty() => placed(all.swap_remove(0)),
        other => (other, None),
    }
}

fn of_schema(error: &SchemaError) -> (String, Option<String>) {
    match error {
        SchemaError::FieldNotFound { field, .. } if unfinished(&field.name).is_some() => {
            let word = field.name.to_uppercase();
            (format!("{word} is not finished"), unfinished(&field.name).map(str::to_owned))
        }
        SchemaError::FieldNotFound { field, .. } if PRESENT.contains(&field.name.as_str()) => {
            no_function(&field.name)
        }
        SchemaError::FieldNotFound { field, valid_fields } => {
            let known: Vec<&str> = valid_fields.iter().map(|field| field.name.as_str()).collect();
            let hint = did_you_mean(&field.name, known.iter().copied());
            let hint = match hint {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => "nothing here has columns".to_owned(),
                None => format!("there are {}", known.join(", ")),
            };
            (format!("there is no column {}", field.name), Some(hint))
        }
        SchemaError::AmbiguousReference { field } => {
            let what = format!("more than one table has a column {}", field.name);
            (what, Some("say of which table it is: a.unit".to_owned()))
        }
        other => {
            let (what, hint) = worded(&other.to_string());
            (what, hint)
        }
    }
}

/// How an expression goes on that begins with this word: alone, the engine takes it for a column.
fn unfinished(word: &str) -> Option<&'static str> {
    Some(match word {
        "case" => "CASE WHEN quantity > 0 THEN 'in' ELSE 'out' END",
        "cast" => "CAST(line AS DECIMAL(38,0))",
        "extract" => "EXTRACT(year FROM first_day)",
        "interval" => "INTERVAL '1 day'",
        "exists" => "EXISTS (SELECT …)",
        _ => return None,
    })
}

/// What other databases call the present time.
const PRESENT: [&str; 7] = [
    "now",
    "today",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
];

/// What is said of a function that is not there.
fn no_function(name: &str) -> (String, Option<String>) {
    let what = format!("there is no function {name}");
    let names = functions::names();
    // Names are short: of those that begin otherwise, none is meant.
    let alike = names.iter().copied().filter(|one| one.get(..1) == name.get(..1));
    let hint = if PRESENT.contains(&name) {
        "no function gives the present time, so that a question asked again is answered the same: write it, as DATE '2026-01-31' or TIMESTAMP '2026-01-31T00:00:00Z'".to_owned()
    } else if let Some(near) = did_you_mean(name, alike) {
        format!("did you mean {near}?")
    } else {
        format!("there are {}", names.join(", "))
    };
    (what, Some(hint))
}

/// The engine's words: the first line says what is wrong, those after it what may be meant.
fn worded(text: &str) -> (String, Option<String>) {
    // Our own functions' words come wrapped.
    let text = text.rsplit_once("coercion failed with: ").map_or(text, |(_, inner)| inner);
    let text = text.split_once(". No function matches the given name").map_or(text, |(own, _)| own);
    let text = text.trim_start_matches("Error during planning: ");
    let (what, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(table) = what.strip_prefix("table '").and_then(|rest| rest.split_once('\'')) {
        let name = table.0.rsplit('.').next().unwrap_or(table.0);
        return (
            format!("there is no table {name}"),
            Some("SHOW TABLES tells which there are".to_owned()),
        );
    }
    if let Some(name) =
        what.strip_prefix("Invalid function '").and_then(|rest| rest.split_once('\''))
    {
        return no_function(name.0);
    }
    let rest = rest.trim().replace("Did you mean", "did you mean");
    let hint = rest.lines().next().unwrap_or_default().trim().to_owned();
    (what.trim_end_matches('.').to_owned(), (!hint.is_empty()).then_some(hint))
}

/// `… at Line: 1, Column: 15` as words and a place.
fn located(text: &str) -> (String, Option<(u64, u64)>) {
    let cut = |text: &str| -> Option<(String, (u64, u64))> {
        let (what, place) = text.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
        Some((what.to_owned(), (line.parse().ok()?, digits.parse().ok()?)))
    };
    match cut(text) {
        Some((what, place)) => (what, Some(place)),
        None => (text.to_owned(), None),
    }
}

/// Values that go together in no way.
fn of_types(text: &str) -> QueryError {
    let (what, hint) = worded(text);
    let hint = hint.or_else(|| {
        text.contains("LIKE").then(|| {
            "LIKE compares texts: ask of numbers, days and times with =, < or BETWEEN".to_owned()
        })
    });
    QueryError::Invalid { what, place: None, hint }
}

/// A fault while an answer was put together, as far as it is the question's.
pub(crate) fn running(error: DataFusionError, memory_bytes_max: usize) -> QueryError {
    if let Some(refused) = values::refused(error.find_root()) {
        return refused;
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => QueryError::Memory(memory_bytes_max),
        // What a table's own reading met is told before this; other libraries speak of patterns and the like.
        DataFusionError::External(inner) => match inner.downcast_ref::<crate::engine::Ending>() {
            Some(ending) => QueryError::Ended(ending.0),
            None => {
                let text = inner.to_string();
                let last = text.lines().next_back().unwrap_or_default();
                unanswerable(last.trim_start_matches("error: "), None)
            }
        },
        DataFusionError::Internal(text) | DataFusionError::NotImplemented(text) => {
            unanswerable(text, None)
        }
        // Types are put together after the planning proper.
        DataFusionError::Plan(text) => of_types(text),
        _ => QueryError::Unexpected(anyhow::Error::from(error).context("answer a question")),
    }
}
