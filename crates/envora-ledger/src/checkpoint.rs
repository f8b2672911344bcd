//! Checkpoints of C2SP (`tlog-checkpoint`): the size and root of a log, in three lines, signed.
//!
//! No checkpoint is to be signed before the commit that it describes is durable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::Digest;
use envora_domain::id::TenantId;

use crate::note::{self, NoteError, VerifierKey};

/// The state of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the domain fixed at `init`, a slash, the tenant's id in hex.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// The origin of a tenant's log under this domain. Witnesses see it, so it holds no name.
#[must_use]
pub fn origin(domain: &str, tenant: TenantId) -> String {
    format!("{domain}/{}", tenant.hex())
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads exactly three lines; extension lines are refused.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let mut lines = body.strip_suffix('\n')?.split('\n');
            let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
            let parsed: u64 = size.parse().ok()?;
            let root = Digest::from_slice(&STANDARD.decode(root).ok()?)?;
            let plain = parsed.to_string() == size && !origin.is_empty() && lines.next().is_none();
            plain.then(|| Self { origin: origin.to_owned(), size: parsed, root })
        };
        read().ok_or(CheckpointError::Malformed)
    }

    /// The signed note of this checkpoint.
    #[must_use]
    pub fn sign(&self, key: &VerifierKey, signer: &dyn Fn(&[u8]) -> [u8; 64]) -> String {
        note::sign(&self.body(), key, signer)
    }

    /// The checkpoint of a note that one of these keys has signed. The key's name is the origin.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note::open(note, keys)?)?;
        if keys.iter().any(|key| key.name() == checkpoint.origin) {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::OtherOrigin)
        }
    }
}

/// Why a checkpoint is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the three lines of a checkpoint.
    #[error("this is not a checkpoint: origin, size, root, one line each")]
    Malformed,
    /// A known key has signed another log's checkpoint.
    #[error("the checkpoint is of another log than the key")]
    OtherOrigin,
}
