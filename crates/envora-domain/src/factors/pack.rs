//! Packs: sets of factors of one edition, as TSV text that is trusted by its SHA-256.

use super::record::{Factor, Rights};
use super::{digests, rows};
use crate::gwp::GwpSet;
use crate::hash::Digest;
use crate::time::Day;

const STARTER: &str = include_str!("../../packs/desnz-2022.tsv");

/// What is said once for all factors of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The pack's id: `desnz-2022`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The publisher.
    pub publisher: String,
    /// The data set.
    pub dataset: String,
    /// The edition.
    pub edition: String,
    /// The first day that the edition is for.
    pub valid_from: Day,
    /// The day after the last.
    pub valid_to: Day,
    /// The basis of what the publisher prints as CO2 equivalent.
    pub basis: GwpSet,
    /// How a period finds its edition: `majority`.
    pub period_rule: String,
    /// Licence and attribution.
    pub rights: Rights,
    /// The publisher's file.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// A set of factors that is activated as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// What is said once for all.
    pub recipe: Recipe,
    /// SHA-256 of its text: goes into the leaf of its activation and into runs.
    pub digest: Digest,
    /// Its factors, by key.
    pub factors: Vec<Factor>,
}

/// Why a pack is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// It is not the text that was compiled in.
    #[error("the pack's SHA-256 is {found}, not the trusted {trusted}")]
    Digest {
        /// What was compiled in.
        trusted: String,
        /// What it is.
        found: String,
    },
    /// A line cannot be read.
    #[error("line {line} of the pack: {detail}")]
    Line {
        /// The line, the first being 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
}

impl PackError {
    pub(super) fn line(line: usize, detail: &str) -> Self {
        Self::Line { line, detail: detail.to_owned() }
    }
}

/// Reads a pack whose text must have this SHA-256 (hex).
///
/// # Errors
/// [`PackError`].
pub fn read(text: &str, trusted: &str) -> Result<Pack, PackError> {
    let digest = Digest::of(text.as_bytes());
    if digest.hex() != trusted {
        return Err(PackError::Digest { trusted: trusted.to_owned(), found: digest.hex() });
    }
    let (recipe, factors) = rows::read(text)?;
    Ok(Pack { recipe, digest, factors })
}

/// The text of a pack: sorted, the same for the same factors.
#[must_use]
pub fn write(recipe: &Recipe, factors: &[Factor]) -> String {
    rows::write(recipe, factors)
}

/// The pack that comes with Envora.
pub(super) fn starter() -> Result<Pack, PackError> {
    read(STARTER, digests::DESNZ_2022)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_trusted_by_its_digest_and_is_its_text() {
        let pack = starter().expect("the pack is the one compiled in");
        assert_eq!(write(&pack.recipe, &pack.factors), STARTER, "written back to the byte");
        let other = STARTER.replacen("0.19338", "0.19339", 1);
        assert!(matches!(read(&other, digests::DESNZ_2022), Err(PackError::Digest { .. })));
    }

    #[test]
    fn broken_lines_are_refused_with_their_number() {
        let trust = |text: &str| read(text, &Digest::of(text.as_bytes()).hex());
        let line = |text: &str| match trust(text) {
            Err(PackError::Line { line, .. }) => line,
            _ => 0,
        };
        assert_eq!(line(""), 1);
        assert_eq!(line(&STARTER.replacen("#! edition", "#! edetion", 1)), 1);
        let cut: String = STARTER.lines().take(15).map(|line| format!("{line}\n")).collect();
        assert_eq!(line(&format!("{cut}only one cell\n")), 16);
    }
}
