//! Sheaves: the bytes of many sums of one month, and several of them read as one.
//!
//! A row comes to a few dozen masses, and those of rows of one choice are nearly in the same proportion
//! to each other. So a sheaf notes the masses of the largest sum of each choice, and of every other sum
//! one mass and by how little the rest are off. The bytes are described in `docs/formats/sheaf.md`.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use envora_domain::decimal::Mass;
use envora_domain::rollups::Pile;
use envora_domain::time::Day;

/// The version of the bytes.
const VERSION: u8 = 1;
const PLAIN: u8 = 0;
const PACKED: u8 = 1;
const LEVEL: i32 = 1;
/// The most that the bytes of a sheaf unpack to.
const BYTES_MAX: u64 = 1 << 30;

/// A sum of a month: where it stands, how its lines are made, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Days since the first of the month.
    pub(crate) day: u32,
    /// The number of the group.
    pub(crate) group: u32,
    /// The number of the group's choice.
    pub(crate) why: u32,
    pub(crate) pile: Pile,
}

impl Sum {
    pub(crate) fn place(&self) -> (u32, u32) {
        (self.day, self.group)
    }
}

/// What the masses of a choice are held against.
#[derive(Default)]
struct Pattern {
    why: u32,
    /// Which mass is told whole.
    told: usize,
    masses: Vec<i128>,
    /// Of each mass, how many 2^-64 of the one that is told it is.
    ratios: Vec<i128>,
}

impl Pattern {
    fn new(why: u32, masses: Vec<i128>) -> Self {
        let size = |mass: &i128| mass.unsigned_abs();
        let largest = masses.iter().map(size).max().unwrap_or_default();
        let told = masses.iter().position(|mass| size(mass) == largest).unwrap_or_default();
        let whole = masses.get(told).copied().unwrap_or_default();
        let ratio = |mass: &i128| match i64::try_from(whole) {
            Ok(whole) if whole != 0 => (mass << 64) / i128::from(whole),
            _ => 0,
        };
        let ratios = masses.iter().map(ratio).collect();
        Self { why, told, masses, ratios }
    }

    /// What a mass would be, were all in proportion. Any number will do, as long as writing and reading
    /// come to the same.
    fn guess(&self, place: usize, whole: i128) -> i128 {
        let ratio = self.ratios.get(place).copied().unwrap_or_default();
        match i64::try_from(whole) {
            Ok(whole) => i128::from(whole).wrapping_mul(ratio).wrapping_add(1 << 63) >> 64,
            Err(_) => 0,
        }
    }
}

/// The bytes of sums, which are in the order of their day and group, each once.
#[cfg(test)]
pub(crate) fn encode(sums: &[Sum]) -> Vec<u8> {
    let mut patterns = Patterns::default();
    patterns.note(sums);
    let mut encoder = Encoder::new(patterns);
    sums.iter().for_each(|sum| encoder.add(sum));
    encoder.finish()
}

/// By choice and how many masses it has, what the masses of others are held against: the largest sum, as
/// its digits tell most of the proportion.
#[derive(Default)]
pub(crate) struct Patterns {
    largest: Vec<(u32, Vec<i128>, u128)>,
    places: HashMap<(u32, usize), usize>,
    last: Option<((u32, usize), usize)>,
}

impl Patterns {
    /// Sees to it that these sums have a pattern.
    pub(crate) fn note(&mut self, sums: &[Sum]) {
        for sum in sums {
            let sizes = sum.pile.masses.iter().map(|mass| mass.units().unsigned_abs());
            self.one(sum.why, (sum.pile.masses.len(), sizes.max().unwrap_or_default()), || {
                sum.pile.masses.iter().map(|mass| mass.units()).collect()
            });
        }
    }

    /// Sees to it that the sums of a sheaf have one.
    pub(crate) fn note_of(&mut self, sheaf: &Sheaf) {
        for pattern in &sheaf.patterns {
            let sizes = pattern.masses.iter().map(|mass| mass.unsigned_abs());
            let size = sizes.max().unwrap_or_default();
            self.one(pattern.why, (pattern.masses.len(), size), || pattern.masses.clone());
        }
    }

    fn one(&mut self, why: u32, (masses, size): (usize, u128), units: impl Fn() -> Vec<i128>) {
        // What is beyond 64 bits is no measure of others.
        let size = if i64::try_from(size).is_ok() { size } else { 0 };
        let next = self.largest.len();
        let place = match self.last {
            Some((key, place)) if key == (why, masses) => place,
            _ => *self.places.entry((why, masses)).or_insert(next),
        };
        self.last = Some(((why, masses), place));
        match self.largest.get_mut(place) {
            Some(known) if known.2 < size => *known = (why, units(), size),
            Some(_) => {}
            None => self.largest.push((why, units(), size)),
        }
    }
}

/// Writes the bytes of a sheaf, one sum after the other.
pub(crate) struct Encoder {
    patterns: Vec<Pattern>,
    places: HashMap<(u32, usize), usize>,
    /// The sums, without what stands before them.
    sums: Vec<u8>,
    count: u64,
    day: u32,
    group: u32,
}

impl Encoder {
    /// Of sums that all have one of these patterns.
    pub(crate) fn new(patterns: Patterns) -> Self {
        let Patterns { largest, places, .. } = patterns;
        let patterns = largest.into_iter().map(|(why, masses, _)| Pattern::new(why, masses));
        let (patterns, sums) = (patterns.collect(), Vec::new());
        Self { patterns, places, sums, count: 0, day: 0, group: 0 }
    }

    /// The next sum, in the order of their day and group, each once.
    pub(crate) fn add(&mut self, sum: &Sum) {
        let Self { patterns, places, sums: bytes, .. } = self;
        write(u128::from(sum.day.wrapping_sub(self.day)), bytes);
        if sum.day != self.day {
            self.group = 0;
        }
        write(u128::from(sum.group.wrapping_sub(self.group)), bytes);
        (self.day, self.group) = sum.place();
        self.count += 1;
        let place = places.get(&(sum.why, sum.pile.masses.len())).copied().unwrap_or_default();
        write(place as u128, bytes);
        write(zigzag(i128::from(sum.pile.count)), bytes);
        let Some(pattern) = patterns.get(place) else { return };
        let whole = sum.pile.masses.get(pattern.told).map_or(0, |mass| mass.units());
        write(zigzag(whole), bytes);
        for (place, mass) in sum.pile.masses.iter().enumerate() {
            if place != pattern.told {
                let off = mass.units().wrapping_sub(pattern.guess(place, whole));
                write(zigzag(off), bytes);
            }
        }
    }

    /// How many sums there are.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// All of it.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.sums.len() + 256);
        bytes.push(PLAIN);
        write(u128::from(VERSION), &mut bytes);
        write(self.patterns.len() as u128, &mut bytes);
        for pattern in &self.patterns {
            write(u128::from(pattern.why), &mut bytes);
            write(pattern.masses.len() as u128, &mut bytes);
            for mass in &pattern.masses {
                write(zigzag(*mass), &mut bytes);
            }
        }
        write(u128::from(self.count), &mut bytes);
        bytes.extend_from_slice(&self.sums);
        let plain = bytes.get(1..).unwrap_or_default();
        match zstd::bulk::compress(plain, LEVEL) {
            Ok(packed) if packed.len() < plain.len() => [&[PACKED], packed.as_slice()].concat(),
            _ => bytes,
        }
    }
}

/// The sums of a sheaf, one after the other.
pub(crate) struct Sheaf {
    bytes: Vec<u8>,
    at: usize,
    left: u64,
    patterns: Vec<Pattern>,
    sum: Sum,
}

impl Sheaf {
    /// Opens the bytes of a sheaf.
    ///
    /// # Errors
    /// They are none.
    pub(crate) fn open(bytes: &[u8]) -> anyhow::Result<Self> {
        let bytes = match bytes.split_first() {
            Some((&PLAIN, plain)) => plain.to_vec(),
            Some((&PACKED, packed)) => unpacked(packed).context("unpack sums")?,
            _ => anyhow::bail!("sums are packed in a way that this program does not know"),
        };
        let mut sheaf = Self { bytes, at: 0, left: 0, patterns: Vec::new(), sum: Sum::default() };
        ensure!(sheaf.small()? == u32::from(VERSION), "sums of another version");
        for _ in 0..sheaf.small()? {
            let (why, count) = (sheaf.small()?, sheaf.small()?);
            let masses = (0..count).map(|_| sheaf.mass()).collect::<anyhow::Result<_>>()?;
            sheaf.patterns.push(Pattern::new(why, masses));
        }
        sheaf.left = sheaf.small()?.into();
        Ok(sheaf)
    }

    /// The next sum, until there are no more.
    fn next(&mut self) -> anyhow::Result<bool> {
        if self.left == 0 {
            ensure!(self.at == self.bytes.len(), "bytes follow the sums");
            return Ok(false);
        }
        self.left -= 1;
        let day = self.small()?;
        if day > 0 {
            self.sum.group = 0;
        }
        self.sum.day = self.sum.day.wrapping_add(day);
        self.sum.group = self.sum.group.wrapping_add(self.small()?);
        let place = usize::try_from(self.small()?)?;
        self.sum.pile.count = i64::try_from(self.mass()?)?;
        let whole = self.mass()?;
        let Self { bytes, at, patterns, sum, .. } = self;
        let pattern = patterns.get(place).context("sums name a choice that they do not tell")?;
        sum.why = pattern.why;
        sum.pile.masses.clear();
        for place in 0..pattern.masses.len() {
            let units = if place == pattern.told {
                whole
            } else {
                pattern.guess(place, whole).wrapping_add(unzigzag(read(bytes, at)?))
            };
            sum.pile.masses.push(Mass::from_units(units));
        }
        Ok(true)
    }

    fn mass(&mut self) -> anyhow::Result<i128> {
        Ok(unzigzag(read(&self.bytes, &mut self.at)?))
    }

    fn small(&mut self) -> anyhow::Result<u32> {
        Ok(u32::try_from(read(&self.bytes, &mut self.at)?)?)
    }
}

fn unpacked(packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let length =
        length.filter(|length| *length <= BYTES_MAX).context("they do not say how long")?;
    Ok(zstd::bulk::decompress(packed, usize::try_from(length)?)?)
}

/// Sums in their order: of a sheaf, or listed.
pub(crate) enum Source {
    /// Of a sheaf.
    Sheaf(Box<Sheaf>),
    /// A list, and the one that it stands at.
    Listed(std::vec::IntoIter<Sum>, Sum),
}

impl From<Sheaf> for Source {
    fn from(sheaf: Sheaf) -> Self {
        Self::Sheaf(Box::new(sheaf))
    }
}

impl From<Vec<Sum>> for Source {
    fn from(sums: Vec<Sum>) -> Self {
        Self::Listed(sums.into_iter(), Sum::default())
    }
}

impl Source {
    const fn sum(&self) -> &Sum {
        match self {
            Self::Sheaf(sheaf) => &sheaf.sum,
            Self::Listed(_, sum) => sum,
        }
    }

    fn next(&mut self) -> anyhow::Result<bool> {
        match self {
            Self::Sheaf(sheaf) => sheaf.next(),
            Self::Listed(sums, sum) => Ok(sums.next().map(|next| *sum = next).is_some()),
        }
    }
}

/// Several sheaves of a month as one: sums of one day and group are added up, and those that come to
/// nothing are left out.
///
/// # Errors
/// Bytes that are no sheaf; a sum above what is kept exactly; what `each` says.
pub(crate) fn merged(
    sources: Vec<Source>,
    mut each: impl FnMut(&Sum) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut going = Vec::with_capacity(sources.len());
    for mut source in sources {
        if source.next()? {
            going.push(source);
        }
    }
    let mut sum = Sum::default();
    loop {
        // The first place there is, the last source that stands there, and whether others do.
        let (mut first, mut last, mut others) = (None, 0, false);
        for (number, source) in going.iter().enumerate() {
            let place = source.sum().place();
            match first {
                Some(first) if place > first => {}
                Some(first) if place == first => (last, others) = (number, true),
                _ => (first, last, others) = (Some(place), number, false),
            }
        }
        let Some(first) = first else { return Ok(()) };
        if others {
            sum.pile.count = 0;
            sum.pile.masses.clear();
            (sum.day, sum.group) = first;
            let at = going.iter().map(Source::sum).filter(|sum| sum.place() == first);
            for one in at {
                sum.why = one.why;
                sum.pile.add(&one.pile).context("add up a sum")?;
            }
        }
        if let Some(shown) = if others { Some(&sum) } else { going.get(last).map(Source::sum) }
            && !shown.pile.is_nothing()
        {
            each(shown)?;
        }
        // From behind, so that what takes the place of an ended one has gone on already.
        for number in (0..=last).rev() {
            let Some(source) = going.get_mut(number) else { continue };
            if source.sum().place() != first {
                continue;
            }
            if source.next()? {
                ensure!(source.sum().place() > first, "sums are not in their order");
            } else {
                going.swap_remove(number);
            }
        }
    }
}

/// The days of a month, from its first.
pub(crate) fn day_in(month: Day, day: u32) -> anyhow::Result<Day> {
    ensure!(day < 31, "a month has no day {}", u64::from(day) + 1);
    Ok(month.plus(i32::try_from(day)?))
}

const fn zigzag(units: i128) -> u128 {
    (units << 1 ^ units >> 127).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u128) -> i128 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// A number in groups of seven bits, the lowest first.
pub(crate) fn write(number: u128, bytes: &mut Vec<u8>) {
    // Nearly all are short.
    let Ok(mut short) = u64::try_from(number) else { return write_long(number, bytes) };
    while short >= 0x80 {
        bytes.push(short.to_le_bytes()[0] | 0x80);
        short >>= 7;
    }
    bytes.push(short.to_le_bytes()[0]);
}

fn write_long(mut left: u128, bytes: &mut Vec<u8>) {
    while left >= 0x80 {
        bytes.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    bytes.push(left.to_le_bytes()[0]);
}

/// The number that begins at a place, which goes on behind it.
pub(crate) fn read(bytes: &[u8], at: &mut usize) -> anyhow::Result<u128> {
    // Nearly all are short.
    let (mut short, mut shift) = (0_u64, 0_u32);
    for (place, byte) in bytes.get(*at..).unwrap_or_default().iter().take(9).enumerate() {
        short |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            *at += place + 1;
            return Ok(short.into());
        }
        shift += 7;
    }
    read_long(bytes, at)
}

fn read_long(bytes: &[u8], at: &mut usize) -> anyhow::Result<u128> {
    let (mut value, mut shift) = (0_u128, 0_u32);
    loop {
        let byte = *bytes.get(*at).context("sums are cut off")?;
        *at += 1;
        let seven = u128::from(byte & 0x7f);
        let lifted = seven.checked_shl(shift).filter(|lifted| lifted >> shift == seven);
        value |= lifted.context("a number is longer than 128 bits")?;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(place: (u32, u32), why: u32, count: i64, units: &[i128]) -> Sum {
        let masses = units.iter().copied().map(Mass::from_units).collect();
        Sum { day: place.0, group: place.1, why, pile: Pile { count, masses } }
    }

    fn decode(bytes: &[u8]) -> anyhow::Result<Vec<Sum>> {
        let mut sheaf = Sheaf::open(bytes)?;
        let mut sums = Vec::new();
        while sheaf.next()? {
            sums.push(sheaf.sum.clone());
        }
        Ok(sums)
    }

    fn of(sheaves: &[&[Sum]]) -> anyhow::Result<Vec<Sum>> {
        let sheaves = sheaves.iter().map(|sums| Sheaf::open(&encode(sums)));
        let mut found = Vec::new();
        let sources = sheaves.map(|sheaf| sheaf.map(Source::from));
        merged(sources.collect::<anyhow::Result<_>>()?, |sum| {
            found.push(sum.clone());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn masses_in_proportion_take_a_byte_each() {
        // What 1,000 meters came to, each in twenty masses of a factor of its own.
        let sums: Vec<Sum> = (1..=1_000)
            .map(|meter| {
                let units = 37_i128 * i128::from(meter) * i128::from(meter) * 1_000_003;
                let masses: Vec<i128> =
                    (1..=20).map(|factor| units * factor * 193_800_007 / 1_000_000).collect();
                sum((meter % 4, meter), 7, 1, &masses)
            })
            .collect();
        let mut sums = sums;
        sums.sort_by_key(Sum::place);
        let bytes = encode(&sums);
        assert!(bytes.len() < 40 * sums.len(), "{} bytes", bytes.len());
        assert_eq!(decode(&bytes).expect("as written"), sums);
    }

    #[test]
    fn sheaves_are_read_as_one() {
        let one =
            [sum((0, 1), 7, 2, &[10, 20]), sum((0, 3), 8, 1, &[5]), sum((4, 1), 7, 1, &[1, 2])];
        let two =
            [sum((0, 1), 7, -2, &[-10, -20]), sum((0, 3), 8, 1, &[7]), sum((1, 9), 8, 1, &[1])];
        let due = [sum((0, 3), 8, 2, &[12]), sum((1, 9), 8, 1, &[1]), sum((4, 1), 7, 1, &[1, 2])];
        assert_eq!(of(&[&one, &two]).expect("both"), due);
        assert_eq!(of(&[&two, &one]).expect("both"), due);
        assert_eq!(of(&[]).expect("none"), []);
        let large = [sum((0, 1), 7, 1, &[i128::MAX])];
        assert!(of(&[&large, &large]).is_err(), "it is too large");
        let doubled = [one[0].clone(), one[0].clone()];
        assert!(of(&[&doubled]).is_err(), "each sum is there once");
    }

    #[test]
    fn bytes_that_are_no_sheaf_are_refused() {
        let bytes = encode(&[sum((0, 1), 7, 2, &[10, 20]), sum((0, 3), 8, 1, &[5])]);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut to {cut}");
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_err(), "more bytes");
        assert!(decode(&[2, 1, 0, 0]).is_err(), "another packing");
        assert!(decode(&[0, 2, 0, 0]).is_err(), "another version");
        assert!(decode(&[0, 1, 0, 1, 0, 0, 0, 0, 0]).is_err(), "a choice that is not told");
        assert!(decode(&[&[0, 1, 0][..], &[0xff; 30]].concat()).is_err(), "too long");
        assert!(day_in(Day::from_number(0), 31).is_err());
    }

    proptest! {
        #[test]
        fn sums_are_read_as_they_were_written(
            rows in prop::collection::btree_map(
                (0_u32..31, 1_u32..60),
                (0_u32..4, any::<i64>(), prop::collection::vec(any::<i128>(), 0..5), 0_u32..128),
                0..80,
            ),
        ) {
            let sums: Vec<Sum> = rows
                .into_iter()
                .map(|(place, (why, count, units, shift))| {
                    let units: Vec<i128> = units.iter().map(|units| units >> shift).collect();
                    sum(place, why, count, &units)
                })
                .collect();
            prop_assert_eq!(decode(&encode(&sums)).expect("as written"), sums);
        }
    }
}
