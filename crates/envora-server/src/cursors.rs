//! Cursors: opaque to clients, bound to tenant, route and filters by a keyed hash, good for a day.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envora_api::problems::Problem;
use envora_crypto::tenant::TenantKeys;
use envora_domain::hash::Digest;
use envora_domain::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::params::Params;

/// How long a cursor is good.
const LIFETIME: Span = Span::from_secs(24 * 3600);
/// Bytes of the keyed hash that a cursor carries.
const MAC_BYTES: usize = 16;

/// Which collection a cursor walks, under which filters.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// The route's template.
    pub route: &'static str,
    /// All parameters.
    pub params: &'a Params,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The sort key of the last item that was given.
    pub after: String,
    /// The snapshot: later entries are not in this walk.
    pub seq: u64,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    v: u8,
    route: String,
    filters: String,
    place: Place,
    expires: i64,
}

/// The cursor of this place.
#[must_use]
pub fn encode(keys: &TenantKeys, walk: Walk<'_>, place: Place, now: Timestamp) -> String {
    let payload = Payload {
        v: 1,
        route: walk.route.to_owned(),
        filters: filters(walk),
        place,
        expires: (now + LIFETIME).as_micros(),
    };
    let mut bytes = serde_json::to_vec(&payload).unwrap_or_default();
    let mac = keys.fingerprint("cursor", &bytes);
    bytes.extend(mac.iter().take(MAC_BYTES));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of the cursor in the parameters, if there is one.
///
/// # Errors
/// 400 for a cursor of another tenant, route, filters or day.
pub fn decode(keys: &TenantKeys, walk: Walk<'_>, now: Timestamp) -> Result<Option<Place>, Problem> {
    let Some(text) = walk.params.one("cursor")? else { return Ok(None) };
    let invalid = || {
        Problem::invalid_cursor("This is no cursor of this collection. Start again without one.")
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let at = bytes.len().checked_sub(MAC_BYTES).ok_or_else(invalid)?;
    let (payload, mac) = bytes.split_at(at);
    let due = keys.fingerprint("cursor", payload);
    let differs = mac.iter().zip(due).fold(0_u8, |differs, (a, b)| differs | (a ^ b));
    if differs != 0 {
        return Err(invalid());
    }
    let payload: Payload = serde_json::from_slice(payload).map_err(|_| invalid())?;
    if payload.v != 1 || payload.route != walk.route {
        return Err(invalid());
    }
    if payload.expires < now.as_micros() {
        return Err(Problem::invalid_cursor(
            "The cursor is older than a day. Start again without one.",
        ));
    }
    if payload.filters != filters(walk) {
        return Err(Problem::cursor_filter_mismatch(
            "The cursor was made with other filters. Keep those of the first page, or start again.",
        ));
    }
    Ok(Some(payload.place))
}

fn filters(walk: Walk<'_>) -> String {
    Digest::of(walk.params.sorted_without(&["cursor", "limit"]).as_bytes()).hex()
}

/// The path of the next page.
#[must_use]
pub fn next_path(path: &str, params: &Params, cursor: &str) -> String {
    let kept = params.encoded_without(&["cursor"]);
    let joint = if kept.is_empty() { "" } else { "&" };
    format!("{path}?{kept}{joint}cursor={cursor}")
}
