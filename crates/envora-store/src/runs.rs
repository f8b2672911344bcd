//! Runs: methods and factors applied to activities. One is current; a new one catches up beside it
//! and takes its place in one transaction.

use anyhow::Context as _;
use envora_domain::access::{
    Grant,
    actions::{Calculate, ReadResults},
};
use envora_domain::hash::Digest;
use envora_domain::id::RunId;
use envora_domain::time::Timestamp;
use envora_ledger::leaf::Deed;

use crate::audit::{LeafDraft, audit_append};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    RUN_ADD = "INSERT INTO run (run_id, digest, identity, state, started_seq, started_at,
            switched_seq, calculated_to, calculated_at)
        VALUES (?1, ?2, ?3, 'catching_up', ?4, ?5, 0, 0, ?5)";
    RUN_ADVANCE = "UPDATE run SET calculated_to = ?3, calculated_at = ?4
        WHERE run_id = ?1 AND calculated_to = ?2 AND state <> 'retired'";
    RUNS_RETIRE = "UPDATE run SET state = 'retired' WHERE state = 'current'";
    RUNS_ABANDON = "UPDATE run SET state = 'retired'
        WHERE state = 'catching_up' AND run_id <> ?1";
    RUN_SWITCH = "UPDATE run SET state = 'current', switched_seq = ?2
        WHERE run_id = ?1 AND state = 'catching_up'";
    RUN_BY_ID = "SELECT run_id, digest, identity, state, started_seq, started_at, switched_seq,
            calculated_to, calculated_at FROM run WHERE run_id = ?1";
    RUN_CURRENT = "SELECT run_id, digest, identity, state, started_seq, started_at, switched_seq,
            calculated_to, calculated_at FROM run WHERE state = 'current'";
    RUN_CATCHING_UP = "SELECT run_id, digest, identity, state, started_seq, started_at,
            switched_seq, calculated_to, calculated_at FROM run WHERE state = 'catching_up'
        ORDER BY run_id DESC LIMIT 1";
    RUNS = "SELECT run_id, digest, identity, state, started_seq, started_at, switched_seq,
            calculated_to, calculated_at FROM run ORDER BY run_id";
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It calculates from the first segment on, unseen.
    CatchingUp,
    /// Readers see it.
    Current,
    /// Another one took its place.
    Retired,
}

impl RunState {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CatchingUp => "catching_up",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Digest of its identity: engine, methods, packs, sets, policies, zone database.
    pub digest: Digest,
    /// The identity, as JSON.
    pub identity: String,
    /// Where it stands.
    pub state: RunState,
    /// The seq of the leaf at its start.
    pub started_seq: u64,
    /// When it started.
    pub started_at: Timestamp,
    /// The seq of the leaf at which it became current; 0 before.
    pub switched_seq: u64,
    /// How many seqs are calculated: everything below this one.
    pub calculated_to: u64,
    /// When `calculated_to` last moved.
    pub calculated_at: Timestamp,
}

/// A run to be started.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Digest of its identity.
    pub digest: Digest,
    /// The identity, as JSON.
    pub identity: String,
}

fn run(row: &mut Row<'_>) -> anyhow::Result<Run> {
    Ok(Run {
        id: row.id()?,
        digest: row.digest()?,
        identity: row.text()?,
        state: match row.text()?.as_str() {
            "catching_up" => RunState::CatchingUp,
            "current" => RunState::Current,
            "retired" => RunState::Retired,
            other => anyhow::bail!("a run is in a state this program does not know: {other}"),
        },
        started_seq: row.count()?,
        started_at: row.timestamp()?,
        switched_seq: row.count()?,
        calculated_to: row.count()?,
        calculated_at: row.timestamp()?,
    })
}

fn leaf(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    run: &Run,
    now: Timestamp,
) -> anyhow::Result<u64> {
    let draft = LeafDraft {
        deed: Deed::Run,
        ..LeafDraft::config(run.id.bytes(), run.digest, grant.actor())
    };
    audit_append(tx, &draft, now)
}

/// Starts a run with its leaf; it has to catch up before it can be switched to.
///
/// # Errors
/// The database's.
pub fn run_start(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    new: &NewRun,
    now: Timestamp,
) -> anyhow::Result<Run> {
    tx.allow(grant)?;
    let mut started = Run {
        id: new.id,
        digest: new.digest,
        identity: new.identity.clone(),
        state: RunState::CatchingUp,
        started_seq: 0,
        started_at: now,
        switched_seq: 0,
        calculated_to: 0,
        calculated_at: now,
    };
    started.started_seq = leaf(tx, grant, &started, now)?;
    let values = [
        new.id.into(),
        new.digest.into(),
        (&new.identity).into(),
        started.started_seq.into(),
        now.into(),
    ];
    tx.execute_one(RUN_ADD, &values)?;
    Ok(started)
}

/// How far a run's calculation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Where it stood: a run that stands elsewhere is not moved, and nothing is counted twice.
    pub from: u64,
    /// Where it stands now.
    pub to: u64,
}

/// Moves a run's `calculated_to`, in the transaction that adds its cells and blocks.
///
/// # Errors
/// The database's; the run does not stand at `from`.
pub fn run_advance(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    id: RunId,
    (advance, now): (Advance, Timestamp),
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let values = [id.into(), advance.from.into(), advance.to.into(), now.into()];
    tx.execute_one(RUN_ADVANCE, &values).context("move a run that stands elsewhere")
}

/// Makes a run current, with its leaf; the one before is retired in the same transaction.
///
/// # Errors
/// The database's; the run is not catching up.
pub fn run_switch(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    id: RunId,
    now: Timestamp,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    let next = tx.one(RUN_BY_ID, &[id.into()], run)?;
    let seq = leaf(tx, grant, &next, now)?;
    tx.execute(RUNS_RETIRE, &[])?;
    tx.execute_one(RUN_SWITCH, &[id.into(), seq.into()])?;
    Ok(seq)
}

/// Retires all runs that are catching up but this one: nobody asks for them any more.
///
/// # Errors
/// The database's.
pub fn runs_abandon(
    tx: &mut TenantTx,
    grant: &Grant<Calculate>,
    wanted: RunId,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    tx.execute(RUNS_ABANDON, &[wanted.into()])
}

/// The run that readers see; `None` before the first.
///
/// # Errors
/// The database's.
pub fn run_current(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
) -> anyhow::Result<Option<Run>> {
    rd.allow(grant)?;
    rd.first(RUN_CURRENT, &[], run)
}

/// The run of this id.
///
/// # Errors
/// The database's.
pub fn run_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
    id: RunId,
) -> anyhow::Result<Option<Run>> {
    rd.allow(grant)?;
    rd.first(RUN_BY_ID, &[id.into()], run)
}

/// The run that catches up, to take the place of the one that readers see.
///
/// # Errors
/// The database's.
pub fn run_catching_up(
    rd: &mut TenantReader,
    grant: &Grant<ReadResults>,
) -> anyhow::Result<Option<Run>> {
    rd.allow(grant)?;
    rd.first(RUN_CATCHING_UP, &[], run)
}

/// All runs, oldest first.
///
/// # Errors
/// The database's.
pub fn runs_all(rd: &mut TenantReader, grant: &Grant<ReadResults>) -> anyhow::Result<Vec<Run>> {
    rd.allow(grant)?;
    rd.all(RUNS, &[], run)
}
