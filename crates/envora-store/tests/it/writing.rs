//! The writer: groups, savepoints, refusals, and what is there after the process is gone.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use anyhow::{Context as _, ensure};
use envora_domain::access::actions::{ActivatePack, ReadFactors};
use envora_domain::hash::Digest;
use envora_domain::id::SegmentId;
use envora_domain::ports::{Frame, Place};
use envora_domain::time::Timestamp;
use envora_store::database::TenantDb;
use envora_store::packs::{NewPack, pack_activate, packs_active};
use envora_store::transaction::TenantTx;
use envora_store::writer::{Sync, WriteError, WriterState};
use envora_testkit::databases::{TestDb, all_inline, grant, on_both_engines, options};

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn activate(tx: &mut TenantTx, name: &str) -> anyhow::Result<u64> {
    let new =
        NewPack { pack: name.into(), version: "1".into(), digest: Digest::of(name.as_bytes()) };
    Ok(pack_activate(tx, &grant::<ActivatePack>(), &new, NOW)?.seq)
}

fn active(db: &TenantDb) -> Vec<String> {
    let packs = db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
    packs.into_iter().map(|active| active.pack.pack).collect()
}

fn frame(bytes: usize) -> Frame {
    Frame { segment: SegmentId::from_bytes([1; 16]), sealed: vec![0; bytes] }
}

/// Holds the writer inside a job until the barrier is met, so that later jobs wait as one group.
fn held(db: &TenantDb) -> (Arc<Barrier>, std::thread::JoinHandle<Result<(), WriteError>>) {
    let (inside, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (db, here, there) = (db.clone(), Arc::clone(&inside), Arc::clone(&release));
    let thread = std::thread::spawn(move || {
        db.write_blocking(move |_| {
            here.wait();
            there.wait();
            Ok(())
        })
    });
    inside.wait();
    (release, thread)
}

#[test]
fn one_bad_job_does_not_hurt_the_others_of_its_group() {
    on_both_engines(|db| {
        let (release, holder) = held(&db.db);
        let jobs: Vec<_> = (0..9)
            .map(|number| {
                let queued = db.db.clone();
                let handle = std::thread::spawn(move || {
                    queued.write_blocking(move |tx| {
                        let seq = activate(tx, &format!("pack {number}"))?;
                        ensure!(number % 3 != 1, "job {number} goes wrong after writing");
                        Some(seq).filter(|_| number % 3 != 2).context("another reason")
                    })
                });
                (number, handle)
            })
            .collect();
        release.wait();
        holder.join().unwrap().unwrap();
        for (number, job) in jobs {
            let outcome = job.join().unwrap();
            assert_eq!(outcome.is_ok(), number % 3 == 0, "{number}: {outcome:?}");
        }
        assert_eq!(active(&db.db), ["pack 0", "pack 3", "pack 6"]);
        let size = db.db.read_blocking(envora_store::audit::audit_head).unwrap().size;
        assert_eq!(size, 3, "a job that is undone leaves no leaf");
    });
}

#[test]
fn a_job_that_breaks_its_statement_or_panics_is_undone_alone() {
    on_both_engines(|db| {
        let twice = db.db.write_blocking(|tx| {
            activate(tx, "kept out")?;
            let new = envora_store::credentials::NewCredential {
                id: [1; 16],
                kind: "operator".into(),
                name: String::new(),
                token_hash: Digest::of(b"token"),
                expires_at: None,
            };
            envora_store::credentials::credential_add(tx, &grant(), &new, NOW)?;
            envora_store::credentials::credential_add(tx, &grant(), &new, NOW)
        });
        assert!(matches!(twice, Err(WriteError::Unexpected(_))), "{twice:?}");
        let panicked: Result<(), _> = db.db.write_blocking(|tx| {
            activate(tx, "also kept out")?;
            std::panic::resume_unwind(Box::new("a job panics"))
        });
        assert!(matches!(panicked, Err(WriteError::Unexpected(_))), "{panicked:?}");
        db.db.write_blocking(|tx| activate(tx, "kept")).unwrap();
        assert_eq!(active(&db.db), ["kept"]);
    });
}

/// What waits is one group: one sync, with the frames of all jobs, each job getting its own.
#[test]
fn frames_of_a_group_are_synced_once_and_before_the_transaction() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let sync: Sync = Box::new(move |frames: &[Frame]| {
        seen.lock().unwrap().push(frames.len());
        let place = |frame: &Frame| Place::File {
            path: format!("{}", frame.sealed.len()),
            length: frame.sealed.len() as u64,
        };
        Ok(frames.iter().map(place).collect())
    });
    let db = TestDb::sqlite_with(sync);
    let (release, holder) = held(&db.db);
    let arrived = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (1..=5_usize)
        .map(|number| {
            let (queued, arrived) = (db.db.clone(), Arc::clone(&arrived));
            std::thread::spawn(move || {
                arrived.fetch_add(1, Ordering::SeqCst);
                let frames = (0..number).map(|_| frame(number)).collect();
                queued.write_frames_blocking(frames, move |_, landed| {
                    ensure!(landed.len() == number, "{} frames", landed.len());
                    ensure!(landed.iter().all(|one| one.frame.sealed.len() == number), "others'");
                    ensure!(
                        matches!(&landed[0].place, Place::File { path, .. } if *path == number.to_string()),
                        "another's place"
                    );
                    Ok(())
                })
            })
        })
        .collect();
    envora_testkit::wait::wait_for("the jobs to be on their way", || {
        (arrived.load(Ordering::SeqCst) == 5).then_some(())
    });
    release.wait();
    holder.join().unwrap().unwrap();
    for job in jobs {
        job.join().unwrap().unwrap();
    }
    let calls = calls.lock().unwrap();
    assert_eq!(calls.iter().sum::<usize>(), 15);
    assert!(calls.len() <= 5, "{calls:?}");
}

#[test]
fn a_full_queue_refuses_at_once() {
    let mut options = options(
        envora_store::engine::Engine::Sqlite {
            path: envora_testkit::scratch::scratch_folder().keep().join("tenant.db"),
            key: envora_testkit::databases::test_key(),
        },
        all_inline(),
    );
    options.queue_jobs_max = 2.try_into().unwrap();
    options.queue_bytes_max = 1_000;
    let db = TenantDb::create(options).unwrap();
    let (release, holder) = held(&db);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut waiting = Vec::new();
        for name in ["first", "second"] {
            let mut write =
                Box::pin(db.write_frames(vec![frame(400)], move |tx, _| activate(tx, name)));
            assert!(poll_once(&mut write).await.is_none());
            waiting.push(write);
        }
        let third = db.write(|tx| activate(tx, "third")).await;
        assert!(matches!(third, Err(WriteError::Overloaded)), "{third:?}");
        release.wait();
        for write in waiting {
            write.await.unwrap();
        }
    });
    holder.join().unwrap().unwrap();
    let (release, holder) = held(&db);
    runtime.block_on(async {
        let mut write = Box::pin(db.write_frames(vec![frame(700)], |tx, _| activate(tx, "large")));
        assert!(poll_once(&mut write).await.is_none());
        let more = db.write_frames(vec![frame(700)], |tx, _| activate(tx, "too much")).await;
        assert!(matches!(more, Err(WriteError::Overloaded)), "{more:?}");
        release.wait();
        write.await.unwrap();
    });
    holder.join().unwrap().unwrap();
    assert_eq!(active(&db), ["first", "large", "second"]);
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

fn failing(kind: io::ErrorKind) -> (Sync, Arc<AtomicUsize>) {
    let failures = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&failures);
    let sync: Sync = Box::new(move |frames: &[Frame]| {
        if left.load(Ordering::SeqCst) > 0 {
            left.fetch_sub(1, Ordering::SeqCst);
            return Err(kind.into());
        }
        Ok(frames.iter().map(|_| Place::Inline).collect())
    });
    (sync, failures)
}

#[test]
fn a_full_disk_makes_the_tenant_read_only_until_there_is_room() {
    let (sync, _) = failing(io::ErrorKind::StorageFull);
    let db = TestDb::sqlite_with(sync);
    db.db.write_blocking(|tx| activate(tx, "before")).unwrap();
    let full = db.db.write_frames_blocking(vec![frame(10)], |tx, _| activate(tx, "lost"));
    assert!(matches!(full, Err(WriteError::ReadOnly)), "{full:?}");
    assert_eq!(db.db.state(), WriterState::ReadOnly);
    let still = db.db.write_blocking(|tx| activate(tx, "refused"));
    assert!(matches!(still, Err(WriteError::ReadOnly)), "{still:?}");
    assert_eq!(active(&db.db), ["before"]);
    db.db.resume();
    db.db.write_frames_blocking(vec![frame(10)], |tx, _| activate(tx, "with room")).unwrap();
    assert_eq!(active(&db.db), ["before", "with room"]);
}

#[test]
fn a_failed_sync_stops_the_writer_for_good() {
    on_both_engines(|_| {});
    let engines = [
        Some(TestDb::sqlite_with(failing(io::ErrorKind::Other).0)),
        TestDb::postgres_with(failing(io::ErrorKind::Other).0),
    ];
    for db in engines.into_iter().flatten() {
        db.db.write_blocking(|tx| activate(tx, "before")).unwrap();
        let broken = db.db.write_frames_blocking(vec![frame(10)], |tx, _| activate(tx, "lost"));
        assert!(matches!(broken, Err(WriteError::Stopped)), "{broken:?}");
        db.db.resume();
        assert_eq!(db.db.state(), WriterState::Stopped);
        let after = db.db.write_blocking(|tx| activate(tx, "refused"));
        assert!(matches!(after, Err(WriteError::Stopped)), "{after:?}");
        assert_eq!(active(&db.db), ["before"], "reads go on");
    }
}

#[test]
fn a_closed_database_refuses() {
    on_both_engines(|db| {
        db.db.write_blocking(|tx| activate(tx, "kept")).unwrap();
        db.db.close();
        let write = db.db.write_blocking(|tx| activate(tx, "late"));
        assert!(matches!(write, Err(WriteError::Stopped)), "{write:?}");
        db.reopen();
        assert_eq!(active(&db.db), ["kept"]);
    });
}

#[test]
fn a_reader_can_change_nothing_and_sees_one_snapshot() {
    on_both_engines(|db| {
        db.db.write_blocking(|tx| activate(tx, "first")).unwrap();
        let writer = db.db.clone();
        let (before, after) = db
            .db
            .read_blocking(move |rd| {
                let before = packs_active(rd, &grant::<ReadFactors>(), u64::MAX)?.len();
                writer.write_blocking(|tx| activate(tx, "second"))?;
                Ok((before, packs_active(rd, &grant::<ReadFactors>(), u64::MAX)?.len()))
            })
            .unwrap();
        assert_eq!((before, after), (1, 1));
        assert_eq!(active(&db.db).len(), 2);
    });
}
