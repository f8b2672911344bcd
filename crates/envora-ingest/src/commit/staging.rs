//! Staging: segments of a batch that are durable before its commit.
//!
//! A staged segment is a file that no manifest row names yet. If the batch is not committed, the file
//! is removed; after a crash the sweep at the next start removes it.

use std::collections::HashMap;
use std::io::{self, ErrorKind};

use anyhow::Context as _;
use envora_domain::activities::Activity;

use envora_domain::id::ActivityId;
use envora_domain::ports::{Frame, Place};
use envora_lake::fsck::Fault;
use envora_store::writer::{Landed, WriteError};

use super::SubmitError;
use super::seal::Sealed;
use crate::segments::{OpenedSegment, pick};
use crate::tenant::{Damaged, TenantParts};

/// One of them.
struct Segment {
    sealed: Sealed,
    landed: Landed,
    /// The number of its first row among all staged rows.
    first: u32,
}

/// The staged segments of a batch, in order. Dropping them removes their files.
pub(super) struct Staged<'a> {
    parts: &'a TenantParts,
    segments: Vec<Segment>,
    rows: u32,
}

impl<'a> Staged<'a> {
    pub(super) const fn new(parts: &'a TenantParts) -> Self {
        Self { parts, segments: Vec::new(), rows: 0 }
    }

    /// How many segments there are.
    pub(super) const fn len(&self) -> usize {
        self.segments.len()
    }

    /// How many rows they have.
    pub(super) const fn rows(&self) -> u32 {
        self.rows
    }

    /// Makes a segment durable.
    pub(super) fn add(&mut self, sealed: Sealed, frame: Frame) -> Result<(), SubmitError> {
        let places = self.parts.lake.append_and_sync(std::slice::from_ref(&frame));
        let places = places.map_err(|error| not_durable(self.parts, &error))?;
        let place = places.into_iter().next().context("the lake lost a segment")?;
        // What lies in a file need not be held; what is short goes into its manifest row.
        let kept = if place == Place::Inline { frame.sealed } else { Vec::new() };
        let landed = Landed { frame: Frame { segment: frame.segment, sealed: kept }, place };
        let first = self.rows;
        self.rows += sealed.rows;
        self.segments.push(Segment { sealed, landed, first });
        Ok(())
    }

    /// The activity that a staged row is to be.
    pub(super) fn activity(&self, row: u32) -> Option<ActivityId> {
        let after = self.segments.partition_point(|segment| segment.first <= row);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        segment.sealed.id.activity(row - segment.first)
    }

    /// Puts these of the staged rows to the others that were found; each segment is read once.
    pub(super) fn read(
        &self,
        ids: impl Iterator<Item = ActivityId>,
        found: &mut HashMap<ActivityId, Activity>,
    ) -> anyhow::Result<()> {
        let mut wanted: HashMap<_, Vec<(u32, ActivityId)>> = HashMap::new();
        for id in ids {
            let (segment, row) = id.place();
            wanted.entry(segment).or_default().push((row, id));
        }
        for Segment { sealed, landed, .. } in &self.segments {
            let Some(places) = wanted.remove(&sealed.id) else { continue };
            let manifest = sealed.found(landed);
            let runs = self.parts.lake.open_segment(&self.parts.keys, &manifest);
            let damaged = |fault: Fault| Damaged::new(sealed.id.to_string(), fault.to_string());
            let opened = OpenedSegment::new(sealed.id, sealed.rows, runs.map_err(damaged)?);
            pick(&opened, places, found)?;
        }
        Ok(())
    }

    /// Hands them over to a commit, whose outcome says what is to become of the files.
    pub(super) fn hand_over(mut self) -> (Vec<(Sealed, Landed)>, Handed<'a>) {
        let segments = std::mem::take(&mut self.segments);
        let places = segments.iter().map(|segment| segment.landed.place.clone()).collect();
        let handed = Handed { parts: self.parts, places };
        (segments.into_iter().map(|segment| (segment.sealed, segment.landed)).collect(), handed)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        self.parts.lake.discard(self.segments.iter().map(|segment| &segment.landed.place));
    }
}

/// Files of segments that a commit is about to name.
pub(super) struct Handed<'a> {
    parts: &'a TenantParts,
    places: Vec<Place>,
}

impl Handed<'_> {
    /// The commit failed: the files go, unless it is not known whether something names them.
    pub(super) fn failed(self, error: &WriteError) {
        if matches!(error, WriteError::Overloaded | WriteError::Unexpected(_)) {
            self.parts.lake.discard(self.places.iter());
        }
    }
}

/// Something was not made durable: a full disk may get room again, anything else ends the process.
pub(super) fn not_durable(parts: &TenantParts, error: &io::Error) -> SubmitError {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        parts.db.read_only();
        return SubmitError::ReadOnly;
    }
    // The kernel may have dropped what it could not write: another try would seem to succeed.
    tracing::error!(cause = %error, "a file could not be made durable");
    parts.db.stop();
    SubmitError::Stopped
}
