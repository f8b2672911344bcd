//! Forms with a file (RFC 7578): the fields first, then the file, as a body that is read as it arrives.

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Bytes, BytesMut};
use envora_api::problems::Problem;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;

use crate::bodies::ARRIVAL;
use crate::params::Params;

/// No form of ours has more fields.
const FIELDS_MAX: usize = 16;
/// No field and no head of a field is longer, in bytes.
const FIELD_BYTES_MAX: usize = 8 * 1024;
/// No boundary is longer (RFC 2046).
const BOUNDARY_MAX: usize = 70;

/// A form as it was sent.
pub(crate) struct FileForm {
    /// The fields that stand before the file; those left empty are not there.
    pub(crate) fields: Params,
    /// The file's name; empty when none was chosen.
    pub(crate) file_name: String,
    /// The file.
    pub(crate) file: Body,
}

/// Reads a form up to its file.
///
/// # Errors
/// 415 when it is no such form, 400 when it is cut off, too long, or has no file; 408.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<FileForm, Problem> {
    let boundary = boundary(headers).ok_or_else(|| {
        Problem::unsupported_media_type("Send the form as multipart/form-data with its boundary.")
    })?;
    let parts = Parts::of(body, &boundary);
    tokio::time::timeout(ARRIVAL, fields(parts))
        .await
        .map_err(|_| Problem::request_timeout("The form did not arrive within a minute."))?
}

async fn fields(mut parts: Parts) -> Result<FileForm, Problem> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let ender = parts.ender.clone();
    parts.until(&ender).await?;
    while fields.len() < FIELDS_MAX {
        if parts.until(b"\r\n").await?.starts_with(b"--") {
            return Err(Problem::malformed_body("The form holds no file. Choose one."));
        }
        // A part has at least the line that names it.
        let head = parts.until(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let name = word(&head, "name").unwrap_or_default();
        if let Some(file_name) = word(&head, "filename") {
            let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let fields = Params::of_pairs(pairs);
            return Ok(FileForm { fields, file_name, file: parts.file() });
        }
        let value = parts.until(&ender).await?;
        let value = String::from_utf8(value.to_vec())
            .map_err(|_| Problem::malformed_body("A field of the form is not UTF-8."))?;
        fields.push((name, value));
    }
    Err(Problem::malformed_body("The form has more fields than any of ours."))
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (kind, rest) = sent.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let text = rest.split(';').find_map(|word| word.trim().strip_prefix("boundary="))?;
    let text = text.trim_matches('"');
    (is_form && !text.is_empty() && text.len() <= BOUNDARY_MAX).then(|| text.to_owned())
}

/// A quoted word of Content-Disposition, as browsers write it: `"` as `%22`, line ends as `%0D%0A`.
fn word(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| {
        line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let (_, rest) = line.split_once(&format!("; {name}=\""))?;
    let (text, _) = rest.split_once('"')?;
    Some(text.replace("%22", "\"").replace("%0D", "").replace("%0A", ""))
}

/// The parts of a form, as they arrive.
struct Parts {
    stream: BodyDataStream,
    held: BytesMut,
    /// What stands before each part and after the last.
    ender: Vec<u8>,
}

impl Parts {
    fn of(body: Body, boundary: &str) -> Self {
        // The first boundary has no line before it; with one, all are alike.
        let held = BytesMut::from(&b"\r\n"[..]);
        let ender = format!("\r\n--{boundary}").into_bytes();
        Self { stream: body.into_data_stream(), held, ender }
    }

    /// Takes in more; false at the end.
    async fn more(&mut self) -> std::io::Result<bool> {
        match self.stream.next().await {
            None => Ok(false),
            Some(Ok(part)) => {
                self.held.extend_from_slice(&part);
                Ok(true)
            }
            Some(Err(error)) => Err(std::io::Error::other(error)),
        }
    }

    /// All up to this mark, which is passed over.
    async fn until(&mut self, mark: &[u8]) -> Result<Bytes, Problem> {
        loop {
            if let Some(at) = place(&self.held, mark) {
                let taken = self.held.split_to(at).freeze();
                drop(self.held.split_to(mark.len()));
                return Ok(taken);
            }
            if self.held.len() > FIELD_BYTES_MAX {
                return Err(Problem::malformed_body("A field of the form is too long."));
            }
            if !self.more().await.unwrap_or(false) {
                return Err(Problem::malformed_body("The form ended before all had arrived."));
            }
        }
    }

    /// The rest up to the next boundary, as a body.
    fn file(self) -> Body {
        Body::from_stream(unfold(Some(self), |parts| async {
            let mut parts = parts?;
            loop {
                if let Some(at) = place(&parts.held, &parts.ender) {
                    return Some((Ok(parts.held.split_to(at).freeze()), None));
                }
                // What may be the beginning of the boundary waits for what comes after it.
                let sure = parts.held.len().saturating_sub(parts.ender.len());
                if sure > 0 {
                    return Some((Ok(parts.held.split_to(sure).freeze()), Some(parts)));
                }
                match parts.more().await {
                    Ok(true) => {}
                    Ok(false) => {
                        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                        return Some((Err(cut), None));
                    }
                    Err(error) => return Some((Err(error), None)),
                }
            }
        }))
    }
}

/// Where a mark begins.
fn place(held: &[u8], mark: &[u8]) -> Option<usize> {
    held.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().expect("a header"));
        headers
    }

    /// The form sent in pieces of so many bytes.
    async fn sent(text: &str, piece: usize) -> Result<(String, String, Option<String>), String> {
        let pieces: Vec<_> = text
            .as_bytes()
            .chunks(piece)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect();
        let body = Body::from_stream(stream::iter(pieces));
        let form = read(&headers("multipart/form-data; boundary=xYz"), body).await;
        let form = form.map_err(|problem| problem.detail)?;
        let file = axum::body::to_bytes(form.file, 1 << 20).await.ok();
        let file = file.map(|file| String::from_utf8_lossy(&file).into_owned());
        Ok((form.fields.sorted_without(&[]), form.file_name, file))
    }

    const FORM: &str = "--xYz\r\nContent-Disposition: form-data; name=\"mode\"\r\n\r\npartial\r\n--xYz\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n--xY\r\n--xYz--\r\n";

    #[tokio::test]
    async fn a_form_is_the_same_in_whatever_pieces_it_arrives() {
        for piece in [1, 2, 3, 7, 64, 10_000] {
            let (fields, name, file) = sent(FORM, piece).await.expect("a form");
            assert_eq!((fields.as_str(), name.as_str()), ("mode=partial", "a\"b.csv"), "{piece}");
            assert_eq!(file.as_deref(), Some("a,b\r\n1,2\r\n--xY"), "{piece}");
        }
    }

    #[tokio::test]
    async fn what_is_no_form_or_only_half_of_one_is_refused() {
        let cut = FORM.split("--xY\r\n").next().expect("a part");
        let (.., file) = sent(cut, 10).await.expect("its fields");
        assert_eq!(file, None, "a file that is cut off is no file");
        let none = FORM.replace("; filename=\"a%22b.csv\"", "");
        assert!(sent(&none, 10).await.expect_err("no file").contains("Choose one"));
        assert!(sent("--xYz", 10).await.is_err());
        assert!(sent(&"x".repeat(20_000), 100).await.expect_err("long").contains("too long"));
        for kind in ["text/plain", "multipart/form-data", "multipart/form-data; boundary="] {
            assert!(read(&headers(kind), Body::empty()).await.is_err(), "{kind}");
        }
    }
}
