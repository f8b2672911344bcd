//! The lock: one process per folder.
//!
//! The lock is the operating system's, on an open file, and goes when the process does, however it
//! ends. What stands in the file is for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::folder::FolderError;

/// The folder is this process' own until this value goes.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    epoch: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Written {
    pid: u32,
    epoch: u64,
}

impl FolderLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`FolderError::InUse`] when another process has it.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).context("open the lock file")?;
        let mut lock = Self { file, epoch: 0 };
        let before = lock.read();
        match lock.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse { pid: before.pid }),
            Err(TryLockError::Error(error)) => {
                return Err(anyhow::Error::from(error).context("lock the folder").into());
            }
        }
        lock.epoch = before.epoch + 1;
        lock.write().context("write the lock file")?;
        Ok(lock)
    }

    /// The process that has the folder, and its epoch; none when nobody has it. The lock is held for
    /// no longer than it takes to see that it is free.
    ///
    /// # Errors
    /// What the file system says.
    pub fn holder(path: &Path) -> std::io::Result<Option<(u32, u64)>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut lock = Self { file, epoch: 0 };
        match lock.file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let written = lock.read();
                Ok(Some((written.pid, written.epoch)))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// How often the folder was opened: this time included.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn read(&mut self) -> Written {
        let mut text = String::new();
        let read = (&self.file).take(1024).read_to_string(&mut text);
        read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn write(&mut self) -> std::io::Result<()> {
        let written = Written { pid: std::process::id(), epoch: self.epoch };
        let text = serde_json::to_vec(&written)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        self.file.write_all(&text)?;
        self.file.sync_all()
    }
}

impl Drop for FolderLock {
    /// Closing the file is not enough: a process that was just started from this one has it open, too,
    /// until it becomes another program.
    fn drop(&mut self) {
        drop(self.file.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::FolderLock;
    use crate::folder::FolderError;

    #[test]
    fn the_second_one_is_told_who_the_first_one_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("envora.lock");
        let first = FolderLock::take(&path).expect("the lock");
        assert_eq!(first.epoch(), 1);
        let pid = std::process::id();
        assert!(
            matches!(FolderLock::take(&path), Err(FolderError::InUse { pid: named }) if named == pid)
        );
        assert_eq!(FolderLock::holder(&path).expect("looked at"), Some((pid, 1)));
        let inherited = first.file.try_clone().expect("as a process that starts has it");
        drop(first);
        assert_eq!(FolderLock::holder(&path).expect("looked at"), None, "nobody has it");
        drop(FolderLock::take(&path).expect("the lock, whoever has the file open"));
        drop(inherited);
        assert_eq!(FolderLock::take(&path).expect("the lock again").epoch(), 3);
    }
}
