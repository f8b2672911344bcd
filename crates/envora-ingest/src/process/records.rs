//! Records: what the blocks of a run say of rows, read back as of a place in the log.
//!
//! Of a segment its own block is opened and what was decided anew of its rows: what reading costs
//! follows the segments that are read, however many others were decided anew.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context as _, ensure};
use envora_crypto::tenant::Object;
use envora_domain::id::RunId;
use envora_domain::ports::Place;
use envora_store::blocks::{
    Block, BlockKind, BlockPlace, BlockSlice, DeltaSlice, block_of_segment, block_split,
    blocks_from, deltas_after, deltas_of_segment,
};
use envora_store::rollups::{rollups_gather, rollups_of_before};
use envora_store::runs::runs_all;
use envora_store::segments::Segment;

use super::block::{
    Again, Recorded, counts_rows, decode_delta, decode_segment, decode_whole, encode_delta,
};
use super::step::sealed_deltas;
use crate::tenant::{Damaged, TenantParts};

/// How many blocks are looked at by one read.
const AT_A_TIME: u32 = 256;

/// The records of a run, as of a seq.
pub(crate) struct Records<'a> {
    parts: &'a TenantParts,
    run: RunId,
    seq: u64,
    /// Rows decided anew by blocks that are not split yet, by the seqs of segment and cause: none, but
    /// for a folder of before that could not be written to when it was opened.
    whole: BTreeMap<(u64, u64), Vec<Again>>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(parts: &'a TenantParts, run: RunId, seq: u64) -> anyhow::Result<Self> {
        let mut records = Self { parts, run, seq, whole: BTreeMap::new() };
        let grant = parts.own.read_results;
        let slice = BlockSlice { kind: BlockKind::Delta, from: 0, limit: u32::MAX };
        let blocks = parts.read(move |rd| blocks_from(rd, &grant, run, slice))?;
        for block in blocks.into_iter().filter(|block| block.seq <= seq) {
            let rows = decode_whole(&opened(parts, run, &block)?);
            let rows = rows.ok_or_else(|| damaged(run, block.seq))?;
            let rows = rows.into_iter();
            records.whole.extend(rows.map(|(segment, rows)| ((segment, block.seq), rows)));
        }
        Ok(records)
    }

    /// What each row of a segment is recorded to have come to.
    pub(crate) fn of(&self, segment: &Segment) -> anyhow::Result<Vec<Recorded>> {
        let (grant, run, seq) = (self.parts.own.read_results, self.run, segment.seq);
        let mut slice = DeltaSlice { segment: seq, from: 0, to: self.seq, limit: AT_A_TIME };
        let (block, mut deltas) = self.parts.read(move |rd| {
            let block = block_of_segment(rd, &grant, run, seq)?;
            Ok((block, deltas_of_segment(rd, &grant, run, slice)?))
        })?;
        let block = block.ok_or_else(|| damaged(run, seq))?;
        let rows = usize::try_from(segment.rows)?;
        let recorded = decode_segment(&opened(self.parts, run, &block)?, rows);
        let mut recorded = recorded.ok_or_else(|| damaged(run, seq))?;
        loop {
            for delta in &deltas {
                self.whole(seq, (slice.from, delta.seq), &mut recorded)?;
                slice.from = delta.seq + 1;
                let object = Object::calc_delta(run, delta.seq, seq);
                let bytes = open(self.parts, run, (&object, &delta.place, delta.seq))?;
                let anew = decode_delta(&bytes, |rows, after| {
                    let rows = usize::try_from(rows.start).ok()?..usize::try_from(rows.end).ok()?;
                    recorded.get_mut(rows)?.fill(after);
                    Some(())
                });
                anew.ok_or_else(|| damaged(run, delta.seq))?;
            }
            if u32::try_from(deltas.len())? < AT_A_TIME {
                break;
            }
            deltas = self.parts.read(move |rd| deltas_of_segment(rd, &grant, run, slice))?;
        }
        self.whole(seq, (slice.from, self.seq.saturating_add(1)), &mut recorded)?;
        Ok(recorded)
    }

    /// Rows of a segment that causes from one on and before another decided anew.
    fn whole(
        &self,
        segment: u64,
        (from, to): (u64, u64),
        recorded: &mut [Recorded],
    ) -> anyhow::Result<()> {
        for ((_, seq), rows) in self.whole.range((segment, from)..(segment, to)) {
            for again in rows {
                let row = recorded.get_mut(usize::try_from(again.row)?);
                *row.ok_or_else(|| damaged(self.run, *seq))? = again.after;
            }
        }
        Ok(())
    }
}

/// The bytes of a block.
fn opened(parts: &TenantParts, run: RunId, block: &Block) -> anyhow::Result<Vec<u8>> {
    open(parts, run, (&Object::calc_block(run, block.seq), &block.place, block.seq))
}

/// The bytes of what is sealed at a place.
fn open(
    parts: &TenantParts,
    run: RunId,
    (object, place, seq): (&Object, &BlockPlace, u64),
) -> anyhow::Result<Vec<u8>> {
    let (place, inline) = match place {
        BlockPlace::Inline(sealed) => (Place::Inline, Some(sealed.as_slice())),
        BlockPlace::Object { path, length } => {
            (Place::File { path: path.clone(), length: *length }, None)
        }
    };
    let sealed = parts.lake.read(&place, inline).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData => damaged(run, seq).into(),
        _ => anyhow::Error::from(error),
    })?;
    Ok(parts.keys.open_object(object, &sealed).map_err(|_| damaged(run, seq))?)
}

/// Splits the blocks of a folder of before, each of which names rows of several segments, into deltas of
/// one segment each, and says how many there were. To be run at opening, before anything is read: the
/// files of blocks that were split go. What is cut short goes on at the next opening. Blocks.
///
/// # Errors
/// The database's, or what the disk says; [`Damaged`] inside when a block does not open: it stays, and
/// those after it.
pub fn split(parts: &TenantParts) -> anyhow::Result<u64> {
    let (grant, work) = (parts.own.read_results, parts.own.calculate);
    let mut count = 0;
    for run in parts.read(move |rd| runs_all(rd, &grant))?.into_iter().map(|run| run.id) {
        loop {
            let slice = BlockSlice { kind: BlockKind::Delta, from: 0, limit: AT_A_TIME };
            let blocks = parts.read(move |rd| blocks_from(rd, &grant, run, slice))?;
            if blocks.is_empty() {
                break;
            }
            for block in blocks {
                let seq = block.seq;
                let rows = decode_whole(&opened(parts, run, &block)?);
                let rows = rows.ok_or_else(|| damaged(run, seq))?.into_iter();
                let deltas = rows.map(|(segment, rows)| ((seq, segment), encode_delta(&rows)));
                let deltas = sealed_deltas(parts, run, deltas.collect())?;
                let written =
                    parts.db.write_blocking(move |tx| block_split(tx, &work, (run, seq), &deltas));
                written.context("split a block")?;
                if let BlockPlace::Object { path, .. } = &block.place {
                    parts.lake.remove_block(path).context("remove a block that was split")?;
                }
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Puts sums that a program of before kept one by one among the others, some in each transaction. To be run
/// at opening. Blocks.
///
/// # Errors
/// The database's; what was put there stays, and the rest is read where it is.
pub fn gather(parts: &TenantParts) -> anyhow::Result<()> {
    let (grant, work) = (parts.own.read_results, parts.own.calculate);
    if !parts.read(move |rd| rollups_of_before(rd, &grant))? {
        return Ok(());
    }
    while parts.db.write_blocking(move |tx| rollups_gather(tx, &work))? {}
    Ok(())
}

/// Opens every block of every run: how many there are, and what is wrong with some. Blocks.
///
/// # Errors
/// The database's.
pub fn examine(parts: &TenantParts) -> anyhow::Result<(u64, Vec<String>)> {
    let grant = parts.own.read_results;
    let (mut count, mut faults) = (0_u64, Vec::new());
    for run in parts.read(move |rd| runs_all(rd, &grant))? {
        for kind in [BlockKind::Segment, BlockKind::Delta] {
            let mut from = 0;
            loop {
                let slice = BlockSlice { kind, from, limit: AT_A_TIME };
                let page = parts.read(move |rd| blocks_from(rd, &grant, run.id, slice))?;
                let Some(last) = page.last() else { break };
                from = last.seq + 1;
                for block in &page {
                    count += 1;
                    let known = opened(parts, run.id, block).and_then(|bytes| {
                        let known = match kind {
                            BlockKind::Segment => counts_rows(&bytes),
                            BlockKind::Delta => decode_whole(&bytes).is_some(),
                        };
                        ensure!(known, damaged(run.id, block.seq));
                        Ok(())
                    });
                    faults.extend(known.err().map(|error| format!("{error:#}")));
                }
            }
        }
        let mut after = None;
        loop {
            let page =
                parts.read(move |rd| deltas_after(rd, &grant, run.id, (after, AT_A_TIME)))?;
            let Some(last) = page.last() else { break };
            after = Some((last.segment, last.seq));
            for delta in &page {
                count += 1;
                let object = Object::calc_delta(run.id, delta.seq, delta.segment);
                let opened = open(parts, run.id, (&object, &delta.place, delta.seq));
                let known = opened.and_then(|bytes| {
                    let known = decode_delta(&bytes, |_, _| Some(()));
                    Ok(known.ok_or_else(|| damaged(run.id, delta.seq))?)
                });
                faults.extend(known.err().map(|error| format!("{error:#}")));
            }
        }
    }
    Ok((count, faults))
}

fn damaged(run: RunId, seq: u64) -> Damaged {
    Damaged::new(format!("the block of entry {seq} in {run}"), "it is missing or does not open")
}
