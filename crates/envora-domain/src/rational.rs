//! Exact rationals: what lies between a quantity as sent and a mass rounded once.
//!
//! Numbers are reduced fractions of 256-bit integers; where a step would not fit, it is done with
//! integers of any length, so the answer is exact for every input and nothing ever panics.

mod natural;
pub mod quick;

use core::cmp::Ordering;
use core::fmt;

use ethnum::{I256, U256};

use crate::decimal::{Decimal, Mass};
use natural::Natural;

/// A reduced fraction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Rational(Repr);

/// Small whenever it fits, so that equal numbers are equal values.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Small { num: I256, den: I256 },
    Large { sign: Sign, num: Natural, den: Natural },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sign {
    Plus,
    Minus,
}

impl Sign {
    const fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Plus, Self::Plus) | (Self::Minus, Self::Minus) => Self::Plus,
            (Self::Plus, Self::Minus) | (Self::Minus, Self::Plus) => Self::Minus,
        }
    }
}

impl Rational {
    /// Zero.
    pub const ZERO: Self = Self(Repr::Small { num: I256::ZERO, den: I256::ONE });
    /// One.
    pub const ONE: Self = Self(Repr::Small { num: I256::ONE, den: I256::ONE });

    /// `num / den`, or `None` when the denominator is zero.
    #[must_use]
    pub fn new(num: i128, den: i128) -> Option<Self> {
        Self::ratio(I256::from(num), I256::from(den))
    }

    /// A whole number.
    #[must_use]
    pub fn whole(value: i128) -> Self {
        Self(Repr::Small { num: I256::from(value), den: I256::ONE })
    }

    /// Ten to this power, negative ones included.
    #[must_use]
    pub fn power_of_ten(power: i32) -> Self {
        let ten = Self::whole(10);
        let size = power.unsigned_abs().min(2000);
        let value = (0..size).fold(Self::ONE, |value, _| value.times(&ten));
        if power < 0 { value.recip().unwrap_or(Self::ZERO) } else { value }
    }

    /// The number that a text means: `12`, `-0.5`, `1/3`, `4.04e-01`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => Decimal::parse_factor(text).ok().map(Self::from),
            Some((num, den)) => {
                let num = Natural::parse_signed(num)?;
                let den = Natural::parse_signed(den)?;
                let sign = if num.0 == den.0 { Sign::Plus } else { Sign::Minus };
                (!den.1.is_zero()).then(|| Self::reduce(sign, &num.1, &den.1))
            }
        }
    }

    fn ratio(num: I256, den: I256) -> Option<Self> {
        if den == I256::ZERO {
            return None;
        }
        let sign = if (num < 0) == (den < 0) { Sign::Plus } else { Sign::Minus };
        let (num, den) = (num.unsigned_abs(), den.unsigned_abs());
        let shared = gcd(num, den);
        Self::small(sign, num / shared, den / shared).or_else(|| {
            Some(Self::reduce(sign, &Natural::from_u256(num), &Natural::from_u256(den)))
        })
    }

    fn small(sign: Sign, num: U256, den: U256) -> Option<Self> {
        let (num, den) = (I256::try_from(num).ok()?, I256::try_from(den).ok()?);
        let num = if sign == Sign::Minus { -num } else { num };
        Some(Self(Repr::Small { num, den }))
    }

    /// The reduced fraction of two integers of any length; the second is not zero.
    fn reduce(sign: Sign, num: &Natural, den: &Natural) -> Self {
        let shared = num.gcd(den);
        let (num, den) = (num.div_rem(&shared).0, den.div_rem(&shared).0);
        let sign = if num.is_zero() { Sign::Plus } else { sign };
        if let (Some(n), Some(d)) = (num.to_u256(), den.to_u256())
            && let Some(small) = Self::small(sign, n, d)
        {
            return small;
        }
        Self(Repr::Large { sign, num, den })
    }

    fn parts(&self) -> (Sign, Natural, Natural) {
        match &self.0 {
            Repr::Large { sign, num, den } => (*sign, num.clone(), den.clone()),
            Repr::Small { num, den } => {
                let sign = if *num < 0 { Sign::Minus } else { Sign::Plus };
                let large = |value: &I256| Natural::from_u256(value.unsigned_abs());
                (sign, large(num), large(den))
            }
        }
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        if let (Repr::Small { num: a, den: b }, Repr::Small { num: c, den: d }) =
            (&self.0, &other.0)
        {
            // Reduced across first: what fits in the end also fits on the way.
            let (left, right) = (shared(*a, *d), shared(*c, *b));
            let num = (a / left).checked_mul(c / right);
            let den = (b / right).checked_mul(d / left);
            if let (Some(num), Some(den)) = (num, den) {
                if num == I256::MIN {
                    return Self::ratio(num, den).unwrap_or(Self::ZERO);
                }
                return Self(Repr::Small { num, den });
            }
        }
        let ((s, a, b), (t, c, d)) = (self.parts(), other.parts());
        Self::reduce(s.times(t), &a.mul(&c), &b.mul(&d))
    }

    /// One over it, or `None` for zero.
    #[must_use]
    pub fn recip(&self) -> Option<Self> {
        let (sign, num, den) = self.parts();
        (!num.is_zero()).then(|| Self::reduce(sign, &den, &num))
    }

    /// The quotient, or `None` when the divisor is zero.
    #[must_use]
    pub fn over(&self, other: &Self) -> Option<Self> {
        Some(self.times(&other.recip()?))
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        if let (Repr::Small { num: a, den: b }, Repr::Small { num: c, den: d }) =
            (&self.0, &other.0)
        {
            let num = a
                .checked_mul(*d)
                .and_then(|left| c.checked_mul(*b).and_then(|right| left.checked_add(right)));
            if let (Some(num), Some(den)) = (num, b.checked_mul(*d)) {
                return Self::ratio(num, den).unwrap_or(Self::ZERO);
            }
        }
        let ((s, a, b), (t, c, d)) = (self.parts(), other.parts());
        let (left, right, den) = (a.mul(&d), c.mul(&b), b.mul(&d));
        if s == t {
            return Self::reduce(s, &left.add(&right), &den);
        }
        match left.cmp(&right) {
            Ordering::Less => Self::reduce(t, &right.sub(&left), &den),
            Ordering::Equal | Ordering::Greater => Self::reduce(s, &left.sub(&right), &den),
        }
    }

    /// The same number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        self.times(&Self::whole(-1))
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small { num, .. } => *num < 0,
            Repr::Large { sign, .. } => *sign == Sign::Minus,
        }
    }

    /// The integer nearest to `self × 10^scale`, ties to the even one; `None` when it is wider than
    /// 128 bits.
    #[must_use]
    pub fn round_half_even(&self, scale: u8) -> Option<i128> {
        let (sign, num, den) = self.times(&Self::power_of_ten(i32::from(scale))).parts();
        let (mut whole, rest) = num.div_rem(&den);
        let up = match rest.add(&rest).cmp(&den) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => whole.is_odd(),
        };
        if up {
            whole = whole.add(&Natural::one());
        }
        let size = I256::try_from(whole.to_u256()?).ok()?;
        i128::try_from(if sign == Sign::Minus { -size } else { size }).ok()
    }

    /// Rounded once, half-even, to the 10⁻¹² kg in which masses are kept.
    #[must_use]
    pub fn to_mass(&self) -> Option<Mass> {
        self.round_half_even(Mass::SCALE).map(Mass::from_units)
    }

    /// The decimal digits when they end, else `None`.
    #[must_use]
    pub fn terminating(&self) -> Option<String> {
        let (sign, num, den) = self.parts();
        let mut rest = den.clone();
        let mut digits = 0_usize;
        for prime in [2_u32, 5] {
            let prime = Natural::from_u32(prime);
            let mut power = 0_usize;
            while let (next, left) = rest.div_rem(&prime)
                && left.is_zero()
            {
                rest = next;
                power += 1;
            }
            digits = digits.max(power);
        }
        if rest != Natural::one() {
            return None;
        }
        let scaled = num.mul(&Natural::power_of_ten(digits)).div_rem(&den).0;
        Some(signed(sign, &point(&scaled.to_string(), digits)))
    }

    /// Every digit: the decimal where it ends, else the fraction and its first digits.
    #[must_use]
    pub fn digits(&self) -> String {
        self.terminating().unwrap_or_else(|| {
            const SHOWN: usize = 18;
            let (sign, num, den) = self.parts();
            let scaled = num.mul(&Natural::power_of_ten(SHOWN)).div_rem(&den).0;
            let start = signed(sign, &point(&scaled.to_string(), SHOWN));
            format!("{self} = {start}…")
        })
    }
}

fn signed(sign: Sign, digits: &str) -> String {
    if sign == Sign::Minus { format!("-{digits}") } else { digits.to_owned() }
}

/// Sets the point before the last `fraction` digits.
fn point(digits: &str, fraction: usize) -> String {
    if fraction == 0 {
        return digits.to_owned();
    }
    let padded = format!("{digits:0>width$}", width = fraction + 1);
    let (integer, rest) = padded.split_at(padded.len() - fraction);
    format!("{integer}.{rest}")
}

fn shared(a: I256, b: I256) -> I256 {
    I256::try_from(gcd(a.unsigned_abs(), b.unsigned_abs())).unwrap_or(I256::ONE)
}

/// The greatest common divisor; one when both are zero, so that it can always divide.
fn gcd(mut a: U256, mut b: U256) -> U256 {
    while b != U256::ZERO {
        (a, b) = match (u128::try_from(a), u128::try_from(b)) {
            (Ok(a), Ok(b)) => (U256::from(b), U256::from(a % b)),
            _ => (b, a % b),
        };
    }
    a.max(U256::ONE)
}

impl From<Decimal> for Rational {
    fn from(value: Decimal) -> Self {
        let den = 10_i128.checked_pow(u32::from(value.scale())).unwrap_or(i128::MAX);
        Self::new(value.mantissa(), den).unwrap_or(Self::ZERO)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        let difference = self.minus(other);
        if difference.is_zero() {
            Ordering::Equal
        } else if difference.is_negative() {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }
}

impl fmt::Display for Rational {
    /// `12`, or `1/3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, num, den) = self.parts();
        f.write_str(&signed(sign, &num.to_string()))?;
        if den == Natural::one() { Ok(()) } else { write!(f, "/{den}") }
    }
}
impl fmt::Debug for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What one unit of a quantity weighs, made ready to be multiplied by many quantities.
///
/// Nearly every rate fits machine integers once 10¹² is folded in; then a row costs one
/// multiplication and one division. The others take the exact way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    exact: Rational,
    quick: Option<(i128, u128)>,
}

impl Rate {
    /// So many kilograms per unit.
    #[must_use]
    pub fn new(per_unit: Rational) -> Self {
        let folded = per_unit.times(&Rational::power_of_ten(i32::from(Mass::SCALE)));
        let quick = match folded.0 {
            Repr::Small { num, den } => i128::try_from(num).ok().zip(u128::try_from(den).ok()),
            Repr::Large { .. } => None,
        };
        Self { exact: per_unit, quick }
    }

    /// Kilograms per unit, exactly.
    #[must_use]
    pub const fn exact(&self) -> &Rational {
        &self.exact
    }

    /// The mass of this quantity, rounded once; `None` when it is above what is kept exactly.
    #[must_use]
    pub fn mass(&self, quantity: Decimal) -> Option<Mass> {
        self.quickly(quantity).or_else(|| Rational::from(quantity).times(&self.exact).to_mass())
    }

    fn quickly(&self, quantity: Decimal) -> Option<Mass> {
        let (num, den) = self.quick?;
        let size = quantity.mantissa().unsigned_abs().checked_mul(num.unsigned_abs())?;
        let den = 10_u128.checked_pow(u32::from(quantity.scale()))?.checked_mul(den)?;
        let (whole, rest) = (size / den, size % den);
        let up = match rest.cmp(&(den - rest)) {
            Ordering::Less => 0,
            Ordering::Equal => whole & 1,
            Ordering::Greater => 1,
        };
        let size = i128::try_from(whole.checked_add(up)?).ok()?;
        let negative = (num < 0) != quantity.is_negative();
        Some(Mass::from_units(if negative { -size } else { size }))
    }
}

#[cfg(test)]
mod tests;
