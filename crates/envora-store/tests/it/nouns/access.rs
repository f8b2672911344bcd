//! Credentials, sessions, sign-in codes.

use envora_domain::access::actions::ManageCredentials;
use envora_domain::hash::Digest;
use envora_store::credentials::{
    NewCredential, credential_add, credential_by_id, credential_by_token, credential_revoke,
    credentials_all,
};
use envora_store::sessions::{
    NewSecret, session_add, session_by_token, session_end, sessions_sweep, sign_in_code_add,
    sign_in_code_use,
};
use envora_testkit::databases::{TestDb, grant};

use super::{NOW, later};

fn operator(id: u8, expires_in_s: Option<i64>) -> NewCredential {
    NewCredential {
        id: [id; 16],
        kind: "operator".into(),
        name: "first operator".into(),
        token_hash: Digest::of(&[id]),
        expires_at: expires_in_s.map(later),
    }
}

pub(super) fn a_token_is_known_until_it_is_revoked_or_over(db: &mut TestDb) {
    db.db
        .write_blocking(|tx| {
            credential_add(tx, &grant::<ManageCredentials>(), &operator(1, None), NOW)?;
            credential_add(tx, &grant::<ManageCredentials>(), &operator(2, Some(60)), NOW)
        })
        .unwrap();
    let known = |id: u8, at| {
        db.db.read_blocking(move |rd| credential_by_token(rd, Digest::of(&[id]), at)).unwrap()
    };
    assert_eq!(known(1, later(1_000_000)).map(|found| found.id), Some([1; 16]));
    assert_eq!(known(2, later(59)).map(|found| found.expires_at), Some(Some(later(60))));
    assert_eq!(known(2, later(60)), None);
    assert_eq!(known(3, NOW), None);
    let revoke = || {
        db.db
            .write_blocking(|tx| {
                credential_revoke(tx, &grant::<ManageCredentials>(), [1; 16], later(5))
            })
            .unwrap()
    };
    assert!(revoke());
    assert!(!revoke(), "it is revoked once");
    assert_eq!(known(1, later(6)), None);
    let all = db.db.read_blocking(|rd| credentials_all(rd, &grant())).unwrap();
    assert_eq!(all.iter().map(|one| one.id[0]).collect::<Vec<_>>(), [1, 2]);
    let first = db.db.read_blocking(|rd| credential_by_id(rd, &grant(), [1; 16])).unwrap();
    assert_eq!(first.map(|found| found.revoked_at), Some(Some(later(5))));
}

fn secret(word: &str, until_s: i64) -> NewSecret {
    NewSecret { hash: Digest::of(word.as_bytes()), credential: [1; 16], expires_at: later(until_s) }
}

fn with_operator(db: &TestDb) {
    db.db
        .write_blocking(|tx| {
            credential_add(tx, &grant::<ManageCredentials>(), &operator(1, None), NOW)
        })
        .unwrap();
}

pub(super) fn a_sign_in_code_is_used_once(db: &mut TestDb) {
    with_operator(db);
    db.db
        .write_blocking(|tx| {
            sign_in_code_add(tx, &secret("code", 600))?;
            sign_in_code_add(tx, &secret("slow", 600))
        })
        .unwrap();
    let used = |word: &'static str, at| {
        db.db
            .write_blocking(move |tx| sign_in_code_use(tx, Digest::of(word.as_bytes()), at))
            .unwrap()
    };
    assert_eq!(used("code", later(1)), Some([1; 16]));
    assert_eq!(used("code", later(2)), None, "a code is used once");
    assert_eq!(used("slow", later(600)), None, "a code is over after its time");
    assert_eq!(used("none", later(1)), None);
}

pub(super) fn a_session_ends_by_itself_or_on_request(db: &mut TestDb) {
    with_operator(db);
    db.db
        .write_blocking(|tx| {
            session_add(tx, &secret("cookie", 3_600), NOW)?;
            session_add(tx, &secret("other", 10), NOW)
        })
        .unwrap();
    let valid = |word: &'static str, at| {
        db.db
            .read_blocking(move |rd| session_by_token(rd, Digest::of(word.as_bytes()), at))
            .unwrap()
            .is_some()
    };
    assert!(valid("cookie", later(10)) && valid("other", later(9)) && !valid("other", later(10)));
    let swept = db.db.write_blocking(|tx| sessions_sweep(tx, later(10))).unwrap();
    assert_eq!(swept, 1);
    let end =
        || db.db.write_blocking(|tx| session_end(tx, Digest::of(b"cookie"), later(11))).unwrap();
    assert!(end());
    assert!(!end());
    assert!(!valid("cookie", later(12)));
    db.db.write_blocking(|tx| session_add(tx, &secret("third", 3_600), NOW)).unwrap();
    db.db
        .write_blocking(|tx| {
            credential_revoke(tx, &grant::<ManageCredentials>(), [1; 16], later(1))
        })
        .unwrap();
    assert!(!valid("third", later(2)), "a revoked credential ends its sessions");
}
