//! The type gate: which media types come in, which go out.
//!
//! In front of every parser, since the framework's own JSON reader takes any `application/*+json`.

use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HOST, IF_MATCH,
    ORIGIN,
};
use axum::http::{HeaderMap, HeaderName};
use envora_api::media;
use envora_api::problems::Problem;
use envora_ingest::formats;

use crate::decoding::Encoding;

/// Headers that decide something and say it once. Content-Type and Content-Encoding are refused by who
/// reads the body, naming what is taken; idempotency keys by who keeps them.
static ONCE: [HeaderName; 7] = [
    HOST,
    AUTHORIZATION,
    IF_MATCH,
    ORIGIN,
    CONTENT_LENGTH,
    CONTENT_DISPOSITION,
    HeaderName::from_static("sec-fetch-site"),
];

/// Refuses a request in which a header stands twice of which one alone can be meant: the first and the
/// last are read by different machinery on the way here.
///
/// # Errors
/// 400, naming the header.
pub fn said_once(headers: &HeaderMap) -> Result<(), Problem> {
    let times = |name: &HeaderName| headers.get_all(name).iter().count();
    match ONCE.iter().find(|name| times(name) > 1) {
        None => Ok(()),
        Some(name) => Err(Problem::repeated_header(format!(
            "The request has {} headers {name}. Send one, so that it is certain which is meant.",
            times(name)
        ))),
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, plain or of our vendor type.
    Json,
    /// JSON that is a file: plain, since our vendor type opens an import in parts.
    JsonFile,
    /// A merge patch.
    MergePatch,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
    /// A Parquet file.
    Parquet,
    /// XML.
    Xml,
    /// A CloudEvent, its attributes around its data.
    CloudEvent,
    /// A batch of them.
    CloudEvents,
    /// A TOML document.
    Toml,
    /// Of our vendor type alone: what a file in parts will be.
    InParts,
    /// Bytes, whatever they are.
    Bytes,
}

impl Format {
    /// What rows of such a body are read as; of what holds none, JSON.
    pub(crate) const fn of_rows(self) -> formats::Format {
        match self {
            Self::Csv => formats::Format::Csv,
            Self::Ndjson => formats::Format::Ndjson,
            Self::Xlsx => formats::Format::Xlsx,
            Self::Parquet => formats::Format::Parquet,
            Self::Xml => formats::Format::Xml,
            Self::CloudEvent => formats::Format::CloudEvent,
            Self::CloudEvents => formats::Format::CloudEvents,
            Self::Json
            | Self::JsonFile
            | Self::MergePatch
            | Self::Toml
            | Self::InParts
            | Self::Bytes => formats::Format::Json,
        }
    }

    const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Json => &[media::VENDOR, media::JSON],
            Self::JsonFile => &[media::JSON],
            Self::MergePatch => &[media::MERGE_PATCH, media::VENDOR, media::JSON],
            Self::Ndjson => &[media::NDJSON, "application/ndjson"],
            Self::Csv => &[media::CSV],
            Self::Xlsx => &[media::XLSX],
            Self::Parquet => &[media::PARQUET],
            Self::Xml => &[media::XML, "text/xml"],
            Self::Toml => &["application/toml"],
            Self::InParts => &[media::VENDOR],
            Self::Bytes => &[media::BYTES],
            Self::CloudEvent => &[media::CLOUD_EVENT],
            Self::CloudEvents => &[media::CLOUD_EVENTS],
        }
    }
}

/// The types that a route's formats go by: for `Accept:` of a 415 and for the description.
#[must_use]
pub fn types_of(taken: &[Format]) -> Vec<&'static str> {
    taken.iter().flat_map(|format| format.types()).copied().collect()
}

/// Whether a body may hold far more than its own length.
#[must_use]
pub fn unpacks(headers: &HeaderMap) -> bool {
    Encoding::of(headers) != Ok(Encoding::Identity)
        || body_format(headers, &[Format::Xlsx, Format::Parquet]).is_ok()
}

/// Which of the taken formats the body has.
///
/// # Errors
/// 415, naming what is taken.
pub fn body_format(headers: &HeaderMap, taken: &[Format]) -> Result<Format, Problem> {
    let types = types_of(taken).join(", ");
    Encoding::of(headers)?;
    let mut written = headers.get_all(CONTENT_TYPE).iter();
    let (Some(first), None) = (written.next(), written.next()) else {
        return Err(Problem::unsupported_media_type(format!(
            "Say once, in Content-Type, what the body is. This route takes {types}."
        )));
    };
    let Some(named) = first.to_str().ok().and_then(MediaType::parse) else {
        return Err(Problem::unsupported_media_type(format!(
            "Content-Type is no media type. This route takes {types}."
        )));
    };
    if named.charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return Err(Problem::unsupported_encoding("Only charset=utf-8 is taken."));
    }
    let found = taken.iter().find(|format| format.types().contains(&named.name.as_str()));
    if let Some(format) = found {
        return Ok(*format);
    }
    if named.is_other_version() {
        return Err(Problem::unsupported_media_version(format!(
            "{} is not served; this is version 2, {}.",
            named.name,
            media::VENDOR
        )));
    }
    Err(Problem::unsupported_media_type(format!(
        "{} is not taken here. This route takes {types}.",
        named.name
    )))
}

/// The type an answer goes out in: the vendor type, or plain JSON for who wants nothing else.
///
/// # Errors
/// 406.
pub fn answer_type(headers: &HeaderMap) -> Result<&'static str, Problem> {
    let mut json = false;
    let mut any = false;
    for value in headers.get_all(ACCEPT) {
        for item in value.to_str().unwrap_or("").split(',') {
            let Some(accepted) = MediaType::parse(item) else { continue };
            any = true;
            if accepted.refused {
                continue;
            }
            match accepted.name.as_str() {
                media::VENDOR | "*/*" | "application/*" => return Ok(media::VENDOR),
                media::JSON => json = true,
                _ => {}
            }
        }
    }
    match (json, any) {
        (true, _) => Ok(media::JSON),
        (false, false) => Ok(media::VENDOR),
        (false, true) => Err(Problem::not_acceptable(format!(
            "Answers come as {} or {}; errors as {}.",
            media::VENDOR,
            media::JSON,
            media::PROBLEM
        ))),
    }
}

/// Whether the client takes what a route gives: one of its own types, where it has some.
///
/// # Errors
/// 406, naming what is given.
pub fn accepts(headers: &HeaderMap, own: &[&'static str]) -> Result<(), Problem> {
    if own.is_empty() {
        return answer_type(headers).map(|_| ());
    }
    let sent: Vec<&str> =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if sent.is_empty() || wanted(headers, own).is_some() {
        return Ok(());
    }
    // Who asks every route for JSON alone gets the file all the same.
    answer_type(headers).map(|_| ()).map_err(|_| {
        Problem::not_acceptable(format!(
            "This comes as {}; errors as {}.",
            own.join(" or "),
            media::PROBLEM
        ))
    })
}

/// The first of these types that the client names or, by a wildcard, takes.
#[must_use]
pub fn wanted(headers: &HeaderMap, own: &[&'static str]) -> Option<&'static str> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut accepted = values.flat_map(|value| value.split(',')).filter_map(MediaType::parse);
    accepted.find_map(|accepted| {
        let any = |own: &str| {
            let (kind, _) = own.split_once('/').unwrap_or((own, ""));
            accepted.name == own || accepted.name == format!("{kind}/*") || accepted.name == "*/*"
        };
        own.iter().copied().find(|own| !accepted.refused && any(own))
    })
}

/// A media type as a header writes it.
struct MediaType<'a> {
    name: String,
    charset: Option<&'a str>,
    refused: bool,
}

impl<'a> MediaType<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let (kind, sub) = name.split_once('/')?;
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(&byte))
        };
        if !is_word(kind) || !is_word(sub) {
            return None;
        }
        let mut media_type = Self { name, charset: None, refused: false };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "charset" => media_type.charset = Some(value),
                "q" => {
                    media_type.refused =
                        !value.is_empty() && value.bytes().all(|byte| byte == b'0' || byte == b'.');
                }
                _ => {}
            }
        }
        Some(media_type)
    }

    fn is_other_version(&self) -> bool {
        self.name.starts_with("application/vnd.env.")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Format, answer_type, body_format};

    #[track_caller]
    fn check_in(content_type: Option<&'static str>, want: Result<Format, &str>) {
        let mut headers = HeaderMap::new();
        if let Some(text) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
        }
        let got = body_format(&headers, &[Format::Json, Format::Csv]);
        assert_eq!(
            got.as_ref().map_err(|problem| problem.code.as_str()),
            want.as_ref().map_err(|code| *code),
            "{content_type:?}"
        );
    }

    #[test]
    fn bodies_say_what_they_are() {
        check_in(Some("application/vnd.env.v2+json"), Ok(Format::Json));
        check_in(Some("Application/JSON; charset=UTF-8"), Ok(Format::Json));
        check_in(Some("application/json; charset=\"utf-8\""), Ok(Format::Json));
        check_in(Some("text/csv"), Ok(Format::Csv));
        check_in(None, Err("unsupported_media_type"));
        check_in(Some("application/problem+json"), Err("unsupported_media_type"));
        check_in(Some("application/vnd.env.v3+json"), Err("unsupported_media_version"));
        check_in(Some("application/json; charset=utf-16"), Err("unsupported_encoding"));
        check_in(Some("nonsense"), Err("unsupported_media_type"));
        check_in(Some("application/x-ndjson"), Err("unsupported_media_type"));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
        for (encoding, want) in [
            ("gzip", Ok(Format::Csv)),
            ("ZSTD", Ok(Format::Csv)),
            ("identity", Ok(Format::Csv)),
            ("br", Err("unsupported_encoding".to_owned())),
            ("gzip, gzip", Err("unsupported_encoding".to_owned())),
        ] {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            let got = body_format(&headers, &[Format::Csv]).map_err(|problem| problem.code);
            assert_eq!(got, want, "{encoding}");
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(body_format(&headers, &[Format::Csv]).is_err(), "twice");
    }

    #[track_caller]
    fn check_out(accept: Option<&'static str>, want: Result<&str, u16>) {
        let mut headers = HeaderMap::new();
        if let Some(text) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(text));
        }
        assert_eq!(answer_type(&headers).map_err(|problem| problem.status), want, "{accept:?}");
    }

    #[test]
    fn answers_come_in_the_type_that_is_wanted() {
        let vendor = "application/vnd.env.v2+json";
        check_out(None, Ok(vendor));
        check_out(Some("*/*"), Ok(vendor));
        check_out(Some("text/html, application/*;q=0.5"), Ok(vendor));
        check_out(Some("application/json"), Ok("application/json"));
        check_out(Some("application/vnd.env.v2+json, application/problem+json"), Ok(vendor));
        check_out(Some("application/vnd.env.v3+json"), Err(406));
        check_out(Some("text/html"), Err(406));
        check_out(Some("application/json;q=0"), Err(406));
    }
}
