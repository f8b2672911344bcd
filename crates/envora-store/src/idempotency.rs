//! Answers kept for repeated requests: appended only, found through a table in memory.
//!
//! A random key would dirty and encrypt one page per row. So rows are numbered, and the key's hash is
//! looked up in memory, rebuilt at open. A hit there is a question: the row's own hash decides.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use envora_domain::access::{Action, Grant};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    IDEMPOTENCY_ADD = "INSERT INTO idempotency (number, key_hash, fingerprint, status, media_type,
            place, path, sealed, key_version, created_at)
        SELECT COALESCE(max(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM idempotency
        RETURNING number";
    IDEMPOTENCY_BY_NUMBER = "SELECT key_hash, fingerprint, status, media_type, place, path, sealed,
            key_version, created_at
        FROM idempotency WHERE number = ?1";
    IDEMPOTENCY_KEYS = "SELECT number, key_hash FROM idempotency ORDER BY number";
    IDEMPOTENCY_OBJECTS = "SELECT key_hash, path FROM idempotency WHERE place = 'object'
        ORDER BY number";
    IDEMPOTENCY_OBJECTS_OLD = "SELECT path FROM idempotency WHERE place = 'object'
            AND number <= (SELECT COALESCE(max(number), 0) FROM idempotency WHERE created_at <= ?1)
        ORDER BY number";
    IDEMPOTENCY_DROP = "DELETE FROM idempotency WHERE number <= (SELECT COALESCE(max(number), 0)
        FROM idempotency WHERE created_at <= ?1)";
}

/// Where each key's row is. Shared by the writer and the readers of one database.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<Digest, i64>>);

impl Remembered {
    fn number(&self, key_hash: Digest) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key_hash).copied()
    }

    fn put(&self, key_hash: Digest, number: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key_hash, number);
    }

    fn refill(&self, rows: Vec<(i64, Digest)>) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.clear();
        table.extend(rows.into_iter().map(|(number, key_hash)| (key_hash, number)));
    }
}

/// Where an answer's sealed bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerPlace {
    /// In the row.
    Inline(Vec<u8>),
    /// In the lake, below the tenant's folder; written before the commit.
    Object(String),
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of the key and of who sent it.
    pub key_hash: Digest,
    /// What the request was: another one under the same key is a conflict.
    pub fingerprint: Digest,
    /// The status; only successes are kept.
    pub status: u32,
    /// The body's media type.
    pub media_type: String,
    /// The sealed body.
    pub body: AnswerPlace,
    /// The version of the key that sealed it.
    pub key_version: u32,
    /// When it was given.
    pub created_at: Timestamp,
}

/// Keeps an answer, in the transaction of the work that it answers; the grant is that of the work.
///
/// # Errors
/// The database's.
pub fn idempotency_add<A: Action>(
    tx: &mut TenantTx,
    grant: &Grant<A>,
    answer: &KeptAnswer,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    let (place, path, sealed): (_, _, &[u8]) = match &answer.body {
        AnswerPlace::Inline(sealed) => ("inline", "", sealed),
        AnswerPlace::Object(path) => ("object", path.as_str(), &[]),
    };
    let values = [
        answer.key_hash.into(),
        answer.fingerprint.into(),
        answer.status.into(),
        (&answer.media_type).into(),
        place.into(),
        path.into(),
        sealed.into(),
        answer.key_version.into(),
        answer.created_at.into(),
    ];
    let number = tx.one(IDEMPOTENCY_ADD, &values, |row| row.int())?;
    // When the job is undone, the number leads nowhere or to another key's row: both read as absent.
    tx.remembered.put(answer.key_hash, number);
    Ok(())
}

/// The answer kept under this key, if it was given after `not_before`.
///
/// Within a [`TenantTx`] the answer is final; a reader's may be overtaken by a write under way.
///
/// # Errors
/// The database's.
pub fn idempotency_by_key<A: Action>(
    rd: &mut TenantReader,
    grant: &Grant<A>,
    key_hash: Digest,
    not_before: Timestamp,
) -> anyhow::Result<Option<KeptAnswer>> {
    rd.allow(grant)?;
    let Some(number) = rd.remembered.number(key_hash) else { return Ok(None) };
    let found = rd.first(IDEMPOTENCY_BY_NUMBER, &[number.into()], |row| {
        let (key_hash, fingerprint) = (row.digest()?, row.digest()?);
        let (status, media_type) = (row.small()?, row.text()?);
        let (place, path, sealed) = (row.text()?, row.text()?, row.blob()?);
        let body = match place.as_str() {
            "inline" => AnswerPlace::Inline(sealed),
            _ => AnswerPlace::Object(path),
        };
        let (key_version, created_at) = (row.small()?, row.timestamp()?);
        Ok(KeptAnswer { key_hash, fingerprint, status, media_type, body, key_version, created_at })
    })?;
    Ok(found.filter(|kept| kept.key_hash == key_hash && kept.created_at >= not_before))
}

/// What a sweep dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many rows.
    pub rows: u64,
    /// The objects that they named: to be removed once this is committed.
    pub objects: Vec<String>,
}

/// Drops answers that are older than `before`; keys of dropped rows leave memory too.
///
/// # Errors
/// The database's.
pub fn idempotency_sweep<A: Action>(
    tx: &mut TenantTx,
    grant: &Grant<A>,
    before: Timestamp,
) -> anyhow::Result<Dropped> {
    tx.allow(grant)?;
    let objects = tx.all(IDEMPOTENCY_OBJECTS_OLD, &[before.into()], |row| row.text())?;
    let rows = tx.execute(IDEMPOTENCY_DROP, &[before.into()])?;
    load(tx)?;
    Ok(Dropped { rows, objects })
}

/// The answers that lie in the lake: the hash of each one's key, and where it is.
///
/// # Errors
/// The database's.
pub fn idempotency_objects<A: Action>(
    rd: &mut TenantReader,
    grant: &Grant<A>,
) -> anyhow::Result<Vec<(Digest, String)>> {
    rd.allow(grant)?;
    rd.all(IDEMPOTENCY_OBJECTS, &[], |row| Ok((row.digest()?, row.text()?)))
}

/// Fills the table in memory from the rows.
pub(crate) fn load(tx: &mut TenantTx) -> anyhow::Result<()> {
    let rows = tx.all(IDEMPOTENCY_KEYS, &[], |row| Ok((row.int()?, row.digest()?)))?;
    tx.remembered.refill(rows);
    Ok(())
}
