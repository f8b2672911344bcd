//! Folders that something is wrong with: a clear message with a remedy, the documented exit code,
//! and nothing lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use envora_testkit::wait::wait_for;

use crate::fire::{Served, ask, new_folder, post, read_back, refused, send, skip};

fn ids(prefix: &str, rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("{prefix}-{row:04}")).collect()
}

/// A folder with a few rows, in the database and in a file, and its operator's token.
fn stored(folder: &Path) -> String {
    let token = new_folder(folder);
    let mut server = Served::start(folder, &[], None);
    assert!(post(server.port, &token, &ids("few", 2)));
    assert!(post(server.port, &token, &ids("many", 250)));
    server.end();
    token
}

/// All 252 rows are there, once.
#[track_caller]
fn nothing_is_lost(folder: &Path) {
    let found = read_back(folder).unwrap();
    assert_eq!((found.len(), found.values().sum::<u32>()), (252, 252));
}

/// The one folder of the one tenant.
fn tenant(folder: &Path) -> PathBuf {
    fs::read_dir(folder.join("tenants")).unwrap().next().unwrap().unwrap().path()
}

fn flip(file: &Path, byte: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[byte] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// What examining a folder says.
fn examined(folder: &Path) -> Output {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_envora"));
    doctor.args(["doctor", "--data"]).arg(folder).env_remove("ENVORA_PLANTED_BUG");
    doctor.output().unwrap()
}

/// The server did not start, ended with this code, and said so, with what to do.
#[track_caller]
fn says(output: &Output, exit: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_folder_that_is_not_there_could_not_be_examined() {
    let home = tempfile::tempdir().unwrap();
    let doctor = examined(&home.path().join("nowhere"));
    let found = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(3), "nothing was found wrong: {found}");
    assert!(found.contains("nowhere"), "{found}");
}

#[test]
fn a_second_process_is_told_about_the_first() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let mut first = Served::start(&folder, &[], None);
    assert!(post(first.port, &token, &ids("few", 2)));
    let pid = first.child.id();
    let doctor = examined(&folder);
    let found = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(3), "its data was not examined: {found}");
    assert!(found.contains("is not examined while it runs"), "{found}");
    let end_it = format!("end process {pid} first");
    says(&refused(&folder), 1, &["folder_in_use", &end_it]);
    assert!(post(first.port, &token, &ids("many", 250)), "the first one goes on");
    first.end();
    nothing_is_lost(&folder);
}

#[test]
fn another_folders_key_opens_nothing_and_spoils_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (folder, other) = (home.path().join("data"), home.path().join("other"));
    stored(&folder);
    new_folder(&other);
    let seal = folder.join("keys/seal");
    let ours = fs::read(&seal).unwrap();
    fs::copy(other.join("keys/seal"), &seal).unwrap();
    let backup = "restore the keys folder from its own backup";
    says(&refused(&folder), 5, &["key_unavailable", backup]);
    fs::remove_file(&seal).unwrap();
    let said = String::from_utf8_lossy(&refused(&folder).stderr).into_owned();
    assert!(said.matches("os error").count() <= 1, "a cause is told once: {said}");
    says(&refused(&folder), 5, &["key_unavailable", backup]);
    let doctor = examined(&folder);
    let found = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(5), "{found}");
    assert!(found.contains(backup) && !found.contains("envora init"), "{found}");
    fs::write(&seal, ours).unwrap();
    nothing_is_lost(&folder);
}

#[test]
fn a_flipped_bit_of_the_database_is_found() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    stored(&folder);
    let database = tenant(&folder).join("tenant.db");
    flip(&database, 4096 + 100);
    let output = refused(&folder);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("error[") && said.contains("backup"), "{said}");
    assert_eq!(output.status.code(), Some(5), "{said}");
    flip(&database, 4096 + 100);
    flip(&database, 0);
    says(&refused(&folder), 5, &["database_unavailable", "backup"]);
    flip(&database, 0);
    // A page that opening does not read.
    let pages = usize::try_from(fs::metadata(&database).unwrap().len()).unwrap() / 4096;
    for page in (3..pages).step_by(pages / 8) {
        flip(&database, page * 4096 + 2_000);
        let doctor = examined(&folder);
        let found = String::from_utf8_lossy(&doctor.stdout);
        assert_eq!(doctor.status.code(), Some(5), "page {page}: {found}");
        assert!(found.contains("help:"), "{found}");
        flip(&database, page * 4096 + 2_000);
    }
    assert_eq!(examined(&folder).status.code(), Some(0), "whole again");
    nothing_is_lost(&folder);
}

#[test]
fn a_flipped_bit_of_a_segment_is_found_and_never_served() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let token = stored(&folder);
    let segments = fs::read_dir(tenant(&folder).join("segments")).unwrap();
    let segment = segments.map(|entry| entry.unwrap().path()).next().unwrap();
    let sent_again = |port| {
        // The same rows under another key: what is stored has to be read and compared.
        let mut rows = ids("many", 250);
        rows.swap(0, 1);
        send(port, &token, &rows).unwrap()
    };
    flip(&segment, 5_000);
    let mut server = Served::start(&folder, &[], None);
    let answer = sent_again(server.port);
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("data_integrity"), "{}", answer.body);
    assert!(post(server.port, &token, &ids("other", 1)), "other rows are taken");
    server.end();
    assert!(read_back(&folder).unwrap_err().contains("not as it was stored"));
    let doctor = examined(&folder);
    let found = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(5), "{found}");
    assert!(found.contains("seg_") && found.contains("help:"), "{found}");
    flip(&segment, 5_000);
    assert_eq!(examined(&folder).status.code(), Some(0), "whole again");
    let mut server = Served::start(&folder, &[], None);
    let answer = sent_again(server.port);
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.body.contains("\"duplicate\":250"), "{}", answer.body);
    server.end();
    assert_eq!(read_back(&folder).unwrap().len(), 253);
}

#[test]
fn an_older_copy_of_the_database_is_not_served() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let token = new_folder(&folder);
    let database = tenant(&folder).join("tenant.db");
    let old = fs::read(&database).unwrap();
    let mut server = Served::start(&folder, &[], None);
    assert!(post(server.port, &token, &ids("few", 2)));
    assert!(post(server.port, &token, &ids("many", 250)));
    server.end();
    let new = fs::read(&database).unwrap();
    assert!(!database.with_extension("db-wal").exists(), "an orderly end leaves one file");
    fs::write(&database, old).unwrap();
    let put_back = "put back the newest one";
    says(&refused(&folder), 5, &["data_integrity", "older than its anchor", put_back]);
    fs::write(&database, new).unwrap();
    nothing_is_lost(&folder);
}

/// A small file system of its own, unmounted when it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let place = folder.path().to_str().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none", place]).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let Some(disk) = SmallDisk::new(16) else {
        skip("a full disk", "run the tests as a user who may mount a tmpfs");
        return;
    };
    let folder = disk.0.path().join("data");
    let token = stored(&folder);
    let ballast = disk.0.path().join("ballast");
    let mut server = Served::start(&folder, &[], None);
    // Fills what is left to the last byte.
    let _full = fs::write(&ballast, vec![0; 16 << 20]);
    let refusal = wait_for("the disk to be full", || {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let answer = send(server.port, &token, &ids(&format!("full{number}"), 250)).unwrap();
        (answer.status >= 300).then_some(answer)
    });
    assert_eq!(refusal.status, 503, "{}", refusal.body);
    assert!(refusal.body.contains("read_only"), "{}", refusal.body);
    let head =
        format!("GET /v2/organizations/acme/facilities HTTP/1.1\r\nAuthorization: Bearer {token}");
    assert_eq!(ask(server.port, &head, "").unwrap().status, 200, "reading goes on");
    fs::remove_file(&ballast).unwrap();
    wait_for("room to be noticed", || post(server.port, &token, &ids("room", 250)).then_some(()));
    server.end();
    let found = read_back(&folder).unwrap();
    assert!(found.values().all(|count| *count == 1));
    let acked = ids("few", 2).into_iter().chain(ids("many", 250)).chain(ids("room", 250));
    assert!(acked.into_iter().all(|id| found.contains_key(&id)));
}
