//! The real disk keeps the contract of `Disk`.

use std::io::ErrorKind;
use std::sync::Arc;

use envora_domain::ports::{Disk, replace_durably};
use envora_lake::os_disk::OsDisk;
use envora_lake::segments::Lake;

use crate::world::frame;

#[test]
fn the_real_disk_does_as_the_port_says() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    let file = below.join("file");
    assert!(OsDisk.list(&below).unwrap().is_empty(), "a folder that is not there has no files");
    OsDisk.create_dir(&below).unwrap();
    OsDisk.create_dir(&below).unwrap();
    assert_eq!(OsDisk.read(&file).unwrap_err().kind(), ErrorKind::NotFound);
    OsDisk.create(&file, b"0123456789").unwrap();
    assert_eq!(OsDisk.create(&file, b"x").unwrap_err().kind(), ErrorKind::AlreadyExists);
    OsDisk.sync(&file).unwrap();
    OsDisk.sync_dir(&below).unwrap();
    assert_eq!(OsDisk.read_at(&file, 2, 3).unwrap(), b"234");
    assert_eq!(OsDisk.read_at(&file, 8, 3).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(OsDisk.read_at(&file, u64::MAX, 3).unwrap_err().kind(), ErrorKind::InvalidInput);
    replace_durably(&OsDisk, &file, b"new").unwrap();
    assert_eq!(OsDisk.read(&file).unwrap(), b"new");
    assert_eq!(OsDisk.list(&below).unwrap(), std::slice::from_ref(&file));
    OsDisk.remove(&file).unwrap();
    OsDisk.remove(&file).unwrap();
    assert_eq!(OsDisk.sync(&file).unwrap_err().kind(), ErrorKind::NotFound);
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("keys");
    OsDisk.create_dir(&below).unwrap();
    OsDisk.create(&below.join("seal"), b"x").unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&below), mode(&below.join("seal"))), (0o700, 0o600));
}

#[test]
fn a_lake_works_on_the_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Lake::open(folder.path().to_owned(), Arc::new(OsDisk)).unwrap();
    let frame = frame(7, 100_000);
    let places = open().append_and_sync(core::slice::from_ref(&frame)).unwrap();
    assert_eq!(open().read(&places[0], None).unwrap(), frame.sealed);
}
