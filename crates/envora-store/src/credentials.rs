//! Credentials: who may sign in. The database holds hashes of tokens, never tokens.
//!
//! Looking a token up takes no grant: it is how a grant comes to be.

use envora_domain::access::{Grant, actions::ManageCredentials};
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};

statements! {
    CREDENTIAL_ADD = "INSERT INTO credential (credential_id, kind, name, token_hash, created_at,
            expires_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    CREDENTIAL_REVOKE = "UPDATE credential SET revoked_at = ?2
        WHERE credential_id = ?1 AND revoked_at = 0";
    CREDENTIAL_BY_TOKEN = "SELECT credential_id, kind, name, created_at, expires_at, revoked_at
        FROM credential WHERE token_hash = ?1 AND revoked_at = 0
            AND (expires_at = 0 OR expires_at > ?2)";
    CREDENTIAL_BY_ID = "SELECT credential_id, kind, name, created_at, expires_at, revoked_at
        FROM credential WHERE credential_id = ?1";
    CREDENTIALS = "SELECT credential_id, kind, name, created_at, expires_at, revoked_at
        FROM credential ORDER BY created_at, credential_id";
}

/// A credential to be added.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Sixteen random bytes; they stand in audit leaves.
    pub id: [u8; 16],
    /// `operator`, later others.
    pub kind: String,
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of the token.
    pub token_hash: Digest,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Timestamp>,
}

/// A credential as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Sixteen random bytes; they stand in audit leaves.
    pub id: [u8; 16],
    /// `operator`, later others.
    pub kind: String,
    /// Its name, for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

fn credential(row: &mut Row<'_>) -> anyhow::Result<Credential> {
    Ok(Credential {
        id: row.sixteen()?,
        kind: row.text()?,
        name: row.text()?,
        created_at: row.timestamp()?,
        expires_at: row.timestamp_or_zero()?,
        revoked_at: row.timestamp_or_zero()?,
    })
}

fn or_zero(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

/// Adds a credential.
///
/// # Errors
/// The database's; the id or the token is there already.
pub fn credential_add(
    tx: &mut TenantTx,
    grant: &Grant<ManageCredentials>,
    new: &NewCredential,
    now: Timestamp,
) -> anyhow::Result<()> {
    tx.allow(grant)?;
    tx.execute_one(
        CREDENTIAL_ADD,
        &[
            new.id.into(),
            (&new.kind).into(),
            (&new.name).into(),
            new.token_hash.into(),
            now.into(),
            or_zero(new.expires_at).into(),
        ],
    )
}

/// Revokes a credential; false when there is none to revoke.
///
/// # Errors
/// The database's.
pub fn credential_revoke(
    tx: &mut TenantTx,
    grant: &Grant<ManageCredentials>,
    id: [u8; 16],
    now: Timestamp,
) -> anyhow::Result<bool> {
    tx.allow(grant)?;
    Ok(tx.execute(CREDENTIAL_REVOKE, &[id.into(), now.into()])? == 1)
}

/// The credential of this token, if it is valid now.
///
/// # Errors
/// The database's.
pub fn credential_by_token(
    rd: &mut TenantReader,
    token_hash: Digest,
    now: Timestamp,
) -> anyhow::Result<Option<Credential>> {
    rd.first(CREDENTIAL_BY_TOKEN, &[token_hash.into(), now.into()], credential)
}

/// The credential of this id, whatever its state.
///
/// # Errors
/// The database's.
pub fn credential_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ManageCredentials>,
    id: [u8; 16],
) -> anyhow::Result<Option<Credential>> {
    rd.allow(grant)?;
    rd.first(CREDENTIAL_BY_ID, &[id.into()], credential)
}

/// All credentials, oldest first.
///
/// # Errors
/// The database's.
pub fn credentials_all(
    rd: &mut TenantReader,
    grant: &Grant<ManageCredentials>,
) -> anyhow::Result<Vec<Credential>> {
    rd.allow(grant)?;
    rd.all(CREDENTIALS, &[], credential)
}
