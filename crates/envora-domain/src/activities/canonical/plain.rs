//! Plain rows, read in one pass over their bytes. Nearly all rows are; what this reader does not know
//! or does not like is left to the general one, which says what is wrong with it. It is as strict:
//! what it takes, the general reader takes, and both read the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::activities::local::Local;
use crate::activities::problems::{Flag, Flags};
use crate::activities::{Activity, Common, Origin, Period, Ref};
use crate::cbor;
use crate::decimal::Decimal;
use crate::hash::Digest;
use crate::id::Id;
use crate::time::{Day, Timestamp, WallClock};

/// The most different words that are remembered while rows are read.
const KNOWN_MAX: usize = 16_384;

/// The activity of a row's map, or nothing when it is not plain.
pub(super) fn decode(map: &[u8]) -> Option<Activity> {
    let mut words = Vec::with_capacity(map.len());
    let own = Own::split(map, &mut words)?;
    own.with(Arc::new(common(&words)?))
}

/// What rows say in common, by its bytes: rows that follow each other share it.
#[derive(Default)]
pub(super) struct Known {
    words: Vec<u8>,
    last: Option<(Box<[u8]>, Arc<Common>)>,
    all: HashMap<Box<[u8]>, Arc<Common>>,
}

impl Known {
    /// The activity of a row's map, or nothing when it is not plain.
    pub(super) fn decode(&mut self, map: &[u8]) -> Option<Activity> {
        self.words.clear();
        let own = Own::split(map, &mut self.words)?;
        if let Some((words, common)) = &self.last
            && **words == *self.words
        {
            return own.with(Arc::clone(common));
        }
        let words: Box<[u8]> = self.words.as_slice().into();
        let common = match self.all.get(&words) {
            Some(common) => Arc::clone(common),
            None => {
                let common = Arc::new(common(&words)?);
                if self.all.len() >= KNOWN_MAX {
                    self.all.clear();
                }
                self.all.insert(words.clone(), Arc::clone(&common));
                common
            }
        };
        self.last = Some((words, Arc::clone(&common)));
        own.with(common)
    }
}

/// What a row says for itself.
#[derive(Default)]
struct Own {
    external_id: Option<String>,
    quantity: Option<Decimal>,
    period: Option<Period>,
    local: Local,
    tags: BTreeMap<String, String>,
    note: Option<String>,
    origin: Option<(Origin, Flags)>,
}

impl Own {
    /// Reads what a row says for itself, and puts the bytes of what it may say in common with others
    /// to the words. Inputs are the general reader's.
    fn split(map: &[u8], words: &mut Vec<u8>) -> Option<Self> {
        let mut reader = Reader { rest: map };
        let mut own = Self::default();
        let mut last = 0;
        for _ in 0..reader.of(5)? {
            let from = reader.rest;
            let key = reader.of(0)?;
            if key <= last {
                return None;
            }
            last = key;
            match key {
                1 => own.external_id = Some(reader.owned()?),
                3 => own.quantity = Some(Decimal::parse(reader.text()?).ok()?),
                5 => return None,
                6 => own.period = Some(reader.period()?),
                30 => own.tags = reader.texts()?,
                31 => own.note = Some(reader.owned()?),
                super::LOCAL => own.local = super::some_local(reader.of(0)?)?,
                40 => own.origin = Some(reader.origin()?),
                _ => {
                    reader.take(cbor::skip(reader.rest, 0)?)?;
                    words.extend(from.get(..from.len() - reader.rest.len())?);
                }
            }
        }
        reader.rest.is_empty().then_some(own)
    }

    fn with(self, common: Arc<Common>) -> Option<Activity> {
        let (origin, flags) = self.origin?;
        Some(Activity {
            external_id: self.external_id,
            tags: self.tags,
            note: self.note,
            local: self.local,
            flags,
            ..Activity::with(common, self.quantity?, self.period?, origin)
        })
    }
}

/// What rows say in common, of its pairs; prices, readings, quality, instruments and evidence are the
/// general reader's.
fn common(words: &[u8]) -> Option<Common> {
    let mut reader = Reader { rest: words };
    let (mut common, mut has_kind, mut has_unit) = (Common::default(), false, false);
    while !reader.rest.is_empty() {
        match reader.of(0)? {
            2 => (common.kind, has_kind) = (reader.owned()?, true),
            4 => (common.unit, has_unit) = (reader.owned()?, true),
            7 => common.time_zone = Some(reader.owned()?),
            8 => common.facility = Some(reader.reference()?),
            9 => common.source = Some(reader.reference()?),
            10 => common.supplier = Some(reader.owned()?),
            11 => common.entity = Some(reader.owned()?),
            12 => common.scope = Some(u8::try_from(reader.of(0)?).ok()?),
            13 => common.category = Some(u8::try_from(reader.of(0)?).ok()?),
            14 => common.item = Some(reader.owned()?),
            15 => common.item_scheme = Some(reader.owned()?),
            16 => common.region = Some(reader.owned()?),
            17 => common.grid = Some(reader.owned()?),
            21 => common.data_kind = Some(reader.owned()?),
            22 => common.primary = Some(reader.bool()?),
            26 => common.supersedes = Some(reader.owned()?),
            27 => common.supersede_reason = Some(reader.owned()?),
            28 => common.void = reader.bool()?,
            29 => common.qualifiers = reader.texts()?,
            _ => return None,
        }
    }
    (has_kind && has_unit).then_some(common)
}

/// Reads deterministic CBOR from the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// The major type and the argument of the next value, in its shortest form.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (major, short) = (first >> 5, first & 31);
        let (argument, least) = match short {
            0..=23 => return Some((major, u64::from(short))),
            24 => (u64::from(*self.take(1)?.first()?), 24),
            25 => (u64::from(u16::from_be_bytes(*self.take(2)?.first_chunk()?)), 0x100),
            26 => (u64::from(u32::from_be_bytes(*self.take(4)?.first_chunk()?)), 0x1_0000),
            27 => (u64::from_be_bytes(*self.take(8)?.first_chunk()?), 0x1_0000_0000),
            _ => return None,
        };
        (argument >= least).then_some((major, argument))
    }

    /// The argument of the next value, when it is of this major type.
    fn of(&mut self, wanted: u8) -> Option<u64> {
        let (major, argument) = self.head()?;
        (major == wanted).then_some(argument)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.of(3)?;
        str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()
    }

    fn owned(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.of(2)?;
        self.take(usize::try_from(length).ok()?)
    }

    fn int(&mut self) -> Option<i64> {
        let (major, argument) = self.head()?;
        let number = i64::try_from(argument).ok()?;
        match major {
            0 => Some(number),
            1 => Some(-1 - number),
            _ => None,
        }
    }

    fn bool(&mut self) -> Option<bool> {
        match self.take(1)?.first()? {
            0xf4 => Some(false),
            0xf5 => Some(true),
            _ => None,
        }
    }

    fn reference<K>(&mut self) -> Option<Ref<K>> {
        match self.rest.first()? >> 5 {
            3 => self.owned().map(Ref::Code),
            2 => Id::from_slice(self.bytes()?).map(Ref::Id),
            _ => None,
        }
    }

    fn texts(&mut self) -> Option<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        let mut last: Option<&str> = None;
        for _ in 0..self.of(5)? {
            let name = self.text()?;
            // Ascending by encoded bytes: shorter ones first.
            if last.is_some_and(|last| (name.len(), name) <= (last.len(), last)) {
                return None;
            }
            last = Some(name);
            texts.insert(name.to_owned(), self.owned()?);
        }
        Some(texts)
    }

    fn period(&mut self) -> Option<Period> {
        let items = self.of(4)?;
        let form = self.of(0)?;
        let first = self.int()?;
        if (items, form) == (2, 0) {
            return Some(Period::Instant(Timestamp::from_micros(first)));
        }
        let second = self.int()?;
        let day = |number: i64| i32::try_from(number).ok().map(Day::from_number);
        match (items, form) {
            (3, 1) => {
                Some(Period::Between(Timestamp::from_micros(first), Timestamp::from_micros(second)))
            }
            (3, 2) => Some(Period::Days { first: day(first)?, last: day(second)? }),
            (3, 3) => Some(Period::WallClock {
                start: WallClock::from_micros(first),
                end: WallClock::from_micros(second),
            }),
            _ => None,
        }
    }

    fn origin(&mut self) -> Option<(Origin, Flags)> {
        let items = self.of(4)?;
        let origin = match (items, self.of(0)?) {
            (10, 0) => Origin::File {
                import: Id::from_slice(self.bytes()?)?,
                file: Digest::from_slice(self.bytes()?)?,
                row: self.of(0)?,
                line: self.of(0)?,
                offset: self.of(0)?,
                length: u32::try_from(self.of(0)?).ok()?,
                mapping: if self.rest.first() == Some(&0xf6) {
                    self.take(1)?;
                    None
                } else {
                    Some(Digest::from_slice(self.bytes()?)?)
                },
                parser: super::known_parser(self.text()?),
            },
            (8, 1) => Origin::Request {
                request_id: self.text()?.into(),
                body: self.bytes()?.try_into().ok()?,
                row: self.of(0)?,
                offset: self.of(0)?,
                length: u32::try_from(self.of(0)?).ok()?,
                parser: super::known_parser(self.text()?),
            },
            _ => return None,
        };
        let mut flags = Flags::default();
        for _ in 0..self.of(4)? {
            flags.insert(Flag::parse(self.text()?)?);
        }
        Some((origin, flags))
    }
}
