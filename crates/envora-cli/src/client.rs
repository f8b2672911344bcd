//! The HTTP client: one server, one organization, the API's own problems.
//!
//! Names under `localhost` are loopback by definition (RFC 6761), so the client resolves them itself
//! and asks nobody. Without TLS nothing but loopback is spoken to: the token must not travel in the
//! clear.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use envora_api::codes::Code;
use envora_api::listing::Page;
use envora_api::media;
use envora_api::problems::Problem;
use envora_domain::hash::hex;
use envora_domain::ports::Entropy;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::configuration::Chosen;
use crate::failures::{Exit, Failure};

/// How often a request is sent that finds nobody, or a server that asks to wait.
const TRIES: u32 = 4;
/// The longest wait that a server may ask for.
const WAIT_SECS_MAX: u64 = 10;

/// How long a stream may take.
const STREAM_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Whom to ask, and as whom. The token is for this server alone.
#[derive(Clone)]
pub struct Target {
    /// `http://acme.localhost:7780`.
    pub server: String,
    /// The organization's slug or id; the first label of the server's name when absent.
    pub organization: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// How it came to be this one.
    pub chosen: Chosen,
    /// What the person who asks should know about that.
    pub notes: Vec<String>,
}

/// Never with its token.
impl core::fmt::Debug for Target {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.debug_struct("Target")
            .field("server", &self.server)
            .field("organization", &self.organization)
            .field("chosen", &self.chosen)
            .finish_non_exhaustive()
    }
}

/// A client of one organization.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    organization: String,
    token: Option<String>,
    entropy: Arc<dyn Entropy>,
}

/// A body to send.
pub struct Body {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: reqwest::Body,
    /// How many bytes; the server wants to know beforehand.
    pub length: u64,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

/// When a request had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// With this answer.
    Now,
    /// Earlier: the answer is that of the same request, sent before under the same key.
    Before,
}

impl Client {
    /// A client of this server.
    ///
    /// # Errors
    /// When the address is none, or speaks to the outside without TLS.
    pub fn new(target: &Target, entropy: Arc<dyn Entropy>) -> Result<Self, Failure> {
        let base = Url::parse(&target.server).map_err(|_| {
            Failure::usage(
                format!("{:?} is no address of a server", target.server),
                "write it like http://acme.localhost:7780",
            )
        })?;
        let host = base.host_str().unwrap_or("").to_owned();
        let port = base.port_or_known_default().unwrap_or(80);
        if base.scheme() == "https" {
            return Err(Failure::usage(
                format!("https is not spoken here yet: {base}"),
                "this edition speaks plain HTTP on loopback only: write http://",
            ));
        }
        if base.scheme() != "http" || !is_loopback(&host) {
            return Err(Failure::usage(
                format!("{base} is not on this machine"),
                "this edition speaks plain HTTP on loopback only: use a name under localhost",
            ));
        }
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            .map(|address| SocketAddr::new(address, port));
        let json = format!("{}, {}", media::VENDOR, media::PROBLEM);
        let json = HeaderValue::from_str(&json).context("name what is understood")?;
        let http = reqwest::Client::builder()
            .default_headers([(ACCEPT, json)].into_iter().collect())
            .resolve_to_addrs(&host, &loopback)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(600))
            .user_agent(concat!("envora/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("set up the HTTP client")?;
        let organization = target.organization.clone().unwrap_or_else(|| slug_of(&host));
        Ok(Self { http, base, organization, token: target.token.clone(), entropy })
    }

    /// The server's address, without a slash at its end.
    #[must_use]
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads something of the organization: `client.get("/carbon-footprint", &[("from", …)])`.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let url = self.url(path, query)?;
        let answer = self.retry(|http| http.request(Method::GET, url.clone())).await?;
        read(answer).await
    }

    /// One page of a collection: the first one, or the one that a cursor opens.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn page<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        cursor: Option<&str>,
    ) -> Result<Page<T>, Failure> {
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        let query: Vec<(&str, &str)> = query.iter().copied().chain(cursor).collect();
        self.get(path, &query).await
    }

    /// All items of a collection, page by page.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        self.first(path, query, usize::MAX).await
    }

    /// The same, telling after each page how many items there are so far.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn all_told<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        mut tell: impl FnMut(usize),
    ) -> Result<Vec<T>, Failure> {
        let more = |count| {
            tell(count);
            true
        };
        self.pages(path, query, more).await
    }

    /// The first items of a collection, page by page, not more than so many.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn first<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: usize,
    ) -> Result<Vec<T>, Failure> {
        let mut items = self.pages(path, query, |count| count < limit).await?;
        items.truncate(limit);
        Ok(items)
    }

    /// The items of a collection, page by page, for as long as more than so many are wanted.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        mut more: impl FnMut(usize) -> bool,
    ) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.page(path, query, cursor.as_deref()).await?;
            items.extend(page.data);
            cursor = page.next_cursor;
            if !more(items.len()) || cursor.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads bytes of another type than JSON.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn bytes(&self, path: &str) -> Result<Bytes, Failure> {
        let url = self.url(path, &[])?;
        body(self.retry(|http| http.request(Method::GET, url.clone())).await?).await
    }

    /// Opens a stream of another type than JSON, for as long as it takes.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn stream(
        &self,
        path: &str,
        query: &[(&str, &str)],
        media_type: &str,
    ) -> Result<Response, Failure> {
        let url = self.url(path, query)?;
        let accept = format!("{media_type}, {}", media::PROBLEM);
        let send = |http: &reqwest::Client| {
            http.request(Method::GET, url.clone()).header(ACCEPT, &accept).timeout(STREAM_MAX)
        };
        let answer = self.retry(send).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        // It is a problem, therefore never `Ok`.
        body(answer).await.and_then(|_| Err(anyhow::anyhow!("the server sent no stream").into()))
    }

    /// Sends JSON to something of the organization.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        self.post_asking((path, &[]), body).await
    }

    /// The same for an answer of another type than JSON.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn post_for<B: Serialize + Sync>(
        &self,
        path: &str,
        sent: &B,
        media_type: &str,
    ) -> Result<Response, Failure> {
        let bytes = serde_json::to_vec(sent).context("write the request")?;
        let url = self.url(path, &[])?;
        let accept = format!("{media_type}, {}", media::PROBLEM);
        let send = |http: &reqwest::Client| {
            http.request(Method::POST, url.clone())
                .header(CONTENT_TYPE, media::VENDOR)
                .header(ACCEPT, &accept)
                .body(bytes.clone())
        };
        let answer = self.retry(send).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        // It is a problem, therefore never `Ok`.
        body(answer).await.and_then(|_| Err(anyhow::anyhow!("the server sent no file").into()))
    }

    /// The same, with a query.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn post_asking<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        (path, query): (&str, &[(&str, &str)]),
        body: &B,
    ) -> Result<T, Failure> {
        let bytes = serde_json::to_vec(body).context("write the request")?;
        let (url, key) = (self.url(path, query)?, self.idempotency_key());
        let send = |http: &reqwest::Client| {
            http.request(Method::POST, url.clone())
                .header(CONTENT_TYPE, media::VENDOR)
                .header(media::IDEMPOTENCY_KEY_X, &key)
                .body(bytes.clone())
        };
        read(self.retry(send).await?).await
    }

    /// Changes something of the organization that is at this version.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn patch<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        version: u64,
        body: &B,
    ) -> Result<T, Failure> {
        let bytes = serde_json::to_vec(body).context("write the request")?;
        let url = self.url(path, &[])?;
        let send = |http: &reqwest::Client| {
            http.request(Method::PATCH, url.clone())
                .header(CONTENT_TYPE, "application/merge-patch+json")
                .header(IF_MATCH, format!("\"v{version}\""))
                .body(bytes.clone())
        };
        read(self.retry(send).await?).await
    }

    /// Puts bytes somewhere, with this header.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn put_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: &Bytes,
        (name, value): (&'static str, &str),
    ) -> Result<T, Failure> {
        let url = self.url(path, &[])?;
        let send = |http: &reqwest::Client| {
            http.request(Method::PUT, url.clone())
                .header(CONTENT_TYPE, media::BYTES)
                .header(name, value)
                .body(bytes.clone())
        };
        read(self.retry(send).await?).await
    }

    /// Archives one, of the version that was read.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        version: u64,
    ) -> Result<T, Failure> {
        let url = self.url(path, &[])?;
        let send = |http: &reqwest::Client| {
            http.request(Method::DELETE, url.clone()).header(IF_MATCH, format!("\"v{version}\""))
        };
        read(self.retry(send).await?).await
    }

    /// Sends a file, under this idempotency key or one of its own; `body` is called again for each try.
    ///
    /// # Errors
    /// The server's problem, or that there is no server.
    pub async fn send<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        key: Option<String>,
        body: impl Fn() -> Body + Sync,
    ) -> Result<(T, Effect), Failure> {
        let key = key.unwrap_or_else(|| self.idempotency_key());
        let url = self.url(path, query)?;
        let send = |http: &reqwest::Client| {
            let body = body();
            let request = http
                .request(Method::POST, url.clone())
                .header(CONTENT_TYPE, body.media_type)
                .header(reqwest::header::CONTENT_LENGTH, body.length)
                .header(media::IDEMPOTENCY_KEY_X, &key)
                .body(body.bytes);
            body.headers
                .into_iter()
                .fold(request, |request, (name, value)| request.header(name, value))
        };
        let answer = self.retry(send).await?;
        let replayed = answer.headers().get(media::REPLAYED).is_some_and(|told| told == "true");
        let effect = if replayed { Effect::Before } else { Effect::Now };
        Ok((read(answer).await?, effect))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let text = format!("/v2/organizations/{}{path}", self.organization);
        let mut url = self.base.join(&text).context("make the request's address")?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn idempotency_key(&self) -> String {
        let mut random = [0_u8; 16];
        self.entropy.fill(&mut random);
        hex(&random)
    }

    async fn retry(
        &self,
        request: impl Fn(&reqwest::Client) -> RequestBuilder + Sync,
    ) -> Result<Response, Failure> {
        let mut tried = 1;
        let mut ending: Option<Problem> = None;
        loop {
            let mut sending = request(&self.http);
            if let Some(token) = &self.token {
                sending = sending.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let answer = sending.send().await;
            let wait = match &answer {
                Ok(answer) => wait_asked_for(answer),
                Err(error) if error.is_connect() => Some(Duration::from_millis(200 << tried)),
                Err(_) => None,
            };
            match (wait, answer) {
                (Some(wait), answer) if tried < TRIES => {
                    if let Ok(answer) = answer {
                        ending = draining(answer).await.or(ending);
                    }
                    tokio::time::sleep(wait).await;
                }
                // What it said before it ended says more than that nobody answers now.
                (_, Err(error)) if error.is_connect() => {
                    return Err(ending.map_or_else(|| self.no_answer(&error), |told| ended(&told)));
                }
                (_, answer) => return answer.map_err(|error| self.no_answer(&error)),
            }
            tried += 1;
        }
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let server = self.server();
        let (what, help) = if error.is_connect() {
            (
                format!("nobody answers at {server}"),
                "start a server with `envora serve`, or name another one with --server",
            )
        } else if error.is_timeout() {
            (format!("{server} did not answer in time"), "try again; the server's log may say more")
        } else {
            (
                format!("{server} broke off: {}", error.to_string().to_lowercase()),
                "try again; what was acknowledged is stored, and a row with an id is not doubled when it is sent again",
            )
        };
        Failure::known((Exit::Unavailable, "unavailable"), what, help)
    }
}

/// A pause that the server asks for before the same request may come again.
fn wait_asked_for(answer: &Response) -> Option<Duration> {
    let busy = matches!(
        answer.status(),
        StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse::<u64>().ok()?;
    (busy && seconds <= WAIT_SECS_MAX).then(|| Duration::from_secs(seconds.max(1)))
}

/// What a server that is shutting down says; nothing of any other.
async fn draining(answer: Response) -> Option<Problem> {
    if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let bytes = answer.bytes().await.ok()?;
    let problem = serde_json::from_slice::<Problem>(&bytes).ok()?;
    (problem.code == Code::draining.as_str()).then_some(problem)
}

/// A server that refused the request because it was shutting down, and is gone: in its own words, for
/// it knows whether something was stored.
fn ended(problem: &Problem) -> Failure {
    let help =
        "start the server again and type the same command: what was stored before counts once";
    let what = format!("{} It has ended since.", problem.detail);
    Failure::known((Exit::Unavailable, Code::draining.as_str()), what, help)
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let bytes = body(answer).await?;
    let parsed = serde_json::from_slice(&bytes).context("understand the server's answer");
    Ok(parsed?)
}

/// The body of an answer that is no problem.
async fn body(answer: Response) -> Result<Bytes, Failure> {
    let status = answer.status();
    let bytes = answer.bytes().await.context("read the answer")?;
    if status.is_success() {
        return Ok(bytes);
    }
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(problem) => Err(Failure::Problem(Box::new(problem))),
        Err(_) => Err(Failure::known(
            (Exit::Error, "not_envora"),
            format!("the server answered {status} in words of its own"),
            "is this address an Envora server?",
        )),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

/// `acme` of `acme.localhost` and of `acme-test.localhost`.
fn slug_of(host: &str) -> String {
    let label = host.split('.').next().unwrap_or(host);
    label.strip_suffix("-test").unwrap_or(label).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, slug_of};

    #[test]
    fn only_loopback_is_spoken_to_without_tls() {
        for host in ["localhost", "acme.localhost", "ACME.localhost", "127.0.0.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.org", "localhost.example.org", "10.0.0.1", "notlocalhost", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_first_label_names_the_organization() {
        assert_eq!(slug_of("acme.localhost"), "acme");
        assert_eq!(slug_of("acme-test.localhost"), "acme");
    }
}
