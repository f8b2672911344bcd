//! Closed vocabularies: each word of Envora's is a variant here and a text outside.

/// Lists the words of one vocabulary: variant, text on the wire, and why it is there.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$about:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$about])* $word,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// The word on the wire and at rest.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }

            /// The word that this text is, if it is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$word),)* _ => None }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a word of ", stringify!($name))))
            }
        }
    };
}
pub(crate) use words;

/// The candidate nearest to a mistyped text, when one is near enough to be meant.
#[must_use]
pub fn did_you_mean<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = text.to_lowercase().chars().take(80).collect();
    let near_enough = 1 + typed.len() / 4;
    candidates
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| (distance(&typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= near_enough)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The candidate that a text is, but for letter case, signs and blanks, and letters that are doubled or
/// not. Codes that differ by more are of other things: R-448A is not R-408A.
#[must_use]
pub fn same_but_written_otherwise<'a>(
    text: &str,
    mut candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = squeezed(text);
    candidates.find(|candidate| !typed.is_empty() && squeezed(candidate) == typed)
}

/// Letters and digits in lower case, letters that are doubled once.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::new();
    for letter in text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        if letter.is_numeric() || !squeezed.ends_with(letter) {
            squeezed.push(letter);
        }
    }
    squeezed
}

/// The candidate that a text is, but for letter case, or for one letter in a text of four or more. A digit
/// is no letter: `B6` and `B7` are two words.
#[must_use]
pub fn slip_of<'a>(
    text: &str,
    mut candidates: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let typed: Vec<char> = text.to_lowercase().chars().collect();
    let lower = |candidate: &str| candidate.to_lowercase().chars().collect::<Vec<char>>();
    let mut again = candidates.clone();
    candidates
        .find(|candidate| lower(candidate) == typed)
        .or_else(|| again.find(|candidate| is_one_letter_off(&typed, &lower(candidate))))
}

fn is_one_letter_off(typed: &[char], meant: &[char]) -> bool {
    if typed.len().min(meant.len()) < 4 || typed.len().abs_diff(meant.len()) > 1 {
        return false;
    }
    let same = typed.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (typed.split_at(same).1, meant.split_at(same).1);
    let both = typed.iter().rev().zip(meant.iter().rev());
    let same = both.take_while(|(a, b)| a == b).count();
    let (typed, meant) =
        (typed.split_at(typed.len() - same).0, meant.split_at(meant.len() - same).0);
    let letters = typed.iter().chain(meant).all(|letter| letter.is_alphabetic());
    let off = match (typed, meant) {
        ([_], []) | ([], [_]) | ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    };
    letters && off
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(typed: &[char], candidate: &str) -> usize {
    let meant: Vec<char> = candidate.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=meant.len()).collect();
    for (i, a) in typed.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in meant.iter().enumerate() {
            let mut least = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            let swapped = i > 0 && j > 0 && typed[i - 1] == *b && meant[j - 1] == *a;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = core::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        let words = ["electricity.purchased", "fuel.combusted.stationary", "kW.h"];
        let near = |text: &str| did_you_mean(text, words.into_iter());
        assert_eq!(near("electricty.purchased"), Some("electricity.purchased"));
        assert_eq!(near("KW.H"), Some("kW.h"));
        assert_eq!(near("kWh."), Some("kW.h"));
        assert_eq!(near("bananas"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn a_code_written_otherwise_is_the_same_and_a_near_one_is_not() {
        let codes = ["r408a", "hfc134a", "ar4", "kilowatt hour", "r11"];
        let same = |text: &str| same_but_written_otherwise(text, codes.into_iter());
        assert_eq!(same("R-408A"), Some("r408a"));
        assert_eq!(same("HFC 134a"), Some("hfc134a"));
        assert_eq!(same("Kilowat-hour"), Some("kilowatt hour"));
        for text in ["", "-", "R-448A", "hfc134b", "ar7", "megawatt hour", "r1"] {
            assert_eq!(same(text), None, "{text}");
        }
    }

    #[test]
    fn a_slip_is_a_letter_and_no_digit() {
        let slip =
            |text: &str| slip_of(text, ["Diesel", "B7", "Meter 12", "gas", "oil"].into_iter());
        for text in ["diesel", "DIESEL", "Disel", "Diessel", "Diezel", "Deisel", "idesel", "Diese"]
        {
            assert_eq!(slip(text), Some("Diesel"), "{text}");
        }
        assert_eq!(slip("GAS"), Some("gas"));
        assert_eq!(slip("Metre 12"), Some("Meter 12"));
        for text in ["", "B6", "Meter 13", "Meter 2", "gal", "oils", "Dieses 1", "Petrol", "Desl"] {
            assert_eq!(slip(text), None, "{text}");
        }
        assert_eq!(slip_of("abc", ["ABC", "abc"].into_iter()), Some("ABC"));
    }
}
