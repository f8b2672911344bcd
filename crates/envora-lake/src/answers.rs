//! Answers kept for retries that are too long for their rows: sealed files, named by their SHA-256.
//!
//! The row that names one is committed after the file is durable; a file that no row names was never
//! part of an answer that was given.

use std::io;
use std::path::PathBuf;

use envora_domain::hash::{Digest, unhex};

use crate::segments::{ANSWERS, Lake};

const ENDING: &str = ".ans";

impl Lake {
    /// Keeps a sealed answer, durably, and says where, for the row that names it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put_answer(&self, sealed: &[u8]) -> io::Result<String> {
        let below = format!("{ANSWERS}/{}{ENDING}", Digest::of(sealed).hex());
        let path = self.path(&below);
        self.disk().create(&path, sealed)?;
        self.sync(&path)?;
        self.sync_dir(&self.path(ANSWERS))?;
        Ok(below)
    }

    /// The sealed bytes of an answer.
    ///
    /// # Errors
    /// `InvalidData` when the path is none of an answer, or its bytes are not those that it is named
    /// by; else what the disk says.
    pub fn read_answer(&self, below: &str) -> io::Result<Vec<u8>> {
        let (path, due) = self.answer(below)?;
        let sealed = self.disk().read(&path)?;
        if Digest::of(&sealed) == due {
            return Ok(sealed);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "its bytes are not those that were written"))
    }

    /// Removes answers whose rows are gone. One that is not there any more is no fault.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove_answers(&self, all: &[String]) -> io::Result<()> {
        for below in all {
            match self.disk().remove(&self.answer(below)?.0) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if all.is_empty() { Ok(()) } else { self.disk().sync_dir(&self.path(ANSWERS)) }
    }

    fn answer(&self, below: &str) -> io::Result<(PathBuf, Digest)> {
        let name = below.strip_prefix(ANSWERS).and_then(|rest| rest.strip_prefix('/'));
        let stem = name.and_then(|name| name.strip_suffix(ENDING));
        let digest = stem.and_then(unhex).and_then(|bytes| bytes.try_into().ok()).map(Digest);
        let due = digest.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the row names no file of an answer")
        })?;
        Ok((self.path(below), due))
    }
}
