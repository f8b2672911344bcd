//! The registry: facilities and sources with all their versions, so that a word of a row means the
//! same at a place in the log however often it is asked.

use std::collections::HashMap;

use envora_domain::activities::{Activity, Ref};
use envora_domain::id::{FacilityId, SourceId};
use envora_store::facilities::{Facility, facility_versions};
use envora_store::sources::{Source, source_versions};
use envora_store::transaction::TenantReader;

use crate::tenant::OwnGrants;

/// Versions of one kind of thing, by id and by code.
struct Shelf<I, T> {
    by_id: HashMap<I, Vec<T>>,
    by_code: HashMap<String, Vec<I>>,
}

impl<I, T> Default for Shelf<I, T> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), by_code: HashMap::new() }
    }
}

trait Versioned {
    type Id: Copy + Eq + core::hash::Hash;
    fn id(&self) -> Self::Id;
    fn code(&self) -> &str;
    fn seq(&self) -> u64;
}

impl Versioned for Facility {
    type Id = FacilityId;
    fn id(&self) -> FacilityId {
        self.fields.id
    }
    fn code(&self) -> &str {
        &self.fields.code
    }
    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Versioned for Source {
    type Id = SourceId;
    fn id(&self) -> SourceId {
        self.fields.id
    }
    fn code(&self) -> &str {
        &self.fields.code
    }
    fn seq(&self) -> u64 {
        self.seq
    }
}

impl<T: Versioned> Shelf<T::Id, T> {
    fn put(&mut self, version: T) {
        let ids = self.by_code.entry(version.code().to_owned()).or_default();
        if !ids.contains(&version.id()) {
            ids.push(version.id());
        }
        self.by_id.entry(version.id()).or_default().push(version);
    }

    fn by_id(&self, id: T::Id, seq: u64) -> Option<&T> {
        self.by_id.get(&id)?.iter().rev().find(|version| version.seq() <= seq)
    }

    /// Whoever holds the code at that place in the log: a code may move from one to another.
    fn by_code(&self, code: &str, seq: u64) -> Option<&T> {
        let now = |id: &T::Id| self.by_id(*id, seq);
        self.by_code.get(code)?.iter().filter_map(now).find(|version| version.code() == code)
    }
}

/// Facilities and sources, as of any seq.
#[derive(Default)]
pub struct Registry {
    facilities: Shelf<FacilityId, Facility>,
    sources: Shelf<SourceId, Source>,
}

/// A change of a facility or a source, at its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Changed {
    Facility(FacilityId),
    Source(SourceId),
}

impl Registry {
    /// All versions up to this seq.
    ///
    /// # Errors
    /// The database's.
    pub fn load(rd: &mut TenantReader, own: &OwnGrants, seq: u64) -> anyhow::Result<Self> {
        let mut registry = Self::default();
        for facility in facility_versions(rd, &own.read_facilities, seq)? {
            registry.facilities.put(facility);
        }
        for source in source_versions(rd, &own.read_sources, seq)? {
            registry.sources.put(source);
        }
        Ok(registry)
    }

    /// The facility that a word names at this place in the log.
    #[must_use]
    pub fn facility(&self, word: &Ref<envora_domain::id::Facility>, seq: u64) -> Option<&Facility> {
        match word {
            Ref::Id(id) => self.facilities.by_id(*id, seq),
            Ref::Code(code) => self.facilities.by_code(code, seq),
        }
    }

    /// The source that a word names at this place in the log.
    #[must_use]
    pub fn source(&self, word: &Ref<envora_domain::id::Source>, seq: u64) -> Option<&Source> {
        match word {
            Ref::Id(id) => self.sources.by_id(*id, seq),
            Ref::Code(code) => self.sources.by_code(code, seq),
        }
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
        let ids = self.sources.by_id.keys();
        let mut found: Vec<&Source> = ids.filter_map(|id| self.sources.by_id(*id, seq)).collect();
        found.sort_by(|a, b| a.fields.code.cmp(&b.fields.code));
        found
    }

    /// The changes from one seq up to, not including, another, with their seqs, in order.
    pub(crate) fn changes(&self, from: u64, to: u64) -> Vec<(u64, Changed)> {
        let facilities = self.facilities.by_id.values().flatten();
        let sources = self.sources.by_id.values().flatten();
        let mut changes: Vec<(u64, Changed)> = facilities
            .map(|version| (version.seq, Changed::Facility(version.fields.id)))
            .chain(sources.map(|version| (version.seq, Changed::Source(version.fields.id))))
            .filter(|(seq, _)| (from..to).contains(seq))
            .collect();
        changes.sort_unstable();
        changes
    }

    /// The words by which rows may name what changed: all its codes, its id; of a facility, also
    /// those of the sources that ever stood there, whose rows take their place from it.
    pub(crate) fn words(&self, changed: Changed) -> Vec<Mention> {
        let mut words = Vec::new();
        match changed {
            Changed::Facility(id) => {
                words.push(Mention::facility(&Ref::Id(id)));
                for version in self.facilities.by_id.get(&id).into_iter().flatten() {
                    words.push(Mention::facility(&Ref::Code(version.fields.code.clone())));
                }
                for versions in self.sources.by_id.values() {
                    let there = |source: &&Source| source.fields.facility == Some(id);
                    if let Some(source) = versions.iter().find(there) {
                        words.extend(self.words(Changed::Source(source.fields.id)));
                    }
                }
            }
            Changed::Source(id) => {
                words.push(Mention::source(&Ref::Id(id)));
                for version in self.sources.by_id.get(&id).into_iter().flatten() {
                    words.push(Mention::source(&Ref::Code(version.fields.code.clone())));
                }
            }
        }
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// A word that a segment names, as the manifest's index keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mention {
    pub(crate) kind: &'static str,
    pub(crate) word: String,
}

impl Mention {
    fn facility(word: &Ref<envora_domain::id::Facility>) -> Self {
        Self { kind: "facility", word: word.to_string() }
    }

    fn source(word: &Ref<envora_domain::id::Source>) -> Self {
        Self { kind: "source", word: word.to_string() }
    }

    /// The words of a row that may come to mean something else later.
    pub(crate) fn of(activity: &Activity) -> impl Iterator<Item = Self> {
        let facility = activity.facility.as_ref().map(Self::facility);
        facility.into_iter().chain(activity.source.as_ref().map(Self::source))
    }
}
