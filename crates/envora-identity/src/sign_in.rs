//! Signing in: from a token, a code or a cookie to an actor.

use envora_domain::access::Grant;
use envora_domain::access::actions::ManageCredentials;
use envora_domain::ports::Entropy;
use envora_domain::time::{Span, Timestamp};
use envora_store::credentials::{NewCredential, credential_add, credential_by_token};
use envora_store::database::TenantDb;
use envora_store::sessions::{
    NewSecret, session_add, session_by_token, session_end, sessions_sweep, sign_in_code_add,
    sign_in_code_use,
};
use envora_store::transaction::TenantTx;

use crate::policy::Actor;
use crate::secrets::{Secret, hash_of};

/// How long a sign-in code is good, once.
pub const CODE_LIFETIME: Span = Span::from_secs(600);
/// How long a session lasts.
pub const SESSION_LIFETIME: Span = Span::from_secs(12 * 3600);
/// No secret of ours is longer; longer texts are not even hashed.
const TEXT_BYTES_MAX: usize = 256;

/// Adds the operator credential and returns its token, which is shown once.
///
/// # Errors
/// The database's.
pub fn operator_add(
    tx: &mut TenantTx,
    grant: &Grant<ManageCredentials>,
    environment: &str,
    world: (Timestamp, &dyn Entropy),
) -> anyhow::Result<Secret> {
    let (now, entropy) = world;
    let token = Secret::token(environment, entropy);
    let mut id = [0_u8; 16];
    entropy.fill(&mut id);
    let new = NewCredential {
        id,
        kind: "operator".to_owned(),
        name: "operator".to_owned(),
        token_hash: token.hash(),
        expires_at: None,
    };
    credential_add(tx, grant, &new, now)?;
    Ok(token)
}

/// The bearer of this token, if it is valid now.
///
/// # Errors
/// The database's.
pub async fn by_token(db: &TenantDb, token: &str, now: Timestamp) -> anyhow::Result<Option<Actor>> {
    if token.len() > TEXT_BYTES_MAX {
        return Ok(None);
    }
    let hash = hash_of(token);
    let found = db.read(move |rd| credential_by_token(rd, hash, now)).await?;
    Ok(found.map(|credential| Actor::operator(db.tenant(), credential.id)))
}

/// The bearer of this session, if it is valid now.
///
/// # Errors
/// The database's.
pub async fn by_session(
    db: &TenantDb,
    cookie: &str,
    now: Timestamp,
) -> anyhow::Result<Option<Actor>> {
    if cookie.len() > TEXT_BYTES_MAX {
        return Ok(None);
    }
    let hash = hash_of(cookie);
    let found = db.read(move |rd| session_by_token(rd, hash, now)).await?;
    Ok(found.map(|session| Actor::operator(db.tenant(), session.credential)))
}

/// Makes a sign-in code for an actor: good once, for ten minutes.
///
/// # Errors
/// The database's.
pub async fn code_issue(
    db: &TenantDb,
    actor: Actor,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> anyhow::Result<Secret> {
    let code = Secret::code(entropy);
    let new = NewSecret {
        hash: code.hash(),
        credential: actor.credential(),
        expires_at: now + CODE_LIFETIME,
    };
    db.write(move |tx| sign_in_code_add(tx, &new)).await?;
    Ok(code)
}

/// Uses a code up and starts a session; `None` when the code is unknown, used or too old.
///
/// # Errors
/// The database's.
pub async fn session_by_code(
    db: &TenantDb,
    code: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> anyhow::Result<Option<Secret>> {
    if code.len() > TEXT_BYTES_MAX {
        return Ok(None);
    }
    let (hash, session) = (hash_of(code), Secret::session(entropy));
    let cookie = session.hash();
    let started = db
        .write(move |tx| {
            let Some(credential) = sign_in_code_use(tx, hash, now)? else { return Ok(false) };
            sessions_sweep(tx, now)?;
            let new = NewSecret { hash: cookie, credential, expires_at: now + SESSION_LIFETIME };
            session_add(tx, &new, now)?;
            Ok(true)
        })
        .await?;
    Ok(started.then_some(session))
}

/// Starts a session for an actor who showed a token.
///
/// # Errors
/// The database's.
pub async fn session_start(
    db: &TenantDb,
    actor: Actor,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> anyhow::Result<Secret> {
    let session = Secret::session(entropy);
    let new = NewSecret {
        hash: session.hash(),
        credential: actor.credential(),
        expires_at: now + SESSION_LIFETIME,
    };
    db.write(move |tx| {
        sessions_sweep(tx, now)?;
        session_add(tx, &new, now)
    })
    .await?;
    Ok(session)
}

/// Ends a session; one that is none is no error.
///
/// # Errors
/// The database's.
pub async fn session_stop(db: &TenantDb, cookie: &str, now: Timestamp) -> anyhow::Result<()> {
    let hash = hash_of(cookie);
    db.write(move |tx| session_end(tx, hash, now).map(drop)).await?;
    Ok(())
}
