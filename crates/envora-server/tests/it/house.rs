//! A folder with two organizations, open, and a client that talks to its router.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use envora_domain::ports::{Clock, Disk};
use envora_domain::time::Timestamp;
use envora_lake::os_disk::OsDisk;
use envora_server::app::{App, World};
use envora_server::folder::FolderError;
use envora_server::folder::init::{Environment, InitReport, Loopback, NewOrganization, add, init};
use envora_server::folder::open::open;
use envora_server::routes;
use envora_server::serving::{Bound, Listen};
use envora_testkit::clock::FixedClock;
use envora_testkit::entropy::SeededEntropy;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// The organization that the tests are about.
pub(crate) const ACME: &str = "acme";
/// Another one in the same folder.
pub(crate) const BOLT: &str = "bolt";

/// A folder, open.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) token: String,
    pub(crate) other_token: String,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) folder: TempDir,
}

/// The house behind sockets of its own, until it is told to end.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinSet<anyhow::Result<()>>,
}

impl Served {
    pub(crate) async fn of(house: &House) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let bound = Bound::bind(Listen { address: any, admin: any }).await.unwrap();
        let (address, admin) = (bound.address(), bound.admin_address());
        let (stop, stopped) = oneshot::channel();
        let mut serving = JoinSet::new();
        serving.spawn(bound.serve(house.app.clone(), async { drop(stopped.await) }));
        Self { address, admin, stop, serving }
    }

    /// Ends it, as it ends by a signal.
    pub(crate) async fn end(mut self) {
        self.stop.send(()).unwrap();
        self.serving.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem, whole: type, code, status and request id.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("/docs/errors/{code}"));
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 8), "{body}");
        body
    }
}

pub(crate) fn organization(slug: &str, environment: Environment) -> NewOrganization {
    NewOrganization {
        slug: slug.to_owned(),
        name: format!("The {slug} company"),
        time_zone: "Europe/London".to_owned(),
        domain: "envora.test".to_owned(),
        environment,
        loopback: Loopback::Unnamed,
    }
}

pub(crate) fn world() -> (World, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::at(Timestamp::parse("2026-11-20T09:00:00Z").unwrap()));
    let entropy = Arc::new(SeededEntropy::new(7));
    (World { clock: Arc::<FixedClock>::clone(&clock), entropy, disk: Arc::new(OsDisk) }, clock)
}

/// An idempotency key that no other request of this process has.
pub(crate) fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-number-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Does work that blocks on a thread of its own, as `envora` does.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// Opens a folder again.
pub(crate) fn opened(path: &std::path::Path) -> Result<App, FolderError> {
    apart(|| open(path, world().0, None))
}

impl House {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(OsDisk))
    }

    /// A house on another disk than the real one.
    pub(crate) fn on(disk: Arc<dyn Disk>) -> Self {
        Self::with(disk, "")
    }

    /// A house whose `envora.toml` is there before it is made, when it says anything.
    pub(crate) fn with(disk: Arc<dyn Disk>, settings: &str) -> Self {
        apart(|| Self::made(disk, settings))
    }

    fn made(disk: Arc<dyn Disk>, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (world, clock) = world();
        let world = World { disk, ..world };
        let path = folder.path().join("data");
        if !settings.is_empty() {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("envora.toml"), settings).unwrap();
        }
        let mut ours = organization(ACME, Environment::Live);
        ours.loopback = Loopback::Named;
        let InitReport { operator_token, .. } = init(&path, &ours, &world).unwrap();
        let other = add(&path, &organization(BOLT, Environment::Live), &world).unwrap();
        add(&path, &organization(ACME, Environment::Test), &world).unwrap();
        let app = open(&path, world, None).unwrap();
        let router = routes::router(&app);
        let token = operator_token.reveal().to_owned();
        let other_token = other.operator_token.reveal().to_owned();
        Self { app, router, token, other_token, clock, folder }
    }

    /// The time of the house.
    pub(crate) fn clock_now(&self) -> Timestamp {
        Clock::now(&*self.clock)
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A request of the operator to a path below the organization.
    pub(crate) fn ask(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("/v2/organizations/{ACME}{path}"))
            .header("host", "acme.localhost:8080")
            .header("authorization", format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.ask("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self
            .ask("POST", path)
            .header("content-type", "application/json")
            .header("x-idempotency-key", new_key())
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// A POST of JSON under an idempotency key.
    pub(crate) async fn post_as(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = self
            .ask("POST", path)
            .header("content-type", "application/json")
            .header("idempotency-key", format!("\"{key}\""))
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// A PUT of JSON, on a condition.
    pub(crate) async fn put(&self, path: &str, condition: (&str, &str), body: &Value) -> Answer {
        let mut request = self.ask("PUT", path).header("content-type", "application/json");
        if !condition.0.is_empty() {
            request = request.header(condition.0, condition.1);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn patch(&self, path: &str, version: &str, body: &Value) -> Answer {
        let request = self
            .ask("PATCH", path)
            .header("content-type", "application/merge-patch+json")
            .header("if-match", version)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }
}
