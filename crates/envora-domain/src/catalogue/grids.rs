//! Grids: what a row or a facility may name one by.

use crate::words::did_you_mean;

/// The subregions of eGRID, as its tables print them.
pub(super) const SUBREGIONS: &[&str] = &[
    "AKGD", "AKMS", "AZNM", "CAMX", "ERCT", "FRCC", "HIMS", "HIOA", "MROE", "MROW", "NEWE", "NWPP",
    "NYCW", "NYLI", "NYUP", "PRMS", "RFCE", "RFCM", "RFCW", "RMPA", "SPNO", "SPSO", "SRMV", "SRMW",
    "SRSO", "SRTV", "SRVC",
];

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
