//! Division: the totals of the whole and of every group of every way to split it. Each cell is held
//! against the figures of its own groups alone, so that many groups cost no more than few.

use std::collections::BTreeMap;

use envora_api::footprints::{BasisTotal, Group, Totals};
use envora_domain::cells::CellKey;
use envora_domain::figures::Figure;
use envora_domain::id::{FacilityId, SourceId};

use super::asked::{Asked, Questions};
use super::figures::{Cell, month_of, month_word, months};
use super::piles::Piles;
use super::totals::{self, Plan, basis_totals};
use super::{AskError, GroupBy};
use crate::tenant::TenantParts;

/// A group: its words, the figure of all that is in it, and the cells that can be.
struct Portion<'a> {
    key: BTreeMap<String, String>,
    figure: Figure,
    cells: Vec<&'a Cell>,
}

/// The whole, its bases, and the groups of each way.
type Divided = (Totals, Vec<BasisTotal>, Vec<Vec<Group>>);

/// Adds up a question, split in each of these ways.
pub(super) fn divide(
    parts: &TenantParts,
    (asked, piles): (&Asked, &Piles),
    ways: &[Option<GroupBy>],
) -> Result<Divided, AskError> {
    let base = asked.base();
    let all: Vec<&Cell> = piles.whole.iter().collect();
    let bases = totals::bases(&base, &all)?;
    let of_bases = bases.iter().map(|(_, figure)| figure.clone()).collect();
    let plan = Plan::of(&base, &all)?;
    let mut questions: Questions<'_> =
        vec![(of_bases, all.clone()), (plan.figures().to_vec(), all)];
    let (mut plans, mut counts) = (Vec::new(), Vec::new());
    for way in ways {
        let portions = way.map(|way| portions((asked, piles), &base, way)).unwrap_or_default();
        counts.push(portions.len());
        for Portion { key, figure, cells } in portions {
            let plan = Plan::of(&figure, &cells)?;
            questions.push((plan.figures().to_vec(), cells));
            plans.push((key, plan));
        }
    }
    let mut values = asked.values(parts, &questions)?.into_iter();
    let mut next = || values.next().ok_or(AskError::TooLarge);
    let bases = basis_totals(&bases, &next()?);
    let whole = plan.totals(&next()?).ok_or(AskError::TooLarge)?;
    let mut groups = Vec::with_capacity(plans.len());
    for (key, plan) in plans {
        groups.push(Group { key, totals: plan.totals(&next()?).ok_or(AskError::TooLarge)? });
    }
    let mut groups = groups.into_iter();
    let groups = counts.into_iter().map(|count| groups.by_ref().take(count).collect()).collect();
    Ok((whole, bases, groups))
}

/// The groups of one way. A group that the question's own filter leaves out is none.
fn portions<'a>(
    (asked, piles): (&Asked, &'a Piles),
    base: &Figure,
    by: GroupBy,
) -> Vec<Portion<'a>> {
    let word = |field: &str, word: &str| (field.to_owned(), word.to_owned());
    let narrowed = |field: &str, key: BTreeMap<String, String>, (word, cells)| {
        let asked_for = base.filters.get(field).is_none_or(|words| words.contains(&word));
        let mut filters = base.filters.clone();
        filters.insert(field.to_owned(), vec![word]);
        let figure = Figure { filters, ..base.clone() };
        asked_for.then_some(Portion { key, figure, cells })
    };
    let plain = |field: &str, dealt: BTreeMap<String, Vec<&'a Cell>>| -> Vec<Portion<'a>> {
        let one = |(text, cells): (String, Vec<&'a Cell>)| {
            narrowed(field, BTreeMap::from([word(field, &text)]), (text, cells))
        };
        dealt.into_iter().filter_map(one).collect()
    };
    match by {
        GroupBy::Month => {
            let mut dealt = dealt(&piles.months, |key| month_of(key.day));
            let month = |(from, to)| Portion {
                key: BTreeMap::from([word("month", &month_word(from))]),
                figure: Figure { from, to, ..base.clone() },
                cells: dealt.remove(&month_of(from)).unwrap_or_default(),
            };
            months(base.from, base.to).into_iter().map(month).collect()
        }
        GroupBy::Scope => {
            let mut dealt = dealt(&piles.whole, |key| key.scope);
            let scope = |scope: u8| (scope.to_string(), dealt.remove(&scope).unwrap_or_default());
            plain("scope", [1, 2, 3].map(scope).into())
        }
        GroupBy::Category => {
            let mut dealt = dealt(&piles.whole, |key| key.category.to_string());
            dealt.remove("0");
            plain("category", dealt)
        }
        GroupBy::Type => plain("type", dealt(&piles.whole, |key| key.kind.clone())),
        GroupBy::Facility => {
            let one = |(bytes, cells): (&[u8], Vec<&'a Cell>)| {
                let id = FacilityId::from_slice(bytes);
                let known = id.and_then(|id| asked.registry.facility_of(id, u64::MAX));
                let code = known.map_or("", |facility| &facility.fields.code);
                let name = known.map_or("", |facility| &facility.fields.name);
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let key = [("facility_id", &*id), ("facility_code", code), ("facility_name", name)];
                let key = key.map(|(field, text)| word(field, text));
                narrowed("facility", BTreeMap::from(key), (id, cells))
            };
            dealt(&piles.whole, |key| &*key.facility).into_iter().filter_map(one).collect()
        }
        GroupBy::Source => {
            let one = |(bytes, cells): (&[u8], Vec<&'a Cell>)| {
                let id = SourceId::from_slice(bytes);
                let known = id.and_then(|id| asked.registry.source_of(id, u64::MAX));
                let code = known.map_or("", |source| &source.fields.code);
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let key = BTreeMap::from([word("source_id", &id), word("source_code", code)]);
                narrowed("source", key, (id, cells))
            };
            dealt(&piles.whole, |key| &*key.source).into_iter().filter_map(one).collect()
        }
    }
}

/// Cells by a word of theirs.
fn dealt<'a, W: Ord>(
    cells: &'a [Cell],
    word: impl Fn(&'a CellKey) -> W,
) -> BTreeMap<W, Vec<&'a Cell>> {
    let mut dealt: BTreeMap<W, Vec<&'a Cell>> = BTreeMap::new();
    for cell in cells {
        dealt.entry(word(&cell.0)).or_default().push(cell);
    }
    dealt
}
