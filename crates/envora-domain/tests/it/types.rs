//! The documented types are the catalogue's: a row of the table per type, in its order.

use std::fs;

use envora_domain::catalogue::{ALL, ActivityKind, Due, Need};

use crate::repository;

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

fn row(kind: &ActivityKind) -> String {
    let quantities = kind.quantities.iter().map(|quantity| format!("`{}`", quantity.example()));
    let inputs = kind.inputs.iter().map(|input| match input.due {
        Due::Always => input.name.to_owned(),
        Due::Never | Due::With(_) | Due::Beside(_) => format!("{}?", input.name),
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
