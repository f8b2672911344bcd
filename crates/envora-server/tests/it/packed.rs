//! Bodies that come packed: taken as what they unpack to, refused when they are broken or a bomb.

use std::io::Write as _;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{HEADER, counts, line, row, with_facility};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Sends a body in this encoding; an empty word sends it as it is.
async fn push(
    house: &House,
    (path, kind): (&str, &str),
    key: &str,
    body: (&str, Vec<u8>),
) -> Answer {
    let mut request = house
        .ask("POST", path)
        .header("content-type", kind)
        .header("x-idempotency-key", key)
        .header("content-disposition", "attachment; filename=\"meters.csv\"");
    if !body.0.is_empty() {
        request = request.header("content-encoding", body.0);
    }
    house.send(request.body(Body::from(body.1)).unwrap()).await
}

const IMPORT: (&str, &str) = ("/imports", "text/csv");
const ROWS: (&str, &str) = ("/activities", "application/json");

#[tokio::test]
async fn a_packed_body_is_what_it_unpacks_to() {
    let house = with_facility().await;
    let rows: String = (0..500).map(|id| line(&format!("row-{id}"), "372.4") + "\n").collect();
    let file = format!("{HEADER}\n{rows}").into_bytes();
    let plain = push(&house, IMPORT, "key-of-a-file", ("", file.clone())).await;
    assert_eq!(counts(&plain), [500, 0, 0, 0], "{}", plain.json());
    // The same request, packed: the key's fingerprint is over what it unpacks to.
    for (encoding, packed) in
        [("gzip", gzip(&file)), ("zstd", zstd(&file)), ("X-GZIP", gzip(&file))]
    {
        let replayed = push(&house, IMPORT, "key-of-a-file", (encoding, packed.clone())).await;
        assert_eq!(replayed.header("idempotent-replayed"), "true", "{encoding}");
        assert_eq!(replayed.body, plain.body, "{encoding}");
        let again = push(&house, IMPORT, &format!("key-of-{encoding}"), (encoding, packed)).await;
        assert_eq!(counts(&again), [0, 500, 0, 0], "{encoding}");
        // What is kept is the file, not how it travelled.
        let (sent, kept) = (plain.json(), again.json());
        assert_eq!((&kept["sha256"], &kept["bytes"]), (&sent["sha256"], &sent["bytes"]));
    }
    let body = json!({"activities": [row("json-1", "1.5")]}).to_string().into_bytes();
    let taken = push(&house, ROWS, "key-of-json", ("zstd", zstd(&body))).await;
    assert_eq!(counts(&taken), [1, 0, 0, 0], "{}", taken.json());
}

#[tokio::test]
async fn what_is_not_taken_says_so_and_stores_nothing() {
    let house = with_facility().await;
    let file = format!("{HEADER}\n{}\n", line("a", "1")).into_bytes();
    for encoding in ["br", "deflate", "gzip, gzip", "zip"] {
        let refused = push(&house, IMPORT, "key-of-a-file", (encoding, file.clone())).await;
        refused.is_problem(415, "unsupported_encoding");
        assert_eq!(refused.header("accept-encoding"), "gzip, zstd", "{encoding}");
    }
    for (encoding, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let packed = pack(&file);
        for bad in [packed[..packed.len() - 3].to_vec(), file.clone(), Vec::new()] {
            for path in [IMPORT, ROWS] {
                let refused = push(&house, path, "key-of-a-file", (encoding, bad.clone())).await;
                let problem = refused.is_problem(400, "malformed_body");
                assert!(problem["detail"].as_str().unwrap().contains(encoding), "{problem}");
            }
        }
        // Above a hundred times what was sent; and within that, above what the route takes.
        let bomb = pack(&vec![b'0'; 24 << 20]);
        let problem = push(&house, IMPORT, "key-of-a-file", (encoding, bomb.clone())).await;
        let problem = problem.is_problem(413, "payload_too_large");
        assert!(problem["detail"].as_str().unwrap().contains("hundred times"), "{problem}");
        push(&house, ROWS, "key-of-a-file", (encoding, bomb))
            .await
            .is_problem(413, "payload_too_large");
        let mut seed = 1_u32;
        let noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("{seed:032b}")
        };
        let long: String = core::iter::repeat_with(noise).take((17 << 20) / 32).collect();
        let problem = push(&house, ROWS, "key-of-a-file", (encoding, pack(long.as_bytes()))).await;
        let problem = problem.is_problem(413, "payload_too_large");
        assert!(problem["detail"].as_str().unwrap().contains("16 MiB"), "{problem}");
    }
    assert_eq!(house.get("/imports").await.json()["data"], Value::Array(Vec::new()));
    assert_eq!(house.get("/activities").await.json()["data"], Value::Array(Vec::new()));
}
