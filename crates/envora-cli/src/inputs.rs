//! What is read: files that are named on the command line, and stdin, which is named `-`.

use std::fs::File;
use std::io::{Cursor, IsTerminal as _, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use envora_ingest::formats::Format;

use crate::arguments::InputFormat;
use crate::failures::Failure;

/// The most that is read from stdin, as of a file that is sent.
const STDIN_BYTES_MAX: u64 = 64 << 20;

/// One thing to read, as often as is wanted.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file of the disk.
    File(PathBuf),
    /// What came on stdin, under a name that says its format.
    Stdin {
        /// `stdin.csv` and so on.
        name: String,
        /// All of it.
        bytes: Bytes,
    },
}

/// How stdin is told what it holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Telling<'a> {
    /// `--format`.
    pub format: Option<InputFormat>,
    /// `--mapping`, through which only tables are read.
    pub mapping: Option<&'a str>,
}

impl Input {
    /// What these names stand for; stdin is read here.
    ///
    /// # Errors
    /// Stdin that is named twice, is nobody's, or holds more than is taken.
    pub fn all(names: &[PathBuf], telling: Telling<'_>) -> Result<Vec<Self>, Failure> {
        if names.iter().filter(|name| is_stdin(name)).count() > 1 {
            return Err(Failure::usage("stdin is named twice", "name `-` once"));
        }
        names.iter().map(|name| Self::of(name, telling)).collect()
    }

    /// What this name stands for.
    ///
    /// # Errors
    /// As [`Input::all`].
    pub fn of(name: &Path, telling: Telling<'_>) -> Result<Self, Failure> {
        if !is_stdin(name) {
            return Ok(Self::File(name.to_owned()));
        }
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            let hint = "pipe it in: cat january.csv | envora data check - --mapping meters.toml";
            return Err(Failure::usage("`-` is stdin, and nothing is piped into it", hint));
        }
        let mut bytes = Vec::new();
        let mut limited = stdin.lock().take(STDIN_BYTES_MAX + 1);
        limited.read_to_end(&mut bytes).context("read stdin")?;
        if bytes.len() as u64 > STDIN_BYTES_MAX {
            let what = format!("stdin has more than {} MiB", STDIN_BYTES_MAX >> 20);
            return Err(Failure::usage(what, "send it in parts, or write it to files"));
        }
        let format = match (telling.format, telling.mapping) {
            (Some(format), _) => format,
            (None, _) if is_workbook(&bytes) => InputFormat::Xlsx,
            (None, _) if bytes.starts_with(b"PAR1") => InputFormat::Parquet,
            (None, _) if is_xml(&bytes) => InputFormat::Xml,
            (None, Some(_)) => InputFormat::Csv,
            (None, None) => sniffed(&bytes),
        };
        let name = format!("stdin.{}", format.as_str());
        Ok(Self::Stdin { name, bytes: bytes.into() })
    }

    /// What it is called in words.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin { name, .. } => name.clone(),
        }
    }

    /// Its format, where its name says one.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        Format::of_name(&self.name())
    }

    /// Opens it, and says how many bytes it has.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(&self) -> anyhow::Result<(Box<dyn Read + Send>, u64)> {
        match self {
            Self::File(path) => {
                let name = || format!("read {}", path.display());
                let file = File::open(path).with_context(name)?;
                let length = file.metadata().with_context(name)?.len();
                Ok((Box::new(file), length))
            }
            Self::Stdin { bytes, .. } => {
                let length = bytes.len() as u64;
                Ok((Box::new(Cursor::new(bytes.clone())), length))
            }
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// The disk's.
    pub fn bytes(&self) -> anyhow::Result<Bytes> {
        match self {
            Self::File(path) => {
                let bytes = std::fs::read(path);
                Ok(bytes.with_context(|| format!("read {}", path.display()))?.into())
            }
            Self::Stdin { bytes, .. } => Ok(bytes.clone()),
        }
    }

    /// A part of it: at most `length` bytes from `offset`.
    ///
    /// # Errors
    /// The disk's.
    pub fn part(&self, offset: u64, length: u64) -> anyhow::Result<Vec<u8>> {
        let mut part = Vec::new();
        match self {
            Self::File(path) => {
                let mut read = || {
                    let mut file = File::open(path)?;
                    file.seek(SeekFrom::Start(offset))?;
                    file.take(length).read_to_end(&mut part)
                };
                read().with_context(|| format!("read {} again", path.display()))?;
            }
            Self::Stdin { bytes, .. } => {
                let mut rest = Cursor::new(bytes);
                rest.set_position(offset);
                rest.take(length).read_to_end(&mut part)?;
            }
        }
        Ok(part)
    }
}

fn is_stdin(name: &Path) -> bool {
    name.as_os_str() == "-"
}

/// Whether it begins as workbooks do, those of the old kind too.
fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Whether it begins as XML does, which no other format here may.
fn is_xml(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    text.starts_with(b"<")
}

/// The format of what begins so: JSON is one object with `activities`, or one activity in each line.
fn sniffed(bytes: &[u8]) -> InputFormat {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return InputFormat::Csv;
    }
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    let whole: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_slice(first).ok();
    let is_body = first.windows(12).any(|part| part == b"\"activities\"");
    let another = lines.next().is_some_and(|second| second.starts_with(b"{"));
    if !is_body && (whole.is_some() || another) { InputFormat::Ndjson } else { InputFormat::Json }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_first_bytes() {
        for (text, format) in [
            ("time,load\n", InputFormat::Csv),
            ("", InputFormat::Csv),
            ("\u{feff}time;load\n", InputFormat::Csv),
            ("{\"type\": \"a\"}", InputFormat::Ndjson),
            ("\u{feff} {\"type\": \"a\"}\n{\"type\": \"b\"}\n", InputFormat::Ndjson),
            ("{\"type\": \n{\"type\": \"b\"}\n", InputFormat::Ndjson),
            ("{\"activities\": []}", InputFormat::Json),
            ("{\"mode\": \"atomic\", \"activities\": [\n{\"type\": 1}]}", InputFormat::Json),
            ("{\n  \"activities\": []\n}", InputFormat::Json),
            ("[1]", InputFormat::Json),
        ] {
            assert_eq!(sniffed(text.as_bytes()), format, "{text:?}");
        }
    }
}
