//! The closed words of qualifiers, and what publishers say for them.
//!
//! `words.tsv` has a line per word: list, our word, publishers' words. Letters and digits decide whether
//! a text is a word: `R-134a`, `R134a` and `r134a` are one. Fuels have a table of their own, because
//! their state and carbon matter.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::fuels;
use crate::gwp::Gas;
use crate::words::{did_you_mean, same_but_written_otherwise};

const TABLE: &str = include_str!("words.tsv");

/// What a qualifier may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// Any text: names that nobody lists.
    Free,
    /// A year, four digits.
    Year,
    /// The fuels.
    Fuels,
    /// The words of a list of `words.tsv`.
    List(&'static str),
}

struct List {
    words: Vec<&'static str>,
    /// From the letters and digits of a word or alias to the word.
    by_letters: HashMap<String, &'static str>,
    /// From our word to a publisher's first word for it.
    names: HashMap<&'static str, &'static str>,
}

fn lists() -> &'static BTreeMap<&'static str, List> {
    static LISTS: OnceLock<BTreeMap<&'static str, List>> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut lists: BTreeMap<&'static str, List> = BTreeMap::new();
        for line in TABLE.lines() {
            let mut cells = line.split('\t');
            let (Some(list), Some(word)) = (cells.next(), cells.next()) else { continue };
            let list = lists.entry(list).or_insert_with(List::new);
            list.add(word, cells.next().unwrap_or_default().split('|'));
        }
        lists.insert("fuel", fuel_list());
        lists
    })
}

impl List {
    fn new() -> Self {
        Self { words: Vec::new(), by_letters: HashMap::new(), names: HashMap::new() }
    }

    fn add(&mut self, word: &'static str, aliases: impl Iterator<Item = &'static str>) {
        self.words.push(word);
        self.by_letters.insert(letters(word), word);
        for alias in aliases.filter(|alias| !alias.is_empty()) {
            self.by_letters.insert(letters(alias), word);
            self.names.entry(word).or_insert(alias);
        }
    }
}

fn fuel_list() -> List {
    let mut list = List::new();
    for fuel in fuels::ALL {
        list.add(fuel.word, fuel.aliases.iter().copied());
    }
    list
}

/// Letters and digits alone, in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Our word of a list for what a publisher or a customer writes; `fuel` is a list too.
#[must_use]
pub fn word(list: &str, text: &str) -> Option<&'static str> {
    lists().get(list)?.by_letters.get(&letters(text)).copied()
}

/// The words of a list, in order.
pub fn words_of(list: &str) -> impl Iterator<Item = &'static str> {
    lists().get(list).into_iter().flat_map(|list| list.words.iter().copied())
}

/// The gas of a word of the list `gas`; blends and hydrocarbons are in no set and give `None`.
#[must_use]
pub fn gas_of(text: &str) -> Option<Gas> {
    let list = lists().get("gas")?;
    Gas::parse(list.names.get(word("gas", text)?)?).filter(|gas| !gas.is_equivalent())
}

/// Materials that grew, all of them: what they give off as CO2 was taken out of the air before.
const GREW: &[&str] = &[
    "wood",
    "food_and_drink",
    "compost_garden",
    "compost_food_garden",
    "board",
    "paper_board_mixed",
    "paper",
    "books",
    "food_drink_waste",
    "garden_waste",
    "food_garden_waste",
    "corrugated_containers",
    "magazines",
    "newspaper",
    "office_paper",
    "phonebooks",
    "textbooks",
    "dimensional_lumber",
    "wood_flooring",
    "medium_density_fiberboard",
    "food_waste_no_meat",
    "food_waste_meat",
    "beef",
    "poultry",
    "grains",
    "bread",
    "fruits_and_vegetables",
    "dairy_products",
    "yard_trimmings",
    "grass",
    "leaves",
    "branches",
    "mixed_paper_general",
    "mixed_paper_primarily_residential",
    "mixed_paper_primarily_from_offices",
    "food_waste",
    "mixed_organics",
];

/// Whether waste of a material is of what grew; of whatever is made to rot, only that does.
#[must_use]
pub fn grew(material: Option<&str>, treatment: Option<&str>) -> bool {
    let rots = |word: &str| word == "composting" || word.starts_with("anaerobic_digestion");
    treatment.is_some_and(rots) || material.is_some_and(|word| GREW.contains(&word))
}

/// Materials of which some may have grown and some not.
const MIXED: &[&str] =
    &["household_residual", "commercial_industrial", "mixed_recyclables", "mixed_msw"];

/// Whether some of a material may have grown: of one that is mixed, or unsaid.
#[must_use]
pub fn may_have_grown(material: Option<&str>) -> bool {
    material.is_none_or(|word| word.is_empty() || MIXED.contains(&word))
}

/// Words that a hint lists at most.
const WORDS_TOLD_MAX: usize = 20;

/// What to send in the place of a text that is no word of a list: words that hold it, else the nearest,
/// else all where they are few.
#[must_use]
pub fn instead(text: &str, words: impl Iterator<Item = &'static str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.iter().copied().eq(words_of("gas")) {
        return gas_instead(text, &words);
    }
    let part = letters(text);
    // Codes of two letters are all alike: none is near.
    let long = part.chars().count() > 2;
    let holds = |word: &&&str| long && letters(word).contains(&part);
    let holding: Vec<&str> = words.iter().filter(holds).copied().collect();
    let near = did_you_mean(text, words.iter().copied()).filter(|_| long);
    match (holding.as_slice(), near) {
        ([one], _) => format!("did you mean {one}?"),
        ([], Some(near)) => format!("did you mean {near}?"),
        ([], None) if words.len() <= WORDS_TOLD_MAX => {
            format!("its words are {}; a mapping translates with `map`", words.join(", "))
        }
        ([], None) => {
            let some: Vec<&str> = words.iter().take(WORDS_TOLD_MAX / 2).copied().collect();
            format!("say a word such as {}, …; a mapping translates with `map`", some.join(", "))
        }
        (many, _) => {
            let more = if many.len() > WORDS_TOLD_MAX { ", …" } else { "" };
            let some: Vec<&str> = many.iter().take(WORDS_TOLD_MAX).copied().collect();
            format!("say which: {}{more}", some.join(", "))
        }
    }
}

/// The same of gases: one that is written nearly alike is another gas.
fn gas_instead(text: &str, words: &[&'static str]) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let part = letters(text);
    let is_part = |word: &&&str| {
        part.chars().count() > 2 && digits(word) == digits(&part) && word.contains(&part)
    };
    let holding: Vec<&str> = words.iter().filter(is_part).copied().collect();
    match (same_but_written_otherwise(text, words.iter().copied()), holding.as_slice()) {
        (Some(same), _) => format!("did you mean {same}?"),
        (None, [one]) => format!("did you mean {one}?"),
        (None, []) => {
            "send a word of the list of gases; a blend that is not in it goes in as a row \
                       for each component, by its share of the mass"
                .to_owned()
        }
        (None, many) => format!("say which: {}", many.join(", ")),
    }
}

impl Vocabulary {
    /// The word that a text is near to, where near is meant.
    #[must_use]
    pub fn near(self, text: &str) -> Option<&'static str> {
        match self {
            Self::List("gas") => same_but_written_otherwise(text, self.words()),
            Self::Free | Self::Year | Self::Fuels | Self::List(_) => {
                did_you_mean(text, self.words())
            }
        }
    }

    /// The list behind it.
    #[must_use]
    pub const fn list(self) -> Option<&'static str> {
        match self {
            Self::Free | Self::Year => None,
            Self::Fuels => Some("fuel"),
            Self::List(name) => Some(name),
        }
    }

    /// Our word for this text; of an open vocabulary, the text itself.
    #[must_use]
    pub fn word(self, text: &str) -> Option<String> {
        let year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        match (self, self.list()) {
            (Self::Year, _) => year.then(|| text.to_owned()),
            (_, Some(list)) => word(list, text).map(str::to_owned),
            (_, None) => (!text.trim().is_empty()).then(|| text.to_owned()),
        }
    }

    /// Its words, in order; of an open one, none.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        words_of(self.list().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ALL;

    #[test]
    fn lists_are_of_snake_case_words_that_mean_one_thing() {
        let mut seen: HashMap<(&str, String), &str> = HashMap::new();
        for line in TABLE.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [list, word, aliases] = cells.as_slice() else { panic!("three cells: {line}") };
            let fits =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(*list == "country" || word.bytes().all(fits), "{line}");
            for text in [*word].into_iter().chain(aliases.split('|')).filter(|a| !a.is_empty()) {
                let other = seen.insert((list, letters(text)), word);
                assert!(other.is_none_or(|other| other == *word), "{list} {text}");
            }
        }
        for list in ALL.iter().flat_map(|kind| kind.qualifiers).filter_map(|q| q.vocabulary.list())
        {
            assert!(words_of(list).next().is_some(), "no list {list}");
        }
    }

    #[test]
    fn every_gas_of_the_table_has_a_word() {
        for gas in Gas::all() {
            let word = word("gas", gas.as_str()).expect("a word");
            assert_eq!(gas_of(word), Some(gas), "{gas}");
        }
        assert_eq!(gas_of("R-134a"), Gas::parse("HFC134a"));
        assert_eq!((gas_of("r410a"), word("gas", "R-410A")), (None, Some("r410a")));
    }

    #[test]
    fn a_gas_is_never_taken_for_another() {
        let gas = Vocabulary::List("gas");
        let told = |text: &str| instead(text, gas.words());
        for text in ["R-448A", "R449A", "R-513A", "hfc134b", "phosgene", "hfc22", "x"] {
            assert_eq!(gas.near(text), None, "{text}");
            assert!(told(text).contains("a row for each component"), "{text}: {}", told(text));
        }
        assert_eq!(told("1234yf"), "did you mean hfo1234yf?");
        assert_eq!(told("r407"), "say which: r407a, r407b, r407c, r407d, r407e, r407f");
        assert_eq!(gas.near("propanne"), Some("propane"));
        let other = Vocabulary::List("treatment");
        assert_eq!(other.near("landfil"), Some("landfill"));
    }

    #[test]
    fn what_grew_is_known_by_words_of_the_list() {
        assert_eq!(GREW.iter().find(|own| !words_of("material").any(|word| word == **own)), None);
        assert!(grew(Some("garden_waste"), None) && !grew(Some("pet"), Some("combustion")));
        assert!(grew(Some("household_residual"), Some("composting")) && !grew(Some("pet"), None));
        assert!(MIXED.iter().all(|word| words_of("material").any(|known| known == *word)));
        assert!(may_have_grown(None) && !may_have_grown(Some("pet")));
        assert!(grew(None, Some("anaerobic_digestion_wet")) && !grew(None, Some("combustion")));
    }

    #[test]
    fn words_are_found_as_people_write_them() {
        assert_eq!(word("treatment", "Landfilled"), Some("landfill"));
        assert_eq!(word("country", "fr"), Some("FR"));
        assert_eq!(word("vehicle_class", "average car"), Some("car_average"));
        assert_eq!(word("fuel", "natural gas"), Some("natural_gas"));
        assert_eq!(Vocabulary::Year.word("2019").as_deref(), Some("2019"));
        assert_eq!(Vocabulary::Year.word("19"), None);
    }
}
