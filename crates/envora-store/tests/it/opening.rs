//! Opening: what is refused, and that refusing changes nothing.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::anyhow;
use envora_domain::access::actions::{ActivatePack, ReadAudit, ReadFactors};
use envora_domain::hash::Digest;
use envora_domain::id::TenantId;
use envora_domain::time::Timestamp;
use envora_store::audit::audit_entries_from;
use envora_store::database::{Options, TenantDb};
use envora_store::engine::{DbKey, Engine, OpenError};
use envora_store::packs::{NewPack, pack_activate, packs_active};
use envora_store::readers::ReadError;
use envora_store::writer::{WriteError, WriterState};
use envora_testkit::databases::{
    TENANT, TestDb, all_inline, grant, on_both_engines, options, test_key,
};

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn pack(name: &str) -> NewPack {
    NewPack { pack: name.into(), version: "1".into(), digest: Digest::of(name.as_bytes()) }
}

/// Enough packs that the file has many pages.
fn filled(db: &TestDb) {
    db.db
        .write_blocking(|tx| {
            for number in 0..500 {
                pack_activate(tx, &grant::<ActivatePack>(), &pack(&format!("p{number}")), NOW)?;
            }
            Ok(())
        })
        .unwrap();
}

fn refused(opened: Result<TenantDb, OpenError>) -> OpenError {
    opened.err().unwrap()
}

fn sqlite(path: &Path, key: DbKey) -> Options {
    options(Engine::Sqlite { path: path.to_path_buf(), key }, all_inline())
}

#[test]
fn a_database_survives_being_closed() {
    on_both_engines(|db| {
        db.db
            .write_blocking(|tx| pack_activate(tx, &grant::<ActivatePack>(), &pack("desnz"), NOW))
            .unwrap();
        db.reopen();
        let active =
            db.db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)).unwrap();
        assert_eq!(active.len(), 1);
        assert_eq!(active[0].pack, pack("desnz"));
    });
}

#[test]
fn a_database_is_made_once() {
    on_both_engines(|db| {
        db.db.close();
        let again = TenantDb::create(options(db.engine().clone(), all_inline()));
        assert!(matches!(refused(again), OpenError::AlreadyExists));
        db.reopen();
    });
}

#[test]
fn what_is_not_there_is_not_made() {
    let folder = envora_testkit::scratch::scratch_folder();
    let path = folder.path().join("tenant.db");
    assert!(matches!(refused(TenantDb::open(sqlite(&path, test_key()))), OpenError::Missing));
    assert!(!path.exists());
}

#[test]
fn another_tenants_database_is_refused() {
    on_both_engines(|db| {
        db.db.close();
        let mut options = options(db.engine().clone(), all_inline());
        options.tenant = TenantId::from_bytes([9; 16]);
        assert!(matches!(refused(TenantDb::open(options)), OpenError::OtherTenant));
    });
}

#[test]
fn a_second_writer_is_refused_by_the_server() {
    let Some(db) = TestDb::postgres() else { return };
    let second = TenantDb::open(options(db.engine().clone(), all_inline()));
    let error = refused(second);
    let me = format!("envora {}", std::process::id());
    assert!(matches!(&error, OpenError::Busy { by } if by.contains(&me)), "{error}");
}

#[test]
fn a_wrong_key_opens_nothing_and_changes_nothing() {
    let db = TestDb::sqlite();
    filled(&db);
    db.db.close();
    let path = db.folder().unwrap().join("tenant.db");
    let before = fs::read(&path).unwrap();
    let opened = TenantDb::open(sqlite(&path, DbKey::new(&[8; 32])));
    assert!(matches!(refused(opened), OpenError::KeyUnavailable));
    assert_eq!(fs::read(&path).unwrap(), before);
    TenantDb::open(sqlite(&path, test_key())).unwrap();
}

#[test]
fn the_file_is_encrypted_and_a_plain_one_is_refused() {
    let db = TestDb::sqlite();
    filled(&db);
    db.db.close();
    let folder = db.folder().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(15).any(|window| window == b"SQLite format 3"));
        assert!(!bytes.windows(15).any(|window| window == b"pack_activation"));
    }
    let plain = folder.join("plain.db");
    fs::write(&plain, b"SQLite format 3\0 and so on").unwrap();
    assert!(matches!(refused(TenantDb::open(sqlite(&plain, test_key()))), OpenError::Plaintext));
    assert_eq!(fs::read(&plain).unwrap(), b"SQLite format 3\0 and so on");
}

#[test]
fn an_empty_file_is_no_database() {
    let folder = envora_testkit::scratch::scratch_folder();
    let path = folder.path().join("tenant.db");
    fs::write(&path, b"").unwrap();
    let error = refused(TenantDb::open(sqlite(&path, test_key())));
    assert!(matches!(error, OpenError::DataIntegrity(_)), "{error:?}");
}

/// A flipped bit in any page is seen: when the database is opened, or when the page is read.
#[test]
fn a_flipped_bit_is_seen_and_never_mended() {
    let db = TestDb::sqlite();
    filled(&db);
    db.db.close();
    let path = db.folder().unwrap().join("tenant.db");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 40, "{pages} pages");
    assert_eq!(db.engine().damage().unwrap(), Vec::<String>::new());
    for page in (0..pages).step_by(7) {
        fs::write(&path, &whole).unwrap();
        flip(&path, page * 4096 + 100);
        let damaged = fs::read(&path).unwrap();
        match TenantDb::open(sqlite(&path, test_key())) {
            Err(OpenError::DataIntegrity(_)) => {}
            // The first page cannot tell damage from a wrong key.
            Err(OpenError::KeyUnavailable) if page == 0 => {}
            Err(error) => assert!(error.to_string().is_empty(), "page {page}: {error:?}"),
            Ok(db) => {
                let read = db.read_blocking(|rd| {
                    packs_active(rd, &grant::<ReadFactors>(), u64::MAX)?;
                    audit_entries_from(rd, &grant::<ReadAudit>(), 0, 10_000)
                });
                match read {
                    Err(ReadError::DataIntegrity(_)) => {}
                    Err(error) => assert!(error.to_string().is_empty(), "page {page}: {error:?}"),
                    Ok(entries) => assert_eq!(entries.len(), 500),
                }
                db.close();
            }
        }
        writes_nothing_to_damage(&path, page);
        let found = db.engine().damage();
        assert!(!matches!(found, Ok(ref lines) if lines.is_empty()), "page {page} looks whole");
        assert_eq!(fs::read(&path).unwrap(), damaged, "page {page} was written to");
    }
}

/// A write that meets the damage is refused for this tenant; it does not ask for the process to end.
fn writes_nothing_to_damage(path: &Path, page: usize) {
    let damaged = fs::read(path).unwrap();
    if let Ok(db) = TenantDb::open(sqlite(path, test_key())) {
        let write = db.write_blocking(|tx| {
            packs_active(tx, &grant::<ReadFactors>(), u64::MAX).and(Err::<(), _>(anyhow!("undo")))
        });
        let state = db.state();
        assert!(
            matches!(
                (&write, state),
                (Err(WriteError::Unexpected(_)), WriterState::Open)
                    | (Err(WriteError::DataIntegrity), WriterState::Damaged)
            ),
            "page {page}: {write:?} {state:?}"
        );
        db.close();
    }
    assert_eq!(fs::read(path).unwrap(), damaged, "page {page} was written to");
}

fn flip(path: &Path, place: usize) {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(place as u64)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(place as u64)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

#[test]
fn a_cut_file_is_refused_and_not_grown() {
    let db = TestDb::sqlite();
    filled(&db);
    db.db.close();
    let path = db.folder().unwrap().join("tenant.db");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let outcome = TenantDb::open(sqlite(&path, test_key()))
        .map(|db| db.read_blocking(|rd| packs_active(rd, &grant::<ReadFactors>(), u64::MAX)));
    assert!(
        matches!(outcome, Err(OpenError::DataIntegrity(_)) | Ok(Err(ReadError::DataIntegrity(_)))),
        "{outcome:?}"
    );
    assert_eq!(fs::read(&path).unwrap().len(), whole.len() / 2);
}

#[test]
fn a_server_that_may_lose_commits_is_refused() {
    let Some(db) = TestDb::postgres() else { return };
    db.db.close();
    let Engine::Postgres { address } = db.engine() else { return };
    let weak = Engine::Postgres { address: address.with_options("-c synchronous_commit=off") };
    let error = refused(TenantDb::open(options(weak, all_inline())));
    assert!(matches!(error, OpenError::Unsafe { setting: "synchronous_commit", .. }), "{error:?}");
}

#[test]
fn a_grant_of_another_tenant_opens_nothing() {
    on_both_engines(|db| {
        assert_eq!(db.tenant, TENANT);
        let stranger = envora_domain::access::Grant::<ReadFactors>::mint(
            TenantId::from_bytes([9; 16]),
            [1; 16],
        );
        let read = db.db.read_blocking(move |rd| packs_active(rd, &stranger, u64::MAX));
        assert!(matches!(read, Err(ReadError::Unexpected(_))));
    });
}
