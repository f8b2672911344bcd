//! Bytes of cells as text.

use std::borrow::Cow;

use super::Strip;

/// What Windows-1252 has where Latin-1 has control characters; five places are empty.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// UTF-8.
pub(crate) fn utf8(bytes: &[u8]) -> Option<Cow<'_, str>> {
    core::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

/// Windows-1252; nothing for a byte that it has not.
pub(crate) fn windows_1252(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.is_ascii() {
        return utf8(bytes);
    }
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().filter(|letter| *letter != '\0'),
        other => Some(char::from(*other)),
    };
    bytes.iter().map(letter).collect::<Option<String>>().map(Cow::Owned)
}

/// As Windows-1252; `?` for what it has not.
pub(super) fn to_windows_1252(text: &str) -> Vec<u8> {
    let byte = |letter: char| match u8::try_from(letter) {
        Ok(byte) if !(0x80..=0x9f).contains(&byte) => byte,
        _ => {
            let high = HIGH.iter().position(|own| *own == letter && letter != '\0');
            high.and_then(|place| u8::try_from(place + 0x80).ok()).unwrap_or(b'?')
        }
    };
    text.chars().map(byte).collect()
}

/// The text without blanks around it, and without the apostrophe that our error files add.
pub(super) fn trimmed(text: Cow<'_, str>, strip: Strip) -> Cow<'_, str> {
    let cut = |text: &str| -> (usize, usize) {
        let kept = text.trim_matches([' ', '\t']);
        let start = text.len() - text.trim_start_matches([' ', '\t']).len();
        let guarded = kept.strip_prefix('\'').filter(|rest| rest.starts_with(GUARDED));
        match guarded.filter(|_| strip == Strip::Yes) {
            Some(_) => (start + 1, start + kept.len()),
            None => (start, start + kept.len()),
        }
    };
    let (start, end) = cut(&text);
    if start == 0 && end == text.len() {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(start..end).unwrap_or_default().to_owned()),
    }
}

/// What spreadsheets take for the start of a formula.
const GUARDED: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_is_its_own_table() {
        assert_eq!(windows_1252(b"Stra\xdfe \x80 5").as_deref(), Some("Straße € 5"));
        assert_eq!(windows_1252(b"\x81"), None);
        assert_eq!(to_windows_1252("Straße € 5 … 水"), b"Stra\xdfe \x80 5 \x85 ?");
        assert_eq!(windows_1252(b"plain").as_deref(), Some("plain"));
    }

    #[test]
    fn blanks_and_our_own_guards_come_off() {
        assert_eq!(trimmed(Cow::Borrowed(" a b\t"), Strip::No), "a b");
        assert_eq!(trimmed(Cow::Borrowed("'=1+1"), Strip::Yes), "=1+1");
        assert_eq!(trimmed(Cow::Borrowed("'=1+1"), Strip::No), "'=1+1");
        assert_eq!(trimmed(Cow::Borrowed("'t Hart"), Strip::Yes), "'t Hart");
        assert_eq!(trimmed(Cow::Borrowed("  "), Strip::Yes), "");
    }
}
