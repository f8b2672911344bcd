//! What was used: one thing for the whole table, or one that a column tells row by row.

use std::collections::{BTreeMap, BTreeSet};

use envora_domain::catalogue;
use envora_domain::decimal::count_of;
use envora_domain::units::{self, AliasSet, Base, Dimension};

use super::super::columns::{Column, Holds};
use super::super::roles::{
    Carrier, Role, SEWAGE, WASTE, carrier, has, named, plain_carrier, said, says_what, unit_of,
    words,
};
use super::waste::Waste;
use super::{AMBIGUOUS, Choice, MISSING, Question, Writer, quoted};

/// What the rows of a table are.
enum Kinds<'a> {
    /// All of them one thing, as names and cells say.
    One(Carrier),
    /// Those of which this column says it are one thing; of the others it says nothing.
    Partly(Carrier, &'a Column),
    /// What this column says, in Envora's own words for types.
    Typed(&'a Column),
    /// Several things, which this column tells apart.
    Apart(&'a Column),
    /// Waste, by what became of it.
    Waste(Waste<'a>),
    /// Nothing says it for sure.
    Open,
}

/// A type, and the fuel where it is about one.
type Kind = (&'static str, Option<&'static str>);

impl<'a> Writer<'a> {
    /// Columns of words, neither of places nor of meters.
    fn words(&self) -> impl Iterator<Item = &'a Column> + use<'a> {
        let look: &'a super::super::Look = self.look;
        look.columns.iter().filter(|column| {
            column.holds() == Holds::Words
                && !column.many
                && (says_what(column)
                    || ![said::FACILITY, said::SOURCE].iter().any(|said| has(&column.name, said)))
        })
    }

    /// The columns that speak of gases of refrigeration and the like: by any of their cells, or else by their
    /// names. "Natural gas" is none of them.
    fn gases(&self) -> Vec<&'a Column> {
        let unit = named(&self.look.columns, Role::Unit).map(|unit| unit.name.as_str());
        let all = || self.words().filter(|column| unit != Some(column.name.as_str()));
        let told: Vec<&Column> =
            all().filter(|column| column.texts.keys().any(|text| is_gas(text))).collect();
        if told.is_empty() {
            all().filter(|column| speaks_of_gases(&column.name)).collect()
        } else {
            told
        }
    }

    fn kinds(&self) -> Kinds<'a> {
        let of_types = |column: &&Column| {
            column.filled > 0 && column.texts.keys().all(|text| catalogue::find(text).is_some())
        };
        if let Some(column) = self.words().find(of_types) {
            return Kinds::Typed(column);
        }
        if let Some(waste) = self.waste().filter(Waste::is_sure) {
            return Kinds::Waste(waste);
        }
        let mut cells = self.look.columns.iter().flat_map(|column| column.texts.keys());
        if !self.gases().is_empty() || cells.any(|text| catalogue::find(text).is_some()) {
            // It is not for one word of a heading to say what each row says for itself.
            return Kinds::Open;
        }
        if let Some(column) = self.words().find(tells_kinds_apart) {
            return Kinds::Apart(column);
        }
        if let Some(named) = carrier(self.names().filter(|name| !speaks_of_other_gas(name))) {
            return if self.may_be(named) { Kinds::One(named) } else { Kinds::Open };
        }
        let told = carrier(self.words().flat_map(same_thing));
        let Some(told) = told.filter(|found| self.may_be(*found)) else { return Kinds::Open };
        let mut tell =
            self.words().filter(|column| carrier(same_thing(column).into_iter()).is_some());
        let first = tell.next();
        match first.filter(|first| first.unsaid() > 0 && tell.all(|other| other.unsaid() > 0)) {
            Some(column) => Kinds::Partly(told, column),
            None => Kinds::One(told),
        }
    }

    /// The names that may say what was used. A column that is called gas says so of its numbers, and
    /// only where it says more than that one word: what gas, its unit, its meter.
    fn names(&self) -> impl Iterator<Item = &str> {
        let says = |column: &&Column| {
            let gas = carrier(std::iter::once(column.name.as_str())) == Some(Carrier::Gas);
            let measured = column.holds().numbers().is_some() || has(&column.name, said::SOURCE);
            !gas || (measured && !matches!(words(&column.name).as_slice(), [_]))
                || has(&column.name, NATURAL)
        };
        let columns = self.look.columns.iter().filter(says).map(|column| column.name.as_str());
        columns.chain([self.name])
    }

    /// Whether what is measured fits: natural gas comes neither by the kilogram nor by the litre, and what goes
    /// down the drain was not supplied.
    fn may_be(&self, found: Carrier) -> bool {
        let amounts = self.amounts();
        match found {
            Carrier::Electricity => true,
            Carrier::Gas => {
                let column = named(&self.look.columns, Role::Unit);
                let cells = column.into_iter().flat_map(|column| column.texts.keys().cloned());
                let mut units = amounts.iter().copied().filter_map(unit_of).chain(cells);
                !units.any(|unit| is_no_gas_unit(&unit))
            }
            Carrier::Water => !amounts.iter().any(|column| has(&column.name, SEWAGE)),
        }
    }

    /// What all rows are, where one thing is.
    pub(super) fn carrier(&self) -> Option<Carrier> {
        match self.kinds() {
            Kinds::One(found) | Kinds::Partly(found, _) => Some(found),
            Kinds::Typed(_) | Kinds::Apart(_) | Kinds::Waste(_) | Kinds::Open => None,
        }
    }

    /// Whether natural gas is, or is among, what was used.
    pub(super) fn burns_gas(&self) -> bool {
        match self.kinds() {
            Kinds::One(found) | Kinds::Partly(found, _) => found == Carrier::Gas,
            Kinds::Apart(column) => column
                .texts
                .keys()
                .any(|text| matches!(kind_of(text), Some((_, Some("natural_gas"))))),
            Kinds::Typed(_) | Kinds::Waste(_) | Kinds::Open => false,
        }
    }

    /// The type of all rows, under `[const]`.
    pub(super) fn kind(&mut self) {
        let (lines, what) = match self.kinds() {
            Kinds::One(found) => lines_of(found),
            Kinds::Waste(_) => (&["type = \"waste.treated\""] as &[&str], "waste"),
            Kinds::Typed(_) | Kinds::Apart(_) | Kinds::Partly(..) => return,
            Kinds::Open => {
                let (choices, gases) = (self.types(), self.gases());
                let names: Vec<String> = gases.iter().map(|own| quoted(&own.name)).collect();
                let which = match names.as_slice() {
                    [] | [_] => String::new(),
                    names => format!(
                        " {} name gases: if one was topped up, which column names that?",
                        names.join(" and ")
                    ),
                };
                return self.ask(Question {
                    code: MISSING.to_owned(),
                    column: String::new(),
                    asks: format!("what is it that was used?{which}"),
                    line: 0,
                    choices,
                });
            }
        };
        for line in lines {
            self.line(line);
        }
        self.reason(what, "a name or a cell says so");
    }

    /// The type of each row, under `[[activity]]`.
    pub(super) fn kind_of_rows(&mut self) {
        match self.kinds() {
            Kinds::Typed(column) => {
                let name = quoted(&column.name);
                self.line(format!("type = {{ column = {name} }}"));
                self.reason(format!("{name} is the type"), "every cell is one");
            }
            Kinds::Apart(column) => self.apart(column),
            Kinds::Partly(found, column) => self.partly(found, column),
            Kinds::Waste(waste) => self.waste_of_rows(&waste),
            Kinds::One(_) | Kinds::Open => {}
        }
    }

    /// Whether this column was asked about already, as one that tells kinds of rows apart.
    pub(super) fn is_apart(&self, column: &Column) -> bool {
        match self.kinds() {
            Kinds::Apart(own) | Kinds::Partly(_, own) => own.name == column.name,
            Kinds::Waste(waste) => waste.has(column),
            Kinds::One(_) | Kinds::Typed(_) | Kinds::Open => false,
        }
    }

    /// Whether all rows are waste.
    pub(super) fn is_waste(&self) -> bool {
        matches!(self.kinds(), Kinds::Waste(_))
    }

    /// Rows of which the column that tells what was used says nothing are not taken for what the others are.
    fn partly(&mut self, found: Carrier, column: &Column) {
        let (lines, what) = lines_of(found);
        let (name, lines) = (quoted(&column.name), lines.join("\n"));
        let texts: Vec<String> = column.texts.keys().map(|text| quoted(text)).collect();
        let (blank, texts) = (rows_where(column.unsaid()), texts.join(", "));
        let choice = |says: String, means: &str| Choice { says, means: means.to_owned() };
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: column.name.clone(),
            asks: format!("{name} says {what}, and is blank in {blank}: what are those?"),
            line: 0,
            choices: vec![
                choice(lines.clone(), &format!("{what} too: all rows are")),
                choice(
                    format!("when = {{ column = {name}, in = [{texts}] }}\n{lines}"),
                    "something else, or nobody knows: they are left out, and counted as such",
                ),
            ],
        });
    }

    fn apart(&mut self, column: &Column) {
        let mut groups: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
        let mut unknown = Vec::new();
        for text in column.texts.keys() {
            match kind_of(text) {
                Some(kind) => groups.entry(kind).or_default().push(text),
                None => unknown.push(text.as_str()),
            }
        }
        let name = quoted(&column.name);
        let when = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("when = {{ column = {name}, in = [{}] }}", texts.join(", "))
        };
        let mut choices = Vec::new();
        for ((kind, fuel), texts) in groups {
            let mut add = |kind: &str, means: String| {
                let fuel = fuel
                    .map_or(String::new(), |fuel| format!("\n\"qualifiers.fuel\" = \"{fuel}\""));
                let says = format!("{}\ntype = \"{kind}\"{fuel}", when(&texts));
                choices.push(Choice { says, means });
            };
            let shown = texts.join(", ");
            match fuel {
                Some("natural_gas") | None => add(kind, shown),
                Some(_) => {
                    add(kind, format!("{shown}: burnt in a boiler or a generator"));
                    add(
                        "fuel.combusted.mobile",
                        format!("{shown}: burnt in vehicles and machines"),
                    );
                }
            }
        }
        let more = match unknown.as_slice() {
            [] => String::new(),
            texts => format!(
                "; what {} is, only you can tell",
                texts
                    .iter()
                    .take(UNKNOWN_TOLD)
                    .map(|text| quoted(text))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        let blank = match column.unsaid() {
            0 => String::new(),
            rows => format!(
                "; it is blank in {}, which no [[activity]] takes: fill it in there, or they are left out",
                rows_where(rows)
            ),
        };
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: column.name.clone(),
            asks: format!(
                "{name} tells several things apart: write an [[activity]] for each, with the lines below it; which is this one{more}{blank}?"
            ),
            line: 0,
            choices,
        });
    }

    /// The fuels that names and cells speak of.
    fn fuels(&self) -> BTreeSet<&'static str> {
        let names = self.look.columns.iter().flat_map(|column| words(&column.name));
        let cells = self.words().flat_map(|column| column.texts.keys().cloned());
        names.chain(cells).filter_map(|text| catalogue::word("fuel", &text)).collect()
    }

    /// What an activity may be that no name tells for sure: what a name speaks of stands first.
    fn types(&self) -> Vec<Choice> {
        let choice = |says: &str, means: &str| Choice {
            says: format!("type = \"{says}\""),
            means: means.to_owned(),
        };
        let names = || self.look.columns.iter().map(|column| column.name.as_str());
        let mut choices = Vec::new();
        for column in self.gases() {
            let means = format!(
                "refrigerant that was topped up; add to [[activity]]: \"qualifiers.gas\" = {{ column = {:?} }}",
                column.name
            );
            choices.push(choice("refrigerant.recharged", &means));
        }
        let waste = self.waste();
        choices.extend(waste.iter().map(Waste::choice));
        if let Some(fuel) = self.fuels().first() {
            let burnt = |kind: &str, means: &str| Choice {
                says: format!("type = \"{kind}\"\n\"qualifiers.fuel\" = \"{fuel}\""),
                means: means.to_owned(),
            };
            choices.push(burnt("fuel.combusted.mobile", "burnt in vehicles and machines"));
            choices.push(burnt("fuel.combusted.stationary", "burnt in a boiler or a generator"));
        }
        if names().any(|name| has(name, SEWAGE)) {
            choices.push(choice("water.treated", "waste water, as it leaves to be treated"));
        }
        if waste.is_none() && names().any(|name| has(name, WASTE)) {
            let means = "waste; add \"qualifiers.material\" and \"qualifiers.treatment\"";
            choices.push(choice("waste.treated", means));
        }
        choices.push(choice("electricity.purchased", "electricity"));
        if choices.len() < 3 {
            choices.push(choice("fuel.combusted.stationary", "fuel; add \"qualifiers.fuel\""));
        }
        choices.push(choice("water.supplied", "water"));
        choices
    }
}

/// The lines that say what all rows are, and that in words.
const fn lines_of(carrier: Carrier) -> (&'static [&'static str], &'static str) {
    match carrier {
        Carrier::Electricity => (&["type = \"electricity.purchased\""], "electricity"),
        Carrier::Gas => (
            &["type = \"fuel.combusted.stationary\"", "\"qualifiers.fuel\" = \"natural_gas\""],
            "natural gas",
        ),
        Carrier::Water => (&["type = \"water.supplied\""], "water"),
    }
}

fn rows_where(rows: u64) -> String {
    count_of(rows, "row", "rows")
}

/// How many cells are named whose kind no word of ours tells.
const UNKNOWN_TOLD: usize = 5;

/// Words that say natural gas, and no other.
const NATURAL: &[&str] = &["natural", "erdgas", "aardgas", "mprn"];

/// Words beside "gas" that say it is another: gas oil, F-gas, greenhouse gas, gas in bottles.
const OTHER_GAS: &[&str] = &[
    "oil",
    "refrigerant",
    "refrigerants",
    "f",
    "fgas",
    "greenhouse",
    "lp",
    "lpg",
    "bottle",
    "bottled",
    "bottles",
    "cylinder",
    "cylinders",
    "calor",
    "propane",
    "butane",
    "shielding",
    "welding",
    "landfill",
    "exhaust",
    "flue",
    "medical",
    "emission",
    "emissions",
    "type",
];

/// Words for a column of gases that leak.
const GASES: &[&str] =
    &["refrigerant", "refrigerants", "fgas", "kaltemittel", "koudemiddel", "refrigerante"];

/// Words for a column that says what a row is about.
const KINDS: &[&str] = &[
    "type",
    "kind",
    "fuel",
    "utility",
    "commodity",
    "product",
    "activity",
    "energy",
    "service",
    "medium",
    "resource",
    "gas",
    "carrier",
    "energietrager",
    "art",
    "produkt",
    "producto",
    "brandstof",
    "combustible",
    "energie",
];

fn speaks_of_gases(name: &str) -> bool {
    let all = words(name);
    has(name, GASES)
        || all.windows(2).any(|two| matches!(two, [f, gas] if f == "f" && gas == "gas"))
}

fn speaks_of_other_gas(name: &str) -> bool {
    carrier(std::iter::once(name)) == Some(Carrier::Gas) && has(name, OTHER_GAS)
}

/// Whether a cell is a gas that leaks: a word of ours, or written like a refrigerant's number.
fn is_gas(text: &str) -> bool {
    catalogue::word("gas", text).is_some() || is_refrigerant(text)
}

/// `R-410A`, `R448A`, `HFC-134a`, `R-410A (HFC)`.
fn is_refrigerant(text: &str) -> bool {
    let text = text.trim().to_ascii_uppercase();
    let number = |rest: &str| {
        let rest = rest.trim_start_matches(['-', ' ', '_']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let rest = rest.get(digits..).unwrap_or_default();
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let end = rest.get(letters..).unwrap_or_default();
        (2..=4).contains(&digits) && letters <= 3 && !end.starts_with(['-', '_', '/'])
    };
    ["HCFC", "HCFO", "HFC", "HFO", "CFC", "PFC", "R"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .is_some_and(number)
}

/// What a cell says that it is about.
fn kind_of(text: &str) -> Option<Kind> {
    let own = catalogue::word("fuel", text).map(|fuel| ("fuel.combusted.stationary", Some(fuel)));
    own.or_else(|| match plain_carrier(text)? {
        Carrier::Electricity => Some(("electricity.purchased", None)),
        Carrier::Gas => Some(("fuel.combusted.stationary", Some("natural_gas"))),
        Carrier::Water => Some(("water.supplied", None)),
    })
}

/// Whether a column's cells name several things, or one and others under a name that promises as much.
fn tells_kinds_apart(column: &&Column) -> bool {
    let known: Vec<Kind> = column.texts.keys().filter_map(|text| kind_of(text)).collect();
    let different: BTreeSet<&Kind> = known.iter().collect();
    match different.len() {
        0 => false,
        1 => known.len() < column.texts.len() && has(&column.name, KINDS),
        _ => known.len() * 2 >= column.texts.len() || has(&column.name, KINDS),
    }
}

/// The cells of a column that may say for all rows what was used: of gas only where each of them says it.
fn same_thing(column: &Column) -> Vec<&str> {
    let cells = || column.texts.keys().map(String::as_str);
    let gas = |text: &str| carrier(std::iter::once(text)) == Some(Carrier::Gas);
    if cells().any(gas) && !cells().all(|text| plain_carrier(text) == Some(Carrier::Gas)) {
        return Vec::new();
    }
    cells().collect()
}

/// Whether nobody measures natural gas in it.
fn is_no_gas_unit(text: &str) -> bool {
    let Ok(code) = units::lookup(text, AliasSet::None) else { return false };
    let mass = Dimension::of(&[(Base::Mass, 1)]);
    code == "L" || units::parse_code(&code).is_ok_and(|unit| *unit.dimension() == mass)
}
