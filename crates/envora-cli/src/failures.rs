//! Why a verb did not succeed: what is printed, and the exit code.
//!
//! `error[code]: what`, where it is, the cell, what to do, and the request's id. Codes are the API's
//! own; the few that arise here (no server, no token) have names of the same kind.

use envora_api::problems::{Problem, RowError};

use crate::paint::Paint;
use crate::refusals::as_it_stands;
use crate::terminal::Channel;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is done.
    Done = 0,
    /// Something went wrong.
    Error = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Done in part: rows were rejected, or checks are left for the server.
    Partial = 3,
    /// Nobody is signed in.
    SignIn = 4,
    /// A proof, signature or digest does not fit.
    Verification = 5,
    /// The server did not answer, after retries.
    Unavailable = 6,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Why a verb did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Said already, row by row or step by step; only the exit code is left.
    #[error("see above")]
    Said(Exit),
    /// Known here, with the API's kind of code.
    #[error("{what}")]
    Known {
        /// What the process ends with.
        exit: Exit,
        /// A stable word.
        code: &'static str,
        /// What happened.
        what: String,
        /// What to do.
        help: Option<String>,
    },
    /// The server's answer.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Everything else, each link of the chain a verb and its object.
    #[error(transparent)]
    Unexpected(#[from] anyhow::Error),
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::known((Exit::Usage, "usage"), what, help)
    }

    /// A digest, proof or signature does not fit.
    pub fn verification(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::known((Exit::Verification, "verification_failed"), what, help)
    }

    /// With this exit code and word.
    pub fn known(
        (exit, code): (Exit, &'static str),
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let help: String = help.into();
        Self::Known { exit, code, what: what.into(), help: (!help.is_empty()).then_some(help) }
    }

    /// The same, saying which line of a file the request was made of.
    #[must_use]
    pub fn at(self, file: &str, line: u64) -> Self {
        match self {
            Self::Problem(mut problem) => {
                problem.detail = format!("{file}:{line}: {}", problem.detail);
                Self::Problem(problem)
            }
            other @ (Self::Said(_) | Self::Known { .. } | Self::Unexpected(_)) => other,
        }
    }

    /// What the process ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Said(exit) | Self::Known { exit, .. } => *exit,
            Self::Problem(problem) => match problem.status {
                401 => Exit::SignIn,
                429 | 503 => Exit::Unavailable,
                _ => Exit::Error,
            },
            Self::Unexpected(_) => Exit::Error,
        }
    }

    /// Prints it, for people and logs alike.
    pub fn print(&self, to: &mut Channel) {
        let text = self.view(to.paint);
        to.error(text);
    }

    /// Its text.
    #[must_use]
    pub fn view(&self, paint: Paint) -> String {
        match self {
            Self::Said(_) => String::new(),
            Self::Known { code, what, help, .. } => {
                let help = help.as_deref().map(|help| help_line(paint, help)).unwrap_or_default();
                format!("{}\n{help}", headline(paint, code, what))
            }
            Self::Problem(problem) => problem_view(paint, problem),
            Self::Unexpected(error) => {
                let (code, help) = kind(error);
                let help = help.map(|help| help_line(paint, help)).unwrap_or_default();
                format!("{}\n{help}", headline(paint, code, &chain(error)))
            }
        }
    }
}

/// What a person can do about an error of the file system, where that is what it comes from.
fn kind(error: &anyhow::Error) -> (&'static str, Option<&'static str>) {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::NotFound) => {
            ("file_not_found", Some("is the path right? it is read from the folder you are in"))
        }
        Some(std::io::ErrorKind::PermissionDenied) => (
            "permission_denied",
            Some("change whose it is or who may read it, or name another one"),
        ),
        Some(std::io::ErrorKind::IsADirectory) => ("not_a_file", Some("name a file in it")),
        Some(std::io::ErrorKind::StorageFull) => ("disk_full", Some("make room, then try again")),
        Some(_) | None => ("error", None),
    }
}

/// The causes of an error, from the outermost inwards, as one sentence; one that the link before it has
/// told in its own words is not told again.
#[must_use]
pub fn chain(error: &anyhow::Error) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.last().is_some_and(|last| last.ends_with(&cause)) {
            told.push(cause);
        }
    }
    told.join(": ")
}

fn headline(paint: Paint, code: &str, what: &str) -> String {
    format!("{}{} {}", paint.bad(&format!("error[{code}]")), paint.strong(":"), paint.strong(what))
}

fn help_line(paint: Paint, help: &str) -> String {
    format!("  {} {help}\n", paint.link("help:"))
}

fn problem_view(paint: Paint, problem: &Problem) -> String {
    let mut text = format!("{}\n", headline(paint, &problem.code, &problem.detail));
    let told = |error: &RowError| {
        error.detail == problem.detail && (error.row.is_none(), &error.value) == (true, &None)
    };
    match problem.errors.as_slice() {
        // The one thing that is wrong has been said; what mends it may have been, too.
        [error] if told(error) => {
            let help = error.hint.as_deref().filter(|hint| !problem.detail.ends_with(hint));
            text.push_str(&help.map(|help| help_line(paint, help)).unwrap_or_default());
        }
        errors => errors.iter().for_each(|error| text.push_str(&row_view(paint, "", error))),
    }
    if let Some(total) = problem.errors_total {
        let more = total.saturating_sub(u64::try_from(problem.errors.len()).unwrap_or(0));
        text.push_str(&format!("  … and {more} more\n"));
    }
    if problem.status == 401 {
        text.push_str(&help_line(
            paint,
            "sign in with `envora auth login`, or set ENVORA_TOKEN to the operator token that `envora init` printed",
        ));
    }
    if problem.code == "not_found" && problem.errors.is_empty() {
        let help =
            "is it written whole, and is it of this organization? lists print what can be copied";
        text.push_str(&help_line(paint, help));
    }
    if !problem.request_id.is_empty() {
        text.push_str(
            &paint.faint(&format!("  request {}, {}\n", problem.request_id, problem.kind)),
        );
    }
    text
}

/// One wrong row or field: where, the cell, what is wrong, what to do.
#[must_use]
pub fn row_view(paint: Paint, file: &str, error: &RowError) -> String {
    let mut place = Vec::new();
    if !file.is_empty() {
        place.push(file.to_owned());
    }
    if let Some(row) = error.row {
        let line = row.line.to_string();
        place.push(if file.is_empty() { format!("line {line}") } else { line });
    }
    let mut text = place_line(paint, &place.join(":"), error, "");
    if let Some(value) = &error.value {
        text.push_str(&format!("   {} {}\n", paint.link("|"), as_it_stands(value.as_bytes())));
    }
    text + &reason(paint, error)
}

/// One wrong row as it stands in its file, the cell at fault marked; `also` says where else the same
/// is wrong.
#[must_use]
pub fn row_error_view(
    paint: Paint,
    place: &str,
    error: &RowError,
    line: &str,
    also: &str,
) -> String {
    let mut text = place_line(paint, place, error, also);
    let (shown, mark) = marked(line, error.value.as_deref().unwrap_or_default());
    text.push_str(&format!("   {} {shown}\n", paint.link("|")));
    if let Some((before, under)) = mark {
        let mark = paint.bad(&"^".repeat(under));
        text.push_str(&format!("   {} {}{mark}\n", paint.link("|"), " ".repeat(before)));
    }
    text + &reason(paint, error)
}

fn place_line(paint: Paint, place: &str, error: &RowError, also: &str) -> String {
    let field = error.column.as_deref().or(error.pointer.as_deref());
    let field = field.filter(|field| *field != "#");
    let field = field.map(|field| field.strip_prefix("#/").unwrap_or(field).to_owned());
    let place = [Some(place.to_owned()).filter(|place| !place.is_empty()), field];
    let place: Vec<String> = place.into_iter().flatten().collect();
    if place.is_empty() {
        return String::new();
    }
    let also = if also.is_empty() { String::new() } else { format!("  ({also})") };
    format!("  {} {}{also}\n", paint.link("-->"), place.join(":"))
}

fn reason(paint: Paint, error: &RowError) -> String {
    let mut text = format!("   {} {}: {}\n", paint.link("="), paint.odd(&error.code), error.detail);
    if let Some(hint) = &error.hint {
        text.push_str(&help_line(paint, hint));
    }
    text
}

/// How many characters of a line are shown.
const LINE_SHOWN: usize = 110;

/// Where a value stands in a line, by itself and not as a part of a longer word.
fn whole_word(line: &str, value: &str) -> Option<usize> {
    let is_word = |letter: char| letter.is_alphanumeric();
    let alone = |at: &usize| {
        let (before, rest) = line.split_at(*at);
        let after = rest.get(value.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    };
    if value.is_empty() {
        return None;
    }
    line.match_indices(value).map(|(at, _)| at).find(alone)
}

/// A part of a line that holds a value, and where: columns before it, and its width.
fn marked(line: &str, value: &str) -> (String, Option<(usize, usize)>) {
    let at = if value == line { None } else { whole_word(line, value) };
    let before = at.and_then(|at| line.get(..at)).map_or(0, |before| before.chars().count());
    let width = value.chars().count();
    let from = (before + width.min(LINE_SHOWN / 2)).saturating_sub(LINE_SHOWN);
    let count = line.chars().count();
    let mut shown: String = line.chars().skip(from).take(LINE_SHOWN).collect();
    if from > 0 {
        shown.insert(0, '…');
    }
    if from + LINE_SHOWN < count {
        shown.push('…');
    }
    let before = before - from + usize::from(from > 0);
    let under = width.min(shown.chars().count().saturating_sub(before));
    (shown, at.filter(|_| under > 0).map(|_| (before, under)))
}

#[cfg(test)]
mod tests {
    use envora_api::problems::{Problem, RowError, RowPlace};

    use super::{Exit, Failure};
    use crate::paint::Paint;

    #[test]
    fn an_error_names_code_place_cell_remedy_and_request() {
        let error = RowError {
            code: "not_a_number".to_owned(),
            row: Some(RowPlace { record: 4, line: 5 }),
            column: Some("equipment load [kWh]".to_owned()),
            value: Some("1e3".to_owned()),
            detail: "a number has no exponent".to_owned(),
            hint: Some("write 1000".to_owned()),
            ..RowError::default()
        };
        let mut problem = Problem::validation_failed("1 row is wrong").with_errors(vec![error]);
        problem.request_id = "req-12345678".to_owned();
        let failure = Failure::Problem(Box::new(problem));
        let want = "error[validation_failed]: 1 row is wrong\n  \
                    --> line 5:equipment load [kWh]\n   \
                    | 1e3\n   \
                    = not_a_number: a number has no exponent\n  \
                    help: write 1000\n  \
                    request req-12345678, /docs/errors/validation_failed\n";
        assert_eq!(failure.view(Paint::Plain), want);
        assert_eq!(failure.exit(), Exit::Error);
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = anyhow::anyhow!("no such file (os error 2)");
        let error = inner.context("the key files cannot be reached: no such file (os error 2)");
        let error = error.context("open the folder");
        let want = "open the folder: the key files cannot be reached: no such file (os error 2)";
        assert_eq!(super::chain(&error), want);
    }

    #[test]
    fn the_cell_at_fault_is_marked_in_its_line() {
        assert_eq!(super::marked("a,1e3,b", "1e3"), ("a,1e3,b".to_owned(), Some((2, 3))));
        assert_eq!(super::marked("a,,b", ""), ("a,,b".to_owned(), None));
        assert_eq!(super::marked("tons,ton", "ton"), ("tons,ton".to_owned(), Some((5, 3))));
        assert_eq!(super::marked("a,b", "a,b"), ("a,b".to_owned(), None));
        let long = format!("{},1e3,{}", "x".repeat(300), "y".repeat(300));
        let (shown, mark) = super::marked(&long, "1e3");
        let (before, under) = mark.expect("marked");
        let cell: String = shown.chars().skip(before).take(under).collect();
        assert_eq!((cell.as_str(), shown.chars().count()), ("1e3", super::LINE_SHOWN + 2));
        let (shown, mark) = super::marked(&format!("{0},{0}", "1".repeat(80)), &"1".repeat(80));
        assert_eq!((mark, shown.chars().count()), (Some((0, 80)), super::LINE_SHOWN + 1));
    }

    #[test]
    fn exit_codes_tell_scripts_what_to_do() {
        let exit = |problem: Problem| Failure::Problem(Box::new(problem)).exit().code();
        assert_eq!(exit(Problem::unauthenticated("")), 4);
        assert_eq!(exit(Problem::overloaded("")), 6);
        assert_eq!(exit(Problem::not_found("")), 1);
        assert_eq!(Failure::usage("what", "help").exit().code(), 2);
        assert_eq!(Failure::verification("what", "").exit().code(), 5);
        assert_eq!(Exit::Interrupted.code(), 130);
    }
}
