//! Nouns and rules of environmental accounting: ids, exact decimals, units, activities, factors,
//! methods, lines and figures.
//!
//! Pure: no clock, no randomness, no files, no sockets. What it needs of the world comes in through
//! [`Clock`](ports::Clock), [`Entropy`](ports::Entropy) and [`Disk`](ports::Disk).
#![deny(clippy::float_arithmetic)]

pub mod access;
pub mod activities;
pub mod base32;
pub mod catalogue;
pub mod cbor;
pub mod cells;
pub mod choice;
pub mod codes;
pub mod decimal;
pub mod factors;
pub mod figures;
pub mod gwp;
pub mod hash;
pub mod id;
pub mod lines;
pub mod methods;
pub mod planted;
pub mod ports;
pub mod rational;
pub mod rfc8785;
pub mod rollups;
pub mod time;
pub mod units;
pub mod words;
