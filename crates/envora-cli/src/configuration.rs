//! Which server to ask, and as whom: flags and environment first, then files.
//!
//! A file is `.envora.toml` where one stands, the user's own, or the one that a demo keeps. It never
//! holds a token, only the name of the file that does.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_api::spelling::did_you_mean;
use serde::Deserialize;

use crate::client::Target;
use crate::failures::Failure;

/// What flags and environment say; a flag has won already.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The server.
    pub server: Option<String>,
    /// The organization.
    pub organization: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// The token's file.
    pub token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ClientFile {
    server: Option<String>,
    organization: Option<String>,
    token_file: Option<PathBuf>,
}

const KEYS: &[&str] = &["server", "organization", "token_file"];

/// Whom to ask, when someone is named. The first file that names the server counts; when a server was
/// said, only a file about that very server does, so that no token goes to another one.
///
/// # Errors
/// A file that cannot be read or has unknown keys.
pub fn target(said: Said, places: &[PathBuf]) -> Result<Option<Target>, Failure> {
    let mut files = Vec::new();
    for place in places.iter().filter(|place| place.exists()) {
        files.push(read(place)?);
    }
    let file = files.into_iter().find(|file| match &said.server {
        None => file.server.is_some(),
        server @ Some(_) => file.server == *server,
    });
    let file = file.unwrap_or_default();
    let Some(server) = said.server.or(file.server) else { return Ok(None) };
    let token = match (said.token, said.token_file.or(file.token_file)) {
        (Some(token), _) => Some(token),
        (None, Some(path)) => Some(read_token(&path)?),
        (None, None) => None,
    };
    Ok(Some(Target { server, organization: said.organization.or(file.organization), token }))
}

fn read(path: &Path) -> Result<ClientFile, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("read {place}"))?;
    let wrong = |why: &str, help: String| Failure::usage(format!("{place}: {why}"), help);
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| wrong(error.message(), String::new()))?;
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let help = did_you_mean(key, KEYS).map_or_else(
            || format!("the keys are {}", KEYS.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        return Err(wrong(&format!("unknown key {key:?}"), help));
    }
    table.try_into().map_err(|error: toml::de::Error| wrong(error.message(), String::new()))
}

/// A token from its file.
///
/// # Errors
/// When it cannot be read.
pub fn read_token(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("read the token from {}", path.display()))?;
    Ok(text.trim().to_owned())
}
