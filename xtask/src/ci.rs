//! `cargo xtask ci`: every check and test there is.
//!
//! Builds once, in the one profile, and closes with the line `N passed, N failed`. Checks count as
//! tests do: one each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::{self, cache, command, has};
use crate::{gen_verb, schemathesis, tidy};

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    skipped: Vec<String>,
}

impl Tally {
    fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let clock = Stopwatch::start();
        let outcome = work();
        let took = clock.seconds();
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok      {name} ({took} s)");
            }
            Err(error) => {
                self.failed += 1;
                self.failures.push(format!("{name}: {error:#}"));
                println!("FAILED  {name} ({took} s): {error:#}");
            }
        }
    }

    fn skip(&mut self, text: &str) {
        println!("SKIPPED {text}");
        self.skipped.push(text.to_owned());
    }
}

/// Wall-clock seconds, for the reader of the log alone.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn seconds(&self) -> u64 {
        Duration::as_secs(&self.0.elapsed())
    }
}

/// Runs everything; `FILTER` words go to `cargo test` as they are.
pub(crate) fn ci(filter: &[&str]) -> Result<()> {
    let whole = Stopwatch::start();
    let mut tally = Tally::default();
    if filter.is_empty() {
        checks(&mut tally);
    }
    tests(&mut tally, filter);
    if filter.is_empty() {
        outside(&mut tally);
    }
    for failure in &tally.failures {
        println!("failed: {failure}");
    }
    for skipped in &tally.skipped {
        println!("SKIPPED {skipped}");
    }
    println!("took {} s", whole.seconds());
    println!("{} passed, {} failed", tally.passed, tally.failed);
    std::io::stdout().flush().context("close the report")?;
    if tally.failed == 0 { Ok(()) } else { bail!("{} checks or tests failed", tally.failed) }
}

/// What needs no build of tests.
fn checks(tally: &mut Tally) {
    tally.check("format", || run::run("cargo", &["fmt", "--all", "--check"]));
    tally.check("tidy", tidy::tidy);
    tally.check("generated files are current", || gen_verb::run(&["--check"]));
    tally.check("clippy", || {
        run::run(
            "cargo",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "clippy::all",
                "-D",
                "unused",
            ],
        )
    });
}

/// `cargo test` over the workspace; its lines are read, counted and shown where they matter.
fn tests(tally: &mut Tally, filter: &[&str]) {
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    arguments.extend(filter);
    arguments.extend(["--", "--show-output"]);
    let clock = Stopwatch::start();
    let before = tally.passed + tally.failed;
    let mut place = Place::default();
    let ended = stream(command("cargo", &arguments), |line| count(tally, &mut place, line));
    println!("tests took {} s", clock.seconds());
    match ended {
        Ok(true) => {}
        Ok(false) if tally.failed > 0 => {}
        Ok(false) => tally.check("cargo test", || bail!("it failed before, or between, the tests")),
        Err(error) => tally.check("cargo test", || Err(error)),
    }
    if tally.passed + tally.failed == before && filter.is_empty() {
        tally.check("cargo test", || bail!("no test ran"));
    }
}

/// Where in the output of `cargo test` a line stands.
#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Between,
    /// What passing tests printed.
    Passed,
    /// What failing tests printed.
    Failed,
}

/// Takes one line of `cargo test` into the tally, and shows it when it says something: every word
/// of a failing test, of a passing one only the lines under its own name (`p01: …`).
fn count(tally: &mut Tally, place: &mut Place, line: &str) {
    if let Some(rest) = line.strip_prefix("test result: ") {
        *place = Place::Between;
        let mut ran = 0;
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            match (words.next().and_then(|word| word.parse::<u64>().ok()), words.next()) {
                (Some(number), Some("passed")) => {
                    tally.passed += number;
                    ran += number;
                }
                (Some(number), Some("failed")) => {
                    tally.failed += number;
                    ran += number;
                }
                _ => {}
            }
        }
        if ran > 0 {
            println!("{line}");
        }
        return;
    }
    match line {
        "successes:" => *place = Place::Passed,
        "failures:" => *place = Place::Failed,
        _ => {}
    }
    if let Some(text) = line.trim_start().strip_prefix("SKIPPED ") {
        tally.skip(text);
        return;
    }
    if line.starts_with("test ") && line.ends_with("FAILED") {
        println!("{line}");
        return;
    }
    if *place == Place::Failed {
        if !line.is_empty() {
            tally.failures.push(line.to_owned());
        }
        return;
    }
    let quiet = line.is_empty()
        || line.starts_with("test ")
        || line == "running 0 tests"
        || line.trim_start().starts_with("Doc-tests ")
        || *place == Place::Passed && !reports(line);
    if !quiet {
        println!("{line}");
    }
}

/// Whether a passing test's line is its report: `p07: 40 histories …`.
fn reports(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    name.len() == 3
        && name.starts_with('p')
        && name.bytes().skip(1).all(|digit| digit.is_ascii_digit())
}

/// Runs a command with both outputs in one pipe, giving each line to `take`.
fn stream(mut command: Command, mut take: impl FnMut(&str)) -> Result<bool> {
    let (reader, writer) = std::io::pipe().context("make a pipe")?;
    let other = writer.try_clone().context("share the pipe")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(other)
        .spawn()
        .context("start cargo test")?;
    drop(command);
    for line in BufReader::new(reader).split(b'\n') {
        take(String::from_utf8_lossy(&line.context("read the tests' output")?).trim_end());
    }
    Ok(child.wait().context("wait for the tests")?.success())
}

/// Checks by other people's tools.
fn outside(tally: &mut Tally) {
    let tools = cache().join("tools");
    let deny = tools.join("bin/cargo-deny");
    if !deny.exists() {
        let root = tools.to_string_lossy().into_owned();
        println!("installing cargo-deny once, into {root}");
        tally.check("install cargo-deny", || {
            let version = ["--version", "0.20.2", "--locked", "--quiet", "--root", &root];
            run::run("cargo", &[&["install", "cargo-deny"], version.as_slice()].concat())
        });
    }
    if deny.exists() {
        let deny = deny.to_string_lossy().into_owned();
        tally.check("licences, bans, sources", || {
            run::run(&deny, &["--log-level", "error", "check", "licenses", "bans", "sources"])
        });
    }
    if std::env::var_os("ENVORA_ADVISORY_DB").is_none() {
        tally.skip("advisories: set ENVORA_ADVISORY_DB to a copy of the RustSec database");
    } else {
        let deny = deny.to_string_lossy().into_owned();
        tally.check("advisories", || {
            run::run(&deny, &["--log-level", "error", "check", "--disable-fetch", "advisories"])
        });
    }
    openapi(tally);
    fuzz(tally);
}

/// The API description and a real server, held against each other.
fn fuzz(tally: &mut Tally) {
    match schemathesis::tool() {
        Ok(tool) => tally.check("every route, asked well and badly", || schemathesis::ask(&tool)),
        Err(error) => tally.skip(&format!("schemathesis: {error:#}")),
    }
}

/// The API description, read by an outside validator.
fn openapi(tally: &mut Tally) {
    if !has("python3") {
        tally
            .skip("outside validator of the API description: apt-get install python3 python3-venv");
        return;
    }
    let home = cache().join("tools/openapi");
    let python = home.join("bin/python").to_string_lossy().into_owned();
    let folder = home.to_string_lossy().into_owned();
    tally.check("API description by an outside validator", || {
        if !home.join("bin/openapi-spec-validator").exists() {
            run::run("python3", &["-m", "venv", &folder])?;
            run::run(
                &python,
                &["-m", "pip", "install", "--quiet", "openapi-spec-validator==0.7.1"],
            )?;
        }
        let both = ["docs/api/openapi.json", "docs/api/openapi-3.0.json"];
        run::run(&python, &[&["-m", "openapi_spec_validator"][..], &both].concat())
    });
}
