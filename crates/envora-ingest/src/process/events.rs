//! Events: what happened in the log since a run's last step, in its order, as much as one step takes.

use std::sync::Arc;

use anyhow::Context as _;
use envora_domain::id::RunId;
use envora_store::audit::audit_head;
use envora_store::runs::run_by_id;
use envora_store::segments::{Segment, segments_from};

use super::STEP_ROWS;
use crate::registry::{Changed, Registry};
use crate::tenant::TenantParts;

/// Segments that one step looks at.
const STEP_SEGMENTS: u32 = 64;

/// Something that calculation has to answer to.
pub(super) enum Event {
    Segment(Segment),
    Change(u64, Changed),
}

impl Event {
    const fn seq(&self) -> u64 {
        match self {
            Self::Segment(segment) => segment.seq,
            Self::Change(seq, _) => *seq,
        }
    }

    const fn rows(&self) -> u64 {
        match self {
            Self::Segment(segment) => segment.rows as u64,
            Self::Change(..) => 1,
        }
    }
}

/// What one step works on, as one snapshot of the database shows it.
pub(super) struct Snapshot {
    pub(super) registry: Arc<Registry>,
    pub(super) events: Vec<Event>,
    /// Everything below is calculated.
    pub(super) from: u64,
    /// Everything below will be.
    pub(super) to: u64,
    /// How many entries the log has.
    pub(super) head: u64,
}

/// Reads what the next step of a run works on.
pub(super) fn snapshot(parts: &TenantParts, run: RunId) -> anyhow::Result<Snapshot> {
    let (own, kept) = (parts.own, parts.registry.clone());
    let (from, head, registry, segments) = parts.read(move |rd| {
        let run = run_by_id(rd, &own.read_results, run)?.context("find the run")?;
        let head = audit_head(rd)?.size;
        let registry = kept.up_to(rd, &own, u64::MAX)?;
        let segments = segments_from(rd, &own.read_activities, run.calculated_to, STEP_SEGMENTS)?;
        Ok((run.calculated_to, head, registry, segments))
    })?;
    // Beyond the last segment of a full slice there may be others: the step ends there.
    let full = segments.len() >= usize::try_from(STEP_SEGMENTS).unwrap_or(usize::MAX);
    let end = segments.last().filter(|_| full).map_or(head, |last| last.seq + 1);
    let changes = registry.changes(from, end);
    let mut events: Vec<Event> = segments.into_iter().map(Event::Segment).collect();
    events.extend(changes.iter().map(|(seq, changed)| Event::Change(*seq, *changed)));
    events.sort_by_key(Event::seq);
    let (events, to) = within_budget(events, end);
    Ok(Snapshot { registry, events, from, to, head })
}

/// The first events, up to the rows of a step; at least one.
fn within_budget(events: Vec<Event>, end: u64) -> (Vec<Event>, u64) {
    let mut rows = 0;
    let mut taken = Vec::new();
    for event in events {
        if !taken.is_empty() && rows + event.rows() > STEP_ROWS {
            return (taken, event.seq());
        }
        rows += event.rows();
        taken.push(event);
    }
    (taken, end)
}
