//! Every command that the documents print works as printed.
//!
//! Blocks fenced as `console` are run, line by line, in one folder, against one server; what the
//! README shows for "your own data" is brought along as files of these names. A block fenced with a
//! language and a file name is that file.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::fire::Served;

/// Rows of the example's meter that the reader's own file has: January, hour by hour.
const ROWS: usize = 744;

fn top() -> PathBuf {
    std::fs::canonicalize("../..").unwrap()
}

/// All documents: those at the top and those in `docs`.
fn documents() -> Vec<PathBuf> {
    let mut folders = vec![top().join("docs")];
    let mut found = Vec::new();
    for entry in std::fs::read_dir(top()).unwrap() {
        let path = entry.unwrap().path();
        found.extend(path.extension().is_some_and(|ending| ending == "md").then_some(path));
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The commands of a document, in order.
fn commands(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut within = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            within = language == "console";
        } else if within && let Some(command) = line.strip_prefix("$ ") {
            found.push(command.to_owned());
        }
    }
    found
}

/// The files that a document shows whole: name and text.
fn files(document: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut open: Option<(String, String)> = None;
    let mut found = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(info), None) => {
                let name = info.split_once(' ').map_or("", |(_, name)| name);
                open = Some((name.to_owned(), String::new()));
            }
            (None, Some((_, file))) => {
                file.push_str(line);
                file.push('\n');
            }
            (None, None) => {}
        }
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

/// The words of a command line, double quotes kept together.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in command.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The reader's own files: a month of one meter of the example.
fn bring_files(home: &Path) {
    let estate = top().join("examples/university-estate");
    let read = |name: &str| std::fs::read_to_string(estate.join(name)).unwrap();
    let write = |name: &str, text: String| std::fs::write(home.join(name), text).unwrap();
    write("facilities.csv", read("facilities.csv"));
    write("sources.csv", read("sources.csv"));
    let here = "[const]\nfacility_code = \"b24\"\nsource_code = \"b24-electricity\"";
    write("meters.toml", read("estate-electricity.toml").replacen("[const]", here, 1));
    let year = read("b24_electricity_2022.csv");
    write("january.csv", year.lines().take(ROWS + 1).flat_map(|line| [line, "\n"]).collect());
}

/// One reader of one document, with a server when the document has started one.
pub(crate) struct Reader {
    home: tempfile::TempDir,
    token: String,
    server: Option<Served>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        bring_files(home.path());
        Self { home, token: String::new(), server: None }
    }

    /// The folder that everything happens in.
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// Where the server listens, when there is one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.server.as_ref().map(|server| server.port)
    }

    /// Does what is printed, and gives what was answered.
    pub(crate) fn does(&mut self, command: &str) -> String {
        let words = words(command);
        assert_eq!(words.first().map(String::as_str), Some("envora"), "{command}");
        if words.get(1).is_some_and(|verb| verb == "serve") {
            let data = words.iter().position(|word| word == "--data").unwrap();
            let data = self.home.path().join(&words[data + 1]);
            self.server = Some(Served::start(&data, &[], None));
            return String::new();
        }
        let output = self.run(&words[1..]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}\n{printed}\n{said}");
        if words.get(1).is_some_and(|verb| verb == "init") {
            printed.trim().clone_into(&mut self.token);
            assert!(self.token.starts_with("env_") || !self.token.contains(' '), "{printed}");
        }
        printed
    }

    /// Ends the server, when there is one.
    pub(crate) fn end(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.end();
        }
    }

    /// As in a terminal where the two variables are set that the README names.
    pub(crate) fn run(&self, words: &[String]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_envora"));
        command.args(words).current_dir(self.home.path()).env("HOME", self.home.path());
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "ENVORA_PLANTED_BUG",
            "ENVORA_TOKEN",
            "ENVORA_SERVER",
            "ENVORA_ORG",
            "ENVORA_DATA",
            "ENVORA_LOG",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        if let Some(server) = &self.server {
            command.env("ENVORA_TOKEN", &self.token);
            command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", server.port));
        }
        command.output().unwrap()
    }
}

#[test]
fn the_commands_of_the_readme_work() {
    let readme = top().join("README.md");
    let text = std::fs::read_to_string(&readme).unwrap();
    assert!(text.contains("`ENVORA_TOKEN`") && text.contains("`ENVORA_SERVER`"));
    assert!(text.contains("http://acme.localhost:8080"), "the address that serve takes by itself");
    let all = commands(&readme);
    assert!(all.len() >= 6, "{all:?}");
    let mut reader = Reader::new();
    for command in all {
        let printed = reader.does(&command);
        if command.starts_with("envora data push") {
            assert!(printed.contains("january.csv\t744\t"), "{printed}");
        }
        if command.starts_with("envora footprint") {
            assert!(printed.contains("scope2_location\t3039.817572\tkg"), "{printed}");
        }
    }
    // One activity has many lines under the same bytes: each of its proofs is checked.
    let listed = reader.does("envora data list --json");
    let id = listed.split('"').find(|word| word.starts_with("act_")).expect("an activity");
    let told = reader.does(&format!("envora trace {id}"));
    assert!(told.contains("s2_lb") && told.contains("s2_mb"), "{told}");
    reader.server.take().expect("the README starts a server").end();
}

#[test]
fn the_commands_of_the_other_documents_work() {
    for document in documents().iter().filter(|document| !document.ends_with("README.md")) {
        let all = commands(document);
        if all.is_empty() {
            continue;
        }
        let mut reader = Reader::new();
        for (name, text) in files(document) {
            std::fs::write(reader.path().join(name), text).unwrap();
        }
        if !all[0].starts_with("envora init") {
            reader.does("envora init --org acme --name \"Acme Ltd\" --data acme-data");
            reader.does("envora serve --data acme-data");
            reader.does("envora facilities push facilities.csv");
            reader.does("envora sources push sources.csv");
        }
        all.iter().for_each(|command| drop(reader.does(command)));
    }
}
