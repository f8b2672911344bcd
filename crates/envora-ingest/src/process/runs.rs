//! Runs: which calculation is current, and what makes two calculations the same.

use anyhow::{Context as _, ensure};
use envora_domain::choice::{ENGINE, Policy};
use envora_domain::gwp::GwpSet;
use envora_domain::hash::Digest;
use envora_domain::id::RunId;
use envora_domain::time::zone_database_edition;
use envora_domain::{methods, rfc8785};
use envora_store::organization::{OrganizationSettings, organization_now};
use envora_store::runs::{NewRun, Run, RunState, run_by_id, run_start, run_switch, runs_all};
use envora_store::whys::whys_of_run;

use super::choices::Choices;
use crate::tenant::{Damaged, TenantParts};

/// A run with what it has chosen so far.
pub(crate) struct Engine {
    pub(crate) run: Run,
    pub(crate) policy: Policy,
    pub(crate) choices: Choices,
}

/// Everything that digits depend on besides rows and registry, as RFC 8785 JSON.
fn identity(parts: &TenantParts, policy: &Policy) -> anyhow::Result<String> {
    let methods: Vec<&str> = methods::ALL.iter().map(|method| method.id).collect();
    let packs: Vec<String> = parts.library.pack_digests().iter().map(Digest::hex).collect();
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

/// The policy that the organization's settings ask for.
pub(crate) fn policy(parts: &TenantParts) -> anyhow::Result<Policy> {
    let grant = parts.own.read_organization;
    let organization = parts.read(move |rd| organization_now(rd, &grant))?;
    Ok(organization.map_or_else(Policy::default, |found| policy_of(&found.settings)))
}

/// The policy that these settings ask for.
pub(crate) fn policy_of(settings: &OrganizationSettings) -> Policy {
    Policy::for_set(GwpSet::parse(&settings.default_gwp_set).unwrap_or(GwpSet::Published))
}

impl Engine {
    /// The run that today's engine, packs and policy make: the one that is there, or a new one.
    pub(crate) fn open(parts: &TenantParts) -> anyhow::Result<Self> {
        let policy = policy(parts)?;
        let identity = identity(parts, &policy)?;
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
        Self::with(parts, run, policy)
    }

    /// The engine of a run that is there, to work its rows out again; nothing is written. `None` when
    /// there is no such run.
    ///
    /// # Errors
    /// The run was made by other packs, methods or rules than these, or what is stored of it is
    /// [`Damaged`].
    pub(crate) fn of_run(parts: &TenantParts, id: RunId) -> anyhow::Result<Option<Self>> {
        let grant = parts.own.read_results;
        let Some(run) = parts.read(move |rd| run_by_id(rd, &grant, id))? else { return Ok(None) };
        if Digest::of(run.identity.as_bytes()) != run.digest {
            return Err(Damaged::new(run.id.to_string(), "its digest is of another run").into());
        }
        let written: serde_json::Value =
            serde_json::from_str(&run.identity).context("read a run's identity")?;
        let policy = written.get("policy").cloned().unwrap_or_default();
        let policy: Policy = serde_json::from_value(policy).context("read a run's policy")?;
        ensure!(
            identity(parts, &policy)? == run.identity,
            "{} was made by other packs, methods or rules than those at hand",
            run.id
        );
        Self::with(parts, run, policy).map(Some)
    }

    fn with(parts: &TenantParts, run: Run, policy: Policy) -> anyhow::Result<Self> {
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
        let choices = Choices::new(parts.library.clone(), policy.clone(), stored)?;
        Ok(Self { run, policy, choices })
    }

    /// The same engine with its run as it stands now, or another when the policy has changed.
    pub(crate) fn renewed(mut self, parts: &TenantParts) -> anyhow::Result<Self> {
        if policy(parts)? != self.policy {
            return Self::open(parts);
        }
        let (grant, id) = (parts.own.read_results, self.run.id);
        match parts.read(move |rd| run_by_id(rd, &grant, id))? {
            Some(run) if run.state != RunState::Retired => {
                self.run = run;
                Ok(self)
            }
            _ => Self::open(parts),
        }
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
