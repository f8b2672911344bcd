//! One function per shape of value: what the schema's `$defs` say, with an error that helps.

use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::codes::{CodeError, check_code};
use envora_domain::decimal::{Decimal, DecimalError};
use envora_domain::id::{Id, Kind};
use envora_domain::time::{Day, TimeError, Timestamp};

use super::Given;

/// A shape's answer: the value, or what is wrong, its field not named yet.
pub(crate) type Shaped<T> = Result<T, RowProblem>;

/// Longest code of a customer.
pub(super) const CODE_CHARS_MAX: usize = 200;
/// Longest word: a unit, a zone, a scheme.
pub(super) const WORD_CHARS_MAX: usize = 64;
/// Longest value of a label.
const TAG_CHARS_MAX: usize = 256;
/// Longest remark.
const NOTE_CHARS_MAX: usize = 2000;

fn wrong(given: Given<'_>, due: &str) -> RowProblem {
    let detail = match given {
        Given::Cell(text) | Given::Text(text) if !text.is_empty() => {
            format!("{due} is due here, not {:?}", text.chars().take(40).collect::<String>())
        }
        Given::Text(_) => format!("{due} is due here, not an empty string"),
        Given::Cell(_)
        | Given::Number(_)
        | Given::Bool(_)
        | Given::Null
        | Given::Array
        | Given::Object => format!("{due} is due here, not {}", given.what()),
    };
    let hint = match given {
        Given::Null => "leave the field out when there is nothing to say".to_owned(),
        Given::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("send {due}; without the quotes, where it is a number")
        }
        Given::Cell(_)
        | Given::Text(_)
        | Given::Number(_)
        | Given::Bool(_)
        | Given::Array
        | Given::Object => format!("send {due}"),
    };
    RowProblem::new(RowCode::WrongType, "", detail).value(given.shown()).hint(hint)
}

/// A text of 1 to `max` characters.
pub(super) fn text(given: Given<'_>, max: usize) -> Shaped<String> {
    text_of(given, 1, max)
}

/// A text of `min` to `max` characters, in one line: what names something has no control characters.
pub(super) fn text_of(given: Given<'_>, min: usize, max: usize) -> Shaped<String> {
    line(given, min, max).map(str::to_owned)
}

fn line(given: Given<'_>, min: usize, max: usize) -> Shaped<&str> {
    printable(bounded(given, min, max)?, &[])
}

/// A customer's code of a row, item or the like.
pub(crate) fn code(given: Given<'_>) -> Shaped<&str> {
    line(given, 1, CODE_CHARS_MAX)
}

/// The value of a label.
pub(crate) fn tag(given: Given<'_>) -> Shaped<&str> {
    line(given, 0, TAG_CHARS_MAX)
}

/// A remark, of several lines perhaps.
pub(crate) fn note(given: Given<'_>) -> Shaped<&str> {
    printable(bounded(given, 0, NOTE_CHARS_MAX)?, &['\n', '\r', '\t'])
}

fn printable<'a>(text: &'a str, besides: &[char]) -> Shaped<&'a str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(text);
    }
    let unprintable = |letter: &char| letter.is_control() && !besides.contains(letter);
    let Some(letter) = text.chars().find(unprintable) else { return Ok(text) };
    let number = u32::from(letter);
    let detail = format!("the text has a control character, U+{number:04X}");
    Err(RowProblem::new(RowCode::WrongType, "", detail)
        .value(&text.replace(letter, "\u{fffd}"))
        .hint("take it out at the source: codes, words and labels are text in one line"))
}

fn bounded(given: Given<'_>, min: usize, max: usize) -> Shaped<&str> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "a text").hint("write it in double quotes"));
    };
    let chars = if text.len() <= max { text.len() } else { text.chars().count() };
    if chars < min {
        return Err(wrong(given, "a text").hint("leave the field out when there is nothing to say"));
    }
    if chars > max {
        return Err(RowProblem::new(
            RowCode::WrongType,
            "",
            format!("the text has {chars} characters, at most {max} are kept"),
        )
        .value(text)
        .hint(format!("shorten it to {max} characters")));
    }
    Ok(text)
}

/// An exact number, and whether it came as a JSON number with more digits than a float keeps.
pub(super) fn decimal(given: Given<'_>) -> Shaped<(Decimal, bool)> {
    let text = match given {
        Given::Cell(text) | Given::Text(text) | Given::Number(text) => text,
        Given::Bool(_) | Given::Null | Given::Array | Given::Object => {
            return Err(wrong(given, "a number").hint("send a number, or a number as a string"));
        }
    };
    let value = Decimal::parse(text).map_err(|error| number_problem(text, error))?;
    let artefact = matches!(given, Given::Number(_)) && significant_digits(text) > 15;
    Ok((value, artefact))
}

fn number_problem(text: &str, error: DecimalError) -> RowProblem {
    let shown: String = text.chars().take(40).collect();
    let (code, detail) = match error {
        DecimalError::NotANumber => (RowCode::NotANumber, format!("{shown:?} is not a number")),
        DecimalError::TooManyDigits => (
            RowCode::TooManyDigits,
            "more than 20 digits before the point or 18 after it; nothing is rounded on the way in"
                .to_owned(),
        ),
    };
    RowProblem::new(code, "", detail).value(text).hint(number_hint(text, error))
}

/// What to do about a text that is no number.
fn number_hint(text: &str, error: DecimalError) -> String {
    let lower = text.to_ascii_lowercase();
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if error == DecimalError::TooManyDigits {
        return "round it at the source, or use a larger unit".to_owned();
    }
    if ["n/a", "na", "nan", "null", "none", "-", "--", "#n/a", "not applicable"]
        .contains(&lower.as_str())
    {
        return format!(
            "list {text:?} under `null` of the mapping if it means \"no value\", or leave the row out"
        );
    }
    if digits && lower.contains('e') && lower.bytes().all(|byte| b"0123456789.e+-".contains(&byte))
    {
        return "write it out without an exponent: 1e3 is 1000".to_owned();
    }
    // A mapping's signs of numbers help nobody here.
    if let Some(number) = text.strip_suffix('%').map(str::trim_end).filter(|_| digits) {
        return format!("write the number alone, {number}: the unit, %, has a field of its own");
    }
    if digits && text.contains([',', '\'', '\u{a0}', '\u{202f}', ' ']) {
        return "name the column's `decimal` and `group` signs in the mapping, or write it like 1234.5"
            .to_owned();
    }
    "write it like 1234.5: digits with at most one point, no sign +, no leading zeros".to_owned()
}

pub(crate) fn significant_digits(text: &str) -> usize {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.skip_while(|digit| *digit == b'0').count()
}

/// An integer of this range.
pub(super) fn integer(given: Given<'_>, range: core::ops::RangeInclusive<i64>) -> Shaped<i64> {
    let due = format!("a whole number from {} to {}", range.start(), range.end());
    let (Given::Cell(text) | Given::Number(text)) = given else {
        return Err(wrong(given, &due));
    };
    let value = Decimal::parse(text).ok().map(Decimal::normalized);
    value
        .filter(|value| value.scale() == 0)
        .and_then(|value| i64::try_from(value.mantissa()).ok())
        .filter(|value| range.contains(value))
        .ok_or_else(|| wrong(given, &due))
}

/// True or false.
pub(super) fn boolean(given: Given<'_>) -> Shaped<bool> {
    match given {
        Given::Bool(value) => Ok(value),
        Given::Cell(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Given::Cell(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Given::Cell(_)
        | Given::Text(_)
        | Given::Number(_)
        | Given::Null
        | Given::Array
        | Given::Object => Err(wrong(given, "true or false")),
    }
}

/// An instant with an offset.
pub(crate) fn instant(given: Given<'_>) -> Shaped<Timestamp> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "an instant"));
    };
    if text.as_bytes().get(10) == Some(&b' ') || !has_offset(text) {
        return Err(time_problem(text, TimeError::NotAnInstant));
    }
    Timestamp::parse(text).map_err(|error| time_problem(text, error))
}

/// Whether the text ends in `Z`, or in an offset below 24:00.
fn has_offset(text: &str) -> bool {
    if text.ends_with(['Z', 'z']) {
        return true;
    }
    let Some((_, offset)) = text.split_at_checked(text.len().saturating_sub(6)) else {
        return false;
    };
    let digits = |range| offset.get(range).and_then(|digits: &str| digits.parse::<u8>().ok());
    offset.starts_with(['+', '-'])
        && offset.get(3..4) == Some(":")
        && digits(1..3).is_some_and(|hours| hours < 24)
        && digits(4..6).is_some_and(|minutes| minutes < 60)
}

/// A day.
pub(crate) fn day(given: Given<'_>) -> Shaped<Day> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "a day"));
    };
    Day::parse(text).map_err(|error| time_problem(text, error))
}

/// What is wrong with a time.
pub(crate) fn time_problem(text: &str, error: TimeError) -> RowProblem {
    let (code, hint) = match error {
        TimeError::TooFine => (RowCode::TooManyDigits, "cut it to microseconds at the source"),
        TimeError::NotAnInstant => (
            RowCode::WrongType,
            "write it with its offset, like 2022-01-31T13:00:00Z or 2022-01-31T14:00:00+01:00, and whole days as start_date and end_date; times without one are read of CSV, XLSX and Parquet, in the zone of the row, the mapping or the place",
        ),
        TimeError::LeapSecond => (
            RowCode::WrongType,
            "write the second before as :59, or the first of the next minute as :00: which of them is meant is for you to say",
        ),
        TimeError::OutOfRange => (
            RowCode::WrongType,
            "correct the year; a period that is not over yet ends with the data, not in the year 9999",
        ),
        TimeError::NotADay => {
            (RowCode::WrongType, "write it like 2022-01-31, or name its `format` in the mapping")
        }
        TimeError::NotADuration => (RowCode::WrongType, "write it like PT1H or P7D"),
        TimeError::UnknownZone => (RowCode::WrongType, "use an IANA name such as Europe/London"),
    };
    let shown: String = text.chars().take(40).collect();
    RowProblem::new(code, "", format!("{shown:?}: {error}")).value(text).hint(hint)
}

/// A code of the organization's own.
pub(super) fn own_code(given: Given<'_>) -> Shaped<String> {
    own_code_ref(given).map(str::to_owned)
}

/// The same, as it stands where it is read.
pub(crate) fn own_code_ref(given: Given<'_>) -> Shaped<&str> {
    let text = code(given)?;
    check_code(text).map_err(|error| code_problem(text, error))?;
    Ok(text)
}

/// A code of the organization's own, or our id of what it names.
pub(super) fn own_word<K: Kind>(given: Given<'_>) -> Shaped<String> {
    own_word_ref::<K>(given).map(str::to_owned)
}

/// The same, as it stands where it is read.
pub(crate) fn own_word_ref<K: Kind>(given: Given<'_>) -> Shaped<&str> {
    match given {
        Given::Cell(text) | Given::Text(text) if Id::<K>::parse(text).is_ok() => Ok(text),
        Given::Cell(_)
        | Given::Text(_)
        | Given::Number(_)
        | Given::Bool(_)
        | Given::Null
        | Given::Array
        | Given::Object => own_code_ref(given),
    }
}

/// What is wrong with a text that can never be a code: to add a facility of it would be refused too.
fn code_problem(text: &str, error: CodeError) -> RowProblem {
    let shown: String = text.chars().take(40).collect();
    let hint = match error {
        CodeError::NotACode => {
            "translate it with `map` in the mapping, or send a code of 1-64 letters, digits . _ - / :"
        }
        CodeError::AnId => "send an id in the field that ends in `_id`, or a code of your own",
    };
    RowProblem::new(RowCode::WrongType, "", format!("{shown:?}: {error}")).value(text).hint(hint)
}

/// A number from 0 on.
pub(super) fn not_negative(value: Decimal) -> Shaped<Decimal> {
    if value.mantissa() >= 0 {
        return Ok(value);
    }
    Err(RowProblem::new(RowCode::WrongType, "", format!("{value} is below 0"))
        .value(&value.to_string())
        .hint("send it without the minus: it is how far off the quantity may be, either way"))
}

/// An id of one kind.
pub(crate) fn id<K: Kind>(given: Given<'_>) -> Shaped<Id<K>> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "an id"));
    };
    Id::parse(text).map_err(|error| {
        RowProblem::new(RowCode::WrongType, "", error.to_string()).value(text).hint(format!(
            "for a code of your own use the field that ends in `_code` ({}_… is ours)",
            K::PREFIX
        ))
    })
}

/// An id of any kind: `^[a-z]{2,5}_[0-7][0-9a-hjkmnp-tv-z]{25}$`.
pub(super) fn any_id(given: Given<'_>) -> Shaped<String> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "an id"));
    };
    let good = text.split_once('_').is_some_and(|(prefix, rest)| {
        (2..=5).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && envora_domain::base32::decode(rest).is_some()
    });
    if good { Ok(text.to_owned()) } else { Err(wrong(given, "an id such as cert_01…")) }
}

/// Evidence: `ev_…` or `sha256:` and 64 hex digits.
pub(super) fn evidence(given: Given<'_>) -> Shaped<String> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "evidence"));
    };
    let id = text.strip_prefix("ev_").and_then(envora_domain::base32::decode).is_some();
    let digest = text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if id || digest { Ok(text.to_owned()) } else { Err(wrong(given, "ev_… or sha256:…")) }
}

/// The code of an activity type: `^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$`, 80 characters.
pub(super) fn kind(given: Given<'_>) -> Shaped<String> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "an activity type"));
    };
    let parts = text.split('.').count();
    let good = text.len() <= 80
        && (2..=4).contains(&parts)
        && text.split('.').all(|part| super::is_key(part, 80));
    if good {
        return Ok(text.to_owned());
    }
    Err(RowProblem::new(
        RowCode::UnknownType,
        "",
        "an activity type is due, such as electricity.purchased",
    )
    .value(text)
    .hint("use a code of the catalogue; `map` translates your own words"))
}

/// A country or region: `^[A-Z]{2}(-[A-Z0-9]{1,3})?$`.
pub(super) fn region(given: Given<'_>) -> Shaped<String> {
    let (Given::Cell(text) | Given::Text(text)) = given else {
        return Err(wrong(given, "a region"));
    };
    let (country, part) = text.split_once('-').map_or((text, None), |(c, p)| (c, Some(p)));
    let good = country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && part.is_none_or(|part| {
            (1..=3).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
    if good {
        Ok(text.to_owned())
    } else {
        Err(wrong(given, "an ISO 3166 code such as GB or US-CA"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_unit_is_told_where_that_belongs() {
        let hint = |text: &str| number_hint(text, DecimalError::NotANumber);
        for text in ["120 %", "120%"] {
            assert_eq!(
                hint(text),
                "write the number alone, 120: the unit, %, has a field of its own"
            );
        }
        assert!(hint("1,5").contains("`decimal`"), "{}", hint("1,5"));
    }
}
