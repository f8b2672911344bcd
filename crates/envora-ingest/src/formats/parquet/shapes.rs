//! What the columns of a Parquet file hold, and its text: numbers exactly as they are, times in their own
//! unit. Nothing is calculated in floating point; a float is only written down, by its shortest text.

use core::fmt::Write as _;

use envora_domain::time::Day;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::ColumnDescriptor;

use super::super::xlsx::Kind;

/// How many decimal places a column may have.
const SCALE_MAX: i32 = 38;

/// How a value of a column is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bool,
    Signed,
    Unsigned,
    /// So many digits stand behind the point.
    Decimal(usize),
    Float,
    Day,
    /// So many parts to a second, since midnight.
    Clock(i64),
    /// So many parts to a second since 1970: on the world's clock or on somebody's wall.
    Instant(i64, Utc),
    Text,
    Uuid,
}

/// Which clock a time is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Utc {
    World,
    Wall,
}

impl Shape {
    /// What a cell of this shape is to a mapping.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Signed | Self::Unsigned | Self::Decimal(_) => Kind::Number,
            Self::Float => Kind::Float,
            Self::Day | Self::Clock(_) | Self::Instant(..) => Kind::Time,
            Self::Bool | Self::Text | Self::Uuid => Kind::Text,
        }
    }
}

/// Why the values of a column are not read: what they are, and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

const LIST: Unread = Unread {
    what: "holds lists or maps",
    remedy: "write a row for each item, each value in a column of its own",
};
const INT96: Unread = Unread {
    what: "holds times as INT96, which say nothing of their zone",
    remedy: "write them as TIMESTAMP with isAdjustedToUTC (in Spark: spark.sql.parquet.outputTimestampType = TIMESTAMP_MICROS)",
};
const OTHER: Unread = Unread {
    what: "holds values of a kind that no field has",
    remedy: "write them as texts, whole numbers, DECIMAL, DATE or TIMESTAMP",
};

/// How the values of a column are written.
pub(super) fn shape(column: &ColumnDescriptor) -> Result<Shape, Unread> {
    if column.max_rep_level() > 0 {
        return Err(LIST);
    }
    let physical = column.physical_type();
    if physical == Type::INT96 {
        return Err(INT96);
    }
    match column.logical_type_ref() {
        Some(logical) => by_logical(logical, physical, column),
        None => by_converted(physical, column),
    }
}

const fn parts(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    }
}

fn by_logical(
    logical: &LogicalType,
    physical: Type,
    column: &ColumnDescriptor,
) -> Result<Shape, Unread> {
    match logical {
        LogicalType::String | LogicalType::Enum | LogicalType::Json => Ok(Shape::Text),
        LogicalType::Decimal(own) => decimal(own.scale),
        LogicalType::Date => Ok(Shape::Day),
        LogicalType::Time(own) => Ok(Shape::Clock(parts(own.unit))),
        LogicalType::Timestamp(own) => {
            let clock = if own.is_adjusted_to_u_t_c { Utc::World } else { Utc::Wall };
            Ok(Shape::Instant(parts(own.unit), clock))
        }
        LogicalType::Integer(own) => {
            Ok(if own.is_signed { Shape::Signed } else { Shape::Unsigned })
        }
        LogicalType::Uuid if column.type_length() == 16 => Ok(Shape::Uuid),
        // A column in which everything is null has no kind.
        LogicalType::Unknown => by_physical(physical),
        LogicalType::Map
        | LogicalType::List
        | LogicalType::Bson
        | LogicalType::Uuid
        | LogicalType::Float16
        | LogicalType::Variant(_)
        | LogicalType::Geometry(_)
        | LogicalType::Geography(_)
        | LogicalType::_Unknown { .. } => Err(OTHER),
    }
}

fn decimal(scale: i32) -> Result<Shape, Unread> {
    let scale = usize::try_from(scale).ok().filter(|_| scale <= SCALE_MAX);
    scale.map(Shape::Decimal).ok_or(OTHER)
}

fn by_converted(physical: Type, column: &ColumnDescriptor) -> Result<Shape, Unread> {
    match column.converted_type() {
        ConvertedType::NONE => by_physical(physical),
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Ok(Shape::Text),
        ConvertedType::DECIMAL => decimal(column.type_scale()),
        ConvertedType::DATE => Ok(Shape::Day),
        ConvertedType::TIME_MILLIS => Ok(Shape::Clock(1_000)),
        ConvertedType::TIME_MICROS => Ok(Shape::Clock(1_000_000)),
        // The older notation knows times on the world's clock alone.
        ConvertedType::TIMESTAMP_MILLIS => Ok(Shape::Instant(1_000, Utc::World)),
        ConvertedType::TIMESTAMP_MICROS => Ok(Shape::Instant(1_000_000, Utc::World)),
        ConvertedType::UINT_8
        | ConvertedType::UINT_16
        | ConvertedType::UINT_32
        | ConvertedType::UINT_64 => Ok(Shape::Unsigned),
        ConvertedType::INT_8
        | ConvertedType::INT_16
        | ConvertedType::INT_32
        | ConvertedType::INT_64 => Ok(Shape::Signed),
        ConvertedType::MAP
        | ConvertedType::MAP_KEY_VALUE
        | ConvertedType::LIST
        | ConvertedType::BSON
        | ConvertedType::INTERVAL => Err(OTHER),
    }
}

const fn by_physical(physical: Type) -> Result<Shape, Unread> {
    match physical {
        Type::BOOLEAN => Ok(Shape::Bool),
        Type::INT32 | Type::INT64 => Ok(Shape::Signed),
        Type::INT96 => Err(INT96),
        Type::FLOAT | Type::DOUBLE => Ok(Shape::Float),
        // Older writers do not say of a text that it is one.
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Ok(Shape::Text),
    }
}

/// Why a value has no text: the value as far as it can be shown, what it is, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoText {
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

fn no_text(what: impl Into<String>, remedy: &'static str) -> NoText {
    NoText { what: what.into(), remedy }
}

/// Writes a whole number behind the text; `bits` is how many the column has.
pub(super) fn put_integer(
    out: &mut String,
    shape: Shape,
    (value, bits): (i64, u32),
) -> Result<(), NoText> {
    match shape {
        Shape::Decimal(scale) => put_decimal(out, i128::from(value), scale),
        Shape::Unsigned => {
            // The bits are those of a number without a sign.
            let mask = if bits == 32 { i128::from(u32::MAX) } else { i128::from(u64::MAX) };
            let _ok = write!(out, "{}", i128::from(value) & mask);
        }
        Shape::Day => return put_day(out, value),
        Shape::Clock(parts) => {
            let day = 86_400 * parts;
            if !(0..day).contains(&value) {
                return Err(no_text("holds a time beyond midnight", "write a time of the day"));
            }
            put_clock(out, value, parts);
        }
        Shape::Instant(parts, clock) => {
            put_day(out, value.div_euclid(parts).div_euclid(86_400))?;
            out.push('T');
            put_clock(out, value.rem_euclid(86_400 * parts), parts);
            if clock == Utc::World {
                out.push('Z');
            }
        }
        Shape::Bool | Shape::Signed | Shape::Float | Shape::Text | Shape::Uuid => {
            let _ok = write!(out, "{value}");
        }
    }
    Ok(())
}

fn put_day(out: &mut String, days: i64) -> Result<(), NoText> {
    // 0001-01-01 and 9999-12-31.
    let day = i32::try_from(days).ok().filter(|day| (-719_162..=2_932_896).contains(day));
    let Some(day) = day else {
        return Err(no_text("holds a day before year 1 or after year 9999", "correct the time"));
    };
    let _ok = write!(out, "{}", Day::from_number(day));
    Ok(())
}

/// Writes a time of the day; a fraction of a second only where there is one.
fn put_clock(out: &mut String, value: i64, parts: i64) {
    let (seconds, fraction) = (value.div_euclid(parts), value.rem_euclid(parts));
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let _ok = write!(out, "{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let digits = parts.checked_ilog10().unwrap_or(0) as usize;
        let text = format!("{fraction:0digits$}");
        let _ok = write!(out, ".{}", text.trim_end_matches('0'));
    }
}

/// Writes a decimal with all of its digits, those that are zero too.
fn put_decimal(out: &mut String, value: i128, scale: usize) {
    if value < 0 {
        out.push('-');
    }
    let digits = value.unsigned_abs().to_string();
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.push_str(whole);
    if scale > 0 {
        out.push('.');
        out.push_str(fraction);
    }
}

/// Writes a float by the shortest text that is read back as the same float.
pub(super) fn put_float(out: &mut String, text: &str) -> Result<(), NoText> {
    if ["NaN", "inf", "-inf"].contains(&text) {
        return Err(no_text(
            format!("holds {text}, which is no number"),
            "write the value, or null where there is none",
        ));
    }
    out.push_str(text);
    Ok(())
}

/// Writes bytes: a text, a decimal or an id.
pub(super) fn put_bytes(out: &mut String, shape: Shape, bytes: &[u8]) -> Result<(), NoText> {
    match shape {
        Shape::Decimal(scale) => {
            let value = big_endian(bytes).ok_or_else(|| {
                no_text("holds more digits than any number has here", "correct the number")
            })?;
            put_decimal(out, value, scale);
            Ok(())
        }
        Shape::Uuid => {
            for (place, byte) in bytes.iter().enumerate() {
                if matches!(place, 4 | 6 | 8 | 10) {
                    out.push('-');
                }
                let _ok = write!(out, "{byte:02x}");
            }
            Ok(())
        }
        _ => match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => {
                out.push_str(text.trim_matches([' ', '\t']));
                Ok(())
            }
            Err(_) => Err(no_text("holds bytes that are no text in UTF-8", "write it as UTF-8")),
        },
    }
}

/// A number in two's complement, most significant byte first.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let (first, sign) = (*bytes.first()?, bytes.first().is_some_and(|byte| byte & 0x80 != 0));
    let fill: u8 = if sign { 0xff } else { 0 };
    let surplus = bytes.len().saturating_sub(16);
    let (over, own) = bytes.split_at(surplus);
    let extends = own.first().is_some_and(|byte| (byte & 0x80 != 0) == sign);
    if surplus > 0 && (over.iter().any(|byte| *byte != fill) || !extends || first != fill) {
        return None;
    }
    let mut whole = [fill; 16];
    whole.get_mut(16 - own.len()..)?.copy_from_slice(own);
    Some(i128::from_be_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: Shape, value: i64, want: &str) {
        let mut out = String::new();
        put_integer(&mut out, shape, (value, 64)).expect("a text");
        assert_eq!(out, want, "{shape:?} {value}");
    }

    #[test]
    fn decimals_keep_every_digit() {
        check(Shape::Decimal(0), 42, "42");
        check(Shape::Decimal(3), 42, "0.042");
        check(Shape::Decimal(2), -1_000, "-10.00");
        check(Shape::Decimal(2), i64::MIN, "-92233720368547758.08");
        let mut out = String::new();
        put_bytes(&mut out, Shape::Decimal(1), &[0xff, 0x85]).expect("a text");
        assert_eq!(out, "-12.3");
        let long = [&[0xff; 8][..], &[0x80; 16]].concat();
        assert_eq!(big_endian(&long), Some(i128::from_be_bytes([0x80; 16])));
        assert_eq!(big_endian(&[&[1_u8][..], &[0; 16]].concat()), None);
        assert_eq!(big_endian(&[&[0_u8][..], &[0xff; 16]].concat()), None, "above the largest");
    }

    #[test]
    fn times_are_of_their_own_unit_and_clock() {
        check(Shape::Day, 18_993, "2022-01-01");
        check(Shape::Day, -1, "1969-12-31");
        let millis = 1_640_995_200_000;
        check(Shape::Instant(1_000, Utc::World), millis, "2022-01-01T00:00:00Z");
        check(Shape::Instant(1_000, Utc::Wall), millis + 1_500, "2022-01-01T00:00:01.5");
        check(Shape::Instant(1_000_000, Utc::World), -1, "1969-12-31T23:59:59.999999Z");
        let nanos = 1_640_995_200_000_000_001;
        check(Shape::Instant(1_000_000_000, Utc::World), nanos, "2022-01-01T00:00:00.000000001Z");
        check(Shape::Clock(1_000), 37_230_250, "10:20:30.25");
        let mut out = String::new();
        assert!(put_integer(&mut out, Shape::Instant(1_000, Utc::World), (i64::MAX, 64)).is_err());
    }

    #[test]
    fn numbers_without_a_sign_have_none() {
        check(Shape::Unsigned, -1, "18446744073709551615");
        let mut out = String::new();
        put_integer(&mut out, Shape::Unsigned, (-1, 32)).expect("a text");
        assert_eq!(out, "4294967295");
    }
}
