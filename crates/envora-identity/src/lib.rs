//! Who asks, and what they may: tokens, sign-in codes, sessions, and the policy that mints grants.
//!
//! Secrets leave this crate once, when they are made; only their hashes are stored. It must not know
//! HTTP: the server reads headers and cookies and brings their texts here.
#![forbid(unsafe_code)]

pub mod policy;
pub mod secrets;
pub mod sign_in;
