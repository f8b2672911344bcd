//! The fields of an activity by their schema names, and a draft of an activity that values are set
//! into, whatever format they came in.
//!
//! This is the JSON Schema written by hand: a property test holds the two to one verdict.

mod draft;
pub(crate) mod shapes;

use std::borrow::Cow;

use envora_domain::words::did_you_mean;

pub(crate) use draft::series_of;
pub use draft::{Draft, Times, UNSAID, Unfinished};
pub(crate) use shapes::{Shaped, time_problem};

/// A value as a format gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// A cell: text that stands for any type.
    Cell(&'a str),
    /// A JSON string.
    Text(&'a str),
    /// A JSON number, as its text.
    Number(&'a str),
    /// A JSON true or false.
    Bool(bool),
    /// A JSON null.
    Null,
    /// A JSON array where none is due.
    Array,
    /// A JSON object where none is due.
    Object,
}

impl Given<'_> {
    /// What it is, for an error.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Cell(_) => "a cell",
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Null => "null",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

    /// Its text, for an error.
    #[must_use]
    pub const fn shown(&self) -> &str {
        match self {
            Self::Cell(text) | Self::Text(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Null => "null",
            Self::Array => "[…]",
            Self::Object => "{…}",
        }
    }
}

macro_rules! plain_fields {
    ($($field:ident = $name:literal,)*) => {
        /// A field of an activity that holds one value.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $(#[doc = concat!("`", $name, "`.")] $field,)*
            /// `inputs.NAME.quantity`.
            InputQuantity(String),
            /// `inputs.NAME.unit`.
            InputUnit(String),
            /// `quality.NAME`.
            Quality(String),
            /// `qualifiers.NAME`.
            Qualifier(String),
            /// `tags.NAME`.
            Tag(String),
        }

        #[derive(Clone, Copy)]
        enum Plain { $($field,)* }

        /// The dotted names of the fields that are not open-ended.
        pub const NAMES: &[&str] = &[$($name),*];

        impl Field {
            fn plain(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$field),)* _ => None }
            }

            /// Its place in a set of bits; fields that are open-ended have none.
            #[must_use]
            pub const fn bit(&self) -> u64 {
                match self {
                    $(Self::$field => 1 << Plain::$field as u32,)*
                    Self::InputQuantity(_)
                    | Self::InputUnit(_)
                    | Self::Quality(_)
                    | Self::Qualifier(_)
                    | Self::Tag(_) => 0,
                }
            }

            /// Its dotted name.
            #[must_use]
            pub fn name(&self) -> Cow<'static, str> {
                match self {
                    $(Self::$field => Cow::Borrowed($name),)*
                    Self::InputQuantity(name) => Cow::Owned(format!("inputs.{name}.quantity")),
                    Self::InputUnit(name) => Cow::Owned(format!("inputs.{name}.unit")),
                    Self::Quality(name) => Cow::Owned(format!("quality.{name}")),
                    Self::Qualifier(name) => Cow::Owned(format!("qualifiers.{name}")),
                    Self::Tag(name) => Cow::Owned(format!("tags.{name}")),
                }
            }
        }
    };
}

plain_fields! {
    ExternalId = "external_id",
    Type = "type",
    Quantity = "quantity",
    Unit = "unit",
    OccurredAt = "occurred_at",
    Start = "start",
    End = "end",
    StartDate = "start_date",
    EndDate = "end_date",
    TimeZone = "time_zone",
    FacilityId = "facility_id",
    FacilityCode = "facility_code",
    SourceId = "source_id",
    SourceCode = "source_code",
    SupplierCode = "supplier_code",
    EntityCode = "entity_code",
    Scope = "scope",
    Category = "category",
    Item = "item",
    ItemScheme = "item_scheme",
    Region = "region",
    Grid = "grid",
    PriceYear = "price.year",
    PriceBasis = "price.basis",
    PriceTaxIncluded = "price.tax_included",
    PriceMarginsIncluded = "price.margins_included",
    ReadingStart = "reading.start",
    ReadingEnd = "reading.end",
    ReadingMultiplier = "reading.multiplier",
    ReadingRegister = "reading.register",
    ReadingRolloverAt = "reading.rollover_at",
    Instruments = "instruments",
    DataKind = "data_kind",
    Primary = "primary",
    UncertaintyPct = "uncertainty_pct",
    Evidence = "evidence",
    Supersedes = "supersedes",
    SupersedeReason = "supersede_reason",
    Void = "void",
    Note = "note",
}

/// The names of an activity's objects whose own names are open-ended.
pub const OPEN_NAMES: &[&str] = &["inputs", "quality", "qualifiers", "tags"];

/// The words of `quality`.
pub const QUALITIES: &[&str] = &["technology", "time", "geography", "completeness", "reliability"];

/// Words that people write for a field although they are spelled like another, or like none.
const MEANT: &[(&str, &str)] = &[
    ("reason", "supersede_reason"),
    ("replaces", "supersedes"),
    ("corrects", "supersedes"),
    ("voids", "supersedes"),
    ("amount", "quantity"),
    ("value", "quantity"),
    ("consumption", "quantity"),
    ("uom", "unit"),
    ("facility", "facility_code"),
    ("site", "facility_code"),
    ("location", "facility_code"),
    ("source", "source_code"),
    ("meter", "source_code"),
    ("supplier", "supplier_code"),
    ("entity", "entity_code"),
    ("date", "start_date"),
    ("day", "start_date"),
    ("timestamp", "occurred_at"),
    ("datetime", "occurred_at"),
    ("from", "start"),
    ("to", "end"),
    ("timezone", "time_zone"),
    ("tz", "time_zone"),
    ("id", "external_id"),
    ("reference", "external_id"),
    ("kind", "type"),
    ("activity_type", "type"),
    ("comment", "note"),
    ("description", "note"),
    ("uncertainty", "uncertainty_pct"),
];

impl Field {
    /// The field of this dotted name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(field) = Self::plain(name) {
            return Some(field);
        }
        let (head, rest) = name.split_once('.')?;
        match head {
            "qualifiers" if is_key(rest, 63) => Some(Self::Qualifier(rest.to_owned())),
            "tags" if is_key(rest, 63) => Some(Self::Tag(rest.to_owned())),
            "quality" if QUALITIES.contains(&rest) => Some(Self::Quality(rest.to_owned())),
            "inputs" => match rest.split_once('.')? {
                (name, "quantity") if is_key(name, 31) => {
                    Some(Self::InputQuantity(name.to_owned()))
                }
                (name, "unit") if is_key(name, 31) => Some(Self::InputUnit(name.to_owned())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Its JSON pointer inside a row.
    #[must_use]
    pub fn pointer(&self) -> String {
        format!("/{}", self.name().replace('.', "/"))
    }

    /// Whether it holds an exact number.
    #[must_use]
    pub const fn is_decimal(&self) -> bool {
        matches!(
            self,
            Self::Quantity
                | Self::UncertaintyPct
                | Self::ReadingStart
                | Self::ReadingEnd
                | Self::ReadingMultiplier
                | Self::ReadingRolloverAt
                | Self::InputQuantity(_)
        )
    }

    /// Whether it says when something happened.
    #[must_use]
    pub const fn is_time(&self) -> bool {
        matches!(self, Self::OccurredAt | Self::Start | Self::End | Self::StartDate | Self::EndDate)
    }

    /// The field name most like a text.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Cow<'static, str>> {
        // An input has a quantity and a unit: to name it alone says neither.
        if let Some(name) = text.strip_prefix("inputs.").filter(|name| is_key(name, 31)) {
            return Some(Self::InputQuantity(name.to_owned()).name().into_owned().into());
        }
        let plain = text.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        if let Some((_, meant)) = MEANT.iter().find(|(word, _)| *word == plain) {
            return Some(Cow::Borrowed(meant));
        }
        let known = NAMES.iter().copied().chain(["qualifiers", "tags", "inputs"]);
        did_you_mean(text, known).map(Cow::Borrowed)
    }
}

/// `^[a-z][a-z0-9_]*$` of at most so many characters: a key of qualifiers, tags or inputs.
#[must_use]
pub fn is_key(text: &str, chars_max: usize) -> bool {
    let mut bytes = text.bytes();
    text.len() <= chars_max
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in NAMES {
            let field = Field::parse(name).expect("a field");
            assert_eq!(field.name(), *name);
        }
        for name in ["qualifiers.fuel", "tags.cost_centre", "inputs.distance.unit", "quality.time"]
        {
            assert_eq!(Field::parse(name).expect("a field").name(), name);
        }
        for name in ["price", "quality.mood", "tags.", "tags.A", "inputs.x", "qualifiers.a.b"] {
            assert_eq!(Field::parse(name), None, "{name}");
        }
        assert_eq!(Field::ReadingStart.pointer(), "/reading/start");
        assert_eq!(Field::nearest("facilty_code").as_deref(), Some("facility_code"));
        let occupancy = Field::nearest("inputs.occupancy");
        assert_eq!(occupancy.as_deref(), Some("inputs.occupancy.quantity"));
    }
}
