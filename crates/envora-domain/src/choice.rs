//! The choice of method and factor for an activity, with every alternative that was passed over.
//!
//! A choice depends on the question alone, never on the order in which factors were loaded; two
//! factors that rank equal and differ leave the activity unresolved instead of picking one.

mod amounts;
mod candidates;
mod period;
mod regions;
mod slots;
mod waits;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{self, ActivityKind, Book, Bucket, Market, Need, Slot};
use crate::factors::{Boundary, FactorId, Library};
use crate::gwp::GwpSet;
use crate::hash::Digest;
use crate::rfc8785;
use crate::time::Day;
use crate::units::{self, Unit, UnitPath};
use crate::words::words;
pub use amounts::{Operand, Term};
use period::Edition;

/// Raised only when digits can change. 2: a row that names an unknown entity or supplier waits for it.
/// 3: packs say how editions and regions are found and what keeps together: an activity does not mix
/// editions where its pack says so, and a country does not stand in for its grids unless it does.
/// 4: a factor of methane or nitrous oxide alone is whole unless it is of something that burns.
pub const ENGINE: u64 = 4;

words! {
    /// Why an activity is in no total.
    pub enum UnresolvedCode {
        /// No factor, or no method, fits it.
        FactorMissing = "factor_missing",
        /// Several factors fit equally and differ.
        AmbiguousFactor = "ambiguous_factor",
        /// Money of a currency or year that no rate of exchange leads to a factor from.
        FxMissing = "fx_missing",
        /// Money at prices of a year that no index leads from to a factor's.
        PriceYearMismatch = "price_year_mismatch",
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
        /// A method of last resort.
        LowTier = "low_tier",
        /// A supplier's own figure, which nobody has checked here.
        Unverified = "unverified",
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
    /// Where, the nearest first, a slash between: the grid or region of the row, else those of the
    /// facility and its country.
    pub region: Option<&'a str>,
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
    /// The scope that the row claims.
    pub scope: Option<u8>,
    /// The category that the row claims.
    pub category: Option<u8>,
    /// What else the row brings.
    pub brings: Brings<'a>,
}

/// What a row brings besides its quantity and qualifiers: which inputs, not how much of them.
#[derive(Clone, Debug, Default)]
pub struct Brings<'a> {
    /// Named inputs and their unit texts.
    pub inputs: BTreeMap<&'a str, &'a str>,
    /// The supplier's code.
    pub supplier: Option<&'a str>,
    /// What was bought.
    pub item: Option<&'a str>,
    /// In whose list the item is; in none, our own words of materials.
    pub item_scheme: Option<&'a str>,
    /// Whether it names certificates or contracts.
    pub instruments: bool,
    /// The year of its prices, where it is money: as stated, else that of its first day.
    pub price_year: Option<i32>,
}

/// A method or factor that was not taken, and the rule that passed it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// For which slot.
    pub slot: Slot,
    /// The rule: `inputs`, `qualifiers`, `unit`, `region`, `period`, `family`, `use`, `native`,
    /// `rank`, `factor`, `nothing`.
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
    /// What is multiplied by the factor, where it is not the quantity alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amount: Vec<Term>,
    /// From the unit of the row, or of its amount, to the factor's.
    pub unit_path: UnitPath,
    /// How the edition was found: `majority`, `latest`, or `same_edition` where that decided.
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

impl SlotChoice {
    /// The properties in the amount, each with what it is: the loss rate of a grid, a heat content.
    pub fn properties(&self) -> impl Iterator<Item = (&str, FactorId)> {
        let operands = self.amount.iter().flat_map(|term| &term.of);
        operands.filter_map(|operand| Some((operand.name.as_str(), operand.factor?)))
    }

    /// Whether a record is its factor, or a property in its amount.
    #[must_use]
    pub fn uses(&self, factor: FactorId) -> bool {
        self.factor == factor || self.properties().any(|(_, property)| property == factor)
    }
}

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
    /// The qualifiers with the words that stand in for those unsaid, with item and supplier.
    told: BTreeMap<String, String>,
    /// Where, the nearest first.
    places: Vec<String>,
    book: Book,
    library: &'a Library,
    policy: &'a Policy,
    /// The editions that slots have taken so far, by series, of packs that keep families together.
    family: BTreeMap<String, Edition>,
}

impl Asked<'_> {
    /// Whether the row itself says this qualifier.
    fn says(&self, name: &str) -> bool {
        self.qualifiers.contains_key(name)
    }
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
    let mut asked = ask(question, library, policy)?;
    let mut passed_over = Vec::new();
    let (mut slots, mut flags) = (Vec::new(), Vec::new());
    let mut either: (bool, Option<Unresolved>) = (false, None);
    for spec in asked.kind.slots {
        if !slots::applies(spec, &asked, &slots) {
            continue;
        }
        match (slots::choose_slot(spec, &asked, &mut passed_over), spec.need) {
            (Ok(filled), need) => {
                either.0 |= need == Need::Either;
                let Some((choice, family)) = filled else { continue };
                flags.extend(choice.flags.iter().copied());
                slots.push(choice);
                if let Some((series, edition)) = family {
                    asked.family.entry(series).or_insert(edition);
                }
            }
            (Err(_), Need::Derived) => flags.push(ChoiceFlag::DerivedFactorMissing),
            (Err(unresolved), Need::Either) => either.1 = either.1.or(Some(unresolved)),
            (Err(unresolved), Need::Required) => {
                return Err(Unresolved { passed_over, ..unresolved });
            }
        }
    }
    if let (false, Some(unresolved)) = either {
        return Err(Unresolved { passed_over, ..unresolved });
    }
    flags.sort_unstable();
    flags.dedup();
    Ok(Why {
        engine: ENGINE,
        kind: asked.kind.code.to_owned(),
        unit: asked.unit.code().to_owned(),
        qualifiers: asked.qualifiers,
        region: (!asked.places.is_empty()).then(|| asked.places.join("/")),
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
        return Err(waits::unresolved(kind, question, library));
    }
    if let Some(unsaid) = waits::unsaid(kind, question.qualifiers) {
        return Err(unsaid);
    }
    let missing =
        |problem: units::UnitError| Unresolved::missing(problem.to_string(), &problem.remedy());
    let unit = units::parse_code(question.unit).map_err(missing)?;
    let qualifiers = kind.own_words(question.qualifiers);
    kind.check_unit(&unit, &qualifiers).map_err(missing)?;
    let told = slots::told(kind, &qualifiers, &question.brings);
    // A hotel's country is where it stands, wherever the traveller's facility is.
    let country = qualifiers.get("country").map(String::as_str);
    let places = country.or(question.region).into_iter().flat_map(|chain| chain.split('/'));
    let places = places.filter(|place| !place.is_empty()).map(str::to_owned).collect();
    let book = kind.booked((question.scope, question.category), &qualifiers);
    let family = BTreeMap::new();
    Ok(Asked { question, kind, unit, qualifiers, told, places, book, library, policy, family })
}

#[cfg(test)]
mod tests;
