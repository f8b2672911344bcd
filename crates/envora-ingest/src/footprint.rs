//! Footprint: totals of a period, read from the rollup cells.
//!
//! Every number is a figure: a question of its own, pinned to a run and a place in the log. So a
//! footprint is a list of figures, added up in one pass, and each of them can be traced.

pub(crate) mod asked;
mod coverage;
pub mod days;
mod division;
pub(crate) mod figures;
pub(crate) mod piles;
pub mod quality;
pub(crate) mod rollups;
pub mod series;
pub(crate) mod totals;

use std::collections::BTreeMap;

use envora_api::amounts::Watermark;
use envora_api::footprints::{BasisTotal, Footprint, Period, Totals};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::gwp::GwpSet;
use envora_domain::id::RunId;
use envora_domain::time::{Day, Timestamp};
use envora_store::runs::RunState;

use self::asked::Asked;
use self::piles::Piles;
use self::rollups::{Detail, Time};
use crate::process::standing::Stall;
use crate::tenant::TenantParts;

pub use self::figures::FILTERS;
pub use self::rollups::KeptGroups;

/// How entities are consolidated: the one way there is so far.
pub const CONSOLIDATION: &str = "operational_control";

/// The longest period that is answered. Work grows with its months times the sources.
pub const PERIOD_YEARS_MAX: i16 = 100;

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
    /// Longer than anything that is asked in one go: what is missing is told month by month.
    #[error(
        "the period is longer than {PERIOD_YEARS_MAX} years: ask for a shorter one, such as one year"
    )]
    PeriodTooLong,
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
    /// A figure id that no footprint prints.
    #[error("there is no such figure")]
    NoFigure,
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
    let [answer] = footprints(parts, grant, query, [query.group_by])?;
    Ok(answer)
}

/// Answers the same question split in several ways: cells are read, put together and held against what
/// does not count once, whatever the number of ways. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn footprints<const N: usize>(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    query: &FootprintQuery,
    ways: [Option<GroupBy>; N],
) -> Result<[Footprint; N], AskError> {
    let by = |by: GroupBy| ways.contains(&Some(by));
    let detail = Detail {
        time: if by(GroupBy::Month) { Time::Month } else { Time::Whole },
        facility: by(GroupBy::Facility),
        source: by(GroupBy::Source),
        presence: true,
        anew: false,
    };
    let asked = Asked::settle(parts, *grant, (query, detail))?;
    let piles = Piles::of(&asked)?;
    let (whole, bases, groups) = division::divide(parts, (&asked, &piles), &ways)?;
    let undivided = undivided(parts, *grant, (&asked, &piles), (whole, bases))?;
    let answers = groups.into_iter().map(|groups| Footprint { groups, ..undivided.clone() });
    answers.collect::<Vec<_>>().try_into().map_err(|_| AskError::TooLarge)
}

/// The answer to a question that is split by nothing.
fn undivided(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    (asked, piles): (&Asked, &Piles),
    (totals, bases): (Totals, Vec<BasisTotal>),
) -> Result<Footprint, AskError> {
    let published = asked.set == GwpSet::Published;
    let (bases, native_basis) = if published { (bases, Vec::new()) } else { (Vec::new(), bases) };
    let (mut warnings, lacking) = coverage::warnings(parts, grant, asked)?;
    let stalled = coverage::stalled(parts, asked)?;
    let recalculating = coverage::recalculating(parts, grant, asked)?;
    let stalled = stalled.into_iter().chain(recalculating);
    warnings.splice(..0, stalled.into_iter().chain(coverage::noticed(parts, grant, asked)?));
    let mut coverage = coverage::coverage(asked)?;
    coverage.derived_factor_missing = lacking;
    Ok(Footprint {
        period: Period { from: asked.query.from, to: asked.query.to },
        time_zone: asked.time_zone.clone(),
        gwp_set: asked.set.as_str().to_owned(),
        consolidation: CONSOLIDATION.to_owned(),
        run: asked.run.id,
        status: status(parts, asked).to_owned(),
        watermark: watermark(parts, asked),
        totals,
        bases,
        native_basis,
        groups: Vec::new(),
        coverage,
        primary_data_share: coverage::primary_share(asked, piles)?,
        unresolved: coverage::unresolved(parts, grant, asked)?,
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
