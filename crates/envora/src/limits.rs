//! What the system lets this process have: open files, of which each connection takes one.

/// How many connections are held at once, where the system lets them.
const CONNECTIONS_MAX: u64 = 4_096;
/// Files that are kept for everything but connections.
const OTHERS: u64 = 256;
/// Where nothing is known.
#[cfg(not(unix))]
const USUAL: u64 = 1_024;

/// Raises the limit on open files as far as needed and allowed; gives how many connections there can be.
pub(crate) fn connections_max() -> usize {
    let files = open_files(CONNECTIONS_MAX + OTHERS);
    usize::try_from(files.saturating_sub(OTHERS).clamp(64, CONNECTIONS_MAX)).unwrap_or(64)
}

#[cfg(unix)]
fn open_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let current = now.current.unwrap_or(u64::MAX);
    let most = now.maximum.map_or(wanted, |most| most.min(wanted));
    let raised = Rlimit { current: Some(most), maximum: now.maximum };
    if current < most && setrlimit(Resource::Nofile, raised).is_ok() {
        return most;
    }
    current
}

#[cfg(not(unix))]
const fn open_files(_: u64) -> u64 {
    USUAL
}
