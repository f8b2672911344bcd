//! What the numbers were measured on, and whether others used it meanwhile.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The unit of processor time in /proc, in all Linuxes that are in use.
const TICK: Duration = Duration::from_millis(10);
/// The share of the machine that others may have before a run is void, in percent.
const OTHERS_PERCENT_MAX: u64 = 15;

fn ticks(count: u64) -> Duration {
    TICK * u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a process, its ended threads and its ended children have had of the processors.
pub(crate) fn processor_of(process: &str) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    ticks(fields.skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum())
}

/// What this thread has had of a processor, in nanoseconds.
pub(crate) fn own_thread() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(first.unwrap_or_default())
}

/// What all processes have had, and how many processors there are.
fn machine() -> (Duration, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let fields: Vec<u64> = first.split(' ').filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal.
    let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|place| fields.get(*place)).sum();
    let cores = text.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    (ticks(busy), u64::try_from(cores).unwrap_or(1))
}

/// Watches what others take of the machine while something is measured.
pub(crate) struct Watch {
    begun: Instant,
    busy: Duration,
    own: Duration,
}

impl Watch {
    /// `own` is what the bench and its servers have had so far.
    pub(crate) fn start(own: Duration) -> Self {
        Self { begun: Instant::now(), busy: machine().0, own }
    }

    /// The share of the machine that others had, in percent of all processors.
    pub(crate) fn others_percent(&self, own: Duration) -> u64 {
        let (busy, cores) = machine();
        let others = (busy - self.busy).saturating_sub(own.saturating_sub(self.own));
        let all = self.begun.elapsed().as_millis().max(1) * u128::from(cores);
        u64::try_from(others.as_millis() * 100 / all).unwrap_or(100)
    }
}

/// The share that others had, where it makes a run void.
pub(crate) fn void(percent: u64) -> Option<u64> {
    (percent > OTHERS_PERCENT_MAX).then_some(percent)
}

/// A value at so many thousandths of the sorted ones.
pub(crate) fn at(sorted: &[Duration], thousandths: usize) -> Duration {
    let place = sorted.len() * thousandths / 1_000;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// What is written and synced 200 times: the disk's own share in every acknowledgement.
fn synced(folder: &Path) -> Result<(Duration, Duration)> {
    let path = folder.join("sync");
    let mut file = File::create(&path).context("make a file")?;
    let page = vec![7; 75 << 10];
    let mut took = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    fs::remove_file(&path)?;
    took.sort_unstable();
    Ok((at(&took, 500), at(&took, 990)))
}

fn first_of(path: &str, start: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
    line.split_once(':').map_or(line, |(_, value)| value).trim().to_owned()
}

/// The file system that a folder lies on.
fn file_system(folder: &Path) -> String {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = text.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        folder.starts_with(place).then(|| (place.len(), kind.to_owned()))
    });
    mounts.max().map(|(_, kind)| kind).unwrap_or_default()
}

/// What is printed above every table.
pub(crate) fn about(folder: &Path) -> Result<Value> {
    let (p50, p99) = synced(folder)?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Ok(json!({
        "kernel": kernel.trim(),
        "processor": first_of("/proc/cpuinfo", "model name"),
        "cores": machine().1,
        "file_system": file_system(folder),
        "fdatasync_75_kib_us": { "p50": micros(p50), "p99": micros(p99) },
    }))
}

/// Microseconds, as they are printed.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
