//! Numbers as a file writes them, and exact scales. A style is declared, never guessed.

use std::borrow::Cow;

use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::decimal::{Decimal, FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX};
use envora_domain::rational::Rational;

/// The signs of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberStyle {
    /// Before the fraction.
    pub decimal: char,
    /// Between groups of three digits.
    pub group: Option<char>,
}

impl Default for NumberStyle {
    fn default() -> Self {
        Self { decimal: '.', group: None }
    }
}

impl NumberStyle {
    /// The number as Envora writes it: point, no groups.
    ///
    /// # Errors
    /// `not_a_number` when groups are not of three digits, or the other style's signs are in it.
    pub fn plain<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, RowProblem> {
        if *self == Self::default() {
            return Ok(Cow::Borrowed(text));
        }
        let (integer, fraction) =
            text.split_once(self.decimal).map_or((text, None), |(i, f)| (i, Some(f)));
        let digits = self.ungrouped(integer).filter(|digits| !digits.contains('.'));
        let fraction_good =
            fraction.is_none_or(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        match (digits, fraction) {
            (Some(digits), Some(fraction)) if fraction_good => {
                Ok(Cow::Owned(format!("{digits}.{fraction}")))
            }
            (Some(digits), None) => Ok(digits),
            _ => Err(self.refusal(text)),
        }
    }

    /// What is wrong with a number, told of the cell as the file has it and in the file's own signs.
    #[must_use]
    pub fn retold(&self, cell: &str, plain: &str, problem: RowProblem) -> RowProblem {
        if *self == Self::default() {
            return problem;
        }
        let shown = |text: &str| format!("{:?}", text.chars().take(40).collect::<String>());
        let mut problem = problem.value(cell);
        problem.detail = problem.detail.replacen(&shown(plain), &shown(cell), 1);
        problem.hint = problem.hint.map(|hint| {
            let hint = hint.replacen(&shown(plain), &shown(cell), 1);
            let hint = hint.replace("1234.5", &format!("1234{}5", self.decimal));
            hint.replace("one point", &format!("one {:?}", self.decimal))
        });
        problem
    }

    /// The digits without group signs; `None` when a group has not three digits.
    fn ungrouped<'a>(&self, integer: &'a str) -> Option<Cow<'a, str>> {
        let Some(group) = self.group else { return Some(Cow::Borrowed(integer)) };
        let is_group =
            |sign: char| sign == group || (group == ' ' && matches!(sign, '\u{a0}' | '\u{202f}'));
        if !integer.contains(is_group) {
            return Some(Cow::Borrowed(integer));
        }
        let unsigned = integer.strip_prefix('-').unwrap_or(integer);
        let mut groups = unsigned.split(is_group);
        let first = groups.next()?;
        let whole = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
        whole.then(|| Cow::Owned(integer.chars().filter(|sign| !is_group(*sign)).collect()))
    }

    fn refusal(&self, text: &str) -> RowProblem {
        let shown: String = text.chars().take(40).collect();
        let group = self.group.map_or_else(String::new, |sign| format!(", groups by {sign:?}"));
        RowProblem::new(
            RowCode::NotANumber,
            "",
            format!(
                "{shown:?} is no number with decimal sign {:?}{group}, as the mapping declares",
                self.decimal
            ),
        )
        .value(text)
        .hint("correct the cell, or the column's `decimal` and `group` in the mapping")
    }
}

/// An exact factor that a column is multiplied with, written as a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(Decimal);

impl Scale {
    /// Reads `1000`, `0.001` or `1/1000`; the number must terminate.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let exact = Rational::parse(text)?;
        let digits = exact.terminating()?;
        Decimal::parse(&digits).ok().filter(|scale| !scale.is_zero()).map(Self)
    }

    /// The product, trailing zeros kept as far as they fit.
    ///
    /// # Errors
    /// `too_many_digits` when it does not fit 20 + 18 digits.
    pub fn times(&self, value: Decimal) -> Result<Decimal, RowProblem> {
        let too_many = || {
            RowProblem::new(
                RowCode::TooManyDigits,
                "",
                format!("{value} times the scale {} has more than 20 + 18 digits", self.0),
            )
            .hint("name a larger unit in the mapping instead of scaling")
        };
        let mut mantissa = value.mantissa().checked_mul(self.0.mantissa()).ok_or_else(too_many)?;
        let mut scale = value.scale() + self.0.scale();
        while usize::from(scale) > FRACTION_DIGITS_MAX && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        let integer_max = 10_i128.pow(u32::try_from(INTEGER_DIGITS_MAX).unwrap_or(20));
        let integer = mantissa / 10_i128.checked_pow(u32::from(scale)).ok_or_else(too_many)?;
        if usize::from(scale) > FRACTION_DIGITS_MAX || integer.abs() >= integer_max {
            return Err(too_many());
        }
        Decimal::new(mantissa, scale).ok_or_else(too_many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: NumberStyle, text: &str, want: Option<&str>) {
        assert_eq!(style.plain(text).ok().as_deref(), want, "{text:?}");
    }

    #[test]
    fn styles_are_read_as_declared_or_refused() {
        let german = NumberStyle { decimal: ',', group: Some('.') };
        check(german, "1.528,53700", Some("1528.53700"));
        check(german, "-1.234.567,8", Some("-1234567.8"));
        check(german, "12,5", Some("12.5"));
        check(german, "1528", Some("1528"));
        check(german, "1.5", None);
        check(german, "12.34,5", None);
        check(german, "1,5,6", None);
        check(german, "1,5e3", None);
        let swiss = NumberStyle { decimal: '.', group: Some('\'') };
        check(swiss, "1'234.50", Some("1234.50"));
        let french = NumberStyle { decimal: ',', group: Some(' ') };
        check(french, "1\u{a0}234,5", Some("1234.5"));
        check(french, "1\u{202f}234", Some("1234"));
        let comma = NumberStyle { decimal: ',', group: None };
        check(comma, "1.234", None);
        check(NumberStyle::default(), "1,5", Some("1,5"));
    }

    #[test]
    fn scales_are_exact_or_refused() {
        let scaled = |scale: &str, value: &str| {
            let scale = Scale::parse(scale).expect("a scale");
            scale.times(Decimal::parse(value).expect("a decimal")).map(|value| value.to_string())
        };
        assert_eq!(scaled("1/1000", "12.50").as_deref(), Ok("0.01250"));
        assert_eq!(scaled("0.25", "4").as_deref(), Ok("1.00"));
        assert_eq!(scaled("1000", "0.5").as_deref(), Ok("500.0"));
        assert_eq!(scaled("-1", "5").as_deref(), Ok("-5"));
        let fine = scaled("0.001", "0.0000000000000001");
        assert_eq!(fine.map_err(|problem| problem.code), Err(RowCode::TooManyDigits));
        let fitting = scaled("0.001", "0.0000000000000100");
        assert_eq!(fitting.as_deref(), Ok("0.000000000000000010"));
        let large = scaled("1000", "99999999999999999999");
        assert_eq!(large.map_err(|problem| problem.code), Err(RowCode::TooManyDigits));
        for text in ["1/3", "0", "x", ""] {
            assert_eq!(Scale::parse(text), None, "{text}");
        }
    }
}
