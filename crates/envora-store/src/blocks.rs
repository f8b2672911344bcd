//! Calc blocks: what each row of a segment came to in a run, sealed. Blocks are never rewritten: a
//! change of mind is a delta under the seq of its cause, one for each segment that it names.
//!
//! Folders of before have one block for all the segments that a cause named; it is split once.

use anyhow::Context as _;
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::id::RunId;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    BLOCK_ADD = "INSERT INTO calc_block (run_id, seq, kind, place, path, byte_length, key_version,
            sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    BLOCK_BY_SEQ = "SELECT seq, kind, place, path, byte_length, key_version, sealed FROM calc_block
        WHERE run_id = ?1 AND seq = ?2 AND kind = ?3";
    BLOCKS_FROM = "SELECT seq, kind, place, path, byte_length, key_version, sealed FROM calc_block
        WHERE run_id = ?1 AND kind = 'segment' AND seq >= ?2 ORDER BY seq LIMIT ?3";
    BLOCKS_WHOLE = "SELECT seq, kind, place, path, byte_length, key_version, sealed FROM calc_block
        WHERE run_id = ?1 AND kind = 'delta' AND seq >= ?2 ORDER BY seq LIMIT ?3";
    BLOCK_WHOLE_DROP = "DELETE FROM calc_block WHERE run_id = ?1 AND seq = ?2 AND kind = 'delta'";
    DELTA_ADD = "INSERT INTO calc_delta (run_id, segment_seq, seq, place, path, byte_length,
            key_version, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    DELTAS_OF_SEGMENT = "SELECT segment_seq, seq, place, path, byte_length, key_version, sealed
        FROM calc_delta WHERE run_id = ?1 AND segment_seq = ?2 AND seq >= ?3 AND seq <= ?4
        ORDER BY seq LIMIT ?5";
    DELTAS_FROM = "SELECT segment_seq, seq, place, path, byte_length, key_version, sealed
        FROM calc_delta WHERE run_id = ?1 AND (segment_seq, seq) > (?2, ?3)
        ORDER BY segment_seq, seq LIMIT ?4";
}

/// What a block is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// The rows of the segment of its seq.
    Segment,
    /// Rows of whichever segments, decided anew because of what its seq did: of folders of before.
    Delta,
}

impl BlockKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Delta => "delta",
        }
    }
}

/// Where a block's sealed bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockPlace {
    /// In the row.
    Inline(Vec<u8>),
    /// In the lake, below the tenant's folder; synced before the transaction that names it.
    Object {
        /// Path with `/`.
        path: String,
        /// Bytes.
        length: u64,
    },
}

impl BlockPlace {
    /// Place, path, length and sealed bytes, as rows hold them.
    fn columns(&self) -> (&'static str, &str, u64, &[u8]) {
        match self {
            Self::Inline(sealed) => ("inline", "", sealed.len() as u64, sealed),
            Self::Object { path, length } => ("object", path, *length, &[]),
        }
    }
}

/// A calc block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The segment's seq, or the cause's.
    pub seq: u64,
    /// What it is about.
    pub kind: BlockKind,
    /// Its sealed bytes.
    pub place: BlockPlace,
    /// The version of the key that sealed it.
    pub key_version: u32,
}

/// Adds a block.
///
/// # Errors
/// The database's; there is a block of this run, seq and kind.
pub fn block_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    block: &Block,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let (place, path, length, sealed) = block.place.columns();
    tx.execute_one(
        BLOCK_ADD,
        &[
            run.into(),
            block.seq.into(),
            block.kind.as_str().into(),
            place.into(),
            path.into(),
            length.into(),
            block.key_version.into(),
            sealed.into(),
        ],
    )
}

fn block(row: &mut Row<'_>) -> anyhow::Result<Block> {
    let (seq, kind) = (row.count()?, row.text()?);
    let kind = [BlockKind::Segment, BlockKind::Delta]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .context("a block is of a kind this program does not know")?;
    let (place, key_version) = place(row)?;
    Ok(Block { seq, kind, place, key_version })
}

/// A place, and the version of the key that sealed what is there.
fn place(row: &mut Row<'_>) -> anyhow::Result<(BlockPlace, u32)> {
    let (place, path, length) = (row.text()?, row.text()?, row.count()?);
    let (key_version, sealed) = (row.small()?, row.blob()?);
    let place = match place.as_str() {
        "inline" => BlockPlace::Inline(sealed),
        _ => BlockPlace::Object { path, length },
    };
    Ok((place, key_version))
}

/// The block of the segment of this seq.
///
/// # Errors
/// The database's.
pub fn block_of_segment(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    seq: u64,
) -> anyhow::Result<Option<Block>> {
    rd.allow(grant)?;
    let kind = BlockKind::Segment.as_str();
    rd.first(BLOCK_BY_SEQ, &[run.into(), seq.into(), kind.into()], block)
}

/// Which blocks of a run are wanted.
#[derive(Clone, Copy, Debug)]
pub struct BlockSlice {
    /// Of which kind.
    pub kind: BlockKind,
    /// The first seq.
    pub from: u64,
    /// How many at most.
    pub limit: u32,
}

/// Blocks of a run in the order of their seqs.
///
/// # Errors
/// The database's.
pub fn blocks_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    slice: BlockSlice,
) -> anyhow::Result<Vec<Block>> {
    rd.allow(grant)?;
    let values = [run.into(), slice.from.into(), slice.limit.into()];
    let blocks = match slice.kind {
        BlockKind::Segment => BLOCKS_FROM,
        BlockKind::Delta => BLOCKS_WHOLE,
    };
    rd.all(blocks, &values, block)
}

/// Rows of one segment, decided anew because of one entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The seq of the segment.
    pub segment: u64,
    /// The seq of the cause.
    pub seq: u64,
    /// Its sealed bytes.
    pub place: BlockPlace,
    /// The version of the key that sealed it.
    pub key_version: u32,
}

/// Adds a delta.
///
/// # Errors
/// The database's; there is a delta of this run, segment and seq.
pub fn delta_add(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: RunId,
    delta: &Delta,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let (place, path, length, sealed) = delta.place.columns();
    tx.execute_one(
        DELTA_ADD,
        &[
            run.into(),
            delta.segment.into(),
            delta.seq.into(),
            place.into(),
            path.into(),
            length.into(),
            delta.key_version.into(),
            sealed.into(),
        ],
    )
}

/// Puts deltas, one for each segment, in the place of the block that named them all.
///
/// # Errors
/// The database's; there is no such block.
pub fn block_split(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    (run, seq): (RunId, u64),
    deltas: &[Delta],
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute_one(BLOCK_WHOLE_DROP, &[run.into(), seq.into()])?;
    deltas.iter().try_for_each(|delta| delta_add(tx, grant, run, delta))
}

fn delta(row: &mut Row<'_>) -> anyhow::Result<Delta> {
    let (segment, seq) = (row.count()?, row.count()?);
    let (place, key_version) = place(row)?;
    Ok(Delta { segment, seq, place, key_version })
}

/// Which deltas of a segment are wanted.
#[derive(Clone, Copy, Debug)]
pub struct DeltaSlice {
    /// The seq of the segment.
    pub segment: u64,
    /// The first cause.
    pub from: u64,
    /// The last cause.
    pub to: u64,
    /// How many at most.
    pub limit: u32,
}

/// Deltas of a segment in the order of their causes.
///
/// # Errors
/// The database's.
pub fn deltas_of_segment(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    slice: DeltaSlice,
) -> anyhow::Result<Vec<Delta>> {
    rd.allow(grant)?;
    let DeltaSlice { segment, from, to, limit } = slice;
    let values = [run.into(), segment.into(), from.into(), to.into(), limit.into()];
    rd.all(DELTAS_OF_SEGMENT, &values, delta)
}

/// Deltas of a run in the order of their segments and causes, from behind this one of both on.
///
/// # Errors
/// The database's.
pub fn deltas_after(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    run: RunId,
    (after, limit): (Option<(u64, u64)>, u32),
) -> anyhow::Result<Vec<Delta>> {
    rd.allow(grant)?;
    // No segment is decided anew by an entry before it: nothing has both seqs 0.
    let (segment, seq) = after.unwrap_or_default();
    rd.all(DELTAS_FROM, &[run.into(), segment.into(), seq.into(), limit.into()], delta)
}
