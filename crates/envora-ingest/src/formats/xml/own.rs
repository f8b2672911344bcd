//! `urn:envora:activity:1`: an element for each activity, in it one for each field, by the schema's names.

use std::collections::BTreeSet;

use bytes::Bytes;
use envora_domain::activities::problems::{RowCode, RowProblem};

use super::super::csv::OURS;
use super::super::{
    FileProblem, Format, Judge, OpenError, Opening, OriginHead, RowPlace, defaults, rejected,
};
use super::{Names, Opened, Step, TEXT_BYTES_MAX, Walk, add};
use crate::fields::{Draft, Field, Given};
use crate::rows::ParsedRow;

/// The activities of a file.
pub struct Activities {
    walk: Walk,
    defaults: Vec<(Field, String)>,
    judge: Judge,
    head: OriginHead,
    row: u64,
    depth: usize,
}

/// An element inside of an activity that has not ended.
struct Element {
    opened: Opened,
    text: String,
    /// Whether it has elements of its own.
    holds: bool,
}

impl Activities {
    pub(super) fn new(bytes: Bytes, opening: &Opening) -> Result<Self, OpenError> {
        let (judge, head) = (Judge::default(), opening.head.clone());
        let defaults = defaults(&opening.set)?;
        Ok(Self { walk: Walk::new(bytes), defaults, judge, head, row: 0, depth: 0 })
    }

    /// The next activity.
    pub(super) fn row(&mut self) -> Result<Option<ParsedRow>, FileProblem> {
        loop {
            match self.walk.next()? {
                Step::Open(_) if self.depth == 0 => self.depth = 1,
                Step::Open(opened) => {
                    self.row += 1;
                    let (draft, end) = self.draft(&opened)?;
                    return Ok(Some(self.judged(draft, &opened, end)));
                }
                Step::Close(_) | Step::Text(_) => {}
                Step::End => return Ok(None),
            }
        }
    }

    fn judged(&mut self, mut draft: Draft, opened: &Opened, end: usize) -> ParsedRow {
        let place = RowPlace {
            row: self.row,
            line: opened.line,
            offset: opened.at as u64,
            length: u32::try_from(end.saturating_sub(opened.at)).unwrap_or(u32::MAX),
        };
        if opened.names != Names::Own || opened.name != "activity" {
            let detail = format!("the element <{}> is no activity", opened.written);
            let problem = RowProblem::new(RowCode::MalformedRow, "", detail);
            return rejected(problem.hint("name it <activity>, or leave it out"), place);
        }
        for (field, value) in &self.defaults {
            if !draft.has(field) {
                draft.set(field, Given::Cell(value));
            }
        }
        let origin = self.head.origin(place, None, Format::Xml);
        self.judge.row(draft, origin, place)
    }

    /// What the elements of an activity say, up to its end.
    fn draft(&mut self, opened: &Opened) -> Result<(Draft, usize), FileProblem> {
        let (mut draft, mut seen) = (Draft::default(), BTreeSet::new());
        let mut open: Vec<Element> = Vec::new();
        if let Some(name) = &opened.attribute {
            draft.report(attribute(opened, name));
        }
        loop {
            match self.walk.next()? {
                Step::Open(opened) => {
                    if let Some(parent) = open.last_mut() {
                        parent.holds = true;
                    }
                    let (text, holds) = (String::new(), false);
                    open.push(Element { opened, text, holds });
                }
                Step::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        add(&mut element.text, &text);
                    } else if !text.trim().is_empty() {
                        draft.report(stray(&text, opened.line));
                    }
                }
                Step::Close(end) => {
                    let Some(element) = open.pop() else { return Ok((draft, end)) };
                    let names = open.iter().map(|parent| parent.opened.name.as_str());
                    let names: Vec<&str> = names.chain([element.opened.name.as_str()]).collect();
                    field(&mut draft, &element, &names.join("."), &mut seen);
                }
                Step::End => return Ok((draft, opened.at)),
            }
        }
    }
}

fn attribute(opened: &Opened, name: &str) -> RowProblem {
    let detail =
        format!("line {}: the attribute {name} of <{}> is not read", opened.line, opened.written);
    RowProblem::new(RowCode::UnknownField, &format!("/{}", opened.name), detail)
        .hint("write each field as an element of its own, without attributes")
}

fn stray(text: &str, line: u64) -> RowProblem {
    let shown: String = text.trim().chars().take(40).collect();
    let detail = format!("line {line}: the text {shown:?} stands in no field");
    RowProblem::new(RowCode::MalformedRow, "", detail).hint("put it into the element of its field")
}

/// Puts what an element says into the draft.
fn field(draft: &mut Draft, element: &Element, name: &str, seen: &mut BTreeSet<String>) {
    let Element { opened, text, holds } = element;
    if name.starts_with(OURS) {
        return;
    }
    if let Some(name) = &opened.attribute {
        draft.report(attribute(opened, name));
    }
    let text = text.trim();
    if *holds {
        if !text.is_empty() {
            draft.report(stray(text, opened.line));
        }
        return;
    }
    let pointer = format!("/{}", name.replace('.', "/"));
    let known = Field::parse(name).filter(|_| opened.names == Names::Own);
    let Some(field) = known else {
        let near = Field::nearest(name).map(|near| format!("did you mean {near}?"));
        let hint = near.unwrap_or_else(|| "see /v2/schemas/activity.xsd for the fields".to_owned());
        let detail =
            format!("line {}: <{}> is no field of an activity", opened.line, opened.written);
        draft.report(RowProblem::new(RowCode::UnknownField, &pointer, detail).hint(hint));
        return;
    };
    if !seen.insert(name.to_owned()) {
        let detail = format!("line {}: <{}> is there twice", opened.line, opened.written);
        draft.report(RowProblem::new(RowCode::DuplicateKey, &pointer, detail).hint("keep one"));
        return;
    }
    if text.len() > TEXT_BYTES_MAX {
        draft.mark(&field);
        let detail = format!("the text has more than {TEXT_BYTES_MAX} bytes");
        draft.report(RowProblem::new(RowCode::WrongType, &pointer, detail).hint("shorten it"));
    } else if !text.is_empty() {
        draft.set(&field, Given::Cell(text));
    }
}
