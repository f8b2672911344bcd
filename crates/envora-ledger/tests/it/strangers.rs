//! Bytes of strangers: whatever comes in, the readers answer and never panic.

use envora_domain::hash::Digest;
use envora_ledger::checkpoint::Checkpoint;
use envora_ledger::leaf::Leaf;
use envora_ledger::note::VerifierKey;
use envora_ledger::proof::{Growth, Inclusion, verify_consistency, verify_inclusion};
use envora_ledger::slice::{SegmentRow, SliceProof, verify_slice};
use proptest::prelude::*;

use crate::log::{Log, ORIGIN};

fn path() -> impl Strategy<Value = Vec<Digest>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(Digest), 0..70)
}

/// Sizes near each power of two and anywhere else, the largest included.
fn size() -> impl Strategy<Value = u64> {
    let near = (0_u32..64, 0_u64..3).prop_map(|(bits, off)| (1_u64 << bits).wrapping_sub(1) + off);
    prop_oneof![near, any::<u64>(), Just(u64::MAX), Just(0)]
}

proptest! {
    #[test]
    fn any_bytes_are_no_leaf_or_the_leaf_that_writes_them(
        bytes in prop::collection::vec(any::<u8>(), 0..80)
    ) {
        if let Ok(leaf) = Leaf::decode(&bytes) {
            prop_assert_eq!(leaf.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_leaf_is_another_leaf_or_none(place in 0_usize..60, to in any::<u8>()) {
        let good = crate::log::leaf(77).encode();
        let mut bytes = good.clone();
        let Some(byte) = bytes.get_mut(place) else { return Ok(()) };
        *byte = to;
        if let Ok(leaf) = Leaf::decode(&bytes) {
            prop_assert_eq!(&leaf.encode(), &bytes);
            prop_assert_eq!(bytes == good, leaf == crate::log::leaf(77));
        }
    }

    #[test]
    fn any_text_is_no_note_of_ours(text in "\\PC{0,40}(\n\\PC{0,40}){0,6}\n?") {
        prop_assert!(Checkpoint::open(&text, &[Log::of(1).key()]).is_err());
        let posing = format!("{ORIGIN}\n1\n{text}\n\n\u{2014} {ORIGIN} {text}\n");
        prop_assert!(Checkpoint::open(&posing, &[Log::of(1).key()]).is_err());
    }

    #[test]
    fn any_text_is_no_key_or_the_key_that_writes_it(text in "[a-z.]{0,9}[+]?[0-9a-f]{0,9}[+]?[A-Za-z0-9+/=]{0,50}") {
        if let Some(key) = VerifierKey::parse(&text) {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn any_path_is_no_proof(leaf in any::<[u8; 32]>(), index in size(), size in size(), path in path()) {
        let inclusion = Inclusion { leaf: Digest(leaf), index, size };
        let root = Digest([0; 32]);
        prop_assert!(verify_inclusion(&inclusion, &path, &root).is_err());
    }

    #[test]
    fn any_path_joins_no_logs(old_size in size(), new_size in size(), path in path()) {
        let roots = (Digest([1; 32]), Digest([2; 32]));
        let growth = Growth { old_size, old_root: roots.0, new_size, new_root: roots.1 };
        prop_assert!(verify_consistency(&growth, &path).is_err());
    }

    #[test]
    fn any_slice_proves_nothing(
        row in any::<u32>(),
        count in size(),
        (run, runs) in (size(), size()),
        rows in prop::collection::vec(any::<u8>(), 0..60),
        path in path(),
    ) {
        let asked = SegmentRow { row, count, root: Digest([3; 32]) };
        let slice = SliceProof { run, runs, rows, path };
        prop_assert!(verify_slice(&asked, &slice).is_err());
    }
}
