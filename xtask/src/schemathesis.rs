//! The API's description held against a real server: schemathesis asks every route, well and badly.
//!
//! The server is this checkout's binary over a folder of its own, on loopback, with a meter's month in
//! it. The seed is fixed and the number of requests bounded; what is found comes with a line to type.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{self, cache, root};

/// The tool, pinned.
const TOOL: &str = "schemathesis==4.32.5";
/// How many requests it makes up for each route, beside those at the edges of what is allowed. A count,
/// not a time: the same seed asks the same.
const EXAMPLES: &str = "25";
const SEED: &str = "20221231";
/// What it looks at in every answer. Not `positive_data_acceptance`: what a schema allows may still be
/// refused, such as a code that nobody knows.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,ignored_auth";
/// A building, a meter and three readings, one of them refused: so that ids lead somewhere.
const FACILITIES: &str = "code,name,country\nb24,Building 24,GB\n";
const SOURCES: &str = "code,name,type,facility\nb24-electricity,Meter,electricity.purchased,b24\n";
const READINGS: &str = "external_id,type,facility_code,start_date,end_date,quantity,unit\nr-1,electricity.purchased,b24,2022-01-01,2022-01-31,16554.5,kW.h\nr-2,electricity.purchased,b24,2022-02-01,2022-02-28,15002,kW.h\nr-3,electricity.purchased,b24,2022-03-01,2022-03-31,many,kW.h\n";

/// The tool, installed if need be; nothing where it cannot be had.
pub(crate) fn tool() -> Result<PathBuf> {
    let home = cache().join("tools/schemathesis");
    let program = home.join("bin/schemathesis");
    if !program.exists() {
        let python = home.join("bin/python").to_string_lossy().into_owned();
        run::run("python3", &["-m", "venv", &home.to_string_lossy()])?;
        run::run(&python, &["-m", "pip", "install", "--quiet", TOOL])?;
    }
    Ok(program)
}

/// Asks a server of this checkout everything that the description allows and forbids.
pub(crate) fn ask(tool: &Path) -> Result<()> {
    // The program that the tests have built: a package built alone takes other features, and with them
    // half of what it is made of has to be compiled once more.
    run::run("cargo", &["test", "--quiet", "--workspace", "--no-run"])?;
    let folder = std::env::temp_dir().join(format!("envora-schemathesis-{}", std::process::id()));
    fs::create_dir_all(&folder).context("make a folder")?;
    let outcome = both(tool, &folder);
    fs::remove_dir_all(&folder).context("remove the folder")?;
    outcome
}

/// A server with a planted fault, which must be found; then the one that is meant.
fn both(tool: &Path, folder: &Path) -> Result<()> {
    let bent = folder.join("bent");
    fs::create_dir_all(&bent).context("make a folder")?;
    let bent = Served::start(&bent, "panic_in_handler")?;
    if bent.asked(tool, (folder, ""), &["--include-path", "/version"]).is_ok() {
        bail!("a route that panics was not found");
    }
    drop(bent);
    let served = Served::start(folder, "")?;
    let ids = served.filled(folder)?;
    println!(
        "schemathesis: {}",
        served.asked(tool, (folder, &ids), &["--max-examples", EXAMPLES])?
    );
    Ok(())
}

/// A server under way; it ends with this value.
struct Served {
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// The program, beside this one.
fn program() -> Result<PathBuf> {
    let here = std::env::current_exe().context("find this program")?;
    Ok(here.with_file_name("envora"))
}

impl Served {
    fn start(folder: &Path, planted: &str) -> Result<Self> {
        let data = folder.join("data");
        let made = Command::new(program()?)
            .args([
                "init",
                "--org",
                "acme",
                "--name",
                "Acme Ltd",
                "--zone",
                "Europe/London",
                "--data",
            ])
            .arg(&data)
            .output()
            .context("start envora init")?;
        let said = [made.stdout, made.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let token = said.split_whitespace().find(|word| word.starts_with("env_live_"));
        let token =
            token.with_context(|| format!("envora init printed no token: {said}"))?.to_owned();
        // Both at the same time, so that they are two.
        let free = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [address, admin] = [free[0].local_addr()?, free[1].local_addr()?];
        drop(free);
        let child = Command::new(program()?)
            .args([
                "serve",
                "--listen",
                &address.to_string(),
                "--admin",
                &admin.to_string(),
                "--log",
            ])
            .arg(folder.join("log"))
            .arg("--data")
            .arg(&data)
            .env("ENVORA_PLANTED_BUG", planted)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start envora serve")?;
        let mut served = Self { child, address, token };
        served.wait_for(admin)?;
        Ok(served)
    }

    /// Waits until it answers that it is ready.
    fn wait_for(&mut self, admin: SocketAddr) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait()? {
                bail!("envora serve ended: {status}");
            }
            if is_ready(admin).unwrap_or(false) {
                return Ok(());
            }
            std::thread::yield_now();
        }
        bail!("envora serve was not ready within a minute")
    }

    /// What a verb of the command line prints.
    fn says(&self, words: &[&str]) -> Result<String> {
        let output = Command::new(program()?)
            .args(words)
            .env("ENVORA_SERVER", format!("http://acme.localhost:{}", self.address.port()))
            .env("ENVORA_TOKEN", &self.token)
            .output()
            .context("start envora")?;
        // 3: some rows were refused, as one of ours is meant to be.
        if !matches!(output.status.code(), Some(0 | 3)) {
            bail!("envora {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        String::from_utf8(output.stdout).context("read what envora says")
    }

    fn tells(&self, words: &[&str]) -> Result<Value> {
        let said = self.says(&[words, &["--json"]].concat())?;
        serde_json::from_str(&said).with_context(|| format!("envora {}: {said}", words.join(" ")))
    }

    /// Fills the folder, and gives the ids by which routes are asked.
    fn filled(&self, folder: &Path) -> Result<String> {
        for (verb, text) in [("facilities", FACILITIES), ("sources", SOURCES), ("data", READINGS)] {
            let file = folder.join(format!("{verb}.csv"));
            fs::write(&file, text).context("write a file")?;
            self.says(&[verb, "push", &file.to_string_lossy()])?;
        }
        let text = |value: &Value, at: &str| {
            let found = value.pointer(at).and_then(Value::as_str).map(str::to_owned);
            found.with_context(|| format!("there is no {at} in {value}"))
        };
        let activity = text(&self.tells(&["data", "list"])?, "/0/id")?;
        let footprint = self.tells(&["footprint", "--from", "2022-01-01", "--to", "2023-01-01"])?;
        let figure = text(&footprint, "/totals/total_location_based/figure_id")?;
        Ok(format!("\"path.activity_id\" = \"{activity}\"\n\"path.figure_id\" = \"{figure}\"\n"))
    }

    /// Asks it; what was asked is told in a few words, what is wrong in all its words.
    fn asked(&self, tool: &Path, (folder, ids): (&Path, &str), more: &[&str]) -> Result<String> {
        let config = fs::read_to_string(root().join("xtask/schemathesis.toml"))?;
        let config = config.replace("[parameters]\n", &format!("[parameters]\n{ids}"));
        let file = folder.join("schemathesis.toml");
        fs::write(&file, config).context("write the configuration")?;
        let output = Command::new(tool)
            .arg("--config-file")
            .arg(&file)
            .arg("run")
            .arg(root().join("docs/api/openapi.json"))
            .args(more)
            .args([
                "--url",
                &format!("http://{}", self.address),
                "--header",
                "Host: acme.localhost",
            ])
            .args(["--header", &format!("Authorization: Bearer {}", self.token)])
            .args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--seed", SEED])
            .args(["--continue-on-failure", "--no-color", "--warnings", "off"])
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .env("PYTHONPATH", root().join("xtask"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder)
            .output()
            .context("start schemathesis")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let counts = said.lines().find(|line| line.contains(" generated")).unwrap_or_default();
        if output.status.success() {
            return Ok(counts.trim().to_owned());
        }
        bail!("{said}{}", String::from_utf8_lossy(&output.stderr))
    }
}

fn is_ready(admin: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}
