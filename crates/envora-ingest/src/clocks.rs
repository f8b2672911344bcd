//! Clocks: whose time it is that a row says without an offset and without a zone of its own. It is that
//! of its source, else of its facility, as the organization's tables have them when the row comes.

use std::collections::HashMap;
use std::sync::Arc;

use envora_domain::activities::Ref;
use envora_domain::id::{Id, Kind};
use envora_domain::time::Zone;
use envora_store::nouns::Noun as _;

use crate::registry::Registry;

/// How many different places are remembered with their clocks.
const KNOWN_MAX: usize = 16_384;

/// Where clocks are looked up.
#[derive(Clone, Default)]
pub enum Clocks {
    /// Nowhere: times are kept as they are said, and judged when their zone is known.
    #[default]
    Unknown,
    /// In the tenant's own tables, as they are now.
    Registry(Arc<Registry>),
    /// In a list of them.
    Listed(Arc<Listed>),
}

/// What a list of the tables says, by code and by id.
#[derive(Debug, Default)]
pub struct Listed {
    /// The zones of facilities.
    pub facilities: HashMap<String, Place>,
    /// The zones of sources, empty where they have none, and the ids of the facilities they stand at.
    pub sources: HashMap<String, (Place, Option<String>)>,
}

/// A facility or source in such a list.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Its code.
    pub code: String,
    /// Its zone, or empty.
    pub time_zone: String,
}

/// A zone, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The zone.
    pub zone: Zone,
    /// Whose it is, such as `facility b24`.
    pub whose: String,
}

impl Clock {
    fn named(name: &str, noun: &str, code: &str) -> Option<Self> {
        let zone = Zone::named(name).ok()?;
        Some(Self { zone, whose: format!("{noun} {code}") })
    }

    /// What to do about a time that never was, or was twice, by this clock.
    #[must_use]
    pub fn remedy(&self) -> String {
        // Not of the rows: those that are stored would be stored a second time under other ids.
        format!(
            "if the meter keeps another time (many stay on winter time), give {} the zone of its clock, then send again what was refused: envora data errors imp_… --fix FILE writes it, as it stands; what is stored stays what it is",
            self.whose
        )
    }
}

impl core::fmt::Debug for Clocks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Registry(_) => "Registry",
            Self::Listed(_) => "Listed",
        })
    }
}

/// What a row's word names: our id, or the customer's code.
fn named<K: Kind>(word: &str) -> Ref<K> {
    Id::parse(word).map_or_else(|_| Ref::Code(word.to_owned()), Ref::Id)
}

impl Clocks {
    /// Whether they are looked up at all.
    #[must_use]
    pub const fn are_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The clock of a row that names this source and this facility; an empty word names none. Nothing
    /// where a word is not known yet, or nothing named has a zone.
    fn of(&self, source: &str, facility: &str) -> Option<Clock> {
        match self {
            Self::Unknown => None,
            Self::Registry(registry) => of_registry(registry, source, facility),
            Self::Listed(listed) => listed.of(source, facility),
        }
    }
}

fn of_registry(registry: &Registry, source: &str, facility: &str) -> Option<Clock> {
    let mut stands = None;
    if !source.is_empty() {
        let source = &registry.source(&named(source), u64::MAX)?.fields;
        if !source.time_zone.is_empty() {
            return Clock::named(&source.time_zone, "source", source.code());
        }
        stands = source.facility;
    }
    let facility = match facility {
        "" => registry.facility_of(stands?, u64::MAX)?,
        word => registry.facility(&named(word), u64::MAX)?,
    };
    Clock::named(&facility.fields.time_zone, "facility", facility.fields.code())
}

impl Listed {
    fn of(&self, source: &str, facility: &str) -> Option<Clock> {
        let mut stands = None;
        if !source.is_empty() {
            let (source, at) = self.sources.get(source)?;
            if !source.time_zone.is_empty() {
                return Clock::named(&source.time_zone, "source", &source.code);
            }
            stands = at.as_deref();
        }
        let word = if facility.is_empty() { stands? } else { facility };
        let facility = self.facilities.get(word)?;
        Clock::named(&facility.time_zone, "facility", &facility.code)
    }
}

/// The clocks of a file's rows, each looked up once.
#[derive(Default)]
pub(crate) struct ClockBook {
    clocks: Clocks,
    last: Option<Looked>,
    known: HashMap<(String, String), Option<Arc<Clock>>>,
}

/// The words of a source and of a facility, and the clock there.
type Looked = ((String, String), Option<Arc<Clock>>);

impl ClockBook {
    pub(crate) fn new(clocks: Clocks) -> Self {
        Self { clocks, ..Self::default() }
    }

    /// Whether any are looked up.
    pub(crate) const fn are_known(&self) -> bool {
        self.clocks.are_known()
    }

    /// The clock of a row that names this source and this facility; an empty word names none.
    pub(crate) fn of(&mut self, source: &str, facility: &str) -> Option<Arc<Clock>> {
        if !self.are_known() {
            return None;
        }
        let is_it = |((one, other), _): &&Looked| one == source && other == facility;
        if let Some((_, clock)) = self.last.as_ref().filter(is_it) {
            return clock.clone();
        }
        let words = (source.to_owned(), facility.to_owned());
        let clock = match self.known.get(&words) {
            Some(clock) => clock.clone(),
            None => {
                if self.known.len() >= KNOWN_MAX {
                    self.known.clear();
                }
                let clock = self.clocks.of(source, facility).map(Arc::new);
                self.known.insert(words.clone(), clock.clone());
                clock
            }
        };
        self.last = Some((words, clock.clone()));
        clock
    }
}
