//! Seal: rows to segments of at most [`SEGMENT_ROWS`](super::SEGMENT_ROWS) rows, each with its root,
//! sealed under the tenant's key.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use envora_crypto::aad::Purpose;
use envora_crypto::tenant::Object;
use envora_domain::activities::Activity;
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::ports::{Frame, Place};
use envora_domain::time::Timestamp;
use envora_lake::fsck::Manifest;
use envora_lake::packed::pack;
use envora_store::likenesses::Alike;
use envora_store::segments::NewSegment;
use envora_store::writer::Landed;

use super::claims::Fingerprint;
use crate::registry::Mention;
use crate::stored::sorted::start;
use crate::tenant::TenantParts;

/// What the manifest says of a sealed segment; its frame travels apart.
pub(super) struct Sealed {
    pub(super) id: SegmentId,
    pub(super) rows: u32,
    root: Digest,
    key_version: u32,
    start_min: Timestamp,
    start_max: Timestamp,
    pub(super) fingerprints: Vec<u8>,
    pub(super) likenesses: Vec<u8>,
    pub(super) alike: Option<Alike>,
    pub(super) mentions: BTreeSet<Mention>,
    /// How long its canonical rows are.
    pub(super) bytes: usize,
}

impl Sealed {
    /// The manifest's row for the frame, once it has landed.
    pub(super) fn manifest<'a>(
        &'a self,
        landed: &'a Landed,
        import: Option<ImportId>,
        epoch: u64,
    ) -> NewSegment<'a> {
        NewSegment {
            landed,
            rows: self.rows,
            root: self.root,
            key_version: self.key_version,
            start_min: self.start_min,
            start_max: self.start_max,
            import,
            fingerprints: &self.fingerprints,
            epoch,
        }
    }

    /// The same for reading it back before the commit.
    pub(super) fn found(&self, landed: &Landed) -> Manifest {
        let inline = (landed.place == Place::Inline).then(|| landed.frame.sealed.clone());
        Manifest {
            segment: self.id,
            rows: u64::from(self.rows),
            root: self.root,
            place: landed.place.clone(),
            inline,
        }
    }

    /// The id of one of its rows.
    pub(super) fn activity(&self, row: usize) -> Option<ActivityId> {
        self.id.activity(u32::try_from(row).ok()?)
    }
}

/// An activity with the fingerprints of its id and of what it says, and the stored one it looks like.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) activity: &'a Activity,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) likeness: Option<Fingerprint>,
    pub(super) like: Option<ActivityId>,
}

/// Seals one segment of rows.
pub(super) fn seal(parts: &TenantParts, rows: &[Row<'_>]) -> (Sealed, Frame) {
    let id = SegmentId::new_segment(parts.clock.now(), &*parts.entropy);
    let (stream, ends) = stream(rows);
    let bytes = stream.len();
    let packed = pack(stream, &ends);
    let (_, key_version) = parts.keys.dek(Purpose::Segment);
    let frame = Frame { segment: id, sealed: parts.keys.seal(&Object::segment(id), &packed.bytes) };
    let starts = || rows.iter().map(|row| start(&row.activity.period));
    let none = Timestamp::from_micros(0);
    let sealed = Sealed {
        id,
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        root: packed.root,
        key_version,
        start_min: starts().min().unwrap_or(none),
        start_max: starts().max().unwrap_or(none),
        fingerprints: prints(rows.iter().map(|row| row.fingerprint)),
        likenesses: prints(rows.iter().map(|row| row.likeness)),
        alike: alike(id, rows),
        mentions: mentions(rows),
        bytes,
    };
    (sealed, frame)
}

/// The canonical rows, one behind the other, and where each ends.
fn stream(rows: &[Row<'_>]) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        row.activity.canonical_onto(&mut stream);
        ends.push(stream.len());
    }
    (stream, ends)
}

/// Eight bytes a row.
fn prints(prints: impl Iterator<Item = Option<Fingerprint>>) -> Vec<u8> {
    prints.flat_map(|print| print.map_or([0; 8], Fingerprint::bytes)).collect()
}

/// The rows that look like stored ones.
fn alike(segment: SegmentId, rows: &[Row<'_>]) -> Option<Alike> {
    let found = rows.iter().enumerate().filter_map(|(row, one)| {
        let new = segment.activity(u32::try_from(row).ok()?)?;
        Some(Alike { rows: 1, new, known: one.like? })
    });
    found.reduce(Alike::and)
}

/// Neighbours mostly name the same words, so only a change of words is looked at.
fn mentions(rows: &[Row<'_>]) -> BTreeSet<Mention> {
    let (mut facilities, mut sources) = (HashSet::new(), HashSet::new());
    let (mut entities, mut suppliers) = (HashSet::new(), HashSet::new());
    let mut mentions = BTreeSet::new();
    let mut last: Option<&Activity> = None;
    for Row { activity, .. } in rows {
        let same = |other: &Activity| {
            Arc::ptr_eq(&other.common, &activity.common)
                || other.facility == activity.facility
                    && other.source == activity.source
                    && other.entity == activity.entity
                    && other.supplier == activity.supplier
        };
        if !last.is_some_and(same) {
            // A row is asked for its words where one of them is new.
            let news = [
                activity.facility.as_ref().is_some_and(|word| facilities.insert(word)),
                activity.source.as_ref().is_some_and(|word| sources.insert(word)),
                activity.entity.as_ref().is_some_and(|word| entities.insert(word)),
                activity.supplier.as_ref().is_some_and(|word| suppliers.insert(word)),
            ];
            if news.contains(&true) {
                mentions.extend(Mention::of(activity));
            }
        }
        last = Some(*activity);
    }
    mentions
}
