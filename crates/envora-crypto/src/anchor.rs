//! The anchor: how far the tenant's log had come, kept apart from the database.
//!
//! A database that is older than its anchor was rolled back or restored from an old copy, and is not
//! served as if nothing had happened. The anchor never runs ahead of a durable commit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::Digest;
use serde::{Deserialize, Serialize};

use crate::key::DataKey;

/// The state of a log when the anchor was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Which database file: raised when one is restored on purpose.
    pub generation: u64,
    /// How many leaves the log had.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u32,
    generation: u64,
    size: u64,
    root: String,
    mac: String,
}

impl Anchor {
    /// The anchor of an empty log.
    #[must_use]
    pub fn start() -> Self {
        Self { generation: 1, size: 0, root: Digest::of(&[]) }
    }

    fn mac(&self, key: &DataKey) -> String {
        let parts: [&[u8]; 4] = [
            b"envora/anchor/1",
            &self.generation.to_be_bytes(),
            &self.size.to_be_bytes(),
            &self.root.0,
        ];
        STANDARD.encode(key.mac(&parts))
    }

    /// The file's bytes.
    pub(crate) fn encode(&self, key: &DataKey) -> Vec<u8> {
        let written = Written {
            v: 1,
            generation: self.generation,
            size: self.size,
            root: self.root.hex(),
            mac: self.mac(key),
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// The anchor of a file, or `None` when it was not written under this key.
    pub(crate) fn decode(bytes: &[u8], key: &DataKey) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let anchor = Self {
            generation: written.generation,
            size: written.size,
            root: Digest::parse_hex(&written.root)?,
        };
        (written.v == 1 && anchor.mac(key) == written.mac).then_some(anchor)
    }
}
