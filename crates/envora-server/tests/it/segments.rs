//! Segments: the manifest as a list, and what a stranger can check of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_domain::hash::{Digest, leaf_hash};
use envora_ledger::proof::{Inclusion, verify_inclusion};
use envora_ledger::verify::{EntryProof, verify_entry};
use serde_json::{Value, json};

use crate::house::House;
use crate::imports::{HEADER, counted, import, line, with_facility};

fn digest(value: &Value) -> Digest {
    let text = value.as_str().unwrap_or_else(|| unreachable!("{value}"));
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
    Digest(bytes.try_into().unwrap())
}

fn digests(value: &Value) -> Vec<Digest> {
    value.as_array().unwrap().iter().map(digest).collect()
}

/// Two files: one of 600 rows, one of 1.
async fn two_files() -> (House, [String; 2]) {
    let house = with_facility().await;
    let mut imports = Vec::new();
    for (key, rows) in [("the-long-file", 600), ("the-short-file", 1)] {
        let lines: Vec<String> =
            (0..rows).map(|row| line(&format!("{key}-{row}"), &format!("{}", row + 1))).collect();
        let sent =
            house.send(import(&house, "", (key, format!("{HEADER}\n{}\n", lines.join("\n")))));
        let sent = sent.await;
        assert_eq!(sent.status, 201, "{}", sent.json());
        imports.push(sent.json()["id"].as_str().unwrap().to_owned());
    }
    (house, [imports[0].clone(), imports[1].clone()])
}

#[tokio::test]
async fn segments_are_listed_page_by_page_and_narrowed() {
    let (house, [long, short]) = two_files().await;
    let all = house.get("/segments?include=total").await.json();
    let data = all["data"].as_array().unwrap();
    assert_eq!((data.len(), &all["total"]), (2, &json!(2)), "{all}");
    assert_eq!((&data[0]["rows"], &data[1]["rows"]), (&json!(600), &json!(1)));
    assert_eq!((&data[0]["import_id"], &data[1]["import_id"]), (&json!(long), &json!(short)));
    let first = house.get("/segments?limit=1").await;
    assert!(first.header("link").contains("rel=\"next\""), "{:?}", first.headers);
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = house.get(&format!("/segments?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&first.json()["data"][0], &second["data"][0]), (&data[0], &data[1]));
    assert_eq!(second["next_cursor"], Value::Null);
    for (query, rows) in [
        (format!("import_id={short}"), vec![1]),
        (format!("after_seq={}", data[0]["seq"]), vec![1]),
        (format!("after_seq={}", data[1]["seq"]), vec![]),
        ("from=2021-12-31&to=2022-01-02".to_owned(), vec![600, 1]),
        ("to=2021-01-01".to_owned(), vec![]),
        ("from=2030-01-01".to_owned(), vec![]),
    ] {
        let found = house.get(&format!("/segments?include=total&{query}")).await.json();
        let told: Vec<u64> = found["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["rows"].as_u64().unwrap())
            .collect();
        assert_eq!((&told, &found["total"]), (&rows, &json!(rows.len())), "{query}");
    }
    for (segment, rows) in data.iter().zip([600, 1]) {
        let of = segment["id"].as_str().unwrap();
        let path = format!("/activities?segment_id={of}&limit=1000&include=total");
        let found = house.get(&path).await.json();
        assert_eq!(found["total"], json!(rows), "{of}");
        let found = found["data"].as_array().unwrap();
        assert!(found.len() == rows && found.iter().all(|row| row["segment"] == *of), "{of}");
    }
    let id = data[0]["id"].as_str().unwrap();
    assert_eq!(&house.get(&format!("/segments/{id}")).await.json(), &data[0]);
    let entry = house.get(&format!("/audit/entries?from={}&limit=1", data[0]["seq"])).await.json();
    assert_eq!(entry["data"][0]["digest"], data[0]["root"], "the log holds the same root");
    for nowhere in ["seg_01", "act_00000000000000000000000000", "seg_00000000000000000000000001"] {
        house.get(&format!("/segments/{nowhere}")).await.is_problem(404, "not_found");
        house.get(&format!("/segments/{nowhere}/proof")).await.is_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_stranger_can_check_a_segment_and_a_run_of_its_rows() {
    let (house, _) = two_files().await;
    counted(&house).await;
    let id = house.get("/segments").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let plain = house.get(&format!("/segments/{id}/proof")).await.json();
    assert_eq!(plain.get("slice"), None);
    let key = house.get("/audit/checkpoint").await.json()["vkey"].as_str().unwrap().to_owned();
    let key = envora_ledger::note::VerifierKey::parse(&key).unwrap();
    let leaf = &plain["leaf"];
    let proof = EntryProof {
        leaf: STANDARD.decode(leaf["entry"].as_str().unwrap()).unwrap(),
        path: digests(&leaf["proof"]),
        checkpoint: leaf["checkpoint"].as_str().unwrap().to_owned(),
    };
    let verified = verify_entry(&proof, &[key]).unwrap();
    assert_eq!(verified.leaf.digest, Some(digest(&plain["root"])));
    assert_eq!(verified.leaf.count, Some(600));

    let answer = house.get(&format!("/segments/{id}/proof?row=300")).await.json();
    let slice = &answer["slice"];
    assert_eq!(
        (&slice["row"], &slice["index"], &slice["size"]),
        (&json!(300), &json!(1), &json!(3))
    );
    let run = digest(&slice["leaf_hash"]);
    let path = digests(&slice["proof"]);
    let inclusion = |leaf, index| Inclusion { leaf, index, size: 3 };
    verify_inclusion(&inclusion(run, 1), &path, &digest(&answer["root"])).unwrap();
    assert!(verify_inclusion(&inclusion(run, 0), &path, &digest(&answer["root"])).is_err());
    // The trace of a row of that run gives the bytes themselves.
    let rows = house.get("/activities?limit=301").await.json();
    let row = rows["data"][300]["id"].as_str().unwrap().to_owned();
    let trace = house.get(&format!("/activities/{row}/trace")).await.json();
    let bytes = trace["lines"][0]["segment"]["slice"]["leaf"].as_str().unwrap();
    assert_eq!(leaf_hash(&STANDARD.decode(bytes).unwrap()), run);
    for row in ["600", "4294967296", "x"] {
        let refused = house.get(&format!("/segments/{id}/proof?row={row}")).await;
        let problem = refused.is_problem(400, "unknown_parameter");
        assert_eq!(problem["errors"][0]["parameter"], "row");
    }
}
