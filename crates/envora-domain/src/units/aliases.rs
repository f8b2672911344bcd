//! Words for units: publishers' and people's, reviewed one by one, and those that are refused.

use super::{AliasSet, UNIT_CHARS_MAX, UnitError, read_code, unknown};
use crate::words::same_but_written_otherwise;

/// Words that mean one thing everywhere, in lower case, and their codes.
const COMMON: &[(&str, &str)] = &[
    ("kwh", "kW.h"),
    ("kilowatt hour", "kW.h"),
    ("kilowatt hours", "kW.h"),
    ("kilowatt-hour", "kW.h"),
    ("kilowatt-hours", "kW.h"),
    ("wh", "W.h"),
    ("mwh", "MW.h"),
    ("megawatt hour", "MW.h"),
    ("megawatt hours", "MW.h"),
    ("gwh", "GW.h"),
    ("kwh (gross cv)", "kW.h.x:gross"),
    ("kwh (net cv)", "kW.h.x:net"),
    ("kwh gross", "kW.h.x:gross"),
    ("kwh net", "kW.h.x:net"),
    ("mwh (gross cv)", "MW.h.x:gross"),
    ("mwh (net cv)", "MW.h.x:net"),
    ("mj", "MJ"),
    ("megajoule", "MJ"),
    ("megajoules", "MJ"),
    ("gj", "GJ"),
    ("gigajoule", "GJ"),
    ("gigajoules", "GJ"),
    ("gj (gross cv)", "GJ.x:gross"),
    ("gj (net cv)", "GJ.x:net"),
    ("mmbtu", "10*6.[Btu_IT]"),
    ("kilogram", "kg"),
    ("kilograms", "kg"),
    ("kg", "kg"),
    ("kgs", "kg"),
    ("gram", "g"),
    ("grams", "g"),
    ("tonne", "t"),
    ("tonnes", "t"),
    ("metric ton", "t"),
    ("metric tons", "t"),
    ("short ton", "[ston_av]"),
    ("short tons", "[ston_av]"),
    ("long ton", "[lton_av]"),
    ("long tons", "[lton_av]"),
    ("lb", "[lb_av]"),
    ("lbs", "[lb_av]"),
    ("pound", "[lb_av]"),
    ("pounds", "[lb_av]"),
    ("litre", "L"),
    ("litres", "L"),
    ("liter", "L"),
    ("liters", "L"),
    ("ltr", "L"),
    ("ltr.", "L"),
    ("million litres", "ML"),
    ("us gallon", "[gal_us]"),
    ("us gallons", "[gal_us]"),
    ("imperial gallon", "[gal_br]"),
    ("imperial gallons", "[gal_br]"),
    ("m³", "m3"),
    ("m^3", "m3"),
    ("cubic metre", "m3"),
    ("cubic metres", "m3"),
    ("cubic meter", "m3"),
    ("cubic meters", "m3"),
    ("cubic foot", "[cft_i]"),
    ("cubic feet", "[cft_i]"),
    ("m²", "m2"),
    ("square metre", "m2"),
    ("square metres", "m2"),
    ("square meter", "m2"),
    ("square meters", "m2"),
    ("kilometre", "km"),
    ("kilometres", "km"),
    ("kilometer", "km"),
    ("kilometers", "km"),
    ("mile", "[mi_i]"),
    ("miles", "[mi_i]"),
    ("passenger.km", "x:pax.km"),
    ("passenger-km", "x:pax.km"),
    ("passenger km", "x:pax.km"),
    ("pax-km", "x:pax.km"),
    ("pax.km", "x:pax.km"),
    ("pax km", "x:pax.km"),
    ("pkm", "x:pax.km"),
    ("passenger.mile", "x:pax.[mi_i]"),
    ("passenger.miles", "x:pax.[mi_i]"),
    ("passenger-mile", "x:pax.[mi_i]"),
    ("passenger-miles", "x:pax.[mi_i]"),
    ("passenger mile", "x:pax.[mi_i]"),
    ("passenger miles", "x:pax.[mi_i]"),
    ("passenger.mi", "x:pax.[mi_i]"),
    ("passenger-mi", "x:pax.[mi_i]"),
    ("passenger mi", "x:pax.[mi_i]"),
    ("pax.mi", "x:pax.[mi_i]"),
    ("pax-mi", "x:pax.[mi_i]"),
    ("pax mi", "x:pax.[mi_i]"),
    ("pax.mile", "x:pax.[mi_i]"),
    ("pax.miles", "x:pax.[mi_i]"),
    ("pax-mile", "x:pax.[mi_i]"),
    ("pax-miles", "x:pax.[mi_i]"),
    ("pax mile", "x:pax.[mi_i]"),
    ("pax miles", "x:pax.[mi_i]"),
    ("x:pax.mi", "x:pax.[mi_i]"),
    ("vehicle.km", "x:veh.km"),
    ("vehicle-km", "x:veh.km"),
    ("vehicle km", "x:veh.km"),
    ("vehicle.mi", "x:veh.[mi_i]"),
    ("vehicle-mi", "x:veh.[mi_i]"),
    ("vehicle mi", "x:veh.[mi_i]"),
    ("vehicle.mile", "x:veh.[mi_i]"),
    ("vehicle.miles", "x:veh.[mi_i]"),
    ("vehicle-mile", "x:veh.[mi_i]"),
    ("vehicle-miles", "x:veh.[mi_i]"),
    ("vehicle mile", "x:veh.[mi_i]"),
    ("vehicle miles", "x:veh.[mi_i]"),
    ("x:veh.mi", "x:veh.[mi_i]"),
    ("tonne.km", "t.km"),
    ("tonne-km", "t.km"),
    ("tonne km", "t.km"),
    ("tonne.mi", "t.[mi_i]"),
    ("tonne-mi", "t.[mi_i]"),
    ("tonne mi", "t.[mi_i]"),
    ("tonne.mile", "t.[mi_i]"),
    ("tonne.miles", "t.[mi_i]"),
    ("tonne-mile", "t.[mi_i]"),
    ("tonne-miles", "t.[mi_i]"),
    ("tonne mile", "t.[mi_i]"),
    ("tonne miles", "t.[mi_i]"),
    ("short ton-mile", "[ston_av].[mi_i]"),
    ("short ton-miles", "[ston_av].[mi_i]"),
    ("short ton mile", "[ston_av].[mi_i]"),
    ("short ton miles", "[ston_av].[mi_i]"),
    ("short-ton-mile", "[ston_av].[mi_i]"),
    ("short-ton-miles", "[ston_av].[mi_i]"),
    ("long ton-mile", "[lton_av].[mi_i]"),
    ("long ton-miles", "[lton_av].[mi_i]"),
    ("long ton mile", "[lton_av].[mi_i]"),
    ("long ton miles", "[lton_av].[mi_i]"),
    ("ton kilometer", "t.km"),
    ("tkm", "t.km"),
    ("room per night", "x:room_night"),
    ("per fte working hour", "x:fte.h"),
    ("piece", "x:pce"),
    ("pieces", "x:pce"),
    ("hour", "h"),
    ("hours", "h"),
];

/// Words that only a declared set settles: word, set, code.
const SETTLED: &[(&str, AliasSet, &str)] = &[
    ("ton", AliasSet::Us, "[ston_av]"),
    ("ton", AliasSet::Uk, "[lton_av]"),
    ("ton", AliasSet::Eu, "t"),
    ("gal", AliasSet::Us, "[gal_us]"),
    ("gal", AliasSet::Uk, "[gal_br]"),
    ("therm", AliasSet::Us, "x:therm_us"),
    ("therm", AliasSet::Uk, "x:therm_uk"),
    ("therm", AliasSet::Eu, "x:therm_epa"),
    ("therm (gross cv)", AliasSet::Us, "x:therm_us.x:gross"),
    ("therm (gross cv)", AliasSet::Uk, "x:therm_uk.x:gross"),
    ("ton-mile", AliasSet::Us, "[ston_av].[mi_i]"),
];

/// A word that is refused: its spellings in lower case, what it leaves open, and codes to write.
struct Refusal {
    words: &'static [&'static str],
    why: &'static str,
    meanings: &'static [&'static str],
}

const REFUSED: &[Refusal] = &[
    Refusal {
        words: &["ton", "tons"],
        why: "metric, short or long?",
        meanings: &["t", "[ston_av]", "[lton_av]"],
    },
    Refusal {
        words: &["ton-mile", "ton-miles", "ton.mile", "ton.miles", "ton mile", "ton miles"],
        why: "metric, short or long tons?",
        meanings: &["t.[mi_i]", "[ston_av].[mi_i]", "[lton_av].[mi_i]"],
    },
    Refusal {
        words: &["gal", "gallon", "gallons"],
        why: "United States or imperial?",
        meanings: &["[gal_us]", "[gal_br]"],
    },
    Refusal {
        words: &["mbtu"],
        why: "a thousand or a million?",
        meanings: &["10*3.[Btu_IT]", "10*6.[Btu_IT]"],
    },
    Refusal { words: &["btu", "btus"], why: "of which definition?", meanings: &["[Btu_IT]"] },
    Refusal {
        words: &["therm", "therms", "therm (gross cv)", "therms (gross cv)"],
        why: "United States, United Kingdom or 0.1 mmBtu?",
        meanings: &["x:therm_us", "x:therm_uk", "x:therm_epa"],
    },
    Refusal {
        words: &["ccf", "hcf"],
        why: "of water, or of gas at which conditions?",
        meanings: &["10*2.[cft_i]", "10*2.x:scf_60F"],
    },
    Refusal {
        words: &["mcf"],
        why: "a thousand or a million, at which conditions?",
        meanings: &["10*3.x:scf_60F", "10*6.x:scf_60F"],
    },
    Refusal {
        words: &["cal", "kcal", "mcal", "gcal", "calorie", "calories"],
        why: "international table or thermochemical?",
        meanings: &["cal_IT", "cal_th"],
    },
    Refusal {
        words: &["unit", "units", "each", "ea", "ea."],
        why: "of what? items of different kinds do not add up",
        meanings: &["x:pce"],
    },
];

/// The words that mean one thing everywhere, each with its code.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMON.iter().copied()
}

/// The words that are refused: their spellings, what they leave open, and codes to write.
pub fn refused_words()
-> impl Iterator<Item = (&'static [&'static str], &'static str, &'static [&'static str])> {
    REFUSED.iter().map(|refused| (refused.words, refused.why, refused.meanings))
}

/// Writes a word as the tables do: lower case, single blanks, plural of a refused word left off.
fn written(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Why this text is refused, if it is one of those with several meanings.
pub(super) fn refusal(text: &str) -> Option<UnitError> {
    let word = written(text);
    // Written as UCUM does, these two are milliwatt and milli-joule texts: case decides, so it is asked.
    let milli = matches!(text.trim(), "mWh" | "mJ");
    if milli {
        return Some(UnitError::Ambiguous {
            text: text.to_owned(),
            why: "milli or mega? The case of the first letter decides",
            meanings: vec!["MW.h".to_owned(), "mW.h".to_owned(), "MJ".to_owned()],
        });
    }
    let refused = REFUSED.iter().find(|refused| refused.words.contains(&word.as_str()))?;
    Some(UnitError::Ambiguous {
        text: text.chars().take(UNIT_CHARS_MAX).collect(),
        why: refused.why,
        meanings: refused.meanings.iter().map(|code| (*code).to_owned()).collect(),
    })
}

/// The code of a unit as people write it: a code itself, or a word of the tables.
///
/// # Errors
/// [`UnitError::Unknown`] with the nearest word, [`UnitError::Ambiguous`] with the meanings.
pub fn lookup(text: &str, set: AliasSet) -> Result<String, UnitError> {
    let text = text.trim();
    let word = written(text);
    let singular = REFUSED.iter().find(|refused| refused.words.contains(&word.as_str()));
    let root = singular.and_then(|refused| refused.words.first().copied());
    let settled = SETTLED.iter().filter(|(_, whose, _)| *whose == set);
    let exact = settled.clone().find(|(settled, _, _)| *settled == word);
    let plural = word.replace("therms", "therm");
    let exact = exact.or_else(|| settled.clone().find(|(settled, _, _)| *settled == plural));
    let rooted = || settled.clone().find(|(settled, _, _)| Some(*settled) == root);
    if let Some((_, _, code)) = exact.or_else(rooted) {
        return Ok((*code).to_owned());
    }
    let refusal = match read_code(text) {
        Ok(unit) => return Ok(unit.code().to_owned()),
        Err(refusal) => refusal,
    };
    if let Some(ambiguous @ UnitError::Ambiguous { .. }) = refusal {
        return Err(ambiguous);
    }
    let common = COMMON.iter().find(|(common, _)| *common == word);
    let code = common.map(|(_, code)| (*code).to_owned());
    code.ok_or_else(|| refusal.unwrap_or_else(|| unknown(text)))
}

/// What short words may well mean that are none here, as they mean other things elsewhere.
const ABBREVIATED: &[(&str, &str)] = &[("mi", "[mi_i]"), ("oz", "[oz_av]")];

/// The word or code that a text is, written otherwise: a near one is another unit.
pub(super) fn near(text: &str) -> Option<String> {
    const CODES: &[&str] = &["kW.h", "MW.h", "kg", "t", "L", "m3", "km", "GJ", "MJ", "x:pce"];
    let word = written(text);
    if let Some((_, code)) = ABBREVIATED.iter().find(|(short, _)| *short == word) {
        return Some((*code).to_owned());
    }
    let names = COMMON.iter().map(|(name, _)| *name).chain(CODES.iter().copied());
    let near = same_but_written_otherwise(&word, names)?;
    let common = COMMON.iter().find(|(name, _)| *name == near);
    Some(common.map_or(near, |(_, code)| *code).to_owned())
}
