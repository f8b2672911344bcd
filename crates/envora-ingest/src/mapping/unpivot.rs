//! Wide tables: a column for each interval of a day, or a column for each meter.

use envora_domain::time::Span;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::times::PeriodRule;
use super::tree::{Problems, Table};
use super::values::{From, Rule};
use super::{Block, parse};
use crate::fields::Field;

/// The `[unpivot]` part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpivot {
    /// The expression that finds the columns.
    pub columns: String,
    /// What their names say.
    pub label: Label,
}

/// What the name of a column of a wide table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// When an interval of this length starts: `00:00` … `23:30`.
    Start(Span),
    /// When it ends: `00:30` … `24:00`.
    End(Span),
    /// The how manieth it is since midnight, from 1; a day has 46, 48 or 50 of half an hour.
    Index(Span),
    /// The value of this field.
    Name(Field),
}

impl Label {
    /// How long an interval is, where the columns are intervals.
    #[must_use]
    pub const fn length(&self) -> Option<Span> {
        match self {
            Self::Start(length) | Self::End(length) | Self::Index(length) => Some(*length),
            Self::Name(_) => None,
        }
    }
}

/// The expression, compiled in bounded memory.
///
/// # Errors
/// A sentence when it is none.
pub(crate) fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
        _ => format!("{text:?} is no regular expression"),
    })
}

/// Reads the part.
pub(super) fn read(value: &Value, problems: &mut Problems) -> Option<Unpivot> {
    let mut table = Table::new("unpivot", value, problems)?;
    let columns = table.text("columns", problems).map(str::to_owned);
    let word = table.text("label", problems).unwrap_or_default();
    let length = table.text("length", problems).and_then(|text| {
        let span = Span::parse_iso(text);
        span.map_err(|error| problems.add("unpivot.length", error.to_string(), None)).ok()
    });
    let field =
        table.text("as", problems).and_then(|name| parse::field("unpivot.as", name, problems));
    table.close(problems);
    match &columns {
        None => {
            problems.add("unpivot.columns", "an expression for the columns' names is due", None)
        }
        Some(text) => {
            if let Err(error) = expression(text) {
                let hint =
                    Some("such as \"^\\\\d\\\\d:\\\\d\\\\d$\" for 00:00 to 23:30".to_owned());
                problems.add("unpivot.columns", error, hint);
            }
        }
    }
    let label = match (word, length, field) {
        ("start", Some(length), None) => Label::Start(length),
        ("end", Some(length), None) => Label::End(length),
        ("index", Some(length), None) => Label::Index(length),
        ("name", None, Some(field)) => Label::Name(field),
        ("start" | "end" | "index", ..) => {
            let hint = Some(format!("label = \"{word}\", length = \"PT30M\", and no `as`"));
            problems.add("unpivot", "intervals have a length and are no field", hint);
            return None;
        }
        ("name", ..) => {
            let hint = Some("label = \"name\", as = \"source_code\", and no `length`".to_owned());
            problems.add("unpivot", "a name is a field and has no length", hint);
            return None;
        }
        _ => {
            let hint = Some("start, end, index or name".to_owned());
            problems.add("unpivot.label", "what the columns' names say is not said", hint);
            return None;
        }
    };
    let minute = Span::from_secs(60).as_micros();
    if label
        .length()
        .is_some_and(|length| length.as_micros() < minute || length.as_micros() % minute != 0)
    {
        problems.add("unpivot.length", "an interval is of whole minutes", None);
    }
    Some(Unpivot { columns: columns?, label })
}

impl Unpivot {
    /// Gives a block what the columns say: the amount, and the field that they name.
    pub(super) fn widen(&self, at: &str, block: &mut Block, problems: &mut Problems) {
        let has = |block: &Block, field: &Field| block.fields.iter().any(|(own, _)| own == field);
        if !has(block, &Field::Quantity) {
            block.fields.push((Field::Quantity, Rule::of(From::Interval)));
        }
        match &self.label {
            Label::Name(field) if has(block, field) => {
                let detail = format!("{} is said by the columns' names already", field.name());
                problems.add(at, detail, None);
            }
            Label::Name(field) => block.fields.push((field.clone(), Rule::of(From::IntervalName))),
            Label::Start(_) | Label::End(_) | Label::Index(_) => {
                if !matches!(block.period, Some(PeriodRule::Day(_))) {
                    let hint = Some("period = { day = \"…\" }".to_owned());
                    problems.add(at, "the intervals are of a day, which the row names", hint);
                }
            }
        }
    }
}
