//! The folder: made once, opened by one process, and not served when something is wrong with it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use envora_server::app::World;
use envora_server::folder::init::{Environment, init};
use envora_server::folder::{FolderError, anchors};
use envora_server::serving;
use envora_testkit::entropy::SeededEntropy;
use envora_testkit::scratch::copy_folder;

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
}

/// Files and folders below a path that others of the machine may look at, or that are made otherwise.
fn not_owners_alone(path: &Path) -> Vec<String> {
    let about = fs::metadata(path).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
    let due = if about.is_dir() { 0o700 } else { 0o600 };
    let here = (mode != due).then(|| format!("{} has mode {mode:o}", path.display()));
    let entries = if about.is_dir() { Some(fs::read_dir(path).unwrap()) } else { None };
    let below =
        entries.into_iter().flatten().flat_map(|entry| not_owners_alone(&entry.unwrap().path()));
    here.into_iter().chain(below).collect()
}

#[tokio::test]
async fn everything_in_a_folder_is_its_owners_alone() {
    let house = House::new();
    let facility =
        serde_json::json!({"code": "b24", "name": "b24", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    let rows: String = (0..400)
        .map(|row| format!("r{row},electricity.purchased,1.5,kW.h,2022-01-01T00:00:00Z,2022-01-01T01:00:00Z,b24\n"))
        .collect();
    let request = house.ask("POST", "/imports").header("content-type", "text/csv");
    let request = request.header("content-disposition", "attachment; filename=\"meters.csv\"");
    let request =
        request.header("x-idempotency-key", "key-of-the-file").body(axum::body::Body::from(
            format!("external_id,type,quantity,unit,start,end,facility_code\n{rows}"),
        ));
    assert_eq!(house.send(request.unwrap()).await.status, 201);
    let tenants: Vec<_> = house.app.tenants().all().collect();
    apart(|| {
        for tenant in &tenants {
            tenant.processor().catch_up().unwrap();
            anchors::write(tenant.parts()).unwrap();
        }
    });
    let data = house.folder.path().join("data");
    let of_tenant = data.join("tenants").join(tenants[0].id().hex());
    for due in ["tenant.db", "tenant.db-wal", "segments", "sources"] {
        assert!(of_tenant.join(due).exists(), "{due}");
    }
    assert_eq!(not_owners_alone(&data), Vec::<String>::new());
    drop(tenants);
    // One that somebody made before us, for all to read, is closed.
    let open = house.folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::write(open.join("envora.toml"), "listen = \"127.0.0.1:0\"\n").unwrap();
    apart(|| init(&open, &organization(ACME, Environment::Live), &world().0)).unwrap();
    assert_eq!(not_owners_alone(&open), Vec::<String>::new());
    let kept = fs::read_to_string(open.join("envora.toml")).unwrap();
    assert_eq!(kept, "listen = \"127.0.0.1:0\"\n", "settings that were there stay");
}

#[tokio::test]
async fn a_lost_map_of_hosts_is_said_to_be_lost() {
    let folder = closed(House::new()).await;
    let data = folder.path().join("data");
    let map = fs::read(data.join("instance/map.json")).unwrap();
    fs::remove_file(data.join("instance/map.json")).unwrap();
    let Err(error) = opened(&data) else { unreachable!("it opened without its map") };
    assert!(matches!(error, FolderError::NoMap { tenants: 3 }), "{error:?}");
    assert!(error.to_string().contains("instance/map.json is not there"), "{error}");
    assert!(error.remedy().contains("restore instance/map.json from a backup"));
    let bolt = organization("another", Environment::Live);
    let added = envora_server::folder::init::add(&data, &bolt, &world().0);
    assert!(matches!(added, Err(FolderError::NoMap { .. })), "a new map would lose the others");
    fs::write(data.join("instance/map.json"), map).unwrap();
    serving::close(&opened(&data).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_map_of_hosts_that_another_wrote_is_not_served() {
    let folder = closed(House::new()).await;
    let data = folder.path().join("data");
    let file = data.join("instance/map.json");
    let text = fs::read_to_string(&file).unwrap();
    let unsigned = |text: &str| {
        let mut map: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(map.as_object_mut().unwrap().remove("mac").is_some());
        map.to_string()
    };
    let renamed = text.replace("\"acme.localhost\"", "\"acmf.localhost\"");
    // acme and bolt change places.
    let swapped = text.replace("\"acme.l", "\"x.l").replace("\"bolt.l", "\"acme.l");
    let swapped = swapped.replace("\"x.l", "\"bolt.l");
    for changed in [&renamed, &swapped, &unsigned(&renamed), &unsigned(&swapped)] {
        assert_ne!(*changed, text);
        fs::write(&file, changed).unwrap();
        let Err(error) = opened(&data) else { unreachable!("it opened with {changed}") };
        assert!(matches!(error, FolderError::ForeignMap { .. }), "{error:?}");
        assert!(error.remedy().contains("restore it from a backup"));
        assert_eq!(fs::read_to_string(&file).unwrap(), *changed, "nothing was mended");
    }
    fs::write(&file, &renamed).unwrap();
    let another = organization("another", Environment::Live);
    let other_ids = Arc::new(SeededEntropy::new(70));
    let world = World { entropy: other_ids, ..world().0 };
    let added = apart(|| envora_server::folder::init::add(&data, &another, &world));
    assert!(matches!(added, Err(FolderError::ForeignMap { .. })), "it would be signed");
    // The map of an earlier program is added to as it is, and signed once its tenants are open.
    fs::write(&file, unsigned(&text)).unwrap();
    apart(|| envora_server::folder::init::add(&data, &another, &world)).unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("mac"));
    serving::close(&opened(&data).unwrap()).await.unwrap();
    assert!(fs::read_to_string(&file).unwrap().contains("\"mac\""));
    serving::close(&opened(&data).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_log_that_was_changed_from_outside_is_not_served() {
    let house = House::new();
    let data = house.folder.path().join("data");
    let tenant = house.app.tenants().all().next().unwrap();
    let (id, key) = (tenant.id(), tenant.parts().keys.db_key_hex().to_string());
    drop(tenant);
    let folder = closed(house).await;
    let database = data.join("tenants").join(id.hex()).join("tenant.db");
    let by_hand = |sql: &str| {
        #[expect(clippy::disallowed_methods, reason = "the test changes the file behind the store")]
        let file = rusqlite::Connection::open(&database).unwrap();
        file.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
        assert_eq!(file.execute(sql, []).unwrap(), 1, "{sql}");
    };
    // Somebody rewrites an entry and has the key: the sums of the file are right, those of the log not.
    by_hand("UPDATE audit_entry SET leaf = CAST(leaf || x'00' AS BLOB) WHERE seq = 1");
    let Err(error) = opened(&data) else { unreachable!("a changed log was served") };
    assert!(matches!(error, FolderError::DamagedLog { .. }), "{error:?}");
    assert!(error.remedy().contains("restore it from a backup"));
    by_hand("UPDATE audit_entry SET leaf = substr(leaf, 1, length(leaf) - 1) WHERE seq = 1");
    serving::close(&opened(&data).unwrap()).await.unwrap();
    drop(folder);
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

#[tokio::test]
async fn a_database_older_than_its_anchor_is_not_served() {
    let house = House::new();
    let (data, old) = (house.folder.path().join("data"), house.folder.path().join("old"));
    let folder = closed(house).await;
    copy_folder(&data, &old);
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
        entity: None,
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
    copy_folder(&old.join(&name), &data.join(&name));
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
