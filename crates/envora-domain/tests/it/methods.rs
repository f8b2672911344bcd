//! Every method against numbers that a script computed elsewhere, from the publishers' own files.
//!
//! `tests/golden/methods.json` tells for each row its factors, as printed and on which line, and the
//! lines that must come out: slot, gas, kilograms, CO2e as published and in AR5.

use std::collections::BTreeMap;
use std::process::Command;

use envora_domain::activities::{Activity, Input, Origin, Period};
use envora_domain::catalogue::{ALL, Bucket, Need, SlotSpec, find};
use envora_domain::choice::{Brings, Policy, Question, Unresolved, Why, choose};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::factors::{
    Body, Boundary, Denominator, Factor, FactorKind, GasValue, Library, Pack, Provenance, Region,
    Repr, Total,
};
use envora_domain::gwp::{Carbon, Gas, GwpSet};
use envora_domain::lines::{Line, explain, lines};
use envora_domain::methods;
use envora_domain::time::{Day, Timestamp};
use serde_json::Value;

use crate::{repository, shared_data};

pub(crate) const GOLDEN: &str = include_str!("../../../../tests/golden/methods.json");

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn words(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(name, word)| (name.clone(), text(word))).collect()
}

pub(crate) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A factor of a case, on the form of a record of the starter pack.
fn factor(told: &Value, number: usize) -> Factor {
    let library = Library::starter().expect("the compiled-in pack");
    let like = library.of_kind("electricity.purchased").next().expect("a factor");
    let basis = GwpSet::parse(&text(&told["basis"])).expect("a basis");
    let gas = |gas: &Value| {
        let repr = Repr::parse(&text(&gas["repr"])).expect("mass or co2e");
        GasValue {
            gas: Gas::parse(&text(&gas["gas"])).expect("a gas"),
            carbon: Carbon::Unknown,
            repr,
            gwp_basis: (repr == Repr::Co2e).then_some(basis),
            value: text(&gas["value"]),
            unit: text(&gas["unit"]),
            line: None,
        }
    };
    let unit = told["total_unit"].as_str().unwrap_or("kg").to_owned();
    let total = told["total"].as_str().map(str::to_owned);
    let region = text(&told["region"]);
    let (scheme, code) = region.split_once(':').expect("scheme and code");
    let body = Body {
        key: format!("golden/{number}"),
        valid_from: Day::parse("2022-01-01").expect("a day"),
        valid_to: Day::parse("2023-01-01").expect("a day"),
        data_year: None,
        region: Region { scheme: scheme.to_owned(), code: code.to_owned() },
        kind: FactorKind::parse(&text(&told["kind"])).expect("a kind"),
        activity_type: text(&told["activity_type"]),
        qualifiers: words(&told["qualifiers"]),
        memo_bucket: Bucket::parse(&text(&told["memo"])),
        boundary: Boundary::parse(&text(&told["boundary"])).expect("a boundary"),
        gases: array(&told["gases"]).map(gas).collect(),
        total: total.map(|value| Total { value, basis, unit, line: None }),
        basis,
        denominator: Denominator { unit: text(&told["unit"]), ..Denominator::default() },
        provenance: Provenance {
            file: "golden".to_owned(),
            words: array(&told["lines"]).map(text).collect(),
            ..Provenance::default()
        },
        ..like.body().clone()
    };
    Factor::new(body, "golden").expect("exact")
}

fn library(case: &Value) -> Library {
    let starter = Library::starter().expect("the compiled-in pack");
    let recipe = starter.pack("desnz-2022").expect("a pack").recipe.clone();
    let factors: Vec<Factor> =
        array(&case["factors"]).enumerate().map(|(number, told)| factor(told, number)).collect();
    Library::new(vec![Pack::of(recipe, factors)])
}

pub(crate) fn activity(row: &Value) -> Activity {
    let origin = Origin::Request {
        request_id: "r".into(),
        body: [0; 32],
        row: 1,
        offset: 0,
        length: 1,
        parser: "json/1".into(),
    };
    let number = |text: &str| Decimal::parse(text).expect("a decimal");
    let at = Period::Instant(Timestamp::from_micros(1_650_000_000_000_000));
    let amount = Input { quantity: number(&text(&row["quantity"])), unit: text(&row["unit"]) };
    let mut activity = Activity::new(&text(&row["kind"]), amount, at, origin);
    activity.qualifiers = words(&row["qualifiers"]);
    for (name, pair) in row["inputs"].as_object().into_iter().flatten() {
        let input = Input { quantity: number(&text(&pair[0])), unit: text(&pair[1]) };
        activity.inputs.insert(name.clone(), input);
    }
    let claim = |name: &str| row[name].as_u64().and_then(|claim| u8::try_from(claim).ok());
    (activity.scope, activity.category) = (claim("scope"), claim("category"));
    activity.item = row["item"].as_str().map(str::to_owned);
    activity.supplier = row["supplier"].as_str().map(str::to_owned);
    activity
}

fn why(row: &Value, activity: &Activity, library: &Library, day: &str) -> Why {
    let day = Day::parse(day).expect("a day");
    let inputs = activity.inputs.iter();
    let question = Question {
        kind: &activity.kind,
        unit: &activity.unit,
        qualifiers: &activity.qualifiers,
        region: Some(row["region"].as_str().unwrap_or("GB")),
        first: day,
        last: day,
        scope: activity.scope,
        category: activity.category,
        brings: Brings {
            inputs: inputs.map(|(name, input)| (name.as_str(), input.unit.as_str())).collect(),
            supplier: activity.supplier.as_deref(),
            item: activity.item.as_deref(),
            ..Brings::default()
        },
    };
    choose(&question, library, &Policy::default()).expect(&activity.kind)
}

fn told(line: &Line) -> Vec<String> {
    let kg = |mass: Option<Mass>| mass.map_or_else(|| "-".to_owned(), Mass::kg);
    let [published, ar5, ..] = line.co2e.map(kg);
    vec![line.slot.to_string(), line.gas.to_string(), line.kg.kg(), published, ar5]
}

#[test]
fn every_method_gives_the_golden_numbers_to_the_last_digit() {
    let cases: Value = serde_json::from_str(GOLDEN).expect("the golden numbers");
    for case in array(&cases) {
        let (name, row) = (text(&case["name"]), &case["row"]);
        let (activity, library) = (activity(row), library(case));
        let problems = envora_domain::activities::validate::validate(&activity);
        assert!(problems.is_empty(), "{name}: {problems:?}");
        let why = why(row, &activity, &library, "2022-04-15");
        assert_eq!(Why::from_json(&why.to_json()).as_ref(), Ok(&why), "{name}");
        let got = lines(&activity, &why, &library).expect("lines");
        let wanted: Vec<Vec<String>> =
            array(&case["lines"]).map(|line| array(line).map(text).collect()).collect();
        let of: std::collections::BTreeSet<&str> =
            wanted.iter().filter_map(|line| line.first()).map(String::as_str).collect();
        // Slots that a case says nothing of are those that its factors cannot fill.
        let told: Vec<Vec<String>> = got.iter().map(told).collect();
        assert_eq!(told, wanted, "{name}");
        for (slot, method) in words(&case["methods"]) {
            let choice = why.slots.iter().find(|choice| choice.slot.as_str() == slot);
            assert_eq!(choice.map(|choice| &choice.method), Some(&method), "{name}");
            assert!(of.contains(slot.as_str()), "{name}");
        }
        let traces = explain(&activity, &why, &library, GwpSet::Ar5).expect("traces");
        for (trace, line) in traces.iter().zip(&got) {
            assert_eq!((trace.line, trace.co2e), (*line, line.co2e[1]), "{name}");
            assert!(!trace.exact.is_empty() && trace.exact.iter().all(|step| !step.is_empty()));
        }
    }
}

/// The same rows on the compiled-in packs: the records that importers made lead to the digits that a
/// script read off the publishers' files.
#[test]
fn the_packs_give_the_golden_numbers_too() {
    let cases: Value = serde_json::from_str(GOLDEN).expect("the golden numbers");
    let library = Library::starter().expect("the compiled-in packs");
    let (mut compared, mut differ) = (0, Vec::new());
    for case in array(&cases) {
        let of = |file: &str| {
            let mut lines = array(&case["factors"]).map(|factor| array(&factor["lines"]));
            let all = |lines: &mut dyn Iterator<Item = &Value>| {
                let lines: Vec<String> = lines.map(text).collect();
                !lines.is_empty() && lines.iter().all(|line| line.starts_with(file))
            };
            array(&case["factors"]).next().is_some() && lines.all(|mut lines| all(&mut lines))
        };
        let day = match (
            of("uk_desnz_ghg_conversion_factors_2022"),
            of("epa_ghg_emission_factors_hub_2025"),
        ) {
            (true, _) => "2022-04-15",
            (_, true) => "2025-04-15",
            _ => continue,
        };
        let (name, row) = (text(&case["name"]), &case["row"]);
        if name == "stationary.heat" {
            continue; // The hub prints this fuel per short ton too, and that path comes first.
        }
        let activity = activity(row);
        let why = why(row, &activity, &library, day);
        let methods = words(&case["methods"]);
        let wanted: Vec<Vec<String>> =
            array(&case["lines"]).map(|line| array(line).map(text).collect()).collect();
        let got = lines(&activity, &why, &library).expect("lines");
        let got: Vec<Vec<String>> =
            got.iter().filter(|line| methods.contains_key(line.slot.as_str())).map(told).collect();
        if got != wanted {
            differ.push(format!("{name}: {got:?}, not {wanted:?}"));
        }
        compared += 1;
    }
    assert_eq!(differ, Vec::<String>::new());
    assert!(compared > 20, "{compared}");
}

/// Every method that some slot names is in these golden numbers or in the estate's, unless it cannot
/// run yet; own generation gives no lines at all.
#[test]
fn every_method_that_a_type_uses_has_golden_numbers() {
    let cases: Value = serde_json::from_str(GOLDEN).expect("the golden numbers");
    let estate = ["electricity.grid@1", "electricity.grid_fallback@1", "tnd.published@1"];
    let mut covered: Vec<String> =
        array(&cases).flat_map(|case| words(&case["methods"]).into_values()).collect();
    covered.extend(estate.map(str::to_owned));
    for slot in ALL.iter().flat_map(|kind| kind.slots) {
        for id in slot.methods {
            let method = methods::find(id).expect("a method");
            let known = method.lacks.is_some() || *id == "generation.own@1";
            assert!(known || covered.iter().any(|covered| covered == id), "{id}");
        }
    }
}

/// A row made of a factor's own words: its type, qualifiers, unit and region.
fn asked_of(factor: &Factor, library: &Library) -> Result<Why, Unresolved> {
    let mut qualifiers: BTreeMap<String, String> = factor
        .qualifiers
        .iter()
        .map(|(name, words)| {
            let word = words.split('|').next().unwrap_or_default();
            (name.clone(), word.to_owned())
        })
        .collect();
    let item = qualifiers.remove("item");
    let question = Question {
        kind: &factor.activity_type,
        unit: &factor.denominator.unit,
        qualifiers: &qualifiers,
        region: Some(&factor.region.code),
        first: factor.valid_from,
        last: factor.valid_from,
        scope: None,
        category: None,
        brings: Brings { item: item.as_deref(), ..Brings::default() },
    };
    choose(&question, library, &Policy::default())
}

/// Packs and catalogue speak one language: whoever asks in a factor's own words is answered, and
/// no two factors of the compiled-in packs answer the same question differently.
#[test]
fn a_factor_is_found_by_its_own_words() {
    let library = Library::starter().expect("the compiled-in packs");
    let (mut found, mut wrong) = (0_u32, Vec::new());
    for factor in library.factors().filter(|factor| factor.kind == FactorKind::Emission).step_by(5)
    {
        let kind = find(&factor.activity_type).expect("a type of the catalogue");
        let fills = |spec: &SlotSpec| {
            spec.boundary == factor.boundary && spec.need == Need::Required && spec.types.is_empty()
        };
        let first = kind.slots.iter().any(fills) && factor.memo_bucket.is_none();
        if !first || factor.permitted_use != "inventory" {
            continue;
        }
        match asked_of(factor, &library) {
            Ok(_) => found += 1,
            Err(unresolved) => wrong.push(format!("{}: {unresolved}", factor.key)),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(found > 500, "{found}");
}

#[test]
fn what_finds_no_factor_names_the_words_that_would() {
    let library = Library::starter().expect("the compiled-in packs");
    let refused = |kind: &str, unit: &str, pairs: &[(&str, &str)]| {
        let day = Day::parse("2024-04-15").expect("a day");
        let pair = |(name, word): &(&str, &str)| ((*name).to_owned(), (*word).to_owned());
        let qualifiers = pairs.iter().map(pair).collect();
        let question = Question {
            kind,
            unit,
            qualifiers: &qualifiers,
            region: Some("GB"),
            first: day,
            last: day,
            scope: None,
            category: None,
            brings: Brings::default(),
        };
        let unresolved = choose(&question, &library, &Policy::default()).expect_err("no factor");
        format!("{}: {}", unresolved.detail, unresolved.remedy)
    };
    let told = refused("waste.treated", "t", &[("material", "glass"), ("treatment", "composting")]);
    assert!(told.contains("there are factors for treatment = closed_loop"), "{told}");
    let told = refused("travel.moved", "x:pax.km", &[("mode", "air"), ("rf", "with")]);
    assert!(told.contains("say haul = domestic, international, long"), "{told}");
    let told = refused("travel.stayed", "x:room_night", &[("country", "MC")]);
    assert!(told.contains("no active pack has a factor for MC"), "{told}");
    let told = refused("travel.moved", "x:pax.km", &[("mode", "car")]);
    assert!(told.contains("occupancy"), "{told}");
}

#[test]
fn the_golden_numbers_of_the_methods_are_what_the_script_recomputes() {
    let Some(folder) = shared_data("publishers") else { return };
    let script = repository().join("tests/golden/methods.py");
    let output = Command::new("python3").arg(script).arg(folder).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), GOLDEN);
}
