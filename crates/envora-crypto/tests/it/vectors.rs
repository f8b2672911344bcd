//! Foreign vectors: HKDF by RFC 5869, the envelope by an implementation in another language, and the
//! page of `docs/formats/` that prints them.

use aws_lc_rs::hkdf;
use envora_crypto::aad::{Aad, Purpose, REGION_LOCAL};
use envora_crypto::envelope::{open, seal_with_salt};
use envora_crypto::key::DataKey;
use envora_domain::hash::{Digest, hex, unhex};
use envora_domain::id::TenantId;

/// Computed with Python's `cryptography`: HKDF, AESGCM and the rules of `docs/formats/envelope.md`.
const AAD: &str = "455641310002763100203031323334353637383961626364656630313233343536373839616263646566\
    000c6f6e7072656d3a6c6f63616c00077365676d656e7400077365676d656e740020303139323334353637383930376263\
    64386465663031323334353630303030300000000133";
const SMALL: &str = "455645310100000003808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fc493\
    fffacbffd360f088dd99ca6f3ceae1d1dbbf927885413386ffb919c0f1c11d70c7e7d6bcebe3ea63df9bbc3c05683eb1f0\
    e7e389e12d0b5c";
const EMPTY: &str = "455645310100000003808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fc493\
    fffacbffd360f088dd99ca6f3ceae1d1dbbf927885413386ffb919c0f1c170a1c496d3a16af14318f1e56920d5f1";
/// SHA-256 of the envelope of 2 MiB + 5 bytes: three frames.
const THREE_FRAMES: &str = "e7aafc03a87b62889cb6cc43e3e7b43b4e9de49a69b8aa45d4553c4441e916a5";
/// SHA-256 of the envelope of 2 MiB: two full frames and no empty third.
const TWO_FRAMES: &str = "e9f08c2c031497b41f531eb126bf868b9d30ac6d27b8aa25b4cd62b96d573bcf";

fn key() -> DataKey {
    DataKey::from_bytes(core::array::from_fn(|place| u8::try_from(place).unwrap()))
}

fn salt() -> [u8; 32] {
    core::array::from_fn(|place| 0x80 + u8::try_from(place).unwrap())
}

fn aad() -> Aad {
    let tenant = unhex("0123456789abcdef0123456789abcdef").unwrap();
    Aad {
        tenant: TenantId::from_slice(&tenant).unwrap(),
        region: REGION_LOCAL.to_owned(),
        purpose: Purpose::Segment,
        object_type: "segment".to_owned(),
        object_id: "0192345678907bcd8def012345600000".to_owned(),
        column: String::new(),
        key_version: 3,
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place * 31 + 7) % 251).unwrap()).collect()
}

#[test]
fn the_envelope_is_the_one_that_others_compute() {
    assert_eq!(hex(&aad().encode()), AAD);
    let sealed = |plain: &[u8]| seal_with_salt(&key(), &aad(), plain, &salt());
    assert_eq!(hex(&sealed(b"372.4 kW.h")), SMALL);
    assert_eq!(hex(&sealed(b"")), EMPTY);
    let mib = 1_048_576;
    assert_eq!(Digest::of(&sealed(&pattern(2 * mib + 5))).hex(), THREE_FRAMES);
    assert_eq!(Digest::of(&sealed(&pattern(2 * mib))).hex(), TWO_FRAMES);
    assert_eq!(open(&key(), &aad(), &unhex(SMALL).unwrap()), Ok(b"372.4 kW.h".to_vec()));
}

#[test]
fn the_page_prints_these_vectors() {
    let path = "../../docs/formats/envelope.md";
    let page: String = std::fs::read_to_string(path).unwrap().split_whitespace().collect();
    for vector in [AAD, SMALL, EMPTY, THREE_FRAMES, TWO_FRAMES] {
        assert!(page.contains(vector), "the page does not print {vector}");
    }
}

#[test]
fn hkdf_meets_rfc_5869() {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    // Test case 1 of appendix A.
    let salt = unhex("000102030405060708090a0b0c").unwrap();
    let info = unhex("f0f1f2f3f4f5f6f7f8f9").unwrap();
    let mut output = [0; 42];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &salt)
        .extract(&[0x0b; 22])
        .expand(&[&info], Length(42))
        .unwrap()
        .fill(&mut output)
        .unwrap();
    let want =
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(hex(&output), want);
}
