//! Intake: one batch, from verdicts to the commit.
//!
//! Order of what becomes durable: the sealed segments of all cuts but the last, the source file, the
//! last segment (all synced), then the manifest with everything that belongs to it in one
//! transaction, then the answer.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use envora_domain::access::{Grant, actions::WriteActivities};
use envora_domain::hash::Digest;
use envora_domain::planted::planted;
use envora_store::imports::Mode;
use envora_store::likenesses::likenesses_from;
use envora_store::segments::segment_fingerprints_from;

use super::answers::{self, Before, Shelf};
use super::claims::Claims;
use super::cuts::Cuts;
use super::likeness::Likenesses;
use super::listing::Listing;
use super::notes::Notes;
use super::storing::{Extras, Storing};
use super::{Accepted, Batch, Idempotency, StoredAnswer, SubmitError, Submitted};
use crate::tenant::TenantParts;

/// Segments whose fingerprints are loaded by one read.
const LOAD_SLICE: u32 = 256;

/// The way in for all activities of a tenant.
pub struct Intake {
    pub(super) parts: Arc<TenantParts>,
    pub(super) claims: Claims,
    pub(super) likenesses: Likenesses,
    running: Mutex<HashSet<Digest>>,
    ending: AtomicBool,
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
        let likenesses = Likenesses::default();
        let mut from = 0;
        loop {
            let slice = parts
                .read(move |rd| likenesses_from(rd, &grant, from, LOAD_SLICE))
                .context("load what stored rows say")?;
            let Some(last) = slice.last() else { break };
            from = last.seq + 1;
            for stored in &slice {
                likenesses.load(stored.segment, &stored.prints);
            }
        }
        Ok(Arc::new(Self {
            parts,
            claims,
            likenesses,
            running: Mutex::default(),
            ending: AtomicBool::new(false),
        }))
    }

    /// Takes no batch from now on, and gives up those that are not about to commit: they leave nothing.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Release);
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
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
        self.store(grant, batch)
    }

    fn goes_on(&self) -> Result<(), SubmitError> {
        let given_up = self.is_ending() && !planted("half_an_import");
        if given_up { Err(SubmitError::Ending) } else { Ok(()) }
    }

    /// Works a batch off, cut by cut, and commits it.
    fn store(
        &self,
        grant: &Grant<WriteActivities>,
        batch: Batch,
    ) -> Result<Submitted, SubmitError> {
        let Batch { rows, mode, left, idempotency, import } = batch;
        let mut cuts = Cuts::new(rows).context("read the rows")?;
        let mut cut = cuts.next().context("read the rows")?;
        let _turn = (!cuts.is_over()).then(|| self.claims.turn());
        let notes = import.as_ref().map(|_| Notes::new()).transpose().context("note problems")?;
        let watched = import.as_ref().and_then(|import| import.source.progress()).cloned();
        let mut storing = Storing::new(self, notes)?;
        while !cuts.is_over() {
            storing.stage(cut)?;
            if let Some(progress) = &watched {
                progress.judged(storing.listing.counts);
            }
            cut = cuts.next().context("read the rows")?;
            if self.is_ending() && planted("half_an_import") {
                break;
            }
            self.goes_on()?;
        }
        self.goes_on()?;
        let last = storing.last(cut)?;
        storing.listing.leave_out(left);
        storing.listing.leave_out(cuts.left_out());
        drop(cuts);
        let now = self.parts.clock.now();
        if mode == Mode::Atomic && storing.listing.counts.rejected > 0 {
            let answer = storing.listing.answer(mode, now);
            return Err(SubmitError::Refused(Box::new(answer)));
        }
        storing.commit(grant, (mode, now), last, Extras { idempotency, import })
    }

    /// What a batch would come to, without storing any of it.
    ///
    /// # Errors
    /// The database's, or [`Damaged`](crate::tenant::Damaged) inside.
    pub fn preview(&self, batch: Batch) -> anyhow::Result<Accepted> {
        let rows = batch.rows.collect::<io::Result<Vec<_>>>().context("read the rows")?;
        let judgement = self.judge(&mut self.course()?, rows)?;
        let mut listing = Listing::default();
        listing.look_at(&judgement.rows);
        judgement.rows.into_iter().for_each(|row| listing.add(row.result));
        listing.leave_out(batch.left);
        Ok(listing.answer(batch.mode, self.parts.clock.now()))
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
        let (grant, shelf) = (*grant, Shelf::of(&self.parts));
        let (id, now) = ((idempotency.key, idempotency.fingerprint), self.parts.clock.now());
        match self.parts.read(move |rd| answers::before(rd, &grant, &shelf, id, now))? {
            Before::Unused => Ok(None),
            Before::Answered(answer) => Ok(Some(answer)),
            Before::OtherRequest => Err(SubmitError::KeyReused),
        }
    }
}
