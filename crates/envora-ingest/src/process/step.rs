//! Step: the events of a snapshot, worked out and written in one transaction.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context as _, ensure};
use envora_crypto::aad::Purpose;
use envora_crypto::tenant::Object;
use envora_domain::id::RunId;
use envora_domain::planted::planted;
use envora_domain::ports::Place;
use envora_domain::time::{Day, Timestamp};
use envora_store::blocks::{Block, BlockKind, BlockPlace, Delta, block_add, delta_add};
use envora_store::mentions::{Slice, mentions_of};
use envora_store::rollups::{RollupChanges, rollups_add};
use envora_store::runs::{Advance, RunState, run_advance, run_switch};
use envora_store::segments::segment_by_seq;
use envora_store::unresolved::{Unresolved, unresolved_put};
use envora_store::whys::why_put;

use super::Progress;
use super::block::{Again, Recorded, encode_delta, encode_segment};
use super::decide::{Decider, Decision, State};
use super::events::{Event, Snapshot, snapshot};
use super::groups::Groups;
use super::runs::Engine;
use super::scan::Loaded;
use super::sums::{Sign, Sums};
use crate::registry::{Changed, Mention, Registry};
use crate::tenant::TenantParts;

/// Segments that a word may be looked up in at once.
const MENTIONS_MAX: u32 = 1_000_000;

/// What a step has worked out so far.
struct Draft<'a> {
    parts: &'a TenantParts,
    decider: Decider<'a>,
    sums: Sums,
    /// By the seq of the segment.
    blocks: Vec<(u64, Vec<u8>)>,
    /// By the seqs of the cause and of the segment.
    deltas: Vec<((u64, u64), Vec<u8>)>,
    unresolved: BTreeMap<u64, Vec<Unresolved>>,
    rows: u64,
    skips_late_rows: bool,
    latest: Option<Day>,
}

/// Works out and writes what a run has to do next.
pub(super) fn step(parts: &TenantParts, engine: &mut Engine) -> anyhow::Result<Progress> {
    let Snapshot { registry, events, from, to, head } = snapshot(parts, engine.run.id)?;
    let switch = engine.run.state == RunState::CatchingUp && to == head;
    let now = parts.clock.now();
    let progress = Progress { calculated_to: to, head, rows: 0, caught_up: to == head, at: now };
    if from == to && !switch {
        return Ok(progress);
    }
    let known = engine.choices.count();
    let memory = core::mem::take(&mut engine.memory);
    let decider = Decider::knowing(memory, &registry, &mut engine.choices);
    let draft = Draft::of(parts, (&registry, events), decider)?;
    let Draft { decider, sums, blocks, deltas, unresolved, rows, .. } = draft;
    engine.memory = decider.into_memory();
    let whys: Vec<String> = engine.choices.after(known).map(|chosen| chosen.json.clone()).collect();
    let mut groups = match engine.groups.take() {
        Some(groups) => groups,
        None => Groups::of_run(parts, engine.run.id)?,
    };
    let output = Output {
        run: engine.run.id,
        advance: Advance { from, to },
        whys: (known, whys),
        blocks: sealed(parts, engine.run.id, blocks)?,
        deltas: sealed_deltas(parts, engine.run.id, deltas)?,
        rollups: groups.changes(sums)?,
        unresolved,
        switch,
    };
    output.write(parts, now).context("write a step of the calculation")?;
    engine.groups = Some(groups);
    Ok(Progress { rows, caught_up: to == head && !switch, ..progress })
}

/// Works out what a run has to do next, and writes nothing.
pub(super) fn rehearse(parts: &TenantParts, engine: &mut Engine) -> anyhow::Result<()> {
    let Snapshot { registry, events, .. } = snapshot(parts, engine.run.id)?;
    let decider = Decider::new(&registry, &mut engine.choices);
    let draft = Draft::of(parts, (&registry, events), decider)?;
    draft.sums.into_cells()?;
    Ok(())
}

impl<'a> Draft<'a> {
    /// What these events come to.
    fn of(
        parts: &'a TenantParts,
        (registry, events): (&'a Registry, Vec<Event>),
        decider: Decider<'a>,
    ) -> anyhow::Result<Self> {
        let mut draft = Self {
            parts,
            decider,
            sums: Sums::new(),
            blocks: Vec::new(),
            deltas: Vec::new(),
            unresolved: BTreeMap::new(),
            rows: 0,
            skips_late_rows: planted("late_row_skipped"),
            latest: None,
        };
        for event in events {
            match event {
                Event::Segment(segment) => draft.segment(Loaded::read_new(parts, segment)?)?,
                Event::Change(seq, changed) => {
                    let words: HashSet<Mention> = registry.words(changed).into_iter().collect();
                    draft.change(seq, changed, &words)?;
                }
            }
        }
        Ok(draft)
    }
}

impl Draft<'_> {
    /// The rows of a new segment, and what they make of rows before them.
    fn segment(&mut self, loaded: Loaded) -> anyhow::Result<()> {
        let seq = loaded.segment.seq;
        let mut recorded = Vec::with_capacity(loaded.rows.len());
        let mut reasons = Reasons::default();
        for (row, activity) in loaded.rows.iter().enumerate() {
            let Some(decision) = loaded.decide(&mut self.decider, row, seq) else { continue };
            recorded.push(Recorded::of(&decision));
            reasons.note(&loaded, row, &decision);
            if self.is_skipped(&decision) {
                continue;
            }
            self.sums.add(self.decider.choices(), (activity, &decision), Sign::In)?;
        }
        self.rows += loaded.rows.len() as u64;
        self.blocks.push((seq, encode_segment(&recorded)));
        self.unresolved.insert(seq, reasons.into_rows(seq));
        self.corrections(&loaded)
    }

    /// A bug that is planted on request: rows of a day before the latest seen are left out.
    fn is_skipped(&mut self, decision: &Decision) -> bool {
        if !self.skips_late_rows {
            return false;
        }
        let (first, last) = decision.span();
        let late = self.latest.is_some_and(|latest| first < latest);
        self.latest = self.latest.max(Some(last));
        late
    }

    /// Rows of other segments that rows of this one took the place of.
    fn corrections(&mut self, loaded: &Loaded) -> anyhow::Result<()> {
        let (grant, seq) = (self.parts.own.read_activities, loaded.segment.seq);
        let mut by_segment: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (segment, row) in loaded.corrects.iter().map(|old| old.place()) {
            if segment != loaded.segment.id {
                by_segment.entry(segment).or_default().push(usize::try_from(row)?);
            }
        }
        for (segment, rows) in by_segment {
            let other = self
                .parts
                .read(move |rd| envora_store::segments::segment_by_id(rd, &grant, segment))?;
            let other = other.context("find the segment of a corrected row")?;
            let other = Loaded::read(self.parts, other)?;
            self.again(seq, &other, &rows)?;
        }
        Ok(())
    }

    /// Rows that name what a facility or source changed.
    fn change(
        &mut self,
        seq: u64,
        _changed: Changed,
        words: &HashSet<Mention>,
    ) -> anyhow::Result<()> {
        let grant = self.parts.own.calculate;
        let asked: Vec<Mention> = words.iter().cloned().collect();
        let segments = self.parts.read(move |rd| {
            let words = asked.iter().map(Mention::as_word);
            mentions_of(rd, &grant, words, Slice { from: 0, limit: MENTIONS_MAX })
        })?;
        for earlier in segments.into_iter().take_while(|earlier| *earlier < seq) {
            let grant = self.parts.own.read_activities;
            let segment = self.parts.read(move |rd| segment_by_seq(rd, &grant, earlier))?;
            let loaded = Loaded::read(self.parts, segment.context("find a segment that names")?)?;
            let names = |row: &usize| {
                loaded
                    .rows
                    .get(*row)
                    .is_some_and(|activity| Mention::of(activity).any(|word| words.contains(&word)))
            };
            let rows: Vec<usize> = (0..loaded.rows.len()).filter(names).collect();
            self.again(seq, &loaded, &rows)?;
        }
        Ok(())
    }

    /// Decides rows anew because of what this seq did: what they came to goes out, what they come to
    /// now goes in.
    fn again(&mut self, seq: u64, loaded: &Loaded, rows: &[usize]) -> anyhow::Result<()> {
        let (mut again, mut reasons_moved) = (Vec::new(), false);
        for row in rows.iter().copied() {
            let Some(activity) = loaded.rows.get(row) else { continue };
            let before = loaded.decide(&mut self.decider, row, seq.saturating_sub(1));
            let after = loaded.decide(&mut self.decider, row, seq);
            let (Some(before), Some(after)) = (before, after) else { continue };
            if before == after {
                continue;
            }
            self.sums.add(self.decider.choices(), (activity, &before), Sign::Out)?;
            self.sums.add(self.decider.choices(), (activity, &after), Sign::In)?;
            reasons_moved |= [&before.state, &after.state]
                .into_iter()
                .any(|state| matches!(state, State::Unresolved(_)))
                || loaded.noticed(row).is_some();
            again.push(Again {
                row: u32::try_from(row)?,
                before: Recorded::of(&before),
                after: Recorded::of(&after),
            });
        }
        self.rows += rows.len() as u64;
        if !again.is_empty() {
            self.deltas.push(((seq, loaded.segment.seq), encode_delta(&again)));
        }
        if reasons_moved {
            let mut reasons = Reasons::default();
            for row in 0..loaded.rows.len() {
                if let Some(decision) = loaded.decide(&mut self.decider, row, seq) {
                    reasons.note(loaded, row, &decision);
                }
            }
            self.unresolved.insert(loaded.segment.seq, reasons.into_rows(loaded.segment.seq));
        }
        Ok(())
    }
}

/// Rows of a segment that do not count, by reason and word; and those that perhaps count twice.
#[derive(Default)]
pub(crate) struct Reasons(BTreeMap<(String, String), Unresolved>);

impl Reasons {
    pub(crate) fn note(&mut self, loaded: &Loaded, row: usize, decision: &Decision) {
        let (code, word, remedy) = match (&decision.state, loaded.noticed(row)) {
            (State::Unresolved(reason), _) => {
                (reason.code.as_str(), reason.word.as_str(), reason.remedy.as_str())
            }
            (State::Counted(_), Some(flag)) => (flag.as_str(), "", ""),
            (State::Counted(_) | State::Superseded | State::Voided, _) => return,
        };
        let Some(example) = loaded.id(row) else { return };
        let (first, last) = decision.span();
        let key = (code.to_owned(), word.to_owned());
        let entry = self.0.entry(key).or_insert_with(|| Unresolved {
            seq: loaded.segment.seq,
            code: code.to_owned(),
            word: word.to_owned(),
            day_min: first,
            day_max: last,
            activities: 0,
            example,
            remedy: remedy.to_owned(),
        });
        entry.activities += 1;
        entry.day_min = entry.day_min.min(first);
        entry.day_max = entry.day_max.max(last);
    }

    pub(crate) fn into_rows(self, seq: u64) -> Vec<Unresolved> {
        self.0.into_values().map(|row| Unresolved { seq, ..row }).collect()
    }
}

/// Seals blocks; a large one goes to the lake, synced before the transaction that names it.
fn sealed(
    parts: &TenantParts,
    run: RunId,
    blocks: Vec<(u64, Vec<u8>)>,
) -> anyhow::Result<Vec<Block>> {
    let (_, key_version) = parts.keys.dek(Purpose::Segment);
    let seal = |(seq, plain): (u64, Vec<u8>)| {
        let sealed = parts.keys.seal(&Object::calc_block(run, seq), &plain);
        let place = parts.lake.put_block(run, seq, &sealed).context("keep a block")?;
        Ok(Block { seq, kind: BlockKind::Segment, place: laid(place, sealed), key_version })
    };
    blocks.into_iter().map(seal).collect()
}

/// The same of deltas, each by the seqs of its cause and of its segment.
pub(super) fn sealed_deltas(
    parts: &TenantParts,
    run: RunId,
    deltas: Vec<((u64, u64), Vec<u8>)>,
) -> anyhow::Result<Vec<Delta>> {
    let (_, key_version) = parts.keys.dek(Purpose::Segment);
    let seal = |((seq, segment), plain): ((u64, u64), Vec<u8>)| {
        let sealed = parts.keys.seal(&Object::calc_delta(run, seq, segment), &plain);
        let place = parts.lake.put_delta(run, (seq, segment), &sealed).context("keep a delta")?;
        Ok(Delta { segment, seq, place: laid(place, sealed), key_version })
    };
    deltas.into_iter().map(seal).collect()
}

fn laid(place: Place, sealed: Vec<u8>) -> BlockPlace {
    match place {
        Place::Inline => BlockPlace::Inline(sealed),
        Place::File { path, length } => BlockPlace::Object { path, length },
    }
}

/// Everything that the transaction of a step writes.
struct Output {
    run: RunId,
    advance: Advance,
    whys: (usize, Vec<String>),
    blocks: Vec<Block>,
    deltas: Vec<Delta>,
    rollups: RollupChanges,
    unresolved: BTreeMap<u64, Vec<Unresolved>>,
    switch: bool,
}

impl Output {
    fn write(self, parts: &TenantParts, now: Timestamp) -> anyhow::Result<()> {
        let grant = parts.own.calculate;
        let written = parts.db.write_blocking(move |tx| {
            run_advance(tx, &grant, self.run, (self.advance, now))?;
            let (known, whys) = self.whys;
            for (place, json) in whys.iter().enumerate() {
                let number = why_put(tx, &grant, self.run, json)?;
                let due = known + place + 1;
                ensure!(usize::try_from(number)? == due, "a choice got the number of another");
            }
            for block in &self.blocks {
                block_add(tx, &grant, self.run, block)?;
            }
            for delta in &self.deltas {
                delta_add(tx, &grant, self.run, delta)?;
            }
            rollups_add(tx, &grant, self.run, self.rollups)?;
            for (seq, rows) in &self.unresolved {
                unresolved_put(tx, &grant, (self.run, *seq), rows)?;
            }
            if self.switch {
                run_switch(tx, &grant, self.run, now)?;
            }
            Ok(())
        });
        Ok(written?)
    }
}
