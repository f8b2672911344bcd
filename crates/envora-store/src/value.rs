//! Values as they go into a statement, and how exact numbers lie in a column.

use bytes::BytesMut;
use envora_domain::decimal::Mass;
use envora_domain::hash::Digest;
use envora_domain::id::Id;
use envora_domain::time::{Day, Timestamp};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type};

/// One parameter: an integer, a word or bytes. There are no others, on purpose.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Absent; never in a key.
    Null,
    /// INTEGER or BIGINT.
    Int(i64),
    /// TEXT.
    Text(&'a str),
    /// BLOB or BYTEA.
    Blob(&'a [u8]),
    /// Sixteen bytes held here: ids and exact numbers.
    Sixteen([u8; 16]),
    /// Thirty-two bytes held here: hashes.
    Hash([u8; 32]),
}

const TOP_BIT: u128 = 1 << 127;

/// An exact number as sixteen bytes whose byte order is the number's order.
#[must_use]
pub const fn exact_to_bytes(number: i128) -> [u8; 16] {
    (number.cast_unsigned() ^ TOP_BIT).to_be_bytes()
}

/// The exact number that sixteen bytes are.
#[must_use]
pub const fn exact_from_bytes(bytes: [u8; 16]) -> i128 {
    (u128::from_be_bytes(bytes) ^ TOP_BIT).cast_signed()
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<u8> for Value<'_> {
    fn from(value: u8) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<u64> for Value<'_> {
    /// Seqs, counts and lengths stay far below 2^63; a larger one would be stored as the largest.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_micros())
    }
}
impl From<Day> for Value<'_> {
    fn from(value: Day) -> Self {
        Self::Int(i64::from(value.number()))
    }
}
impl From<Mass> for Value<'_> {
    fn from(value: Mass) -> Self {
        Self::Sixteen(exact_to_bytes(value.units()))
    }
}
impl<K> From<Id<K>> for Value<'_> {
    fn from(value: Id<K>) -> Self {
        Self::Sixteen(value.bytes())
    }
}
impl From<Digest> for Value<'_> {
    fn from(value: Digest) -> Self {
        Self::Hash(value.0)
    }
}
impl From<[u8; 16]> for Value<'_> {
    fn from(value: [u8; 16]) -> Self {
        Self::Sixteen(value)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl Value<'_> {
    /// An absent id of a key column: no bytes, not NULL.
    pub(crate) fn id_or_empty<K>(id: Option<Id<K>>) -> Self {
        id.map_or(Value::Blob(&[]), Into::into)
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Blob(bytes) => Some(bytes),
            Value::Sixteen(bytes) => Some(bytes),
            Value::Hash(bytes) => Some(bytes),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(_) | Value::Sixteen(_) | Value::Hash(_) => {
                ValueRef::Blob(self.bytes().unwrap_or_default())
            }
        }))
    }
}

type Failure = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Value::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Value::Text(value) if *ty == Type::TEXT => value.to_sql(ty, out),
            Value::Blob(_) | Value::Sixteen(_) | Value::Hash(_) if *ty == Type::BYTEA => {
                self.bytes().unwrap_or_default().to_sql(ty, out)
            }
            Value::Int(_) => Err(format!("a {ty} cannot be an integer").into()),
            Value::Text(_) => Err(format!("a {ty} cannot be a word").into()),
            Value::Blob(_) | Value::Sixteen(_) | Value::Hash(_) => {
                Err(format!("a {ty} cannot be bytes").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn exact_numbers_keep_their_order_and_value(a: i128, b: i128) {
            prop_assert_eq!(exact_from_bytes(exact_to_bytes(a)), a);
            prop_assert_eq!(exact_to_bytes(a).cmp(&exact_to_bytes(b)), a.cmp(&b));
        }
    }

    #[test]
    fn zero_lies_in_the_middle() {
        assert_eq!(exact_to_bytes(0)[0], 0x80);
        assert_eq!(exact_to_bytes(i128::MIN), [0; 16]);
        assert_eq!(exact_to_bytes(i128::MAX), [0xff; 16]);
    }
}
