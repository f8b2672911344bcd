//! Disks in memory: one that forgets at a crash what was not synced, one that fails when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use envora_domain::ports::Disk;

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<u64, File>,
    entries: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
    next: u64,
}

/// A disk that keeps after a crash exactly what was synced: bytes by `sync`, names by `sync_dir`.
#[derive(Default)]
pub struct MemoryDisk(Mutex<State>);

impl MemoryDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes: unsynced bytes and names are gone.
    pub fn crash(&self) {
        let mut state = self.state();
        state.entries = state.durable.clone();
        for file in state.files.values_mut() {
            file.bytes.clone_from(&file.synced);
        }
    }

    /// Flips one bit of a file.
    ///
    /// # Panics
    /// When there is no such byte.
    pub fn flip(&self, path: &Path, byte: usize) {
        let mut state = self.state();
        let id = state.entries[path];
        let file = state.files.get_mut(&id).unwrap();
        file.bytes[byte] ^= 1;
        file.synced.clone_from(&file.bytes);
    }

    /// All paths that have a file.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().entries.keys().cloned().collect()
    }
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {}", path.display()))
}

impl State {
    fn file(&self, path: &Path) -> io::Result<&File> {
        self.entries.get(path).and_then(|id| self.files.get(id)).ok_or_else(|| missing(path))
    }
}

impl Disk for MemoryDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.folders.extend(path.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.entries.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !path.parent().is_some_and(|parent| state.folders.contains(parent)) {
            return Err(missing(path));
        }
        let id = state.next;
        state.next += 1;
        state.files.insert(id, File { bytes: bytes.to_vec(), synced: Vec::new() });
        state.entries.insert(path.to_path_buf(), id);
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let id = *state.entries.get(path).ok_or_else(|| missing(path))?;
        let file = state.files.get_mut(&id).ok_or_else(|| missing(path))?;
        file.synced.clone_from(&file.bytes);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let here = |entry: &Path| entry.parent() == Some(path);
        let now: Vec<(PathBuf, u64)> = state
            .entries
            .iter()
            .filter(|(entry, _)| here(entry))
            .map(|(entry, id)| (entry.clone(), *id))
            .collect();
        state.durable.retain(|entry, _| !here(entry));
        state.durable.extend(now);
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.state().file(path).map(|file| file.bytes.clone())
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let bytes = self.read(path)?;
        let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
        range
            .and_then(|(offset, length)| bytes.get(offset..offset.checked_add(length)?))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let id = state.entries.remove(from).ok_or_else(|| missing(from))?;
        state.entries.insert(to.to_path_buf(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().entries.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        Ok(state.entries.keys().filter(|entry| entry.parent() == Some(path)).cloned().collect())
    }
}

/// What a disk is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `create`.
    Create,
    /// `sync`.
    Sync,
    /// `sync_dir`.
    SyncDir,
    /// `read` and `read_at`.
    Read,
    /// `rename`.
    Rename,
}

/// A disk that fails when told to; otherwise the one behind it.
pub struct FaultyDisk<D> {
    disk: D,
    faults: Mutex<BTreeMap<Call, Vec<Option<io::ErrorKind>>>>,
}

impl<D: Disk> FaultyDisk<D> {
    /// A disk that works until [`FaultyDisk::fail`] is called.
    pub const fn new(disk: D) -> Self {
        Self { disk, faults: Mutex::new(BTreeMap::new()) }
    }

    /// The disk behind it.
    pub const fn disk(&self) -> &D {
        &self.disk
    }

    /// Fails one call, after letting `after` of them pass.
    pub fn fail(&self, call: Call, after: usize, kind: io::ErrorKind) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = faults.entry(call).or_default();
        plan.resize(after, None);
        plan.push(Some(kind));
    }

    fn checked(&self, call: Call) -> io::Result<()> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(plan) = faults.get_mut(&call).filter(|plan| !plan.is_empty()) else {
            return Ok(());
        };
        plan.remove(0).map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl<D: Disk> Disk for FaultyDisk<D> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.checked(Call::Create)?;
        self.disk.create(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.checked(Call::Sync)?;
        self.disk.sync(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.checked(Call::SyncDir)?;
        self.disk.sync_dir(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.checked(Call::Read)?;
        self.disk.read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        self.checked(Call::Read)?;
        self.disk.read_at(path, offset, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.checked(Call::Rename)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        self.disk.list(path)
    }
}
