//! A [`Table`] as the engine sees one: what is wanted of it is handed down, and its batches come up one
//! by one.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use envora_domain::time::{Day, Timestamp};

use crate::columns::{Batch, Column, Kind, schema};
use crate::engine::{BATCH_ROWS, ended};
use crate::limits::Watch;
use crate::table::{Bound, Memory, NoRoom, Reading, Table, Wanted};

/// A fault that a reading met, kept as it was: the engine would make words of it.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<anyhow::Error>>>);

impl Slot {
    pub(crate) fn take(&self) -> Option<anyhow::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, fault: anyhow::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }
}

/// A table, for one question.
pub(crate) struct Provider {
    table: Arc<dyn Table>,
    columns: Vec<Column>,
    schema: SchemaRef,
    watch: Watch,
    slot: Slot,
}

impl Provider {
    pub(crate) fn new(table: Arc<dyn Table>, watch: Watch, slot: Slot) -> Self {
        let columns = table.columns();
        let schema = schema(&columns);
        Self { table, columns, schema, watch, slot }
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {}", self.table.name())
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let places = match projection {
            Some(places) => places.clone(),
            None => (0..self.columns.len()).collect(),
        };
        let rows = Rows {
            schema: Arc::new(self.schema.project(&places)?),
            table: Arc::clone(&self.table),
            bounds: filters.iter().filter_map(|filter| self.bound(filter)).collect(),
            places,
            limit,
            watch: self.watch.clone(),
            slot: self.slot.clone(),
        };
        let (schema, rows): (_, Arc<dyn PartitionStream>) =
            (Arc::clone(&rows.schema), Arc::new(rows));
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![rows], None, None, false, limit)?))
    }

    /// What the table can use spares it reading; the engine looks at each row all the same.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let told = |filter: &&Expr| match self.bound(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(told).collect())
    }
}

impl Provider {
    /// What a condition says of a column, where it is of a kind that a table can use.
    fn bound(&self, filter: &Expr) -> Option<Bound> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (column, value, op) = match (&**left, &**right) {
                    (left, Expr::Literal(value, _)) => (self.named(left)?, value, *op),
                    (Expr::Literal(value, _), right) => (self.named(right)?, value, op.swap()?),
                    _ => return None,
                };
                compared(column, op, value)
            }
            Expr::InList(InList { expr, list, negated: false }) => {
                let column = self.named(expr)?;
                let word = |one: &Expr| match one {
                    Expr::Literal(value, _) => text(value),
                    _ => None,
                };
                let words = list.iter().map(word).collect::<Option<Vec<String>>>()?;
                (column.kind == Kind::Text).then_some(Bound::OneOf(column.name, words))
            }
            _ => None,
        }
    }

    fn named(&self, expr: &Expr) -> Option<&Column> {
        match expr {
            Expr::Column(column) => self.column(&column.name),
            _ => None,
        }
    }
}

fn compared(column: &Column, op: Operator, value: &ScalarValue) -> Option<Bound> {
    let name = column.name;
    let (from, to) = match op {
        Operator::Eq => (true, true),
        Operator::Gt | Operator::GtEq => (true, false),
        Operator::Lt | Operator::LtEq => (false, true),
        _ => return None,
    };
    match column.kind {
        Kind::Text if from && to => Some(Bound::OneOf(name, vec![text(value)?])),
        Kind::Day => {
            let ScalarValue::Date32(Some(day)) = value else { return None };
            let day = Day::from_number(*day);
            Some(if from { Bound::FromDay(name, day) } else { Bound::ToDay(name, day) })
        }
        Kind::Instant => {
            let wanted =
                DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()));
            let ScalarValue::TimestampMicrosecond(Some(at), _) = value.cast_to(&wanted).ok()?
            else {
                return None;
            };
            let at = Timestamp::from_micros(at);
            Some(if from { Bound::FromInstant(name, at) } else { Bound::ToInstant(name, at) })
        }
        Kind::Text | Kind::Whole | Kind::YesNo | Kind::Quantity | Kind::Mass | Kind::WallClock => {
            None
        }
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The rows of a table, each time they are read.
struct Rows {
    schema: SchemaRef,
    table: Arc<dyn Table>,
    places: Vec<usize>,
    bounds: Vec<Bound>,
    limit: Option<usize>,
    watch: Watch,
    slot: Slot,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rows of {}", self.table.name())
    }
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let held = MemoryConsumer::new(self.table.name()).register(context.memory_pool());
        let held = Mutex::new(held);
        let memory = Memory(Arc::new(move |bytes| {
            let held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.try_resize(bytes).map_err(|_| NoRoom)
        }));
        let wanted = Wanted {
            places: self.places.clone(),
            bounds: self.bounds.clone(),
            rows_enough: self.limit,
            batch_rows: BATCH_ROWS,
            memory,
        };
        let table = Arc::clone(&self.table);
        let begin = Box::new(move || table.read(wanted));
        let read = Read {
            state: State::Before(begin),
            watch: self.watch.clone(),
            slot: self.slot.clone(),
        };
        let stream = futures_util::stream::iter(read);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
    }
}

type Begin = Box<dyn FnOnce() -> anyhow::Result<Reading> + Send>;

enum State {
    Before(Begin),
    Within(Reading),
    After,
}

/// A reading as the engine pulls it, on the thread that is the question's own.
struct Read {
    state: State,
    watch: Watch,
    slot: Slot,
}

impl Iterator for Read {
    type Item = Result<arrow::array::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.watch.look() {
            Some(end) => Some(Err(ended(end))),
            None => match self.apart() {
                Ok(batch) => batch.map(|Batch(batch)| Ok(batch)),
                Err(fault) => Some(Err(self.told(fault))),
            },
        };
        if !matches!(next, Some(Ok(_))) {
            self.state = State::After;
        }
        next
    }
}

impl Read {
    /// A step on a thread of its own: a reading may block, which a thread that drives tasks may not.
    fn apart(&mut self) -> anyhow::Result<Option<Batch>> {
        let step = || self.step();
        let stepped = std::thread::scope(|scope| scope.spawn(step).join());
        stepped.unwrap_or_else(|_| Err(anyhow::anyhow!("a table was ended by a fault of ours")))
    }

    fn step(&mut self) -> anyhow::Result<Option<Batch>> {
        if let State::Before(_) = self.state
            && let State::Before(begin) = core::mem::replace(&mut self.state, State::After)
        {
            self.state = State::Within(begin()?);
        }
        match &mut self.state {
            State::Within(reading) => reading.next().transpose(),
            State::Before(_) | State::After => Ok(None),
        }
    }

    fn told(&self, fault: anyhow::Error) -> DataFusionError {
        if fault.is::<NoRoom>() {
            return DataFusionError::ResourcesExhausted(fault.to_string());
        }
        self.slot.put(fault);
        DataFusionError::Execution("a table could not be read".to_owned())
    }
}
