//! Codes: an organization's own names for its facilities, sources, legal entities and suppliers.

use crate::id::is_id;

/// The longest code, in characters.
pub const CODE_CHARS_MAX: usize = 64;

/// Why a text can never be a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too long, too short, or with a character that codes have not.
    #[error("a code is 1 to 64 letters, digits or . _ - / :")]
    NotACode,
    /// It has the form of an id of ours, so that nobody could tell which of the two is meant.
    #[error("a code is your own word, and this has the form of an id of ours")]
    AnId,
}

/// Whether a text can be a code: 1 to 64 letters, digits, `.`, `_`, `-`, `/` or `:`, and no id.
///
/// # Errors
/// [`CodeError`].
pub fn check_code(text: &str) -> Result<(), CodeError> {
    let is_letter =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | ':');
    let fits = !text.is_empty()
        && text.chars().all(is_letter)
        && (text.len() <= CODE_CHARS_MAX || text.chars().count() <= CODE_CHARS_MAX);
    match (fits, is_id(text)) {
        (false, _) => Err(CodeError::NotACode),
        (true, true) => Err(CodeError::AnId),
        (true, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{CodeError, check_code};

    #[test]
    fn a_code_is_short_printable_and_no_id() {
        for code in ["b24", "B 24".replace(' ', "-").as_str(), "a.b_c-d/e:f", "Zähler7", "fac_01"]
        {
            assert_eq!(check_code(code), Ok(()), "{code}");
        }
        for text in ["", "b 24", "=\"123\"", "a,b", "a\tb", &"x".repeat(65)] {
            assert_eq!(check_code(text), Err(CodeError::NotACode), "{text}");
        }
        for prefix in ["fac", "src", "ent", "sup", "act", "imp"] {
            let text = format!("{prefix}_{}", "0".repeat(26));
            assert_eq!(check_code(&text), Err(CodeError::AnId), "{text}");
        }
    }
}
