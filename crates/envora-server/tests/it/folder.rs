//! The folder: made once, opened by one process, and not served when something is wrong with it.

use std::fs;
use std::path::Path;

use envora_server::folder::init::{Environment, init};
use envora_server::folder::{FolderError, anchors};
use envora_server::serving;

use crate::house::{ACME, House, apart, opened, organization, world};

#[tokio::test]
async fn a_folder_is_made_once_and_opened_by_one() {
    let house = House::new();
    let path = house.folder.path().join("data");
    let again = init(&path, &organization(ACME, Environment::Live), &world().0);
    assert!(matches!(again, Err(FolderError::Exists(_))));
    let second = opened(&path);
    let Err(error) = second else { unreachable!("a second one opened the folder") };
    assert!(matches!(error, FolderError::InUse { pid } if pid == std::process::id()));
    assert!(error.remedy().contains("end process"));
    let House { app, router, .. } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn words_that_cannot_be_hosts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    for slug in ["", "A", "acme-test", "a b", "-a", "localhost.x"] {
        let refused = init(&path, &organization(slug, Environment::Live), &world().0);
        assert!(matches!(refused, Err(FolderError::Unfit { .. })), "{slug}");
    }
    let mut lost = organization(ACME, Environment::Live);
    lost.time_zone = "Europe/Londn".to_owned();
    assert!(matches!(init(&path, &lost, &world().0), Err(FolderError::Unfit { .. })));
    assert!(!path.exists(), "nothing was made");
    assert!(matches!(opened(&path), Err(FolderError::Missing(_))));
}

/// Closes the house and leaves its folder.
async fn closed(house: House) -> tempfile::TempDir {
    let House { app, router, folder, .. } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_database_older_than_its_anchor_is_not_served() {
    let house = House::new();
    let (data, old) = (house.folder.path().join("data"), house.folder.path().join("old"));
    let folder = closed(house).await;
    copy(&data, &old);
    let app = opened(&data).unwrap();
    let tenant = app.tenants().all().next().unwrap();
    let (id, now) = (tenant.id(), app.clock().now());
    let facility = envora_store::facilities::FacilityFields {
        id: envora_domain::id::FacilityId::new(now, app.entropy()),
        code: "b1".to_owned(),
        name: "One".to_owned(),
        country: "GB".to_owned(),
        region: String::new(),
        time_zone: "UTC".to_owned(),
        grid: String::new(),
        opened: None,
        closed: None,
    };
    let grant = envora_identity::policy::own_work(id);
    let write = tenant
        .parts()
        .db
        .write(move |tx| envora_store::nouns::noun_put(tx, &grant, &facility, now).map(drop));
    write.await.unwrap();
    apart(|| anchors::write(tenant.parts())).unwrap();
    drop(tenant);
    serving::close(&app).await.unwrap();
    drop(app);
    let name = format!("tenants/{}", id.hex());
    fs::remove_dir_all(data.join(&name)).unwrap();
    copy(&old.join(&name), &data.join(&name));
    let Err(error) = opened(&data) else { unreachable!("an old database was served") };
    assert!(matches!(error, FolderError::BehindAnchor { .. }), "{error}");
    assert!(error.remedy().contains("older copy"));
    drop(folder);
}

#[tokio::test]
async fn a_wrong_key_and_a_flipped_bit_are_said_to_be_so() {
    let folder = closed(House::new()).await;
    let data = folder.path().join("data");
    let other = closed(House::new()).await;
    let seal = data.join("keys/seal");
    let ours = fs::read(&seal).unwrap();
    // The same seed makes the same keys; one changed byte makes another seal.
    let mut text =
        String::from_utf8(fs::read(other.path().join("data/keys/seal")).unwrap()).unwrap();
    let at = text.find("\"key\"").unwrap() + 12;
    let letter = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    text.replace_range(at..=at, letter);
    fs::write(&seal, text).unwrap();
    assert!(matches!(opened(&data), Err(FolderError::Keys(_))));
    fs::write(&seal, ours).unwrap();

    let tenant = fs::read_dir(data.join("tenants")).unwrap().next().unwrap().unwrap().path();
    let database = tenant.join("tenant.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = 4096 + 100;
    bytes[middle] ^= 1;
    fs::write(&database, &bytes).unwrap();
    let Err(error) = opened(&data) else { unreachable!("a flipped bit went unseen") };
    assert!(
        matches!(error, FolderError::Database { .. } | FolderError::Unexpected(_)),
        "{error:?}"
    );
    bytes[middle] ^= 1;
    fs::write(&database, &bytes).unwrap();
    let app = opened(&data).unwrap();
    serving::close(&app).await.unwrap();
}
