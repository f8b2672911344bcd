//! Which server to ask, and as whom: flags and environment first, then files.
//!
//! A file is `.envora.toml` where one stands, the user's own, or the one that a demo keeps. It never
//! holds a token, only the name of the file that does.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_api::spelling::did_you_mean;
use serde::{Deserialize, Serialize};

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
    let file = chosen(said.server.as_deref(), places)?.map(|(_, file)| file).unwrap_or_default();
    let Some(server) = said.server.or(file.server) else { return Ok(None) };
    let token = match (said.token, said.token_file.or(file.token_file)) {
        (Some(token), _) => Some(token),
        (None, Some(path)) => Some(read_token(&path)?),
        (None, None) => None,
    };
    Ok(Some(Target { server, organization: said.organization.or(file.organization), token }))
}

/// The file that counts for this server, or for any when none was said.
fn chosen(
    server: Option<&str>,
    places: &[PathBuf],
) -> Result<Option<(PathBuf, ClientFile)>, Failure> {
    let mut files = Vec::new();
    for place in places.iter().filter(|place| place.exists()) {
        files.push((place.clone(), read(place)?));
    }
    Ok(files.into_iter().find(|(_, file)| match server {
        None => file.server.is_some(),
        Some(_) => file.server.as_deref() == server,
    }))
}

/// A setting as it stands, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub setting: &'static str,
    /// Its value; a secret is `***`, what is not set is absent.
    pub value: Option<String>,
    /// `flag --server`, `environment ENVORA_SERVER`, `file PATH`, `default`.
    pub from: String,
}

impl Setting {
    /// The first of these that says something, or the default.
    #[must_use]
    pub fn first(
        setting: &'static str,
        said: impl IntoIterator<Item = (String, Option<String>)>,
        default: Option<&str>,
    ) -> Self {
        let found = said.into_iter().find_map(|(from, value)| Some((from, value?)));
        match found {
            Some((from, value)) => Self { setting, value: Some(value), from },
            None => Self { setting, value: default.map(str::to_owned), from: "default".to_owned() },
        }
    }

    /// The same without its value, where it has one.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.value = self.value.map(|_| "***".to_owned());
        self
    }
}

/// The settings of the client: whom to ask, and as whom.
///
/// # Errors
/// A file that cannot be read or has unknown keys.
pub fn settings(
    flags: &Said,
    environment: &Said,
    places: &[PathBuf],
) -> Result<Vec<Setting>, Failure> {
    let server = flags.server.as_ref().or(environment.server.as_ref());
    let chosen = chosen(server.map(String::as_str), places)?;
    let (place, file) = chosen.unwrap_or_default();
    let file_says = format!("file {}", place.display());
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let said = |name: &str, values: [Option<String>; 3]| {
        let variable = format!("environment ENVORA_{}", name.to_uppercase());
        [format!("flag --{name}"), variable, file_says.clone()].into_iter().zip(values)
    };
    let servers = [flags.server.clone(), environment.server.clone(), file.server.clone()];
    let organizations =
        [flags.organization.clone(), environment.organization.clone(), file.organization.clone()];
    let files = [None, path(&environment.token_file), path(&file.token_file)];
    Ok(vec![
        Setting::first("server", said("server", servers), None),
        Setting::first(
            "organization",
            said("org", organizations),
            Some("the first label of the server's name"),
        ),
        Setting::first("token", said("token", [None, environment.token.clone(), None]), None)
            .secret(),
        Setting::first("token_file", said("token_file", files), None),
    ])
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

#[cfg(test)]
mod tests {
    use super::{Said, settings};

    #[test]
    fn a_flag_wins_over_the_environment_and_secrets_stay_hidden() {
        let flags = Said { server: Some("http://a.localhost".to_owned()), ..Said::default() };
        let environment = Said {
            server: Some("http://b.localhost".to_owned()),
            token: Some("env_secret".to_owned()),
            ..Said::default()
        };
        let all = settings(&flags, &environment, &[]).expect("settings");
        let told = all.iter().map(|one| (one.setting, one.value.as_deref(), one.from.as_str()));
        let want = [
            ("server", Some("http://a.localhost"), "flag --server"),
            ("organization", Some("the first label of the server's name"), "default"),
            ("token", Some("***"), "environment ENVORA_TOKEN"),
            ("token_file", None, "default"),
        ];
        assert!(told.eq(want), "{all:?}");
    }
}
