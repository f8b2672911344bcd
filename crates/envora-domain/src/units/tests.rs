use super::*;

#[track_caller]
fn check(text: &str, set: AliasSet, want: &str) {
    let got = match lookup(text, set) {
        Ok(code) => {
            parse_code(&code).expect("an alias means a code");
            code
        }
        Err(UnitError::Ambiguous { meanings, .. }) => format!("? {}", meanings.join(" ")),
        Err(UnitError::Unknown { did_you_mean, .. }) => {
            format!("- {}", did_you_mean.unwrap_or_default())
        }
        Err(UnitError::Mismatch { .. }) => "mismatch".to_owned(),
    };
    assert_eq!(got, want, "{text:?} in {set}");
}

#[test]
fn words_and_codes_are_units() {
    check("kW.h", AliasSet::None, "kW.h");
    check(" KWH ", AliasSet::None, "kW.h");
    check("kWh", AliasSet::Uk, "kW.h");
    check("mi", AliasSet::None, "- [mi_i]");
    check("oz", AliasSet::None, "- [oz_av]");
    check("kWh (Gross CV)", AliasSet::None, "kW.h.x:gross");
    check("kWh  (Net CV)", AliasSet::Uk, "kW.h.x:net");
    check("MWH", AliasSet::None, "MW.h");
    check("Litres", AliasSet::None, "L");
    check("tonnes", AliasSet::None, "t");
    check("cubic metres", AliasSet::Uk, "m3");
    check("Room per night", AliasSet::Uk, "x:room_night");
    check("per FTE Working Hour", AliasSet::Uk, "x:fte.h");
    check("passenger.km", AliasSet::Uk, "x:pax.km");
    for text in [
        "passenger-mile",
        "passenger.mi",
        "pax-mi",
        "passenger.miles",
        "Passenger miles",
        "pax-mile",
        "x:pax.mi",
    ] {
        check(text, AliasSet::None, "x:pax.[mi_i]");
    }
    check("vehicle-miles", AliasSet::None, "x:veh.[mi_i]");
    check("tonne-miles", AliasSet::Us, "t.[mi_i]");
    check("short ton-mile", AliasSet::None, "[ston_av].[mi_i]");
    check("short ton miles", AliasSet::Uk, "[ston_av].[mi_i]");
    check("long ton-miles", AliasSet::None, "[lton_av].[mi_i]");
    check("ton miles", AliasSet::None, "? t.[mi_i] [ston_av].[mi_i] [lton_av].[mi_i]");
    check("ton miles", AliasSet::Us, "[ston_av].[mi_i]");
    check("GBP", AliasSet::None, "GBP");
    check("x:USD@2021", AliasSet::None, "x:USD@2021");
}

#[test]
fn ambiguous_words_are_refused_until_a_set_settles_them() {
    check("ton", AliasSet::None, "? t [ston_av] [lton_av]");
    check("tons", AliasSet::Us, "[ston_av]");
    check("ton", AliasSet::Uk, "[lton_av]");
    check("Ton", AliasSet::Eu, "t");
    check("gal", AliasSet::None, "? [gal_us] [gal_br]");
    check("gallons", AliasSet::Us, "[gal_us]");
    check("Gallons", AliasSet::Uk, "[gal_br]");
    check("gal", AliasSet::Eu, "? [gal_us] [gal_br]");
    check("therm", AliasSet::None, "? x:therm_us x:therm_uk x:therm_epa");
    check("therms", AliasSet::Us, "x:therm_us");
    check("therms (Gross CV)", AliasSet::Uk, "x:therm_uk.x:gross");
    check("MBtu", AliasSet::Us, "? 10*3.[Btu_IT] 10*6.[Btu_IT]");
    check("CCF", AliasSet::Us, "? 10*2.[cft_i] 10*2.x:scf_60F");
    check("MCF", AliasSet::None, "? 10*3.x:scf_60F 10*6.x:scf_60F");
    check("cal", AliasSet::None, "? cal_IT cal_th");
    check("unit", AliasSet::None, "? x:pce");
    check("each", AliasSet::Us, "? x:pce");
    check("mWh", AliasSet::None, "? MW.h mW.h MJ");
}

#[test]
fn unknown_words_are_refused_with_the_nearest() {
    check("kWhh", AliasSet::None, "- kW.h");
    check("kilowat hours", AliasSet::None, "- kW.h");
    check("zorkmids", AliasSet::None, "- ");
    // A near spelling is another unit, and is not offered.
    for other in ["passenger-mil", "megajoul", "kilogran", "litra", "kmh"] {
        check(other, AliasSet::None, "- ");
    }
    for text in ["", " ", "{passenger}.km", "kW..h", "kW.", ".h", "m99", "m0", "(m", "m)", "kW.h/0"]
    {
        let got = lookup(text, AliasSet::None);
        assert!(matches!(got, Err(UnitError::Unknown { .. })), "{text:?}");
    }
    for text in ["k", "kk", "k[lb_av]", "XXX", "x:USD", "x:USD@21", "GBP.GBP", "x:nothing", "ß3"] {
        let got = parse_code(text);
        assert!(matches!(got, Err(UnitError::Unknown { .. })), "{text:?}");
    }
    let long = "m.".repeat(100);
    assert!(matches!(parse_code(&long), Err(UnitError::Unknown { .. })));
    let deep = format!("{}m{}", "(".repeat(30), ")".repeat(30));
    assert!(parse_code(&deep).is_err());
}

/// An independent oracle: each pair as published by NIST SP 811, ISO 80000, BIPM or the units'
/// legal definitions, worked out by hand and not from the atoms' table.
#[test]
fn conversions_agree_with_published_constants() {
    for (from, to, want) in [
        ("kW.h", "MJ", "3.6"),
        ("GJ", "kW.h", "2500/9"),
        ("MW.h", "GJ", "3.6"),
        ("10*6.[Btu_IT]", "GJ", "1.05505585262"),
        ("kW.h", "[Btu_IT]", "180000000000/52752792.631"),
        ("x:therm_us", "MJ", "105.4804"),
        ("x:therm_epa", "10*6.[Btu_IT]", "0.1"),
        ("x:therm_uk", "MJ", "105.505585257348"),
        ("kcal_IT", "kJ", "4.1868"),
        ("kcal_th", "kJ", "4.184"),
        ("t", "kg", "1000"),
        ("kt", "t", "1000"),
        ("[lb_av]", "g", "453.59237"),
        ("[oz_av]", "[lb_av]", "1/16"),
        ("[ston_av]", "[lb_av]", "2000"),
        ("[lton_av]", "[lb_av]", "2240"),
        ("[lton_av]", "kg", "1016.0469088"),
        ("[mi_i]", "km", "1.609344"),
        ("[mi_i]", "[ft_i]", "5280"),
        ("[yd_i]", "[in_i]", "36"),
        ("[nmi_i]", "m", "1852"),
        ("m3", "L", "1000"),
        ("ML", "m3", "1000"),
        ("[cft_i]", "L", "28.316846592"),
        ("[cft_i]", "[cin_i]", "1728"),
        ("[gal_us]", "[cin_i]", "231"),
        ("[gal_us]", "L", "3.785411784"),
        ("[gal_br]", "L", "4.54609"),
        ("[bbl_us]", "[gal_us]", "42"),
        ("[acr_i]", "[sft_i]", "43560"),
        ("har", "m2", "10000"),
        ("wk", "h", "168"),
        ("a", "d", "365.25"),
        ("kW.h.x:gross", "MJ.x:gross", "3.6"),
        ("t.km", "kg.m", "1000000"),
        ("x:pax.[mi_i]", "x:pax.km", "1.609344"),
        ("[ston_av].[mi_i]", "t.km", "1.4599723182105600"),
        ("km/h", "m/s", "5/18"),
        ("kg/m3", "g/L", "1"),
        ("(kg.m2)/s2", "J", "1"),
        ("10*3.m3", "ML", "1"),
        ("/m", "/km", "1000"),
        ("s-1", "/s", "1"),
    ] {
        let (a, b) = (parse_code(from).expect(from), parse_code(to).expect(to));
        let (num, den) = want.split_once('/').unwrap_or((want, "1"));
        let part = |text| Rational::parse(text).expect("a number");
        let want = part(num).over(&part(den)).expect("not zero");
        assert_eq!(convert(&a, &b), Ok(want.clone()), "{from} in {to}");
        assert_eq!(convert(&b, &a), Ok(want.recip().expect("not zero")), "{to} in {from}");
    }
}

#[test]
fn what_needs_a_property_is_no_conversion() {
    for (from, to) in [
        ("kW.h", "kW"),
        ("kW.h.x:gross", "kW.h.x:net"),
        ("kW.h", "kW.h.x:gross"),
        ("x:Nm3_0C", "m3"),
        ("x:Nm3_0C", "x:Sm3_15C"),
        ("x:scf_60F", "[cft_i]"),
        ("x:pax.km", "x:veh.km"),
        ("GBP", "EUR"),
        ("USD", "x:USD@2021"),
        ("kg", "L"),
    ] {
        let (a, b) = (parse_code(from).expect(from), parse_code(to).expect(to));
        assert!(matches!(convert(&a, &b), Err(UnitError::Mismatch { .. })), "{from} in {to}");
    }
}

#[test]
fn paths_print_exact_digits() {
    let unit = |code: &str| parse_code(code).expect("a unit");
    let path = UnitPath::between(&unit("GJ.x:net"), &unit("kW.h.x:net")).expect("a path");
    assert_eq!(path.factor, "2500/9");
    assert_eq!(path.steps, ["1 GJ.x:net = 2500/9 = 277.777777777777777777… kW.h.x:net"]);
    let same = UnitPath::between(&unit("kW.h"), &unit("kW.h")).expect("a path");
    assert!(same.steps.is_empty() && same.rational() == Some(Rational::ONE));
}

#[test]
fn miles_are_not_to_be_sent_as_kilometres_of_vehicles() {
    let remedy = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        UnitError::Mismatch { from, to, hint: None }.remedy()
    };
    assert_eq!(remedy("[mi_i]", "x:veh.km"), "send x:veh.[mi_i]");
    assert_eq!(remedy("km", "x:pax.km"), "send x:pax.km");
    assert_eq!(remedy("kg", "x:veh.km"), "send x:veh.km");
    assert_eq!(remedy("[mi_i]", "t.km"), "send t.km");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,24}", code in "[kMm]?[a-zL\\[\\]_/.()*^0-9:+-]{0,24}") {
        for text in [text, code] {
            for set in AliasSet::ALL {
                if let Ok(code) = lookup(&text, *set) {
                    proptest::prop_assert!(parse_code(&code).is_ok(), "{}", code);
                }
            }
        }
    }
}
