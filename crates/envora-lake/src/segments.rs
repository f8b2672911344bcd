//! Sealed objects in the order that makes an answer true: all files written and synced, then their
//! folder synced once, and only then may the database commit their manifest rows.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use envora_domain::id::{RunId, SegmentId};
use envora_domain::planted::planted;
use envora_domain::ports::{Disk, Frame, Place, replace_durably};

/// The longest sealed object that lies in the database row itself.
pub const INLINE_BYTES_MAX: usize = 32 * 1024;

const SEGMENTS: &str = "segments";
const BLOCKS: &str = "blocks";
pub(crate) const SOURCES: &str = "sources";
/// How the file of a block of rows that were decided anew ends.
const DELTA_ENDING: &str = "-delta.blk";
pub(crate) const ANSWERS: &str = "answers";
const TMP: &str = "tmp";

/// A tenant's folder of sealed objects.
#[derive(Clone)]
pub struct Lake {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    /// Held while a source file is put: two requests may bring the same one.
    pub(crate) putting: Arc<Mutex<()>>,
}

/// What the database knows of, so that the rest can be told from it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Whether a manifest row names this segment.
    pub segment: &'a dyn Fn(SegmentId) -> bool,
    /// Whether a kept answer names this file, by its path below the tenant's folder.
    pub answer: &'a dyn Fn(&str) -> bool,
}

/// What to do with files of segments and answers that no row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// Tell of them only.
    Keep,
    /// Remove them. Right once the database has proven to be no older than its anchor.
    Remove,
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that a crash left half written: removed.
    pub staging: Vec<String>,
    /// Files of segments and answers that no row names.
    pub orphans: Vec<String>,
}

impl Lake {
    /// The lake in this tenant's folder; its sub-folders are made, durably, when they are not there.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(folder: PathBuf, disk: Arc<dyn Disk>) -> io::Result<Self> {
        for name in [SEGMENTS, BLOCKS, SOURCES, ANSWERS, TMP] {
            disk.create_dir(&folder.join(name))?;
        }
        disk.sync_dir(&folder)?;
        Ok(Self { folder, disk, putting: Arc::default() })
    }

    /// How many bytes lie in the tenant's folder, by what they are. Looks at every file.
    ///
    /// # Errors
    /// What the disk says.
    pub fn bytes(&self) -> io::Result<Vec<(&'static str, u64)>> {
        let mut all = Vec::new();
        for (part, below) in [
            ("database", ""),
            (SEGMENTS, SEGMENTS),
            (BLOCKS, BLOCKS),
            (SOURCES, SOURCES),
            (ANSWERS, ANSWERS),
        ] {
            let mut bytes = 0_u64;
            for path in self.disk.list(&self.path(below))? {
                // A file that has gone meanwhile takes no room.
                bytes += std::fs::metadata(&path).map_or(0, |about| about.len());
            }
            all.push((part, bytes));
        }
        Ok(all)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(crate) fn sync(&self, path: &Path) -> io::Result<()> {
        if planted("skip_fsync") { Ok(()) } else { once(|| self.disk.sync(path)) }
    }

    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if planted("skip_dir_fsync") { Ok(()) } else { once(|| self.disk.sync_dir(path)) }
    }

    /// Puts a group's frames where they belong and makes them durable. Short ones go into their
    /// manifest rows, and then this touches no disk.
    ///
    /// # Errors
    /// What the disk says. When writing fails (a full disk), what this call wrote is removed again and
    /// the caller may go on later. After a failed sync the caller stops acknowledging and never tries
    /// again.
    pub fn append_and_sync(&self, frames: &[Frame]) -> io::Result<Vec<Place>> {
        let places: Vec<Place> = frames.iter().map(place).collect();
        let files = self.write(frames.iter().zip(&places))?;
        for path in &files {
            self.sync(path)?;
        }
        if !files.is_empty() {
            self.sync_dir(&self.path(SEGMENTS))?;
        }
        Ok(places)
    }

    fn write<'a>(
        &self,
        group: impl Iterator<Item = (&'a Frame, &'a Place)>,
    ) -> io::Result<Vec<PathBuf>> {
        let (mut files, mut made) = (Vec::new(), Vec::new());
        for (frame, place) in group {
            let Place::File { path, .. } = place else { continue };
            let path = self.path(path);
            match self.create_or_match(&path, &frame.sealed) {
                Ok(Created::Now) => made.push(path.clone()),
                Ok(Created::Before) => {}
                Err(error) => {
                    if error.kind() != io::ErrorKind::AlreadyExists {
                        made.push(path);
                    }
                    // The space is wanted back. What cannot be removed is swept at the next start.
                    made.iter().for_each(|path| drop(self.disk.remove(path)));
                    return Err(error);
                }
            }
            files.push(path);
        }
        Ok(files)
    }

    /// A file that is there already counts only after reading it back.
    fn create_or_match(&self, path: &Path, bytes: &[u8]) -> io::Result<Created> {
        match self.disk.create(path, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.disk.read(path)? == bytes { Ok(Created::Before) } else { Err(error) }
            }
            result => result.map(|()| Created::Now),
        }
    }

    /// Removes segments that were made durable and are not to be committed after all. What cannot be
    /// removed is swept at the next start.
    pub fn discard<'a>(&self, places: impl Iterator<Item = &'a Place>) {
        for place in places {
            if let Place::File { path, .. } = place {
                drop(self.disk.remove(&self.path(path)));
            }
        }
    }

    /// Makes a calculation block durable. A block calculated again after a crash replaces its file.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_block(&self, run: RunId, seq: u64, sealed: &[u8]) -> io::Result<Place> {
        self.put_block_file(format!("{BLOCKS}/{}-{seq:016x}.blk", run.hex()), sealed)
    }

    /// [`Lake::put_block`] for rows of a segment that this seq decided anew.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_delta(
        &self,
        run: RunId,
        (seq, segment): (u64, u64),
        sealed: &[u8],
    ) -> io::Result<Place> {
        let path = format!("{BLOCKS}/{}-{seq:016x}-{segment:016x}{DELTA_ENDING}", run.hex());
        self.put_block_file(path, sealed)
    }

    /// Removes a block that no row names any more.
    ///
    /// # Errors
    /// `InvalidData` when it is none of ours; else what the disk says.
    pub fn remove_block(&self, path: &str) -> io::Result<()> {
        let is_block = path.strip_prefix(BLOCKS).is_some_and(|rest| rest.starts_with('/'));
        if !is_block || !is_ours(path) {
            let what = "the row names a file that is no block";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.disk.remove(&self.path(path))
    }

    fn put_block_file(&self, path: String, sealed: &[u8]) -> io::Result<Place> {
        if sealed.len() <= INLINE_BYTES_MAX {
            return Ok(Place::Inline);
        }
        replace_durably(&*self.disk, &self.path(&path), sealed)?;
        Ok(Place::File { path, length: sealed.len() as u64 })
    }

    /// The sealed bytes at this place; `inline` is what the row itself holds.
    ///
    /// # Errors
    /// `InvalidData` when the place is none of ours, the row holds nothing, or the file has another
    /// length than its row says; else what the disk says.
    pub fn read(&self, place: &Place, inline: Option<&[u8]>) -> io::Result<Vec<u8>> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        match place {
            Place::Inline => inline
                .map(<[u8]>::to_vec)
                .ok_or_else(|| invalid("the row says inline and holds nothing")),
            Place::File { path, length } => {
                if !is_ours(path) {
                    return Err(invalid("the row names a file outside the lake"));
                }
                let bytes = self.disk.read(&self.path(path))?;
                if bytes.len() as u64 == *length {
                    Ok(bytes)
                } else {
                    Err(invalid("the file has another length than its row says"))
                }
            }
        }
    }

    /// Removes what a crash left half written, and finds files of segments and answers that no row names.
    /// To be run at start, before anything is written.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sweep(&self, known: Known<'_>, orphans: Orphans) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for folder in [SEGMENTS, BLOCKS, SOURCES, ANSWERS, TMP] {
            for path in self.disk.list(&self.path(folder))? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let below = format!("{folder}/{name}");
                if folder == TMP || path.extension().is_some_and(|ending| ending == "new") {
                    self.disk.remove(&path)?;
                    swept.staging.push(below);
                } else if (folder == SEGMENTS && !segment_of(&name).is_some_and(known.segment))
                    || (folder == ANSWERS && !(known.answer)(&below))
                {
                    if orphans == Orphans::Remove {
                        self.disk.remove(&path)?;
                    }
                    swept.orphans.push(below);
                }
            }
        }
        Ok(swept)
    }
}

/// A sync that failed is not tried again: the kernel has dropped the pages by then, so that a second
/// one has nothing to do, and says that all is well.
fn once(sync: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match sync() {
        Err(_) if planted("retry_fsync") => sync(),
        result => result,
    }
}

/// Whether a file was made by this call.
enum Created {
    Now,
    Before,
}

fn place(frame: &Frame) -> Place {
    if frame.sealed.len() <= INLINE_BYTES_MAX {
        return Place::Inline;
    }
    let path = format!("{SEGMENTS}/{}.seg", frame.segment.hex());
    Place::File { path, length: frame.sealed.len() as u64 }
}

/// Segment and block files have names of hex and one of three endings: nothing leads out of the folder.
fn is_ours(path: &str) -> bool {
    let plain = |name: &str, ending: &str| {
        name.strip_suffix(ending).is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        })
    };
    path.split_once('/').is_some_and(|(folder, name)| match folder {
        SEGMENTS => plain(name, ".seg"),
        BLOCKS => plain(name, ".blk") || plain(name, DELTA_ENDING),
        _ => false,
    })
}

fn segment_of(name: &str) -> Option<SegmentId> {
    SegmentId::from_slice(&envora_domain::hash::unhex(name.strip_suffix(".seg")?)?)
}
