//! Waste notes: which column says what was thrown away, and which what became of it.

use envora_domain::catalogue::{self, Vocabulary};

use super::super::columns::{Column, Holds};
use super::super::roles::{SEWAGE, WASTE, has};
use super::{AMBIGUOUS, Choice, Question, Writer, quoted};

/// The columns of a table that speaks of waste, each kind of them likeliest first.
pub(super) struct Waste<'a> {
    /// What was thrown away.
    material: Vec<&'a Column>,
    /// What became of it.
    treatment: Vec<&'a Column>,
}

impl Waste<'_> {
    /// Whether cells say what becomes of waste alone: then all rows are waste.
    pub(super) fn is_sure(&self) -> bool {
        let known = |column: &&Column| is_known("treatment", column);
        !self.material.is_empty() && self.treatment.iter().any(known)
    }

    /// Whether it is one of these columns.
    pub(super) fn has(&self, column: &Column) -> bool {
        self.material.iter().chain(&self.treatment).any(|own| own.name == column.name)
    }

    /// The choice of the type, where rows may be something else.
    pub(super) fn choice(&self) -> Choice {
        let tied = |(list, columns): (&str, &[&Column])| {
            columns.first().map_or_else(
                || format!("\"qualifiers.{list}\""),
                |column| format!("\"qualifiers.{list}\" = {{ column = {} }}", quoted(&column.name)),
            )
        };
        let of = [("material", &*self.material), ("treatment", &*self.treatment)].map(tied);
        Choice {
            says: "type = \"waste.treated\"".to_owned(),
            means: format!("waste; add to [[activity]]: {}", of.join(" and ")),
        }
    }
}

impl<'a> Writer<'a> {
    /// The columns of waste notes: those that are named so; of several, those with words that we know.
    pub(super) fn waste(&self) -> Option<Waste<'a>> {
        let look: &'a super::super::Look = self.look;
        let named = |list: &str, words: &[&str], others: &[&str]| {
            let own = |column: &&Column| {
                let water = has(&column.name, SEWAGE) || has(&column.name, &["water"]);
                column.holds() == Holds::Words
                    && has(&column.name, words)
                    && !has(&column.name, others)
                    && !water
            };
            let all: Vec<&'a Column> = look.columns.iter().filter(own).collect();
            let known: Vec<&'a Column> =
                all.iter().copied().filter(|column| is_known(list, column)).collect();
            if known.is_empty() { all } else { known }
        };
        let treatment = named("treatment", TREATMENTS, &[]);
        let material = named("material", MATERIALS, TREATMENTS);
        let mut names = look.columns.iter().map(|own| own.name.as_str()).chain([self.name]);
        let mut cells = material.iter().flat_map(|column| column.texts.keys());
        let speaks = treatment.iter().any(|column| is_known("treatment", column))
            || names.any(|name| has(name, WASTE))
            || cells.any(|cell| has(cell, WASTE));
        let found = !(material.is_empty() && treatment.is_empty());
        (speaks && found).then_some(Waste { material, treatment })
    }

    /// What each row was, and what became of it.
    pub(super) fn waste_of_rows(&mut self, waste: &Waste<'a>) {
        self.qualifier("material", &waste.material);
        self.qualifier("treatment", &waste.treatment);
    }

    fn qualifier(&mut self, list: &'static str, columns: &[&Column]) {
        let Some(first) = columns.first() else { return };
        let unknown = unknown(list, first);
        if let ([column], []) = (columns, unknown.as_slice()) {
            self.line(line_of(list, column));
            let what = format!("{} is the {list}", quoted(&column.name));
            return self.reason(what, "its name says so, and its cells are words for it");
        }
        let choice = |column: &&Column| Choice {
            says: line_of(list, column),
            means: format!("such as {}", column.shown.join(", ")),
        };
        let shown: Vec<String> = unknown.iter().take(TOLD).map(|text| quoted(text)).collect();
        let asks = match (columns, shown.join(", ")) {
            ([column], shown) => format!(
                "{} is the {list}, and {shown} no word for one: put one in the place of each …, {}",
                quoted(&column.name),
                words_of(list)
            ),
            (columns, _) => {
                let names: Vec<String> =
                    columns.iter().map(|column| quoted(&column.name)).collect();
                format!(
                    "{} may each be the {list}: which is it? Where there is a …, put a word in its place, {}",
                    names.join(" and "),
                    words_of(list)
                )
            }
        };
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: first.name.clone(),
            asks,
            line: 0,
            choices: columns.iter().map(choice).collect(),
        });
    }
}

/// Whether any cell is a word of the list.
fn is_known(list: &str, column: &Column) -> bool {
    column.texts.keys().any(|text| catalogue::word(list, text).is_some())
}

/// The cells that are no word of the list.
fn unknown<'a>(list: &str, column: &'a Column) -> Vec<&'a str> {
    let texts = column.texts.keys().map(String::as_str);
    texts.filter(|text| catalogue::word(list, text).is_none()).collect()
}

/// The line that ties a column, with a translation of each cell that is no word; what nobody can know
/// is left for the user to say, and refused as it stands.
fn line_of(list: &'static str, column: &Column) -> String {
    let word = |text: &str| {
        // `Metal` is metals; `Food` is not wood, however little tells them apart.
        let lower = text.to_lowercase();
        let is_form = |near: &&str| near.starts_with(&lower) || lower.starts_with(*near);
        let near = || Vocabulary::List(list).near(text).filter(is_form);
        let burnt = list == "treatment" && has(text, BURNT);
        if burnt { "combustion" } else { near().unwrap_or("…") }
    };
    let pairs: Vec<String> = unknown(list, column)
        .into_iter()
        .map(|text| format!("{} = {}", quoted(text), quoted(word(text))))
        .collect();
    let map = match pairs.as_slice() {
        [] => String::new(),
        pairs => format!(", map = {{ {} }}", pairs.join(", ")),
    };
    format!("\"qualifiers.{list}\" = {{ column = {}{map} }}", quoted(&column.name))
}

/// Which words there are, where they are few.
fn words_of(list: &str) -> String {
    let words: Vec<&str> = catalogue::words_of(list).collect();
    if words.len() <= WORDS_MAX {
        return format!("of {}", words.join(", "));
    }
    let first: Vec<&str> = words.iter().take(TOLD).copied().collect();
    format!("such as {}; docs/words.md lists them", first.join(", "))
}

/// How many words are told of many.
const TOLD: usize = 5;
/// How many words are all told.
const WORDS_MAX: usize = 12;

/// Words for a column that says what was thrown away.
const MATERIALS: &[&str] = &[
    "material",
    "materials",
    "waste",
    "stream",
    "fraction",
    "abfall",
    "abfallart",
    "materiaal",
    "afval",
    "afvalstroom",
    "residuo",
    "residuos",
    "dechet",
    "dechets",
    "rifiuto",
    "rifiuti",
];

/// Words for a column that says what became of it.
const TREATMENTS: &[&str] = &[
    "treatment",
    "destination",
    "disposal",
    "disposed",
    "fate",
    "recovery",
    "behandlung",
    "entsorgung",
    "verwertung",
    "verwerking",
    "tratamiento",
    "traitement",
    "trattamento",
];

/// Words for a fire that waste is brought to.
const BURNT: &[&str] = &[
    "efw",
    "erf",
    "wte",
    "incineration",
    "incinerated",
    "incinerator",
    "energy",
    "burnt",
    "burned",
    "verbrennung",
];
