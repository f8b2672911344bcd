//! Thrift's compact protocol, as far as headers of Parquet are looked over before anything is allocated for
//! what they claim: the library that decodes them afterwards takes some of their counts at their word.

/// Kinds of values, as the protocol numbers them.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I8: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// How deep structs and lists may lie in each other.
const DEPTH_MAX: u8 = 32;

/// A field of a struct: its number and the kind of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: i16,
    pub(super) kind: u8,
}

impl Entry {
    /// Whether its value is a list.
    pub(super) const fn is_list(self) -> bool {
        self.kind == LIST || self.kind == SET
    }

    /// Whether its value is a struct.
    pub(super) const fn is_struct(self) -> bool {
        self.kind == STRUCT
    }

    /// A true or false, which has no bytes of its own.
    pub(super) const fn truth(self) -> Option<bool> {
        match self.kind {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => None,
        }
    }
}

/// Bytes on which values are read one by one. Nothing is copied, and nothing is taken on trust: every
/// method gives nothing where the bytes end or break the rules.
#[derive(Clone, Debug)]
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Compact<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) const fn read(&self) -> usize {
        self.at
    }

    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn pass(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// A count of seven bits a byte.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for place in 0..10_u32 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                return None;
            }
            value |= bits << (7 * place);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A whole number with a sign.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let folded = self.unsigned()?;
        let half = i64::try_from(folded >> 1).ok()?;
        Some(if folded & 1 == 0 { half } else { -half - 1 })
    }

    /// The next field of a struct, after the field of this number; `Some(None)` at the struct's end.
    pub(super) fn field(&mut self, last: &mut i16) -> Option<Option<Entry>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        let kind = head & 0x0f;
        let id = match head >> 4 {
            0 => i16::try_from(self.signed()?).ok()?,
            step => last.checked_add(i16::from(step))?,
        };
        *last = id;
        Some(Some(Entry { id, kind }))
    }

    /// The head of a list: how many items, of which kind. No more than there are bytes left for them.
    pub(super) fn list(&mut self) -> Option<(usize, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.unsigned()?).ok()?,
            few => usize::from(few),
        };
        (count <= self.left()).then_some((count, head & 0x0f))
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_at(kind, 0)
    }

    fn skip_at(&mut self, kind: u8, depth: u8) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            TRUE | FALSE => Some(()),
            I8 => self.pass(1),
            I16 | I32 | I64 => self.unsigned().map(|_| ()),
            DOUBLE => self.pass(8),
            UUID => self.pass(16),
            BINARY => {
                let length = usize::try_from(self.unsigned()?).ok()?;
                self.pass(length)
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.skip_item(kind, depth)?;
                }
                Some(())
            }
            MAP => {
                let count = usize::try_from(self.unsigned()?).ok()?;
                if count == 0 {
                    return Some(());
                }
                if count > self.left() {
                    return None;
                }
                let kinds = self.byte()?;
                for _ in 0..count {
                    self.skip_item(kinds >> 4, depth)?;
                    self.skip_item(kinds & 0x0f, depth)?;
                }
                Some(())
            }
            STRUCT => {
                let mut last = 0;
                while let Some(entry) = self.field(&mut last)? {
                    self.skip_at(entry.kind, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// An item of a list: a true or false has a byte there.
    fn skip_item(&mut self, kind: u8, depth: u8) -> Option<()> {
        match kind {
            TRUE | FALSE => self.pass(1),
            other => self.skip_at(other, depth + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_their_ends() {
        let read = |bytes: &[u8]| Compact::new(bytes).signed();
        assert_eq!(read(&[0x00]), Some(0));
        assert_eq!(read(&[0x01]), Some(-1));
        assert_eq!(read(&[0x80, 0x7d]), Some(8_000));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read(&most), Some(i64::MIN));
        assert_eq!(read(&[0xff; 10]), None, "more bits than a number has");
        assert_eq!(read(&[0x80]), None, "cut");
    }

    #[test]
    fn a_list_has_no_more_items_than_bytes() {
        // A list of 2^32 structs in six bytes, and a struct that holds itself for ever.
        let claims = [0xfc, 0x80, 0x80, 0x80, 0x80, 0x10];
        assert_eq!(Compact::new(&claims).list(), None);
        let nested = [0x1c; 4_000];
        assert_eq!(Compact::new(&nested).skip(STRUCT), None);
        let text = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(Compact::new(&text).skip(BINARY), None);
    }
}
