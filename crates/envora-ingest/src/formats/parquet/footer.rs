//! The footer of a Parquet file: found, looked over, decoded. Every count in it is held against what the
//! file can hold before anything is allocated for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::super::FileProblem;
use super::compact::Compact;
use super::{broken, too_much};

/// The largest footer that is read.
const FOOTER_BYTES_MAX: usize = 8 << 20;
/// How many columns and groups of columns a file may have.
const ELEMENTS_MAX: usize = 4_096;
/// How many columns of one group hold others, at most, inside of each other.
const NESTED_MAX: usize = 16;
/// How many row groups a file may have: its own numbering allows no more.
const GROUPS_MAX: usize = 32_767;
/// How many rows are read of one file.
pub(super) const ROWS_MAX: u64 = 20_000_000;

const MARK: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";

/// The footer of a file.
///
/// # Errors
/// A sentence about the file, with a remedy.
pub(super) fn read(bytes: &[u8]) -> Result<ParquetMetaData, FileProblem> {
    let footer = find(bytes)?;
    look_over(footer)?;
    let decoded = catch_unwind(AssertUnwindSafe(|| ParquetMetaDataReader::decode_metadata(footer)));
    let metadata = match decoded {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(error)) => return Err(broken(format!("its footer is damaged: {error}"))),
        Err(_) => return Err(broken("its footer is damaged")),
    };
    count(&metadata)?;
    Ok(metadata)
}

fn find(bytes: &[u8]) -> Result<&[u8], FileProblem> {
    let refuse = |detail: &str, hint: &str| {
        Err(FileProblem::new("malformed_body", detail.to_owned()).hint(hint))
    };
    if bytes.is_empty() {
        return refuse("the file is empty", "send the file as it was written");
    }
    if bytes.starts_with(ENCRYPTED) || bytes.ends_with(ENCRYPTED) {
        return refuse("the file is encrypted", "write it without encryption, and send that");
    }
    if !bytes.starts_with(MARK) {
        return refuse(
            "the file is no Parquet file: it does not begin with PAR1",
            "if it is a table of text, name it .csv, or send it as text/csv",
        );
    }
    let end = bytes.strip_suffix(MARK).filter(|rest| rest.len() >= 8);
    let Some((rest, length)) = end.and_then(|rest| rest.split_last_chunk::<4>()) else {
        return refuse(
            "the Parquet file is cut: it does not end with PAR1",
            "send it again as a whole; the writer may not have closed it",
        );
    };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > FOOTER_BYTES_MAX {
        let what = format!("its footer is said to have {length} bytes, at most {FOOTER_BYTES_MAX}");
        return Err(too_much(what));
    }
    let start = rest.len().checked_sub(length).filter(|start| *start >= MARK.len());
    let footer = start.and_then(|start| rest.get(start..));
    footer.ok_or_else(|| broken(format!("its footer of {length} bytes would begin before it")))
}

/// Walks through the footer without keeping any of it.
fn look_over(footer: &[u8]) -> Result<(), FileProblem> {
    let damaged = || broken("its footer is damaged");
    let mut walk = Compact::new(footer);
    let mut last = 0;
    while let Some(entry) = walk.field(&mut last).ok_or_else(damaged)? {
        match entry.id {
            2 if entry.is_list() => schema(&mut walk)?,
            4 if entry.is_list() => {
                let (groups, kind) = walk.list().ok_or_else(damaged)?;
                if groups > GROUPS_MAX {
                    return Err(too_much(format!("it is said to have {groups} row groups")));
                }
                for _ in 0..groups {
                    walk.skip(kind).ok_or_else(damaged)?;
                }
            }
            _ => walk.skip(entry.kind).ok_or_else(damaged)?,
        }
    }
    Ok(())
}

/// The tree of columns, written depth first: each says how many stand in it.
fn schema(walk: &mut Compact<'_>) -> Result<(), FileProblem> {
    let damaged = || broken("its list of columns is damaged");
    let (elements, _) = walk.list().ok_or_else(damaged)?;
    if elements > ELEMENTS_MAX {
        return Err(too_much(format!("it is said to have {elements} columns")));
    }
    let mut open: Vec<i64> = Vec::new();
    for _ in 0..elements {
        let (mut last, mut children) = (0, 0);
        while let Some(entry) = walk.field(&mut last).ok_or_else(damaged)? {
            if entry.id == 5 && entry.truth().is_none() && !entry.is_struct() {
                children = walk.signed().ok_or_else(damaged)?;
            } else {
                walk.skip(entry.kind).ok_or_else(damaged)?;
            }
        }
        if children > 0 {
            open.push(children);
            if open.len() > NESTED_MAX {
                let what = format!("its columns lie more than {NESTED_MAX} deep in each other");
                return Err(too_much(what));
            }
            continue;
        }
        while let Some(left) = open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            open.pop();
        }
    }
    Ok(())
}

/// Holds the rows that the file claims against what is read, and against each other.
fn count(metadata: &ParquetMetaData) -> Result<(), FileProblem> {
    let claimed = metadata.file_metadata().num_rows();
    let rows = u64::try_from(claimed).map_err(|_| broken("it claims fewer than no rows"))?;
    if rows > ROWS_MAX {
        let what = format!("it claims to have {rows} rows, at most {ROWS_MAX} are read of a file");
        return Err(too_much(what));
    }
    let mut all = 0_u64;
    for group in metadata.row_groups() {
        let own = u64::try_from(group.num_rows()).ok();
        let sum = own.and_then(|own| all.checked_add(own));
        all = sum.ok_or_else(|| broken("a row group claims fewer than no rows"))?;
    }
    if all == rows {
        Ok(())
    } else {
        Err(broken(format!("it claims {rows} rows, and its row groups have {all}")))
    }
}
