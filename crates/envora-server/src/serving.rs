//! Serving: the listeners, the tasks of the process, and an orderly end.
//!
//! Plain HTTP is spoken on loopback only: a token must not travel in the clear.

use core::time::Duration;
use std::net::SocketAddr;
use std::panic;

use anyhow::{Context as _, bail};
use envora_domain::ports::SyncFailed;
use envora_store::writer::WriterState;
use tokio::net::TcpListener;

use crate::app::App;
use crate::connections::CONNECTIONS_MAX;
use crate::{admin, connections, processing, routes};

/// How long requests have to end once the server is told to, unless the settings say otherwise.
pub const GRACE: Duration = Duration::from_secs(30);
/// How long those that were given up then have to say so, at the edge and in all.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long the tasks may take to end.
const TASKS: Duration = Duration::from_secs(10);

/// How many ask the admin listener at once.
const ADMIN_CONNECTIONS_MAX: usize = 64;

/// Where to listen. Port 0 is any free one.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// The API and the pages.
    pub address: SocketAddr,
    /// `/livez`, `/readyz`, `/metrics`.
    pub admin: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8081)),
        }
    }
}

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is not this machine's own.
    #[error(
        "{0} is not on loopback, and this server speaks plain HTTP: listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// Someone else has the port.
    #[error("{address} cannot be listened on: {source}")]
    Taken {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Bound {
    main: TcpListener,
    admin: TcpListener,
    address: SocketAddr,
    admin_address: SocketAddr,
    grace: Duration,
    connections_max: usize,
}

impl Bound {
    /// Listens.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(listen: Listen) -> Result<Self, BindError> {
        let (main, address) = bind(listen.address).await?;
        let (admin, admin_address) = bind(listen.admin).await?;
        Ok(Self {
            main,
            admin,
            address,
            admin_address,
            grace: GRACE,
            connections_max: CONNECTIONS_MAX,
        })
    }

    /// The same, with so much time for requests to end.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The same, with so many connections at once.
    #[must_use]
    pub const fn with_connections(mut self, connections_max: usize) -> Self {
        self.connections_max = connections_max;
        self
    }

    /// Where the API and the pages are.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin listener is.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Answers until `shutdown` ends or storage fails. Then nobody new is answered; requests have their
    /// time to end, and what still runs is given up and says so. Last, writes the anchors and closes
    /// the databases.
    ///
    /// # Errors
    /// When storage failed: the process then has to end with a failure.
    pub async fn serve(
        self,
        app: App,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        keep_panics_quiet();
        processing::start(&app);
        let stop = app.stop().clone();
        let told = app.stop().clone();
        app.tracker().spawn(async move {
            tokio::select! {
                () = shutdown => told.cancel(),
                () = told.cancelled() => {}
            }
        });
        let admin_router = admin::router(&app);
        let (admin_stop, admin_tracker) = (app.stop().clone(), app.tracker().clone());
        let admin = self.admin;
        app.tracker().spawn(async move {
            let told = (&admin_stop, &admin_tracker);
            connections::accept(told, (admin, ADMIN_CONNECTIONS_MAX), admin_router).await;
        });
        tracing::info!(address = %self.address, admin = %self.admin_address, "serving");
        let router = routes::router(&app);
        let main = (self.main, self.connections_max);
        let serving = connections::accept((app.stop(), app.tracker()), main, router);
        let grace = self.grace;
        let drained = async {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
            tracing::warn!("requests are still running and have had their time: they are given up");
            app.tenants().all().for_each(|tenant| tenant.intake().end());
            app.late().cancel();
            tokio::time::sleep(LAST_WORDS * 2).await;
        };
        tokio::select! {
            () = serving => {}
            () = drained => {
                tracing::warn!("requests were still running when the time to end had passed");
            }
        }
        close(&app).await
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    if !address.ip().is_loopback() {
        return Err(BindError::NotLoopback(address));
    }
    let taken = |source| BindError::Taken { address, source };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let bound = listener.local_addr().map_err(taken)?;
    Ok((listener, bound))
}

/// Ends the tasks, writes the anchors, closes the databases.
///
/// # Errors
/// When a database had stopped after a failed sync: what is on disk is the truth, and the process
/// must not go on.
pub async fn close(app: &App) -> anyhow::Result<()> {
    app.stop().cancel();
    app.tracker().close();
    if tokio::time::timeout(TASKS, app.tracker().wait()).await.is_err() {
        tracing::warn!("a task was still running when the time to end had passed");
    }
    let tenants: Vec<_> = app.tenants().all().collect();
    let closed = tokio::task::spawn_blocking(move || {
        let mut failed = false;
        for tenant in tenants {
            let stopped = tenant.parts().db.state() == WriterState::Stopped;
            failed |= stopped;
            if !stopped && let Err(error) = crate::folder::anchors::write(tenant.parts()) {
                tracing::error!(cause = format!("{error:#}"), "the anchor was not written");
                failed |= SyncFailed::is_behind(&*error);
            }
            tenant.parts().db.close();
        }
        failed
    });
    if closed.await.context("close the databases")? {
        bail!("storage failed: what was acknowledged is on disk; start again to recover");
    }
    tracing::info!("closed");
    Ok(())
}

/// A panic's message may hold data, so the log says only where it was.
pub fn keep_panics_quiet() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a thread panicked");
    }));
}
