//! Export: stored rows as a file that can be sent again, a part at a time.
//!
//! What is no field of an activity stands in fields named `_envora_…`, which are not read back, but for what was
//! noted of times without an offset: by it they are the same times again, wherever they are sent.
//! A correction names what it supersedes by the sender's id, which any organization can follow. What has
//! none and was superseded is left out, with the rows that void it, and its correction stands as a row of
//! its own: the footprint is the same.

use core::ops::ControlFlow;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use envora_domain::activities::{Activity, Period};
use envora_domain::id::ActivityId;
use envora_store::audit::audit_head;
use envora_store::segments::{Segment, segments_from};
use envora_store::supersessions::{ActivityRange, supersessions_between};
use memchr::memmem;
use serde_json::Value;

use crate::fields::NAMES;
use crate::formats::csv::{LOCAL, OURS, put_cell};
use crate::formats::records::Dialect;
use crate::segments::{activities, cut, decode};
use crate::stored::{Moment, Narrowed, Question, RowState};
use crate::tenant::TenantParts;
use crate::words;

/// The most columns of a CSV file.
pub const COLUMNS_MAX: usize = 500;
/// Segments whose places are read at once.
const SEGMENTS_AT_ONCE: u32 = 64;
/// How long a part is at least, but for the last: a row of it may be read from one segment or from many.
const PART_BYTES: usize = 256 * 1024;
/// What is added to a row, in this order.
const ADDED: [&str; 3] = ["id", "state", "code"];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object per line.
    Ndjson,
    /// A header of dotted field names, and a line per row.
    Csv,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The rows have too many different fields for one table.
    #[error("the rows have more than {COLUMNS_MAX} different fields, too many for one table")]
    TooManyColumns,
    /// Anything else; [`Damaged`](crate::tenant::Damaged) inside when stored bytes are not as stored.
    #[error("the rows could not be read")]
    Unexpected(#[from] anyhow::Error),
}

/// A file on its way out. Rows that are committed after it began are not in it, and the states of rows
/// are those of that moment: what was read to learn the columns is what is written.
pub struct Export {
    parts: Arc<TenantParts>,
    question: Question,
    moment: Moment,
    /// The columns, of a CSV file.
    columns: Option<Vec<String>>,
    /// What is written before the next rows.
    head: Vec<u8>,
    /// The seqs that are still to be looked at.
    left: core::ops::Range<u64>,
}

impl Export {
    /// Begins. For CSV the rows that are asked for are read once to learn their columns. Blocks.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn begin(
        parts: Arc<TenantParts>,
        question: Question,
        shape: Shape,
    ) -> Result<Self, ExportError> {
        let end = parts.read(audit_head)?.size;
        let moment = Narrowed::new(&parts, question.clone())?.moment();
        let (columns, head) = (None, Vec::new());
        let mut export = Self { parts, question, moment, columns, head, left: 0..end };
        if shape == Shape::Csv {
            let columns = export.columns()?;
            let names = columns.iter().map(String::as_str);
            line(&mut export.head, names);
            export.columns = Some(columns);
        }
        Ok(export)
    }

    /// The next bytes, those of some segments' rows; none at the end. Blocks.
    ///
    /// # Errors
    /// The database's; [`Damaged`](crate::tenant::Damaged) inside.
    pub fn next_part(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut bytes = core::mem::take(&mut self.head);
        if self.left.is_empty() {
            return Ok((!bytes.is_empty()).then_some(bytes));
        }
        // What the question's words mean, and what was decided anew, is read once for all that follows.
        let narrowed = Narrowed::at(&self.parts, self.question.clone(), &self.moment)?;
        while bytes.len() < PART_BYTES && !self.left.is_empty() {
            let found = segments(&self.parts, self.left.clone())?;
            if found.is_empty() {
                self.left.start = self.left.end;
            }
            for segment in found {
                self.left.start = segment.seq + 1;
                if !narrowed.may_hold(&segment) {
                    continue;
                }
                let links = Links::of(&self.parts, &segment, self.left.end)?;
                let _all = narrowed.rows(&segment, 0, |id, activity, state| {
                    let Some(activity) = links.written(id, activity) else {
                        return Ok(ControlFlow::Continue(()));
                    };
                    let fields = told(id, &activity, state);
                    match &self.columns {
                        None => ndjson(&mut bytes, &fields)?,
                        Some(columns) => csv(&mut bytes, columns, fields),
                    }
                    Ok(ControlFlow::Continue(()))
                })?;
                if bytes.len() >= PART_BYTES {
                    break;
                }
            }
        }
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// The columns of the rows that are written.
    fn columns(&self) -> Result<Vec<String>, ExportError> {
        let narrowed = Narrowed::at(&self.parts, self.question.clone(), &self.moment)?;
        let mut names: BTreeSet<String> = BTreeSet::new();
        let (mut left, mut noted) = (self.left.clone(), false);
        while !left.is_empty() {
            let found = segments(&self.parts, left.clone())?;
            let Some(last) = found.last().map(|segment| segment.seq) else { break };
            left.start = last + 1;
            for segment in found {
                if !narrowed.may_hold(&segment) {
                    continue;
                }
                let links = Links::of(&self.parts, &segment, self.left.end)?;
                let done = narrowed.rows(&segment, 0, |id, activity, _| {
                    let Some(activity) = links.written(id, activity) else {
                        return Ok(ControlFlow::Continue(()));
                    };
                    for (name, _) in words::cells(words::sent(&activity)) {
                        names.insert(name);
                    }
                    noted |= local(&activity).is_some();
                    Ok(if names.len() > COLUMNS_MAX {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
                if done.is_break() {
                    return Err(ExportError::TooManyColumns);
                }
            }
        }
        let mut columns: Vec<String> = Vec::new();
        columns.extend(NAMES.iter().filter(|name| names.remove(**name)).map(ToString::to_string));
        columns.extend(names);
        columns.extend(noted.then(|| LOCAL.to_owned()));
        columns.extend(ADDED.map(|name| format!("{OURS}{name}")));
        Ok(columns)
    }
}

/// How the rows of a segment are linked to others.
struct Links {
    /// Those that were superseded or voided.
    ended: HashSet<ActivityId>,
    /// The rows that theirs supersede by an id of ours, and what those supersede, and so on.
    named: HashMap<ActivityId, Activity>,
}

impl Links {
    /// As of the size of the log.
    fn of(parts: &TenantParts, segment: &Segment, head: u64) -> anyhow::Result<Self> {
        let rows = 0..segment.rows;
        let id = |row| segment.id.activity(row);
        let ended = match (id(rows.start), id(rows.end.saturating_sub(1))) {
            (Some(first), Some(last)) => {
                let (grant, range) = (parts.own.read_activities, ActivityRange { first, last });
                let head = head.saturating_sub(1);
                parts.read(move |rd| supersessions_between(rd, &grant, range, head))?
            }
            _ => Vec::new(),
        };
        let ended = ended.into_iter().map(|fate| fate.old).collect();
        let stream = parts.segment_stream(segment)?;
        let mut wanted: HashSet<ActivityId> = HashSet::new();
        for bytes in cut(segment, &stream)? {
            if memmem::find(bytes, ACT).is_some() {
                wanted.extend(target(&decode(segment.id, bytes)?));
            }
        }
        let mut named = HashMap::new();
        while !wanted.is_empty() {
            let found = activities(parts, core::mem::take(&mut wanted))?;
            wanted.extend(found.values().filter_map(target));
            named.extend(found);
            wanted.retain(|id| !named.contains_key(id));
        }
        Ok(Self { ended, named })
    }

    /// A row as it is written, unless it is left out.
    fn written<'a>(&self, id: ActivityId, activity: &'a Activity) -> Option<Cow<'a, Activity>> {
        if activity.external_id.is_none() && self.ended.contains(&id) {
            return None;
        }
        let Some(target) = target(activity) else { return Some(Cow::Borrowed(activity)) };
        let before = self.named.get(&target).filter(|before| self.stays(before));
        let mut written = activity.clone();
        match before.and_then(|before| before.external_id.as_ref()) {
            Some(external_id) => written.supersedes = Some(format!("ext:{external_id}")),
            None if activity.void => return None,
            None => (written.supersedes, written.supersede_reason) = (None, None),
        }
        Some(Cow::Owned(written))
    }

    /// Whether a row that another supersedes is written.
    fn stays(&self, before: &Activity) -> bool {
        let (mut row, mut stays) = (before, before.external_id.is_some());
        while let Some(earlier) = target(row).and_then(|id| self.named.get(&id))
            && row.void
            && stays
        {
            (row, stays) = (earlier, earlier.external_id.is_some());
        }
        stays
    }
}

/// What an id of ours begins with.
const ACT: &[u8] = b"act_";

/// The row that a row supersedes by an id of ours.
fn target(activity: &Activity) -> Option<ActivityId> {
    ActivityId::parse(activity.supersedes.as_deref()?).ok()
}

/// The next segments.
fn segments(parts: &TenantParts, left: core::ops::Range<u64>) -> anyhow::Result<Vec<Segment>> {
    let grant = parts.own.read_activities;
    let mut found =
        parts.read(move |rd| segments_from(rd, &grant, left.start, SEGMENTS_AT_ONCE))?;
    found.retain(|segment| segment.seq < left.end);
    Ok(found)
}

/// What was noted of the times of a row that says no offset: sent again, they are judged as they were.
fn local(activity: &Activity) -> Option<u8> {
    let on_the_wall = matches!(activity.period, Period::WallClock { .. });
    on_the_wall.then(|| activity.local.number())
}

/// All fields of a row.
fn told(id: ActivityId, activity: &Activity, state: RowState) -> BTreeMap<String, Value> {
    let mut fields = words::sent(activity);
    let code = state.code.map(|code| code.as_str().to_owned());
    let added = [Some(id.to_string()), Some(state.state.to_owned()), code];
    for (name, value) in ADDED.into_iter().zip(added) {
        if let Some(value) = value {
            fields.insert(format!("{OURS}{name}"), value.into());
        }
    }
    fields.extend(local(activity).map(|local| (LOCAL.to_owned(), local.into())));
    fields
}

fn ndjson(bytes: &mut Vec<u8>, fields: &BTreeMap<String, Value>) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *bytes, fields)?;
    bytes.push(b'\n');
    Ok(())
}

fn csv(bytes: &mut Vec<u8>, columns: &[String], fields: BTreeMap<String, Value>) {
    let cells: BTreeMap<String, String> = words::cells(fields).into_iter().collect();
    line(bytes, columns.iter().map(|name| cells.get(name).map_or("", String::as_str)));
}

fn line<'a>(bytes: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    let dialect = Dialect::default();
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            bytes.push(dialect.delimiter);
        }
        put_cell(bytes, cell.as_bytes(), dialect);
    }
    bytes.push(b'\n');
}
