//! The environment, read once: nothing else in the product looks at it.

use std::path::{Path, PathBuf};

use envora_cli::arguments::Common;
use envora_cli::configuration::{self, Places, Said, Setting, Whom};
use envora_cli::failures::Failure;
use envora_server::folder::Places as Folder;
use envora_server::folder::databases::Databases;
use envora_server::folder::settings::Settings;
use envora_server::serving::{GRACE, Listen};

use crate::demo::places::DemoFolder;
use crate::folders::folder_failure;

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

    /// Whom to ask: flags, environment, `./.envora.toml`, the user's file, who is signed in, the demo.
    pub(crate) fn whom(&self, common: &Common) -> Result<Whom, Failure> {
        configuration::whom(&flags(common), &self.said(), &self.places())
    }

    /// Where sign-ins are kept.
    pub(crate) fn logins(&self) -> Option<PathBuf> {
        self.config_home.as_ref().map(|home| home.join("envora").join("logins.toml"))
    }

    /// Every setting, its value and where it comes from.
    pub(crate) fn explain(
        &self,
        common: &Common,
        data: Option<&Path>,
    ) -> Result<Vec<Setting>, Failure> {
        let mut settings = configuration::settings(&flags(common), &self.said(), &self.places())?;
        let shown = |path: Option<&Path>| path.map(|path| path.display().to_string());
        let folder = self.data(data)?;
        settings.push(Setting::first(
            "data",
            [
                ("flag --data".to_owned(), shown(data)),
                ("environment ENVORA_DATA".to_owned(), shown(self.data.as_deref())),
            ],
            folder.to_str(),
        ));
        let file = Folder::below(&folder).settings();
        let own = Settings::read(&file).map_err(folder_failure)?;
        let usual = Listen::default();
        for (name, own, usual) in
            [("listen", own.listen, usual.address), ("admin", own.admin, usual.admin)]
        {
            let said = (format!("file {}", file.display()), own.map(|own| own.to_string()));
            settings.push(Setting::first(name, [said], Some(&usual.to_string())));
        }
        let grace = own.grace.map(|grace| grace.as_secs().to_string());
        let said = (format!("file {}", file.display()), grace);
        let usual = GRACE.as_secs().to_string();
        settings.push(Setting::first("grace_seconds", [said], Some(&usual)));
        let (engine, url) = match &own.databases {
            Databases::Files => (None, None),
            Databases::Server(_) => (Some("postgres".to_owned()), Some(String::new())),
        };
        let says = |value| [(format!("file {}", file.display()), value)];
        settings.push(Setting::first("store.engine", says(engine), Some("sqlite")));
        settings.push(Setting::first("store.url", says(url), None).secret());
        let variable = |setting, name: &str, value: &Option<String>, default| {
            let said = (format!("environment {name}"), value.clone());
            Setting::first(setting, [said], Some(default))
        };
        settings.push(variable("log", "ENVORA_LOG", &self.log_filter, "info"));
        settings.push(variable("no_color", "NO_COLOR", &self.no_color, "no"));
        Ok(settings)
    }

    fn said(&self) -> Said {
        Said {
            server: self.server.clone(),
            organization: self.organization.clone(),
            token: self.token.clone(),
            token_file: self.token_file.clone(),
        }
    }

    /// Where a server can be known from.
    fn places(&self) -> Places {
        let user = self.config_home.as_ref().map(|home| home.join("envora").join("config.toml"));
        let files = [Some(PathBuf::from(".envora.toml")), user].into_iter().flatten().collect();
        let demo = self.demo(None).ok().and_then(|demo| DemoFolder::at(demo).client());
        Places { files, logins: self.logins(), demo }
    }
}

fn flags(common: &Common) -> Said {
    Said { server: common.server.clone(), organization: common.org.clone(), ..Said::default() }
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
