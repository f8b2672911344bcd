//! Footprint: totals of a period, read from the rollup cells.

use std::collections::BTreeMap;

use envora_domain::id::RunId;
use envora_domain::time::Day;

/// By what the totals are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupBy {
    /// By facility.
    Facility,
    /// By calendar month of the rows' own days.
    Month,
    /// By scope.
    Scope,
    /// By scope 3 category.
    Category,
    /// By source.
    Source,
}

impl GroupBy {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] =
        [Self::Facility, Self::Month, Self::Scope, Self::Category, Self::Source];

    /// Its word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facility => "facility",
            Self::Month => "month",
            Self::Scope => "scope",
            Self::Category => "category",
            Self::Source => "source",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }
}

/// A question about a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FootprintQuery {
    /// First day.
    pub from: Day,
    /// The day after the last.
    pub to: Day,
    /// By what to split the totals.
    pub group_by: Option<GroupBy>,
    /// Only rows whose field has one of these texts: `facility`, `source`, `scope`, `category`.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The GWP set asked for; the organization's default when absent.
    pub gwp_set: Option<String>,
    /// The run asked for; the current one when absent.
    pub run: Option<RunId>,
}
