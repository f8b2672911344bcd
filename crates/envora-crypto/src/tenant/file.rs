//! `keyring.json`: the wrapped keys of a tenant, as text.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::unhex;
use envora_domain::id::{KeyId, TenantId};
use envora_domain::ports::Disk;
use serde::{Deserialize, Serialize};

use super::RING;
use crate::aad::Purpose;
use crate::provider::KeyError;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keyring {
    v: u32,
    pub(super) tenant: String,
    pub(super) region: String,
    /// The last is current.
    pub(super) keks: Vec<KekRow>,
    pub(super) deks: Vec<DekRow>,
    /// The last is current.
    pub(super) signing: Vec<SigningRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KekRow {
    id: String,
    pub(super) master_version: u32,
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DekRow {
    id: String,
    purpose: String,
    pub(super) version: u32,
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningRow {
    id: String,
    sealed: String,
}

fn key_id(text: &str) -> Option<KeyId> {
    KeyId::from_slice(&unhex(text)?)
}

impl KekRow {
    pub(super) fn new(id: KeyId, master_version: u32, wrapped: &[u8]) -> Self {
        Self { id: id.hex(), master_version, wrapped: STANDARD.encode(wrapped) }
    }

    pub(super) fn id(&self) -> Option<KeyId> {
        key_id(&self.id)
    }

    pub(super) fn wrapped(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.wrapped).ok()
    }
}

impl DekRow {
    pub(super) fn new(id: KeyId, purpose: Purpose, version: u32, wrapped: &[u8]) -> Self {
        let purpose = purpose.as_str().to_owned();
        Self { id: id.hex(), purpose, version, wrapped: STANDARD.encode(wrapped) }
    }

    pub(super) fn parts(&self) -> Option<(KeyId, Purpose, Vec<u8>)> {
        let wrapped = STANDARD.decode(&self.wrapped).ok()?;
        Some((key_id(&self.id)?, Purpose::parse(&self.purpose)?, wrapped))
    }
}

impl SigningRow {
    pub(super) fn new(id: KeyId, sealed: &[u8]) -> Self {
        Self { id: id.hex(), sealed: STANDARD.encode(sealed) }
    }

    pub(super) fn parts(&self) -> Option<(KeyId, Vec<u8>)> {
        Some((key_id(&self.id)?, STANDARD.decode(&self.sealed).ok()?))
    }
}

impl Keyring {
    pub(super) fn new(tenant: TenantId, region: &str) -> Self {
        Self {
            v: 1,
            tenant: tenant.hex(),
            region: region.to_owned(),
            keks: Vec::new(),
            deks: Vec::new(),
            signing: Vec::new(),
        }
    }

    pub(super) fn read(disk: &dyn Disk, path: &Path) -> Result<Self, KeyError> {
        let bytes =
            disk.read(path).map_err(|error| KeyError::reading(error, KeyError::NotFound))?;
        let ring: Self = serde_json::from_slice(&bytes).map_err(|_| KeyError::Damaged(RING))?;
        if ring.v == 1 { Ok(ring) } else { Err(KeyError::Damaged(RING)) }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, KeyError> {
        serde_json::to_vec_pretty(self).map_err(|_| KeyError::Damaged(RING))
    }
}
