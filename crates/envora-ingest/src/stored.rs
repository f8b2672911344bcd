//! Stored rows as a list shows them: what they came to, and which of them a question is about.

pub mod chains;
pub mod scan;
pub mod sorted;

use core::ops::ControlFlow;
use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context as _;
use envora_domain::activities::canonical::{has_flags, period_of};
use envora_domain::activities::problems::{Flag, RowCode};
use envora_domain::activities::{Activity, Origin, Period, Ref};
use envora_domain::choice::Why;
use envora_domain::factors::FactorId;
use envora_domain::id::{ActivityId, EntityId, Id, ImportId, Kind, RunId, SegmentId};
use envora_domain::time::{Day, Timestamp, WallClock, Zone};
use envora_store::audit::audit_head;
use envora_store::mentions::{Slice, Word, mentions_of};
use envora_store::organization::organization_now;
use envora_store::runs::run_current;
use envora_store::segments::{Segment, segments_from};
use envora_store::unresolved::unresolved_seqs;
use envora_store::whys::whys_of_run;
use memchr::memmem::find;

use crate::process::block::Recorded;
use crate::process::records::Records;
use crate::process::recount::ROW_DAYS_MAX;
use crate::registry::{Mention, Registry};
use crate::segments::{Rows, cut};
use crate::tenant::TenantParts;
use crate::trace::replay::lasts_until;

/// What a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowState {
    /// `counted`, `unresolved`, `superseded`, `voided`, or `pending` until it is calculated.
    pub state: &'static str,
    /// Why it is unresolved.
    pub code: Option<RowCode>,
}

/// The words of [`RowState::state`].
pub const STATES: &[&str] = &["counted", "unresolved", "superseded", "voided", "pending"];

/// Not calculated yet.
pub const PENDING: RowState = RowState { state: "pending", code: None };

impl From<Recorded> for RowState {
    fn from(recorded: Recorded) -> Self {
        let state = |state| Self { state, code: None };
        match recorded {
            Recorded::Counted(_) => state("counted"),
            Recorded::Superseded => state("superseded"),
            Recorded::Voided => state("voided"),
            Recorded::Unresolved(code) => Self { state: "unresolved", code: Some(code) },
        }
    }
}

/// What the current run records of rows.
struct States<'a> {
    /// The run, its records, and the seq below which all is calculated; none before the first run.
    known: Option<(RunId, Records<'a>, u64)>,
}

impl<'a> States<'a> {
    /// As it is now.
    fn now(parts: &'a TenantParts) -> anyhow::Result<Self> {
        let grant = parts.own.read_results;
        let run = parts.read(move |rd| run_current(rd, &grant))?;
        Self::of_run(parts, run.map(|run| (run.id, run.calculated_to)))
    }

    /// By what a run had calculated when it had come so far: that does not change any more.
    fn of_run(parts: &'a TenantParts, run: Option<(RunId, u64)>) -> anyhow::Result<Self> {
        let known = run.map(|(run, end)| {
            let records = Records::new(parts, run, end.saturating_sub(1))?;
            anyhow::Ok((run, records, end))
        });
        Ok(Self { known: known.transpose()? })
    }

    /// What each row of a segment came to, in their order; nothing of one that is not calculated.
    fn of(&self, segment: &Segment) -> anyhow::Result<Vec<Option<Recorded>>> {
        match &self.known {
            Some((_, records, end)) if segment.seq < *end => {
                Ok(records.of(segment)?.into_iter().map(Some).collect())
            }
            _ => Ok(vec![None; usize::try_from(segment.rows)?]),
        }
    }

    /// The numbers of the choices of which this is true.
    fn whys(
        &self,
        parts: &TenantParts,
        wanted: impl Fn(&Why) -> bool,
    ) -> anyhow::Result<HashSet<u32>> {
        let Some((run, ..)) = self.known else { return Ok(HashSet::new()) };
        let grant = parts.own.read_results;
        let all = parts.read(move |rd| whys_of_run(rd, &grant, run))?;
        let mut whys = HashSet::new();
        for stored in all {
            let why = Why::from_json(&stored.json).context("read a stored choice")?;
            if wanted(&why) {
                whys.insert(stored.why);
            }
        }
        Ok(whys)
    }
}

/// What a row of a segment came to, by what the current run records; nothing before the first run. Blocks.
///
/// # Errors
/// The database's; [`Damaged`](crate::tenant::Damaged) inside.
pub fn state_now(
    parts: &TenantParts,
    segment: &Segment,
    row: u32,
) -> anyhow::Result<Option<RowState>> {
    let states = States::now(parts)?;
    if states.known.is_none() {
        return Ok(None);
    }
    let recorded = states.of(segment)?.get(usize::try_from(row)?).copied().flatten();
    Ok(Some(recorded.map_or(PENDING, RowState::from)))
}

/// Whether something was noticed in a choice, of the whole or of a slot.
fn notices(why: &Why, flags: &[Flag]) -> bool {
    let asked = |word: &str| flags.iter().any(|flag| flag.as_str() == word);
    let slots = why.slots.iter().flat_map(|slot| &slot.flags);
    why.flags.iter().chain(slots).any(|flag| asked(flag.as_str()))
}

impl Question {
    /// Whether it asks for every row.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Which rows a list is about. Nothing said: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Of one of these activity types.
    pub kinds: Vec<String>,
    /// At one of these facilities, by id or code.
    pub facilities: Vec<String>,
    /// Of one of these legal entities, by id or code.
    pub entities: Vec<String>,
    /// Of one of these sources, by id or code.
    pub sources: Vec<String>,
    /// Not over before this day begins in the reporting zone.
    pub from: Option<Day>,
    /// Begun before this day begins in the reporting zone.
    pub to: Option<Day>,
    /// In one of these states.
    pub states: Vec<String>,
    /// Of this import.
    pub import: Option<ImportId>,
    /// Of this segment.
    pub segment: Option<SegmentId>,
    /// From this line of a file.
    pub line: Option<u64>,
    /// Calculated with this factor, in the current run.
    pub factor: Option<FactorId>,
    /// With one of these flags, of the row or of a choice of the current run.
    pub flags: Vec<Flag>,
}

/// A moment, as far as answers to a question depend on it: whoever reads the rows of one twice finds the
/// same rows in the same states, whatever is committed and calculated meanwhile.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The current run, and how far it had calculated.
    run: Option<(RunId, u64)>,
    /// The size of the log.
    head: u64,
    zone: Zone,
    /// The segments that may hold rows of the question, where an index knew.
    seqs: Option<Arc<HashSet<u64>>>,
}

impl Moment {
    /// The moment of everything: what several questions that are to agree are asked as of. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn now(parts: &TenantParts) -> anyhow::Result<Self> {
        Ok(Narrowed::of_rows(parts, Question::default())?.moment())
    }

    /// This one for another question, of which an index may know the segments. What came meanwhile is
    /// left out by the size of the log. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn asking(&self, parts: &TenantParts, question: Question) -> anyhow::Result<Self> {
        let seqs = Narrowed::of_rows(parts, question)?.moment().seqs;
        Ok(Self { seqs, ..self.clone() })
    }
}

/// A question with its words looked up, and what the current run records: a noun's rows may name it by
/// its id or any of its codes.
pub struct Narrowed<'a> {
    parts: &'a TenantParts,
    states: States<'a>,
    question: Question,
    at: HashSet<Mention>,
    of: HashSet<Mention>,
    /// What rows are looked up in that are to be an entity's, and the entities.
    owned: Option<(Arc<Registry>, HashSet<EntityId>)>,
    whys: Option<HashSet<u32>>,
    /// The choices with a flag that is asked for.
    noticed: HashSet<u32>,
    /// The segments that may hold such rows, where an index knows.
    seqs: Option<Arc<HashSet<u64>>>,
    head: u64,
    /// Bytes of which each list has one in every such row.
    within: Vec<Vec<Vec<u8>>>,
    zone: Zone,
}

impl<'a> Narrowed<'a> {
    /// Looks the words up. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn new(parts: &'a TenantParts, question: Question) -> anyhow::Result<Self> {
        Self::of_rows(parts, question)?.with_choices()
    }

    /// The same as of the moment in which the question was first looked up. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn at(parts: &'a TenantParts, question: Question, moment: &Moment) -> anyhow::Result<Self> {
        Self::looked_up(parts, question, Some(moment))?.with_choices()
    }

    /// The moment that it is of.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment {
            run: self.states.known.as_ref().map(|(run, _, end)| (*run, *end)),
            head: self.head,
            zone: self.zone.clone(),
            seqs: self.seqs.clone(),
        }
    }

    /// Looks flags up among the choices too.
    fn with_choices(mut self) -> anyhow::Result<Self> {
        if !self.question.flags.is_empty() {
            let flags = &self.question.flags;
            self.noticed = self.states.whys(self.parts, |why| notices(why, flags))?;
        }
        Ok(self)
    }

    /// The same, but flags are those of rows alone. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn of_rows(parts: &'a TenantParts, question: Question) -> anyhow::Result<Self> {
        Self::looked_up(parts, question, None)
    }

    fn looked_up(
        parts: &'a TenantParts,
        question: Question,
        moment: Option<&Moment>,
    ) -> anyhow::Result<Self> {
        let (own, then) = (parts.own, moment.map(|moment| moment.head));
        let kept = parts.registry.clone();
        let (registry, organization, head) = parts
            .read(move |rd| {
                let head = then.map_or_else(|| audit_head(rd).map(|head| head.size), Ok)?;
                let registry = kept.up_to(rd, &own, head.saturating_sub(1))?;
                Ok((registry, organization_now(rd, &own.read_organization)?, head))
            })
            .context("look up the words of a question")?;
        let zone = organization.map(|now| now.settings.time_zone);
        let zone = zone.and_then(|zone| Zone::named(&zone).ok()).unwrap_or_else(Zone::utc);
        let zone = moment.map_or(zone, |moment| moment.zone.clone());
        let mut at = HashSet::new();
        for word in &question.facilities {
            at.extend(registry.facility_words(&named(word)));
        }
        let mut of = HashSet::new();
        for word in &question.sources {
            of.extend(registry.source_words(&named(word)));
        }
        let asked = question.entities.iter();
        let entities: HashSet<EntityId> = asked
            .filter_map(|word| registry.entity(word, u64::MAX))
            .map(|entity| entity.fields.id)
            .collect();
        let owned: HashSet<Mention> =
            entities.iter().flat_map(|id| registry.entity_words(*id)).collect();
        let states = match moment {
            Some(moment) => States::of_run(parts, moment.run)?,
            None => States::now(parts)?,
        };
        let words =
            [(&question.facilities, &at), (&question.sources, &of), (&question.entities, &owned)];
        let seqs = match moment {
            Some(moment) => moment.seqs.clone(),
            None => seqs(parts, &question, (&states, words))?.map(Arc::new),
        };
        let within = within(&question, words);
        let owned = (!question.entities.is_empty()).then_some((registry, entities));
        let uses = |why: &Why, factor| why.slots.iter().any(|slot| slot.uses(factor));
        let whys = question.factor;
        let whys = whys.map(|factor| states.whys(parts, |why| uses(why, factor))).transpose()?;
        let noticed = HashSet::new();
        Ok(Self { parts, states, question, at, of, owned, whys, noticed, seqs, head, within, zone })
    }

    /// The first facility, source or entity of a question that there is none of, and the parameter that
    /// asks for it. A code that no table has yet is one as long as rows wait for it. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn unknown(
        parts: &TenantParts,
        question: &Question,
    ) -> anyhow::Result<Option<(&'static str, String)>> {
        if question.facilities.is_empty()
            && question.sources.is_empty()
            && question.entities.is_empty()
        {
            return Ok(None);
        }
        let (own, asked, kept) = (parts.own, question.clone(), parts.registry.clone());
        parts.read(move |rd| {
            let registry = kept.up_to(rd, &own, u64::MAX)?;
            let mut waits = |kind: &str, word: &str| {
                let first = Slice { from: 0, limit: 1 };
                let found = mentions_of(rd, &own.calculate, [Word { kind, word }], first)?;
                anyhow::Ok(!found.is_empty())
            };
            for word in asked.facilities {
                let known = registry.facility(&named(&word), u64::MAX).is_some();
                if !known && !waits("facility", &word)? {
                    return Ok(Some(("facility_id", word)));
                }
            }
            for word in asked.sources {
                let known = registry.source(&named(&word), u64::MAX).is_some();
                if !known && !waits("source", &word)? {
                    return Ok(Some(("source_id", word)));
                }
            }
            for word in asked.entities {
                if registry.entity(&word, u64::MAX).is_none() {
                    return Ok(Some(("entity_id", word)));
                }
            }
            Ok(None)
        })
    }

    /// Shows the rows of a segment that are asked for, from a row on, in their order, until told to
    /// stop. Blocks.
    ///
    /// # Errors
    /// What `look` gives; the database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn rows(
        &self,
        segment: &Segment,
        from: u32,
        mut look: impl FnMut(ActivityId, &Activity, RowState) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        if !self.may_hold(segment) {
            return Ok(ControlFlow::Continue(()));
        }
        let known = self.states.of(segment)?;
        let stream = self.parts.segment_stream(segment)?;
        let rows = cut(segment, &stream)?;
        let mut decoder = Rows::default();
        for ((bytes, known), row) in rows.into_iter().zip(known).zip(0_u32..) {
            let state = known.map_or(PENDING, RowState::from);
            let asked = &self.question.states;
            let used = |whys: &HashSet<u32>| matches!(known, Some(Recorded::Counted(why)) if whys.contains(&why));
            let flags = &self.question.flags;
            let noticed = flags.is_empty() || used(&self.noticed);
            if row < from
                || !(asked.is_empty() || asked.iter().any(|one| one == state.state))
                || !self.whys.as_ref().is_none_or(used)
                || !(noticed || has_flags(bytes))
                || !self.may_fall(bytes)
                || !self.within.iter().all(|any| any.iter().any(|one| find(bytes, one).is_some()))
            {
                continue;
            }
            let activity = decoder.decode(segment.id, bytes)?;
            let id = segment.id.activity(row).context("name a row")?;
            let noticed = noticed || flags.iter().any(|flag| activity.flags.contains(*flag));
            if noticed && self.holds(&activity) && look(id, &activity, state)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether a row of a segment can be among those asked for.
    #[must_use]
    pub fn may_hold(&self, segment: &Segment) -> bool {
        let (first, last) = (segment.start_min.utc_day(), segment.start_max.utc_day());
        self.question.from.is_none_or(|from| last.plus(ROW_DAYS_MAX) >= from)
            && self.question.to.is_none_or(|to| first.plus(-2) < to)
            && self.question.import.is_none_or(|import| segment.import == Some(import))
            && self.question.segment.is_none_or(|id| segment.id == id)
            && self.seqs.as_ref().is_none_or(|seqs| seqs.contains(&segment.seq))
    }

    /// The same, and of a segment whose rows begin long before the days that are asked for, whether one
    /// of them lasts until then: for that it is opened. Blocks.
    ///
    /// # Errors
    /// [`Damaged`](crate::tenant::Damaged) inside.
    pub fn reaches(&self, segment: &Segment) -> anyhow::Result<bool> {
        Ok(self.may_hold(segment)
            && match self.question.from {
                Some(from) => lasts_until(self.parts, segment, from)?,
                None => true,
            })
    }

    /// Whether a row is among those asked for.
    fn holds(&self, activity: &Activity) -> bool {
        let asked = &self.question;
        (asked.kinds.is_empty() || asked.kinds.contains(&activity.kind))
            && (asked.facilities.is_empty() || self.stands(activity))
            && (asked.sources.is_empty()
                || Mention::of(activity).any(|word| self.of.contains(&word)))
            && self.owned.as_ref().is_none_or(|(registry, entities)| {
                registry.owner(activity, u64::MAX).is_some_and(|id| entities.contains(&id))
            })
            && self.falls(&activity.period)
            && asked.line.is_none_or(
                |line| matches!(activity.origin, Origin::File { line: from, .. } if from == line),
            )
    }

    /// A row's own facility decides; without one, its source's.
    fn stands(&self, activity: &Activity) -> bool {
        let by = if activity.facility.is_some() { "facility" } else { "source" };
        Mention::of(activity).any(|word| word.kind == by && self.at.contains(&word))
    }

    /// The same of a row that is not read.
    fn may_fall(&self, row: &[u8]) -> bool {
        let is_asked = self.question.from.is_some() || self.question.to.is_some();
        !is_asked || period_of(row).is_none_or(|period| self.falls(&period))
    }

    fn falls(&self, period: &Period) -> bool {
        let (first, last) = days(period, &self.zone);
        self.question.from.is_none_or(|from| last >= from)
            && self.question.to.is_none_or(|to| first < to)
    }
}

/// The words of a question's facilities, sources and entities, each with those that rows may have for it.
type Words<'a> = [(&'a Vec<String>, &'a HashSet<Mention>); 3];

/// The segments that may hold rows of a question, where an index tells: those that name its facilities
/// or sources, those with rows that do not count, those that are not calculated yet.
fn seqs(
    parts: &TenantParts,
    question: &Question,
    (states, words): (&States<'_>, Words<'_>),
) -> anyhow::Result<Option<HashSet<u64>>> {
    let mut known: Option<HashSet<u64>> = None;
    let mut narrow = |seqs: HashSet<u64>| {
        known = Some(match known.take() {
            Some(before) => before.intersection(&seqs).copied().collect(),
            None => seqs,
        });
    };
    for (asked, words) in words {
        if !asked.is_empty() {
            narrow(naming(parts, words)?);
        }
    }
    if let (["unresolved"], Some((run, ..))) = (&*strs(&question.states), &states.known) {
        let (grant, run) = (parts.own.read_results, *run);
        narrow(parts.read(move |rd| unresolved_seqs(rd, &grant, run))?.into_iter().collect());
    }
    if let (["pending"], Some((_, _, end))) = (&*strs(&question.states), &states.known) {
        let (grant, end) = (parts.own.read_activities, *end);
        let waiting = parts.read(move |rd| segments_from(rd, &grant, end, u32::MAX))?;
        narrow(waiting.into_iter().map(|segment| segment.seq).collect());
    }
    Ok(known)
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The segments that name one of these words.
fn naming(parts: &TenantParts, words: &HashSet<Mention>) -> anyhow::Result<HashSet<u64>> {
    let (grant, words) = (parts.own.calculate, words.clone());
    let all = Slice { from: 0, limit: u32::MAX };
    parts.read(move |rd| {
        let found = mentions_of(rd, &grant, words.iter().map(Mention::as_word), all)?;
        Ok(found.into_iter().collect())
    })
}

/// What rows of a question have in their bytes, so that most others need not be read: one of its types,
/// and one of the words that its facilities and its sources go by.
fn within(question: &Question, words: Words<'_>) -> Vec<Vec<Vec<u8>>> {
    let kinds = question.kinds.iter().map(|kind| kind.clone().into_bytes()).collect();
    let named = |words: &HashSet<Mention>| words.iter().flat_map(Mention::stored).collect();
    let named = words.map(|(asked, words)| (!asked.is_empty(), named(words)));
    let lists = std::iter::once((!question.kinds.is_empty(), kinds)).chain(named);
    lists.filter(|(is_asked, _)| *is_asked).map(|(_, list)| list).collect()
}

/// The first and the last day of a period, in the zone that is asked in.
#[must_use]
pub fn days(period: &Period, zone: &Zone) -> (Day, Day) {
    match period {
        Period::Instant(at) => (zone.day_of(*at), zone.day_of(*at)),
        Period::Between(start, end) => {
            // An end at midnight is no moment of the day that begins then.
            let last = Timestamp::from_micros(end.as_micros() - 1);
            (zone.day_of(*start), zone.day_of(last.max(*start)))
        }
        Period::Days { first, last } => (*first, *last),
        Period::WallClock { start, end } => {
            let last = WallClock::from_micros(end.as_micros() - 1).day();
            (start.day(), last.max(start.day()))
        }
    }
}

/// What a word of a question names.
fn named<K: Kind>(word: &str) -> Ref<K> {
    Id::parse(word).map_or_else(|_| Ref::Code(word.to_owned()), Ref::Id)
}
