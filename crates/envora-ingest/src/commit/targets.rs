//! Targets: which stored activity a correction replaces, and whether it still can be replaced.

use std::collections::HashMap;

use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::id::ActivityId;
use envora_store::supersessions::Fate;

use super::fates::End;

/// What a row of the batch wants to replace.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The word of the row.
    pub(super) word: String,
    /// What it says.
    pub(super) named: Named,
    /// The external id of what it names, where that has one.
    pub(super) external_id: Option<String>,
    /// The stored activity that it names.
    pub(super) stored: Option<ActivityId>,
}

/// How a row names what it replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// `act_…`
    Id(ActivityId),
    /// `ext:<external id>`
    External(String),
}

impl Wish {
    /// The external id by which an earlier row of the batch may be meant.
    pub(super) fn external_id(&self) -> Option<&str> {
        match &self.named {
            Named::External(external_id) => Some(external_id),
            Named::Id(_) => None,
        }
    }
}

impl Wish {
    /// Whether it names what this word of a stored row names.
    pub(super) fn is_also(&self, word: &str) -> bool {
        match Named::parse(word) {
            Some(Named::Id(id)) => self.stored == Some(id),
            Some(Named::External(external_id)) => self.external_id.as_ref() == Some(&external_id),
            None => false,
        }
    }
}

impl Named {
    /// The id, when it names one.
    pub(super) const fn id(&self) -> Option<ActivityId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::External(_) => None,
        }
    }

    /// Reads the word of a row.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix("ext:") {
            Some("") => None,
            Some(external_id) => Some(Self::External(external_id.to_owned())),
            None => ActivityId::parse(word).ok().map(Self::Id),
        }
    }
}

/// What is replaced: a stored activity, or an earlier row of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Stored(ActivityId),
    InBatch(usize),
}

impl Target {
    /// The activity, when it is stored.
    pub(super) const fn stored(self) -> Option<ActivityId> {
        match self {
            Self::Stored(id) => Some(id),
            Self::InBatch(_) => None,
        }
    }
}

/// Which targets are taken: each activity has one successor.
pub(super) struct Successors {
    known: HashMap<ActivityId, Option<End>>,
    taken: HashMap<Target, usize>,
}

impl Successors {
    /// With the activities that have one, and the ends of their chains where these are stored.
    pub(super) fn new(known: HashMap<ActivityId, Option<End>>) -> Self {
        Self { known, taken: HashMap::new() }
    }

    /// Makes a row the successor of its target, unless it has one.
    pub(super) fn take(&mut self, target: Target, row: usize) -> Result<(), Box<RowProblem>> {
        let known = target.stored().and_then(|id| self.known.get(&id));
        if known.is_some() || self.taken.contains_key(&target) {
            let detail = "another row has replaced this activity already";
            let hint = match known.copied().flatten() {
                Some(End { last, fate: Fate::Voided }) => {
                    format!("it was voided; to bring it back, name the row that voided it, {last}")
                }
                Some(End { last, fate: Fate::Replaced }) => {
                    format!(
                        "name the row that stands in its place, {last}: corrections form a chain"
                    )
                }
                None => "name the row that replaced it: corrections form a chain".to_owned(),
            };
            let problem = RowProblem::new(RowCode::AlreadySuperseded, "/supersedes", detail);
            return Err(Box::new(problem.hint(hint)));
        }
        self.taken.insert(target, row);
        Ok(())
    }

    /// All that is replaced, with the row that does it.
    pub(super) fn taken(&self) -> impl Iterator<Item = (Target, usize)> + '_ {
        self.taken.iter().map(|(target, row)| (*target, *row))
    }
}

/// No activity is what `supersedes` names.
pub(super) fn unknown_target(word: &str) -> RowProblem {
    let detail = "no stored activity is named by `supersedes`";
    RowProblem::new(RowCode::MalformedRow, "/supersedes", detail)
        .hint("name it as act_… or as ext:<its external_id>; it must be stored before")
        .value(word)
}
