//! Calc blocks: what each row of a segment came to in a run, sealed. Blocks are never rewritten: a
//! change of mind is a delta block under the seq of its cause.

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
        WHERE run_id = ?1 AND kind = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4";
}

/// What a block is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// The rows of the segment of its seq.
    Segment,
    /// Rows of other segments, decided anew because of what its seq did.
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
    let (place, path, length, sealed): (_, _, _, &[u8]) = match &block.place {
        BlockPlace::Inline(sealed) => ("inline", "", u64::try_from(sealed.len())?, sealed),
        BlockPlace::Object { path, length } => ("object", path.as_str(), *length, &[]),
    };
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
    let (place, path, length) = (row.text()?, row.text()?, row.count()?);
    let (key_version, sealed) = (row.small()?, row.blob()?);
    let place = match place.as_str() {
        "inline" => BlockPlace::Inline(sealed),
        _ => BlockPlace::Object { path, length },
    };
    Ok(Block { seq, kind, place, key_version })
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
    let kind = slice.kind.as_str();
    let values = [run.into(), kind.into(), slice.from.into(), slice.limit.into()];
    rd.all(BLOCKS_FROM, &values, block)
}
