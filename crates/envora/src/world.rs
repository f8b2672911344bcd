//! The real clock, randomness and disk: made here, handed down as parameters.

use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use envora_crypto::entropy::OsEntropy;
use envora_domain::ports::{Clock, Entropy};
use envora_domain::time::Timestamp;
use envora_lake::os_disk::OsDisk;
use envora_server::app::World;

/// The clock of this machine.
#[derive(Debug)]
pub(crate) struct SystemClock;

static STARTED: LazyLock<Instant> = LazyLock::new(instant);

#[expect(clippy::disallowed_methods, reason = "the one real clock")]
fn instant() -> Instant {
    Instant::now()
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one real clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic_us(&self) -> u64 {
        let started = *STARTED;
        u64::try_from(instant().duration_since(started).as_micros()).unwrap_or(u64::MAX)
    }
}

/// All of it.
pub(crate) fn real() -> World {
    World { clock: Arc::new(SystemClock), entropy: entropy(), disk: Arc::new(OsDisk) }
}

/// The operating system's randomness.
pub(crate) fn entropy() -> Arc<dyn Entropy> {
    Arc::new(OsEntropy)
}
