//! `demo`: an organization's year, on the meters of a real estate, through the real doors.
//!
//! A folder of its own, the server in this process, and the story told over HTTP like any client's.
//! Safe to repeat: rows have derived ids, so that a second time everything is there already.

mod estate;
pub(crate) mod places;
mod story;
mod year;

use std::path::Path;

use anyhow::Context as _;
use envora_cli::client::{Client, Target};
use envora_cli::configuration::Chosen;
use envora_cli::failures::Failure;
use envora_cli::terminal::{Audience, Terminal};
use envora_domain::ports::Clock as _;
use envora_identity::sign_in;
use envora_server::app::App;
use envora_server::folder::open;
use envora_server::serving::Listen;
use tokio::sync::oneshot;

use crate::arguments::DemoArguments;
use crate::demo::places::{DemoFolder, ORGANIZATION};
use crate::demo::story::Story;
use crate::environment::Environment;
use crate::folders;
use crate::logs::{self, Log};
use crate::world::{self, SystemClock};

/// Runs the demo, or removes what it left.
pub(crate) async fn run(
    arguments: &DemoArguments,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let folder = DemoFolder::at(environment.demo(arguments.folder.data.as_deref())?);
    if arguments.clean {
        let removed = folder.remove()?;
        terminal.data.line(format!("{} {}", removed, folder.path().display()));
        return Ok(());
    }
    // Where the port is taken, nothing is removed and nothing made.
    let listen = Listen {
        address: ([127, 0, 0, 1], arguments.port).into(),
        admin: ([127, 0, 0, 1], 0).into(),
    };
    let bound = folders::bind(listen).await?;
    if arguments.fresh {
        folder.remove()?;
    }
    let started = SystemClock.monotonic_us();
    let token = tokio::task::block_in_place(|| folder.make())?;
    logs::start(&Log::File(&folder.log()), environment.log_filter.as_deref())?;
    let path = folder.path().to_owned();
    let opened = tokio::task::spawn_blocking(move || open::open(&path, world::real(), None));
    let app = opened.await.context("open the folder")?.map_err(folders::folder_failure)?;
    let server = format!("http://localhost:{}", bound.address().port());
    folder.write_client(&server)?;
    // The other verbs find the demo by themselves only where it usually is.
    let command = match &arguments.folder.data {
        Some(_) => folder.command(&server),
        None => format!("{} --server demo", own_name()),
    };
    let itself = match &arguments.folder.data {
        Some(_) => format!("{} demo --data {}", own_name(), typed(folder.path())),
        None => format!("{} demo", own_name()),
    };
    let target = Target {
        server,
        organization: Some(ORGANIZATION.to_owned()),
        token: Some(token.clone()),
        chosen: Chosen::Named,
        notes: Vec::new(),
    };
    let client = Client::new(&target, world::entropy())?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = bound.serve(app.clone(), async move { drop(stopped.await) });
    let mut serving = Box::pin(serving);
    let story =
        Story { client, folder: &folder, started_us: started, command, itself: itself.clone() };
    let told = Box::pin(tell(arguments, environment, (&story, &app, &token), terminal));
    let ended = tokio::select! {
        served = &mut serving => {
            let ended = || anyhow::anyhow!("the server ended by itself");
            return Err(Failure::from(served.err().unwrap_or_else(ended)));
        }
        told = told => told,
        () = folders::told_to_end() => Ok(()),
    };
    drop(stop);
    serving.await?;
    terminal.words.line(format!(
        "ended; everything is kept in {}, `{itself}` shows it again",
        folder.path().display()
    ));
    ended
}

async fn tell(
    arguments: &DemoArguments,
    environment: &Environment,
    (story, app, token): (&Story<'_>, &App, &str),
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let figure = story.tell(terminal).await?;
    if arguments.once {
        story.part_with(None, &figure, terminal);
        return Ok(());
    }
    let link = sign_in_link(story.client.server(), app, token).await?;
    story.part_with(Some(&link), &figure, terminal);
    let people = terminal.data.audience == Audience::People && environment.display.is_some();
    if people && !arguments.no_browser {
        open_browser(&sign_in_link(story.client.server(), app, token).await?);
    }
    terminal.words.line("Ctrl-C ends it.");
    folders::told_to_end().await;
    Ok(())
}

/// The dashboard's address with a code that signs in once, within ten minutes.
async fn sign_in_link(server: &str, app: &App, token: &str) -> Result<String, Failure> {
    let tenant = app.tenants().all().next().context("find the demo's tenant")?;
    let (db, now) = (&tenant.parts().db, SystemClock.now());
    let actor = sign_in::by_token(db, token, now).await?.context("find the operator")?;
    let entropy = world::entropy();
    let code = sign_in::code_issue(db, actor, now, &*entropy).await?;
    Ok(format!("{server}/sign-in?code={}", code.reveal()))
}

/// Opens a browser where there is one; that there is none is no error, the link is printed.
fn open_browser(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let null = std::process::Stdio::null;
    let command = std::process::Command::new(opener)
        .arg(link)
        .stdin(null())
        .stdout(null())
        .stderr(null())
        .spawn();
    drop(command);
}

/// A path as it can be typed again: from wherever, and with blanks in it.
fn typed(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The name of this program as it can be typed again.
fn own_name() -> String {
    let path = std::env::current_exe().ok();
    let short = path.as_deref().and_then(Path::to_str).filter(|path| !path.contains(' '));
    short.unwrap_or("envora").to_owned()
}
