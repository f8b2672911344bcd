//! A tenant's keys from creation to destruction.

use std::path::PathBuf;
use std::sync::Arc;

use envora_crypto::aad::{Purpose, REGION_LOCAL};
use envora_crypto::anchor::Anchor;
use envora_crypto::envelope::OpenError;
use envora_crypto::provider::{KeyError, KeyProvider};
use envora_crypto::tenant::{KeyStore, Object, TenantKeys, replay_journal};
use envora_domain::hash::Digest;
use envora_domain::id::{RunId, SegmentId, TenantId};
use envora_domain::ports::Disk;
use envora_domain::time::Timestamp;
use envora_testkit::disk::MemoryDisk;
use envora_testkit::entropy::SeededEntropy;

use crate::key_provider::keyring;

const NOW: Timestamp = Timestamp::from_micros(1_650_000_000_000_000);

fn tenant() -> TenantId {
    TenantId::from_bytes([1; 16])
}

fn store(disk: &Arc<MemoryDisk>) -> KeyStore {
    KeyStore {
        keys: PathBuf::from("keys"),
        disk: disk.clone(),
        provider: Arc::new(keyring(disk)),
        entropy: Arc::new(SeededEntropy::new(23)),
    }
}

fn created() -> (Arc<MemoryDisk>, TenantKeys) {
    let disk = Arc::new(MemoryDisk::default());
    let keys = TenantKeys::create(store(&disk), tenant(), REGION_LOCAL, NOW).unwrap();
    (disk, keys)
}

fn file(name: &str) -> PathBuf {
    PathBuf::from("keys").join(tenant().hex()).join(name)
}

#[test]
fn keys_open_as_they_were_made_even_after_a_power_cut() {
    let (disk, made) = created();
    let segment = Object::segment(SegmentId::from_bytes([9; 16]));
    let sealed = made.seal(&segment, b"rows");
    disk.crash();
    let opened = TenantKeys::open(store(&disk), tenant()).unwrap();
    assert_eq!(opened.open_object(&segment, &sealed), Ok(b"rows".to_vec()));
    assert_eq!(*opened.db_key_hex(), *made.db_key_hex());
    assert_eq!(opened.db_key_hex().len(), 64);
    assert_eq!(opened.public(), made.public());
    assert_eq!(opened.sign(b"note"), made.sign(b"note"));
    assert_eq!(opened.fingerprint("id", b"x"), made.fingerprint("id", b"x"));
    for purpose in Purpose::ALL {
        assert_eq!(opened.dek(*purpose).0.expose(), made.dek(*purpose).0.expose());
    }
    assert!(matches!(
        TenantKeys::create(store(&disk), tenant(), REGION_LOCAL, NOW),
        Err(KeyError::Exists)
    ));
}

#[test]
fn each_purpose_has_a_key_of_its_own() {
    let (_, keys) = created();
    let mut seen: Vec<[u8; 32]> = Purpose::ALL.iter().map(|p| *keys.dek(*p).0.expose()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), Purpose::ALL.len());
    assert_ne!(keys.fingerprint("a", b"x"), keys.fingerprint("b", b"x"));
}

#[test]
fn objects_are_not_mistaken_for_one_another() {
    let (_, keys) = created();
    let digest = Digest::of(b"file");
    let run = RunId::from_bytes([4; 16]);
    let objects = [
        Object::segment(SegmentId::from_bytes([9; 16])),
        Object::segment(SegmentId::from_bytes([8; 16])),
        Object::source_file(&digest),
        Object::idempotency(&digest),
        Object::calc_block(run, 1),
        Object::calc_block(run, 2),
        Object::calc_delta(run, 2, 1),
        Object::calc_delta(run, 1, 2),
        Object::secret("session", "0a".repeat(16), "token"),
        Object::secret("session", "0a".repeat(16), ""),
    ];
    for (place, object) in objects.iter().enumerate() {
        let sealed = keys.seal(object, b"x");
        for (other_place, other) in objects.iter().enumerate() {
            let opened = keys.open_object(other, &sealed);
            assert_eq!(opened.is_ok(), place == other_place, "{object:?} as {other:?}");
        }
    }
}

#[test]
fn a_signature_is_the_one_of_rfc_8032() {
    let (_, keys) = created();
    let public =
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, keys.public());
    assert!(public.verify(b"note", &keys.sign(b"note")).is_ok());
    assert!(public.verify(b"note.", &keys.sign(b"note")).is_err());
    assert_eq!(keys.public_all().last().map(|(_, public)| *public), Some(keys.public()));
}

#[test]
fn the_anchor_is_kept_and_a_changed_one_refused() {
    let (disk, keys) = created();
    assert_eq!(keys.read_anchor().unwrap(), Anchor::start());
    let anchor = Anchor { generation: 1, size: 42, root: Digest([7; 32]) };
    keys.write_anchor(&anchor).unwrap();
    disk.crash();
    assert_eq!(keys.read_anchor().unwrap(), anchor);

    let path = file("anchor");
    let text = String::from_utf8(disk.read(&path).unwrap()).unwrap();
    disk.remove(&path).unwrap();
    disk.create(&path, text.replace("42", "41").as_bytes()).unwrap();
    assert!(matches!(keys.read_anchor(), Err(KeyError::Damaged("anchor"))));
    disk.remove(&path).unwrap();
    assert!(matches!(keys.read_anchor(), Err(KeyError::Gone("anchor"))));
}

#[test]
fn a_destroyed_master_key_closes_the_tenant() {
    let (disk, _) = created();
    let provider = keyring(&disk);
    provider.destroy(tenant(), NOW).unwrap();
    let refused = TenantKeys::open(store(&disk), tenant());
    assert!(matches!(refused, Err(KeyError::Destroyed)), "{refused:?}");
}

#[test]
fn a_restored_keyring_does_not_bring_destroyed_keys_back() {
    let (disk, keys) = created();
    let backup = disk.read(&file("keyring.json")).unwrap();
    let gone = keys.destroy(Purpose::Evidence, NOW).unwrap();
    assert_eq!(gone.len(), 1);
    let refused = TenantKeys::open(store(&disk), tenant());
    assert!(matches!(refused, Err(KeyError::Destroyed)), "{refused:?}");
    disk.remove(&file("keyring.json")).unwrap();
    disk.create(&file("keyring.json"), &backup).unwrap();
    let refused = TenantKeys::open(store(&disk), tenant());
    assert!(matches!(refused, Err(KeyError::Destroyed)), "{refused:?}");
    // Played back, the journal takes the wrapped bytes away as well.
    let wrapped = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches("\"evidence\"").count();
    let folder = file("keyring.json").parent().unwrap().to_owned();
    assert_eq!(wrapped(&backup), 1);
    replay_journal(&*disk, &folder).unwrap();
    assert_eq!(wrapped(&disk.read(&file("keyring.json")).unwrap()), 0);
    let refused = TenantKeys::open(store(&disk), tenant());
    assert!(matches!(refused, Err(KeyError::Destroyed)), "{refused:?}");
}

#[test]
fn a_flipped_bit_in_the_keyring_is_refused_and_never_panics() {
    let (disk, _) = created();
    let path = file("keyring.json");
    let good = disk.read(&path).unwrap();
    for place in (0..good.len()).step_by(41) {
        let mut bad = good.clone();
        if let Some(byte) = bad.get_mut(place) {
            *byte ^= 4;
        }
        disk.remove(&path).unwrap();
        disk.create(&path, &bad).unwrap();
        if let Ok(keys) = TenantKeys::open(store(&disk), tenant()) {
            // White space may change without harm.
            assert_eq!(good.get(place).map(u8::is_ascii_whitespace), Some(true), "byte {place}");
            drop(keys);
        }
    }
}

#[test]
fn nothing_prints_a_key() {
    let (disk, keys) = created();
    let printed = format!("{keys:?}");
    assert_eq!(printed, format!("TenantKeys({})", tenant()));
    for path in disk.paths() {
        let bytes = disk.read(&path).unwrap();
        for purpose in Purpose::ALL {
            let key = keys.dek(*purpose).0;
            assert!(!bytes.windows(32).any(|part| part == key.expose()), "{}", path.display());
        }
    }
}

#[test]
fn an_unknown_key_version_is_named() {
    let (_, keys) = created();
    let object = Object::secret("session", "0a".repeat(16), "token");
    let mut sealed = keys.seal(&object, b"x");
    if let Some(byte) = sealed.get_mut(8) {
        *byte = 9;
    }
    let refused = keys.open_object(&object, &sealed);
    assert_eq!(refused, Err(OpenError::OtherKeyVersion { sealed_with: 9 }));
}
