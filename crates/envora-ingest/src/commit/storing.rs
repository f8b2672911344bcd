//! Storing: the commit itself, and the answer that belongs to it.

use std::io;

use anyhow::{Context as _, ensure};
use envora_domain::access::{Grant, actions::WriteActivities};
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::ports::Frame;
use envora_domain::time::Timestamp;
use envora_lake::sources::{PackedSource, SourceError};
use envora_store::audit::audit_head;
use envora_store::imports::{Counts, Import, Mode, import_add, import_rows_add};
use envora_store::likenesses::likeness_add;
use envora_store::mentions::{Learned, Numbers, Word, mentions_add};
use envora_store::parts::{Part, open_import_close};
use envora_store::segments::segment_add;
use envora_store::supersessions::{Fate, Supersession, supersession_add};
use envora_store::transaction::TenantTx;
use envora_store::writer::{Landed, WriteError};

use super::answers::{self, Shelf};
use super::intake::Intake;
use super::judgement::{Course, Judgement};
use super::listing::Listing;
use super::notes::{Notes, PackedNotes};
use super::seal::{Row, Sealed, seal};
use super::staging::not_durable;
use super::targets::Target;
use super::verdicts::Judged;
use super::{Accepted, Idempotency, ImportDraft, Source, StoredAnswer, SubmitError, Submitted};
use crate::fresh::{FRESH_BYTES_MAX, FreshRows};
use crate::registry::Mention;
use crate::rows::ParsedRow;
use crate::tenant::TenantParts;

/// What a commit has besides its rows.
pub(super) struct Extras {
    pub(super) idempotency: Option<Idempotency>,
    pub(super) import: Option<ImportDraft>,
}

/// One activity takes another's place.
struct Replacement {
    old: ActivityId,
    new: ActivityId,
    /// Which segment of the commit holds the new one.
    segment: usize,
    fate: Fate,
    reason: String,
}

/// Everything that one transaction writes.
struct Work {
    grant: Grant<WriteActivities>,
    /// Segments that are durable.
    staged: Vec<(Sealed, Landed)>,
    /// The last one, made durable with the writer's group.
    last: Option<Sealed>,
    replacements: Vec<Replacement>,
    import: Option<Import>,
    /// The parts that the import's file came in, which are its parts from now on.
    in_parts: Option<Vec<Part>>,
    notes: PackedNotes,
    answer: Accepted,
    idempotency: Option<Idempotency>,
    shelf: Shelf,
    numbers: Numbers,
    epoch: u64,
}

/// What a transaction that committed gives back.
struct Done {
    answer: Accepted,
    kept: Option<StoredAnswer>,
    stored: Vec<(SegmentId, Vec<u8>)>,
    likenesses: Vec<(SegmentId, Vec<u8>)>,
    /// Parts of a file that is kept already.
    spare: Vec<Part>,
    learned: Vec<Learned>,
}

/// A batch on its way: what is known of the cuts so far.
pub(super) struct Storing<'a> {
    intake: &'a Intake,
    course: Course<'a>,
    replacements: Vec<Replacement>,
    pub(super) listing: Listing,
    /// Of an import, its rows' problems.
    notes: Option<Notes>,
    /// The rows of the first segments, for the calculation.
    fresh: Vec<FreshRows>,
}

/// The rows of the last cut, sealed and not yet durable.
pub(super) type Last = Option<(Sealed, Frame)>;

impl<'a> Storing<'a> {
    /// A batch of which nothing is read yet.
    pub(super) fn new(intake: &'a Intake, notes: Option<Notes>) -> anyhow::Result<Self> {
        let (course, listing) = (intake.course()?, Listing::default());
        let (replacements, fresh) = (Vec::new(), Vec::new());
        Ok(Self { intake, course, replacements, listing, notes, fresh })
    }

    /// Takes a cut in and makes its rows durable; more are to follow.
    pub(super) fn stage(&mut self, cut: Vec<ParsedRow>) -> Result<(), SubmitError> {
        let Judgement { mut rows, fingerprints, successors } =
            self.intake.judge(&mut self.course, cut)?;
        self.listing.look_at(&rows);
        let places = storable(&rows);
        if let Some((sealed, frame)) = sealed(&self.intake.parts, &rows, &fingerprints, &places) {
            name_rows(&mut rows, &places, Some(&sealed));
            self.replace(&rows, successors.taken());
            let first = self.course.staged.rows();
            let prints = places.iter().map(|place| fingerprints.get(*place).copied().flatten());
            let numbered = prints.zip(first..).filter_map(|(print, row)| Some((print?, row)));
            self.course.claim.stage(numbered);
            self.keep(&mut rows, &sealed);
            self.course.staged.add(sealed, frame)?;
        }
        Ok(self.note(rows)?)
    }

    /// Takes the last cut in.
    pub(super) fn last(&mut self, cut: Vec<ParsedRow>) -> Result<Last, SubmitError> {
        let Judgement { mut rows, fingerprints, successors } =
            self.intake.judge(&mut self.course, cut)?;
        self.listing.look_at(&rows);
        let places = storable(&rows);
        let sealed = sealed(&self.intake.parts, &rows, &fingerprints, &places);
        name_rows(&mut rows, &places, sealed.as_ref().map(|(sealed, _)| sealed));
        self.replace(&rows, successors.taken());
        if let Some((sealed, _)) = &sealed {
            self.keep(&mut rows, sealed);
        }
        self.note(rows)?;
        Ok(sealed)
    }

    /// Notes what rows of a cut replace; they are to be the rows of the next segment.
    fn replace(&mut self, rows: &[Judged], taken: impl Iterator<Item = (Target, usize)>) {
        let segment = self.course.staged.len();
        let replacement = |(target, place): (Target, usize)| {
            let row = rows.get(place)?;
            let activity = row.storable()?;
            let old = match target {
                Target::Stored(id) => id,
                Target::InBatch(earlier) => rows.get(earlier)?.result.id?,
            };
            Some(Replacement {
                old,
                new: row.result.id?,
                segment,
                fate: if activity.void { Fate::Voided } else { Fate::Replaced },
                reason: activity.supersede_reason.clone().unwrap_or_default(),
            })
        };
        let from = self.replacements.len();
        self.replacements.extend(taken.filter_map(replacement));
        let new = self.replacements.get(from..).unwrap_or_default();
        self.course.replaced.extend(new.iter().map(|replacement| replacement.old));
    }

    /// Keeps the activities of a segment for the calculation, as long as there is room for them.
    fn keep(&mut self, rows: &mut [Judged], sealed: &Sealed) {
        let held: usize = self.fresh.iter().map(|fresh| fresh.bytes).sum();
        if held + sealed.bytes <= FRESH_BYTES_MAX {
            let rows = rows.iter_mut().filter(|row| row.storable().is_some());
            let rows = rows.filter_map(|row| row.activity.take()).collect();
            self.fresh.push(FreshRows { segment: sealed.id, bytes: sealed.bytes, rows });
        }
    }

    fn note(&mut self, rows: Vec<Judged>) -> anyhow::Result<()> {
        for Judged { result, .. } in rows {
            if let Some(notes) = &mut self.notes {
                notes.add(&result)?;
            }
            self.listing.add(result);
        }
        Ok(())
    }

    /// Stores what is storable of the batch.
    pub(super) fn commit(
        self,
        grant: &Grant<WriteActivities>,
        (mode, now): (Mode, Timestamp),
        last: Last,
        extras: Extras,
    ) -> Result<Submitted, SubmitError> {
        let Self { intake, course, replacements, listing, notes, fresh } = self;
        let Course { claim, staged, .. } = course;
        let parts = &intake.parts;
        if let Some(draft) = &extras.import {
            keep_source(parts, draft)?;
        }
        let notes = notes.map_or_else(Notes::new, Ok).and_then(Notes::finish);
        let import = extras.import.as_ref().map(|draft| draft.id);
        let in_parts = extras.import.as_ref().and_then(|draft| match &draft.source {
            Source::Parts { parts, .. } => Some(parts.clone()),
            Source::Whole(_) => None,
        });
        let record = extras.import.map(|draft| record(draft, (mode, listing.counts), now));
        let (staged, handed) = staged.hand_over();
        let (last, frame) = last.unzip();
        let ids = staged.iter().map(|(sealed, _)| sealed).chain(&last).map(|sealed| sealed.id);
        let answer = Accepted { segments: ids.collect(), import, ..listing.answer(mode, now) };
        let work = Work {
            grant: *grant,
            staged,
            last,
            replacements,
            import: record,
            in_parts,
            notes: notes.context("note problems")?,
            answer,
            idempotency: extras.idempotency,
            shelf: Shelf::of(parts),
            numbers: parts.numbers.clone(),
            epoch: parts.db.epoch(),
        };
        let waiting: Vec<SegmentId> = fresh.iter().map(|fresh| fresh.segment).collect();
        parts.fresh.keep(fresh);
        let job = move |tx: &mut TenantTx, landed: &[Landed]| work.write(tx, landed, now);
        match parts.db.write_frames_blocking(frame.into_iter().collect(), job) {
            Ok(done) => {
                claim.settle(&done.stored);
                done.learned.into_iter().for_each(|learned| parts.numbers.learn(learned));
                for (segment, prints) in &done.likenesses {
                    intake.likenesses.load(*segment, prints);
                }
                for part in &done.spare {
                    if let Err(error) = parts.lake.remove_source(&part.name) {
                        tracing::warn!(cause = %error, "a part that nothing needs is not removed");
                    }
                }
                Ok(Submitted::Stored(Box::new(done.answer), done.kept))
            }
            Err(error) => {
                parts.fresh.forget(&waiting);
                handed.failed(&error);
                // An answer that is not durable is as bad as a segment that is not.
                if let WriteError::Unexpected(error) = &error
                    && let Some(cause) = error.downcast_ref::<io::Error>()
                {
                    return Err(not_durable(parts, cause));
                }
                Err(error.into())
            }
        }
    }
}

/// The places of the rows that are to be stored.
fn storable(rows: &[Judged]) -> Vec<usize> {
    let storable = rows.iter().enumerate().filter(|(_, row)| row.storable().is_some());
    storable.map(|(place, _)| place).collect()
}

fn sealed(
    parts: &TenantParts,
    rows: &[Judged],
    fingerprints: &[Option<super::claims::Fingerprint>],
    places: &[usize],
) -> Last {
    let row = |place: &usize| -> Option<Row<'_>> {
        let (judged, fingerprint) =
            (rows.get(*place)?, fingerprints.get(*place).copied().flatten());
        let (likeness, like) = (judged.likeness, judged.result.like);
        Some(Row { activity: judged.storable()?, fingerprint, likeness, like })
    };
    let rows: Vec<Row<'_>> = places.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| seal(parts, &rows))
}

/// Gives each stored row its id, and each repeated row that of the row it repeats.
fn name_rows(rows: &mut [Judged], places: &[usize], sealed: Option<&Sealed>) {
    for (number, place) in places.iter().enumerate() {
        if let Some(row) = rows.get_mut(*place) {
            row.result.id = sealed.and_then(|sealed| sealed.activity(number));
        }
    }
    for place in 0..rows.len() {
        let original = rows.get(place).and_then(|row| row.repeats);
        let id = original.and_then(|original| rows.get(original)?.result.id);
        if let (Some(row), Some(id)) = (rows.get_mut(place), id) {
            row.result.id = Some(id);
        }
    }
}

/// Seals a part of a file and makes it durable, under a name of its own.
///
/// # Errors
/// What the disk says, as for any write.
pub fn keep_part(
    parts: &TenantParts,
    name: &Digest,
    part: &PackedSource,
) -> Result<(), SubmitError> {
    let kept = parts.lake.put_part(&parts.keys, name, part);
    kept.map_err(|error| not_durable(parts, &error))
}

/// Seals the file and makes it durable, before anything that names it.
fn keep_source(parts: &TenantParts, draft: &ImportDraft) -> Result<(), SubmitError> {
    let Source::Whole(source) = &draft.source else { return Ok(()) };
    match parts.lake.put_source(&parts.keys, source) {
        Err(SourceError::Io(error)) => Err(not_durable(parts, &error)),
        kept => Ok(kept.context("keep the file")?),
    }
}

fn record(import: ImportDraft, (mode, counts): (Mode, Counts), now: Timestamp) -> Import {
    Import {
        id: import.id,
        seq: 0,
        mode,
        file: import.source.digest(),
        file_name: import.file_name,
        file_length: import.source.length(),
        media_type: import.media_type,
        mapping: import.mapping,
        mapping_digest: import.mapping_digest,
        counts,
        created_at: now,
        source_until: import.source_until,
        skipped_rows: String::new(),
    }
}

impl Work {
    fn write(self, tx: &mut TenantTx, landed: &[Landed], now: Timestamp) -> anyhow::Result<Done> {
        let Self { grant, staged, last, replacements, import, notes, .. } = self;
        let (mut answer, shelf) = (self.answer, self.shelf);
        ensure!(landed.len() == usize::from(last.is_some()), "a segment did not land");
        let import_id: Option<ImportId> = import.as_ref().map(|import| import.id);
        let (staged, places): (Vec<Sealed>, Vec<Landed>) = staged.into_iter().unzip();
        let sealed: Vec<Sealed> = staged.into_iter().chain(last).collect();
        let mut spare = Vec::new();
        let (mut seqs, mut learned) = (Vec::with_capacity(sealed.len()), Vec::new());
        for (sealed, landed) in sealed.iter().zip(places.iter().chain(landed)) {
            let manifest = sealed.manifest(landed, import_id, self.epoch);
            let seq = segment_add(tx, &grant, &manifest, now)?;
            let words: Vec<Word<'_>> = sealed.mentions.iter().map(Mention::as_word).collect();
            learned.push(mentions_add(tx, &grant, (seq, &words), &self.numbers)?);
            likeness_add(tx, &grant, (seq, &sealed.likenesses), sealed.alike)?;
            seqs.push(seq);
        }
        for Replacement { old, new, segment, fate, reason } in replacements {
            let seq = *seqs.get(segment).context("find the segment of a correction")?;
            let noted =
                supersession_add(tx, &grant, &Supersession { old, new, seq, fate, reason })?;
            ensure!(noted, "an activity would have two successors");
        }
        answer.watermark = match seqs.last() {
            Some(last) => *last,
            None => audit_head(tx)?.size.saturating_sub(1),
        };
        if let Some(import) = import {
            let skipped_rows = match answer.skipped.as_slice() {
                [] => String::new(),
                skipped => serde_json::to_string(skipped).context("write down what was skipped")?,
            };
            let import = Import { seq: answer.watermark, skipped_rows, ..import };
            import_add(tx, &grant, &import)?;
            notes.each_slice(|rows| import_rows_add(tx, &grant, &import, rows))?;
            if let Some(read) = &self.in_parts {
                spare = open_import_close(tx, &grant, (import.id, import.file, read))?;
            }
        }
        let kept = match self.idempotency {
            None => None,
            Some(idempotency) => {
                let stored = (idempotency.render)(&answer);
                let id = (idempotency.key, idempotency.fingerprint);
                answers::keep(tx, &grant, &shelf, id, (&stored, now))?;
                Some(stored)
            }
        };
        let said =
            |sealed: Sealed| ((sealed.id, sealed.fingerprints), (sealed.id, sealed.likenesses));
        let (stored, likenesses) = sealed.into_iter().map(said).unzip();
        Ok(Done { answer, kept, stored, likenesses, spare, learned })
    }
}
