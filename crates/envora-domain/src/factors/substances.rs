//! Factors that are no publisher's measurement: a kilogram of a gas is a kilogram of it, a carbonate
//! gives off what its formula says.
//!
//! They hold everywhere and always, come with the binary, and stand behind every published factor:
//! a nearer region wins.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::pack::{FamilyRule, PeriodRule, RegionRule, Rules};
use super::record::{
    Body, Boundary, Denominator, Factor, FactorId, FactorKind, GasValue, Provenance, Region, Repr,
    Rights, Total,
};
use crate::catalogue::{Bucket, gas_of, words_of};
use crate::gwp::{Carbon, Gas, GasGroup, GwpSet, species_line};
use crate::rational::Rational;
use crate::time::Day;

/// The pack id of all of them.
pub const ID: &str = "substances";

/// How they are chosen: one edition, everywhere.
pub(super) const RULES: Rules =
    Rules { period: PeriodRule::Majority, region: RegionRule::Own, family: FamilyRule::EachOwn };

/// A carbonate: our word, its formula, the molar masses of the CO2 that it gives off and of itself,
/// and tonnes of CO2 per tonne as cited from the IPCC (2006 Guidelines, volume 3, table 2.1).
struct Carbonate {
    word: &'static str,
    formula: &'static str,
    masses: [&'static str; 2],
    ratio: &'static str,
}

const fn carbonate(
    word: &'static str,
    formula: &'static str,
    masses: [&'static str; 2],
    ratio: &'static str,
) -> Carbonate {
    Carbonate { word, formula, masses, ratio }
}

/// The table was cited, not read in print. Five of its ratios follow from the molar masses (standard
/// atomic weights, abridged: C 12.011, O 15.999, Ca 40.078, Mg 24.305, Fe 55.845, Mn 54.938,
/// Na 22.990) to 0.00001; that of soda ash is 0.00031 below them, and says so.
const CARBONATES: &[Carbonate] = &[
    carbonate("limestone", "CaCO3", ["44.009", "100.086"], "0.43971"),
    carbonate("magnesite", "MgCO3", ["44.009", "84.313"], "0.52197"),
    carbonate("dolomite", "CaMg(CO3)2", ["88.018", "184.399"], "0.47732"),
    carbonate("siderite", "FeCO3", ["44.009", "115.853"], "0.37987"),
    carbonate("rhodochrosite", "MnCO3", ["44.009", "114.946"], "0.38286"),
    carbonate("soda_ash", "Na2CO3", ["44.009", "105.988"], "0.41492"),
];

impl Carbonate {
    /// Whether the ratio is that of the molar masses, within one unit of its last digit.
    fn follows_from_masses(&self) -> bool {
        let number = |text: &str| Rational::parse(text).unwrap_or(Rational::ZERO);
        let [part, whole] = self.masses.map(number);
        let Some(derived) = part.over(&whole) else { return false };
        let apart = derived.minus(&number(self.ratio));
        let apart = if apart.is_negative() { apart.negated() } else { apart };
        !number("0.00001").minus(&apart).is_negative()
    }
}

struct Shelf {
    by_kind: BTreeMap<String, Vec<Factor>>,
    by_id: HashMap<FactorId, (String, usize)>,
}

fn shelf() -> &'static Shelf {
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    SHELF.get_or_init(|| {
        let mut shelf = Shelf { by_kind: BTreeMap::new(), by_id: HashMap::new() };
        for body in bodies() {
            let Ok(factor) = Factor::new(body, ID) else { continue };
            let kind = factor.activity_type.clone();
            let factors = shelf.by_kind.entry(kind.clone()).or_default();
            shelf.by_id.insert(factor.id, (kind, factors.len()));
            factors.push(factor);
        }
        shelf
    })
}

/// Those for activities of this type.
#[must_use]
pub fn of_kind(kind: &str) -> &'static [Factor] {
    shelf().by_kind.get(kind).map_or(&[], Vec::as_slice)
}

/// The one of this id.
#[must_use]
pub fn get(id: &FactorId) -> Option<&'static Factor> {
    let (kind, place) = shelf().by_id.get(id)?;
    of_kind(kind).get(*place)
}

fn bodies() -> Vec<Body> {
    let mut bodies: Vec<Body> = words_of("gas").filter_map(gas_body).collect();
    bodies.extend(CARBONATES.iter().map(carbonate_body));
    bodies.push(carbon_body());
    bodies.push(direct_body("removal.made", "Carbon dioxide taken out of the air"));
    bodies.push(direct_body("credit.cancelled", "Carbon dioxide equivalent of a credit"));
    bodies
}

fn gas_body(word: &str) -> Option<Body> {
    let gas = gas_of(word)?;
    let memo = (gas.group() != GasGroup::Kyoto).then_some(Bucket::NonKyoto);
    let mut body = blank(&format!("substances/gas/{word}/kg"), "gas.emitted", Boundary::Fugitive);
    body.qualifiers.insert("gas".to_owned(), word.to_owned());
    body.memo_bucket = memo;
    body.gases = vec![mass(gas, Carbon::Unknown, "1")];
    body.provenance.file = "ipcc-gwp.tsv".to_owned();
    body.provenance.lines = species_line(gas).into_iter().collect();
    body.provenance.words = vec![gas.to_string()];
    Some(body)
}

fn carbonate_body(carbonate: &Carbonate) -> Body {
    let Carbonate { word, formula, masses: [part, whole], ratio } = carbonate;
    let key = format!("substances/carbonate/{word}/kg");
    let mut body = blank(&key, "process.carbonate", Boundary::Process);
    body.qualifiers.insert("material".to_owned(), (*word).to_owned());
    body.gases = vec![mass(Gas::CO2, Carbon::Fossil, ratio)];
    body.provenance.file = "2006 Guidelines, volume 3, table 2.1".to_owned();
    let derived = format!("CO2 of {formula}: {part} / {whole} by molar masses");
    body.provenance.words = vec!["Carbonate".to_owned(), (*word).to_owned(), derived];
    body.provenance.flags = vec!["cited".to_owned()];
    if carbonate.follows_from_masses() {
        body.provenance.checks = vec!["molar_masses".to_owned()];
    } else {
        body.provenance.flags.push("differs_from_molar_masses".to_owned());
    }
    body
}

/// CO2 of carbon that a method has counted by formula.
fn carbon_body() -> Body {
    let mut body = blank("substances/co2/fossil/kg", "process.co2", Boundary::Process);
    body.gases = vec![mass(Gas::CO2, Carbon::Fossil, "1")];
    body.provenance.words = vec!["Carbon dioxide".to_owned()];
    body
}

/// A mass of CO2 equivalent that is sent as such; whose basis it is in is the sender's to know.
fn direct_body(kind: &str, words: &str) -> Body {
    let mut body = blank(&format!("substances/{kind}/kg"), kind, Boundary::Process);
    let (value, unit) = ("1".to_owned(), "kg".to_owned());
    body.total = Some(Total { value, basis: GwpSet::Published, unit, line: None });
    body.provenance.words = vec![words.to_owned()];
    body
}

fn mass(gas: Gas, carbon: Carbon, value: &str) -> GasValue {
    GasValue {
        gas,
        carbon,
        repr: Repr::Mass,
        gwp_basis: None,
        value: value.to_owned(),
        unit: "kg".to_owned(),
        line: None,
    }
}

fn blank(key: &str, kind: &str, boundary: Boundary) -> Body {
    let year = |year: i16| Day::from_ymd(year, 1, 1).unwrap_or(Day::from_number(0));
    Body {
        key: key.to_owned(),
        publisher: "IPCC".to_owned(),
        dataset: "Potentials and stoichiometric ratios".to_owned(),
        edition: "1".to_owned(),
        edition_date: None,
        data_year: None,
        valid_from: year(1900),
        valid_to: year(2200),
        supersedes: None,
        change_cause: "new".to_owned(),
        region: Region { scheme: "world".to_owned(), code: String::new() },
        market: None,
        kind: FactorKind::Emission,
        activity_type: kind.to_owned(),
        qualifiers: BTreeMap::new(),
        memo_bucket: None,
        permitted_use: "inventory".to_owned(),
        boundary,
        gases: Vec::new(),
        total: None,
        basis: GwpSet::Ar5,
        denominator: Denominator {
            unit: "kg".to_owned(),
            as_printed: "kg".to_owned(),
            ..Denominator::default()
        },
        quality: BTreeMap::new(),
        uncertainty: BTreeMap::new(),
        primary_share: None,
        rights: Rights {
            licence: "CC0-1.0".to_owned(),
            redistribute: "yes".to_owned(),
            attribution: "IPCC".to_owned(),
        },
        provenance: Provenance::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gas_weighs_what_it_weighs() {
        let gases = of_kind("gas.emitted");
        assert_eq!(gases.len(), Gas::all().count());
        for factor in gases {
            assert_eq!(get(&factor.id).map(|found| &found.key), Some(&factor.key));
            assert!(factor.rebasable());
        }
        let memo = |word: &str| {
            let of = gases.iter().find(|f| f.qualifiers.get("gas").is_some_and(|gas| gas == word));
            of.and_then(|factor| factor.memo_bucket)
        };
        assert_eq!((memo("hfc134a"), memo("hcfc22")), (None, Some(Bucket::NonKyoto)));
    }

    #[test]
    fn carbonates_are_those_of_the_catalogue() {
        let words: Vec<&str> = words_of("carbonate").collect();
        assert_eq!(words, CARBONATES.iter().map(|known| known.word).collect::<Vec<_>>());
    }

    #[test]
    fn carbonates_give_off_what_their_formulas_say_but_for_one_that_says_so() {
        let records = of_kind("process.carbonate");
        let differ = records.iter().filter(|factor| factor.provenance.checks.is_empty());
        let differ: Vec<&str> = differ.map(|factor| factor.key.as_str()).collect();
        assert_eq!(differ, ["substances/carbonate/soda_ash/kg"]);
        for factor in records {
            assert!(factor.provenance.flags.contains(&"cited".to_owned()), "{}", factor.key);
            let derived = factor.provenance.words.last().expect("words");
            assert!(derived.contains(" by molar masses"), "{derived}");
        }
    }
}
