//! Tables with a column for each interval of a day.

/// A run of columns that are intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wide {
    /// The names of the columns, in the file's order.
    pub(super) columns: Vec<String>,
    /// What their names say.
    pub(super) label: Label,
    /// How long an interval is, in minutes.
    pub(super) minutes: u32,
    /// An expression that finds them.
    pub(super) pattern: String,
    /// What stands before an index, such as `kWh`.
    pub(super) prefix: String,
}

/// What the name of an interval's column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// When it starts.
    Start,
    /// When it ends.
    End,
    /// The how manieth it is, from 1.
    Index,
}

/// Minutes of a day.
const DAY: u32 = 1440;

/// The intervals among the names of columns, when they make a day.
pub(super) fn find<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<Wide> {
    clocks(names.clone()).or_else(|| indexes(names))
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let minute = minute.strip_suffix(":00").unwrap_or(minute);
    let two = |text: &str| {
        let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let all = two(hour)? * 60 + two(minute)?;
    (all <= DAY).then_some(all)
}

fn clocks<'a>(names: impl Iterator<Item = &'a str>) -> Option<Wide> {
    let bare = |name: &'a str| {
        let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        let start = inner.split_once(['-', '–']).map_or(inner, |(start, _)| start);
        Some((name, minute(start.trim())?, start.len() != inner.len()))
    };
    let found: Vec<(&str, u32, bool)> = names.filter_map(bare).collect();
    let (first, second) = (found.first()?.1, found.get(1)?.1);
    let minutes = second.checked_sub(first).filter(|step| (5..=60).contains(step))?;
    let whole = DAY / minutes;
    let count = u32::try_from(found.len()).ok()?;
    let even = found
        .iter()
        .zip(0..whole)
        .all(|((_, at, _), place)| *at % DAY == (first + place * minutes) % DAY);
    let label = match first {
        0 => Label::Start,
        first if first == minutes && !found.first()?.2 => Label::End,
        _ => return None,
    };
    let columns: Vec<String> = found.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let bracket = columns.first()?.starts_with('[');
    let pattern = match (bracket, found.first()?.2) {
        (true, _) => r"^\[\d{1,2}:\d\d\]$",
        (false, true) => r"^\d{1,2}:\d\d\s*[-–]",
        (false, false) => r"^\d{1,2}:\d\d(:00)?$",
    };
    let (pattern, prefix) = (pattern.to_owned(), String::new());
    (even && count >= whole && count <= whole + 4).then_some(Wide {
        columns,
        label,
        minutes,
        pattern,
        prefix,
    })
}

fn indexes<'a>(names: impl Iterator<Item = &'a str>) -> Option<Wide> {
    let split = |name: &'a str| {
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (prefix, number) = name.split_at_checked(name.len() - digits)?;
        Some((name, prefix, number.parse::<u32>().ok().filter(|_| number.len() < 4)?))
    };
    let all: Vec<(&str, &str, u32)> = names.filter_map(split).collect();
    let start = all.iter().position(|(_, _, number)| *number == 1)?;
    let (_, prefix, _) = *all.get(start)?;
    let run = all.get(start..).unwrap_or_default().iter().zip(1..);
    let run = run.take_while(|((_, own, number), place)| *own == prefix && number == place);
    let columns: Vec<String> = run.map(|((name, ..), _)| (*name).to_owned()).collect();
    // A day of 25 hours has a few more.
    let minutes = match columns.len() {
        24 | 25 => 60,
        48 | 50 => 30,
        96 | 100 => 15,
        _ => return None,
    };
    let pattern = format!(r"^{}\d{{1,3}}$", regex_escaped(prefix));
    let prefix = prefix.trim_end_matches(['_', ' ', '-']).to_owned();
    Some(Wide { columns, label: Label::Index, minutes, pattern, prefix })
}

fn regex_escaped(text: &str) -> String {
    let letter = |letter: char| {
        let plain = letter.is_alphanumeric() || matches!(letter, '_' | ' ');
        if plain { letter.to_string() } else { format!("\\{letter}") }
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[String]) -> Option<(Label, u32, usize)> {
        find(names.iter().map(String::as_str))
            .map(|wide| (wide.label, wide.minutes, wide.columns.len()))
    }

    fn clock(first: u32, step: u32, around: [&str; 2]) -> Vec<String> {
        let [before, after] = around;
        let name = |place: u32| {
            let at = first + place * step;
            format!("{before}{:02}:{:02}{after}", at / 60, at % 60)
        };
        ["MPAN".to_owned(), "Date".to_owned()]
            .into_iter()
            .chain((0..1440 / step).map(name))
            .collect()
    }

    #[test]
    fn a_day_of_columns_is_found() {
        assert_eq!(check(&clock(0, 30, ["", ""])), Some((Label::Start, 30, 48)));
        assert_eq!(check(&clock(30, 30, ["[", "]"])), Some((Label::End, 30, 48)));
        assert_eq!(check(&clock(0, 15, ["", "-00:15"])), Some((Label::Start, 15, 96)));
        let indexed: Vec<String> = (1..=48).map(|place| format!("kWh_{place}")).collect();
        assert_eq!(check(&indexed), Some((Label::Index, 30, 48)));
        let short: Vec<String> = (1..=12).map(|month| format!("M{month}")).collect();
        assert_eq!(check(&short), None);
        assert_eq!(check(&["00:00".to_owned(), "12:00".to_owned()]), None);
    }
}
