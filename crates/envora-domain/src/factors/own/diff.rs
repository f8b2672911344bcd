//! What changes from one edition of a pack to another, factor by factor.

use std::collections::BTreeMap;

use crate::factors::{Factor, Pack};
use crate::time::Day;
use crate::words::words;

words! {
    /// What became of a factor.
    pub enum Change {
        /// Only the later edition has it.
        Added = "added",
        /// Only the earlier one has it.
        Removed = "removed",
        /// Its numbers, units or validity are others.
        Changed = "changed",
        /// It counts as before; its words, document or rights are others.
        Reworded = "reworded",
    }
}

/// A factor that is not the same in both.
#[derive(Clone, Debug)]
pub struct Changed<'a> {
    /// What became of it.
    pub change: Change,
    /// Its key.
    pub key: &'a str,
    /// In the earlier edition.
    pub before: Option<&'a Factor>,
    /// In the later one.
    pub after: Option<&'a Factor>,
}

/// The factors that differ, by key and first day. Factors of one key and first day are one factor.
#[must_use]
pub fn diff<'a>(before: Option<&'a Pack>, after: &'a Pack) -> Vec<Changed<'a>> {
    let mut all: BTreeMap<(&str, Day), [Option<&Factor>; 2]> = BTreeMap::new();
    for factor in before.into_iter().flat_map(Pack::factors) {
        all.entry((&factor.key, factor.valid_from)).or_default()[0] = Some(factor);
    }
    for factor in after.factors() {
        all.entry((&factor.key, factor.valid_from)).or_default()[1] = Some(factor);
    }
    let told = |((key, _), [before, after]): ((&'a str, Day), [Option<&'a Factor>; 2])| {
        let change = match (before, after) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(before), Some(after)) if before.id == after.id => return None,
            (Some(before), Some(after)) if counts_alike(before, after) => Change::Reworded,
            (Some(_), Some(_)) => Change::Changed,
        };
        Some(Changed { change, key, before, after })
    };
    all.into_iter().filter_map(told).collect()
}

/// Whether two records can be told apart by no figure.
fn counts_alike(a: &Factor, b: &Factor) -> bool {
    (&a.gases, &a.total, a.basis) == (&b.gases, &b.total, b.basis)
        && a.denominator.unit == b.denominator.unit
        && (a.valid_from, a.valid_to) == (b.valid_from, b.valid_to)
        && (a.kind, a.boundary, &a.activity_type) == (b.kind, b.boundary, &b.activity_type)
        && a.memo_bucket == b.memo_bucket
        && (&a.qualifiers, &a.region) == (&b.qualifiers, &b.region)
}
