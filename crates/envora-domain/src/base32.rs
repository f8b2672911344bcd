//! The id alphabet: Crockford base 32, lower case, as `TypeID` writes it.
//!
//! Sixteen bytes are 26 characters; the first carries three bits and is therefore `0` to `7`.

/// The 32 characters, in order of value.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Sixteen bytes as 26 characters.
#[must_use]
pub fn encode(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(26);
    encode_onto(bytes, &mut text);
    text
}

/// Puts the 26 characters of sixteen bytes behind a text.
pub fn encode_onto(bytes: [u8; 16], text: &mut String) {
    let mut letters = [0; 26];
    let mut value = u128::from_be_bytes(bytes);
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET[usize::try_from(value & 31).unwrap_or(0)];
        value >>= 5;
    }
    text.push_str(core::str::from_utf8(&letters).unwrap_or_default());
}

/// The sixteen bytes behind 26 characters, or `None` when they are not such a text.
#[must_use]
pub fn decode(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 26 || text.first().is_none_or(|first| *first > b'7') {
        return None;
    }
    let mut value = 0_u128;
    for byte in text {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        value = (value << 5) | u128::try_from(digit).ok()?;
    }
    Some(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_survive_the_round_trip() {
        for value in [0_u128, 1, u128::MAX, 0x0192_3456_789a_7bcd_8def_0123_4567_89ab] {
            let text = encode(value.to_be_bytes());
            assert_eq!(text.len(), 26);
            assert_eq!(decode(&text), Some(value.to_be_bytes()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "8zzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000l", "0000"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
