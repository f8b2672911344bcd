//! A leaf of the audit log: what was done, as a short deterministic CBOR map.
//!
//! A leaf stays for years while the data behind it may be erased. Therefore it carries ids, digests
//! and counts only; the one text in it names a price.

use envora_domain::cbor::{CborError, Value, Writer};
use envora_domain::hash::{Digest, leaf_hash};

/// The version of the format, key 0.
pub const VERSION: u64 = 1;

/// The longest leaf: entry bundles give each leaf a 16-bit length, and ours stay far below.
pub const LEAF_BYTES_MAX: usize = 1024;

macro_rules! deeds {
    ($($(#[$doc:meta])* $deed:ident = $code:literal, $name:literal;)*) => {
        /// What a leaf records, key 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Deed { $($(#[$doc])* $deed,)* }

        impl Deed {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$deed),*];

            /// The number in key 1.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self { $(Self::$deed => $code,)* }
            }

            /// Its word, for people.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$deed => $name,)* }
            }

            /// The deed of this number.
            #[must_use]
            pub fn from_code(code: u64) -> Option<Self> {
                Self::ALL.iter().copied().find(|deed| deed.code() == code)
            }
        }
    };
}

deeds! {
    /// A segment of activities was committed; the digest is the root over its rows.
    Segment = 1, "segment";
    /// A factor pack was activated; the digest is the pack's.
    Pack = 2, "pack";
    /// A run was started or became current; the digest is the run's.
    Run = 3, "run";
    /// An inventory was locked; the digest is the lock's.
    Lock = 4, "lock";
    /// A key was made, changed or destroyed.
    Key = 5, "key";
    /// Permissions changed.
    Access = 6, "access";
    /// Data was erased, or is about to be.
    Erase = 7, "erase";
    /// A facility, source, alias or setting that calculation reads has a new version.
    Config = 8, "config";
    /// A verification ended in a verdict.
    Verdict = 20, "verdict";
    /// Evidence was archived.
    Archive = 21, "archive";
    /// A price list came into force.
    Price = 22, "price";
    /// A balance was topped up.
    TopUp = 23, "topup";
    /// A charge was refunded.
    Refund = 24, "refund";
    /// A verdict was confirmed.
    Confirm = 25, "confirm";
}

/// How far an answer's promise reached when the leaf was written, key 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ack {
    /// Fsynced on one disk: 1.
    Local,
    /// Fsynced in at least two of three zones: 2.
    Quorum,
}

impl Ack {
    /// The number in key 7.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Local => 1,
            Self::Quorum => 2,
        }
    }

    /// Its word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Quorum => "quorum",
        }
    }
}

/// One leaf. What is `None` has no key in the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What it records.
    pub deed: Deed,
    /// Its index in the log, from 0.
    pub seq: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The sixteen bytes that name the object.
    pub object: Option<[u8; 16]>,
    /// The digest of what was done.
    pub digest: Option<Digest>,
    /// How many: the rows of a segment.
    pub count: Option<u64>,
    /// How durable the answer was.
    pub ack: Option<Ack>,
    /// Which process life wrote it.
    pub epoch: Option<u64>,
    /// The random id of the credential's row; who that is stands only in a deletable record.
    pub actor: Option<[u8; 16]>,
    /// What it cost, in millionths.
    pub cost_micro: Option<u64>,
    /// Which price applied.
    pub price_id: Option<String>,
    /// Keyed commitment to a verdict.
    pub verdict_commit: Option<Digest>,
    /// Keyed commitment to evidence.
    pub evidence_commit: Option<Digest>,
    /// The seq of the same object's previous leaf.
    pub prev: Option<u64>,
}

impl Leaf {
    /// A leaf with nothing but its deed, place and time; the caller adds what it knows.
    #[must_use]
    pub const fn new(deed: Deed, seq: u64, at_ms: u64) -> Self {
        Self {
            deed,
            seq,
            at_ms,
            object: None,
            digest: None,
            count: None,
            ack: None,
            epoch: None,
            actor: None,
            cost_micro: None,
            price_id: None,
            verdict_commit: None,
            evidence_commit: None,
            prev: None,
        }
    }

    /// Its bytes: what the log holds and the leaf hash is taken of.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes =
            |key, value: Option<&[u8]>| value.map(|value| (key, Value::Bytes(value.to_vec())));
        let uint = |key, value: Option<u64>| value.map(|value| (key, Value::Uint(value)));
        let pairs = [
            uint(0, Some(VERSION)),
            uint(1, Some(self.deed.code())),
            uint(2, Some(self.seq)),
            uint(3, Some(self.at_ms)),
            bytes(4, self.object.as_ref().map(<[u8; 16]>::as_slice)),
            bytes(5, self.digest.as_ref().map(|digest| digest.0.as_slice())),
            uint(6, self.count),
            uint(7, self.ack.map(Ack::code)),
            uint(8, self.epoch),
            bytes(9, self.actor.as_ref().map(<[u8; 16]>::as_slice)),
            uint(10, self.cost_micro),
            self.price_id.as_ref().map(|text| (11, Value::Text(text.clone()))),
            bytes(12, self.verdict_commit.as_ref().map(|digest| digest.0.as_slice())),
            bytes(13, self.evidence_commit.as_ref().map(|digest| digest.0.as_slice())),
            uint(14, self.prev),
        ];
        let present: Vec<(u64, Value)> = pairs.into_iter().flatten().collect();
        let mut writer = Writer::default();
        writer.map(present.len());
        for (key, value) in &present {
            writer.uint(*key).value(value);
        }
        writer.finish()
    }

    /// The leaf hash of RFC 6962 over its bytes.
    #[must_use]
    pub fn hash(&self) -> Digest {
        leaf_hash(&self.encode())
    }

    /// The leaf that exactly these bytes are.
    ///
    /// # Errors
    /// [`LeafError`] when a key is missing, unknown or of another kind, or the bytes are no leaf's.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong);
        }
        let map = Value::decode(bytes)?;
        for (key, _) in map.as_map().ok_or(LeafError::NotAMap)? {
            key.as_uint().filter(|key| *key <= 14).ok_or(LeafError::UnknownKey)?;
        }
        let fields = Fields(&map);
        if fields.required(0)? != VERSION {
            return Err(LeafError::UnknownVersion);
        }
        Ok(Self {
            deed: Deed::from_code(fields.required(1)?).ok_or(LeafError::UnknownDeed)?,
            seq: fields.required(2)?,
            at_ms: fields.required(3)?,
            object: fields.bytes(4)?,
            digest: fields.bytes(5)?.map(Digest),
            count: fields.uint(6)?,
            ack: fields.ack()?,
            epoch: fields.uint(8)?,
            actor: fields.bytes(9)?,
            cost_micro: fields.uint(10)?,
            price_id: fields.text(11)?,
            verdict_commit: fields.bytes(12)?.map(Digest),
            evidence_commit: fields.bytes(13)?.map(Digest),
            prev: fields.uint(14)?,
        })
    }
}

struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn uint(&self, key: u64) -> Result<Option<u64>, LeafError> {
        let read = |value: &Value| value.as_uint().ok_or(LeafError::WrongKind(key));
        self.0.get(key).map(read).transpose()
    }

    fn required(&self, key: u64) -> Result<u64, LeafError> {
        self.uint(key)?.ok_or(LeafError::Missing(key))
    }

    fn bytes<const N: usize>(&self, key: u64) -> Result<Option<[u8; N]>, LeafError> {
        let read = |value: &Value| {
            value
                .as_bytes()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(LeafError::WrongKind(key))
        };
        self.0.get(key).map(read).transpose()
    }

    fn text(&self, key: u64) -> Result<Option<String>, LeafError> {
        let read =
            |value: &Value| value.as_text().map(str::to_owned).ok_or(LeafError::WrongKind(key));
        self.0.get(key).map(read).transpose()
    }

    fn ack(&self) -> Result<Option<Ack>, LeafError> {
        match self.uint(7)? {
            None => Ok(None),
            Some(1) => Ok(Some(Ack::Local)),
            Some(2) => Ok(Some(Ack::Quorum)),
            Some(_) => Err(LeafError::WrongKind(7)),
        }
    }
}

/// Why bytes are no leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Longer than [`LEAF_BYTES_MAX`].
    #[error("a leaf has at most {LEAF_BYTES_MAX} bytes")]
    TooLong,
    /// Not deterministic CBOR.
    #[error("a leaf is deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    /// Not a map.
    #[error("a leaf is a map")]
    NotAMap,
    /// A key that no leaf has.
    #[error("a leaf has the keys 0 to 14 and no others")]
    UnknownKey,
    /// A version that this program does not know.
    #[error("the leaf is of a version that this program does not know")]
    UnknownVersion,
    /// A deed that this program does not know.
    #[error("the leaf records a deed that this program does not know")]
    UnknownDeed,
    /// A key that each leaf has is not there.
    #[error("key {0} is missing")]
    Missing(u64),
    /// A value is of another kind or length than its key says.
    #[error("the value of key {0} is of another kind")]
    WrongKind(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Leaf {
        Leaf {
            object: Some([7; 16]),
            digest: Some(Digest([8; 32])),
            count: Some(105_000),
            ack: Some(Ack::Local),
            epoch: Some(3),
            actor: Some([9; 16]),
            cost_micro: Some(1_500_000),
            price_id: Some("standard".to_owned()),
            verdict_commit: Some(Digest([10; 32])),
            evidence_commit: Some(Digest([11; 32])),
            prev: Some(41),
            ..Leaf::new(Deed::Segment, 42, 1_650_000_000_123)
        }
    }

    #[test]
    fn a_leaf_survives_its_bytes() {
        for leaf in [full(), Leaf::new(Deed::Config, 0, 0)] {
            let bytes = leaf.encode();
            assert!(bytes.len() <= LEAF_BYTES_MAX);
            assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        }
    }

    #[test]
    fn each_deed_has_its_number() {
        let codes: Vec<u64> = Deed::ALL.iter().map(|deed| deed.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 22, 23, 24, 25]);
        assert_eq!(Deed::from_code(9), None);
    }

    #[test]
    fn what_no_leaf_has_is_refused() {
        let map = |pairs: &[(u64, Value)]| {
            Value::Map(
                pairs.iter().map(|(key, value)| (Value::Uint(*key), value.clone())).collect(),
            )
            .encode()
        };
        let base =
            [(0, Value::Uint(1)), (1, Value::Uint(1)), (2, Value::Uint(0)), (3, Value::Uint(0))];
        let with = |key, value| map(&[base.to_vec(), vec![(key, value)]].concat());
        let changed = |place: usize, value| {
            let mut pairs = base.clone();
            pairs[place].1 = value;
            map(&pairs)
        };
        let cases = [
            (with(15, Value::Uint(1)), LeafError::UnknownKey),
            (with(4, Value::Bytes(vec![1; 15])), LeafError::WrongKind(4)),
            (with(5, Value::Text("x".to_owned())), LeafError::WrongKind(5)),
            (with(7, Value::Uint(3)), LeafError::WrongKind(7)),
            (with(14, Value::Null), LeafError::WrongKind(14)),
            (changed(0, Value::Uint(2)), LeafError::UnknownVersion),
            (changed(1, Value::Uint(9)), LeafError::UnknownDeed),
            (map(&base[..3]), LeafError::Missing(3)),
            (vec![0x80], LeafError::NotAMap),
            (vec![0; LEAF_BYTES_MAX + 1], LeafError::TooLong),
            (vec![0xa1, 0x00], LeafError::Cbor(CborError::Truncated)),
        ];
        for (bytes, want) in cases {
            assert_eq!(Leaf::decode(&bytes), Err(want), "{bytes:02x?}");
        }
    }
}
