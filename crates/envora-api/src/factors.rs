//! Factors, packs, GWP sets, methods, units.

use std::collections::BTreeMap;

use envora_domain::factors::own::{self, Change};
use envora_domain::factors::{Factor as Stated, Pack};
use envora_domain::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A factor: its record as its digest covers it, with where it is packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Factor {
    /// `sha256:` and the digest of the record's RFC 8785 JSON.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// The record's own fields.
    #[serde(flatten)]
    pub record: BTreeMap<String, serde_json::Value>,
}

/// A set of factors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorPack {
    /// Its name.
    #[schema(example = "desnz-2022")]
    pub id: String,
    /// Its version.
    pub version: String,
    /// Whether it comes with the program, or the organization brought it in.
    #[serde(default)]
    pub origin: PackOrigin,
    /// Whose factors.
    pub publisher: String,
    /// Which edition.
    pub edition: String,
    /// SHA-256 of its text, hex.
    pub sha256: String,
    /// How many factors.
    pub factors: u64,
    /// The licence of its factors.
    pub licence: String,
    /// What the licence asks to be printed where its numbers are.
    #[serde(default)]
    pub attribution: String,
    /// How a period finds its edition among those of the series.
    #[schema(example = "majority")]
    #[serde(default)]
    pub period_rule: String,
    /// Where its factors hold.
    #[schema(example = "own")]
    #[serde(default)]
    pub region_rule: String,
    /// Whether one activity takes all its factors from one edition.
    #[schema(example = "same_edition")]
    #[serde(default)]
    pub family_rule: String,
    /// Whether calculation uses it.
    pub active: bool,
    /// The log entry of its activation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// Of an own pack: what the file was called that brought this edition in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_name: Option<String>,
    /// Of an own pack: when this edition was brought in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub added_at: Option<Timestamp>,
    /// Of an own pack: all its editions, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub editions: Vec<PackEdition>,
}

/// Who brought a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackOrigin {
    /// It comes with the program.
    #[default]
    Program,
    /// The organization brought it in.
    Organization,
}

/// An edition of an organization's own pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackEdition {
    /// Its version: the first digits of its SHA-256.
    #[schema(example = "4be3d145b5f7")]
    pub version: String,
    /// SHA-256 of its canonical text, hex.
    pub sha256: String,
    /// How many factors.
    pub factors: u64,
    /// What the file was called.
    pub file_name: String,
    /// When it was brought in.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: Timestamp,
    /// The log entry that says so.
    pub seq: u64,
    /// Whether calculation uses it.
    pub active: bool,
}

/// What activating an edition of a pack changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackDiff {
    /// The pack.
    #[schema(example = "suppliers")]
    pub pack: String,
    /// The edition that is looked at.
    pub version: String,
    /// The edition that it is held against; absent where none is active.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub against: Option<String>,
    /// How many factors of each kind of change.
    pub counts: PackDiffCounts,
    /// The factors that differ, by key and first day.
    pub changes: Vec<PackChange>,
}

impl PackDiff {
    /// What differs between an edition, or none, and a later one.
    #[must_use]
    pub fn between(before: Option<&Pack>, after: &Pack) -> Self {
        let changes: Vec<PackChange> = own::diff(before, after)
            .into_iter()
            .map(|one| PackChange {
                change: one.change.as_str().to_owned(),
                key: one.key.to_owned(),
                before: one.before.map(FactorState::of),
                after: one.after.map(FactorState::of),
            })
            .collect();
        let count = |change: Change| {
            changes.iter().filter(|one| one.change == change.as_str()).count() as u64
        };
        Self {
            pack: after.recipe.id.clone(),
            version: after.recipe.version.clone(),
            against: before.map(|pack| pack.recipe.version.clone()),
            counts: PackDiffCounts {
                added: count(Change::Added),
                removed: count(Change::Removed),
                changed: count(Change::Changed),
                reworded: count(Change::Reworded),
            },
            changes,
        }
    }
}

/// Factors by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackDiffCounts {
    /// Only in the later edition.
    pub added: u64,
    /// Only in the earlier one.
    pub removed: u64,
    /// They count otherwise.
    pub changed: u64,
    /// They count as before; words, document or rights are others.
    pub reworded: u64,
}

/// A factor that is not the same in both editions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackChange {
    /// `added`, `removed`, `changed` or `reworded`.
    #[schema(example = "changed")]
    pub change: String,
    /// Its key.
    #[schema(example = "own/suppliers/steel")]
    pub key: String,
    /// In the earlier edition.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<FactorState>,
    /// In the later one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<FactorState>,
}

/// What a factor says in one edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorState {
    /// Its id.
    pub id: String,
    /// Its total as stated; absent where it states gases alone.
    #[schema(example = "1.85")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// The mass of each gas that it states, in its own unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub gases: BTreeMap<String, String>,
    /// The mass that it is in.
    #[schema(example = "kg")]
    pub unit: String,
    /// The unit that it is per.
    #[schema(example = "kg")]
    pub per: String,
    /// The GWP set of its CO2 equivalents.
    #[schema(example = "ar6")]
    pub basis: String,
    /// The first day on which it holds.
    #[schema(value_type = String, format = Date)]
    pub valid_from: Day,
    /// The first day on which it holds no longer.
    #[schema(value_type = String, format = Date)]
    pub valid_to: Day,
    /// In which document it is stated.
    pub document: String,
    /// Why it differs from the one before, as its row says.
    pub change_cause: String,
}

impl FactorState {
    /// What this factor says.
    fn of(factor: &Stated) -> Self {
        Self {
            id: factor.id.to_string(),
            value: factor.total.as_ref().map(|total| total.value.clone()),
            gases: factor
                .gases
                .iter()
                .map(|gas| (gas.gas.to_string(), format!("{} {}", gas.value, gas.unit)))
                .collect(),
            unit: factor.mass_unit().to_owned(),
            per: factor.denominator.unit.clone(),
            basis: factor.basis.to_string(),
            valid_from: factor.valid_from,
            valid_to: factor.valid_to,
            document: factor.provenance.file.clone(),
            change_cause: factor.change_cause.clone(),
        }
    }
}

/// Global warming potentials of one assessment report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GwpSet {
    /// Its id.
    #[schema(example = "ar5")]
    pub id: String,
    /// What it is, in words.
    pub name: String,
    /// GWP100 by gas; empty for `published`, which follows each publisher.
    pub values: BTreeMap<String, String>,
}

/// A method of calculation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Method {
    /// `family.variant@version`.
    #[schema(example = "electricity.grid@1")]
    pub id: String,
    /// What it multiplies.
    pub formula: String,
    /// `usable`, or `waiting` for what `lacks` says.
    #[schema(example = "usable")]
    pub status: String,
    /// What this edition of the program lacks for it; absent when it can be used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lacks: Option<String>,
    /// The activity types that use it.
    pub types: Vec<String>,
    /// The slots it fills.
    pub slots: Vec<String>,
}

/// A quantity to convert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// Exact decimal.
    #[schema(example = "1.5")]
    pub quantity: String,
    /// From this unit.
    #[schema(example = "MW.h")]
    pub from: String,
    /// To this unit.
    #[schema(example = "kW.h")]
    pub to: String,
}

impl Conversion {
    /// The fields it may have.
    pub const FIELDS: &[&str] = &["quantity", "from", "to"];
}

/// A quantity converted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Converted {
    /// Exact decimal, or a fraction `a/b` where no decimal is exact.
    #[schema(example = "1500")]
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Each step, exact.
    pub path: Vec<String>,
}

#[cfg(test)]
mod tests {
    use envora_domain::factors::own;

    use super::*;

    #[test]
    fn gases_of_different_weight_are_not_added_up() {
        const HEAD: &str = "key,type,boundary,qualifiers.material,region,per,unit,co2e,gas.CH4,gas.N2O,basis,\
            valid_from,valid_through,publisher,document,licence";
        let state = |amounts: &str| {
            let row = format!("x,waste.treated,end_of_life,garden_waste,DE,t,kg,{amounts}");
            let text = format!("{HEAD}\n{row},ar5,2025-01-01,2025-12-31,Publisher,Document,own\n");
            let own = own::read(text.as_bytes(), Some("ours")).expect("a table");
            let diff = PackDiff::between(None, &own.pack);
            diff.changes.into_iter().find_map(|change| change.after).expect("a factor")
        };
        let gases = state(",1.4,0.074");
        assert_eq!(gases.value, None);
        let told: Vec<(&str, &str)> =
            gases.gases.iter().map(|(gas, mass)| (gas.as_str(), mass.as_str())).collect();
        assert_eq!(told, [("CH4", "1.4 kg"), ("N2O", "0.074 kg")]);
        assert_eq!(state("58.81,,").value.as_deref(), Some("58.81"));
    }
}
