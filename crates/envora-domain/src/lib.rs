//! Nouns and rules of environmental accounting: ids, exact decimals, units, activities, factors,
//! methods, lines and figures.
//!
//! Pure: no clock, no randomness, no files, no sockets. What it needs of the world comes in through
//! [`Clock`](ports::Clock), [`Entropy`](ports::Entropy) and [`Disk`](ports::Disk).
#![deny(clippy::float_arithmetic)]

pub mod access;
pub mod activities;
pub mod base32;
pub mod cbor;
pub mod decimal;
pub mod hash;
pub mod id;
pub mod planted;
pub mod ports;
pub mod time;
