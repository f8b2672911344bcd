//! The state of the server, built in one function and handed to every handler.

use core::time::Duration;
use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use envora_api::problems::Problem;
use envora_domain::planted::planted;
use envora_domain::ports::{Clock, Disk, Entropy};
use envora_domain::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bodies;
use crate::folder::lock::FolderLock;
use crate::gate;
use crate::gauges::Sizes;
use crate::metrics::Metrics;
use crate::routes;
use crate::tenants::Tenants;

/// How many large bodies are held at once: with 64 MiB each, and their rows beside them.
const BODIES_MAX: usize = 4;
/// How many files are written out at once, each holding the rows of one segment.
const EXPORTS_MAX: usize = 4;
/// How many questions in SQL are worked on at once: each has a core while it is.
const QUERIES_MAX: usize = 2;
/// How long a large body waits for its turn.
const BODY_WAIT: Duration = Duration::from_secs(10);
/// How many wait for that; more are told to come again.
const WAITING_MAX: usize = 32;
/// The longest body that needs no turn: a few rows. Many such are worked on at once, and stored together.
const SMALL_BYTES_MAX: u64 = 16 << 10;
/// How many of those there may be.
const SMALL_MAX: usize = 256;
/// The longest body that arrives before its turn.
const SHORT_BYTES_MAX: u64 = 1 << 20;
/// How much of such bodies is held at once, in KiB.
const ARRIVING_KIB_MAX: usize = 64 << 10;

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

/// A turn to hold a body, for as long as it is kept.
pub struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _held: Option<SemaphorePermit<'a>>,
}

fn overloaded() -> Problem {
    Problem::overloaded(
        "As many bodies are on their way as can be held at once. Send it again in a moment.",
    )
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
    waiting: Semaphore,
    small: Semaphore,
    arriving: Semaphore,
    exports: Arc<Semaphore>,
    queries: Arc<Semaphore>,
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
                waiting: Semaphore::new(WAITING_MAX),
                small: Semaphore::new(SMALL_MAX),
                arriving: Semaphore::new(ARRIVING_KIB_MAX),
                exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
                queries: Arc::new(Semaphore::new(QUERIES_MAX)),
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

    /// A turn to hold a body and its rows, so that many at once cannot use up the memory. A short body
    /// arrives before its turn: who sends it slowly keeps nobody waiting. One of a few rows waits for none.
    ///
    /// # Errors
    /// 429, before anything is read, when as many wait as may, and when none ends within a few seconds;
    /// 408 and 400 as of a body that does not arrive.
    pub async fn turn(&self, headers: &HeaderMap, body: Body) -> Result<(Body, Turn<'_>), Problem> {
        let inner = &self.inner;
        if planted("unbounded_queue") {
            let turn = inner.bodies.acquire().await.map_err(|_| overloaded())?;
            return Ok((body, Turn { _turn: turn, _held: None }));
        }
        let declared = bodies::declared(headers);
        // What unpacks to more than it says is none of a few rows.
        if declared.is_some_and(|bytes| bytes <= SMALL_BYTES_MAX) && !gate::unpacks(headers) {
            let turn = inner.small.try_acquire().map_err(|_| overloaded())?;
            return Ok((bodies::gathered(body).await?, Turn { _turn: turn, _held: None }));
        }
        let short = declared.filter(|bytes| *bytes <= SHORT_BYTES_MAX);
        let (body, held) = match short.and_then(|bytes| u32::try_from(bytes >> 10).ok()) {
            None => (body, None),
            Some(kibibytes) => {
                if inner.waiting.available_permits() == 0 {
                    return Err(overloaded());
                }
                let held = inner.arriving.try_acquire_many(kibibytes + 1);
                let held = held.map_err(|_| overloaded())?;
                (bodies::gathered(body).await?, Some(held))
            }
        };
        Ok((body, Turn { _turn: self.waited().await?, _held: held }))
    }

    /// A turn for what makes as much of a file as of a body.
    ///
    /// # Errors
    /// 429.
    pub async fn waited(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let _waits = self.inner.waiting.try_acquire().map_err(|_| overloaded())?;
        let turn = tokio::time::timeout(BODY_WAIT, self.inner.bodies.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or_else(overloaded)
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

    /// A turn to work on a question in SQL, for as long as it is kept.
    ///
    /// # Errors
    /// 429 when there is none.
    pub fn query_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.inner.queries).try_acquire_owned().map_err(|_| {
            Problem::overloaded(
                "As many questions are being worked on as can be at once. Ask again in a moment.",
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
