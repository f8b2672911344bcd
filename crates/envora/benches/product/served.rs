//! The server of the bench: the product's own program, built for speed, over a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use envora_crypto::entropy::OsEntropy;
use envora_domain::ports::Clock;
use envora_domain::time::Timestamp;
use envora_lake::os_disk::OsDisk;
use envora_server::app::World;

use crate::http::{Connection, Place};
use crate::machine::processor_of;
use crate::rows;

/// How long the calculation may take for all that was loaded.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(480);

/// A folder that is removed at the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder below the system's own for such things.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("envora-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).context("make a folder")?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

/// The program with these words.
pub(crate) fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_envora"));
    command.args(words).stdin(Stdio::null()).env_remove("ENVORA_PLANTED_BUG");
    command
}

/// Makes a folder with one organization; gives its token.
pub(crate) fn make(data: &Path) -> Result<String> {
    let words = ["init", "--org", "acme", "--name", "Acme Ltd", "--zone", "UTC", "--data"];
    let made = program(&words).arg(data).output().context("start envora init")?;
    let said = [made.stdout, made.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let token = said.split_whitespace().find(|word| word.starts_with("env_live_"));
    token.map(str::to_owned).with_context(|| format!("envora init printed no token: {said}"))
}

/// A server under way; it ends with this value.
pub(crate) struct Served {
    child: Child,
    pub(crate) data: PathBuf,
    pub(crate) place: Place,
    /// Kept, so that what the server still says finds a reader.
    _words: BufReader<ChildStderr>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

impl Served {
    /// A server of a new folder with all places and sources of the made-up rows.
    pub(crate) fn filled(scratch: &Scratch) -> Result<Self> {
        let data = scratch.path().join("data");
        let served = Self::start(&data, &make(&data)?)?;
        for (verb, text) in [("facilities", rows::facilities()), ("sources", rows::sources())] {
            served.push(verb, scratch, &text)?;
        }
        Ok(served)
    }

    /// Starts the program and waits until it says where it listens.
    pub(crate) fn start(data: &Path, token: &str) -> Result<Self> {
        let words = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log"];
        let mut child = program(&words)
            .arg(data.with_extension("log"))
            .arg("--data")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("start envora serve")?;
        let words = child.stderr.take().context("the server has no stderr")?;
        let (mut words, mut said) = (BufReader::new(words), String::new());
        let port = loop {
            let before = said.len();
            if words.read_line(&mut said)? == 0 {
                bail!("the server ended before it listened: {said}");
            }
            if let Some(port) = said.get(before..).and_then(port_of) {
                break port;
            }
        };
        let place = Place { port, organization: "acme".to_owned(), token: token.to_owned() };
        Ok(Self { child, data: data.to_owned(), place, _words: words })
    }

    /// Runs a verb of the command line against it.
    pub(crate) fn says(&self, command: &mut Command) -> Result<String> {
        let Place { port, organization, token } = &self.place;
        let output = command
            .env("ENVORA_SERVER", format!("http://{organization}.localhost:{port}"))
            .env("ENVORA_TOKEN", token)
            .output()
            .context("start envora")?;
        // 3: some rows were refused.
        if !matches!(output.status.code(), Some(0 | 3)) {
            bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Pushes a table of facilities or sources.
    pub(crate) fn push(&self, verb: &str, scratch: &Scratch, text: &str) -> Result<()> {
        let file = scratch.path().join(format!("{verb}.csv"));
        std::fs::write(&file, text).context("write a table")?;
        self.says(program(&[verb, "push"]).arg(&file)).map(drop)
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(&self.place)
    }

    /// What all its threads, also those that ended, have had of the processors.
    pub(crate) fn processor(&self) -> Duration {
        processor_of(&self.child.id().to_string())
    }

    /// The most memory that it has had, in MiB.
    pub(crate) fn memory_mib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() >> 10
    }

    /// Waits until the footprint shows all that was acknowledged.
    pub(crate) fn caught_up(&self) -> Result<()> {
        let mut connection = self.connect()?;
        let begun = Instant::now();
        while begun.elapsed() < CAUGHT_UP_WITHIN {
            // One day's: the question itself is to cost little.
            let answer = connection.get("/carbon-footprint?from=2026-01-01&to=2026-01-02")?;
            if answer.status == 200 && answer.json()?["status"] == "current" {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the calculation had not caught up after {} s", CAUGHT_UP_WITHIN.as_secs())
    }

    /// What the files below its folder come to, by their first folder or ending.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let (mut database, mut lake) = (0, 0);
        let mut open = vec![self.data.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(about) = entry.metadata() else { continue };
                let name = entry.file_name().to_string_lossy().into_owned();
                if about.is_dir() {
                    open.push(entry.path());
                } else if name.contains("sqlite") || name.contains(".db") {
                    database += about.len();
                } else {
                    lake += about.len();
                }
            }
        }
        (database, lake)
    }
}

fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("http://")?;
    let (_, rest) = rest.split_once(':')?;
    let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    rest.get(..digits)?.parse().ok()
}

/// The wall clock, for folders that the bench makes itself.
struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.now().as_micros()).unwrap_or_default()
    }
}

/// The machine as it is.
pub(crate) fn world() -> World {
    World { clock: Arc::new(WallClock), entropy: Arc::new(OsEntropy), disk: Arc::new(OsDisk) }
}
