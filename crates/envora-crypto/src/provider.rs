//! The port behind which a tenant's master key (CMK) lives: the local keyring here, a cloud's key
//! service or a security module elsewhere.
//!
//! The master key itself never comes out. What it wraps is bound to a context, always: a wrapped key
//! of one tenant, purpose or id does not unwrap as another's.

use std::io;

use envora_domain::id::{KeyId, TenantId};
use envora_domain::time::Timestamp;

use crate::aad::Aad;
use crate::envelope::OpenError;
use crate::key::DataKey;

/// A master key, as far as anyone may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey {
    /// Its id.
    pub id: KeyId,
    /// Its version; goes into the context of what it wraps.
    pub version: u32,
    /// Where it was born.
    pub region: String,
    /// Whether it still wraps and unwraps.
    pub state: MasterState,
}

/// Whether a master key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterState {
    /// It can.
    Enabled,
    /// It is gone for good.
    Destroyed {
        /// Since when.
        at: Timestamp,
    },
}

/// Wraps and unwraps keys under a tenant's master key. The context names the tenant.
///
/// What it wraps is an envelope or the provider's own form; callers treat it as opaque bytes. Calls
/// are short or fail; the caller holds no lock over them.
pub trait KeyProvider: Send + Sync {
    /// Makes the master key of a tenant that has none, durably.
    ///
    /// # Errors
    /// [`KeyError::Exists`], also for a tenant whose key was destroyed; else as the provider says.
    fn create(&self, tenant: TenantId, region: &str, now: Timestamp)
    -> Result<MasterKey, KeyError>;

    /// Wraps a key, bound to this context.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::Destroyed`], or as the provider says.
    fn wrap(&self, key: &DataKey, context: &Aad) -> Result<Vec<u8>, KeyError>;

    /// Unwraps a key that was wrapped with exactly this context.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] for another context or changed bytes, [`KeyError::NotFound`],
    /// [`KeyError::Destroyed`], or as the provider says.
    fn unwrap(&self, wrapped: &[u8], context: &Aad) -> Result<DataKey, KeyError>;

    /// What may be known of the tenant's master key.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], or as the provider says.
    fn describe(&self, tenant: TenantId) -> Result<MasterKey, KeyError>;

    /// Destroys the tenant's master key for good; repeating it changes nothing.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], or as the provider says.
    fn destroy(&self, tenant: TenantId, now: Timestamp) -> Result<(), KeyError>;
}

/// Why a key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such key.
    #[error("there is no such key")]
    NotFound,
    /// There is one already.
    #[error("there is a key already")]
    Exists,
    /// It was destroyed, for good.
    #[error("the key was destroyed")]
    Destroyed,
    /// The passphrase is not the one that the keys were sealed with.
    #[error("the passphrase is not the one that the keys are sealed with")]
    WrongPassphrase,
    /// The keys are sealed with a passphrase and none was given.
    #[error("the keys are sealed with a passphrase: give it")]
    PassphraseMissing,
    /// This build cannot open keys that are sealed so.
    #[error("this build does not seal keys by {0}: use file or passphrase")]
    Unsupported(&'static str),
    /// A key is sealed with another key or context, or was changed.
    #[error("a wrapped key does not open: {0}")]
    Sealed(#[from] OpenError),
    /// A key file is not what this program writes.
    #[error("the key file {0} is damaged")]
    Damaged(&'static str),
    /// A key file is gone.
    #[error("the key file {0} is not there")]
    Gone(&'static str),
    /// A key file is whole, and another tenant's.
    #[error("the key file {0} belongs to another tenant")]
    OtherTenant(&'static str),
    /// The disk says no.
    #[error("the key files cannot be reached: {0}")]
    Io(#[from] io::Error),
}

impl KeyError {
    /// The disk's error, a missing file told as `missing`.
    pub(crate) fn reading(error: io::Error, missing: Self) -> Self {
        if error.kind() == io::ErrorKind::NotFound { missing } else { Self::Io(error) }
    }
}
