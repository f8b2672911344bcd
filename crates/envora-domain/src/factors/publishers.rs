//! Importers of publishers' files: each keeps the publisher's words, lines and digits.

pub mod desnz;
pub mod ipcc;
