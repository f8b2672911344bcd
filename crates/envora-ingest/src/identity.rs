//! Row ids that a mapping derives, so that a file sent twice is stored once.
//!
//! `d1_` and 26 characters: the first 16 bytes of SHA-256 over the deterministic CBOR of
//! `["envora-row/1", mapping name, block key, [[field, value], …] sorted by field, occurrence]`.
//! Two rows that say the same stay two: the occurrence counts equal lists in the file from 0
//! (`docs/formats/row-id.md`).

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use envora_domain::activities::canonical::write_period;
use envora_domain::activities::{Activity, Common, Period, Ref};
use envora_domain::base32;
use envora_domain::cbor::Writer;
use envora_domain::hash::Digest;
use envora_domain::id::Kind;

use crate::fields::Field;
use crate::mapping::Natural;

/// What a derived id starts with.
pub const PREFIX: &str = "d1_";

/// Derives the ids of one file's rows, in file order.
///
/// Of each distinct key it remembers 16 bytes: a part of its hash, and how often it came. That these
/// parts of two keys of one file are equal is as good as impossible: 96 bits, millions of keys.
pub struct Identity {
    mapping: String,
    seen: HashMap<Head, u32, Spread>,
    /// Those of rows that were refused before and have their occurrences.
    taken: HashSet<(Head, u64)>,
    /// The list that is being made, kept for the next.
    bytes: Vec<u8>,
}

/// A part of the hash of a list at occurrence 0 that is no part of the id.
type Head = [u8; 12];

/// The natural list of a row, as it is hashed.
pub struct List {
    bytes: Vec<u8>,
    /// The hash of the list and the occurrence 0.
    first: Digest,
}

impl List {
    /// The id of the row that has this list at this occurrence.
    #[must_use]
    pub fn id(&self, occurrence: u64) -> String {
        let mut id = String::with_capacity(PREFIX.len() + 26);
        put_id(&mut id, (&self.bytes, &self.first), occurrence);
        id
    }
}

/// Writes the id of a list at an occurrence over a text.
fn put_id(id: &mut String, (list, first): (&[u8], &Digest), occurrence: u64) {
    let digest = if occurrence == 0 {
        *first
    } else {
        let mut writer = Writer::default();
        writer.uint(occurrence);
        Digest::of_parts(&[list, &writer.finish()])
    };
    id.clear();
    id.push_str(PREFIX);
    base32::encode_onto(digest.0.first_chunk().copied().unwrap_or_default(), id);
}

fn head(first: &Digest) -> Head {
    first.0.get(16..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
}

/// Spreads what is a hash already over a table, each table in its own way.
#[derive(Clone, Copy)]
struct Spread(u64);

impl Default for Spread {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0) | 1)
    }
}

impl BuildHasher for Spread {
    type Hasher = Spreading;

    fn build_hasher(&self) -> Spreading {
        Spreading { seed: self.0, hash: 0 }
    }
}

struct Spreading {
    seed: u64,
    hash: u64,
}

impl Hasher for Spreading {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        // Of the twelve bytes eight are enough to spread by.
        if let Some(word) = bytes.first_chunk() {
            let product = u128::from(u64::from_le_bytes(*word) ^ self.seed) * u128::from(self.seed);
            self.hash = u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0)
                ^ u64::try_from(product >> 64).unwrap_or(0);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // All keys are of one length.
    }
}

/// A value of a natural key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyValue {
    Text(String),
    Period(Period),
}

impl Identity {
    /// For a file that goes through the mapping of this name.
    #[must_use]
    pub fn new(mapping: &str) -> Self {
        let mapping = mapping.to_owned();
        Self { mapping, seen: HashMap::default(), taken: HashSet::new(), bytes: Vec::new() }
    }

    /// The occurrence of the next row that has this list.
    pub fn next(&mut self, list: &List) -> u64 {
        self.count(head(&list.first))
    }

    fn count(&mut self, head: Head) -> u64 {
        let occurrence = self.seen.entry(head).or_insert(0);
        *occurrence += 1;
        u64::from(*occurrence - 1)
    }

    /// A row has its occurrence from the file in which it was refused: no other row gets it. A line that was
    /// put in twice there, for an hour that came twice, has the next the second time.
    pub fn take(&mut self, list: &List, occurrence: u64) -> u64 {
        if !self.taken.insert((head(&list.first), occurrence)) {
            return self.next(list);
        }
        if let Ok(next) = u32::try_from(occurrence.saturating_add(1)) {
            let seen = self.seen.entry(head(&list.first)).or_insert(0);
            *seen = (*seen).max(next);
        }
        occurrence
    }

    /// The list of a row of a block, by its natural key or the default one.
    #[must_use]
    pub fn list(&self, block: &str, natural: Option<&[Natural]>, activity: &Activity) -> List {
        let mut writer = Writer::default();
        self.write(&mut writer, (block, natural), activity);
        let mut bytes = writer.finish();
        bytes.push(FIRST);
        let first = Digest::of(&bytes);
        bytes.pop();
        List { bytes, first }
    }

    /// Writes over a text the id of the next row of a block: that of its list, at its next occurrence, which
    /// it returns.
    pub fn put_next(
        &mut self,
        id: &mut String,
        (block, natural): (&str, Option<&[Natural]>),
        activity: &Activity,
    ) -> u64 {
        self.bytes.clear();
        let mut writer = Writer::onto(core::mem::take(&mut self.bytes));
        self.write(&mut writer, (block, natural), activity);
        self.bytes = writer.finish();
        self.bytes.push(FIRST);
        let first = Digest::of(&self.bytes);
        self.bytes.pop();
        let occurrence = self.count(head(&first));
        put_id(id, (&self.bytes, &first), occurrence);
        occurrence
    }

    fn write(
        &self,
        writer: &mut Writer,
        (block, natural): (&str, Option<&[Natural]>),
        activity: &Activity,
    ) {
        writer.array(5).text("envora-row/1").text(&self.mapping).text(block);
        let Some(words) = natural else { return write_default(writer, activity) };
        let key = named_key(words, activity);
        writer.array(key.len());
        for (field, value) in &key {
            writer.array(2).text(field);
            match value {
                KeyValue::Text(text) => {
                    writer.text(text);
                }
                KeyValue::Period(period) => write_period(writer, *period),
            }
        }
    }
}

/// The occurrence 0, as it is written behind a list.
const FIRST: u8 = 0;

/// Those present of entity, facility, item, period, qualifiers, source, supplier and type: they are
/// sorted so.
fn write_default(writer: &mut Writer, activity: &Activity) {
    let Common { entity, facility, item, qualifiers, source, supplier, .. } = &*activity.common;
    let optional = [entity.is_some(), facility.is_some(), item.is_some(), source.is_some()];
    let optional = optional.into_iter().chain([supplier.is_some()]).filter(|given| *given);
    writer.array(optional.count() + qualifiers.len() + 2);
    put_pair(writer, "entity", entity.as_deref());
    put_named(writer, "facility", facility.as_ref());
    put_pair(writer, "item", item.as_deref());
    writer.array(2).text("period");
    write_period(writer, activity.period);
    for (name, word) in qualifiers {
        writer.array(2).text_of(&["qualifiers.", name]).text(word);
    }
    put_named(writer, "source", source.as_ref());
    put_pair(writer, "supplier", supplier.as_deref());
    put_pair(writer, "type", Some(&activity.kind));
}

fn put_pair(writer: &mut Writer, field: &str, word: Option<&str>) {
    if let Some(word) = word {
        writer.array(2).text(field).text(word);
    }
}

fn put_named<K: Kind>(writer: &mut Writer, field: &str, named: Option<&Ref<K>>) {
    match named {
        Some(Ref::Code(code)) => put_pair(writer, field, Some(code)),
        Some(Ref::Id(id)) => put_pair(writer, field, Some(&id.to_string())),
        None => {}
    }
}

fn named_key(words: &[Natural], activity: &Activity) -> Vec<(String, KeyValue)> {
    let mut key: Vec<(String, KeyValue)> =
        words.iter().filter_map(|word| Some((name(word), value(word, activity)?))).collect();
    key.sort_by(|(a, _), (b, _)| a.cmp(b));
    key.dedup();
    key
}

/// The word of a field in a natural key: `_code` and `_id` are left off, so that they are one.
fn name(word: &Natural) -> String {
    match word {
        Natural::Period => "period".to_owned(),
        Natural::Facility => "facility".to_owned(),
        Natural::Source => "source".to_owned(),
        Natural::Field(field) => {
            let name = field.name();
            name.strip_suffix("_code").unwrap_or(&name).to_owned()
        }
    }
}

fn value(word: &Natural, activity: &Activity) -> Option<KeyValue> {
    let text = match word {
        Natural::Period => return Some(KeyValue::Period(activity.period)),
        Natural::Facility => activity.facility.as_ref().map(ToString::to_string),
        Natural::Source => activity.source.as_ref().map(ToString::to_string),
        Natural::Field(field) => text(field, activity),
    };
    text.map(KeyValue::Text)
}

/// The text of one field of an activity, where it holds one.
fn text(field: &Field, activity: &Activity) -> Option<String> {
    match field {
        Field::Type => Some(activity.kind.clone()),
        Field::Quantity => Some(activity.quantity.to_string()),
        Field::Unit => Some(activity.unit.clone()),
        Field::ExternalId => activity.external_id.clone(),
        Field::TimeZone => activity.time_zone.clone(),
        Field::SupplierCode => activity.supplier.clone(),
        Field::EntityCode => activity.entity.clone(),
        Field::Scope => activity.scope.map(|scope| scope.to_string()),
        Field::Category => activity.category.map(|category| category.to_string()),
        Field::Item => activity.item.clone(),
        Field::ItemScheme => activity.item_scheme.clone(),
        Field::Region => activity.region.clone(),
        Field::Grid => activity.grid.clone(),
        Field::DataKind => activity.data_kind.clone(),
        Field::Note => activity.note.clone(),
        Field::ReadingStart => activity.reading.as_ref().map(|own| own.start.to_string()),
        Field::ReadingEnd => activity.reading.as_ref().map(|own| own.end.to_string()),
        Field::ReadingRegister => activity.reading.as_ref()?.register.clone(),
        Field::InputQuantity(name) => activity.inputs.get(name).map(|own| own.quantity.to_string()),
        Field::InputUnit(name) => activity.inputs.get(name).map(|own| own.unit.clone()),
        Field::Quality(name) => activity.quality.get(name).map(ToString::to_string),
        Field::Qualifier(name) => activity.qualifiers.get(name).cloned(),
        Field::Tag(name) => activity.tags.get(name).cloned(),
        Field::FacilityId | Field::FacilityCode => {
            activity.facility.as_ref().map(ToString::to_string)
        }
        Field::SourceId | Field::SourceCode => activity.source.as_ref().map(ToString::to_string),
        Field::OccurredAt | Field::Start | Field::End | Field::StartDate | Field::EndDate => None,
        Field::PriceYear => activity.price.as_ref().map(|price| price.year.to_string()),
        Field::PriceBasis => activity.price.as_ref()?.basis.clone(),
        Field::PriceTaxIncluded
        | Field::PriceMarginsIncluded
        | Field::ReadingMultiplier
        | Field::ReadingRolloverAt
        | Field::Instruments
        | Field::Primary
        | Field::UncertaintyPct
        | Field::Evidence
        | Field::Supersedes
        | Field::SupersedeReason
        | Field::Void => None,
    }
}

#[cfg(test)]
mod tests {
    use envora_domain::activities::{Input, Origin};
    use envora_domain::decimal::Decimal;
    use envora_domain::hash::hex;
    use envora_domain::time::Timestamp;

    use super::*;

    fn reading(hour: i64, kwh: &str) -> Activity {
        let start = Timestamp::parse("2022-01-01T00:00:00Z").expect("an instant").as_micros();
        let at = |hour: i64| Timestamp::from_micros(start + hour * 3_600_000_000);
        let mut activity = Activity::new(
            "electricity.purchased",
            Input { quantity: Decimal::parse(kwh).expect("a decimal"), unit: "kW.h".into() },
            Period::Between(at(hour), at(hour + 1)),
            Origin::Request {
                request_id: "r".into(),
                body: [0; 32],
                row: 1,
                offset: 0,
                length: 0,
                parser: "csv/1".into(),
            },
        );
        activity.facility = Some(Ref::Code("b24".to_owned()));
        activity.source = Some(Ref::Code("b24-electricity".to_owned()));
        activity
    }

    impl Identity {
        fn derive(&mut self, block: &str, natural: Option<&[Natural]>, row: &Activity) -> String {
            let list = self.list(block, natural, row);
            let occurrence = self.next(&list);
            list.id(occurrence)
        }
    }

    #[test]
    fn ids_are_what_the_format_says() {
        // The bytes written out by hand, so that the format and not the writer is what is tested.
        let start = 1_640_995_200_000_000_u64;
        let mut bytes = vec![0x85, 0x6c];
        bytes.extend(b"envora-row/1");
        bytes.push(0x6d);
        bytes.extend(b"estate-hourly");
        bytes.extend([0x61, b'1', 0x84]);
        let pair = |name: &str, value: &str| {
            let mut bytes = vec![0x82, 0x60 + u8::try_from(name.len()).expect("short")];
            bytes.extend(name.bytes());
            bytes.push(0x60 + u8::try_from(value.len()).expect("short"));
            bytes.extend(value.bytes());
            bytes
        };
        bytes.extend(pair("facility", "b24"));
        bytes.extend([0x82, 0x66]);
        bytes.extend(b"period");
        bytes.extend([0x83, 0x01, 0x1b]);
        bytes.extend(start.to_be_bytes());
        bytes.push(0x1b);
        bytes.extend((start + 3_600_000_000).to_be_bytes());
        bytes.extend(pair("source", "b24-electricity"));
        bytes.extend(pair("type", "electricity.purchased"));
        bytes.push(0x00);
        let digest = Digest::of(&bytes);
        let id = base32::encode(digest.0[..16].try_into().expect("sixteen"));
        let mut identity = Identity::new("estate-hourly");
        let derived = identity.derive("1", None, &reading(0, "372.4"));
        assert_eq!(derived, format!("d1_{id}"), "{}", hex(&bytes));
        assert_eq!(derived, "d1_6a851n1r16c2hz31fwtej02j5z");
        let list = identity.list("1", None, &reading(0, "372.4"));
        assert_eq!(list.id(1), "d1_5e5rtk75za7d0ne2rpperabjfh");
        assert_eq!(list.id((1 << 32) + 7), "d1_0h7vbam8vbrcv144ht2np3chvf");
    }

    #[test]
    fn the_default_list_is_that_of_its_words() {
        let mut activity = reading(3, "1");
        activity.entity = Some("e".to_owned());
        activity.item = Some("i".to_owned());
        activity.supplier = Some("s".to_owned());
        activity.source = Some(Ref::Id(envora_domain::id::Id::from_bytes([7; 16])));
        activity.qualifiers = ["fuel", "a", "zz"].map(|name| (name.into(), "w".into())).into();
        let qualifier = |name: &str| Natural::Field(Field::Qualifier(name.to_owned()));
        let words = [
            Natural::Field(Field::Type),
            qualifier("zz"),
            qualifier("fuel"),
            qualifier("a"),
            Natural::Source,
            Natural::Period,
            Natural::Field(Field::Item),
            Natural::Field(Field::SupplierCode),
            Natural::Field(Field::EntityCode),
            Natural::Facility,
        ];
        let mut identity = Identity::new("m");
        let id = identity.list("1", None, &activity).id(0);
        assert_eq!(id, identity.list("1", Some(&words), &activity).id(0));
        let list = identity.list("1", None, &activity);
        assert_eq!((identity.next(&list), identity.next(&list)), (0, 1));
        let mut put = String::from("what was there");
        identity.put_next(&mut put, ("1", None), &activity);
        assert_eq!(put, list.id(2));
        identity.put_next(&mut put, ("1", Some(&words)), &reading(4, "1"));
        assert_eq!(put, identity.list("1", Some(&words), &reading(4, "1")).id(0));
    }

    #[test]
    fn equal_rows_stay_two_and_a_file_sent_again_stays_one() {
        let ids = |rows: &[Activity]| -> Vec<String> {
            let mut identity = Identity::new("m");
            rows.iter().map(|row| identity.derive("1", None, row)).collect()
        };
        let rows = [reading(0, "1"), reading(0, "1"), reading(1, "2")];
        let first = ids(&rows);
        assert_ne!(first[0], first[1]);
        assert_eq!(first, ids(&rows));
        // The quantity is no part of the key: a corrected value meets the same id, as a conflict.
        assert_eq!(ids(&[reading(0, "5")])[0], first[0]);
    }

    #[test]
    fn an_occurrence_that_a_mended_row_brings_is_nobody_elses() {
        let mut identity = Identity::new("m");
        let list = identity.list("1", None, &reading(0, "1"));
        assert_eq!(identity.take(&list, 2), 2);
        assert_eq!(identity.take(&list, (1 << 32) + 9), (1 << 32) + 9);
        assert_eq!(identity.next(&list), 3);
        assert_eq!(identity.take(&list, 2), 4, "the line is there twice");
    }

    #[test]
    fn mapping_name_block_and_key_make_the_id() {
        let row = reading(0, "1");
        let derive = |mapping: &str, block: &str, natural: Option<&[Natural]>| {
            Identity::new(mapping).derive(block, natural, &row)
        };
        let usual = derive("m", "1", None);
        assert_ne!(derive("n", "1", None), usual);
        assert_ne!(derive("m", "2", None), usual);
        let key = [Natural::Source, Natural::Period];
        assert_ne!(derive("m", "1", Some(&key)), usual);
        let turned = [Natural::Period, Natural::Source];
        assert_eq!(derive("m", "1", Some(&turned)), derive("m", "1", Some(&key)));
    }
}
