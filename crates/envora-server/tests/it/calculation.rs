//! A calculation that fails is seen by everybody who has to know, says what to do, and is seen to go on.

use std::fs;

use axum::body::Body;
use axum::http::Request;
use envora_domain::access::actions::ActivatePack;
use envora_domain::hash::Digest;
use envora_domain::time::Span;
use envora_identity::policy::own_work;
use envora_server::folder::doctor::{Check, Health, doctor};
use envora_server::processing::{Calculated, calculate_once};
use envora_server::tenants::TenantCtx;
use envora_server::{admin, serving};
use envora_store::packs::{NewPack, pack_activate, packs_active};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::house::{ACME, House, apart, world};

/// What the admin listener says at a path.
pub(crate) async fn admin(house: &House, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = admin::router(&house.app).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The value of a metric's sample, as it is written.
#[track_caller]
pub(crate) fn sample(text: &str, name: &str) -> String {
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| unreachable!("no {name} in {text}")).to_owned()
}

pub(crate) fn acme(house: &House) -> TenantCtx {
    house
        .app
        .tenants()
        .all()
        .find(|tenant| tenant.about().slug == ACME && !tenant.is_test())
        .unwrap()
}

pub(crate) async fn row(house: &House, id: &str, quantity: &str) {
    let body = json!({"activities": [{
        "external_id": id, "type": "electricity.purchased", "quantity": quantity, "unit": "kW.h",
        "start": "2022-01-01T00:00:00Z", "end": "2022-01-01T01:00:00Z", "facility_code": "b24"
    }]});
    let answer = house.post("/activities", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
}

async fn step(house: &House) -> Calculated {
    loop {
        let came = calculate_once(&house.app, &acme(house)).await;
        if came != Calculated::InPart {
            return came;
        }
    }
}

async fn with_facility() -> House {
    let house = House::new();
    let facility =
        json!({"code": "b24", "name": "The library", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    for tenant in house.app.tenants().all() {
        calculate_once(&house.app, &tenant).await;
    }
    house
}

const YEAR: &str = "/carbon-footprint?from=2022-01-01&to=2023-01-01";

/// All of them say that it fails, with this code, since the clock stood so.
async fn is_seen(house: &House, code: &str, words: &str) {
    let since = house.clock_now();
    assert_eq!(step(house).await, Calculated::Failed);
    house.clock.advance(Span::from_secs(60));
    assert_eq!(step(house).await, Calculated::Failed);

    let (status, ready) = admin(house, "/readyz").await;
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(
        (status, &ready["ready"]),
        (200, &json!(true)),
        "reading and writing go on: {ready}"
    );
    assert_eq!(ready["checks"]["calculation"], "degraded");
    let id = acme(house).id().to_string();
    let tenants = ready["tenants"].as_array().unwrap();
    let told = tenants.iter().find(|it| it["tenant"] == id).unwrap();
    assert_eq!((&told["calculation"], &told["code"]), (&json!("failing"), &json!(code)), "{told}");
    assert_eq!((&told["since"], &told["failures"]), (&json!(since.to_string()), &json!(2)));
    assert!(told["lag_ms"].as_u64().unwrap() >= 60_000, "{told}");
    assert!(tenants.iter().any(|it| it["calculation"] == "ok"), "others go on: {ready}");

    let (_, text) = admin(house, "/metrics").await;
    let lag = || sample(&text, "envora_calculation_lag_seconds").parse::<u64>().unwrap();
    let before = lag();
    assert!(before >= 60, "{before}");
    assert_eq!(sample(&text, "envora_calculation_failing_tenants"), "1");
    let failures = format!("envora_calculation_failures_total{{code=\"{code}\"}}");
    assert_eq!(sample(&text, &failures), "2");
    house.clock.advance(Span::from_secs(7));
    let (_, later) = admin(house, "/metrics").await;
    let later = sample(&later, "envora_calculation_lag_seconds").parse::<u64>().unwrap();
    assert_eq!(later, before + 7, "it grows though nothing happens");

    let footprint = house.get(YEAR).await.json();
    assert_eq!(footprint["status"], "failing", "{footprint}");
    let warning = &footprint["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["activities"]),
        (&json!("calculation_failing"), &json!(1))
    );
    let detail = warning["detail"].as_str().unwrap();
    assert!(detail.contains(code) && detail.contains(words), "{detail}");
    assert!(detail.contains(&since.to_string()), "{detail}");
    assert_eq!(
        house.get("/carbon-footprint/series?from=2022-01-01&to=2023-01-01").await.json()["status"],
        "failing"
    );
}

async fn goes_on(house: &House, due: &str) {
    assert_eq!(step(house).await, Calculated::All);
    let footprint = house.get(YEAR).await.json();
    assert_eq!(
        (&footprint["status"], &footprint["watermark"]["lag_ms"]),
        (&json!("current"), &json!(0))
    );
    let codes: Vec<&Value> =
        footprint["warnings"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert!(!codes.contains(&&json!("calculation_failing")), "{codes:?}");
    assert_eq!(footprint["totals"]["scope2_location"]["value"], due);
    let (_, ready) = admin(house, "/readyz").await;
    assert!(ready.contains("\"calculation\":\"ok\"") && !ready.contains("failing"), "{ready}");
    let (_, text) = admin(house, "/metrics").await;
    assert_eq!(sample(&text, "envora_calculation_lag_seconds"), "0");
    assert_eq!(sample(&text, "envora_calculation_failing_tenants"), "0");
}

/// Ends the server, and says what the doctor finds of its calculation.
async fn examined(house: House) -> (Check, tempfile::TempDir) {
    let id = acme(&house).id();
    let House { app, router, folder, .. } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    let checks = apart(|| doctor(&folder.path().join("data"), &world().0, None));
    let name = format!("calculation of {id}");
    let check = checks.iter().find(|check| check.name == name);
    (check.unwrap_or_else(|| unreachable!("no {name} in {checks:#?}")).clone(), folder)
}

async fn activate(house: &House, pack: NewPack) {
    let (tenant, now) = (acme(house), house.clock_now());
    let grant = own_work::<ActivatePack>(tenant.id());
    tenant.parts().db.write(move |tx| pack_activate(tx, &grant, &pack, now)).await.unwrap();
}

/// A pack as it is active, and as another program would have it.
async fn packs(house: &House) -> (NewPack, NewPack) {
    let tenant = acme(house);
    let id = tenant.id();
    let active = tenant.parts().db.read(move |rd| packs_active(rd, &own_work(id), u64::MAX)).await;
    let ours = active.unwrap().into_iter().find(|it| it.pack.pack == "desnz-2022").unwrap().pack;
    let theirs = NewPack {
        version: "of another program".to_owned(),
        digest: Digest::of(b"not at hand"),
        ..ours.clone()
    };
    (ours, theirs)
}

#[tokio::test]
async fn a_first_calculation_that_fails_names_its_cause() {
    let house = House::new();
    let (ours, theirs) = packs(&house).await;
    activate(&house, theirs).await;
    let since = house.clock_now();
    assert_eq!(step(&house).await, Calculated::Failed);
    for path in [YEAR, "/carbon-footprint/series?from=2022-01-01&to=2023-01-01"] {
        let answer = house.get(path).await;
        let problem = answer.is_problem(409, "not_calculated");
        let detail = problem["detail"].as_str().unwrap();
        for words in ["pack_missing", "envora factors activate desnz-2022", &since.to_string()] {
            assert!(detail.contains(words), "{words}: {detail}");
        }
        assert!(!answer.headers.contains_key("retry-after"), "nobody knows when it goes on");
    }
    activate(&house, ours).await;
    assert_eq!(step(&house).await, Calculated::All);
    assert_eq!(house.get(YEAR).await.json()["status"], "current");
}

#[tokio::test]
async fn a_pack_that_is_missing_is_said_everywhere() {
    let house = with_facility().await;
    let (ours, theirs) = packs(&house).await;
    activate(&house, theirs).await;
    row(&house, "row-1", "372.4").await;
    is_seen(&house, "pack_missing", "envora factors activate desnz-2022").await;
    activate(&house, ours).await;
    goes_on(&house, "72.014712").await;
    let (check, _folder) = examined(house).await;
    assert_eq!(check.health, Health::Good, "{check:?}");
}

#[tokio::test]
async fn stored_bytes_that_are_damaged_are_said_everywhere() {
    let house = with_facility().await;
    let row_file = |rows: u32| {
        let mut text = "external_id,type,quantity,unit,start,end,facility_code\n".to_owned();
        for row in 0..rows {
            let scattered = u64::from(row).wrapping_mul(2_654_435_761) % 1_000_003;
            text.push_str(&format!("row-{row}-{scattered},electricity.purchased,1,kW.h,2022-01-01T00:00:00Z,2022-01-01T01:00:00Z,b24\n"));
        }
        text
    };
    let request = house.ask("POST", "/imports").header("content-type", "text/csv");
    let request = request.header("x-idempotency-key", "key-of-the-file");
    let sent = house.send(request.body(Body::from(row_file(3_000))).unwrap()).await;
    assert_eq!(sent.json()["counts"]["accepted"], 3_000, "{}", sent.json());
    let hex = acme(&house).id().to_string();
    let tenants = fs::read_dir(house.folder.path().join("data/tenants")).unwrap();
    let segment = tenants
        .flat_map(|tenant| fs::read_dir(tenant.unwrap().path().join("segments")).unwrap())
        .next()
        .unwrap_or_else(|| unreachable!("no segment of {hex}"))
        .unwrap()
        .path();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    // What was read in a moment ago is calculated as it was read: only after a restart is it read back.
    let House { app, router, token, other_token, clock, folder } = house;
    drop(router);
    serving::close(&app).await.unwrap();
    drop(app);
    let app = crate::house::opened(&folder.path().join("data")).unwrap();
    let router = envora_server::routes::router(&app);
    let house = House { app, router, token, other_token, clock, folder };
    assert_eq!(step(&house).await, Calculated::Failed);
    let footprint = house.get(YEAR).await.json();
    assert_eq!(footprint["warnings"][0]["activities"], 3_000, "{footprint}");
    let detail = footprint["warnings"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("data_integrity") && detail.contains("envora doctor"), "{detail}");
    let (check, folder) = examined(house).await;
    assert_eq!(check.health, Health::Bad, "{check:?}");
    assert!(
        check.detail.contains("fails") && check.remedy.unwrap().contains("backup"),
        "{}",
        check.detail
    );
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let checks = apart(|| doctor(&folder.path().join("data"), &world().0, None));
    let check = checks
        .iter()
        .find(|check| check.name.starts_with("calculation of ") && check.health != Health::Good);
    let check = check.unwrap();
    assert_eq!(check.health, Health::Note, "it only waits now: {check:?}");
    assert!(check.remedy.as_ref().unwrap().contains("serve"), "{check:?}");
}
