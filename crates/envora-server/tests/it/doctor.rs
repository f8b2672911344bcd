//! Doctor: whatever it finds, it says what to do about it. And what is kept for a while only goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use envora_crypto::provider::KeyError;
use envora_domain::time::Span;
use envora_server::folder::FolderError;
use envora_server::folder::doctor::{Check, Health, doctor};
use envora_server::processing::sweep_once;
use envora_server::serving;
use envora_store::engine::OpenError;
use envora_store::readers::ReadError;

use crate::house::{House, apart, world};

fn examined(data: &Path) -> Vec<Check> {
    apart(|| doctor(data, &world().0, None))
}

/// Everything that is not well has a remedy; what is well has none. Gives the names of the former.
#[track_caller]
fn told(checks: &[Check]) -> Vec<String> {
    let mut names = Vec::new();
    for check in checks {
        let remedy = check.remedy.as_deref().unwrap_or_default();
        match check.health {
            Health::Good => assert_eq!(remedy, "", "{check:?}"),
            Health::Note | Health::Skipped | Health::Bad => {
                assert!(remedy.split(' ').count() >= 4, "{check:?}");
                names.push(check.name.clone());
            }
        }
    }
    names
}

/// One finding is bad, and says this with that remedy.
#[track_caller]
fn says(checks: &[Check], detail: &str, remedy: &str) {
    let bad = |check: &&Check| check.health == Health::Bad && check.detail.contains(detail);
    let found = checks.iter().find(bad).unwrap_or_else(|| unreachable!("{detail:?}: {checks:?}"));
    assert!(found.remedy.as_deref().unwrap().contains(remedy), "{found:?}");
    assert!(!found.detail.contains("damaged"), "{found:?}");
}

#[tokio::test]
async fn every_finding_has_a_remedy() {
    let House { app, router, folder, .. } = House::new();
    let data = folder.path().join("data");
    let open = examined(&data);
    assert_eq!(told(&open), ["lock"], "a server has it open");
    assert_eq!(open.last().unwrap().health, Health::Skipped, "not examined is not well");
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    assert_eq!(told(&examined(&data)), ["keys"], "what a seal in a file does not protect");
    assert_eq!(told(&examined(&folder.path().join("none"))), ["folder"]);

    let tenant = fs::read_dir(data.join("tenants")).unwrap().next().unwrap().unwrap();
    let hex = tenant.file_name().into_string().unwrap();
    let damage = |file: &str, bytes: &[u8], due: &[&str]| {
        let path = data.join(file);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let names = told(&examined(&data));
        assert!(due.iter().all(|due| names.iter().any(|name| name.contains(due))), "{names:?}");
        fs::write(&path, kept).unwrap();
    };
    damage("envora.toml", b"lisen = 1", &["settings"]);
    damage(
        "envora.toml",
        b"[store]\nengine = \"postgres\"\nurl = \"postgresql://e@127.0.0.1:1\"",
        &["engine", "encryption"],
    );
    damage("keys/seal", b"{}", &["keys"]);
    damage("instance/map.json", b"{}", &["hosts"]);
    damage(&format!("keys/{hex}/keyring.json"), b"{}", &["database of ten_"]);
    damage(&format!("keys/{hex}/anchor"), b"{}", &["anchor of ten_"]);
    damage(&format!("tenants/{hex}/tenant.db"), &[0; 8192], &["database of ten_"]);
    let map = fs::read_to_string(data.join("instance/map.json")).unwrap();
    let renamed = map.replace("acme", "acmf");
    assert_ne!(renamed, map);
    damage("instance/map.json", renamed.as_bytes(), &["hosts"]);
    let unsigned = |text: &str| {
        let mut map: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(map.as_object_mut().unwrap().remove("mac").is_some());
        map.to_string()
    };
    damage("instance/map.json", unsigned(&renamed).as_bytes(), &["hosts of ten_"]);
    let keyring = format!("keys/{hex}/keyring.json");
    let ring = fs::read_to_string(data.join(&keyring)).unwrap();
    let other = ring.replace(&hex, &"0".repeat(hex.len()));
    assert_ne!(other, ring);
    fs::write(data.join(&keyring), other).unwrap();
    says(&examined(&data), "belongs to another tenant", "another data folder");
    fs::write(data.join(&keyring), ring).unwrap();
    let anchor = data.join(format!("keys/{hex}/anchor"));
    let kept = fs::read(&anchor).unwrap();
    fs::remove_file(&anchor).unwrap();
    says(&examined(&data), "anchor is not there", "put the anchor back");
    fs::write(&anchor, kept).unwrap();
    let moved = |from: &str, to: &str| {
        #[expect(clippy::disallowed_methods, reason = "the test takes the folder away by hand")]
        fs::rename(data.join(from), data.join(to)).unwrap();
    };
    moved("keys", "gone");
    says(&examined(&data), "the keys cannot be opened", "restore the keys folder");
    moved("gone", "keys");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(told(&examined(&data)), ["folder", "keys"]);
}

#[test]
fn a_damaged_database_is_to_be_restored_wherever_it_is_met() {
    let read = ReadError::DataIntegrity(anyhow::anyhow!("database disk image is malformed"));
    let met = FolderError::Unexpected(anyhow::Error::from(read).context("fill the filter"));
    let opened = FolderError::Database {
        tenant: "ten_x".to_owned(),
        source: OpenError::DataIntegrity("x".to_owned()),
    };
    for error in [met, opened] {
        let remedy = error.remedy();
        assert!(remedy.contains("restore the database from a backup"), "{remedy}");
        assert!(!remedy.contains("envora doctor"), "doctor says it too: {remedy}");
    }
}

#[test]
fn every_error_of_a_folder_has_a_remedy() {
    let path = || Path::new("data").to_owned();
    let tenant = || "ten_x".to_owned();
    let database = |source| FolderError::Database { tenant: tenant(), source };
    for error in [
        FolderError::Exists(path()),
        FolderError::Missing(path()),
        FolderError::InUse { pid: 7 },
        FolderError::Unfit { what: "a", text: "b".to_owned(), due: "a name that is free" },
        FolderError::Keys(KeyError::PassphraseMissing),
        FolderError::Keys(KeyError::Destroyed),
        FolderError::Keys(KeyError::NotFound),
        database(OpenError::KeyUnavailable),
        database(OpenError::UnknownSchema { found: 9, known: 2 }),
        database(OpenError::Missing),
        database(OpenError::OtherTenant),
        database(OpenError::DataIntegrity("x".to_owned())),
        FolderError::Server(OpenError::AlreadyExists),
        FolderError::NoMap { tenants: 0 },
        FolderError::NoMap { tenants: 2 },
        FolderError::BehindAnchor { tenant: tenant(), found: 1, anchored: 2 },
        FolderError::OtherHistory { tenant: tenant() },
        FolderError::DamagedLog { tenant: tenant() },
        FolderError::NotEmpty(path()),
        FolderError::NotApart { one: path(), other: path() },
        FolderError::OnServer,
        FolderError::Unsound { what: "x".to_owned() },
        FolderError::Unreadable { file: "envora.toml", why: "x".to_owned() },
    ] {
        assert!(error.remedy().split(' ').count() >= 4, "{error}: {}", error.remedy());
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
}

#[tokio::test]
async fn rejected_rows_go_after_thirty_days() {
    let house = House::new();
    let request = house.ask("POST", "/imports").header("content-type", "application/x-ndjson");
    let request = request.header("x-idempotency-key", "key-of-the-bad-rows");
    let body = "{\"type\":\"electricity.purchased\"}\n{\"external_id\":1}\n";
    let request = request.header("content-disposition", "attachment; filename=\"bad.ndjson\"");
    let answer = house.send(request.body(axum::body::Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/imports/{id}/errors");
    let rows = async || house.get(&path).await.json()["data"].as_array().map_or(0, Vec::len);
    let before = rows().await;
    assert!(before >= 2, "{before}");
    let swept = || {
        let all: Vec<_> = house.app.tenants().all().collect();
        apart(move || all.iter().map(|one| sweep_once(one.parts()).unwrap().0).sum::<u64>())
    };
    house.clock.advance(Span::from_secs(30 * 86_400 - 1));
    assert_eq!(swept(), 0, "a second is left");
    assert_eq!(rows().await, before);
    house.clock.advance(Span::from_secs(1));
    assert!(swept() >= 2);
    assert_eq!(rows().await, 0);
    let kept = house.get(&format!("/imports/{id}")).await.json();
    assert_eq!(kept["counts"]["rejected"], 2, "what came of it is still told: {kept}");
}
