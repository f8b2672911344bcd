//! Packs, runs, whys, blocks, sums, unresolved rows.

use std::collections::BTreeMap;

use envora_domain::access::actions::{ActivatePack, Calculate, ReadFactors, ReadResults};
use envora_domain::catalogue::{Bucket, Market, Slot};
use envora_domain::decimal::Mass;
use envora_domain::gwp::{Carbon, Gas, GwpSet};
use envora_domain::hash::Digest;
use envora_domain::id::{ActivityId, RunId};
use envora_domain::rollups::{Form, FormLine, Group, Made, Pile};
use envora_domain::time::Day;
use envora_store::audit::audit_head;
use envora_store::blocks::{
    Block, BlockKind, BlockPlace, BlockSlice, Delta, DeltaSlice, block_add, block_of_segment,
    block_split, blocks_from, delta_add, deltas_after, deltas_of_segment,
};
use envora_store::cells::{cells_any, cells_between};
use envora_store::chosen::chosen_between;
use envora_store::packs::{
    NewOwnPack, NewPack, PackAdded, StoredPack, pack_activate, pack_add, packs_active, packs_stored,
};
use envora_store::rollups::{
    Added, Grain, RollupChanges, Sweep, Swept, rollup_counts, rollup_forms, rollup_groups,
    rollup_years, rollups_add, rollups_between, rollups_gather, rollups_of_before, rollups_seen,
    rollups_sweep,
};
use envora_store::runs::{
    Advance, NewRun, RunState, run_advance, run_by_id, run_catching_up, run_current, run_start,
    run_switch, runs_abandon, runs_all,
};
use envora_store::unresolved::{
    DayRange, Unresolved, unresolved_between, unresolved_of_seq, unresolved_put, unresolved_seqs,
};
use envora_store::whys::{why_by_number, why_put, whys_of_run};
use envora_testkit::databases::{TestDb, grant};

use super::{NOW, later};

const RUN: RunId = RunId::from_bytes([1; 16]);
const NEXT: RunId = RunId::from_bytes([2; 16]);

fn started(db: &TestDb) {
    db.db
        .write_blocking(|tx| {
            for id in [RUN, NEXT] {
                let identity = "{\"engine\":1}".to_owned();
                let new = NewRun { id, digest: Digest::of(&id.bytes()), identity };
                run_start(tx, &grant::<Calculate>(), &new, NOW)?;
            }
            Ok(())
        })
        .unwrap();
}

pub(super) fn a_pack_takes_the_place_of_its_version_before(db: &mut TestDb) {
    let activate = |pack: &'static str, version: &'static str| {
        db.db
            .write_blocking(move |tx| {
                let digest = Digest::of(version.as_bytes());
                let new = NewPack { pack: pack.into(), version: version.into(), digest };
                pack_activate(tx, &grant::<ActivatePack>(), &new, NOW)
            })
            .unwrap()
            .seq
    };
    assert_eq!([activate("desnz", "2022"), activate("epa", "2022")], [0, 1]);
    assert_eq!(activate("desnz", "2022"), 0, "an active pack is not activated again");
    assert_eq!(activate("desnz", "2023"), 2);
    let active = |seq| {
        let read = grant::<ReadFactors>();
        let found = db.db.read_blocking(move |rd| packs_active(rd, &read, seq)).unwrap();
        found.into_iter().map(|one| one.pack.pack + " " + &one.pack.version).collect::<Vec<_>>()
    };
    assert_eq!(active(1), ["desnz 2022", "epa 2022"]);
    assert_eq!(active(u64::MAX), ["desnz 2023", "epa 2022"]);
}

pub(super) fn an_own_pack_is_kept_once_by_its_digest(db: &mut TestDb) {
    let new = |version: &str| {
        let digest = Digest::of(version.as_bytes());
        let pack = NewPack { pack: "suppliers".into(), version: version.into(), digest };
        let file = Digest::of(b"as sent");
        NewOwnPack { pack, factors: 3, file_name: "suppliers.csv".into(), file }
    };
    let add = |version: &'static str| {
        let new = new(version);
        let grant = grant::<ActivatePack>();
        db.db.write_blocking(move |tx| pack_add(tx, &grant, &new, NOW)).unwrap()
    };
    let stored = |version, seq| StoredPack { new: new(version), seq, added_at: NOW };
    assert_eq!(add("a1"), PackAdded::New(stored("a1", 0)));
    assert_eq!(add("b2"), PackAdded::New(stored("b2", 1)));
    assert_eq!(add("a1"), PackAdded::Known(stored("a1", 0)), "it is there, and no leaf is added");
    let read = grant::<ReadFactors>();
    let (all, active, head) = db
        .db
        .read_blocking(move |rd| {
            Ok((packs_stored(rd, &read)?, packs_active(rd, &read, u64::MAX)?, audit_head(rd)?))
        })
        .unwrap();
    assert_eq!(all, [stored("a1", 0), stored("b2", 1)]);
    assert_eq!((active, head.size), (Vec::new(), 2), "what is kept is not yet active");
}

pub(super) fn a_run_catches_up_and_takes_over(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    assert_eq!(db.db.read_blocking(move |rd| run_current(rd, &read)).unwrap(), None);
    let advance = |id, from, to| {
        let step = (Advance { from, to }, later(1));
        db.db.write_blocking(move |tx| run_advance(tx, &work, id, step))
    };
    advance(RUN, 0, 2).unwrap();
    assert!(advance(RUN, 0, 2).is_err(), "the same step twice would count twice");
    let switch = |id| db.db.write_blocking(move |tx| run_switch(tx, &work, id, later(2)));
    let next = |db: &TestDb| {
        let found = db.db.read_blocking(move |rd| run_catching_up(rd, &read)).unwrap();
        found.map(|run| run.id)
    };
    assert_eq!(next(db), Some(NEXT), "the newest of them");
    assert_eq!(switch(RUN).unwrap(), 2);
    assert!(switch(RUN).is_err(), "a current run takes over from nobody");
    assert_eq!(switch(NEXT).unwrap(), 3);
    assert_eq!(next(db), None);
    assert!(advance(RUN, 2, 3).is_err(), "a retired run stands");
    db.db
        .read_blocking(move |rd| {
            let now = run_current(rd, &read)?.unwrap();
            assert_eq!((now.id, now.switched_seq, now.started_seq), (NEXT, 3, 1));
            let before = run_by_id(rd, &read, RUN)?.unwrap();
            assert_eq!((before.state, before.calculated_to), (RunState::Retired, 2));
            assert_eq!(before.calculated_at, later(1));
            assert_eq!(runs_all(rd, &read)?.len(), 2);
            Ok(())
        })
        .unwrap();
}

pub(super) fn a_why_has_one_number(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    let put = |run, json: &'static str| {
        db.db.write_blocking(move |tx| why_put(tx, &work, run, json)).unwrap()
    };
    assert_eq!([put(RUN, "{\"a\":1}"), put(RUN, "{\"b\":1}"), put(RUN, "{\"a\":1}")], [1, 2, 1]);
    assert_eq!(put(NEXT, "{\"b\":1}"), 1, "numbers are a run's own");
    db.db
        .read_blocking(move |rd| {
            let second = why_by_number(rd, &read, RUN, 2)?.unwrap();
            assert_eq!(second.json, "{\"b\":1}");
            assert_eq!(second.digest, Digest::of(b"{\"b\":1}"));
            assert_eq!(why_by_number(rd, &read, RUN, 3)?, None);
            assert_eq!(whys_of_run(rd, &read, RUN)?.len(), 2);
            Ok(())
        })
        .unwrap();
}

pub(super) fn a_block_is_found_by_its_seq(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    let block = |seq, kind, place| Block { seq, kind, place, key_version: 1 };
    let first = block(7, BlockKind::Segment, BlockPlace::Inline(vec![1, 2]));
    let object = BlockPlace::Object { path: "blocks/08".into(), length: 40_000 };
    let second = block(8, BlockKind::Segment, object);
    let delta = block(8, BlockKind::Delta, BlockPlace::Inline(vec![3]));
    let blocks = [first.clone(), second.clone(), delta.clone()];
    let add = move |db: &TestDb| {
        let blocks = blocks.clone();
        db.db.write_blocking(move |tx| {
            blocks.iter().try_for_each(|block| block_add(tx, &work, RUN, block))
        })
    };
    add(db).unwrap();
    assert!(add(db).is_err(), "a block is never written again");
    db.db
        .read_blocking(move |rd| {
            assert_eq!(block_of_segment(rd, &read, RUN, 7)?, Some(first.clone()));
            assert_eq!(block_of_segment(rd, &read, NEXT, 7)?, None);
            let mut slice = BlockSlice { kind: BlockKind::Segment, from: 0, limit: 10 };
            assert_eq!(blocks_from(rd, &read, RUN, slice)?, [first, second]);
            slice.kind = BlockKind::Delta;
            assert_eq!(blocks_from(rd, &read, RUN, slice)?, [delta]);
            Ok(())
        })
        .unwrap();
}

pub(super) fn a_delta_is_found_by_its_segment(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    let delta = |segment, seq, byte| Delta {
        segment,
        seq,
        place: BlockPlace::Inline(vec![byte]),
        key_version: 1,
    };
    let whole = BlockPlace::Inline(vec![9]);
    let whole = Block { seq: 9, kind: BlockKind::Delta, place: whole, key_version: 1 };
    let object = BlockPlace::Object { path: "blocks/09".into(), length: 40_000 };
    let far = Delta { place: object, ..delta(8, 9, 0) };
    let first = [delta(0, 8, 1), delta(7, 8, 2)];
    let split = [delta(7, 9, 3), far.clone()];
    let (add, parted) = (first.clone(), split.clone());
    let written = db.db.write_blocking(move |tx| {
        add.iter().try_for_each(|delta| delta_add(tx, &work, RUN, delta))?;
        block_add(tx, &work, RUN, &whole)?;
        block_split(tx, &work, (RUN, 9), &parted)
    });
    written.unwrap();
    let again = split.clone();
    let twice = db.db.write_blocking(move |tx| block_split(tx, &work, (RUN, 9), &again));
    assert!(twice.is_err(), "a block is split once");
    let twice = delta(7, 8, 2);
    let twice = db.db.write_blocking(move |tx| delta_add(tx, &work, RUN, &twice));
    assert!(twice.is_err(), "a delta is never written again");
    db.db
        .read_blocking(move |rd| {
            let whole = BlockSlice { kind: BlockKind::Delta, from: 0, limit: 10 };
            assert_eq!(blocks_from(rd, &read, RUN, whole)?, []);
            let mut of = |run, segment, (from, to), limit| {
                deltas_of_segment(rd, &read, run, DeltaSlice { segment, from, to, limit })
            };
            assert_eq!(of(RUN, 7, (0, 9), 10)?, [delta(7, 8, 2), delta(7, 9, 3)]);
            assert_eq!(of(RUN, 7, (0, 8), 10)?, [delta(7, 8, 2)], "as of a seq");
            assert_eq!(of(RUN, 7, (9, 9), 10)?, [delta(7, 9, 3)]);
            assert_eq!(of(RUN, 7, (0, 9), 1)?, [delta(7, 8, 2)]);
            assert_eq!(of(NEXT, 7, (0, 9), 10)?, [], "a run's own");
            let after = |rd: &mut _, after, limit| deltas_after(rd, &read, RUN, (after, limit));
            let [zero, seven] = first.clone();
            assert_eq!(after(rd, None, 2)?, [zero, seven]);
            assert_eq!(after(rd, Some((7, 8)), 10)?, split);
            assert_eq!(after(rd, Some((8, 9)), 10)?, []);
            Ok(())
        })
        .unwrap();
}

fn group(why: u32) -> Group {
    Group {
        facility: Some([4; 16]),
        source: None,
        kind: "electricity.purchased".into(),
        data_kind: String::new(),
        primary: Some(true),
        why,
    }
}

fn form() -> Form {
    let line = FormLine {
        slot: Slot::S1,
        scope: 1,
        category: 0,
        market: Market::None,
        bucket: Bucket::InScope,
        gas: Gas::CO2,
        carbon: Carbon::Fossil,
        basis: GwpSet::Ar4,
        tier: 1,
        made: Made { kg: Some(0), co2e: [Some(1), None, None, None] },
    };
    Form { lines: vec![line] }
}

type Place = (Grain, i32, u32);

fn sums(piles: impl IntoIterator<Item = (Place, Pile)>) -> RollupChanges {
    let sums = piles.into_iter().map(|((grain, day, group), pile)| Added {
        grain,
        day: Day::from_number(day),
        group,
        why: 7,
        pile,
    });
    RollupChanges { sums: sums.collect(), ..RollupChanges::default() }
}

fn pile(count: i64, units: &[i128]) -> Pile {
    Pile { count, masses: units.iter().copied().map(Mass::from_units).collect() }
}

fn between(db: &TestDb, run: RunId, grain: Grain, days: (i32, i32)) -> Vec<(i32, u32, Pile)> {
    let days = DayRange { from: Day::from_number(days.0), to: Day::from_number(days.1) };
    let read = grant::<ReadResults>();
    db.db
        .read_blocking(move |rd| {
            let (mut found, mut seen) = (Vec::new(), Vec::new());
            rollups_between(rd, &read, run, (grain, days), |day, group, pile| {
                found.push((day.number(), group, pile.clone()));
                Ok(())
            })?;
            rollups_seen(rd, &read, run, (grain, days), |day, group| {
                seen.push((day.number(), group));
                Ok(())
            })?;
            assert!(found.iter().map(|(day, group, _)| (*day, *group)).eq(seen));
            Ok(found)
        })
        .unwrap()
}

pub(super) fn sums_add_up_exactly(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    let add = |changes: RollupChanges| {
        db.db.write_blocking(move |tx| rollups_add(tx, &work, RUN, changes)).unwrap();
    };
    // Near the largest that a mass holds and below zero: what a float or a 64-bit sum would lose.
    let large = 10_i128.pow(37) + 1;
    let (one, two) = ((Grain::Day, 18_993, 1), (Grain::Day, 18_993, 2));
    let month = (Grain::Anywhere, 18_993, 2);
    add(RollupChanges {
        forms: vec![(7, form())],
        groups: vec![(1, group(7)), (2, group(7).anywhere())],
        ..sums([(one, pile(1, &[large, -5])), (month, pile(1, &[3, 4]))])
    });
    add(RollupChanges {
        groups: vec![(3, group(8))],
        ..sums([(one, pile(1, &[2, -1])), (two, pile(1, &[7, 7]))])
    });
    add(sums([(two, pile(-1, &[-7, -7])), ((Grain::Day, 18_995, 1), pile(0, &[0, 0]))]));
    assert_eq!(between(db, RUN, Grain::Day, (0, 30_000)), [(18_993, 1, pile(2, &[large + 2, -6]))]);
    assert_eq!(between(db, RUN, Grain::Day, (18_994, 30_000)), []);
    assert_eq!(between(db, RUN, Grain::Month, (0, 30_000)), []);
    assert_eq!(between(db, RUN, Grain::Anywhere, (0, 30_000)), [(18_993, 2, pile(1, &[3, 4]))]);
    assert_eq!(between(db, NEXT, Grain::Day, (0, 30_000)), [], "a run's own");
    db.db
        .read_blocking(move |rd| {
            let groups = [group(7), group(7).anywhere(), group(8)];
            assert_eq!(rollup_groups(rd, &read, RUN)?, groups);
            assert_eq!(rollup_counts(rd, &read, RUN)?, (3, 1));
            assert_eq!(rollup_forms(rd, &read, RUN)?, BTreeMap::from([(7, form())]));
            let days = DayRange { from: Day::from_number(0), to: Day::from_number(30_000) };
            assert!(!cells_any(rd, &read, RUN)?, "of runs of before alone");
            assert_eq!(cells_between(rd, &read, RUN, days)?, []);
            assert_eq!(chosen_between(rd, &read, RUN, days)?, []);
            Ok(())
        })
        .unwrap();
    let years = || db.db.read_blocking(move |rd| rollup_years(rd, &read, RUN)).unwrap();
    assert_eq!(years(), [2022]);
    let days = [Day::from_ymd(1999, 12, 1), Day::from_ymd(2024, 2, 1), Day::from_ymd(2024, 3, 1)];
    let more = days.map(|day| ((Grain::Anywhere, day.unwrap().number(), 2), pile(1, &[1, 1])));
    add(sums(more.clone()));
    assert_eq!(years(), [1999, 2022, 2024], "a year without any is none");
    add(sums([(more[0].0, pile(-1, &[-1, -1]))]));
    assert_eq!(years(), [2022, 2024], "one whose rows are gone neither");
    let more = db.db.write_blocking(move |tx| rollups_gather(tx, &work)).unwrap();
    assert!(!more, "none is of before");
    assert!(!db.db.read_blocking(move |rd| rollups_of_before(rd, &read)).unwrap());
    assert_eq!(years(), [2022, 2024]);
    let again = RollupChanges { groups: vec![(3, group(9))], ..RollupChanges::default() };
    let twice = db.db.write_blocking(move |tx| rollups_add(tx, &work, RUN, again));
    assert!(twice.is_err(), "a group keeps its number");
}

pub(super) fn sums_of_retired_runs_go_in_batches(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    for run in [RUN, NEXT] {
        let days = (0..25).map(|day| {
            // Two of a month, of one grain and the other.
            let grain = if day < 24 { Grain::Day } else { Grain::Month };
            ((grain, 19_000 + day / 2 * 31 + day % 2, 1), pile(1, &[1, 1]))
        });
        let changes =
            RollupChanges { forms: vec![(7, form())], groups: vec![(1, group(7))], ..sums(days) };
        db.db.write_blocking(move |tx| rollups_add(tx, &work, run, changes)).unwrap();
    }
    let switch = |id, at| db.db.write_blocking(move |tx| run_switch(tx, &work, id, at)).unwrap();
    let sweep = |before, held: &[RunId]| {
        let sweep = Sweep { before, held: held.to_vec(), sums_max: 10 };
        db.db.write_blocking(move |tx| rollups_sweep(tx, &work, &sweep)).unwrap()
    };
    let left = |run| {
        let of = |grain| between(db, run, grain, (0, 30_000)).len();
        of(Grain::Day) + of(Grain::Month)
    };
    let groups = |run| db.db.read_blocking(move |rd| rollup_groups(rd, &read, run)).unwrap().len();
    let nothing = Swept { sums: 0, more: false };
    switch(RUN, later(10));
    assert_eq!(sweep(later(1_000), &[]), nothing, "the current run's stay, the next one's too");
    switch(NEXT, later(20));
    assert_eq!(sweep(later(19), &[]), nothing, "its time has not come");
    assert_eq!(sweep(later(20), &[RUN]), nothing, "a lock holds it");
    assert_eq!(sweep(later(20), &[]), Swept { sums: 10, more: true });
    assert_eq!((left(RUN), left(NEXT)), (15, 25));
    assert_eq!(sweep(later(20), &[]), Swept { sums: 10, more: true });
    assert_eq!(sweep(later(20), &[]), Swept { sums: 5, more: false });
    assert_eq!(sweep(later(20), &[]), nothing);
    assert_eq!((left(RUN), left(NEXT)), (0, 25));
    assert_eq!((groups(RUN), groups(NEXT)), (0, 1), "with the last sums go their groups");
    // One that was never seen by anybody need not wait.
    let third = RunId::from_bytes([3; 16]);
    let new = NewRun { id: third, digest: Digest::of(b"3"), identity: "{}".to_owned() };
    let changes = sums([((Grain::Day, 19_000, 1), pile(1, &[1]))]);
    db.db
        .write_blocking(move |tx| {
            run_start(tx, &work, &new, later(30))?;
            rollups_add(tx, &work, third, changes)
        })
        .unwrap();
    assert_eq!(sweep(later(0), &[]), nothing, "it is catching up");
    assert_eq!(db.db.write_blocking(move |tx| runs_abandon(tx, &work, NEXT)).unwrap(), 1);
    assert_eq!(sweep(later(0), &[]), Swept { sums: 1, more: false });
}

pub(super) fn unresolved_rows_are_said_anew(db: &mut TestDb) {
    let (read, work) = (grant::<ReadResults>(), grant::<Calculate>());
    started(db);
    let row = |word: &str, day: i32| Unresolved {
        seq: 4,
        code: "unknown_facility".into(),
        word: word.into(),
        day_min: Day::from_number(day),
        day_max: Day::from_number(day + 9),
        activities: 12,
        example: ActivityId::from_bytes([7; 16]),
        remedy: "add the facility".into(),
    };
    let put = |rows: Vec<Unresolved>| {
        db.db.write_blocking(move |tx| unresolved_put(tx, &work, (RUN, 4), &rows)).unwrap();
    };
    put(vec![row("b24", 100), row("b25", 200)]);
    let found = |from, to| {
        let days = DayRange { from: Day::from_number(from), to: Day::from_number(to) };
        db.db.read_blocking(move |rd| unresolved_between(rd, &read, RUN, days)).unwrap()
    };
    assert_eq!(found(0, 300).len(), 2);
    assert_eq!(found(109, 200), [row("b24", 100)]);
    assert_eq!(found(110, 200), []);
    put(vec![row("b25", 200)]);
    let left = db.db.read_blocking(move |rd| unresolved_of_seq(rd, &read, RUN, 4)).unwrap();
    assert_eq!(left, [row("b25", 200)]);
    let seqs = || db.db.read_blocking(move |rd| unresolved_seqs(rd, &read, RUN)).unwrap();
    assert_eq!(seqs(), [4]);
    put(vec![]);
    assert_eq!(seqs(), [0_u64; 0]);
}
