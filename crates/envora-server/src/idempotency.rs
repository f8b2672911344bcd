//! Idempotency keys: a request with one has one effect, however often it is sent.
//!
//! What is stored is the answer of the first one that succeeded, in the transaction of its effect; a
//! request that failed left nothing, so sending it again truly runs it again.

use axum::http::{HeaderMap, StatusCode, Uri};
use envora_api::media;
use envora_api::problems::Problem;
use envora_domain::access::{Action, Grant};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;
use envora_identity::policy::Actor;
use envora_ingest::commit::StoredAnswer;
use envora_ingest::commit::answers::{Before, Shelf, before, keep};
use envora_ingest::tenant::TenantParts;
use envora_store::transaction::TenantTx;
use serde::Serialize;

use crate::answers::Reply;
use crate::params::Params;
use crate::refusals::Refusal;

/// A key and what must be equal when it comes again.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    /// The keyed hash of credential and key.
    pub key: Digest,
    /// The fingerprint of the request.
    pub fingerprint: Digest,
}

/// What a fingerprint is made of.
pub struct Sent<'a> {
    /// Who sends it: the same key of another credential is another key.
    pub actor: &'a Actor,
    /// The address.
    pub uri: &'a Uri,
    /// The query.
    pub params: &'a Params,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// BLAKE3 of the body, decoded.
    pub body: [u8; 32],
}

/// The request's key, if it has one.
///
/// # Errors
/// 400 when it is no key, there are two, or the two headers differ.
pub fn marked(parts: &TenantParts, sent: &Sent<'_>) -> Result<Option<Marked>, Problem> {
    let Some(key) = key(sent.headers)? else { return Ok(None) };
    let scope = [sent.actor.credential().as_slice(), key.as_bytes()].concat();
    let kind = sent.headers.get(axum::http::header::CONTENT_TYPE);
    let fingerprint = Digest::of_parts(&[
        b"envora-idem/1\nPOST\n",
        sent.uri.path().as_bytes(),
        b"\n",
        sent.params.sorted_without(&[]).as_bytes(),
        b"\n",
        kind.map_or(b"", |kind| kind.as_bytes()),
        b"\n",
        &sent.body,
    ]);
    let key = Digest(parts.keys.fingerprint("idempotency", &scope));
    Ok(Some(Marked { key, fingerprint }))
}

/// What a write comes to: the status and body of its answer.
#[derive(Clone, Debug)]
pub struct Written {
    /// The status.
    pub status: StatusCode,
    /// The body, as JSON.
    pub body: Vec<u8>,
    /// Whether it is the answer of an earlier request with the same key.
    pub replayed: bool,
}

impl Written {
    /// A new answer with this body.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn of<T: Serialize>(status: StatusCode, body: &T) -> anyhow::Result<Self> {
        Ok(Self { status, body: serde_json::to_vec(body)?, replayed: false })
    }

    /// The reply, not yet with headers of its own.
    #[must_use]
    pub fn reply(self) -> Reply {
        if self.replayed {
            Reply::replayed(self.status.as_u16(), self.body)
        } else {
            Reply::written(self.status.as_u16(), self.body)
        }
    }
}

/// Does a write in one transaction with its key: a key that comes again gets the first one's answer, and
/// a refusal keeps nothing.
///
/// # Errors
/// What `work` refuses with; 422 for a key of another request; the database's.
pub async fn once<A: Action>(
    parts: &TenantParts,
    grant: Grant<A>,
    (marked, now): (Option<Marked>, Timestamp),
    work: impl FnOnce(&mut TenantTx) -> anyhow::Result<Result<Written, Problem>> + Send + 'static,
) -> Result<Written, Refusal> {
    let shelf = Shelf::of(parts);
    let written = parts.db.write(move |tx| {
        let Some(Marked { key, fingerprint }) = marked else { return work(tx) };
        let id = (key, fingerprint);
        match before(tx, &grant, &shelf, id, now)? {
            Before::Unused => {}
            Before::OtherRequest => return Ok(Err(reused())),
            Before::Answered(answer) => {
                let status = StatusCode::from_u16(answer.status)?;
                return Ok(Ok(Written { status, body: answer.body, replayed: true }));
            }
        }
        let written = work(tx)?;
        if let Ok(Written { status, body, .. }) = &written {
            let answer = StoredAnswer {
                status: status.as_u16(),
                media_type: media::VENDOR.to_owned(),
                body: body.clone(),
            };
            keep(tx, &grant, &shelf, id, (&answer, now))?;
        }
        Ok(written)
    });
    Ok(written.await??)
}

/// The key was used for another request.
#[must_use]
pub fn reused() -> Problem {
    Problem::idempotency_key_reused(
        "This idempotency key was used for another request. Use a new key for a new request.",
    )
}

/// The key, demanded.
///
/// # Errors
/// 400 without one.
pub fn required(marked: Option<Marked>) -> Result<Marked, Problem> {
    marked.ok_or_else(|| {
        Problem::idempotency_key_missing(
            "Send X-Idempotency-Key with 8 to 255 visible characters, so that sending the request again can do no harm.",
        )
    })
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let invalid =
        |why: &str| Problem::idempotency_key_invalid(format!("The idempotency key {why}."));
    let mut found: Option<String> = None;
    for (name, quoted) in [(media::IDEMPOTENCY_KEY_X, false), (media::IDEMPOTENCY_KEY, true)] {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { continue };
        if values.next().is_some() {
            return Err(invalid("is there twice"));
        }
        let text = value.to_str().map_err(|_| invalid("is not visible ASCII"))?;
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = if quoted { bare.unwrap_or(text) } else { text };
        let fits =
            (8..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(invalid("is not 8 to 255 visible ASCII characters"));
        }
        if found.as_ref().is_some_and(|other| other != text) {
            return Err(invalid("differs between the two headers"));
        }
        found = Some(text.to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::key;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], want: Result<Option<&str>, &str>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        let got = key(&map);
        let got = got.as_ref().map(Option::as_deref).map_err(|problem| problem.code.as_str());
        assert_eq!(got, want, "{headers:?}");
    }

    #[test]
    fn both_headers_are_one_key() {
        check(&[], Ok(None));
        check(&[("x-idempotency-key", "12345678")], Ok(Some("12345678")));
        check(&[("idempotency-key", "\"12345678\"")], Ok(Some("12345678")));
        check(&[("idempotency-key", "12345678")], Ok(Some("12345678")));
        check(
            &[("x-idempotency-key", "12345678"), ("idempotency-key", "\"12345678\"")],
            Ok(Some("12345678")),
        );
        let bad = Err("idempotency_key_invalid");
        check(&[("x-idempotency-key", "12345678"), ("idempotency-key", "\"87654321\"")], bad);
        check(&[("x-idempotency-key", "12345678"), ("x-idempotency-key", "12345678")], bad);
        check(&[("x-idempotency-key", "1234567")], bad);
        check(&[("x-idempotency-key", "1234 5678")], bad);
    }
}
