//! Where a `PostgreSQL` server is and how it is entered. Never printed with its password.

use core::fmt;
use core::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;

use super::OpenError;
use super::postgres::{Session, unexpected};

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The database that is there on every server: others are made from within it.
const MAINTENANCE: &str = "postgres";

/// The address of a server, with user and password: a connection string of `PostgreSQL`, read.
///
/// Without TLS, which this program does not speak to a database, it is on this machine: loopback or a
/// socket. `Debug` and `Display` leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    config: Box<Config>,
}

/// Why a connection string is refused. Says nothing of its text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("it is not a connection string such as postgresql://user@127.0.0.1:5432/postgres")]
    Unreadable,
    /// It names no server.
    #[error("it names no host: write 127.0.0.1, or the folder of a socket")]
    NoHost,
    /// The server is elsewhere, and what is sent there would be read on the way.
    #[error(
        "{0} is not this machine, and this program does not speak TLS to a database: run it beside PostgreSQL, or forward a port of 127.0.0.1 through a tunnel that encrypts"
    )]
    Elsewhere(String),
    /// TLS is demanded.
    #[error(
        "sslmode asks for TLS, which this program does not speak to a database: leave it out for a server of this machine"
    )]
    Tls,
}

impl Address {
    /// Reads a connection string: a URL, or pairs such as `host=127.0.0.1 user=envora`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut config: Config = text.parse().map_err(|_| AddressError::Unreadable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(AddressError::NoHost);
        }
        let elsewhere = |name: &dyn fmt::Display| AddressError::Elsewhere(name.to_string());
        // Where an address stands beside a name, the address is what is connected to.
        if let Some(other) = config.get_hostaddrs().iter().find(|host| !host.is_loopback()) {
            return Err(elsewhere(other));
        }
        if config.get_hostaddrs().is_empty()
            && let Some(other) = config.get_hosts().iter().find_map(elsewhere_name)
        {
            return Err(elsewhere(&other));
        }
        if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
            return Err(AddressError::Tls);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        config.application_name(format!("envora {}", std::process::id()));
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config: Box::new(config) })
    }

    /// Another database of the same server.
    #[must_use]
    pub fn database(&self, name: &str) -> Self {
        let mut config = self.config.clone();
        config.dbname(name);
        Self { config }
    }

    /// The same with settings for each connection, as `postgres -c` takes them.
    #[must_use]
    pub fn with_options(&self, options: &str) -> Self {
        let mut config = self.config.clone();
        config.options(options);
        Self { config }
    }

    /// Whether it holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    fn maintenance(&self) -> Self {
        if self.config.get_dbname().is_some() { self.clone() } else { self.database(MAINTENANCE) }
    }

    /// Connects, checks what durability needs, and gives the server's version. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn probe(&self) -> Result<String, OpenError> {
        let address = self.maintenance();
        apart(move || Session::connect(&address)?.version())
    }

    /// Makes an empty database whose texts sort by their bytes, as `SQLite` sorts them, and which
    /// nobody but its owner enters. Blocks.
    ///
    /// # Errors
    /// [`OpenError::AlreadyExists`]; [`OpenError::Refused`] when the role may not make databases.
    pub fn create_database(&self, name: &str) -> Result<(), OpenError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(unexpected(anyhow::anyhow!("a database cannot be called {name:?}")));
        }
        let (address, name) = (self.maintenance(), name.to_owned());
        apart(move || {
            let session = Session::connect(&address)?;
            let create =
                format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
            session.words(&create)?;
            session.words(&format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"))
        })
    }

    /// What an error while connecting means.
    pub(super) fn judged(&self, error: tokio_postgres::Error) -> OpenError {
        let Some(state) = error.code() else {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let why = cause.unwrap_or_else(|| error.to_string());
            return OpenError::Unreachable { at: self.to_string(), why };
        };
        let said = error.as_db_error().map_or_else(String::new, |said| said.message().to_owned());
        if *state == SqlState::UNDEFINED_DATABASE {
            return OpenError::Missing;
        }
        if *state == SqlState::DUPLICATE_DATABASE {
            return OpenError::AlreadyExists;
        }
        // Classes 08 (connection), 53 (resources), 57 (starting, stopping) and 28 (who are you).
        match state.code().get(..2).unwrap_or_default() {
            "08" | "53" | "57" => OpenError::Unreachable { at: self.to_string(), why: said },
            "28" => OpenError::Refused { at: self.to_string(), why: said },
            _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
                OpenError::Refused { at: self.to_string(), why: said }
            }
            _ => unexpected(error),
        }
    }
}

/// The name of a host that is not this machine's.
fn elsewhere_name(host: &Host) -> Option<String> {
    match host {
        Host::Tcp(name) => {
            let address: Option<core::net::IpAddr> = name.parse().ok();
            let here = address.map_or_else(|| name == "localhost", |address| address.is_loopback());
            (!here).then(|| name.clone())
        }
        #[cfg(unix)]
        Host::Unix(_) => None,
    }
}

/// A session has a runtime of its own, and a thread that drives another cannot wait for it.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, OpenError> + Send) -> Result<T, OpenError> {
    std::thread::scope(|scope| {
        let ended = scope.spawn(work).join();
        ended.unwrap_or_else(|_| Err(unexpected(anyhow::anyhow!("asking the server panicked"))))
    })
}

impl fmt::Display for Address {
    /// `host:port/database`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match (self.config.get_hostaddrs().first(), self.config.get_hosts().first()) {
            (Some(address), _) => write!(f, "{address}:{port}")?,
            (None, Some(Host::Tcp(name))) => write!(f, "{name}:{port}")?,
            #[cfg(unix)]
            (None, Some(Host::Unix(folder))) => write!(f, "{}:{port}", folder.display())?,
            (None, None) => f.write_str("nowhere")?,
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or(MAINTENANCE))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError};

    #[test]
    fn this_machine_alone_is_reached_in_the_clear() {
        for text in [
            "postgresql://envora:hush@127.0.0.1:5433/postgres",
            "postgres://envora@localhost",
            "postgresql://envora@[::1]:5432",
            "postgresql://envora@%2Frun%2Fpostgresql/postgres",
            "host=127.0.0.1 port=5432 user=envora",
            "host=db.example.org hostaddr=127.0.0.1 user=envora",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        let refused = |text: &str| Address::parse(text).expect_err(text);
        for text in [
            "postgresql://envora:hush@db.example.org/postgres",
            "postgresql://envora:hush@10.0.0.7",
            "postgresql://envora:hush@127.0.0.1,10.0.0.7",
            "host=localhost hostaddr=10.0.0.7 user=envora",
            "postgresql://envora:hush@localhost.example.org",
        ] {
            let error = refused(text);
            assert!(matches!(error, AddressError::Elsewhere(_)), "{text}: {error}");
            assert!(error.to_string().contains("tunnel") && !error.to_string().contains("hush"));
        }
        let tls = "postgresql://envora@127.0.0.1/postgres?sslmode=require";
        assert_eq!(refused(tls), AddressError::Tls);
        assert_eq!(refused("user=envora"), AddressError::NoHost);
        assert_eq!(refused("postgresql://u:hush@h/?hush=hush"), AddressError::Unreadable);
    }

    #[test]
    fn a_password_is_never_printed() {
        let text = "postgresql://envora:hush@127.0.0.1:5433/postgres";
        let address = Address::parse(text).expect("an address");
        assert!(address.has_password());
        let said = format!("{address} {address:?} {:#?}", address.database("envora_1"));
        assert!(!said.contains("hush"), "{said}");
        assert_eq!(address.database("envora_1").to_string(), "127.0.0.1:5433/envora_1");
    }
}
