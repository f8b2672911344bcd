//! Exact decimals as people send them, and exact masses as Envora keeps them.
//!
//! A [`Decimal`] keeps its trailing zeros: it is the number *as sent*. A [`Mass`] is an integer count
//! of 10⁻¹² kg, the one unit in which emissions are rounded, stored and added.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Digits before the point that a quantity may have.
pub const INTEGER_DIGITS_MAX: usize = 20;
/// Digits after the point that a quantity may have.
pub const FRACTION_DIGITS_MAX: usize = 18;

/// An exact decimal: `mantissa / 10^scale`, at most 38 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

/// Why a text is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
    #[error(
        "a number is digits with at most one point, such as 1234.5: no exponent, sign +, leading zeros or blanks"
    )]
    NotANumber,
    /// More digits than are kept exactly.
    #[error(
        "a number has at most 20 digits before the point and 18 after it; it is never rounded on the way in"
    )]
    TooManyDigits,
}

impl Decimal {
    /// Zero, without a fraction.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// `mantissa / 10^scale`, or `None` when the scale is above 38.
    #[must_use]
    pub const fn new(mantissa: i128, scale: u8) -> Option<Self> {
        if scale <= 38 { Some(Self { mantissa, scale }) } else { None }
    }

    /// The integer, scaled.
    #[must_use]
    pub const fn mantissa(&self) -> i128 {
        self.mantissa
    }

    /// Digits after the point.
    #[must_use]
    pub const fn scale(&self) -> u8 {
        self.scale
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// Reads a quantity: `-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?`. `-0` is `0`.
    ///
    /// # Errors
    /// [`DecimalError`]; nothing is ever rounded or guessed.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        match Self::parse_short(text.as_bytes()) {
            Some(value) => Ok(value),
            None => Self::parse_within(text, INTEGER_DIGITS_MAX, FRACTION_DIGITS_MAX),
        }
    }

    /// Reads what nearly all quantities are: so few digits that no product can overflow. Nothing for
    /// all else, good or bad.
    fn parse_short(text: &[u8]) -> Option<Self> {
        let (sign, digits) = match text {
            [b'-', digits @ ..] => (-1, digits),
            digits => (1, digits),
        };
        if digits.len() > 18 {
            return None;
        }
        let (mut mantissa, mut point) = (0_i64, None);
        for (place, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() => point = Some(place),
                _ => return None,
            }
        }
        let integer = point.unwrap_or(digits.len());
        let leading_zero = integer > 1 && digits.first() == Some(&b'0');
        if integer == 0 || leading_zero || integer + 1 == digits.len() && point.is_some() {
            return None;
        }
        let scale = point.map_or(0, |place| digits.len() - place - 1);
        Some(Self { mantissa: i128::from(sign * mantissa), scale: u8::try_from(scale).ok()? })
    }

    /// The number as text, on the stack.
    #[must_use]
    pub fn text(self) -> DecimalText {
        DecimalText::of(self.mantissa, usize::from(self.scale))
    }

    /// Reads a published factor: up to 38 digits in all, exponents allowed (`4.04e-01`).
    ///
    /// # Errors
    /// [`DecimalError`].
    pub fn parse_factor(text: &str) -> Result<Self, DecimalError> {
        let (number, exponent) = match text.find(['e', 'E']) {
            None => return Self::parse_within(text, 38, 38),
            Some(at) => {
                let (number, rest) = text.split_at(at);
                let exponent: i32 = rest[1..]
                    .strip_prefix('+')
                    .unwrap_or(&rest[1..])
                    .parse()
                    .map_err(|_| DecimalError::NotANumber)?;
                (Self::parse_within(number, 38, 38)?, exponent)
            }
        };
        let scale = i32::from(number.scale) - exponent;
        if scale >= 0 {
            let scale = u8::try_from(scale).map_err(|_| DecimalError::TooManyDigits)?;
            return Self::new(number.mantissa, scale).ok_or(DecimalError::TooManyDigits);
        }
        let factor = u32::try_from(-scale).ok().and_then(|power| 10_i128.checked_pow(power));
        let mantissa = factor.and_then(|factor| number.mantissa.checked_mul(factor));
        mantissa.map(|mantissa| Self { mantissa, scale: 0 }).ok_or(DecimalError::TooManyDigits)
    }

    fn parse_within(
        text: &str,
        integer_max: usize,
        fraction_max: usize,
    ) -> Result<Self, DecimalError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (integer, fraction) =
            unsigned.split_once('.').map_or((unsigned, None), |(i, f)| (i, Some(f)));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        if !digits(integer) || leading_zero || fraction.is_some_and(|part| !digits(part)) {
            return Err(DecimalError::NotANumber);
        }
        let fraction = fraction.unwrap_or("");
        let too_long = integer.len() > integer_max || fraction.len() > fraction_max;
        if too_long || integer.len() + fraction.len() > 38 + usize::from(integer == "0") {
            return Err(DecimalError::TooManyDigits);
        }
        let magnitude = integer
            .bytes()
            .chain(fraction.bytes())
            .try_fold(0_i128, |value, byte| {
                value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))
            })
            .ok_or(DecimalError::TooManyDigits)?;
        let mantissa = if unsigned.len() < text.len() { -magnitude } else { magnitude };
        let scale = u8::try_from(fraction.len()).map_err(|_| DecimalError::TooManyDigits)?;
        Ok(Self { mantissa, scale })
    }

    /// The same number without trailing zeros after the point.
    #[must_use]
    pub const fn normalized(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        // Nearly every number is a machine word, which is divided at a tenth of the price.
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
        let mut word = mantissa as i64;
        if word as i128 == mantissa {
            while scale > 0 && word % 10 == 0 {
                word /= 10;
                scale -= 1;
            }
            return Self { mantissa: word as i128, scale };
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The longest text of a decimal: 39 digits, a zero before them, a sign and a point.
const TEXT_BYTES_MAX: usize = 48;

/// A decimal as text: a sign where it is below zero, digits, a point where there are digits after it.
#[derive(Clone, Copy)]
pub struct DecimalText {
    bytes: [u8; TEXT_BYTES_MAX],
    start: usize,
}

impl DecimalText {
    fn of(mantissa: i128, scale: usize) -> Self {
        let mut text = Self { bytes: [0; TEXT_BYTES_MAX], start: TEXT_BYTES_MAX };
        let mut rest = mantissa.unsigned_abs();
        let mut written = 0;
        while u64::try_from(rest).is_err() {
            text.digit(u8::try_from(rest % 10).unwrap_or(0), (&mut written, scale));
            rest /= 10;
        }
        let mut rest = u64::try_from(rest).unwrap_or(0);
        while rest > 0 || written <= scale {
            text.digit(u8::try_from(rest % 10).unwrap_or(0), (&mut written, scale));
            rest /= 10;
        }
        if mantissa < 0 {
            text.put(b'-');
        }
        text
    }

    /// Puts a digit before those that are there, and the point before it where it is due.
    fn digit(&mut self, digit: u8, (written, scale): (&mut usize, usize)) {
        if *written == scale && scale > 0 {
            self.put(b'.');
        }
        self.put(b'0' + digit);
        *written += 1;
    }

    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[self.start..]).unwrap_or_default()
    }
}

/// A mass, or a mass of CO2 equivalent: an integer count of 10⁻¹² kg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mass(i128);

impl Mass {
    /// No mass.
    pub const ZERO: Self = Self(0);
    /// Digits after the point of a kilogram.
    pub const SCALE: u8 = 12;

    /// So many 10⁻¹² kg.
    #[must_use]
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// How many 10⁻¹² kg.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The sum, or `None` when it is above what is kept exactly.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Kilograms as the API prints them: no exponent, no trailing zeros.
    #[must_use]
    pub fn kg(self) -> String {
        Decimal { mantissa: self.0, scale: Self::SCALE }.normalized().to_string()
    }

    /// Kilograms from what [`Mass::kg`] prints.
    ///
    /// # Errors
    /// [`DecimalError`] when it is no number or finer than 10⁻¹² kg.
    pub fn parse_kg(text: &str) -> Result<Self, DecimalError> {
        let value = Decimal::parse_within(text, 26, usize::from(Self::SCALE))?;
        let power = 10_i128.pow(u32::from(Self::SCALE - value.scale));
        value.mantissa.checked_mul(power).map(Self).ok_or(DecimalError::TooManyDigits)
    }

    /// Tonnes for people: rounded half-even to `digits` after the point, thousands set apart.
    #[must_use]
    pub fn tonnes(self, digits: u8) -> String {
        let digits = digits.min(15);
        let step = 10_i128.pow(u32::from(15 - digits));
        let (quotient, rest) = (self.0.div_euclid(step), self.0.rem_euclid(step));
        let up = rest * 2 > step || (rest * 2 == step && quotient % 2 != 0);
        let rounded = Decimal { mantissa: quotient + i128::from(up), scale: digits }.to_string();
        group_thousands(&rounded)
    }
}

/// A number and the word for so many, such as `1 row` and `1,234 rows`.
#[must_use]
pub fn count_of(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", group_thousands(&number.to_string()))
}

/// `1234567.8` as `1,234,567.8`.
#[must_use]
pub fn group_thousands(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (integer, fraction) = number.split_once('.').map_or((number, ""), |(i, f)| (i, f));
    let mut text = String::from(sign);
    for (place, digit) in integer.chars().enumerate() {
        if place > 0 && (integer.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

impl Add for Mass {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for Mass {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sub for Mass {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl SubAssign for Mass {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Neg for Mass {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl core::iter::Sum for Mass {
    fn sum<I: Iterator<Item = Self>>(masses: I) -> Self {
        masses.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<&str, DecimalError>) {
        assert_eq!(
            Decimal::parse(text).map(|value| value.to_string()),
            want.map(str::to_owned),
            "{text:?}"
        );
    }

    #[test]
    fn quantities_are_read_exactly_or_refused() {
        check("372.4", Ok("372.4"));
        check("372.400", Ok("372.400"));
        check("-0", Ok("0"));
        check("-0.00", Ok("0.00"));
        check("-12.5", Ok("-12.5"));
        check("0.000000000000000001", Ok("0.000000000000000001"));
        check(
            "99999999999999999999.999999999999999999",
            Ok("99999999999999999999.999999999999999999"),
        );
        for text in [
            "", "-", ".5", "1.", "+1", "01", "1e3", "1,5", " 1", "1 ", "NaN", "inf", "1\n", "٣",
            "--1", "1.2.3",
        ] {
            check(text, Err(DecimalError::NotANumber));
        }
        check("100000000000000000000", Err(DecimalError::TooManyDigits));
        check("0.0000000000000000001", Err(DecimalError::TooManyDigits));
        check(&"9".repeat(40), Err(DecimalError::TooManyDigits));
    }

    #[test]
    fn texts_are_those_of_the_digits() {
        let seeds = [0, 1, -1, 9, -10, 12_345, i128::from(u64::MAX), i128::from(u64::MAX) + 1];
        let seeds = seeds.into_iter().chain([i128::MAX, -i128::MAX, 10_i128.pow(38)]);
        for (mantissa, scale) in seeds.flat_map(|seed| (0..=38).map(move |scale| (seed, scale))) {
            let digits = format!("{:0>1$}", mantissa.unsigned_abs(), usize::from(scale) + 1);
            let (integer, fraction) = digits.split_at(digits.len() - usize::from(scale));
            let (sign, point) =
                (if mantissa < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
            let value = Decimal::new(mantissa, scale).expect("a scale that is kept");
            assert_eq!(value.to_string(), format!("{sign}{integer}{point}{fraction}"));
        }
    }

    #[test]
    fn short_numbers_are_read_like_all_others() {
        let letters = ["", "0", "1", "9", "00", ".", "-", "-.", "12", "10.", ".50", "1.0", "x"];
        for (a, b) in letters.iter().flat_map(|a| letters.iter().map(move |b| (a, b))) {
            for c in ["", "7", ".", "0000000000000000", "123456789.12345678"] {
                let text = format!("{a}{b}{c}");
                let within = Decimal::parse_within(&text, INTEGER_DIGITS_MAX, FRACTION_DIGITS_MAX);
                assert_eq!(Decimal::parse(&text), within, "{text:?}");
            }
        }
    }

    #[test]
    fn published_factors_may_have_exponents() {
        let read = |text: &str| Decimal::parse_factor(text).map(|value| value.to_string());
        assert_eq!(read("7e-05"), Ok("0.00007".to_owned()));
        assert_eq!(read("4.04e-01"), Ok("0.404".to_owned()));
        assert_eq!(read("1.5E+3"), Ok("1500".to_owned()));
        assert_eq!(read("0.0035205384954666674"), Ok("0.0035205384954666674".to_owned()));
        assert_eq!(read("1e99"), Err(DecimalError::TooManyDigits));
        assert_eq!(read("1e"), Err(DecimalError::NotANumber));
    }

    #[test]
    fn masses_print_and_round_for_people() {
        let mass = Mass::parse_kg("72.014712").expect("a mass");
        assert_eq!(mass.units(), 72_014_712_000_000);
        assert_eq!(mass.kg(), "72.014712");
        assert_eq!(mass.tonnes(3), "0.072");
        assert_eq!(Mass::parse_kg("1234567890.5").expect("a mass").tonnes(2), "1,234,567.89");
        assert_eq!(Mass::parse_kg("500").expect("a mass").tonnes(0), "0");
        assert_eq!(Mass::parse_kg("1500").expect("a mass").tonnes(0), "2");
        assert_eq!(Mass::parse_kg("-1500").expect("a mass").tonnes(0), "-2");
        assert_eq!(Mass::ZERO.kg(), "0");
    }

    /// By way of the standard library's digits, as numbers were written from the first.
    fn written(mantissa: i128, scale: usize) -> String {
        let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
        let (integer, fraction) = digits.split_at(digits.len() - scale);
        let sign = if mantissa < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{integer}{point}{fraction}")
    }

    proptest::proptest! {
        #[test]
        fn every_number_is_written_and_shortened_to_the_digit(
            wide in proptest::prelude::any::<i128>(), shift in 0_u32..128, scale in 0_u8..=38,
            zeros in 0_u32..12,
        ) {
            let mantissa = (wide >> shift).checked_mul(10_i128.pow(zeros)).unwrap_or(wide);
            let number = Decimal::new(mantissa, scale).expect("a decimal");
            proptest::prop_assert_eq!(number.to_string(), written(mantissa, scale.into()));
            let short = number.normalized();
            let factor = 10_i128.pow(u32::from(scale - short.scale()));
            proptest::prop_assert_eq!(short.mantissa() * factor, mantissa);
            proptest::prop_assert!(short.scale() == 0 || short.mantissa() % 10 != 0);
        }
    }

    #[test]
    fn the_widest_numbers_are_written_whole() {
        for mantissa in [i128::MIN, i128::MAX, 0, -1, i128::from(u64::MAX), i128::from(i64::MIN)] {
            for scale in [0, 1, 18, 38] {
                let number = Decimal::new(mantissa, scale).expect("a decimal");
                assert_eq!(number.to_string(), written(mantissa, scale.into()));
            }
        }
    }
}
