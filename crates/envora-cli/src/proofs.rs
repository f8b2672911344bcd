//! Proofs, checked here: nothing the server says about itself is taken on trust.
//!
//! From a trace line: the canonical row is in its run of 256 rows, the run in the segment, the
//! segment in the log, the log's head signed; and the row says what the trace says it said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_api::audit::Checkpoint;
use envora_api::traces::{TraceLine, TracedOrigin};
use envora_domain::activities::{Activity, Origin};
use envora_domain::hash::{Digest, leaf_hash};
use envora_ingest::formats::csv;
use envora_ingest::formats::xlsx::{self, Wanted};
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

/// Checks a line of a trace from the row to the signature.
///
/// # Errors
/// The first step that does not hold.
pub fn check_line(line: &TraceLine, key: &VerifierKey) -> Result<Proven, Failure> {
    let entry = bytes(&line.leaf.entry)?;
    let proof = EntryProof {
        leaf: entry.clone(),
        path: digests(&line.leaf.proof)?,
        checkpoint: line.leaf.checkpoint.clone(),
    };
    let verified = verify_entry(&proof, core::slice::from_ref(key)).map_err(refused)?;
    let root = verified.leaf.digest.ok_or_else(|| refused("the log's entry names no rows"))?;
    let named = verified.leaf.deed == Deed::Segment
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
    said_the_same(line, &activity)?;
    let key_id = envora_domain::hash::hex(&key.id());
    Ok(Proven { activity, run_hash, leaf_hash: leaf_hash(&entry), verified, key_id })
}

/// Whether the row under proof says what the trace printed.
fn said_the_same(line: &TraceLine, row: &Activity) -> Result<(), Failure> {
    let same = row.kind == line.as_sent.kind
        && row.quantity.to_string() == line.as_sent.quantity
        && row.unit == line.as_sent.unit;
    if !same {
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
            if *request_id == line.origin.file && same_body {
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
    let [from, to] = origin.byte_range.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    let line = file.get(from..to).ok_or_else(|| refused("the line lies beyond the file's end"))?;
    Ok(csv::shown(line).into_owned())
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
