//! A footprint question, settled: run, set, filters and the cells of its days.

use std::sync::Arc;

use anyhow::Context as _;
use envora_domain::access::{Grant, actions::ReadResults};
use envora_domain::activities::Ref;
use envora_domain::catalogue::{Bucket, Market};
use envora_domain::choice::Policy;
use envora_domain::decimal::Mass;
use envora_domain::figures::{Figure, Measure};
use envora_domain::gwp::GwpSet;
use envora_domain::id::{FacilityId, RunId, SourceId};
use envora_domain::rollups::ChosenKey;
use envora_domain::time::{Day, Timestamp};
use envora_store::audit::{AuditHead, audit_entry_at, audit_head};
use envora_store::organization::organization_now;
use envora_store::runs::{Run, RunState, run_by_id, run_current, runs_all};
use envora_store::sources::SourceFields;
use envora_store::unresolved::{DayRange, Unresolved};

use super::figures::{Cell, ENTITY, add_up, column};
use super::rollups::{self, Detail, KeptGroups, Seen, Sums};
use super::{AskError, CONSOLIDATION, FootprintQuery, PERIOD_YEARS_MAX};
use crate::process::runs::policy_of_run;
use crate::registry::Registry;
use crate::tenant::TenantParts;
use crate::trace::replay;

/// Figures, with the cells that can be part of them.
pub(crate) type Questions<'a> = Vec<(Vec<Figure>, Vec<&'a Cell>)>;

/// What is known when the question is settled.
pub(crate) struct Asked {
    pub(crate) query: FootprintQuery,
    pub(crate) run: Run,
    pub(crate) set: GwpSet,
    pub(crate) head: AuditHead,
    pub(crate) time_zone: String,
    pub(crate) policy: Policy,
    pub(crate) registry: Arc<Registry>,
    pub(crate) cells: Vec<Cell>,
    /// Activities by choice.
    pub(crate) chosen: Vec<(ChosenKey, i64)>,
    /// In which months sources have rows; nothing when it was not asked, or when cells tell.
    pub(crate) seen: Option<Seen>,
    /// Of a question about the past: what did not count then. Tables know today's alone.
    pub(crate) unresolved: Option<Vec<Unresolved>>,
}

/// A place in the past of the log.
struct Then {
    seq: u64,
    at: Timestamp,
    /// The run that readers saw then.
    run: RunId,
}

/// The place in the log at an instant, and the run that readers saw there: the first one, before it had
/// taken over. Nothing when that is how things stand now.
fn place_at(
    parts: &TenantParts,
    grant: Grant<ReadResults>,
    at: Timestamp,
) -> Result<Option<Then>, AskError> {
    let own = parts.own;
    let found = parts.read(move |rd| {
        let entry = audit_entry_at(rd, &own.read_audit, at)?;
        Ok((entry, audit_head(rd)?.size, runs_all(rd, &grant)?))
    });
    let (entry, size, runs) = found.context("find the place in the log")?;
    let entry = entry.ok_or(AskError::BeforeTheLog(at))?;
    let seen = runs.iter().filter(|run| run.switched_seq > 0);
    let run =
        seen.clone().filter(|run| run.switched_seq <= entry.seq).max_by_key(|run| run.switched_seq);
    let run = run.or_else(|| seen.min_by_key(|run| run.switched_seq)).ok_or(AskError::NotYet)?;
    let (seq, at) = (entry.seq, Timestamp::from_micros(entry.at_ms.saturating_mul(1_000)));
    let is_now = entry.seq.saturating_add(1) >= size;
    Ok((!is_now).then_some(Then { seq, at, run: run.id }))
}

impl Asked {
    pub(crate) fn settle(
        parts: &TenantParts,
        grant: Grant<ReadResults>,
        (query, detail): (&FootprintQuery, Detail),
    ) -> Result<Self, AskError> {
        let narrowed = |field: &str| query.filters.contains_key(field);
        let facility = detail.facility || narrowed("facility");
        let source = detail.source || narrowed("source");
        let detail = Detail { facility, source, ..detail };
        let (mut asked, then) = Self::read(parts, grant, (query, Some(detail)))?;
        let of_entity = query.filters.contains_key(ENTITY);
        if then || of_entity || asked.run.state == RunState::Retired {
            // Cells know the head alone and no entities, and those of a retired run may have been swept.
            let mut whole = Figure { gwp_set: None, ..asked.base() };
            whole.filters.retain(|field, _| field == ENTITY);
            let replayed = replay::walk(parts, (&whole, replay::Rows::OfSegments), |_, _| Ok(()))?;
            asked.cells = replayed.cells;
            asked.chosen = replayed.chosen;
            asked.seen = None;
            asked.unresolved = then.then_some(replayed.unresolved);
        }
        Ok(asked)
    }

    /// The same for who asks the rows: no cells are read.
    pub(crate) fn without_cells(
        parts: &TenantParts,
        grant: Grant<ReadResults>,
        query: &FootprintQuery,
    ) -> Result<Self, AskError> {
        Self::read(parts, grant, (query, None)).map(|(asked, _)| asked)
    }

    /// What is known, with the cells of its days, told apart so far, and whether it is of the past.
    fn read(
        parts: &TenantParts,
        grant: Grant<ReadResults>,
        (query, detail): (&FootprintQuery, Option<Detail>),
    ) -> Result<(Self, bool), AskError> {
        if query.to <= query.from {
            return Err(AskError::PeriodReversed);
        }
        let (year, month, day) = query.from.ymd();
        let longest = Day::from_ymd(year.saturating_add(PERIOD_YEARS_MAX), month, day);
        if query.to > longest.unwrap_or_else(|| query.from.plus(366 * i32::from(PERIOD_YEARS_MAX)))
        {
            return Err(AskError::PeriodTooLong);
        }
        let then = query.as_of.map(|at| place_at(parts, grant, at)).transpose()?.flatten();
        let (own, wanted) = (parts.own, query.run.or(then.as_ref().map(|then| then.run)));
        let last = then.as_ref().map_or(u64::MAX, |then| then.seq);
        let anew = detail.is_some_and(|detail| detail.anew);
        let groups = if anew { KeptGroups::default() } else { parts.groups.clone() };
        let kept = parts.registry.clone();
        let days = DayRange { from: query.from, to: query.to };
        let (organization, run, head, registry, sums) = parts
            .read(move |rd| {
                let organization = organization_now(rd, &own.read_organization)?;
                let run = match wanted {
                    Some(run) => run_by_id(rd, &grant, run)?,
                    None => run_current(rd, &grant)?,
                };
                let head = audit_head(rd)?;
                let registry = kept.up_to(rd, &own, last)?;
                let sums = match (&run, detail) {
                    (Some(run), Some(detail)) => {
                        rollups::read(rd, &grant, run.id, (&groups, days, detail))?
                    }
                    _ => Sums::default(),
                };
                Ok((organization, run, head, registry, sums))
            })
            .context("read what the footprint needs")?;
        let run = run.ok_or_else(|| match (wanted, parts.calculation.stall()) {
            (Some(_), _) => AskError::NoRun,
            (None, Some(stall)) => AskError::Failing(stall),
            (None, None) => AskError::NotYet,
        })?;
        let settings = organization.context("find the organization")?.settings;
        let word = query.gwp_set.as_deref().unwrap_or(&settings.default_gwp_set);
        let set = GwpSet::parse(word).ok_or_else(|| AskError::UnknownGwpSet(word.to_owned()))?;
        // The run's own: while another catches up, or after it took over, the settings' is the other's.
        let policy = policy_of_run(&run)?;
        let mut asked = Self {
            query: query.clone(),
            run,
            set,
            head,
            time_zone: settings.time_zone,
            policy,
            registry,
            cells: sums.cells,
            chosen: sums.chosen,
            seen: sums.seen,
            unresolved: None,
        };
        if let Some(then) = &then {
            // What came later is not there: neither for the figures nor for the watermark.
            asked.run.calculated_to = asked.run.calculated_to.min(then.seq.saturating_add(1));
            (asked.head.size, asked.head.at) = (then.seq.saturating_add(1), then.at);
        }
        asked.name_by_id()?;
        Ok((asked, then.is_some()))
    }

    /// Codes of facilities, entities and sources become their ids.
    fn name_by_id(&mut self) -> Result<(), AskError> {
        for (field, words) in &mut self.query.filters {
            // An empty word asks for rows that name none.
            for word in words.iter_mut().filter(|word| !word.is_empty()) {
                let unknown = AskError::UnknownWord { field: field.clone(), word: word.clone() };
                let code = word.clone();
                let found = match field.as_str() {
                    "facility" if FacilityId::parse(word).is_err() => self
                        .registry
                        .facility(&Ref::Code(code), u64::MAX)
                        .map(|facility| facility.fields.id.to_string()),
                    "source" if SourceId::parse(word).is_err() => self
                        .registry
                        .source(&Ref::Code(code), u64::MAX)
                        .map(|source| source.fields.id.to_string()),
                    ENTITY => self
                        .registry
                        .entity(word, u64::MAX)
                        .map(|entity| entity.fields.id.to_string()),
                    _ => continue,
                };
                *word = found.ok_or(unknown)?;
            }
        }
        Ok(())
    }

    /// Whether rows are to be expected of a source: it stands at a facility that is asked for, or of an
    /// entity that is.
    pub(crate) fn expects(&self, source: &SourceFields) -> bool {
        let asked = |field: &str, id: &dyn Fn() -> Option<String>| {
            let words = self.query.filters.get(field);
            words.is_none_or(|words| words.contains(&id().unwrap_or_default()))
        };
        let entity = || {
            let place = source.facility.and_then(|id| self.registry.facility_of(id, self.seq()));
            place.and_then(|place| place.fields.entity).map(|id| id.to_string())
        };
        asked("facility", &|| source.facility.map(|id| id.to_string()))
            && asked("source", &|| Some(source.id.to_string()))
            && asked(ENTITY, &entity)
    }

    /// The last seq that is calculated.
    pub(crate) const fn seq(&self) -> u64 {
        self.run.calculated_to.saturating_sub(1)
    }

    /// The figure of everything in the question: in the scopes, CO2e, by location.
    pub(crate) fn base(&self) -> Figure {
        let mut filters = self.query.filters.clone();
        filters.insert("consolidation".to_owned(), vec![CONSOLIDATION.to_owned()]);
        Figure {
            measure: Measure::Co2e,
            from: self.query.from,
            to: self.query.to,
            scope: None,
            category: None,
            market: Market::Location,
            gas: None,
            bucket: Bucket::InScope,
            filters,
            gwp_set: Some(self.set),
            run: self.run.id,
            seq: self.seq(),
        }
    }

    /// The cells of some of the question's days.
    pub(crate) fn on(&self, from: Day, to: Day) -> &[Cell] {
        let first = self.cells.partition_point(|(key, _)| key.day < from);
        let end = self.cells.partition_point(|(key, _)| key.day < to);
        self.cells.get(first..end).unwrap_or_default()
    }

    /// The exact values of figures: from the cells, or, in a set that cells do not keep, from the
    /// rows, which are worked out again once for all of them.
    pub(crate) fn values(
        &self,
        parts: &TenantParts,
        questions: &Questions<'_>,
    ) -> Result<Vec<Vec<Mass>>, AskError> {
        let columns = self.policy.columns();
        if column(&columns, self.set).is_some() {
            let sums = |(of, cells): &(Vec<Figure>, Vec<&Cell>)| add_up(of, &columns, cells);
            return questions.iter().map(sums).collect();
        }
        let figures: Vec<Figure> = questions.iter().flat_map(|(of, _)| of.clone()).collect();
        let mut values = replay::values(parts, &figures)?.into_iter();
        Ok(questions.iter().map(|(of, _)| values.by_ref().take(of.len()).collect()).collect())
    }
}
