//! Gauges: how things stand at the moment somebody looks, over all tenants.
//!
//! They are worked out when they are asked for, so that what is stuck shows: a number that only a
//! success would renew says nothing.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use envora_ingest::process::standing::{Behind, behind as stored_behind};
use envora_store::pulse::{BOUNDS_US, Beat};
use envora_store::writer::WriterState;

use crate::app::App;
use crate::metrics::{Exposition, seconds};
use crate::tenants::TenantCtx;

/// How long a database has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long the size of the store is taken for what it was: every file is looked at for it.
const SIZES_KEPT_US: u64 = 60_000_000;

/// What lay on the disk when it was last looked at.
#[derive(Debug, Default)]
pub struct Sizes {
    seen: Mutex<Option<(u64, BTreeMap<&'static str, u64>)>>,
}

/// All metrics, as text.
pub async fn text(app: &App) -> String {
    let mut text = Exposition::default();
    app.metrics().write(&mut text);
    let version = env!("CARGO_PKG_VERSION");
    text.head(("envora_build_info", "gauge"), "The program: always 1.");
    text.sample("envora_build_info", &[("version", version)], "1");
    let started = app.started().as_micros() / 1_000_000;
    let help = "When the process began, in seconds since 1970.";
    text.single(("envora_start_time_seconds", "gauge"), help, started.unsigned_abs());
    writers(app, &mut text);
    calculation(app, &mut text).await;
    text.head(
        ("envora_store_bytes", "gauge"),
        "Bytes in the tenants' folders, at most a minute old.",
    );
    for (part, bytes) in sizes(app).await {
        text.sample("envora_store_bytes", &[("part", part)], &bytes.to_string());
    }
    text.into_text()
}

/// How far a tenant's figures are behind; nothing when its database does not answer.
pub(crate) async fn behind(tenant: &TenantCtx) -> Option<Behind> {
    let own = tenant.parts().own;
    let read = tenant.parts().db.read(move |rd| stored_behind(rd, &own));
    tokio::time::timeout(ANSWER_WITHIN, read).await.ok()?.ok()
}

async fn calculation(app: &App, text: &mut Exposition) {
    let now = app.clock().now();
    let (mut lag_ms, mut entries, mut failing) = (0, 0, 0);
    for tenant in app.tenants().all() {
        if let Some(behind) = behind(&tenant).await {
            lag_ms = behind.lag_ms(now).max(lag_ms);
            entries += behind.entries();
        }
        failing += u64::from(tenant.parts().calculation.stall().is_some());
    }
    let name = "envora_calculation_lag_seconds";
    text.head((name, "gauge"), "Age of the oldest commit that is in no figure, of all tenants.");
    text.sample(name, &[], &seconds(lag_ms * 1_000));
    for (name, help, value) in [
        (
            "envora_calculation_waiting_entries",
            "Entries of the logs that are in no figure.",
            entries,
        ),
        ("envora_calculation_failing_tenants", "Tenants whose last step failed.", failing),
    ] {
        text.single((name, "gauge"), help, value);
    }
}

/// What waits for the writers, and what they have done.
fn writers(app: &App, text: &mut Exposition) {
    let mut all = Beat::default();
    let mut states = BTreeMap::from(["open", "read_only", "damaged", "stopped"].map(|it| (it, 0)));
    for tenant in app.tenants().all() {
        let db = &tenant.parts().db;
        let word = match db.state() {
            WriterState::Open => "open",
            WriterState::ReadOnly => "read_only",
            WriterState::Damaged => "damaged",
            WriterState::Stopped => "stopped",
        };
        *states.entry(word).or_insert(0_u64) += 1;
        let beat = db.beat();
        all.jobs_waiting += beat.jobs_waiting;
        all.bytes_waiting += beat.bytes_waiting;
        all.groups += beat.groups;
        all.failed += beat.failed;
        all.sum_us += beat.sum_us;
        for (count, more) in all.within.iter_mut().zip(beat.within) {
            *count += more;
        }
    }
    text.head(("envora_tenants", "gauge"), "Tenants, by what their writers do with work.");
    for (state, tenants) in states {
        text.sample("envora_tenants", &[("state", state)], &tenants.to_string());
    }
    text.single(("envora_write_queue_jobs", "gauge"), "Writes that wait.", all.jobs_waiting);
    let help = "Sealed bytes of the writes that wait.";
    text.single(("envora_write_queue_bytes", "gauge"), help, all.bytes_waiting);
    let help = "Groups of writes that could not be committed.";
    text.single(("envora_commit_failures_total", "counter"), help, all.failed);
    let help = "Time from the sync of a group of writes to the end of its commit.";
    text.head(("envora_commit_seconds", "histogram"), help);
    let buckets = BOUNDS_US.into_iter().zip(all.within);
    text.histogram(("envora_commit_seconds", &[]), buckets, (all.groups, all.sum_us));
}

async fn sizes(app: &App) -> BTreeMap<&'static str, u64> {
    let now = app.clock().monotonic_us();
    let kept = app.sizes().seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((at, sizes)) = kept
        && now.saturating_sub(at) < SIZES_KEPT_US
    {
        return sizes;
    }
    let tenants: Vec<TenantCtx> = app.tenants().all().collect();
    let looked = app.tracker().spawn_blocking(move || {
        let mut sizes = BTreeMap::new();
        for tenant in tenants {
            for (part, bytes) in tenant.parts().lake.bytes().unwrap_or_default() {
                *sizes.entry(part).or_insert(0_u64) += bytes;
            }
        }
        sizes
    });
    let sizes = looked.await.unwrap_or_default();
    *app.sizes().seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, sizes.clone()));
    sizes
}
