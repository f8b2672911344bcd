//! Runs: which calculation is current, and what makes two calculations the same.

use std::sync::Arc;

use anyhow::Context as _;
use envora_domain::choice::{ENGINE, Policy};
use envora_domain::factors::Library;
use envora_domain::gwp::GwpSet;
use envora_domain::hash::Digest;
use envora_domain::id::RunId;
use envora_domain::time::zone_database_edition;
use envora_domain::{methods, rfc8785};
use envora_store::organization::{OrganizationSettings, organization_now};
use envora_store::packs::{NewPack, PackActivation, packs_active};
use envora_store::runs::{
    NewRun, Run, RunState, run_by_id, run_current, run_start, run_switch, runs_abandon, runs_all,
};
use envora_store::whys::whys_of_run;
use serde::Deserialize;

use super::choices::Choices;
use super::decide::Memory;
use super::groups::Groups;
use crate::tenant::{Damaged, OtherRules, PackMissing, TenantParts};

/// A run with what it has chosen so far.
pub(crate) struct Engine {
    pub(crate) run: Run,
    pub(crate) policy: Policy,
    pub(crate) choices: Choices,
    /// The numbers of its groups, once something was added up.
    pub(crate) groups: Option<Groups>,
    /// Where rows of its steps stood.
    pub(crate) memory: Memory,
}

/// The runs that are calculated: the one that today's packs and policy ask for and, while it catches
/// up, the one that readers see.
pub(crate) struct Engines {
    pub(crate) wanted: Engine,
    pub(crate) seen: Option<Engine>,
}

/// Everything that digits depend on besides rows and registry, as RFC 8785 JSON.
fn identity(library: &Library, policy: &Policy) -> anyhow::Result<String> {
    let methods: Vec<&str> = methods::ALL.iter().map(|method| method.id).collect();
    let packs: Vec<String> = library.pack_digests().iter().map(Digest::hex).collect();
    let sets: Vec<&str> = policy.columns().into_iter().flatten().map(GwpSet::as_str).collect();
    let value = serde_json::json!({
        "engine": ENGINE,
        "methods": methods,
        "packs": packs,
        "gwp_sets": sets,
        "policy": policy,
        "time_zones": zone_database_edition(),
    });
    rfc8785::to_string(&value).context("write a run's identity")
}

/// The parts of a run's identity that its figures are read by.
#[derive(Deserialize)]
struct Written {
    packs: Vec<String>,
    policy: Policy,
}

fn written(run: &Run) -> anyhow::Result<Written> {
    if Digest::of(run.identity.as_bytes()) != run.digest {
        return Err(Damaged::new(run.id.to_string(), "its digest is of another run").into());
    }
    serde_json::from_str(&run.identity).context("read a run's identity")
}

/// The policy that a run was made by.
pub(crate) fn policy_of_run(run: &Run) -> anyhow::Result<Policy> {
    Ok(written(run)?.policy)
}

/// Whether a run was made by other packs or another policy than the organization asks for now.
pub(crate) fn is_outdated(parts: &TenantParts, run: &Run) -> anyhow::Result<bool> {
    let (policy, active) = asked_for(parts)?;
    let Written { packs, policy: its } = written(run)?;
    let mut active: Vec<String> = active.iter().map(|active| active.pack.digest.hex()).collect();
    active.sort_unstable();
    Ok(policy != its || active != packs)
}

/// What the settings say, and which packs are active.
fn asked_for(parts: &TenantParts) -> anyhow::Result<(Policy, Vec<PackActivation>)> {
    let own = parts.own;
    let (organization, active) = parts.read(move |rd| {
        let organization = organization_now(rd, &own.read_organization)?;
        Ok((organization, packs_active(rd, &own.read_factors, u64::MAX)?))
    })?;
    let policy = organization.map_or_else(Policy::default, |found| policy_of(&found.settings));
    Ok((policy, active))
}

/// What the organization asks for now: its settings' policy and the active packs, by digest, sorted.
fn wanted(parts: &TenantParts) -> anyhow::Result<(Policy, Vec<Digest>)> {
    let (policy, active) = asked_for(parts)?;
    let mut packs: Vec<Digest> = active.iter().map(|active| active.pack.digest).collect();
    packs.sort_unstable();
    for active in &active {
        let digests = [active.pack.digest];
        if !parts.library().has_all(&digests) && parts.library_of(&digests)?.is_none() {
            let NewPack { pack, version, .. } = active.pack.clone();
            return Err(PackMissing { pack, version }.into());
        }
    }
    Ok((policy, packs))
}

/// The policy that these settings ask for.
pub(crate) fn policy_of(settings: &OrganizationSettings) -> Policy {
    Policy::for_set(GwpSet::parse(&settings.default_gwp_set).unwrap_or(GwpSet::Published))
}

impl Engines {
    pub(crate) fn open(parts: &TenantParts) -> anyhow::Result<Self> {
        Self::of(parts, Engine::open(parts)?)
    }

    fn of(parts: &TenantParts, wanted: Engine) -> anyhow::Result<Self> {
        let mut seen = None;
        if wanted.run.state == RunState::CatchingUp {
            let grant = parts.own.read_results;
            if let Some(current) = parts.read(move |rd| run_current(rd, &grant))? {
                seen = match Engine::of_run(parts, current.id) {
                    // What another program began stands as it is until its successor takes over.
                    Err(error) if error.is::<OtherRules>() => None,
                    found => found?,
                };
            }
        }
        Ok(Self { wanted, seen })
    }

    /// The same with their runs as they stand now, or others when what is asked for has changed.
    pub(crate) fn renewed(self, parts: &TenantParts) -> anyhow::Result<Self> {
        let (policy, packs) = wanted(parts)?;
        let Self { wanted, seen } = self;
        if policy != wanted.policy || packs != wanted.choices.library().pack_digests() {
            return Self::open(parts);
        }
        let Some(wanted) = wanted.refreshed(parts)? else { return Self::open(parts) };
        let seen = match seen {
            Some(seen) if wanted.run.state == RunState::CatchingUp => seen.refreshed(parts)?,
            _ => None,
        };
        Ok(Self { wanted, seen })
    }
}

impl Engine {
    /// The run that today's engine, packs and policy make: the one that is there, or a new one.
    fn open(parts: &TenantParts) -> anyhow::Result<Self> {
        let (policy, packs) = wanted(parts)?;
        let library = parts.library_of(&packs)?.context("find the active packs")?;
        let identity = identity(&library, &policy)?;
        let digest = Digest::of(identity.as_bytes());
        let grant = parts.own.read_results;
        let runs = parts.read(move |rd| runs_all(rd, &grant)).context("read the runs")?;
        let fits = |run: &&Run| run.digest == digest && run.state != RunState::Retired;
        let run = match runs.iter().rev().find(fits) {
            Some(run) => run.clone(),
            None => {
                let current = runs.iter().find(|run| run.state == RunState::Current);
                start(parts, NewRun { id: run_id(parts), digest, identity }, current)?
            }
        };
        let others = |other: &Run| other.state == RunState::CatchingUp && other.id != run.id;
        if runs.iter().any(others) {
            let (grant, wanted) = (parts.own.calculate, run.id);
            let abandoned = parts.db.write_blocking(move |tx| runs_abandon(tx, &grant, wanted));
            abandoned.context("give up runs that nobody asks for")?;
        }
        Self::with(parts, run, (library, policy))
    }

    /// The engine of a run that is there, to go on with it or to work its rows out again; nothing is
    /// written. `None` when there is no such run.
    ///
    /// # Errors
    /// The run was made by other packs, methods or rules than those at hand, or what is stored of it
    /// is [`Damaged`].
    pub(crate) fn of_run(parts: &TenantParts, id: RunId) -> anyhow::Result<Option<Self>> {
        let grant = parts.own.read_results;
        let Some(run) = parts.read(move |rd| run_by_id(rd, &grant, id))? else { return Ok(None) };
        let Written { packs, policy } = written(&run)?;
        let packs: Option<Vec<Digest>> = packs.iter().map(|hex| Digest::parse_hex(hex)).collect();
        let packs = packs.context("read the packs of a run")?;
        let library = parts.library_of(&packs)?.ok_or(OtherRules(id))?;
        if identity(&library, &policy)? != run.identity {
            return Err(OtherRules(id).into());
        }
        Self::with(parts, run, (library, policy)).map(Some)
    }

    fn with(
        parts: &TenantParts,
        run: Run,
        (library, policy): (Arc<Library>, Policy),
    ) -> anyhow::Result<Self> {
        let (grant, id) = (parts.own.read_results, run.id);
        let whys = parts.read(move |rd| whys_of_run(rd, &grant, id)).context("read the choices")?;
        let mut stored = Vec::with_capacity(whys.len());
        for (place, why) in whys.into_iter().enumerate() {
            let due = u32::try_from(place)? + 1;
            if why.why != due || Digest::of(why.json.as_bytes()) != why.digest {
                let what = format!("choice {due} of {id}");
                return Err(Damaged::new(what, "it is missing or its digest is another").into());
            }
            stored.push(why.json);
        }
        let choices = Choices::new(library, policy.clone(), stored)?;
        Ok(Self { run, policy, choices, groups: None, memory: Memory::default() })
    }

    /// The same engine with its run as it stands now; `None` once that is retired.
    fn refreshed(mut self, parts: &TenantParts) -> anyhow::Result<Option<Self>> {
        let (grant, id) = (parts.own.read_results, self.run.id);
        let run = parts.read(move |rd| run_by_id(rd, &grant, id))?;
        Ok(run.filter(|run| run.state != RunState::Retired).map(|run| {
            self.run = run;
            self
        }))
    }
}

fn run_id(parts: &TenantParts) -> RunId {
    RunId::new(parts.clock.now(), &*parts.entropy)
}

/// Starts a run. The first one is current at once: there is nothing it could take the place of.
fn start(parts: &TenantParts, new: NewRun, current: Option<&Run>) -> anyhow::Result<Run> {
    let first = current.is_none();
    let (grant, reads, now) = (parts.own.calculate, parts.own.read_results, parts.clock.now());
    let started = parts.db.write_blocking(move |tx| {
        let run = run_start(tx, &grant, &new, now)?;
        if first {
            run_switch(tx, &grant, run.id, now)?;
        }
        run_by_id(tx, &reads, run.id)?.context("find the run that was started")
    });
    started.context("start a run")
}
