//! Lines of comma-separated values, as publishers write them: quotes close on their own line.

use super::ImportError;

/// The cells of a line; `None` when a quote does not close on it.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cells.last_mut()?.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut()?.push(letter),
        }
    }
    (!quoted).then_some(cells)
}

/// The rows below a header, each with its line, the header being 1.
pub(super) fn rows<const WIDTH: usize>(
    csv: &str,
    header: &str,
) -> Result<Vec<(u32, [String; WIDTH])>, ImportError> {
    let mut lines = (1_u32..).zip(csv.lines());
    if lines.next().map(|(_, line)| line.trim_end_matches('\r')) != Some(header) {
        return ImportError::at(1, &format!("not the header {header}"));
    }
    let mut rows = Vec::new();
    for (number, line) in lines {
        let cells = cells(line).and_then(|cells| <[String; WIDTH]>::try_from(cells).ok());
        let Some(cells) = cells else {
            return ImportError::at(number, &format!("not {WIDTH} cells"));
        };
        if cells.iter().any(|cell| cell.contains(['\t', '|'])) {
            return ImportError::at(number, "a cell holds a tab or a bar");
        }
        rows.push((number, cells));
    }
    Ok(rows)
}
