//! The estate's files, inside the program, so that the demo runs anywhere.

/// A file to load and what its mapping does not say.
pub(crate) struct MeterFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its bytes.
    pub(crate) bytes: &'static [u8],
    /// The mapping's name.
    pub(crate) mapping: &'static str,
    /// The facility.
    pub(crate) facility: &'static str,
    /// The source.
    pub(crate) source: &'static str,
}

macro_rules! file {
    ($name:expr) => {
        include_bytes!(concat!("../../../../examples/university-estate/", $name))
    };
}

macro_rules! meters {
    ($($facility:literal)*) => {
        &[$(
            MeterFile {
                name: concat!($facility, "_electricity_2022.csv"),
                bytes: file!(concat!($facility, "_electricity_2022.csv")),
                mapping: "estate-electricity",
                facility: $facility,
                source: concat!($facility, "-electricity"),
            },
            MeterFile {
                name: concat!($facility, "_gas_2022.csv"),
                bytes: file!(concat!($facility, "_gas_2022.csv")),
                mapping: "estate-gas",
                facility: $facility,
                source: concat!($facility, "-gas"),
            },
        )*]
    };
}

/// The twelve meters.
pub(crate) const METERS: &[MeterFile] = meters!("b2" "b24" "b44" "b62" "b101" "b113");
/// The six buildings.
pub(crate) const FACILITIES: &[u8] = file!("facilities.csv");
/// Their meters.
pub(crate) const SOURCES: &[u8] = file!("sources.csv");
/// The mappings of the meters, each with its file's name.
pub(crate) const MAPPINGS: &[(&str, &[u8])] = &[
    ("estate-electricity.toml", file!("estate-electricity.toml")),
    ("estate-gas.toml", file!("estate-gas.toml")),
    ("every-bad-row.toml", file!("every-bad-row.toml")),
];
/// Our own file with one row of each kind that must be refused.
pub(crate) const BAD_ROWS: (&str, &[u8]) = ("every-bad-row.csv", file!("every-bad-row.csv"));
