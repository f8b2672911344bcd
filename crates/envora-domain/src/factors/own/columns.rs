//! The columns of a table of own factors, in the order of its canonical text.

/// A column: what it is called, whether each row must fill it in, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name in the header.
    pub name: &'static str,
    /// Whether each row must have something in it.
    pub required: bool,
    /// What it says, for people.
    pub says: &'static str,
}

const fn must(name: &'static str, says: &'static str) -> ColumnSpec {
    ColumnSpec { name, required: true, says }
}

const fn may(name: &'static str, says: &'static str) -> ColumnSpec {
    ColumnSpec { name, required: false, says }
}

/// How the columns of qualifiers begin: `qualifiers.fuel`.
pub(super) const QUALIFIER: &str = "qualifiers.";
/// How the columns of gases begin: `gas.CH4`.
pub(super) const GAS: &str = "gas.";

/// All columns with a name of their own. `qualifiers.<name>` comes after `item_scheme`, `gas.<gas>`
/// after `co2e`.
pub const COLUMNS: &[ColumnSpec] = &[
    may("pack", "the pack's name, the same in all rows; left out, the name given beside the file"),
    must("key", "your own name of the factor, the same when a later row corrects or follows it"),
    may("name", "what it is, for people"),
    may("kind", "emission (as when blank), residual_mix, or supplier_pcf"),
    must("type", "the activity type that it is for, such as electricity.purchased"),
    must("boundary", "what it covers: generation, cradle_to_gate, combustion, end_of_life, …"),
    may("memo", "biogenic_co2: its CO2 is of what grew, told beside the scopes; blank, it counts"),
    may("supplier_code", "whose own figure it is; a row of activities must name that supplier"),
    may("item", "what was bought, of goods and capital goods"),
    may("item_scheme", "in whose list the item is; blank for a material of the catalogue"),
    may("region", "where it holds: GB, iso:GB-SCT, egrid:CAMX, eic:…, world"),
    must("per", "the unit that it is per, such as kW.h, kg, t.km"),
    must("unit", "the mass that its numbers are in: kg, g, t"),
    may("co2e", "its total in CO2 equivalents"),
    must("basis", "the GWP set that its CO2 equivalents are made with: ar4, ar5, ar6"),
    may("carbon", "where its carbon comes from: fossil, biogenic, mixed, unknown (as when blank)"),
    must("valid_from", "the first day on which it holds"),
    may("valid_to", "the first day on which it holds no longer"),
    may("valid_through", "the last day on which it holds, in place of valid_to"),
    may("edition", "the edition; blank, the year of valid_from"),
    may("data_year", "the year that the data are of"),
    may("change_cause", "new (as when blank), real_world, correction, method, gwp, rename"),
    must("publisher", "who states it"),
    must("document", "in which document"),
    may("document_place", "where in it: a page, a table, a cell"),
    may("document_sha256", "the document's SHA-256"),
    must("licence", "under which terms you have it"),
    may("redistribute", "no (as when blank), attribution, share_alike, yes"),
    may("attribution", "what the licence asks to be printed"),
    may("uncertainty_95_percent", "half the width of its 95 % interval, in per cent of the value"),
];

/// The place of a column in the canonical text.
pub(super) fn order(name: &str) -> (usize, String) {
    let place = |name: &str| COLUMNS.iter().position(|column| column.name == name);
    let after = |name: &str| place(name).unwrap_or(COLUMNS.len()) * 2 + 1;
    if name.starts_with(QUALIFIER) {
        return (after("item_scheme"), name.to_owned());
    }
    if name.starts_with(GAS) {
        return (after("co2e"), name.to_owned());
    }
    (place(name).unwrap_or(COLUMNS.len()) * 2, String::new())
}
