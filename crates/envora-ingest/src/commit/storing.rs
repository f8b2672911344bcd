//! Storing: the commit itself, and the answer that belongs to it.

use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use envora_crypto::tenant::TenantKeys;
use envora_domain::access::{Grant, actions::WriteActivities};
use envora_domain::activities::problems::Outcome;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::ports::Frame;
use envora_domain::time::Timestamp;
use envora_lake::sources::SourceError;
use envora_store::audit::audit_head;
use envora_store::imports::{Import, ImportRow, import_add, import_rows_add};
use envora_store::mentions::{Word, mentions_add};
use envora_store::segments::segment_add;
use envora_store::supersessions::{Fate, Supersession, supersession_add};
use envora_store::transaction::TenantTx;
use envora_store::writer::Landed;

use super::answers;
use super::intake::{Draft, Intake};
use super::judgement::Judgement;
use super::seal::{Row, Sealed, seal};
use super::targets::Target;
use super::verdicts::Judged;
use super::{
    Accepted, Idempotency, ImportDraft, RowResult, SEGMENT_ROWS, StoredAnswer, SubmitError,
    Submitted,
};
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
    sealed: Vec<Sealed>,
    replacements: Vec<Replacement>,
    import: Option<(Import, Vec<ImportRow>)>,
    answer: Accepted,
    idempotency: Option<Idempotency>,
    keys: Arc<TenantKeys>,
    epoch: u64,
}

/// What a transaction that committed gives back.
struct Done {
    answer: Accepted,
    kept: Option<StoredAnswer>,
    stored: Vec<(SegmentId, Vec<u8>)>,
}

impl Intake {
    /// Stores what is storable of a judged batch.
    pub(super) fn commit(
        &self,
        grant: &Grant<WriteActivities>,
        (mode, skipped): (envora_store::imports::Mode, u64),
        judgement: Judgement<'_>,
        extras: Extras,
    ) -> Result<Submitted, SubmitError> {
        let Judgement { mut rows, fingerprints, successors, claim } = judgement;
        let storable = rows.iter().enumerate().filter(|(_, row)| row.storable().is_some());
        let places: Vec<usize> = storable.map(|(place, _)| place).collect();
        let (sealed, frames) = sealed(&self.parts, &rows, &fingerprints, &places);
        name_rows(&mut rows, &places, &sealed);
        let replacements = replacements(&rows, &places, successors.taken());
        let import = extras.import.as_ref().map(|draft| draft.id);
        if let Some(draft) = &extras.import {
            keep_source(&self.parts, draft)?;
        }
        let now = self.parts.clock.now();
        let notes = extras.import.as_ref().map(|_| import_rows(&rows)).unwrap_or_default();
        let draft = Draft::new(mode, skipped, rows);
        let record = extras.import.map(|import| (record(import, &draft, now), notes));
        let answer = Accepted {
            segments: sealed.iter().map(|sealed| sealed.id).collect(),
            import,
            ..draft.answer(now)
        };
        let work = Work {
            grant: *grant,
            sealed,
            replacements,
            import: record,
            answer,
            idempotency: extras.idempotency,
            keys: Arc::clone(&self.parts.keys),
            epoch: self.parts.db.epoch(),
        };
        let job = move |tx: &mut TenantTx, landed: &[Landed]| work.write(tx, landed, now);
        let done = self.parts.db.write_frames_blocking(frames, job)?;
        claim.settle(&done.stored);
        Ok(Submitted::Stored(Box::new(done.answer), done.kept))
    }
}

fn sealed(
    parts: &TenantParts,
    rows: &[Judged],
    fingerprints: &[Option<super::claims::Fingerprint>],
    places: &[usize],
) -> (Vec<Sealed>, Vec<Frame>) {
    let row = |place: &usize| -> Option<Row<'_>> {
        let fingerprint = fingerprints.get(*place).copied().flatten();
        Some((rows.get(*place)?.storable()?, fingerprint))
    };
    places
        .chunks(SEGMENT_ROWS)
        .map(|places| seal(parts, &places.iter().filter_map(row).collect::<Vec<_>>()))
        .unzip()
}

/// Gives each stored row its id, and each repeated row that of the row it repeats.
fn name_rows(rows: &mut [Judged], places: &[usize], sealed: &[Sealed]) {
    for (segment, places) in sealed.iter().zip(places.chunks(SEGMENT_ROWS)) {
        for (number, place) in places.iter().enumerate() {
            if let Some(row) = rows.get_mut(*place) {
                row.result.id = segment.activity(number);
            }
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

fn replacements(
    rows: &[Judged],
    places: &[usize],
    taken: impl Iterator<Item = (Target, usize)>,
) -> Vec<Replacement> {
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
            segment: places.binary_search(&place).ok()? / SEGMENT_ROWS,
            fate: if activity.void { Fate::Voided } else { Fate::Replaced },
            reason: activity.supersede_reason.clone().unwrap_or_default(),
        })
    };
    taken.filter_map(replacement).collect()
}

/// Seals the file and makes it durable, before anything that names it.
fn keep_source(parts: &TenantParts, draft: &ImportDraft) -> Result<(), SubmitError> {
    let kept = match parts.lake.put_source(&parts.keys, &draft.bytes) {
        Err(SourceError::Io(error))
            if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
        {
            return Err(SubmitError::ReadOnly);
        }
        // The kernel may have dropped what it could not write: another try would seem to succeed.
        Err(SourceError::Io(error)) => {
            tracing::error!(cause = %error, "a source file could not be made durable");
            parts.db.stop();
            return Err(SubmitError::Stopped);
        }
        kept => kept.context("keep the file")?,
    };
    if kept != draft.sha256 {
        let error = anyhow!("the file's SHA-256 is not the one that it is named by");
        return Err(error.into());
    }
    Ok(())
}

fn record(import: ImportDraft, draft: &Draft, now: Timestamp) -> Import {
    Import {
        id: import.id,
        seq: 0,
        mode: draft.mode,
        file: import.sha256,
        file_name: import.file_name,
        file_length: import.bytes.len() as u64,
        media_type: import.media_type,
        mapping: import.mapping,
        mapping_digest: import.mapping_digest,
        counts: draft.counts,
        created_at: now,
        source_until: import.source_until,
    }
}

/// The rows of an import that were not accepted as they stood, one entry per problem.
fn import_rows(rows: &[Judged]) -> Vec<ImportRow> {
    let refused =
        |row: &&Judged| matches!(row.result.outcome, Outcome::Rejected | Outcome::Quarantined);
    let mut notes = Vec::new();
    for RowResult { row, line, outcome, problems, .. } in
        rows.iter().filter(refused).map(|row| &row.result)
    {
        for problem in problems {
            notes.push(ImportRow {
                number: notes.len() as u64,
                row: *row,
                line: *line,
                outcome: outcome.as_str().to_owned(),
                code: problem.code.as_str().to_owned(),
                field: problem.field.clone(),
                detail: problem.detail.clone(),
                hint: problem.hint.clone().unwrap_or_default(),
                column: problem.column.clone().unwrap_or_default(),
                cell: problem.value.clone().unwrap_or_default(),
            });
        }
    }
    notes
}

impl Work {
    fn write(self, tx: &mut TenantTx, landed: &[Landed], now: Timestamp) -> anyhow::Result<Done> {
        let Self { grant, sealed, replacements, import, mut answer, idempotency, keys, epoch } =
            self;
        ensure!(landed.len() == sealed.len(), "a segment did not land");
        let import_id: Option<ImportId> = import.as_ref().map(|(import, _)| import.id);
        let mut seqs = Vec::with_capacity(sealed.len());
        for (sealed, landed) in sealed.iter().zip(landed) {
            let seq = segment_add(tx, &grant, &sealed.manifest(landed, import_id, epoch), now)?;
            let word = |mention: &'_ crate::registry::Mention| (mention.kind, mention.word.clone());
            let words: Vec<(&str, String)> = sealed.mentions.iter().map(word).collect();
            let words: Vec<Word<'_>> =
                words.iter().map(|(kind, word)| Word { kind, word }).collect();
            mentions_add(tx, &grant, seq, &words)?;
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
        if let Some((import, notes)) = import {
            let import = Import { seq: answer.watermark, ..import };
            import_add(tx, &grant, &import)?;
            import_rows_add(tx, &grant, &import, &notes)?;
        }
        let kept = match idempotency {
            None => None,
            Some(idempotency) => {
                let stored = (idempotency.render)(&answer);
                let id = (idempotency.key, idempotency.fingerprint);
                answers::keep(tx, &grant, &keys, id, (&stored, now))?;
                Some(stored)
            }
        };
        let stored = sealed.into_iter().map(|sealed| (sealed.id, sealed.fingerprints)).collect();
        Ok(Done { answer, kept, stored })
    }
}
