//! Every type of the catalogue: documented, with golden numbers where a method is there, and with a
//! code, a field and a remedy for each mistake that its description allows.

use std::collections::BTreeMap;
use std::fs;

use envora_domain::activities::problems::RowCode;
use envora_domain::activities::validate::validate;
use envora_domain::activities::{Activity, Input};
use envora_domain::catalogue::{ALL, ActivityKind, Due, InputSpec, Need, Quantity, Sign};
use envora_domain::catalogue::{Vocabulary, find};
use envora_domain::choice::{Brings, Policy, Question, UnresolvedCode, choose};
use envora_domain::decimal::Decimal;
use envora_domain::factors::Library;
use envora_domain::time::Day;
use serde_json::{Value, json};

use crate::methods::{GOLDEN, activity, array, text};
use crate::repository;

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

fn row(kind: &ActivityKind) -> String {
    let quantities = kind.quantities.iter().map(|quantity| format!("`{}`", quantity.example()));
    let inputs = kind.inputs.iter().map(|input| match input.due {
        Due::Always => input.name.to_owned(),
        Due::Never | Due::With(_) | Due::Only(_) | Due::Beside(_) => format!("{}?", input.name),
    });
    let qualifiers = kind.qualifiers.iter().map(|known| match known.need {
        Need::Required => known.name.to_owned(),
        Need::Derived | Need::Either => format!("{}?", known.name),
    });
    let books = kind.books.iter().map(|book| match (book.scope, book.category) {
        (0, _) => "memo".to_owned(),
        (scope, 0) => scope.to_string(),
        (scope, category) => format!("{scope}.{category}"),
    });
    let mut slots: Vec<String> = kind.slots.iter().map(|spec| spec.slot.to_string()).collect();
    slots.dedup();
    format!(
        "| `{}` | {} | {} | {} | {} | {} |",
        kind.code,
        list(quantities),
        list(inputs),
        list(qualifiers),
        list(books),
        list(slots.into_iter()),
    )
}

#[test]
fn the_documented_types_are_those_of_the_catalogue() {
    let page = fs::read_to_string(repository().join("docs/data-model.md")).expect("the page");
    let documented: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let rows: Vec<String> = ALL.iter().map(row).collect();
    assert_eq!(documented, rows, "the table should be\n{}", rows.join("\n"));
}

/// Good rows of a type: its golden ones, or one made of the examples in the catalogue.
fn good_rows(kind: &ActivityKind) -> Vec<Activity> {
    let cases: Value = serde_json::from_str(GOLDEN).expect("the golden numbers");
    let of = |case: &&Value| text(&case["row"]["kind"]) == kind.code;
    let golden: Vec<Activity> =
        array(&cases).filter(of).map(|case| activity(&case["row"])).collect();
    if !golden.is_empty() {
        return golden;
    }
    let unit = kind.quantities.first().expect("a quantity").example();
    vec![activity(&json!({"kind": kind.code, "quantity": "12.5", "unit": unit}))]
}

fn amount(quantity: &str, unit: &str) -> Input {
    Input { quantity: Decimal::parse(quantity).expect("a decimal"), unit: unit.to_owned() }
}

/// A mistake: what it changes, and the code and field that it must be told by.
struct Mistake {
    row: Activity,
    code: RowCode,
    field: String,
}

fn mistake(
    good: &Activity,
    (code, field): (RowCode, &str),
    change: impl FnOnce(&mut Activity),
) -> Mistake {
    let mut row = good.clone();
    change(&mut row);
    Mistake { row, code, field: field.to_owned() }
}

/// Mistakes that any type can be made with.
fn plain_mistakes(kind: &ActivityKind, good: &Activity) -> Vec<Mistake> {
    let other = if kind.quantities.contains(&Quantity::RoomNights) { "kg" } else { "x:room_night" };
    let of = |at, change: fn(&mut Activity)| mistake(good, at, change);
    let mut mistakes = vec![
        mistake(good, (RowCode::UnitMismatch, "/unit"), |row| row.unit = other.to_owned()),
        of((RowCode::UnknownUnit, "/unit"), |row| row.unit = "zorkmid".to_owned()),
        of((RowCode::UnknownField, "/qualifiers/colour"), |row| {
            row.qualifiers.insert("colour".to_owned(), "red".to_owned());
        }),
        of((RowCode::UnknownField, "/inputs/moons"), |row| {
            row.inputs.insert("moons".to_owned(), amount("1", "1"));
        }),
        of((RowCode::ScopeNotAllowed, "/scope"), |row| (row.scope, row.category) = (Some(4), None)),
    ];
    if kind.sign == Sign::NotNegative {
        let at = (RowCode::NegativeNotAllowed, "/quantity");
        mistakes.push(of(at, |row| row.quantity = amount("-1", "1").quantity));
    }
    mistakes
}

/// Qualifiers that are left out, and words that nobody knows: of gases, fuels, waste, treatments.
fn word_mistakes(kind: &ActivityKind, good: &Activity) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for known in kind.qualifiers {
        let field = format!("/qualifiers/{}", known.name);
        let air = good.qualifiers.get("mode").is_some_and(|mode| mode == "air");
        if known.need == Need::Required || (known.name == "rf" && air) {
            let at = (RowCode::MissingField, field.as_str());
            mistakes.push(mistake(good, at, |row| {
                row.qualifiers.remove(known.name);
            }));
        }
        if known.vocabulary != Vocabulary::Free {
            let at = (RowCode::UnknownItem, field.as_str());
            mistakes.push(mistake(good, at, |row| {
                row.qualifiers.insert(known.name.to_owned(), "phlogiston".to_owned());
            }));
        }
    }
    mistakes
}

/// Inputs that are left out, below zero, zero where they divide, of another unit, above the whole.
fn input_mistakes(kind: &ActivityKind, good: &Activity) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for known in kind.inputs {
        let InputSpec { name, quantities, due, above_zero, of_period } = *known;
        let example = quantities.first().expect("a quantity").example();
        let (at, unit) = (format!("/inputs/{name}/quantity"), format!("/inputs/{name}/unit"));
        let set = |quantity: &'static str, unit: &'static str| {
            move |row: &mut Activity| {
                row.inputs.insert(name.to_owned(), amount(quantity, unit));
            }
        };
        let at = |code| (code, at.as_str());
        mistakes.push(mistake(good, at(RowCode::NegativeNotAllowed), set("-1", example)));
        let of_other = (RowCode::UnitMismatch, unit.as_str());
        mistakes.push(mistake(good, of_other, set("1", "x:room_night")));
        if above_zero {
            mistakes.push(mistake(good, at(RowCode::WrongType), set("0", example)));
        }
        if quantities.contains(&Quantity::Share) {
            mistakes.push(mistake(good, at(RowCode::SharesNot100), set("100.5", "%")));
        }
        if of_period && good.inputs.contains_key(name) {
            mistakes.push(mistake(good, at(RowCode::WrongType), set("4000", example)));
        }
        let needed = match due {
            Due::Always => true,
            Due::Never | Due::Only(_) => false,
            Due::With(_) | Due::Beside(_) => good.inputs.contains_key(name),
        };
        let beside = match due {
            Due::Beside(other) => good.inputs.contains_key(other),
            Due::Always | Due::Never | Due::With(_) | Due::Only(_) => true,
        };
        if needed && beside {
            let field = format!("/inputs/{name}");
            mistakes.push(mistake(good, (RowCode::MissingField, field.as_str()), |row| {
                row.inputs.remove(name);
            }));
        }
    }
    mistakes
}

#[test]
fn every_type_takes_its_good_rows_and_tells_each_mistake_apart() {
    let mut told: BTreeMap<RowCode, u32> = BTreeMap::new();
    for kind in ALL {
        for good in good_rows(kind) {
            let problems = validate(&good);
            assert!(problems.is_empty(), "{}: {problems:?}", kind.code);
            let mistakes = [
                plain_mistakes(kind, &good),
                word_mistakes(kind, &good),
                input_mistakes(kind, &good),
            ];
            for Mistake { row, code, field } in mistakes.into_iter().flatten() {
                let problems = validate(&row);
                let found = problems.iter().find(|one| one.code == code && one.field == field);
                let found = found
                    .unwrap_or_else(|| panic!("{}: no {code} at {field}: {problems:?}", kind.code));
                let words = found.hint.as_deref().unwrap_or_default();
                assert!(words.len() > 5 && !found.detail.is_empty(), "{found:?}");
                *told.entry(code).or_default() += 1;
            }
        }
    }
    assert!(told.values().sum::<u32>() > 500, "{told:?}");
}

#[test]
fn every_type_with_methods_has_a_golden_row() {
    let cases: Value = serde_json::from_str(GOLDEN).expect("the golden numbers");
    let cases: Vec<(String, bool)> = array(&cases)
        .map(|case| (text(&case["row"]["kind"]), array(&case["lines"]).next().is_some()))
        .collect();
    for kind in ALL.iter().filter(|kind| !kind.slots.is_empty()) {
        let of = |(code, lines): &(String, bool)| code == kind.code && *lines;
        assert!(cases.iter().any(of), "{}", kind.code);
    }
}

#[test]
fn types_without_methods_wait_with_a_remedy() {
    let library = Library::starter().expect("the compiled-in packs");
    let day = Day::parse("2022-06-01").expect("a day");
    for kind in ALL.iter().filter(|kind| kind.slots.is_empty()) {
        let row = good_rows(kind).remove(0);
        let question = Question {
            kind: &row.kind,
            unit: &row.unit,
            qualifiers: &row.qualifiers,
            region: Some("GB"),
            first: day,
            last: day,
            scope: None,
            category: None,
            brings: Brings { price_year: Some(2022), ..Brings::default() },
        };
        let waits = choose(&question, &library, &Policy::default()).expect_err(kind.code);
        assert!(waits.detail.contains(kind.code), "{}", waits.detail);
        assert!(waits.remedy.starts_with("keep the rows"), "{}", waits.remedy);
        let spend = find("spend.purchased") == Some(kind);
        let code = if spend { UnresolvedCode::FxMissing } else { UnresolvedCode::FactorMissing };
        assert_eq!(waits.code, code, "{}", kind.code);
    }
}
