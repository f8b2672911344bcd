//! Mapping files, version 1: how the columns of a customer's file become activities.
//!
//! A mapping is a tree of constants, columns and tables, written as TOML or as the same tree in
//! JSON. It has no expressions, unknown keys are refused, and its version is the hash of the tree,
//! so that a row can say for ever how it was read.

pub mod numbers;
mod parse;
pub mod times;
mod tree;
pub mod unpivot;
pub mod values;

use std::collections::BTreeMap;

use envora_domain::hash::Digest;
use envora_domain::rfc8785;
use envora_domain::time::Span;
use envora_domain::units::AliasSet;

use crate::fields::Field;
use crate::formats;
use crate::formats::parquet::Floats;
use crate::mapping::numbers::NumberStyle;
use crate::mapping::times::{Format, PeriodRule};
use crate::mapping::unpivot::Unpivot;
use crate::mapping::values::{Rule, Test};

/// How the bytes of a file are text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// Windows-1252.
    Windows1252,
}

/// Whether a row with units follows the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnitsRow {
    /// It follows.
    Present,
    /// The rows follow at once.
    #[default]
    Absent,
}

/// The `[file]` part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStyle {
    /// How its bytes are text.
    pub encoding: Encoding,
    /// Between cells; found out from the header when not said.
    pub delimiter: Option<u8>,
    /// Around cells.
    pub quote: u8,
    /// How its numbers are written.
    pub number: NumberStyle,
    /// How its times are written.
    pub format: Option<Format>,
    /// Lines before the header.
    pub skip_lines: u64,
    /// The sheet of a workbook; the only visible one when not said.
    pub sheet: Option<String>,
    /// Whether a row with units follows the header.
    pub units_row: UnitsRow,
    /// First cells of rows that sum others up.
    pub footer: Vec<String>,
    /// Cells that say "no value".
    pub null: Vec<String>,
    /// What settles ambiguous units.
    pub alias_set: AliasSet,
    /// Whether the binary floats of a Parquet file are taken for numbers.
    pub floats: Floats,
}

impl Default for FileStyle {
    fn default() -> Self {
        Self {
            encoding: Encoding::Utf8,
            delimiter: None,
            quote: b'"',
            number: NumberStyle::default(),
            format: None,
            skip_lines: 0,
            sheet: None,
            units_row: UnitsRow::Absent,
            footer: Vec::new(),
            null: Vec::new(),
            alias_set: AliasSet::None,
            floats: Floats::Refused,
        }
    }
}

/// One `[[activity]]`: one activity of each row that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its key, part of the derived id; its number from 1 when not given.
    pub key: String,
    /// Which rows it takes; all when absent.
    pub when: Option<Test>,
    /// How the period is made, unless by plain fields.
    pub period: Option<PeriodRule>,
    /// The fields and where their values come from; constants included.
    pub fields: Vec<(Field, Rule)>,
    /// The natural key by field words, when not the default.
    pub natural: Option<Vec<Natural>>,
    /// Zeros for longer than this are a gap.
    pub zero_run_missing: Option<Span>,
}

/// A word of a natural key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Natural {
    /// The period, however it is given.
    Period,
    /// Facility by id or code.
    Facility,
    /// Source by id or code.
    Source,
    /// Any other field.
    Field(Field),
}

impl Block {
    /// Whether a field is in the list that row ids are derived from.
    #[must_use]
    pub fn is_natural(&self, field: &Field) -> bool {
        let Some(words) = &self.natural else {
            return field.is_time()
                || matches!(
                    field,
                    Field::EntityCode
                        | Field::FacilityCode
                        | Field::FacilityId
                        | Field::Item
                        | Field::Qualifier(_)
                        | Field::SourceCode
                        | Field::SourceId
                        | Field::SupplierCode
                        | Field::Type
                );
        };
        words.iter().any(|word| match word {
            Natural::Period => field.is_time(),
            Natural::Facility => matches!(field, Field::FacilityCode | Field::FacilityId),
            Natural::Source => matches!(field, Field::SourceCode | Field::SourceId),
            Natural::Field(own) => own == field,
        })
    }
}

/// A mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its name: part of derived ids.
    pub name: String,
    /// The hash of its tree.
    pub version: Digest,
    /// The tree, as RFC 8785 JSON.
    pub text: String,
    /// What it reads, CSV, XLSX or Parquet; all of them when not said.
    pub format: Option<formats::Format>,
    /// The `[file]` part.
    pub file: FileStyle,
    /// Its activities, constants merged in.
    pub blocks: Vec<Block>,
    /// Rows to leave out.
    pub skip_if: Vec<Test>,
    /// The columns that are a row each, in a wide table.
    pub unpivot: Option<Unpivot>,
}

/// One thing that is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    /// The dotted place in the tree.
    pub at: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A code of the API: `validation_failed`.
    pub code: &'static str,
}

/// Why a tree is no mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// Everything that is wrong.
    pub problems: Vec<MappingProblem>,
}

impl std::error::Error for MappingError {}
impl core::fmt::Display for MappingError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            if !problem.at.is_empty() {
                write!(f, "{}: ", problem.at)?;
            }
            f.write_str(&problem.detail)?;
            if let Some(hint) = &problem.hint {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}

impl MappingError {
    fn one(at: &str, detail: impl Into<String>) -> Self {
        let problem = MappingProblem {
            at: at.to_owned(),
            detail: detail.into(),
            hint: None,
            code: "validation_failed",
        };
        Self { problems: vec![problem] }
    }
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] with everything that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        let tree: serde_json::Value = toml::from_str(text)
            .map_err(|error| MappingError::one("", format!("not TOML: {}", error.message())))?;
        Self::from_json(&tree)
    }

    /// Reads the same tree as JSON.
    ///
    /// # Errors
    /// [`MappingError`] with everything that is wrong.
    pub fn from_json(tree: &serde_json::Value) -> Result<Self, MappingError> {
        let text = rfc8785::to_string(tree).map_err(|_| {
            MappingError::one("", "a number with a fraction is not exact: write it in quotes")
        })?;
        parse::mapping(tree, text)
    }

    /// The mapping with further constants, such as `facility_code`; they win over its own.
    ///
    /// # Errors
    /// [`MappingError`] when a name is no field or the mapping reads that field from a column.
    pub fn with_constants(&self, set: &BTreeMap<String, String>) -> Result<Self, MappingError> {
        let mut mapping = self.clone();
        for (name, value) in set {
            let field = parse::constant(name, value)?;
            for block in &mut mapping.blocks {
                if block.fields.iter().any(|(own, rule)| *own == field && !rule.is_constant()) {
                    return Err(MappingError::one(
                        name,
                        "the mapping reads this field from the file; it cannot be set beside it",
                    ));
                }
                block.fields.retain(|(own, _)| *own != field);
                block.fields.push((field.clone(), Rule::constant(value)));
            }
        }
        Ok(mapping)
    }

    /// The columns that it names, each once, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let tests = self.skip_if.iter().chain(self.blocks.iter().filter_map(|b| b.when.as_ref()));
        let periods = self.blocks.iter().filter_map(|block| block.period.as_ref());
        let rules = self.blocks.iter().flat_map(|block| block.fields.iter().map(|(_, rule)| rule));
        let named = tests
            .map(|test| test.column.as_str())
            .chain(periods.flat_map(PeriodRule::columns))
            .chain(rules.flat_map(Rule::columns));
        for column in named {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests;
