//! The data folder: made by `init`, opened by one process at a time, examined by `doctor`.
//!
//! ```text
//! envora.toml              the server's settings, and where the databases are
//! envora.lock              pid and epoch of the one process that has it open
//! instance/map.json        which host is which tenant
//! keys/seal, keys/<hex>/   what opens everything else; backed up apart
//! tenants/<hex>/           database (or it is on a server), segments, source files; hex = the
//!                          tenant's random id
//! ```

pub mod anchors;
pub mod backup;
pub mod copies;
pub mod databases;
pub mod doctor;
pub mod init;
pub mod lock;
pub mod open;
pub mod restore;
pub mod settings;

use std::path::{Path, PathBuf};

use envora_crypto::provider::KeyError;
use envora_domain::id::TenantId;
use envora_store::engine::OpenError;
use envora_store::readers::ReadError;

/// Where an embedded tenant's keys and data are born.
pub const REGION: &str = "onprem:local";

/// The places in a folder.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
    keys: PathBuf,
}

impl Places {
    /// The places below this folder.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), keys: root.join("keys") }
    }

    /// The same with the keys elsewhere: those of a backup lie apart.
    #[must_use]
    pub fn with_keys(self, keys: &Path) -> Self {
        Self { keys: keys.to_owned(), ..self }
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
        self.keys.clone()
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
    /// The server of the databases cannot be used.
    #[error("the databases of this folder cannot be had")]
    Server(#[source] OpenError),
    /// Nobody knows which host is which tenant.
    #[error("instance/map.json is not there, and tenants/ holds {tenants}")]
    NoMap {
        /// How many tenants there are.
        tenants: usize,
    },
    /// Another than this instance wrote which host is which tenant.
    #[error("instance/map.json is not as this instance wrote it: {why}")]
    ForeignMap {
        /// What is odd about it.
        why: String,
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
    /// The target of a backup or of a restore holds something.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// Two of the places of a backup lie in one another.
    #[error("{one} and {other} are not apart")]
    NotApart {
        /// One.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The databases are not files.
    #[error(
        "the databases of this folder are on a PostgreSQL server: a copy of its files is not all of it"
    )]
    OnServer,
    /// A backup does not hold what it should.
    #[error("the backup is not sound: {what}")]
    Unsound {
        /// Which file or what, and what is wrong with it.
        what: String,
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
    /// Whether another process has the folder, or a database of it.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. } | Self::Database { source: OpenError::Busy { .. }, .. })
    }

    /// Whether keys or a database are not the ones that belong there, are damaged or gone.
    #[must_use]
    pub fn is_amiss(&self) -> bool {
        let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        matches!(self, Self::Keys(KeyError::Io(error)) if gone(error))
            || matches!(
                self,
                Self::Keys(
                    KeyError::NotFound
                        | KeyError::Sealed(_)
                        | KeyError::Damaged(_)
                        | KeyError::Gone(_)
                        | KeyError::OtherTenant(_)
                ) | Self::Database {
                    source: OpenError::KeyUnavailable
                        | OpenError::DataIntegrity(_)
                        | OpenError::Plaintext
                        | OpenError::OtherTenant
                        | OpenError::Missing,
                    ..
                }
            )
    }

    /// Whether the server of the databases does not answer.
    #[must_use]
    pub const fn is_unanswered(&self) -> bool {
        matches!(
            self,
            Self::Database { source: OpenError::Unreachable { .. }, .. }
                | Self::Server(OpenError::Unreachable { .. })
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Exists(_) => "use it as it is, or name another folder with --data".to_owned(),
            Self::Missing(_) => "make one with `envora init`, or name another with --data".to_owned(),
            Self::InUse { pid } => format!("end process {pid} first; two processes on one folder would spoil it"),
            Self::Unfit { due, .. } => format!("write {due}"),
            Self::Keys(KeyError::PassphraseMissing) => "give the passphrase that the keys were sealed with".to_owned(),
            Self::Keys(KeyError::Destroyed) => {
                "they were destroyed on purpose, and no backup brings them back".to_owned()
            }
            Self::Keys(KeyError::Gone("anchor")) => {
                "put the anchor back from the newest backup of the keys folder: without it nobody can tell whether the database is an older copy".to_owned()
            }
            Self::Keys(KeyError::OtherTenant(_)) => {
                "the keys of another data folder stand in the place of this one's: put back the keys folder that belongs to this data".to_owned()
            }
            Self::Keys(_) => "restore the keys folder from its own backup; without it nothing opens".to_owned(),
            Self::Database { source: OpenError::KeyUnavailable, .. } => {
                "the keys folder belongs to another data folder, or the file's first bytes are damaged: restore both from backups of the same day".to_owned()
            }
            Self::Database { source: OpenError::UnknownSchema { .. }, .. } => "use the newer program that wrote it".to_owned(),
            Self::Database { source: OpenError::Busy { .. }, .. } => {
                "end that process first; two of them on one database would spoil its log".to_owned()
            }
            Self::Database { source: OpenError::Missing, .. } => {
                "name in envora.toml the engine and the server that the folder was made with, or restore the database from a backup".to_owned()
            }
            Self::Database { source, .. } | Self::Server(source) if remedy_of_server(source).is_some() => {
                remedy_of_server(source).unwrap_or_default().to_owned()
            }
            Self::Server(OpenError::AlreadyExists) => {
                "an `envora init` that was cut short left it: drop that database, then run it again".to_owned()
            }
            Self::Server(_) => "see the causes above; docs/how-to/run-on-postgresql.md says what the server needs".to_owned(),
            Self::NoMap { tenants: 0 } => {
                "making the folder was cut short: remove it and run `envora init` again".to_owned()
            }
            Self::NoMap { .. } => {
                "restore instance/map.json from a backup: it says which host leads to which tenant, and no data is lost".to_owned()
            }
            Self::ForeignMap { .. } => {
                "undo what was changed in it, or restore it from a backup: a host that leads to another tenant would show one organization's data under another's name; the keys folder must be the one that belongs to this data".to_owned()
            }
            Self::Database { .. } => RESTORE.to_owned(),
            Self::Unexpected(error) if is_damage(error) => RESTORE.to_owned(),
            Self::BehindAnchor { .. } => {
                "an older copy of the database stands in its place: put back the newest one, which holds what was acknowledged since; where there is none, `envora restore --accept-rollback` goes on from an older backup and writes down what was lost".to_owned()
            }
            Self::NotEmpty(_) => "name a folder that is empty or not there yet: nothing is overwritten".to_owned(),
            Self::NotApart { .. } => {
                "name folders of which none lies in another: who steals the data must not find the keys beside it".to_owned()
            }
            Self::OnServer => {
                "back up the databases with PostgreSQL's own means, and copy the folder while no process has it open; docs/how-to/run-on-postgresql.md".to_owned()
            }
            Self::Unsound { .. } => {
                "do not rely on it: take another backup, or restore from an older one; `envora doctor` examines the folder itself".to_owned()
            }
            Self::OtherHistory { .. } => "put back the database that belongs to these keys; this one has another past".to_owned(),
            Self::DamagedLog { .. } => "its database was changed from outside: restore it from a backup".to_owned(),
            Self::Unreadable { file: "envora.toml", .. } => {
                "correct that line of envora.toml: `envora config explain` lists what may stand there".to_owned()
            }
            Self::Unreadable { .. } => "restore the file from a backup".to_owned(),
            Self::Unexpected(_) => "keep a copy of the folder before anything else, then see to the cause that is named".to_owned(),
        }
    }
}

/// What to do about a database whose bytes are not what was written.
const RESTORE: &str = "restore the database from a backup: `envora restore` (docs/how-to/back-up-and-restore.md); of a damaged one nothing is served";

/// Whether reading met a damaged database.
#[must_use]
pub fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let read = cause.downcast_ref::<ReadError>();
        read.is_some_and(|read| matches!(read, ReadError::DataIntegrity(_)))
    })
}

/// What to do about a server of databases that cannot be used.
fn remedy_of_server(error: &OpenError) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are not the server's")]
    match error {
        OpenError::Unreachable { .. } => {
            Some("start PostgreSQL there, or correct store.url in envora.toml")
        }
        OpenError::Refused { .. } => Some(
            "correct user and password in store.url of envora.toml; the role needs LOGIN and, for `envora init`, CREATEDB",
        ),
        OpenError::Unsafe { .. } => {
            Some("set it so in postgresql.conf, and not otherwise for this role or database")
        }
        _ => None,
    }
}
