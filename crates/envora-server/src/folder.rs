//! The data folder: made by `init`, opened by one process at a time, examined by `doctor`.
//!
//! ```text
//! envora.toml              the server's settings
//! envora.lock              pid and epoch of the one process that has it open
//! instance/map.json        which host is which tenant
//! keys/seal, keys/<hex>/   what opens everything else; backed up apart
//! tenants/<hex>/           database, segments, source files; hex = the tenant's random id
//! ```

pub mod anchors;
pub mod doctor;
pub mod init;
pub mod lock;
pub mod open;
pub mod settings;

use std::path::{Path, PathBuf};

use envora_crypto::provider::KeyError;
use envora_domain::id::TenantId;
use envora_store::engine::OpenError;

/// Where an embedded tenant's keys and data are born.
pub const REGION: &str = "onprem:local";

/// The places in a folder.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// The places below this folder.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.root.join("envora.toml")
    }

    /// The lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("envora.lock")
    }

    /// The instance's own folder.
    #[must_use]
    pub fn instance(&self) -> PathBuf {
        self.root.join("instance")
    }

    /// The map of hosts.
    #[must_use]
    pub fn map(&self) -> PathBuf {
        self.instance().join("map.json")
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// What opens the keys.
    #[must_use]
    pub fn seal(&self) -> PathBuf {
        self.keys().join("seal")
    }

    /// All tenants.
    #[must_use]
    pub fn tenants(&self) -> PathBuf {
        self.root.join("tenants")
    }

    /// A tenant's folder.
    #[must_use]
    pub fn tenant(&self, tenant: TenantId) -> PathBuf {
        self.tenants().join(tenant.hex())
    }

    /// A tenant's database.
    #[must_use]
    pub fn database(&self, tenant: TenantId) -> PathBuf {
        self.tenant(tenant).join("tenant.db")
    }
}

/// Why a folder was not made or opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is one already.
    #[error("there is an Envora folder at {0} already")]
    Exists(PathBuf),
    /// There is none.
    #[error("there is no Envora folder at {0}")]
    Missing(PathBuf),
    /// Another process has it open.
    #[error("another process ({pid}) has the folder open")]
    InUse {
        /// Its id, as the lock file says.
        pid: u32,
    },
    /// What was to be made cannot be: the words are wrong.
    #[error("{what} cannot be {text:?}: {due}")]
    Unfit {
        /// Which word.
        what: &'static str,
        /// What it was.
        text: String,
        /// What it should be.
        due: &'static str,
    },
    /// The keys cannot be had.
    #[error("the keys cannot be opened")]
    Keys(#[source] KeyError),
    /// A tenant's database cannot be opened.
    #[error("the database of tenant {tenant} cannot be opened")]
    Database {
        /// Whose.
        tenant: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The database is older than its anchor.
    #[error(
        "the database of tenant {tenant} is older than its anchor: it holds {found} log entries, and {anchored} were there before"
    )]
    BehindAnchor {
        /// Whose.
        tenant: String,
        /// How many entries it has.
        found: u64,
        /// How many it had.
        anchored: u64,
    },
    /// The database's log is not the one that the anchor was taken of.
    #[error("the log of tenant {tenant} is not the one that its anchor was taken of")]
    OtherHistory {
        /// Whose.
        tenant: String,
    },
    /// The leaves of the log do not hash to the root that was written down beside them.
    #[error("the log of tenant {tenant} does not hash to its own root")]
    DamagedLog {
        /// Whose.
        tenant: String,
    },
    /// A file of the folder cannot be understood.
    #[error("{file} cannot be understood: {why}")]
    Unreadable {
        /// Which.
        file: &'static str,
        /// Why.
        why: String,
    },
    /// Anything else.
    #[error("the folder cannot be used")]
    Unexpected(#[from] anyhow::Error),
}

impl FolderError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Exists(_) => "use it as it is, or name another folder with --data".to_owned(),
            Self::Missing(_) => "make one with `envora init`, or name another with --data".to_owned(),
            Self::InUse { pid } => format!("end process {pid} first; two processes on one folder would spoil it"),
            Self::Unfit { due, .. } => format!("write {due}"),
            Self::Keys(KeyError::PassphraseMissing) => "give the passphrase that the keys were sealed with".to_owned(),
            Self::Keys(_) => "restore the keys folder from its own backup; without it nothing opens".to_owned(),
            Self::Database { source: OpenError::KeyUnavailable, .. } => {
                "the keys folder belongs to another data folder, or the file's first bytes are damaged: restore both from backups of the same day".to_owned()
            }
            Self::Database { source: OpenError::UnknownSchema { .. }, .. } => "use the newer program that wrote it".to_owned(),
            Self::Database { .. } => "run `envora doctor`, then restore the database from a backup".to_owned(),
            Self::BehindAnchor { .. } => {
                "an older copy of the database stands in its place: put back the newest one, which holds what was acknowledged since".to_owned()
            }
            Self::OtherHistory { .. } => "put back the database that belongs to these keys; this one has another past".to_owned(),
            Self::DamagedLog { .. } => "its database was changed from outside: restore it from a backup".to_owned(),
            Self::Unreadable { .. } => "restore the file from a backup".to_owned(),
            Self::Unexpected(_) => "see the causes above; `envora doctor` examines the folder".to_owned(),
        }
    }
}
