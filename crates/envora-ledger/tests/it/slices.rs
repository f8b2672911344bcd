//! Slices of segments: each row is proven by its run, and by nothing else.

use envora_domain::activities::canonical::{rows, rows_root};
use envora_domain::hash::Digest;
use envora_ledger::proof::{ProofError, ProofRefused};
use envora_ledger::slice::{SegmentRow, slice_proof, verify_slice};

/// Rows of growing length, each with its four bytes of length as the canonical form has them.
fn stream(count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|row| {
            let body =
                vec![u8::try_from(row % 251).unwrap(); usize::try_from(row % 7).unwrap() + 1];
            [u32::try_from(body.len()).unwrap().to_be_bytes().to_vec(), body].concat()
        })
        .collect()
}

#[test]
fn each_row_is_proven_by_its_run() {
    for count in [1, 2, 255, 256, 257, 511, 513, 1_400] {
        let stream = stream(count);
        let rows = rows(&stream).unwrap();
        let root = rows_root(&rows);
        for row in (0..count).step_by(37).chain([count - 1]) {
            let slice = slice_proof(row, &rows).unwrap();
            let asked = SegmentRow { row, count: u64::from(count), root };
            assert_eq!(verify_slice(&asked, &slice), Ok(rows[usize::try_from(row).unwrap()]));
        }
        assert_eq!(slice_proof(count, &rows), Err(ProofError::OutOfRange));
    }
}

#[test]
fn a_slice_of_something_else_is_refused() {
    let stream = stream(700);
    let rows = rows(&stream).unwrap();
    let asked = SegmentRow { row: 300, count: 700, root: rows_root(&rows) };
    let slice = slice_proof(300, &rows).unwrap();
    assert!(verify_slice(&asked, &slice).is_ok());

    let mut other = slice.clone();
    other.rows[9] ^= 1;
    assert_eq!(verify_slice(&asked, &other), Err(ProofRefused::OtherRoot));
    let mut cut = slice.clone();
    cut.path.pop();
    assert_eq!(verify_slice(&asked, &cut), Err(ProofRefused::WrongLength));
    let more = SegmentRow { count: 769, ..asked };
    assert_eq!(verify_slice(&more, &slice), Err(ProofRefused::WrongLength));
    let another_run = SegmentRow { row: 10, ..asked };
    assert_eq!(verify_slice(&another_run, &slice), Err(ProofRefused::OutOfRange));
    let another_root = SegmentRow { root: Digest::of(b"other"), ..asked };
    assert_eq!(verify_slice(&another_root, &slice), Err(ProofRefused::OtherRoot));
    let fewer = SegmentRow { count: 600, ..asked };
    assert!(verify_slice(&fewer, &slice_proof(599, &rows).unwrap()).is_err());
}
