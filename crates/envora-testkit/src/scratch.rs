//! Where tests put databases: in memory where there is room, since what these tests look at does not
//! need a disk, and a busy one makes each of thousands of syncs wait.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MEMORY: &str = "/dev/shm";
const FREE_KIB_MIN: u64 = 2 << 20;

/// The folder below which tests make theirs.
#[must_use]
pub fn scratch() -> PathBuf {
    let df = Command::new("df").args(["-k", "--output=avail", MEMORY]).output();
    let free = df.ok().and_then(|answer| {
        let text = String::from_utf8(answer.stdout).ok()?;
        text.lines().nth(1)?.trim().parse::<u64>().ok()
    });
    match free {
        Some(free) if free >= FREE_KIB_MIN => PathBuf::from(MEMORY),
        _ => std::env::temp_dir(),
    }
}

/// A folder of one test, removed when it is dropped.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn scratch_folder() -> tempfile::TempDir {
    tempfile::tempdir_in(scratch()).unwrap()
}

/// Copies a folder with everything below it, with the permissions that it has.
///
/// # Panics
/// When something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
