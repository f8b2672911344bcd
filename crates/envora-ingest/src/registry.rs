//! The registry: facilities, sources, entities and suppliers with all their versions, so that a word of
//! a row means the same at a place in the log however often it is asked.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use envora_domain::access::Grant;
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::activities::validate::grid_problem;
use envora_domain::activities::{Activity, Ref};
use envora_domain::catalogue;
use envora_domain::codes::{CodeError, check_code};
use envora_domain::id::{EntityId, FacilityId, Id, Kind, SourceId, SupplierId};
use envora_domain::time::{Timestamp, Zone};
use envora_store::entities::{Entity, EntityFields};
use envora_store::facilities::{Facility, FacilityFields};
use envora_store::mentions::Word;
use envora_store::nouns::{Noun, Version, noun_last_seq, noun_versions};
use envora_store::sources::{Source, SourceFields};
use envora_store::suppliers::{Supplier, SupplierFields};
use envora_store::transaction::TenantReader;

use crate::tenant::{OwnGrants, TenantParts};

/// Versions of one kind of noun, by id and by code.
struct Shelf<N: Noun> {
    by_id: HashMap<Id<N::Kind>, Vec<Version<N>>>,
    by_code: HashMap<String, Vec<Id<N::Kind>>>,
}

impl<N: Noun> Default for Shelf<N> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), by_code: HashMap::new() }
    }
}

impl<N: Noun> Shelf<N> {
    fn load(rd: &mut TenantReader, grant: &Grant<N::Read>, seq: u64) -> anyhow::Result<Self> {
        let mut shelf = Self::default();
        for version in noun_versions::<N>(rd, grant, seq)? {
            shelf.put(version);
        }
        Ok(shelf)
    }

    fn put(&mut self, version: Version<N>) {
        let ids = self.by_code.entry(version.fields.code().to_owned()).or_default();
        if !ids.contains(&version.fields.id()) {
            ids.push(version.fields.id());
        }
        self.by_id.entry(version.fields.id()).or_default().push(version);
    }

    fn by_id(&self, id: Id<N::Kind>, seq: u64) -> Option<&Version<N>> {
        self.by_id.get(&id)?.iter().rev().find(|version| version.seq <= seq)
    }

    /// Whoever holds the code at that place in the log: a code may move from one to another.
    fn by_code(&self, code: &str, seq: u64) -> Option<&Version<N>> {
        let now = |id: &Id<N::Kind>| self.by_id(*id, seq);
        self.by_code.get(code)?.iter().filter_map(now).find(|version| version.fields.code() == code)
    }

    fn named(&self, word: &Ref<N::Kind>, seq: u64) -> Option<&Version<N>> {
        match word {
            Ref::Id(id) => self.by_id(*id, seq),
            Ref::Code(code) => self.by_code(code, seq),
        }
    }

    /// All versions, with their seqs.
    fn changes(&self, changed: impl Fn(Id<N::Kind>) -> Changed) -> Vec<(u64, Changed)> {
        let all = self.by_id.values().flatten();
        all.map(|version| (version.seq, changed(version.fields.id()))).collect()
    }

    /// The words by which rows may name it: its id, and all its codes.
    fn words(&self, id: Id<N::Kind>) -> Vec<Mention> {
        let versions = self.by_id.get(&id).into_iter().flatten();
        let codes = versions.map(|version| version.fields.code().to_owned());
        let mention = |word| Mention { kind: N::NAME, word };
        codes.chain([id.to_string()]).map(mention).collect()
    }
}

/// The nouns that rows name, as of any seq.
#[derive(Default)]
pub struct Registry {
    facilities: Shelf<FacilityFields>,
    sources: Shelf<SourceFields>,
    entities: Shelf<EntityFields>,
    suppliers: Shelf<SupplierFields>,
    /// What changed, and where in the log, in its order.
    changes: Vec<(u64, Changed)>,
    /// The sources by their last codes, once somebody asked.
    order: OnceLock<Vec<SourceId>>,
    /// The zones of places, once somebody asked.
    zones: OnceLock<Vec<Zone>>,
}

/// A tenant's registry as it was read last, with what told whether it still holds. Clones share it.
///
/// Traces and recounts read it anew: they notice what was changed behind the log's back.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Option<Read>>>);

/// What was read, and what told that it was all.
type Read = (Last, Arc<Registry>);

/// The seqs of the last version of each kind of noun.
type Last = [i64; 4];

impl Kept {
    /// All versions there are now: those read before, unless others have come since.
    ///
    /// # Errors
    /// The database's.
    pub fn now(&self, parts: &TenantParts) -> anyhow::Result<Arc<Registry>> {
        let (kept, own) = (self.clone(), parts.own);
        parts.read(move |rd| kept.up_to(rd, &own, u64::MAX))
    }

    /// All versions up to this seq, as this snapshot of the database has them: what was read before
    /// serves as long as no noun has changed. With a seq before the last change they are read anew.
    ///
    /// # Errors
    /// The database's.
    pub fn up_to(
        &self,
        rd: &mut TenantReader,
        own: &OwnGrants,
        seq: u64,
    ) -> anyhow::Result<Arc<Registry>> {
        let last = [
            noun_last_seq::<FacilityFields>(rd, &own.read_facilities)?,
            noun_last_seq::<SourceFields>(rd, &own.read_sources)?,
            noun_last_seq::<EntityFields>(rd, &own.read_entities)?,
            noun_last_seq::<SupplierFields>(rd, &own.read_suppliers)?,
        ];
        if last.iter().any(|last| u64::try_from(*last).is_ok_and(|last| last > seq)) {
            return Ok(Arc::new(Registry::load(rd, own, seq)?));
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((then, registry)) = known
            && then == last
        {
            return Ok(registry);
        }
        let registry = Arc::new(Registry::load(rd, own, u64::MAX)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((last, Arc::clone(&registry)));
        Ok(registry)
    }
}

/// A change of a noun, at its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Changed {
    Facility(FacilityId),
    Source(SourceId),
    Entity(EntityId),
    Supplier(SupplierId),
}

/// What a row's word for an entity or a supplier names: our id, or the customer's code.
fn named<K: Kind>(word: &str) -> Ref<K> {
    Id::parse(word).map_or_else(|_| Ref::Code(word.to_owned()), Ref::Id)
}

impl Registry {
    /// All versions up to this seq.
    ///
    /// # Errors
    /// The database's.
    pub fn load(rd: &mut TenantReader, own: &OwnGrants, seq: u64) -> anyhow::Result<Self> {
        let mut registry = Self {
            facilities: Shelf::load(rd, &own.read_facilities, seq)?,
            sources: Shelf::load(rd, &own.read_sources, seq)?,
            entities: Shelf::load(rd, &own.read_entities, seq)?,
            suppliers: Shelf::load(rd, &own.read_suppliers, seq)?,
            changes: Vec::new(),
            order: OnceLock::new(),
            zones: OnceLock::new(),
        };
        let all = [
            registry.facilities.changes(Changed::Facility),
            registry.sources.changes(Changed::Source),
            registry.entities.changes(Changed::Entity),
            registry.suppliers.changes(Changed::Supplier),
        ];
        registry.changes = all.into_iter().flatten().collect();
        registry.changes.sort_unstable();
        Ok(registry)
    }

    /// The facility that a word names at this place in the log.
    #[must_use]
    pub fn facility(&self, word: &Ref<envora_domain::id::Facility>, seq: u64) -> Option<&Facility> {
        self.facilities.named(word, seq)
    }

    /// The source that a word names at this place in the log.
    #[must_use]
    pub fn source(&self, word: &Ref<envora_domain::id::Source>, seq: u64) -> Option<&Source> {
        self.sources.named(word, seq)
    }

    /// The entity that a word names at this place in the log, by id or code.
    #[must_use]
    pub fn entity(&self, word: &str, seq: u64) -> Option<&Entity> {
        self.entities.named(&named(word), seq)
    }

    /// The supplier that a word names at this place in the log, by id or code.
    #[must_use]
    pub fn supplier(&self, word: &str, seq: u64) -> Option<&Supplier> {
        self.suppliers.named(&named(word), seq)
    }

    /// Whether a word that rows waited for under this code is known by now.
    #[must_use]
    pub fn knows(&self, code: RowCode, word: &str) -> bool {
        let now = u64::MAX;
        match code {
            RowCode::UnknownFacility => self.facility(&named(word), now).is_some(),
            RowCode::UnknownSource => self.source(&named(word), now).is_some(),
            RowCode::UnknownEntity => self.entity(word, now).is_some(),
            RowCode::UnknownSupplier => self.supplier(word, now).is_some(),
            _ => false,
        }
    }

    /// The codes that a supplier has and had up to this place in the log, a bar between: factors of its
    /// own name it by one of them.
    pub(crate) fn supplier_codes(&self, word: &str, seq: u64) -> Option<Cow<'_, str>> {
        let found = &self.supplier(word, seq)?.fields;
        let versions = self.suppliers.by_id.get(&found.id).into_iter().flatten();
        let known = versions.filter(|version| version.seq <= seq);
        let others = known.map(|version| version.fields.code.as_str());
        let mut codes = vec![found.code.as_str()];
        for code in others {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        match codes.as_slice() {
            [one] => Some(Cow::Borrowed(one)),
            all => Some(Cow::Owned(all.join("|"))),
        }
    }

    /// The words by which rows may name a facility or, without naming one, stand there; of an unknown
    /// one, the word itself.
    pub(crate) fn facility_words(&self, word: &Ref<envora_domain::id::Facility>) -> Vec<Mention> {
        match self.facility(word, u64::MAX) {
            Some(found) => self.words(Changed::Facility(found.fields.id)),
            None => vec![Mention { kind: FacilityFields::NAME, word: word.to_string() }],
        }
    }

    /// The words by which rows may name a source; of an unknown one, the word itself.
    pub(crate) fn source_words(&self, word: &Ref<envora_domain::id::Source>) -> Vec<Mention> {
        match self.source(word, u64::MAX) {
            Some(found) => self.words(Changed::Source(found.fields.id)),
            None => vec![Mention { kind: SourceFields::NAME, word: word.to_string() }],
        }
    }

    /// What of a row's words names something archived by now: the noun, the word, since when.
    #[must_use]
    pub fn archived(&self, activity: &Activity) -> Vec<(Wanted, String, Timestamp)> {
        let now = u64::MAX;
        let facility = activity.facility.as_ref().and_then(|word| {
            let since = self.facility(word, now)?.archived?;
            Some((Wanted::Facility, word.to_string(), since))
        });
        let source = activity.source.as_ref().and_then(|word| {
            let since = self.source(word, now)?.archived?;
            Some((Wanted::Source, word.to_string(), since))
        });
        let entity = activity.entity.as_ref().and_then(|word| {
            let since = self.entity(word, now)?.archived?;
            Some((Wanted::Entity, word.clone(), since))
        });
        let supplier = activity.supplier.as_ref().and_then(|word| {
            let since = self.supplier(word, now)?.archived?;
            Some((Wanted::Supplier, word.clone(), since))
        });
        [facility, source, entity, supplier].into_iter().flatten().collect()
    }

    /// A facility by its id.
    #[must_use]
    pub fn facility_of(&self, id: FacilityId, seq: u64) -> Option<&Facility> {
        self.facilities.by_id(id, seq)
    }

    /// A source by its id.
    #[must_use]
    pub fn source_of(&self, id: SourceId, seq: u64) -> Option<&Source> {
        self.sources.by_id(id, seq)
    }

    /// The sources there are at this place in the log, by code.
    #[must_use]
    pub fn sources_at(&self, seq: u64) -> Vec<&Source> {
        let sorted = || {
            let ids = self.sources.by_id.keys();
            let mut found: Vec<&Source> =
                ids.filter_map(|id| self.sources.by_id(*id, seq)).collect();
            found.sort_by(|a, b| a.fields.code.cmp(&b.fields.code));
            found
        };
        if self.age(seq) < self.changes.len() {
            return sorted();
        }
        let order = self.order.get_or_init(|| sorted().iter().map(|is| is.fields.id).collect());
        order.iter().filter_map(|id| self.sources.by_id(*id, seq)).collect()
    }

    /// The zones that facilities and sources have or had.
    pub(crate) fn zones(&self) -> &[Zone] {
        self.zones.get_or_init(|| {
            let facilities = self.facilities.by_id.values().flatten();
            let sources = self.sources.by_id.values().flatten();
            let names: BTreeSet<&str> = facilities
                .map(|facility| facility.fields.time_zone.as_str())
                .chain(sources.map(|source| source.fields.time_zone.as_str()))
                .collect();
            names.into_iter().filter_map(|name| Zone::named(name).ok()).collect()
        })
    }

    /// The facility that a row stands at: the one that it names, else its source's.
    #[must_use]
    pub fn place(&self, activity: &Activity, seq: u64) -> Option<&Facility> {
        match &activity.facility {
            Some(word) => self.facility(word, seq),
            None => {
                let source = self.source(activity.source.as_ref()?, seq)?;
                self.facility_of(source.fields.facility?, seq)
            }
        }
    }

    /// What is wrong with the grid that a row is calculated by: it is not one of the country of the
    /// facility that the row stands at. Where a row says a region of its own, that decides.
    #[must_use]
    pub fn misplaced(&self, activity: &Activity, seq: u64) -> Option<RowProblem> {
        if activity.region.is_some() {
            return None;
        }
        let fields = &self.place(activity, seq)?.fields;
        let grid = activity.grid.as_deref().unwrap_or(&fields.grid);
        let elsewhere = catalogue::grid_elsewhere(grid, &fields.country)?;
        let from = match &activity.grid {
            Some(_) => "the row's facility".to_owned(),
            None => format!("the country of {}", fields.code),
        };
        Some(grid_problem(elsewhere, &from))
    }

    /// The legal entity whose a row is: the one that it names, else its facility's. A row that names
    /// one is never another's, wherever it stands.
    #[must_use]
    pub fn owner(&self, activity: &Activity, seq: u64) -> Option<EntityId> {
        match &activity.entity {
            Some(word) => Some(self.entity(word, seq)?.fields.id),
            None => self.place(activity, seq)?.fields.entity,
        }
    }

    /// The words by which rows may come to be an entity's: its own, and those of the facilities that
    /// ever were its.
    pub(crate) fn entity_words(&self, id: EntityId) -> Vec<Mention> {
        let mut words = self.words(Changed::Entity(id));
        for (facility, versions) in &self.facilities.by_id {
            if versions.iter().any(|facility| facility.fields.entity == Some(id)) {
                words.extend(self.words(Changed::Facility(*facility)));
            }
        }
        words
    }

    /// The changes from one seq up to, not including, another, with their seqs, in order.
    pub(crate) fn changes(&self, from: u64, to: u64) -> &[(u64, Changed)] {
        let before = |seq: u64| self.changes.partition_point(|(changed, _)| *changed < seq);
        self.changes.get(before(from)..before(to)).unwrap_or_default()
    }

    /// How many changes there are up to this place in the log: between two places with as many, every word
    /// means the same.
    pub(crate) fn age(&self, seq: u64) -> usize {
        self.changes.partition_point(|(changed, _)| *changed <= seq)
    }

    /// The words by which rows may name what changed: all its codes, its id; of a facility, also
    /// those of the sources that ever stood there, whose rows take their place from it.
    pub(crate) fn words(&self, changed: Changed) -> Vec<Mention> {
        let mut words = match changed {
            Changed::Facility(id) => self.facilities.words(id),
            Changed::Source(id) => self.sources.words(id),
            Changed::Entity(id) => self.entities.words(id),
            Changed::Supplier(id) => self.suppliers.words(id),
        };
        if let Changed::Facility(id) = changed {
            for (source, versions) in &self.sources.by_id {
                if versions.iter().any(|source| source.fields.facility == Some(id)) {
                    words.extend(self.sources.words(*source));
                }
            }
        }
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// What a row may name that only the organization's own tables know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// A facility.
    Facility,
    /// A source.
    Source,
    /// A legal entity.
    Entity,
    /// A supplier.
    Supplier,
}

impl Wanted {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Facility, Self::Source, Self::Entity, Self::Supplier];

    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facility => "facility",
            Self::Source => "source",
            Self::Entity => "entity",
            Self::Supplier => "supplier",
        }
    }

    /// The code of rows that wait for one.
    pub(crate) const fn code(self) -> RowCode {
        match self {
            Self::Facility => RowCode::UnknownFacility,
            Self::Source => RowCode::UnknownSource,
            Self::Entity => RowCode::UnknownEntity,
            Self::Supplier => RowCode::UnknownSupplier,
        }
    }

    /// The problem of a row that names one which no table knows yet.
    pub(crate) fn unknown(self, word: &str) -> RowProblem {
        let (code, noun) = (self.code(), self.as_str());
        RowProblem::new(code, &format!("/{noun}_code"), format!("no {noun} is known as {word}"))
            .hint(format!("add the {noun}: the row counts from then on"))
            .value(word)
    }

    /// What to do about stored rows that wait for a word. Rows from before codes were held to their
    /// form may have one that nothing can ever be called by.
    pub(crate) fn remedy(self, word: &str) -> String {
        let noun = self.as_str();
        match check_code(word) {
            Err(CodeError::NotACode) => format!(
                "no {noun} can have this code: void the rows, and send them again with a code of 1-64 letters, digits . _ - / :"
            ),
            Ok(()) | Err(CodeError::AnId) => format!("add the {noun}: the rows count then"),
        }
    }
}

/// A word that a segment names, as the manifest's index keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mention {
    pub(crate) kind: &'static str,
    pub(crate) word: String,
}

impl Mention {
    /// As the index of mentions has it.
    pub(crate) fn as_word(&self) -> Word<'_> {
        Word { kind: self.kind, word: &self.word }
    }

    /// The words of a row that may come to mean something else later.
    pub(crate) fn of(activity: &Activity) -> impl Iterator<Item = Self> {
        let facility = activity.facility.as_ref().map(ToString::to_string);
        let source = activity.source.as_ref().map(ToString::to_string);
        [
            (FacilityFields::NAME, facility),
            (SourceFields::NAME, source),
            (EntityFields::NAME, activity.entity.clone()),
            (SupplierFields::NAME, activity.supplier.clone()),
        ]
        .into_iter()
        .filter_map(|(kind, word)| Some(Self { kind, word: word? }))
    }

    /// What a row that names it has among its bytes: the word as it is written, or the 16 bytes of an id.
    pub(crate) fn stored(&self) -> Vec<Vec<u8>> {
        let id = match self.kind {
            FacilityFields::NAME => FacilityId::parse(&self.word).ok().map(|id| id.bytes()),
            SourceFields::NAME => SourceId::parse(&self.word).ok().map(|id| id.bytes()),
            _ => None,
        };
        let word = self.word.clone().into_bytes();
        std::iter::once(word).chain(id.map(Vec::from)).collect()
    }
}
