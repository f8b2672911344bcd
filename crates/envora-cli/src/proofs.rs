//! Proofs, checked here: nothing the server says about itself is taken on trust.
//!
//! From a trace line: the canonical row is in its run of 256 rows, the run in the segment, the
//! segment in the log, the log's head signed; the row says what the trace says it said, and what of
//! each line falls into the period is split from it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_api::audit::Checkpoint;
use envora_api::traces::{Trace, TraceLine, TracedOrigin};
use envora_domain::activities::{Activity, Origin};
use envora_domain::cells::DayShares;
use envora_domain::decimal::Mass;
use envora_domain::hash::{Digest, leaf_hash};
use envora_domain::time::{Day, Zone};
use envora_ingest::formats::csv;
use envora_ingest::formats::xlsx::{self, Wanted};
use envora_ingest::formats::{Format, parquet};
use envora_ingest::trace::as_sent;
use envora_ledger::leaf::Deed;
use envora_ledger::note::VerifierKey;
use envora_ledger::slice::{self, SegmentRow, SliceProof};
use envora_ledger::verify::{EntryProof, Verified, verify_entry};

use crate::failures::Failure;

/// What to do when a proof does not hold.
const REMEDY: &str = "do not use this figure: keep the answer (--json) and the source file, and ask who runs the server";

/// What the checks of one line have shown.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The row, decoded from the bytes that the log vouches for.
    pub activity: Activity,
    /// The hash of the run of rows that holds it.
    pub run_hash: Digest,
    /// The hash of the log's entry.
    pub leaf_hash: Digest,
    /// The entry and the checkpoint that vouches for it.
    pub verified: Verified,
    /// The key that signed, in short.
    pub key_id: String,
}

/// The key of a log, as text.
///
/// # Errors
/// When it is none.
pub fn key(vkey: &str) -> Result<VerifierKey, Failure> {
    VerifierKey::parse(vkey.trim())
        .ok_or_else(|| refused("the log's key is not of the form name+id+key"))
}

/// Checks the lines of one row and slot: the first from the row to the signature, all of them against
/// the row, and what of each falls into the period.
///
/// # Errors
/// The first step that does not hold; a row without a line.
pub fn check_row(
    lines: &[TraceLine],
    period: Option<(Day, Day)>,
    key: &VerifierKey,
) -> Result<Proven, Failure> {
    let first = lines.first().ok_or_else(|| refused("the row has no line"))?;
    let proven = check_line(first, key)?;
    for line in lines {
        said_the_same(line, &proven.activity)?;
        check_share(line, &proven.activity, period)?;
    }
    Ok(proven)
}

/// Splits a line anew over the days of its row, and holds what falls into the period against what the
/// trace says of it. The zone is the trace's own: of a row that names none, it is its facility's.
fn check_share(
    line: &TraceLine,
    row: &Activity,
    period: Option<(Day, Day)>,
) -> Result<(), Failure> {
    let zone = Zone::named(&line.time_zone).map_err(refused)?;
    let own = row.time_zone.as_deref().map(Zone::named).transpose().map_err(refused)?;
    if own.is_some_and(|own| own != zone) {
        return Err(refused("the row under proof is of another time zone"));
    }
    let shares = DayShares::of(&row.period, row.local, &zone);
    let part = |kg: &str| {
        let whole = Mass::parse_kg(kg).map_err(refused)?;
        let within = |days| Mass::from_units(shares.within(whole.units(), days));
        Ok::<_, Failure>(period.map_or(whole, within).kg())
    };
    let days = shares.days().len();
    let within = period.map_or(days, |period| shares.count_within(period));
    let same = usize::try_from(line.days) == Ok(days)
        && usize::try_from(line.days_in_period) == Ok(within)
        && line.kg_in_period == part(&line.kg)?
        && line.co2e_in_period == line.co2e.as_deref().map(part).transpose()?;
    if same {
        Ok(())
    } else {
        Err(refused("split over its days again, the line's part is another"))
    }
}

/// Whether the lines of a figure, all of them, add up to it; nothing where they are not all here, or
/// the figure is no mass.
///
/// # Errors
/// When they do not, or hold something that is no mass.
pub fn check_sum(trace: &Trace) -> Result<Option<usize>, Failure> {
    let is_mass = matches!(trace.query.measure.as_str(), "co2e" | "mass");
    if trace.lines.next_cursor.is_some() || !is_mass {
        return Ok(None);
    }
    let mut sum = Mass::ZERO;
    for line in &trace.lines.data {
        let part = match trace.query.measure.as_str() {
            "co2e" => line.co2e_in_period.as_deref(),
            _ => Some(line.kg_in_period.as_str()),
        };
        let part = part.map(Mass::parse_kg).transpose().map_err(refused)?.unwrap_or_default();
        sum = sum.checked_add(part).ok_or_else(|| refused("the lines add up to too much"))?;
    }
    if sum.kg() == trace.figure.value {
        return Ok(Some(trace.lines.data.len()));
    }
    let what = format!("the lines add up to {} kg, the figure is {}", sum.kg(), trace.figure.value);
    Err(Failure::verification(what, REMEDY))
}

/// Checks a line of a trace from the row to the signature.
fn check_line(line: &TraceLine, key: &VerifierKey) -> Result<Proven, Failure> {
    let entry = bytes(&line.leaf.entry)?;
    let proof = EntryProof {
        leaf: entry.clone(),
        path: digests(&line.leaf.proof)?,
        checkpoint: line.leaf.checkpoint.clone(),
    };
    let verified = verify_entry(&proof, core::slice::from_ref(key)).map_err(refused)?;
    let root = verified.leaf.digest.ok_or_else(|| refused("the log's entry names no rows"))?;
    let named = verified.leaf.deed == Deed::Segment
        && verified.leaf.seq == line.leaf.index
        && verified.leaf.object == Some(line.segment.id.bytes());
    if !named || root.hex() != line.segment.root {
        return Err(refused("the log's entry is about another segment"));
    }
    let rows = bytes(&line.segment.slice.leaf)?;
    let run_hash = leaf_hash(&rows);
    let slice = SliceProof {
        run: line.segment.slice.index,
        runs: line.segment.slice.size,
        path: digests(&line.segment.slice.proof)?,
        rows,
    };
    let asked = SegmentRow { row: line.segment.row, count: verified.leaf.count.unwrap_or(0), root };
    let row = slice::verify_slice(&asked, &slice).map_err(refused)?;
    let (activity, _) = Activity::decode(row).map_err(refused)?;
    let key_id = envora_domain::hash::hex(&key.id());
    Ok(Proven { activity, run_hash, leaf_hash: leaf_hash(&entry), verified, key_id })
}

/// Whether the row under proof says what the trace printed.
fn said_the_same(line: &TraceLine, row: &Activity) -> Result<(), Failure> {
    if as_sent(row) != line.as_sent {
        return Err(refused("the row under proof is another one than the trace shows"));
    }
    match &row.origin {
        Origin::File { file, line: physical, offset, length, .. } => {
            let end = offset + u64::from(*length);
            let here = line.origin.sha256.as_deref() == Some(file.hex().as_str())
                && line.origin.line == *physical
                && line.origin.byte_range == [*offset, end];
            if here { Ok(()) } else { Err(refused("the row under proof came from another place")) }
        }
        Origin::Request { request_id, body, .. } => {
            let body = Digest(*body).hex();
            let same_body = line.origin.body_blake3.as_ref() == Some(&body);
            if **request_id == *line.origin.file && same_body {
                Ok(())
            } else {
                Err(refused("the row under proof came with another request"))
            }
        }
    }
}

/// What a file in hand has to say about a line's origin.
///
/// # Errors
/// When its SHA-256 or the line is another one.
pub fn check_source(origin: &TracedOrigin, file: &[u8]) -> Result<String, Failure> {
    let digest = Digest::of(file).hex();
    match &origin.sha256 {
        Some(sha256) if *sha256 == digest => {}
        Some(sha256) => {
            let what = format!("this file's SHA-256 is {digest}; the row came from {sha256}");
            return Err(Failure::verification(what, "is it the same edition of the file?"));
        }
        None => {
            let what = "the row came in a request body, not in a file";
            return Err(Failure::verification(what, "ask the sender for the body of that request"));
        }
    }
    if let Some(sheet) = &origin.sheet {
        let wanted = Wanted { sheet: Some(sheet), skip_rows: 0 };
        let sheet = xlsx::read(file, wanted).map_err(|error| refused(error.to_string()))?;
        return sheet.row(origin.line).ok_or_else(|| refused("the sheet has no such row"));
    }
    if origin.parser == Format::Parquet.parser() {
        let row = parquet::row(file, origin.row).map_err(|error| refused(error.to_string()))?;
        return row.ok_or_else(|| refused("the file has no such row"));
    }
    let [from, to] = origin.byte_range.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    let line = file.get(from..to).ok_or_else(|| refused("the line lies beyond the file's end"))?;
    Ok(csv::shown(file, line).into_owned())
}

/// The signed head of a log, checked.
///
/// # Errors
/// When the signature, size or root do not fit.
pub fn check_head(head: &Checkpoint, key: &VerifierKey) -> Result<(), Failure> {
    let signed =
        envora_ledger::checkpoint::Checkpoint::open(&head.note, core::slice::from_ref(key))
            .map_err(refused)?;
    let same =
        signed.origin == head.origin && signed.size == head.size && signed.root.hex() == head.root;
    if same { Ok(()) } else { Err(refused("the signed head is another one than the answer shows")) }
}

/// Base64 as the API sends bytes.
///
/// # Errors
/// When it is none.
pub fn bytes(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| refused("the proof is not base64"))
}

/// Hashes as the API sends them.
///
/// # Errors
/// When one is none.
pub fn digests(texts: &[String]) -> Result<Vec<Digest>, Failure> {
    texts
        .iter()
        .map(|text| {
            Digest::parse_hex(text)
                .ok_or_else(|| refused("the proof holds something that is no hash"))
        })
        .collect()
}

/// A proof that does not hold, and why.
pub fn refused(why: impl core::fmt::Display) -> Failure {
    Failure::verification(format!("the proof does not hold: {why}"), REMEDY)
}
