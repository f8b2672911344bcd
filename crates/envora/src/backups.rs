//! `backup`, `restore`: a data folder's copies, through the server's own doors.

use envora_cli::arguments::Common;
use envora_cli::failures::Failure;
use envora_cli::terminal::{Terminal, seconds};
use envora_domain::decimal::count_of;
use envora_server::folder::backup::{self, Parts};
use envora_server::folder::restore::{self, Older, Sources};

use crate::arguments::{BackupVerb, RestoreArguments};
use crate::environment::Environment;
use crate::folders::{folder_failure, show};
use crate::world;

/// Makes or examines a backup.
pub(crate) fn backup(
    verb: &BackupVerb,
    common: &Common,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let world = world::real();
    match verb {
        BackupVerb::Create { folder, to, keys_to } => {
            let data = environment.data(folder.data.as_deref())?;
            let began = world.clock.monotonic_us();
            let parts = Parts { data: to.clone(), keys: keys_to.clone() };
            let made = backup::create(&data, &parts, &world, None).map_err(folder_failure)?;
            let took = seconds(world.clock.monotonic_us().saturating_sub(began));
            let words = &mut terminal.words;
            words.line(format!("copied {} and examined the copy in {took} s", data.display()));
            for (what, path, manifest) in [("data", to, &made.data), ("keys", keys_to, &made.keys)]
            {
                let files = u64::try_from(manifest.files.len()).unwrap_or(u64::MAX);
                let (files, bytes) = (count_of(files, "file", "files"), manifest.bytes());
                words.line(format!("  {what}  {}: {files}, {bytes} bytes", path.display()));
            }
            words.line("  keep the two apart: with both, everything can be read");
            Ok(())
        }
        BackupVerb::Verify { from, keys } => {
            let checks = backup::verify(from, keys.as_deref(), &world, None);
            show(&checks, common, terminal)
        }
    }
}

/// Makes a folder from a backup.
pub(crate) fn restore(
    arguments: &RestoreArguments,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let data = environment.data(arguments.folder.data.as_deref())?;
    let world = world::real();
    let began = world.clock.monotonic_us();
    let sources = Sources {
        data: arguments.from.clone(),
        keys: arguments.keys.clone(),
        other_keys: arguments.other_keys.clone(),
    };
    let older = if arguments.accept_rollback { Older::Accept } else { Older::Refuse };
    let restored =
        restore::restore(&data, (&sources, older), &world, None).map_err(folder_failure)?;
    let took = seconds(world.clock.monotonic_us().saturating_sub(began));
    let words = &mut terminal.words;
    words.line(format!("restored {} in {took} s: {} bytes", data.display(), restored.bytes));
    for check in &restored.checks {
        words.line(format!("  {}: {}", check.name, check.detail));
    }
    words.line(format!("  it holds what was acknowledged until {}", restored.at));
    words.line(format!("  serve it: envora serve --data {}", data.display()));
    Ok(())
}
