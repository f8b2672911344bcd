//! The wire: every type that goes over HTTP, the catalogue of problems, the media types.
//!
//! Wire types are not domain types: they have names and texts, no rules. The server fills them, the
//! CLI and the pages read them, OpenAPI is made of them. Answers may grow: readers keep what they do
//! not know.

pub mod activities;
pub mod amounts;
pub mod audit;
pub mod codes;
pub mod emissions;
pub mod entities;
pub mod facilities;
pub mod factors;
pub mod footprints;
pub mod imports;
pub mod listing;
pub mod mappings;
pub mod media;
pub mod organizations;
pub mod problems;
pub mod proposals;
pub mod quality;
pub mod queries;
pub mod segments;
pub mod sources;
pub mod spelling;
pub mod suppliers;
pub mod traces;
pub mod writes;
