//! The other files of the organization's year, inside the program like the estate's.

/// A file with its mapping, which says everything.
pub(crate) struct YearFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its bytes.
    pub(crate) bytes: &'static [u8],
    /// The mapping's name.
    pub(crate) mapping: &'static str,
    /// The mapping.
    pub(crate) rules: &'static [u8],
}

macro_rules! file {
    ($name:expr) => {
        include_bytes!(concat!("../../../../examples/organization-year/", $name))
    };
}

macro_rules! files {
    ($($name:literal by $mapping:literal,)*) => {
        &[$(YearFile {
            name: concat!($name, ".csv"),
            bytes: file!(concat!($name, ".csv")),
            mapping: $mapping,
            rules: file!(concat!($mapping, ".toml")),
        },)*]
    };
}

/// The files, one kind of activity each.
pub(crate) const FILES: &[YearFile] = files! {
    "fuel-cards" by "fuel-cards",
    "oil-used" by "oil-used",
    "refrigerant-log" by "refrigerant-log",
    "water-bills" by "water-bills",
    "purchased-goods" by "purchased-goods",
    "freight-list" by "freight-list",
    "waste-transfer-notes" by "waste-transfer-notes",
    "commuting-survey" by "commuting-survey",
    "business-travel" by "business-travel",
    "homeworking" by "homeworking",
    "council-ledger-2022-02" by "council-ledger",
};
/// Where they happened.
pub(crate) const FACILITIES: &[u8] = file!("facilities.csv");
/// What is read there month by month.
pub(crate) const SOURCES: &[u8] = file!("sources.csv");
