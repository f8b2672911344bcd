//! Records: what the blocks of a run say of rows, read back as of a place in the log.

use std::collections::HashMap;

use envora_crypto::tenant::Object;
use envora_domain::id::RunId;
use envora_domain::ports::Place;
use envora_store::blocks::{
    Block, BlockKind, BlockPlace, BlockSlice, block_of_segment, blocks_from,
};
use envora_store::segments::Segment;

use super::block::{Recorded, decode_delta, decode_segment};
use crate::tenant::{Damaged, TenantParts};

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
        let (place, inline) = match &block.place {
            BlockPlace::Inline(sealed) => (Place::Inline, Some(sealed.as_slice())),
            BlockPlace::Object { path, length } => {
                (Place::File { path: path.clone(), length: *length }, None)
            }
        };
        let sealed = self.parts.lake.read(&place, inline)?;
        let object = Object::calc_block(self.run, block.seq);
        let opened = self.parts.keys.open_object(&object, &sealed);
        Ok(opened.map_err(|_| damaged(self.run, block.seq))?)
    }
}

fn damaged(run: RunId, seq: u64) -> Damaged {
    Damaged::new(format!("the block of entry {seq} in {run}"), "it is missing or does not open")
}
