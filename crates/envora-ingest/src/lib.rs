//! From bytes to figures: readers of files and bodies, mappings, row identity, the commit, and the
//! calculation that follows it.
//!
//! Bytes from outside are parsed here, therefore nothing indexes or slices unchecked. HTTP, the
//! environment and SQL text are other crates' business.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod check;
pub mod clocks;
pub mod fields;
pub mod formats;
pub mod identity;
pub mod mapping;
pub mod rows;
pub mod sniff;
pub mod words;

pub mod commit;
pub mod export;
pub mod footprint;
pub mod fresh;
pub mod packs;
pub mod parted;
pub mod process;
pub mod registry;
mod repeats;
pub mod segments;
pub mod stored;
pub mod tenant;
pub mod trace;
