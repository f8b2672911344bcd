//! Methods: versioned formulas that turn a quantity into emissions.
//!
//! A method's id is `family.variant@version` and says nothing of scopes: those are the slot's, as is
//! the part of the supply chain that its factor must cover. Once shipped, a method stays.

/// One version of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// `family.variant@version`.
    pub id: &'static str,
    /// The formula, for people.
    pub formula: &'static str,
    /// What it needs that an activity of today cannot bring; such a method is passed over.
    pub lacks: Option<&'static str>,
}

const fn method(id: &'static str, formula: &'static str) -> Method {
    Method { id, formula, lacks: None }
}

const fn lacking(id: &'static str, formula: &'static str, lacks: &'static str) -> Method {
    Method { id, formula, lacks: Some(lacks) }
}

/// All methods.
pub const ALL: &[Method] = &[
    method(
        "electricity.grid@1",
        "emissions = energy × grid average of the region and period, generation only",
    ),
    lacking(
        "electricity.certificate@1",
        "emissions = energy covered by cancelled certificates × rate of the certified plant",
        "no certificate is allocated to this consumption",
    ),
    lacking(
        "electricity.contract@1",
        "emissions = energy under a direct contract × rate of the contract",
        "no contract that conveys attributes is on record for this consumption",
    ),
    lacking(
        "electricity.supplier@1",
        "emissions = energy × rate disclosed by the supplier",
        "no supplier rate is on record for this consumption",
    ),
    lacking(
        "electricity.residual_mix@1",
        "emissions = energy × residual mix of the market",
        "no residual mix of this market is in the active packs",
    ),
    method(
        "electricity.grid_fallback@1",
        "emissions = energy × grid average, for want of a residual mix",
    ),
    lacking(
        "tnd.generation@1",
        "emissions = energy × generation factor × loss rate of the grid",
        "no loss rate of this grid is in the active packs",
    ),
    method(
        "tnd.published@1",
        "emissions = energy × published factor of transmission and distribution losses",
    ),
    method("wtt.published@1", "emissions = quantity × published well-to-tank factor"),
    lacking(
        "stationary.carbon@1",
        "CO2 = fuel × carbon content × oxidation factor × 44/12",
        "the activity brings no carbon content",
    ),
    method("stationary.fuel@1", "emissions = fuel × factor per unit of the fuel"),
    lacking(
        "stationary.heat@1",
        "emissions = fuel × heat content × factor per unit of heat",
        "no heat content of this fuel is in the active packs",
    ),
];

/// The method of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_family_variant_and_version() {
        for method in ALL {
            let (name, version) = method.id.split_once('@').expect("a version");
            assert!(name.split('.').count() == 2 && version == "1", "{}", method.id);
            assert_eq!(ALL.iter().filter(|other| other.id == method.id).count(), 1);
        }
    }
}
