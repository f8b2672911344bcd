//! Figure ids: the whole question behind a number, pinned to a run and a place in the log.
//!
//! An id is `fig_` and base64url of a CBOR list; nothing is stored for it, and the same id gives the
//! same digits after new data.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::catalogue::{Bucket, Market};
use crate::cbor::Value;
use crate::gwp::{Gas, GwpSet};
use crate::id::RunId;
use crate::time::Day;

/// Characters that a figure id may have.
pub const FIGURE_ID_CHARS_MAX: usize = 4096;
const VERSION: u64 = 1;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Kilograms of CO2 equivalent.
    Co2e,
    /// Kilograms of gas.
    Mass,
    /// Activities.
    Count,
}

/// One number that Envora shows, as the question that it answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Figure {
    /// What is counted.
    pub measure: Measure,
    /// The first day.
    pub from: Day,
    /// The day after the last.
    pub to: Day,
    /// One scope alone.
    pub scope: Option<u8>,
    /// One category of scope 3 alone.
    pub category: Option<u8>,
    /// Which of the two totals of scope 2.
    pub market: Market,
    /// One gas alone.
    pub gas: Option<Gas>,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// All filters, group values and consolidation: field to texts.
    pub filters: BTreeMap<String, Vec<String>>,
    /// In which set; of a mass or a count, none.
    pub gwp_set: Option<GwpSet>,
    /// In which run.
    pub run: RunId,
    /// As of which leaf of the log.
    pub seq: u64,
}

/// The text is no figure id of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a figure id is fig_ and the letters that a footprint printed; copy it whole")]
pub struct FigureError;

fn optional(value: Option<u8>) -> Value {
    value.map_or(Value::Null, |value| Value::Uint(value.into()))
}

impl Figure {
    /// `fig_…`.
    #[must_use]
    pub fn encode(&self) -> String {
        let texts = |texts: &[String]| {
            let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            texts.sort_unstable();
            texts.dedup();
            Value::Array(texts.into_iter().map(Value::from).collect())
        };
        let filters = self.filters.iter().map(|(field, of)| (field.as_str().into(), texts(of)));
        let word = |word: Option<&str>| word.map_or(Value::Null, Value::from);
        let list = Value::Array(vec![
            Value::Uint(VERSION),
            Value::Uint(match self.measure {
                Measure::Co2e => 0,
                Measure::Mass => 1,
                Measure::Count => 2,
            }),
            i64::from(self.from.number()).into(),
            i64::from(self.to.number()).into(),
            optional(self.scope),
            optional(self.category),
            Value::Uint(self.market.number().into()),
            word(self.gas.map(Gas::as_str)),
            self.bucket.as_str().into(),
            Value::Map(filters.collect()),
            word(self.gwp_set.map(GwpSet::as_str)),
            Value::Bytes(self.run.bytes().to_vec()),
            Value::Uint(self.seq),
        ]);
        format!("fig_{}", URL_SAFE_NO_PAD.encode(list.encode()))
    }

    /// The figure that this id names.
    ///
    /// # Errors
    /// [`FigureError`] for anything that [`Figure::encode`] does not write.
    pub fn parse(text: &str) -> Result<Self, FigureError> {
        let encoded = text.strip_prefix("fig_").filter(|_| text.len() <= FIGURE_ID_CHARS_MAX);
        let bytes = encoded.and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
        let list = bytes.and_then(|bytes| Value::decode(&bytes).ok());
        let figure = list.as_ref().and_then(Value::as_array).and_then(read);
        figure.filter(|figure| figure.encode() == text).ok_or(FigureError)
    }
}

fn read(list: &[Value]) -> Option<Figure> {
    let [version, measure, from, to, scope, category, market, gas, bucket, filters, set, run, seq] =
        list
    else {
        return None;
    };
    let day = |value: &Value| Some(Day::from_number(i32::try_from(value.as_int()?).ok()?));
    Some(Figure {
        measure: match (version.as_uint()?, measure.as_uint()?) {
            (VERSION, 0) => Measure::Co2e,
            (VERSION, 1) => Measure::Mass,
            (VERSION, 2) => Measure::Count,
            _ => return None,
        },
        from: day(from)?,
        to: day(to)?,
        scope: small(scope)?,
        category: small(category)?,
        market: Market::from_number(u8::try_from(market.as_uint()?).ok()?)?,
        gas: word(gas, Gas::parse)?,
        bucket: Bucket::parse(bucket.as_text()?)?,
        filters: read_filters(filters)?,
        gwp_set: word(set, GwpSet::parse)?,
        run: RunId::from_slice(run.as_bytes()?)?,
        seq: seq.as_uint()?,
    })
}

/// A small number or null.
fn small(value: &Value) -> Option<Option<u8>> {
    if *value == Value::Null {
        return Some(None);
    }
    u8::try_from(value.as_uint()?).ok().map(Some)
}

/// A word of a vocabulary or null.
fn word<T>(value: &Value, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if *value == Value::Null {
        return Some(None);
    }
    parse(value.as_text()?).map(Some)
}

fn read_filters(filters: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    let pair = |(field, texts): &(Value, Value)| {
        let texts = texts.as_array()?.iter().map(|text| text.as_text().map(str::to_owned));
        Some((field.as_text()?.to_owned(), texts.collect::<Option<_>>()?))
    };
    filters.as_map()?.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure {
            measure: Measure::Co2e,
            from: Day::from_number(18993),
            to: Day::from_number(19358),
            scope: Some(2),
            category: None,
            market: Market::Location,
            gas: None,
            bucket: Bucket::InScope,
            filters: BTreeMap::from([("facility".to_owned(), vec!["b24".to_owned()])]),
            gwp_set: Some(GwpSet::Published),
            run: RunId::from_bytes([7; 16]),
            seq: 42,
        }
    }

    #[test]
    fn an_id_is_the_question_and_back() {
        let vector = "fig_jQEAGUoxGUueAvYB9mhpbl9zY29wZaFoZmFjaWxpdHmBY2IyNGlwdWJsaXNoZWRQBwcHBwcHBwcHBwcHBwcHBxgq";
        assert_eq!(figure().encode(), vector);
        assert_eq!(Figure::parse(vector), Ok(figure()));
        let by_gas = Figure {
            measure: Measure::Mass,
            gas: Some(Gas::CH4),
            gwp_set: None,
            scope: None,
            category: Some(3),
            from: Day::from_number(-1),
            ..figure()
        };
        assert_eq!(Figure::parse(&by_gas.encode()), Ok(by_gas));
    }

    #[test]
    fn other_texts_are_refused() {
        let id = figure().encode();
        let cut = id.get(..id.len() - 1).expect("ascii");
        let padded = format!("{id}==");
        let long = format!("fig_{}", "A".repeat(5000));
        for text in ["", "fig_", "act_01", "fig_gA", cut, &padded, &long, "fig_*"] {
            assert_eq!(Figure::parse(text), Err(FigureError), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let text = format!("fig_{}", URL_SAFE_NO_PAD.encode(bytes));
            if let Ok(figure) = Figure::parse(&text) {
                proptest::prop_assert_eq!(figure.encode(), text);
            }
        }
    }
}
