//! The canonical row: the bytes of an activity that segments keep and the audit root is made of.
//!
//! A row is a `u32` big-endian length and a deterministic CBOR map of integer keys
//! (`docs/formats/row.md`). The content hash, by which a duplicate is told from a conflict, leaves out
//! where the row came from and how many trailing zeros its numbers had.

mod plain;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::activities::local::Local;
use crate::activities::problems::{Flag, Flags};
use crate::activities::{Activity, Common, Input, Origin, Period, Price, Reading, Ref};
use crate::cbor::{self, CborError, Value, Writer};
use crate::decimal::{Decimal, DecimalText};
use crate::hash::{Digest, leaf_hash, tree_root};
use crate::id::Id;
use crate::time::{Day, Timestamp, WallClock};

/// How many canonical rows make one leaf of a segment's audit tree.
pub const RUN_ROWS: usize = 256;

/// Why bytes are no canonical row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowDecodeError {
    /// The bytes end inside the row.
    #[error("the bytes end inside a row")]
    Truncated,
    /// Not deterministic CBOR.
    #[error("the row is not deterministic CBOR: {0}")]
    Cbor(CborError),
    /// A key is missing or holds another type.
    #[error("key {0} of the row is missing or of another type")]
    Key(u64),
    /// A key that this version does not know.
    #[error("the row has a key that this version does not know")]
    UnknownKey,
}

impl Activity {
    /// The canonical row: length and map.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(ROW_BYTES_USUAL);
        self.canonical_onto(&mut row);
        row
    }

    /// Puts the canonical row behind these bytes, so that many rows need one buffer.
    pub fn canonical_onto(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend([0; 4]);
        let mut fields = Fields::onto(core::mem::take(bytes), Digits::AsSent);
        self.write_content(&mut fields);
        if !self.local.is_empty() {
            fields.uint(LOCAL, Some(self.local.number()));
        }
        fields.key(40);
        write_origin(&mut fields.writer, &self.origin, self.flags);
        *bytes = fields.finish();
        let length = u32::try_from(bytes.len() - start - 4).unwrap_or(u32::MAX);
        bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// What tells a duplicate from a conflict: the content without trailing zeros and origin.
    #[must_use]
    pub fn content_hash(&self) -> Digest {
        let mut fields = Fields::onto(Vec::with_capacity(ROW_BYTES_USUAL), Digits::Stripped);
        self.write_content(&mut fields);
        Digest::of(&fields.finish())
    }

    /// The first row of these bytes, and how many bytes it has.
    ///
    /// # Errors
    /// [`RowDecodeError`] when they do not start with a canonical row.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), RowDecodeError> {
        let map = row_map(bytes)?;
        let length = map.len() + 4;
        match plain::decode(map) {
            Some(activity) => Ok((activity, length)),
            None => Ok((decode_any(map)?, length)),
        }
    }

    fn write_content(&self, fields: &mut Fields) {
        fields.text(1, self.external_id.as_deref());
        fields.text(2, Some(&self.kind));
        fields.decimal(3, Some(self.quantity));
        fields.text(4, Some(&self.unit));
        self.write_inputs(fields);
        fields.key(6);
        write_period(&mut fields.writer, self.period);
        fields.text(7, self.time_zone.as_deref());
        fields.reference(8, self.facility.as_ref());
        fields.reference(9, self.source.as_ref());
        fields.text(10, self.supplier.as_deref());
        fields.text(11, self.entity.as_deref());
        fields.uint(12, self.scope);
        fields.uint(13, self.category);
        fields.text(14, self.item.as_deref());
        fields.text(15, self.item_scheme.as_deref());
        fields.text(16, self.region.as_deref());
        fields.text(17, self.grid.as_deref());
        if let Some(price) = &self.price {
            fields.key(18);
            write_price(&mut fields.writer, price);
        }
        if let Some(reading) = &self.reading {
            fields.key(19);
            fields.write_reading(reading);
        }
        fields.list(20, &self.instruments);
        fields.text(21, self.data_kind.as_deref());
        if let Some(primary) = self.primary {
            fields.key(22).bool(primary);
        }
        fields.decimal(23, self.uncertainty_pct);
        if !self.quality.is_empty() {
            let writer = fields.key(24).map(self.quality.len());
            for (name, value) in by_encoding(&self.quality) {
                writer.text(name).uint(u64::from(*value));
            }
        }
        fields.list(25, &self.evidence);
        fields.text(26, self.supersedes.as_deref());
        fields.text(27, self.supersede_reason.as_deref());
        if self.void {
            fields.key(28).bool(true);
        }
        fields.texts(29, &self.qualifiers);
        fields.texts(30, &self.tags);
        fields.text(31, self.note.as_deref());
    }

    fn write_inputs(&self, fields: &mut Fields) {
        if self.inputs.is_empty() {
            return;
        }
        fields.key(5).map(self.inputs.len());
        for (name, input) in by_encoding(&self.inputs) {
            let quantity = fields.digits(input.quantity);
            fields.writer.text(name).array(2).text(quantity.as_str()).text(&input.unit);
        }
    }
}

/// How decimals are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    AsSent,
    Stripped,
}

/// How many bytes are made ready for a row; one of an hour's reading has about 280.
const ROW_BYTES_USUAL: usize = 384;

/// Writes the pairs of a row's map and counts them.
struct Fields {
    writer: Writer,
    /// Where the head of the map is, its number of pairs not in it yet.
    start: usize,
    pairs: u8,
    digits: Digits,
}

impl Fields {
    /// The map starts behind these bytes.
    fn onto(mut bytes: Vec<u8>, digits: Digits) -> Self {
        let start = bytes.len();
        bytes.push(MAP);
        Self { writer: Writer::onto(bytes), start, pairs: 0, digits }
    }

    fn key(&mut self, key: u64) -> &mut Writer {
        self.pairs += 1;
        self.writer.uint(key)
    }

    fn digits(&self, value: Decimal) -> DecimalText {
        match self.digits {
            Digits::AsSent => value.text(),
            Digits::Stripped => value.normalized().text(),
        }
    }

    fn text(&mut self, key: u64, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key).text(value);
        }
    }

    fn uint(&mut self, key: u64, value: Option<u8>) {
        if let Some(value) = value {
            self.key(key).uint(u64::from(value));
        }
    }

    fn decimal(&mut self, key: u64, value: Option<Decimal>) {
        if let Some(value) = value {
            let digits = self.digits(value);
            self.key(key).text(digits.as_str());
        }
    }

    fn reference<K>(&mut self, key: u64, value: Option<&Ref<K>>) {
        match value {
            None => {}
            Some(Ref::Id(id)) => {
                self.key(key).bytes(&id.bytes());
            }
            Some(Ref::Code(code)) => {
                self.key(key).text(code);
            }
        }
    }

    fn list(&mut self, key: u64, items: &[String]) {
        if !items.is_empty() {
            let writer = self.key(key).array(items.len());
            items.iter().fold(writer, |writer, item| writer.text(item));
        }
    }

    fn texts(&mut self, key: u64, pairs: &BTreeMap<String, String>) {
        if !pairs.is_empty() {
            let writer = self.key(key).map(pairs.len());
            for (name, value) in by_encoding(pairs) {
                writer.text(name).text(value);
            }
        }
    }

    fn write_reading(&mut self, reading: &Reading) {
        let decimals = [
            ("end", Some(reading.end)),
            ("start", Some(reading.start)),
            ("multiplier", reading.multiplier),
            ("rollover_at", reading.rollover_at),
        ];
        let pairs = decimals.iter().filter(|(_, value)| value.is_some()).count();
        self.writer.map(pairs + usize::from(reading.register.is_some()));
        for (name, value) in decimals {
            if name == "multiplier"
                && let Some(register) = &reading.register
            {
                self.writer.text("register").text(register);
            }
            if let Some(value) = value {
                let digits = self.digits(value);
                self.writer.text(name).text(digits.as_str());
            }
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = self.writer.finish();
        if self.pairs < PAIRS_IN_HEAD {
            bytes[self.start] = MAP | self.pairs;
        } else {
            bytes[self.start] = MAP | PAIRS_IN_HEAD;
            bytes.insert(self.start + 1, self.pairs);
        }
        bytes
    }
}

/// The head of a CBOR map without its number of pairs.
const MAP: u8 = 5 << 5;
/// From so many pairs on, their number is a byte of its own behind the head.
const PAIRS_IN_HEAD: u8 = 24;

/// Text keys in the order of their encoded bytes: shorter first, then by bytes.
fn by_encoding<V>(map: &BTreeMap<String, V>) -> impl Iterator<Item = (&String, &V)> {
    let mut few = [None; 8];
    let mut many = Vec::new();
    let pairs = if map.len() <= few.len() {
        for (place, pair) in few.iter_mut().zip(map) {
            *place = Some(pair);
        }
        few.get_mut(..map.len()).unwrap_or_default()
    } else {
        many.extend(map.iter().map(Some));
        many.as_mut_slice()
    };
    pairs.sort_unstable_by_key(|pair| pair.map(|(name, _)| (name.len(), name)));
    let (few_of, many_of) = (map.len().min(few.len()), many);
    few.into_iter().take(if many_of.is_empty() { few_of } else { 0 }).chain(many_of).flatten()
}

fn write_price(writer: &mut Writer, price: &Price) {
    let pairs = 1
        + usize::from(price.basis.is_some())
        + usize::from(price.tax_included.is_some())
        + usize::from(price.margins_included.is_some());
    writer.map(pairs).text("year").int(i64::from(price.year));
    if let Some(basis) = &price.basis {
        writer.text("basis").text(basis);
    }
    if let Some(included) = price.tax_included {
        writer.text("tax_included").bool(included);
    }
    if let Some(included) = price.margins_included {
        writer.text("margins_included").bool(included);
    }
}

/// The period as key 6 has it: `[0, t]`, `[1, start, end)`, `[2, first, last]`, `[3, start, end)`.
///
/// Derived row ids contain these bytes too, so that a time counts by its instant, not by its text.
pub fn write_period(writer: &mut Writer, period: Period) {
    match period {
        Period::Instant(at) => writer.array(2).uint(0).int(at.as_micros()),
        Period::Between(start, end) => {
            writer.array(3).uint(1).int(start.as_micros()).int(end.as_micros())
        }
        Period::Days { first, last } => {
            let (first, last) = (i64::from(first.number()), i64::from(last.number()));
            writer.array(3).uint(2).int(first).int(last)
        }
        Period::WallClock { start, end } => {
            writer.array(3).uint(3).int(start.as_micros()).int(end.as_micros())
        }
    };
}

/// Whether a canonical row has flags, told without reading it: their list is the last of it, and of
/// an empty list one byte is left.
#[must_use]
pub fn has_flags(row: &[u8]) -> bool {
    row.last() != Some(&0x80)
}

/// The period of a canonical row, told without reading the rest of it; nothing where it is not plain.
#[must_use]
pub fn period_of(row: &[u8]) -> Option<Period> {
    let map = row_map(row).ok()?;
    let (_, pairs, mut at) = cbor::head(map, 0)?;
    for _ in 0..pairs {
        let (_, key, value) = cbor::head(map, at)?;
        let end = cbor::skip(map, value)?;
        if key == 6 {
            return decode_period(&Value::decode(map.get(value..end)?).ok()?);
        }
        at = end;
    }
    None
}

fn write_origin(writer: &mut Writer, origin: &Origin, flags: Flags) {
    match origin {
        Origin::File { import, file, row, line, offset, length, mapping, parser } => {
            writer.array(10).uint(0).bytes(&import.bytes()).bytes(&file.0);
            writer.uint(*row).uint(*line).uint(*offset).uint(u64::from(*length));
            match mapping {
                Some(mapping) => writer.bytes(&mapping.0),
                None => writer.null(),
            };
            writer.text(parser);
        }
        Origin::Request { request_id, body, row, offset, length, parser } => {
            writer.array(8).uint(1).text(request_id).bytes(body);
            writer.uint(*row).uint(*offset).uint(u64::from(*length)).text(parser);
        }
    }
    writer.array(flags.len());
    flags.iter().fold(writer, |writer, flag| writer.text(flag.as_str()));
}

/// Reads many rows: what those that came before said in common is held once by all that say it.
#[derive(Default)]
pub struct Decoder {
    known: plain::Known,
}

impl Decoder {
    /// As [`Activity::decode`].
    ///
    /// # Errors
    /// [`RowDecodeError`] when the bytes do not start with a canonical row.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<(Activity, usize), RowDecodeError> {
        let map = row_map(bytes)?;
        let length = map.len() + 4;
        match self.known.decode(map) {
            Some(activity) => Ok((activity, length)),
            None => Ok((decode_any(map)?, length)),
        }
    }
}

/// The map bytes of the first row, its length prefix taken off.
fn row_map(bytes: &[u8]) -> Result<&[u8], RowDecodeError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(RowDecodeError::Truncated)?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RowDecodeError::Truncated)?;
    rest.get(..length).ok_or(RowDecodeError::Truncated)
}

/// Splits a stream of canonical rows into rows, each with its length prefix.
///
/// # Errors
/// [`RowDecodeError::Truncated`] when the stream ends inside a row.
pub fn rows(stream: &[u8]) -> Result<Vec<&[u8]>, RowDecodeError> {
    let mut rows = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let length = row_map(rest)?.len() + 4;
        let (row, after) = rest.split_at(length);
        rows.push(row);
        rest = after;
    }
    Ok(rows)
}

/// The leaf hashes of a segment's audit tree: one for each run of [`RUN_ROWS`] rows.
#[must_use]
pub fn run_leaves<R: AsRef<[u8]>>(rows: &[R]) -> Vec<Digest> {
    let run = |run: &[R]| {
        let mut bytes = Vec::new();
        for row in run {
            bytes.extend_from_slice(row.as_ref());
        }
        leaf_hash(&bytes)
    };
    rows.chunks(RUN_ROWS).map(run).collect()
}

/// The audit root of a segment's rows: the tree hash of RFC 6962 over runs of [`RUN_ROWS`] rows.
#[must_use]
pub fn rows_root<R: AsRef<[u8]>>(rows: &[R]) -> Digest {
    tree_root(&run_leaves(rows))
}

/// The parsers of this version, most used first.
const PARSERS: [&str; 6] = ["csv/1", "ndjson/1", "json/1", "xlsx/1", "parquet/1", "xml/1"];

/// Keys that the format knows, for the reader that must refuse others.
const KEYS: core::ops::RangeInclusive<u64> = 1..=31;
const LOCAL: u64 = 39;
const ORIGIN: u64 = 40;

/// The activity of any row's map.
fn decode_any(map: &[u8]) -> Result<Activity, RowDecodeError> {
    decode_map(&Value::decode(map).map_err(RowDecodeError::Cbor)?)
}

fn decode_map(value: &Value) -> Result<Activity, RowDecodeError> {
    let known = |key: &Value| {
        key.as_uint().is_some_and(|key| KEYS.contains(&key) || [LOCAL, ORIGIN].contains(&key))
    };
    if !value.as_map().is_some_and(|pairs| pairs.iter().all(|(key, _)| known(key))) {
        return Err(RowDecodeError::UnknownKey);
    }
    let row = Row(value);
    let (origin, flags) = row.need(ORIGIN, decode_origin)?;
    let common = Common {
        kind: row.need(2, text)?,
        unit: row.need(4, text)?,
        time_zone: row.text(7)?,
        facility: row.optional(8, reference)?,
        source: row.optional(9, reference)?,
        supplier: row.text(10)?,
        entity: row.text(11)?,
        scope: row.optional(12, small)?,
        category: row.optional(13, small)?,
        item: row.text(14)?,
        item_scheme: row.text(15)?,
        region: row.text(16)?,
        grid: row.text(17)?,
        price: row.optional(18, price)?,
        reading: row.optional(19, reading)?,
        instruments: row.optional(20, list)?.unwrap_or_default(),
        data_kind: row.text(21)?,
        primary: row.optional(22, Value::as_bool)?,
        uncertainty_pct: row.optional(23, decimal)?,
        quality: row.optional(24, |value| named(value, small))?.unwrap_or_default(),
        evidence: row.optional(25, list)?.unwrap_or_default(),
        supersedes: row.text(26)?,
        supersede_reason: row.text(27)?,
        void: row.optional(28, Value::as_bool)?.unwrap_or(false),
        qualifiers: row.optional(29, |value| named(value, text))?.unwrap_or_default(),
    };
    Ok(Activity {
        external_id: row.text(1)?,
        quantity: row.need(3, decimal)?,
        inputs: row.optional(5, inputs)?.unwrap_or_default(),
        period: row.need(6, decode_period)?,
        local: row.optional(LOCAL, local)?.unwrap_or_default(),
        tags: row.optional(30, |value| named(value, text))?.unwrap_or_default(),
        note: row.text(31)?,
        flags,
        origin,
        common: Arc::new(common),
    })
}

/// A decoded map, read by key.
struct Row<'a>(&'a Value);

impl Row<'_> {
    fn optional<T>(
        &self,
        key: u64,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, RowDecodeError> {
        self.0.get(key).map(|value| read(value).ok_or(RowDecodeError::Key(key))).transpose()
    }

    fn need<T>(
        &self,
        key: u64,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, RowDecodeError> {
        self.optional(key, read)?.ok_or(RowDecodeError::Key(key))
    }

    fn text(&self, key: u64) -> Result<Option<String>, RowDecodeError> {
        self.optional(key, text)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_text().map(str::to_owned)
}

fn decimal(value: &Value) -> Option<Decimal> {
    Decimal::parse(value.as_text()?).ok()
}

fn small(value: &Value) -> Option<u8> {
    u8::try_from(value.as_uint()?).ok()
}

fn local(value: &Value) -> Option<Local> {
    some_local(value.as_uint()?)
}

/// What was noted of local times; where nothing was, there is no key.
fn some_local(number: u64) -> Option<Local> {
    let local = Local::from_number(u8::try_from(number).ok()?);
    local.filter(|local| !local.is_empty())
}

fn list(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(text).collect()
}

fn named<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<BTreeMap<String, T>> {
    value.as_map()?.iter().map(|(name, value)| Some((text(name)?, read(value)?))).collect()
}

fn inputs(value: &Value) -> Option<BTreeMap<String, Input>> {
    named(value, |pair| match pair.as_array()? {
        [quantity, unit] => Some(Input { quantity: decimal(quantity)?, unit: text(unit)? }),
        _ => None,
    })
}

fn reference<K>(value: &Value) -> Option<Ref<K>> {
    match value.as_text() {
        Some(code) => Some(Ref::Code(code.to_owned())),
        None => Id::from_slice(value.as_bytes()?).map(Ref::Id),
    }
}

fn decode_period(value: &Value) -> Option<Period> {
    let parts: Vec<i64> = value.as_array()?.iter().map(Value::as_int).collect::<Option<_>>()?;
    let day = |number: i64| i32::try_from(number).ok().map(Day::from_number);
    match parts.as_slice() {
        [0, at] => Some(Period::Instant(Timestamp::from_micros(*at))),
        [1, start, end] => {
            Some(Period::Between(Timestamp::from_micros(*start), Timestamp::from_micros(*end)))
        }
        [2, first, last] => Some(Period::Days { first: day(*first)?, last: day(*last)? }),
        [3, start, end] => Some(Period::WallClock {
            start: WallClock::from_micros(*start),
            end: WallClock::from_micros(*end),
        }),
        _ => None,
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.iter().find_map(|(key, value)| (key.as_text() == Some(name)).then_some(value))
}

fn price(value: &Value) -> Option<Price> {
    Some(Price {
        year: i32::try_from(member(value, "year")?.as_int()?).ok()?,
        basis: member(value, "basis").and_then(text),
        tax_included: member(value, "tax_included").and_then(Value::as_bool),
        margins_included: member(value, "margins_included").and_then(Value::as_bool),
    })
}

fn reading(value: &Value) -> Option<Reading> {
    Some(Reading {
        start: decimal(member(value, "start")?)?,
        end: decimal(member(value, "end")?)?,
        multiplier: member(value, "multiplier").and_then(decimal),
        register: member(value, "register").and_then(text),
        rollover_at: member(value, "rollover_at").and_then(decimal),
    })
}

fn decode_origin(value: &Value) -> Option<(Origin, Flags)> {
    match value.as_array()? {
        [kind, import, file, row, line, offset, length, mapping, parser, flags]
            if kind.as_uint() == Some(0) =>
        {
            let origin = Origin::File {
                import: Id::from_slice(import.as_bytes()?)?,
                file: Digest::from_slice(file.as_bytes()?)?,
                row: row.as_uint()?,
                line: line.as_uint()?,
                offset: offset.as_uint()?,
                length: u32::try_from(length.as_uint()?).ok()?,
                mapping: if *mapping == Value::Null {
                    None
                } else {
                    Some(Digest::from_slice(mapping.as_bytes()?)?)
                },
                parser: known_parser(parser.as_text()?),
            };
            Some((origin, decode_flags(flags)?))
        }
        [kind, request_id, body, row, offset, length, parser, flags]
            if kind.as_uint() == Some(1) =>
        {
            let origin = Origin::Request {
                request_id: text(request_id)?.into(),
                body: body.as_bytes()?.try_into().ok()?,
                row: row.as_uint()?,
                offset: offset.as_uint()?,
                length: u32::try_from(length.as_uint()?).ok()?,
                parser: known_parser(parser.as_text()?),
            };
            Some((origin, decode_flags(flags)?))
        }
        _ => None,
    }
}

/// The name of a parser; of those there are now, without a copy of it.
fn known_parser(name: &str) -> Cow<'static, str> {
    match PARSERS.iter().find(|known| **known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

fn decode_flags(value: &Value) -> Option<Flags> {
    value.as_array()?.iter().map(|flag| Flag::parse(flag.as_text()?)).collect()
}

#[cfg(test)]
mod tests;
