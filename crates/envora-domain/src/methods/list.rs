//! The methods themselves, by family.

use super::Of::{
    AsSent, Economy, HeatContent, Input, InputAsSent, InputOr, LossRate, Number, Quantity,
    Screening as Default,
};
use super::amounts::{minus, plus, ratio};
use super::{Method, Screening, Source};
use crate::catalogue::Quantity as Kind;
use crate::factors::Boundary;

const FUELS: &[&str] = &["fuel.combusted.mobile", "fuel.combusted.stationary"];
const DRIVEN: &[&str] = &["vehicle.driven"];
const CO2: &[&str] = &["process.co2"];
/// 44/12: exact, and not 3.664.
const CARBON_TO_CO2: &str = "44/12";
const NO_CARRIER: &str = "the activity brings no fuel of the carrier";
const NO_SPEND: &str = "spend is an activity of its own: spend.purchased";
const NO_OCCUPANCY: &str = "the activity brings no occupancy of a vehicle";

/// All methods.
pub const ALL: &[Method] = &[
    Method::new(
        "electricity.grid@1",
        "emissions = energy × grid average of the region and period, generation only",
    ),
    Method::new(
        "electricity.certificate@1",
        "emissions = energy covered by cancelled certificates × rate of the certified plant",
    )
    .lacking("no certificate is allocated to this consumption"),
    Method::new(
        "electricity.contract@1",
        "emissions = energy under a direct contract × rate of the contract",
    )
    .lacking("no contract that conveys attributes is on record for this consumption"),
    Method::new("electricity.supplier@1", "emissions = energy × rate disclosed by the supplier")
        .from(Source::Supplier, "no supplier rate is on record for this consumption"),
    Method::new("electricity.residual_mix@1", "emissions = energy × residual mix of the market")
        .from(Source::ResidualMix, "no residual mix of this market is in the active packs"),
    Method::new(
        "electricity.grid_fallback@1",
        "emissions = energy × grid average, for want of a residual mix",
    ),
    Method::new(
        "tnd.generation@1",
        "emissions = energy × generation factor × loss rate of the grid",
    )
    .of("", &[plus(&[AsSent, LossRate])])
    .covering(Boundary::Generation)
    .or_else("no loss rate of this grid is in the active packs"),
    Method::new(
        "tnd.published@1",
        "emissions = energy × published factor of transmission and distribution losses",
    ),
    Method::new(
        "tnd.occupancy@1",
        "emissions = passenger-distance / occupancy × published factor of losses of the vehicle",
    )
    .of("x:veh.km", &[OCCUPIED])
    .taking(Kind::PassengerDistance)
    .by(DRIVEN)
    .or_else(NO_OCCUPANCY),
    Method::new(
        "tnd.average_vehicle@1",
        "emissions = staff × share × one way × 2 × days / occupancy × published factor of losses of \
         the vehicle",
    )
    .of("x:veh.km", &[COMMUTE_OCCUPIED])
    .taking(Kind::Heads)
    .by(DRIVEN)
    .or_else(NO_OCCUPANCY),
    Method::new("wtt.published@1", "emissions = quantity × published well-to-tank factor"),
    Method::new("wtt.economy@1", "emissions = distance / economy × well-to-tank factor of the fuel")
        .of("L", &[plus(&[Quantity("x:veh.km"), Economy])])
        .by(FUELS)
        .or_else("the activity brings no fuel economy"),
    Method::new("wtt.fuel@1", "emissions = fuel of the carrier × own share × well-to-tank factor of the fuel")
        .of("", &[CARRIER])
        .by(FUELS)
        .or_else(NO_CARRIER),
    Method::new("wtt.leg@1", "emissions = mass × distance × published well-to-tank factor")
        .of("t.km", &[plus(&[Quantity("t"), Input("distance", "km")])])
        .taking(Kind::Mass)
        .or_else("the activity brings no distance"),
    Method::new("wtt.occupancy@1", "emissions = passenger-distance / occupancy × well-to-tank factor")
        .of("x:veh.km", &[OCCUPIED])
        .taking(Kind::PassengerDistance)
        .by(DRIVEN)
        .or_else(NO_OCCUPANCY),
    Method::new(
        "wtt.average_vehicle@1",
        "emissions = staff × share × one way × 2 × days / occupancy × well-to-tank factor",
    )
    .of("x:veh.km", &[COMMUTE_OCCUPIED])
    .taking(Kind::Heads)
    .by(DRIVEN)
    .or_else(NO_OCCUPANCY),
    Method::new("wtt.average@1", "emissions = staff × share × one way × 2 × days × well-to-tank factor")
        .of("x:pax.km", &[COMMUTE])
        .taking(Kind::Heads),
    Method::new(
        "stationary.carbon@1",
        "CO2 = fuel × carbon content × oxidation factor × 44/12",
    )
    .of(
        "kg",
        &[plus(&[
            Quantity("kg"),
            Input("carbon_content", "1"),
            InputOr("oxidation", "1", "1"),
            Number(CARBON_TO_CO2),
        ])],
    )
    .taking(Kind::Mass)
    .by(CO2)
    .covering(Boundary::Process)
    .or_else("the activity brings no carbon content"),
    Method::new("stationary.fuel@1", "emissions = fuel × factor per unit of the fuel"),
    Method::new(
        "stationary.heat@1",
        "emissions = fuel × heat content × factor per unit of heat",
    )
    .of("", &[plus(&[AsSent, HeatContent])])
    .or_else("no heat content of this fuel is in the active packs"),
    Method::new("mobile.fuel@1", "emissions = fuel × factor per unit of the fuel"),
    Method::new(
        "mobile.gases_by_distance@1",
        "CH4, N2O = distance × factor of the vehicle, fuel and model year",
    )
    .of("x:veh.km", &[plus(&[Input("distance", "x:veh.km")])])
    .or_else("the activity brings no distance"),
    Method::new("mobile.gases_by_fuel@1", "CH4, N2O = fuel × factor of the machine and fuel"),
    Method::new("mobile.distance@1", "emissions = distance × factor of the class of vehicle"),
    Method::new("mobile.economy@1", "emissions = distance / economy × factor of the fuel")
        .of("L", &[plus(&[Quantity("x:veh.km"), Economy])])
        .by(FUELS)
        .or_else("the activity brings no fuel economy"),
    Method::new(
        "fugitive.service@1",
        "emissions = (charge of new − their capacity) + recharge + (capacity retired − recovered)",
    )
    .of(
        "kg",
        &[
            plus(&[Quantity("kg")]),
            plus(&[InputOr("new_charge", "kg", "0")]),
            minus(&[InputOr("new_capacity", "kg", "0")]),
            plus(&[InputOr("retired_capacity", "kg", "0")]),
            minus(&[InputOr("recovered", "kg", "0")]),
        ],
    ),
    Method::new(
        "fugitive.mass_balance@1",
        "emissions = (stock at the beginning − at the end) + purchases − sales − (capacity at the end \
         − at the beginning)",
    )
    .of(
        "kg",
        &[
            plus(&[Input("stock_begin", "kg")]),
            minus(&[Input("stock_end", "kg")]),
            plus(&[Quantity("kg")]),
            minus(&[InputOr("sold", "kg", "0")]),
            minus(&[InputOr("capacity_end", "kg", "0")]),
            plus(&[InputOr("capacity_begin", "kg", "0")]),
        ],
    ),
    Method::new(
        "fugitive.screening@1",
        "emissions = installed × loss + charge × leak rate × years + retired × remaining × (1 − \
         recovered)",
    )
    .of(
        "kg",
        &[
            plus(&[Quantity("kg"), Default(Screening::Installing)]),
            plus(&[Input("charge", "kg"), Default(Screening::Leak), Input("years", "x:yr")]),
            plus(&[InputOr("retired", "kg", "0"), Default(Screening::Remaining)]),
            minus(&[
                InputOr("retired", "kg", "0"),
                Default(Screening::Remaining),
                Default(Screening::Recovered),
            ]),
        ],
    )
    .last_resort(),
    Method::new("process.carbonate@1", "CO2 = mass × purity × conversion × factor of the carbonate")
        .of(
            "kg",
            &[plus(&[
                Quantity("kg"),
                InputOr("purity", "1", "1"),
                InputOr("conversion", "1", "1"),
            ])],
        ),
    Method::new(
        "process.clinker@1",
        "CO2 = clinker × CaO share × carbonate part × 0.4397/0.5603 × cement kiln dust correction",
    )
    .of(
        "kg",
        &[plus(&[
            Quantity("kg"),
            InputOr("cao_share", "1", "0.65"),
            InputOr("carbonate_part", "1", "1"),
            Number("4397/5603"),
            InputOr("ckd", "1", "1"),
        ])],
    )
    .by(CO2),
    Method::new("process.balance@1", "CO2 = (carbon in − carbon out) × 44/12")
        .of(
            "kg",
            &[
                plus(&[
                    Quantity("kg"),
                    Input("carbon_content", "1"),
                    Number(CARBON_TO_CO2),
                ]),
                minus(&[
                    InputOr("output", "kg", "0"),
                    InputOr("output_carbon", "1", "0"),
                    Number(CARBON_TO_CO2),
                ]),
            ],
        )
        .by(CO2),
    Method::new("direct.mass@1", "emissions = mass of the gas"),
    Method::new("heat.supplier@1", "emissions = energy × rate disclosed by the supplier")
        .from(Source::Supplier, "no supplier rate is on record for this heat"),
    Method::new("heat.average@1", "emissions = energy × average factor of heat and steam"),
    Method::new("generation.own@1", "nothing: the fuel is scope 1, sun and wind emit nothing")
        .from(Source::Nothing, "own generation emits through its fuel alone"),
    Method::new("generation.exported@1", "avoided elsewhere = energy × grid average; never netted"),
    Method::new("generation.resold@1", "emissions = energy × grid average of the region and period"),
    Method::new("published.per_unit@1", "emissions = quantity × published factor"),
    Method::new("supplier.specific@1", "emissions = quantity × the supplier's own factor")
        .from(Source::Supplier, "no factor of this supplier is on record for the item"),
    Method::new("hybrid.full@1", "emissions = supplier's scopes 1 and 2 + inputs + waste")
        .lacking("no scope 1 and 2 emissions of the supplier are on record"),
    Method::new("hybrid.gap_filled@1", "emissions = supplier's scopes 1 and 2 + factor of the rest")
        .lacking("no scope 1 and 2 emissions of the supplier are on record"),
    Method::new("waste.supplier@1", "emissions = mass × factor stated by who treats it")
        .from(Source::Supplier, "no factor of this treater is on record"),
    Method::new("waste.treatment@1", "emissions = waste × factor of the material and treatment"),
    Method::new("waste.average@1", "emissions = waste × shares of treatments × their factors")
        .lacking("no publisher in the active packs prints an average over treatments"),
    Method::new("freight.fuel@1", "emissions = fuel of the carrier × own share of the load × factor of the fuel")
        .of("", &[CARRIER])
        .by(FUELS)
        .or_else(NO_CARRIER),
    Method::new("freight.distance@1", "emissions = mass-distance × factor of the means of transport"),
    Method::new("freight.leg@1", "emissions = mass × distance × factor of the means of transport")
        .of("t.km", &[plus(&[Quantity("t"), Input("distance", "km")])])
        .taking(Kind::Mass)
        .or_else("the activity brings no distance"),
    Method::new("freight.spend@1", "emissions = spend × factor per money").lacking(NO_SPEND),
    Method::new("travel.fuel@1", "emissions = fuel of the carrier × own share × factor of the fuel")
        .of("", &[CARRIER])
        .by(FUELS)
        .or_else(NO_CARRIER),
    Method::new("travel.occupancy@1", "emissions = passenger-distance / occupancy × vehicle factor")
        .of("x:veh.km", &[OCCUPIED])
        .taking(Kind::PassengerDistance)
        .by(DRIVEN)
        .or_else(NO_OCCUPANCY),
    Method::new("travel.distance@1", "emissions = passenger-distance × factor of the mode"),
    Method::new("travel.spend@1", "emissions = spend × factor per money").lacking(NO_SPEND),
    Method::new("travel.hotel@1", "emissions = room nights × factor of the country"),
    Method::new("commute.occupancy@1", "emissions = passenger-distance / occupancy × vehicle factor")
        .of("x:veh.km", &[OCCUPIED])
        .taking(Kind::PassengerDistance)
        .by(DRIVEN)
        .or_else(NO_OCCUPANCY),
    Method::new("commute.distance@1", "emissions = passenger-distance × factor of the mode")
        .taking(Kind::PassengerDistance),
    Method::new(
        "commute.average_vehicle@1",
        "emissions = staff × share × one way × 2 × days / occupancy × vehicle factor",
    )
    .of("x:veh.km", &[COMMUTE_OCCUPIED])
    .taking(Kind::Heads)
    .by(DRIVEN)
    .or_else(NO_OCCUPANCY),
    Method::new(
        "commute.average@1",
        "emissions = staff × share × one way × 2 × days × factor of the mode",
    )
    .of("x:pax.km", &[COMMUTE])
    .taking(Kind::Heads),
    Method::new("commute.telework@1", "emissions = hours at home × extra energy factor"),
];

const CARRIER: super::Product = plus(&[InputAsSent("fuel"), InputOr("own_share", "1", "1")]);

const OCCUPIED: super::Product = ratio(&[Quantity("x:pax.km")], &[Input("occupancy", "1")]);

/// The way of staff, in vehicles.
const COMMUTE_OCCUPIED: super::Product = ratio(
    &[
        Quantity("x:pax"),
        InputOr("share", "1", "1"),
        Input("one_way", "km"),
        Number("2"),
        Input("days", "d"),
    ],
    &[Input("occupancy", "1")],
);

const COMMUTE: super::Product = plus(&[
    Quantity("x:pax"),
    InputOr("share", "1", "1"),
    Input("one_way", "km"),
    Number("2"),
    Input("days", "d"),
]);
