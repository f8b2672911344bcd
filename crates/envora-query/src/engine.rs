//! The engine: one question, its tables, its limits, its answer. It is made for one question and gone
//! with it.

use core::task::Poll;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::config::Dialect;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::StreamExt as _;

use crate::answer::Answer;
use crate::cells::Written;
use crate::checked::Checked;
use crate::faults::QueryError;
use crate::limits::{End, Limits, Watch};
use crate::plans::{plan, running, statement};
use crate::scans::{Provider, Slot};
use crate::table::Table;
use crate::{functions, operators};

/// Rows that go through the engine at once.
pub(crate) const BATCH_ROWS: usize = 2_048;
/// The stack of the thread that answers: deep questions are planned by recursion.
const STACK_BYTES: usize = 64 << 20;

/// Answers a question about these tables. Blocks; what it starts has ended when it returns.
///
/// # Errors
/// [`QueryError`].
pub fn ask(
    sql: &str,
    tables: Vec<Arc<dyn Table>>,
    (limits, watch): (Limits, Watch),
) -> Result<Answer, QueryError> {
    let mut written = Written::of(limits);
    put(sql, tables, (limits, watch), &mut written)?;
    Ok(written.into_answer())
}

/// What takes the rows of an answer.
pub(crate) trait Taking: Send {
    /// Told before the rows.
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError>;
    /// Takes rows, and says whether there is room for more.
    fn add(&mut self, batch: &RecordBatch) -> Result<bool, QueryError>;
}

/// Puts a question, and hands its answer over as it comes.
pub(crate) fn put(
    sql: &str,
    tables: Vec<Arc<dyn Table>>,
    (limits, watch): (Limits, Watch),
    taking: &mut dyn Taking,
) -> Result<(), QueryError> {
    std::thread::scope(|scope| {
        let answering = std::thread::Builder::new()
            .name("query".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || {
                let question = Question { limits, watch, slot: Slot::default() };
                // All of it is on this thread: a question is one core's work, and takes nobody else's turn.
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                let runtime = runtime.context("start a runtime for a question")?;
                runtime.block_on(question.answer(sql, tables, taking))
            })
            .context("start a thread for a question")?;
        match answering.join() {
            Ok(answer) => answer,
            // A fault of its own on values that are far from any that is stored; it is logged as one.
            Err(_) => Err(QueryError::invalid(
                "the engine cannot work this out",
                "ask it otherwise, with smaller numbers",
            )),
        }
    })
}

/// A question being answered.
struct Question {
    limits: Limits,
    watch: Watch,
    /// Where a reading leaves the fault that it met, as it was.
    slot: Slot,
}

impl Question {
    async fn answer(
        self,
        sql: &str,
        tables: Vec<Arc<dyn Table>>,
        taking: &mut dyn Taking,
    ) -> Result<(), QueryError> {
        let statement = statement(sql)?;
        let context = SessionContext::new_with_state(self.state()?);
        for table in tables {
            let name = table.name();
            let provider = Provider::new(table, self.watch.clone(), self.slot.clone());
            let added = context.register_table(name, Arc::new(provider));
            added.map_err(anyhow::Error::from).context("name a table")?;
        }
        let state = context.state();
        let plan = plan(&state, statement).await?;
        match self.run((&context, &state), plan, taking).await {
            Ok(answer) => answer,
            Err(error) => match self.slot.take() {
                Some(fault) => Err(QueryError::Unexpected(fault)),
                None => Err(running(error, self.limits.memory_bytes_max)),
            },
        }
    }

    /// Runs a plan and hands its rows over, as many as there may be.
    async fn run(
        &self,
        (context, state): (&SessionContext, &SessionState),
        plan: LogicalPlan,
        taking: &mut dyn Taking,
    ) -> EngineResult<Result<(), QueryError>> {
        let physical = state.create_physical_plan(&plan).await?;
        if let Err(error) = taking.begin(&physical.schema()) {
            return Ok(Err(error));
        }
        let mut stream = execute_stream(physical, context.task_ctx())?;
        loop {
            // Polled anew whenever an operator gives way, so that no long one goes unwatched.
            let next = core::future::poll_fn(|task| match self.watch.look() {
                Some(end) => Poll::Ready(Some(Err(ended(end)))),
                None => stream.poll_next_unpin(task),
            });
            let Some(batch) = next.await else { return Ok(Ok(())) };
            match taking.add(&batch?) {
                Ok(true) => {}
                Ok(false) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    fn state(&self) -> anyhow::Result<SessionState> {
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(true);
        let options = config.options_mut();
        // A number with a point is what it says.
        options.sql_parser.parse_float_as_decimal = true;
        options.sql_parser.dialect = Dialect::PostgreSQL;
        options.sql_parser.collect_spans = true;
        Ok(SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(self.runtime_env()?)
            .with_optimizer_rules(rules())
            .with_analyzer_rule(Arc::new(Checked))
            .with_expr_planners(operators::planners(SessionStateDefaults::default_expr_planners()))
            .with_scalar_functions(functions::scalars())
            .with_aggregate_functions(functions::aggregates())
            .with_window_functions(functions::windows())
            .build())
    }

    /// What it may hold, and no disk: no file is written, none is read, and no address is known.
    fn runtime_env(&self) -> anyhow::Result<Arc<RuntimeEnv>> {
        let pool = Pool {
            inner: GreedyMemoryPool::new(self.limits.memory_bytes_max),
            watch: self.watch.clone(),
        };
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let builder = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(disk);
        Ok(Arc::new(builder.build()?))
    }
}

/// The engine's optimizer, but for a rule that adds up sums, whose type then is another one, and fails.
fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "single_distinct_aggregation_to_group_by");
    rules
}

/// Tells, through the engine's own errors, that a question was ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the question was ended")]
pub(crate) struct Ending(pub(crate) End);

pub(crate) fn ended(end: End) -> DataFusionError {
    DataFusionError::External(Box::new(Ending(end)))
}

/// Memory that is counted, and a place that every operator passes that grows.
#[derive(Debug)]
struct Pool {
    inner: GreedyMemoryPool,
    watch: Watch,
}

impl core::fmt::Display for Pool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.inner.fmt(f)
    }
}

impl MemoryPool for Pool {
    fn name(&self) -> &str {
        "question"
    }
    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
    }
    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }
    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> EngineResult<()> {
        if let Some(end) = self.watch.look() {
            return Err(ended(end));
        }
        self.inner.try_grow(reservation, additional)
    }
    fn reserved(&self) -> usize {
        self.inner.reserved()
    }
}
