//! Files in parts: they arrive in any order, go on after a restart, count whole or not at all, and trace
//! to their bytes, across the seams as well.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::Digest;
use envora_domain::time::Span;
use envora_server::folder::doctor::{Check, doctor};
use envora_server::processing::sweep_once;
use serde_json::{Value, json};

use crate::house::{Answer, House, apart, new_key, world};
use crate::imports::{HEADER, counted, import, line, with_facility};

/// Three rows, and where the file is cut: in the middle of the second row and of the third.
fn file() -> (String, [usize; 2]) {
    let rows = [line("a1", "372.4"), line("a2", "10.05"), line("a3", "1")];
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let second = text.find("a2,").unwrap() + 30;
    let third = text.find("a3,").unwrap() + 1;
    (text, [second, third])
}

fn parts_of(text: &str, [first, second]: [usize; 2]) -> [&str; 3] {
    [&text[..first], &text[first..second], &text[second..]]
}

async fn open(house: &House, body: &Value) -> Answer {
    let request = house
        .ask("POST", "/imports")
        .header("content-type", "application/vnd.env.v2+json")
        .header("x-idempotency-key", new_key())
        .body(Body::from(body.to_string()));
    house.send(request.unwrap()).await
}

pub(crate) async fn opened(house: &House, text: &str) -> String {
    let body = json!({"file_name": "meters.csv", "media_type": "text/csv", "bytes": text.len(),
        "sha256": Digest::of(text.as_bytes()).hex()});
    let answer = open(house, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert!(answer.header("location").ends_with(&format!("/imports/{id}")));
    id
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Digest::of(bytes).0))
}

async fn put(house: &House, id: &str, number: u32, (bytes, digest): (&str, &str)) -> Answer {
    let request = house
        .ask("PUT", &format!("/imports/{id}/parts/{number}"))
        .header("content-type", "application/octet-stream")
        .header("content-digest", digest)
        .body(Body::from(bytes.to_owned()));
    house.send(request.unwrap()).await
}

pub(crate) async fn send(house: &House, id: &str, number: u32, bytes: &str) {
    let answer = put(house, id, number, (bytes, &digest_of(bytes.as_bytes()))).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

pub(crate) async fn commit(house: &House, id: &str) -> Answer {
    let request = house.ask("POST", &format!("/imports/{id}/commit")).body(Body::empty());
    house.send(request.unwrap()).await
}

/// The import once its rows are no longer being read.
pub(crate) async fn settled(house: &House, id: &str) -> Value {
    loop {
        let import = house.get(&format!("/imports/{id}")).await.json();
        if import["status"] != "running" {
            return import;
        }
        tokio::time::sleep(core::time::Duration::from_millis(5)).await;
    }
}

async fn total(house: &House) -> Value {
    counted(house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    footprint["totals"]["scope2_location"].clone()
}

/// How many files the lake keeps of sources.
fn kept(house: &House) -> usize {
    let tenants = house.folder.path().join("data/tenants");
    let sources = std::fs::read_dir(tenants).unwrap().map(|entry| entry.unwrap().path());
    sources.map(|path| std::fs::read_dir(path.join("sources")).unwrap().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_in_any_order_are_one_file_that_traces_across_its_seams() {
    let house = with_facility().await;
    let (text, cuts) = file();
    let [one, two, three] = parts_of(&text, cuts);
    let id = opened(&house, &text).await;
    send(&house, &id, 3, three).await;
    let early = commit(&house, &id).await.is_problem(409, "conflict");
    assert!(early["detail"].as_str().unwrap().contains("1, 2"), "{early}");
    send(&house, &id, 1, one).await;
    let seen = house.get(&format!("/imports/{id}/preview")).await.json();
    assert_eq!(seen["rows"].as_array().unwrap().len(), 1, "the cut row is not shown: {seen}");
    assert_eq!(seen["complete"], false);
    assert_eq!(seen["rows"][0]["activity"]["quantity"], "372.4", "{seen}");
    send(&house, &id, 2, two).await;
    send(&house, &id, 2, two).await;
    let import = house.get(&format!("/imports/{id}")).await.json();
    assert_eq!((&import["status"], &import["bytes"]), (&json!("open"), &json!(text.len())));
    assert_eq!(import["parts"].as_array().unwrap().len(), 3);
    assert_eq!(total(&house).await["value"], "0", "nothing counts before the commit");
    let answer = commit(&house, &id).await;
    assert_eq!(answer.status, 202, "{}", answer.json());
    let import = settled(&house, &id).await;
    assert_eq!(import["status"], "succeeded", "{import}");
    assert_eq!(import["sha256"], Digest::of(text.as_bytes()).hex());
    assert_eq!(import["counts"]["accepted"], 3);
    assert_eq!(commit(&house, &id).await.status, 200, "it was taken in before");
    assert!(
        put(&house, &id, 1, (one, &digest_of(one.as_bytes())))
            .await
            .is_problem(409, "conflict")
            .is_object()
    );

    let figure = total(&house).await;
    // 383.45 kWh in all.
    let trace =
        house.get(&format!("/figures/{}/trace", figure["figure_id"].as_str().unwrap())).await;
    let lines = trace.json()["lines"]["data"].clone();
    let mut texts: Vec<String> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["origin"]["text"].as_str().unwrap().to_owned())
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts, [line("a1", "372.4"), line("a2", "10.05"), line("a3", "1")]);

    // The same file, whole: every row is there already.
    let again = house.send(import_of(&house, text.clone())).await;
    assert_eq!(again.json()["counts"]["duplicate"], 3, "{}", again.json());
    let whole = house.get("/imports").await.json();
    assert_eq!(whole["data"].as_array().unwrap().len(), 2, "an open import is none yet: {whole}");
}

fn import_of(house: &House, text: String) -> axum::http::Request<Body> {
    import(house, "", ("whole-file-1", text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_too_many_is_taken_back() {
    let house = with_facility().await;
    let (text, cuts) = file();
    let id = opened(&house, &text).await;
    for (part, number) in parts_of(&text, cuts).into_iter().zip(1..) {
        send(&house, &id, number, part).await;
    }
    put(&house, &id, 4, ("", &digest_of(b""))).await.is_problem(400, "malformed_body");
    let more = put(&house, &id, 4, ("x", &digest_of(b"x"))).await;
    assert_eq!(more.status, 200, "{}", more.json());
    let refused = commit(&house, &id).await.is_problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("DELETE the part"), "{refused}");
    let remove = |number: u32| {
        let path = format!("/imports/{id}/parts/{number}");
        house.ask("DELETE", &path).body(Body::empty()).unwrap()
    };
    assert_eq!(house.send(remove(4)).await.json()["number"], 4);
    house.send(remove(4)).await.is_problem(404, "not_found");
    assert_eq!(commit(&house, &id).await.status, 202);
    assert_eq!(settled(&house, &id).await["counts"]["accepted"], 3);
    house.send(remove(1)).await.is_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_is_what_was_sent_or_nothing_is_kept() {
    let house = with_facility().await;
    let (text, cuts) = file();
    let [one, two, three] = parts_of(&text, cuts);
    let id = opened(&house, &text).await;
    let other = digest_of(b"other");
    put(&house, &id, 1, (one, &other)).await.is_problem(400, "malformed_body");
    put(&house, &id, 1, (one, "sha-256=1234")).await.is_problem(400, "malformed_body");
    put(&house, &id, 0, (one, &digest_of(one.as_bytes())))
        .await
        .is_problem(400, "unknown_parameter");
    put(&house, &id, 1_001, (one, &digest_of(one.as_bytes())))
        .await
        .is_problem(400, "unknown_parameter");
    let long = "x".repeat(text.len() + 1);
    put(&house, &id, 1, (&long, &digest_of(long.as_bytes())))
        .await
        .is_problem(413, "payload_too_large");
    assert_eq!(kept(&house), 0, "nothing of them is kept");
    commit(&house, &id).await.is_problem(409, "conflict");

    // Parts that are together another file than was announced.
    send(&house, &id, 1, two).await;
    send(&house, &id, 2, one).await;
    send(&house, &id, 3, three).await;
    assert_eq!(commit(&house, &id).await.status, 202);
    let import = settled(&house, &id).await;
    assert_eq!(
        (&import["status"], &import["problem"]["code"]),
        (&json!("refused"), &json!("malformed_body")),
        "{import}"
    );
    // The right ones take their place, and what they replace goes.
    send(&house, &id, 1, one).await;
    send(&house, &id, 2, two).await;
    assert_eq!(kept(&house), 3);
    assert_eq!(commit(&house, &id).await.status, 202);
    assert_eq!(settled(&house, &id).await["status"], "succeeded");
    assert_eq!(kept(&house), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_is_mended_by_another_reading() {
    let house = with_facility().await;
    let text = "when,kwh\n2022-01-01T00:00:00Z,5\n";
    let id = opened(&house, text).await;
    send(&house, &id, 1, text).await;
    house.get(&format!("/imports/{id}/preview")).await.is_problem(422, "validation_failed");
    assert_eq!(commit(&house, &id).await.status, 202);
    let import = settled(&house, &id).await;
    assert_eq!(import["problem"]["code"], "validation_failed", "{import}");
    let path = format!("/imports/{id}/mapping");
    let unknown = house.put(&path, ("", ""), &json!({"mapping": "none"})).await;
    unknown.is_problem(422, "validation_failed");
    let mapping = json!({"mapping": "small", "format": "csv", "const": {"type": "electricity.purchased",
        "unit": "kW.h", "time_zone": "UTC"}, "activity": [{"period": {"start": "when", "length": "PT1H"},
        "quantity": {"column": "kwh"}}]});
    let saved = house.post("/import-mappings", &mapping).await;
    assert_eq!(saved.status, 201, "{}", saved.json());
    let said = json!({"mapping": "small", "set": {"facility_code": "b24"}});
    let changed = house.put(&path, ("", ""), &said).await;
    assert_eq!(changed.json()["status"], "open", "{}", changed.json());
    let seen = house.get(&format!("/imports/{id}/preview")).await.json();
    assert_eq!(
        (&seen["complete"], &seen["counts"]["accepted"]),
        (&json!(true), &json!(1)),
        "{seen}"
    );
    assert_eq!(commit(&house, &id).await.status, 202);
    let import = settled(&house, &id).await;
    assert_eq!((&import["status"], &import["mapping"]), (&json!("succeeded"), &json!("small")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_or_forgotten_leaves_nothing() {
    let house = with_facility().await;
    let (text, cuts) = file();
    let [one, two, _] = parts_of(&text, cuts);
    let first = opened(&house, &text).await;
    send(&house, &first, 1, one).await;
    let second = opened(&house, &text).await;
    send(&house, &second, 1, one).await;
    send(&house, &second, 2, two).await;
    assert_eq!(kept(&house), 3, "each import has parts of its own");
    let listed = house.get("/imports?state=open").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");
    let given_up = house.ask("DELETE", &format!("/imports/{first}")).body(Body::empty()).unwrap();
    assert_eq!(house.send(given_up).await.json()["status"], "canceled");
    house.get(&format!("/imports/{first}")).await.is_problem(404, "not_found");
    assert_eq!(kept(&house), 2);
    let swept = || {
        for tenant in house.app.tenants().all() {
            apart(|| sweep_once(tenant.parts()).unwrap());
        }
    };
    house.clock.advance(Span::from_secs(86_399));
    swept();
    assert_eq!(kept(&house), 2, "its day is not over");
    house.clock.advance(Span::from_secs(2));
    swept();
    assert_eq!(kept(&house), 0);
    house.get(&format!("/imports/{second}")).await.is_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_atomic_file_with_a_bad_row_stores_nothing_and_says_which() {
    let house = with_facility().await;
    let text = format!("{HEADER}\n{}\n{}\n", line("a1", "1"), line("a2", "1e3"));
    let body = json!({"file_name": "m.csv", "media_type": "text/csv", "mode": "atomic"});
    let id = open(&house, &body).await.json()["id"].as_str().unwrap().to_owned();
    send(&house, &id, 1, &text).await;
    assert_eq!(commit(&house, &id).await.status, 202);
    let import = settled(&house, &id).await;
    assert_eq!(import["status"], "refused");
    assert_eq!(import["problem"]["errors"][0]["row"]["line"], 3, "{import}");
    assert_eq!(total(&house).await["value"], "0");
}

#[tokio::test]
async fn what_opens_an_import_is_read_strictly() {
    let house = with_facility().await;
    let refused = open(
        &house,
        &json!({"file_name": "a.xlsx", "media_type": "application/pdf", "bytes": 0,
        "sha256": "12", "mode": "half", "set": {"scope": 1}, "size": 3}),
    )
    .await;
    let problem = refused.is_problem(422, "validation_failed");
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#/bytes", "#/media_type", "#/mode", "#/set", "#/sha256", "#/size"]);
    let nobody = house
        .ask("PUT", "/imports/imp_00000000000000000000000000/parts/1")
        .header("content-type", "application/octet-stream")
        .header("content-digest", digest_of(b"x"))
        .body(Body::from("x"))
        .unwrap();
    house.send(nobody).await.is_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_changed_is_found_and_one_that_is_whole_survives_a_restart() {
    let house = with_facility().await;
    let (text, cuts) = file();
    let [one, two, three] = parts_of(&text, cuts);
    let id = opened(&house, &text).await;
    for (number, part) in (1..).zip([one, two, three]) {
        send(&house, &id, number, part).await;
    }
    assert_eq!(commit(&house, &id).await.status, 202);
    assert_eq!(settled(&house, &id).await["status"], "succeeded");
    let (world, data) = (world().0, house.folder.path().join("data"));
    let House { app, router, folder, .. } = house;
    // What took the file in holds the folder until it ends, a moment after its rows are there.
    app.tracker().close();
    app.tracker().wait().await;
    drop((app, router));
    let of_files = || {
        let checks = apart(|| doctor(&data, &world, None));
        let of_ours = |check: &Check| {
            check.name.starts_with("source files") && !check.detail.starts_with("0 ")
        };
        checks.into_iter().find(of_ours).unwrap().detail
    };
    assert_eq!(of_files(), "1 imports have the bytes that were sent");
    let tenants = std::fs::read_dir(data.join("tenants")).unwrap();
    let mut sources = tenants.map(|entry| entry.unwrap().path().join("sources"));
    let place = sources.find(|path| std::fs::read_dir(path).unwrap().count() == 3).unwrap();
    let part = std::fs::read_dir(place).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    assert!(
        of_files().starts_with("1 of 1 are damaged, first meters.csv of imp_"),
        "{}",
        of_files()
    );
    drop(folder);
}
