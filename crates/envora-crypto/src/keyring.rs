//! The local keyring: a random master key per tenant, in a file sealed by this machine's seal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::unhex;
use envora_domain::id::{KeyId, TenantId};
use envora_domain::ports::{Disk, Entropy, replace_durably};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aad::{Aad, Purpose};
use crate::envelope;
use crate::journal::{self, Destruction};
use crate::key::DataKey;
use crate::provider::{KeyError, KeyProvider, MasterKey, MasterState};
use crate::seal::Seal;

const FILE: &str = "cmk";

/// Master keys in files, below the keys folder of this machine.
pub struct LocalKeyring {
    keys: PathBuf,
    disk: Arc<dyn Disk>,
    entropy: Arc<dyn Entropy>,
    seal: Seal,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CmkFile {
    v: u32,
    id: String,
    version: u32,
    region: String,
    sealed: String,
}

struct Cmk {
    about: MasterKey,
    /// None once destroyed.
    key: Option<DataKey>,
}

impl LocalKeyring {
    /// The keyring below this folder (`keys/`), opened by the seal.
    #[must_use]
    pub fn new(keys: PathBuf, disk: Arc<dyn Disk>, entropy: Arc<dyn Entropy>, seal: Seal) -> Self {
        Self { keys, disk, entropy, seal }
    }

    fn folder(&self, tenant: TenantId) -> PathBuf {
        self.keys.join(tenant.hex())
    }

    fn load(&self, tenant: TenantId) -> Result<Cmk, KeyError> {
        let folder = self.folder(tenant);
        let destroyed = journal::read(&*self.disk, &folder)?;
        let bytes = self
            .disk
            .read(&folder.join(FILE))
            .map_err(|error| KeyError::reading(error, KeyError::NotFound))?;
        let file: CmkFile = serde_json::from_slice(&bytes).map_err(|_| KeyError::Damaged(FILE))?;
        let id = unhex(&file.id).and_then(|id| KeyId::from_slice(&id));
        let id = id.filter(|_| file.v == 1).ok_or(KeyError::Damaged(FILE))?;
        let (version, region) = (file.version, file.region);
        if let Some(gone) = destroyed.iter().find(|line| line.key == id) {
            let state = MasterState::Destroyed { at: gone.at };
            return Ok(Cmk { about: MasterKey { id, version, region, state }, key: None });
        }
        let sealed = STANDARD.decode(&file.sealed).map_err(|_| KeyError::Damaged(FILE))?;
        let key = envelope::open(self.seal.master(), &cmk_aad(tenant, id, &region), &sealed)?;
        let key = DataKey::from_slice(&zeroize::Zeroizing::new(key));
        let key = Some(key.ok_or(KeyError::Damaged(FILE))?);
        let state = MasterState::Enabled;
        Ok(Cmk { about: MasterKey { id, version, region, state }, key })
    }

    fn usable(&self, tenant: TenantId) -> Result<DataKey, KeyError> {
        self.load(tenant)?.key.ok_or(KeyError::Destroyed)
    }

    fn write(&self, folder: &Path, file: &CmkFile) -> Result<(), KeyError> {
        let text = serde_json::to_vec_pretty(file).map_err(|_| KeyError::Damaged(FILE))?;
        Ok(replace_durably(&*self.disk, &folder.join(FILE), &text)?)
    }
}

fn cmk_aad(tenant: TenantId, id: KeyId, region: &str) -> Aad {
    Aad {
        tenant,
        region: region.to_owned(),
        purpose: Purpose::Secret,
        object_type: "cmk".to_owned(),
        object_id: id.hex(),
        column: String::new(),
        key_version: 1,
    }
}

impl KeyProvider for LocalKeyring {
    fn create(
        &self,
        tenant: TenantId,
        region: &str,
        now: Timestamp,
    ) -> Result<MasterKey, KeyError> {
        let folder = self.folder(tenant);
        if self.disk.read(&folder.join(FILE)).is_ok() {
            return Err(KeyError::Exists);
        }
        self.disk.create_dir(&folder)?;
        self.disk.sync_dir(&self.keys)?;
        let id = KeyId::new(now, &*self.entropy);
        let key = DataKey::generate(&*self.entropy);
        let aad = cmk_aad(tenant, id, region);
        let sealed = envelope::seal(self.seal.master(), &aad, key.expose(), &*self.entropy);
        let file = CmkFile {
            v: 1,
            id: id.hex(),
            version: 1,
            region: region.to_owned(),
            sealed: STANDARD.encode(sealed),
        };
        self.write(&folder, &file)?;
        Ok(MasterKey { id, version: 1, region: file.region, state: MasterState::Enabled })
    }

    fn wrap(&self, key: &DataKey, context: &Aad) -> Result<Vec<u8>, KeyError> {
        let master = self.usable(context.tenant)?;
        Ok(envelope::seal(&master, context, key.expose(), &*self.entropy))
    }

    fn unwrap(&self, wrapped: &[u8], context: &Aad) -> Result<DataKey, KeyError> {
        let master = self.usable(context.tenant)?;
        let key = zeroize::Zeroizing::new(envelope::open(&master, context, wrapped)?);
        DataKey::from_slice(&key).ok_or(KeyError::Damaged(FILE))
    }

    fn describe(&self, tenant: TenantId) -> Result<MasterKey, KeyError> {
        Ok(self.load(tenant)?.about)
    }

    fn destroy(&self, tenant: TenantId, now: Timestamp) -> Result<(), KeyError> {
        let folder = self.folder(tenant);
        let MasterKey { id, version, region, .. } = self.load(tenant)?.about;
        journal::record(&*self.disk, &folder, Destruction { key: id, at: now })?;
        // What stays says that there was a key; the key itself is overwritten with nothing.
        self.write(&folder, &CmkFile { v: 1, id: id.hex(), version, region, sealed: String::new() })
    }
}
