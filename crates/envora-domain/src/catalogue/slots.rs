//! The slots of each activity type: where they book, what covers them, and by which methods.

use super::{Bucket, Market, Need, Slot, SlotSpec, When};
use crate::factors::Boundary;

const FUELS: &[&str] = &["fuel.combusted.mobile", "fuel.combusted.stationary"];
const GASES: &[&str] = &["refrigerant.recharged", "gas.emitted"];
const POWER: &[&str] = &["electricity.purchased"];
const JOURNEYS: &[&str] = &["commute.moved", "travel.moved"];
const GOODS: &[&str] = &["capital.purchased", "goods.purchased"];

impl SlotSpec {
    const fn new(slot: Slot, boundary: Boundary, methods: &'static [&'static str]) -> Self {
        Self {
            slot,
            scope: 0,
            category: 0,
            bucket: Bucket::InScope,
            market: Market::None,
            need: Need::Required,
            boundary,
            methods,
            types: &[],
            when: &[],
        }
    }

    const fn booked(self, scope: u8, category: u8) -> Self {
        Self { scope, category, ..self }
    }

    const fn memo(self, bucket: Bucket) -> Self {
        Self { bucket, ..self }
    }

    const fn side(self, market: Market) -> Self {
        Self { market, ..self }
    }

    const fn derived(self) -> Self {
        Self { need: Need::Derived, ..self }
    }

    const fn either(self) -> Self {
        Self { need: Need::Either, ..self }
    }

    const fn of_types(self, types: &'static [&'static str]) -> Self {
        Self { types, ..self }
    }

    const fn when(self, when: &'static [When]) -> Self {
        Self { when, ..self }
    }
}

const fn s1(boundary: Boundary, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(Slot::S1, boundary, methods).booked(1, 0)
}

const fn s2(slot: Slot, market: Market, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(slot, Boundary::Generation, methods).booked(2, 0).side(market)
}

/// A part of category 3: follows from what is bought or burnt.
const fn c3(slot: Slot, boundary: Boundary, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(slot, boundary, methods).booked(3, 3).derived()
}

/// Of scope 3, in the category that the row claims or its type books first.
const fn s3(boundary: Boundary, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(Slot::S3, boundary, methods).booked(3, 0)
}

const fn s3_more(slot: Slot, boundary: Boundary, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(slot, boundary, methods).booked(3, 0).derived()
}

const GRID: &[&str] = &["electricity.grid@1"];
const MARKET: &[&str] = &[
    "electricity.certificate@1",
    "electricity.contract@1",
    "electricity.supplier@1",
    "electricity.residual_mix@1",
    "electricity.grid_fallback@1",
];
const TND: &[&str] = &["tnd.generation@1", "tnd.published@1"];
const WTT: &[&str] = &["wtt.published@1"];
const STATIONARY: &[&str] = &["stationary.carbon@1", "stationary.fuel@1", "stationary.heat@1"];
const MOBILE: &[&str] = &["mobile.fuel@1"];
const DRIVEN: &[&str] = &["mobile.economy@1", "mobile.distance@1"];
const DRIVEN_POWER: &[&str] = &["mobile.distance@1"];
const DRIVEN_WTT: &[&str] = &["wtt.economy@1", "wtt.published@1"];

pub(super) const ELECTRICITY: &[SlotSpec] = &[
    s2(Slot::S2Lb, Market::Location, GRID),
    s2(Slot::S2Mb, Market::Market, MARKET),
    c3(Slot::C3Tnd, Boundary::TAndD, TND),
    c3(Slot::C3Wtt, Boundary::Upstream, WTT),
    c3(Slot::C3WttTnd, Boundary::UpstreamTAndD, WTT),
];

const ONSITE: When = When::IsNot("network", "onsite");

pub(super) const HEAT: &[SlotSpec] = &[
    s2(Slot::S2Lb, Market::Location, &["heat.average@1"]),
    s2(Slot::S2Mb, Market::Market, &["heat.supplier@1", "heat.average@1"]),
    c3(Slot::C3Tnd, Boundary::TAndD, &["tnd.published@1"]).when(&[ONSITE]),
    c3(Slot::C3Wtt, Boundary::Upstream, WTT),
    c3(Slot::C3WttTnd, Boundary::UpstreamTAndD, WTT).when(&[ONSITE]),
];

/// Sun and wind are nothing only while their certificates are kept; once sold, others claim them.
const OWN: &[&str] = &["generation.own@1"];
const SOLD: When = When::Is("certificates_kept", "no");
/// What says neither waits before any slot is asked for.
const KEPT: When = When::Is("certificates_kept", "yes");

pub(super) const GENERATED: &[SlotSpec] = &[
    s2(Slot::S2Lb, Market::Location, OWN),
    s2(Slot::S2Mb, Market::Market, OWN).when(&[KEPT]),
    s2(Slot::S2Mb, Market::Market, &["electricity.residual_mix@1", "electricity.grid_fallback@1"])
        .of_types(POWER)
        .when(&[SOLD]),
];

pub(super) const EXPORTED: &[SlotSpec] =
    &[SlotSpec::new(Slot::Memo, Boundary::Generation, &["generation.exported@1"])
        .memo(Bucket::Avoided)
        .of_types(POWER)];

pub(super) const RESOLD: &[SlotSpec] = &[
    s3(Boundary::Generation, &["generation.resold@1"]).of_types(POWER),
    s3_more(Slot::S3Tnd, Boundary::TAndD, TND).of_types(POWER),
    s3_more(Slot::S3Wtt, Boundary::Upstream, WTT).of_types(POWER),
    s3_more(Slot::S3WttTnd, Boundary::UpstreamTAndD, WTT).of_types(POWER),
];

const fn biogenic(methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec::new(Slot::Biogenic, Boundary::Combustion, methods)
        .memo(Bucket::BiogenicCo2)
        .derived()
        .when(&[When::BiogenicCarbon])
}

pub(super) const STATIONARY_FUEL: &[SlotSpec] = &[
    s1(Boundary::Combustion, STATIONARY),
    c3(Slot::C3Wtt, Boundary::Upstream, WTT),
    biogenic(STATIONARY),
];

pub(super) const MOBILE_FUEL: &[SlotSpec] = &[
    s1(Boundary::Combustion, MOBILE).of_types(FUELS),
    SlotSpec::new(
        Slot::S1Gases,
        Boundary::Combustion,
        &["mobile.gases_by_distance@1", "mobile.gases_by_fuel@1"],
    )
    .booked(1, 0)
    .derived()
    .of_types(FUELS)
    .when(&[When::Co2Alone]),
    c3(Slot::C3Wtt, Boundary::Upstream, WTT).of_types(FUELS),
    biogenic(MOBILE).of_types(FUELS),
];

const OWN_CAR: When = When::Scope(1);
const OTHERS_CAR: When = When::Scope(3);

pub(super) const VEHICLE: &[SlotSpec] = &[
    s1(Boundary::Combustion, DRIVEN).when(&[OWN_CAR, When::Burns]),
    s2(Slot::S2Lb, Market::Location, DRIVEN_POWER).when(&[OWN_CAR, When::Plugs]),
    s2(Slot::S2Mb, Market::Market, DRIVEN_POWER).when(&[OWN_CAR, When::Plugs]),
    c3(Slot::C3Tnd, Boundary::TAndD, &["tnd.published@1"]).when(&[OWN_CAR, When::Plugs]),
    c3(Slot::C3Wtt, Boundary::Upstream, DRIVEN_WTT).when(&[OWN_CAR]),
    s3(Boundary::Combustion, DRIVEN).when(&[OTHERS_CAR, When::Burns]),
    SlotSpec::new(Slot::S3Power, Boundary::Generation, DRIVEN_POWER)
        .booked(3, 0)
        .when(&[OTHERS_CAR, When::Plugs]),
    s3_more(Slot::S3Tnd, Boundary::TAndD, &["tnd.published@1"]).when(&[OTHERS_CAR, When::Plugs]),
    s3_more(Slot::S3Wtt, Boundary::Upstream, DRIVEN_WTT).when(&[OTHERS_CAR]),
];

const fn gases(methods: &'static [&'static str]) -> [SlotSpec; 2] {
    [
        s1(Boundary::Fugitive, methods).either().of_types(GASES).when(&[When::Kyoto]),
        SlotSpec::new(Slot::NonKyoto, Boundary::Fugitive, methods)
            .memo(Bucket::NonKyoto)
            .either()
            .of_types(GASES)
            .when(&[When::NotKyoto]),
    ]
}

pub(super) const RECHARGED: &[SlotSpec] = &gases(&["fugitive.service@1"]);
pub(super) const BALANCED: &[SlotSpec] = &gases(&["fugitive.mass_balance@1"]);
pub(super) const SCREENED: &[SlotSpec] = &gases(&["fugitive.screening@1"]);
pub(super) const GAS: &[SlotSpec] = &gases(&["direct.mass@1"]);

pub(super) const CARBONATE: &[SlotSpec] = &[s1(Boundary::Process, &["process.carbonate@1"])];
pub(super) const CLINKER: &[SlotSpec] = &[s1(Boundary::Process, &["process.clinker@1"])];
pub(super) const BALANCE: &[SlotSpec] = &[s1(Boundary::Process, &["process.balance@1"])];

pub(super) const WATER: &[SlotSpec] = &[s3(Boundary::CradleToGate, &["published.per_unit@1"])];
pub(super) const SEWAGE: &[SlotSpec] = &[s3(Boundary::EndOfLife, &["published.per_unit@1"])];
pub(super) const WASTE: &[SlotSpec] =
    &[s3(Boundary::EndOfLife, &["waste.supplier@1", "waste.treatment@1", "waste.average@1"])];
pub(super) const PURCHASE: &[SlotSpec] = &[s3(
    Boundary::CradleToGate,
    &["supplier.specific@1", "hybrid.full@1", "hybrid.gap_filled@1", "published.per_unit@1"],
)
.of_types(GOODS)];

const CARRIED: &[&str] =
    &["freight.fuel@1", "freight.leg@1", "freight.distance@1", "freight.spend@1"];

/// Tables of freight print a row of their own for vehicles that are charged.
pub(super) const FREIGHT: &[SlotSpec] = &[
    s3(Boundary::Combustion, CARRIED),
    s3_more(Slot::S3Wtt, Boundary::Upstream, &["wtt.fuel@1", "wtt.leg@1", "wtt.published@1"]),
];

/// Journeys of passengers: `power` stands for vehicles that are charged, `losses` for what the grid
/// loses on the way to them.
const fn journey(
    methods: &'static [&'static str],
    [power, losses]: [&'static [&'static str]; 2],
    upstream: &'static [&'static str],
) -> [SlotSpec; 4] {
    [
        s3(Boundary::Combustion, methods).of_types(JOURNEYS).when(&[When::Burns]),
        SlotSpec::new(Slot::S3Power, Boundary::Generation, power)
            .booked(3, 0)
            .of_types(JOURNEYS)
            .when(&[When::Plugs]),
        s3_more(Slot::S3Tnd, Boundary::TAndD, losses).of_types(JOURNEYS).when(&[When::Plugs]),
        s3_more(Slot::S3Wtt, Boundary::Upstream, upstream).of_types(JOURNEYS),
    ]
}

pub(super) const TRAVEL: &[SlotSpec] = &journey(
    &["travel.fuel@1", "travel.occupancy@1", "travel.distance@1", "travel.spend@1"],
    [&["travel.occupancy@1"], &["tnd.occupancy@1"]],
    &["wtt.fuel@1", "wtt.occupancy@1", "wtt.published@1"],
);
pub(super) const COMMUTE: &[SlotSpec] = &journey(
    &[
        "commute.occupancy@1",
        "commute.distance@1",
        "commute.average_vehicle@1",
        "commute.average@1",
    ],
    [
        &["commute.occupancy@1", "commute.average_vehicle@1"],
        &["tnd.occupancy@1", "tnd.average_vehicle@1"],
    ],
    &["wtt.occupancy@1", "wtt.average_vehicle@1", "wtt.average@1", "wtt.published@1"],
);
pub(super) const HOTEL: &[SlotSpec] = &[s3(Boundary::Use, &["travel.hotel@1"])];
pub(super) const TELEWORK: &[SlotSpec] = &[s3(Boundary::Use, &["commute.telework@1"])];

const fn direct(bucket: Bucket) -> [SlotSpec; 1] {
    [SlotSpec::new(Slot::Memo, Boundary::Process, &["direct.mass@1"]).memo(bucket)]
}

pub(super) const REMOVAL: &[SlotSpec] = &direct(Bucket::Removal);
pub(super) const CREDIT: &[SlotSpec] = &direct(Bucket::Credit);
