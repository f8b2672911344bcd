//! The first steps of an organization, each ticked by what is really there.

use envora_api::footprints::Footprint;
use envora_api::imports::Import;

use super::words;

/// What the steps are ticked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
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
    /// How it is done with the command line.
    pub(super) command: String,
}

/// All of them.
pub(super) struct Checklist {
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
    Checklist { done: steps.iter().filter(|step| step.done).count(), steps }
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
        command: "envora facilities push facilities.csv".to_owned(),
    }
}

fn file(standing: &Standing<'_>) -> Step {
    Step {
        done: standing.import.is_some(),
        label: "Bring a file in",
        about: match standing.import {
            None => "Readings, bills, bookings: as CSV, JSON or NDJSON.".to_owned(),
            Some(import) => format!("The last one: {}.", import.file_name),
        },
        link: Some(("/imports".to_owned(), "Drop a file")),
        command: "envora data push readings.csv --mapping mapping.toml".to_owned(),
    }
}

fn rows(standing: &Standing<'_>) -> Step {
    let rejected = standing.import.map(|import| import.counts.rejected);
    let command = standing.import.map_or_else(
        || "envora data check readings.csv --mapping mapping.toml".to_owned(),
        |import| format!("envora data errors {} --fix mended.csv", import.id),
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
        command,
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
        command: format!("envora footprint --year {}", standing.year.period.from.ymd().0),
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
        command: format!("envora trace {}", figure.figure_id),
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
        command: "envora audit verify".to_owned(),
    }
}
