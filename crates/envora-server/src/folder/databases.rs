//! Where the tenants' databases are: an encrypted file in each tenant's folder, or a database each on
//! a `PostgreSQL` server.

use anyhow::Context as _;
use envora_crypto::tenant::TenantKeys;
use envora_domain::id::TenantId;
use envora_store::engine::address::Address;
use envora_store::engine::{DbKey, Engine};

use crate::folder::settings::Settings;
use crate::folder::{FolderError, Places};

/// What `envora.toml` says of the databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Databases {
    /// `SQLite` with `SQLCipher`: `tenants/<hex>/tenant.db`, under the tenant's key.
    #[default]
    Files,
    /// One database per tenant on this server; the address's own is where they are made from.
    Server(Address),
}

/// What a tenant's database on a server is called.
#[must_use]
pub fn name_of(tenant: TenantId) -> String {
    format!("envora_{}", tenant.hex())
}

impl Databases {
    /// As the folder's settings have it.
    ///
    /// # Errors
    /// [`FolderError::Unreadable`].
    pub fn of(places: &Places) -> Result<Self, FolderError> {
        Ok(Settings::read(&places.settings())?.databases)
    }

    /// Asks the server, where there is one: it answers, lets us in, and keeps what it acknowledges.
    ///
    /// # Errors
    /// [`FolderError::Server`].
    pub fn check(&self) -> Result<(), FolderError> {
        match self {
            Self::Files => Ok(()),
            Self::Server(address) => address.probe().map(drop).map_err(FolderError::Server),
        }
    }

    /// Makes what a new tenant's database needs before it can be filled: on a server, the database.
    ///
    /// # Errors
    /// [`FolderError::Server`].
    pub fn make_room(&self, tenant: TenantId) -> Result<(), FolderError> {
        match self {
            Self::Files => Ok(()),
            Self::Server(address) => {
                address.create_database(&name_of(tenant)).map_err(FolderError::Server)
            }
        }
    }

    /// The engine of a tenant's database.
    ///
    /// # Errors
    /// The tenant's key is not one of a database.
    pub fn engine(&self, places: &Places, keys: &TenantKeys) -> Result<Engine, FolderError> {
        let tenant = keys.tenant();
        Ok(match self {
            Self::Files => Engine::Sqlite {
                path: places.database(tenant),
                key: DbKey::from_hex(&keys.db_key_hex()).context("make the database's key")?,
            },
            Self::Server(address) => {
                Engine::Postgres { address: address.database(&name_of(tenant)) }
            }
        })
    }
}
