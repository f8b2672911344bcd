//! A test that runs as a process of its own, so that it can be killed: the test binary starts itself
//! once more with one test, and that test finds out that it is the child.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

const ROLE: &str = "ENVORA_TEST_CHILD";

/// What the parent asked for, when this process is a child; in an ordinary run of the tests, `None`.
#[must_use]
pub fn task() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests may ask what they were started for")]
    std::env::var(ROLE).ok()
}

/// Says a line to the parent, at once.
///
/// # Panics
/// When the parent is gone.
pub fn say(line: &str) {
    // Not through the test harness, which would hold it back; whole or not at all, as a kill may
    // come between two writes.
    std::io::stderr().lock().write_all(format!("said {line}\n").as_bytes()).unwrap();
}

/// How the test of this name is started as a child with this task, behind these words, such as a program
/// that watches it.
///
/// # Panics
/// When the test binary has no name.
#[must_use]
pub fn command(before: &[&str], test: &str, task: &str) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut command = match before {
        [] => Command::new(own),
        [watcher, options @ ..] => {
            let mut command = Command::new(watcher);
            command.args(options).arg(own);
            command
        }
    };
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, task);
    command
}

/// A running child.
pub struct TestProcess {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl TestProcess {
    /// Starts the test of this name as a child with this task.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(test: &str, task: &str) -> Self {
        let mut child = command(&[], test, task)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// The next line that it said; `None` when it has ended, in the middle of a line or after one.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.said.read_line(&mut line).ok()?;
            if let Some(said) = line.strip_suffix('\n')?.strip_prefix("said ") {
                return Some(said.to_owned());
            }
        }
    }

    /// Kills it at once and returns what it had said and was not read yet.
    pub fn kill(mut self) -> Vec<String> {
        drop(self.child.kill());
        drop(self.child.wait());
        let mut rest = Vec::new();
        while let Some(line) = self.hear() {
            rest.push(line);
        }
        rest
    }
}
