//! What the period, region and family rules of packs change in a choice.

use super::*;
use crate::factors::FactorKind;
use crate::factors::pack::{FamilyRule, PeriodRule, RegionRule, Rules};
use crate::gwp::Gas;

/// Packs that come with Envora, their rules and factors changed.
fn changed(
    ids: &[&str],
    rules: impl Fn(&str, Rules) -> Rules,
    keep: impl Fn(&Factor) -> bool,
) -> Library {
    let starter = Library::starter().expect("the compiled-in packs");
    let pack = |id: &&str| {
        let pack = starter.pack(id).expect("a pack");
        let recipe = Recipe { rules: rules(id, pack.recipe.rules), ..pack.recipe.clone() };
        let factors = pack.factors().filter(|factor| keep(factor)).cloned();
        Pack::of(recipe, factors.collect())
    };
    Library::new(ids.iter().map(pack).collect())
}

const UK: &[&str] = &["desnz-2021", "desnz-2022", "desnz-2023"];
const US: &[&str] = &["epa-hub-2024", "epa-hub-2025"];

fn of(case: &Case<'_>, library: &Library) -> Result<Why, Unresolved> {
    chosen(case, library, &Policy::default())
}

/// The edition and region of a slot's factor, and the rule that found the edition.
fn found(why: &Why, slot: Slot, library: &Library) -> Option<(String, String, String)> {
    let choice = why.slot(slot)?;
    let factor = library.get(&choice.factor)?;
    let region = format!("{}:{}", factor.region.scheme, factor.region.code);
    Some((factor.edition.clone(), region, choice.period_rule.clone()))
}

#[track_caller]
fn check_edition(library: &Library, want: (&str, &str)) {
    let why = of(&GAS, library).expect("a choice");
    for slot in [Slot::S1, Slot::C3Wtt] {
        let (edition, _, rule) = found(&why, slot, library).expect("a slot");
        assert_eq!((edition.as_str(), rule.as_str()), want, "{slot}");
    }
}

#[test]
fn the_period_rule_of_the_newest_edition_is_that_of_its_series() {
    let rule = |of: &'static str| {
        move |id: &str, rules: Rules| {
            let period = if id == of { PeriodRule::Latest } else { PeriodRule::Majority };
            Rules { period, ..rules }
        }
    };
    check_edition(&changed(UK, rule("none"), |_| true), ("2022", "majority"));
    check_edition(&changed(UK, rule("desnz-2023"), |_| true), ("2023", "latest"));
    check_edition(&changed(UK, rule("desnz-2021"), |_| true), ("2022", "majority"));
}

#[test]
fn another_series_does_not_take_part() {
    // The hub of 2025 covers no day of the period and another country.
    let latest = |_: &str, rules: Rules| Rules { period: PeriodRule::Latest, ..rules };
    let library = changed(&["desnz-2022", "epa-hub-2025"], latest, |_| true);
    check_edition(&library, ("2022", "latest"));
}

const POWER_US: Case<'static> =
    Case { region: Some("US"), days: ["2025-06-01", "2025-06-30"], ..POWER };

#[track_caller]
fn check_region(place: &str, rule: RegionRule, want: Option<(&str, bool)>) {
    let library = changed(US, |_, rules| Rules { region: rule, ..rules }, |_| true);
    let why = of(&Case { region: Some(place), ..POWER_US }, &library);
    let got = why.ok().map(|why| {
        let choice = why.slot(Slot::S2Lb).expect("a slot");
        let (_, region, _) = found(&why, Slot::S2Lb, &library).expect("a factor");
        (region, choice.flags.contains(&ChoiceFlag::RegionFallback))
    });
    let want = want.map(|(region, flagged)| (region.to_owned(), flagged));
    assert_eq!(got, want, "{place} {rule}");
}

#[test]
fn the_region_rule_decides_whether_a_country_stands_in_for_its_grids() {
    use RegionRule::{Own, SubregionThenCountry};
    check_region("CAMX/US", SubregionThenCountry, Some(("egrid:CAMX", false)));
    check_region("egrid:CAMX/US", SubregionThenCountry, Some(("egrid:CAMX", false)));
    check_region("US", SubregionThenCountry, Some(("iso:US", true)));
    check_region("US-CA", SubregionThenCountry, Some(("iso:US", true)));
    check_region("XXXX/US", SubregionThenCountry, Some(("iso:US", true)));
    check_region("CAMX/US", Own, Some(("egrid:CAMX", false)));
    check_region("US", Own, Some(("iso:US", false)));
    check_region("XXXX/US", Own, None);
    check_region("XXXX/GB", SubregionThenCountry, None);
}

#[test]
fn what_is_printed_for_one_region_alone_is_not_wider() {
    let fuel = Case { region: Some("CAMX/US"), days: POWER_US.days, unit: "[ston_av]", ..GAS };
    let fuel = Case { fuel: "bituminous_coal", ..fuel };
    let flags = |why: Result<Why, Unresolved>| why.map(|why| why.flags).unwrap_or_default();
    let (near, at_state) = (starter(&fuel), starter(&Case { region: Some("US-CA"), ..fuel }));
    assert!(near.is_ok(), "{near:?}");
    assert!(!flags(near).contains(&ChoiceFlag::RegionFallback), "no grid has coal of its own");
    assert!(flags(at_state).contains(&ChoiceFlag::RegionFallback));
    let grid = Case { region: Some("10YGB----------A/GB"), ..POWER };
    assert!(flags(starter(&grid)).contains(&ChoiceFlag::RegionFallback), "a grid that was named");
    let library = Library::starter().expect("the compiled-in packs");
    let world = library.factors().filter(|factor| factor.region.scheme == "world");
    let kinds = world.map(|factor| {
        let words = factor.qualifiers.iter();
        let first = |words: &str| words.split('|').next().unwrap_or_default().to_owned();
        let qualifiers = words.map(|(name, words)| (name.clone(), first(words))).collect();
        let question = Question {
            kind: &factor.activity_type,
            unit: &factor.denominator.unit,
            qualifiers: &qualifiers,
            region: Some("FR"),
            first: factor.valid_from,
            last: factor.valid_from,
            scope: None,
            category: None,
            brings: Brings::default(),
        };
        if let Ok(why) = choose(&question, &library, &Policy::default()) {
            assert!(!why.flags.contains(&ChoiceFlag::RegionFallback), "{}", factor.key);
        }
        factor.activity_type.as_str()
    });
    assert!(kinds.collect::<std::collections::BTreeSet<_>>().len() > 2);
    let gas = other("gas.emitted", "kg", &[("gas", "sf6")], &[]).expect("a choice");
    assert!(!gas.flags.contains(&ChoiceFlag::RegionFallback));
}

#[test]
fn the_family_rule_keeps_an_activity_in_one_edition() {
    // The hub prints grid losses from 2025 on; electricity of 2024 does not borrow them.
    let case = Case { region: Some("CAMX/US"), days: ["2024-06-01", "2024-06-30"], ..POWER };
    let by = |family| changed(US, move |_, rules| Rules { family, ..rules }, |_| true);
    let (together, apart) = (by(FamilyRule::SameEdition), by(FamilyRule::EachOwn));
    let why = of(&case, &together).expect("a choice");
    assert!(why.slot(Slot::C3Tnd).is_none());
    assert!(why.flags.contains(&ChoiceFlag::DerivedFactorMissing));
    let why = of(&case, &apart).expect("a choice");
    let loss = why.slot(Slot::C3Tnd).expect("losses").amount.iter().flat_map(|term| &term.of);
    let loss = loss.filter_map(|operand| apart.get(&operand.factor?)).next().expect("a record");
    assert_eq!(loss.edition, "2025");
}

#[test]
fn upstream_is_of_the_edition_that_the_fuel_is_of() {
    // Without the upstream rows of 2022, those of 2021 or 2023 are another edition's.
    let kept = |factor: &Factor| factor.boundary != Boundary::Upstream || factor.edition != "2022";
    let by = |family| changed(UK, move |_, rules| Rules { family, ..rules }, kept);
    let (together, apart) = (by(FamilyRule::SameEdition), by(FamilyRule::EachOwn));
    let why = of(&GAS, &together).expect("a choice");
    assert!(why.slot(Slot::C3Wtt).is_none());
    let passed = |why: &Why, rule: &str| why.passed_over.iter().any(|over| over.rule == rule);
    assert!(passed(&why, "family"));
    let why = of(&GAS, &apart).expect("a choice");
    let (edition, _, rule) = found(&why, Slot::C3Wtt, &apart).expect("a slot");
    assert_eq!((edition.as_str(), rule.as_str()), ("2023", "majority"));
    assert!(why.flags.contains(&ChoiceFlag::PeriodFallback) && !passed(&why, "family"));
    // The first edition that has fuel decides: upstream of more editions follows it.
    let kept = |factor: &Factor| factor.boundary == Boundary::Upstream || factor.edition == "2021";
    let library = changed(UK, |_, rules| rules, kept);
    let why = of(&GAS, &library).expect("a choice");
    let (edition, _, rule) = found(&why, Slot::C3Wtt, &library).expect("a slot");
    assert_eq!((edition.as_str(), rule.as_str()), ("2021", "same_edition"));
    assert!(why.slot(Slot::C3Wtt).is_some_and(|c| c.flags.contains(&ChoiceFlag::StaleFactor)));
}

#[test]
fn a_heat_content_is_of_the_edition_of_its_factor() {
    // Heat contents of 2025 alone, factors per heat of 2024 alone.
    let kept = |factor: &Factor| {
        let heat = factor.kind == FactorKind::Property;
        let per_heat = factor.denominator.unit.contains("Btu");
        if heat { factor.edition == "2025" } else { factor.edition == "2024" && per_heat }
    };
    let case = Case { region: Some("US"), days: ["2024-06-01", "2024-06-30"], ..GAS };
    let case = Case { unit: "[ston_av]", fuel: "bituminous_coal", ..case };
    let by = |family| changed(US, move |_, rules| Rules { family, ..rules }, kept);
    let refused = of(&case, &by(FamilyRule::SameEdition)).expect_err("two editions");
    assert!(refused.passed_over.iter().any(|over| over.rule == "family"), "{refused:?}");
    let why = of(&case, &by(FamilyRule::EachOwn)).expect("a choice");
    assert_eq!(why.slots.first().map(|choice| choice.method.as_str()), Some("stationary.heat@1"));
    let library = by(FamilyRule::EachOwn);
    let heat = why.slots[0].properties().map(|(name, id)| (name, library.get(&id)));
    let heat: Vec<_> = heat.map(|(name, record)| (name, record.map(|found| found.kind))).collect();
    assert_eq!(heat, [("heat content", Some(FactorKind::Property))]);
    let (_, id) = why.slots[0].properties().next().expect("a heat content");
    assert!(why.slots[0].uses(id) && why.slots[0].uses(why.slots[0].factor));
    assert!(!why.slots[1..].iter().any(|choice| choice.uses(id)));
}

#[test]
fn methane_and_nitrous_oxide_that_leak_are_whole_factors() {
    let library = Library::starter().expect("the compiled-in packs");
    for region in ["GB", "US", "DE"] {
        for word in ["ch4", "n2o", "Methane", "N2O"] {
            let qualifiers = [("gas".to_owned(), word.to_owned())].into();
            let day = Day::parse("2024-03-01").expect("a day");
            let question = Question {
                kind: "gas.emitted",
                unit: "kg",
                qualifiers: &qualifiers,
                region: Some(region),
                first: day,
                last: day,
                scope: None,
                category: None,
                brings: Brings::default(),
            };
            let why = choose(&question, &library, &Policy::default());
            let why = why.unwrap_or_else(|unresolved| panic!("{region} {word}: {unresolved:?}"));
            let factor = library.get(&why.slots[0].factor).expect("the factor");
            let shelf =
                factor.key.starts_with(if region == "GB" { "desnz/" } else { "substances/" });
            assert!(shelf && why.slots.len() == 1, "{region} {word}: {}", factor.key);
        }
    }
}

#[test]
fn what_burns_is_never_told_by_its_methane_alone() {
    // The hub without its tables of CO2 by fuel: what is left per gallon is methane and nitrous oxide.
    let without_co2 = |factor: &Factor| factor.gases.iter().all(|value| value.gas != Gas::CO2);
    let library = changed(US, |_, rules| rules, without_co2);
    let words = [("fuel", "diesel_mineral"), ("vehicle_class", "locomotive")];
    let qualifiers = words.map(|(name, word)| (name.to_owned(), word.to_owned())).into();
    let question = |unit: &'static str| Question {
        kind: "fuel.combusted.mobile",
        unit,
        qualifiers: &qualifiers,
        region: Some("US"),
        first: Day::parse("2025-03-01").expect("a day"),
        last: Day::parse("2025-03-01").expect("a day"),
        scope: None,
        category: None,
        brings: Brings::default(),
    };
    let asked = question("[gal_us]");
    let unresolved = choose(&asked, &library, &Policy::default()).expect_err("CO2 is missing");
    assert_eq!(unresolved.code, UnresolvedCode::FactorMissing);
    let whole = Library::starter().expect("the compiled-in packs");
    let why = choose(&asked, &whole, &Policy::default()).expect("a choice");
    let slots: Vec<Slot> = why.slots.iter().map(|choice| choice.slot).collect();
    assert_eq!(slots, [Slot::S1, Slot::S1Gases]);
    let gap = |why: &Why| {
        let gases = why.slot(Slot::S1Gases).expect("methane");
        gases.flags.contains(&ChoiceFlag::DerivedFactorMissing)
    };
    assert!(!gap(&why));
    // One of the two gases does not close the gap.
    let pack = whole.pack("epa-hub-2025").expect("the hub");
    let halved = |factor: &Factor| {
        let mut body = factor.body().clone();
        if factor.states_no_co2() {
            body.gases.retain(|value| value.gas == Gas::CH4);
        }
        Factor::new(body, &factor.pack).expect("a record")
    };
    let pack = Pack::of(pack.recipe.clone(), pack.factors().map(halved).collect());
    let why = choose(&asked, &Library::new(vec![pack]), &Policy::default()).expect("a choice");
    assert!(gap(&why) && why.flags.contains(&ChoiceFlag::DerivedFactorMissing));
}
