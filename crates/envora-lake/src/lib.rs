//! The lake: a tenant's immutable sealed objects on disk. Segments, source files, calculation blocks.
//!
//! It knows nothing of the database. A manifest row there is the truth about what exists; a file
//! without one is garbage. Bytes come in sealed, and leave sealed but for the source files, which are
//! packed and sealed here. How the rows of a segment are packed before they are sealed is known here too.
#![deny(clippy::indexing_slicing)]

mod answers;
pub mod fsck;
pub mod os_disk;
pub mod packed;
pub mod segments;
pub mod sources;
