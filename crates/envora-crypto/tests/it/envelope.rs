//! Envelopes under attack: what was changed, cut, moved or belongs elsewhere does not open.

use envora_crypto::aad::{Aad, Purpose, REGION_LOCAL};
use envora_crypto::envelope::{FRAME_BYTES, HEADER_BYTES, OpenError, open, seal};
use envora_crypto::key::DataKey;
use envora_domain::id::TenantId;
use envora_testkit::entropy::SeededEntropy;
use proptest::prelude::*;

const TAG: usize = 16;

fn aad() -> Aad {
    Aad {
        tenant: TenantId::from_bytes([1; 16]),
        region: REGION_LOCAL.to_owned(),
        purpose: Purpose::Secret,
        object_type: "credential".to_owned(),
        object_id: "ab".repeat(16),
        column: "token".to_owned(),
        key_version: 1,
    }
}

fn key() -> DataKey {
    DataKey::from_bytes([0x5a; 32])
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    seal(&key(), &aad(), plain, &SeededEntropy::new(7))
}

#[test]
fn bytes_of_any_length_survive() {
    for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES] {
        let plain = vec![0xc3; length];
        let frames = length.div_ceil(FRAME_BYTES).max(1);
        let sealed = sealed(&plain);
        assert_eq!(sealed.len(), HEADER_BYTES + length + frames * TAG);
        assert_eq!(open(&key(), &aad(), &sealed), Ok(plain), "{length} bytes");
    }
}

#[test]
fn the_same_bytes_never_seal_alike() {
    let entropy = SeededEntropy::new(7);
    let twice = [(); 2].map(|()| seal(&key(), &aad(), b"same", &entropy));
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn each_field_binds() {
    let sealed = sealed(b"secret");
    let others = [
        Aad { tenant: TenantId::from_bytes([2; 16]), ..aad() },
        Aad { region: "eu-central:1".to_owned(), ..aad() },
        Aad { purpose: Purpose::Session, ..aad() },
        Aad { object_type: "session".to_owned(), ..aad() },
        Aad { object_id: "cd".repeat(16), ..aad() },
        Aad { column: String::new(), ..aad() },
        Aad { object_type: "credentialab".to_owned(), object_id: "ab".repeat(15), ..aad() },
    ];
    for other in others {
        assert_eq!(open(&key(), &other, &sealed), Err(OpenError::OtherKeyOrFields), "{other:?}");
    }
    let later = Aad { key_version: 2, ..aad() };
    let refused = open(&key(), &later, &sealed);
    assert_eq!(refused, Err(OpenError::OtherKeyVersion { sealed_with: 1 }));
    let stranger = DataKey::from_bytes([0x5b; 32]);
    assert_eq!(open(&stranger, &aad(), &sealed), Err(OpenError::OtherKeyOrFields));
}

#[test]
fn every_flipped_bit_is_seen() {
    let good = sealed(b"a short secret");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        if let Some(byte) = bad.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        assert!(open(&key(), &aad(), &bad).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_is_seen() {
    let good = sealed(b"a short secret");
    for length in 0..good.len() {
        assert!(open(&key(), &aad(), &good[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn frames_keep_their_places() {
    let step = FRAME_BYTES + TAG;
    let good = sealed(&vec![9; 2 * FRAME_BYTES + 100]);
    let (header, frames) = good.split_at(HEADER_BYTES);
    let frame = |number: usize| &frames[number * step..frames.len().min((number + 1) * step)];
    let join = |parts: &[&[u8]]| [header, &parts.concat()].concat();
    assert!(open(&key(), &aad(), &join(&[frame(0), frame(1), frame(2)])).is_ok());
    let cases = [
        ("swapped", join(&[frame(1), frame(0), frame(2)]), 0),
        ("doubled", join(&[frame(0), frame(0), frame(2)]), 1),
        ("the last dropped", join(&[frame(0), frame(1)]), 1),
        ("the middle dropped", join(&[frame(0), frame(2)]), 1),
        ("the first dropped", join(&[frame(1), frame(2)]), 0),
        ("an empty one added", join(&[frame(0), frame(1), frame(2), &[0; TAG]]), 2),
    ];
    for (what, bad, frame) in cases {
        assert_eq!(open(&key(), &aad(), &bad), Err(OpenError::Damaged { frame }), "{what}");
    }
}

#[test]
fn what_is_no_envelope_is_told_apart() {
    assert_eq!(open(&key(), &aad(), b""), Err(OpenError::NotAnEnvelope));
    assert_eq!(open(&key(), &aad(), b"PK\x03\x04"), Err(OpenError::NotAnEnvelope));
    let mut later = sealed(b"x");
    later[4] = 2;
    assert_eq!(open(&key(), &aad(), &later), Err(OpenError::UnknownSuite));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&key(), &aad(), &bytes).is_err());
        let framed = [b"EVE1\x01\x00\x00\x00\x01".as_slice(), &bytes].concat();
        prop_assert!(open(&key(), &aad(), &framed).is_err());
    }
}
