//! Where tests put databases: in memory where there is room, since what these tests look at does not
//! need a disk, and a busy one makes each of thousands of syncs wait.

use std::path::PathBuf;
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
