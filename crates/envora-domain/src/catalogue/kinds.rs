//! The activity types themselves. Types without slots are known, so that rows are checked, but no
//! method is there for them yet: their activities are unresolved and say so.

use super::inputs::{
    BALANCE, CARBONATE, CLINKER, COMMUTE, ECONOMY, FREIGHT_LEG, MASS_BALANCE, MOBILE, SCREENING,
    SERVICE, STATIONARY as STATIONARY_INPUTS, STORAGE, TRAVEL as TRAVEL_INPUTS,
};
use super::quantities::Quantity::{
    self, Area, Energy, FuelEnergy, GasVolume, Heads, Items, Mass, MassDistance, Money,
    PassengerDistance, RoomNights, StaffHours, VehicleDistance, Volume, Years,
};
use super::{ActivityKind, Book, InputSpec, Need, Qualifier, Sign, SlotSpec, Vocabulary, slots};

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
    Qualifier { name, need: Need::Required, vocabulary: Vocabulary::List(list), otherwise: None }
}

const fn optional(name: &'static str, list: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Derived, vocabulary: Vocabulary::List(list), otherwise: None }
}

const fn free(name: &'static str) -> Qualifier {
    Qualifier { name, need: Need::Required, vocabulary: Vocabulary::Free, otherwise: None }
}

const FUEL: Qualifier = Qualifier {
    name: "fuel",
    need: Need::Required,
    vocabulary: Vocabulary::Fuels,
    otherwise: None,
};
/// Optional; a factor that tells its words apart is asked for this one where nothing is said.
const fn or_else(name: &'static str, list: &'static str, word: &'static str) -> Qualifier {
    let vocabulary = Vocabulary::List(list);
    Qualifier { name, need: Need::Derived, vocabulary, otherwise: Some(word) }
}

const VEHICLE_FUEL: Qualifier = or_else("fuel", "vehicle_fuel", "unknown");
const MODEL_YEAR: Qualifier = Qualifier {
    name: "model_year",
    need: Need::Derived,
    vocabulary: Vocabulary::Year,
    otherwise: None,
};
const VEHICLE: Qualifier = optional("vehicle_class", "vehicle_class");
const GAS: Qualifier = required("gas", "gas");
const GAS_OF: &[Qualifier] = &[GAS, optional("equipment", "equipment")];
const OWN_POWER: &[Qualifier] =
    &[optional("technology", "technology"), optional("certificates_kept", "yes_no")];
/// What is asked of a journey.
const PASSENGER: &[Qualifier] = &[
    required("mode", "travel_mode"),
    or_else("class", "travel_class", "average"),
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

const FUEL_QUANTITIES: &[Quantity] = &[FuelEnergy, Mass, Volume, GasVolume];

/// All activity types.
pub const ALL: &[ActivityKind] = &[
    kind("fuel.combusted.stationary", FUEL_QUANTITIES, SCOPE_1, &[FUEL])
        .with_inputs(STATIONARY_INPUTS)
        .with_slots(slots::STATIONARY_FUEL),
    kind(
        "fuel.combusted.mobile",
        FUEL_QUANTITIES,
        SCOPE_1,
        &[FUEL, VEHICLE, MODEL_YEAR, optional("engine", "engine")],
    )
    .with_inputs(MOBILE)
    .with_slots(slots::MOBILE_FUEL),
    kind(
        "vehicle.driven",
        &[VehicleDistance],
        &[book(1, 0), book(3, 6), book(3, 7), book(3, 8)],
        &[
            required("vehicle_class", "vehicle_class"),
            VEHICLE_FUEL,
            MODEL_YEAR,
            or_else("laden", "laden", "average"),
        ],
    )
    .with_inputs(ECONOMY)
    .with_slots(slots::VEHICLE),
    kind("refrigerant.recharged", &[Mass], SCOPE_1, GAS_OF)
        .with_inputs(SERVICE)
        .with_slots(slots::RECHARGED),
    kind("refrigerant.balance", &[Mass], SCOPE_1, GAS_OF)
        .with_inputs(MASS_BALANCE)
        .with_slots(slots::BALANCED),
    kind("refrigerant.screened", &[Mass], SCOPE_1, &[GAS, required("equipment", "equipment")])
        .with_inputs(SCREENING)
        .with_slots(slots::SCREENED),
    kind("process.carbonate", &[Mass], SCOPE_1, &[required("material", "carbonate")])
        .with_inputs(CARBONATE)
        .with_slots(slots::CARBONATE),
    kind("process.clinker", &[Mass], SCOPE_1, &[]).with_inputs(CLINKER).with_slots(slots::CLINKER),
    kind("process.balance", &[Mass], SCOPE_1, &[free("material")])
        .with_inputs(BALANCE)
        .with_slots(slots::BALANCE),
    kind("gas.emitted", &[Mass], SCOPE_1, &[GAS]).with_slots(slots::GAS),
    kind("electricity.purchased", &[Energy], SCOPE_2, &[]).with_slots(slots::ELECTRICITY),
    kind(
        "heat.purchased",
        &[Energy],
        SCOPE_2,
        &[required("medium", "medium"), optional("network", "network")],
    )
    .with_slots(slots::HEAT),
    kind("electricity.generated", &[Energy], SCOPE_2, OWN_POWER).with_slots(slots::GENERATED),
    kind("electricity.exported", &[Energy], MEMO, OWN_POWER).with_slots(slots::EXPORTED),
    kind("electricity.resold", &[Energy], CATEGORY_3, OWN_POWER).with_slots(slots::RESOLD),
    kind("water.supplied", &[Volume], CATEGORY_1, &[]).with_slots(slots::WATER),
    kind("water.treated", &[Volume], CATEGORY_5, &[]).with_slots(slots::SEWAGE),
    kind(
        "waste.treated",
        &[Mass, Volume],
        CATEGORY_5,
        &[required("material", "material"), required("treatment", "treatment")],
    )
    .with_slots(slots::WASTE),
    kind(
        "freight.moved",
        &[MassDistance, Mass],
        FREIGHT,
        &[
            required("mode", "freight_mode"),
            VEHICLE,
            VEHICLE_FUEL,
            or_else("laden", "laden", "average"),
            or_else("size", "size", "average"),
            optional("haul", "haul"),
            optional("rf", "rf"),
            optional("paid_by", "paid_by"),
        ],
    )
    .with_inputs(FREIGHT_LEG)
    .with_slots(slots::FREIGHT),
    kind("freight.stored", &[Volume], FREIGHT, &[optional("paid_by", "paid_by")])
        .with_inputs(STORAGE),
    kind("travel.moved", &[PassengerDistance], TRAVEL, PASSENGER)
        .with_inputs(TRAVEL_INPUTS)
        .with_slots(slots::TRAVEL),
    kind(
        "travel.stayed",
        &[RoomNights],
        TRAVEL,
        &[optional("country", "country"), optional("city", "city")],
    )
    .with_slots(slots::HOTEL),
    kind("commute.moved", &[PassengerDistance, Heads], CATEGORY_7, PASSENGER)
        .with_inputs(COMMUTE)
        .with_slots(slots::COMMUTE),
    kind(
        "commute.worked_home",
        &[StaffHours],
        CATEGORY_7,
        &[optional("home_energy", "home_energy")],
    )
    .with_slots(slots::TELEWORK),
    kind("goods.purchased", &[Mass, Items, Volume, Area], CATEGORY_1, ITEM)
        .with_credits()
        .with_slots(slots::PURCHASE),
    kind("capital.purchased", &[Mass, Items, Volume, Area], &[book(3, 2)], ITEM)
        .with_credits()
        .with_slots(slots::PURCHASE),
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
    kind("removal.made", &[Mass], MEMO, &[required("pool", "pool")]).with_slots(slots::REMOVAL),
    kind("credit.cancelled", &[Mass], MEMO, &[free("registry")]).with_slots(slots::CREDIT),
];
