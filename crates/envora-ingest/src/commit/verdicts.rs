//! Verdicts: what becomes of each row of a batch, by what the row says, by the tenant's look-ups, and
//! by what is stored already.

use std::collections::HashMap;
use std::sync::Arc;

use envora_domain::activities::problems::{Flag, Outcome, PROBLEMS_MAX, RowCode, RowProblem};
use envora_domain::activities::{Activity, Common, Origin};
use envora_domain::id::ActivityId;

use super::claims::Fingerprint;
use super::life::Life;
use super::targets::Wish;
use super::{RowResult, Voided};
use crate::fields::UNSAID;
use crate::identity::PREFIX;
use crate::registry::{Registry, Wanted};
use crate::rows::{Columns, ParsedRow};

/// A row on its way: its result so far, and what of it may be stored.
pub(super) struct Judged {
    pub(super) result: RowResult,
    pub(super) activity: Option<Activity>,
    /// The earlier row of the batch that it repeats.
    pub(super) repeats: Option<usize>,
    /// The activity that it was where it was exported.
    pub(super) ours: Option<ActivityId>,
    /// The activity that it was as long as the clock of its place was not known.
    pub(super) before: Option<Box<Activity>>,
    /// What it says, its id left out.
    pub(super) likeness: Option<Fingerprint>,
    /// Why it is not to be stored, unless it is stored already.
    against: Option<RowProblem>,
    /// Of a row of a table, which column each field came from.
    pub(super) columns: Option<Arc<Columns>>,
}

impl Judged {
    /// The activity that it was where it was exported, where its sender gave it no id.
    pub(super) fn exported(&self) -> Option<ActivityId> {
        let unnamed = self.storable().is_some_and(|activity| activity.external_id.is_none());
        self.ours.filter(|_| unnamed)
    }

    /// The activity, unless the row is not to be stored.
    pub(super) fn storable(&self) -> Option<&Activity> {
        let stored = matches!(self.result.outcome, Outcome::Accepted | Outcome::Quarantined);
        self.activity.as_ref().filter(|_| stored)
    }

    /// Takes the row out for what speaks against storing it, if anything does.
    pub(super) fn hold_against(&mut self) {
        if let Some(problem) = self.against.take()
            && self.storable().is_some()
        {
            self.reject(problem);
        }
    }

    /// Takes the row out for this reason.
    pub(super) fn reject(&mut self, problem: RowProblem) {
        let problem = name(problem, self.columns.as_deref());
        let problem = problem.at(self.result.row, self.result.line);
        self.result.outcome = Outcome::Rejected;
        self.result.problems.retain(|known| is_rejection(known.code));
        if self.result.problems.len() < PROBLEMS_MAX {
            self.result.problems.push(problem);
        }
    }

    /// The row is a duplicate where one of these is what it was before its clock was known.
    pub(super) fn look_before(&mut self, stored: &[Candidate<'_>]) {
        let Some(before) = &self.before else { return };
        let same = |candidate: &&Candidate<'_>| {
            candidate.activity.external_id == before.external_id
                && same_content(before, candidate.activity)
        };
        if let Some(known) = stored.iter().find(same) {
            self.is_known(known);
        }
    }

    /// The row is this stored one.
    fn is_known(&mut self, known: &Candidate<'_>) {
        self.is_duplicate_of(Some(known.id));
        self.result.voided = known.voided();
    }

    /// The row is stored already.
    fn is_duplicate_of(&mut self, id: Option<ActivityId>) {
        self.result.outcome = Outcome::Duplicate;
        self.result.problems.clear();
        self.result.id = id;
    }
}

fn is_rejection(code: RowCode) -> bool {
    code.effect() == envora_domain::activities::problems::Effect::Reject
}

/// Judges rows by themselves and by the tenant's nouns.
pub(super) struct Judge<'r> {
    registry: &'r Registry,
    /// By where rows' words lie in memory: they are held, so that nothing else comes to lie there.
    named: HashMap<usize, (Arc<Common>, Arc<Named>)>,
    last: Option<(Arc<Common>, Arc<Named>)>,
}

/// How many rows' words are held with what the tables say of them.
const NAMED_MAX: usize = 4_096;

/// What the tables say of a row's words.
struct Named {
    /// What it names that is archived, in words.
    archived: Option<String>,
    /// The days of the facility that it stands at, where it has a first or a last.
    life: Option<Life>,
    /// What keeps it waiting.
    unknown: Vec<RowProblem>,
    /// What speaks against storing it.
    against: Option<RowProblem>,
}

/// Whether two rows say the same of what the tenant's tables are asked about, and of what the answer
/// depends on besides.
fn name_the_same(one: &Arc<Common>, other: &Arc<Common>) -> bool {
    Arc::ptr_eq(one, other)
        || one.kind == other.kind
            && one.facility == other.facility
            && one.source == other.source
            && one.entity == other.entity
            && one.supplier == other.supplier
            && one.region == other.region
            && one.grid == other.grid
}

impl<'r> Judge<'r> {
    /// By these tables, as they are now.
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self { registry, named: HashMap::new(), last: None }
    }

    /// What the tables say. Rows that follow each other mostly name the same, and those of one meter share
    /// their words.
    fn named(&mut self, activity: &Activity) -> Arc<Named> {
        if let Some((common, named)) = &self.last
            && name_the_same(common, &activity.common)
        {
            return Arc::clone(named);
        }
        let place = Arc::as_ptr(&activity.common).addr();
        let named = match self.named.get(&place) {
            Some((_, named)) => Arc::clone(named),
            None => {
                let named = Arc::new(self.ask(activity));
                if self.named.len() >= NAMED_MAX {
                    self.named.clear();
                }
                let held = (Arc::clone(&activity.common), Arc::clone(&named));
                self.named.insert(place, held);
                named
            }
        };
        self.last = Some((Arc::clone(&activity.common), Arc::clone(&named)));
        named
    }

    fn ask(&self, activity: &Activity) -> Named {
        let registry = self.registry;
        let archived = registry.archived(activity).into_iter().next();
        let archived = archived.map(|(noun, word, since)| {
            format!("{} {word}, archived on {}", noun.as_str(), since.utc_day())
        });
        let life = registry.place(activity, u64::MAX).and_then(Life::of);
        let unknown = unknown_words(activity, registry).into_iter();
        let unknown = unknown.chain(registry.misplaced(activity, u64::MAX)).collect();
        let against = other_source(activity, registry);
        Named { archived, life, unknown, against }
    }

    /// What a row comes to.
    pub(super) fn row(&mut self, row: ParsedRow) -> Judged {
        let (columns, ours) = (row.columns.clone(), row.ours);
        let ParsedRow { activity, unclear, mut quarantine, external_id, row, line, .. } = row;
        let mut result = RowResult {
            row,
            line,
            external_id,
            outcome: Outcome::Accepted,
            id: None,
            problems: Vec::new(),
            flags: Default::default(),
            like: None,
            archived: None,
            outside: None,
            voided: None,
        };
        let (repeats, likeness) = (None, None);
        let (mut activity, clock, before) = match (activity, unclear) {
            (Ok(activity), before) => (activity, None, before),
            // Whether it is stored comes before what its clock says.
            (Err(problems), Some(unclear)) => (*unclear, problems.into_iter().next(), None),
            (Err(problems), None) => {
                result.outcome = Outcome::Rejected;
                result.problems = problems;
                return Judged {
                    result,
                    activity: None,
                    repeats,
                    ours,
                    before: None,
                    likeness,
                    against: None,
                    columns,
                };
            }
        };
        result.external_id.clone_from(&activity.external_id);
        let mut against = None;
        if activity.void {
            // It cancels another row and counts nowhere: none of its words has to be known.
            quarantine.clear();
        } else {
            let named = self.named(&activity);
            // A late bill for a place that is given up is a bill: it counts, and says that it is odd.
            if named.archived.is_some() {
                activity.flags.insert(Flag::NamesArchived);
                result.archived.clone_from(&named.archived);
            }
            result.outside = named.life.as_ref().and_then(|life| life.outside(&activity));
            against.clone_from(&named.against);
            let unknown = named.unknown.iter().cloned();
            quarantine.extend(unknown.map(|problem| name(problem, columns.as_deref())));
        }
        let against = clock.or(against);
        result.flags = activity.flags;
        if !quarantine.is_empty() {
            result.outcome = Outcome::Quarantined;
            result.problems = quarantine.into_iter().map(|problem| problem.at(row, line)).collect();
        }
        let activity = Some(activity);
        Judged { result, activity, repeats, ours, before, likeness, against, columns }
    }
}

fn name(problem: RowProblem, columns: Option<&Columns>) -> RowProblem {
    match columns {
        Some(columns) => columns.name(problem),
        None => problem,
    }
}

/// A row that says it is of a source which stands elsewhere, or measures something else.
fn other_source(activity: &Activity, registry: &Registry) -> Option<RowProblem> {
    let word = activity.source.as_ref()?;
    let source = &registry.source(word, u64::MAX)?.fields;
    let named = activity.facility.as_ref();
    if let Some(facility) = named.and_then(|word| registry.facility(word, u64::MAX))
        && let Some(there) = source.facility.filter(|id| *id != facility.fields.id)
    {
        let there = registry.facility_of(there, u64::MAX);
        let there = there.map_or("another facility", |facility| &facility.fields.code);
        let detail =
            format!("the source {word} stands at {there}, not at {}", facility.fields.code);
        let hint = "correct facility_code or source_code, or move the source";
        let problem = RowProblem::new(RowCode::SourceMismatch, "/source_code", detail);
        return Some(problem.hint(hint).value(&word.to_string()));
    }
    let family = |kind: &str| kind.split('.').next().unwrap_or_default().to_owned();
    if source.kind.is_empty() || family(&source.kind) == family(&activity.kind) {
        return None;
    }
    let detail =
        format!("the source {word} is declared for {}, not for {}", source.kind, activity.kind);
    let hint = "correct type or source_code, or declare the source for this type";
    Some(RowProblem::new(RowCode::SourceMismatch, "/type", detail).hint(hint).value(&activity.kind))
}

/// What a row that voids another leaves out is as it was there.
pub(super) fn take_over(activity: &mut Activity, target: &Activity) {
    if activity.kind.is_empty() {
        activity.kind.clone_from(&target.kind);
    }
    if activity.unit.is_empty() {
        activity.unit.clone_from(&target.unit);
    }
    if activity.period == UNSAID {
        (activity.period, activity.local) = (target.period, target.local);
        activity.time_zone = activity.time_zone.take().or_else(|| target.time_zone.clone());
    }
    if activity.facility.is_none() && activity.source.is_none() && activity.entity.is_none() {
        activity.facility.clone_from(&target.facility);
        activity.source.clone_from(&target.source);
        activity.entity.clone_from(&target.entity);
    }
}

fn unknown_words(activity: &Activity, registry: &Registry) -> Vec<RowProblem> {
    let now = u64::MAX;
    let facility = activity.facility.as_ref().filter(|word| registry.facility(word, now).is_none());
    let source = activity.source.as_ref().filter(|word| registry.source(word, now).is_none());
    let entity = activity.entity.as_ref().filter(|word| registry.entity(word, now).is_none());
    let supplier = activity.supplier.as_ref().filter(|word| registry.supplier(word, now).is_none());
    [
        (Wanted::Facility, facility.map(ToString::to_string)),
        (Wanted::Source, source.map(ToString::to_string)),
        (Wanted::Entity, entity.cloned()),
        (Wanted::Supplier, supplier.cloned()),
    ]
    .into_iter()
    .filter_map(|(wanted, word)| Some(wanted.unknown(&word?)))
    .collect()
}

/// A row with the same id is stored.
pub(super) const STORED: &str = "stored before";
/// A row with the same id came before in the same file or body.
pub(super) const EARLIER: &str = "earlier in this batch";

/// A stored row that may be the one an id names.
pub(super) struct Candidate<'a> {
    pub(super) id: ActivityId,
    pub(super) activity: &'a Activity,
    /// Where it is, for a conflict: stored before, or earlier in what is being stored.
    pub(super) place: &'static str,
    /// The row that voids it, where nothing counts in its place.
    pub(super) void: Option<ActivityId>,
}

/// Ids that rows of the batch have taken so far.
#[derive(Default)]
pub(super) struct Taken {
    rows: HashMap<String, usize>,
}

impl Taken {
    /// The row of the batch, to be stored, that has this id.
    pub(super) fn row(&self, external_id: &str) -> Option<usize> {
        self.rows.get(external_id).copied()
    }

    /// Compares a row that has an id with what is stored under it and with the rows before it; one that was
    /// exported without, with what it was.
    pub(super) fn check(
        &self,
        place: usize,
        rows: &mut [Judged],
        (wish, stored): (Option<&Wish>, &[Candidate<'_>]),
    ) {
        let Some((this, before)) = rows.get_mut(..=place).and_then(<[_]>::split_last_mut) else {
            return;
        };
        let Some(activity) = this.storable() else { return };
        let same = |known: &&Candidate<'_>| {
            same_content(activity, known.activity) || resent(activity, wish, known.activity)
        };
        let Some(external_id) = activity.external_id.as_ref() else {
            // Of a row without an id only that is a candidate which it was where it was exported.
            if let Some(known) = stored.iter().find(same) {
                this.is_known(known);
            }
            return;
        };
        if stored.is_empty() && !self.rows.contains_key(external_id) {
            return;
        }
        let external_id = external_id.clone();
        let same_id = |candidate: &&Candidate<'_>| {
            candidate.activity.external_id.as_deref() == Some(external_id.as_str())
        };
        if let Some(known) = stored.iter().find(same_id) {
            if same(&known) {
                this.is_known(known);
            } else {
                let problem = if external_id.starts_with(PREFIX) {
                    corrected(activity, known)
                } else {
                    conflict(&external_id, Some(known))
                };
                this.reject(problem);
            }
            return;
        }
        let earlier = self.rows.get(&external_id).copied();
        match earlier.and_then(|row| Some((row, before.get(row)?.activity.as_ref()?))) {
            Some((row, other)) if same_content(activity, other) => {
                this.repeats = Some(row);
                this.is_duplicate_of(None);
            }
            Some(_) => this.reject(conflict(&external_id, None)),
            None => {}
        }
    }

    /// A row that is to be stored takes its id.
    pub(super) fn keep(&mut self, place: usize, judged: &Judged) {
        if let Some(external_id) = judged.storable().and_then(|row| row.external_id.as_ref()) {
            self.rows.insert(external_id.clone(), place);
        }
    }
}

/// Whether two rows say the same. Most that do are equal field by field, which is cheap to see; what
/// may still differ is how a number is written, and that the content hash knows.
fn same_content(a: &Activity, b: &Activity) -> bool {
    let mut same = a.clone();
    same.origin.clone_from(&b.origin);
    same.flags.clone_from(&b.flags);
    same.local = b.local;
    same == *b || a.content_hash() == b.content_hash()
}

/// Whether a row is the stored one as an export writes it: what it supersedes is named otherwise, by the
/// sender's id or, where that activity has none, not at all.
fn resent(row: &Activity, wish: Option<&Wish>, stored: &Activity) -> bool {
    let Some(word) = &stored.supersedes else { return false };
    let same = match wish {
        Some(wish) => wish.is_also(word),
        None => !word.starts_with("ext:") && row.supersede_reason.is_none(),
    };
    if !same {
        return false;
    }
    let mut row = row.clone();
    row.supersedes.clone_from(&stored.supersedes);
    if wish.is_none() {
        row.supersede_reason.clone_from(&stored.supersede_reason);
    }
    same_content(&row, stored)
}

impl Candidate<'_> {
    /// What is known of it, where it is voided.
    fn voided(&self) -> Option<Voided> {
        self.void?;
        let import = match self.activity.origin {
            Origin::File { import, .. } => Some(import),
            Origin::Request { .. } => None,
        };
        // A row that voids another counts nowhere anyhow.
        (!self.activity.void).then_some(Voided { id: self.id, import })
    }
}

/// A row read through a mapping that meets a stored one with its key: the sender has no id to change, so
/// the stored activity is what is named.
fn corrected(row: &Activity, known: &Candidate<'_>) -> RowProblem {
    let Candidate { id, activity: stored, place, .. } = *known;
    let detail =
        format!("{id} has the same type, place and period and was {place}, with other values");
    let change = if row.quantity != stored.quantity && row.unit == stored.unit {
        format!("--quantity {}", row.quantity)
    } else if row.quantity == stored.quantity && row.unit != stored.unit {
        format!("--unit {}", row.unit)
    } else {
        "--set FIELD=VALUE".to_owned()
    };
    let hint = match known.voided() {
        None => format!(
            "if the row is another activity, send it with an external_id of its own; to correct it: envora data supersede --id {id} {change}"
        ),
        Some(voided) => format!(
            "it was voided and counts nowhere; to bring it back as this row says: envora data supersede --id {id} {change}; {}",
            all_back(&voided)
        ),
    };
    RowProblem::new(RowCode::ExternalIdConflict, "", detail).hint(hint).value(&id.to_string())
}

/// A row of the sender's id that a stored row has, or one before it in what is being stored.
fn conflict(external_id: &str, known: Option<&Candidate<'_>>) -> RowProblem {
    let detail = match known {
        Some(Candidate { id, place, .. }) => {
            format!("{id} has this id and was {place}, with other content")
        }
        None => format!("another row with this id and other content was {EARLIER}"),
    };
    let void = known.and_then(|known| known.void);
    let hint = match void {
        Some(void) => format!(
            "it was voided and counts nowhere; to bring it back as this row says, send the row with `supersedes` = \"{void}\" and a new external_id; if the row is another activity, give it an external_id of its own"
        ),
        None => format!(
            "to correct that one, send `supersedes` = \"ext:{external_id}\" with a new external_id; if the row is another activity, give it an external_id of its own"
        ),
    };
    RowProblem::new(RowCode::ExternalIdConflict, "/external_id", detail)
        .hint(hint)
        .value(external_id)
}

/// How all voided rows that came with one are brought back.
fn all_back(voided: &Voided) -> String {
    match voided.import {
        Some(import) => format!(
            "all voided rows of its file: envora data supersede --import {import} --restore, with --unit or --set where all were wrong"
        ),
        None => "`--restore` alone brings it back as it was".to_owned(),
    }
}
