//! Where factors hold: each place of a row's chain, the nearest first, and what counts as wider.

use std::collections::{BTreeMap, BTreeSet};

use super::Asked;
use super::candidates::{Candidate, Notes};
use crate::factors::Factor;
use crate::factors::pack::RegionRule;

/// How many steps up its chain a place meets a factor's region: the place itself, its country, the
/// next place of the chain, at last the world. Never a neighbour.
fn steps(places: &[String], factor: &Factor) -> Option<usize> {
    let region = &factor.region;
    let code = region.code.as_str();
    if region.scheme == "world" {
        return Some(places.len() * 2 + 3);
    }
    places.iter().enumerate().find_map(|(step, place)| {
        let (scheme, bare) = place.split_once(':').unwrap_or((&region.scheme, place));
        if scheme.eq_ignore_ascii_case(&region.scheme) && bare.eq_ignore_ascii_case(code) {
            return Some(step * 2);
        }
        let country = bare.split_once('-').map(|(country, _)| country)?;
        let iso = region.scheme == "iso";
        (iso && country.eq_ignore_ascii_case(code)).then_some(step * 2 + 1)
    })
}

/// Whether a factor holds somewhere on a chain of places.
pub(super) fn is_there(places: &[String], factor: &Factor) -> bool {
    steps(places, factor).is_some()
}

/// Whether a place is a country or a part of one by ISO 3166, and not a grid.
fn is_iso(place: &str) -> bool {
    let (scheme, bare) = place.split_once(':').unwrap_or(("", place));
    let country = bare.split_once('-').map_or(bare, |(country, _)| country);
    let letters = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
    scheme.eq_ignore_ascii_case("iso") || (scheme.is_empty() && letters)
}

/// The schemes of the regions that each series prints factors for, of those that fit otherwise.
struct Schemes<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

impl<'a> Schemes<'a> {
    fn of(candidates: &[Candidate<'a>]) -> Self {
        let mut schemes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for candidate in candidates {
            let scheme = candidate.factor.region.scheme.as_str();
            schemes.entry(candidate.series).or_default().insert(scheme);
        }
        Self(schemes)
    }

    fn any(&self, candidate: &Candidate<'_>, wanted: impl Fn(&str) -> bool) -> bool {
        let schemes = self.0.get(candidate.series);
        schemes.is_some_and(|schemes| schemes.iter().any(|scheme| wanted(scheme)))
    }

    /// Whether its series tells grids apart.
    fn has_grids(&self, candidate: &Candidate<'_>) -> bool {
        self.any(candidate, |scheme| !matches!(scheme, "iso" | "group" | "world"))
    }
}

/// Whether a factor holds for a chain of places at all: an average of a country is not for a grid
/// that has no factor, unless its pack says so.
fn holds(candidate: &Candidate<'_>, at: usize, places: &[String], schemes: &Schemes<'_>) -> bool {
    let average = candidate.factor.region.scheme == "iso";
    let grid = places.iter().take(at / 2).any(|place| !is_iso(place));
    let strict = candidate.rules.region == RegionRule::Own && schemes.has_grids(candidate);
    !(average && grid && strict)
}

/// Whether a factor is of a wider region than the row's. What is printed for the world or for a
/// country alone is no wider than it can be.
fn is_wider(candidate: &Candidate<'_>, asked: &Asked<'_>, schemes: &Schemes<'_>) -> bool {
    let at = candidate.region_steps;
    let skipped = asked.places.get(..at / 2).unwrap_or_default();
    match candidate.factor.region.scheme.as_str() {
        "world" => schemes.any(candidate, |scheme| scheme != "world"),
        "iso" => {
            let unsaid = candidate.rules.region == RegionRule::SubregionThenCountry;
            let power = asked.kind.code.starts_with("electricity.");
            at % 2 == 1
                || skipped.iter().any(|place| is_iso(place))
                || (schemes.has_grids(candidate) && (unsaid || !skipped.is_empty()))
                || (power && !skipped.is_empty())
        }
        _ => at > 0,
    }
}

/// Those of the best source and, of these, of the nearest region that has any, each told whether it is
/// wider than asked.
pub(super) fn nearest<'a>(
    candidates: Vec<Candidate<'a>>,
    asked: &Asked<'_>,
    notes: &mut Notes<'_>,
) -> Vec<Candidate<'a>> {
    let schemes = Schemes::of(&candidates);
    let mut near = Vec::new();
    let mut elsewhere: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for candidate in candidates {
        let at = steps(&asked.places, candidate.factor);
        match at.filter(|at| holds(&candidate, *at, &asked.places, &schemes)) {
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
    // What the organization brought goes before what everybody has, wherever both hold.
    let own = near.iter().any(|candidate| candidate.is_own);
    let (near, everybodys): (Vec<_>, Vec<_>) =
        near.into_iter().partition(|candidate| candidate.is_own == own);
    for candidate in everybodys {
        notes.one("source", candidate.factor, "a factor of your own goes before it".to_owned());
    }
    let least = near.iter().map(|candidate| candidate.region_steps).min();
    let (near, wider): (Vec<_>, Vec<_>) =
        near.into_iter().partition(|candidate| Some(candidate.region_steps) == least);
    for candidate in wider {
        notes.one("region", candidate.factor, "a nearer region has a factor".to_owned());
    }
    let told = |candidate: Candidate<'a>| {
        let wider = is_wider(&candidate, asked, &schemes);
        Candidate { wider, ..candidate }
    };
    near.into_iter().map(told).collect()
}
