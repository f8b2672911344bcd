//! The activity types themselves. Types without slots are known, so that rows are checked, but no
//! method is there for them yet: their activities are unresolved and say so.

use super::inputs::{
    BALANCE, CARBONATE, CLINKER, COMMUTE, ECONOMY, FREIGHT_LEG, MASS_BALANCE, MOBILE, OCCUPANCY,
    SCREENING, SERVICE, STATIONARY as STATIONARY_INPUTS, STORAGE,
};
use super::quantities::Quantity::{
    self, Area, Energy, FuelEnergy, GasVolume, Heads, Items, Mass, MassDistance, Money,
    PassengerDistance, RoomNights, StaffHours, VehicleDistance, Volume, Years,
};
use super::{
    ActivityKind, Book, Bucket, InputSpec, Market, Need, Qualifier, Sign, Slot, SlotSpec,
    Vocabulary,
};
use crate::factors::Boundary;

const fn book(scope: u8, category: u8) -> Book {
    Book { scope, category }
}

const SCOPE_1: &[Book] = &[book(1, 0)];
const SCOPE_2: &[Book] = &[book(2, 0)];
const MEMO: &[Book] = &[book(0, 0)];
const CATEGORY_1: &[Book] = &[book(3, 1)];
const CATEGORY_3: &[Book] = &[book(3, 3)];
const CATEGORY_5: &[Book] = &[book(3, 5)];
const CATEGORY_7: &[Book] = &[book(3, 7)];
const FREIGHT: &[Book] = &[book(3, 4), book(3, 9)];
const TRAVEL: &[Book] = &[book(3, 6)];

const fn required(name: &'static str, list: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Required, vocabulary: Vocabulary::List(list) }
}

const fn optional(name: &'static str, list: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Derived, vocabulary: Vocabulary::List(list) }
}

const fn free(name: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Required, vocabulary: Vocabulary::Free }
}

const FUEL: Qualifier =
    Qualifier { name: "fuel", need: Need::Required, vocabulary: Vocabulary::Fuels };
const VEHICLE_FUEL: Qualifier = optional("fuel", "vehicle_fuel");
const MODEL_YEAR: Qualifier =
    Qualifier { name: "model_year", need: Need::Derived, vocabulary: Vocabulary::Year };
const VEHICLE: Qualifier = optional("vehicle_class", "vehicle_class");
const GAS: Qualifier = required("gas", "gas");
const GAS_OF: &[Qualifier] = &[GAS, optional("equipment", "equipment")];
const OWN_POWER: &[Qualifier] =
    &[optional("technology", "technology"), optional("certificates_kept", "yes_no")];
/// What is asked of a journey.
const PASSENGER: &[Qualifier] = &[
    required("mode", "travel_mode"),
    optional("class", "travel_class"),
    optional("haul", "haul"),
    optional("rf", "rf"),
    VEHICLE,
    VEHICLE_FUEL,
];
const ITEM: &[Qualifier] = &[optional("origin", "origin")];

const fn kind(
    code: &'static str,
    quantities: &'static [Quantity],
    books: &'static [Book],
    qualifiers: &'static [Qualifier],
) -> ActivityKind {
    let sign = Sign::NotNegative;
    ActivityKind { code, quantities, sign, inputs: &[], qualifiers, books, slots: &[] }
}

impl ActivityKind {
    const fn with_inputs(self, inputs: &'static [InputSpec]) -> Self {
        Self { inputs, ..self }
    }

    const fn with_slots(self, slots: &'static [SlotSpec]) -> Self {
        Self { slots, ..self }
    }

    const fn with_credits(self) -> Self {
        Self { sign: Sign::Any, ..self }
    }
}

const fn category_3(slot: Slot, boundary: Boundary, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec {
        slot,
        scope: 3,
        category: 3,
        bucket: Bucket::InScope,
        market: Market::None,
        need: Need::Derived,
        boundary,
        methods,
    }
}

const fn scope_2(slot: Slot, market: Market, methods: &'static [&'static str]) -> SlotSpec {
    SlotSpec {
        slot,
        scope: 2,
        category: 0,
        bucket: Bucket::InScope,
        market,
        need: Need::Required,
        boundary: Boundary::Generation,
        methods,
    }
}

const STATIONARY: &[&str] = &["stationary.carbon@1", "stationary.fuel@1", "stationary.heat@1"];

const ELECTRICITY_SLOTS: &[SlotSpec] = &[
    scope_2(Slot::S2Lb, Market::Location, &["electricity.grid@1"]),
    scope_2(
        Slot::S2Mb,
        Market::Market,
        &[
            "electricity.certificate@1",
            "electricity.contract@1",
            "electricity.supplier@1",
            "electricity.residual_mix@1",
            "electricity.grid_fallback@1",
        ],
    ),
    category_3(Slot::C3Tnd, Boundary::TAndD, &["tnd.generation@1", "tnd.published@1"]),
    category_3(Slot::C3Wtt, Boundary::Upstream, &["wtt.published@1"]),
    category_3(Slot::C3WttTnd, Boundary::UpstreamTAndD, &["wtt.published@1"]),
];

const FUEL_SLOTS: &[SlotSpec] = &[
    SlotSpec {
        slot: Slot::S1,
        scope: 1,
        category: 0,
        bucket: Bucket::InScope,
        market: Market::None,
        need: Need::Required,
        boundary: Boundary::Combustion,
        methods: STATIONARY,
    },
    category_3(Slot::C3Wtt, Boundary::Upstream, &["wtt.published@1"]),
    SlotSpec {
        slot: Slot::Biogenic,
        scope: 0,
        category: 0,
        bucket: Bucket::BiogenicCo2,
        market: Market::None,
        need: Need::Derived,
        boundary: Boundary::Combustion,
        methods: STATIONARY,
    },
];

const FUEL_QUANTITIES: &[Quantity] = &[FuelEnergy, Mass, Volume, GasVolume];

/// All activity types.
pub const ALL: &[ActivityKind] = &[
    kind("fuel.combusted.stationary", FUEL_QUANTITIES, SCOPE_1, &[FUEL])
        .with_inputs(STATIONARY_INPUTS)
        .with_slots(FUEL_SLOTS),
    kind(
        "fuel.combusted.mobile",
        FUEL_QUANTITIES,
        SCOPE_1,
        &[FUEL, VEHICLE, MODEL_YEAR, optional("engine", "engine")],
    )
    .with_inputs(MOBILE),
    kind(
        "vehicle.driven",
        &[VehicleDistance],
        &[book(1, 0), book(3, 6), book(3, 7), book(3, 8)],
        &[
            required("vehicle_class", "vehicle_class"),
            VEHICLE_FUEL,
            MODEL_YEAR,
            optional("laden", "laden"),
        ],
    )
    .with_inputs(ECONOMY),
    kind("refrigerant.recharged", &[Mass], SCOPE_1, GAS_OF).with_inputs(SERVICE),
    kind("refrigerant.balance", &[Mass], SCOPE_1, GAS_OF).with_inputs(MASS_BALANCE),
    kind("refrigerant.screened", &[Mass], SCOPE_1, &[GAS, required("equipment", "equipment")])
        .with_inputs(SCREENING),
    kind("process.carbonate", &[Mass], SCOPE_1, &[required("material", "carbonate")])
        .with_inputs(CARBONATE),
    kind("process.clinker", &[Mass], SCOPE_1, &[]).with_inputs(CLINKER),
    kind("process.balance", &[Mass], SCOPE_1, &[free("material")]).with_inputs(BALANCE),
    kind("gas.emitted", &[Mass], SCOPE_1, &[GAS]),
    kind("electricity.purchased", &[Energy], SCOPE_2, &[]).with_slots(ELECTRICITY_SLOTS),
    kind(
        "heat.purchased",
        &[Energy],
        SCOPE_2,
        &[required("medium", "medium"), optional("network", "network")],
    ),
    kind("electricity.generated", &[Energy], SCOPE_2, OWN_POWER),
    kind("electricity.exported", &[Energy], MEMO, OWN_POWER),
    kind("electricity.resold", &[Energy], CATEGORY_3, OWN_POWER),
    kind("water.supplied", &[Volume], CATEGORY_1, &[]),
    kind("water.treated", &[Volume], CATEGORY_5, &[]),
    kind(
        "waste.treated",
        &[Mass, Volume],
        CATEGORY_5,
        &[required("material", "material"), required("treatment", "treatment")],
    ),
    kind(
        "freight.moved",
        &[MassDistance, Mass],
        FREIGHT,
        &[
            required("mode", "freight_mode"),
            VEHICLE,
            VEHICLE_FUEL,
            optional("laden", "laden"),
            optional("size", "size"),
            optional("haul", "haul"),
            optional("rf", "rf"),
            optional("paid_by", "paid_by"),
        ],
    )
    .with_inputs(FREIGHT_LEG),
    kind("freight.stored", &[Volume], FREIGHT, &[optional("paid_by", "paid_by")])
        .with_inputs(STORAGE),
    kind("travel.moved", &[PassengerDistance], TRAVEL, PASSENGER).with_inputs(OCCUPANCY),
    kind(
        "travel.stayed",
        &[RoomNights],
        TRAVEL,
        &[optional("country", "country"), optional("city", "city")],
    ),
    kind("commute.moved", &[PassengerDistance, Heads], CATEGORY_7, PASSENGER).with_inputs(COMMUTE),
    kind(
        "commute.worked_home",
        &[StaffHours],
        CATEGORY_7,
        &[optional("home_energy", "home_energy")],
    ),
    kind("goods.purchased", &[Mass, Items, Volume, Area], CATEGORY_1, ITEM).with_credits(),
    kind("capital.purchased", &[Mass, Items, Volume, Area], &[book(3, 2)], ITEM).with_credits(),
    kind(
        "spend.purchased",
        &[Money],
        &[book(3, 1), book(3, 2), book(3, 4), book(3, 6)],
        &[optional("margins", "margins")],
    )
    .with_credits(),
    kind("asset.leased", &[Area, Items, Years, Energy], &[book(3, 8), book(3, 13)], &[]),
    kind("franchise.operated", &[Area, Items, Energy], &[book(3, 14)], &[]),
    kind("investment.held", &[Money], &[book(3, 15)], &[]),
    kind("product.processed", &[Mass, Items], &[book(3, 10)], &[]),
    kind("product.used", &[Mass, Items], &[book(3, 11)], &[]),
    kind("product.discarded", &[Mass, Items], &[book(3, 12)], &[]),
    kind("removal.made", &[Mass], MEMO, &[required("pool", "pool")]),
    kind("credit.cancelled", &[Mass], MEMO, &[free("registry")]),
];
