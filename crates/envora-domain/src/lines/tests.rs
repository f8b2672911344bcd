use std::collections::BTreeMap;

use super::*;
use crate::choice::{Brings, Policy, Question, choose};
use crate::decimal::Decimal;
use crate::factors::{Boundary, Pack};
use crate::time::Day;

fn why_of(kind: &str, unit: &str, fuel: &str, policy: &Policy) -> (Why, std::sync::Arc<Library>) {
    let library = Library::starter().expect("the compiled-in pack");
    (why_among(kind, unit, fuel, (policy, &library)), library)
}

fn why_among(kind: &str, unit: &str, fuel: &str, of: (&Policy, &Library)) -> Why {
    let (policy, library) = of;
    let pair = ("fuel".to_owned(), fuel.to_owned());
    let qualifiers: BTreeMap<_, _> =
        [pair].into_iter().filter(|(_, word)| !word.is_empty()).collect();
    let day = Day::from_number(18993);
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
    choose(&question, library, policy).expect("a choice")
}

fn quantity(text: &str) -> Decimal {
    Decimal::parse(text).expect("a decimal")
}

/// `slot gas kg published ar5`, one line of text each.
fn table(lines: &[Line]) -> Vec<String> {
    let kg = |mass: Option<Mass>| mass.map_or_else(|| "-".to_owned(), Mass::kg);
    let row = |line: &Line| {
        let [published, ar5, ..] = line.co2e.map(kg);
        format!("{} {} {} {published} {ar5}", line.slot, line.gas, line.kg.kg())
    };
    lines.iter().map(row).collect()
}

fn total(lines: &[Line], slot: Slot, column: usize) -> String {
    let of_slot = lines.iter().filter(|line| line.slot == slot);
    of_slot.filter_map(|line| line.co2e.get(column).copied().flatten()).sum::<Mass>().kg()
}

/// The row by hand of the contracts: 372.4 kWh at 2022-01-01.
#[test]
fn one_row_by_hand() {
    let (why, library) = why_of("electricity.purchased", "kW.h", "", &Policy::default());
    let lines = lines(quantity("372.4"), &why, &library).expect("lines");
    assert_eq!(
        table(&lines),
        [
            "s2_lb CO2 71.206604 71.206604 71.206604",
            "s2_lb CH4 0.0119168 0.29792 0.3336704",
            "s2_lb N2O 0.001712040268 0.510188 0.453690671141",
            "s2_mb CO2 71.206604 71.206604 71.206604",
            "s2_mb CH4 0.0119168 0.29792 0.3336704",
            "s2_mb N2O 0.001712040268 0.510188 0.453690671141",
            "c3_tnd CO2 6.517 6.517 6.517",
            "c3_tnd CH4 0.00104272 0.026068 0.02919616",
            "c3_tnd N2O 0.000149959732 0.044688 0.039739328859",
            "c3_wtt co2e 0 17.2235 17.2235",
            "c3_wtt_tnd co2e 0 1.575252 1.575252",
        ]
    );
    for slot in [Slot::S2Lb, Slot::S2Mb] {
        assert_eq!(total(&lines, slot, 0), "72.014712");
        assert_eq!(total(&lines, slot, 1), "71.993965071141", "not from rounded kg");
    }
    assert_eq!(total(&lines, Slot::C3Tnd, 0), "6.587756");
    assert_eq!(total(&lines, Slot::C3Tnd, 1), "6.585935488859");
    let methods: Vec<&str> = why.slots.iter().map(|choice| choice.method.as_str()).collect();
    assert_eq!(
        methods,
        [
            "electricity.grid@1",
            "electricity.grid_fallback@1",
            "tnd.published@1",
            "wtt.published@1",
            "wtt.published@1"
        ]
    );
}

#[test]
fn gas_is_burnt_by_gross_energy() {
    let (why, library) =
        why_of("fuel.combusted.stationary", "kW.h.x:gross", "natural_gas", &Policy::default());
    let lines = lines(quantity("3.0"), &why, &library).expect("lines");
    assert_eq!(
        table(&lines),
        [
            "s1 CO2 0.54657 0.54657 0.54657",
            "s1 CH4 0.00003 0.00075 0.00084",
            "s1 N2O 0.000001006711 0.0003 0.000266778523",
            "c3_wtt co2e 0 0.0933 0.0933",
        ]
    );
    assert!(lines.iter().filter(|line| line.slot == Slot::S1).all(|line| line.scope == 1
        && line.carbon == Carbon::Fossil
        && line.basis == GwpSet::Ar4
        && line.tier == 2));
}

#[test]
fn a_blend_has_its_biogenic_carbon_in_a_memo() {
    let (why, library) = why_of("fuel.combusted.stationary", "L", "diesel", &Policy::default());
    let lines = lines(quantity("100"), &why, &library).expect("lines");
    let memo: Vec<&Line> = lines.iter().filter(|line| line.bucket == Bucket::BiogenicCo2).collect();
    let [memo] = memo.as_slice() else { panic!("one memo line: {lines:?}") };
    assert_eq!((memo.scope, memo.kg.kg().as_str(), memo.carbon), (0, "11.02", Carbon::Biogenic));
}

/// By hand: 1.5 t × 0.5 kg/t of methane and 0.04 kg/t of nitrous oxide, at 28 and 265; 1.5 t × 1800 kg/t.
#[test]
fn an_own_fuel_that_grew_has_its_co2_in_the_memo_once() {
    let of = |rows: &str| {
        let head = "key,type,boundary,memo,qualifiers.fuel,region,per,unit,gas.CO2,gas.CH4,gas.N2O,basis,\
            carbon,valid_from,valid_through,publisher,document,licence";
        let own = crate::factors::own::read(format!("{head}\n{rows}").as_bytes(), Some("ours"));
        let own = own.expect("a table").pack;
        let library = Library::starter().expect("the compiled-in packs").with([own]);
        let kind = "fuel.combusted.stationary";
        let why = why_among(kind, "t", "wood_pellets", (&Policy::default(), &library));
        let lines = lines(quantity("1.5"), &why, &library).expect("lines");
        let kept = lines.into_iter().filter(|line| line.slot != Slot::C3Wtt);
        let row = |line: Line| {
            let kg = line.co2e.first().copied().flatten().map(Mass::kg).unwrap_or_default();
            format!("{} {} {} {kg}", line.bucket, line.scope, line.gas)
        };
        kept.map(row).collect::<Vec<_>>()
    };
    let counts = "pellets,fuel.combusted.stationary,combustion,,wood_pellets,GB,t,kg,,0.5,0.04,ar5,biogenic,2022-01-01,2022-12-31,P,D,own\n";
    let memo = "pellets/grown,fuel.combusted.stationary,combustion,biogenic_co2,wood_pellets,GB,t,kg,1800,,,ar5,,2022-01-01,2022-12-31,P,D,own\n";
    let grown = "biogenic_co2 0 CO2 2700";
    let both = of(&format!("{counts}{memo}"));
    assert_eq!(both, ["in_scope 1 CH4 21", "in_scope 1 N2O 15.9", grown]);
    let alone = of(memo);
    assert_eq!(alone, ["in_scope 1 co2e 75.831885", grown], "1.5 × 50.55459, as published");
    assert!(!of(counts).contains(&grown.to_owned()), "the memo is the publisher's then");
}

#[test]
fn each_step_is_true_as_it_is_printed() {
    let of = |numbers: &str| {
        let head = "key,type,boundary,qualifiers.fuel,region,per,unit,co2e,gas.CO2,gas.CH4,basis,carbon,\
            valid_from,valid_through,publisher,document,licence";
        let row = format!(
            "coal,fuel.combusted.stationary,combustion,coal_domestic,GB,[ston_av],{numbers},ar5,fossil,2022-01-01,2022-12-31,P,D,own"
        );
        let own = crate::factors::own::read(format!("{head}\n{row}\n").as_bytes(), Some("ours"));
        let own = own.expect("a table").pack;
        let library = Library::starter().expect("the compiled-in packs").with([own]);
        let kind = "fuel.combusted.stationary";
        let why = why_among(kind, "[ston_av]", "coal_domestic", (&Policy::default(), &library));
        let traces = explain(quantity("2.5"), &why, &library, GwpSet::Ar5).expect("traces");
        let own = traces.into_iter().filter(|trace| trace.line.slot == Slot::S1);
        own.flat_map(|trace| trace.exact).filter(|step| step.contains("CO2e/")).collect::<Vec<_>>()
    };
    assert_eq!(
        of("t,0.43,,"),
        [
            "2.5 [ston_av] × 0.43 t CO2e/[ston_av] = 1.075 t CO2e = 1075 kg CO2e (printed in ar5; no gas split to rebase)"
        ]
    );
    // By hand: 2.5 × (114.1 − 100 − 0.5 × 28) = 0.25.
    assert_eq!(
        of("kg,114.1,100,0.5"),
        [
            "2.5 [ston_av] × (114.1 − 100 − 0.5 × 28) kg CO2e/[ston_av] = 0.25 kg CO2e (printed in ar5; the rest of the printed total)"
        ]
    );
}

#[test]
fn an_own_set_fills_the_fourth_column() {
    let policy = Policy::for_set(GwpSet::Sar);
    let (why, library) = why_of("electricity.purchased", "MW.h", "", &policy);
    let lines = lines(quantity("0.3724"), &why, &library).expect("lines");
    assert_eq!(total(&lines, Slot::S2Lb, 0), "72.014712");
    assert_eq!(total(&lines, Slot::S2Lb, 3), "71.987589283221");
    let set = co2e_in_set(quantity("0.3724"), &why, &library, GwpSet::Sar).expect("a set");
    assert_eq!(set, lines.iter().map(|line| line.co2e[3]).collect::<Vec<_>>());
    let (why, library) = why_of("electricity.purchased", "kW.h", "", &Policy::for_set(GwpSet::Ar5));
    let lines = super::lines(quantity("1"), &why, &library).expect("lines");
    assert!(lines.iter().all(|line| line.co2e[3].is_none()));
}

/// A factor made for a test: values per kWh, in AR4.
fn factor_with(total: Option<&str>, gases: &[(Gas, Repr, &str)]) -> Factor {
    let library = Library::starter().expect("the compiled-in pack");
    let grid = library
        .pack("desnz-2022")
        .expect("the pack")
        .of_kind("electricity.purchased")
        .iter()
        .find(|factor| factor.boundary == Boundary::Generation && factor.memo_bucket.is_none());
    let mut body = grid.expect("a grid factor").body().clone();
    let printed = body.total.take();
    body.total = total
        .zip(printed)
        .map(|(value, printed)| crate::factors::Total { value: value.to_owned(), ..printed });
    body.gases = gases
        .iter()
        .map(|(gas, repr, value)| GasValue {
            gas: *gas,
            carbon: Carbon::Unknown,
            repr: *repr,
            gwp_basis: (*repr == Repr::Co2e).then_some(GwpSet::Ar4),
            value: (*value).to_owned(),
            unit: "kg".to_owned(),
            line: None,
        })
        .collect();
    Factor::new(body, "test").expect("exact")
}

/// Lines of one kWh by this factor, through the slot `s2_lb` of a real choice.
fn lines_by(factor: Factor, value: &str) -> Vec<Line> {
    let (mut why, library) = why_of("electricity.purchased", "kW.h", "", &Policy::default());
    let id = factor.id;
    let recipe = library.pack("desnz-2022").expect("the pack").recipe.clone();
    let pack = Pack::of(recipe, vec![factor]);
    why.slots.truncate(1);
    for slot in &mut why.slots {
        slot.factor = id;
    }
    lines(quantity(value), &why, &Library::new(vec![pack])).expect("lines")
}

#[test]
fn what_a_total_has_above_its_gases_is_a_residue() {
    let gases = [(Gas::CO2, Repr::Co2e, "0.5"), (Gas::CH4, Repr::Co2e, "0.25")];
    let lines = lines_by(factor_with(Some("0.7"), &gases), "2");
    let residue = lines.last().expect("three lines");
    assert_eq!(table(&[*residue]), ["s2_lb co2e_residue 0 -0.1 -0.1"]);
    assert_eq!((lines.len(), residue.is_native()), (3, true));
    assert_eq!(total(&lines, Slot::S2Lb, 0), "1.4", "the printed total");
    assert_eq!(lines_by(factor_with(Some("0.75"), &gases), "2").len(), 2);
    assert!(has_native_part(&factor_with(Some("0.7"), &gases)));
    assert!(!has_native_part(&factor_with(Some("0.75"), &gases)));
    assert!(has_native_part(&factor_with(Some("0.7"), &[])));
}

#[test]
fn masses_are_weighed_in_the_basis_of_the_pack() {
    let lines = lines_by(factor_with(None, &[(Gas::CH4, Repr::Mass, "0.1")]), "1");
    assert_eq!(table(&lines), ["s2_lb CH4 0.1 2.5 2.8"]);
}

#[test]
fn a_gas_without_a_value_has_no_co2e_there() {
    let gas = Gas::parse("HFC41").expect("a gas");
    let lines = lines_by(factor_with(None, &[(gas, Repr::Mass, "1")]), "1");
    assert_eq!(table(&lines), ["s2_lb HFC41 1 - 116"]);
}

#[test]
fn a_single_factor_is_rebased_only_with_its_gases() {
    let gases = [(Gas::CO2, Repr::Co2e, "0.5"), (Gas::CH4, Repr::Co2e, "0.25")];
    let split = factor_with(Some("0.75"), &gases);
    let ar5 = rebase(&split, GwpSet::Ar5).expect("a split");
    assert_eq!(ar5.digits(), "0.78");
    let whole = factor_with(Some("0.75"), &[]);
    let refused = LinesError::RebaseWithoutGasSplit(whole.id);
    assert_eq!(rebase(&whole, GwpSet::Ar5), Err(refused));
    assert!(rebase(&whole, GwpSet::Published).is_ok());
}

#[test]
fn widest_quantities_are_refused_not_wrapped() {
    let factor = factor_with(Some("99999999999999999999"), &[]);
    let (mut why, library) = why_of("electricity.purchased", "kW.h", "", &Policy::default());
    let recipe = library.pack("desnz-2022").expect("the pack").recipe.clone();
    why.slots.truncate(1);
    why.slots.iter_mut().for_each(|slot| slot.factor = factor.id);
    let pack = Pack::of(recipe, vec![factor]);
    let most = quantity("99999999999999999999.999999999999999999");
    let library = Library::new(vec![pack]);
    assert_eq!(lines(most, &why, &library), Err(LinesError::TooLarge));
    let (why, starter) = why_of("electricity.purchased", "kW.h", "", &Policy::default());
    assert!(lines(most, &why, &starter).is_ok());
    let missing = lines(most, &why, &library);
    assert!(matches!(missing, Err(LinesError::FactorMissing(_))));
}

#[test]
fn every_step_is_told_with_its_digits() {
    let (why, library) = why_of("electricity.purchased", "kW.h", "", &Policy::default());
    let traces = explain(quantity("372.4"), &why, &library, GwpSet::Ar5).expect("traces");
    let nitrous = traces.iter().find(|trace| trace.line.gas == Gas::N2O).expect("a line");
    assert_eq!(
        nitrous.exact,
        [
            "372.4 kW.h as sent",
            "372.4 kW.h × 0.00137 kg CO2e of N2O/kW.h = 0.510188 kg CO2e (ar4)",
            "0.510188 kg CO2e ÷ 298 (ar4) = 127547/74500000 = 0.001712040268456375… kg N2O",
            "127547/74500000 = 0.001712040268456375… kg N2O × 265 (ar5) = 6759991/14900000 = 0.453690671140939597… kg CO2e",
            "rounded half-even to 10⁻¹² kg: 0.001712040268 kg N2O",
            "rounded half-even to 10⁻¹² kg: 0.453690671141 kg CO2e (ar5)",
        ]
    );
    let lines = lines(quantity("372.4"), &why, &library).expect("lines");
    assert_eq!(traces.iter().map(|trace| trace.line).collect::<Vec<_>>(), lines);
    for trace in &traces {
        assert_eq!((trace.kg, trace.co2e), (trace.line.kg, trace.line.co2e[1]));
    }
    let published = explain(quantity("1"), &why, &library, GwpSet::Published).expect("traces");
    let last = published.last().expect("a line");
    assert_eq!(
        last.exact,
        [
            "1 kW.h as sent",
            "1 kW.h × 0.00423 kg CO2e/kW.h = 0.00423 kg CO2e (printed in ar4; no gas split to rebase)",
            "rounded half-even to 10⁻¹² kg: 0.00423 kg CO2e (published)",
        ]
    );
    let (why, library) = why_of("electricity.purchased", "MJ", "", &Policy::default());
    let traces = explain(quantity("36"), &why, &library, GwpSet::Published).expect("traces");
    let first = traces.first().and_then(|trace| trace.exact.first()).expect("a step");
    assert_eq!(first, "36 MJ × 5/18 = 0.277777777777777777… kW.h/MJ = 10 kW.h");
}

/// Lines by the general way alone: every mass a fraction of integers of any length, rounded once.
fn in_general(quantity: Decimal, why: &Why, library: &Library) -> Vec<Line> {
    let mut lines = Vec::new();
    for choice in &why.slots {
        let factor = library.get_for(&why.kind, &choice.factor).expect("the factor");
        let formula = formula(choice).expect("a formula or none");
        let amount = formula.map(|formula| formula.amount(&quantity.into()).expect("an amount"));
        let amount = amount.unwrap_or_else(|| Rational::from(quantity));
        for part in parts(choice, factor).expect("its parts") {
            let mass = |rate: Rational| amount.times(&rate).to_mass();
            let mut line = prepared(choice, &part);
            line.kg = part.kg.clone().map_or(Mass::ZERO, |kg| mass(kg).expect("it fits"));
            line.co2e = why.policy.columns().map(|set| {
                part.co2e_per_unit(factor, set?).map(|rate| mass(rate).expect("it fits"))
            });
            lines.push(line);
        }
    }
    lines
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Machine words and the general way agree to the digit, and sums of masses are sums of lines.
    #[test]
    fn words_give_the_lines_of_the_general_way(
        (mantissa, shift) in (proptest::prelude::any::<i64>(), 0_u32..64), scale in 0_u8..=18,
        which in 0_usize..4,
    ) {
        let asked = [
            ("electricity.purchased", "kW.h", ""),
            ("fuel.combusted.stationary", "x:Sm3_15C", "natural_gas"),
            ("fuel.combusted.stationary", "L", "burning_oil"),
            ("fuel.combusted.stationary", "kW.h.x:gross", "natural_gas"),
        ];
        let (kind, unit, fuel) = asked[which];
        let (why, library) = why_of(kind, unit, fuel, &Policy::for_set(GwpSet::Sar));
        let calculator = Calculator::new(&why, &library).expect("a calculator");
        let quantity = Decimal::new(i128::from(mantissa >> shift), scale).expect("a decimal");
        let due = in_general(quantity, &why, &library);
        proptest::prop_assert_eq!(calculator.lines(quantity).expect("lines"), due.clone());
        let (mut one, mut three) = (Vec::new(), Vec::new());
        calculator.masses(quantity, &mut one).expect("masses");
        for mass in &one {
            three.push(Mass::from_units(mass.units() * 3));
        }
        for (number, line) in due.iter().enumerate() {
            let mut sum = CellValue::default();
            (0..3).for_each(|_| sum.add(&line.value()).expect("it fits"));
            proptest::prop_assert_eq!(calculator.value(number, &three, 3), Some(sum));
        }
    }
}
