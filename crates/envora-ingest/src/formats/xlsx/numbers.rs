//! Numbers and times as a spreadsheet shows them.
//!
//! A workbook holds all of them as binary floats. This is the one file of the crate that meets them, and
//! it does not calculate with them: a float is printed with 15 significant digits, as spreadsheets do, and
//! everything after that is done with those digits, exactly.

use core::fmt::LowerExp;

use calamine::{ExcelDateTime, Style};
use envora_domain::time::Day;

/// Milliseconds of a day.
const DAY_MILLIS: i128 = 86_400_000;
/// The last day that a spreadsheet has, 9999-12-31, counted from 1900.
const DAYS_MAX: i128 = 2_958_465;
/// How far the point may stand from the digits for a number to be written out.
const POINT_MAX: i32 = 30;

/// How a cell's number is shown, as far as that changes what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// As the number it is.
    #[default]
    Plain,
    /// As so many hundredths.
    Percent,
    /// As a time that has a time of day, if it is one.
    Timed,
}

impl Form {
    pub(super) fn of(style: &Style) -> Self {
        style
            .number_format
            .as_ref()
            .map_or(Self::Plain, |format| Self::of_code(&format.format_code))
    }

    /// Reads the first section of a format code; texts, escaped signs and brackets are no part of it.
    fn of_code(code: &str) -> Self {
        let (mut quoted, mut escaped, mut bracket) = (false, false, String::new());
        for sign in code.chars() {
            match sign {
                _ if escaped => escaped = false,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '\\' | '_' | '*' => escaped = true,
                '[' => bracket.push(sign),
                ']' => bracket.clear(),
                _ if !bracket.is_empty() => {}
                ';' => break,
                '%' => return Self::Percent,
                'h' | 'H' | 's' | 'S' => return Self::Timed,
                _ => {}
            }
        }
        Self::Plain
    }
}

/// From which day a workbook counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Epoch {
    /// 1 is 1900-01-01, and 60 a 29 February that never was.
    Y1900,
    /// 0 is 1904-01-01.
    Y1904,
}

impl Epoch {
    pub(super) fn of(is_1904: impl Into<bool>) -> Self {
        if is_1904.into() { Self::Y1904 } else { Self::Y1900 }
    }

    fn day(self, count: i128) -> Option<Day> {
        let (year, month, day) = match self {
            Self::Y1904 => (1904, 1, 1),
            Self::Y1900 if count < 60 => (1899, 12, 31),
            Self::Y1900 if count == 60 => return None,
            Self::Y1900 => (1899, 12, 30),
        };
        let count = i32::try_from(count).ok()?;
        Day::from_ymd(year, month, day).map(|first| first.plus(count))
    }
}

/// What a spreadsheet shows no day for, as its number.
pub(super) struct Unshown(pub(super) String);

/// The 15 digits of a float: `digits` with the point after the first, times ten to `exponent`.
struct Digits {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Digits {
    /// Nothing for what is no number.
    fn of(number: impl LowerExp) -> Option<Self> {
        let text = format!("{number:.14e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let unsigned = mantissa.trim_start_matches('-');
        let digits = unsigned.replace('.', "").trim_end_matches('0').to_owned();
        let negative = mantissa.starts_with('-') && !digits.is_empty();
        Some(Self { negative, digits, exponent: exponent.parse().ok()? })
    }

    /// Written out, the point moved to the right by so many places.
    fn text(&self, moved: i32) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let exponent = self.exponent + moved;
        if exponent.abs() > POINT_MAX {
            let (first, rest) = self.digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return format!("{sign}{first}{point}{rest}e{exponent}");
        }
        let before = usize::try_from(exponent + 1).unwrap_or(0);
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        let digits = &self.digits;
        if before == 0 {
            return format!("{sign}0.{}{digits}", "0".repeat(zeros));
        }
        match digits.split_at_checked(before) {
            Some((whole, "")) => format!("{sign}{whole}"),
            Some((whole, part)) => format!("{sign}{whole}.{part}"),
            None => format!("{sign}{digits:0<before$}"),
        }
    }

    /// As a count of days, in milliseconds, rounded half up; nothing where that is out of all reach.
    fn millis(&self) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let places = i32::try_from(self.digits.len()).ok()? - 1 - self.exponent;
        let scaled = self.digits.parse::<i128>().ok()?.checked_mul(DAY_MILLIS)?;
        let Ok(places) = u32::try_from(places) else {
            return scaled.checked_mul(10_i128.checked_pow(places.unsigned_abs())?);
        };
        let Some(unit) = 10_i128.checked_pow(places) else { return Some(0) };
        Some((scaled + unit / 2) / unit)
    }
}

/// A number as it is read.
pub(super) fn shown(number: impl LowerExp + Copy, form: Form) -> String {
    let Some(digits) = Digits::of(number) else { return format!("{number:e}") };
    match form {
        Form::Percent => format!("{}%", digits.text(2)),
        Form::Plain | Form::Timed => digits.text(0),
    }
}

/// A serial date as ISO text: a day, a day with its time, or, below 1, a time of day.
pub(super) fn time(
    serial: &ExcelDateTime,
    (form, epoch): (Form, Epoch),
) -> Result<String, Unshown> {
    let digits = Digits::of(serial.as_f64()).ok_or_else(|| Unshown(String::new()))?;
    let unshown = || Unshown(digits.text(0));
    let millis = digits.millis().filter(|_| !digits.negative).ok_or_else(unshown)?;
    let (days, rest) = (millis / DAY_MILLIS, millis % DAY_MILLIS);
    if days > DAYS_MAX {
        return Err(unshown());
    }
    if serial.is_duration() {
        return Ok(clock(millis));
    }
    if days == 0 && (rest > 0 || form == Form::Timed) {
        return Ok(clock(rest));
    }
    let day = if days == 0 && epoch == Epoch::Y1900 { None } else { epoch.day(days) };
    let day = day.ok_or_else(unshown)?;
    if rest == 0 && form != Form::Timed {
        Ok(day.to_string())
    } else {
        Ok(format!("{day}T{}", clock(rest)))
    }
}

/// `hh:mm:ss`, with thousandths where there are some.
fn clock(millis: i128) -> String {
    let (seconds, part) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let part = if part == 0 { String::new() } else { format!(".{part:03}") };
    format!("{hours:02}:{minutes:02}:{seconds:02}{part}")
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_have_the_digits_that_a_spreadsheet_shows() {
        for (text, want) in [
            ("0.96899999999999997", "0.969"),
            ("226.10300000000001", "226.103"),
            ("2200012767323", "2200012767323"),
            ("0.30000000000000004", "0.3"),
            ("123456789012345678", "123456789012346000"),
            ("-0.000012", "-0.000012"),
            ("-0", "0"),
            ("10", "10"),
            ("1e-7", "0.0000001"),
            ("9.9999999999999999", "10"),
            ("1e300", "1e300"),
            ("1.5e-40", "1.5e-40"),
        ] {
            let number: f64 = text.parse().expect("a number");
            assert_eq!(shown(number, Form::Plain), want, "{text}");
        }
        assert_eq!(shown(0.1234, Form::Percent), "12.34%");
        assert_eq!(shown(1, Form::Percent), "100%");
    }

    #[test]
    fn forms_are_read_past_texts_and_brackets() {
        for (code, want) in [
            ("General", Form::Plain),
            ("0.0%", Form::Percent),
            ("0\"%\"", Form::Plain),
            ("0\\%", Form::Plain),
            ("0;-0%", Form::Plain),
            ("dd/mm/yyyy;@", Form::Plain),
            ("[$-409]d mmm yyyy", Form::Plain),
            ("[Green]hh:mm", Form::Timed),
            ("mmm d yyyy hh:mm", Form::Timed),
            ("\"hours\" 0", Form::Plain),
        ] {
            assert_eq!(Form::of_code(code), want, "{code}");
        }
    }

    #[track_caller]
    fn check(serial: f64, (form, epoch): (Form, Epoch), want: Option<&str>) {
        let kind = ExcelDateTimeType::DateTime;
        let shown = time(&ExcelDateTime::new(serial, kind, false), (form, epoch)).ok();
        assert_eq!(shown.as_deref(), want, "{serial}");
    }

    #[test]
    fn serial_dates_are_days_of_both_epochs() {
        let old = (Form::Plain, Epoch::Y1900);
        check(1.0, old, Some("1900-01-01"));
        check(59.0, old, Some("1900-02-28"));
        check(60.0, old, None);
        check(60.5, old, None);
        check(61.0, old, Some("1900-03-01"));
        check(45170.0, old, Some("2023-09-01"));
        check(45_170.044_432_870_37, old, Some("2023-09-01T01:03:59"));
        check(28_272.499_305_555_557, old, Some("1977-05-27T11:59:00"));
        check(43_831.020_833_333_336, old, Some("2020-01-01T00:30:00"));
        check(43_830.999_999_999, old, Some("2020-01-01"));
        check(2_958_465.0, old, Some("9999-12-31"));
        check(2_958_466.0, old, None);
        check(-1.0, old, None);
        check(0.0, old, None);
        check(f64::NAN, old, None);
        let timed = (Form::Timed, Epoch::Y1900);
        check(45170.0, timed, Some("2023-09-01T00:00:00"));
        check(0.541_666_666_666_666_6, timed, Some("13:00:00"));
        check(0.999_988_425_925_925_9, timed, Some("23:59:59"));
        check(0.0, timed, Some("00:00:00"));
        let new = (Form::Plain, Epoch::Y1904);
        check(0.0, new, Some("1904-01-01"));
        check(43_708.0, new, Some("2023-09-01"));
        check(60.0, new, Some("1904-03-01"));
    }

    #[test]
    fn durations_count_their_hours() {
        let kind = ExcelDateTimeType::TimeDelta;
        let shown = |serial: f64| {
            let serial = ExcelDateTime::new(serial, kind, false);
            time(&serial, (Form::Plain, Epoch::Y1900)).ok()
        };
        assert_eq!(shown(1.0).as_deref(), Some("24:00:00"));
        assert_eq!(shown(1.5).as_deref(), Some("36:00:00"));
    }
}
