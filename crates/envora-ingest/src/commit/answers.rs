//! Answers kept for retries: sealed with the effect that they tell of, opened when the key comes again.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context as _;
use envora_crypto::aad::Purpose;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::access::{Action, Grant};
use envora_domain::hash::Digest;
use envora_domain::planted::planted;
use envora_domain::time::{Span, Timestamp};
use envora_lake::segments::Lake;
use envora_store::idempotency::{
    AnswerPlace, KeptAnswer, idempotency_add, idempotency_by_key, idempotency_objects,
};
use envora_store::transaction::{TenantReader, TenantTx};

use super::StoredAnswer;
use crate::tenant::{Damaged, TenantParts};

/// How long an answer is kept for a retry.
pub const IDEMPOTENCY_KEPT: Span = Span::from_secs(24 * 3_600);
const ZSTD_LEVEL: i32 = 3;
/// The longest packed answer that lies in its row; a longer one is an object of the lake.
pub const ANSWER_INLINE_MAX: usize = 64 * 1024;

/// Where answers are sealed and kept.
#[derive(Clone)]
pub struct Shelf {
    /// The keys they are sealed under.
    pub keys: Arc<TenantKeys>,
    /// Where the long ones lie.
    pub lake: Arc<Lake>,
}

impl Shelf {
    /// That of a tenant.
    #[must_use]
    pub fn of(parts: &TenantParts) -> Self {
        Self { keys: Arc::clone(&parts.keys), lake: Arc::clone(&parts.lake) }
    }
}

/// What is damaged when a kept answer is.
const WHAT: &str = "the answer kept for this idempotency key";

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// It is new.
    Unused,
    /// The same request had this answer.
    Answered(StoredAnswer),
    /// It was used for another request.
    OtherRequest,
}

/// What is known of a key, given with the fingerprint of its request.
///
/// # Errors
/// The database's; the answer does not open.
pub fn before<A: Action>(
    rd: &mut TenantReader,
    grant: &Grant<A>,
    shelf: &Shelf,
    (key, fingerprint): (Digest, Digest),
    now: Timestamp,
) -> anyhow::Result<Before> {
    let oldest = Timestamp::from_micros(now.as_micros() - IDEMPOTENCY_KEPT.as_micros());
    match idempotency_by_key(rd, grant, key, oldest)? {
        None => Ok(Before::Unused),
        Some(kept) if kept.fingerprint != fingerprint && !planted("body_not_compared") => {
            Ok(Before::OtherRequest)
        }
        Some(kept) => open(shelf, &kept).map(Before::Answered),
    }
}

/// Keeps an answer, in the transaction of its effect. A long one is written and synced before its row:
/// a file, once in many requests, is the only thing beside SQL that a transaction waits for.
///
/// # Errors
/// The database's; [`std::io::Error`] inside when the object is not durable.
pub fn keep<A: Action>(
    tx: &mut TenantTx,
    grant: &Grant<A>,
    shelf: &Shelf,
    (key, fingerprint): (Digest, Digest),
    (answer, now): (&StoredAnswer, Timestamp),
) -> anyhow::Result<()> {
    let packed = zstd::encode_all(answer.body.as_slice(), ZSTD_LEVEL).context("pack an answer")?;
    let object = Object::idempotency(&key);
    let sealed = shelf.keys.seal(&object, &packed);
    let body = if packed.len() <= ANSWER_INLINE_MAX {
        AnswerPlace::Inline(sealed)
    } else {
        AnswerPlace::Object(shelf.lake.put_answer(&sealed).context("keep an answer in the lake")?)
    };
    if planted("crash_after_answer") && matches!(body, AnswerPlace::Object(_)) {
        std::process::abort();
    }
    let kept = KeptAnswer {
        key_hash: key,
        fingerprint,
        status: u32::from(answer.status),
        media_type: answer.media_type.clone(),
        body,
        key_version: shelf.keys.dek(Purpose::Db).1,
        created_at: now,
    };
    idempotency_add(tx, grant, &kept)
}

fn open(shelf: &Shelf, kept: &KeptAnswer) -> anyhow::Result<StoredAnswer> {
    let sealed = match &kept.body {
        AnswerPlace::Inline(sealed) => Cow::Borrowed(sealed),
        AnswerPlace::Object(path) => {
            let read = shelf.lake.read_answer(path);
            Cow::Owned(read.map_err(|error| Damaged::new(WHAT, format!("{path}: {error}")))?)
        }
    };
    let object = Object::idempotency(&kept.key_hash);
    let packed = shelf.keys.open_object(&object, &sealed);
    let packed = packed.map_err(|error| Damaged::new(WHAT, error.to_string()))?;
    let body = zstd::decode_all(packed.as_slice()).context("unpack a kept answer")?;
    let status = u16::try_from(kept.status).context("read the status of a kept answer")?;
    Ok(StoredAnswer { status, media_type: kept.media_type.clone(), body })
}

/// How many answers lie in the lake, and which of them do not open: for `doctor`.
///
/// # Errors
/// The database's.
pub fn examine<A: Action>(
    rd: &mut TenantReader,
    grant: &Grant<A>,
    shelf: &Shelf,
) -> anyhow::Result<(usize, Vec<String>)> {
    let all = idempotency_objects(rd, grant)?;
    let fault = |(key, path): &(Digest, String)| {
        let sealed = match shelf.lake.read_answer(path) {
            Ok(sealed) => sealed,
            Err(error) => return Some(format!("{path}: {error}")),
        };
        let opened = shelf.keys.open_object(&Object::idempotency(key), &sealed);
        opened.err().map(|error| format!("{path}: {error}"))
    };
    Ok((all.len(), all.iter().filter_map(fault).collect()))
}
