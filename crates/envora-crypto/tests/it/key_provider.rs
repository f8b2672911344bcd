//! The contract of a key provider. Each provider runs the whole suite; one that is not there counts
//! as skipped, never as passed.

use std::path::PathBuf;
use std::sync::Arc;

use envora_crypto::aad::{Aad, Purpose, REGION_LOCAL};
use envora_crypto::key::DataKey;
use envora_crypto::keyring::LocalKeyring;
use envora_crypto::provider::{KeyError, KeyProvider, MasterState};
use envora_crypto::seal::{Method, Seal};
use envora_domain::id::TenantId;
use envora_domain::ports::Disk;
use envora_domain::time::Timestamp;
use envora_testkit::disk::MemoryDisk;
use envora_testkit::entropy::SeededEntropy;

fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number; 16])
}

fn context(tenant: TenantId) -> Aad {
    Aad {
        tenant,
        region: REGION_LOCAL.to_owned(),
        purpose: Purpose::Db,
        object_type: "kek".to_owned(),
        object_id: "0a".repeat(16),
        column: String::new(),
        key_version: 1,
    }
}

const NOW: Timestamp = Timestamp::from_micros(1_650_000_000_000_000);

fn suite(provider: &dyn KeyProvider) {
    let (ours, theirs) = (tenant(1), tenant(2));
    let key = DataKey::from_bytes([0x77; 32]);
    assert!(matches!(provider.describe(ours), Err(KeyError::NotFound)));
    assert!(matches!(provider.wrap(&key, &context(ours)), Err(KeyError::NotFound)));

    let made = provider.create(ours, REGION_LOCAL, NOW).unwrap();
    provider.create(theirs, REGION_LOCAL, NOW).unwrap();
    assert!(matches!(provider.create(ours, REGION_LOCAL, NOW), Err(KeyError::Exists)));
    assert_eq!(made.state, MasterState::Enabled);
    assert_eq!(provider.describe(ours).unwrap(), made);

    let wrapped = provider.wrap(&key, &context(ours)).unwrap();
    assert!(!wrapped.windows(8).any(|part| part == [0x77; 8]), "the key is not in the clear");
    let back = provider.unwrap(&wrapped, &context(ours)).unwrap();
    assert_eq!(back.expose(), key.expose());
    let again = provider.wrap(&key, &context(ours)).unwrap();
    assert_ne!(wrapped, again, "a wrap tells nothing of its key");

    let others = [
        context(theirs),
        Aad { purpose: Purpose::Segment, ..context(ours) },
        Aad { object_id: "0b".repeat(16), ..context(ours) },
        Aad { region: "elsewhere".to_owned(), ..context(ours) },
    ];
    for other in others {
        assert!(matches!(provider.unwrap(&wrapped, &other), Err(KeyError::Sealed(_))));
    }
    for place in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        if let Some(byte) = changed.get_mut(place) {
            *byte ^= 0x20;
        }
        assert!(provider.unwrap(&changed, &context(ours)).is_err(), "byte {place}");
    }
    assert!(provider.unwrap(&[], &context(ours)).is_err());

    provider.destroy(ours, NOW).unwrap();
    provider.destroy(ours, NOW).unwrap();
    assert_eq!(provider.describe(ours).unwrap().state, MasterState::Destroyed { at: NOW });
    assert!(matches!(provider.unwrap(&wrapped, &context(ours)), Err(KeyError::Destroyed)));
    assert!(matches!(provider.wrap(&key, &context(ours)), Err(KeyError::Destroyed)));
    assert!(matches!(provider.create(ours, REGION_LOCAL, NOW), Err(KeyError::Exists)));
    let wrapped = provider.wrap(&key, &context(theirs)).unwrap();
    assert!(provider.unwrap(&wrapped, &context(theirs)).is_ok(), "others go on");
}

pub(crate) fn keyring(disk: &Arc<MemoryDisk>) -> LocalKeyring {
    let entropy = Arc::new(SeededEntropy::new(11));
    let path = PathBuf::from("keys/seal");
    let seal = if disk.read(&path).is_ok() {
        Seal::open(&**disk, &path, None).unwrap()
    } else {
        Seal::create(&**disk, &path, &Method::File, &*entropy).unwrap()
    };
    let disk: Arc<dyn Disk> = disk.clone();
    LocalKeyring::new(PathBuf::from("keys"), disk, entropy, seal)
}

#[test]
fn the_local_keyring_keeps_the_contract() {
    suite(&keyring(&Arc::new(MemoryDisk::default())));
}

#[test]
fn a_restored_backup_does_not_bring_a_destroyed_key_back() {
    let disk = Arc::new(MemoryDisk::default());
    let provider = keyring(&disk);
    provider.create(tenant(1), REGION_LOCAL, NOW).unwrap();
    let wrapped = provider.wrap(&DataKey::from_bytes([3; 32]), &context(tenant(1))).unwrap();
    let file = PathBuf::from("keys").join(tenant(1).hex()).join("cmk");
    let backup = disk.read(&file).unwrap();
    provider.destroy(tenant(1), NOW).unwrap();
    disk.remove(&file).unwrap();
    disk.create(&file, &backup).unwrap();
    let refused = provider.unwrap(&wrapped, &context(tenant(1)));
    assert!(matches!(refused, Err(KeyError::Destroyed)));
}

#[test]
fn master_keys_survive_a_power_cut_right_after_they_were_made() {
    let disk = Arc::new(MemoryDisk::default());
    let provider = keyring(&disk);
    let made = provider.create(tenant(1), REGION_LOCAL, NOW).unwrap();
    disk.crash();
    assert_eq!(keyring(&disk).describe(tenant(1)).unwrap(), made);
}

#[test]
fn another_seal_opens_nothing() {
    let disk = Arc::new(MemoryDisk::default());
    keyring(&disk).create(tenant(1), REGION_LOCAL, NOW).unwrap();
    disk.remove(&PathBuf::from("keys/seal")).unwrap();
    let entropy = SeededEntropy::new(99);
    Seal::create(&*disk, &PathBuf::from("keys/seal"), &Method::File, &entropy).unwrap();
    assert!(matches!(keyring(&disk).describe(tenant(1)), Err(KeyError::Sealed(_))));
}
