//! The tasks that each open tenant has: calculation after each commit, the anchor each second, the
//! sweep of what is kept for a while only each hour.

use core::time::Duration;

use envora_domain::ports::SyncFailed;
use envora_ingest::process::standing::Line;
use envora_ingest::process::sweep;
use envora_ingest::tenant::TenantParts;
use envora_store::rollups::Swept;
use envora_store::writer::WriterState;

use crate::app::App;
use crate::folder::anchors::{self, Written};
use crate::tenants::TenantCtx;

/// How long the calculation waits for work before it looks by itself: a lost signal costs this much.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long it waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often the anchor is written, at most.
const ANCHOR_EVERY: Duration = Duration::from_secs(1);
/// How often what is kept for a while only is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How long others may write between two batches of old cells.
const BETWEEN_BATCHES: Duration = Duration::from_millis(50);

/// Starts the tasks of all tenants.
pub fn start(app: &App) {
    for tenant in app.tenants().all() {
        app.tracker().spawn(calculate(app.clone(), tenant.clone()));
        app.tracker().spawn(anchor(app.clone(), tenant.clone()));
        app.tracker().spawn(sweep(app.clone(), tenant));
    }
}

async fn calculate(app: App, tenant: TenantCtx) {
    let stop = app.stop().clone();
    while !stop.is_cancelled() {
        let pause = match calculate_once(&app, &tenant).await {
            Calculated::InPart => continue,
            Calculated::All => LOOK_AGAIN,
            Calculated::Failed => AFTER_FAILURE,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tenant.committed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calculated {
    /// Nothing is left to do at present.
    All,
    /// There is more.
    InPart,
    /// It failed, and the tenant's parts say so to everybody who asks.
    Failed,
}

/// One step of a tenant's calculation; its failure is counted, kept and, now and then, logged.
pub async fn calculate_once(app: &App, tenant: &TenantCtx) -> Calculated {
    let processor = tenant.processor();
    let step = tokio::task::spawn_blocking(move || processor.step()).await;
    let standing = &tenant.parts().calculation;
    let (clock, id) = (app.clock(), tenant.id());
    let error = match step {
        Ok(Ok(progress)) => {
            app.metrics().step_done(progress.rows);
            if let Line::GoesOn(was) = standing.goes_on() {
                tracing::info!(tenant.id = %id, since = %was.since, failures = was.failures, code = was.code.as_str(), "the calculation goes on again");
            }
            return if progress.caught_up { Calculated::All } else { Calculated::InPart };
        }
        Ok(Err(error)) => Some(error),
        Err(_) => {
            app.metrics().panicked();
            None
        }
    };
    if error.as_ref().is_some_and(|error| SyncFailed::is_behind(&**error)) {
        tenant.parts().db.stop();
    }
    let line = standing.fails(error.as_ref(), clock.now(), clock.monotonic_us());
    let code = standing.stall().map_or("internal_error", |stall| stall.code.as_str());
    app.metrics().step_failed(code);
    if let Line::Fails(stall) = line {
        let cause = error.map_or_else(|| "it panicked".to_owned(), |error| format!("{error:#}"));
        tracing::error!(tenant.id = %id, since = %stall.since, failures = stall.failures, code, cause, "the calculation fails: what is stored stays, figures fall behind; it is tried again, and this line comes ever more seldom");
    }
    Calculated::Failed
}

async fn anchor(app: App, tenant: TenantCtx) {
    let stop = app.stop().clone();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(ANCHOR_EVERY) => {}
        }
        match tenant.parts().db.state() {
            WriterState::Stopped => {
                tracing::error!(tenant.id = %tenant.id(), "storage failed: the process ends, to recover from the disk");
                stop.cancel();
                break;
            }
            WriterState::ReadOnly => try_to_resume(&tenant).await,
            WriterState::Damaged => {
                tracing::error!(tenant.id = %tenant.id(), "the database is damaged: this tenant takes no writes");
                break;
            }
            WriterState::Open => {}
        }
        let parts = std::sync::Arc::clone(tenant.parts());
        match tokio::task::spawn_blocking(move || anchors::write(&parts)).await {
            Ok(Ok(Written::Moved)) => app.metrics().anchor_written(),
            Ok(Ok(Written::Unchanged)) => {}
            Ok(Err(error)) => {
                tracing::error!(tenant.id = %tenant.id(), cause = format!("{error:#}"), "the anchor was not written");
                if SyncFailed::is_behind(&*error) {
                    tenant.parts().db.stop();
                }
            }
            Err(_) => tracing::error!(tenant.id = %tenant.id(), "writing the anchor panicked"),
        }
    }
}

/// Drops what is kept for a while only: rejected rows of imports, and cells of runs that were replaced,
/// a batch after the other, so that commits get between them.
async fn sweep(app: App, tenant: TenantCtx) {
    let stop = app.stop().clone();
    while !stop.is_cancelled() {
        let parts = std::sync::Arc::clone(tenant.parts());
        let pause = match tokio::task::spawn_blocking(move || sweep_once(&parts)).await {
            Ok(Ok((rows, swept))) => {
                if rows > 0 || swept.sums > 0 {
                    tracing::info!(tenant.id = %tenant.id(), sums = swept.sums, rows, "dropped sums of a retired run, rejected rows of old imports");
                }
                if swept.more { BETWEEN_BATCHES } else { SWEEP_EVERY }
            }
            Ok(Err(error)) => {
                tracing::warn!(tenant.id = %tenant.id(), cause = format!("{error:#}"), "nothing was swept");
                SWEEP_EVERY
            }
            Err(_) => {
                app.metrics().panicked();
                tracing::error!(tenant.id = %tenant.id(), "sweeping panicked");
                SWEEP_EVERY
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One round: all kept answers, rejected rows and open imports whose time is over, and one batch of cells.
///
/// # Errors
/// The database's.
pub fn sweep_once(parts: &TenantParts) -> anyhow::Result<(u64, Swept)> {
    sweep::sweep_answers(parts)?;
    sweep::sweep_open_imports(parts)?;
    let rows = sweep::sweep_rows(parts)?;
    Ok((rows, sweep::sweep(parts)?))
}

/// A full disk has room again when a file of the reserve's size can be written.
async fn try_to_resume(tenant: &TenantCtx) {
    let resumed = tenant.clone();
    let has_room = tokio::task::spawn_blocking(move || resumed.has_room()).await.unwrap_or(false);
    if has_room {
        tenant.parts().db.resume();
        tracing::info!(tenant.id = %tenant.id(), "there is room again: writing goes on");
    }
}
