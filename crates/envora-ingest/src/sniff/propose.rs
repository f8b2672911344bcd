//! A mapping for a file that was looked at: what is sure, why, and what has to be asked.

mod activity;

use envora_api::proposals::{
    MappingProposal, ProposalChoice as Choice, ProposalQuestion as Question,
    ProposalReason as Reason,
};
use envora_domain::catalogue;

use super::columns::Column;
use super::roles::{Carrier, Role, WASTE, carrier, has, named, words};
use super::steps;
use super::wide::{self, Label, Wide};
use super::{Header, Look};
use crate::mapping::Encoding;

/// Two readings fit.
const AMBIGUOUS: &str = "ambiguous_format";
/// The file does not say a thing at all.
const MISSING: &str = "missing_field";

/// Proposes a mapping of this name.
#[must_use]
pub fn propose(look: &Look, name: &str) -> MappingProposal {
    let wide = wide::find(look.columns.iter().map(|column| column.name.as_str()));
    let mut writer = Writer {
        look,
        name,
        wide,
        proposal: MappingProposal { rows: look.records, ..MappingProposal::default() },
    };
    writer.head();
    writer.constants();
    writer.activity();
    writer.intervals();
    writer.seal()
}

struct Writer<'a> {
    look: &'a Look,
    name: &'a str,
    wide: Option<Wide>,
    proposal: MappingProposal,
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Writer<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.proposal.mapping.push_str(text.as_ref());
        self.proposal.mapping.push('\n');
    }

    fn reason(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.proposal.reasons.push(Reason { what: what.into(), why: why.into() });
    }

    /// Asks, and writes the choices down as comments.
    fn ask(&mut self, question: Question) {
        let at =
            if question.line > 0 { format!(" (line {})", question.line) } else { String::new() };
        self.line(format!("# ? {}{at}", question.asks));
        for choice in &question.choices {
            let mut lines = choice.says.lines();
            let first = lines.next().unwrap_or_default();
            self.line(format!("# {first:<44} # {}", choice.means));
            for line in lines {
                self.line(format!("# {line}"));
            }
        }
        self.proposal.questions.push(question);
    }

    /// A mapping with open questions is none before somebody says that they are answered.
    fn seal(mut self) -> MappingProposal {
        let open = self.proposal.questions.len();
        if open > 0 {
            let line = format!(
                "unanswered = {open}   # delete this line when every line with # ? is answered\n"
            );
            self.proposal.mapping.insert_str(0, &line);
        }
        self.proposal
    }

    fn is_interval(&self, column: &Column) -> bool {
        self.wide.as_ref().is_some_and(|wide| wide.columns.contains(&column.name))
    }

    fn head(&mut self) {
        self.line(format!("mapping = {}", quoted(self.name)));
        self.line("format = \"csv\"");
        self.line("");
        self.line("[file]");
        self.text();
        self.rows();
        self.doubts();
        self.line("");
    }

    /// How the bytes are text, and cells.
    fn text(&mut self) {
        let look = self.look;
        if look.encoding == Encoding::Windows1252 {
            self.line("encoding = \"windows-1252\"");
            let why =
                format!("line {} is not UTF-8, and every byte is a letter there", look.not_utf8);
            self.reason("Windows-1252", why);
        }
        let sign = char::from(look.delimiter);
        let shown = if sign == '\t' { "\\t".to_owned() } else { sign.to_string() };
        self.line(format!("delimiter = \"{shown}\""));
        let why = if look.delimiter_declared {
            "its first line says so"
        } else {
            "it makes the most even table"
        };
        self.reason(format!("{shown:?} between cells"), why);
        let skip = look.skip_lines + u64::from(look.delimiter_declared && look.skip_lines > 0);
        if skip > 0 {
            self.line(format!("skip_lines = {skip}"));
            let (lines, why) = match skip {
                1 => ("1 line".to_owned(), "it is no part of the table"),
                _ => (format!("{skip} lines"), "they are no part of the table"),
            };
            self.reason(format!("{lines} before the header"), why);
        }
        if look.units_row {
            self.line("units_row = true");
            self.reason("a row of units", "it names units over columns of numbers");
        }
        let nulls = self.nulls();
        if !nulls.is_empty() {
            let words: Vec<String> = nulls.iter().map(|word| quoted(word)).collect();
            self.line(format!("null = [{}]", words.join(", ")));
            self.reason(
                format!("{} say \"no value\"", words.join(", ")),
                "as cells, they stand for nothing else",
            );
        }
    }

    /// Rows that are no rows.
    fn rows(&mut self) {
        let look = self.look;
        for total in look.totals.iter().take(1) {
            self.reason(
                format!("line {} sums others up", total.line),
                format!("its first cell is {:?}: it is listed, never counted", total.text),
            );
        }
        if let (count @ 1.., shown) = &look.remarks {
            let first = shown
                .first()
                .map_or_else(String::new, |own| format!("line {}: {:?}", own.line, own.text));
            self.reason(
                format!("{count} rows of one cell"),
                format!("remarks, it seems ({first}): each will be refused as a row"),
            );
        }
        if let (count @ 1.., lines) = &look.misshapen {
            let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
            self.reason(
                format!("{count} rows of another length"),
                format!("lines {}: each will be refused as a row", lines.join(", ")),
            );
        }
    }

    fn doubts(&mut self) {
        let look = self.look;
        if let Some(rival) = look.delimiter_rival {
            let says = |sign: u8| Choice {
                says: format!("delimiter = {}", quoted(&char::from(sign).to_string())),
                means: "between cells".to_owned(),
            };
            self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: String::new(),
                asks: "two signs between cells make nearly the same table".to_owned(),
                line: 0,
                choices: vec![says(look.delimiter), says(rival)],
            });
        }
        if look.header == Header::Absent {
            self.ask(Question {
                code: MISSING.to_owned(),
                column: String::new(),
                asks:
                    "the first line is a row already: put a line with the columns' names before it"
                        .to_owned(),
                line: 1,
                choices: Vec::new(),
            });
        }
    }

    fn nulls(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.look.columns.iter().flat_map(|column| column.nulls.keys().cloned()).collect();
        words.sort();
        words.dedup();
        words
    }

    /// The column whose cells name gases of refrigeration and the like: all of them, so that "natural gas" is
    /// no such column.
    fn gases(&self) -> Option<&str> {
        let names_gases = |column: &&Column| {
            let mut texts = column.texts.keys();
            !column.many
                && !column.texts.is_empty()
                && texts.all(|text| catalogue::word("gas", text).is_some())
        };
        self.look.columns.iter().find(names_gases).map(|column| column.name.as_str())
    }

    fn carrier(&self) -> Option<Carrier> {
        let columns = &self.look.columns;
        let says_types = columns.iter().flat_map(|column| column.texts.keys());
        if self.gases().is_some()
            || says_types.into_iter().any(|text| catalogue::find(text).is_some())
        {
            // It is not for one word of a heading to say what each row says for itself.
            return None;
        }
        let kinds = columns.iter().filter(|column| !column.many);
        let names = columns.iter().map(|column| column.name.as_str()).chain([self.name]);
        carrier(names).or_else(|| {
            let cells = kinds.flat_map(|column| column.texts.keys().map(String::as_str));
            carrier(cells)
        })
    }

    /// What an activity may be that no name tells for sure: what a name speaks of stands first.
    fn types(&self) -> Vec<Choice> {
        let choice = |says: &str, means: &str| Choice {
            says: format!("type = \"{says}\""),
            means: means.to_owned(),
        };
        let names = || self.look.columns.iter().map(|column| column.name.as_str());
        let mut choices = Vec::new();
        if let Some(column) = self.gases() {
            let means = format!(
                "refrigerant that was topped up; add to [[activity]]: \"qualifiers.gas\" = {{ column = {column:?} }}"
            );
            choices.push(choice("refrigerant.recharged", &means));
        }
        if let Some(fuel) = names().flat_map(words).find_map(|word| catalogue::word("fuel", &word))
        {
            let burnt = |kind: &str, means: &str| Choice {
                says: format!("type = \"{kind}\"\n\"qualifiers.fuel\" = \"{fuel}\""),
                means: means.to_owned(),
            };
            choices.push(burnt("fuel.combusted.mobile", "burnt in vehicles and machines"));
            choices.push(burnt("fuel.combusted.stationary", "burnt in a boiler or a generator"));
        }
        if names().any(|name| has(name, WASTE)) {
            choices.push(choice(
                "waste.treated",
                "waste; add \"qualifiers.material\" and \"qualifiers.treatment\"",
            ));
        }
        choices.push(choice("electricity.purchased", "electricity"));
        if choices.len() < 3 {
            choices.push(choice("fuel.combusted.stationary", "fuel; add \"qualifiers.fuel\""));
        }
        choices.push(choice("water.supplied", "water"));
        choices
    }

    fn constants(&mut self) {
        self.line("[const]");
        match self.carrier() {
            Some(Carrier::Electricity) => {
                self.line("type = \"electricity.purchased\"");
                self.reason("electricity", "a name or a cell says so");
            }
            Some(Carrier::Gas) => {
                self.line("type = \"fuel.combusted.stationary\"");
                self.line("\"qualifiers.fuel\" = \"natural_gas\"");
                self.reason("natural gas", "a name or a cell says so");
            }
            Some(Carrier::Water) => {
                self.line("type = \"water.supplied\"");
                self.reason("water", "a name or a cell says so");
            }
            None => {
                let choices = self.types();
                self.ask(Question {
                    code: MISSING.to_owned(),
                    column: String::new(),
                    asks: "what is it that was used?".to_owned(),
                    line: 0,
                    choices,
                });
            }
        }
        if self.wide.as_ref().is_some_and(|wide| wide.label == Label::Index) {
            let choice = |says: &str, means: &str| Choice {
                says: format!("time_zone = \"{says}\""),
                means: means.to_owned(),
            };
            self.ask(Question {
                code: MISSING.to_owned(),
                column: String::new(),
                asks: "the intervals are counted from midnight: in which zone?".to_owned(),
                line: 0,
                choices: vec![
                    choice("UTC", "the meter never changes its clock"),
                    choice("Europe/London", "a day has 46, 48 or 50 of half an hour"),
                ],
            });
        } else {
            self.line("# time_zone = \"Europe/London\"   # where it is not the facility's own");
        }
        for (role, field) in [(Role::Facility, "facility_code"), (Role::Source, "source_code")] {
            if named(&self.look.columns, role).is_none() {
                self.line(format!("# {field} = \"…\"   # or: --set {field}=…"));
            }
        }
        self.line("");
    }

    fn intervals(&mut self) {
        let Some(wide) = &self.wide else { return };
        let label = match wide.label {
            Label::Start => "start",
            Label::End => "end",
            Label::Index => "index",
        };
        let lines = [
            String::new(),
            "[unpivot]".to_owned(),
            format!("columns = {}", quoted(&wide.pattern)),
            format!("label = \"{label}\""),
            format!("length = \"{}\"", steps::length(i64::from(wide.minutes))),
        ];
        for line in lines {
            self.line(line);
        }
    }
}
