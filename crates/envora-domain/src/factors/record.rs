//! The factor record: what one number of a publisher means, down to the line it was printed on.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::Bucket;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::hash::Digest;
use crate::rational::Rational;
use crate::rfc8785::{self, NotExact};
use crate::time::{Day, Timestamp};
use crate::words::words;

words! {
    /// Which part of a supply chain a factor covers.
    pub enum Boundary {
        /// Burning the fuel.
        Combustion = "combustion",
        /// Making the electricity or heat.
        Generation = "generation",
        /// Losses of transmission and distribution.
        TAndD = "t_and_d",
        /// From well to tank, or to power station.
        Upstream = "upstream",
        /// From well to power station, of what is lost on the way to the consumer.
        UpstreamTAndD = "upstream_t_and_d",
        /// From the well to the end.
        LifeCycle = "life_cycle",
        /// A chemical process.
        Process = "process",
        /// Leaks.
        Fugitive = "fugitive",
        /// After use.
        EndOfLife = "end_of_life",
        /// During use.
        Use = "use",
        /// From the well to the gate of the maker.
        CradleToGate = "cradle_to_gate",
        /// The maker's own scopes 1 and 2.
        S1S2 = "s1s2",
    }
}

words! {
    /// What kind of number a factor is.
    pub enum FactorKind {
        /// Emissions per unit of activity.
        Emission = "emission",
        /// Energy per unit of activity.
        Energy = "energy",
        /// A property of a substance: density, heat content.
        Property = "property",
        /// The share that is lost on the way.
        LossRate = "loss_rate",
        /// Emissions of electricity that nobody claimed.
        ResidualMix = "residual_mix",
        /// A screening default.
        Screening = "screening",
        /// Emissions per money spent.
        Spend = "spend",
        /// A supplier's product carbon footprint.
        SupplierPcf = "supplier_pcf",
    }
}

words! {
    /// Whether a printed value is mass of the gas or already CO2 equivalent.
    pub enum Repr {
        /// Mass of the gas itself.
        Mass = "mass",
        /// CO2 equivalent in the value's own basis; never multiplied by a potential again.
        Co2e = "co2e",
    }
}

/// A factor's identity: SHA-256 of the canonical JSON of its record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorId(pub Digest);

impl FactorId {
    /// Reads `sha256:` and 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        let lower = !hex.bytes().any(|byte| byte.is_ascii_uppercase());
        lower.then(|| Digest::parse_hex(hex).map(Self)).flatten()
    }
}
impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}
impl fmt::Debug for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for FactorId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for FactorId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not sha256: and 64 hex digits"))
    }
}

/// Where a factor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// `iso`, `egrid`, `eic`, `group`, `world` or `site`.
    pub scheme: String,
    /// The code in that scheme.
    pub code: String,
}

/// One value of a factor, as printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasValue {
    /// The gas.
    pub gas: Gas,
    /// Where its carbon comes from.
    pub carbon: Carbon,
    /// Mass of the gas, or CO2 equivalent.
    pub repr: Repr,
    /// In which basis a CO2 equivalent is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gwp_basis: Option<GwpSet>,
    /// The digits as published.
    pub value: String,
    /// The unit of mass.
    pub unit: String,
    /// The line of the publisher's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// The total that a publisher printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The digits as published.
    pub value: String,
    /// The basis of its CO2 equivalents.
    pub basis: GwpSet,
    /// The unit of mass.
    pub unit: String,
    /// The line of the publisher's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Per what a factor is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denominator {
    /// The unit code; the basis of a calorific value is part of it.
    pub unit: String,
    /// The publisher's words for it.
    pub as_printed: String,
    /// `gross` or `net`, where energy of a fuel is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cv_basis: Option<String>,
    /// Temperature and pressure of a gas volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_conditions: Option<String>,
    /// What is counted, where the unit does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<String>,
    /// ISO 4217 code, of a spend factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The year of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_year: Option<u16>,
    /// `purchaser` or `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_basis: Option<String>,
    /// `in` or `out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<String>,
    /// `without`, `margin` or `with`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<String>,
}

/// What may be done with a factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// The licence.
    pub licence: String,
    /// `yes`, `attribution`, `share_alike` or `no`.
    pub redistribute: String,
    /// The words to print.
    pub attribution: String,
}

/// Where a factor was printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The publisher's file.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Its lines, the first being 1.
    pub lines: Vec<u32>,
    /// The sheet, where the file has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The digital object identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doi: Option<String>,
    /// How many significant digits the transcription kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// The publisher's own words for the row, in order.
    pub words: Vec<String>,
    /// Checks that were made and passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// What is odd about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// One emission factor. Absent fields are left out of its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Identity: follows from everything in `body`.
    pub id: FactorId,
    /// The id of the pack it came in; no part of the identity.
    pub pack: String,
    /// When it was recorded here, where it was loaded rather than compiled in; no part of the
    /// identity.
    pub recorded_at: Option<Timestamp>,
    /// The record itself.
    body: Body,
}

/// The fields that a factor's identity is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Publisher, data set and path: the same through editions.
    pub key: String,
    /// Who published it.
    pub publisher: String,
    /// In which data set.
    pub dataset: String,
    /// In which edition of it.
    pub edition: String,
    /// When that edition came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition_date: Option<Day>,
    /// The year that the data are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_year: Option<u16>,
    /// The first day it is for.
    pub valid_from: Day,
    /// The day after the last it is for.
    pub valid_to: Day,
    /// The factor it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<FactorId>,
    /// Why it differs: `new`, `real_world`, `correction`, `method`, `gwp`, `rename`.
    pub change_cause: String,
    /// Where it holds.
    pub region: Region,
    /// On which market, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// What kind of number it is.
    pub kind: FactorKind,
    /// For activities of this type.
    pub activity_type: String,
    /// For activities with these qualifiers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub qualifiers: BTreeMap<String, String>,
    /// The memo it goes to, if not into the scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo_bucket: Option<Bucket>,
    /// `inventory` or `not_for_inventory`.
    pub permitted_use: String,
    /// Which part of the supply chain it covers.
    pub boundary: Boundary,
    /// Its values per gas, as printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gases: Vec<GasValue>,
    /// Its total, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// The basis in which gases without a printed total are summed.
    pub basis: GwpSet,
    /// Per what it is.
    pub denominator: Denominator,
    /// Five scores, 5 very good to 1 unknown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quality: BTreeMap<String, u8>,
    /// Uncertainty: `relative_95`, `gsd2` or `range`, and whether it was stated or derived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub uncertainty: BTreeMap<String, String>,
    /// The share of primary data in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_share: Option<String>,
    /// What may be done with it.
    pub rights: Rights,
    /// Where it was printed.
    pub provenance: Provenance,
}

impl Body {
    /// Whether it states methane or nitrous oxide and nothing else, no total either.
    #[must_use]
    pub fn states_no_co2(&self) -> bool {
        let other = self.gases.iter().all(|value| matches!(value.gas, Gas::CH4 | Gas::N2O));
        self.total.is_none() && !self.gases.is_empty() && other
    }
}

impl core::ops::Deref for Factor {
    type Target = Body;
    fn deref(&self) -> &Body {
        &self.body
    }
}

impl Factor {
    /// The factor of this record, its id computed.
    ///
    /// # Errors
    /// [`NotExact`], which no record that can be made here has.
    pub fn new(body: Body, pack: &str) -> Result<Self, NotExact> {
        let id = FactorId(Digest::of(canonical(&body)?.as_bytes()));
        Ok(Self { id, pack: pack.to_owned(), recorded_at: None, body })
    }

    /// The canonical JSON of the record: the bytes that the id is the SHA-256 of.
    ///
    /// # Errors
    /// [`NotExact`], which no record that can be made here has.
    pub fn canonical_json(&self) -> Result<String, NotExact> {
        canonical(&self.body)
    }

    /// The record, for making another from it.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Whether it can be stated in another GWP set: a complete gas split, or CO2 alone.
    #[must_use]
    pub fn rebasable(&self) -> bool {
        !self.gases.is_empty() && self.gases.iter().all(|value| !value.gas.is_equivalent())
    }

    /// The printed total, or the sum of the printed gases where no total is: for people to see.
    #[must_use]
    pub fn headline(&self) -> String {
        if let Some(total) = &self.total {
            return total.value.clone();
        }
        let values = self.gases.iter().filter_map(|value| Rational::parse(&value.value));
        values.fold(Rational::ZERO, |sum, value| sum.plus(&value)).digits()
    }
}

impl Factor {
    /// The unit of mass that [`Factor::headline`] is in.
    #[must_use]
    pub fn mass_unit(&self) -> &str {
        let total = self.total.as_ref().map(|total| total.unit.as_str());
        total.or(self.gases.first().map(|gas| gas.unit.as_str())).unwrap_or("kg")
    }
}

fn canonical(body: &Body) -> Result<String, NotExact> {
    rfc8785::to_string(&serde_json::to_value(body).map_err(|_| NotExact)?)
}
