//! Packs: sets of factors of one edition, as TSV text that is trusted by its SHA-256.
//!
//! A pack that comes with Envora is checked against its digest when it is opened; its factors are
//! read when an activity of their type is first asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::record::{Factor, Rights};
use super::{digests, rows};
use crate::gwp::GwpSet;
use crate::hash::Digest;
use crate::time::Day;
use crate::words::words;

words! {
    /// How a period finds its edition among those of its series.
    pub enum PeriodRule {
        /// The one with most of its days, ties to the later.
        Majority = "majority",
        /// The newest, whatever the period.
        Latest = "latest",
        /// The one with most of its days; a period that lies mostly outside of all takes none.
        InForce = "in_force",
    }
}

words! {
    /// Where a factor holds. Never across a border.
    pub enum RegionRule {
        /// In the region that it names. Where a series has grids of their own, its average of the
        /// country is for those who name the country, not for a grid that has none.
        Own = "own",
        /// There; a grid without one takes the average of its country, and so does a country
        /// whose grid is unsaid. Both are flagged.
        SubregionThenCountry = "subregion_then_country",
    }
}

words! {
    /// Which factors an activity takes together.
    pub enum FamilyRule {
        /// Fuel, upstream, losses and memo of one activity are of one edition.
        SameEdition = "same_edition",
        /// Each finds its edition by the period alone.
        EachOwn = "each_own",
    }
}

/// What a pack says of how its factors are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How a period finds its edition.
    pub period: PeriodRule,
    /// Where a factor holds.
    pub region: RegionRule,
    /// Which factors go together.
    pub family: FamilyRule,
}

/// What is said once for all factors of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The pack's id: `desnz-2022`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// How all its keys begin.
    pub prefix: String,
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
    /// How its factors are chosen.
    pub rules: Rules,
    /// Licence and attribution.
    pub rights: Rights,
    /// The publisher's file.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// How many significant digits the transcription of that file kept.
    pub precision: u8,
    /// Words that moved between editions: what is printed, and what stands for it in keys.
    pub renames: Vec<(String, String)>,
}

/// A set of factors that is activated as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// What is said once for all.
    pub recipe: Recipe,
    /// SHA-256 of its text: goes into the leaf of its activation and into runs.
    pub digest: Digest,
    /// Whether an organization brought it, rather than the program.
    pub is_own: bool,
    text: Cow<'static, str>,
    head: rows::Head,
    shelves: BTreeMap<String, OnceLock<Vec<Factor>>>,
}

impl Pack {
    /// Opens a text: its head is read, its factors are not yet.
    fn open(text: Cow<'static, str>, digest: Digest) -> Result<Self, PackError> {
        let (recipe, head) = rows::head(&text)?;
        let shelves = head.counts.keys().map(|kind| (kind.clone(), OnceLock::new())).collect();
        Ok(Self { recipe, digest, is_own: false, text, head, shelves })
    }

    /// A pack of these factors, which are taken as they are.
    #[must_use]
    pub fn of(recipe: Recipe, factors: Vec<Factor>) -> Self {
        let digest = Digest::of(write(&recipe, &factors).as_bytes());
        let mut kinds: BTreeMap<String, Vec<Factor>> = BTreeMap::new();
        for factor in factors {
            kinds.entry(factor.activity_type.clone()).or_default().push(factor);
        }
        let counts = kinds.iter().map(|(kind, factors)| (kind.clone(), factors.len())).collect();
        let shelves = kinds.into_iter().map(|(kind, factors)| (kind, OnceLock::from(factors)));
        let (head, shelves) = (rows::Head::counting(counts), shelves.collect());
        Self { recipe, digest, is_own: false, text: Cow::Borrowed(""), head, shelves }
    }

    /// An organization's own pack, whose canonical text this is.
    pub(super) fn own(recipe: Recipe, factors: Vec<Factor>, text: String) -> Self {
        let digest = Digest::of(text.as_bytes());
        let version = super::own::version(&digest);
        let recipe = Recipe { version, sha256: digest.hex(), ..recipe };
        Self { digest, is_own: true, text: Cow::Owned(text), ..Self::of(recipe, factors) }
    }

    /// Its text: what its digest is the SHA-256 of. Empty for a pack of factors that were never text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many factors it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.head.counts.values().sum()
    }

    /// The activity types that it has factors for.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.shelves.keys().map(String::as_str)
    }

    /// Its factors for activities of this type, by key.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[Factor] {
        let Some(shelf) = self.shelves.get(kind) else { return &[] };
        shelf.get_or_init(|| {
            let factors = rows::factors(&self.text, (&self.recipe, &self.head), Some(kind));
            factors.expect("a text is read to its end before its digest is trusted")
        })
    }

    /// Whether the factors of this type are read already.
    pub(super) fn is_read(&self, kind: &str) -> bool {
        self.shelves.get(kind).is_some_and(|shelf| shelf.get().is_some())
    }

    /// All its factors, by type and key.
    pub fn factors(&self) -> impl Iterator<Item = &Factor> {
        self.kinds().flat_map(|kind| self.of_kind(kind))
    }
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

/// Reads a pack whose text must have this SHA-256 (hex), to its last line.
///
/// # Errors
/// [`PackError`].
pub fn read(text: &str, trusted: &str) -> Result<Pack, PackError> {
    let pack = Pack::open(text.to_owned().into(), check(text, trusted)?)?;
    rows::factors(text, (&pack.recipe, &pack.head), None)?;
    Ok(pack)
}

fn check(text: &str, trusted: &str) -> Result<Digest, PackError> {
    let digest = Digest::of(text.as_bytes());
    if digest.hex() == trusted {
        return Ok(digest);
    }
    Err(PackError::Digest { trusted: trusted.to_owned(), found: digest.hex() })
}

/// The text of a pack: sorted, the same for the same factors.
#[must_use]
pub fn write(recipe: &Recipe, factors: &[Factor]) -> String {
    rows::write(recipe, factors)
}

/// The packs that come with Envora.
pub(super) fn starter() -> Result<Vec<Pack>, PackError> {
    let open = |(text, trusted): &(&'static str, &str)| {
        Pack::open(Cow::Borrowed(text), check(text, trusted)?)
    };
    digests::STARTER.iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_trusted_by_their_digests_and_are_their_texts() {
        for (text, trusted) in digests::STARTER {
            let pack = read(text, trusted).expect("the pack is the one compiled in");
            let factors: Vec<Factor> = pack.factors().cloned().collect();
            let written = write(&pack.recipe, &factors);
            let differs = written.lines().zip(text.lines()).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{}", pack.recipe.id);
            assert!(written == *text, "{} is written back to the byte", pack.recipe.id);
            assert_eq!(factors.len(), pack.count());
            let other = text.replacen("0.0", "0.1", 1);
            assert!(matches!(read(&other, trusted), Err(PackError::Digest { .. })));
        }
    }

    #[test]
    fn the_starter_packs_stay_small() {
        let bytes: usize = digests::STARTER.iter().map(|(text, _)| text.len()).sum();
        assert!(bytes <= 1_500_000, "{bytes}");
    }

    #[test]
    fn broken_lines_are_refused_with_their_number() {
        let (starter, _) = digests::STARTER.first().expect("a pack");
        let trust = |text: &str| read(text, &Digest::of(text.as_bytes()).hex());
        let line = |text: &str| match trust(text) {
            Err(PackError::Line { line, .. }) => line,
            _ => 0,
        };
        assert_eq!(line(""), 1);
        assert_eq!(line(&starter.replacen("#! edition", "#! edetion", 1)), 1);
        assert_eq!(line(&starter.replacen("\tmajority", "\tsometimes", 1)), 1);
        let end = starter.lines().count() + 1;
        assert_eq!(line(&format!("{starter}only one cell\n")), end);
        assert_eq!(line(&format!("{starter}9999\t0\ta\t1\t1\n")), end);
        assert_eq!(line(&format!("{starter}0\t0\ta|b\t1\t1 2 3 4 5 6 7\n")), end);
        let last = starter.lines().next_back().expect("a line");
        assert_eq!(line(&format!("{starter}{last}\n")), end, "a doubled key");
    }
}
