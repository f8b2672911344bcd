mod own;
mod rules;

use super::*;
use crate::factors::{Factor, Pack, Recipe};
use crate::methods;

struct Case<'a> {
    kind: &'a str,
    unit: &'a str,
    fuel: &'a str,
    region: Option<&'a str>,
    days: [&'a str; 2],
}

const POWER: Case<'static> = Case {
    kind: "electricity.purchased",
    unit: "kW.h",
    fuel: "",
    region: Some("GB"),
    days: ["2022-06-01", "2022-06-30"],
};
const GAS: Case<'static> =
    Case { kind: "fuel.combusted.stationary", unit: "kW.h.x:gross", fuel: "natural_gas", ..POWER };

fn chosen(case: &Case<'_>, library: &Library, policy: &Policy) -> Result<Why, Unresolved> {
    let pair = ("fuel".to_owned(), case.fuel.to_owned());
    let qualifiers = [pair].into_iter().filter(|(_, word)| !word.is_empty()).collect();
    let [first, last] = case.days.map(|day| Day::parse(day).expect("a day"));
    let question = Question {
        kind: case.kind,
        unit: case.unit,
        qualifiers: &qualifiers,
        region: case.region,
        first,
        last,
        scope: None,
        category: None,
        brings: Brings::default(),
    };
    choose(&question, library, policy)
}

fn starter(case: &Case<'_>) -> Result<Why, Unresolved> {
    chosen(case, &Library::starter().expect("the compiled-in pack"), &Policy::default())
}

#[track_caller]
fn check(case: &Case<'_>, flags: &[ChoiceFlag]) {
    assert_eq!(starter(case).map(|why| why.flags), Ok(flags.to_vec()));
}

#[track_caller]
fn refused(case: &Case<'_>, words: &str) {
    let unresolved = starter(case).expect_err("nothing fits");
    assert_eq!(unresolved.code, UnresolvedCode::FactorMissing);
    assert!(unresolved.detail.contains(words), "{}", unresolved.detail);
    assert!(!unresolved.remedy.is_empty());
}

const POWER_FLAGS: [ChoiceFlag; 2] = [ChoiceFlag::NoResidualMix, ChoiceFlag::NativeGwpBasis];
const GAS_FLAGS: [ChoiceFlag; 1] = [ChoiceFlag::NativeGwpBasis];

#[test]
fn a_choice_flags_what_a_reader_should_know() {
    check(&POWER, &POWER_FLAGS);
    check(&GAS, &GAS_FLAGS);
    check(&Case { unit: "t", ..GAS }, &GAS_FLAGS);
    check(&Case { unit: "MJ.x:net", ..GAS }, &GAS_FLAGS);
    check(&Case { unit: "x:Sm3_15C", ..GAS }, &GAS_FLAGS);
    check(&Case { unit: "L", fuel: "gas_oil", ..GAS }, &GAS_FLAGS);
    check(&Case { fuel: "Natural gas", ..GAS }, &GAS_FLAGS);
    let stale = Case { days: ["2026-01-01", "2026-01-31"], ..GAS };
    check(&stale, &[ChoiceFlag::StaleFactor, ChoiceFlag::NativeGwpBasis]);
    let early = Case { days: ["2019-01-01", "2019-01-31"], ..GAS };
    check(&early, &[ChoiceFlag::PeriodFallback, ChoiceFlag::NativeGwpBasis]);
    let scotland = Case { region: Some("GB-SCT"), ..GAS };
    check(&scotland, &[ChoiceFlag::RegionFallback, ChoiceFlag::NativeGwpBasis]);
    // A net-CV blend has no printed row outside of scopes: the memo is missing and says so.
    let blend = Case { unit: "kW.h.x:net", fuel: "diesel", ..GAS };
    check(&blend, &[ChoiceFlag::DerivedFactorMissing, ChoiceFlag::NativeGwpBasis]);
}

#[test]
fn what_fits_nothing_says_what_to_do() {
    refused(&Case { kind: "asset.leased", unit: "m2", ..POWER }, "no method for asset.leased");
    refused(&Case { kind: "magic.performed", ..POWER }, "no activity type");
    refused(&Case { unit: "zorkmid", ..POWER }, "no unit");
    refused(&Case { unit: "kW.h", ..GAS }, "gross or net");
    refused(&Case { unit: "m3", ..GAS }, "temperature and pressure");
    refused(&Case { unit: "kg", ..POWER }, "cannot be converted");
    refused(&Case { region: Some("FR"), ..GAS }, "no active pack has a factor for FR");
    refused(&Case { region: None, ..POWER }, "where it happened is unknown");
    refused(&Case { unit: "L", fuel: "coking_coal", ..GAS }, "fills the slot s1");
    refused(&Case { fuel: "phlogiston", ..GAS }, "no factor");
}

#[test]
fn every_alternative_is_told_with_its_rule() {
    let why = starter(&POWER).expect("a choice");
    let methods: Vec<&str> =
        why.passed_over.iter().filter_map(|passed| passed.method.as_deref()).collect();
    assert_eq!(
        methods,
        [
            "electricity.certificate@1",
            "electricity.contract@1",
            "electricity.supplier@1",
            "electricity.residual_mix@1",
            "tnd.generation@1"
        ]
    );
    let why = starter(&GAS).expect("a choice");
    let by_rule = |rule: &str| {
        let slot = why.passed_over.iter().filter(|passed| passed.slot == Slot::S1);
        slot.filter(|passed| passed.rule == rule).map(|passed| passed.count).sum::<u32>()
    };
    // Net, tonnes and cubic metres of five editions, standard cubic feet of three.
    assert_eq!((by_rule("unit"), by_rule("inputs")), (18, 1));
    assert_eq!((by_rule("period"), by_rule("region")), (4, 3), "of the same series, of the US");
    assert!(by_rule("qualifiers") > 80);
}

#[test]
fn a_choice_survives_its_json() {
    let why = starter(&GAS).expect("a choice");
    let json = why.to_json();
    assert_eq!(Why::from_json(&json), Ok(why.clone()));
    assert!(json.starts_with(&format!("{{\"engine\":{ENGINE},\"flags\":")), "{json}");
    assert_eq!(why.digest(), Digest::of(json.as_bytes()));
    assert_eq!(Why::from_json("{}"), Err(WhyError));
    let other_day = Case { days: ["2022-07-01", "2022-07-01"], ..GAS };
    assert_eq!(starter(&other_day).map(|why| why.digest()), Ok(why.digest()), "one row of why");
    assert!(why.slot(Slot::S1).is_some() && why.slot(Slot::S2Lb).is_none());
}

/// The starter pack again under another id, its gas factors changed.
fn twin(id: &str, change: impl Fn(&str) -> String) -> Pack {
    let library = Library::starter().expect("the compiled-in pack");
    let pack = library.pack("desnz-2022").expect("the pack");
    let recipe = Recipe { id: id.to_owned(), ..pack.recipe.clone() };
    let changed = pack.factors().map(|factor| {
        let mut body = factor.body().clone();
        body.key = format!("{id}/{}", body.key);
        if let Some(total) = &mut body.total {
            total.value = change(&total.value);
        }
        Factor::new(body, id).expect("exact")
    });
    Pack::of(recipe, changed.collect())
}

fn two_packs(order: &str, change: impl Fn(&str) -> String) -> Library {
    let library = Library::starter().expect("the compiled-in pack");
    let mut packs =
        vec![library.pack("desnz-2022").expect("the pack").clone(), twin("own", change)];
    if order == "turned" {
        packs.reverse();
    }
    Library::new(packs)
}

#[test]
fn equals_that_differ_are_ambiguous_until_a_priority_settles_them() {
    let differ = |order| two_packs(order, |value| format!("{value}1"));
    let settled = Policy { pack_priority: vec!["own".to_owned()], ..Policy::default() };
    let mut factors = Vec::new();
    for order in ["straight", "turned"] {
        let unresolved = chosen(&POWER, &differ(order), &Policy::default()).expect_err("a tie");
        assert_eq!(unresolved.code, UnresolvedCode::AmbiguousFactor);
        let why = chosen(&POWER, &differ(order), &settled).expect("settled");
        let factor = why.slots.first().map(|choice| choice.factor).expect("a slot");
        assert_eq!(
            differ(order).get(&factor).map(|factor| factor.pack.clone()),
            Some("own".into())
        );
        factors.push(factor);
    }
    assert_eq!(factors.first(), factors.last(), "the order of loading decides nothing");
}

#[test]
fn equals_with_equal_values_are_no_conflict() {
    let same = |order| two_packs(order, str::to_owned);
    let straight = chosen(&POWER, &same("straight"), &Policy::default()).expect("a choice");
    let turned = chosen(&POWER, &same("turned"), &Policy::default()).expect("a choice");
    assert_eq!(straight.slots, turned.slots);
    assert!(straight.passed_over.iter().any(|passed| passed.rule == "rank"));
}

#[test]
fn a_policy_may_refuse_what_cannot_be_rebased() {
    let library = Library::starter().expect("the compiled-in pack");
    let policy = Policy { native: Native::Refuse, ..Policy::default() };
    let why = chosen(&GAS, &library, &policy).expect("s1 has a gas split");
    assert_eq!(why.flags, [ChoiceFlag::DerivedFactorMissing]);
    assert!(why.passed_over.iter().any(|passed| passed.rule == "native"));
}

/// The choice for a row of another type, on the compiled-in packs.
fn other(
    kind: &str,
    unit: &str,
    words: &[(&str, &str)],
    inputs: &[(&'static str, &'static str)],
) -> Result<Why, Unresolved> {
    let pair = |(name, word): &(&str, &str)| ((*name).to_owned(), (*word).to_owned());
    let qualifiers: BTreeMap<String, String> = words.iter().map(pair).collect();
    let day = Day::parse("2022-06-01").expect("a day");
    let question = Question {
        kind,
        unit,
        qualifiers: &qualifiers,
        region: Some("GB"),
        first: day,
        last: day,
        scope: None,
        category: None,
        brings: Brings { inputs: inputs.iter().copied().collect(), ..Brings::default() },
    };
    let library = Library::starter().expect("the compiled-in pack");
    choose(&question, &library, &Policy::default())
}

#[test]
fn types_without_methods_wait_and_say_so() {
    for kind in catalogue::ALL.iter().filter(|kind| kind.slots.is_empty()) {
        let quantity = kind.quantities.first().expect("a quantity");
        let unresolved = other(kind.code, quantity.example(), &[], &[]).expect_err(kind.code);
        assert!(unresolved.remedy.contains("once a method is there"), "{}", kind.code);
        let pounds = kind.code == "spend.purchased";
        let code = if pounds { UnresolvedCode::FxMissing } else { UnresolvedCode::FactorMissing };
        assert_eq!(unresolved.code, code, "{}", kind.code);
    }
}

#[test]
fn what_waits_for_a_suppliers_factors_says_so() {
    let library = Library::starter().expect("the compiled-in pack");
    for method in methods::ALL.iter().filter(|method| method.source == methods::Source::Supplier) {
        let waits = method.lacks_among(&["goods.purchased"], &library);
        assert_eq!(waits, Some(methods::NO_SUPPLIER_FACTORS), "{}", method.id);
    }
    let none = BTreeMap::new();
    let day = Day::parse("2022-06-01").expect("a day");
    let remedy = |supplier| {
        let question = Question {
            kind: "goods.purchased",
            unit: "kg",
            qualifiers: &none,
            region: Some("GB"),
            first: day,
            last: day,
            scope: None,
            category: None,
            brings: Brings { item: Some("phlogiston"), supplier, ..Brings::default() },
        };
        choose(&question, &library, &Policy::default()).expect_err("no factor").remedy
    };
    let bring = "bring it in with `envora factors import`";
    assert!(remedy(Some("S1")).ends_with(bring), "{}", remedy(Some("S1")));
    assert!(!remedy(None).contains(bring), "nobody's figure is meant");
}

#[test]
fn spend_tells_the_first_that_is_missing_on_its_way_to_a_factor() {
    let code = |unit: &str, year: i32| {
        let (qualifiers, day) = (BTreeMap::new(), Day::parse("2022-06-01").expect("a day"));
        let question = Question {
            kind: "spend.purchased",
            unit,
            qualifiers: &qualifiers,
            region: Some("GB"),
            first: day,
            last: day,
            scope: None,
            category: None,
            brings: Brings { price_year: Some(year), ..Brings::default() },
        };
        let library = Library::starter().expect("the compiled-in pack");
        let unresolved = choose(&question, &library, &Policy::default()).expect_err("no method");
        assert!(unresolved.remedy.contains("by mass or item"), "{}", unresolved.remedy);
        unresolved.code
    };
    assert_eq!(code("GBP", 2022), UnresolvedCode::FxMissing);
    assert_eq!(code("GBP", 2021), UnresolvedCode::FxMissing);
    assert_eq!(code("USD", 2022), UnresolvedCode::PriceYearMismatch);
    assert_eq!(code("USD", 2021), UnresolvedCode::FactorMissing);
}

#[test]
fn own_generation_emits_nothing_while_its_certificates_are_kept() {
    let kept = [("technology", "wind"), ("certificates_kept", "yes")];
    let why = other("electricity.generated", "kW.h", &kept, &[]).expect("a choice");
    assert!(why.slots.is_empty());
    let over: Vec<&str> = why.passed_over.iter().map(|over| over.rule.as_str()).collect();
    assert_eq!(over, ["nothing", "nothing"]);
    let sold = other("electricity.generated", "kW.h", &[("certificates_kept", "no")], &[]);
    let sold = sold.expect("a choice");
    let slots: Vec<Slot> = sold.slots.iter().map(|choice| choice.slot).collect();
    assert_eq!(slots, [Slot::S2Mb]);
    assert!(sold.flags.contains(&ChoiceFlag::NoResidualMix));
}

#[test]
fn own_generation_waits_until_its_certificates_are_told() {
    for words in [&[][..], &[("technology", "solar")]] {
        let waits = other("electricity.generated", "kW.h", words, &[]).expect_err("unsaid");
        assert_eq!(waits.code, UnresolvedCode::FactorMissing);
        assert!(waits.detail.contains("unsaid"), "{}", waits.detail);
        assert!(waits.remedy.contains("certificates_kept = yes"), "{}", waits.remedy);
    }
    // What is sold on, or fed in, turns on the grid alone.
    assert!(other("electricity.exported", "kW.h", &[], &[]).is_ok());
    assert!(other("electricity.resold", "kW.h", &[], &[]).is_ok());
}

/// What is wrong with a row in the US, of 2025.
fn refused_us(kind: &str, unit: &str, words: &[(&str, &str)]) -> String {
    let pair = |(name, word): &(&str, &str)| ((*name).to_owned(), (*word).to_owned());
    let qualifiers: BTreeMap<String, String> = words.iter().map(pair).collect();
    let day = Day::parse("2025-06-01").expect("a day");
    let question = Question {
        kind,
        unit,
        qualifiers: &qualifiers,
        region: Some("US"),
        first: day,
        last: day,
        scope: None,
        category: None,
        brings: Brings::default(),
    };
    let library = Library::starter().expect("the compiled-in packs");
    let unresolved = choose(&question, &library, &Policy::default()).expect_err("no factor");
    format!("{}: {}", unresolved.detail, unresolved.remedy)
}

#[test]
fn a_unit_that_no_factor_of_the_place_is_per_is_told_with_those_that_are() {
    let gas = [("fuel", "natural_gas")];
    let told = refused_us("fuel.combusted.stationary", "10*6.[Btu_IT].x:net", &gas);
    assert!(told.contains("per 10*6.[Btu_IT].x:net holds in US"), "{told}");
    assert!(told.contains("factors are per there: 10*6.[Btu_IT].x:gross, x:scf_60F"), "{told}");
}

#[test]
fn what_a_row_leaves_out_is_told_before_what_it_would_have_to_say_otherwise() {
    let told = other("travel.moved", "x:pax.km", &[("mode", "car")], &[]).expect_err("no factor");
    let first = "give inputs.occupancy with quantity and unit, such as 1, and vehicle_class where \
                 it is not car_average; or there are factors for mode = ";
    assert!(told.remedy.starts_with(first), "{}", told.remedy);
    let words = [("mode", "car"), ("vehicle_class", "car_small"), ("fuel", "petrol")];
    let told = other("commute.moved", "x:pax.km", &words, &[]).expect_err("no factor");
    assert!(told.remedy.starts_with("give inputs.occupancy"), "{}", told.remedy);
    assert!(!told.remedy.contains("vehicle_class where"), "{}", told.remedy);
}

#[test]
fn a_vehicles_remedy_lists_no_fuels_of_plants() {
    let car = [("fuel", "diesel"), ("vehicle_class", "car_average"), ("model_year", "2010")];
    let told = refused_us("fuel.combusted.mobile", "[gal_us]", &car);
    let (_, fuels) = told.split_once("fuel = ").expect("a list of fuels");
    assert!(fuels.starts_with("diesel_mineral"), "{told}");
    for plant in ["asphalt", "butylene", "crude_oil", "residual", "aviation"] {
        assert!(!fuels.contains(plant), "{told}");
    }
}

#[test]
fn a_battery_car_of_ones_own_has_the_grid_on_the_market_side_too() {
    let car = |fuel| [("vehicle_class", "car_medium"), ("fuel", fuel)];
    let why = other("vehicle.driven", "x:veh.km", &car("battery_electric"), &[]).expect("a choice");
    let flagged = |choice: &&SlotChoice| choice.flags.contains(&ChoiceFlag::NoResidualMix);
    let slots: Vec<Slot> = why.slots.iter().filter(flagged).map(|choice| choice.slot).collect();
    assert_eq!(slots, [Slot::S2Mb]);
    let why = other("vehicle.driven", "x:veh.km", &car("diesel"), &[]).expect("a choice");
    assert_eq!(why.slots.iter().filter(flagged).count(), 0);
}

#[test]
fn a_method_without_its_input_is_passed_over_by_name() {
    let tonnes = [("fuel", "coal_industrial")];
    let why = other("fuel.combusted.stationary", "t", &tonnes, &[]).expect("a choice");
    let carbon = why.passed_over.iter().find(|over| over.method.is_some()).expect("a method");
    assert_eq!(carbon.method.as_deref(), Some("stationary.carbon@1"));
    assert_eq!(carbon.detail, "the activity brings no carbon content");
    let why = other("fuel.combusted.stationary", "t", &tonnes, &[("carbon_content", "%")]);
    let choice = why.expect("a choice").slots.remove(0);
    assert_eq!((choice.method.as_str(), choice.tier), ("stationary.carbon@1", 1));
}

#[test]
fn gases_outside_the_kyoto_group_are_a_memo() {
    let slots = |gas: &str| {
        let why = other("refrigerant.recharged", "kg", &[("gas", gas)], &[]).expect("a choice");
        why.slots.iter().map(|choice| (choice.slot, choice.scope)).collect::<Vec<_>>()
    };
    assert_eq!(slots("hfc32"), [(Slot::S1, 1)]);
    assert_eq!(slots("R22"), [(Slot::NonKyoto, 0)]);
    let low = [("gas", "hfc32"), ("equipment", "chiller")];
    let why = other("refrigerant.screened", "kg", &low, &[("charge", "kg"), ("years", "x:yr")]);
    assert!(why.expect("a choice").flags.contains(&ChoiceFlag::LowTier));
}

#[test]
fn what_is_booked_follows_the_claim_and_who_paid() {
    let freight = catalogue::find("freight.moved").expect("a type");
    let paid = |by: &str| BTreeMap::from([("paid_by".to_owned(), by.to_owned())]);
    let category = |claim, by| freight.booked(claim, &paid(by)).category;
    assert_eq!(category((None, None), "reporter"), 4);
    assert_eq!(category((None, None), "customer"), 9);
    assert_eq!(category((Some(3), Some(4)), "customer"), 4, "the claim is above it");
    let driven = catalogue::find("vehicle.driven").expect("a type");
    assert_eq!(driven.booked((None, None), &BTreeMap::new()).scope, 1);
    assert_eq!(driven.booked((Some(3), None), &BTreeMap::new()).category, 6);
}
