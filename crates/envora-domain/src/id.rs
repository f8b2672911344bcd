//! Ids of every kind, in one file.
//!
//! An id is a `UUIDv7`: sixteen bytes in the database, a prefix and 26 characters on the wire
//! (`fac_01…`). The kind is part of the type, so that a facility cannot stand where a source is due.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use crate::base32;
use crate::ports::Entropy;
use crate::time::Timestamp;

/// What an [`Id`] names; the prefix it has on the wire.
pub trait Kind {
    /// The prefix, without the underscore.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $prefix:literal, $alias:ident;)*) => {$(
        $(#[$doc])*
        pub enum $kind {}
        impl Kind for $kind { const PREFIX: &'static str = $prefix; }
        #[doc = concat!("The id of a [`", stringify!($kind), "`], `", $prefix, "_…` on the wire.")]
        pub type $alias = Id<$kind>;
    )*
        /// The prefixes of all kinds.
        const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

kinds! {
    /// A customer.
    Organization = "org", OrganizationId;
    /// One organization's one environment: the unit of isolation.
    Tenant = "ten", TenantId;
    /// A legal entity of an organization.
    Entity = "ent", EntityId;
    /// A site.
    Facility = "fac", FacilityId;
    /// A meter, vehicle or asset.
    Source = "src", SourceId;
    /// A supplier.
    Supplier = "sup", SupplierId;
    /// A dated fact about something that happened.
    Activity = "act", ActivityId;
    /// An immutable, sealed batch of activities.
    Segment = "seg", SegmentId;
    /// A file on its way in, or taken in.
    Import = "imp", ImportId;
    /// A saved mapping from a file's columns to activities.
    Mapping = "map", MappingId;
    /// Methods and factors applied to activities.
    Run = "run", RunId;
    /// A set of factors.
    Pack = "pack", PackId;
    /// An inventory.
    Inventory = "inv", InventoryId;
    /// An inventory frozen for reporting.
    Lock = "lock", LockId;
    /// A wrapped key, or a credential.
    Key = "key", KeyId;
    /// A person.
    User = "usr", UserId;
    /// A piece of work.
    Job = "job", JobId;
}

/// Sixteen bytes that name one thing of kind `K`.
pub struct Id<K> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

/// How many rows a segment may hold: the low 20 bits of an activity id are its row.
pub const SEGMENT_ROWS_MAX: u32 = 1 << 20;

impl<K> Id<K> {
    /// A new `UUIDv7` of this instant.
    #[must_use]
    pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut random = [0_u8; 10];
        entropy.fill(&mut random);
        let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
        Self::from_bytes(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes(),
        )
    }

    /// The id that these bytes are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// The id of a database column, or `None` when it has not sixteen bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }

    /// Its sixteen bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 16] {
        self.bytes
    }

    /// Lower-case hex, without a prefix: for file names and additional data.
    #[must_use]
    pub fn hex(&self) -> String {
        crate::hash::hex(&self.bytes)
    }

    /// The millisecond in which the id was made.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        let [a, b, c, d, e, f, ..] = self.bytes;
        Timestamp::from_micros(i64::from_be_bytes([0, 0, a, b, c, d, e, f]).saturating_mul(1000))
    }
}

impl<K: Kind> Id<K> {
    /// Reads `prefix_` and 26 characters.
    ///
    /// # Errors
    /// [`IdError`] when the prefix is another kind's, or the rest is not 26 characters of the alphabet.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(base32::decode)
            .map(Self::from_bytes)
            .ok_or(IdError { prefix: K::PREFIX })
    }
}

/// The sixteen bytes of an id of any kind.
#[must_use]
pub fn bytes_of(text: &str) -> Option<[u8; 16]> {
    let (_, rest) = text.split_once('_')?;
    base32::decode(rest)
}

/// Prefixes of ids of things that are only referred to, or are still to come.
const OTHER_PREFIXES: &[&str] = &["cert", "ev", "rep", "tgt", "evt"];

/// Whether a text is a well-formed id, of whatever kind.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, rest)| {
        (PREFIXES.contains(&prefix) || OTHER_PREFIXES.contains(&prefix))
            && base32::decode(rest).is_some()
    })
}

impl SegmentId {
    /// A new segment id: its low 20 bits are zero, they are the rows' place.
    #[must_use]
    pub fn new_segment(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let value = u128::from_be_bytes(Self::new(now, entropy).bytes);
        Self::from_bytes((value & !u128::from(SEGMENT_ROWS_MAX - 1)).to_be_bytes())
    }

    /// The id of the activity in this row, or `None` when a segment cannot hold that many.
    #[must_use]
    pub fn activity(&self, row: u32) -> Option<ActivityId> {
        (row < SEGMENT_ROWS_MAX).then(|| {
            Id::from_bytes((u128::from_be_bytes(self.bytes) | u128::from(row)).to_be_bytes())
        })
    }
}

impl ActivityId {
    /// The segment that holds the activity, and its row there.
    #[must_use]
    pub fn place(&self) -> (SegmentId, u32) {
        let value = u128::from_be_bytes(self.bytes);
        let mask = u128::from(SEGMENT_ROWS_MAX - 1);
        let row = u32::try_from(value & mask).unwrap_or(0);
        (Id::from_bytes((value & !mask).to_be_bytes()), row)
    }
}

/// The text is no id of the kind that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id here is {prefix}_ and 26 characters (0-9, a-z without i, l, o, u)")]
pub struct IdError {
    /// The prefix that is due.
    pub prefix: &'static str,
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, base32::encode(self.bytes))
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(place).unwrap_or(0) ^ 0xa5;
            }
        }
    }

    #[test]
    fn an_id_survives_its_text_and_keeps_its_kind() {
        let now = Timestamp::from_micros(1_650_000_000_123_456);
        let id = FacilityId::new(now, &Counting);
        let text = id.to_string();
        assert!(text.starts_with("fac_0") && text.len() == 30, "{text}");
        assert_eq!(FacilityId::parse(&text), Ok(id));
        assert_eq!(SourceId::parse(&text), Err(IdError { prefix: "src" }));
        assert_eq!(id.made_at(), Timestamp::from_micros(1_650_000_000_123_000));
    }

    #[test]
    fn an_activity_id_is_its_segment_and_row() {
        let segment =
            SegmentId::new_segment(Timestamp::from_micros(1_650_000_000_000_000), &Counting);
        let activity = segment.activity(104_999).expect("the row fits");
        assert_eq!(activity.place(), (segment, 104_999));
        assert_eq!(segment.activity(SEGMENT_ROWS_MAX), None);
    }
}
