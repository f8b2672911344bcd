//! Where a field's value comes from: a constant, a column, several columns, or a header cell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::numbers::{NumberStyle, Scale};
use super::times::Format;

/// Which text of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// None: a constant.
    Constant(String),
    /// The cells of these columns, joined by a blank.
    Columns(Vec<String>),
    /// The cell of this column in the units row, or else in the header.
    Header(String),
    /// The cell of a wide table's interval.
    Interval,
    /// The name of its column.
    IntervalName,
}

/// A value's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which text.
    pub from: From,
    /// Translations of whole cells; others stay as they are.
    pub map: BTreeMap<String, String>,
    /// Cells that say "no value", in place of the file's.
    pub null: Option<Vec<String>>,
    /// What the number is multiplied with.
    pub scale: Option<Scale>,
    /// How the number is written, in place of the file's style.
    pub number: Option<NumberStyle>,
    /// How the time is written, in place of the file's format.
    pub format: Option<Format>,
}

impl Rule {
    /// A constant's rule.
    #[must_use]
    pub fn constant(value: &str) -> Self {
        Self::of(From::Constant(value.to_owned()))
    }

    /// A column's rule.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self::of(From::Columns(vec![name.to_owned()]))
    }

    pub(super) const fn of(from: From) -> Self {
        let map = BTreeMap::new();
        Self { from, map, null: None, scale: None, number: None, format: None }
    }

    /// Whether the file has no part in it.
    #[must_use]
    pub const fn is_constant(&self) -> bool {
        matches!(self.from, From::Constant(_))
    }

    /// The columns it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let named: &[String] = match &self.from {
            From::Constant(_) | From::Interval | From::IntervalName => &[],
            From::Columns(names) => names,
            From::Header(name) => std::slice::from_ref(name),
        };
        named.iter().map(String::as_str)
    }

    /// The text after `null` and `map`; nothing when the cell says nothing.
    #[must_use]
    pub fn read<'a>(&'a self, text: Cow<'a, str>, null: &[String]) -> Option<Cow<'a, str>> {
        let null = self.null.as_deref().unwrap_or(null);
        if text.is_empty() || null.iter().any(|word| word.as_str() == text.as_ref()) {
            return None;
        }
        match self.map.get(text.as_ref()) {
            Some(translated) => Some(Cow::Borrowed(translated)),
            None => Some(text),
        }
    }
}

/// A question about a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The column.
    pub column: String,
    /// The texts that answer it with yes.
    pub texts: Vec<String>,
}

impl Test {
    /// Whether the cell is one of the texts.
    #[must_use]
    pub fn takes(&self, cell: &str) -> bool {
        self.texts.iter().any(|text| text == cell)
    }
}
