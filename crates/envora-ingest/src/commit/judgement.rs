//! Judgement: the verdicts of one cut of a batch, with everything the batch claims until its commit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::id::ActivityId;

use super::claims::{Claim, Fingerprint, Found};
use super::fates::End;
use super::intake::Intake;
use super::staging::Staged;
use super::targets::{Named, Successors, Target, Wish, unknown_target};
use super::verdicts::{Candidate, EARLIER, Judge, Judged, STORED, Taken, take_over};
use crate::registry::Registry;
use crate::rows::ParsedRow;
use crate::segments;

/// What a batch knows while its cuts are judged one after the other.
pub(super) struct Course<'a> {
    registry: Arc<Registry>,
    pub(super) claim: Claim<'a>,
    /// The segments of the cuts so far.
    pub(super) staged: Staged<'a>,
    /// What rows of the cuts so far replace.
    pub(super) replaced: HashSet<ActivityId>,
}

/// Rows of a cut with their verdicts.
pub(super) struct Judgement {
    pub(super) rows: Vec<Judged>,
    /// The fingerprint of each row's id, if it has one.
    pub(super) fingerprints: Vec<Option<Fingerprint>>,
    pub(super) successors: Successors,
}

/// Wishes by the place of their row.
type Wishes = BTreeMap<usize, Wish>;

impl Intake {
    /// The beginning of a batch, with what is known by now.
    pub(super) fn course(&self) -> anyhow::Result<Course<'_>> {
        Ok(Course {
            registry: self.parts.registry.now(&self.parts)?,
            claim: self.claims.begin(),
            staged: Staged::new(&self.parts),
            replaced: HashSet::new(),
        })
    }

    /// Judges a cut. What it may store is claimed from here on.
    pub(super) fn judge(
        &self,
        course: &mut Course<'_>,
        rows: Vec<ParsedRow>,
    ) -> anyhow::Result<Judgement> {
        let mut judge = Judge::new(&course.registry);
        let mut rows: Vec<Judged> = rows.into_iter().map(|row| judge.row(row)).collect();
        let (mut wishes, named) = self.wishes(&mut rows)?;
        let prints = self.parts.keys.fingerprinter("external_id");
        let print = |external_id: &String| Fingerprint::of(&prints.of(external_id.as_bytes()));
        self.look_before(course, &mut rows, print)?;
        let fingerprints: Vec<Option<Fingerprint>> =
            rows.iter().map(|row| Some(print(row.storable()?.external_id.as_ref()?))).collect();
        let targets = wishes.values().map(|wish| self.claimed(wish));
        let wanted: Vec<Fingerprint> =
            fingerprints.iter().flatten().copied().chain(targets).collect();
        let found = course.claim.take(&wanted);
        let mut stored = self.candidates(course, &found)?;
        stored.extend(named);
        stored.extend(segments::activities(&self.parts, rows.iter().filter_map(Judged::exported))?);
        let ends = self.ends(stored.keys().copied())?;
        let mut found = found.iter();
        let of_rows: Vec<Option<&Found>> =
            fingerprints.iter().map(|own| own.and_then(|_| found.next())).collect();
        for (wish, found) in wishes.values_mut().zip(found) {
            if let Named::External(external_id) = &wish.named {
                let same = |candidate: &&Candidate<'_>| {
                    candidate.activity.external_id.as_ref() == Some(external_id)
                };
                let candidates = candidates_at(course, (&stored, &ends), (Some(found), None));
                wish.stored = candidates.iter().find(same).map(|same| same.id);
            }
        }
        let mut successors = self.successors(course, &wishes)?;
        let mut taken = Taken::default();
        for (place, found) in of_rows.into_iter().enumerate() {
            if let Some(wish) = wishes.get(&place) {
                complete(place, wish, (&mut rows, &taken, &stored));
            }
            let ours = rows.get(place).and_then(Judged::exported);
            let candidates = candidates_at(course, (&stored, &ends), (found, ours));
            taken.check(place, &mut rows, (wishes.get(&place), &candidates));
            if let Some(row) = rows.get_mut(place) {
                row.hold_against();
            }
            if let Some(wish) = wishes.get(&place) {
                replace(place, wish, (&mut rows, &taken, &mut successors));
            }
            if let Some(row) = rows.get(place) {
                taken.keep(place, row);
            }
        }
        let taken = successors.taken().filter_map(|(target, _)| target.stored());
        let replaced: HashSet<ActivityId> = course.replaced.iter().copied().chain(taken).collect();
        let instead = wishes.iter().filter_map(|(place, wish)| {
            let target = stored.get(&wish.stored?)?;
            Some((*place, target.period))
        });
        self.compare(&mut rows, &replaced, &instead.collect())?;
        Ok(Judgement { rows, fingerprints, successors })
    }

    /// Finds rows that are stored as what they were before the clock of their place was known.
    fn look_before(
        &self,
        course: &Course<'_>,
        rows: &mut [Judged],
        print: impl Fn(&String) -> Fingerprint,
    ) -> anyhow::Result<()> {
        let before = |row: &Judged| {
            let before = row.storable().and(row.before.as_ref())?;
            Some(print(before.external_id.as_ref()?))
        };
        let asked = rows.iter().enumerate().filter_map(|(place, row)| Some((place, before(row)?)));
        let (places, asked): (Vec<usize>, Vec<Fingerprint>) = asked.unzip();
        if asked.is_empty() {
            return Ok(());
        }
        let found = self.claims.stored(&asked);
        let stored = self.candidates(course, &found)?;
        let ends = self.ends(stored.keys().copied())?;
        for (place, found) in places.into_iter().zip(&found) {
            let candidates = candidates_at(course, (&stored, &ends), (Some(found), None));
            if let Some(row) = rows.get_mut(place) {
                row.look_before(&candidates);
            }
        }
        Ok(())
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
    fn wishes(
        &self,
        rows: &mut [Judged],
    ) -> anyhow::Result<(Wishes, HashMap<ActivityId, Activity>)> {
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
        Ok((wishes, stored))
    }

    /// The stored and staged rows that fingerprints lead to.
    fn candidates(
        &self,
        course: &Course<'_>,
        found: &[Found],
    ) -> anyhow::Result<HashMap<ActivityId, Activity>> {
        let spots = found.iter().flat_map(|found| &found.stored);
        let ids = spots.filter_map(|spot| spot.segment.activity(spot.row));
        let mut known = segments::activities(&self.parts, ids)?;
        let staged = found.iter().flat_map(|found| &found.staged);
        let ids = staged.filter_map(|row| course.staged.activity(*row));
        course.staged.read(ids, &mut known)?;
        Ok(known)
    }

    fn successors(&self, course: &Course<'_>, wishes: &Wishes) -> anyhow::Result<Successors> {
        let wanted: Vec<ActivityId> = wishes.values().filter_map(|wish| wish.stored).collect();
        if wanted.is_empty() {
            return Ok(Successors::new(HashMap::new()));
        }
        let before = wanted.iter().filter(|id| course.replaced.contains(id));
        let mut known: HashMap<ActivityId, Option<End>> = before.map(|id| (*id, None)).collect();
        let ends = self.ends(wanted.into_iter())?;
        known.extend(ends.into_iter().map(|(id, end)| (id, Some(end))));
        Ok(Successors::new(known))
    }
}

fn candidates_at<'a>(
    course: &Course<'_>,
    (known, ends): (&'a HashMap<ActivityId, Activity>, &HashMap<ActivityId, End>),
    (found, ours): (Option<&Found>, Option<ActivityId>),
) -> Vec<Candidate<'a>> {
    let stored = found.iter().flat_map(|found| &found.stored);
    let stored = stored.map(|spot| (spot.segment.activity(spot.row), STORED));
    let staged = found.iter().flat_map(|found| &found.staged);
    let staged = staged.map(|row| (course.staged.activity(*row), EARLIER));
    let ours = ours.map(|id| (Some(id), STORED));
    stored
        .chain(staged)
        .chain(ours)
        .filter_map(|(id, place)| {
            let (id, void) = (id?, ends.get(&id?).and_then(|end| end.void()));
            Some(Candidate { id, activity: known.get(&id)?, place, void })
        })
        .collect()
}

/// Gives a row that voids another the words that it leaves out: they are that one's.
fn complete(
    place: usize,
    wish: &Wish,
    (rows, taken, stored): (&mut [Judged], &Taken, &HashMap<ActivityId, Activity>),
) {
    let Some((this, before)) = rows.get_mut(..=place).and_then(<[_]>::split_last_mut) else {
        return;
    };
    let earlier = || before.get(taken.row(wish.external_id()?)?)?.activity.as_ref();
    let target = wish.stored.and_then(|id| stored.get(&id)).or_else(earlier);
    if let (Some(activity), Some(target)) = (&mut this.activity, target) {
        if activity.void {
            take_over(activity, target);
        } else if activity.period == target.period {
            // What was found out of its times on the wall is true of the row that says the same.
            activity.local = target.local;
        }
    }
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
