//! Activities: dated facts about something that happened, in the words of whoever sent them.
//!
//! An [`Activity`] holds words *as mapped, before resolution*: a facility code stays a code, a unit
//! stays the text that came in. What it means is decided later, by rules with a version, so a facility
//! that is created tomorrow changes nothing of what was stored today.

pub mod canonical;
pub mod local;
pub mod problems;
pub mod schema;
pub mod validate;

use core::ops::{Deref, DerefMut};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::activities::local::Local;
use crate::activities::problems::Flags;
use crate::decimal::Decimal;
use crate::hash::Digest;
use crate::id::{Facility, Id, ImportId, Source};
use crate::time::{Day, Span, Timestamp, WallClock};

/// Names a facility or a source: by our id, or by the customer's code.
pub enum Ref<K> {
    /// Our id.
    Id(Id<K>),
    /// The customer's own code.
    Code(String),
}

impl<K> Clone for Ref<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Id(id) => Self::Id(*id),
            Self::Code(code) => Self::Code(code.clone()),
        }
    }
}
impl<K> PartialEq for Ref<K> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Id(a), Self::Id(b)) => a == b,
            (Self::Code(a), Self::Code(b)) => a == b,
            (Self::Id(_), Self::Code(_)) | (Self::Code(_), Self::Id(_)) => false,
        }
    }
}
impl<K> Eq for Ref<K> {}
impl<K> core::hash::Hash for Ref<K> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Id(id) => id.bytes().hash(state),
            Self::Code(code) => code.hash(state),
        }
    }
}
impl<K: crate::id::Kind> core::fmt::Display for Ref<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Code(code) => f.write_str(code),
        }
    }
}
impl<K: crate::id::Kind> core::fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// When it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// At an instant.
    Instant(Timestamp),
    /// From the first instant up to, not including, the second.
    Between(Timestamp, Timestamp),
    /// Whole local days, both included.
    Days {
        /// The first day.
        first: Day,
        /// The last day.
        last: Day,
    },
    /// From one time on the wall up to another, where the row has no zone of its own: the source's or
    /// the facility's zone decides, at calculation. Both are equal where it happened at a moment.
    WallClock {
        /// The first time.
        start: WallClock,
        /// The time it ends before.
        end: WallClock,
    },
}

impl Period {
    /// Whether it ends before it starts, or at once where it may not.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        match self {
            Self::Instant(_) => false,
            Self::Between(start, end) => end <= start,
            Self::Days { first, last } => last < first,
            Self::WallClock { start, end } => end < start,
        }
    }

    /// Its first and its last day, in no zone: a day more or less does not matter to who asks.
    #[must_use]
    pub fn rough_days(&self) -> (Day, Day) {
        let day = |micros: i64| Timestamp::from_micros(micros).utc_day();
        match self {
            Self::Instant(at) => (at.utc_day(), at.utc_day()),
            Self::Between(start, end) => (start.utc_day(), day(end.as_micros().saturating_sub(1))),
            Self::Days { first, last } => (*first, *last),
            Self::WallClock { start, end } => {
                (start.day(), day(end.as_micros().saturating_sub(1)).max(start.day()))
            }
        }
    }

    /// How long it is, a day taken as 24 hours; nothing for an instant.
    #[must_use]
    pub fn nominal_length(&self) -> Span {
        let micros = match self {
            Self::Instant(_) => 0,
            Self::Between(start, end) => (*end - *start).as_micros(),
            Self::Days { first, last } => {
                (i64::from(last.number()) - i64::from(first.number()) + 1) * 86_400_000_000
            }
            Self::WallClock { start, end } => end.as_micros().saturating_sub(start.as_micros()),
        };
        Span::from_micros(micros)
    }
}

/// An exact number and the unit text it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The number as sent.
    pub quantity: Decimal,
    /// The unit as sent, or as the mapping's table translated it.
    pub unit: String,
}

/// What a sum of money is worth: needed by spend-based methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The year of the prices.
    pub year: i32,
    /// The basis, such as `purchaser`.
    pub basis: Option<String>,
    /// Whether taxes are in it.
    pub tax_included: Option<bool>,
    /// Whether margins of trade are in it.
    pub margins_included: Option<bool>,
}

/// The meter readings behind a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The index at the start.
    pub start: Decimal,
    /// The index at the end.
    pub end: Decimal,
    /// What one step of the index is worth; one when absent.
    pub multiplier: Option<Decimal>,
    /// Which register of the meter.
    pub register: Option<String>,
    /// The value at which the index falls back to zero.
    pub rollover_at: Option<Decimal>,
}

/// Where a row came from, down to its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file that was imported and is kept.
    File {
        /// The import.
        import: ImportId,
        /// SHA-256 of the file's bytes as received.
        file: Digest,
        /// The record, from 1, header not counted.
        row: u64,
        /// The physical line on which the record starts, from 1.
        line: u64,
        /// Where its bytes start.
        offset: u64,
        /// How many bytes it has, line end not counted.
        length: u32,
        /// The version of the mapping it went through.
        mapping: Option<Digest>,
        /// Which parser read it, such as `csv/1`.
        parser: Cow<'static, str>,
    },
    /// A request body, not kept.
    Request {
        /// The request.
        request_id: Arc<str>,
        /// BLAKE3 of the decoded body.
        body: [u8; 32],
        /// The row of the body, from 1.
        row: u64,
        /// Where its bytes start in the decoded body.
        offset: u64,
        /// How many bytes it has.
        length: u32,
        /// Which parser read it, such as `json/1`.
        parser: Cow<'static, str>,
    },
}

impl Origin {
    /// The record of the file or body, from 1.
    #[must_use]
    pub const fn row(&self) -> u64 {
        match self {
            Self::File { row, .. } | Self::Request { row, .. } => *row,
        }
    }
}

/// A dated fact about something that happened, as it was sent.
///
/// Most of what it says, others beside it say too: that is [`Common`], held once by all of them, and read
/// as if it stood here. To change it in one of them gives that one a copy of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The sender's id, or the one derived from a mapping's natural key.
    pub external_id: Option<String>,
    /// How much.
    pub quantity: Decimal,
    /// Further named amounts that a method needs.
    pub inputs: BTreeMap<String, Input>,
    /// When.
    pub period: Period,
    /// What intake noted of times on the wall; kept beside the origin and no part of the content.
    pub local: Local,
    /// The sender's own labels.
    pub tags: BTreeMap<String, String>,
    /// A remark.
    pub note: Option<String>,
    /// What intake noticed; kept beside the origin and no part of the content.
    pub flags: Flags,
    /// Where the row came from.
    pub origin: Origin,
    /// What activities of one file or body mostly say alike.
    pub common: Arc<Common>,
}

/// What activities of one file or body mostly say alike: everything but amounts, times, ids and remarks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// The activity type, a code of the catalogue.
    pub kind: String,
    /// Of what unit.
    pub unit: String,
    /// The row's own time zone.
    pub time_zone: Option<String>,
    /// Where.
    pub facility: Option<Ref<Facility>>,
    /// By which meter, vehicle or asset.
    pub source: Option<Ref<Source>>,
    /// The supplier's code.
    pub supplier: Option<String>,
    /// The legal entity's code.
    pub entity: Option<String>,
    /// The scope that the reporter claims.
    pub scope: Option<u8>,
    /// The category of scope 3 that the reporter claims.
    pub category: Option<u8>,
    /// What was bought.
    pub item: Option<String>,
    /// In whose list the item is.
    pub item_scheme: Option<String>,
    /// ISO 3166 code of a country or region.
    pub region: Option<String>,
    /// The electricity grid.
    pub grid: Option<String>,
    /// What the money is worth.
    pub price: Option<Price>,
    /// The meter readings behind the quantity.
    pub reading: Option<Reading>,
    /// Certificates and contracts.
    pub instruments: Vec<String>,
    /// Measured, invoiced, estimated, …
    pub data_kind: Option<String>,
    /// Whether it is primary data.
    pub primary: Option<bool>,
    /// Uncertainty in per cent.
    pub uncertainty_pct: Option<Decimal>,
    /// Data quality, 1 (poor) to 5, by indicator.
    pub quality: BTreeMap<String, u8>,
    /// Evidence: ids or digests.
    pub evidence: Vec<String>,
    /// Which activity this one replaces.
    pub supersedes: Option<String>,
    /// Why it replaces it.
    pub supersede_reason: Option<String>,
    /// Whether it cancels what it replaces.
    pub void: bool,
    /// What the type asks to know more.
    pub qualifiers: BTreeMap<String, String>,
}

impl Deref for Activity {
    type Target = Common;
    fn deref(&self) -> &Common {
        &self.common
    }
}
impl DerefMut for Activity {
    fn deref_mut(&mut self) -> &mut Common {
        Arc::make_mut(&mut self.common)
    }
}

impl Activity {
    /// An activity with what every one has, and nothing else.
    #[must_use]
    pub fn new(kind: &str, amount: Input, period: Period, origin: Origin) -> Self {
        let common = Common { kind: kind.to_owned(), unit: amount.unit, ..Common::default() };
        Self::with(Arc::new(common), amount.quantity, period, origin)
    }

    /// An activity that says in common with others what it can.
    #[must_use]
    pub fn with(common: Arc<Common>, quantity: Decimal, period: Period, origin: Origin) -> Self {
        Self {
            external_id: None,
            quantity,
            inputs: BTreeMap::new(),
            period,
            local: Local::default(),
            tags: BTreeMap::new(),
            note: None,
            flags: Flags::default(),
            origin,
            common,
        }
    }
}
