//! The seal: the one secret that opens the keyring of this machine, in `keys/seal`.
//!
//! Method `file` keeps it in the file itself: whoever reads the whole disk reads the data; it protects
//! a backup of the data folder that leaves the keys out. Method `passphrase` derives it with Argon2id.

use core::fmt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::ports::{Disk, Entropy, replace_durably};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::DataKey;
use crate::provider::KeyError;

const FILE: &str = "seal";
const CHECK: &[u8] = b"envora/seal-check/1";

/// What Argon2id costs for a new seal: 64 MiB, three passes.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// The most that a seal file may ask for: a changed file must not eat the machine.
const MEMORY_KIB_MAX: u32 = 1_048_576;
const PASSES_MAX: u32 = 64;

/// A passphrase, wiped when dropped and never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase that was typed, without the line's end.
    #[must_use]
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(***)")
    }
}

/// How the keyring is sealed.
#[derive(Clone, Debug)]
pub enum Method {
    /// By the file alone.
    File,
    /// By a passphrase.
    Passphrase(Passphrase),
    /// By a credential that the service manager hands over. Not in this build.
    Systemd,
    /// By a security module. Not in this build.
    Pkcs11,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealFile {
    v: u32,
    method: String,
    params: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stretch {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    check: String,
}

/// The opened seal.
#[derive(Clone, Debug)]
pub struct Seal {
    master: DataKey,
    method: &'static str,
}

impl Seal {
    /// Makes a new seal and writes its file durably.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Unsupported`], [`KeyError::Io`].
    pub fn create(
        disk: &dyn Disk,
        path: &Path,
        method: &Method,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        if disk.read(path).is_ok() {
            return Err(KeyError::Exists);
        }
        let (seal, params) = match method {
            Method::File => {
                let master = DataKey::generate(entropy);
                let key = STANDARD.encode(master.expose());
                (Self { master, method: "file" }, serde_json::to_value(Plain { key }))
            }
            Method::Passphrase(passphrase) => {
                let mut salt = [0; 16];
                entropy.fill(&mut salt);
                let mut stretch = Stretch {
                    salt: STANDARD.encode(salt),
                    memory_kib: MEMORY_KIB,
                    passes: PASSES,
                    lanes: LANES,
                    check: String::new(),
                };
                let master = stretch.derive(passphrase)?;
                stretch.check = STANDARD.encode(master.mac(&[CHECK]));
                (Self { master, method: "passphrase" }, serde_json::to_value(stretch))
            }
            Method::Systemd => return Err(KeyError::Unsupported("systemd")),
            Method::Pkcs11 => return Err(KeyError::Unsupported("pkcs11")),
        };
        let params = params.map_err(|_| KeyError::Damaged(FILE))?;
        let file = SealFile { v: 1, method: seal.method.to_owned(), params };
        let text = serde_json::to_vec_pretty(&file).map_err(|_| KeyError::Damaged(FILE))?;
        if let Some(folder) = path.parent() {
            disk.create_dir(folder)?;
        }
        replace_durably(disk, path, &Zeroizing::new(text))?;
        Ok(seal)
    }

    /// Opens the seal that the file describes.
    ///
    /// # Errors
    /// [`KeyError::PassphraseMissing`], [`KeyError::WrongPassphrase`], [`KeyError::Unsupported`],
    /// [`KeyError::Damaged`], [`KeyError::Io`].
    pub fn open(
        disk: &dyn Disk,
        path: &Path,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, KeyError> {
        let text = Zeroizing::new(disk.read(path)?);
        let file: SealFile = serde_json::from_slice(&text).map_err(|_| KeyError::Damaged(FILE))?;
        if file.v != 1 {
            return Err(KeyError::Damaged(FILE));
        }
        let damaged = |_| KeyError::Damaged(FILE);
        match file.method.as_str() {
            "file" => {
                let plain: Plain = serde_json::from_value(file.params).map_err(damaged)?;
                let key = Zeroizing::new(STANDARD.decode(plain.key).unwrap_or_default());
                let master = DataKey::from_slice(&key).ok_or(KeyError::Damaged(FILE))?;
                Ok(Self { master, method: "file" })
            }
            "passphrase" => {
                let stretch: Stretch = serde_json::from_value(file.params).map_err(damaged)?;
                let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?;
                let master = stretch.derive(passphrase)?;
                let check = STANDARD.decode(&stretch.check).unwrap_or_default();
                verify_slices_are_equal(&master.mac(&[CHECK]), &check)
                    .map_err(|_| KeyError::WrongPassphrase)?;
                Ok(Self { master, method: "passphrase" })
            }
            "systemd" => Err(KeyError::Unsupported("systemd")),
            "pkcs11" => Err(KeyError::Unsupported("pkcs11")),
            _ => Err(KeyError::Damaged(FILE)),
        }
    }

    /// `file` or `passphrase`: what `doctor` explains.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The key of this instance for one use, such as its directory database.
    #[must_use]
    pub fn instance_key(&self, label: &str) -> DataKey {
        DataKey::from_bytes(self.master.mac(&[b"envora/instance/1", label.as_bytes()]))
    }

    /// The key that seals master keys.
    pub(crate) const fn master(&self) -> &DataKey {
        &self.master
    }
}

impl Stretch {
    fn derive(&self, passphrase: &Passphrase) -> Result<DataKey, KeyError> {
        if self.memory_kib > MEMORY_KIB_MAX || self.passes > PASSES_MAX {
            return Err(KeyError::Damaged(FILE));
        }
        let salt = STANDARD.decode(&self.salt).map_err(|_| KeyError::Damaged(FILE))?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| KeyError::Damaged(FILE))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.as_bytes(), &salt, key.as_mut())
            .map_err(|_| KeyError::Damaged(FILE))?;
        Ok(DataKey::from_bytes(*key))
    }
}
