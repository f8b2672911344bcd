//! The state of the server, built in one function and handed to every handler.

use std::sync::Arc;

use envora_domain::ports::{Clock, Disk, Entropy};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::folder::lock::FolderLock;
use crate::metrics::Metrics;
use crate::routes;
use crate::tenants::Tenants;

/// What the server needs of the world.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The disk of lake and keys.
    pub disk: Arc<dyn Disk>,
}

/// The server's state. Clones share it.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    tenants: Tenants,
    world: World,
    metrics: Metrics,
    tracker: TaskTracker,
    stop: CancellationToken,
    /// Held for as long as anyone may still use the folder.
    _lock: FolderLock,
}

impl App {
    /// The state for the tenants of a folder.
    #[must_use]
    pub(crate) fn new(tenants: Tenants, world: World, lock: FolderLock) -> Self {
        Self {
            inner: Arc::new(Inner {
                tenants,
                world,
                metrics: Metrics::default(),
                tracker: TaskTracker::new(),
                stop: CancellationToken::new(),
                _lock: lock,
            }),
        }
    }

    /// The tenants.
    #[must_use]
    pub fn tenants(&self) -> &Tenants {
        &self.inner.tenants
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.world.clock
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.inner.world.entropy
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The one tracker on which tasks start.
    #[must_use]
    pub fn tracker(&self) -> &TaskTracker {
        &self.inner.tracker
    }

    /// Told when the server is to end.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }

    /// The route's template as it stands in the route list: for logs and metrics.
    #[must_use]
    pub fn route_template(&self, matched: &str) -> Option<&'static str> {
        routes::template(matched)
    }
}
