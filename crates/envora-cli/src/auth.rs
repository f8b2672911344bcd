//! `envora auth`: tokens, each kept with the one server it is for.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use envora_api::organizations::Organization;
use envora_domain::ports::Entropy;
use serde::Serialize;

use crate::arguments::{AuthVerb, LoginArguments};
use crate::client::{Client, Target};
use crate::configuration::{Chosen, Whom, same_server};
use crate::failures::{Exit, Failure};
use crate::logins::{Login, Logins};
use crate::session::{Printed, Session};
use crate::tables::Table;

/// Does what an auth verb says.
///
/// # Errors
/// No server, a token that the server does not take, a file that cannot be read or written.
pub async fn run(verb: AuthVerb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        AuthVerb::Login(arguments) => login(&arguments, session).await,
        AuthVerb::Status => status(session).await,
        AuthVerb::Switch { server } => switch(&server, session),
        AuthVerb::Token => token(session),
        AuthVerb::Logout { server } => logout(server.as_deref(), session),
    }
}

async fn login(arguments: &LoginArguments, session: &mut Session) -> Result<(), Failure> {
    if arguments.device || arguments.browser {
        return Err(Failure::usage(
            "signing in with a browser or a device code is not there yet: it comes with people and roles",
            "give a token on stdin: envora auth login --server URL --token -",
        ));
    }
    let named = match session.target() {
        Some(target) if matches!(target.chosen, Chosen::Named | Chosen::File(_)) => target.clone(),
        Some(_) | None => {
            return Err(Failure::usage(
                "sign in at which server?",
                "say --server http://acme.localhost:8080",
            ));
        }
    };
    let organization = arguments.org_id.clone().or(named.organization);
    let token = token_of(arguments, session)?;
    let target = Target { organization, token: Some(token.clone()), notes: Vec::new(), ..named };
    let client = Client::new(&target, Arc::clone(&session.entropy))?;
    let organization = verified(&client).await?;
    let path = place(session)?;
    let mut logins = Logins::read(&path)?;
    logins.add(Login {
        server: client.server().to_owned(),
        organization: organization.slug.clone(),
        current: true,
        token,
    });
    logins.write(&path, &*session.disk)?;
    let words = &mut session.terminal.words;
    words.line(format!(
        "signed in at {} as {} ({})",
        client.server(),
        words.paint.strong(&organization.slug),
        organization.name
    ));
    words.line(format!("  kept in {}, readable by you alone", path.display()));
    Ok(())
}

/// The organization that a token opens: asking for it is the proof.
async fn verified(client: &Client) -> Result<Organization, Failure> {
    let found: Result<Organization, Failure> = client.get("", &[]).await;
    found.map_err(|failure| match failure {
        Failure::Problem(problem) if problem.status == 401 => Failure::known(
            (Exit::SignIn, "token_refused"),
            format!("{} does not take this token: nothing was kept", client.server()),
            "is it whole, and of this very server? `envora init` printed it once",
        ),
        Failure::Problem(problem) if problem.status == 404 => Failure::known(
            (Exit::Error, "not_found"),
            format!(
                "{} has no such organization for this token: nothing was kept",
                client.server()
            ),
            "name the organization with --org-id, as in http://ORG.localhost",
        ),
        other @ (Failure::Said(_)
        | Failure::Known { .. }
        | Failure::Problem(_)
        | Failure::Unexpected(_)) => other,
    })
}

/// The token, from stdin: what stands in a command line can be read by others.
fn token_of(arguments: &LoginArguments, session: &mut Session) -> Result<String, Failure> {
    let how = "pipe it in: envora auth login --server URL --token - < FILE";
    match arguments.token.as_deref() {
        Some("-") => {}
        Some(_) => {
            let what = "a token in the command line can be read by others on this machine";
            return Err(Failure::usage(what, how));
        }
        None => return Err(Failure::usage("which token?", how)),
    }
    if std::io::stdin().is_terminal() {
        session.terminal.words.error("Paste the token, then press Enter: ");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("read the token from stdin")?;
    let token = line.trim().to_owned();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::usage("there is no token on stdin", how));
    }
    Ok(token)
}

fn place(session: &Session) -> Result<std::path::PathBuf, Failure> {
    session.logins.clone().ok_or_else(|| {
        Failure::usage("there is no home folder to keep a sign-in in", "set ENVORA_TOKEN instead")
    })
}

/// A server and how it stands with it.
#[derive(Serialize)]
struct Standing {
    server: String,
    organization: String,
    in_use: bool,
    from: &'static str,
    state: &'static str,
}

async fn status(session: &mut Session) -> Result<(), Failure> {
    let path = place(session).ok();
    let logins = path.as_deref().map(Logins::read).transpose()?.unwrap_or_default();
    let asked = session.target().cloned();
    let mut all = Vec::new();
    let mut exit = if asked.is_some() { Exit::Done } else { Exit::SignIn };
    if let Some(target) = &asked {
        let (state, ends, found) = standing(target, &session.entropy).await;
        let organization = found.or_else(|| target.organization.clone()).unwrap_or_default();
        exit = ends;
        let kept = logins.of(&target.server, target.organization.as_deref());
        let kept = kept.filter(|login| target.token.as_ref() == Some(&login.token));
        let from = match (&target.chosen, kept) {
            (_, Some(_)) => "auth login",
            (Chosen::OnlyDemo, None) => "the demo",
            (Chosen::File(_), None) => "file",
            (Chosen::Named | Chosen::SignedIn, None) => "named",
        };
        let server = target.server.trim_end_matches('/').to_owned();
        all.push(Standing { server, organization, in_use: true, from, state });
    }
    for login in logins.all() {
        let organization = Some(&login.organization);
        if asked.as_ref().is_some_and(|target| {
            same_server(&target.server, &login.server)
                && target.organization.as_ref().is_none_or(|asked| Some(asked) == organization)
        }) {
            continue;
        }
        let target = Target {
            server: login.server.clone(),
            organization: organization.cloned(),
            token: Some(login.token.clone()),
            chosen: Chosen::SignedIn,
            notes: Vec::new(),
        };
        let (state, _, _) = standing(&target, &session.entropy).await;
        let (server, organization) = (login.server.clone(), login.organization.clone());
        all.push(Standing { server, organization, in_use: false, from: "auth login", state });
    }
    if session.print_json(&all)? == Printed::NotYet {
        let mut table = Table::new(&["server", "organization", "in use", "from", "state"]);
        for one in &all {
            let in_use = if one.in_use { "yes" } else { "" };
            table.row([&one.server, &one.organization, in_use, one.from, one.state]);
        }
        table.print(&mut session.terminal.data);
    }
    if let Whom::Nobody(unnamed) = &session.whom {
        let what = unnamed.what.clone();
        let words = &mut session.terminal.words;
        words.line(format!("no server would be asked: {what}"));
        words.help("envora auth login --server http://acme.localhost:8080 --token -");
    }
    if exit == Exit::Done { Ok(()) } else { Err(Failure::Said(exit)) }
}

/// Whether a server takes a token, asked of the server itself; and whose token it is.
async fn standing(
    target: &Target,
    entropy: &Arc<dyn Entropy>,
) -> (&'static str, Exit, Option<String>) {
    if target.token.is_none() {
        return ("no token", Exit::SignIn, None);
    }
    let Ok(client) = Client::new(target, Arc::clone(entropy)) else {
        return ("no address that can be asked", Exit::Usage, None);
    };
    match verified(&client).await {
        Ok(organization) => ("signed in", Exit::Done, Some(organization.slug)),
        Err(failure) => match failure.exit() {
            Exit::SignIn => ("token refused", Exit::SignIn, None),
            Exit::Unavailable => ("nobody answers", Exit::Unavailable, None),
            exit @ (Exit::Done
            | Exit::Error
            | Exit::Usage
            | Exit::Partial
            | Exit::Verification
            | Exit::Interrupted) => ("no such organization", exit, None),
        },
    }
}

/// The one sign-in that a word names.
fn found(logins: &Logins, word: &str, path: &Path) -> Result<Login, Failure> {
    match logins.named(word).as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::known(
            (Exit::Error, "not_found"),
            format!("nobody is signed in at {word}"),
            format!("`envora auth status` lists what {} holds", path.display()),
        )),
        several => {
            let all: Vec<&str> = several.iter().map(|login| login.server.as_str()).collect();
            let what = format!("{word} names several: {}", all.join(", "));
            Err(Failure::usage(what, "say its whole address, or its organization"))
        }
    }
}

fn switch(word: &str, session: &mut Session) -> Result<(), Failure> {
    let path = place(session)?;
    let mut logins = Logins::read(&path)?;
    let to = found(&logins, word, &path)?;
    logins.switch(&to);
    logins.write(&path, &*session.disk)?;
    let words = &mut session.terminal.words;
    words.line(format!("{} ({}) is asked from now on", to.server, to.organization));
    Ok(())
}

fn token(session: &mut Session) -> Result<(), Failure> {
    let target = match &session.whom {
        Whom::Server(target) => target,
        Whom::Nobody(unnamed) => return Err(unnamed.failure()),
    };
    let Some(token) = &target.token else {
        return Err(Failure::known(
            (Exit::SignIn, "no_token"),
            format!("no token is known for {}", target.server),
            "sign in with `envora auth login`, or set ENVORA_TOKEN",
        ));
    };
    session.terminal.data.line(token);
    Ok(())
}

fn logout(word: Option<&str>, session: &mut Session) -> Result<(), Failure> {
    let path = place(session)?;
    let mut logins = Logins::read(&path)?;
    let gone = match (word, session.target()) {
        (Some(word), _) => found(&logins, word, &path)?,
        (None, Some(target)) => {
            let kept = logins.of(&target.server, target.organization.as_deref()).cloned();
            kept.ok_or_else(|| not_kept(&target.server))?
        }
        (None, None) => {
            return Err(Failure::usage("which server?", "envora auth status lists them"));
        }
    };
    logins.remove(&gone);
    logins.write(&path, &*session.disk)?;
    let words = &mut session.terminal.words;
    words.line(format!("the token for {} ({}) is forgotten here", gone.server, gone.organization));
    words.line("  the server still takes it from whoever has it");
    Ok(())
}

fn not_kept(server: &str) -> Failure {
    Failure::known(
        (Exit::Error, "not_found"),
        format!("no sign-in is kept for {server}"),
        "`envora auth status` lists those that are",
    )
}
