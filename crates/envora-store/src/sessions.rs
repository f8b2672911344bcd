//! Sessions of browsers, and the single-use codes that start one.
//!
//! These functions take no grant: they are how somebody who holds a secret becomes somebody.

use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    SIGN_IN_CODE_ADD = "INSERT INTO sign_in_code (code_hash, credential_id, expires_at, used_at)
        VALUES (?1, ?2, ?3, 0)";
    SIGN_IN_CODE_USE = "UPDATE sign_in_code SET used_at = ?2
        WHERE code_hash = ?1 AND used_at = 0 AND expires_at > ?2
            AND EXISTS (SELECT 1 FROM credential WHERE revoked_at = 0
                AND credential.credential_id = sign_in_code.credential_id)
        RETURNING credential_id";
    SESSION_ADD = "INSERT INTO session (token_hash, credential_id, created_at, expires_at, ended_at)
        VALUES (?1, ?2, ?3, ?4, 0)";
    SESSION_END = "UPDATE session SET ended_at = ?2 WHERE token_hash = ?1 AND ended_at = 0";
    SESSION_BY_TOKEN = "SELECT session.credential_id, session.created_at, session.expires_at
        FROM session JOIN credential ON credential.credential_id = session.credential_id
        WHERE session.token_hash = ?1 AND session.ended_at = 0 AND session.expires_at > ?2
            AND credential.revoked_at = 0
            AND (credential.expires_at = 0 OR credential.expires_at > ?2)";
    SIGN_IN_CODES_DROP = "DELETE FROM sign_in_code WHERE expires_at <= ?1";
    SESSIONS_DROP = "DELETE FROM session WHERE expires_at <= ?1";
}

/// A secret's hash, whose it is and until when.
#[derive(Clone, Copy, Debug)]
pub struct NewSecret {
    /// SHA-256 of the code or of the cookie's value.
    pub hash: Digest,
    /// The credential that it stands for.
    pub credential: [u8; 16],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session that is valid now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The credential that it stands for.
    pub credential: [u8; 16],
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Adds a sign-in code.
///
/// # Errors
/// The database's.
pub fn sign_in_code_add(tx: &mut TenantTx, new: &NewSecret) -> anyhow::Result<()> {
    tx.execute_one(
        SIGN_IN_CODE_ADD,
        &[new.hash.into(), new.credential.into(), new.expires_at.into()],
    )
}

/// Uses a sign-in code up and returns its credential; `None` when it is unknown, used or too old.
///
/// # Errors
/// The database's.
pub fn sign_in_code_use(
    tx: &mut TenantTx,
    code_hash: Digest,
    now: Timestamp,
) -> anyhow::Result<Option<[u8; 16]>> {
    tx.first(SIGN_IN_CODE_USE, &[code_hash.into(), now.into()], |row| row.sixteen())
}

/// Starts a session.
///
/// # Errors
/// The database's.
pub fn session_add(tx: &mut TenantTx, new: &NewSecret, now: Timestamp) -> anyhow::Result<()> {
    tx.execute_one(
        SESSION_ADD,
        &[new.hash.into(), new.credential.into(), now.into(), new.expires_at.into()],
    )
}

/// The session of this cookie, if it is valid now and so is its credential.
///
/// # Errors
/// The database's.
pub fn session_by_token(
    rd: &mut TenantReader,
    token_hash: Digest,
    now: Timestamp,
) -> anyhow::Result<Option<Session>> {
    rd.first(SESSION_BY_TOKEN, &[token_hash.into(), now.into()], |row| {
        Ok(Session {
            credential: row.sixteen()?,
            created_at: row.timestamp()?,
            expires_at: row.timestamp()?,
        })
    })
}

/// Ends a session; false when there is none to end.
///
/// # Errors
/// The database's.
pub fn session_end(tx: &mut TenantTx, token_hash: Digest, now: Timestamp) -> anyhow::Result<bool> {
    Ok(tx.execute(SESSION_END, &[token_hash.into(), now.into()])? == 1)
}

/// Drops sessions and codes that ended by themselves.
///
/// # Errors
/// The database's.
pub fn sessions_sweep(tx: &mut TenantTx, now: Timestamp) -> anyhow::Result<u64> {
    let codes = tx.execute(SIGN_IN_CODES_DROP, &[now.into()])?;
    Ok(codes + tx.execute(SESSIONS_DROP, &[now.into()])?)
}
