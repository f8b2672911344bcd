//! Coverage, primary share, what does not count, and what a reader should know.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use envora_api::footprints::{Coverage, MissingMonth, RECALCULATING, UnresolvedGroup, Warning};
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::activities::problems::Flag;
use envora_domain::catalogue::{Market, Slot};
use envora_domain::cells::{CellKey, CellValue, Primary};
use envora_domain::choice::{ChoiceFlag, Why};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::figures::Figure;
use envora_domain::gwp::{Carbon, Gas};
use envora_domain::rollups::ChosenKey;
use envora_domain::time::Day;
use envora_store::runs::{RunState, run_catching_up};
use envora_store::segments::segments_from;
use envora_store::unresolved::{DayRange, Unresolved, unresolved_between};
use envora_store::whys::whys_of_run;

use super::AskError;
use super::asked::Asked;
use super::figures::{Sieve, column, month_of, month_word, months};
use super::piles::Piles;
use super::rollups::Present;
use crate::commit::ALIKE_REMEDY;
use crate::process::runs::is_outdated;
use crate::process::scan::NOTICED;
use crate::registry::Wanted;
use crate::tenant::TenantParts;

/// How many missing source-months an answer lists.
const MISSING_MAX: usize = 100;
/// How many segments that wait are counted.
const WAITING_MAX: u32 = 10_000;

/// Source-months with a counted activity among those in which the source was open.
pub(crate) fn coverage(asked: &Asked) -> Result<Coverage, AskError> {
    let base = asked.base();
    let sieve = Sieve::of(&base)?;
    let present = match &asked.seen {
        Some(seen) => seen.months(&sieve, base.from)?,
        None => present_in(asked, &sieve),
    };
    let (mut expected, mut there, mut missing) = (0, 0, Vec::new());
    let spans = months(base.from, base.to);
    for source in asked.registry.sources_at(u64::MAX) {
        let fields = &source.fields;
        if !asked.expects(fields) {
            continue;
        }
        let id = fields.id.bytes();
        for (from, to) in &spans {
            let open = fields.opened.is_none_or(|opened| opened < *to)
                && fields.closed.is_none_or(|closed| *from < closed);
            if !open {
                continue;
            }
            expected += 1;
            if present.contains(&(id, month_of(*from))) {
                there += 1;
            } else if missing.len() < MISSING_MAX {
                let month = month_word(*from);
                let (source_id, source_code) = (fields.id, fields.code.clone());
                missing.push(MissingMonth { source_id, source_code, month });
            }
        }
    }
    Ok(Coverage {
        present: there,
        expected,
        unit: "source_month".to_owned(),
        missing,
        derived_factor_missing: BTreeMap::new(),
    })
}

/// The months in which sources have cells that a figure holds.
fn present_in(asked: &Asked, sieve: &Sieve<'_>) -> Present {
    let mut present = Present::new();
    let mut known: Option<(&[u8], Day)> = None;
    for (key, value) in &asked.cells {
        // Of a source's day, one cell is enough.
        let here = Some((key.source.as_slice(), key.day));
        if known != here && sieve.holds(key) && is_there(value) {
            if let Ok(source) = key.source.as_slice().try_into() {
                present.insert((source, month_of(key.day)));
            }
            known = here;
        }
    }
    present
}

/// Whether a cell holds something. A row over several months is counted on its first day alone, and
/// its mass is in all of them.
pub(crate) fn is_there(value: &CellValue) -> bool {
    let mass = |mass: &Mass| *mass != Mass::ZERO;
    value.count > 0 || mass(&value.kg) || value.co2e.iter().flatten().any(mass)
}

/// The share of CO2e from rows that say they are primary, to four digits; nothing when none says.
pub(crate) fn primary_share(asked: &Asked, piles: &Piles) -> Result<Option<String>, AskError> {
    let base = asked.base();
    let sieve = Sieve::of(&base)?;
    let column = column(&asked.policy.columns(), asked.set).unwrap_or(0);
    let (mut primary, mut all, mut said) = (Mass::ZERO, Mass::ZERO, false);
    for (key, value) in piles.months.iter().filter(|(key, _)| sieve.holds(key)) {
        let co2e = value.co2e.get(column).copied().flatten().unwrap_or_default();
        all = all.checked_add(co2e).ok_or(AskError::TooLarge)?;
        said |= key.primary != Primary::Unsaid;
        if key.primary == Primary::Yes {
            primary = primary.checked_add(co2e).ok_or(AskError::TooLarge)?;
        }
    }
    if !said || all.units() <= 0 {
        return Ok(None);
    }
    Ok(share_of(primary, all))
}

/// Shares have four digits.
const SHARE_STEPS: i128 = 10_000;

/// A part of a whole to four digits, rounded half-even; nothing of nothing.
pub(crate) fn share_of(part: Mass, all: Mass) -> Option<String> {
    let (all, part) = (all.units(), part.units().checked_mul(SHARE_STEPS)?);
    let (share, rest) = (part.checked_div_euclid(all)?, part.checked_rem_euclid(all)?);
    let left = all.checked_sub(rest)?;
    let up = rest > left || (rest == left && share % 2 != 0);
    let share = Decimal::new(share + i128::from(up), 4)?;
    Some(share.normalized().to_string())
}

/// The parts of a whole to four digits, by largest remainder, the earlier first: they add up to one.
/// Nothing of nothing.
pub(crate) fn shares_of(parts: &[Mass], all: Mass) -> Option<Vec<String>> {
    let all = Some(all.units()).filter(|all| *all > 0)?;
    let mut shares = Vec::with_capacity(parts.len());
    for part in parts {
        let part = part.units().checked_mul(SHARE_STEPS)?;
        shares.push((part.checked_div_euclid(all)?, part.checked_rem_euclid(all)?));
    }
    let given: i128 = shares.iter().map(|(share, _)| share).sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|place| core::cmp::Reverse(shares.get(*place).map(|(_, rest)| *rest)));
    let left = usize::try_from(SHARE_STEPS.checked_sub(given)?).ok()?;
    for place in order.into_iter().take(left) {
        if let Some((share, _)) = shares.get_mut(place) {
            *share += 1;
        }
    }
    let text = |(share, _): &(i128, i128)| Some(Decimal::new(*share, 4)?.normalized().to_string());
    shares.iter().map(text).collect()
}

/// What is stored and does not count, by reason and remedy.
pub(crate) fn unresolved(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    asked: &Asked,
) -> Result<Vec<UnresolvedGroup>, AskError> {
    let rows = odd_rows(parts, grant, asked)?;
    let mut groups: BTreeMap<(String, String, String), UnresolvedGroup> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| !is_noticed(&row.code)) {
        let key = (row.code.clone(), row.word.clone(), row.remedy.clone());
        // What was noted with a row may be older than the form of codes.
        let wanted = Wanted::ALL.into_iter().find(|wanted| wanted.code().as_str() == row.code);
        let remedy = match (row.word.as_str(), wanted) {
            ("", _) => row.remedy,
            (word, Some(wanted)) => format!("`{word}`: {}", wanted.remedy(word)),
            (word, None) => format!("`{word}`: {}", row.remedy),
        };
        let group = groups.entry(key).or_insert_with(|| UnresolvedGroup {
            code: row.code,
            activities: 0,
            example: row.example.to_string(),
            remedy,
        });
        group.activities += row.activities;
    }
    Ok(groups.into_values().collect())
}

/// What is stored and in no figure because the calculation does not go on.
pub(crate) fn stalled(parts: &TenantParts, asked: &Asked) -> Result<Option<Warning>, AskError> {
    let Some(stall) = parts.calculation.stall() else { return Ok(None) };
    let (grant, from) = (parts.own.read_activities, asked.run.calculated_to);
    let waiting = parts
        .read(move |rd| segments_from(rd, &grant, from, WAITING_MAX))
        .context("read what waits to be calculated")?;
    let what = if asked.run.calculated_to >= asked.head.size {
        "what is stored counts, and nothing else will"
    } else {
        "what was stored lately is in no figure"
    };
    Ok(Some(Warning {
        code: "calculation_failing".to_owned(),
        detail: format!(
            "the calculation has failed since {} ({}), so {what}: {}",
            stall.since,
            stall.code.as_str(),
            stall.reason
        ),
        activities: waiting.iter().map(|segment| u64::from(segment.rows)).sum(),
    }))
}

/// A warning when the figures are by packs or settings that are not asked for any more, while what is
/// asked for now is worked out beside them. Whoever asks for a run or for the past is shown just that.
pub(crate) fn recalculating(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    asked: &Asked,
) -> Result<Option<Warning>, AskError> {
    let of_now = asked.query.run.is_none() && asked.unresolved.is_none();
    if !of_now || asked.run.state != RunState::Current {
        return Ok(None);
    }
    let next = parts.read(move |rd| run_catching_up(rd, &grant)).context("look for a run")?;
    if next.is_none() && !is_outdated(parts, &asked.run).context("hold the run against today")? {
        return Ok(None);
    }
    let (done, all) = (next.map_or(0, |next| next.calculated_to), asked.head.size);
    Ok(Some(Warning {
        code: RECALCULATING.to_owned(),
        detail: format!(
            "these figures are by the packs, settings or program of before; everything is calculated anew beside them, {} of {all} entries of the log so far, and takes their place at once",
            done.min(all)
        ),
        activities: 0,
    }))
}

/// What does not count in these days or may count twice, by segment: as of then, where that was asked.
fn odd_rows(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    asked: &Asked,
) -> Result<Vec<Unresolved>, AskError> {
    let (run, days) = (asked.run.id, DayRange { from: asked.query.from, to: asked.query.to });
    Ok(match &asked.unresolved {
        Some(then) => {
            let may_touch = |row: &&Unresolved| row.day_max >= days.from && row.day_min < days.to;
            then.iter().filter(may_touch).cloned().collect()
        }
        None => parts
            .read(move |rd| unresolved_between(rd, &grant, run, days))
            .context("read what does not count")?,
    })
}

/// Whether a row of this code counts, and is only noticed.
fn is_noticed(code: &str) -> bool {
    NOTICED.iter().any(|flag| flag.as_str() == code)
}

/// Rows that count and that a reader should look at: they may count twice, or lower a total.
pub(crate) fn noticed(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    asked: &Asked,
) -> Result<Vec<Warning>, AskError> {
    let rows = odd_rows(parts, grant, asked)?;
    let of = |flag: &Flag| {
        let flagged = rows.iter().filter(|row| row.code == flag.as_str());
        let (activities, example) = flagged.fold((0, None), |(activities, example), row| {
            (activities + row.activities, example.or(Some(row.example)))
        });
        let detail = |example| match flag {
            Flag::NegativeBalance => format!(
                "a balance of a refrigerant is below zero and lowers the total, such as {example}: \
                 check its stocks, purchases and capacities"
            ),
            _ => format!(
                "these look like rows that were stored before under other ids, or have the source and the period of another row of their file, such as {example}: {ALIKE_REMEDY}"
            ),
        };
        let code = flag.as_str().to_owned();
        example.map(|example| Warning { code, detail: detail(example), activities })
    };
    Ok(NOTICED.iter().filter_map(of).collect())
}

/// The flags of the choices that counted rows of the question stand on, each with how many activities
/// it concerns, and the derived slots that found no factor for them.
pub(crate) fn warnings(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    asked: &Asked,
) -> Result<(Vec<Warning>, BTreeMap<String, u64>), AskError> {
    let run = asked.run.id;
    let whys = parts.read(move |rd| whys_of_run(rd, &grant, run)).context("read the choices")?;
    let whys: BTreeMap<u32, String> = whys.into_iter().map(|row| (row.why, row.json)).collect();
    let mut by_why: BTreeMap<u32, Vec<(ChosenKey, i64)>> = BTreeMap::new();
    for (key, count) in &asked.chosen {
        by_why.entry(key.why).or_default().push((key.clone(), *count));
    }
    let mut flagged: BTreeMap<&'static str, (u64, BTreeSet<Slot>)> = BTreeMap::new();
    let mut lacking: BTreeMap<String, u64> = BTreeMap::new();
    let mut parts_lost = Lost::default();
    for (number, rows) in by_why {
        let why = whys.get(&number).context("find a choice that rows stand on")?;
        let why = Why::from_json(why).context("read a choice")?;
        let slots = held(asked, &why, &rows)?;
        let most = slots.values().copied().max().unwrap_or(0);
        let mut flags: BTreeMap<&'static str, (u64, BTreeSet<Slot>)> = BTreeMap::new();
        for choice in &why.slots {
            let Some(count) = slots.get(&choice.slot).filter(|count| **count > 0) else { continue };
            let gap = ChoiceFlag::DerivedFactorMissing;
            for flag in choice.flags.iter().filter(|flag| **flag != gap) {
                // One activity has many slots: of the flagged ones, that with most activities.
                let (activities, places) = flags.entry(flag.as_str()).or_default();
                *activities = (*activities).max(*count);
                places.insert(choice.slot);
            }
        }
        for (code, (count, slots)) in flags {
            let (activities, places) = flagged.entry(code).or_default();
            *activities += count;
            places.extend(slots);
        }
        if most > 0 && why.flags.contains(&ChoiceFlag::DerivedFactorMissing) {
            let passed_over = why.passed_over.iter().map(|over| over.slot);
            let lost = passed_over.filter(|slot| why.slot(*slot).is_none());
            let gap = ChoiceFlag::DerivedFactorMissing;
            let half = why.slots.iter().filter(|choice| choice.flags.contains(&gap));
            let lost: BTreeSet<Slot> = lost.chain(half.map(|choice| choice.slot)).collect();
            parts_lost.add(&why.kind, most, &lost);
            for slot in lost {
                *lacking.entry(slot.as_str().to_owned()).or_default() += most;
            }
        }
    }
    let warning = |(code, (activities, slots)): (&str, (u64, BTreeSet<Slot>))| {
        let slots: BTreeSet<&str> = slots.into_iter().map(Slot::as_str).collect();
        let slots = slots.into_iter().collect::<Vec<_>>().join(", ");
        Warning { code: code.to_owned(), detail: format!("{} ({slots})", about(code)), activities }
    };
    let warnings = parts_lost.warning().into_iter().chain(flagged.into_iter().map(warning));
    Ok((warnings.collect(), lacking))
}

/// What derived slots without a factor leave out, by slot and activity type.
#[derive(Default)]
struct Lost {
    activities: u64,
    rows: BTreeMap<Slot, BTreeMap<String, u64>>,
}

impl Lost {
    fn add(&mut self, kind: &str, activities: u64, slots: &BTreeSet<Slot>) {
        self.activities += if slots.is_empty() { 0 } else { activities };
        for slot in slots {
            let kinds = self.rows.entry(*slot).or_default();
            *kinds.entry(kind.to_owned()).or_default() += activities;
        }
    }

    /// The warning that nobody takes a total for whole by: it stands first.
    fn warning(self) -> Option<Warning> {
        let lost = self.rows.iter().map(|(slot, kinds)| {
            let kinds = kinds.iter().map(|(kind, activities)| format!("{activities} × {kind}"));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            format!("{} ({slot}) of {kinds}", left_out(*slot))
        });
        let lost = lost.collect::<Vec<_>>().join("; ");
        (!lost.is_empty()).then(|| Warning {
            code: ChoiceFlag::DerivedFactorMissing.as_str().to_owned(),
            detail: format!(
                "for want of a factor these parts are left out, and the totals that hold them are \
                 not whole: {lost}"
            ),
            activities: self.activities,
        })
    }
}

/// What a derived slot is, for people.
fn left_out(slot: Slot) -> &'static str {
    match slot.as_str() {
        "c3_tnd" => "scope 3.3, losses in the grid",
        "c3_wtt" => "scope 3.3, upstream of fuel and power",
        "c3_wtt_tnd" => "scope 3.3, upstream of the losses",
        "s3_tnd" => "scope 3, losses in the grid",
        "s3_wtt" => "scope 3, upstream of fuel and power",
        "s3_wtt_tnd" => "scope 3, upstream of the losses",
        "s1_gases" => "scope 1, methane or nitrous oxide",
        "biogenic" => "biogenic CO2",
        _ => "another part",
    }
}

/// How many activities of a choice each of its slots has in the question.
fn held(
    asked: &Asked,
    why: &Why,
    rows: &[(ChosenKey, i64)],
) -> Result<BTreeMap<Slot, u64>, AskError> {
    let mut base = asked.base();
    // Of the lines alone, and a choice has no lines without an amount.
    base.filters.retain(|field, _| field != "carbon" && field != "basis");
    let mut slots: BTreeMap<Slot, u64> = BTreeMap::new();
    for market in [base.market, Market::Market] {
        let figure = Figure { market, ..base.clone() };
        let sieve = Sieve::of(&figure)?;
        for choice in &why.slots {
            if market != base.market && choice.market != market {
                continue;
            }
            let mut cell = CellKey {
                day: base.from,
                facility: Vec::new(),
                source: Vec::new(),
                kind: why.kind.clone(),
                slot: choice.slot,
                scope: choice.scope,
                category: choice.category,
                market: choice.market,
                bucket: choice.bucket,
                gas: Gas::CO2E,
                carbon: Carbon::Unknown,
                basis: asked.set,
                tier: choice.tier,
                data_kind: String::new(),
                primary: Primary::Unsaid,
            };
            let mut count = 0;
            for (key, activities) in rows {
                cell.day = key.day;
                cell.facility.clone_from(&key.facility);
                cell.source.clone_from(&key.source);
                if sieve.holds(&cell) {
                    count += activities;
                }
            }
            *slots.entry(choice.slot).or_default() += u64::try_from(count).unwrap_or(0);
        }
    }
    Ok(slots)
}

fn about(code: &str) -> &'static str {
    match code {
        "no_residual_mix" => {
            "no contract, supplier rate or residual mix is known: the grid average stands in"
        }
        "native_gwp_basis" => {
            "the publisher prints no gas split: these keep the GWP basis they were printed in"
        }
        "period_fallback" => "no edition covers the period: the nearest one stands in",
        "region_fallback" => "no factor of the place itself: a wider region stands in",
        "stale_factor" => "the newest edition is older than the period",
        "gwp_missing" => "the GWP set lists no value for a gas: it adds nothing there",
        "unverified" => "suppliers' own figures, which nobody has checked here",
        "low_tier" => "a better method lacks inputs",
        _ => "see the trace of any figure concerned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_whole_add_up_to_one() {
        let check = |parts: &[i128], want: Option<&[&str]>| {
            let masses: Vec<Mass> = parts.iter().map(|part| Mass::from_units(*part)).collect();
            let got = shares_of(&masses, Mass::from_units(parts.iter().sum()));
            let want = want.map(|want| want.iter().map(ToString::to_string).collect());
            assert_eq!(got, want, "{parts:?}");
        };
        check(&[1, 1, 1], Some(&["0.3334", "0.3333", "0.3333"]));
        check(&[29_999, 10_001, 10_000], Some(&["0.6", "0.2", "0.2"]));
        check(&[66_665, 33_335], Some(&["0.6667", "0.3333"]));
        check(&[3, -1], Some(&["1.5", "-0.5"]));
        check(&[7], Some(&["1"]));
        check(&[0, 0], None);
        check(&[1, -2], None);
    }

    #[test]
    fn a_share_is_rounded_half_even() {
        let check = |part: i128, all: i128, want: Option<&str>| {
            let got = share_of(Mass::from_units(part), Mass::from_units(all));
            assert_eq!(got.as_deref(), want, "{part} of {all}");
        };
        check(1, 3, Some("0.3333"));
        check(2, 3, Some("0.6667"));
        check(19_999, 20_000, Some("1"));
        check(1, 20_000, Some("0"));
        check(3, 20_000, Some("0.0002"));
        check(0, 7, Some("0"));
        check(7, 7, Some("1"));
        check(-2, 3, Some("-0.6667"));
        check(1, 0, None);
    }
}
