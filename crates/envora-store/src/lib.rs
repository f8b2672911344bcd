//! A tenant's database, on `SQLite` (`SQLCipher`) or on `PostgreSQL`, behind one SQL text.
//!
//! The only crate that contains SQL. A unit of work is a closure: writes run on the tenant's one
//! writer thread, each in a savepoint, and commit in groups; reads run on reader threads over one
//! snapshot. It must not know HTTP, keys other than the one that opens the file, or what lies in
//! the lake: the one call it makes on the way to a commit is the `sync` closure it is given.

pub mod database;
pub mod engine;
mod fault;
mod many;
mod migrations;
pub mod observer;
pub mod pulse;
pub mod readers;
pub mod row;
pub mod statement;
pub mod transaction;
pub mod value;
pub mod writer;

pub mod audit;
pub mod blocks;
pub mod cells;
pub mod chosen;
pub mod credentials;
pub mod entities;
pub mod facilities;
pub mod idempotency;
pub mod imports;
pub mod likenesses;
pub mod mappings;
pub mod mentions;
pub mod nouns;
pub mod organization;
pub mod packs;
pub mod parts;
pub mod restores;
pub mod rollups;
pub mod runs;
pub mod segments;
pub mod sessions;
mod sheaves;
pub mod sources;
pub mod supersessions;
pub mod suppliers;
pub mod unresolved;
pub mod whys;
