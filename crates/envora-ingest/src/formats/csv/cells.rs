//! Cells on their way out: read again they are what they were, and a spreadsheet calculates nothing.

use super::super::records::Dialect;

/// Writes a cell: in quotes where it needs them, and behind an apostrophe where a spreadsheet would take
/// it for a formula. The apostrophe comes off when a file with columns of ours is read.
pub(crate) fn put_cell(out: &mut Vec<u8>, cell: &[u8], dialect: Dialect) {
    let guard: &[u8] = if is_formula(cell) { b"'" } else { b"" };
    put(out, (guard, cell), dialect);
}

/// Writes a cell as it is, in quotes where it needs them.
pub(crate) fn put_plain(out: &mut Vec<u8>, cell: &[u8], dialect: Dialect) {
    put(out, (b"", cell), dialect);
}

fn put(out: &mut Vec<u8>, (guard, cell): (&[u8], &[u8]), dialect: Dialect) {
    let Dialect { delimiter, quote } = dialect;
    let plain = memchr::memchr3(delimiter, quote, b'\n', cell).is_none();
    if plain && memchr::memchr(b'\r', cell).is_none() {
        out.extend_from_slice(guard);
        out.extend_from_slice(cell);
        return;
    }
    out.push(quote);
    out.extend_from_slice(guard);
    for byte in cell {
        if *byte == quote {
            out.push(quote);
        }
        out.push(*byte);
    }
    out.push(quote);
}

/// Whether a spreadsheet would take the cell for a formula: it starts like one and is no number.
pub(super) fn is_formula(cell: &[u8]) -> bool {
    let [first, rest @ ..] = cell else { return false };
    let number = b"+-".contains(first)
        && rest.first().is_some_and(u8::is_ascii_digit)
        && rest.iter().all(|byte| byte.is_ascii_digit() || b".,' ".contains(byte));
    b"=+-@\t\r".contains(first) && !number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cell: &str, want: &str) {
        let mut out = Vec::new();
        put_cell(&mut out, cell.as_bytes(), Dialect::default());
        assert_eq!(String::from_utf8_lossy(&out), want);
    }

    #[test]
    fn cells_are_quoted_and_guarded_where_they_must_be() {
        check("plain", "plain");
        check("-17.5", "-17.5");
        check("=1+1", "'=1+1");
        check("@a, \"b\"", "\"'@a, \"\"b\"\"\"");
        check("two\nlines", "\"two\nlines\"");
    }
}
