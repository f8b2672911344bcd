//! A `PostgreSQL` server for one test process: made from a cached `initdb`, on a free port of
//! loopback, durable as in production, gone with the process.

use std::fs::{DirBuilder, Permissions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, OnceLock, PoisonError};

use envora_store::engine::Engine;
use envora_store::engine::address::Address;

use crate::scratch::scratch;
use crate::wait::{skipped, wait_for};

const BINARIES: &str = "/usr/lib/postgresql/15/bin";
const REMEDY: &str = "apt-get install postgresql-15";

/// A running server; stopped when it is dropped.
pub struct Server {
    child: Mutex<Child>,
    folder: PathBuf,
    port: u16,
    databases: AtomicU32,
}

/// The server of this test process, started at its first use; `None` where `PostgreSQL` is not
/// installed, which is an error where `CI` is set.
///
/// # Panics
/// When it does not start, or when it is missing under `CI`.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            if Path::new(BINARIES).join("postgres").exists() {
                return Some(Server::start("shared"));
            }
            #[expect(clippy::disallowed_methods, reason = "tests may ask where they run")]
            let ci = std::env::var_os("CI").is_some();
            assert!(!ci, "PostgreSQL is missing: {REMEDY}");
            skipped("PostgreSQL tests", REMEDY);
            None
        })
        .as_ref()
}

impl Server {
    /// Starts a server of its own, for a test that kills it.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(name: &str) -> Self {
        let base = scratch().join(format!("envora-testkit-{}", effective_user()));
        folder(&base);
        sweep(&base);
        let template = initialised(&base);
        let folder = base.join(format!("run-{}-{name}", std::process::id()));
        copied(&template, &folder);
        let port = free_port();
        let child = Mutex::new(spawned(&folder, port));
        let mut server = Self { child, folder, port, databases: AtomicU32::new(0) };
        server.ready(|_| free_port());
        server
    }

    /// Waits for the first answer of this very server. It may refuse to start for a moment: the
    /// backends of a killed one still hold its shared memory, or another process took the port,
    /// which a new server (`port`) then leaves to it.
    fn ready(&mut self, port: impl Fn(u16) -> u16) {
        let data = self.folder.join("data");
        let ask =
            format!("SELECT 1 / (current_setting('data_directory') = '{}')::int", data.display());
        let mut refusals = 0;
        wait_for("PostgreSQL to answer", || {
            let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
            if child.try_wait().unwrap().is_some() {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                refusals += 1;
                assert!(refusals <= 200, "PostgreSQL ended while starting: {log}");
                self.port = port(self.port);
                *child = spawned(&self.folder, self.port);
            }
            self.run("postgres", &ask).ok()
        });
    }

    /// Starts it again after a kill, on the same port and data.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.child = Mutex::new(spawned(&self.folder, self.port));
        self.ready(|port| port);
    }

    /// A connection string for a database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// Runs SQL in a database of this server.
    ///
    /// # Errors
    /// What the server says.
    pub fn run(&self, database: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
        // Own thread: the caller may be inside a runtime of its own.
        std::thread::scope(|scope| {
            scope.spawn(|| run_here(&self.url(database), sql)).join().unwrap()
        })
    }

    /// Makes an empty database and returns its connection string.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.run("postgres", &format!("CREATE DATABASE {name} STRATEGY wal_log")).unwrap();
        self.url(&name)
    }

    /// Makes an empty database, as the store names it.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn engine(&self) -> Engine {
        Engine::Postgres { address: Address::parse(&self.database()).unwrap() }
    }

    /// Kills the server, as a power cut would: its backends, too, which outlive it for a moment and
    /// would still commit.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let postmaster = child.id().to_string();
        signal("STOP", std::slice::from_ref(&postmaster));
        let backends = children(&postmaster);
        signal("KILL", &backends);
        drop(child.kill());
        drop(child.wait());
        wait_for("the backends to be gone", || {
            backends.iter().all(|id| running(id).is_none()).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn signal(name: &str, processes: &[String]) {
    drop(
        Command::new("kill")
            .args(["-s", name, "--"])
            .args(processes)
            .stderr(Stdio::null())
            .status(),
    );
}

/// The ids of the processes that this one started and that run still.
fn children(parent: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|id| running(id).is_some_and(|starter| starter == parent))
        .collect()
}

/// The id of the process that started this one, while it runs.
fn running(id: &str) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).ok()?;
    // id (name) state parent …; a name may hold spaces and parentheses.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    (words.next()? != "Z").then(|| words.next().map(str::to_owned))?
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run_here(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let task = tokio::task::LocalSet::new();
        task.spawn_local(async move { drop(connection.await) });
        task.run_until(client.batch_execute(sql)).await
    })
}

/// The user that this process writes files as: PostgreSQL refuses to run as root.
fn effective_user() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// A program of the server, run as `postgres` when we are root, and gone when its starter goes.
fn program(name: &str) -> Command {
    let path = Path::new(BINARIES).join(name);
    let mut command = Command::new("setpriv");
    if effective_user() == 0 {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig=QUIT", "--"]).arg(path);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn folder(path: &Path) {
    if let Err(error) = DirBuilder::new().mode(0o755).create(path) {
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{}", path.display());
    }
    // Every parent of a data folder must be searchable by its owner.
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// Removes what test processes left that could not clean up after themselves.
fn sweep(base: &Path) {
    for entry in std::fs::read_dir(base).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name
            .strip_prefix("run-")
            .and_then(|rest| rest.split('-').next())
            .and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// The cached outcome of `initdb`; made aside and renamed, so that two processes may race for it.
fn initialised(base: &Path) -> PathBuf {
    let ready = base.join("initdb-15-v1");
    if ready.exists() {
        return ready;
    }
    let staged = base.join(format!("initdb-{}", std::process::id()));
    folder(&staged);
    if effective_user() == 0 {
        assert!(
            Command::new("chown").arg("postgres:postgres").arg(&staged).status().unwrap().success()
        );
    }
    let data = staged.join("data");
    let done = program("initdb")
        .arg("-D")
        .arg(&data)
        .args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--data-checksums",
            "--no-locale",
            "-E",
            "UTF8",
            "-N",
        ])
        .status()
        .unwrap();
    assert!(done.success(), "initdb failed");
    #[expect(clippy::disallowed_methods, reason = "a cache of tests need not survive a crash")]
    let moved = std::fs::rename(&staged, &ready);
    assert!(moved.is_ok() || ready.exists(), "another process made the cluster");
    ready
}

fn copied(template: &Path, folder: &Path) {
    let done = Command::new("cp").arg("-a").arg(template).arg(folder).status().unwrap();
    assert!(done.success(), "the cluster was not copied");
    // The template may be younger than its copy's parents: settings of tests come last and win.
    let mut settings =
        std::fs::OpenOptions::new().append(true).open(folder.join("data/postgresql.conf")).unwrap();
    settings
        .write_all(b"\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\nshared_buffers = '32MB'\nlog_parameter_max_length = 0\n")
        .unwrap();
}

/// Starts the server from a thread that lives as long as the process: the signal that ends an
/// orphan is sent when the thread that started it ends.
fn spawned(folder: &Path, port: u16) -> Child {
    let (sender, receiver) = channel();
    let mut command = program("postgres");
    command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
    command.stderr(std::fs::File::create(folder.join("log")).unwrap());
    std::thread::spawn(move || {
        sender.send(command.spawn().unwrap()).unwrap();
        loop {
            std::thread::park();
        }
    });
    receiver.recv().unwrap()
}
