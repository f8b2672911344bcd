//! Rows of a table that sum others up, by the words of their first cell.

use crate::mapping::times::MONTHS_LONG;

/// Words that alone, or at the end of a cell, say that a row sums others up.
const TOTALS: &[&str] = &[
    "total",
    "totals",
    "totale",
    "totali",
    "totaux",
    "totaal",
    "totalen",
    "totalt",
    "totalsumme",
    "subtotal",
    "subtotals",
    "subtotaal",
    "subtotale",
    "gesamt",
    "gesamtsumme",
    "insgesamt",
    "summe",
    "zwischensumme",
    "endsumme",
    "σ",
];
/// Others that say so alone, or before what they are the sum of.
const SUMS: &[&str] = &["sum", "sums", "suma", "soma", "som", "somme"];
/// What stands behind such a word where it is none of a name.
const BEHIND: &[&str] = &[
    "of",
    "for",
    "per",
    "by",
    "in",
    "für",
    "fur",
    "von",
    "pour",
    "par",
    "de",
    "des",
    "du",
    "del",
    "di",
    "da",
    "van",
    "voor",
    "general",
    "générale",
    "général",
    "generale",
    "amount",
    "consumption",
    "usage",
    "use",
    "verbrauch",
    "verbruik",
    "consommation",
    "consumo",
    "kwh",
    "mwh",
    "gwh",
    "wh",
    "kg",
    "t",
    "tonnes",
    "l",
    "litres",
    "liters",
    "gallons",
    "m3",
    "m³",
    "km",
    "miles",
    "gbp",
    "eur",
    "usd",
    "q1",
    "q2",
    "q3",
    "q4",
    "year",
];
/// A longer cell is a sentence.
const LETTERS_MAX: usize = 60;

/// Whether a row's first cell marks it as the sum of others.
pub(crate) fn is_total(first: &str) -> bool {
    if first.len() > LETTERS_MAX || !may_be(first) {
        return false;
    }
    let lower = first.to_lowercase();
    let mut words =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let Some(head) = words.next() else { return false };
    let second = words.next();
    let last = words.next_back().or(second).unwrap_or(head);
    if TOTALS.contains(&last) {
        return true;
    }
    let leads = TOTALS.contains(&head) || SUMS.contains(&head);
    let names_no_one = |word: &str| {
        BEHIND.contains(&word)
            || MONTHS_LONG.contains(&word)
            || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    leads && second.is_none_or(names_no_one)
}

/// Whether some of its letters are those of such a word: few cells have them.
fn may_be(first: &str) -> bool {
    let starts: [&[u8]; 4] = [b"tot", b"sum", b"som", b"ges"];
    let is_one = |three: &[u8]| starts.iter().any(|own| three.eq_ignore_ascii_case(own));
    first.as_bytes().windows(3).any(is_one) || first.contains('Σ')
}

#[cfg(test)]
mod tests {
    use super::is_total;

    #[test]
    fn a_total_is_known_by_its_words() {
        for first in [
            "Total",
            "TOTAL:",
            "total ",
            "Summe:",
            "Total kWh",
            "Total (kWh)",
            "Total 2022",
            "Total for site",
            "Annual total",
            "TOTAL GENERAL",
            "Sub-total",
            "Subtotal Q1",
            "Totale",
            "Gesamtsumme",
            "Zwischensumme",
            "Insgesamt",
            "Σ",
            "Sum",
            "sum of rows",
            "Grand total",
            "Totaal",
            "Gesamt",
            "Site 4 total",
            "** Total **",
            "Total général",
            "Totaux",
        ] {
            assert!(is_total(first), "{first}");
        }
    }

    #[test]
    fn names_are_not_totals() {
        for first in [
            "",
            "2022-01-01",
            "TotalEnergies",
            "Total Energies SE",
            "Total Gas & Power",
            "Sumner Street",
            "Somerset House",
            "Sumatra",
            "Gesundheitsamt",
            "Summer school",
            "Somme Road 4",
            "Lump sum",
            "Totnes",
            "kWh",
            "total energy management",
        ] {
            assert!(!is_total(first), "{first}");
        }
    }
}
