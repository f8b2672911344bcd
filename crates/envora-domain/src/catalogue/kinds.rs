//! The activity types themselves. Types without slots are known, so that rows are checked, but no
//! method is there for them yet: their activities are unresolved and say so.

use super::quantities::Quantity::{
    self, Area, Energy, FuelEnergy, GasVolume, Items, Mass, MassDistance, Money, PassengerDistance,
    RoomNights, StaffHours, VehicleDistance, Volume, Years,
};
use super::{ActivityKind, Book, Bucket, Market, Need, Qualifier, Sign, Slot, SlotSpec, fuels};
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

const fn required(name: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Required, words: &[] }
}

const fn optional(name: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Derived, words: &[] }
}

const fn of_words(name: &'static str, words: &'static [&'static str]) -> Qualifier {
    Qualifier { name, need: Need::Required, words }
}

const FUEL: Qualifier = of_words("fuel", &fuels::WORDS);
const ITEM: &[Qualifier] = &[optional("origin")];

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
    const fn with_inputs(self, inputs: &'static [&'static str]) -> Self {
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
const HEAT_MEDIA: &[&str] = &["heat", "steam", "cooling"];
const BALANCE_INPUTS: &[&str] =
    &["stock_begin", "stock_end", "sold", "capacity_begin", "capacity_end"];

/// All activity types.
pub const ALL: &[ActivityKind] = &[
    kind("fuel.combusted.stationary", FUEL_QUANTITIES, SCOPE_1, &[FUEL]).with_slots(FUEL_SLOTS),
    kind(
        "fuel.combusted.mobile",
        FUEL_QUANTITIES,
        SCOPE_1,
        &[FUEL, optional("vehicle_class"), optional("model_year")],
    )
    .with_inputs(&["distance"]),
    kind(
        "vehicle.driven",
        &[VehicleDistance],
        &[book(1, 0), book(3, 6), book(3, 7), book(3, 8)],
        &[required("vehicle_class"), optional("fuel"), optional("model_year"), optional("laden")],
    )
    .with_inputs(&["economy"]),
    kind("refrigerant.recharged", &[Mass], SCOPE_1, &[required("gas"), optional("equipment")]),
    kind("refrigerant.balance", &[Mass], SCOPE_1, &[required("gas"), optional("equipment")])
        .with_inputs(BALANCE_INPUTS),
    kind("refrigerant.screened", &[Mass], SCOPE_1, &[required("gas"), optional("equipment")])
        .with_inputs(&["charge", "years"]),
    kind("process.carbonate", &[Mass], SCOPE_1, &[required("material")]),
    kind("process.clinker", &[Mass], SCOPE_1, &[optional("material")]),
    kind("process.balance", &[Mass], SCOPE_1, &[required("material")]),
    kind("gas.emitted", &[Mass], SCOPE_1, &[required("gas")]),
    kind("electricity.purchased", &[Energy], SCOPE_2, &[]).with_slots(ELECTRICITY_SLOTS),
    kind("heat.purchased", &[Energy], SCOPE_2, &[of_words("medium", HEAT_MEDIA)]),
    kind(
        "electricity.generated",
        &[Energy],
        SCOPE_2,
        &[optional("technology"), optional("certificates_kept")],
    ),
    kind("electricity.exported", &[Energy], MEMO, &[optional("technology")]),
    kind("electricity.resold", &[Energy], CATEGORY_3, &[optional("technology")]),
    kind("water.supplied", &[Volume], CATEGORY_1, &[]),
    kind("water.treated", &[Volume], CATEGORY_5, &[]),
    kind(
        "waste.treated",
        &[Mass, Volume],
        CATEGORY_5,
        &[required("material"), required("treatment")],
    ),
    kind(
        "freight.moved",
        &[MassDistance, Mass],
        FREIGHT,
        &[required("mode"), optional("vehicle_class"), optional("laden"), optional("paid_by")],
    )
    .with_inputs(&["distance"]),
    kind("freight.stored", &[Volume], FREIGHT, &[optional("paid_by")]).with_inputs(&["days"]),
    kind(
        "travel.moved",
        &[PassengerDistance],
        TRAVEL,
        &[required("mode"), optional("class"), optional("haul"), optional("rf")],
    ),
    kind("travel.stayed", &[RoomNights], TRAVEL, &[optional("country")]),
    kind("commute.moved", &[PassengerDistance], CATEGORY_7, &[required("mode")])
        .with_inputs(&["staff", "one_way", "days", "share"]),
    kind("commute.worked_home", &[StaffHours], CATEGORY_7, &[]),
    kind("goods.purchased", &[Mass, Items, Volume, Area], CATEGORY_1, ITEM).with_credits(),
    kind("capital.purchased", &[Mass, Items, Volume, Area], &[book(3, 2)], ITEM).with_credits(),
    kind(
        "spend.purchased",
        &[Money],
        &[book(3, 1), book(3, 2), book(3, 4), book(3, 6)],
        &[optional("margins")],
    )
    .with_credits(),
    kind("asset.leased", &[Area, Items, Years, Energy], &[book(3, 8), book(3, 13)], &[]),
    kind("franchise.operated", &[Area, Items, Energy], &[book(3, 14)], &[]),
    kind("investment.held", &[Money], &[book(3, 15)], &[]),
    kind("product.processed", &[Mass, Items], &[book(3, 10)], &[]),
    kind("product.used", &[Mass, Items], &[book(3, 11)], &[]),
    kind("product.discarded", &[Mass, Items], &[book(3, 12)], &[]),
    kind("removal.made", &[Mass], MEMO, &[required("pool")]),
    kind("credit.cancelled", &[Mass], MEMO, &[required("registry")]),
];
