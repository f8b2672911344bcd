//! Whether a row lies within the days of its facility: one that does not is stored and counts nowhere.

use envora_domain::activities::{Activity, Period};
use envora_domain::cells::DayShares;
use envora_domain::time::{Day, Zone};
use envora_store::facilities::Facility;

/// The days of a facility.
#[derive(Clone)]
pub(super) struct Life {
    code: String,
    time_zone: String,
    opened: Option<Day>,
    /// The day after the last.
    closed: Option<Day>,
}

impl Life {
    /// Of a facility that has a first day or a last.
    pub(super) fn of(facility: &Facility) -> Option<Self> {
        let fields = &facility.fields;
        (fields.opened.is_some() || fields.closed.is_some()).then(|| Self {
            code: fields.code.clone(),
            time_zone: fields.time_zone.clone(),
            opened: fields.opened,
            closed: fields.closed,
        })
    }

    /// In words, why a row does not lie within.
    pub(super) fn outside(&self, activity: &Activity) -> Option<String> {
        let (first, last) = roughly(&activity.period);
        // The zone of a row moves it by a day at most.
        let inside = self.opened.is_none_or(|opened| first > opened.plus(1))
            && self.closed.is_none_or(|closed| last < closed.plus(-2));
        if inside {
            return None;
        }
        let zone = activity.time_zone.as_deref().unwrap_or(&self.time_zone);
        let zone = Zone::named(zone).unwrap_or_else(|_| Zone::utc());
        let days = DayShares::of(&activity.period, activity.local, &zone);
        let (first, last) = (days.days().first()?.0, days.days().last()?.0);
        let (opened, closed) = (
            self.opened.filter(|opened| first < *opened),
            self.closed.filter(|closed| last >= *closed),
        );
        let code = &self.code;
        match (opened, closed) {
            (_, Some(closed)) => Some(format!("facility {code}, closed from {closed} on")),
            (Some(opened), None) => Some(format!("facility {code}, open from {opened} on")),
            (None, None) => None,
        }
    }
}

/// The first and the last day of a period, give or take one.
fn roughly(period: &Period) -> (Day, Day) {
    match period {
        Period::Days { first, last } => (*first, *last),
        Period::Between(start, end) => (start.utc_day(), end.utc_day()),
        Period::Instant(at) => (at.utc_day(), at.utc_day()),
        Period::WallClock { start, end } => (start.day(), end.day()),
    }
}
