//! CloudEvents 1.0: an activity in the data of each event, whose source and id are the row's identity.
//!
//! The time of an event says when it was sent, not when the activity was: it is not read, nor are subject,
//! schema and extensions.

use bytes::Bytes;
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::base32;
use envora_domain::hash::Digest;
use serde_json::value::RawValue;

use super::json::row::{Members, RowReader};
use super::{
    FileProblem, Format, Judge, OpenError, Opening, OriginHead, RowPlace, defaults, rejected,
};
use crate::fields::{Field, Given};
use crate::rows::ParsedRow;

/// What an event of an activity is called.
pub const TYPE: &str = "envora.activity.v1";
/// The version that is read.
const VERSION: &str = "1.0";
/// The longest source or id.
const NAME_BYTES_MAX: usize = 2_048;

/// The attributes of an event that are read; of one in binary mode they are headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `specversion`.
    pub specversion: Option<String>,
    /// `id`.
    pub id: Option<String>,
    /// `source`.
    pub source: Option<String>,
    /// `type`.
    pub kind: Option<String>,
    /// `datacontenttype`.
    pub content_type: Option<String>,
}

/// How events came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With their attributes around their data.
    Structured,
    /// With their attributes in headers.
    Binary,
}

/// Events of a body.
pub struct Events {
    bytes: Bytes,
    /// Where each event is in the bytes.
    events: std::vec::IntoIter<(usize, usize)>,
    way: Way,
    attributes: Attributes,
    format: Format,
    reader: RowReader,
    judge: Judge,
    head: OriginHead,
    row: u64,
}

fn malformed(detail: impl core::fmt::Display, line: usize) -> FileProblem {
    FileProblem::new("malformed_body", format!("the body is no event in JSON: {detail}"))
        .line(line as u64)
        .hint("send a CloudEvent: {\"specversion\": \"1.0\", \"id\": …, \"source\": …, \"type\": \"envora.activity.v1\", \"data\": { … }}")
}

/// Reads one event, or a batch of them.
///
/// # Errors
/// [`OpenError::File`] for a body that is none.
pub(super) fn open(bytes: Bytes, format: Format, opening: &Opening) -> Result<Events, OpenError> {
    let text = simdutf8::compat::from_utf8(&bytes).map_err(|_| {
        FileProblem::new("malformed_body", "the body is not UTF-8").hint("send UTF-8")
    })?;
    let place = |raw: &RawValue| {
        let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        (start, start + raw.get().len())
    };
    let wrong = |error: serde_json::Error| malformed(&error, error.line());
    let events: Vec<(usize, usize)> = if format == Format::CloudEvents {
        let all: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
        all.into_iter().map(place).collect()
    } else {
        vec![place(serde_json::from_str::<&RawValue>(text).map_err(wrong)?)]
    };
    if events.is_empty() {
        let problem = FileProblem::new("validation_failed", "the batch has no event");
        return Err(problem.hint("send at least one").into());
    }
    laid((bytes.clone(), events), (Way::Structured, Attributes::default()), (format, opening))
}

/// Reads the data of an event whose attributes came in headers.
///
/// # Errors
/// [`OpenError::File`] for constants that are no fields.
pub fn binary(
    bytes: Bytes,
    attributes: Attributes,
    opening: &Opening,
) -> Result<Events, OpenError> {
    let whole = vec![(0, bytes.len())];
    laid((bytes, whole), (Way::Binary, attributes), (Format::CloudEvent, opening))
}

fn laid(
    (bytes, events): (Bytes, Vec<(usize, usize)>),
    (way, attributes): (Way, Attributes),
    (format, opening): (Format, &Opening),
) -> Result<Events, OpenError> {
    let reader = RowReader::new(defaults(&opening.set)?);
    let (judge, head, row) = (Judge::default(), opening.head.clone(), 0);
    let events = events.into_iter();
    Ok(Events { bytes, events, way, attributes, format, reader, judge, head, row })
}

impl Iterator for Events {
    type Item = ParsedRow;

    fn next(&mut self) -> Option<ParsedRow> {
        let (start, end) = self.events.next()?;
        self.row += 1;
        let before = self.bytes.get(..start).unwrap_or_default();
        let place = RowPlace {
            row: self.row,
            line: memchr::memchr_iter(b'\n', before).count() as u64 + 1,
            offset: start as u64,
            length: u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX),
        };
        let bytes = self.bytes.slice(start..end);
        let text = String::from_utf8_lossy(&bytes);
        let (attributes, data) = match self.way {
            Way::Binary => (self.attributes.clone(), Ok(text.as_ref())),
            Way::Structured => match taken_apart(&text) {
                Ok(parts) => parts,
                Err(problem) => return Some(rejected(*problem, place)),
            },
        };
        let mut problems = attributes.problems(self.way);
        let data = data.map_err(|problem| problems.push(*problem)).unwrap_or_default();
        if let Some(first) = problems.pop() {
            let mut row = rejected(first, place);
            if let Err(all) = &mut row.activity {
                problems.append(all);
                *all = problems.into_iter().map(|one| one.at(place.row, place.line)).collect();
            }
            return Some(row);
        }
        let mut draft = self.reader.draft(data);
        if draft.external_id().is_some() {
            let detail =
                "external_id is given, and the event's source and id are the row's identity";
            let problem = RowProblem::new(RowCode::WrongType, "/external_id", detail);
            draft.report(problem.hint("leave external_id out of the data"));
        }
        let id = attributes.identity();
        draft.set(&Field::ExternalId, Given::Text(&id));
        let origin = self.head.origin(place, None, self.format);
        let mut row = self.judge.row(draft, origin, place);
        if self.way == Way::Structured {
            let inside = |problem: &mut RowProblem| problem.field.insert_str(0, "/data");
            if let Err(all) = &mut row.activity {
                all.iter_mut().for_each(inside);
            }
            row.quarantine.iter_mut().for_each(inside);
        }
        Some(row)
    }
}

type Fault = Box<RowProblem>;

/// The attributes and the data of an event.
fn taken_apart(text: &str) -> Result<(Attributes, Result<&str, Fault>), Fault> {
    let whole = |detail: String| {
        let hint = "send an object with specversion, id, source, type and data";
        Box::new(RowProblem::new(RowCode::MalformedRow, "", detail).hint(hint))
    };
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|error| whole(format!("no event: {error}")))?;
    let mut attributes = Attributes::default();
    let (mut data, mut seen): (Result<&str, Fault>, Vec<&str>) = (Err(no_data()), Vec::new());
    for (name, raw) in &members.0 {
        if seen.contains(&name.as_ref()) {
            let shown: String = name.chars().take(40).collect();
            let detail = format!("the key {shown:?} is there twice");
            let field = format!("/{shown}");
            let problem = RowProblem::new(RowCode::DuplicateKey, &field, detail);
            return Err(Box::new(problem.hint("keep one of the two")));
        }
        seen.push(name);
        let slot = match name.as_ref() {
            "specversion" => &mut attributes.specversion,
            "id" => &mut attributes.id,
            "source" => &mut attributes.source,
            "type" => &mut attributes.kind,
            "datacontenttype" => &mut attributes.content_type,
            "data" => {
                data = Ok(raw.get());
                continue;
            }
            "data_base64" => {
                let detail = "data_base64 is not read: an activity is JSON, in data";
                let problem = RowProblem::new(RowCode::WrongType, "/data_base64", detail);
                return Err(Box::new(problem.hint("send the object itself as data")));
            }
            _ => continue,
        };
        let Ok(text) = serde_json::from_str::<Option<String>>(raw.get()) else {
            let detail = format!("{name} is a text in a CloudEvent");
            let problem = RowProblem::new(RowCode::WrongType, &format!("/{name}"), detail);
            return Err(Box::new(problem.hint("put it in quotes")));
        };
        *slot = text;
    }
    Ok((attributes, data))
}

fn no_data() -> Fault {
    let problem = RowProblem::new(RowCode::MissingField, "/data", "the event has no data");
    Box::new(problem.hint("put the activity into data"))
}

impl Attributes {
    /// What is wrong with them.
    fn problems(&self, way: Way) -> Vec<RowProblem> {
        let mut problems = Vec::new();
        let mut add = |code: RowCode, name: &str, detail: String, hint: &str| {
            let field = if way == Way::Binary { String::new() } else { format!("/{name}") };
            problems.push(RowProblem::new(code, &field, detail).hint(hint));
        };
        let header = |name: &str| match way {
            Way::Binary => format!("the header ce-{name}"),
            Way::Structured => name.to_owned(),
        };
        let shown = |text: &str| text.chars().take(40).collect::<String>();
        match self.specversion.as_deref() {
            Some(VERSION) => {}
            Some(other) => add(
                RowCode::WrongType,
                "specversion",
                format!("{} is {:?}, and 1.0 is read", header("specversion"), shown(other)),
                "send the event in version 1.0 of CloudEvents",
            ),
            None => add(
                RowCode::MissingField,
                "specversion",
                format!("{} is missing", header("specversion")),
                "every CloudEvent has one: 1.0",
            ),
        }
        for (name, value) in [("id", &self.id), ("source", &self.source)] {
            let length = value.as_ref().map_or(0, String::len);
            if length == 0 || length > NAME_BYTES_MAX {
                let code = if length == 0 { RowCode::MissingField } else { RowCode::WrongType };
                let what = if length == 0 { "is missing" } else { "is too long" };
                let hint =
                    "source and id together name the event: the same ones again are a duplicate";
                add(code, name, format!("{} {what}", header(name)), hint);
            }
        }
        if self.kind.as_deref() != Some(TYPE) {
            let kind = self.kind.as_deref().map_or_else(|| "nothing".to_owned(), shown);
            let detail = format!("{} is {kind:?}, and {TYPE} is read", header("type"));
            add(RowCode::WrongType, "type", detail, "send each activity as an event of this type");
        }
        if let Some(content) = self.content_type.as_deref().filter(|own| !is_json(own)) {
            let detail =
                format!("datacontenttype is {:?}, and data is read as JSON", shown(content));
            add(
                RowCode::WrongType,
                "datacontenttype",
                detail,
                "send application/json, or leave it out",
            );
        }
        problems
    }

    /// The row's id: the same event again is the same row.
    fn identity(&self) -> String {
        let (source, id) = (self.source.as_deref(), self.id.as_deref());
        let (source, id) = (source.unwrap_or_default(), id.unwrap_or_default());
        let digest =
            Digest::of(format!("envora-ce/1\n{}\n{source}\n{id}", source.len()).as_bytes());
        format!("ce1_{}", base32::encode(digest.0.first_chunk().copied().unwrap_or_default()))
    }
}

fn is_json(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    [envora_api::media::JSON, envora_api::media::VENDOR].contains(&name.as_str())
}
