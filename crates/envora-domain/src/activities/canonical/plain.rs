//! Plain rows, read in one pass over their bytes. Nearly all rows are; what this reader does not know
//! or does not like is left to the general one, which says what is wrong with it. It is as strict:
//! what it takes, the general reader takes, and both read the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::activities::problems::Flag;
use crate::activities::{Activity, Input, Origin, Period, Ref};
use crate::decimal::Decimal;
use crate::hash::Digest;
use crate::id::Id;
use crate::time::{Day, Timestamp, WallClock};

/// The activity of a row's map, or nothing when it is not plain.
pub(super) fn decode(map: &[u8]) -> Option<Activity> {
    let mut reader = Reader { rest: map };
    let mut draft = Draft::default();
    let mut last = 0;
    for _ in 0..reader.of(5)? {
        let key = reader.of(0)?;
        if key <= last {
            return None;
        }
        last = key;
        draft.read(key, &mut reader)?;
    }
    reader.rest.is_empty().then(|| draft.finish()).flatten()
}

/// The fields of a row that an activity cannot be without, and all others in their place.
#[derive(Default)]
struct Draft<'a> {
    kind: Option<&'a str>,
    quantity: Option<Decimal>,
    unit: Option<&'a str>,
    period: Option<Period>,
    origin: Option<(Origin, BTreeSet<Flag>)>,
    others: Others,
}

#[derive(Default)]
struct Others {
    external_id: Option<String>,
    time_zone: Option<String>,
    facility: Option<Ref<crate::id::Facility>>,
    source: Option<Ref<crate::id::Source>>,
    supplier: Option<String>,
    entity: Option<String>,
    scope: Option<u8>,
    category: Option<u8>,
    item: Option<String>,
    item_scheme: Option<String>,
    region: Option<String>,
    grid: Option<String>,
    data_kind: Option<String>,
    primary: Option<bool>,
    supersedes: Option<String>,
    supersede_reason: Option<String>,
    void: bool,
    qualifiers: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    note: Option<String>,
}

impl<'a> Draft<'a> {
    /// Reads the value of a key; inputs, prices, readings, quality, instruments and evidence are the
    /// general reader's.
    fn read(&mut self, key: u64, reader: &mut Reader<'a>) -> Option<()> {
        let others = &mut self.others;
        match key {
            1 => others.external_id = Some(reader.owned()?),
            2 => self.kind = Some(reader.text()?),
            3 => self.quantity = Some(Decimal::parse(reader.text()?).ok()?),
            4 => self.unit = Some(reader.text()?),
            6 => self.period = Some(reader.period()?),
            7 => others.time_zone = Some(reader.owned()?),
            8 => others.facility = Some(reader.reference()?),
            9 => others.source = Some(reader.reference()?),
            10 => others.supplier = Some(reader.owned()?),
            11 => others.entity = Some(reader.owned()?),
            12 => others.scope = Some(u8::try_from(reader.of(0)?).ok()?),
            13 => others.category = Some(u8::try_from(reader.of(0)?).ok()?),
            14 => others.item = Some(reader.owned()?),
            15 => others.item_scheme = Some(reader.owned()?),
            16 => others.region = Some(reader.owned()?),
            17 => others.grid = Some(reader.owned()?),
            21 => others.data_kind = Some(reader.owned()?),
            22 => others.primary = Some(reader.bool()?),
            26 => others.supersedes = Some(reader.owned()?),
            27 => others.supersede_reason = Some(reader.owned()?),
            28 => others.void = reader.bool()?,
            29 => others.qualifiers = reader.texts()?,
            30 => others.tags = reader.texts()?,
            31 => others.note = Some(reader.owned()?),
            40 => self.origin = Some(reader.origin()?),
            _ => return None,
        }
        Some(())
    }

    fn finish(self) -> Option<Activity> {
        let amount = Input { quantity: self.quantity?, unit: self.unit?.to_owned() };
        let (origin, flags) = self.origin?;
        let others = self.others;
        Some(Activity {
            external_id: others.external_id,
            time_zone: others.time_zone,
            facility: others.facility,
            source: others.source,
            supplier: others.supplier,
            entity: others.entity,
            scope: others.scope,
            category: others.category,
            item: others.item,
            item_scheme: others.item_scheme,
            region: others.region,
            grid: others.grid,
            data_kind: others.data_kind,
            primary: others.primary,
            supersedes: others.supersedes,
            supersede_reason: others.supersede_reason,
            void: others.void,
            qualifiers: others.qualifiers,
            tags: others.tags,
            note: others.note,
            flags,
            ..Activity::new(self.kind?, amount, self.period?, origin)
        })
    }
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

    fn origin(&mut self) -> Option<(Origin, BTreeSet<Flag>)> {
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
                parser: self.owned()?,
            },
            (8, 1) => Origin::Request {
                request_id: self.owned()?,
                body: self.bytes()?.try_into().ok()?,
                row: self.of(0)?,
                offset: self.of(0)?,
                length: u32::try_from(self.of(0)?).ok()?,
                parser: self.owned()?,
            },
            _ => return None,
        };
        let mut flags = BTreeSet::new();
        for _ in 0..self.of(4)? {
            flags.insert(Flag::parse(self.text()?)?);
        }
        Some((origin, flags))
    }
}
