//! Grids: what a row or a facility may name one by.

use crate::words::did_you_mean;

/// The subregions of eGRID, as its tables print them.
pub(super) const SUBREGIONS: &[&str] = &[
    "AKGD", "AKMS", "AZNM", "CAMX", "ERCT", "FRCC", "HIMS", "HIOA", "MROE", "MROW", "NEWE", "NWPP",
    "NYCW", "NYLI", "NYUP", "PRMS", "RFCE", "RFCM", "RFCW", "RMPA", "SPNO", "SPSO", "SRMV", "SRMW",
    "SRSO", "SRTV", "SRVC",
];

/// Why a grid is not one of this place, a country or a part of one by ISO 3166; nothing where it may
/// be, and where that cannot be told. Subregions of eGRID lie in the United States, that of Puerto Rico
/// under a code of its own too; EIC codes are given outside of them.
#[must_use]
pub fn grid_elsewhere(grid: &str, place: &str) -> Option<String> {
    if grid.is_empty() {
        return None;
    }
    let (scheme, bare) = place.split_once(':').unwrap_or(("iso", place));
    let country = bare.split_once('-').map_or(bare, |(country, _)| country).to_ascii_uppercase();
    let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !scheme.eq_ignore_ascii_case("iso") || !is_code || grid_remedy(grid).is_some() {
        return None;
    }
    let code = grid.split_once(':').map_or(grid, |(_, code)| code);
    let subregion = SUBREGIONS.iter().any(|known| known.eq_ignore_ascii_case(code));
    let american = match country.as_str() {
        "US" => true,
        "PR" => code.eq_ignore_ascii_case("PRMS"),
        _ => false,
    };
    match (subregion, american) {
        (true, false) => {
            Some(format!("{grid} is a subregion of eGRID, which lies in US, not in {country}"))
        }
        (false, true) => Some(format!("{grid} is an EIC code, which is of no grid in {country}")),
        (true, true) | (false, false) => None,
    }
}

/// What to do about a text that names no grid; nothing when it names one: a subregion of eGRID, with
/// `egrid:` before it or bare, or an EIC code, bare or after `eic:`.
#[must_use]
pub fn grid_remedy(text: &str) -> Option<String> {
    let (scheme, code) = text.split_once(':').unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    let sixteen = code.len() == 16
        && code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    let is_eic = (scheme == "eic" && !code.is_empty()) || (scheme.is_empty() && sixteen);
    let egrid = scheme == "egrid" || scheme.is_empty();
    if is_eic || (egrid && SUBREGIONS.iter().any(|known| known.eq_ignore_ascii_case(code))) {
        return None;
    }
    let near = did_you_mean(code, SUBREGIONS.iter().copied()).filter(|_| code.len() > 2);
    Some(near.map_or_else(
        || "name a subregion of eGRID, such as egrid:CAMX, or an EIC code after eic:".to_owned(),
        |near| format!("did you mean egrid:{near}?"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(grid: &str, place: &str, elsewhere: bool) {
        assert_eq!(grid_elsewhere(grid, place).is_some(), elsewhere, "{grid} {place}");
    }

    #[test]
    fn a_grid_lies_in_its_country() {
        for place in ["US", "us", "US-CA", "iso:US", "iso:US-CA"] {
            check("egrid:CAMX", place, false);
            check("camx", place, false);
            check("10YGB----------A", place, true);
        }
        for place in ["GB", "iso:GB", "GB-SCT", "MX", "PR"] {
            check("egrid:CAMX", place, true);
            check("CAMX", place, true);
        }
        check("10YGB----------A", "GB", false);
        check("eic:10YFR-RTE------C", "GB", false);
        check("PRMS", "PR", false);
        check("PRMS", "US", false);
        check("PRMS", "GB", true);
        // What says no country, and what is no grid, is told elsewhere.
        check("CAMX", "", false);
        check("CAMX", "egrid:CAMX", false);
        check("CAMXX", "GB", false);
        for subregion in SUBREGIONS {
            check(subregion, "US", false);
            check(subregion, "FR", true);
        }
    }
}
