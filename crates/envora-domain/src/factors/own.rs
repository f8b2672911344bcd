//! An organization's own factors: a table that a person can write, read strictly, and its canonical
//! text, by whose SHA-256 the pack is known for ever.
//!
//! One row is one number with what it means and where it was printed. A table is taken whole or not
//! at all: everything that is wrong with it is told, each with row, column and remedy.

mod checks;
mod columns;
mod diff;
mod meaning;
mod row;
mod table;

use std::collections::BTreeMap;

use super::{Factor, Pack};
use crate::factors::pack::{FamilyRule, PeriodRule, Recipe, RegionRule, Rules};
use crate::factors::record::Rights;
use crate::words::words;
pub use columns::{COLUMNS, ColumnSpec};
pub use diff::{Change, Changed, diff};

/// The most bytes that a table may have.
pub const BYTES_MAX: usize = 4 << 20;
/// The most factors that a pack may have.
pub const FACTORS_MAX: usize = 5_000;
/// How many faults of a table are kept; the rest are not looked for.
pub const FAULTS_MAX: usize = 1_000;
/// How the keys of all own factors begin.
pub const PREFIX: &str = "own/";
/// How many digits of the digest are the version of an own pack.
const VERSION_DIGITS: usize = 12;

/// How own factors are chosen: each key by its own validity, and outside of it not at all.
pub const RULES: Rules =
    Rules { period: PeriodRule::InForce, region: RegionRule::Own, family: FamilyRule::EachOwn };

words! {
    /// What can be wrong with a table of factors. Never renamed.
    pub enum FaultCode {
        /// Not a row of this table at all.
        MalformedRow = "malformed_row",
        /// The text is not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// A column that the format does not know, or one twice.
        UnknownField = "unknown_field",
        /// A cell that must be filled in.
        MissingField = "missing_field",
        /// A value of another shape than the column has.
        WrongType = "wrong_type",
        /// A number was due.
        NotANumber = "not_a_number",
        /// More digits than are kept exactly.
        TooManyDigits = "too_many_digits",
        /// Below zero where nothing can be.
        NegativeNotAllowed = "negative_not_allowed",
        /// A unit with more than one meaning.
        UnitAmbiguous = "unit_ambiguous",
        /// A unit that no table knows.
        UnknownUnit = "unknown_unit",
        /// A unit of another dimension than the activity type has.
        UnitMismatch = "unit_mismatch",
        /// No such activity type, or one without a method that takes a factor.
        UnknownType = "unknown_type",
        /// No word of the list that the column has.
        UnknownWord = "unknown_word",
        /// A supplier that the organization has not defined.
        UnknownSupplier = "unknown_supplier",
        /// An item that is in no list that is named.
        UnknownItem = "unknown_item",
        /// A part of the supply chain that no slot of the type takes.
        BoundaryMismatch = "boundary_mismatch",
        /// The gases do not add up to the total.
        GasSum = "gas_sum",
        /// CO2 of what grew where it would count, or a memo of something else.
        BiogenicCo2 = "biogenic_co2",
        /// It ends before it begins.
        PeriodReversed = "period_reversed",
        /// Two rows of one key hold on the same day.
        ValidityOverlap = "validity_overlap",
        /// Two rows of one key mean different things.
        KeyReused = "key_reused",
        /// More than a pack may hold.
        TooManyRows = "too_many_rows",
    }
}

/// One thing that is wrong with a table: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code.
    pub code: FaultCode,
    /// The record, from 1; 0 for the table itself.
    pub row: u64,
    /// The physical line, from 1; 0 for the table itself.
    pub line: u64,
    /// The column's name.
    pub column: Option<String>,
    /// The cell, cut.
    pub value: Option<String>,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.row > 0 {
            write!(f, "row {} (line {}) ", self.row, self.line)?;
        }
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        write!(f, "{}: {}", self.code, self.detail)
    }
}

/// A table that was read: its pack, and the suppliers that it names with the row that does first.
#[derive(Clone, Debug)]
pub struct OwnPack {
    /// The pack; its text is the canonical one.
    pub pack: Pack,
    /// Suppliers' codes, each with the record and line of the first row that names it.
    pub suppliers: BTreeMap<String, (u64, u64)>,
}

/// The version of an own pack of this digest: its first digits.
#[must_use]
pub fn version(digest: &crate::hash::Digest) -> String {
    digest.hex().chars().take(VERSION_DIGITS).collect()
}

/// Whether a text may name an own pack: 2 to 40 of `a-z`, `0-9` and `-`, a letter first, and none that
/// the program's own packs have.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let taken = ["desnz", "epa-hub", "substances", "ipcc", "envora"];
    (2..=40).contains(&text.len())
        && text.bytes().all(letters)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && !taken.iter().any(|word| text.starts_with(word))
}

/// Reads a table of factors that is brought in. `name` names the pack where no column `pack` does.
///
/// # Errors
/// Everything that is wrong with it, up to [`FAULTS_MAX`], by row.
pub fn read(bytes: &[u8], name: Option<&str>) -> Result<OwnPack, Vec<Fault>> {
    read_with(bytes, name, checks::parts)
}

/// Reads the canonical text of a pack that was taken in, by this program or an earlier one: what is
/// asked of new tables alone is not asked of it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_stored(text: &[u8]) -> Result<OwnPack, Vec<Fault>> {
    read_with(text, None, |_, _| ())
}

fn read_with(
    bytes: &[u8],
    name: Option<&str>,
    asked_of_new: fn(&[row::Row], &mut Vec<Fault>),
) -> Result<OwnPack, Vec<Fault>> {
    let table = table::read(bytes)?;
    let mut faults = Vec::new();
    let mut rows = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        if faults.len() >= FAULTS_MAX {
            break;
        }
        rows.extend(row::read(&table, record, &mut faults));
    }
    let named = checks::name(&table, name, &mut faults);
    checks::keys(&rows, &mut faults);
    checks::memos(&rows, &mut faults);
    asked_of_new(&rows, &mut faults);
    faults.sort_by_key(|fault: &Fault| fault.row);
    let Some(name) = named.filter(|_| faults.is_empty()) else {
        faults.truncate(FAULTS_MAX);
        return Err(faults);
    };
    rows.sort_by(|a, b| (&a.key, a.body.valid_from).cmp(&(&b.key, b.body.valid_from)));
    let text = table::canonical(&table, &name, &rows);
    let mut suppliers = BTreeMap::new();
    let mut factors = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(code) = row.body.qualifiers.get("supplier") {
            let place = suppliers.entry(code.clone()).or_insert((row.row, row.line));
            *place = (*place).min((row.row, row.line));
        }
        let body = super::Body { key: format!("{PREFIX}{name}/{}", row.key), ..row.body };
        // No record that is made here has a number that is not exact.
        factors.extend(Factor::new(body, &name).ok());
    }
    let pack = Pack::own(recipe(&name, &factors), factors, text);
    Ok(OwnPack { pack, suppliers })
}

/// What is said once: own factors say most of it each for itself.
fn recipe(name: &str, factors: &[Factor]) -> Recipe {
    let one = |of: fn(&Factor) -> &str| {
        let mut all: Vec<&str> = factors.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [one] => (*one).to_owned(),
            _ => String::new(),
        }
    };
    let from = factors.iter().map(|factor| factor.valid_from).min();
    let to = factors.iter().map(|factor| factor.valid_to).max();
    let publisher = one(|factor| &factor.publisher);
    let licence = one(|factor| &factor.rights.licence);
    let several = |text: String, words: &str| if text.is_empty() { words.to_owned() } else { text };
    Recipe {
        id: name.to_owned(),
        version: String::new(),
        prefix: format!("{PREFIX}{name}"),
        publisher: several(publisher, "several publishers"),
        dataset: name.to_owned(),
        edition: one(|factor| &factor.edition),
        valid_from: from.unwrap_or(crate::time::Day::from_number(0)),
        valid_to: to.unwrap_or(crate::time::Day::from_number(0)),
        basis: factors.first().map_or(crate::gwp::GwpSet::Ar5, |factor| factor.basis),
        rules: RULES,
        rights: Rights {
            licence: several(licence, "as each factor says"),
            redistribute: several(one(|factor| &factor.rights.redistribute), "no"),
            attribution: one(|factor| &factor.rights.attribution),
        },
        file: String::new(),
        sha256: String::new(),
        precision: 0,
        renames: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
