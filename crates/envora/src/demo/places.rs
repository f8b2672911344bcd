//! The demo's folder: an ordinary data folder, marked as the demo's: only such a one is ever removed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_cli::configuration::{Demo, read_token};
use envora_cli::failures::{Exit, Failure};
use envora_domain::ports::replace_durably;
use envora_server::folder::Places;
use envora_server::folder::init::{Environment as Live, Loopback, NewOrganization, init};
use envora_server::folder::lock::FolderLock;

use serde::{Deserialize, Serialize};

use crate::demo::own_name;
use crate::{folders, world};

/// The demo's organization.
pub(crate) const ORGANIZATION: &str = "estate";
/// Says that a folder is the demo's.
const MARK: &str = ".envora-demo";

/// Where a running demo is found.
const CLIENT: &str = "client.toml";

/// What a running demo notes.
#[derive(Serialize, Deserialize)]
struct Noted {
    server: String,
    epoch: u64,
}

/// The demo's folder.
pub(crate) struct DemoFolder {
    path: PathBuf,
}

impl DemoFolder {
    /// The folder at this place.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its log.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("envora.log")
    }

    fn token(&self) -> PathBuf {
        self.path.join("operator.token")
    }

    fn is_ours(&self) -> bool {
        self.path.join(MARK).exists()
    }

    fn refuse(&self) -> Failure {
        Failure::known(
            (Exit::Error, "not_the_demo"),
            format!("{} is there and is not the demo's: nothing is touched", self.path.display()),
            "name an empty or new folder with --data",
        )
    }

    /// Removes the folder, unless it is another's or in use.
    pub(crate) fn remove(&self) -> Result<&'static str, Failure> {
        if !self.path.exists() {
            return Ok("nothing there:");
        }
        if !self.is_ours() {
            return Err(self.refuse());
        }
        let lock = FolderLock::take(&Places::below(&self.path).lock());
        let lock = lock.map_err(folders::folder_failure)?;
        fs::remove_dir_all(&self.path)
            .with_context(|| format!("remove {}", self.path.display()))?;
        drop(lock);
        Ok("removed")
    }

    /// Makes the folder if it is new, and gives the operator's token.
    pub(crate) fn make(&self) -> Result<String, Failure> {
        if self.token().exists() && self.is_ours() {
            return read_token(&self.token());
        }
        let empty = fs::read_dir(&self.path).map_or(true, |mut entries| entries.next().is_none());
        if !empty && !self.is_ours() {
            return Err(self.refuse());
        }
        // What an interrupted first start left behind is half a folder: begin anew.
        self.remove()?;
        let organization = NewOrganization {
            slug: ORGANIZATION.to_owned(),
            name: "Demo organization".to_owned(),
            time_zone: "Europe/London".to_owned(),
            domain: "envora.localhost".to_owned(),
            environment: Live::Live,
            loopback: Loopback::Named,
        };
        world::real()
            .disk
            .create_dir(&self.path)
            .with_context(|| format!("make {}", self.path.display()))?;
        self.write(
            MARK,
            "this folder is the demo's: `envora demo --clean --data` with its name removes it\n",
        )?;
        let report = init(&self.path, &organization, &world::real());
        let report = report.map_err(folders::folder_failure)?;
        let token = report.operator_token.reveal().to_owned();
        self.write("operator.token", &token)?;
        Ok(token)
    }

    /// Notes the address, and which opening of the folder it is of, so that the other verbs find the
    /// demo by themselves as long as it runs, and no longer.
    pub(crate) fn write_client(&self, server: &str) -> Result<(), Failure> {
        let holder = FolderLock::holder(&Places::below(&self.path).lock());
        let holder = holder.context("look at the demo's lock")?;
        let (_, epoch) = holder.context("find the demo's lock held")?;
        let noted = Noted { server: server.to_owned(), epoch };
        let text = toml::to_string(&noted).context("write the demo's address")?;
        self.write(CLIENT, &text)
    }

    /// What a demo noted there; not running once its process has gone, and anybody may listen at its
    /// address.
    pub(crate) fn client(&self) -> Option<Demo> {
        let text = fs::read_to_string(self.path.join(CLIENT)).ok()?;
        let noted: Noted = toml::from_str(&text).ok()?;
        let holder = FolderLock::holder(&Places::below(&self.path).lock()).ok().flatten();
        Some(Demo {
            server: noted.server,
            organization: ORGANIZATION.to_owned(),
            token_file: self.token(),
            running: holder.is_some_and(|(_, epoch)| epoch == noted.epoch),
        })
    }

    /// How another terminal asks this server.
    pub(crate) fn command(&self, server: &str) -> String {
        let token = self.token().display().to_string();
        let who = format!("ENVORA_ORG={ORGANIZATION} ENVORA_TOKEN_FILE={token}");
        format!("ENVORA_SERVER={server} {who} {}", own_name())
    }

    /// Writes a file that its owner alone can read.
    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        let written = replace_durably(&*world::real().disk, &path, text.as_bytes());
        Ok(written.with_context(|| format!("write {}", path.display()))?)
    }
}
