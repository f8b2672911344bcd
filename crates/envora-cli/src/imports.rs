//! Sending files: the mapping first, then the bytes, then what became of each row.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use envora_api::footprints::Warning;
use envora_api::imports::Import;
use envora_api::mappings::ImportMapping;
use envora_api::media;
use envora_api::writes::{Counts, Outcome, RowResult, SkipReason, SkippedRows};
use envora_domain::decimal::group_thousands;
use envora_domain::hash::Digest;
use envora_domain::id::{Id, ImportId};
use envora_ingest::formats::{self, Format, Opening, OriginHead};

use crate::client::{Body, Client, Effect};
use crate::failures::Failure;
use crate::inputs::Input;
use crate::parted::{self, WHOLE_BYTES_MAX};
use crate::progress::{Bars, Sending};
use crate::refusals::{Refusals, line_of};
use crate::tables::Table;
use crate::terminal::{Audience, Channel};

/// How many refused rows are shown one by one.
pub const ROWS_SHOWN: usize = 20;

/// How many files are sent at once: while one is being stored, the next is checked.
const AT_ONCE: usize = 2;

/// When a file is sent in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// When it is too large for one body.
    WhenDue,
    /// Whatever its size.
    Always,
}

/// A file on its way to the server.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its name, without folders.
    pub name: String,
    /// Its bytes; of a file that goes out in parts, none.
    pub bytes: Bytes,
    /// Where a file lies that goes out in parts.
    pub in_parts: Option<PathBuf>,
    /// The query: mapping, mode, scope, constants.
    pub query: Vec<(&'static str, String)>,
}

impl Outgoing {
    /// A file of the disk, or stdin. A file goes out in parts when it is too large for one body, or when
    /// that is wanted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(
        input: &Input,
        (query, cut): (Vec<(&'static str, String)>, Cut),
    ) -> Result<Self, Failure> {
        let name = input.name();
        let path = Path::new(&name);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        if let Input::File(path) = input {
            let length = input.open()?.1;
            if cut == Cut::Always || length > WHOLE_BYTES_MAX {
                return Ok(Self { name, bytes: Bytes::new(), in_parts: Some(path.clone()), query });
            }
        }
        Ok(Self { name, bytes: input.bytes()?, in_parts: None, query })
    }

    /// The key of a file with rows that no id protects: such a file has one effect as a whole, for as
    /// long as the server remembers keys. Other files need none of their own: sent again they tell
    /// what became of each row since.
    fn key(&self) -> Option<String> {
        let mapped = self.query.iter().any(|(name, _)| *name == "mapping");
        let format = match self.media_type() {
            media::JSON => Format::Json,
            media::NDJSON => Format::Ndjson,
            _ if mapped => return None,
            media::XLSX => Format::Xlsx,
            media::PARQUET => Format::Parquet,
            media::XML => Format::Xml,
            _ => Format::Csv,
        };
        let import: ImportId = Id::from_bytes([0; 16]);
        let head = OriginHead::File { import, file: Digest([0; 32]) };
        let sets = self.query.iter().filter(|(name, _)| *name == "set");
        let pair = |pair: &str| pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let set = sets.filter_map(|(_, text)| pair(text)).collect();
        let opening = Opening {
            head,
            mapping: None,
            set,
            local_times: Default::default(),
            clocks: Default::default(),
        };
        let mut rows = formats::open(format, Box::new(&*self.bytes), &opening).ok()?;
        let unnamed = |row: std::io::Result<envora_ingest::rows::ParsedRow>| {
            row.is_ok_and(|row| row.activity.is_ok_and(|row| row.external_id.is_none()))
        };
        if !rows.by_ref().any(unnamed) {
            return None;
        }
        let query = serde_json::to_vec(&self.query).ok()?;
        let kind = self.media_type().as_bytes();
        let parts = [b"envora-push/1\n".as_slice(), kind, b"\n", &query, b"\n", &self.bytes];
        Some(Digest::of_parts(&parts).hex())
    }

    pub(crate) fn media_type(&self) -> &'static str {
        let ending = Path::new(&self.name).extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => media::JSON,
            Some("ndjson" | "jsonl") => media::NDJSON,
            Some("xlsx" | "xlsm" | "xls") => media::XLSX,
            Some("parquet" | "parq" | "pqt") => media::PARQUET,
            Some("xml") => media::XML,
            _ => media::CSV,
        }
    }
}

/// Sends files, each with a progress bar on stderr for people, and gives their answers in the same order.
///
/// # Errors
/// The first problem of the server; with `mode=atomic`, the rows that are wrong.
pub async fn send(
    client: &Client,
    audience: Audience,
    files: &[Outgoing],
) -> Result<Vec<Import>, Failure> {
    let bars = Bars::new(audience);
    let mut answers = Vec::new();
    for some in files.chunks(AT_ONCE) {
        let sending = some.iter().map(|file| send_one(client, &bars, file));
        answers.extend(futures_util::future::try_join_all(sending).await?);
    }
    bars.clear();
    Ok(answers)
}

async fn send_one(client: &Client, bars: &Bars, file: &Outgoing) -> Result<Import, Failure> {
    if let Some(path) = &file.in_parts {
        let length = std::fs::metadata(path).map_or(0, |about| about.len());
        let sending = Sending::new(bars, &file.name, length);
        let answer = parted::send(client, &sending, (file, path)).await;
        sending.finish(ended(&answer));
        return answer;
    }
    let length = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
    let sending = Sending::new(bars, &file.name, length);
    let query: Vec<(&str, &str)> =
        file.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = || Body {
        media_type: file.media_type(),
        bytes: sending.body(&file.bytes),
        length,
        headers: vec![("content-disposition", disposition(&file.name))],
    };
    let answer = client.send("/imports", &query, file.key(), body).await;
    let answer: Result<Import, Failure> = answer.map(|(import, effect)| told(import, effect));
    sending.finish(ended(&answer));
    answer
}

/// What became of a file, in a word or two.
fn ended(answer: &Result<Import, Failure>) -> String {
    match answer {
        Ok(import) => counts_text(&import.counts),
        Err(_) => "refused".to_owned(),
    }
}

/// What became of a file; of one that was there before, that it was.
pub(crate) fn told(mut import: Import, effect: Effect) -> Import {
    if effect == Effect::Before {
        import.warnings.push(Warning {
            code: "sent_before".to_owned(),
            detail: format!(
                "this very file was sent at {}, within a day, and has rows without external_id: nothing was stored again, and this is what became of it then",
                import.created_at
            ),
            activities: rows_of(&import),
        });
    }
    import
}

/// `attachment` with the file's name, in the two spellings of RFC 6266.
pub(crate) fn disposition(name: &str) -> String {
    use core::fmt::Write as _;
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_graphic() && !"\"\\%".contains(letter) { letter } else { '_' }
            },
        )
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ok = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// Where mapping files are explained.
pub const MAPPING_HELP: &str = "docs/how-to/write-a-mapping.md lists every key of a mapping";

/// The name of a mapping; a TOML file is saved at the server first, and its very version is named.
/// Says so when that makes another version the newest one.
///
/// # Errors
/// When the file is no mapping, or the server refuses it.
pub async fn mapping_name(
    client: &Client,
    mapping: &str,
    words: &mut Channel,
) -> Result<String, Failure> {
    if !mapping.ends_with(".toml") {
        return Ok(mapping.to_owned());
    }
    let path = PathBuf::from(mapping);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {mapping}"))?;
    let saved = save_mapping(client, mapping, &text).await?;
    if saved.replaces().is_some() {
        words.line(saved.text());
    }
    Ok(saved.pinned())
}

/// A mapping just saved, and the version that was the newest before.
pub struct SavedMapping {
    /// The newest now.
    pub now: ImportMapping,
    before: Option<ImportMapping>,
}

impl SavedMapping {
    /// Its name with its version: whoever saves another one meanwhile does not change what a file is
    /// read by.
    #[must_use]
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.now.name, self.now.version)
    }

    /// The version that was the newest before, where that was another one.
    #[must_use]
    pub fn replaces(&self) -> Option<&str> {
        let before = self.before.as_ref()?;
        (before.version != self.now.version).then_some(before.version.as_str())
    }

    /// What saving it meant.
    #[must_use]
    pub fn text(&self) -> String {
        let name = &self.now.name;
        match (self.replaces(), &self.before) {
            (Some(before), _) => format!(
                "{name}: this version is the newest from now on, also if it was saved before; {name}@{before} names the one it replaces"
            ),
            (None, Some(_)) => format!("{name}: this is the newest version already"),
            (None, None) => format!("{name}: saved, its first version"),
        }
    }
}

/// Saves a mapping.
///
/// # Errors
/// When the text is no TOML, or the server refuses it.
pub async fn save_mapping(
    client: &Client,
    place: &str,
    text: &str,
) -> Result<SavedMapping, Failure> {
    let tree: toml::Table = toml::from_str(text).map_err(|error| {
        Failure::usage(format!("{place} is no TOML: {}", error.message()), MAPPING_HELP)
    })?;
    let name = tree.get("mapping").and_then(toml::Value::as_str).map(str::to_owned);
    let name = name.ok_or_else(|| {
        Failure::usage(format!("{place} has no name"), "its first line should be: mapping = \"…\"")
    })?;
    let all: Vec<ImportMapping> = client.all("/import-mappings", &[("state", "any")]).await?;
    let before = all.into_iter().find(|mapping| mapping.name == name);
    let now: ImportMapping = client.post("/import-mappings", &tree).await?;
    Ok(SavedMapping { now, before })
}

/// The outcome of each file, with the beginning of its SHA-256.
#[must_use]
pub fn outcomes(imports: &[Import]) -> Table {
    let headers = ["file", ">accepted", ">duplicate", ">quarantined", ">rejected", "SHA-256"];
    let mut table = Table::new(&headers);
    for import in imports {
        let counts = &import.counts;
        let numbers = [counts.accepted, counts.duplicate, counts.quarantined, counts.rejected];
        let cells = numbers.map(|rows| group_thousands(&rows.to_string()));
        let sha256 = import.sha256.get(..16).unwrap_or_default();
        let cells = core::iter::once(import.file_name.clone()).chain(cells);
        table.row(cells.chain([format!("{sha256}…")]));
    }
    table
}

/// How many rows a file had.
#[must_use]
pub fn rows_of(import: &Import) -> u64 {
    let counts = &import.counts;
    counts.accepted + counts.duplicate + counts.quarantined + counts.rejected + counts.skipped
}

/// Prints refused rows in two lines each: line, cell, code, what is wrong; below it what to do.
pub fn print_refused_briefly(results: &[RowResult], to: &mut Channel) {
    let paint = to.paint;
    for row in results {
        let Some(error) = row.errors.first() else { continue };
        let line = error.row.map_or(row.row, |place| place.line);
        let cell: String = error.value.as_deref().unwrap_or("").chars().take(24).collect();
        let code = match row.status {
            Outcome::Rejected => paint.bad(&format!("{:<22}", error.code)),
            Outcome::Accepted | Outcome::Duplicate | Outcome::Quarantined => {
                paint.odd(&format!("{:<22}", error.code))
            }
        };
        to.line(format!("  line {line:>3}  {cell:<24}  {code} {}", error.detail));
        if let Some(hint) = &error.hint {
            to.line(format!("  {:>8}  {:<24}  {}", "", "", paint.faint(&format!("→ {hint}"))));
        }
    }
}

/// Rows by outcome, in words.
#[must_use]
pub fn counts_text(counts: &Counts) -> String {
    let all = [
        ("accepted", counts.accepted),
        ("duplicate", counts.duplicate),
        ("quarantined", counts.quarantined),
        ("rejected", counts.rejected),
        ("skipped", counts.skipped),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(outcome, rows)| format!("{} {outcome}", group_thousands(&rows.to_string())))
        .collect();
    if some.is_empty() { "no rows".to_owned() } else { some.join(", ") }
}

/// Prints the rows that were rejected or quarantined, like ones together, and how to go on.
pub fn print_refused(file: &Outgoing, import: &Import, to: &mut Channel) {
    let open = |row: &&RowResult| matches!(row.status, Outcome::Rejected | Outcome::Quarantined);
    let mut refusals = Refusals::default();
    for row in import.results.iter().filter(open) {
        for error in &row.errors {
            let line = error.row.map_or(0, |place| place.line);
            // A row of a workbook or of columns is no line of its bytes: the cell says what it is about.
            let is_text = ![media::XLSX, media::PARQUET].contains(&file.media_type());
            refusals.add(error, || is_text.then(|| line_of(&file.bytes, line)).flatten());
        }
    }
    let listed = import.results.iter().filter(open).count();
    let listed = u64::try_from(listed).unwrap_or(u64::MAX);
    let all = import.counts.rejected + import.counts.quarantined;
    let more = all.saturating_sub(listed);
    refusals.print_first((more > 0).then_some(listed), &file.name, to);
    if more > 0 {
        let [more, all] = [more, all].map(|rows| group_thousands(&rows.to_string()));
        to.error(format!(
            "  … and {more} more rows, {all} in all: envora data errors {}\n",
            import.id
        ));
    }
    if import.counts.rejected > 0 {
        to.help(format!(
            "envora data errors {} --fix FILE writes the refused rows to a file to mend and push",
            import.id
        ));
    }
}

/// Prints which rows of a file are no activities, and why; of a file, its name and how many there are.
pub fn print_skipped((name, all): (&str, u64), skipped: &[SkippedRows], to: &mut Channel) {
    for group in skipped {
        let why = match group.reason {
            SkipReason::SkipIf => "left out by skip_if",
            SkipReason::NotTaken => "taken by no `when`",
            SkipReason::BlankInterval => "intervals without a reading, the first",
        };
        let near = group.did_you_mean.as_ref();
        let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let (cells, rows) = (group.cells_text(), group.rows_text());
        to.line(format!("{name}: {why}: {cells}: {rows}{near}"));
    }
    let told: u64 = skipped.iter().map(|group| group.rows).sum();
    if all > told && told > 0 {
        let more = group_thousands(&(all - told).to_string());
        to.line(format!("{name}: … and {more} more rows are left out, or taken by no `when`"));
    }
}

/// Prints what is odd about a file.
pub fn print_warning(name: &str, warning: &Warning, to: &mut Channel) {
    let code = to.paint.odd(&format!("warning: {}", warning.code));
    to.line(format!("{code}: {name}: {}", warning.detail));
}

#[cfg(test)]
mod tests {
    use envora_api::writes::Counts;

    use super::{counts_text, disposition};

    #[test]
    fn file_names_go_out_in_both_spellings() {
        assert_eq!(
            disposition("zähler \"1\".csv"),
            "attachment; filename=\"z_hler__1_.csv\"; filename*=UTF-8''z%C3%A4hler%20%221%22.csv"
        );
    }

    #[test]
    fn only_outcomes_that_occur_are_named() {
        let counts = Counts { accepted: 8760, rejected: 2, ..Counts::default() };
        assert_eq!(counts_text(&counts), "8,760 accepted, 2 rejected");
        assert_eq!(counts_text(&Counts::default()), "no rows");
    }
}
