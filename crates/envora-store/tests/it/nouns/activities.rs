//! Segments, imports, mappings, supersessions, mentions, kept answers.

use envora_domain::access::actions::{Calculate, ReadActivities, WriteActivities};
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, ImportId, SegmentId};
use envora_domain::ports::{Frame, Place};
use envora_domain::time::Timestamp;
use envora_store::idempotency::{
    AnswerPlace, Dropped, KeptAnswer, idempotency_add, idempotency_by_key, idempotency_objects,
    idempotency_sweep,
};
use envora_store::imports::{
    Counts, Import, ImportRow, Mode, Page, import_add, import_by_id, import_rows, import_rows_add,
    import_rows_count, import_rows_sweep, imports_before, imports_count,
};
use envora_store::likenesses::{Alike, alike_of_import, likeness_add, likenesses_from};
use envora_store::mappings::{
    NewMapping, mapping_archive, mapping_by_digest, mapping_by_name, mapping_put, mappings_all,
};
use envora_store::mentions::{Numbers, Slice, Word, mentions_add, mentions_of};
use envora_store::segments::{
    ByStart, NewSegment, Order, SegmentTotals, Within, segment_add, segment_by_id, segment_by_seq,
    segment_fingerprints, segment_fingerprints_from, segment_inline, segment_rows_from,
    segment_totals, segments_by_start, segments_from, segments_of_import, segments_within,
};
use envora_store::supersessions::{
    ActivityRange, Fate, Supersession, supersession_add, supersession_of, supersessions_after,
    supersessions_between, supersessions_of_seq,
};
use envora_store::transaction::TenantTx;
use envora_store::writer::Landed;
use envora_testkit::databases::{TestDb, grant};

use super::{NOW, later};

fn segment_id(number: u8) -> SegmentId {
    SegmentId::from_bytes([number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn add_segment(tx: &mut TenantTx, number: u8, place: Place) -> anyhow::Result<u64> {
    let landed =
        Landed { frame: Frame { segment: segment_id(number), sealed: vec![number; 100] }, place };
    let new = NewSegment {
        landed: &landed,
        rows: 3,
        root: Digest::of(&[number]),
        key_version: 1,
        start_min: NOW,
        start_max: later(3_600),
        import: (number == 1).then_some(ImportId::from_bytes([5; 16])),
        fingerprints: &[number; 24],
        epoch: 1,
    };
    segment_add(tx, &grant::<WriteActivities>(), &new, NOW)
}

pub(super) fn a_segment_is_found_by_id_and_seq(db: &mut TestDb) {
    let read = grant::<ReadActivities>();
    let totals = db.db.read_blocking(move |rd| segment_totals(rd, &read)).unwrap();
    assert_eq!(totals, SegmentTotals { segments: 0, last: None });
    let file = Place::File { path: "segments/02.seg".into(), length: 70_000 };
    let there = file.clone();
    db.db
        .write_frames_blocking(
            vec![Frame { segment: segment_id(1), sealed: vec![1; 100] }],
            move |tx, landed| {
                assert_eq!(landed[0].place, Place::Inline);
                add_segment(tx, 1, landed[0].place.clone())?;
                add_segment(tx, 2, there)
            },
        )
        .unwrap();
    db.reopen();
    db.db
        .read_blocking(move |rd| {
            let first = segment_by_id(rd, &read, segment_id(1))?.unwrap();
            assert_eq!((first.seq, first.rows, first.length), (0, 3, 100));
            assert_eq!(first.place, Place::Inline);
            assert_eq!(first.import, Some(ImportId::from_bytes([5; 16])));
            assert_eq!((first.start_min, first.start_max), (NOW, later(3_600)));
            let second = segment_by_seq(rd, &read, 1)?.unwrap();
            assert_eq!((second.id, second.place, second.import), (segment_id(2), file, None));
            assert_eq!((second.offset, second.length), (0, 70_000));
            assert_eq!(segment_by_seq(rd, &read, 2)?, None);
            assert_eq!(segment_inline(rd, &read, 0)?, Some(vec![1; 100]));
            assert_eq!(segment_inline(rd, &read, 1)?, None);
            assert_eq!(segments_from(rd, &read, 1, 10)?.len(), 1);
            let rows = segments_from(rd, &read, 0, 10)?.iter().map(|one| u64::from(one.rows)).sum();
            assert_eq!(
                (segment_rows_from(rd, &read, 0)?, segment_rows_from(rd, &read, 9)?),
                (rows, 0)
            );
            let by = |order, reach, beyond| ByStart { order, seqs: 0..2, reach, beyond, limit: 9 };
            let mut seqs = |wanted: ByStart| -> anyhow::Result<Vec<u64>> {
                let found = segments_by_start(rd, &read, &wanted)?;
                Ok(found.into_iter().map(|one| one.seq).collect())
            };
            let (first, last) = (NOW, later(3_600));
            assert_eq!(seqs(by(Order::Latest, None, None))?, [1, 0]);
            assert_eq!(seqs(by(Order::Earliest, None, None))?, [0, 1]);
            assert_eq!(seqs(by(Order::Latest, None, Some((last, 1))))?, [0]);
            assert_eq!(seqs(by(Order::Earliest, None, Some((first, 0))))?, [1]);
            assert_eq!(seqs(by(Order::Latest, Some(later(-1)), None))?, [0; 0]);
            assert_eq!(seqs(by(Order::Earliest, Some(later(3_601)), None))?, [0; 0]);
            let mut within = |seqs, starts| -> anyhow::Result<Vec<u64>> {
                let found = segments_within(rd, &read, &Within { seqs, starts, limit: 9 })?;
                Ok(found.into_iter().map(|one| one.seq).collect())
            };
            let ever = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
            assert_eq!(within(0..2, ever.clone())?, [0, 1]);
            assert_eq!(within(1..2, ever.clone())?, [1]);
            assert_eq!(within(0..2, later(3_601)..ever.end)?, [0; 0], "they begin before");
            assert_eq!(within(0..2, ever.start..NOW)?, [0; 0], "none begins before it ends");
            let of = |import: u8| ImportId::from_bytes([import; 16]);
            assert_eq!(segments_of_import(rd, &read, of(5))?, [segment_id(1)]);
            assert_eq!(segments_of_import(rd, &read, of(6))?, []);
            assert_eq!(segment_fingerprints(rd, &read, 1)?, Some(vec![2; 24]));
            let all = segment_fingerprints_from(rd, &read, 0, 10)?;
            assert_eq!(
                all.iter().map(|one| one.segment).collect::<Vec<_>>(),
                [segment_id(1), segment_id(2)]
            );
            let totals = segment_totals(rd, &read)?;
            assert_eq!(totals, SegmentTotals { segments: 2, last: Some(1) });
            Ok(())
        })
        .unwrap();
    let twice = db.db.write_blocking(|tx| add_segment(tx, 1, Place::Inline));
    assert!(twice.is_err(), "a segment is added once");
}

pub(super) fn what_rows_say_is_kept_by_segment(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let activity = |segment, row| segment_id(segment).activity(row).unwrap();
    let alike = Alike { rows: 2, new: activity(1, 1), known: activity(9, 7) };
    let add = move |tx: &mut TenantTx, number, alike| {
        let seq = add_segment(tx, number, Place::Inline)?;
        likeness_add(tx, &write, (seq, &[number; 24]), alike)
    };
    db.db.write_blocking(move |tx| add(tx, 1, Some(alike))).unwrap();
    db.db.write_blocking(move |tx| add(tx, 2, None)).unwrap();
    db.db
        .read_blocking(move |rd| {
            let all = likenesses_from(rd, &read, 0, 10)?;
            let ids: Vec<_> = all.iter().map(|one| (one.segment, one.prints.len())).collect();
            assert_eq!(ids, [(segment_id(1), 24), (segment_id(2), 24)]);
            assert_eq!(likenesses_from(rd, &read, all[0].seq + 1, 10)?, all[1..]);
            let of = |import: u8| ImportId::from_bytes([import; 16]);
            assert_eq!(alike_of_import(rd, &read, of(5))?, Some(alike));
            assert_eq!(alike_of_import(rd, &read, of(6))?, None);
            Ok(())
        })
        .unwrap();
}

fn import(number: u8) -> Import {
    Import {
        id: ImportId::from_bytes([number; 16]),
        seq: 4,
        mode: Mode::Partial,
        file: Digest::of(b"file"),
        file_name: "meters \u{2013} 2022.csv".into(),
        file_length: 1 << 40,
        media_type: "text/csv".into(),
        mapping: "estate-hourly".into(),
        mapping_digest: (number == 1).then(|| Digest::of(b"mapping")),
        counts: Counts { accepted: 8_760, duplicate: 1, quarantined: 2, rejected: 3, skipped: 4 },
        created_at: NOW,
        source_until: later(7 * 365 * 86_400),
        skipped_rows: if number == 1 { String::new() } else { "[\"Total\"]".into() },
    }
}

pub(super) fn an_import_keeps_its_counts_and_its_bad_rows(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let bad = ImportRow {
        number: 0,
        row: 17,
        line: 19,
        outcome: "rejected".into(),
        code: "not_a_number".into(),
        field: "/quantity".into(),
        detail: "'n/a' is no number".into(),
        hint: "add it to null".into(),
        column: "equipment load [kWh]".into(),
        cell: "n/\0a".into(),
    };
    let rows: Vec<_> = (0..3).map(|number| ImportRow { number, ..bad.clone() }).collect();
    db.db
        .write_blocking(move |tx| {
            for number in [1, 2, 3] {
                import_add(tx, &write, &import(number))?;
            }
            import_rows_add(tx, &write, &import(1), &rows)
        })
        .unwrap();
    db.db
        .read_blocking(move |rd| {
            assert_eq!(import_by_id(rd, &read, import(1).id)?, Some(import(1)));
            assert_eq!(import_by_id(rd, &read, ImportId::from_bytes([9; 16]))?, None);
            assert_eq!(imports_count(rd, &read)?, 3);
            assert_eq!(imports_before(rd, &read, None, 2)?, [import(3), import(2)]);
            assert_eq!(imports_before(rd, &read, Some(import(2).id), 2)?, [import(1)]);
            let rows = import_rows(rd, &read, import(1).id, Page { from: 1, limit: 10 })?;
            assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(import_rows_count(rd, &read, import(1).id)?, 3);
            assert_eq!(import_rows_count(rd, &read, import(2).id)?, 0);
            assert_eq!((rows[0].cell.as_str(), rows[0].line), ("n/\u{fffd}a", 19));
            Ok(())
        })
        .unwrap();
    let day = 86_400;
    let sweep = grant::<Calculate>();
    let swept = |at| db.db.write_blocking(move |tx| import_rows_sweep(tx, &sweep, at)).unwrap();
    assert_eq!(swept(later(30 * day - 1)), 0);
    assert_eq!(swept(later(30 * day)), 3);
}

pub(super) fn a_mapping_has_versions(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let put = |name: &'static str, tree: &'static str| {
        db.db
            .write_blocking(move |tx| {
                let digest = Digest::of_parts(&[name.as_bytes(), tree.as_bytes()]);
                mapping_put(tx, &write, NewMapping { digest, name, tree }, NOW)
            })
            .unwrap()
    };
    let first = put("meters", "{}");
    let second = put("meters", "{\"format\":\"csv\"}");
    let other = put("cards", "{}");
    assert_eq!(put("cards", "{}"), other, "the newest version stays as it is");
    let again = put("meters", "{}");
    assert_eq!((again.digest, again.seq > other.seq), (first.digest, true), "it is newest again");
    db.db
        .read_blocking(move |rd| {
            assert_eq!(mapping_by_name(rd, &read, "meters")?, Some(again.clone()));
            assert_eq!(mapping_by_digest(rd, &read, second.digest)?, Some(second));
            assert_eq!(mapping_by_digest(rd, &read, first.digest)?, Some(again.clone()));
            assert_eq!(mapping_by_name(rd, &read, "none")?, None);
            assert_eq!(mappings_all(rd, &read)?, [other, again]);
            Ok(())
        })
        .unwrap();
    let archive = |name: &'static str, since| {
        db.db
            .write_blocking(move |tx| mapping_archive(tx, &write, (name, since), later(9)))
            .unwrap()
    };
    assert_eq!(archive("none", Some(later(9))), None);
    let archived = archive("meters", Some(later(9))).unwrap();
    assert_eq!((archived.archived, archived.digest), (Some(later(9)), first.digest));
    assert_eq!(archive("meters", Some(later(9))), Some(archived.clone()), "nothing to do");
    let all = db.db.read_blocking(move |rd| mappings_all(rd, &read)).unwrap();
    assert_eq!(all.last(), Some(&archived), "whoever lists them leaves it out");
    let back = archive("meters", None).unwrap();
    assert!(back.archived.is_none() && back.seq > archived.seq);
    let archived = archive("meters", Some(later(10))).unwrap();
    let saved = put("meters", "{}");
    assert!(saved.archived.is_none() && saved.seq > archived.seq, "saving brings it back");
}

pub(super) fn an_activity_has_one_successor(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let activity = |row: u32| segment_id(1).activity(row).unwrap();
    let change = move |old: ActivityId, fate, seq| Supersession {
        old,
        new: segment_id(2).activity(0).unwrap(),
        seq,
        fate,
        reason: "read again".into(),
    };
    let add = |new: Supersession| {
        db.db.write_blocking(move |tx| supersession_add(tx, &write, &new)).unwrap()
    };
    assert!(add(change(activity(1), Fate::Replaced, 5)));
    assert!(add(change(activity(2), Fate::Voided, 6)));
    assert!(!add(change(activity(1), Fate::Voided, 7)), "it has a successor already");
    db.db
        .read_blocking(move |rd| {
            let first = change(activity(1), Fate::Replaced, 5);
            assert_eq!(supersession_of(rd, &read, activity(1))?, Some(first.clone()));
            assert_eq!(supersession_of(rd, &read, activity(3))?, None);
            assert_eq!(supersessions_of_seq(rd, &read, 6)?.len(), 1);
            let range = ActivityRange { first: activity(0), last: activity(9) };
            assert_eq!(supersessions_between(rd, &read, range, 5)?, [first]);
            assert_eq!(supersessions_between(rd, &read, range, 6)?.len(), 2);
            Ok(())
        })
        .unwrap();
}

pub(super) fn what_took_an_activitys_place_is_followed_to_its_end(db: &mut TestDb) {
    let (read, write) = (grant::<ReadActivities>(), grant::<WriteActivities>());
    let activity = |row: u32| segment_id(1).activity(row).unwrap();
    // 1 is voided by 9, which 4 takes the place of, which is voided by 2; 3 is another's.
    let steps = [(4, 2, Fate::Voided, 6), (1, 9, Fate::Voided, 5), (9, 4, Fate::Replaced, 6)];
    let steps = [&steps[..], &[(3, 8, Fate::Replaced, 7)]].concat();
    for (old, new, fate, seq) in steps {
        let (old, new) = (activity(old), activity(new));
        let step = Supersession { old, new, seq, fate, reason: String::new() };
        assert!(db.db.write_blocking(move |tx| supersession_add(tx, &write, &step)).unwrap());
    }
    db.db
        .read_blocking(move |rd| {
            let mut after = |row| -> anyhow::Result<Vec<_>> {
                let chain = supersessions_after(rd, &read, activity(row))?;
                Ok(chain.iter().map(|step| (step.old, step.new, step.fate)).collect())
            };
            let step = |old, new, fate| (activity(old), activity(new), fate);
            let all =
                [step(1, 9, Fate::Voided), step(9, 4, Fate::Replaced), step(4, 2, Fate::Voided)];
            assert_eq!(after(1)?, all);
            assert_eq!(after(4)?, all[2..]);
            assert_eq!(after(2)?, []);
            Ok(())
        })
        .unwrap();
}

pub(super) fn segments_are_found_by_the_words_they_name(db: &mut TestDb) {
    let words = [
        Word { kind: "facility", word: "b24" },
        Word { kind: "source", word: "b24" },
        Word { kind: "facility", word: "b24" },
    ];
    // Of many words, two segments name the same hundred, one of them a few more.
    let many: Vec<String> = (0..120).map(|meter| format!("m{meter:03}")).collect();
    let meters: Vec<String> = many.clone();
    let numbers = Numbers::default();
    let kept = numbers.clone();
    let learned = db
        .db
        .write_blocking(move |tx| {
            let few = &words[..1];
            mentions_add(tx, &grant(), (4, &words), &kept)?;
            mentions_add(tx, &grant(), (9, few), &kept)?;
            let source = |word: &'_ String| Word { kind: "source", word: word.clone().leak() };
            let all: Vec<Word<'_>> = meters.iter().map(source).collect();
            mentions_add(tx, &grant(), (5, &all[..100]), &kept)?;
            let facility = Word { kind: "facility", word: "b24" };
            let all: Vec<Word<'_>> = all.into_iter().chain([facility]).collect();
            mentions_add(tx, &grant(), (7, &all), &kept)
        })
        .unwrap();
    numbers.learn(learned);
    let found = |words: &[Word<'static>], from, limit| {
        let (slice, words) = (Slice { from, limit }, words.to_vec());
        db.db.read_blocking(move |rd| mentions_of(rd, &grant(), words, slice)).unwrap()
    };
    let [b24, source, _] = words;
    assert_eq!(found(&[b24], 0, 10), [4, 7, 9]);
    assert_eq!(found(&[b24], 5, 10), [7, 9]);
    assert_eq!(found(&[b24], 0, 1), [4]);
    assert_eq!(found(&[source], 0, 10), [4]);
    let meter = |word| Word { kind: "source", word };
    assert_eq!(found(&[meter("m007")], 0, 10), [5, 7]);
    assert_eq!(found(&[meter("m007")], 6, 10), [7]);
    assert_eq!(found(&[meter("m007")], 0, 1), [5]);
    assert_eq!(found(&[meter("m119"), source], 0, 10), [4, 7]);
    assert!(found(&[meter("m120")], 0, 10).is_empty());
    // What was learned is as good as what is looked up.
    let again: Vec<Word<'static>> = many.iter().map(|word| meter(word.clone().leak())).collect();
    let kept = numbers.clone();
    let write = db.db.write_blocking(move |tx| {
        mentions_add(tx, &grant(), (11, &again[..50]), &kept)?;
        mentions_add(tx, &grant(), (12, &again[20..]), &Numbers::default())
    });
    write.unwrap();
    assert_eq!(found(&[meter("m007")], 0, 10), [5, 7, 11]);
    assert_eq!(found(&[meter("m119")], 0, 10), [7, 12]);
}

fn answer(key: &str, body: AnswerPlace, seconds: i64) -> KeptAnswer {
    KeptAnswer {
        key_hash: Digest::of(key.as_bytes()),
        fingerprint: Digest::of(b"request"),
        status: 201,
        media_type: "application/json".into(),
        body,
        key_version: 1,
        created_at: later(seconds),
    }
}

pub(super) fn an_answer_is_kept_and_found_again(db: &mut TestDb) {
    let write = grant::<WriteActivities>();
    let small = answer("small", AnswerPlace::Inline(vec![1, 2, 3]), 0);
    let large = answer("large", AnswerPlace::Object("sources/large".into()), 100);
    let (one, two) = (small.clone(), large.clone());
    db.db
        .write_blocking(move |tx| {
            idempotency_add(tx, &write, &one)?;
            idempotency_add(tx, &write, &two)
        })
        .unwrap();
    let undone = db.db.write_blocking(move |tx| {
        idempotency_add(tx, &write, &answer("undone", AnswerPlace::Inline(vec![]), 0))?;
        anyhow::Ok(()).and(Err::<(), _>(anyhow::anyhow!("undo it")))
    });
    assert!(undone.is_err());
    let kept = |db: &TestDb, key: &'static str, not_before| {
        let hash = Digest::of(key.as_bytes());
        db.db.read_blocking(move |rd| idempotency_by_key(rd, &write, hash, not_before)).unwrap()
    };
    assert_eq!(kept(db, "undone", NOW), None);
    let third = answer("third", AnswerPlace::Inline(vec![3]), 200);
    let copy = third.clone();
    db.db.write_blocking(move |tx| idempotency_add(tx, &write, &copy)).unwrap();
    assert_eq!(kept(db, "undone", NOW), None, "its number is another key's now");
    assert_eq!(kept(db, "small", NOW), Some(small));
    db.reopen();
    assert_eq!(kept(db, "large", NOW), Some(large.clone()));
    assert_eq!(kept(db, "large", later(101)), None, "too old to answer");
    let swept = db.db.write_blocking(move |tx| idempotency_sweep(tx, &write, later(50))).unwrap();
    assert_eq!(swept, Dropped { rows: 1, objects: vec![] });
    assert_eq!(kept(db, "small", NOW), None);
    assert_eq!((kept(db, "large", NOW), kept(db, "third", NOW)), (Some(large), Some(third)));
    let objects = |db: &TestDb| {
        db.db.read_blocking(move |rd| idempotency_objects(rd, &grant::<ReadActivities>())).unwrap()
    };
    assert_eq!(objects(db), [(Digest::of(b"large"), "sources/large".to_owned())]);
    let swept = db.db.write_blocking(move |tx| idempotency_sweep(tx, &write, later(150))).unwrap();
    assert_eq!(swept, Dropped { rows: 1, objects: vec!["sources/large".to_owned()] });
    assert_eq!(objects(db), []);
}
