//! Activities written plainly, in JSON: one look at each byte, nothing kept but what is new.
//!
//! Any order of keys, blanks, numbers as numbers or strings. What has escapes, nesting beyond
//! `qualifiers` and `tags`, a key twice or a value of another kind is left to the reader that finds
//! every problem, and so is every row that may not be accepted.

use envora_domain::activities::Period;
use envora_domain::activities::local::Local;
use envora_domain::decimal::Decimal;
use envora_domain::planted::planted;
use envora_domain::time::{Day, Timestamp};

use super::super::RowPlace;
use super::super::known::{Fresh, Known, Named, Tiers};
use crate::fields::{Field, Given, shapes};
use crate::rows::ParsedRow;

/// Most labels of a row that is read here; the schema allows as many.
const TAGS_MAX: usize = 16;

/// Most digits of a number token that a float keeps.
const FLOAT_DIGITS_MAX: usize = 15;

/// What a key's value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ExternalId,
    Quantity,
    Start,
    End,
    OccurredAt,
    StartDate,
    EndDate,
    FacilityCode,
    FacilityId,
    SourceCode,
    SourceId,
    Supplier,
    Entity,
    Note,
    Tags,
    /// An object of words.
    Words,
    /// A word.
    Word,
    /// A whole number of one or two digits.
    Small,
    /// True or false.
    Bool,
}

/// A key as it stands in a row, quotes included.
struct Key {
    quoted: &'static str,
    kind: Kind,
}

macro_rules! keys {
    ($($name:literal: $kind:ident,)*) => {
        /// The keys that are read here.
        const KEYS: &[Key] = &[$(Key { quoted: concat!("\"", $name, "\""), kind: Kind::$kind },)*];
    };
}

keys! {
    "external_id": ExternalId,
    "type": Word,
    "quantity": Quantity,
    "unit": Word,
    "start": Start,
    "end": End,
    "occurred_at": OccurredAt,
    "start_date": StartDate,
    "end_date": EndDate,
    "facility_code": FacilityCode,
    "facility_id": FacilityId,
    "source_code": SourceCode,
    "source_id": SourceId,
    "supplier_code": Supplier,
    "entity_code": Entity,
    "tags": Tags,
    "qualifiers": Words,
    "note": Note,
    "time_zone": Word,
    "scope": Small,
    "category": Small,
    "item": Word,
    "item_scheme": Word,
    "region": Word,
    "grid": Word,
    "data_kind": Word,
    "primary": Bool,
}

/// The texts of a row, not looked at yet.
#[derive(Default)]
struct Found<'a> {
    external_id: Option<&'a str>,
    quantity: Option<Decimal>,
    start: Option<&'a str>,
    end: Option<&'a str>,
    occurred_at: Option<&'a str>,
    start_date: Option<&'a str>,
    end_date: Option<&'a str>,
    facility_code: Option<&'a str>,
    facility_id: Option<&'a str>,
    source_code: Option<&'a str>,
    source_id: Option<&'a str>,
    supplier: Option<&'a str>,
    entity: Option<&'a str>,
    note: Option<&'a str>,
    tags: [(&'a str, &'a str); TAGS_MAX],
    tag_count: usize,
}

/// Reads rows that are written plainly.
pub(in super::super) struct Fast {
    usable: bool,
    known: Known,
    /// The words of the row before, for the next that has the same.
    words: Vec<u8>,
    /// Whether they are those of a row whose words are not known yet.
    unknown: bool,
    /// The keys of the row before, in their order.
    order: Vec<usize>,
    pub(in super::super) tiers: Tiers,
}

impl Fast {
    /// A reader of rows to which these constants are added.
    pub(in super::super) fn new(defaults: &[(Field, String)]) -> Self {
        // A constant label is added to those of a row, which here are all that a row has.
        let usable = !defaults.iter().any(|(field, _)| matches!(field, Field::Tag(_)));
        let (known, tiers) = Default::default();
        Self { usable, known, words: Vec::new(), unknown: false, order: Vec::new(), tiers }
    }

    /// Reads a row into its place; nothing when it is to be read by the other reader.
    pub(in super::super) fn read(&mut self, text: &str, place: RowPlace) -> Option<usize> {
        self.unknown = false;
        if !self.usable {
            return None;
        }
        let mut cursor = Cursor { text, bytes: text.as_bytes(), at: 0 };
        let mut found = Found::default();
        self.words.clear();
        cursor.object(&mut self.words, &mut self.order, &mut found)?;
        let Some(slot) = self.known.find(&self.words) else {
            self.unknown = true;
            return None;
        };
        self.known.renew(slot, &found.fresh()?, place)?;
        self.tiers.fast += 1;
        Some(slot)
    }

    /// Reads nothing from here on.
    pub(in super::super) fn rest(&mut self) {
        self.usable = false;
    }

    /// What comes next is no row that was read here.
    pub(in super::super) fn forget(&mut self) {
        self.unknown = false;
    }

    /// The row in a place.
    pub(in super::super) fn row(&self, slot: usize) -> Option<&ParsedRow> {
        self.known.row(slot)
    }

    /// Takes note of a row that the other reader read.
    pub(in super::super) fn learn(&mut self, row: &ParsedRow) {
        self.tiers.read(row);
        if self.unknown {
            self.known.learn(&self.words, row);
        }
    }
}

impl Found<'_> {
    fn fresh(&self) -> Option<Fresh<'_>> {
        let code = |code: Option<_>| code.map(Named::Code);
        let facility = match self.facility_id {
            Some(id) => Some(Named::Id(shapes::id(Given::Text(id)).ok()?)),
            None => code(self.facility_code),
        };
        let source = match self.source_id {
            Some(id) => Some(Named::Id(shapes::id(Given::Text(id)).ok()?)),
            None => self.source_code.map(Named::Code),
        };
        Some(Fresh {
            local: Local::default(),
            external_id: self.external_id,
            quantity: Some(self.quantity?),
            period: self.period()?,
            facility,
            source,
            supplier: self.supplier,
            entity: self.entity,
            note: self.note,
            tags: self.tags.get(..self.tag_count)?,
        })
    }

    /// The period, where the row says it in one way.
    fn period(&self) -> Option<Period> {
        let instant = |text: &str| -> Option<Timestamp> { shapes::instant(Given::Text(text)).ok() };
        let day = |text: &str| -> Option<Day> { shapes::day(Given::Text(text)).ok() };
        match (self.start, self.end, self.occurred_at, self.start_date, self.end_date) {
            (Some(start), Some(end), None, None, None) => {
                Some(Period::Between(instant(start)?, instant(end)?))
            }
            (None, None, Some(at), None, None) => Some(Period::Instant(instant(at)?)),
            (None, None, None, Some(first), Some(last)) => {
                Some(Period::Days { first: day(first)?, last: day(last)? })
            }
            _ => None,
        }
    }
}

/// A place in the text of one row.
struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Steps over a sign and the blanks behind it.
    fn sign(&mut self, sign: u8) -> Option<()> {
        if self.bytes.get(self.at) != Some(&sign) {
            // The planted bug is a reader that goes on behind the end of its bytes.
            let past = self.at >= self.bytes.len() && sign == b'}';
            return (past && planted("reads_past_end")).then_some(());
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    /// A comma, and more follows; or the end of the object.
    fn more(&mut self) -> Option<bool> {
        self.blanks();
        if self.bytes.get(self.at) == Some(&b',') {
            return self.sign(b',').map(|()| true);
        }
        self.sign(b'}').map(|()| false)
    }

    /// The text of a string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let end = start + plain_length(self.bytes.get(start..)?)?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// A run of letters, digits and signs that is no string.
    fn token(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| !b" \n\t\r,}]\"{[:".contains(byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The number of a key, by the key that came here in the row before or else by looking for it.
    fn key(&mut self, guess: Option<usize>) -> Option<usize> {
        let rest = self.text.get(self.at..)?;
        let is = |number: &usize| KEYS.get(*number).is_some_and(|key| rest.starts_with(key.quoted));
        let number = guess.filter(is).or_else(|| (0..KEYS.len()).find(is))?;
        self.at += KEYS.get(number)?.quoted.len();
        Some(number)
    }

    /// The row itself, with nothing around it but blanks.
    fn object(
        &mut self,
        words: &mut Vec<u8>,
        order: &mut Vec<usize>,
        found: &mut Found<'a>,
    ) -> Option<()> {
        self.blanks();
        self.sign(b'{')?;
        let mut seen = 0_u64;
        for turn in 0..KEYS.len() {
            let number = self.key(order.get(turn).copied())?;
            match order.get_mut(turn) {
                Some(guess) => *guess = number,
                None => order.push(number),
            }
            let bit = 1_u64 << number;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            self.blanks();
            self.sign(b':')?;
            self.value(number, words, found)?;
            if !self.more()? {
                // Which keys a row has decides as much as what they say.
                words.extend(seen.to_le_bytes());
                return (self.at >= self.bytes.len()).then_some(());
            }
        }
        None
    }

    fn value(&mut self, number: usize, words: &mut Vec<u8>, found: &mut Found<'a>) -> Option<()> {
        let kind = KEYS.get(number)?.kind;
        let text = match kind {
            Kind::Quantity => {
                found.quantity = Some(self.number()?);
                return Some(());
            }
            Kind::Small | Kind::Bool => {
                let token = self.token();
                let digits = token.len() <= 2 && token.bytes().all(|byte| byte.is_ascii_digit());
                let good = if kind == Kind::Small {
                    digits && !token.starts_with('0')
                } else {
                    token == "true" || token == "false"
                };
                return good.then(|| put_word(words, number, token))?;
            }
            Kind::Tags => return self.tags(number, words, found),
            Kind::Words => return self.words(number, words),
            _ => self.string()?,
        };
        match kind {
            Kind::Word => return put_word(words, number, text),
            Kind::ExternalId => found.external_id = Some(text),
            Kind::Start => found.start = Some(text),
            Kind::End => found.end = Some(text),
            Kind::OccurredAt => found.occurred_at = Some(text),
            Kind::StartDate => found.start_date = Some(text),
            Kind::EndDate => found.end_date = Some(text),
            Kind::FacilityCode => found.facility_code = Some(text),
            Kind::FacilityId => found.facility_id = Some(text),
            Kind::SourceCode => found.source_code = Some(text),
            Kind::SourceId => found.source_id = Some(text),
            Kind::Supplier => found.supplier = Some(text),
            Kind::Entity => found.entity = Some(text),
            Kind::Note => found.note = Some(text),
            Kind::Quantity | Kind::Small | Kind::Bool | Kind::Tags | Kind::Words => {}
        }
        Some(())
    }

    fn number(&mut self) -> Option<Decimal> {
        if self.bytes.get(self.at) == Some(&b'"') {
            return Decimal::parse(self.string()?).ok();
        }
        let token = self.token();
        let exact = token.len() <= FLOAT_DIGITS_MAX
            || shapes::significant_digits(token) <= FLOAT_DIGITS_MAX;
        Decimal::parse(token).ok().filter(|_| exact)
    }

    /// Pairs of texts; false where there is none.
    fn pairs(&mut self, mut pair: impl FnMut(&'a str, &'a str) -> Option<()>) -> Option<()> {
        self.sign(b'{')?;
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.blanks();
            self.sign(b':')?;
            pair(name, self.string()?)?;
            if !self.more()? {
                return Some(());
            }
        }
    }

    fn words(&mut self, number: usize, words: &mut Vec<u8>) -> Option<()> {
        self.pairs(|name, word| {
            put_word(words, number, name)?;
            put_word(words, number, word)
        })
    }

    fn tags(&mut self, number: usize, words: &mut Vec<u8>, found: &mut Found<'a>) -> Option<()> {
        self.pairs(|name, value| {
            *found.tags.get_mut(found.tag_count)? = (name, value);
            found.tag_count += 1;
            put_word(words, number, name)
        })
    }
}

/// Adds a word to those of a row: which key, how long, and the word.
fn put_word(words: &mut Vec<u8>, number: usize, word: &str) -> Option<()> {
    words.push(u8::try_from(number).ok()?);
    words.extend(u16::try_from(word.len()).ok()?.to_le_bytes());
    words.extend_from_slice(word.as_bytes());
    Some(())
}

/// How many bytes a string has up to its closing quote; nothing when it has escapes or control
/// characters, or no end.
fn plain_length(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let closes = |at: usize| (bytes.get(at) == Some(&b'"')).then_some(at);
    for (place, word) in words.iter().enumerate() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return closes(place * 8 + usize::try_from(stops.trailing_zeros() / 8).ok()?);
        }
    }
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < b' ';
    closes(words.len() * 8 + rest.iter().position(stop)?)
}

/// The high bit of each byte of a word that ends a plain string; above the lowest, of others perhaps.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(limit) & !word & HIGHS
    }
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    below(quote, ONES) | below(slash, ONES) | below(word, ONES * b' ' as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_quote_or_not_here() {
        for length in 0..40 {
            let text = "é".repeat(length / 2) + if length % 2 == 0 { "" } else { "x" };
            assert_eq!(plain_length(format!("{text}\", \"y\"").as_bytes()), Some(length), "{text}");
            for bad in ["\\\"", "\n", "\u{1f}", "\0", "\r"] {
                assert_eq!(plain_length(format!("{text}{bad}abcdefgh\"").as_bytes()), None);
            }
            assert_eq!(plain_length(text.as_bytes()), None);
        }
    }
}
