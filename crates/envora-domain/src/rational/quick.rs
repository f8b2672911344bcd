//! Quick: a quantity times a rate in machine words, and division by a constant without dividing.
//!
//! A rate and the scale of a quantity make one reduced fraction of 64-bit integers, nearly always.
//! The product then fits 128 bits, and dividing it by the constant is two multiplications with the
//! constant's reciprocal (Möller and Granlund, *Improved division by invariant integers*, 2011). What
//! does not fit takes the general way round, which gives the same digits.

use core::cmp::Ordering;

use super::Rate;
use crate::decimal::{Decimal, Mass};

/// The most digits after the point of a quantity that is worked out here.
pub const SCALE_MAX: u8 = 18;

/// A rate made ready for quantities of one scale.
#[derive(Clone, Copy, Debug)]
pub struct Quick {
    negative: bool,
    num: u64,
    den: u64,
    /// How many bits the denominator is shifted by to have its top bit set.
    shift: u32,
    /// `floor((2^128 - 1) / d) - 2^64` of the shifted denominator.
    reciprocal: u64,
}

/// The upper and the lower half.
const fn halves(value: u128) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = value.to_be_bytes();
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(rest))
}

const fn whole(high: u64, low: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

impl Quick {
    /// The rate for quantities with so many digits after the point; `None` where it does not fit.
    #[must_use]
    pub fn new(rate: &Rate, scale: u8) -> Option<Self> {
        let (num, den) = rate.quick?;
        if scale > SCALE_MAX {
            return None;
        }
        let den = 10_u128.checked_pow(u32::from(scale))?.checked_mul(den)?;
        let shared = gcd(num.unsigned_abs(), den);
        let negative = num < 0;
        let num = u64::try_from(num.unsigned_abs().checked_div(shared)?).ok()?;
        let den = u64::try_from(den.checked_div(shared)?).ok().filter(|den| *den > 0)?;
        let shift = den.leading_zeros();
        let shifted = den << shift;
        let reciprocal = halves(u128::MAX / u128::from(shifted)).1;
        Some(Self { negative, num, den, shift, reciprocal })
    }

    /// The mass of a quantity of this scale, rounded once, half-even; `None` where it does not fit.
    #[must_use]
    pub fn mass(&self, mantissa: i64) -> Option<Mass> {
        let product = u128::from(mantissa.unsigned_abs()) * u128::from(self.num);
        let (quotient, rest) = self.divide(product);
        let up = match rest.cmp(&(self.den - rest)) {
            Ordering::Less => 0,
            Ordering::Equal => quotient & 1,
            Ordering::Greater => 1,
        };
        let size = i128::try_from(quotient.checked_add(up)?).ok()?;
        let negative = self.negative != (mantissa < 0);
        Some(Mass::from_units(if negative { -size } else { size }))
    }

    /// Quotient and remainder of a product by the denominator.
    const fn divide(&self, product: u128) -> (u128, u64) {
        if self.den == 1 {
            return (product, 0);
        }
        let (high, low) = halves(product << self.shift);
        // What the shift pushes out above 128 bits; nothing is shifted by 128.
        let above = if self.shift == 0 { 0 } else { halves(product >> (128 - self.shift)).1 };
        let (upper, rest) = if above == 0 && high < self.den << self.shift {
            (0, high)
        } else {
            self.step(above, high)
        };
        let (lower, rest) = self.step(rest, low);
        (whole(upper, lower), rest >> self.shift)
    }

    /// Divides two words by the shifted denominator, which is above the first of them.
    const fn step(&self, high: u64, low: u64) -> (u64, u64) {
        let divisor = self.den << self.shift;
        let estimate = (self.reciprocal as u128 * high as u128).wrapping_add(whole(high, low));
        let (mut quotient, below) = halves(estimate);
        quotient = quotient.wrapping_add(1);
        let mut rest = low.wrapping_sub(quotient.wrapping_mul(divisor));
        if rest > below {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(divisor);
        }
        if rest >= divisor {
            quotient = quotient.wrapping_add(1);
            rest -= divisor;
        }
        (quotient, rest)
    }
}

/// The mantissa of a quantity, when a machine word holds it.
#[must_use]
pub fn word(quantity: Decimal) -> Option<i64> {
    i64::try_from(quantity.mantissa()).ok()
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Rational;
    use super::*;

    /// Numbers of all widths, the widest and the narrowest as often as others.
    fn wide() -> impl Strategy<Value = i128> {
        (any::<i128>(), 0_u32..128).prop_map(|(number, shift)| number >> shift)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn words_round_as_the_general_way_does(
            mantissa in any::<i64>(), shift in 0_u32..64, scale in 0_u8..=18,
            num in wide(), den in wide(),
        ) {
            let Some(per_unit) = Rational::new(num, den) else { return Ok(()) };
            let mantissa = mantissa >> shift;
            let rate = Rate::new(per_unit);
            let quantity = Decimal::new(i128::from(mantissa), scale).expect("a decimal");
            let general = Rational::from(quantity).times(rate.exact()).to_mass();
            if let Some(quick) = Quick::new(&rate, scale) {
                prop_assert_eq!(quick.mass(mantissa), general);
            }
            prop_assert_eq!(rate.mass(quantity), general);
        }

        #[test]
        fn a_product_is_divided_as_the_machine_divides(
            num in any::<u64>(), mantissa in any::<i64>(), den in 1_u64..,
            narrow in 0_u32..64, small in 0_u32..64,
        ) {
            let (num, den) = (num >> small, (den >> narrow).max(1));
            let shift = den.leading_zeros();
            let reciprocal = halves(u128::MAX / u128::from(den << shift)).1;
            let quick = Quick { negative: false, num, den, shift, reciprocal };
            let product = u128::from(mantissa.unsigned_abs()) * u128::from(num);
            let due = (product / u128::from(den), u64::try_from(product % u128::from(den)).expect("it fits"));
            prop_assert_eq!(quick.divide(product), due);
        }
    }

    /// Factors as they are printed fit: the general way is for others.
    #[test]
    fn a_printed_factor_fits_and_ties_go_to_the_even_neighbour() {
        let rate = |text: &str| Rate::new(Rational::parse(text).expect("a number"));
        for scale in 0..=6 {
            assert!(Quick::new(&rate("0.19338"), scale).is_some(), "{scale} digits");
            assert!(Quick::new(&rate("113/2500000"), scale).is_some(), "{scale} digits");
        }
        let half = Quick::new(&rate("0.0000000000005"), 0).expect("it fits");
        for (mantissa, due) in [(1, 0), (3, 2), (-3, -2), (5, 2), (7, 4), (0, 0)] {
            assert_eq!(half.mass(mantissa).map(Mass::units), Some(due), "{mantissa}");
        }
        assert!(Quick::new(&rate("0.19338"), SCALE_MAX + 1).is_none());
        let least = Quick::new(&rate("1"), 0).expect("it fits");
        assert_eq!(
            least.mass(i64::MIN).map(Mass::units),
            Some(i128::from(i64::MIN) * 10_i128.pow(12))
        );
    }
}
