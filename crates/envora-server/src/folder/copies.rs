//! Copies: the files of a folder, copied durably and hashed on the way, and the list of them.
//!
//! A part of a backup holds `manifest.json` beside the files that it lists. The list is written last:
//! a part without one was cut short.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_domain::hash::{Digest, Hasher};
use envora_domain::ports::{Disk, replace_durably};
use serde::{Deserialize, Serialize};

/// What the list of a part is called.
pub const MANIFEST: &str = "manifest.json";
/// How much is copied at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Which half of a folder a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Settings, hosts, databases, segments, source files: nothing that opens them.
    Data,
    /// What opens them: seal, wrapped keys, anchors, destruction journals.
    Keys,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form: 1.
    pub v: u32,
    /// Which half.
    pub part: Part,
    /// Random hex: the two parts of one backup have the same.
    pub backup: String,
    /// When it was taken, RFC 3339.
    pub at: String,
    /// The version of the program that took it.
    pub program: String,
    /// Its files, by path.
    pub files: BTreeMap<String, Copied>,
}

/// What was copied of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copied {
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256, hex.
    pub sha256: String,
}

/// A file that is not as the list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its path in the part, with `/`.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

impl Manifest {
    /// The list of a part, or `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read(folder.join(MANIFEST)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.context("read manifest.json")?,
        };
        let manifest: Self = serde_json::from_slice(&text).context("understand manifest.json")?;
        anyhow::ensure!(manifest.v == 1, "manifest.json was written by a newer program");
        let within = |file: &str| file.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let odd = manifest.files.keys().find(|file| !within(file) || file.contains('\\'));
        anyhow::ensure!(odd.is_none(), "manifest.json names files outside the backup");
        Ok(Some(manifest))
    }

    /// Writes the list, durably.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, disk: &dyn Disk, folder: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self).context("write manifest.json")?;
        replace_durably(disk, &folder.join(MANIFEST), &text).context("write manifest.json")
    }

    /// How many bytes its files have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }

    /// Hashes every file again, and finds those that are gone, changed, or not in the list.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn faults(&self, folder: &Path) -> anyhow::Result<Vec<Fault>> {
        let mut faults = Vec::new();
        for (file, due) in &self.files {
            let what = match File::open(folder.join(file)).and_then(|file| hashed(file, |_| Ok(())))
            {
                Ok(found) if found == *due => continue,
                Ok(found) if found.bytes != due.bytes => {
                    format!("it has {} bytes, and {} were written", found.bytes, due.bytes)
                }
                Ok(_) => "its bytes are not those that were written".to_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => "it is gone".to_owned(),
                Err(error) => format!("it cannot be read: {error}"),
            };
            faults.push(Fault { file: file.clone(), what });
        }
        for file in files_below(folder)? {
            if file != MANIFEST && !self.files.contains_key(&file) {
                faults.push(Fault { file, what: "it is not part of the backup".to_owned() });
            }
        }
        Ok(faults)
    }
}

/// Copies files of one folder into another, in this order, each durable, their folders last.
///
/// # Errors
/// A file cannot be read or written; what was copied before stays.
pub fn copy_all(
    disk: &dyn Disk,
    (from, to): (&Path, &Path),
    files: &[String],
) -> anyhow::Result<BTreeMap<String, Copied>> {
    let mut copied = BTreeMap::new();
    let mut folders = BTreeSet::from([to.to_owned()]);
    disk.create_dir(to).with_context(|| format!("make {}", to.display()))?;
    for file in files {
        let target = to.join(file);
        let mut above = target.parent();
        while let Some(folder) = above.filter(|folder| *folder != to) {
            folders.insert(folder.to_owned());
            above = folder.parent();
        }
        if let Some(folder) = target.parent() {
            disk.create_dir(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let found = copy(&from.join(file), &target)
            .with_context(|| format!("copy {file} to {}", target.display()))?;
        copied.insert(file.clone(), found);
    }
    for folder in &folders {
        disk.sync_dir(folder).with_context(|| format!("sync {}", folder.display()))?;
    }
    Ok(copied)
}

/// Copies one file to where none is, durably, its owner's alone.
fn copy(from: &Path, to: &Path) -> io::Result<Copied> {
    let source = File::open(from)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(to)?;
    let copied = hashed(source, |piece| target.write_all(piece))?;
    target.sync_all()?;
    Ok(copied)
}

/// Reads to the end, a piece at a time.
fn hashed(
    mut from: impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Copied> {
    let (mut hasher, mut bytes) = (Hasher::default(), 0_u64);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let read = piece.get(..read).unwrap_or_default();
        hasher.update(read);
        each(read)?;
        bytes += read.len() as u64;
    }
    let digest: Digest = hasher.finish();
    Ok(Copied { bytes, sha256: digest.hex() })
}

/// The paths of all files below a folder, with `/`, sorted; of one that is not there, none.
///
/// # Errors
/// A folder cannot be listed, or holds something that is neither file nor folder.
pub fn files_below(folder: &Path) -> anyhow::Result<Vec<String>> {
    let (mut files, mut left) = (Vec::new(), vec![(folder.to_owned(), String::new())]);
    while let Some((folder, name)) = left.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("list {}", folder.display()))?,
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("list {}", folder.display()))?;
            let path = entry.path();
            let Ok(own) = entry.file_name().into_string() else {
                anyhow::bail!("{} has a name that is no text", path.display());
            };
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            let kind = entry.file_type().with_context(|| format!("look at {}", path.display()))?;
            if kind.is_dir() {
                left.push((path, name));
            } else if kind.is_file() {
                files.push(name);
            } else {
                anyhow::bail!("{} is neither a file nor a folder", path.display());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether something may be written there: nothing is there yet, or an empty folder.
///
/// # Errors
/// It is a file, or cannot be looked at.
pub fn is_vacant(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A path as it is on the disk, also of what is not there yet.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    if let Ok(resolved) = fs::canonicalize(path) {
        return resolved;
    }
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (full.parent(), full.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => full,
    }
}
