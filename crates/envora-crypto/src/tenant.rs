//! The keys of one tenant: opened once, held in memory, wiped when dropped.
//!
//! On disk they are wrapped, in `keyring.json` of the tenant's key folder: the KEK under the master
//! key, the data keys under the KEK, the signing key sealed under the signing data key. Beside it lie
//! the anchor and the destruction journal.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use envora_domain::hash::Digest;
use envora_domain::id::{KeyId, RunId, SegmentId, TenantId};
use envora_domain::ports::{Disk, Entropy, replace_durably};
use envora_domain::time::Timestamp;
use zeroize::Zeroizing;

use crate::aad::{Aad, Purpose};
use crate::anchor::Anchor;
use crate::envelope::{self, OpenError};
use crate::journal::{self, Destruction};
use crate::key::{DataKey, MacKey};
use crate::provider::{KeyError, KeyProvider};

mod file;
use file::{DekRow, KekRow, Keyring, SigningRow};

const ANCHOR: &str = "anchor";
const RING: &str = "keyring.json";

/// Where keys lie and what it takes to open them. One per process, shared by all tenants.
#[derive(Clone)]
pub struct KeyStore {
    /// The keys folder of this machine (`keys/`); each tenant has a folder of its own below.
    pub keys: PathBuf,
    /// Writes and syncs.
    pub disk: Arc<dyn Disk>,
    /// Wraps and unwraps under the master keys.
    pub provider: Arc<dyn KeyProvider>,
    /// Makes keys and salts.
    pub entropy: Arc<dyn Entropy>,
}

impl KeyStore {
    fn folder(&self, tenant: TenantId) -> PathBuf {
        self.keys.join(tenant.hex())
    }
}

/// What is sealed: which key serves it and what it is called in the additional data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which data key.
    pub purpose: Purpose,
    /// What sort of object.
    pub object_type: &'static str,
    /// Which one, lower-case hex.
    pub id: String,
    /// Which column, or empty.
    pub column: &'static str,
}

impl Object {
    const fn new(purpose: Purpose, object_type: &'static str, id: String) -> Self {
        Self { purpose, object_type, id, column: "" }
    }

    /// A segment's canonical rows.
    #[must_use]
    pub fn segment(segment: SegmentId) -> Self {
        Self::new(Purpose::Segment, "segment", segment.hex())
    }

    /// A source file, named by the SHA-256 of its bytes as received.
    #[must_use]
    pub fn source_file(digest: &Digest) -> Self {
        Self::new(Purpose::Segment, "source_file", digest.hex())
    }

    /// A calculation block of a run, named by the seq of the segment or of the change behind it.
    #[must_use]
    pub fn calc_block(run: RunId, seq: u64) -> Self {
        Self::new(Purpose::Segment, "calc_block", format!("{}{seq:016x}", run.hex()))
    }

    /// Rows of one segment that were decided anew in a run, named by the seqs of the change behind it
    /// and of the segment.
    #[must_use]
    pub fn calc_delta(run: RunId, seq: u64, segment: u64) -> Self {
        let id = format!("{}{seq:016x}{segment:016x}", run.hex());
        Self::new(Purpose::Segment, "calc_delta", id)
    }

    /// A stored answer, named by the hash of its idempotency key.
    #[must_use]
    pub fn idempotency(key_hash: &Digest) -> Self {
        Self::new(Purpose::Db, "idempotency", key_hash.hex())
    }

    /// A customer's secret, such as a session or a credential, in this column of its row.
    #[must_use]
    pub const fn secret(object_type: &'static str, id: String, column: &'static str) -> Self {
        Self { purpose: Purpose::Secret, object_type, id, column }
    }
}

struct Dek {
    id: KeyId,
    purpose: Purpose,
    version: u32,
    key: DataKey,
}

struct Signing {
    id: KeyId,
    pair: Ed25519KeyPair,
}

/// The opened keys of one tenant.
pub struct TenantKeys {
    store: KeyStore,
    tenant: TenantId,
    region: String,
    /// Sorted by purpose and version; the last of a purpose is current.
    deks: Vec<Dek>,
    /// The last is current.
    signing: Vec<Signing>,
    /// Held while the anchor's file is replaced: two writers at once would mix their staging files.
    anchoring: Mutex<()>,
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKeys({})", self.tenant)
    }
}

/// Makes keyed fingerprints of values of one field: [`TenantKeys::fingerprint`].
pub struct Fingerprinter<'f> {
    key: MacKey,
    field: &'f str,
}

impl Fingerprinter<'_> {
    /// The fingerprint of a value.
    #[must_use]
    pub fn of(&self, value: &[u8]) -> [u8; 32] {
        self.key.mac(&[self.field.as_bytes(), value])
    }
}

impl TenantKeys {
    /// Makes all keys of a new tenant, durably: master key, KEK, a data key per purpose, a signing key.
    ///
    /// # Errors
    /// [`KeyError::Exists`], or what provider and disk say.
    pub fn create(
        store: KeyStore,
        tenant: TenantId,
        region: &str,
        now: Timestamp,
    ) -> Result<Self, KeyError> {
        let master = store.provider.create(tenant, region, now)?;
        let entropy = &*store.entropy;
        let kek_id = KeyId::new(now, entropy);
        let kek = DataKey::generate(entropy);
        let kek_aad = kek_aad(tenant, region, kek_id, master.version);
        let mut ring = Keyring::new(tenant, region);
        ring.keks.push(KekRow::new(kek_id, master.version, &store.provider.wrap(&kek, &kek_aad)?));
        let mut deks = Vec::new();
        for purpose in Purpose::ALL {
            let dek = Dek {
                id: KeyId::new(now, entropy),
                purpose: *purpose,
                version: 1,
                key: DataKey::generate(entropy),
            };
            let aad = dek_aad(tenant, region, &dek);
            let wrapped = envelope::seal(&kek, &aad, dek.key.expose(), entropy);
            ring.deks.push(DekRow::new(dek.id, *purpose, dek.version, &wrapped));
            deks.push(dek);
        }
        let mut keys = Self {
            store,
            tenant,
            region: region.to_owned(),
            deks,
            signing: Vec::new(),
            anchoring: Mutex::new(()),
        };
        let seed = DataKey::generate(&*keys.store.entropy);
        let signing = Signing { id: KeyId::new(now, &*keys.store.entropy), pair: pair(&seed)? };
        let object = signing_object(signing.id);
        ring.signing.push(SigningRow::new(signing.id, &keys.seal(&object, seed.expose())));
        keys.signing.push(signing);
        let folder = keys.store.folder(tenant);
        keys.write_anchor(&Anchor::start())?;
        replace_durably(&*keys.store.disk, &folder.join(RING), &ring.encode()?)?;
        Ok(keys)
    }

    /// Opens the keys of a tenant. What the destruction journal names stays closed, even when a backup
    /// has brought it back.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::Destroyed`], [`KeyError::Sealed`], or what provider and
    /// disk say.
    pub fn open(store: KeyStore, tenant: TenantId) -> Result<Self, KeyError> {
        let folder = store.folder(tenant);
        let ring = Keyring::read(&*store.disk, &folder.join(RING))?;
        if ring.tenant != tenant.hex() {
            return Err(KeyError::OtherTenant(RING));
        }
        let destroyed = journal::read(&*store.disk, &folder)?;
        let gone = |id: KeyId| destroyed.iter().any(|line| line.key == id);
        let region = ring.region.clone();
        let lost = if destroyed.is_empty() { KeyError::Damaged(RING) } else { KeyError::Destroyed };
        let row = ring.keks.last().ok_or(lost)?;
        let kek_id = row.id().filter(|id| !gone(*id)).ok_or(KeyError::Destroyed)?;
        let wrapped = row.wrapped().ok_or(KeyError::Damaged(RING))?;
        let aad = kek_aad(tenant, &region, kek_id, row.master_version);
        let kek = store.provider.unwrap(&wrapped, &aad)?;
        let mut deks = Vec::new();
        for row in &ring.deks {
            let (id, purpose, wrapped) = row.parts().ok_or(KeyError::Damaged(RING))?;
            if gone(id) {
                continue;
            }
            let key = DataKey::from_bytes([0; 32]);
            let mut dek = Dek { id, purpose, version: row.version, key };
            let plain = envelope::open(&kek, &dek_aad(tenant, &region, &dek), &wrapped)?;
            let key = DataKey::from_slice(&Zeroizing::new(plain));
            dek.key = key.ok_or(KeyError::Damaged(RING))?;
            deks.push(dek);
        }
        deks.sort_by_key(|dek| (dek.purpose, dek.version));
        if Purpose::ALL.iter().any(|want| !deks.iter().any(|dek| dek.purpose == *want)) {
            return Err(KeyError::Destroyed);
        }
        let mut keys =
            Self { store, tenant, region, deks, signing: Vec::new(), anchoring: Mutex::new(()) };
        for row in &ring.signing {
            let (id, sealed) = row.parts().ok_or(KeyError::Damaged(RING))?;
            let seed = Zeroizing::new(keys.open_object(&signing_object(id), &sealed)?);
            let seed = DataKey::from_slice(&seed).ok_or(KeyError::Damaged(RING))?;
            keys.signing.push(Signing { id, pair: pair(&seed)? });
        }
        if keys.signing.is_empty() { Err(KeyError::Damaged(RING)) } else { Ok(keys) }
    }

    /// Whose keys they are.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Where they were born.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The current data key of this purpose and its version.
    #[must_use]
    pub fn dek(&self, purpose: Purpose) -> (&DataKey, u32) {
        let current = self.deks.iter().rev().find(|dek| dek.purpose == purpose);
        let current = current.expect("opened keys hold one of each purpose");
        (&current.key, current.version)
    }

    /// The data key of this purpose and version: old ones still read.
    #[must_use]
    pub fn dek_of(&self, purpose: Purpose, version: u32) -> Option<&DataKey> {
        let named = |dek: &&Dek| dek.purpose == purpose && dek.version == version;
        self.deks.iter().find(named).map(|dek| &dek.key)
    }

    fn aad(&self, object: &Object, key_version: u32) -> Aad {
        Aad {
            tenant: self.tenant,
            region: self.region.clone(),
            purpose: object.purpose,
            object_type: object.object_type.to_owned(),
            object_id: object.id.clone(),
            column: object.column.to_owned(),
            key_version,
        }
    }

    /// Seals an object under the current key of its purpose.
    #[must_use]
    pub fn seal(&self, object: &Object, plain: &[u8]) -> Vec<u8> {
        let (key, version) = self.dek(object.purpose);
        envelope::seal(key, &self.aad(object, version), plain, &*self.store.entropy)
    }

    /// Opens an object with the key version that its envelope names.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::OtherKeyVersion`] when these keys hold no such version.
    pub fn open_object(&self, object: &Object, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let sealed_with = envelope::key_version(sealed)?;
        let key = self
            .dek_of(object.purpose, sealed_with)
            .ok_or(OpenError::OtherKeyVersion { sealed_with })?;
        envelope::open(key, &self.aad(object, sealed_with), sealed)
    }

    /// The database key as the 64 hex characters that `PRAGMA key = "x'…'"` takes.
    #[must_use]
    pub fn db_key_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(envora_domain::hash::hex(self.dek(Purpose::Db).0.expose()))
    }

    /// A keyed fingerprint of a value of this field: finds equal values, tells nothing to whom the key
    /// is not open.
    #[must_use]
    pub fn fingerprint(&self, field: &str, value: &[u8]) -> [u8; 32] {
        self.fingerprinter(field).of(value)
    }

    /// What makes many fingerprints of values of this field.
    #[must_use]
    pub fn fingerprinter<'f>(&self, field: &'f str) -> Fingerprinter<'f> {
        Fingerprinter { key: self.dek(Purpose::Index).0.mac_key(), field }
    }

    fn signer(&self) -> &Signing {
        self.signing.last().expect("opened keys hold a signing key")
    }

    /// Signs with the current Ed25519 key. The same bytes give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.signer().pair.sign(message).as_ref());
        signature
    }

    /// The public half of the current signing key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        public(self.signer())
    }

    /// The public halves of all signing keys there were, oldest first: old checkpoints need them.
    #[must_use]
    pub fn public_all(&self) -> Vec<(KeyId, [u8; 32])> {
        self.signing.iter().map(|signing| (signing.id, public(signing))).collect()
    }

    /// How far the tenant's log had come when last written down.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] when the anchor was changed, [`KeyError::Gone`], [`KeyError::Io`].
    pub fn read_anchor(&self) -> Result<Anchor, KeyError> {
        let path = self.store.folder(self.tenant).join(ANCHOR);
        let bytes = self
            .store
            .disk
            .read(&path)
            .map_err(|error| KeyError::reading(error, KeyError::Gone(ANCHOR)))?;
        Anchor::decode(&bytes, self.dek(Purpose::Index).0).ok_or(KeyError::Damaged(ANCHOR))
    }

    /// The anchor in another copy of this tenant's key folder, or `None` when that has none that was
    /// written under these keys.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn read_anchor_of(&self, folder: &Path) -> Result<Option<Anchor>, KeyError> {
        match self.store.disk.read(&folder.join(ANCHOR)) {
            Ok(bytes) => Ok(Anchor::decode(&bytes, self.dek(Purpose::Index).0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the anchor down, durably. To be called after the commit that it describes.
    ///
    /// # Errors
    /// [`KeyError::Io`]: the caller stops acknowledging.
    pub fn write_anchor(&self, anchor: &Anchor) -> Result<(), KeyError> {
        let path = self.store.folder(self.tenant).join(ANCHOR);
        let bytes = anchor.encode(self.dek(Purpose::Index).0);
        let _held = self.anchoring.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(replace_durably(&*self.store.disk, &path, &bytes)?)
    }

    /// Destroys all keys of this purpose: what they sealed is gone, in every copy. Journal first, then
    /// the wrapped keys; a crash between the two changes nothing, since [`Self::open`] reads the journal.
    ///
    /// # Errors
    /// [`KeyError::Damaged`], [`KeyError::Io`].
    pub fn destroy(&self, purpose: Purpose, now: Timestamp) -> Result<Vec<KeyId>, KeyError> {
        let folder = self.store.folder(self.tenant);
        let mut ring = Keyring::read(&*self.store.disk, &folder.join(RING))?;
        let ids: Vec<KeyId> =
            self.deks.iter().filter(|dek| dek.purpose == purpose).map(|dek| dek.id).collect();
        for id in &ids {
            journal::record(&*self.store.disk, &folder, Destruction { key: *id, at: now })?;
        }
        ring.deks.retain(|row| row.parts().is_none_or(|(id, ..)| !ids.contains(&id)));
        replace_durably(&*self.store.disk, &folder.join(RING), &ring.encode()?)?;
        Ok(ids)
    }
}

/// Removes from a key folder every wrapped data key that its journal names, durably: what a backup
/// brought back is destroyed again. The master key of a destroyed tenant is emptied by its provider.
///
/// # Errors
/// [`KeyError`].
pub fn replay_journal(disk: &dyn Disk, folder: &Path) -> Result<(), KeyError> {
    let destroyed = journal::read(disk, folder)?;
    if destroyed.is_empty() {
        return Ok(());
    }
    let mut ring = Keyring::read(disk, &folder.join(RING))?;
    let gone = |id: KeyId| destroyed.iter().any(|line| line.key == id);
    ring.deks.retain(|row| row.parts().is_none_or(|(id, ..)| !gone(id)));
    ring.keks.retain(|row| row.id().is_none_or(|id| !gone(id)));
    Ok(replace_durably(disk, &folder.join(RING), &ring.encode()?)?)
}

fn public(signing: &Signing) -> [u8; 32] {
    let mut public = [0; 32];
    public.copy_from_slice(signing.pair.public_key().as_ref());
    public
}

fn pair(seed: &DataKey) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| KeyError::Damaged(RING))
}

fn signing_object(id: KeyId) -> Object {
    Object::new(Purpose::Signing, "ed25519", id.hex())
}

fn kek_aad(tenant: TenantId, region: &str, id: KeyId, key_version: u32) -> Aad {
    Aad {
        tenant,
        region: region.to_owned(),
        purpose: Purpose::Db,
        object_type: "kek".to_owned(),
        object_id: id.hex(),
        column: String::new(),
        key_version,
    }
}

/// The wrap of a data key: sealed by the KEK, of which there is version 1.
fn dek_aad(tenant: TenantId, region: &str, dek: &Dek) -> Aad {
    Aad {
        tenant,
        region: region.to_owned(),
        purpose: dek.purpose,
        object_type: "dek".to_owned(),
        object_id: dek.id.hex(),
        column: String::new(),
        key_version: 1,
    }
}
