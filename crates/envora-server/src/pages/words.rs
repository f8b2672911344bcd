//! Numbers, days and codes as people read them. The exact digits always stand beside them.

use envora_api::amounts::Amount;
use envora_api::footprints::Period;
use envora_domain::decimal::{Mass, group_thousands};
use envora_domain::time::{Day, Timestamp};

/// The months, in full.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A number of the footprint, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Tonnes, rounded for reading.
    pub(super) tonnes: String,
    /// Kilograms, every digit.
    pub(super) kg: String,
    /// Its trace.
    pub(super) href: String,
    /// For charts.
    pub(super) mass: Mass,
}

impl Number {
    /// What the wire says; a value that is no number is shown as it came and drawn as nothing.
    pub(super) fn of(amount: &Amount) -> Self {
        let mass = Mass::parse_kg(&amount.value);
        Self {
            tonnes: mass.map_or_else(|_| amount.value.clone(), tonnes),
            kg: group_thousands(&amount.value),
            href: format!("/figures/{}", amount.figure_id),
            mass: mass.unwrap_or_default(),
        }
    }
}

/// Tonnes with about four digits that count: `2,312.4`, `41.07`, `0.072`, `0`.
pub(super) fn tonnes(mass: Mass) -> String {
    const TONNE: i128 = 1_000_000_000_000_000;
    let size = mass.units().unsigned_abs();
    let digits = [(100, 1), (1, 2), (0, 3)]
        .into_iter()
        .find(|(from, _)| size >= u128::try_from(from * TONNE).unwrap_or(0));
    let text = mass.tonnes(digits.map_or(3, |(_, digits)| digits));
    if size == 0 {
        "0".to_owned()
    } else if text.chars().all(|letter| !letter.is_ascii_digit() || letter == '0') {
        "< 0.001".to_owned()
    } else {
        text
    }
}

/// `part` of `whole` in per cent, one digit: `12.5 %`; nothing of nothing is no share.
/// What is there and too little for that is `< 0.1 %`, never nothing.
pub(super) fn share(part: Mass, whole: Mass) -> Option<String> {
    let tenths = part.units().checked_mul(1000)?.checked_add(whole.units() / 2)?;
    let tenths = tenths.checked_div(whole.units())?;
    (whole > Mass::ZERO && part >= Mass::ZERO).then(|| match tenths {
        0 if part > Mass::ZERO => "<\u{a0}0.1\u{a0}%".to_owned(),
        _ => format!("{}.{}\u{a0}%", tenths / 10, tenths % 10),
    })
}

/// `1 January 2022`.
pub(super) fn day(day: Day) -> String {
    let (year, month, date) = day.ymd();
    format!("{date}\u{a0}{}\u{a0}{year}", month_name(month))
}

/// `20 November 2026, 09:00 UTC`.
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}, {} UTC", day(at.utc_day()), text.get(11..16).unwrap_or_default())
}

/// A number of bytes for people: `812 bytes`, `1.4 MB`.
pub(super) fn bytes(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => count(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{}\u{a0}kB", tenths(1_000)),
        _ => format!("{}\u{a0}MB", tenths(1_000_000)),
    }
}

/// `2022` for a whole year, `January 2022` for a whole month, else both days.
pub(super) fn period(period: Period) -> String {
    let (first, last) = (period.from, period.to.plus(-1));
    let ((year, month, date), next) = (first.ymd(), period.to.ymd());
    if (month, date) == (1, 1) && next == (year.saturating_add(1), 1, 1) {
        return year.to_string();
    }
    let following = if month == 12 { (year.saturating_add(1), 1, 1) } else { (year, month + 1, 1) };
    if date == 1 && next == following {
        return format!("{} {year}", month_name(month));
    }
    if first == last { day(first) } else { format!("{} to {}", day(first), day(last)) }
}

/// `January` for 1.
pub(super) fn month_name(month: i8) -> &'static str {
    usize::try_from(month)
        .ok()
        .and_then(|month| MONTHS.get(month.checked_sub(1)?))
        .copied()
        .unwrap_or("")
}

/// `2022-03` as year and month.
pub(super) fn year_month(text: &str) -> Option<(i16, i8)> {
    let (year, month) = text.split_once('-')?;
    let month = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    Some((year.parse().ok()?, month))
}

/// A code as a sentence's beginning: `unknown_facility` → `Unknown facility`.
pub(super) fn code(code: &str) -> String {
    let mut letters = match code {
        "fx_missing" => "Exchange rate missing".to_owned(),
        _ => code.replace('_', " ").replace("gwp", "GWP").replace("utf8", "UTF-8"),
    };
    if let Some(first) = letters.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// What a command says to ask this server for this organization.
pub(super) fn asks(host: &str, organization: &str) -> String {
    format!("--server http://{host} --org {organization}")
}

/// A slot in words.
pub(super) fn slot(slot: &str) -> String {
    let words = match slot {
        "s1" => "Scope 1",
        "s2_lb" => "Scope 2, location-based",
        "s2_mb" => "Scope 2, market-based",
        "c3_tnd" => "Scope 3.3, losses in the grid",
        "c3_wtt" => "Scope 3.3, upstream of the fuel",
        "c3_wtt_tnd" => "Scope 3.3, upstream of the losses",
        "biogenic" => "Biogenic CO\u{2082}, apart",
        "s1_gases" => "Scope 1, methane and nitrous oxide",
        "non_kyoto" => "Outside the Kyoto group, apart",
        "memo" => "Removed, bought or avoided, apart",
        "s3" => "Scope 3",
        "s3_power" => "Scope 3, charging",
        "s3_tnd" => "Scope 3, losses in the grid",
        "s3_wtt" => "Scope 3, upstream of the fuel",
        "s3_wtt_tnd" => "Scope 3, upstream of the losses",
        other => return code(other),
    };
    words.to_owned()
}

/// A category of scope 3 by its number.
pub(super) fn category(number: &str) -> String {
    let name = match number {
        "1" => "Purchased goods and services",
        "2" => "Capital goods",
        "3" => "Fuel- and energy-related",
        "4" => "Upstream transport",
        "5" => "Waste",
        "6" => "Business travel",
        "7" => "Commuting",
        "8" => "Upstream leased assets",
        "9" => "Downstream transport",
        "10" => "Processing of sold products",
        "11" => "Use of sold products",
        "12" => "End of life of sold products",
        "13" => "Downstream leased assets",
        "14" => "Franchises",
        "15" => "Investments",
        _ => return "In no category".to_owned(),
    };
    format!("3.{number} {name}")
}

/// An activity type in words: `fuel.combusted.mobile` → `Fuel combusted, mobile`.
pub(super) fn kind(kind: &str) -> String {
    let mut parts = kind.split('.');
    let first = parts.by_ref().take(2).collect::<Vec<_>>().join(" ");
    let rest: String = parts.map(|part| format!(", {part}")).collect();
    code(&format!("{first}{rest}"))
}

/// A slot in a word or two, for lists.
pub(super) fn slot_short(slot: &str) -> String {
    let words = match slot {
        "s1" => "Scope 1",
        "s2_lb" => "2 location",
        "s2_mb" => "2 market",
        "c3_tnd" => "3.3 losses",
        "c3_wtt" => "3.3 upstream",
        "c3_wtt_tnd" => "3.3 upstream of losses",
        "s1_gases" => "1 other gases",
        "s3" => "Scope 3",
        "s3_power" => "3 charging",
        "s3_tnd" => "3 losses",
        "s3_wtt" => "3 upstream",
        "s3_wtt_tnd" => "3 upstream of losses",
        other => return code(other),
    };
    words.to_owned()
}

/// A gas in words, `CO₂` for `CO2`.
pub(super) fn gas(gas: &str) -> String {
    match gas {
        "co2e" => "CO\u{2082}e, printed only as a total".to_owned(),
        "co2e_residue" => "Difference to the printed total".to_owned(),
        other => gas_short(other),
    }
}

/// A gas as a formula.
pub(super) fn gas_short(gas: &str) -> String {
    match gas {
        "CO2" | "co2" => "CO\u{2082}".to_owned(),
        "CH4" | "ch4" => "CH\u{2084}".to_owned(),
        "N2O" | "n2o" => "N\u{2082}O".to_owned(),
        "SF6" | "sf6" => "SF\u{2086}".to_owned(),
        "NF3" | "nf3" => "NF\u{2083}".to_owned(),
        "co2e" => "CO\u{2082}e total".to_owned(),
        "co2e_residue" => "difference".to_owned(),
        other => other.to_owned(),
    }
}

/// A sentence of the engine for people: its `quoted words` in real quotes, its first letter large, a
/// stop at its end. What begins with a word of the machine, such as a method's id, keeps it as it is;
/// slots in brackets at the end are told by name.
pub(super) fn prose(text: &str) -> String {
    let with_slots = slots_at_end(text);
    let text = with_slots.as_deref().unwrap_or(text);
    let first_word = text.split(' ').next().unwrap_or_default();
    let is_id = first_word.trim_end_matches([':', ',', '.']).contains(['/', '@', '.', '_']);
    let mut inside = false;
    let mut sentence: String = text
        .chars()
        .map(|letter| match letter {
            '`' => {
                inside = !inside;
                if inside { '\u{201c}' } else { '\u{201d}' }
            }
            other => other,
        })
        .collect();
    if let Some(first) = sentence.get_mut(0..1).filter(|_| !is_id) {
        first.make_ascii_uppercase();
    }
    let open = |letter: char| letter.is_alphanumeric() || matches!(letter, '\u{201d}' | ')');
    if sentence.ends_with(open) {
        sentence.push('.');
    }
    sentence
}

/// `… in (c3_wtt, s1)` with the slots by name; nothing when the brackets hold anything else.
fn slots_at_end(text: &str) -> Option<String> {
    let (before, slots) = text.strip_suffix(')')?.rsplit_once(" (")?;
    let names: Option<Vec<String>> = slots
        .split(", ")
        .map(|word| Some(word).filter(|word| SLOTS.contains(word)).map(slot_short))
        .collect();
    Some(format!("{before}: {}", names?.join(", ")))
}

/// The slots, as the engine writes them.
const SLOTS: [&str; 15] = [
    "s1",
    "s1_gases",
    "s2_lb",
    "s2_mb",
    "c3_tnd",
    "c3_wtt",
    "c3_wtt_tnd",
    "s3",
    "s3_power",
    "s3_tnd",
    "s3_wtt",
    "s3_wtt_tnd",
    "biogenic",
    "non_kyoto",
    "memo",
];

/// A part of a figure in words: a month, a slot or a gas by its name; what people named, as it is.
pub(super) fn part(label: &str) -> String {
    if let Some((year, month)) = year_month(label) {
        return format!("{} {year}", month_name(month));
    }
    match label {
        label if SLOTS.contains(&label) => slot(label),
        "CO2" | "CH4" | "N2O" | "SF6" | "NF3" | "co2e" | "co2e_residue" => gas(label),
        other => other.to_owned(),
    }
}

/// A GWP set or basis in words.
pub(super) fn gwp_set(set: &str) -> String {
    match set {
        "published" => "as each publisher printed it".to_owned(),
        "sar" | "tar" | "ar4" | "ar5" | "ar6" => format!("IPCC {}, 100 years", set.to_uppercase()),
        other => other.to_uppercase().replace('-', " "),
    }
}

/// `1 activity`, `2 activities`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{}\u{a0}{}",
        group_thousands(&number.to_string()),
        if number == 1 { one } else { many }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tonnes_keep_about_four_digits() {
        #[track_caller]
        fn check(kg: &str, want: &str) {
            assert_eq!(tonnes(Mass::parse_kg(kg).expect("a mass")), want, "{kg}");
        }
        check("2312449.123", "2,312.4");
        check("41071", "41.07");
        check("72.014712", "0.072");
        check("0", "0");
        check("0.02", "< 0.001");
        check("-1500", "-1.50");
    }

    #[test]
    fn periods_have_names() {
        #[track_caller]
        fn check(from: &str, to: &str, want: &str) {
            let day = |text| Day::parse(text).expect("a day");
            let text = period(Period { from: day(from), to: day(to) }).replace('\u{a0}', " ");
            assert_eq!(text, want);
        }
        check("2022-01-01", "2023-01-01", "2022");
        check("2022-12-01", "2023-01-01", "December 2022");
        check("2022-02-01", "2022-03-01", "February 2022");
        check("2022-02-01", "2022-02-02", "1 February 2022");
        check("2022-04-01", "2023-04-01", "1 April 2022 to 31 March 2023");
    }

    #[test]
    fn shares_are_of_something() {
        let kg = |text| Mass::parse_kg(text).expect("a mass");
        assert_eq!(share(kg("1"), kg("3")).as_deref(), Some("33.3\u{a0}%"));
        assert_eq!(share(kg("3"), kg("3")).as_deref(), Some("100.0\u{a0}%"));
        assert_eq!(share(kg("0"), kg("0")), None);
        assert_eq!(share(kg("0"), kg("3")).as_deref(), Some("0.0\u{a0}%"));
        assert_eq!(share(kg("1"), kg("9000")).as_deref(), Some("<\u{a0}0.1\u{a0}%"));
    }

    #[test]
    fn codes_and_counts_are_words() {
        assert_eq!(code("unknown_facility"), "Unknown facility");
        assert_eq!(code("native_gwp_basis"), "Native GWP basis");
        assert_eq!(code(""), "");
        assert_eq!(kind("fuel.combusted.mobile"), "Fuel combusted, mobile");
        assert_eq!(kind("water.supplied"), "Water supplied");
        assert_eq!(category("4"), "3.4 Upstream transport");
        assert_eq!(prose("`b24`: add the facility"), "\u{201c}b24\u{201d}: add the facility.");
        assert_eq!(prose("electricity.grid@1 for it"), "electricity.grid@1 for it.");
        assert_eq!(prose("they stand in (s1, c3_wtt)"), "They stand in: Scope 1, 3.3 upstream.");
        assert_eq!(prose("none for it (region)"), "None for it (region).");
        assert_eq!(code("fx_missing"), "Exchange rate missing");
        assert_eq!(
            (gas("CO2"), part("CH4"), part("s1x")),
            ("CO\u{2082}".into(), "CH\u{2084}".into(), "s1x".into())
        );
        assert_eq!(count(1, "activity", "activities"), "1\u{a0}activity");
        assert_eq!(count(105_120, "activity", "activities"), "105,120\u{a0}activities");
    }
}
