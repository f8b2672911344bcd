//! Tables as organizations send them, read through a mapping.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_ingest::formats::{Format, OpenError, Opening, OriginHead, Reader, open};
use envora_ingest::mapping::Mapping;
use envora_ingest::rows::ParsedRow;

/// A reader of a table through a mapping; without one where `mapping` is empty.
pub(crate) fn reader(
    format: Format,
    bytes: &[u8],
    mapping: &str,
) -> Result<Reader<'static>, OpenError> {
    let mapping = (!mapping.is_empty())
        .then(|| Mapping::from_toml(mapping).unwrap_or_else(|error| panic!("{error}")));
    let head = OriginHead::File { import: ImportId::from_bytes([1; 16]), file: Digest([2; 32]) };
    let opening = Opening {
        head,
        mapping: mapping.map(Arc::new),
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    open(format, Box::new(Cursor::new(bytes.to_vec())), &opening)
}

/// The activities among the rows.
pub(crate) fn good(rows: &[ParsedRow]) -> Vec<&Activity> {
    rows.iter().filter_map(|row| row.activity.as_ref().ok()).collect()
}

/// The folder of real files beside the repository, or `None`, and said so, where it is not.
pub(crate) fn real_files() -> Option<PathBuf> {
    let folder = PathBuf::from("../../../shared/data/real");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED real files: ../shared/data is absent");
    None
}

/// A real file, or `None`, and said so, where there are none.
pub(crate) fn real(name: &str) -> Option<Vec<u8>> {
    real_files().map(|folder| std::fs::read(folder.join(name)).unwrap())
}
