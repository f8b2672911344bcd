//! A mapping for a file that was looked at: what is sure, why, and what has to be asked.

mod activity;
mod kinds;
mod months;
mod units;
mod waste;

use envora_api::proposals::{
    MappingProposal, ProposalChoice as Choice, ProposalConfidence as Confidence,
    ProposalQuestion as Question, ProposalReason as Reason,
};

use super::columns::Column;
use super::roles::{Role, named};
use super::steps;
use super::wide::{self, Label, Wide};
use super::{Header, Look};
use crate::formats::Format;
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
        asked_unit: false,
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
    /// Whether the question after the amount brings the unit.
    asked_unit: bool,
    proposal: MappingProposal,
}

/// How many names of columns are told.
const NAMES_TOLD: usize = 5;

/// The first names of a table's columns.
fn told(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_TOLD).copied().collect();
    let more = if names.len() > NAMES_TOLD { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
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

    /// What a name, the shape of the table or most cells say.
    fn reason(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let (what, why, confidence) = (what.into(), why.into(), Confidence::Likely);
        self.proposal.reasons.push(Reason { what, why, confidence });
    }

    /// What the file says itself, or each of its cells.
    fn certain(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let (what, why, confidence) = (what.into(), why.into(), Confidence::Certain);
        self.proposal.reasons.push(Reason { what, why, confidence });
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
        let reasons = self.proposal.reasons.iter().map(|reason| reason.confidence);
        self.proposal.confidence = reasons.max().unwrap_or_default();
        if open > 0 {
            self.proposal.confidence = Confidence::Open;
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
        self.line(format!("format = \"{}\"", self.look.format.word()));
        self.line("");
        self.line("[file]");
        match self.look.format {
            Format::Xlsx => self.sheet(),
            Format::Parquet => self.floats(),
            _ => self.text(),
        }
        self.frame();
        self.rows();
        self.doubts();
        self.line("");
    }

    /// Which sheet of a workbook it is about.
    fn sheet(&mut self) {
        let Some(sheet) = &self.look.sheet else { return };
        let name = quoted(&sheet.name);
        if sheet.rivals.is_empty() {
            if sheet.named || sheet.of > 1 {
                self.line(format!("sheet = {name}"));
            }
            return match (sheet.named, sheet.of) {
                (true, _) => self.certain(format!("the sheet {name} is read"), "you named it"),
                (false, 0 | 1) => {
                    self.certain(format!("the sheet {name} is read"), "no other is visible");
                }
                (false, of) => {
                    let why =
                        format!("of {of} visible sheets it alone holds a table with a header");
                    self.reason(format!("the sheet {name} is read"), why);
                }
            };
        }
        let own: Vec<&str> = self.look.columns.iter().map(|own| own.name.as_str()).collect();
        let mut choices = vec![Choice {
            says: format!("sheet = {name}"),
            means: format!("{} rows: {}; the rest below is for it", self.look.records, told(&own)),
        }];
        for rival in &sheet.rivals {
            let names: Vec<&str> = rival.columns.iter().map(String::as_str).collect();
            choices.push(Choice {
                says: format!("sheet = {}", quoted(&rival.name)),
                means: format!(
                    "{} rows: {}; look at it again with --sheet {}",
                    rival.rows,
                    told(&names),
                    quoted(&rival.name)
                ),
            });
        }
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: String::new(),
            asks: format!("{} sheets hold tables: which one is meant?", choices.len()),
            line: 0,
            choices,
        });
    }

    /// Whether the binary floats of a Parquet file are numbers.
    fn floats(&mut self) {
        self.certain("what the columns hold", "the file says of each column what it holds");
        let mut read = self.amounts();
        let columns = &self.look.columns;
        read.extend([Role::Facility, Role::Source].iter().filter_map(|role| named(columns, *role)));
        read.extend(columns.iter().filter(|own| self.is_interval(own)));
        let names: Vec<&str> =
            read.iter().filter(|own| own.floats > 0).map(|own| own.name.as_str()).collect();
        let Some(first) = read.iter().find(|own| own.floats > 0) else { return };
        let shown = first.shown.first().cloned().unwrap_or_default();
        let (asks, column) = (
            format!(
                "binary floats (DOUBLE or FLOAT) in {}, which are not exact: is the shortest text of each, such as {shown}, its number? Else write them as DECIMAL",
                told(&names)
            ),
            first.name.clone(),
        );
        let means = "yes; the rows are flagged float_artifact".to_owned();
        let choices = vec![Choice { says: "allow_float = true".to_owned(), means }];
        self.ask(Question { code: AMBIGUOUS.to_owned(), column, asks, line: 0, choices });
    }

    /// How the bytes are text, and cells.
    fn text(&mut self) {
        let look = self.look;
        if look.utf16 {
            self.certain("UTF-16", "the mark at its start says so, and wins over any encoding");
        }
        if look.encoding == Encoding::Windows1252 {
            self.line("encoding = \"windows-1252\"");
            let why =
                format!("line {} is not UTF-8, and every byte is a letter there", look.not_utf8);
            self.reason("Windows-1252", why);
        }
        let sign = char::from(look.delimiter);
        let shown = if sign == '\t' { "\\t".to_owned() } else { sign.to_string() };
        self.line(format!("delimiter = \"{shown}\""));
        let what = format!("{shown:?} between cells");
        if look.delimiter_declared {
            self.certain(what, "its first line says so");
        } else {
            self.reason(what, "it makes the most even table");
        }
    }

    /// What of its lines is no row.
    fn frame(&mut self) {
        let look = self.look;
        let skip = look.skip_lines + u64::from(look.delimiter_declared && look.skip_lines > 0);
        if skip > 0 {
            self.line(format!("skip_lines = {skip}"));
            let noun = if look.format == Format::Xlsx { "row" } else { "line" };
            let (lines, why) = match skip {
                1 => (format!("1 {noun}"), "it is no part of the table"),
                _ => (format!("{skip} {noun}s"), "they are no part of the table"),
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
        for (what, why) in &look.unread {
            self.certain(what, why);
        }
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

    fn constants(&mut self) {
        self.line("[const]");
        self.kind();
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
