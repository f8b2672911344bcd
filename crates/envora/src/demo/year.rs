//! The other files of the organization, inside the program like the estate's: of its year, and a day of half
//! hours of schools.

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
        file!($name, "organization-year")
    };
    ($name:expr, $folder:literal) => {
        include_bytes!(concat!("../../../../examples/", $folder, "/", $name))
    };
}

macro_rules! files {
    ($($name:literal by $mapping:literal in $folder:literal,)*) => {
        &[$(YearFile {
            name: $name,
            bytes: file!($name, $folder),
            mapping: $mapping,
            rules: file!(concat!($mapping, ".toml"), $folder),
        },)*]
    };
}

/// The files, one kind of activity each.
pub(crate) const FILES: &[YearFile] = files! {
    "fuel-cards.csv" by "fuel-cards" in "organization-year",
    "oil-used.csv" by "oil-used" in "organization-year",
    "refrigerant-log.csv" by "refrigerant-log" in "organization-year",
    "water-bills.csv" by "water-bills" in "organization-year",
    "purchased-goods.csv" by "purchased-goods" in "organization-year",
    "freight-list.csv" by "freight-list" in "organization-year",
    "waste-transfer-notes.csv" by "waste-transfer-notes" in "organization-year",
    "commuting-survey.csv" by "commuting-survey" in "organization-year",
    "business-travel.csv" by "business-travel" in "organization-year",
    "homeworking.csv" by "homeworking" in "organization-year",
    "council-ledger-2022-02.csv" by "council-ledger" in "organization-year",
    "taxi-account.xlsx" by "taxi-account" in "organization-year",
    "half-hours-2019-11-13.csv" by "school-half-hours" in "school-half-hours",
};
/// Where they happened.
pub(crate) const FACILITIES: &[u8] = file!("facilities.csv");
/// What is read there month by month.
pub(crate) const SOURCES: &[u8] = file!("sources.csv");
/// The schools, whose meters were read on one day of 2019.
pub(crate) const SCHOOLS: &[u8] = file!("facilities.csv", "school-half-hours");
