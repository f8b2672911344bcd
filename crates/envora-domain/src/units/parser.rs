//! Reads unit codes: products, quotients, exponents, brackets, prefixes.
//!
//! Annotations (`{passenger}`) are refused: UCUM gives them no dimension, so that a passenger
//! kilometre would equal a vehicle kilometre.

use super::Dimension;
use super::atoms::{self, Metric};
use crate::rational::Rational;

type Size = (Dimension, Rational);

/// How deep brackets may nest.
const DEPTH_MAX: u8 = 8;
/// The largest exponent.
const EXPONENT_MAX: i8 = 12;

/// The dimension and size of a code, or `None` when it is no unit.
pub(super) fn parse(code: &str) -> Option<Size> {
    let mut parser = Parser { rest: code };
    let size = parser.term(0)?;
    (parser.rest.is_empty() && !size.1.is_zero()).then_some(size)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn eat(&mut self, letter: char) -> bool {
        let after = self.rest.strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn term(&mut self, depth: u8) -> Option<Size> {
        let mut power = if self.eat('/') { -1 } else { 1 };
        let mut product = (Dimension::default(), Rational::ONE);
        loop {
            let factor = self.component(depth)?;
            product = times_power(&product, &factor, power)?;
            power = if self.eat('.') {
                1
            } else if self.eat('/') {
                -1
            } else {
                return Some(product);
            };
        }
    }

    fn component(&mut self, depth: u8) -> Option<Size> {
        if self.eat('(') {
            let inner = if depth < DEPTH_MAX { self.term(depth + 1)? } else { return None };
            return self.eat(')').then_some(inner);
        }
        let ends = |place: &usize| {
            let letter = self.rest.as_bytes().get(*place);
            matches!(letter, None | Some(b'.' | b'/' | b'(' | b')'))
        };
        let end = (0..=self.rest.len()).find(ends)?;
        let (symbol, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        simple(symbol)
    }
}

fn times_power(product: &Size, factor: &Size, power: i8) -> Option<Size> {
    let dimension = product.0.times_power(&factor.0, power)?;
    let step = if power < 0 { factor.1.recip()? } else { factor.1.clone() };
    let size = (0..power.unsigned_abs()).fold(product.1.clone(), |size, _| size.times(&step));
    Some((dimension, size))
}

/// A number, or an atom with its prefix and exponent.
fn simple(symbol: &str) -> Option<Size> {
    if !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_digit()) {
        let short = symbol.len() <= 12 && !symbol.starts_with('0');
        return short.then(|| Some((Dimension::default(), Rational::parse(symbol)?))).flatten();
    }
    atom(symbol).or_else(|| {
        let (symbol, power) = exponent(symbol)?;
        let base = atom(symbol)?;
        times_power(&(Dimension::default(), Rational::ONE), &base, power)
    })
}

/// Splits `m3` into `m` and 3, `10*6` into `10*` and 6, `s-1` into `s` and -1.
fn exponent(symbol: &str) -> Option<(&str, i8)> {
    let digits = symbol.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (name, digits) = symbol.split_at_checked(symbol.len() - digits)?;
    let size: i8 = digits.parse().ok()?;
    let power = (1..=EXPONENT_MAX).contains(&size).then_some(size)?;
    if let Some(name) = name.strip_suffix('-') {
        return Some((name, -power));
    }
    Some((name.strip_suffix('+').unwrap_or(name), power))
}

fn atom(symbol: &str) -> Option<Size> {
    if let Some(atom) = atoms::ALL.iter().find(|atom| atom.code == symbol) {
        return atom.unit();
    }
    let prefixed = atoms::PREFIXES.iter().find_map(|(prefix, power)| {
        let rest = symbol.strip_prefix(prefix)?;
        let known = atoms::ALL.iter();
        let atom =
            known.filter(|atom| atom.metric == Metric::Yes).find(|atom| atom.code == rest)?;
        let (dimension, size) = atom.unit()?;
        Some((dimension, size.times(&Rational::power_of_ten(*power))))
    });
    prefixed.or_else(|| atoms::money(symbol))
}
