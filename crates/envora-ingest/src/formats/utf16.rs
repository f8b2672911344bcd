//! UTF-16 as spreadsheets save it ("Unicode text"): told by its mark, and read as UTF-8 from there on.
//!
//! Places in the file stay places in the file: [`bytes_of`] says how many bytes of it a text was.

use std::borrow::Cow;

/// Stands for what is no letter: half of a pair without the other, or half of a unit at the end. It is in
/// no UTF-8, so that the line it is in is refused.
const NO_LETTER: u8 = 0xff;

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The lesser one.
    Little,
    /// The greater one.
    Big,
}

impl Order {
    /// What the mark at the start of a file says; nothing where it has none of UTF-16.
    pub(crate) const fn of_mark(start: &[u8]) -> Option<Self> {
        match start {
            // The same mark with two NUL bytes more is that of UTF-32, which is not read.
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }

    const fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }
}

/// Whether bytes begin as UTF-16 does that has no mark: every other byte of plain letters is NUL.
pub(crate) const fn is_unmarked(start: &[u8]) -> bool {
    match start {
        [first, 0, third, 0, ..] | [0, first, 0, third, ..] => *first > 0 && *third > 0,
        _ => false,
    }
}

/// Turns UTF-16 into UTF-8, a piece at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    order: Order,
    /// The first byte of a unit whose second is still to come.
    byte: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
}

impl Decoder {
    pub(crate) const fn new(order: Order) -> Self {
        Self { order, byte: None, high: None }
    }

    /// Takes the next bytes in.
    pub(crate) fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            match self.byte.take() {
                None => self.byte = Some(*byte),
                Some(first) => self.unit(self.order.unit([first, *byte]), out),
            }
        }
    }

    /// Says that there are no more.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        let halves = usize::from(self.high.take().is_some());
        let halves = halves + usize::from(self.byte.take().is_some());
        out.extend(std::iter::repeat_n(NO_LETTER, halves));
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        let paired = self.high.take();
        if let Some(high) = paired
            && let Some(Ok(letter)) = char::decode_utf16([high, unit]).next()
        {
            return put_letter(letter, out);
        }
        if paired.is_some() {
            out.push(NO_LETTER);
        }
        match char::from_u32(u32::from(unit)) {
            Some(letter) => put_letter(letter, out),
            None if unit < 0xdc00 => self.high = Some(unit),
            None => out.push(NO_LETTER),
        }
    }
}

fn put_letter(letter: char, out: &mut Vec<u8>) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// How many bytes of the file a piece of decoded text was.
pub(crate) fn bytes_of(decoded: &[u8]) -> u64 {
    let units = |byte: &u8| match *byte {
        0x80..=0xbf => 0,
        0xf0..=0xf4 => 2,
        _ => 1,
    };
    decoded.iter().map(units).sum::<u64>() * 2
}

/// All of a file as UTF-8, its mark left off, where it is UTF-16.
pub(crate) fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let order = Order::of_mark(bytes)?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut decoder = Decoder::new(order);
    decoder.put(bytes.get(2..).unwrap_or_default(), &mut out);
    decoder.end(&mut out);
    Some(out)
}

/// A line of a file that begins so, as text for people; nothing where the file is no UTF-16.
#[must_use]
pub fn shown(start: &[u8], line: &[u8]) -> Option<Cow<'static, str>> {
    let mut decoder = Decoder::new(Order::of_mark(start)?);
    let mut out = Vec::with_capacity(line.len());
    decoder.put(line, &mut out);
    decoder.end(&mut out);
    Some(Cow::Owned(String::from_utf8_lossy(&out).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    }

    #[test]
    fn letters_are_the_same_however_they_are_cut() {
        let text = "Zähler;m³\r\n水 𝄞;1,5\r\n";
        let bytes = wide(text);
        assert_eq!(decoded(&bytes).as_deref(), Some(text.as_bytes()));
        for piece in 1..5 {
            let (mut decoder, mut out) = (Decoder::new(Order::Little), Vec::new());
            for part in bytes[2..].chunks(piece) {
                decoder.put(part, &mut out);
            }
            decoder.end(&mut out);
            assert_eq!(out, text.as_bytes(), "in pieces of {piece}");
        }
        assert_eq!(bytes_of(text.as_bytes()), bytes.len() as u64 - 2);
        let swapped: Vec<u8> = bytes.chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
        assert_eq!(decoded(&swapped).as_deref(), Some(text.as_bytes()));
    }

    #[test]
    fn what_is_no_letter_is_no_text_and_takes_nothing_with_it() {
        // A second half alone, a first half before a letter, a first half at the end, half a unit.
        let bytes = [b"\xff\xfe\x1e\xdd".as_slice(), b"\x34\xd8a\0", b"\x34\xd8", b"b"].concat();
        let out = decoded(&bytes).unwrap();
        assert_eq!(out, [0xff, 0xff, b'a', 0xff, 0xff]);
        assert_eq!(bytes_of(&out), bytes.len() as u64 - 1, "half a unit counts as one");
        assert!(core::str::from_utf8(&out).is_err());
    }

    #[test]
    fn a_mark_is_told_from_what_looks_like_one() {
        assert_eq!(Order::of_mark(b"\xff\xfea\0"), Some(Order::Little));
        assert_eq!(Order::of_mark(b"\xfe\xff\0a"), Some(Order::Big));
        assert_eq!(Order::of_mark(b"\xff\xfe\0\0a\0\0\0"), None);
        assert_eq!(Order::of_mark(b"site"), None);
        assert!(is_unmarked(b"s\0i\0t\0e\0") && is_unmarked(b"\0s\0i") && !is_unmarked(b"site"));
    }
}
