//! Footprint: totals of a period, read from the rollup cells.
//!
//! Every number is a figure: a question of its own, pinned to a run and a place in the log. So a
//! footprint is a list of figures, added up in one pass, and each of them can be traced.

pub(crate) mod asked;
mod coverage;
pub(crate) mod figures;
pub mod quality;
pub mod series;
pub(crate) mod totals;

use std::collections::BTreeMap;

use envora_api::amounts::Watermark;
use envora_api::footprints::{Footprint, Group, Period};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::figures::Figure;
use envora_domain::gwp::GwpSet;
use envora_domain::id::RunId;
use envora_domain::time::{Day, Timestamp};
use envora_store::runs::RunState;

use self::asked::Asked;
use self::figures::{month_word, months};
use self::totals::{Plan, basis_totals};
use crate::process::standing::Stall;
use crate::tenant::TenantParts;

pub use self::figures::FILTERS;

/// How entities are consolidated: the one way there is so far.
pub const CONSOLIDATION: &str = "operational_control";

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
    /// By activity type.
    Type,
}

impl GroupBy {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Facility, Self::Month, Self::Scope, Self::Category, Self::Source, Self::Type];

    /// Its word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facility => "facility",
            Self::Month => "month",
            Self::Scope => "scope",
            Self::Category => "category",
            Self::Source => "source",
            Self::Type => "type",
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
    /// Only rows whose field has one of these texts ([`FILTERS`]); facilities and sources by id or
    /// code.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The GWP set asked for; the organization's default when absent.
    pub gwp_set: Option<String>,
    /// The run asked for; the current one when absent.
    pub run: Option<RunId>,
    /// An instant: the answer as it was known then; now when absent.
    pub as_of: Option<Timestamp>,
}

/// Why a question about results has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The period is empty or reversed.
    #[error(
        "the period ends before it begins: `to` is the day after the last and comes after `from`"
    )]
    PeriodReversed,
    /// No such GWP set.
    #[error(
        "`{0}` is no GWP set: published, sar, tar, ar4, ar5, ar5-feedback, ar6, ar6-table or ar6-ghgp-2024"
    )]
    UnknownGwpSet(String),
    /// A filter field or word that nothing has.
    #[error("`{word}` is no known `{field}` to filter by")]
    UnknownWord {
        /// The filter.
        field: String,
        /// Its word; empty when the field itself is unknown.
        word: String,
    },
    /// A series of more points than one answer has.
    #[error(
        "the period has more than {} steps: ask for a shorter one, or a longer `interval`",
        series::POINTS_MAX
    )]
    TooManyPoints,
    /// The first run has not caught up yet.
    #[error("the first calculation has not ended yet")]
    NotYet,
    /// The first run does not catch up.
    #[error("the first calculation fails since {}: {}", .0.since, .0.reason)]
    Failing(Stall),
    /// The activity is not calculated yet.
    #[error("the activity is not calculated yet")]
    Pending,
    /// The instant lies before everything that was committed.
    #[error("nothing was there at {0} yet: the organization's log begins later")]
    BeforeTheLog(Timestamp),
    /// No run, or not this one.
    #[error("there is no such run")]
    NoRun,
    /// Nothing is stored under this id.
    #[error("there is no such activity")]
    NoActivity,
    /// A cursor that this answer did not give.
    #[error("the cursor is not one that this trace gave")]
    BadCursor,
    /// A sum is above what is kept exactly.
    #[error("a sum is above 10^26 kg and is not kept exactly")]
    TooLarge,
    /// Anything else; [`Damaged`](crate::tenant::Damaged) inside when stored bytes are not as stored.
    #[error("the question could not be answered")]
    Unexpected(#[from] anyhow::Error),
}

/// Answers a question about a period. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn footprint(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    query: &FootprintQuery,
) -> Result<Footprint, AskError> {
    let asked = Asked::settle(parts, *grant, query)?;
    answer(parts, grant, &asked)
}

/// Answers the same question split in several ways, over cells that are read once. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn footprints<const N: usize>(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    query: &FootprintQuery,
    ways: [Option<GroupBy>; N],
) -> Result<[Footprint; N], AskError> {
    let mut asked = Asked::settle(parts, *grant, query)?;
    let mut all = Vec::with_capacity(N);
    for way in ways {
        asked.query.group_by = way;
        all.push(answer(parts, grant, &asked)?);
    }
    all.try_into().map_err(|_| AskError::TooLarge)
}

fn answer(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    asked: &Asked,
) -> Result<Footprint, AskError> {
    let query = &asked.query;
    let base = asked.base();
    let groups = groups(asked);
    let plans: Vec<Plan> = std::iter::once(&base)
        .chain(groups.iter().map(|(_, figure)| figure))
        .map(|figure| Plan::of(figure, &asked.cells))
        .collect::<Result<_, _>>()?;
    let bases = totals::bases(&base, &asked.cells)?;
    let mut figures: Vec<Figure> =
        plans.iter().flat_map(|plan| plan.figures().iter().cloned()).collect();
    let planned = figures.len();
    figures.extend(bases.iter().map(|(_, figure)| figure.clone()));
    let values = asked.values(parts, &figures)?;
    let (mut rest, of_bases) = values.split_at_checked(planned).unwrap_or((&values, &[]));
    let mut totals = Vec::new();
    for plan in &plans {
        let (own, others) = rest.split_at_checked(plan.figures().len()).unwrap_or((rest, &[]));
        totals.extend(plan.totals(own));
        rest = others;
    }
    let mut totals = totals.into_iter();
    let whole = totals.next().ok_or(AskError::TooLarge)?;
    let groups = groups.into_iter().zip(totals).map(|((key, _), totals)| Group { key, totals });
    let basis_totals = basis_totals(&bases, of_bases);
    let published = asked.set == GwpSet::Published;
    let (bases, native_basis) =
        if published { (basis_totals, Vec::new()) } else { (Vec::new(), basis_totals) };
    let (mut warnings, lacking) = coverage::warnings(parts, *grant, asked)?;
    let stalled = coverage::stalled(parts, asked)?;
    warnings.splice(..0, stalled.into_iter().chain(coverage::twice(parts, *grant, asked)?));
    let mut coverage = coverage::coverage(asked)?;
    coverage.derived_factor_missing = lacking;
    Ok(Footprint {
        period: Period { from: query.from, to: query.to },
        time_zone: asked.time_zone.clone(),
        gwp_set: asked.set.as_str().to_owned(),
        consolidation: CONSOLIDATION.to_owned(),
        run: asked.run.id,
        status: status(parts, asked).to_owned(),
        watermark: watermark(parts, asked),
        totals: whole,
        bases,
        native_basis,
        groups: groups.collect(),
        coverage,
        primary_data_share: coverage::primary_share(asked)?,
        unresolved: coverage::unresolved(parts, *grant, asked)?,
        warnings,
    })
}

/// Whether all that is stored is in the figures and, if not, whether it will be soon.
fn status(parts: &TenantParts, asked: &Asked) -> &'static str {
    if asked.run.calculated_to >= asked.head.size {
        "current"
    } else if asked.run.state != RunState::Retired && parts.calculation.stall().is_some() {
        "failing"
    } else {
        "catching_up"
    }
}

/// How far the calculation has come, and how long the newest entry has been waiting.
fn watermark(parts: &TenantParts, asked: &Asked) -> Watermark {
    let waiting = asked.run.calculated_to < asked.head.size;
    let lag = (parts.clock.now() - asked.head.at).as_micros() / 1000;
    Watermark {
        seq: asked.seq(),
        committed_at: (asked.head.size > 0).then_some(asked.head.at),
        lag_ms: if waiting { u64::try_from(lag).unwrap_or(0) } else { 0 },
    }
}

/// The groups asked for: each group's words, and the figure of all that is in it.
fn groups(asked: &Asked) -> Vec<(BTreeMap<String, String>, Figure)> {
    let base = asked.base();
    let Some(by) = asked.query.group_by else { return Vec::new() };
    let narrowed = |field: &str, word: String| {
        let mut filters = base.filters.clone();
        filters.insert(field.to_owned(), vec![word]);
        Figure { filters, ..base.clone() }
    };
    let word = |field: &str, word: &str| (field.to_owned(), word.to_owned());
    match by {
        GroupBy::Month => months(base.from, base.to)
            .into_iter()
            .map(|(from, to)| {
                let key = BTreeMap::from([word("month", &month_word(from))]);
                (key, Figure { from, to, ..base.clone() })
            })
            .collect(),
        GroupBy::Scope => [1_u8, 2, 3]
            .into_iter()
            .map(|scope| {
                let key = BTreeMap::from([word("scope", &scope.to_string())]);
                (key, narrowed("scope", scope.to_string()))
            })
            .collect(),
        GroupBy::Category => distinct(asked, |key| key.category.to_string())
            .into_iter()
            .filter(|category| category != "0")
            .map(|category| {
                let key = BTreeMap::from([word("category", &category)]);
                (key, narrowed("category", category))
            })
            .collect(),
        GroupBy::Type => distinct(asked, |key| key.kind.clone())
            .into_iter()
            .map(|kind| (BTreeMap::from([word("type", &kind)]), narrowed("type", kind)))
            .collect(),
        GroupBy::Facility => by_id(asked, |key| &key.facility)
            .into_iter()
            .map(|bytes| {
                let id = envora_domain::id::FacilityId::from_slice(&bytes);
                let known = id.and_then(|id| asked.registry.facility_of(id, u64::MAX));
                let code = known.map_or("", |facility| &facility.fields.code);
                let name = known.map_or("", |facility| &facility.fields.name);
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let key = BTreeMap::from([
                    word("facility_id", &id),
                    word("facility_code", code),
                    word("facility_name", name),
                ]);
                (key, narrowed("facility", id))
            })
            .collect(),
        GroupBy::Source => by_id(asked, |key| &key.source)
            .into_iter()
            .map(|bytes| {
                let id = envora_domain::id::SourceId::from_slice(&bytes);
                let known = id.and_then(|id| asked.registry.source_of(id, u64::MAX));
                let code = known.map_or("", |source| &source.fields.code);
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let key = BTreeMap::from([word("source_id", &id), word("source_code", code)]);
                (key, narrowed("source", id))
            })
            .collect(),
    }
}

fn distinct(asked: &Asked, word: impl Fn(&envora_domain::cells::CellKey) -> String) -> Vec<String> {
    let words: std::collections::BTreeSet<String> =
        asked.cells.iter().map(|(key, _)| word(key)).collect();
    words.into_iter().collect()
}

fn by_id(
    asked: &Asked,
    bytes: impl Fn(&envora_domain::cells::CellKey) -> &Vec<u8>,
) -> Vec<Vec<u8>> {
    let words: std::collections::BTreeSet<Vec<u8>> =
        asked.cells.iter().map(|(key, _)| bytes(key).clone()).collect();
    words.into_iter().collect()
}
