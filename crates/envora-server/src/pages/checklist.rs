//! The first steps of an organization, each ticked by what is really there.

use envora_api::footprints::Footprint;
use envora_api::imports::Import;

use super::words;

/// What the steps are ticked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// Where the dashboard is, as the browser calls it: host and port.
    pub(super) host: &'a str,
    /// The organization's short name.
    pub(super) organization: &'a str,
    /// The code of a facility.
    pub(super) facility: Option<&'a str>,
    /// How many facilities there are.
    pub(super) facilities: usize,
    /// The newest import.
    pub(super) import: Option<&'a Import>,
    /// The year that is shown.
    pub(super) year: &'a Footprint,
    /// Whether this browser has opened a trace.
    pub(super) has_traced: bool,
    /// Whether this browser has opened a proof of the log.
    pub(super) has_proven: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) done: bool,
    pub(super) label: &'static str,
    pub(super) about: String,
    /// Where it is done in the dashboard.
    pub(super) link: Option<(String, &'static str)>,
    /// How it is done with the command line: each a whole command, for a folder of one's own.
    pub(super) commands: Vec<Command>,
}

/// A command to be copied as it stands.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// What to know of it before.
    pub(super) about: &'static str,
    /// The command.
    pub(super) text: String,
}

impl Standing<'_> {
    fn server(&self) -> String {
        format!("--server http://{}", self.host)
    }

    /// A command that asks this server for this organization.
    fn command(&self, words: &str) -> Command {
        let text = format!("envora {words} {}", words::asks(self.host, self.organization));
        Command { about: "", text }
    }
}

/// A file of one line under its heads, written by the shell.
fn template(about: &'static str, name: &str, lines: [&str; 2]) -> Command {
    Command { about, text: format!("printf '%s\\n' '{}' '{}' > {name}", lines[0], lines[1]) }
}

/// All of them.
pub(super) struct Checklist {
    /// What keeps the operator's token for the commands below.
    pub(super) sign_in: String,
    pub(super) done: usize,
    pub(super) steps: Vec<Step>,
}

impl Checklist {
    /// Whether nothing is left to do.
    pub(super) fn is_done(&self) -> bool {
        self.done == self.steps.len()
    }
}

/// The steps as they stand.
pub(super) fn checklist(standing: &Standing<'_>) -> Checklist {
    let steps = vec![facilities(standing), file(standing), rows(standing), waiting(standing)];
    let steps: Vec<Step> = steps.into_iter().chain([trace(standing), proof(standing)]).collect();
    let sign_in = format!(
        "envora auth login {} --org-id {} --token -",
        standing.server(),
        standing.organization
    );
    Checklist { sign_in, done: steps.iter().filter(|step| step.done).count(), steps }
}

fn facilities(standing: &Standing<'_>) -> Step {
    let some = standing.facilities as u64;
    Step {
        done: some > 0,
        label: "Name a facility",
        about: match some {
            0 => "Where things happen: a code, a name, a country.".to_owned(),
            some => format!("{} known.", words::count(some, "facility", "facilities")),
        },
        link: Some(("/facilities".to_owned(), "See or add facilities")),
        commands: vec![
            template(
                "A file with a line for each place; write yours instead of this one:",
                "facilities.csv",
                ["code,name,country", "main,Main site,GB"],
            ),
            standing.command("facilities push facilities.csv"),
        ],
    }
}

fn file(standing: &Standing<'_>) -> Step {
    let year = standing.year.period.from.ymd().0;
    let facility = standing.facility.unwrap_or("main");
    let row = format!(
        "first-1,electricity.purchased,{year}-01-01,{year}-01-31,120.5,kW.h,{}",
        facility.replace('\'', r"'\''")
    );
    Step {
        done: standing.import.is_some(),
        label: "Bring a file in",
        about: match standing.import {
            None => "Readings, bills, bookings: as CSV, JSON or NDJSON.".to_owned(),
            Some(import) => format!("The last one: {}.", import.file_name),
        },
        link: Some(("/imports".to_owned(), "Drop a file")),
        commands: vec![
            template(
                "A file of rows in Envora's own words; write yours instead of this one. Files with other heads need a mapping:",
                "readings.csv",
                ["external_id,type,start_date,end_date,quantity,unit,facility_code", &row],
            ),
            standing.command("data push readings.csv"),
        ],
    }
}

fn rows(standing: &Standing<'_>) -> Step {
    let rejected = standing.import.map(|import| import.counts.rejected);
    let command = standing.import.map_or_else(
        || "data check readings.csv".to_owned(),
        |import| format!("data errors {} --fix mended.csv", import.id),
    );
    Step {
        done: rejected == Some(0),
        label: "Get every row in",
        about: match rejected {
            None => "A row that is refused says why, and what mends it.".to_owned(),
            Some(0) => "No row of the last file was refused.".to_owned(),
            Some(some) => {
                format!("{} of the last file refused.", words::count(some, "row was", "rows were"))
            }
        },
        link: standing
            .import
            .map(|import| (format!("/imports/{}", import.id), "What became of its rows")),
        commands: vec![standing.command(&command)],
    }
}

fn waiting(standing: &Standing<'_>) -> Step {
    let waiting: u64 = standing.year.unresolved.iter().map(|group| group.activities).sum();
    let counts = standing.year.totals.total_location_based.value != "0";
    Step {
        done: counts && waiting == 0,
        label: "Leave nothing waiting",
        about: match waiting {
            0 if counts => "Every row of the year counts.".to_owned(),
            0 => "Rows with an unknown word are stored and wait for it.".to_owned(),
            some => format!("{} stored and not counted.", words::count(some, "row is", "rows are")),
        },
        link: (waiting > 0)
            .then(|| ("/activities?state=unresolved".to_owned(), "See what waits, and why")),
        commands: vec![
            standing.command(&format!("footprint --year {}", standing.year.period.from.ymd().0)),
        ],
    }
}

fn trace(standing: &Standing<'_>) -> Step {
    let figure = &standing.year.totals.total_location_based;
    Step {
        done: standing.has_traced,
        label: "Follow a figure to its bytes",
        about: "From the total to the line of a file, the factor and the proof. This browser remembers that you did.".to_owned(),
        link: (figure.value != "0")
            .then(|| (format!("/figures/{}", figure.figure_id), "Follow the total")),
        commands: vec![standing.command(&format!("trace {}", figure.figure_id))],
    }
}

fn proof(standing: &Standing<'_>) -> Step {
    let last = standing.year.watermark.seq;
    Step {
        done: standing.has_proven,
        label: "Verify the log yourself",
        about: "Look at the proof of an entry here; then check the whole log on your own machine."
            .to_owned(),
        link: Some((format!("/audit/{last}"), "The newest counted entry and its proof")),
        commands: vec![standing.command("audit verify")],
    }
}
