//! Global warming potentials: every species, every set, exactly as published.
//!
//! The table is `packs/ipcc-gwp.tsv`, made from the publisher's file; CO2, which that file leaves
//! out, is added as one. A gas that a set does not list has no value there: none is ever borrowed.

use core::fmt;
use std::sync::OnceLock;

use crate::decimal::Decimal;
use crate::factors::Boundary;
use crate::words::words;

const TABLE: &str = include_str!("../packs/ipcc-gwp.tsv");

words! {
    /// A set of global warming potentials over 100 years.
    pub enum GwpSet {
        /// Each factor in the basis that its publisher printed: the default.
        Published = "published",
        /// IPCC second assessment report.
        Sar = "sar",
        /// IPCC third assessment report.
        Tar = "tar",
        /// IPCC fourth assessment report.
        Ar4 = "ar4",
        /// IPCC fifth assessment report, without climate-carbon feedback.
        Ar5 = "ar5",
        /// IPCC fifth assessment report, with climate-carbon feedback.
        Ar5Feedback = "ar5-feedback",
        /// IPCC sixth assessment report; methane by the origin of its carbon.
        Ar6 = "ar6",
        /// IPCC sixth assessment report; methane 27.9 always, as its table prints.
        Ar6Table = "ar6-table",
        /// IPCC sixth assessment report; methane of combustion 27.0, SF6 24 300.
        Ar6Ghgp2024 = "ar6-ghgp-2024",
    }
}

words! {
    /// Where the carbon of a gas comes from.
    pub enum Carbon {
        /// From the ground.
        Fossil = "fossil",
        /// From plants.
        Biogenic = "biogenic",
        /// From both, in a share that the publisher mixed in.
        Mixed = "mixed",
        /// Nobody says.
        Unknown = "unknown",
    }
}

words! {
    /// What a gas counts as.
    pub enum GasGroup {
        /// In the scopes: CO2, CH4, N2O, HFCs, PFCs, SF6, NF3.
        Kyoto = "kyoto",
        /// Ozone-depleting substances: a memo.
        Montreal = "montreal",
        /// Ethers and others: a memo unless the organization says otherwise.
        Other = "other",
        /// CO2 equivalents whose gases the publisher did not tell apart.
        Equivalent = "equivalent",
    }
}

/// A greenhouse gas, or CO2 equivalents that no gas stands behind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gas(u16);

impl Gas {
    /// Carbon dioxide.
    pub const CO2: Self = Self(0);
    /// Methane.
    pub const CH4: Self = Self(1);
    /// Nitrous oxide.
    pub const N2O: Self = Self(2);
    /// CO2 equivalents of a factor of which only the total is printed.
    pub const CO2E: Self = Self(u16::MAX - 1);
    /// What a printed total has above, or below, the sum of its gases.
    pub const CO2E_RESIDUE: Self = Self(u16::MAX);

    /// Its name: `CO2`, `HFC134a`, `co2e`, `co2e_residue`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CO2E => "co2e",
            Self::CO2E_RESIDUE => "co2e_residue",
            Self(place) => species().get(usize::from(place)).map_or("", |species| species.name),
        }
    }

    /// The gas of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "co2e" => Some(Self::CO2E),
            "co2e_residue" => Some(Self::CO2E_RESIDUE),
            _ => Self::all().find(|gas| gas.as_str() == text),
        }
    }

    /// All gases of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..species().len()).filter_map(|place| u16::try_from(place).ok()).map(Self)
    }

    /// What it counts as.
    #[must_use]
    pub fn group(self) -> GasGroup {
        species().get(usize::from(self.0)).map_or(GasGroup::Equivalent, |species| species.group)
    }

    /// Whether it is CO2 equivalents rather than a gas.
    #[must_use]
    pub const fn is_equivalent(self) -> bool {
        self.0 >= Self::CO2E.0
    }
}

impl fmt::Display for Gas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Gas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl serde::Serialize for Gas {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for Gas {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a gas that is known here"))
    }
}

struct Species {
    name: &'static str,
    group: GasGroup,
    /// SAR, TAR, AR4, AR5, AR5 with feedback, AR6.
    values: [Option<Decimal>; 6],
}

fn species() -> &'static [Species] {
    static SPECIES: OnceLock<Vec<Species>> = OnceLock::new();
    SPECIES.get_or_init(|| {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
        rows.filter_map(read_species).collect()
    })
}

fn read_species(line: &'static str) -> Option<Species> {
    let mut cells = line.split('\t');
    let (name, group) = (cells.next()?, GasGroup::parse(cells.next()?)?);
    let mut values = [None; 6];
    for (value, cell) in values.iter_mut().zip(cells) {
        *value = Decimal::parse_factor(cell).ok();
    }
    Some(Species { name, group, values })
}

/// The line of the table that a gas stands on, the first being 1.
#[must_use]
pub fn species_line(gas: Gas) -> Option<u32> {
    let place = usize::from(gas.0);
    let rows = (1_u32..).zip(TABLE.lines()).filter(|(_, line)| !line.starts_with('#')).skip(1);
    rows.map(|(number, _)| number).nth(place)
}

/// Kilograms of CO2 equivalent per kilogram of this gas, or `None` where the set does not list it.
///
/// [`GwpSet::Published`] has no values of its own, and equivalents are no gas: both give `None`.
#[must_use]
pub fn gwp(set: GwpSet, gas: Gas, carbon: Carbon, boundary: Boundary) -> Option<Decimal> {
    if gas == Gas::CO2 && set != GwpSet::Published {
        return Decimal::new(1, 0);
    }
    let column = match set {
        GwpSet::Published => return None,
        GwpSet::Sar => 0,
        GwpSet::Tar => 1,
        GwpSet::Ar4 => 2,
        GwpSet::Ar5 => 3,
        GwpSet::Ar5Feedback => 4,
        GwpSet::Ar6 | GwpSet::Ar6Table | GwpSet::Ar6Ghgp2024 => 5,
    };
    let table = species().get(usize::from(gas.0))?.values[column];
    let fossil_methane = Decimal::new(298, 1);
    let other_methane = Decimal::new(270, 1);
    match (set, gas) {
        (GwpSet::Ar6, Gas::CH4) => match carbon {
            Carbon::Fossil => fossil_methane,
            Carbon::Biogenic => other_methane,
            Carbon::Mixed | Carbon::Unknown => table,
        },
        // Carbon that was burnt is counted as CO2 already, so its methane is taken as non-fossil.
        (GwpSet::Ar6Ghgp2024, Gas::CH4) => match (boundary, carbon) {
            (Boundary::Combustion | Boundary::Generation | Boundary::TAndD, _)
            | (_, Carbon::Biogenic) => other_methane,
            (_, Carbon::Fossil) => fossil_methane,
            (_, Carbon::Mixed | Carbon::Unknown) => table,
        },
        (GwpSet::Ar6Ghgp2024, gas) if gas.as_str() == "SF6" => Decimal::new(24_300, 0),
        _ => table,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(set: &str, gas: &str, carbon: Carbon, want: Option<&str>) {
        let set = GwpSet::parse(set).expect("a set");
        let gas = Gas::parse(gas).expect("a gas");
        let value = gwp(set, gas, carbon, Boundary::Combustion).map(|value| value.to_string());
        assert_eq!(value.as_deref(), want, "{gas} in {set}");
    }

    #[test]
    fn values_are_those_of_the_reports() {
        for set in GwpSet::ALL.iter().skip(1) {
            check(set.as_str(), "CO2", Carbon::Fossil, Some("1"));
        }
        check("sar", "CH4", Carbon::Fossil, Some("21"));
        check("tar", "N2O", Carbon::Fossil, Some("296"));
        check("ar4", "CH4", Carbon::Fossil, Some("25"));
        check("ar4", "N2O", Carbon::Fossil, Some("298"));
        check("ar5", "CH4", Carbon::Fossil, Some("28"));
        check("ar5", "N2O", Carbon::Unknown, Some("265"));
        check("ar5-feedback", "CH4", Carbon::Fossil, Some("34"));
        check("ar6", "HFC134a", Carbon::Unknown, Some("1530"));
        check("ar6", "SF6", Carbon::Unknown, Some("25200"));
        check("ar6-ghgp-2024", "SF6", Carbon::Unknown, Some("24300"));
        check("ar4", "HFC41", Carbon::Unknown, None);
        check("tar", "HG10", Carbon::Unknown, Some("2700"));
        check("ar6", "HG10", Carbon::Unknown, None);
        check("published", "CH4", Carbon::Fossil, None);
    }

    #[test]
    fn methane_of_the_sixth_report_depends_on_its_carbon() {
        check("ar6", "CH4", Carbon::Fossil, Some("29.8"));
        check("ar6", "CH4", Carbon::Biogenic, Some("27.0"));
        check("ar6", "CH4", Carbon::Unknown, Some("27.9"));
        check("ar6-table", "CH4", Carbon::Fossil, Some("27.9"));
        check("ar6-ghgp-2024", "CH4", Carbon::Fossil, Some("27.0"));
        let fugitive = |carbon| gwp(GwpSet::Ar6Ghgp2024, Gas::CH4, carbon, Boundary::Fugitive);
        assert_eq!(fugitive(Carbon::Fossil), Decimal::new(298, 1));
        assert_eq!(fugitive(Carbon::Biogenic), Decimal::new(270, 1));
    }

    #[test]
    fn every_species_is_there_under_a_name_of_its_own() {
        assert_eq!(species().len(), 106, "105 of the file, and CO2");
        for (place, gas) in Gas::all().enumerate() {
            assert_eq!(Gas::parse(gas.as_str()), Some(gas));
            assert_eq!(usize::from(gas.0), place);
        }
        let only_tar = species().iter().filter(|species| {
            species.values[1].is_some() && species.values.iter().flatten().count() == 1
        });
        assert_eq!(only_tar.count(), 17, "species that only the third report lists");
        assert_eq!((Gas::CH4.as_str(), Gas::N2O.as_str()), ("CH4", "N2O"));
        assert_eq!(Gas::parse("co2e_residue"), Some(Gas::CO2E_RESIDUE));
    }
}
