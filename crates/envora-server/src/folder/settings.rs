//! `envora.toml`: where the server listens and where its databases are. Unknown keys are refused, with
//! the nearest known one. What is said of a value never holds the value of `store.url`: it may hold a
//! password.

use core::time::Duration;
use std::net::SocketAddr;
use std::path::Path;

use envora_api::spelling::did_you_mean;
use envora_store::engine::address::Address;
use serde::Deserialize;

use crate::folder::FolderError;
use crate::folder::databases::Databases;
use crate::serving::GRACE;

/// What a new folder's file says.
pub const TEMPLATE: &str = "\
# Where the API and the pages are. Plain HTTP is spoken on loopback only.
listen = \"127.0.0.1:8080\"

# Where /livez, /readyz and /metrics are.
admin = \"127.0.0.1:8081\"

# How long requests have to end once the server is told to; what has not ended by then is given up,
# stores nothing and is answered 503 within a few seconds more.
# grace_seconds = 30

# Where the databases are, from `envora init` on: encrypted files in this folder, unless a server of
# this machine is named (docs/how-to/run-on-postgresql.md).
# [store]
# engine = \"postgres\"
# url = \"postgresql://envora:PASSWORD@127.0.0.1:5432/postgres\"
";

/// The settings of a folder. What is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// Where the API and the pages are.
    pub listen: Option<SocketAddr>,
    /// Where the admin listener is.
    pub admin: Option<SocketAddr>,
    /// How long requests have to end once the server is told to.
    #[serde(skip)]
    pub grace: Option<Duration>,
    /// Where the databases are.
    #[serde(skip)]
    pub databases: Databases,
}

/// The most that `grace_seconds` may be.
const GRACE_SECONDS_MAX: i64 = 3_600;
/// The keys there are.
const KEYS: &[&str] = &["listen", "admin", "grace_seconds", "store"];
/// Those of the table `store`.
const STORE_KEYS: &[&str] = &["engine", "url"];
/// What `store.engine` may be.
const ENGINES: &[&str] = &["sqlite", "postgres"];

/// What the file may say, as JSON Schema.
#[must_use]
pub fn schema() -> serde_json::Value {
    let address = |what: &str| serde_json::json!({"type": "string", "description": what, "examples": ["127.0.0.1:8080"]});
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "envora.toml of a data folder",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "listen": address("Where the API and the pages are; loopback only."),
            "admin": address("Where /livez, /readyz and /metrics are."),
            "grace_seconds": {
                "type": "integer",
                "minimum": 0,
                "maximum": GRACE_SECONDS_MAX,
                "default": GRACE.as_secs(),
                "description": "How long requests have to end once the server is told to.",
            },
            "store": {
                "type": "object",
                "description": "Where the databases are.",
                "additionalProperties": false,
                "properties": {
                    "engine": {"enum": ENGINES, "default": "sqlite"},
                    "url": {
                        "type": "string",
                        "description": "Of a PostgreSQL server of this machine; may hold a password.",
                        "examples": ["postgresql://envora@127.0.0.1:5432/postgres"],
                    },
                },
            },
        },
    })
}

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
        let mut table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))?;
        known(&table, "", KEYS)?;
        let databases = match table.remove("store") {
            None => Databases::Files,
            Some(toml::Value::Table(store)) => databases(&store)?,
            Some(_) => return Err(unreadable("store is a table: write [store]".to_owned())),
        };
        let grace = match table.remove("grace_seconds") {
            None => None,
            Some(toml::Value::Integer(seconds)) if (0..=GRACE_SECONDS_MAX).contains(&seconds) => {
                Some(Duration::from_secs(seconds.unsigned_abs()))
            }
            Some(_) => {
                return Err(unreadable(format!(
                    "grace_seconds is a number from 0 to {GRACE_SECONDS_MAX}"
                )));
            }
        };
        let read: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))?;
        Ok(Self { grace, databases, ..read })
    }
}

fn known(table: &toml::Table, prefix: &str, keys: &[&str]) -> Result<(), FolderError> {
    let Some(unknown) = table.keys().find(|key| !keys.contains(&key.as_str())) else {
        return Ok(());
    };
    let hint = did_you_mean(unknown, keys).map_or_else(
        || format!("the keys are {}", keys.join(", ")),
        |near| format!("did you mean {near}?"),
    );
    Err(unreadable(format!("there is no key \"{prefix}{unknown}\": {hint}")))
}

fn databases(store: &toml::Table) -> Result<Databases, FolderError> {
    known(store, "store.", STORE_KEYS)?;
    let text = |key: &str| match store.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(unreadable(format!("store.{key} is a text: put it in quotes"))),
    };
    match (text("engine")?.unwrap_or("sqlite"), text("url")?) {
        ("sqlite", None) => Ok(Databases::Files),
        ("sqlite", Some(_)) => {
            Err(unreadable("store.url is for store.engine = \"postgres\", which it lacks".to_owned()))
        }
        ("postgres", Some(url)) => Address::parse(url)
            .map(Databases::Server)
            .map_err(|error| unreadable(format!("store.url: {error}"))),
        ("postgres", None) => Err(unreadable(
            "store.engine is postgres and store.url is not there: write postgresql://USER@127.0.0.1:5432/postgres".to_owned(),
        )),
        (other, _) => {
            Err(unreadable(format!("store.engine is {other:?}, but must be {}", ENGINES.join(" or "))))
        }
    }
}

fn unreadable(why: String) -> FolderError {
    FolderError::Unreadable { file: "envora.toml", why }
}

#[cfg(test)]
mod tests {
    use super::{Settings, TEMPLATE};
    use crate::folder::databases::Databases;

    #[test]
    fn the_template_is_read_and_slips_are_named() {
        let settings = Settings::parse(TEMPLATE).expect("settings");
        assert_eq!(settings.listen.map(|address| address.port()), Some(8080));
        let error = Settings::parse("lisen = \"127.0.0.1:1\"").expect_err("unknown").to_string();
        assert!(error.contains("did you mean listen?"), "{error}");
        assert!(Settings::parse("listen = \"here\"").is_err());
        let grace =
            |text: &str| Settings::parse(text).map(|read| read.grace.map(|it| it.as_secs()));
        assert_eq!(grace("grace_seconds = 0").ok(), Some(Some(0)));
        for slip in ["grace_seconds = -1", "grace_seconds = 3601", "grace_seconds = \"30\""] {
            assert!(grace(slip).expect_err(slip).to_string().contains("0 to 3600"), "{slip}");
        }
        assert_eq!(Settings::parse("").ok(), Some(Settings::default()));
    }

    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema = super::schema();
        let keys = |of: &serde_json::Value| -> Vec<String> {
            of["properties"].as_object().expect("an object").keys().cloned().collect()
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&schema), sorted(super::KEYS));
        assert_eq!(keys(&schema["properties"]["store"]), sorted(super::STORE_KEYS));
    }

    #[test]
    fn databases_are_files_or_on_a_server_of_this_machine() {
        let read = |store: &str| Settings::parse(&format!("[store]\n{store}"));
        let server = read("engine = \"postgres\"\nurl = \"postgresql://e:hush@127.0.0.1:5433\"");
        let server = server.expect("settings");
        assert!(matches!(&server.databases, Databases::Server(_)));
        assert!(!format!("{server:?}").contains("hush"));
        assert_eq!(
            read("engine = \"sqlite\"").map(|read| read.databases).ok(),
            Some(Databases::Files)
        );
        for (store, due) in [
            ("engine = \"mysql\"", "sqlite or postgres"),
            ("engine = \"postgres\"", "store.url is not there"),
            ("engine = 5", "store.engine is a text"),
            ("url = \"postgresql://e:hush@127.0.0.1\"", "store.engine"),
            ("engine = \"postgres\"\nulr = \"hush\"", "did you mean url?"),
            ("engine = \"postgres\"\nurl = \"postgresql://e:hush@db.example.org\"", "TLS"),
            ("engine = \"postgres\"\nurl = \"postgresql://e:hush@h/?x=hush\"", "store.url"),
            ("engine = \"postgres\"\nurl = \"hush", "cannot be understood"),
        ] {
            let error = read(store).expect_err(store).to_string();
            assert!(error.contains(due) && !error.contains("hush"), "{store}: {error}");
        }
    }
}
