//! Which server to ask, and as whom: flags and environment first, then files, then who is signed in,
//! and the demo last.
//!
//! A token belongs to one server and goes to no other one: what a file, a sign-in or the demo holds is
//! used for the very address it stands beside, and `ENVORA_TOKEN` only for a server that somebody has
//! named. A file of settings never holds a token, only the name of the file that does.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_api::spelling::did_you_mean;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::client::Target;
use crate::failures::{Exit, Failure};
use crate::logins::Logins;

/// The word for the demo, where an address may stand.
pub const DEMO: &str = "demo";

/// What flags or the environment say.
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

/// The demo's own server, as it wrote it down.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Its address.
    pub server: String,
    /// Its organization.
    pub organization: String,
    /// Its token's file.
    pub token_file: PathBuf,
    /// Whether the process that wrote this is there still. If not, anybody may listen there by now.
    pub running: bool,
}

/// Where a server can be known from, beside flags and environment.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Files of settings; the first that names a server counts.
    pub files: Vec<PathBuf>,
    /// The file of those who are signed in.
    pub logins: Option<PathBuf>,
    /// The demo, where one was started.
    pub demo: Option<Demo>,
}

/// What is asked, if anything.
#[derive(Clone, Debug)]
pub enum Whom {
    /// This server.
    Server(Target),
    /// Nobody, and why.
    Nobody(Unnamed),
}

/// Why nobody is asked: an error only of a verb that must ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    exit: Exit,
    code: &'static str,
    /// What is so.
    pub what: String,
    help: String,
}

impl Unnamed {
    /// As the failure of a verb that must ask.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::known((self.exit, self.code), self.what.clone(), self.help.clone())
    }

    fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "usage", what: what.into(), help: help.into() }
    }

    /// No server is known of.
    #[must_use]
    pub fn nothing_known() -> Self {
        Self::usage(
            "no server is named",
            "say --server http://acme.localhost:8080, set ENVORA_SERVER, sign in with `envora auth login`, or start `envora demo`",
        )
    }

    fn demo_is_gone() -> Self {
        Self {
            exit: Exit::Unavailable,
            code: "demo_not_running",
            what: "the demo is not running".to_owned(),
            help: "start it with ./run demo or `envora demo`, or pass --server URL".to_owned(),
        }
    }
}

/// How a server came to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// By a flag or the environment.
    Named,
    /// By this file of settings.
    File(PathBuf),
    /// By the last `auth login` or `auth switch`.
    SignedIn,
    /// As the only one that is known.
    OnlyDemo,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ClientFile {
    server: Option<String>,
    organization: Option<String>,
    token_file: Option<PathBuf>,
}

/// The keys of a file of settings, each with what it is.
pub const KEYS: &[(&str, &str)] = &[
    ("server", "The server's address, such as http://acme.localhost:8080; or demo"),
    ("organization", "The organization's short name or id"),
    ("token_file", "The file that holds the token for this server"),
];

/// What a file of settings may say, as JSON Schema.
#[must_use]
pub fn schema() -> serde_json::Value {
    let key = |(name, what): &(&str, &str)| {
        ((*name).to_owned(), serde_json::json!({"type": "string", "description": what}))
    };
    let properties: serde_json::Map<String, serde_json::Value> = KEYS.iter().map(key).collect();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".envora.toml, and config.toml in the user's folder",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// Whom to ask.
///
/// # Errors
/// A file that cannot be read, has unknown keys, or is open to others though it holds tokens.
pub fn whom(flags: &Said, environment: &Said, places: &Places) -> Result<Whom, Failure> {
    let known = Everything::read(places)?;
    let (server, chosen) = match known.choose(flags, environment) {
        Ok(found) => found,
        Err(unnamed) => return Ok(Whom::Nobody(unnamed)),
    };
    let is_there = |said: &Said| said.token.is_some() || said.token_file.is_some();
    let implicit = matches!(chosen, Chosen::SignedIn | Chosen::OnlyDemo);
    if is_there(environment) && implicit {
        return Ok(Whom::Nobody(Unnamed::usage(
            "ENVORA_TOKEN is set, but for which server?",
            "set ENVORA_SERVER beside it, or say --server; `envora auth login` keeps a token together with its server",
        )));
    }
    let elsewhere = flags.server.is_some()
        && environment
            .server
            .as_deref()
            .is_some_and(|other| !same_server(&known.address(other), &server));
    let mut notes = Vec::new();
    if elsewhere && is_there(environment) {
        notes.push(format!(
            "ENVORA_TOKEN goes with ENVORA_SERVER ({}): it is not sent to {server}",
            environment.server.as_deref().unwrap_or_default()
        ));
    }
    let said = if elsewhere { &Said::default() } else { environment };
    let organization = flags.organization.clone().or_else(|| said.organization.clone());
    let kept = known.kept(&server, organization.as_deref());
    let token = match (&said.token, &said.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(path)) => Some(read_token(path)?),
        (None, None) => kept.token.read()?,
    };
    let target =
        Target { server, organization: organization.or(kept.organization), token, chosen, notes };
    Ok(Whom::Server(target))
}

/// What is kept about a server.
#[derive(Default)]
struct Kept {
    organization: Option<String>,
    token: KeptToken,
    from: String,
}

/// A token, or where it is.
#[derive(Default)]
enum KeptToken {
    #[default]
    None,
    Here(String),
    In(PathBuf),
}

impl KeptToken {
    fn read(self) -> Result<Option<String>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::Here(token) => Ok(Some(token)),
            Self::In(path) => read_token(&path).map(Some),
        }
    }
}

/// All that files say.
struct Everything<'a> {
    files: Vec<(PathBuf, ClientFile)>,
    logins: Logins,
    demo: Option<&'a Demo>,
}

impl<'a> Everything<'a> {
    fn read(places: &'a Places) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for place in places.files.iter().filter(|place| place.exists()) {
            files.push((place.clone(), read(place)?));
        }
        let logins = places.logins.as_deref().map(Logins::read).transpose()?.unwrap_or_default();
        Ok(Self { files, logins, demo: places.demo.as_ref() })
    }

    /// The address behind a word: the demo's behind `demo`.
    fn address(&self, word: &str) -> String {
        match self.demo {
            Some(demo) if word == DEMO => demo.server.clone(),
            Some(_) | None => word.to_owned(),
        }
    }

    fn choose(&self, flags: &Said, environment: &Said) -> Result<(String, Chosen), Unnamed> {
        let said = flags.server.as_ref().or(environment.server.as_ref());
        let by_file =
            || self.files.iter().find_map(|(path, file)| Some((path, file.server.as_ref()?)));
        let (word, chosen) = if let Some(word) = said {
            (word, Chosen::Named)
        } else if let Some((path, word)) = by_file() {
            (word, Chosen::File(path.clone()))
        } else if let Some(login) = self.logins.current() {
            (&login.server, Chosen::SignedIn)
        } else if !self.logins.all().is_empty() {
            return Err(Unnamed::usage(
                "several servers are known, and none is chosen",
                "choose one with `envora auth switch SERVER`, or say --server",
            ));
        } else {
            let demo = self.demo.ok_or_else(Unnamed::nothing_known)?;
            (&demo.server, Chosen::OnlyDemo)
        };
        let by_word = word == DEMO || chosen == Chosen::OnlyDemo;
        if by_word && !self.demo.is_some_and(|demo| demo.running) {
            return Err(Unnamed::demo_is_gone());
        }
        Ok((self.address(word), chosen))
    }

    /// What is kept for this very server, and organization where one is said.
    fn kept(&self, server: &str, organization: Option<&str>) -> Kept {
        let fits = |other: &str| organization.is_none_or(|wanted| wanted == other);
        let of_file = self.files.iter().find(|(_, file)| {
            let named = file.server.as_deref();
            let named = named.is_some_and(|named| same_server(&self.address(named), server));
            named && (file.token_file.is_some() || file.organization.is_some())
        });
        if let Some((path, file)) = of_file {
            let token = file.token_file.clone().map_or(KeptToken::None, KeptToken::In);
            let from = format!("file {}", path.display());
            return Kept { organization: file.organization.clone(), token, from };
        }
        if let Some(login) = self.logins.of(server, organization) {
            return Kept {
                organization: Some(login.organization.clone()),
                token: KeptToken::Here(login.token.clone()),
                from: "auth login".to_owned(),
            };
        }
        match self.demo {
            Some(demo)
                if demo.running
                    && same_server(&demo.server, server)
                    && fits(&demo.organization) =>
            {
                Kept {
                    organization: Some(demo.organization.clone()),
                    token: KeptToken::In(demo.token_file.clone()),
                    from: "the demo".to_owned(),
                }
            }
            Some(_) | None => Kept::default(),
        }
    }
}

/// Whether two addresses are one server.
#[must_use]
pub fn same_server(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin() == other.origin(),
        _ => one == other,
    }
}

/// A setting as it stands, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub setting: &'static str,
    /// Its value; a secret is `***`, what is not set is absent.
    pub value: Option<String>,
    /// `flag --server`, `environment ENVORA_SERVER`, `file PATH`, `auth login`, `the demo`, `default`.
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
    places: &Places,
) -> Result<Vec<Setting>, Failure> {
    let known = Everything::read(places)?;
    let chosen = known.choose(flags, environment).ok();
    let (server, from) = match chosen {
        None => (None, String::new()),
        Some((server, chosen)) => {
            let from = match chosen {
                Chosen::Named => String::new(),
                Chosen::File(path) => format!("file {}", path.display()),
                Chosen::SignedIn => "auth login".to_owned(),
                Chosen::OnlyDemo => "the demo".to_owned(),
            };
            (Some(server), from)
        }
    };
    let wanted = flags.organization.as_deref().or(environment.organization.as_deref());
    let kept = server.as_deref().map(|server| known.kept(server, wanted)).unwrap_or_default();
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let said = |name: &str, values: [Option<String>; 3], from: &str| {
        let variable = format!("environment ENVORA_{}", name.to_uppercase());
        [format!("flag --{name}"), variable, from.to_owned()].into_iter().zip(values)
    };
    let by_itself = server.filter(|_| !from.is_empty());
    let servers = [flags.server.clone(), environment.server.clone(), by_itself];
    let organizations =
        [flags.organization.clone(), environment.organization.clone(), kept.organization.clone()];
    let (here, file) = match kept.token {
        KeptToken::None => (None, None),
        KeptToken::Here(token) => (Some(token), None),
        KeptToken::In(path) => (None, Some(path)),
    };
    let files = [None, path(&environment.token_file), path(&file)];
    Ok(vec![
        Setting::first("server", said("server", servers, &from), None),
        Setting::first(
            "organization",
            said("org", organizations, &kept.from),
            Some("the first label of the server's name"),
        ),
        Setting::first(
            "token",
            said("token", [None, environment.token.clone(), here], &kept.from),
            None,
        )
        .secret(),
        Setting::first("token_file", said("token_file", files, &kept.from), None),
    ])
}

fn read(path: &Path) -> Result<ClientFile, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("read {place}"))?;
    let wrong = |why: &str, help: String| Failure::usage(format!("{place}: {why}"), help);
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| wrong(error.message(), String::new()))?;
    let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
        let help = did_you_mean(key, &keys).map_or_else(
            || format!("the keys are {}", keys.join(", ")),
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
mod tests;
