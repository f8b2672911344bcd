//! Keys and envelopes as their users meet them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod envelope;
mod key_provider;
mod seal;
mod tenant_keys;
mod vectors;
