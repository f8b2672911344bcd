//! What rows of a publisher's table mean here, before their numbers.

use crate::catalogue::Bucket;
use crate::factors::pack::Recipe;
use crate::factors::record::{Body, Boundary, Denominator, FactorKind, Provenance, Region};
use crate::factors::rows;
use crate::gwp::{Carbon, Gas};

/// Why a row has no meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unplaced {
    /// It is known and not taken, for this reason.
    LeftOut(&'static str),
    /// It is not known: the file is not what was expected.
    Strange(&'static str),
}

/// Words that the catalogue does not have.
pub(super) const NO_WORD: Unplaced = Unplaced::Strange("a word that the catalogue does not have");
/// A table that is new.
pub(super) const NO_PLACE: Unplaced =
    Unplaced::Strange("a table or column that the catalogue has no place for");
/// A unit that is new.
pub(super) const NO_UNIT: Unplaced =
    Unplaced::Strange("a unit that this table is not expected to have");

/// A meaning, or why there is none.
pub(super) type Placed = Result<Meaning, Unplaced>;

/// The meaning of one factor.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    pub(super) kind: FactorKind,
    pub(super) activity_type: &'static str,
    pub(super) boundary: Boundary,
    pub(super) memo: Option<Bucket>,
    pub(super) qualifiers: Vec<(&'static str, String)>,
    pub(super) carbon: Carbon,
    /// The one gas that a total is of, where it is of one.
    pub(super) gas: Option<Gas>,
    pub(super) unit: &'static str,
    pub(super) cv_basis: Option<&'static str>,
    pub(super) conditions: Option<&'static str>,
    /// Scheme and code.
    pub(super) region: (&'static str, String),
    pub(super) permitted_use: &'static str,
    pub(super) flags: Vec<&'static str>,
}

impl Meaning {
    /// Emissions of an activity type in a country, everything else unsaid.
    pub(super) fn new(activity_type: &'static str, boundary: Boundary, country: &str) -> Self {
        Self {
            kind: FactorKind::Emission,
            activity_type,
            boundary,
            memo: None,
            qualifiers: Vec::new(),
            carbon: Carbon::Unknown,
            gas: None,
            unit: "",
            cv_basis: None,
            conditions: None,
            region: ("iso", country.to_owned()),
            permitted_use: "inventory",
            flags: Vec::new(),
        }
    }

    /// With a qualifier.
    pub(super) fn with(mut self, name: &'static str, word: impl Into<String>) -> Self {
        self.qualifiers.push((name, word.into()));
        self
    }

    /// For the whole world.
    pub(super) fn anywhere(self) -> Self {
        Self { region: ("world", String::new()), ..self }
    }

    /// As a memo beside the scopes.
    pub(super) fn memo(self, bucket: Bucket) -> Self {
        Self { memo: Some(bucket), ..self }
    }

    /// The record of it, without numbers.
    pub(super) fn body(&self, recipe: &Recipe, key: &str, printed: &str) -> Body {
        let (scheme, code) = &self.region;
        let qualifiers = self.qualifiers.iter();
        Body {
            kind: self.kind,
            activity_type: self.activity_type.to_owned(),
            boundary: self.boundary,
            memo_bucket: self.memo,
            qualifiers: qualifiers.map(|(name, word)| ((*name).to_owned(), word.clone())).collect(),
            region: Region { scheme: (*scheme).to_owned(), code: code.clone() },
            permitted_use: self.permitted_use.to_owned(),
            denominator: Denominator {
                unit: self.unit.to_owned(),
                as_printed: printed.to_owned(),
                cv_basis: self.cv_basis.map(str::to_owned),
                reference_conditions: self.conditions.map(str::to_owned),
                ..Denominator::default()
            },
            provenance: Provenance {
                file: recipe.file.clone(),
                sha256: recipe.sha256.clone(),
                precision: Some(recipe.precision),
                flags: self.flags.iter().map(|flag| (*flag).to_owned()).collect(),
                ..Provenance::default()
            },
            ..rows::blank(recipe, key)
        }
    }
}
