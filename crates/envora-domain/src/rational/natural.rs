//! Whole numbers of any length: the way round for the rare step that 256 bits do not hold.
//!
//! Plain schoolbook methods; correctness is what counts here, speed is [`Rate`](super::Rate)'s.

use core::cmp::Ordering;
use core::fmt;

use ethnum::U256;

/// Limbs of 32 bits, the lowest first, without zeros at the top.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Natural(Vec<u32>);

/// The low 32 bits.
fn low(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0)
}

impl Natural {
    fn trimmed(mut limbs: Vec<u32>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }

    pub(super) fn one() -> Self {
        Self(vec![1])
    }

    pub(super) fn from_u32(value: u32) -> Self {
        Self::trimmed(vec![value])
    }

    pub(super) fn from_u256(value: U256) -> Self {
        let bytes = value.to_le_bytes();
        Self::trimmed(
            bytes.as_chunks::<4>().0.iter().map(|limb| u32::from_le_bytes(*limb)).collect(),
        )
    }

    pub(super) fn to_u256(&self) -> Option<U256> {
        let mut bytes = [0_u8; 32];
        if self.0.len() > 8 {
            return None;
        }
        for (place, limb) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(&self.0) {
            *place = limb.to_le_bytes();
        }
        Some(U256::from_le_bytes(bytes))
    }

    pub(super) fn power_of_ten(power: usize) -> Self {
        (0..power).fold(Self::one(), |value, _| value.mul(&Self(vec![10])))
    }

    /// A whole number with a sign: whether it is negative, and its size.
    pub(super) fn parse_signed(text: &str) -> Option<(bool, Self)> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || digits.len() > 2000 {
            return None;
        }
        let size = digits.bytes().try_fold(Self(Vec::new()), |value, byte| {
            let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
            Some(value.mul(&Self(vec![10])).add(&Self::from_u32(digit)))
        })?;
        Some((digits.len() < text.len() && !size.is_zero(), size))
    }

    pub(super) const fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_odd(&self) -> bool {
        self.0.first().is_some_and(|limb| limb & 1 == 1)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let mut carry = 0_u64;
        let limbs = self.0.len().max(other.0.len()) + 1;
        let at = |limbs: &[u32], place: usize| u64::from(limbs.get(place).copied().unwrap_or(0));
        let sum = (0..limbs).map(|place| {
            carry += at(&self.0, place) + at(&other.0, place);
            let limb = low(carry);
            carry >>= 32;
            limb
        });
        Self::trimmed(sum.collect())
    }

    /// The difference; the other is not larger.
    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut borrow = 0_i64;
        let difference = self.0.iter().enumerate().map(|(place, limb)| {
            let taken = i64::from(other.0.get(place).copied().unwrap_or(0));
            let value = i64::from(*limb) - taken + borrow;
            borrow = value >> 32;
            low(value.cast_unsigned())
        });
        Self::trimmed(difference.collect())
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        let mut limbs = vec![0_u32; self.0.len() + other.0.len()];
        for (start, a) in self.0.iter().enumerate() {
            let mut carry = 0_u64;
            for (place, b) in (start..).zip(other.0.iter().chain([&0])) {
                let Some(limb) = limbs.get_mut(place) else { break };
                carry += u64::from(*limb) + u64::from(*a) * u64::from(*b);
                *limb = low(carry);
                carry >>= 32;
            }
        }
        Self::trimmed(limbs)
    }

    /// Twice itself, plus a bit.
    fn doubled_with(&mut self, bit: u32) {
        let mut carry = bit;
        for limb in &mut self.0 {
            let top = *limb >> 31;
            *limb = *limb << 1 | carry;
            carry = top;
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Quotient and remainder; by zero, zero and itself.
    pub(super) fn div_rem(&self, by: &Self) -> (Self, Self) {
        if by.is_zero() {
            return (Self(Vec::new()), self.clone());
        }
        let mut quotient = vec![0_u32; self.0.len()];
        let mut rest = Self(Vec::new());
        for (limb, digit) in self.0.iter().zip(quotient.iter_mut()).rev() {
            for bit in (0..32).rev() {
                rest.doubled_with(limb >> bit & 1);
                if rest.cmp(by) != Ordering::Less {
                    rest = rest.sub(by);
                    *digit |= 1 << bit;
                }
            }
        }
        (Self::trimmed(quotient), rest)
    }

    /// The greatest common divisor; one when both are zero, so that it can always divide.
    pub(super) fn gcd(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.clone(), other.clone());
        while !b.is_zero() {
            let rest = a.div_rem(&b).1;
            (a, b) = (b, rest);
        }
        if a.is_zero() { Self::one() } else { a }
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl fmt::Display for Natural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let (mut rest, mut groups) = (self.clone(), Vec::new());
        while !rest.is_zero() {
            let mut carry = 0_u64;
            for limb in rest.0.iter_mut().rev() {
                carry = carry << 32 | u64::from(*limb);
                *limb = low(carry / 1_000_000_000);
                carry %= 1_000_000_000;
            }
            rest = Self::trimmed(rest.0);
            groups.push(carry);
        }
        let mut text = String::new();
        for group in groups.iter().rev() {
            text.push_str(&if text.is_empty() { group.to_string() } else { format!("{group:09}") });
        }
        f.write_str(&text)
    }
}
