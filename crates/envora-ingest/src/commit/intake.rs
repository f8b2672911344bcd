//! Intake: one batch, from verdicts to the commit.
//!
//! Order of what becomes durable: the source file, then the sealed segments (both synced), then the
//! manifest with everything that belongs to it in one transaction, then the answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use envora_domain::access::{Grant, actions::WriteActivities};
use envora_domain::activities::problems::Outcome;
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;
use envora_store::imports::{Counts, Mode};
use envora_store::segments::segment_fingerprints_from;

use super::answers::{self, Before};
use super::claims::Claims;
use super::storing::Extras;
use super::verdicts::Judged;
use super::{
    Accepted, Batch, Idempotency, RESULTS_MAX, RowResult, StoredAnswer, SubmitError, Submitted,
};
use crate::tenant::TenantParts;

/// Segments whose fingerprints are loaded by one read.
const LOAD_SLICE: u32 = 256;

/// The way in for all activities of a tenant.
pub struct Intake {
    pub(super) parts: Arc<TenantParts>,
    pub(super) claims: Claims,
    running: Mutex<HashSet<Digest>>,
}

/// A key in use; free again when the request ends, however it ends.
struct Running<'a> {
    keys: &'a Mutex<HashSet<Digest>>,
    key: Digest,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Intake {
    /// Opens the way in: reads back which ids are stored.
    ///
    /// # Errors
    /// The database's.
    pub fn new(parts: Arc<TenantParts>) -> anyhow::Result<Arc<Self>> {
        let claims = Claims::default();
        let grant = parts.own.read_activities;
        let mut from = 0;
        loop {
            let slice = parts
                .read(move |rd| segment_fingerprints_from(rd, &grant, from, LOAD_SLICE))
                .context("load the ids that are stored")?;
            let Some(last) = slice.last() else { break };
            from = last.seq + 1;
            for stored in &slice {
                claims.load(stored.segment, &stored.fingerprints);
            }
        }
        Ok(Arc::new(Self { parts, claims, running: Mutex::default() }))
    }

    /// Stores a batch. The work is done on a thread that may block.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(
        self: &Arc<Self>,
        grant: Grant<WriteActivities>,
        batch: Batch,
    ) -> Result<Submitted, SubmitError> {
        let intake = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || intake.submit_blocking(&grant, batch));
        work.await.context("store a batch").map_err(SubmitError::Unexpected)?
    }

    /// [`Intake::submit`] for a thread that may block.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit_blocking(
        &self,
        grant: &Grant<WriteActivities>,
        batch: Batch,
    ) -> Result<Submitted, SubmitError> {
        let _running = match &batch.idempotency {
            None => None,
            Some(idempotency) => {
                let running = self.start(idempotency.key)?;
                if let Some(answer) = self.replay(grant, idempotency)? {
                    return Ok(Submitted::Replayed(answer));
                }
                Some(running)
            }
        };
        let Batch { rows, mode, skipped, idempotency, import } = batch;
        let judgement = self.judge(rows)?;
        let refused = judgement.rows.iter().any(|row| row.result.outcome == Outcome::Rejected);
        if mode == Mode::Atomic && refused {
            let answer = Draft::new(mode, skipped, judgement.rows).answer(self.parts.clock.now());
            return Err(SubmitError::Refused(Box::new(answer)));
        }
        self.commit(grant, (mode, skipped), judgement, Extras { idempotency, import })
    }

    /// What a batch would come to, without storing any of it.
    ///
    /// # Errors
    /// The database's, or [`Damaged`](crate::tenant::Damaged) inside.
    pub fn preview(&self, batch: Batch) -> anyhow::Result<Accepted> {
        let judgement = self.judge(batch.rows)?;
        let draft = Draft::new(batch.mode, batch.skipped, judgement.rows);
        Ok(draft.answer(self.parts.clock.now()))
    }

    fn start(&self, key: Digest) -> Result<Running<'_>, SubmitError> {
        let mut keys = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert(key) {
            Ok(Running { keys: &self.running, key })
        } else {
            Err(SubmitError::InFlight)
        }
    }

    /// The answer that is kept for this key, if any.
    fn replay(
        &self,
        grant: &Grant<WriteActivities>,
        idempotency: &Idempotency,
    ) -> Result<Option<StoredAnswer>, SubmitError> {
        let (grant, keys) = (*grant, Arc::clone(&self.parts.keys));
        let (id, now) = ((idempotency.key, idempotency.fingerprint), self.parts.clock.now());
        match self.parts.read(move |rd| answers::before(rd, &grant, &keys, id, now))? {
            Before::Unused => Ok(None),
            Before::Answered(answer) => Ok(Some(answer)),
            Before::OtherRequest => Err(SubmitError::KeyReused),
        }
    }
}

/// The answer as far as it is known before the commit.
pub(super) struct Draft {
    pub(super) mode: Mode,
    pub(super) counts: Counts,
    rows: Vec<Judged>,
}

impl Draft {
    pub(super) fn new(mode: Mode, skipped: u64, rows: Vec<Judged>) -> Self {
        let mut counts = Counts { skipped, ..Counts::default() };
        for row in &rows {
            match row.result.outcome {
                Outcome::Accepted => counts.accepted += 1,
                Outcome::Duplicate => counts.duplicate += 1,
                Outcome::Quarantined => counts.quarantined += 1,
                Outcome::Rejected => counts.rejected += 1,
            }
        }
        Self { mode, counts, rows }
    }

    /// The answer; where it was stored is not known yet.
    pub(super) fn answer(self, now: Timestamp) -> Accepted {
        let all = self.rows.len() <= RESULTS_MAX;
        let listed = |row: &RowResult| all || row.outcome != Outcome::Accepted;
        let results = self.rows.into_iter().map(|row| row.result).filter(listed).collect();
        Accepted {
            mode: self.mode,
            counts: self.counts,
            segments: Vec::new(),
            results,
            import: None,
            watermark: 0,
            committed_at: now,
        }
    }
}
