//! The system's Chromium, driven by the scripts beside the server's pages.
//!
//! Nothing is installed into the system or the checkout: the script's two packages go to the user's
//! cache, as its lock file says. Without browser, Node.js or packages the check prints SKIPPED, and
//! fails where `CI` is set.

#![expect(clippy::disallowed_methods, reason = "tests may ask where they run")]

use std::env::{var, var_os};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use envora_domain::hash::Digest;
use serde_json::json;

/// The files of the script, as they stand in the checkout.
const FILES: [&str; 5] = [".npmrc", "package.json", "package-lock.json", "run.mjs", "imports.mjs"];
const INSTALL: &str = "apt-get install -y chromium nodejs npm";

/// What is to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Where the server is, such as `http://acme.localhost:8080`.
    pub base: &'a str,
    /// The operator token to sign in with.
    pub token: &'a str,
    /// Names and paths of the pages.
    pub pages: &'a [(&'a str, &'a str)],
}

/// Opens the pages and says what is wrong with them, fault by fault. A missing browser is skipped,
/// except where `CI` is set.
///
/// # Errors
/// The faults.
pub fn check_pages(visit: &Visit<'_>) -> Result<(), String> {
    run("run.mjs", visit)
}

/// Brings files in as a person does, large ones in parts, and says what is wrong, fault by fault.
///
/// # Errors
/// The faults.
pub fn check_imports(visit: &Visit<'_>) -> Result<(), String> {
    run("imports.mjs", visit)
}

fn run(script: &str, visit: &Visit<'_>) -> Result<(), String> {
    let folder = match prepared() {
        Ok(folder) => folder,
        Err(missing) if var_os("CI").is_some() => return Err(missing),
        Err(missing) => {
            eprintln!("SKIPPED pages in a browser: {missing}");
            return Ok(());
        }
    };
    let pages: Vec<_> =
        visit.pages.iter().map(|(name, path)| json!({"name": name, "path": path})).collect();
    let job = json!({"base": visit.base, "token": visit.token, "pages": pages}).to_string();
    let mut child = Command::new("node")
        .arg(script)
        .current_dir(folder)
        .env("CHROMIUM", chromium().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(job.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The folder with the script and its packages, or what is missing and how to get it.
fn prepared() -> Result<PathBuf, String> {
    // Two tests that come first at once would install over each other.
    static PREPARING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = PREPARING.lock().unwrap_or_else(PoisonError::into_inner);
    if chromium().is_none() {
        return Err(format!("no Chromium; {INSTALL}"));
    }
    for tool in ["node", "npm"] {
        let found = Command::new(tool).arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            return Err(format!("no {tool}; {INSTALL}"));
        }
    }
    let source = PathBuf::from("../envora-server/tests/browser");
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    let name = format!("browser-{}", &Digest::of(&lock).hex()[..16]);
    let folder = cache().join("envora").join(name);
    fs::create_dir_all(&folder).unwrap();
    for file in FILES {
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let ready = folder.join("ready");
    if !ready.exists() {
        let output = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .output()
            .unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let first =
                said.lines().find(|line| line.contains("error")).unwrap_or("no reason given");
            return Err(format!("npm ci in {} failed: {first}", folder.display()));
        }
        fs::write(&ready, "").unwrap();
    }
    Ok(folder)
}

fn chromium() -> Option<String> {
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].map(str::to_owned);
    var("CHROMIUM").ok().into_iter().chain(known).find(|path| Path::new(path).exists())
}

fn cache() -> PathBuf {
    let home = || var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(std::env::temp_dir)
}
