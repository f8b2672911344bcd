//! Logs: JSON lines to stderr or a file, never to stdout.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Where the log goes.
pub(crate) enum Log<'a> {
    /// To stderr.
    Stderr,
    /// To the end of this file.
    File(&'a Path),
}

/// Starts logging; `filter` is what `ENVORA_LOG` says, `info` when it says nothing.
pub(crate) fn start(log: &Log<'_>, filter: Option<&str>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter.unwrap_or("info")).context("understand ENVORA_LOG")?;
    let writer = match log {
        Log::Stderr => BoxMakeWriter::new(std::io::stderr),
        Log::File(path) => {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(path);
            let file = file.with_context(|| format!("open the log {}", path.display()))?;
            BoxMakeWriter::new(Arc::new(file))
        }
    };
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(writer).finish();
    tracing::subscriber::set_global_default(subscriber).context("start the log")
}
