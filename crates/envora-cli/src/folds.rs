//! Long lines, laid out for a terminal: broken between words, and set in below what they go on with.

/// The least room for words beside what a line is set in by.
const ROOM_MIN: usize = 24;

/// A line no wider than so many columns, as far as its words allow: ids, hashes and what stands between
/// backticks are never broken, so that they can be copied.
#[must_use]
pub fn folded(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let hang = hang(line, columns);
    let mut lines: Vec<String> = Vec::new();
    let mut now = String::new();
    for piece in pieces(line) {
        let has_words = !visible(&now).trim().is_empty();
        if has_words && width(&now) + width(piece.trim_end()) > columns {
            lines.push(now.trim_end().to_owned());
            now = " ".repeat(hang);
        }
        now.push_str(piece);
    }
    lines.push(now.trim_end().to_owned());
    lines.join("\n")
}

/// Words with the blanks after them; the first with those before it as well.
fn pieces(line: &str) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut before) = (false, None);
    for (at, letter) in line.char_indices() {
        if before == Some(' ')
            && letter != ' '
            && !is_quoted
            && !visible(&line[start..at]).trim().is_empty()
        {
            pieces.push(&line[start..at]);
            start = at;
        }
        is_quoted ^= letter == '`';
        before = Some(letter);
    }
    pieces.push(&line[start..]);
    pieces
}

/// How far the lines below the first are set in: under the text after the first wide gap, or a little
/// more than the line itself.
fn hang(line: &str, columns: usize) -> usize {
    let text = visible(line);
    let inset = text.len() - text.trim_start().len();
    let gap = text[inset..].find("  ").map(|gap| {
        let after = text[inset + gap..].trim_start();
        width(&text[..text.len() - after.len()])
    });
    gap.filter(|hang| hang + ROOM_MIN <= columns).unwrap_or(inset + 2).min(columns / 2)
}

/// How many columns a text takes; its colours take none.
fn width(text: &str) -> usize {
    visible(text).chars().count()
}

fn visible(text: &str) -> String {
    let mut is_escape = false;
    let shown = |letter: &char| match (*letter, is_escape) {
        ('\u{1b}', _) => {
            is_escape = true;
            false
        }
        (letter, true) => {
            is_escape = !letter.is_ascii_alphabetic();
            false
        }
        (_, false) => true,
    };
    text.chars().filter(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, columns: usize, want: &str) {
        assert_eq!(folded(line, columns), want);
    }

    #[test]
    fn words_go_on_below_the_text_they_belong_to() {
        check("short", 5, "short");
        check(
            "  Note        a word: it goes on and on and on and on",
            42,
            "  Note        a word: it goes on and on\n              and on and on",
        );
        check("one two three four five six", 20, "one two three four\n  five six");
    }

    #[test]
    fn what_is_copied_stays_whole() {
        check(
            "  run `envora data push FILE` now",
            20,
            "  run\n    `envora data push FILE`\n    now",
        );
        check("  id abcdefghijklmnopqrstuvwxyz", 20, "  id\n    abcdefghijklmnopqrstuvwxyz");
    }

    #[test]
    fn colours_take_no_room() {
        let line = "  \u{1b}[2mread by\u{1b}[0m  one two";
        check(line, 18, line);
        check(line, 17, "  \u{1b}[2mread by\u{1b}[0m  one\n    two");
        let empty = "  \u{1b}[2m   \u{1b}[0m abcdefghijklmnopqrstuvwxyz";
        check(empty, 17, empty);
    }
}
