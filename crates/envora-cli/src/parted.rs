//! Sending a file in parts: what is above the limit of one body, or what is to go on where it stopped.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use envora_api::imports::{Import, ImportPart, NewImport, RejectedRow};
use envora_api::media;
use envora_api::writes::{Mode, Outcome, RowResult};
use envora_domain::hash::Digest;
use envora_ingest::parted::measure;

use crate::client::{Body, Client, Effect};
use crate::failures::Failure;
use crate::imports::{Outgoing, told};
use crate::progress::Sending;
use crate::watching;

/// The largest file that goes out as one body.
pub(crate) const WHOLE_BYTES_MAX: u64 = 64 << 20;
/// How many bytes a part has.
const PART_BYTES: u64 = 16 << 20;
/// How many refused rows are told.
const RESULTS_MAX: usize = 1_000;

/// Sends the file at `path` part by part, leaving out those that the server has; then has it taken in,
/// and waits until it is.
///
/// # Errors
/// A file that cannot be read or is no CSV or NDJSON; the server's problem.
pub(crate) async fn send(
    client: &Client,
    sending: &Sending,
    (file, path): (&Outgoing, &Path),
) -> Result<Import, Failure> {
    let media_type = file.media_type();
    if media_type != media::CSV && media_type != media::NDJSON {
        return Err(Failure::usage(
            format!("{} is sent whole, up to {} MiB", file.name, WHOLE_BYTES_MAX >> 20),
            "CSV and NDJSON may be larger: write it as one of them, or cut it into several files",
        ));
    }
    sending.says("hashing");
    let measured = path.to_owned();
    let (length, digest) = blocking(move || length_and_digest(&measured)).await?;
    let new = announced(file, length, digest);
    let (import, effect) = open(client, &new).await?;
    // One that was taken in has none: this very file was sent before.
    let Some(there) = &import.parts else { return Ok(told(import, effect)) };
    send_parts(client, sending, (&import, path), (length, there)).await?;
    let commit = format!("/imports/{}/commit", import.id);
    let (mut import, _): (Import, _) = client.send(&commit, &[], None, empty).await?;
    sending.begin_again(length);
    sending.says("checking and storing");
    if import.status == "running" {
        import = watching::ended(client, sending, import.id).await?;
    }
    match import.problem.take() {
        Some(problem) => Err(Failure::Problem(Box::new(problem))),
        None => with_results(client, import).await,
    }
}

/// The import with the first rows that were not accepted, as the answer to a file sent whole has them.
async fn with_results(client: &Client, import: Import) -> Result<Import, Failure> {
    if import.counts.rejected + import.counts.quarantined == 0 {
        return Ok(import);
    }
    let path = format!("/imports/{}/errors", import.id);
    let refused: Vec<RejectedRow> = client.first(&path, &[], RESULTS_MAX).await?;
    let result = |row: RejectedRow| RowResult {
        row: row.row,
        external_id: None,
        status: match row.outcome.as_str() {
            "rejected" => Outcome::Rejected,
            "duplicate" => Outcome::Duplicate,
            _ => Outcome::Quarantined,
        },
        id: None,
        errors: row.errors,
        looks_like: None,
        flags: Vec::new(),
    };
    Ok(Import { results: refused.into_iter().map(result).collect(), ..import })
}

/// Opens the import, or finds the one that this very file was begun with: an upload that stopped goes on.
async fn open(client: &Client, new: &NewImport) -> Result<(Import, Effect), Failure> {
    let text = serde_json::to_vec(new).context("write the request")?;
    let key = Digest::of_parts(&[b"envora-push-parts/1\n", &text]).hex();
    let body = || Body {
        media_type: media::VENDOR,
        bytes: text.clone().into(),
        length: text.len() as u64,
        headers: Vec::new(),
    };
    let (import, effect): (Import, _) = client.send("/imports", &[], Some(key), body).await?;
    if effect == Effect::Now {
        return Ok((import, effect));
    }
    match client.get(&format!("/imports/{}", import.id), &[]).await {
        Ok(import) => Ok((import, effect)),
        // It was given up: this is another one.
        Err(Failure::Problem(problem)) if problem.status == 404 => {
            client.send("/imports", &[], None, body).await
        }
        Err(error) => Err(error),
    }
}

fn announced(file: &Outgoing, length: u64, digest: Digest) -> NewImport {
    let one = |wanted: &str| {
        let found = file.query.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let sets = file.query.iter().filter(|(name, _)| *name == "set");
    let pair = |(_, text): &(&str, String)| {
        text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let scope = one("scope").map(|scope| ("scope".to_owned(), scope));
    NewImport {
        file_name: file.name.clone(),
        media_type: file.media_type().to_owned(),
        bytes: Some(length),
        sha256: Some(digest.hex()),
        mapping: one("mapping"),
        mode: one("mode").map(|mode| if mode == "atomic" { Mode::Atomic } else { Mode::Partial }),
        set: sets.filter_map(pair).chain(scope).collect(),
    }
}

async fn send_parts(
    client: &Client,
    sending: &Sending,
    (import, path): (&Import, &Path),
    (length, there): (u64, &[ImportPart]),
) -> Result<(), Failure> {
    sending.says("sending");
    let starts = (0..length.div_ceil(PART_BYTES)).map(|part| part * PART_BYTES);
    for (number, start) in (1_u32..).zip(starts) {
        let (file, end) = (path.to_owned(), length.min(start + PART_BYTES));
        let bytes = blocking(move || part_of(&file, start, end - start)).await?;
        let digest = Digest::of(&bytes);
        let sha256 = digest.hex();
        if !there.iter().any(|part| part.number == number && part.sha256 == sha256) {
            let path = format!("/imports/{}/parts/{number}", import.id);
            let said = format!("sha-256=:{}:", STANDARD.encode(digest.0));
            client.put_bytes::<ImportPart>(&path, &bytes, (media::CONTENT_DIGEST, &said)).await?;
        }
        sending.at(end);
    }
    Ok(())
}

fn empty() -> Body {
    Body { media_type: media::VENDOR, bytes: Bytes::new().into(), length: 0, headers: Vec::new() }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    Ok(tokio::task::spawn_blocking(work).await.context("read a file")??)
}

/// How many bytes a file has, and their SHA-256.
fn length_and_digest(path: &Path) -> anyhow::Result<(u64, Digest)> {
    let name = || format!("read {}", path.display());
    measure(File::open(path).with_context(name)?).with_context(name)
}

fn part_of(path: &Path, start: u64, length: u64) -> anyhow::Result<Bytes> {
    let input = crate::inputs::Input::File(path.to_owned());
    let bytes = input.part(start, length)?;
    anyhow::ensure!(bytes.len() as u64 == length, "{} became shorter meanwhile", path.display());
    Ok(bytes.into())
}
