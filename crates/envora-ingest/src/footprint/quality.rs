//! Quality: the months of each source, and what the CO2e of a period stands on.

use core::ops::ControlFlow;
use std::collections::BTreeMap;

use anyhow::Context as _;
use envora_api::footprints::{Period, Warning};
use envora_api::quality::{DataQuality, QualityShare, SourceMonth, SourceQuality};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::activities::problems::Flag;
use envora_domain::cells::{CellKey, CellValue, Primary};
use envora_domain::decimal::Mass;
use envora_domain::id::{ActivityId, SourceId};
use envora_domain::time::{Day, Zone};
use envora_store::segments::segments_from;
use envora_store::sources::Source;

use super::asked::Asked;
use super::figures::{ENTITY, Sieve, column, month_of, month_word, months};
use super::piles::Piles;
use super::rollups::Detail;
use super::{AskError, FootprintQuery, coverage, status};
use crate::registry::Registry;
use crate::stored::{Narrowed, Question, days};
use crate::tenant::TenantParts;

/// So many days on end at nothing are a run of zeros: a week, as `zero_run_missing` has it.
const ZERO_DAYS: u64 = 7;
/// Segments that are read at once.
const SEGMENTS_AT_ONCE: u32 = 64;
/// Flags that every row of a sender has or none: they say nothing of a month.
const OF_ALL_ROWS: &[Flag] = &[Flag::NoExternalId, Flag::Unverified];

/// Which of the sources, by code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePage {
    /// Only those after this code.
    pub after: String,
    /// How many at most.
    pub limit: usize,
}

/// What is known of one source in one month.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    there: bool,
    activities: u64,
    estimated: u64,
    flagged: u64,
    zero_days: u64,
    zero_run: u64,
    /// Some of it is estimated, if only by a row that began before.
    has_estimates: bool,
}

/// What is known of a source on one day: activities by type, kind of data and whether primary, and
/// whether they come to something.
#[derive(Clone, Debug, Default)]
struct OfDay {
    activities: BTreeMap<(String, String, Primary), u64>,
    weighs: bool,
}

type Months = BTreeMap<(Vec<u8>, String), Seen>;

/// The quality of a period's data, with a page of the sources. Blocks.
///
/// # Errors
/// [`AskError`].
pub fn quality(
    parts: &TenantParts,
    grant: &Grant<ReadResults>,
    (query, page): (&FootprintQuery, &SourcePage),
) -> Result<DataQuality, AskError> {
    let asked = Asked::settle(parts, *grant, (query, Detail::DAYS))?;
    let piles = Piles::of(&asked)?;
    let mut seen = seen(&asked)?;
    let row_flags = row_flags(parts, &asked, &mut seen)?;
    let (choices, lacking) = coverage::warnings(parts, *grant, &asked)?;
    let mut coverage = coverage::coverage(&asked)?;
    coverage.derived_factor_missing = lacking;
    let mut all: Vec<&Source> = asked.registry.sources_at(u64::MAX);
    all.retain(|source| asked.expects(&source.fields));
    all.sort_by(|one, other| one.fields.code.cmp(&other.fields.code));
    let total = all.len() as u64;
    all.retain(|source| page.after.is_empty() || source.fields.code > page.after);
    let next_cursor = (all.len() > page.limit)
        .then(|| all.get(page.limit.saturating_sub(1)).map(|last| last.fields.code.clone()));
    all.truncate(page.limit);
    let spans = months(query.from, query.to);
    let shares = Shares::of(&asked, &piles)?;
    let mut flags: Vec<Warning> = row_flags.into_iter().chain(choices).collect();
    flags.sort_by_key(|flag| core::cmp::Reverse(flag.activities));
    Ok(DataQuality {
        period: Period { from: query.from, to: query.to },
        time_zone: asked.time_zone.clone(),
        gwp_set: asked.set.as_str().to_owned(),
        run: asked.run.id,
        status: status(parts, &asked).to_owned(),
        coverage,
        primary_data_share: coverage::primary_share(&asked, &piles)?,
        primary: shares.by(|key| key.primary.as_str().to_owned())?,
        data_kinds: shares.by(|key| key.data_kind.clone())?,
        tiers: shares.by(|key| key.tier.to_string())?,
        flags,
        unresolved: coverage::unresolved(parts, *grant, &asked)?,
        months: spans.iter().map(|(from, _)| month_word(*from)).collect(),
        sources: all.into_iter().map(|source| of_source(source, &spans, &seen)).collect(),
        sources_total: total,
        next_cursor: next_cursor.flatten(),
    })
}

fn of_source(source: &Source, spans: &[(Day, Day)], seen: &Months) -> SourceQuality {
    let fields = &source.fields;
    let month = |(from, to): &(Day, Day)| {
        let month = month_word(*from);
        let key = (fields.id.bytes().to_vec(), month.clone());
        let found = seen.get(&key).copied().unwrap_or_default();
        let open = fields.opened.is_none_or(|opened| opened < *to)
            && fields.closed.is_none_or(|closed| *from < closed);
        SourceMonth {
            month,
            state: if found.there || open { found.state() } else { "closed" }.to_owned(),
            activities: found.activities,
            estimated: found.estimated,
            flagged: found.flagged,
            zero_days: found.zero_days,
        }
    };
    SourceQuality {
        source_id: fields.id,
        source_code: fields.code.clone(),
        source_name: fields.name.clone(),
        facility_id: fields.facility,
        months: spans.iter().map(month).collect(),
    }
}

impl Seen {
    /// Of a source that is open.
    const fn state(&self) -> &'static str {
        match self {
            Self { there: false, .. } => "missing",
            Self { zero_run: ZERO_DAYS.., .. } => "zero_run",
            Self { has_estimates: true, .. } => "estimated",
            Self { flagged: 1.., .. } => "flagged",
            Self { .. } => "present",
        }
    }
}

/// What the cells say of each source's days: of a day's slots and gases the one with most activities,
/// since each activity has one line of it.
fn seen(asked: &Asked) -> Result<Months, AskError> {
    let base = asked.base();
    let sieve = Sieve::of(&base)?;
    let mut days: BTreeMap<(Vec<u8>, Day), OfDay> = BTreeMap::new();
    for (key, value) in asked.cells.iter().filter(|(key, _)| sieve.holds(key)) {
        if !coverage::is_there(value) {
            continue;
        }
        let day = days.entry((key.source.clone(), key.day)).or_default();
        let group = (key.kind.clone(), key.data_kind.clone(), key.primary);
        let most = day.activities.entry(group).or_default();
        *most = u64::try_from(value.count).unwrap_or(0).max(*most);
        day.weighs |= weighs_something(value);
    }
    let mut months = Months::new();
    let mut run: Option<(Vec<u8>, Day, u64)> = None;
    for ((source, day), OfDay { activities, weighs }) in days {
        let month = months.entry((source.clone(), month_word(month_of(day)))).or_default();
        month.there = true;
        month.activities += activities.values().sum::<u64>();
        month.has_estimates |= activities.keys().any(|(_, kind, _)| kind == "estimated");
        let estimates = activities.iter().filter(|((_, kind, _), _)| kind == "estimated");
        month.estimated += estimates.map(|(_, count)| *count).sum::<u64>();
        let before = match run.take() {
            Some((of, last, length)) if of == source && last.plus(1) == day => length,
            _ => 0,
        };
        if !weighs {
            month.zero_days += 1;
            month.zero_run = month.zero_run.max(before + 1);
            run = Some((source, day, before + 1));
        }
    }
    // Sources that send once a month: a month that came to nothing is a run, however few its days.
    for month in months.values_mut() {
        let days = month.zero_days;
        if days > 0 && days >= month.activities {
            month.zero_run = month.zero_run.max(ZERO_DAYS);
        }
    }
    Ok(months)
}

fn weighs_something(value: &CellValue) -> bool {
    value.kg != Mass::ZERO || value.co2e.iter().flatten().any(|mass| *mass != Mass::ZERO)
}

/// Counts the flags of rows: into their source's month, and by code.
fn row_flags(
    parts: &TenantParts,
    asked: &Asked,
    seen: &mut Months,
) -> Result<Vec<Warning>, AskError> {
    let filter = |name: &str| asked.query.filters.get(name).cloned().unwrap_or_default();
    let question = Question {
        kinds: filter("type"),
        facilities: filter("facility"),
        entities: filter(ENTITY),
        sources: filter("source"),
        from: Some(asked.query.from),
        to: Some(asked.query.to),
        states: vec!["counted".to_owned()],
        flags: Flag::ALL.to_vec(),
        ..Question::default()
    };
    let zone = Zone::named(&asked.time_zone).unwrap_or_else(|_| Zone::utc());
    let narrowed = Narrowed::of_rows(parts, question)?;
    let mut counts: BTreeMap<Flag, u64> = BTreeMap::new();
    let (grant, mut first) = (parts.own.read_activities, 0);
    loop {
        let found = parts
            .read(move |rd| segments_from(rd, &grant, first, SEGMENTS_AT_ONCE))
            .context("read the segments")?;
        let Some(last) = found.last() else { break };
        first = last.seq + 1;
        for segment in found.iter().filter(|segment| segment.seq <= asked.seq()) {
            let _done = narrowed.rows(segment, 0, |_: ActivityId, row, _| {
                for flag in row.flags.iter() {
                    *counts.entry(flag).or_default() += 1;
                }
                if row.flags.iter().any(|flag| !OF_ALL_ROWS.contains(&flag)) {
                    let source = source_of(&asked.registry, row);
                    // In every month of the question that it lasts into, whenever it began.
                    let (first, last) = days(&row.period, &zone);
                    let (from, to) =
                        (asked.query.from.max(first), asked.query.to.min(last.plus(1)));
                    for (from, _) in months(from, to) {
                        let key = (source.clone(), month_word(from));
                        if let Some(month) = seen.get_mut(&key) {
                            month.flagged += 1;
                        }
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
    }
    let warning = |(flag, activities): (Flag, u64)| Warning {
        code: flag.as_str().to_owned(),
        detail: envora_api::codes::row_text(flag.as_str()).to_owned(),
        activities,
    };
    Ok(counts.into_iter().map(warning).collect())
}

fn source_of(registry: &Registry, row: &envora_domain::activities::Activity) -> Vec<u8> {
    let found = row.source.as_ref().and_then(|word| registry.source(word, u64::MAX));
    found.map_or_else(Vec::new, |source| SourceId::bytes(&source.fields.id).to_vec())
}

/// The CO2e of a period, ready to be divided.
struct Shares<'a> {
    held: Vec<(&'a CellKey, Mass)>,
    all: Mass,
}

impl<'a> Shares<'a> {
    fn of(asked: &Asked, piles: &'a Piles) -> Result<Self, AskError> {
        let base = asked.base();
        let sieve = Sieve::of(&base)?;
        let column = column(&asked.policy.columns(), asked.set).unwrap_or(0);
        let co2e = |value: &CellValue| value.co2e.get(column).copied().flatten();
        let held: Vec<(&CellKey, Mass)> = piles
            .months
            .iter()
            .filter(|(key, _)| sieve.holds(key))
            .map(|(key, value)| (key, co2e(value).unwrap_or_default()))
            .collect();
        let mut all = Mass::ZERO;
        for (_, mass) in &held {
            all = all.checked_add(*mass).ok_or(AskError::TooLarge)?;
        }
        Ok(Self { held, all })
    }

    /// The largest first.
    fn by(&self, word: impl Fn(&CellKey) -> String) -> Result<Vec<QualityShare>, AskError> {
        let mut sums: BTreeMap<String, Mass> = BTreeMap::new();
        for (key, mass) in &self.held {
            let sum = sums.entry(word(key)).or_default();
            *sum = sum.checked_add(*mass).ok_or(AskError::TooLarge)?;
        }
        let mut sums: Vec<(String, Mass)> = sums.into_iter().collect();
        sums.sort_by_key(|(_, mass)| core::cmp::Reverse(*mass));
        let masses: Vec<Mass> = sums.iter().map(|(_, mass)| *mass).collect();
        let shares = coverage::shares_of(&masses, self.all).unwrap_or_default();
        let shares = shares.into_iter().map(Some).chain(core::iter::repeat(None));
        let share = |((word, mass), share): ((String, Mass), Option<String>)| QualityShare {
            word,
            co2e: mass.kg(),
            share,
        };
        Ok(sums.into_iter().zip(shares).map(share).collect())
    }
}
