//! `envora.toml`: where the server listens. Unknown keys are refused, with the nearest known one.

use std::net::SocketAddr;
use std::path::Path;

use envora_api::spelling::did_you_mean;
use serde::Deserialize;

use crate::folder::FolderError;

/// What a new folder's file says.
pub const TEMPLATE: &str = "\
# Where the API and the pages are. Plain HTTP is spoken on loopback only.
listen = \"127.0.0.1:8080\"

# Where /livez, /readyz and /metrics are.
admin = \"127.0.0.1:8081\"
";

/// The settings of a folder. What is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// Where the API and the pages are.
    pub listen: Option<SocketAddr>,
    /// Where the admin listener is.
    pub admin: Option<SocketAddr>,
}

/// The keys there are.
const KEYS: &[&str] = &["listen", "admin"];

impl Settings {
    /// Reads the file; one that is not there says nothing.
    ///
    /// # Errors
    /// [`FolderError::Unreadable`] naming the key.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// [`FolderError::Unreadable`] naming the key.
    pub fn parse(text: &str) -> Result<Self, FolderError> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))?;
        if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let hint = did_you_mean(unknown, KEYS).map_or_else(
                || format!("the keys are {}", KEYS.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            return Err(unreadable(format!("there is no key {unknown:?}: {hint}")));
        }
        table.try_into().map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))
    }
}

fn unreadable(why: String) -> FolderError {
    FolderError::Unreadable { file: "envora.toml", why }
}

#[cfg(test)]
mod tests {
    use super::{Settings, TEMPLATE};

    #[test]
    fn the_template_is_read_and_slips_are_named() {
        let settings = Settings::parse(TEMPLATE).expect("settings");
        assert_eq!(settings.listen.map(|address| address.port()), Some(8080));
        let error = Settings::parse("lisen = \"127.0.0.1:1\"").expect_err("unknown").to_string();
        assert!(error.contains("did you mean listen?"), "{error}");
        assert!(Settings::parse("listen = \"here\"").is_err());
        assert_eq!(Settings::parse("").ok(), Some(Settings::default()));
    }
}
