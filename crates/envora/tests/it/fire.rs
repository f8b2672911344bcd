//! The binary under fire: started, fed over HTTP, killed; its folder opened again and read whole.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use envora_crypto::entropy::OsEntropy;
use envora_domain::activities::Activity;
use envora_domain::activities::canonical::rows;
use envora_domain::id::FacilityId;
use envora_domain::ports::{Clock, Entropy};
use envora_domain::time::Timestamp;
use envora_identity::policy::own_work;
use envora_ingest::process::recount::recount;
use envora_ingest::tenant::TenantParts;
use envora_lake::os_disk::OsDisk;
use envora_server::app::World;
use envora_server::folder::init::{Environment, Loopback, NewOrganization, init};
use envora_server::folder::open::open;
use envora_store::facilities::FacilityFields;
use envora_store::nouns::noun_put;
use envora_store::segments::segments_from;

/// The wall clock, as far as these tests need one.
struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since = UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.now().as_micros()).unwrap()
    }
}

pub(crate) fn world() -> World {
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    World { clock: Arc::new(TestClock), entropy, disk: Arc::new(OsDisk) }
}

/// Makes a folder for one organization with the facility `b1`; gives its operator's token.
pub(crate) fn new_folder(folder: &Path) -> String {
    let organization = NewOrganization {
        slug: "acme".to_owned(),
        name: "Acme".to_owned(),
        time_zone: "UTC".to_owned(),
        domain: "envora.test".to_owned(),
        environment: Environment::Live,
        loopback: Loopback::Unnamed,
    };
    let report = init(folder, &organization, &world()).unwrap();
    let app = open(folder, world(), None).unwrap();
    for tenant in app.tenants().all() {
        let (grant, now) = (own_work(tenant.id()), app.clock().now());
        let facility = FacilityFields {
            id: FacilityId::new(now, app.entropy()),
            code: "b1".to_owned(),
            name: "One".to_owned(),
            country: "GB".to_owned(),
            region: String::new(),
            time_zone: "UTC".to_owned(),
            grid: String::new(),
            entity: None,
            opened: None,
            closed: None,
        };
        let db = &tenant.parts().db;
        db.write_blocking(move |tx| noun_put(tx, &grant, &facility, now).map(drop)).unwrap();
        db.close();
    }
    report.operator_token.reveal().to_owned()
}

/// A running server.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Kept, so that what the server still says finds a reader.
    _words: BufReader<ChildStderr>,
}

/// `envora serve` of a folder at any free port, perhaps below another program.
fn serve_command(folder: &Path, before: &[&str]) -> Command {
    let log = folder.with_extension("log");
    let place = |path: &Path| path.to_str().unwrap().to_owned();
    let mut words: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
    words.extend([env!("CARGO_BIN_EXE_envora"), "serve", "--data"].map(str::to_owned));
    words.extend([place(folder), "--log".to_owned(), place(&log)]);
    words.extend(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"].map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).env_remove("ENVORA_PLANTED_BUG");
    command
}

/// Tries to serve a folder, and gives what it said when it did not.
pub(crate) fn refused(folder: &Path) -> Output {
    let mut child =
        serve_command(folder, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    envora_testkit::wait::wait_for("the server to give up", || child.try_wait().unwrap());
    child.wait_with_output().unwrap()
}

impl Served {
    /// Starts the binary and waits until it says where it listens.
    pub(crate) fn start(folder: &Path, before: &[&str], bug: Option<&str>) -> Self {
        let mut command = serve_command(folder, before);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(bug) = bug {
            command.env("ENVORA_PLANTED_BUG", bug);
        }
        let mut child = command.spawn().unwrap();
        let mut words = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let before = said.len();
            let read = words.read_line(&mut said).unwrap();
            assert!(read > 0, "the server ended before it listened: {said}");
            if let Some(port) = port_of(&said[before..]) {
                break port;
            }
        };
        Self { child, port, _words: words }
    }

    /// Kills the server at once. A program around it is left to finish what it writes, and to end.
    pub(crate) fn kill(&mut self) {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = std::fs::read_to_string(children).unwrap_or_default();
        if children.trim().is_empty() {
            let _gone = self.child.kill();
        }
        for pid in children.split_whitespace() {
            let _gone = Command::new("kill").args(["-9", pid]).status();
        }
        self.child.wait().unwrap();
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// The port in `… at http://127.0.0.1:4321, …`.
fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("http://")?;
    let (_, rest) = rest.split_once(':')?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest[..digits].parse().ok()
}

/// What a server answered, whole.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends a request; an answer that was cut is no answer.
pub(crate) fn ask(port: u16, head: &str, body: &str) -> std::io::Result<Answered> {
    ask_within(Duration::from_secs(60), port, head, body)
}

/// [`ask`], with so much time for the answer.
pub(crate) fn ask_within(
    time: Duration,
    port: u16,
    head: &str,
    body: &str,
) -> std::io::Result<Answered> {
    ask_host(time, ("acme.localhost", port), head, body)
}

/// [`ask_within`], of whatever answers at this host.
pub(crate) fn ask_host(
    time: Duration,
    (host, port): (&str, u16),
    head: &str,
    body: &str,
) -> std::io::Result<Answered> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(time))?;
    let length = body.len();
    let request = format!(
        "{head}\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    parsed(&answer).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

fn parsed(answer: &str) -> Option<Answered> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.to_ascii_lowercase();
    let (_, length) = length.split_once("content-length: ")?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    (body.len() == length).then(|| Answered {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Text of some length that no packing shortens much, always the same for an id.
pub(crate) fn note(id: &str) -> String {
    let mut state =
        id.bytes().fold(7_u64, |state, byte| state.wrapping_mul(31).wrapping_add(byte.into())) | 1;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).unwrap())
    };
    (0..120).map(|_| letter()).collect()
}

/// The body of an import of these activities, one line each.
fn lines(ids: &[String]) -> String {
    let row = |id: &String| {
        format!(
            "{{\"external_id\":\"{id}\",\"type\":\"electricity.purchased\",\"quantity\":\"1.5\",\
             \"unit\":\"kW.h\",\"start\":\"2022-01-01T00:00:00Z\",\"end\":\"2022-01-01T01:00:00Z\",\
             \"facility_code\":\"b1\",\"note\":\"{}\"}}\n",
            // So long that two hundred rows, packed, are a file of their own.
            ["", "b", "c"].map(|more| note(&format!("{id}{more}"))).concat()
        )
    };
    ids.iter().map(row).collect()
}

/// Sends these activities, under a key of their own: sending them again is the same request.
pub(crate) fn send(port: u16, token: &str, ids: &[String]) -> std::io::Result<Answered> {
    let first = &ids[0];
    // Both ways in: as a file whose bytes are kept, and as rows alone.
    let even = first.bytes().map(u64::from).sum::<u64>().is_multiple_of(2);
    let way = if even { "imports" } else { "activities" };
    let head = format!(
        "POST /v2/organizations/acme/{way}?mode=atomic HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nX-Idempotency-Key: key-of-{first}"
    );
    ask(port, &head, &lines(ids))
}

/// Whether these activities were acknowledged.
pub(crate) fn post(port: u16, token: &str, ids: &[String]) -> bool {
    match send(port, token, ids) {
        Ok(answer) => {
            let taken = (200..300).contains(&answer.status);
            assert!(
                taken || matches!(answer.status, 409 | 429 | 503),
                "{}: {}",
                answer.status,
                answer.body
            );
            taken
        }
        Err(_) => false,
    }
}

/// Opens a folder that no process has open, and reads every stored row: id and how often it is
/// there. The calculation catches up, and its cells must be what the rows add up to.
///
/// # Errors
/// Whatever is not as it was promised.
pub(crate) fn read_back(folder: &Path) -> Result<BTreeMap<String, u32>, String> {
    let app = open(folder, world(), None).map_err(|error| chain(error.into()))?;
    let mut found = BTreeMap::new();
    for tenant in app.tenants().all() {
        let parts = Arc::clone(tenant.parts());
        rows_of(&parts, &mut found).map_err(chain)?;
        tenant.processor().catch_up().map_err(chain)?;
        let recount = recount(&parts).map_err(chain)?;
        if !recount.differences.is_empty() {
            return Err(format!("{} cells are not their rows' sums", recount.differences.len()));
        }
        if found.values().map(|count| u64::from(*count)).sum::<u64>() != recount.rows {
            return Err("the calculation has not seen every row".to_owned());
        }
        parts.db.close();
    }
    Ok(found)
}

fn chain(error: anyhow::Error) -> String {
    format!("{error:#}")
}

fn rows_of(parts: &TenantParts, found: &mut BTreeMap<String, u32>) -> anyhow::Result<()> {
    let grant = parts.own.read_activities;
    let segments = parts.db.read_blocking(move |rd| segments_from(rd, &grant, 0, u32::MAX))?;
    for segment in segments {
        let stream = parts.segment_stream(&segment)?;
        for row in rows(&stream)? {
            let (activity, _) = Activity::decode(row)?;
            *found.entry(activity.external_id.unwrap_or_default()).or_insert(0) += 1;
        }
    }
    Ok(())
}

/// What of the acknowledged is missing or doubled, and what is there that nobody sent.
pub(crate) fn breaches(
    found: &BTreeMap<String, u32>,
    acked: impl Iterator<Item = String>,
    sent: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut breaches: Vec<String> = acked
        .filter(|id| !found.contains_key(id))
        .map(|id| format!("{id} was acknowledged and is lost"))
        .collect();
    for (id, count) in found {
        if *count > 1 {
            breaches.push(format!("{id} is there {count} times"));
        }
        if !sent(id) {
            breaches.push(format!("{id} was never sent"));
        }
    }
    breaches
}

/// Says that a suite does not run here; where everything is to be there, that is a failure.
pub(crate) fn skip(what: &str, remedy: &str) {
    envora_testkit::wait::skipped(what, remedy);
    #[expect(clippy::disallowed_methods, reason = "tests may ask what is to be there")]
    let is_ci = std::env::var_os("CI").is_some();
    assert!(!is_ci, "{what} is to run in CI: {remedy}");
}

static MACHINE: Mutex<()> = Mutex::new(());

/// The machine for one suite alone: suites that count kills or images want all of it.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}
