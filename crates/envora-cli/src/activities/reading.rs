//! Files of the disk, read here as the server would read them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use envora_api::mappings::ImportMapping;
use envora_domain::hash::Digest;
use envora_domain::id::{Id, ImportId};
use envora_ingest::clocks::Clocks;
use envora_ingest::formats::xlsx::{self, Sheet, Wanted};
use envora_ingest::formats::{self, Format, OpenError, Opening, OriginHead, Reader, parquet};
use envora_ingest::mapping::Mapping;

use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::imports::MAPPING_HELP;
use crate::inputs::Input;
use crate::session::Session;

/// The largest JSON body that is read: it is one object, and held whole.
const JSON_BYTES_MAX: u64 = 64 << 20;

/// How files are read: through which mapping, with which constants.
pub(crate) struct Reading {
    mapping: Option<Arc<Mapping>>,
    set: BTreeMap<String, String>,
    clocks: Clocks,
}

impl Reading {
    /// Through this mapping, with constants such as `facility_code=b24`.
    ///
    /// # Errors
    /// A constant without `=`.
    pub(crate) fn new(mapping: Option<Mapping>, pairs: &[String]) -> Result<Self, Failure> {
        let pair = |pair: &String| match pair.split_once('=') {
            Some((field, value)) => Ok((field.to_owned(), value.to_owned())),
            None => Err(Failure::usage(
                format!("--set {pair:?} sets nothing"),
                "write it as --set facility_code=b24",
            )),
        };
        let set = pairs.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Self { mapping: mapping.map(Arc::new), set, clocks: Clocks::Unknown })
    }

    /// Times without an offset are those of these clocks.
    pub(super) fn by(self, clocks: Clocks) -> Self {
        Self { clocks, ..self }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read, or does not fit the mapping.
    pub(crate) fn open(&self, input: &Input) -> Result<Reader<'static>, Failure> {
        let name = input.name();
        let format = input.format().ok_or_else(|| {
            Failure::usage(
                format!("{name} has no ending that says what it is"),
                "name it .csv, .xlsx, .parquet, .xml, .json or .ndjson",
            )
        })?;
        let (bytes, length) = input.open()?;
        if format == Format::Json && length > JSON_BYTES_MAX {
            return Err(Failure::usage(
                format!("{name} is one JSON object above {} MiB", JSON_BYTES_MAX >> 20),
                "write its rows as NDJSON, one activity in each line",
            ));
        }
        let import: ImportId = Id::from_bytes([0; 16]);
        // Nothing is stored, therefore no row needs to know which file it came from.
        let head = OriginHead::File { import, file: Digest([0; 32]) };
        let mapping = self.mapping.clone().filter(|_| format.is_table());
        let opening = Opening {
            head,
            mapping,
            set: self.set.clone(),
            local_times: Default::default(),
            clocks: self.clocks.clone(),
        };
        formats::open(format, bytes, &opening).map_err(|error| refused(&name, error))
    }

    /// How rows of a file that are no lines of it are shown: those of a workbook, and these ones of columns.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub(crate) fn shown(&self, input: &Input, rows: &BTreeSet<u64>) -> Result<Shown, Failure> {
        match input.format() {
            Some(Format::Xlsx) => Ok(Shown::Sheet(Box::new(self.sheet(input)?))),
            Some(Format::Parquet) => {
                let (bytes, _) = input.open()?;
                let found = parquet::rows(bytes, rows);
                found.map(Shown::Rows).map_err(|error| refused(&input.name(), error))
            }
            _ => Ok(Shown::Lines),
        }
    }

    fn sheet(&self, input: &Input) -> Result<Sheet, Failure> {
        let file = self.mapping.as_ref().map(|mapping| &mapping.file);
        let sheet = file.and_then(|file| file.sheet.as_deref());
        let (bytes, _) = input.open()?;
        let sheet = xlsx::read(bytes, Wanted { sheet, skip_rows: 0 });
        sheet.map_err(|error| refused(&input.name(), error))
    }
}

/// What shows the rows of a file as they stand there.
pub(crate) enum Shown {
    /// Its own bytes.
    Lines,
    /// A sheet.
    Sheet(Box<Sheet>),
    /// Rows that have no lines, by their numbers.
    Rows(BTreeMap<u64, String>),
}

/// Whether a mapping is named by its file.
pub(crate) fn is_file(named: &str) -> bool {
    named.ends_with(".toml") || Path::new(named).is_file()
}

/// The mapping that a command names, if it names one; a server is asked where it is none of a file's.
///
/// # Errors
/// As [`mapping`].
pub(crate) async fn said_mapping(
    named: Option<&str>,
    session: &mut Session,
) -> Result<Option<Mapping>, Failure> {
    let Some(named) = named else { return Ok(None) };
    let asks = !is_file(named) && session.target().is_some();
    let client = asks.then(|| session.client()).transpose()?;
    mapping(named, client.as_ref()).await.map(Some)
}

/// A mapping: a TOML file, or the name of a saved one.
///
/// # Errors
/// A file that is no mapping; a saved one that cannot be asked for, or is not there.
pub(crate) async fn mapping(named: &str, client: Option<&Client>) -> Result<Mapping, Failure> {
    if is_file(named) {
        let text = std::fs::read_to_string(named).with_context(|| format!("read {named}"))?;
        return Mapping::from_toml(&text)
            .map_err(|error| Failure::usage(format!("{named}: {error}"), MAPPING_HELP));
    }
    let Some(client) = client else {
        return Err(Failure::known(
            (Exit::Partial, "server_needed"),
            format!("the mapping {named} is saved at the server, which is not asked"),
            "give its TOML file, or name the server with --server",
        ));
    };
    let saved: ImportMapping = client.get(&format!("/import-mappings/{named}"), &[]).await?;
    let mapping = Mapping::from_json(&saved.tree);
    Ok(mapping.with_context(|| format!("understand the saved mapping {named}"))?)
}

fn refused(name: &str, error: OpenError) -> Failure {
    match error {
        OpenError::File(problems) => {
            let what: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let mut hints: Vec<String> = Vec::new();
            for problem in problems {
                if !problem.hint.is_empty() && !hints.contains(&problem.hint) {
                    hints.push(problem.hint);
                }
            }
            Failure::known(
                (Exit::Error, "malformed_body"),
                format!("{name}: {}", what.join("; ")),
                hints.join("; "),
            )
        }
        OpenError::Io(error) => {
            Failure::Unexpected(anyhow::Error::from(error).context(format!("read {name}")))
        }
    }
}
