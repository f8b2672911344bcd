//! What can be wrong with a row, in stable codes that are never renamed, each with its outcome.

use core::fmt;

/// What becomes of a row, in the answer, final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Stored, and calculated.
    Accepted,
    /// Its id and content are stored already.
    Duplicate,
    /// Stored as received, in no total until the word it needs is defined.
    Quarantined,
    /// Not stored.
    Rejected,
}

impl Outcome {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
            Self::Rejected => "rejected",
        }
    }
}

/// What a row code does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The row is not stored.
    Reject,
    /// The row is stored and waits for a word.
    Quarantine,
    /// The row is stored and accepted, and calculation could not count it.
    Unresolve,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $text:literal, $effect:ident;)*) => {
        /// A stable code of what is wrong with a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RowCode { $($(#[$doc])* $code,)* }

        impl RowCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The code as it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $text,)* }
            }

            /// What it does to the row.
            #[must_use]
            pub const fn effect(self) -> Effect {
                match self { $(Self::$code => Effect::$effect,)* }
            }
        }
    };
}

codes! {
    /// Not a row of this format at all.
    MalformedRow = "malformed_row", Reject;
    /// A field that the schema does not know.
    UnknownField = "unknown_field", Reject;
    /// A field that must be there.
    MissingField = "missing_field", Reject;
    /// A value of another type or shape than the field has.
    WrongType = "wrong_type", Reject;
    /// A number was due.
    NotANumber = "not_a_number", Reject;
    /// More digits than are kept exactly.
    TooManyDigits = "too_many_digits", Reject;
    /// A unit text with more than one meaning.
    UnitAmbiguous = "unit_ambiguous", Reject;
    /// A unit of another dimension than the type has.
    UnitMismatch = "unit_mismatch", Reject;
    /// No such activity type.
    UnknownType = "unknown_type", Reject;
    /// It ends before it starts.
    PeriodReversed = "period_reversed", Reject;
    /// A local time that the clocks jumped over.
    LocalTimeMissing = "local_time_missing", Reject;
    /// A local time that happened twice, named once.
    LocalTimeAmbiguous = "local_time_ambiguous", Reject;
    /// Below zero where the type allows none.
    NegativeNotAllowed = "negative_not_allowed", Reject;
    /// Shares that do not add up.
    SharesNot100 = "shares_not_100", Reject;
    /// A source that stands at another facility, or measures something else.
    SourceMismatch = "source_mismatch", Reject;
    /// The id is taken by a row of other content.
    ExternalIdConflict = "external_id_conflict", Reject;
    /// Another row replaced it before.
    AlreadySuperseded = "already_superseded", Reject;
    /// The meter readings do not give the quantity.
    ReadingMismatch = "reading_mismatch", Reject;
    /// A row that sums others up.
    LooksLikeTotal = "looks_like_total", Reject;
    /// A scope or category that the type cannot have.
    ScopeNotAllowed = "scope_not_allowed", Reject;
    /// A line above the limit.
    LineTooLong = "line_too_long", Reject;
    /// A line that is not text.
    InvalidUtf8 = "invalid_utf8", Reject;
    /// A key twice in one object.
    DuplicateKey = "duplicate_key", Reject;
    /// A unit that no table knows.
    UnknownUnit = "unknown_unit", Quarantine;
    /// A facility that is not defined yet.
    UnknownFacility = "unknown_facility", Quarantine;
    /// A source that is not defined yet.
    UnknownSource = "unknown_source", Quarantine;
    /// A supplier that is not defined yet.
    UnknownSupplier = "unknown_supplier", Quarantine;
    /// An entity that is not defined yet.
    UnknownEntity = "unknown_entity", Quarantine;
    /// A currency that no table knows.
    UnknownCurrency = "unknown_currency", Quarantine;
    /// An item that no table knows.
    UnknownItem = "unknown_item", Quarantine;
    /// No factor fits.
    FactorMissing = "factor_missing", Unresolve;
    /// Several factors fit equally.
    AmbiguousFactor = "ambiguous_factor", Unresolve;
    /// The price year is not the factor's.
    PriceYearMismatch = "price_year_mismatch", Unresolve;
    /// No rate of exchange.
    FxMissing = "fx_missing", Unresolve;
    /// Before the facility opened, or after it closed.
    OutsideFacilityLife = "outside_facility_life", Unresolve;
    /// Beyond what the policy takes for likely.
    Outlier = "outlier", Unresolve;
}

impl RowCode {
    /// The code of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for RowCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl serde::Serialize for RowCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

macro_rules! flags {
    ($($(#[$doc:meta])* $flag:ident = $text:literal;)*) => {
        /// Something to know about a row that counts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flag { $($(#[$doc])* $flag,)* }

        impl Flag {
            /// All flags.
            pub const ALL: &[Self] = &[$(Self::$flag),*];

            /// The flag as it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$flag => $text,)* }
            }
        }
    };
}

flags! {
    /// The number has more digits than a float keeps: it may be an artefact of one.
    FloatArtifact = "float_artifact";
    /// Nothing but the idempotency key protects it from coming twice.
    NoExternalId = "no_external_id";
    /// A row that was stored before, under another id, says the same.
    PossibleDuplicate = "possible_duplicate";
    /// It names a facility, source, entity or supplier that was archived when it came.
    NamesArchived = "names_archived";
    /// The balance of a refrigerant comes to less than nothing.
    NegativeBalance = "negative_balance";
    /// A factor of another period was used.
    PeriodFallback = "period_fallback";
    /// A factor of a wider region was used.
    RegionFallback = "region_fallback";
    /// The factor's edition is over.
    StaleFactor = "stale_factor";
    /// The factor has no gas split and stays in its publisher's basis.
    NativeGwpBasis = "native_gwp_basis";
    /// The set has no value for the gas.
    GwpMissing = "gwp_missing";
    /// A method far down its ladder was used.
    LowTier = "low_tier";
    /// No residual mix is known: the grid's average stands in.
    NoResidualMix = "no_residual_mix";
    /// A derived slot found no factor.
    DerivedFactorMissing = "derived_factor_missing";
    /// The price year was taken from the period.
    PriceYearAssumed = "price_year_assumed";
    /// Part of a long run of zeros: a gap, not a measurement.
    ZeroRun = "zero_run";
    /// An estimate.
    Estimate = "estimate";
    /// Nobody verified it.
    Unverified = "unverified";
}

impl Flag {
    /// The flag of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|flag| flag.as_str() == text)
    }
}

/// Flags of one row: few, and in the order of [`Flag::ALL`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u32);

impl Flags {
    const fn bit(flag: Flag) -> u32 {
        1 << flag as u32
    }

    /// Adds a flag.
    pub const fn insert(&mut self, flag: Flag) {
        self.0 |= Self::bit(flag);
    }

    /// Takes a flag away.
    pub const fn remove(&mut self, flag: Flag) {
        self.0 &= !Self::bit(flag);
    }

    /// Whether the flag is among them.
    #[must_use]
    pub const fn contains(self, flag: Flag) -> bool {
        self.0 & Self::bit(flag) != 0
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.iter().copied().filter(move |flag| self.contains(*flag))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
impl Extend<Flag> for Flags {
    fn extend<T: IntoIterator<Item = Flag>>(&mut self, flags: T) {
        flags.into_iter().for_each(|flag| self.insert(flag));
    }
}
impl FromIterator<Flag> for Flags {
    fn from_iter<T: IntoIterator<Item = Flag>>(flags: T) -> Self {
        let mut all = Self::default();
        all.extend(flags);
        all
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl serde::Serialize for Flag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How many characters of a cell an error shows.
pub const VALUE_CHARS_MAX: usize = 80;
/// How many problems of one row are listed.
pub const PROBLEMS_MAX: usize = 10;

/// One thing that is wrong with a row: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The code.
    pub code: RowCode,
    /// JSON pointer inside the row, such as `/quantity`; empty for the row itself.
    pub field: String,
    /// What is wrong, in a sentence.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The record, from 1; 0 until the reader has set it.
    pub row: u64,
    /// The physical line, from 1; 0 until the reader has set it.
    pub line: u64,
    /// The column of the file that the value came from.
    pub column: Option<String>,
    /// The value, cut to [`VALUE_CHARS_MAX`] characters.
    pub value: Option<String>,
}

impl RowProblem {
    /// A problem of a field.
    #[must_use]
    pub fn new(code: RowCode, field: &str, detail: impl Into<String>) -> Self {
        Self {
            code,
            field: field.to_owned(),
            detail: detail.into(),
            hint: None,
            row: 0,
            line: 0,
            column: None,
            value: None,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the value that is wrong.
    #[must_use]
    pub fn value(mut self, value: &str) -> Self {
        let mut cut: String = value.chars().take(VALUE_CHARS_MAX).collect();
        if cut.len() < value.len() {
            cut.push('…');
        }
        self.value = Some(cut);
        self
    }

    /// With the column it came from.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// With the record and line it is in.
    #[must_use]
    pub const fn at(mut self, row: u64, line: u64) -> Self {
        self.row = row;
        self.line = line;
        self
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} (line {})", self.row, self.line)?;
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        write!(f, ": {}: {}", self.code, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_flags_are_read_back() {
        for code in RowCode::ALL {
            assert_eq!(RowCode::parse(code.as_str()), Some(*code));
        }
        for flag in Flag::ALL {
            assert_eq!(Flag::parse(flag.as_str()), Some(*flag));
        }
        assert_eq!(RowCode::parse("nonsense"), None);
    }

    #[test]
    fn a_shown_value_is_cut() {
        let problem = RowProblem::new(RowCode::NotANumber, "/quantity", "x").value(&"é".repeat(90));
        let shown = problem.value.expect("a value");
        assert_eq!(shown.chars().count(), VALUE_CHARS_MAX + 1);
        assert!(shown.ends_with('…'));
    }
}
