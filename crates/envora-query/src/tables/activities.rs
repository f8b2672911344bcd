//! `activities`: rows as they are stored, or as those of a file would be.

use std::collections::BTreeMap;

use envora_domain::activities::problems::Flags;
use envora_domain::activities::{Activity, Input, Period, Price, Reading, Ref};
use envora_domain::id::{ActivityId, ImportId, Kind};
use envora_domain::time::{Day, Timestamp};
use serde_json::{Map, Value, json};

use crate::columns::{Cell, columns};

/// The table's name.
pub const NAME: &str = "activities";
/// The table of those that were superseded or voided too.
pub const ALL_NAME: &str = "activities_all";

columns! {
    /// The columns of `activities` and `activities_all`.
    pub enum ActivityColumn {
        Id = "id" Text, "The activity's id, act_…; null for a row of a file.";
        ExternalId = "external_id" Text, "The sender's id, or the one that the mapping derives.";
        Type = "type" Text, "The activity type, such as electricity.purchased.";
        Quantity = "quantity" Quantity, "How much, exactly, in the unit beside it.";
        Unit = "unit" Text, "The unit as it was sent; convert(quantity, unit, 'kW.h') makes amounts alike.";
        QuantitySent = "quantity_sent" Text, "The digits of the quantity as they were sent.";
        StartsAt = "starts_at" Instant, "When it begins; null where the row says days or a time without a zone.";
        EndsAt = "ends_at" Instant, "When it ends, the instant not included; of a moment, the moment.";
        LocalStart = "local_start" WallClock, "When it begins on the wall of its place, where the row says no zone.";
        LocalEnd = "local_end" WallClock, "When it ends on that wall.";
        FirstDay = "first_day" Day, "Its first day, always there; of instants in the reporting zone, of a file's in the row's own or UTC.";
        LastDay = "last_day" Day, "Its last day, included.";
        TimeZone = "time_zone" Text, "The row's own time zone.";
        Facility = "facility" Text, "The facility as the row names it, by code or id.";
        Source = "source" Text, "The meter, vehicle or asset as the row names it.";
        Supplier = "supplier" Text, "The supplier's code.";
        Entity = "entity" Text, "The legal entity's code.";
        Scope = "scope" Whole, "The scope that the row claims.";
        Category = "category" Whole, "The category of scope 3 that it claims.";
        Item = "item" Text, "What was bought.";
        ItemScheme = "item_scheme" Text, "In whose list the item is.";
        Region = "region" Text, "The country or region, ISO 3166.";
        Grid = "grid" Text, "The electricity grid.";
        DataKind = "data_kind" Text, "measured, invoiced, estimated …";
        IsPrimary = "is_primary" YesNo, "Whether it is primary data, as the row says.";
        UncertaintyPct = "uncertainty_pct" Quantity, "Uncertainty in per cent.";
        Qualifiers = "qualifiers" Text, "What the type asks to know more, as JSON; field(qualifiers, 'fuel') reads one.";
        Tags = "tags" Text, "The sender's own labels, as JSON; field(tags, 'cost_centre') reads one.";
        Inputs = "inputs" Text, "Further amounts, as JSON.";
        Price = "price" Text, "What money is worth, as JSON.";
        Reading = "reading" Text, "The meter readings behind the quantity, as JSON.";
        Quality = "quality" Text, "Data quality by indicator, 1 to 5, as JSON.";
        Flags = "flags" Text, "What was noticed when it came in, with blanks between.";
        Note = "note" Text, "A remark.";
        Supersedes = "supersedes" Text, "Which activity this one replaces.";
        SupersedeReason = "supersede_reason" Text, "Why.";
        Void = "void" YesNo, "Whether it cancels the one that it replaces.";
        State = "state" Text, "counted, unresolved, superseded, voided or pending; of a file's rows accepted or quarantined.";
        Code = "code" Text, "Why it is unresolved or would wait.";
        CommittedAt = "committed_at" Instant, "When it was stored.";
        ImportId = "import_id" Text, "The import that it came with, imp_….";
        File = "file" Text, "The file that is asked; null for what is stored.";
        Line = "line" Whole, "Its line in the file that it came from, from 1.";
    }
}

/// A row and what is known beside it.
#[derive(Clone, Copy, Debug)]
pub struct ActivityRow<'a> {
    /// What was sent.
    pub activity: &'a Activity,
    /// Its first and its last day.
    pub days: (Day, Day),
    /// What it came to.
    pub state: &'a str,
    /// Why.
    pub code: Option<&'a str>,
    /// Its line in the file that it came from.
    pub line: Option<u64>,
    /// Where it is.
    pub place: Place<'a>,
}

/// Where a row is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In a file of this name.
    File(&'a str),
    /// Stored.
    Stored {
        /// Its id.
        id: ActivityId,
        /// When it was stored.
        committed_at: Timestamp,
        /// The import that it came with.
        import: Option<ImportId>,
    },
}

impl<'a> ActivityRow<'a> {
    /// What it has in a column.
    #[must_use]
    pub fn cell(self, column: ActivityColumn) -> Cell<'a> {
        let activity = self.activity;
        match column {
            ActivityColumn::Id
            | ActivityColumn::CommittedAt
            | ActivityColumn::ImportId
            | ActivityColumn::File => self.placed(column),
            ActivityColumn::ExternalId => activity.external_id.as_ref().into(),
            ActivityColumn::Type => (&activity.kind).into(),
            ActivityColumn::Quantity => activity.quantity.into(),
            ActivityColumn::Unit => (&activity.unit).into(),
            ActivityColumn::QuantitySent => activity.quantity.to_string().into(),
            ActivityColumn::StartsAt
            | ActivityColumn::EndsAt
            | ActivityColumn::LocalStart
            | ActivityColumn::LocalEnd => time(&activity.period, column),
            ActivityColumn::FirstDay => self.days.0.into(),
            ActivityColumn::LastDay => self.days.1.into(),
            ActivityColumn::TimeZone => activity.time_zone.as_ref().into(),
            ActivityColumn::Facility => named(activity.facility.as_ref()),
            ActivityColumn::Source => named(activity.source.as_ref()),
            ActivityColumn::Supplier => activity.supplier.as_ref().into(),
            ActivityColumn::Entity => activity.entity.as_ref().into(),
            ActivityColumn::Scope => activity.scope.into(),
            ActivityColumn::Category => activity.category.into(),
            ActivityColumn::Item => activity.item.as_ref().into(),
            ActivityColumn::ItemScheme => activity.item_scheme.as_ref().into(),
            ActivityColumn::Region => activity.region.as_ref().into(),
            ActivityColumn::Grid => activity.grid.as_ref().into(),
            ActivityColumn::DataKind => activity.data_kind.as_ref().into(),
            ActivityColumn::IsPrimary => activity.primary.into(),
            ActivityColumn::UncertaintyPct => activity.uncertainty_pct.into(),
            ActivityColumn::Qualifiers => words(&activity.qualifiers),
            ActivityColumn::Tags => words(&activity.tags),
            ActivityColumn::Inputs => inputs(&activity.inputs),
            ActivityColumn::Price => activity.price.as_ref().map(price).into(),
            ActivityColumn::Reading => activity.reading.as_ref().map(reading).into(),
            ActivityColumn::Quality => object(&activity.quality, |score| Value::from(*score)),
            ActivityColumn::Flags => flags(activity.flags),
            ActivityColumn::Note => activity.note.as_ref().into(),
            ActivityColumn::Supersedes => activity.supersedes.as_ref().into(),
            ActivityColumn::SupersedeReason => activity.supersede_reason.as_ref().into(),
            ActivityColumn::Void => activity.void.into(),
            ActivityColumn::State => self.state.into(),
            ActivityColumn::Code => self.code.into(),
            ActivityColumn::Line => self.line.into(),
        }
    }

    fn placed(self, column: ActivityColumn) -> Cell<'a> {
        match (column, self.place) {
            (ActivityColumn::File, Place::File(name)) => name.into(),
            (ActivityColumn::Id, Place::Stored { id, .. }) => id.to_string().into(),
            (ActivityColumn::CommittedAt, Place::Stored { committed_at, .. }) => {
                committed_at.into()
            }
            (ActivityColumn::ImportId, Place::Stored { import, .. }) => {
                import.map(|import| import.to_string()).into()
            }
            (_, Place::File(_) | Place::Stored { .. }) => Cell::Null,
        }
    }
}

fn time(period: &Period, column: ActivityColumn) -> Cell<'static> {
    match (period, column) {
        (Period::Instant(at), ActivityColumn::StartsAt | ActivityColumn::EndsAt) => (*at).into(),
        (Period::Between(start, _), ActivityColumn::StartsAt) => (*start).into(),
        (Period::Between(_, end), ActivityColumn::EndsAt) => (*end).into(),
        (Period::WallClock { start, .. }, ActivityColumn::LocalStart) => (*start).into(),
        (Period::WallClock { end, .. }, ActivityColumn::LocalEnd) => (*end).into(),
        _ => Cell::Null,
    }
}

fn named<K: Kind>(word: Option<&Ref<K>>) -> Cell<'_> {
    match word {
        None => Cell::Null,
        Some(Ref::Code(code)) => code.into(),
        Some(Ref::Id(id)) => id.to_string().into(),
    }
}

fn object<'a, V>(map: &BTreeMap<String, V>, value: impl Fn(&V) -> Value) -> Cell<'a> {
    if map.is_empty() {
        return Cell::Null;
    }
    let object: Map<String, Value> =
        map.iter().map(|(name, own)| (name.clone(), value(own))).collect();
    Value::Object(object).to_string().into()
}

fn words<'a>(map: &BTreeMap<String, String>) -> Cell<'a> {
    object(map, |word| word.clone().into())
}

fn inputs<'a>(map: &BTreeMap<String, Input>) -> Cell<'a> {
    object(map, |input| json!({ "quantity": input.quantity.to_string(), "unit": input.unit }))
}

fn price(price: &Price) -> String {
    let all = [
        ("year", Some(Value::from(price.year))),
        ("basis", price.basis.clone().map(Value::from)),
        ("tax_included", price.tax_included.map(Value::from)),
        ("margins_included", price.margins_included.map(Value::from)),
    ];
    told(all)
}

fn reading(reading: &Reading) -> String {
    let number = |number: envora_domain::decimal::Decimal| Value::from(number.to_string());
    let all = [
        ("start", Some(number(reading.start))),
        ("end", Some(number(reading.end))),
        ("multiplier", reading.multiplier.map(number)),
        ("register", reading.register.clone().map(Value::from)),
        ("rollover_at", reading.rollover_at.map(number)),
    ];
    told(all)
}

fn told<const N: usize>(all: [(&str, Option<Value>); N]) -> String {
    let said = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(said.collect()).to_string()
}

fn flags(flags: Flags) -> Cell<'static> {
    if flags.is_empty() {
        return Cell::Null;
    }
    flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(" ").into()
}
