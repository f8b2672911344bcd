//! The destruction journal: which keys are gone for good.
//!
//! A backup of the key files brings destroyed keys back. So each destruction is written down first,
//! durably, and every opening of the keys plays the journal back before anything is served. Lines are
//! only ever added; a restore keeps the longer journal.

use std::io;
use std::path::Path;

use envora_domain::hash::unhex;
use envora_domain::id::KeyId;
use envora_domain::ports::{Disk, replace_durably};
use envora_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::KeyError;

/// The name of the journal in a tenant's key folder.
pub const FILE: &str = "journal";

/// One destroyed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destruction {
    /// The key.
    pub key: KeyId,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    at_us: i64,
}

/// All destructions written down in this folder, oldest first.
///
/// # Errors
/// [`KeyError::Damaged`] when a line is none, [`KeyError::Io`].
pub fn read(disk: &dyn Disk, folder: &Path) -> Result<Vec<Destruction>, KeyError> {
    let bytes = match disk.read(&folder.join(FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let parse = |line: &str| {
        let line: Line = serde_json::from_str(line).ok()?;
        let key = KeyId::from_slice(&unhex(&line.key)?)?;
        Some(Destruction { key, at: Timestamp::from_micros(line.at_us) })
    };
    let text = String::from_utf8(bytes).map_err(|_| KeyError::Damaged(FILE))?;
    text.lines().map(parse).collect::<Option<_>>().ok_or(KeyError::Damaged(FILE))
}

/// Writes a destruction down, durably. To be called before the key's bytes are removed.
///
/// # Errors
/// [`KeyError`].
pub fn record(disk: &dyn Disk, folder: &Path, destruction: Destruction) -> Result<(), KeyError> {
    let mut all = read(disk, folder)?;
    if all.iter().any(|line| line.key == destruction.key) {
        return Ok(());
    }
    all.push(destruction);
    let mut text = String::new();
    for destruction in all {
        let line = Line { key: destruction.key.hex(), at_us: destruction.at.as_micros() };
        text += &serde_json::to_string(&line).map_err(|_| KeyError::Damaged(FILE))?;
        text.push('\n');
    }
    Ok(replace_durably(disk, &folder.join(FILE), text.as_bytes())?)
}
