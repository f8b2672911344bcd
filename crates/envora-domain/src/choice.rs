//! The choice of method and factor for an activity, with every alternative that was passed over.
//!
//! A choice depends on the question alone, never on the order in which factors were loaded; two
//! factors that rank equal and differ leave the activity unresolved instead of picking one.

mod candidates;
mod period;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{self, ActivityKind, Bucket, Market, Need, Slot, SlotSpec};
use crate::factors::{Boundary, FactorId, Library};
use crate::gwp::GwpSet;
use crate::hash::Digest;
use crate::methods;
use crate::rfc8785;
use crate::time::Day;
use crate::units::{self, Unit, UnitPath};
use crate::words::words;

/// Raised only when digits can change. 2: a row that names an unknown entity or supplier waits for it.
pub const ENGINE: u64 = 2;

words! {
    /// Why an activity is in no total.
    pub enum UnresolvedCode {
        /// No factor, or no method, fits it.
        FactorMissing = "factor_missing",
        /// Several factors fit equally and differ.
        AmbiguousFactor = "ambiguous_factor",
    }
}

words! {
    /// What a reader of the figure should know about a choice.
    pub enum ChoiceFlag {
        /// The period lies before the first edition.
        PeriodFallback = "period_fallback",
        /// The period lies after the last edition.
        StaleFactor = "stale_factor",
        /// The factor is of a wider region.
        RegionFallback = "region_fallback",
        /// Market-based by the grid average, for want of a residual mix.
        NoResidualMix = "no_residual_mix",
        /// A derived slot has no factor.
        DerivedFactorMissing = "derived_factor_missing",
        /// Part of it cannot be stated in another GWP set.
        NativeGwpBasis = "native_gwp_basis",
        /// A gas has no value in a set that is kept.
        GwpMissing = "gwp_missing",
    }
}

words! {
    /// What to do with factors that cannot be stated in another GWP set.
    pub enum Native {
        /// Count them in their own basis and flag them.
        Flag = "flag",
        /// Pass them over.
        Refuse = "refuse",
    }
}

/// What a run decides beyond packs and methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The organization's own GWP set, where it is neither published, ar5 nor ar6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<GwpSet>,
    /// What to do with factors in their publisher's basis only.
    pub native: Native,
    /// Pack ids, the first preferred; packs that are not listed come last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pack_priority: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { extra: None, native: Native::Flag, pack_priority: Vec::new() }
    }
}

impl Policy {
    /// The policy of an organization whose default GWP set is this one.
    #[must_use]
    pub fn for_set(set: GwpSet) -> Self {
        let kept = matches!(set, GwpSet::Published | GwpSet::Ar5 | GwpSet::Ar6);
        Self { extra: (!kept).then_some(set), ..Self::default() }
    }

    /// The set of each CO2e column that lines and cells carry.
    #[must_use]
    pub const fn columns(&self) -> [Option<GwpSet>; crate::cells::CO2E_COLUMNS] {
        [Some(GwpSet::Published), Some(GwpSet::Ar5), Some(GwpSet::Ar6), self.extra]
    }
}

/// What is known of an activity when its method and factors are chosen.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The activity type.
    pub kind: &'a str,
    /// The unit's code, aliases settled.
    pub unit: &'a str,
    /// Its qualifiers; publishers' words are understood.
    pub qualifiers: &'a BTreeMap<String, String>,
    /// Where: the grid or region of the row, else the country of the facility.
    pub region: Option<&'a str>,
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
    /// The scope that the row claims.
    pub scope: Option<u8>,
    /// The category that the row claims.
    pub category: Option<u8>,
}

/// A method or factor that was not taken, and the rule that passed it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// For which slot.
    pub slot: Slot,
    /// The rule: `inputs`, `qualifiers`, `unit`, `region`, `period`, `use`, `native`, `rank`.
    pub rule: String,
    /// The method, when one was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The factor, when a single one was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<FactorId>,
    /// The key of that factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many were passed over alike.
    pub count: u32,
    /// In words.
    pub detail: String,
}

/// The method and factor of one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotChoice {
    /// The slot.
    pub slot: Slot,
    /// The scope it books to; outside of scopes, 0.
    pub scope: u8,
    /// The category of scope 3; of none, 0.
    pub category: u8,
    /// In the scopes, or which memo.
    pub bucket: Bucket,
    /// Location-based, market-based, or neither.
    pub market: Market,
    /// The part of the supply chain that it covers.
    pub boundary: Boundary,
    /// The method.
    pub method: String,
    /// The tier of the method: its place in the slot's list, the best being 1.
    pub tier: u8,
    /// The factor.
    pub factor: FactorId,
    /// From the row's unit to the factor's.
    pub unit_path: UnitPath,
    /// How the edition was found: `majority`.
    pub period_rule: String,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<ChoiceFlag>,
}

/// Why an activity is calculated as it is: one for each distinct choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The version of the engine.
    pub engine: u64,
    /// The activity type.
    pub kind: String,
    /// The unit's code.
    pub unit: String,
    /// The qualifiers, in our words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub qualifiers: BTreeMap<String, String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The run's policy.
    pub policy: Policy,
    /// The slots that count.
    pub slots: Vec<SlotChoice>,
    /// Methods and factors that were passed over.
    pub passed_over: Vec<PassedOver>,
    /// What a reader should know, over all slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<ChoiceFlag>,
}

/// The text is no stored choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no stored choice of method and factor")]
pub struct WhyError;

impl Why {
    /// Its canonical JSON (RFC 8785): what is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        rfc8785::to_string(&value).unwrap_or_default()
    }

    /// The choice that this JSON is.
    ///
    /// # Errors
    /// [`WhyError`].
    pub fn from_json(text: &str) -> Result<Self, WhyError> {
        serde_json::from_str(text).map_err(|_| WhyError)
    }

    /// SHA-256 of its canonical JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    /// The choice of one slot.
    #[must_use]
    pub fn slot(&self, slot: Slot) -> Option<&SlotChoice> {
        self.slots.iter().find(|choice| choice.slot == slot)
    }
}

/// Why an activity cannot be calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Unresolved {
    /// The code.
    pub code: UnresolvedCode,
    /// In words.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// Methods and factors that were passed over.
    pub passed_over: Vec<PassedOver>,
}

impl Unresolved {
    fn missing(detail: String, remedy: &str) -> Self {
        let code = UnresolvedCode::FactorMissing;
        Self { code, detail, remedy: remedy.to_owned(), passed_over: Vec::new() }
    }
}

/// What a choice works with, resolved once per question.
struct Asked<'a> {
    question: &'a Question<'a>,
    kind: &'static ActivityKind,
    unit: Unit,
    qualifiers: BTreeMap<String, String>,
    library: &'a Library,
    policy: &'a Policy,
}

/// Chooses method and factor for every slot of an activity.
///
/// # Errors
/// [`Unresolved`] when a required slot finds no factor, or several that differ.
pub fn choose(
    question: &Question<'_>,
    library: &Library,
    policy: &Policy,
) -> Result<Why, Unresolved> {
    let asked = ask(question, library, policy)?;
    let mut passed_over = Vec::new();
    let (mut slots, mut flags) = (Vec::new(), Vec::new());
    for spec in asked.kind.slots.iter().filter(|spec| applies(spec, &asked)) {
        match choose_slot(spec, &asked, &mut passed_over) {
            Ok(choice) => {
                flags.extend(choice.flags.iter().copied());
                slots.push(choice);
            }
            Err(_) if spec.need == Need::Derived => flags.push(ChoiceFlag::DerivedFactorMissing),
            Err(unresolved) => return Err(Unresolved { passed_over, ..unresolved }),
        }
    }
    flags.sort_unstable();
    flags.dedup();
    Ok(Why {
        engine: ENGINE,
        kind: asked.kind.code.to_owned(),
        unit: asked.unit.code().to_owned(),
        qualifiers: asked.qualifiers,
        region: question.region.map(str::to_owned),
        policy: policy.clone(),
        slots,
        passed_over,
        flags,
    })
}

fn ask<'a>(
    question: &'a Question<'a>,
    library: &'a Library,
    policy: &'a Policy,
) -> Result<Asked<'a>, Unresolved> {
    let Some(kind) = catalogue::find(question.kind) else {
        let detail = format!("{} is no activity type that is known here", question.kind);
        return Err(Unresolved::missing(detail, "send a type of the catalogue"));
    };
    if kind.slots.is_empty() {
        let detail = format!("no method for {} is in this version", kind.code);
        return Err(Unresolved::missing(
            detail,
            "keep the rows: they count once a method is there",
        ));
    }
    let missing =
        |problem: units::UnitError| Unresolved::missing(problem.to_string(), &problem.remedy());
    let unit = units::parse_code(question.unit).map_err(missing)?;
    let qualifiers = kind.own_words(question.qualifiers);
    kind.check_unit(&unit, &qualifiers).map_err(missing)?;
    Ok(Asked { question, kind, unit, qualifiers, library, policy })
}

/// Fossil fuels have no biogenic part, so its absence is nothing to flag.
fn applies(spec: &SlotSpec, asked: &Asked<'_>) -> bool {
    let fuel = asked.qualifiers.get("fuel").and_then(|word| catalogue::find_fuel(word));
    let fossil = fuel.is_none_or(|fuel| fuel.carbon == crate::gwp::Carbon::Fossil);
    spec.slot != Slot::Biogenic || !fossil
}

fn choose_slot(
    spec: &SlotSpec,
    asked: &Asked<'_>,
    passed_over: &mut Vec<PassedOver>,
) -> Result<SlotChoice, Unresolved> {
    for (place, id) in spec.methods.iter().enumerate() {
        let Some(method) = methods::find(id) else { continue };
        if let Some(lacks) = method.lacks {
            passed_over.push(PassedOver {
                slot: spec.slot,
                rule: "inputs".to_owned(),
                method: Some(method.id.to_owned()),
                factor: None,
                key: None,
                count: 1,
                detail: lacks.to_owned(),
            });
            continue;
        }
        let found = candidates::best(spec, asked, passed_over)?;
        let mut flags = found.flags;
        if method.id.starts_with("electricity.grid_fallback@") {
            flags.push(ChoiceFlag::NoResidualMix);
        }
        flags.sort_unstable();
        return Ok(SlotChoice {
            slot: spec.slot,
            scope: spec.scope,
            category: spec.category,
            bucket: spec.bucket,
            market: spec.market,
            boundary: spec.boundary,
            method: method.id.to_owned(),
            tier: u8::try_from(place + 1).unwrap_or(u8::MAX),
            factor: found.factor,
            unit_path: found.unit_path,
            period_rule: found.period_rule,
            flags,
        });
    }
    let detail = format!("no method for the slot {} is complete", spec.slot);
    Err(Unresolved::missing(detail, "send what the methods of this type need"))
}

#[cfg(test)]
mod tests;
