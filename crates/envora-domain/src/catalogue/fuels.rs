//! Fuels: our words, and the words that publishers have for them.

use crate::gwp::Carbon;

/// What a fuel is at room temperature: decides whether its volume needs conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A gas: a volume says nothing without temperature and pressure.
    Gas,
    /// Sold as a liquid, by the litre.
    Liquid,
    /// A solid.
    Solid,
}

/// One fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// Our word.
    pub word: &'static str,
    /// What it is.
    pub state: State,
    /// Where its carbon comes from.
    pub carbon: Carbon,
    /// What publishers call it.
    pub aliases: &'static [&'static str],
}

const fn fuel(
    word: &'static str,
    state: State,
    carbon: Carbon,
    aliases: &'static [&'static str],
) -> Fuel {
    Fuel { word, state, carbon, aliases }
}

use Carbon::{Biogenic, Fossil, Mixed};
use State::{Gas, Liquid, Solid};

/// All fuels.
pub(super) const ALL: &[Fuel] = &[
    fuel("natural_gas", Gas, Fossil, &["Natural gas"]),
    fuel("natural_gas_mineral", Gas, Fossil, &["Natural gas (100% mineral blend)"]),
    fuel("butane", Liquid, Fossil, &["Butane"]),
    fuel("cng", Liquid, Fossil, &["CNG"]),
    fuel("lng", Liquid, Fossil, &["LNG"]),
    fuel("lpg", Liquid, Fossil, &["LPG"]),
    fuel("other_petroleum_gas", Liquid, Fossil, &["Other petroleum gas"]),
    fuel("propane", Liquid, Fossil, &["Propane"]),
    fuel("burning_oil", Liquid, Fossil, &["Burning oil"]),
    fuel("diesel", Liquid, Mixed, &["Diesel (average biofuel blend)"]),
    fuel("diesel_mineral", Liquid, Fossil, &["Diesel (100% mineral diesel)"]),
    fuel("fuel_oil", Liquid, Fossil, &["Fuel oil"]),
    fuel("gas_oil", Liquid, Fossil, &["Gas oil"]),
    fuel("lubricants", Liquid, Fossil, &["Lubricants"]),
    fuel("naphtha", Liquid, Fossil, &["Naphtha"]),
    fuel("petrol", Liquid, Mixed, &["Petrol (average biofuel blend)"]),
    fuel("petrol_mineral", Liquid, Fossil, &["Petrol (100% mineral petrol)"]),
    fuel("distillate_oil", Liquid, Fossil, &["Processed fuel oils - distillate oil"]),
    fuel("residual_oil", Liquid, Fossil, &["Processed fuel oils - residual oil"]),
    fuel("refinery_miscellaneous", Liquid, Fossil, &["Refinery miscellaneous"]),
    fuel("waste_oils", Liquid, Fossil, &["Waste oils"]),
    fuel("coal_domestic", Solid, Fossil, &["Coal (domestic)"]),
    fuel("coal_industrial", Solid, Fossil, &["Coal (industrial)"]),
    fuel("coal_power", Solid, Fossil, &["Coal (electricity generation)"]),
    fuel(
        "coal_power_home",
        Solid,
        Fossil,
        &["Coal (electricity generation - home produced coal only)"],
    ),
    fuel("coking_coal", Solid, Fossil, &["Coking coal"]),
    fuel("petroleum_coke", Solid, Fossil, &["Petroleum coke"]),
    fuel("wood_logs", Solid, Biogenic, &["Wood logs"]),
    fuel("wood_chips", Solid, Biogenic, &["Wood chips"]),
    fuel("wood_pellets", Solid, Biogenic, &["Wood pellets"]),
    fuel("grass_straw", Solid, Biogenic, &["Grass/straw"]),
    fuel("biogas", Gas, Biogenic, &["Biogas"]),
    fuel("landfill_gas", Gas, Biogenic, &["Landfill gas"]),
];

/// The words of all fuels, for the catalogue.
pub(super) const WORDS: [&str; ALL.len()] = {
    let mut words = [""; ALL.len()];
    let mut place = 0;
    while place < ALL.len() {
        words[place] = ALL[place].word;
        place += 1;
    }
    words
};

/// The fuel of our word.
#[must_use]
pub fn find(word: &str) -> Option<&'static Fuel> {
    ALL.iter().find(|fuel| fuel.word == word)
}

/// The fuel that a publisher calls so.
#[must_use]
pub fn by_alias(text: &str) -> Option<&'static Fuel> {
    ALL.iter().find(|fuel| fuel.aliases.contains(&text))
}
