//! Candidates for a slot: filtered rule by rule, then ranked; each one passed over says why.

use std::collections::{BTreeMap, BTreeSet};

use super::period::Edition;
use super::{Asked, ChoiceFlag, Native, PassedOver, Unresolved, UnresolvedCode, period, regions};
use crate::catalogue::{self, Bucket, Slot, find_fuel};
use crate::factors::pack::{FamilyRule, Rules};
use crate::factors::{Boundary, Factor, FactorId, FactorKind, Library};
use crate::gwp::{Carbon, Gas, gwp};
use crate::rational::Rational;
use crate::units::{self, Unit, UnitPath};

/// How many words of a qualifier a remedy lists.
const WORDS_TOLD_MAX: usize = 12;

/// Which factors are looked for.
pub(super) struct Search<'a> {
    pub(super) slot: Slot,
    pub(super) kinds: &'a [FactorKind],
    pub(super) boundary: Boundary,
    pub(super) memo: Option<Bucket>,
    /// The activity types that they may be of, the nearest first.
    pub(super) types: &'a [&'a str],
    /// The unit of what they are multiplied by.
    pub(super) unit: &'a Unit,
    /// Whether they are for the gases that a factor of CO2 alone leaves out.
    pub(super) without_co2: bool,
    /// Whether they are the supplier's own.
    pub(super) of_supplier: bool,
    /// The property that they state, if they state one.
    pub(super) property: Option<&'a str>,
    /// The series and edition of the properties that they are multiplied by.
    pub(super) beside: &'a [(String, Edition)],
}

/// The factor of a slot and how it was found.
pub(super) struct Found {
    pub(super) factor: FactorId,
    pub(super) unit_path: UnitPath,
    pub(super) period_rule: String,
    pub(super) flags: Vec<ChoiceFlag>,
    /// The series and edition that it is of, where its pack keeps families together.
    pub(super) family: Option<(String, Edition)>,
}

/// A factor that passed every rule so far.
pub(super) struct Candidate<'a> {
    pub(super) factor: &'a Factor,
    pub(super) series: &'a str,
    pub(super) rules: Rules,
    /// Whether the organization brought it: what it activated goes before what everybody has.
    pub(super) is_own: bool,
    pub(super) unit_path: UnitPath,
    /// Steps up the region chain; 0 is the region itself.
    pub(super) region_steps: usize,
    /// Whether its region is wider than the row's.
    pub(super) wider: bool,
    /// The place of its activity type among those asked for.
    pub(super) nearness: usize,
    /// The edition that its series takes, once that is known, and by which rule.
    pub(super) edition: Option<Edition>,
    pub(super) period_rule: &'static str,
}

impl<'a> Candidate<'a> {
    fn new(factor: &'a Factor, unit_path: UnitPath, nearness: usize, library: &'a Library) -> Self {
        let (series, rules, is_own) = library.series_of(factor);
        let (region_steps, wider) = (0, false);
        let (edition, period_rule) = (None, "");
        Self {
            factor,
            series,
            rules,
            is_own,
            unit_path,
            region_steps,
            wider,
            nearness,
            edition,
            period_rule,
        }
    }
}

/// Notes who was passed over for one slot, one entry per rule where many fall alike.
pub(super) struct Notes<'a> {
    slot: Slot,
    into: &'a mut Vec<PassedOver>,
}

impl Notes<'_> {
    pub(super) fn many(&mut self, rule: &str, count: usize, detail: &str) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > 0 {
            let (rule, detail) = (rule.to_owned(), detail.to_owned());
            let slot = self.slot;
            let entry =
                PassedOver { slot, rule, method: None, factor: None, key: None, count, detail };
            self.into.push(entry);
        }
    }

    pub(super) fn one(&mut self, rule: &str, factor: &Factor, detail: String) {
        self.into.push(PassedOver {
            slot: self.slot,
            rule: rule.to_owned(),
            method: None,
            factor: Some(factor.id),
            key: Some(factor.key.clone()),
            count: 1,
            detail,
        });
    }
}

/// Whether a factor states CO2 and no other gas, and no total.
pub(super) fn is_co2_alone(factor: &Factor) -> bool {
    let co2 = factor.gases.iter().all(|value| value.gas == Gas::CO2);
    factor.total.is_none() && !factor.gases.is_empty() && co2
}

/// Whether a factor is a part of one: what burns gives off CO2, and one that states its methane or
/// nitrous oxide alone only adds to a factor of CO2 alone. Gases that leak, or that waste gives off,
/// come without any CO2, and a factor of theirs is whole.
fn is_without_co2(factor: &Factor) -> bool {
    factor.boundary == Boundary::Combustion && factor.states_no_co2()
}

/// Whether a factor is a part of one for a row: so is a factor of waste without CO2, where the waste of the row
/// is burnt and did not grow. None is brought in any more; stored packs may have some.
fn is_part(factor: &Factor, asked: &Asked<'_>) -> bool {
    let word = |name: &str| asked.told.get(name).map(String::as_str);
    let burnt = factor.boundary == Boundary::EndOfLife
        && word("treatment") == Some("combustion")
        && !catalogue::grew(word("material"), None);
    is_without_co2(factor) || burnt && factor.states_no_co2()
}

/// Whether a factor for the gases that one of CO2 alone leaves out states one of the two.
pub(super) fn is_one_gas(factor: &Factor) -> bool {
    let states = |gas: Gas| factor.gases.iter().any(|value| value.gas == gas);
    is_without_co2(factor) && !(states(Gas::CH4) && states(Gas::N2O))
}

/// The best factor of a search.
pub(super) fn best(
    search: &Search<'_>,
    asked: &Asked<'_>,
    passed_over: &mut Vec<PassedOver>,
) -> Result<Found, Unresolved> {
    let found = best_of(search, asked, passed_over);
    found.map_err(|unresolved| match own_part(search, asked) {
        Some(part) if unresolved.code == UnresolvedCode::FactorMissing => {
            Unresolved { passed_over: unresolved.passed_over, ..only_a_part(part, asked) }
        }
        _ => unresolved,
    })
}

/// A factor of the organization's own that would be taken if it stated its CO2.
fn own_part<'a>(search: &Search<'_>, asked: &Asked<'a>) -> Option<&'a Factor> {
    if search.without_co2 {
        return None;
    }
    let is_it = |factor: &&Factor| {
        let (_, _, is_own) = asked.library.series_of(factor);
        is_own
            && search.kinds.contains(&factor.kind)
            && factor.boundary == search.boundary
            && is_part(factor, asked)
            && regions::is_there(&asked.places, factor)
            && missing(factor, search, asked).is_empty()
    };
    search.types.iter().flat_map(|kind| asked.library.of_kind(kind)).find(is_it)
}

/// There is a factor, and what it states is only ever added to a CO2 that none states.
fn only_a_part(part: &Factor, asked: &Asked<'_>) -> Unresolved {
    let of = format!("{}{}", asked.kind.code, said(asked));
    let detail = format!("no factor states the CO2 of {of}, which {} adds to", part.key);
    // A pack that is stored is never changed: one with the whole row follows it.
    let unnamed = asked.kind.code.starts_with("fuel.combusted.")
        && part.qualifiers.get("fuel").is_none_or(String::is_empty);
    let also = if unnamed { "gas.CO2 and qualifiers.fuel" } else { "gas.CO2" };
    let remedy = format!(
        "import its pack again with {also} in that row, or import, or activate, a factor that states the CO2"
    );
    Unresolved::missing(detail, &remedy)
}

fn best_of(
    search: &Search<'_>,
    asked: &Asked<'_>,
    passed_over: &mut Vec<PassedOver>,
) -> Result<Found, Unresolved> {
    let mut notes = Notes { slot: search.slot, into: passed_over };
    let Fitting { fitting, others, units } = fitting(search, asked, &mut notes)?;
    let near = regions::nearest(fitting, asked, &mut notes);
    if near.is_empty() {
        return Err(no_region((search, asked), &others, &units));
    }
    let dated = period::in_period(near, (search, asked), &mut notes)?;
    let winner = rank(dated, (search, asked), &mut notes)?;
    let mut flags: Vec<ChoiceFlag> =
        winner.edition.and_then(|edition| edition.flag).into_iter().collect();
    if winner.wider {
        flags.push(ChoiceFlag::RegionFallback);
    }
    if search.property.is_none() {
        flags.extend(basis_flags(winner.factor, asked));
    }
    Ok(Found {
        factor: winner.factor.id,
        unit_path: winner.unit_path,
        period_rule: winner.period_rule.to_owned(),
        flags,
        family: winner
            .edition
            .filter(|_| winner.rules.family == FamilyRule::SameEdition)
            .map(|edition| (winner.series.to_owned(), edition)),
    })
}

/// The qualifiers of a factor that the row does not have, each with the factor's words.
fn missing<'a>(
    factor: &'a Factor,
    search: &Search<'_>,
    asked: &Asked<'_>,
) -> Vec<(&'a str, &'a str)> {
    let fits = |name: &str, words: &str| {
        let said = match name {
            "property" => search.property,
            // A supplier goes by every code that it ever had.
            "supplier" => {
                let codes = asked.told.get(name).into_iter().flat_map(|codes| codes.split('|'));
                return codes.into_iter().any(|code| code == words);
            }
            _ => asked.told.get(name).map(String::as_str),
        };
        words.split('|').any(|word| said == Some(word))
    };
    let pairs = factor.qualifiers.iter().map(|(name, words)| (name.as_str(), words.as_str()));
    pairs.filter(|(name, words)| !fits(name, words)).collect()
}

/// Those of the right meaning, wherever they hold, and what a remedy is told by where none holds.
struct Fitting<'a> {
    fitting: Vec<Candidate<'a>>,
    /// Those that only other qualifiers keep from fitting.
    others: Vec<&'a Factor>,
    /// What those of the row's place are per that only the unit keeps from fitting.
    units: BTreeSet<&'a str>,
}

/// Right meaning: boundary, memo, use, qualifiers, unit, basis.
fn fitting<'a>(
    search: &Search<'_>,
    asked: &Asked<'a>,
    notes: &mut Notes<'_>,
) -> Result<Fitting<'a>, Unresolved> {
    // The CO2 of a fuel of plants is in a memo: without it the factor is whole.
    let fuel = asked.told.get("fuel").and_then(|word| find_fuel(word));
    let biogenic = fuel.is_some_and(|fuel| fuel.carbon == Carbon::Biogenic);
    let memo_has_co2 = biogenic && !search.without_co2;
    let meant = |factor: &&Factor| {
        search.kinds.contains(&factor.kind)
            && factor.boundary == search.boundary
            && factor.memo_bucket == search.memo
            && (is_part(factor, asked) == search.without_co2 || memo_has_co2)
            && factor.qualifiers.contains_key("supplier") == search.of_supplier
            && factor.qualifiers.contains_key("property") == search.property.is_some()
    };
    let of_types = search.types.iter().enumerate().flat_map(|(nearness, kind)| {
        asked.library.of_kind(kind).filter(meant).map(move |factor| (nearness, factor))
    });
    let (all, others): (Vec<_>, Vec<_>) =
        of_types.partition(|(_, factor)| missing(factor, search, asked).is_empty());
    notes.many("qualifiers", others.len(), "factors of other qualifiers");
    let (all, unmeant): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, factor)| factor.permitted_use == "inventory");
    notes.many("use", unmeant.len(), "factors that the publisher does not mean for inventories");
    let mut fitting = Vec::new();
    let mut mismatches: BTreeMap<String, usize> = BTreeMap::new();
    let mut units: BTreeSet<&str> = BTreeSet::new();
    for (nearness, factor) in all {
        if asked.policy.native == Native::Refuse && !factor.rebasable() {
            notes.one("native", factor, "it has no complete gas split to rebase".to_owned());
            continue;
        }
        let path = units::parse_code(&factor.denominator.unit)
            .and_then(|unit| UnitPath::between(search.unit, &unit));
        match path {
            Ok(unit_path) => {
                fitting.push(Candidate::new(factor, unit_path, nearness, asked.library));
            }
            Err(mismatch) => {
                if regions::is_there(&asked.places, factor) {
                    units.insert(&factor.denominator.unit);
                }
                *mismatches.entry(mismatch.to_string()).or_default() += 1;
            }
        }
    }
    for (detail, count) in mismatches {
        notes.many("unit", count, &detail);
    }
    let others: Vec<&Factor> = others.into_iter().map(|(_, factor)| factor).collect();
    if fitting.is_empty() {
        return Err(nothing((search, asked), &others, &units));
    }
    let fitting = period::in_force(fitting, (search, asked), notes)?;
    Ok(Fitting { fitting, others, units })
}

/// The nearer activity type, more matching qualifiers, then the organization's pack priority; what
/// is equal so far may not differ in value. Edition date and id only choose among equals.
fn rank<'a>(
    mut candidates: Vec<Candidate<'a>>,
    (search, asked): (&Search<'_>, &Asked<'_>),
    notes: &mut Notes<'_>,
) -> Result<Candidate<'a>, Unresolved> {
    let priority = |factor: &Factor| {
        let list = &asked.policy.pack_priority;
        list.iter().position(|pack| *pack == factor.pack).unwrap_or(list.len())
    };
    let place = |candidate: &Candidate<'_>| {
        let matching = usize::MAX - candidate.factor.qualifiers.len();
        (candidate.nearness, matching, priority(candidate.factor))
    };
    candidates.sort_by_key(|candidate| {
        let factor = candidate.factor;
        (place(candidate), core::cmp::Reverse(factor.edition_date), factor.id)
    });
    let mut ranked = candidates.into_iter();
    let Some(winner) = ranked.next() else {
        return Err(nothing((search, asked), &[], &BTreeSet::new()));
    };
    for other in ranked {
        if place(&other) == place(&winner) && values(&other) != values(&winner) {
            return Err(ambiguous(&winner, &other));
        }
        notes.one("rank", other.factor, "another factor ranks higher".to_owned());
    }
    Ok(winner)
}

/// What a candidate gives per unit as sent, to tell whether two differ.
fn values(candidate: &Candidate<'_>) -> Vec<(String, Option<Rational>)> {
    let per = candidate.unit_path.rational().unwrap_or(Rational::ONE);
    let value = |text: &str| Rational::parse(text).map(|value| value.times(&per));
    let factor = candidate.factor;
    let total = factor.total.iter().map(|total| ("total".to_owned(), value(&total.value)));
    let gases = factor.gases.iter().map(|gas| (gas.gas.to_string(), value(&gas.value)));
    total.chain(gases).collect()
}

/// What to flag about GWP bases: parts that stay in the publisher's, gases that a set leaves out.
fn basis_flags(factor: &Factor, asked: &Asked<'_>) -> Vec<ChoiceFlag> {
    let mut flags = Vec::new();
    if crate::lines::has_native_part(factor) {
        flags.push(ChoiceFlag::NativeGwpBasis);
    }
    let sets = asked.policy.columns();
    let missing = factor.gases.iter().filter(|value| !value.gas.is_equivalent()).any(|value| {
        let kept = sets.iter().flatten().skip(1);
        kept.into_iter().any(|set| gwp(*set, value.gas, value.carbon, factor.boundary).is_none())
    });
    if missing {
        flags.push(ChoiceFlag::GwpMissing);
    }
    flags
}

/// Nothing fits; `others` are the factors that only other qualifiers keep from fitting, and `units`
/// those that factors of the place are per, where only the unit keeps them.
fn nothing(
    (search, asked): (&Search<'_>, &Asked<'_>),
    others: &[&Factor],
    units: &BTreeSet<&str>,
) -> Unresolved {
    let detail = format!(
        "no factor for {}{} per {} fills the slot {}",
        asked.kind.code,
        said(asked),
        search.unit,
        search.slot
    );
    let there = there(search, asked, others);
    let unit = per_there(units);
    let told = unit.or_else(|| told_apart(search, asked, &there));
    let remedy = told.or_else(|| told_apart(search, asked, others)).unwrap_or_else(|| {
        "send another unit or qualifier, or activate a pack that has one".to_owned()
    });
    Unresolved::missing(detail, &remedy)
}

/// The units that factors of the place are per, where only the unit keeps them from fitting.
fn per_there(units: &BTreeSet<&str>) -> Option<String> {
    let list = units.iter().copied().collect::<Vec<_>>().join(", ");
    (!units.is_empty()).then(|| format!("send it in a unit that factors are per there: {list}"))
}

/// ` of ` what the row says, where it says something.
fn said(asked: &Asked<'_>) -> String {
    let said = asked.qualifiers.values().chain(asked.told.get("item"));
    let said = said.cloned().collect::<Vec<_>>().join(", ");
    if said.is_empty() { said } else { format!(" of {said}") }
}

/// Those that hold where the row is, per a unit that its own is converted to.
fn there<'a>(search: &Search<'_>, asked: &Asked<'_>, others: &[&'a Factor]) -> Vec<&'a Factor> {
    let fits = |factor: &&Factor| {
        regions::is_there(&asked.places, factor)
            && units::parse_code(&factor.denominator.unit)
                .and_then(|unit| UnitPath::between(search.unit, &unit))
                .is_ok()
    };
    others.iter().copied().filter(fits).collect()
}

/// The words of each qualifier by which alone factors miss the row: of the nearest activity type that
/// has any, since what an asphalt plant burns is no remedy for a car.
fn lists_apart<'a>(
    search: &Search<'_>,
    asked: &Asked<'_>,
    others: &[&'a Factor],
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut words: BTreeMap<usize, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for factor in others {
        let nearness = search.types.iter().position(|kind| *kind == factor.activity_type);
        if let [(name, of)] = missing(factor, search, asked).as_slice() {
            let words = words.entry(nearness.unwrap_or(usize::MAX)).or_default();
            words.extend(of.split('|').map(|word| (*name, word)));
        }
    }
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, word) in words.into_values().next().into_iter().flatten() {
        lists.entry(name).or_default().push(word);
    }
    lists
}

/// Keeps the fuels that factors of the row's type and place name beside its vehicle, where any do.
fn only_of_vehicle(fuels: &mut Vec<&str>, asked: &Asked<'_>) {
    let Some(vehicle) = asked.told.get("vehicle_class") else { return };
    let names = |factor: &&Factor| {
        let classes = factor.qualifiers.get("vehicle_class");
        classes.is_some_and(|classes| classes.split('|').any(|class| class == vehicle))
    };
    let of_vehicle = asked.library.of_kind(asked.kind.code).filter(names);
    let of_vehicle = of_vehicle.filter(|factor| regions::is_there(&asked.places, factor));
    let burnt = of_vehicle.filter_map(|factor| factor.qualifiers.get("fuel"));
    let burnt: BTreeSet<&str> = burnt.flat_map(|fuels| fuels.split('|')).collect();
    if fuels.iter().any(|fuel| burnt.contains(fuel)) {
        fuels.retain(|fuel| burnt.contains(fuel));
    }
}

/// The one qualifier by which factors miss the row, or each of several, with the words it may have.
fn told_apart(search: &Search<'_>, asked: &Asked<'_>, others: &[&Factor]) -> Option<String> {
    let mut lists = lists_apart(search, asked, others);
    if let Some(fuels) = lists.get_mut("fuel") {
        only_of_vehicle(fuels, asked);
    }
    // What is unsaid first, then what has the fewest words to choose from.
    let said = |name: &str| asked.told.contains_key(name);
    let least = lists.iter().map(|(name, list)| (said(name), list.len())).min()?;
    let verb = if least.0 { "there are factors for" } else { "say" };
    // Two ways that are equally near are both told: a haul that is printed with, or one without.
    let near = lists.into_iter().filter(|(name, list)| (said(name), list.len()) == least);
    let told = near.map(|(name, mut list)| {
        // Words that begin as the row's does are likelier meant than others: diesel, diesel_mineral.
        let meant = asked.told.get(name);
        list.sort_by_key(|word| !meant.is_some_and(|meant| word.starts_with(meant.as_str())));
        let more = if list.len() > WORDS_TOLD_MAX { ", …" } else { "" };
        let list = list.into_iter().take(WORDS_TOLD_MAX).collect::<Vec<_>>().join(", ");
        format!("{name} = {list}{more}")
    });
    Some(format!("{verb} {}", told.collect::<Vec<_>>().join(", or ")))
}

/// Factors fit, and none where the row is; `others` miss a qualifier, `units` are those that factors
/// of the place are per.
fn no_region(
    (search, asked): (&Search<'_>, &Asked<'_>),
    others: &[&Factor],
    units: &BTreeSet<&str>,
) -> Unresolved {
    let Some(region) = asked.places.first() else {
        return Unresolved::missing(
            "where it happened is unknown, and factors are never borrowed from another country"
                .to_owned(),
            "set the country of the facility",
        );
    };
    let of = format!("no factor for {}{}", asked.kind.code, said(asked));
    if let Some(remedy) = per_there(units) {
        let detail = format!("{of} per {} holds in {region}", search.unit);
        return Unresolved::missing(detail, &remedy);
    }
    let there = there(search, asked, others);
    match told_apart(search, asked, &there) {
        Some(remedy) => Unresolved::missing(format!("{of} holds in {region}"), &remedy),
        None => Unresolved::missing(
            format!("no active pack has a factor for {region}"),
            "activate a pack for this country, or bring in a factor of your own (`envora factors import`); \
             a neighbour's is never borrowed",
        ),
    }
}

fn ambiguous(one: &Candidate<'_>, other: &Candidate<'_>) -> Unresolved {
    let remedy = if one.is_own && other.is_own {
        "give one of them an item, qualifier or region that tells them apart, or leave one out of \
         its pack"
    } else {
        "say in the row what only one of them has: an item, a qualifier, a region"
    };
    Unresolved {
        code: UnresolvedCode::AmbiguousFactor,
        detail: format!("{} and {} rank equal and differ", one.factor.key, other.factor.key),
        remedy: remedy.to_owned(),
        passed_over: Vec::new(),
    }
}
