//! The environment, read once: nothing else in the product looks at it.

use std::path::{Path, PathBuf};

use envora_cli::arguments::Common;
use envora_cli::client::Target;
use envora_cli::configuration::{self, Said};
use envora_cli::failures::Failure;

/// What the environment says, as it is written there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) no_color: Option<String>,
    pub(crate) planted_bug: Option<String>,
    pub(crate) log_filter: Option<String>,
    pub(crate) display: Option<String>,
    data: Option<PathBuf>,
    server: Option<String>,
    organization: Option<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
    data_home: Option<PathBuf>,
    cache_home: Option<PathBuf>,
    config_home: Option<PathBuf>,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let below = |name: &str| home.as_ref().map(|home| home.join(name));
        Self {
            no_color: word("NO_COLOR"),
            planted_bug: word("ENVORA_PLANTED_BUG"),
            log_filter: word("ENVORA_LOG"),
            display: word("DISPLAY").or_else(|| word("WAYLAND_DISPLAY")),
            data: path("ENVORA_DATA"),
            server: word("ENVORA_SERVER"),
            organization: word("ENVORA_ORG"),
            token: word("ENVORA_TOKEN"),
            token_file: path("ENVORA_TOKEN_FILE"),
            data_home: path("XDG_DATA_HOME").or_else(|| below(".local/share")),
            cache_home: path("XDG_CACHE_HOME").or_else(|| below(".cache")),
            config_home: path("XDG_CONFIG_HOME").or_else(|| below(".config")),
        }
    }

    /// The data folder: the flag, `ENVORA_DATA`, else the platform's data folder + `envora`.
    pub(crate) fn data(&self, flag: Option<&Path>) -> Result<PathBuf, Failure> {
        let named = flag.map(Path::to_owned).or_else(|| self.data.clone());
        let home = || self.data_home.as_ref().map(|home| home.join("envora"));
        named.or_else(home).ok_or_else(|| no_home("--data DIR"))
    }

    /// The demo's own folder, apart from real data.
    pub(crate) fn demo(&self, flag: Option<&Path>) -> Result<PathBuf, Failure> {
        let home = || self.cache_home.as_ref().map(|home| home.join("envora").join("demo"));
        flag.map(Path::to_owned).or_else(home).ok_or_else(|| no_home("--data DIR"))
    }

    /// Whom to ask: flags, environment, `./.envora.toml`, the user's file, the demo's.
    pub(crate) fn target(&self, common: &Common) -> Result<Option<Target>, Failure> {
        let user = self.config_home.as_ref().map(|home| home.join("envora").join("config.toml"));
        let demo = self.demo(None).ok().map(|demo| demo.join("client.toml"));
        let places = [Some(PathBuf::from(".envora.toml")), user, demo];
        let places: Vec<PathBuf> = places.into_iter().flatten().collect();
        let said = Said {
            server: common.server.clone().or_else(|| self.server.clone()),
            organization: common.org.clone().or_else(|| self.organization.clone()),
            token: self.token.clone(),
            token_file: self.token_file.clone(),
        };
        configuration::target(said, &places)
    }
}

fn no_home(flag: &str) -> Failure {
    Failure::usage("there is no home folder to put data in", format!("say {flag}"))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn word(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    word(name).map(PathBuf::from)
}
