//! Disks that are full, segments that are damaged, bodies that break off: nothing is lost, nothing is
//! half stored, and the answer says what to do.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use envora_domain::time::Span;
use envora_lake::os_disk::OsDisk;
use envora_server::folder::doctor::{Health, doctor};
use envora_server::serving::{self, BindError, Bound, Listen};
use envora_server::tenants::TenantCtx;
use envora_store::writer::WriterState;
use envora_testkit::disk::{Call, FaultyDisk};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::house::{Answer, House, Served, apart, world};

const HEADER: &str = "external_id,type,quantity,unit,start,end,facility_code";

/// A file of so many rows: enough of them fill a segment file of their own.
fn file(rows: u32) -> String {
    let mut text = format!("{HEADER}\n");
    for row in 0..rows {
        let scattered = u64::from(row).wrapping_mul(2_654_435_761) % 1_000_003;
        text.push_str(&format!(
            "row-{row}-{scattered},electricity.purchased,{scattered}.{row},kW.h,2022-01-01T00:00:00Z,2022-01-01T01:00:00Z,b24\n"
        ));
    }
    text
}

async fn push(house: &House, key: &str, body: String) -> Answer {
    let request = house
        .ask("POST", "/imports")
        .header("content-type", "text/csv")
        .header("x-idempotency-key", key)
        .body(Body::from(body));
    house.send(request.unwrap()).await
}

async fn with_facility(house: House) -> House {
    let facility =
        json!({"code": "b24", "name": "The library", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    house
}

/// The segment files of the folder.
fn segments(house: &House) -> Vec<PathBuf> {
    let tenants = fs::read_dir(house.folder.path().join("data/tenants")).unwrap();
    tenants
        .flat_map(|tenant| fs::read_dir(tenant.unwrap().path().join("segments")).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[tokio::test]
async fn a_flipped_bit_in_a_segment_is_said_and_nothing_is_answered_from_it() {
    let house = with_facility(House::new()).await;
    let sent = push(&house, "import-key-1", file(3_000)).await;
    assert_eq!(sent.json()["counts"]["accepted"], 3_000, "{}", sent.json());
    let tenants: Vec<_> = house.app.tenants().all().collect();
    apart(|| {
        for tenant in &tenants {
            tenant.processor().catch_up().unwrap();
        }
    });
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let figure = footprint["totals"]["scope2_location"]["figure_id"].as_str().unwrap().to_owned();
    let files = segments(&house);
    let [segment] = files.as_slice() else { unreachable!("one segment file: {files:?}") };
    let mut bytes = fs::read(segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(segment, &bytes).unwrap();
    let damaged = house.get(&format!("/figures/{figure}/trace")).await;
    damaged.is_problem(503, "data_integrity");
    assert_eq!(house.get("/facilities").await.status, 200, "the rest goes on");

    drop(tenants);
    let House { app, router, folder, .. } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    let data = folder.path().join("data");
    let checks = apart(|| doctor(&data, &world().0, None));
    let bad: Vec<_> = checks.iter().filter(|check| check.health == Health::Bad).collect();
    assert!(bad.len() == 1 && bad[0].name.starts_with("segments of"), "{checks:#?}");
    bytes[middle] ^= 1;
    fs::write(segment, &bytes).unwrap();
    let checks = apart(|| doctor(&data, &world().0, None));
    assert!(checks.iter().all(|check| check.health != Health::Bad), "{checks:#?}");
    assert!(checks.iter().any(|check| check.detail.contains("3000 rows")), "{checks:#?}");
}

#[tokio::test]
async fn a_full_disk_refuses_and_nothing_is_half_stored() {
    let disk = Arc::new(FaultyDisk::new(OsDisk));
    let house = with_facility(House::on(Arc::<FaultyDisk<OsDisk>>::clone(&disk))).await;
    // Full for the file, and for as many looks as may be taken at it meanwhile.
    (0..5).for_each(|after| disk.fail(Call::Create, after, ErrorKind::StorageFull));
    let refused = push(&house, "import-key-1", file(3_000)).await;
    refused.is_problem(503, "read_only");
    let is_read_only = |tenant: &TenantCtx| tenant.parts().db.state() == WriterState::ReadOnly;
    let tenant = house.app.tenants().all().find(is_read_only).expect("readiness tells it too");
    assert_eq!(house.get("/imports").await.json()["data"], json!([]));
    assert_eq!(house.get("/activities").await.json()["data"], json!([]));
    while !apart(|| tenant.has_room()) {}
    tenant.parts().db.resume();
    assert_eq!(tenant.parts().db.state(), WriterState::Open);
    let stored = push(&house, "import-key-1", file(3_000)).await;
    assert_eq!(stored.json()["counts"]["accepted"], 3_000, "{}", stored.json());
}

#[tokio::test]
async fn a_clock_that_goes_back_loses_nothing_and_doubles_nothing() {
    let house = with_facility(House::new()).await;
    let mut due = 0;
    for (step, rows) in [(0, 10), (-90_000, 20), (180_000, 30), (-31_536_000, 40)] {
        house.clock.advance(Span::from_secs(step));
        let stored = push(&house, &format!("import-key-{rows}"), file(rows)).await;
        let counts = &stored.json()["counts"];
        assert_eq!((&counts["accepted"], &counts["duplicate"]), (&json!(10), &json!(due)));
        due += 10;
        let again = push(&house, &format!("import-key-{rows}"), file(rows)).await;
        assert_eq!(again.header("idempotent-replayed"), "true", "{rows}");
    }
    let listed = house.get("/activities?limit=100").await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(40));
}

#[tokio::test]
async fn a_failed_sync_of_a_source_file_ends_acknowledging() {
    let disk = Arc::new(FaultyDisk::new(OsDisk));
    let house = with_facility(House::on(Arc::<FaultyDisk<OsDisk>>::clone(&disk))).await;
    disk.fail(Call::SyncDir, 0, ErrorKind::Other);
    let refused = push(&house, "import-key-1", file(10)).await;
    assert_eq!(refused.status, 503, "{}", refused.json());
    // The file lies there whole, and is perhaps not durable: a retry must not take it for kept.
    let again = push(&house, "import-key-1", file(10)).await;
    assert_eq!(again.status, 503, "{}", again.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    let house = with_facility(House::new()).await;
    let served = Served::of(&house).await;
    let address = served.address;
    let body = file(100);
    let head = format!(
        "POST /v2/organizations/acme/imports HTTP/1.1\r\nhost: acme.localhost\r\nauthorization: Bearer {}\r\n\
         content-type: text/csv\r\nx-idempotency-key: import-key-1\r\ncontent-length: {}\r\n\r\n",
        house.token,
        body.len()
    );
    for hundredths in [50, 99] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&body.as_bytes()[..body.len() * hundredths / 100]).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
        assert_eq!(house.get("/imports").await.json()["data"], json!([]), "{hundredths}");
    }

    let mut socket = tokio::net::TcpStream::connect(served.admin).await.unwrap();
    let ask = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut ready = String::new();
    socket.read_to_string(&mut ready).await.unwrap();
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"ready\":true"), "{ready}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_behind_a_body_that_is_framed_twice_is_another_request() {
    let house = House::new();
    let served = Served::of(&house).await;
    let address = served.address;
    for framing in [
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "content-length: 5\r\ntransfer-encoding: chunked",
        "content-length: 5\r\ncontent-length: 6",
    ] {
        let first = format!(
            "POST /v2/organizations/acme/facilities HTTP/1.1\r\nhost: acme.localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\n{framing}\r\n\r\n0\r\n\r\n",
            house.token
        );
        let behind = "GET /livez HTTP/1.1\r\nhost: acme.localhost\r\n\r\n";
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(format!("{first}{behind}").as_bytes()).await.unwrap();
        // It ends because the server ends it.
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 400"), "{framing}: {text}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{framing}: {text}");
    }
    served.end().await;
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let outside = Listen { address: "0.0.0.0:0".parse().unwrap(), ..Listen::default() };
    assert!(matches!(Bound::bind(outside).await, Err(BindError::NotLoopback(_))));
}
