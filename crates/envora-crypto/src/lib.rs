//! Keys and sealing: what makes bytes unreadable to anyone without the tenant's keys, and gone for
//! good once a key is destroyed.
//!
//! `CMK ─wraps▶ KEK ─wraps▶ DEK per purpose ─HKDF▶ key per object`. Wrapped keys live in files of
//! their own, apart from the tenant's database, so that a backup of the data alone opens nothing.
//! This crate knows no SQL and no format of what it seals; `docs/formats/envelope.md` is its contract.
#![deny(clippy::indexing_slicing)]

pub mod aad;
pub mod anchor;
pub mod entropy;
pub mod envelope;
pub mod journal;
pub mod key;
pub mod keyring;
pub mod provider;
pub mod seal;
pub mod tenant;
