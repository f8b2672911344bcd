//! Factors that an organization brought: which rows take them, and what is told of those passed over.

use super::*;
use crate::factors::own;

const HEAD: &str = "key,kind,type,boundary,supplier_code,item,item_scheme,region,per,unit,co2e,\
    basis,valid_from,valid_to,publisher,document,licence";

/// The program's packs with one of these rows besides, each `key,kind,type,…,co2e` and two days.
fn with(rows: &[&str]) -> Library {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let (told, days) = row.split_once(" from ").expect("days");
            let (from, to) = days.split_once(" to ").expect("two days");
            format!("{told},ar5,{from},{to},Publisher,Document,by letter")
        })
        .collect();
    let table = format!("{HEAD}\n{}\n", rows.join("\n"));
    let own = own::read(table.as_bytes(), Some("ours")).expect("a table").pack;
    Library::starter().expect("the compiled-in packs").with([own])
}

struct Row<'a> {
    kind: &'a str,
    unit: &'a str,
    supplier: Option<&'a str>,
    item: Option<(&'a str, Option<&'a str>)>,
    region: Option<&'a str>,
    days: [&'a str; 2],
}

const POWER: Row<'static> = Row {
    kind: "electricity.purchased",
    unit: "kW.h",
    supplier: None,
    item: None,
    region: Some("GB"),
    days: ["2022-06-01", "2022-06-30"],
};
const STEEL: Row<'static> = Row {
    kind: "goods.purchased",
    unit: "t",
    supplier: Some("acme"),
    item: Some(("SKU-1", Some("acme"))),
    ..POWER
};

fn of(row: &Row<'_>, library: &Library) -> Result<Why, Unresolved> {
    let [first, last] = row.days.map(|day| Day::parse(day).expect("a day"));
    let brings = Brings {
        supplier: row.supplier,
        item: row.item.map(|(item, _)| item),
        item_scheme: row.item.and_then(|(_, scheme)| scheme),
        ..Brings::default()
    };
    let qualifiers = BTreeMap::new();
    let Row { kind, unit, region, .. } = *row;
    let (scope, category) = (None, None);
    let question = Question {
        kind,
        unit,
        qualifiers: &qualifiers,
        region,
        first,
        last,
        scope,
        category,
        brings,
    };
    choose(&question, library, &Policy::default())
}

/// The method, tier and key of a slot.
fn slot(why: &Why, slot: Slot, library: &Library) -> (String, u8, String) {
    let choice = why.slot(slot).expect("the slot");
    let factor = library.get(&choice.factor).expect("the factor");
    (choice.method.clone(), choice.tier, factor.key.clone())
}

const RATE: &str =
    "rate,,electricity.purchased,generation,volt,,,,kWh,g,57.25 from 2022-01-01 to 2023-01-01";
const MIX: &str = "mix,residual_mix,electricity.purchased,generation,,,,GB,kWh,kg,0.3805 from 2022-01-01 to 2023-01-01";
const SHEET: &str = "sheet,supplier_pcf,goods.purchased,cradle_to_gate,acme,SKU-1,acme,,kg,kg,1.85 from 2022-01-01 to 2023-01-01";

fn without_market_of_grid(why: &Why) -> bool {
    !why.flags.contains(&ChoiceFlag::NoResidualMix)
}

#[test]
fn the_market_side_takes_the_best_tier_that_there_is() {
    let library = with(&[RATE, MIX]);
    let at = |row: &Row<'_>, library: &Library| {
        let why = of(row, library).expect("a choice");
        let location = slot(&why, Slot::S2Lb, library);
        assert!(location.2.starts_with("desnz/"), "{location:?}: the grid's side stays the grid's");
        (slot(&why, Slot::S2Mb, library), without_market_of_grid(&why))
    };
    let rate = ("electricity.supplier@1".to_owned(), 3, "own/ours/rate".to_owned());
    let mix = ("electricity.residual_mix@1".to_owned(), 4, "own/ours/mix".to_owned());
    let volt = Row { supplier: Some("volt"), ..POWER };
    assert_eq!(at(&volt, &library), (rate.clone(), true));
    let codes = Row { supplier: Some("volt-new|volt"), ..POWER };
    assert_eq!(at(&codes, &library), (rate, true), "by a code that it had");
    assert_eq!(at(&POWER, &library), (mix.clone(), true));
    assert_eq!(at(&Row { supplier: Some("spark"), ..POWER }, &library), (mix, true));
    let (fallback, flagged) = at(&volt, &with(&[SHEET]));
    assert_eq!((fallback.0.as_str(), fallback.1), ("electricity.grid_fallback@1", 5));
    assert!(!flagged);
    // Of another country the mix is nobody's, and so is a mix of another year.
    let french = with(&[&MIX.replace(",GB,", ",FR,")]);
    assert_eq!(at(&POWER, &french).0.0, "electricity.grid_fallback@1");
    let later = Row { days: ["2023-06-01", "2023-06-30"], ..POWER };
    assert_eq!(at(&later, &library).0.0, "electricity.grid_fallback@1");
}

#[test]
fn goods_take_their_suppliers_own_figure_while_it_holds() {
    let library = with(&[SHEET]);
    let why = of(&STEEL, &library).expect("a choice");
    let own = ("supplier.specific@1".to_owned(), 1, "own/ours/sheet".to_owned());
    assert_eq!(slot(&why, Slot::S3, &library), own);
    assert_eq!(why.slots[0].period_rule, "in_force");
    assert!(why.flags.contains(&ChoiceFlag::Unverified), "{:?}", why.flags);
    let nowhere = Row { region: None, ..STEEL };
    assert!(of(&nowhere, &library).is_ok(), "where the buyer is does not matter");
    let capital = Row { kind: "capital.purchased", ..STEEL };
    assert!(of(&capital, &library).is_ok());
    let refused = |row: &Row<'_>, words: &str| {
        let unresolved = of(row, &library).expect_err("nothing fits");
        assert_eq!(unresolved.code, UnresolvedCode::FactorMissing);
        assert!(unresolved.remedy.contains(words), "{}", unresolved.remedy);
        unresolved
    };
    let late = Row { days: ["2022-12-20", "2023-01-20"], ..STEEL };
    let late =
        refused(&late, "own/ours/sheet, which would fill the slot s3, holds from 2022-01-01");
    let told = late.passed_over.iter().find(|over| over.key.is_some()).expect("it is named");
    assert_eq!((told.rule.as_str(), told.key.as_deref()), ("period", Some("own/ours/sheet")));
    let early = Row { days: ["2021-12-20", "2022-01-20"], ..STEEL };
    assert!(of(&early, &library).is_ok(), "most of its days are in force");
    refused(&Row { unit: "m2", ..STEEL }, "of the supplier's own figures: no factor for");
    let stranger = refused(&Row { supplier: Some("stranger"), ..STEEL }, "");
    assert!(!stranger.remedy.contains("own/ours"), "{}", stranger.remedy);
    let other = Row { item: Some(("SKU-2", Some("acme"))), ..STEEL };
    refused(&other, "of the supplier's own figures");
}

#[test]
fn a_correction_follows_what_it_corrects_by_its_days() {
    let later = SHEET.replace("1.85 from 2022-01-01 to 2023", "1.70 from 2022-07-01 to 2023");
    let sooner = SHEET.replace("to 2023-01-01", "to 2022-07-01");
    let library = with(&[&sooner, &later]);
    let value = |days: [&'static str; 2]| {
        let why = of(&Row { days, ..STEEL }, &library).expect("a choice");
        let factor = library.get(&why.slots[0].factor).expect("the factor");
        (factor.headline(), why.passed_over.iter().filter(|over| over.rule == "period").count())
    };
    assert_eq!(value(["2022-06-30", "2022-06-30"]), ("1.85".to_owned(), 1));
    assert_eq!(value(["2022-07-01", "2022-07-01"]), ("1.70".to_owned(), 1));
    assert_eq!(value(["2022-06-30", "2022-07-01"]), ("1.70".to_owned(), 1), "a tie is the later's");
    assert!(library.borders().contains(&Day::parse("2022-07-01").expect("a day")));
}

#[test]
fn what_the_organization_brought_goes_before_what_everybody_has() {
    let own =
        "grid,,electricity.purchased,generation,,,,GB,kWh,kg,0.2 from 2022-01-01 to 2023-01-01";
    let library = with(&[own]);
    let why = of(&POWER, &library).expect("a choice");
    assert_eq!(slot(&why, Slot::S2Lb, &library).2, "own/ours/grid");
    let source = why.passed_over.iter().filter(|over| over.rule == "source");
    let keys: Vec<&str> = source.filter_map(|over| over.key.as_deref()).collect();
    assert!(keys.iter().all(|key| key.starts_with("desnz/")) && !keys.is_empty(), "{keys:?}");
    let later = Row { days: ["2024-06-01", "2024-06-30"], ..POWER };
    let why = of(&later, &library).expect("a choice");
    assert!(
        slot(&why, Slot::S2Lb, &library).2.starts_with("desnz/"),
        "out of force it is no rival"
    );
    // Where no pack of the program has a factor, the organization's own fills the gap.
    let french = with(&[&own.replace(",GB,", ",FR,")]);
    assert!(of(&Row { region: Some("FR"), ..POWER }, &french).is_ok());
    assert!(of(&Row { region: Some("FR"), ..POWER }, &library).is_err());
    let there = of(&POWER, &french).expect("a choice");
    assert!(
        slot(&there, Slot::S2Lb, &french).2.starts_with("desnz/"),
        "another country's is no rival"
    );
}

#[test]
fn two_own_figures_that_differ_are_ambiguous() {
    let twin = SHEET.replace("sheet,", "plate,").replace("1.85", "1.9");
    let unresolved = of(&STEEL, &with(&[SHEET, &twin])).expect_err("a tie");
    assert_eq!(unresolved.code, UnresolvedCode::AmbiguousFactor);
    assert!(
        unresolved.detail.contains("own/ours/plate and own/ours/sheet"),
        "{}",
        unresolved.detail
    );
    assert!(unresolved.remedy.contains("leave one out of its pack"), "{}", unresolved.remedy);
    let same = SHEET.replace("sheet,", "plate,");
    assert!(of(&STEEL, &with(&[SHEET, &same])).is_ok(), "equal values are no conflict");
}

#[test]
fn methods_say_what_they_lack_until_factors_are_there() {
    let starter = Library::starter().expect("the compiled-in packs");
    let lacks = |id: &str, kind: &str, library: &Library| {
        methods::find(id).expect("a method").lacks_among(&[kind], library)
    };
    let (goods, power) = ("goods.purchased", "electricity.purchased");
    assert_eq!(lacks("supplier.specific@1", goods, &starter), Some(methods::NO_SUPPLIER_FACTORS));
    assert_eq!(lacks("supplier.specific@1", goods, &with(&[SHEET])), None);
    assert_eq!(
        lacks("electricity.residual_mix@1", power, &starter),
        Some(methods::NO_RESIDUAL_MIX)
    );
    assert_eq!(lacks("electricity.residual_mix@1", power, &with(&[MIX])), None);
    assert!(lacks("electricity.contract@1", power, &with(&[MIX, RATE])).is_some());
}

#[test]
fn a_factor_of_methane_and_nitrous_oxide_alone_is_taken() {
    let table = "key,type,boundary,qualifiers.material,qualifiers.treatment,region,per,unit,gas.CH4,gas.N2O,basis,valid_from,valid_through,publisher,document,licence\n\
        compost,waste.treated,end_of_life,garden_waste,composting,DE,t,kg,1.4,0.074,ar5,2022-01-01,2022-12-31,UBA,uba.pdf,own\n";
    let own = own::read(table.as_bytes(), Some("ours")).expect("a table").pack;
    let library = Library::starter().expect("the compiled-in packs").with([own]);
    let words = [("material", "garden_waste"), ("treatment", "composting")];
    let qualifiers = words.map(|(name, word)| (name.to_owned(), word.to_owned())).into();
    let question = Question {
        kind: "waste.treated",
        unit: "kg",
        qualifiers: &qualifiers,
        region: Some("DE"),
        first: Day::parse("2022-06-01").expect("a day"),
        last: Day::parse("2022-06-30").expect("a day"),
        scope: None,
        category: None,
        brings: Brings::default(),
    };
    let why = choose(&question, &library, &Policy::default()).expect("a choice");
    assert_eq!(slot(&why, Slot::S3, &library).2, "own/ours/compost");
}

#[test]
fn a_stored_factor_without_the_co2_of_what_burns_is_not_taken_and_the_remedy_is_one() {
    const HEAD: &str = "pack,key,type,boundary,qualifiers.fuel,qualifiers.material,region,per,unit,gas.CH4,\
        gas.N2O,basis,valid_from,valid_through,publisher,document,licence";
    let told = |row: &str, kind: &str, words: &[(&str, &str)]| {
        let table = format!("{HEAD}\nours,part,{row},0.1,0.01,ar5,2022-01-01,2022-12-31,P,D,own\n");
        let own = own::read_stored(table.as_bytes()).expect("a table of before").pack;
        let library = Library::starter().expect("the compiled-in packs").with([own]);
        let qualifiers = words.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned()));
        let question = Question {
            kind,
            unit: "kg",
            qualifiers: &qualifiers.collect(),
            region: Some("DE"),
            first: Day::parse("2022-06-01").expect("a day"),
            last: Day::parse("2022-06-30").expect("a day"),
            scope: None,
            category: None,
            brings: Brings::default(),
        };
        choose(&question, &library, &Policy::default()).map_err(|unresolved| unresolved.remedy)
    };
    let waste = "waste.treated,end_of_life,,,DE,t,kg";
    let burnt = told(waste, "waste.treated", &[("material", "pet"), ("treatment", "combustion")]);
    let remedy = burnt.expect_err("its CO2 is unsaid");
    assert!(remedy.contains("with gas.CO2 in that row"), "{remedy}");
    for (material, treatment) in [("pet", "landfill"), ("garden_waste", "combustion")] {
        let words = [("material", material), ("treatment", treatment)];
        assert!(told(waste, "waste.treated", &words).is_ok(), "{material} {treatment}");
    }
    let any = "fuel.combusted.stationary,combustion,,,DE,t,kg";
    let remedy = told(any, "fuel.combusted.stationary", &[("fuel", "lubricants")]);
    let remedy = remedy.expect_err("its CO2 is unsaid");
    assert!(remedy.contains("with gas.CO2 and qualifiers.fuel in that row"), "{remedy}");
    assert!(!remedy.contains("0 where"), "{remedy}");
}
