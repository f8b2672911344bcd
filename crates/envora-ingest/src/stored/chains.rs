//! Chains: what took the place of a stored row, and where that ends.

use std::collections::HashMap;

use envora_api::activities::{Activity, ChainEnd};
use envora_domain::access::{Grant, actions::ReadActivities};
use envora_domain::id::ActivityId;
use envora_store::supersessions::{Fate, supersessions_after};

use crate::tenant::TenantParts;

/// The states of rows that others took the place of.
const ENDED: [&str; 2] = ["superseded", "voided"];

/// Says of rows that were superseded or voided by what, and where that ends. Blocks.
///
/// # Errors
/// The database's.
pub fn name_successors(
    parts: &TenantParts,
    grant: &Grant<ReadActivities>,
    rows: &mut [Activity],
) -> anyhow::Result<()> {
    let ended = rows.iter().filter(|row| ENDED.contains(&row.state.as_str()));
    let ended: Vec<ActivityId> = ended.map(|row| row.id).collect();
    if ended.is_empty() {
        return Ok(());
    }
    let grant = *grant;
    let mut chains = parts.read(move |rd| {
        let chain = |id: ActivityId| Ok((id, supersessions_after(rd, &grant, id)?));
        ended.into_iter().map(chain).collect::<anyhow::Result<HashMap<_, _>>>()
    })?;
    for row in rows {
        let Some(chain) = chains.remove(&row.id) else { continue };
        row.superseded_by = chain.first().map(|first| first.new);
        row.chain_end = chain.last().map(|last| ChainEnd {
            id: last.new,
            event: event(last.fate).to_owned(),
            of: last.old,
        });
    }
    Ok(())
}

/// What became of an activity, as histories call it.
#[must_use]
pub const fn event(fate: Fate) -> &'static str {
    match fate {
        Fate::Voided => "voided",
        Fate::Replaced => "superseded",
    }
}
