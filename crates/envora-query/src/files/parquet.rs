//! An answer as Parquet: decimals stay decimals with their scale, times are in UTC to the microsecond.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringBuilder};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DataFusionError;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType as Stored, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, Int32Type, Int64Type as Stored64,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::Writing;
use crate::faults::QueryError;
use crate::values;

/// Rows of a group, which are held until it is written.
const GROUP_ROWS_MAX: usize = 65_536;
/// Bytes of a group.
const GROUP_BYTES_MAX: usize = 16 << 20;
/// The digits of the widest decimal that every reader of Parquet knows.
const DIGITS: u8 = 38;
/// Up to so many of them after the point a wider decimal is written in [`DIGITS`]: 14 are left before it.
const SCALE_MAX: i8 = 24;

/// The columns of a file.
pub(super) struct Columns<W: Write + Send> {
    to: Option<W>,
    file: Option<SerializedFileWriter<W>>,
    kinds: Vec<Kind>,
    held: Vec<RecordBatch>,
    held_rows: usize,
    held_bytes: usize,
}

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    YesNo,
    Whole,
    Unsigned,
    Float,
    Day,
    Instant,
    WallClock,
    /// In 16 bytes.
    Decimal(u8, i8),
    /// In 32 bytes.
    WideDecimal(u8, i8),
    Text,
    /// What has no type in a file: spans of time and the like, as JSON has them.
    Words,
}

impl Kind {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::YesNo,
            DataType::UInt64 => Self::Unsigned,
            whole if whole.is_integer() => Self::Whole,
            float if float.is_floating() => Self::Float,
            DataType::Date32 => Self::Day,
            DataType::Timestamp(_, Some(_)) => Self::Instant,
            DataType::Timestamp(_, None) => Self::WallClock,
            DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)
                if *scale >= 0 =>
            {
                match (*digits <= DIGITS, *scale <= SCALE_MAX) {
                    (true, _) => Self::Decimal(*digits, *scale),
                    (false, true) => Self::Decimal(DIGITS, *scale),
                    (false, false) => Self::WideDecimal(*digits, *scale),
                }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                Self::Text
            }
            _ => Self::Words,
        }
    }

    fn physical(self) -> (Physical, Option<LogicalType>) {
        let instant = |is_adjusted_to_u_t_c| {
            LogicalType::timestamp(is_adjusted_to_u_t_c, parquet::basic::TimeUnit::MICROS)
        };
        let decimal =
            |digits: u8, scale: i8| LogicalType::decimal(i32::from(scale), i32::from(digits));
        match self {
            Self::YesNo => (Physical::BOOLEAN, None),
            Self::Whole => (Physical::INT64, None),
            Self::Unsigned => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Self::Float => (Physical::DOUBLE, None),
            Self::Day => (Physical::INT32, Some(LogicalType::Date)),
            Self::Instant => (Physical::INT64, Some(instant(true))),
            Self::WallClock => (Physical::INT64, Some(instant(false))),
            Self::Decimal(digits, scale) | Self::WideDecimal(digits, scale) => {
                (Physical::FIXED_LEN_BYTE_ARRAY, Some(decimal(digits, scale)))
            }
            Self::Text | Self::Words => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        }
    }

    fn field(self, name: &str) -> parquet::errors::Result<Type> {
        let (physical, logical) = self.physical();
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        match self {
            Self::Decimal(digits, scale) => field
                .with_length(16)
                .with_precision(i32::from(digits))
                .with_scale(i32::from(scale))
                .build(),
            Self::WideDecimal(digits, scale) => field
                .with_length(32)
                .with_precision(i32::from(digits))
                .with_scale(i32::from(scale))
                .build(),
            _ => field.build(),
        }
    }

    /// The type of the engine in which a column's values are written.
    fn engine(self) -> DataType {
        let micros = |zone| DataType::Timestamp(TimeUnit::Microsecond, zone);
        match self {
            Self::YesNo => DataType::Boolean,
            Self::Whole => DataType::Int64,
            Self::Unsigned => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Day => DataType::Date32,
            Self::Instant => micros(Some("UTC".into())),
            Self::WallClock => micros(None),
            Self::Decimal(digits, scale) => DataType::Decimal128(digits, scale),
            Self::WideDecimal(digits, scale) => DataType::Decimal256(digits, scale),
            Self::Text | Self::Words => DataType::Utf8,
        }
    }
}

impl<W: Write + Send> Columns<W> {
    pub(super) fn new(to: W) -> Self {
        Self {
            to: Some(to),
            file: None,
            kinds: Vec::new(),
            held: Vec::new(),
            held_rows: 0,
            held_bytes: 0,
        }
    }

    pub(super) fn end(mut self) -> Result<(), QueryError> {
        self.group()?;
        let file = self.file.context("begin a file")?;
        file.close().context("write an answer")?;
        Ok(())
    }

    /// Writes what is held.
    fn group(&mut self) -> Result<(), QueryError> {
        let held = core::mem::take(&mut self.held);
        (self.held_rows, self.held_bytes) = (0, 0);
        if held.is_empty() {
            return Ok(());
        }
        let file = self.file.as_mut().context("begin a file")?;
        let mut group = file.next_row_group().context("write an answer")?;
        for (place, kind) in self.kinds.iter().enumerate() {
            let parts: Vec<&ArrayRef> =
                held.iter().filter_map(|rows| rows.columns().get(place)).collect();
            let column = group.next_column().context("write an answer")?;
            let mut column = column.context("find a column of the file")?;
            written(&mut column, *kind, &parts)?;
            column.close().context("write an answer")?;
        }
        group.close().context("write an answer")?;
        Ok(())
    }
}

impl<W: Write + Send> Writing for Columns<W> {
    fn begin(&mut self, schema: &Schema) -> Result<(), QueryError> {
        self.kinds = schema.fields().iter().map(|field| Kind::of(field.data_type())).collect();
        let named = schema.fields().iter().zip(&self.kinds);
        let fields: Vec<Arc<Type>> = named
            .map(|(field, kind)| kind.field(field.name()).map(Arc::new))
            .collect::<Result<_, _>>()
            .context("describe the columns of an answer")?;
        let root = Type::group_type_builder("answer").with_fields(fields).build();
        let root = Arc::new(root.context("describe an answer")?);
        let how = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("envora".to_owned())
            .build();
        let to = self.to.take().context("begin a file once")?;
        let file = SerializedFileWriter::new(to, root, Arc::new(how));
        self.file = Some(file.context("begin a file")?);
        Ok(())
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<usize, QueryError> {
        let mut columns = Vec::with_capacity(self.kinds.len());
        for (column, kind) in rows.columns().iter().zip(&self.kinds) {
            columns.push(converted(column, *kind)?);
        }
        let bytes = columns.iter().map(bytes).sum();
        let fields: Vec<arrow::datatypes::Field> = columns
            .iter()
            .map(|column| arrow::datatypes::Field::new("c", column.data_type().clone(), true))
            .collect();
        if rows.num_rows() > 0 {
            let options =
                arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            let schema = Arc::new(Schema::new(fields));
            let rows = RecordBatch::try_new_with_options(schema, columns, &options);
            self.held.push(rows.context("hold rows of an answer")?);
        }
        self.held_rows += rows.num_rows();
        self.held_bytes += bytes;
        if self.held_rows >= GROUP_ROWS_MAX || self.held_bytes >= GROUP_BYTES_MAX {
            self.group()?;
        }
        Ok(bytes)
    }
}

/// What the values of a column are, in bytes.
fn bytes(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            let ends = texts.value_offsets();
            let first = ends.first().copied().unwrap_or_default();
            let last = ends.last().copied().unwrap_or_default();
            usize::try_from(last - first).unwrap_or(usize::MAX) + 4 * column.len()
        }
        other => column.len() * other.primitive_width().unwrap_or(1),
    }
}

/// A column as it is written; a number that has more digits than its column is refused.
fn converted(column: &ArrayRef, kind: Kind) -> Result<ArrayRef, QueryError> {
    if kind == Kind::Words {
        let written = ArrayFormatter::try_new(column, &FormatOptions::default());
        let written = written.context("write values as words")?;
        let mut words = StringBuilder::new();
        for row in 0..column.len() {
            let word = column.is_valid(row).then(|| written.value(row).to_string());
            words.append_option(word);
        }
        return Ok(Arc::new(words.finish()));
    }
    let wanted = kind.engine();
    let converted = cast_checked(column, &wanted).map_err(DataFusionError::from);
    let converted = converted.and_then(|column| {
        match column.data_type() {
            DataType::Decimal128(digits, _) => {
                column.as_primitive::<Decimal128Type>().validate_decimal_precision(*digits)?;
            }
            DataType::Decimal256(digits, _) => {
                column.as_primitive::<Decimal256Type>().validate_decimal_precision(*digits)?;
            }
            _ => {}
        }
        Ok(column)
    });
    converted.map_err(|error| match values::refused(&error) {
        Some(refused) => refused,
        None => QueryError::Unexpected(anyhow::Error::from(error).context("write an answer")),
    })
}

fn cast_checked(
    column: &ArrayRef,
    wanted: &DataType,
) -> Result<ArrayRef, arrow::error::ArrowError> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    arrow::compute::cast_with_options(column, wanted, &options)
}

fn written(
    to: &mut SerializedColumnWriter<'_>,
    kind: Kind,
    parts: &[&ArrayRef],
) -> Result<(), QueryError> {
    for part in parts {
        match kind {
            Kind::YesNo => {
                let values = part.as_boolean().iter();
                typed::<BoolType>(to, part, values.flatten().collect())?;
            }
            Kind::Whole => {
                let values = part.as_primitive::<Int64Type>().iter();
                typed::<Stored64>(to, part, values.flatten().collect())?;
            }
            Kind::Unsigned => {
                let values = part.as_primitive::<UInt64Type>().iter().flatten();
                typed::<Stored64>(to, part, values.map(u64::cast_signed).collect())?;
            }
            Kind::Float => {
                let values = part.as_primitive::<Float64Type>().iter();
                typed::<DoubleType>(to, part, values.flatten().collect())?;
            }
            Kind::Day => {
                let values = part.as_primitive::<Date32Type>().iter();
                typed::<Int32Type>(to, part, values.flatten().collect())?;
            }
            Kind::Instant | Kind::WallClock => {
                let values = part.as_primitive::<TimestampMicrosecondType>().iter();
                typed::<Stored64>(to, part, values.flatten().collect())?;
            }
            Kind::Decimal(..) => {
                let values = part.as_primitive::<Decimal128Type>().iter().flatten();
                let values = values.map(|value| fixed(value.to_be_bytes().to_vec()));
                typed::<FixedLenByteArrayType>(to, part, values.collect())?;
            }
            Kind::WideDecimal(..) => {
                let values = part.as_primitive::<Decimal256Type>().iter().flatten();
                let values = values.map(|value| fixed(value.to_be_bytes().to_vec()));
                typed::<FixedLenByteArrayType>(to, part, values.collect())?;
            }
            Kind::Text | Kind::Words => {
                let values = part.as_string::<i32>().iter().flatten();
                typed::<ByteArrayType>(to, part, values.map(ByteArray::from).collect())?;
            }
        }
    }
    Ok(())
}

fn fixed(bytes: Vec<u8>) -> FixedLenByteArray {
    FixedLenByteArray::from(ByteArray::from(bytes))
}

/// Writes the values of a part, and where there are none.
fn typed<T: Stored>(
    to: &mut SerializedColumnWriter<'_>,
    part: &ArrayRef,
    values: Vec<T::T>,
) -> anyhow::Result<()> {
    let there: Vec<i16> = (0..part.len()).map(|row| i16::from(part.is_valid(row))).collect();
    to.typed::<T>().write_batch(&values, Some(&there), None).context("write an answer")?;
    Ok(())
}
