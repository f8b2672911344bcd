//! Bodies: read within a limit and a time, parsed strictly.

use core::fmt;
use core::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use envora_api::problems::Problem;
use envora_lake::sources::{PackedSource, SourcePacker};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::decoding::{Add, Decoding, Encoding, Fault};
use crate::gate::{Format, body_format};
use crate::pace::TooSlow;
use crate::refusals::Refusal;

/// The largest JSON body, and the largest of all others but imports.
pub const JSON_BYTES_MAX: usize = 16 << 20;
/// The largest file of an import.
pub const IMPORT_BYTES_MAX: usize = 64 << 20;
/// How deep JSON may be nested.
const DEPTH_MAX: usize = 32;
/// How long a body may take to arrive.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(60);

/// Reads a body of at most so many bytes, sent and unpacked alike.
///
/// # Errors
/// 413 above the limit, 408 when it does not arrive, 400 when it is cut off.
pub async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::new();
    let mut add = |part: Bytes| {
        whole.extend_from_slice(&part);
        Ok(())
    };
    arrive(headers, body, (bytes_max, &mut add)).await?;
    Ok(whole.freeze())
}

/// A file that came as a body: packed, and known by its hash.
pub struct Arrived {
    /// The file.
    pub source: PackedSource,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
}

/// Takes a file in that is at most [`IMPORT_BYTES_MAX`] long, packing it as it arrives.
///
/// # Errors
/// 413 above the limit, 408 when it does not arrive, 400 when it is cut off.
pub async fn file(headers: &HeaderMap, body: Body) -> Result<Arrived, Refusal> {
    let mut packer = SourcePacker::new().context("pack a file")?;
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: Bytes| {
        hasher.update(&part);
        packer.add(&part)
    };
    arrive(headers, body, (IMPORT_BYTES_MAX, &mut add)).await?;
    let source = packer.finish().context("pack a file")?;
    Ok(Arrived { source, hash: *hasher.finalize().as_bytes() })
}

/// A body that may arrive before anybody has time for it.
///
/// # Errors
/// 408 when it does not arrive, 400 when it is cut off.
pub(crate) async fn gathered(body: Body) -> Result<Body, Problem> {
    match tokio::time::timeout(ARRIVAL, body.collect()).await {
        Err(_) => Err(Problem::request_timeout("The body did not arrive within a minute.")),
        Ok(Ok(whole)) => Ok(Body::from(whole.to_bytes())),
        Ok(Err(error)) if TooSlow::is_behind(&error) => Err(too_slow()),
        Ok(Err(_)) => Err(broken_off()),
    }
}

/// How long a request says that its body is.
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

fn too_slow() -> Problem {
    Problem::request_timeout(
        "The body stopped arriving, or came slower than 8 KiB a second. Nothing was stored; send it again.",
    )
}

fn broken_off() -> Problem {
    Problem::malformed_body(
        "The body ended before all of it had arrived. Nothing was stored; send it again.",
    )
}

/// Why a body does not come to its end.
enum Stop {
    /// It broke off, or is above the limit as it was sent.
    Body(Box<dyn core::error::Error + Send + Sync>),
    /// What it unpacks to.
    Fault(Fault),
}

async fn arrive(
    headers: &HeaderMap,
    body: Body,
    (bytes_max, add): (usize, Add<'_>),
) -> Result<(), Problem> {
    let too_large = || {
        Problem::payload_too_large(format!(
            "The body is above {} MiB, the limit of this route. Send it in parts.",
            bytes_max >> 20
        ))
    };
    let declared = declared(headers);
    if declared.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > bytes_max))
    {
        return Err(too_large());
    }
    let encoding = Encoding::of(headers)?;
    let mut body = Limited::new(body, bytes_max);
    let all = async {
        let mut decoding =
            Decoding::new(encoding, bytes_max, add).map_err(|_| Stop::Fault(Fault::Failed))?;
        while let Some(frame) = body.frame().await {
            if let Ok(part) = frame.map_err(Stop::Body)?.into_data() {
                decoding.take(&part).map_err(Stop::Fault)?;
                if encoding != Encoding::Identity {
                    // A part may come to a hundred times its length: others have their turn.
                    tokio::task::yield_now().await;
                }
            }
        }
        decoding.finish().map_err(Stop::Fault)
    };
    match tokio::time::timeout(ARRIVAL, all).await {
        Err(_) => Err(Problem::request_timeout("The body did not arrive within a minute.")),
        Ok(Ok(())) => Ok(()),
        Ok(Err(Stop::Body(error))) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(too_large())
        }
        Ok(Err(Stop::Body(error))) if TooSlow::is_behind(&*error) => Err(too_slow()),
        Ok(Err(Stop::Fault(Fault::TooLong))) => Err(too_large()),
        Ok(Err(Stop::Fault(Fault::TooDense))) => Err(Problem::payload_too_large(
            "The body unpacks to more than a hundred times its length. Send it less packed, or as it is.",
        )),
        Ok(Err(Stop::Fault(Fault::Broken(name)))) => Err(Problem::malformed_body(format!(
            "The body is no whole {name}, as Content-Encoding says it is. Nothing was stored; pack it anew and send it again."
        ))),
        Ok(Err(Stop::Body(_) | Stop::Fault(Fault::Failed))) => Err(broken_off()),
    }
}

/// Reads a JSON body of one of the taken formats.
///
/// # Errors
/// 415, 413, 408, 400.
pub async fn json(headers: &HeaderMap, body: Body, taken: &[Format]) -> Result<Value, Problem> {
    json_with_bytes(headers, body, taken).await.map(|(_, value)| value)
}

/// [`json`], with the bytes that it was read from: for the fingerprint of an idempotency key.
///
/// # Errors
/// 415, 413, 408, 400.
pub async fn json_with_bytes(
    headers: &HeaderMap,
    body: Body,
    taken: &[Format],
) -> Result<(Bytes, Value), Problem> {
    body_format(headers, taken)?;
    let bytes = read(headers, body, JSON_BYTES_MAX).await?;
    let value = parse(&bytes)?;
    Ok((bytes, value))
}

/// Parses JSON, refusing a key that stands twice and nesting beyond 32.
///
/// # Errors
/// 400.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let text = core::str::from_utf8(bytes).map_err(|error| {
        Problem::malformed_body(format!(
            "The body is not UTF-8 from byte {} on.",
            error.valid_up_to()
        ))
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut reader);
    value
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Problem::malformed_body(format!("The body is no proper JSON: {error}.")))
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("it is nested deeper than 32"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let short: String = key.chars().take(40).collect();
                return Err(de::Error::custom(format!("the key {short:?} stands twice")));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn refused(text: &[u8], words: &str) {
        let problem = parse(text).expect_err("refused");
        assert_eq!(problem.code, "malformed_body");
        assert!(problem.detail.contains(words), "{}", problem.detail);
    }

    #[test]
    fn json_is_read_strictly() {
        assert_eq!(
            parse(br#"{"a":[1,"b",null,true]}"#).map(|v| v.to_string()),
            Ok(r#"{"a":[1,"b",null,true]}"#.to_owned())
        );
        refused(br#"{"a":1,"a":2}"#, "stands twice");
        refused(br#"{"a":{"b":1,"b":2}}"#, "stands twice");
        refused(br#"{"a":1"#, "EOF");
        refused(br#"{"a":1} x"#, "trailing");
        refused(b"{\"a\":\"\xff\"}", "UTF-8 from byte 6");
        refused(b"", "EOF");
        refused(br#"{"a":NaN}"#, "expected");
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        refused(deep.as_bytes(), "deeper");
        assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
    }
}
