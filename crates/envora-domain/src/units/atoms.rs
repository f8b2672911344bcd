//! The atoms of unit codes: UCUM's, as far as activities use them, and Envora's own.

use super::{Base, Dimension, Money};
use crate::rational::Rational;

/// Whether prefixes such as `k` may stand before an atom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Yes,
    No,
}

/// An atom: code, metric or not, how many base units (exact, `a/b` or decimal), and of what.
pub(super) struct Atom {
    pub(super) code: &'static str,
    pub(super) metric: Metric,
    size: &'static str,
    powers: &'static [(Base, i8)],
}

impl Atom {
    pub(super) fn unit(&self) -> Option<(Dimension, Rational)> {
        Some((Dimension::of(self.powers), Rational::parse(self.size)?))
    }
}

const fn metric(code: &'static str, size: &'static str, powers: &'static [(Base, i8)]) -> Atom {
    Atom { code, metric: Metric::Yes, size, powers }
}

const fn plain(code: &'static str, size: &'static str, powers: &'static [(Base, i8)]) -> Atom {
    Atom { code, metric: Metric::No, size, powers }
}

const MASS: &[(Base, i8)] = &[(Base::Mass, 1)];
const LENGTH: &[(Base, i8)] = &[(Base::Length, 1)];
const AREA: &[(Base, i8)] = &[(Base::Length, 2)];
const VOLUME: &[(Base, i8)] = &[(Base::Length, 3)];
const TIME: &[(Base, i8)] = &[(Base::Time, 1)];
const ENERGY: &[(Base, i8)] = &[(Base::Mass, 1), (Base::Length, 2), (Base::Time, -2)];
const POWER: &[(Base, i8)] = &[(Base::Mass, 1), (Base::Length, 2), (Base::Time, -3)];
const NUMBER: &[(Base, i8)] = &[];

/// Every atom. Sizes are in kg, m, s; international units of 1959, joules of the IT calorie.
pub(super) const ALL: &[Atom] = &[
    metric("g", "0.001", MASS),
    metric("t", "1000", MASS),
    plain("[lb_av]", "0.45359237", MASS),
    plain("[oz_av]", "0.028349523125", MASS),
    plain("[ston_av]", "907.18474", MASS),
    plain("[lton_av]", "1016.0469088", MASS),
    metric("m", "1", LENGTH),
    plain("[in_i]", "0.0254", LENGTH),
    plain("[ft_i]", "0.3048", LENGTH),
    plain("[yd_i]", "0.9144", LENGTH),
    plain("[mi_i]", "1609.344", LENGTH),
    plain("[nmi_i]", "1852", LENGTH),
    metric("ar", "100", AREA),
    plain("[sft_i]", "0.09290304", AREA),
    plain("[acr_i]", "4046.8564224", AREA),
    metric("l", "0.001", VOLUME),
    metric("L", "0.001", VOLUME),
    plain("[cft_i]", "0.028316846592", VOLUME),
    plain("[cin_i]", "0.000016387064", VOLUME),
    plain("[gal_us]", "0.003785411784", VOLUME),
    plain("[gal_br]", "0.00454609", VOLUME),
    plain("[bbl_us]", "0.158987294928", VOLUME),
    metric("s", "1", TIME),
    plain("min", "60", TIME),
    plain("h", "3600", TIME),
    plain("d", "86400", TIME),
    plain("wk", "604800", TIME),
    plain("a", "31557600", TIME),
    metric("J", "1", ENERGY),
    metric("W", "1", POWER),
    plain("[Btu_IT]", "1055.05585262", ENERGY),
    metric("cal_IT", "4.1868", ENERGY),
    metric("cal_th", "4.184", ENERGY),
    plain("[HP]", "745.69987158227022", POWER),
    plain("10*", "10", NUMBER),
    plain("10^", "10", NUMBER),
    plain("%", "0.01", NUMBER),
    plain("x:gross", "1", &[(Base::Gross, 1)]),
    plain("x:net", "1", &[(Base::Net, 1)]),
    plain("x:therm_us", "105480400", ENERGY),
    plain("x:therm_epa", "105505585.262", ENERGY),
    plain("x:therm_uk", "105505585.257348", ENERGY),
    plain("x:Nm3_0C", "1", &[(Base::Gas0C, 1)]),
    plain("x:Sm3_15C", "1", &[(Base::Gas15C, 1)]),
    plain("x:scf_60F", "1", &[(Base::Gas60F, 1)]),
    plain("x:pax", "1", &[(Base::Passenger, 1)]),
    plain("x:veh", "1", &[(Base::Vehicle, 1)]),
    plain("x:TEU", "1", &[(Base::Container, 1)]),
    plain("x:room_night", "1", &[(Base::RoomNight, 1)]),
    plain("x:fte", "1", &[(Base::Staff, 1)]),
    plain("x:pce", "1", &[(Base::Item, 1)]),
    plain("x:yr", "1", &[(Base::Year, 1)]),
];

/// UCUM's prefixes, as powers of ten.
pub(super) const PREFIXES: &[(&str, i32)] = &[
    ("da", 1),
    ("h", 2),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
];

/// ISO 4217: the currencies in circulation.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL \
    BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD \
    FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS \
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
    MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD \
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
    USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// `GBP`, or `x:USD@2021` for the prices of a year.
pub(super) fn money(code: &str) -> Option<(Dimension, Rational)> {
    let (currency, year) = match code.strip_prefix("x:") {
        None => (code, None),
        Some(rest) => {
            let (currency, year) = rest.split_once('@')?;
            let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
            (currency, Some(year.parse::<u16>().ok().filter(|_| digits)?))
        }
    };
    let known = CURRENCIES.split_ascii_whitespace().any(|known| known == currency);
    let letters: [u8; 3] = currency.as_bytes().try_into().ok().filter(|_| known)?;
    Some((Dimension::of_money(Money { currency: letters, price_year: year }), Rational::ONE))
}
