//! Claims: which external ids are stored, and which a running request is about to store.
//!
//! A table in memory from a keyed 64-bit fingerprint to places in segments. A match is a question,
//! never an answer: the stored row decides. What a request claims is pending until its commit, firm
//! after it, and gone when it fails; so the retry of a failed request is never a duplicate of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use envora_domain::id::SegmentId;

/// A keyed fingerprint. Zero stands for no id and is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint that a keyed hash begins with.
    pub(super) fn of(hash: &[u8; 32]) -> Self {
        let head = hash.first_chunk::<8>().map_or(0, |head| u64::from_be_bytes(*head));
        Self(head.max(1))
    }

    /// As a segment's index keeps it.
    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// Where a stored row lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) segment: SegmentId,
    pub(super) row: u32,
}

#[derive(Default)]
struct Table {
    segments: Vec<SegmentId>,
    /// Segment by its place above, and row. Rows that share a fingerprint follow in `others`.
    firm: HashMap<Fingerprint, (u32, u32)>,
    others: HashMap<Fingerprint, Vec<(u32, u32)>>,
    pending: HashMap<Fingerprint, u64>,
    tickets: u64,
}

impl Table {
    fn spot(&self, (segment, row): (u32, u32)) -> Option<Spot> {
        let segment = *self.segments.get(usize::try_from(segment).ok()?)?;
        Some(Spot { segment, row })
    }

    fn spots(&self, fingerprint: Fingerprint) -> Vec<Spot> {
        let Some(first) = self.firm.get(&fingerprint) else { return Vec::new() };
        let others = self.others.get(&fingerprint).into_iter().flatten();
        core::iter::once(first).chain(others).filter_map(|place| self.spot(*place)).collect()
    }

    fn put(&mut self, fingerprint: Fingerprint, place: (u32, u32)) {
        match self.firm.entry(fingerprint) {
            Entry::Vacant(free) => {
                free.insert(place);
            }
            Entry::Occupied(_) => self.others.entry(fingerprint).or_default().push(place),
        }
    }

    fn add(&mut self, segment: SegmentId, fingerprints: &[u8]) {
        let number = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        self.segments.push(segment);
        for (row, bytes) in fingerprints.chunks_exact(8).enumerate() {
            let value = bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            if value != 0 {
                self.put(Fingerprint(value), (number, u32::try_from(row).unwrap_or(u32::MAX)));
            }
        }
    }
}

/// The table, shared by all requests of a tenant.
#[derive(Default)]
pub(super) struct Claims {
    table: Mutex<Table>,
    changed: Condvar,
}

/// What one request claims, until it is settled or dropped.
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    ticket: u64,
    /// What may be stored already under each fingerprint asked for, in that order.
    pub(super) found: Vec<Vec<Spot>>,
}

impl Claims {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the fingerprints of a stored segment, eight bytes a row.
    pub(super) fn load(&self, segment: SegmentId, fingerprints: &[u8]) {
        self.lock().add(segment, fingerprints);
    }

    /// Claims all of these at once, waiting while another request holds any of them: nobody waits
    /// while holding, so nobody waits for ever.
    pub(super) fn claim(&self, wanted: &[Fingerprint]) -> Claim<'_> {
        let mut table = self.lock();
        while wanted.iter().any(|fingerprint| table.pending.contains_key(fingerprint)) {
            table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        table.tickets += 1;
        let ticket = table.tickets;
        for fingerprint in wanted {
            table.pending.insert(*fingerprint, ticket);
        }
        let found = wanted.iter().map(|fingerprint| table.spots(*fingerprint)).collect();
        Claim { claims: self, ticket, found }
    }
}

impl Claim<'_> {
    /// Makes the stored segments' ids firm: called after the commit, before the answer.
    pub(super) fn settle(self, stored: &[(SegmentId, Vec<u8>)]) {
        let mut table = self.claims.lock();
        for (segment, fingerprints) in stored {
            table.add(*segment, fingerprints);
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.lock().pending.retain(|_, ticket| *ticket != self.ticket);
        self.claims.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(byte: u8) -> Fingerprint {
        Fingerprint::of(&[byte; 32])
    }

    fn segment(byte: u8) -> SegmentId {
        SegmentId::from_bytes([byte; 16])
    }

    #[test]
    fn a_claim_is_firm_only_after_the_commit() {
        let claims = Claims::default();
        let claim = claims.claim(&[print(1)]);
        assert_eq!(claim.found, [Vec::new()]);
        drop(claim);
        assert_eq!(claims.claim(&[print(1)]).found, [Vec::new()], "a failed request left nothing");
        claims.claim(&[print(1)]).settle(&[(segment(7), print(1).bytes().to_vec())]);
        let found = claims.claim(&[print(2), print(1)]).found.clone();
        assert_eq!(found, [Vec::new(), vec![Spot { segment: segment(7), row: 0 }]]);
    }

    #[test]
    fn rows_that_share_a_fingerprint_are_all_asked() {
        let claims = Claims::default();
        let blob = [print(1).bytes(), [0; 8], print(1).bytes()].concat();
        claims.load(segment(1), &blob);
        claims.load(segment(2), &print(1).bytes());
        let found = claims.claim(&[print(1)]).found.clone();
        let spots =
            [(1, 0), (1, 2), (2, 0)].map(|(byte, row)| Spot { segment: segment(byte), row });
        assert_eq!(found, [spots.to_vec()]);
    }

    #[test]
    fn another_request_waits_for_the_pending_one() {
        let claims = Claims::default();
        let first = claims.claim(&[print(1)]);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| claims.claim(&[print(2), print(1)]).found.clone());
            first.settle(&[(segment(3), print(1).bytes().to_vec())]);
            let found = second.join().expect("the thread ends");
            assert_eq!(found[1], [Spot { segment: segment(3), row: 0 }]);
        });
    }
}
