//! Sweep: sums of runs that were replaced go after a while (what their figures were is worked out
//! from rows and blocks, which stay), and so do the rejected rows of an import, answers kept for
//! retries, and imports that nobody commits.

use anyhow::Context as _;
use envora_domain::time::{Span, Timestamp};
use envora_store::idempotency::idempotency_sweep;
use envora_store::imports::import_rows_sweep;
use envora_store::parts::open_imports_sweep;
use envora_store::rollups::{Sweep, Swept, rollups_sweep};

use crate::commit::answers::IDEMPOTENCY_KEPT;
use crate::tenant::TenantParts;

/// How long sums stay after their run was replaced.
pub const KEPT: Span = Span::from_secs(30 * 86_400);
/// How many sums go in one transaction.
pub const SUMS_AT_A_TIME: u32 = 2_000;

/// Drops one batch of sums whose time is over. Blocks.
///
/// Nothing can be locked yet; a run that a lock holds would be named in `held`.
///
/// # Errors
/// The database's.
pub fn sweep(parts: &TenantParts) -> anyhow::Result<Swept> {
    let (grant, now) = (parts.own.calculate, parts.clock.now());
    let before = Timestamp::from_micros(now.as_micros().saturating_sub(KEPT.as_micros()));
    let sweep = Sweep { before, held: Vec::new(), sums_max: SUMS_AT_A_TIME };
    Ok(parts.db.write_blocking(move |tx| rollups_sweep(tx, &grant, &sweep))?)
}

/// Drops the answers kept for retries whose day is over, and says how many. Blocks.
///
/// # Errors
/// The database's.
pub fn sweep_answers(parts: &TenantParts) -> anyhow::Result<u64> {
    let (grant, now) = (parts.own.calculate, parts.clock.now());
    let before = Timestamp::from_micros(now.as_micros() - IDEMPOTENCY_KEPT.as_micros() - 1);
    let dropped = parts.db.write_blocking(move |tx| idempotency_sweep(tx, &grant, before))?;
    // What a crash leaves here is swept when the folder is opened: no row names it any more.
    parts.lake.remove_answers(&dropped.objects).context("remove answers from the lake")?;
    Ok(dropped.rows)
}

/// Drops the rejected rows of imports whose time is over, and says how many. Blocks.
///
/// # Errors
/// The database's.
pub fn sweep_rows(parts: &TenantParts) -> anyhow::Result<u64> {
    let (grant, now) = (parts.own.calculate, parts.clock.now());
    Ok(parts.db.write_blocking(move |tx| import_rows_sweep(tx, &grant, now))?)
}

/// Gives up the imports that stayed open for too long, with the parts that have arrived, and says how
/// many parts those were. Blocks.
///
/// # Errors
/// The database's, or what the disk says.
pub fn sweep_open_imports(parts: &TenantParts) -> anyhow::Result<usize> {
    let (grant, now) = (parts.own.calculate, parts.clock.now());
    let dropped = parts.db.write_blocking(move |tx| open_imports_sweep(tx, &grant, now))?;
    for part in &dropped {
        parts.lake.remove_source(&part.name).context("remove a part from the lake")?;
    }
    Ok(dropped.len())
}
