//! Fresh rows: those of segments that were just stored, as they were read, until they are calculated.
//!
//! Calculation would open, unpack and read them back from the segment at once. What is kept here is only
//! to spare that: a segment that is not found is read from where it is stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use envora_domain::activities::Activity;
use envora_domain::id::SegmentId;

/// The most canonical bytes of rows that are kept for a tenant, about 60,000 rows. In memory they are
/// three to four times as long.
pub(crate) const FRESH_BYTES_MAX: usize = 16 << 20;

/// The rows of a segment that is about to be stored.
pub(crate) struct FreshRows {
    pub(crate) segment: SegmentId,
    /// How long the canonical rows are.
    pub(crate) bytes: usize,
    pub(crate) rows: Vec<Activity>,
}

/// The rows of segments that wait to be calculated.
#[derive(Default)]
pub struct Fresh {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bytes: usize,
    segments: HashMap<SegmentId, (usize, Vec<Activity>)>,
}

impl Fresh {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps rows, as far as there is room: who waits longest is wanted first, so what is held stays.
    /// Called before the commit that makes them rows at all, so that who learns of it finds them.
    pub(crate) fn keep(&self, rows: Vec<FreshRows>) {
        let mut held = self.lock();
        for FreshRows { segment, bytes, rows } in rows {
            if held.bytes + bytes <= FRESH_BYTES_MAX {
                held.bytes += bytes;
                held.segments.insert(segment, (bytes, rows));
            }
        }
    }

    /// Takes the rows of a segment, if they are there and are so many.
    pub(crate) fn take(&self, segment: SegmentId, count: u32) -> Option<Vec<Activity>> {
        let mut held = self.lock();
        let (bytes, rows) = held.segments.remove(&segment)?;
        held.bytes -= bytes;
        (u32::try_from(rows.len()) == Ok(count)).then_some(rows)
    }

    /// Forgets the rows of segments that did not come to be.
    pub(crate) fn forget(&self, segments: &[SegmentId]) {
        for segment in segments {
            self.take(*segment, 0);
        }
    }

    /// How many segments are held.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.lock().segments.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(number: u8, bytes: usize) -> FreshRows {
        FreshRows { segment: SegmentId::from_bytes([number; 16]), bytes, rows: Vec::new() }
    }

    #[test]
    fn rows_are_given_once_and_what_has_no_room_is_not_kept() {
        let fresh = Fresh::default();
        fresh.keep(vec![rows(1, FRESH_BYTES_MAX - 1), rows(2, 2), rows(3, 1)]);
        let take = |number: u8| fresh.take(SegmentId::from_bytes([number; 16]), 0).is_some();
        assert_eq!([take(1), take(1), take(2), take(3)], [true, false, false, true]);
        fresh.keep(vec![rows(4, FRESH_BYTES_MAX)]);
        fresh.forget(&[SegmentId::from_bytes([4; 16])]);
        fresh.keep(vec![rows(5, FRESH_BYTES_MAX)]);
        assert!(take(5), "what was forgotten has left its room");
    }
}
