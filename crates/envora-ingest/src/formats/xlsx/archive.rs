//! The archive that a workbook is: held to its limits before anything of it is kept.
//!
//! Every part is unpacked once and thrown away, whatever the archive's directory says of its size. On the
//! way its elements are counted, and what the reader of workbooks does not tell is noted: which rows and
//! columns of a sheet are hidden.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read};

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{FileProblem, broken, too_much};

/// How many parts an archive may have.
const PARTS_MAX: usize = 10_000;
/// How many bytes a part may unpack to, and all together.
const PART_BYTES_MAX: u64 = 256 << 20;
const ALL_BYTES_MAX: u64 = 512 << 20;
/// How many texts the cells may share.
const SHARED_TEXTS_MAX: u64 = 2_000_000;
/// How many styles, fonts, fills, names, sheets and merged areas there may be of each workbook.
const OTHERS_MAX: u64 = 200_000;
/// How long an element's text or attributes may be.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// What is noted of a sheet's part.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Rows that are hidden, from 1: first and last.
    pub(super) hidden_rows: Vec<(u32, u32)>,
    /// Columns that are hidden, from 0.
    pub(super) hidden_columns: Vec<(u32, u32)>,
    /// How many areas of merged cells it has.
    pub(super) merges: u64,
    /// Whether it has formulas.
    pub(super) formulas: bool,
}

/// What is noted of a workbook.
#[derive(Debug, Default)]
pub(super) struct Facts {
    parts: BTreeMap<String, Part>,
    /// The sheets that a part lists: its folder, the sheet's name, and the relation it is known by.
    sheets: Vec<(String, String, String)>,
    /// Relations by folder and id, with their targets.
    relations: BTreeMap<(String, String), String>,
    unpacked: u64,
    shared_texts: u64,
    others: u64,
}

impl Facts {
    /// What is noted of the sheet of this name.
    pub(super) fn part_of(&self, sheet: &str) -> Option<&Part> {
        let (folder, _, relation) = self.sheets.iter().find(|(_, name, _)| name == sheet)?;
        let target = self.relations.get(&(folder.clone(), relation.clone()))?;
        let path = match target.strip_prefix('/') {
            Some(path) => path.to_owned(),
            None => format!("{folder}{target}"),
        };
        self.parts.get(&plain(&path))
    }
}

/// A part's path as it is compared.
fn plain(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let path = path.replace('\\', "/").to_ascii_lowercase();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            step => kept.push(step),
        }
    }
    kept.join("/")
}

/// Unpacks all parts, and notes what they say.
pub(super) fn inspect(bytes: &[u8]) -> Result<Facts, FileProblem> {
    // The directory is read whole, so that its entries are counted before.
    let entries = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(PARTS_MAX + 1).count();
    if entries > PARTS_MAX {
        return Err(too_much(format!("its archive has more than {PARTS_MAX} parts")));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut facts = Facts::default();
    let mut declared = 0_u64;
    for place in 0..archive.len() {
        let part = archive.by_index_raw(place).map_err(broken)?;
        declared = declared.saturating_add(part.size());
        if part.size() > PART_BYTES_MAX || declared > ALL_BYTES_MAX {
            return Err(too_large());
        }
    }
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(|error| match error {
            ZipError::UnsupportedArchive(why) if why == ZipError::PASSWORD_REQUIRED => {
                FileProblem::new("malformed_body", "the workbook is encrypted with a password")
                    .hint("save it without a password, and send that")
            }
            other => broken(other),
        })?;
        if part.is_dir() {
            continue;
        }
        let name = part.name().map_err(broken)?.into_owned();
        facts.read(&name, part)?;
    }
    Ok(facts)
}

fn too_large() -> FileProblem {
    too_much(format!(
        "it unpacks to more than {} MiB in one part, or {} MiB in all",
        PART_BYTES_MAX >> 20,
        ALL_BYTES_MAX >> 20
    ))
}

impl Facts {
    fn read(&mut self, name: &str, part: impl Read) -> Result<(), FileProblem> {
        let most = PART_BYTES_MAX.min(ALL_BYTES_MAX.saturating_sub(self.unpacked));
        let mut limited = part.take(most + 1);
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let read = self.elements(name, BufReader::new(&mut limited));
            // What is cut at the limit cannot be well-formed: the limit is what is wrong with it.
            if limited.limit() > 0 {
                read?;
            }
        }
        std::io::copy(&mut limited, &mut std::io::sink()).map_err(broken)?;
        if limited.limit() == 0 {
            return Err(too_large());
        }
        self.unpacked += most + 1 - limited.limit();
        Ok(())
    }

    fn elements(&mut self, name: &str, input: impl std::io::BufRead) -> Result<(), FileProblem> {
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.expand_empty_elements = true;
        let (mut part, mut row, mut is_sheet) = (Part::default(), 0, false);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = reader.read_event_into(&mut buffer).map_err(broken)?;
            if event.len() > TEXT_BYTES_MAX {
                return Err(too_much("one of its texts is longer than 4 MiB"));
            }
            match event {
                Event::Eof => break,
                Event::DocType(_) => return Err(broken("a part declares entities of its own")),
                Event::Start(element) => match element.local_name().as_ref() {
                    "c" | "v" | "t" | "is" | "r" => {}
                    "f" => part.formulas = true,
                    "sheetData" => is_sheet = true,
                    "row" if is_sheet => {
                        let own = attribute(&element, "r").and_then(|text| text.parse().ok());
                        row = own.unwrap_or(row + 1);
                        if is_hidden(&element) {
                            extend(&mut part.hidden_rows, (row, row));
                        }
                    }
                    "si" => self.shared_texts += 1,
                    other => self.other(name, (other, &element), &mut part),
                },
                _ => {}
            }
            if self.shared_texts > SHARED_TEXTS_MAX || self.others > OTHERS_MAX {
                return Err(too_much(
                    "it has more texts, styles, names or merged areas than any sheet shows",
                ));
            }
        }
        if is_sheet {
            self.parts.insert(plain(name), part);
        }
        Ok(())
    }

    fn other(&mut self, name: &str, (word, element): (&str, &BytesStart<'_>), part: &mut Part) {
        let counted = [
            "xf",
            "font",
            "fill",
            "border",
            "numFmt",
            "dxf",
            "definedName",
            "mergeCell",
            "col",
            "sheet",
            "Relationship",
        ];
        if !counted.contains(&word) {
            return;
        }
        self.others += 1;
        let number = |name| attribute(element, name).and_then(|text| text.parse::<u32>().ok());
        match word {
            "mergeCell" => part.merges += 1,
            "col" if is_hidden(element) => {
                if let (Some(first), Some(last)) = (number("min"), number("max"))
                    && first > 0
                {
                    extend(&mut part.hidden_columns, (first - 1, last.saturating_sub(1)));
                }
            }
            "sheet" => {
                if let (Some(sheet), Some(id)) =
                    (attribute(element, "name"), attribute(element, "id"))
                {
                    let folder =
                        name.rfind('/').and_then(|end| name.get(..=end)).unwrap_or_default();
                    self.sheets.push((folder.to_owned(), sheet, id));
                }
            }
            "Relationship" => {
                let folder = name
                    .strip_suffix(".rels")
                    .and_then(|name| name.rfind("_rels/").and_then(|end| name.get(..end)));
                if let (Some(folder), Some(id), Some(target)) =
                    (folder, attribute(element, "Id"), attribute(element, "Target"))
                {
                    self.relations.entry((folder.to_owned(), id)).or_insert(target);
                }
            }
            _ => {}
        }
    }
}

/// Adds a stretch to those before, where it goes on.
fn extend(all: &mut Vec<(u32, u32)>, (first, last): (u32, u32)) {
    match all.last_mut() {
        Some((_, before)) if before.checked_add(1) == Some(first) => *before = last,
        _ => all.push((first, last)),
    }
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "hidden").is_some_and(|text| text == "1" || text == "true")
}

/// An attribute's text, by its name without the prefix.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = element.attributes();
    let found =
        all.with_checks(false).flatten().find(|own| own.key.local_name().as_ref() == name)?;
    unescape(&found.value).ok().map(|text| text.into_owned())
}
