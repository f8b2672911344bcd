//! Disk images as a power cut could leave them, built from a trace of system calls.
//!
//! The trace is `strace -f -qq -y -xx` of the real binary. Writes stay *pending* until their file is
//! synced; entries of a folder stay pending until that folder is synced: creations, renames and
//! removals are not taken for durable at once, which is the classic hole of such a harness. At any
//! point of the trace an image is the durable state plus a choice of what is pending.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The system calls that the trace must hold.
pub const SYSCALLS: &str = "openat,pwrite64,write,writev,sendto,fsync,fdatasync,ftruncate,rename,\
                            renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat";

/// What of the pending state a cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing that was not synced.
    None,
    /// Everything that was written, as after a mere kill.
    All,
    /// A seeded choice of the pending writes and folder entries.
    Some(u64),
    /// A seeded choice, and the last chosen write of each file torn at a multiple of 512 bytes.
    Torn(u64),
}

/// One step of the trace.
#[derive(Debug)]
enum Step {
    Open {
        fd: i64,
        path: PathBuf,
        create: bool,
        truncate: bool,
        append: bool,
    },
    Write {
        fd: i64,
        path: PathBuf,
        offset: Option<u64>,
        bytes: Vec<u8>,
    },
    Truncate {
        fd: i64,
        path: PathBuf,
        length: u64,
    },
    Sync {
        fd: i64,
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    Mkdir {
        path: PathBuf,
    },
    /// The program answered a request with a 2xx.
    Ack,
}

#[derive(Clone, Debug)]
enum FileOp {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone, Debug)]
enum EntryOp {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Mkdir(PathBuf),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<FileOp>,
}

#[derive(Clone, Copy, Debug)]
struct Handle {
    file: usize,
    at: u64,
    append: Append,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Append {
    No,
    Yes,
}

/// The state of a folder as the trace goes on.
#[derive(Clone, Debug)]
pub struct Replay {
    root: PathBuf,
    files: Vec<File>,
    /// What the running program sees: path to file.
    seen: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    folders: BTreeSet<PathBuf>,
    pending: BTreeMap<PathBuf, Vec<EntryOp>>,
    handles: BTreeMap<i64, Handle>,
    acks: u64,
}

impl Replay {
    /// Starts from a folder as it lies on the disk; all of it counts as durable.
    ///
    /// # Errors
    /// What the file system says.
    pub fn from_folder(root: &Path) -> io::Result<Self> {
        let mut replay = Self {
            root: root.to_owned(),
            files: Vec::new(),
            seen: BTreeMap::new(),
            durable: BTreeMap::new(),
            folders: BTreeSet::new(),
            pending: BTreeMap::new(),
            handles: BTreeMap::new(),
            acks: 0,
        };
        replay.take_in(root)?;
        replay.durable = replay.seen.clone();
        Ok(replay)
    }

    fn take_in(&mut self, folder: &Path) -> io::Result<()> {
        self.folders.insert(folder.to_owned());
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.take_in(&path)?;
            } else if path.is_file() {
                let durable = fs::read(&path)?;
                self.seen.insert(path, self.files.len());
                self.files.push(File { durable, pending: Vec::new() });
            }
        }
        Ok(())
    }

    /// How many 2xx answers the trace has shown so far.
    #[must_use]
    pub const fn acks(&self) -> u64 {
        self.acks
    }

    /// Goes through a trace; after each step that changes something on the disk, and after each
    /// answer, `look` is called.
    ///
    /// # Errors
    /// What `look` says.
    pub fn run(
        &mut self,
        trace: &str,
        mut look: impl FnMut(&Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut unfinished: BTreeMap<String, String> = BTreeMap::new();
        for line in trace.lines() {
            let (pid, call) = split_pid(line);
            let call = if let Some(start) = call.strip_suffix(" <unfinished ...>") {
                unfinished.insert(pid.to_owned(), start.to_owned());
                continue;
            } else if let Some(rest) = call.strip_prefix("<... ") {
                let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
                unfinished.remove(pid).unwrap_or_default() + rest
            } else {
                call.to_owned()
            };
            if let Some(step) = parse(&call)
                && self.apply(step)
            {
                look(self)?;
            }
        }
        Ok(())
    }

    fn within(&self, path: &Path) -> bool {
        path.starts_with(&self.root) && !path.to_string_lossy().ends_with("-shm")
    }

    /// The file behind a descriptor. Closing is not traced, so the number may be a socket's by now:
    /// the path that the trace gives with it says which.
    fn handle(&self, fd: i64, path: &Path) -> Option<Handle> {
        self.handles.get(&fd).copied().filter(|_| self.within(path))
    }

    fn entry(&mut self, path: &Path, op: EntryOp) {
        let folder = path.parent().unwrap_or(path).to_owned();
        self.pending.entry(folder).or_default().push(op);
    }

    /// Takes one step in; whether it changed what an image would hold.
    fn apply(&mut self, step: Step) -> bool {
        match step {
            Step::Ack => self.acks += 1,
            Step::Open { fd, path, create, truncate, append } => {
                self.handles.remove(&fd);
                if !self.within(&path) || self.folders.contains(&path) {
                    return false;
                }
                let file = match self.seen.get(&path) {
                    Some(file) => *file,
                    None if create => {
                        let file = self.files.len();
                        self.files.push(File::default());
                        self.seen.insert(path.clone(), file);
                        self.entry(&path, EntryOp::Link(path.clone(), file));
                        file
                    }
                    None => return false,
                };
                let append = if append { Append::Yes } else { Append::No };
                self.handles.insert(fd, Handle { file, at: 0, append });
                if truncate {
                    self.op(file, FileOp::Truncate(0));
                }
                return create || truncate;
            }
            Step::Write { fd, path, offset, bytes } => {
                let Some(handle) = self.handle(fd, &path) else { return false };
                let end = self.length(handle.file);
                let at =
                    offset.unwrap_or(if handle.append == Append::Yes { end } else { handle.at });
                if offset.is_none() {
                    let at = at + bytes.len() as u64;
                    self.handles.insert(fd, Handle { at, ..handle });
                }
                self.op(handle.file, FileOp::Write(at, bytes));
            }
            Step::Truncate { fd, path, length } => {
                let Some(handle) = self.handle(fd, &path) else { return false };
                self.op(handle.file, FileOp::Truncate(length));
            }
            Step::Sync { fd, path } => return self.sync(fd, &path),
            Step::Rename { from, to } => {
                let Some(file) = self.seen.remove(&from) else { return false };
                self.seen.insert(to.clone(), file);
                self.entry(&to, EntryOp::Link(to.clone(), file));
                self.entry(&from, EntryOp::Unlink(from.clone()));
            }
            Step::Unlink { path } => {
                if self.seen.remove(&path).is_none() {
                    return false;
                }
                self.entry(&path, EntryOp::Unlink(path.clone()));
            }
            Step::Mkdir { path } => {
                if !self.within(&path) || !self.folders.insert(path.clone()) {
                    return false;
                }
                self.entry(&path, EntryOp::Mkdir(path.clone()));
            }
        }
        true
    }

    fn op(&mut self, file: usize, op: FileOp) {
        if let Some(file) = self.files.get_mut(file) {
            file.pending.push(op);
        }
    }

    fn length(&self, file: usize) -> u64 {
        self.files.get(file).map_or(0, |file| content(file, &file.pending).len() as u64)
    }

    fn sync(&mut self, fd: i64, path: &Path) -> bool {
        if self.folders.contains(path) {
            for op in self.pending.remove(path).unwrap_or_default() {
                enter(&mut self.durable, &op);
            }
            return true;
        }
        let Some(handle) = self.handle(fd, path) else { return false };
        let Some(file) = self.files.get_mut(handle.file) else { return false };
        file.durable = content(file, &file.pending);
        file.pending.clear();
        true
    }

    /// Writes an image of this moment into `folder`, which takes the place of the traced one.
    ///
    /// # Errors
    /// What the file system says.
    pub fn image(&self, cut: Cut, folder: &Path) -> io::Result<()> {
        let mut dice = Dice::of(cut);
        let mut entries = self.durable.clone();
        let mut folders: BTreeSet<PathBuf> = self.folders.clone();
        for op in self.pending.values().flatten() {
            let keep = dice.keep();
            match op {
                EntryOp::Mkdir(path) if !keep => {
                    folders.retain(|folder| !folder.starts_with(path));
                    entries.retain(|entry, _| !entry.starts_with(path));
                }
                op if keep => enter(&mut entries, op),
                EntryOp::Link(..) | EntryOp::Unlink(_) | EntryOp::Mkdir(_) => {}
            }
        }
        let place = |path: &Path| {
            folder.join(path.strip_prefix(&self.root).unwrap_or_else(|_| Path::new("")))
        };
        for path in &folders {
            fs::create_dir_all(place(path))?;
        }
        for (path, file) in &entries {
            let parent = path.parent().unwrap_or(path);
            let Some(file) = self.files.get(*file).filter(|_| folders.contains(parent)) else {
                continue;
            };
            let mut kept: Vec<FileOp> =
                file.pending.iter().filter(|_| dice.keep()).cloned().collect();
            if matches!(cut, Cut::Torn(_))
                && let Some(FileOp::Write(_, bytes)) = kept.last_mut()
            {
                bytes.truncate(dice.below(bytes.len() / 512 + 1) * 512);
            }
            fs::write(place(path), content(file, &kept))?;
        }
        Ok(())
    }
}

/// A file's bytes with these operations done to the durable ones.
fn content(file: &File, ops: &[FileOp]) -> Vec<u8> {
    let mut bytes = file.durable.clone();
    for op in ops {
        match op {
            FileOp::Truncate(length) => {
                bytes.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0);
            }
            FileOp::Write(offset, written) => {
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let end = start + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[start..end].copy_from_slice(written);
            }
        }
    }
    bytes
}

fn enter(entries: &mut BTreeMap<PathBuf, usize>, op: &EntryOp) {
    match op {
        EntryOp::Link(path, file) => {
            entries.insert(path.clone(), *file);
        }
        EntryOp::Unlink(path) => {
            entries.remove(path);
        }
        EntryOp::Mkdir(_) => {}
    }
}

/// Seeded choices.
struct Dice {
    cut: Cut,
    state: u64,
}

impl Dice {
    fn of(cut: Cut) -> Self {
        let state = match cut {
            Cut::Some(seed) | Cut::Torn(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Cut::None | Cut::All => 1,
        };
        Self { cut, state }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn keep(&mut self) -> bool {
        match self.cut {
            Cut::None => false,
            Cut::All => true,
            Cut::Some(_) | Cut::Torn(_) => self.next().is_multiple_of(2),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or(0)
    }
}

fn split_pid(line: &str) -> (&str, &str) {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (pid, rest) = line.split_at(digits);
    (pid, rest.trim_start())
}

/// The bytes of `\x68\x65…`.
fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).filter_map(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok()).collect()
}

fn path_of(text: &str) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&unescape(text)).into_owned())
}

/// The quoted strings of a call, unescaped.
fn strings(call: &str) -> Vec<Vec<u8>> {
    call.split('"').skip(1).step_by(2).map(unescape).collect()
}

/// `7<\x2f…>` as descriptor and path.
fn descriptor(text: &str) -> Option<(i64, PathBuf)> {
    let (number, rest) = text.split_once('<')?;
    let path = rest.split_once('>').map_or(rest, |(path, _)| path);
    Some((number.trim().parse().ok()?, path_of(path)))
}

fn parse(call: &str) -> Option<Step> {
    let (name, rest) = call.split_once('(')?;
    // Short calls are padded, so that results stand below each other.
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let texts = strings(arguments);
    let text_path = |place: usize| {
        texts.get(place).map(|bytes| PathBuf::from(String::from_utf8_lossy(bytes).into_owned()))
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    Some(match name {
        "openat" => {
            let (fd, path) = descriptor(result)?;
            let has = |flag: &str| arguments.contains(flag);
            Step::Open {
                fd,
                path,
                create: has("O_CREAT"),
                truncate: has("O_TRUNC"),
                append: has("O_APPEND"),
            }
        }
        "write" | "writev" | "sendto" => {
            let bytes = texts.concat();
            if bytes.starts_with(b"HTTP/1.1 2") {
                return Some(Step::Ack);
            }
            let (fd, path) = descriptor(arguments.split(',').next()?)?;
            Step::Write { fd, path, offset: None, bytes }
        }
        "pwrite64" => {
            let (fd, path) = descriptor(arguments.split(',').next()?)?;
            let offset = number(arguments.rsplit(',').next()?);
            Step::Write { fd, path, offset, bytes: texts.concat() }
        }
        "fsync" | "fdatasync" => {
            let (fd, path) = descriptor(arguments)?;
            Step::Sync { fd, path }
        }
        "ftruncate" => {
            let (fd, path) = descriptor(arguments.split(',').next()?)?;
            Step::Truncate { fd, path, length: number(arguments.rsplit(',').next()?)? }
        }
        "rename" | "renameat" | "renameat2" => {
            Step::Rename { from: text_path(0)?, to: text_path(1)? }
        }
        "unlink" | "unlinkat" => Step::Unlink { path: text_path(0)? },
        "mkdir" | "mkdirat" => Step::Mkdir { path: text_path(0)? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    #[test]
    fn what_is_not_synced_may_be_missing_and_what_is_may_not() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("live");
        fs::create_dir(&root).expect("a folder");
        let file = hex(&root.join("f").to_string_lossy());
        let folder = hex(&root.to_string_lossy());
        let trace = [
            format!("1 openat(AT_FDCWD</>, \"{file}\", O_RDWR|O_CREAT, 0600) = 5<{file}>"),
            format!("1 pwrite64(5<{file}>, \"{}\", 5, 0) = 5", hex("hello")),
            format!("1 fsync(5<{file}>) = 0"),
            format!("1 openat(AT_FDCWD</>, \"{folder}\", O_RDONLY) = 6<{folder}>"),
            format!("1 fsync(6<{folder}> <unfinished ...>"),
            "1 <... fsync resumed>)             = 0".to_owned(),
            format!("1 write(9<{}>, \"{}\", 4) = 4", hex("socket"), hex("HTTP/1.1 201 Created")),
            format!("1 pwrite64(5<{file}>, \"{}\", 5, 0) = 5", hex("HELLO")),
        ];
        let mut replay = Replay::from_folder(&root).expect("a replay");
        let mut seen = Vec::new();
        let mut number = 0;
        replay
            .run(&trace.join("\n"), |now| {
                let image = home.path().join(format!("image-{number}"));
                number += 1;
                now.image(Cut::None, &image)?;
                let full = home.path().join(format!("full-{number}"));
                now.image(Cut::All, &full)?;
                let read = |folder: &Path| fs::read_to_string(folder.join("f")).ok();
                seen.push((now.acks(), read(&image), read(&full)));
                Ok(())
            })
            .expect("the trace goes through");
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(seen.first(), Some(&(0, None, some(""))));
        assert_eq!(seen.get(2), Some(&(0, None, some("hello"))), "the entry is not durable yet");
        assert_eq!(seen.get(3), Some(&(0, some("hello"), some("hello"))));
        assert_eq!(seen.last(), Some(&(1, some("hello"), some("HELLO"))));
    }
}
