//! Many rows decided anew at once: their block is a file of its own, read back like any other, and looked
//! at by doctor.

use core::fmt::Write as _;
use std::path::{Path, PathBuf};

use axum::body::Body;
use envora_server::folder::doctor::{Health, doctor};
use serde_json::json;

use crate::house::{House, apart, world};
use crate::imports::{HEADER, counted, import};

/// More rows than the block of one cause holds within its row of the database.
const ROWS: usize = 1_500;

/// Rows that waited for a facility, which came.
async fn decided_anew() -> House {
    let house = House::new();
    let mut file = format!("{HEADER}\n");
    for row in 0..ROWS {
        let (day, hour) = (row / 24 % 28 + 1, row % 24);
        let month = row / 672 + 1;
        let start = format!("2022-{month:02}-{day:02}T{hour:02}:00:00Z");
        let end = format!("2022-{month:02}-{day:02}T{hour:02}:59:59Z");
        // Neighbours that fare alike are one run, and all of them would find room in a row.
        let kind = if row % 2 == 0 { "electricity.purchased" } else { "electricity.exported" };
        writeln!(file, "r{row},{kind},1,kW.h,{start},{end},b24").unwrap();
    }
    let sent = house.send(import(&house, "", ("many-rows-1", file))).await;
    assert_eq!(sent.json()["counts"]["quarantined"], ROWS, "{}", sent.json());
    counted(&house).await;
    let facility = json!({"code": "b24", "name": "Library", "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    counted(&house).await;
    house
}

fn delta_block(data: &Path) -> PathBuf {
    let tenants = std::fs::read_dir(data.join("tenants")).unwrap();
    let blocks = tenants.map(|entry| entry.unwrap().path().join("blocks"));
    let mut files = blocks.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let ours = |path: &PathBuf| path.to_string_lossy().ends_with("-delta.blk");
    files.find_map(|file| Some(file.unwrap().path()).filter(ours)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_waited_together_are_listed_traced_and_exported() {
    let house = decided_anew().await;
    let data = house.folder.path().join("data");
    assert!(delta_block(&data).exists(), "their block is a file of its own");
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let figure = footprint["totals"]["scope2_location"]["figure_id"].as_str().unwrap();
    let trace = house.get(&format!("/figures/{figure}/trace")).await;
    assert_eq!((trace.status, &trace.json()["replay"]), (200, &json!("equal")), "{}", trace.json());
    let rows = house.get("/activities?state=counted&include=total").await;
    assert_eq!(rows.json()["total"], ROWS, "{}", rows.json());
    let file = house.get("/activities/export?format=csv").await;
    assert_eq!(String::from_utf8(file.body).unwrap().lines().count(), ROWS + 1);
    for path in ["/emissions?from=2022-01-01&to=2023-01-01", "/segments?state=counted"] {
        let answer = house.get(path).await;
        assert!(answer.status < 500, "{path}: {}", answer.json());
    }
    // Taken back together, they are decided anew together once more.
    let taken_back = house.get("/activities?limit=1000").await.json();
    let rows = taken_back["data"].as_array().unwrap().iter();
    let void = |row: &serde_json::Value| {
        json!({"type": row["type"], "quantity": "0", "unit": "kW.h", "void": true,
            "supersedes": row["id"], "start": row["start"], "end": row["end"], "facility_code": "b24"})
    };
    let rows: Vec<_> = rows.map(void).collect();
    let sent = house.post("/activities", &json!({"activities": rows})).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    counted(&house).await;
    let left = house.get("/activities?state=counted&include=total").await.json();
    assert_eq!(left["total"], ROWS - 1_000, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_was_changed_or_lost_is_found_by_doctor_and_told() {
    let house = decided_anew().await;
    let data = house.folder.path().join("data");
    let block = delta_block(&data);
    let whole = std::fs::read(&block).unwrap();
    let ask = || async {
        let request = house.ask("GET", "/activities").body(Body::empty()).unwrap();
        house.send(request).await
    };
    std::fs::remove_file(&block).unwrap();
    ask().await.is_problem(503, "data_integrity");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&block, changed).unwrap();
    ask().await.is_problem(503, "data_integrity");
    let House { app, router, folder, .. } = house;
    drop((app, router));
    let (world, _) = world();
    let found = || {
        let checks = apart(|| doctor(&data, &world, None));
        let of_blocks =
            checks.into_iter().filter(|check| check.name.starts_with("calculated rows"));
        let bad: Vec<String> = of_blocks
            .filter(|check| check.health == Health::Bad)
            .map(|check| check.detail)
            .collect();
        bad.join("\n")
    };
    assert!(found().contains("are damaged, first the block of entry"), "{}", found());
    std::fs::remove_file(&block).unwrap();
    assert!(found().contains("are damaged, first the block of entry"), "{}", found());
    std::fs::write(&block, whole).unwrap();
    assert_eq!(found(), "");
    drop(folder);
}
