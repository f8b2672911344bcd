//! Deterministic CBOR (RFC 8949 §4.2.1), as much of it as Envora writes: integers, byte strings,
//! texts, arrays, maps, booleans, null.
//!
//! Definite lengths, shortest integers, map keys ascending by their encoded bytes. The reader is as
//! strict as the writer: what was not written this way is refused, so equal things have equal bytes.

use core::cmp::Ordering;

/// How deep arrays and maps may nest.
pub const DEPTH_MAX: usize = 16;

/// Writes deterministic CBOR. Map keys are the caller's to give in order; [`Value::encode`] sorts.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A writer that appends to these bytes.
    #[must_use]
    pub const fn onto(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn head(&mut self, major: u8, value: u64) -> &mut Self {
        let major = major << 5;
        let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
        match value {
            0..=23 => self.bytes.push(major | h),
            24..=0xff => self.bytes.extend([major | 24, h]),
            0x100..=0xffff => self.bytes.extend([major | 25, g, h]),
            0x1_0000..=0xffff_ffff => self.bytes.extend([major | 26, e, f, g, h]),
            _ => self.bytes.extend([major | 27, a, b, c, d, e, f, g, h]),
        }
        self
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.head(0, value)
    }

    /// An integer.
    pub fn int(&mut self, value: i64) -> &mut Self {
        let bits = value.cast_unsigned();
        if value < 0 { self.head(1, !bits) } else { self.head(0, bits) }
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(2, value.len() as u64);
        self.bytes.extend_from_slice(value);
        self
    }

    /// A text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(3, value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }

    /// A text of these parts, one after the other.
    pub fn text_of(&mut self, parts: &[&str]) -> &mut Self {
        self.head(3, parts.iter().map(|part| part.len() as u64).sum());
        for part in parts {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// The head of an array of so many items, which follow.
    pub fn array(&mut self, items: usize) -> &mut Self {
        self.head(4, items as u64)
    }

    /// The head of a map of so many pairs, which follow, keys ascending.
    pub fn map(&mut self, pairs: usize) -> &mut Self {
        self.head(5, pairs as u64)
    }

    /// True or false.
    #[expect(clippy::fn_params_excessive_bools, reason = "a boolean is what it writes")]
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.head(7, if value { 21 } else { 20 })
    }

    /// Nothing.
    pub fn null(&mut self) -> &mut Self {
        self.head(7, 22)
    }

    /// Any value, its maps sorted.
    pub fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Uint(number) => self.uint(*number),
            Value::Nint(number) => self.head(1, *number),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                self.array(items.len());
                items.iter().fold(self, |writer, item| writer.value(item))
            }
            Value::Map(pairs) => {
                let mut encoded: Vec<(Vec<u8>, &Value)> =
                    pairs.iter().map(|(key, value)| (key.encode(), value)).collect();
                encoded.sort_by(|a, b| a.0.cmp(&b.0));
                self.map(encoded.len());
                for (key, value) in encoded {
                    self.bytes.extend_from_slice(&key);
                    self.value(value);
                }
                self
            }
            Value::Bool(value) => self.bool(*value),
            Value::Null => self.null(),
        }
    }
}

/// A CBOR value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer of zero or more.
    Uint(u64),
    /// The integer `-1 - n`.
    Nint(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// Pairs; written sorted by encoded key.
    Map(Vec<(Value, Value)>),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        let bits = value.cast_unsigned();
        if value < 0 { Self::Nint(!bits) } else { Self::Uint(bits) }
    }
}

impl Value {
    /// Its deterministic bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.value(self);
        writer.finish()
    }

    /// The value that exactly these bytes are.
    ///
    /// # Errors
    /// [`CborError`] when they end early or late, or were not written deterministically.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut reader = Reader::new(bytes);
        let value = reader.next_value()?;
        if reader.is_at_end() { Ok(value) } else { Err(CborError::Trailing) }
    }

    /// The integer, when it is one that fits.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Nint(value) = self {
            return i64::try_from(*value).ok().map(|value| -1 - value);
        }
        self.as_uint().and_then(|value| i64::try_from(value).ok())
    }

    /// The unsigned integer, when it is one.
    #[must_use]
    pub fn as_uint(&self) -> Option<u64> {
        if let Self::Uint(value) = self { Some(*value) } else { None }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The bytes, when they are.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The boolean, when it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The list, when it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The pairs, when it is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        if let Self::Map(pairs) = self { Some(pairs) } else { None }
    }

    /// The value under this integer key of a map.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&Self> {
        for (name, value) in self.as_map()? {
            if let Self::Uint(name) = name
                && *name == key
            {
                return Some(value);
            }
        }
        None
    }
}

/// Why bytes are not deterministic CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
    /// A length or integer is not in its shortest form.
    #[error("a length or integer is not in its shortest form")]
    NotShortest,
    /// Map keys are doubled or not ascending.
    #[error("map keys are doubled or not ascending")]
    KeyOrder,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A kind of value that Envora does not write, or nesting above [`DEPTH_MAX`].
    #[error("a kind of value, or a depth, that is not written here")]
    Unsupported,
}

/// Reads values one after the other: of a long array one item at a time is held.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// From the first of these bytes on.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The head of an array: how many items follow.
    ///
    /// # Errors
    /// [`CborError`] when no array begins here.
    pub fn array(&mut self) -> Result<u64, CborError> {
        match self.head()? {
            (4, items) => Ok(items),
            _ => Err(CborError::Unsupported),
        }
    }

    /// The next value, whole.
    ///
    /// # Errors
    /// As [`Value::decode`].
    pub fn next_value(&mut self) -> Result<Value, CborError> {
        self.value(0)
    }

    /// Whether all was read.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(length).ok_or(CborError::Truncated)?;
        let slice = self.bytes.get(self.at..end).ok_or(CborError::Truncated)?;
        self.at = end;
        Ok(slice)
    }

    fn head(&mut self) -> Result<(u8, u64), CborError> {
        let first = *self.take(1)?.first().ok_or(CborError::Truncated)?;
        let (major, short) = (first >> 5, first & 31);
        let extra = match short {
            0..=23 => return Ok((major, u64::from(short))),
            24..=27 => 1_usize << (short - 24),
            _ => return Err(CborError::Unsupported),
        };
        let value =
            self.take(extra)?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let least = if extra == 1 { 24 } else { 1_u64 << (extra * 4) };
        if value < least { Err(CborError::NotShortest) } else { Ok((major, value)) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        if depth > DEPTH_MAX {
            return Err(CborError::Unsupported);
        }
        let (major, argument) = self.head()?;
        let length = || usize::try_from(argument).map_err(|_| CborError::Truncated);
        Ok(match major {
            0 => Value::Uint(argument),
            1 => Value::Nint(argument),
            2 => Value::Bytes(self.take(length()?)?.to_vec()),
            3 => {
                let bytes = self.take(length()?)?;
                Value::Text(str::from_utf8(bytes).map_err(|_| CborError::NotUtf8)?.to_owned())
            }
            4 => {
                let mut items = Vec::new();
                for _ in 0..length()? {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            5 => Value::Map(self.pairs(length()?, depth)?),
            7 => match argument {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 => Value::Null,
                _ => return Err(CborError::Unsupported),
            },
            _ => return Err(CborError::Unsupported),
        })
    }

    fn pairs(&mut self, count: usize, depth: usize) -> Result<Vec<(Value, Value)>, CborError> {
        let mut pairs = Vec::new();
        let mut last: &[u8] = &[];
        for _ in 0..count {
            let start = self.at;
            let key = self.value(depth + 1)?;
            let encoded = self.bytes.get(start..self.at).ok_or(CborError::Truncated)?;
            if last.cmp(encoded) != Ordering::Less {
                return Err(CborError::KeyOrder);
            }
            last = encoded;
            pairs.push((key, self.value(depth + 1)?));
        }
        Ok(pairs)
    }
}

/// The head of the value at a place: its major type, its argument, and where what follows begins.
pub(crate) fn head(bytes: &[u8], at: usize) -> Option<(u8, u64, usize)> {
    let first = *bytes.get(at)?;
    let next = at.checked_add(1)?;
    let length = match first & 0x1f {
        small @ 0..=23 => return Some((first >> 5, u64::from(small), next)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let end = next.checked_add(length)?;
    let argument = bytes.get(next..end)?.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte));
    Some((first >> 5, argument, end))
}

/// Where the value at a place ends.
pub(crate) fn skip(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut left) = (at, 1_u64);
    while left > 0 {
        let (major, argument, next) = head(bytes, at)?;
        left -= 1;
        at = next;
        match major {
            2 | 3 => at = at.checked_add(usize::try_from(argument).ok()?)?,
            4 => left = left.checked_add(argument)?,
            5 => left = left.checked_add(argument.checked_mul(2)?)?,
            _ => {}
        }
    }
    (at <= bytes.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{hex, unhex};

    #[track_caller]
    fn check(value: &Value, encoded: &str) {
        assert_eq!(hex(&value.encode()), encoded);
        assert_eq!(Value::decode(&unhex(encoded).expect("hex")), Ok(value.clone()));
    }

    #[test]
    fn values_meet_the_vectors_of_rfc_8949() {
        check(&Value::Uint(0), "00");
        check(&Value::Uint(23), "17");
        check(&Value::Uint(24), "1818");
        check(&Value::Uint(1000), "1903e8");
        check(&Value::Uint(1_000_000), "1a000f4240");
        check(&Value::Uint(u64::MAX), "1bffffffffffffffff");
        check(&Value::from(-1), "20");
        check(&Value::from(-1000), "3903e7");
        check(&Value::from("IETF"), "6449455446");
        check(&Value::Bytes(vec![1, 2, 3, 4]), "4401020304");
        check(&Value::Array(vec![Value::Uint(1), Value::Array(vec![Value::Uint(2)])]), "82018102");
        check(&Value::Bool(true), "f5");
        check(&Value::Null, "f6");
    }

    #[test]
    fn items_are_read_one_at_a_time() {
        let bytes = Value::Array(vec![Value::Uint(1), Value::Array(vec![Value::Null])]).encode();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.array(), Ok(2));
        assert_eq!(reader.array(), Err(CborError::Unsupported), "an integer is no array");
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.array(), reader.next_value()), (Ok(2), Ok(Value::Uint(1))));
        assert!(!reader.is_at_end());
        assert_eq!(reader.next_value(), Ok(Value::Array(vec![Value::Null])));
        assert!(reader.is_at_end());
        assert_eq!(reader.next_value(), Err(CborError::Truncated));
    }

    #[test]
    fn maps_are_written_sorted() {
        let map = Value::Map(vec![("bb".into(), Value::Uint(2)), ("a".into(), Value::Uint(1))]);
        assert_eq!(hex(&map.encode()), "a261610162626202");
    }

    #[test]
    fn what_was_not_written_so_is_refused() {
        for (bytes, error) in [
            ("1800", CborError::NotShortest),
            ("1900ff", CborError::NotShortest),
            ("a201000000", CborError::KeyOrder),
            ("a200000000", CborError::KeyOrder),
            ("62", CborError::Truncated),
            ("9bffffffffffffffff", CborError::Truncated),
            ("61ff", CborError::NotUtf8),
            ("0000", CborError::Trailing),
            ("9fff", CborError::Unsupported),
            ("fb3ff0000000000000", CborError::Unsupported),
        ] {
            assert_eq!(Value::decode(&unhex(bytes).expect("hex")), Err(error), "{bytes}");
        }
    }
}
