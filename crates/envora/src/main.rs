//! Envora: one program, a verb per role.
//!
//! The only place that reads the environment, makes the real clock, randomness and disk, and decides
//! where words and logs go. What it wires together lives in the other crates.

mod arguments;
mod backups;
mod demo;
mod environment;
mod folders;
mod limits;
mod logs;
mod manuals;
mod world;

use core::time::Duration;
use std::process::ExitCode;

use clap::Parser as _;
use envora_cli::configuration::{Unnamed, Whom};
use envora_cli::failures::{Exit, Failure};
use envora_cli::session::Session;
use envora_cli::terminal::Terminal;
use envora_domain::planted;

use crate::arguments::{CommandLine, Verb};
use crate::environment::Environment;

/// Rows are made by one thread and let go of by another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long threads that still work have, once all else has ended.
const LAST_THREADS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let environment = Environment::read();
    if let Some(name) = &environment.planted_bug {
        planted::arm(name);
    }
    let mut terminal = Terminal::of_process(environment.no_color.as_deref());
    line.common.shape(&mut terminal);
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(run(line, &environment, &mut terminal));
            // What still blocks a thread can no longer store anything: nobody waits for it for ever.
            runtime.shutdown_timeout(LAST_THREADS);
            ended
        }
        Err(error) => Err(Failure::from(anyhow::Error::from(error).context("start the runtime"))),
    };
    let exit = match ended {
        Ok(()) => Exit::Done,
        Err(failure) => {
            failure.print(&mut terminal.words);
            failure.exit()
        }
    };
    ExitCode::from(exit.code())
}

async fn run(
    line: CommandLine,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    match line.verb {
        Verb::Init(arguments) => {
            tokio::task::block_in_place(|| folders::init(&arguments, environment, terminal))
        }
        Verb::Serve(arguments) => folders::serve(&arguments, environment, terminal).await,
        Verb::Doctor(arguments) => tokio::task::block_in_place(|| {
            folders::doctor(&arguments, &line.common, environment, terminal)
        }),
        Verb::Backup(verb) => tokio::task::block_in_place(|| {
            backups::backup(&verb, &line.common, environment, terminal)
        }),
        Verb::Restore(arguments) => {
            tokio::task::block_in_place(|| backups::restore(&arguments, environment, terminal))
        }
        Verb::Demo(arguments) => demo::run(&arguments, environment, terminal).await,
        Verb::Config(verb) => manuals::config(&verb, &line.common, environment, terminal),
        Verb::Man { dir } => manuals::man(dir.as_deref(), terminal),
        Verb::Completions { shell } => {
            manuals::completions(shell, terminal);
            Ok(())
        }
        Verb::Remote(verb) => {
            let mut session = Session {
                // What needs no server must not fail over a file about one.
                whom: if matches!(verb, envora_cli::arguments::Verb::Units(_)) {
                    Whom::Nobody(Unnamed::nothing_known())
                } else {
                    environment.whom(&line.common)?
                },
                terminal: core::mem::replace(terminal, Terminal::of_process(None)),
                entropy: world::entropy(),
                disk: world::real().disk,
                logins: environment.logins(),
                form: line.common.form(),
                questions: line.common.questions(),
            };
            let done = tokio::select! {
                done = envora_cli::run(verb, &mut session) => done,
                _ = tokio::signal::ctrl_c() => Err(interrupted()),
            };
            *terminal = session.terminal;
            done
        }
    }
}

fn interrupted() -> Failure {
    Failure::known(
        (Exit::Interrupted, "interrupted"),
        "interrupted",
        "type the same command again: what was acknowledged is stored, and rows sent twice count once",
    )
}
