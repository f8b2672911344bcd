//! Claims: which external ids are stored, and which a running request is about to store.
//!
//! A table in memory from a keyed 64-bit fingerprint to places in segments. A match is a question,
//! never an answer: the stored row decides. What a request claims is pending until its commit, firm
//! after it, and gone when it fails; so the retry of a failed request is never a duplicate of it.

use core::hash::{BuildHasherDefault, Hasher};
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

    /// Reads back what a segment's index keeps; zero is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let value = bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        (value != 0).then_some(Self(value))
    }

    /// As a segment's index keeps it.
    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// A map by fingerprint. They are spread evenly, and by a key that no sender knows: they are their own
/// hash.
pub(super) type ByPrint<T> = HashMap<Fingerprint, T, BuildHasherDefault<AsIs>>;

/// The hasher that takes a number as it is.
#[derive(Clone, Copy, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Nothing but fingerprints is hashed; were anything else, equal things would still be equal.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Where a stored row lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) segment: SegmentId,
    pub(super) row: u32,
}

/// Who claims a fingerprint, and as which of its staged rows; [`NO_ROW`] while it is only claimed.
struct Pending {
    ticket: u32,
    row: u32,
}

const NO_ROW: u32 = u32::MAX;

/// About 20 bytes per stored row, and as much again per row of an import that is under way.
#[derive(Default)]
struct Table {
    segments: Vec<SegmentId>,
    /// Segment by its place above, and row. Rows that share a fingerprint follow in `others`.
    firm: ByPrint<(u32, u32)>,
    others: ByPrint<Vec<(u32, u32)>>,
    pending: ByPrint<Pending>,
    tickets: u32,
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
            if let Some(fingerprint) = Fingerprint::read(bytes) {
                self.put(fingerprint, (number, u32::try_from(row).unwrap_or(u32::MAX)));
            }
        }
    }
}

/// The table, shared by all requests of a tenant.
#[derive(Default)]
pub(super) struct Claims {
    table: Mutex<Table>,
    changed: Condvar,
    turn: Mutex<()>,
}

/// Leave to claim more while holding claims.
pub(super) struct Turn<'a> {
    _held: MutexGuard<'a, ()>,
}

/// Where rows may lie that have a fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Those that are stored.
    pub(super) stored: Vec<Spot>,
    /// Those that this claim has staged, by their numbers.
    pub(super) staged: Vec<u32>,
}

/// What one request claims, until it is settled or dropped.
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    ticket: u32,
    /// What was claimed at once; of more, the ticket tells what is this claim's.
    first: Vec<Fingerprint>,
    takes: u32,
    /// Staged rows whose fingerprint another staged row has.
    twins: ByPrint<Vec<u32>>,
}

impl Claims {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the fingerprints of a stored segment, eight bytes a row.
    pub(super) fn load(&self, segment: SegmentId, fingerprints: &[u8]) {
        self.lock().add(segment, fingerprints);
    }

    /// Where rows are stored that have these fingerprints; nothing is claimed.
    pub(super) fn stored(&self, wanted: &[Fingerprint]) -> Vec<Found> {
        let table = self.lock();
        let found = |print: &Fingerprint| Found { stored: table.spots(*print), staged: Vec::new() };
        wanted.iter().map(found).collect()
    }

    /// A claim on nothing yet.
    pub(super) fn begin(&self) -> Claim<'_> {
        let mut table = self.lock();
        table.tickets = table.tickets.wrapping_add(1);
        let (ticket, first, twins) = (table.tickets, Vec::new(), ByPrint::default());
        Claim { claims: self, ticket, first, takes: 0, twins }
    }

    /// Waits until nobody else has the turn. Whoever is to claim more than once has it before the
    /// first time: others wait only while they hold nothing, so nobody waits for ever.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn { _held: self.turn.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

impl Claim<'_> {
    /// Claims all of these at once, waiting while another request holds any of them; says what is
    /// there already under each, in their order.
    pub(super) fn take(&mut self, wanted: &[Fingerprint]) -> Vec<Found> {
        let mut table = self.claims.lock();
        let others = |table: &Table| {
            let mut held = wanted.iter().filter_map(|print| table.pending.get(print));
            held.any(|pending| pending.ticket != self.ticket)
        };
        while others(&table) {
            table = self.claims.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        self.takes += 1;
        if self.takes == 1 {
            self.first = wanted.to_vec();
        }
        let mut found = Vec::with_capacity(wanted.len());
        for fingerprint in wanted {
            let mut staged = self.twins.get(fingerprint).cloned().unwrap_or_default();
            match table.pending.entry(*fingerprint) {
                Entry::Vacant(free) => {
                    free.insert(Pending { ticket: self.ticket, row: NO_ROW });
                }
                Entry::Occupied(own) if own.get().row != NO_ROW => staged.push(own.get().row),
                Entry::Occupied(_) => {}
            }
            found.push(Found { stored: table.spots(*fingerprint), staged });
        }
        found
    }

    /// Notes under which numbers claimed rows are staged.
    pub(super) fn stage(&mut self, rows: impl Iterator<Item = (Fingerprint, u32)>) {
        let mut table = self.claims.lock();
        for (fingerprint, row) in rows {
            match table.pending.get_mut(&fingerprint) {
                Some(own) if own.row == NO_ROW => own.row = row,
                _ => self.twins.entry(fingerprint).or_default().push(row),
            }
        }
    }

    /// Makes the stored segments' ids firm: called after the commit, before the answer.
    pub(super) fn settle(mut self, stored: &[(SegmentId, Vec<u8>)]) {
        let mut table = self.claims.lock();
        // Nobody sees the table in between, and the room of the one serves the other.
        self.release(&mut table);
        for (segment, fingerprints) in stored {
            table.add(*segment, fingerprints);
        }
    }

    fn release(&mut self, table: &mut Table) {
        if self.takes > 1 {
            table.pending.retain(|_, pending| pending.ticket != self.ticket);
            table.pending.shrink_to_fit();
        } else {
            for fingerprint in self.first.drain(..) {
                table.pending.remove(&fingerprint);
            }
        }
        self.takes = 0;
        self.claims.changed.notify_all();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.takes > 0 {
            let mut table = self.claims.lock();
            self.release(&mut table);
        }
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

    fn claim<'a>(claims: &'a Claims, wanted: &[Fingerprint]) -> (Claim<'a>, Vec<Vec<Spot>>) {
        let mut claim = claims.begin();
        let found = claim.take(wanted).into_iter().map(|found| found.stored).collect();
        (claim, found)
    }

    #[test]
    fn a_claim_is_firm_only_after_the_commit() {
        let claims = Claims::default();
        let (first, found) = claim(&claims, &[print(1)]);
        assert_eq!(found, [Vec::new()]);
        drop(first);
        assert_eq!(claim(&claims, &[print(1)]).1, [Vec::new()], "a failed request left nothing");
        claim(&claims, &[print(1)]).0.settle(&[(segment(7), print(1).bytes().to_vec())]);
        let found = claim(&claims, &[print(2), print(1)]).1;
        assert_eq!(found, [Vec::new(), vec![Spot { segment: segment(7), row: 0 }]]);
    }

    #[test]
    fn rows_that_share_a_fingerprint_are_all_asked() {
        let claims = Claims::default();
        let blob = [print(1).bytes(), [0; 8], print(1).bytes()].concat();
        claims.load(segment(1), &blob);
        claims.load(segment(2), &print(1).bytes());
        let found = claim(&claims, &[print(1)]).1;
        let spots =
            [(1, 0), (1, 2), (2, 0)].map(|(byte, row)| Spot { segment: segment(byte), row });
        assert_eq!(found, [spots.to_vec()]);
    }

    #[test]
    fn another_request_waits_for_the_pending_one() {
        let claims = Claims::default();
        let (first, _) = claim(&claims, &[print(1)]);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| claim(&claims, &[print(2), print(1)]).1);
            first.settle(&[(segment(3), print(1).bytes().to_vec())]);
            let found = second.join().expect("the thread ends");
            assert_eq!(found[1], [Spot { segment: segment(3), row: 0 }]);
        });
    }

    #[test]
    fn a_claim_that_grows_finds_what_it_has_staged_and_leaves_nothing() {
        let claims = Claims::default();
        let _turn = claims.turn();
        let mut long = claims.begin();
        assert_eq!(long.take(&[print(1), print(2)]), [Found::default(), Found::default()]);
        // Two rows with one fingerprint, as two ids may have it.
        long.stage([(print(1), 0), (print(1), 1)].into_iter());
        let mut found = long.take(&[print(1), print(2)]);
        found.iter_mut().for_each(|found| found.staged.sort_unstable());
        assert_eq!(found[0].staged, [0, 1]);
        assert_eq!(found[1], Found::default(), "claimed, and no row of its own");
        drop(long);
        assert_eq!(claim(&claims, &[print(1)]).1, [Vec::new()]);
        assert!(claims.lock().pending.is_empty());
    }
}
