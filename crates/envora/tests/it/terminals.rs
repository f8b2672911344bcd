//! What people see on a terminal: lines no wider than it, colours where they are wanted, and neither
//! where a program reads.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::beginnings::{init, serve};
use crate::fire::skip;
use crate::house::{Ended, House, text};

const COLUMNS: usize = 80;

/// A house with a server, and files to push to it.
struct Asked {
    house: House,
    server: String,
    token: String,
}

impl Asked {
    /// What a command writes on a terminal of eighty columns; both streams go there.
    fn on_terminal(&self, arguments: &str, no_color: &str) -> String {
        let program = text(Path::new(env!("CARGO_BIN_EXE_envora")));
        let typed = format!("stty cols {COLUMNS} rows 24; {program} {arguments}");
        let output = Command::new("script")
            .args(["-qec", &typed, "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.house.path())
            .env("TERM", "xterm-256color")
            .env("ENVORA_SERVER", &self.server)
            .env("ENVORA_TOKEN", &self.token)
            .env("NO_COLOR", no_color)
            .current_dir(self.house.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let ended = Ended::of(&output);
        assert_eq!(ended.code, Some(0), "{arguments}: {ended:?}");
        ended.out
    }

    /// The same into a pipe.
    fn in_a_pipe(&self, arguments: &str) -> String {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let mut command = self.house.command(&arguments);
        command.env("ENVORA_SERVER", &self.server).env("ENVORA_TOKEN", &self.token);
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        format!("{}{}", ended.out, ended.err)
    }
}

/// The lines as they stand on the screen: without colours and what moves the cursor.
fn lines(written: &str) -> Vec<String> {
    let mut shown = String::new();
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            // `ESC [ … letter`: a look, or the cursor goes elsewhere.
            let end = letters.by_ref().skip(1).find(char::is_ascii_alphabetic);
            if end != Some('m') {
                shown.push('\n');
            }
        } else {
            shown.push(letter);
        }
    }
    shown.split(['\n', '\r']).map(str::to_owned).collect()
}

/// Only what cannot be broken is wider: an id or a hash, alone on its line. (A line of a file is shown as
/// it is; those of this test are short.)
#[track_caller]
fn fits(command: &str, written: &str) {
    for line in lines(written) {
        let is_alone = !line.trim().contains(' ');
        let columns = line.chars().count();
        assert!(
            columns <= COLUMNS || is_alone,
            "{command}: {columns} columns: {line:?}\n{written}"
        );
    }
}

/// A colour, or another look of the letters, as terminals are told it.
fn is_coloured(written: &str) -> bool {
    written.split("\u{1b}[").skip(1).any(|rest| {
        let end = rest.find(|letter: char| letter.is_ascii_alphabetic());
        end.is_some_and(|end| rest[end..].starts_with('m'))
    })
}

fn with_rows() -> (crate::house::Running, Asked) {
    let house = House::new();
    let folder = house.path().join("data");
    let token = init(&house, &folder);
    let (running, server) = serve(&house, &folder);
    let places = "code,name,country\nb24,A building with a name that is rather long,GB\n";
    std::fs::write(house.path().join("facilities.csv"), places).unwrap();
    let row = |month: u8, place: &str| {
        format!(
            "a-{month},electricity.purchased,2022-{month:02}-01,2022-{month:02}-28,12.5,kW.h,{place}\n"
        )
    };
    let head = "external_id,type,start_date,end_date,quantity,unit,facility_code\n";
    let rows: String = (1..=11).map(|month| row(month, "b24")).collect();
    // The last one waits for a facility, so that there is something to say about it.
    let file = format!("{head}{rows}{}", row(12, "b99"));
    let name = "a-file-with-a-name-of-some-length.csv";
    std::fs::write(house.path().join(name), file).unwrap();
    let asked = Asked { house, server, token };
    asked.in_a_pipe("facilities push facilities.csv");
    (running, asked)
}

#[test]
fn a_terminal_of_eighty_columns_is_wide_enough() {
    if Command::new("script").arg("--version").output().is_err() {
        skip("the program on a terminal", "apt-get install bsdutils");
        return;
    }
    let (running, asked) = with_rows();
    let push = "data push a-file-with-a-name-of-some-length.csv";
    let pushed = asked.on_terminal(push, "");
    fits(push, &pushed);
    let footprint = "footprint --year 2022 --group-by facility";
    let figures = asked.in_a_pipe("footprint --year 2022 --json");
    let figures: serde_json::Value =
        serde_json::from_str(&figures[..=figures.rfind('}').unwrap()]).unwrap();
    let figure = figures["totals"]["scope2_location"]["figure_id"].as_str().unwrap();
    for command in [footprint.to_owned(), format!("trace {figure}"), "data list".to_owned()] {
        let written = asked.on_terminal(&command, "");
        if command != "data list" {
            fits(&command, &written);
        }
        assert!(is_coloured(&written) || command == "data list", "{command}: {written:?}");
        let plain = asked.on_terminal(&command, "1");
        assert!(!is_coloured(&plain), "{command}: {plain:?}");
        assert_eq!(lines(&plain).len(), lines(&written).len(), "colours change no line: {command}");
        let piped = asked.in_a_pipe(&command);
        assert!(!piped.contains('\u{1b}'), "{command}: {piped:?}");
    }
    let again = asked.on_terminal(push, "1");
    fits(push, &again);
    assert!(!is_coloured(&again), "{again:?}");
    assert!(!asked.in_a_pipe(push).contains(['\u{1b}', '\r']));
    assert_eq!(running.interrupt(), Some(0));
}
