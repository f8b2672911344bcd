//! Columns: their names, their types, and rows put into batches.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal256Builder, Int64Builder, RecordBatch,
    RecordBatchOptions, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, i256};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::time::{Day, Timestamp, WallClock};

/// Digits after the point of a quantity's column: as many as one may have.
pub const QUANTITY_SCALE: u8 = 18;
/// Digits that a number's column has in all. Sums are given ten more.
const DIGITS: u8 = 38;
/// Bytes that a batch of rows takes at least before it is handed on, whatever the number of rows.
pub const BATCH_BYTES: usize = 1 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A whole number.
    Whole,
    /// Yes or no.
    YesNo,
    /// An exact number as people send it.
    Quantity,
    /// An exact mass in kg.
    Mass,
    /// A day.
    Day,
    /// An instant, in UTC.
    Instant,
    /// A time on the wall, in no zone.
    WallClock,
}

impl Kind {
    /// As SQL calls it.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Text => "VARCHAR",
            Self::Whole => "BIGINT",
            Self::YesNo => "BOOLEAN",
            Self::Quantity => "DECIMAL(38,18)",
            Self::Mass => "DECIMAL(38,12)",
            Self::Day => "DATE",
            Self::Instant => "TIMESTAMP WITH TIME ZONE",
            Self::WallClock => "TIMESTAMP",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Whole => DataType::Int64,
            Self::YesNo => DataType::Boolean,
            // In 256 bits, so that a sum of any number of rows is whole.
            Self::Quantity => DataType::Decimal256(DIGITS, signed(QUANTITY_SCALE)),
            Self::Mass => DataType::Decimal256(DIGITS, signed(Mass::SCALE)),
            Self::Day => DataType::Date32,
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::WallClock => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

const fn signed(scale: u8) -> i8 {
    // No scale is above 38.
    scale.cast_signed()
}

/// A column: its name, what it holds, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What that means, with its unit.
    pub about: &'static str,
}

/// The schema of these columns; each may be null.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(column.name, column.kind.data_type(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// Words.
    Text(Cow<'a, str>),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    YesNo(bool),
    /// An exact number.
    Quantity(Decimal),
    /// An exact mass.
    Mass(Mass),
    /// A day.
    Day(Day),
    /// An instant.
    Instant(Timestamp),
    /// A time on the wall.
    WallClock(WallClock),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl From<u8> for Cell<'_> {
    fn from(number: u8) -> Self {
        Self::Whole(i64::from(number))
    }
}
impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Null, Self::Whole)
    }
}
impl From<bool> for Cell<'_> {
    fn from(yes: bool) -> Self {
        Self::YesNo(yes)
    }
}
impl From<Decimal> for Cell<'_> {
    fn from(number: Decimal) -> Self {
        Self::Quantity(number)
    }
}
impl From<Mass> for Cell<'_> {
    fn from(mass: Mass) -> Self {
        Self::Mass(mass)
    }
}
impl From<Day> for Cell<'_> {
    fn from(day: Day) -> Self {
        Self::Day(day)
    }
}
impl From<Timestamp> for Cell<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Instant(at)
    }
}
impl From<WallClock> for Cell<'_> {
    fn from(at: WallClock) -> Self {
        Self::WallClock(at)
    }
}
impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows of some of a table's columns, as the engine takes them.
pub struct Batch(pub(crate) RecordBatch);

impl Batch {
    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.get_array_memory_size()
    }
}

/// A batch on its way.
pub struct Batches<C: 'static> {
    columns: Vec<(C, Growing)>,
    schema: SchemaRef,
    rows: usize,
    bytes: usize,
}

/// What a column of a table is called by in the code.
pub trait Columns: Copy + 'static {
    /// All of them, in order.
    const ALL: &'static [(Self, Column)];

    /// What they are.
    #[must_use]
    fn list() -> Vec<Column> {
        Self::ALL.iter().map(|(_, column)| *column).collect()
    }
}

impl<C: Columns> Batches<C> {
    /// Batches of these columns, by their places.
    #[must_use]
    pub fn of(places: &[usize]) -> Self {
        let wanted = places.iter().filter_map(|place| C::ALL.get(*place));
        let columns: Vec<(C, Growing)> =
            wanted.clone().map(|(name, column)| (*name, Growing::new(column.kind))).collect();
        let described: Vec<Column> = wanted.map(|(_, column)| *column).collect();
        Self { columns, schema: schema(&described), rows: 0, bytes: 0 }
    }

    /// Adds a row.
    pub fn push<'a>(&mut self, cell: impl Fn(C) -> Cell<'a>) {
        for (name, growing) in &mut self.columns {
            self.bytes += growing.push(cell(*name));
        }
        self.rows += 1;
    }

    /// How many rows are in it.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it is to be handed on.
    #[must_use]
    pub const fn is_full(&self, rows_max: usize) -> bool {
        self.rows >= rows_max || self.bytes >= BATCH_BYTES
    }

    /// What there is so far; the next rows go into a new one.
    ///
    /// # Errors
    /// When a number has more digits than its column.
    pub fn take(&mut self) -> anyhow::Result<Batch> {
        let arrays: Vec<ArrayRef> =
            self.columns.iter_mut().map(|(_, growing)| growing.finish()).collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &rows)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(Batch(batch))
    }
}

/// A column on its way.
enum Growing {
    Text(StringBuilder),
    Whole(Int64Builder),
    YesNo(BooleanBuilder),
    Number(Decimal256Builder, u8, DataType),
    Day(Date32Builder),
    Time(TimestampMicrosecondBuilder, DataType),
}

impl Growing {
    fn new(kind: Kind) -> Self {
        let data_type = kind.data_type();
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Whole => Self::Whole(Int64Builder::new()),
            Kind::YesNo => Self::YesNo(BooleanBuilder::new()),
            Kind::Quantity => Self::Number(numbers(&data_type), QUANTITY_SCALE, data_type),
            Kind::Mass => Self::Number(numbers(&data_type), Mass::SCALE, data_type),
            Kind::Day => Self::Day(Date32Builder::new()),
            Kind::Instant | Kind::WallClock => Self::Time(times(&data_type), data_type),
        }
    }

    /// Adds a cell, and says how many bytes it takes. One of another kind counts as nothing.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(text), Cell::Text(words)) => {
                text.append_value(&words);
                words.len() + 5
            }
            (Self::Text(text), _) => {
                text.append_null();
                5
            }
            (Self::Whole(whole), Cell::Whole(number)) => {
                whole.append_value(number);
                9
            }
            (Self::Whole(whole), _) => {
                whole.append_null();
                9
            }
            (Self::YesNo(yes_no), Cell::YesNo(yes)) => {
                yes_no.append_value(yes);
                1
            }
            (Self::YesNo(yes_no), _) => {
                yes_no.append_null();
                1
            }
            (Self::Number(numbers, scale, _), cell) => {
                numbers.append_option(units(&cell, *scale));
                33
            }
            (Self::Day(days), Cell::Day(day)) => {
                days.append_value(day.number());
                5
            }
            (Self::Day(days), _) => {
                days.append_null();
                5
            }
            (Self::Time(times, _), Cell::Instant(at)) => {
                times.append_value(at.as_micros());
                9
            }
            (Self::Time(times, _), Cell::WallClock(at)) => {
                times.append_value(at.as_micros());
                9
            }
            (Self::Time(times, _), _) => {
                times.append_null();
                9
            }
        }
    }

    /// What there is so far; the next cells go into a new one.
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(text) => Arc::new(text.finish()),
            Self::Whole(whole) => Arc::new(whole.finish()),
            Self::YesNo(yes_no) => Arc::new(yes_no.finish()),
            Self::Number(numbers, _, data_type) => {
                let array = numbers.finish();
                *numbers = self::numbers(data_type);
                Arc::new(array)
            }
            Self::Day(days) => Arc::new(days.finish()),
            Self::Time(times, data_type) => {
                let array = times.finish();
                *times = self::times(data_type);
                Arc::new(array)
            }
        }
    }
}

fn numbers(data_type: &DataType) -> Decimal256Builder {
    Decimal256Builder::new().with_data_type(data_type.clone())
}

fn times(data_type: &DataType) -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_data_type(data_type.clone())
}

/// A number in units of its column's last digit. No quantity has more digits after the point.
fn units(cell: &Cell<'_>, scale: u8) -> Option<i256> {
    match cell {
        Cell::Mass(mass) => Some(i256::from_i128(mass.units())),
        Cell::Quantity(number) => {
            let missing = scale.checked_sub(number.scale())?;
            let ten = i256::from_i128(10_i128.checked_pow(u32::from(missing))?);
            i256::from_i128(number.mantissa()).checked_mul(ten)
        }
        Cell::Null
        | Cell::Text(_)
        | Cell::Whole(_)
        | Cell::YesNo(_)
        | Cell::Day(_)
        | Cell::Instant(_)
        | Cell::WallClock(_) => None,
    }
}

/// Lists the columns of a table: variant, name, kind, and what it means.
macro_rules! columns {
    ($(#[$doc:meta])* pub enum $name:ident { $($column:ident = $text:literal $kind:ident, $about:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $about] $column,)*
        }

        impl $crate::columns::Columns for $name {
            const ALL: &'static [(Self, $crate::columns::Column)] = &[
                $((Self::$column, $crate::columns::Column {
                    name: $text,
                    kind: $crate::columns::Kind::$kind,
                    about: $about,
                }),)*
            ];
        }
    };
}
pub(crate) use columns;
