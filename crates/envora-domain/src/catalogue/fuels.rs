//! Fuels: our words, and the words that publishers have for them.

use crate::gwp::Carbon;

/// What a fuel is at room temperature: decides whether its volume needs conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A gas: a volume says nothing without temperature and pressure.
    Gas,
    /// A gas that is sold pressed or cooled, by the litre of its tank: a litre is one of that, and a
    /// cubic metre may be one of a tank or of a meter, two hundred times as thin.
    Pressed,
    /// A liquid.
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

use Carbon::{Biogenic, Fossil, Mixed, Unknown};
use State::{Gas, Liquid, Pressed, Solid};

/// All fuels.
pub(super) const ALL: &[Fuel] = &[
    fuel("natural_gas", Gas, Fossil, &["Natural gas"]),
    fuel("natural_gas_mineral", Gas, Fossil, &["Natural gas (100% mineral blend)"]),
    fuel("butane", Pressed, Fossil, &["Butane"]),
    fuel("cng", Pressed, Fossil, &["CNG", "Compressed Natural Gas (CNG)"]),
    fuel("lng", Pressed, Fossil, &["LNG", "Liquefied Natural Gas (LNG)"]),
    fuel("lpg", Pressed, Fossil, &["LPG", "Liquefied Petroleum Gases (LPG)"]),
    fuel("other_petroleum_gas", Pressed, Fossil, &["Other petroleum gas"]),
    fuel("propane", Pressed, Fossil, &["Propane"]),
    fuel("burning_oil", Liquid, Fossil, &["Burning oil"]),
    fuel("diesel", Liquid, Mixed, &["Diesel (average biofuel blend)"]),
    fuel("diesel_mineral", Liquid, Fossil, &["Diesel (100% mineral diesel)", "Diesel Fuel"]),
    fuel("fuel_oil", Liquid, Fossil, &["Fuel oil"]),
    fuel("gas_oil", Liquid, Fossil, &["Gas oil"]),
    fuel("lubricants", Liquid, Fossil, &["Lubricants"]),
    fuel("naphtha", Liquid, Fossil, &["Naphtha", "Naphtha (<401 deg F)"]),
    fuel("petrol", Liquid, Mixed, &["Petrol (average biofuel blend)"]),
    fuel(
        "petrol_mineral",
        Liquid,
        Fossil,
        &["Petrol (100% mineral petrol)", "Motor Gasoline", "Gasoline"],
    ),
    fuel("distillate_oil", Liquid, Fossil, &["Processed fuel oils - distillate oil"]),
    fuel(
        "residual_oil",
        Liquid,
        Fossil,
        &["Processed fuel oils - residual oil", "Residual Fuel Oil"],
    ),
    fuel("refinery_miscellaneous", Liquid, Fossil, &["Refinery miscellaneous"]),
    fuel("waste_oils", Liquid, Fossil, &["Waste oils", "Used Oil"]),
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
    fuel("petroleum_coke", Solid, Fossil, &["Petroleum coke", "Petroleum Coke (Solid)"]),
    fuel("wood_logs", Solid, Biogenic, &["Wood logs"]),
    fuel("wood_chips", Solid, Biogenic, &["Wood chips"]),
    fuel("wood_pellets", Solid, Biogenic, &["Wood pellets"]),
    fuel("grass_straw", Solid, Biogenic, &["Grass/straw"]),
    fuel("biogas", Gas, Biogenic, &["Biogas"]),
    fuel("landfill_gas", Gas, Biogenic, &["Landfill gas"]),
    fuel("aviation_spirit", Liquid, Fossil, &["Aviation spirit", "Aviation Gasoline"]),
    fuel(
        "aviation_turbine_fuel",
        Liquid,
        Fossil,
        &["Aviation turbine fuel", "Kerosene-Type Jet Fuel", "Jet Fuel"],
    ),
    fuel("marine_gas_oil", Liquid, Fossil, &["Marine gas oil"]),
    fuel("marine_fuel_oil", Liquid, Fossil, &["Marine fuel oil"]),
    fuel("kerosene", Liquid, Fossil, &["Kerosene"]),
    fuel("distillate_oil_1", Liquid, Fossil, &["Distillate Fuel Oil No. 1"]),
    fuel("distillate_oil_2", Liquid, Fossil, &["Distillate Fuel Oil No. 2"]),
    fuel("distillate_oil_4", Liquid, Fossil, &["Distillate Fuel Oil No. 4"]),
    fuel("residual_oil_5", Liquid, Fossil, &["Residual Fuel Oil No. 5"]),
    fuel("residual_oil_6", Liquid, Fossil, &["Residual Fuel Oil No. 6"]),
    fuel("heavy_gas_oil", Liquid, Fossil, &["Heavy Gas Oils"]),
    fuel("crude_oil", Liquid, Fossil, &["Crude Oil"]),
    fuel("natural_gasoline", Liquid, Fossil, &["Natural Gasoline"]),
    fuel("special_naphtha", Liquid, Fossil, &["Special Naphtha"]),
    fuel("unfinished_oils", Liquid, Fossil, &["Unfinished Oils"]),
    fuel("other_oil", Liquid, Fossil, &["Other Oil (>401 deg F)"]),
    fuel("pentanes_plus", Liquid, Fossil, &["Pentanes Plus"]),
    fuel("petrochemical_feedstocks", Liquid, Fossil, &["Petrochemical Feedstocks"]),
    fuel("asphalt_road_oil", Liquid, Fossil, &["Asphalt and Road Oil"]),
    fuel("ethane", Pressed, Fossil, &["Ethane"]),
    fuel("ethylene", Pressed, Fossil, &["Ethylene"]),
    fuel("propylene", Pressed, Fossil, &["Propylene"]),
    fuel("butylene", Pressed, Fossil, &["Butylene"]),
    fuel("isobutane", Pressed, Fossil, &["Isobutane"]),
    fuel("isobutylene", Pressed, Fossil, &["Isobutylene"]),
    fuel("blast_furnace_gas", Gas, Fossil, &["Blast Furnace Gas"]),
    fuel("coke_oven_gas", Gas, Fossil, &["Coke Oven Gas"]),
    fuel("fuel_gas", Gas, Fossil, &["Fuel Gas"]),
    fuel("propane_gas", Gas, Fossil, &["Propane Gas"]),
    fuel("anthracite", Solid, Fossil, &["Anthracite", "Anthracite Coal"]),
    fuel("bituminous_coal", Solid, Fossil, &["Bituminous", "Bituminous Coal"]),
    fuel("sub_bituminous_coal", Solid, Fossil, &["Sub-bituminous", "Sub-bituminous Coal"]),
    fuel("lignite", Solid, Fossil, &["Lignite", "Lignite Coal"]),
    fuel("coal_mixed_commercial", Solid, Fossil, &["Mixed (Commercial Sector)"]),
    fuel("coal_mixed_power", Solid, Fossil, &["Mixed (Electric Power Sector)"]),
    fuel("coal_mixed_coking", Solid, Fossil, &["Mixed (Industrial Coking)"]),
    fuel("coal_mixed_industrial", Solid, Fossil, &["Mixed (Industrial Sector)"]),
    fuel("coal_coke", Solid, Fossil, &["Coal Coke"]),
    fuel("municipal_waste", Solid, Mixed, &["Municipal Solid Waste"]),
    fuel("waste_plastics", Solid, Fossil, &["Plastics"]),
    fuel("waste_tyres", Solid, Mixed, &["Tires"]),
    fuel("peat", Solid, Fossil, &["Peat"]),
    fuel("agricultural_byproducts", Solid, Biogenic, &["Agricultural Byproducts"]),
    fuel("solid_byproducts", Solid, Biogenic, &["Solid Byproducts"]),
    fuel("wood_residuals", Solid, Biogenic, &["Wood and Wood Residuals"]),
    fuel("other_biomass_gas", Gas, Biogenic, &["Other Biomass Gases"]),
    fuel("bioethanol", Liquid, Biogenic, &["Bioethanol", "Ethanol (100%)"]),
    fuel("biodiesel", Liquid, Biogenic, &["Biodiesel ME", "Biodiesel (100%)"]),
    fuel("biodiesel_cooking_oil", Liquid, Biogenic, &["Biodiesel ME (from used cooking oil)"]),
    fuel("biodiesel_tallow", Liquid, Biogenic, &["Biodiesel ME (from tallow)"]),
    fuel("biodiesel_hvo", Liquid, Biogenic, &["Biodiesel HVO", "HVO"]),
    fuel("biodiesel_off_road", Liquid, Biogenic, &["Off road biodiesel"]),
    fuel("biopropane", Pressed, Biogenic, &["Biopropane"]),
    fuel("development_diesel", Liquid, Biogenic, &["Development diesel"]),
    fuel("development_petrol", Liquid, Biogenic, &["Development petrol"]),
    fuel("bio_petrol", Liquid, Biogenic, &["Bio Petrol"]),
    fuel("renewable_petrol", Liquid, Biogenic, &["Renewable petrol"]),
    fuel("methanol", Liquid, Unknown, &["Methanol"]),
    fuel("biomethanol", Liquid, Biogenic, &["Methanol (bio)"]),
    fuel("avtur_renewable", Liquid, Biogenic, &["Avtur (renewable)"]),
    fuel("biomethane_compressed", Pressed, Biogenic, &["Biomethane (compressed)"]),
    fuel(
        "biomethane_liquefied",
        Pressed,
        Biogenic,
        &["Biomethane (liquified)", "Biomethane (liquefied)"],
    ),
    fuel("biomethane", Gas, Biogenic, &["Biomethane"]),
    fuel("rendered_animal_fat", Liquid, Biogenic, &["Rendered Animal Fat"]),
    fuel("vegetable_oil", Liquid, Biogenic, &["Vegetable Oil"]),
    fuel("black_liquor_softwood", Liquid, Biogenic, &["North American Softwood"]),
    fuel("black_liquor_hardwood", Liquid, Biogenic, &["North American Hardwood"]),
    fuel("black_liquor_bagasse", Liquid, Biogenic, &["Bagasse"]),
    fuel("black_liquor_bamboo", Liquid, Biogenic, &["Bamboo"]),
    fuel("black_liquor_straw", Liquid, Biogenic, &["Straw"]),
];

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
