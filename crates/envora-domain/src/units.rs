//! Units: UCUM codes and Envora's `x:` codes, converted by exact rationals and checked by dimension.
//!
//! What has several meanings is refused, never picked: only an alias set that the sender declares
//! settles `ton` or `gal`. Gross and net calorific value are dimensions of their own, and so are a
//! gas at different conditions, passengers and vehicles: what needs a property is no conversion.

mod aliases;
mod atoms;
mod parser;

use core::fmt;

use crate::decimal::Decimal;
use crate::rational::Rational;
use crate::words::words;
pub use aliases::{lookup, refused_words, words};

/// Characters that a unit may have.
pub const UNIT_CHARS_MAX: usize = 80;

words! {
    /// Whose meaning of ambiguous unit words the sender declares.
    pub enum AliasSet {
        /// Nobody's: ambiguous words are refused.
        None = "none",
        /// United States.
        Us = "us",
        /// United Kingdom.
        Uk = "uk",
        /// European Union.
        Eu = "eu",
    }
}

/// What dimensions are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// Kilogram.
    Mass,
    /// Metre.
    Length,
    /// Second.
    Time,
    /// Gross calorific value is meant.
    Gross,
    /// Net calorific value is meant.
    Net,
    /// Cubic metre of gas at 0 °C and 101.325 kPa.
    Gas0C,
    /// Cubic metre of gas at 15 °C and 101.325 kPa.
    Gas15C,
    /// Standard cubic foot of gas at 60 °F.
    Gas60F,
    /// Passenger.
    Passenger,
    /// Vehicle.
    Vehicle,
    /// Twenty-foot container.
    Container,
    /// Night in a room.
    RoomNight,
    /// Full-time equivalent of staff.
    Staff,
    /// Item.
    Item,
    /// Reporting year.
    Year,
}

const BASES: usize = 15;

/// Money of a currency, at the prices of a year where one is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// ISO 4217.
    pub currency: [u8; 3],
    /// The year of the prices.
    pub price_year: Option<u16>,
}

/// Powers of the bases, and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dimension {
    powers: [i8; BASES],
    money: Option<Money>,
}

impl Dimension {
    /// The product of these powers.
    #[must_use]
    pub fn of(powers: &[(Base, i8)]) -> Self {
        let mut dimension = Self::default();
        for (base, power) in powers {
            if let Some(own) = dimension.powers.get_mut(*base as usize) {
                *own = own.saturating_add(*power);
            }
        }
        dimension
    }

    /// The power of one base.
    #[must_use]
    pub fn power(&self, base: Base) -> i8 {
        self.powers.get(base as usize).copied().unwrap_or(0)
    }

    /// Whether it is money and nothing else.
    #[must_use]
    pub fn is_money(&self) -> bool {
        self.money.is_some() && self.powers == [0; BASES]
    }

    /// Which money it is, if it is.
    #[must_use]
    pub const fn money(&self) -> Option<Money> {
        self.money
    }

    const fn of_money(money: Money) -> Self {
        Self { powers: [0; BASES], money: Some(money) }
    }

    /// The product with a power of another; `None` when a power is out of range or monies meet.
    fn times_power(&self, other: &Self, power: i8) -> Option<Self> {
        let mut powers = self.powers;
        for (own, theirs) in powers.iter_mut().zip(other.powers) {
            *own = own.checked_add(theirs.checked_mul(power)?)?;
        }
        let money = match (self.money, other.money) {
            (money, None) => money,
            (None, money) if power == 1 => money,
            _ => return None,
        };
        Some(Self { powers, money })
    }
}

/// A unit: its code, its dimension, and how many base units it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    code: String,
    dimension: Dimension,
    size: Rational,
}

impl Unit {
    /// Its code, as read.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Its dimension.
    #[must_use]
    pub const fn dimension(&self) -> &Dimension {
        &self.dimension
    }

    /// How many base units it is.
    #[must_use]
    pub const fn size(&self) -> &Rational {
        &self.size
    }

    /// `gross` or `net`, where the unit says so.
    #[must_use]
    pub fn cv_basis(&self) -> Option<&'static str> {
        match (self.dimension.power(Base::Gross), self.dimension.power(Base::Net)) {
            (1, 0) => Some("gross"),
            (0, 1) => Some("net"),
            _ => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

/// Why a text is no unit, or not the unit that is due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No unit of this name.
    #[error("{text:?} is no unit that is known here")]
    Unknown {
        /// What was sent.
        text: String,
        /// The nearest that is known.
        did_you_mean: Option<String>,
    },
    /// Several meanings; none is picked.
    #[error("{text:?} has several meanings: {why}")]
    Ambiguous {
        /// What was sent.
        text: String,
        /// What it leaves open.
        why: &'static str,
        /// Codes that say one thing each.
        meanings: Vec<String>,
    },
    /// Another dimension.
    #[error("{from} cannot be converted to {to}")]
    Mismatch {
        /// What was sent.
        from: String,
        /// What is due.
        to: String,
        /// What probably happened.
        hint: Option<&'static str>,
    },
}

impl UnitError {
    /// What to do about it, in words.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { did_you_mean: Some(near), .. } => format!("did you mean {near}?"),
            Self::Unknown { did_you_mean: None, .. } => {
                "write a UCUM code such as kW.h, kg, L, or map the word in the mapping file"
                    .to_owned()
            }
            Self::Ambiguous { meanings, .. } => {
                format!("write one of {}, or set alias_set in a mapping", meanings.join(", "))
            }
            Self::Mismatch { hint: Some(hint), .. } => (*hint).to_owned(),
            Self::Mismatch { from, to, hint: None } => {
                // Miles of vehicles are no kilometres of them: the number stays what it is.
                let counted = to.strip_suffix("km").filter(|counted| counted.starts_with("x:"));
                let own = counted.map(|counted| format!("{counted}{from}"));
                let alike = |own: &String| match (parse_code(own), parse_code(to)) {
                    (Ok(own), Ok(due)) => own.dimension == due.dimension,
                    _ => false,
                };
                let own = own.filter(alike);
                format!("send {}", own.as_ref().unwrap_or(to))
            }
        }
    }
}

/// The unit of a code: UCUM (case counts) or `x:`.
///
/// # Errors
/// [`UnitError::Unknown`], [`UnitError::Ambiguous`].
pub fn parse_code(code: &str) -> Result<Unit, UnitError> {
    read_code(code).map_err(|refusal| refusal.unwrap_or_else(|| unknown(code)))
}

/// The unit of a code, or why not; no reason where it is merely not known, as the nearest that is takes
/// longer to find than a code to read.
fn read_code(code: &str) -> Result<Unit, Option<UnitError>> {
    if code.chars().count() > UNIT_CHARS_MAX {
        return Err(Some(UnitError::Unknown {
            text: code.chars().take(UNIT_CHARS_MAX).collect(),
            did_you_mean: None,
        }));
    }
    if let Some(refusal) = aliases::refusal(code) {
        return Err(Some(refusal));
    }
    let (dimension, size) = parser::parse(code).ok_or(None)?;
    Ok(Unit { code: code.to_owned(), dimension, size })
}

fn unknown(code: &str) -> UnitError {
    UnitError::Unknown { text: code.to_owned(), did_you_mean: aliases::near(code) }
}

/// How many of `to` one of `from` is.
///
/// # Errors
/// [`UnitError::Mismatch`] between dimensions.
pub fn convert(from: &Unit, to: &Unit) -> Result<Rational, UnitError> {
    let mismatch =
        || UnitError::Mismatch { from: from.code.clone(), to: to.code.clone(), hint: None };
    if from.dimension != to.dimension {
        return Err(mismatch());
    }
    from.size.over(&to.size).ok_or_else(mismatch)
}

/// How a quantity got from its unit to a factor's.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UnitPath {
    /// The unit as sent.
    pub from: String,
    /// The unit of the factor.
    pub to: String,
    /// How many of the second one of the first is, exactly: `1000`, `5/18`.
    pub factor: String,
    /// The steps, for people.
    pub steps: Vec<String>,
}

impl UnitPath {
    /// The path between two units.
    ///
    /// # Errors
    /// [`UnitError::Mismatch`] between dimensions.
    pub fn between(from: &Unit, to: &Unit) -> Result<Self, UnitError> {
        let factor = convert(from, to)?;
        let mut steps = Vec::new();
        if factor != Rational::ONE || from.code != to.code {
            steps.push(format!("1 {from} = {} {to}", factor.digits()));
        }
        let (from, to) = (from.code.clone(), to.code.clone());
        Ok(Self { from, to, factor: factor.to_string(), steps })
    }

    /// The factor as a number.
    #[must_use]
    pub fn rational(&self) -> Option<Rational> {
        Rational::parse(&self.factor)
    }

    /// An amount converted, exactly: a decimal, or a fraction `a/b` where none is exact.
    #[must_use]
    pub fn convert(&self, amount: Decimal) -> String {
        let exact = Rational::from(amount).times(&self.rational().unwrap_or(Rational::ONE));
        exact.terminating().unwrap_or_else(|| exact.to_string())
    }
}

#[cfg(test)]
mod tests;
