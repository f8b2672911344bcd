//! Judgement: the verdicts of a whole batch, with everything it claims until its commit.

use std::collections::{BTreeMap, HashMap};

use envora_domain::activities::Activity;
use envora_domain::id::ActivityId;
use envora_store::supersessions::supersession_of;

use super::claims::{Claim, Fingerprint, Spot};
use super::intake::Intake;
use super::targets::{Named, Successors, Target, Wish, unknown_target};
use super::verdicts::{Candidate, Judged, Taken, judge};
use crate::registry::Registry;
use crate::rows::ParsedRow;
use crate::segments;

/// Rows with their verdicts, and what they claim.
pub(super) struct Judgement<'a> {
    pub(super) rows: Vec<Judged>,
    /// The fingerprint of each row's id, if it has one.
    pub(super) fingerprints: Vec<Option<Fingerprint>>,
    pub(super) successors: Successors,
    pub(super) claim: Claim<'a>,
}

/// Wishes by the place of their row.
type Wishes = BTreeMap<usize, Wish>;

impl Intake {
    /// Judges a batch. What it may store is claimed from here on.
    pub(super) fn judge(&self, rows: Vec<ParsedRow>) -> anyhow::Result<Judgement<'_>> {
        let own = self.parts.own;
        let registry = self.parts.read(move |rd| Registry::load(rd, &own, u64::MAX))?;
        let mut rows: Vec<Judged> = rows.into_iter().map(|row| judge(row, &registry)).collect();
        let mut wishes = self.wishes(&mut rows)?;
        let fingerprints: Vec<Option<Fingerprint>> = rows
            .iter()
            .map(|row| Some(self.fingerprint(row.storable()?.external_id.as_ref()?)))
            .collect();
        let targets = wishes.values().map(|wish| self.claimed(wish));
        let wanted: Vec<Fingerprint> =
            fingerprints.iter().flatten().copied().chain(targets).collect();
        let claim = self.claims.claim(&wanted);
        let stored = self.candidates(&claim.found)?;
        let mut found = claim.found.iter();
        let of_rows: Vec<&[Spot]> = fingerprints
            .iter()
            .map(|own| own.and_then(|_| found.next()).map_or(&[][..], Vec::as_slice))
            .collect();
        for (wish, spots) in wishes.values_mut().zip(found) {
            if let Named::External(external_id) = &wish.named {
                let same = |candidate: &&Candidate<'_>| {
                    candidate.activity.external_id.as_ref() == Some(external_id)
                };
                wish.stored = candidates_at(&stored, spots).iter().find(same).map(|same| same.id);
            }
        }
        let mut successors = self.successors(&wishes)?;
        let mut taken = Taken::default();
        for (place, spots) in of_rows.into_iter().enumerate() {
            taken.check(place, &mut rows, &candidates_at(&stored, spots));
            if let Some(wish) = wishes.get(&place) {
                replace(place, wish, (&mut rows, &taken, &mut successors));
            }
            if let Some(row) = rows.get(place) {
                taken.keep(place, row);
            }
        }
        Ok(Judgement { rows, fingerprints, successors, claim })
    }

    fn fingerprint(&self, external_id: &str) -> Fingerprint {
        Fingerprint::of(&self.parts.keys.fingerprint("external_id", external_id.as_bytes()))
    }

    /// What a wish claims: its target's own id, so that naming it either way is the same claim.
    fn claimed(&self, wish: &Wish) -> Fingerprint {
        match (&wish.external_id, &wish.named) {
            (Some(external_id), _) | (None, Named::External(external_id)) => {
                self.fingerprint(external_id)
            }
            (None, Named::Id(id)) => {
                Fingerprint::of(&self.parts.keys.fingerprint("activity", &id.bytes()))
            }
        }
    }

    /// The rows that replace another, with what they name; a word that can name nothing rejects its
    /// row.
    fn wishes(&self, rows: &mut [Judged]) -> anyhow::Result<Wishes> {
        let mut wishes = Wishes::new();
        for (place, row) in rows.iter_mut().enumerate() {
            let Some(word) = row.storable().and_then(|activity| activity.supersedes.clone()) else {
                continue;
            };
            match Named::parse(&word) {
                Some(named) => {
                    wishes.insert(place, Wish { word, named, external_id: None, stored: None });
                }
                None => row.reject(unknown_target(&word)),
            }
        }
        let ids: Vec<ActivityId> = wishes.values().filter_map(|wish| wish.named.id()).collect();
        let stored = segments::activities(&self.parts, ids)?;
        for wish in wishes.values_mut() {
            let Some(id) = wish.named.id() else { continue };
            if let Some(activity) = stored.get(&id) {
                wish.external_id.clone_from(&activity.external_id);
                wish.stored = Some(id);
            }
        }
        Ok(wishes)
    }

    /// The stored rows that fingerprints lead to.
    fn candidates(&self, found: &[Vec<Spot>]) -> anyhow::Result<HashMap<ActivityId, Activity>> {
        let ids = found.iter().flatten().filter_map(|spot| spot.segment.activity(spot.row));
        segments::activities(&self.parts, ids)
    }

    fn successors(&self, wishes: &Wishes) -> anyhow::Result<Successors> {
        let stored: Vec<ActivityId> = wishes.values().filter_map(|wish| wish.stored).collect();
        let grant = self.parts.own.read_activities;
        let known = self.parts.read(move |rd| {
            let mut known = Vec::new();
            for id in stored {
                if supersession_of(rd, &grant, id)?.is_some() {
                    known.push(id);
                }
            }
            Ok(known)
        })?;
        Ok(Successors::new(known))
    }
}

fn candidates_at<'a>(
    stored: &'a HashMap<ActivityId, Activity>,
    spots: &[Spot],
) -> Vec<Candidate<'a>> {
    let ids = spots.iter().filter_map(|spot| spot.segment.activity(spot.row));
    ids.filter_map(|id| Some(Candidate { id, activity: stored.get(&id)? })).collect()
}

/// Makes a row the successor of what it names, or rejects it.
fn replace(
    place: usize,
    wish: &Wish,
    (rows, taken, successors): (&mut [Judged], &Taken, &mut Successors),
) {
    if rows.get(place).is_none_or(|row| row.storable().is_none()) {
        return;
    }
    let earlier = || wish.external_id().and_then(|external_id| taken.row(external_id));
    let target = wish.stored.map(Target::Stored).or_else(|| earlier().map(Target::InBatch));
    let outcome = target
        .ok_or_else(|| Box::new(unknown_target(&wish.word)))
        .and_then(|target| successors.take(target, place));
    if let (Err(problem), Some(row)) = (outcome, rows.get_mut(place)) {
        row.reject(*problem);
    }
}
