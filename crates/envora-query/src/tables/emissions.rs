//! `emissions`: what a footprint is added up of, day by day.

use envora_domain::catalogue::Market;
use envora_domain::cells::{CellKey, CellValue, Primary};

use crate::columns::{Cell, columns};

/// The table's name.
pub const NAME: &str = "emissions";

columns! {
    /// The columns of `emissions`: sums of the lines that have everything else in common.
    pub enum EmissionColumn {
        Day = "day" Day, "The day, in the rows' own time zone.";
        Facility = "facility" Text, "The facility's code.";
        FacilityId = "facility_id" Text, "The facility's id, fac_…";
        Source = "source" Text, "The code of the meter, vehicle or asset.";
        SourceId = "source_id" Text, "Its id, src_…";
        Type = "type" Text, "The activity type.";
        Slot = "slot" Text, "Which line of the type: s1, s2_lb, s2_mb, c3_wtt …";
        Scope = "scope" Whole, "1, 2 or 3; null for what stands outside of the scopes.";
        Category = "category" Whole, "The category of scope 3.";
        Market = "market" Text, "location or market: of which of the two totals of scope 2 it is part; null for what is part of both.";
        Bucket = "bucket" Text, "in_scope, or the memo that it stands in, such as biogenic_co2: memos are no part of a total.";
        Gas = "gas" Text, "The gas, or co2e where the publisher prints only that.";
        Carbon = "carbon" Text, "Where its carbon comes from.";
        Basis = "basis" Text, "The GWP set in which the publisher printed the factor.";
        Tier = "tier" Whole, "The tier of the method, 1 the best.";
        DataKind = "data_kind" Text, "measured, invoiced, estimated …";
        IsPrimary = "is_primary" YesNo, "Whether the rows say that they are primary data.";
        Kg = "kg" Mass, "The mass of the gas in kg.";
        Co2ePublished = "co2e_published" Mass, "kg of CO2 equivalents by the publishers' own GWP sets.";
        Co2eAr5 = "co2e_ar5" Mass, "The same by AR5.";
        Co2eAr6 = "co2e_ar6" Mass, "The same by AR6.";
        Co2eOwn = "co2e_own" Mass, "The same by the organization's own set, where that is another one.";
        Lines = "lines" Whole, "How many lines are added up in it.";
    }
}

/// A cell with the codes of its places.
#[derive(Clone, Copy, Debug)]
pub struct Emission<'a> {
    /// What it is the sum of.
    pub key: &'a CellKey,
    /// The sums.
    pub value: &'a CellValue,
    /// The facility's id and code.
    pub facility: Option<&'a (String, String)>,
    /// The source's id and code.
    pub source: Option<&'a (String, String)>,
}

impl<'a> Emission<'a> {
    /// What it has in a column.
    #[must_use]
    pub fn cell(self, column: EmissionColumn) -> Cell<'a> {
        let (key, value) = (self.key, self.value);
        let co2e = |place: usize| value.co2e.get(place).copied().flatten().into();
        let number = |number: u8| (number > 0).then_some(number).into();
        match column {
            EmissionColumn::Day => key.day.into(),
            EmissionColumn::Facility => self.facility.map(|(_, code)| code).into(),
            EmissionColumn::FacilityId => self.facility.map(|(id, _)| id).into(),
            EmissionColumn::Source => self.source.map(|(_, code)| code).into(),
            EmissionColumn::SourceId => self.source.map(|(id, _)| id).into(),
            EmissionColumn::Type => (&key.kind).into(),
            EmissionColumn::Slot => key.slot.as_str().into(),
            EmissionColumn::Scope => number(key.scope),
            EmissionColumn::Category => number(key.category),
            EmissionColumn::Market => {
                (key.market != Market::None).then(|| key.market.as_str()).into()
            }
            EmissionColumn::Bucket => key.bucket.as_str().into(),
            EmissionColumn::Gas => key.gas.as_str().into(),
            EmissionColumn::Carbon => key.carbon.as_str().into(),
            EmissionColumn::Basis => key.basis.as_str().into(),
            EmissionColumn::Tier => key.tier.into(),
            EmissionColumn::DataKind => {
                (!key.data_kind.is_empty()).then_some(&key.data_kind).into()
            }
            EmissionColumn::IsPrimary => match key.primary {
                Primary::Unsaid => Cell::Null,
                Primary::No => false.into(),
                Primary::Yes => true.into(),
            },
            EmissionColumn::Kg => value.kg.into(),
            EmissionColumn::Co2ePublished => co2e(0),
            EmissionColumn::Co2eAr5 => co2e(1),
            EmissionColumn::Co2eAr6 => co2e(2),
            EmissionColumn::Co2eOwn => co2e(3),
            EmissionColumn::Lines => u64::try_from(value.count).ok().into(),
        }
    }
}
