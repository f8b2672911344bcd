//! The state of the server, built in one function and handed to every handler.

use core::time::Duration;
use std::sync::Arc;

use envora_api::problems::Problem;
use envora_domain::ports::{Clock, Disk, Entropy};
use envora_domain::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::folder::lock::FolderLock;
use crate::gauges::Sizes;
use crate::metrics::Metrics;
use crate::routes;
use crate::tenants::Tenants;

/// How many large bodies are held at once: with 64 MiB each, and their rows beside them.
const BODIES_MAX: usize = 4;
/// How many files are written out at once, each holding the rows of one segment.
const EXPORTS_MAX: usize = 4;
/// How long a large body waits for its turn.
const BODY_WAIT: Duration = Duration::from_secs(10);

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
    sizes: Sizes,
    started: Timestamp,
    tracker: TaskTracker,
    bodies: Semaphore,
    exports: Arc<Semaphore>,
    stop: CancellationToken,
    late: CancellationToken,
    /// Held for as long as anyone may still use the folder.
    _lock: FolderLock,
}

impl App {
    /// The state for the tenants of a folder.
    #[must_use]
    pub(crate) fn new(tenants: Tenants, world: World, lock: FolderLock) -> Self {
        let started = world.clock.now();
        Self {
            inner: Arc::new(Inner {
                tenants,
                world,
                metrics: Metrics::default(),
                sizes: Sizes::default(),
                started,
                tracker: TaskTracker::new(),
                bodies: Semaphore::new(BODIES_MAX),
                exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
                stop: CancellationToken::new(),
                late: CancellationToken::new(),
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

    /// What lay on the disk when it was last looked at.
    #[must_use]
    pub(crate) fn sizes(&self) -> &Sizes {
        &self.inner.sizes
    }

    /// When the process began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.inner.started
    }

    /// Room for one large body, so that many at once cannot use up the memory.
    ///
    /// # Errors
    /// 429 when there is none within a few seconds.
    pub async fn body_room(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let room = tokio::time::timeout(BODY_WAIT, self.inner.bodies.acquire()).await;
        room.ok().and_then(Result::ok).ok_or_else(|| {
            Problem::overloaded("As many large bodies are on their way as can be held at once. Send it again in a moment.")
        })
    }

    /// A turn to write a file out, for as long as it is kept.
    ///
    /// # Errors
    /// 429 when there is none.
    pub fn export_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.inner.exports).try_acquire_owned().map_err(|_| {
            Problem::overloaded(
                "As many files are being written out as can be at once. Ask again in a moment.",
            )
        })
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

    /// Told when requests have had their time to end: what still runs is given up.
    #[must_use]
    pub(crate) fn late(&self) -> &CancellationToken {
        &self.inner.late
    }

    /// The route's template as it stands in the route list: for logs and metrics.
    #[must_use]
    pub fn route_template(&self, matched: &str) -> Option<&'static str> {
        routes::template(matched)
    }
}
