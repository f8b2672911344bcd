//! Looking at a file without storing it: what would be accepted, what not, and why.
//!
//! Reads row by row and keeps a bounded account: the first problems, one group per kind of problem,
//! the words that only the organization's own tables can settle.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use envora_domain::activities::problems::{Flag, Outcome, RowCode, RowProblem};
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::hash::Digest;
use envora_domain::id::Kind;

use crate::formats::left::LeftOut;
use crate::formats::{Derives, Reader};
use crate::registry::Wanted;
use crate::repeats::LastRow;
use crate::rows::ParsedRow;

/// How many problems a report lists in full; all are counted.
pub const PROBLEMS_LISTED_MAX: usize = 100;
/// How many groups of like problems a report tells apart; what comes later is only counted.
pub const GROUPS_MAX: usize = 100;
/// How many lines a group names.
pub const LINES_LISTED_MAX: usize = 5;
/// How many different codes of facilities, of sources and so on a report lists.
pub const CODES_LISTED_MAX: usize = 10_000;
/// How many ids of the sender's own are remembered to find one that comes again: about 50 MB.
pub const IDS_REMEMBERED_MAX: usize = 1_800_000;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read, each counted once below.
    pub rows: u64,
    /// Rows that would be stored and calculated, as far as the file alone tells.
    pub accepted: u64,
    /// Rows that say the same as an earlier row with the same id.
    pub duplicate: u64,
    /// Rows that would be stored and wait for a word.
    pub quarantined: u64,
    /// Rows that would not be stored.
    pub rejected: u64,
    /// Records that the mapping leaves out, or that nothing in it takes.
    pub left: LeftOut,
    /// How often each code came up.
    pub codes: BTreeMap<RowCode, u64>,
    /// How many rows have each flag.
    pub flags: BTreeMap<Flag, u64>,
    /// The first problems, in file order.
    pub problems: Vec<RowProblem>,
    /// Like problems together, in the order of their first lines.
    pub groups: Vec<Group>,
    /// The facilities, sources, entities and suppliers that rows to be stored name, by code or id.
    pub named: BTreeMap<Wanted, Named>,
    /// Rows with times without an offset, whose place's clock was not asked: how many, and the first.
    pub walled: Option<Naming>,
    /// Rows of the same source and interval as a row before them: how many, and the first.
    pub repeated: Option<Naming>,
    /// Where the last row of a table is the sum of those before it, its line and how many they are.
    pub sums_up: Option<(u64, u64)>,
    /// The records of which a row was not accepted.
    pub settled: BTreeSet<u64>,
    /// Those of them of which a row waits: it may be refused yet.
    pub waiting: BTreeSet<u64>,
    /// Rows whose id was not looked for among the earlier ones, because they are too many.
    pub ids_not_compared: u64,
}

/// Problems of one code in one column with one remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The first of them.
    pub first: RowProblem,
    /// How many there are.
    pub problems: u64,
    /// The first lines, at most [`LINES_LISTED_MAX`].
    pub lines: Vec<u64>,
    /// Where the first line's record starts in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u32,
}

/// Words that rows name: how many rows, and the first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// By word, at most [`CODES_LISTED_MAX`] of them.
    pub words: BTreeMap<String, Naming>,
    /// Rows that name a word beyond those.
    pub more_rows: u64,
}

/// Who names a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// How many rows.
    pub rows: u64,
    /// The first of their lines.
    pub line: u64,
}

impl Named {
    fn add(&mut self, word: &str, line: u64) {
        if let Some(naming) = self.words.get_mut(word) {
            naming.rows += 1;
        } else if self.words.len() < CODES_LISTED_MAX {
            self.words.insert(word.to_owned(), Naming { rows: 1, line });
        } else {
            self.more_rows += 1;
        }
    }
}

/// What the organization's own tables hold, by code and by id.
pub type Known = BTreeMap<Wanted, BTreeSet<String>>;

/// What a group's problems have in common: code, place, remedy without the values in it.
type Likeness = (RowCode, String, String);

/// Reads a file to its end and reports. Facilities, sources, entities and suppliers are judged when it is
/// known which there are. What is stored already stays open, and with it what the clock of a place says
/// ([`ParsedRow::unclear`]); two rows of the file with one id do not.
///
/// # Errors
/// What the input says.
pub fn check(reader: Reader<'_>, known: Option<&Known>) -> io::Result<Report> {
    read(reader, (known, Waits::Told))
}

/// The same where the stored rows are asked next ([`Report::settle`]): a row that waits for a word is left
/// to them, since it may be one of them. One that supersedes by the sender's id is not, since what it names
/// may be in the file.
///
/// # Errors
/// What the input says.
pub fn check_before_asking(reader: Reader<'_>, known: &Known) -> io::Result<Report> {
    read(reader, (Some(known), Waits::Left))
}

/// Whether an activity names by the sender's id what it replaces.
#[must_use]
pub fn names_by_sender(activity: &Activity) -> bool {
    activity.supersedes.as_ref().is_some_and(|old| old.starts_with("ext:"))
}

/// What is done about rows that wait for a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// They are told to.
    Told,
    /// They are left to who asks the stored rows.
    Left,
}

fn read(reader: Reader<'_>, (known, waits): (Option<&Known>, Waits)) -> io::Result<Report> {
    let mut check = Check {
        report: Report::default(),
        places: HashMap::new(),
        ids: Ids::default(),
        last_row: LastRow::default(),
        derives: reader.derives(),
        known,
        waits,
    };
    let mut reader = reader.without_derived_ids();
    reader.each(|row| check.row(row))?;
    check.report.sums_up = check.last_row.found();
    check.report.left = reader.left_out();
    check.report.ids_not_compared = check.ids.not_compared;
    Ok(check.report)
}

impl Report {
    /// A row that is not stored anew is no second one in its file.
    fn take_odd_back(&mut self, row: &ParsedRow) {
        let is_repeat = |activity: &Activity| activity.flags.contains(Flag::PossibleDuplicate);
        if row.activity.as_ref().is_ok_and(is_repeat) {
            self.repeated = self.repeated.and_then(|Naming { rows, line }| {
                rows.checked_sub(1).filter(|rows| *rows > 0).map(|rows| Naming { rows, line })
            });
        }
        self.sums_up = self.sums_up.filter(|(line, _)| *line != row.line);
    }

    /// Counts a row as what the stored rows make of it, which the file alone took for good or to wait.
    pub fn settle(&mut self, row: &ParsedRow, outcome: Outcome, problems: &[RowProblem]) {
        let counted = match outcome {
            Outcome::Accepted => return,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Quarantined => &mut self.quarantined,
            Outcome::Rejected => &mut self.rejected,
        };
        *counted += 1;
        if outcome != Outcome::Quarantined {
            self.take_odd_back(row);
        }
        let before = match self.waiting.remove(&row.row) {
            true => &mut self.quarantined,
            false => &mut self.accepted,
        };
        *before = before.saturating_sub(1);
        for problem in problems {
            *self.codes.entry(problem.code).or_insert(0) += 1;
            if self.problems.len() < PROBLEMS_LISTED_MAX {
                self.problems.push(problem.clone());
            }
            let like = likeness(problem);
            let groups = &mut self.groups;
            let known = groups.iter().position(|group| likeness(&group.first) == like);
            if let Some(group) = known.and_then(|place| groups.get_mut(place)) {
                group.problems += 1;
                if group.lines.len() < LINES_LISTED_MAX {
                    group.lines.push(row.line);
                }
            } else if groups.len() < GROUPS_MAX {
                groups.push(Group {
                    first: problem.clone(),
                    problems: 1,
                    lines: vec![row.line],
                    offset: row.offset,
                    length: row.length,
                });
            }
        }
    }
}

struct Check<'a> {
    report: Report,
    places: HashMap<Likeness, usize>,
    ids: Ids,
    last_row: LastRow,
    derives: Derives,
    known: Option<&'a Known>,
    waits: Waits,
}

/// What an earlier row says about this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// None has its id, or it has none.
    None,
    /// The same: it is a duplicate.
    Same,
    /// Something else: it is refused ([`conflict`]).
    Otherwise,
}

/// The ids of rows that came before, as many as are remembered.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// Halves of the digests of ids, and of what the rows say.
    contents: HashMap<[u8; 16], [u8; 8]>,
    /// Rows whose id was not looked for, because there are too many.
    pub not_compared: u64,
}

impl Ids {
    /// What the rows before say about this one, which is one of them from now on.
    pub fn earlier(&mut self, activity: &Activity) -> Earlier {
        let Some(id) = activity.external_id.as_ref() else { return Earlier::None };
        let (id, says) = (Digest::of(id.as_bytes()), activity.content_hash());
        let (Some(id), Some(says)) = (id.0.first_chunk::<16>(), says.0.first_chunk::<8>()) else {
            return Earlier::None;
        };
        match self.contents.get(id) {
            Some(before) if before == says => Earlier::Same,
            Some(_) => Earlier::Otherwise,
            None if self.contents.len() < IDS_REMEMBERED_MAX => {
                self.contents.insert(*id, *says);
                Earlier::None
            }
            None => {
                self.not_compared += 1;
                Earlier::None
            }
        }
    }
}

impl Check<'_> {
    fn row(&mut self, row: &ParsedRow) {
        self.report.rows += 1;
        let activity = match (&row.activity, &row.unclear) {
            (Ok(activity), _) => activity,
            (Err(_), Some(activity)) if self.known.is_some() => {
                // The stored rows tell whether it is one of them, before its clock does.
                self.report.accepted += 1;
                self.name(activity, row.line);
                return;
            }
            (Err(_), _) => {
                self.report.settled.insert(row.row);
                self.report.rejected += 1;
                self.list(row.problems(), row);
                return;
            }
        };
        if row.columns.is_some() {
            self.last_row.add(row.line, activity);
        }
        for flag in activity.flags.iter() {
            *self.report.flags.entry(flag).or_insert(0) += 1;
        }
        match self.earlier(activity) {
            Earlier::None => {}
            Earlier::Same => {
                self.report.settled.insert(row.row);
                self.report.duplicate += 1;
                return;
            }
            Earlier::Otherwise => {
                self.report.settled.insert(row.row);
                self.report.rejected += 1;
                let id = activity.external_id.as_deref().unwrap_or_default();
                let problem = conflict(id).at(row.row, row.line);
                let columns = row.columns.as_deref();
                let named = columns.map(|columns| columns.name(problem.clone()));
                self.list(&[named.unwrap_or(problem)], row);
                return;
            }
        }
        if activity.flags.contains(Flag::PossibleDuplicate) {
            self.report.repeated.get_or_insert(Naming { rows: 0, line: row.line }).rows += 1;
        }
        let unknown = self.name(activity, row.line);
        if self.known.is_none() && matches!(activity.period, Period::WallClock { .. }) {
            let first = Naming { rows: 0, line: row.line };
            self.report.walled.get_or_insert(first).rows += 1;
        }
        let left = self.waits == Waits::Left && !names_by_sender(activity);
        if row.quarantine.is_empty() && unknown.is_empty() || activity.void || left {
            self.report.accepted += 1;
            return;
        }
        self.report.settled.insert(row.row);
        self.report.waiting.insert(row.row);
        self.report.quarantined += 1;
        self.list(&row.quarantine, row);
        let unknown: Vec<RowProblem> =
            unknown.into_iter().map(|problem| problem.at(row.row, row.line)).collect();
        self.list(&unknown, row);
    }

    /// Ids that the mapping derives never come twice: they count equal rows.
    fn earlier(&mut self, activity: &Activity) -> Earlier {
        if self.derives == Derives::No { self.ids.earlier(activity) } else { Earlier::None }
    }

    /// Notes what the row names; gives what is known to be unknown.
    fn name(&mut self, activity: &Activity, line: u64) -> Vec<RowProblem> {
        let words = [
            (Wanted::Facility, activity.facility.as_ref().map(word)),
            (Wanted::Source, activity.source.as_ref().map(word)),
            (Wanted::Entity, activity.entity.as_deref().map(Cow::Borrowed)),
            (Wanted::Supplier, activity.supplier.as_deref().map(Cow::Borrowed)),
        ];
        let mut unknown = Vec::new();
        for (wanted, word) in words {
            let Some(word) = word else { continue };
            self.report.named.entry(wanted).or_default().add(&word, line);
            let of_its_kind = self.known.map(|known| known.get(&wanted));
            let there = |known: Option<&BTreeSet<String>>| {
                known.is_some_and(|known| known.contains(word.as_ref()))
            };
            if of_its_kind.is_some_and(|known| !there(known)) {
                unknown.push(wanted.unknown(&word));
            }
        }
        unknown
    }

    fn list(&mut self, problems: &[RowProblem], row: &ParsedRow) {
        for problem in problems {
            *self.report.codes.entry(problem.code).or_insert(0) += 1;
            if self.report.problems.len() < PROBLEMS_LISTED_MAX {
                self.report.problems.push(problem.clone());
            }
            self.group(problem, row);
        }
    }

    fn group(&mut self, problem: &RowProblem, row: &ParsedRow) {
        let likeness = likeness(problem);
        if let Some(group) =
            self.places.get(&likeness).and_then(|place| self.report.groups.get_mut(*place))
        {
            group.problems += 1;
            if group.lines.len() < LINES_LISTED_MAX && group.lines.last() != Some(&row.line) {
                group.lines.push(row.line);
            }
        } else if self.report.groups.len() < GROUPS_MAX {
            self.places.insert(likeness, self.report.groups.len());
            self.report.groups.push(Group {
                first: problem.clone(),
                problems: 1,
                lines: vec![row.line],
                offset: row.offset,
                length: row.length,
            });
        }
    }
}

fn word<K: Kind>(named: &Ref<K>) -> Cow<'_, str> {
    match named {
        Ref::Code(code) => Cow::Borrowed(code),
        Ref::Id(id) => Cow::Owned(id.to_string()),
    }
}

fn likeness(problem: &RowProblem) -> Likeness {
    let place = problem.column.clone().unwrap_or_else(|| problem.field.clone());
    let remedy = problem.hint.as_deref().unwrap_or_default();
    let remedy = match problem.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => remedy.replace(value, "\u{0}"),
        None => remedy.to_owned(),
    };
    // `1e3 is 1000` and `2e5 is 200000` are one remedy.
    (problem.code, place, remedy.replace(|letter: char| letter.is_ascii_digit(), ""))
}

/// What is wrong with a row whose id an earlier one has, which says something else.
#[must_use]
pub fn conflict(id: &str) -> RowProblem {
    RowProblem::new(
        RowCode::ExternalIdConflict,
        "/external_id",
        "an earlier row of the file has this id and says something else",
    )
    .value(id)
    .hint("give the row its own id; to correct the earlier one, send supersedes = ext:… with a new id")
}
