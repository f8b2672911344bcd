//! The page of all words: made of the catalogue, and committed.

use core::fmt::Write as _;

use envora_api::codes::row_text;
use envora_domain::activities::problems::{Effect, Flag, RowCode};
use envora_domain::catalogue::{self, ActivityKind, Need, Quantity, Sign, Vocabulary, words_of};
use envora_domain::gwp::GwpSet;
use envora_domain::methods;
use envora_domain::units::{AliasSet, lookup, refused_words, words};

const COMMITTED: &str = "../../docs/words.md";

fn quantities(all: &[Quantity]) -> String {
    let one = |quantity: &Quantity| format!("{} (`{}`)", quantity.name(), quantity.example());
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn inputs(kind: &ActivityKind) -> String {
    let one =
        |input: &catalogue::InputSpec| format!("`{}` {}", input.name, quantities(input.quantities));
    kind.inputs.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn qualifiers(kind: &ActivityKind) -> String {
    let one = |known: &catalogue::Qualifier| {
        let needed = if known.need == Need::Required { ", needed" } else { "" };
        let words = match known.vocabulary {
            Vocabulary::Free => "any text".to_owned(),
            Vocabulary::Year => "a year".to_owned(),
            Vocabulary::Fuels => "words of `fuel`".to_owned(),
            Vocabulary::List(list) => format!("words of `{list}`"),
        };
        format!("`{}` ({words}{needed})", known.name)
    };
    kind.qualifiers.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn books(kind: &ActivityKind) -> String {
    let one = |book: &catalogue::Book| match (book.scope, book.category) {
        (0, _) => "memo".to_owned(),
        (scope, 0) => format!("scope {scope}"),
        (scope, category) => format!("{scope}.{category}"),
    };
    kind.books.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn types(text: &mut String) {
    text.push_str("## Activity types\n\n");
    text.push_str("What a row may be (`type`), what its `quantity` is an amount of, with a unit such as may be written there, and where it is\nbooked; of several the first, unless `scope` and `category` say another. Below zero are only those that say so.\n\n");
    text.push_str("| type | quantity | inputs | qualifiers | booked to |\n|---|---|---|---|---|\n");
    for kind in catalogue::ALL {
        let signed = if kind.sign == Sign::Any { ", may be below zero" } else { "" };
        let amount = quantities(kind.quantities);
        let _ok = writeln!(
            text,
            "| `{}` | {amount}{signed} | {} | {} | {} |",
            kind.code,
            inputs(kind),
            qualifiers(kind),
            books(kind)
        );
    }
}

/// The lists that qualifiers take their words from.
fn lists() -> Vec<&'static str> {
    let all = catalogue::ALL.iter().flat_map(|kind| kind.qualifiers);
    let mut lists: Vec<&str> = all.filter_map(|known| known.vocabulary.list()).collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}

fn words_of_lists(text: &mut String) {
    text.push_str("\n## Words of qualifiers\n\n");
    text.push_str("Letters and digits alone decide: `R-134a` and `r134a` are one word. Publishers' words for them are understood too.\n\n");
    text.push_str("| list | words |\n|---|---|\n");
    for list in lists() {
        let words: Vec<&str> = words_of(list).collect();
        let _ok = writeln!(text, "| `{list}` | {} |", words.join(", "));
    }
}

fn units(text: &mut String) {
    text.push_str("\n## Units\n\n");
    text.push_str("Any UCUM code is understood; with `x:` begin those that UCUM has none for. Of these words, in whatever case, each means one\nthing everywhere:\n\n| code | as people write it |\n|---|---|\n");
    let mut codes: Vec<&str> = words().map(|(_, code)| code).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        let written: Vec<&str> =
            words().filter(|(_, of)| *of == code).map(|(word, _)| word).collect();
        let _ok = writeln!(text, "| `{code}` | {} |", written.join(", "));
    }
    text.push_str("\nThese are refused, because they mean several things; `alias_set` of a mapping settles some of them:\n\n| written | asks | write |\n|---|---|---|\n");
    for (written, why, meanings) in refused_words() {
        let meanings: Vec<String> = meanings.iter().map(|code| format!("`{code}`")).collect();
        let _ok = writeln!(text, "| {} | {why} | {} |", written.join(", "), meanings.join(", "));
    }
}

fn calculation(text: &mut String) {
    text.push_str("\n## Methods\n\n| method | formula |\n|---|---|\n");
    for method in methods::ALL {
        let _ok = writeln!(text, "| `{}` | {} |", method.id, method.formula);
    }
    text.push_str("\n## GWP sets\n\n");
    let sets: Vec<String> = GwpSet::ALL.iter().map(|set| format!("`{}`", set.as_str())).collect();
    let _ok = writeln!(
        text,
        "{}. `published` is each factor as its publisher printed it.",
        sets.join(", ")
    );
}

fn codes(text: &mut String) {
    text.push_str("\n## Codes of rows\n\n| code | the row | what it says |\n|---|---|---|\n");
    for code in RowCode::ALL {
        let effect = match code.effect() {
            Effect::Reject => "is refused",
            Effect::Quarantine => "is stored and waits",
            Effect::Unresolve => "is stored and counts nowhere",
        };
        let _ok = writeln!(text, "| `{code}` | {effect} | {} |", row_text(code.as_str()));
    }
    text.push_str("\n## Flags\n\n| flag | what it says |\n|---|---|\n");
    for flag in Flag::ALL {
        let _ok = writeln!(text, "| `{flag}` | {} |", row_text(flag.as_str()));
    }
}

fn page() -> String {
    let mut text = "# All words\n\nWhat rows may say, and what is said of them. This page is made of the program's own catalogue: `cargo xtask gen openapi` renews it.\n\n".to_owned();
    types(&mut text);
    words_of_lists(&mut text);
    units(&mut text);
    calculation(&mut text);
    codes(&mut text);
    text
}

#[test]
fn the_committed_description_of_all_words_is_current() {
    let text = page();
    if std::env::args().any(|argument| argument == "write_openapi") {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == text, "docs/words.md is not current: `cargo xtask gen openapi` writes it");
}

#[test]
fn every_word_of_the_catalogue_is_on_the_page() {
    let page = page();
    for kind in catalogue::ALL {
        assert!(page.contains(&format!("| `{}` |", kind.code)), "{}", kind.code);
        for known in kind.qualifiers {
            let list = known.vocabulary.list();
            assert!(list.is_none_or(|list| page.contains(&format!("| `{list}` |"))), "{list:?}");
        }
    }
    for (word, code) in words() {
        assert_eq!(lookup(word, AliasSet::None).as_deref(), Ok(code), "{word}");
    }
    for (code, meant) in RowCode::ALL.iter().map(|code| (code, row_text(code.as_str()))) {
        assert!(!meant.is_empty(), "{code} says nothing");
    }
    for flag in Flag::ALL {
        assert!(!row_text(flag.as_str()).is_empty(), "{flag} says nothing");
    }
}
