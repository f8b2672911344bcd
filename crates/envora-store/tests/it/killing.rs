//! What was acknowledged is there after the process, the server or the room on the disk is gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use envora_domain::access::actions::{ActivatePack, ReadAudit, ReadFactors};
use envora_domain::hash::{Digest, leaf_hash, tree_root};
use envora_domain::time::Timestamp;
use envora_store::audit::{audit_entries_from, audit_head};
use envora_store::database::TenantDb;
use envora_store::engine::Engine;
use envora_store::packs::{NewPack, pack_activate, packs_active};
use envora_store::readers::ReadError;
use envora_store::writer::{WriteError, WriterState};
use envora_testkit::child::{TestProcess, say, task};
use envora_testkit::databases::{all_inline, grant, options, test_key};
use envora_testkit::entropy::SeededEntropy;
use envora_testkit::postgres::{self, Server};
use envora_testkit::scratch::scratch_folder;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const WRITERS: usize = 3;

fn engine(folder: &Path) -> Engine {
    Engine::Sqlite { path: folder.join("tenant.db"), key: test_key() }
}

fn activate(db: &TenantDb, name: String) -> Result<(), WriteError> {
    db.write_blocking(move |tx| {
        let digest = Digest::of(name.as_bytes());
        let new = NewPack { pack: name, version: "1".into(), digest };
        pack_activate(tx, &grant::<ActivatePack>(), &new, NOW).map(drop)
    })
}

/// The child: writes from several threads and says each row that was acknowledged, until it is killed.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(task) = task() else { return };
    let (round, folder) = task.split_once(' ').unwrap();
    if let Some(bug) = round.strip_prefix("ack_before_commit-") {
        envora_domain::planted::arm("ack_before_commit");
        assert!(!bug.is_empty());
    }
    let db = TenantDb::open(options(engine(Path::new(folder)), all_inline())).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let db = &db;
            scope.spawn(move || {
                for number in 0..100_000 {
                    let name = format!("{round}-{writer}-{number}");
                    activate(db, name.clone()).unwrap();
                    say(&name);
                }
            });
        }
    });
}

/// Kills the child after some of its acknowledgements; returns the acknowledged rows that are gone.
fn lost_in_a_round(folder: &Path, round: &str, acks: u64) -> usize {
    let test = "killing::child_that_writes_until_it_is_killed";
    let mut child = TestProcess::start(test, &format!("{round} {}", folder.display()));
    let mut acked: Vec<String> = (0..acks).map_while(|_| child.hear()).collect();
    assert_eq!(acked.len() as u64, acks, "the child ended by itself");
    acked.extend(child.kill());

    let db = TenantDb::open(options(engine(folder), all_inline())).unwrap();
    let (packs, head, entries) = db
        .read_blocking(|rd| {
            Ok((
                packs_active(rd, &grant::<ReadFactors>(), u64::MAX)?,
                audit_head(rd)?,
                audit_entries_from(rd, &grant::<ReadAudit>(), 0, u32::MAX)?,
            ))
        })
        .unwrap();
    let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
    assert_eq!((head.size, head.root), (leaves.len() as u64, tree_root(&leaves)));
    assert_eq!(packs.len(), leaves.len(), "a row and its leaf are there together");
    let there: BTreeSet<String> = packs.into_iter().map(|active| active.pack.pack).collect();
    acked.iter().filter(|name| !there.contains(*name)).count()
}

fn made() -> tempfile::TempDir {
    let folder = scratch_folder();
    TenantDb::create(options(engine(folder.path()), all_inline())).unwrap().close();
    folder
}

#[test]
fn acknowledged_rows_survive_a_kill() {
    let folder = made();
    let dice = SeededEntropy::new(1);
    for round in 0..8 {
        let lost = lost_in_a_round(folder.path(), &round.to_string(), 1 + dice.next() % 40);
        assert_eq!(lost, 0, "round {round}");
    }
}

/// The check above can fail: a writer that answers before its commit is caught.
#[test]
fn an_answer_before_the_commit_is_caught() {
    let folder = made();
    let dice = SeededEntropy::new(2);
    let caught = (0..40).any(|round| {
        let round = format!("ack_before_commit-{round}");
        lost_in_a_round(folder.path(), &round, 1 + dice.next() % 10) > 0
    });
    assert!(caught, "40 kills lost nothing");
}

#[test]
fn a_server_that_dies_stops_the_writer_and_keeps_what_it_acknowledged() {
    if postgres::server().is_none() {
        return;
    }
    let mut server = Server::start("dies");
    let engine = server.engine();
    let open = || TenantDb::open(options(engine.clone(), all_inline())).unwrap();
    TenantDb::create(options(engine.clone(), all_inline())).unwrap().close();
    let db = open();
    activate(&db, "acknowledged".into()).unwrap();
    server.kill();
    let after = activate(&db, "never".into());
    assert!(matches!(after, Err(WriteError::Stopped)), "{after:?}");
    assert_eq!(db.state(), WriterState::Stopped);
    let read = db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX));
    assert!(matches!(read, Err(ReadError::Unexpected(_))), "{read:?}");
    server.restart();
    let again = db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
    assert_eq!(again.len(), 1, "readers open their connections again");
    assert!(matches!(activate(&db, "never".into()), Err(WriteError::Stopped)));
    db.close();
    let db = open();
    activate(&db, "next".into()).unwrap();
    let packs = db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
    assert_eq!(packs.len(), 2);
}

/// A small file system of its own, where this machine lets a test make one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mounted(size: &str) -> Option<Self> {
        let folder = scratch_folder();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        done.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).status());
    }
}

#[test]
fn a_disk_that_is_full_refuses_and_resumes() {
    let Some(disk) = SmallDisk::mounted("8m") else {
        envora_testkit::wait::skipped("a disk that is full", "run as root, to mount a small disk");
        return;
    };
    let ballast = disk.0.path().join("ballast");
    let db = TenantDb::create(options(engine(disk.0.path()), all_inline())).unwrap();
    activate(&db, "before".into()).unwrap();
    while std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&ballast)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &[1; 4096]))
        .is_ok()
    {}
    let full = (0..1_000).find_map(|number| activate(&db, format!("full {number}")).err());
    assert!(matches!(full, Some(WriteError::ReadOnly)), "{full:?}");
    let refused = activate(&db, "refused".into());
    assert!(matches!(refused, Err(WriteError::ReadOnly)), "{refused:?}");
    let before =
        db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
    assert_eq!(before[0].pack.pack, "before");
    std::fs::remove_file(&ballast).unwrap();
    db.resume();
    activate(&db, "with room".into()).unwrap();
    db.close();
    let db = TenantDb::open(options(engine(disk.0.path()), all_inline())).unwrap();
    let after = db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
    assert_eq!(after.len(), before.len() + 1);
    db.close();
}
