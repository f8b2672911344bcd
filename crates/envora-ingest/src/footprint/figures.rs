//! Figures against cells: which cells a figure adds up, and the sums of many figures in one pass.

use std::borrow::Borrow;

use envora_domain::catalogue::{self, Bucket, Market, Slot};
use envora_domain::cells::{CO2E_COLUMNS, CellKey, CellValue};
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::{Carbon, GwpSet};
use envora_domain::id::{EntityId, FacilityId, SourceId};
use envora_domain::time::Day;

use super::{AskError, CONSOLIDATION};

/// The fields by whose words a figure may be narrowed; `consolidation` narrows nothing yet, and `entity`
/// narrows rows: cells do not know it.
pub const FILTERS: &[&str] = &[
    "facility",
    "entity",
    "source",
    "scope",
    "category",
    "type",
    "slot",
    "carbon",
    "basis",
    "consolidation",
];

/// The filter by legal entity.
pub(crate) const ENTITY: &str = "entity";

/// The legal entities whose rows alone are part of a figure; nothing when all are. No entity stands for
/// rows that are nobody's.
///
/// # Errors
/// [`AskError::UnknownWord`] for what is no id.
pub(crate) fn entities(figure: &Figure) -> Result<Option<Vec<Option<EntityId>>>, AskError> {
    let Some(words) = figure.filters.get(ENTITY) else { return Ok(None) };
    let read = |word: &String| match word.is_empty() {
        true => Ok(None),
        false => EntityId::parse(word)
            .map(Some)
            .map_err(|_| AskError::UnknownWord { field: ENTITY.to_owned(), word: word.clone() }),
    };
    words.iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// A cell as it is read.
pub(crate) type Cell = (CellKey, CellValue);

/// The sets of the CO2e columns that cells keep.
pub(crate) type Columns = [Option<GwpSet>; CO2E_COLUMNS];

/// A figure, ready to be held against many cells.
pub(crate) struct Sieve<'a> {
    figure: &'a Figure,
    facilities: Option<Vec<Vec<u8>>>,
    sources: Option<Vec<Vec<u8>>>,
    words: Vec<(Field, &'a [String])>,
}

#[derive(Clone, Copy)]
enum Field {
    Scope,
    Category,
    Kind,
    Slot,
    Carbon,
    Basis,
}

impl<'a> Sieve<'a> {
    /// # Errors
    /// [`AskError::UnknownWord`] for a field that figures cannot be narrowed by, or a malformed id.
    pub(crate) fn of(figure: &'a Figure) -> Result<Self, AskError> {
        let mut sieve = Self { figure, facilities: None, sources: None, words: Vec::new() };
        for (field, words) in &figure.filters {
            let facility = |word: &str| FacilityId::parse(word).ok().map(|id| id.bytes());
            let source = |word: &str| SourceId::parse(word).ok().map(|id| id.bytes());
            let narrowed = match field.as_str() {
                "facility" => {
                    sieve.facilities = Some(ids(field, words, facility)?);
                    continue;
                }
                "source" => {
                    sieve.sources = Some(ids(field, words, source)?);
                    continue;
                }
                "consolidation" | ENTITY => continue,
                "scope" => Field::Scope,
                "category" => Field::Category,
                "type" => Field::Kind,
                "slot" => Field::Slot,
                "carbon" => Field::Carbon,
                "basis" => Field::Basis,
                _ => {
                    return Err(AskError::UnknownWord {
                        field: field.clone(),
                        word: String::new(),
                    });
                }
            };
            sieve.words.push((narrowed, words));
        }
        Ok(sieve)
    }

    /// Whether some places are part of the figure and others are not.
    pub(crate) const fn tells_places_apart(&self) -> bool {
        self.facilities.is_some() || self.sources.is_some()
    }

    /// Whether a cell is part of the figure.
    pub(crate) fn holds(&self, key: &CellKey) -> bool {
        let figure = self.figure;
        key.bucket == figure.bucket
            && (key.market == Market::None || key.market == figure.market)
            && self.holds_in_any_book(key)
    }

    /// The same of any bucket and market.
    pub(crate) fn holds_in_any_book(&self, key: &CellKey) -> bool {
        let figure = self.figure;
        let within = |ids: &Option<Vec<Vec<u8>>>, id: &Vec<u8>| {
            ids.as_ref().is_none_or(|ids| ids.contains(id))
        };
        key.day >= figure.from
            && key.day < figure.to
            && figure.scope.is_none_or(|scope| scope == key.scope)
            && figure.category.is_none_or(|category| category == key.category)
            && figure.gas.is_none_or(|gas| gas == key.gas)
            && within(&self.facilities, &key.facility)
            && within(&self.sources, &key.source)
            && self.words.iter().all(|(field, words)| among(*field, words, key))
    }
}

/// Whether this program computes such figures. An id is only a text: one that names what nothing here
/// adds up, or the way of consolidation that there is not, would be answered under a false label.
pub(crate) fn is_computed(figure: &Figure) -> bool {
    let counts = match (figure.measure, figure.bucket) {
        (Measure::Co2e, Bucket::InScope) => figure.gwp_set.is_some(),
        (Measure::Mass, Bucket::InScope) => figure.gas.is_some() && figure.gwp_set.is_none(),
        (Measure::Mass, Bucket::BiogenicCo2) => figure.gwp_set.is_none(),
        _ => false,
    };
    let sided = match figure.scope {
        None | Some(2) => figure.market != Market::None,
        Some(0 | 1 | 3) => figure.market == Market::None,
        Some(_) => false,
    };
    counts
        && sided
        && figure.from < figure.to
        && figure.category.is_none()
        && figure.filters.contains_key("consolidation")
        && figure.filters.iter().all(|(field, words)| {
            !words.is_empty() && words.iter().all(|word| is_word_of(field, word))
        })
}

/// Whether a field that narrows can have this word, written as footprints write it.
fn is_word_of(field: &str, word: &str) -> bool {
    let within = |most: u8| (1..=most).any(|number| number.to_string() == word);
    match field {
        "facility" => {
            word.is_empty() || FacilityId::parse(word).is_ok_and(|id| id.to_string() == word)
        }
        ENTITY => word.is_empty() || EntityId::parse(word).is_ok_and(|id| id.to_string() == word),
        "source" => word.is_empty() || SourceId::parse(word).is_ok_and(|id| id.to_string() == word),
        "scope" => within(3),
        "category" => within(15),
        "type" => catalogue::find(word).is_some(),
        "slot" => Slot::parse(word).is_some(),
        "carbon" => Carbon::parse(word).is_some(),
        "basis" => GwpSet::parse(word).is_some(),
        "consolidation" => word == CONSOLIDATION,
        _ => false,
    }
}

fn among(field: Field, words: &[String], key: &CellKey) -> bool {
    let has = |word: &str| words.iter().any(|one| one == word);
    match field {
        Field::Scope => has(&key.scope.to_string()),
        Field::Category => has(&key.category.to_string()),
        Field::Kind => has(&key.kind),
        Field::Slot => has(key.slot.as_str()),
        Field::Carbon => has(key.carbon.as_str()),
        Field::Basis => has(key.basis.as_str()),
    }
}

fn ids(
    field: &str,
    words: &[String],
    parse: impl Fn(&str) -> Option<[u8; 16]>,
) -> Result<Vec<Vec<u8>>, AskError> {
    let read = |word: &String| {
        if word.is_empty() {
            return Ok(Vec::new());
        }
        let unknown = || AskError::UnknownWord { field: field.to_owned(), word: word.clone() };
        parse(word).map(|bytes| bytes.to_vec()).ok_or_else(unknown)
    };
    words.iter().map(read).collect()
}

/// Which of a cell's CO2e columns is of this set.
pub(crate) fn column(columns: &Columns, set: GwpSet) -> Option<usize> {
    columns.iter().position(|column| *column == Some(set))
}

/// What a cell, or a line, adds to a figure.
pub(crate) fn worth(figure: &Figure, value: &CellValue, column: Option<usize>) -> Option<Mass> {
    match figure.measure {
        Measure::Mass => Some(value.kg),
        Measure::Count => Some(Mass::from_units(i128::from(value.count) * 1_000_000_000_000)),
        Measure::Co2e => column.and_then(|column| value.co2e.get(column).copied().flatten()),
    }
}

/// The exact sums of these figures over these cells.
///
/// # Errors
/// [`AskError`]: a word that no cell can have, or a sum above what is kept exactly.
pub(crate) fn add_up(
    figures: &[Figure],
    columns: &Columns,
    cells: &[impl Borrow<Cell>],
) -> Result<Vec<Mass>, AskError> {
    let mut sums = Vec::with_capacity(figures.len());
    for figure in figures {
        let sieve = Sieve::of(figure)?;
        let column = figure.gwp_set.and_then(|set| column(columns, set));
        let mut sum = Mass::ZERO;
        for (_, value) in cells.iter().map(Borrow::borrow).filter(|(key, _)| sieve.holds(key)) {
            if let Some(worth) = worth(figure, value, column) {
                sum = sum.checked_add(worth).ok_or(AskError::TooLarge)?;
            }
        }
        sums.push(sum);
    }
    Ok(sums)
}

/// The first day of a day's month.
#[must_use]
pub(crate) fn month_of(day: Day) -> Day {
    day.month_start()
}

/// The months of a period, each as first day and day after the last, cut to the period.
#[must_use]
pub(crate) fn months(from: Day, to: Day) -> Vec<(Day, Day)> {
    let mut found = Vec::new();
    let mut start = from;
    while start < to {
        let next = month_of(month_of(start).plus(32));
        found.push((start, next.min(to)));
        start = next;
    }
    found
}

/// `2022-03`.
#[must_use]
pub(crate) fn month_word(day: Day) -> String {
    let (year, month, _) = day.ymd();
    format!("{year:04}-{month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_cut_to_the_period() {
        let day = |text: &str| Day::parse(text).expect("a day");
        let found = months(day("2021-12-30"), day("2022-02-02"));
        let words: Vec<String> = found.iter().map(|(from, to)| format!("{from}/{to}")).collect();
        assert_eq!(
            words,
            ["2021-12-30/2022-01-01", "2022-01-01/2022-02-01", "2022-02-01/2022-02-02"]
        );
        assert_eq!(month_word(day("2022-03-31")), "2022-03");
        assert!(months(day("2022-01-01"), day("2022-01-01")).is_empty());
    }
}
