//! The publisher's words: for our qualifiers, and those that moved between editions.

use super::Row;
use crate::catalogue::word;

/// Words that an edition has in another place or spelling than the first that had them: what stands
/// for them in keys, so that a series keeps its key. An empty word stands for nothing.
const MOVED: &[(&str, &str)] = &[
    ("0", ""),
    ("2020", ""),
    ("kWh", ""),
    ("Energy - Gross CV", ""),
    ("Energy - Net CV", ""),
    ("Tonnes", ""),
    ("Volume", ""),
    ("Average Laden", "Average laden"),
    ("Biodiesel ME (from Tallow)", "Biodiesel ME (from tallow)"),
    ("Incineration with Energy Recovery", "Combustion"),
    ("Kyoto protocol - standard", "Kyoto protocol products"),
    ("Kyoto protocol- blends", "Blends"),
    ("Montreal protocol - blends", "Blends"),
    ("Montreal protocol - standard", "Montreal protocol products"),
    ("Other perfluorinated gases", "Kyoto protocol products"),
    ("Other refrigerants", "Other products"),
    ("WTT- UK electricity", "WTT- UK & overseas elec"),
    ("WTT- business travel (air)", "WTT- business travel- air"),
    ("WTT- business travel (sea)", "WTT- business travel- sea"),
    ("WTT- gaseous fuels", "Gaseous fuels"),
    ("WTT- liquid fuels", "Liquid fuels"),
    ("WTT- pass vehs & travel (land)", "WTT- pass vehs & travel- land"),
    ("WTT- solid fuels", "Solid fuels"),
];

/// Those of the words of an edition that moved.
pub(super) fn renames<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<(String, String)> {
    let mut renames = std::collections::BTreeMap::new();
    for cells in rows {
        for printed in super::printed_words(cells) {
            if let Some((from, to)) = MOVED.iter().find(|(from, _)| *from == printed) {
                renames.insert((*from).to_owned(), (*to).to_owned());
            }
        }
    }
    renames.into_iter().collect()
}

/// The fuel of a vehicle: the column of a table of vehicles.
pub(super) fn vehicle_fuel(printed: &str) -> Option<&'static str> {
    word("vehicle_fuel", printed)
}

/// The class of a vehicle: the group and the item of a table of vehicles.
pub(super) fn vehicle_class(group: &str, item: &str) -> Option<String> {
    let group = group.strip_prefix("WTT- ").unwrap_or(group).to_lowercase();
    if group.starts_with("motorbike") {
        return word("vehicle_class", &format!("motorcycle {item}")).map(str::to_owned);
    }
    let class = word("vehicle_class", item)?;
    match class.strip_prefix("hgv_") {
        Some(rest) if group.contains("refrigerated") => {
            word("vehicle_class", &format!("hgv_refrigerated_{rest}")).map(str::to_owned)
        }
        _ => Some(class.to_owned()),
    }
}

/// The region of a table of overseas electricity: scheme and code.
pub(super) fn overseas(item: &str) -> Option<(&'static str, String)> {
    let place = item.strip_prefix("Electricity: ")?;
    let group = |code: &str| Some(("group", code.to_owned()));
    let country = match place {
        "Africa (average)" => return group("africa"),
        "EU (average)" => return group("eu"),
        "Latin America (average)" => return group("latin_america"),
        "Middle East (average)" => return group("middle_east"),
        "Non-OECD Europe and Eurasia (average)" => return group("europe_eurasia_non_oecd"),
        "Bulgaria" => "BG",
        "Chinese Taipei" => "TW",
        "Croatia" => "HR",
        "Cyprus" => "CY",
        "Denmark" => "DK",
        "Estonia" => "EE",
        "Finland" => "FI",
        "Gibraltar" => "GI",
        "Hungary" => "HU",
        "Iceland" => "IS",
        "Latvia" => "LV",
        "Lithuania" => "LT",
        "Luxembourg" => "LU",
        "Malta" => "MT",
        "Norway" => "NO",
        "Pakistan" => "PK",
        "People's Rep. of China" => "CN",
        "Slovenia" => "SI",
        "South Korea" => "KR",
        "Sweden" => "SE",
        "Ukraine" => "UA",
        other => word("country", other)?,
    };
    Some(("iso", country.to_owned()))
}
