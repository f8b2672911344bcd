//! Records: what the blocks of a run say of rows, read back as of a place in the log.

use std::collections::HashMap;
use std::io;

use anyhow::ensure;
use envora_crypto::tenant::Object;
use envora_domain::id::RunId;
use envora_domain::ports::Place;
use envora_store::blocks::{
    Block, BlockKind, BlockPlace, BlockSlice, block_of_segment, blocks_from,
};
use envora_store::runs::runs_all;
use envora_store::segments::Segment;

use super::block::{Recorded, counts_rows, decode_delta, decode_segment};
use crate::tenant::{Damaged, TenantParts};

/// How many blocks are looked at by one read.
const AT_A_TIME: u32 = 256;

/// The records of a run, as of a seq.
pub(crate) struct Records<'a> {
    parts: &'a TenantParts,
    run: RunId,
    /// Rows decided anew, the last word of each: by segment seq and row.
    again: HashMap<(u64, u32), Recorded>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(parts: &'a TenantParts, run: RunId, seq: u64) -> anyhow::Result<Self> {
        let grant = parts.own.read_results;
        let slice = BlockSlice { kind: BlockKind::Delta, from: 0, limit: u32::MAX };
        let blocks = parts.read(move |rd| blocks_from(rd, &grant, run, slice))?;
        let mut records = Self { parts, run, again: HashMap::new() };
        for block in blocks.into_iter().filter(|block| block.seq <= seq) {
            let rows =
                decode_delta(&records.open(&block)?).ok_or_else(|| damaged(run, block.seq))?;
            records.again.extend(rows.into_iter().map(|row| ((row.seq, row.row), row.after)));
        }
        Ok(records)
    }

    /// What each row of a segment is recorded to have come to.
    pub(crate) fn of(&self, segment: &Segment) -> anyhow::Result<Vec<Recorded>> {
        let (grant, run, seq) = (self.parts.own.read_results, self.run, segment.seq);
        let block = self.parts.read(move |rd| block_of_segment(rd, &grant, run, seq))?;
        let block = block.ok_or_else(|| damaged(run, seq))?;
        let rows = usize::try_from(segment.rows)?;
        let mut recorded =
            decode_segment(&self.open(&block)?, rows).ok_or_else(|| damaged(run, seq))?;
        if !self.again.is_empty() {
            for (row, recorded) in recorded.iter_mut().enumerate() {
                if let Some(again) = self.again.get(&(seq, u32::try_from(row)?)) {
                    *recorded = *again;
                }
            }
        }
        Ok(recorded)
    }

    fn open(&self, block: &Block) -> anyhow::Result<Vec<u8>> {
        open(self.parts, self.run, block)
    }
}

/// The bytes of a block.
fn open(parts: &TenantParts, run: RunId, block: &Block) -> anyhow::Result<Vec<u8>> {
    let (place, inline) = match &block.place {
        BlockPlace::Inline(sealed) => (Place::Inline, Some(sealed.as_slice())),
        BlockPlace::Object { path, length } => {
            (Place::File { path: path.clone(), length: *length }, None)
        }
    };
    let sealed = parts.lake.read(&place, inline).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData => damaged(run, block.seq).into(),
        _ => anyhow::Error::from(error),
    })?;
    let opened = parts.keys.open_object(&Object::calc_block(run, block.seq), &sealed);
    Ok(opened.map_err(|_| damaged(run, block.seq))?)
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
                    let known = open(parts, run.id, block).and_then(|bytes| {
                        let known = match kind {
                            BlockKind::Segment => counts_rows(&bytes),
                            BlockKind::Delta => decode_delta(&bytes).is_some(),
                        };
                        ensure!(known, damaged(run.id, block.seq));
                        Ok(())
                    });
                    faults.extend(known.err().map(|error| format!("{error:#}")));
                }
            }
        }
    }
    Ok((count, faults))
}

fn damaged(run: RunId, seq: u64) -> Damaged {
    Damaged::new(format!("the block of entry {seq} in {run}"), "it is missing or does not open")
}
