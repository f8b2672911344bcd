//! Imports in parts: what is open, what has arrived, and what becomes of it.

use envora_domain::access::actions::{Calculate, ReadActivities, WriteActivities};
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_store::imports::Mode;
use envora_store::parts::{
    OpenImport, Part, Reading, open_import_add, open_import_by_id, open_import_close,
    open_import_drop, open_import_failure, open_import_reading, open_imports, open_imports_count,
    open_imports_sweep, open_part_drop, open_part_put, open_parts, source_parts,
};
use envora_testkit::databases::{TestDb, grant};

use super::{NOW, later};

fn import(number: u8) -> OpenImport {
    OpenImport {
        id: ImportId::from_bytes([number; 16]),
        file_name: "meters.csv".to_owned(),
        media_type: "text/csv".to_owned(),
        length: (number == 1).then_some(300),
        sha256: (number == 1).then(|| Digest::of(b"file")),
        reading: Reading {
            mode: Mode::Partial,
            mapping: String::new(),
            mapping_digest: None,
            constants: "{}".to_owned(),
        },
        failure: String::new(),
        created_at: NOW,
        keep_until: later(60 * i64::from(number)),
    }
}

fn part(number: u32, bytes: &[u8]) -> Part {
    let sha256 = Digest::of(bytes);
    Part { number, name: Digest::of(&sha256.0), sha256, length: bytes.len() as u64 }
}

pub(super) fn an_import_is_open_until_it_is_closed(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let (first, second) = (import(1), import(2));
    let (one, other, two) = (part(1, b"one"), part(1, b"other"), part(2, b"two"));
    let file = Digest::of(b"onetwo");
    let reading = Reading {
        mode: Mode::Atomic,
        mapping: "meters".to_owned(),
        mapping_digest: Some(Digest::of(b"meters")),
        constants: "{\"scope\":\"2\"}".to_owned(),
    };
    let (opened, said) = (first.clone(), reading.clone());
    db.db
        .write_blocking(move |tx| {
            open_import_add(tx, &write, &opened)?;
            open_import_add(tx, &write, &import(2))?;
            assert!(open_part_put(tx, &write, (opened.id, &other))?);
            assert!(open_part_put(tx, &write, (opened.id, &two))?);
            assert!(open_part_put(tx, &write, (opened.id, &one))?, "one of its number is replaced");
            assert!(!open_part_put(tx, &write, (ImportId::from_bytes([9; 16]), &one))?);
            let surplus = part(3, b"surplus");
            assert!(open_part_put(tx, &write, (opened.id, &surplus))?);
            assert_eq!(open_part_drop(tx, &write, (opened.id, 3))?, Some(surplus));
            assert_eq!(open_part_drop(tx, &write, (opened.id, 3))?, None, "it is gone");
            open_import_failure(tx, &write, (opened.id, "{}"))?;
            Ok(())
        })
        .unwrap();
    db.reopen();
    let failed = OpenImport { failure: "{}".to_owned(), ..first.clone() };
    let wanted = second.clone();
    db.db
        .read_blocking(move |rd| {
            assert_eq!(open_import_by_id(rd, &read, failed.id)?, Some(failed.clone()));
            assert_eq!(open_imports(rd, &read)?, [wanted, failed.clone()]);
            assert_eq!(open_imports_count(rd, &read)?, 2);
            assert_eq!(open_parts(rd, &read, failed.id)?, [one, two]);
            assert_eq!(source_parts(rd, &read, file)?, []);
            Ok(())
        })
        .unwrap();
    let id = first.id;
    db.db
        .write_blocking(move |tx| {
            assert!(open_import_reading(tx, &write, (id, &said))?);
            let again = open_import_by_id(tx, &read, id)?.unwrap();
            assert_eq!((again.reading, again.failure.as_str()), (said.clone(), ""));
            assert!(!open_import_reading(tx, &write, (ImportId::from_bytes([9; 16]), &said))?);
            let changed = open_import_close(tx, &write, (id, file, &[two]));
            assert!(changed.is_err(), "its parts are others than those that were read");
            assert_eq!(open_import_close(tx, &write, (id, file, &[one, two]))?, []);
            assert_eq!(open_import_by_id(tx, &read, id)?, None);
            assert_eq!(source_parts(tx, &read, file)?, [one, two]);
            // The same file in other parts: those that are known stay, these are to be removed.
            open_part_put(tx, &write, (second.id, &other))?;
            assert_eq!(open_import_close(tx, &write, (second.id, file, &[other]))?, [other]);
            assert_eq!(source_parts(tx, &read, file)?, [one, two]);
            Ok(())
        })
        .unwrap();
}

pub(super) fn an_import_that_nobody_commits_goes(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let one = part(1, b"one");
    db.db
        .write_blocking(move |tx| {
            for number in [1, 2, 3] {
                open_import_add(tx, &write, &import(number))?;
                open_part_put(tx, &write, (import(number).id, &one))?;
            }
            open_import_drop(tx, &write, import(3).id)?;
            assert_eq!(open_imports_sweep(tx, &grant::<Calculate>(), later(60))?, [one]);
            assert_eq!(open_imports(tx, &read)?, [import(2)]);
            assert_eq!(open_imports_sweep(tx, &grant::<Calculate>(), later(60))?, []);
            Ok(())
        })
        .unwrap();
}
