//! The endpoints, one file per noun: routes, handlers, how wire and store speak of the same thing.

pub mod activities;
pub mod audit;
pub mod collection;
pub mod emissions;
pub mod entities;
pub mod exports;
pub mod facilities;
pub mod factors;
pub mod footprints;
pub mod import_events;
pub mod imports;
pub mod mappings;
pub mod meta;
pub mod organization;
pub mod packs;
pub mod parts;
pub mod proposals;
pub mod quality;
pub mod queries;
pub mod segments;
pub mod sources;
pub mod suppliers;
pub mod traces;
