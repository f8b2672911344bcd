//! Which column is what: by what it holds, then by its name in the languages that utilities write.

use envora_domain::catalogue;
use envora_domain::units::UnitError;

use super::columns::{Column, Holds};
use super::frame::is_unit;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Names the facility.
    Facility,
    /// Names the meter.
    Source,
    /// Names the unit of each row.
    Unit,
}

/// Words of a column's name, by what they say.
pub(super) mod said {
    pub(in super::super) const FROM: &[&str] = &[
        "from", "start", "begin", "van", "vanaf", "von", "ab", "beginn", "debut", "inicio",
        "inizio",
    ];
    pub(in super::super) const TO: &[&str] =
        &["to", "until", "end", "ending", "tot", "bis", "ende", "fin", "fino", "final"];
    pub(in super::super) const FACILITY: &[&str] = &[
        "site", "siteref", "building", "location", "facility", "depot", "premises", "property",
        "school", "branch", "standort", "gebaude", "locatie", "batiment", "edificio", "sede",
    ];
    pub(in super::super) const SOURCE: &[&str] = &[
        "meter",
        "mpan",
        "mprn",
        "mpr",
        "mpxn",
        "ean",
        "msn",
        "pod",
        "pdl",
        "prm",
        "nmi",
        "zahler",
        "zahlernummer",
        "compteur",
        "contador",
        "contatore",
        "cups",
    ];
    pub(in super::super) const ACCOUNT: &[&str] =
        &["account", "contract", "vertrag", "vertragskonto", "contrat", "contrato", "contratto"];
    pub(in super::super) const KIND: &[&str] = &["type", "kind", "typ", "art", "tipo", "soort"];
    pub(in super::super) const UNIT: &[&str] =
        &["unit", "units", "uom", "eenheid", "einheit", "unite", "unidad", "unita", "unidade"];
    pub(in super::super) const AMOUNT: &[&str] = &[
        "consumption",
        "usage",
        "use",
        "used",
        "quantity",
        "qty",
        "amount",
        "volume",
        "load",
        "energy",
        "verbrauch",
        "verbruik",
        "menge",
        "consommation",
        "consumo",
        "tonnage",
        "value",
        "wert",
    ];
    pub(in super::super) const SUM: &[&str] =
        &["total", "totaal", "gesamt", "summe", "sum", "totale", "cumulative"];
    pub(in super::super) const REGISTER: &[&str] = &[
        "stand",
        "zahlerstand",
        "meterstand",
        "index",
        "reading",
        "register",
        "lectura",
        "lettura",
    ];
    /// Numbers that name something.
    pub(in super::super) const NAMES: &[&str] = &[
        "id",
        "year",
        "code",
        "no",
        "nr",
        "number",
        "nummer",
        "postcode",
        "zip",
        "district",
        "latitude",
        "longitude",
        "phone",
        "ref",
    ];
    pub(in super::super) const DAY: &[&str] =
        &["date", "day", "datum", "tag", "dag", "fecha", "data", "jour", "giorno"];
}

/// What an activity may be, by words of names and cells.
pub(super) const CARRIERS: &[(&[&str], Carrier)] = &[
    (
        &[
            "electricity",
            "electric",
            "elec",
            "strom",
            "elektriciteit",
            "elektrizitat",
            "electricite",
            "electricidad",
            "elettrica",
            "eletrica",
            "mpan",
        ],
        Carrier::Electricity,
    ),
    (&["gas", "gaz", "erdgas", "aardgas", "mprn"], Carrier::Gas),
    (&["water", "wasser", "eau", "agua", "acqua"], Carrier::Water),
];

/// Words for what is thrown away.
pub(super) const WASTE: &[&str] =
    &["waste", "landfill", "recycling", "abfall", "afval", "residuos", "dechets", "rifiuti"];

/// Words for water that leaves.
pub(super) const SEWAGE: &[&str] = &[
    "sewer",
    "sewage",
    "sewerage",
    "wastewater",
    "effluent",
    "returned",
    "drain",
    "abwasser",
    "afvalwater",
];

/// What a meter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Carrier {
    Electricity,
    Gas,
    Water,
}

/// A name's words: lower case, accents off, cut at signs and inner capitals.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut low = false;
    for letter in name.chars() {
        let cut = letter.is_uppercase() && low;
        if (cut || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(core::mem::take(&mut word));
        }
        low = letter.is_lowercase();
        if letter.is_alphanumeric() {
            word.extend(plain(letter).to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

const fn plain(letter: char) -> char {
    match letter {
        'ä' | 'á' | 'à' | 'â' | 'Ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ö' | 'ó' | 'ô' | 'õ' | 'Ö' => 'o',
        'ü' | 'ú' | 'û' | 'Ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// Whether a name has one of these words; `UoM` is one word too, for all its capitals.
pub(super) fn has(name: &str, said: &[&str]) -> bool {
    let whole = || name.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    words(name).into_iter().chain(whole()).any(|word| said.contains(&word.as_str()))
}

/// The carrier that words name; nothing when they name none, or two.
pub(super) fn carrier<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Carrier> {
    let mut found: Vec<Carrier> = texts
        .flat_map(words)
        .filter_map(|word| {
            CARRIERS.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, own)| *own)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    if let [only] = found.as_slice() { Some(*only) } else { None }
}

/// Words beside a carrier's that change nothing.
const NEUTRAL: &[&str] = &[
    "natural",
    "mains",
    "main",
    "grid",
    "supply",
    "supplied",
    "consumption",
    "usage",
    "import",
    "purchased",
    "meter",
    "hh",
    "nhh",
    "k",
    "wh",
    "m3",
    "cold",
    "energy",
    "bill",
    "the",
];

/// The carrier that a cell names and nothing besides.
pub(super) fn plain_carrier(text: &str) -> Option<Carrier> {
    let is_plain = |word: &String| {
        NEUTRAL.contains(&word.as_str())
            || CARRIERS.iter().any(|(words, _)| words.contains(&word.as_str()))
    };
    words(text).iter().all(is_plain).then(|| carrier(std::iter::once(text)))?
}

/// Whether each cell of a column says what was used, such as Gas or Electricity: it names no meter then,
/// whatever it is called.
pub(super) fn says_what(column: &Column) -> bool {
    let says = |text: &String| {
        plain_carrier(text).is_some()
            || catalogue::word("fuel", text).is_some()
            || catalogue::find(text).is_some()
    };
    column.holds() == Holds::Words
        && !column.many
        && column.filled > 0
        && column.texts.keys().all(says)
}

/// Whether a text says that something was given back, not taken.
pub(super) fn is_given_back(text: &str) -> bool {
    let folded = words(text).concat();
    GIVEN_BACK.iter().any(|word| folded.contains(word))
}

/// Words for energy that is fed into the grid.
const GIVEN_BACK: &[&str] = &[
    "injectie",
    "injection",
    "teruglever",
    "export",
    "feedin",
    "einspeis",
    "immissione",
    "vertido",
    "delivered",
];

/// The column that names the facility, the meter, and so on: the first whose name says so and that
/// holds names.
pub(super) fn named(columns: &[Column], role: Role) -> Option<&Column> {
    let said = match role {
        Role::Facility => said::FACILITY,
        Role::Source => said::SOURCE,
        Role::Unit => said::UNIT,
    };
    let fits = |column: &&Column| match role {
        Role::Unit => {
            column.holds() == Holds::Words
                && !column.many
                && column.texts.keys().all(|text| is_unit(text))
        }
        // `Meter type` tells meters from each other by their kind, and names none.
        Role::Source if has(&column.name, said::KIND) || says_what(column) => false,
        Role::Facility | Role::Source => {
            !matches!(column.holds(), Holds::Nothing | Holds::Times(_) | Holds::Clock(_))
        }
    };
    // `Location` before `Assessment of the location`.
    let told = |column: &&Column| words(&column.name).len();
    columns.iter().filter(|column| has(&column.name, said)).filter(fits).min_by_key(told)
}

/// Whether a unit is one of something that is used: no share, no area, no bare number.
fn is_used(unit: &str) -> bool {
    let code = envora_domain::units::lookup(unit, envora_domain::units::AliasSet::None);
    let Ok(code) = code else { return true };
    !["%", "1", "m2"].contains(&code.as_str()) && !code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unit that a column's name or its cell in the row of units says, as it is written there.
pub(super) fn unit_of(column: &Column) -> Option<String> {
    let bare = |text: &str| text.trim_matches(['[', ']', '(', ')', ' ']).to_owned();
    let own = bare(&column.unit);
    if is_unit(&own) && is_used(&own) {
        return Some(own);
    }
    for (open, close) in [('[', ']'), ('(', ')')] {
        let inner = column.name.rsplit_once(open).and_then(|(_, rest)| rest.split_once(close));
        if let Some((inner, _)) = inner
            && is_unit(inner.trim())
            && is_used(inner.trim())
        {
            return Some(inner.trim().to_owned());
        }
    }
    let signs = [' ', '_', '-', ',', '/'];
    let fits =
        |word: &String| word.len() >= 2 && is_unit(word) && is_used(word) && !has(word, said::UNIT);
    let last = column.name.rsplit(signs).next().map(bare).filter(fits);
    // `Kg added`, `kwh_delivered`: at the start only where nothing else can be meant.
    let first = || column.name.split([' ', '_']).next().map(bare);
    let plain = |word: &String| {
        let code = envora_domain::units::lookup(word, envora_domain::units::AliasSet::None);
        let is_first = |code: &String| FIRST.contains(&code.as_str());
        let known = match &code {
            Ok(code) => is_first(code),
            // `mWh`: which of the two is asked.
            Err(UnitError::Ambiguous { meanings, .. }) => meanings.iter().any(is_first),
            Err(_) => false,
        };
        fits(word) && known
    };
    last.or_else(|| first().filter(plain))
}

/// Units that a name may begin with.
const FIRST: &[&str] = &["kg", "t", "L", "kW.h", "MW.h", "m3"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words("ReadDatetime"), ["read", "datetime"]);
        assert_eq!(words("equipment load [kWh]"), ["equipment", "load", "k", "wh"]);
        assert_eq!(words("Zählerstand"), ["zahlerstand"]);
        assert_eq!(words("MPAN"), ["mpan"]);
    }

    #[test]
    fn a_unit_is_read_from_a_name() {
        let unit = |name: &str| unit_of(&Column::new(name, ""));
        assert_eq!(unit("equipment load [kWh]").as_deref(), Some("kWh"));
        assert_eq!(unit("Volume (m³)").as_deref(), Some("m³"));
        assert_eq!(unit("kWh").as_deref(), Some("kWh"));
        assert_eq!(unit("Total Units"), None);
        assert_eq!(unit("Kg added").as_deref(), Some("Kg"));
        assert_eq!(unit("Added by"), None);
        assert_eq!(unit_of(&Column::new("use", "(kWh)")).as_deref(), Some("kWh"));
    }

    #[test]
    fn two_carriers_are_none() {
        let named = |texts: &[&str]| carrier(texts.iter().copied());
        assert_eq!(named(&["fluvius_gas_uurtotalen"]), Some(Carrier::Gas));
        assert_eq!(named(&["gas and water"]), None);
        assert_eq!(named(&["steam"]), None);
    }
}
