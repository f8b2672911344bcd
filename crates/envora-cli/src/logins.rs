//! Who is signed in where: one file, its owner's alone, an entry per server and organization.

use std::path::Path;

use anyhow::Context as _;
use envora_domain::ports::{Disk, replace_durably};
use serde::{Deserialize, Serialize};

use crate::configuration::same_server;
use crate::failures::Failure;

/// What stands at the top of the file.
const HEAD: &str = "# Written by `envora auth`. It holds tokens: keep it to yourself.\n\n";

/// One sign-in: a token and the one server it is for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The server.
    pub server: String,
    /// The organization there.
    pub organization: String,
    /// Whether it is asked when no other server is named.
    #[serde(default)]
    pub current: bool,
    /// The token.
    pub token: String,
}

/// Never with its token.
impl core::fmt::Debug for Login {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "{} ({})", self.server, self.organization)
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logins {
    #[serde(default, rename = "login")]
    logins: Vec<Login>,
}

impl Logins {
    /// Reads the file; one that is not there holds none.
    ///
    /// # Errors
    /// A file that cannot be read, or that others can read too.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let place = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(anyhow::Error::from(error).context(format!("read {place}")).into());
            }
        };
        if is_open_to_others(path).with_context(|| format!("examine {place}"))? {
            return Err(Failure::usage(
                format!("{place} holds tokens, and others can read it"),
                format!("chmod 600 {place}"),
            ));
        }
        toml::from_str(&text).map_err(|error| {
            let help = "mend it, or remove it and sign in again with `envora auth login`";
            Failure::usage(format!("{place}: {}", error.message()), help)
        })
    }

    /// Writes the file, for its owner alone.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(&self, path: &Path, disk: &dyn Disk) -> Result<(), Failure> {
        let writing = || format!("write {}", path.display());
        let text = toml::to_string(self).with_context(writing)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            disk.create_dir(folder).with_context(writing)?;
        }
        let bytes = format!("{HEAD}{text}");
        Ok(replace_durably(disk, path, bytes.as_bytes()).with_context(writing)?)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Login] {
        &self.logins
    }

    /// The one that is asked when no other server is named.
    #[must_use]
    pub fn current(&self) -> Option<&Login> {
        self.logins.iter().find(|login| login.current)
    }

    /// The one for this server: of several organizations the one that is said, else the one in use,
    /// else the first.
    #[must_use]
    pub fn of(&self, server: &str, organization: Option<&str>) -> Option<&Login> {
        let here = || self.logins.iter().filter(|login| same_server(&login.server, server));
        match organization {
            Some(wanted) => here().find(|login| login.organization == wanted),
            None => here().find(|login| login.current).or_else(|| here().next()),
        }
    }

    /// Those that a word names: an address, a host, or an organization.
    #[must_use]
    pub fn named(&self, word: &str) -> Vec<&Login> {
        let host = |login: &Login| {
            let rest = login.server.split_once("://").map_or("", |(_, rest)| rest);
            rest.trim_end_matches('/') == word
        };
        let fits = |login: &&Login| {
            same_server(&login.server, word) || host(login) || login.organization == word
        };
        self.logins.iter().filter(fits).collect()
    }

    /// Adds a sign-in, or replaces the one for the same server and organization; it is in use then.
    pub fn add(&mut self, login: Login) {
        self.remove(&login.clone());
        self.logins.iter_mut().for_each(|other| other.current = false);
        self.logins.push(Login { current: true, ..login });
    }

    /// Takes one into use.
    pub fn switch(&mut self, to: &Login) {
        for login in &mut self.logins {
            login.current =
                same_server(&login.server, &to.server) && login.organization == to.organization;
        }
    }

    /// Removes one. Another that is the only one left is in use then.
    pub fn remove(&mut self, gone: &Login) {
        self.logins.retain(|login| {
            !(same_server(&login.server, &gone.server) && login.organization == gone.organization)
        });
        if let [only] = self.logins.as_mut_slice() {
            only.current = true;
        }
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{Login, Logins};

    fn login(server: &str, organization: &str) -> Login {
        Login {
            server: server.to_owned(),
            organization: organization.to_owned(),
            current: false,
            token: format!("env_{organization}"),
        }
    }

    #[test]
    fn the_last_one_is_in_use_and_each_token_stays_with_its_server() {
        let mut logins = Logins::default();
        logins.add(login("http://acme.localhost:8080", "acme"));
        logins.add(login("http://bolt.localhost:8080", "bolt"));
        assert_eq!(logins.current().map(|login| login.organization.as_str()), Some("bolt"));
        let of = |server: &str| logins.of(server, None).map(|login| login.token.clone());
        assert_eq!(of("http://acme.localhost:8080/").as_deref(), Some("env_acme"));
        assert_eq!(of("http://acme.localhost:8081"), None);
        assert_eq!(logins.of("http://acme.localhost:8080", Some("bolt")), None);
        let named = |word: &str| logins.named(word).len();
        assert_eq!((named("acme"), named("bolt.localhost:8080"), named("x")), (1, 1, 0));
        let acme = logins.named("acme")[0].clone();
        logins.switch(&acme);
        assert_eq!(logins.current().map(|login| login.organization.as_str()), Some("acme"));
        logins.remove(&acme);
        assert_eq!(logins.current().map(|login| login.organization.as_str()), Some("bolt"));
    }
}
