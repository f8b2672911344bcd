//! The audit log of a tenant: leaves, the Merkle tree over them, proofs, signed checkpoints, and
//! their verification.
//!
//! Pure: it stores nothing and holds no key. Nodes come in through a closure, signatures are made by
//! one. The formats are those of RFC 6962 and of C2SP (`tlog-checkpoint`, `signed-note`), so that
//! anyone's tools check what is written here; `docs/formats/` holds the test vectors.
#![deny(clippy::float_arithmetic, clippy::indexing_slicing)]

pub mod checkpoint;
pub mod leaf;
pub mod note;
pub mod proof;
pub mod slice;
pub mod tree;
pub mod verify;
