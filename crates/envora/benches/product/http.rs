//! HTTP/1.1 as the bench speaks it: one connection that is kept, requests one after the other.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Whom to ask, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) port: u16,
    pub(crate) organization: String,
    pub(crate) token: String,
}

/// A connection that is kept.
pub(crate) struct Connection {
    place: Place,
    stream: BufReader<TcpStream>,
    head: Vec<u8>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("read an answer")
    }
}

impl Connection {
    pub(crate) fn open(place: &Place) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", place.port)).context("connect")?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(64 << 10, stream);
        Ok(Self { place: place.clone(), stream, head: Vec::new() })
    }

    /// Reads something of the organization.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "", b"")
    }

    /// Reads something that has to be there.
    pub(crate) fn read(&mut self, path: &str) -> Result<Value> {
        let answer = self.get(path)?;
        if answer.status != 200 {
            bail!("{path}: {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        answer.json()
    }

    /// Sends rows; what is answered when too much is under way (429) is given back as it is.
    pub(crate) fn post(&mut self, path: &str, media_type: &str, body: &[u8]) -> Result<Answer> {
        let more = format!("Content-Type: {media_type}\r\nPrefer: return=minimal\r\n");
        self.ask("POST", path, &more, body)
    }

    fn ask(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Result<Answer> {
        let Place { port, organization, token } = &self.place;
        self.head.clear();
        write!(
            self.head,
            "{method} /v2/organizations/{organization}{path} HTTP/1.1\r\n\
             Host: {organization}.localhost:{port}\r\nAuthorization: Bearer {token}\r\n\
             {more}Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        let small = body.len() < 16 << 10;
        if small {
            self.head.extend_from_slice(body);
        }
        self.stream.get_mut().write_all(&self.head).context("send")?;
        if !small {
            self.stream.get_mut().write_all(body).context("send a body")?;
        }
        self.answer().with_context(|| format!("{method} {path}"))
    }

    fn answer(&mut self) -> Result<Answer> {
        let (mut status, mut length, mut line) = (None, None, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the server closed the connection");
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status.is_none() {
                status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
            }
            if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        let length: usize = length.context("an answer without a length")?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).context("read an answer")?;
        Ok(Answer { status: status.context("an answer without a status")?, body })
    }
}
