use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;

fn rational(text: &str) -> Rational {
    Rational::parse(text).expect("a rational")
}

/// The reference: a fraction of big integers, never reduced.
#[derive(Clone)]
struct Reference {
    num: BigInt,
    den: BigInt,
}

impl Reference {
    fn equals(&self, value: &Rational) -> bool {
        let text = value.to_string();
        let (num, den) = text.split_once('/').unwrap_or((&text, "1"));
        let read = |text: &str| text.parse::<BigInt>().expect("digits");
        &self.num * read(den) == read(num) * &self.den
    }

    fn rounded(&self, scale: u32) -> BigInt {
        let (num, den) = (&self.num * BigInt::from(10).pow(scale), self.den.clone());
        let (num, den) = if den < BigInt::ZERO { (-num, -den) } else { (num, den) };
        let twice: BigInt = &num * 2 + &den;
        let twice_den: BigInt = &den * 2;
        // floor((2n + d) / 2d), one less on a tie that went to an odd number.
        let mut floor: BigInt = &twice / &twice_den;
        if &floor * &twice_den > twice {
            floor -= 1;
        }
        let tie = &floor * &twice_den == twice;
        if tie && floor.bit(0) { floor - 1 } else { floor }
    }
}

fn operand() -> impl Strategy<Value = (i128, i128)> {
    let wide = (any::<i128>(), any::<i128>());
    let narrow = (-1000_i128..1000, 1_i128..1000);
    prop_oneof![wide, narrow.clone(), (any::<i128>(), 1_i128..1000)]
        .prop_filter("a denominator", |(_, den)| *den != 0)
}

proptest! {
    #[test]
    fn chains_of_steps_agree_with_big_integers(
        start in operand(),
        steps in prop::collection::vec((0_u8..4, operand()), 0..6),
    ) {
        let mut value = Rational::new(start.0, start.1).expect("not zero");
        let mut reference = Reference { num: start.0.into(), den: start.1.into() };
        for (step, (num, den)) in steps {
            let other = Rational::new(num, den).expect("not zero");
            let (n, d) = (BigInt::from(num), BigInt::from(den));
            let Reference { num: a, den: b } = reference.clone();
            match step {
                0 => (value, reference) = (value.plus(&other), Reference { num: a * &d + n * &b, den: b * d }),
                1 => (value, reference) = (value.minus(&other), Reference { num: a * &d - n * &b, den: b * d }),
                2 => (value, reference) = (value.times(&other), Reference { num: a * n, den: b * d }),
                _ => match value.over(&other) {
                    None => prop_assert_eq!(num, 0),
                    Some(quotient) => (value, reference) = (quotient, Reference { num: a * d, den: b * n }),
                },
            }
            prop_assert!(reference.equals(&value), "{value}");
            prop_assert_eq!(Rational::parse(&value.to_string()), Some(value.clone()));
        }
        let rounded = reference.rounded(12);
        prop_assert_eq!(value.round_half_even(12), i128::try_from(rounded).ok());
    }

    #[test]
    fn rates_round_as_the_exact_way_does(
        mantissa in any::<i128>(), scale in 0_u8..=38, rate in operand(),
    ) {
        let quantity = Decimal::new(mantissa, scale).expect("a decimal");
        let rate = Rate::new(Rational::new(rate.0, rate.1).expect("not zero"));
        let exact = Rational::from(quantity).times(rate.exact());
        prop_assert_eq!(rate.mass(quantity), exact.to_mass());
    }

    #[test]
    fn rates_agree_with_big_integers(
        mantissa in -1_000_000_000_000_i128..1_000_000_000_000, scale in 0_u8..=18,
        num in -100_000_i128..100_000, den in 1_i128..100_000,
    ) {
        let quantity = Decimal::new(mantissa, scale).expect("a decimal");
        let rate = Rate::new(Rational::new(num, den).expect("not zero"));
        let reference = Reference {
            num: BigInt::from(mantissa) * num,
            den: BigInt::from(den) * BigInt::from(10).pow(u32::from(scale)),
        };
        let mass = rate.mass(quantity).map(Mass::units);
        prop_assert_eq!(mass, i128::try_from(reference.rounded(12)).ok());
    }
}

#[test]
fn ties_go_to_the_even_neighbour() {
    for (value, want) in [("0.5", 0), ("1.5", 2), ("2.5", 2), ("-0.5", 0), ("-1.5", -2), ("7/3", 2)]
    {
        assert_eq!(rational(value).round_half_even(0), Some(want), "{value}");
    }
    let rate = Rate::new(rational("0.0000000000005"));
    let quantity = |text: &str| Decimal::parse(text).expect("a decimal");
    assert_eq!(rate.mass(quantity("1")).map(Mass::units), Some(0));
    assert_eq!(rate.mass(quantity("3")).map(Mass::units), Some(2));
    assert_eq!(rate.mass(quantity("-3")).map(Mass::units), Some(-2));
}

#[test]
fn the_widest_numbers_do_not_panic() {
    let widest = Rational::new(i128::MIN, 1).expect("a rational");
    let mut value = widest.clone();
    for _ in 0..12 {
        value = value.times(&widest);
    }
    assert_eq!(value.round_half_even(12), None);
    assert_eq!(value.over(&value), Some(Rational::ONE));
    assert!(value.minus(&value).is_zero());
    assert!(widest.is_negative() && widest < Rational::ZERO);
    assert_eq!(Rational::new(1, 0), None);
    assert_eq!(Rational::ZERO.recip(), None);
    assert_eq!(Rational::parse("1/0"), None);
    assert_eq!(widest.recip().and_then(|value| value.recip()), Some(widest));
}

#[test]
fn digits_are_printed_to_the_last() {
    assert_eq!(rational("5/8").digits(), "0.625");
    assert_eq!(rational("-1/40").digits(), "-0.025");
    assert_eq!(rational("1/3").digits(), "1/3 = 0.333333333333333333…");
    assert_eq!(rational("1200").digits(), "1200");
    assert_eq!(Rational::ZERO.digits(), "0");
}
