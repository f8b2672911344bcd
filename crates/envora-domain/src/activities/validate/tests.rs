use std::collections::BTreeMap;

use super::*;
use crate::activities::{Input, Origin, Period};
use crate::time::{Day, Timestamp};

fn sample() -> Activity {
    let origin = Origin::Request {
        request_id: "r".into(),
        body: [0; 32],
        row: 1,
        offset: 0,
        length: 1,
        parser: "json/1".into(),
    };
    let start = Timestamp::from_micros(0);
    let end = Timestamp::from_micros(3_600_000_000);
    let amount = Input { quantity: number("12.5"), unit: "kW.h".to_owned() };
    Activity::new("electricity.purchased", amount, Period::Between(start, end), origin)
}

fn number(text: &str) -> Decimal {
    Decimal::parse(text).expect("a decimal")
}

/// One change, and the code, field and part of the hint that it must give.
#[track_caller]
fn check(change: impl FnOnce(&mut Activity), want: &[(RowCode, &str, &str)]) {
    let mut activity = sample();
    change(&mut activity);
    let problems = validate(&activity);
    assert_eq!(problems.len(), want.len(), "{problems:?}");
    for (problem, (code, field, hint)) in problems.iter().zip(want) {
        assert_eq!((problem.code, problem.field.as_str()), (*code, *field), "{problem:?}");
        let given = problem.hint.as_deref().unwrap_or("");
        assert!(given.contains(hint), "{given:?} lacks {hint:?}");
    }
}

#[test]
fn a_good_row_has_no_problems() {
    check(|_| {}, &[]);
    check(|a| a.unit = "kWh".to_owned(), &[]);
    check(|a| a.quantity = Decimal::ZERO, &[]);
    check(|a| a.scope = Some(2), &[]);
}

#[test]
fn types_are_of_the_catalogue() {
    check(
        |a| a.kind = "electricity.purchase".to_owned(),
        &[(RowCode::UnknownType, "/type", "did you mean electricity.purchased?")],
    );
}

#[test]
fn a_grid_lies_in_the_region_of_its_row() {
    let at = |grid: &str, region: &str| {
        let (grid, region) = (Some(grid.to_owned()), Some(region.to_owned()));
        move |a: &mut Activity| (a.grid, a.region) = (grid, region)
    };
    check(at("egrid:CAMX", "US-CA"), &[]);
    let elsewhere = "egrid:CAMX is a subregion of eGRID, which lies in US, not in GB: correct";
    check(at("egrid:CAMX", "GB"), &[(RowCode::UnknownItem, "/grid", elsewhere)]);
}

#[test]
fn what_a_carrier_burned_is_a_volume_of_a_known_thing_too() {
    let burned = |fuel: &str, unit: &str| {
        let (fuel, unit) = (fuel.to_owned(), unit.to_owned());
        move |a: &mut Activity| {
            a.kind = "travel.moved".to_owned();
            a.unit = "x:pax.km".to_owned();
            a.qualifiers = BTreeMap::from(
                [("mode", "car".to_owned()), ("fuel", fuel)]
                    .map(|(name, word)| (name.to_owned(), word)),
            );
            let quantity = Decimal::parse("7").expect("a decimal");
            a.inputs.insert("fuel".to_owned(), Input { quantity, unit });
        }
    };
    let asked = [(RowCode::UnitAmbiguous, "/inputs/fuel/unit", "write one of kL")];
    check(burned("lpg", "m3"), &asked);
    check(burned("cng", "m3"), &asked);
    check(burned("lpg", "L"), &[]);
    check(burned("diesel", "m3"), &[]);
}

#[test]
fn units_are_known_fit_and_mean_one_thing() {
    check(|a| a.unit = "kWhh".to_owned(), &[(RowCode::UnknownUnit, "/unit", "did you mean")]);
    check(|a| a.unit = "kg".to_owned(), &[(RowCode::UnitMismatch, "/unit", "")]);
    check(|a| a.unit = "therm".to_owned(), &[(RowCode::UnitAmbiguous, "/unit", "write one of")]);
    let gas = |unit: &str| {
        let unit = unit.to_owned();
        move |a: &mut Activity| {
            a.kind = "fuel.combusted.stationary".to_owned();
            a.qualifiers = BTreeMap::from([("fuel".to_owned(), "natural_gas".to_owned())]);
            a.unit = unit;
        }
    };
    check(gas("kW.h.x:gross"), &[]);
    check(gas("kWh (Gross CV)"), &[]);
    check(gas("kW.h"), &[(RowCode::UnitAmbiguous, "/unit", "gross")]);
    check(gas("gal"), &[(RowCode::UnitAmbiguous, "/unit", "write one of")]);
}

#[test]
fn signs_claims_and_periods_are_checked() {
    check(
        |a| a.quantity = number("-0.1"),
        &[(RowCode::NegativeNotAllowed, "/quantity", "electricity.exported")],
    );
    check(|a| a.scope = Some(1), &[(RowCode::ScopeNotAllowed, "/scope", "scope 2")]);
    check(
        |a| {
            a.scope = Some(3);
            a.category = Some(6);
        },
        &[(RowCode::ScopeNotAllowed, "/scope", "leave the claim out")],
    );
    check(
        |a| a.period = Period::Between(Timestamp::from_micros(1), Timestamp::from_micros(1)),
        &[(RowCode::PeriodReversed, "/end", "occurred_at")],
    );
    let detail = |start, end| {
        let mut activity = sample();
        let at = Timestamp::from_micros;
        activity.period = Period::Between(at(start), at(end));
        validate(&activity).remove(0).detail
    };
    assert_eq!(detail(2, 1), "the period ends before it starts");
    assert_eq!(detail(1, 1), "the period is empty: it ends at the instant at which it starts");
    check(
        |a| a.period = Period::Days { first: Day::from_number(2), last: Day::from_number(1) },
        &[(RowCode::PeriodReversed, "/end_date", "both days")],
    );
    check(
        |a| a.time_zone = Some("Europe/Londn".to_owned()),
        &[(RowCode::WrongType, "/time_zone", "IANA")],
    );
}

#[test]
fn a_period_without_end_is_refused() {
    let refused = |field: &'static str, hint: &'static str| [(RowCode::WrongType, field, hint)];
    let days = |first: &str, last: &str| {
        let (first, last) = (Day::parse(first).expect("a day"), Day::parse(last).expect("a day"));
        move |a: &mut Activity| a.period = Period::Days { first, last }
    };
    check(days("2022-01-01", "9999-12-31"), &refused("/end_date", "ends with the data"));
    check(days("0001-01-01", "9999-12-31"), &refused("/start_date", "correct the year"));
    check(days("1899-12-31", "1900-01-01"), &refused("/start_date", "correct the year"));
    check(days("2199-12-01", "2199-12-31"), &[]);
    check(days("2010-01-01", "2019-12-31"), &[]);
    check(days("2010-01-01", "2020-01-08"), &[]);
    check(days("2010-01-01", "2020-01-09"), &refused("/end_date", "a row for each year"));
    let at = |day: &str| i64::from(Day::parse(day).expect("a day").number()) * 86_400_000_000;
    let (start, late, end) = (at("2010-01-01"), at("2200-01-01"), at("2020-01-10"));
    let instant = Timestamp::from_micros;
    check(|a| a.period = Period::Instant(instant(late - 1)), &[]);
    check(
        |a| a.period = Period::Instant(instant(late)),
        &refused("/occurred_at", "correct the year"),
    );
    check(
        |a| a.period = Period::Between(instant(start), instant(end)),
        &refused("/end", "a row for each year"),
    );
    let wall = crate::time::WallClock::from_micros;
    check(
        |a| a.period = Period::WallClock { start: wall(start), end: wall(end) },
        &refused("/end", "a row for each year"),
    );
    // What takes such a row back may repeat what it said.
    check(
        |a| {
            days("2022-01-01", "9999-12-31")(a);
            (a.void, a.quantity) = (true, number("0"));
            a.supersedes = Some("ext:a".to_owned());
        },
        &[],
    );
}

#[test]
fn qualifiers_and_inputs_are_the_types_own() {
    let fuel = |name: &'static str, value: &'static str| {
        move |a: &mut Activity| {
            a.kind = "fuel.combusted.stationary".to_owned();
            a.unit = "kg".to_owned();
            a.qualifiers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        }
    };
    check(
        fuel("feul", "diesel"),
        &[
            (RowCode::UnknownField, "/qualifiers/feul", "did you mean fuel?"),
            (RowCode::MissingField, "/qualifiers/fuel", "give qualifiers.fuel"),
        ],
    );
    check(
        fuel("fuel", "naturl_gas"),
        &[(RowCode::UnknownItem, "/qualifiers/fuel", "did you mean natural_gas?")],
    );
    check(
        |a| {
            let years = Input { quantity: number("1"), unit: "a".to_owned() };
            a.inputs = BTreeMap::from([("years".to_owned(), years)]);
        },
        &[(RowCode::UnknownField, "/inputs/years", "leave it out")],
    );
}

#[test]
fn readings_give_the_quantity_exactly() {
    let reading = |start: &str, end: &str, by: Option<&str>, rollover: Option<&str>| {
        let reading = Reading {
            start: number(start),
            end: number(end),
            multiplier: by.map(number),
            register: None,
            rollover_at: rollover.map(number),
        };
        move |a: &mut Activity| a.reading = Some(reading)
    };
    check(reading("10", "22.50", None, None), &[]);
    check(reading("10", "11.25", Some("10"), None), &[]);
    check(reading("99990", "2.5", None, Some("100000")), &[]);
    check(
        reading("10", "22.4", None, None),
        &[(RowCode::ReadingMismatch, "/reading", "rollover_at")],
    );
}

#[test]
fn replacing_rows_name_what_they_replace() {
    check(
        |a| {
            a.supersedes = Some("row 7".to_owned());
            a.void = true;
        },
        &[(RowCode::WrongType, "/supersedes", "ext:"), (RowCode::WrongType, "/quantity", "\"0\"")],
    );
    check(|a| a.supersedes = Some("ext:row 7".to_owned()), &[]);
}

#[test]
fn a_quarantining_problem_leaves_the_row_storable() {
    let mut activity = sample();
    activity.unit = "furlongs".to_owned();
    assert!(!rejects(&validate(&activity)));
    activity.quantity = number("-1");
    assert!(rejects(&validate(&activity)));
}

/// A row of another type: quantity, unit, qualifiers and inputs, all as texts.
fn other(
    kind: &str,
    (quantity, unit): (&str, &str),
    qualifiers: &[(&str, &str)],
    inputs: &[(&str, &str, &str)],
) -> impl FnOnce(&mut Activity) + use<> {
    let pair = |(name, word): &(&str, &str)| ((*name).to_owned(), (*word).to_owned());
    let qualifiers: BTreeMap<String, String> = qualifiers.iter().map(pair).collect();
    let input = |(name, quantity, unit): &(&str, &str, &str)| {
        ((*name).to_owned(), Input { quantity: number(quantity), unit: (*unit).to_owned() })
    };
    let inputs: BTreeMap<String, Input> = inputs.iter().map(input).collect();
    let (kind, quantity, unit) = (kind.to_owned(), number(quantity), unit.to_owned());
    move |activity| {
        (activity.kind, activity.quantity, activity.unit) = (kind, quantity, unit);
        (activity.qualifiers, activity.inputs) = (qualifiers, inputs);
    }
}

#[test]
fn gases_and_waste_are_of_the_catalogue() {
    let gas = |word: &'static str| other("gas.emitted", ("1", "kg"), &[("gas", word)], &[]);
    check(gas("R-134a"), &[]);
    check(gas("hfc_143a"), &[]);
    check(gas("hfc134z"), &[(RowCode::UnknownItem, "/qualifiers/gas", "a row for each component")]);
    let waste = |material: &'static str, treatment: &'static str| {
        let words = [("material", material), ("treatment", treatment)];
        other("waste.treated", ("1", "t"), &words, &[])
    };
    check(waste("books", "Landfill"), &[]);
    check(
        waste("books", "landfil"),
        &[(RowCode::UnknownItem, "/qualifiers/treatment", "landfill?")],
    );
    check(
        other("waste.treated", ("1", "t"), &[("material", "books")], &[]),
        &[(RowCode::MissingField, "/qualifiers/treatment", "give")],
    );
    check(
        other(
            "refrigerant.balance",
            ("1", "kg"),
            &[("gas", "r410a")],
            &[("stock_begin", "1", "kg")],
        ),
        &[(RowCode::MissingField, "/inputs/stock_end", "such as kg")],
    );
}

#[test]
fn journeys_say_what_factors_tell_apart() {
    let flight = |words: &[(&str, &str)]| {
        let mut all = vec![("mode", "air"), ("haul", "short")];
        all.extend(words);
        other("travel.moved", ("100", "x:pax.km"), &all, &[])
    };
    check(flight(&[("rf", "with")]), &[]);
    check(flight(&[]), &[(RowCode::MissingField, "/qualifiers/rf", "qualifiers.rf")]);
    check(flight(&[("rf", "yes")]), &[(RowCode::UnknownItem, "/qualifiers/rf", "")]);
    check(
        other("freight.moved", ("1", "t.km"), &[("mode", "air")], &[]),
        &[(RowCode::MissingField, "/qualifiers/rf", "")],
    );
    let car = |occupancy: &'static str| {
        let inputs = [("occupancy", occupancy, "1")];
        other("travel.moved", ("100", "x:pax.km"), &[("mode", "car")], &inputs)
    };
    check(car("2.5"), &[]);
    check(car("0"), &[(RowCode::WrongType, "/inputs/occupancy/quantity", "true value")]);
    check(car("-1"), &[(RowCode::NegativeNotAllowed, "/inputs/occupancy/quantity", "")]);
    let hotel = |words: &[(&str, &str)]| other("travel.stayed", ("1", "x:room_night"), words, &[]);
    check(hotel(&[("country", "fr")]), &[]);
    check(hotel(&[("country", "GB"), ("city", "London")]), &[]);
    let elsewhere = (RowCode::UnknownItem, "/qualifiers/city", "correct the city or the country");
    check(hotel(&[("country", "FR"), ("city", "london")]), &[elsewhere]);
    check(hotel(&[]), &[(RowCode::MissingField, "/qualifiers/country", "such as FR")]);
    check(hotel(&[("country", "Atlantis")]), &[(RowCode::UnknownItem, "/qualifiers/country", "")]);
}

#[test]
fn nobody_travels_on_more_days_than_the_period_has() {
    let day = |text: &str| Day::parse(text).expect("a day");
    let month = Period::Days { first: day("2022-01-01"), last: day("2022-01-31") };
    let at = |day: Day| Timestamp::from_micros(i64::from(day.number()) * 86_400_000_000);
    let hours = Period::Between(at(day("2022-01-01")), at(day("2022-02-01")));
    let commute = |period: Period, days: &'static str, unit: &'static str| {
        let inputs = [("one_way", "9", "km"), ("days", days, unit)];
        let row = other("commute.moved", ("80", "x:pax"), &[("mode", "bus")], &inputs);
        move |activity: &mut Activity| {
            row(activity);
            activity.period = period;
        }
    };
    let field = "/inputs/days/quantity";
    let above = [(RowCode::WrongType, field, "within the period")];
    for period in [month, hours] {
        check(commute(period, "31", "d"), &[]);
        check(commute(period, "744", "h"), &[]);
        check(commute(period, "31.5", "d"), &above);
        check(commute(period, "2000", "d"), &above);
    }
    check(commute(Period::Instant(at(day("2022-12-31"))), "220", "d"), &[]);
    check(commute(Period::Instant(at(day("2022-12-31"))), "367", "d"), &above);
    let mut activity = sample();
    commute(month, "2000", "d")(&mut activity);
    let problem = validate(&activity).remove(0);
    assert_eq!(problem.detail, "2000 days are more than the period of the row has: 31");
}

#[test]
fn what_would_count_for_nothing_is_refused() {
    let road = &[("mode", "road"), ("vehicle_class", "hgv_average")];
    check(
        other("freight.moved", ("5", "t.km"), road, &[("distance", "5", "km")]),
        &[(RowCode::UnknownField, "/inputs/distance", "leave distance out, or send a mass")],
    );
    let ridden = |inputs: &[(&str, &str, &str)]| {
        other("commute.moved", ("80", "x:pax.km"), &[("mode", "bus")], inputs)
    };
    check(ridden(&[]), &[]);
    for (name, quantity, unit) in [("share", "50", "%"), ("days", "1", "d"), ("one_way", "9", "km")]
    {
        let mut activity = sample();
        ridden(&[(name, quantity, unit)])(&mut activity);
        let problem = validate(&activity).remove(0);
        assert_eq!(
            (problem.code, problem.field),
            (RowCode::UnknownField, format!("/inputs/{name}"))
        );
    }
    let mut activity = sample();
    let inputs = [("one_way", "9", "km"), ("days", "1", "d"), ("share", "101", "%")];
    other("commute.moved", ("80", "x:pax"), &[("mode", "bus")], &inputs)(&mut activity);
    assert_eq!(validate(&activity).remove(0).detail, "the input share is above 100 %");
}

#[test]
fn inputs_fit_their_quantity() {
    let road = &[("mode", "road"), ("vehicle_class", "hgv_average")];
    check(other("freight.moved", ("1", "t"), road, &[("distance", "5", "km")]), &[]);
    check(other("freight.moved", ("1", "t.km"), road, &[]), &[]);
    check(
        other("freight.moved", ("1", "t"), road, &[]),
        &[(RowCode::MissingField, "/inputs/distance", "such as km")],
    );
    check(
        other("freight.moved", ("5", "km"), road, &[]),
        &[(RowCode::UnitMismatch, "/unit", "t.km")],
    );
    check(
        other("freight.moved", ("1", "t"), road, &[("distance", "5", "kg")]),
        &[(RowCode::UnitMismatch, "/inputs/distance/unit", "such as km")],
    );
    let staff = |share: &'static str, unit: &'static str| {
        let inputs = [("one_way", "9", "km"), ("days", "1", "d"), ("share", share, unit)];
        other("commute.moved", ("80", "x:pax"), &[("mode", "bus")], &inputs)
    };
    check(staff("35", "%"), &[]);
    check(staff("1", "1"), &[]);
    check(staff("100.1", "%"), &[(RowCode::SharesNot100, "/inputs/share/quantity", "in %")]);
    check(
        other("commute.moved", ("80", "x:pax"), &[("mode", "bus")], &[]),
        &[
            (RowCode::MissingField, "/inputs/one_way", "such as km"),
            (RowCode::MissingField, "/inputs/days", "such as d"),
        ],
    );
}

#[test]
fn goods_are_named_and_may_be_credits() {
    let goods = |item: Option<&'static str>, scheme: Option<&'static str>| {
        move |a: &mut Activity| {
            other("goods.purchased", ("-5", "kg"), &[], &[])(a);
            (a.item, a.item_scheme) = (item.map(str::to_owned), scheme.map(str::to_owned));
        }
    };
    check(goods(Some("Concrete"), None), &[]);
    check(goods(Some("38.1"), Some("cpc")), &[]);
    check(goods(None, None), &[(RowCode::MissingField, "/item", "item_scheme")]);
    check(
        goods(Some("concrte"), None),
        &[(RowCode::UnknownItem, "/item", "did you mean concrete?")],
    );
    check(
        other("water.supplied", ("-5", "m3"), &[], &[]),
        &[(RowCode::NegativeNotAllowed, "/quantity", "void")],
    );
}

#[test]
fn a_grid_is_one_that_is_known() {
    let grid = |text: &str| {
        let text = text.to_owned();
        move |a: &mut Activity| a.grid = Some(text)
    };
    for known in ["egrid:CAMX", "camx", "10YGB----------A", "eic:10YGB----------A"] {
        check(grid(known), &[]);
    }
    let unknown = RowCode::UnknownItem;
    check(grid("egrid:ZZZZ"), &[(unknown, "/grid", "name a subregion of eGRID")]);
    check(grid("egrid:CAMXX"), &[(unknown, "/grid", "did you mean egrid:CAMX?")]);
    check(grid("egird:CAMX"), &[(unknown, "/grid", "did you mean egrid:CAMX?")]);
    let (mut one, mut other) = (sample(), sample());
    assert!(same_words(&one, &other));
    (one.grid, other.grid) = (Some("egrid:CAMX".to_owned()), Some("egrid:ZZZZ".to_owned()));
    assert!(!same_words(&one, &other), "a good row says nothing of the next one's grid");
}

#[test]
fn what_may_be_said_instead_is_told() {
    let travel = |name: &'static str, word: &'static str| {
        move |a: &mut Activity| {
            (a.kind, a.unit) = ("travel.moved".to_owned(), "x:pax.km".to_owned());
            a.qualifiers.insert("mode".to_owned(), "rail_national".to_owned());
            a.qualifiers.insert(name.to_owned(), word.to_owned());
        }
    };
    let unknown = RowCode::UnknownItem;
    check(travel("mode", "rail"), &[(unknown, "/qualifiers/mode", "rail_national")]);
    check(travel("haul", "far_far_away"), &[(unknown, "/qualifiers/haul", "its words are ")]);
    let stay = |a: &mut Activity| {
        (a.kind, a.unit) = ("travel.stayed".to_owned(), "x:room_night".to_owned());
        a.qualifiers.insert("country".to_owned(), "XX".to_owned());
    };
    check(stay, &[(unknown, "/qualifiers/country", "such as AD, AE")]);
}

#[test]
fn a_balance_below_nothing_is_seen() {
    let balance = |quantity: (&str, &str), inputs: &[(&str, &str, &str)]| {
        let mut a = sample();
        a.kind = "refrigerant.balance".to_owned();
        (a.quantity, a.unit) = (number(quantity.0), quantity.1.to_owned());
        for (name, quantity, unit) in inputs {
            let input = Input { quantity: number(quantity), unit: (*unit).to_owned() };
            a.inputs.insert((*name).to_owned(), input);
        }
        is_negative_balance(&a)
    };
    assert!(balance(("1", "kg"), &[("stock_begin", "5", "kg"), ("stock_end", "8", "kg")]));
    assert!(!balance(("3", "kg"), &[("stock_begin", "5", "kg"), ("stock_end", "8", "kg")]));
    assert!(!balance(("1", "t"), &[("stock_begin", "5", "kg"), ("stock_end", "8", "kg")]));
    let filled =
        [("stock_begin", "1", "kg"), ("stock_end", "0", "kg"), ("capacity_end", "9", "kg")];
    assert!(balance(("1", "kg"), &filled));
    assert!(!is_negative_balance(&sample()));
}
