//! Piles: the cells of a question put together, once, as far as no answer tells them apart.

use std::collections::BTreeMap;

use envora_domain::catalogue::{Bucket, Market, Slot};
use envora_domain::cells::{CellKey, CellValue, Primary};
use envora_domain::gwp::{Carbon, Gas, GwpSet};
use envora_domain::time::Day;

use super::AskError;
use super::asked::Asked;
use super::figures::{Cell, month_of};

/// The cells of a question.
pub(crate) struct Piles {
    /// By month, each on the month's first day that was asked for.
    pub(crate) months: Vec<Cell>,
    /// All on the first day, without tier, kind of data and primary.
    pub(crate) whole: Vec<Cell>,
}

impl Piles {
    /// # Errors
    /// [`AskError::TooLarge`].
    pub(crate) fn of(asked: &Asked) -> Result<Self, AskError> {
        let (first, end) = (asked.query.from, asked.query.to);
        let (mut last, mut month) = (first, month_of(first).max(first));
        // What was replayed may lie on other days as well.
        let days = asked.cells.iter().filter(|(key, _)| key.day >= first && key.day < end);
        let months = piled(days, |key| {
            if key.day != last {
                (last, month) = (key.day, month_of(key.day).max(first));
            }
            (month, key.tier, key.data_kind.as_str(), key.primary)
        })?;
        let whole = piled(months.iter(), |_| (first, 0, "", Primary::Unsaid))?;
        Ok(Self { months, whole })
    }
}

/// Where a cell goes: its day, tier, kind of data and primary in the pile.
type Place<'a> = (Day, u8, &'a str, Primary);

/// What cells of one place are told apart by.
type Alike<'a> =
    ((&'a [u8], &'a [u8], &'a str, Slot, u8, u8), (Market, Bucket, Gas, Carbon, GwpSet));

fn alike(key: &CellKey) -> Alike<'_> {
    (
        (&key.source, &key.facility, &key.kind, key.slot, key.scope, key.category),
        (key.market, key.bucket, key.gas, key.carbon, key.basis),
    )
}

/// Adds up cells that have the same place and everything else in common.
///
/// Days resemble each other: what follows a cell today followed it yesterday, so that the place after
/// the last one is looked at before any search.
fn piled<'a>(
    cells: impl Iterator<Item = &'a Cell>,
    mut place: impl FnMut(&'a CellKey) -> Place<'a>,
) -> Result<Vec<Cell>, AskError> {
    let mut piles: Vec<(Place<'a>, &'a CellKey, CellValue)> = Vec::new();
    let mut known: BTreeMap<(Place<'a>, Alike<'a>), usize> = BTreeMap::new();
    let mut after: Vec<usize> = Vec::new();
    let mut last = None;
    for (key, value) in cells {
        let place = place(key);
        let guess = last.and_then(|last: usize| after.get(last).copied());
        let is_it = |at: &usize| {
            piles.get(*at).is_some_and(|(of, one, _)| *of == place && alike(one) == alike(key))
        };
        let at = match guess.filter(is_it) {
            Some(at) => at,
            None => *known.entry((place, alike(key))).or_insert_with(|| {
                piles.push((place, key, CellValue::default()));
                after.push(0);
                piles.len() - 1
            }),
        };
        if let Some((.., sum)) = piles.get_mut(at) {
            sum.add(value).map_err(|_| AskError::TooLarge)?;
        }
        if let Some(next) = last.and_then(|last| after.get_mut(last)) {
            *next = at;
        }
        last = Some(at);
    }
    let cell = |((day, tier, data_kind, primary), key, sum): (Place<'a>, &CellKey, CellValue)| {
        let data_kind = data_kind.to_owned();
        (CellKey { day, tier, data_kind, primary, ..key.clone() }, sum)
    };
    Ok(piles.into_iter().map(cell).collect())
}
