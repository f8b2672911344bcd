//! P03: whatever call to the system fails while rows are stored, they are stored right or not
//! acknowledged. After a failed sync nothing is acknowledged any more, and the process ends.
//!
//! A first run counts the calls that one request makes in the folder, by thread, call and file. Then
//! each of them fails once, in a run of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use envora_testkit::counts::{self, is_long, is_slow};
use envora_testkit::scratch::{copy_folder, scratch_folder};
use envora_testkit::wait::{wait_for, within};

use crate::fire::{Served, alone, breaches, new_folder, read_back, send, skip};

/// The calls that can fail.
const SYSCALLS: &[&str] = &[
    "openat",
    "read",
    "pread64",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "unlink",
];
/// Servers that are under fire at the same time.
const LANES: usize = 4;
/// How often a call that did not come is waited for in a new run.
const TRIES: usize = 4;

/// Whose calls are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Threads {
    /// The one that commits.
    Writer,
    /// Those that read the database.
    Readers,
    /// All, as far as they touch this file.
    Touching(String),
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The device does not answer.
    Eio,
    /// The disk is full.
    Enospc,
    /// No more files can be opened.
    Emfile,
    /// The process dies just before it.
    Kill,
    /// The disk is slow.
    Delay,
}

impl Fault {
    const ALL: &[Self] = &[Self::Eio, Self::Enospc, Self::Emfile, Self::Kill, Self::Delay];

    const fn words(self) -> &'static str {
        match self {
            Self::Eio => "error=EIO",
            Self::Enospc => "error=ENOSPC",
            Self::Emfile => "error=EMFILE",
            Self::Kill => "error=EIO:signal=KILL",
            Self::Delay => "delay_enter=200ms",
        }
    }

    const fn of(syscall: &str) -> &'static [Self] {
        match syscall.as_bytes() {
            b"openat" => &[Self::Eio, Self::Emfile],
            b"read" | b"pread64" => &[Self::Eio],
            b"fsync" | b"fdatasync" => &[Self::Eio, Self::Enospc, Self::Kill, Self::Delay],
            _ => &[Self::Eio, Self::Enospc, Self::Kill],
        }
    }
}

/// One call of the request that is to fail.
#[derive(Clone, Debug)]
struct Case {
    threads: Threads,
    syscall: &'static str,
    nth: usize,
    /// The file it is made to.
    file: String,
    /// Whether the request was not answered yet.
    is_before_answer: bool,
    fault: Fault,
}

impl Case {
    fn is_failed_sync(&self) -> bool {
        self.syscall.contains("sync") && matches!(self.fault, Fault::Eio | Fault::Enospc)
    }

    /// Whether SQLite makes it by itself and does not look at what comes of it: the entry of its journal
    /// in the tenant's folder, which was made durable when the folder was opened.
    fn is_unseen(&self) -> bool {
        self.threads == Threads::Writer && self.syscall == "fsync" && !self.file.contains('.')
    }

    /// Which calls can be told apart: each of these must have failed in some run.
    fn kind(&self) -> String {
        let whose = match self.threads {
            Threads::Writer => "the writer's",
            Threads::Readers => "a reader's",
            Threads::Touching(_) => "a",
        };
        format!("{whose} {} of {}: {:?}", self.syscall, self.file, self.fault)
    }
}

/// A call as the trace shows it.
struct Seen {
    thread: u32,
    syscall: &'static str,
    /// Below the folder; none where it is made elsewhere.
    file: Option<String>,
}

/// The calls of a trace, and how many of them came before the first answer of success.
fn calls(trace: &str, folder: &Path) -> (Vec<Seen>, usize) {
    let folder = format!("{}/", folder.display());
    let (mut seen, mut before_answer) = (Vec::new(), None);
    for line in trace.lines() {
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (thread, rest) = line.split_at(digits);
        let Some((name, _)) = rest.trim_start().split_once('(') else { continue };
        if line.contains("\"HTTP/1.1 2") && before_answer.is_none() {
            before_answer = Some(seen.len());
        }
        let Some(syscall) = SYSCALLS.iter().find(|known| **known == name) else { continue };
        let file = line
            .split_once(&folder)
            .map(|(_, rest)| rest.split(['>', '"']).next().unwrap_or_default().to_owned());
        seen.push(Seen { thread: thread.parse().unwrap_or(0), syscall, file });
    }
    let all = seen.len();
    (seen, before_answer.unwrap_or(all))
}

/// The threads of a process by their names.
fn threads_of(process: u32) -> BTreeMap<u32, String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let named = tasks.map(|task| {
        let path = task.unwrap().path();
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        let id = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        (id, name.trim().to_owned())
    });
    named.collect()
}

fn named(threads: &BTreeMap<u32, String>, name: &str) -> Vec<u32> {
    threads.iter().filter(|(_, own)| own.contains(name)).map(|(id, _)| *id).collect()
}

/// A place where one server at a time is under fire. All have the same folder to begin with, so that
/// files have the same names.
struct Lane {
    home: PathBuf,
    folder: PathBuf,
    template: PathBuf,
}

impl Lane {
    fn new(home: &Path, template: &Path, number: usize) -> Self {
        let home = home.join(format!("lane-{number}"));
        fs::create_dir(&home).unwrap();
        Self { folder: home.join("data"), home, template: template.to_owned() }
    }

    /// A server of a fresh folder, with one thread for requests: else calls change their places.
    fn serve(&self, bug: Option<&str>) -> Served {
        let _gone = fs::remove_dir_all(&self.folder);
        copy_folder(&self.template, &self.folder);
        Served::start(&self.folder, &["env", "TOKIO_WORKER_THREADS=1"], bug)
    }

    fn trace(&self) -> PathBuf {
        self.home.join("trace")
    }

    /// Follows some threads of a server; none when that is not allowed here.
    fn follow(&self, whom: &[String], what: &[String]) -> Option<Child> {
        let _gone = fs::remove_file(self.trace());
        let place = self.trace().to_str().unwrap().to_owned();
        let mut command = Command::new("strace");
        command.args(["-y", "-s", "16", "-e", "signal=none", "-o", &place]).args(what).args(whom);
        let mut strace = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut words = BufReader::new(strace.stderr.take().unwrap());
        let mut waits_for = whom.iter().filter(|word| *word == "-p").count();
        let mut line = String::new();
        while waits_for > 0 {
            line.clear();
            if words.read_line(&mut line).unwrap() == 0 {
                strace.wait().unwrap();
                return None;
            }
            waits_for -= usize::from(line.contains(" attached"));
        }
        // What it says later finds a reader.
        std::thread::spawn(move || for _ in words.lines() {});
        Some(strace)
    }
}

/// What is sent: as a file, whose bytes are kept; and then as one row alone.
struct Requests {
    first: Vec<String>,
    second: Vec<String>,
}

impl Requests {
    /// Few rows travel in the database, many in a file of their own.
    fn of(rows: usize) -> Self {
        let first = (0..rows).map(|row| format!("s1{row:03}")).collect();
        Self { first, second: vec!["t1000".to_owned()] }
    }

    fn was_sent(&self, id: &str) -> bool {
        self.first.iter().chain(&self.second).any(|sent| sent == id)
    }
}

/// Whether a request was acknowledged.
fn acked(port: u16, token: &str, ids: &[String]) -> bool {
    send(port, token, ids).is_ok_and(|answer| (200..300).contains(&answer.status))
}

/// The calls that a request makes, each as often as it can fail; none when nothing can be followed.
fn counted(lane: &Lane, token: &str, requests: &Requests) -> Option<Vec<Case>> {
    let mut server = lane.serve(None);
    let process = server.child.id();
    let threads = threads_of(process);
    let filter = format!("trace={},writev,sendto", SYSCALLS.join(","));
    // The calculation reads before it writes: slowly, so that all it does comes after the answer.
    let slowly = "inject=pread64:delay_enter=20ms";
    let what = ["-f", "-e", &filter, "-e", slowly].map(str::to_owned);
    let mut strace = lane.follow(&["-p".to_owned(), process.to_string()], &what)?;
    assert!(acked(server.port, token, &requests.first), "without a fault it is acknowledged");
    // The anchor comes last, and its folder is synced last of all.
    wait_for("the anchor", || {
        let trace = fs::read_to_string(lane.trace()).ok()?;
        let (_, rest) = trace.split_once("rename(\"")?;
        rest.split_once("/anchor\"")?.1.contains("fsync(").then_some(())
    });
    server.kill();
    strace.wait().unwrap();
    let trace = fs::read_to_string(lane.trace()).unwrap();
    let (seen, before_answer) = calls(&trace, &lane.folder);
    let (writer, readers) = (named(&threads, "store-writer"), named(&threads, "store-reader"));
    assert_eq!((writer.len(), readers.is_empty()), (1, false), "{threads:?}");
    let mut times: BTreeMap<(Threads, u32, &str), usize> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut cases = Vec::new();
    for (place, call) in seen.iter().enumerate() {
        let whose = if writer.contains(&call.thread) {
            Threads::Writer
        } else if readers.contains(&call.thread) {
            Threads::Readers
        } else if let Some(file) = call.file.as_ref().filter(|file| !file.ends_with(".seg")) {
            Threads::Touching(file.clone())
        } else {
            // A segment has another name in each run: what the calculation reads of it is not found again.
            continue;
        };
        let nth = times.entry((whose.clone(), call.thread, call.syscall)).or_default();
        *nth += 1;
        let Some(file) = &call.file else { continue };
        if !known.insert((whose.clone(), call.syscall, *nth)) {
            continue;
        }
        cases.extend(Fault::of(call.syscall).iter().map(|fault| Case {
            threads: whose.clone(),
            syscall: call.syscall,
            nth: *nth,
            file: general(file),
            is_before_answer: place < before_answer,
            fault: *fault,
        }));
    }
    Some(cases)
}

/// A file without what differs from run to run.
fn general(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or_default();
    let name = if name.ends_with(".seg") { "*.seg" } else { name };
    let folder = file.split('/').nth_back(1).unwrap_or_default();
    let is_tenant = folder.len() == 32;
    // A source file is named by its bytes.
    let name = if folder == "sources" {
        name.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    } else {
        name
    };
    if is_tenant { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What came of one run.
struct Outcome {
    was_hit: bool,
    breaches: Vec<String>,
}

/// Makes the call fail in a run of its own, and looks at what is left.
fn fired(
    lane: &Lane,
    token: &str,
    (requests, case, bug): (&Requests, &Case, Option<&str>),
) -> Outcome {
    let mut server = lane.serve(bug);
    let process = server.child.id();
    let threads = threads_of(process);
    let each =
        |ids: Vec<u32>| ids.iter().flat_map(|id| ["-p".to_owned(), id.to_string()]).collect();
    let whom: Vec<String> = match &case.threads {
        Threads::Writer => each(named(&threads, "store-writer")),
        Threads::Readers => each(named(&threads, "store-reader")),
        Threads::Touching(file) => {
            let place = lane.folder.join(file).to_str().unwrap().to_owned();
            ["-f", "-P", &place, "-p", &process.to_string()].map(str::to_owned).to_vec()
        }
    };
    let filter = format!("trace={}", case.syscall);
    let inject = format!("inject={}:{}:when={}", case.syscall, case.fault.words(), case.nth);
    let what = ["-e", &filter, "-e", &inject].map(str::to_owned);
    let mut strace = lane.follow(&whom, &what).unwrap();
    let first = acked(server.port, token, &requests.first);
    let is_hit = |server: &mut Served| match case.fault {
        Fault::Kill => {
            matches!(server.child.try_wait(), Ok(Some(status)) if status.signal() == Some(9))
        }
        Fault::Eio | Fault::Enospc | Fault::Emfile | Fault::Delay => {
            let trace = fs::read_to_string(lane.trace()).unwrap_or_default();
            trace.contains("(INJECTED)") || trace.contains("(DELAYED)")
        }
    };
    // What comes after the answer comes a little later.
    let soon = Duration::from_secs(2);
    let was_hit = within(soon, || is_hit(&mut server).then_some(())).is_some();
    let second = acked(server.port, token, &requests.second);
    let mut found = Vec::new();
    if was_hit && case.is_failed_sync() && !case.is_unseen() {
        if case.is_before_answer && first {
            found.push("it was acknowledged over a failed sync".to_owned());
        }
        if second {
            found.push("what came after a failed sync was acknowledged".to_owned());
        }
        let ended = within(Duration::from_secs(30), || server.child.try_wait().unwrap());
        match ended {
            None => found.push("the process goes on after a failed sync".to_owned()),
            Some(status) if status.success() => {
                found.push("it ended as if all were well".to_owned())
            }
            Some(_) => {}
        }
    }
    if was_hit && case.fault == Fault::Delay && !(first && second) {
        found.push("a slow disk was taken for a broken one".to_owned());
    }
    if matches!(server.child.try_wait(), Ok(None)) {
        server.kill();
    }
    strace.wait().unwrap();
    let kept = [(first, &requests.first), (second, &requests.second)];
    let acked_ids: Vec<String> =
        kept.iter().filter(|(acked, _)| *acked).flat_map(|(_, ids)| ids.iter().cloned()).collect();
    found.extend(examined(lane));
    found.extend(again(lane, acked_ids.iter(), requests));
    if is_long() || case.nth.is_multiple_of(4) {
        // Whoever was not told sends it again, and then it is there once.
        let mut server = Served::start(&lane.folder, &[], None);
        for ids in [&requests.first, &requests.second] {
            if !acked(server.port, token, ids) {
                found.push("what was sent again was not taken".to_owned());
            }
        }
        server.kill();
        found.extend(again(lane, requests.first.iter().chain(&requests.second), requests));
    }
    Outcome { was_hit, breaches: found }
}

fn again<'a>(
    lane: &Lane,
    acked: impl Iterator<Item = &'a String>,
    requests: &Requests,
) -> Vec<String> {
    match read_back(&lane.folder) {
        Ok(found) => breaches(&found, acked.cloned(), |id| requests.was_sent(id)),
        Err(error) => vec![error],
    }
}

/// What another process says of the folder.
fn examined(lane: &Lane) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_envora"));
    command.arg("doctor").arg("--data").arg(&lane.folder).env_remove("ENVORA_PLANTED_BUG");
    let said = command.stdin(Stdio::null()).output().unwrap();
    (!said.status.success()).then(|| {
        let words = String::from_utf8_lossy(&said.stdout).into_owned();
        let bad: Vec<&str> = words.lines().filter(|line| !line.starts_with('✓')).collect();
        format!("doctor is not content: {}", bad.join("; "))
    })
}

#[derive(Default)]
struct Report {
    cases: usize,
    kinds: usize,
    hits: BTreeMap<Fault, u64>,
    missed: Vec<String>,
    breaches: Vec<String>,
}

/// Lets the calls fail that `choose` keeps; none when nothing can be followed here.
fn fire(
    rows: usize,
    bug: Option<&str>,
    choose: impl FnOnce(&[Case]) -> Vec<Case>,
) -> Option<Report> {
    let home = scratch_folder();
    let template = home.path().join("template");
    let token = new_folder(&template);
    // The first calculation of a folder notes something once: not in the middle of what is counted.
    assert_eq!(read_back(&template), Ok(BTreeMap::new()));
    let requests = Requests::of(rows);
    let lanes: Vec<Lane> =
        (0..LANES).map(|number| Lane::new(home.path(), &template, number)).collect();
    let cases = choose(&counted(&lanes[0], &token, &requests)?);
    let next = AtomicUsize::new(0);
    let report = Mutex::new(Report { cases: cases.len(), ..Report::default() });
    std::thread::scope(|scope| {
        for lane in &lanes {
            let (cases, next, report, token, requests) =
                (&cases, &next, &report, &token, &requests);
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if bug.is_some() && !report.lock().unwrap().breaches.is_empty() {
                        return;
                    }
                    let mut outcome = fired(lane, token, (requests, case, bug));
                    for _ in 1..TRIES {
                        if outcome.was_hit || !outcome.breaches.is_empty() {
                            break;
                        }
                        outcome = fired(lane, token, (requests, case, bug));
                    }
                    let mut report = report.lock().unwrap();
                    if outcome.was_hit {
                        *report.hits.entry(case.fault).or_default() += 1;
                    } else {
                        report.missed.push(format!("{} ({})", case.kind(), case.nth));
                    }
                    let at = |breach| format!("{}, time {}: {breach}", case.kind(), case.nth);
                    report.breaches.extend(outcome.breaches.into_iter().map(at));
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap();
    report.kinds = cases.iter().map(Case::kind).collect::<BTreeSet<_>>().len();
    Some(report)
}

fn told(what: &str, report: &Report) {
    println!(
        "p03: {what}: {} faults in {} kinds of calls, hit {:?}, missed {:?}",
        report.cases, report.kinds, report.hits, report.missed
    );
}

fn strace_missing() -> bool {
    let there = Command::new("strace").arg("--version").output().is_ok();
    if !there {
        skip("p03", "apt-get install strace");
    }
    !there
}

const NOT_ALLOWED: &str = "let strace follow a process (kernel.yama.ptrace_scope=0, or as root)";

/// The calls that fail in a run of this size: the usual, all; the short, a tenth of the many reads and
/// writes of the database, with one fault each.
fn chosen(cases: &[Case], known: &BTreeSet<String>) -> Vec<Case> {
    let is_new = |case: &&Case| is_long() || !known.contains(&case.kind());
    let is_due = |case: &&Case| {
        let is_one_of_many = matches!(case.syscall, "pwrite64" | "pread64");
        let faults = Fault::of(case.syscall);
        let fault = faults.get(case.nth / 10 % faults.len());
        is_slow() || !is_one_of_many || case.nth.is_multiple_of(10) && fault == Some(&case.fault)
    };
    cases.iter().filter(is_new).filter(is_due).cloned().collect()
}

#[test]
fn p03_error_at_any_syscall() {
    let _alone = alone();
    if strace_missing() {
        return;
    }
    // Of a request with few rows every call; of one with many, those on files that the other has not.
    let (mut known, mut faults) = (BTreeSet::new(), 0);
    for (what, rows) in [("five rows", 5), ("rows in a file of their own", 250)] {
        let report = fire(rows, None, |cases| {
            let chosen = chosen(cases, &known);
            known.extend(cases.iter().map(Case::kind));
            chosen
        });
        let Some(report) = report else { return skip("p03", NOT_ALLOWED) };
        told(what, &report);
        assert_eq!(report.breaches, Vec::<String>::new());
        assert_eq!(report.missed, Vec::<String>::new());
        let unhit = Fault::ALL.iter().find(|fault| !report.hits.contains_key(fault));
        assert_eq!(unhit, None, "a fault that was never hit");
        faults += report.cases;
    }
    assert!(faults >= usize::try_from(counts::counted(70, 180, 225)).unwrap(), "{faults} faults");
}

#[test]
fn p03_catches_retry_fsync() {
    let _alone = alone();
    if strace_missing() {
        return;
    }
    let choose = |cases: &[Case]| -> Vec<Case> {
        let is_segment = |case: &&Case| case.is_failed_sync() && case.file.ends_with(".seg");
        cases.iter().filter(is_segment).cloned().collect()
    };
    let Some(report) = fire(250, Some("retry_fsync"), choose) else {
        return skip("p03", NOT_ALLOWED);
    };
    println!("p03: retry_fsync caught: {:?}", report.breaches.first());
    assert!(!report.breaches.is_empty(), "{} faults did not show it", report.cases);
}
