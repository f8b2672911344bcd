//! Candidates for a slot: filtered rule by rule, then ranked; each one passed over says why.

use std::collections::BTreeMap;

use super::{Asked, ChoiceFlag, Native, PassedOver, Unresolved, UnresolvedCode, period};
use crate::catalogue::{Bucket, SlotSpec};
use crate::factors::{Factor, FactorId, FactorKind};
use crate::gwp::gwp;
use crate::rational::Rational;
use crate::units::{self, UnitPath};

/// The factor of a slot and how it was found.
pub(super) struct Found {
    pub(super) factor: FactorId,
    pub(super) unit_path: UnitPath,
    pub(super) period_rule: String,
    pub(super) flags: Vec<ChoiceFlag>,
}

/// A factor that passed every rule so far.
struct Candidate<'a> {
    factor: &'a Factor,
    unit_path: UnitPath,
    /// Steps up the region chain; 0 is the region itself.
    region_steps: usize,
}

/// Notes who was passed over for one slot, one entry per rule where many fall alike.
struct Notes<'a> {
    spec: &'a SlotSpec,
    into: &'a mut Vec<PassedOver>,
}

impl Notes<'_> {
    fn many(&mut self, rule: &str, count: usize, detail: &str) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > 0 {
            let (rule, detail) = (rule.to_owned(), detail.to_owned());
            let slot = self.spec.slot;
            let entry =
                PassedOver { slot, rule, method: None, factor: None, key: None, count, detail };
            self.into.push(entry);
        }
    }

    fn one(&mut self, rule: &str, factor: &Factor, detail: String) {
        self.into.push(PassedOver {
            slot: self.spec.slot,
            rule: rule.to_owned(),
            method: None,
            factor: Some(factor.id),
            key: Some(factor.key.clone()),
            count: 1,
            detail,
        });
    }
}

/// The best factor for a slot.
pub(super) fn best(
    spec: &SlotSpec,
    asked: &Asked<'_>,
    passed_over: &mut Vec<PassedOver>,
) -> Result<Found, Unresolved> {
    let mut notes = Notes { spec, into: passed_over };
    let fitting = fitting(spec, asked, &mut notes);
    if fitting.is_empty() {
        return Err(nothing(spec, asked));
    }
    let near = nearest_region(fitting, asked, &mut notes);
    if near.is_empty() {
        return Err(no_region(asked));
    }
    let (dated, flag) = in_period(near, asked, &mut notes)?;
    let winner = rank(dated, asked, &mut notes)?;
    let mut flags: Vec<ChoiceFlag> = flag.into_iter().collect();
    if winner.region_steps > 0 {
        flags.push(ChoiceFlag::RegionFallback);
    }
    flags.extend(basis_flags(winner.factor, asked));
    Ok(Found {
        factor: winner.factor.id,
        unit_path: winner.unit_path,
        period_rule: period::MAJORITY.to_owned(),
        flags,
    })
}

/// Right meaning: boundary, memo, use, qualifiers, unit, basis.
fn fitting<'a>(spec: &SlotSpec, asked: &Asked<'a>, notes: &mut Notes<'_>) -> Vec<Candidate<'a>> {
    let memo = Some(spec.bucket).filter(|bucket| *bucket != Bucket::InScope);
    let meant = |factor: &&Factor| {
        factor.kind == FactorKind::Emission
            && factor.boundary == spec.boundary
            && factor.memo_bucket == memo
    };
    let all: Vec<&Factor> = asked.library.of_kind(asked.kind.code).filter(meant).collect();
    let (all, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|factor| {
        factor.qualifiers.iter().all(|(name, word)| asked.qualifiers.get(name) == Some(word))
    });
    notes.many("qualifiers", others.len(), "factors of other qualifiers");
    let (all, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|factor| factor.permitted_use == "inventory");
    notes.many("use", others.len(), "factors that the publisher does not mean for inventories");
    let mut fitting = Vec::new();
    let mut mismatches: BTreeMap<String, usize> = BTreeMap::new();
    for factor in all {
        if asked.policy.native == Native::Refuse && !factor.rebasable() {
            notes.one("native", factor, "it has no complete gas split to rebase".to_owned());
            continue;
        }
        let path = units::parse_code(&factor.denominator.unit)
            .and_then(|unit| UnitPath::between(&asked.unit, &unit));
        match path {
            Ok(unit_path) => fitting.push(Candidate { factor, unit_path, region_steps: 0 }),
            Err(mismatch) => *mismatches.entry(mismatch.to_string()).or_default() += 1,
        }
    }
    for (detail, count) in mismatches {
        notes.many("unit", count, &detail);
    }
    fitting
}

/// How many steps up its chain a place meets a factor's region: the place itself, its country, the
/// world. Never a neighbour.
fn region_steps(place: Option<&str>, factor: &Factor) -> Option<usize> {
    let code = factor.region.code.as_str();
    if factor.region.scheme == "world" {
        return Some(3);
    }
    let place = place?;
    if place.eq_ignore_ascii_case(code) {
        return Some(0);
    }
    let country = place.split_once('-').map(|(country, _)| country)?;
    let iso = factor.region.scheme == "iso";
    (iso && country.eq_ignore_ascii_case(code)).then_some(1)
}

fn nearest_region<'a>(
    candidates: Vec<Candidate<'a>>,
    asked: &Asked<'_>,
    notes: &mut Notes<'_>,
) -> Vec<Candidate<'a>> {
    let mut near = Vec::new();
    let mut elsewhere: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for candidate in candidates {
        match region_steps(asked.question.region, candidate.factor) {
            Some(region_steps) => near.push(Candidate { region_steps, ..candidate }),
            None => {
                let region = &candidate.factor.region;
                let place = (candidate.factor.pack.as_str(), region.scheme.as_str());
                *elsewhere.entry(place).or_default() += 1;
            }
        }
    }
    for ((pack, scheme), count) in elsewhere {
        notes.many("region", count, &format!("factors of {pack} for other regions ({scheme})"));
    }
    let least = near.iter().map(|candidate| candidate.region_steps).min();
    let (near, wider): (Vec<_>, Vec<_>) =
        near.into_iter().partition(|candidate| Some(candidate.region_steps) == least);
    for candidate in wider {
        notes.one("region", candidate.factor, "a nearer region has a factor".to_owned());
    }
    near
}

fn in_period<'a>(
    candidates: Vec<Candidate<'a>>,
    asked: &Asked<'_>,
    notes: &mut Notes<'_>,
) -> Result<(Vec<Candidate<'a>>, Option<ChoiceFlag>), Unresolved> {
    let validity =
        |factor: &Factor| period::Validity { from: factor.valid_from, to: factor.valid_to };
    let editions: Vec<_> = candidates.iter().map(|candidate| validity(candidate.factor)).collect();
    let (first, last) = (asked.question.first, asked.question.last);
    let Some((edition, flag)) = period::majority(&editions, first, last) else {
        return Err(nothing(notes.spec, asked));
    };
    let (dated, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| validity(candidate.factor) == edition);
    for candidate in others {
        let detail = format!("edition {} has fewer days of the period", candidate.factor.edition);
        notes.one("period", candidate.factor, detail);
    }
    Ok((dated, flag))
}

/// More matching qualifiers, then the organization's pack priority; what is equal so far may not
/// differ in value. Edition date and id only choose among equals.
fn rank<'a>(
    mut candidates: Vec<Candidate<'a>>,
    asked: &Asked<'_>,
    notes: &mut Notes<'_>,
) -> Result<Candidate<'a>, Unresolved> {
    let priority = |factor: &Factor| {
        let list = &asked.policy.pack_priority;
        list.iter().position(|pack| *pack == factor.pack).unwrap_or(list.len())
    };
    let place = |candidate: &Candidate<'_>| {
        (usize::MAX - candidate.factor.qualifiers.len(), priority(candidate.factor))
    };
    candidates.sort_by_key(|candidate| {
        let factor = candidate.factor;
        (place(candidate), core::cmp::Reverse(factor.edition_date), factor.id)
    });
    let mut ranked = candidates.into_iter();
    let Some(winner) = ranked.next() else { return Err(nothing(notes.spec, asked)) };
    for other in ranked {
        if place(&other) == place(&winner) && values(&other) != values(&winner) {
            return Err(ambiguous(winner.factor, other.factor));
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

fn nothing(spec: &SlotSpec, asked: &Asked<'_>) -> Unresolved {
    let fuel = asked.qualifiers.values().cloned().collect::<Vec<_>>().join(", ");
    let of = if fuel.is_empty() { String::new() } else { format!(" of {fuel}") };
    let detail = format!(
        "no factor for {}{of} per {} fills the slot {}",
        asked.kind.code, asked.unit, spec.slot
    );
    Unresolved::missing(detail, "send another unit or qualifier, or activate a pack that has one")
}

fn no_region(asked: &Asked<'_>) -> Unresolved {
    match asked.question.region {
        None => Unresolved::missing(
            "where it happened is unknown, and factors are never borrowed from another country"
                .to_owned(),
            "set the country of the facility",
        ),
        Some(region) => Unresolved::missing(
            format!("no active pack has a factor for {region}"),
            "activate a pack for this country; a neighbour's factor is never borrowed",
        ),
    }
}

fn ambiguous(one: &Factor, other: &Factor) -> Unresolved {
    Unresolved {
        code: UnresolvedCode::AmbiguousFactor,
        detail: format!("{} and {} rank equal and differ", one.key, other.key),
        remedy: "set a pack priority, or deactivate one of the packs".to_owned(),
        passed_over: Vec::new(),
    }
}
