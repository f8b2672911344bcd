//! Answers kept for retries: sealed with the effect that they tell of, opened when the key comes again.

use anyhow::Context as _;
use envora_crypto::aad::Purpose;
use envora_crypto::tenant::{Object, TenantKeys};
use envora_domain::access::{Action, Grant};
use envora_domain::hash::Digest;
use envora_domain::planted::planted;
use envora_domain::time::{Span, Timestamp};
use envora_store::idempotency::{AnswerPlace, KeptAnswer, idempotency_add, idempotency_by_key};
use envora_store::transaction::{TenantReader, TenantTx};

use super::StoredAnswer;

/// How long an answer is kept for a retry.
pub const IDEMPOTENCY_KEPT: Span = Span::from_secs(24 * 3_600);
const ZSTD_LEVEL: i32 = 3;

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
    keys: &TenantKeys,
    (key, fingerprint): (Digest, Digest),
    now: Timestamp,
) -> anyhow::Result<Before> {
    let oldest = Timestamp::from_micros(now.as_micros() - IDEMPOTENCY_KEPT.as_micros());
    match idempotency_by_key(rd, grant, key, oldest)? {
        None => Ok(Before::Unused),
        Some(kept) if kept.fingerprint != fingerprint && !planted("body_not_compared") => {
            Ok(Before::OtherRequest)
        }
        Some(kept) => open(keys, &kept).map(Before::Answered),
    }
}

/// Keeps an answer, in the transaction of its effect.
///
/// # Errors
/// The database's.
pub fn keep<A: Action>(
    tx: &mut TenantTx,
    grant: &Grant<A>,
    keys: &TenantKeys,
    (key, fingerprint): (Digest, Digest),
    (answer, now): (&StoredAnswer, Timestamp),
) -> anyhow::Result<()> {
    let packed = zstd::encode_all(answer.body.as_slice(), ZSTD_LEVEL).context("pack an answer")?;
    let object = Object::idempotency(&key);
    let kept = KeptAnswer {
        key_hash: key,
        fingerprint,
        status: u32::from(answer.status),
        media_type: answer.media_type.clone(),
        body: AnswerPlace::Inline(keys.seal(&object, &packed)),
        key_version: keys.dek(Purpose::Db).1,
        created_at: now,
    };
    idempotency_add(tx, grant, &kept)
}

fn open(keys: &TenantKeys, kept: &KeptAnswer) -> anyhow::Result<StoredAnswer> {
    let AnswerPlace::Inline(sealed) = &kept.body else {
        anyhow::bail!("a kept answer lies where this program keeps none");
    };
    let object = Object::idempotency(&kept.key_hash);
    let packed = keys.open_object(&object, sealed).context("open a kept answer")?;
    let body = zstd::decode_all(packed.as_slice()).context("unpack a kept answer")?;
    let status = u16::try_from(kept.status).context("read the status of a kept answer")?;
    Ok(StoredAnswer { status, media_type: kept.media_type.clone(), body })
}
