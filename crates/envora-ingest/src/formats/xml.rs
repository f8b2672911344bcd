//! XML: activities in our own namespace, an element for each field, and Green Button (ESPI) files of meter
//! readings, known by theirs.
//!
//! There are no document types and no entities but the five that every parser knows. The file is held as it
//! is, and read through once before the first row is given: one that is not well-formed, nests too deep or is
//! cut is refused as a whole.

use std::io::{self, Cursor, Read};

use bytes::Bytes;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

mod espi;
pub(super) mod mend;
mod own;

use self::espi::Readings;
use self::own::Activities;
use super::{FileProblem, OpenError, Opening};
use crate::rows::ParsedRow;

/// The namespace of our own elements.
pub const ACTIVITIES: &str = "urn:envora:activity:1";
/// The namespace of Green Button.
const ESPI: &str = "http://naesb.org/espi";
/// The namespace of the feeds in which Green Button comes.
const ATOM: &str = "http://www.w3.org/2005/Atom";

/// The largest file that is read.
pub const FILE_BYTES_MAX: u64 = 128 << 20;
/// How deep elements may nest.
const DEPTH_MAX: usize = 32;
/// The largest tag, text or comment.
const PIECE_BYTES_MAX: usize = 1 << 20;
/// The longest text of an element that is read.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Which names an element is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Own,
    Espi,
    Atom,
    Other,
}

/// The start of an element.
#[derive(Clone, Debug)]
struct Opened {
    names: Names,
    name: String,
    /// Its name as it is written, prefix included.
    written: String,
    /// Where its tag starts, and the line that is on.
    at: usize,
    line: u64,
    /// Of a link of a feed: what it is, and where it leads.
    link: Option<(String, String)>,
    /// The first attribute that says something we do not read.
    attribute: Option<String>,
}

/// One step through a file.
#[derive(Debug)]
enum Step {
    Open(Opened),
    /// The end of an element; its tag ends before this byte.
    Close(usize),
    Text(String),
    End,
}

/// A walk through a file.
struct Walk {
    bytes: Bytes,
    reader: NsReader<Cursor<Bytes>>,
    buffer: Vec<u8>,
    depth: usize,
    roots: usize,
    /// Where the lines are counted up to, and how many there are before.
    counted: usize,
    line: u64,
}

fn broken(line: u64, why: impl core::fmt::Display) -> FileProblem {
    FileProblem::new("malformed_body", format!("line {line}: {why}"))
        .line(line)
        .hint("send the whole file as it was written, well-formed XML in UTF-8")
}

impl Walk {
    fn new(bytes: Bytes) -> Self {
        let mut reader = NsReader::from_reader(Cursor::new(bytes.clone()));
        reader.config_mut().expand_empty_elements = true;
        let (buffer, depth, roots, counted, line) = (Vec::new(), 0, 0, 0, 1);
        Self { bytes, reader, buffer, depth, roots, counted, line }
    }

    /// The line that a byte is on; of bytes in order.
    fn line_of(&mut self, at: usize) -> u64 {
        let between = self.bytes.get(self.counted..at).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count() as u64;
        self.counted = at.max(self.counted);
        self.line
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn next(&mut self) -> Result<Step, FileProblem> {
        loop {
            let at = self.at();
            let line = self.line_of(at);
            let long = memchr::memchr(b'<', self.bytes.get(at + 1..).unwrap_or_default());
            let rest = self.bytes.len().saturating_sub(at);
            if long.unwrap_or(rest).min(rest) > PIECE_BYTES_MAX {
                return Err(broken(
                    line,
                    format!("a tag or text of more than {PIECE_BYTES_MAX} bytes"),
                ));
            }
            self.buffer.clear();
            let read = self.reader.read_resolved_event_into(&mut self.buffer);
            let (space, event) = read.map_err(|error| broken(line, error))?;
            let step = match event {
                Event::DocType(_) => {
                    let why = "a document type (DOCTYPE) is not read, nor what it would define";
                    let hint = "leave the DOCTYPE out, and write what its entities stand for";
                    return Err(broken(line, why).hint(hint));
                }
                Event::Start(tag) => {
                    let names = names(&space);
                    if let ResolveResult::Unknown(prefix) = &space {
                        return Err(broken(line, format!("the prefix {prefix:?} is not declared")));
                    }
                    self.depth += 1;
                    self.roots += usize::from(self.depth == 1);
                    if self.depth > DEPTH_MAX {
                        return Err(broken(line, format!("elements nest deeper than {DEPTH_MAX}")));
                    }
                    if self.roots > 1 {
                        return Err(broken(line, "a second element stands beside the first"));
                    }
                    Step::Open(opened(&tag, names, (at, line))?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Step::Close(0)
                }
                Event::Text(text) => Step::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Step::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(entity) => {
                    let letter = entity.resolve_char_ref().map_err(|error| broken(line, error))?;
                    let name = entity.into_inner();
                    let known = resolve_predefined_entity(&name).map(str::to_owned);
                    let Some(text) = letter.map(String::from).or(known) else {
                        let why =
                            format!("the entity &{name}; is not one of the five that XML knows");
                        return Err(broken(line, why).hint("write what it stands for"));
                    };
                    Step::Text(text)
                }
                Event::Eof if self.depth > 0 => {
                    return Err(broken(line, "the file ends in the middle of an element"));
                }
                Event::Eof => Step::End,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
            return Ok(match step {
                Step::Close(_) => Step::Close(self.at()),
                Step::Text(text) if self.depth == 0 && !text.trim().is_empty() => {
                    return Err(broken(line, "text stands outside of the elements"));
                }
                other => other,
            });
        }
    }
}

fn names(space: &ResolveResult<'_>) -> Names {
    match space {
        ResolveResult::Bound(space) if space.0 == ACTIVITIES => Names::Own,
        ResolveResult::Bound(space) if space.0 == ESPI => Names::Espi,
        ResolveResult::Bound(space) if space.0 == ATOM => Names::Atom,
        ResolveResult::Bound(_) | ResolveResult::Unbound | ResolveResult::Unknown(_) => {
            Names::Other
        }
    }
}

fn opened(
    tag: &BytesStart<'_>,
    names: Names,
    (at, line): (usize, u64),
) -> Result<Opened, FileProblem> {
    let name: &str = tag.local_name().into_inner();
    let (mut rel, mut href, mut attribute) = (None, None, None);
    for own in tag.attributes() {
        let own = own.map_err(|error| broken(line, error))?;
        let key: &str = own.key.into_inner();
        let value: &str = &own.value;
        match key {
            "rel" => rel = Some(value.to_owned()),
            "href" => href = Some(value.to_owned()),
            _ if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:") => {}
            _ => attribute = attribute.or_else(|| Some(key.to_owned())),
        }
    }
    let link = (names == Names::Atom && name == "link").then(|| rel.zip(href)).flatten();
    let (name, written) = (name.to_owned(), tag.name().into_inner().to_owned());
    Ok(Opened { names, name, written, at, line, link, attribute })
}

/// The text of an element, while it comes; what is above the limit is left off, and is too long anyway.
fn add(text: &mut String, more: &str) {
    if text.len() <= TEXT_BYTES_MAX {
        text.push_str(more);
    }
}

/// Reads an XML file.
pub enum XmlReader {
    /// Activities.
    Own(Box<Activities>),
    /// Green Button.
    GreenButton(Box<Readings>),
}

/// Reads a file through, and finds out which kind it is.
///
/// # Errors
/// [`OpenError::File`] when it is no XML, or of a kind that is not read.
pub(super) fn open(input: impl Read, opening: &Opening) -> Result<XmlReader, OpenError> {
    let bytes = held(input)?;
    let root = look_over(&bytes)?;
    match root.names {
        Names::Own if root.name == "activities" => {
            Ok(XmlReader::Own(Box::new(Activities::new(bytes, opening)?)))
        }
        Names::Atom | Names::Espi => {
            Ok(XmlReader::GreenButton(Box::new(Readings::new(bytes, opening)?)))
        }
        Names::Own | Names::Other => {
            let detail = format!("the element <{}> is none that is read here", root.written);
            let hint = format!(
                "send <activities xmlns=\"{ACTIVITIES}\">, as /v2/schemas/activity.xsd describes it, or a Green Button file"
            );
            Err(FileProblem::new("malformed_body", detail).line(root.line).hint(hint).into())
        }
    }
}

/// The bytes of a file, which must be text in UTF-8.
fn held(input: impl Read) -> Result<Bytes, OpenError> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(OpenError::Io)?;
    let refuse = |detail: String, hint: &str| {
        Err(FileProblem::new("malformed_body", detail).line(1).hint(hint).into())
    };
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let detail = format!("the file has more than {} MiB", FILE_BYTES_MAX >> 20);
        return refuse(detail, "send it in parts, or as CSV or NDJSON");
    }
    if bytes.trim_ascii().is_empty() {
        return refuse("the file is empty".to_owned(), "send the file as it was written");
    }
    if let Err(error) = simdutf8::compat::from_utf8(&bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        return refuse(format!("line {line}: the file is not UTF-8"), "save it as UTF-8");
    }
    Ok(bytes.into())
}

/// Walks through a file without keeping any of it; its outermost element.
fn look_over(bytes: &Bytes) -> Result<Opened, FileProblem> {
    let mut walk = Walk::new(bytes.clone());
    let mut root = None;
    loop {
        match walk.next()? {
            Step::Open(opened) => {
                root.get_or_insert(opened);
            }
            Step::Close(_) | Step::Text(_) => {}
            Step::End => {
                let none = || broken(1, "the file has no element: it is no XML");
                return root.ok_or_else(none);
            }
        }
    }
}

impl Iterator for XmlReader {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self {
            Self::Own(activities) => activities.row(),
            Self::GreenButton(readings) => readings.row(),
        };
        row.map_err(io::Error::other).transpose()
    }
}
