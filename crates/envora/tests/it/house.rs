//! The program in a home of its own: nothing of the machine's environment reaches it.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use envora_testkit::scratch::scratch_folder;

/// A home folder, removed with the test.
pub(crate) struct House {
    home: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self { home: scratch_folder() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// The program with these arguments, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_envora"));
        command.args(arguments).env_clear().env("HOME", self.path());
        command.stdin(Stdio::null()).current_dir(self.path());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }

    /// Starts it and waits for the line of a stream that begins so; gives what follows there.
    pub(crate) fn start(&self, arguments: &[&str], on: Stream, line: &str) -> (Running, String) {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (heard, rest): (Box<dyn Read + Send>, Box<dyn Read + Send>) = match on {
            Stream::Out => (Box::new(out), Box::new(err)),
            Stream::Err => (Box::new(err), Box::new(out)),
        };
        let mut running =
            Running { child, heard: BufReader::new(heard), rest, said: String::new() };
        let rest = running.until(line);
        (running, rest)
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON that it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// One of a program's two streams.
pub(crate) enum Stream {
    Out,
    Err,
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    heard: BufReader<Box<dyn Read + Send>>,
    rest: Box<dyn Read + Send>,
    said: String,
}

impl Running {
    /// Reads on to the line that begins so (blanks before it aside); gives what follows there.
    #[track_caller]
    pub(crate) fn until(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.heard.read_line(&mut line).unwrap();
            let errors = if read == 0 { self.errors() } else { String::new() };
            assert!(read > 0, "it ended before {start:?}:\n{}{errors}", self.said);
            self.said.push_str(&line);
            if let Some(rest) = line.trim_start().strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        drop(self.rest.read_to_string(&mut text));
        text
    }

    /// Everything it has printed so far.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Presses Ctrl-C and waits for the end.
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The repository's own folder.
pub(crate) fn repository() -> PathBuf {
    std::fs::canonicalize("../..").unwrap()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
